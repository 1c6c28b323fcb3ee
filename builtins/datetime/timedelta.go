package datetime

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Timedelta is a duration: days, and microseconds within the day, as Python's datetime.timedelta. It is immutable.
type Timedelta struct {
	days int64 // -maxDays to maxDays
	us   int64 // 0 to usPerDay-1
}

const maxDays = 999_999_999

var (
	_ starlark.Value      = (*Timedelta)(nil)
	_ starlark.HasAttrs   = (*Timedelta)(nil)
	_ starlark.HasBinary  = (*Timedelta)(nil)
	_ starlark.HasUnary   = (*Timedelta)(nil)
	_ starlark.Comparable = (*Timedelta)(nil)
	_ json.Marshaler      = (*Timedelta)(nil)
)

// newDelta brings days and microseconds into normal form. Neither may be near the ends of int64.
func newDelta(days, us int64) (*Timedelta, error) {
	q, us := floorDiv(us, usPerDay)
	days += q
	if days < -maxDays || days > maxDays {
		return nil, overflowError("days=%d; must have magnitude <= %d", days, maxDays)
	}
	return &Timedelta{days, us}, nil
}

// microsDelta is for durations below 292,000 years, which always fit.
func microsDelta(us int64) *Timedelta {
	days, us := floorDiv(us, usPerDay)
	return &Timedelta{days, us}
}

func bigDelta(us *big.Int) (*Timedelta, error) {
	days, rest := new(big.Int).DivMod(us, big.NewInt(usPerDay), new(big.Int))
	if !days.IsInt64() || days.Int64() < -maxDays || days.Int64() > maxDays {
		return nil, overflowError("days=%d; must have magnitude <= %d", days, maxDays)
	}
	return &Timedelta{days.Int64(), rest.Int64()}, nil
}

// FromDuration is the Timedelta of a Go duration, cut to whole microseconds.
func FromDuration(d time.Duration) *Timedelta { return microsDelta(d.Microseconds()) }

// Duration is the Timedelta as Go knows it; ok is false beyond 292 years.
func (d *Timedelta) Duration() (_ time.Duration, ok bool) {
	if d.days < -106_751 || d.days >= 106_751 {
		return 0, false
	}
	return time.Duration((d.days*usPerDay + d.us) * 1000), true
}

func (d *Timedelta) micros() *big.Int {
	us := new(big.Int).Mul(big.NewInt(d.days), big.NewInt(usPerDay))
	return us.Add(us, big.NewInt(d.us))
}

// TotalSeconds is the duration in seconds, correctly rounded.
func (d *Timedelta) TotalSeconds() float64 {
	f, _ := new(big.Rat).SetFrac(d.micros(), big.NewInt(usPerSecond)).Float64()
	return f
}

// Compare is -1, 0 or 1.
func (d *Timedelta) Compare(o *Timedelta) int {
	switch {
	case d.days < o.days || d.days == o.days && d.us < o.us:
		return -1
	case *d == *o:
		return 0
	}
	return 1
}

// String prints as Python's str: "1 day, 2:03:04.000005".
func (d *Timedelta) String() string {
	var b []byte
	if d.days != 0 {
		b = fmt.Appendf(b, "%d day", d.days)
		if d.days != 1 && d.days != -1 {
			b = append(b, 's')
		}
		b = append(b, ", "...)
	}
	b = fmt.Appendf(b, "%d:%02d:%02d", d.us/usPerHour, d.us/usPerMinute%60, d.us/usPerSecond%60)
	if us := d.us % usPerSecond; us != 0 {
		b = fmt.Appendf(b, ".%06d", us)
	}
	return string(b)
}

// Repr prints as Python's repr: "datetime.timedelta(days=1, seconds=7384)".
func (d *Timedelta) Repr() string {
	b := []byte("datetime.timedelta(")
	sep := ""
	for _, part := range []struct {
		name string
		n    int64
	}{{"days", d.days}, {"seconds", d.us / usPerSecond}, {"microseconds", d.us % usPerSecond}} {
		if part.n != 0 {
			b = fmt.Appendf(b, "%s%s=%d", sep, part.name, part.n)
			sep = ", "
		}
	}
	if sep == "" {
		b = append(b, '0')
	}
	return string(append(b, ')'))
}

