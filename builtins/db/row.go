package db

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// rowLayout is what the rows of one query share.
type rowLayout struct {
	st     *state
	db     *sqldb.Database
	table  *sqldb.Table
	thread *starlark.Thread

	names   []string // of the cells
	attrs   []string // names that attributes reach; "" where a method wins
	types   []sqldb.ColumnType
	columns []*sqldb.Column // nil for an annotation
	offset  int             // of the first cell in the chunk's row
	related []relatedLayout

	// update is the statement that the last save used: a loop saves the same
	// columns again and again.
	update *savedUpdate
}

type relatedLayout struct {
	name   string
	layout *rowLayout
}

type savedUpdate struct {
	columns []int
	st      sqldb.Statement
}

func newRowLayout(qs *QuerySet, t *sqldb.Table, columns []*sqldb.Column, offset int) *rowLayout {
	l := &rowLayout{st: qs.st, db: qs.db, table: t, thread: qs.thread, offset: offset}
	for _, c := range columns {
		l.add(c.Name, c.Type, c)
	}
	return l
}

func (l *rowLayout) add(name string, t sqldb.ColumnType, c *sqldb.Column) {
	l.names = append(l.names, name)
	attr := name
	if l.st.m.rowM[name] != nil || name == "pk" {
		attr = ""
	}
	l.attrs = append(l.attrs, attr)
	l.types = append(l.types, t)
	l.columns = append(l.columns, c)
}

// rowLayout lays out the rows of a query and lists the columns to select.
func (qs *QuerySet) rowLayout() (*rowLayout, []sqldb.Out, error) {
	columns := qs.table.Columns
	if qs.only != nil {
		columns = nil
		for _, c := range qs.table.Columns {
			if slices.Contains(qs.only, c.Name) || slices.Contains(qs.table.PK, c) {
				columns = append(columns, c)
			}
		}
	}
	l := newRowLayout(qs, qs.table, columns, 0)
	var outs []sqldb.Out
	for _, c := range columns {
		outs = append(outs, sqldb.Out{Name: c.Name, Expr: &sqldb.Col{Column: c}})
	}
	for _, a := range qs.annotations {
		l.add(a.Name, a.Expr.Type(), nil)
		outs = append(outs, a)
	}
	byPath := map[string]*rowLayout{"": l}
	for _, path := range qs.related {
		hops, err := qs.relatedHops(path)
		if err != nil {
			return nil, nil, err
		}
		key := hops[len(hops)-1].Key
		parent := key.Parent
		name := key.ForwardName()
		sub := newRowLayout(qs, parent, parent.Columns, len(outs))
		for _, c := range parent.Columns {
			outs = append(outs, sqldb.Out{Name: path + "__" + c.Name, Expr: &sqldb.Col{Hops: hops, Column: c}})
		}
		up := byPath[strings.TrimSuffix(strings.TrimSuffix(path, name), "__")]
		up.related = append(up.related, relatedLayout{name, sub})
		byPath[path] = sub
	}
	return l, outs, nil
}

// Row is a row of a table: its columns are attributes. A script may change it
// and save it.
type Row struct {
	layout *rowLayout
	chunk  *sqldb.Chunk
	i      int32
	frozen bool
	more   *rowState
}

// rowState is what only some rows need.
type rowState struct {
	values  []starlark.Value // assigned, or mutable once touched; nil elsewhere
	dirty   []written
	marks   []sqldb.Mark // where the saved columns were saved; nil when none is
	keys    []savedKey   // those that it was saved under since it was read
	related map[string]starlark.Value
	late    map[string]starlark.Value // columns that only left out
}

// savedKey is a key that a row was saved under.
type savedKey struct {
	values []any // nil: the database computed it
	mark   sqldb.Mark
}

// written says what became of a column's assigned value.
type written uint8

const (
	settled  written = iota // it is the database's
	assigned                // it is the script's
	saved                   // it was written in a transaction that may yet roll back
)

