package sqldb

// Conditions as SQL: lookups, parts of dates, paths into JSON.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// cond writes a condition. negated: a NOT stands around it, so each
// comparison must be true or false, never NULL, or NOT would drop rows that do
// not match (Django: exclude(col=x) keeps rows where col is NULL).
func (w *writer) cond(b *buffer, s *scope, c Cond, negated bool) {
	list := func(cs []Cond, op string) {
		b.str("(")
		for i, x := range cs {
			if i > 0 {
				b.str(op)
			}
			w.cond(b, s, x, negated)
		}
		b.str(")")
	}
	switch c := c.(type) {
	case And:
		if len(c) == 0 {
			w.cond(b, s, Const(true), negated)
			return
		}
		list(c, " AND ")
	case Or:
		if len(c) == 0 {
			w.cond(b, s, Const(false), negated)
			return
		}
		list(c, " OR ")
	case *Not:
		b.str("NOT (")
		w.cond(b, s, c.X, true)
		b.str(")")
	case Const:
		if c {
			b.str("1 = 1")
		} else {
			b.str("1 = 0")
		}
	case *Exists:
		inner := *c.Query
		inner.Order = nil
		inner.Outs = []Out{{"one", &Value{V: int64(1), Of: ColumnType{Kind: Int}}}}
		if c.Query.Empty {
			b.str("1 = 0")
			return
		}
		b.str("EXISTS (").add(w.query(&inner, s)).str(")")
	case *Compare:
		w.compare(b, s, c, negated)
	}
}

func (w *writer) compare(b *buffer, s *scope, c *Compare, negated bool) {
	left, _ := c.Left.(*Col)
	if negated && !c.Joined && left != nil {
		reverse := func(h Hop) bool { return h.Reverse }
		i := slices.IndexFunc(left.Hops, reverse)
		if i >= 0 && !matchesNull(c) && s.byHop[hopPath(left.Hops[:i+1])] != "" {
			// The same call joined these children: it is about that row, and
			// about all children of that row's.
			if n := slices.IndexFunc(left.Hops[i+1:], reverse); n >= 0 {
				i += 1 + n
			} else {
				i = -1
			}
		}
		if i >= 0 {
			w.anyChild(b, s, left, i, c)
			return
		}
	}
	if !negated || c.Lookup == "isnull" || c.Lookup == "exact" && c.Right == nil {
		w.lookup(b, s, c)
		return
	}
	guards := []Expr{}
	guard := func(e Expr) {
		switch e := e.(type) {
		case *Col:
			if e.Column.Null || len(e.Hops) > 0 || len(e.Path) > 0 {
				guards = append(guards, &Col{Hops: e.Hops, Column: e.Column, Path: e.Path})
			}
		case *Call:
			if e.Name == "text" {
				guards = append(guards, e)
			}
		}
	}
	guard(c.Left)
	if r, ok := c.Right.(Expr); ok {
		guard(r)
	}
	if len(guards) == 0 {
		w.lookup(b, s, c)
		return
	}
	b.str("(")
	w.lookup(b, s, c)
	for _, g := range guards {
		b.str(" AND ")
		w.expr(b, s, g)
		b.str(" IS NOT NULL")
	}
	b.str(")")
}

// matchesNull reports whether a comparison holds where there is no row.
func matchesNull(c *Compare) bool {
	col, _ := c.Left.(*Col)
	return c.Lookup == "isnull" && c.Right == true || c.Lookup == "exact" && c.Right == nil && (col == nil || len(col.Path) == 0)
}

// anyChild writes a comparison across a key to children under a NOT: no child
// may match, so it is a sub-query of its own rather than a join. What a join
// would give a row without children is NULL, which isnull matches.
func (w *writer) anyChild(b *buffer, s *scope, left *Col, i int, c *Compare) {
	h := left.Hops[i]
	sub := w.scope(s, h.Key.Child)
	children := (&buffer{}).str("EXISTS (SELECT 1 FROM ").add(w.from(sub))
	own := (&buffer{}).str(" WHERE ", sub.alias, ".", w.d.quote(h.Key.Column.Name), " = ")
	w.outside(own, s, &Col{Hops: left.Hops[:i], Column: h.Key.ParentColumn})
	column := &Col{Hops: left.Hops[i+1:], Column: left.Column, Path: left.Path, Part: left.Part}
	null := matchesNull(c)
	if null {
		b.str("(NOT ").add(children).add(own).str(")")
		if !column.Column.Null && len(column.Hops) == 0 && len(column.Path) == 0 {
			b.str(")")
			return
		}
		b.str(" OR ")
	}
	where := &buffer{}
	w.lookupIn(where, sub, s, &Compare{Left: column, Lookup: c.Lookup, Right: c.Right})
	b.add(children).add(&sub.joins).add(own).str(" AND ").add(where).str(")")
	if null {
		b.str(")")
	}
}

