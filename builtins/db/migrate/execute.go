package migrate

// Carrying a plan out: one transaction for each migration, the history with
// it, and an honest record where a database commits on its own.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// executor carries out plans on one database. It belongs to one goroutine.
type executor struct {
	db       *db.Module
	inv      *engine.Invocation
	database *sqldb.Database
	dialect  sqldb.Dialect
	graph    *graph
	history  *history
	session  *sqldb.Session
	release  func() // lets go of the lock
	path     string // PostgreSQL's search_path, as each migration finds it

	fake, fakeInitial bool
	// started and ended tell of each migration's progress, warn of what an
	// operator must know; they may be nil.
	started func(op operation)
	ended   func(op operation, fake bool)
	warn    func(text string)
}

// open takes the lock, makes a SQLite file that is missing, and reads the
// history. Call close when it succeeded.
func (x *executor) open(ctx context.Context, waiting func()) (err error) {
	defer func() {
		if err != nil {
			x.close(ctx)
		}
	}()
	if x.dialect.Vendor() == "sqlite" {
		file, err := x.file(ctx)
		if err != nil {
			return err
		}
		if x.release, err = acquire(ctx, nil, x.dialect, file, waiting); err != nil {
			return err
		}
		if err := create(x.database.Target().Path); err != nil {
			return err
		}
		if x.session, err = x.database.Session(ctx); err != nil {
			return err
		}
	} else {
		if x.session, err = x.database.Session(ctx); err != nil {
			return err
		}
		if x.release, err = acquire(ctx, x.session, x.dialect, "", waiting); err != nil {
			return err
		}
	}
	if x.dialect.Vendor() == "postgresql" {
		chunks, err := x.session.Runner().ReadAll(ctx, sqldb.Statement{SQL: "SELECT current_setting('search_path')", Once: true})
		if err != nil {
			return err
		}
		x.path = text(chunks[0].Cell(0, 0))
	}
	x.history, err = readHistory(ctx, x.session.Runner(), x.dialect)
	return err
}

// restorePath undoes what a migration did to PostgreSQL's search_path (a file
// of pg_dump's empties it): the next one is to find it as in a run of its own.
func (x *executor) restorePath(ctx context.Context) error {
	if x.dialect.Vendor() != "postgresql" {
		return nil
	}
	return write(ctx, x.session.Runner(), "SELECT pg_catalog.set_config('search_path', ?, false)", x.path)
}

// close lets go of the lock and the connection.
func (x *executor) close(ctx context.Context) {
	if x.release != nil {
		x.release()
	}
	if x.session != nil {
		_ = x.session.Close() // what it held is gone either way
	}
	x.release, x.session = nil, nil
}

// file is the SQLite database's; empty in memory. A host's own pool is asked.
func (x *executor) file(ctx context.Context) (string, error) {
	if t := x.database.Target(); t.Driver != "" {
		return t.Path, nil
	}
	chunks, err := x.database.Runner().ReadAll(ctx, sqldb.Statement{SQL: "SELECT file FROM pragma_database_list WHERE name = 'main'", Once: true})
	if err != nil || count(chunks) == 0 {
		return "", err
	}
	return text(chunks[0].Cell(0, 0)), nil
}

// create makes an empty file, which to SQLite is an empty database. One that
// is there already is left alone.
func create(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return &engine.CommandError{Message: fmt.Sprintf("the database file cannot be made: %v", err), Err: err}
	}
	return f.Close()
}

// run carries out a plan that is resumable, migration by migration.
func (x *executor) run(ctx context.Context, plan []operation) error {
	if len(plan) == 0 {
		return nil
	}
	if err := x.history.create(ctx, x.session.Runner()); err != nil {
		return err
	}
	defer x.database.ForgetSchema()
	for _, op := range plan {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if x.started != nil {
			x.started(op)
		}
		fake, err := x.faked(ctx, op)
		if err != nil {
			return err
		}
		if err := x.one(ctx, op, fake); err != nil {
			return err
		}
		if err := x.restorePath(ctx); err != nil {
			return err
		}
		x.database.ForgetSchema()
		x.history.note(op, x.inv.Now())
		if x.ended != nil {
			x.ended(op, fake)
		}
	}
	return nil
}

