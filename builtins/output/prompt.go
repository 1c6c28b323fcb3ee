package output

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
)

// question is one that a script asks.
type question struct {
	inv      *engine.Invocation
	fn       string         // the builtin that asks
	text     string         // what the operator reads
	fallback starlark.Value // the answer under --no-input; None: there is none
}

// preset returns the answer of --no-input; ok is false when the operator is to
// be asked.
func (q question) preset() (answer starlark.Value, ok bool, err error) {
	switch {
	case !q.inv.Base().NoInput:
		return nil, false, nil
	case q.fallback == starlark.None:
		return nil, false, &engine.CommandError{
			Message: q.String() + " has no default to answer with under --no-input",
			Hint:    "Run it on a terminal without --no-input, or pass the value as an option if the command has one.",
		}
	}
	return q.fallback, true, nil
}

// out is where the question is shown: on stderr, unless only stdout is where
// somebody reads (manage x 2> errors.log).
func (q question) out() *engine.Stream {
	if !q.inv.Stderr().Terminal() && q.inv.Stdout().Terminal() {
		return q.inv.Stdout()
	}
	return q.inv.Stderr()
}

// ask shows text and returns the line that is typed. It refuses where there is
// no terminal to type on.
func (q question) ask(text string) (string, error) {
	inv := q.inv
	if !inv.Stdin().Terminal() {
		hint := fmt.Sprintf("Pass --no-input to answer with the default, %s.", q.fallback)
		if q.fallback == starlark.None {
			hint = "It has no default: run it on a terminal, or pass the value as an option if the command has one."
		}
		return "", &engine.CommandError{Message: q.String() + " needs a terminal to ask on", Hint: hint}
	}
	if err := say(inv, q.out(), text); err != nil {
		return "", err
	}
	if err := inv.Stdout().Flush(); err != nil {
		return "", err
	}
	line, err := inv.Stdin().ReadLine(inv.Context())
	if err != nil {
		_ = say(inv, q.out(), "\n") // what follows starts on a line of its own
		if err == io.EOF {
			return "", &engine.CommandError{Message: q.String() + " got no answer: the input ended"}
		}
		return "", fmt.Errorf("%s: %w", q.fn, err)
	}
	answered(inv)
	return line, nil
}

func (q question) String() string { return fmt.Sprintf("%s(%q)", q.fn, strings.TrimSpace(q.text)) }

// input is input(prompt="", default=None): a line typed on the terminal, or
// default when it is empty.
func input(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	q := question{inv: inv, fn: b.Name(), fallback: starlark.None}
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "prompt?", &q.text, "default?", &q.fallback); err != nil {
		return nil, err
	}
	if answer, ok, err := q.preset(); ok || err != nil {
		return answer, err
	}
	line, err := q.ask(q.text)
	if err != nil {
		return nil, err
	}
	if line == "" && q.fallback != starlark.None {
		return q.fallback, nil
	}
	return starlark.String(line), nil
}

// confirm is confirm(question, default=False): yes or no.
func confirm(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	q := question{inv: inv, fn: b.Name()}
	var fallback starlark.Bool
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "question", &q.text, "default?", &fallback); err != nil {
		return nil, err
	}
	q.fallback = fallback
	if answer, ok, err := q.preset(); ok || err != nil {
		return answer, err
	}
	choices := " [y/N] "
	if fallback {
		choices = " [Y/n] "
	}
	for {
		line, err := q.ask(q.text + choices)
		if err != nil {
			return nil, err
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "":
			return fallback, nil
		case "y", "yes":
			return starlark.True, nil
		case "n", "no":
			return starlark.False, nil
		}
		if err := say(inv, q.out(), "Please answer yes or no.\n"); err != nil {
			return nil, err
		}
	}
}

// maxOptions is how many options choose takes: more are no menu.
const maxOptions = 1000

// choose is choose(question, options, default=None): one of the options,
// picked by its number or its text.
func choose(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	q := question{inv: inv, fn: b.Name(), fallback: starlark.None}
	var options starlark.Iterable
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "question", &q.text, "options", &options, "default?", &q.fallback); err != nil {
		return nil, err
	}
	items, err := collect(inv, options, maxOptions+1)
	if err != nil {
		return nil, err
	}
	switch {
	case len(items) == 0:
		return nil, engine.ValueError.Errorf("choose: there are no options to choose from")
	case len(items) > maxOptions:
		return nil, engine.ValueError.Errorf("choose: more than %d options", maxOptions)
	case q.fallback != starlark.None && !contains(items, q.fallback):
		return nil, engine.ValueError.Errorf("choose: the default %s is not among the options", q.fallback)
	}
	if answer, ok, err := q.preset(); ok || err != nil {
		return answer, err
	}
	var menu strings.Builder
	for i, item := range items {
		fmt.Fprintf(&menu, "  %d) %s\n", i+1, textOf(item))
	}
	menu.WriteString(q.text + " ")
	for {
		line, err := q.ask(menu.String())
		if err != nil {
			return nil, err
		}
		line = strings.TrimSpace(line)
		if line == "" && q.fallback != starlark.None {
			return q.fallback, nil
		}
		// An option's own text wins: options may be numbers.
		for _, item := range items {
			if textOf(item) == line {
				return item, nil
			}
		}
		if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(items) {
			return items[n-1], nil
		}
		if err := say(inv, q.out(), fmt.Sprintf("Please answer with a number from 1 to %d.\n", len(items))); err != nil {
			return nil, err
		}
	}
}

func contains(items []starlark.Value, v starlark.Value) bool {
	for _, item := range items {
		if equal, err := starlark.Equal(item, v); err == nil && equal {
			return true
		}
	}
	return false
}
