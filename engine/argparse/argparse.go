// Package argparse gives Go programs the command lines of Python 3.13's
// argparse module: the same nargs, abbreviations, clusters, negative numbers,
// groups and sub-commands, the same values, the same usage and help, and the
// same sentence for every mistake. Options are at the same time flags of a
// [pflag.FlagSet], so that a pflag or cobra program can mount them.
//
// A parser is declared and then used:
//
//	p := argparse.New(argparse.Config{Prog: "prune"})
//	p.Add(argparse.Argument{Names: []string{"--days"}, Type: argparse.Int, Default: 30})
//	ns, err := p.ParseArgs(os.Args[1:])
//
// ParseArgs gives a [Namespace], or one of three errors: *[Error] (misuse: print
// its usage and its text, exit 2), *[HelpRequest] and *[VersionRequest] (print
// what they hold, exit 0). Nothing here prints, exits, or reads the environment.
//
// Beyond argparse:
//
//   - words that argparse refuses as "unrecognized arguments" only because
//     positionals and options are mixed are accepted where its
//     parse_intermixed_args accepts them;
//   - [Parser.CallArgs] binds Go values by the same declarations, as Django's
//     call_command does, but strictly;
//   - [Argument] can take its value from the environment (Env), be a secret
//     (Secret), and rank behind the other options (Rank);
//   - [Parser.Describe] gives the declarations as data;
//   - defaults that append, extend and count could not go on from are refused where
//     argparse ends in a traceback.
//
// A Parser is declared and used by one goroutine at a time.
package argparse

// Config says what a parser is called and how it prints. The zero value works,
// though a Prog is wanted by everything that prints.
type Config struct {
	Prog        string // the program's name in usage and errors
	Usage       string // the usage text after "usage: "; "" generates it; %(prog)s is Prog
	Description string // text before the arguments
	Epilog      string // text after the arguments

	Examples []Example // shown before the options, in ManageLayout only
	Footer   string    // the last line of help, in ManageLayout only
	Layout   Layout    // default ArgparseLayout
	NoHelp   bool      // declare no -h/--help

	// MissingArgsMessage replaces the error when a positional is missing and
	// no words, or options alone, were given. With no words at all it is the error
	// even where every positional is optional, as with Django's missing_args_message,
	// unless one has an Env.
	MissingArgsMessage string

	// Width is the number of columns of the terminal; nil means 80. ManageLayout
	// uses 100 at most.
	Width func() int

	// Lookup gives the value of an environment variable for Argument.Env; nil
	// means that no variable is set. An error stops the parse.
	Lookup func(name string) (value string, ok bool, err error)

	Secrets Secrets              // where secret arguments are read
	Warn    func(message string) // gets "option '--x' is deprecated" and the like; nil drops it
	Values  Values               // how values of foreign types compare and print
}

// Example is a command line and what it does.
type Example struct {
	Line string `json:"line"`
	Help string `json:"help,omitempty"`
}

// Layout is the arrangement of a help text.
type Layout int

const (
	// ArgparseLayout is argparse's format_help, byte for byte.
	ArgparseLayout Layout = iota
	// ManageLayout puts the description first, then usage, examples, positionals,
	// the command's own options, base options on one line each, epilog and footer.
	ManageLayout
)

// Secrets reads the values of secret arguments. A nil field means that this way
// is not available, which is an error for the user who asks for it.
type Secrets struct {
	ReadFile  func(name string) ([]byte, error)  // for @name
	ReadStdin func() (string, error)             // for -
	Prompt    func(label string) (string, error) // for a required secret that is absent
}

// Values are hooks over opaque values: those that are not nil, bool, a number, a
// string, []any or map[string]any. A nil field treats them as Go does.
type Values struct {
	Equal func(a, b any) bool // used for choices
	Repr  func(v any) string  // Python's repr
	Str   func(v any) string  // Python's str
	// List gives the items of a list or tuple, or false. Go slices need no hook.
	List func(v any) ([]any, bool)
}

// Namespace holds the values of one parse: dest → value. A value is a bool, an
// int (count), []any (a list), what Type.Parse gave, a default as it was declared,
// or nil for None.
type Namespace map[string]any

