package argparse

// This file matches positionals to the pattern of the words, as argparse does with
// regular expressions: 'A' is a word, 'O' an option, '-' the separator "--". How
// greedy each positional is, and in which order it gives words back, decides who
// gets what.

const (
	word      = 'A'
	optional  = 'O'
	separator = '-'
)

// token is one piece of a positional's pattern: classes of characters, and how many.
type token struct {
	classes  uint8
	min, max int
}

const (
	classWord uint8 = 1 << iota
	classOption
	classSeparator
)

const unlimited = int(^uint(0) >> 1)

func (t token) takes(c byte) bool {
	switch c {
	case word:
		return t.classes&classWord != 0
	case optional:
		return t.classes&classOption != 0
	}
	return t.classes&classSeparator != 0
}

// tokens spells out a positional's pattern.
func (a *argument) tokens(kind nargsKind, list []token) []token {
	dashes := token{classSeparator, 0, unlimited}
	one := token{classWord, 1, 1}
	switch kind {
	case kindOne:
		return append(list, dashes, one, dashes)
	case kindOptional:
		return append(list, dashes, token{classWord, 0, 1}, dashes)
	case kindZeroOrMore:
		return append(list, dashes, token{classWord | classSeparator, 0, unlimited})
	case kindOneOrMore:
		return append(list, dashes, one, token{classWord | classSeparator, 0, unlimited})
	case kindRemainder:
		return append(list, token{classWord | classOption | classSeparator, 0, unlimited})
	case kindParser:
		return append(list, dashes, one, token{classWord | classOption | classSeparator, 0, unlimited})
	case kindSuppress:
		return append(list, dashes)
	}
	for range a.count {
		list = append(list, dashes, one)
	}
	return append(list, dashes)
}

// matchAll says how many characters of the pattern each token takes, or false when
// they cannot all be served. It backtracks, and remembers what has failed: no input
// makes it slow.
func matchAll(tokens []token, pattern []byte, counts []int) bool {
	m := matcher{tokens: tokens, pattern: pattern, counts: counts}
	return m.from(0, 0)
}

type matcher struct {
	tokens  []token
	pattern []byte
	counts  []int
	failed  []bool // token × position, made at the first failure
}

func (m *matcher) from(i, pos int) bool {
	if i == len(m.tokens) {
		return true
	}
	row := len(m.pattern) + 1
	if m.failed != nil && m.failed[i*row+pos] {
		return false
	}
	t := m.tokens[i]
	n := 0
	for pos+n < len(m.pattern) && n < t.max && t.takes(m.pattern[pos+n]) {
		n++
	}
	for ; n >= t.min; n-- {
		if m.from(i+1, pos+n) {
			m.counts[i] = n
			return true
		}
	}
	if m.failed == nil {
		m.failed = make([]bool, len(m.tokens)*row)
	}
	m.failed[i*row+pos] = true
	return false
}

// matchPositionals gives as many of the positionals as possible their share of the
// pattern: one number of characters for each that was served.
func matchPositionals(positionals []*argument, pattern []byte, m mode) []int {
	var buf [16]token
	tokens := buf[:0]
	ends := make([]int, len(positionals)) // where each one's tokens end
	for i, a := range positionals {
		tokens = a.tokens(m.kind(a), tokens)
		ends[i] = len(tokens)
	}
	counts := make([]int, len(tokens))
	for n := len(positionals); n > 0; n-- {
		end := ends[n-1]
		if !matchAll(tokens[:end], pattern, counts[:end]) {
			continue
		}
		shares := make([]int, n)
		from := 0
		for i := range n {
			for _, c := range counts[from:ends[i]] {
				shares[i] += c
			}
			from = ends[i]
		}
		return shares
	}
	return nil
}

// matchOption gives the number of words an option takes of those that follow it.
func matchOption(a *argument, pattern []byte) (int, bool) {
	n := 0
	for n < len(pattern) && (pattern[n] == word || a.kind == kindRemainder && pattern[n] == optional) {
		n++
	}
	switch a.kind {
	case kindOne:
		return 1, n >= 1
	case kindOptional:
		return min(n, 1), true
	case kindOneOrMore:
		return n, n >= 1
	case kindN:
		return a.count, n >= a.count
	}
	return n, true
}