// lookupIn writes a lookup whose left side is in s and whose right side, where
// it holds expressions, is in outer.
func (w *writer) lookupIn(b *buffer, s, outer *scope, c *Compare) {
	place := func(v any) any {
		if e, ok := v.(Expr); ok {
			r := &buffer{}
			w.outside(r, outer, e)
			return &written{r, e.Type()}
		}
		return v
	}
	right := place(c.Right)
	switch r := right.(type) {
	case []any:
		values := make([]any, len(r))
		for i, v := range r {
			values[i] = place(v)
		}
		right = values
	case *Select:
		q := *r
		q.around = outer
		right = &q
	}
	w.lookup(b, s, &Compare{Left: c.Left, Lookup: c.Lookup, Right: right})
}

// written is an expression that is SQL already.
type written struct {
	sql *buffer
	of  ColumnType
}

func (x *written) Type() ColumnType { return x.of }

// operand writes the right side of a comparison.
func (w *writer) operand(b *buffer, s *scope, left ColumnType, right any) {
	switch r := right.(type) {
	case *written:
		b.add(r.sql)
	case *Value:
		w.value(b, r.V, r.Of, true)
	case Expr:
		w.expr(b, s, r)
	default:
		of := left
		if of.Kind == Any {
			of = TypeOf(r)
		}
		w.value(b, r, of, false)
	}
}

// comparison is the operator of a lookup; "" when it has none.
func comparison(lookup string) string {
	switch lookup {
	case "exact":
		return " = "
	case "gt":
		return " > "
	case "gte":
		return " >= "
	case "lt":
		return " < "
	case "lte":
		return " <= "
	}
	return ""
}

func (w *writer) lookup(b *buffer, s *scope, c *Compare) {
	if c.Lookup == "exact" && c.Right == nil {
		c = &Compare{Left: c.Left, Lookup: "isnull", Right: true}
		if col, ok := c.Left.(*Col); ok && len(col.Path) > 0 {
			w.jsonNull(b, s, col)
			return
		}
	}
	if col, ok := c.Left.(*Col); ok {
		if c.Lookup != "isnull" && (col.Part == "date" || col.Part == "year") && w.dateRange(b, s, col, c) {
			return
		}
		if len(col.Path) > 0 {
			w.jsonLookup(b, s, col, c)
			return
		}
	}
	t := c.Left.Type()
	switch c.Lookup {
	case "exact", "gt", "gte", "lt", "lte":
		if t.Kind == JSONKind {
			w.jsonDocument(b, s, c)
			return
		}
		w.expr(b, s, c.Left)
		b.str(comparison(c.Lookup))
		w.operand(b, s, t, c.Right)
	case "isnull":
		w.expr(b, s, c.Left)
		if c.Right == true {
			b.str(" IS NULL")
		} else {
			b.str(" IS NOT NULL")
		}
	case "range":
		values := c.Right.([]any)
		w.expr(b, s, c.Left)
		b.str(" BETWEEN ")
		w.operand(b, s, t, values[0])
		b.str(" AND ")
		w.operand(b, s, t, values[1])
	case "in":
		w.in(b, s, c, t)
	default:
		left := &buffer{}
		w.expr(left, s, c.Left)
		w.textLookup(b, s, c.Lookup, left, t, c.Right)
	}
}

// longList is from how many values on an in goes to the database as one. MySQL
// looks them up faster one by one, as long as a statement has room for them.
func (w *writer) longList() int {
	if _, ok := w.d.(MySQL); ok {
		return 50000
	}
	return 500
}

func (w *writer) in(b *buffer, s *scope, c *Compare, t ColumnType) {
	switch r := c.Right.(type) {
	case *Select:
		if r.Empty {
			b.str("1 = 0")
			return
		}
		w.expr(b, s, c.Left)
		b.str(" IN (")
		inner := w.query(r, cmp.Or(r.around, s))
		if w.d.Vendor() == "mysql" && (r.Limit >= 0 || r.Offset > 0) {
			// It knows no LIMIT in this place.
			b.str("SELECT * FROM (").add(inner).str(") AS limited")
		} else {
			b.add(inner)
		}
		b.str(")")
	case []any:
		if len(r) == 0 {
			b.str("1 = 0")
			return
		}
		plain := !slices.ContainsFunc(r, func(v any) bool { _, ok := v.(Expr); return ok })
		if plain && len(r) > w.longList() && w.longIn(b, s, c.Left, t, r) {
			return
		}
		w.long = w.long || len(r) > 20
		w.expr(b, s, c.Left)
		b.str(" IN (")
		for i, v := range r {
			if i > 0 {
				b.str(", ")
			}
			w.operand(b, s, t, v)
		}
		b.str(")")
	}
}

