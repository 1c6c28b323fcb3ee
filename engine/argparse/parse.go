package argparse

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// mode says which half of an intermixed parse is at work, if any: argparse then
// parses the options with positionals switched off, and the words left over after it.
type mode uint8

const (
	wholeParse mode = iota
	optionsOnly
	positionalsOnly
)

func (m mode) kind(a *argument) nargsKind {
	if m == optionsOnly && !a.isOption() {
		return kindSuppress
	}
	return a.kind
}

func (m mode) fallback(a *argument) any {
	if m == optionsOnly && !a.isOption() {
		return Suppress
	}
	return a.Default
}

func (m mode) required(a *argument) bool {
	return a.Required && !(m == positionalsOnly && a.isOption())
}

// session is what one ParseArgs or CallArgs shares with its sub-parsers and with
// the second look at the same words.
type session struct {
	calling  bool // values of CallArgs, not words
	warnings []string
	parsers  []*Parser // those that saw words, for suggestions
	secrets  map[secretKey]string
}

// run is one parser at work on one list of words.
type run struct {
	*session
	p       *Parser
	mode    mode
	words   []string
	pattern []byte
	found   []found // one for each word, where options were seen
	ns      Namespace
	state   []uint8 // by index in p.actions
	warned  []string
	extras  []string
	// extrasOfSub are what a sub-parser did not want; they come after the parser's own.
	extrasOfSub []string
	verbatim    bool // the value comes from the environment or a prompt: a secret is no @file
}

const (
	seen uint8 = 1 << iota
	seenNonDefault
)

// found is how a word was read as an option. arg is nil for an option that nobody
// declared.
type found struct {
	is       bool
	arg      *argument
	name     string
	explicit bool   // the word brings its own value
	sep      string // "=" or "" before it
	value    string
}

