package datetime

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/starmanage/starmanage/internal/pyformat"
)

// This file holds strptime: CPython's Lib/_strptime.py, whose regular expressions stand here as matchers. A matcher
// lists the lengths that its directive can take at a place, in the order of the expression's alternatives; match
// tries them in that order and goes back where the rest does not fit. Each directive may stand once only, which bounds
// the search.

// directive is one piece of a format: a verb, a run of white space, or a literal character.
type directive struct {
	verb    byte // 0 for a literal, ' ' for white space
	literal rune
}

// Strptime reads s by format as Python's datetime.strptime does, in the C locale. Verbs are
//
//	%a %A %b %B %c %d %f %G %H %I %j %m %M %p %S %u %U %V %w %W %x %X %y %Y %z %Z %%
//
// Digits are ASCII's. White space in format matches one or more white space characters. Letters match in either case. %z makes the result
// aware; %Z matches UTC and GMT and alone changes nothing. Errors are ValueErrors in Python's words.
func Strptime(s, format string) (*DateTime, error) {
	var buf [24]directive
	dirs, err := compile(buf[:0], format, format)
	if err != nil {
		return nil, err
	}
	var p parse
	end, ok := p.match(s, 0, dirs)
	if !ok {
		return nil, valueError("time data %s does not match format %s", pyformat.Quote(s), pyformat.Quote(format))
	}
	if end != len(s) {
		return nil, valueError("unconverted data remains: %s", s[end:])
	}
	return p.datetime()
}

func compile(dirs []directive, format, whole string) ([]directive, error) {
	for i := 0; i < len(format); {
		r, n := utf8.DecodeRuneInString(format[i:])
		i += n
		if unicode.IsSpace(r) {
			if len(dirs) == 0 || dirs[len(dirs)-1].verb != ' ' {
				dirs = append(dirs, directive{verb: ' '})
			}
			continue
		}
		if r != '%' {
			dirs = append(dirs, directive{literal: r})
			continue
		}
		if i == len(format) {
			return nil, valueError("stray %% in format %s", quoteBare(whole))
		}
		r, n = utf8.DecodeRuneInString(format[i:])
		i += n
		if unicode.IsSpace(r) {
			r = '%' // Python's way to name a lone per cent sign
			return nil, valueError("'%c' is a bad directive in format %s", r, quoteBare(whole))
		}
		sub := ""
		switch r {
		case '%':
			dirs = append(dirs, directive{literal: '%'})
			continue
		case 'c', 'x', 'X':
			sub = strings.Replace(composite(byte(r)), "%e", "%d", 1)
		case 'a', 'A', 'b', 'B', 'd', 'f', 'G', 'H', 'I', 'j', 'm', 'M', 'p', 'S', 'u', 'U', 'V', 'w', 'W', 'y', 'Y', 'z', 'Z':
			if slices.ContainsFunc(dirs, func(d directive) bool { return d.verb == byte(r) }) {
				return nil, valueError("%%%c stands twice in format %s", r, quoteBare(whole))
			}
			dirs = append(dirs, directive{verb: byte(r)})
			continue
		default:
			return nil, valueError("'%c' is a bad directive in format %s", r, quoteBare(whole))
		}
		for j := 0; j < len(sub); j++ {
			switch {
			case sub[j] == '%':
				j++
				if slices.ContainsFunc(dirs, func(d directive) bool { return d.verb == sub[j] }) {
					return nil, valueError("%%%c stands twice in format %s", sub[j], quoteBare(whole))
				}
				dirs = append(dirs, directive{verb: sub[j]})
			case sub[j] == ' ':
				dirs = append(dirs, directive{verb: ' '})
			default:
				dirs = append(dirs, directive{literal: rune(sub[j])})
			}
		}
	}
	return dirs, nil
}

// quoteBare puts quotes around a format without escaping it, as Python's '%s' does.
func quoteBare(s string) string { return "'" + s + "'" }

