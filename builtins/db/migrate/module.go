// Package migrate brings migrations: the schema of a project's apps as numbered
// files, and the commands migrate, showmigrations, sqlmigrate and
// makemigrations.
//
// A migration is a file apps/<app>/migrations/<number>_<name>:
//
//   - .sql, in goose's format: statements below "-- +goose Up", and those that
//     take them back below "-- +goose Down";
//   - .star, for data: def up(db) and, where there is a way back, def down(db);
//   - with a dialect before the extension (0003_x.postgres.sql) it is for that
//     database alone and wins over the one without.
//
// Each migration depends on the one before it in its app, and on what it names:
// "-- manage:depends orders.0002_x", or dependencies = ["orders.0002_x"]. It
// runs in a transaction together with its row in the table manage_migrations.
// Where statements cannot be rolled back together (MySQL's DDL; a file with
// "-- +goose NO TRANSACTION"; atomic = False) the row says how far it came, and
// the next run goes on there. One lock is held around a whole plan.
//
// Only the command migrate makes a SQLite file that is missing.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/style"
)

// Module is the engine.Module that brings the commands, the attribute
// requires_migrations_checks of command files, and system checks of migration
// files. It brings no names into scripts. In a Config it stands before db's
// module, so that its check comes before a command's transaction. Many runs
// may use it at once.
type Module struct{ db *db.Module }

var (
	_ engine.Module      = (*Module)(nil)
	_ engine.AppProvider = (*Module)(nil)
	_ engine.Extender    = (*Module)(nil)
	_ engine.Checker     = (*Module)(nil)
	_ engine.Tagged      = (*Module)(nil)
)

// New returns the module for the databases of d. It does no I/O.
func New(d *db.Module) *Module { return &Module{db: d} }

// Name is "migrate".
func (m *Module) Name() string { return "migrate" }

// Predeclared is empty.
func (m *Module) Predeclared() starlark.StringDict { return nil }

// Apps gives the commands.
func (m *Module) Apps() []engine.App {
	commands := []engine.Command{m.migrateCommand(), m.showCommand(), m.sqlCommand(), m.makeCommand()}
	for i := range commands {
		handle := commands[i].Handle
		commands[i].Handle = func(ctx context.Context, inv *engine.Invocation) (any, error) {
			// Without the settings there are no apps, and another database.
			if err := inv.Broken(); err != nil {
				return nil, err
			}
			v, err := handle(ctx, inv)
			if err != nil && ctx.Err() != nil {
				return nil, ctx.Err() // by which the engine knows a run that was told to stop
			}
			return v, err
		}
	}
	return []engine.App{{Label: "manage", Commands: commands}}
}

// Attributes is requires_migrations_checks.
func (m *Module) Attributes() []string { return []string{"requires_migrations_checks"} }

// Arguments checks the attribute; it adds no argument.
func (m *Module) Arguments(attrs starlark.StringDict, _ *argparse.Parser) error {
	if v, ok := attrs["requires_migrations_checks"]; ok {
		if _, ok := v.(starlark.Bool); !ok {
			return fmt.Errorf("requires_migrations_checks is True or False, not %s", v.Type())
		}
	}
	return nil
}

// Around warns of unapplied migrations before a command that asks for it, in
// the words of Django's BaseCommand.check_migrations. The database is the
// command's own: that of --database, where the file says database = True.
func (m *Module) Around(inv *engine.Invocation, next func() error) error {
	if inv.Attribute("requires_migrations_checks") != starlark.True {
		return next()
	}
	alias := "default"
	if inv.Attribute("database") == starlark.True {
		if name, ok := inv.Option("database").(string); ok && name != "" {
			alias = name
		}
	}
	v, err := m.view(inv, alias)
	if err != nil {
		return err
	}
	plan := v.graph.plan(v.graph.everything(), v.history)
	if len(plan) > 0 {
		var apps []string
		for _, op := range plan {
			apps = append(apps, op.App)
		}
		slices.Sort(apps)
		s := inv.Stderr().Style()
		fmt.Fprintln(inv.Stderr(), s.Apply(style.NOTICE, fmt.Sprintf("\nYou have %d unapplied migration(s). Your project may not work properly until you apply the migrations for app(s): %s.",
			len(plan), strings.Join(slices.Compact(apps), ", "))))
		fmt.Fprintln(inv.Stderr(), s.Apply(style.NOTICE, "Run 'manage migrate' to apply them."))
	}
	return next()
}

// checkTag is the tag of the checks.
const checkTag = "migrations"

// CheckTags is "migrations".
func (m *Module) CheckTags() []string { return []string{checkTag} }

