package engine

// Tracebacks: from the interpreter's errors to frames with source lines, and
// across the border between commands.

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/internal/pyhint"
	"github.com/starmanage/starmanage/internal/snippet"
)

// maxFrames is how many calls a traceback shows: of a deeper one the outermost
// and innermost.
const maxFrames = 40

// settled is an error that Settle made of a thread's: it has all the frames of
// that thread already.
type settled struct {
	thread *starlark.Thread
	error
}

func (s *settled) Unwrap() error { return s.error }

// lift turns the error of a thread into one that may cross to another thread:
// it carries its frames itself, and no *starlark.EvalError is found in it (the
// caller's thread would take that for its own and drop its frames).
func (e *Engine) lift(thread *starlark.Thread, err error) error {
	ee, ok := errors.AsType[*starlark.EvalError](err)
	if !ok {
		if s, ok := err.(*settled); ok {
			return s.error
		}
		return err
	}
	cause := ee.Unwrap()
	if cause == nil {
		cause = errors.New(ee.Msg)
	}
	return e.liftAs(thread, ee, cause)
}

// liftAs is lift with the frames of err and another cause.
func (e *Engine) liftAs(thread *starlark.Thread, err, cause error) error {
	frames := e.framesOf(err)
	for c := cause; c != nil; c = errors.Unwrap(c) {
		switch c := c.(type) {
		case *settled:
			if c.thread == thread {
				return c.error
			}
		case *ExitError, *InternalError:
			return c
		case *StoppedError:
			stopped := *c
			stopped.frames = slices.Concat(frames, c.frames)
			return &stopped
		case *UnknownCommandError:
			return &CommandError{Message: c.Error(), Err: c, frames: frames}
		case *CommandError:
			failed := *c
			failed.frames = slices.Concat(frames, c.frames)
			return &failed
		case *ScriptError:
			bug := *c
			bug.Frames = slices.Concat(frames, c.Frames)
			return &bug
		}
	}
	bug := &ScriptError{Message: cause.Error(), Frames: frames, Err: cause}
	if ee, ok := errors.AsType[*starlark.EvalError](cause); ok { // a callback's error, passed on
		return e.lift(thread, ee)
	}
	if n := len(frames); n > 0 {
		last := frames[n-1]
		advice := pyhint.Explain(e.source(last.File), last.Line, last.Column, bug.Message)
		if advice.Message != "" {
			bug.Message = advice.Message
		}
		bug.Hint = advice.Hint
	}
	return bug
}

// framesOf returns the calls of the thread that err comes from, builtins
// aside, outermost first.
func (e *Engine) framesOf(err error) []Frame {
	ee, ok := errors.AsType[*starlark.EvalError](err)
	if !ok {
		return nil
	}
	stack := ee.CallStack
	hidden := max(0, len(stack)-maxFrames)
	var frames []Frame
	for i, call := range stack {
		if hidden > 0 && i == maxFrames/2 {
			frames = append(frames, Frame{Function: fmt.Sprintf("… %d calls are not shown …", hidden)})
		}
		if i >= maxFrames/2 && i < maxFrames/2+hidden {
			continue
		}
		if call.Pos.Filename() == "<builtin>" {
			continue
		}
		f := Frame{File: call.Pos.Filename(), Line: int(call.Pos.Line), Column: int(call.Pos.Col), Function: call.Name}
		if src := e.source(f.File); src != nil {
			text, _ := snippet.At(src, f.Line, 0)
			f.Source = strings.TrimSpace(text)
		}
		frames = append(frames, f)
	}
	return frames
}

// Traceback prints frames as Python does: the innermost call last.
func Traceback(frames []Frame) string {
	if len(frames) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("Traceback (most recent call last):\n")
	for _, f := range frames {
		if f.File == "" {
			b.WriteString("  " + f.Function + "\n")
			continue
		}
		b.WriteString("  " + f.Position() + ": in " + f.Function + "\n")
		if f.Source != "" {
			b.WriteString("    " + f.Source + "\n")
		}
	}
	return b.String()
}