// MarshalJSON writes an ISO 8601 duration as Django's encoder does: "P1DT02H03M04.000005S", with a minus before the P.
func (d *Timedelta) MarshalJSON() ([]byte, error) {
	sign := ""
	if d.days < 0 {
		sign = "-"
		d = d.neg()
	}
	b := fmt.Appendf(nil, `"%sP%dDT%02dH%02dM%02d`, sign, d.days, d.us/usPerHour, d.us/usPerMinute%60, d.us/usPerSecond%60)
	if us := d.us % usPerSecond; us != 0 {
		b = fmt.Appendf(b, ".%06d", us)
	}
	return append(b, 'S', '"'), nil
}

// neg of the smallest durations is beyond the largest one: Unary refuses that, and for JSON it is exact.
func (d *Timedelta) neg() *Timedelta {
	q, us := floorDiv(-d.us, usPerDay)
	return &Timedelta{q - d.days, us}
}

func (d *Timedelta) Type() string         { return "timedelta" }
func (d *Timedelta) Freeze()              {}
func (d *Timedelta) Truth() starlark.Bool { return *d != Timedelta{} }
func (d *Timedelta) Hash() (uint32, error) {
	return hashInt(d.days*1_000_003 ^ d.us), nil
}

func (d *Timedelta) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return threeway(op, d.Compare(y.(*Timedelta))), nil
}

// Unary is + and -.
func (d *Timedelta) Unary(op syntax.Token) (starlark.Value, error) {
	switch op {
	case syntax.PLUS:
		return d, nil
	case syntax.MINUS:
		return delta(newDelta(-d.days, -d.us))
	}
	return nil, nil
}

// Abs is abs(d).
func (d *Timedelta) Abs() (starlark.Value, error) {
	if d.days < 0 {
		return d.Unary(syntax.MINUS)
	}
	return d, nil
}

// delta keeps a nil *Timedelta from becoming a starlark.Value that is not nil.
func delta(d *Timedelta, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Timedelta) add(o *Timedelta) (*Timedelta, error) { return newDelta(d.days+o.days, d.us+o.us) }
func (d *Timedelta) sub(o *Timedelta) (*Timedelta, error) { return newDelta(d.days-o.days, d.us-o.us) }

// Binary is the arithmetic of Python's timedelta: + and - with a timedelta (and on the right of a date or datetime),
// * with an int or float, / and // with a number or a timedelta, % with a timedelta.
func (d *Timedelta) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	switch y := y.(type) {
	case *Timedelta:
		if side == starlark.Left {
			return d.withDelta(op, y)
		}
		return y.withDelta(op, d)
	case starlark.Int:
		return d.withInt(op, y.BigInt(), side)
	case starlark.Float:
		return d.withFloat(op, float64(y), side)
	case *DateTime:
		if op == syntax.PLUS {
			return dateTime(y.Add(d))
		}
	case *Date:
		if op == syntax.PLUS {
			return date(y.AddDays(d.days))
		}
	}
	return nil, nil
}

func (d *Timedelta) withDelta(op syntax.Token, y *Timedelta) (starlark.Value, error) {
	switch op {
	case syntax.PLUS:
		return delta(d.add(y))
	case syntax.MINUS:
		return delta(d.sub(y))
	case syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT:
		if !y.Truth() {
			switch op {
			case syntax.SLASH:
				return nil, zeroDivisionError("division by zero")
			case syntax.PERCENT:
				return nil, zeroDivisionError("integer modulo by zero")
			}
			return nil, zeroDivisionError("integer division or modulo by zero")
		}
	}
	switch op {
	case syntax.SLASH:
		f, _ := new(big.Rat).SetFrac(d.micros(), y.micros()).Float64()
		if f == 0 && y.days < 0 {
			f = math.Copysign(0, -1)
		}
		return starlark.Float(f), nil
	case syntax.SLASHSLASH:
		q, _ := bigFloorDiv(d.micros(), y.micros())
		return starlark.MakeBigInt(q), nil
	case syntax.PERCENT:
		_, r := bigFloorDiv(d.micros(), y.micros())
		return delta(bigDelta(r))
	}
	return nil, nil
}

func (d *Timedelta) withInt(op syntax.Token, n *big.Int, side starlark.Side) (starlark.Value, error) {
	if op == syntax.STAR {
		return delta(bigDelta(n.Mul(d.micros(), n)))
	}
	if side == starlark.Right {
		return nil, nil
	}
	switch op {
	case syntax.SLASH:
		if n.Sign() == 0 {
			return nil, zeroDivisionError("integer division or modulo by zero")
		}
		return delta(bigDelta(divideNearest(d.micros(), n)))
	case syntax.SLASHSLASH:
		if n.Sign() == 0 {
			return nil, zeroDivisionError("integer division or modulo by zero")
		}
		q, _ := bigFloorDiv(d.micros(), n)
		return delta(bigDelta(q))
	}
	return nil, nil
}

