// Package db gives scripts Django's QuerySet over SQLite, PostgreSQL and MySQL
// or MariaDB: db, Q, F, the aggregates and functions, and the error types
// (SCRIPTS.md 6).
//
// It links no driver: the program does, under the names "sqlite"
// (modernc.org/sqlite), "pgx" (jackc/pgx/v5/stdlib) and "mysql"
// (go-sql-driver/mysql), or passes pools of its own in Config.
//
// What a script sees is made of starlark.Values here; what goes to a database
// is made by the package sqldb below. A QuerySet belongs to the run that made
// it; rows are pointers into chunks, whose cells are converted when touched.
package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/internal/suggest"
)

// Pool is a host's own connection pool.
type Pool struct {
	// DB is the pool. It is not closed. Its connections should speak UTC and,
	// on MySQL, be opened with clientFoundRows=true; on SQLite with
	// foreign_keys on.
	DB *sql.DB
	// Dialect is "sqlite", "postgresql" or "mysql". Default: found out by the
	// driver's type, else by asking the database.
	Dialect string
}

// Config says what the module works with. The zero value reads DATABASES from
// the settings.
type Config struct {
	// Pools are databases by alias. They win over those of the settings.
	Pools map[string]Pool
	// Drivers is what the program knows about the drivers of databases that the
	// settings name. Default: the zero value.
	Drivers sqldb.Drivers
}

// Module is the engine.Module that brings the database into scripts. It may
// be used by many runs at once.
type Module struct {
	cfg Config

	methods map[string]*starlark.Builtin // QuerySet's, unbound
	rowM    map[string]*starlark.Builtin // Row's
	handleM map[string]*starlark.Builtin // db's
	names   []string

	mu        sync.Mutex
	databases map[string]*sqldb.Database // by folder, alias and configuration
	closed    bool
	// runs counts the runs under way by the database that db means in them.
	runs map[*sqldb.Database]int
}

var (
	_ engine.Module     = (*Module)(nil)
	_ engine.Configurer = (*Module)(nil)
	_ engine.Extender   = (*Module)(nil)
)

// New returns the module. It does no I/O.
func New(cfg Config) *Module {
	m := &Module{cfg: cfg, databases: map[string]*sqldb.Database{}, runs: map[*sqldb.Database]int{}}
	m.methods = querysetMethods()
	m.rowM = rowMethods()
	m.handleM = handleMethods()
	m.names = slices.Sorted(maps.Keys(m.methods))
	return m
}

// Name is "db".
func (m *Module) Name() string { return "db" }

// Predeclared gives db, the names that build queries, and the error types.
func (m *Module) Predeclared() starlark.StringDict {
	d := expressions()
	d["db"] = &handle{m: m}
	for _, t := range []*engine.ErrorType{DatabaseError, IntegrityError, DoesNotExist, MultipleObjectsReturned, FieldError} {
		d[t.Name()] = t
	}
	return d
}

// Configure refuses DATABASES that mean nothing. It opens nothing.
func (m *Module) Configure(settings engine.Settings) error {
	all, err := m.configured(settings)
	if err != nil {
		return err
	}
	for _, alias := range slices.Sorted(maps.Keys(all)) {
		// Relative files are fine here: the folder is known later.
		if _, err := sqldb.ParseURL(all[alias].url, "/"); err != nil {
			return fmt.Errorf("DATABASES[%q]: %w", alias, err)
		}
	}
	return nil
}

// Close closes the databases that the module opened.
func (m *Module) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	var errs []error
	for _, db := range m.databases {
		errs = append(errs, db.Close())
	}
	m.databases = nil
	return errors.Join(errs...)
}

// entry is one alias of DATABASES.
type entry struct {
	url              string
	maxOpen, maxIdle int
	maxLifetime      time.Duration
}