// longIn binds a long list as one value, where the database can take it apart.
func (w *writer) longIn(b *buffer, s *scope, left Expr, t ColumnType, values []any) bool {
	switch w.d.(type) {
	case SQLite:
		text, ok := jsonList(values, func(d Decimal) any { return json.Number(d) })
		if !ok {
			return false
		}
		w.expr(b, s, left)
		b.str(" IN (SELECT value FROM json_each(").arg(text).str("))")
		return true
	case MySQL:
		text, ok := jsonList(values, func(d Decimal) any { return string(d) }) // its numbers in JSON are floats
		element := mysqlElement(left, t, values)
		if !ok || element == "" {
			return false
		}
		w.expr(b, s, left)
		// DISTINCT has MariaDB make the list once, with an index, where it
		// would read it for each row of an UPDATE.
		b.str(" IN (SELECT v FROM (SELECT DISTINCT v FROM JSON_TABLE(").arg(text).str(", '$[*]' COLUMNS (v ", element, " PATH '$' ERROR ON ERROR)) AS j) AS l)")
		return true
	case PostgreSQL:
		var element string
		switch t.Kind {
		case Int:
			element = "bigint"
		case DecimalKind:
			element = "numeric"
		case Float:
			element = "double precision"
			if t.single(values...) {
				element = "real"
			}
		case Text:
			element = "text"
		case UUID:
			element = "uuid"
		case DateKind:
			element = "date"
		case DateTime:
			element = "timestamptz"
		default:
			return false
		}
		w.expr(b, s, left)
		b.str(" = ANY(").arg(arrayLiteral(encodeArgs(w.d, slices.Clone(values)))).str("::", element, "[])")
		return true
	}
	return false
}

// jsonList writes values as a JSON array; it reports false where one has no
// place there.
func jsonList(values []any, decimal func(Decimal) any) (string, bool) {
	out := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case []byte:
			return "", false
		case Decimal:
			out[i] = decimal(v)
		case bool:
			out[i] = 0
			if v {
				out[i] = 1
			}
		default:
			out[i] = encodeText(v)
		}
	}
	text, err := json.Marshal(out)
	return string(text), err == nil
}

// mysqlElement is the type of a list's values that compares with the left side
// as they themselves do: a text by the rules of its column. It is empty where
// there is none.
func mysqlElement(left Expr, t ColumnType, values []any) string {
	switch t.Kind {
	case Int:
		return "BIGINT"
	case DecimalKind:
		return "DECIMAL(65, 30)"
	case Float:
		if t.single(values...) {
			return "FLOAT"
		}
		return "DOUBLE"
	case DateKind:
		return "DATE"
	case DateTime:
		return "DATETIME(6)"
	case UUID:
		return "CHAR(36)"
	case Text:
		most := 1
		for _, v := range values {
			text, _ := v.(string)
			most = max(most, utf8.RuneCountInString(text))
		}
		if c, ok := left.(*Col); ok && c.Column.collation != "" && most <= 16000 {
			return "VARCHAR(" + strconv.Itoa(most) + ") CHARACTER SET utf8mb4 COLLATE " + c.Column.collation
		}
	}
	return ""
}

