package argparse

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"
)

func TestTypes(t *testing.T) {
	huge, _ := new(big.Int).SetString("-9223372036854775809", 10)
	for _, c := range []struct {
		typ  Type
		word string
		want any // nil: refused
	}{
		{Int, "42", 42}, {Int, "+7", 7}, {Int, "-0", 0}, {Int, " 7\n", 7}, {Int, "010", 10}, {Int, "1_000", 1000}, {Int, "٣٤", 34},
		{Int, "９", 9}, {Int, "\u00a05\u2003", 5}, {Int, "9223372036854775807", math.MaxInt}, {Int, "-9223372036854775809", huge}, {Int, "𝟙𝟚", 12}, {Int, "\x1c5", 5},
		{Int, "", nil}, {Int, "-", nil}, {Int, "0x10", nil}, {Int, "1__0", nil}, {Int, "_1", nil}, {Int, "1_", nil}, {Int, "- 1", nil},
		{Int, "1.0", nil}, {Int, "1e3", nil}, {Int, "--1", nil}, {Int, "+-1", nil}, {Int, "²", nil}, {Int, "1 0", nil}, {Int, "-_1", nil},
		{Float, "1.5", 1.5}, {Float, "1_0.5", 10.5}, {Float, " -.5 ", -.5}, {Float, "5.", 5.0}, {Float, "1e3", 1000.0}, {Float, "inf", math.Inf(1)},
		{Float, "-Infinity", math.Inf(-1)}, {Float, "1e400", math.Inf(1)}, {Float, "٣.٥", 3.5}, {Float, "-0", math.Copysign(0, -1)},
		{Float, "", nil}, {Float, ".", nil}, {Float, "0x1p3", nil}, {Float, "1_.5", nil}, {Float, "1e", nil}, {Float, "++1", nil}, {Float, "in", nil}, {Float, "1,5", nil},
		{Bool, "true", true}, {Bool, "YES", true}, {Bool, "1", true}, {Bool, "False", false}, {Bool, "no", false}, {Bool, "0", false},
		{Bool, "", nil}, {Bool, "on", nil}, {Bool, "2", nil}, {Bool, "t", nil},
		{Duration, "90s", 90 * time.Second}, {Duration, "2h", 2 * time.Hour}, {Duration, "7d", 168 * time.Hour}, {Duration, "1h30m", 90 * time.Minute},
		{Duration, "1.5d", 36 * time.Hour}, {Duration, "2w", 336 * time.Hour}, {Duration, "1d12h", 36 * time.Hour}, {Duration, "250ms", 250 * time.Millisecond},
		{Duration, "-5m", -5 * time.Minute}, {Duration, "0", time.Duration(0)}, {Duration, "106751d", 106751 * 24 * time.Hour},
		{Duration, "", nil}, {Duration, "5", nil}, {Duration, "d", nil}, {Duration, "5x", nil}, {Duration, "-", nil}, {Duration, "1d-2h", nil},
		{Duration, "106752d", nil}, {Duration, "1e3s", nil}, {Duration, "999999999999d", nil}, {Duration, "1 h", nil}, {Duration, ".d", nil},
		{JSON, `{"a": [1, 2.50, null]}`, map[string]any{"a": []any{json.Number("1"), json.Number("2.50"), nil}}}, {JSON, ` "x" `, "x"},
		{JSON, "", nil}, {JSON, "{", nil}, {JSON, "1 2", nil}, {JSON, "{'a': 1}", nil},
	} {
		got, err := c.typ.Parse(c.word)
		if c.want == nil {
			if err == nil {
				t.Errorf("%s(%q) = %#v, want an error", c.typ.Name, c.word, got)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s(%q) = %#v, %v; want %#v", c.typ.Name, c.word, got, err, c.want)
		}
	}
	if v, err := Float.Parse("-nan"); err != nil || !math.IsNaN(v.(float64)) {
		t.Errorf("float(-nan) = %v, %v", v, err)
	}
	if _, err := Int.Parse(fmt.Sprintf("%05000d", 1)); err == nil {
		t.Error("5000 digits were read; Python's limit is 4300")
	}
}

func TestAccept(t *testing.T) {
	for _, c := range []struct {
		typ       Type
		in, want  any
		isRefused bool
	}{
		{Int, uint8(3), 3, false}, {Int, big.NewInt(3), big.NewInt(3), false}, {Int, uint64(math.MaxUint64), nil, true}, {Int, 1.0, nil, true}, {Int, true, nil, true},
		{Int, (*big.Int)(nil), nil, true},
		{Float, 3, 3.0, false}, {Float, float32(0.5), 0.5, false}, {Float, "x", nil, true}, {Float, true, nil, true},
		{Bool, true, true, false}, {Bool, 1, nil, true},
		{Str, 5, nil, true}, {Duration, time.Second, time.Second, false}, {Duration, 5, nil, true},
	} {
		got, err := c.typ.Accept(c.in)
		if (err != nil) != c.isRefused || !c.isRefused && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s accepts %#v: got %#v, %v", c.typ.Name, c.in, got, err)
		}
	}
}

