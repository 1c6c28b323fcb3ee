package output

import (
	"errors"
	"fmt"
	"io"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine"
)

// stdinModule is stdin: read(), lines() and isatty().
func stdinModule() starlark.Value {
	return &starlarkstruct.Module{Name: "stdin", Members: starlark.StringDict{
		"read":   engine.Builtin("stdin.read", stdinRead),
		"lines":  engine.Builtin("stdin.lines", stdinLines),
		"isatty": engine.Builtin("stdin.isatty", stdinIsatty),
	}}
}

// stdinRead is stdin.read(): all that is left of the input.
func stdinRead(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	text, err := inv.Stdin().ReadAll(inv.Context())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name(), err)
	}
	return starlark.String(text), nil
}

// stdinIsatty is stdin.isatty(): is somebody there to ask?
func stdinIsatty(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.Bool(inv.Stdin().Terminal()), nil
}

// stdinLines is stdin.lines(): the lines of the input without their line
// breaks, read as the loop asks for them.
func stdinLines(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return &lines{inv, thread}, nil
}

// lines is what stdin.lines returns: it goes on where the last reader of the
// input stopped.
type lines struct {
	inv    *engine.Invocation
	thread *starlark.Thread
}

var (
	_ starlark.Iterable = (*lines)(nil)
	_ starlark.Iterator = (*lines)(nil)
)

func (l *lines) String() string             { return "<stdin.lines>" }
func (l *lines) Type() string               { return "lines" }
func (l *lines) Freeze()                    {}
func (l *lines) Truth() starlark.Bool       { return true }
func (l *lines) Hash() (uint32, error)      { return 0, errors.New("unhashable: lines") }
func (l *lines) Iterate() starlark.Iterator { return l }
func (l *lines) Done()                      {}
func (l *lines) Next(p *starlark.Value) bool {
	line, err := l.inv.Stdin().ReadLine(l.inv.Context())
	if err == nil {
		*p = starlark.String(line)
		return true
	}
	if err != io.EOF {
		l.inv.FailIteration(l.thread, fmt.Errorf("stdin.lines: %w", err))
	}
	return false
}
