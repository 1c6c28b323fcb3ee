package engine

// One run of one command, however it was asked for: from lookup to exit.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
	"github.com/starmanage/starmanage/internal/starconv"
)

// request asks for one run: with words from a shell, or with values from a
// call.
type request struct {
	project *project
	name    string
	words   []string
	shell   *shell // nil for a call

	isCall bool
	args   Args
	parent *Invocation // nil unless a command calls
}

// Call runs a command from Go: its arguments go through the declarations that
// the shell's words go through. The value is what handle returned, as plain
// Go: nil, bool, int64 (*big.Int beyond it), float64, string, []any and
// map[string]any; dates and decimals are strings, as with --json. A string
// that handle returns is also written to stdout, as Django does.
//
// Errors: *CommandError (also for misuse, which it wraps as *argparse.Error),
// *UnknownCommandError, *ScriptError, *StoppedError when ctx ended, *ExitError
// when the script called exit with a code other than 0.
func (e *Engine) Call(ctx context.Context, name string, args Args) (v any, err error) {
	defer recoverInto(&err)
	p, err := e.open(ctx, location{})
	if err != nil {
		return nil, err
	}
	result, err := e.invoke(ctx, request{project: p, name: name, args: args, isCall: true})
	if exit, ok := errors.AsType[*ExitError](err); ok && exit.Code == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return starconv.ToGo(result)
}

// invoke runs a command and returns what handle returned.
func (e *Engine) invoke(ctx context.Context, r request) (result starlark.Value, err error) {
	defer recoverInto(&err)
	if ctx.Err() != nil {
		return nil, &StoppedError{Command: r.name, Cause: context.Cause(ctx)}
	}
	depth := 0
	if r.parent != nil {
		if depth = r.parent.depth + 1; depth >= maxDepth {
			return nil, fmt.Errorf("commands call each other %d deep: %s calls %s", maxDepth, r.parent.name, r.name)
		}
	}
	ref, err := r.project.lookup(r.name)
	if err != nil {
		return nil, err
	}
	ctx, release := withTimeout(ctx, r.project.limits(e).Timeout)
	defer release()
	loaded := func() {}
	if r.shell != nil {
		loaded = r.shell.boundLoading(e, ref)
		defer loaded()
	}
	inv, err := e.prepare(ctx, ref, r)
	if err != nil {
		return nil, err
	}
	inv.depth = depth
	defer inv.bound(inv.command.Limits.Timeout)()
	parser, err := inv.parser()
	if err != nil {
		return nil, err
	}
	if r.shell != nil && inv.owns("json") {
		r.shell.document = nil
		inv.attach(r)
	}
	if err := inv.parse(parser, r); err != nil {
		var help *argparse.HelpRequest
		var version *argparse.VersionRequest
		switch {
		case errors.As(err, &help):
			_, err = io.WriteString(inv.stdout, help.Parser.FormatHelp())
		case errors.As(err, &version):
			_, err = fmt.Fprintln(inv.stdout, version.Text)
		}
		if err == nil {
			err = inv.flush(r)
		}
		return starlark.None, err
	}
	inv.readBase()
	if err := inv.applyBase(r); err != nil {
		return nil, err
	}
	if r.shell != nil {
		loaded()
		if err := r.shell.correct(inv, parser); err != nil {
			return nil, err
		}
		inv.attach(r)
	}
	return inv.execute(r)
}

// withTimeout bounds a context; 0 does not.
func withTimeout(ctx context.Context, t time.Duration) (context.Context, context.CancelFunc) {
	if t == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, t, timeLimit(t))
}

func timeLimit(t time.Duration) *LimitError { return &LimitError{Limit: "timeout", Value: t.String()} }

// bound gives the run at most t from now; 0 is no bound.
func (inv *Invocation) bound(t time.Duration) context.CancelFunc {
	ctx, cancel := withTimeout(inv.ctx, t)
	inv.ctx, inv.asked, inv.loader.ctx = ctx, ctx, ctx
	return cancel
}

// load returns a command ready to run.
func (e *Engine) load(ctx context.Context, ref commandRef, limits Limits) (*Command, error) {
	if ref.goc == nil {
		return e.loadScript(ctx, ref, limits)
	}
	if ref.goc.Handle == nil {
		return nil, fmt.Errorf("command %q of app %q has no Handle", ref.name, ref.app.label)
	}
	return ref.goc, nil
}

