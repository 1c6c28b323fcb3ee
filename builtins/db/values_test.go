package db

import (
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/builtins/decimal"
)

func TestFromCell(t *testing.T) {
	numeric := sqldb.ColumnType{Kind: sqldb.DecimalKind, Scale: 2}
	free := sqldb.ColumnType{Kind: sqldb.DecimalKind, Scale: -1}
	kind := func(k sqldb.Kind) sqldb.ColumnType { return sqldb.ColumnType{Kind: k} }
	tests := []struct {
		name string
		cell any
		of   sqldb.ColumnType
		want string // as scripts print it; "!" before a part of the error
	}{
		{"NULL", nil, kind(sqldb.Int), "None"},
		{"int", int64(-5), kind(sqldb.Int), "-5"},
		{"sum of ints from MySQL", []byte("12"), kind(sqldb.Int), "12"},
		{"sum of ints beyond int64", "9223372036854775808", kind(sqldb.Int), "!beyond what a database holds"},
		{"int with a fraction", 1.5, kind(sqldb.Int), "!holds 1.5"},
		{"SQLite's bool", int64(1), kind(sqldb.Bool), "True"},
		{"text where a bool should be", "maybe", kind(sqldb.Bool), "!maybe"},
		{"decimal from an int", int64(5), numeric, "5.00"},
		{"decimal from a float", 0.1 + 0.2, numeric, "0.30"},
		{"decimal from a text", "12.30", numeric, "12.30"},
		{"decimal of 15 digits", 0.1 + 0.2, free, "0.3"},
		{"decimal keeps its own scale", "1.234567", free, "1.234567"},
		{"datetime from a text", "2026-01-02 03:04:05.5", kind(sqldb.DateTime), "2026-01-02 03:04:05.500000+00:00"},
		{"datetime from a time", time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), kind(sqldb.DateTime), "2026-01-02 02:04:05+00:00"},
		{"datetime from seconds", int64(0), kind(sqldb.DateTime), "1970-01-01 00:00:00+00:00"},
		{"no datetime", "yesterday", kind(sqldb.DateTime), "!yesterday"},
		{"date", "2026-01-02", kind(sqldb.DateKind), "2026-01-02"},
		{"date from a time", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), kind(sqldb.DateKind), "2026-01-02"},
		{"bytes", []byte{0, 255}, kind(sqldb.Bytes), `b"\x00\xff"`},
		{"JSON keeps integers", `{"a": [1, 12345678901234567890, 1.5, null]}`, kind(sqldb.JSONKind), `{"a": [1, 12345678901234567890, 1.5, None]}`},
		{"two JSON values", `1 2`, kind(sqldb.JSONKind), "!more than one"},
		{"JSON nested too deep", strings.Repeat("[", 1000), kind(sqldb.JSONKind), "!nested deeper"},
		{"text of an unknown type", []byte("é"), kind(sqldb.Any), `"é"`},
		{"bytes of an unknown type", []byte{0xff}, kind(sqldb.Any), `b"\xff"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := fromCell(tt.cell, tt.of)
			if part, fails := strings.CutPrefix(tt.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, %v; want an error with %q", got, err, part)
				}
				return
			}
			if err != nil || got.String() != tt.want {
				t.Errorf("got %v, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestToColumn(t *testing.T) {
	dec := func(s string) starlark.Value {
		d, err := decimal.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	day, err := datetime.NewDate(2026, 3, 29)
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := datetime.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	cyclic := starlark.NewList(nil)
	if err := cyclic.Append(cyclic); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		v    starlark.Value
		kind sqldb.Kind
		want any // a string that begins with "!": part of the error
	}{
		{"int", starlark.MakeInt(5), sqldb.Int, int64(5)},
		{"int as text", starlark.String("5"), sqldb.Int, int64(5)},
		{"int beyond int64", starlark.MakeUint64(1 << 63), sqldb.Int, "!beyond"},
		{"whole float", starlark.Float(5), sqldb.Int, int64(5)},
		{"fraction for an int", starlark.Float(5.5), sqldb.Int, "!takes no float"},
		{"whole decimal", dec("5.00"), sqldb.Int, int64(5)},
		{"list for an int", starlark.NewList(nil), sqldb.Int, "!takes no list"},
		{"bool", starlark.True, sqldb.Bool, true},
		{"1 for a bool", starlark.MakeInt(1), sqldb.Bool, true},
		{"2 for a bool", starlark.MakeInt(2), sqldb.Bool, "!takes no int"},
		{"decimal", dec("-0.10"), sqldb.DecimalKind, sqldb.Decimal("-0.10")},
		{"decimal with an exponent", dec("1E+3"), sqldb.DecimalKind, sqldb.Decimal("1000")},
		{"float for a decimal", starlark.Float(0.1), sqldb.DecimalKind, sqldb.Decimal("0.1")},
		{"int for a decimal", starlark.MakeUint64(1 << 63), sqldb.DecimalKind, sqldb.Decimal("9223372036854775808")},
		{"day for a datetime is its midnight in the zone", day, sqldb.DateTime, time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC)},
		{"text for a datetime", starlark.String("2026-03-29T12:00:00"), sqldb.DateTime, time.Date(2026, 3, 29, 10, 0, 0, 0, time.UTC)},
		{"text for a date", starlark.String("2026-03-29"), sqldb.DateKind, sqldb.Date("2026-03-29")},
		{"bad text for a date", starlark.String("29.3.2026"), sqldb.DateKind, "!Invalid isoformat"},
		{"int for a text", starlark.MakeInt(5), sqldb.Text, "5"},
		{"text that is no UTF-8", starlark.String("\xff"), sqldb.Text, "!UTF-8"},
		{"JSON", starlark.Tuple{starlark.None, starlark.True, starlark.String("<é\">")}, sqldb.JSONKind, sqldb.JSON(`[null,true,"<é\">"]`)},
		{"a list in itself for JSON", cyclic, sqldb.JSONKind, "!holds itself"},
		{"a function", starlark.NewBuiltin("f", nil), sqldb.Any, "!no value for a database"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := toColumn(tt.v, sqldb.ColumnType{Kind: tt.kind, Scale: -1}, berlin)
			if s, ok := tt.want.(string); ok && strings.HasPrefix(s, "!") {
				if err == nil || !strings.Contains(err.Error(), s[1:]) {
					t.Errorf("got %v, %v; want an error with %q", got, err, s[1:])
				}
				return
			}
			if instant, ok := got.(time.Time); ok {
				got = instant.UTC()
			}
			if err != nil || got != tt.want {
				t.Errorf("got %#v, %v; want %#v", got, err, tt.want)
			}
		})
	}
}

func TestForWritingOnSQLite(t *testing.T) {
	tests := []struct {
		name             string
		value            sqldb.Decimal
		precision, scale int
		want             string
	}{
		{"rounded to the scale", "1.005", 10, 2, "1.01"},
		{"a half is rounded away from zero", "-0.025", 10, 2, "-0.03"},
		{"padded to the scale", "1", 10, 2, "1.00"},
		{"15 digits", "1234567890123.45", 20, 2, "1234567890123.45"},
		{"16 digits", "12345678901234.56", 20, 2, "!15 digits"},
		{"too large for the column", "100.00", 4, 2, "!does not fit"},
		{"no scale declared", "0.123456789012345", 0, -1, "0.123456789012345"},
		{"no scale declared, 16 digits", "0.1234567890123456", 0, -1, "!15 digits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &sqldb.Column{Name: "x", Type: sqldb.ColumnType{Kind: sqldb.DecimalKind, Precision: tt.precision, Scale: tt.scale}}
			got, err := forWriting(tt.value, c, "sqlite")
			if part, fails := strings.CutPrefix(tt.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, %v; want an error with %q", got, err, part)
				}
				return
			}
			if err != nil || got != sqldb.Decimal(tt.want) {
				t.Errorf("got %v, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestExpressionsPrintAsWritten(t *testing.T) {
	predeclared := expressions()
	for text, want := range map[string]string{
		`F("a")`: "", `Q(a = 1, b__in = [1, 2])`: "", `F("n") + 1`: `(F("n") + 1)`, `2 * F("n")`: `(2 * F("n"))`, `-F("n")`: `(0 - F("n"))`, `Count("id")`: "",
		`Coalesce("a", Value(0))`: "", `OuterRef("id")`: "", `Lower("name")`: "", `Now()`: "", `~Q(a = 1)`: `~Q(Q(a = 1))`, `Q(a = 1) | Q(b = 2)`: `Q(Q(a = 1) | Q(b = 2))`,
	} {
		v, err := starlark.EvalOptions(&syntax.FileOptions{}, &starlark.Thread{}, "x", text, predeclared)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if want == "" {
			want = text
		}
		if v.String() != want {
			t.Errorf("%s prints as %s, want %s", text, v, want)
		}
	}
}
