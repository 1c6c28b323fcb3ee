package decimal

import (
	"math/big"
	"strings"
	"testing"

	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine"
)

// TestDigits compares what is done with a uint64 with math/big, on both sides of every border.
func TestDigits(t *testing.T) {
	var list []*big.Int
	for _, s := range []string{"0", "1", "5", "9", "10", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
		"9999999999999999999", "10000000000000000000", "18446744073709551610", "18446744073709551615", "18446744073709551616",
		"99999999999999999999", "100000000000000000000", "1" + strings.Repeat("0", 63), strings.Repeat("9", 63),
		"1" + strings.Repeat("0", 64), strings.Repeat("9", 64), "1" + strings.Repeat("0", 5000), strings.Repeat("9", 5000)} {
		n, _ := new(big.Int).SetString(s, 10)
		list = append(list, n)
		if got := digitsOf(n); got.NumDigits() != len(s) || string(got.append(nil)) != s {
			t.Errorf("%.30s: %d digits, %.30s", s, got.NumDigits(), got.append(nil))
		}
		if zeros := len(s) - len(strings.TrimRight(s, "0")); n.Sign() != 0 && digitsOf(n).zeros() != zeros {
			t.Errorf("%.30s: %d zeros, want %d", s, digitsOf(n).zeros(), zeros)
		}
	}
	same := func(what string, x, y *big.Int, got digits, want *big.Int) {
		t.Helper()
		if got.int().Cmp(want) != 0 || want.IsUint64() != (got.big == nil) {
			t.Errorf("%.30s %s %.30s: %.30s, want %.30s", x, what, y, got.append(nil), want)
		}
	}
	for _, x := range list {
		for _, y := range list {
			a, b := digitsOf(x), digitsOf(y)
			if a.cmp(b) != x.Cmp(y) {
				t.Errorf("%.30s and %.30s compare as %d", x, y, a.cmp(b))
			}
			same("+", x, y, a.add(b), new(big.Int).Add(x, y))
			same("*", x, y, a.mul(b), new(big.Int).Mul(x, y))
			if x.Cmp(y) >= 0 {
				same("-", x, y, a.sub(b), new(big.Int).Sub(x, y))
			}
			if y.Sign() > 0 {
				quo, rem := a.quoRem(b)
				same("/", x, y, quo, new(big.Int).Quo(x, y))
				same("%", x, y, rem, new(big.Int).Rem(x, y))
			}
		}
	}
	ten := big.NewInt(10)
	for n, want := 0, big.NewInt(1); n < 100; n, want = n+1, new(big.Int).Mul(want, ten) {
		same("power", ten, big.NewInt(int64(n)), power(n), want)
	}
}

// TestFarApart has operands whose digits lie further apart than arithmetic keeps digits, or just as far. The answers
// are CPython's.
func TestFarApart(t *testing.T) {
	nines := strings.Repeat("9", 28)
	for _, c := range []struct {
		x    string
		op   syntax.Token
		y    string
		want string
	}{
		{"1E+100000", syntax.PLUS, "1E-100000", "1.000000000000000000000000000E+100000"},
		{"1E+100000", syntax.MINUS, "1E-100000", "1.000000000000000000000000000E+100000"},
		{"1E+90000", syntax.PLUS, "0E-90000", "1.000000000000000000000000000E+90000"},
		{"0E+90000", syntax.PLUS, "-2E-90000", "-2E-90000"},
		{"0E+90000", syntax.MINUS, "0E-90000", "0E-90000"},
		{"1E-90000", syntax.SLASHSLASH, "-3E+90000", "-0"},
		{"1E-90000", syntax.PERCENT, "-3E+90000", "1E-90000"},
		{"1", syntax.PLUS, "5E-28", "1.000000000000000000000000000"},
		{"1", syntax.PLUS, "5.0000000000000000000000000000000000000000001E-28", "1.000000000000000000000000001"},
		{"1000000000000000000000000000", syntax.MINUS, "0.05", "1000000000000000000000000000"},
		{"1000000000000000000000000000", syntax.MINUS, "0.05000000000000000000000000000000000000000001", "999999999999999999999999999.9"},
		{"1000000000000000000000000000", syntax.MINUS, "0.04999999999999999999999999999999999999999999", "1000000000000000000000000000"},
		{"12345678901234567890123456785", syntax.PLUS, "1E-500", "1.234567890123456789012345679E+28"},
		{"12345678901234567890123456785", syntax.MINUS, "1E-500", "1.234567890123456789012345678E+28"},
		{nines + "95", syntax.SLASH, "1", "1.000000000000000000000000000E+30"},
		{nines, syntax.PLUS, "0.5", "1.000000000000000000000000000E+28"},
		{"1E+100000", syntax.SLASH, "1E+100000", "1"},
	} {
		got, err := mustParse(t, c.x).arithmetic(c.op, mustParse(t, c.y))
		if err != nil || got.String() != c.want {
			t.Errorf("%s %s %s: %v, %v, want %s", c.x, c.op, c.y, got, err, c.want)
		}
	}
}

// TestLimits makes numbers whose exponents would be out of range.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		x  string
		op syntax.Token
		y  string
	}{
		{"9E+100000", syntax.PLUS, "1E+100000"},
		{"1E+60000", syntax.STAR, "1E+60000"},
		{"1E-60000", syntax.STAR, "1E-60000"},
		{"1E-99990", syntax.SLASH, "3"},
		{"0E-60000", syntax.SLASH, "1E+60000"},
	} {
		if got, err := mustParse(t, c.x).arithmetic(c.op, mustParse(t, c.y)); engine.TypeOf(err) != engine.ValueError {
			t.Errorf("%s %s %s: %v, %v", c.x, c.op, c.y, got, err)
		}
	}
	if got, err := mustParse(t, "99E+99999").quantize(100000, halfEven); engine.TypeOf(err) != engine.ValueError {
		t.Errorf("quantize: %v, %v", got, err)
	}
}
