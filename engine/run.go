package engine

// Run: the shell's way in. Words before and after the command's name, the
// command, and the error or the document that the shell sees.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
	"github.com/starmanage/starmanage/internal/suggest"
)

// Run carries out a command line as a shell gives it: argv[0] is the
// program's name. Results go to Config.Stdout, everything else to
// Config.Stderr. It returns the exit code and never exits the process. It may
// be called by many goroutines at once, who then share the streams.
//
// When ctx ends, the run stops: what is open is rolled back and deferred
// functions run. The context's cause decides the message and the code: an
// *Interrupt for a signal.
func (e *Engine) Run(ctx context.Context, argv []string) (code int) {
	defer func() { // a function of the host's that deciding colours or writing needs
		if r := recover(); r != nil {
			fault := &InternalError{Value: r}
			code = ExitCode(fault)
			_ = e.stderr.write([]byte(describe(fault, false, style.None)))
		}
	}()
	words := argv
	if len(words) > 0 {
		words = words[1:]
	}
	line := readAhead(words)
	sh := &shell{line: line, traceback: line.traceback, colors: e.colorsFor(style.Choice{NoColor: line.noColor, ForceColor: line.forceColor})}
	if line.json {
		sh.document = newDocument(line.name, e.cfg.Now())
	}
	err := safely(func() error { return e.dispatch(ctx, sh) })
	code = ExitCode(err)
	stdout, stderr := sh.colors.streams(e.stdout, e.stderr)
	if doc := sh.document; doc != nil {
		doc.fail(err, code)
		text, formless := doc.encode(e.cfg.Now())
		if formless != nil && err == nil {
			err, code = formless, ExitCode(formless)
		}
		fmt.Fprintln(stdout, text)
	}
	if failure := describe(err, sh.traceback, stderr.Style()); failure != "" {
		fmt.Fprint(stderr, failure)
	}
	if flushErr := stdout.Flush(); flushErr != nil && code == 0 {
		code = ExitCode(flushErr)
		fmt.Fprintf(stderr, "Error: writing to stdout: %v\n", plainPathError(flushErr))
	}
	return code
}

// shell is what a command line asks of its run as a whole: as it was read
// ahead, and corrected once the command's parser has read it.
type shell struct {
	line      commandLine
	colors    colors
	traceback bool
	document  *document // nil without --json
	stop      context.CancelCauseFunc
}

// dispatch runs the command that the line names.
func (e *Engine) dispatch(ctx context.Context, sh *shell) error {
	line := &sh.line
	if line.err != nil {
		return line.err
	}
	if err := line.conflict(); err != nil {
		return err
	}
	p, err := e.openFor(ctx, line)
	if err != nil {
		return err
	}
	ctx, sh.stop = context.WithCancelCause(ctx)
	defer sh.stop(nil)
	_, err = e.invoke(ctx, request{project: p, name: line.name, words: line.words, shell: sh})
	return err
}

// boundLoading lets --timeout bound what comes before handle too: a file's top
// level, add_arguments, type functions. It does nothing for a file that has an
// option of that name itself. loaded ends it: then the command's time starts.
func (sh *shell) boundLoading(e *Engine, ref commandRef) (loaded func()) {
	t, err := parseDuration(sh.line.timeout)
	if err != nil || ref.file == "" { // a bad duration is the parser's to refuse
		return func() {}
	}
	prog, err := e.program(ref.app.tree, ref.file)
	if err != nil || declaresOption(prog.src, "--timeout") {
		return func() {}
	}
	timer := time.AfterFunc(t, func() { sh.stop(timeLimit(t)) })
	return func() { timer.Stop() }
}

// correct takes what the command's parser made of the base options: it knows
// prefixes (--js), and words that only look like options.
func (sh *shell) correct(inv *Invocation, p *argparse.Parser) error {
	for dest, ahead := range map[string]string{"settings": sh.line.settings, "project": sh.line.project} {
		if v, ok := inv.options[dest].(string); ok && v != ahead && !inv.owns(dest) {
			return &argparse.Error{Prog: p.Prog(), Usage: p.FormatUsage(), Argument: "--" + dest,
				Message: "it is read before the command is known, so write its name in full"}
		}
	}
	b := inv.base
	sh.traceback, sh.colors.choice = b.Traceback, style.Choice{NoColor: b.NoColor, ForceColor: b.ForceColor}
	switch {
	case !b.JSON:
		sh.document = nil
	case sh.document == nil:
		sh.document = newDocument(inv.name, inv.started)
	}
	return nil
}

// openFor opens the project that the line names. A --project behind the
// command's name that names no project may be the command's own option: then
// the project is looked for as if it were not there, and the command must
// declare it.
func (e *Engine) openFor(ctx context.Context, line *commandLine) (*project, error) {
	if line.projectLate {
		if p := e.ownProjectOption(ctx, line); p != nil {
			return p, nil
		}
	}
	return e.open(ctx, location{dir: line.project, settings: line.settings})
}

