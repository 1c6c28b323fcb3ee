package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
)

// maxDepth bounds how deep commands may call each other: each level is a
// thread of its own, so that the interpreter's check of its stack does not see
// the sum.
const maxDepth = 32

// deferTime is what deferred functions have for themselves, all together.
const deferTime = 10 * time.Second

// Invocation is one run of one command. It belongs to the goroutine that runs
// the command: no other may use it, its Streams apart.
type Invocation struct {
	engine  *Engine
	project *project
	parent  *Invocation
	depth   int
	name    string
	app     *app
	command *Command
	script  *script // nil for a command in Go
	called  bool    // by Call or call_command, not by a shell

	ctx     context.Context
	asked   context.Context // ends when a stop is asked for; ctx differs from it while deferred functions run
	started time.Time
	now     func() time.Time // nil: the Engine's clock
	thread  *starlark.Thread
	loader  *loader

	options  argparse.Namespace
	ownDests []string // what the command declares itself
	base     BaseOptions
	limits   Limits // in force: those of parents included
	reached  *LimitError

	stdin          *Input
	outSink        *sink
	errSink        *sink
	colors         colors
	stdout, stderr *Stream
	document       *document // what --json collects; nil without it

	deferred  []deferredCall
	cleanups  []func()
	reports   []func() string
	state     map[any]any
	iterError error
}

// BaseOptions are the values of the options that every command has.
type BaseOptions struct {
	Verbosity  int // 0 to 3
	Traceback  bool
	NoColor    bool
	ForceColor bool
	SkipChecks bool
	NoInput    bool
	JSON       bool          // the run that the shell started prints a document
	Timeout    time.Duration // 0: none
}

// Context ends when the run is told to stop. Blocking work takes it.
func (inv *Invocation) Context() context.Context { return inv.ctx }

// Stopping reports whether the run was told to stop: what is true while
// deferred functions run after a signal or a timeout.
func (inv *Invocation) Stopping() bool { return inv.asked.Err() != nil }

// Name returns the command's name.
func (inv *Invocation) Name() string { return inv.name }

// App returns the label of the app that the command belongs to.
func (inv *Invocation) App() string { return inv.app.label }

// Parent returns the run that called this one; nil for a run of its own.
func (inv *Invocation) Parent() *Invocation { return inv.parent }

// Engine returns the Engine that runs the command.
func (inv *Invocation) Engine() *Engine { return inv.engine }

// Settings returns the project's settings.
func (inv *Invocation) Settings() Settings { return inv.project.settings }

// ProjectDir returns the project's root as an absolute path; "" when the
// project is a file system of the host's.
func (inv *Invocation) ProjectDir() string { return inv.project.dir }

// Now returns the time on the run's clock: the Engine's, unless a Sub brought
// another.
func (inv *Invocation) Now() time.Time {
	if inv.now != nil {
		return inv.now()
	}
	return inv.engine.cfg.Now()
}

// Getenv reads the environment of the Engine.
func (inv *Invocation) Getenv(name string) (string, bool) { return inv.engine.cfg.Getenv(name) }

// Base returns the options that every command has.
func (inv *Invocation) Base() BaseOptions { return inv.base }

// Option returns the value of an argument by its dest, as plain Go or as a
// Starlark value that has no such form; nil when it is None or not there.
func (inv *Invocation) Option(dest string) any {
	v := inv.options[dest]
	if v == argparse.None {
		return nil
	}
	return v
}

