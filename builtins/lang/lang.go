// Package lang gives scripts the words of Python that Starlark lacks or that should agree with Python: format, sum,
// round, abs, int, float and repr, and the modules struct and json.
package lang

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	starlarkjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/pyformat"
)

// Module is the engine.Module that brings these names into scripts. All of them work at a file's top level.
type Module struct{}

var _ engine.Module = Module{}

// Name is "lang".
func (Module) Name() string { return "lang" }

// Predeclared gives format, sum, round, abs, int, float, repr, struct and json. abs, int, float and repr replace the
// language's.
func (Module) Predeclared() starlark.StringDict {
	return starlark.StringDict{
		"abs":    engine.PureBuiltin("abs", abs),
		"float":  engine.PureBuiltin("float", float),
		"format": engine.PureBuiltin("format", format),
		"int":    engine.PureBuiltin("int", integer),
		"json":   jsonModule(),
		"repr":   engine.PureBuiltin("repr", repr),
		"round":  engine.PureBuiltin("round", round),
		"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
		"sum":    engine.PureBuiltin("sum", sum),
	}
}

func valueError(format string, args ...any) error { return engine.ValueError.Errorf(format, args...) }
func typeError(format string, args ...any) error  { return fmt.Errorf(format, args...) }

// text gives a string and an error of formatting, which is always a ValueError in Python.
func text(s string, err error) (starlark.Value, error) {
	if err != nil {
		return nil, valueError("%w", err)
	}
	return starlark.String(s), nil
}

// format(value, spec="") prints a value by Python's format specs: numbers, strings and bools by the mini-language, dates
// by strftime. Without a spec it is str(value), but floats print as Python's.
func format(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value
	var spec string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "value", &v, "spec?", &spec); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case starlark.String:
		return text(pyformat.String(string(v), spec))
	case starlark.Int:
		return text(pyformat.FormatInt(v.BigInt(), spec, "int"))
	case starlark.Float:
		return text(pyformat.FormatFloat(float64(v), spec))
	case starlark.Bool:
		if spec == "" {
			return starlark.String(v.String()), nil
		}
		n := int64(0)
		if v {
			n = 1
		}
		return text(pyformat.FormatInt(big.NewInt(n), spec, "bool"))
	case *decimal.Decimal:
		if spec == "" {
			return starlark.String(v.String()), nil
		}
		neg, digits, exp := v.Parts()
		return text(pyformat.FormatDecimal(pyformat.Decimal{Negative: neg, Digits: digits, Exp: exp}, spec))
	case interface{ Strftime(string) (string, error) }:
		if spec == "" {
			break
		}
		s, err := v.Strftime(spec)
		if err != nil {
			return nil, err
		}
		return starlark.String(s), nil
	}
	if spec != "" {
		return nil, typeError("unsupported format string passed to %s.__format__", v.Type())
	}
	return starlark.String(v.String()), nil
}

// abs(x) is x without its sign: an int, a float, a Decimal or a timedelta.
func abs(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x starlark.Value
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &x); err != nil {
		return nil, err
	}
	if v, ok := x.(interface {
		Abs() (starlark.Value, error)
	}); ok {
		return v.Abs()
	}
	return starlark.Universe["abs"].(*starlark.Builtin).CallInternal(thread, args, kwargs)
}

// repr(x) prints as Python's repr where a value has one, else as the language's.
func repr(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &v); err != nil {
		return nil, err
	}
	if r, ok := v.(interface{ Repr() string }); ok {
		return starlark.String(r.Repr()), nil
	}
	return starlark.String(v.String()), nil
}

// sum(xs, start=0) adds up whatever + adds: ints, floats (with the error carried along, as CPython does), Decimals,
// timedeltas, lists.
func sum(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var xs starlark.Iterable
	var total starlark.Value = starlark.MakeInt(0)
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "xs", &xs, "start?", &total); err != nil {
		return nil, err
	}
	if _, ok := total.(starlark.String); ok {
		return nil, typeError("sum() can't sum strings [use ''.join(seq) instead]")
	}
	return sumOf(xs, total)
}

