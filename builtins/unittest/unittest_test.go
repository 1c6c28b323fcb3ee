package unittest_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/builtins/lang"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/builtins/unittest"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// project is a Config for a txtar of files, with a clock that stands still.
func project(archive string) engine.Config {
	return engine.Config{
		Modules: []engine.Module{output.New(), command.New(), lang.Module{}, datetime.Module{}, decimal.Module{}, unittest.New(unittest.Config{})},
		FS:      enginetest.Project(archive),
		Now:     func() time.Time { return time.Date(2026, 6, 15, 12, 30, 0, 0, time.UTC) },
	}
}

// tests is a project with one file of tests, and a command to call.
func tests(source string) engine.Config {
	return project(hello + "\n-- apps/ops/tests/test_x.star --\n" + source)
}

const hello = `
-- apps/ops/management/commands/hello.star --
def add_arguments(parser):
    parser.add_argument("name")

def handle(name, verbosity):
    stdout.write(style.SUCCESS("hello " + name))
    stderr.write("v%d" % verbosity)
    if name == "bad":
        CommandError("bad name", returncode = 3, hint = "Another.")
    if name == "exit":
        exit(7)
    if name == "ask":
        stdout.write(input("who? "))
    return len(name)
`

func want(t *testing.T, got enginetest.Result, code int, stdout, stderr string) {
	t.Helper()
	if got.Code != code {
		t.Errorf("exit code %d, want %d", got.Code, code)
	}
	if got.Stdout != stdout {
		t.Errorf("stdout is\n%s\nwant\n%s", got.Stdout, stdout)
	}
	if got.Stderr != stderr {
		t.Errorf("stderr is\n%s\nwant\n%s", got.Stderr, stderr)
	}
}

const line = "----------------------------------------------------------------------\n"

// all is a suite in which everything happens that can happen to a test.
const all = `
def test_passes(t):
    out = StringIO()
    t.eq(call_command("hello", "ada", stdout = out), 3)
    t.eq(out.getvalue(), "hello ada\n")

def test_fails(t):
    call_command("hello", "ada")
    t.log("two", 2)
    t.eq(1 + 1, 3)

def test_bug(t):
    helper([])

def helper(items):
    return items[0]

def test_command_error(t):
    call_command("hello", "bad")

def test_skipped(t):
    t.skip("not on Mondays")

def test_hangs(t):
    while True:
        pass

def test_parts(t):
    for n in [1, 2, 3]:
        t.run("n is %d" % n, lambda t: t.eq(n, 2))
    t.run("later", lambda t: t.skip())

def test_exits(t):
    exit(0)

def test_after(t):
    t.true(True)
`

func TestReport(t *testing.T) {
	got := enginetest.Run(t, tests(all), "test", "--timeout", "50ms")
	const double = "======================================================================\n"
	want(t, got, 1, `.FEEsEFE.
`+double+`FAIL: ops.test_x.test_fails
`+line+`Traceback (most recent call last):
  apps/ops/tests/test_x.star:10:9: in test_fails
    t.eq(1 + 1, 3)
AssertionError: not equal:
  got:  2
  want: 3

Output:
hello ada
v1
two 2

`+double+`ERROR: ops.test_x.test_bug
`+line+`Traceback (most recent call last):
  apps/ops/tests/test_x.star:13:11: in test_bug
    helper([])
  apps/ops/tests/test_x.star:16:17: in helper
    return items[0]
Error: index 0 out of range: empty list

`+double+`ERROR: ops.test_x.test_command_error
`+line+`Traceback (most recent call last):
  apps/ops/tests/test_x.star:19:17: in test_command_error
    call_command("hello", "bad")
  apps/ops/management/commands/hello.star:8:21: in handle
    CommandError("bad name", returncode = 3, hint = "Another.")
CommandError: bad name
Another.

Output:
hello bad
v1

`+double+`ERROR: ops.test_x.test_hangs
`+line+`Traceback (most recent call last):
  apps/ops/tests/test_x.star:24:1: in test_hangs
    def test_hangs(t):
Timeout: timeout of 50ms reached

`+double+`FAIL: ops.test_x.test_parts (n is 1)
`+line+`Traceback (most recent call last):
  apps/ops/tests/test_x.star:30:14: in test_parts
    t.run("n is %d" % n, lambda t: t.eq(n, 2))
  apps/ops/tests/test_x.star:30:44: in lambda
    t.run("n is %d" % n, lambda t: t.eq(n, 2))
AssertionError: not equal:
  got:  1
  want: 2

`+double+`FAIL: ops.test_x.test_parts (n is 3)
`+line+`Traceback (most recent call last):
  apps/ops/tests/test_x.star:30:14: in test_parts
    t.run("n is %d" % n, lambda t: t.eq(n, 2))
  apps/ops/tests/test_x.star:30:44: in lambda
    t.run("n is %d" % n, lambda t: t.eq(n, 2))
AssertionError: not equal:
  got:  3
  want: 2

`+double+`ERROR: ops.test_x.test_exits
`+line+`Exit: exit(0) ended the test
To test a command that exits: t.fails(lambda: call_command(…), r"exit\(0\)")

`+line+`Ran 9 tests in 0.000s

FAILED (failures=3, errors=4, skipped=2)
`, "")
}