// ownProjectOption returns the project found without the line's --project when
// the command there declares an option of that name itself.
func (e *Engine) ownProjectOption(ctx context.Context, line *commandLine) *project {
	probe := New(e.cfg)
	defer probe.Close()
	probe.cfg.Modules = nil
	p, err := probe.find(location{})
	if err != nil || p.tree == nil {
		return nil
	}
	defer func() { _ = p.close() }() // nothing was written
	apps, _ := probe.installed(p)
	p.apps = apps
	ref, err := p.lookup(line.name)
	if err != nil || ref.file == "" {
		return nil
	}
	prog, err := probe.program(ref.app.tree, ref.file)
	if err != nil || !declaresOption(prog.src, "--project") {
		return nil
	}
	opened, err := e.open(ctx, location{settings: line.settings})
	if err != nil {
		return nil
	}
	return opened
}

// commandLine is what is known of a command line before the command is: the
// engine's options wherever they stand, the name, and the words for the
// command's own parser.
type commandLine struct {
	name  string
	words []string // all but the program's and the command's name

	project, settings   string
	timeout             string
	projectLate         bool // --project stands behind the name
	noColor, forceColor bool
	traceback, json     bool
	err                 error
}

// frontOptions are the options that may stand before a command's name, by
// their exact names; true for those that take a value.
func frontOptions() map[string]bool {
	return map[string]bool{
		"--project": true, "--settings": true, "--verbosity": true, "-v": true, "--timeout": true,
		"--traceback": false, "--no-color": false, "--force-color": false, "--skip-checks": false,
		"--no-input": false, "--noinput": false, "--json": false,
	}
}

// readAhead finds the engine's options among words. It takes no prefixes:
// --set may be a command's own option.
func readAhead(words []string) commandLine {
	line := commandLine{name: "help"}
	takes := frontOptions()
	var front []string
	i, named := 0, false
	for ; i < len(words) && !named; i++ {
		word := words[i]
		name, _, inline := strings.Cut(word, "=")
		value, known := takes[name]
		switch {
		case word == "-h" || word == "--help":
			named = true
		case word == "--version":
			line.name, named = "version", true
		case word == "--":
		case !strings.HasPrefix(word, "-") || word == "-":
			line.name, named = word, true
		case len(word) == 3 && strings.HasPrefix(word, "-v"), known && (inline || !value):
			front = append(front, word)
		case known && i+1 < len(words):
			front = append(front, word, words[i+1])
			i++
		case known:
			line.err = &argparse.Error{Prog: "manage", Usage: manageUsage, Argument: argumentLabel(name), Message: "expected one argument"}
			return line
		default:
			line.err = &argparse.Error{Prog: "manage", Usage: manageUsage, Message: "unrecognized arguments: " + word}
			return line
		}
	}
	rest := words[i:]
	line.words = slices.Concat(front, rest)
	line.scan(front, false)
	line.scan(rest, true)
	return line
}

const manageUsage = "usage: manage [options] command [arguments]\n"

func argumentLabel(name string) string {
	if name == "-v" || name == "--verbosity" {
		return "-v/--verbosity"
	}
	return name
}

// scan reads what must be known before the command's parser runs.
func (line *commandLine) scan(words []string, late bool) {
	for i := 0; i < len(words); i++ {
		name, value, inline := strings.Cut(words[i], "=")
		next := func() string {
			if !inline && i+1 < len(words) {
				i++
				return words[i]
			}
			return value
		}
		switch name {
		case "--":
			return
		case "--project":
			line.project, line.projectLate = next(), late
		case "--settings":
			line.settings = next()
		case "--timeout":
			line.timeout = next()
		case "--no-color":
			line.noColor = true
		case "--force-color":
			line.forceColor = true
		case "--traceback":
			line.traceback = true
		case "--json":
			line.json = true
		}
	}
}

// conflict is Django's check of the two colour options, made before anything
// runs.
func (line commandLine) conflict() error {
	if line.noColor && line.forceColor {
		return &CommandError{Message: "The --no-color and --force-color options can't be used together."}
	}
	return nil
}

func (e *Engine) colorsFor(choice style.Choice) colors {
	spec, _ := e.cfg.Getenv("MANAGE_COLORS")
	palette, _ := style.Parse(spec)
	return colors{palette: palette, choice: choice, getenv: func(name string) string {
		v, _ := e.cfg.Getenv(name)
		return v
	}}
}

