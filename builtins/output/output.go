// Package output gives scripts their streams, style, prompts and log:
//
//   - stdout and stderr, with write, flush and isatty; stdin, with read and
//     lines; StringIO, a stream in memory
//   - style, Django's roles as functions; print
//   - log, structured lines on stderr
//   - input, confirm and choose, which ask on a terminal
//
// Everything goes through the Invocation's streams, so that whoever calls a
// command can capture all that it says.
package output

import (
	"fmt"
	"io"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/style"
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
		"stdout":   newStream("stdout", (*engine.Invocation).Stdout),
		"stderr":   newStream("stderr", (*engine.Invocation).Stderr),
		"stdin":    stdinModule(),
		"style":    styleModule(),
		"log":      logModule(),
		"StringIO": engine.PureBuiltin("StringIO", newStringIO),
		"print":    engine.Builtin("print", printLine),
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

// stream is stdout or stderr in a script: it stands for whichever the running
// command has.
type stream struct {
	name    string
	of      func(*engine.Invocation) *engine.Stream
	methods map[string]*starlark.Builtin
}

var (
	_ starlark.HasAttrs  = (*stream)(nil)
	_ engine.StreamValue = (*stream)(nil)
)

func newStream(name string, of func(*engine.Invocation) *engine.Stream) *stream {
	s := &stream{name: name, of: of}
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
func (s *stream) AttrNames() []string   { return attrNames(s.methods) }
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
	if s.name == "stderr" && !strings.Contains(text, "\x1b[") {
		text = out.Style().Apply(style.ERROR, text)
	}
	if _, err := io.WriteString(out, text); err != nil {
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
	var words []string
	for _, arg := range args {
		words = append(words, textOf(arg))
	}
	if _, err := fmt.Fprintln(inv.Stdout(), strings.Join(words, sep)); err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	return starlark.None, nil
}

// styleModule is style: one function per role, from text to coloured text.
func styleModule() starlark.Value {
	members := make(starlark.StringDict)
	for _, role := range style.Roles() {
		members[string(role)] = engine.Builtin("style."+string(role), func(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var text starlark.Value
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
				return nil, err
			}
			return starlark.String(inv.Style().Apply(role, textOf(text))), nil
		})
	}
	return &starlarkstruct.Module{Name: "style", Members: members}
}
