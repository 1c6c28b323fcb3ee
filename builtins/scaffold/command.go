package scaffold

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/internal/suggest"
)

func commandCommand() engine.Command {
	return engine.Command{
		Name:               "startcommand",
		Help:               "Write a new command that runs, and its test.",
		Examples:           []argparse.Example{{Line: "manage startcommand orders send_report", Help: "in apps/orders/management/commands/send_report.star"}},
		MissingArgsMessage: "You must provide an app and a command name.",
		SystemCheckTags:    []string{},
		AddArguments: func(p *argparse.Parser) error {
			if err := p.Add(argparse.Argument{Names: []string{"app_label"}, Metavar: []string{"app"}, Help: "the app that gets the command"}); err != nil {
				return err
			}
			return p.Add(argparse.Argument{Names: []string{"name"}, Help: "the name of the command"})
		},
		Handle: startCommand,
	}
}

func startCommand(ctx context.Context, inv *engine.Invocation) (any, error) {
	label, _ := inv.Option("app_label").(string)
	name, _ := inv.Option("name").(string)
	if err := validate("command", name); err != nil {
		return nil, err
	}
	root, err := openProject(inv)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	known, err := inv.Engine().Commands(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := appFolder(inv, root, label)
	if err != nil {
		return nil, err
	}
	files, err := render("command", folder, "example_app", label, "example_command", name)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := absent(root, f.path); err != nil {
			return nil, err
		}
	}
	for _, c := range known {
		if !strings.EqualFold(c.Name, name) {
			continue
		}
		by := fmt.Sprintf("the command %s of app %s", c.Name, quote(c.App))
		if c.App == "manage" {
			by = "a built-in command"
		}
		return nil, conflict("command", name, by)
	}
	if err := plant(ctx, root, files); err != nil {
		return nil, err
	}
	say(inv, fmt.Sprintf("Created the command %s:", name),
		"  "+files[0].path, "  "+files[1].path,
		"Next:",
		"  manage "+name+" --help",
		"  manage test "+label+".test_"+name)
	return created(files), nil
}

// appFolder returns the folder of an installed app of the project.
func appFolder(inv *engine.Invocation, root *os.Root, label string) (string, error) {
	folder := path.Join("apps", label)
	var labels []string
	for _, app := range inv.Apps() {
		ours := app.FS != nil && app.Path == path.Join("apps", app.Label)
		switch {
		case app.Label != label && ours:
			labels = append(labels, app.Label)
		case app.Label != label:
		case ours:
			return folder, nil
		default:
			return "", &engine.CommandError{Message: fmt.Sprintf("App %s is part of the program: there is no folder to write to.", quote(label))}
		}
	}
	e := &engine.CommandError{Message: fmt.Sprintf("No installed app with label %s.", quote(label))}
	info, err := root.Stat(folder)
	switch near := suggest.Closest(label, labels); {
	case isIdentifier(label) && err == nil && info.IsDir():
		e.Hint = fmt.Sprintf("Add %q to INSTALLED_APPS in %s.", label, inv.Settings().File())
	case near != "":
		e.Hint = fmt.Sprintf("Did you mean %s?", near)
	case validate("app", label) == nil:
		e.Hint = "Make it first: manage startapp " + label
	}
	return "", e
}
