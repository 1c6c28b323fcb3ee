package db

// Transactions, and SQL that scripts write themselves.

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// block is how a transaction is asked for.
type block struct {
	durable   bool
	isolation string
	retries   int
}

// atomic runs fn in a transaction, or in a savepoint of the one under way. Any
// error rolls back; exit(0) commits.
func (st *state) atomic(db *sqldb.Database, b block, fn func() (starlark.Value, error)) (starlark.Value, error) {
	tx := st.tx(db)
	if st.inside(db) {
		return st.nested(tx, b, fn)
	}
	for try := 0; ; try++ {
		var v starlark.Value
		var err error
		if tx != nil { // enclosed: a savepoint stands for the transaction
			v, err = st.nested(tx, block{}, fn)
		} else {
			v, err = st.outermost(db, b, fn)
		}
		if err == nil || try >= b.retries || !retryable(err) {
			return v, err
		}
		// Whoever is in the way needs a moment; more of them a longer one.
		timer := time.NewTimer(time.Duration(10<<min(try, 6)) * time.Millisecond)
		select {
		case <-timer.C:
		case <-st.ctx().Done():
			timer.Stop()
			return v, err
		}
	}
}

func retryable(err error) bool {
	e, ok := errors.AsType[*sqldb.Error](err)
	return ok && e.Kind == sqldb.RetryError
}

func (st *state) outermost(db *sqldb.Database, b block, fn func() (starlark.Value, error)) (v starlark.Value, err error) {
	ctx := st.ctx()
	tx, err := db.Begin(ctx, b.isolation)
	if err != nil {
		return nil, translate(err)
	}
	hidden, hides := st.txs[db]
	st.txs[db] = tx
	leave := func() {
		delete(st.txs, db)
		if hides {
			st.txs[db] = hidden
		}
	}
	finished := false
	defer func() {
		if !finished { // a panic passes through
			leave()
			_ = tx.Rollback(ctx)
		}
		st.tally.end(tx, false)
	}()
	v, err = fn()
	finished = true
	leave()
	if err != nil && !leaves(err) {
		return nil, unrolled(err, tx.Rollback(ctx))
	}
	if ctx.Err() != nil && err == nil {
		_ = tx.Rollback(ctx)
		return nil, st.inv.Settle(st.inv.Thread(), ctx.Err())
	}
	hooks, cerr := tx.Commit(ctx)
	if cerr != nil {
		return nil, translate(cerr)
	}
	st.tally.end(tx, true)
	// On the committing run's thread: the run that registered a hook may have
	// ended by now.
	thread := st.inv.Thread()
	for _, hook := range hooks {
		_, herr := starlark.Call(thread, hook.(starlark.Callable), nil, nil)
		if herr = st.inv.Settle(thread, herr); herr != nil {
			return v, herr
		}
	}
	return v, err
}

// unrolled adds to what made a block roll back that it could not. A connection
// that is lost was said to be, and what it had begun is gone with it; so is all of
// a transaction that MySQL chose to end a deadlock with.
func unrolled(err, rollback error) error {
	if e, ok := errors.AsType[*sqldb.Error](err); rollback == nil || ok && (e.Kind == sqldb.ConnectionError || e.Kind == sqldb.RetryError) {
		return err
	}
	both := errors.Join(err, translate(rollback))
	if e, ok := errors.AsType[*engine.TypedError](err); ok {
		return &engine.TypedError{Type: e.Type, Message: fmt.Sprintf("%s (and what it wrote could not be rolled back: %v)", e.Message, rollback), Err: both}
	}
	return both
}

// leaves reports an error that ends the run without failing it: exit(0).
func leaves(err error) bool {
	_, ok := errors.AsType[*engine.ExitError](err)
	return ok && engine.ExitCode(err) == 0
}

