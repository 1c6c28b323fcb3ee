package sqldb

// SQL from queries. Text and values grow together in a buffer, placeholders
// are numbered at the end; what a script wrote is only ever a value.

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// mark stands for a placeholder until the text is finished. No identifier can
// hold it: tables and columns come from the database, which allows no NUL.
const mark = '\x00'

// buffer is SQL text with the values of its placeholders, in order.
type buffer struct {
	text []byte
	args []any
}

func (b *buffer) str(s ...string) *buffer {
	for _, s := range s {
		b.text = append(b.text, s...)
	}
	return b
}

func (b *buffer) arg(v any) *buffer {
	b.text = append(b.text, mark)
	b.args = append(b.args, v)
	return b
}

func (b *buffer) add(o *buffer) *buffer {
	b.text = append(b.text, o.text...)
	b.args = append(b.args, o.args...)
	return b
}

func (b *buffer) statement(d Dialect, once, write bool) (Statement, error) {
	if len(b.args) > d.maxParams() {
		return Statement{}, &Error{Message: fmt.Sprintf("the statement has %d values, and %s takes at most %d: give it fewer at a time, or write them to a table and filter by its QuerySet", len(b.args), d.Vendor(), d.maxParams())}
	}
	out := make([]byte, 0, len(b.text)+2*len(b.args))
	n := 0
	for _, ch := range b.text {
		switch {
		case ch != mark:
			out = append(out, ch)
		case d.numbered():
			n++
			out = append(out, '$')
			out = strconv.AppendInt(out, int64(n), 10)
		default:
			out = append(out, '?')
		}
	}
	return Statement{SQL: string(out), Args: b.args, Once: once, Write: write}, nil
}

// writer compiles one statement.
type writer struct {
	*Compiler
	ctx     context.Context
	d       Dialect
	aliases int
	err     error
	// read are the tables that sub-queries read, in small letters.
	read map[string]bool
	// long: the text depends on how many values there are, so a prepared
	// statement would hardly be used again.
	long bool
}

// scope is one SELECT, UPDATE or DELETE: its table and joins.
type scope struct {
	parent *scope
	table  *Table
	alias  string
	joins  buffer
	byHop  map[string]string
	// unborn: the row is being created and has no columns to read yet.
	unborn bool
	// having: a condition on groups is being written. plain are the columns
	// that it reads outside of aggregates: they are grouped by too.
	having bool
	plain  []string
	groups []Expr // what the query is grouped by
}

func (c *Compiler) writer(ctx context.Context) (*writer, error) {
	d, err := c.Runner.db.Dialect(ctx)
	if err != nil {
		return nil, err
	}
	return &writer{Compiler: c, ctx: ctx, d: d, read: map[string]bool{}}, nil
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) scope(parent *scope, t *Table) *scope {
	s := &scope{parent: parent, table: t, alias: "t" + strconv.Itoa(w.aliases), byHop: map[string]string{}}
	w.aliases++
	if parent != nil {
		w.reads(t)
	}
	return s
}

func (w *writer) reads(t *Table) {
	if w.read != nil {
		w.read[strings.ToLower(t.Name)] = true
	}
}

func (w *writer) tableName(t *Table) string {
	if t.Schema != "" {
		return w.d.quote(t.Schema) + "." + w.d.quote(t.Name)
	}
	return w.d.quote(t.Name)
}

func (w *writer) from(s *scope) *buffer {
	b := &buffer{}
	if s.table.derived != nil {
		parent := s.parent
		if parent == nil {
			parent = &scope{} // its columns need names
		}
		return b.str("(").add(w.query(s.table.derived, parent)).str(") AS ", s.alias)
	}
	return b.str(w.tableName(s.table), " AS ", s.alias)
}