func TestReprAndEqual(t *testing.T) {
	v := &Values{}
	for want, in := range map[string]any{
		`'a'`: "a", `"it's"`: "it's", `'it\'s "x"'`: `it's "x"`, `'\n\t\\\x00\x7f\u200b\U000e0001'`: "\n\t\\\x00\x7f\u200b\U000e0001", `'é日'`: "é日", `'\udcff'`: "\xff",
		"1.0": 1.0, "1e+16": 1e16, "1234567.5": 1234567.5, "1e-05": 1e-5, "nan": math.NaN(), "-inf": math.Inf(-1), "True": true, "None": nil,
		"['a', 1, [2.5]]": []any{"a", 1, []any{2.5}}, "{'k': 'v'}": map[string]any{"k": "v"}, "18446744073709551616": new(big.Int).Lsh(big.NewInt(1), 64),
	} {
		if got := v.repr(in); got != want {
			t.Errorf("repr(%#v) = %s, want %s", in, got, want)
		}
	}
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{1, 1.0, true}, {1, true, true}, {0, false, true}, {1, "1", false}, {nil, false, false}, {int64(5), uint8(5), true}, {big.NewInt(5), 5, true},
		{math.NaN(), math.NaN(), false}, {[]any{1, "a"}, []any{1.0, "a"}, true}, {[]any{1}, []any{1, 2}, false}, {time.Second, time.Second, true}, {time.Second, 1, false},
		{float64(1 << 53), 1<<53 + 1, false},
	} {
		if got := v.equal(c.a, c.b); got != c.want {
			t.Errorf("equal(%#v, %#v) = %v", c.a, c.b, got)
		}
	}
}

// colour is a foreign type with hooks for it.
type colour struct{ name string }

func TestValuesHooks(t *testing.T) {
	values := Values{
		Equal: func(a, b any) bool { return a.(*colour).name == b.(*colour).name },
		Repr:  func(v any) string { return "Colour(" + v.(*colour).name + ")" },
		Str:   func(v any) string { return v.(*colour).name },
	}
	typ := Type{Name: "colour", Parse: func(w string) (any, error) { return &colour{w}, nil }}
	p := declare(t, Config{Values: values}, Argument{Names: []string{"--c"}, Type: typ, Choices: []any{&colour{"red"}, &colour{"blue"}}, Help: "one (default: %(default)s)", Default: &colour{"red"}})
	parses{"refused", []string{"--c", "green"}, nil, "argument --c: invalid choice: Colour(green) (choose from Colour(red), Colour(blue))"}.run(t, p)
	if _, err := p.ParseArgs([]string{"--c", "blue"}); err != nil {
		t.Error(err)
	}
	if want := "  --c {red,blue}  one (default: red)\n"; !contains(p.FormatHelp(), want) {
		t.Errorf("help lacks %q:\n%s", want, p.FormatHelp())
	}
}
