package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"path"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// project makes a file system of command files in one app "a".
func project(commands map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, src := range commands {
		fsys["apps/a/management/commands/"+name+".star"] = &fstest.MapFile{Data: []byte(src)}
	}
	return fsys
}

func newEngine(t testing.TB, cfg engine.Config) *engine.Engine {
	t.Helper()
	if cfg.Modules == nil {
		cfg.Modules = builtins.Standard()
	}
	eng := engine.New(cfg)
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return eng
}

// countingFS counts what is opened below it.
type countingFS struct {
	fs.FS
	mu     sync.Mutex
	opened map[string]int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	if path.Ext(name) == ".star" && name != "settings.star" {
		c.mu.Lock()
		c.opened[name]++
		c.mu.Unlock()
	}
	return c.FS.Open(name)
}

func (c *countingFS) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(c.FS, name) }
func (c *countingFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(c.FS, name) }

// files returns the .star files opened since the last call.
func (c *countingFS) files() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name := range c.opened {
		names = append(names, name)
	}
	c.opened = map[string]int{}
	return names
}

func TestThousandCommands(t *testing.T) {
	fsys := fstest.MapFS{}
	for app := range 20 {
		for n := range 50 {
			name := fmt.Sprintf("apps/app%02d/management/commands/c%02d_%02d.star", app, app, n)
			src := fmt.Sprintf("help = \"Number %d.\"\n\ndef handle():\n    return \"ran %d\"\n", n, n)
			if app == 7 && n == 7 {
				src = "def handle(:\n"
			}
			fsys[name] = &fstest.MapFile{Data: []byte(src)}
		}
	}
	counting := &countingFS{FS: fsys, opened: map[string]int{}}
	run := func(words ...string) enginetest.Result {
		return enginetest.Run(t, engine.Config{FS: counting, Modules: builtins.Standard()}, words...)
	}

	got := run("help", "--commands")
	if n := len(regexp.MustCompile(`(?m)^c\d\d_\d\d$`).FindAllString(got.Stdout, -1)); n != 1000 || !strings.Contains(got.Stdout, "\nversion\n") {
		t.Errorf("help --commands lists %d names, want 1000 and the built-ins", n)
	}
	if read := counting.files(); len(read) != 0 {
		t.Errorf("help --commands read %d files: %v", len(read), read)
	}

	got = run("help")
	if n := strings.Count(got.Stdout, "Number "); n != 999 {
		t.Errorf("help shows %d help texts, want 999", n)
	}
	if !regexp.MustCompile(`(?m)^  c07_07 +\(broken: apps/app07/management/commands/c07_07.star:`).MatchString(got.Stdout) {
		t.Errorf("help does not mark the broken file")
	}
	counting.files()

	got = run("c13_37")
	if got.Stdout != "ran 37\n" || got.Code != 0 {
		t.Errorf("running one command: %+v", got)
	}
	if read := counting.files(); len(read) != 1 || path.Base(read[0]) != "c13_37.star" {
		t.Errorf("running one command read %v", read)
	}
}

func TestFirstAppWins(t *testing.T) {
	fsys := enginetest.Project(`
-- settings.star --
INSTALLED_APPS = ["two", "one", "host"]
-- apps/one/management/commands/who.star --
def handle():
    return "one"
-- apps/two/management/commands/who.star --
def handle():
    return "two"
-- apps/two/management/commands/version.star --
def handle():
    return "the project's own version"
`)
	host := engine.App{Label: "host", Commands: []engine.Command{
		{Name: "who", Handle: func(context.Context, *engine.Invocation) (any, error) { return "host", nil }},
		{Name: "only_host", Handle: func(context.Context, *engine.Invocation) (any, error) { return "host alone", nil }},
	}}
	cfg := engine.Config{FS: fsys, Apps: []engine.App{host}}
	for _, c := range []struct{ name, want string }{
		{"who", "two\n"},
		{"only_host", "host alone\n"},
		{"version", "the project's own version\n"},
	} {
		if got := enginetest.Run(t, cfg, c.name); got.Stdout != c.want {
			t.Errorf("%s: %+v, want stdout %q", c.name, got, c.want)
		}
	}
}

func TestEmbeddedApp(t *testing.T) {
	app := engine.App{Label: "shop", FS: enginetest.Project(`
-- management/commands/sell.star --
load("./_price.star", "price")
load("//lib/tax.star", "tax")

def handle():
    return price + tax
-- management/commands/_price.star --
price = 3
-- lib/tax.star --
tax = 1
`)}
	eng := newEngine(t, engine.Config{FS: fstest.MapFS{}, Apps: []engine.App{app}})
	v, err := eng.Call(context.Background(), "sell", engine.Args{})
	if v != int64(4) || err != nil {
		t.Errorf("Call = %v, %v", v, err)
	}
}

