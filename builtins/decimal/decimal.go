// Package decimal gives scripts Python's Decimal: an exact decimal number that keeps its exponent, so that
// Decimal("1.50") prints 1.50.
//
// The arithmetic is math/big's integers under the rules of Mike Cowlishaw's General Decimal Arithmetic, which Python's
// decimal follows too: 28 significant digits with ROUND_HALF_EVEN, signed zero, exponents that survive arithmetic, //
// and % that cut towards zero. The rules are few, and no library fits them: cockroachdb/apd knows the specification, but
// fills tables for 1.5 ms whenever a program starts, and leaves the exponent of an exact quotient to be corrected;
// shopspring/decimal divides to a fixed number of places, has no -0 and drops the exponent of 1E+3. The package is
// tested against CPython 3.13.
//
// Where scripts differ from Python:
//
//   - NaN and Infinity do not exist: what would make them is a ValueError, as databases' columns refuse them too.
//   - Exponents beyond ±100000 are a ValueError (Python stops at ±999999).
//   - The language compares values of one type only: write total > Decimal(100), not total > 100.
//   - str(x), "%s" and "%r" all print 1.50; the builtin repr prints Decimal('1.50').
package decimal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/pyformat"
)

// Precision is the number of significant digits to which arithmetic rounds, Python's default. Numbers that are given
// (Parse, FromInt, …) keep all their digits.
const Precision = 28

// maxDigits bounds what is parsed, so that a text cannot eat the machine.
const maxDigits = 1_000_000

// maxExponent bounds the exponents of a number's first digit and of its last one, so that no int is too long to write
// down.
const maxExponent = 100_000

// Decimal is an immutable decimal number: a sign, digits and an exponent. It may be shared by goroutines.
type Decimal struct {
	d   digits
	exp int32
	neg bool
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

// finite makes a number of what was read or computed. The error is a ValueError: an exponent out of range.
func finite(neg bool, c digits, exp int) (*Decimal, error) {
	if exp < -maxExponent || exp+c.NumDigits()-1 > maxExponent {
		return nil, valueError("Decimal: the result is out of range: exponents end at ±%d", maxExponent)
	}
	return &Decimal{d: c, exp: int32(exp), neg: neg}, nil
}

// rounded makes a number of an exact result, with finite's error.
func rounded(neg bool, c digits, exp int) (*Decimal, error) {
	if c.big != nil { // a small one has 20 digits at most
		for over := c.NumDigits() - Precision; over > 0; over = c.NumDigits() - Precision { // again if 9…99 became 10…00
			c, exp = c.drop(over, neg, halfEven), exp+over
		}
	}
	return finite(neg, c, exp)
}

// Parse reads a number as Python's Decimal does: digits with an optional sign, point and exponent, underscores and
// surrounding white space. It keeps every digit. Anything else, NaN and Infinity included, is a ValueError.
func Parse(s string) (*Decimal, error) {
	text := pyformat.Numeral(s)
	if strings.Contains(text, "_") {
		text = strings.ReplaceAll(text, "_", "")
	}
	i := 0
	neg := strings.HasPrefix(text, "-")
	if neg || strings.HasPrefix(text, "+") {
		i = 1
	}
	start, point, count := i, -1, 0
	var small uint64
	for ; i < len(text); i++ {
		if text[i] == '.' && point < 0 {
			point = i
			continue
		}
		if text[i] < '0' || text[i] > '9' {
			break
		}
		small = small*10 + uint64(text[i]-'0')
		count++
	}
	mantissa, rest := text[start:i], text[i:]
	if count == 0 {
		switch strings.TrimRight(strings.ToLower(rest), "0123456789") {
		case "inf", "infinity", "nan", "snan":
			return nil, valueError("Decimal: %q is no number: NaN and Infinity do not exist here", s)
		}
		return nil, valueError("invalid literal for Decimal: %q", s)
	}
	exp := 0
	if rest != "" {
		n, err := strconv.ParseInt(rest[1:], 10, 31) // what is too large becomes ±2**30, which finite refuses
		if rest[0] != 'e' && rest[0] != 'E' || errors.Is(err, strconv.ErrSyntax) {
			return nil, valueError("invalid literal for Decimal: %q", s)
		}
		exp = int(n)
	}
	if len(text) > maxDigits {
		return nil, valueError("Decimal: a number of %d digits is too long", len(text))
	}
	if point >= 0 {
		exp -= len(mantissa) - (point - start) - 1
	}
	c := digits{small: small}
	if count > 19 { // small has overflowed
		n, _ := new(big.Int).SetString(strings.Replace(mantissa, ".", "", 1), 10)
		c = digitsOf(n)
	}
	out, err := finite(neg, c, exp)
	if err != nil {
		return nil, valueError("Decimal: the exponent of %q is out of range", s)
	}
	return out, nil
}

// FromInt is the Decimal of an integer.
func FromInt(n int64) *Decimal { return FromScaled(n, 0) }

// FromScaled is coefficient / 10**scale, with scale digits behind the point: FromScaled(150, 2) is 1.50. The scale
// must lie between -100000 and 100000.
func FromScaled(coefficient int64, scale int32) *Decimal {
	out := &Decimal{d: digits{small: uint64(coefficient)}, exp: -scale, neg: coefficient < 0}
	if out.neg {
		out.d.small = -out.d.small
	}
	return out
}

// FromBigInt is the Decimal of an integer of any size.
func FromBigInt(n *big.Int) *Decimal {
	return &Decimal{d: digitsOf(new(big.Int).Abs(n)), neg: n.Sign() < 0}
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
	n.Mul(n, ratio.Num())
	return &Decimal{d: digitsOf(n.Abs(n)), exp: int32(-k), neg: math.Signbit(f)}, nil
}

// String prints as Python's str: "1.50", "1E+3", "-0.00".
func (d *Decimal) String() string {
	var textBuf, buf [48]byte // on the stack; what does not fit is allocated
	text, b := d.d.append(textBuf[:0]), buf[:0]
	if d.neg {
		b = append(b, '-')
	}
	switch exp, adjusted := int(d.exp), d.adjusted(); {
	case exp > 0 || adjusted < -6:
		b = append(b, text[0])
		if len(text) > 1 {
			b = append(append(b, '.'), text[1:]...)
		}
		b = append(b, 'E')
		if adjusted >= 0 {
			b = append(b, '+')
		}
		b = strconv.AppendInt(b, int64(adjusted), 10)
	case exp == 0:
		b = append(b, text...)
	case len(text) > -exp:
		whole := len(text) + exp
		b = append(append(append(b, text[:whole]...), '.'), text[whole:]...)
	default:
		b = append(b, "0."...)
		for range -exp - len(text) {
			b = append(b, '0')
		}
		b = append(b, text...)
	}
	return string(b)
}

// Repr prints as Python's repr: "Decimal('1.50')".
func (d *Decimal) Repr() string { return "Decimal('" + d.String() + "')" }

// MarshalJSON writes the number as a string, because a JSON number would lose digits in most readers.
func (d *Decimal) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// Parts takes the number apart: (-1)**neg * digits * 10**exp. Digits have no leading zeros; zero is "0".
func (d *Decimal) Parts() (neg bool, digits string, exp int) {
	return d.neg, string(d.d.append(nil)), int(d.exp)
}

// adjusted is the exponent of the first digit.
func (d *Decimal) adjusted() int { return int(d.exp) + d.d.NumDigits() - 1 }

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
	c := d.d
	if d.exp >= 0 {
		c = c.shift(int(d.exp))
	} else {
		c = c.drop(-int(d.exp), d.neg, down)
	}
	n := new(big.Int).Set(c.int())
	if d.neg {
		n.Neg(n)
	}
	return n
}