func (d *Timedelta) withFloat(op syntax.Token, f float64, side starlark.Side) (starlark.Value, error) {
	if op != syntax.STAR && (op != syntax.SLASH || side == starlark.Right) {
		return nil, nil
	}
	if math.IsNaN(f) {
		return nil, valueError("cannot convert NaN to integer ratio")
	}
	if math.IsInf(f, 0) {
		return nil, overflowError("cannot convert Infinity to integer ratio")
	}
	ratio := new(big.Rat)
	ratio.SetFloat64(f)
	num, den := ratio.Num(), ratio.Denom()
	if op == syntax.SLASH {
		num, den = den, num
		if den.Sign() == 0 {
			return nil, zeroDivisionError("integer division or modulo by zero")
		}
	}
	return delta(bigDelta(divideNearest(num.Mul(d.micros(), num), den)))
}

func bigFloorDiv(a, b *big.Int) (q, r *big.Int) {
	q, r = new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() != 0 && (r.Sign() < 0) != (b.Sign() < 0) {
		q.Sub(q, big.NewInt(1))
		r.Add(r, b)
	}
	return q, r
}

// divideNearest rounds half to even.
func divideNearest(a, b *big.Int) *big.Int {
	if b.Sign() < 0 {
		a, b = new(big.Int).Neg(a), new(big.Int).Neg(b)
	}
	q, r := bigFloorDiv(a, b)
	half := r.Lsh(r, 1).Cmp(b)
	if half > 0 || half == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

var deltaMethods = methods{"total_seconds": deltaTotalSeconds}

func (d *Timedelta) AttrNames() []string {
	return deltaMethods.names("days", "microseconds", "seconds")
}

// Attr gives days, seconds (0 to 86399), microseconds, and total_seconds().
func (d *Timedelta) Attr(name string) (starlark.Value, error) {
	switch name {
	case "days":
		return starlark.MakeInt64(d.days), nil
	case "seconds":
		return starlark.MakeInt64(d.us / usPerSecond), nil
	case "microseconds":
		return starlark.MakeInt64(d.us % usPerSecond), nil
	}
	return deltaMethods.bind(name, d)
}

// total_seconds() is the whole duration in seconds, as a float.
func deltaTotalSeconds(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.Float(b.Receiver().(*Timedelta).TotalSeconds()), nil
}

// timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0) adds its parts, each an
// int or a float. Fractions of a microsecond are rounded half to even, once, at the end, as in CPython.
func newTimedelta(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var days, seconds, micros, millis, minutes, hours, weeks starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "days?", &days, "seconds?", &seconds, "microseconds?", &micros,
		"milliseconds?", &millis, "minutes?", &minutes, "hours?", &hours, "weeks?", &weeks); err != nil {
		return nil, err
	}
	sum := new(big.Int)
	left := 0.0
	for _, part := range []struct {
		name   string
		value  starlark.Value
		factor int64
	}{
		{"microseconds", micros, 1}, {"milliseconds", millis, 1000}, {"seconds", seconds, usPerSecond},
		{"minutes", minutes, usPerMinute}, {"hours", hours, usPerHour}, {"days", days, usPerDay}, {"weeks", weeks, 7 * usPerDay},
	} {
		switch v := part.value.(type) {
		case nil:
		case starlark.Int:
			sum.Add(sum, new(big.Int).Mul(v.BigInt(), big.NewInt(part.factor)))
		case starlark.Float:
			f := float64(v)
			if math.IsNaN(f) {
				return nil, valueError("cannot convert float NaN to integer")
			}
			if math.IsInf(f, 0) {
				return nil, overflowError("cannot convert float infinity to integer")
			}
			whole, frac := math.Modf(f)
			n, _ := big.NewFloat(whole).Int(nil)
			sum.Add(sum, n.Mul(n, big.NewInt(part.factor)))
			whole, frac = math.Modf(float64(part.factor) * frac)
			sum.Add(sum, big.NewInt(int64(whole)))
			left += frac
		default:
			return nil, typeError("unsupported type for timedelta %s component: %s", part.name, part.value.Type())
		}
	}
	whole := math.Round(left)
	if math.Abs(whole-left) == 0.5 {
		odd := float64(sum.Bit(0))
		whole = 2*math.Round((left+odd)*0.5) - odd
	}
	return delta(bigDelta(sum.Add(sum, big.NewInt(int64(whole)))))
}
