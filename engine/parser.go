package engine

// The Starlark face of argparse: what add_arguments(parser) is given, and the
// predeclared argparse.

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/internal/starconv"
	"github.com/starmanage/starmanage/internal/suggest"
)

// sentinel is a constant of the argparse module.
type sentinel struct{ name string }

func (s *sentinel) String() string        { return "argparse." + s.name }
func (s *sentinel) Type() string          { return "argparse." + s.name }
func (s *sentinel) Freeze()               {}
func (s *sentinel) Truth() starlark.Bool  { return true }
func (s *sentinel) Hash() (uint32, error) { return starlark.String(s.name).Hash() }

const (
	suppressName        = "SUPPRESS"
	remainderName       = "REMAINDER"
	booleanOptionalName = "BooleanOptionalAction"
	durationName        = "argparse.duration"
	pathName            = "argparse.path"
	jsonName            = "argparse.json"
)

// argparseModule is the predeclared argparse.
func argparseModule() starlark.Value {
	members := make(starlark.StringDict)
	for _, name := range []string{suppressName, remainderName, booleanOptionalName} {
		members[name] = &sentinel{name}
	}
	for _, name := range []string{durationName, pathName, jsonName} {
		members[strings.TrimPrefix(name, "argparse.")] = typeBuiltin(name)
	}
	return &starlarkstruct.Module{Name: "argparse", Members: members}
}

// typeBuiltin is a type of argparse's as a function that a script may call
// too: from a string to a value.
func typeBuiltin(name string) *starlark.Builtin {
	return PureBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var word string
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "value", &word); err != nil {
			return nil, err
		}
		var v any
		var err error
		switch name {
		case durationName:
			v, err = argparse.Duration.Parse(word)
			if d, ok := v.(time.Duration); ok && err == nil {
				return starlark.Float(d.Seconds()), nil
			}
		case jsonName:
			v, err = argparse.JSON.Parse(word)
		default:
			v = word
		}
		if err != nil {
			return nil, ValueError.Errorf("invalid %s value: %s", strings.TrimPrefix(name, "argparse."), quote(word))
		}
		return starconv.ToStarlark(v)
	})
}

// parserFace is what the values of one add_arguments call share.
type parserFace struct {
	inv      *Invocation
	declared map[string]declared // by dest, of all parsers
	closed   bool                // add_arguments has returned
}

type declared struct {
	name      string // as messages name it: "--days", "user_id"
	line, col int
}

// dests returns what handle may take, sorted, and more.
func (f *parserFace) dests(more []string) []string {
	return append(slices.Sorted(maps.Keys(f.declared)), more...)
}

// parserValue is a parser; groupValue, exclusiveValue and subparsersValue are
// what its methods return.
type (
	parserValue struct {
		face   *parserFace
		parser *argparse.Parser
	}
	groupValue struct {
		face  *parserFace
		group *argparse.Group
	}
	exclusiveValue struct {
		face  *parserFace
		group *argparse.ExclusiveGroup
	}
	subparsersValue struct {
		face *parserFace
		subs *argparse.Subparsers
	}
)

type parserMethod func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

// attrOf makes the method of a value from its table; nil when it has none of that
// name.
func attrOf(v starlark.Value, face *parserFace, methods map[string]parserMethod, name string) (starlark.Value, error) {
	m, ok := methods[name]
	if !ok {
		return nil, nil
	}
	return PureBuiltin(name, func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if face.closed {
			return nil, fmt.Errorf("%s: arguments are declared in add_arguments(parser) alone", b.Name())
		}
		return m(thread, b, args, kwargs)
	}).BindReceiver(v), nil
}

func (p *parserValue) String() string        { return "<parser>" }
func (p *parserValue) Type() string          { return "parser" }
func (p *parserValue) Freeze()               {}
func (p *parserValue) Truth() starlark.Bool  { return true }
func (p *parserValue) Hash() (uint32, error) { return 0, errors.New("unhashable: parser") }
func (p *parserValue) methods() map[string]parserMethod {
	return map[string]parserMethod{
		"add_argument":                 p.face.addArgument(p.parser.Add),
		"add_argument_group":           p.addGroup,
		"add_mutually_exclusive_group": p.face.addExclusive(p.parser.Exclusive),
		"add_subparsers":               p.addSubparsers,
		"set_defaults":                 p.setDefaults,
	}
}
func (p *parserValue) Attr(name string) (starlark.Value, error) {
	return attrOf(p, p.face, p.methods(), name)
}
func (p *parserValue) AttrNames() []string { return slices.Sorted(maps.Keys(p.methods())) }

