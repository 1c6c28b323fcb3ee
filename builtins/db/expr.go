package db

// Q, F, aggregates and functions: what scripts build queries with. They hold
// names and values until a QuerySet resolves them against its table.

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/engine"
)

// resolver turns names and values into sqldb's expressions, for one table.
type resolver struct {
	ctx    context.Context
	runner sqldb.Runner
	table  *sqldb.Table
	zone   *datetime.Zone
	now    func() any // the statement's time
	// annotations are the names that annotate gave.
	annotations map[string]sqldb.Expr
	// use tells joins to children apart (sqldb.Hop.Use).
	use func(path string, negated bool) int
	// negated: what is resolved stands under a NOT.
	negated bool
	// joined: conditions are about the children that are joined, under a NOT
	// too.
	joined bool
	// state is the run that asks; sub-queries must be its own.
	state *state
	// aggregates: an aggregate may stand here, as in annotate.
	aggregates bool
}

func (r *resolver) name(name string) (sqldb.Resolution, sqldb.Expr, error) {
	var wrong error // with what follows an annotation's name
	var rest []string
	for base := name; wrong == nil; {
		if e, ok := r.annotations[base]; ok {
			x, lookup, err := r.runner.Annotated(r.ctx, e, base, rest)
			if err == nil {
				return sqldb.Resolution{Rest: lookup}, x, nil
			}
			wrong = err
		}
		shorter, last, ok := cutLast(base)
		if !ok {
			break
		}
		base, rest = shorter, append([]string{last}, rest...)
	}
	var use func(path string) int
	if r.use != nil {
		use = func(path string) int { return r.use(path, r.negated) }
	}
	res, err := r.runner.Resolve(r.ctx, r.table, name, use)
	if err != nil {
		return res, nil, translate(cmp.Or(wrong, err))
	}
	return res, res.Col, nil
}

func cutLast(name string) (base, last string, ok bool) {
	i := strings.LastIndex(name, "__")
	if i <= 0 {
		return name, "", false
	}
	return name[:i], name[i+2:], true
}

// field resolves a name that must be a column, an annotation or a part of one.
func (r *resolver) field(name string) (sqldb.Expr, error) {
	res, e, err := r.name(name)
	if err != nil {
		return nil, err
	}
	if len(res.Rest) > 0 {
		return nil, FieldError.Errorf("%q ends in the lookup %s: name a column", name, res.Rest[0])
	}
	return e, nil
}

// expression is a value that stands for SQL.
type expression interface {
	starlark.Value
	resolve(r *resolver) (sqldb.Expr, error)
}

// expr resolves v where an expression may stand: an expression, or a constant.
func (r *resolver) expr(v starlark.Value) (sqldb.Expr, error) {
	if e, ok := v.(expression); ok {
		return e.resolve(r)
	}
	plain, err := toPlain(v, r.zone)
	if err != nil {
		return nil, err
	}
	return &sqldb.Value{V: plain, Of: sqldb.TypeOf(plain)}, nil
}

// named is expr, but a string names a column, as in Count("id").
func (r *resolver) named(v starlark.Value) (sqldb.Expr, error) {
	if s, ok := starlark.AsString(v); ok {
		return r.field(s)
	}
	return r.expr(v)
}

// base holds what all expression values share.
type base struct{}

func (base) Freeze()               {}
func (base) Truth() starlark.Bool  { return true }
func (base) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: an expression") }

// fExpr is F("column").
type fExpr struct {
	base
	name string
}

func (f *fExpr) String() string                          { return fmt.Sprintf("F(%q)", f.name) }
func (f *fExpr) Type() string                            { return "F" }
func (f *fExpr) resolve(r *resolver) (sqldb.Expr, error) { return r.field(f.name) }
func (f *fExpr) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return arithmetic(f, op, y, side)
}
func (f *fExpr) Unary(op syntax.Token) (starlark.Value, error) { return negate(f, op) }

// arithExpr is an operation on expressions.
type arithExpr struct {
	base
	op   byte
	x, y starlark.Value
}

func (a *arithExpr) String() string { return fmt.Sprintf("(%s %c %s)", a.x, a.op, a.y) }
func (a *arithExpr) Type() string   { return "expression" }
func (a *arithExpr) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return arithmetic(a, op, y, side)
}
func (a *arithExpr) Unary(op syntax.Token) (starlark.Value, error) { return negate(a, op) }