// ParseArgs turns words (without the program's name) into values. The error is an
// *Error, a *HelpRequest or a *VersionRequest. The words are not kept. Lists and opaque
// defaults in the result are those that were declared: treat them as read-only.
func (p *Parser) ParseArgs(words []string) (Namespace, error) {
	s := &session{}
	ns, err := p.parseArgs(s, words)
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

func (p *Parser) parseArgs(s *session, words []string) (Namespace, error) {
	if len(words) == 0 && p.wantsArgs() {
		return nil, p.fill(&Error{Message: p.cfg.MissingArgsMessage})
	}
	ns := make(Namespace, len(p.actions)+len(p.defaults))
	extras, err := p.parseKnown(s, words, ns, wholeParse)
	if err != nil {
		return nil, p.missingArgs(err, words)
	}
	if len(extras) == 0 {
		return ns, nil
	}
	if ns := p.parseIntermixed(s, words); ns != nil {
		return ns, nil
	}
	return nil, p.unrecognized(s, extras)
}

// wantsArgs reports whether nothing at all is answered by MissingArgsMessage: unless a
// positional can come from the environment.
func (p *Parser) wantsArgs() bool {
	return p.cfg.MissingArgsMessage != "" &&
		!slices.ContainsFunc(p.actions, func(a *argument) bool { return !a.isOption() && a.Env != "" })
}

// missingArgs replaces the error about missing positionals when only options were given.
func (p *Parser) missingArgs(err error, words []string) error {
	e, ok := err.(*Error)
	if !ok || p.cfg.MissingArgsMessage == "" || !e.missingPositional ||
		slices.ContainsFunc(words, func(w string) bool { return !strings.HasPrefix(w, "-") }) {
		return err
	}
	return p.fill(&Error{Message: p.cfg.MissingArgsMessage})
}

// parseIntermixed is argparse's parse_intermixed_args; nil when that would not accept.
func (p *Parser) parseIntermixed(s *session, words []string) Namespace {
	for _, a := range p.actions {
		if !a.isOption() && (a.kind == kindParser || a.kind == kindRemainder || a.exclusive != nil) {
			return nil
		}
	}
	again := &session{secrets: s.secrets, parsers: s.parsers}
	ns := make(Namespace, len(p.actions)+len(p.defaults))
	rest, err := p.parseKnown(again, words, ns, optionsOnly)
	if err != nil {
		return nil
	}
	for _, a := range p.actions {
		if list, ok := ns[a.Dest].([]any); ok && len(list) == 0 && !a.isOption() {
			delete(ns, a.Dest)
		}
	}
	extras, err := p.parseKnown(again, rest, ns, positionalsOnly)
	if err != nil || len(extras) > 0 {
		return nil
	}
	s.warnings = again.warnings
	return ns
}

// finish turns what parsing keeps in a namespace into what callers see.
func (p *Parser) finish(ns Namespace) {
	for k, v := range ns {
		switch v.(type) {
		case literal, Sentinel:
			ns[k] = plain(v)
		}
	}
}

// parseKnown parses words into ns and gives the words that nobody wanted.
func (p *Parser) parseKnown(s *session, words []string, ns Namespace, m mode) ([]string, error) {
	r := &run{session: s, p: p, mode: m, words: words, ns: ns, state: make([]uint8, len(p.actions))}
	if !slices.Contains(s.parsers, p) {
		s.parsers = append(s.parsers, p)
	}
	r.setDefaults()
	err := r.consume()
	if err == nil {
		err = r.complete()
	}
	if err != nil {
		return nil, p.fill(err)
	}
	return append(r.extras, r.extrasOfSub...), nil
}

// fill gives an error of this parser its name and usage.
func (p *Parser) fill(err error) error {
	if e, ok := err.(*Error); ok && e.Prog == "" && e.Usage == "" {
		e.Prog, e.Usage = p.cfg.Prog, p.FormatUsage()
	}
	return err
}

func (r *run) setDefaults() {
	for _, a := range r.p.actions {
		if a.noDest {
			continue
		}
		if _, ok := r.ns[a.Dest]; ok {
			continue
		}
		if v := r.mode.fallback(a); v != any(Suppress) {
			r.ns[a.Dest] = declared(v)
		}
	}
	for _, dest := range r.p.defaultKeys {
		if _, ok := r.ns[dest]; !ok {
			r.ns[dest] = declared(r.p.defaults[dest])
		}
	}
}

// consume walks over the words, taking positionals and options in turn.
func (r *run) consume() error {
	last, err := r.classify()
	if err != nil {
		return err
	}
	positionals := make([]*argument, 0, 8)
	for _, a := range r.p.actions {
		if !a.isOption() {
			positionals = append(positionals, a)
		}
	}
	start := 0
	for start <= last {
		next := start
		for !r.found[next].is {
			next++
		}
		if next != start {
			end, err := r.takePositionals(&positionals, start)
			if err != nil {
				return err
			}
			if end > start {
				start = end
				continue
			}
			r.extras = append(r.extras, r.words[start:next]...)
			start = next
		}
		if start, err = r.takeOption(start); err != nil {
			return err
		}
	}
	end, err := r.takePositionals(&positionals, start)
	if err != nil {
		return err
	}
	r.extras = append(r.extras, r.words[end:]...)
	return nil
}

// classify makes the pattern of the words, and gives the index of the last option, or -1.
func (r *run) classify() (int, error) {
	r.pattern = make([]byte, len(r.words))
	last := -1
	for i, w := range r.words {
		if w == "--" {
			r.pattern[i] = separator
			for j := i + 1; j < len(r.words); j++ {
				r.pattern[j] = word
			}
			break
		}
		r.pattern[i] = word
		if w == "" || w[0] != '-' {
			continue
		}
		f, err := r.p.readOption(w)
		if err != nil {
			return 0, err
		}
		if f.is {
			if r.found == nil {
				r.found = make([]found, len(r.words))
			}
			r.pattern[i], r.found[i], last = optional, f, i
		}
	}
	return last, nil
}

// readOption reads a word that begins with a dash: an option, its abbreviation, one
// that brings its value, one unknown; or no option at all (found.is is false).
func (p *Parser) readOption(w string) (found, error) {
	if a, ok := p.options[w]; ok {
		return found{is: true, arg: a, name: w}, nil
	}
	if len(w) == 1 {
		return found{}, nil
	}
	name, value, hasValue := strings.Cut(w, "=")
	if hasValue {
		if a, ok := p.options[name]; ok {
			return found{is: true, arg: a, name: name, explicit: true, sep: "=", value: value}, nil
		}
	}
	matches := p.prefixed(w)
	if len(matches) > 1 {
		return found{}, p.ambiguous(w, matches)
	}
	if len(matches) == 1 {
		return matches[0], nil
	}
	if looksNegative(w) && !p.negative || strings.Contains(w, " ") {
		return found{}, nil
	}
	return found{is: true}, nil
}

// prefixed gives every option that the word may abbreviate. Those of rank Extra only
// count when no other does.
func (p *Parser) prefixed(w string) []found {
	var own, extra []found
	add := func(f found) {
		if f.arg.Rank == Extra {
			extra = append(extra, f)
		} else {
			own = append(own, f)
		}
	}
	if strings.HasPrefix(w, "--") {
		name, value, explicit := strings.Cut(w, "=")
		sep := ""
		if explicit {
			sep = "="
		}
		for _, o := range p.order {
			if strings.HasPrefix(o.name, name) {
				add(found{true, o.arg, o.name, explicit, sep, value})
			}
		}
	} else {
		_, n := utf8.DecodeRuneInString(w[1:])
		short, rest := w[:1+n], w[1+n:]
		for _, o := range p.order {
			if o.name == short {
				add(found{true, o.arg, o.name, true, "", rest})
			} else if strings.HasPrefix(o.name, w) {
				add(found{is: true, arg: o.arg, name: o.name})
			}
		}
	}
	if own != nil {
		return own
	}
	return extra
}

func (p *Parser) ambiguous(w string, matches []found) error {
	names := make([]string, len(matches))
	shown := w
	for i, f := range matches {
		names[i] = f.name
		if f.arg.Secret && f.explicit {
			shown = strings.TrimSuffix(w, f.value) + mask
		}
	}
	return &Error{Message: "ambiguous option: " + shown + " could match " + strings.Join(names, ", ")}
}

// takeOption consumes the option at start, with what is clustered behind it and the
// words it takes, and gives the index of the word after them.
func (r *run) takeOption(start int) (int, error) {
	type taken struct {
		arg  *argument
		args []string
		name string
	}
	f := r.found[start]
	if f.arg == nil {
		r.extras = append(r.extras, r.words[start])
		return start + 1, nil
	}
	var buf [4]taken
	list := buf[:0]
	stop := start + 1
	for {
		if !f.explicit {
			n, ok := matchOption(f.arg, r.pattern[start+1:])
			if !ok {
				return 0, expected(f.arg)
			}
			stop = start + 1 + n
			list = append(list, taken{f.arg, r.words[start+1 : stop], f.name})
			break
		}
		n, ok := matchOption(f.arg, []byte{word})
		if !ok {
			return 0, expected(f.arg)
		}
		if n == 1 {
			list = append(list, taken{f.arg, []string{f.value}, f.name})
			break
		}
		// A flag with something behind it: a cluster of short options, or a mistake.
		if len(f.name) < 2 || f.name[1] == '-' || f.value == "" || f.sep != "" || f.value[0] == '-' {
			return 0, argErr(f.arg, "ignored explicit argument "+reprString(f.value))
		}
		list = append(list, taken{f.arg, nil, f.name})
		_, n = utf8.DecodeRuneInString(f.value)
		name, rest := "-"+f.value[:n], f.value[n:]
		a, ok := r.p.options[name]
		if !ok {
			r.extras = append(r.extras, "-"+f.value)
			break
		}
		f = found{is: true, arg: a, name: name, explicit: rest != "", value: rest}
		if value, ok := strings.CutPrefix(rest, "="); ok {
			f.sep, f.value = "=", value
		}
	}
	for _, t := range list {
		if t.arg.Deprecated {
			r.warnOnce(t.name, "option '"+t.name+"' is deprecated")
		}
		if err := r.take(t.arg, t.args, t.name); err != nil {
			return 0, err
		}
	}
	return stop, nil
}

func (r *run) warnOnce(key, message string) {
	if !slices.Contains(r.warned, key) {
		r.warned = append(r.warned, key)
		r.warnings = append(r.warnings, message)
	}
}

// takePositionals consumes as many positionals as match at start.
func (r *run) takePositionals(positionals *[]*argument, start int) (int, error) {
	shares := matchPositionals(*positionals, r.pattern[start:], r.mode)
	for i, n := range shares {
		a := (*positionals)[i]
		args := r.words[start : start+n]
		start += n
		if n > 0 && a.Deprecated {
			r.warnOnce(a.Dest, "argument '"+a.Dest+"' is deprecated")
		}
		if err := r.take(a, args, ""); err != nil {
			return 0, err
		}
	}
	*positionals = (*positionals)[len(shares):]
	return start, nil
}

// take converts the words of one argument and does what its action says. name is the
// option string used, "" for a positional.
func (r *run) take(a *argument, args []string, name string) error {
	r.state[a.index] |= seen
	if r.p.flags != nil && name != "" {
		r.p.flags.report(a, name, args)
	}
	if !a.isOption() && a.kind != kindParser && a.kind != kindRemainder {
		if d := slices.Index(args, "--"); d >= 0 {
			args = slices.Delete(slices.Clone(args), d, d+1)
		}
		if len(args) == 0 && a.Env != "" && r.mode.kind(a) != kindSuppress {
			if ok, err := r.takeEnv(a); ok || err != nil {
				return err
			}
		}
	}
	value, isDefault, err := r.values(a, args)
	if err != nil {
		return err
	}
	return r.act(a, value, isDefault, name)
}

// act stores a value, unless another argument of an exclusive group forbids it.
func (r *run) act(a *argument, value any, isDefault bool, name string) error {
	if !isDefault && !same(value, declared(r.mode.fallback(a))) {
		if err := r.exclude(a); err != nil {
			return err
		}
	}
	if isSuppress(value) {
		return nil
	}
	switch a.Action {
	case ActionStore:
		r.ns[a.Dest] = value
	case ActionStoreConst, ActionStoreTrue, ActionStoreFalse:
		r.ns[a.Dest] = declared(a.Const)
	case ActionAppend:
		return r.grow(a, plain(value))
	case ActionAppendConst:
		return r.grow(a, plain(declared(a.Const)))
	case ActionExtend:
		return r.grow(a, r.elements(value)...)
	case ActionCount:
		n, ok := countFrom(r.ns[a.Dest])
		if !ok {
			return argErr(a, "cannot count on from "+r.shown(a, r.ns[a.Dest])+", which is no int")
		}
		r.ns[a.Dest] = n + 1
	case ActionBooleanOptional:
		if name != "" {
			r.ns[a.Dest] = !strings.HasPrefix(name, "--no-")
		}
	case ActionHelp:
		return &HelpRequest{r.p}
	case ActionVersion:
		return &VersionRequest{r.p.formatVersion(a.Version)}
	case actionParsers:
		return r.takeSubparser(a, value.([]any))
	}
	return nil
}

// exclude notes that an argument was given, and refuses it beside another of its group.
func (r *run) exclude(a *argument) error {
	r.state[a.index] |= seenNonDefault
	if a.exclusive == nil {
		return nil
	}
	for _, other := range a.exclusive.actions {
		if other != a && r.state[other.index]&seenNonDefault != 0 {
			return argErr(a, "not allowed with argument "+other.display())
		}
	}
	return nil
}

func (r *run) takeSubparser(a *argument, values []any) error {
	name := plain(values[0]).(string)
	if !a.noDest {
		r.ns[a.Dest] = name
	}
	sub, ok := a.sub.parsers[name]
	if !ok {
		return argErr(a, "unknown parser "+reprString(name)+" (choices: "+strings.Join(a.sub.names, ", ")+")")
	}
	if a.sub.deprecated[name] {
		r.warnings = append(r.warnings, "command '"+name+"' is deprecated")
	}
	words := make([]string, len(values)-1)
	for i, v := range values[1:] {
		words[i] = v.(string)
	}
	ns := make(Namespace, len(sub.actions))
	extras, err := sub.parseKnown(r.session, words, ns, wholeParse)
	if err != nil {
		return err
	}
	for k, v := range ns {
		r.ns[k] = v
	}
	r.extrasOfSub = append(r.extrasOfSub, extras...)
	return nil
}

// noValue is what a flag takes from the words.
type noValue struct{}

// grow adds to a copy of the list that a dest holds.
func (r *run) grow(a *argument, more ...any) error {
	current := r.ns[a.Dest]
	list, ok := r.p.cfg.Values.list(current)
	if !ok && current != nil {
		return argErr(a, "cannot add to "+r.shown(a, current)+", which is no list")
	}
	r.ns[a.Dest] = append(slices.Clip(list), more...)
	return nil
}

// countFrom is the number that a count begins with: 0 for None, as True is 1.
func countFrom(v any) (int, bool) {
	switch v {
	case nil, any(false):
		return 0, true
	case any(true):
		return 1, true
	}
	return asInt(v)
}

// elements are what extend adds: a list's items, and, as Python has it, a string's characters.
func (r *run) elements(v any) []any {
	switch v := plain(v).(type) {
	case []any:
		return v
	case string:
		list := make([]any, 0, len(v))
		for i := 0; i < len(v); {
			_, n := utf8.DecodeRuneInString(v[i:])
			list = append(list, v[i:i+n])
			i += n
		}
		return list
	case nil:
		return nil
	default:
		if list, ok := r.p.cfg.Values.list(v); ok {
			return list
		}
		return []any{v}
	}
}

// complete handles what the words did not give: the environment, required arguments
// and groups, and defaults that are still strings.
func (r *run) complete() error {
	if err := r.environment(); err != nil {
		return err
	}
	if err := r.askSecrets(); err != nil {
		return err
	}
	var missing []string
	positional := false
	for i, a := range r.p.actions {
		if r.state[i]&seen != 0 {
			continue
		}
		if r.mode.required(a) {
			missing = append(missing, a.display())
			positional = positional || !a.isOption()
			continue
		}
		if err := r.convertUnseen(a); err != nil {
			return err
		}
	}
	if missing != nil {
		return &Error{Message: "the following arguments are required: " + strings.Join(missing, ", "), missingPositional: positional}
	}
	return r.requiredGroups()
}

// convertUnseen converts a default that is a string and still stands in the namespace.
func (r *run) convertUnseen(a *argument) error {
	text, ok := declared(r.mode.fallback(a)).(literal)
	if !ok {
		return nil
	}
	if current, ok := r.ns[a.Dest]; !ok || !same(text, current) {
		return nil
	}
	v, err := r.convertDefault(a, text)
	if err != nil {
		return err
	}
	r.ns[a.Dest] = v
	return nil
}

func (r *run) requiredGroups() error {
	if r.mode == positionalsOnly {
		return nil
	}
	for _, e := range r.p.exclusive {
		if !e.required {
			continue
		}
		given := false
		var names []string
		for _, a := range e.actions {
			given = given || r.state[a.index]&seenNonDefault != 0
			if !a.HelpSuppressed {
				names = append(names, a.display())
			}
		}
		if !given {
			return &Error{Message: fmt.Sprintf("one of the arguments %s is required", strings.Join(names, " "))}
		}
	}
	return nil
}

func (p *Parser) unrecognized(s *session, extras []string) error {
	shown := make([]string, len(extras))
	hint := ""
	secret := false // the word before looks like a secret's option
	for i, w := range extras {
		shown[i] = w
		if !strings.HasPrefix(w, "-") {
			if secret {
				shown[i] = mask
			}
			secret = false
			continue
		}
		name, _, hasValue := strings.Cut(w, "=")
		guess, a := p.guess(s, name)
		secret = a != nil && a.Secret
		if secret && hasValue {
			shown[i] = name + "=" + mask
		}
		switch {
		case hint != "":
		case guess == name:
			hint = name + " goes before the sub-command"
		default:
			hint = didYouMean(guess)
		}
	}
	return p.fill(&Error{Message: "unrecognized arguments: " + strings.Join(shown, " "), Hint: hint})
}

// guess finds the option that was meant by name: one of that very name in a parser
// further out, else one that is like it, in the last parser that knows one.
func (p *Parser) guess(s *session, name string) (string, *argument) {
	for _, parser := range s.parsers[:max(len(s.parsers)-1, 0)] {
		if a := parser.options[name]; a != nil && a.callable() {
			return name, a
		}
	}
	for _, parser := range slices.Backward(s.parsers) {
		var names []string
		for _, o := range parser.order {
			if !o.arg.HelpSuppressed {
				names = append(names, o.name)
			}
		}
		if guess := closest(name, names); guess != "" {
			return guess, parser.options[guess]
		}
	}
	return "", nil
}
