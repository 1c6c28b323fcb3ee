package argparse

// Argument declares one option or positional, as argparse's add_argument does.
type Argument struct {
	// Names are option strings ("--days", "-d"), or one name without a dash, which
	// makes a positional.
	Names []string
	// Dest is the key in the Namespace; "" derives it from the names as argparse does:
	// the first long one, else the first, with dashes made underscores.
	Dest   string
	Action Action // default ActionStore
	Nargs  Nargs  // default: one word, stored as a value and not as a list

	// Const is what store_const and append_const store, and what an option with nargs
	// Optional has without a value. nil means not given.
	Const any
	// Default is the value when the argument is absent; a Go string goes through Type.
	// nil means not given, None is an explicit None, Suppress leaves the dest out of the
	// Namespace. For append, append_const and extend it is a []any, copied and extended.
	Default any

	Type     Type  // how a word becomes a value; default: it stays a string
	Choices  []any // the values allowed, compared after conversion; nil allows all
	Required bool  // options only; positionals are required by their nargs

	Help           string // %(default)s, %(prog)s, %(choices)s and the other fields are filled in
	HelpSuppressed bool   // leave the argument out of usage and help, as argparse.SUPPRESS
	// Metavar names the value in usage and help: one name, or one for each word of nargs.
	Metavar []string

	Env        string // the environment variable to read when the words do not give the argument
	Secret     bool   // read from @file, - (stdin), Env or a prompt, and never shown
	Deprecated bool   // works, with a warning
	Completer  any    // not used here; carried for the caller
	Rank       Rank   // default Own
	Version    string // what ActionVersion prints
}

// Action is what an argument does with its values, named as in argparse.
type Action string

const (
	ActionStore           Action = "store"
	ActionStoreConst      Action = "store_const"
	ActionStoreTrue       Action = "store_true"
	ActionStoreFalse      Action = "store_false"
	ActionAppend          Action = "append"
	ActionAppendConst     Action = "append_const"
	ActionExtend          Action = "extend"
	ActionCount           Action = "count"
	ActionHelp            Action = "help"
	ActionVersion         Action = "version"
	ActionBooleanOptional Action = "BooleanOptionalAction"

	actionParsers Action = "parsers"
)

// Nargs is how many words an argument takes. The zero value takes one and stores it
// as it is; all others but Optional store a list.
type Nargs string

const (
	Optional   Nargs = "?"   // one word or none
	ZeroOrMore Nargs = "*"   // any number of words
	OneOrMore  Nargs = "+"   // at least one word
	Remainder  Nargs = "..." // everything that follows, options too

	nargsParser   Nargs = "A..."
	nargsSuppress Nargs = "==SUPPRESS=="
)

// Sentinel is a value that stands for something that no Go value is.
type Sentinel string

const (
	// Suppress as a Default keeps an absent argument out of the Namespace.
	Suppress Sentinel = "==SUPPRESS=="
	// None as a Default or Const is an explicit None: nil there means "not given".
	None Sentinel = "None"
)

// Rank orders options in help, and in what a prefix may mean.
type Rank int

const (
	Own   Rank = iota // the command's own
	Base              // every command's
	Extra             // every command's, and matched by a prefix only when no Own or Base option is
)
