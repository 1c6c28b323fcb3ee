package output

// Text on a terminal: how many columns it takes, and what must not reach it.

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// clean writes control characters as escapes (\t, \n, \x1b): text from a
// database must not move the cursor or break a line. Colours stay.
func clean(text string) string {
	if strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		if n := colorCode(text); n > 0 {
			b.WriteString(text[:n])
			text = text[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case unicode.IsControl(r):
			const digits = "0123456789abcdef"
			b.WriteString(`\x` + string(digits[r>>4&15]) + string(digits[r&15]))
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// colorCode returns the length of the SGR sequence (ESC [ parameters m) that
// text starts with; 0 when there is none.
func colorCode(text string) int {
	rest, ok := strings.CutPrefix(text, "\x1b[")
	if !ok {
		return 0
	}
	n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != ';' && r != ':' })
	if n < 0 || rest[n] != 'm' {
		return 0
	}
	return len("\x1b[") + n + 1
}

// columns returns how many columns of a terminal text takes: two for wide
// characters (UAX #11), none for combining ones and colours.
func columns(text string) int {
	total := 0
	for len(text) > 0 {
		if n := colorCode(text); n > 0 {
			text = text[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		total += runeColumns(r)
		text = text[n:]
	}
	return total
}

func runeColumns(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit cuts text without colours to a number of columns.
func fit(text string, limit int) string {
	total := 0
	for i, r := range text {
		if total += runeColumns(r); total > limit {
			return text[:i]
		}
	}
	return text
}
