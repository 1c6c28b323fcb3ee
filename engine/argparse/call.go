package argparse

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// CallArgs binds values instead of words, as Django's call_command does, by the same
// declarations as the shell and with the same errors.
//
// Positional values fill the positionals in order, lists among them spread out; what
// comes first by name must come by name from there on. Options are given by dest, or by
// any long name without its dashes, "-" as "_"; positionals by name likewise.
//
// A Go string goes through the argument's Type as a word would; other values through
// Type.Accept. An argument of several words takes a list, append and extend a list (the
// whole of it: nothing is added to a default), count an int. A dest of store_true and
// store_false takes the bool that it is to have; by a name that is not the dest a bool
// says whether the flag is given: no_input=True is "--no-input", no_input=False leaves
// the default. nil is as if the argument were not given, and an error where its default
// is something else. Nothing is a file name here, and nothing is asked: a secret is taken
// as it is. Strings and numbers are Go's; lists are too, or Values.List knows them.
//
// A sub-command is chosen as a positional or by its dest, and options go to every parser
// that knows them. The error is an *UnknownOptionError or an *Error.
func (p *Parser) CallArgs(positional []any, options map[string]any) (Namespace, error) {
	s := &session{calling: true}
	ns, err := p.callArgs(s, positional, options)
	if p.cfg.Warn != nil {
		for _, w := range s.warnings {
			p.cfg.Warn(w)
		}
	}
	if err != nil {
		return nil, err
	}
	p.finish(ns)
	return ns, nil
}

func (p *Parser) callArgs(s *session, positional []any, options map[string]any) (Namespace, error) {
	if len(positional) == 0 && len(options) == 0 && p.wantsArgs() {
		return nil, p.fill(&Error{Message: p.cfg.MissingArgsMessage})
	}
	var flat []any
	for _, v := range positional {
		if list, ok := p.cfg.Values.list(v); ok {
			flat = append(flat, list...)
		} else {
			flat = append(flat, v)
		}
	}
	b := p.bind(flat, options)
	if err := b.unknown(options); err != nil {
		return nil, err
	}
	ns := make(Namespace, len(p.actions)+len(p.defaults))
	if err := b.apply(s, ns); err != nil {
		e, ok := err.(*Error)
		if ok && e.missingPositional && p.cfg.MissingArgsMessage != "" && !b.anyPositional() {
			return nil, p.fill(&Error{Message: p.cfg.MissingArgsMessage})
		}
		return nil, err
	}
	return ns, nil
}

// binding says which value goes to which argument of one parser.
type binding struct {
	p        *Parser
	named    []namedValue
	byPlace  map[*argument][]any
	leftover []any
	sub      *binding
	subGiven bool // sub is nil then when no such sub-command exists
}

type namedValue struct {
	key   string
	value any
	// args share the dest that key is; or there is one, and name is its option string.
	args []*argument
	name string
}

// bind sorts out values without looking at them.
func (p *Parser) bind(positional []any, options map[string]any) *binding {
	b := &binding{p: p, byPlace: map[*argument][]any{}}
	taken := map[*argument]bool{}
	for _, key := range sortedKeys(options) {
		args, name := p.resolve(key)
		if args == nil {
			continue
		}
		b.named = append(b.named, namedValue{key, options[key], args, name})
		for _, a := range args {
			taken[a] = true
		}
	}
	var leading []*argument
	for _, a := range p.actions {
		if a.isOption() {
			continue
		}
		if taken[a] {
			break
		}
		leading = append(leading, a)
	}
	from := 0
	for i, n := range matchPositionals(leading, []byte(strings.Repeat(string(word), len(positional))), wholeParse) {
		b.byPlace[leading[i]] = positional[from : from+n]
		from += n
	}
	b.leftover = positional[from:]
	if p.subparsers == nil {
		return b
	}
	action := p.subparsers.action
	values := b.byPlace[action]
	if len(values) == 0 {
		i := slices.IndexFunc(b.named, func(n namedValue) bool { return slices.Contains(n.args, action) })
		if i < 0 {
			return b
		}
		values = append([]any{b.named[i].value}, b.leftover...)
		b.leftover = nil
	}
	b.subGiven = true
	if name, ok := values[0].(string); ok {
		if sub := p.subparsers.parsers[name]; sub != nil {
			b.sub = sub.bind(values[1:], options)
		}
	}
	return b
}

