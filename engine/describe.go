package engine

// From an error to the text that a shell sees: CLI.md, "Errors".

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
)

// classify returns the error, in err's chain, that decides what is shown.
func classify(err error) error {
	if e, ok := err.(*argparse.Error); ok { // also when a type function raised what it wraps
		return e
	}
	if e, ok := errors.AsType[*ExitError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*InternalError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*StoppedError](err); ok {
		return e
	}
	for e := err; e != nil; e = errors.Unwrap(e) { // the outermost decides
		switch e := e.(type) {
		case *CommandError:
			if unknown, ok := e.Err.(*UnknownCommandError); ok && e.frames == nil {
				return unknown
			}
			return e
		case *UnknownCommandError, *TypedError, *argparse.Error:
			return e
		}
	}
	return err
}

// framesOf returns the calls that an error carries.
func framesOf(err error) []Frame {
	if e, ok := errors.AsType[*ScriptError](err); ok {
		return e.Frames
	}
	if e, ok := errors.AsType[*StoppedError](err); ok {
		return e.frames
	}
	if e, ok := errors.AsType[*CommandError](err); ok {
		return e.frames
	}
	return nil
}

// describe returns what stderr shows for a run's error; "" when there is
// nothing to show.
func describe(err error, traceback bool, s style.Style) string {
	if err == nil {
		return ""
	}
	red := func(text string) string { return s.Apply(style.ERROR, text) }
	switch e := classify(err).(type) {
	case *ExitError:
		return ""
	case *InternalError:
		text := red(fmt.Sprintf("Error: %s: a fault of this program, not of the script", firstLine(e.Error()))) + "\n"
		if traceback {
			return e.Stack + "\n" + text
		}
		return text + "Run it again with --traceback to see where.\n"
	case *StoppedError:
		return trace(traceback, e.frames) + red(stoppedText(e)) + "\n"
	case *UnknownCommandError:
		return red(e.Error()) + "\nType 'manage help' for usage.\n"
	case *CommandError:
		return trace(traceback, e.frames) + commandErrorText(e, red)
	case *argparse.Error:
		text := trace(traceback, framesOf(err)) + e.Usage
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += red(fmt.Sprintf("%s: error: %s", e.Prog, e.Error())) + "\n"
		if e.Hint != "" {
			text += capitalised(e.Hint) + "\n"
		}
		return text
	}
	if e, ok := errors.AsType[*ScriptError](err); ok {
		return scriptErrorText(e, red)
	}
	return red("Error: "+err.Error()) + "\n"
}

func trace(wanted bool, frames []Frame) string {
	if !wanted {
		return ""
	}
	return Traceback(frames)
}

func commandErrorText(e *CommandError, red func(string) string) string {
	if e.raw {
		return strings.TrimRight(e.Message, "\n") + "\n"
	}
	label := "CommandError"
	if e.label != "" {
		label = e.label
	}
	text := red(label+": "+strings.TrimRight(e.Message, "\r\n")) + "\n"
	if e.Hint != "" {
		text += e.Hint + "\n"
	}
	return text
}

func scriptErrorText(e *ScriptError, red func(string) string) string {
	var b strings.Builder
	b.WriteString(Traceback(e.Frames))
	if len(e.Diagnostics) == 0 {
		b.WriteString(red("Error: " + e.Message))
		b.WriteByte('\n')
		if e.Hint != "" {
			b.WriteString(e.Hint + "\n")
		}
		return b.String()
	}
	for i, d := range e.Diagnostics {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(red(d.String()) + "\n")
		if d.Snippet != "" {
			for line := range strings.Lines(d.Snippet) {
				b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
			}
		}
		if d.Hint != "" {
			b.WriteString(d.Hint + "\n")
		}
	}
	return b.String()
}

// stoppedText is the one line of a run that was told to stop.
func stoppedText(e *StoppedError) string {
	after := ""
	if e.Elapsed > 0 {
		after = " after " + e.Elapsed.Round(10*time.Millisecond).String()
	}
	text := fmt.Sprintf("Stopped: %s: %v%s", e.Command, e.Cause, after)
	if e.Report != "" {
		text += "; " + e.Report
	}
	return text + "."
}

func capitalised(s string) string {
	if s == "" {
		return s
	}
	text := strings.ToUpper(s[:1]) + s[1:]
	if strings.HasSuffix(text, "?") || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// Described is an error as catch shows it to a script.
type Described struct {
	Kind       string // the ErrorType's name; "Error" for the language's own
	Message    string // what its author wrote
	ReturnCode int
	Err        error // the error itself, to raise again

	// Details returns the hint and the traceback. They take a reading of the
	// script's source, so they are made when they are asked for: a loop may
	// catch an error for each row.
	Details func() (hint, traceback string)
}

// Describe tells about an error of a call into the script.
func (inv *Invocation) Describe(err error) Described {
	d := Described{Kind: "Error", Err: err, ReturnCode: 1}
	cause := err
	if ee, ok := err.(*starlark.EvalError); ok && ee.Unwrap() != nil {
		cause = ee.Unwrap()
	}
	hint := ""
	switch e := classify(cause).(type) {
	case *TypedError:
		d.Kind, d.Message = e.Type.name, e.Message
	case *CommandError:
		d.Kind, d.Message, d.ReturnCode, hint = TypeOf(e).name, e.Message, ExitCode(e), e.Hint
	case *UnknownCommandError:
		d.Kind, d.Message = CommandErrorType.name, e.Error()
	default:
		d.Message = messageOf(cause)
	}
	thread := inv.thread
	d.Details = func() (string, string) {
		lifted := inv.engine.lift(thread, err)
		if e, ok := errors.AsType[*ScriptError](lifted); ok && hint == "" {
			hint = e.Hint
		}
		return hint, Traceback(framesOf(lifted))
	}
	return d
}
