package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what a Database is. Either URL or DB is given.
type Config struct {
	// Alias is the name that settings and scripts use.
	Alias string
	// Target is the parsed URL.
	Target Target
	// DB is a host's own pool. It is not closed by Close.
	DB *sql.DB
	// Dialect tells what DB is. Default: found out when first used.
	Dialect Dialect
	// MaxOpen bounds the connections. Default: 0, no bound; one for a SQLite
	// database in memory.
	MaxOpen int
	// MaxIdle is how many unused connections are kept. Default: 2.
	MaxIdle int
	// MaxLifetime ends connections of that age. Default: 0, never.
	MaxLifetime time.Duration
	// Create makes a SQLite file that is missing: migrate alone sets it.
	Create bool
	// Beside are those of other aliases, which may mean the same database: what
	// is written by way of one is then a write to the other. Default: none.
	Beside []*Database
	// Drivers is for connections that the database opens itself.
	Drivers Drivers
}

// Database is one database. It is opened when it is first used, and may be
// used by many goroutines at once.
type Database struct {
	alias string
	cfg   Config

	mu      sync.Mutex
	pool    *sql.DB
	dialect Dialect
	closed  bool
	maria   *bool // MariaDB, once asked of a MySQL
	plans   plans

	schema schemaCache
	writes *atomic.Uint64
}

// NewDatabase returns a Database. It does no I/O.
func NewDatabase(cfg Config) *Database {
	db := &Database{alias: cfg.Alias, cfg: cfg, dialect: cfg.Dialect, writes: new(atomic.Uint64)}
	if cfg.DB == nil {
		db.dialect = cfg.Target.Dialect
		for _, other := range cfg.Beside {
			if other.cfg.DB == nil && other.cfg.Target.same(cfg.Target) {
				db.writes = other.writes
			}
		}
	}
	return db
}

// Alias returns the database's name in settings.
func (db *Database) Alias() string { return db.alias }

// Target returns what the URL meant; the zero Target for a host's own pool.
func (db *Database) Target() Target { return db.cfg.Target }

// Pool opens the database if need be and returns its pool.
func (db *Database) Pool(ctx context.Context) (*sql.DB, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil, &Error{Kind: ConnectionError, Alias: db.alias, Message: "the database is closed"}
	}
	if db.pool != nil {
		return db.pool, nil
	}
	if db.cfg.DB != nil {
		if db.dialect == nil {
			d, err := Detect(ctx, db.cfg.DB)
			if err != nil {
				return nil, db.wrap(err)
			}
			db.dialect = d
		}
		db.pool = db.cfg.DB
		return db.pool, nil
	}
	t := db.cfg.Target
	dsn, err := t.dsn(db.cfg.Create)
	if err != nil {
		return nil, &Error{Kind: Unreachable, Alias: db.alias, Place: t.Place, Message: err.Error(), Err: err}
	}
	// sql.Open alone gives the driver that main linked, by its name.
	if !slices.Contains(sql.Drivers(), t.Driver) {
		return nil, db.unreachable(fmt.Errorf("this program has no driver %q", t.Driver))
	}
	probe, err := sql.Open(t.Driver, dsn)
	if err != nil {
		return nil, db.unreachable(err)
	}
	c, err := newConnector(probe.Driver(), dsn, db.cfg)
	probe.Close()
	if err != nil {
		return nil, db.unreachable(err)
	}
	pool := sql.OpenDB(c)
	maxOpen := db.cfg.MaxOpen
	if t.Path == "" && t.Driver == "sqlite" {
		// Each connection would be a database of its own, and closing the
		// last one would lose it.
		maxOpen = 1
	}
	pool.SetMaxOpenConns(maxOpen)
	if db.cfg.MaxIdle > 0 {
		pool.SetMaxIdleConns(db.cfg.MaxIdle)
	}
	pool.SetConnMaxLifetime(db.cfg.MaxLifetime)
	db.pool = pool
	return pool, nil
}

// Dialect returns the database's dialect; it asks a host's own pool when it
// was not told.
func (db *Database) Dialect(ctx context.Context) (Dialect, error) {
	db.mu.Lock()
	d := db.dialect
	db.mu.Unlock()
	if d != nil {
		return d, nil
	}
	if _, err := db.Pool(ctx); err != nil {
		return nil, err
	}
	return db.dialect, nil
}

// Opened reports whether a connection was asked for so far.
func (db *Database) Opened() bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.pool != nil
}

// Writes counts the statements that may have changed the database.
func (db *Database) Writes() uint64 { return db.writes.Load() }