// IsZero says whether the number is 0 or -0, with any exponent.
func (d *Decimal) IsZero() bool { return d.d.isZero() }

func (d *Decimal) sign() int {
	switch {
	case d.IsZero():
		return 0
	case d.neg:
		return -1
	}
	return 1
}

// Compare is -1, 0 or 1, by value: 1.5 and 1.50 are equal, and so are 0 and -0.
func (d *Decimal) Compare(o *Decimal) int {
	sign := d.sign()
	if c := cmp.Compare(sign, o.sign()); c != 0 || sign == 0 {
		return c
	}
	if d.exp != o.exp {
		if c := cmp.Compare(d.adjusted(), o.adjusted()); c != 0 {
			return c * sign
		}
	}
	exp := min(d.exp, o.exp) // with equal first digits the shifts are no longer than the numbers
	return d.d.shift(int(d.exp-exp)).cmp(o.d.shift(int(o.exp-exp))) * sign
}

// Quantize rounds half to even to scale digits behind the point. A result of more than 28 digits is a ValueError.
func (d *Decimal) Quantize(scale int32) (*Decimal, error) {
	return d.quantize(-int(scale), halfEven)
}

// QuantizeHalfUp is Quantize that rounds a half away from zero: what PostgreSQL and MySQL do to a number that a
// NUMERIC(p, scale) column is given.
func (d *Decimal) QuantizeHalfUp(scale int32) (*Decimal, error) {
	return d.quantize(-int(scale), halfUp)
}

func (d *Decimal) quantize(exp int, mode rounding) (*Decimal, error) {
	// The digits are counted first: they may be too many to write down.
	if !d.IsZero() && d.adjusted()-exp >= Precision || exp > maxExponent || exp < -maxExponent {
		return nil, valueError("quantize: the result has more than %d digits", Precision)
	}
	out := d.rescale(exp, mode)
	if out.d.NumDigits() > Precision {
		return nil, valueError("quantize: the result has more than %d digits", Precision)
	}
	return finite(out.neg, out.d, exp)
}

