package unittest

// Scratch databases: what an alias of DATABASES means inside a test. SQLite's
// are in memory; a server's are databases of their own, test_<name>, beside the
// one that the settings name, which is never connected to.

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// marker is the table that says that a database on a server may be dropped: we
// made it.
const marker = "manage_test_database"

// worker runs one test after another, on databases of its own.
type worker struct {
	suite     *suite
	number    int // from 1
	scratches map[string]*scratch
	made      int   // databases so far
	broken    error // why no test can go on: a database cannot be made
}

// scratch is a database that tests may do with as they like.
type scratch struct {
	db   *sqldb.Database
	kept bool // made by an earlier run
	// end closes the database, and drops it where that is called for.
	end func(ctx context.Context) error
}

// scratch returns the worker's database that stands for an alias, and makes it
// when it is first used. Aliases that name one database share one.
func (w *worker) scratch(alias string) (string, *scratch, error) {
	configured, err := w.suite.cfg.DB.Database(w.suite.inv, alias)
	if err != nil {
		return "", nil, err
	}
	t := configured.Target()
	if t.Dialect == nil {
		return "", nil, &engine.CommandError{Message: fmt.Sprintf("database %q is a pool of the program's: tests can make a scratch database only from a URL in DATABASES", alias)}
	}
	key := strings.Join([]string{t.Driver, t.Host, t.Port, t.Name, t.Path}, "\x00")
	if t.Path == "" && t.Name == "" { // in memory: each alias is its own
		key += "\x00" + alias
	}
	if sc := w.scratches[key]; sc != nil {
		return key, sc, nil
	}
	sc, err := w.make(alias, t)
	if err != nil {
		w.broken = err
		return "", nil, err
	}
	w.scratches[key] = sc
	w.made++
	return key, sc, nil
}

