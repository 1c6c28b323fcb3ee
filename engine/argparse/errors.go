package argparse

import (
	"errors"
	"strings"
)

// Error is misuse: words or values that do not fit the declarations.
type Error struct {
	Prog     string // the parser's, which may be a sub-command's
	Usage    string // that parser's FormatUsage
	Argument string // the argument at fault as argparse names it ("-d/--days", "{a,b}"), or ""
	Message  string // argparse's sentence
	Hint     string // what may have been meant ("did you mean --days?"), or ""; not part of Error()
	Err      error  // what a Type, Lookup or Secrets function failed with, or nil

	missingPositional bool
}

// Error is the text argparse prints after "prog: error: ".
func (e *Error) Error() string {
	if e.Argument == "" {
		return e.Message
	}
	return "argument " + e.Argument + ": " + e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// HelpRequest says that -h was given, to Parser: print its FormatHelp and exit 0.
type HelpRequest struct{ Parser *Parser }

func (*HelpRequest) Error() string { return "help requested" }

// VersionRequest says that a version option was given: print Text and a newline, exit 0.
type VersionRequest struct{ Text string }

func (*VersionRequest) Error() string { return "version requested" }

// DefinitionError is a declaration that argparse refuses too.
type DefinitionError struct {
	Argument string // as in Error, or ""
	Message  string
}

func (e *DefinitionError) Error() string {
	if e.Argument == "" {
		return e.Message
	}
	return "argument " + e.Argument + ": " + e.Message
}

// UnknownOptionError says that CallArgs got options that are not declared.
type UnknownOptionError struct {
	Unknown []string // sorted
	Valid   []string // every dest and long name that would do, sorted
}

func (e *UnknownOptionError) Error() string {
	return "unknown option(s): " + strings.Join(e.Unknown, ", ") +
		". Valid options are: " + strings.Join(e.Valid, ", ")
}

// TypeError is a Type's error that speaks for itself, as argparse.ArgumentTypeError:
// its message replaces "invalid NAME value: 'x'".
type TypeError struct {
	Message string
	Err     error // the cause, or nil
}

func (e *TypeError) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *TypeError) Unwrap() error { return e.Err }

func asTypeError(err error) (*TypeError, bool) { return errors.AsType[*TypeError](err) }
