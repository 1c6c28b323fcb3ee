package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// dance is a command to call: what it was given is what it returns.
const dance = `
== dance
def add_arguments(parser):
    parser.add_argument("integer", nargs = "?", type = int, default = 0)
    parser.add_argument("-s", "--style", default = "Rock'n'Roll", choices = ["Rock'n'Roll", "Jive"])
    parser.add_argument("--how-long", dest = "minutes", type = int, default = 3)
    parser.add_argument("--tag", action = "append", type = int)
    parser.add_argument("-x", "--example")
    parser.add_argument("--twice", action = "store_true")
    parser.add_argument("--checked", type = checked)

def checked(text):
    if text == "bad":
        ValueError("it is bad")
    if text == "bug":
        [][1]
    return text.upper()

def handle(integer, style, minutes, tag, example, twice, checked):
    return dict(integer = integer, style = style, minutes = minutes, tag = tag, example = example, twice = twice, checked = checked)
`

func TestCallCommandArguments(t *testing.T) {
	defaults := map[string]string{"integer": "0", "style": `"Rock'n'Roll"`, "minutes": "3", "tag": "None", "example": "None", "twice": "False", "checked": "None"}
	for _, tt := range []struct {
		call string
		want string // "name=value name=value", what differs from the defaults
	}{
		{`call_command("dance")`, ""},
		{`call_command("dance", 5)`, "integer=5"},
		{`call_command("dance", "5")`, "integer=5"},
		{`call_command("dance", integer = 7)`, "integer=7"},
		{`call_command("dance", integer = "7")`, "integer=7"},
		{`call_command("dance", style = "Jive")`, `style="Jive"`},
		{`call_command("dance", minutes = 4)`, "minutes=4"},
		{`call_command("dance", how_long = 4)`, "minutes=4"},
		{`call_command("dance", how_long = "1_000")`, "minutes=1000"},
		{`call_command("dance", tag = [1, 2])`, "tag=[1,2]"},
		{`call_command("dance", twice = True)`, "twice=True"},
		{`call_command("dance", checked = "a")`, `checked="A"`},
		{`call_command("dance", **{"style": "Jive", "example": "x"})`, `style="Jive" example="x"`},
		{`call_command("dance", *["9"])`, "integer=9"},
		{`call_command("dance", example = None)`, ""},
	} {
		got := enginetest.Run(t, commands(`
== x
def handle():
    got = `+tt.call+`
    stdout.write(" ".join(["%s=%s" % (k, repr(v).replace(" ", "")) for k, v in got.items()]))
`+dance), "x")
		if got.Code != 0 || got.Stderr != "" {
			t.Errorf("%s: %+v", tt.call, got)
			continue
		}
		wanted := map[string]string{}
		for k, v := range defaults {
			wanted[k] = v
		}
		for _, pair := range strings.Fields(tt.want) {
			k, v, _ := strings.Cut(pair, "=")
			wanted[k] = v
		}
		for _, pair := range strings.Fields(got.Stdout) {
			k, v, _ := strings.Cut(pair, "=")
			if v != wanted[k] {
				t.Errorf("%s: %s is %s, want %s", tt.call, k, v, wanted[k])
			}
			delete(wanted, k)
		}
		if len(wanted) > 0 {
			t.Errorf("%s: %v did not arrive", tt.call, wanted)
		}
	}
}

