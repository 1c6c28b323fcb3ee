package decimal

import (
	"cmp"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"sync"
)

// digits is a coefficient: a number without sign. One below 2**64 is in small, so that most work allocates nothing; a
// larger one is in big, which nobody changes.
type digits struct {
	small uint64
	big   *big.Int
}

// digitsOf keeps n, which must not be negative.
func digitsOf(n *big.Int) digits {
	if n.IsUint64() {
		return digits{small: n.Uint64()}
	}
	return digits{big: n}
}

var powers = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// bigPowers continues powers. It covers what rounding needs of usual numbers, and is made when first needed, not when the
// program starts.
var bigPowers = sync.OnceValue(func() []digits {
	out := make([]digits, 44)
	n := digits{small: powers[len(powers)-1]}
	for i := range out {
		n = n.mul(digits{small: 10})
		out[i] = n
	}
	return out
})

// power is 10**n.
func power(n int) digits {
	if n < len(powers) {
		return digits{small: powers[n]}
	}
	if list := bigPowers(); n-len(powers) < len(list) {
		return list[n-len(powers)]
	}
	return digits{big: new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)}
}

// int is for reading only.
func (c digits) int() *big.Int {
	if c.big != nil {
		return c.big
	}
	return new(big.Int).SetUint64(c.small)
}

func (c digits) isZero() bool { return c.big == nil && c.small == 0 }

// NumDigits is the number of decimal digits, 1 for zero.
func (c digits) NumDigits() int {
	if c.big == nil {
		n := 1
		for n < len(powers) && c.small >= powers[n] {
			n++
		}
		return n
	}
	// 2**(BitLen-1) has this many digits, log10(2) being a little more than 0.30102999, or one more.
	n := int(int64(c.big.BitLen()-1)*30102999/100000000) + 1
	for c.cmp(power(n)) >= 0 {
		n++
	}
	return n
}

// last is the last digit.
func (c digits) last() uint64 {
	_, rem := c.quoRem(power(1))
	return rem.small
}

// zeros is the number of zeros at the end of a number that is not zero.
func (c digits) zeros() int {
	n := 0
	for _, digit := range slices.Backward(c.append(nil)) {
		if digit != '0' {
			break
		}
		n++
	}
	return n
}

func (c digits) append(b []byte) []byte {
	if c.big == nil {
		return strconv.AppendUint(b, c.small, 10)
	}
	return c.big.Append(b, 10)
}

func (c digits) cmp(o digits) int {
	if c.big == nil && o.big == nil {
		return cmp.Compare(c.small, o.small)
	}
	return c.int().Cmp(o.int())
}

func (c digits) add(o digits) digits {
	if c.big == nil && o.big == nil {
		if sum, carry := bits.Add64(c.small, o.small, 0); carry == 0 {
			return digits{small: sum}
		}
	}
	return digitsOf(new(big.Int).Add(c.int(), o.int()))
}

// sub wants an o that is not larger.
func (c digits) sub(o digits) digits {
	if c.big == nil && o.big == nil {
		return digits{small: c.small - o.small}
	}
	return digitsOf(new(big.Int).Sub(c.int(), o.int()))
}

func (c digits) mul(o digits) digits {
	if c.big == nil && o.big == nil {
		if hi, lo := bits.Mul64(c.small, o.small); hi == 0 {
			return digits{small: lo}
		}
	}
	return digitsOf(new(big.Int).Mul(c.int(), o.int()))
}

// quoRem wants an o that is not zero.
func (c digits) quoRem(o digits) (quo, rem digits) {
	if c.big == nil && o.big == nil {
		return digits{small: c.small / o.small}, digits{small: c.small % o.small}
	}
	q, r := new(big.Int).QuoRem(c.int(), o.int(), new(big.Int))
	return digitsOf(q), digitsOf(r)
}

// shift is c * 10**n.
func (c digits) shift(n int) digits {
	if n == 0 || c.isZero() {
		return c
	}
	return c.mul(power(n))
}

// drop is c / 10**n, rounded.
func (c digits) drop(n int, neg bool, mode rounding) digits {
	n = min(n, c.NumDigits()+1) // below a tenth, however far
	unit := power(n)
	quo, rem := c.quoRem(unit)
	if rem.isZero() {
		return quo
	}
	if mode.up(quo, neg, rem.cmp(unit.sub(rem))) {
		return quo.add(digits{small: 1})
	}
	return quo
}

// rounding is one of the specification's rounding modes.
type rounding string

const (
	halfEven rounding = "half_even"
	halfUp   rounding = "half_up"
	halfDown rounding = "half_down"
	up       rounding = "up"
	down     rounding = "down"
	ceiling  rounding = "ceiling"
	floor    rounding = "floor"
	up05     rounding = "05up"
)

// up says whether quo, what is left when something was cut off, grows by one; half is -1 when less than half of one was
// cut off, 0 for half and 1 for more.
func (r rounding) up(quo digits, neg bool, half int) bool {
	switch r {
	case halfEven:
		return half > 0 || half == 0 && quo.last()%2 == 1
	case halfUp:
		return half >= 0
	case halfDown:
		return half > 0
	case up:
		return true
	case ceiling:
		return !neg
	case floor:
		return neg
	case up05:
		return quo.last()%5 == 0
	}
	return false
}
