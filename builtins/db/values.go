package db

// Values between Starlark and the database, by a column's declared type.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/engine"
)

// fromCell converts a cell as the driver gave it into what a script sees.
func fromCell(v any, t sqldb.ColumnType) (starlark.Value, error) {
	if v == nil {
		return starlark.None, nil
	}
	switch t.Kind {
	case sqldb.Text, sqldb.UUID, sqldb.Other:
		if s, ok := v.(string); ok {
			return starlark.String(s), nil
		}
		return starlark.String(cellText(v)), nil
	case sqldb.Int:
		if n, ok := v.(int64); ok {
			return starlark.MakeInt64(n), nil
		}
		return intCell(v)
	case sqldb.Bool:
		return boolCell(v)
	case sqldb.Float:
		return floatCell(v)
	case sqldb.DecimalKind:
		return decimalCell(v, t.Scale)
	case sqldb.DateTime:
		return datetimeCell(v)
	case sqldb.DateKind:
		return dateCell(v)
	case sqldb.Bytes:
		if b, ok := v.([]byte); ok {
			return starlark.Bytes(b), nil
		}
		return starlark.Bytes(cellText(v)), nil
	case sqldb.JSONKind:
		return parseJSON(cellText(v))
	}
	switch v := v.(type) {
	case int64:
		return starlark.MakeInt64(v), nil
	case float64:
		return starlark.Float(v), nil
	case bool:
		return starlark.Bool(v), nil
	case string:
		return starlark.String(v), nil
	case []byte:
		// MySQL gives texts of unknown type as bytes.
		if utf8.Valid(v) {
			return starlark.String(v), nil
		}
		return starlark.Bytes(v), nil
	case time.Time:
		return datetimeCell(v)
	}
	return nil, fmt.Errorf("the database gave a %T, which has no place in a script", v)
}

func cellText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999")
	}
	return fmt.Sprint(v)
}

func intCell(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return starlark.MakeInt(1), nil
		}
		return starlark.MakeInt(0), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return starlark.MakeInt64(int64(v)), nil
		}
		return nil, fmt.Errorf("an integer column holds %v", v)
	}
	text := cellText(v)
	whole, frac, _ := strings.Cut(text, ".")
	if strings.Trim(frac, "0") == "" {
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return starlark.MakeInt64(n), nil
		} else if errors.Is(err, strconv.ErrRange) {
			return nil, engine.ValueError.Errorf("the integer %s is beyond what a database holds (2**63-1)", text)
		}
	}
	return nil, fmt.Errorf("an integer column holds %q", text)
}

func boolCell(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case bool:
		return starlark.Bool(v), nil
	case int64:
		return starlark.Bool(v != 0), nil
	case float64:
		return starlark.Bool(v != 0), nil
	}
	switch strings.ToLower(cellText(v)) {
	case "1", "t", "true":
		return starlark.True, nil
	case "0", "f", "false":
		return starlark.False, nil
	}
	return nil, fmt.Errorf("a boolean column holds %q", cellText(v))
}

func floatCell(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case float64:
		return starlark.Float(v), nil
	case int64:
		return starlark.Float(v), nil
	}
	f, err := strconv.ParseFloat(cellText(v), 64)
	if err != nil {
		return nil, fmt.Errorf("a float column holds %q", cellText(v))
	}
	return starlark.Float(f), nil
}

