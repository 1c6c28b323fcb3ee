package decimal

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
)

// Module is the engine.Module that brings Decimal into scripts.
type Module struct{}

var _ engine.Module = Module{}

// Name is "decimal".
func (Module) Name() string { return "decimal" }

// Predeclared gives Decimal. It works at a file's top level.
func (Module) Predeclared() starlark.StringDict {
	return starlark.StringDict{"Decimal": engine.PureBuiltin("Decimal", newDecimal)}
}

// From is the Decimal of a script's value: a Decimal, an int, a float (its exact binary value), or a string. Anything
// else is a TypeError.
func From(v starlark.Value) (*Decimal, error) {
	switch v := v.(type) {
	case *Decimal:
		return v, nil
	case starlark.Int:
		return FromBigInt(v.BigInt()), nil
	case starlark.Float:
		return FromFloat(float64(v))
	case starlark.String:
		return Parse(string(v))
	}
	return nil, typeError("Decimal: want a string, an int, a float or a Decimal, not %s", v.Type())
}

// Decimal(value="0") is an exact decimal number: of a string, an int or a Decimal as it stands, of a float its exact binary
// value.
func newDecimal(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value = starlark.String("0")
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "value?", &v); err != nil {
		return nil, err
	}
	return value(From(v))
}

type method = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

var methods = map[string]method{
	"adjusted":          predicate(func(d *Decimal) starlark.Value { return starlark.MakeInt(d.adjusted()) }),
	"copy_abs":          predicate(func(d *Decimal) starlark.Value { return d.withSign(false) }),
	"copy_negate":       predicate(func(d *Decimal) starlark.Value { return d.withSign(!d.neg) }),
	"is_finite":         predicate(func(*Decimal) starlark.Value { return starlark.True }),
	"is_infinite":       predicate(func(*Decimal) starlark.Value { return starlark.False }),
	"is_nan":            predicate(func(*Decimal) starlark.Value { return starlark.False }),
	"is_signed":         predicate(func(d *Decimal) starlark.Value { return starlark.Bool(d.neg) }),
	"is_zero":           predicate(func(d *Decimal) starlark.Value { return starlark.Bool(d.IsZero()) }),
	"normalize":         decNormalize,
	"quantize":          decQuantize,
	"to_integral_value": decToIntegral,
}

// AttrNames lists the methods.
func (d *Decimal) AttrNames() []string { return slices.Sorted(maps.Keys(methods)) }

// Attr gives a method.
func (d *Decimal) Attr(name string) (starlark.Value, error) {
	fn, ok := methods[name]
	if !ok {
		return nil, nil
	}
	return engine.PureBuiltin(name, fn).BindReceiver(d), nil
}

// predicate makes a method without arguments.
func predicate(fn func(*Decimal) starlark.Value) method {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
			return nil, err
		}
		return fn(b.Receiver().(*Decimal)), nil
	}
}

func (d *Decimal) withSign(neg bool) *Decimal { return &Decimal{d: d.d, exp: d.exp, neg: neg} }

// rounder is one of Python's rounding modes by its name.
func rounder(name string) (rounding, error) {
	switch name {
	case "", "ROUND_HALF_EVEN":
		return halfEven, nil
	case "ROUND_HALF_UP":
		return halfUp, nil
	case "ROUND_HALF_DOWN":
		return halfDown, nil
	case "ROUND_UP":
		return up, nil
	case "ROUND_DOWN":
		return down, nil
	case "ROUND_CEILING":
		return ceiling, nil
	case "ROUND_FLOOR":
		return floor, nil
	case "ROUND_05UP":
		return up05, nil
	}
	return "", valueError("unknown rounding %q: want one of %s", name, strings.Join([]string{"ROUND_HALF_EVEN", "ROUND_HALF_UP",
		"ROUND_HALF_DOWN", "ROUND_UP", "ROUND_DOWN", "ROUND_CEILING", "ROUND_FLOOR", "ROUND_05UP"}, ", "))
}

func unpackRounding(v starlark.Value) (rounding, error) {
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return halfEven, nil
	case starlark.String:
		return rounder(string(v))
	}
	return "", typeError("rounding must be a string such as %q, not %s", "ROUND_HALF_UP", v.Type())
}

// quantize(exp, rounding="ROUND_HALF_EVEN") rounds to the exponent of exp: quantize(Decimal("0.01")) to cents.
func decQuantize(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var exp, rounding starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "exp", &exp, "rounding?", &rounding); err != nil {
		return nil, err
	}
	mode, err := unpackRounding(rounding)
	if err != nil {
		return nil, err
	}
	var e int
	switch exp := exp.(type) {
	case *Decimal:
		e = int(exp.exp)
	case starlark.Int:
	default:
		return nil, typeError("quantize: exp must be a Decimal such as Decimal(%q), not %s", "0.01", exp.Type())
	}
	return value(b.Receiver().(*Decimal).quantize(e, mode))
}

// to_integral_value(rounding="ROUND_HALF_EVEN") rounds to an integer, which is still a Decimal.
func decToIntegral(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var rounding starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "rounding?", &rounding); err != nil {
		return nil, err
	}
	mode, err := unpackRounding(rounding)
	if err != nil {
		return nil, err
	}
	return b.Receiver().(*Decimal).integral(mode), nil
}

// normalize() strips trailing zeros: 1.50 becomes 1.5, and 100 becomes 1E+2.
func decNormalize(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	d := b.Receiver().(*Decimal)
	if d.IsZero() {
		return &Decimal{neg: d.neg}, nil
	}
	out, err := rounded(d.neg, d.d, int(d.exp))
	if err != nil {
		return nil, err
	}
	zeros := out.d.zeros()
	return value(finite(out.neg, out.d.drop(zeros, out.neg, down), int(out.exp)+zeros))
}