func sumOf(xs starlark.Iterable, total starlark.Value) (starlark.Value, error) {
	it := xs.Iterate()
	defer it.Done()
	var x starlark.Value
	compensated := true
	for it.Next(&x) {
		f, ok := total.(starlark.Float)
		if !ok || !compensated {
			sum, err := starlark.Binary(syntax.PLUS, total, x)
			if err != nil {
				return nil, fmt.Errorf("sum: %w", err)
			}
			// CPython leaves its loop for ints at the first sum beyond an int64, and then knows floats no more.
			if n, ok := total.(starlark.Int); ok {
				if _, small := n.Int64(); !small {
					compensated = false
				}
			}
			total = sum
			continue
		}
		s := floatSum{sum: float64(f)}
		rest, more := s.add(x, it)
		total = starlark.Float(s.total())
		if !more {
			break
		}
		compensated = false
		sum, err := starlark.Binary(syntax.PLUS, total, rest)
		if err != nil {
			return nil, fmt.Errorf("sum: %w", err)
		}
		total = sum
	}
	return total, nil
}

// floatSum is Neumaier's summation, which CPython's sum uses since 3.12 (bltinmodule.c).
type floatSum struct{ sum, c float64 }

// add takes in floats and small ints from x on. It stops at the first other value and returns that.
func (s *floatSum) add(x starlark.Value, it starlark.Iterator) (rest starlark.Value, more bool) {
	for {
		switch v := x.(type) {
		case starlark.Float:
			f := float64(v)
			t := s.sum + f
			if math.Abs(s.sum) >= math.Abs(f) {
				s.c += (s.sum - t) + f
			} else {
				s.c += (f - t) + s.sum
			}
			s.sum = t
		case starlark.Int:
			n, ok := v.Int64()
			if !ok {
				return x, true
			}
			s.sum += float64(n)
		default:
			return x, true
		}
		if !it.Next(&x) {
			return nil, false
		}
	}
}

func (s *floatSum) total() float64 {
	if s.c != 0 && !math.IsInf(s.c, 0) && !math.IsNaN(s.c) {
		return s.sum + s.c
	}
	return s.sum
}

// round(x, n=None) rounds half to even: an int without n, the type of x with n digits behind the point. Floats are
// rounded from their exact binary value.
func round(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x, digits starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "x", &x, "n?", &digits); err != nil {
		return nil, err
	}
	whole := digits == nil || digits == starlark.None
	n := 0
	if !whole {
		i, ok := digits.(starlark.Int)
		if !ok {
			return nil, typeError("round: n must be an int or None, not %s", digits.Type())
		}
		// No number has that many digits: the ends stand for all that lies beyond them.
		n64, small := i.Int64()
		if !small {
			n64 = math.MaxInt32 * int64(i.Sign())
		}
		n = int(min(max(n64, math.MinInt32), math.MaxInt32))
	}
	switch x := x.(type) {
	case starlark.Int:
		return starlark.MakeBigInt(pyformat.RoundInt(x.BigInt(), n)), nil
	case starlark.Float:
		f := float64(x)
		if !whole {
			g, ok := pyformat.RoundFloat(f, n)
			if !ok {
				return nil, valueError("rounded value too large to represent")
			}
			return starlark.Float(g), nil
		}
		return floatToInt(math.RoundToEven(f))
	case *decimal.Decimal:
		if whole {
			return starlark.MakeBigInt(x.RoundInt()), nil
		}
		d, err := x.Round(n)
		if err != nil {
			return nil, err
		}
		return d, nil
	}
	return nil, typeError("round: want an int, a float or a Decimal, not %s", x.Type())
}

func floatToInt(f float64) (starlark.Value, error) {
	if math.IsNaN(f) {
		return nil, valueError("cannot convert float NaN to integer")
	}
	if math.IsInf(f, 0) {
		return nil, valueError("cannot convert float infinity to integer")
	}
	n, _ := big.NewFloat(f).Int(nil)
	return starlark.MakeBigInt(n), nil
}

// int(x=0, base=10) is an integer of a text, or a number cut towards zero. A text follows Python: "010" is 10, "1_000"
// is 1000, "0x10" needs base 16 or 0. A text that is no integer is a ValueError.
func integer(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x starlark.Value = starlark.MakeInt(0)
	var baseValue starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "x?", &x, "base?", &baseValue); err != nil {
		return nil, err
	}
	s, isString := starlark.AsString(x)
	base := 10
	if baseValue != nil {
		if !isString {
			return nil, typeError("int() can't convert non-string with explicit base")
		}
		i, ok := baseValue.(starlark.Int)
		if !ok {
			return nil, typeError("int: base must be an int, not %s", baseValue.Type())
		}
		n, ok := i.Int64()
		if !ok || n != 0 && (n < 2 || n > 36) {
			return nil, valueError("int() base must be >= 2 and <= 36, or 0")
		}
		base = int(n)
	}
	switch x := x.(type) {
	case starlark.String:
		n, ok := parseInt(s, base)
		if !ok {
			return nil, valueError("invalid literal for int() with base %d: %s", base, pyformat.Quote(s))
		}
		return starlark.MakeBigInt(n), nil
	case starlark.Int:
		return x, nil
	case starlark.Bool:
		if x {
			return starlark.MakeInt(1), nil
		}
		return starlark.MakeInt(0), nil
	case starlark.Float:
		return floatToInt(float64(x))
	case *decimal.Decimal:
		return starlark.MakeBigInt(x.BigInt()), nil
	}
	return nil, typeError("int() argument must be a string or a number, not %s", x.Type())
}

