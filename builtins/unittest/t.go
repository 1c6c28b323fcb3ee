package unittest

// t: what a test is given.

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/engine"
)

const (
	equalOp = syntax.EQL
	inOp    = syntax.IN
)

// assertionError is the kind of a failed assertion, as catch tells it.
var assertionError = engine.NewErrorType("AssertionError", nil)

// assertion is a failed assertion: a failure of the test, where any other error
// is an error in it.
type assertion struct{ text string }

func (a *assertion) Error() string { return a.text }

// failed returns the error of a failed assertion. note is what the test's
// author says about it; may be empty.
func failed(note, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if note != "" {
		text = note + ": " + text
	}
	return &engine.TypedError{Type: assertionError, Message: text, Err: &assertion{text}}
}

// T is t: the test at hand, or a part of it that t.run began. It belongs to the
// goroutine that runs the test.
type T struct {
	test *running
	part string // names of t.run, joined by "/"; empty for the test itself
}

var _ starlark.HasAttrs = (*T)(nil)

func (t *T) String() string        { return "<test " + t.test.id() + ">" }
func (t *T) Type() string          { return "t" }
func (t *T) Freeze()               {}
func (t *T) Truth() starlark.Bool  { return true }
func (t *T) Hash() (uint32, error) { return starlark.String(t.test.id()).Hash() }

// AttrNames lists what t can do.
func (t *T) AttrNames() []string { return slices.Sorted(maps.Keys(methods())) }

// Attr returns a method of t.
func (t *T) Attr(name string) (starlark.Value, error) {
	fn, ok := methods()[name]
	if !ok {
		return nil, nil
	}
	body := func(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		v, err := fn(t, call{inv, thread, b.Name(), args, kwargs})
		if v == nil {
			v = starlark.None
		}
		return v, err
	}
	return engine.Builtin("t."+name, body), nil
}