var (
	_ starlark.HasSetField = (*Row)(nil)
	_ starlark.HasSetKey   = (*Row)(nil)
	_ starlark.Comparable  = (*Row)(nil)
	_ json.Marshaler       = (*Row)(nil)
)

// String names the row by its table and key.
func (r *Row) String() string {
	key, err := r.key()
	if err != nil {
		return "<" + r.layout.table.Name + " row>"
	}
	return "<" + r.layout.table.Name + " " + key.String() + ">"
}

// Type is "row".
func (r *Row) Type() string         { return "row" }
func (r *Row) Truth() starlark.Bool { return true }

// Freeze makes the row and the values that it holds immutable.
func (r *Row) Freeze() {
	if r.frozen {
		return
	}
	r.frozen = true
	if r.more == nil {
		return
	}
	for _, v := range r.more.values {
		if v != nil {
			v.Freeze()
		}
	}
	for _, v := range r.more.related {
		v.Freeze()
	}
}

// Hash is that of the key.
func (r *Row) Hash() (uint32, error) {
	key, err := r.keys()
	if err != nil {
		return 0, err
	}
	return key.Hash()
}

// CompareSameType knows == and !=: the same table and key.
func (r *Row) CompareSameType(op syntax.Token, y starlark.Value, depth int) (bool, error) {
	if op != syntax.EQL && op != syntax.NEQ {
		return false, fmt.Errorf("%s %s %s is not defined: compare a column", r.Type(), op, y.Type())
	}
	o := y.(*Row)
	same := r == o
	if !same && r.layout.db == o.layout.db && r.layout.table.Same(o.layout.table) {
		// Rows without a key are equal to themselves alone.
		a, aerr := r.keys()
		b, berr := o.keys()
		if aerr == nil && berr == nil {
			var err error
			if same, err = starlark.EqualDepth(a, b, depth-1); err != nil {
				return false, err
			}
		}
	}
	return same == (op == syntax.EQL), nil
}

func (r *Row) state() *rowState {
	if r.more == nil {
		r.more = &rowState{values: make([]starlark.Value, len(r.layout.names)), dirty: make([]written, len(r.layout.names))}
	}
	return r.more
}

// cell returns the value of a column, converting it.
func (r *Row) cell(i int) (starlark.Value, error) {
	if r.more != nil && r.more.values[i] != nil {
		return r.more.values[i], nil
	}
	l := r.layout
	raw := r.chunk.Cell(int(r.i), l.offset+i)
	if _, ok := raw.(starlark.String); ok {
		return raw.(starlark.Value), nil // as it lies there: a new one would cost memory
	}
	v, err := fromCell(raw, l.types[i])
	if _, ok := v.(starlark.String); ok && !r.frozen {
		// A text is often touched twice: keep it as scripts want it. Rows of a
		// chunk have no cell in common.
		r.chunk.Keep(int(r.i), l.offset+i, v)
		return v, nil
	}
	if err != nil {
		return nil, within(l.table.Name+"."+l.names[i], err)
	}
	if l.types[i].Kind == sqldb.JSONKind {
		// A list or dict is the same each time, so that a script can change
		// it and save it.
		if r.frozen {
			v.Freeze()
		} else {
			r.state().values[i] = v
		}
	}
	return v, nil
}

// raw is a cell as the database gave it.
func (r *Row) raw(i int) any {
	v := r.chunk.Cell(int(r.i), r.layout.offset+i)
	if s, ok := v.(starlark.String); ok {
		return string(s)
	}
	return v
}

// key is the value of the primary key.
func (r *Row) key() (starlark.Value, error) {
	c, err := r.layout.table.Key()
	if err != nil {
		return nil, translate(err)
	}
	i := slices.Index(r.layout.columns, c)
	if i < 0 {
		return nil, FieldError.Errorf("the row was read without its key %s", c.Name)
	}
	return r.cell(i)
}

