package sqldb

// Loading rows that bring their keys, in whatever order foreign keys allow.

import (
	"context"
	"errors"
)

// LoadRows inserts rows with the values given, those of columns that the
// database numbers included. It takes several statements: call it in a
// transaction. A row without columns gets the defaults.
func (c *Compiler) LoadRows(ctx context.Context, t *Table, columns []*Column, rows [][]any) error {
	w, err := c.writer(ctx)
	if err != nil {
		return err
	}
	in := Insert{Table: t, Columns: columns}
	if len(columns) == 0 {
		values := " DEFAULT VALUES"
		if w.d.Vendor() == "mysql" {
			values = " () VALUES ()"
		}
		b := &buffer{}
		w.insertHead(b, in)
		st, err := b.str(values).statement(w.d, false, true)
		for i := 0; i < len(rows) && err == nil; i++ {
			_, err = c.Runner.Exec(ctx, st)
		}
		return err
	}
	size := len(rows)
	switch w.d.(type) {
	case SQLite:
		size = min(50, w.d.maxParams()/len(columns)) // see InsertRows
	case MySQL:
		size = min(500, w.d.maxParams()/len(columns))
	}
	for len(rows) > 0 {
		part := w.batch(rows, size)
		rows = rows[len(part):]
		st, err := w.load(in, part)
		if err != nil {
			return err
		}
		st.Once = len(part) != size && w.d.Vendor() != "postgresql"
		if _, err := c.Runner.Exec(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) load(in Insert, rows [][]any) (Statement, error) {
	if _, ok := w.d.(PostgreSQL); !ok {
		return w.insertMany(in, rows, nil)
	}
	b := &buffer{}
	w.insertHead(b, in)
	b.str(" OVERRIDING SYSTEM VALUE")
	w.selectArrays(b, in.Columns, rows)
	return b.statement(w.d, false, true)
}

// Unchecked keeps SQLite from checking foreign keys in the session's
// transactions to come, which HoldKeys cannot do well: while a deferred one is
// violated, each new row is looked for in the tables that may point to it, in
// all of their rows where they have no index.
func (s *Session) Unchecked(ctx context.Context) (restore func(context.Context) error, err error) {
	if _, ok := s.db.dialect.(SQLite); !ok {
		return func(context.Context) error { return nil }, nil
	}
	set := func(ctx context.Context, value string) error {
		_, err := s.Runner().Exec(ctx, Statement{SQL: "PRAGMA foreign_keys = " + value, Once: true})
		return err
	}
	was, err := s.Runner().strings(ctx, "PRAGMA foreign_keys")
	if err != nil || len(was) != 1 || was[0] != "1" {
		return func(context.Context) error { return nil }, err
	}
	restore = func(ctx context.Context) error {
		ctx, cancel := endContext(ctx)
		defer cancel()
		return set(ctx, "ON")
	}
	return restore, set(ctx, "OFF")
}

// Hold keeps foreign keys from being checked row by row, so that rows may come
// before those that they point to. It belongs to one transaction; nothing but
// Orphan checks what MySQL takes meanwhile, and SQLite after Unchecked.
type Hold struct {
	r      Runner
	d      Dialect
	tables map[*Table]bool
	undo   []string
}

// HoldKeys begins. Release ends it, whatever happens in between.
func (tx *Tx) HoldKeys(ctx context.Context) (*Hold, error) {
	h := &Hold{r: tx.Runner(), d: tx.db.dialect, tables: map[*Table]bool{}}
	switch h.d.(type) {
	case SQLite:
		return h, h.run(ctx, "PRAGMA defer_foreign_keys = ON")
	case PostgreSQL:
		return h, h.run(ctx, "SET CONSTRAINTS ALL DEFERRED")
	}
	// A key of 0 is a key, not a request for a number.
	return h, h.run(ctx, "SET @manage_mode = @@SESSION.sql_mode, @manage_keys = @@SESSION.foreign_key_checks",
		"SET SESSION foreign_key_checks = 0, sql_mode = CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'NO_AUTO_VALUE_ON_ZERO')")
}

func (h *Hold) run(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := h.r.Exec(ctx, Statement{SQL: s, Once: true}); err != nil {
			return err
		}
	}
	return nil
}

// Loosen makes the keys of a table wait that PostgreSQL would check at once,
// because they were not declared DEFERRABLE. It reports whether there were any:
// what failed for their sake may then be tried again. It takes the table's
// owner; for others it reports false.
func (h *Hold) Loosen(ctx context.Context, t *Table) (bool, error) {
	if _, ok := h.d.(PostgreSQL); !ok || h.tables[t] {
		return false, nil
	}
	h.tables[t] = true
	names, err := h.r.strings(ctx, `SELECT k.conname::text FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE k.contype = 'f' AND NOT k.condeferrable AND k.conparentid = 0 AND n.nspname = $1 AND c.relname = $2`, t.Schema, t.Name)
	if err != nil || len(names) == 0 {
		return false, err
	}
	alter := "ALTER TABLE " + (&writer{d: h.d}).tableName(t)
	release, rollback, err := h.r.tx.Savepoint(ctx)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if err := h.run(ctx, alter+" ALTER CONSTRAINT "+h.d.quote(name)+" DEFERRABLE INITIALLY DEFERRED"); err != nil {
			if ctx.Err() != nil {
				return false, errors.Join(err, rollback(ctx))
			}
			return false, rollback(ctx)
		}
	}
	for _, name := range names {
		h.undo = append(h.undo, alter+" ALTER CONSTRAINT "+h.d.quote(name)+" NOT DEFERRABLE")
	}
	return true, release(ctx)
}

