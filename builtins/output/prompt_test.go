package output_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// typed is a terminal's input: what the operator types.
type typed struct{ io.Reader }

func (typed) IsTerminal() bool { return true }

func terminalInput(text string) io.Reader { return typed{strings.NewReader(text)} }

const colors = `choose("Which?", ["red", "green"])`

func TestPrompts(t *testing.T) {
	for _, tt := range []struct {
		name, body, in, out, err string
	}{
		{"input", `print(input("Name: "))`, "Zoë\n", "Zoë\n", "Name: "},
		{"input without a prompt", `print(input())`, "a\n", "a\n", ""},
		{"input keeps blanks", `print("[" + input(prompt = "? ") + "]")`, " a \r\n", "[ a ]\n", "? "},
		{"input, empty", `print("[" + input("? ") + "]")`, "\n", "[]\n", "? "},
		{"input, empty with a default", `print(input("? ", default = "d"))`, "\n", "d\n", "? "},
		{"input, the last line without its end", `print(input("? "))`, "a", "a\n", "? "},
		{"input twice", `print(input("a "), input("b "))`, "1\n2\n", "1 2\n", "a b "},
		{"confirm yes", `print(confirm("Sure?"))`, "y\n", "True\n", "Sure? [y/N] "},
		{"confirm in capitals and blanks", `print(confirm(question = "Sure?"))`, " YES \n", "True\n", "Sure? [y/N] "},
		{"confirm no", `print(confirm("Sure?", default = True))`, "No\n", "False\n", "Sure? [Y/n] "},
		{"confirm, empty", `print(confirm("Sure?"))`, "\n", "False\n", "Sure? [y/N] "},
		{"confirm, empty with the default yes", `print(confirm("Sure?", True))`, "\n", "True\n", "Sure? [Y/n] "},
		{"confirm asks again", `print(confirm("Sure?"))`, "maybe\n1\ny\n", "True\n",
			"Sure? [y/N] Please answer yes or no.\nSure? [y/N] Please answer yes or no.\nSure? [y/N] "},
		{"choose by number", `print(` + colors + `)`, "2\n", "green\n", "  1) red\n  2) green\nWhich? "},
		{"choose by text", `print(` + colors + `)`, " red \n", "red\n", "  1) red\n  2) green\nWhich? "},
		{"choose a value", `print(choose(question = "Days?", options = (7, 30), default = 7) + 1)`, "30\n", "31\n", "  1) 7\n  2) 30\nDays? "},
		{"choose: the text wins over the number", `print(choose("N?", [2, 1]))`, "1\n", "1\n", "  1) 2\n  2) 1\nN? "},
		{"choose, empty with a default", `print(choose("Which?", {"a": 1, "b": 2}, default = "b"))`, "\n", "b\n", "  1) a\n  2) b\nWhich? "},
		{"choose asks again", `print(` + colors + `)`, "3\n\nblue\n1\n", "red\n", strings.Repeat("  1) red\n  2) green\nWhich? Please answer with a number from 1 to 2.\n", 3) + "  1) red\n  2) green\nWhich? "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(tt.body)
			cfg.Stdin = terminalInput(tt.in)
			got := enginetest.Run(t, cfg, "x")
			equal(t, "stdout", got.Stdout, tt.out)
			equal(t, "stderr", got.Stderr, tt.err)
			if got.Code != 0 {
				t.Errorf("exit code %d", got.Code)
			}
		})
	}
}

// Without a terminal a question is an error that says what to pass; input that
// is there is not read.
func TestPromptsWithoutTerminal(t *testing.T) {
	const noDefault = "It has no default: run it on a terminal, or pass the value as an option if the command has one.\n"
	for _, tt := range []struct{ body, want string }{
		{`input("Name: ")`, "CommandError: input(\"Name:\") needs a terminal to ask on\n" + noDefault},
		{`input("Name: ", default = "x")`, "CommandError: input(\"Name:\") needs a terminal to ask on\nPass --no-input to answer with the default, \"x\".\n"},
		{`confirm("Sure?")`, "CommandError: confirm(\"Sure?\") needs a terminal to ask on\nPass --no-input to answer with the default, False.\n"},
		{`confirm("Sure?", default = True)`, "CommandError: confirm(\"Sure?\") needs a terminal to ask on\nPass --no-input to answer with the default, True.\n"},
		{colors, "CommandError: choose(\"Which?\") needs a terminal to ask on\n" + noDefault},
	} {
		cfg := config(tt.body)
		cfg.Stdin = strings.NewReader("y\n1\n")
		got := enginetest.Run(t, cfg, "x")
		equal(t, "stderr", got.Stderr, tt.want)
		equal(t, "stdout", got.Stdout, "")
		if got.Code != 1 {
			t.Errorf("exit code %d", got.Code)
		}
	}
}