// What a call gets wrong is a CommandError with the shell's text.
func TestCallCommandMistakes(t *testing.T) {
	for _, tt := range []struct{ call, want string }{
		{`call_command("dance", "x")`, "CommandError: Error: argument integer: invalid int value: 'x'\n"},
		{`call_command("dance", how_long = "soon")`, "CommandError: Error: argument --how-long: invalid int value: 'soon'\n"},
		{`call_command("dance", style = "Waltz")`, "CommandError: Error: argument -s/--style: invalid choice: 'Waltz' (choose from \"Rock'n'Roll\", 'Jive')\n"},
		{`call_command("dance", 1, 2)`, "CommandError: Error: unrecognized arguments: 2\n"},
		{`call_command("dance", "--twice")`, "CommandError: dance: argument 1 is \"--twice\": a call takes options by keyword\nWrite call_command(\"name\", days = 5) for --days 5; a value that starts with a dash is passed by its name too.\n"},
		{`call_command("dance", 1, integer = 2)`, "CommandError: Error: argument integer: given by name, and by position too\n"},
		{`call_command("dance", checked = "bad")`, "CommandError: Error: argument --checked: it is bad\n"},
		{`call_command("dance", json = True)`, "CommandError: Unknown option(s) for dance command: json. Valid options are: VALID.\n"},
		{`call_command("dance", project = ".")`, "CommandError: Unknown option(s) for dance command: project. Valid options are: VALID.\n"},
		{`call_command("dance", unknown = 1)`, "CommandError: Unknown option(s) for dance command: unknown. Valid options are: VALID.\n"},
		{`call_command("dance", y = 1, stile = 2, b = 3)`, "CommandError: Unknown option(s) for dance command: b, stile, y. Valid options are: VALID.\nDid you mean style instead of stile?\n"},
		{`call_command("dnace")`, "CommandError: Unknown command: 'dnace'. Did you mean dance?\n"},
		{`call_command("quite_another")`, "CommandError: Unknown command: 'quite_another'\n"},
		{`call_command("")`, "CommandError: Unknown command: ''\n"},
		{`call_command("dance", no_color = True, force_color = True)`, "CommandError: The --no-color and --force-color options can't be used together.\n"},
	} {
		got := enginetest.Run(t, commands("== x\ndef handle():\n    "+tt.call+"\n"+dance), "x")
		if _, list, ok := strings.Cut(got.Stderr, "Valid options are: "); ok {
			list, _, _ = strings.Cut(list, ".\n")
			valid := strings.Split(list, ", ")
			for _, name := range []string{"checked", "example", "how_long", "integer", "minutes", "style", "tag", "twice", "verbosity"} {
				if !slices.Contains(valid, name) || !slices.IsSorted(valid) {
					t.Errorf("%s: valid options are %q", tt.call, valid)
				}
			}
			got.Stderr = strings.Replace(got.Stderr, list, "VALID", 1)
		}
		if got.Stderr != tt.want || got.Stdout != "" || got.Code != 1 {
			t.Errorf("%s: code %d\n got %s\nwant %s", tt.call, got.Code, got.Stderr, tt.want)
		}
		caught := enginetest.Run(t, commands("== x\ndef handle():\n    _, err = catch(lambda: "+tt.call+", CommandError)\n    print(err.type)\n"+dance), "x")
		if caught.Stdout != "CommandError\n" || caught.Code != 0 {
			t.Errorf("catch(%s, CommandError): %+v", tt.call, caught)
		}
	}
}

// A type function that fails: the shell's text, whatever it failed with.
func TestCallCommandTypeFunction(t *testing.T) {
	for value, want := range map[string]string{
		"bad": "CommandError: Error: argument --checked: it is bad\n",
		"bug": "CommandError: Error: argument --checked: ",
	} {
		got := enginetest.Run(t, commands("== x\ndef handle():\n    call_command('dance', checked = '"+value+"')\n"+dance), "x")
		if got.Code != 1 || !strings.HasPrefix(got.Stderr, want) {
			t.Errorf("%s: got %+v, want %q", value, got, want)
		}
	}
}

// Calls that are bugs of the script.
func TestCallCommandMisuse(t *testing.T) {
	for call, want := range map[string]string{
		`call_command()`:                                    "call_command: missing argument for name",
		`call_command(dance)`:                               "undefined: dance",
		`call_command(7)`:                                   "call_command: name must be a string, not int",
		`call_command("dance", stdout = "file.txt")`:        "call_command: stdout: want a stream such as StringIO(), got string",
		`call_command("dance", stderr = struct(w = 1))`:     "call_command: stderr: want a stream such as StringIO(), got struct",
		`call_command("dance", stdout = struct(write = 1))`: "call_command: stdout: want a stream such as StringIO(), got struct",
		`call_command("dance", style = print)`:              "print",
	} {
		got := enginetest.Run(t, commands("== x\ndef handle():\n    "+call+"\n"+dance), "x")
		if !strings.Contains(got.Stderr, want) || got.Code != 1 {
			t.Errorf("%s: got %+v, want %q", call, got, want)
		}
	}
}

// The result is what handle returned; a string is written too.
func TestCallCommandResult(t *testing.T) {
	for _, tt := range []struct{ body, result, written string }{
		{`pass`, "None", ""},
		{`return None`, "None", ""},
		{`return 7`, "7", ""},
		{`return [1, {"a": None}]`, `[1, {"a": None}]`, ""},
		{`return "text"`, `"text"`, "text\n"},
		{`return "line\n"`, `"line\n"`, "line\n"},
		{`return ""`, `""`, ""},
		{`return b"bytes"`, `b"bytes"`, ""},
		{`return struct(a = 1)`, "struct(a = 1)", ""},
		{`return len`, "<built-in function len>", ""},
		{`return style`, "<module \"style\">", ""},
	} {
		got := enginetest.Run(t, commands(`
== x
def handle():
    out = StringIO()
    got = call_command("y", stdout = out)
    print(repr(got), repr(out.getvalue()))
== y
def handle():
    `+tt.body+`
`), "x")
		want(t, got, 0, tt.result+" "+starlark.String(tt.written).String()+"\n", "")
	}
}

