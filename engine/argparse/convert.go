package argparse

import (
	"strconv"
	"strings"
)

// This file turns words into values: types, choices, and the sentences for what does
// not fit.

// values converts the words of an argument. isDefault says that the value is the
// declared default itself.
func (r *run) values(a *argument, args []string) (value any, isDefault bool, err error) {
	kind := r.mode.kind(a)
	switch {
	case len(args) == 0 && kind == kindOptional:
		v := declared(a.Default)
		if a.isOption() {
			v = declared(a.Const)
		}
		if text, ok := v.(literal); ok {
			if v, err = r.convertDefault(a, text); err == nil {
				err = r.check(a, v)
			}
			return v, false, err
		}
		return v, !a.isOption(), nil
	case len(args) == 0 && kind == kindZeroOrMore && !a.isOption():
		if isNone(a.Default) {
			return []any{}, false, nil
		}
		v := declared(a.Default)
		if isSuppress(v) {
			return v, true, nil
		}
		return v, true, r.check(a, v)
	case len(args) == 1 && (kind == kindOne || kind == kindOptional):
		v, err := r.convert(a, args[0])
		if err == nil {
			err = r.check(a, v)
		}
		return v, false, err
	case kind == kindSuppress:
		return Suppress, true, nil
	case kind == kindN && a.count == 0:
		return noValue{}, false, nil
	}
	list := make([]any, len(args))
	for i, w := range args {
		if list[i], err = r.convert(a, w); err != nil {
			return nil, false, err
		}
	}
	if kind == kindRemainder {
		return list, false, nil
	}
	for i, v := range list {
		if kind == kindParser && i > 0 {
			break
		}
		if err := r.check(a, v); err != nil {
			return nil, false, err
		}
	}
	return list, false, nil
}

// check refuses a value that is none of the choices.
func (r *run) check(a *argument, v any) error {
	if a.sub != nil {
		name, _ := plain(v).(string)
		if _, ok := a.sub.parsers[name]; ok {
			return nil
		}
		reprs := make([]string, len(a.sub.names))
		for i, n := range a.sub.names {
			reprs[i] = reprString(n)
		}
		return choiceErr(a, reprString(name), reprs, closest(name, a.sub.names))
	}
	if a.Choices == nil {
		return nil
	}
	values := &r.p.cfg.Values
	for _, c := range a.Choices {
		if values.equal(c, v) {
			return nil
		}
	}
	shown, hint := reprString(mask), ""
	reprs := make([]string, len(a.Choices))
	texts := make([]string, len(a.Choices))
	for i, c := range a.Choices {
		reprs[i], texts[i] = values.repr(c), values.str(c)
	}
	if !a.Secret {
		shown, hint = values.repr(v), closest(values.str(v), texts)
	}
	return choiceErr(a, shown, reprs, hint)
}

func choiceErr(a *argument, shown string, choices []string, hint string) error {
	return &Error{Argument: a.display(), Hint: didYouMean(hint),
		Message: "invalid choice: " + shown + " (choose from " + strings.Join(choices, ", ") + ")"}
}

// convert turns a word into a value by the argument's type.
func (r *run) convert(a *argument, w string) (any, error) {
	if a.Secret && !r.calling && !r.verbatim {
		resolved, err := r.readSecret(a, w)
		if err != nil {
			return nil, err
		}
		w = resolved
	}
	if a.Type.Parse == nil {
		return w, nil
	}
	v, err := a.Type.Parse(w)
	if err != nil {
		return nil, typeErr(a, w, reprString(w), err)
	}
	return v, nil
}

// convertDefault converts a string of a declaration; without a type it stays the same string.
func (r *run) convertDefault(a *argument, text literal) (any, error) {
	if a.Type.Parse == nil {
		return text, nil
	}
	v, err := a.Type.Parse(string(text))
	if err != nil {
		return nil, typeErr(a, string(text), reprString(string(text)), err)
	}
	return v, nil
}

// typeErr is the sentence for a value that its type refused.
func typeErr(a *argument, value, shown string, err error) error {
	e := &Error{Argument: a.display(), Err: err}
	own, ok := asTypeError(err)
	if a.Secret {
		e.Err = nil // it may hold the value
		shown = reprString(mask)
	}
	if !ok {
		e.Message = "invalid " + a.typeName() + " value: " + shown
		return e
	}
	e.Message = own.Message
	if a.Secret && value != "" { // as it is, and as Python and Go quote it
		e.Message = strings.NewReplacer(reprString(value), mask, strconv.Quote(value), mask, value, mask).Replace(e.Message)
	}
	return e
}

func (a *argument) typeName() string {
	if a.Type.Name == "" {
		return "str"
	}
	return a.Type.Name
}

func expected(a *argument) error {
	switch a.kind {
	case kindOne:
		return argErr(a, "expected one argument")
	case kindOneOrMore:
		return argErr(a, "expected at least one argument")
	}
	plural := "s"
	if a.count == 1 {
		plural = ""
	}
	return argErr(a, "expected "+strconv.Itoa(a.count)+" argument"+plural)
}

func argErr(a *argument, message string) error {
	return &Error{Argument: a.display(), Message: message}
}