func (a *arithExpr) resolve(r *resolver) (sqldb.Expr, error) {
	if x, y, ok := a.shifts(); ok {
		return a.shifted(r, x, y)
	}
	x, err := r.expr(a.x)
	if err != nil {
		return nil, err
	}
	y, err := r.expr(a.y)
	if err != nil {
		return nil, err
	}
	for _, e := range []sqldb.Expr{x, y} {
		switch t := e.Type(); t.Kind {
		case sqldb.Int, sqldb.Float, sqldb.DecimalKind, sqldb.Bool, sqldb.Any:
		default:
			return nil, FieldError.Errorf("%s: arithmetic is for numbers, not for a %s", a, t.Kind)
		}
	}
	return &sqldb.Arith{Op: a.op, X: x, Y: y}, nil
}

// shifts finds the time span that an expression is moved by.
func (a *arithExpr) shifts() (x starlark.Value, span *datetime.Timedelta, ok bool) {
	if d, ok := a.y.(*datetime.Timedelta); ok && (a.op == '+' || a.op == '-') {
		return a.x, d, true
	}
	if d, ok := a.x.(*datetime.Timedelta); ok && a.op == '+' {
		return a.y, d, true
	}
	return nil, nil, false
}

// shifted moves Now() by a time span. A column's instants stay with the
// database, and each of them adds spans in a way of its own.
func (a *arithExpr) shifted(r *resolver, v starlark.Value, span *datetime.Timedelta) (sqldb.Expr, error) {
	x, err := r.expr(v)
	if err != nil {
		return nil, err
	}
	now, ok := x.(*sqldb.Call)
	if !ok || now.Name != "now" {
		return nil, FieldError.Errorf("%s: a timedelta moves Now() alone: bound a column by Now() - timedelta(…), or write raw SQL with db.query", a)
	}
	at, ok := now.Args[0].(*sqldb.Value).V.(time.Time)
	d, fits := span.Duration()
	if !ok || !fits {
		return nil, engine.ValueError.Errorf("%s: the time span is too long", a)
	}
	if a.op == '-' {
		d = -d
	}
	return &sqldb.Call{Name: "now", Args: []sqldb.Expr{&sqldb.Value{V: at.Add(d), Of: sqldb.ColumnType{Kind: sqldb.DateTime}}}}, nil
}

func arithmetic(x expression, op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	var o byte
	switch op {
	case syntax.PLUS:
		o = '+'
	case syntax.MINUS:
		o = '-'
	case syntax.STAR:
		o = '*'
	case syntax.SLASH:
		o = '/'
	case syntax.PERCENT:
		o = '%'
	default:
		return nil, nil
	}
	if _, ok := y.(starlark.String); ok && o == '%' && side == starlark.Right {
		return nil, nil // "…" % F(…) is formatting
	}
	if side == starlark.Left {
		return &arithExpr{op: o, x: x, y: y}, nil
	}
	return &arithExpr{op: o, x: y, y: x}, nil
}

func negate(x expression, op syntax.Token) (starlark.Value, error) {
	if op == syntax.MINUS {
		return &arithExpr{op: '-', x: starlark.MakeInt(0), y: x}, nil
	}
	return nil, nil
}

// callExpr is Lower(…), Coalesce(…), Now().
type callExpr struct {
	base
	fn   string // as scripts write it
	args starlark.Tuple
}

func (c *callExpr) String() string {
	parts := make([]string, len(c.args))
	for i, a := range c.args {
		parts[i] = a.String()
	}
	return c.fn + "(" + strings.Join(parts, ", ") + ")"
}
func (c *callExpr) Type() string { return "expression" }
func (c *callExpr) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return arithmetic(c, op, y, side)
}

func (c *callExpr) resolve(r *resolver) (sqldb.Expr, error) {
	out := &sqldb.Call{Name: strings.ToLower(c.fn)}
	if out.Name == "now" {
		out.Args = []sqldb.Expr{&sqldb.Value{V: r.now(), Of: sqldb.ColumnType{Kind: sqldb.DateTime}}}
		return out, nil
	}
	for _, a := range c.args {
		e, err := r.named(a)
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, e)
	}
	if out.Name != "coalesce" || slices.ContainsFunc(out.Args, func(e sqldb.Expr) bool { return e.Type().Kind == sqldb.Text }) {
		for i, e := range out.Args {
			out.Args[i] = pathText(e)
		}
	}
	if out.Name == "coalesce" {
		// A constant takes the type of the columns beside it.
		t := out.Type()
		for i, a := range c.args {
			v, ok := out.Args[i].(*sqldb.Value)
			if !ok {
				continue
			}
			source := a
			if x, ok := a.(*valueExpr); ok {
				source = x.v
			}
			for _, other := range out.Args {
				if _, constant := other.(*sqldb.Value); !constant {
					t = other.Type()
					break
				}
			}
			plain, err := toColumn(source, t, r.zone)
			if err != nil {
				return nil, err
			}
			v.V, v.Of = plain, sqldb.ColumnType{Kind: t.Kind, Scale: t.Scale}
		}
	}
	return out, nil
}