// What is not given is inherited.
func TestCallCommandInherits(t *testing.T) {
	const inner = `
== inner
def handle(verbosity, skip_checks):
    stdout.write("out v%d %s%s" % (verbosity, style.SUCCESS("s"), "" if skip_checks else " checked"))
    stderr.write("err")
    log.info("info")
`
	for _, tt := range []struct {
		name, call, out, err string
		words                []string
	}{
		{"streams", `call_command("inner")`, "out v1 s\n", "err\n", nil},
		{"verbosity", `call_command("inner")`, "out v2 s\n", "err\nINFO info\n", []string{"-v2"}},
		{"verbosity of its own", `call_command("inner", verbosity = 3)`, "out v3 s\n", "err\nINFO info\n", []string{"-v0"}},
		{"verbosity of nothing", `call_command("inner", verbosity = 0)`, "out v0 s\n", "err\n", []string{"-v3"}},
		{"colour", `call_command("inner")`, "out v1 \x1b[32;1ms\x1b[0m\n", "\x1b[31;1merr\x1b[0m\n", []string{"--force-color"}},
		{"no colour of its own", `call_command("inner", no_color = True)`, "out v1 s\n", "err\n", []string{"--force-color"}},
		{"colour of its own", `call_command("inner", force_color = True)`, "out v1 \x1b[32;1ms\x1b[0m\n", "\x1b[31;1merr\x1b[0m\n", nil},
		{"checks when asked for", `call_command("inner", skip_checks = False)`, "out v1 s checked\n", "err\n", nil},
		{"stdout is captured, stderr inherited", `call_command("inner", stdout = StringIO())`, "", "err\n", nil},
		{"stderr is captured, stdout inherited", `call_command("inner", stderr = StringIO())`, "out v1 s\n", "", nil},
		{"two levels", `call_command("middle", verbosity = 2)`, "out v2 s\n", "err\nINFO info\n", nil},
		{"two levels, captured", `out = StringIO(); call_command("middle", stdout = out); stdout.write("[%s]" % out.getvalue())`, "[out v1 s\n]\n", "err\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := commands("== x\ndef handle():\n    " + tt.call + "\n== middle\ndef handle():\n    call_command(\"inner\")\n" + inner)
			want(t, enginetest.Run(t, cfg, append([]string{"x"}, tt.words...)...), 0, tt.out, tt.err)
		})
	}
}

// --traceback of the caller shows the frames of both files; without it a
// CommandError is one line.
func TestCallCommandTraceback(t *testing.T) {
	cfg := commands(`
== x
def handle():
    helper()

def helper():
    call_command("y")
== y
def handle():
    CommandError("User 42 not found.", returncode = 3, hint = "Another.")
`)
	want(t, enginetest.Run(t, cfg, "x"), 3, "", "CommandError: User 42 not found.\nAnother.\n")
	want(t, enginetest.Run(t, cfg, "x", "--traceback"), 3, "", `Traceback (most recent call last):
  apps/ops/management/commands/x.star:2:11: in handle
    helper()
  apps/ops/management/commands/x.star:5:17: in helper
    call_command("y")
  apps/ops/management/commands/y.star:2:17: in handle
    CommandError("User 42 not found.", returncode = 3, hint = "Another.")
CommandError: User 42 not found.
Another.
`)
}

// A bug in a called command, three deep: each file's frames, outermost first.
func TestCalledCommandBug(t *testing.T) {
	cfg := commands(`
== x
def handle():
    call_command("y")
== y
def handle():
    call_command("z")
== z
def handle():
    return 1 // 0
`)
	const trace = `Traceback (most recent call last):
  apps/ops/management/commands/x.star:2:17: in handle
    call_command("y")
  apps/ops/management/commands/y.star:2:17: in handle
    call_command("z")
  apps/ops/management/commands/z.star:2:14: in handle
    return 1 // 0
`
	want(t, enginetest.Run(t, cfg, "x"), 1, "", trace+"Error: floored division by zero\n")

	// catch sees all of it, and what is raised again shows all of it.
	cfg = commands(`
== x
def handle():
    _, err = catch(lambda: call_command("y"))
    stdout.write(err.traceback)
    err.reraise()
== y
def handle():
    return 1 // 0
`)
	inner := `Traceback (most recent call last):
  apps/ops/management/commands/x.star:2:19: in handle
    _, err = catch(lambda: call_command("y"))
  apps/ops/management/commands/x.star:2:40: in lambda
    _, err = catch(lambda: call_command("y"))
  apps/ops/management/commands/y.star:2:14: in handle
    return 1 // 0
`
	want(t, enginetest.Run(t, cfg, "x"), 1, inner, inner+"Error: floored division by zero\n")
}

