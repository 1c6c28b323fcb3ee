// Package pyformat formats and rounds numbers and strings as CPython 3.13 does: the format specification
// mini-language of str.format (https://docs.python.org/3/library/string.html#formatspec) and round(). It is plain Go
// and knows no Starlark. All functions are pure; errors hold Python's texts, and are ValueErrors there.
package pyformat

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxWidth bounds widths and precisions, so that a slip of the pen does not eat the memory.
const MaxWidth = 1 << 20

// spec is [[fill]align][sign][z][#][0][width][,_][.precision][type].
type spec struct {
	fill      rune
	align     byte // < > ^ =
	sign      byte // + - blank, or 0
	noNegZero bool
	alt       bool
	width     int
	group     byte // , or _, or 0
	groupSize int
	precision int // -1: none
	typ       rune

	aligned    bool // an alignment was written
	doubleZero bool // a 0 follows an alignment or another 0, which Decimal refuses
	zeroDigits bool // zeros that fill up are digits: separators go between them
}

func isAlign(c rune) bool { return c == '<' || c == '>' || c == '^' || c == '=' }

// parse reads a spec in the order of CPython's Python/formatter_unicode.c. typeName is for its errors.
func parse(text, typeName string, typ rune, align byte) (spec, error) {
	s := spec{fill: ' ', align: align, precision: -1, typ: typ, groupSize: 3}
	rest := []rune(text)
	at := func(i int) rune {
		if i < len(rest) {
			return rest[i]
		}
		return -1
	}
	filled := false
	switch {
	case len(rest) >= 2 && isAlign(rest[1]):
		s.fill, s.align, rest = rest[0], byte(rest[1]), rest[2:]
		filled, s.aligned = true, true
	case len(rest) >= 1 && isAlign(rest[0]):
		s.align, rest = byte(rest[0]), rest[1:]
		s.aligned = true
	}
	if c := at(0); c == '+' || c == '-' || c == ' ' {
		s.sign, rest = byte(c), rest[1:]
	}
	if at(0) == 'z' {
		s.noNegZero, rest = true, rest[1:]
	}
	if at(0) == '#' {
		s.alt, rest = true, rest[1:]
	}
	s.doubleZero = s.aligned && at(0) == '0'
	if !filled && at(0) == '0' {
		s.fill, rest = '0', rest[1:]
		if !s.aligned && align == '>' {
			s.align = '='
		}
	}
	s.doubleZero = s.doubleZero || s.fill == '0' && at(0) == '0'
	s.zeroDigits = s.fill == '0' && s.align == '='
	var err error
	if s.width, rest, _, err = number(rest); err != nil {
		return s, err
	}
	if at(0) == ',' {
		s.group, rest = ',', rest[1:]
	}
	if at(0) == '_' {
		if s.group != 0 {
			return s, errors.New("Cannot specify both ',' and '_'.")
		}
		s.group, rest = '_', rest[1:]
	}
	if at(0) == ',' && s.group == '_' {
		return s, errors.New("Cannot specify both ',' and '_'.")
	}
	if at(0) == '.' {
		var some bool
		if s.precision, rest, some, err = number(rest[1:]); err != nil {
			return s, err
		}
		if !some {
			return s, errors.New("Format specifier missing precision")
		}
	}
	if len(rest) > 1 {
		return s, fmt.Errorf("Invalid format specifier '%s' for object of type '%s'", text, typeName)
	}
	if len(rest) == 1 {
		s.typ = rest[0]
	}
	if s.group == 0 {
		return s, nil
	}
	switch s.typ {
	case 'd', 'e', 'f', 'g', 'E', 'G', '%', 'F', 0:
		return s, nil
	case 'b', 'o', 'x', 'X':
		if s.group == '_' {
			s.groupSize = 4
			return s, nil
		}
	}
	if s.typ > 32 && s.typ < 128 {
		return s, fmt.Errorf("Cannot specify '%c' with '%c'.", s.group, s.typ)
	}
	return s, fmt.Errorf("Cannot specify '%c' with '\\x%x'.", s.group, s.typ)
}

