package db

// Writing: create and its kin, bulk writes, update and delete.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// assignment is what a column is set to: a plain value, or an sqldb.Expr.
func (st *state) assignment(db *sqldb.Database, t *sqldb.Table, c *sqldb.Column, v starlark.Value, zone *datetime.Zone, vendor string) (any, error) {
	return st.assign(db, t, c, v, zone, vendor, nil)
}

// assign is assignment where expressions may name annotations.
func (st *state) assign(db *sqldb.Database, t *sqldb.Table, c *sqldb.Column, v starlark.Value, zone *datetime.Zone, vendor string, named map[string]sqldb.Expr) (any, error) {
	if c.Generated {
		return nil, FieldError.Errorf("column %s of %s is computed by the database", c.Name, t.Name)
	}
	if e, ok := v.(expression); ok {
		r := &resolver{ctx: st.ctx(), runner: st.runner(db), table: t, zone: zone, annotations: named, state: st, now: func() any { return st.inv.Now() }}
		x, err := e.resolve(r)
		if err != nil {
			return nil, within(c.Name, err)
		}
		if v, ok := x.(*sqldb.Value); ok {
			// Value(x) of the column's own type.
			if _, constant := e.(*valueExpr); constant {
				return st.assignment(db, t, c, e.(*valueExpr).v, zone, vendor)
			}
			return v, nil
		}
		if c.Type.Kind == sqldb.Text {
			x = pathText(x)
		}
		return x, nil
	}
	if row, ok := v.(*Row); ok {
		key, err := st.rowValue(db, t, c, row)
		if err != nil {
			return nil, within(c.Name, err)
		}
		v = key
	}
	x, err := toColumn(v, c.Type, zone)
	if err != nil {
		return nil, within(c.Name, err)
	}
	if x, err = forWriting(x, c, vendor); err != nil {
		return nil, err
	}
	return x, nil
}

// writer is what the methods that write need.
type writer struct {
	qs       *QuerySet
	compiler *sqldb.Compiler
	zone     *datetime.Zone
	vendor   string
	forward  []*sqldb.ForeignKey
	// named are the annotations that an update may name.
	named map[string]sqldb.Expr
}

func (qs *QuerySet) writer() (*writer, error) {
	c, err := qs.st.compiler(qs.db)
	if err != nil {
		return nil, err
	}
	zone, err := qs.st.location()
	if err != nil {
		return nil, err
	}
	d, err := qs.db.Dialect(qs.ctx())
	if err != nil {
		return nil, err
	}
	return &writer{qs: qs, compiler: c, zone: zone, vendor: d.Vendor()}, nil
}

// column finds the column that a keyword names: a column, pk, or a foreign key
// by the name of its row.
func (w *writer) column(name string) (*sqldb.Column, error) {
	t := w.qs.table
	if c := t.Column(name); c != nil {
		return c, nil
	}
	if name == "pk" {
		return t.Key()
	}
	if w.forward == nil {
		forward, _, err := w.qs.runner().Keys(w.qs.ctx(), t)
		if err != nil {
			return nil, err
		}
		w.forward = forward
	}
	for _, k := range w.forward {
		if k.ForwardName() == name {
			return k.Column, nil
		}
	}
	_, err := w.qs.runner().Resolve(w.qs.ctx(), t, name, nil)
	if err == nil {
		err = FieldError.Errorf("%q is no column of %s", name, t.Name)
	}
	return nil, err
}

// value converts one keyword's value for its column.
func (w *writer) value(c *sqldb.Column, v starlark.Value) (any, error) {
	return w.qs.st.assign(w.qs.db, w.qs.table, c, v, w.zone, w.vendor, w.named)
}

// numbered: a new row leaves the column out, so that the database numbers it.
func (w *writer) numbered(c *sqldb.Column, v starlark.Value) bool {
	return v == starlark.None && c.Auto && slices.Contains(w.qs.table.PK, c)
}

// unnumbered are a new row's fields without a key of None.
func (w *writer) unnumbered(kvs []starlark.Tuple) ([]starlark.Tuple, error) {
	for i, kv := range kvs {
		if kv[1] != starlark.None {
			continue
		}
		c, err := w.column(string(kv[0].(starlark.String)))
		if err != nil {
			return nil, err
		}
		if w.numbered(c, kv[1]) {
			return slices.Delete(slices.Clone(kvs), i, i+1), nil
		}
	}
	return kvs, nil
}

