package command_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// commands is a project of commands: a line "== name" starts each; what stands
// under it is its file.
func commands(text string) engine.Config {
	archive := ""
	for line := range strings.Lines(strings.TrimLeft(text, "\n")) {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			name = strings.TrimSpace(name)
			if !strings.Contains(name, ".") {
				name = "apps/ops/management/commands/" + name + ".star"
			}
			line = "-- " + name + " --\n"
		}
		archive += line
	}
	return engine.Config{FS: enginetest.Project(archive), Modules: modules()}
}

func modules() []engine.Module { return []engine.Module{helpers{}, output.New(), command.New()} }

// want compares what a shell sees.
func want(t *testing.T, got enginetest.Result, code int, stdout, stderr string) {
	t.Helper()
	if got.Code != code {
		t.Errorf("exit code %d, want %d", got.Code, code)
	}
	if got.Stdout != stdout {
		t.Errorf("stdout is\n%s\nwant\n%s", got.Stdout, stdout)
	}
	if got.Stderr != stderr {
		t.Errorf("stderr is\n%s\nwant\n%s", got.Stderr, stderr)
	}
}

// helpers is a module with what these tests need: struct, sleep(seconds),
// failing(n, kind) (an iterable in Go) and boom() (a fault of ours).
type helpers struct{}

func (helpers) Name() string { return "helpers" }

func (helpers) Predeclared() starlark.StringDict {
	return starlark.StringDict{
		"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
		"boom":   engine.Func("boom", func() { panic("boom") }),
		"sleep": engine.Func("sleep", func(ctx context.Context, seconds float64) error {
			select {
			case <-time.After(time.Duration(seconds * float64(time.Second))):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, "seconds"),
		"failing": engine.Builtin("failing", func(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var n int
			var kind string
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "n", &n, "kind?", &kind); err != nil {
				return nil, err
			}
			err := errors.New("the rows ran out")
			if kind == "ValueError" {
				err = engine.ValueError.Errorf("the rows ran out")
			}
			return &numbers{inv: inv, thread: thread, n: n, err: err}, nil
		}),
	}
}

// numbers gives 0, 1, … n-1, and then fails with err.
type numbers struct {
	inv    *engine.Invocation
	thread *starlark.Thread
	i, n   int
	err    error
}

func (s *numbers) String() string             { return "numbers" }
func (s *numbers) Type() string               { return "numbers" }
func (s *numbers) Freeze()                    {}
func (s *numbers) Truth() starlark.Bool       { return true }
func (s *numbers) Hash() (uint32, error)      { return 0, errors.New("unhashable: numbers") }
func (s *numbers) Iterate() starlark.Iterator { return s }
func (s *numbers) Done()                      {}
func (s *numbers) Next(p *starlark.Value) bool {
	if s.i == s.n {
		s.inv.FailIteration(s.thread, s.err)
		return false
	}
	*p = starlark.MakeInt(s.i)
	s.i++
	return true
}

func TestChunks(t *testing.T) {
	enginetest.Chunks(t, engine.Config{Modules: modules()}, "testdata/catch.star")
}
