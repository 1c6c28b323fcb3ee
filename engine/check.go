package engine

// System checks, in Django's words and format
// (https://docs.djangoproject.com/en/stable/topics/checks/).

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
	"github.com/starmanage/starmanage/internal/suggest"
)

// CheckLevel says how bad what a check found is: Django's numbers.
type CheckLevel int

// The levels, from the least to the worst.
const (
	DEBUG    CheckLevel = 10
	INFO     CheckLevel = 20
	WARNING  CheckLevel = 30
	ERROR    CheckLevel = 40
	CRITICAL CheckLevel = 50
)

func checkLevels() []struct {
	level CheckLevel
	name  string
} {
	return []struct {
		level CheckLevel
		name  string
	}{{CRITICAL, "CRITICAL"}, {ERROR, "ERROR"}, {WARNING, "WARNING"}, {INFO, "INFO"}, {DEBUG, "DEBUG"}}
}

// CheckMessage is one thing that a check found.
type CheckMessage struct {
	Level CheckLevel
	// ID names the check: "commands.E001".
	ID string
	// Msg says what is wrong, Hint what to do; Hint may be empty.
	Msg, Hint string
	// Obj is where: "apps/ops/management/commands/nightly.star:12:5". Empty
	// prints as "?".
	Obj string
}

// String prints the message as Django does.
func (m CheckMessage) String() string {
	obj, id, hint := m.Obj, "", ""
	if obj == "" {
		obj = "?"
	}
	if m.ID != "" {
		id = "(" + m.ID + ") "
	}
	if m.Hint != "" {
		hint = "\n\tHINT: " + m.Hint
	}
	return fmt.Sprintf("%s: %s%s%s", obj, id, m.Msg, hint)
}

// CheckRun is what one run of the checks covers.
type CheckRun struct {
	// Apps are the labels to check; nil for all.
	Apps []string
	// Tags are the tags to check; nil for all.
	Tags []string
	// Deploy adds the checks that only make sense where a project is deployed.
	Deploy bool
	// Databases are the aliases of the databases that may be asked; nil: none.
	Databases []string
	// Settings are the project's.
	Settings Settings
	// Invocation is the run of the command that asked for the checks.
	Invocation *Invocation
}

// Wants reports whether checks with the tag are to be made.
func (r *CheckRun) Wants(tag string) bool { return r.Tags == nil || slices.Contains(r.Tags, tag) }

// Tagged is a Checker that says which tags its checks have, for
// check --list-tags and --tag.
type Tagged interface {
	CheckTags() []string
}

// coreTags are the tags of the engine's own checks.
const (
	tagCommands = "commands"
	tagSettings = "settings"
	tagSecurity = "security"
)