// OptionStrings returns the strings of a list option; nil when it has none.
func (inv *Invocation) OptionStrings(dest string) []string {
	list, _ := inv.Option(dest).([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Options returns the values of all arguments by dest. The map is the
// caller's.
func (inv *Invocation) Options() map[string]any {
	out := maps.Clone(map[string]any(inv.options))
	for dest, v := range out {
		if v == argparse.None {
			out[dest] = nil
		}
	}
	return out
}

// Attribute returns a top-level name of the command's file, frozen; nil when
// the file does not have it or the command is in Go. It is how an Extender
// reads its attributes during a run.
func (inv *Invocation) Attribute(name string) starlark.Value {
	if inv.script == nil {
		return nil
	}
	return inv.script.globals[name]
}

// Stdout is where results go.
func (inv *Invocation) Stdout() *Stream { return inv.stdout }

// Stderr is where everything else goes.
func (inv *Invocation) Stderr() *Stream { return inv.stderr }

// Stdin is what the command reads.
func (inv *Invocation) Stdin() *Input { return inv.stdin }

// Style returns what colours text that may go to either stream: a stream
// whose colour is off takes the codes out again.
func (inv *Invocation) Style() style.Style {
	if s := inv.stdout.Style(); inv.stdout.color {
		return s
	}
	return inv.stderr.Style()
}

// JSON reports whether what this run writes goes into the one document of
// --json: not when its caller captures it.
func (inv *Invocation) JSON() bool { return inv.document != nil }

// AddTable adds a table to the --json document: its rows in plain Go.
func (inv *Invocation) AddTable(rows []any) {
	if inv.document != nil {
		inv.document.Tables = append(inv.document.Tables, rows)
	}
}

// Thread returns the thread that handle runs on.
func (inv *Invocation) Thread() *starlark.Thread { return inv.thread }

// Value returns what SetValue kept under key; nil when nothing was. Keys are
// of an unexported type of the module that uses them.
func (inv *Invocation) Value(key any) any { return inv.state[key] }

// SetValue keeps a module's state for the length of this run.
func (inv *Invocation) SetValue(key, value any) {
	if inv.state == nil {
		inv.state = make(map[any]any)
	}
	inv.state[key] = value
}

// Cleanup registers a function for the end of this run, whatever happened;
// the last registered runs first, after deferred functions.
func (inv *Invocation) Cleanup(f func()) { inv.cleanups = append(inv.cleanups, f) }

// Defer registers a script's function that runs after handle, and after what
// Extenders do around it, whatever happened; the last registered runs first.
// All of a run's have ten seconds together, also when the run was told to
// stop.
func (inv *Invocation) Defer(fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) {
	inv.deferred = append(inv.deferred, deferredCall{fn, args, kwargs})
}

type deferredCall struct {
	fn     starlark.Callable
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

// Report registers a function that says, for the message of a run that was
// told to stop, how far it got: "1,200 rows were committed before".
func (inv *Invocation) Report(f func() string) { inv.reports = append(inv.reports, f) }

// FailIteration keeps the error of an iterator, which has no way to return
// it, and makes the thread stop at its next step. What consumes an iterable
// in Go asks IterationError afterwards.
func (inv *Invocation) FailIteration(thread *starlark.Thread, err error) {
	if inv.iterError == nil {
		inv.iterError = err
	}
	thread.Cancel("an iteration failed")
}

// IterationError returns the error that an iterator left, if there is one.
func (inv *Invocation) IterationError() error { return inv.iterError }

// interrupted returns the error with which a builtin refuses to start.
func (inv *Invocation) interrupted() error {
	if inv.iterError != nil {
		return inv.iterError
	}
	if inv.ctx.Err() != nil {
		return inv.stopped(nil)
	}
	if inv.reached != nil {
		return inv.stopped(nil)
	}
	return nil
}

// stopped makes the error of a run that was told to stop.
func (inv *Invocation) stopped(frames []Frame) *StoppedError {
	e := &StoppedError{Command: inv.name, Cause: context.Cause(inv.ctx), Elapsed: inv.Now().Sub(inv.started), frames: frames}
	if inv.reached != nil {
		e.Cause = inv.reached
	}
	var reports []string
	for i := inv; i != nil; i = i.parent {
		for _, report := range i.reports {
			if text := report(); text != "" {
				reports = append(reports, text)
			}
		}
	}
	e.Report = strings.Join(reports, "; ")
	return e
}

// Settle translates the error of a call into a script: what an iterator left
// takes the place of the cancellation that it caused, and a context that ended
// becomes a StoppedError. Whoever calls back into a script and looks at the
// error (catch) asks it first. err may be nil: the script may have ended
// before it noticed.
func (inv *Invocation) Settle(thread *starlark.Thread, err error) error {
	if inv.iterError != nil {
		cause := inv.iterError
		inv.iterError = nil
		thread.Uncancel()
		if inv.ctx.Err() == nil && inv.reached == nil {
			switch {
			case err == nil:
				return cause
			case errors.Is(err, cause): // a builtin refused to start
				return err
			}
			return &settled{thread, inv.engine.liftAs(thread, err, cause)}
		}
	}
	if err == nil && inv.ctx.Err() == nil && inv.reached == nil {
		return nil
	}
	if inv.ctx.Err() != nil || inv.reached != nil {
		if _, ok := errors.AsType[*StoppedError](err); ok {
			return err
		}
		if _, ok := errors.AsType[*ExitError](err); ok {
			return err
		}
		if err == nil && inv.reached == nil {
			return nil // it was done before the stop reached it
		}
		return &settled{thread, inv.stopped(inv.engine.framesOf(err))}
	}
	return err
}

// Call runs another command within this run, as a script's call_command: it
// inherits streams, verbosity, colour, limits and cancellation, and skips the
// system checks unless told otherwise. Its value is what handle returned, as a
// Starlark value.
func (inv *Invocation) Call(name string, args Args) (starlark.Value, error) {
	v, err := inv.engine.invoke(inv.ctx, request{
		project: inv.project, name: name, args: args, isCall: true, parent: inv,
	})
	if v == nil {
		v = starlark.None
	}
	return v, err
}

// bindThread ties a thread to the invocation: its builtins find it, print
// writes to its stdout, and its steps are counted.
func (inv *Invocation) bindThread(name string) *starlark.Thread {
	thread := &starlark.Thread{
		Name:  name,
		Load:  inv.loader.load,
		Print: func(_ *starlark.Thread, msg string) { fmt.Fprintln(inv.stdout, msg) },
	}
	thread.SetLocal(invocationKey, inv)
	limitSteps(thread, inv.limits.Steps, &inv.reached)
	return thread
}

// callScript calls a function of the script on the invocation's thread, and
// stops it when the context ends.
func (inv *Invocation) callScript(fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	thread := inv.thread
	if inv.ctx.Err() != nil {
		return nil, inv.stopped(nil)
	}
	stop := context.AfterFunc(inv.ctx, func() { thread.Cancel("the run was told to stop") })
	defer stop()
	func() {
		defer recoverInto(&err)
		v, err = starlark.Call(thread, fn, args, kwargs)
	}()
	err = inv.Settle(thread, err)
	if err != nil {
		return nil, inv.engine.lift(thread, err)
	}
	return v, nil
}

// finish runs deferred functions and cleanups and returns the run's error:
// err, or the first failure of a deferred function when there is none.
func (inv *Invocation) finish(err error) error {
	if len(inv.deferred) > 0 {
		err = inv.runDeferred(err)
	}
	for i := len(inv.cleanups) - 1; i >= 0; i-- {
		failure := safely(func() error { inv.cleanups[i](); return nil })
		err = cmp.Or(err, failure) // the others are called all the same
	}
	inv.cleanups = nil
	return err
}

func (inv *Invocation) runDeferred(err error) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(inv.ctx), deferTime,
		&LimitError{Limit: "time for deferred functions", Value: deferTime.String()})
	defer cancel()
	inv.ctx, inv.reached, inv.iterError = ctx, nil, nil
	inv.thread = inv.bindThread(inv.name + " (deferred)")
	for len(inv.deferred) > 0 {
		call := inv.deferred[len(inv.deferred)-1]
		inv.deferred = inv.deferred[:len(inv.deferred)-1]
		_, failure := inv.callScript(call.fn, call.args, call.kwargs)
		switch {
		case failure == nil:
		case err == nil:
			err = failure
		default:
			fmt.Fprintf(inv.stderr, "a deferred function failed too: %v\n", failure)
		}
	}
	return err
}

// writerFor returns the sink for a stream given to a call; nil keeps the
// caller's.
func writerFor(w io.Writer, inherited *sink) *sink {
	switch w := w.(type) {
	case nil:
		return inherited
	case *Stream:
		return w.sink
	}
	out, _ := newSinks(w, io.Discard)
	out.buffered = false
	return out
}
