package db

// QuerySet: what it holds, how a new one is made of it, how its Select is
// built. Reading, streaming and writing are in files of their own.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// errOtherRun is a QuerySet in the hands of a run that did not make it.
var errOtherRun = errors.New("this QuerySet was made by another run of a command: each run makes its own")

// QuerySet is a query that a script builds. It is immutable, but for the rows
// that it keeps once it has fetched them.
type QuerySet struct {
	st     *state
	db     *sqldb.Database
	table  *sqldb.Table
	thread *starlark.Thread // that of the run, for iterators' errors

	where    sqldb.And
	of       *relation // whose rows they are, of the children of a row
	order    []sqldb.Order
	ordering starlark.Tuple // what order_by was given
	limit    int64          // -1: none
	offset   int64
	distinct bool
	empty    bool
	only     []string
	related  []string
	lock     lockMode

	annotations []sqldb.Out
	named       map[string]sqldb.Expr // annotations by name
	// fields are what values or values_list asked for; nil for rows.
	fields []sqldb.Out
	// picked counts the first fields, which values named: annotate added the others.
	picked int
	shape  shape
	// group are the fields to group by: those that values had picked before
	// the last aggregate; nil for the rows themselves.
	group []sqldb.Expr
	// grouped: an aggregate was annotated.
	grouped bool

	uses    int            // filter calls over keys to children
	usePath map[string]int // the last of them that joins, by path

	fetched bool
	items   []starlark.Value
}

// shape is what a QuerySet gives.
type shape uint8

const (
	rowShape shape = iota
	dictShape
	tupleShape
	flatShape
)

// relation is what the rows of a related QuerySet have in common, and new ones
// get: their foreign key's value.
type relation struct {
	column *sqldb.Column
	value  starlark.Value
}

type lockMode struct{ on, nowait, skip bool }

var (
	_ starlark.Sequence  = (*QuerySet)(nil)
	_ starlark.HasAttrs  = (*QuerySet)(nil)
	_ starlark.Mapping   = (*QuerySet)(nil)
	_ starlark.Container = (*QuerySet)(nil)
	_ starlark.Sliceable = (*QuerySet)(nil)
)

func newQuerySet(st *state, db *sqldb.Database, t *sqldb.Table, thread *starlark.Thread) *QuerySet {
	return &QuerySet{st: st, db: db, table: t, thread: thread, limit: -1}
}

// clone returns a QuerySet to change: slices and maps are not shared, and
// nothing is fetched.
func (qs *QuerySet) clone() *QuerySet {
	c := *qs
	c.where = slices.Clip(c.where)
	c.order = slices.Clip(c.order)
	c.annotations = slices.Clip(c.annotations)
	c.fields = slices.Clip(c.fields)
	c.group = slices.Clip(c.group)
	c.fetched, c.items = false, nil
	return &c
}

// String names the query; it asks nothing of the database.
func (qs *QuerySet) String() string { return "<QuerySet of " + qs.table.Name + ">" }

// Type is "QuerySet".
func (qs *QuerySet) Type() string          { return "QuerySet" }
func (qs *QuerySet) Freeze()               {}
func (qs *QuerySet) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: QuerySet") }

// AttrNames lists the methods.
func (qs *QuerySet) AttrNames() []string { return slices.Clone(qs.st.m.names) }

// Attr gives a method.
func (qs *QuerySet) Attr(name string) (starlark.Value, error) {
	if b := qs.st.m.methods[name]; b != nil {
		return b.BindReceiver(qs), nil
	}
	return nil, nil
}

