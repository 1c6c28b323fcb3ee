// Package decimal gives scripts Python's Decimal: an exact decimal number that keeps its exponent, so that
// Decimal("1.50") prints 1.50.
//
// The arithmetic is cockroachdb/apd's, chosen over shopspring/decimal because it implements the same specification as
// Python's decimal (Mike Cowlishaw's General Decimal Arithmetic): a context of 28 significant digits with
// ROUND_HALF_EVEN, signed zero, exponents that survive arithmetic, // and % that cut towards zero. shopspring divides
// to a fixed number of places, has no -0 and drops the exponent of 1E+3. The package is tested against CPython 3.13.
//
// Where scripts differ from Python:
//
//   - NaN and Infinity do not exist: what would make them is a ValueError, as databases' columns refuse them too.
//   - Exponents beyond ±100000 are a ValueError (Python stops at ±999999).
//   - The language compares values of one type only: write total > Decimal(100), not total > 100.
//   - str(x), "%s" and "%r" all print 1.50; the builtin repr prints Decimal('1.50').
package decimal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/cockroachdb/apd/v3"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine"
)

// Precision is the number of significant digits to which arithmetic rounds, Python's default. Numbers that are given
// (Parse, FromInt, …) keep all their digits.
const Precision = 28

// maxDigits bounds what is parsed, so that a text cannot eat the machine.
const maxDigits = 1_000_000

// Decimal is an immutable decimal number: a sign, digits and an exponent. It may be shared by goroutines.
type Decimal struct {
	d apd.Decimal
}

var (
	_ starlark.Value      = (*Decimal)(nil)
	_ starlark.HasAttrs   = (*Decimal)(nil)
	_ starlark.HasBinary  = (*Decimal)(nil)
	_ starlark.HasUnary   = (*Decimal)(nil)
	_ starlark.Comparable = (*Decimal)(nil)
	_ json.Marshaler      = (*Decimal)(nil)
)

func valueError(format string, args ...any) error { return engine.ValueError.Errorf(format, args...) }
func typeError(format string, args ...any) error  { return fmt.Errorf(format, args...) }

var errDivisionByZero = errors.New("division by zero")

// context is Python's default context, with what would give NaN or Infinity as errors.
func context(rounding apd.Rounder) *apd.Context {
	return &apd.Context{
		Precision:   Precision,
		MaxExponent: apd.MaxExponent,
		MinExponent: apd.MinExponent,
		Rounding:    rounding,
		Traps: apd.SystemOverflow | apd.SystemUnderflow | apd.Overflow | apd.DivisionUndefined | apd.DivisionByZero |
			apd.DivisionImpossible | apd.InvalidOperation,
	}
}

// Parse reads a number as Python's Decimal does: digits with an optional sign, point and exponent, underscores and
// surrounding white space. It keeps every digit. Anything else, NaN and Infinity included, is a ValueError.
func Parse(s string) (*Decimal, error) {
	text := strings.TrimFunc(s, unicode.IsSpace)
	if strings.Contains(text, "_") {
		text = strings.ReplaceAll(text, "_", "")
	}
	switch syntaxOf(text) {
	case notFinite:
		return nil, valueError("Decimal: %q is no number: NaN and Infinity do not exist here", s)
	case malformed:
		return nil, valueError("invalid literal for Decimal: %q", s)
	}
	if len(text) > maxDigits {
		return nil, valueError("Decimal: a number of %d digits is too long", len(text))
	}
	out := new(Decimal)
	if _, _, err := out.d.SetString(text); err != nil || out.d.Form != apd.Finite {
		return nil, valueError("Decimal: the exponent of %q is out of range", s)
	}
	return out, nil
}

const (
	finite = iota
	notFinite
	malformed
)

// syntaxOf checks a text before apd sees it, because apd reads more than Python does.
func syntaxOf(s string) int {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	i, digits := 0, 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		lower := strings.TrimRight(strings.ToLower(s), "0123456789")
		if lower == "inf" || lower == "infinity" || lower == "nan" || lower == "snan" {
			return notFinite
		}
		return malformed
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		start := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i == start {
			return malformed
		}
	}
	if i < len(s) {
		return malformed
	}
	return finite
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// FromInt is the Decimal of an integer.
func FromInt(n int64) *Decimal { return FromScaled(n, 0) }

