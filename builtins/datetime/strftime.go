package datetime

import (
	"strings"
)

var (
	dayNames   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
)

// composites are the verbs that stand for others, as in the C locale.
func composite(verb byte) string {
	switch verb {
	case 'c':
		return "%a %b %e %H:%M:%S %Y"
	case 'D', 'x':
		return "%m/%d/%y"
	case 'F':
		return "%Y-%m-%d"
	case 'r':
		return "%I:%M:%S %p"
	case 'R':
		return "%H:%M"
	case 'T', 'X':
		return "%H:%M:%S"
	}
	return ""
}

// Strftime formats as CPython does on Linux: Python's own verbs %f, %z, %:z and %Z, and glibc's in the C locale
//
//	%a %A %b %B %c %C %d %D %e %F %g %G %h %H %I %j %k %l %m %M %n %p %P %r %R %s %S %t %T %u %U %V %w %W %x %X %y %Y %%
//
// with glibc's flags - (no padding), _ (blanks), 0, ^ and # (upper case), a width, and the modifiers E and O, which
// change nothing before the verbs that glibc takes them for. Years always have four digits. What is no verb is copied. The one error is %s for a naive datetime,
// which has no instant.
func (dt *DateTime) Strftime(format string) (string, error) {
	b := make([]byte, 0, len(format)+16)
	b, err := dt.appendFormat(b, format)
	return string(b), err
}

func (dt *DateTime) appendFormat(b []byte, format string) ([]byte, error) {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b = append(b, format[i])
			continue
		}
		start := i
		var pad byte
		upper, swap := false, false
		width := 0
		i++
		for ; i < len(format) && strings.IndexByte("-_0^#", format[i]) >= 0; i++ {
			switch format[i] {
			case '^':
				upper = true
			case '#':
				swap = true
			default:
				pad = format[i]
			}
		}
		for ; i < len(format) && isDigit(format[i]); i++ {
			width = min(width*10+int(format[i]-'0'), maxWidth)
		}
		bare := i == start+1
		refuses := "" // the verbs that glibc copies after the modifier
		if i+1 < len(format) {
			switch format[i] {
			case 'E':
				i, bare, refuses = i+1, false, "aAbBdDeFgGhHIjklmMSUVwW"
			case 'O':
				i, bare, refuses = i+1, false, "aAcDFxXY"
			}
		}
		if i >= len(format) {
			return append(b, format[start:]...), nil
		}
		verb := format[i]
		if strings.IndexByte(refuses, verb) >= 0 {
			b = append(b, format[start:i+1]...)
			continue
		}
		if bare && verb == ':' && i+1 < len(format) && format[i+1] == 'z' {
			i++
			b = dt.appendZone(b, ":")
			continue
		}
		if bare {
			switch verb { // these are Python's: no flags, no width
			case 'f':
				b = appendPadded(b, int(dt.wall%usPerSecond), 6)
				continue
			case 'z':
				b = dt.appendZone(b, "")
				continue
			case 'Z':
				if dt.zone != nil {
					b = append(b, dt.zone.tzname(dt.wall, dt.fold)...)
				}
				continue
			}
		}
		if n, digits, fill, ok := dt.number(verb); ok {
			switch pad {
			case '_':
				fill = ' '
			case '0':
				fill = '0'
			case '-':
				fill, digits = ' ', 1
			}
			width = max(width, digits)
			b = padTo(b, appendPadded(nil, n, 1), width, fill)
			continue
		}
		var s []byte
		switch verb {
		case 'a', 'A', 'b', 'h', 'B', 'p', 'P', 'n', 't', '%':
			s = []byte(dt.word(verb))
			switch {
			case verb == 'P':
				upper = false
			case verb == 'p' && swap:
				s, upper = []byte(strings.ToLower(string(s))), false
			case swap:
				upper = true
			}
		case 's':
			if dt.zone == nil {
				return nil, valueError("strftime: %%s needs an aware datetime: give this one a tzinfo")
			}
			secs, _ := floorDiv(dt.utc()-epochUS, usPerSecond)
			sign := ""
			if secs < 0 {
				sign, secs = "-", -secs
			}
			s = appendPadded([]byte(sign), int(secs), 1)
		default:
			sub := composite(verb)
			if sub == "" {
				b = append(b, format[start:i+1]...)
				continue
			}
			var err error
			if s, err = dt.appendFormat(nil, sub); err != nil {
				return nil, err
			}
		}
		if upper {
			s = []byte(strings.ToUpper(string(s)))
		}
		fill := byte(' ')
		if pad == '0' {
			fill = '0'
		}
		b = padTo(b, s, width, fill)
	}
	return b, nil
}

// maxWidth bounds %99999999d, which is a mistake and would eat the memory.
const maxWidth = 1000

func padTo(b, s []byte, width int, fill byte) []byte {
	for range width - len(s) {
		b = append(b, fill)
	}
	return append(b, s...)
}

// number is the value of a verb that prints one, with its digits and what fills them.
func (dt *DateTime) number(verb byte) (n, digits int, fill byte, ok bool) {
	ord := dt.ord()
	h, m, s, _ := dt.clock()
	year, month, day := civil(ord)
	digits, fill, ok = 2, '0', true
	switch verb {
	case 'Y':
		n, digits = year, 4
	case 'C':
		n = year / 100
	case 'y':
		n = year % 100
	case 'G', 'g', 'V':
		isoYear, week, _ := isoCalendar(ord)
		switch verb {
		case 'G':
			n, digits = isoYear, 4
		case 'g':
			n = isoYear % 100
		default:
			n = week
		}
	case 'm':
		n = month
	case 'd':
		n = day
	case 'e':
		n, fill = day, ' '
	case 'H':
		n = h
	case 'k':
		n, fill = h, ' '
	case 'I':
		n = (h+11)%12 + 1
	case 'l':
		n, fill = (h+11)%12+1, ' '
	case 'M':
		n = m
	case 'S':
		n = s
	case 'j':
		n, digits = dayOfYear(ord), 3
	case 'u':
		n, digits = weekday(ord)+1, 1
	case 'w':
		n, digits = (weekday(ord)+1)%7, 1
	case 'U':
		n = (dayOfYear(ord) + 6 - (weekday(ord)+1)%7) / 7
	case 'W':
		n = (dayOfYear(ord) + 6 - weekday(ord)) / 7
	default:
		ok = false
	}
	return n, digits, fill, ok
}

func (dt *DateTime) word(verb byte) string {
	_, month, _ := civil(dt.ord())
	afternoon := dt.wall%usPerDay >= 12*usPerHour
	switch verb {
	case 'A':
		return dayNames[weekday(dt.ord())]
	case 'a':
		return dayNames[weekday(dt.ord())][:3]
	case 'B':
		return monthNames[month-1]
	case 'b', 'h':
		return monthNames[month-1][:3]
	case 'p':
		if afternoon {
			return "PM"
		}
		return "AM"
	case 'P':
		if afternoon {
			return "pm"
		}
		return "am"
	case 'n':
		return "\n"
	case 't':
		return "\t"
	}
	return "%"
}

func (dt *DateTime) appendZone(b []byte, colon string) []byte {
	if dt.zone == nil {
		return b
	}
	return appendOffset(b, dt.offset(), colon)
}