func TestVerbosity(t *testing.T) {
	const source = `
def test_b(t):
    t.log("seen")

def test_a(t):
    t.skip("why not")
`
	ok := line + "Ran 2 tests in 0.000s\n\nOK (skipped=1)\n"
	for verbosity, wanted := range map[string]string{
		"0": ok,
		"1": ".s\n" + ok,
		"2": "ops.test_x.test_b ... ok\n    seen\nops.test_x.test_a ... skipped 'why not'\n" + ok,
	} {
		want(t, enginetest.Run(t, tests(source), "test", "-v", verbosity), 0, wanted, "")
	}
}

func TestColour(t *testing.T) {
	got := enginetest.Run(t, tests("def test_a(t):\n    t.eq('a\\nb\\n', 'a\\nc\\n')\n\ndef test_b(t):\n    pass\n"), "test", "--force-color")
	for _, part := range []string{
		"\x1b[31;1mF\x1b[0m\x1b[32;1m.\x1b[0m\n", "\x1b[31;1mFAIL: ops.test_x.test_a\x1b[0m\n",
		"\x1b[31;1m- c\x1b[0m\n\x1b[32;1m+ b\x1b[0m\n", "\x1b[31;1mFAILED\x1b[0m (failures=1)\n",
	} {
		if !strings.Contains(got.Stdout, part) {
			t.Errorf("stdout has no %q:\n%q", part, got.Stdout)
		}
	}
}

// What the shell was told does not reach the tests.
func TestApart(t *testing.T) {
	cfg := tests(`
def test_plain(t):
    out, err = StringIO(), StringIO()
    call_command("hello", "ada", stdout = out, stderr = err)
    t.eq(out.getvalue(), "hello ada\n")
    t.eq(err.getvalue(), "v1\n")
    t.false(stdout.isatty())

def test_coloured(t):
    out = StringIO()
    call_command("hello", "ada", stdout = out, force_color = True)
    t.contains(out.getvalue(), "\x1b[")

def test_stdin_is_empty(t):
    t.eq(stdin.read(), "")
    t.fails(lambda: call_command("hello", "ask"))
`)
	cfg.Getenv = func(name string) (string, bool) {
		if name == "FORCE_COLOR" {
			return "1", true
		}
		return "", false
	}
	for _, words := range [][]string{{}, {"--force-color"}, {"-v3"}, {"--traceback"}, {"--json"}} {
		cfg.Stdin = strings.NewReader("somebody\n")
		if got := enginetest.Run(t, cfg, append([]string{"test"}, words...)...); got.Code != 0 {
			t.Errorf("%q: %+v", words, got)
		}
	}
}