func (g *groupValue) String() string        { return "<argument group>" }
func (g *groupValue) Type() string          { return "argument_group" }
func (g *groupValue) Freeze()               {}
func (g *groupValue) Truth() starlark.Bool  { return true }
func (g *groupValue) Hash() (uint32, error) { return 0, errors.New("unhashable: argument_group") }
func (g *groupValue) methods() map[string]parserMethod {
	return map[string]parserMethod{
		"add_argument":                 g.face.addArgument(g.group.Add),
		"add_mutually_exclusive_group": g.face.addExclusive(g.group.Exclusive),
	}
}
func (g *groupValue) Attr(name string) (starlark.Value, error) {
	return attrOf(g, g.face, g.methods(), name)
}
func (g *groupValue) AttrNames() []string { return slices.Sorted(maps.Keys(g.methods())) }

func (g *exclusiveValue) String() string        { return "<mutually exclusive group>" }
func (g *exclusiveValue) Type() string          { return "mutually_exclusive_group" }
func (g *exclusiveValue) Freeze()               {}
func (g *exclusiveValue) Truth() starlark.Bool  { return true }
func (g *exclusiveValue) Hash() (uint32, error) { return 0, errors.New("unhashable: group") }
func (g *exclusiveValue) methods() map[string]parserMethod {
	return map[string]parserMethod{"add_argument": g.face.addArgument(g.group.Add)}
}
func (g *exclusiveValue) Attr(name string) (starlark.Value, error) {
	return attrOf(g, g.face, g.methods(), name)
}
func (g *exclusiveValue) AttrNames() []string { return slices.Sorted(maps.Keys(g.methods())) }

func (s *subparsersValue) String() string        { return "<subparsers>" }
func (s *subparsersValue) Type() string          { return "subparsers" }
func (s *subparsersValue) Freeze()               {}
func (s *subparsersValue) Truth() starlark.Bool  { return true }
func (s *subparsersValue) Hash() (uint32, error) { return 0, errors.New("unhashable: subparsers") }
func (s *subparsersValue) methods() map[string]parserMethod {
	return map[string]parserMethod{"add_parser": s.addParser}
}
func (s *subparsersValue) Attr(name string) (starlark.Value, error) {
	return attrOf(s, s.face, s.methods(), name)
}
func (s *subparsersValue) AttrNames() []string { return slices.Sorted(maps.Keys(s.methods())) }

var (
	_ starlark.HasAttrs = (*parserValue)(nil)
	_ starlark.HasAttrs = (*groupValue)(nil)
	_ starlark.HasAttrs = (*exclusiveValue)(nil)
	_ starlark.HasAttrs = (*subparsersValue)(nil)
)

// addGroup is parser.add_argument_group(title=None, description=None).
func (p *parserValue) addGroup(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var title, description string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "title??", &title, "description??", &description); err != nil {
		return nil, err
	}
	return &groupValue{p.face, p.parser.Group(title, description)}, nil
}

// addExclusive is parser.add_mutually_exclusive_group(required=False).
func (f *parserFace) addExclusive(make func(required bool) *argparse.ExclusiveGroup) parserMethod {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var required bool
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "required?", &required); err != nil {
			return nil, err
		}
		return &exclusiveValue{f, make(required)}, nil
	}
}

// addSubparsers is parser.add_subparsers(title=None, description=None,
// dest=None, metavar=None, required=False, help=None).
func (p *parserValue) addSubparsers(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var c argparse.SubparsersConfig
	var metavar, help starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "title??", &c.Title, "description??", &c.Description,
		"dest??", &c.Dest, "metavar??", &metavar, "required?", &c.Required, "help??", &help); err != nil {
		return nil, err
	}
	var a argparse.Argument
	if metavar != nil {
		if err := p.face.setField(&a, "metavar", metavar); err != nil {
			return nil, fmt.Errorf("%s: metavar: %w", b.Name(), err)
		}
	}
	if help != nil {
		if err := p.face.setField(&a, "help", help); err != nil {
			return nil, fmt.Errorf("%s: help: %w", b.Name(), err)
		}
	}
	c.Metavar, c.Help, c.HelpSuppressed = a.Metavar, a.Help, a.HelpSuppressed
	subs, err := p.parser.Subparsers(c)
	if err != nil {
		return nil, err
	}
	if c.Dest != "" {
		p.face.declare(thread, c.Dest, c.Dest)
	}
	return &subparsersValue{p.face, subs}, nil
}

