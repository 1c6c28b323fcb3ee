// Package snippet shows a position in a source text: the line, and a caret under
// the column.
package snippet

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWidth is how many terminal columns a line may take: 80, less the four by
// which a caller indents it.
const maxWidth = 76

// At returns the given line of src as it may be printed, and a second line that
// has a caret below the given column. Both count from 1 as syntax.Position does:
// columns in runes, a byte that is not UTF-8 being one rune; a line ends at "\n",
// "\r\n" or "\r". Neither result ends in a newline.
//
// A line that src does not have gives "" and "". A column below 1 gives no caret;
// one beyond the line's end puts the caret behind the last rune. A tab is four
// spaces, a wide rune takes two columns, a combining mark none. What a terminal
// would obey or hide (control characters, direction marks, invalid UTF-8) is shown
// as an escape such as \x1b. A line wider than 76 columns is cut around the caret, and
// "…" stands where something is missing.
func At(src []byte, line, col int) (text, caret string) {
	row, ok := lineOf(src, line)
	if !ok {
		return "", ""
	}
	cells, at, more := around(row, col-1)

	// The window cells[from:to] grows from the caret: half of the room to the left,
	// the rest to the right, and what is left over to the left again.
	const room = maxWidth - 2 // for an ellipsis at either end
	width := 0
	for _, c := range cells {
		width += c.width
	}
	from, to := 0, len(cells)
	if more.left || more.right || width > maxWidth {
		from, to = at, at
		width = 0
		grow := func(limit int, left bool) {
			for {
				i := to
				if left {
					i = from - 1
				}
				if i < 0 || i >= len(cells) || width+cells[i].width > limit {
					return
				}
				width += cells[i].width
				if left {
					from--
				} else {
					to++
				}
			}
		}
		grow(room/2, true)
		grow(room, false)
		grow(room, true)
	}

	var b strings.Builder
	if from > 0 || more.left {
		b.WriteString("…")
	}
	below := b.Len() / len("…")
	for i, c := range cells[from:to] {
		b.WriteString(c.text)
		if from+i < at {
			below += c.width
		}
	}
	if to < len(cells) || more.right {
		b.WriteString("…")
	}
	if col >= 1 {
		caret = strings.Repeat(" ", below) + "^"
	}
	return b.String(), caret
}

// lineOf returns the line that counts from 1, without its end.
func lineOf(src []byte, line int) (row []byte, ok bool) {
	if line < 1 {
		return nil, false
	}
	for n := 1; ; n++ {
		end := bytes.IndexAny(src, "\r\n")
		if end < 0 {
			return src, n == line && len(src) > 0
		}
		if n == line {
			return src[:end], true
		}
		if src[end] == '\r' && end+1 < len(src) && src[end+1] == '\n' {
			end++
		}
		src = src[end+1:]
	}
}

// A cell is one rune as it is shown.
type cell struct {
	text  string
	width int // columns on a terminal
}

type sides struct{ left, right bool }

// around returns the cells near the rune with the index want, the index of its
// cell, and whether the row goes on at either side. No more cells are made than may be
// shown, however long the row is.
func around(row []byte, want int) (cells []cell, at int, more sides) {
	const enough = 2 * maxWidth
	at = min(max(want, 0), utf8.RuneCount(row))
	first := max(at-enough, 0)
	index := 0
	for len(row) > 0 && index < at+enough {
		r, size := utf8.DecodeRune(row)
		if index >= first {
			cells = append(cells, show(r, row[:size]))
		}
		row = row[size:]
		index++
	}
	return cells, at - first, sides{left: first > 0, right: len(row) > 0}
}

// show makes one rune fit to print. raw is how it is written.
func show(r rune, raw []byte) cell {
	switch {
	case r == '\t':
		return cell{"    ", 4}
	case r == utf8.RuneError && len(raw) == 1:
		escape := `\x` + strconv.FormatUint(uint64(raw[0]), 16)
		return cell{escape, len(escape)}
	case !unicode.IsPrint(r):
		escape := strings.Trim(strconv.QuoteRuneToASCII(r), "'")
		return cell{escape, len(escape)}
	case unicode.In(r, unicode.Mn, unicode.Me):
		return cell{string(r), 0}
	case wide(r):
		return cell{string(r), 2}
	}
	return cell{string(r), 1}
}

// wide reports whether a terminal gives r two columns: the blocks that Unicode's
// East Asian Width calls wide, in outline.
func wide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115F || // Hangul Jamo
		r >= 0x2E80 && r <= 0xA4CF || // CJK, kana, Yi
		r >= 0xA960 && r <= 0xA97C ||
		r >= 0xAC00 && r <= 0xD7A3 || // Hangul
		r >= 0xF900 && r <= 0xFAFF ||
		r >= 0xFE30 && r <= 0xFE6F ||
		r >= 0xFF01 && r <= 0xFF60 || // full-width forms
		r >= 0xFFE0 && r <= 0xFFE6 ||
		r >= 0x17000 && r <= 0x18AFF || // Tangut
		r >= 0x1F300 && r <= 0x1F64F || // emoji
		r >= 0x1F680 && r <= 0x1F6FF ||
		r >= 0x1F900 && r <= 0x1F9FF ||
		r >= 0x1FA70 && r <= 0x1FAFF ||
		r >= 0x20000 && r <= 0x3FFFD)
}