// A called command that does not load says where, after the call.
func TestCalledCommandBroken(t *testing.T) {
	cfg := commands(`
== x
def handle():
    call_command("y")
== y
def handle(days):
    pass
`)
	got := enginetest.Run(t, cfg, "x")
	for _, part := range []string{"x.star:2:17", `apps/ops/management/commands/y.star:1:12: handle takes "days", which no argument provides`} {
		if !strings.Contains(got.Stderr, part) {
			t.Errorf("stderr has no %q:\n%s", part, got.Stderr)
		}
	}
	caught := enginetest.Run(t, commands(`
== x
def handle():
    _, err = catch(lambda: call_command("y"))
    print(err.type, err.message)
== y
def add_arguments(parser):
    parser.add_argument("--n", actoin = "store")

def handle(n):
    pass
`), "x")
	if caught.Code != 0 || !strings.HasPrefix(caught.Stdout, "Error ") || !strings.Contains(caught.Stdout, "actoin") {
		t.Errorf("got %+v", caught)
	}
}

// A command that calls itself stops at a depth, with a message and not with
// the process.
func TestCallCommandDepth(t *testing.T) {
	cfg := commands(`
== x
def add_arguments(parser):
    parser.add_argument("n", type = int)

def handle(n):
    print(n)
    if n > 1:
        call_command("x", n - 1)
== endless
def handle():
    call_command("endless")
== ping
def handle():
    call_command("pong")
== pong
def handle():
    call_command("ping")
== catching
def handle():
    _, err = catch(lambda: call_command("endless"))
    print(err.message)
`)
	got := enginetest.Run(t, cfg, "x", "32")
	if got.Code != 0 || strings.Count(got.Stdout, "\n") != 32 {
		t.Errorf("32 deep: %+v", got)
	}
	for name, message := range map[string]string{
		"x":       "commands call each other 32 deep: x calls x",
		"endless": "commands call each other 32 deep: endless calls endless",
		"ping":    "commands call each other 32 deep: pong calls ping",
	} {
		words := []string{name}
		if name == "x" {
			words = append(words, "33")
		}
		got := enginetest.Run(t, cfg, words...)
		if got.Code != 1 || !strings.HasSuffix(got.Stderr, "Error: "+message+"\n") {
			t.Errorf("%s: code %d, stderr\n%s", name, got.Code, got.Stderr)
		}
	}
	want(t, enginetest.Run(t, cfg, "catching"), 0, "commands call each other 32 deep: endless calls endless\n", "")
}

// Whatever has a method write is a stream.
func TestCallCommandStreams(t *testing.T) {
	const y = `
== y
def handle():
    stdout.write("a")
    stdout.write("b", ending = "")
    print("c")
    stderr.write(style.ERROR("d"))
`
	for _, tt := range []struct{ name, body, out, err string }{
		{"a struct with a function", `
    got = []
    def keep(text):
        got.append(text)
    stream = struct(write = keep)
    call_command("y", stdout = stream, stderr = stream)
    print(got)`, `["a\n", "b", "c\n", "d\n"]` + "\n", ""},
		{"a builtin's method", `
    got = []
    call_command("y", stdout = struct(write = got.append))
    print(got)`, `["a\n", "b", "c\n"]` + "\n", "d\n"},
		{"one StringIO for both", `
    out = StringIO("start\n")
    call_command("y", stdout = out, stderr = out)
    print(out.getvalue())`, "start\na\nbc\nd\n\n", ""},
		{"the caller's streams, exchanged", `
    call_command("y", stdout = stderr, stderr = stdout)`, "d\n", "a\nbc\n"},
		{"a stream that writes on", `
    call_command("y", stdout = struct(write = lambda text: stdout.write("> " + text)))`, "> a\n> b\n> c\n", "d\n"},
		{"a StringIO twice", `
    out = StringIO()
    for _ in range(2):
        call_command("y", stdout = out, stderr = StringIO())
    print(out.getvalue())`, "a\nbc\na\nbc\n\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want(t, enginetest.Run(t, commands("== x\ndef handle():"+tt.body+"\n"+y), "x"), 0, tt.out, tt.err)
		})
	}
}