// resumable checks that a plan can take up what stopped half way, and that the
// way back exists, before anything is done.
func (x *executor) resumable(plan []operation) error {
	if x.fake {
		return nil
	}
	for _, op := range plan {
		m := op.migration
		if op.backwards && !m.reversible {
			return irreversible(op)
		}
		r := x.history.row(m)
		if r == nil || r.unfinished == nil {
			continue
		}
		p := r.unfinished
		if p.backwards != op.backwards {
			return unfinishedError(r)
		}
		if m.script() {
			continue
		}
		list := op.statements()
		if p.done > len(list) || checksum(list[:p.done]) != p.sum {
			return &engine.CommandError{
				Message: fmt.Sprintf("Migration %s stopped after %d of %d statements, and those were changed since in %s.", m.Key, p.done, p.total, m.file),
				Hint:    "Put them back as they were: only what comes after them may change. " + byHand(op),
			}
		}
	}
	return nil
}

// irreversible is the error of a migration without a way back.
func irreversible(op operation) error {
	what := "-- +goose Down"
	if op.script() {
		what = "def down(db)"
	}
	return &engine.CommandError{Message: fmt.Sprintf("Migration %s is not reversible: %s has no %s.", op.Key, op.file, what)}
}

// unfinishedError refuses to walk away from a migration that stopped half way.
func unfinishedError(r *row) error {
	return &engine.CommandError{
		Message: fmt.Sprintf("Migration %s is unfinished: on the way %s it stopped after %d of %d steps.", r.Key, r.unfinished.direction(), r.unfinished.done, r.unfinished.total),
		Hint:    fmt.Sprintf("Go on the same way first, or mend the tables by hand and record what they are: manage migrate --fake %s …", r.App),
	}
}

func byHand(op operation) string {
	if op.backwards {
		return fmt.Sprintf("Or do the rest by hand and record it: manage migrate --fake %s with the migration before this one (or zero).", op.App)
	}
	return fmt.Sprintf("Or do the rest by hand and record it: manage migrate --fake %s %s.", op.App, op.Name)
}

func (op operation) statements() []statement {
	if op.backwards {
		return op.down
	}
	return op.up
}

// faked reports whether a migration is only to be recorded: with --fake, and
// with --fake-initial an app's first one whose tables are all there.
func (x *executor) faked(ctx context.Context, op operation) (bool, error) {
	if x.fake || !x.fakeInitial || op.backwards || x.graph.byApp[op.App][0] != op.migration || x.history.has(op.migration) {
		return x.fake, nil
	}
	createTable := regexp.MustCompile("(?is)^\\s*CREATE\\s+TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?((?:[\\w$]+|\"[^\"]+\"|`[^`]+`|\\[[^\\]]+\\])(?:\\.(?:[\\w$]+|\"[^\"]+\"|`[^`]+`))?)")
	made := 0
	for _, st := range op.up {
		part := createTable.FindStringSubmatch(st.text)
		if part == nil {
			continue
		}
		made++
		name := strings.NewReplacer(`"`, "", "`", "", "[", "", "]", "").Replace(part[1])
		if _, err := x.session.Runner().Table(ctx, name); err != nil {
			if _, missing := errors.AsType[*sqldb.NoTableError](err); missing {
				return false, nil
			}
			return false, err
		}
	}
	return made > 0, nil
}

// one carries out a single migration.
func (x *executor) one(ctx context.Context, op operation, fake bool) error {
	switch {
	case fake:
		return x.record(ctx, op)
	case op.script():
		return x.script(ctx, op)
	case op.atomic:
		return x.atomic(ctx, op)
	}
	return x.apart(ctx, op)
}

// transaction runs fn and records the migration in one transaction. It returns
// what the script asked to be called after the commit.
func (x *executor) transaction(ctx context.Context, op operation, fn func(tx *sqldb.Tx) error) (hooks []any, err error) {
	tx, err := x.session.Begin(ctx, "")
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // does nothing after Commit; the first error is the one to report
	if err := fn(tx); err != nil {
		return nil, err
	}
	if err := x.history.finish(ctx, tx.Runner(), op, x.inv.Now()); err != nil {
		return nil, err
	}
	return tx.Commit(ctx)
}

// record records a migration whose statements have been run.
func (x *executor) record(ctx context.Context, op operation) error {
	_, err := x.transaction(ctx, op, func(*sqldb.Tx) error { return nil })
	return err
}

// commits reports whether the database commits DDL on its own.
func (x *executor) commits() bool { return x.dialect.Vendor() == "mysql" }

