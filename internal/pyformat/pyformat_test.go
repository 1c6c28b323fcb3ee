package pyformat

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The agreement with CPython is tested where scripts meet it, in builtins/lang; here is what holds for every input.

func FuzzFormat(f *testing.F) {
	for _, spec := range []string{"", ">10", "*^5.2", "010,.2f", "+#x", "_b", "z.1e", " %", "é=+08g", "c", ".3", "0=20,", "99999999999"} {
		f.Add(spec, 1234.5678, int64(-255), "été")
	}
	f.Fuzz(func(t *testing.T, spec string, x float64, n int64, s string) {
		digits := strconv.FormatUint(uint64(max(n, -n, 0)), 10)
		for _, format := range []func() (string, error){
			func() (string, error) { return String(s, spec) },
			func() (string, error) { return FormatFloat(x, spec) },
			func() (string, error) { return FormatInt(big.NewInt(n), spec, "int") },
			func() (string, error) { return FormatDecimal(Decimal{n < 0, digits, int(int8(n))}, spec) },
		} {
			out, err := format()
			if err == nil && len(out) > 8*MaxWidth {
				t.Errorf("%q gives %d bytes", spec, len(out))
			}
			if err == nil && utf8.ValidString(spec) && utf8.ValidString(s) && !utf8.ValidString(out) {
				t.Errorf("%q gives %q", spec, out)
			}
		}
	})
}

func FuzzRound(f *testing.F) {
	f.Add(2.675, 2, int64(25))
	f.Add(-1e300, -299, int64(-5))
	f.Fuzz(func(t *testing.T, x float64, n int, i int64) {
		if y, ok := RoundFloat(x, n); ok && !math.IsNaN(x) && !math.IsInf(x, 0) {
			if again, ok := RoundFloat(y, n); !ok || again != y {
				t.Errorf("round(%v, %d) is %v, and that rounds to %v", x, n, y, again)
			}
			if n >= 0 && n < 300 && math.Abs(y-x) > math.Pow(10, float64(-n)) && math.Abs(x) < 1e15 {
				t.Errorf("round(%v, %d) is %v", x, n, y)
			}
		}
		if n > -100 {
			r := RoundInt(big.NewInt(i), n)
			if n < 0 && !strings.HasSuffix("00"+r.String(), strings.Repeat("0", min(-n, 2))) && r.Sign() != 0 {
				t.Errorf("round(%d, %d) is %s", i, n, r)
			}
		}
		back, err := strconv.ParseFloat(Float(x), 64)
		if err != nil || back != x && !math.IsNaN(x) {
			t.Errorf("Float(%v) is %s", x, Float(x))
		}
	})
}

func BenchmarkFormatFloat(b *testing.B) {
	for b.Loop() {
		if _, err := FormatFloat(1234.5, "10,.2f"); err != nil {
			b.Fatal(err)
		}
	}
}