// method is a QuerySet's: called with the QuerySet, in its own run.
type method func(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

func querysetMethods() map[string]*starlark.Builtin {
	table := map[string]method{
		"filter": qsFilter, "exclude": qsExclude, "all": qsAll, "none": qsNone, "order_by": qsOrderBy, "reverse": qsReverse,
		"distinct": qsDistinct, "only": qsOnly, "limit": qsLimit, "select_related": qsSelectRelated, "select_for_update": qsSelectForUpdate,
		"get": qsGet, "first": qsFirst, "last": qsLast, "earliest": qsEarliest, "latest": qsLatest, "count": qsCount, "exists": qsExists,
		"in_bulk": qsInBulk, "values": qsValues, "values_list": qsValuesList, "aggregate": qsAggregate, "annotate": qsAnnotate,
		"iterator": qsIterator, "create": qsCreate, "get_or_create": qsGetOrCreate, "update_or_create": qsUpdateOrCreate,
		"bulk_create": qsBulkCreate, "bulk_update": qsBulkUpdate, "update": qsUpdate, "delete": qsDelete,
		"sql": qsSQL, "explain": qsExplain, "columns": qsColumns,
	}
	out := make(map[string]*starlark.Builtin, len(table))
	for name, fn := range table {
		out[name] = engine.Builtin(name, func(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			qs := b.Receiver().(*QuerySet)
			if qs.st.inv != inv {
				return nil, errOtherRun
			}
			v, err := fn(qs, b, args, kwargs)
			if err != nil {
				return nil, translate(err)
			}
			return v, nil
		})
	}
	return out
}

func (qs *QuerySet) ctx() context.Context { return qs.st.ctx() }

func (qs *QuerySet) runner() sqldb.Runner { return qs.st.runner(qs.db) }

// resolver resolves names against the query's table. use joins to children as
// one filter call does; nil uses those that are there, the last of them.
func (qs *QuerySet) resolver(use func(path string, negated bool) int) (*resolver, error) {
	zone, err := qs.st.location()
	if err != nil {
		return nil, err
	}
	if use == nil {
		use = func(path string, _ bool) int { return qs.usePath[path] }
	}
	return &resolver{
		ctx: qs.ctx(), runner: qs.runner(), table: qs.table, zone: zone, annotations: qs.named, use: use, state: qs.st,
		now: func() any { return qs.st.inv.Now() },
	}, nil
}

// where adds conditions: those of one filter or exclude call.
func (qs *QuerySet) restrict(name string, negated bool, args starlark.Tuple, kwargs []starlark.Tuple) (*QuerySet, error) {
	if qs.limit >= 0 || qs.offset > 0 {
		return nil, engine.ValueError.Errorf("%s: cannot filter a query once a limit has been taken", name)
	}
	c := qs.clone()
	used := false
	r, err := qs.resolver(func(path string, negated bool) int {
		if !used {
			used = true
			c.uses++
			c.usePath = maps.Clone(c.usePath)
			if c.usePath == nil {
				c.usePath = map[string]int{}
			}
		}
		if !negated { // nothing is joined there
			c.usePath[path] = c.uses
		}
		return c.uses
	})
	if err != nil {
		return nil, err
	}
	q, err := qOf(name, args, kwargs)
	if err != nil {
		return nil, err
	}
	if emptyQ(q) {
		return c, nil
	}
	q.negated = negated
	cond, err := r.condition(q)
	if err != nil {
		return nil, err
	}
	if c.uses > qs.uses && len(c.ordering) > 0 {
		// The order is that of the children which are joined in the end.
		order, err := c.orders(c.ordering)
		if err != nil {
			return nil, err
		}
		for i := range order {
			order[i].Desc = c.order[i].Desc
		}
		c.order = order
	}
	switch folded := sqldb.Fold(cond).(type) {
	case sqldb.Const:
		c.empty = c.empty || !bool(folded)
	case sqldb.And:
		c.where = append(c.where, folded...)
	default:
		c.where = append(c.where, folded)
	}
	return c, nil
}

// qsFilter is qs.filter(*conditions, **lookups).
func qsFilter(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return value(qs.restrict(b.Name(), false, args, kwargs))
}

// qsExclude is qs.exclude(*conditions, **lookups).
func qsExclude(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return value(qs.restrict(b.Name(), true, args, kwargs))
}

// value keeps a nil *QuerySet from becoming a Value that is not nil.
func value[T starlark.Value](v T, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// qsAll is qs.all().
func qsAll(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return qs.clone(), nil
}

// qsNone is qs.none(): no rows, and no query.
func qsNone(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	c := qs.clone()
	c.empty = true
	return c, nil
}

// names unpacks positional strings.
func stringArgs(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) ([]string, error) {
	if len(kwargs) > 0 {
		return nil, fmt.Errorf("%s: unexpected keyword argument %s", b.Name(), kwargs[0][0])
	}
	out := make([]string, len(args))
	for i, a := range args {
		s, ok := starlark.AsString(a)
		if !ok {
			return nil, fmt.Errorf("%s: argument %d is a %s, want a column's name", b.Name(), i+1, a.Type())
		}
		out[i] = s
	}
	return out, nil
}

// qsOrderBy is qs.order_by(*names): "-" before a name turns the order round,
// "?" is a random one.
func qsOrderBy(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, fmt.Errorf("%s: unexpected keyword argument %s", b.Name(), kwargs[0][0])
	}
	if qs.limit >= 0 || qs.offset > 0 {
		return nil, engine.ValueError.Errorf("%s: cannot reorder a query once a limit has been taken", b.Name())
	}
	c := qs.clone()
	var err error
	c.order, err = qs.orders(args)
	c.ordering = args
	return c, err
}

func (qs *QuerySet) orders(args starlark.Tuple) ([]sqldb.Order, error) {
	r, err := qs.resolver(nil)
	if err != nil {
		return nil, err
	}
	var out []sqldb.Order
	for _, a := range args {
		if e, ok := a.(expression); ok {
			x, err := e.resolve(r)
			if err != nil {
				return nil, err
			}
			out = append(out, sqldb.Order{Expr: x})
			continue
		}
		name, ok := starlark.AsString(a)
		if !ok {
			return nil, fmt.Errorf("order_by: want names or expressions, not a %s", a.Type())
		}
		if name == "?" {
			out = append(out, sqldb.Order{})
			continue
		}
		name, desc := strings.CutPrefix(name, "-")
		e, err := r.field(name)
		if err != nil {
			return nil, err
		}
		// The expression of a field that values asked for is the field's own,
		// so that it is written once.
		for _, f := range qs.fields {
			if f.Name == name {
				e = f.Expr
			}
		}
		out = append(out, sqldb.Order{Expr: e, Desc: desc})
	}
	return out, nil
}

// qsReverse is qs.reverse().
func qsReverse(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	if qs.limit >= 0 || qs.offset > 0 {
		return nil, engine.ValueError.Errorf("reverse: cannot reverse a query once a limit has been taken")
	}
	return qs.reversed()
}

// reversed turns the order round; the key's, when there is none.
func (qs *QuerySet) reversed() (*QuerySet, error) {
	c, err := qs.ordered()
	if err != nil {
		return nil, err
	}
	c = c.clone()
	c.order = slices.Clone(c.order)
	for i := range c.order {
		c.order[i].Desc = !c.order[i].Desc
	}
	return c, nil
}

// ordered is the query with an order: by the key, when it has none.
func (qs *QuerySet) ordered() (*QuerySet, error) {
	if len(qs.order) > 0 {
		return qs, nil
	}
	if qs.group != nil {
		c := qs.clone()
		for _, g := range qs.group {
			c.order = append(c.order, sqldb.Order{Expr: g})
		}
		return c, nil
	}
	key, err := qs.table.Key()
	if err != nil {
		if len(qs.table.PK) == 0 {
			return nil, err
		}
		c := qs.clone()
		for _, k := range qs.table.PK {
			c.order = append(c.order, sqldb.Order{Expr: &sqldb.Col{Column: k}})
		}
		return c, nil
	}
	c := qs.clone()
	c.order = []sqldb.Order{{Expr: &sqldb.Col{Column: key}}}
	return c, nil
}

// qsDistinct is qs.distinct().
func qsDistinct(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	c := qs.clone()
	c.distinct = true
	return c, nil
}

// qsOnly is qs.only(*columns): rows with these columns and the key. Others are
// fetched when they are touched.
func qsOnly(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	names, err := stringArgs(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	if qs.shape != rowShape {
		return nil, fmt.Errorf("only: cannot follow values or values_list")
	}
	r, err := qs.resolver(nil)
	if err != nil {
		return nil, err
	}
	c := qs.clone()
	c.only = nil
	for _, name := range names {
		e, err := r.field(name)
		if err != nil {
			return nil, err
		}
		col, ok := e.(*sqldb.Col)
		if !ok || len(col.Hops) > 0 || len(col.Path) > 0 || col.Part != "" {
			return nil, FieldError.Errorf("only takes columns of %s, not %q", qs.table.Name, name)
		}
		if !slices.Contains(c.only, col.Column.Name) {
			c.only = append(c.only, col.Column.Name)
		}
	}
	return c, nil
}

// qsLimit is qs.limit(n, offset=0).
func qsLimit(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var n, offset int64
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "n", &n, "offset?", &offset); err != nil {
		return nil, err
	}
	if n < 0 || offset < 0 {
		return nil, engine.ValueError.Errorf("limit: a limit and an offset are not negative")
	}
	return qs.slice(n, offset), nil
}

// slice takes n rows from offset on, of those that the query gives.
func (qs *QuerySet) slice(n, offset int64) *QuerySet {
	c := qs.clone()
	if c.limit >= 0 {
		n = min(n, max(c.limit-offset, 0))
	}
	c.limit = n
	c.offset += offset
	if n == 0 {
		c.empty = true
	}
	return c
}

// qsSelectRelated is qs.select_related(*names): rows bring those that their
// foreign keys point to.
func qsSelectRelated(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	names, err := stringArgs(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	if qs.shape != rowShape {
		return nil, fmt.Errorf("select_related: cannot follow values or values_list")
	}
	c := qs.clone()
	c.related = slices.Clone(qs.related)
	for _, name := range names {
		if _, err := qs.relatedHops(name); err != nil {
			return nil, err
		}
		// The way there comes along: a__b brings a.
		parts := strings.Split(name, "__")
		for i := range parts {
			if path := strings.Join(parts[:i+1], "__"); !slices.Contains(c.related, path) {
				if _, err := qs.relatedHops(path); err == nil {
					c.related = append(c.related, path)
				}
			}
		}
	}
	return c, nil
}

// relatedHops follows foreign keys by their names.
func (qs *QuerySet) relatedHops(path string) ([]sqldb.Hop, error) {
	t := qs.table
	var hops []sqldb.Hop
	for rest, more := path, true; more; {
		forward, _, err := qs.runner().Keys(qs.ctx(), t)
		if err != nil {
			return nil, err
		}
		var key *sqldb.ForeignKey
		var names []string
		for _, k := range forward {
			name := k.ForwardName()
			names = append(names, name)
			if rest == name || strings.HasPrefix(rest, name+"__") {
				if key == nil || len(name) > len(key.ForwardName()) {
					key = k
				}
			}
		}
		if key == nil {
			if len(names) == 0 {
				names = []string{"(none)"}
			}
			return nil, FieldError.Errorf("select_related: %q is no foreign key of %s. Choices are: %s", rest, t.Name, strings.Join(names, ", "))
		}
		hops = append(hops, sqldb.Hop{Key: key})
		rest, more = strings.CutPrefix(strings.TrimPrefix(rest, key.ForwardName()), "__")
		t = key.Parent
	}
	return hops, nil
}

// qsSelectForUpdate is qs.select_for_update(nowait=False, skip_locked=False).
func qsSelectForUpdate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	l := lockMode{on: true}
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "nowait?", &l.nowait, "skip_locked?", &l.skip); err != nil {
		return nil, err
	}
	if l.nowait && l.skip {
		return nil, engine.ValueError.Errorf("select_for_update: nowait and skip_locked exclude each other")
	}
	c := qs.clone()
	c.lock = l
	return c, nil
}