// textLookup writes the lookups that look into text.
func (w *writer) textLookup(b *buffer, s *scope, lookup string, left *buffer, t ColumnType, right any) {
	text := &buffer{}
	switch {
	case w.d.Vendor() == "postgresql" && t.Kind != Text:
		text.str("(").add(left).str(")::text")
	case w.d.Vendor() == "mysql" && t.Kind != Text:
		text.str("CAST(").add(left).str(" AS CHAR)")
	default:
		text.add(left)
	}
	fold := strings.HasPrefix(lookup, "i")
	base := lookup
	if fold {
		base = lookup[1:]
	}
	if e, ok := right.(Expr); ok {
		w.textExpr(b, s, base, fold, text, e)
		return
	}
	value := fmt.Sprint(encodeText(right))
	if base == "regex" {
		w.regex(b, text, fold, func(b *buffer) { b.arg(value) })
		return
	}
	if w.d.Vendor() == "sqlite" && strings.ContainsRune(value, 0) {
		// Its patterns end there: one that begins with it would find every row.
		w.fail(&ValueError{"SQLite looks for no text that holds a NUL character"})
		return
	}
	if w.d.Vendor() == "sqlite" && !fold {
		// LIKE folds case there, GLOB does not.
		p := globEscaper.Replace(value)
		switch base {
		case "contains":
			p = "*" + p + "*"
		case "startswith":
			p += "*"
		case "endswith":
			p = "*" + p
		}
		b.add(text).str(" GLOB ").arg(p)
		return
	}
	p := likeEscaper.Replace(value)
	switch base {
	case "contains":
		p = "%" + p + "%"
	case "startswith":
		p += "%"
	case "endswith":
		p = "%" + p
	}
	switch {
	case w.d.Vendor() == "postgresql" && fold:
		b.str("UPPER(").add(text).str(") LIKE UPPER(").arg(p).str(") ESCAPE '!'")
	case w.d.Vendor() == "postgresql":
		b.add(text).str(" LIKE ").arg(p).str(" ESCAPE '!'")
	case w.d.Vendor() == "mysql" && fold:
		b.str("LOWER(").add(text).str(") LIKE LOWER(").arg(p).str(") ESCAPE '!'")
	case w.d.Vendor() == "mysql":
		b.add(text).str(" LIKE BINARY ").arg(p).str(" ESCAPE '!'")
	default:
		b.add(text).str(" LIKE ").arg(p).str(" ESCAPE '!'")
	}
}

var (
	likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")
	globEscaper = strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]")
)

// textExpr writes a lookup into text whose right side is an expression: no
// pattern can be made of it, so positions and lengths are compared.
func (w *writer) textExpr(b *buffer, s *scope, base string, fold bool, text *buffer, e Expr) {
	right := &buffer{}
	w.operand(right, s, ColumnType{Kind: Text}, e)
	if base == "regex" {
		w.regex(b, text, fold, func(b *buffer) { b.add(right) })
		return
	}
	l := text
	switch {
	case fold:
		l = (&buffer{}).str("UPPER(").add(text).str(")")
		right = (&buffer{}).str("UPPER(").add(right).str(")")
	case w.d.Vendor() == "mysql":
		l = (&buffer{}).str("BINARY ").add(text)
		right = (&buffer{}).str("CAST(").add(right).str(" AS BINARY)")
	}
	position := func() {
		if w.d.Vendor() == "postgresql" {
			b.str("STRPOS(").add(l).str(", ").add(right).str(")")
		} else {
			b.str("INSTR(").add(l).str(", ").add(right).str(")")
		}
	}
	switch base {
	case "exact":
		b.add(l).str(" = ").add(right)
	case "contains":
		position()
		b.str(" > 0")
	case "startswith":
		position()
		b.str(" = 1")
	case "endswith":
		if w.d.Vendor() == "sqlite" {
			b.str("SUBSTR(").add(l).str(", LENGTH(").add(l).str(") - LENGTH(").add(right).str(") + 1) = ").add(right)
		} else {
			b.str("RIGHT(").add(l).str(", LENGTH(").add(right).str(")) = ").add(right)
		}
	}
}

func (w *writer) regex(b *buffer, text *buffer, fold bool, pattern func(*buffer)) {
	switch w.d.(type) {
	case PostgreSQL:
		op := " ~ "
		if fold {
			op = " ~* "
		}
		b.add(text).str(op)
		pattern(b)
	case MySQL:
		flag := "(?-i)"
		if fold {
			flag = "(?i)"
		}
		b.add(text).str(" REGEXP CONCAT('", flag, "', ")
		pattern(b)
		b.str(")")
	default:
		b.add(text).str(" REGEXP ")
		if fold {
			b.str("('(?i)' || ")
			pattern(b)
			b.str(")")
			return
		}
		pattern(b)
	}
}

