package datetime

import "github.com/starmanage/starmanage/internal/pyformat"

// This file holds the parsers: ISO 8601 as CPython 3.13's fromisoformat reads it, and the text of databases.

// text ends with a NUL for every index beyond its end, as a C string does: the reading below follows CPython's
// _datetimemodule.c step by step, so that both accept the same texts.
type text string

func (s text) at(i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// digits reads n digits at i. It reports ok false at anything else.
func (s text) digits(i, n int) (v, next int, ok bool) {
	for range n {
		c := s.at(i)
		if !isDigit(c) {
			return 0, 0, false
		}
		v = v*10 + int(c-'0')
		i++
	}
	return v, i, true
}

// isoDate reads YYYY-MM-DD, YYYYMMDD, YYYY-Www[-D] or YYYYWww[D]. Month and day are not checked yet.
func (s text) isoDate() (year, month, day int, ok bool) {
	year, p, ok := s.digits(0, 4)
	if !ok {
		return 0, 0, 0, false
	}
	dash := s.at(p) == '-'
	if dash {
		p++
	}
	if s.at(p) == 'W' {
		week, p, ok := s.digits(p+1, 2)
		if !ok {
			return 0, 0, 0, false
		}
		isoDay := 1
		if p < len(s) {
			if dash {
				if s.at(p) != '-' {
					return 0, 0, 0, false
				}
				p++
			}
			if isoDay, _, ok = s.digits(p, 1); !ok {
				return 0, 0, 0, false
			}
		}
		ord, err := fromISOCalendar(year, week, isoDay)
		if err != nil {
			return 0, 0, 0, false
		}
		year, month, day = civil(ord)
		return year, month, day, true
	}
	if month, p, ok = s.digits(p, 2); !ok {
		return 0, 0, 0, false
	}
	if dash {
		if s.at(p) != '-' {
			return 0, 0, 0, false
		}
		p++
	}
	if day, _, ok = s.digits(p, 2); !ok {
		return 0, 0, 0, false
	}
	return year, month, day, true
}

// isoSeparator is where the date ends, or -1.
func (s text) isoSeparator() int {
	if len(s) == 7 {
		return 7
	}
	if s[4] == '-' {
		if s[5] != 'W' {
			return 10
		}
		if len(s) > 8 && s[8] == '-' {
			if len(s) == 9 {
				return -1
			}
			if len(s) > 10 && isDigit(s[10]) {
				return 8 // YYYY-Www-HH: the hyphen is the separator
			}
			return 10
		}
		return 8
	}
	if s[4] != 'W' {
		return 8
	}
	i := 7
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	switch {
	case i < 9:
		return i
	case i%2 == 0:
		return 7
	}
	return 8
}

type clock struct{ hour, minute, second, us int }

// isoClock reads HH[:MM[:SS[.f…]]] or the same without colons up to end. It reports whether something is left over.
func (s text) isoClock(p, end int) (c clock, rest, ok bool) {
	colon := true
	for i, field := range []*int{&c.hour, &c.minute, &c.second} {
		if *field, p, ok = s.digits(p, 2); !ok {
			return c, false, false
		}
		sep := s.at(p)
		p++
		if i == 0 {
			colon = sep == ':'
		}
		if p >= end {
			return c, sep != 0, true
		}
		if colon && sep == ':' {
			if i == 2 {
				return c, false, false
			}
			continue
		}
		if sep == '.' || sep == ',' {
			break // of hours and minutes too, and then a fraction of a second
		}
		if colon {
			return c, false, false
		}
		p--
	}
	n := min(end-p, 6)
	if c.us, p, ok = s.digits(p, n); !ok {
		return c, false, false
	}
	for range 6 - n {
		c.us *= 10
	}
	for isDigit(s.at(p)) {
		p++ // beyond microseconds: cut, not rounded
	}
	return c, s.at(p) != 0, true
}

// isoTime reads a time and an optional offset. zone is nil without one.
func (s text) isoTime() (c clock, zone *Zone, ok bool, err error) {
	tz := 0
	for tz < len(s) && s[tz] != '+' && s[tz] != '-' && s[tz] != 'Z' {
		tz++
	}
	c, rest, ok := s.isoClock(0, tz)
	if !ok || tz == len(s) {
		return c, nil, ok && !rest, nil
	}
	if s[tz] == 'Z' {
		return c, utc, tz+1 == len(s), nil
	}
	o, rest, ok := s.isoClock(tz+1, len(s))
	if !ok || rest {
		return c, nil, false, nil
	}
	us := int64(o.hour)*usPerHour + int64(o.minute)*usPerMinute + int64(o.second)*usPerSecond + int64(o.us)
	if s[tz] == '-' {
		us = -us
	}
	zone, err = FixedZone(microsDelta(us), "")
	return c, zone, true, err
}

// ParseDate reads a date as Python's date.fromisoformat does: YYYY-MM-DD, YYYYMMDD, YYYY-Www-D and the like. Errors
// are ValueErrors in Python's words.
func ParseDate(s string) (*Date, error) {
	ok := len(s) == 7 || len(s) == 8 || len(s) == 10
	var year, month, day int
	if ok {
		year, month, day, ok = text(s).isoDate()
	}
	if !ok {
		return nil, valueError("Invalid isoformat string: %s", pyformat.Quote(s))
	}
	return NewDate(year, month, day)
}

// Parse reads a datetime as Python's datetime.fromisoformat does: a date as ParseDate, and after any one character a
// time with an optional offset or Z. Without an offset the result is naive. Errors are ValueErrors in Python's words. It
// differs from CPython 3.13.0 in two of its slips: an offset below one second is kept, not taken for UTC, and a colon
// before a fraction (10:20:30:40) is refused.
func Parse(s string) (*DateTime, error) {
	invalid := func() error { return valueError("Invalid isoformat string: %s", pyformat.Quote(s)) }
	if len(s) < 7 {
		return nil, invalid()
	}
	sep := text(s).isoSeparator()
	if sep < 0 {
		return nil, invalid()
	}
	year, month, day, ok := text(s[:min(sep, len(s))]).isoDate()
	if !ok {
		return nil, invalid()
	}
	var c clock
	var zone *Zone
	if sep < len(s) {
		sep++
		for sep < len(s) && s[sep]&0xc0 == 0x80 {
			sep++ // the rest of a separator that is not ASCII
		}
		var err error
		if c, zone, ok, err = text(s[sep:]).isoTime(); err != nil {
			return nil, err
		}
		if !ok {
			return nil, invalid()
		}
	}
	return NewDateTime(year, month, day, c.hour, c.minute, c.second, c.us, zone, 0)
}

// ParseTimestamp reads the text of a database's timestamp: "2026-01-02 03:04:05", with T instead of the blank, up to
// nine digits of a fraction (cut to microseconds), and Z or an offset such as +01, +0100 or +01:00. A date alone is
// midnight. Without an offset the text is a wall clock of zone, or naive when zone is nil. With one it is that instant
// in zone, or with that fixed offset when zone is nil. Anything else is a ValueError.
//
// It is called for each cell of a result: s is not kept, so that string(b) of a buffer costs nothing.
func ParseTimestamp(s string, zone *Zone) (*DateTime, error) {
	dt := new(DateTime)
	if err := dt.SetTimestamp(s, zone); err != nil {
		return nil, err
	}
	return dt, nil
}

// SetTimestamp is ParseTimestamp into a DateTime that nobody else sees yet: an element of a slice, to save the memory
// of each, which costs more than the parsing. After an error it is unchanged. A DateTime in use must not be set.
func (dt *DateTime) SetTimestamp(s string, zone *Zone) error {
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != ' ' && s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return dt.setUnusual(s, zone)
	}
	year := pair(s[0], s[1])*100 + pair(s[2], s[3])
	month, day := pair(s[5], s[6]), pair(s[8], s[9])
	hour, minute, second := pair(s[11], s[12]), pair(s[14], s[15]), pair(s[17], s[18])
	// One comparison each: pair is far beyond them all where there was no digit, and 0-1 is too.
	if year-1 >= maxYear || month-1 >= 12 || day-1 >= 28 && day-1 >= uint(daysInMonth(int(year), int(month))) ||
		hour >= 24 || minute >= 60 || second >= 60 {
		return badTimestamp(s)
	}
	wall := int64(ordinal(int(year), int(month), int(day))-1)*usPerDay + int64(hour*3600+minute*60+second)*usPerSecond
	if len(s) == 19 {
		*dt = DateTime{wall: wall, zone: zone}
		return nil
	}
	i := 19
	if len(s) == 26 && s[19] == '.' {
		us := pair(s[20], s[21])*10_000 + pair(s[22], s[23])*100 + pair(s[24], s[25])
		if us < 1_000_000 {
			*dt = DateTime{wall: wall + int64(us), zone: zone}
			return nil
		}
	}
	if s[19] == '.' {
		us, n := uint(0), 0
		for i = 20; i < len(s) && s[i]-'0' <= 9; i++ {
			if n < 6 {
				us = us*10 + uint(s[i]-'0')
			}
			n++
		}
		if n == 0 || n > 9 {
			return badTimestamp(s)
		}
		for ; n < 6; n++ {
			us *= 10
		}
		wall += int64(us)
	}
	if i == len(s) {
		*dt = DateTime{wall: wall, zone: zone}
		return nil
	}
	return dt.setOffset(s, i, wall, zone)
}

