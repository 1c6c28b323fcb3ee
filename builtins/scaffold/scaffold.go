// Package scaffold brings the commands that write the first files of a project,
// an app and a command: startproject, startapp and startcommand. What they
// write runs, and has a test where it can have one.
//
// They write new files only, and either all of them or none. The files are
// templates/, as they stand but for three names: example_project, example_app
// and example_command.
package scaffold

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/style"
)

// Module is the engine.Module that brings the three commands. It keeps no
// state and may be used by many runs at once.
type Module struct{}

var (
	_ engine.Module      = (*Module)(nil)
	_ engine.AppProvider = (*Module)(nil)
)

// New returns the module. It does no I/O.
func New() *Module { return &Module{} }

// Name is "scaffold".
func (m *Module) Name() string { return "scaffold" }

// Predeclared gives scripts no names.
func (m *Module) Predeclared() starlark.StringDict { return nil }

// Apps gives startproject, startapp and startcommand. No system check precedes
// them: one may be what somebody starts over from.
func (m *Module) Apps() []engine.App {
	return []engine.App{{Label: "manage", Commands: []engine.Command{projectCommand(), appCommand(), commandCommand()}}}
}

//go:embed all:templates
var templates embed.FS

// file is a file to write; its path has slashes.
type file struct {
	path string
	body string
}

// render returns the files of a template below a folder, with names in place
// of the examples'.
func render(template, below string, names ...string) ([]file, error) {
	root := path.Join("templates", template)
	replace := strings.NewReplacer(names...)
	var files []file
	err := fs.WalkDir(templates, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := templates.ReadFile(name)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(name, root+"/")
		files = append(files, file{path: path.Join(below, replace.Replace(rel)), body: replace.Replace(string(body))})
		return nil
	})
	return files, err
}

// created is a command's result: the paths that were written.
func created(files []file) map[string]any {
	paths := make([]any, len(files))
	for i, f := range files {
		paths[i] = f.path
	}
	return map[string]any{"created": paths}
}

// say writes lines to stdout, the first as a success, unless -v 0.
func say(inv *engine.Invocation, first string, more ...string) {
	if inv.Base().Verbosity < 1 {
		return
	}
	out := inv.Stdout()
	fmt.Fprintln(out, out.Style().Apply(style.SUCCESS, first))
	for _, line := range more {
		fmt.Fprintln(out, line)
	}
}

// advise writes to stderr what is left to be done by hand.
func advise(inv *engine.Invocation, line string) {
	out := inv.Stderr()
	fmt.Fprintln(out, out.Style().Apply(style.WARNING, line))
}
