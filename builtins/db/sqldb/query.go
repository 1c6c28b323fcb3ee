package sqldb

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A query as data. Names are resolved before they get here: an Expr holds
// Columns, never text that a script wrote.

// Expr is an expression: *Col, *Value, *Call, *Arith, *Agg, *Part, *Test or *Outer.
type Expr interface {
	// Type is what its values are.
	Type() ColumnType
}

// Hop is one step along a foreign key.
type Hop struct {
	Key *ForeignKey
	// Reverse: from the parent to the children.
	Reverse bool
	// Use keeps joins to children apart: conditions of one filter call look at
	// one child, those of another at any other, as Django's.
	Use int
}

// Col is a column, reached from the query's table over foreign keys.
type Col struct {
	Hops   []Hop
	Column *Column
	// Path leads into a JSON column.
	Path []string
	// Part is a piece of a date: date, year, month, day, week_day, hour,
	// minute or second. Empty: the whole.
	Part string
}

// Type is the column's, or that of the part.
func (c *Col) Type() ColumnType {
	if c.Part == "" {
		return c.Column.Type
	}
	return partType(c.Part)
}

func partType(part string) ColumnType {
	if part == "date" {
		return ColumnType{Kind: DateKind}
	}
	return ColumnType{Kind: Int}
}

// Part is a piece of a date that is computed, as Col.Part is of a column's.
type Part struct {
	Of   Expr
	Name string
}

// Type is that of the part.
func (p *Part) Type() ColumnType { return partType(p.Name) }

// SameColumn reports whether two expressions are one and the same column, or
// the same part of one annotation.
func SameColumn(x, y Expr) bool {
	if p, ok := x.(*Part); ok {
		q, ok := y.(*Part)
		return ok && p.Name == q.Name && (p.Of == q.Of || SameColumn(p.Of, q.Of))
	}
	a, ok := x.(*Col)
	b, too := y.(*Col)
	return ok && too && a.Column == b.Column && a.Part == b.Part && slices.Equal(a.Path, b.Path) && slices.Equal(a.Hops, b.Hops)
}

// Value is a constant.
type Value struct {
	V  any
	Of ColumnType
}

// Type is that of the constant.
func (v *Value) Type() ColumnType { return v.Of }

// TypeOf returns the type of a plain Go value.
func TypeOf(v any) ColumnType {
	t := ColumnType{Scale: -1}
	switch v := v.(type) {
	case bool:
		t.Kind = Bool
	case int64:
		t.Kind = Int
	case float64:
		t.Kind = Float
	case string:
		t.Kind = Text
	case []byte:
		t.Kind = Bytes
	case time.Time:
		t.Kind = DateTime
	case Decimal:
		t.Kind = DecimalKind
		if _, frac, ok := strings.Cut(string(v), "."); ok {
			t.Scale = len(frac)
		} else {
			t.Scale = 0
		}
	case Date:
		t.Kind = DateKind
	case JSON:
		t.Kind = JSONKind
	}
	return t
}

// Call is a function: lower, upper, trim, length, coalesce, now, or text, which
// is the text at a path into JSON.
type Call struct {
	Name string
	Args []Expr
}

// Type is what the function returns.
func (c *Call) Type() ColumnType {
	switch c.Name {
	case "length":
		return ColumnType{Kind: Int}
	case "now":
		return ColumnType{Kind: DateTime}
	case "coalesce":
		for _, a := range c.Args {
			if t := a.Type(); t.Kind != Any {
				return t
			}
		}
		return ColumnType{}
	}
	return ColumnType{Kind: Text}
}

// Arith is an operation: + - * / or %.
type Arith struct {
	Op   byte
	X, Y Expr
}