// attach gives the invocation its streams: its own, its caller's, or the
// Engine's.
func (inv *Invocation) attach(r request) {
	e := inv.engine
	inv.stdin, inv.outSink, inv.errSink = e.stdin, e.stdout, e.stderr
	if p := r.parent; p != nil {
		inv.stdin, inv.outSink, inv.errSink = p.stdin, p.outSink, p.errSink
		inv.colors, inv.base.Verbosity, inv.document = p.colors, p.base.Verbosity, p.document
	} else if r.shell != nil {
		inv.colors, inv.document = r.shell.colors, r.shell.document
	} else {
		inv.colors = e.colorsFor(style.Choice{})
	}
	if r.isCall {
		if r.args.Stdout != nil {
			inv.document = nil // what the call writes is its caller's, tables too
		}
		inv.outSink = writerFor(r.args.Stdout, inv.outSink)
		inv.errSink = writerFor(r.args.Stderr, inv.errSink)
		if r.args.Stdin != nil {
			inv.stdin = newInput(r.args.Stdin)
		}
	}
	if r.shell != nil && inv.document != nil {
		inv.outSink = &sink{w: inv.document}
	}
	inv.stdout, inv.stderr = inv.colors.streams(inv.outSink, inv.errSink)
}

// parser declares the command's arguments and the base options.
func (inv *Invocation) parser() (*argparse.Parser, error) {
	c := inv.command
	var file string
	if inv.script != nil {
		file = inv.script.program.file.display
	}
	p := argparse.New(argparse.Config{
		Prog:               "manage " + inv.name,
		Description:        c.Help,
		Epilog:             c.Epilog,
		Examples:           c.Examples,
		Footer:             file,
		Layout:             argparse.ManageLayout,
		MissingArgsMessage: c.MissingArgsMessage,
		Width:              inv.stdout.Width,
		Lookup:             inv.lookupEnv,
		Secrets:            inv.secrets(),
		Warn:               inv.warnUsage,
		Values:             parserValues(),
	})
	if err := addDjangoOptions(p, inv.engine.cfg.Version); err != nil {
		return nil, err
	}
	base := dests(p)
	var face *parserFace
	switch {
	case inv.script != nil:
		var err error
		if face, err = inv.script.declare(inv, p); err != nil {
			return nil, err
		}
	case c.AddArguments != nil:
		if err := c.AddArguments(p); err != nil {
			return nil, fmt.Errorf("command %s: %w", inv.name, err)
		}
	}
	for _, dest := range dests(p) {
		if !slices.Contains(base, dest) {
			inv.ownDests = append(inv.ownDests, dest)
		}
	}
	if inv.script != nil {
		for i, x := range inv.engine.extenders() {
			if err := x.Arguments(inv.script.extra[i], p); err != nil {
				return nil, err
			}
		}
		if faults := inv.script.mismatches(face, dests(p)); faults != nil {
			return nil, scriptFault(inv.script.program, faults...)
		}
	}
	if err := addEngineOptions(p, inv.called); err != nil {
		return nil, err
	}
	for _, a := range p.Arguments() {
		for _, name := range c.SuppressedBaseArguments {
			if a.Rank != argparse.Own && (slices.Contains(a.Names, name) || a.Dest == name) {
				a.HelpSuppressed = true
			}
		}
	}
	return p, nil
}

func dests(p *argparse.Parser) []string {
	var list []string
	for _, a := range p.Arguments() {
		list = append(list, a.Dest)
	}
	return list
}

// lookupEnv serves an argument's env: the variable must be granted to scripts.
func (inv *Invocation) lookupEnv(name string) (string, bool, error) {
	if inv.script != nil {
		if err := inv.Settings().Permit("env", name); err != nil {
			return "", false, err
		}
	}
	v, ok := inv.Getenv(name)
	return v, ok, nil
}

// warnUsage prints a warning of the parser's, in argparse's form.
func (inv *Invocation) warnUsage(message string) {
	fmt.Fprintf(inv.stderr, "manage %s: warning: %s\n", inv.name, message)
}

// parse turns words or a call's values into options.
func (inv *Invocation) parse(p *argparse.Parser, r request) (err error) {
	if !r.isCall {
		inv.options, err = p.ParseArgs(r.words)
		return unwrapStop(err)
	}
	positional, options, stealth, err := inv.callValues(r.args)
	if err != nil {
		return err
	}
	inv.options, err = p.CallArgs(positional, options)
	if err := unwrapStop(err); err != nil {
		if unknown, ok := errors.AsType[*argparse.UnknownOptionError](err); ok {
			return unknownOptions(inv.name, inv.command.StealthOptions, unknown)
		}
		return usageError(err)
	}
	for name, v := range stealth {
		inv.options[name] = v
	}
	return nil
}

