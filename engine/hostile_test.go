package engine_test

// What a host or an operator may get wrong: functions that panic, contexts that
// end early, files that never finish.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// endless are files that never come to their end before handle.
func endless() map[string]string {
	return map[string]string{
		"toplevel":  "while True:\n    pass\n\ndef handle():\n    pass\n",
		"arguments": "def add_arguments(parser):\n    while True:\n        pass\n\ndef handle():\n    pass\n",
		"converter": "def _t(s):\n    while True:\n        pass\n\ndef add_arguments(parser):\n    parser.add_argument(\"--a\", type = _t, default = \"x\")\n\ndef handle(a):\n    pass\n",
	}
}

// TestLimitsBeforeHandle: the time and the steps of a run bound its top level,
// add_arguments and type functions too.
func TestLimitsBeforeHandle(t *testing.T) {
	for name := range endless() {
		cfg := engine.Config{FS: project(endless()), Modules: builtins.Standard()}
		got := enginetest.Run(t, cfg, name, "--timeout", "50ms")
		if got.Code != 124 || !strings.Contains(got.Stderr, "timeout of 50ms reached") {
			t.Errorf("%s --timeout: %+v", name, got)
		}
		cfg.Limits.Timeout = 50 * time.Millisecond
		got = enginetest.Run(t, cfg, name)
		if got.Code != 124 || !strings.Contains(got.Stderr, "timeout of 50ms reached") {
			t.Errorf("%s with Config.Limits.Timeout: %+v", name, got)
		}
		cfg.Limits = engine.Limits{Steps: 1000}
		got = enginetest.Run(t, cfg, name)
		if got.Code != 124 || !strings.Contains(got.Stderr, "steps of 1000 steps reached") || strings.Contains(got.Stderr, "Traceback") {
			t.Errorf("%s with Config.Limits.Steps: %+v", name, got)
		}
	}
	// An option of the command's own of that name bounds nothing.
	own := engine.Config{FS: project(map[string]string{
		"own": "def add_arguments(parser):\n    parser.add_argument(\"--timeout\")\n\ndef handle(timeout):\n    [x for x in range(300000)]\n    stdout.write(timeout)\n",
	}), Modules: builtins.Standard()}
	if got := enginetest.Run(t, own, "own", "--timeout", "1ms"); got.Code != 0 || got.Stdout != "1ms\n" {
		t.Errorf("its own --timeout: %+v", got)
	}
}

// TestBaseOptionsAsParsed: the command's parser has the last word on what is a
// base option.
func TestBaseOptionsAsParsed(t *testing.T) {
	cfg := engine.Config{Modules: builtins.Standard(), FS: project(map[string]string{
		"fails": "def handle():\n    CommandError(\"no\")\n",
		"rest":  "def add_arguments(parser):\n    parser.add_argument(\"words\", nargs = argparse.REMAINDER)\n\ndef handle(words):\n    CommandError(\" \".join(words))\n",
	})}
	for _, c := range []struct {
		words          []string
		code           int
		stdout, stderr string // how they start
	}{
		{[]string{"fails", "--js"}, 1, `{"ok":false,"command":"fails"`, "CommandError: no\n"},
		{[]string{"fails", "--trace"}, 1, "", "Traceback"},
		{[]string{"fails", "--force-c"}, 1, "", "\x1b["},
		{[]string{"fails", "--sett=x.star"}, 2, "", "usage: manage fails [base options]\nmanage fails: error: argument --settings: "},
		{[]string{"fails", "--proj", "x"}, 2, "", "usage: manage fails [base options]\nmanage fails: error: argument --project: "},
		{[]string{"rest", "x", "--json", "--traceback", "--force-color"}, 1, "", "CommandError: x --json --traceback --force-color\n"},
		{[]string{""}, 1, "", "Unknown command: ''\n"},
	} {
		got := enginetest.Run(t, cfg, c.words...)
		if got.Code != c.code || !strings.HasPrefix(got.Stdout, c.stdout) || c.stdout == "" && got.Stdout != "" || !strings.HasPrefix(got.Stderr, c.stderr) {
			t.Errorf("%q: %+v", c.words, got)
		}
	}
}

