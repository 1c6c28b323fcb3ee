package argparse

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// This file is the parser as a pflag.FlagSet.

// noWord is what pflag sets an option to that has no value and needs none. No word of
// a command line can hold it.
const noWord = "\x00"

// oneMore is what pflag gives a count without a value.
const oneMore = "+1"

type flags struct {
	p         *Parser
	set       *pflag.FlagSet
	given     []occurrence
	reporting bool
}

// occurrence is an option that pflag met.
type occurrence struct {
	arg  *argument
	name string
	text string
}

// FlagSet gives the options as flags, to be mounted in a pflag or cobra program. Every
// long name is a flag of its own, and the first one-letter name its shorthand. What pflag
// parses is converted and checked at once, and read with Collect. -h/--help and version
// options are not among the flags: they are the host's.
//
// pflag alone knows no abbreviations, and gives an option of several words one word
// each time it occurs. A parse by ParseArgs marks the flags it met as Changed.
func (p *Parser) FlagSet() *pflag.FlagSet {
	if p.flags == nil {
		set := pflag.NewFlagSet(p.cfg.Prog, pflag.ContinueOnError)
		set.SortFlags = false
		p.flags = &flags{p: p, set: set}
		for _, a := range p.actions {
			p.flags.add(a)
		}
	}
	return p.flags.set
}

func (f *flags) add(a *argument) {
	if !a.isOption() || !a.callable() {
		return
	}
	short := ""
	for _, name := range a.Names {
		letter := strings.TrimPrefix(name, "-")
		if len(letter) == 1 && letter != "-" && short == "" && f.set.ShorthandLookup(letter) == nil {
			short = letter
		}
	}
	long := false
	for _, name := range a.Names {
		if strings.HasPrefix(name, "--") {
			long = true
		}
	}
	for _, name := range a.Names {
		flagName := strings.TrimLeft(name, "-")
		if long && !strings.HasPrefix(name, "--") || flagName == "" || strings.Contains(flagName, "=") || f.set.Lookup(flagName) != nil {
			continue
		}
		flag := f.set.VarPF(&flagValue{flags: f, arg: a, name: name}, flagName, short, f.p.formatter().help(a))
		short = ""
		flag.Hidden = a.HelpSuppressed
		switch {
		case a.Action == ActionCount:
			flag.NoOptDefVal = oneMore
		case a.takesNothing():
			flag.NoOptDefVal = "true"
		case a.kind == kindOptional:
			flag.NoOptDefVal = f.constWord(a)
		}
	}
}

// constWord is a word that means the same as no value at all, for pflag to show.
func (f *flags) constWord(a *argument) string {
	values := &f.p.cfg.Values
	if !isNone(a.Const) && !a.Secret {
		text := values.str(a.Const)
		r := &run{session: &session{}, p: f.p}
		if v, err := r.convert(a, text); err == nil && text != "" && values.equal(v, a.Const) {
			return text
		}
	}
	return noWord
}

// report marks an option that ParseArgs met.
func (f *flags) report(a *argument, name string, args []string) {
	text := strings.Join(args, " ")
	if a.takesNothing() {
		text = "true"
	}
	if a.Secret {
		text = mask
	}
	f.reporting = true
	defer func() { f.reporting = false }()
	if flag := f.set.Lookup(strings.TrimLeft(name, "-")); flag != nil {
		_ = f.set.Set(flag.Name, text) // cannot fail while reporting
		return
	}
	f.set.VisitAll(func(flag *pflag.Flag) { // a second short name has no flag
		if v, ok := flag.Value.(*flagValue); ok && v.arg == a {
			_ = f.set.Set(flag.Name, text)
		}
	})
}

// flagValue is one flag of an argument.
type flagValue struct {
	flags *flags
	arg   *argument
	name  string
	text  string
	set   bool
}

var _ pflag.Value = (*flagValue)(nil)

// String is the value as pflag's usage shows it: the default, or what was set.
func (v *flagValue) String() string {
	if v.arg == nil { // pflag asks a zero value
		return ""
	}
	switch {
	case v.set:
		return v.text
	case isNone(v.arg.Default) || isSuppress(v.arg.Default):
		return ""
	case v.arg.Secret:
		return mask
	case v.arg.Action == ActionStoreFalse:
		return "" // a flag that is not given
	}
	if b, ok := v.arg.Default.(bool); ok {
		if b {
			return "true"
		}
		return "false"
	}
	return v.flags.p.cfg.Values.str(v.arg.Default)
}