// join returns the alias of the table at the end of the hops, joining what is
// not joined yet. Joins are LEFT: a condition on the joined table drops the
// rows without one, as it would with INNER, and every optimizer sees that.
func (w *writer) join(s *scope, hops []Hop) string {
	alias := s.alias
	for i, h := range hops {
		from, to := h.Key.Column, h.Key.ParentColumn
		target := h.Key.Parent
		if h.Reverse {
			from, to = to, from
			target = h.Key.Child
		}
		path := hopPath(hops[:i+1])
		next, ok := s.byHop[path]
		if !ok {
			next = "t" + strconv.Itoa(w.aliases)
			w.aliases++
			s.byHop[path] = next
			if s.parent != nil {
				w.reads(target)
			}
			s.joins.str(" LEFT JOIN ", w.tableName(target), " AS ", next, " ON ", next, ".", w.d.quote(to.Name), " = ", alias, ".", w.d.quote(from.Name))
		}
		alias = next
	}
	return alias
}

// hopPath names what the hops lead to.
func hopPath(hops []Hop) string {
	var b strings.Builder
	for _, h := range hops {
		if h.Reverse {
			b.WriteString("<" + h.Key.Child.Schema + "." + h.Key.Child.Name + "." + h.Key.Column.Name + "#" + strconv.Itoa(h.Use))
		} else {
			b.WriteString(">" + h.Key.Column.Name)
		}
	}
	return b.String()
}

// query writes a SELECT.
func (w *writer) query(q *Select, parent *scope) *buffer {
	s := w.scope(parent, q.Table)
	s.groups = q.Group
	where, having := &buffer{}, &buffer{}
	for _, c := range q.Where {
		b := where
		if s.having = Aggregated(c); s.having {
			b = having
		}
		if len(b.text) > 0 {
			b.str(" AND ")
		}
		w.cond(b, s, c, false)
	}
	s.having = false
	outs := &buffer{}
	position := make(map[Expr]int, len(q.Group))
	for i, o := range q.Outs {
		if i > 0 {
			outs.str(", ")
		}
		w.output(outs, s, o.Expr)
		if parent != nil {
			// The names that a script gave stay out of SQL.
			outs.str(" AS c", strconv.Itoa(i))
		}
		position[o.Expr] = i + 1
	}
	order := &buffer{}
	for i, o := range q.Order {
		if i > 0 {
			order.str(", ")
		}
		switch n := position[o.Expr]; {
		case o.Expr == nil:
			order.str(w.random())
		case n > 0 && (q.Distinct || HasAggregate(o.Expr) || q.Group != nil && w.d.Vendor() != "sqlite"):
			// Its values are bound, so the servers would not know it again.
			order.str(strconv.Itoa(n))
		default:
			w.expr(order, s, o.Expr)
		}
		if o.Desc {
			order.str(" DESC")
		}
	}
	group, by := &buffer{}, " GROUP BY "
	if q.Group != nil {
		for _, e := range q.Group {
			group.str(by)
			by = ", "
			// By place: values are bound, so the same expression written
			// twice would not look the same to PostgreSQL.
			if n := position[e]; n > 0 {
				group.str(strconv.Itoa(n))
			} else {
				w.expr(group, s, e)
			}
		}
		for _, column := range s.plain {
			group.str(by, column)
			by = ", "
		}
	}
	b := &buffer{}
	b.str("SELECT ")
	if q.Distinct {
		b.str("DISTINCT ")
	}
	b.add(outs).str(" FROM ").add(w.from(s)).add(&s.joins) // joins are those of all parts
	if len(where.text) > 0 {
		b.str(" WHERE ").add(where)
	}
	b.add(group)
	if len(having.text) > 0 {
		b.str(" HAVING ").add(having)
	}
	if len(order.text) > 0 {
		b.str(" ORDER BY ").add(order)
	}
	w.limit(b, q)
	if q.Lock {
		w.lock(b, q, s)
	}
	return b
}

func (w *writer) limit(b *buffer, q *Select) {
	switch {
	case q.Limit >= 0:
		b.str(" LIMIT ").arg(q.Limit)
	case q.Offset > 0 && w.d.Vendor() == "sqlite":
		b.str(" LIMIT -1")
	case q.Offset > 0 && w.d.Vendor() == "mysql":
		b.str(" LIMIT 18446744073709551615")
	}
	if q.Offset > 0 {
		b.str(" OFFSET ").arg(q.Offset)
	}
}