// pathText is e, but paths into JSON give text: the strings there without quotes.
func pathText(e sqldb.Expr) sqldb.Expr {
	if e.Type().Kind != sqldb.JSONKind {
		return e
	}
	switch e := e.(type) {
	case *sqldb.Col:
		if len(e.Path) > 0 {
			return &sqldb.Call{Name: "text", Args: []sqldb.Expr{e}}
		}
	case *sqldb.Call:
		args := make([]sqldb.Expr, len(e.Args))
		for i, a := range e.Args {
			args[i] = pathText(a)
		}
		return &sqldb.Call{Name: e.Name, Args: args}
	case *sqldb.Value:
		v := &sqldb.Value{V: e.V, Of: sqldb.ColumnType{Kind: sqldb.Text}}
		if text, ok := e.V.(sqldb.JSON); ok {
			v.V = string(text)
		}
		return v
	}
	return e
}

// valueExpr is Value(x).
type valueExpr struct {
	base
	v starlark.Value
}

func (v *valueExpr) String() string { return "Value(" + v.v.String() + ")" }
func (v *valueExpr) Type() string   { return "expression" }
func (v *valueExpr) resolve(r *resolver) (sqldb.Expr, error) {
	plain, err := toPlain(v.v, r.zone)
	if err != nil {
		return nil, err
	}
	return &sqldb.Value{V: plain, Of: sqldb.TypeOf(plain)}, nil
}
func (v *valueExpr) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return arithmetic(v, op, y, side)
}

// outerExpr is OuterRef("column").
type outerExpr struct {
	base
	name string
}

func (o *outerExpr) String() string                        { return fmt.Sprintf("OuterRef(%q)", o.name) }
func (o *outerExpr) Type() string                          { return "expression" }
func (o *outerExpr) resolve(*resolver) (sqldb.Expr, error) { return &sqldb.Outer{Name: o.name}, nil }

// aggExpr is Count(…), Sum(…), Avg(…), Min(…) or Max(…).
type aggExpr struct {
	base
	fn       string
	arg      starlark.Value
	distinct bool
	filter   starlark.Value // nil, a Q or an Exists
}

func (a *aggExpr) String() string { return a.fn + "(" + a.arg.String() + ")" }
func (a *aggExpr) Type() string   { return "aggregate" }
func (a *aggExpr) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return arithmetic(a, op, y, side)
}

// alias is the name that aggregate and annotate give one without a name.
func (a *aggExpr) alias() (string, bool) {
	s, ok := starlark.AsString(a.arg)
	if !ok || s == "*" {
		return "", false
	}
	return s + "__" + strings.ToLower(a.fn), true
}

func (a *aggExpr) resolve(r *resolver) (sqldb.Expr, error) {
	if !r.aggregates {
		return nil, FieldError.Errorf("%s: an aggregate stands in annotate, values and aggregate only: annotate(x = %s) gives it a name, as for filter(x__gt = …) or order_by(\"x\"); aggregate(x = %s) gives one value for all rows", a, a, a)
	}
	out := &sqldb.Agg{Name: strings.ToLower(a.fn), Distinct: a.distinct}
	if s, _ := starlark.AsString(a.arg); s != "*" {
		e, err := r.named(a.arg)
		if err != nil {
			return nil, err
		}
		if sqldb.HasAggregate(e) {
			return nil, a.nested(a.arg)
		}
		out.Arg = e
		switch k := e.Type().Kind; {
		case out.Name == "count", k == sqldb.Any, k == sqldb.Int, k == sqldb.Float, k == sqldb.DecimalKind:
		case (out.Name == "min" || out.Name == "max") && k != sqldb.JSONKind && k != sqldb.Bool:
		default:
			return nil, FieldError.Errorf("%s: no %s of a %s column", a, strings.ToLower(a.fn), k)
		}
	} else if out.Name != "count" {
		return nil, FieldError.Errorf("%s: only Count counts \"*\"", a)
	} else if out.Distinct {
		return nil, FieldError.Errorf("%s: distinct = True needs a column, such as Count(\"id\", distinct = True)", a)
	}
	if a.filter != nil {
		one := *r
		one.joined = true
		c, err := one.condition(a.filter)
		if err != nil {
			return nil, err
		}
		if sqldb.Aggregated(c) {
			return nil, a.nested(a.filter)
		}
		out.Filter = c
	}
	return out, nil
}