// belonging are a new row's fields with the key of the row that a related
// QuerySet is of. Another row's key is refused.
func (w *writer) belonging(kvs []starlark.Tuple) ([]starlark.Tuple, error) {
	of := w.qs.of
	switch {
	case of == nil:
		return kvs, nil
	case of.value == starlark.None:
		return nil, engine.ValueError.Errorf("the row that new rows of %s would belong to has no value for %s to point to: save it with one first", w.qs.table.Name, of.column.Name)
	}
	for _, kv := range kvs {
		c, err := w.column(string(kv[0].(starlark.String)))
		if err != nil {
			return nil, err
		}
		if c == of.column {
			return kvs, w.belongs(c, kv[1])
		}
	}
	return append(slices.Clip(kvs), starlark.Tuple{starlark.String(of.column.Name), of.value}), nil
}

// belongs refuses a value for the foreign key of a related QuerySet's rows that
// is another one than theirs.
func (w *writer) belongs(c *sqldb.Column, v starlark.Value) error {
	of := w.qs.of
	if of == nil || c != of.column {
		return nil
	}
	same := false
	x, err := w.value(c, v)
	if err != nil {
		return err
	}
	if _, computed := x.(sqldb.Expr); !computed {
		given, err := fromCell(x, c.Type)
		if err != nil {
			return err
		}
		if same, err = starlark.Equal(given, of.value); err != nil {
			return err
		}
	}
	if !same {
		return engine.ValueError.Errorf("%s is %s for the rows of this QuerySet, not %s: leave it out, or write by db.table(%q)", c.Name, of.value, v, w.qs.table.Name)
	}
	return nil
}

// insert inserts one row and returns it as it is in the database.
func (w *writer) insert(fields []starlark.Tuple) (*Row, error) {
	in := sqldb.Insert{Table: w.qs.table, Rows: [][]any{nil}}
	fields, err := w.belonging(fields)
	if err != nil {
		return nil, err
	}
	for _, kv := range fields {
		name := string(kv[0].(starlark.String))
		c, err := w.column(name)
		if err != nil {
			return nil, err
		}
		if w.numbered(c, kv[1]) {
			continue
		}
		if slices.Contains(in.Columns, c) {
			return nil, FieldError.Errorf("column %s is given twice", c.Name)
		}
		v, err := w.value(c, kv[1])
		if err != nil {
			return nil, err
		}
		in.Columns = append(in.Columns, c)
		in.Rows[0] = append(in.Rows[0], v)
	}
	chunk, err := w.compiler.InsertRow(w.qs.ctx(), in)
	if err != nil {
		return nil, err
	}
	w.qs.st.wrote(w.qs.db, 1)
	if chunk == nil {
		return nil, DatabaseError.Errorf("the row inserted into %s is not there", w.qs.table.Name)
	}
	return &Row{layout: newRowLayout(w.qs, w.qs.table, w.qs.table.Columns, 0), chunk: chunk}, nil
}

// qsCreate is qs.create(**fields): inserts a row and returns it.
func qsCreate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("create: takes keywords only: create(column = value)")
	}
	w, err := qs.writer()
	if err != nil {
		return nil, err
	}
	return value(w.insert(kwargs))
}

// lookupsOf splits what get_or_create is given: named parameters, and lookups.
func lookupsOf(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple, params ...string) (map[string]*starlark.Dict, []starlark.Tuple, error) {
	if len(args) > len(params) {
		return nil, nil, fmt.Errorf("%s: got %d positional arguments, want at most %d", b.Name(), len(args), len(params))
	}
	dicts := map[string]*starlark.Dict{}
	set := func(name string, v starlark.Value) error {
		if v == starlark.None {
			return nil
		}
		d, ok := v.(*starlark.Dict)
		if !ok {
			return fmt.Errorf("%s: %s is a dict, not a %s", b.Name(), name, v.Type())
		}
		if dicts[name] != nil {
			return fmt.Errorf("%s: got multiple values for %s", b.Name(), name)
		}
		dicts[name] = d
		return nil
	}
	for i, a := range args {
		if err := set(params[i], a); err != nil {
			return nil, nil, err
		}
	}
	var lookups []starlark.Tuple
	for _, kv := range kwargs {
		name := string(kv[0].(starlark.String))
		if !slices.Contains(params, name) {
			lookups = append(lookups, kv)
			continue
		}
		if err := set(name, kv[1]); err != nil {
			return nil, nil, err
		}
	}
	return dicts, lookups, nil
}

