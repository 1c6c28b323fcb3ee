package migrate

// The commands showmigrations and sqlmigrate.

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
)

func (m *Module) showCommand() engine.Command {
	return engine.Command{
		Name: "showmigrations",
		Help: "Show the migrations of apps, and which are applied.",
		AddArguments: func(p *argparse.Parser) error {
			err := addAll(p,
				argparse.Argument{Names: []string{"app_label"}, Nargs: argparse.ZeroOrMore, Help: "the apps to show (default: all)"},
				databaseArgument("the database to look at"))
			if err != nil {
				return err
			}
			formats := p.Exclusive(false)
			if err := formats.Add(argparse.Argument{Names: []string{"--list", "-l"}, Dest: "format", Action: argparse.ActionStoreConst, Const: "list",
				Help: "by app; [X] is applied, [-] stopped half way. With -v 2 also when they were applied (the default)"}); err != nil {
				return err
			}
			if err := formats.Add(argparse.Argument{Names: []string{"--plan", "-p"}, Dest: "format", Action: argparse.ActionStoreConst, Const: "plan",
				Help: "in the order in which they are applied. With -v 2 also what they depend on"}); err != nil {
				return err
			}
			p.SetDefaults(map[string]any{"format": "list"})
			return nil
		},
		Handle: func(_ context.Context, inv *engine.Invocation) (any, error) { return nil, m.show(inv) },
	}
}

func (m *Module) show(inv *engine.Invocation) error {
	v, err := m.view(inv, option(inv, "database"))
	if err != nil {
		return err
	}
	apps := inv.OptionStrings("app_label")
	bad := false
	for _, app := range apps {
		if err := v.graph.installed(app); err != nil {
			fmt.Fprintln(inv.Stderr(), err)
			bad = true
		}
	}
	if bad {
		return &engine.ExitError{Code: 2}
	}
	if inv.Option("format") == "plan" {
		v.showPlan(inv, apps)
		return nil
	}
	if len(apps) == 0 {
		apps = v.graph.migratedApps()
	}
	v.showList(inv, apps)
	return nil
}

// showList prints the migrations of each app by number, those without a file
// among them.
func (v *view) showList(inv *engine.Invocation, apps []string) {
	out, s := inv.Stdout(), inv.Stdout().Style()
	type line struct {
		version int64
		text    string
	}
	for _, app := range apps {
		fmt.Fprintln(out, s.Apply(style.MIGRATE_LABEL, app))
		var lines []line
		for _, m := range v.graph.byApp[app] {
			r := v.history.row(m)
			text := fmt.Sprintf(" [%s] %s%s", r.mark(), m.Name, r.remark())
			if r != nil && r.unfinished == nil && inv.Base().Verbosity > 1 {
				text += fmt.Sprintf(" (applied at %s)", r.appliedAt)
			}
			lines = append(lines, line{m.version, text})
		}
		for _, r := range v.history.orphans(v.graph, app) {
			lines = append(lines, line{r.version, fmt.Sprintf(" [%s] %s%s (no file)", r.mark(), r.Name, r.remark())})
		}
		slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.version, b.version) })
		for _, l := range lines {
			fmt.Fprintln(out, l.text)
		}
		if len(lines) == 0 {
			fmt.Fprintln(out, s.Apply(style.ERROR, " (no migrations)"))
		}
	}
}

// showPlan prints all migrations, or those that apps need, in the order in
// which they are applied.
func (v *view) showPlan(inv *engine.Invocation, apps []string) {
	out := inv.Stdout()
	seen := map[*migration]bool{}
	for _, leaf := range v.graph.leaves() {
		if len(apps) > 0 && !slices.Contains(apps, leaf.App) {
			continue
		}
		for _, m := range forwards(leaf) {
			if seen[m] {
				continue
			}
			seen[m] = true
			deps := ""
			if inv.Base().Verbosity > 1 && len(m.parents) > 0 {
				var names []string
				for _, p := range m.parents {
					names = append(names, p.Key.String())
				}
				deps = " ... (" + strings.Join(names, ", ") + ")"
			}
			r := v.history.row(m)
			fmt.Fprintf(out, "[%s]  %s%s%s\n", r.mark(), m.Key, r.remark(), deps)
		}
	}
	if len(seen) == 0 {
		fmt.Fprintln(out, out.Style().Apply(style.ERROR, "(no migrations)"))
	}
}