// Type follows the operands: decimals win over floats, floats over ints.
func (a *Arith) Type() ColumnType {
	x, y := a.X.Type(), a.Y.Type()
	rank := func(t ColumnType) int {
		switch t.Kind {
		case DecimalKind:
			return 3
		case Float:
			return 2
		case Int, Bool:
			return 1
		}
		return 4 // an unknown operand leaves the result unknown
	}
	t := x
	if rank(y) > rank(x) {
		t = y
	}
	t.SQL = ""
	if t.Kind == DecimalKind {
		switch {
		case a.Op == '*' && x.Kind == DecimalKind && y.Kind == DecimalKind && x.Scale >= 0 && y.Scale >= 0:
			t.Scale = x.Scale + y.Scale
		case a.Op == '/', x.Kind == Float, y.Kind == Float:
			t.Scale = -1
		case x.Kind == DecimalKind && y.Kind == DecimalKind:
			t.Scale = max(x.Scale, y.Scale)
		}
	}
	if rank(x) == 4 || rank(y) == 4 {
		return ColumnType{}
	}
	return t
}

// Agg is an aggregate: count, sum, avg, min or max.
type Agg struct {
	Name string
	// Arg is nil for COUNT(*).
	Arg      Expr
	Distinct bool
	Filter   Cond
}

// Type is the aggregate's: counts and sums of integers are integers, averages
// of them floats.
func (a *Agg) Type() ColumnType {
	if a.Name == "count" {
		return ColumnType{Kind: Int}
	}
	t := a.Arg.Type()
	t.SQL = ""
	if a.Name == "avg" {
		switch t.Kind {
		case DecimalKind:
			t.Scale = -1
		case Int, Bool:
			t = ColumnType{Kind: Float}
		}
	}
	if a.Name == "sum" && t.Kind == Bool {
		t.Kind = Int
	}
	return t
}

// Test is whether a condition holds.
type Test struct{ Cond Cond }

// Type is bool.
func (*Test) Type() ColumnType { return ColumnType{Kind: Bool} }

// Outer is a name that the query around a sub-query resolves.
type Outer struct{ Name string }

// Type is not known before then.
func (*Outer) Type() ColumnType { return ColumnType{} }

// Complete refuses an expression of a query that stands alone when an Outer is
// in it, which only the query around a sub-query resolves.
func Complete(e Expr) error {
	switch e := e.(type) {
	case *Outer:
		return &FieldError{"OuterRef(" + strconv.Quote(e.Name) + ") stands outside a sub-query"}
	case *Call:
		for _, a := range e.Args {
			if err := Complete(a); err != nil {
				return err
			}
		}
	case *Arith:
		return cmp.Or(Complete(e.X), Complete(e.Y))
	case *Part:
		return Complete(e.Of)
	case *Agg:
		return cmp.Or(Complete(e.Arg), completeCond(e.Filter))
	}
	return nil
}