// configured reads DATABASES.
func (m *Module) configured(settings engine.Settings) (map[string]entry, error) {
	raw, ok := settings.Lookup("DATABASES")
	if settings.Value("DATABASES") == nil {
		return map[string]entry{"default": {url: "sqlite:///db.sqlite3"}}, nil
	}
	byAlias, isMap := raw.(map[string]any)
	if !ok || !isMap {
		return nil, fmt.Errorf("DATABASES is a dict of alias to URL, or to dict(url = …)")
	}
	out := make(map[string]entry, len(byAlias))
	for alias, v := range byAlias {
		e, err := oneEntry(v)
		if err != nil {
			return nil, fmt.Errorf("DATABASES[%q]: %w", alias, err)
		}
		out[alias] = e
	}
	return out, nil
}

func oneEntry(v any) (entry, error) {
	if url, ok := v.(string); ok {
		return entry{url: url}, nil
	}
	options, ok := v.(map[string]any)
	if !ok {
		return entry{}, fmt.Errorf("want a URL or dict(url = …)")
	}
	var e entry
	for name, v := range options {
		n, isInt := v.(int64)
		switch name {
		case "url":
			if e.url, ok = v.(string); !ok {
				return e, fmt.Errorf("url is a string")
			}
			continue
		case "max_open":
			e.maxOpen = int(n)
		case "max_idle":
			e.maxIdle = int(n)
		case "max_lifetime":
			e.maxLifetime = time.Duration(n) * time.Second
		default:
			return e, fmt.Errorf("unknown option %q: there are url, max_open, max_idle and max_lifetime (seconds)", name)
		}
		if !isInt || n < 0 || n > 1<<30 {
			return e, fmt.Errorf("%s is a whole number", name)
		}
	}
	if e.url == "" {
		return e, fmt.Errorf("url is missing")
	}
	return e, nil
}

// Database returns the database of an alias as the run's settings mean it. It
// does no I/O. It is for modules that need more than scripts do: migrations,
// run records.
func (m *Module) Database(inv *engine.Invocation, alias string) (*sqldb.Database, error) {
	if st := nearest(inv); st != nil && st.open != nil {
		return m.state(inv).database(alias)
	}
	return m.configuredDatabase(inv, alias)
}

// nearest returns the state of the run, or else of the nearest above it that
// uses the database; nil when none does. It changes nothing, so that runs of
// several goroutines may ask it of the run that they share.
func nearest(inv *engine.Invocation) *state {
	for ; inv != nil; inv = inv.Parent() {
		if st, ok := inv.Value(stateKey{}).(*state); ok {
			return st
		}
	}
	return nil
}

func (m *Module) configuredDatabase(inv *engine.Invocation, alias string) (*sqldb.Database, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, &engine.CommandError{Message: "the engine is closed"}
	}
	if p, ok := m.cfg.Pools[alias]; ok {
		key := "pool\x00" + alias
		if db := m.databases[key]; db != nil {
			return db, nil
		}
		d, err := sqldb.DialectByName(p.Dialect)
		if err != nil {
			return nil, err
		}
		db := sqldb.NewDatabase(sqldb.Config{Alias: alias, DB: p.DB, Dialect: d})
		m.databases[key] = db
		return db, nil
	}
	all, err := m.configured(inv.Settings())
	if err != nil {
		return nil, &engine.CommandError{Message: err.Error(), Err: err}
	}
	e, ok := all[alias]
	if !ok {
		return nil, m.unknownAlias(alias, all)
	}
	key := fmt.Sprintf("%s\x00%s\x00%+v", inv.ProjectDir(), alias, e)
	if db := m.databases[key]; db != nil {
		return db, nil
	}
	t, err := sqldb.ParseURL(e.url, inv.ProjectDir())
	if err != nil {
		return nil, &engine.CommandError{Message: fmt.Sprintf("DATABASES[%q]: %v", alias, err), Err: err}
	}
	db := sqldb.NewDatabase(sqldb.Config{Alias: alias, Target: t, MaxOpen: e.maxOpen, MaxIdle: e.maxIdle, MaxLifetime: e.maxLifetime, Beside: slices.Collect(maps.Values(m.databases)), Drivers: m.cfg.Drivers})
	m.databases[key] = db
	return db, nil
}

// Aliases returns the databases that the run's settings and the program name,
// sorted.
func (m *Module) Aliases(inv *engine.Invocation) ([]string, error) {
	all, err := m.configured(inv.Settings())
	if err != nil {
		return nil, err
	}
	return m.aliases(all), nil
}