func (m *Module) sqlCommand() engine.Command {
	return engine.Command{
		Name: "sqlmigrate",
		Help: "Print the SQL statements of a migration, as the database gets them.",
		AddArguments: func(p *argparse.Parser) error {
			return addAll(p,
				argparse.Argument{Names: []string{"app_label"}, Help: "the app, or the whole: orders.0002_x, apps/orders/migrations/0002_x.sql"},
				argparse.Argument{Names: []string{"migration_name"}, Nargs: argparse.Optional, Help: "the migration, or the start of its name"},
				databaseArgument("the database whose SQL is shown"),
				argparse.Argument{Names: []string{"--backwards"}, Action: argparse.ActionStoreTrue, Help: "the SQL that takes the migration back"})
		},
		Handle: func(_ context.Context, inv *engine.Invocation) (any, error) { return m.sql(inv) },
	}
}

func (m *Module) sql(inv *engine.Invocation) (any, error) {
	app, name := option(inv, "app_label"), option(inv, "migration_name")
	if name == "" {
		var ok bool
		if app, name, ok = identifier(app); !ok {
			return nil, &engine.CommandError{Message: "When using a single argument, provide a migration path (e.g., 'apps/orders/migrations/0001_initial.sql') or a dotted name (e.g., 'orders.0001_initial'). Otherwise, provide both app_label and migration_name."}
		}
	}
	database, err := m.db.Database(inv, option(inv, "database"))
	if err != nil {
		return nil, err
	}
	x, err := m.executor(inv, database)
	if err != nil {
		return nil, err
	}
	if err := x.graph.hasApp(app); err != nil {
		return nil, err
	}
	mig, err := x.graph.find(app, name)
	if err != nil {
		return nil, err
	}
	op := operation{mig, flag(inv, "backwards")}
	if op.backwards && !op.reversible {
		return nil, irreversible(op)
	}
	if op.steps(op.backwards) == 0 {
		if inv.Base().Verbosity > 0 {
			fmt.Fprintln(inv.Stderr(), "No operations found.")
		}
		return nil, nil
	}
	lines := []string{"--", "-- Raw SQL operation", "--"}
	if op.script() {
		lines = []string{"--", "-- Raw Starlark operation", "--", "-- THIS OPERATION CANNOT BE WRITTEN AS SQL"}
	}
	for _, st := range op.statements() {
		lines = append(lines, terminated(st.text))
	}
	if op.atomic && x.dialect.Vendor() != "mysql" {
		lines = slices.Concat([]string{"BEGIN;"}, lines, []string{"COMMIT;"})
	}
	return strings.Join(lines, "\n"), nil
}

// terminated returns a statement that ends in a semicolon.
func terminated(text string) string {
	lines := strings.Split(text, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		line, _, _ := strings.Cut(lines[i], "--")
		if line = strings.TrimSpace(line); line != "" {
			if strings.HasSuffix(line, ";") {
				return text
			}
			break
		}
	}
	return text + ";"
}

// identifier reads the one argument that stands for a migration: a path as
// makemigrations prints it, or a dotted name as --plan does.
func identifier(text string) (app, name string, ok bool) {
	text = strings.TrimLeft(text, "./")
	if dir, file := path.Split(text); dir != "" {
		parts := strings.Split(strings.TrimSuffix(dir, "/"), "/")
		if n := len(parts); n >= 2 && parts[n-1] == folder {
			file, _, _ = strings.Cut(file, ".") // extension and dialect
			return parts[n-2], file, file != ""
		}
		return "", "", false
	}
	app, name, ok = strings.Cut(text, ".")
	return app, name, ok && app != "" && name != "" && !strings.Contains(name, ".")
}
