package datetime

import (
	"fmt"
	"time"
	_ "time/tzdata" // the IANA zones, for machines that have none

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/internal/pyformat"
)

// Zone says how far a wall clock is from UTC: a fixed offset (Python's datetime.timezone) or the rules of an IANA
// zone (Python's zoneinfo.ZoneInfo). A Zone is immutable and may be shared by goroutines. In scripts its type is
// "timezone".
type Zone struct {
	key    string         // the IANA name, or "" for a fixed offset
	loc    *time.Location // the IANA zone's rules, or nil
	offset int64          // microseconds east of UTC, when loc is nil
	name   string         // what a fixed offset is called, or "" to derive it
}

var (
	_ starlark.Value      = (*Zone)(nil)
	_ starlark.HasAttrs   = (*Zone)(nil)
	_ starlark.Comparable = (*Zone)(nil)
)

var utc = &Zone{}

// UTC is timezone.utc. It returns the same Zone each time.
func UTC() *Zone { return utc }

// FixedZone is timezone(offset, name). The offset must lie strictly between -24 and 24 hours, else the error is
// Python's ValueError. An empty name gives "UTC+02:00" and the like.
func FixedZone(offset *Timedelta, name string) (*Zone, error) {
	if offset.days < -1 || offset.days > 0 || offset.days == -1 && offset.us == 0 {
		return nil, valueError("offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not %s.", offset.Repr())
	}
	us := offset.days*usPerDay + offset.us
	if us == 0 && name == "" {
		return utc, nil
	}
	return &Zone{offset: us, name: name}, nil
}

func fixedMicros(us int64) *Zone {
	if us == 0 {
		return utc
	}
	return &Zone{offset: us}
}

