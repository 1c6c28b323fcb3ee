// Package suggest finds the word that somebody meant to type.
package suggest

import "unicode"

// Closest returns the candidate that word is most likely a slip of, or "" when
// none is close. What it counts is edits: a letter too many, too few, wrong, or
// two neighbours exchanged. Upper and lower case are the same letter, and so are
// "-" and "_". One edit is allowed for every three letters of the longer word, three at
// most: a prefix such as "sql" is no slip of "sqlflush". Of equally close
// candidates the alphabetically first wins. A candidate that equals word is never
// returned. The order of candidates does not matter.
func Closest(word string, candidates []string) string {
	best, fewest := "", 0
	typed := letters(word)
	for _, candidate := range candidates {
		if candidate == word || candidate == "" || word == "" {
			continue
		}
		wanted := letters(candidate)
		allowed := min(max(len(typed), len(wanted))/3, 3)
		if d := len(typed) - len(wanted); d > allowed || -d > allowed {
			continue
		}
		edits := distance(typed, wanted)
		if edits > allowed {
			continue
		}
		if best == "" || edits < fewest || edits == fewest && candidate < best {
			best, fewest = candidate, edits
		}
	}
	return best
}

// letters spells a word in the alphabet in which words are compared.
func letters(word string) []rune {
	runes := []rune(word)
	for i, r := range runes {
		if r == '-' {
			r = '_'
		}
		runes[i] = unicode.ToLower(r)
	}
	return runes
}

// distance counts the edits between two words (optimal string alignment: no part
// is edited twice).
func distance(a, b []rune) int {
	before := make([]int, len(b)+1) // the row before last
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