func (w *writer) lock(b *buffer, q *Select, s *scope) {
	if w.d.Vendor() == "sqlite" {
		return // a transaction locks the whole file
	}
	b.str(" FOR UPDATE")
	if w.d.Vendor() == "postgresql" && len(s.joins.text) > 0 {
		b.str(" OF ", s.alias)
	}
	if q.NoWait {
		b.str(" NOWAIT")
	}
	if q.SkipLocked {
		b.str(" SKIP LOCKED")
	}
}

func (w *writer) random() string {
	if w.d.Vendor() == "mysql" {
		return "RAND()"
	}
	return "RANDOM()"
}

// output writes an expression of the select list: as the reader wants it.
func (w *writer) output(b *buffer, s *scope, e Expr) {
	t := e.Type()
	switch w.d.(type) {
	case SQLite:
		// The driver parses columns declared as dates, slowly; an expression
		// has no declared type.
		if c, ok := e.(*Col); ok && c.Part == "" && (t.Kind == DateTime || t.Kind == DateKind) {
			b.str("+")
		}
		if c, ok := e.(*Col); ok && len(c.Path) > 0 {
			b.str("json(")
			w.jsonPath(b, s, c, "->")
			b.str(")")
			return
		}
	case PostgreSQL:
		if a, ok := e.(*Agg); ok && a.Name == "avg" && t.Kind == Float {
			b.str("(")
			w.expr(b, s, e)
			b.str(")::double precision")
			return
		}
		if v, ok := e.(*Value); ok {
			b.arg(v.V).str(postgresCast(v.Of, true))
			return
		}
	}
	w.expr(b, s, e)
}

// expr writes an expression.
func (w *writer) expr(b *buffer, s *scope, e Expr) {
	if _, column := e.(*Col); s.having && !column && !HasAggregate(e) && slices.Contains(s.groups, e) {
		inner := &buffer{}
		s.having = false
		w.expr(inner, s, e)
		s.having = true
		w.ofGroup(b, inner)
		return
	}
	switch e := e.(type) {
	case *Col:
		w.column(b, s, e)
	case *Value:
		w.value(b, e.V, e.Of, true)
	case *Call:
		w.call(b, s, e)
	case *Arith:
		w.arith(b, s, e)
	case *Agg:
		w.aggregate(b, s, e)
	case *Part:
		local := &buffer{}
		w.expr(local, s, e.Of)
		if w.d.Vendor() == "postgresql" && e.Of.Type().Kind == DateTime {
			// Its type is lost when a column without a time zone is computed with.
			local = (&buffer{}).str("(").add(local).str(")::timestamptz")
		}
		w.part(b, local, e.Of.Type(), e.Name)
	case *Outer:
		w.outer(b, s, e)
	case *Test:
		b.str("CASE WHEN ")
		w.cond(b, s, e.Cond, false)
		if w.d.Vendor() == "postgresql" { // where a boolean is no number
			b.str(" THEN TRUE ELSE FALSE END")
		} else {
			b.str(" THEN 1 ELSE 0 END")
		}
	case *written:
		b.add(e.sql)
	default:
		w.fail(fmt.Errorf("cannot write %T as SQL", e))
	}
}

func (w *writer) bare(b *buffer, s *scope, c *Col) {
	if s.unborn {
		w.fail(&FieldError{"column " + c.Column.Name + " cannot be read for a row that is being created: it has no values yet. Give a plain value, or update the row afterwards"})
	}
	name := c.Column.as
	if name == "" {
		name = w.d.quote(c.Column.Name)
	}
	text := w.join(s, c.Hops) + "." + name
	// PostgreSQL has no groups of json, and reads it beside the key.
	json := w.d.Vendor() == "postgresql" && c.Column.Type.SQL == "json"
	switch {
	case !s.having:
	case slices.ContainsFunc(s.groups, func(e Expr) bool { return len(c.Part)+len(c.Path) > 0 && SameColumn(e, c) }):
		// The part, or what is at the path, is the same in all rows of a group.
		w.ofGroup(b, (&buffer{}).str(text))
		return
	case !json && !slices.Contains(s.plain, text):
		s.plain = append(s.plain, text)
	}
	b.str(text)
}