// resolve finds what an option of CallArgs is called: a dest, or a long name.
func (p *Parser) resolve(key string) (args []*argument, name string) {
	for _, a := range p.actions {
		if a.Dest == key && !a.noDest && a.callable() {
			args = append(args, a)
		}
	}
	if args != nil {
		return args, ""
	}
	key = strings.ReplaceAll(key, "-", "_")
	for _, o := range p.order {
		if o.arg.callable() && callName(o.name) == key {
			return []*argument{o.arg}, o.name
		}
	}
	return nil, ""
}

func (a *argument) callable() bool { return a.Action != ActionHelp && a.Action != ActionVersion }

// callName is a long option string as a keyword, or "".
func callName(option string) string {
	name := strings.TrimLeft(option, "-")
	if !strings.HasPrefix(option, "--") && length(name) < 2 {
		return ""
	}
	return strings.ReplaceAll(name, "-", "_")
}

func (b *binding) unknown(options map[string]any) error {
	known := map[string]bool{}
	valid := map[string]bool{}
	for at := b; at != nil; at = at.sub {
		if at.subGiven && at.sub == nil {
			return nil // that is the error to report
		}
		for _, n := range at.named {
			known[n.key] = true
		}
		for _, a := range at.p.actions {
			if !a.callable() {
				continue
			}
			if !a.noDest {
				valid[a.Dest] = true
			}
			for _, name := range a.Names {
				if name := callName(name); name != "" {
					valid[name] = true
				}
			}
		}
	}
	var unknown []string
	for _, key := range sortedKeys(options) {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	if unknown == nil {
		return nil
	}
	return &UnknownOptionError{Unknown: unknown, Valid: sortedKeys(valid)}
}

func (b *binding) anyPositional() bool {
	for _, values := range b.byPlace {
		if len(values) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(b.named, func(n namedValue) bool {
		return slices.ContainsFunc(n.args, func(a *argument) bool { return !a.isOption() })
	})
}

// apply converts and stores what was bound.
func (b *binding) apply(s *session, ns Namespace) error {
	r := &run{session: s, p: b.p, ns: ns, state: make([]uint8, len(b.p.actions))}
	r.setDefaults()
	err := r.applyAll(b)
	if err == nil {
		err = r.complete()
	}
	return b.p.fill(err)
}

func (r *run) applyAll(b *binding) error {
	if len(b.leftover) > 0 {
		if i := slices.IndexFunc(b.named, func(n namedValue) bool { return !n.args[0].isOption() }); i >= 0 {
			return argErr(b.named[i].args[0], "given by name, and by position too")
		}
		texts := make([]string, len(b.leftover))
		for i, v := range b.leftover {
			texts[i] = r.p.cfg.Values.str(v)
		}
		return &Error{Message: "unrecognized arguments: " + strings.Join(texts, " ")}
	}
	given := map[*argument]string{} // the key that gave it
	for _, n := range b.named {
		for _, a := range n.args {
			if before, twice := given[a]; twice {
				return argErr(a, fmt.Sprintf("given twice, as %s and %s", reprString(before), reprString(n.key)))
			}
			given[a] = n.key
		}
	}
	for _, a := range r.p.actions {
		if values, ok := b.byPlace[a]; ok {
			if err := r.applyPlace(a, values, b.sub); err != nil {
				return err
			}
			continue
		}
		i := slices.IndexFunc(b.named, func(n namedValue) bool { return n.args[0] == a })
		absent := i < 0 || isNone(b.named[i].value)
		if absent && !a.isOption() && a.mayBeAbsent() { // as when no word is left for it
			if err := r.take(a, nil, ""); err != nil {
				return err
			}
			continue
		}
		if i < 0 {
			continue
		}
		if err := r.applyNamed(b.named[i], b.sub); err != nil {
			return err
		}
	}
	return nil
}

func (a *argument) mayBeAbsent() bool {
	return a.kind == kindOptional || a.kind == kindZeroOrMore || a.kind == kindRemainder || a.takesNothing()
}

// applyPlace gives a positional the values at its place.
func (r *run) applyPlace(a *argument, values []any, sub *binding) error {
	if a.sub != nil {
		return r.applySub(a, values[0], sub)
	}
	if len(values) == 0 { // may be absent, and is
		return r.take(a, nil, "")
	}
	if a.kind == kindOne || a.kind == kindOptional {
		return r.applyOne(a, values[0])
	}
	return r.applyList(a, values)
}

func (r *run) applyNamed(n namedValue, sub *binding) error {
	a := n.args[0]
	if a.sub != nil {
		return r.applySub(a, n.value, sub)
	}
	if n.name != "" && a.takesNothing() {
		return r.applyFlagByName(a, n.name, n.value)
	}
	if !isNone(n.value) {
		for _, flag := range n.args {
			if flag.takesNothing() && r.isConst(flag, n.value) {
				return r.act(r.given(flag), noValue{}, false, "")
			}
		}
		for _, valued := range n.args {
			if !valued.takesNothing() {
				return r.applyValue(valued, n.value)
			}
		}
	} else if isNone(a.Default) || isSuppress(a.Default) {
		return nil
	} else if !a.takesNothing() {
		return r.refused(a, nil)
	}
	return r.applyFlagByDest(n.args, n.value)
}

func (r *run) given(a *argument) *argument {
	r.state[a.index] |= seen
	return a
}

// isConst reports whether a value is the very one that a flag stores.
func (r *run) isConst(a *argument, v any) bool {
	switch a.Action {
	case ActionStoreConst, ActionStoreTrue, ActionStoreFalse:
		c := plain(declared(a.Const))
		return reflect.TypeOf(c) == reflect.TypeOf(v) && r.p.cfg.Values.equal(c, v)
	}
	return false
}

// applyFlagByName gives a flag by its name, or not.
func (r *run) applyFlagByName(a *argument, name string, v any) error {
	if a.Action == ActionCount {
		n, ok := asInt(v)
		if !ok || n < 0 {
			return r.wanted(a, "a number", v)
		}
		before, _ := asInt(r.ns[a.Dest])
		return r.setFlag(a, before+n, n > 0)
	}
	given, ok := v.(bool)
	if !ok {
		return r.wanted(a, "True or False", v)
	}
	if a.Action == ActionBooleanOptional && !strings.HasPrefix(name, "--no-") {
		return r.setFlag(a, given, true)
	}
	if !given {
		return nil
	}
	return r.act(r.given(a), noValue{}, false, name)
}

// applyFlagByDest gives the dest of one or more flags its value.
func (r *run) applyFlagByDest(args []*argument, v any) error {
	a := args[0]
	switch a.Action {
	case ActionCount:
		n, ok := asInt(v)
		if !ok || n < 0 {
			return r.wanted(a, "a number", v)
		}
		return r.setFlag(a, n, n > 0)
	case ActionAppendConst:
		return r.applyConsts(args, v)
	case ActionStoreConst:
		return r.applyConst(args, v)
	}
	b, ok := v.(bool)
	if !ok {
		return r.wanted(a, "True or False", v)
	}
	return r.setFlag(a, b, a.Action == ActionBooleanOptional)
}

// setFlag stores a dest's final value. counts says whether an exclusive group counts it.
func (r *run) setFlag(a *argument, v any, counts bool) error {
	r.given(a)
	if counts {
		if err := r.exclude(a); err != nil {
			return err
		}
	}
	r.ns[a.Dest] = v
	return nil
}

func (r *run) applyConst(args []*argument, v any) error {
	values := &r.p.cfg.Values
	a := args[0]
	for _, flag := range args {
		if values.equal(declared(flag.Const), v) {
			return r.act(r.given(flag), noValue{}, false, "")
		}
	}
	if values.equal(declared(a.Default), v) {
		return nil
	}
	if given, ok := v.(bool); ok && len(args) == 1 {
		if !given {
			return nil
		}
		return r.act(r.given(a), noValue{}, false, "")
	}
	var reprs []string
	for _, flag := range args {
		reprs = append(reprs, values.repr(declared(flag.Const)))
	}
	return choiceErr(a, r.shown(a, v), reprs, "")
}

func (r *run) applyConsts(args []*argument, v any) error {
	list, ok := r.p.cfg.Values.list(v)
	if !ok {
		return r.wanted(args[0], "a list", v)
	}
	values := &r.p.cfg.Values
	for _, item := range list {
		if !slices.ContainsFunc(args, func(a *argument) bool { return values.equal(declared(a.Const), item) }) {
			var reprs []string
			for _, flag := range args {
				reprs = append(reprs, values.repr(declared(flag.Const)))
			}
			return choiceErr(args[0], r.shown(args[0], item), reprs, "")
		}
	}
	return r.setFlag(args[0], slices.Clone(list), len(list) > 0)
}

// applyValue gives an argument with words its value.
func (r *run) applyValue(a *argument, v any) error {
	single := a.kind == kindOne || a.kind == kindOptional
	if a.Action == ActionStore && single {
		return r.applyOne(a, v)
	}
	list, ok := r.p.cfg.Values.list(v)
	if !ok {
		return r.wanted(a, "a list", v)
	}
	if a.Action == ActionStore {
		return r.applyList(a, list)
	}
	result := make([]any, len(list))
	for i, item := range list {
		var err error
		switch {
		case a.Action == ActionAppend && !single:
			words, ok := r.p.cfg.Values.list(item)
			if !ok {
				return r.wanted(a, "a list of lists", v)
			}
			result[i], err = r.list(a, words)
		default:
			result[i], err = r.one(a, item)
		}
		if err != nil {
			return err
		}
	}
	if a.Action == ActionExtend && a.kind == kindN && len(list)%a.count != 0 {
		return expected(a)
	}
	return r.setFlag(a, result, len(list) > 0)
}

func (r *run) applyOne(a *argument, v any) error {
	value, err := r.one(a, v)
	if err != nil {
		return err
	}
	return r.act(r.given(a), value, false, "")
}

func (r *run) applyList(a *argument, values []any) error {
	if len(values) == 0 && !a.isOption() && a.kind == kindZeroOrMore {
		return r.take(a, nil, "")
	}
	list, err := r.list(a, values)
	if err != nil {
		return err
	}
	return r.act(r.given(a), list, false, "")
}

func (r *run) list(a *argument, values []any) ([]any, error) {
	if a.kind == kindOneOrMore && len(values) == 0 || a.kind == kindN && len(values) != a.count {
		return nil, expected(a)
	}
	list := make([]any, len(values))
	for i, v := range values {
		var err error
		if list[i], err = r.one(a, v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// one converts and checks one value.
func (r *run) one(a *argument, v any) (any, error) {
	if isNone(v) {
		return nil, r.refused(a, v)
	}
	if text, ok := v.(string); ok {
		converted, err := r.convert(a, text)
		if err != nil {
			return nil, err
		}
		v = converted
	} else if a.Type.Accept != nil {
		accepted, err := a.Type.Accept(v)
		if err != nil {
			return nil, typeErr(a, r.p.cfg.Values.str(v), r.p.cfg.Values.repr(v), err)
		}
		v = accepted
	}
	if a.kind == kindRemainder {
		return v, nil
	}
	return v, r.check(a, v)
}

// applySub runs the sub-command's own binding.
func (r *run) applySub(a *argument, v any, sub *binding) error {
	r.given(a)
	name, ok := v.(string)
	if !ok {
		return r.wanted(a, "the name of a sub-command", v)
	}
	if err := r.check(a, name); err != nil {
		return err
	}
	if !a.noDest {
		r.ns[a.Dest] = name
	}
	if a.sub.deprecated[name] {
		r.warnings = append(r.warnings, "command '"+name+"' is deprecated")
	}
	ns := make(Namespace, len(sub.p.actions))
	if err := sub.apply(r.session, ns); err != nil {
		return err
	}
	for k, v := range ns {
		r.ns[k] = v
	}
	return nil
}

func (r *run) shown(a *argument, v any) string {
	if a.Secret {
		return reprString(mask)
	}
	return r.p.cfg.Values.repr(v)
}

// wanted refuses a value of the wrong kind.
func (r *run) wanted(a *argument, what string, v any) error {
	return argErr(a, "expected "+what+", got "+r.shown(a, v))
}

func (r *run) refused(a *argument, v any) error {
	return argErr(a, "invalid "+a.typeName()+" value: "+r.shown(a, v))
}
