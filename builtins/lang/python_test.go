package lang

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/pyformat"
	"github.com/starmanage/starmanage/internal/pyformat/cpython"
)

var (
	update = flag.Bool("update", false, "record CPython's answers again")
	seed   = flag.Uint64("seed", 2, "what to ask a live CPython")
)

func predeclared() starlark.StringDict {
	names := Module{}.Predeclared()
	for _, m := range []engine.Module{decimal.Module{}, datetime.Module{}} {
		for name, v := range m.Predeclared() {
			names[name] = v
		}
	}
	return names
}

// ours evaluates an expression as a script would and compares it with CPython's answer, the texts of ValueErrors and
// OverflowErrors included.
func ours(names starlark.StringDict) func(cpython.Answer) string {
	return func(a cpython.Answer) string {
		v, err := starlark.EvalOptions(&syntax.FileOptions{}, &starlark.Thread{Name: "test"}, "case.star", a.Expr, names)
		if err != nil {
			e, isValue := errors.AsType[*engine.TypedError](err)
			switch a.Type {
			case "ValueError", "OverflowError":
				if isValue && (e.Message == a.Text || a.Text == "Python int too large to convert to C long") {
					return ""
				}
			case "TypeError":
				if !isValue {
					return ""
				}
			case "InvalidOperation": // CPython's text is a class's name
				if isValue {
					return ""
				}
			}
			return "error " + err.Error()
		}
		got := v.String()
		switch v := v.(type) {
		case starlark.String:
			got = string(v)
		case starlark.Float:
			got = pyformat.Float(float64(v))
		}
		if a.Type != "" || got != a.Text {
			return got
		}
		return ""
	}
}

type generator struct{ *rand.Rand }

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) spec(types string) string {
	s := ""
	if g.IntN(3) == 0 {
		s += g.pick("", "", "*", "0", "é", "x", "<") + g.pick("<", ">", "^", "=")
	}
	s += g.pick("", "", "", "", "+", "-", " ")
	s += g.pick("", "", "", "", "", "", "", "z")
	s += g.pick("", "", "", "", "", "#")
	s += g.pick("", "", "0")
	s += g.pick("", "", strconv.Itoa(1+g.IntN(25)))
	s += g.pick("", "", "", "", ",", "_")
	s += g.pick("", "", "."+strconv.Itoa(g.IntN(12)))
	s += g.pick("", string(types[g.IntN(len(types))]))
	if g.IntN(40) == 0 {
		s += g.pick("q", "dd", ",", "_,", ",_", ".", "99999999999999999999", "é", " ", ".2.3")
	}
	return s
}

func (g generator) float() string {
	switch g.IntN(6) {
	case 0:
		return g.pick("0.0", "-0.0", "1.0", "0.5", "1.5", "2.5", "-2.5", "1e16", "1e-5", "0.0001", "123456789.0", "1e22", "1e100", "5e-324", "1.7976931348623157e308", "2.675", "0.125", "999999.5", "9.995", "1e15", "9999999999999998.0")
	case 1:
		return pyformat.Float(float64(g.IntN(2000000)-1000000) / 1000)
	case 2:
		return pyformat.Float(float64(g.IntN(2000000)-1000000) / 8)
	case 3:
		return pyformat.Float((g.Float64() - 0.5) * 1e-6)
	case 4:
		return pyformat.Float((g.Float64() - 0.5) * 1e20)
	}
	return pyformat.Float((g.Float64() - 0.5) * 2000)
}

