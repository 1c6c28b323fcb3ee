package pyhint_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"go.starlark.net/lib/json"
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/internal/pyhint"
)

var update = flag.Bool("update", false, "rewrite testdata from what is answered now")

// Each case of the files in testdata is a source text and, below "----", every
// error that Starlark gives when it is loaded and its handle called, with the advice
// on it:
//
//	1:13: got string literal, want newline
//	    1:5: unexpected f-string
//	    hint: Starlark has no f-strings: use "a %s" % b
//
// A newer Starlark that words or places an error differently fails here.
const (
	answerMark = "----\n"
	caseMark   = "====\n"
)

func TestHabits(t *testing.T) {
	run(t, "testdata/habits.txt", func(t *testing.T, src string, advice []pyhint.Advice) {
		for _, a := range advice {
			if a.Hint != "" || a.Message != "" {
				return
			}
		}
		t.Errorf("no advice on:\n%s", src)
	})
}

// What is wrong in Python too gets no advice.
func TestOrdinaryErrors(t *testing.T) {
	run(t, "testdata/ordinary.txt", func(t *testing.T, src string, advice []pyhint.Advice) {
		if len(advice) == 0 {
			t.Errorf("no error:\n%s", src)
		}
		for _, a := range advice {
			if a != (pyhint.Advice{}) {
				t.Errorf("advice %+v on:\n%s", a, src)
			}
		}
	})
}

func run(t *testing.T, name string, check func(*testing.T, string, []pyhint.Advice)) {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var rewritten strings.Builder
	for chunk := range strings.SplitSeq(string(data), caseMark) {
		src, want, _ := strings.Cut(chunk, answerMark)
		if src == "" {
			continue
		}
		got, advice := answer(src)
		check(t, src, advice)
		if got != want && !*update {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", src, got, want)
		}
		rewritten.WriteString(src + answerMark + got + caseMark)
	}
	if *update {
		if err := os.WriteFile(name, []byte(rewritten.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// answer runs a source text and describes what came of it.
func answer(src string) (text string, advice []pyhint.Advice) {
	var b strings.Builder
	for _, e := range failures(src) {
		a := pyhint.Explain([]byte(src), int(e.Pos.Line), int(e.Pos.Col), e.Msg)
		advice = append(advice, a)
		fmt.Fprintf(&b, "%d:%d: %s\n", e.Pos.Line, e.Pos.Col, e.Msg)
		if a.Message != "" || a.Line != 0 {
			fmt.Fprintf(&b, "    %d:%d: %s\n", a.Line, a.Col, a.Message)
		}
		if a.Hint != "" {
			fmt.Fprintf(&b, "    hint: %s\n", a.Hint)
		}
	}
	return b.String(), advice
}

// failures loads a source text in our dialect, calls handle where there is one,
// and returns the errors with their positions.
func failures(src string) []syntax.Error {
	stub := func(name string) starlark.Value {
		return starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return starlark.None, nil
		})
	}
	predeclared := starlark.StringDict{"Decimal": starlark.NewBuiltin("Decimal",
		func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return decimal{}, nil
		})}
	for _, name := range []string{"CommandError", "stdout", "stderr", "timezone", "db", "catch", "input", "format", "fail"} {
		predeclared[name] = stub(name)
	}
	predeclared["json"], predeclared["datetime"] = json.Module, class{}
	dialect := &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, Recursion: true}
	thread := &starlark.Thread{Print: func(*starlark.Thread, string) {}}
	globals, err := starlark.ExecFileOptions(dialect, thread, "x.star", src, predeclared)
	if handle, ok := globals["handle"]; err == nil && ok {
		globals.Freeze()
		_, err = starlark.Call(thread, handle, nil, nil)
	}
	if err == nil {
		return nil
	}
	if list, ok := errors.AsType[resolve.ErrorList](err); ok {
		var found []syntax.Error
		for _, e := range list {
			found = append(found, syntax.Error(e))
		}
		return found
	}
	if e, ok := errors.AsType[syntax.Error](err); ok {
		return []syntax.Error{e}
	}
	e, ok := errors.AsType[*starlark.EvalError](err)
	if !ok {
		return []syntax.Error{{Msg: err.Error()}}
	}
	failure := syntax.Error{Msg: e.Msg}
	for _, frame := range e.CallStack {
		if frame.Pos.Line > 0 {
			failure.Pos = frame.Pos
		}
	}
	return []syntax.Error{failure}
}

// class stands for datetime, which is called and has attributes.
type class struct{ decimal }

func (class) Type() string                        { return "datetime" }
func (class) Attr(string) (starlark.Value, error) { return nil, nil }
func (class) AttrNames() []string                 { return nil }

type decimal struct{}

func (decimal) String() string        { return "1" }
func (decimal) Type() string          { return "Decimal" }
func (decimal) Freeze()               {}
func (decimal) Truth() starlark.Bool  { return true }
func (decimal) Hash() (uint32, error) { return 1, nil }

// What the engine says itself, and what has no position.
func TestExplainMessages(t *testing.T) {
	for _, c := range []struct{ name, message, want string }{
		{"a frozen list", "append: cannot append to frozen list",
			"what the top level makes, default values too, is frozen once the file is loaded: create it inside handle(), or change a copy, list(x)"},
		{"a name without its place", "undefined: isinstance",
			`compare the type's name: type(x) == "string" (or "int", "list", "dict")`},
		{"a suggestion behind the name", "undefined: null (did you mean nil?)", "write None"},
		{"self as a parameter that nothing provides", `handle: parameter "self" is no argument of the command`,
			"there is no self, the file is the class: delete the parameter"},
		{"our print", "print: unexpected keyword argument end", `write stdout.write("…", ending = "")`},
		{"a directive that the source does not show", "unknown conversion %5",
			`% knows no width and no precision: write %s with format(x, spec), such as format(x, ".2f")`},
		{"an ordinary message", "User 42 not found.", ""},
		{"a message with got and want of ours", "got string, want int", ""},
		{"frozen as a word", "the account is frozen since 2024", ""},
		{"no message", "", ""},
	} {
		if got := pyhint.Explain(nil, 0, 0, c.message); got.Hint != c.want || got.Message != "" {
			t.Errorf("%s: got %+v, want the hint %q", c.name, got, c.want)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, name := range []string{"testdata/habits.txt", "testdata/ordinary.txt"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i, chunk := range strings.Split(string(data), caseMark) {
			src, want, _ := strings.Cut(chunk, answerMark)
			_, message, _ := strings.Cut(want, ": ")
			message, _, _ = strings.Cut(message, "\n")
			f.Add(src, 1+i%3, i%20, message)
		}
	}
	f.Fuzz(func(t *testing.T, src string, line, col int, message string) {
		pyhint.Explain([]byte(src), line, col, message)
		file, err := (&syntax.FileOptions{}).Parse("x.star", src, 0)
		if e, ok := errors.AsType[syntax.Error](err); ok && file == nil {
			line, col, message = int(e.Pos.Line), int(e.Pos.Col), e.Msg
		}
		a := pyhint.Explain([]byte(src), line, col, message)
		if i := strings.IndexFunc(a.Message+a.Hint, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("not to be printed: %q, %q", a.Message, a.Hint)
		}
		if (a.Line == 0) != (a.Col == 0) || a.Line < 0 || a.Col < 0 {
			t.Errorf("half a position: %+v", a)
		}
	})
}
