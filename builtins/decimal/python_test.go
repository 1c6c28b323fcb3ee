package decimal

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

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/pyformat/cpython"
)

var (
	update = flag.Bool("update", false, "record CPython's answers again")
	seed   = flag.Uint64("seed", 2, "what to ask a live CPython")
)

func predeclared() starlark.StringDict {
	names := Module{}.Predeclared()
	names["repr"] = starlark.NewBuiltin("repr", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return starlark.String(args[0].(interface{ Repr() string }).Repr()), nil
	})
	return names
}

// ours evaluates an expression as a script would and compares it with CPython's answer. The texts of decimal's errors
// are classes' names in CPython; ours say what is wrong, so the kinds are compared.
func ours(names starlark.StringDict) func(cpython.Answer) string {
	return func(a cpython.Answer) string {
		v, err := starlark.EvalOptions(&syntax.FileOptions{}, &starlark.Thread{Name: "test"}, "case.star", a.Expr, names)
		if err != nil {
			_, isValue := errors.AsType[*engine.TypedError](err)
			switch a.Type {
			case "InvalidOperation", "ValueError":
				if isValue || strings.Contains(a.Text, "DivisionUndefined") && errors.Is(err, errDivisionByZero) ||
					strings.Contains(a.Expr, " % ") && errors.Is(err, errDivisionByZero) {
					return ""
				}
			case "DivisionByZero":
				if errors.Is(err, errDivisionByZero) {
					return ""
				}
			case "TypeError":
				if !isValue {
					return ""
				}
			}
			return "error " + err.Error()
		}
		got := v.String()
		if s, ok := starlark.AsString(v); ok {
			got = s
		}
		if a.Type != "" || got != a.Text {
			return got
		}
		return ""
	}
}

type generator struct{ *rand.Rand }

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) digits(n int) string {
	b := make([]byte, 1+g.IntN(n))
	for i := range b {
		b[i] = byte('0' + g.IntN(10))
	}
	if g.IntN(6) == 0 {
		for i := range b {
			b[i] = "059"[g.IntN(3)]
		}
	}
	return string(b)
}

func (g generator) literal() string {
	switch g.IntN(20) {
	case 0:
		return g.pick("0", "-0", "0.00", "-0.0", "0E+3", "0E-10", "1", "-1", "1E+3", "1E-7", "0.000001", "0.0000001", "123E-2")
	case 1:
		return g.pick("9999999999999999999999999999", "99999999999999999999999999995", "0.5", "1.5", "2.5", "1E+28", "1E-28", "12345678901234567890123456785", "-2.5")
	}
	s := g.pick("", "", "-", "+") + g.digits(12)
	switch g.IntN(4) {
	case 0:
		s += "." + g.digits(20)
	case 1, 2:
		s += "." + g.digits(3)
	}
	if g.IntN(6) == 0 {
		s += g.pick("e", "E", "e+", "E-", "e-") + strconv.Itoa(g.IntN(40))
	}
	return s
}

func (g generator) dec() string {
	switch g.IntN(12) {
	case 0:
		return fmt.Sprintf("Decimal(%d)", g.IntN(2000)-1000)
	case 1:
		return fmt.Sprintf("Decimal(%s)", g.pick("0.1", "0.5", "1.1", "-2.675", "1e-5", "123456.789", "0.0", "-0.0"))
	}
	return fmt.Sprintf("Decimal(%q)", g.literal())
}

func cases(seed uint64, n int) []string {
	g := generator{rand.New(rand.NewPCG(seed, 11))}
	out := make([]string, 0, n)
	for len(out) < n {
		d := g.dec()
		mode := g.pick("", "", "", `"ROUND_HALF_UP"`, `"ROUND_HALF_DOWN"`, `"ROUND_UP"`, `"ROUND_DOWN"`, `"ROUND_CEILING"`, `"ROUND_FLOOR"`, `"ROUND_05UP"`, `"ROUND_HALF_EVEN"`)
		switch g.IntN(14) {
		case 0:
			out = append(out, g.pick("str(", "repr(")+d+")")
		case 1, 2, 3, 4, 5:
			op := g.pick(" + ", " - ", " * ", " / ", " // ", " % ")
			a, b := d, g.dec()
			if op == " // " || op == " % " {
				// CPython's limits are those of the quotient's digits: see that most fit
				b = fmt.Sprintf("Decimal(%q)", g.pick(g.digits(3), g.literal(), "0."+g.digits(3)))
			}
			switch g.IntN(6) {
			case 0:
				b = strconv.Itoa(g.IntN(200) - 100)
			case 1:
				a = strconv.Itoa(g.IntN(200) - 100)
			}
			out = append(out, a+op+b)
		case 6:
			out = append(out, d+g.pick(" == ", " != ", " < ", " <= ", " > ", " >= ")+g.dec())
		case 7:
			out = append(out, g.pick("-", "+")+d, "bool("+d+")")
		case 8, 9:
			exp := g.pick(`Decimal("0.01")`, `Decimal("1")`, `Decimal("1E+2")`, `Decimal("0.000")`, `Decimal("1E-20")`, "1", "100", g.dec())
			if mode != "" {
				exp += ", " + g.pick("", "rounding = ") + mode
			}
			out = append(out, d+".quantize("+exp+")")
		case 10:
			out = append(out, d+".normalize()")
		case 11:
			if mode != "" {
				mode = "rounding = " + mode
			}
			out = append(out, d+".to_integral_value("+mode+")")
		case 12:
			out = append(out, d+g.pick(".is_zero()", ".is_nan()", ".is_signed()", ".adjusted()", ".copy_abs()", ".copy_negate()", ".is_finite()", ".is_infinite()"))
		case 13:
			out = append(out, fmt.Sprintf("Decimal(%q)", g.pick("", "x", "1.2.3", "1e", ".", "-.5", "5.", " 1.5 ", "1_000", "_1_", "1 2", "--1", "+-1", "0x10", "1e5.0", "1.5e+3", "\t7\n", "1,5", "e5", "00.50")),
				fmt.Sprintf("Decimal(%s)", g.pick("None", `"1", "2", "3"`, "", "value = 3")),
				d+g.pick(" + ", " * ", " - ", " / ")+g.pick("1.5", "None", `"1"`))
		}
	}
	return out
}

func TestRecordedPython(t *testing.T) {
	cpython.Recorded(t, "testdata/python.json.gz", *update, 1000, cases(1, 1200), ours(predeclared()))
}

func TestLivePython(t *testing.T) {
	cpython.Live(t, cases(*seed, 5000), ours(predeclared()))
}
