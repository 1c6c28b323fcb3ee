package scaffold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
)

func appCommand() engine.Command {
	return engine.Command{
		Name:               "startapp",
		Help:               "Write a new app: folders for commands, tests and migrations.",
		Examples:           []argparse.Example{{Line: "manage startapp orders", Help: "in apps/orders"}},
		MissingArgsMessage: "You must provide an application name.",
		SystemCheckTags:    []string{},
		AddArguments: func(p *argparse.Parser) error {
			return p.Add(argparse.Argument{Names: []string{"name"}, Help: "the name of the app"})
		},
		Handle: startApp,
	}
}

func startApp(ctx context.Context, inv *engine.Invocation) (any, error) {
	name, _ := inv.Option("name").(string)
	if err := validate("app", name); err != nil {
		return nil, err
	}
	root, err := openProject(inv)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := inv.Broken(); err != nil {
		return nil, err // settings that do not work name no apps
	}
	for _, app := range inv.Apps() {
		if strings.EqualFold(app.Label, name) { // one folder on some file systems
			return nil, conflict("app", name, "an existing app")
		}
	}
	folder := path.Join("apps", name)
	if err := free(root, folder); err != nil {
		return nil, err
	}
	files, err := render("app", folder)
	if err != nil {
		return nil, err
	}
	if err := plant(ctx, root, files); err != nil {
		return nil, err
	}
	added, note := install(inv, root, name)
	more := []string{"Next:", "  manage startcommand " + name + " COMMAND"}
	if added {
		more = append([]string{note}, more...)
	}
	say(inv, fmt.Sprintf("Created the app %s in %s.", name, folder), more...)
	if !added && note != "" {
		advise(inv, note)
	}
	result := created(files)
	result["installed"] = added || note == ""
	return result, nil
}

// openProject opens the project's folder for writing.
func openProject(inv *engine.Invocation) (*os.Root, error) {
	dir := inv.ProjectDir()
	if dir == "" {
		return nil, &engine.CommandError{
			Message: inv.Name() + " needs a project on disk, and there is none here",
			Hint:    "Go into a project's folder, or make one: manage startproject NAME. (The apps of a program that brings its own project are in its source.)",
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &engine.CommandError{Message: fmt.Sprintf("%s: %v", quote(dir), reason(err)), Err: err}
	}
	return root, nil
}

// free refuses a folder that is there, unless it is empty.
func free(root *os.Root, folder string) error {
	info, err := root.Lstat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return failed(root, folder, err)
	case !info.IsDir():
		return exists(folder)
	}
	entries, err := fs.ReadDir(root.FS(), folder)
	if err != nil {
		return failed(root, folder, err)
	}
	if len(entries) > 0 {
		return &engine.CommandError{
			Message: fmt.Sprintf("%s already exists, and is not empty: it has %s", quote(folder), quote(entries[0].Name())),
			Hint:    fmt.Sprintf("If it is an app, add %q to INSTALLED_APPS.", path.Base(folder)),
		}
	}
	return nil
}