// --no-input answers with defaults, on a terminal too, and asks nothing.
func TestNoInput(t *testing.T) {
	const hint = "Run it on a terminal without --no-input, or pass the value as an option if the command has one.\n"
	for _, tt := range []struct{ body, out, err string }{
		{`print(confirm("Sure?"), confirm("Sure?", default = True))`, "False True\n", ""},
		{`print(input("Name: ", "x"), choose("Which?", [1, 2], 2))`, "x 2\n", ""},
		{`input("Name: ")`, "", "CommandError: input(\"Name:\") has no default to answer with under --no-input\n" + hint},
		{colors, "", "CommandError: choose(\"Which?\") has no default to answer with under --no-input\n" + hint},
		{`call_command("inner")`, "False\n", ""},
	} {
		for _, flag := range []string{"--no-input", "--noinput"} {
			cfg := config(tt.body)
			cfg.Apps = []engine.App{innerApp(`print(confirm("Sure?"))`)}
			cfg.Stdin = terminalInput("y\ny\n")
			got := enginetest.Run(t, cfg, "x", flag)
			equal(t, "stdout", got.Stdout, tt.out)
			equal(t, "stderr", got.Stderr, tt.err)
		}
	}
}

// An end of input (Ctrl-D) is no answer.
func TestPromptsAtTheEndOfInput(t *testing.T) {
	for _, tt := range []struct{ body, prompt, fn string }{
		{`input("Name: ", default = "x")`, "Name: ", `input("Name:")`},
		{`confirm("Sure?", default = True)`, "Sure? [Y/n] ", `confirm("Sure?")`},
		{colors, "  1) red\n  2) green\nWhich? ", `choose("Which?")`},
	} {
		cfg := config(tt.body)
		cfg.Stdin = terminalInput("")
		got := enginetest.Run(t, cfg, "x")
		equal(t, "stderr", got.Stderr, tt.prompt+"\nCommandError: "+tt.fn+" got no answer: the input ended\n")
		if got.Code != 1 {
			t.Errorf("exit code %d", got.Code)
		}
	}
}

// A question goes where somebody reads it.
func TestPromptWithStderrAway(t *testing.T) {
	cfg := config(`print(confirm("Sure?"))`)
	s := new(screen)
	cfg.Stdin, cfg.Stdout = terminalInput("maybe\ny\n"), s
	got := enginetest.Run(t, cfg, "x")
	equal(t, "the terminal", s.String(), "Sure? [y/N] Please answer yes or no.\nSure? [y/N] True\n")
	equal(t, "stderr", got.Stderr, "")
}

// Cancelled while it waits: the run ends at once. One read is left, which no
// program can call back; it ends with its input, and nothing else stays (the
// bubble would not end otherwise).
func TestPromptCancelled(t *testing.T) {
	for _, body := range []string{`input("Name: ")`, `confirm("Name:")`, `choose("Name:", [1])`, `catch(lambda: input("Name: "))`} {
		synctest.Test(t, func(t *testing.T) {
			in, keyboard := io.Pipe()
			cfg := config(body)
			stderr := new(screen)
			cfg.Stdin, cfg.Stderr, cfg.Getenv = typed{in}, stderr, env("NO_COLOR=1")
			ctx, cancel := context.WithCancelCause(context.Background())
			eng := engine.New(cfg)
			code := make(chan int)
			go func() { code <- eng.Run(ctx, []string{"manage", "x"}) }()
			synctest.Wait() // until it waits for the keyboard
			cancel(&engine.Interrupt{Name: "SIGINT", Code: 130})
			if got := <-code; got != 130 {
				t.Errorf("exit code %d, want 130", got)
			}
			if got := stderr.String(); !strings.HasSuffix(got, " \nStopped: x: interrupted by SIGINT.\n") {
				t.Errorf("stderr is %q", got)
			}
			if err := eng.Close(); err != nil {
				t.Error(err)
			}
			keyboard.Close()
		})
	}
}

func TestPromptMisuse(t *testing.T) {
	many := `choose("?", range(1001))`
	for body, want := range map[string]string{
		`confirm()`:                         "confirm: missing argument for question",
		`confirm("?", default = "yes")`:     "got string, want bool",
		`choose("?")`:                       "choose: missing argument for options",
		`choose("?", [])`:                   "ValueError: choose: there are no options to choose from",
		`choose("?", ["a"], default = "b")`: `ValueError: choose: the default "b" is not among the options`,
		many:                                "ValueError: choose: more than 1000 options",
		`input(1)`:                          "got int, want string",
		`choose("?", failing(1))`:           "the rows ran out",
	} {
		cfg := config(body)
		cfg.Stdin = terminalInput("1\n")
		got := enginetest.Run(t, cfg, "x", "--no-input")
		if !strings.Contains(got.Stderr, want) || got.Code != 1 {
			t.Errorf("%s: got %+v, want %q", body, got, want)
		}
	}
}

// A question under a progress bar takes the line for itself.
func TestPromptUnderBar(t *testing.T) {
	cfg := config(
		`for x in progress(range(2)):`,
		`    sleep(1)`,
		`    stdout.write(str(confirm("Go on?")))`,
	)
	cfg.Stdin = terminalInput("y\nn\n")
	s, code := onScreen(t, cfg)
	// The echo of what is typed, which ends the line, is the terminal's.
	raw := strings.ReplaceAll(s.String(), "[y/N] ", "[y/N] \n")
	s.raw.Reset()
	s.raw.WriteString(raw)
	equal(t, "the screen", s.shows(t), "Go on? [y/N] \nTrue\nGo on? [y/N] \nFalse\n100% [########################################] 2/2 2s\n")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}