// Parser declares arguments and turns words into values.
type Parser struct {
	cfg     Config
	actions []*argument
	options map[string]*argument
	order   []option // option strings in order of declaration
	groups  []*Group
	// positionals and optionals are the groups of arguments added to the parser itself.
	positionals, optionals *Group
	exclusive              []*ExclusiveGroup
	subparsers             *Subparsers
	defaults               map[string]any
	defaultKeys            []string
	negative               bool   // an option looks like a negative number
	flags                  *flags // nil until FlagSet is asked for
}

type option struct {
	name string
	arg  *argument
}

// New returns a parser that knows -h/--help, unless Config.NoHelp says otherwise.
// It does no I/O and cannot fail.
func New(cfg Config) *Parser {
	p := &Parser{cfg: cfg, options: make(map[string]*argument, 32), actions: make([]*argument, 0, 16), order: make([]option, 0, 32)}
	p.positionals = p.Group("positional arguments", "")
	p.optionals = p.Group("options", "")
	if !cfg.NoHelp {
		rank := Own
		if cfg.Layout == ManageLayout {
			rank = Base
		}
		p.mustAdd(Argument{Names: []string{"-h", "--help"}, Action: ActionHelp, Default: Suppress,
			Help: "show this help message and exit", Rank: rank})
	}
	return p
}

// Prog is the program's name as usage and errors print it.
func (p *Parser) Prog() string { return p.cfg.Prog }

// Group is a set of arguments with a heading of its own in the help.
type Group struct {
	parser      *Parser
	title       string
	description string
	actions     []*argument
}

// Group adds a group of arguments. Without a title it has no heading.
func (p *Parser) Group(title, description string) *Group {
	g := &Group{parser: p, title: title, description: description}
	p.groups = append(p.groups, g)
	return g
}

// Add declares an argument shown in this group. Errors as Parser.Add.
func (g *Group) Add(a Argument) error { return g.parser.add(a, g, nil) }

// Exclusive adds to the group a set of arguments of which at most one may be given.
func (g *Group) Exclusive(required bool) *ExclusiveGroup {
	return g.parser.addExclusive(g, required)
}

// ExclusiveGroup is a set of arguments of which at most one may be given.
type ExclusiveGroup struct {
	parser   *Parser
	group    *Group // nil: the parser's own
	required bool
	actions  []*argument
}

// Exclusive adds a set of arguments of which at most one may be given, and one
// must be if required says so.
func (p *Parser) Exclusive(required bool) *ExclusiveGroup { return p.addExclusive(nil, required) }

func (p *Parser) addExclusive(g *Group, required bool) *ExclusiveGroup {
	e := &ExclusiveGroup{parser: p, group: g, required: required}
	p.exclusive = append(p.exclusive, e)
	return e
}

// Add declares an argument of the set; it cannot be required by itself. Errors as
// Parser.Add.
func (e *ExclusiveGroup) Add(a Argument) error { return e.parser.add(a, e.group, e) }

// SetDefaults gives values to dests, whether or not an argument has that dest, as
// argparse's set_defaults. It replaces the defaults of arguments already declared
// and holds for those still to come.
func (p *Parser) SetDefaults(values map[string]any) {
	if p.defaults == nil {
		p.defaults = make(map[string]any, len(values))
	}
	for _, dest := range sortedKeys(values) {
		if _, ok := p.defaults[dest]; !ok {
			p.defaultKeys = append(p.defaultKeys, dest)
		}
		p.defaults[dest] = values[dest]
	}
	for _, a := range p.actions {
		if v, ok := values[a.Dest]; ok {
			a.Default = v
			a.copyDefault()
		}
	}
}

// Default is the default of a dest: an argument's, else that of SetDefaults, else nil.
func (p *Parser) Default(dest string) any {
	for _, a := range p.actions {
		if a.Dest == dest && !isNone(a.Default) {
			return a.Default
		}
	}
	return plain(p.defaults[dest])
}

// Arguments lists the arguments in order of declaration, -h/--help included, with
// Dest, Nargs, Const, Default and Names as they were completed. The sub-command
// argument is not among them. Treat them as read-only.
func (p *Parser) Arguments() []*Argument {
	list := make([]*Argument, 0, len(p.actions))
	for _, a := range p.actions {
		if a.sub == nil {
			list = append(list, &a.Argument)
		}
	}
	return list
}

// Has reports whether name is an option string or a dest of this parser.
func (p *Parser) Has(name string) bool {
	if _, ok := p.options[name]; ok {
		return true
	}
	for _, a := range p.actions {
		if a.Dest == name && !a.noDest {
			return true
		}
	}
	return false
}
