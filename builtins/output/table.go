package output

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/starconv"
)

// writeTable is stdout.table(rows, headers=None): aligned columns on a
// terminal, fields separated by tabs elsewhere, and with --json data in the
// document.
//
// A row is a dict, a struct or anything else with named fields, or a list or
// tuple. headers names the fields to show, or the columns of lists; without it
// every field that a row has is a column.
func writeTable(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var rows, headers starlark.Iterable
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "rows", &rows, "headers??", &headers); err != nil {
		return nil, err
	}
	t, err := readTable(inv, rows, headers)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name(), err)
	}
	if inv.JSON() {
		data, err := t.data()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.Name(), err)
		}
		inv.AddTable(data)
		return starlark.None, nil
	}
	text := t.tabs()
	if inv.Stdout().Terminal() {
		text = t.aligned()
	}
	if err := say(inv, inv.Stdout(), text); err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name(), err)
	}
	return starlark.None, nil
}

// table is what stdout.table was given. The rows are as wide as the widest; a
// cell that a row does not have is nil.
type table struct {
	columns []string // nil: without names
	rows    [][]starlark.Value
}

func readTable(inv *engine.Invocation, rows, headers starlark.Iterable) (*table, error) {
	t := new(table)
	at := make(map[string]int)
	if headers != nil {
		names, err := collect(inv, headers, 0)
		if err != nil {
			return nil, err
		}
		for _, v := range names {
			name := textOf(v)
			if _, twice := at[name]; twice {
				return nil, engine.ValueError.Errorf("headers has %q twice", name)
			}
			at[name] = len(t.columns)
			t.columns = append(t.columns, name)
		}
	}
	chosen := t.columns != nil
	items, err := collect(inv, rows, 0)
	if err != nil {
		return nil, err
	}
	width, named := len(t.columns), false
	for i, item := range items {
		fields, values, err := cellsOf(item)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		if i == 0 {
			named = fields != nil
		}
		if named != (fields != nil) {
			return nil, engine.ValueError.Errorf("row %d is a %s, unlike the rows before it", i+1, item.Type())
		}
		if !named {
			if chosen && len(values) > len(t.columns) {
				return nil, engine.ValueError.Errorf("row %d has %d cells, and headers %d", i+1, len(values), len(t.columns))
			}
			t.rows = append(t.rows, values)
			width = max(width, len(values))
			continue
		}
		row := make([]starlark.Value, len(t.columns))
		for j, name := range fields {
			column, ok := at[name]
			switch {
			case ok:
				row[column] = values[j]
			case !chosen:
				at[name] = len(t.columns)
				t.columns = append(t.columns, name)
				row = append(row, values[j])
			}
		}
		t.rows = append(t.rows, row)
		width = len(t.columns)
	}
	for i, row := range t.rows {
		t.rows[i] = append(slices.Clip(row), make([]starlark.Value, width-len(row))...)
	}
	return t, nil
}

// cellsOf returns a row's cells, and the names of its fields unless it is a
// list or tuple. A value without an order of its own, a struct for one, has
// its fields sorted.
func cellsOf(row starlark.Value) (fields []string, cells []starlark.Value, err error) {
	fields = []string{}
	switch row := row.(type) {
	case starlark.IterableMapping:
		for _, item := range row.Items() {
			fields, cells = append(fields, textOf(item[0])), append(cells, item[1])
		}
		return fields, cells, nil
	case *starlarkstruct.Struct:
		for _, name := range row.AttrNames() {
			v, err := row.Attr(name)
			if err != nil {
				return nil, nil, err
			}
			fields, cells = append(fields, name), append(cells, v)
		}
		return fields, cells, nil
	case *starlark.List, starlark.Tuple:
		seq := row.(starlark.Indexable)
		for i := range seq.Len() {
			cells = append(cells, seq.Index(i))
		}
		return nil, cells, nil
	}
	plain, err := starconv.ToGo(row)
	m, ok := plain.(map[string]any)
	if err != nil || !ok {
		return nil, nil, fmt.Errorf("got %s, want a dict, a list or a struct", row.Type())
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		v, err := starconv.ToStarlark(m[name])
		if err != nil {
			return nil, nil, fmt.Errorf("field %s: %w", name, err)
		}
		fields, cells = append(fields, name), append(cells, v)
	}
	return fields, cells, nil
}