// dateRange writes __date and __year as half-open ranges of instants in the
// time zone: an index serves them, and every database agrees. It reports false
// when the right side is no constant.
func (w *writer) dateRange(b *buffer, s *scope, c *Col, cmp *Compare) bool {
	bounds := func(v any) (from, to any, ok bool) {
		instant := c.Column.Type.Kind == DateTime
		switch v := v.(type) {
		case Date:
			t, err := time.Parse("2006-01-02", string(v))
			if err != nil || !instant {
				return nil, nil, false
			}
			return DayStart(t.Year(), t.Month(), t.Day(), w.Zone), DayStart(t.Year(), t.Month(), t.Day()+1, w.Zone), true
		case int64:
			if v < 1 || v > 9998 {
				return nil, nil, false
			}
			y := int(v)
			if instant {
				return DayStart(y, 1, 1, w.Zone), DayStart(y+1, 1, 1, w.Zone), true
			}
			return Date(fmt.Sprintf("%04d-01-01", y)), Date(fmt.Sprintf("%04d-01-01", y+1)), true
		}
		return nil, nil, false
	}
	bare := &buffer{}
	w.bare(bare, s, c)
	within := func(from, to any) {
		b.str("(").add(bare).str(" >= ")
		w.value(b, from, c.Column.Type, false)
		b.str(" AND ").add(bare).str(" < ")
		w.value(b, to, c.Column.Type, false)
		b.str(")")
	}
	switch cmp.Lookup {
	case "exact", "gt", "gte", "lt", "lte":
		from, to, ok := bounds(cmp.Right)
		if !ok {
			return false
		}
		switch cmp.Lookup {
		case "exact":
			within(from, to)
			return true
		case "gt":
			b.add(bare).str(" >= ")
			from = to
		case "gte":
			b.add(bare).str(" >= ")
		case "lt":
			b.add(bare).str(" < ")
		case "lte":
			b.add(bare).str(" < ")
			from = to
		}
		w.value(b, from, c.Column.Type, false)
		return true
	case "range", "in":
		values, ok := cmp.Right.([]any)
		if !ok {
			return false
		}
		type span struct{ from, to any }
		var spans []span
		for _, v := range values {
			from, to, ok := bounds(v)
			if !ok {
				return false
			}
			spans = append(spans, span{from, to})
		}
		if cmp.Lookup == "range" {
			within(spans[0].from, spans[1].to)
			return true
		}
		w.long = w.long || len(spans) > 20
		b.str("(")
		for i, sp := range spans {
			if i > 0 {
				b.str(" OR ")
			}
			within(sp.from, sp.to)
		}
		b.str(")")
		return true
	}
	return false
}

// DayStart returns the first instant of a day in a zone: midnight, or the end
// of the gap where clocks skip it, or the earlier of two where they go back
// over it. Month and day may lie outside their ranges, as for time.Date.
func DayStart(year int, month time.Month, day int, zone *time.Location) time.Time {
	noon := time.Date(year, month, day, 12, 0, 0, 0, zone)
	year, month, day = noon.Date()
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	start, end := t.ZoneBounds()
	if y, m, d := t.Date(); y != year || m != month || d != day {
		return end // a gap that Date resolved to the day before
	}
	if h, m, s := t.Clock(); h != 0 || m != 0 || s != 0 {
		return start // a gap that Date resolved to after it
	}
	if !start.IsZero() {
		_, before := start.Add(-time.Second).Zone()
		_, after := t.Zone()
		if earlier := t.Add(time.Duration(after-before) * time.Second); earlier.Before(start) {
			if y, m, d := earlier.Date(); y == year && m == month && d == day {
				return earlier
			}
		}
	}
	return t
}

// part writes a piece of a date, in the time zone for an instant, of type t.
func (w *writer) part(b, local *buffer, t ColumnType, part string) {
	switch w.d.(type) {
	case PostgreSQL:
		if t.Kind == DateTime {
			if strings.Contains(t.SQL, "without") {
				local = (&buffer{}).str("(").add(local).str(" AT TIME ZONE 'UTC')")
			}
			local = (&buffer{}).str("(").add(local).str(" AT TIME ZONE '", zoneName(w.Zone), "')")
		}
		switch part {
		case "date":
			b.str("CAST(").add(local).str(" AS date)")
		case "week_day":
			b.str("(EXTRACT(DOW FROM ").add(local).str(")::int + 1)")
		default:
			b.str("FLOOR(EXTRACT(", strings.ToUpper(part), " FROM ").add(local).str("))::int")
		}
	case MySQL:
		if shift := w.shift(local, t); shift != nil {
			local = (&buffer{}).str("(").add(local).str(" + INTERVAL ").add(shift).str(" SECOND)")
		}
		name := map[string]string{"day": "DAYOFMONTH", "week_day": "DAYOFWEEK"}[part]
		if name == "" {
			name = strings.ToUpper(part)
		}
		b.str(name, "(").add(local).str(")")
	case SQLite:
		modifier := &buffer{}
		if shift := w.shift(local, t); shift != nil {
			modifier.str(", ").add(shift).str(" || ' seconds'")
		}
		if part == "date" {
			b.str("date(").add(local).add(modifier).str(")")
			return
		}
		format := map[string]string{"year": "%Y", "month": "%m", "day": "%d", "week_day": "%w", "hour": "%H", "minute": "%M", "second": "%S"}[part]
		b.str("(CAST(strftime('", format, "', ").add(local).add(modifier).str(") AS INTEGER)")
		if part == "week_day" {
			b.str(" + 1")
		}
		b.str(")")
	}
}