// ofGroup writes what is the same in all rows of a group, where it is not known
// to be: of the first row. SQLite takes any by itself.
func (w *writer) ofGroup(b, e *buffer) {
	switch w.d.(type) {
	case PostgreSQL:
		b.str("(ARRAY_AGG(").add(e).str("))[1]")
	case MySQL:
		b.str("MIN(").add(e).str(")")
	default:
		b.add(e)
	}
}

func (w *writer) column(b *buffer, s *scope, c *Col) {
	switch {
	case c.Part != "":
		local := &buffer{}
		w.bare(local, s, c)
		w.part(b, local, c.Column.Type, c.Part)
	case len(c.Path) > 0:
		w.jsonPath(b, s, c, "")
	default:
		w.bare(b, s, c)
	}
}

// value binds a constant. typed: nothing around it tells PostgreSQL its type.
func (w *writer) value(b *buffer, v any, t ColumnType, typed bool) {
	switch w.d.(type) {
	case PostgreSQL:
		if t.single(v) {
			b.arg(v).str("::real")
			return
		}
		b.arg(v).str(postgresCast(t, typed))
	case SQLite:
		if _, ok := v.(Decimal); ok {
			// A text beside an expression without affinity would compare as
			// text.
			b.str("CAST(").arg(v).str(" AS NUMERIC)")
			return
		}
		b.arg(v)
	case MySQL:
		if d, ok := v.(Decimal); ok {
			// A decimal compares with a text as floats.
			digits, scale := decimalSize(d)
			b.str("CAST(").arg(v).str(" AS DECIMAL(", strconv.Itoa(min(digits, 65)), ", ", strconv.Itoa(min(scale, 30)), "))")
			return
		}
		if t.single(v) {
			b.str("CAST(").arg(v).str(" AS FLOAT)")
			return
		}
		b.arg(v)
	}
}

// postgresCast is needed where a parameter's type would be guessed narrower
// than the value (int4 for a bigint), or not at all.
func postgresCast(t ColumnType, typed bool) string {
	switch t.Kind {
	case Int:
		return "::bigint"
	case DecimalKind:
		return "::numeric"
	case Float:
		return "::double precision"
	}
	if !typed {
		return ""
	}
	switch t.Kind {
	case Bool:
		return "::boolean"
	case DateKind:
		return "::date"
	case DateTime:
		return "::timestamptz"
	case Bytes:
		return "::bytea"
	case JSONKind:
		return "::jsonb"
	case UUID:
		return "::uuid"
	case Text, Any, Other:
		return "::text"
	}
	return ""
}

// decimalSize counts a decimal's digits and those behind the point.
func decimalSize(d Decimal) (digits, scale int) {
	s := strings.TrimPrefix(string(d), "-")
	whole, frac, _ := strings.Cut(s, ".")
	return max(len(whole)+len(frac), 1), len(frac)
}

func (w *writer) call(b *buffer, s *scope, c *Call) {
	switch c.Name {
	case "now":
		b.arg(c.Args[0].(*Value).V)
		if w.d.Vendor() == "postgresql" {
			b.str("::timestamptz")
		}
		return
	case "text":
		w.jsonPathText(b, s, c.Args[0].(*Col))
		return
	case "length":
		b.str(map[string]string{"mysql": "CHAR_LENGTH("}[w.d.Vendor()])
		if w.d.Vendor() != "mysql" {
			b.str("LENGTH(")
		}
	default:
		b.str(strings.ToUpper(c.Name), "(")
	}
	for i, a := range c.Args {
		if i > 0 {
			b.str(", ")
		}
		if col, ok := a.(*Col); ok && len(col.Path) > 0 && w.d.Vendor() == "sqlite" {
			w.jsonPath(b, s, col, "->") // what it gives is read as JSON
			continue
		}
		w.expr(b, s, a)
	}
	b.str(")")
}

