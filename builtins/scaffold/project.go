package scaffold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
)

func projectCommand() engine.Command {
	return engine.Command{
		Name: "startproject",
		Help: "Write a new project: settings, and a folder for apps.",
		Examples: []argparse.Example{
			{Line: "manage startproject shop", Help: "in a new folder shop"},
			{Line: "manage startproject shop .", Help: "in this folder, which has to be empty"},
		},
		MissingArgsMessage: "You must provide a project name.",
		SystemCheckTags:    []string{},
		AddArguments: func(p *argparse.Parser) error {
			if err := p.Add(argparse.Argument{Names: []string{"name"}, Help: "the name of the project"}); err != nil {
				return err
			}
			return p.Add(argparse.Argument{Names: []string{"directory"}, Nargs: argparse.Optional,
				Help: "the folder to write to, new or empty (default: a new one of the project's name)"})
		},
		Handle: startProject,
	}
}

// startProject works where there is no project: paths are the shell's, from the
// working directory.
func startProject(ctx context.Context, inv *engine.Invocation) (any, error) {
	name, _ := inv.Option("name").(string)
	if err := validate("project", name); err != nil {
		return nil, err
	}
	target, given := inv.Option("directory").(string)
	if !given {
		target = name
	}
	if target == "" {
		return nil, &engine.CommandError{Message: "the folder to write to has no name", Hint: "A dot is this folder: manage startproject " + name + " ."}
	}
	dir, err := filepath.Abs(target)
	if err != nil {
		return nil, &engine.CommandError{Message: fmt.Sprintf("%s: %v", quote(target), err), Err: err}
	}
	if err := unused(target, dir, given); err != nil {
		return nil, err
	}
	base, below, err := standing(dir)
	if err != nil {
		return nil, &engine.CommandError{Message: fmt.Sprintf("%s: %v", quote(target), reason(err)), Err: err}
	}
	files, err := render("project", filepath.ToSlash(below), "example_project", name)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, &engine.CommandError{Message: fmt.Sprintf("%s: %v", quote(base), reason(err)), Err: err}
	}
	defer root.Close()
	if err := plant(ctx, root, files); err != nil {
		return nil, err
	}
	next := []string{"Next:"}
	if filepath.Clean(target) != "." {
		next = append(next, "  cd "+target)
	}
	say(inv, fmt.Sprintf("Created the project %s in %s.", name, target),
		append(next, "  manage startapp APP", "  manage startcommand APP COMMAND")...)
	for i := range files {
		if files[i].path, err = filepath.Rel(below, filepath.FromSlash(files[i].path)); err != nil {
			return nil, err
		}
	}
	result := created(files)
	result["directory"] = dir
	return result, nil
}

// unused refuses a folder with anything in it, and, unless the user named the
// folder, one that exists at all.
func unused(target, dir string, given bool) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(dir); err == nil {
			return exists(target) // a link that leads nowhere
		}
		return nil
	case err != nil:
		return &engine.CommandError{Message: fmt.Sprintf("%s: %v", quote(target), reason(err)), Err: err}
	case !given:
		return exists(target)
	case !info.IsDir():
		return &engine.CommandError{Message: quote(target) + " is not a folder"}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return &engine.CommandError{Message: fmt.Sprintf("%s: %v", quote(target), reason(err)), Err: err}
	}
	for _, entry := range entries {
		if entry.Name() == ".git" {
			continue // a repository that was made first
		}
		return &engine.CommandError{
			Message: fmt.Sprintf("%s is not empty: it has %s", quote(target), quote(entry.Name())),
			Hint:    "A project is written to a new folder or an empty one.",
		}
	}
	return nil
}

// standing splits a path into the innermost folder that exists and the rest,
// "." when all of it does.
func standing(dir string) (base, below string, err error) {
	base = dir
	for {
		if _, err := os.Stat(base); err == nil {
			break
		} else if parent := filepath.Dir(base); !errors.Is(err, fs.ErrNotExist) || parent == base {
			return "", "", err
		}
		base = filepath.Dir(base)
	}
	below, err = filepath.Rel(base, dir)
	return base, below, err
}