func (m *Module) aliases(all map[string]entry) []string {
	set := map[string]bool{}
	for alias := range all {
		set[alias] = true
	}
	for alias := range m.cfg.Pools {
		set[alias] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func (m *Module) unknownAlias(alias string, all map[string]entry) error {
	names := m.aliases(all)
	msg := fmt.Sprintf("no database %q in DATABASES", alias)
	hint := "there are: " + strings.Join(names, ", ")
	if s := suggest.Closest(alias, names); s != "" {
		hint = "did you mean " + s + "?"
	}
	return &engine.CommandError{Message: msg, Hint: hint}
}

// Attributes are atomic and database.
func (m *Module) Attributes() []string { return []string{"atomic", "database"} }

// Arguments adds --database to a command whose file says database = True.
func (m *Module) Arguments(attrs starlark.StringDict, p *argparse.Parser) error {
	for _, name := range m.Attributes() {
		if v, ok := attrs[name]; ok {
			if _, ok := v.(starlark.Bool); !ok {
				return fmt.Errorf("%s is True or False, not %s", name, v.Type())
			}
		}
	}
	if attrs["database"] != starlark.True {
		return nil
	}
	return p.Add(argparse.Argument{
		Names: []string{"--database"}, Default: "default", Metavar: []string{"ALIAS"}, Rank: argparse.Extra,
		Help: "the database to work on, by its alias in DATABASES (default: %(default)s)",
	})
}

// Around makes db mean the database that --database names, and runs handle in
// a transaction when the file says atomic = True.
func (m *Module) Around(inv *engine.Invocation, next func() error) error {
	st := m.state(inv)
	if inv.Attribute("database") == starlark.True {
		if alias, ok := inv.Option("database").(string); ok && alias != "" {
			st.alias = alias
			if _, err := st.database(alias); err != nil {
				return err
			}
		}
	}
	defer m.active(st)()
	if inv.Attribute("atomic") != starlark.True {
		return next()
	}
	db, err := st.database(st.alias)
	if err != nil {
		return err
	}
	_, err = st.atomic(db, block{}, func() (starlark.Value, error) { return starlark.None, next() })
	return err
}

// active counts the run among those for which db.connection answers, until
// the function that it returns is called. A mistake in DATABASES is for the
// run to meet when it uses one.
func (m *Module) active(st *state) func() {
	db, err := m.configuredDatabase(st.inv, st.alias)
	if err != nil {
		return func() {}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs[db]++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.runs[db]--; m.runs[db] == 0 {
			delete(m.runs, db)
		}
	}
}

// state is what a run keeps: the databases it uses and its transactions.
type state struct {
	m     *Module
	inv   *engine.Invocation
	alias string // what db means
	dbs   map[string]*sqldb.Database
	// txs are the transactions that the run has open. A nil one hides those of
	// the runs that called it: see tx.
	txs map[*sqldb.Database]*sqldb.Tx
	// open is Enclose's; nil in a run that is not enclosed.
	open  func(alias string) (*sqldb.Tx, error)
	zone  *datetime.Zone
	tally *tally // shared by the runs that call each other
}

type stateKey struct{}

func (m *Module) state(inv *engine.Invocation) *state {
	if st, ok := inv.Value(stateKey{}).(*state); ok {
		return st
	}
	st := &state{m: m, inv: inv, alias: "default", dbs: map[string]*sqldb.Database{}, txs: map[*sqldb.Database]*sqldb.Tx{}}
	// The nearest run above that uses the database knows all that are open: a
	// command in Go may stand between.
	if up := nearest(inv); up != nil {
		st.open = up.open
		st.tally = up.tally
	} else {
		st.tally = &tally{}
		inv.Report(st.tally.report)
	}
	inv.SetValue(stateKey{}, st)
	return st
}

func (st *state) database(alias string) (*sqldb.Database, error) {
	if db := st.dbs[alias]; db != nil {
		return db, nil
	}
	var db *sqldb.Database
	if st.open != nil {
		tx, err := st.open(alias)
		if err != nil {
			return nil, translate(err)
		}
		db = tx.Runner().Database()
		st.txs[db] = tx
	} else {
		var err error
		if db, err = st.m.configuredDatabase(st.inv, alias); err != nil {
			return nil, err
		}
	}
	st.dbs[alias] = db
	return db, nil
}

// tx returns the transaction that the run's statements go to: its own, else
// that of the nearest run above; nil when there is none. It is asked each time: a
// row may outlive the run that read it, and is then its caller's.
func (st *state) tx(db *sqldb.Database) *sqldb.Tx {
	for st != nil {
		if tx, ok := st.txs[db]; ok {
			return tx
		}
		st = nearest(st.inv.Parent())
	}
	return nil
}

// inside reports whether the run is in a transaction that it can tell from
// none: in a db.atomic, and not merely in what Enclose put around it.
func (st *state) inside(db *sqldb.Database) bool {
	tx := st.tx(db)
	return tx != nil && !tx.Fenced()
}

// Enclose makes the run inv, and the runs that it calls, use transactions of
// its caller's in place of databases: a test's, or a dry run's. open gives the
// transaction that stands for an alias; it is called when the alias is first
// used in a run, and must give the same transaction again. The caller has
// called its Fence, and ends it when the run is over. inv must not have used a
// database before.
func (m *Module) Enclose(inv *engine.Invocation, open func(alias string) (*sqldb.Tx, error)) {
	st := m.state(inv)
	st.open = open
	inv.Cleanup(m.active(st))
}

// BindTo makes alias, and db itself, mean a database in the run inv, with tx as
// its open transaction, or without one when tx is nil: the caller begins and
// ends it, and runs the hooks that its Commit returns. The value is what
// scripts know as db. It is for modules that run scripts in transactions of their own.
func (m *Module) BindTo(inv *engine.Invocation, alias string, database *sqldb.Database, tx *sqldb.Tx) (starlark.Value, error) {
	st := m.state(inv)
	st.alias = alias
	st.dbs[alias] = database
	st.txs[database] = tx
	return &handle{m: m, alias: alias, db: database}, nil
}

// Bind is BindTo for the database that the settings mean by alias.
func (m *Module) Bind(inv *engine.Invocation, alias string, tx *sqldb.Tx) (starlark.Value, error) {
	db, err := m.state(inv).database(alias)
	if err != nil {
		return nil, err
	}
	return m.BindTo(inv, alias, db, tx)
}

// Runner returns where the run's statements on a database go: its open
// transaction, or that of a run that called it, else the database's pool.
func (m *Module) Runner(inv *engine.Invocation, alias string) (sqldb.Runner, error) {
	st := m.state(inv)
	db, err := st.database(alias)
	if err != nil {
		return sqldb.Runner{}, err
	}
	return st.runner(db), nil
}

// location is the project's time zone.
func (st *state) location() (*datetime.Zone, error) {
	if st.zone == nil {
		zone, err := datetime.ProjectZone(st.inv)
		if err != nil {
			return nil, err
		}
		st.zone = zone
	}
	return st.zone, nil
}

// runner is where the run's statements go.
func (st *state) runner(db *sqldb.Database) sqldb.Runner {
	if tx := st.tx(db); tx != nil {
		return tx.Runner()
	}
	return db.Runner()
}

func (st *state) compiler(db *sqldb.Database) (*sqldb.Compiler, error) {
	zone, err := st.location()
	if err != nil {
		return nil, err
	}
	return &sqldb.Compiler{Runner: st.runner(db), Zone: zone.Location()}, nil
}

func (st *state) ctx() context.Context { return st.inv.Context() }

// handle is db: the database of the run's own alias, or of a named one.
type handle struct {
	m     *Module
	alias string          // empty: what the run's db means
	db    *sqldb.Database // of an alias that using named
}

var _ starlark.HasAttrs = (*handle)(nil)

func (h *handle) String() string        { return h.named("db") }
func (h *handle) Type() string          { return "db" }
func (h *handle) Freeze()               {}
func (h *handle) Truth() starlark.Bool  { return true }
func (h *handle) Hash() (uint32, error) { return starlark.String(h.alias).Hash() }

// named is how a value prints that stands for the handle's database: with its
// alias, where that is known without the run.
func (h *handle) named(what string) string {
	if h.alias != "" {
		return "<" + what + " " + h.alias + ">"
	}
	if alias, err := (&connection{h}).Attr("alias"); err == nil {
		return "<" + what + " " + string(alias.(starlark.String)) + ">"
	}
	return "<" + what + ">"
}

func handleMethods() map[string]*starlark.Builtin {
	out := map[string]*starlark.Builtin{}
	for name, fn := range map[string]engine.BuiltinFunc{
		"table": dbTable, "using": dbUsing, "query": dbQuery, "iterate": dbIterate, "execute": dbExecute,
		"atomic": dbAtomic, "on_commit": dbOnCommit,
	} {
		out[name] = engine.Builtin("db."+name, fn)
	}
	return out
}

// AttrNames lists what db has.
func (h *handle) AttrNames() []string {
	return append(slices.Sorted(maps.Keys(h.m.handleM)), "connection")
}

// Attr gives db's functions, and connection.
func (h *handle) Attr(name string) (starlark.Value, error) {
	if b := h.m.handleM[name]; b != nil {
		return b.BindReceiver(h), nil
	}
	if name == "connection" {
		return &connection{h}, nil
	}
	return nil, nil
}

// open returns the run's state and the database that h means in it.
func (h *handle) open(inv *engine.Invocation) (*state, *sqldb.Database, error) {
	st := h.m.state(inv)
	db, err := st.database(cmp.Or(h.alias, st.alias))
	return st, db, err
}

// connection is db.connection: what is told of a database.
type connection struct{ h *handle }

func (c *connection) String() string        { return c.h.named("connection") }
func (c *connection) Type() string          { return "connection" }
func (c *connection) Freeze()               {}
func (c *connection) Truth() starlark.Bool  { return true }
func (c *connection) Hash() (uint32, error) { return starlark.String(c.h.alias).Hash() }

// AttrNames lists vendor and alias.
func (c *connection) AttrNames() []string { return []string{"alias", "vendor"} }

// Attr gives vendor, Django's name of the kind of database, and alias. An
// attribute is read without the run that reads it: db's own answers are those
// of the runs under way, and an error where they differ.
func (c *connection) Attr(name string) (starlark.Value, error) {
	if name != "vendor" && name != "alias" {
		return nil, nil
	}
	all := map[string]bool{}
	tell := func(db *sqldb.Database) error {
		if name == "alias" {
			all[db.Alias()] = true
			return nil
		}
		d, err := db.Dialect(context.Background())
		if err != nil {
			return translate(err)
		}
		all[d.Vendor()] = true
		return nil
	}
	var databases []*sqldb.Database
	if c.h.db != nil {
		databases = append(databases, c.h.db)
	} else {
		c.h.m.mu.Lock()
		databases = slices.Collect(maps.Keys(c.h.m.runs))
		c.h.m.mu.Unlock()
	}
	for _, db := range databases {
		if err := tell(db); err != nil {
			return nil, err
		}
	}
	answers := slices.Sorted(maps.Keys(all))
	switch len(answers) {
	case 0:
		return nil, fmt.Errorf("db.connection works only while a command runs: read it inside handle()")
	case 1:
		return starlark.String(answers[0]), nil
	}
	return nil, fmt.Errorf("runs on different databases (%s) are under way: write db.using(alias).connection.%s", strings.Join(answers, ", "), name)
}

// dbTable is db.table(name): a QuerySet of all rows.
func dbTable(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name); err != nil {
		return nil, err
	}
	st, db, err := b.Receiver().(*handle).open(inv)
	if err != nil {
		return nil, err
	}
	t, err := st.runner(db).Table(inv.Context(), name)
	if err != nil {
		return nil, translate(err)
	}
	return newQuerySet(st, db, t, thread), nil
}

// dbUsing is db.using(alias): db on another database.
func dbUsing(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var alias string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "alias", &alias); err != nil {
		return nil, err
	}
	h := &handle{m: b.Receiver().(*handle).m, alias: alias}
	var err error
	if _, h.db, err = h.open(inv); err != nil {
		return nil, err
	}
	return h, nil
}
