package argparse

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// N is the Nargs of exactly n words, stored as a list.
func N(n int) Nargs { return Nargs(strconv.Itoa(n)) }

// argument is a declared Argument: completed, and with what parsing looks up.
type argument struct {
	Argument
	kind      nargsKind
	count     int // of kindN
	noDest    bool
	index     int // in parser.actions
	parser    *Parser
	exclusive *ExclusiveGroup
	sub       *Subparsers // not nil: this is the sub-command argument
}

type nargsKind uint8

const (
	kindOne nargsKind = iota
	kindOptional
	kindZeroOrMore
	kindOneOrMore
	kindRemainder
	kindParser
	kindSuppress
	kindN
)

func (a *argument) isOption() bool { return len(a.Names) > 0 }

// takesNothing reports whether the argument is a flag: nargs is 0.
func (a *argument) takesNothing() bool { return a.kind == kindN && a.count == 0 }

// display is the argument as errors name it, argparse's _get_action_name.
func (a *argument) display() string {
	switch {
	case a.isOption():
		return strings.Join(a.Names, "/")
	case len(a.Metavar) > 0:
		return strings.Join(a.Metavar, " ")
	case !a.noDest:
		return a.Dest
	case a.sub != nil:
		return "{" + strings.Join(a.sub.names, ",") + "}"
	}
	return a.Dest
}

// Add declares an argument. The error is a *DefinitionError, with argparse's text
// where argparse has one ("conflicting option string: --x"); the parser is then unchanged.
func (p *Parser) Add(a Argument) error { return p.add(a, nil, nil) }

func (p *Parser) add(def Argument, g *Group, e *ExclusiveGroup) error {
	a := &argument{Argument: def, parser: p}
	if err := a.complete(p.defaults); err != nil {
		return err
	}
	if e != nil && a.Required {
		return &DefinitionError{Message: "mutually exclusive arguments must be optional"}
	}
	return p.register(a, g, e)
}

// mustAdd is for the package's own declarations, which are known to be right.
func (p *Parser) mustAdd(def Argument) {
	if err := p.Add(def); err != nil {
		panic(err)
	}
}

func (p *Parser) register(a *argument, g *Group, e *ExclusiveGroup) error {
	var conflicts []string
	for _, name := range a.Names {
		if _, ok := p.options[name]; ok {
			conflicts = append(conflicts, name)
		}
	}
	if conflicts != nil {
		plural := ""
		if len(conflicts) > 1 {
			plural = "s"
		}
		return &DefinitionError{a.display(), "conflicting option string" + plural + ": " + strings.Join(conflicts, ", ")}
	}
	a.index = len(p.actions)
	p.actions = append(p.actions, a)
	for _, name := range a.Names {
		if _, twice := p.options[name]; !twice {
			p.order = append(p.order, option{name, a})
		}
		p.options[name] = a
		p.negative = p.negative || looksNegative(name)
	}
	if g == nil {
		g = p.positionals
		if a.isOption() {
			g = p.optionals
		}
	}
	g.actions = append(g.actions, a)
	if e != nil {
		a.exclusive = e
		e.actions = append(e.actions, a)
	}
	if p.flags != nil {
		p.flags.add(a)
	}
	return nil
}

// complete checks a declaration and fills in what argparse derives: names, dest,
// nargs, const, default, required.
func (a *argument) complete(defaults map[string]any) error {
	if a.Action == "" {
		a.Action = ActionStore
	}
	positional := len(a.Names) == 0 || len(a.Names) == 1 && !strings.HasPrefix(a.Names[0], "-")
	if positional {
		if err := a.completePositional(); err != nil {
			return err
		}
	} else if err := a.completeOption(); err != nil {
		return err
	}
	if err := a.checkDefault(); err != nil {
		return err
	}
	if a.Default == nil {
		if v, ok := defaults[a.Dest]; ok {
			a.Default = v
		}
	}
	a.copyDefault()
	if err := a.completeNargs(); err != nil {
		return err
	}
	if err := a.completeAction(); err != nil {
		return err
	}
	return a.checkMetavar()
}