// rescale rounds to an exponent.
func (d *Decimal) rescale(exp int, mode rounding) *Decimal {
	out := &Decimal{exp: int32(exp), neg: d.neg}
	if drop := exp - int(d.exp); drop > 0 {
		out.d = d.d.drop(drop, d.neg, mode)
	} else {
		out.d = d.d.shift(-drop)
	}
	return out
}

// Round rounds half to even to n digits behind the point (before it when n is negative), as round(d, n) does.
func (d *Decimal) Round(n int) (*Decimal, error) {
	if n > maxExponent || n < -maxExponent {
		return nil, valueError("round: %d digits are out of range", n)
	}
	return d.quantize(-n, halfEven)
}

// RoundInt rounds half to even to an integer, as round(d) does.
func (d *Decimal) RoundInt() *big.Int {
	return d.integral(halfEven).BigInt()
}

// integral rounds to an integer of any size; the exponent of a number that is one already is kept.
func (d *Decimal) integral(mode rounding) *Decimal {
	if d.exp >= 0 {
		return d
	}
	return d.rescale(0, mode)
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
	neg := d.neg
	switch op {
	case syntax.PLUS:
	case syntax.MINUS:
		neg = !neg
	default:
		return nil, nil
	}
	return value(rounded(neg && !d.IsZero(), d.d, int(d.exp)))
}

// Abs is abs(d), which rounds to 28 digits as Python's does.
func (d *Decimal) Abs() (starlark.Value, error) { return value(rounded(false, d.d, int(d.exp))) }

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
	switch op {
	case syntax.PLUS:
		return d.sum(o)
	case syntax.MINUS:
		return d.sum(&Decimal{d: o.d, exp: o.exp, neg: !o.neg})
	case syntax.STAR:
		return rounded(d.neg != o.neg, d.d.mul(o.d), int(d.exp)+int(o.exp))
	case syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT:
		if o.IsZero() {
			return nil, errDivisionByZero
		}
		if op == syntax.SLASH {
			return d.quo(o)
		}
		quo, rem, ok := d.divide(o)
		if !ok {
			return nil, valueError("%s: the quotient of %s and %s has more than %d digits", op, d, o, Precision)
		}
		if op == syntax.SLASHSLASH {
			return finite(d.neg != o.neg, quo, 0)
		}
		return rounded(d.neg, rem, int(min(d.exp, o.exp)))
	}
	return nil, nil
}

func (d *Decimal) sum(o *Decimal) (*Decimal, error) {
	if d.exp < o.exp {
		d, o = o, d
	}
	x, y, exp := d.d, o.d, int(o.exp)
	if !x.isZero() {
		// A far smaller number only decides how the larger one is rounded: 1 behind the digits kept does that too, and
		// spares writing down what is between them.
		if far := int(d.exp) + min(-1, x.NumDigits()-Precision-2); o.adjusted() < far {
			exp = far
			if !y.isZero() {
				y = digits{small: 1}
			}
		}
		x = x.shift(int(d.exp) - exp)
	}
	if d.neg == o.neg {
		return rounded(d.neg, x.add(y), exp)
	}
	switch x.cmp(y) {
	case 1:
		return rounded(d.neg, x.sub(y), exp)
	case -1:
		return rounded(o.neg, y.sub(x), exp)
	}
	return rounded(false, digits{}, exp)
}

// quo divides by what is not zero. An exact quotient gets the exponent that is nearest to the difference of the
// operands'.
func (d *Decimal) quo(o *Decimal) (*Decimal, error) {
	neg, exp := d.neg != o.neg, int(d.exp)-int(o.exp)
	if d.IsZero() {
		return finite(neg, d.d, exp)
	}
	x, y := d.d, o.d
	extra := Precision + 1 + y.NumDigits() - x.NumDigits() // gives the quotient a digit or two to be rounded away
	if extra > 0 {
		x = x.shift(extra)
	} else {
		y = y.shift(-extra)
	}
	c, rem := x.quoRem(y)
	if rem.isZero() {
		zeros := max(min(c.zeros(), extra), 0)
		return rounded(neg, c.drop(zeros, neg, down), exp-extra+zeros)
	}
	// There is more behind the last digit, which will be rounded away: only a 0 or a 5 would hide that.
	if c.last()%5 == 0 {
		c = c.add(digits{small: 1})
	}
	return rounded(neg, c, exp-extra)
}

// divide gives the integer quotient and the remainder, whose exponent is the smaller one, of a division by what is not
// zero. It is not ok when the quotient has more digits than arithmetic keeps.
func (d *Decimal) divide(o *Decimal) (quo, rem digits, ok bool) {
	exp := min(d.exp, o.exp)
	gap := d.adjusted() - o.adjusted() // the quotient has this many digits, or one more
	if !d.IsZero() && gap > Precision {
		return quo, rem, false
	}
	rem = d.d.shift(int(d.exp - exp))
	if d.IsZero() || gap < -1 {
		return quo, rem, true
	}
	quo, rem = rem.quoRem(o.d.shift(int(o.exp - exp)))
	return quo, rem, quo.NumDigits() <= Precision
}