// number reads digits.
func number(rest []rune) (n int, after []rune, some bool, err error) {
	for len(rest) > 0 && '0' <= rest[0] && rest[0] <= '9' {
		if n = n*10 + int(rest[0]-'0'); n > MaxWidth {
			return 0, nil, false, errors.New("Too many decimal digits in format string")
		}
		some, rest = true, rest[1:]
	}
	return n, rest, some, nil
}

func unknownType(typ rune, typeName string) error {
	if typ > 32 && typ < 128 {
		return fmt.Errorf("Unknown format code '%c' for object of type '%s'", typ, typeName)
	}
	return fmt.Errorf("Unknown format code '\\x%x' for object of type '%s'", typ, typeName)
}

// String formats s by a spec such as ">10" or ".3". Widths and precisions count characters.
func String(s, text string) (string, error) {
	if text == "" {
		return s, nil
	}
	f, err := parse(text, "str", 's', '<')
	switch {
	case err != nil:
		return "", err
	case f.typ != 's':
		return "", unknownType(f.typ, "str")
	case f.sign == ' ':
		return "", errors.New("Space not allowed in string format specifier")
	case f.sign != 0:
		return "", errors.New("Sign not allowed in string format specifier")
	case f.noNegZero:
		return "", errors.New("Negative zero coercion (z) not allowed in string format specifier")
	case f.alt:
		return "", errors.New("Alternate form (#) not allowed in string format specifier")
	case f.align == '=':
		return "", errors.New("'=' alignment not allowed in string format specifier")
	}
	if f.precision >= 0 {
		i := 0
		for range f.precision {
			if i == len(s) {
				break
			}
			_, n := utf8.DecodeRuneInString(s[i:])
			i += n
		}
		s = s[:i]
	}
	return f.pad("", s), nil
}

// pad fills up to the width. A fill of '=' goes between head (sign and prefix) and body.
func (f spec) pad(head, body string) string {
	n := f.width - utf8.RuneCountInString(head) - utf8.RuneCountInString(body)
	if n <= 0 {
		return head + body
	}
	fill := string(f.fill)
	switch f.align {
	case '<':
		return head + body + strings.Repeat(fill, n)
	case '^':
		return strings.Repeat(fill, n/2) + head + body + strings.Repeat(fill, n-n/2)
	case '=':
		return head + strings.Repeat(fill, n) + body
	}
	return strings.Repeat(fill, n) + head + body
}

// digits puts separators into whole, and zeros before it up to minWidth, which counts separators too. A result never
// begins with a separator.
func (f spec) digits(whole string, minWidth int) string {
	if whole == "" {
		return ""
	}
	if f.group == 0 {
		if n := minWidth - len(whole); n > 0 {
			return strings.Repeat("0", n) + whole
		}
		return whole
	}
	var parts []string
	remaining := len(whole)
	for {
		n := min(f.groupSize, max(remaining, minWidth, 1))
		chars := min(remaining, n)
		parts = append(parts, strings.Repeat("0", n-chars)+whole[remaining-chars:remaining])
		remaining -= chars
		minWidth -= n
		if remaining <= 0 && minWidth <= 0 {
			break
		}
		minWidth--
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
		if i > 0 {
			b.WriteByte(f.group)
		}
	}
	return b.String()
}

// number lays out a number: its sign, a prefix such as 0x, the digits before the point, and all that follows.
func (f spec) number(negative bool, prefix, whole, rest string) string {
	sign := ""
	switch {
	case negative:
		sign = "-"
	case f.sign == '+' || f.sign == ' ':
		sign = string(f.sign)
	}
	minWidth := 0
	if f.zeroDigits {
		minWidth = f.width - len(sign) - len(prefix) - utf8.RuneCountInString(rest)
	}
	return f.pad(sign+prefix, f.digits(whole, minWidth)+rest)
}