func (st *state) nested(tx *sqldb.Tx, b block, fn func() (starlark.Value, error)) (v starlark.Value, err error) {
	switch {
	case b.durable:
		return nil, engine.ValueError.Errorf("db.atomic(durable = True) cannot stand inside another db.atomic: its commit would not be one")
	case b.isolation != "":
		return nil, engine.ValueError.Errorf("isolation is for the outermost db.atomic: a savepoint has none of its own")
	}
	ctx := st.ctx()
	release, rollback, err := tx.Savepoint(ctx)
	if err != nil {
		return nil, translate(err)
	}
	before := st.tally.inside(tx)
	finished := false
	defer func() {
		if !finished {
			_ = rollback(ctx)
		}
		if err != nil && !leaves(err) {
			st.tally.reset(tx, before)
		}
	}()
	v, err = fn()
	finished = true
	if err != nil && !leaves(err) {
		rerr := rollback(ctx)
		if ctx.Err() != nil {
			rerr = nil
		}
		return nil, unrolled(err, rerr)
	}
	if rerr := release(ctx); rerr != nil {
		_ = rollback(ctx)
		return nil, translate(rerr)
	}
	return v, err
}

// dbAtomic is db.atomic(fn, *args, durable=False, isolation=None, retries=0,
// **kwargs): fn's value.
func dbAtomic(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("db.atomic: missing argument: the function to run")
	}
	fn, ok := args[0].(starlark.Callable)
	if !ok {
		return nil, fmt.Errorf("db.atomic: want a function, not a %s", args[0].Type())
	}
	var own, rest []starlark.Tuple
	for _, kv := range kwargs {
		switch string(kv[0].(starlark.String)) {
		case "durable", "isolation", "retries":
			own = append(own, kv)
		default:
			rest = append(rest, kv)
		}
	}
	var bl block
	var isolation starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), nil, own, "durable?", &bl.durable, "isolation?", &isolation, "retries?", &bl.retries); err != nil {
		return nil, err
	}
	if s, ok := starlark.AsString(isolation); ok {
		bl.isolation = strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(s))
	} else if isolation != starlark.None {
		return nil, fmt.Errorf("db.atomic: isolation is a string, not a %s", isolation.Type())
	}
	if bl.isolation != "" && !sqldb.ValidIsolation(bl.isolation) {
		return nil, engine.ValueError.Errorf("db.atomic: unknown isolation %q: want read uncommitted, read committed, repeatable read or serializable", bl.isolation)
	}
	if bl.retries < 0 || bl.retries > 100 {
		return nil, engine.ValueError.Errorf("db.atomic: retries must be from 0 to 100")
	}
	st, db, err := b.Receiver().(*handle).open(inv)
	if err != nil {
		return nil, err
	}
	return st.atomic(db, bl, func() (starlark.Value, error) {
		v, err := starlark.Call(thread, fn, args[1:], rest)
		// An iterator that failed, and a stop, may not have been met yet.
		if err := inv.Settle(thread, err); err != nil {
			return nil, err
		}
		return v, nil
	})
}

// dbOnCommit is db.on_commit(fn): fn runs after the commit of the transaction,
// or at once when there is none.
func dbOnCommit(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var fn starlark.Callable
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "fn", &fn); err != nil {
		return nil, err
	}
	st, db, err := b.Receiver().(*handle).open(inv)
	if err != nil {
		return nil, err
	}
	if tx := st.tx(db); tx != nil {
		tx.OnCommit(fn)
		return starlark.None, nil
	}
	_, err = starlark.Call(thread, fn, nil, nil)
	return starlark.None, err
}