// FromScaled is coefficient / 10**scale, with scale digits behind the point: FromScaled(150, 2) is 1.50. The scale
// must lie between -100000 and 100000.
func FromScaled(coefficient int64, scale int32) *Decimal {
	out := new(Decimal)
	out.d.SetFinite(coefficient, -scale)
	return out
}

// FromBigInt is the Decimal of an integer of any size.
func FromBigInt(n *big.Int) *Decimal {
	out := new(Decimal)
	out.d.Coeff.SetMathBigInt(n)
	if n.Sign() < 0 {
		out.d.Negative = true
		out.d.Coeff.Abs(&out.d.Coeff)
	}
	return out
}

// FromFloat is the exact value of a float, as Python's Decimal(0.1): up to 767 digits. NaN and infinities are
// ValueErrors.
func FromFloat(f float64) (*Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, valueError("Decimal: %v is no number: NaN and Infinity do not exist here", f)
	}
	ratio := new(big.Rat)
	ratio.SetFloat64(f)
	k := ratio.Denom().BitLen() - 1 // the denominator is 2**k: n/2**k = n*5**k / 10**k
	n := new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(k)), nil)
	out := FromBigInt(n.Mul(n, ratio.Num()))
	out.d.Exponent = int32(-k)
	out.d.Negative = math.Signbit(f)
	return out, nil
}

// String prints as Python's str: "1.50", "1E+3", "-0.00".
func (d *Decimal) String() string {
	neg, digits, exp := d.Parts()
	adjusted := exp + len(digits) - 1
	var b strings.Builder
	if neg {
		b.WriteByte('-')
	}
	switch {
	case exp > 0 || adjusted < -6:
		b.WriteString(digits[:1])
		if len(digits) > 1 {
			b.WriteString("." + digits[1:])
		}
		fmt.Fprintf(&b, "E%+d", adjusted)
	case exp == 0:
		b.WriteString(digits)
	case len(digits) > -exp:
		b.WriteString(digits[:len(digits)+exp] + "." + digits[len(digits)+exp:])
	default:
		b.WriteString("0." + strings.Repeat("0", -exp-len(digits)) + digits)
	}
	return b.String()
}

// Repr prints as Python's repr: "Decimal('1.50')".
func (d *Decimal) Repr() string { return "Decimal('" + d.String() + "')" }

// MarshalJSON writes the number as a string, because a JSON number would lose digits in most readers.
func (d *Decimal) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// Parts takes the number apart: (-1)**neg * digits * 10**exp. Digits have no leading zeros; zero is "0".
func (d *Decimal) Parts() (neg bool, digits string, exp int) {
	return d.d.Negative, d.d.Coeff.String(), int(d.d.Exponent)
}

// Float64 is the nearest float. Beyond a float's range the error is a ValueError.
func (d *Decimal) Float64() (float64, error) {
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil && math.IsInf(f, 0) {
		return 0, valueError("Decimal: %s is too large for a float", d)
	}
	return f, nil
}

// BigInt is the number without its fraction, cut towards zero, as Python's int().
func (d *Decimal) BigInt() *big.Int {
	n := new(big.Int).Set(d.d.Coeff.MathBigInt())
	switch exp := int64(d.d.Exponent); {
	case exp > 0:
		n.Mul(n, pow10(exp))
	case -exp > d.d.NumDigits():
		n.SetInt64(0)
	case exp < 0:
		n.Quo(n, pow10(-exp))
	}
	if d.d.Negative {
		n.Neg(n)
	}
	return n
}

// IsZero says whether the number is 0 or -0, with any exponent.
func (d *Decimal) IsZero() bool { return d.d.IsZero() }

// Compare is -1, 0 or 1, by value: 1.5 and 1.50 are equal, and so are 0 and -0.
func (d *Decimal) Compare(o *Decimal) int { return d.d.Cmp(&o.d) }

