package engine

// The project: where it is, its apps, and which commands they have.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/starmanage/starmanage/internal/suggest"
)

const (
	appsDir      = "apps"
	commandsDir  = "management/commands"
	settingsFile = "settings.star"
	commandExt   = ".star"
	// builtinLabel is the heading under which commands that come with the
	// program are listed.
	builtinLabel = "manage"
)

// tree is a file system that command files are read from. Nothing outside it
// can be loaded.
type tree struct {
	fsys   fs.FS
	prefix string // stands before a path in messages: "" for the project's own
}

func (t *tree) display(name string) string { return path.Join(t.prefix, name) }

// project is what an Engine knows of its project: nothing in it changes once
// it is open, files apart.
type project struct {
	dir      string // absolute; "" for a file system of the host's, or none
	tree     *tree  // nil without a project
	root     *os.Root
	settings Settings
	broken   error // what is wrong with the settings; the built-ins still run
	apps     []*app
}

// app is an App in its place.
type app struct {
	label    string
	tree     *tree  // nil when it has commands in Go alone
	dir      string // within tree
	commands []Command
	builtin  bool
}

// location is how a shell names a project: --project and --settings, or their
// environment variables.
type location struct {
	dir, settings string
}

// open finds the project and reads its settings: once for an Engine. It fails
// when there is none where one was named; settings that do not work are kept in
// broken.
func (e *Engine) open(ctx context.Context, at location) (*project, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if e.mistake != nil {
		return nil, e.mistake
	}
	chosen := at != location{}
	if at.dir == "" {
		at.dir, _ = e.cfg.Getenv("MANAGE_PROJECT")
	}
	if at.settings == "" {
		at.settings, _ = e.cfg.Getenv("MANAGE_SETTINGS")
	}
	if e.opened != nil {
		if chosen && at != e.at {
			return nil, &CommandError{
				Message: "an engine works with one project and one settings file, and this one has opened others",
				Hint:    "Use a new engine for another --project or --settings.",
			}
		}
		return e.opened, nil
	}
	p, err := e.find(at)
	if err != nil {
		return nil, err
	}
	if err := e.configure(ctx, p, at.settings); err != nil {
		return nil, errors.Join(err, p.close())
	}
	e.opened, e.at = p, at
	return p, nil
}

// configure fills in settings, modules and apps. Only a run that was told to
// stop meanwhile is its error.
func (e *Engine) configure(ctx context.Context, p *project, settings string) error {
	p.settings, p.broken = e.readSettings(ctx, p, settings)
	if ctx.Err() != nil {
		return &StoppedError{Command: "settings", Cause: context.Cause(ctx)}
	}
	if p.broken == nil {
		for _, m := range e.cfg.Modules {
			c, ok := m.(Configurer)
			if !ok {
				continue
			}
			if err := c.Configure(p.settings); err != nil {
				p.broken = fmt.Errorf("%s: %w", p.settings.file, err)
				break
			}
		}
	}
	apps, err := e.installed(p)
	if err != nil && p.broken == nil {
		p.broken = err
	}
	if p.broken != nil {
		apps = slices.DeleteFunc(apps, func(a *app) bool { return !a.builtin })
	}
	p.apps = apps
	return nil
}

func (p *project) close() error {
	if p.root == nil {
		return nil
	}
	return p.root.Close()
}

// find returns the project that at names, or that is found upwards from the
// current directory; one without a tree when there is none.
func (e *Engine) find(at location) (*project, error) {
	if e.cfg.FS != nil {
		if at.dir != "" {
			return nil, &CommandError{Message: "--project: this program brings its own project", Hint: "Leave --project and MANAGE_PROJECT out."}
		}
		return &project{tree: &tree{fsys: e.cfg.FS}}, nil
	}
	if at.dir != "" {
		dir, err := filepath.Abs(at.dir)
		if err != nil {
			return nil, &CommandError{Message: fmt.Sprintf("project %q: %v", at.dir, err), Err: err}
		}
		info, err := os.Stat(dir)
		switch {
		case err != nil:
			return nil, &CommandError{Message: fmt.Sprintf("project %q: %v", at.dir, plainPathError(err)), Err: err}
		case !info.IsDir():
			return nil, &CommandError{Message: fmt.Sprintf("project %q is not a folder", at.dir)}
		case !marksProject(dir):
			return nil, &CommandError{
				Message: fmt.Sprintf("project %q has neither %s nor a folder %s", at.dir, settingsFile, appsDir),
				Hint:    "Name the folder that holds them.",
			}
		}
		return openProject(dir)
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, &CommandError{Message: fmt.Sprintf("the current directory: %v", err), Hint: "Name the project: --project DIR.", Err: err}
	}
	for {
		if marksProject(dir) {
			if err := trusted(dir, settingsFile); err != nil {
				return nil, &CommandError{
					Message: fmt.Sprintf("project %s is not trusted: %v", dir, err),
					Hint:    fmt.Sprintf("If it is yours to run, name it: --project %s", dir),
				}
			}
			return openProject(dir)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return &project{}, nil
		}
		dir = parent
	}
}