func (a *argument) completePositional() error {
	switch {
	case len(a.Names) == 0 && a.Dest == "", len(a.Names) == 1 && a.Names[0] == "":
		return &DefinitionError{Message: "an argument needs a name"}
	case len(a.Names) == 1 && a.Dest != "":
		return &DefinitionError{Message: "dest supplied twice for positional argument"}
	case a.Required:
		return &DefinitionError{Message: "'required' is an invalid argument for positionals"}
	case len(a.Names) == 1:
		a.Dest = a.Names[0]
	}
	a.Names = nil
	a.Required = a.Nargs != Optional && (a.Nargs != ZeroOrMore || a.Default == nil)
	return nil
}

func (a *argument) completeOption() error {
	first := ""
	for _, name := range a.Names {
		if !strings.HasPrefix(name, "-") {
			return &DefinitionError{Message: "invalid option string " + reprString(name) + ": must start with a character '-'"}
		}
		if first == "" && strings.HasPrefix(name, "--") {
			first = name
		}
	}
	if a.Dest != "" {
		return nil
	}
	if first == "" {
		first = a.Names[0]
	}
	dest := strings.TrimLeft(first, "-")
	if dest == "" {
		return &DefinitionError{Message: "dest= is required for options like " + reprString(a.Names[len(a.Names)-1])}
	}
	a.Dest = strings.ReplaceAll(dest, "-", "_")
	return nil
}

func (a *argument) completeNargs() error {
	switch a.Nargs {
	case "":
		a.kind = kindOne
	case Optional:
		a.kind = kindOptional
	case ZeroOrMore:
		a.kind = kindZeroOrMore
	case OneOrMore:
		a.kind = kindOneOrMore
	case Remainder:
		a.kind = kindRemainder
	default:
		n, err := strconv.Atoi(string(a.Nargs))
		if err != nil || n < 0 || n > maxNargs {
			if !isNone(a.Const) && (a.Action == ActionStore || a.Action == ActionAppend || a.Action == ActionExtend) {
				return constWithoutOptional()
			}
			return &DefinitionError{Message: "invalid nargs value"}
		}
		a.kind, a.count = kindN, n
	}
	return nil
}

func (a *argument) grows() bool {
	return a.Action == ActionAppend || a.Action == ActionAppendConst || a.Action == ActionExtend
}

// checkDefault refuses a default that the action could not go on from. argparse takes
// it, and fails with a traceback when the option is given.
func (a *argument) checkDefault() error {
	if isNone(a.Default) || isSuppress(a.Default) {
		return nil
	}
	what := ""
	if a.grows() {
		if _, ok := a.parser.cfg.Values.list(a.Default); !ok {
			what = "a list"
		}
	}
	if a.Action == ActionCount {
		if _, ok := countFrom(a.Default); !ok {
			what = "an int"
		}
	}
	if what == "" {
		return nil
	}
	return &DefinitionError{a.display(), fmt.Sprintf("the default of action '%s' must be %s, got %s",
		a.Action, what, a.parser.cfg.Values.repr(a.Default))}
}

// copyDefault makes a list that will grow a []any of its own.
func (a *argument) copyDefault() {
	if !a.grows() {
		return
	}
	if list, ok := a.parser.cfg.Values.list(a.Default); ok {
		a.Default = slices.Clone(list)
	}
}

func constWithoutOptional() error {
	return &DefinitionError{Message: "nargs must be '?' to supply const"}
}

// maxNargs bounds a fixed number of words, which is spelt out in usage.
const maxNargs = 10000

