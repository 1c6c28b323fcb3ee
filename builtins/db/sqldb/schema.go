package sqldb

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/starmanage/starmanage/internal/suggest"
)

// Kind is what a column's declared type means. Values are converted by it,
// never by what a driver happened to return.
type Kind uint8

const (
	// Any is a column without a type (SQLite) or an expression of unknown
	// type: values are taken as the driver gives them.
	Any Kind = iota
	Bool
	Int
	Float
	DecimalKind
	Text
	Bytes
	DateKind
	DateTime
	JSONKind
	UUID
	// Other is a type that is read and written as text: time, interval, inet.
	Other
)

var kindNames = [...]string{"any", "bool", "int", "float", "Decimal", "str", "bytes", "date", "datetime", "json", "uuid", "text"}

// String returns the name that scripts are told.
func (k Kind) String() string { return kindNames[k] }

// ColumnType is a column's or an expression's type.
type ColumnType struct {
	Kind Kind
	// Precision and Scale are a decimal's digits; Scale is -1 where none is
	// declared.
	Precision, Scale int
	// SQL is the declared type; empty for an expression.
	SQL string
}

// ParseUUID returns the usual form of a UUID (RFC 9562: small letters, dashes),
// if s is one, with dashes or without, perhaps in braces.
func ParseUUID(s string) (string, bool) {
	h := strings.ToLower(strings.ReplaceAll(strings.Trim(s, "{}"), "-", ""))
	if len(h) != 32 || strings.Trim(h, "0123456789abcdef") != "" {
		return "", false
	}
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], true
}

// single reports whether values are to be compared as floats of 4 bytes, which
// PostgreSQL's real and MySQL's float are, and which have room for them: one of 8
// that reads the same is not equal.
func (t ColumnType) single(values ...any) bool {
	if t.Kind != Float || t.SQL != "real" && !strings.HasPrefix(t.SQL, "float") {
		return false
	}
	return !slices.ContainsFunc(values, func(v any) bool {
		f, _ := v.(float64)
		short := float64(float32(f))
		return math.IsInf(short, 0) != math.IsInf(f, 0) || short == 0 && f != 0
	})
}

// Column is a column of a table.
type Column struct {
	Name string
	Type ColumnType
	// Null: the column may be NULL.
	Null bool
	// Auto: the database numbers new rows.
	Auto bool
	// HasDefault: the database has a value for rows that give none.
	HasDefault bool
	// Generated: the column is computed and cannot be written.
	Generated bool

	as       string // its name in SQL, when it is a column of a sub-query
	computed bool   // MySQL: its default is an expression, or it is generated
	// collation is MySQL's of a text in utf8mb4.
	collation string
}

// ForeignKey is a foreign key of one column.
type ForeignKey struct {
	// Child and Column hold the key; Parent and ParentColumn are what it
	// points to.
	Child        *Table
	Column       *Column
	Parent       *Table
	ParentColumn *Column
}

// Table is what introspection found of a table or a view. It is immutable.
type Table struct {
	// Schema and Name are spelled as the database keeps them, however they were
	// asked for. Schema is empty where a bare name finds the table.
	Schema, Name string
	Columns      []*Column
	// PK are the columns of the primary key; none for a view.
	PK []*Column
	// Unique are the columns of each unique constraint, the key included.
	Unique [][]string

	db      *Database
	index   map[string]int
	derived *Select // a sub-query that stands as a table
}

// keyEdge is one column of a foreign key as a database lists it.
type keyEdge struct {
	childSchema, child, constraint, column, parentSchema, parent, parentColumn string
}

// setUnique groups rows of (index, column, …), ordered by index; an index over
// an expression has a NULL column and is left out.
func (t *Table) setUnique(rows [][]any) {
	var last any
	var bad bool
	for _, row := range rows {
		if len(t.Unique) == 0 || asText(row[0]) != last || bad {
			if bad && asText(row[0]) == last {
				continue
			}
			t.Unique = append(t.Unique, nil)
			last, bad = asText(row[0]), false
		}
		if row[1] == nil {
			t.Unique = t.Unique[:len(t.Unique)-1]
			bad = true
			continue
		}
		n := len(t.Unique) - 1
		t.Unique[n] = append(t.Unique[n], asText(row[1]))
	}
}

func (t *Table) finish(db *Database) {
	t.db = db
	t.index = make(map[string]int, len(t.Columns))
	for i, c := range t.Columns {
		t.index[c.Name] = i
	}
	if len(t.PK) > 0 {
		names := ColumnNames(t.PK)
		if !slices.ContainsFunc(t.Unique, func(u []string) bool { return slices.Equal(u, names) }) {
			t.Unique = append(t.Unique, names)
		}
	}
}

