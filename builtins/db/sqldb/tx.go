package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sort"
	"time"
)

// Tx is a transaction: statements on one connection, so that a host's own pool
// works as well as ours. Like an Invocation it belongs to one goroutine.
type Tx struct {
	db    *Database
	conn  *sql.Conn
	depth int   // 1 for the transaction, more for savepoints
	next  int   // names savepoints
	fault error // why the block must roll back
	hooks []hook
	grown bool // has the cache for bulk writes
	fence int  // the depth at which there seems to be no transaction; 0: none
	trace func(text string)
	// borrowed: the connection is a session's, to be given back to it.
	borrowed bool
	// at counts where blocks begin and are undone, undone are the stretches
	// between the two, and gone is all of it.
	at     int
	undone [][2]int
	gone   bool
	schema uint64 // what is known of tables when the transaction begins
}

// Mark is a place in a transaction, to ask later what became of what was
// written there. The zero Mark is in none.
type Mark struct {
	tx *Tx
	at int
}

// Mark returns the place that the transaction has come to.
func (tx *Tx) Mark() Mark { return Mark{tx, tx.at} }

// Open reports whether the transaction may still be rolled back.
func (m Mark) Open() bool { return m.tx != nil && m.tx.conn != nil }

// Undone reports whether what was written there was rolled back.
func (m Mark) Undone() bool {
	if m.tx == nil || m.tx.gone {
		return m.tx != nil
	}
	i := sort.Search(len(m.tx.undone), func(i int) bool { return m.tx.undone[i][1] >= m.at })
	return i < len(m.tx.undone) && m.tx.undone[i][0] <= m.at
}

// undo notes that all since the place begun is rolled back, with the tables
// that were made or changed.
func (tx *Tx) undo(begun int) {
	tx.db.writes.Add(1)
	for n := len(tx.undone); n > 0 && tx.undone[n-1][0] >= begun; n-- {
		tx.undone = tx.undone[:n-1]
	}
	tx.undone = append(tx.undone, [2]int{begun, tx.at})
	tx.at++
	if tx.db.SchemaVersion() != tx.schema {
		tx.db.ForgetSchema() // and again at the next one: what an outer block changed goes with that
	}
}

type hook struct {
	depth int
	fn    any
}

// Runner returns one that runs statements in the transaction.
func (tx *Tx) Runner() Runner { return Runner{db: tx.db, tx: tx} }

// BrokenError is a statement in a block that must roll back because an earlier
// one failed.
type BrokenError struct{ Cause error }

func (e *BrokenError) Error() string {
	return fmt.Sprintf("an earlier statement of this transaction failed, so it can only roll back; to go on after an error, put what may fail in a db.atomic of its own (the error was: %v)", e.Cause)
}

// Unwrap returns the error that broke the block.
func (e *BrokenError) Unwrap() error { return e.Cause }

func (tx *Tx) usable() error {
	if tx.conn == nil {
		return &Error{Kind: OtherError, Alias: tx.db.alias, Message: "the transaction has ended"}
	}
	if tx.fault != nil {
		return &BrokenError{Cause: tx.fault}
	}
	return nil
}

func (tx *Tx) broke(err error) {
	if tx.fault == nil {
		tx.fault = err
	}
}

func (tx *Tx) raw(fn func(c *conn) error) error { return rawConn(tx.conn, fn) }

func (tx *Tx) exec(ctx context.Context, text string) error {
	err := tx.raw(func(c *conn) error {
		_, err := c.exec(ctx, text, nil, false)
		return err
	})
	if err != nil {
		return Runner{db: tx.db}.failed(ctx, err)
	}
	return nil
}

// Begin starts a transaction on a connection of its own. isolation is one of
// SQL's levels in lower case, or empty for the database's own.
func (db *Database) Begin(ctx context.Context, isolation string) (*Tx, error) {
	if isolation != "" && !ValidIsolation(isolation) {
		return nil, fmt.Errorf("unknown isolation level %q: want one of %s", isolation, list(isolationLevels))
	}
	pool, err := db.Pool(ctx)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		sc, err := pool.Conn(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return nil, cause
			}
			return nil, db.unreachable(err)
		}
		tx := &Tx{db: db, conn: sc, depth: 1}
		if err = tx.start(ctx, isolation); err == nil {
			return tx, nil
		}
		tx.discard()
		if !errors.Is(err, driver.ErrBadConn) || try == 2 {
			return nil, Runner{db: db}.failed(ctx, err)
		}
	}
}

// start runs the statements that begin a transaction.
func (tx *Tx) start(ctx context.Context, isolation string) error {
	tx.schema = tx.db.SchemaVersion()
	statements, err := tx.db.dialect.begin(isolation)
	for _, s := range statements {
		err = tx.raw(func(c *conn) error {
			_, err := c.exec(ctx, s, nil, false)
			return err
		})
		if err != nil {
			break
		}
	}
	return err
}

// Session is one connection for statements and transactions that must share
// it: advisory locks, settings of the connection. It belongs to one goroutine.
type Session struct {
	db   *Database
	conn *sql.Conn
}

// Session takes a connection out of the pool. Close it.
func (db *Database) Session(ctx context.Context) (*Session, error) {
	pool, err := db.Pool(ctx)
	if err != nil {
		return nil, err
	}
	sc, err := pool.Conn(ctx)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, db.unreachable(err)
	}
	return &Session{db: db, conn: sc}, nil
}

// Runner returns one that runs each statement on the session's connection,
// outside a transaction. A lost connection is an error; none takes its place.
func (s *Session) Runner() Runner { return Runner{db: s.db, session: s} }