// zoneName returns a zone's name for use in SQL; one that would need quoting
// is not a zone.
func zoneName(zone *time.Location) string {
	name := zone.String()
	for _, r := range name {
		if !(r == '/' || r == '_' || r == '-' || r == '+' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return "UTC"
		}
	}
	return name
}

// shift writes the seconds that the zone is ahead of UTC at an instant, as a
// tree of comparisons with the zone's changes: neither SQLite nor a MySQL
// without zone tables knows zones. nil where it is always zero.
func (w *writer) shift(local *buffer, of ColumnType) *buffer {
	if of.Kind != DateTime {
		return nil
	}
	type period struct {
		until  string
		offset int
	}
	var periods []period
	t := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).In(w.Zone)
	for t.Year() < 2100 {
		_, end := t.ZoneBounds()
		_, offset := t.Zone()
		if end.IsZero() {
			periods = append(periods, period{"", offset})
			break
		}
		if !end.After(t) {
			// On the last day of a leap year, beyond a zone's table, time says
			// that the period has ended already. None changes on that day.
			end = t.Add(24 * time.Hour)
		}
		if n := len(periods); n > 0 && periods[n-1].offset == offset {
			periods[n-1].until = timeText(end)
		} else {
			periods = append(periods, period{timeText(end), offset})
		}
		t = end
	}
	if len(periods) == 1 && periods[0].offset == 0 {
		return nil
	}
	b := &buffer{}
	var tree func(lo, hi int)
	tree = func(lo, hi int) {
		if lo == hi {
			b.str(strconv.Itoa(periods[lo].offset))
			return
		}
		mid := (lo + hi) / 2
		b.str("CASE WHEN ").add(local).str(" < '", periods[mid].until, "' THEN ")
		tree(lo, mid)
		b.str(" ELSE ")
		tree(mid+1, hi)
		b.str(" END")
	}
	b.str("(")
	tree(0, len(periods)-1)
	b.str(")")
	return b
}

// jsonPath writes the value at a path. as: "" the value as SQL compares it,
// "->" as JSON, "->>" as text.
func (w *writer) jsonPath(b *buffer, s *scope, c *Col, as string) {
	switch w.d.(type) {
	case PostgreSQL:
		op := " #> "
		if as == "->>" {
			op = " #>> "
		}
		b.str("(")
		w.bare(b, s, c)
		b.str("::jsonb", op).arg(arrayLiteral(anyStrings(c.Path))).str("::text[])")
	case MySQL:
		if as == "->>" {
			b.str("JSON_UNQUOTE(")
		}
		b.str("JSON_EXTRACT(")
		w.bare(b, s, c)
		b.str(", ").arg(jsonSteps(c.Path)).str(")")
		if as == "->>" {
			b.str(")")
		}
	case SQLite:
		if as == "->" {
			b.str("(")
			w.bare(b, s, c)
			b.str(" -> ").arg(jsonSteps(c.Path)).str(")")
			return
		}
		b.str("JSON_EXTRACT(")
		w.bare(b, s, c)
		b.str(", ").arg(jsonSteps(c.Path)).str(")")
	}
}

// jsonPathText writes the value at a path as text; a null there is NULL.
func (w *writer) jsonPathText(b *buffer, s *scope, c *Col) {
	switch w.d.(type) {
	case MySQL:
		b.str("CASE WHEN JSON_TYPE(")
		w.jsonPath(b, s, c, "->")
		b.str(") <> 'NULL' THEN ")
		w.jsonPath(b, s, c, "->>")
		b.str(" END")
	case SQLite:
		// It takes booleans for numbers.
		kind := (&buffer{}).str("JSON_TYPE(")
		w.bare(kind, s, c)
		kind.str(", ").arg(jsonSteps(c.Path)).str(")")
		b.str("CASE WHEN ").add(kind).str(" IN ('true', 'false') THEN ").add(kind).str(" ELSE CAST(")
		w.jsonPath(b, s, c, "->>")
		b.str(" AS TEXT) END")
	default:
		w.jsonPath(b, s, c, "->>")
	}
}

func anyStrings(ss []string) []any {
	out := make([]any, len(ss))
	for i, s := range ss {
		out[i] = s
	}
	return out
}

// jsonSteps writes a path as SQLite and MySQL want it. It is bound.
func jsonSteps(path []string) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, p := range path {
		if _, err := strconv.ParseUint(p, 10, 31); err == nil {
			b.WriteString("[" + p + "]")
			continue
		}
		quoted, _ := json.Marshal(p)
		b.WriteByte('.')
		b.Write(quoted)
	}
	return b.String()
}