// addParser is subparsers.add_parser(name, help=None, aliases=[],
// description=None, epilog=None, deprecated=False).
func (s *subparsersValue) addParser(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	var aliases starlark.Value = starlark.Tuple{}
	var c argparse.SubparserConfig
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name, "help??", &c.Help, "aliases??", &aliases,
		"description??", &c.Description, "epilog??", &c.Epilog, "deprecated?", &c.Deprecated); err != nil {
		return nil, err
	}
	var err error
	if c.Aliases, err = stringList(aliases); err != nil {
		return nil, fmt.Errorf("%s: aliases: %w", b.Name(), err)
	}
	p, err := s.subs.Add(name, c)
	if err != nil {
		return nil, err
	}
	return &parserValue{s.face, p}, nil
}

// setDefaults is parser.set_defaults(**kwargs).
func (p *parserValue) setDefaults(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("%s: takes keyword arguments alone", b.Name())
	}
	values := make(map[string]any, len(kwargs))
	for _, kv := range kwargs {
		dest := string(kv[0].(starlark.String))
		values[dest] = defaultOf(kv[1])
		if _, ok := p.face.declared[dest]; !ok {
			p.face.declare(thread, dest, dest)
		}
	}
	p.parser.SetDefaults(values)
	return starlark.None, nil
}

func (f *parserFace) declare(thread *starlark.Thread, dest, name string) {
	d := declared{name: name}
	if thread.CallStackDepth() > 1 {
		pos := thread.CallFrame(1).Pos
		d.line, d.col = int(pos.Line), int(pos.Col)
	}
	f.declared[dest] = d
}

// addArgument is parser.add_argument(*names, action, nargs, const, default,
// type, choices, required, help, metavar, dest, version, env, completer,
// deprecated, secret), argparse's words and meanings.
func (f *parserFace) addArgument(add func(argparse.Argument) error) parserMethod {
	return func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		a, err := f.argument(b.Name(), args, kwargs)
		if err != nil {
			return nil, err
		}
		if err := add(a); err != nil {
			return nil, err
		}
		dest := destOf(a)
		if a.Action != argparse.ActionVersion && a.Action != argparse.ActionHelp {
			f.declare(thread, dest, a.Names[len(a.Names)-1])
		}
		return starlark.None, nil
	}
}

func actionNames() []string {
	return []string{"append", "append_const", "count", "extend", "help", "store", "store_const", "store_false", "store_true", "version"}
}

// argumentKeywords are what add_argument takes by name.
func argumentKeywords() []string {
	return []string{"action", "choices", "completer", "const", "default", "deprecated", "dest", "env", "help",
		"metavar", "nargs", "required", "secret", "type", "version"}
}