// qsValues is qs.values(*names, **expressions): dicts. An annotate after it
// groups by them.
func qsValues(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return value(qs.pick(dictShape, args, kwargs))
}

// qsValuesList is qs.values_list(*names, flat=False): tuples, or single values.
func qsValuesList(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var flat bool
	if err := starlark.UnpackArgs(b.Name(), nil, kwargs, "flat?", &flat); err != nil {
		return nil, err
	}
	if !flat {
		return value(qs.pick(tupleShape, args, nil))
	}
	if len(args) != 1 {
		return nil, fmt.Errorf("values_list: flat takes exactly one name")
	}
	return value(qs.pick(flatShape, args, nil))
}

func (qs *QuerySet) pick(s shape, args starlark.Tuple, kwargs []starlark.Tuple) (*QuerySet, error) {
	r, err := qs.resolver(nil)
	if err != nil {
		return nil, err
	}
	r.aggregates = true
	c := qs.clone()
	c.shape, c.fields = s, nil
	c.named = maps.Clone(qs.named)
	add := func(name string, e sqldb.Expr) {
		c.fields = append(c.fields, sqldb.Out{Name: name, Expr: e})
	}
	// An expression is an annotation that is picked at once: it has a name for
	// what follows, and an aggregate groups.
	annotate := func(name string, e sqldb.Expr) {
		add(name, e)
		if c.named == nil {
			c.named = map[string]sqldb.Expr{}
		}
		c.named[name] = e
		if sqldb.HasAggregate(e) {
			if qs.shape != rowShape {
				c.group = plainExprs(qs.fields)
			}
			c.grouped = true
		}
	}
	for i, a := range args {
		if e, ok := a.(expression); ok {
			x, err := e.resolve(r)
			if err != nil {
				return nil, err
			}
			annotate(fmt.Sprintf("%s%d", strings.ToLower(e.Type()), i+1), x)
			continue
		}
		name, ok := starlark.AsString(a)
		if !ok {
			return nil, fmt.Errorf("values: want names or expressions, not a %s", a.Type())
		}
		e, err := r.field(name)
		if err != nil {
			return nil, err
		}
		add(name, e)
	}
	for _, kv := range kwargs {
		e, ok := kv[1].(expression)
		if !ok {
			return nil, fmt.Errorf("values: %s is a %s, want an expression", kv[0], kv[1].Type())
		}
		name := string(kv[0].(starlark.String))
		if err := qs.unused(name); err != nil {
			return nil, err
		}
		x, err := e.resolve(r)
		if err != nil {
			return nil, err
		}
		annotate(name, x)
	}
	c.picked = len(c.fields)
	if c.picked == 0 {
		c.fields = append(qs.table.Outs(), qs.annotations...)
	}
	return c, nil
}