// fieldsOf are the fields of a new row: lookups for exact values, under
// defaults.
func (qs *QuerySet) fieldsOf(lookups []starlark.Tuple, defaults *starlark.Dict) ([]starlark.Tuple, error) {
	w, err := qs.writer()
	if err != nil {
		return nil, err
	}
	var out []starlark.Tuple
	given := map[string]bool{}
	if defaults != nil {
		for _, item := range defaults.Items() {
			name, ok := starlark.AsString(item[0])
			if !ok {
				return nil, fmt.Errorf("defaults: a key is a column's name, not a %s", item[0].Type())
			}
			v := item[1]
			if fn, ok := v.(starlark.Callable); ok {
				return nil, fmt.Errorf("defaults: %s is a function: call it", fn.Name())
			}
			given[name] = true
			out = append(out, starlark.Tuple{starlark.String(name), v})
		}
	}
	for _, kv := range lookups {
		name := string(kv[0].(starlark.String))
		if base, last, ok := cutLast(name); ok && sqldb.IsLookup(last) && qs.table.Column(name) == nil {
			if last != "exact" {
				continue
			}
			name = base
		}
		if given[name] {
			continue
		}
		if strings.Contains(name, "__") {
			// What is no column leads to another table; a column's own name
			// may hold "__".
			if _, err := w.column(name); err != nil {
				continue
			}
		}
		out = append(out, starlark.Tuple{starlark.String(name), kv[1]})
	}
	return out, nil
}

// forRows refuses a method that gives a row after values.
func (qs *QuerySet) forRows(name string) error {
	if qs.shape != rowShape {
		return engine.ValueError.Errorf("%s: cannot follow values or values_list: it gives a row", name)
	}
	return nil
}

// qsGetOrCreate is qs.get_or_create(defaults=None, **lookups): (row, created).
func qsGetOrCreate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	dicts, lookups, err := lookupsOf(b, args, kwargs, "defaults")
	if err != nil {
		return nil, err
	}
	if err := qs.forRows(b.Name()); err != nil {
		return nil, err
	}
	fields, err := qs.fieldsOf(lookups, dicts["defaults"])
	if err != nil {
		return nil, err
	}
	row, created, err := qs.getOrCreate(b, lookups, fields)
	if err != nil {
		return nil, err
	}
	return starlark.Tuple{row, starlark.Bool(created)}, nil
}

// upsertRetries is how often an upsert that lost a race is run again.
const upsertRetries = 20

func (qs *QuerySet) getOrCreate(b *starlark.Builtin, lookups, fields []starlark.Tuple) (starlark.Value, bool, error) {
	v, err := qsGet(qs, b, nil, lookups)
	if engine.TypeOf(err) != DoesNotExist {
		return v, false, err
	}
	var row *Row
	insert := func() (starlark.Value, error) {
		w, err := qs.writer()
		if err != nil {
			return nil, err
		}
		row, err = w.insert(fields)
		return starlark.None, err
	}
	if qs.st.inside(qs.db) {
		_, err = qs.st.atomic(qs.db, block{}, insert) // a savepoint
	} else {
		_, err = insert()
		for try := 0; try < upsertRetries && retryable(err) && qs.ctx().Err() == nil; try++ {
			_, err = insert()
		}
	}
	if err == nil {
		return row, true, nil
	}
	if e, ok := errors.AsType[*sqldb.Error](err); !ok || e.Kind != sqldb.IntegrityError {
		return nil, false, err
	}
	// Another run made the row between our look and our insert.
	v, again := qsGet(qs, b, nil, lookups)
	if engine.TypeOf(again) == DoesNotExist {
		return nil, false, err
	}
	return v, false, again
}