func TestCallValues(t *testing.T) {
	eng := newEngine(t, engine.Config{FS: project(map[string]string{"echo": `
def add_arguments(parser):
    parser.add_argument("n", type = int)
    parser.add_argument("--items", nargs = "*", type = int)
    parser.add_argument("--dry-run", action = "store_true")

def handle(n, items, dry_run):
    return {"n": n, "items": items, "dry": dry_run, "t": (1, 2.5, None, "é"), "big": 1 << 70}
`})})
	big1 := new(big.Int).Lsh(big.NewInt(1), 70)
	for _, args := range []engine.Args{
		{Positional: []any{3}, Options: map[string]any{"items": []int{4, 5}, "dry_run": true}},
		{Positional: []any{"3"}, Options: map[string]any{"items": []string{"4", "5"}, "dry_run": true}},
		{Options: map[string]any{"n": int8(3), "items": []any{4, "5"}, "dry_run": true}},
	} {
		v, err := eng.Call(context.Background(), "echo", args)
		if err != nil {
			t.Errorf("%+v: %v", args, err)
			continue
		}
		want := map[string]any{"n": int64(3), "items": []any{int64(4), int64(5)}, "dry": true, "t": []any{int64(1), 2.5, nil, "é"}, "big": big1}
		if fmt.Sprint(v) != fmt.Sprint(want) {
			t.Errorf("%+v: %v, want %v", args, v, want)
		}
	}
	for name, c := range map[string]struct {
		args engine.Args
		want string
	}{
		"bad int":         {engine.Args{Positional: []any{"x"}}, "Error: argument n: invalid int value: 'x'"},
		"missing":         {engine.Args{}, "Error: the following arguments are required: n"},
		"unknown":         {engine.Args{Positional: []any{1}, Options: map[string]any{"itms": 1}}, "Unknown option(s) for echo command: itms. Valid options are: "},
		"no Starlark":     {engine.Args{Positional: []any{make(chan int)}}, "echo: argument 1: a Go value of type chan int has no Starlark form"},
		"wrong flag type": {engine.Args{Positional: []any{1}, Options: map[string]any{"dry_run": "yes"}}, "Error: argument --dry-run: "},
	} {
		_, err := eng.Call(context.Background(), "echo", c.args)
		failed, ok := errors.AsType[*engine.CommandError](err)
		if !ok || !strings.HasPrefix(failed.Message, c.want) {
			t.Errorf("%s: %v, want a CommandError %q", name, err, c.want)
		}
	}
	_, err := eng.Call(context.Background(), "ecko", engine.Args{})
	unknown, ok := errors.AsType[*engine.UnknownCommandError](err)
	if !ok || unknown.Suggestion != "echo" {
		t.Errorf("unknown command: %v", err)
	}
	if _, ok := errors.AsType[*engine.CommandError](err); !ok {
		t.Error("an unknown command is no CommandError")
	}
	if _, err := eng.Call(context.Background(), "echo", engine.Args{Positional: []any{"x"}}); !isUsage(err) {
		t.Errorf("misuse hides the argparse.Error: %v", err)
	}
}

func isUsage(err error) bool {
	_, ok := errors.AsType[*argparse.Error](err)
	return ok
}

func TestErrorsThroughNestedCommands(t *testing.T) {
	eng := newEngine(t, engine.Config{
		FS: project(map[string]string{
			"outer":  "def handle():\n    call_command(\"middle\")\n",
			"middle": "def handle():\n    call_command(\"inner\")\n",
			"inner":  "def handle():\n    host_fails()\n",
		}),
		Modules: append(builtins.Standard(), hostModule{"host_fails": engine.Func("host_fails", func() error {
			return fmt.Errorf("asking: %w", fs.ErrPermission)
		})}),
	})
	_, err := eng.Call(context.Background(), "outer", engine.Args{})
	bug, ok := errors.AsType[*engine.ScriptError](err)
	if !ok || !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("got %T %v, want a ScriptError that is fs.ErrPermission", err, err)
	}
	var files []string
	for _, f := range bug.Frames {
		files = append(files, fmt.Sprintf("%s:%d", strings.TrimSuffix(path.Base(f.File), ".star"), f.Line))
	}
	if got := strings.Join(files, " "); got != "outer:2 middle:2 inner:2" {
		t.Errorf("frames %s", got)
	}
}

// hostModule is a module of a host's own functions.
type hostModule starlark.StringDict

func (hostModule) Name() string                       { return "host" }
func (m hostModule) Predeclared() starlark.StringDict { return starlark.StringDict(m) }

