package engine

// What can go wrong, as types: expected failures (CommandError), misuse
// (argparse.Error, UnknownCommandError), bugs in scripts (ScriptError), bugs
// of ours (InternalError), and runs that were told to stop (StoppedError).

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine/argparse"
)

// CommandError is an expected failure: its message is for the operator. A
// script raises it by calling CommandError(message, returncode=1, hint="");
// Go code returns it. Source of the meaning: Django's
// django.core.management.CommandError.
type CommandError struct {
	// Message is printed after "CommandError: ".
	Message string
	// ReturnCode is the exit code, 1 to 255; 0 means 1.
	ReturnCode int
	// Hint, when not empty, is printed on a line of its own.
	Hint string
	// Err is the cause, if there is one. It is not printed.
	Err error
	// Type is the kind that catch knows it by. Default: CommandErrorType.
	Type *ErrorType

	label  string  // what stands before the message instead of "CommandError"
	frames []Frame // where a script raised it
	raw    bool    // the message brings its own label and colours
}

func (e *CommandError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *CommandError) Unwrap() error { return e.Err }

// Frames returns the calls that led to the error, outermost first; nil when no
// script was involved.
func (e *CommandError) Frames() []Frame { return e.frames }

// UnknownCommandError is a name that no app has.
type UnknownCommandError struct {
	// Name is what was asked for.
	Name string
	// Suggestion is the command probably meant; empty when none is close.
	Suggestion string
}

func (e *UnknownCommandError) Error() string {
	msg := fmt.Sprintf("Unknown command: %s", quote(e.Name))
	if e.Suggestion != "" {
		return msg + ". Did you mean " + e.Suggestion + "?"
	}
	return msg
}

// As lets errors.As find a *CommandError, which an unknown command is for
// call_command and Call (as in Django).
func (e *UnknownCommandError) As(target any) bool {
	if t, ok := target.(**CommandError); ok {
		*t = &CommandError{Message: e.Error(), Err: e}
		return true
	}
	return false
}

// ScriptError is a bug in a script, or a file that does not load.
type ScriptError struct {
	// Message says what is wrong, in one line.
	Message string
	// Hint says what to write instead; may be empty.
	Hint string
	// Frames are the calls that led there, outermost first, through nested
	// commands.
	Frames []Frame
	// Diagnostics are the faults of a file that does not parse, resolve or
	// declare a command; nil for an error at run time.
	Diagnostics []Diagnostic
	// Err is the cause: a TypedError, or whatever a builtin returned.
	Err error
}