// Check reads the migrations of all apps, as each kind of database in
// DATABASES runs them. It opens no database.
func (m *Module) Check(ctx context.Context, run *engine.CheckRun) []engine.CheckMessage {
	if !run.Wants(checkTag) {
		return nil
	}
	var messages []engine.CheckMessage
	seen := map[string]bool{}
	for _, vendor := range m.vendors(run.Invocation) {
		_, faults := loadGraph(run.Invocation, vendor)
		for _, f := range faults {
			message := f.message()
			if text := message.String(); !seen[text] {
				seen[text] = true
				messages = append(messages, message)
			}
		}
	}
	return messages
}

// message is the fault as check prints it.
func (f fault) message() engine.CheckMessage {
	m := engine.CheckMessage{Level: engine.ERROR, ID: f.id, Msg: f.msg, Hint: f.hint, Obj: f.position()}
	if e, ok := errors.AsType[*engine.ScriptError](f.err); ok {
		m.Msg, m.Hint = e.Message, e.Hint
		switch {
		case len(e.Diagnostics) > 0:
			m.Obj = e.Diagnostics[0].Position()
		case len(e.Frames) > 0:
			m.Obj = e.Frames[len(e.Frames)-1].Position()
		}
	}
	return m
}

// vendors returns the kinds of database in DATABASES, sorted. A mistake there
// is for others to report.
func (m *Module) vendors(inv *engine.Invocation) []string {
	aliases, err := m.db.Aliases(inv)
	if err != nil {
		return nil
	}
	var out []string
	for _, alias := range aliases {
		database, err := m.db.Database(inv, alias)
		if err != nil || database.Target().Dialect == nil { // a host's own pool: it would have to be asked
			continue
		}
		out = append(out, database.Target().Dialect.Vendor())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Apply applies all migrations of all installed apps to a database, which need
// not be one of DATABASES, and prints nothing. inv is one of Invocation.Within's
// or a command's own. The error names the migration. Several goroutines may
// call it with databases and runs of their own.
func (m *Module) Apply(inv *engine.Invocation, database *sqldb.Database) error {
	ctx := inv.Context()
	x, err := m.executor(inv, database)
	if err != nil {
		return err
	}
	if err := x.open(ctx, func() {}); err != nil {
		return db.Translate(err)
	}
	defer x.close(ctx)
	if err := consistent(&view{alias: database.Alias(), graph: x.graph, history: x.history}, false); err != nil {
		return err
	}
	plan := x.graph.plan(x.graph.everything(), x.history)
	if err := x.resumable(plan); err != nil {
		return err
	}
	var current Key
	x.started = func(op operation) { current = op.Key }
	if err := x.run(ctx, plan); err != nil {
		return fmt.Errorf("migration %s: %w", current, db.Translate(err))
	}
	return nil
}

// executor reads the migrations for a database.
func (m *Module) executor(inv *engine.Invocation, database *sqldb.Database) (*executor, error) {
	d, err := database.Dialect(inv.Context())
	if err != nil {
		return nil, db.Translate(err)
	}
	g, faults := loadGraph(inv, d.Vendor())
	if len(faults) > 0 {
		return nil, faults[0].asError(len(faults) - 1)
	}
	return &executor{db: m.db, inv: inv, database: database, dialect: d, graph: g}, nil
}

// view is what commands that change nothing look at.
type view struct {
	alias   string
	dialect sqldb.Dialect
	graph   *graph
	history *history
}

// view reads the migrations and the history of an alias. It waits for no lock
// and makes nothing: a SQLite file that is missing has no history.
func (m *Module) view(inv *engine.Invocation, alias string) (*view, error) {
	database, err := m.db.Database(inv, alias)
	if err != nil {
		return nil, err
	}
	x, err := m.executor(inv, database)
	if err != nil {
		return nil, err
	}
	runner, err := m.db.Runner(inv, alias)
	if err != nil {
		return nil, err
	}
	h, err := readHistory(inv.Context(), runner, x.dialect)
	if errors.Is(err, sqldb.ErrMissingFile) {
		h, err = newHistory(x.dialect), nil
	}
	if err != nil {
		return nil, db.Translate(err)
	}
	return &view{alias: alias, dialect: x.dialect, graph: x.graph, history: h}, nil
}

// addAll declares arguments.
func addAll(p *argparse.Parser, list ...argparse.Argument) error {
	for _, a := range list {
		if err := p.Add(a); err != nil {
			return err
		}
	}
	return nil
}

// databaseArgument is Django's --database.
func databaseArgument(help string) argparse.Argument {
	return argparse.Argument{Names: []string{"--database"}, Default: "default", Metavar: []string{"ALIAS"}, Help: help + ` (default: the "default" database)`}
}

// option returns a string option; empty when it was not given.
func option(inv *engine.Invocation, dest string) string {
	s, _ := inv.Option(dest).(string)
	return s
}

func flag(inv *engine.Invocation, dest string) bool {
	b, _ := inv.Option(dest).(bool)
	return b
}