// unwrapStop finds, in an error of the parser's, that the run was told to stop
// while a type function ran.
func unwrapStop(err error) error {
	if e, ok := errors.AsType[*StoppedError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*ExitError](err); ok {
		return e
	}
	return err
}

// callValues converts a call's arguments to what argparse works with, and sets
// stealth options aside.
func (inv *Invocation) callValues(args Args) (positional []any, options, stealth map[string]any, err error) {
	convert := func(v any) (any, error) {
		sv, err := starconv.ToStarlark(v)
		if err != nil {
			return nil, err
		}
		if list, ok := goList(sv); ok {
			return list, nil
		}
		return goValue(sv), nil
	}
	for i, v := range args.Positional {
		if word, ok := v.(starlark.String); ok && looksLikeOption(string(word)) {
			return nil, nil, nil, &CommandError{
				Message: fmt.Sprintf("%s: argument %d is %q: a call takes options by keyword", inv.name, i+1, string(word)),
				Hint:    "Write call_command(\"name\", days = 5) for --days 5; a value that starts with a dash is passed by its name too.",
			}
		}
		c, err := convert(v)
		if err != nil {
			return nil, nil, nil, &CommandError{Message: fmt.Sprintf("%s: argument %d: %v", inv.name, i+1, err), Err: err}
		}
		positional = append(positional, c)
	}
	options, stealth = make(map[string]any), make(map[string]any)
	for name, v := range args.Options {
		c, err := convert(v)
		if err != nil {
			return nil, nil, nil, &CommandError{Message: fmt.Sprintf("%s: option %s: %v", inv.name, name, err), Err: err}
		}
		if slices.Contains(inv.command.StealthOptions, name) {
			stealth[name] = c
		} else {
			options[name] = c
		}
	}
	if p := inv.parent; p != nil {
		if _, ok := options["verbosity"]; !ok {
			options["verbosity"] = p.base.Verbosity
		}
	}
	return positional, options, stealth, nil
}

// looksLikeOption reports whether a word would be an option on a command line:
// Django's call_command takes such words for options, and here they would be
// data in silence.
func looksLikeOption(word string) bool {
	if len(word) < 2 || word[0] != '-' {
		return false
	}
	_, err := strconv.ParseFloat(word, 64)
	return err != nil
}

// applyBase makes the base options hold for this run.
func (inv *Invocation) applyBase(r request) error {
	b := &inv.base
	if b.NoColor && b.ForceColor {
		return commandLine{noColor: true, forceColor: true}.conflict()
	}
	if r.isCall && (b.NoColor || b.ForceColor) {
		inv.colors.choice = style.Choice{NoColor: b.NoColor, ForceColor: b.ForceColor}
		inv.stdout, inv.stderr = inv.colors.streams(inv.outSink, inv.errSink)
	}
	if r.isCall {
		if _, given := r.args.Options["skip_checks"]; !given {
			b.SkipChecks = true
		}
	}
	if p := inv.parent; p != nil {
		b.Traceback = b.Traceback || p.base.Traceback
		b.NoInput = b.NoInput || p.base.NoInput
		b.JSON = p.base.JSON
	}
	inv.options["skip_checks"], inv.options["traceback"] = b.SkipChecks, b.Traceback
	inv.limits.Timeout = minSet(inv.limits.Timeout, b.Timeout)
	return nil
}

func asDuration(v any) time.Duration {
	d, _ := v.(time.Duration)
	return d
}

// execute checks the system, runs handle within what modules do around it,
// then deferred functions.
func (inv *Invocation) execute(r request) (result starlark.Value, err error) {
	defer inv.bound(inv.limits.Timeout)()
	if !inv.base.SkipChecks {
		if err := inv.checkBeforeRun(); err != nil {
			return nil, err
		}
	}
	result = starlark.None
	log := inv.engine.cfg.Logger.With("command", inv.name, "app", inv.app.label)
	log.DebugContext(inv.ctx, "command starts")
	defer func() {
		log.DebugContext(inv.ctx, "command ends", "exit", ExitCode(err), "duration", inv.Now().Sub(inv.started))
	}()
	next := func() (err error) {
		defer recoverInto(&err)
		result, err = inv.handle()
		return err
	}
	if inv.script != nil {
		extenders := inv.engine.extenders()
		for i := len(extenders) - 1; i >= 0; i-- {
			inner, x := next, extenders[i]
			next = func() error { return x.Around(inv, inner) }
		}
	}
	err = inv.finish(safely(next))
	if err == nil {
		err = inv.writeResult(result)
	}
	if flushErr := inv.flush(r); err == nil {
		err = flushErr
	}
	return result, err
}

