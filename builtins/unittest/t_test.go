package unittest_test

import (
	"strings"
	"testing"

	"github.com/starmanage/starmanage/engine/enginetest"
)

// one runs a test with the given body and returns what the report says of it:
// the lines from the error on, "ok" when there is none.
func one(t *testing.T, body string) string {
	t.Helper()
	got := enginetest.Run(t, tests("def test_one(t):\n    "+strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n    ")+"\n"), "test")
	if got.Code == 0 && strings.HasPrefix(got.Stdout, ".\n") {
		return "ok"
	}
	text, _, _ := strings.Cut(got.Stdout+got.Stderr, "\n"+line+"Ran ")
	text, _, _ = strings.Cut(text, "\n\nOutput:\n")
	for _, label := range []string{"AssertionError: ", "Error: "} {
		if _, rest, ok := strings.Cut(text, "\n"+label); ok {
			return label + strings.TrimRight(rest, "\n")
		}
	}
	return text
}

func TestAssertions(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`t.eq(1, 1)`, "ok"},
		{`t.eq(got = 1, want = 1.0, msg = "m")`, "ok"},
		{`t.eq(1, 2)`, "AssertionError: not equal:\n  got:  1\n  want: 2"},
		{`t.eq(1, 2, "the sum")`, "AssertionError: the sum: not equal:\n  got:  1\n  want: 2"},
		{`t.eq("1", 1)`, "AssertionError: not equal:\n  got:  \"1\" (string)\n  want: 1 (int)"},
		{`t.eq(Decimal("1"), 1)`, "AssertionError: not equal:\n  got:  1 (Decimal)\n  want: 1 (int)"},
		{`t.eq(True, 1)`, "AssertionError: not equal:\n  got:  True (bool)\n  want: 1 (int)"},
		{`t.eq([1, [2]], [1, [3]])`, "AssertionError: not equal:\n  got:  [1, [2]]\n  want: [1, [3]]\n  first difference at [1][0]"},
		{`t.eq((1,), [1])`, "AssertionError: not equal:\n  got:  (1,) (tuple)\n  want: [1] (list)"},
		{`t.eq({"a": 1, "b": 2}, {"b": 2, "a": 1})`, "ok"},
		{`t.eq(struct(a = [1]), struct(a = [1]))`, "ok"},
		{`t.eq(struct(a = [1]), struct(a = [2]))`, "AssertionError: not equal:\n  got:  struct(a = [1])\n  want: struct(a = [2])\n  first difference at .a[0]"},
		{`t.eq(set([1, 2]), set([2, 1]))`, "ok"},
		{`t.eq(date(2026, 1, 1), date(2026, 1, 1))`, "ok"},
		{`t.eq(1)`, "Error: t.eq: missing argument for want"},
		{`t.eq(1, 2, nope = 3)`, "Error: t.eq: unexpected keyword argument \"nope\""},

		{`t.ne(1, 2)`, "ok"},
		{`t.ne(got = [1], other = [2], msg = "m")`, "ok"},
		{`t.ne([1], [1])`, "AssertionError: equal, and should not be: [1]"},

		{`t.true([1])`, "ok"},
		{`t.true(value = 1, msg = "m")`, "ok"},
		{`t.true([])`, "AssertionError: not true: []"},
		{`t.true(0, "count")`, "AssertionError: count: not true: 0"},
		{`t.false("")`, "ok"},
		{`t.false(value = 0, msg = "m")`, "ok"},
		{`t.false("x")`, "AssertionError: not false: \"x\""},

		{`t.lt(1, 2)`, "ok"},
		{`t.lt(less = 1.5, more = 2, msg = "m")`, "ok"},
		{`t.lt(2, 2)`, "AssertionError: not less:\n  2\n  is not less than\n  2"},
		{`t.lt(1, "2")`, "Error: t.lt: int < string not implemented"},

		{`t.contains("abc", "b")`, "ok"},
		{`t.contains(container = [[1]], item = [1], msg = "m")`, "ok"},
		{`t.contains({"a": 1}, "a")`, "ok"},
		{`t.contains(range(3), 2)`, "ok"},
		{`t.contains(set([1]), 2)`, "AssertionError: 2 is not in set([1])"},
		{`t.contains("abc", "x")`, "AssertionError: \"x\" is not in \"abc\""},
		{`t.contains("abc\n", "x")`, "AssertionError: \"x\" is not in \"abc\\n\""},
		{`t.contains("a\nb\n", "x")`, "AssertionError: \"x\" is not in the text\n  | a\n  | b"},
		{`t.contains(5, "x")`, "Error: t.contains: unknown binary op: string in int"},

		{`t.matches("abc", "^a.c$")`, "ok"},
		{`t.matches(text = "abc", pattern = "b", msg = "m")`, "ok"},
		{`t.matches("abc", "^b")`, "AssertionError: \"^b\" does not match \"abc\""},
		{`t.matches("abc", "(")`, "Error: t.matches: error parsing regexp: missing closing ): `(`"},

		{`t.fails(lambda: ValueError("no"), "^ValueError: no$")`, "ok"},
		{`t.fails(fn = lambda: ValueError("no"), pattern = "no")`, "ok"},
		{`t.fails(lambda: [][1], "^Error: index 1 out of range")`, "ok"},
		{`t.fails(lambda: t.eq(1, 2), "^AssertionError: not equal")`, "ok"},
		{`t.fails(lambda: fail("x"), "^Error: x$")`, "ok"},
		{"e = t.fails(lambda: call_command('hello', 'bad'), 'bad')\nt.eq((e.type, e.message, e.hint, e.returncode), ('CommandError', 'bad name', 'Another.', 3))\nt.contains(e.traceback, 'hello.star:')", "ok"},
		{"e = t.fails(lambda: call_command('hello', 'exit'), 'exit\\\\(7\\\\)')\nt.eq((e.type, e.returncode), ('exit', 7))", "ok"},
		{`t.fails(lambda: 1)`, "AssertionError: no error"},
		{`t.fails(lambda: 1, "x")`, `AssertionError: no error, want one that matches "x"`},
		{`t.fails(1)`, "Error: t.fails: for parameter fn: got int, want callable"},

		{`t.run(name = "a", fn = lambda t: t.eq(1, 1)) or fail("not passed")`, "ok"},
		{`t.run("a", lambda t: t.run("b", lambda t: t.eq(1, 2))) or fail("not passed")`, "AssertionError: not equal:\n  got:  1\n  want: 2"},
		{"t.run('a', lambda t: t.skip('x'))\nt.log('after')", "ok"},
		{"catch(lambda: t.skip('x'))\nfail('not skipped')", "s"},

		{`t.now(moment = datetime(2020, 1, 1)); t.eq(date.today().year, 2020)`, "ok"},
		{`t.now("2020-01-01")`, "Error: t.now: for parameter moment: got string, want datetime"},
		{`t.queries(0)`, "Error: t.queries: this program has no database"},
		{`t.queries(n = 0, fn = None)`, "Error: t.queries: this program has no database"},
		{`t.on_commit()`, "Error: t.on_commit: this program has no database"},

		{`t.nope`, "Error: t has no .nope field or method"},
		{`t.eq(type(t), "t"); t.eq(str(t), "<test ops.test_x.test_one>")`, "ok"},
		{`t.eq(sorted(dir(t)), dir(t))`, "ok"},
	} {
		got := one(t, tt.body)
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.body, got, tt.want)
		}
	}
}