// qsUpdateOrCreate is qs.update_or_create(defaults=None, create_defaults=None,
// **lookups): (row, created).
func qsUpdateOrCreate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	dicts, lookups, err := lookupsOf(b, args, kwargs, "defaults", "create_defaults")
	if err != nil {
		return nil, err
	}
	creating := dicts["create_defaults"]
	if creating == nil {
		creating = dicts["defaults"]
	}
	if err := qs.forRows(b.Name()); err != nil {
		return nil, err
	}
	fields, err := qs.fieldsOf(lookups, creating)
	if err != nil {
		return nil, err
	}
	w, err := qs.writer()
	if err != nil {
		return nil, err
	}
	var out starlark.Value
	// No script runs in it, so it can be run again: writers that meet over the
	// same new row may deadlock (MySQL locks what an INSERT found there).
	_, err = qs.st.atomic(qs.db, block{retries: upsertRetries}, func() (starlark.Value, error) {
		locked := qs.clone()
		locked.lock = lockMode{on: true}
		v, created, err := locked.getOrCreate(b, lookups, fields)
		if err != nil {
			return nil, err
		}
		out = starlark.Tuple{v, starlark.Bool(created)}
		row := v.(*Row)
		if created || dicts["defaults"] == nil || dicts["defaults"].Len() == 0 {
			return starlark.None, nil
		}
		for _, item := range dicts["defaults"].Items() {
			name, ok := starlark.AsString(item[0])
			if !ok {
				return nil, fmt.Errorf("defaults: a key is a column's name, not a %s", item[0].Type())
			}
			if c, err := w.column(name); err != nil {
				return nil, err
			} else if err := w.belongs(c, item[1]); err != nil {
				return nil, err
			}
			if err := row.set(name, item[1]); err != nil {
				return nil, err
			}
		}
		return rowSave(row, b, nil, nil)
	})
	return out, err
}

// qsUpdate is qs.update(**fields): how many rows matched.
func qsUpdate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 || len(kwargs) == 0 {
		return nil, fmt.Errorf("update: takes keywords: update(column = value)")
	}
	s, err := qs.target(b.Name())
	if err != nil {
		return nil, err
	}
	w, err := qs.writer()
	if err != nil {
		return nil, err
	}
	w.named = qs.named
	var set []sqldb.Assignment
	for _, kv := range kwargs {
		c, err := w.column(string(kv[0].(starlark.String)))
		if err != nil {
			return nil, err
		}
		v, err := w.value(c, kv[1])
		if err != nil {
			return nil, err
		}
		e, ok := v.(sqldb.Expr)
		if !ok {
			e = &sqldb.Value{V: v, Of: c.Type}
		}
		if sqldb.HasAggregate(e) {
			return nil, FieldError.Errorf("update: %s: an aggregate is no value for a row", c.Name)
		}
		set = append(set, sqldb.Assignment{Column: c, Expr: e})
	}
	if qs.empty {
		return starlark.MakeInt(0), nil
	}
	stmt, err := w.compiler.Update(qs.ctx(), s, set)
	if err != nil {
		return nil, err
	}
	res, err := w.compiler.Runner.Exec(qs.ctx(), stmt)
	if err != nil {
		return nil, err
	}
	qs.st.wrote(qs.db, res.Affected)
	return starlark.MakeInt64(res.Affected), nil
}

// target is the query whose rows update and delete work on.
func (qs *QuerySet) target(name string) (*sqldb.Select, error) {
	switch {
	case qs.limit >= 0 || qs.offset > 0:
		return nil, engine.ValueError.Errorf("%s: cannot follow a limit: filter by pk__in = %s.limit(n)", name, "queryset")
	case qs.shape != rowShape:
		return nil, engine.ValueError.Errorf("%s: cannot follow values or values_list", name)
	case qs.distinct:
		return nil, engine.ValueError.Errorf("%s: cannot follow distinct", name)
	}
	if err := qs.complete(); err != nil {
		return nil, err
	}
	s := &sqldb.Select{Table: qs.table, Where: qs.where, Limit: -1}
	if qs.grouped {
		s.Group = qs.rowGroup()
	}
	return s, nil
}