// keys is the value of the primary key, of as many columns as it has.
func (r *Row) keys() (starlark.Value, error) {
	t := r.layout.table
	if len(t.PK) < 2 {
		return r.key()
	}
	out := make(starlark.Tuple, len(t.PK))
	for k, c := range t.PK {
		i := slices.Index(r.layout.columns, c)
		if i < 0 {
			return nil, FieldError.Errorf("the row was read without its key %s", c.Name)
		}
		var err error
		if out[k], err = r.cell(i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keyValues are what the key's columns hold in the database.
func (r *Row) keyValues() ([]any, error) {
	t := r.layout.table
	if len(t.PK) == 0 {
		_, err := t.Key()
		return nil, err
	}
	zone, err := r.layout.st.location()
	if err != nil {
		return nil, err
	}
	if r.more != nil {
		for _, saved := range slices.Backward(r.more.keys) {
			switch {
			case saved.mark.Undone():
			case saved.values == nil:
				return nil, FieldError.Errorf("the database computed the key of this row when it was saved: read it again")
			default:
				return slices.Clone(saved.values), nil
			}
		}
	}
	out := make([]any, len(t.PK))
	for k, c := range t.PK {
		i := slices.Index(r.layout.columns, c)
		if i < 0 {
			return nil, FieldError.Errorf("the row was read without its key %s", c.Name)
		}
		switch v := r.raw(i).(type) {
		case int64:
			out[k] = v
		case string:
			if c.Type.Kind == sqldb.Text {
				out[k] = v
			}
		}
		if out[k] != nil {
			continue
		}
		v, err := fromCell(r.raw(i), c.Type)
		if err != nil {
			return nil, err
		}
		if out[k], err = toColumn(v, c.Type, zone); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AttrNames lists columns, methods and related rows.
func (r *Row) AttrNames() []string {
	set := map[string]bool{"pk": true}
	for _, name := range r.layout.table.Columns {
		set[name.Name] = true
	}
	for _, name := range r.layout.names {
		set[name] = true
	}
	for name := range r.layout.st.m.rowM {
		set[name] = true
	}
	if forward, reverse, err := r.foreignKeys(); err == nil {
		for _, k := range forward {
			set[k.ForwardName()] = true
		}
		for _, k := range reverse {
			set[k.ReverseName(reverse)] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (r *Row) foreignKeys() (forward, reverse []*sqldb.ForeignKey, err error) {
	l := r.layout
	return l.st.runner(l.db).Keys(l.st.ctx(), l.table)
}

// Attr gives a method, a column, pk, or a related row.
func (r *Row) Attr(name string) (starlark.Value, error) {
	for i, attr := range r.layout.attrs {
		if attr == name {
			return r.cell(i)
		}
	}
	if b := r.layout.st.m.rowM[name]; b != nil {
		return b.BindReceiver(r), nil
	}
	if name == "pk" {
		return r.key()
	}
	v, err := r.relation(name)
	if v != nil || err != nil {
		return v, translate(err)
	}
	if c := r.layout.table.Column(name); c != nil {
		return value2(r.late(c))
	}
	return nil, nil
}

func value2(v starlark.Value, err error) (starlark.Value, error) { return v, translate(err) }

// Get is row["name"]: columns, whatever their names, and related rows whose
// names are no identifiers or reserved.
func (r *Row) Get(k starlark.Value) (starlark.Value, bool, error) {
	name, ok := starlark.AsString(k)
	if !ok {
		return nil, false, fmt.Errorf("a row's key is a column's name, not a %s", k.Type())
	}
	if i := slices.Index(r.layout.names, name); i >= 0 {
		v, err := r.cell(i)
		return v, err == nil, err
	}
	if c := r.layout.table.Column(name); c != nil {
		v, err := r.late(c)
		return v, err == nil, translate(err)
	}
	v, err := r.relation(name)
	return v, v != nil && err == nil, translate(err)
}

// late fetches a column that only left out.
func (r *Row) late(c *sqldb.Column) (starlark.Value, error) {
	if r.more != nil {
		if v := r.more.late[c.Name]; v != nil {
			return v, nil
		}
	}
	chunk, err := r.fetch([]sqldb.Out{{Name: c.Name, Expr: &sqldb.Col{Column: c}}})
	if err != nil {
		return nil, err
	}
	v, err := fromCell(chunk.Cell(0, 0), c.Type)
	if err != nil {
		return nil, err
	}
	if !r.frozen {
		st := r.state()
		if st.late == nil {
			st.late = map[string]starlark.Value{}
		}
		st.late[c.Name] = v
	}
	return v, nil
}

// fetch reads columns of the row afresh.
func (r *Row) fetch(outs []sqldb.Out) (*sqldb.Chunk, error) {
	l := r.layout
	key, err := r.keyValues()
	if err != nil {
		return nil, err
	}
	s := &sqldb.Select{Table: l.table, Outs: outs, Limit: -1}
	for i, c := range l.table.PK {
		s.Where = append(s.Where, &sqldb.Compare{Left: &sqldb.Col{Column: c}, Lookup: "exact", Right: key[i]})
	}
	chunks, err := l.st.read(l.db, s)
	if err != nil {
		return nil, err
	}
	if len(chunks) == 0 {
		return nil, DoesNotExist.Errorf("%s no longer exists", r)
	}
	return chunks[0], nil
}

// relation is the row that a foreign key points to, or the query of those that
// point here; nil when the name is none.
func (r *Row) relation(name string) (starlark.Value, error) {
	if r.more != nil {
		if v := r.more.related[name]; v != nil {
			return v, nil
		}
	}
	l := r.layout
	for _, rel := range l.related {
		if rel.name == name && !r.keyDirty(name) {
			sub := &Row{layout: rel.layout, chunk: r.chunk, i: r.i}
			if r.foreignNull(rel.layout) {
				return starlark.None, nil
			}
			r.keep(name, sub)
			return sub, nil
		}
	}
	forward, reverse, err := r.foreignKeys()
	if err != nil {
		return nil, err
	}
	for _, k := range forward {
		if k.ForwardName() != name {
			continue
		}
		v, found, err := r.Get(starlark.String(k.Column.Name))
		if err != nil || !found || v == starlark.None {
			return v, err
		}
		parent, err := l.one(k.Parent, k.ParentColumn, v)
		if err != nil {
			return nil, err
		}
		if parent == nil {
			return nil, DoesNotExist.Errorf("%s %s of %s does not exist", k.Parent.Name, v, r)
		}
		r.keep(name, parent)
		return parent, nil
	}
	for _, k := range reverse {
		if k.ReverseName(reverse) != name {
			continue
		}
		v, found, err := r.Get(starlark.String(k.ParentColumn.Name))
		if err != nil || !found {
			return nil, err
		}
		qs := newQuerySet(l.st, l.db, k.Child, l.thread)
		qs.of = &relation{k.Column, v}
		if v == starlark.None { // nothing points to NULL
			qs.empty = true
			return qs, nil
		}
		return value(qs.restrict("filter", false, nil, []starlark.Tuple{{starlark.String(k.Column.Name), v}}))
	}
	return nil, nil
}

// keyDirty: the key behind a relation was assigned since it was read.
func (r *Row) keyDirty(name string) bool {
	if r.more == nil {
		return false
	}
	for i, c := range r.layout.columns {
		if r.more.values[i] != nil && c != nil && (&sqldb.ForeignKey{Column: c}).ForwardName() == name {
			return true
		}
	}
	return false
}

// foreignNull: an outer join found no row.
func (r *Row) foreignNull(l *rowLayout) bool {
	for i := range l.names {
		if r.chunk.Cell(int(r.i), l.offset+i) != nil {
			return false
		}
	}
	return true
}

func (r *Row) keep(name string, v starlark.Value) {
	if r.frozen {
		v.Freeze()
		return
	}
	st := r.state()
	if st.related == nil {
		st.related = map[string]starlark.Value{}
	}
	st.related[name] = v
}

// one reads the row whose column has a value; nil when there is none.
func (l *rowLayout) one(t *sqldb.Table, c *sqldb.Column, v starlark.Value) (*Row, error) {
	zone, err := l.st.location()
	if err != nil {
		return nil, err
	}
	plain, err := toColumn(v, c.Type, zone)
	if err != nil {
		return nil, err
	}
	chunks, err := l.st.read(l.db, &sqldb.Select{
		Table: t, Outs: t.Outs(), Limit: 1, Where: sqldb.And{&sqldb.Compare{Left: &sqldb.Col{Column: c}, Lookup: "exact", Right: plain}},
	})
	if err != nil || len(chunks) == 0 {
		return nil, err
	}
	qs := &QuerySet{st: l.st, db: l.db, thread: l.thread}
	return &Row{layout: newRowLayout(qs, t, t.Columns, 0), chunk: chunks[0]}, nil
}

// SetField is row.column = value; row.user = other sets the key user_id.
func (r *Row) SetField(name string, v starlark.Value) error {
	if r.layout.st.m.rowM[name] != nil {
		return fmt.Errorf("%s is a method of rows: write row[%q] = …", name, name)
	}
	if name == "pk" {
		c, err := r.layout.table.Key()
		if err != nil {
			return translate(err)
		}
		name = c.Name
	}
	return r.set(name, v)
}

// SetKey is row["column"] = value.
func (r *Row) SetKey(k, v starlark.Value) error {
	name, ok := starlark.AsString(k)
	if !ok {
		return fmt.Errorf("a row's key is a column's name, not a %s", k.Type())
	}
	return r.set(name, v)
}

func (r *Row) set(name string, v starlark.Value) error {
	if r.frozen {
		return fmt.Errorf("cannot change a frozen row")
	}
	i := slices.Index(r.layout.names, name)
	if i >= 0 && r.layout.columns[i] != nil {
		st := r.state()
		st.values[i], st.dirty[i] = v, assigned
		delete(st.related, (&sqldb.ForeignKey{Column: r.layout.columns[i]}).ForwardName())
		return nil
	}
	if i >= 0 {
		return FieldError.Errorf("%s was annotated: it is no column of %s", name, r.layout.table.Name)
	}
	if c := r.layout.table.Column(name); c != nil {
		return r.setLate(c, v)
	}
	forward, _, err := r.foreignKeys()
	if err != nil {
		return translate(err)
	}
	for _, k := range forward {
		if k.ForwardName() != name {
			continue
		}
		key := v
		switch x := v.(type) {
		case *Row:
			if x.layout.db != r.layout.db || !x.layout.table.Same(k.Parent) {
				return engine.ValueError.Errorf("%s is a row of %s, not of %s", name, k.Parent.Name, x.layout.table.Name)
			}
			value, found, err := x.Get(starlark.String(k.ParentColumn.Name))
			if err != nil {
				return err
			}
			if !found {
				return engine.ValueError.Errorf("%s: the row of %s was read without its column %s", name, k.Parent.Name, k.ParentColumn.Name)
			}
			key = value
		case starlark.NoneType:
		default:
			return engine.ValueError.Errorf("%s is a row of %s: to set the key itself write .%s", name, k.Parent.Name, k.Column.Name)
		}
		if err := r.set(k.Column.Name, key); err != nil {
			return err
		}
		if v != starlark.None {
			r.keep(name, v)
		}
		return nil
	}
	var choices []string
	for _, c := range r.layout.table.Columns {
		choices = append(choices, c.Name)
	}
	return FieldError.Errorf("table %s has no column %q. Choices are: %s", r.layout.table.Name, name, strings.Join(choices, ", "))
}

// setLate assigns a column that only left out: the row gets a layout of its
// own that has it.
func (r *Row) setLate(c *sqldb.Column, v starlark.Value) error {
	l := *r.layout
	l.update = nil
	l.names, l.attrs = slices.Clip(l.names), slices.Clip(l.attrs)
	l.types, l.columns = slices.Clip(l.types), slices.Clip(l.columns)
	cells := make([]any, 0, len(l.names)+1)
	for i := range r.layout.names {
		cells = append(cells, r.raw(i))
	}
	l.offset = 0
	l.related = nil
	l.add(c.Name, c.Type, c)
	names := l.names
	chunk := sqldb.NewChunk(names, append(cells, nil))
	st := r.state()
	st.values = append(slices.Clip(st.values), v)
	st.dirty = append(slices.Clip(st.dirty), assigned)
	if st.marks != nil {
		st.marks = append(slices.Clip(st.marks), sqldb.Mark{})
	}
	delete(st.late, c.Name)
	r.layout, r.chunk, r.i = &l, chunk, 0
	return nil
}

// MarshalJSON writes the columns as an object.
func (r *Row) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range r.layout.names {
		v, err := r.cell(i)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		if raw, ok := v.(starlark.Bytes); ok {
			text, err := json.Marshal([]byte(raw))
			if err != nil {
				return nil, err
			}
			b.Write(text)
			continue
		}
		if err := toJSON(&b, v, 0); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

type rowMethod func(r *Row, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

func rowMethods() map[string]*starlark.Builtin {
	table := map[string]rowMethod{"save": rowSave, "delete": rowDelete, "refresh_from_db": rowRefresh, "as_dict": rowAsDict}
	out := make(map[string]*starlark.Builtin, len(table))
	for name, fn := range table {
		out[name] = engine.Builtin(name, func(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			r := b.Receiver().(*Row)
			if r.layout.st.inv != inv && name != "as_dict" {
				return nil, errors.New("this row was read by another run of a command: read it again in this one")
			}
			v, err := fn(r, b, args, kwargs)
			if err != nil {
				return nil, translate(err)
			}
			return v, nil
		})
	}
	return out
}

// rowAsDict is row.as_dict(): a new dict of the columns.
func rowAsDict(r *Row, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	d := starlark.NewDict(len(r.layout.names))
	for i, name := range r.layout.names {
		v, err := r.cell(i)
		if err != nil {
			return nil, err
		}
		if err := d.SetKey(starlark.String(name), v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// rowRefresh is row.refresh_from_db(): all columns as they are now.
func rowRefresh(r *Row, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	if r.frozen {
		return nil, fmt.Errorf("cannot change a frozen row")
	}
	chunk, err := r.fetch(r.layout.table.Outs())
	if err != nil {
		return nil, err
	}
	qs := &QuerySet{st: r.layout.st, db: r.layout.db, thread: r.layout.thread}
	r.layout = newRowLayout(qs, r.layout.table, r.layout.table.Columns, 0)
	r.chunk, r.i, r.more = chunk, 0, nil
	return starlark.None, nil
}

// rowSave is row.save(update_fields=None): writes the columns that were
// assigned since the row was read or saved, or those named.
func rowSave(r *Row, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var fields starlark.Value = starlark.None
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "update_fields?", &fields); err != nil {
		return nil, err
	}
	if r.frozen {
		return nil, fmt.Errorf("save: cannot save a frozen row")
	}
	l := r.layout
	var few [8]int
	columns := few[:0]
	if fields == starlark.None {
		if r.more == nil {
			return starlark.None, nil
		}
		r.settle()
		for i, dirty := range r.more.dirty {
			if dirty == assigned {
				columns = append(columns, i)
			}
		}
	} else {
		iterable, ok := fields.(starlark.Iterable)
		if !ok {
			return nil, fmt.Errorf("save: update_fields is a list of columns, not a %s", fields.Type())
		}
		for v := range starlark.Elements(iterable) {
			name, ok := starlark.AsString(v)
			if r.more != nil && r.more.late[name] != nil { // fetched since: a list in it may have changed
				if err := r.setLate(l.table.Column(name), r.more.late[name]); err != nil {
					return nil, err
				}
				l = r.layout
			}
			i := slices.Index(l.names, name)
			if !ok || i < 0 || l.columns[i] == nil {
				return nil, FieldError.Errorf("save: update_fields names %s, which is no column that this row was read with", v)
			}
			if !slices.Contains(columns, i) {
				columns = append(columns, i)
			}
		}
	}
	if len(columns) == 0 {
		return starlark.None, nil
	}
	n, err := r.write(columns)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, DatabaseError.Errorf("save: %s no longer exists", r)
	}
	l.st.wrote(l.db, n)
	r.wrote(columns)
	return starlark.None, nil
}

// wrote notes that columns were saved: for good where no transaction is open.
func (r *Row) wrote(columns []int) {
	if r.more == nil {
		return
	}
	var mark sqldb.Mark
	became := settled
	if tx := r.layout.st.tx(r.layout.db); tx != nil {
		became, mark = saved, tx.Mark()
		if r.more.marks == nil {
			r.more.marks = make([]sqldb.Mark, len(r.more.dirty))
		}
	}
	for _, i := range columns {
		r.more.dirty[i] = became
		if became == saved {
			r.more.marks[i] = mark
		}
	}
	if slices.ContainsFunc(columns, func(i int) bool { return slices.Contains(r.layout.table.PK, r.layout.columns[i]) }) {
		r.more.keys = append(r.more.keys, savedKey{r.assignedKey(), mark})
	}
}

// assignedKey is the key as the script has it; nil where that is an expression.
func (r *Row) assignedKey() []any {
	zone, err := r.layout.st.location()
	if err != nil {
		return nil
	}
	var out []any
	for _, c := range r.layout.table.PK {
		v, err := r.cell(slices.Index(r.layout.columns, c))
		if err != nil {
			return nil
		}
		plain, err := toColumn(v, c.Type, zone)
		if err != nil {
			return nil
		}
		out = append(out, plain)
	}
	return out
}

// settle finds out what became of the columns that were saved in a transaction:
// those that it rolled back are the script's again, to be saved once more.
func (r *Row) settle() {
	if r.more == nil || r.more.marks == nil {
		return
	}
	for i, d := range r.more.dirty {
		switch {
		case d != saved:
		case r.more.marks[i].Undone():
			r.more.dirty[i] = assigned
		case !r.more.marks[i].Open():
			r.more.dirty[i] = settled
		}
	}
}

// write updates the row's columns and returns how many rows matched.
func (r *Row) write(columns []int) (int64, error) {
	l := r.layout
	key, err := r.keyValues()
	if err != nil {
		return 0, err
	}
	c, err := l.st.compiler(l.db)
	if err != nil {
		return 0, err
	}
	zone, err := l.st.location()
	if err != nil {
		return 0, err
	}
	d, err := l.db.Dialect(l.st.ctx())
	if err != nil {
		return 0, err
	}
	values := make([]any, len(columns), len(columns)+len(key))
	var set []sqldb.Assignment
	plain := true
	for k, i := range columns {
		v, err := r.cell(i)
		if err != nil {
			return 0, err
		}
		x, err := l.st.assignment(l.db, l.table, l.columns[i], v, zone, d.Vendor())
		if err != nil {
			return 0, err
		}
		if e, ok := x.(sqldb.Expr); ok {
			plain = false
			set = append(set, sqldb.Assignment{Column: l.columns[i], Expr: e})
			continue
		}
		values[k] = x
		set = append(set, sqldb.Assignment{Column: l.columns[i], Expr: &sqldb.Value{V: x, Of: l.columns[i].Type}})
	}
	if !plain {
		return c.UpdateRow(l.st.ctx(), l.table, set, key)
	}
	if l.update == nil || !slices.Equal(l.update.columns, columns) {
		st, err := c.UpdateRowStatement(l.st.ctx(), l.table, set)
		if err != nil {
			return 0, err
		}
		l.update = &savedUpdate{slices.Clone(columns), st}
	}
	st := l.update.st
	st.Args = append(values, key...)
	res, err := c.Runner.Exec(l.st.ctx(), st)
	return res.Affected, err
}

// rowDelete is row.delete(): (n, {table: n}), as qs.delete().
func rowDelete(r *Row, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	key, err := r.keyValues()
	if err != nil {
		return nil, err
	}
	c, err := r.layout.st.compiler(r.layout.db)
	if err != nil {
		return nil, err
	}
	n, err := c.DeleteRow(r.layout.st.ctx(), r.layout.table, key)
	if err != nil {
		return nil, err
	}
	r.layout.st.wrote(r.layout.db, n)
	return deleted(r.layout.table, n)
}