// nested is the error of an aggregate over another one.
func (a *aggExpr) nested(inner starlark.Value) error {
	return FieldError.Errorf("cannot compute %s: %s is an aggregate. A query that annotates it takes aggregate(x = %s)", a, inner, a)
}

// qExpr is Q(…): conditions joined by and or or, perhaps negated.
type qExpr struct {
	base
	or       bool
	negated  bool
	children []starlark.Value // *qExpr, *existsExpr
	lookups  []starlark.Tuple // (name, value)
}

func (q *qExpr) Type() string { return "Q" }

// Truth is whether it holds a condition.
func (q *qExpr) Truth() starlark.Bool { return !starlark.Bool(emptyQ(q)) }

// emptyQ reports whether v is a Q without conditions. It is neutral: whatever
// joins or negates it, it restricts nothing.
func emptyQ(v starlark.Value) bool {
	q, ok := v.(*qExpr)
	return ok && len(q.children)+len(q.lookups) == 0
}

func (q *qExpr) String() string {
	var parts []string
	for _, c := range q.children {
		parts = append(parts, c.String())
	}
	for _, l := range q.lookups {
		parts = append(parts, fmt.Sprintf("%s = %s", string(l[0].(starlark.String)), l[1]))
	}
	op := ", "
	if q.or {
		op = " | "
	}
	s := "Q(" + strings.Join(parts, op) + ")"
	if q.negated {
		s = "~" + s
	}
	return s
}

func (q *qExpr) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return combine(q, op, y, side)
}
func (q *qExpr) Unary(op syntax.Token) (starlark.Value, error) { return invert(q, op) }

func combine(x starlark.Value, op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	if op != syntax.AMP && op != syntax.PIPE {
		return nil, nil
	}
	switch y.(type) {
	case *qExpr, *existsExpr:
	default:
		return nil, nil
	}
	if side == starlark.Right {
		x, y = y, x
	}
	switch {
	case emptyQ(x):
		return y, nil
	case emptyQ(y):
		return x, nil
	}
	return &qExpr{or: op == syntax.PIPE, children: []starlark.Value{x, y}}, nil
}

func invert(x starlark.Value, op syntax.Token) (starlark.Value, error) {
	if op != syntax.TILDE {
		return nil, nil
	}
	if emptyQ(x) {
		return x, nil
	}
	return &qExpr{negated: true, children: []starlark.Value{x}}, nil
}

// existsExpr is Exists(queryset).
type existsExpr struct {
	base
	qs *QuerySet
}

func (e *existsExpr) String() string { return "Exists(" + e.qs.String() + ")" }
func (e *existsExpr) Type() string   { return "expression" }
func (e *existsExpr) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return combine(e, op, y, side)
}
func (e *existsExpr) Unary(op syntax.Token) (starlark.Value, error) { return invert(e, op) }
func (e *existsExpr) resolve(r *resolver) (sqldb.Expr, error) {
	c, err := r.condition(e)
	if err != nil {
		return nil, err
	}
	return &sqldb.Test{Cond: c}, nil
}

// condition resolves a Q or an Exists.
func (r *resolver) condition(v starlark.Value) (sqldb.Cond, error) {
	switch v := v.(type) {
	case *existsExpr:
		q, err := r.subquery(v.qs, nil)
		if err != nil {
			return nil, err
		}
		return &sqldb.Exists{Query: q}, nil
	case *qExpr:
		if v.negated {
			under := *r
			under.negated = true
			r = &under
		}
		var all []sqldb.Cond
		for _, c := range v.children {
			x, err := r.condition(c)
			if err != nil {
				return nil, err
			}
			all = append(all, x)
		}
		for _, l := range v.lookups {
			x, err := r.lookup(string(l[0].(starlark.String)), l[1])
			if err != nil {
				return nil, err
			}
			all = append(all, x)
		}
		var c sqldb.Cond = sqldb.And(all)
		if v.or {
			c = sqldb.Or(all)
		}
		if v.negated {
			c = &sqldb.Not{X: c}
		}
		return c, nil
	}
	return nil, fmt.Errorf("a condition is a Q or an Exists, not a %s", v.Type())
}

