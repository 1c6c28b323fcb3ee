package output

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
)

// StringIO is a stream in memory: what a script passes as stdout or stderr to
// call_command. Many goroutines may write to it.
type StringIO struct {
	mu     sync.Mutex
	text   strings.Builder
	frozen bool
}

var (
	_ starlark.HasAttrs = (*StringIO)(nil)
	_ io.Writer         = (*StringIO)(nil)
)

// newStringIO is StringIO(initial_value="").
func newStringIO(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var initial string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "initial_value?", &initial); err != nil {
		return nil, err
	}
	s := new(StringIO)
	s.text.WriteString(initial)
	return s, nil
}

// Write appends p. It fails once the value is frozen: a global of a file.
func (s *StringIO) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen {
		return 0, errors.New("cannot write to a frozen StringIO: create it inside handle()")
	}
	return s.text.Write(p)
}

// Text returns what was written.
func (s *StringIO) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *StringIO) String() string        { return "<StringIO>" }
func (s *StringIO) Type() string          { return "StringIO" }
func (s *StringIO) Truth() starlark.Bool  { return true }
func (s *StringIO) Hash() (uint32, error) { return 0, errors.New("unhashable: StringIO") }

// Freeze makes further writes fail.
func (s *StringIO) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = true
}

func (s *StringIO) AttrNames() []string { return []string{"getvalue", "write"} }
func (s *StringIO) Attr(name string) (starlark.Value, error) {
	switch name {
	case "getvalue":
		return engine.PureBuiltin("getvalue", s.getvalue).BindReceiver(s), nil
	case "write":
		return engine.PureBuiltin("write", s.write).BindReceiver(s), nil
	}
	return nil, nil
}

// getvalue is StringIO().getvalue(): all that was written.
func (s *StringIO) getvalue(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.String(s.Text()), nil
}

// write is StringIO().write(text): it returns the number of bytes.
func (s *StringIO) write(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
		return nil, err
	}
	n, err := s.Write([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name(), err)
	}
	return starlark.MakeInt(n), nil
}