// No test sees what another did.
func TestIsolation(t *testing.T) {
	cfg := tests(`
kept = []

def setup(t):
    t.log("setup %s" % timezone.now().year)

def test_clock(t):
    t.now(datetime(2020, 1, 2, 3, 4, 5))
    t.eq(timezone.now().isoformat(), "2020-01-02T03:04:05+00:00")
    t.now(datetime(2021, 1, 2, tzinfo = timezone(timedelta(hours = 2))))
    t.eq(timezone.now().isoformat(), "2021-01-01T22:00:00+00:00")
    call_command("hello", "ada")

def test_clock_is_back(t):
    t.eq(timezone.now().isoformat(), "2026-06-15T12:30:00+00:00")

def test_globals_are_frozen(t):
    t.fails(lambda: kept.append(1), "frozen")

def test_deferred(t):
    defer(t.log, "deferred")

def test_deferred_fails(t):
    defer(t.eq, 1, 2)
`)
	got := enginetest.Run(t, cfg, "test", "-v2")
	for _, part := range []string{
		"test_clock ... ok\n    setup 2026\n", "test_clock_is_back ... ok\n    setup 2026\n", "test_globals_are_frozen ... ok\n",
		"test_deferred ... ok\n    setup 2026\n    deferred\n", "test_deferred_fails ... FAIL\n", "FAILED (failures=1)\n",
	} {
		if !strings.Contains(got.Stdout, part) {
			t.Errorf("stdout has no %q:\n%s", part, got.Stdout)
		}
	}
}

func TestLabels(t *testing.T) {
	cfg := project(`
-- settings.star --
INSTALLED_APPS = ["shop", "accounts", "empty"]
-- apps/empty/readme --
-- apps/shop/tests/test_b.star --
def test_2(t):
    pass

def test_1(t):
    pass
-- apps/shop/tests/test_a.star --
def test_x(t):
    pass

def helper(t):
    pass
-- apps/shop/tests/test_none.star --
-- apps/shop/tests/helpers.star --
def test_not_here(t):
    pass
-- apps/shop/tests/sub/test_c.star --
def test_not_here(t):
    pass
-- apps/accounts/tests/test_a.star --
load("./_shared.star", "test_loaded")

def test_x(t):
    pass

test_alias = test_x
-- apps/accounts/tests/_shared.star --
def test_loaded(t):
    pass
-- apps/hidden/tests/test_a.star --
def test_not_installed(t):
    pass
`)
	every := "shop.test_a.test_x shop.test_b.test_2 shop.test_b.test_1 accounts.test_a.test_alias accounts.test_a.test_x"
	for _, tt := range []struct{ words, ran string }{
		{"", every},
		{"shop accounts", every},
		{"accounts shop", every},
		{"shop shop.test_a", "shop.test_a.test_x shop.test_b.test_2 shop.test_b.test_1"},
		{"shop.test_b", "shop.test_b.test_2 shop.test_b.test_1"},
		{"shop.test_b.test_1", "shop.test_b.test_1"},
		{"shop.test_b.test_1 accounts.test_a.test_x", "shop.test_b.test_1 accounts.test_a.test_x"},
		{"-k test_1", "shop.test_b.test_1"},
		{"-k test_1 -k accounts", "shop.test_b.test_1 accounts.test_a.test_alias accounts.test_a.test_x"},
		{"-k *.test_[!12]", "shop.test_a.test_x accounts.test_a.test_x"},
		{"shop -k test_x", "shop.test_a.test_x"},
	} {
		got := enginetest.Run(t, cfg, append([]string{"test", "-v2"}, strings.Fields(tt.words)...)...)
		var ran []string
		for _, m := range regexp.MustCompile(`(?m)^(\S+) \.\.\. ok$`).FindAllStringSubmatch(got.Stdout, -1) {
			ran = append(ran, m[1])
		}
		if strings.Join(ran, " ") != tt.ran || got.Code != 0 {
			t.Errorf("%q ran %q, want %q (%+v)", tt.words, ran, tt.ran, got)
		}
	}
	places := "Tests are functions test_*(t) in apps/shop/tests/test_*.star, apps/accounts/tests/test_*.star, apps/empty/tests/test_*.star.\n"
	for words, stderr := range map[string]string{
		"nope":               "CommandError: no test \"nope\"\n" + places,
		"shp":                "CommandError: no test \"shp\"\nDid you mean shop?\n",
		"shop.test_none":     "CommandError: no test \"shop.test_none\"\n" + places,
		"shop.test_a.test_z": "CommandError: no test \"shop.test_a.test_z\"\n" + places,
		"empty":              "CommandError: app \"empty\" has no tests\n" + places,
		"shop nope":          "CommandError: no test \"nope\"\n" + places,
		"-k zzz":             "CommandError: no tests match -k zzz\n" + places,
		"hidden":             "CommandError: no test \"hidden\"\n" + places,
	} {
		want(t, enginetest.Run(t, cfg, append([]string{"test"}, strings.Fields(words)...)...), 1, "", stderr)
	}
	want(t, enginetest.Run(t, project("-- apps/ops/x --\n"), "test"), 1, "", "CommandError: no tests found\nTests are functions test_*(t) in apps/ops/tests/test_*.star.\n")
	want(t, enginetest.Run(t, project("-- settings.star --\n"), "test"), 1, "",
		"CommandError: no tests found\nTests are functions test_*(t) in apps/<app>/tests/test_*.star, and this project has no apps.\n")
}

