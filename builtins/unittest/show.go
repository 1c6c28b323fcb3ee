package unittest

// How values and their differences are shown.

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

const (
	shortValue = 70  // characters of a value that is shown on one line
	maxLines   = 100 // lines of a difference that are shown
	maxLine    = 400 // characters of a line that are shown
	maxCells   = 1 << 20
)

// unequal says how two values differ. path leads to the first difference.
func unequal(got, want starlark.Value, path string) string {
	x, isText := starlark.AsString(got)
	y, bothText := starlark.AsString(want)
	if isText && bothText && got.Type() == want.Type() {
		if strings.Contains(x, "\n") || strings.Contains(y, "\n") {
			return "not equal:\n" + diff(textLines(y), textLines(x))
		}
		if len(x) > shortValue || len(y) > shortValue {
			return longStrings(x, y)
		}
	}
	gotText, wantText := got.String(), want.String()
	alike := got.Type() != want.Type()
	if len(gotText) <= shortValue && len(wantText) <= shortValue || !composite(got) || !composite(want) {
		if alike {
			gotText, wantText = typed(got, gotText), typed(want, wantText)
		}
		text := "not equal:\n  got:  " + clip(gotText) + "\n  want: " + clip(wantText)
		if path != "" {
			text += "\n  first difference at " + path
		}
		return text
	}
	title := "not equal"
	if path != "" {
		title += ", first difference at " + path
	}
	if alike {
		title += fmt.Sprintf(" (got %s, want %s)", got.Type(), want.Type())
	}
	a, b := expand(want), expand(got)
	if slices.Equal(a, b) {
		return title + ": they print alike, but are of different types:\n" + strings.Join(b, "\n")
	}
	return title + ":\n" + diff(a, b)
}

func typed(v starlark.Value, text string) string {
	return clip(text) + " (" + v.Type() + ")"
}

// clip cuts a text that is too long to be read.
func clip(text string) string {
	if len(text) <= maxLine {
		return text
	}
	cut := maxLine
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d more bytes)", text[:cut], len(text)-cut)
}

// longStrings shows two long lines around the place where they differ.
func longStrings(got, want string) string {
	a, b := []rune(got), []rune(want)
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return fmt.Sprintf("not equal, first difference at character %d:\n  got:  %s\n  want: %s", at, window(a, at), window(b, at))
}

func window(text []rune, at int) string {
	from, to := max(0, at-shortValue/2), min(len(text), at+shortValue/2)
	quoted := starlark.String(text[from:to]).String()
	if from > 0 {
		quoted = "…" + quoted
	}
	if to < len(text) {
		quoted += "…"
	}
	return quoted
}

// textLines splits a text for a difference: a missing or a further newline at
// the end is a difference that shows.
func textLines(text string) []string {
	lines := strings.Split(text, "\n")
	last := len(lines) - 1
	for i, line := range lines {
		lines[i] = visible(line)
	}
	if lines[last] == "" {
		return lines[:last]
	}
	lines[last] += " (no newline at the end)"
	return lines
}

// visible is a line of a text; in quotes where a reader could not tell it from
// another, as with a carriage return or a blank at its end.
func visible(line string) string {
	hidden := func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }
	if strings.ContainsFunc(line, hidden) || strings.TrimRightFunc(line, unicode.IsSpace) != line {
		return starlark.String(line).String()
	}
	return line
}

func composite(v starlark.Value) bool {
	switch v.(type) {
	case *starlark.List, starlark.Tuple, *starlark.Dict, *starlark.Set, *starlarkstruct.Struct:
		return true
	}
	return false
}

// expand prints a value over several lines, an item a line; dicts and sets in
// the order of their keys, so that two of them can be laid side by side.
func expand(v starlark.Value) []string {
	p := &printer{open: map[starlark.Value]bool{}}
	p.value("", v, "", true)
	return p.lines
}

type printer struct {
	lines []string
	depth int
	open  map[starlark.Value]bool
}

type entry struct {
	key   string
	value starlark.Value
}

// value prints v after head (a key, and the indentation) and before tail.
func (p *printer) value(head string, v starlark.Value, tail string, open bool) {
	text := ""
	if !composite(v) || !open && p.depth > 0 {
		text = v.String()
	}
	if text != "" && (len(text) <= shortValue || !composite(v)) || p.depth > 20 || p.contains(v) {
		p.lines = append(p.lines, head+clip(v.String())+tail)
		return
	}
	left, right, entries := parts(v)
	p.enter(v)
	p.lines = append(p.lines, head+left)
	p.depth++
	indent := strings.Repeat("  ", p.depth)
	for _, e := range entries {
		p.value(indent+e.key, e.value, ",", false)
	}
	p.depth--
	p.lines = append(p.lines, strings.Repeat("  ", p.depth)+right+tail)
	p.leave(v)
}

