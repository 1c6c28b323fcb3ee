package argparse

import (
	"strings"
	"unicode"
)

// This file wraps text as Python's textwrap does, which argparse's help relies on:
// words may also break after a hyphen between letters, and a word longer than the
// line is cut.

// asciiSpace is what argparse and textwrap fold into one blank.
func asciiSpace(r rune) bool {
	return r == ' ' || r >= '\t' && r <= '\r'
}

// fold makes every run of white space one blank and strips the ends.
func fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for i, r := range text {
		if asciiSpace(r) {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		b.WriteString(text[i : i+runeLen(text[i:])])
	}
	return strings.TrimFunc(b.String(), isSpace)
}

// wrap breaks folded text into lines of at most width characters, each with the
// indent, which counts.
func wrap(text string, width int, indent string) []string {
	chunks := split([]rune(text))
	room := width - len(indent)
	var lines []string
	for len(chunks) > 0 {
		if len(lines) > 0 && blank(chunks[0]) {
			chunks = chunks[1:]
		}
		var line []rune
		last := 0 // length of the line's last chunk
		for len(chunks) > 0 && len(line)+len(chunks[0]) <= room {
			line = append(line, chunks[0]...)
			last = len(chunks[0])
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > room {
			cut := cutLong(chunks[0], room, len(line))
			line = append(line, chunks[0][:cut]...)
			last = cut
			chunks[0] = chunks[0][cut:]
		}
		if last > 0 && blank(line[len(line)-last:]) {
			line = line[:len(line)-last]
		}
		if len(line) > 0 {
			lines = append(lines, indent+string(line))
		}
	}
	return lines
}

// cutLong says how much of a chunk longer than any line goes on the line that has
// used characters already: what fits, or up to a hyphen within that.
func cutLong(chunk []rune, room, used int) int {
	left := room - used
	if room < 1 {
		left = 1
	}
	left = min(left, len(chunk))
	for i := left - 1; i > 0; i-- {
		if chunk[i] != '-' {
			continue
		}
		for _, r := range chunk[:i] {
			if r != '-' {
				return i + 1
			}
		}
		break
	}
	return left
}

func blank(chunk []rune) bool {
	for _, r := range chunk {
		if !isSpace(r) {
			return false
		}
	}
	return true
}

// split cuts text into blanks and pieces of words between which a line may break.
func split(s []rune) [][]rune {
	var chunks [][]rune
	for i := 0; i < len(s); {
		end := chunkEnd(s, i)
		chunks = append(chunks, s[i:end:end])
		i = end
	}
	return chunks
}

func chunkEnd(s []rune, i int) int {
	if asciiSpace(s[i]) {
		j := i
		for j < len(s) && asciiSpace(s[j]) {
			j++
		}
		return j
	}
	if i > 0 && wordPunctuation(s[i-1]) {
		if end := dashRun(s, i); end > 0 {
			return end
		}
	}
	for j := i + 1; ; j++ {
		switch {
		case j == len(s) || asciiSpace(s[j]):
			return j
		case s[j] == '-' && hyphenAt(s, j):
			return j + 1
		case wordPunctuation(s[j-1]) && dashRun(s, j) > 0:
			return j
		}
	}
}

// dashRun is the end of two or more dashes at i with a letter or digit behind, or 0.
func dashRun(s []rune, i int) int {
	j := i
	for j < len(s) && s[j] == '-' {
		j++
	}
	if j-i >= 2 && j < len(s) && wordCharacter(s[j]) {
		return j
	}
	return 0
}

// hyphenAt reports whether the dash at j stands within a compound word, so that a
// line may break behind it.
func hyphenAt(s []rune, j int) bool {
	before := j >= 2 && letter(s[j-1]) && letter(s[j-2]) ||
		j >= 3 && letter(s[j-1]) && s[j-2] == '-' && letter(s[j-3])
	if !before || j+2 >= len(s) || !letter(s[j+1]) {
		return false
	}
	return letter(s[j+2]) || s[j+2] == '-' && j+3 < len(s) && letter(s[j+3])
}

func wordCharacter(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

func letter(r rune) bool { return wordCharacter(r) && !unicode.Is(unicode.Nd, r) }

func wordPunctuation(r rune) bool { return wordCharacter(r) || strings.ContainsRune(`!"'&.,?`, r) }