// qsAnnotate is qs.annotate(*aggregates, **expressions).
func qsAnnotate(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if qs.limit >= 0 || qs.offset > 0 {
		return nil, engine.ValueError.Errorf("annotate: cannot follow a limit")
	}
	outs, err := qs.expressions(b.Name(), args, kwargs)
	if err != nil {
		return nil, err
	}
	c := qs.clone()
	c.named = maps.Clone(qs.named)
	if c.named == nil {
		c.named = map[string]sqldb.Expr{}
	}
	for _, o := range outs {
		if err := qs.unused(o.Name); err != nil {
			return nil, err
		}
		if old, again := c.named[o.Name]; again {
			// The last of a name wins.
			same := func(a sqldb.Out) bool { return a.Name == o.Name && a.Expr == old }
			c.annotations = slices.DeleteFunc(slices.Clone(c.annotations), same)
			c.fields = slices.DeleteFunc(slices.Clone(c.fields), same)
			c.group = slices.DeleteFunc(slices.Clone(c.group), func(e sqldb.Expr) bool { return e == old })
		}
		c.named[o.Name] = o.Expr
		c.annotations = append(c.annotations, o)
		aggregate := sqldb.HasAggregate(o.Expr)
		if qs.shape != rowShape {
			if aggregate {
				c.group = plainExprs(c.fields)
			} else if !aggregate && c.group != nil {
				c.group = append(c.group, o.Expr)
			}
			c.fields = append(c.fields, o)
		}
		c.grouped = c.grouped || aggregate
	}
	return c, nil
}