// subquery is what another QuerySet stands for inside a query. left is what it
// is compared with; nil: nothing.
func (r *resolver) subquery(qs *QuerySet, left sqldb.Expr) (*sqldb.Select, error) {
	if qs.st != r.state {
		return nil, errOtherRun
	}
	if qs.db != r.runner.Database() {
		return nil, engine.ValueError.Errorf("a query of database %q cannot stand inside one of %q", qs.db.Alias(), r.runner.Database().Alias())
	}
	var wanted *sqldb.Column
	if left == nil && len(qs.table.PK) != 1 {
		wanted = qs.table.Columns[0] // whether there are rows is the question, not which
	}
	if col, ok := left.(*sqldb.Col); ok && qs.shape == rowShape && len(col.Path) == 0 && col.Part == "" {
		t := r.tableOf(col)
		keys, err := r.state.keysOf(qs.db, t, col.Column)
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 {
			if wanted, err = r.state.pointed(qs.db, t, col.Column, qs.table, qs.db); err != nil {
				return nil, err
			}
		}
	}
	return qs.asSubquery(wanted)
}

// tableOf is the table that a column belongs to.
func (r *resolver) tableOf(c *sqldb.Col) *sqldb.Table {
	if len(c.Hops) == 0 {
		return r.table
	}
	last := c.Hops[len(c.Hops)-1]
	if last.Reverse {
		return last.Key.Child
	}
	return last.Key.Parent
}

// jsonLookups are lookups of Django's that would pass for keys of a document,
// and what says the same.
var jsonLookups = map[string]string{
	"has_key":      "write %[3]s__<key>__isnull = False",
	"has_keys":     "write %[3]s__<key>__isnull = False for each key",
	"has_any_keys": "write Q(%[3]s__<key>__isnull = False) for each key, joined by |",
	"contained_by": "compare the keys that matter, as %[3]s__<key> = value",
}

// lookup resolves one keyword of filter: name = value.
func (r *resolver) lookup(name string, v starlark.Value) (sqldb.Cond, error) {
	res, left, err := r.name(name)
	if err != nil {
		return nil, err
	}
	kind := "exact"
	if len(res.Rest) > 0 {
		kind = res.Rest[0]
	} else if col, ok := left.(*sqldb.Col); ok && len(col.Path) > 0 {
		base, last, _ := cutLast(name)
		if write := jsonLookups[last]; write != "" {
			return nil, FieldError.Errorf("%s: there is no lookup %s: "+write+". A key of that name is %[1]s__exact", name, last, base)
		}
	}
	cond, err := r.comparison(left, kind, v)
	if err != nil {
		return nil, within(name, err)
	}
	if c, ok := cond.(*sqldb.Compare); ok {
		c.Joined = r.joined || res.Col == nil // an annotation is of the row
	}
	return cond, nil
}

// spellings are a value, and on SQLite a UUID in its other forms too: they are
// kept there as the texts that they were written as.
func (r *resolver) spellings(v any, t sqldb.ColumnType) []any {
	all := []any{v}
	s, ok := v.(string)
	if !ok || t.Kind != sqldb.UUID {
		return all
	}
	if d, err := r.runner.Database().Dialect(r.ctx); err != nil || d.Vendor() != "sqlite" {
		return all // what follows tells the error
	}
	if usual, ok := sqldb.ParseUUID(s); ok {
		hex := strings.ReplaceAll(usual, "-", "")
		for _, x := range []string{usual, hex, strings.ToUpper(usual), strings.ToUpper(hex)} {
			if x != s {
				all = append(all, x)
			}
		}
	}
	return all
}