// Release has foreign keys checked again: on PostgreSQL it checks what waits,
// on SQLite the commit does.
func (h *Hold) Release(ctx context.Context) error {
	if h.r.tx.conn == nil {
		return nil
	}
	ctx, cancel := endContext(ctx)
	defer cancel()
	switch h.d.(type) {
	case SQLite:
		return nil
	case PostgreSQL:
		if h.r.tx.fault != nil {
			return nil // all of it is rolled back
		}
		return h.run(ctx, append([]string{"SET CONSTRAINTS ALL IMMEDIATE"}, h.undo...)...)
	}
	// The settings are the connection's: they outlive a block that failed.
	return h.r.tx.exec(ctx, "SET SESSION foreign_key_checks = @manage_keys, sql_mode = @manage_mode")
}

// ResetSequences lets PostgreSQL number on behind the greatest key of a table;
// the others do by themselves.
func (r Runner) ResetSequences(ctx context.Context, t *Table) error {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return err
	}
	if _, ok := d.(PostgreSQL); !ok {
		return nil
	}
	name := (&writer{d: d}).tableName(t)
	for _, c := range t.Columns {
		if !c.Auto {
			continue
		}
		column := d.quote(c.Name)
		// setval of NULL, where the column has no sequence of its own, does nothing.
		_, err := r.values(ctx, "SELECT setval(pg_get_serial_sequence($1, $2), greatest(coalesce(max("+column+"), 1), 1), max("+column+") IS NOT NULL) FROM "+name,
			name, c.Name)
		if err != nil {
			return err
		}
	}
	return nil
}

// Snapshot begins reading the database as it is now, on the session's
// connection: what others write meanwhile is not seen, and nothing is locked.
// Closing the session ends it.
func (s *Session) Snapshot(ctx context.Context) error {
	statements := []string{"BEGIN"}
	switch s.db.dialect.(type) {
	case PostgreSQL:
		statements = []string{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
	case MySQL:
		statements = []string{"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"}
	}
	for _, st := range statements {
		if _, err := s.Runner().Exec(ctx, Statement{SQL: st, Once: true}); err != nil {
			return err
		}
	}
	return nil
}

// EndSnapshot ends what Snapshot began, for a connection that lives on.
func (s *Session) EndSnapshot(ctx context.Context) error {
	ctx, cancel := endContext(ctx)
	defer cancel()
	_, err := s.Runner().Exec(ctx, Statement{SQL: "ROLLBACK", Once: true})
	return err
}