// jsonNull writes that the value at a path is JSON's null, as Django's
// filter(data__key=None).
func (w *writer) jsonNull(b *buffer, s *scope, c *Col) {
	switch w.d.(type) {
	case PostgreSQL:
		w.jsonPath(b, s, c, "->")
		b.str(" = 'null'::jsonb")
	case MySQL:
		b.str("JSON_TYPE(")
		w.jsonPath(b, s, c, "->")
		b.str(") = 'NULL'")
	default:
		b.str("JSON_TYPE(")
		w.bare(b, s, c)
		b.str(", ").arg(jsonSteps(c.Path)).str(") = 'null'")
	}
}

func (w *writer) jsonLookup(b *buffer, s *scope, c *Col, cmp *Compare) {
	if e, ok := cmp.Right.(Expr); ok {
		op := comparison(cmp.Lookup)
		if op == "" {
			w.fail(&FieldError{"a path into JSON compares with an expression by exact, gt, gte, lt and lte only"})
			return
		}
		switch w.d.(type) {
		case PostgreSQL:
			w.jsonAgainst(b, s, c, op, e)
		case MySQL:
			w.jsonAgainstLoosely(b, s, c, op, e)
		default:
			as := "->>"
			if _, call := e.(*Call); call && e.Type().Kind == JSONKind {
				as = "->" // as call writes its own
			}
			w.jsonPath(b, s, c, as)
			b.str(op)
			w.operand(b, s, ColumnType{Kind: Text}, e)
		}
		return
	}
	switch cmp.Lookup {
	case "isnull":
		// Whether the key is there: JSON's null is a value.
		not := ""
		if cmp.Right == false {
			not = " NOT"
		}
		if w.d.Vendor() == "sqlite" {
			b.str("JSON_TYPE(")
			w.bare(b, s, c)
			b.str(", ").arg(jsonSteps(c.Path)).str(") IS", not, " NULL")
			return
		}
		w.jsonPath(b, s, c, "->")
		b.str(" IS", not, " NULL")
	case "exact", "gt", "gte", "lt", "lte":
		w.jsonCompare(b, s, c, comparison(cmp.Lookup), cmp.Right)
	case "in":
		values, ok := cmp.Right.([]any)
		if !ok {
			w.fail(&FieldError{"in on a path into JSON wants a list"})
			return
		}
		b.str("(")
		for i, v := range values {
			if i > 0 {
				b.str(" OR ")
			}
			w.jsonCompare(b, s, c, " = ", v)
		}
		b.str(")")
	case "range":
		values := cmp.Right.([]any)
		b.str("(")
		w.jsonCompare(b, s, c, " >= ", values[0])
		b.str(" AND ")
		w.jsonCompare(b, s, c, " <= ", values[1])
		b.str(")")
	default:
		left := &buffer{}
		w.jsonPath(left, s, c, "->>")
		w.textLookup(b, s, cmp.Lookup, left, ColumnType{Kind: Text}, cmp.Right)
	}
}

// jsonAgainst compares the value at a path with an expression on PostgreSQL,
// which compares nothing across types.
func (w *writer) jsonAgainst(b *buffer, s *scope, c *Col, op string, e Expr) {
	right := &buffer{}
	w.expr(right, s, e)
	as := func(kind, cast string) {
		b.str("CASE WHEN jsonb_typeof(")
		w.jsonPath(b, s, c, "->")
		b.str(") = '", kind, "' THEN ")
		w.jsonPath(b, s, c, "->>")
		b.str(cast, " END", op).add(right)
	}
	switch e.Type().Kind {
	case Int, Float, DecimalKind:
		as("number", "::numeric")
	case Bool:
		as("boolean", "::boolean")
	case JSONKind:
		w.jsonPath(b, s, c, "->")
		b.str(op, "(").add(right).str(")::jsonb")
	default:
		w.jsonPath(b, s, c, "->>")
		b.str(op, "(").add(right).str(")::text")
	}
}

// jsonAgainstLoosely is jsonAgainst for MySQL and MariaDB, where 'x' = 0 holds.
func (w *writer) jsonAgainstLoosely(b *buffer, s *scope, c *Col, op string, e Expr) {
	switch e.Type().Kind {
	case Int, Float, DecimalKind:
		w.jsonNumber(b, s, c, op)
		w.expr(b, s, e)
		b.str(")")
	case Bool:
		w.jsonPath(b, s, c, "->>")
		b.str(op, "CASE ")
		w.expr(b, s, e)
		b.str(" WHEN 1 THEN 'true' WHEN 0 THEN 'false' END")
	case JSONKind:
		// MariaDB compares what is at a path without its quotes, unless a
		// function stands around it.
		operand := func(e Expr) {
			if _, path := e.(*Col); !path {
				w.expr(b, s, e)
				return
			}
			b.str("COALESCE(")
			w.expr(b, s, e)
			b.str(")")
		}
		operand(c)
		b.str(op)
		operand(e)
	default:
		w.jsonPath(b, s, c, "->>")
		b.str(op)
		w.operand(b, s, ColumnType{Kind: Text}, e)
	}
}