func TestResultsWithoutForm(t *testing.T) {
	cfg := engine.Config{Modules: builtins.Standard(), FS: project(map[string]string{
		"nan":    "def handle():\n    return float(\"nan\")\n",
		"cyclic": "def handle():\n    a = []\n    a.append(a)\n    return a\n",
	})}
	for name, message := range map[string]string{"nan": "json: unsupported value: NaN", "cyclic": "the result of cyclic: it is nested deeper than 200, or contains itself"} {
		got := enginetest.Run(t, cfg, name, "--json")
		if got.Code != 1 || !strings.Contains(got.Stdout, `{"ok":false,`) || !strings.Contains(got.Stdout, message) || !strings.Contains(got.Stderr, message) {
			t.Errorf("%s: %+v, want %q", name, got, message)
		}
	}
}

// TestExitCodes: a code that no process can have never becomes a success.
func TestExitCodes(t *testing.T) {
	for _, err := range []error{
		&engine.CommandError{ReturnCode: 256}, &engine.CommandError{ReturnCode: -1}, &engine.ExitError{Code: 512},
		&engine.StoppedError{Cause: &engine.Interrupt{Name: "SIGHUP"}},
	} {
		if code := engine.ExitCode(err); code != 1 {
			t.Errorf("%#v: code %d, want 1", err, code)
		}
	}
	if code := engine.ExitCode(&engine.ExitError{}); code != 0 {
		t.Errorf("exit(0): %d", code)
	}
}

type panickingWriter struct{}

func (panickingWriter) Write([]byte) (int, error) { panic("writer") }

type panickingFS struct{}

func (panickingFS) Open(string) (fs.File, error) { panic("fs") }

// panickingModule panics in the method of its name.
type panickingModule string

func (m panickingModule) Name() string { return string(m) }
func (m panickingModule) in(method string) {
	if string(m) == method {
		panic(method)
	}
}
func (m panickingModule) Predeclared() starlark.StringDict { m.in("Predeclared"); return nil }
func (m panickingModule) Configure(engine.Settings) error  { m.in("Configure"); return nil }
func (m panickingModule) Apps() []engine.App               { m.in("Apps"); return nil }
func (m panickingModule) Std() starlark.StringDict         { m.in("Std"); return nil }
func (m panickingModule) Attributes() []string             { m.in("Attributes"); return nil }
func (m panickingModule) Close() error                     { m.in("Close"); return nil }
func (m panickingModule) Arguments(starlark.StringDict, *argparse.Parser) error {
	m.in("Arguments")
	return nil
}
func (m panickingModule) Around(_ *engine.Invocation, next func() error) error {
	m.in("Around")
	return next()
}
func (m panickingModule) Check(context.Context, *engine.CheckRun) []engine.CheckMessage {
	m.in("Check")
	return nil
}

// TestHostsThatPanic: a host's function that panics is an error of the run, not
// the end of the host.
func TestHostsThatPanic(t *testing.T) {
	files := project(map[string]string{"c": "load(\"@std\", \"x\")\n\ndef handle():\n    print(\"hello\")\n"})
	for _, method := range []string{"Predeclared", "Configure", "Apps", "Std", "Attributes", "Arguments", "Around", "Check", "Close"} {
		eng := engine.New(engine.Config{FS: files, Modules: []engine.Module{panickingModule(method)}})
		command := "c"
		if method == "Check" {
			command = "check"
		}
		_, err := eng.Call(t.Context(), command, engine.Args{})
		if _, ok := errors.AsType[*engine.InternalError](err); !ok && (method == "Std" || method == "Configure" || method == "Apps" || method == "Check" || method == "Predeclared") {
			t.Errorf("%s: Call gave %v", method, err)
		}
		if code := eng.Run(t.Context(), []string{"manage", command}); code == 0 && method != "Close" {
			t.Errorf("%s: Run gave 0", method)
		}
		_, _ = eng.Commands(t.Context()) // returns at all
		if err := eng.Close(); (err != nil) != (method == "Close") {
			t.Errorf("%s: Close gave %v", method, err)
		}
	}
	nils := engine.New(engine.Config{Modules: []engine.Module{nil, hostModule{"x": nil}}})
	if _, err := nils.Call(t.Context(), "version", engine.Args{}); err == nil || !strings.Contains(err.Error(), "module 1 of the program is nil") || !strings.Contains(err.Error(), `"x" without a value`) {
		t.Errorf("nil modules and values: %v", err)
	}
	var stderr bytes.Buffer
	for name, cfg := range map[string]engine.Config{
		"stdout": {Stdout: panickingWriter{}, Stderr: &stderr},
		"stderr": {Stderr: panickingWriter{}},
		"FS":     {FS: panickingFS{}, Stderr: &stderr},
		"Getenv": {Getenv: func(string) (string, bool) { panic("getenv") }, Stderr: &stderr},
	} {
		cfg.Modules = builtins.Standard()
		if cfg.FS == nil {
			cfg.FS = project(map[string]string{"c": "def handle():\n    print(\"hello\")\n    stderr.write(\"hello\")\n"})
		}
		if code := enginetest.Run(t, cfg, "c").Code; code == 0 {
			t.Errorf("%s: code 0", name)
		}
	}
}