// ColumnNames returns the names of columns.
func ColumnNames(columns []*Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// Column returns the column of that exact name; nil when there is none.
func (t *Table) Column(name string) *Column {
	if i, ok := t.index[name]; ok {
		return t.Columns[i]
	}
	return nil
}

// Index returns the column's place; -1 when there is none of that name.
func (t *Table) Index(name string) int {
	if i, ok := t.index[name]; ok {
		return i
	}
	return -1
}

// Key returns the primary key's only column, or an error that says why there
// is none.
func (t *Table) Key() (*Column, error) {
	switch len(t.PK) {
	case 0:
		return nil, &FieldError{fmt.Sprintf("table %s has no primary key", t.Name)}
	case 1:
		return t.PK[0], nil
	}
	return nil, &FieldError{fmt.Sprintf("table %s has a primary key of several columns (%s): name them", t.Name, strings.Join(ColumnNames(t.PK), ", "))}
}

// HasUnique reports whether a unique constraint stands on exactly these
// columns.
func (t *Table) HasUnique(columns []string) bool {
	want := slices.Sorted(slices.Values(columns))
	return slices.ContainsFunc(t.Unique, func(u []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(u)), want)
	})
}

// FieldError is a name that resolves to nothing, or a use that a column's type
// does not allow.
type FieldError struct{ Message string }

func (e *FieldError) Error() string { return e.Message }

// NoTableError is a table that does not exist.
type NoTableError struct {
	Name, Alias string
	Suggestion  string
	Tables      []string
}

func (e *NoTableError) Error() string {
	msg := fmt.Sprintf("no table %q in database %q", e.Name, e.Alias)
	switch {
	case e.Suggestion != "":
		return msg + ". Did you mean " + e.Suggestion + "?"
	case len(e.Tables) == 0:
		return msg + ": it has no tables; run migrate first"
	}
	return msg + ": choices are " + list(e.Tables)
}

func list(names []string) string {
	const most = 40
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// schemaCache is what was asked of a database so far.
type schemaCache struct {
	mu     sync.Mutex
	tables map[string]*Table
	keys   map[*Table]*tableKeys
	edges  []keyEdge
	loaded bool // edges
	forgot uint64
}

type tableKeys struct {
	forward []*ForeignKey
	reverse []*ForeignKey
}

// Table returns the table of that name: the exact name first, then
// schema.table. It asks the database once for each. r is where it asks.
func (r Runner) Table(ctx context.Context, name string) (*Table, error) {
	s := &r.db.schema
	s.mu.Lock()
	t := s.tables[name]
	s.mu.Unlock()
	if t != nil {
		return t, nil
	}
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return nil, err
	}
	if name != "" && !strings.ContainsRune(name, 0) {
		if t, err = d.inspect(ctx, r, "", name); err != nil {
			return nil, err
		}
		if schema, bare, ok := strings.Cut(name, "."); t == nil && ok && schema != "" {
			if t, err = d.inspect(ctx, r, schema, bare); err != nil {
				return nil, err
			}
		}
	}
	if t == nil {
		tables, err := d.tables(ctx, r)
		if err != nil {
			return nil, err
		}
		return nil, &NoTableError{Name: name, Alias: r.db.alias, Suggestion: suggest.Closest(name, tables), Tables: tables}
	}
	t.finish(r.db)
	return s.add(name, t), nil
}

// add keeps a table, or returns the one that another goroutine kept first:
// tables are compared by identity.
func (s *schemaCache) add(name string, t *Table) *Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables == nil {
		s.tables = map[string]*Table{}
	}
	for _, other := range s.tables {
		if other.Schema == t.Schema && other.Name == t.Name {
			t = other
			break
		}
	}
	s.tables[name] = t
	return t
}

// Tables returns the names of the tables and views, sorted.
func (r Runner) Tables(ctx context.Context) ([]string, error) {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return nil, err
	}
	return d.tables(ctx, r)
}

// ForgetSchema drops what is known of the tables: call it after a statement
// that changed them.
func (db *Database) ForgetSchema() {
	s := &db.schema
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables, s.keys, s.edges, s.loaded = nil, nil, nil, false
	s.forgot++
}

// SchemaVersion changes with each ForgetSchema: whoever rolls back what
// changed tables forgets again.
func (db *Database) SchemaVersion() uint64 {
	s := &db.schema
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forgot
}

