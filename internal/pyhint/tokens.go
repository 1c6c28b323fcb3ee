// A scanner that never fails, for source texts that Starlark's refuses.

package pyhint

import (
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	kindName kind = iota // identifiers and keywords
	kindNumber
	kindString // with its prefix, when that is Starlark's
	kindOp     // one punctuation character, or any other rune
	kindNewline
)

// A token has the text as written, and the positions of its first rune and of
// what follows its last: lines and columns as syntax.Position counts them.
type token struct {
	kind          kind
	text          string
	line, col     int
	endLine, endC int
	first         bool // the first of its line
	tabbed        bool // the first, and indented with a tab
	broken        bool // a string that does not end
}

// touches reports whether next follows t with nothing between.
func (t token) touches(next token) bool {
	return t.endLine == next.line && t.endC == next.col
}

type scanner struct {
	rest      []byte
	line, col int
}

func (s *scanner) peek() rune {
	if len(s.rest) == 0 {
		return -1
	}
	if s.rest[0] == '\r' {
		return '\n'
	}
	r, _ := utf8.DecodeRune(s.rest)
	return r
}

func (s *scanner) next() rune {
	r := s.peek()
	if r < 0 {
		return r
	}
	_, size := utf8.DecodeRune(s.rest)
	if s.rest[0] == '\r' && len(s.rest) > 1 && s.rest[1] == '\n' {
		size = 2
	}
	s.rest = s.rest[size:]
	s.col++
	if r == '\n' {
		s.line++
		s.col = 1
	}
	return r
}

// scan splits a source text. Newlines within brackets are left out, as are
// comments and blank lines.
func scan(src []byte) []token {
	s := &scanner{rest: src, line: 1, col: 1}
	var toks []token
	depth := 0
	first, tabbed := true, false
	for len(s.rest) > 0 {
		c := s.peek()
		switch {
		case c == ' ' || c == '\t':
			tabbed = tabbed || c == '\t'
			s.next()
			continue
		case c == '#':
			for c := s.peek(); c >= 0 && c != '\n'; c = s.peek() {
				s.next()
			}
			continue
		case c == '\\':
			before := *s
			s.next()
			if s.peek() == '\n' {
				s.next()
				continue
			}
			*s = before
		case c == '\n' && (depth > 0 || first):
			s.next()
			first, tabbed = true, false
			continue
		}
		start := *s
		t := token{line: s.line, col: s.col, first: first, tabbed: first && tabbed}
		first = false
		switch {
		case c == '\n':
			s.next()
			t.kind = kindNewline
			first, tabbed = true, false
		case c == '"' || c == '\'':
			t.kind = kindString
			t.broken = !s.str()
		case isLetter(c):
			t.kind = kindName
			for isLetter(s.peek()) || isDigit(s.peek()) {
				s.next()
			}
			switch string(start.rest[:len(start.rest)-len(s.rest)]) {
			case "r", "b", "rb":
				if q := s.peek(); q == '"' || q == '\'' {
					t.kind = kindString
					t.broken = !s.str()
				}
			}
		case isDigit(c):
			t.kind = kindNumber
			for isDigit(s.peek()) || s.peek() == '.' {
				s.next()
			}
		default:
			t.kind = kindOp
			s.next()
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth = max(depth-1, 0)
			}
		}
		t.text = string(start.rest[:len(start.rest)-len(s.rest)])
		t.endLine, t.endC = s.line, s.col
		toks = append(toks, t)
	}
	return toks
}

// str consumes a string literal from its quote on, and reports whether it ends.
// One in single quotes that does not ends before its newline.
func (s *scanner) str() bool {
	quote := s.next()
	triple := false
	if s.peek() == quote {
		s.next()
		if s.peek() != quote {
			return true
		}
		s.next()
		triple = true
	}
	for n := 0; ; {
		c := s.peek()
		if c < 0 || c == '\n' && !triple {
			return false
		}
		s.next()
		switch c {
		case '\\':
			s.next()
			n = 0
		case quote:
			n++
			if !triple || n == 3 {
				return true
			}
		default:
			n = 0
		}
	}
}

func isLetter(c rune) bool { return c == '_' || unicode.IsLetter(c) }

func isDigit(c rune) bool { return '0' <= c && c <= '9' }

// A place is a token of a source text.
type place struct {
	toks []token
	i    int // may be out of range: at then gives the zero token
}

// at returns the token n after the place, or n before it where n is negative. Where there is
// none, it is a newline.
func (p place) at(n int) token {
	if i := p.i + n; i >= 0 && i < len(p.toks) {
		return p.toks[i]
	}
	return token{kind: kindNewline, first: true}
}

// is reports whether the tokens from the place on are these texts.
func (p place) is(texts ...string) bool {
	for n, text := range texts {
		if p.at(n).text != text {
			return false
		}
	}
	return true
}

// startingAt is the place of the token that starts at a position.
func startingAt(toks []token, line, col int) place {
	for i, t := range toks {
		if t.line == line && t.col == col {
			return place{toks, i}
		}
	}
	return place{toks, len(toks)}
}

// endingAt is the place of the token that ends at a position: where the parser
// stands when it has read one token too many.
func endingAt(toks []token, line, col int) place {
	for i, t := range toks {
		if t.endLine == line && t.endC == col {
			return place{toks, i}
		}
	}
	return place{toks, len(toks)}
}

// statement is the place of the first token of the logical line.
func (p place) statement() place {
	i := min(p.i, len(p.toks))
	for i > 0 && p.toks[i-1].kind != kindNewline {
		i--
	}
	return place{p.toks, i}
}

// open lists the brackets that are open before the place, outermost first.
func (p place) open() []int {
	var open []int
	for i := 0; i < p.i && i < len(p.toks); i++ {
		open = bracket(open, p.toks[i], i)
	}
	return open
}

func bracket(open []int, t token, i int) []int {
	if t.kind != kindOp {
		return open
	}
	switch t.text {
	case "(", "[", "{":
		return append(open, i)
	case ")", "]", "}":
		if len(open) > 0 {
			return open[:len(open)-1]
		}
	}
	return open
}

// inside returns the innermost bracket that is open before the place, "" for
// none, and its index.
func (p place) inside() (string, int) {
	open := p.open()
	if len(open) == 0 {
		return "", -1
	}
	i := open[len(open)-1]
	return p.toks[i].text, i
}

// unclosed returns the innermost bracket that is open before the place and is
// never closed.
func (p place) unclosed() (token, bool) {
	open := p.open()
	if len(open) == 0 || p.i > len(p.toks) {
		return token{}, false
	}
	depth := len(open)
	for i := p.i; i < len(p.toks); i++ {
		t := p.toks[i]
		if t.kind != kindOp {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
			if depth < len(open) {
				open = open[:max(depth, 0)]
			}
			if depth <= 0 {
				return token{}, false
			}
		}
	}
	if len(open) == 0 {
		return token{}, false
	}
	return p.toks[open[len(open)-1]], true
}