// tellingWriter panics at its first write, and tells that it was called.
type tellingWriter chan bool

func (w tellingWriter) Write([]byte) (int, error) {
	close(w)
	panic("writer")
}

// TestTimerWrites: what a buffer writes when nobody waits for it may panic too.
func TestTimerWrites(t *testing.T) {
	called := make(tellingWriter)
	cfg := engine.Config{Stdout: called, Apps: []engine.App{{Label: "go", Commands: []engine.Command{{
		Name: "slow", Handle: func(ctx context.Context, inv *engine.Invocation) (any, error) {
			fmt.Fprint(inv.Stdout(), "some")
			<-called // the buffer's timer writes
			return nil, nil
		},
	}}}}}
	if got := enginetest.Run(t, cfg, "slow"); got.Code != 70 || got.Stderr != "Error: writing to stdout: internal error: writer\n" {
		t.Errorf("%+v", got)
	}
}

// TestCleanupsAllRun: one that panics does not keep the others from running.
func TestCleanupsAllRun(t *testing.T) {
	var ran []string
	cfg := engine.Config{Apps: []engine.App{{Label: "go", Commands: []engine.Command{{
		Name: "c", Handle: func(_ context.Context, inv *engine.Invocation) (any, error) {
			inv.Cleanup(func() { ran = append(ran, "first") })
			inv.Cleanup(func() { panic("second") })
			inv.Cleanup(func() { ran = append(ran, "third") })
			return nil, nil
		},
	}}}}}
	if got := enginetest.Run(t, cfg, "c"); got.Code != 70 || fmt.Sprint(ran) != "[third first]" {
		t.Errorf("%+v, ran %v", got, ran)
	}
}

// lockedFS refuses everything below one folder.
type lockedFS struct {
	fs.FS
	folder string
}

func (l lockedFS) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, l.folder) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.FS.Open(name)
}

// TestUnreadableApp: the commands of the project do not run around an app that
// cannot be read, and the built-ins tell about it.
func TestUnreadableApp(t *testing.T) {
	files := project(map[string]string{"c": "def handle():\n    pass\n"})
	files["apps/b/management/commands/d.star"] = files["apps/a/management/commands/c.star"]
	cfg := engine.Config{FS: lockedFS{files, "apps/a/management"}, Modules: builtins.Standard()}
	for _, name := range []string{"c", "d"} {
		if got := enginetest.Run(t, cfg, name); got.Code != 1 || !strings.Contains(got.Stderr, "cannot be read: permission denied") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := enginetest.Run(t, cfg, "help"); got.Code != 0 || !strings.Contains(got.Stdout, "\n  d\n") {
		t.Errorf("help: %+v", got)
	}
	if got := enginetest.Run(t, cfg, "check"); got.Code != 1 || !strings.Contains(got.Stderr, "apps/a/management/commands: (commands.E001) cannot be read: permission denied") {
		t.Errorf("check: %+v", got)
	}
}

// TestWideList: the list keeps its columns with wide characters, and nothing in
// a help text acts on the terminal.
func TestWideList(t *testing.T) {
	cfg := engine.Config{Modules: builtins.Standard(), FS: project(map[string]string{
		"日本語":    "help = \"wide\"\n\ndef handle():\n    pass\n",
		"abcdef": "help = \"bell \\a and \\x1b[31m\"\n\ndef handle():\n    pass\n",
		"long":   "help = \"" + strings.Repeat("語", 60) + "\"\n\ndef handle():\n    pass\n",
	})}
	got := enginetest.Run(t, cfg, "help")
	lines := map[string]string{}
	for line := range strings.Lines(got.Stdout) {
		if name, text, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			lines[name] = strings.TrimSpace(text)
			if cells := len([]rune(line)) - 1 + strings.Count(line, "語"); name == "long" && cells > 80 {
				t.Errorf("%q takes %d columns", line, cells)
			}
		}
	}
	if lines["日本語"] != "wide" || lines["abcdef"] != "bell  and [31m" || !strings.HasSuffix(lines["long"], "語…") {
		t.Errorf("%q", lines)
	}
	if strings.Index(got.Stdout, "wide")-strings.Index(got.Stdout, "日本語") != strings.Index(got.Stdout, "bell")-strings.Index(got.Stdout, "abcdef")+3 {
		t.Errorf("not aligned:\n%s", got.Stdout)
	}
}

