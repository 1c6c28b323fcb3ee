package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
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
}

type hook struct {
	depth int
	fn    func() error
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
	statements, err := db.dialect.begin(isolation)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		sc, err := pool.Conn(ctx)
		if err != nil {
			err = Runner{db: db}.failed(ctx, err)
			if e, ok := errors.AsType[*Error](err); ok {
				e.Kind = ConnectionError
			}
			return nil, err
		}
		tx := &Tx{db: db, conn: sc, depth: 1}
		var bad bool
		for _, s := range statements {
			err = tx.raw(func(c *conn) error {
				_, err := c.exec(ctx, s, nil, false)
				return err
			})
			if err != nil {
				bad = errors.Is(err, driver.ErrBadConn)
				break
			}
		}
		if err == nil {
			return tx, nil
		}
		tx.discard()
		if !bad || try == 2 {
			return nil, Runner{db: db}.failed(ctx, err)
		}
	}
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
		tx.db.writes.Add(1)
		err := tx.exec(ctx, "ROLLBACK TO SAVEPOINT "+name)
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

// OnCommit keeps fn for after the commit. A block that rolls back drops those
// of its own.
func (tx *Tx) OnCommit(fn func() error) {
	tx.hooks = append(tx.hooks, hook{tx.depth, fn})
}

// Commit commits, gives the connection back and returns what OnCommit kept, in
// order. A block that a failed statement broke is rolled back and the error
// says so.
func (tx *Tx) Commit(ctx context.Context) ([]func() error, error) {
	if err := tx.usable(); err != nil {
		if rerr := tx.Rollback(ctx); rerr != nil {
			return nil, errors.Join(err, rerr)
		}
		return nil, err
	}
	ctx, cancel := endContext(ctx)
	defer cancel()
	if err := tx.exec(ctx, "COMMIT"); err != nil {
		// SQLite and PostgreSQL leave nothing behind a failed COMMIT once
		// rolled back; a lost connection rolls back by itself.
		if rerr := tx.exec(ctx, "ROLLBACK"); rerr != nil {
			tx.discard()
		}
		tx.release()
		return nil, err
	}
	hooks := make([]func() error, len(tx.hooks))
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
	tx.db.writes.Add(1)
	err := tx.exec(ctx, "ROLLBACK")
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
		tx.conn.Close()
		tx.conn = nil
		tx.hooks = nil
	}
}