func TestMisuse(t *testing.T) {
	for words, message := range map[string]string{
		"--parallel 0":   "argument --parallel: N is at least 1, not 0",
		"--parallel x":   "argument --parallel: invalid int value: 'x'",
		"--durations -1": "argument --durations: N is at least 0, not -1",
		"--timeout 0s":   "argument --timeout: a test needs more time than none",
		"--timeout soon": "argument --timeout: ",
		"-k a*[":         "argument -k: not a pattern: \"a*[\"",
		"--shuffle x":    "argument --shuffle: invalid int value: 'x'",
	} {
		got := enginetest.Run(t, tests(all), append([]string{"test"}, strings.Fields(words)...)...)
		if got.Code != 2 || got.Stdout != "" || !strings.Contains(got.Stderr, message) {
			t.Errorf("%s: %+v, want %q", words, got, message)
		}
	}
}

// A file that does not load is an error, and the others run.
func TestBrokenFiles(t *testing.T) {
	cfg := project(`
-- apps/ops/tests/test_a.star --
def test_a(t):
    raise ValueError
-- apps/ops/tests/test_b.star --
setup = 3

def test_b(t):
    pass
-- apps/ops/tests/test_c.star --
test_c = "no function"

def test_d():
    pass
-- apps/ops/tests/test_d.star --
def test_e(t):
    nope
`)
	got := enginetest.Run(t, cfg, "test", "-k", "test_c")
	if got.Code != 1 || !strings.HasPrefix(got.Stdout, "EEEEE\n") || !strings.HasSuffix(got.Stdout, "FAILED (errors=5)\n") {
		t.Errorf("got %+v", got)
	}
	for _, part := range []string{
		"ERROR: ops.test_a\n" + line + "Error: apps/ops/tests/test_a.star:2:5: got raise, want primary expression\n        raise ValueError\n        ^\n",
		"ERROR: ops.test_b\n" + line + "Error: setup is a function, setup(t), not a int\n",
		"Error: a test is a function, test_c(t), not a string\n",
		"Error: function test_d accepts no arguments (1 given)\n",
		"undefined: nope\n",
	} {
		if !strings.Contains(got.Stdout, part) {
			t.Errorf("stdout has no %q:\n%s", part, got.Stdout)
		}
	}
}

// Whoever runs a test, the report is the same.
func TestParallel(t *testing.T) {
	source := "def test_hangs(t):\n    t.log('x')\n    while True:\n        pass\n"
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		source += strings.ReplaceAll(all, "test_", "test_"+name+"_") // helper is defined once a file
		source = strings.ReplaceAll(source, "def helper(items)", "def helper_"+name+"(items)")
		source = strings.ReplaceAll(source, "    helper([])", "    helper_"+name+"([])")
	}
	source = regexp.MustCompile(`(?m)^def test_\w+_hangs\(t\):\n    while True:\n        pass\n`).ReplaceAllString(source, "")
	alone := enginetest.Run(t, tests(source), "test", "--timeout", "100ms")
	if n := strings.Count(alone.Stdout, "FAIL: "); n != 18 {
		t.Fatalf("%d failures, want 18:\n%s", n, alone.Stdout)
	}
	for _, words := range []string{"--parallel=2", "--parallel=7", "--parallel"} {
		want(t, enginetest.Run(t, tests(source), "test", "--timeout", "100ms", words), alone.Code, alone.Stdout, alone.Stderr)
	}
	first := enginetest.Run(t, tests(source), "test", "--failfast", "-k", "_a_", "-k", "_b_")
	if !strings.HasPrefix(first.Stdout, ".F\n") || !strings.HasSuffix(first.Stdout, "Ran 2 tests in 0.000s\n\nFAILED (failures=1)\n") || first.Code != 1 {
		t.Errorf("--failfast: %+v", first)
	}
	want(t, enginetest.Run(t, tests(source), "test", "--failfast", "-k", "_a_", "-k", "_b_", "--parallel=3"), 1, first.Stdout, "")
}