func (e *Engine) checkTags() []string {
	tags := []string{tagCommands, tagSecurity, tagSettings}
	for _, m := range e.cfg.Modules {
		if t, ok := m.(Tagged); ok {
			tags = append(tags, t.CheckTags()...)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

func checkCommand() Command {
	return Command{
		Name:            "check",
		Help:            "Check the whole project for mistakes: every command file, the settings, what modules check.",
		SystemCheckTags: []string{},
		AddArguments: func(p *argparse.Parser) error {
			levels := []any{}
			for _, l := range checkLevels() {
				levels = append(levels, l.name)
			}
			return addAll(p, []argparse.Argument{
				{Names: []string{"args"}, Metavar: []string{"app_label"}, Nargs: argparse.ZeroOrMore, Help: "the apps to check (default: all)"},
				{Names: []string{"--tag", "-t"}, Dest: "tags", Action: argparse.ActionAppend, Help: "run the checks with this tag alone; may be repeated"},
				{Names: []string{"--list-tags"}, Action: argparse.ActionStoreTrue, Help: "list the tags"},
				{Names: []string{"--deploy"}, Action: argparse.ActionStoreTrue, Help: "add the checks for a deployed project"},
				{Names: []string{"--fail-level"}, Default: "ERROR", Choices: levels, Help: "exit 1 from this level on (default %(default)s)"},
				{Names: []string{"--database"}, Dest: "databases", Action: argparse.ActionAppend, Metavar: []string{"ALIAS"}, Help: "try to reach this database too; may be repeated"},
			})
		},
		Handle: runCheck,
	}
}

func runCheck(ctx context.Context, inv *Invocation) (any, error) {
	e := inv.engine
	if list, _ := inv.Option("list_tags").(bool); list {
		_, err := fmt.Fprintln(inv.stdout, strings.Join(e.checkTags(), "\n"))
		return nil, err
	}
	run := &CheckRun{Settings: inv.project.settings, Invocation: inv, Tags: inv.OptionStrings("tags"),
		Apps: inv.OptionStrings("args"), Databases: inv.OptionStrings("databases")}
	run.Deploy, _ = inv.Option("deploy").(bool)
	for _, tag := range run.Tags {
		if !slices.Contains(e.checkTags(), tag) {
			return nil, &CommandError{Message: fmt.Sprintf("There is no system check with the %q tag.", tag), Hint: "See manage check --list-tags."}
		}
	}
	if run.Databases != nil && !slices.Contains(e.checkTags(), "database") {
		return nil, &CommandError{Message: "--database: this program has no module for databases"}
	}
	for _, label := range run.Apps {
		if !slices.ContainsFunc(inv.project.apps, func(a *app) bool { return a.label == label }) {
			return nil, &CommandError{Message: fmt.Sprintf("No installed app with label %s.", quote(label))}
		}
	}
	messages, err := e.check(ctx, run)
	if err != nil {
		return nil, err
	}
	failLevel := ERROR
	for _, l := range checkLevels() {
		if l.name == inv.Option("fail_level") {
			failLevel = l.level
		}
	}
	return nil, inv.reportChecks(messages, failLevel, true)
}

// check makes all checks that the run covers.
func (e *Engine) check(ctx context.Context, run *CheckRun) ([]CheckMessage, error) {
	p := run.Invocation.project
	var messages []CheckMessage
	if run.Wants(tagSettings) {
		messages = append(messages, p.checkSettings()...)
	}
	if run.Wants(tagSecurity) && run.Deploy {
		messages = append(messages, p.checkSecurity()...)
	}
	if run.Wants(tagCommands) {
		for _, a := range p.apps {
			if a.builtin || run.Apps != nil && !slices.Contains(run.Apps, a.label) {
				continue
			}
			for _, ref := range a.list() {
				if ctx.Err() != nil {
					return nil, run.Invocation.stopped(nil)
				}
				messages = append(messages, e.checkFile(ctx, p, ref)...)
			}
			messages = append(messages, p.checkFolder(a)...)
		}
	}
	for _, m := range e.cfg.Modules {
		if c, ok := m.(Checker); ok && p.broken == nil {
			messages = append(messages, c.Check(ctx, run)...)
		}
	}
	return messages, nil
}

// checkBeforeRun makes the checks that precede every command: of the settings
// and of the command's own file.
func (inv *Invocation) checkBeforeRun() error {
	tags := inv.command.SystemCheckTags
	wants := func(tag string) bool { return tags == nil || slices.Contains(tags, tag) }
	var messages []CheckMessage
	if wants(tagSettings) && inv.project.broken == nil {
		messages = inv.project.checkSettings()
	}
	if wants(tagCommands) && inv.script != nil {
		messages = append(messages, inv.engine.checkText(inv.script.program, inv.script.handle)...)
	}
	if len(messages) == 0 {
		return nil
	}
	return inv.reportChecks(messages, ERROR, false)
}

// reportChecks prints messages as Django's BaseCommand.check does, or returns
// them as the error when one is serious.
func (inv *Invocation) reportChecks(messages []CheckMessage, failLevel CheckLevel, count bool) error {
	silenced := inv.project.settings.silenced()
	visible, hidden, serious := 0, 0, false
	var body strings.Builder
	s := inv.stderr.Style()
	for _, l := range checkLevels() {
		var lines []string
		for _, m := range messages {
			if m.Level != l.level {
				continue
			}
			if slices.Contains(silenced, m.ID) {
				hidden++
				continue
			}
			role := style.WARNING
			if m.Level >= ERROR {
				role = style.ERROR
			}
			serious = serious || m.Level >= failLevel
			lines = append(lines, s.Apply(role, m.String()))
		}
		if len(lines) > 0 {
			sort.Strings(lines)
			visible += len(lines)
			fmt.Fprintf(&body, "\n%sS:\n%s\n", l.name, strings.Join(lines, "\n"))
		}
	}
	header, footer := "", ""
	if visible > 0 {
		header = "System check identified some issues:\n"
	}
	if count {
		issues := plural(visible, "issue", "issues")
		if visible == 0 {
			issues = "no issues"
		} else {
			footer = "\n"
		}
		footer += fmt.Sprintf("System check identified %s (%d silenced).", issues, hidden)
	}
	if serious {
		return &CommandError{Message: s.Apply(style.ERROR, "SystemCheckError: "+header) + body.String() + footer, raw: true}
	}
	msg := header + body.String() + footer
	if msg == "" {
		return nil
	}
	out := inv.stdout
	if visible > 0 {
		out = inv.stderr
	}
	_, err := fmt.Fprintln(out, strings.TrimRight(msg, "\n"))
	return err
}

// checkSettings finds what is wrong with the settings.
func (p *project) checkSettings() []CheckMessage {
	if p.broken != nil {
		return faults("settings.E001", p.broken)
	}
	var messages []CheckMessage
	for _, name := range p.settings.Names() {
		if slices.Contains(knownSettings(), name) {
			continue
		}
		if close := suggest.Closest(name, knownSettings()); close != "" {
			messages = append(messages, CheckMessage{Level: WARNING, ID: "settings.W001", Obj: p.settings.file,
				Msg: fmt.Sprintf("the setting %s is read by nobody", name), Hint: fmt.Sprintf("Did you mean %s?", close)})
		}
	}
	return messages
}

// checkSecurity makes the checks of --deploy.
func (p *project) checkSecurity() []CheckMessage {
	if p.dir == "" {
		return nil
	}
	if err := trusted(p.dir, p.settings.file); err != nil {
		return []CheckMessage{{Level: WARNING, ID: "security.W001", Obj: p.dir, Msg: err.Error(),
			Hint: "Whoever can write the project's files runs commands as you."}}
	}
	return nil
}

// faults turns an error into messages, one for each diagnostic.
func faults(id string, err error) []CheckMessage {
	e, ok := errors.AsType[*ScriptError](err)
	if !ok {
		return []CheckMessage{{Level: ERROR, ID: id, Msg: err.Error()}}
	}
	if len(e.Diagnostics) == 0 {
		m := CheckMessage{Level: ERROR, ID: id, Msg: e.Message, Hint: e.Hint}
		if n := len(e.Frames); n > 0 {
			m.Obj = e.Frames[n-1].Position()
		}
		return []CheckMessage{m}
	}
	loaded := "" // by whom, when the fault is in a file that another one loads
	if n := len(e.Frames); n > 0 {
		loaded = fmt.Sprintf(" (loaded by %s)", e.Frames[n-1].Position())
	}
	var messages []CheckMessage
	for _, d := range e.Diagnostics {
		messages = append(messages, CheckMessage{Level: ERROR, ID: id, Msg: d.Message + loaded, Hint: d.Hint, Obj: d.Position()})
	}
	return messages
}

// checkFile loads a command, builds its parser, and reads its text.
func (e *Engine) checkFile(ctx context.Context, p *project, ref commandRef) []CheckMessage {
	var messages []CheckMessage
	if first, err := p.lookup(ref.name); err == nil && first.app != ref.app {
		messages = append(messages, CheckMessage{Level: WARNING, ID: "commands.W004", Obj: ref.where(),
			Msg:  fmt.Sprintf("the command %q of app %q runs instead of this one", ref.name, first.app.label),
			Hint: "Rename one of them, or change the order of INSTALLED_APPS."})
	}
	if ref.file == "" {
		return messages
	}
	inv, err := e.prepare(ctx, ref, request{project: p, isCall: true})
	if err != nil {
		return append(messages, faults("commands.E001", err)...)
	}
	if _, err := inv.parser(); err != nil {
		return append(messages, faults("commands.E001", err)...)
	}
	prog := inv.script.program
	messages = append(messages, e.checkText(prog, inv.script.handle)...)
	messages = append(messages, e.checkUses(prog)...)
	messages = append(messages, e.checkCalls(ctx, p, prog)...)
	return append(messages, unused(inv)...)
}

func (r commandRef) where() string {
	if r.file != "" {
		return r.display()
	}
	return r.app.label
}

// checkText finds what a file's text shows before a run: a top-level name
// close to an attribute's, and a parameter that hides a builtin which the body
// uses.
func (e *Engine) checkText(p *program, handle *starlark.Function) []CheckMessage {
	f := p.analyse()
	var messages []CheckMessage
	warn := func(id string, line, col int32, msg, hint string) {
		messages = append(messages, CheckMessage{Level: WARNING, ID: id, Msg: msg, Hint: hint,
			Obj: position(p.file.display, int(line), int(col))})
	}
	known := slices.Concat(attributes(), extenderAttributes())
	for name, pos := range f.bound {
		if slices.Contains(known, name) || f.reads[name] {
			continue
		}
		if close := suggest.Closest(name, known); close != "" {
			warn("commands.W002", pos.Line, pos.Col, fmt.Sprintf("%q is read by nobody", name), fmt.Sprintf("Did you mean %s?", close))
		}
	}
	for i := range handle.NumParams() {
		name, pos := handle.Param(i)
		at, used := e.usedBuiltin(f, name)
		if used {
			warn("commands.W001", pos.Line, pos.Col,
				fmt.Sprintf("the argument %q hides the builtin of that name, which line %d uses", name, at.Line),
				fmt.Sprintf("Give the argument another dest, such as dest = %q.", name+"_"))
		}
	}
	return messages
}

// usedBuiltin returns where handle uses the builtin of a name, as if no argument
// had it: a call, or an attribute that the builtin has (date.today).
func (e *Engine) usedBuiltin(f *facts, name string) (at syntax.Position, used bool) {
	builtin, predeclared := e.predeclared[name]
	if at, used = f.body.calls[name]; used {
		return at, predeclared || starlark.Universe.Has(name)
	}
	v, _ := builtin.(starlark.HasAttrs)
	use, ok := f.body.attrs[name]
	return use.pos, ok && v != nil && slices.Contains(v.AttrNames(), use.name)
}

// checkUses finds attributes that predeclared values do not have.
func (e *Engine) checkUses(p *program) []CheckMessage {
	var messages []CheckMessage
	for _, use := range p.analyse().attributes {
		v, ok := e.predeclared[use.name].(starlark.HasAttrs)
		if !ok || slices.Contains(v.AttrNames(), use.attr) {
			continue
		}
		m := CheckMessage{Level: ERROR, ID: "commands.E004", Obj: position(p.file.display, int(use.pos.Line), int(use.pos.Col)),
			Msg: fmt.Sprintf("%s has no attribute %q", use.name, use.attr)}
		if close := suggest.Closest(use.attr, v.AttrNames()); close != "" {
			m.Hint = fmt.Sprintf("Did you mean %s.%s?", use.name, close)
		}
		messages = append(messages, m)
	}
	return messages
}

// checkCalls finds literal targets and options of call_command that do not
// exist.
func (e *Engine) checkCalls(ctx context.Context, p *project, prog *program) []CheckMessage {
	var messages []CheckMessage
	fault := func(id string, line, col int32, msg, hint string) {
		messages = append(messages, CheckMessage{Level: ERROR, ID: id, Msg: msg, Hint: hint, Obj: position(prog.file.display, int(line), int(col))})
	}
	for _, call := range prog.analyse().calls {
		ref, err := p.lookup(call.name)
		if unknown, ok := errors.AsType[*UnknownCommandError](err); ok {
			hint := ""
			if unknown.Suggestion != "" {
				hint = fmt.Sprintf("Did you mean %s?", unknown.Suggestion)
			}
			fault("commands.E002", call.pos.Line, call.pos.Col, fmt.Sprintf("call_command calls %q, and there is no such command", call.name), hint)
		}
		if err != nil || len(call.options) == 0 {
			continue
		}
		inv, err := e.prepare(ctx, ref, request{project: p, isCall: true})
		if err != nil {
			continue // reported where that file is checked
		}
		parser, err := inv.parser()
		if err != nil {
			continue
		}
		valid := slices.Concat(callNames(parser), inv.command.StealthOptions)
		for _, o := range call.options {
			if slices.Contains(valid, o.name) {
				continue
			}
			hint := ""
			if close := suggest.Closest(o.name, valid); close != "" {
				hint = fmt.Sprintf("Did you mean %s?", close)
			}
			fault("commands.E003", o.pos.Line, o.pos.Col, fmt.Sprintf("the command %q has no option %q", call.name, o.name), hint)
		}
	}
	return messages
}

// callNames are the names that call_command takes for a command's options.
func callNames(p *argparse.Parser) []string {
	var names []string
	for _, a := range p.Arguments() {
		names = append(names, a.Dest)
		for _, name := range a.Names {
			if long, ok := strings.CutPrefix(name, "--"); ok {
				names = append(names, strings.ReplaceAll(long, "-", "_"))
			}
		}
	}
	return names
}

// unused finds arguments whose values handle never reads, and help texts that
// the list cannot show.
func unused(inv *Invocation) []CheckMessage {
	prog := inv.script.program
	f := prog.analyse()
	var messages []CheckMessage
	warn := func(id string, line, col int, msg, hint string) {
		messages = append(messages, CheckMessage{Level: WARNING, ID: id, Msg: msg, Hint: hint, Obj: position(prog.file.display, line, col)})
	}
	if !prog.docs.literal {
		line, col := prog.assigned("help")
		warn("commands.W006", line, col, "help is computed, so the list of commands cannot show it", "Write it as a string literal, or as literals joined by +.")
	}
	if f.handle == nil {
		return messages
	}
	taken := make(map[string]bool)
	for i := range inv.script.params() {
		name, pos := inv.script.handle.Param(i)
		taken[name] = true
		if !f.body.reads[name] && slices.Contains(inv.ownDests, name) {
			warn("commands.W003", int(pos.Line), int(pos.Col), fmt.Sprintf("handle never reads its argument %q", name), "")
		}
	}
	if inv.script.handle.HasKwargs() && !f.body.whole {
		for _, dest := range inv.ownDests {
			if !taken[dest] && !f.body.keys[dest] && !(dest == "args" && inv.script.handle.HasVarargs()) {
				warn("commands.W003", int(f.handle.Def.Line), int(f.handle.Def.Col), fmt.Sprintf("handle never reads the option %q", dest), "")
			}
		}
	}
	return messages
}

// checkFolder finds what stands among an app's commands and is none.
func (p *project) checkFolder(a *app) []CheckMessage {
	if a.tree == nil {
		return nil
	}
	dir := path.Join(a.dir, commandsDir)
	entries, err := fs.ReadDir(a.tree.fsys, dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return []CheckMessage{{Level: ERROR, ID: "commands.E001", Obj: a.tree.display(dir), Msg: "cannot be read: " + plainPathError(err).Error()}}
	}
	var messages []CheckMessage
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), commandExt)
		if !ok || strings.HasPrefix(name, "_") {
			continue
		}
		m := CheckMessage{Level: WARNING, ID: "commands.W005", Obj: a.tree.display(path.Join(dir, entry.Name()))}
		switch {
		case entry.IsDir():
			m.Msg = "is a folder, and no command"
		case !validName(name):
			m.Msg, m.Hint = "is ignored: its name cannot be a command's", "Use letters, digits, _ and -."
		default:
			continue
		}
		messages = append(messages, m)
	}
	return messages
}