func (f *parserFace) argument(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (argparse.Argument, error) {
	var a argparse.Argument
	for _, arg := range args {
		name, ok := starlark.AsString(arg)
		if !ok {
			return a, fmt.Errorf("%s: a name must be a string, not %s", fn, arg.Type())
		}
		a.Names = append(a.Names, name)
	}
	given := make(map[string]starlark.Value, len(kwargs))
	for _, kv := range kwargs {
		key := string(kv[0].(starlark.String))
		if !slices.Contains(argumentKeywords(), key) {
			msg := fmt.Sprintf("%s: unexpected keyword argument %q", fn, key)
			if s := suggest.Closest(key, argumentKeywords()); s != "" {
				msg += fmt.Sprintf(" (did you mean %q?)", s)
			}
			return a, errors.New(msg)
		}
		if kv[1] == starlark.None && key != "default" && key != "const" {
			continue // as if it were not there
		}
		given[key] = kv[1]
	}
	if len(a.Names) == 0 {
		dest, ok := starlark.AsString(given["dest"])
		if given["dest"] == nil || !ok {
			return a, fmt.Errorf("%s: an argument needs a name", fn)
		}
		a.Names = []string{dest}
		delete(given, "dest")
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if err := f.setField(&a, key, given[key]); err != nil {
			return a, fmt.Errorf("%s: %s: %w", fn, key, err)
		}
	}
	return a, nil
}

func (f *parserFace) setField(a *argparse.Argument, key string, v starlark.Value) error {
	want := func(ok bool, what string) error {
		if ok {
			return nil
		}
		return fmt.Errorf("want %s, got %s", what, v.Type())
	}
	text, isText := starlark.AsString(v)
	flag, isBool := v.(starlark.Bool)
	switch key {
	case "action":
		if s, ok := v.(*sentinel); ok && s.name == booleanOptionalName {
			a.Action = argparse.ActionBooleanOptional
			return nil
		}
		a.Action = argparse.Action(text)
		if close := suggest.Closest(text, actionNames()); isText && !slices.Contains(actionNames(), text) && close != "" {
			return fmt.Errorf("unknown action %q (did you mean %q?)", text, close)
		}
		return want(isText, "a string or argparse.BooleanOptionalAction")
	case "nargs":
		return setNargs(a, v)
	case "const":
		a.Const = goValue(v)
	case "default":
		a.Default = defaultOf(v)
	case "type":
		t, err := f.typeOf(v)
		a.Type = t
		return err
	case "choices":
		return setChoices(a, v)
	case "required":
		a.Required = bool(flag)
		return want(isBool, "a bool")
	case "deprecated":
		a.Deprecated = bool(flag)
		return want(isBool, "a bool")
	case "secret":
		a.Secret = bool(flag)
		return want(isBool, "a bool")
	case "help":
		if isSuppress(v) {
			a.HelpSuppressed = true
			return nil
		}
		a.Help = text
		return want(isText, "a string or argparse.SUPPRESS")
	case "metavar":
		if isText {
			a.Metavar = []string{text}
			return nil
		}
		words, err := stringList(v)
		a.Metavar = words
		return err
	case "dest":
		a.Dest = text
		return want(isText, "a string")
	case "version":
		a.Version = text
		return want(isText, "a string")
	case "env":
		a.Env = text
		return want(isText, "the name of an environment variable")
	case "completer":
		fn, ok := v.(starlark.Callable)
		a.Completer = fn
		return want(ok, "a function")
	}
	return nil
}

// defaultOf is a default as argparse takes it.
func defaultOf(v starlark.Value) any {
	if isSuppress(v) {
		return argparse.Suppress
	}
	return goValue(v)
}

func isSuppress(v starlark.Value) bool {
	s, ok := v.(*sentinel)
	return ok && s.name == suppressName
}

func setNargs(a *argparse.Argument, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.Int:
		n, err := starlark.AsInt32(v)
		if err != nil || n < 0 || n > 1_000_000 {
			return fmt.Errorf("want a small int, got %s", v)
		}
		a.Nargs = argparse.N(n)
		return nil
	case starlark.String:
		switch s := argparse.Nargs(v); s {
		case argparse.Optional, argparse.ZeroOrMore, argparse.OneOrMore, argparse.Remainder:
			a.Nargs = s
			return nil
		}
	case *sentinel:
		if v.name == remainderName {
			a.Nargs = argparse.Remainder
			return nil
		}
	}
	return fmt.Errorf(`want "?", "*", "+", an int or argparse.REMAINDER, got %s`, v)
}

func setChoices(a *argparse.Argument, v starlark.Value) error {
	it, ok := v.(starlark.Iterable)
	if !ok {
		return fmt.Errorf("want a list, got %s", v.Type())
	}
	if n := starlark.Len(v); n > 100_000 {
		return fmt.Errorf("%d choices are too many", n)
	}
	a.Choices = []any{}
	iter := it.Iterate()
	defer iter.Done()
	var item starlark.Value
	for iter.Next(&item) {
		a.Choices = append(a.Choices, goValue(item))
	}
	return nil
}

// typeOf returns the argparse type that a value of type= means.
func (f *parserFace) typeOf(v starlark.Value) (argparse.Type, error) {
	fn, ok := v.(starlark.Callable)
	if !ok {
		return argparse.Type{}, fmt.Errorf("want a function such as int, got %s", v.Type())
	}
	if b, ok := v.(*starlark.Builtin); ok && b.Receiver() == nil {
		switch b.Name() {
		case "int":
			return argparse.Int, nil
		case "float":
			return argparse.Float, nil
		case "str":
			return argparse.Str, nil
		case "bool":
			return argparse.Bool, nil
		case jsonName:
			return argparse.JSON, nil
		case durationName:
			return f.durationType(), nil
		case pathName:
			return argparse.Type{Name: "path", Parse: parsePath, Accept: argparse.Str.Accept}, nil
		}
	}
	return argparse.Type{Name: fn.Name(), Parse: func(word string) (any, error) { return f.convert(fn, word) }}, nil
}

func parsePath(word string) (any, error) {
	if word == "" || strings.ContainsRune(word, 0) {
		return nil, &argparse.TypeError{Message: fmt.Sprintf("invalid path value: %s", quote(word))}
	}
	return word, nil
}

