package migrate

// The command migrate, with Django's options, texts and exit codes.

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
)

func (m *Module) migrateCommand() engine.Command {
	return engine.Command{
		Name: "migrate",
		Help: "Update the database's schema: apply the migrations of apps, or take them back.",
		Examples: []argparse.Example{
			{Line: "manage migrate", Help: "apply what is not applied"},
			{Line: "manage migrate orders 0002", Help: "bring orders to the state behind that migration, forwards or back"},
			{Line: "manage migrate orders zero", Help: "take all migrations of orders back"},
		},
		AddArguments: func(p *argparse.Parser) error {
			return addAll(p,
				argparse.Argument{Names: []string{"app_label"}, Nargs: argparse.Optional, Help: "the app whose migrations are meant (default: all)"},
				argparse.Argument{Names: []string{"migration_name"}, Nargs: argparse.Optional,
					Help: `the migration, or the start of its name, behind which the database is brought; "zero" takes all back`},
				databaseArgument("the database to migrate"),
				argparse.Argument{Names: []string{"--fake"}, Action: argparse.ActionStoreTrue, Help: "record migrations as applied, or as taken back, without running them"},
				argparse.Argument{Names: []string{"--fake-initial"}, Action: argparse.ActionStoreTrue,
					Help: "record an app's first migration without running it when the tables that it makes are there; only their names are compared"},
				argparse.Argument{Names: []string{"--plan"}, Action: argparse.ActionStoreTrue, Help: "show what would be done, and do nothing"},
				argparse.Argument{Names: []string{"--check"}, Dest: "check_unapplied", Action: argparse.ActionStoreTrue, Help: "exit 1 when there are unapplied migrations, and do nothing"},
				argparse.Argument{Names: []string{"--prune"}, Action: argparse.ActionStoreTrue, Help: "forget migrations of the app that are recorded as applied and have no file any more"},
			)
		},
		Handle: func(ctx context.Context, inv *engine.Invocation) (any, error) { return nil, m.migrate(ctx, inv) },
	}
}

func (m *Module) migrate(ctx context.Context, inv *engine.Invocation) error {
	c := &migrateRun{Module: m, inv: inv, app: option(inv, "app_label"), name: option(inv, "migration_name"), verbose: inv.Base().Verbosity}
	alias := option(inv, "database")
	if flag(inv, "plan") || flag(inv, "check_unapplied") {
		v, err := m.view(inv, alias)
		if err != nil {
			return err
		}
		return c.look(v)
	}
	runner, err := m.db.Runner(inv, alias)
	if err != nil {
		return err
	}
	if runner.Tx() != nil {
		return c.inside(alias)
	}
	return db.Translate(c.change(ctx, runner.Database()))
}

// migrateRun is one run of migrate.
type migrateRun struct {
	*Module
	inv       *engine.Invocation
	app, name string // as typed; may be empty
	verbose   int
}

// say writes a line to stdout from verbosity 1 on.
func (c *migrateRun) say(role style.Role, head, rest string) {
	if c.verbose > 0 {
		fmt.Fprintln(c.inv.Stdout(), c.paint(role, head)+rest)
	}
}

func (c *migrateRun) paint(role style.Role, text string) string {
	return c.inv.Stdout().Style().Apply(role, text)
}

// targets is what the command line names, after the checks of the history that
// Django makes first.
func (c *migrateRun) targets(v *view) ([]target, error) {
	if err := consistent(v, flag(c.inv, "fake")); err != nil {
		return nil, err
	}
	return c.named(v.graph)
}

// named is what the command line names.
func (c *migrateRun) named(g *graph) ([]target, error) {
	if c.app == "" {
		return g.everything(), nil
	}
	if err := g.hasApp(c.app); err != nil {
		return nil, err
	}
	switch c.name {
	case "":
		if list := g.byApp[c.app]; len(list) > 0 {
			return []target{{c.app, list[len(list)-1]}}, nil
		}
		return nil, nil
	case "zero":
		return []target{{c.app, nil}}, nil
	}
	m, err := g.find(c.app, c.name)
	if err != nil {
		return nil, err
	}
	return []target{{c.app, m}}, nil
}