func (w *writer) arith(b *buffer, s *scope, a *Arith) {
	if a.Op == '%' && w.d.Vendor() != "sqlite" {
		b.str("MOD(")
		w.expr(b, s, a.X)
		b.str(", ")
		w.expr(b, s, a.Y)
		b.str(")")
		return
	}
	op := " " + string(a.Op) + " "
	kind := a.Type().Kind
	if a.Op == '/' && w.d.Vendor() == "mysql" && kind == Int {
		op = " DIV " // as the others divide integers
	}
	// SQLite keeps a whole Decimal as an integer, and divides it as one.
	whole := w.d.Vendor() == "sqlite" && (kind == DecimalKind || kind == Float)
	b.str("(")
	switch {
	case whole && a.Op == '%':
		w.expr(b, s, a.X)
		b.str(" - CAST(ROUND(CAST(")
		w.expr(b, s, a.X)
		b.str(" AS REAL) / ")
		w.expr(b, s, a.Y)
		b.str(", 9) AS INTEGER)")
		op = " * "
	case whole && a.Op == '/':
		b.str("CAST(")
		w.expr(b, s, a.X)
		b.str(" AS REAL)")
	default:
		w.expr(b, s, a.X)
	}
	b.str(op)
	w.expr(b, s, a.Y)
	b.str(")")
}

func (w *writer) aggregate(b *buffer, s *scope, a *Agg) {
	defer func(having bool) { s.having = having }(s.having)
	s.having = false
	filterAsCase := a.Filter != nil && w.d.Vendor() == "mysql"
	b.str(strings.ToUpper(a.Name), "(")
	if a.Distinct {
		b.str("DISTINCT ")
	}
	if filterAsCase {
		b.str("CASE WHEN ")
		w.cond(b, s, a.Filter, false)
		b.str(" THEN ")
	}
	switch {
	case a.Arg == nil && filterAsCase:
		b.str("1")
	case a.Arg == nil:
		b.str("*")
	default:
		w.expr(b, s, a.Arg)
	}
	if filterAsCase {
		b.str(" END")
	}
	b.str(")")
	if a.Filter != nil && !filterAsCase {
		b.str(" FILTER (WHERE ")
		w.cond(b, s, a.Filter, false)
		b.str(")")
	}
}

func (w *writer) outer(b *buffer, s *scope, o *Outer) {
	if s.parent == nil || s.parent.table == nil {
		w.fail(Complete(o))
		return
	}
	c, err := w.outerColumn(s, o)
	if err != nil {
		w.fail(err)
		return
	}
	w.outside(b, s.parent, c)
}

// outside writes an expression of s inside of a sub-query.
func (w *writer) outside(b *buffer, s *scope, e Expr) {
	if s.having && w.d.Vendor() == "mysql" {
		// MySQL 9.7 crashes when a sub-query in HAVING compares two columns
		// that are grouped by as they are.
		b.str("COALESCE(")
		w.expr(b, s, e)
		b.str(")")
		return
	}
	w.expr(b, s, e)
}

func (w *writer) outerColumn(s *scope, o *Outer) (Expr, error) {
	res, err := w.Runner.Resolve(w.ctx, s.parent.table, o.Name, nil)
	if err != nil {
		return nil, err
	}
	if len(res.Rest) > 0 {
		return nil, &FieldError{fmt.Sprintf("OuterRef(%q) names a lookup: name a column", o.Name)}
	}
	return res.Col, nil
}

// Select compiles a query.
func (c *Compiler) Select(ctx context.Context, q *Select) (Statement, error) {
	w, err := c.writer(ctx)
	if err != nil {
		return Statement{}, err
	}
	b := w.query(q, nil)
	if w.err != nil {
		return Statement{}, w.err
	}
	st, err := b.statement(w.d, w.long, q.Lock)
	if q.Limit < 0 || q.Limit > 64 { // for a few rows the way to them does not matter
		st.endless = q.Limit < 0 && q.Offset == 0
		st.columns = make([]string, len(q.Outs))
		for i, o := range q.Outs {
			st.columns[i] = o.Name
		}
	}
	return st, err
}

// Count compiles the number of rows that a query gives.
func (c *Compiler) Count(ctx context.Context, q *Select) (Statement, error) {
	n := *q
	n.Lock = false
	n.Order = nil
	count := []Out{{"n", &Agg{Name: "count"}}}
	if !n.Distinct && n.Group == nil {
		// Columns do not matter, but for those that bring rows of their own.
		n.Outs = nil
		for _, o := range q.Outs {
			if ManyRows(o.Expr) {
				n.Outs = append(n.Outs, o)
			}
		}
		for _, o := range q.Order {
			if o.Expr != nil && ManyRows(o.Expr) {
				n.Outs = append(n.Outs, Out{"order", o.Expr})
			}
		}
		switch {
		case len(n.Outs) > 0:
		case n.Limit < 0 && n.Offset == 0:
			n.Outs = count
			return c.Select(ctx, &n)
		default:
			n.Outs = []Out{{"one", &Value{V: int64(1), Of: ColumnType{Kind: Int}}}}
		}
	}
	return c.Select(ctx, &Select{Table: Derived(&n), Outs: count, Limit: -1})
}