// contains, enter and leave keep track of what is being printed: lists and
// dicts may contain themselves. Tuples and structs are no keys of a map, and
// reach themselves only through those.
func (p *printer) contains(v starlark.Value) bool { return pointer(v) && p.open[v] }

func (p *printer) enter(v starlark.Value) {
	if pointer(v) {
		p.open[v] = true
	}
}

func (p *printer) leave(v starlark.Value) {
	if pointer(v) {
		delete(p.open, v)
	}
}

func pointer(v starlark.Value) bool {
	_, isTuple := v.(starlark.Tuple)
	return !isTuple
}

// parts takes a composite value apart.
func parts(v starlark.Value) (left, right string, entries []entry) {
	switch v := v.(type) {
	case *starlark.List:
		for i := range v.Len() {
			entries = append(entries, entry{"", v.Index(i)})
		}
		return "[", "]", entries
	case starlark.Tuple:
		for _, item := range v {
			entries = append(entries, entry{"", item})
		}
		return "(", ")", entries
	case *starlark.Dict:
		for _, item := range v.Items() {
			entries = append(entries, entry{item[0].String() + ": ", item[1]})
		}
		sortEntries(entries)
		return "{", "}", entries
	case *starlark.Set:
		it := v.Iterate()
		defer it.Done()
		var item starlark.Value
		for it.Next(&item) {
			entries = append(entries, entry{"", item})
		}
		slices.SortStableFunc(entries, func(a, b entry) int { return strings.Compare(a.value.String(), b.value.String()) })
		return "set([", "])", entries
	case *starlarkstruct.Struct:
		for _, name := range v.AttrNames() {
			if field, err := v.Attr(name); err == nil {
				entries = append(entries, entry{name + " = ", field})
			}
		}
		return "struct(", ")", entries
	}
	return v.String(), "", nil
}

func sortEntries(entries []entry) {
	slices.SortStableFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
}

// diff shows what turns want into got: lines that are only in want start with
// "-", those only in got with "+", three lines around them with a space.
func diff(want, got []string) string {
	ops := compareLines(want, got)
	near := make([]bool, len(ops))
	for i, op := range ops {
		if op.mark != ' ' {
			for j := max(0, i-3); j < min(len(ops), i+4); j++ {
				near[j] = true
			}
		}
	}
	out := []string{"--- want", "+++ got"}
	for i := 0; i < len(ops); {
		far := 0
		for i+far < len(ops) && !near[i+far] {
			far++
		}
		if far > 3 {
			out = append(out, fmt.Sprintf("  … %d equal lines", far))
			i += far
			continue
		}
		out = append(out, strings.TrimRight(string(ops[i].mark)+" "+clip(ops[i].line), " "))
		i++
	}
	if len(out) > maxLines {
		out = append(out[:maxLines], fmt.Sprintf("… %d more lines", len(out)-maxLines))
	}
	return strings.Join(out, "\n")
}

type lineOp struct {
	mark byte // ' ', '-' or '+'
	line string
}

// compareLines aligns two texts on their longest common subsequence. What is
// too large for that is replaced as a whole, between the equal ends.
func compareLines(a, b []string) []lineOp {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var ops []lineOp
	add := func(mark byte, lines ...string) {
		for _, line := range lines {
			ops = append(ops, lineOp{mark, line})
		}
	}
	add(' ', a[:head]...)
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	if len(x)*len(y) > maxCells {
		add('-', x...)
		add('+', y...)
	} else {
		common := commonLengths(x, y)
		i, j := 0, 0
		for i < len(x) || j < len(y) {
			switch {
			case i < len(x) && j < len(y) && x[i] == y[j]:
				add(' ', x[i])
				i, j = i+1, j+1
			case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
				add('-', x[i])
				i++
			default:
				add('+', y[j])
				j++
			}
		}
	}
	add(' ', a[len(a)-tail:]...)
	return ops
}

// commonLengths[i][j] is the length of the longest common subsequence of x[i:]
// and y[j:].
func commonLengths(x, y []string) [][]int32 {
	rows := make([][]int32, len(x)+1)
	for i := range rows {
		rows[i] = make([]int32, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				rows[i][j] = rows[i+1][j+1] + 1
			} else {
				rows[i][j] = max(rows[i+1][j], rows[i][j+1])
			}
		}
	}
	return rows
}