// consistent refuses a history in which a migration is applied before one that
// it depends on: Django's InconsistentMigrationHistory. A number that a file
// without a history shares with a history without a file is one too. The first
// can be mended by recording what is missing: fake says that this is meant.
func consistent(v *view, fake bool) error {
	for _, m := range v.graph.sorted() {
		if v.history.has(m) {
			for _, p := range m.parents {
				if !fake && !v.history.has(p) {
					return &engine.CommandError{
						Message: fmt.Sprintf("Migration %s is applied before its dependency %s on database '%s'.", m.Key, p.Key, v.alias),
						Hint: fmt.Sprintf("Give %s a number behind the applied ones, or record it when its changes are in the database: manage migrate --fake %s %s",
							p.file, p.App, p.Name),
					}
				}
			}
			continue
		}
		if r, ok := v.history.rows[rowKey{m.App, m.version}]; ok {
			return &engine.CommandError{
				Message: fmt.Sprintf("Migration %s has the number of %s, which is applied on database '%s' and has no file any more.", m.Key, r.Key, v.alias),
				Hint:    fmt.Sprintf("Put the file of %s back, give %s another number, or forget the old one: manage migrate --prune %s", r.Key, m.file, m.App),
			}
		}
	}
	return nil
}

// look is --plan and --check.
func (c *migrateRun) look(v *view) error {
	targets, err := c.targets(v)
	if err != nil {
		return err
	}
	plan, err := c.plan(v, targets)
	if err != nil {
		return err
	}
	if flag(c.inv, "plan") {
		out := c.inv.Stdout()
		fmt.Fprintln(out, c.paint(style.MIGRATE_LABEL, "Planned operations:"))
		if len(plan) == 0 {
			fmt.Fprintln(out, "  No planned migration operations.")
		}
		for _, op := range plan {
			fmt.Fprintln(out, c.paint(style.MIGRATE_HEADING, op.Key.String()))
			for _, line := range describe(op) {
				text := "    " + line.text
				if line.bad {
					text = c.paint(style.WARNING, text)
				}
				fmt.Fprintln(out, text)
			}
		}
	}
	if flag(c.inv, "check_unapplied") && len(plan) > 0 {
		return &engine.ExitError{Code: 1}
	}
	return nil
}

// inside is migrate in a transaction, as a test calls it: fine as long as there
// is nothing to do.
func (c *migrateRun) inside(alias string) error {
	v, err := c.view(c.inv, alias)
	if err != nil {
		return err
	}
	targets, err := c.targets(v)
	if err != nil {
		return err
	}
	plan, err := c.plan(v, targets)
	if err != nil {
		return err
	}
	if len(plan) > 0 || flag(c.inv, "prune") {
		return &engine.CommandError{Message: "migrate cannot run inside a transaction: each migration has one of its own", Hint: "Call it outside of db.atomic and of commands with atomic = True."}
	}
	c.announce(v, targets)
	c.idle()
	return nil
}

// idle says that there is nothing to do.
func (c *migrateRun) idle() { c.say("", "  No migrations to apply.", "") }

// plan makes the plan, and refuses one that leaves a migration of its apps half
// way, or that needs a file that has vanished.
func (c *migrateRun) plan(v *view, targets []target) ([]operation, error) {
	plan := v.graph.plan(targets, v.history)
	if flag(c.inv, "fake") {
		return plan, nil
	}
	handled := map[Key]bool{}
	for _, op := range plan {
		handled[op.Key] = true
	}
	for _, t := range targets {
		for _, m := range v.graph.byApp[t.app] {
			if r := v.history.row(m); r != nil && r.unfinished != nil && !handled[m.Key] {
				return nil, unfinishedError(r)
			}
		}
		for _, r := range v.history.orphans(v.graph, t.app) {
			if (t.migration == nil || t.migration.version < r.version) && c.name != "" {
				return nil, &engine.CommandError{
					Message: fmt.Sprintf("Migration %s is applied, and its file is not there any more: there is no way back behind it.", r.Key),
					Hint:    fmt.Sprintf("Put the file back, or forget the migration: manage migrate --prune %s", r.App),
				}
			}
		}
	}
	return plan, nil
}