// implicitCommit reports whether a statement of MySQL's ends the transaction
// (https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html).
func implicitCommit(keyword string) bool {
	switch keyword {
	case "ALTER", "CREATE", "DROP", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "SET", "LOCK", "UNLOCK", "LOAD",
		"ANALYZE", "CACHE", "CHECK", "FLUSH", "OPTIMIZE", "REPAIR", "RESET", "INSTALL", "UNINSTALL", "IMPORT", "CALL":
		return true
	}
	return false
}

// atomic runs a .sql migration in one transaction. Where DDL commits by itself
// a mark goes along with each statement, so that what was committed and what
// the mark says are the same thing but for the moment between the two.
func (x *executor) atomic(ctx context.Context, op operation) error {
	keys := false
	if x.dialect.Vendor() == "sqlite" {
		// As Django does: rebuilding a table drops the old one, which must
		// neither fail nor cascade. Rows left without a parent are found before
		// the commit.
		on, restore, err := x.withoutKeys(ctx)
		if err != nil {
			return err
		}
		defer restore()
		keys = on
	}
	at, cutOff := x.begun(op)
	list := op.statements()
	if cutOff && x.commits() && at < len(list) {
		if err := x.doubtful(ctx, op, at); err != nil {
			return x.stopped(ctx, op, at, err)
		}
		at++
	}
	_, err := x.transaction(ctx, op, func(tx *sqldb.Tx) error {
		r := tx.Runner()
		if x.commits() {
			if err := x.history.begin(ctx, r, op.migration, x.progress(op, at, false)); err != nil {
				return err
			}
		}
		for ; at < len(list); at++ {
			if err := x.statement(ctx, r, op, at); err != nil {
				return err
			}
			if !x.commits() {
				continue
			}
			if err := x.history.begin(ctx, r, op.migration, x.progress(op, at+1, false)); err != nil {
				return err
			}
			if implicitCommit(sqldb.Keyword(x.dialect, list[at].text)) {
				// It has committed, and with that the transaction is over.
				if _, err := r.Exec(ctx, sqldb.Statement{SQL: "START TRANSACTION", Once: true}); err != nil {
					return err
				}
			}
		}
		if !keys {
			return nil
		}
		return orphanRows(ctx, r, op)
	})
	if err != nil {
		return x.stopped(ctx, op, at, err)
	}
	return nil
}

// apart runs a .sql migration with NO TRANSACTION: each statement by itself,
// and the mark after it.
func (x *executor) apart(ctx context.Context, op operation) error {
	at, cutOff := x.begun(op)
	list := op.statements()
	r := x.session.Runner()
	err := func() error {
		if err := x.history.begin(ctx, r, op.migration, x.progress(op, at, false)); err != nil {
			return err
		}
		if cutOff && at < len(list) {
			if err := x.doubtful(ctx, op, at); err != nil {
				return err
			}
			at++
		}
		for ; at < len(list); at++ {
			if err := x.statement(ctx, r, op, at); err != nil {
				return err
			}
			if err := x.history.begin(ctx, r, op.migration, x.progress(op, at+1, false)); err != nil {
				return err
			}
		}
		return x.record(ctx, op)
	}()
	if err != nil {
		return x.stopped(ctx, op, at, err)
	}
	return nil
}

// begun is the statement to go on with: 0 unless an earlier run stopped.
// cutOff: that run was killed, at or just behind this statement.
func (x *executor) begun(op operation) (at int, cutOff bool) {
	r := x.history.row(op.migration)
	if r == nil || r.unfinished == nil {
		return 0, false
	}
	return r.unfinished.done, !r.unfinished.settled
}

// doubtful runs the statement at which an earlier run was cut off, on its own.
// Where the database says that what it makes is there already, or what it
// drops is gone, it had taken effect.
func (x *executor) doubtful(ctx context.Context, op operation, at int) error {
	r := x.session.Runner()
	err := x.statement(ctx, r, op, at)
	if step, ok := errors.AsType[*stepError](err); ok {
		if !x.commits() || !alreadyDone(step.err, sqldb.Keyword(x.dialect, op.statements()[at].text)) {
			step.inFlight = true
			return err
		}
		x.warning("Migration %s: statement %d had taken effect when the last run was cut off (%v).", op.Key, at+1, step.err)
	} else if err != nil {
		return err
	}
	return x.history.begin(ctx, r, op.migration, x.progress(op, at+1, false))
}