// durationType makes timedeltas where the program's modules have them, else
// seconds as a float.
func (f *parserFace) durationType() argparse.Type {
	t := argparse.Duration
	timedelta, ok := f.inv.engine.predeclared["timedelta"].(starlark.Callable)
	convert := func(d time.Duration) (any, error) {
		if !ok {
			return d.Seconds(), nil
		}
		kwargs := []starlark.Tuple{{starlark.String("microseconds"), starlark.MakeInt64(d.Microseconds())}}
		return starlark.Call(new(starlark.Thread), timedelta, nil, kwargs)
	}
	return argparse.Type{Name: t.Name, Parse: func(word string) (any, error) {
		v, err := t.Parse(word)
		if err != nil {
			return nil, err
		}
		return convert(v.(time.Duration))
	}, Accept: func(v any) (any, error) {
		if !ok {
			return argparse.Float.Accept(v)
		}
		if sv, is := v.(starlark.Value); !is || sv.Type() != timedelta.Name() {
			return nil, fmt.Errorf("want a %s", timedelta.Name())
		}
		return v, nil
	}}
}

// convert calls a script's type function: what it fails with becomes the text
// of a usage error.
func (f *parserFace) convert(fn starlark.Callable, word string) (any, error) {
	if f.inv.thread == nil {
		f.inv.thread = f.inv.bindThread(f.inv.name + " (arguments)")
	}
	v, err := f.inv.callScript(fn, starlark.Tuple{starlark.String(word)}, nil)
	if err != nil {
		if !Catchable(err) {
			return nil, err
		}
		msg := messageOf(err)
		if msg == "" {
			msg = fmt.Sprintf("invalid %s value: %s", fn.Name(), quote(word))
		}
		return nil, &argparse.TypeError{Message: msg, Err: err}
	}
	return goValue(v), nil
}

// messageOf is what an error's author wrote, without kind and position.
func messageOf(err error) string {
	if e, ok := errors.AsType[*TypedError](err); ok {
		return e.Message
	}
	if e, ok := errors.AsType[*ScriptError](err); ok {
		return strings.TrimPrefix(e.Message, "fail: ")
	}
	return strings.TrimPrefix(err.Error(), "fail: ")
}

// goValue returns the Go value that argparse works with: strings, bools and
// numbers become Go's, None its None; other values stay as they are.
func goValue(v starlark.Value) any {
	switch v := v.(type) {
	case starlark.NoneType:
		return argparse.None
	case starlark.String:
		return string(v)
	case starlark.Bool:
		return bool(v)
	case starlark.Float:
		return float64(v)
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			return int(n)
		}
		return v.BigInt()
	}
	return v
}

// goList returns the items of a list or tuple as argparse takes them.
func goList(v starlark.Value) ([]any, bool) {
	var seq starlark.Sequence
	switch v := v.(type) {
	case *starlark.List:
		seq = v
	case starlark.Tuple:
		seq = v
	default:
		return nil, false
	}
	out := make([]any, 0, seq.Len())
	iter := seq.Iterate()
	defer iter.Done()
	var item starlark.Value
	for iter.Next(&item) {
		out = append(out, goValue(item))
	}
	return out, true
}

// starValue is the way back: from argparse's values to Starlark's.
func starValue(v any) (starlark.Value, error) {
	switch v := v.(type) {
	case argparse.Sentinel:
		return starlark.None, nil
	case time.Duration:
		return starlark.Float(v.Seconds()), nil
	case []any:
		elems := make([]starlark.Value, len(v))
		for i, item := range v {
			e, err := starValue(item)
			if err != nil {
				return nil, err
			}
			elems[i] = e
		}
		return starlark.NewList(elems), nil
	}
	return starconv.ToStarlark(v)
}

// parserValues says how argparse compares and prints a script's values.
func parserValues() argparse.Values {
	return argparse.Values{
		Equal: func(a, b any) bool {
			x, err1 := starValue(a)
			y, err2 := starValue(b)
			if err1 != nil || err2 != nil {
				return false
			}
			eq, err := starlark.Equal(x, y)
			return err == nil && eq
		},
		Repr: func(v any) string { return printValue(v, starlark.Value.String) },
		Str:  func(v any) string { return printValue(v, textOf) },
		List: func(v any) ([]any, bool) {
			sv, ok := v.(starlark.Value)
			if !ok {
				return nil, false
			}
			return goList(sv)
		},
	}
}

func printValue(v any, show func(starlark.Value) string) string {
	sv, err := starValue(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return show(sv)
}

// destOf is the name under which an argument's value arrives, by argparse's
// rule: dest, else the first long option, else the first.
func destOf(a argparse.Argument) string {
	if a.Dest != "" || !strings.HasPrefix(a.Names[0], "-") {
		return cmp.Or(a.Dest, a.Names[0])
	}
	name := a.Names[0]
	if i := slices.IndexFunc(a.Names, func(n string) bool { return strings.HasPrefix(n, "--") }); i >= 0 {
		name = a.Names[i]
	}
	return strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_")
}