// make makes a database and applies the migrations, in a run beside the test's:
// it has not the test's clock, and no timeout stops it half way.
func (w *worker) make(alias string, t sqldb.Target) (sc *scratch, err error) {
	s := w.suite
	err = s.inv.Within(engine.Sub{Name: "test database", Apart: true}, func(inv *engine.Invocation) error {
		if t.Driver == "sqlite" {
			sc, err = inMemory(alias)
		} else {
			s.making.Lock()
			sc, err = w.onServer(inv.Context(), alias, t)
			s.making.Unlock()
		}
		if err != nil {
			return err
		}
		if s.cfg.Migrate == nil {
			return nil
		}
		if err := s.cfg.Migrate(inv, sc.db); err != nil {
			if sc.kept && inv.Context().Err() == nil {
				// Most likely migrations were changed that it has had.
				err = &engine.CommandError{Message: err.Error(), Hint: "The test database was kept by an earlier run: without --keepdb it is made anew.", Err: err}
			}
			return also(err, sc.end(inv.Context()))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return sc, nil
}

func inMemory(alias string) (*scratch, error) {
	t, err := sqldb.ParseURL("sqlite://:memory:", "")
	if err != nil {
		return nil, err
	}
	database := sqldb.NewDatabase(sqldb.Config{Alias: alias, Target: t})
	return &scratch{db: database, end: func(context.Context) error { return database.Close() }}, nil
}

// onServer makes test_<name>, or takes the one that an earlier run kept. A lock
// on the server keeps two runs from using it at once.
func (w *worker) onServer(ctx context.Context, alias string, t sqldb.Target) (*scratch, error) {
	own := t
	own.Name = "test_" + t.Name
	if w.number > 1 {
		own.Name += fmt.Sprintf("_%d", w.number)
	}
	own.Place = own.Name + strings.TrimPrefix(t.Place, t.Name)
	if len(own.Name) > 63 { // PostgreSQL cuts longer ones, MySQL has one more
		return nil, &engine.CommandError{Message: fmt.Sprintf("the name of the test database, %s, is longer than 63 characters", own.Name)}
	}
	if err := w.spared(own); err != nil {
		return nil, err
	}
	s := server{target: own, alias: alias, keep: w.suite.keepdb}
	if err := s.connect(ctx, t); err != nil {
		return nil, err
	}
	database, err := s.create(ctx, t.Name)
	if err != nil {
		return nil, also(fmt.Errorf("making the test database %s: %w", own.Name, db.Translate(err)), s.close(ctx))
	}
	return &scratch{db: database, kept: s.kept, end: func(ctx context.Context) error {
		// Also when the run was told to stop.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		errs := []error{database.Close()}
		if !s.keep {
			errs = append(errs, s.drop(ctx))
		}
		return errors.Join(append(errs, s.close(ctx))...)
	}}, nil
}

// spared refuses a name that is one of DATABASES': an empty database would be
// taken for one that a run of tests left behind, and dropped.
func (w *worker) spared(own sqldb.Target) error {
	aliases, err := w.suite.cfg.DB.Aliases(w.suite.inv)
	if err != nil {
		return err
	}
	for _, alias := range aliases {
		database, err := w.suite.cfg.DB.Database(w.suite.inv, alias)
		if err != nil {
			continue // not to be connected to
		}
		if t := database.Target(); t.Driver == own.Driver && strings.EqualFold(t.Name, own.Name) {
			return &engine.CommandError{Message: fmt.Sprintf("the test database would be %s, which is database %q of DATABASES", own.Place, alias), Hint: "Tests need a database of that name for themselves: give the one in DATABASES another name."}
		}
	}
	return nil
}

// server is a connection to a server, made for the databases beside the
// configured one.
type server struct {
	target sqldb.Target // the scratch database
	alias  string
	keep   bool
	kept   bool // create took one that was there
	admin  *sqldb.Database
	conn   *sqldb.Session
	unlock string // what gives the lock back; empty while it is not held
}

// connect connects to the server: on PostgreSQL to its database postgres, on
// MySQL to none. It takes the lock.
func (s *server) connect(ctx context.Context, t sqldb.Target) error {
	admin := t
	admin.Name = ""
	if t.Driver == "pgx" {
		admin.Name = "postgres"
	}
	admin.Place = admin.Name + strings.TrimPrefix(t.Place, t.Name)
	s.admin = sqldb.NewDatabase(sqldb.Config{Alias: s.alias, Target: admin})
	conn, err := s.admin.Session(ctx)
	if err != nil {
		return also(db.Translate(err), s.admin.Close())
	}
	s.conn = conn
	h := fnv.New64a()
	fmt.Fprintf(h, "manage test %s", s.target.Name)
	lock := fmt.Sprintf("SELECT CASE WHEN pg_try_advisory_lock(%d) THEN 1 ELSE 0 END", int64(h.Sum64()))
	unlock := fmt.Sprintf("SELECT pg_advisory_unlock(%d)", int64(h.Sum64()))
	if t.Driver == "mysql" {
		lock = fmt.Sprintf("SELECT GET_LOCK('manage_test_%x', 0)", h.Sum64())
		unlock = fmt.Sprintf("SELECT RELEASE_LOCK('manage_test_%x')", h.Sum64())
	}
	got, err := s.ask(ctx, lock)
	switch {
	case err == nil && fmt.Sprint(got) == "1":
		s.unlock = unlock
	case err == nil:
		err = &engine.CommandError{Message: fmt.Sprintf("the test database %s is in use: another manage test is running", s.target.Place)}
	}
	if err != nil {
		return also(db.Translate(err), s.close(ctx))
	}
	return nil
}

// create makes the database, unless one is kept; name is the configured one's.
func (s *server) create(ctx context.Context, name string) (*sqldb.Database, error) {
	there, err := s.exists(ctx)
	if err != nil {
		return nil, err
	}
	database := sqldb.NewDatabase(sqldb.Config{Alias: s.alias, Target: s.target})
	if there {
		ours, err := s.ours(ctx, database)
		if err == nil && ours && s.keep {
			s.kept = true
			return database, nil
		}
		if cerr := database.Close(); err == nil {
			err = cerr
		}
		if err == nil && !ours {
			err = &engine.CommandError{Message: fmt.Sprintf("the database %s exists, and manage test has not made it", s.target.Place), Hint: "Rename or drop it."}
		}
		if err != nil {
			return nil, err
		}
		if err := s.drop(ctx); err != nil {
			return nil, err
		}
		database = sqldb.NewDatabase(sqldb.Config{Alias: s.alias, Target: s.target})
	}
	like, err := s.charset(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "CREATE DATABASE "+s.quoted()+like); err != nil {
		return nil, err
	}
	mark := sqldb.Statement{SQL: "CREATE TABLE " + marker + " (id integer)", Once: true, Write: true}
	if _, err := database.Runner().Exec(ctx, mark); err != nil {
		return nil, also(err, errors.Join(database.Close(), s.drop(ctx)))
	}
	return database, nil
}

// ours reports whether a database was made by a run of tests: it has the mark,
// or nothing at all (a run was killed before it could set it).
func (s *server) ours(ctx context.Context, database *sqldb.Database) (bool, error) {
	tables, err := database.Runner().Tables(ctx)
	return len(tables) == 0 || slices.Contains(tables, marker), err
}

func (s *server) exists(ctx context.Context) (bool, error) {
	query := "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = $1"
	if s.target.Driver == "mysql" {
		query = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = ?"
	}
	n, err := s.ask(ctx, query, s.target.Name)
	return fmt.Sprint(n) == "1", err
}

// charset is how MySQL is told to compare texts as in the configured database.
func (s *server) charset(ctx context.Context, name string) (string, error) {
	if s.target.Driver != "mysql" {
		return "", nil
	}
	v, err := s.ask(ctx, "SELECT concat(default_character_set_name, ' COLLATE ', default_collation_name) FROM information_schema.schemata WHERE schema_name = ?", name)
	if err != nil || v == nil {
		return "", err
	}
	if text, ok := v.([]byte); ok {
		v = string(text)
	}
	return fmt.Sprintf(" CHARACTER SET %s", v), nil
}

func (s *server) drop(ctx context.Context) error {
	statement := "DROP DATABASE IF EXISTS " + s.quoted()
	if s.target.Driver == "pgx" {
		statement += " WITH (FORCE)" // PostgreSQL 13: whoever is connected still
	}
	return s.exec(ctx, statement)
}

func (s *server) quoted() string {
	quote := `"`
	if s.target.Driver == "mysql" {
		quote = "`"
	}
	return quote + strings.ReplaceAll(s.target.Name, quote, quote+quote) + quote
}

func (s *server) exec(ctx context.Context, text string) error {
	_, err := s.conn.Runner().Exec(ctx, sqldb.Statement{SQL: text, Once: true, Write: true})
	return err
}

// ask returns the first cell of a result; nil when it has no row.
func (s *server) ask(ctx context.Context, text string, args ...any) (any, error) {
	chunks, err := s.conn.Runner().ReadAll(ctx, sqldb.Statement{SQL: text, Args: args, Once: true})
	if err != nil || len(chunks) == 0 {
		return nil, err
	}
	return chunks[0].Cell(0, 0), nil
}

// close gives the lock back, rather than leave that to the server, which takes
// its time to notice that a connection is gone.
func (s *server) close(ctx context.Context) error {
	var errs []error
	if s.unlock != "" {
		_, err := s.ask(context.WithoutCancel(ctx), s.unlock)
		errs = append(errs, err)
	}
	return errors.Join(append(errs, s.conn.Close(), s.admin.Close())...)
}

// close ends the worker's databases.
func (w *worker) close(ctx context.Context) error {
	var errs []error
	for _, sc := range w.scratches {
		errs = append(errs, sc.end(ctx))
	}
	return errors.Join(errs...)
}

// enclosed is a scratch database in a test: a transaction that is rolled back
// in the end.
type enclosed struct {
	key     string
	scratch *scratch
	tx      *sqldb.Tx
	undo    func(context.Context) error
	schema  uint64
}

// enclose gives the test's run its databases.
func (r *running) enclose(inv *engine.Invocation) {
	if r.suite.cfg.DB == nil {
		return
	}
	r.suite.cfg.DB.Enclose(inv, func(alias string) (*sqldb.Tx, error) { return r.open(inv, alias) })
	inv.Cleanup(func() { r.rollback(inv.Context()) })
}

// open returns the test's transaction on the database of an alias.
func (r *running) open(inv *engine.Invocation, alias string) (*sqldb.Tx, error) {
	key, sc, err := r.worker.scratch(alias)
	if err != nil {
		return nil, err
	}
	for _, e := range r.opened {
		if e.key == key {
			return e.tx, nil
		}
	}
	e := &enclosed{key: key, scratch: sc, schema: sc.db.SchemaVersion()}
	if e.tx, err = sc.db.Begin(inv.Context(), ""); err != nil {
		return nil, err
	}
	if _, e.undo, err = e.tx.Savepoint(inv.Context()); err != nil {
		return nil, also(err, e.tx.Rollback(inv.Context()))
	}
	e.tx.Fence()
	e.tx.Trace(r.trace)
	r.opened = append(r.opened, e)
	return e.tx, nil
}

// rollback undoes what the test did. Where the transaction is not there any
// more (MySQL commits on DDL, SQLite rolls back what is interrupted), or its
// connection is lost, what the test left behind is unknown: the next test gets
// a new database.
func (r *running) rollback(ctx context.Context) {
	for _, e := range r.opened {
		e.tx.Trace(nil)
		clean := e.undo(ctx) == nil
		if e.tx.Rollback(ctx) != nil {
			clean = false
		}
		if e.scratch.db.SchemaVersion() != e.schema {
			e.scratch.db.ForgetSchema() // tables are as they were
		}
		if !clean {
			delete(r.worker.scratches, e.key)
			if err := e.scratch.end(ctx); err != nil {
				r.worker.broken = db.Translate(err)
			}
		}
	}
}

// maxTraced is how many statements of a test are kept to be shown.
const maxTraced = 100

func (r *running) trace(text string) {
	r.queried++
	if len(r.statements) < maxTraced {
		r.statements = append(r.statements, text)
	}
}