// Type names the kind of value in pflag's usage.
func (v *flagValue) Type() string {
	switch {
	case v.arg.Action == ActionCount:
		return "count"
	case v.arg.takesNothing():
		return "bool"
	case v.arg.Type.Name == "" || v.arg.Type.Name == "str":
		return "string"
	}
	return v.arg.Type.Name
}

// Set converts and checks one word, and keeps it for Collect.
func (v *flagValue) Set(text string) error {
	if v.flags.reporting {
		v.text, v.set = text, true
		return nil
	}
	a := v.arg
	switch {
	case a.Action == ActionCount:
		if n, err := parseInt(text); err != nil || text != oneMore && !isCount(n) {
			return &Error{Message: "invalid int value: " + reprString(text), Err: err}
		}
	case a.takesNothing():
		if _, err := parseBool(text); err != nil {
			return &Error{Message: "invalid bool value: " + reprString(text), Err: err}
		}
	case text != noWord && !a.Secret:
		r := &run{session: &session{}, p: v.flags.p}
		value, err := r.convert(a, text)
		if err == nil && a.kind != kindRemainder {
			err = r.check(a, value)
		}
		if e, ok := err.(*Error); ok {
			bare := *e
			bare.Argument = "" // pflag names the flag itself
			return &bare
		}
	}
	v.flags.given = append(v.flags.given, occurrence{a, v.name, text})
	v.text, v.set = text, true
	if a.Secret {
		v.text = mask
	}
	return nil
}

// Collect gives the values after pflag has parsed the flags of FlagSet: rest are the
// words that pflag left, FlagSet.Args. Required arguments, exclusive groups, defaults and
// environment are as with ParseArgs, and so are the errors. It uses up what pflag set.
func (p *Parser) Collect(rest []string) (Namespace, error) {
	s := &session{}
	ns := make(Namespace, len(p.actions)+len(p.defaults))
	var given []occurrence
	if p.flags != nil {
		given, p.flags.given = p.flags.given, nil
	}
	r := &run{session: s, p: p, ns: ns, words: rest, state: make([]uint8, len(p.actions))}
	r.setDefaults()
	err := r.collect(given)
	if err == nil {
		err = r.complete()
	}
	if p.cfg.Warn != nil {
		for _, w := range s.warnings {
			p.cfg.Warn(w)
		}
	}
	if err != nil {
		return nil, p.fill(err)
	}
	if extras := append(r.extras, r.extrasOfSub...); len(extras) > 0 {
		return nil, p.unrecognized(s, extras)
	}
	p.finish(ns)
	return ns, nil
}

func (r *run) collect(given []occurrence) error {
	done := map[*argument]bool{}
	for i, o := range given {
		if done[o.arg] {
			continue
		}
		if o.arg.Deprecated {
			r.warnOnce(o.name, "option '"+o.name+"' is deprecated")
		}
		args, skip := []string{o.text}, false
		switch a := o.arg; {
		case a.Action == ActionCount && o.text != oneMore:
			n, _ := parseInt(o.text)
			if err := r.setFlag(a, n, true); err != nil {
				return err
			}
			continue
		case a.Action == ActionCount:
			args = nil
		case a.takesNothing():
			o.name, skip = flagOccurrence(o)
			args = nil
		case a.kind == kindOptional && o.text == noWord:
			args = nil
		case a.kind != kindOne && a.kind != kindOptional && a.Action != ActionAppend:
			done[a] = true // all of its words are one list
			for _, later := range given[i+1:] {
				if later.arg == a {
					args = append(args, later.text)
				}
			}
		}
		if skip {
			continue
		}
		if n, ok := matchOption(o.arg, slices.Repeat([]byte{word}, len(args))); !ok || n != len(args) {
			return expected(o.arg)
		}
		if err := r.take(o.arg, args, o.name); err != nil {
			return err
		}
	}
	var positionals []*argument
	for _, a := range r.p.actions {
		if !a.isOption() {
			positionals = append(positionals, a)
		}
	}
	r.pattern = slices.Repeat([]byte{word}, len(r.words))
	end, err := r.takePositionals(&positionals, 0)
	if err == nil {
		r.extras = r.words[end:]
	}
	return err
}

func isCount(v any) bool {
	n, ok := v.(int)
	return ok && n >= 0
}

// flagOccurrence is the option string that a flag stands for when pflag has set it true
// or false, or skip when it stands for none.
func flagOccurrence(o occurrence) (name string, skip bool) {
	if on, _ := parseBool(o.text); on == true {
		return o.name, false
	}
	if o.arg.Action != ActionBooleanOptional {
		return "", true
	}
	if strings.HasPrefix(o.name, "--no-") {
		return "--", false
	}
	return "--no-", false
}