// Quantize rounds half to even to scale digits behind the point: the way a NUMERIC(p, scale) column holds a number. A
// result of more than 28 digits is a ValueError.
func (d *Decimal) Quantize(scale int32) (*Decimal, error) {
	return d.quantize(-scale, apd.RoundHalfEven)
}

func (d *Decimal) quantize(exp int32, rounding apd.Rounder) (*Decimal, error) {
	// The digits are counted first: they may be too many to write down.
	digits := d.d.NumDigits() + int64(d.d.Exponent) - int64(exp)
	if !d.IsZero() && digits > Precision || exp > apd.MaxExponent || exp < apd.MinExponent {
		return nil, valueError("quantize: the result has more than %d digits", Precision)
	}
	out := d.rescale(exp, rounding)
	if out.d.NumDigits() > Precision {
		return nil, valueError("quantize: the result has more than %d digits", Precision)
	}
	return out, nil
}

// rescale rounds to an exponent. It is not apd's Quantize, which rounds 1E-28 up to 0E-20.
func (d *Decimal) rescale(exp int32, rounding apd.Rounder) *Decimal {
	out := new(Decimal)
	out.d.Negative, out.d.Exponent = d.d.Negative, exp
	if d.IsZero() {
		return out
	}
	coeff := new(big.Int).Set(d.d.Coeff.MathBigInt())
	drop := int64(exp) - int64(d.d.Exponent)
	if drop <= 0 {
		coeff.Mul(coeff, pow10(-drop))
	} else {
		if far := d.d.NumDigits() + 1; drop > far { // below a tenth, however far
			drop = far
		}
		unit := pow10(drop)
		rest := new(big.Int)
		coeff.QuoRem(coeff, unit, rest)
		if rest.Sign() != 0 {
			half := rest.Lsh(rest, 1).Cmp(unit)
			var digit apd.BigInt
			digit.SetMathBigInt(coeff)
			if rounding.ShouldAddOne(&digit, d.d.Negative, half) {
				coeff.Add(coeff, big.NewInt(1))
			}
		}
	}
	out.d.Coeff.SetMathBigInt(coeff)
	return out
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// Round rounds half to even to n digits behind the point (before it when n is negative), as round(d, n) does.
func (d *Decimal) Round(n int) (*Decimal, error) {
	if n > apd.MaxExponent || n < apd.MinExponent {
		return nil, valueError("round: %d digits are out of range", n)
	}
	return d.quantize(int32(-n), apd.RoundHalfEven)
}

// RoundInt rounds half to even to an integer, as round(d) does.
func (d *Decimal) RoundInt() *big.Int {
	return d.integral(apd.RoundHalfEven).BigInt()
}

// integral rounds to an integer of any size; the exponent of a number that is one already is kept.
func (d *Decimal) integral(rounding apd.Rounder) *Decimal {
	if d.d.Exponent >= 0 {
		return d
	}
	return d.rescale(0, rounding)
}

func (d *Decimal) Type() string         { return "Decimal" }
func (d *Decimal) Freeze()              {}
func (d *Decimal) Truth() starlark.Bool { return starlark.Bool(!d.IsZero()) }

// Hash agrees with ==: 1.5 and 1.50 have one, and so have 0 and -0.
func (d *Decimal) Hash() (uint32, error) {
	if d.IsZero() {
		return 0, nil
	}
	neg, digits, exp := d.Parts()
	trimmed := strings.TrimRight(digits, "0")
	exp += len(digits) - len(trimmed)
	h, err := starlark.String(trimmed).Hash()
	h = h*31 + uint32(exp)
	if neg {
		h = ^h
	}
	return h, err
}

func (d *Decimal) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	cmp := d.Compare(y.(*Decimal))
	switch op {
	case syntax.EQL:
		return cmp == 0, nil
	case syntax.NEQ:
		return cmp != 0, nil
	case syntax.LT:
		return cmp < 0, nil
	case syntax.LE:
		return cmp <= 0, nil
	case syntax.GT:
		return cmp > 0, nil
	case syntax.GE:
		return cmp >= 0, nil
	}
	return false, typeError("unknown comparison %s", op)
}