// qsDelete is qs.delete(): (n, {table: n}).
func qsDelete(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	s, err := qs.target(b.Name())
	if err != nil {
		return nil, err
	}
	if qs.empty {
		return deleted(qs.table, 0)
	}
	c, err := qs.st.compiler(qs.db)
	if err != nil {
		return nil, err
	}
	stmt, err := c.Delete(qs.ctx(), s)
	if err != nil {
		return nil, err
	}
	if err := c.Runner.Grow(qs.ctx()); err != nil {
		return nil, err
	}
	res, err := c.Runner.Exec(qs.ctx(), stmt)
	if err != nil {
		return nil, err
	}
	qs.st.wrote(qs.db, res.Affected)
	return deleted(qs.table, res.Affected)
}

func deleted(t *sqldb.Table, n int64) (starlark.Value, error) {
	d := starlark.NewDict(1)
	if n > 0 {
		if err := d.SetKey(starlark.String(t.Name), starlark.MakeInt64(n)); err != nil {
			return nil, err
		}
	}
	return starlark.Tuple{starlark.MakeInt64(n), d}, nil
}

// columnsOf resolves a list of names.
func (w *writer) columnsOf(what string, v starlark.Value) ([]*sqldb.Column, error) {
	if v == starlark.None {
		return nil, nil
	}
	names, err := sequence(v)
	if err != nil {
		return nil, within(what, err)
	}
	var out []*sqldb.Column
	for _, n := range names {
		name, ok := starlark.AsString(n)
		if !ok {
			return nil, fmt.Errorf("%s: want names of columns, not a %s", what, n.Type())
		}
		c, err := w.column(name)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// fields lists a new row's fields: of a dict, or of a row.
func fields(v starlark.Value) ([]starlark.Tuple, error) {
	switch v := v.(type) {
	case starlark.IterableMapping:
		var out []starlark.Tuple
		for _, item := range v.Items() {
			if _, ok := item[0].(starlark.String); !ok {
				return nil, fmt.Errorf("bulk_create: a key is a column's name, not a %s", item[0].Type())
			}
			out = append(out, item)
		}
		return out, nil
	case *Row:
		var out []starlark.Tuple
		for i, c := range v.layout.columns {
			if c == nil || c.Generated {
				continue
			}
			x, err := v.cell(i)
			if err != nil {
				return nil, err
			}
			out = append(out, starlark.Tuple{starlark.String(c.Name), x})
		}
		return out, nil
	case starlark.HasAttrs: // struct(…)
		var out []starlark.Tuple
		for _, name := range v.AttrNames() {
			x, err := v.Attr(name)
			if err != nil {
				return nil, err
			}
			out = append(out, starlark.Tuple{starlark.String(name), x})
		}
		return out, nil
	}
	return nil, fmt.Errorf("bulk_create: a row is a dict, not a %s", v.Type())
}

// qsBulkCreate is qs.bulk_create(rows, batch_size=None, ignore_conflicts=False,
// update_conflicts=False, update_fields=None, unique_fields=None): rows are
// dicts; it returns the keys of the new rows in their order, or None where the
// database does not tell them.
func qsBulkCreate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var rows, batch, update, unique starlark.Value = nil, starlark.None, starlark.None, starlark.None
	var ignore, upsert bool
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "rows", &rows, "batch_size?", &batch, "ignore_conflicts?", &ignore,
		"update_conflicts?", &upsert, "update_fields?", &update, "unique_fields?", &unique); err != nil {
		return nil, err
	}
	size, err := batchSize(b.Name(), batch)
	if err != nil {
		return nil, err
	}
	w, err := qs.writer()
	if err != nil {
		return nil, err
	}
	in := sqldb.Insert{Table: qs.table, IgnoreConflicts: ignore, Batch: size}
	if in.Update, err = w.columnsOf("update_fields", update); err != nil {
		return nil, err
	}
	if in.Unique, err = w.columnsOf("unique_fields", unique); err != nil {
		return nil, err
	}
	switch {
	case ignore && upsert:
		return nil, engine.ValueError.Errorf("bulk_create: ignore_conflicts and update_conflicts exclude each other")
	case upsert && len(in.Update) == 0:
		return nil, engine.ValueError.Errorf("bulk_create: update_conflicts needs update_fields")
	case upsert && len(in.Unique) == 0 && w.vendor != "mysql":
		return nil, engine.ValueError.Errorf("bulk_create: update_conflicts needs unique_fields")
	case !upsert && len(in.Update)+len(in.Unique) > 0:
		return nil, engine.ValueError.Errorf("bulk_create: update_fields and unique_fields go with update_conflicts = True")
	case len(in.Unique) > 0 && !qs.table.HasUnique(sqldb.ColumnNames(in.Unique)):
		return nil, FieldError.Errorf("bulk_create: no unique constraint of %s stands on unique_fields (%s)%s", qs.table.Name, strings.Join(sqldb.ColumnNames(in.Unique), ", "), uniqueOf(qs.table))
	}
	items, err := qs.st.iterated(rows)
	if err != nil {
		return nil, err
	}
	groups, err := w.groups(items)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return starlark.NewList(nil), nil
	}
	var keys []any
	_, err = qs.st.atomic(qs.db, block{}, func() (starlark.Value, error) {
		c, err := qs.st.compiler(qs.db)
		if err != nil {
			return nil, err
		}
		if err := c.Runner.Grow(qs.ctx()); err != nil {
			return nil, err
		}
		for _, g := range groups {
			in := in
			in.Columns, in.Rows = g.columns, g.rows
			insert := c.InsertRows
			switch {
			case len(g.columns) > 0:
			case w.vendor != "postgresql" && len(qs.table.PK) == 1 && qs.table.PK[0].Auto:
				// A key of NULL is numbered, like one that is left out.
				in.Columns, in.Rows = qs.table.PK, slices.Repeat([][]any{{nil}}, len(g.rows))
			default:
				insert = insertDefaults(c)
			}
			got, err := insert(qs.ctx(), in)
			if err != nil {
				return nil, err
			}
			keys = append(keys, got...)
			qs.st.wrote(qs.db, int64(len(g.rows)))
		}
		return starlark.None, nil
	})
	if err != nil {
		return nil, err
	}
	if len(keys) != len(items) {
		return starlark.None, nil
	}
	out := make([]starlark.Value, len(keys))
	for i, k := range keys {
		if out[i], err = fromCell(k, qs.table.PK[0].Type); err != nil {
			return nil, err
		}
	}
	return starlark.NewList(out), nil
}