func (r *resolver) comparison(left sqldb.Expr, kind string, v starlark.Value) (sqldb.Cond, error) {
	t := left.Type()
	col, _ := left.(*sqldb.Col)
	// A path into JSON compares with any plain value.
	path := col != nil && len(col.Path) > 0
	operand := func(v starlark.Value) (any, error) {
		if e, ok := v.(expression); ok {
			x, err := e.resolve(r)
			if err == nil && t.Kind == sqldb.Text {
				x = pathText(x)
			}
			return x, err
		}
		if path {
			return jsonOperand(v)
		}
		if row, ok := v.(*Row); ok && col != nil && col.Part == "" {
			key, err := r.state.rowValue(r.runner.Database(), r.tableOf(col), col.Column, row)
			if err != nil {
				return nil, err
			}
			v = key
		}
		return toColumn(v, t, r.zone)
	}
	switch kind {
	case "isnull":
		b, ok := v.(starlark.Bool)
		if !ok {
			return nil, engine.ValueError.Errorf("isnull is True or False, not %s", short(v))
		}
		return &sqldb.Compare{Left: left, Lookup: kind, Right: bool(b)}, nil
	case "in":
		if qs, ok := v.(*QuerySet); ok {
			q, err := r.subquery(qs, left)
			if err != nil {
				return nil, err
			}
			if len(q.Outs) != 1 {
				return nil, engine.ValueError.Errorf("a query after __in gives one column: use values(\"column\")")
			}
			return &sqldb.Compare{Left: left, Lookup: kind, Right: q}, nil
		}
		items, err := sequence(v)
		if err != nil {
			return nil, err
		}
		values := make([]any, 0, len(items))
		for _, item := range items {
			x, err := operand(item)
			if err != nil {
				return nil, err
			}
			if x != nil { // NULL is in nothing
				values = append(values, r.spellings(x, t)...)
			}
		}
		return &sqldb.Compare{Left: left, Lookup: kind, Right: values}, nil
	case "range":
		items, err := sequence(v)
		if err != nil {
			return nil, err
		}
		if len(items) != 2 {
			return nil, engine.ValueError.Errorf("range takes two values, not %d", len(items))
		}
		if t.Kind == sqldb.Int && !path {
			items[0], items[1] = whole(items[0], true), whole(items[1], false)
		}
		from, err := operand(items[0])
		if err != nil {
			return nil, err
		}
		to, err := operand(items[1])
		if err != nil {
			return nil, err
		}
		if from == nil || to == nil {
			return nil, engine.ValueError.Errorf("range takes no None")
		}
		return &sqldb.Compare{Left: left, Lookup: kind, Right: []any{from, to}}, nil
	case "exact":
		right, err := operand(v)
		if err != nil {
			return nil, err
		}
		if all := r.spellings(right, t); len(all) > 1 {
			return &sqldb.Compare{Left: left, Lookup: "in", Right: all}, nil
		}
		return &sqldb.Compare{Left: left, Lookup: kind, Right: right}, nil
	case "gt", "gte", "lt", "lte":
		if t.Kind == sqldb.Int && !path {
			v = whole(v, kind == "lt" || kind == "gte")
		}
		right, err := operand(v)
		if err != nil {
			return nil, err
		}
		if right == nil {
			return nil, engine.ValueError.Errorf("cannot use None with %s", kind)
		}
		return &sqldb.Compare{Left: left, Lookup: kind, Right: right}, nil
	}
	// The rest looks into text.
	if e, ok := v.(expression); ok {
		right, err := e.resolve(r)
		if err != nil {
			return nil, err
		}
		return &sqldb.Compare{Left: left, Lookup: kind, Right: pathText(right)}, nil
	}
	if v == starlark.None {
		if kind == "iexact" {
			return &sqldb.Compare{Left: left, Lookup: "isnull", Right: true}, nil
		}
		return nil, engine.ValueError.Errorf("cannot use None with %s", kind)
	}
	text, err := toColumn(v, sqldb.ColumnType{Kind: sqldb.Text}, r.zone)
	if err != nil {
		return nil, err
	}
	return &sqldb.Compare{Left: left, Lookup: kind, Right: text}, nil
}

// whole rounds a fraction that bounds integers, up or down: n < 2.5 is n < 3.
func whole(v starlark.Value, up bool) starlark.Value {
	switch x := v.(type) {
	case starlark.Float:
		f := math.Floor(float64(x))
		if up {
			f = math.Ceil(float64(x))
		}
		return starlark.Float(f)
	case *decimal.Decimal:
		n := x.BigInt() // towards zero
		switch c := decimal.FromBigInt(n).Compare(x); {
		case c < 0 && up:
			n.Add(n, big.NewInt(1))
		case c > 0 && !up:
			n.Sub(n, big.NewInt(1))
		}
		return starlark.MakeBigInt(n)
	}
	return v
}