// Close closes a pool of ours. Uses after it fail.
func (db *Database) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.closed = true
	pool := db.pool
	db.pool = nil
	if pool == nil || db.cfg.DB != nil {
		return nil
	}
	return pool.Close()
}

// wrap makes an *Error of what a driver returned. Contexts' errors stay
// visible to errors.Is.
func (db *Database) wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	e := &Error{Alias: db.alias, Place: db.cfg.Target.Place, Message: db.cfg.Target.redact(err.Error()), Err: err}
	if e.Message != err.Error() {
		e.Err = nil // it would show what was taken out of the message
	}
	if db.dialect != nil {
		e.Kind = db.dialect.classify(err)
	}
	if _, ok := asType[net.Error](err); ok || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.ErrUnexpectedEOF) {
		e.Kind = ConnectionError
		if errors.Is(err, driver.ErrBadConn) {
			e.Message = "the connection was closed"
		}
	}
	return e
}

// unreachable is wrap for a connection that could not be made.
func (db *Database) unreachable(err error) error {
	err = db.wrap(err)
	if e, ok := errors.AsType[*Error](err); ok && e.Kind != RetryError { // a lock passes
		e.Kind = Unreachable
		e.Message = oneLine(e.Message)
	}
	return err
}

// oneLine joins a message's lines, each said once: a driver that tries with
// TLS and without it says everything twice.
func oneLine(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}

// Statement is SQL text with its values.
type Statement struct {
	SQL  string
	Args []any
	// Once: the text will hardly come again, so no prepared statement is kept.
	Once bool
	// Write: the statement may change the database.
	Write bool
	// Quiet: the statement is none of a script's, such as one that asks about
	// tables: Trace leaves it out.
	Quiet bool

	// ChangesRows: a script's own statement inserts, updates or deletes.
	ChangesRows bool

	raw     bool     // a script wrote it: its result's types are to be asked for
	quick   bool     // a write of given rows: nothing in it takes long
	columns []string // of a compiled query that may give many rows
	endless bool     // it has no LIMIT
}

// Result is what a statement that gives no rows returns.
type Result struct {
	Affected int64
	LastID   int64
}

// Runner runs statements: in a transaction where there is one, else each on a
// connection of the pool. The zero Runner runs nothing.
type Runner struct {
	db      *Database
	tx      *Tx
	session *Session
}

// Runner returns one that runs each statement on its own.
func (db *Database) Runner() Runner { return Runner{db: db} }

// Database returns the runner's database.
func (r Runner) Database() *Database { return r.db }

// Tx returns the runner's transaction; nil when there is none.
func (r Runner) Tx() *Tx { return r.tx }

// with gives use a connection. Nothing of it may be kept.
func (r Runner) with(ctx context.Context, use func(c *conn) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	fn := func(c *conn) error {
		if err := r.db.replan(ctx, c); err != nil {
			return err
		}
		err := use(c)
		if err != nil && r.tx == nil && r.db.planChanged(err) {
			// The driver has dropped the statement, and nothing of it was run.
			err = use(c)
		}
		if mysqlNumber(err) == packetTooLarge {
			c.closed = true
		}
		if err != nil && ctx.Err() != nil && c.abandon != nil {
			c.abandon()
		}
		return err
	}
	if r.tx != nil {
		if err := r.tx.usable(); err != nil {
			return err
		}
		if r.tx.Fenced() {
			return r.alone(ctx, fn)
		}
		err := r.tx.raw(fn)
		if err != nil {
			err = r.failed(ctx, err)
			r.tx.broke(err)
		}
		return err
	}
	if r.session != nil {
		if r.session.conn == nil {
			return &Error{Kind: ConnectionError, Alias: r.db.alias, Message: "the session is closed"}
		}
		if err := rawConn(r.session.conn, fn); err != nil {
			return r.failed(ctx, err)
		}
		return nil
	}
	pool, err := r.db.Pool(ctx)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		sc, err := pool.Conn(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return r.failed(ctx, err)
			}
			return r.db.unreachable(err)
		}
		err = rawConn(sc, fn)
		sc.Close()
		if err == nil {
			return nil
		}
		// A driver says ErrBadConn only when nothing was sent.
		if errors.Is(err, driver.ErrBadConn) && try < 2 {
			continue
		}
		return r.failed(ctx, err)
	}
}

// failed adds the cause of a cancelled context to an error.
func (r Runner) failed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return r.db.wrap(err)
}