// decimalCell makes an exact decimal. SQLite keeps fractions as floats: they
// are brought to the column's scale, or to 15 digits where there is none.
func decimalCell(v any, scale int) (starlark.Value, error) {
	var d *decimal.Decimal
	var err error
	switch v := v.(type) {
	case int64:
		d = decimal.FromInt(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("a decimal column holds %v", v)
		}
		text := strconv.FormatFloat(v, 'g', 15, 64)
		if scale >= 0 {
			text = strconv.FormatFloat(v, 'f', scale, 64)
		}
		d, err = decimal.Parse(text)
	default:
		text := cellText(v)
		d, err = decimal.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("a decimal column holds %q", text)
		}
		if scale < 0 {
			return d, nil
		}
		if _, _, exp := d.Parts(); -exp >= scale {
			return d, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if scale >= 0 {
		return d.Quantize(int32(scale))
	}
	return d, nil
}

func datetimeCell(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case string:
		return instant(datetime.ParseTimestamp(v, datetime.UTC()))
	case []byte:
		return instant(datetime.ParseTimestamp(string(v), datetime.UTC()))
	case time.Time:
		return instant(datetime.At(v, datetime.UTC()))
	case int64:
		return instant(datetime.At(time.Unix(v, 0), datetime.UTC()))
	}
	return nil, fmt.Errorf("a datetime column holds a %T", v)
}

// instant keeps a nil *DateTime from becoming a Value that is not nil.
func instant(d *datetime.DateTime, err error) (starlark.Value, error) {
	if err != nil {
		return nil, fmt.Errorf("a datetime column: %w", err)
	}
	return d, nil
}

func dateCell(v any) (starlark.Value, error) {
	var d *datetime.Date
	var err error
	if t, ok := v.(time.Time); ok {
		d, err = datetime.DateOf(t)
	} else {
		text := cellText(v)
		if len(text) > 10 {
			text = text[:10]
		}
		d, err = datetime.ParseDate(text)
	}
	if err != nil {
		return nil, fmt.Errorf("a date column: %w", err)
	}
	return d, nil
}

// parseJSON reads a JSON text as Starlark's values. Integers stay exact.
func parseJSON(text string) (starlark.Value, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	v, err := jsonValue(dec, 0)
	if err != nil {
		return nil, fmt.Errorf("a JSON column: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("a JSON column holds more than one value")
	}
	return v, nil
}

const maxJSONDepth = 200

func jsonValue(dec *json.Decoder, depth int) (starlark.Value, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxJSONDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(tok), nil
	case string:
		return starlark.String(tok), nil
	case json.Number:
		if n, ok := new(big.Int).SetString(string(tok), 10); ok {
			return starlark.MakeBigInt(n), nil
		}
		f, err := tok.Float64()
		return starlark.Float(f), err
	case json.Delim:
		if tok == '[' {
			var items []starlark.Value
			for dec.More() {
				v, err := jsonValue(dec, depth+1)
				if err != nil {
					return nil, err
				}
				items = append(items, v)
			}
			_, err := dec.Token()
			return starlark.NewList(items), err
		}
		d := starlark.NewDict(8)
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := jsonValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			if err := d.SetKey(starlark.String(key.(string)), v); err != nil {
				return nil, err
			}
		}
		_, err := dec.Token()
		return d, err
	}
	return nil, fmt.Errorf("unexpected %v", tok)
}

