package output

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine"
)

// stdinModule is stdin: read() and lines().
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

// ask prints a question on stderr and returns the line that is typed. It
// refuses when there is no terminal.
func ask(inv *engine.Invocation, fn, question string) (string, error) {
	if !inv.Stdin().Terminal() {
		return "", &engine.CommandError{
			Message: fmt.Sprintf("%s(%q) needs a terminal to ask on", fn, strings.TrimSpace(question)),
			Hint:    "Pass --no-input to answer with the defaults.",
		}
	}
	if err := inv.Stdout().Flush(); err != nil {
		return "", err
	}
	if _, err := io.WriteString(inv.Stderr(), question); err != nil {
		return "", err
	}
	line, err := inv.Stdin().ReadLine(inv.Context())
	if err == io.EOF {
		fmt.Fprintln(inv.Stderr())
		return "", &engine.CommandError{Message: fmt.Sprintf("%s(%q) got no answer: the input ended", fn, strings.TrimSpace(question))}
	}
	return line, err
}

// noDefault is the error of a question that --no-input cannot answer.
func noDefault(fn, question string) error {
	return &engine.CommandError{
		Message: fmt.Sprintf("%s(%q) has no default to answer with under --no-input", fn, strings.TrimSpace(question)),
		Hint:    "Run it on a terminal without --no-input, or pass the value as an option if the command has one.",
	}
}

// input is input(prompt="", default=None): a line typed on the terminal, or
// default when it is empty.
func input(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var prompt string
	var fallback starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "prompt?", &prompt, "default?", &fallback); err != nil {
		return nil, err
	}
	if inv.Base().NoInput {
		if fallback == starlark.None {
			return nil, noDefault(b.Name(), prompt)
		}
		return fallback, nil
	}
	line, err := ask(inv, b.Name(), prompt)
	if err != nil {
		return nil, err
	}
	if line == "" && fallback != starlark.None {
		return fallback, nil
	}
	return starlark.String(line), nil
}

// confirm is confirm(question, default=False): yes or no.
func confirm(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var question string
	var fallback bool
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "question", &question, "default?", &fallback); err != nil {
		return nil, err
	}
	if inv.Base().NoInput {
		return starlark.Bool(fallback), nil
	}
	choices := " [y/N] "
	if fallback {
		choices = " [Y/n] "
	}
	for {
		line, err := ask(inv, b.Name(), question+choices)
		if err != nil {
			return nil, err
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "":
			return starlark.Bool(fallback), nil
		case "y", "yes":
			return starlark.True, nil
		case "n", "no":
			return starlark.False, nil
		}
		fmt.Fprintln(inv.Stderr(), "Please answer yes or no.")
	}
}

// choose is choose(question, options, default=None): one of the options,
// picked by its number or its text.
func choose(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var question string
	var options starlark.Iterable
	var fallback starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "question", &question, "options", &options, "default?", &fallback); err != nil {
		return nil, err
	}
	var items []starlark.Value
	iter := options.Iterate()
	defer iter.Done()
	var item starlark.Value
	for len(items) < 1000 && iter.Next(&item) {
		items = append(items, item)
	}
	if err := inv.IterationError(); err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, engine.ValueError.Errorf("choose: there are no options to choose from")
	}
	if inv.Base().NoInput {
		if fallback == starlark.None {
			return nil, noDefault(b.Name(), question)
		}
		return fallback, nil
	}
	var menu strings.Builder
	for i, item := range items {
		fmt.Fprintf(&menu, "  %d) %s\n", i+1, textOf(item))
	}
	menu.WriteString(question + " ")
	for {
		line, err := ask(inv, b.Name(), menu.String())
		if err != nil {
			return nil, err
		}
		line = strings.TrimSpace(line)
		if line == "" && fallback != starlark.None {
			return fallback, nil
		}
		if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(items) {
			return items[n-1], nil
		}
		for _, item := range items {
			if textOf(item) == line {
				return item, nil
			}
		}
		fmt.Fprintf(inv.Stderr(), "Please answer with a number from 1 to %d.\n", len(items))
	}
}