func rawConn(sc *sql.Conn, fn func(c *conn) error) error {
	return sc.Raw(func(dc any) error {
		if c, ok := dc.(*conn); ok {
			return fn(c)
		}
		d, ok := dc.(driver.Conn)
		if !ok {
			return errors.New("the pool's driver hides its connections")
		}
		// A host's own pool: statements are not kept beyond this use.
		return fn(&conn{Conn: d})
	})
}

// ValueError is a value that the database would not keep as it is.
type ValueError struct{ Message string }

func (e *ValueError) Error() string { return e.Message }

// kept refuses numbers that a database would store as something else without a
// word: SQLite takes NaN for NULL, and so does a bulk update of MySQL's, which
// takes infinity for the greatest number. PostgreSQL has them all.
func kept(d Dialect, args []any) error {
	vendor := d.Vendor()
	if vendor == "postgresql" {
		return nil
	}
	for _, v := range args {
		f, ok := v.(float64)
		if !ok {
			continue
		}
		switch {
		case vendor == "sqlite" && math.IsNaN(f):
			return &ValueError{"SQLite has no NaN and would store NULL for it: write None where there is no number"}
		case vendor == "mysql" && (math.IsNaN(f) || math.IsInf(f, 0)):
			return &ValueError{fmt.Sprintf("MySQL has no number %v: write None where there is none", f)}
		}
	}
	return nil
}

// encodeArgs turns values into what drivers take.
func encodeArgs(d Dialect, args []any) []any {
	out := args
	_, postgres := d.(PostgreSQL)
	for i, v := range args {
		switch v.(type) {
		case nil, string, []byte:
			continue
		case bool, int64, float64:
			if !postgres {
				continue
			}
		}
		if &out[0] == &args[0] {
			out = make([]any, len(args))
			copy(out, args)
		}
		out[i] = d.encode(v)
	}
	return out
}

// Exec runs a statement that gives no rows.
func (r Runner) Exec(ctx context.Context, st Statement) (Result, error) {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := kept(d, st.Args); err != nil {
		return Result{}, err
	}
	args := encodeArgs(d, st.Args)
	r.traced(st)
	var res Result
	err = r.with(ctx, func(c *conn) error {
		result, err := c.exec(r.statementContext(ctx, st), st.SQL, args, !st.Once)
		if err != nil {
			return err
		}
		// SQLite's count is that of the last statement that changed rows.
		if _, sqlite := d.(SQLite); !sqlite || !st.raw || st.ChangesRows {
			res.Affected, _ = result.RowsAffected()
		}
		res.LastID, _ = result.LastInsertId()
		return nil
	})
	err = oversized(d, err, args)
	r.db.writes.Add(1)
	if _, ok := d.(MySQL); ok && err == nil && st.raw && r.tx != nil && mysqlCommits(firstWords(d, st.SQL)) {
		// A migration's own transaction is over, and what follows needs one.
		err = r.tx.exec(ctx, "START TRANSACTION")
	}
	return res, err
}

// statementContext is the context that a driver is given. SQLite's driver
// starts a goroutine to watch one that can end, for longer than a write by key
// takes; inside a transaction such a write waits for no lock.
func (r Runner) statementContext(ctx context.Context, st Statement) context.Context {
	if r.tx != nil && st.quick {
		if _, ok := r.db.dialect.(SQLite); ok {
			return context.WithoutCancel(ctx)
		}
	}
	return ctx
}

// beginContext can end until begun is set. SQLite's driver watches the context
// till it has the first row, and has a price for each row that comes with one
// that can end.
type beginContext struct {
	context.Context
	begun atomic.Bool
}

// Done is nil once the statement has begun.
func (c *beginContext) Done() <-chan struct{} {
	if c.begun.Load() {
		return nil
	}
	return c.Context.Done()
}

// values reads a whole small result.
func (r Runner) values(ctx context.Context, text string, args ...any) ([][]any, error) {
	var out [][]any
	err := r.Read(ctx, Statement{SQL: text, Args: args, Once: true, Quiet: true}, chunkRows, func(c *Chunk) error {
		for i := range c.N {
			row := make([]any, c.Width)
			for j := range row {
				row[j] = c.Cell(i, j)
			}
			out = append(out, row)
		}
		return nil
	})
	return out, err
}

// strings reads a result of one text column.
func (r Runner) strings(ctx context.Context, text string, args ...any) ([]string, error) {
	rows, err := r.values(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = asText(row[0])
	}
	return out, nil
}

// asType is errors.AsType for interfaces as well.
func asType[T error](err error) (T, bool) { return errors.AsType[T](err) }