func completeCond(c Cond) error {
	switch c := c.(type) {
	case And:
		for _, x := range c {
			if err := completeCond(x); err != nil {
				return err
			}
		}
	case Or:
		return completeCond(And(c))
	case *Not:
		return completeCond(c.X)
	case *Compare:
		list, _ := c.Right.([]any)
		for _, v := range append([]any{c.Left, c.Right}, list...) {
			e, _ := v.(Expr)
			if err := Complete(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// HasAggregate reports whether an aggregate stands in e.
func HasAggregate(e Expr) bool {
	switch e := e.(type) {
	case *Agg:
		return true
	case *Call:
		for _, a := range e.Args {
			if HasAggregate(a) {
				return true
			}
		}
	case *Arith:
		return HasAggregate(e.X) || HasAggregate(e.Y)
	case *Part:
		return HasAggregate(e.Of)
	}
	return false
}

// Columns are those that e is computed from, outside of aggregates.
func Columns(e Expr) []*Col {
	var all []*Col
	switch e := e.(type) {
	case *Col:
		all = append(all, e)
	case *Call:
		for _, a := range e.Args {
			all = append(all, Columns(a)...)
		}
	case *Arith:
		all = append(Columns(e.X), Columns(e.Y)...)
	case *Part:
		all = Columns(e.Of)
	}
	return all
}

// ManyRows reports whether a column of children stands in e, outside an
// aggregate: the query then gives a row for each child.
func ManyRows(e Expr) bool {
	return slices.ContainsFunc(Columns(e), func(c *Col) bool {
		return slices.ContainsFunc(c.Hops, func(h Hop) bool { return h.Reverse })
	})
}

// Cond is a condition: *And, *Or, *Not, *Compare, *Exists, or Const.
type Cond interface{ cond() }

type (
	// And holds when all of its conditions do.
	And []Cond
	// Or holds when one of its conditions does.
	Or []Cond
	// Not holds when X does not.
	Not struct{ X Cond }
	// Const is always or never.
	Const bool
	// Exists holds when the query has a row.
	Exists struct{ Query *Select }
	// Compare is a lookup: Left's values against Right.
	Compare struct {
		Left   Expr
		Lookup string
		// Right is a value for one operand, []any for in and range, an Expr,
		// or a *Select for in. A bool for isnull.
		Right any
		// Joined: under a NOT too it is about the child that is joined, not
		// about all children, as in the filter of an aggregate.
		Joined bool
	}
)

func (And) cond()      {}
func (Or) cond()       {}
func (*Not) cond()     {}
func (Const) cond()    {}
func (*Exists) cond()  {}
func (*Compare) cond() {}

// Aggregated reports whether a condition looks at an aggregate and so belongs
// after GROUP BY.
func Aggregated(c Cond) bool {
	switch c := c.(type) {
	case And:
		for _, x := range c {
			if Aggregated(x) {
				return true
			}
		}
	case Or:
		for _, x := range c {
			if Aggregated(x) {
				return true
			}
		}
	case *Not:
		return Aggregated(c.X)
	case *Compare:
		over := func(v any) bool { e, ok := v.(Expr); return ok && HasAggregate(e) }
		list, _ := c.Right.([]any)
		return over(c.Left) || over(c.Right) || slices.ContainsFunc(list, over)
	}
	return false
}

// Fold settles what can be known without the database: an empty in is never,
// an And with a never is never.
func Fold(c Cond) Cond {
	switch c := c.(type) {
	case And:
		out := make(And, 0, len(c))
		for _, x := range c {
			switch x := Fold(x).(type) {
			case Const:
				if !x {
					return Const(false)
				}
			case And:
				out = append(out, x...)
			default:
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return Const(true)
		}
		return out
	case Or:
		out := make(Or, 0, len(c))
		for _, x := range c {
			switch x := Fold(x).(type) {
			case Const:
				if x {
					return Const(true)
				}
			default:
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return Const(false)
		}
		return out
	case *Not:
		x := Fold(c.X)
		if k, ok := x.(Const); ok {
			return !k
		}
		return &Not{x}
	case *Compare:
		if c.Lookup == "in" {
			switch r := c.Right.(type) {
			case []any:
				if len(r) == 0 {
					return Const(false)
				}
			case *Select:
				if r.never() {
					return Const(false)
				}
			}
		}
	case *Exists:
		if c.Query.never() {
			return Const(false)
		}
	}
	return c
}

func (s *Select) never() bool {
	if s.Empty {
		return true
	}
	k, ok := Fold(s.Where).(Const)
	return ok && !bool(k)
}

// Out is one column of a result.
type Out struct {
	Name string
	Expr Expr
}

// Order is one term of an ordering. A nil Expr is a random order.
type Order struct {
	Expr Expr
	Desc bool
}

// Select is a query. It is not changed once built.
type Select struct {
	Table *Table
	Where And
	Outs  []Out
	// Group are the expressions to group by; nil without grouping. Empty, all
	// rows are one group.
	Group    []Expr
	Order    []Order
	Limit    int64 // -1: none
	Offset   int64
	Distinct bool
	// Empty: the query gives no rows and is never asked.
	Empty bool
	// Lock is FOR UPDATE.
	Lock               bool
	NoWait, SkipLocked bool

	around *scope // the query around a sub-query, when it is not the place's
}

// Derived returns a table that stands for the query's result, so that another
// query can be made over it.
func Derived(s *Select) *Table {
	t := &Table{derived: s, db: s.Table.db}
	for i, o := range s.Outs {
		ct := o.Expr.Type()
		ct.SQL = ""
		t.Columns = append(t.Columns, &Column{Name: o.Name, Type: ct, Null: true, as: "c" + strconv.Itoa(i)})
	}
	t.index = make(map[string]int, len(t.Columns))
	for i, c := range t.Columns {
		t.index[c.Name] = i
	}
	return t
}

// Unnamed returns a table that stands for the result of a statement of which
// nothing is known.
func Unnamed() *Table { return &Table{Name: "query", derived: &Select{}} }

// Compiler writes queries as SQL of one database.
type Compiler struct {
	// Runner is where tables are asked for.
	Runner Runner
	// Zone is what days and hours of an instant mean.
	Zone *time.Location
}

// Resolution is what a dotted name of Django's ("user__email__iexact") means.
type Resolution struct {
	Col *Col
	// Rest are the parts after the column: a lookup, or nothing.
	Rest []string
	// Key is the foreign key whose row the name stands for, when it names one
	// ("user"): Col is then the key's column.
	Key *ForeignKey
}

// isDatePart reports whether name is a piece of a date that a name may end in,
// before its lookup.
func isDatePart(name string) bool {
	switch name {
	case "date", "year", "month", "day", "week_day", "hour", "minute", "second":
		return true
	}
	return false
}

// IsLookup reports whether name is a lookup: what may stand after a column.
func IsLookup(name string) bool {
	switch name {
	case "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "gt", "gte", "lt", "lte",
		"in", "range", "isnull", "regex", "iregex":
		return true
	}
	return false
}

// Resolve finds the column that a name means, from table t: columns of the
// table, pk, foreign keys both ways, paths into JSON and parts of dates. use
// gives the Use of a hop to children.
func (r Runner) Resolve(ctx context.Context, t *Table, name string, use func(path string) int) (Resolution, error) {
	parts := strings.Split(name, "__")
	var hops []Hop
	var path strings.Builder
	for i := 0; i < len(parts); {
		// A column's own name may hold "__": the longest match wins.
		var column *Column
		n := 0
		for j := len(parts); j > i; j-- {
			if column = t.Column(strings.Join(parts[i:j], "__")); column != nil {
				n = j - i
				break
			}
		}
		if column == nil && parts[i] == "pk" {
			key, err := t.Key()
			if err != nil {
				return Resolution{}, err
			}
			column, n = key, 1
		}
		if column != nil {
			return r.tail(ctx, t, Resolution{Col: &Col{Hops: hops, Column: column}, Rest: parts[i+n:]}, name)
		}
		forward, reverse, err := r.Keys(ctx, t)
		if err != nil {
			return Resolution{}, err
		}
		hop, n, choices := findHop(parts[i:], forward, reverse)
		if n == 0 {
			return Resolution{}, t.noColumn(parts[i], choices...)
		}
		i += n
		if !hop.Reverse {
			// The key itself holds what its parent's column would say.
			if i == len(parts) || IsLookup(parts[i]) {
				return r.tail(ctx, t, Resolution{Col: &Col{Hops: hops, Column: hop.Key.Column}, Rest: parts[i:], Key: hop.Key}, name)
			}
			if target := hop.Key.ParentColumn; parts[i] == target.Name || parts[i] == "pk" && len(hop.Key.Parent.PK) == 1 && hop.Key.Parent.PK[0] == target {
				return r.tail(ctx, t, Resolution{Col: &Col{Hops: hops, Column: hop.Key.Column}, Rest: parts[i+1:]}, name)
			}
			path.WriteString(">" + hop.Key.Column.Name)
			t = hop.Key.Parent
		} else {
			path.WriteString("<" + hop.Key.Child.Name + "." + hop.Key.Column.Name)
			if use != nil {
				hop.Use = use(path.String())
			}
			t = hop.Key.Child
			if i == len(parts) || IsLookup(parts[i]) {
				// The children themselves: their key.
				key, err := t.Key()
				if err != nil {
					return Resolution{}, err
				}
				hops = append(hops[:len(hops):len(hops)], hop)
				return r.tail(ctx, t, Resolution{Col: &Col{Hops: hops, Column: key}, Rest: parts[i:]}, name)
			}
		}
		hops = append(hops[:len(hops):len(hops)], hop)
	}
	return Resolution{}, t.noColumn(name)
}

// findHop finds the foreign key that the parts begin with, and how many of
// them its name takes.
func findHop(parts []string, forward, reverse []*ForeignKey) (hop Hop, n int, choices []string) {
	for _, k := range forward {
		name := k.ForwardName()
		if c := strings.Count(name, "__") + 1; c <= len(parts) && c > n && strings.Join(parts[:c], "__") == name {
			hop, n = Hop{Key: k}, c
		}
		choices = append(choices, name)
	}
	for _, k := range reverse {
		name := k.ReverseName(reverse)
		if c := strings.Count(name, "__") + 1; c <= len(parts) && c > n && strings.Join(parts[:c], "__") == name {
			hop, n = Hop{Key: k, Reverse: true}, c
		}
		choices = append(choices, name)
	}
	return hop, n, choices
}

// tail reads what follows a column: a path into JSON, a part of a date.
func (r Runner) tail(_ context.Context, t *Table, res Resolution, name string) (Resolution, error) {
	c := res.Col
	switch c.Column.Type.Kind {
	case JSONKind:
		n := len(res.Rest)
		if n > 0 && IsLookup(res.Rest[n-1]) {
			n--
		}
		c.Path, res.Rest = res.Rest[:n:n], res.Rest[n:]
	case DateKind, DateTime:
		var err error
		if c.Part, res.Rest, err = datePart("column "+c.Column.Name, c.Column.Type, res.Rest); err != nil {
			return res, err
		}
	}
	return res, endsInLookup("column "+c.Column.Name+" of "+cmp.Or(t.Name, "the query"), c.Column.Type, res.Rest, name)
}

// datePart takes a part of a date off what follows the name of one, a date or
// an instant.
func datePart(what string, t ColumnType, rest []string) (part string, left []string, err error) {
	if len(rest) == 0 || !isDatePart(rest[0]) {
		return "", rest, nil
	}
	part = rest[0]
	if t.Kind == DateKind {
		switch part {
		case "hour", "minute", "second":
			return "", rest, &FieldError{what + " is a date: it has no " + part}
		case "date":
			part = ""
		}
	}
	return part, rest[1:], nil
}

// endsInLookup refuses anything but a lookup behind a name.
func endsInLookup(what string, t ColumnType, rest []string, name string) error {
	if len(rest) > 1 || len(rest) == 1 && !IsLookup(rest[0]) {
		return &FieldError{"unsupported lookup " + quoted(strings.Join(rest, "__")) + " for " + what + " (" + t.Kind.String() + "), in " + quoted(name)}
	}
	return nil
}

// Annotated reads what follows the name of an annotation e: a path into JSON
// and parts of a date as behind a column's, a lookup.
func (r Runner) Annotated(ctx context.Context, e Expr, name string, rest []string) (Expr, []string, error) {
	whole := strings.Join(append([]string{name}, rest...), "__")
	t := e.Type()
	if c, ok := e.(*Col); ok && c.Part == "" && len(c.Path) == 0 && len(rest) > 0 && !IsLookup(rest[0]) {
		col := *c
		res, err := r.tail(ctx, &Table{Name: "annotation " + name}, Resolution{Col: &col, Rest: rest}, whole)
		return res.Col, res.Rest, err
	}
	if t.Kind == DateKind || t.Kind == DateTime {
		part, left, err := datePart("annotation "+name, t, rest)
		if err != nil {
			return nil, nil, err
		}
		if rest = left; part != "" {
			e = &Part{e, part}
		}
	}
	return e, rest, endsInLookup("annotation "+name, t, rest, whole)
}

func quoted(s string) string { return `"` + s + `"` }