// What a stream made in a script fails with reaches the caller.
func TestCallCommandStreamFails(t *testing.T) {
	const y = `
== y
def handle():
    stdout.write("a")
    stdout.write("never")
`
	got := enginetest.Run(t, commands(`
== x
def handle():
    call_command("y", stdout = struct(write = refuse))

def refuse(text):
    CommandError("no room for %r" % text, returncode = 9)
`+y), "x")
	want(t, got, 9, "", `CommandError: no room for "a\n"`+"\n")

	got = enginetest.Run(t, commands(`
== x
def handle():
    call_command("y", stdout = struct(write = refuse))

def refuse(text):
    exit(4)
`+y), "x")
	want(t, got, 4, "", "")

	got = enginetest.Run(t, commands(`
== x
def handle():
    _, err = catch(lambda: call_command("y", stdout = frozen))
    print(err.message)

frozen = StringIO()
`+y), "x")
	want(t, got, 0, "stdout.write: cannot write to a frozen StringIO: create it inside handle()\n", "")
}

// Commands in Go and in Starlark call each other; their errors keep their
// types.
func TestCallCommandGo(t *testing.T) {
	cause := errors.New("the cause")
	cfg := commands(`
== x
def handle():
    print(call_command("go", n = "5"))
    _, err = catch(lambda: call_command("go", n = 0))
    print(err.type, err.message, err.returncode, err.hint)
    _, err = catch(lambda: call_command("go", n = -1))
    print(err.type, err.message)
    call_command("go", n = -2)
`)
	cfg.Apps = []engine.App{{Label: "host", Commands: []engine.Command{{
		Name: "go",
		AddArguments: func(p *argparse.Parser) error {
			return p.Add(argparse.Argument{Names: []string{"--n"}, Type: argparse.Int})
		},
		Handle: func(_ context.Context, inv *engine.Invocation) (any, error) {
			switch n := inv.Option("n").(int); n {
			case 0:
				return nil, &engine.CommandError{Message: "zero", ReturnCode: 5, Hint: "not zero", Err: cause}
			case -1:
				return nil, cause
			case -2:
				return nil, fmt.Errorf("reading: %w", &engine.CommandError{Message: "minus two", ReturnCode: 6})
			default:
				return map[string]any{"n": n}, nil
			}
		},
	}}}}
	got := enginetest.Run(t, cfg, "x")
	want(t, got, 6, "{\"n\": 5}\nCommandError zero 5 not zero\nError the cause\n", "CommandError: minus two\n")
}

// One Engine serves many goroutines: each call has its own streams and values.
func TestConcurrentCalls(t *testing.T) {
	cfg := commands(`
== outer
load("//lib/shared.star", "twice")

def add_arguments(parser):
    parser.add_argument("n", type = int)

def handle(n):
    out = StringIO()
    got = call_command("inner", n = n, stdout = out)
    defer(stdout.write, "deferred %d" % n)
    _, err = catch(lambda: CommandError("caught %d" % n))
    stdout.write(out.getvalue() + err.message)
    stdout.table([dict(n = n)])
    for x in progress([n]):
        stderr.write("err %d" % x)
    if n % 2:
        ValueError("odd %d" % n)
    return twice(got)
== inner
def add_arguments(parser):
    parser.add_argument("--n", type = int)

def handle(n):
    stdout.write("inner %d %s" % (n, settings.NAME))
    return n
== lib/shared.star
def twice(n):
    return 2 * n
== settings.star
NAME = "shared"
`)
	eng := engine.New(cfg)
	defer eng.Close()
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			var stdout, stderr bytes.Buffer
			got, err := eng.Call(context.Background(), "outer", engine.Args{Positional: []any{n}, Stdout: &stdout, Stderr: &stderr})
			if wanted := fmt.Sprintf("inner %d shared\ncaught %d\nn\n%d\ndeferred %d\n", n, n, n, n); stdout.String() != wanted {
				t.Errorf("call %d: stdout is %q, want %q", n, stdout.String(), wanted)
			}
			if wanted := fmt.Sprintf("err %d\n100%% 1/1 0s\n", n); stderr.String() != wanted {
				t.Errorf("call %d: stderr is %q, want %q", n, stderr.String(), wanted)
			}
			typed, odd := errors.AsType[*engine.TypedError](err)
			switch {
			case n%2 == 0 && (err != nil || got != int64(2*n)):
				t.Errorf("call %d: got %v, %v", n, got, err)
			case n%2 == 1 && (!odd || typed.Message != fmt.Sprintf("odd %d", n)):
				t.Errorf("call %d: got the error %v", n, err)
			}
		})
	}
	wg.Wait()
}