func (e *ScriptError) Error() string {
	switch {
	case len(e.Diagnostics) > 0:
		return e.Diagnostics[0].String()
	case len(e.Frames) > 0:
		return e.Frames[len(e.Frames)-1].Position() + ": " + e.Message
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *ScriptError) Unwrap() error { return e.Err }

// Frame is one call of a traceback.
type Frame struct {
	// File is the path from the project's root; "" in the frame that stands for
	// the calls left out of a very deep traceback, which Function counts.
	File string
	// Line and Column count from 1, columns in characters. 0: unknown.
	Line, Column int
	// Function is the function's name, "<toplevel>" for the file itself.
	Function string
	// Source is the line's text without its indentation.
	Source string
}

// Position returns file:line:col.
func (f Frame) Position() string { return position(f.File, f.Line, f.Column) }

// Diagnostic is one fault found in a file before it runs.
type Diagnostic struct {
	File         string
	Line, Column int // from 1; 0 when the fault is the file's as a whole
	Message      string
	Hint         string
	// Snippet shows the line with a caret under the column; may be empty.
	Snippet string
}

func (d Diagnostic) String() string { return d.Position() + ": " + d.Message }

// Position returns file:line:col.
func (d Diagnostic) Position() string { return position(d.File, d.Line, d.Column) }

func position(file string, line, col int) string {
	switch {
	case line == 0:
		return file
	case col == 0:
		return fmt.Sprintf("%s:%d", file, line)
	}
	return fmt.Sprintf("%s:%d:%d", file, line, col)
}

// StoppedError is a run that was told to stop: its context ended, its time was
// up, or a limit was reached. errors.Is finds the context's cause in it, and
// context.Canceled or context.DeadlineExceeded.
type StoppedError struct {
	// Command is the command that was running.
	Command string
	// Cause is the context's cause: *Interrupt, *LimitError, or the host's.
	Cause error
	// Elapsed is how long the run took.
	Elapsed time.Duration
	// Report is what modules say of how far the run got; may be empty.
	Report string

	frames []Frame
}

func (e *StoppedError) Error() string {
	what := "stopped: " + e.Cause.Error()
	if e.Report != "" {
		what += "; " + e.Report
	}
	return fmt.Sprintf("%s %s", e.Command, what)
}

// Unwrap returns the cause and the context error that it stands for.
func (e *StoppedError) Unwrap() []error {
	if _, ok := errors.AsType[*LimitError](e.Cause); ok {
		return []error{e.Cause, context.DeadlineExceeded}
	}
	return []error{e.Cause, context.Canceled}
}

// Interrupt is the cause that a program gives to a run's context when a signal
// asks the run to stop.
type Interrupt struct {
	// Name is the signal's: "SIGINT".
	Name string
	// Code is the exit code that shells expect: 128 plus the signal's number.
	Code int
}

func (e *Interrupt) Error() string { return "interrupted by " + e.Name }

// LimitError is a limit that a run reached.
type LimitError struct {
	// Limit names it: "timeout", "steps".
	Limit string
	// Value is the limit in words: "10m0s", "1000000 steps".
	Value string
}

func (e *LimitError) Error() string { return fmt.Sprintf("%s of %s reached", e.Limit, e.Value) }

// InternalError is a panic in Go code, ours or a host's: never a script's
// fault. It is printed as one line; the stack follows with --traceback.
type InternalError struct {
	Value any
	Stack string
}

func (e *InternalError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// ExitError ends a whole run with a code, from a called command too: what a
// script's exit raises and a Go command may return. No catch stops it and
// nothing is printed for it.
type ExitError struct {
	Code int // 0 to 255
}

func (e *ExitError) Error() string { return fmt.Sprintf("exit(%d)", e.Code) }

// ExitCode returns the exit code that err means (CLI.md's table): 0 for nil. A
// code that no process can exit with becomes 1: the shell would see it modulo
// 256, and a failure as a success.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	code := exitCode(err)
	exit, ended := errors.AsType[*ExitError](err)
	if code < 0 || code > 255 || code == 0 && !(ended && exit.Code == 0) {
		return 1
	}
	return code
}

func exitCode(err error) int {
	if _, ok := err.(*argparse.Error); ok { // also when a type function raised what it wraps
		return 2
	}
	if e, ok := errors.AsType[*ExitError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*StoppedError](err); ok {
		if i, ok := errors.AsType[*Interrupt](e.Cause); ok {
			return i.Code
		}
		if _, ok := errors.AsType[*LimitError](e.Cause); ok || errors.Is(e.Cause, context.DeadlineExceeded) {
			return 124
		}
		return 1
	}
	if e, ok := errors.AsType[*CommandError](err); ok {
		return cmp.Or(e.ReturnCode, 1)
	}
	if _, ok := errors.AsType[*InternalError](err); ok {
		return 70
	}
	return 1
}

// ErrorType is a kind of script error: a value that scripts call to raise it
// and pass to catch to name it. It is immutable.
type ErrorType struct {
	name string
	base *ErrorType
}

// NewErrorType returns a kind of error. base is the kind that catch may name
// to catch this one too; nil when there is none.
func NewErrorType(name string, base *ErrorType) *ErrorType {
	return &ErrorType{name: name, base: base}
}

// The kinds of error that the engine itself raises.
var (
	// CommandErrorType is the kind of *CommandError.
	CommandErrorType = NewErrorType("CommandError", nil)
	// ValueError is a value of the right type that cannot be used, as
	// Python's.
	ValueError = NewErrorType("ValueError", nil)
	// PermissionDenied is something that settings' PERMISSIONS do not grant.
	PermissionDenied = NewErrorType("PermissionDenied", nil)
	// TimeoutError is an operation that took too long; a run's own timeout is
	// not one.
	TimeoutError = NewErrorType("TimeoutError", nil)
)

// TypedError is an error of a kind that catch can name.
type TypedError struct {
	Type    *ErrorType
	Message string
	Err     error // the cause; may be nil
}

func (e *TypedError) Error() string {
	if e.Message == "" {
		return e.Type.name
	}
	return e.Type.name + ": " + e.Message
}

// Unwrap returns the cause.
func (e *TypedError) Unwrap() error { return e.Err }

// Errorf returns an error of this kind. A %w in the format gives it a cause.
func (t *ErrorType) Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if t == CommandErrorType {
		return &CommandError{Message: err.Error(), Err: errors.Unwrap(err)}
	}
	return &TypedError{Type: t, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Is reports whether t is other or one of its descendants.
func (t *ErrorType) Is(other *ErrorType) bool {
	for ; t != nil; t = t.base {
		if t == other {
			return true
		}
	}
	return false
}

// TypeOf returns the kind of err; nil for errors of the language, which catch
// calls "Error".
func TypeOf(err error) *ErrorType {
	for e := err; e != nil; e = errors.Unwrap(e) { // the outermost decides
		switch e := e.(type) {
		case *TypedError:
			return e.Type
		case *CommandError:
			if e.Type != nil {
				return e.Type
			}
			return CommandErrorType
		case *UnknownCommandError:
			return CommandErrorType
		}
	}
	return nil
}

// Catchable reports whether a script may catch err: cancellation, limits,
// exit and bugs of ours pass through every catch.
func Catchable(err error) bool {
	if _, ok := errors.AsType[*ExitError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*InternalError](err); ok {
		return false
	}
	if _, ok := errors.AsType[*StoppedError](err); ok {
		return false
	}
	return true
}

var _ starlark.Callable = (*ErrorType)(nil)

func (t *ErrorType) String() string        { return t.name }
func (t *ErrorType) Type() string          { return "error_type" }
func (t *ErrorType) Freeze()               {}
func (t *ErrorType) Truth() starlark.Bool  { return true }
func (t *ErrorType) Hash() (uint32, error) { return starlark.String(t.name).Hash() }

// Name returns the kind's name, as scripts write it.
func (t *ErrorType) Name() string { return t.name }

// CallInternal raises: CommandError(message="", returncode=1, hint=""), and
// every other kind with (message="").
func (t *ErrorType) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var (
		message    starlark.Value = starlark.String("")
		returncode                = 1
		hint       string
	)
	if t != CommandErrorType {
		if err := starlark.UnpackArgs(t.name, args, kwargs, "message?", &message); err != nil {
			return nil, err
		}
		return nil, &TypedError{Type: t, Message: textOf(message)}
	}
	if err := starlark.UnpackArgs(t.name, args, kwargs, "message?", &message, "returncode?", &returncode, "hint?", &hint); err != nil {
		return nil, err
	}
	if returncode < 1 || returncode > 255 {
		return nil, ValueError.Errorf("CommandError: returncode must be from 1 to 255, not %d", returncode)
	}
	return nil, &CommandError{Message: textOf(message), ReturnCode: returncode, Hint: hint}
}

// textOf is Python's str: a string as it is, anything else printed.
func textOf(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	return v.String()
}

// quote puts a word that a user typed in single quotes, with what is not
// printable escaped.
func quote(s string) string {
	q := fmt.Sprintf("%q", s)
	return "'" + strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`) + "'"
}
