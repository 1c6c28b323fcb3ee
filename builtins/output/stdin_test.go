package output_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

func TestStdin(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	const lines = `print([line for line in stdin.lines()])`
	for _, tt := range []struct{ name, body, in, want string }{
		{"lines", lines, "a\nb\n", `["a", "b"]`},
		{"no line break at the end", lines, "a\nb", `["a", "b"]`},
		{"CRLF", lines, "a\r\nb\r\n\r\n", `["a", "b", ""]`},
		{"a lone CR stays", lines, "a\rb\n", `["a\rb"]`},
		{"empty lines", lines, "\n\n", `["", ""]`},
		{"empty input", lines, "", `[]`},
		{"a line of 10 MB", `print([len(line) for line in stdin.lines()])`, long + "\nx\n", `[10485760, 1]`},
		{"read", `print("%r" % stdin.read())`, "a\r\nb", `"a\r\nb"`},
		{"read at the end", `print("%r" % (stdin.read() + stdin.read()))`, "a", `"a"`},
		{"a loop that stops leaves the rest", `print([line for line in [l for l in stdin.lines()][:1]], "%r" % stdin.read())`, "a\nb\n", `["a"] ""`},
		{"break, and go on", `
    for line in stdin.lines():
        break
    print(line, "%r" % stdin.read())`, "a\nb\nc", `a "b\nc"`},
		{"two loops share the input", `
    for line in stdin.lines():
        for next in stdin.lines():
            print(line, next)
            break`, "a\nb\nc\nd\n", "a b\nc d"},
		{"a called command reads on", `
    for line in stdin.lines():
        break
    call_command("inner")`, "a\nb\n", "inner b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(tt.body)
			cfg.Apps = []engine.App{innerApp(`print("inner", stdin.read().strip())`)}
			cfg.Stdin = strings.NewReader(tt.in)
			got := enginetest.Run(t, cfg, "x")
			equal(t, "stdout", got.Stdout, tt.want+"\n")
			equal(t, "stderr", got.Stderr, "")
		})
	}
}

// Lines come as they are typed: nothing waits for the end of the input.
func TestStdinLinesStream(t *testing.T) {
	in, keyboard := io.Pipe()
	cfg := config(
		`for line in stdin.lines():`,
		`    stdout.write("got " + line)`,
		`    stdout.flush()`,
	)
	out, screen := io.Pipe()
	cfg.Stdin, cfg.Stdout = in, screen
	done := make(chan int)
	go func() { done <- enginetest.Run(t, cfg, "x").Code }()
	for _, word := range []string{"a", "b"} {
		io.WriteString(keyboard, word+"\n")
		answer := make([]byte, len("got a\n"))
		if _, err := io.ReadFull(out, answer); err != nil || string(answer) != "got "+word+"\n" {
			t.Errorf("got %q, %v", answer, err)
		}
	}
	keyboard.Close()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestStdinErrors(t *testing.T) {
	for body, want := range map[string]string{
		`stdin.read()`: "stdin.read: the cable is out",
		`for line in stdin.lines():
        print(line)`: "stdin.lines: the cable is out",
		`print([l for l in stdin.lines()])`: "stdin.lines: the cable is out",
	} {
		cfg := config(body)
		cfg.Stdin = io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(errors.New("the cable is out")))
		got := enginetest.Run(t, cfg, "x")
		if !strings.Contains(got.Stderr, want) || got.Code != 1 || strings.Contains(got.Stdout, "[") {
			t.Errorf("%s: got %+v", body, got)
		}
	}
}

// A run that waits for input ends when it is told to.
func TestStdinCancelled(t *testing.T) {
	for _, body := range []string{`stdin.read()`, `print([l for l in stdin.lines()])`} {
		synctest.Test(t, func(t *testing.T) {
			in, keyboard := io.Pipe()
			cfg := config(body)
			cfg.Stdin = in
			ctx, cancel := context.WithCancelCause(context.Background())
			eng := engine.New(cfg)
			code := make(chan int)
			go func() { code <- eng.Run(ctx, []string{"manage", "x"}) }()
			synctest.Wait()
			cancel(&engine.Interrupt{Name: "SIGTERM", Code: 143})
			if got := <-code; got != 143 {
				t.Errorf("%s: exit code %d, want 143", body, got)
			}
			if err := eng.Close(); err != nil {
				t.Error(err)
			}
			keyboard.Close()
		})
	}
}
