package snippet_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/starmanage/starmanage/internal/snippet"
)

func TestAt(t *testing.T) {
	long := strings.Repeat("0123456789", 20)
	for _, c := range []struct {
		name      string
		src       string
		line, col int
		want      string // text, newline, caret
	}{
		{"the first column", "x = 1\n", 1, 1, "x = 1\n^"},
		{"the middle line", "a\nbcd\ne", 2, 3, "bcd\n  ^"},
		{"a last line without its newline", "a\nbcd", 2, 2, "bcd\n ^"},
		{"DOS lines", "a\r\nbcd\r\ne", 2, 1, "bcd\n^"},
		{"old Mac lines", "a\rbcd\re", 2, 1, "bcd\n^"},
		{"an empty line", "a\n\nb", 2, 1, "\n^"},
		{"behind the last rune", "abc\n", 1, 4, "abc\n   ^"},
		{"far behind the last rune", "abc\n", 1, 4000, "abc\n   ^"},
		{"no column", "abc\n", 1, 0, "abc\n"},
		{"no line", "abc\n", 0, 1, "\n"},
		{"a line that is not there", "abc\n", 2, 1, "\n"},
		{"no source", "", 1, 1, "\n"},
		{"tabs", "\tif\tx", 1, 5, "    if    x\n          ^"},
		{"accents count once", "é = 1", 1, 3, "é = 1\n  ^"},
		{"combining marks take no column", "e\u0301 = 1", 1, 4, "e\u0301 = 1\n  ^"},
		{"wide runes take two", "漢字 = 1", 1, 4, "漢字 = 1\n     ^"},
		{"emoji take two", "🎉 = 1", 1, 3, "🎉 = 1\n   ^"},
		{"invalid UTF-8", "\"\xff\" x", 1, 5, `"\xff" x` + "\n       ^"},
		{"control characters", "\x1b[31mx\x00", 1, 6, `\x1b[31mx\x00` + "\n        ^"},
		{"text that runs backwards", "a\u202eb", 1, 3, `a\u202eb` + "\n       ^"},
		{"a space that is none", "a\u00a0b", 1, 2, `a\u00a0b` + "\n ^"},
		{"exactly as wide as fits", long[:76], 1, 76, long[:76] + "\n" + strings.Repeat(" ", 75) + "^"},
		{"cut at the right", long, 1, 2, long[:74] + "…\n ^"},
		{"cut at the left", long, 1, 200, "…" + long[126:] + "\n" + strings.Repeat(" ", 74) + "^"},
		{"cut at both ends", long, 1, 101, "…" + long[63:137] + "…\n" + strings.Repeat(" ", 38) + "^"},
		{"far into a very long line", strings.Repeat("0123456789", 500), 1, 2501,
			"…" + long[3:77] + "…\n" + strings.Repeat(" ", 38) + "^"},
	} {
		text, caret := snippet.At([]byte(c.src), c.line, c.col)
		if got := text + "\n" + caret; got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
}

func FuzzAt(f *testing.F) {
	f.Add([]byte("a\tb\r\n漢\u0301\x1b[31m\xff\n"), 2, 3)
	f.Add([]byte(strings.Repeat("漢a\u0301\t", 100)), 1, 150)
	f.Add([]byte("\r\r\n"), 3, -1)
	f.Fuzz(func(t *testing.T, src []byte, line, col int) {
		text, caret := snippet.At(src, line, col)
		if !utf8.ValidString(text) {
			t.Errorf("not UTF-8: %q", text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("unsafe at %d: %q", i, text)
		}
		if col < 1 && caret != "" || caret != "" && strings.Trim(caret, " ") != "^" || len(caret) > 77 {
			t.Errorf("caret: %q", caret)
		}
		if n := utf8.RuneCountInString(text); n > 400 {
			t.Errorf("%d runes of text", n)
		}
	})
}
