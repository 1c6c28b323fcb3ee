package lang

import (
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
	"github.com/starmanage/starmanage/internal/pyformat"
)

func TestScripts(t *testing.T) {
	enginetest.Chunks(t, engine.Config{Modules: []engine.Module{Module{}, decimal.Module{}, datetime.Module{}}}, "testdata/values.star")
}

func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		expr string
		want *engine.ErrorType
	}{
		{`int("x")`, engine.ValueError},
		{`int("1", 99)`, engine.ValueError},
		{`float("x")`, engine.ValueError},
		{`json.decode("{")`, engine.ValueError},
		{`format("a", "d")`, engine.ValueError},
		{`format(date(2026, 1, 2), "%s")`, engine.ValueError},
		{`round(float("inf"))`, engine.ValueError},
		{`Decimal("x")`, engine.ValueError},
		{`date.fromisoformat("x")`, engine.ValueError},
		{`datetime.strptime("x", "%Y")`, engine.ValueError},
		{`int(None)`, nil},
		{`json.decode(1)`, nil},
		{`json.decode()`, nil},
		{`sum([1, "a"])`, nil},
		{`Decimal(1) / 0`, nil},
		{`format(None, "d")`, nil},
	} {
		_, err := starlark.EvalOptions(&syntax.FileOptions{}, new(starlark.Thread), "case.star", c.expr, predeclared())
		if err == nil || engine.TypeOf(err) != c.want {
			t.Errorf("%s: %v is of kind %v, want %v", c.expr, err, engine.TypeOf(err), c.want)
		}
	}
}

func FuzzIntFloat(f *testing.F) {
	for _, s := range []string{"10", "-1_000", "0x1f", " 7 ", "1e5", "+nan", "0b_1", "00", "1_", "é"} {
		f.Add(s, 0)
	}
	f.Fuzz(func(t *testing.T, s string, base int) {
		if n, ok := parseInt(s, 10); ok {
			if back, ok := parseInt(n.String(), 10); !ok || back.Cmp(n) != 0 {
				t.Errorf("%q: %s, then %v", s, n, back)
			}
		}
		if base == 0 || base >= 2 && base <= 36 {
			parseInt(s, base)
		}
		parseFloat(s)
		pyformat.Quote(s)
	})
}