// parse holds what the verbs matched.
type parse struct {
	found [128]span
}

// span is a piece of the text; the zero value is none, because no verb matches nothing.
type span struct {
	text string
	at   int
}

func (p *parse) has(verb byte) bool { return p.found[verb].text != "" }

// num is the number that a verb matched. " 3" is 3.
func (p *parse) num(verb byte) int {
	n := 0
	for _, c := range []byte(p.found[verb].text) {
		if c != ' ' {
			n = n*10 + int(c-'0')
		}
	}
	return n
}

// match matches dirs from s[i:] on and gives the end. It goes deeper with each verb only, so that a
// long format of literals cannot exhaust the stack.
func (p *parse) match(s string, i int, dirs []directive) (end int, ok bool) {
	for ; len(dirs) > 0; dirs = dirs[1:] {
		switch d := dirs[0]; d.verb {
		case 0:
			r, n := utf8.DecodeRuneInString(s[i:])
			if n == 0 || r != d.literal && !equalFold(r, d.literal) {
				return 0, false
			}
			i += n
		case ' ':
			rest := strings.TrimLeftFunc(s[i:], unicode.IsSpace)
			if len(rest) == len(s)-i {
				return 0, false
			}
			i = len(s) - len(rest) // all of it: of the verbs only %d takes a blank, and it does without one
		default:
			return p.matchVerb(s, i, d.verb, dirs[1:])
		}
	}
	return i, true
}

func (p *parse) matchVerb(s string, i int, verb byte, rest []directive) (end int, ok bool) {
	var buf [12]int
	for _, n := range lengths(buf[:0], verb, s[i:]) {
		if end, ok := p.match(s, i+n, rest); ok {
			p.found[verb] = span{s[i : i+n], i}
			return end, true
		}
	}
	return 0, false
}

func equalFold(a, b rune) bool { return unicode.ToLower(a) == unicode.ToLower(b) }

// lengths appends the lengths that a verb can match at the start of s, the preferred one first.
func lengths(out []int, verb byte, s string) []int {
	// within says that the first n bytes are digits of a number from low to high
	within := func(n, low, high int) bool {
		if len(s) < n {
			return false
		}
		v := 0
		for i := range n {
			if !isDigit(s[i]) {
				return false
			}
			v = v*10 + int(s[i]-'0')
		}
		return low <= v && v <= high
	}
	number := func(widths ...[3]int) []int {
		for _, w := range widths {
			if within(w[0], w[1], w[2]) {
				out = append(out, w[0])
			}
		}
		return out
	}
	word := func(cut int, names ...string) []int {
		longest := slices.Clone(names)
		slices.SortStableFunc(longest, func(a, b string) int { return len(b) - len(a) })
		for _, name := range longest {
			if cut > 0 {
				name = name[:cut]
			}
			if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
				out = append(out, len(name))
			}
		}
		return out
	}
	switch verb {
	case 'd':
		out = number([3]int{2, 1, 31}, [3]int{1, 1, 9})
		if len(s) > 1 && s[0] == ' ' && '1' <= s[1] && s[1] <= '9' {
			out = append(out, 2)
		}
		return out
	case 'f':
		n := 0
		for n < 6 && n < len(s) && isDigit(s[n]) {
			n++
		}
		for ; n > 0; n-- {
			out = append(out, n)
		}
		return out
	case 'H':
		return number([3]int{2, 0, 23}, [3]int{1, 0, 9})
	case 'I', 'm':
		return number([3]int{2, 1, 12}, [3]int{1, 1, 9})
	case 'j':
		return number([3]int{3, 1, 366}, [3]int{2, 1, 99}, [3]int{1, 1, 9})
	case 'M':
		return number([3]int{2, 0, 59}, [3]int{1, 0, 9})
	case 'S':
		return number([3]int{2, 0, 61}, [3]int{1, 0, 9})
	case 'U', 'W':
		return number([3]int{2, 0, 53}, [3]int{1, 0, 9})
	case 'V':
		return number([3]int{2, 1, 53}, [3]int{1, 0, 9})
	case 'w':
		return number([3]int{1, 0, 6})
	case 'u':
		return number([3]int{1, 1, 7})
	case 'y':
		return number([3]int{2, 0, 99})
	case 'G', 'Y':
		return number([3]int{4, 0, 9999})
	case 'A':
		return word(0, dayNames[:]...)
	case 'a':
		return word(3, dayNames[:]...)
	case 'B':
		return word(0, monthNames[:]...)
	case 'b':
		return word(3, monthNames[:]...)
	case 'p':
		return word(0, "AM", "PM")
	case 'Z':
		return word(0, "UTC", "GMT")
	case 'z':
		return zoneLengths(out, s)
	}
	return nil
}

