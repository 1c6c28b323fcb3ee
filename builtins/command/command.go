// Package command gives scripts control over commands and errors:
//
//   - call_command runs another command
//   - CommandError, ValueError, PermissionDenied and TimeoutError raise when
//     called; catch stands in for try and except
//   - exit ends the whole run, defer registers what runs at its end, stopping
//     says whether the run was told to stop
//   - settings are the project's
package command

import (
	"fmt"
	"io"
	"sync/atomic"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
)

// Module is the engine.Module of this package. A Module belongs to one Engine.
type Module struct {
	settings *settings
}

var (
	_ engine.Module     = (*Module)(nil)
	_ engine.Configurer = (*Module)(nil)
)

// New returns the module.
func New() *Module {
	return &Module{settings: &settings{current: new(atomic.Pointer[engine.Settings])}}
}

// Name returns "command".
func (m *Module) Name() string { return "command" }

// Configure keeps the project's settings for scripts to read.
func (m *Module) Configure(s engine.Settings) error {
	m.settings.current.Store(&s)
	return nil
}

// Predeclared returns the names that scripts see.
func (m *Module) Predeclared() starlark.StringDict {
	return starlark.StringDict{
		"call_command":     engine.Builtin("call_command", callCommand),
		"catch":            engine.Builtin("catch", catch),
		"exit":             engine.Builtin("exit", exit),
		"defer":            engine.Builtin("defer", deferCall),
		"stopping":         engine.PureBuiltin("stopping", stopping),
		"settings":         m.settings,
		"CommandError":     engine.CommandErrorType,
		"ValueError":       engine.ValueError,
		"PermissionDenied": engine.PermissionDenied,
		"TimeoutError":     engine.TimeoutError,
	}
}

// callCommand is call_command(name, *args, stdout=None, stderr=None,
// **options): it runs another command with the options given by dest or by
// long name, and returns what its handle returned. args are values of
// positional arguments: unlike in Django "--force" among them is no option, so
// that data never becomes one. Source of the rest: Django's
// django.core.management.call_command.
func callCommand(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("%s: missing argument for name", b.Name())
	}
	name, ok := starlark.AsString(args[0])
	if !ok {
		return nil, fmt.Errorf("%s: name must be a string, not %s", b.Name(), args[0].Type())
	}
	call := engine.Args{Options: make(map[string]any)}
	for _, arg := range args[1:] {
		call.Positional = append(call.Positional, arg)
	}
	for _, kv := range kwargs {
		key := string(kv[0].(starlark.String))
		var err error
		switch key {
		case "stdout":
			call.Stdout, err = writer(inv, thread, kv[1])
		case "stderr":
			call.Stderr, err = writer(inv, thread, kv[1])
		default:
			call.Options[key] = kv[1]
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", b.Name(), key, err)
		}
	}
	return inv.Call(name, call)
}

// writer returns the stream that a value stands for: None keeps the caller's,
// and anything with a method write will do.
func writer(inv *engine.Invocation, thread *starlark.Thread, v starlark.Value) (io.Writer, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case engine.StreamValue:
		return v.Stream(inv), nil
	case io.Writer:
		return v, nil
	case starlark.HasAttrs:
		if m, err := v.Attr("write"); err == nil && m != nil {
			if fn, ok := m.(starlark.Callable); ok {
				return &scriptWriter{thread, fn}, nil
			}
		}
	}
	return nil, fmt.Errorf("want a stream such as StringIO(), got %s", v.Type())
}

// scriptWriter is a stream made in a script.
type scriptWriter struct {
	thread *starlark.Thread
	write  starlark.Callable
}

func (w *scriptWriter) Write(p []byte) (int, error) {
	if _, err := starlark.Call(w.thread, w.write, starlark.Tuple{starlark.String(p)}, nil); err != nil {
		return 0, err
	}
	return len(p), nil
}

// exit is exit(code=0): it ends the whole run, also from a called command.
func exit(_ *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	code := 0
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "code?", &code); err != nil {
		return nil, err
	}
	if code < 0 || code > 255 {
		return nil, engine.ValueError.Errorf("exit: code must be from 0 to 255, not %d", code)
	}
	return nil, &engine.ExitError{Code: code}
}

// deferCall is defer(fn, *args, **kwargs): fn runs when the command is done,
// whatever happened; the last deferred runs first.
func deferCall(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("%s: missing argument for fn", b.Name())
	}
	fn, ok := args[0].(starlark.Callable)
	if !ok {
		return nil, fmt.Errorf("%s: fn must be a function, not %s", b.Name(), args[0].Type())
	}
	inv.Defer(fn, args[1:], kwargs)
	return starlark.None, nil
}

// stopping is stopping(): was the run told to stop? It answers even then, so
// that a deferred function, or a command that it calls, can ask.
func stopping(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	inv := engine.InvocationOf(thread)
	if inv == nil {
		return nil, fmt.Errorf("%s: works only while a command runs: call it inside handle()", b.Name())
	}
	for ; inv != nil; inv = inv.Parent() {
		if inv.Stopping() {
			return starlark.True, nil
		}
	}
	return starlark.False, nil
}
