package command_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// exit ends the whole run, from wherever it is called; nothing catches it and
// nothing is printed for it.
func TestExit(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		code       int
		out        string
	}{
		{"without a code", `exit()`, 0, "deferred\n"},
		{"by position", `exit(3)`, 3, "deferred\n"},
		{"by name", `exit(code = 255)`, 255, "deferred\n"},
		{"from a called command", `call_command("inner", 4)`, 4, "inner deferred\ndeferred\n"},
		{"with 0 from a called command", `call_command("inner", 0)`, 0, "inner deferred\ndeferred\n"},
		{"inside catch", `catch(lambda: exit(5))`, 5, "deferred\n"},
		{"inside catch with every type", `catch(lambda: exit(5), CommandError, ValueError)`, 5, "deferred\n"},
		{"with 0 inside catch", `catch(lambda: exit())`, 0, "deferred\n"},
		{"from a command called inside catch", `catch(lambda: call_command("inner", 6))`, 6, "inner deferred\ndeferred\n"},
		{"two commands deep", `call_command("middle")`, 7, "inner deferred\ndeferred\n"},
		{"inside a loop", `[exit(8) for _ in progress([1])]`, 8, "deferred\n"},
		{"inside sorted's key", `sorted([1, 2], key = lambda x: exit(9))`, 9, "deferred\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := commands(`
== x
def handle():
    defer(print, "deferred")
    ` + tt.body + `
    print("not reached")
== middle
def handle():
    catch(lambda: call_command("inner", 7))
    print("not reached")
== inner
def add_arguments(parser):
    parser.add_argument("code", type = int)

def handle(code):
    defer(print, "inner deferred")
    exit(code)
`)
			want(t, enginetest.Run(t, cfg, "x"), tt.code, tt.out, "")
			got := enginetest.Run(t, cfg, "x", "--traceback")
			want(t, got, tt.code, tt.out, "")
		})
	}
}

// From Go, exit(0) is no error, and another code is an ExitError.
func TestExitFromGo(t *testing.T) {
	eng := engine.New(commands(`
== x
def add_arguments(parser):
    parser.add_argument("code", type = int)

def handle(code):
    exit(code)
`))
	defer eng.Close()
	if v, err := eng.Call(context.Background(), "x", engine.Args{Positional: []any{0}}); v != nil || err != nil {
		t.Errorf("exit(0): got %v, %v", v, err)
	}
	_, err := eng.Call(context.Background(), "x", engine.Args{Positional: []any{3}})
	if exit, ok := errors.AsType[*engine.ExitError](err); !ok || exit.Code != 3 {
		t.Errorf("exit(3): got %v", err)
	}
}

func TestDefer(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		code       int
		out, err   string
	}{
		{"the last first, after handle", `
    defer(print, 1)
    defer(print, 2, 3, sep = "-")
    defer(lambda: print("three"))
    print("handle")`, 0, "handle\nthree\n2-3\n1\n", ""},
		{"in a loop", `
    for x in range(3):
        defer(print, x)`, 0, "2\n1\n0\n", ""},
		{"it returns nothing", `
    print(defer(print))`, 0, "None\n\n", ""},
		{"after a CommandError", `
    defer(print, "deferred")
    CommandError("no", returncode = 2)`, 2, "deferred\n", "CommandError: no\n"},
		{"after a bug", `
    defer(print, "deferred")
    [][0]`, 1, "deferred\n", "Traceback (most recent call last):\n  apps/ops/management/commands/x.star:3:7: in handle\n    [][0]\nError: index 0 out of range: empty list\n"},
		{"before the error that follows it, nothing after", `
    CommandError("no")
    defer(print, "not registered")`, 1, "", "CommandError: no\n"},
		{"deferred within deferred", `
    defer(lambda: defer(print, "inner"))
    defer(print, "outer")`, 0, "outer\ninner\n", ""},
		{"it sees what handle did", `
    got = []
    defer(lambda: print(got))
    got.append(1)`, 0, "[1]\n", ""},
		{"an error in a deferred function is the run's", `
    defer(print, "the rest runs")
    defer(ValueError, "deferred")`, 1, "the rest runs\n", "Error: ValueError: deferred\n"},
		{"a CommandError in a deferred function", `
    defer(print, "the rest runs")
    defer(lambda: CommandError("deferred", returncode = 4))`, 4, "the rest runs\n", "CommandError: deferred\n"},
		{"the first error wins, the other is told", `
    defer(CommandError, "second")
    CommandError("first", returncode = 4)`, 4, "", "a deferred function failed too: second\nCommandError: first\n"},
		{"two deferred functions that fail", `
    defer(CommandError, "second")
    defer(CommandError, "first", returncode = 5)`, 5, "", "a deferred function failed too: second\nCommandError: first\n"},
		{"a caught error does not run it early", `
    defer(print, "last")
    catch(lambda: ValueError("v"))
    print("first")`, 0, "first\nlast\n", ""},
		{"it may catch", `
    defer(lambda: print(catch(lambda: ValueError("v"))[1].message))`, 0, "v\n", ""},
		{"it may call commands, whose own run inside", `
    defer(print, "last")
    defer(call_command, "inner")
    print("handle")`, 0, "handle\ninner\ninner deferred\nlast\n", ""},
		{"a called command's run when it ends", `
    defer(print, "last")
    call_command("inner")
    print("handle")`, 0, "inner\ninner deferred\nhandle\nlast\n", ""},
		{"a called command's go to the stream that it was given", `
    out = StringIO()
    call_command("inner", stdout = out)
    print("[" + out.getvalue().replace("\n", ";") + "]")`, 0, "[inner;inner deferred;]\n", ""},
		{"a called command's run after its error, before the caller's", `
    defer(print, "last")
    _, err = catch(lambda: call_command("failing"))
    print(err.message)`, 0, "failing deferred\nfailed\nlast\n", ""},
		{"what handle returns comes after them", `
    defer(print, "deferred")
    return "result"`, 0, "deferred\nresult\n", ""},
		{"exit in a deferred function", `
    defer(print, "the rest runs")
    defer(exit, 6)`, 6, "the rest runs\n", ""},
		{"an iterator's error in a deferred function", `
    defer(lambda: [x for x in failing(1)])`, 1, "", "Traceback (most recent call last):\n  apps/ops/management/commands/x.star:2:22: in lambda\n    defer(lambda: [x for x in failing(1)])\nError: the rows ran out\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := commands("== x\ndef handle():" + tt.body + `
== inner
def handle():
    defer(print, "inner deferred")
    print("inner")
== failing
def handle():
    defer(print, "failing deferred")
    CommandError("failed")
`)
			want(t, enginetest.Run(t, cfg, "x"), tt.code, tt.out, tt.err)
		})
	}
}

// interrupt runs a command and cancels it when everything waits.
func interrupt(t *testing.T, cfg engine.Config, name string) enginetest.Result {
	t.Helper()
	var stdout, stderr strings.Builder
	cfg.Stdout, cfg.Stderr = &stdout, &stderr
	ctx, cancel := context.WithCancelCause(context.Background())
	eng := engine.New(cfg)
	code := make(chan int)
	go func() { code <- eng.Run(ctx, []string{"manage", name}) }()
	synctest.Wait()
	cancel(&engine.Interrupt{Name: "SIGTERM", Code: 143})
	got := enginetest.Result{Code: <-code}
	if err := eng.Close(); err != nil {
		t.Error(err)
	}
	got.Stdout, got.Stderr = stdout.String(), stderr.String()
	return got
}

// Deferred functions run after a stop, know of it, and have their own time;
// so do the commands that they call.
func TestDeferAfterStop(t *testing.T) {
	cfg := commands(`
== x
def handle():
    defer(tidy)
    print(stopping())
    catch(lambda: sleep(60))
    print("not reached")

def tidy():
    sleep(1)
    print("stopping", stopping())
    call_command("inner")
== inner
def handle():
    print("inner stopping", stopping())
== looping
def handle():
    defer(print, "deferred")
    call_command("sleeper")
== sleeper
def handle():
    defer(lambda: print("sleeper stopping", stopping()))
    sleep(60)
`)
	synctest.Test(t, func(t *testing.T) {
		want(t, interrupt(t, cfg, "x"), 143, "False\nstopping True\ninner stopping True\n", "Stopped: x: interrupted by SIGTERM.\n")
	})
	synctest.Test(t, func(t *testing.T) {
		want(t, interrupt(t, cfg, "looping"), 143, "sleeper stopping True\ndeferred\n", "Stopped: sleeper: interrupted by SIGTERM.\n")
	})
}

func TestDeferAfterTimeout(t *testing.T) {
	cfg := commands(`
== x
limits = dict(timeout = "5s")

def handle():
    defer(lambda: print("stopping", stopping()))
    sleep(60)
== caller
def handle():
    defer(print, "caller deferred")
    _, err = catch(lambda: call_command("x"))
    print("not reached")
`)
	synctest.Test(t, func(t *testing.T) {
		want(t, enginetest.Run(t, cfg, "x"), 124, "stopping True\n", "Stopped: x: timeout of 5s reached after 5s.\n")
		want(t, enginetest.Run(t, cfg, "caller"), 124, "stopping True\ncaller deferred\n", "Stopped: x: timeout of 5s reached after 5s.\n")
	})
}

// Ten seconds for all deferred functions together.
func TestDeferTime(t *testing.T) {
	cfg := commands(`
== x
def handle():
    defer(print, "too late to sleep, not to print?")
    defer(sleep, 30)
    defer(sleep, 9)
`)
	synctest.Test(t, func(t *testing.T) {
		got := enginetest.Run(t, cfg, "x")
		if got.Code != 124 || !strings.Contains(got.Stderr, "Stopped: x: time for deferred functions of 10s reached after 10s.\n") {
			t.Errorf("got %+v", got)
		}
	})
}

// Limits and cancellation pass through every catch.
func TestNeverCaught(t *testing.T) {
	for _, tt := range []struct {
		name, header, body string
		code               int
		stderr             string
	}{
		{"steps", "limits = dict(steps = 10000)\n", "catch(lambda: [x for x in range(1000000)])", 124, "Stopped: x: steps of 10000 steps reached"},
		{"steps of a called command", "", `catch(lambda: call_command("greedy"))`, 124, "Stopped: greedy: steps of 10000 steps reached"},
		{"a fault of ours", "", "catch(boom)", 70, "Error: internal error: boom: a fault of this program, not of the script\n"},
		{"the timeout, with types", `limits = dict(timeout = "1s")` + "\n", "catch(lambda: sleep(5), TimeoutError, CommandError)", 124, "Stopped: x: timeout of 1s reached"},
		{"the timeout, in nested catches", `limits = dict(timeout = "1s")` + "\n", "catch(lambda: catch(lambda: sleep(5)))", 124, "Stopped: x: timeout of 1s reached"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := commands("== x\n" + tt.header + "def handle():\n    " + tt.body + "\n    print(\"not reached\")\n" + `
== greedy
limits = dict(steps = 10000)

def handle():
    [x for x in range(1000000)]
`)
			synctest.Test(t, func(t *testing.T) {
				got := enginetest.Run(t, cfg, "x")
				if got.Code != tt.code || got.Stdout != "" || !strings.Contains(got.Stderr, tt.stderr) {
					t.Errorf("got %+v, want %d and %q", got, tt.code, tt.stderr)
				}
			})
		})
	}
}

// A run that busies itself is stopped too, inside catch as elsewhere.
func TestCancelBusyLoop(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cfg := commands(`
== x
def handle():
    ready()
    while True:
        catch(lambda: [1 for _ in range(1000)])
`)
	cfg.Modules = append(cfg.Modules, oneName{"ready", engine.Func("ready", func() { cancel(&engine.Interrupt{Name: "SIGINT", Code: 130}) })})
	var stderr strings.Builder
	cfg.Stderr = &stderr
	eng := engine.New(cfg)
	defer eng.Close()
	if code := eng.Run(ctx, []string{"manage", "x"}); code != 130 || !strings.HasPrefix(stderr.String(), "Stopped: x: interrupted by SIGINT") {
		t.Errorf("exit code %d, stderr %s", code, stderr.String())
	}
}

// The errors of scripts, as Go sees them.
func TestErrorsFromGo(t *testing.T) {
	eng := engine.New(commands(`
== x
def add_arguments(parser):
    parser.add_argument("kind")

def handle(kind):
    if kind == "command":
        CommandError("no", returncode = 3, hint = "h")
    if kind == "value":
        ValueError("v")
    if kind == "caught":
        _, err = catch(lambda: CommandError("no", returncode = 3, hint = "h"))
        err.reraise()
    [][0]
`))
	defer eng.Close()
	call := func(kind string) error {
		_, err := eng.Call(context.Background(), "x", engine.Args{Positional: []any{kind}})
		return err
	}
	for _, kind := range []string{"command", "caught"} {
		if e, ok := errors.AsType[*engine.CommandError](call(kind)); !ok || fmt.Sprint(e.Message, e.ReturnCode, e.Hint) != "no3h" {
			t.Errorf("%s: got %v", kind, e)
		}
	}
	if e, ok := errors.AsType[*engine.TypedError](call("value")); !ok || e.Type != engine.ValueError || e.Message != "v" {
		t.Errorf("value: got %v", e)
	}
	if e, ok := errors.AsType[*engine.ScriptError](call("bug")); !ok || len(e.Frames) != 1 || e.Frames[0].Line != 12 {
		t.Errorf("bug: got %v", e)
	}
}