// addDjangoOptions declares Django's base options. A command that declares one
// of them again gets argparse's error about the conflict.
func addDjangoOptions(p *argparse.Parser, version string) error {
	return addAll(p, []argparse.Argument{
		{Names: []string{"--version"}, Action: argparse.ActionVersion, Version: version, Rank: argparse.Base,
			Help: "show the program's version and exit"},
		{Names: []string{"-v", "--verbosity"}, Type: argparse.Int, Choices: []any{0, 1, 2, 3}, Default: 1, Rank: argparse.Base,
			Help: "0 (minimal) to 3 (very verbose output)"},
		{Names: []string{"--settings"}, Rank: argparse.Base, Help: "settings file, from the project's root"},
		{Names: []string{"--traceback"}, Action: argparse.ActionStoreTrue, Rank: argparse.Base, Help: "show the traceback of a CommandError"},
		{Names: []string{"--no-color"}, Action: argparse.ActionStoreTrue, Rank: argparse.Base, Help: "do not colour the output"},
		{Names: []string{"--force-color"}, Action: argparse.ActionStoreTrue, Rank: argparse.Base, Help: "colour the output, terminal or not"},
		{Names: []string{"--skip-checks"}, Action: argparse.ActionStoreTrue, Rank: argparse.Base, Help: "skip the system checks"},
	})
}

// addEngineOptions declares the engine's own options, except those that the
// command declares itself: then its meaning holds. A call has no use for those
// that say where and how a shell's run is made.
func addEngineOptions(p *argparse.Parser, called bool) error {
	var free []argparse.Argument
	for _, a := range []argparse.Argument{
		{Names: []string{"--project"}, Rank: argparse.Extra, Help: "the project's folder"},
		{Names: []string{"--timeout"}, Metavar: []string{"DURATION"}, Type: timeoutType(), Rank: argparse.Extra, Help: "stop after 90s, 10m, 2h"},
		{Names: []string{"--no-input", "--noinput"}, Dest: "no_input", Action: argparse.ActionStoreTrue, Rank: argparse.Extra, Help: "answer prompts with their defaults"},
		{Names: []string{"--json"}, Action: argparse.ActionStoreTrue, Rank: argparse.Extra, Help: "print one JSON document"},
	} {
		shellOnly := a.Names[0] == "--project" || a.Names[0] == "--json"
		if !(called && shellOnly) && !slices.ContainsFunc(append(a.Names, destOf(a)), p.Has) {
			free = append(free, a)
		}
	}
	return addAll(p, free)
}

func addAll(p *argparse.Parser, args []argparse.Argument) error {
	for _, a := range args {
		if err := p.Add(a); err != nil {
			return err
		}
	}
	return nil
}

// timeoutType is a duration longer than nothing.
func timeoutType() argparse.Type {
	t := argparse.Duration
	t.Parse = func(word string) (any, error) {
		d, err := parseDuration(word)
		if err != nil {
			return nil, &argparse.TypeError{Message: err.Error()}
		}
		return d, nil
	}
	return t
}

// engineOnlyDests are the engine's options that never reach a script.
func engineOnlyDests() []string { return []string{"json", "no_input", "project", "timeout"} }

// owns reports whether the command declares an engine option's dest itself.
func (inv *Invocation) owns(dest string) bool {
	return slices.Contains(inv.ownDests, dest)
}

// readBase takes the base options out of the parsed words.
func (inv *Invocation) readBase() {
	ns := inv.options
	flag := func(dest string) bool {
		b, _ := ns[dest].(bool)
		return b && (!slices.Contains(engineOnlyDests(), dest) || !inv.owns(dest))
	}
	if v, ok := ns["verbosity"].(int); ok {
		inv.base.Verbosity = v
	}
	inv.base.Traceback = flag("traceback")
	inv.base.NoColor = flag("no_color")
	inv.base.ForceColor = flag("force_color")
	inv.base.SkipChecks = flag("skip_checks")
	inv.base.NoInput = flag("no_input")
	inv.base.JSON = flag("json")
	if !inv.owns("timeout") {
		inv.base.Timeout = asDuration(ns["timeout"])
	}
}

// usageError completes an error of misuse for a call from Go or a script: the
// same text, as a CommandError.
func usageError(err error) error {
	if e, ok := errors.AsType[*argparse.Error](err); ok {
		return &CommandError{Message: "Error: " + e.Error(), Hint: e.Hint, Err: e, ReturnCode: 1}
	}
	return err
}

// unknownOptions is Django's error for a call with options that a command does
// not have.
func unknownOptions(command string, stealth []string, e *argparse.UnknownOptionError) error {
	e.Valid = slices.Sorted(slices.Values(slices.Concat(e.Valid, stealth)))
	failed := &CommandError{
		Message: fmt.Sprintf("Unknown option(s) for %s command: %s. Valid options are: %s.",
			command, strings.Join(e.Unknown, ", "), strings.Join(e.Valid, ", ")),
		Err: e,
	}
	for _, name := range e.Unknown {
		if close := suggest.Closest(name, e.Valid); close != "" && failed.Hint == "" {
			failed.Hint = fmt.Sprintf("Did you mean %s instead of %s?", close, name)
		}
	}
	return failed
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