// pair is two digits as a number, and far above every limit when they are not digits.
func pair(a, b byte) uint {
	x, y := uint(a-'0'), uint(b-'0')
	if x > 9 || y > 9 {
		return 1 << 32
	}
	return x*10 + y
}

// setUnusual reads a date alone, and a time without seconds.
func (dt *DateTime) setUnusual(s string, zone *Zone) error {
	switch {
	case len(s) == 10:
		return dt.SetTimestamp(s+" 00:00:00", zone)
	case len(s) == 16:
		return dt.SetTimestamp(s+":00", zone)
	}
	return badTimestamp(s)
}

// setOffset reads the offset that follows a wall clock at s[i].
func (dt *DateTime) setOffset(s string, i int, wall int64, zone *Zone) error {
	own := utc
	if s[i:] != "Z" && s[i:] != "+00:00" && s[i:] != "+00" {
		if s[i] == ' ' && i+1 < len(s) {
			i++
		}
		if s[i] != '+' && s[i] != '-' {
			return badTimestamp(s)
		}
		o, rest, ok := text(s).isoClock(i+1, len(s))
		if !ok || rest || o.hour > 23 || o.minute > 59 || o.second > 59 {
			return badTimestamp(s)
		}
		us := int64(o.hour)*usPerHour + int64(o.minute)*usPerMinute + int64(o.second)*usPerSecond + int64(o.us)
		if s[i] == '-' {
			us = -us
		}
		own = fixedMicros(us)
	}
	if zone == nil || zone == own {
		*dt = DateTime{wall: wall, zone: own}
		return nil
	}
	in, err := fromUTC(wall-own.offset, zone)
	if err != nil {
		return err
	}
	*dt = *in
	return nil
}

func badTimestamp(s string) error {
	return valueError("invalid timestamp %s: want YYYY-MM-DD HH:MM:SS", pyformat.Quote(s))
}
