package output_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// file is where the script of a test stands.
const file = "apps/ops/management/commands/x.star"

// config is a project of one command, x, with the body of a handle.
func config(body ...string) engine.Config {
	return engine.Config{
		FS:      enginetest.Project("-- " + file + " --\ndef handle():\n    " + strings.Join(body, "\n    ") + "\n"),
		Modules: []engine.Module{helpers{}, output.New(), command.New()},
	}
}

// env makes an environment of "NAME=value" pairs.
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

// screen is a terminal that keeps what was written to it.
type screen struct {
	mu      sync.Mutex
	raw     bytes.Buffer
	columns int // 0: it does not say
}

func (s *screen) IsTerminal() bool   { return true }
func (s *screen) Width() (int, bool) { return s.columns, s.columns > 0 }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

// shows returns what stands on the screen in the end: it obeys \r, \n and
// ESC [ K, and knows nothing else.
func (s *screen) shows(t *testing.T) string {
	t.Helper()
	lines, column := [][]rune{{}}, 0
	text := s.String()
	for len(text) > 0 {
		last := len(lines) - 1
		if rest, ok := strings.CutPrefix(text, "\x1b[K"); ok {
			lines[last] = lines[last][:min(column, len(lines[last]))]
			text = rest
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		switch r {
		case '\x1b':
			t.Fatalf("a sequence that the screen does not know in %q", s.String())
		case '\r':
			column = 0
		case '\n':
			lines, column = append(lines, []rune{}), 0
		default:
			if column < len(lines[last]) {
				lines[last][column] = r
			} else {
				lines[last] = append(lines[last], r)
			}
			column++
		}
	}
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(line))
	}
	return b.String()
}

// helpers is a module with what these tests need: struct, record (a value with
// a plain form alone), failing(n), counted(n) and endless() (iterables in Go),
// sleep, and together(name, n), which runs a command on n goroutines.
type helpers struct{}

func (helpers) Name() string { return "helpers" }

func (helpers) Predeclared() starlark.StringDict {
	return starlark.StringDict{
		"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
		"record": engine.PureBuiltin("record", func(_ *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return &record{starlarkstruct.FromKeywords(starlarkstruct.Default, kwargs)}, nil
		}),
		"failing": numbersBuiltin("failing", errors.New("the rows ran out")),
		"counted": numbersBuiltin("counted", nil),
		"endless": engine.PureBuiltin("endless", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return endless{}, nil
		}),
		"together": engine.Func("together", func(inv *engine.Invocation, name string, n int) error {
			errs := make([]error, n)
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { _, errs[i] = inv.Call(name, engine.Args{}) })
			}
			wg.Wait()
			return errors.Join(errs...)
		}, "name", "n"),
		"sleep": engine.Func("sleep", func(ctx context.Context, seconds float64) error {
			select {
			case <-time.After(time.Duration(seconds * float64(time.Second))):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, "seconds"),
	}
}

// record has a JSON form and nothing else.
type record struct{ fields *starlarkstruct.Struct }

func (r *record) String() string        { return "record" }
func (r *record) Type() string          { return "record" }
func (r *record) Freeze()               {}
func (r *record) Truth() starlark.Bool  { return true }
func (r *record) Hash() (uint32, error) { return 0, errors.New("unhashable: record") }
func (r *record) MarshalJSON() ([]byte, error) {
	var parts []string
	for _, name := range r.fields.AttrNames() {
		v, _ := r.fields.Attr(name)
		parts = append(parts, fmt.Sprintf("%q: %s", name, v))
	}
	return []byte("{" + strings.Join(parts, ", ") + "}"), nil
}

func numbersBuiltin(name string, err error) *starlark.Builtin {
	return engine.Builtin(name, func(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var n int
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "n", &n); err != nil {
			return nil, err
		}
		return &numbers{inv: inv, thread: thread, n: n, err: err}, nil
	})
}

// numbers gives [0], [1], … n-1 and then err. It has no length, and tells its
// total by its method.
type numbers struct {
	inv    *engine.Invocation
	thread *starlark.Thread
	n      int
	err    error
}

func (s *numbers) String() string        { return "numbers" }
func (s *numbers) Type() string          { return "numbers" }
func (s *numbers) Freeze()               {}
func (s *numbers) Truth() starlark.Bool  { return true }
func (s *numbers) Hash() (uint32, error) { return 0, errors.New("unhashable: numbers") }

func (s *numbers) Iterate() starlark.Iterator { return &numbersIterator{s: s} }

func (s *numbers) Total(ctx context.Context) (int64, error) {
	if s.n > 1000 {
		return 0, errors.New("counting failed")
	}
	return int64(s.n), ctx.Err()
}

type numbersIterator struct {
	s *numbers
	i int
}

func (it *numbersIterator) Next(p *starlark.Value) bool {
	if it.i == it.s.n {
		if it.s.err != nil {
			it.s.inv.FailIteration(it.s.thread, it.s.err)
		}
		return false
	}
	*p = starlark.Tuple{starlark.MakeInt(it.i)}
	it.i++
	return true
}

func (it *numbersIterator) Done() {
	fmt.Fprintf(it.s.inv.Stdout(), "done after %d\n", it.i)
}

// endless gives 0, 1, 2 and so on, and knows no total.
type endless struct{}

func (endless) String() string             { return "endless" }
func (endless) Type() string               { return "endless" }
func (endless) Freeze()                    {}
func (endless) Truth() starlark.Bool       { return true }
func (endless) Hash() (uint32, error)      { return 0, nil }
func (endless) Iterate() starlark.Iterator { return new(endlessIterator) }

type endlessIterator int

func (it *endlessIterator) Next(p *starlark.Value) bool {
	*p = starlark.MakeInt(int(*it))
	*it++
	return true
}

func (it *endlessIterator) Done() {}

func TestChunks(t *testing.T) {
	for _, name := range []string{"streams", "table", "progress"} {
		t.Run(name, func(t *testing.T) {
			enginetest.Chunks(t, engine.Config{Modules: config().Modules}, "testdata/"+name+".star")
		})
	}
}

// equal compares the parts of what a shell sees.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%s\nwant\n%s", what, got, want)
	}
}
