package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine/argparse"
)

// Config says what an Engine works with. The zero value works: it runs the
// project found upwards from the current directory, with the core commands
// alone, and prints nowhere.
type Config struct {
	// FS is the project's tree: settings.star and apps/ stand at its root.
	// When set, the engine touches no other folder and --project is refused.
	// Default: the project found upwards from the current directory, or the
	// one that --project or MANAGE_PROJECT names.
	FS fs.FS

	// Apps are apps compiled into the program. They follow the project's apps
	// unless INSTALLED_APPS places them by label. Default: none.
	Apps []App

	// Modules are what scripts may use: the list is the capability list.
	// Default: none, so that a script has the language alone.
	Modules []Module

	// Settings are laid over those of settings.star. Values are plain Go:
	// nil, bool, ints, floats, strings, slices and maps. Default: none.
	Settings map[string]any

	// Stdin is what stdin.read and prompts read. Default: empty.
	Stdin io.Reader

	// Stdout takes results. Whether it is a terminal decides colour and
	// buffering: an *os.File is asked. Default: io.Discard.
	Stdout io.Writer

	// Stderr takes errors, warnings and logs. Default: io.Discard.
	Stderr io.Writer

	// Getenv reads the environment, as os.LookupEnv does. Default: an empty
	// environment.
	Getenv func(name string) (value string, ok bool)

	// Now is the clock. Default: time.Now.
	Now func() time.Time

	// Logger receives the engine's own diagnostics (a command's start and end,
	// at level debug), not what scripts log. Default: none are written.
	Logger *slog.Logger

	// Version is what `manage version` prints. Default: "(devel)".
	Version string

	// Limits bound every command; settings, command files and options can
	// only tighten them. Default: no limits.
	Limits Limits
}

// Limits bound one run of a command, calls of other commands included.
type Limits struct {
	// Timeout is how long a run may take. Default: 0, no limit.
	Timeout time.Duration
	// Steps is how many steps of the Starlark interpreter one invocation may
	// take. Default: 0, no limit.
	Steps uint64
}

// App is a named set of commands. The project's folders, modules' commands,
// a host's own and the core commands are all Apps in one ordered list.
type App struct {
	// Label names the app: the folder's name for an app of the project.
	Label string
	// FS is the app's folder; its commands are management/commands/<name>.star.
	// May be nil when the app has commands in Go alone.
	FS fs.FS
	// Commands are commands written in Go. They win over files of that name.
	Commands []Command
}

// Command is one command: a struct filled in Go, or by loading a .star file.
type Command struct {
	// Name is what the shell types. For a file it is the file's name.
	Name string
	// Help describes the command; its first line stands in the list.
	Help string
	// Epilog stands after the options in the command's help.
	Epilog string
	// Examples stand before the options in the command's help.
	Examples []argparse.Example
	// AddArguments declares the command's arguments; it does no I/O.
	// Default: the command takes the base options alone.
	AddArguments func(p *argparse.Parser) error
	// Handle is the body. Its value is the result of Call: a string is also
	// written to stdout. Required.
	Handle func(ctx context.Context, inv *Invocation) (any, error)
	// SystemCheckTags limits the system checks made before a run. Default
	// nil: all of them; an empty, non-nil slice: none.
	SystemCheckTags []string
	// StealthOptions are options that Call and call_command accept though no
	// argument declares them, as Django's stealth_options.
	StealthOptions []string
	// SuppressedBaseArguments are base options ("--verbosity") that the help
	// does not show, as Django's suppressed_base_arguments.
	SuppressedBaseArguments []string
	// MissingArgsMessage replaces the error about missing positionals, as
	// Django's missing_args_message.
	MissingArgsMessage string
	// Limits bound each run of this command.
	Limits Limits

	script *script // set for a command loaded from a file
}

// Module brings names into scripts. It keeps no state of a run: a builtin
// finds its Invocation through Builtin. A Module may implement, and is asked
// in this order: Configurer, AppProvider, Library, Extender, Checker,
// io.Closer.
type Module interface {
	// Name identifies the module in messages.
	Name() string
	// Predeclared returns the names that every script of this Engine sees.
	// It is called once.
	Predeclared() starlark.StringDict
}

// Configurer is a Module that reads settings: once, after settings.star has
// run and before any command does. It does no I/O. An error is a mistake in
// the settings and stands in the way of every command of the project.
type Configurer interface {
	Configure(settings Settings) error
}

// AppProvider is a Module that brings commands.
type AppProvider interface {
	Apps() []App
}