// safely calls f; a panic is an error.
func safely(f func() error) (err error) {
	defer recoverInto(&err)
	return f()
}

// flush writes out what a call of its own streams, or of the Engine's, left in
// buffers. Run flushes after it has printed the error.
func (inv *Invocation) flush(r request) error {
	if r.parent == nil && r.isCall {
		return inv.stdout.Flush()
	}
	return nil
}

// handle runs the command's body.
func (inv *Invocation) handle() (starlark.Value, error) {
	if inv.script != nil {
		return inv.script.run(inv)
	}
	inv.thread = inv.bindThread(inv.name)
	v, err := inv.command.Handle(inv.ctx, inv)
	if err != nil {
		// Either may be what a command in Go returns of its context.
		if inv.ctx.Err() != nil && (errors.Is(err, inv.ctx.Err()) || errors.Is(err, context.Cause(inv.ctx))) {
			return nil, inv.stopped(nil)
		}
		return nil, err
	}
	return starconv.ToStarlark(v)
}

// writeResult does what a result means for the outputs: a string is written,
// as Django does; --json takes whatever has a plain form.
func (inv *Invocation) writeResult(v starlark.Value) error {
	if inv.document != nil && inv.parent == nil {
		plain, err := starconv.ToGo(v)
		if err != nil {
			return fmt.Errorf("the result of %s: %w", inv.name, err)
		}
		inv.document.Result = plain
	}
	s, ok := starlark.AsString(v)
	if !ok || s == "" {
		return nil
	}
	if _, isBytes := v.(starlark.Bytes); isBytes {
		return nil
	}
	if s[len(s)-1] != '\n' {
		s += "\n"
	}
	_, err := io.WriteString(inv.stdout, s)
	return err
}

// Commands describes every command that the shell can run, in the order of
// apps and names. A command that does not load has Err set. The error is one
// of finding the project.
func (e *Engine) Commands(ctx context.Context) (infos []CommandInfo, err error) {
	defer recoverInto(&err)
	p, err := e.open(ctx, location{})
	if err != nil {
		return nil, err
	}
	for _, ref := range p.list() {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		infos = append(infos, e.describe(ctx, p, ref))
	}
	if p.broken != nil {
		return infos, p.brokenError()
	}
	return infos, nil
}

func (e *Engine) describe(ctx context.Context, p *project, ref commandRef) (info CommandInfo) {
	info = CommandInfo{Name: ref.name, App: ref.app.label, File: ref.display()}
	defer recoverInto(&info.Err)
	inv, err := e.prepare(ctx, ref, request{project: p})
	if err != nil {
		info.Err = err
		return info
	}
	info.Help = inv.command.Help
	parser, err := inv.parser()
	if err != nil {
		info.Err = err
		return info
	}
	d := parser.Describe()
	info.Arguments = &d
	return info
}

// limits are those of every command of the project.
func (p *project) limits(e *Engine) Limits { return tighter(e.cfg.Limits, p.settings.limits()) }

// prepare loads a command and gives it its streams: all but parsing and
// running it.
func (e *Engine) prepare(ctx context.Context, ref commandRef, r request) (*Invocation, error) {
	limits := r.project.limits(e)
	if r.parent != nil {
		limits = tighter(limits, r.parent.limits)
	}
	c, err := e.load(ctx, ref, limits)
	if err != nil {
		return nil, err
	}
	inv := &Invocation{engine: e, project: r.project, parent: r.parent, name: ref.name, app: ref.app, command: c, script: c.script,
		called: r.isCall, ctx: ctx, asked: ctx, started: e.cfg.Now(), limits: tighter(limits, c.Limits)}
	if r.parent != nil {
		inv.now = r.parent.now
	}
	inv.loader = &loader{engine: e, ctx: ctx, predeclared: e.predeclared, steps: limits.Steps}
	if c.script != nil {
		inv.loader = c.script.loader
	}
	inv.attach(r)
	return inv, nil
}