// unused refuses a name for an annotation that means something already: for
// rows a column, a foreign key or a table of children, after values what it
// picked. A name that annotate gave may be given again.
func (qs *QuerySet) unused(name string) error {
	taken := func(what string) error {
		return engine.ValueError.Errorf("the annotation %q conflicts with %s: choose another name", name, what)
	}
	if qs.shape != rowShape {
		if slices.ContainsFunc(qs.fields[:qs.picked], func(o sqldb.Out) bool { return o.Name == name }) {
			return taken("what values picked")
		}
		return nil
	}
	if qs.table.Column(name) != nil {
		return taken("a column of " + qs.table.Name)
	}
	forward, reverse, err := qs.runner().Keys(qs.ctx(), qs.table)
	if err != nil {
		return err
	}
	for _, k := range forward {
		if k.ForwardName() == name {
			return taken("a foreign key of " + qs.table.Name)
		}
	}
	for _, k := range reverse {
		if k.ReverseName(reverse) == name {
			return taken("the rows of " + k.Child.Name + " that point to " + qs.table.Name)
		}
	}
	return nil
}

// plainExprs are the expressions that no aggregate stands in. None of them
// are a group still: that of all rows.
func plainExprs(outs []sqldb.Out) []sqldb.Expr {
	exprs := []sqldb.Expr{}
	for _, o := range outs {
		if !sqldb.HasAggregate(o.Expr) {
			exprs = append(exprs, o.Expr)
		}
	}
	return exprs
}