// jsonNumber begins a comparison of the value at a path with a number, on
// MySQL and MariaDB: the number and a bracket are to follow.
func (w *writer) jsonNumber(b *buffer, s *scope, c *Col, op string) {
	b.str("(JSON_TYPE(")
	w.jsonPath(b, s, c, "->")
	b.str(") IN ('INTEGER', 'DOUBLE', 'DECIMAL', 'UNSIGNED INTEGER') AND ")
	w.jsonPath(b, s, c, "->>")
	b.str(" + 0", op)
}

// jsonCompare compares the value at a path with a plain value or a JSON text.
// Numbers compare with numbers and texts with texts.
func (w *writer) jsonCompare(b *buffer, s *scope, c *Col, op string, v any) {
	text := jsonText(v)
	switch w.d.(type) {
	case PostgreSQL:
		w.jsonPath(b, s, c, "->")
		b.str(op).arg(text).str("::jsonb")
		if op != " = " {
			b.str(" AND jsonb_typeof(")
			w.jsonPath(b, s, c, "->")
			b.str(") = jsonb_typeof(").arg(text).str("::jsonb)")
		}
	case MySQL:
		switch v := v.(type) {
		case int64, float64:
			w.jsonNumber(b, s, c, op)
			b.arg(v).str(")")
		case string:
			b.str("(JSON_TYPE(")
			w.jsonPath(b, s, c, "->")
			b.str(") = 'STRING' AND CAST(")
			w.jsonPath(b, s, c, "->>")
			b.str(" AS BINARY)", op, "CAST(").arg(v).str(" AS BINARY))")
		default:
			w.jsonPath(b, s, c, "->")
			b.str(op, "JSON_EXTRACT(").arg(text).str(", '$')")
		}
	case SQLite:
		switch v := v.(type) {
		case bool:
			b.str("JSON_TYPE(")
			w.bare(b, s, c)
			b.str(", ").arg(jsonSteps(c.Path)).str(")", op).arg(strconv.FormatBool(v))
		case int64, float64, string:
			kind := "IN ('integer', 'real')"
			if _, ok := v.(string); ok {
				kind = "= 'text'"
			}
			b.str("(JSON_TYPE(")
			w.bare(b, s, c)
			b.str(", ").arg(jsonSteps(c.Path)).str(") ", kind, " AND ")
			w.jsonPath(b, s, c, "")
			b.str(op).arg(v).str(")")
		default:
			w.jsonPath(b, s, c, "->")
			b.str(op, "JSON(").arg(text).str(")")
		}
	}
}

// jsonDocument compares whole documents.
func (w *writer) jsonDocument(b *buffer, s *scope, c *Compare) {
	if c.Lookup != "exact" {
		w.fail(&FieldError{"a JSON column knows exact, isnull and paths (data__key), not " + c.Lookup})
		return
	}
	v, ok := c.Right.(JSON)
	if !ok {
		w.expr(b, s, c.Left)
		b.str(" = ")
		w.operand(b, s, c.Left.Type(), c.Right)
		return
	}
	switch w.d.(type) {
	case PostgreSQL:
		w.expr(b, s, c.Left)
		b.str("::jsonb = ").arg(v).str("::jsonb")
	case MySQL:
		var text string
		if col, ok := c.Left.(*Col); ok && json.Unmarshal([]byte(v), &text) == nil && v != "null" {
			// MariaDB takes the quotes off one side only.
			w.jsonCompare(b, s, col, " = ", text)
			return
		}
		// MariaDB compares texts, which extracting brings into one form.
		b.str("JSON_EXTRACT(")
		w.expr(b, s, c.Left)
		b.str(", '$') = JSON_EXTRACT(").arg(v).str(", '$')")
	default:
		b.str("JSON(")
		w.expr(b, s, c.Left)
		b.str(") = JSON(").arg(v).str(")")
	}
}

// jsonText writes a plain value as JSON.
func jsonText(v any) string {
	switch v := v.(type) {
	case JSON:
		return string(v)
	case Decimal, Date:
		return strconv.Quote(fmt.Sprint(v))
	case time.Time:
		return strconv.Quote(v.UTC().Format(time.RFC3339Nano))
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}
