package argparse

import "strings"

// SubparsersConfig says how the sub-commands of a parser appear. A Title or a
// Description gives them a group of their own in the help.
type SubparsersConfig struct {
	Title, Description string
	Dest               string   // where the sub-command's name is stored; "" stores it nowhere
	Metavar            []string // default {a,b,…}
	Required           bool
	Help               string
	HelpSuppressed     bool
	Prog               string // what the sub-commands' Prog begins with; default the parser's and its positionals
}

// SubparserConfig describes one sub-command. Width, Lookup, Secrets, Warn, Values and
// Layout are the parent's.
type SubparserConfig struct {
	Help       string // "" leaves it out of the parent's list
	Aliases    []string
	Deprecated bool

	Prog, Usage, Description, Epilog string // as in Config
	Examples                         []Example
	Footer                           string
	NoHelp                           bool
}

// Subparsers are the sub-commands of a parser.
type Subparsers struct {
	parser     *Parser
	prog       string
	action     *argument
	names      []string // with aliases, in order of declaration
	parsers    map[string]*Parser
	commands   []*subcommand
	deprecated map[string]bool
}

type subcommand struct {
	name   string
	cfg    SubparserConfig
	parser *Parser
}

// Subparsers lets the parser have sub-commands. A parser can have one such set.
func (p *Parser) Subparsers(cfg SubparsersConfig) (*Subparsers, error) {
	if p.subparsers != nil {
		return nil, &DefinitionError{Message: "cannot have multiple subparser arguments"}
	}
	s := &Subparsers{parser: p, prog: cfg.Prog, parsers: map[string]*Parser{}, deprecated: map[string]bool{}}
	s.action = &argument{parser: p, kind: kindParser, sub: s, noDest: cfg.Dest == ""}
	s.action.Argument = Argument{Dest: cfg.Dest, Action: actionParsers, Nargs: nargsParser, Metavar: cfg.Metavar,
		Required: cfg.Required, Help: cfg.Help, HelpSuppressed: cfg.HelpSuppressed}
	if len(cfg.Metavar) > 1 {
		return nil, &DefinitionError{Message: "length of metavar tuple does not match nargs"}
	}
	if s.prog == "" {
		s.prog = p.progWithPositionals()
	}
	group := p.positionals
	if cfg.Title != "" || cfg.Description != "" {
		title := cfg.Title
		if title == "" {
			title = "subcommands"
		}
		group = p.Group(title, cfg.Description)
	}
	p.subparsers = s
	return s, p.register(s.action, group, nil)
}

// Add declares a sub-command and returns its parser.
func (s *Subparsers) Add(name string, c SubparserConfig) (*Parser, error) {
	if _, ok := s.parsers[name]; ok {
		return nil, &DefinitionError{s.action.display(), "conflicting subparser: " + name}
	}
	for _, alias := range c.Aliases {
		if _, ok := s.parsers[alias]; ok {
			return nil, &DefinitionError{s.action.display(), "conflicting subparser alias: " + alias}
		}
	}
	cfg := s.parser.cfg
	cfg.Prog, cfg.Usage, cfg.Description, cfg.Epilog = c.Prog, c.Usage, c.Description, c.Epilog
	cfg.Examples, cfg.Footer, cfg.NoHelp, cfg.MissingArgsMessage = c.Examples, c.Footer, c.NoHelp, ""
	if cfg.Prog == "" {
		cfg.Prog = strings.TrimPrefix(s.prog+" "+name, " ")
	}
	sub := New(cfg)
	for _, n := range append([]string{name}, c.Aliases...) {
		if _, twice := s.parsers[n]; !twice {
			s.names = append(s.names, n)
		}
		s.parsers[n] = sub
		if c.Deprecated {
			s.deprecated[n] = true
		}
	}
	s.commands = append(s.commands, &subcommand{name, c, sub})
	return sub, nil
}

// Subcommands are the parser's sub-commands, or nil when it has none.
func (p *Parser) Subcommands() *Subparsers { return p.subparsers }

// Parser is the parser of a sub-command, by name or alias, or nil.
func (s *Subparsers) Parser(name string) *Parser { return s.parsers[name] }

// Names are the sub-commands' names and aliases in order of declaration.
func (s *Subparsers) Names() []string { return append([]string(nil), s.names...) }