// expressions resolves what annotate and aggregate are given.
func (qs *QuerySet) expressions(name string, args starlark.Tuple, kwargs []starlark.Tuple) ([]sqldb.Out, error) {
	r, err := qs.resolver(nil)
	if err != nil {
		return nil, err
	}
	r.aggregates = true
	var outs []sqldb.Out
	add := func(alias string, v starlark.Value) error {
		e, ok := v.(expression)
		if !ok {
			return fmt.Errorf("%s: %s is a %s, want an expression such as Count(\"id\")", name, alias, v.Type())
		}
		x, err := e.resolve(r)
		if err != nil {
			return err
		}
		outs = append(outs, sqldb.Out{Name: alias, Expr: x})
		return nil
	}
	for _, a := range args {
		agg, ok := a.(*aggExpr)
		alias := ""
		if ok {
			alias, ok = agg.alias()
		}
		if !ok {
			return nil, fmt.Errorf("%s: name the expression: n = %s", name, a)
		}
		if err := add(alias, a); err != nil {
			return nil, err
		}
	}
	for _, kv := range kwargs {
		if err := add(string(kv[0].(starlark.String)), kv[1]); err != nil {
			return nil, err
		}
	}
	return outs, nil
}

// layout says where in a result's row its parts are.
type layout struct {
	rows *rowLayout // nil for values
	outs []sqldb.Out
}