// jsonOperand converts a value to compare with one inside JSON.
func jsonOperand(v starlark.Value) (any, error) {
	switch x := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(x), nil
	case starlark.Int, starlark.Float, starlark.String:
		return toPlain(v, nil)
	}
	var b strings.Builder
	if err := toJSON(&b, v, 0); err != nil {
		return nil, err
	}
	return sqldb.JSON(b.String()), nil
}

// sequence lists what an iterable holds; strings are none.
func sequence(v starlark.Value) ([]starlark.Value, error) {
	iterable, ok := v.(starlark.Iterable)
	if !ok {
		return nil, engine.ValueError.Errorf("want a list, not a %s", v.Type())
	}
	return slices.Collect(starlark.Elements(iterable)), nil
}

// expressions returns the predeclared names that build queries. They need no
// run: a file may hold them at its top level.
func expressions() starlark.StringDict {
	d := starlark.StringDict{
		"Q":        engine.PureBuiltin("Q", newQ),
		"F":        engine.PureBuiltin("F", newF),
		"Value":    engine.PureBuiltin("Value", newValue),
		"Exists":   engine.PureBuiltin("Exists", newExists),
		"OuterRef": engine.PureBuiltin("OuterRef", newOuterRef),
		"Now":      engine.PureBuiltin("Now", newNow),
		"Coalesce": engine.PureBuiltin("Coalesce", newCoalesce),
	}
	for _, name := range []string{"Count", "Sum", "Avg", "Min", "Max"} {
		d[name] = engine.PureBuiltin(name, newAggregate)
	}
	for _, name := range []string{"Lower", "Upper", "Trim", "Length"} {
		d[name] = engine.PureBuiltin(name, newFunction)
	}
	return d
}

// newQ is Q(*conditions, **lookups).
func newQ(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return value(qOf("Q", args, kwargs))
}

// qOf joins what stands in the brackets of name by and.
func qOf(name string, args starlark.Tuple, kwargs []starlark.Tuple) (*qExpr, error) {
	q := &qExpr{lookups: kwargs}
	for _, a := range args {
		switch a.(type) {
		case *qExpr, *existsExpr:
			if !emptyQ(a) {
				q.children = append(q.children, a)
			}
		default:
			return nil, fmt.Errorf("%s: a positional argument is a Q or an Exists, not a %s", name, a.Type())
		}
	}
	return q, nil
}

// newF is F(name).
func newF(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name); err != nil {
		return nil, err
	}
	return &fExpr{name: name}, nil
}

// newOuterRef is OuterRef(name).
func newOuterRef(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name); err != nil {
		return nil, err
	}
	return &outerExpr{name: name}, nil
}

// newValue is Value(value).
func newValue(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "value", &v); err != nil {
		return nil, err
	}
	return &valueExpr{v: v}, nil
}

// newExists is Exists(queryset).
func newExists(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var qs *QuerySet
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "queryset", &qs); err != nil {
		return nil, err
	}
	return &existsExpr{qs: qs}, nil
}

// newNow is Now().
func newNow(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return &callExpr{fn: "Now"}, nil
}

// newFunction is Lower(expression), and Upper, Trim and Length.
func newFunction(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var x starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "expression", &x); err != nil {
		return nil, err
	}
	return &callExpr{fn: b.Name(), args: starlark.Tuple{x}}, nil
}

// newCoalesce is Coalesce(*expressions).
func newCoalesce(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, fmt.Errorf("%s: unexpected keyword argument %s", b.Name(), kwargs[0][0])
	}
	if len(args) < 2 {
		return nil, fmt.Errorf("%s: takes at least two expressions", b.Name())
	}
	return &callExpr{fn: b.Name(), args: args}, nil
}

// newAggregate is Count(expression, distinct=False, filter=None), and Sum,
// Avg, Min and Max.
func newAggregate(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	a := &aggExpr{fn: b.Name()}
	var filter starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "expression", &a.arg, "distinct?", &a.distinct, "filter?", &filter); err != nil {
		return nil, err
	}
	switch filter.(type) {
	case starlark.NoneType:
	case *qExpr, *existsExpr:
		a.filter = filter
	default:
		return nil, fmt.Errorf("%s: filter is a Q, not a %s", b.Name(), filter.Type())
	}
	return a, nil
}