func marksProject(dir string) bool {
	if info, err := os.Stat(filepath.Join(dir, settingsFile)); err == nil && !info.IsDir() {
		return true
	}
	info, err := os.Stat(filepath.Join(dir, appsDir))
	return err == nil && info.IsDir()
}

// openProject opens a folder so that no path, symbolic links included, leads
// out of it.
func openProject(dir string) (*project, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &CommandError{Message: fmt.Sprintf("project %s: %v", dir, plainPathError(err)), Err: err}
	}
	return &project{dir: dir, root: root, tree: &tree{fsys: root.FS()}}, nil
}

// plainPathError drops the operation and the path of an *fs.PathError: the
// message around it names the path as the user typed it.
func plainPathError(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// installed returns the apps in order: INSTALLED_APPS, then the host's own
// apps that it does not name, then modules' and the core commands.
func (e *Engine) installed(p *project) ([]*app, error) {
	hosts := make(map[string]*app)
	var hostOrder []*app
	var errs []error
	for _, a := range e.cfg.Apps {
		h := embedded(a)
		if hosts[a.Label] != nil || a.Label == "" {
			errs = append(errs, fmt.Errorf("the program brings two apps with the label %q, or one without", a.Label))
			continue
		}
		hosts[a.Label] = h
		hostOrder = append(hostOrder, h)
	}

	labels, listed := p.settings.installedApps()
	if !listed && p.tree != nil {
		labels = appFolders(p.tree.fsys)
	}
	var apps []*app
	placed := make(map[string]bool)
	for _, label := range labels {
		switch dir := path.Join(appsDir, label); {
		case placed[label]:
			errs = append(errs, fmt.Errorf("%s: INSTALLED_APPS names %q twice", p.settings.file, label))
			continue
		case p.tree != nil && validName(label) && isDir(p.tree.fsys, dir):
			apps = append(apps, &app{label: label, tree: p.tree, dir: dir})
		case hosts[label] != nil:
			apps = append(apps, hosts[label])
		default:
			errs = append(errs, p.unknownApp(label))
			continue
		}
		placed[label] = true
	}
	for _, h := range hostOrder {
		if !placed[h.label] {
			apps = append(apps, h)
		}
	}
	for _, m := range e.cfg.Modules {
		if provider, ok := m.(AppProvider); ok {
			for _, a := range provider.Apps() {
				b := embedded(a)
				b.builtin = true
				apps = append(apps, b)
			}
		}
	}
	core := embedded(coreApp())
	core.builtin = true
	return append(apps, core), errors.Join(errs...)
}

func embedded(a App) *app {
	out := &app{label: a.Label, commands: a.Commands, dir: "."}
	if a.FS != nil {
		out.tree = &tree{fsys: a.FS, prefix: a.Label}
	}
	return out
}

func (p *project) unknownApp(label string) error {
	msg := fmt.Sprintf("%s: INSTALLED_APPS names %q, and there is no folder %s", p.settings.file, label, path.Join(appsDir, label))
	if !validName(label) {
		msg = fmt.Sprintf("%s: INSTALLED_APPS names %q, which is no folder's name", p.settings.file, label)
	}
	if p.tree != nil {
		if s := suggest.Closest(label, appFolders(p.tree.fsys)); s != "" {
			msg += fmt.Sprintf("; did you mean %q?", s)
		}
	}
	return errors.New(msg)
}

func isDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// appFolders returns the names of the folders of apps/, sorted.
func appFolders(fsys fs.FS) []string {
	entries, err := fs.ReadDir(fsys, appsDir)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if !validName(name) || strings.HasPrefix(name, "_") {
			continue
		}
		if entry.IsDir() || entry.Type()&fs.ModeSymlink != 0 && isDir(fsys, path.Join(appsDir, name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// validName reports whether a name can be a command's or an app's: letters,
// digits, _ and -, not starting with -.
func validName(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && (r != '-' || i == 0) || r == unicode.ReplacementChar {
			return false
		}
	}
	return name != ""
}

// commandRef is a command that was found by name alone: nothing of it has been
// read.
type commandRef struct {
	name string
	app  *app
	file string   // within app.tree; "" for a command in Go
	goc  *Command // a command in Go
}

// display returns the command's file as messages name it; "" for one in Go.
func (r commandRef) display() string {
	if r.file == "" {
		return ""
	}
	return r.app.tree.display(r.file)
}

// lookup finds a command: one stat per app. An app that cannot be read stands
// in the way of the project's commands, since it may have the one that wins,
// and not of the built-ins, which tell about it.
func (p *project) lookup(name string) (commandRef, error) {
	var folder string
	var hidden error
	if validName(name) && !strings.HasPrefix(name, "_") {
		for _, a := range p.apps {
			ref, isFolder, err := a.lookup(name)
			if err != nil && hidden == nil {
				hidden = err
			}
			if ref.app != nil && (hidden == nil || a.builtin) {
				return ref, nil
			}
			if isFolder != "" {
				folder = isFolder
			}
		}
	}
	if hidden != nil {
		return commandRef{}, hidden
	}
	if folder != "" {
		return commandRef{}, &CommandError{Message: folder + " is a folder, not a command file", label: "Error"}
	}
	if p.broken != nil {
		return commandRef{}, p.brokenError()
	}
	var names []string
	for _, ref := range p.list() {
		if ref.name == name { // a link to nothing: reading it tells
			return ref, nil
		}
		names = append(names, ref.name)
	}
	return commandRef{}, &UnknownCommandError{Name: name, Suggestion: suggest.Closest(name, names)}
}

// brokenError says why commands of the project cannot run.
func (p *project) brokenError() error {
	if e, ok := errors.AsType[*ScriptError](p.broken); ok {
		return e
	}
	return &CommandError{Message: p.broken.Error(), Err: p.broken, label: "Settings error"}
}

func (a *app) lookup(name string) (ref commandRef, folder string, err error) {
	for i := range a.commands {
		if a.commands[i].Name == name {
			return commandRef{name: name, app: a, goc: &a.commands[i]}, "", nil
		}
	}
	if a.tree == nil {
		return commandRef{}, "", nil
	}
	file := path.Join(a.dir, commandsDir, name+commandExt)
	info, err := fs.Stat(a.tree.fsys, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return commandRef{}, "", nil
	case err != nil:
		return commandRef{}, "", unreadable(a.tree.display(file), err)
	case info.IsDir():
		return commandRef{}, a.tree.display(file), nil
	}
	return commandRef{name: name, app: a, file: file}, "", nil
}

// list returns the commands of all apps, in the order of apps and then of
// names; of a name that several have, the first. It reads no file.
func (p *project) list() []commandRef {
	var refs []commandRef
	seen := make(map[string]bool)
	for _, a := range p.apps {
		for _, ref := range a.list() {
			if !seen[ref.name] {
				seen[ref.name] = true
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

func (a *app) list() []commandRef {
	var refs []commandRef
	seen := make(map[string]bool)
	for i := range a.commands {
		c := &a.commands[i]
		seen[c.Name] = true
		refs = append(refs, commandRef{name: c.Name, app: a, goc: c})
	}
	if a.tree != nil {
		entries, _ := fs.ReadDir(a.tree.fsys, path.Join(a.dir, commandsDir)) // an app without commands has no such folder
		for _, entry := range entries {
			name, ok := strings.CutSuffix(entry.Name(), commandExt)
			if !ok || entry.IsDir() || !validName(name) || strings.HasPrefix(name, "_") || seen[name] {
				continue
			}
			refs = append(refs, commandRef{name: name, app: a, file: path.Join(a.dir, commandsDir, entry.Name())})
		}
	}
	slices.SortFunc(refs, func(x, y commandRef) int { return strings.Compare(x.name, y.name) })
	return refs
}