func (a *argument) completeAction() error {
	unwanted := func(fields ...string) error {
		given := map[string]bool{
			"nargs": a.Nargs != "", "const": a.Const != nil, "type": a.Type.Name != "" || a.Type.Parse != nil,
			"choices": a.Choices != nil, "metavar": a.Metavar != nil, "required": a.Required,
		}
		for _, f := range fields {
			if given[f] {
				return &DefinitionError{Message: fmt.Sprintf("action '%s' got an unexpected keyword argument '%s'", a.Action, f)}
			}
		}
		return nil
	}
	flag := func(fallback, constant any, fields ...string) error {
		// The map behind unwanted is only made for a declaration that has some of it.
		if a.Nargs != "" || a.Const != nil || a.Type.Name != "" || a.Type.Parse != nil || a.Choices != nil || a.Metavar != nil || a.Required {
			if err := unwanted(fields...); err != nil {
				return err
			}
		}
		a.kind, a.count = kindN, 0
		if a.Default == nil {
			a.Default = fallback
		}
		if constant != nil {
			a.Const = constant
		}
		return nil
	}
	if a.Version != "" && a.Action != ActionVersion {
		return &DefinitionError{Message: fmt.Sprintf("action '%s' got an unexpected keyword argument 'version'", a.Action)}
	}
	switch a.Action {
	case ActionStore, ActionAppend, ActionExtend:
		if a.kind == kindN && a.count == 0 {
			if a.Action == ActionStore {
				return &DefinitionError{Message: "nargs for store actions must be != 0; if you have nothing to store, " +
					"actions such as store true or store const may be more appropriate"}
			}
			return &DefinitionError{Message: "nargs for append actions must be != 0; if arg strings are not supplying " +
				"the value to append, the append const action may be more appropriate"}
		}
		if !isNone(a.Const) && a.kind != kindOptional {
			return constWithoutOptional()
		}
		return nil
	case ActionStoreConst, ActionAppendConst:
		return flag(nil, nil, "nargs", "type", "choices")
	case ActionStoreTrue:
		return flag(false, true, "nargs", "const", "type", "choices", "metavar")
	case ActionStoreFalse:
		return flag(true, false, "nargs", "const", "type", "choices", "metavar")
	case ActionCount:
		return flag(nil, nil, "nargs", "const", "type", "choices", "metavar")
	case ActionBooleanOptional:
		if err := flag(nil, nil, "nargs", "const"); err != nil {
			return err
		}
		var names []string
		for _, name := range a.Names {
			names = append(names, name)
			if rest, ok := strings.CutPrefix(name, "--"); ok {
				names = append(names, "--no-"+rest)
			}
		}
		a.Names = names
		return nil
	case ActionHelp:
		return flag(Suppress, nil, "nargs", "const", "type", "choices", "metavar", "required")
	case ActionVersion:
		a.Deprecated = false // argparse 3.13 does not pass it on
		if a.Help == "" {
			a.Help = "show program's version number and exit"
		}
		return flag(Suppress, nil, "nargs", "const", "type", "choices", "metavar", "required")
	}
	return &DefinitionError{Message: fmt.Sprintf("unknown action %q", string(a.Action))}
}

// checkMetavar refuses a list of names that nargs has no place for.
func (a *argument) checkMetavar() error {
	names := len(a.Metavar)
	if names <= 1 {
		return nil
	}
	ok := false
	switch a.kind {
	case kindZeroOrMore, kindOneOrMore:
		ok = names == 2
	case kindRemainder:
		ok = true
	case kindN:
		ok = names == a.count || a.takesNothing()
	}
	if !ok {
		return &DefinitionError{Message: "length of metavar tuple does not match nargs"}
	}
	return nil
}

// looksNegative is argparse's test for "-5" and "-.5".
func looksNegative(s string) bool {
	digits, ok := strings.CutPrefix(s, "-")
	if !ok || digits == "" {
		return false
	}
	digits = strings.TrimSuffix(digits, "\n") // Python's $ matches before a last newline
	before, after, dotted := strings.Cut(digits, ".")
	if dotted {
		return allDigits(before) && after != "" && allDigits(after)
	}
	return digits != "" && allDigits(digits)
}

func allDigits(s string) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf {
			if _, ok := decimalDigit(r); !ok {
				return false
			}
		} else if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