func (g generator) int() string {
	switch g.IntN(5) {
	case 0:
		return g.pick("0", "1", "-1", "255", "1000", "-1000", "97", "1114111", "1114112", "8364", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890")
	case 1:
		return strconv.Itoa(g.IntN(1000) - 500)
	}
	return strconv.Itoa(g.IntN(2000000000) - 1000000000)
}

func (g generator) decimal() string {
	return fmt.Sprintf("Decimal(%q)", g.pick("0", "-0.00", "1.50", "-2.5", "1E+3", "1E-7", "0.00001234", "9.995", "0E+5", "0E-8", "99999.999",
		strconv.Itoa(g.IntN(1000000)), fmt.Sprintf("%d.%03d", g.IntN(100000)-50000, g.IntN(1000)), fmt.Sprintf("%dE%d", g.IntN(1000), g.IntN(20)-10)))
}

func (g generator) list(item func() string) string {
	var items []string
	for range g.IntN(7) {
		items = append(items, item())
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func cases(seed uint64, n int) []string {
	g := generator{rand.New(rand.NewPCG(seed, 13))}
	out := make([]string, 0, n)
	for len(out) < n {
		var s string
		switch g.IntN(15) {
		case 0, 1:
			s = fmt.Sprintf("format(%s, %q)", g.int(), g.spec("dbcoxXneEfFgG%s"))
		case 2, 3, 4:
			s = fmt.Sprintf("format(%s, %q)", g.float(), g.spec("eEfFgGn%d"))
		case 5:
			s = fmt.Sprintf("format(%s, %q)", g.pick(`float("inf")`, `float("-inf")`, `float("nan")`, "True", "False"), g.spec("eEfFgGn%dxs"))
		case 6:
			s = fmt.Sprintf("format(%q, %q)", g.pick("", "a", "abc", "été", "日本語", "a long text that is cut"), g.spec("ssssd"))
		case 7, 8:
			s = fmt.Sprintf("format(%s, %q)", g.decimal(), strings.ReplaceAll(g.spec("eEfFgG%dn"), "99999999999999999999", "q"))
		case 9:
			s = "round(" + g.float() + g.pick("", "", ", None", ", 0", ", "+strconv.Itoa(g.IntN(12)-4)) + ")"
		case 10:
			s = "round(" + g.pick(g.int(), g.decimal()) + g.pick("", ", None", ", 0", ", "+strconv.Itoa(g.IntN(10)-5)) + ")"
		case 11:
			s = "sum(" + g.pick(g.list(g.int), g.list(g.float), g.list(g.decimal), g.list(func() string { return g.pick(g.int(), g.float()) }), g.list(func() string { return g.pick(g.int(), g.decimal()) }),
				"[1e16, 1.0, -1e16]", "[0.1] * 10", "[9223372036854775807, 1, 0.5]", `["a"]`, "[1, None]", "[[1], [2]], []", `[], ""`, "[1, 2], start = 10", "[1e308, 1e308, -1e308]", `[float("inf"), 1.0]`, "[1.5, 10000000000000000000000, 0.1, 0.2]", "3") + ")"
		case 12:
			s = fmt.Sprintf("int(%s)", g.pick(`"10"`, `"010"`, `"1_000"`, `"0x10"`, `" 7\n"`, `"-5"`, `"+5"`, `"- 5"`, `"1__0"`, `"_1"`, `"1_"`, `""`, `"x"`, `"1.5"`, `"0x10", 16`, `"0x10", 0`, `"010", 0`, `"0b101", 2`, `"zz", 36`, `"9", 8`, `"7", 1`, `"7", 37`,
				`5, 10`, "1.9", "-1.9", `float("nan")`, `float("inf")`, "True", "None", `Decimal("-2.7")`, `Decimal("1E+20")`, "", `"1e5"`, `"０"`[:1]+`0"`, `"00", 0`, `"0_0", 0`, `"0x_f", 0`, `"12", base = 8`, `"it's"`, `"\"q\""`, `"--1"`, `"+-1"`, `"0b1"`, `"é"`, g.int(), g.float()))
		case 13:
			s = fmt.Sprintf("float(%s)", g.pick(`"1.5"`, `"1e5"`, `" 2 "`, `"inf"`, `"-Infinity"`, `"nan"`, `"1_0.5"`, `"1__0"`, `"_1"`, `"1_.5"`, `"0x1p3"`, `"1e400"`, `""`, `"x"`, `"1.5.2"`, `"."`, `".5"`, `"5."`, `"1e"`, `"infinit"`, `"+nan"`,
				"3", "True", "None", "[]", "", `Decimal("1.1")`, `Decimal("1E-400")`, `"it's"`, "10"+strings.Repeat("0", 320), `"1e-400"`, `"1d5"`, g.int(), g.float(), strconv.Quote(g.float())))
		case 14:
			s = fmt.Sprintf("format(%s, %q)", g.pick("datetime(2026, 1, 2, 3, 4, 5)", "date(2026, 3, 29)", `datetime(2026, 7, 1, 12, 0, tzinfo=ZoneInfo("Europe/Rome"))`, "timedelta(1)", "None", "[]"), g.pick("", "", "%Y-%m-%d", "%d.%m.%y %H:%M", "%z %Z", "x", "%j"))
		}
		out = append(out, s)
	}
	return out
}

func TestRecordedPython(t *testing.T) {
	cpython.Recorded(t, "testdata/python.json.gz", *update, 1500, cases(1, 2000), ours(predeclared()))
}

func TestLivePython(t *testing.T) {
	cpython.Live(t, cases(*seed, 5000), ours(predeclared()))
}