func TestFunc(t *testing.T) {
	type id int64
	funcs := hostModule{
		"add":      engine.Func("add", func(a, b int) int { return a + b }, "a", "b"),
		"greet":    engine.Func("greet", func(name string, times *int) (string, error) { return name + fmt.Sprint(times == nil), nil }, "name", "times"),
		"total":    engine.Func("total", func(xs []float64) float64 { return xs[0] + xs[1] }, "xs"),
		"keys":     engine.Func("keys", func(m map[string]id) int { return len(m) }, "m"),
		"verb":     engine.Func("verb", func(inv *engine.Invocation) int { return inv.Base().Verbosity }),
		"alive":    engine.Func("alive", func(ctx context.Context, v any) bool { return ctx.Err() == nil && v == nil }, "v"),
		"small":    engine.Func("small", func(n int8) int8 { return n }, "n"),
		"panics":   engine.Func("panics", func() { panic("oh") }),
		"mistake":  engine.Func("mistake", func(int, ...string) {}),
		"mistaken": engine.Func("mistaken", "not a function"),
		"named":    engine.Func("named", func() {}, "too", "many"),
	}
	eng := newEngine(t, engine.Config{Modules: append(builtins.Standard(), funcs), FS: project(map[string]string{"c": `
def add_arguments(parser):
    parser.add_argument("what", type = int)

def handle(what):
    if what == 0:
        return [add(1, b = 2), greet("x"), greet("x", times = 2), total([1, 2.5]), keys({"a": 1}), verb(), alive(None), small(127)]
    return [
        lambda: add(1), lambda: add(1, 2, 3), lambda: add("x", 2), lambda: add(1, c = 2), lambda: add(1, a = 1, b = 2), lambda: add(1, 2.5),
        lambda: small(128), lambda: total(["x"]), lambda: keys({1: 2}), panics, mistake, mistaken, named, lambda: add(1 << 80, 1),
    ][what - 1]()
`})})
	v, err := eng.Call(context.Background(), "c", engine.Args{Positional: []any{0}})
	if want := "[3 xtrue xfalse 3.5 1 1 true 127]"; fmt.Sprint(v) != want || err != nil {
		t.Errorf("%v, %v, want %s", v, err, want)
	}
	for i, want := range []string{
		"add: missing parameter b", "add: got 3 arguments, want at most 2", "add: parameter a: got string, want int",
		`add: unexpected keyword argument "c"`, `add: got multiple values for parameter "a"`, "add: parameter b: got float, want int",
		"small: parameter n: 128 is too large for int8", "total: parameter xs: item 0: got string, want float or int",
		"keys: parameter m: got a key of type int, want string", "internal error: oh",
		"mistake: the host's function is variadic: take a slice", "mistaken: the host registered no function",
		"named: the host named 2 parameters of a function that takes 0", "add: parameter a: 1208925819614629174706176 is too large for int",
	} {
		_, err := eng.Call(context.Background(), "c", engine.Args{Positional: []any{i + 1}})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%d: %v, want %q", i+1, err, want)
		}
	}
}

