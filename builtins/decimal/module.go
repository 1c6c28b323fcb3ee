package decimal

import (
	"maps"
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"
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
	"adjusted":          predicate(func(d *Decimal) starlark.Value { return starlark.MakeInt64(d.d.NumDigits() + int64(d.d.Exponent) - 1) }),
	"copy_abs":          predicate(func(d *Decimal) starlark.Value { return d.withSign(false) }),
	"copy_negate":       predicate(func(d *Decimal) starlark.Value { return d.withSign(!d.d.Negative) }),
	"is_finite":         predicate(func(*Decimal) starlark.Value { return starlark.True }),
	"is_infinite":       predicate(func(*Decimal) starlark.Value { return starlark.False }),
	"is_nan":            predicate(func(*Decimal) starlark.Value { return starlark.False }),
	"is_signed":         predicate(func(d *Decimal) starlark.Value { return starlark.Bool(d.d.Negative) }),
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

func (d *Decimal) withSign(negative bool) *Decimal {
	out := new(Decimal)
	out.d.Set(&d.d)
	out.d.Negative = negative
	return out
}

// rounder is one of Python's rounding modes by its name.
func rounder(name string) (apd.Rounder, error) {
	switch name {
	case "", "ROUND_HALF_EVEN":
		return apd.RoundHalfEven, nil
	case "ROUND_HALF_UP":
		return apd.RoundHalfUp, nil
	case "ROUND_HALF_DOWN":
		return apd.RoundHalfDown, nil
	case "ROUND_UP":
		return apd.RoundUp, nil
	case "ROUND_DOWN":
		return apd.RoundDown, nil
	case "ROUND_CEILING":
		return apd.RoundCeiling, nil
	case "ROUND_FLOOR":
		return apd.RoundFloor, nil
	case "ROUND_05UP":
		return apd.Round05Up, nil
	}
	return "", valueError("unknown rounding %q: want one of %s", name, strings.Join([]string{"ROUND_HALF_EVEN", "ROUND_HALF_UP",
		"ROUND_HALF_DOWN", "ROUND_UP", "ROUND_DOWN", "ROUND_CEILING", "ROUND_FLOOR", "ROUND_05UP"}, ", "))
}

func unpackRounding(v starlark.Value) (apd.Rounder, error) {
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return apd.RoundHalfEven, nil
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
	var e int32
	switch exp := exp.(type) {
	case *Decimal:
		e = exp.d.Exponent
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
	out := new(Decimal)
	if d.IsZero() {
		out.d.Negative = d.d.Negative
		return out, nil
	}
	if _, err := context(apd.RoundHalfEven).Round(&out.d, &d.d); err != nil {
		return nil, outOfRange(err)
	}
	out.d.Reduce(&out.d)
	return out, nil
}