// alreadyDone reads an error of MySQL's by its number
// (https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html).
func alreadyDone(err error, keyword string) bool {
	number, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "Error "), " ")
	switch number {
	case "1050", "1060", "1061", "1826", "3822": // table, column, index, foreign key, check: is there
		return true
	case "1051", "1091": // table, column or index to drop: is not there
		return true
	case "1054", "1146": // column, table to rename: is not there
		return keyword == "ALTER" || keyword == "RENAME"
	}
	return false
}

// progress is the mark of a migration that has done a number of statements.
func (x *executor) progress(op operation, done int, settled bool) progress {
	p := progress{backwards: op.backwards, done: done, total: op.steps(op.backwards), settled: settled}
	if !op.script() {
		p.sum = checksum(op.statements()[:done])
	}
	return p
}

func (x *executor) warning(format string, args ...any) {
	if x.warn != nil {
		x.warn(fmt.Sprintf(format, args...))
	}
}

// stepError is a statement that failed.
type stepError struct {
	op       operation
	at       int
	inFlight bool // an earlier run was cut off at this very statement
	err      error
}

func (e *stepError) Error() string {
	st := e.op.statements()[e.at]
	return fmt.Sprintf("Migration %s failed at statement %d of %d (%s:%d): %v", e.op.Key, e.at+1, len(e.op.statements()), e.op.file, st.line, e.err)
}

func (e *stepError) Unwrap() error { return e.err }

// statement runs one statement of a file.
func (x *executor) statement(ctx context.Context, r sqldb.Runner, op operation, at int) error {
	_, err := r.Exec(ctx, sqldb.Statement{SQL: op.statements()[at].text, Once: true, Write: true})
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &stepError{op: op, at: at, err: err}
}

// stopped makes the error of a .sql migration that did not end, after its
// transaction has been rolled back, and settles the mark.
func (x *executor) stopped(ctx context.Context, op operation, at int, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	step, ok := errors.AsType[*stepError](err)
	if !ok {
		if _, ours := errors.AsType[*engine.CommandError](err); ours {
			return err
		}
		return &engine.CommandError{Message: fmt.Sprintf("Migration %s failed: %v", op.Key, err), Err: err}
	}
	kept := 0
	if x.session != nil && (x.commits() || !op.atomic) {
		if perr := x.restorePath(ctx); perr != nil {
			return errors.Join(step, perr)
		}
		now, herr := readHistory(ctx, x.session.Runner(), x.dialect)
		if herr != nil {
			return errors.Join(step, herr)
		}
		if r := now.row(op.migration); r != nil && r.unfinished != nil {
			kept = r.unfinished.done
			if !step.inFlight {
				herr = x.settle(ctx, now, op, kept)
			}
			if herr != nil {
				return errors.Join(step, herr)
			}
		}
	}
	out := &engine.CommandError{Message: step.Error(), Err: err}
	switch {
	case kept > 0 && x.commits() && op.atomic:
		out.Hint = fmt.Sprintf("MySQL commits each CREATE, ALTER, DROP and the like by itself, so %s. ", keeps(kept)) + goOn(step.at, kept)
	case kept > 0:
		out.Hint = fmt.Sprintf("The migration runs without a transaction, so %s. ", keeps(kept)) + goOn(step.at, kept)
	case !step.inFlight:
		out.Hint = "Nothing of this migration was kept."
	}
	if step.inFlight {
		out.Hint = strings.TrimSpace(fmt.Sprintf("The last run was cut off at statement %d, which may have taken effect. %s", at+1, byHand(op)))
	}
	return out
}

func keeps(n int) string {
	if n == 1 {
		return "statement 1 stays"
	}
	return fmt.Sprintf("statements 1 to %d stay", n)
}

// goOn says what to do about the statement that failed: those between the ones
// that stay and this one were fine, and run again.
func goOn(failed, done int) string {
	where := "there"
	if failed != done {
		where = fmt.Sprintf("at statement %d", done+1)
	}
	return fmt.Sprintf("Mend statement %d and migrate again: it goes on %s.", failed+1, where)
}

// settle rewrites the mark of a migration that stopped at a statement that
// failed: nothing is in doubt. Where nothing was done there is no mark.
func (x *executor) settle(ctx context.Context, now *history, op operation, kept int) error {
	x.history = now
	r := x.session.Runner()
	if kept == 0 && !op.backwards {
		delete(now.rows, rowKey{op.App, op.version})
		return now.forget(ctx, r, op.App, op.version)
	}
	if kept == 0 {
		return write(ctx, r, "UPDATE "+now.name+" SET unfinished = NULL WHERE app = ? AND version = ?", op.App, op.version)
	}
	return now.begin(ctx, r, op.migration, x.progress(op, kept, true))
}