func TestCancelFromGo(t *testing.T) {
	eng := newEngine(t, engine.Config{
		FS: project(map[string]string{
			"loop":  "def handle():\n    started()\n    while True:\n        pass\n",
			"sleep": "def handle():\n    sleep()\n    fail(\"ran on\")\n",
			"holds": "def handle():\n    catch(lambda: call_command(\"loop\"))\n    fail(\"ran on\")\n",
		}),
		Modules: append(builtins.Standard(), hostModule{
			"started": engine.Func("started", func(inv *engine.Invocation) {
				inv.Report(func() string { return "3 rows were committed before" })
				cancelOf(inv.Context())()
			}),
			"sleep": engine.Func("sleep", func(ctx context.Context) error {
				cancelOf(ctx)()
				<-ctx.Done()
				return ctx.Err()
			}),
		}),
		Apps: []engine.App{{Label: "go", Commands: []engine.Command{
			{Name: "tells_error", Handle: func(ctx context.Context, _ *engine.Invocation) (any, error) { cancelOf(ctx)(); return nil, ctx.Err() }},
			{Name: "tells_cause", Handle: func(ctx context.Context, _ *engine.Invocation) (any, error) {
				cancelOf(ctx)()
				return nil, fmt.Errorf("reading: %w", context.Cause(ctx))
			}},
		}}},
	})
	cause := errors.New("the host goes home")
	for _, name := range []string{"loop", "sleep", "holds", "tells_error", "tells_cause"} {
		ctx, cancel := context.WithCancelCause(context.Background())
		ctx = context.WithValue(ctx, cancelKey{}, func() { cancel(cause) })
		_, err := eng.Call(ctx, name, engine.Args{})
		stopped, ok := errors.AsType[*engine.StoppedError](err)
		if !ok || !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %T %v, want a StoppedError that is its cause", name, err, err)
			continue
		}
		if name == "loop" && stopped.Report != "3 rows were committed before" {
			t.Errorf("report %q", stopped.Report)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := eng.Call(ctx, "loop", engine.Args{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a call with a context that has ended: %v", err)
	}
	_, err := eng.Call(context.Background(), "loop2", engine.Args{Options: map[string]any{"timeout": "1ms"}})
	if !isUnknown(err) {
		t.Errorf("an unknown command with options: %v", err)
	}
}

func isUnknown(err error) bool {
	_, ok := errors.AsType[*engine.UnknownCommandError](err)
	return ok
}

type cancelKey struct{}

func cancelOf(ctx context.Context) func() { return ctx.Value(cancelKey{}).(func()) }

func TestTimeoutFromGo(t *testing.T) {
	eng := newEngine(t, engine.Config{FS: project(map[string]string{
		"loop":  "def handle():\n    while True:\n        pass\n",
		"outer": "limits = dict(timeout = \"1h\")\n\ndef handle():\n    call_command(\"loop\", timeout = \"20ms\")\n",
	})})
	for _, name := range []string{"loop", "outer"} {
		args := engine.Args{}
		if name == "loop" {
			args.Options = map[string]any{"timeout": "20ms"}
		}
		_, err := eng.Call(context.Background(), name, args)
		limit, ok := errors.AsType[*engine.LimitError](err)
		if !ok || limit.Limit != "timeout" || !errors.Is(err, context.DeadlineExceeded) || engine.ExitCode(err) != 124 {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
}

// TestConcurrentCalls: one Engine, 64 calls at once, nested ones and errors
// among them. Run with -race.
func TestConcurrentCalls(t *testing.T) {
	fsys := project(map[string]string{
		"work": `
load("//lib/shared.star", "table")

def add_arguments(parser):
    parser.add_argument("n", type = int)

def handle(n):
    out = StringIO()
    call_command("note", n, stdout = out)
    stdout.write("line %d" % n)
    if n % 5 == 0:
        CommandError("five %d" % n)
    return out.getvalue() + table["k"]
`,
		"note": "def add_arguments(parser):\n    parser.add_argument(\"n\", type = int)\n\ndef handle(n):\n    stdout.write(style.SUCCESS(\"note %d\" % n))\n",
	})
	fsys["lib/shared.star"] = &fstest.MapFile{Data: []byte("table = {\"k\": \"v\"}\n")}
	var shared bytes.Buffer
	eng := newEngine(t, engine.Config{FS: fsys, Stdout: &shared})
	var wg sync.WaitGroup
	var failures atomic.Int32
	for n := range 64 {
		wg.Go(func() {
			var own bytes.Buffer
			args := engine.Args{Positional: []any{n}}
			if n%2 == 0 {
				args.Stdout = &own
			}
			v, err := eng.Call(context.Background(), "work", args)
			if n%5 == 0 {
				if err == nil || err.Error() != fmt.Sprintf("five %d", n) {
					t.Errorf("%d: %v", n, err)
				}
				failures.Add(1)
				return
			}
			if want := fmt.Sprintf("note %d\nv", n); v != want || err != nil {
				t.Errorf("%d: %q, %v, want %q", n, v, err, want)
			}
			if want := fmt.Sprintf("line %d\nnote %d\nv\n", n, n); n%2 == 0 && own.String() != want {
				t.Errorf("%d: wrote %q, want %q", n, own.String(), want)
			}
		})
	}
	wg.Wait()
	if failures.Load() != 13 {
		t.Errorf("%d calls failed, want 13", failures.Load())
	}
	if n := strings.Count(shared.String(), "line "); n != 32 {
		t.Errorf("the Engine's stdout has %d lines of calls, want 32", n)
	}
}

func TestFreshGlobalsPerInvocation(t *testing.T) {
	eng := newEngine(t, engine.Config{FS: project(map[string]string{
		"c":      "seen = []\ncount = [0]\n\ndef handle():\n    return len(seen)\n",
		"frozen": "seen = []\n\ndef handle():\n    seen.append(1)\n",
	})})
	for range 2 {
		if v, err := eng.Call(context.Background(), "c", engine.Args{}); v != int64(0) || err != nil {
			t.Errorf("%v, %v", v, err)
		}
	}
	_, err := eng.Call(context.Background(), "frozen", engine.Args{})
	if bug, ok := errors.AsType[*engine.ScriptError](err); !ok || !strings.Contains(bug.Message, "frozen") || bug.Hint == "" {
		t.Errorf("%v", err)
	}
}

// TestChangedFile: a long-lived Engine picks up a file that changed, and a
// loaded one too.
func TestChangedFile(t *testing.T) {
	fsys := project(map[string]string{"c": "load(\"//lib/x.star\", \"x\")\n\ndef handle():\n    return x\n"})
	fsys["lib/x.star"] = &fstest.MapFile{Data: []byte("x = 1\n")}
	eng := newEngine(t, engine.Config{FS: fsys})
	for i, want := range []int64{1, 2} {
		fsys["lib/x.star"].Data = fmt.Appendf(nil, "x = %d\n", want)
		if v, err := eng.Call(context.Background(), "c", engine.Args{}); v != want || err != nil {
			t.Errorf("call %d: %v, %v", i, v, err)
		}
	}
	fsys["apps/a/management/commands/c.star"].Data = []byte("def handle():\n    return 3\n")
	if v, err := eng.Call(context.Background(), "c", engine.Args{}); v != int64(3) || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestDepthIsBounded(t *testing.T) {
	eng := newEngine(t, engine.Config{FS: project(map[string]string{
		"again":   "def handle():\n    call_command(\"again\")\n",
		"recurse": "def _f(n):\n    return _f(n + 1)\n\ndef handle():\n    _f(0)\n",
	})})
	_, err := eng.Call(context.Background(), "again", engine.Args{})
	bug, ok := errors.AsType[*engine.ScriptError](err)
	if !ok || bug.Message != "commands call each other 32 deep: again calls again" || len(bug.Frames) != 32 {
		t.Errorf("%v", err)
	}
	_, err = eng.Call(context.Background(), "recurse", engine.Args{})
	if bug, ok := errors.AsType[*engine.ScriptError](err); !ok || !strings.Contains(bug.Message, "stack overflow") || len(bug.Frames) != 41 || bug.Frames[20].Function != "… 99961 calls are not shown …" {
		t.Errorf("%v", err)
	}
}

// TestLoadTime: builtins that need a run say so at a file's top level and in
// add_arguments, and nothing is a nil pointer.
func TestLoadTime(t *testing.T) {
	for name, src := range map[string]string{
		"top level":     "stdout.write(\"x\")\n\ndef handle():\n    pass\n",
		"add_arguments": "def add_arguments(parser):\n    stdout.write(\"x\")\n\ndef handle():\n    pass\n",
		"load":          "load(\"//lib/x.star\", \"x\")\n\ndef handle():\n    pass\n",
	} {
		fsys := project(map[string]string{"c": src})
		fsys["lib/x.star"] = &fstest.MapFile{Data: []byte("x = stdout.write(\"x\")\n")}
		eng := newEngine(t, engine.Config{FS: fsys})
		_, err := eng.Call(context.Background(), "c", engine.Args{})
		if err == nil || !strings.Contains(err.Error(), "stdout.write: works only while a command runs: call it inside handle()") {
			t.Errorf("%s: %v", name, err)
		}
	}
	fsys := project(map[string]string{"c": "def add_arguments(parser):\n    kept.append(parser)\n\nkept = []\n\ndef handle():\n    pass\n"})
	eng := newEngine(t, engine.Config{FS: fsys})
	if _, err := eng.Call(context.Background(), "c", engine.Args{}); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a parser kept in a global: %v", err)
	}
}

// life records the order in which a module's interfaces are asked.
type life struct {
	events *[]string
	hostModule
}

func (l life) note(what string) { *l.events = append(*l.events, what) }

func (l life) Configure(s engine.Settings) error {
	l.note("configure " + fmt.Sprint(s.Value("NAME")))
	if s.Value("NAME") == starlark.String("bad") {
		return errors.New("NAME must not be bad")
	}
	return nil
}

func (l life) Apps() []engine.App {
	l.note("apps")
	return []engine.App{{Label: "module", Commands: []engine.Command{{Name: "from_module", Handle: func(context.Context, *engine.Invocation) (any, error) { return "hi", nil }}}}}
}

func (l life) Check(context.Context, *engine.CheckRun) []engine.CheckMessage {
	l.note("check")
	return []engine.CheckMessage{{Level: engine.WARNING, ID: "life.W001", Msg: "old", Hint: "renew"}}
}

func (l life) Close() error { l.note("close"); return nil }

func (l life) Std() starlark.StringDict { return starlark.StringDict{"re": starlark.String("regexp")} }

func (l life) Attributes() []string { return []string{"careful"} }

func (l life) Arguments(attrs starlark.StringDict, p *argparse.Parser) error {
	if v := attrs["careful"]; v != nil && v != starlark.True && v != starlark.False {
		return fmt.Errorf("careful must be a bool, not %s", v.Type())
	}
	return p.Add(argparse.Argument{Names: []string{"--life"}, Rank: argparse.Extra})
}

func (l life) Around(inv *engine.Invocation, next func() error) error {
	l.note(fmt.Sprintf("begin %s %v", inv.Name(), inv.Attribute("careful")))
	err := next()
	l.note(fmt.Sprintf("end %v", err))
	return err
}

func TestModuleLife(t *testing.T) {
	var events []string
	fsys := project(map[string]string{"c": "load(\"@std\", \"re\")\ncareful = True\n\ndef handle():\n    defer(print, \"bye\")\n    stdout.write(re)\n"})
	cfg := engine.Config{FS: fsys, Modules: append(builtins.Standard(), life{&events, hostModule{}}), Settings: map[string]any{"NAME": "x"}}
	var out bytes.Buffer
	cfg.Stdout = &out
	eng := engine.New(cfg)
	if len(events) != 0 {
		t.Errorf("New asked the module: %v", events)
	}
	if _, err := eng.Call(context.Background(), "c", engine.Args{Options: map[string]any{"life": "long"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := eng.Call(context.Background(), "from_module", engine.Args{}); err != nil {
		t.Fatal(err)
	}
	if code := eng.Run(context.Background(), []string{"manage", "check"}); code != 0 {
		t.Errorf("check: %d", code)
	}
	if err := errors.Join(eng.Close(), eng.Close()); err != nil {
		t.Error(err)
	}
	want := `configure "x"|apps|begin c True|end <nil>|check|close`
	if got := strings.Join(events, "|"); got != want {
		t.Errorf("events\n%s\nwant\n%s", got, want)
	}
	if got := out.String(); got != "regexp\nbye\nhi\n" {
		t.Errorf("stdout %q", got)
	}
	if _, err := eng.Call(context.Background(), "c", engine.Args{}); err == nil || err.Error() != "the engine is closed" {
		t.Errorf("a call after Close: %v", err)
	}

	got := enginetest.Run(t, engine.Config{FS: fsys, Modules: append(builtins.Standard(), life{&events, hostModule{}}), Settings: map[string]any{"NAME": "bad"}}, "c")
	if got.Code != 1 || got.Stderr != "Settings error: settings.star: NAME must not be bad\n" {
		t.Errorf("a module that refuses the settings: %+v", got)
	}
	without := engine.Config{FS: project(map[string]string{"c": "atomic = True\n\ndef handle():\n    pass\n"})}
	got = enginetest.Run(t, without, "c")
	if got.Code != 1 || !strings.Contains(got.Stderr, "c.star:1:1: atomic needs a module that this program does not have") {
		t.Errorf("an attribute of a module that is not there: %+v", got)
	}
	twice := engine.Config{FS: fsys, Modules: []engine.Module{hostModule{"x": starlark.None}, hostModule{"x": starlark.None}}}
	if got := enginetest.Run(t, twice, "c"); got.Code != 1 || got.Stderr != "Error: modules \"host\" and \"host\" both offer the name \"x\"\n" {
		t.Errorf("two modules with one name: %+v", got)
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	cfg := engine.Config{
		FS: project(map[string]string{
			"builtin": "def handle():\n    catch(boom)\n",
			"range":   "def handle():\n    list(range(1 << 62))\n",
		}),
		Apps: []engine.App{{Label: "go", Commands: []engine.Command{
			{Name: "gopanic", Handle: func(context.Context, *engine.Invocation) (any, error) { panic("in Go") }},
			{Name: "nohandle"},
			{Name: "args", AddArguments: func(*argparse.Parser) error { panic("in arguments") }, Handle: func(context.Context, *engine.Invocation) (any, error) { return nil, nil }},
		}}},
		Modules: append(builtins.Standard(), hostModule{"boom": engine.Func("boom", func() { panic("oh") })}),
	}
	for _, name := range []string{"builtin", "range", "gopanic", "args"} {
		got := enginetest.Run(t, cfg, name)
		if got.Code != 70 || strings.Contains(got.Stderr, "goroutine") || !strings.HasPrefix(got.Stderr, "Error: internal error: ") {
			t.Errorf("%s: %+v", name, got)
		}
		if got := enginetest.Run(t, cfg, name, "--traceback"); got.Code != 70 || !strings.Contains(got.Stderr, "goroutine") {
			t.Errorf("%s --traceback shows no stack: %+v", name, got)
		}
	}
	if got := enginetest.Run(t, cfg, "nohandle"); got.Code != 1 || got.Stderr != "Error: command \"nohandle\" of app \"go\" has no Handle\n" {
		t.Errorf("nohandle: %+v", got)
	}
}

func TestCommandsDescribe(t *testing.T) {
	eng := newEngine(t, engine.Config{FS: project(map[string]string{
		"good": "help = \"Good.\"\n\ndef add_arguments(parser):\n    parser.add_argument(\"--days\", type = int, default = 30, choices = [7, 30], help = \"how many\")\n\ndef handle(days):\n    pass\n",
		"bad":  "def handle(\n",
	})})
	infos, err := eng.Commands(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, info := range infos {
		if info.App != "manage" || info.Name == "version" { // other built-ins come with modules
			names = append(names, info.App+"."+info.Name)
		}
		switch info.Name {
		case "good":
			if info.Help != "Good." || info.File != "apps/a/management/commands/good.star" || info.Err != nil || info.Arguments == nil {
				t.Errorf("good: %+v", info)
			}
		case "bad":
			if info.Err == nil || info.Arguments != nil {
				t.Errorf("bad: %+v", info)
			}
		}
	}
	if got := strings.Join(names, " "); got != "a.bad a.good manage.version" {
		t.Errorf("commands %s", got)
	}
}

func TestOneProjectPerEngine(t *testing.T) {
	fsys := project(map[string]string{"c": "def handle():\n    pass\n"})
	fsys["other.star"] = &fstest.MapFile{}
	var stderr, log bytes.Buffer
	eng := newEngine(t, engine.Config{FS: fsys, Stderr: &stderr, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	for _, c := range []struct {
		words []string
		want  int
	}{{[]string{"c", "--settings", "other.star"}, 0}, {[]string{"c"}, 0}, {[]string{"c", "--settings", "settings.star"}, 1}, {[]string{"c", "--project", "."}, 1}} {
		if code := eng.Run(context.Background(), append([]string{"manage"}, c.words...)); code != c.want {
			t.Errorf("%q: code %d, want %d: %s", c.words, code, c.want, stderr.String())
		}
	}
	if !strings.Contains(stderr.String(), "an engine works with one project and one settings file") {
		t.Errorf("stderr %q", stderr.String())
	}
	if n := strings.Count(log.String(), `msg="command ends" command=c app=a exit=0`); n != 2 {
		t.Errorf("the log tells of %d ends, want 2:\n%s", n, log.String())
	}
}

// unreadableFS refuses one file.
type unreadableFS struct {
	fs.FS
	name string
	err  error
}

func (u unreadableFS) Open(name string) (fs.File, error) {
	if name == u.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: u.err}
	}
	return u.FS.Open(name)
}

func TestUnreadableFile(t *testing.T) {
	fsys := project(map[string]string{"c": "x", "ok": "def handle():\n    return \"ok\"\n"})
	const file = "apps/a/management/commands/c.star"
	cfg := engine.Config{FS: unreadableFS{fsys, file, fs.ErrPermission}, Modules: builtins.Standard()}
	got := enginetest.Run(t, cfg, "c")
	if want := file + ": cannot be read: permission denied\nLet the user that runs the command read it.\n"; got.Code != 1 || got.Stderr != want {
		t.Errorf("%+v, want stderr %q", got, want)
	}
	if got := enginetest.Run(t, cfg, "ok"); got.Stdout != "ok\n" {
		t.Errorf("the command beside it: %+v", got)
	}
	cfg.FS = unreadableFS{fsys, "settings.star", fs.ErrPermission}
	got = enginetest.Run(t, cfg, "ok")
	if want := "Settings error: settings.star: permission denied\n"; got.Code != 1 || got.Stderr != want {
		t.Errorf("unreadable settings: %+v, want %q", got, want)
	}
}

// failingWriter fails after a number of bytes.
type failingWriter struct {
	room int
	err  error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, w.err
	}
	w.room -= len(p)
	return len(p), nil
}

func TestOutputThatFails(t *testing.T) {
	fsys := project(map[string]string{"c": "def handle():\n    for i in range(100000):\n        stdout.write(\"line %d\" % i)\n    done()\n"})
	var done int
	modules := append(builtins.Standard(), hostModule{"done": engine.Func("done", func() { done++ })})
	// A disk that is full: an error, never exit 0.
	got := enginetest.Run(t, engine.Config{FS: fsys, Modules: modules, Stdout: &failingWriter{1000, errors.New("no space left on device")}}, "c")
	if got.Code != 1 || !strings.Contains(got.Stderr, "no space left on device") {
		t.Errorf("a full disk: %+v", got)
	}
	// A reader that went away: the run finishes.
	got = enginetest.Run(t, engine.Config{FS: fsys, Modules: append(builtins.Standard(), hostModule{"done": engine.Func("done", func() { done++ })}), Stdout: &failingWriter{1000, fmt.Errorf("write: %w", brokenPipe)}}, "c")
	if got.Code != 0 || got.Stderr != "" || done != 1 {
		t.Errorf("a broken pipe: %+v, done %d", got, done)
	}
}

func TestDeferredTimeIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: a deferred function that hangs is stopped then")
	}
	t.Parallel()
	start := time.Now()
	got := enginetest.Run(t, engine.Config{FS: project(map[string]string{"c": "def _hang():\n    while True:\n        pass\n\ndef handle():\n    defer(_hang)\n"}), Modules: builtins.Standard()}, "c")
	if got.Code != 124 || !strings.Contains(got.Stderr, "time for deferred functions of 10s reached") {
		t.Errorf("%+v after %s", got, time.Since(start))
	}
}

// TestRunsWithinARun: a module's own runs have their streams, clock, state and
// deferred functions, may run at once, and call commands that inherit them.
func TestRunsWithinARun(t *testing.T) {
	fsys := project(map[string]string{
		"host":  "def handle():\n    return within()\n",
		"inner": "def handle():\n    stdout.write(\"inner at %s\" % clock())\n",
	})
	fsys["apps/a/tests/test_x.star"] = &fstest.MapFile{Data: []byte("def go(n):\n    defer(stdout.write, \"deferred %d\" % n)\n    call_command(\"inner\")\n    if n == 3:\n        fail(\"three\")\n")}
	var outs [4]bytes.Buffer
	var errs [4]error
	eng := newEngine(t, engine.Config{FS: fsys, Modules: append(builtins.Standard(), hostModule{
		"clock": engine.Func("clock", func(inv *engine.Invocation) string { return inv.Now().UTC().Format("15:04") }),
		"within": engine.Func("within", func(inv *engine.Invocation) error {
			if info := inv.Apps()[0]; info.Label != "a" || info.Path != "apps/a" || info.FS == nil {
				t.Errorf("app %+v", info)
			}
			var wg sync.WaitGroup
			for n := range 4 {
				now := func() time.Time { return time.Unix(int64(n)*3600, 0) }
				wg.Go(func() {
					errs[n] = inv.Within(engine.Sub{Name: "test", Stdout: &outs[n], Now: now}, func(run *engine.Invocation) error {
						globals, err := run.LoadFile("a", "tests/test_x.star")
						if err != nil {
							return err
						}
						_, err = run.CallFunction(globals["go"].(starlark.Callable), starlark.Tuple{starlark.MakeInt(n)}, nil)
						return err
					})
				})
			}
			wg.Wait()
			return nil
		}),
	})})
	if _, err := eng.Call(context.Background(), "host", engine.Args{}); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		if want := fmt.Sprintf("inner at %02d:00\ndeferred %d\n", n, n); outs[n].String() != want {
			t.Errorf("run %d wrote %q, want %q", n, outs[n].String(), want)
		}
		bug, failed := errors.AsType[*engine.ScriptError](errs[n])
		if failed != (n == 3) || failed && (len(bug.Frames) != 1 || bug.Frames[0].File != "apps/a/tests/test_x.star") {
			t.Errorf("run %d: %v", n, errs[n])
		}
	}
}

// TestFramesOnce: an error that a builtin settles (an iterator's, one of a
// callback) shows each call once, also after catch has passed it on.
func TestFramesOnce(t *testing.T) {
	rows := engine.Builtin("rows", func(inv *engine.Invocation, thread *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return failingRows{inv, thread}, nil
	})
	eng := newEngine(t, engine.Config{Modules: append(builtins.Standard(), hostModule{"rows": rows}), FS: project(map[string]string{
		"loop":    "def handle():\n    for r in rows():\n        pass\n",
		"passed":  "def handle():\n    catch(lambda: [r for r in rows()], CommandError)\n",
		"reraise": "def handle():\n    _, err = catch(lambda: [r for r in rows()])\n    err.reraise()\n",
		"last":    "def handle():\n    return list(rows())\n",
	})})
	for name, want := range map[string]string{
		"loop":    "handle",
		"passed":  "handle lambda",
		"reraise": "handle lambda",
		"last":    "handle",
	} {
		_, err := eng.Call(context.Background(), name, engine.Args{})
		bug, ok := errors.AsType[*engine.ScriptError](err)
		if !ok || bug.Message != "the rows ran out" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var calls []string
		for _, f := range bug.Frames {
			calls = append(calls, f.Function)
		}
		if got := strings.Join(calls, " "); got != want {
			t.Errorf("%s: frames %q, want %q", name, got, want)
		}
	}
}

// failingRows is an iterable whose iterator fails at once.
type failingRows struct {
	inv    *engine.Invocation
	thread *starlark.Thread
}

func (failingRows) String() string               { return "rows" }
func (failingRows) Type() string                 { return "rows" }
func (failingRows) Freeze()                      {}
func (failingRows) Truth() starlark.Bool         { return true }
func (failingRows) Hash() (uint32, error)        { return 0, errors.New("unhashable") }
func (r failingRows) Iterate() starlark.Iterator { return r }
func (failingRows) Done()                        {}
func (r failingRows) Next(*starlark.Value) bool {
	r.inv.FailIteration(r.thread, errors.New("the rows ran out"))
	return false
}