// Checker is a Module that takes part in the system checks.
type Checker interface {
	Check(ctx context.Context, run *CheckRun) []CheckMessage
}

// Library is a Module that offers names to load("@std", …). They are made when
// a script first loads from @std.
type Library interface {
	Std() starlark.StringDict
}

// Extender is a Module that gives meaning to further attributes of a command
// file ("atomic") and takes part in the run of every command.
type Extender interface {
	// Attributes names the top-level names of a file that the module reads.
	Attributes() []string
	// Arguments adds the base options that the attributes ask for. attrs holds
	// those of Attributes that the file sets. An error says what is wrong with
	// an attribute's value.
	Arguments(attrs starlark.StringDict, p *argparse.Parser) error
	// Around runs next, which is handle, and may do something before and
	// after. It must call next at most once and return its error.
	Around(inv *Invocation, next func() error) error
}

// Args is what a call of a command is given. The zero value calls it without
// arguments.
type Args struct {
	// Positional are the positional arguments in order. Strings are converted
	// as the shell's words are; other values must be of the declared type.
	Positional []any
	// Options are values by dest or by long name ("dry_run").
	Options map[string]any
	// Stdin, Stdout and Stderr replace the Engine's streams, or the caller's
	// for a nested call, when not nil.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// CommandInfo describes a command: enough to draw a form.
type CommandInfo struct {
	Name string `json:"name"`
	App  string `json:"app"`
	File string `json:"file,omitempty"` // empty for a command in Go
	Help string `json:"help"`
	// Arguments is nil when Err is set.
	Arguments *argparse.Description `json:"arguments,omitempty"`
	// Err says why the command cannot be run: a file that does not load.
	Err error `json:"-"`
}

// Engine finds and runs the commands of one project. It may be used by many
// goroutines at once. Close it when it is no longer used.
type Engine struct {
	cfg      Config
	programs programCache

	predeclared starlark.StringDict // what every script sees; never changed
	mistake     error               // what is wrong with cfg.Modules

	stdin          *Input
	stdout, stderr *sink

	mu     sync.Mutex
	opened *project
	at     location // where opened was found
	closed bool
}

// New returns an Engine. It does no I/O and cannot fail: mistakes in cfg
// surface from Run, Call and Commands.
func New(cfg Config) *Engine {
	if cfg.Stdin == nil {
		cfg.Stdin = emptyReader{}
	}
	if cfg.Stdout == nil {
		cfg.Stdout = io.Discard
	}
	if cfg.Stderr == nil {
		cfg.Stderr = io.Discard
	}
	if cfg.Getenv == nil {
		cfg.Getenv = func(string) (string, bool) { return "", false }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Version == "" {
		cfg.Version = "(devel)"
	}
	e := &Engine{cfg: cfg, stdin: newInput(cfg.Stdin)}
	e.stdout, e.stderr = newSinks(cfg.Stdout, cfg.Stderr)
	e.predeclared, e.mistake = predeclare(cfg.Modules)
	return e
}

// predeclare collects the names that modules bring. Two modules with one name
// are a mistake of the host's, which every run reports.
func predeclare(modules []Module) (starlark.StringDict, error) {
	names := starlark.StringDict{"argparse": argparseModule()}
	owner := map[string]string{"argparse": "engine"}
	var mistakes []error
	for i, m := range modules {
		failure := safely(func() error {
			if m == nil {
				return fmt.Errorf("module %d of the program is nil", i+1)
			}
			for name, v := range m.Predeclared() {
				if other, taken := owner[name]; taken {
					return fmt.Errorf("modules %q and %q both offer the name %q", other, m.Name(), name)
				}
				if v == nil {
					return fmt.Errorf("module %q offers the name %q without a value", m.Name(), name)
				}
				v.Freeze()
				owner[name], names[name] = m.Name(), v
			}
			return nil
		})
		mistakes = append(mistakes, failure)
	}
	return names, errors.Join(mistakes...)
}

type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, io.EOF }

// Close releases what modules hold, in the reverse of their order, and then
// the project's folder. Calls after it fail. It is safe to call twice.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	opened := e.opened
	e.mu.Unlock()

	var errs []error
	for i := len(e.cfg.Modules) - 1; i >= 0; i-- {
		if c, ok := e.cfg.Modules[i].(io.Closer); ok {
			errs = append(errs, safely(c.Close))
		}
	}
	if opened != nil {
		errs = append(errs, opened.close())
	}
	return errors.Join(errs...)
}

var errClosed = &CommandError{Message: "the engine is closed", Err: os.ErrClosed}