// value keeps a nil *Decimal from becoming a starlark.Value that is not nil.
func value(d *Decimal, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Unary is + and -, which round to 28 digits as Python's do.
func (d *Decimal) Unary(op syntax.Token) (starlark.Value, error) {
	out := new(Decimal)
	var err error
	switch op {
	case syntax.PLUS:
		_, err = context(apd.RoundHalfEven).Round(&out.d, &d.d)
	case syntax.MINUS:
		_, err = context(apd.RoundHalfEven).Neg(&out.d, &d.d)
	default:
		return nil, nil
	}
	if out.IsZero() {
		out.d.Negative = false
	}
	return value(out, outOfRange(err))
}

// Binary is + - * / // % with a Decimal or an int. A float is refused, with what to write.
func (d *Decimal) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	var o *Decimal
	switch y := y.(type) {
	case *Decimal:
		o = y
	case starlark.Int:
		if n, ok := y.Int64(); ok {
			o = FromInt(n)
		} else {
			o = FromBigInt(y.BigInt())
		}
	case starlark.Float:
		switch op {
		case syntax.PLUS, syntax.MINUS, syntax.STAR, syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT:
			return nil, typeError("unsupported operand types for %s: Decimal and float: write Decimal(str(x)) for the float", op)
		}
		return nil, nil
	default:
		return nil, nil
	}
	a, b := d, o
	if side == starlark.Right {
		a, b = o, d
	}
	return value(a.arithmetic(op, b))
}

// Add, Sub and Mul round to 28 digits. The error is a ValueError: an exponent out of range.
func (d *Decimal) Add(o *Decimal) (*Decimal, error) { return d.arithmetic(syntax.PLUS, o) }
func (d *Decimal) Sub(o *Decimal) (*Decimal, error) { return d.arithmetic(syntax.MINUS, o) }
func (d *Decimal) Mul(o *Decimal) (*Decimal, error) { return d.arithmetic(syntax.STAR, o) }

func (d *Decimal) arithmetic(op syntax.Token, o *Decimal) (*Decimal, error) {
	ctx := context(apd.RoundHalfEven)
	out := new(Decimal)
	var err error
	switch op {
	case syntax.PLUS:
		_, err = ctx.Add(&out.d, &d.d, &o.d)
	case syntax.MINUS:
		_, err = ctx.Sub(&out.d, &d.d, &o.d)
	case syntax.STAR:
		_, err = ctx.Mul(&out.d, &d.d, &o.d)
	case syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT:
		if o.IsZero() {
			return nil, errDivisionByZero
		}
		switch op {
		case syntax.SLASH:
			var cond apd.Condition
			if cond, err = ctx.Quo(&out.d, &d.d, &o.d); err == nil && !cond.Inexact() {
				out.shorten(int64(d.d.Exponent) - int64(o.d.Exponent))
			}
		case syntax.SLASHSLASH:
			_, err = ctx.QuoInteger(&out.d, &d.d, &o.d)
		default:
			_, err = ctx.Rem(&out.d, &d.d, &o.d)
		}
	default:
		return nil, nil
	}
	if err != nil {
		if op == syntax.SLASHSLASH || op == syntax.PERCENT {
			return nil, valueError("%s: the quotient of %s and %s has more than %d digits", op, d, o, Precision)
		}
		return nil, outOfRange(err)
	}
	return out, nil
}

// shorten drops zeros at the end until the exponent is ideal: the specification wants the exponent of an exact quotient
// as near to the difference of the operands' as it can be, and apd leaves that out.
func (d *Decimal) shorten(ideal int64) {
	if d.IsZero() {
		d.d.Exponent = int32(min(max(ideal, apd.MinExponent), apd.MaxExponent))
		return
	}
	digits := d.d.Coeff.String()
	zeros := int64(len(digits) - len(strings.TrimRight(digits, "0")))
	zeros = min(zeros, max(ideal-int64(d.d.Exponent), 0))
	coeff := d.d.Coeff.MathBigInt()
	d.d.Coeff.SetMathBigInt(new(big.Int).Quo(coeff, pow10(zeros)))
	d.d.Exponent += int32(zeros)
}

func outOfRange(err error) error {
	if err == nil {
		return nil
	}
	return valueError("Decimal: the result is out of range (%v)", err)
}