// zoneLengths matches [+-]HH:?MM(:?SS(\.f{1,6})?)? or Z, the longest first.
func zoneLengths(out []int, s string) []int {
	if s == "" {
		return nil
	}
	if s[0] == 'Z' {
		return append(out, 1)
	}
	at := func(i int) byte { return text(s).at(i) }
	if s[0] != '+' && s[0] != '-' || !isDigit(at(1)) || !isDigit(at(2)) {
		return nil
	}
	sixty := func(i int) bool { return '0' <= at(i) && at(i) <= '5' && isDigit(at(i+1)) }
	i := 3
	if at(i) == ':' {
		i++
	}
	if !sixty(i) {
		return nil
	}
	i += 2
	ends := []int{i}
	if at(i) == ':' {
		i++
	}
	if sixty(i) {
		i += 2
		ends = append(ends, i)
		if at(i) == '.' {
			for n := 1; n <= 6 && isDigit(at(i+n)); n++ {
				ends = append(ends, i+n+1)
			}
		}
	}
	slices.Reverse(ends)
	return append(out, ends...)
}

func index(names []string, s string) int {
	return slices.IndexFunc(names, func(name string) bool { return len(name) >= len(s) && strings.EqualFold(name[:len(s)], s) })
}

// datetime makes of what was found what Python makes of it.
func (p *parse) datetime() (*DateTime, error) {
	month, day := 1, 1
	year, hasYear := 1900, true
	switch p.last("Yy") {
	case 'Y':
		year = p.num('Y')
	case 'y':
		if year = p.num('y') + 1900; year <= 1968 {
			year += 100
		}
	default:
		hasYear = false
	}
	switch verb := p.last("mBb"); verb {
	case 'm':
		month = p.num('m')
	case 'B', 'b':
		month = index(monthNames[:], p.found[verb].text) + 1
	}
	if p.has('d') {
		day = p.num('d')
	}
	hour := 0
	switch p.last("HI") {
	case 'H':
		hour = p.num('H')
	case 'I':
		hour = p.num('I') % 12
		if strings.EqualFold(p.found['p'].text, "PM") {
			hour += 12
		}
	}
	us := 0
	if p.has('f') {
		us = p.num('f')
		for range 6 - len(p.found['f'].text) {
			us *= 10
		}
	}
	wd, hasWeekday := 0, true
	switch verb := p.last("Aawu"); verb {
	case 'A', 'a':
		wd = index(dayNames[:], p.found[verb].text)
	case 'w':
		wd = (p.num('w') + 6) % 7
	case 'u':
		wd = p.num('u') - 1
	default:
		hasWeekday = false
	}
	var zone *Zone
	if p.has('z') {
		offset, err := p.offset()
		if err != nil {
			return nil, err
		}
		name := ""
		if p.has('Z') {
			name = p.found['Z'].text
		}
		if zone, err = FixedZone(offset, name); err != nil {
			return nil, err
		}
	}

	switch {
	case p.has('G') && p.has('j'):
		return nil, valueError("Day of the year directive '%%j' is not compatible with ISO year directive '%%G'. Use '%%Y' instead.")
	case p.has('G') && (!p.has('V') || !hasWeekday):
		return nil, valueError("ISO year directive '%%G' must be used with the ISO week directive '%%V' and a weekday directive ('%%A', '%%a', '%%w', or '%%u').")
	case p.has('V') && !p.has('G') && (!hasYear || !hasWeekday):
		return nil, valueError("ISO week directive '%%V' must be used with the ISO year directive '%%G' and a weekday directive ('%%A', '%%a', '%%w', or '%%u').")
	case p.has('V') && !p.has('G'):
		return nil, valueError("ISO week directive '%%V' is incompatible with the year directive '%%Y'. Use the ISO year '%%G' instead.")
	}

	leapDay := !hasYear && month == 2 && day == 29
	if leapDay {
		year = 1904 // a leap year, to compute with; the result is in 1900
	}
	julian, hasJulian := p.num('j'), p.has('j')
	if !hasJulian && hasWeekday {
		if p.has('U') || p.has('W') {
			if year < minYear {
				return nil, valueError("year %d is out of range", year)
			}
			first := weekday(ordinal(year, 1, 1))
			if p.last("UW") == 'W' {
				julian = julianOfWeek(p.num('W'), wd, first)
			} else {
				julian = julianOfWeek(p.num('U'), (wd+1)%7, (first+1)%7)
			}
			hasJulian = true
			if julian <= 0 {
				year--
				julian += 365
				if isLeap(year) {
					julian++
				}
			}
		} else if p.has('G') {
			ord, err := fromISOCalendar(p.num('G'), p.num('V'), wd+1)
			if err != nil {
				return nil, err
			}
			year, month, day = civil(ord)
		}
	}
	if hasJulian {
		if year < minYear {
			return nil, valueError("year %d is out of range", year)
		}
		ord := ordinal(year, 1, 1) + julian - 1
		if ord > maxOrdinal {
			return nil, valueError("year %d is out of range", year+1)
		}
		if ord < 1 {
			return nil, valueError("ordinal must be >= 1")
		}
		year, month, day = civil(ord)
	}
	if err := checkDate(year, month, day); err != nil {
		return nil, err
	}
	if leapDay {
		year = 1900
	}
	return NewDateTime(year, month, day, hour, p.num('M'), p.num('S'), us, zone, 0)
}