// Exists compiles whether a query gives a row.
func (c *Compiler) Exists(ctx context.Context, q *Select) (Statement, error) {
	n := *q
	n.Lock = false
	if n.Limit < 0 || n.Limit > 1 {
		n.Limit = 1
	}
	if n.Group == nil && !n.Distinct {
		n.Order = nil
		n.Outs = []Out{{"one", &Value{V: int64(1), Of: ColumnType{Kind: Int}}}}
	}
	return c.Select(ctx, &n)
}

// Assignment sets a column to an expression.
type Assignment struct {
	Column *Column
	Expr   Expr
}

// matching writes WHERE for an UPDATE or DELETE. Conditions over joins, and
// aggregates, go through a sub-query over the key.
func (w *writer) matching(b *buffer, s *scope, q *Select) {
	where := &buffer{}
	simple := !q.Distinct && q.Group == nil && q.Limit < 0 && q.Offset == 0
	if simple {
		for _, c := range q.Where {
			if Aggregated(c) {
				simple = false
				break
			}
			if len(where.text) > 0 {
				where.str(" AND ")
			}
			w.cond(where, s, c, false)
		}
	}
	if simple && len(s.joins.text) == 0 && !w.rereads(q.Table) {
		if len(where.text) > 0 {
			b.str(" WHERE ").add(where)
		}
		return
	}
	if len(q.Table.PK) == 0 {
		_, err := q.Table.Key()
		w.fail(err)
		return
	}
	inner := *q
	inner.Order = nil
	if q.Limit >= 0 || q.Offset > 0 {
		inner.Order = q.Order
	}
	inner.Outs = nil
	b.str(" WHERE (")
	for i, key := range q.Table.PK {
		if i > 0 {
			b.str(", ")
		}
		b.str(s.alias, ".", w.d.quote(key.Name))
		inner.Outs = append(inner.Outs, Out{key.Name, &Col{Column: key}})
	}
	b.str(") IN (")
	if w.d.Vendor() == "mysql" {
		b.str("SELECT * FROM (")
		w.apart(b, &inner)
		b.str(") AS matching")
	} else {
		b.add(w.query(&inner, nil))
	}
	b.str(")")
}

// apart writes a query that MySQL and MariaDB run once and before the
// statement around it, which changes what it reads. The LIMIT keeps the two
// from being merged; MariaDB would still run a query with groups again for each
// row (LATERAL DERIVED), but for the SELECT between.
func (w *writer) apart(b *buffer, q *Select) {
	b.str("SELECT * FROM (").add(w.query(q, &scope{})).str(") AS found LIMIT 9223372036854775807")
}

// Update compiles an UPDATE of the rows that q gives.
func (c *Compiler) Update(ctx context.Context, q *Select, set []Assignment) (Statement, error) {
	w, err := c.writer(ctx)
	if err != nil {
		return Statement{}, err
	}
	s := w.scope(nil, q.Table)
	b := &buffer{}
	b.str("UPDATE ", w.tableName(q.Table), " AS ", s.alias, " SET ")
	for i, a := range set {
		if i > 0 {
			b.str(", ")
		}
		b.str(w.d.quote(a.Column.Name), " = ")
		w.assigned(b, s, a)
		if len(s.joins.text) > 0 {
			return Statement{}, &FieldError{"update cannot set a column from another table's: " + a.Column.Name}
		}
	}
	if w.rereads(q.Table) {
		b = w.updateFromSelf(q, set)
	} else {
		w.matching(b, s, q)
	}
	if w.err != nil {
		return Statement{}, w.err
	}
	return b.statement(w.d, w.long, true)
}