// LoadZone finds an IANA zone by its name, such as "Europe/Rome", in the machine's zone files or else in the copy
// that the program carries. An unknown name is a ValueError. "Local" and "" are unknown: what they mean would
// depend on the machine.
func LoadZone(name string) (*Zone, error) {
	if name == "UTC" {
		return &Zone{key: name, loc: time.UTC}, nil
	}
	if name == "" || name == "Local" {
		return nil, valueError("No time zone found with key %s", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, valueError("No time zone found with key %s", name)
	}
	return &Zone{key: name, loc: loc}, nil
}

// ZoneOf is the Zone of a Go location. time.UTC is timezone.utc. A location made by time.FixedZone keeps its offset
// and name, and so does time.Local its rules.
func ZoneOf(loc *time.Location) *Zone {
	if loc == time.UTC || loc == nil {
		return utc
	}
	return &Zone{key: loc.String(), loc: loc}
}

// Location is the Zone as Go knows it. A fixed offset is cut to whole seconds.
func (z *Zone) Location() *time.Location {
	switch {
	case z.loc != nil:
		return z.loc
	case z.offset == 0:
		return time.UTC
	}
	return time.FixedZone(z.fixedName(), int(z.offset/usPerSecond))
}

// same says whether two datetimes with these zones are compared and subtracted by their wall clocks.
func (z *Zone) same(o *Zone) bool {
	if z == o {
		return true
	}
	if z == nil || o == nil {
		return false
	}
	if z.loc == nil && o.loc == nil {
		return z.offset == o.offset
	}
	return z.loc != nil && o.loc != nil && (z.loc == o.loc || z.key == o.key)
}

// offsetAt is the offset in microseconds at an instant, given in microseconds of UTC since 0001-01-01.
func (z *Zone) offsetAt(utcUS int64) int64 {
	if z.loc == nil || z.loc == time.UTC {
		return z.offset
	}
	_, off := instant(utcUS).In(z.loc).Zone()
	return int64(off) * usPerSecond
}

// offsetOf is the offset of a wall clock, as PEP 495 says: in a repeated hour fold chooses the first (0) or the
// second (1) pass; in a gap 0 means the offset before it and 1 the one after.
func (z *Zone) offsetOf(wall int64, fold uint8) int64 {
	if z.loc == nil || z.loc == time.UTC {
		return z.offset
	}
	_, off := z.segment(wall, fold)
	return int64(off) * usPerSecond
}

// segment finds the stretch between two transitions to which a wall clock belongs, and its name and offset in seconds. A
// transition from offset a to b at instant t is met on the wall at t+max(a,b) when fold is 0, at t+min(a,b) when 1.
func (z *Zone) segment(wall int64, fold uint8) (name string, offset int) {
	secs, _ := floorDiv(wall, usPerSecond)
	secs -= epochUS / usPerSecond // as if it were UTC
	t := time.Unix(secs, 0).In(z.loc)
	_, off := t.Zone()
	t = time.Unix(secs-int64(off), 0).In(z.loc)
	for range 4 { // one step is the rule; two transitions within a day need more
		var before, after time.Time
		name, offset = t.Zone()
		before, after = t.ZoneBounds()
		if !before.IsZero() {
			_, prev := before.Add(-time.Second).Zone()
			if secs < before.Unix()+met(prev, offset, fold) {
				t = before.Add(-time.Second)
				continue
			}
		}
		if !after.IsZero() {
			_, next := after.Zone()
			if secs >= after.Unix()+met(offset, next, fold) {
				t = after
				continue
			}
		}
		break
	}
	return name, offset
}

func met(a, b int, fold uint8) int64 {
	if fold == 0 {
		return int64(max(a, b))
	}
	return int64(min(a, b))
}

func instant(utcUS int64) time.Time {
	s, us := floorDiv(utcUS-epochUS, usPerSecond)
	return time.Unix(s, us*1000).UTC()
}

// tzname is what %Z prints.
func (z *Zone) tzname(wall int64, fold uint8) string {
	if z.loc == nil {
		return z.fixedName()
	}
	if z.loc == time.UTC {
		return "UTC"
	}
	name, _ := z.segment(wall, fold)
	return name
}

func (z *Zone) fixedName() string {
	switch {
	case z.name != "":
		return z.name
	case z.offset == 0:
		return "UTC"
	}
	return "UTC" + string(appendOffset(nil, z.offset, ":"))
}

// appendOffset writes +HH:MM, with seconds and microseconds only where there are some.
func appendOffset(b []byte, us int64, colon string) []byte {
	sign := byte('+')
	if us < 0 {
		sign, us = '-', -us
	}
	b = append(b, sign)
	b = append2(b, int(us/usPerHour))
	b = append(b, colon...)
	b = append2(b, int(us/usPerMinute%60))
	if us %= usPerMinute; us == 0 {
		return b
	}
	b = append(b, colon...)
	b = append2(b, int(us/usPerSecond))
	if us %= usPerSecond; us == 0 {
		return b
	}
	return appendPadded(append(b, '.'), int(us), 6)
}

// append2 writes a number below 100 in two digits.
func append2(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

func appendPadded(b []byte, n, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for n > 0 || width > 0 {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
		width--
	}
	return append(b, buf[i:]...)
}

// String is the IANA name, or the name of the fixed offset.
func (z *Zone) String() string {
	if z.loc != nil {
		return z.key
	}
	return z.fixedName()
}

// Repr prints as Python's repr.
func (z *Zone) Repr() string {
	switch {
	case z.loc != nil:
		return "zoneinfo.ZoneInfo(key=" + pyformat.Quote(z.key) + ")"
	case z == utc || z.offset == 0 && z.name == "":
		return "datetime.timezone.utc"
	case z.name != "":
		return fmt.Sprintf("datetime.timezone(%s, %s)", microsDelta(z.offset).Repr(), pyformat.Quote(z.name))
	}
	return fmt.Sprintf("datetime.timezone(%s)", microsDelta(z.offset).Repr())
}

// Type is "timezone", for fixed offsets and IANA zones alike.
func (z *Zone) Type() string         { return "timezone" }
func (z *Zone) Freeze()              {}
func (z *Zone) Truth() starlark.Bool { return starlark.True }

// Hash agrees with ==: fixed offsets by the offset, IANA zones by the name.
func (z *Zone) Hash() (uint32, error) {
	if z.loc == nil {
		return hashInt(z.offset), nil
	}
	return starlark.String(z.key).Hash()
}

// CompareSameType knows == and != only, as in Python.
func (z *Zone) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	same := z.same(y.(*Zone))
	switch op {
	case syntax.EQL:
		return same, nil
	case syntax.NEQ:
		return !same, nil
	}
	return false, typeError("'%s' not supported between instances of 'timezone' and 'timezone'", op)
}

var zoneMethods = methods{
	"tzname":    zoneTzname,
	"utcoffset": zoneUTCOffset,
}

func (z *Zone) AttrNames() []string { return zoneMethods.names("key") }

// Attr gives key (the IANA name, None for a fixed offset) and the methods.
func (z *Zone) Attr(name string) (starlark.Value, error) {
	if name == "key" {
		if z.loc == nil {
			return starlark.None, nil
		}
		return starlark.String(z.key), nil
	}
	return zoneMethods.bind(name, z)
}

// utcoffset(dt) is the offset of a wall clock in this zone.
func zoneUTCOffset(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	z, dt, err := zoneArgs(b, args, kwargs)
	if err != nil || z.loc != nil && dt == nil {
		return starlark.None, err
	}
	if dt == nil {
		return microsDelta(z.offset), nil
	}
	return microsDelta(z.offsetOf(dt.wall, dt.fold)), nil
}

// tzname(dt) is the zone's abbreviation at a wall clock: "CET" or "CEST".
func zoneTzname(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	z, dt, err := zoneArgs(b, args, kwargs)
	if err != nil || z.loc != nil && dt == nil {
		return starlark.None, err
	}
	if dt == nil {
		return starlark.String(z.fixedName()), nil
	}
	return starlark.String(z.tzname(dt.wall, dt.fold)), nil
}

func zoneArgs(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (*Zone, *DateTime, error) {
	var v starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "dt", &v); err != nil {
		return nil, nil, err
	}
	z := b.Receiver().(*Zone)
	if v == starlark.None {
		return z, nil, nil
	}
	dt, ok := v.(*DateTime)
	if !ok {
		return nil, nil, typeError("%s: dt must be a datetime or None, not %s", b.Name(), v.Type())
	}
	return z, dt, nil
}
