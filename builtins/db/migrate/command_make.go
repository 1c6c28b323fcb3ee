package migrate

// The command makemigrations --empty.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
)

func (m *Module) makeCommand() engine.Command {
	return engine.Command{
		Name: "makemigrations",
		Help: "Write an empty migration for each of some apps, to be filled by hand.",
		Examples: []argparse.Example{
			{Line: "manage makemigrations --empty orders --name add_currency", Help: "write apps/orders/migrations/0003_add_currency.sql"},
			{Line: "manage makemigrations --empty orders --star", Help: "write a data migration in Starlark"},
		},
		AddArguments: func(p *argparse.Parser) error {
			return addAll(p,
				argparse.Argument{Names: []string{"args"}, Metavar: []string{"app_label"}, Nargs: argparse.ZeroOrMore, Help: "the apps to write a migration for"},
				argparse.Argument{Names: []string{"--empty"}, Action: argparse.ActionStoreTrue, Help: "write an empty migration: the only kind that there is"},
				argparse.Argument{Names: []string{"--name", "-n"}, Help: "what stands behind the number in the file's name"},
				argparse.Argument{Names: []string{"--star"}, Action: argparse.ActionStoreTrue, Help: "a data migration in Starlark instead of SQL"},
				argparse.Argument{Names: []string{"--dry-run"}, Action: argparse.ActionStoreTrue, Help: "say what would be written, and with -v 3 show it"},
			)
		},
		Handle: func(_ context.Context, inv *engine.Invocation) (any, error) { return nil, m.make(inv) },
	}
}

const (
	emptySQL  = "-- +goose Up\n\n-- +goose Down\n"
	emptyStar = `"""What this migration does to the data, in a sentence."""

def up(db):
    pass

def down(db):
    pass
`
)

func (m *Module) make(inv *engine.Invocation) error {
	apps := inv.OptionStrings("args")
	name := option(inv, "name")
	switch {
	case !flag(inv, "empty"):
		return &engine.CommandError{Message: "makemigrations writes empty migrations only: there are no models whose changes it could find.", Hint: "Add --empty."}
	case len(apps) == 0:
		return &engine.CommandError{Message: "You must supply at least one app label when using --empty."}
	case name != "" && !isIdentifier(name):
		return &engine.CommandError{Message: "The migration name must be a valid Python identifier.", Hint: "Letters, digits and _, not starting with a digit."}
	}
	if i := strings.IndexFunc(name, notInName); i >= 0 {
		r, _ := utf8.DecodeRuneInString(name[i:])
		return &engine.CommandError{Message: fmt.Sprintf("The name of a migration is a file's: it cannot have %q.", r), Hint: "Letters from a to z, digits and _."}
	}
	installed := map[string]engine.AppInfo{}
	g := newGraph()
	for _, app := range inv.Apps() {
		g.labels = append(g.labels, app.Label)
		if _, seen := installed[app.Label]; !seen {
			installed[app.Label] = app
		}
	}
	bad := false
	for _, label := range apps {
		if err := g.installed(label); err != nil {
			fmt.Fprintln(inv.Stderr(), err)
			bad = true
		}
	}
	if bad {
		return &engine.ExitError{Code: 2}
	}
	for i, label := range apps {
		if slices.Contains(apps[:i], label) {
			continue
		}
		if err := writeEmpty(inv, installed[label], name); err != nil {
			return err
		}
	}
	return nil
}

// writeEmpty writes one migration, with the number behind the last.
func writeEmpty(inv *engine.Invocation, app engine.AppInfo, name string) error {
	if inv.ProjectDir() == "" || !strings.HasPrefix(app.Path, "apps/") {
		return &engine.CommandError{Message: fmt.Sprintf("App '%s' is part of the program: there is no folder to write to.", app.Label)}
	}
	files, faults, _ := readFolder(app)
	if len(faults) > 0 {
		return faults[0].asError(len(faults) - 1)
	}
	next := int64(1)
	if len(files) > 0 {
		next = files[len(files)-1].version + 1
	}
	switch {
	case name != "":
	case next == 1:
		name = "initial"
	default:
		name = "auto_" + inv.Now().UTC().Format("20060102_1504")
	}
	ext, body := ".sql", emptySQL
	if flag(inv, "star") {
		ext, body = ".star", emptyStar
	}
	file := path.Join(app.Path, folder, fmt.Sprintf("%04d_%s%s", next, name, ext))
	dry := flag(inv, "dry_run")
	if !dry {
		if err := writeFile(inv.ProjectDir(), file, body); err != nil {
			return err
		}
	}
	out, s, verbosity := inv.Stdout(), inv.Stdout().Style(), inv.Base().Verbosity
	if verbosity > 0 {
		fmt.Fprintln(out, s.Apply(style.MIGRATE_HEADING, fmt.Sprintf("Migrations for '%s':", app.Label)))
		fmt.Fprintln(out, "  "+s.Apply(style.MIGRATE_LABEL, file))
	}
	if dry && verbosity == 3 {
		fmt.Fprintln(out, s.Apply(style.MIGRATE_HEADING, fmt.Sprintf("Full migrations file '%s':", path.Base(file))))
		fmt.Fprintln(out, body)
	}
	return nil
}

// writeFile makes a new file below the project's folder, and the folder that
// it stands in. No symbolic link leads out.
func writeFile(dir, file, body string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return &engine.CommandError{Message: err.Error(), Err: err}
	}
	defer root.Close()
	if err := root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return &engine.CommandError{Message: err.Error(), Err: err}
	}
	f, err := root.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return &engine.CommandError{Message: err.Error(), Err: err}
	}
	_, err = f.WriteString(body)
	if err = errors.Join(err, f.Close()); err != nil {
		return &engine.CommandError{Message: err.Error(), Err: err}
	}
	return nil
}

// isIdentifier reports whether a name is one of Python's.
func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return name != ""
}