// call is one call of a method of t.
type call struct {
	inv    *engine.Invocation
	thread *starlark.Thread
	name   string
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

func (c call) unpack(pairs ...any) error {
	return starlark.UnpackArgs(c.name, c.args, c.kwargs, pairs...)
}

type method func(t *T, c call) (starlark.Value, error)

func methods() map[string]method {
	return map[string]method{
		"eq": (*T).eq, "ne": (*T).ne, "true": (*T).isTrue, "false": (*T).isFalse, "lt": (*T).lt,
		"contains": (*T).contains, "matches": (*T).matches, "fails": (*T).fails,
		"skip": (*T).skip, "log": (*T).log, "run": (*T).run, "now": (*T).now,
		"queries": (*T).queries, "on_commit": (*T).onCommit,
	}
}

// eq is t.eq(got, want, msg=""): they are equal, at any depth.
func (t *T) eq(c call) (starlark.Value, error) {
	var got, want starlark.Value
	var msg string
	if err := c.unpack("got", &got, "want", &want, "msg?", &msg); err != nil {
		return nil, err
	}
	equal, path, err := compare(got, want)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if !equal {
		return nil, failed(msg, "%s", unequal(got, want, path))
	}
	return nil, nil
}

// ne is t.ne(got, other, msg=""): they are not equal.
func (t *T) ne(c call) (starlark.Value, error) {
	var got, other starlark.Value
	var msg string
	if err := c.unpack("got", &got, "other", &other, "msg?", &msg); err != nil {
		return nil, err
	}
	equal, _, err := compare(got, other)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if equal {
		return nil, failed(msg, "equal, and should not be: %s", clip(got.String()))
	}
	return nil, nil
}

// isTrue is t.true(value, msg=""): the value counts as true.
func (t *T) isTrue(c call) (starlark.Value, error) {
	var value starlark.Value
	var msg string
	if err := c.unpack("value", &value, "msg?", &msg); err != nil {
		return nil, err
	}
	truth, err := truthOf(c, value)
	if err == nil && !truth {
		err = failed(msg, "not true: %s", clip(value.String()))
	}
	return nil, err
}

// isFalse is t.false(value, msg=""): the value counts as false.
func (t *T) isFalse(c call) (starlark.Value, error) {
	var value starlark.Value
	var msg string
	if err := c.unpack("value", &value, "msg?", &msg); err != nil {
		return nil, err
	}
	truth, err := truthOf(c, value)
	if err == nil && truth {
		err = failed(msg, "not false: %s", clip(value.String()))
	}
	return nil, err
}

// truthOf asks a value for its truth. One that asks a database for it (a
// QuerySet) leaves its error behind.
func truthOf(c call, value starlark.Value) (bool, error) {
	truth := bool(value.Truth())
	return truth, c.inv.IterationError()
}

// lt is t.lt(less, more, msg=""): the first is less than the second.
func (t *T) lt(c call) (starlark.Value, error) {
	var x, y starlark.Value
	var msg string
	if err := c.unpack("less", &x, "more", &y, "msg?", &msg); err != nil {
		return nil, err
	}
	less, err := starlark.Compare(syntax.LT, x, y)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if !less {
		return nil, failed(msg, "not less:\n  %s\n  is not less than\n  %s", clip(x.String()), clip(y.String()))
	}
	return nil, nil
}

// contains is t.contains(container, item, msg=""): a part of a string, an item
// of a list, a key of a dict.
func (t *T) contains(c call) (starlark.Value, error) {
	var container, item starlark.Value
	var msg string
	if err := c.unpack("container", &container, "item", &item, "msg?", &msg); err != nil {
		return nil, err
	}
	found, err := contains(container, item)
	if err == nil {
		err = c.inv.IterationError()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if !found {
		return nil, failed(msg, "%s is not in %s", clip(item.String()), block(container))
	}
	return nil, nil
}

// matches is t.matches(text, pattern, msg=""): the regular expression (Go's
// syntax, https://pkg.go.dev/regexp/syntax) matches somewhere in the text.
func (t *T) matches(c call) (starlark.Value, error) {
	var text, pattern, msg string
	if err := c.unpack("text", &text, "pattern", &pattern, "msg?", &msg); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if !re.MatchString(text) {
		return nil, failed(msg, "%s does not match %s", starlark.String(pattern), block(starlark.String(text)))
	}
	return nil, nil
}

// block shows a value inside a sentence, a text of several lines below it.
func block(v starlark.Value) string {
	s, ok := starlark.AsString(v)
	if !ok || !strings.Contains(strings.TrimRight(s, "\n"), "\n") {
		return clip(v.String())
	}
	var b strings.Builder
	b.WriteString("the text")
	for line := range strings.Lines(s) {
		b.WriteString("\n  | " + clip(visible(strings.TrimRight(line, "\n"))))
	}
	return b.String()
}

// fails is t.fails(fn, pattern=""): fn, called without arguments, fails with an
// error that the regular expression matches. What it is matched against is the
// error as the shell shows it: "CommandError: User 42 not found.", "ValueError:
// …", "Error: …" for the language's own, "exit(3)" for a command that exits.
// It returns the error's type, message, hint, returncode and traceback.
func (t *T) fails(c call) (starlark.Value, error) {
	var fn starlark.Callable
	var pattern string
	if err := c.unpack("fn", &fn, "pattern?", &pattern); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	_, err = starlark.Call(c.thread, fn, nil, nil)
	err = c.inv.Settle(c.thread, err)
	if err == nil {
		return nil, failed("", "no error%s", wanted(pattern))
	}
	exit, exited := errors.AsType[*engine.ExitError](err)
	if t.test.skipping != nil || !exited && !engine.Catchable(err) {
		return nil, err
	}
	d := c.inv.Describe(err)
	hint, traceback := d.Details()
	text := d.Kind + ": " + d.Message
	if exited {
		text = exit.Error()
		d.Kind, d.Message, d.ReturnCode = "exit", text, exit.Code
	}
	if !re.MatchString(text) {
		return nil, failed("", "the error does not match %s\n%s%s", starlark.String(pattern), traceback, text)
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"type": starlark.String(d.Kind), "message": starlark.String(d.Message), "hint": starlark.String(hint),
		"returncode": starlark.MakeInt(d.ReturnCode), "traceback": starlark.String(traceback),
	}), nil
}

func wanted(pattern string) string {
	if pattern == "" {
		return ""
	}
	return ", want one that matches " + starlark.String(pattern).String()
}

// skip is t.skip(reason=""): the test ends here and counts as skipped.
func (t *T) skip(c call) (starlark.Value, error) {
	var reason string
	if err := c.unpack("reason?", &reason); err != nil {
		return nil, err
	}
	t.test.skipping, t.test.reason = t, reason
	return nil, &engine.ExitError{} // no catch stops it
}

// log is t.log(*args, sep=" "): a line that is shown when the test fails, and
// with -v 2.
func (t *T) log(c call) (starlark.Value, error) {
	sep := " "
	if err := starlark.UnpackArgs(c.name, nil, c.kwargs, "sep?", &sep); err != nil {
		return nil, err
	}
	words := make([]string, len(c.args))
	for i, arg := range c.args {
		words[i] = arg.String()
		if s, ok := starlark.AsString(arg); ok {
			words[i] = s
		}
	}
	t.test.log(strings.Join(words, sep))
	return nil, nil
}

// run is t.run(name, fn): fn(t) is a part of the test that fails on its own:
// the test goes on and is reported as failed. What it changed in the database
// stays until the test ends. It returns whether the part passed.
func (t *T) run(c call) (starlark.Value, error) {
	var name string
	var fn starlark.Callable
	if err := c.unpack("name", &name, "fn", &fn); err != nil {
		return nil, err
	}
	part := &T{test: t.test, part: name}
	if t.part != "" {
		part.part = t.part + "/" + name
	}
	_, err := starlark.Call(c.thread, fn, starlark.Tuple{part}, nil)
	err = c.inv.Settle(c.thread, err)
	if err == nil || t.test.skipping != part && !engine.Catchable(err) {
		return starlark.Bool(err == nil), err
	}
	skipped := t.test.skipping == part
	t.test.ended(c.inv, part, err)
	return starlark.Bool(skipped), nil
}

// now is t.now(moment): for the rest of the test the clock stands still at the
// datetime; one without a zone means TIME_ZONE.
func (t *T) now(c call) (starlark.Value, error) {
	var moment *datetime.DateTime
	if err := c.unpack("moment", &moment); err != nil {
		return nil, err
	}
	if moment.Zone() == nil {
		zone, err := datetime.ProjectZone(c.inv)
		if err != nil {
			return nil, err
		}
		moment = moment.WithZone(zone)
	}
	at := moment.Time()
	t.test.clock.Store(&at)
	return nil, nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
