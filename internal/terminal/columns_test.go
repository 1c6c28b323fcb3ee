package terminal_test

import (
	"testing"
	"unicode"

	"golang.org/x/text/width"

	"github.com/starmanage/starmanage/internal/terminal"
)

// TestColumnsOfLetters compares with Unicode's own table, for every letter of
// the scripts that have wide ones.
func TestColumnsOfLetters(t *testing.T) {
	compared := 0
	for r := rune(0x300); r < 0x30000; r++ {
		if !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Latin, unicode.Greek, unicode.Cyrillic) || unicode.In(r, unicode.Mn, unicode.Me) {
			continue
		}
		want := 1
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			want = 2
		}
		if got := terminal.Columns(string(r)); got != want {
			t.Errorf("%U %c takes %d columns, want %d", r, r, got, want)
		}
		compared++
	}
	if compared < 90000 {
		t.Errorf("%d letters compared", compared)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", 5, "short"},
		{"longer", 5, "long…"},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"}, // half a character is none
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"", 0, ""},
	} {
		if got := terminal.Cut(c.text, c.limit); got != c.want || terminal.Columns(got) > c.limit {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}