// Keys returns the foreign keys that the table holds and those of other tables
// that point to it. Keys of several columns are left out.
func (r Runner) Keys(ctx context.Context, t *Table) (forward, reverse []*ForeignKey, err error) {
	if t.derived != nil {
		return nil, nil, nil
	}
	s := &r.db.schema
	s.mu.Lock()
	k, edges, loaded := s.keys[t], s.edges, s.loaded
	s.mu.Unlock()
	if k != nil {
		return k.forward, k.reverse, nil
	}
	if !loaded {
		d, err := r.db.Dialect(ctx)
		if err != nil {
			return nil, nil, err
		}
		if edges, err = d.foreignKeys(ctx, r); err != nil {
			return nil, nil, err
		}
		count := map[[3]string]int{}
		for _, e := range edges {
			count[[3]string{e.childSchema, e.child, e.constraint}]++
		}
		seen := map[keyEdge]bool{} // the same key may be declared twice
		edges = slices.DeleteFunc(edges, func(e keyEdge) bool {
			several := count[[3]string{e.childSchema, e.child, e.constraint}] > 1
			e.constraint = ""
			again := seen[e]
			seen[e] = true
			return several || again
		})
		s.mu.Lock()
		s.edges, s.loaded = edges, true
		s.mu.Unlock()
	}
	same := func(schema, name string) bool { return name == t.Name && schema == t.Schema }
	k = &tableKeys{}
	for _, e := range edges {
		isChild, isParent := same(e.childSchema, e.child), same(e.parentSchema, e.parent)
		if !isChild && !isParent {
			continue
		}
		key, err := r.key(ctx, e)
		if err != nil {
			return nil, nil, err
		}
		if key == nil {
			continue
		}
		if isChild {
			k.forward = append(k.forward, key)
		}
		if isParent {
			k.reverse = append(k.reverse, key)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[*Table]*tableKeys{}
	}
	s.keys[t] = k
	return k.forward, k.reverse, nil
}

func (r Runner) key(ctx context.Context, e keyEdge) (*ForeignKey, error) {
	load := func(schema, name string) (*Table, error) {
		if schema != "" {
			t, err := r.db.dialect.inspect(ctx, r, schema, name)
			if err != nil || t == nil {
				return nil, err
			}
			t.finish(r.db)
			return r.db.schema.add(schema+"."+name, t), nil
		}
		t, err := r.Table(ctx, name)
		if _, missing := err.(*NoTableError); missing {
			return nil, nil // a key that points to a table which is not there yet
		}
		return t, err
	}
	child, err := load(e.childSchema, e.child)
	if err != nil || child == nil {
		return nil, err
	}
	parent, err := load(e.parentSchema, e.parent)
	if err != nil || parent == nil {
		return nil, err
	}
	k := &ForeignKey{Child: child, Parent: parent, Column: child.fold(e.column)}
	if e.parentColumn != "" {
		k.ParentColumn = parent.fold(e.parentColumn)
	} else if len(parent.PK) == 1 {
		k.ParentColumn = parent.PK[0]
	}
	if k.Column == nil || k.ParentColumn == nil {
		return nil, nil
	}
	return k, nil
}

// fold finds a column by its name in any case of ASCII letters: SQLite lists
// foreign keys as they were written.
func (t *Table) fold(name string) *Column {
	if c := t.Column(name); c != nil {
		return c
	}
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// ForwardName is the name under which a row reaches the parent of a foreign
// key: user for user_id, else <column>_row.
func (k *ForeignKey) ForwardName() string {
	name, ok := strings.CutSuffix(k.Column.Name, "_id")
	if !ok || name == "" {
		return k.Column.Name + "_row"
	}
	return name
}

// ReverseName is the name under which the parent reaches the children: the
// child's table, or child__column where several keys lead there.
func (k *ForeignKey) ReverseName(all []*ForeignKey) string {
	n := 0
	for _, other := range all {
		if other.Child == k.Child {
			n++
		}
	}
	if n > 1 {
		return k.Child.Name + "__" + k.Column.Name
	}
	return k.Child.Name
}

func (t *Table) noColumn(name string, extra ...string) error {
	choices := ColumnNames(t.Columns)
	set := map[string]bool{}
	for _, c := range append(choices, extra...) {
		set[c] = true
	}
	choices = slices.Sorted(maps.Keys(set))
	msg := fmt.Sprintf("table %s has no column %q", cmp.Or(t.Name, "of the query"), name)
	if s := suggest.Closest(name, choices); s != "" {
		return &FieldError{msg + ". Did you mean " + s + "? Choices are: " + list(choices)}
	}
	return &FieldError{msg + ". Choices are: " + list(choices)}
}