// uniqueOf lists the unique constraints of a table, as what may be chosen.
func uniqueOf(t *sqldb.Table) string {
	if len(t.Unique) == 0 {
		return ": it has none"
	}
	all := make([]string, len(t.Unique))
	for i, columns := range t.Unique {
		all[i] = "(" + strings.Join(columns, ", ") + ")"
	}
	return ". Choices are: " + strings.Join(all, ", ")
}

// insertDefaults inserts rows that give no column, one by one: SQL has no form
// for several of them.
func insertDefaults(c *sqldb.Compiler) func(context.Context, sqldb.Insert) ([]any, error) {
	return func(ctx context.Context, in sqldb.Insert) ([]any, error) {
		n := len(in.Rows)
		in.Rows = [][]any{nil}
		var keys []any
		for range n {
			chunk, err := c.InsertRow(ctx, in)
			if err != nil {
				return nil, err
			}
			if chunk != nil && len(in.Table.PK) == 1 && !in.IgnoreConflicts && len(in.Update) == 0 {
				keys = append(keys, chunk.Cell(0, in.Table.Index(in.Table.PK[0].Name)))
			}
		}
		return keys, nil
	}
}

func batchSize(name string, v starlark.Value) (int, error) {
	if v == starlark.None {
		return 0, nil
	}
	n, err := starlark.AsInt32(v)
	if err != nil || n <= 0 {
		return 0, engine.ValueError.Errorf("%s: batch_size must be a positive integer", name)
	}
	return n, nil
}

// iterated lists an iterable that may be an iterator of ours, whose error
// would else be met too late.
func (st *state) iterated(v starlark.Value) ([]starlark.Value, error) {
	items, err := sequence(v)
	if err != nil {
		return nil, err
	}
	return items, st.inv.IterationError()
}

// group is a run of new rows that give the same columns.
type group struct {
	columns []*sqldb.Column
	rows    [][]any
}

