package decimal

import (
	"math"
	"math/big"
	"strings"
	"testing"

	starlarkjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

type extras struct{}

func (extras) Name() string { return "extras" }

func (extras) Predeclared() starlark.StringDict {
	return starlark.StringDict{"json": starlarkjson.Module}
}

func TestScripts(t *testing.T) {
	enginetest.Chunks(t, engine.Config{Modules: []engine.Module{Module{}, extras{}}}, "testdata/values.star")
}

func mustParse(t testing.TB, s string) *Decimal {
	t.Helper()
	d, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGo tests what other packages use.
func TestGo(t *testing.T) {
	for _, c := range []struct {
		name string
		got  *Decimal
		want string
	}{
		{"scaled", FromScaled(150, 2), "1.50"},
		{"scaled below one", FromScaled(-5, 3), "-0.005"},
		{"negative scale", FromScaled(15, -1), "1.5E+2"},
		{"the smallest int", FromInt(math.MinInt64), "-9223372036854775808"},
		{"the smallest int, scaled", FromScaled(math.MinInt64, 2), "-92233720368547758.08"},
		{"big", FromBigInt(new(big.Int).Lsh(big.NewInt(-1), 70)), "-1180591620717411303424"},
	} {
		if c.got.String() != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	for _, c := range []struct {
		in    string
		scale int32
		want  string
	}{{"1.005", 2, "1.00"}, {"1.015", 2, "1.02"}, {"1", 2, "1.00"}, {"0", 3, "0.000"}, {"-0.001", 2, "-0.00"}, {"149", -2, "1E+2"}} {
		d, err := mustParse(t, c.in).Quantize(c.scale)
		if err != nil || d.String() != c.want {
			t.Errorf("%s to %d: %v, %v, want %s", c.in, c.scale, d, err, c.want)
		}
	}
	if f, err := mustParse(t, "1.1").Float64(); err != nil || f != 1.1 {
		t.Errorf("float: %v, %v", f, err)
	}
	if _, err := mustParse(t, "1E+400").Float64(); engine.TypeOf(err) != engine.ValueError {
		t.Errorf("float of 1E+400: %v", err)
	}
	if n := mustParse(t, "-12.99").BigInt(); n.Int64() != -12 {
		t.Errorf("int: %s", n)
	}
	if n := mustParse(t, "1E-100000").BigInt(); n.Sign() != 0 {
		t.Errorf("int: %s", n)
	}
	if sum, err := mustParse(t, "1.5").Add(FromInt(2)); err != nil || sum.String() != "3.5" {
		t.Errorf("sum: %v, %v", sum, err)
	}
}

// TestHostile runs what would eat time or memory if it were written out.
func TestHostile(t *testing.T) {
	huge, tiny := mustParse(t, "1E+100000"), mustParse(t, "1E-100000")
	for _, op := range []syntax.Token{syntax.PLUS, syntax.MINUS, syntax.STAR, syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT} {
		for _, pair := range [][2]*Decimal{{huge, tiny}, {tiny, huge}, {huge, huge}, {tiny, tiny}} {
			v, err := pair[0].Binary(op, pair[1], starlark.Left)
			if err == nil && v == nil {
				t.Errorf("%s %s %s: neither value nor error", pair[0], op, pair[1])
			}
		}
	}
	if _, err := huge.Quantize(0); engine.TypeOf(err) != engine.ValueError {
		t.Errorf("quantize: %v", err)
	}
	if d := tiny.integral("half_even"); d.String() != "0" {
		t.Errorf("integral: %s", d)
	}
	for _, s := range []string{"1E+1000000000", "1E-99999999999999999999", strings.Repeat("9", maxDigits+1), "1E100001"} {
		if _, err := Parse(s); engine.TypeOf(err) != engine.ValueError {
			t.Errorf("%.30s: %v", s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.50", "-0.00", "1E+3", ".5", "5.", "1_000", " 7\n", "NaN", "1e-7", "99999999999999999999999999999.5", "0E-20", "1E+100000"} {
		f.Add(s, "3")
	}
	f.Fuzz(func(t *testing.T, s, s2 string) {
		d, err := Parse(s)
		if err != nil {
			if engine.TypeOf(err) != engine.ValueError {
				t.Errorf("%q: %v is no ValueError", s, err)
			}
			return
		}
		back, err := Parse(d.String())
		if err != nil || back.String() != d.String() || back.Compare(d) != 0 {
			t.Fatalf("%q: %s, then %v, %v", s, d, back, err)
		}
		if v, err := d.Attr("normalize"); err == nil && d.d.NumDigits() <= Precision {
			n, err := starlark.Call(new(starlark.Thread), v, nil, nil)
			if err != nil {
				t.Fatalf("%s.normalize(): %v", d, err)
			}
			h1, _ := d.Hash()
			h2, _ := n.Hash()
			if n.(*Decimal).Compare(d) != 0 || h1 != h2 {
				t.Errorf("%s and %s: hashes %d and %d", d, n, h1, h2)
			}
		}
		o, err := Parse(s2)
		if err != nil {
			return
		}
		for _, op := range []syntax.Token{syntax.PLUS, syntax.MINUS, syntax.STAR, syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT} {
			if v, err := d.Binary(op, o, starlark.Left); err == nil {
				if _, err := Parse(v.String()); err != nil {
					t.Errorf("%s %s %s: %v", d, op, o, err)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("12345.67"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	x, y := FromScaled(1234567, 2), FromScaled(150, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Add(y); err != nil {
			b.Fatal(err)
		}
	}
}