// last is the one of the verbs that was found furthest to the right, because Python lets the last one win; 0 for none.
func (p *parse) last(verbs string) byte {
	var best byte
	for _, v := range []byte(verbs) {
		if p.has(v) && (best == 0 || p.found[v].at > p.found[best].at) {
			best = v
		}
	}
	return best
}

// julianOfWeek is the day of the year of a weekday in a week that is counted from the year's first Monday or Sunday;
// first is the weekday of 1 January, both counted from the day that starts the week.
func julianOfWeek(week, day, first int) int {
	if week == 0 {
		return 1 + day - first
	}
	return 1 + (7-first)%7 + 7*(week-1) + day
}

// offset reads what %z matched.
func (p *parse) offset() (*Timedelta, error) {
	z := p.found['z'].text
	if z == "Z" {
		return &Timedelta{}, nil
	}
	if z[3] == ':' {
		z = z[:3] + z[4:]
		if len(z) > 5 {
			if z[5] != ':' {
				return nil, valueError("Inconsistent use of : in %s", p.found['z'].text)
			}
			z = z[:5] + z[6:]
		}
	}
	num := func(s string) int64 {
		n := int64(0)
		for _, c := range []byte(s) {
			n = n*10 + int64(c-'0')
		}
		return n
	}
	us := num(z[1:3])*usPerHour + num(z[3:5])*usPerMinute
	if len(z) > 5 {
		us += num(z[5:7]) * usPerSecond
	}
	if len(z) > 8 {
		us += num((z[8:] + "000000")[:6])
	}
	if z[0] == '-' {
		us = -us
	}
	return microsDelta(us), nil
}