// script runs a .star migration. Its deferred functions run after the commit.
func (x *executor) script(ctx context.Context, op operation) error {
	fn := op.upFn
	if op.backwards {
		fn = op.downFn
	}
	call := func(run *engine.Invocation, tx *sqldb.Tx) error {
		handle, err := x.db.BindTo(run, x.database.Alias(), x.database, tx)
		if err != nil {
			return err
		}
		_, err = run.CallFunction(fn, starlark.Tuple{handle}, nil)
		return err
	}
	err := x.inv.Within(engine.Sub{}, func(run *engine.Invocation) error {
		if op.atomic {
			return x.scriptAtomic(ctx, run, op, call)
		}
		if err := x.history.begin(ctx, x.session.Runner(), op.migration, x.progress(op, 0, false)); err != nil {
			return err
		}
		if err := x.lend(ctx); err != nil {
			return err
		}
		if err := call(run, nil); err != nil {
			return err
		}
		if err := x.resume(ctx); err != nil {
			return err
		}
		if err := x.record(ctx, op); err != nil {
			return err
		}
		return x.lend(ctx)
	})
	// Deferred functions have run.
	if rerr := x.resume(ctx); err == nil {
		err = rerr
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	if e, ok := errors.AsType[*engine.ExitError](err); ok && e.Code == 0 {
		// The plan is not carried out, which nobody may take for a success.
		err = &engine.CommandError{Message: fmt.Sprintf("Migration %s was stopped by exit(0).", op.Key), Hint: fmt.Sprintf("Let %s return instead.", fn.Name())}
	}
	if x.session != nil && (x.commits() || !op.atomic) {
		now, herr := readHistory(ctx, x.session.Runner(), x.dialect)
		if herr != nil {
			return errors.Join(err, herr)
		}
		if r := now.row(op.migration); r != nil && r.unfinished != nil {
			x.warning("Migration %s is unfinished: what it wrote outside a transaction stays%s. The next run calls its %s again from the start.",
				op.Key, commitWord(x.commits() && op.atomic), fn.Name())
		}
		x.history = now
	}
	return err
}

// scriptAtomic calls a script in a transaction, and after it what the script
// left for then.
func (x *executor) scriptAtomic(ctx context.Context, run *engine.Invocation, op operation, call func(*engine.Invocation, *sqldb.Tx) error) error {
	hooks, err := x.transaction(ctx, op, func(tx *sqldb.Tx) error {
		if x.commits() {
			// DDL of the script would commit this mark with it.
			if err := x.history.begin(ctx, tx.Runner(), op.migration, x.progress(op, 0, false)); err != nil {
				return err
			}
		}
		before, err := x.parentTables(ctx, tx.Runner())
		if err != nil {
			return err
		}
		if err := call(run, tx); err != nil {
			return err
		}
		after, err := x.parentTables(ctx, tx.Runner())
		if err != nil {
			return err
		}
		return cascaded(op, before, after)
	})
	// Hooks and deferred functions work on the database, not in a transaction
	// that has ended.
	if _, berr := x.db.BindTo(run, x.database.Alias(), x.database, nil); err == nil {
		err = berr
	}
	if len(hooks) > 0 || x.dialect.Vendor() == "sqlite" {
		if lerr := x.lend(ctx); err == nil {
			err = lerr
		}
	}
	for i := 0; i < len(hooks) && err == nil; i++ {
		if fn, ok := hooks[i].(starlark.Callable); ok {
			_, err = run.CallFunction(fn, nil, nil)
		}
	}
	return err
}

func commitWord(implicit bool) string {
	if implicit {
		return " (MySQL commits at each CREATE, ALTER, DROP and the like by itself)"
	}
	return ""
}

// lend lets a script work on the pool: of a SQLite database in memory there is
// one connection, which the session gives back until resume.
func (x *executor) lend(ctx context.Context) error {
	if x.dialect.Vendor() == "sqlite" {
		err := x.session.Close()
		x.session = nil
		return err
	}
	if pool, err := x.database.Pool(ctx); err == nil && pool.Stats().MaxOpenConnections == 1 {
		return &engine.CommandError{Message: "a .star migration with atomic = False or db.on_commit needs two connections, and the pool of this database has one"}
	}
	return nil
}

// resume takes up a session that was lent.
func (x *executor) resume(ctx context.Context) (err error) {
	if x.session == nil {
		x.session, err = x.database.Session(context.WithoutCancel(ctx))
	}
	return err
}

// withoutKeys switches SQLite's foreign keys off until restore is called. on:
// they were not off already.
func (x *executor) withoutKeys(ctx context.Context) (on bool, restore func(), err error) {
	on, err = asks(ctx, x.session, "PRAGMA foreign_keys")
	if err != nil || !on {
		return false, func() {}, err
	}
	set := func(ctx context.Context, value string) error {
		_, err := x.session.Runner().Exec(ctx, sqldb.Statement{SQL: "PRAGMA foreign_keys = " + value, Once: true})
		return err
	}
	if err := set(ctx, "OFF"); err != nil {
		return false, nil, err
	}
	return true, func() { _ = set(context.WithoutCancel(ctx), "ON") }, nil // on failure the connection is of no use to anybody
}

// orphanRows finds rows whose foreign keys lead nowhere, on SQLite, where a
// migration runs with the keys switched off.
func orphanRows(ctx context.Context, r sqldb.Runner, op operation) error {
	chunks, err := r.ReadAll(ctx, sqldb.Statement{SQL: "SELECT \"table\", \"parent\", count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2", Once: true})
	if err != nil || count(chunks) == 0 {
		return err
	}
	return &engine.CommandError{
		Message: fmt.Sprintf("Migration %s would leave %s rows in %s whose foreign keys to %s lead nowhere.", op.Key, text(chunks[0].Cell(0, 2)), text(chunks[0].Cell(0, 0)), text(chunks[0].Cell(0, 1))),
		Hint:    "Nothing of this migration was kept.",
	}
}

// parentTable is a table of SQLite's to whose rows those of another one are
// tied: they go, or lose the reference, with them.
type parentTable struct {
	root  string // the page that it starts at; empty: it is not there
	child string
}

// parentTables returns such tables by name; none where foreign keys are off.
func (x *executor) parentTables(ctx context.Context, r sqldb.Runner) (map[string]parentTable, error) {
	if x.dialect.Vendor() != "sqlite" {
		return nil, nil
	}
	// With auto_vacuum tables move about.
	chunks, err := r.ReadAll(ctx, sqldb.Statement{Once: true, Quiet: true, SQL: "SELECT lower(k.\"table\"), max(p.rootpage), min(c.name) FROM sqlite_master c JOIN pragma_foreign_key_list(c.name) k " +
		"LEFT JOIN sqlite_master p ON p.type = 'table' AND lower(p.name) = lower(k.\"table\") " +
		"WHERE c.type = 'table' AND k.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') AND lower(c.name) <> lower(k.\"table\") " +
		"AND (SELECT foreign_keys FROM pragma_foreign_keys) = 1 AND (SELECT auto_vacuum FROM pragma_auto_vacuum) = 0 GROUP BY 1"})
	if err != nil {
		return nil, err
	}
	parents := map[string]parentTable{}
	for _, c := range chunks {
		for i := range c.N {
			parents[text(c.Cell(i, 0))] = parentTable{text(c.Cell(i, 1)), text(c.Cell(i, 2))}
		}
	}
	return parents, nil
}

// cascaded refuses what a script did when it dropped or rebuilt a parent table:
// SQLite then deletes the rows of the old one first, and with them, in silence,
// those of its children. A .sql migration runs with the keys switched off; a
// script does not, for its deletes are to reach the children.
func cascaded(op operation, before, after map[string]parentTable) error {
	children := map[string]bool{}
	for _, old := range before {
		children[old.child] = true
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		now := after[name]
		old, known := before[name]
		replaced := old.root != "" && now.root != old.root
		renamed := !known && now.root == "" && children[now.child] // and dropped under its new name
		if !replaced && !renamed {
			continue
		}
		return &engine.CommandError{
			Message: fmt.Sprintf("Migration %s dropped table %s, and with it SQLite deletes or changes the rows of %s that point to it.", op.Key, name, now.child),
			Hint:    "Nothing of this migration was kept. Drop and rebuild tables in a .sql migration, where foreign keys wait until its end.",
		}
	}
	return nil
}

// elapsed is a duration as Django prints it.
func elapsed(d time.Duration) string { return fmt.Sprintf(" (%.3fs)", d.Seconds()) }
