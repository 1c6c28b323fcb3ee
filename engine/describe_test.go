package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
)

// FuzzDescribe: whatever an error says, its text on stderr is made without a
// panic, is not empty, ends in a line break, and shows the message.
func FuzzDescribe(f *testing.F) {
	f.Add("message", "hint", "apps/a.star", "x = 1\n\ty", 3, true)
	f.Add("", "", "", "", 0, false)
	f.Add("two\nlines\xff", "é", "\x1b[31m", "\x00", -1, true)
	f.Fuzz(func(t *testing.T, message, hint, file, source string, n int, traceback bool) {
		frames := []Frame{{File: file, Line: n, Column: n, Function: message, Source: source}}
		coloured, _ := style.Parse("dark")
		for _, err := range []error{
			errors.New(message),
			&CommandError{Message: message, Hint: hint, frames: frames, ReturnCode: n},
			&CommandError{Message: message, raw: true},
			&UnknownCommandError{Name: message, Suggestion: hint},
			&ScriptError{Message: message, Hint: hint, Frames: frames},
			&ScriptError{Message: message, Diagnostics: []Diagnostic{{File: file, Line: n, Column: n, Message: message, Hint: hint, Snippet: source}}},
			&StoppedError{Command: message, Cause: &LimitError{Limit: hint, Value: file}, frames: frames},
			&InternalError{Value: message, Stack: source},
			&argparse.Error{Prog: message, Usage: source, Argument: file, Message: message, Hint: hint},
			&TypedError{Type: ValueError, Message: message},
		} {
			for _, s := range []style.Style{style.None, coloured} {
				text := describe(err, traceback, s)
				if text == "" || !strings.HasSuffix(text, "\n") {
					t.Errorf("%T: text %q", err, text)
				}
				if e, ok := err.(*CommandError); ok && !e.raw && !strings.Contains(text, strings.TrimRight(message, "\r\n")) {
					t.Errorf("%T: text %q does not show %q", err, text, message)
				}
			}
			if code := ExitCode(err); code == 0 {
				t.Errorf("%T: exit code 0", err)
			}
		}
	})
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{&CommandError{}, 1},
		{&CommandError{ReturnCode: 75}, 75},
		{&ExitError{Code: 3}, 3},
		{&ExitError{}, 0},
		{&argparse.Error{}, 2},
		{&CommandError{Err: &argparse.Error{}}, 1}, // misuse in a call is the caller's failure
		{&ScriptError{Err: ValueError.Errorf("x")}, 1},
		{&UnknownCommandError{}, 1},
		{&InternalError{}, 70},
		{&StoppedError{Cause: &Interrupt{Name: "SIGINT", Code: 130}}, 130},
		{&StoppedError{Cause: &Interrupt{Name: "SIGTERM", Code: 143}}, 143},
		{&StoppedError{Cause: &LimitError{}}, 124},
		{&StoppedError{Cause: errors.New("host")}, 1},
		{errors.New("other"), 1},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("ExitCode(%#v) = %d, want %d", c.err, got, c.want)
		}
	}
}