// Long values are laid side by side.
func TestDiff(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"texts", `t.eq("a\nb\nc\n", "a\nc\nd\n")`, `AssertionError: not equal:
--- want
+++ got
  a
+ b
  c
- d`},
		{"a newline", `t.eq("a\nb", "a\nb\n")`, `AssertionError: not equal:
--- want
+++ got
  a
- b
+ b (no newline at the end)`},
		{"what does not show", `t.eq("a\r\nb\nc \nd\te\n", "a\nb\nc\nd\te\n")`, `AssertionError: not equal:
--- want
+++ got
- a
+ "a\r"
  b
- c
+ "c "
  d	e`},
		{"a terminal's colours", `t.contains("a\n\x1b[31mred\x1b[0m\n", "blue")`, `AssertionError: "blue" is not in the text
  | a
  | "\x1b[31mred\x1b[0m"`},
		{"a long text, its equal lines left out", `
lines = ["line %d" % i for i in range(50)]
other = lines[:25] + ["changed"] + lines[26:]
t.eq("\n".join(lines), "\n".join(other))`, `AssertionError: not equal:
--- want
+++ got
  … 22 equal lines
  line 22
  line 23
  line 24
- changed
+ line 25
  line 26
  line 27
  line 28
  … 21 equal lines`},
		{"long lines", `t.eq("x" * 100 + "a" + "y" * 100, "x" * 100 + "b" + "y" * 100)`, `AssertionError: not equal, first difference at character 100:
  got:  …"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxayyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"…
  want: …"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxbyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"…`},
		{"dicts in any order", `
row = dict(id = 1, name = "a name that is long enough", email = "ada@example.com", tags = ["x", "y"])
t.eq([row], [dict(tags = ["x", "z"], email = "ada@example.com", name = "a name that is long enough", id = 1)])`, `AssertionError: not equal, first difference at [0]["tags"][1]:
--- want
+++ got
  [
    {
      "email": "ada@example.com",
      "id": 1,
      "name": "a name that is long enough",
-     "tags": ["x", "z"],
+     "tags": ["x", "y"],
    },
  ]`},
		{"values that print alike", `t.eq([Decimal(i) for i in range(60)], list(range(60)))`, ""},
		{"a list in itself", `
x = [1]
x.append(x)
y = [1]
y.append(y)
t.eq(x, y)`, "ok"},
		{"deep lists", `
def nest(n, x):
    for _ in range(n):
        x = [x]
    return x
t.eq(nest(1000, 1), nest(1000, 1))`, "ok"},
		{"too deep", `
def nest(n, x):
    for _ in range(n):
        x = [x]
    return x
t.eq(nest(20000, 1), nest(20000, 1))`, "Error: t.eq: values nested deeper than 10000 cannot be compared"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := one(t, tt.body)
			if tt.want == "" {
				if !strings.HasPrefix(got, "AssertionError: not equal, first difference at [0]: they print alike, but are of different types:\n[\n  0,\n") {
					t.Errorf("got %s", got)
				}
				return
			}
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
