package output

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/style"
)

// stream is stdout or stderr in a script: it stands for whichever the running
// command has.
type stream struct {
	name    string
	of      func(*engine.Invocation) *engine.Stream
	role    style.Role // of what is written; "" for none
	methods map[string]*starlark.Builtin
}

var (
	_ starlark.HasAttrs  = (*stream)(nil)
	_ engine.StreamValue = (*stream)(nil)
)

func newStdout() *stream {
	s := newStream("stdout", (*engine.Invocation).Stdout, "")
	s.methods["table"] = engine.Builtin("stdout.table", writeTable)
	return s
}

func newStderr() *stream { return newStream("stderr", (*engine.Invocation).Stderr, style.ERROR) }

func newStream(name string, of func(*engine.Invocation) *engine.Stream, role style.Role) *stream {
	s := &stream{name: name, of: of, role: role}
	s.methods = map[string]*starlark.Builtin{
		"write":  engine.Builtin(name+".write", s.write),
		"flush":  engine.Builtin(name+".flush", s.flush),
		"isatty": engine.Builtin(name+".isatty", s.isatty),
	}
	return s
}

func (s *stream) String() string        { return "<" + s.name + ">" }
func (s *stream) Type() string          { return "stream" }
func (s *stream) Freeze()               {}
func (s *stream) Truth() starlark.Bool  { return true }
func (s *stream) Hash() (uint32, error) { return starlark.String(s.name).Hash() }
func (s *stream) AttrNames() []string   { return slices.Sorted(maps.Keys(s.methods)) }
func (s *stream) Attr(name string) (starlark.Value, error) {
	if m, ok := s.methods[name]; ok {
		return m, nil
	}
	return nil, nil
}

// Stream returns the stream that the value stands for in a run.
func (s *stream) Stream(inv *engine.Invocation) *engine.Stream { return s.of(inv) }

// write is stdout.write(msg="", ending="\n"): it writes msg, and the ending
// unless msg has it already. What stderr.write is given is shown in the role
// ERROR unless it brings a style of its own. Source: Django's OutputWrapper.
func (s *stream) write(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var msg starlark.Value = starlark.String("")
	ending := "\n"
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "msg?", &msg, "ending?", &ending); err != nil {
		return nil, err
	}
	text := textOf(msg)
	if !strings.HasSuffix(text, ending) {
		text += ending
	}
	out := s.of(inv)
	if !strings.Contains(text, "\x1b[") {
		text = out.Style().Apply(s.role, text)
	}
	if err := say(inv, out, text); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name(), err)
	}
	return starlark.None, nil
}

// flush is stdout.flush().
func (s *stream) flush(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	if err := s.of(inv).Flush(); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name(), err)
	}
	return starlark.None, nil
}

// isatty is stdout.isatty(): is it a terminal?
func (s *stream) isatty(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.Bool(s.of(inv).Terminal()), nil
}

// printLine is print(*args, sep=" "): a line on stdout.
func printLine(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	sep := " "
	if err := starlark.UnpackArgs(b.Name(), nil, kwargs, "sep?", &sep); err != nil {
		return nil, err
	}
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = textOf(arg)
	}
	if err := say(inv, inv.Stdout(), strings.Join(words, sep)+"\n"); err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	return starlark.None, nil
}

// say writes text to a stream of the run. Everything that this package writes
// goes through it, so that a progress bar can make room.
func say(inv *engine.Invocation, out *engine.Stream, text string) error {
	if d := displayOf(inv); d != nil && out.Terminal() {
		return d.say(out, text)
	}
	_, err := io.WriteString(out, text)
	return err
}
