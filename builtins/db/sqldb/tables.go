package sqldb

// The tables of a database as a whole: which hold rows of their own, how they
// point to each other, and how all are emptied.

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// BaseTables returns the tables that hold rows of their own, sorted by name:
// no views, no partitions beside their table, no shadows of virtual tables.
func (r Runner) BaseTables(ctx context.Context) ([]string, error) {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return nil, err
	}
	switch d.(type) {
	case SQLite:
		return r.strings(ctx, `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name`)
	case PostgreSQL:
		return r.strings(ctx, `SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_catalog.pg_table_is_visible(c.oid)
			AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY c.relname COLLATE "C"`)
	}
	return r.strings(ctx, `SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY table_name`)
}

// Reference is a foreign key of one column or several.
type Reference struct {
	// Child holds Columns, each of which points to that of ParentColumns in
	// the same place.
	Child, Parent          *Table
	Columns, ParentColumns []*Column
}

// References returns all foreign keys of the database. Those that point to a
// table which does not exist are left out.
func (r Runner) References(ctx context.Context) ([]Reference, error) {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return nil, err
	}
	edges, err := d.foreignKeys(ctx, r)
	if err != nil {
		return nil, err
	}
	load := func(schema, name string) (*Table, error) {
		if schema != "" {
			name = schema + "." + name
		}
		t, err := r.Table(ctx, name)
		if _, missing := errors.AsType[*NoTableError](err); missing {
			return nil, nil
		}
		return t, err
	}
	type group struct{ schema, child, constraint string }
	var refs []Reference
	at := map[group]int{}
	whole := map[group]bool{}
	for _, e := range edges {
		g := group{e.childSchema, e.child, e.constraint}
		if _, ok := whole[g]; !ok {
			child, err := load(e.childSchema, e.child)
			if err != nil {
				return nil, err
			}
			parent, err := load(e.parentSchema, e.parent)
			if err != nil {
				return nil, err
			}
			if whole[g] = child != nil && parent != nil; whole[g] {
				at[g] = len(refs)
				refs = append(refs, Reference{Child: child, Parent: parent})
			}
		}
		if !whole[g] {
			continue
		}
		ref := &refs[at[g]]
		column := ref.Child.fold(e.column)
		var target *Column
		if e.parentColumn != "" {
			target = ref.Parent.fold(e.parentColumn)
		} else if n := len(ref.Columns); n < len(ref.Parent.PK) {
			target = ref.Parent.PK[n] // REFERENCES t: its key
		}
		ref.Columns, ref.ParentColumns = append(ref.Columns, column), append(ref.ParentColumns, target)
	}
	return slices.DeleteFunc(refs, func(ref Reference) bool {
		return slices.Contains(ref.Columns, nil) || slices.Contains(ref.ParentColumns, nil)
	}), nil
}

// Orphan finds a row of the reference's child that points to nothing: a row of
// one chunk, with the columns of the child's key and then those of the
// reference. It is nil when there is none.
func (r Runner) Orphan(ctx context.Context, ref Reference) (*Chunk, error) {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{d: d}
	b := (&buffer{}).str("SELECT ")
	for i, c := range slices.Concat(ref.Child.PK, ref.Columns) {
		if i > 0 {
			b.str(", ")
		}
		b.str("c.", d.quote(c.Name))
	}
	b.str(" FROM ", w.tableName(ref.Child), " AS c LEFT JOIN ", w.tableName(ref.Parent), " AS p ON ")
	for i, c := range ref.Columns {
		if i > 0 {
			b.str(" AND ")
		}
		b.str("p.", d.quote(ref.ParentColumns[i].Name), " = c.", d.quote(c.Name))
	}
	b.str(" WHERE ")
	for _, c := range ref.Columns { // MATCH SIMPLE: a NULL points nowhere
		b.str("c.", d.quote(c.Name), " IS NOT NULL AND ")
	}
	b.str("p.", d.quote(ref.ParentColumns[0].Name), " IS NULL LIMIT 1")
	st, err := b.statement(d, true, false)
	if err != nil {
		return nil, err
	}
	var found *Chunk
	err = r.Read(ctx, st, 1, func(c *Chunk) error { found = c; return nil })
	return found, err
}

// EmptyStatements returns the statements that empty the tables and let their
// numbers start again. The tables come children first. inside says that they
// run in a transaction which must be able to roll back: MySQL then keeps its
// counters, because TRUNCATE commits.
func (r Runner) EmptyStatements(ctx context.Context, tables []*Table, inside bool) ([]string, error) {
	d, err := r.db.Dialect(ctx)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	w := &writer{d: d}
	var out []string
	switch d.(type) {
	case PostgreSQL:
		names := make([]string, len(tables))
		for i, t := range tables {
			names[i] = w.tableName(t)
		}
		// One statement: a table that another points to is not truncated alone.
		return []string{"TRUNCATE " + strings.Join(names, ", ") + " RESTART IDENTITY"}, nil
	case MySQL:
		verb := "TRUNCATE TABLE "
		if inside {
			verb = "DELETE FROM "
		}
		out = append(out, "SET FOREIGN_KEY_CHECKS = 0")
		for _, t := range tables {
			out = append(out, verb+w.tableName(t))
		}
		return append(out, "SET FOREIGN_KEY_CHECKS = 1"), nil
	}
	counted, err := r.strings(ctx, `SELECT name FROM sqlite_master WHERE name = 'sqlite_sequence'`)
	if err != nil {
		return nil, err
	}
	out = append(out, "PRAGMA defer_foreign_keys = ON")
	var names []string
	for _, t := range tables {
		out = append(out, "DELETE FROM "+w.tableName(t))
		names = append(names, "'"+strings.ReplaceAll(t.Name, "'", "''")+"'")
	}
	if len(counted) > 0 {
		out = append(out, `UPDATE "sqlite_sequence" SET "seq" = 0 WHERE "name" IN (`+strings.Join(names, ", ")+")")
	}
	return out, nil
}

// KeyOrder orders a query of the table by its key, and texts by code point
// whatever their collation says: the order is the same on every database.
func (t *Table) KeyOrder(d Dialect) []Order {
	var order []Order
	for _, c := range t.PK {
		var e Expr = &Col{Column: c}
		if c.Type.Kind == Text || c.Type.Kind == UUID || c.Type.Kind == Other {
			name := "t0." + d.quote(c.Name) // the alias of a query's first table
			switch d.(type) {
			case PostgreSQL:
				name = "(" + name + `)::text COLLATE "C"`
			case MySQL:
				name = "CAST(" + name + " AS CHAR) COLLATE utf8mb4_bin"
			default:
				name += " COLLATE BINARY"
			}
			e = &written{(&buffer{}).str(name), c.Type}
		}
		order = append(order, Order{Expr: e})
	}
	return order
}

// Same reports whether two descriptions are of one table of the database:
// what is known of a table is made anew after a statement that may have changed
// it. No schema is the one that a bare name finds.
func (t *Table) Same(o *Table) bool {
	switch {
	case t == o:
		return true
	case t.Name == "" || t.derived != nil || o.derived != nil:
		return false
	}
	return t.Name == o.Name && (t.Schema == "" || o.Schema == "" || t.Schema == o.Schema)
}