// change carries the plan out, under the lock.
func (c *migrateRun) change(ctx context.Context, database *sqldb.Database) error {
	x, err := c.executor(c.inv, database)
	if err != nil {
		return err
	}
	// What is misspelt needs no lock, and makes no file.
	if _, err := c.named(x.graph); err != nil {
		return err
	}
	err = x.open(ctx, func() {
		if c.verbose > 0 {
			fmt.Fprintln(c.inv.Stderr(), "Waiting for another migrate to finish.")
		}
	})
	if err != nil {
		return err
	}
	defer x.close(ctx)
	v := &view{alias: database.Alias(), dialect: x.dialect, graph: x.graph, history: x.history}
	if flag(c.inv, "prune") {
		return c.prune(ctx, x)
	}
	targets, err := c.targets(v)
	if err != nil {
		return err
	}
	plan, err := c.plan(v, targets)
	if err != nil {
		return err
	}
	x.fake, x.fakeInitial = flag(c.inv, "fake"), flag(c.inv, "fake_initial")
	if err := x.resumable(plan); err != nil {
		return err
	}
	c.announce(v, targets)
	if len(plan) == 0 {
		c.idle()
		return nil
	}
	done, open := 0, false
	var began time.Time
	x.warn = func(text string) { fmt.Fprintln(c.inv.Stderr(), text) }
	x.started = func(op operation) {
		began, open = c.inv.Now(), true
		if c.verbose > 0 {
			fmt.Fprintf(c.inv.Stdout(), "  %s %s...", verb(op), op.Key)
			_ = c.inv.Stdout().Flush() // an error comes back with the next write
		}
	}
	x.ended = func(_ operation, fake bool) {
		done, open = done+1, false
		word := " OK"
		if fake {
			word = " FAKED"
		}
		if c.verbose > 1 {
			word += elapsed(c.inv.Now().Sub(began))
		}
		c.say(style.SUCCESS, word, "")
	}
	c.inv.Report(func() string {
		if done == 0 {
			return ""
		}
		return fmt.Sprintf("%d of %d migrations were carried out before", done, len(plan))
	})
	err = x.run(ctx, plan)
	if open {
		c.say("", "", "") // the line of the migration that failed
	}
	return err
}

func verb(op operation) string {
	if op.backwards {
		return "Unapplying"
	}
	return "Applying"
}

// announce says what is about to be done, and which applied migrations have no
// file, up to the heading under which the migrations are listed.
func (c *migrateRun) announce(v *view, targets []target) {
	c.say(style.MIGRATE_HEADING, "Operations to perform:", "")
	switch {
	case c.name == "":
		var apps []string
		for _, t := range targets {
			apps = append(apps, t.app)
		}
		slices.Sort(apps)
		c.say(style.MIGRATE_LABEL, "  Apply all migrations: ", cmp.Or(strings.Join(slices.Compact(apps), ", "), "(none)"))
	case targets[0].migration == nil:
		c.say(style.MIGRATE_LABEL, "  Unapply all migrations: ", targets[0].app)
	default:
		c.say(style.MIGRATE_LABEL, "  Target specific migration: ", fmt.Sprintf("%s, from %s", targets[0].migration.Name, targets[0].app))
	}
	if c.verbose > 0 {
		warn := c.inv.Stderr().Style()
		for _, app := range v.graph.migratedApps() {
			for _, r := range v.history.orphans(v.graph, app) {
				fmt.Fprintln(c.inv.Stderr(), warn.Apply(style.WARNING, fmt.Sprintf("Migration %s is applied, and its file is not there any more.", r.Key)))
			}
		}
	}
	c.say(style.MIGRATE_HEADING, "Running migrations:", "")
}

// prune forgets migrations without a file.
func (c *migrateRun) prune(ctx context.Context, x *executor) error {
	if c.app == "" {
		return &engine.CommandError{Message: "Migrations can be pruned only when an app is specified."}
	}
	c.say(style.MIGRATE_HEADING, "Pruning migrations:", "")
	orphans := x.history.orphans(x.graph, c.app)
	if len(orphans) == 0 {
		c.say("", "  No migrations to prune.", "")
	}
	for _, r := range orphans {
		if err := x.history.forget(ctx, x.session.Runner(), r.App, r.version); err != nil {
			return err
		}
		c.say(style.MIGRATE_LABEL, fmt.Sprintf("  Pruning %s", r.Key), c.paint(style.SUCCESS, " OK"))
	}
	return nil
}

// description is one line of --plan.
type description struct {
	text string
	bad  bool
}

// describe says what an operation does, as Django's describe_operation.
func describe(op operation) []description {
	kind := "Raw SQL operation"
	if op.script() {
		kind = "Raw Starlark operation"
	}
	if op.backwards && !op.reversible {
		return []description{{kind + " -> IRREVERSIBLE", true}}
	}
	if op.script() {
		fn := op.upFn
		if op.backwards {
			fn = op.downFn
		}
		if doc, ok := fn.(interface{ Doc() string }); ok && doc.Doc() != "" {
			kind += shorten(" -> " + doc.Doc())
		}
		return []description{{kind, false}}
	}
	var out []description
	for _, st := range op.statements() {
		out = append(out, description{kind + shorten(" -> "+st.text), false})
	}
	return out
}

// shorten keeps 40 characters of a text on one line, as Django does.
func shorten(text string) string {
	runes := []rune(" " + strings.Join(strings.Fields(text), " "))
	if len(runes) <= 40 {
		return string(runes)
	}
	return string(runes[:39]) + "…"
}
