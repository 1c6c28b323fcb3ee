package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine"
)

// chunkFile is where a chunk stands in the project that runs it.
const chunkFile = "apps/tests/management/commands/chunk.star"

// Chunks runs a file of Starlark tests on the modules of cfg. Lines "---"
// divide it into chunks; each is run as a command file of its own: without a
// def handle, its lines are handle's body. A line that ends in
//
//	### "regexp"
//
// must fail with a message that matches; a chunk without one must not fail.
// Besides cfg's modules a chunk has assert.eq(x, y), assert.true(x),
// assert.contains(text, part) and assert.fails(fn, regexp). What the chunk
// writes to stdout must equal the lines of its comments that start with "#>",
// if it has any.
func Chunks(t *testing.T, cfg engine.Config, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := 1
	for i, chunk := range strings.Split(string(data), "\n---\n") {
		first := line
		line += strings.Count(chunk, "\n") + 2
		t.Run(chunkName(chunk, i), func(t *testing.T) {
			t.Helper()
			runChunk(t, cfg, file, chunk, first)
		})
	}
}

// chunkName is the chunk's first comment.
func chunkName(chunk string, i int) string {
	for line := range strings.Lines(chunk) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok {
			return text
		}
	}
	return strconv.Itoa(i + 1)
}

var expectation = regexp.MustCompile(`### ("(?:[^"\\]|\\.)*")\s*$`)

func runChunk(t *testing.T, cfg engine.Config, file, chunk string, first int) {
	t.Helper()
	wantLine, wantText := 0, (*regexp.Regexp)(nil)
	var wantOut []string
	for i, line := range strings.Split(chunk, "\n") {
		if m := expectation.FindStringSubmatch(line); m != nil {
			text, err := strconv.Unquote(m[1])
			if err != nil {
				t.Fatalf("%s:%d: %v", file, first+i, err)
			}
			wantLine, wantText = i+1, regexp.MustCompile(text)
		}
		if text, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), "#>"); ok {
			wantOut = append(wantOut, strings.TrimPrefix(text, " "))
		}
	}
	source, shift := chunk, 0
	if !strings.Contains(chunk, "def handle(") {
		source, shift = "def handle():\n    pass\n    "+strings.ReplaceAll(chunk, "\n", "\n    ")+"\n", 2
	}
	cfg.FS = fstest.MapFS{chunkFile: {Data: []byte(source)}}
	cfg.Modules = append([]engine.Module{assertModule{}}, cfg.Modules...)
	var stdout bytes.Buffer
	cfg.Stdout = &stdout
	eng := engine.New(cfg)
	defer eng.Close()
	_, err := eng.Call(context.Background(), "chunk", engine.Args{})

	gotLine, message := errorLine(err)
	switch {
	case err == nil && wantText != nil:
		t.Errorf("%s:%d: no error, want one that matches %q", file, first+wantLine-1, wantText)
	case err != nil && wantText == nil:
		t.Errorf("%s:%d: %s", file, first+gotLine-shift-1, message)
	case err != nil && gotLine-shift != wantLine:
		t.Errorf("%s:%d: the error is on this line, and expected on line %d: %s", file, first+gotLine-shift-1, first+wantLine-1, message)
	case err != nil && !wantText.MatchString(message):
		t.Errorf("%s:%d: the error %q does not match %q", file, first+wantLine-1, message, wantText)
	}
	if want := strings.Join(wantOut, "\n"); wantOut != nil && strings.TrimRight(stdout.String(), "\n") != want {
		t.Errorf("%s:%d: stdout is\n%s\nwant\n%s", file, first, stdout.String(), want)
	}
}

// errorLine returns the line of the chunk's file that an error stands on.
func errorLine(err error) (line int, message string) {
	if err == nil {
		return 0, ""
	}
	var frames []engine.Frame
	if e, ok := errors.AsType[*engine.ScriptError](err); ok {
		frames = e.Frames
		for _, d := range e.Diagnostics {
			if d.File == chunkFile {
				return d.Line, d.Message
			}
		}
	} else if e, ok := errors.AsType[*engine.CommandError](err); ok {
		frames = e.Frames()
	}
	for _, f := range frames {
		if f.File == chunkFile {
			line = f.Line
		}
	}
	if e, ok := errors.AsType[*engine.ScriptError](err); ok {
		return line, e.Message
	}
	return line, err.Error()
}

// assertModule gives chunks assert.
type assertModule struct{}

func (assertModule) Name() string { return "assert" }

func (assertModule) Predeclared() starlark.StringDict {
	return starlark.StringDict{"assert": &starlarkstruct.Module{Name: "assert", Members: starlark.StringDict{
		"eq":       engine.PureBuiltin("assert.eq", assertEq),
		"true":     engine.PureBuiltin("assert.true", assertTrue),
		"contains": engine.PureBuiltin("assert.contains", assertContains),
		"fails":    engine.PureBuiltin("assert.fails", assertFails),
	}}}
}

func assertEq(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x, y starlark.Value
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 2, &x, &y); err != nil {
		return nil, err
	}
	if equal, err := starlark.Equal(x, y); err != nil || !equal {
		return nil, fmt.Errorf("%s != %s", x, y)
	}
	return starlark.None, nil
}

func assertTrue(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x starlark.Value
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &x); err != nil {
		return nil, err
	}
	if !x.Truth() {
		return nil, fmt.Errorf("%s is not true", x)
	}
	return starlark.None, nil
}

func assertContains(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text, part string
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 2, &text, &part); err != nil {
		return nil, err
	}
	if !strings.Contains(text, part) {
		return nil, fmt.Errorf("%q does not contain %q", text, part)
	}
	return starlark.None, nil
}

func assertFails(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var fn starlark.Callable
	var pattern string
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 2, &fn, &pattern); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	_, err = starlark.Call(thread, fn, nil, nil)
	if err == nil {
		return nil, fmt.Errorf("%s did not fail, want an error that matches %q", fn.Name(), pattern)
	}
	if !re.MatchString(err.Error()) {
		return nil, fmt.Errorf("the error %q does not match %q", err.Error(), pattern)
	}
	return starlark.None, nil
}