// rereads reports whether a sub-query reads the table that the statement
// changes, which MySQL refuses unless it is behind a derived table.
func (w *writer) rereads(t *Table) bool {
	return w.d.Vendor() == "mysql" && w.read[strings.ToLower(t.Name)]
}

// updateFromSelf is an UPDATE of MySQL's with values that are computed from the
// same table: they are computed first, and found by the key.
func (w *writer) updateFromSelf(q *Select, set []Assignment) *buffer {
	if len(q.Table.PK) == 0 {
		_, err := q.Table.Key()
		w.fail(err)
	}
	inner := *q
	inner.Order, inner.Outs = nil, nil
	for _, key := range q.Table.PK {
		inner.Outs = append(inner.Outs, Out{key.Name, &Col{Column: key}})
	}
	for _, a := range set {
		inner.Outs = append(inner.Outs, Out{a.Column.Name, a.Expr})
	}
	b := &buffer{}
	b.str("UPDATE ", w.tableName(q.Table), " AS t JOIN (")
	w.apart(b, &inner)
	b.str(") AS v ON ")
	for i, key := range q.Table.PK {
		if i > 0 {
			b.str(" AND ")
		}
		b.str("t.", w.d.quote(key.Name), " = v.c", strconv.Itoa(i))
	}
	b.str(" SET ")
	for i, a := range set {
		if i > 0 {
			b.str(", ")
		}
		b.str("t.", w.d.quote(a.Column.Name), " = v.c", strconv.Itoa(len(q.Table.PK)+i))
	}
	return b
}

// assigned writes what a column is set to. The column's type is PostgreSQL's
// guess for the parameter, and the right one.
func (w *writer) assigned(b *buffer, s *scope, a Assignment) {
	if v, ok := a.Expr.(*Value); ok {
		b.arg(v.V)
		return
	}
	t := a.Column.Type
	switch {
	case w.d.Vendor() != "sqlite":
	case t.Kind == DecimalKind && t.Scale >= 0:
		// The servers bring what they compute to the column's scale.
		b.str("ROUND(")
		w.expr(b, s, a.Expr)
		b.str(", ", strconv.Itoa(t.Scale), ")")
		return
	case t.Kind == DateKind && a.Expr.Type().Kind == DateTime, t.Kind == DateTime && a.Expr.Type().Kind == DateKind:
		// As the servers, in UTC: SQLite would keep the text in the other's form.
		b.str(map[Kind]string{DateKind: "date(", DateTime: "datetime("}[t.Kind])
		w.expr(b, s, a.Expr)
		b.str(")")
		return
	case t.Kind == Int && computed(a.Expr):
		// The servers round too, and refuse what an integer cannot hold, where
		// SQLite would keep a float: so does abs of the least integer, which
		// hangs on v that it be asked in no other case.
		b.str("(SELECT CASE WHEN typeof(v) <> 'real' THEN v WHEN v >= -9223372036854775808.0 AND v < 9223372036854775808.0 THEN CAST(ROUND(v) AS INTEGER)",
			" ELSE abs(-9223372036854775807 - (v IS NOT NULL)) END FROM (SELECT ")
		w.expr(b, s, a.Expr)
		b.str(" AS v))")
		return
	}
	w.expr(b, s, a.Expr)
}

// computed reports whether an expression may give a float.
func computed(e Expr) bool {
	switch e := e.(type) {
	case *Col:
		return e.Type().Kind != Int && e.Type().Kind != Bool
	case *Call:
		return e.Type().Kind != Int || slices.ContainsFunc(e.Args, computed)
	case *Value:
		_, float := e.V.(float64)
		return float
	}
	return true
}

// Delete compiles a DELETE of the rows that q gives.
func (c *Compiler) Delete(ctx context.Context, q *Select) (Statement, error) {
	w, err := c.writer(ctx)
	if err != nil {
		return Statement{}, err
	}
	s := w.scope(nil, q.Table)
	b := &buffer{}
	b.str("DELETE ")
	if w.d.Vendor() == "mysql" {
		b.str(s.alias, " ")
	}
	b.str("FROM ", w.tableName(q.Table), " AS ", s.alias)
	w.matching(b, s, q)
	if w.err != nil {
		return Statement{}, w.err
	}
	return b.statement(w.d, w.long, true)
}