func TestShuffle(t *testing.T) {
	var source strings.Builder
	for i := range 20 {
		source.WriteString("def test_" + string(rune('a'+i)) + "(t):\n    pass\n\n")
	}
	order := func(words ...string) string {
		got := enginetest.Run(t, tests(source.String()), append([]string{"test", "-v2"}, words...)...)
		if got.Code != 0 {
			t.Fatalf("%q: %+v", words, got)
		}
		head, _, _ := strings.Cut(got.Stdout, line)
		return head
	}
	plain, one, again, two := order(), order("--shuffle", "1"), order("--shuffle", "1"), order("--shuffle", "2")
	if one != again || one == two || strings.HasSuffix(one, plain) {
		t.Errorf("orders:\n%s\n%s\n%s", one, again, two)
	}
	if !strings.HasPrefix(one, "Using shuffle seed: 1 (given)\n") {
		t.Errorf("the seed is not told: %s", one)
	}
	if made := order("--shuffle"); !regexp.MustCompile(`^Using shuffle seed: [0-9]+ \(generated\)\n`).MatchString(made) {
		t.Errorf("the seed is not told: %s", made)
	}
	// A part of the tests keeps the order that all of them have.
	part := order("--shuffle", "1", "-k", "test_a", "-k", "test_b", "-k", "test_c", "-k", "test_d")
	var of []string
	for l := range strings.Lines(one) {
		if regexp.MustCompile(`test_[abcd] `).MatchString(l) {
			of = append(of, l)
		}
	}
	if part != "Using shuffle seed: 1 (given)\n"+strings.Join(of, "") {
		t.Errorf("a part is in the order\n%s\nwant\n%s", part, strings.Join(of, ""))
	}
}

func TestDurations(t *testing.T) {
	now, step := time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC), time.Duration(0)
	cfg := tests("def test_a(t):\n    timezone.now()\n\ndef test_b(t):\n    [timezone.now() for _ in range(5)]\n\ndef test_c(t):\n    pass\n")
	cfg.Now = func() time.Time { now = now.Add(step); return now }
	step = time.Millisecond
	got := enginetest.Run(t, cfg, "test", "--durations", "2")
	if !regexp.MustCompile(`(?s)\.\.\.\nSlowest test durations\n-+\n0\.0\d\ds +ops\.test_x\.test_b\n0\.0\d\ds +ops\.test_x\.test_a\n\n-+\nRan 3 tests in 0\.\d+s`).MatchString(got.Stdout) {
		t.Errorf("got\n%s", got.Stdout)
	}
	if got := enginetest.Run(t, cfg, "test", "--durations", "0"); !strings.Contains(got.Stdout, "test_c\n") {
		t.Errorf("got\n%s", got.Stdout)
	}
}

