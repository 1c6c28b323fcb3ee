package argparse

import "strings"

// Description is a parser as data: enough for a form, a JSON schema, completion or a
// reference page. It holds plain Go values and the opaque ones of the declarations.
type Description struct {
	Prog        string                `json:"prog"`
	Usage       string                `json:"usage"` // as FormatUsage
	Description string                `json:"description,omitempty"`
	Epilog      string                `json:"epilog,omitempty"`
	Examples    []Example             `json:"examples,omitempty"`
	Arguments   []ArgumentDescription `json:"arguments"` // in order of declaration
	// Groups are those that have a description, in order of declaration.
	Groups []GroupDescription `json:"groups,omitempty"`
	// Exclusive are sets of dests of which at most one may be given.
	Exclusive   []ExclusiveDescription  `json:"exclusive,omitempty"`
	Subcommands *SubcommandsDescription `json:"subcommands,omitempty"`
}

// ArgumentDescription is one argument.
type ArgumentDescription struct {
	Names      []string `json:"names,omitempty"` // option strings; none for a positional
	Dest       string   `json:"dest"`
	Positional bool     `json:"positional,omitempty"`
	Action     Action   `json:"action"`
	Nargs      Nargs    `json:"nargs,omitempty"`
	// Min and Max are the number of words that one occurrence takes; Max -1 is any number.
	Min int `json:"min"`
	Max int `json:"max"`
	// Repeatable options add to their value each time they occur.
	Repeatable bool `json:"repeatable,omitempty"`
	// Type names the type of a value, or of a list's items: "str", "int", "bool" for flags.
	Type string `json:"type"`
	// List says that the value is a list (and for append with several words, of lists).
	List    bool     `json:"list,omitempty"`
	Default any      `json:"default,omitempty"` // nil for None, for none, and for a secret
	Const   any      `json:"const,omitempty"`
	Choices []any    `json:"choices,omitempty"`
	Help    string   `json:"help,omitempty"` // with its fields filled in
	Metavar []string `json:"metavar"`        // what stands for the words in usage
	Group   string   `json:"group,omitempty"`

	// Required says that there must be a value: unlike argparse's own attribute it is
	// false for a positional that may take no words.
	Required   bool   `json:"required,omitempty"`
	Env        string `json:"env,omitempty"`
	Secret     bool   `json:"secret,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
	Hidden     bool   `json:"hidden,omitempty"`
	Rank       Rank   `json:"rank,omitempty"`
	Completer  any    `json:"-"` // as declared
}

// GroupDescription is what help says about the arguments whose Group is Title.
type GroupDescription struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description"`
}

// ExclusiveDescription is a set of arguments of which at most one may be given.
type ExclusiveDescription struct {
	Required  bool  `json:"required,omitempty"`
	Arguments []int `json:"arguments"` // indices into Description.Arguments
}

// SubcommandsDescription are the sub-commands.
type SubcommandsDescription struct {
	Dest     string                  `json:"dest,omitempty"`
	Required bool                    `json:"required,omitempty"`
	Help     string                  `json:"help,omitempty"`
	Metavar  string                  `json:"metavar"` // what stands for the name in usage
	Group    string                  `json:"group,omitempty"`
	Hidden   bool                    `json:"hidden,omitempty"`
	Commands []SubcommandDescription `json:"commands"`
}

// SubcommandDescription is one sub-command.
type SubcommandDescription struct {
	Name       string      `json:"name"`
	Aliases    []string    `json:"aliases,omitempty"`
	Help       string      `json:"help,omitempty"`
	Deprecated bool        `json:"deprecated,omitempty"`
	Parser     Description `json:"parser"`
}

// Describe gives the declarations as data. The default of a secret is left out.
func (p *Parser) Describe() Description {
	f := p.formatter()
	d := Description{Prog: p.cfg.Prog, Usage: p.FormatUsage(), Epilog: p.cfg.Epilog, Examples: p.cfg.Examples,
		Description: p.cfg.Description, Arguments: []ArgumentDescription{}}
	groups := map[*argument]string{}
	for _, g := range p.groups {
		for _, a := range g.actions {
			groups[a] = g.title
		}
		if g.description != "" {
			d.Groups = append(d.Groups, GroupDescription{g.title, g.description})
		}
	}
	at := map[*argument]int{}
	for _, a := range p.actions {
		if a.sub != nil {
			d.Subcommands = a.sub.describe(f, groups[a])
			continue
		}
		at[a] = len(d.Arguments)
		d.Arguments = append(d.Arguments, f.describe(a, groups[a]))
	}
	for _, e := range p.exclusive {
		x := ExclusiveDescription{Required: e.required, Arguments: []int{}}
		for _, a := range e.actions {
			x.Arguments = append(x.Arguments, at[a])
		}
		d.Exclusive = append(d.Exclusive, x)
	}
	return d
}

func (f *formatter) describe(a *argument, group string) ArgumentDescription {
	d := ArgumentDescription{Names: a.Names, Dest: a.Dest, Positional: !a.isOption(), Action: a.Action, Nargs: a.Nargs,
		Min: 1, Max: 1, Type: a.typeName(), Choices: a.Choices, Help: fold(f.help(a)), Group: group,
		Env: a.Env, Secret: a.Secret, Deprecated: a.Deprecated, Hidden: a.HelpSuppressed, Rank: a.Rank, Completer: a.Completer}
	switch a.kind {
	case kindOptional:
		d.Min = 0
	case kindZeroOrMore, kindRemainder:
		d.Min, d.Max = 0, -1
	case kindOneOrMore:
		d.Max = -1
	case kindN:
		d.Min, d.Max = a.count, a.count
	}
	d.Required = a.Required && (a.isOption() || d.Min > 0)
	d.List = a.kind != kindOne && a.kind != kindOptional
	switch a.Action {
	case ActionAppend, ActionAppendConst, ActionExtend:
		d.List, d.Repeatable = true, true
	case ActionCount:
		d.List, d.Repeatable, d.Type = false, true, "int"
	case ActionStoreConst:
		d.List = false
	case ActionStoreTrue, ActionStoreFalse, ActionBooleanOptional, ActionHelp, ActionVersion:
		d.List, d.Type = false, "bool"
	}
	if !a.takesNothing() {
		fallback := a.Dest
		if a.isOption() {
			fallback = strings.ToUpper(a.Dest)
		}
		d.Metavar = f.metavars(a, fallback, 1)
	}
	if !a.Secret {
		d.Const = plain(a.Const)
		if !isSuppress(a.Default) {
			d.Default = plain(a.Default)
		}
	}
	return d
}

func (s *Subparsers) describe(f *formatter, group string) *SubcommandsDescription {
	d := &SubcommandsDescription{Dest: s.action.Dest, Required: s.action.Required, Help: fold(f.help(s.action)),
		Metavar: f.metavars(s.action, "", 1)[0], Group: group, Hidden: s.action.HelpSuppressed,
		Commands: []SubcommandDescription{}}
	for _, c := range s.commands {
		d.Commands = append(d.Commands, SubcommandDescription{Name: c.name, Aliases: c.cfg.Aliases, Help: fold(f.subHelp(c)),
			Deprecated: c.cfg.Deprecated, Parser: c.parser.Describe()})
	}
	return d
}