// parseInt reads an integer literal as Python's int() does; base 0 goes by the prefix.
func parseInt(s string, base int) (*big.Int, bool) {
	s = pyformat.Numeral(s)
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	byPrefix := base == 0
	prefixed := false
	if len(s) > 1 && s[0] == '0' {
		want := map[byte]int{'b': 2, 'o': 8, 'x': 16}[s[1]|0x20]
		if want != 0 && (base == 0 || base == want) {
			base, s, prefixed = want, s[2:], true
			s = strings.TrimPrefix(s, "_")
		}
	}
	if base == 0 {
		base = 10
	}
	digits := strings.ReplaceAll(s, "_", "")
	if digits == "" || s[0] == '_' || s[len(s)-1] == '_' || strings.Contains(s, "__") || digits[0] == '+' || digits[0] == '-' {
		return nil, false
	}
	if byPrefix && !prefixed && digits[0] == '0' && strings.Trim(digits, "0") != "" {
		return nil, false // 010 is ambiguous where the prefix decides
	}
	n, ok := new(big.Int).SetString(digits, base)
	if ok && negative {
		n.Neg(n)
	}
	return n, ok
}

// float(x=0.0) is a float of a text or a number. A text that is no number is a ValueError.
func float(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x starlark.Value = starlark.Float(0)
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 0, &x); err != nil {
		return nil, err
	}
	switch x := x.(type) {
	case starlark.String:
		f, ok := parseFloat(string(x))
		if !ok {
			return nil, valueError("could not convert string to float: %s", pyformat.Quote(string(x)))
		}
		return starlark.Float(f), nil
	case starlark.Float:
		return x, nil
	case starlark.Int:
		f, _ := new(big.Float).SetPrec(53).SetInt(x.BigInt()).Float64()
		if math.IsInf(f, 0) {
			return nil, valueError("int too large to convert to float")
		}
		return starlark.Float(f), nil
	case starlark.Bool:
		if x {
			return starlark.Float(1), nil
		}
		return starlark.Float(0), nil
	case *decimal.Decimal:
		f, err := x.Float64()
		if err != nil {
			return nil, err
		}
		return starlark.Float(f), nil
	}
	return nil, typeError("float() argument must be a string or a number, not %s", x.Type())
}

// parseFloat reads what Python's float() reads: no hexadecimals, underscores between digits only.
func parseFloat(s string) (float64, bool) {
	s = pyformat.Numeral(s)
	digit := func(i int) bool { return i >= 0 && i < len(s) && '0' <= s[i] && s[i] <= '9' }
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_' && (!digit(i-1) || !digit(i+1)), c == 'x', c == 'X', c == 'p', c == 'P':
			return 0, false
		}
	}
	if len(s) == 4 && (s[0] == '+' || s[0] == '-') && strings.EqualFold(s[1:], "nan") {
		s = s[1:]
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true // beyond the range it is infinite, as in Python
}

// jsonModule is Starlark's json, whose decode fails with a ValueError.
func jsonModule() *starlarkstruct.Module {
	members := make(starlark.StringDict, len(starlarkjson.Module.Members))
	for name, v := range starlarkjson.Module.Members {
		members[name] = v
	}
	decode := starlarkjson.Module.Members["decode"].(*starlark.Builtin)
	members["decode"] = engine.PureBuiltin("json.decode", func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		v, err := decode.CallInternal(thread, args, kwargs)
		if err != nil {
			if len(args) > 0 && args[0].Type() == "string" {
				return nil, valueError("%w", err)
			}
			return nil, err
		}
		return v, nil
	})
	return &starlarkstruct.Module{Name: "json", Members: members}
}