// The XML follows Ant's schema: its elements in order, its attributes, one
// child of a testcase at most.
func TestJUnit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "junit.xml")
	cfg := tests(all + "\ndef test_odd(t):\n    print('\\x00 <&>')\n    t.eq('<a&b>', '\\x01')\n")
	enginetest.Run(t, cfg, "test", "--timeout", "50ms", "--junit", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var shape strings.Builder
	dec := xml.NewDecoder(strings.NewReader(string(data)))
	depth := 0
	for {
		token, err := dec.Token()
		if token == nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			break
		}
		switch token := token.(type) {
		case xml.StartElement:
			shape.WriteString(strings.Repeat(" ", depth) + token.Name.Local)
			for _, a := range token.Attr {
				if value := a.Value; a.Name.Local == "message" {
					shape.WriteString(" message")
				} else {
					shape.WriteString(" " + a.Name.Local + "=" + regexp.MustCompile(`^\d+\.\d{6}$`).ReplaceAllString(value, "SECONDS"))
				}
			}
			shape.WriteString("\n")
			depth++
		case xml.EndElement:
			depth--
		}
	}
	if wanted := `testsuites
 testsuite name=ops.test_x package=ops id=0 timestamp=2026-06-15T12:30:00 hostname=localhost tests=10 failures=3 errors=4 skipped=1 time=SECONDS
  properties
  testcase name=test_passes classname=ops.test_x time=SECONDS
  testcase name=test_fails classname=ops.test_x time=SECONDS
   failure message type=AssertionError
  testcase name=test_bug classname=ops.test_x time=SECONDS
   error message type=Error
  testcase name=test_command_error classname=ops.test_x time=SECONDS
   error message type=CommandError
  testcase name=test_skipped classname=ops.test_x time=SECONDS
   skipped message
  testcase name=test_hangs classname=ops.test_x time=SECONDS
   error message type=Timeout
  testcase name=test_parts classname=ops.test_x time=SECONDS
   failure message type=AssertionError
  testcase name=test_exits classname=ops.test_x time=SECONDS
   error message type=Exit
  testcase name=test_after classname=ops.test_x time=SECONDS
  testcase name=test_odd classname=ops.test_x time=SECONDS
   failure message type=AssertionError
  system-out
  system-err
`; shape.String() != wanted {
		t.Errorf("the XML is\n%s\nwant\n%s", shape.String(), wanted)
	}
	for _, part := range []string{"not on Mondays", "n is 1:", "ops.test_x.test_fails:", "hello ada"} {
		if !strings.Contains(string(data), part) {
			t.Errorf("the XML has no %q:\n%s", part, data)
		}
	}
	got := enginetest.Run(t, cfg, "test", "--junit", filepath.Join(file, "x"), "-k", "passes")
	if got.Code != 1 || !strings.HasPrefix(got.Stderr, "CommandError: --junit: ") {
		t.Errorf("a file that cannot be written: %+v", got)
	}
}

// A run that is told to stop says what it found so far.
func TestStopped(t *testing.T) {
	cfg := tests("def test_a(t):\n    t.eq(1, 2)\n\ndef test_b(t):\n    call_command('interrupt')\n    while True:\n        pass\n\ndef test_c(t):\n    pass\n")
	for _, parallel := range []string{"1", "3"} {
		ctx, cancel := context.WithCancelCause(context.Background())
		cfg.Apps = []engine.App{{Label: "host", Commands: []engine.Command{{Name: "interrupt", Handle: func(context.Context, *engine.Invocation) (any, error) {
			cancel(&engine.Interrupt{Name: "SIGINT", Code: 130})
			return nil, nil
		}}}}}
		var stdout, stderr bytes.Buffer
		cfg.Stdout, cfg.Stderr = &stdout, &stderr
		eng := engine.New(cfg)
		code := eng.Run(ctx, []string{"manage", "test", "--parallel", parallel})
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
		ran := strings.Contains(stdout.String(), "Ran 1 test in 0.000s\n\nSTOPPED (failures=1)\n")
		if parallel == "3" { // the first may be stopped, too
			ran = ran || strings.Contains(stdout.String(), "Ran 0 tests in 0.000s\n\nSTOPPED\n")
		}
		if code != 130 || !ran || stderr.String() != "Stopped: test: interrupted by SIGINT.\n" {
			t.Errorf("--parallel %s: code %d\n%s\n%s", parallel, code, stdout.String(), stderr.String())
		}
	}
}

// The value of the run, and its document.
func TestJSON(t *testing.T) {
	got := enginetest.Run(t, tests("def test_a(t):\n    print('inner')\n\ndef test_b(t):\n    t.skip()\n"), "test", "--json")
	for _, part := range []string{`"ok":true`, `"result":{"ran":2,"skipped":1}`, `"output":".s\n`} {
		if !strings.Contains(got.Stdout, part) || strings.Contains(got.Stdout, "inner") {
			t.Errorf("the document has no %s: %s", part, got.Stdout)
		}
	}
}