// raw makes a statement of a script's own SQL.
func (h *handle) raw(inv *engine.Invocation, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (*state, *sqldb.Database, sqldb.Statement, error) {
	fail := func(err error) (*state, *sqldb.Database, sqldb.Statement, error) {
		return nil, nil, sqldb.Statement{}, err
	}
	if len(kwargs) > 0 {
		return fail(fmt.Errorf("%s: unexpected keyword argument %s", b.Name(), kwargs[0][0]))
	}
	if len(args) == 0 {
		return fail(fmt.Errorf("%s: missing argument: the statement", b.Name()))
	}
	text, ok := starlark.AsString(args[0])
	if !ok {
		return fail(fmt.Errorf("%s: the statement is a string, not a %s", b.Name(), args[0].Type()))
	}
	st, db, err := h.open(inv)
	if err != nil {
		return fail(err)
	}
	zone, err := st.location()
	if err != nil {
		return fail(err)
	}
	d, err := db.Dialect(inv.Context())
	if err != nil {
		return fail(translate(err))
	}
	if sqldb.ControlsTransaction(d, text) {
		return fail(engine.ValueError.Errorf("%s: transactions are begun and ended by db.atomic, not by SQL", b.Name()))
	}
	values := make([]any, len(args)-1)
	for i, a := range args[1:] {
		switch a.(type) {
		case *starlark.List, starlark.Tuple, *starlark.Set, *QuerySet:
			return fail(engine.ValueError.Errorf(`%s: value %d is a %s, and a placeholder takes one value: for IN write ", ".join(["?"] * len(values)) into the statement and give *values, or filter by column__in; for a JSON column give json.encode(value)`,
				b.Name(), i+1, a.Type()))
		}
		if values[i], err = toPlain(a, zone); err != nil {
			return fail(fmt.Errorf("%s: value %d: %w", b.Name(), i+1, err))
		}
		if t, ok := values[i].(time.Time); ok {
			if err := sqldb.CheckTime(t); err != nil {
				return fail(engine.ValueError.Errorf("%s: value %d: %w", b.Name(), i+1, err))
			}
		}
	}
	stmt, err := st.runner(db).Raw(inv.Context(), text, values)
	if err != nil {
		return fail(engine.ValueError.Errorf("%s: %w", b.Name(), err))
	}
	if sqldb.ChangesSchema(d, text) {
		stmt.Once = true
	}
	return st, db, stmt, nil
}

// rawLayout lays out rows of the results of a script's own SQL: of their types is
// known what the driver tells.
func rawLayout(st *state, db *sqldb.Database, thread *starlark.Thread) func(*sqldb.Chunk) layout {
	var l *rowLayout
	return func(c *sqldb.Chunk) layout {
		if l == nil {
			l = &rowLayout{st: st, db: db, table: sqldb.Unnamed(), thread: thread}
			for i, name := range c.Names {
				l.add(name, c.Types[i], nil)
			}
		}
		return layout{rows: l}
	}
}

// dbQuery is db.query(sql, *params): a list of rows.
func dbQuery(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	st, db, stmt, err := b.Receiver().(*handle).raw(inv, b, args, kwargs)
	if err != nil {
		return nil, err
	}
	chunks, err := st.runner(db).ReadAll(inv.Context(), stmt)
	if err != nil {
		return nil, translate(err)
	}
	lay := rawLayout(st, db, thread)
	var out []starlark.Value
	for _, c := range chunks {
		rows, err := lay(c).items(c, rowShape)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	if stmt.ChangesRows {
		st.wrote(db, int64(len(out)))
	}
	return starlark.NewList(out), nil
}

// dbIterate is db.iterate(sql, *params): rows in constant memory.
func dbIterate(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	st, db, stmt, err := b.Receiver().(*handle).raw(inv, b, args, kwargs)
	if err != nil {
		return nil, err
	}
	s := &stream{name: "iterator of a query", st: st, thread: thread}
	s.start = func() (source, error) {
		spool, err := sqldb.NewSpool(inv.Context(), st.runner(db), stmt, maxChunk)
		if err != nil {
			return nil, err
		}
		lay := rawLayout(st, db, thread)
		return &spoolSource{spool: spool, open: func(c *sqldb.Chunk) (page, error) { return lay(c).page(c, rowShape) }}, nil
	}
	return s, nil
}

// dbExecute is db.execute(sql, *params): the number of rows affected.
func dbExecute(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	st, db, stmt, err := b.Receiver().(*handle).raw(inv, b, args, kwargs)
	if err != nil {
		return nil, err
	}
	d, err := db.Dialect(inv.Context())
	if err != nil {
		return nil, translate(err)
	}
	if sqldb.OnlyQueried(d, stmt.SQL) {
		return nil, engine.ValueError.Errorf("%s: ANALYZE of a statement gives rows: use db.query", b.Name())
	}
	stmt.Write = true
	res, err := st.runner(db).Exec(inv.Context(), stmt)
	if err != nil {
		return nil, translate(err)
	}
	if stmt.Once {
		db.ForgetSchema()
	}
	st.wrote(db, res.Affected)
	return starlark.MakeInt64(res.Affected), nil
}