// TestCheckAdvice: what check says to do can be done.
func TestCheckAdvice(t *testing.T) {
	cfg := engine.Config{Modules: builtins.Standard(), FS: project(map[string]string{
		"two":  "def add_arguments(parser):\n    parser.add_argument(\"--one\")\n    parser.add_argument(\"--two\")\n    parser.add_argument(\"--from\")\n\ndef handle(verbosity):\n    pass\n",
		"acts": "def handle(help):\n    pass\n",
		"gone": "load(\"./_gone.star\", \"x\")\n\ndef handle():\n    pass\n",
	})}
	got := enginetest.Run(t, cfg, "check")
	const dir = "apps/a/management/commands/"
	for _, want := range []string{
		"HINT: Write def handle(verbosity, one, two), or take all with def handle(**options).\n",
		"HINT: Give it dest = \"from_\"",
		"HINT: --help acts by itself and has no value: leave the parameter out.\n",
		dir + "_gone.star: (commands.E001) cannot be read: file does not exist (loaded by " + dir + "gone.star:1:1)\n",
	} {
		if !strings.Contains(got.Stderr, want) {
			t.Errorf("no %q in\n%s", want, got.Stderr)
		}
	}
}

// TestStreamsInOrder: where both streams go to one place, as with 2>&1, lines
// stand in the order in which they were written, though stdout is buffered.
func TestStreamsInOrder(t *testing.T) {
	var both bytes.Buffer
	cfg := engine.Config{Stdout: &both, Stderr: &both, Modules: builtins.Standard(), FS: project(map[string]string{
		"c": "def handle():\n    print(1)\n    stderr.write(\"2\")\n    print(3)\n    stderr.write(\"4\")\n    CommandError(\"5\")\n",
	})}
	if got := enginetest.Run(t, cfg, "c"); got.Code != 1 || both.String() != "1\n2\n3\n4\nCommandError: 5\n" {
		t.Errorf("%+v: %q", got, both.String())
	}
}

// TestBuiltinsRefuseToStart: a builtin that was handed list(rows) would work
// with the rows that came before the failure; one called after the run's time
// was up would work for nobody.
func TestBuiltinsRefuseToStart(t *testing.T) {
	var started int
	ctx, stop := context.WithCancelCause(t.Context())
	modules := append(builtins.Standard(), hostModule{
		"rows": engine.Builtin("rows", func(inv *engine.Invocation, thread *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return failingRows{inv, thread}, nil
		}),
		"stop":  engine.Func("stop", func() []int { stop(errors.New("enough")); return nil }),
		"write": engine.Func("write", func([]any) { started++ }, "rows"),
	})
	eng := newEngine(t, engine.Config{Modules: modules, FS: project(map[string]string{
		"failed":  "def handle():\n    write(list(rows()))\n",
		"caught":  "def handle():\n    catch(lambda: write(list(rows())))\n    write([])\n",
		"stopped": "def handle():\n    write(stop() or [])\n",
	})})
	if _, err := eng.Call(ctx, "failed", engine.Args{}); err == nil || started != 0 {
		t.Errorf("failed rows: %v, write ran %d times", err, started)
	}
	if _, err := eng.Call(ctx, "caught", engine.Args{}); err != nil || started != 1 {
		t.Errorf("after catch: %v, write ran %d times", err, started)
	}
	if _, err := eng.Call(ctx, "stopped", engine.Args{}); err == nil || !strings.Contains(err.Error(), "enough") || started != 1 {
		t.Errorf("after the stop: %v, write ran %d times", err, started)
	}
}
