package sqldb

import (
	"context"
	"fmt"
)

// Fence makes the transaction stand for none at its present depth, for a
// caller that will roll it back whatever happens: what runs in it cannot tell
// it from statements that are each on their own. A statement that fails undoes
// itself alone, and Fenced tells that the next block is an outermost one.
func (tx *Tx) Fence() { tx.fence = tx.depth }

// Fenced reports whether the transaction stands for none: no block was begun
// since Fence.
func (tx *Tx) Fenced() bool { return tx.fence > 0 && tx.depth == tx.fence }

// Hooks takes what OnCommit kept in blocks that have ended, in order.
func (tx *Tx) Hooks() []any {
	var ended []any
	open := tx.hooks[:0]
	for _, h := range tx.hooks {
		if h.depth <= tx.fence {
			ended = append(ended, h.fn)
		} else {
			open = append(open, h)
		}
	}
	tx.hooks = open
	return ended
}

// Trace calls fn with the text of each statement that runs in the transaction;
// those that begin and end blocks, and those that ask about tables, are left
// out. fn is called on the goroutine that runs the statement.
func (tx *Tx) Trace(fn func(text string)) { tx.trace = fn }

func (r Runner) traced(st Statement) {
	if r.tx != nil && r.tx.trace != nil && !st.Quiet {
		r.tx.trace(st.SQL)
	}
}

// alone runs fn in a savepoint, as if it committed by itself. The savepoint
// proves in the end that the transaction is still there. Its name is always the
// same, so that its statements are prepared once, where they can be (not on MySQL:
// https://dev.mysql.com/doc/refman/8.4/en/sql-prepared-statements.html).
func (r Runner) alone(ctx context.Context, fn func(c *conn) error) error {
	_, mysql := r.db.dialect.(MySQL)
	say := func(ctx context.Context, text string) error {
		return r.tx.raw(func(c *conn) error {
			_, err := c.exec(ctx, text, nil, !mysql)
			return err
		})
	}
	if err := say(ctx, "SAVEPOINT manage_alone"); err != nil {
		err = r.failed(ctx, err)
		r.tx.broke(err)
		return err
	}
	failure := r.tx.raw(fn)
	if failure != nil {
		failure = r.failed(ctx, failure)
		r.db.writes.Add(1)
	}
	end, cancel := endContext(ctx)
	defer cancel()
	var err error
	if failure != nil {
		err = say(end, "ROLLBACK TO SAVEPOINT manage_alone")
	}
	if err == nil {
		err = say(end, "RELEASE SAVEPOINT manage_alone")
	}
	if err == nil {
		return failure
	}
	err = r.tx.lost(r.db.wrap(err))
	r.tx.broke(err)
	if failure != nil {
		return failure
	}
	return err
}

// lost is the error of a statement that ended the transaction.
func (tx *Tx) lost(err error) error {
	if _, ok := tx.db.dialect.(MySQL); ok {
		return &Error{Kind: OtherError, Alias: tx.db.alias, Err: err,
			Message: fmt.Sprintf("the statement ended the transaction that was to undo it: MySQL and MariaDB commit on CREATE, ALTER, DROP and the like (%v)", err)}
	}
	return err
}