// build makes the Select, and says what its columns are.
func (qs *QuerySet) build() (*sqldb.Select, layout, error) {
	s := &sqldb.Select{
		Table: qs.table, Where: qs.where, Order: qs.order, Limit: qs.limit, Offset: qs.offset, Distinct: qs.distinct, Empty: qs.empty,
		Lock: qs.lock.on, NoWait: qs.lock.nowait, SkipLocked: qs.lock.skip,
	}
	if qs.shape != rowShape {
		s.Outs = qs.fields
		if len(s.Order) > 0 {
			// What is picked and ordered by is written once.
			s.Order = slices.Clone(s.Order)
			for i, o := range s.Order {
				for _, f := range s.Outs {
					if sqldb.SameColumn(o.Expr, f.Expr) {
						s.Order[i].Expr = f.Expr
					}
				}
			}
		}
		if qs.grouped {
			group := qs.group
			if group == nil {
				// Aggregates were annotated to rows, then values picked.
				group = qs.rowGroup()
			}
			s.Group = qs.grouping(group, plainExprs(s.Outs), s.Order)
		}
		if s.Distinct {
			for _, o := range s.Order {
				if o.Expr != nil && !slices.ContainsFunc(s.Outs, func(f sqldb.Out) bool { return f.Expr == o.Expr }) {
					return nil, layout{}, FieldError.Errorf("distinct: a query that is ordered by a column must also pick it in values")
				}
			}
		}
		return s, layout{outs: s.Outs}, nil
	}
	rl, outs, err := qs.rowLayout()
	if err != nil {
		return nil, layout{}, err
	}
	s.Outs = outs
	if qs.grouped {
		for _, o := range outs {
			if !sqldb.HasAggregate(o.Expr) && o.Expr.Type().Kind != sqldb.JSONKind {
				s.Group = append(s.Group, o.Expr)
			}
		}
		s.Group = qs.grouping(s.Group, nil, s.Order)
	}
	return s, layout{rows: rl, outs: outs}, nil
}

// grouping is what to group by: group, what is picked beside aggregates, and
// what the order looks at. The key of a row settles its columns, but not those
// of joined tables.
func (qs *QuerySet) grouping(group, picked []sqldb.Expr, order []sqldb.Order) []sqldb.Expr {
	all := slices.Clone(picked)
	add := func(e sqldb.Expr) {
		if !slices.ContainsFunc(all, func(x sqldb.Expr) bool { return x == e || sqldb.SameColumn(x, e) }) {
			all = append(all, e)
		}
	}
	for _, e := range group {
		add(e)
	}
	for _, o := range order {
		if qs.group != nil && !sqldb.HasAggregate(o.Expr) && len(sqldb.Columns(o.Expr)) > 0 {
			add(o.Expr)
			continue
		}
		for _, c := range sqldb.Columns(o.Expr) {
			if len(c.Hops) > 0 {
				add(c)
			}
		}
	}
	return all
}

// complete refuses what refers to a query around this one: count, exists,
// aggregate, update and delete leave out what is annotated, unread.
func (qs *QuerySet) complete() error {
	for _, o := range slices.Concat(qs.annotations, qs.fields) {
		if err := sqldb.Complete(o.Expr); err != nil {
			return err
		}
	}
	for _, o := range qs.order {
		if err := sqldb.Complete(o.Expr); err != nil {
			return err
		}
	}
	return nil
}

// rowGroup tells rows apart: by the key, or by all columns where there is none.
func (qs *QuerySet) rowGroup() []sqldb.Expr {
	columns := qs.table.PK
	if len(columns) == 0 {
		columns = qs.table.Columns
	}
	group := make([]sqldb.Expr, len(columns))
	for i, c := range columns {
		group[i] = &sqldb.Col{Column: c}
	}
	return group
}

// asSubquery is the query inside another one: its only field, or of rows the
// column that is wanted; nil: the key.
func (qs *QuerySet) asSubquery(wanted *sqldb.Column) (*sqldb.Select, error) {
	s, _, err := qs.build()
	if err != nil {
		return nil, err
	}
	q := *s
	q.Lock = false
	if qs.shape == rowShape {
		if wanted == nil {
			if wanted, err = qs.table.Key(); err != nil {
				return nil, err
			}
		}
		out := sqldb.Out{Name: wanted.Name, Expr: &sqldb.Col{Column: wanted}}
		q.Outs = []sqldb.Out{out}
		if qs.grouped {
			q.Group = append(qs.rowGroup(), out.Expr)
		}
	}
	if q.Limit < 0 && q.Offset == 0 {
		q.Order = nil
	}
	return &q, nil
}