// data is the table in plain Go: objects, or lists where the columns have no
// names.
func (t *table) data() ([]any, error) {
	rows := make([]any, len(t.rows))
	for i, row := range t.rows {
		list, object := make([]any, len(row)), make(map[string]any, len(row))
		for j, cell := range row {
			v, err := starconv.ToGo(cell) // None for a cell that is not there
			if err != nil {
				return nil, fmt.Errorf("row %d, column %d: %w", i+1, j+1, err)
			}
			list[j] = v
			if t.columns != nil {
				object[t.columns[j]] = v
			}
		}
		if rows[i] = list; t.columns != nil {
			rows[i] = object
		}
	}
	return rows, nil
}

// cellText is a cell in words: nothing for None.
func cellText(v starlark.Value) string {
	if v == nil || v == starlark.None {
		return ""
	}
	return textOf(v)
}

// tabs is the table as lines of fields with tabs between them. A backslash, a
// tab and a line break in a field are written \\, \t, \n and \r, so that each
// row is one line and can be read back (as PostgreSQL's COPY and linear TSV
// do).
func (t *table) tabs() string {
	var b strings.Builder
	line := func(fields []string) {
		for i, field := range fields {
			fields[i] = clean(strings.ReplaceAll(field, `\`, `\\`))
		}
		b.WriteString(strings.Join(fields, "\t") + "\n")
	}
	if t.columns != nil {
		line(slices.Clone(t.columns))
	}
	for _, row := range t.rows {
		fields := make([]string, len(row))
		for i, cell := range row {
			fields[i] = cellText(cell)
		}
		line(fields)
	}
	return b.String()
}

// aligned is the table for a reader at a terminal: two spaces between columns,
// numbers to the right, a rule under the names.
//
// It is written out here and not by jedib0t/go-pretty: that would bring five
// packages of three modules into every program that uses this one (390 KB,
// 0.1 ms at each start), and read LANG, LC_ALL, TERM and NO_COLOR from the
// process's environment as it is imported, where the engine has Config.Getenv.
func (t *table) aligned() string {
	var lines [][]string
	if t.columns != nil {
		lines = append(lines, make([]string, len(t.columns)), make([]string, len(t.columns)))
		for j, name := range t.columns {
			lines[0][j] = clean(name)
		}
	}
	var right []bool
	for i, row := range t.rows {
		if i == 0 {
			right = make([]bool, len(row))
			for j := range row {
				right[j] = t.numeric(j)
			}
		}
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = clean(cellText(cell))
		}
		lines = append(lines, cells)
	}
	var widths []int
	for _, line := range lines {
		for j, text := range line {
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], columns(text))
		}
	}
	if t.columns != nil {
		for j := range t.columns {
			lines[1][j] = strings.Repeat("-", cmp.Or(widths[j], 1))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var padded strings.Builder
		for j, text := range line {
			if j > 0 {
				padded.WriteString("  ")
			}
			space := strings.Repeat(" ", max(widths[j]-columns(text), 0))
			if right != nil && right[j] {
				padded.WriteString(space + text)
			} else {
				padded.WriteString(text + space)
			}
		}
		b.WriteString(strings.TrimRight(padded.String(), " ") + "\n")
	}
	return b.String()
}

// numeric reports whether a column holds numbers, and at least one.
func (t *table) numeric(column int) bool {
	found := false
	for _, row := range t.rows {
		switch v := row[column].(type) {
		case nil, starlark.NoneType:
		case starlark.Int, starlark.Float:
			found = true
		default:
			if v.Type() != "Decimal" {
				return false
			}
			found = true
		}
	}
	return found
}