// toJSON writes a Starlark value as JSON.
func toJSON(b *strings.Builder, v starlark.Value, depth int) error {
	if depth > maxJSONDepth {
		return engine.ValueError.Errorf("a value for a JSON column is nested deeper than %d, or holds itself", maxJSONDepth)
	}
	text := func(v any) error {
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(raw)
		return nil
	}
	switch v := v.(type) {
	case starlark.NoneType:
		b.WriteString("null")
	case starlark.Bool:
		return text(bool(v))
	case starlark.Int:
		b.WriteString(v.String())
	case starlark.Float:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return engine.ValueError.Errorf("%v has no place in JSON", v)
		}
		if f := float64(v); f == math.Trunc(f) && depth > 0 { // SQLite takes a document that is a number for one
			// Or it would come back as an integer, from PostgreSQL even where
			// it has an exponent.
			b.WriteString(strconv.FormatFloat(f, 'f', -1, 64) + ".0")
			return nil
		}
		return text(float64(v))
	case starlark.String:
		if !utf8.ValidString(string(v)) {
			return engine.ValueError.Errorf("a text that is not UTF-8 has no place in JSON")
		}
		var s strings.Builder
		enc := json.NewEncoder(&s)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(string(v)); err != nil {
			return err
		}
		b.WriteString(strings.TrimSuffix(s.String(), "\n"))
	case json.Marshaler:
		raw, err := v.MarshalJSON()
		if err != nil {
			return err
		}
		b.Write(raw)
	case starlark.IterableMapping:
		b.WriteByte('{')
		for i, item := range v.Items() {
			if i > 0 {
				b.WriteByte(',')
			}
			key, ok := item[0].(starlark.String)
			if !ok {
				return engine.ValueError.Errorf("a key of a JSON object is a string, not %s", item[0].Type())
			}
			if err := toJSON(b, key, depth+1); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := toJSON(b, item[1], depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case starlark.Iterable:
		b.WriteByte('[')
		iter := v.Iterate()
		defer iter.Done()
		var x starlark.Value
		for i := 0; iter.Next(&x); i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := toJSON(b, x, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		return engine.ValueError.Errorf("a %s has no place in JSON", v.Type())
	}
	return nil
}

// misfit is a value that a column's type does not take.
func misfit(v starlark.Value, t sqldb.ColumnType) error {
	return engine.ValueError.Errorf("a %s column takes no %s (%s)", t.Kind, v.Type(), short(v))
}

func short(v starlark.Value) string {
	s := v.String()
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// keysOf are the foreign keys of a column.
func (st *state) keysOf(db *sqldb.Database, t *sqldb.Table, c *sqldb.Column) ([]*sqldb.ForeignKey, error) {
	forward, _, err := st.runner(db).Keys(st.ctx(), t)
	if err != nil {
		return nil, err
	}
	var keys []*sqldb.ForeignKey
	for _, k := range forward {
		if k.Column.Name == c.Name {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// pointed finds the column that a column of t takes of the rows of another
// table: what a foreign key of it points to, or the key of the very row. It is
// nil for a column that points nowhere, which takes the key of any row.
func (st *state) pointed(db *sqldb.Database, t *sqldb.Table, c *sqldb.Column, of *sqldb.Table, ofDB *sqldb.Database) (*sqldb.Column, error) {
	keys, err := st.keysOf(db, t, c)
	if err != nil {
		return nil, err
	}
	own := len(t.PK) == 1 && t.PK[0].Name == c.Name
	var want []string
	for _, k := range keys {
		if db == ofDB && k.Parent.Same(of) {
			return k.ParentColumn, nil
		}
		want = append(want, k.Parent.Name)
	}
	if own {
		if db == ofDB && t.Same(of) {
			return c, nil
		}
		want = append(want, t.Name)
	}
	if len(want) == 0 {
		return nil, nil
	}
	name := strings.Join(want, " or ")
	if db != ofDB {
		return nil, engine.ValueError.Errorf("want a row of %s in database %q, not one of %s in database %q", name, db.Alias(), of.Name, ofDB.Alias())
	}
	return nil, engine.ValueError.Errorf("want a row of %s, not one of %s", name, of.Name)
}

// rowValue is what a row stands for as the value of a column of t.
func (st *state) rowValue(db *sqldb.Database, t *sqldb.Table, c *sqldb.Column, row *Row) (starlark.Value, error) {
	target, err := st.pointed(db, t, c, row.layout.table, row.layout.db)
	if err != nil {
		return nil, err
	}
	if target == nil {
		return row.key()
	}
	v, found, err := row.Get(starlark.String(target.Name))
	if err == nil && !found {
		err = engine.ValueError.Errorf("the row of %s was read without its column %s", row.layout.table.Name, target.Name)
	}
	return v, err
}

// toColumn converts a script's value for a column of type t. zone is what a
// datetime without one means.
func toColumn(v starlark.Value, t sqldb.ColumnType, zone *datetime.Zone) (any, error) {
	switch x := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case *Row:
		key, err := x.key()
		if err != nil {
			return nil, err
		}
		return toColumn(key, t, zone)
	}
	switch t.Kind {
	case sqldb.Bool:
		switch x := v.(type) {
		case starlark.Bool:
			return bool(x), nil
		case starlark.Int:
			if n, ok := x.Int64(); ok && (n == 0 || n == 1) {
				return n == 1, nil
			}
		}
		return nil, misfit(v, t)
	case sqldb.Int:
		return toInt(v, t)
	case sqldb.Float:
		switch x := v.(type) {
		case starlark.Float:
			return float64(x), nil
		case starlark.Int:
			return float64(x.Float()), nil
		case *decimal.Decimal:
			return x.Float64()
		}
		return nil, misfit(v, t)
	case sqldb.DecimalKind:
		return toDecimal(v, t)
	case sqldb.Text, sqldb.UUID, sqldb.Other:
		switch x := v.(type) {
		case starlark.String:
			return checkText(string(x))
		case starlark.Int, starlark.Float, *decimal.Decimal, *datetime.Date, *datetime.DateTime, *datetime.Timedelta:
			return v.String(), nil
		}
		return nil, misfit(v, t)
	case sqldb.Bytes:
		switch x := v.(type) {
		case starlark.Bytes:
			return []byte(x), nil
		case starlark.String:
			return []byte(x), nil
		}
		return nil, misfit(v, t)
	case sqldb.DateKind:
		switch x := v.(type) {
		case *datetime.Date:
			return sqldb.Date(x.String()), nil
		case *datetime.DateTime:
			if x.Zone() != nil {
				local, err := x.In(zone)
				if err != nil {
					return nil, err
				}
				x = local
			}
			return sqldb.Date(x.Date().String()), nil
		case starlark.String:
			d, err := datetime.ParseDate(string(x))
			if err != nil {
				return nil, err
			}
			return sqldb.Date(d.String()), nil
		}
		return nil, misfit(v, t)
	case sqldb.DateTime:
		switch x := v.(type) {
		case *datetime.DateTime:
			if x.Zone() == nil {
				x = x.WithZone(zone)
			}
			return x.Time(), nil
		case *datetime.Date:
			return x.Midnight(zone).Time(), nil
		case starlark.String:
			d, err := datetime.Parse(string(x))
			if err != nil {
				return nil, err
			}
			return toColumn(d, t, zone)
		}
		return nil, misfit(v, t)
	case sqldb.JSONKind:
		var b strings.Builder
		if err := toJSON(&b, v, 0); err != nil {
			return nil, err
		}
		return sqldb.JSON(b.String()), nil
	}
	return toPlain(v, zone)
}

func checkText(s string) (any, error) {
	if !utf8.ValidString(s) {
		return nil, engine.ValueError.Errorf("a text that is not UTF-8 does not fit a text column")
	}
	return s, nil
}

func toInt(v starlark.Value, t sqldb.ColumnType) (any, error) {
	switch x := v.(type) {
	case starlark.Int:
		n, ok := x.Int64()
		if !ok {
			return nil, engine.ValueError.Errorf("the integer %s is beyond what a database holds (2**63-1)", short(x))
		}
		return n, nil
	case starlark.Bool:
		if x {
			return int64(1), nil
		}
		return int64(0), nil
	case starlark.Float:
		if f := float64(x); f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), nil
		}
	case *decimal.Decimal:
		if whole := x.BigInt(); whole.IsInt64() && decimal.FromBigInt(whole).Compare(x) == 0 {
			return whole.Int64(), nil
		}
	case starlark.String:
		if n, err := strconv.ParseInt(strings.TrimSpace(string(x)), 10, 64); err == nil {
			return n, nil
		}
	}
	return nil, misfit(v, t)
}

func toDecimal(v starlark.Value, t sqldb.ColumnType) (any, error) {
	var d *decimal.Decimal
	var err error
	switch x := v.(type) {
	case *decimal.Decimal:
		d = x
	case starlark.Int:
		d = decimal.FromBigInt(x.BigInt())
	case starlark.Float:
		d, err = decimal.Parse(strconv.FormatFloat(float64(x), 'g', -1, 64))
	case starlark.String:
		d, err = decimal.Parse(string(x))
	default:
		return nil, misfit(v, t)
	}
	if err != nil {
		return nil, err
	}
	neg, digits, exp := d.Parts()
	return plainDecimal(neg, digits, exp)
}

// plainDecimal writes a decimal without an exponent.
func plainDecimal(neg bool, digits string, exp int) (any, error) {
	if exp > 400 || exp < -400 || len(digits) > 1000 || strings.Trim(digits, "0123456789") != "" || digits == "" {
		return nil, engine.ValueError.Errorf("a decimal column holds no such number")
	}
	switch {
	case exp > 0 && strings.Trim(digits, "0") == "":
		digits = "0"
	case exp > 0:
		digits += strings.Repeat("0", exp)
	case exp < 0:
		if pad := -exp + 1 - len(digits); pad > 0 {
			digits = strings.Repeat("0", pad) + digits
		}
		digits = digits[:len(digits)+exp] + "." + digits[len(digits)+exp:]
	}
	if neg {
		digits = "-" + digits
	}
	return sqldb.Decimal(digits), nil
}

// toPlain converts a value for which there is no column: by what it is.
func toPlain(v starlark.Value, zone *datetime.Zone) (any, error) {
	switch x := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(x), nil
	case starlark.Int:
		return toInt(x, sqldb.ColumnType{Kind: sqldb.Int})
	case starlark.Float:
		return float64(x), nil
	case starlark.String:
		return checkText(string(x))
	case starlark.Bytes:
		return []byte(x), nil
	case *decimal.Decimal:
		return toDecimal(x, sqldb.ColumnType{Kind: sqldb.DecimalKind})
	case *datetime.Date:
		return sqldb.Date(x.String()), nil
	case *datetime.DateTime:
		return toColumn(x, sqldb.ColumnType{Kind: sqldb.DateTime}, zone)
	case *Row:
		return toColumn(x, sqldb.ColumnType{}, zone)
	case *starlark.Dict, *starlark.List:
		return toColumn(x, sqldb.ColumnType{Kind: sqldb.JSONKind}, zone)
	}
	return nil, engine.ValueError.Errorf("a %s is no value for a database", v.Type())
}

// forWriting fits a value to a column that it is written to.
func forWriting(v any, c *sqldb.Column, vendor string) (any, error) {
	if t, ok := v.(time.Time); ok {
		if err := sqldb.CheckTime(t); err != nil {
			return nil, engine.ValueError.Errorf("%s: %w", c.Name, err)
		}
	}
	d, ok := v.(sqldb.Decimal)
	if !ok || vendor != "sqlite" {
		return v, nil
	}
	if c.Type.Scale >= 0 {
		x, err := decimal.Parse(string(d))
		if err != nil {
			return nil, err
		}
		if x, err = x.QuantizeHalfUp(int32(c.Type.Scale)); err != nil { // as the servers do
			return nil, err
		}
		d = sqldb.Decimal(x.String())
	}
	digits := strings.TrimLeft(strings.NewReplacer(".", "", "-", "").Replace(string(d)), "0")
	if strings.Contains(string(d), ".") {
		digits = strings.TrimRight(digits, "0")
	}
	if len(digits) > 15 {
		return nil, engine.ValueError.Errorf("%s has more than the 15 digits that SQLite keeps of a decimal (column %s)", d, c.Name)
	}
	if c.Type.Precision > 0 && c.Type.Scale >= 0 {
		whole, _, _ := strings.Cut(strings.TrimPrefix(string(d), "-"), ".")
		if len(strings.TrimLeft(whole, "0")) > c.Type.Precision-c.Type.Scale {
			return nil, engine.ValueError.Errorf("%s does not fit column %s (%s)", d, c.Name, c.Type.SQL)
		}
	}
	return d, nil
}