// Begin starts a transaction on the session's connection, which its end gives
// back to the session.
func (s *Session) Begin(ctx context.Context, isolation string) (*Tx, error) {
	if isolation != "" && !ValidIsolation(isolation) {
		return nil, fmt.Errorf("unknown isolation level %q: want one of %s", isolation, list(isolationLevels))
	}
	tx := &Tx{db: s.db, conn: s.conn, depth: 1, borrowed: true}
	if err := tx.start(ctx, isolation); err != nil {
		return nil, Runner{db: s.db}.failed(ctx, err)
	}
	return tx, nil
}

// Close closes the connection, so that no lock or setting of the session goes
// back to the pool. A SQLite database in memory would go with its connection,
// and a host's pool may hold one: theirs is given back.
func (s *Session) Close() error {
	if s.conn == nil {
		return nil
	}
	t := s.db.cfg.Target
	inMemory := t.Driver == "sqlite" && t.Path == ""
	if _, sqlite := s.db.dialect.(SQLite); !inMemory && !(sqlite && s.db.cfg.DB != nil) {
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	err := s.conn.Close()
	s.conn = nil
	if errors.Is(err, sql.ErrConnDone) {
		return nil // closed above
	}
	return err
}

// Savepoint opens a nested block and returns how to end it.
func (tx *Tx) Savepoint(ctx context.Context) (release, rollback func(context.Context) error, err error) {
	if err := tx.usable(); err != nil {
		return nil, nil, err
	}
	tx.next++
	name := fmt.Sprintf("manage_%d", tx.next)
	if err := tx.exec(ctx, "SAVEPOINT "+name); err != nil {
		tx.broke(err)
		return nil, nil, err
	}
	tx.depth++
	depth := tx.depth
	tx.at++
	begun := tx.at
	release = func(ctx context.Context) error {
		if err := tx.usable(); err != nil {
			return err
		}
		if err := tx.exec(ctx, "RELEASE SAVEPOINT "+name); err != nil {
			tx.broke(err)
			return err
		}
		tx.depth--
		for i := range tx.hooks {
			tx.hooks[i].depth = min(tx.hooks[i].depth, tx.depth)
		}
		return nil
	}
	rollback = func(ctx context.Context) error {
		tx.depth--
		kept := tx.hooks[:0]
		for _, h := range tx.hooks {
			if h.depth < depth {
				kept = append(kept, h)
			}
		}
		tx.hooks = kept
		ctx, cancel := endContext(ctx)
		defer cancel()
		err := tx.exec(ctx, "ROLLBACK TO SAVEPOINT "+name)
		tx.undo(begun)
		if err == nil {
			err = tx.exec(ctx, "RELEASE SAVEPOINT "+name)
		}
		if err != nil {
			// The savepoint went with the connection, or with a statement
			// that committed (MySQL's DDL).
			tx.broke(err)
			return err
		}
		tx.fault = nil
		return nil
	}
	return release, rollback, nil
}

// OnCommit keeps a hook for after the commit: what it is, is for the caller of
// Commit to know. A block that rolls back drops those of its own.
func (tx *Tx) OnCommit(fn any) {
	tx.hooks = append(tx.hooks, hook{tx.depth, fn})
}

// Commit commits, gives the connection back and returns what OnCommit kept, in
// order. A block that a failed statement broke is rolled back and the error
// says so.
func (tx *Tx) Commit(ctx context.Context) ([]any, error) {
	if err := tx.usable(); err != nil {
		if rerr := tx.Rollback(ctx); rerr != nil {
			return nil, errors.Join(err, rerr)
		}
		return nil, err
	}
	ctx, cancel := endContext(ctx)
	defer cancel()
	err := tx.exec(ctx, "COMMIT")
	tx.db.writes.Add(1) // what was read before now was read without it
	if err != nil {
		tx.gone = true
		// SQLite and PostgreSQL leave nothing behind a failed COMMIT once
		// rolled back; a lost connection rolls back by itself.
		if rerr := tx.exec(ctx, "ROLLBACK"); rerr != nil {
			tx.discard()
		}
		tx.release()
		return nil, err
	}
	hooks := make([]any, len(tx.hooks))
	for i, h := range tx.hooks {
		hooks[i] = h.fn
	}
	tx.release()
	return hooks, nil
}

// Rollback rolls back and gives the connection back. It is safe after the
// transaction has ended. A connection on which it fails is closed, which rolls
// back too.
func (tx *Tx) Rollback(ctx context.Context) error {
	if tx.conn == nil {
		return nil
	}
	ctx, cancel := endContext(ctx)
	defer cancel()
	tx.gone = true
	err := tx.exec(ctx, "ROLLBACK")
	tx.undo(0)
	if err != nil {
		tx.discard()
	}
	tx.release()
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == ConnectionError || tx.fault != nil {
		return nil // the server has rolled back already
	}
	return err
}

// endContext lets COMMIT and ROLLBACK finish after the run was told to stop.
func endContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}

// discard makes the pool close the connection instead of keeping it.
func (tx *Tx) discard() {
	_ = tx.conn.Raw(func(any) error { return driver.ErrBadConn })
	tx.release()
}

func (tx *Tx) release() {
	if tx.conn != nil {
		if tx.grown {
			ctx, cancel := endContext(context.Background())
			_ = tx.exec(ctx, "PRAGMA cache_size = -2000")
			cancel()
		}
		if !tx.borrowed {
			tx.conn.Close()
		}
		tx.conn = nil
		tx.hooks = nil
	}
}