func (w *writer) groups(items []starlark.Value) ([]group, error) {
	var out []group
	var names []string
	for _, item := range items {
		kvs, err := fields(item)
		if err != nil {
			return nil, err
		}
		if kvs, err = w.unnumbered(kvs); err != nil {
			return nil, err
		}
		if kvs, err = w.belonging(kvs); err != nil {
			return nil, err
		}
		same := len(out) > 0 && len(kvs) == len(names)
		for i := 0; same && i < len(kvs); i++ {
			same = string(kvs[i][0].(starlark.String)) == names[i]
		}
		if !same {
			names = names[:0:0]
			var g group
			for _, kv := range kvs {
				name := string(kv[0].(starlark.String))
				c, err := w.column(name)
				if err != nil {
					return nil, err
				}
				if slices.Contains(g.columns, c) {
					return nil, FieldError.Errorf("column %s is given twice", c.Name)
				}
				names = append(names, name)
				g.columns = append(g.columns, c)
			}
			out = append(out, g)
		}
		g := &out[len(out)-1]
		row := make([]any, len(kvs))
		for i, kv := range kvs {
			if row[i], err = w.plain("bulk_create", g.columns[i], kv[1]); err != nil {
				return nil, err
			}
		}
		g.rows = append(g.rows, row)
	}
	return out, nil
}

// plain converts a value that must be a constant.
func (w *writer) plain(name string, c *sqldb.Column, v starlark.Value) (any, error) {
	x, err := w.value(c, v)
	if err != nil {
		return nil, err
	}
	if _, ok := x.(sqldb.Expr); ok {
		if now, ok := x.(*sqldb.Call); ok && now.Name == "now" {
			return now.Args[0].(*sqldb.Value).V, nil
		}
		return nil, FieldError.Errorf("%s: %s: an expression is for update and save", name, c.Name)
	}
	return x, nil
}

// qsBulkUpdate is qs.bulk_update(rows, fields, batch_size=None): writes these
// columns of rows that were read, and returns how many matched.
func qsBulkUpdate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var rows, names, batch starlark.Value = nil, nil, starlark.None
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "rows", &rows, "fields", &names, "batch_size?", &batch); err != nil {
		return nil, err
	}
	size, err := batchSize(b.Name(), batch)
	if err != nil {
		return nil, err
	}
	w, err := qs.writer()
	if err != nil {
		return nil, err
	}
	columns, err := w.columnsOf("fields", names)
	if err != nil {
		return nil, err
	}
	key, err := qs.table.Key()
	if err != nil {
		return nil, err
	}
	switch {
	case len(columns) == 0:
		return nil, engine.ValueError.Errorf("bulk_update: field names must be given")
	case slices.Contains(columns, key):
		return nil, engine.ValueError.Errorf("bulk_update: cannot be used with the primary key")
	}
	items, err := qs.st.iterated(rows)
	if err != nil {
		return nil, err
	}
	values := make([][]any, len(items))
	flat := make([]any, len(items)*(len(columns)+1))
	for i, item := range items {
		row, ok := item.(*Row)
		if !ok || row.layout.db != qs.db || !row.layout.table.Same(qs.table) {
			return nil, engine.ValueError.Errorf("bulk_update: item %d is no row of %s", i, qs.table.Name)
		}
		one := flat[i*(len(columns)+1) : (i+1)*(len(columns)+1)]
		for j, c := range columns {
			v, _, err := row.Get(starlark.String(c.Name))
			if err != nil {
				return nil, err
			}
			if one[j], err = w.plain("bulk_update", c, v); err != nil {
				return nil, err
			}
		}
		k, err := row.keyValues()
		if err != nil {
			return nil, err
		}
		one[len(columns)] = k[0]
		values[i] = one
	}
	if len(items) == 0 {
		return starlark.MakeInt(0), nil
	}
	var n int64
	_, err = qs.st.atomic(qs.db, block{}, func() (starlark.Value, error) {
		c, err := qs.st.compiler(qs.db)
		if err != nil {
			return nil, err
		}
		if err := c.Runner.Grow(qs.ctx()); err != nil {
			return nil, err
		}
		if n, err = c.BulkUpdate(qs.ctx(), qs.table, columns, values, size); err == nil {
			qs.st.wrote(qs.db, n)
		}
		return starlark.None, err
	})
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		row := item.(*Row)
		if row.more == nil || row.frozen {
			continue
		}
		var written []int
		for i, c := range row.layout.columns {
			if c != nil && slices.ContainsFunc(columns, func(o *sqldb.Column) bool { return o.Name == c.Name }) {
				written = append(written, i)
			}
		}
		row.wrote(written)
	}
	return starlark.MakeInt64(n), nil
}
