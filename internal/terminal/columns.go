package terminal

import (
	"strings"
	"unicode"
)

// wide are the blocks of characters that take two columns: East Asian scripts
// and their full-width forms, and the pictures that terminals draw wide
// (https://www.unicode.org/reports/tr11/).
func wide() *unicode.RangeTable {
	return &unicode.RangeTable{
		R16: []unicode.Range16{
			{Lo: 0x1100, Hi: 0x115f, Stride: 1}, // Hangul Jamo
			{Lo: 0x2e80, Hi: 0x303e, Stride: 1}, // CJK radicals and punctuation
			{Lo: 0x3041, Hi: 0x33ff, Stride: 1}, // kana and CJK signs
			{Lo: 0x3400, Hi: 0x4dbf, Stride: 1},
			{Lo: 0x4e00, Hi: 0xa4cf, Stride: 1}, // CJK, Yi
			{Lo: 0xa960, Hi: 0xa97f, Stride: 1},
			{Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, // Hangul
			{Lo: 0xf900, Hi: 0xfaff, Stride: 1},
			{Lo: 0xfe30, Hi: 0xfe6f, Stride: 1},
			{Lo: 0xff01, Hi: 0xff60, Stride: 1}, // full-width forms
			{Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
		},
		R32: []unicode.Range32{
			{Lo: 0x16fe0, Hi: 0x1b2fb, Stride: 1}, // Tangut, more kana
			{Lo: 0x1f200, Hi: 0x1f265, Stride: 1},
			{Lo: 0x1f300, Hi: 0x1f64f, Stride: 1}, // pictures
			{Lo: 0x1f680, Hi: 0x1f6ff, Stride: 1},
			{Lo: 0x1f900, Hi: 0x1f9ff, Stride: 1},
			{Lo: 0x20000, Hi: 0x3fffd, Stride: 1}, // more CJK
		},
	}
}

// Columns returns how many columns of a terminal a text without control
// characters takes: two for wide characters, none for those that combine.
func Columns(text string) int {
	n, table := 0, wide()
	for _, r := range text {
		n += columns(r, table)
	}
	return n
}

// Cut shortens a text to a number of columns; what is cut ends in "…".
func Cut(text string, limit int) string {
	if Columns(text) <= limit {
		return text
	}
	n, end, table := 0, 0, wide()
	for i, r := range text {
		if n += columns(r, table); n > limit-1 {
			break
		}
		end = i + len(string(r))
	}
	return strings.TrimRight(text[:end], " ") + "…"
}

func columns(r rune, wide *unicode.RangeTable) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
