// Package output gives scripts what they talk through:
//
//   - stdout and stderr, with write, flush and isatty; stdout.table; print
//   - stdin, with read, lines and isatty; StringIO, a stream in memory
//   - style, Django's roles as functions
//   - log, structured lines on stderr
//   - progress, which shows how far a loop is
//   - input, confirm and choose, which ask on a terminal
//
// Everything goes through the Invocation's streams, so that whoever calls a
// command can capture all that it says.
package output

import (
	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
)

// Module is the engine.Module of this package. Its zero value works.
type Module struct{}

var _ engine.Module = Module{}

// New returns the module.
func New() Module { return Module{} }

// Name returns "output".
func (Module) Name() string { return "output" }

// Predeclared returns the names that scripts see.
func (Module) Predeclared() starlark.StringDict {
	return starlark.StringDict{
		"stdout":   newStdout(),
		"stderr":   newStderr(),
		"stdin":    stdinModule(),
		"style":    styleModule(),
		"log":      logModule(),
		"StringIO": engine.PureBuiltin("StringIO", newStringIO),
		"print":    engine.Builtin("print", printLine),
		"progress": engine.Builtin("progress", newProgress),
		"input":    engine.Builtin("input", input),
		"confirm":  engine.Builtin("confirm", confirm),
		"choose":   engine.Builtin("choose", choose),
	}
}

// textOf is Python's str.
func textOf(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	return v.String()
}

// collect returns the items of an iterable, at most limit of them (0: all),
// and looks for the error that its iterator could not return.
func collect(inv *engine.Invocation, items starlark.Iterable, limit int) ([]starlark.Value, error) {
	var list []starlark.Value
	iter := items.Iterate()
	defer iter.Done()
	var item starlark.Value
	for (limit == 0 || len(list) < limit) && inv.Context().Err() == nil && iter.Next(&item) {
		list = append(list, item)
	}
	if err := inv.IterationError(); err != nil {
		return nil, err
	}
	return list, inv.Context().Err()
}
