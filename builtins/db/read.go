package db

// Reading: fetching once, get and its kin, aggregates, and looking at the SQL.

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// listChunk is how many rows a chunk of a list holds: enough that its cost per
// row vanishes.
const listChunk = 1000

// read runs a query and returns all of its rows.
func (st *state) read(db *sqldb.Database, s *sqldb.Select) ([]*sqldb.Chunk, error) {
	if s.Empty {
		return nil, nil
	}
	if s.Lock && !st.inside(db) {
		return nil, DatabaseError.Errorf("select_for_update works only inside db.atomic: the lock would be gone at once")
	}
	c, err := st.compiler(db)
	if err != nil {
		return nil, err
	}
	stmt, err := c.Select(st.ctx(), s)
	if err != nil {
		return nil, err
	}
	return c.Runner.ReadRows(st.ctx(), stmt, listChunk)
}

// rowsOf makes the rows of a chunk.
func (l *rowLayout) rowsOf(c *sqldb.Chunk) []Row {
	rows := make([]Row, c.N)
	for i := range rows {
		rows[i] = Row{layout: l, chunk: c, i: int32(i)}
	}
	return rows
}

// items makes what a script sees of a chunk's rows.
func (l layout) items(c *sqldb.Chunk, s shape) ([]starlark.Value, error) {
	out := make([]starlark.Value, c.N)
	if l.rows != nil {
		rows := l.rows.rowsOf(c)
		for i := range rows {
			out[i] = &rows[i]
		}
		return out, nil
	}
	for i := range out {
		v, err := l.picked(c, i, s)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// picked makes a dict, a tuple or a value of a row of values.
func (l layout) picked(c *sqldb.Chunk, i int, s shape) (starlark.Value, error) {
	cell := func(j int) (starlark.Value, error) {
		v, err := fromCell(c.Cell(i, j), l.outs[j].Expr.Type())
		if err != nil {
			return nil, within(l.outs[j].Name, err)
		}
		return v, nil
	}
	switch s {
	case flatShape:
		return cell(0)
	case tupleShape:
		t := make(starlark.Tuple, len(l.outs))
		for j := range t {
			v, err := cell(j)
			if err != nil {
				return nil, err
			}
			t[j] = v
		}
		return t, nil
	}
	d := starlark.NewDict(len(l.outs))
	for j, o := range l.outs {
		v, err := cell(j)
		if err != nil {
			return nil, err
		}
		if err := d.SetKey(starlark.String(o.Name), v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// list runs the query, without keeping its rows.
func (qs *QuerySet) list() ([]starlark.Value, error) {
	if qs.empty {
		return nil, nil
	}
	s, l, err := qs.build()
	if err != nil {
		return nil, err
	}
	chunks, err := qs.st.read(qs.db, s)
	if err != nil {
		return nil, err
	}
	var out []starlark.Value
	for _, c := range chunks {
		items, err := l.items(c, qs.shape)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = items
		} else {
			out = append(out, items...)
		}
	}
	return out, nil
}

// fetch runs the query once and keeps its rows.
func (qs *QuerySet) fetch() ([]starlark.Value, error) {
	if !qs.fetched {
		items, err := qs.list()
		if err != nil {
			return nil, translate(err)
		}
		qs.items, qs.fetched = items, true
	}
	return qs.items, nil
}

// mustFetch is fetch for methods that cannot return an error: the run is told
// instead, and stops.
func (qs *QuerySet) mustFetch() []starlark.Value {
	if qs.st.inv.IterationError() != nil {
		return nil
	}
	items, err := qs.fetch()
	if err != nil {
		qs.st.inv.FailIteration(qs.thread, err)
		return nil
	}
	return items
}

// Len fetches the rows and counts them.
func (qs *QuerySet) Len() int { return len(qs.mustFetch()) }

// Truth fetches the rows and says whether there are any.
func (qs *QuerySet) Truth() starlark.Bool { return len(qs.mustFetch()) > 0 }

// Iterate fetches the rows once and walks them.
func (qs *QuerySet) Iterate() starlark.Iterator {
	return &sliceIterator{items: qs.mustFetch()}
}

type sliceIterator struct{ items []starlark.Value }

func (it *sliceIterator) Next(p *starlark.Value) bool {
	if len(it.items) == 0 {
		return false
	}
	*p = it.items[0]
	it.items = it.items[1:]
	return true
}
func (it *sliceIterator) Done() {}

// Index and Slice make qs[a:b] an error of ours: the language asks for the
// length first, so it cannot become LIMIT.
func (qs *QuerySet) Index(i int) starlark.Value {
	items := qs.mustFetch()
	if i < 0 || i >= len(items) {
		return starlark.None
	}
	return items[i]
}

// Slice is qs[a:b], which is refused.
func (qs *QuerySet) Slice(start, end, _ int) starlark.Value {
	qs.st.inv.FailIteration(qs.thread, engine.ValueError.Errorf("a QuerySet is not sliced: write .limit(%d, offset = %d), which asks the database for those rows only", max(end-start, 0), start))
	return starlark.None
}

// Get is qs[i]: that row alone.
func (qs *QuerySet) Get(k starlark.Value) (starlark.Value, bool, error) {
	n, ok := k.(starlark.Int)
	if !ok {
		return nil, false, fmt.Errorf("QuerySet index: got %s, want int", k.Type())
	}
	i, ok := n.Int64()
	if !ok || i < 0 {
		return nil, false, engine.ValueError.Errorf("a negative index of a QuerySet is not supported: write .reverse() or .last()")
	}
	if qs.fetched {
		if i >= int64(len(qs.items)) {
			return nil, false, fmt.Errorf("QuerySet index %d out of range: there are %d rows", i, len(qs.items))
		}
		return qs.items[i], true, nil
	}
	one := qs.slice(1, i)
	items, err := one.list()
	if err != nil {
		return nil, false, translate(err)
	}
	if len(items) == 0 {
		return nil, false, fmt.Errorf("QuerySet index %d out of range", i)
	}
	return items[0], true, nil
}

// Has is x in qs.
func (qs *QuerySet) Has(x starlark.Value) (bool, error) {
	items, err := qs.fetch()
	if err != nil {
		return false, err
	}
	for _, item := range items {
		same, err := starlark.Equal(item, x)
		if err != nil {
			return false, err
		}
		if same {
			return true, nil
		}
	}
	return false, nil
}

func noArgs(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) error {
	return starlark.UnpackArgs(b.Name(), args, kwargs)
}

// qsGet is qs.get(*conditions, **lookups): the only row.
func qsGet(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	c := qs
	var err error
	if len(args)+len(kwargs) > 0 {
		if c, err = qs.restrict(b.Name(), false, args, kwargs); err != nil {
			return nil, err
		}
	}
	const most = 21 // Django's MAX_GET_RESULTS
	items, err := c.slice(most, 0).list()
	if err != nil {
		return nil, err
	}
	switch n := len(items); {
	case n == 0:
		return nil, DoesNotExist.Errorf("%s matching query does not exist%s", qs.table.Name, described(kwargs))
	case n == most:
		return nil, MultipleObjectsReturned.Errorf("get() returned more than one %s -- it returned more than 20%s", qs.table.Name, described(kwargs))
	case n > 1:
		return nil, MultipleObjectsReturned.Errorf("get() returned more than one %s -- it returned %d%s", qs.table.Name, n, described(kwargs))
	}
	return items[0], nil
}

// described writes lookups behind a message, so that a log says which row.
func described(kwargs []starlark.Tuple) string {
	if len(kwargs) == 0 {
		return ""
	}
	parts := make([]string, len(kwargs))
	for i, kv := range kwargs {
		parts[i] = string(kv[0].(starlark.String)) + " = " + short(kv[1])
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func firstOf(items []starlark.Value, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return starlark.None, nil
	}
	return items[0], nil
}

// qsFirst is qs.first(): the first row by the order, or by the key; or None.
func qsFirst(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	c, err := qs.ordered()
	if err != nil {
		if len(qs.table.PK) > 0 {
			return nil, err
		}
		c = qs // a view has no key: any row
	}
	return firstOf(c.slice(1, 0).list())
}

// qsLast is qs.last().
func qsLast(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	if qs.limit >= 0 || qs.offset > 0 {
		items, err := qs.list()
		slices.Reverse(items)
		return firstOf(items, err)
	}
	c, err := qs.reversed()
	if err != nil {
		return nil, err
	}
	return firstOf(c.slice(1, 0).list())
}

// qsEarliest is qs.earliest(*names).
func qsEarliest(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return qs.extreme(b, args, kwargs, false)
}

// qsLatest is qs.latest(*names).
func qsLatest(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return qs.extreme(b, args, kwargs, true)
}

func (qs *QuerySet) extreme(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple, last bool) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("%s: name the columns to order by", b.Name())
	}
	v, err := qsOrderBy(qs, b, args, kwargs)
	if err != nil {
		return nil, err
	}
	c := v.(*QuerySet)
	if last {
		if c, err = c.reversed(); err != nil {
			return nil, err
		}
	}
	items, err := c.slice(1, 0).list()
	if err == nil && len(items) == 0 {
		return nil, DoesNotExist.Errorf("%s matching query does not exist", qs.table.Name)
	}
	return firstOf(items, err)
}

// qsCount is qs.count().
func qsCount(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	n, err := qs.count()
	if err != nil {
		return nil, err
	}
	return starlark.MakeInt64(n), nil
}

func (qs *QuerySet) count() (int64, error) {
	if qs.fetched {
		return int64(len(qs.items)), nil
	}
	if qs.empty {
		return 0, nil
	}
	if err := qs.complete(); err != nil {
		return 0, err
	}
	s, _, err := qs.build()
	if err != nil {
		return 0, err
	}
	c, err := qs.st.compiler(qs.db)
	if err != nil {
		return 0, err
	}
	stmt, err := c.Count(qs.ctx(), s)
	if err != nil {
		return 0, err
	}
	chunks, err := c.Runner.ReadAll(qs.ctx(), stmt)
	if err != nil {
		return 0, err
	}
	row, err := onlyRow(chunks)
	if err != nil {
		return 0, err
	}
	v, err := fromCell(row.Cell(0, 0), sqldb.ColumnType{Kind: sqldb.Int})
	if err != nil {
		return 0, err
	}
	n, _ := v.(starlark.Int).Int64()
	return n, nil
}

// qsExists is qs.exists().
func qsExists(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	if qs.fetched {
		return starlark.Bool(len(qs.items) > 0), nil
	}
	if qs.empty {
		return starlark.False, nil
	}
	if err := qs.complete(); err != nil {
		return nil, err
	}
	s, _, err := qs.build()
	if err != nil {
		return nil, err
	}
	c, err := qs.st.compiler(qs.db)
	if err != nil {
		return nil, err
	}
	stmt, err := c.Exists(qs.ctx(), s)
	if err != nil {
		return nil, err
	}
	chunks, err := c.Runner.ReadAll(qs.ctx(), stmt)
	if err != nil {
		return nil, err
	}
	return starlark.Bool(len(chunks) > 0), nil
}

// qsInBulk is qs.in_bulk(id_list=None, field_name="pk"): rows by key.
func qsInBulk(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var ids starlark.Value = starlark.None
	field := "pk"
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "id_list?", &ids, "field_name?", &field); err != nil {
		return nil, err
	}
	if qs.shape != rowShape {
		return nil, fmt.Errorf("in_bulk: cannot follow values or values_list")
	}
	c := qs
	if field == "pk" {
		key, err := qs.table.Key()
		if err != nil {
			return nil, err
		}
		field = key.Name
	}
	if qs.table.Column(field) == nil || !qs.table.HasUnique([]string{field}) {
		return nil, engine.ValueError.Errorf("in_bulk: field_name must be a unique column, and %q is none", field)
	}
	if ids != starlark.None {
		var err error
		if c, err = qs.restrict(b.Name(), false, nil, []starlark.Tuple{{starlark.String(field + "__in"), ids}}); err != nil {
			return nil, err
		}
	}
	items, err := c.list()
	if err != nil {
		return nil, err
	}
	d := starlark.NewDict(len(items))
	for _, item := range items {
		k, _, err := item.(*Row).Get(starlark.String(field))
		if err != nil {
			return nil, err
		}
		if err := d.SetKey(k, item); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// qsAggregate is qs.aggregate(*aggregates, **aggregates): a dict.
func qsAggregate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := qs.complete(); err != nil {
		return nil, err
	}
	src := qs
	var s *sqldb.Select
	if qs.limit >= 0 || qs.offset > 0 || qs.distinct || qs.grouped {
		// Over what the query gives, not over the table.
		inner, _, err := qs.build()
		if err != nil {
			return nil, err
		}
		q := *inner
		q.Lock = false
		if q.Limit < 0 && q.Offset == 0 {
			q.Order = nil
		}
		src = &QuerySet{st: qs.st, db: qs.db, thread: qs.thread, table: sqldb.Derived(&q), limit: -1}
		s = &sqldb.Select{Table: src.table, Limit: -1}
	} else {
		s = &sqldb.Select{Table: qs.table, Where: qs.where, Limit: -1}
	}
	outs, err := src.expressions(b.Name(), args, kwargs)
	if err != nil {
		return nil, err
	}
	d := starlark.NewDict(len(outs))
	for _, o := range outs {
		if !sqldb.HasAggregate(o.Expr) {
			return nil, fmt.Errorf("aggregate: %s is no aggregate such as Count or Sum", o.Name)
		}
		if qs.empty {
			var v starlark.Value = starlark.None
			if a, ok := o.Expr.(*sqldb.Agg); ok && a.Name == "count" {
				v = starlark.MakeInt(0)
			}
			if err := d.SetKey(starlark.String(o.Name), v); err != nil {
				return nil, err
			}
		}
	}
	if qs.empty || len(outs) == 0 {
		return d, nil
	}
	s.Outs = outs
	chunks, err := qs.st.read(qs.db, s)
	if err != nil {
		return nil, err
	}
	row, err := onlyRow(chunks)
	if err != nil {
		return nil, err
	}
	return layout{outs: outs}.picked(row, 0, dictShape)
}

// onlyRow is the chunk whose first row is the one that a query without groups
// gives.
func onlyRow(chunks []*sqldb.Chunk) (*sqldb.Chunk, error) {
	if len(chunks) == 0 {
		return nil, DatabaseError.Errorf("the database gave no row where one was due")
	}
	return chunks[0], nil
}

// qsSQL is qs.sql(): the statement's text. Its values are not in it.
func qsSQL(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	stmt, err := qs.statement()
	if err != nil {
		return nil, err
	}
	return starlark.String(stmt.SQL), nil
}

func (qs *QuerySet) statement() (sqldb.Statement, error) {
	s, _, err := qs.build()
	if err != nil {
		return sqldb.Statement{}, err
	}
	c, err := qs.st.compiler(qs.db)
	if err != nil {
		return sqldb.Statement{}, err
	}
	return c.Select(qs.ctx(), s)
}

// qsExplain is qs.explain(): the database's plan, as text.
func qsExplain(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	stmt, err := qs.statement()
	if err != nil {
		return nil, err
	}
	d, err := qs.db.Dialect(qs.ctx())
	if err != nil {
		return nil, err
	}
	prefix, skip := "EXPLAIN ", 0
	if d.Vendor() == "sqlite" {
		prefix, skip = "EXPLAIN QUERY PLAN ", 3 // id, parent, notused
	}
	stmt.SQL, stmt.Once = prefix+stmt.SQL, true
	chunks, err := qs.runner().ReadAll(qs.ctx(), stmt)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, c := range chunks {
		for i := range c.N {
			var cells []string
			for j := skip; j < c.Width; j++ {
				if v := c.Cell(i, j); v != nil {
					cells = append(cells, cellText(v))
				}
			}
			lines = append(lines, strings.Join(cells, " "))
		}
	}
	return starlark.String(strings.Join(lines, "\n")), nil
}

// qsColumns is qs.columns(): the table's columns, as dicts.
func qsColumns(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := noArgs(b, args, kwargs); err != nil {
		return nil, err
	}
	forward, _, err := qs.runner().Keys(qs.ctx(), qs.table)
	if err != nil {
		return nil, err
	}
	items := make([]starlark.Value, len(qs.table.Columns))
	for i, c := range qs.table.Columns {
		var references starlark.Value = starlark.None
		for _, k := range forward {
			if k.Column == c {
				references = starlark.String(k.Parent.Name + "." + k.ParentColumn.Name)
			}
		}
		d := starlark.NewDict(6)
		for _, kv := range []struct {
			name string
			v    starlark.Value
		}{
			{"name", starlark.String(c.Name)},
			{"type", starlark.String(c.Type.Kind.String())},
			{"declared", starlark.String(c.Type.SQL)},
			{"null", starlark.Bool(c.Null)},
			{"primary_key", starlark.Bool(slices.Contains(qs.table.PK, c))},
			{"unique", starlark.Bool(qs.table.HasUnique([]string{c.Name}))},
			{"references", references},
		} {
			if err := d.SetKey(starlark.String(kv.name), kv.v); err != nil {
				return nil, err
			}
		}
		items[i] = d
	}
	return starlark.NewList(items), nil
}
