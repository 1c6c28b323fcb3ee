package datetime

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// DateTime is a wall clock with microseconds, and either a Zone (aware) or none (naive), as Python's
// datetime.datetime. It is immutable.
//
// It keeps the wall clock, not the instant: adding a timedelta moves the clock on the wall, and a time that a clock
// change skips can be held, both as in Python. Fold chooses between the two passes of a repeated hour (PEP 495).
type DateTime struct {
	wall int64 // microseconds since 0001-01-01 00:00 on the wall, 0 to maxWall
	zone *Zone // nil: naive
	fold uint8 // 0 or 1
}

var (
	_ starlark.Value      = (*DateTime)(nil)
	_ starlark.HasAttrs   = (*DateTime)(nil)
	_ starlark.HasBinary  = (*DateTime)(nil)
	_ starlark.Comparable = (*DateTime)(nil)
	_ json.Marshaler      = (*DateTime)(nil)
)

// NewDateTime is datetime(year, …, tzinfo=zone, fold=fold); a nil zone makes it naive. Parts out of range are
// ValueErrors in Python's words.
func NewDateTime(year, month, day, hour, minute, second, microsecond int, zone *Zone, fold int) (*DateTime, error) {
	if err := checkDate(year, month, day); err != nil {
		return nil, err
	}
	if err := checkTime(hour, minute, second, microsecond, fold); err != nil {
		return nil, err
	}
	return &DateTime{wallClock(ordinal(year, month, day), hour, minute, second, microsecond), zone, uint8(fold)}, nil
}

// FromTime is the instant t, cut to microseconds, in the zone of t's location. Years outside 1 to 9999 are an error.
func FromTime(t time.Time) (*DateTime, error) { return At(t, ZoneOf(t.Location())) }

// At is the instant t, cut to microseconds, in zone, or the naive wall clock of t's own location when zone is nil. Years
// outside 1 to 9999 are an error.
func At(t time.Time, zone *Zone) (*DateTime, error) {
	if y := t.Year(); y < minYear-1 || y > maxYear+1 {
		return nil, valueError("year %d is out of range", y)
	}
	us := t.Unix()*usPerSecond + int64(t.Nanosecond()/1000) + epochUS
	if zone != nil {
		return fromUTC(us, zone)
	}
	_, off := t.Zone()
	return fromWall(us+int64(off)*usPerSecond, nil)
}

func fromWall(wall int64, zone *Zone) (*DateTime, error) {
	if wall < 0 || wall > maxWall {
		return nil, overflowError("date value out of range")
	}
	return &DateTime{wall: wall, zone: zone}, nil
}

// fromUTC places an instant, in microseconds of UTC since 0001-01-01, on the wall of a zone.
func fromUTC(utcUS int64, zone *Zone) (*DateTime, error) {
	off := zone.offsetAt(utcUS)
	dt, err := fromWall(utcUS+off, zone)
	if err == nil && zone.loc != nil && zone.offsetOf(dt.wall, 0) != off {
		dt.fold = 1
	}
	return dt, err
}

// Zone is the datetime's zone, nil when it is naive.
func (dt *DateTime) Zone() *Zone { return dt.zone }

// Time is the instant, in the zone's location. A naive datetime is taken as UTC: give it a zone first when it means
// something else.
func (dt *DateTime) Time() time.Time {
	if dt.zone == nil {
		return instant(dt.wall)
	}
	return instant(dt.utc()).In(dt.zone.Location())
}

// utc is the instant in microseconds since 0001-01-01 UTC; for a naive datetime the wall clock.
func (dt *DateTime) utc() int64 { return dt.wall - dt.offset() }

func (dt *DateTime) offset() int64 {
	if dt.zone == nil {
		return 0
	}
	return dt.zone.offsetOf(dt.wall, dt.fold)
}

// In is the same instant on the wall of another zone. A naive datetime is taken as UTC.
func (dt *DateTime) In(zone *Zone) (*DateTime, error) {
	if dt.zone == zone || zone.loc != nil && dt.zone.same(zone) {
		return dt, nil
	}
	at := dt.utc()
	if at < 0 || at > maxWall { // Python goes through UTC
		return nil, overflowError("date value out of range")
	}
	return fromUTC(at, zone)
}

// WithZone is the same wall clock in another zone, or naive for nil.
func (dt *DateTime) WithZone(zone *Zone) *DateTime { return &DateTime{dt.wall, zone, dt.fold} }

// Date is the day on the wall.
func (dt *DateTime) Date() *Date { return &Date{dt.ord()} }

func (dt *DateTime) ord() int { return int(dt.wall/usPerDay) + 1 }

// Add moves the wall clock. Beyond year 1 or 9999 the error is Python's OverflowError.
func (dt *DateTime) Add(d *Timedelta) (*DateTime, error) {
	if d.days < -maxOrdinal || d.days > maxOrdinal {
		return nil, overflowError("date value out of range")
	}
	return fromWall(dt.wall+d.days*usPerDay+d.us, dt.zone)
}

// Sub is dt - o. One naive and one aware datetime are a TypeError in Python's words.
func (dt *DateTime) Sub(o *DateTime) (*Timedelta, error) {
	if (dt.zone == nil) != (o.zone == nil) {
		return nil, typeError("can't subtract offset-naive and offset-aware datetimes")
	}
	if dt.zone.same(o.zone) {
		return microsDelta(dt.wall - o.wall), nil
	}
	return microsDelta(dt.utc() - o.utc()), nil
}

// foldMatters reports a wall clock in a gap or a repeated hour: it equals nothing in another zone (PEP 495).
func (dt *DateTime) foldMatters() bool {
	return dt.zone.offsetOf(dt.wall, 0) != dt.zone.offsetOf(dt.wall, 1)
}

// Equal is Python's ==: false for one naive and one aware datetime.
func (dt *DateTime) Equal(o *DateTime) bool {
	switch {
	case (dt.zone == nil) != (o.zone == nil):
		return false
	case dt.zone.same(o.zone), dt.zone == nil:
		return dt.wall == o.wall
	}
	return dt.utc() == o.utc() && !dt.foldMatters() && !o.foldMatters()
}

// Compare is -1, 0 or 1. One naive and one aware datetime are a TypeError in Python's words.
func (dt *DateTime) Compare(o *DateTime) (int, error) {
	if (dt.zone == nil) != (o.zone == nil) {
		return 0, typeError("can't compare offset-naive and offset-aware datetimes")
	}
	a, b := dt.wall, o.wall
	if dt.zone != nil && !dt.zone.same(o.zone) {
		a, b = dt.utc(), o.utc()
	}
	switch {
	case a < b:
		return -1, nil
	case a > b:
		return 1, nil
	}
	return 0, nil
}

func (dt *DateTime) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	o := y.(*DateTime)
	switch op {
	case syntax.EQL:
		return dt.Equal(o), nil
	case syntax.NEQ:
		return !dt.Equal(o), nil
	}
	cmp, err := dt.Compare(o)
	return err == nil && threeway(op, cmp), err
}

// Hash is the instant's, with fold 0 (as Python's), so that equal datetimes in different zones agree.
func (dt *DateTime) Hash() (uint32, error) {
	if dt.zone == nil {
		return hashInt(dt.wall), nil
	}
	return hashInt(dt.wall - dt.zone.offsetOf(dt.wall, 0)), nil
}

func (dt *DateTime) Type() string         { return "datetime" }
func (dt *DateTime) Freeze()              {}
func (dt *DateTime) Truth() starlark.Bool { return starlark.True }

// String prints as Python's str: "2026-01-02 03:04:05.000006+00:00".
func (dt *DateTime) String() string { return string(dt.appendISO(make([]byte, 0, 32), " ", "auto")) }

// ISOFormat prints as Python's isoformat(): "2026-01-02T03:04:05+00:00".
func (dt *DateTime) ISOFormat() string { return string(dt.appendISO(make([]byte, 0, 32), "T", "auto")) }

// MarshalJSON writes ISOFormat as a string.
func (dt *DateTime) MarshalJSON() ([]byte, error) {
	return append(dt.appendISO([]byte{'"'}, "T", "auto"), '"'), nil
}

func (dt *DateTime) clock() (hour, minute, second, us int) {
	t := dt.wall % usPerDay
	return int(t / usPerHour), int(t / usPerMinute % 60), int(t / usPerSecond % 60), int(t % usPerSecond)
}

func (dt *DateTime) appendISO(b []byte, sep, timespec string) []byte {
	h, m, s, us := dt.clock()
	b = append(dt.Date().append(b), sep...)
	b = append2(b, h)
	if timespec != "hours" {
		b = append2(append(b, ':'), m)
		if timespec != "minutes" {
			b = append2(append(b, ':'), s)
		}
	}
	switch {
	case timespec == "milliseconds":
		b = appendPadded(append(b, '.'), us/1000, 3)
	case timespec == "microseconds", timespec == "auto" && us != 0:
		b = append2(append2(append2(append(b, '.'), us/10000), us/100%100), us%100)
	}
	if dt.zone != nil {
		b = appendOffset(b, dt.offset(), ":")
	}
	return b
}

// Repr prints as Python's repr.
func (dt *DateTime) Repr() string {
	y, mo, d := civil(dt.ord())
	h, m, s, us := dt.clock()
	b := fmt.Appendf(nil, "datetime.datetime(%d, %d, %d, %d, %d", y, mo, d, h, m)
	if s != 0 || us != 0 {
		b = fmt.Appendf(b, ", %d", s)
	}
	if us != 0 {
		b = fmt.Appendf(b, ", %d", us)
	}
	if dt.fold != 0 {
		b = fmt.Appendf(b, ", fold=1")
	}
	if dt.zone != nil {
		b = fmt.Appendf(b, ", tzinfo=%s", dt.zone.Repr())
	}
	return string(append(b, ')'))
}

// dateTime keeps a nil *DateTime from becoming a starlark.Value that is not nil.
func dateTime(dt *DateTime, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return dt, nil
}

// Binary is datetime + timedelta, datetime - timedelta and datetime - datetime.
func (dt *DateTime) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	switch y := y.(type) {
	case *Timedelta:
		if op == syntax.PLUS {
			return dateTime(dt.Add(y))
		}
		if op == syntax.MINUS && side == starlark.Left {
			return dateTime(dt.Add(y.neg()))
		}
	case *DateTime:
		if op == syntax.MINUS && side == starlark.Left {
			return delta(dt.Sub(y))
		}
	}
	return nil, nil
}

var dateTimeMethods = methods{
	"astimezone":  dtAstimezone,
	"ctime":       dateCtime,
	"date":        dtDate,
	"isocalendar": dateISOCalendar,
	"isoformat":   dtISOFormat,
	"isoweekday":  dateISOWeekday,
	"replace":     dtReplace,
	"strftime":    dateStrftime,
	"timestamp":   dtTimestamp,
	"toordinal":   dateToOrdinal,
	"tzname":      dtTzname,
	"utcoffset":   dtUTCOffset,
	"weekday":     dateWeekday,
}

func (dt *DateTime) AttrNames() []string {
	return dateTimeMethods.names("day", "fold", "hour", "microsecond", "minute", "month", "second", "tzinfo", "year")
}

// Attr gives year, month, day, hour, minute, second, microsecond, tzinfo, fold and the methods.
func (dt *DateTime) Attr(name string) (starlark.Value, error) {
	switch name {
	case "year", "month", "day":
		return dt.Date().Attr(name)
	case "hour":
		return starlark.MakeInt64(dt.wall % usPerDay / usPerHour), nil
	case "minute":
		return starlark.MakeInt64(dt.wall / usPerMinute % 60), nil
	case "second":
		return starlark.MakeInt64(dt.wall / usPerSecond % 60), nil
	case "microsecond":
		return starlark.MakeInt64(dt.wall % usPerSecond), nil
	case "fold":
		return starlark.MakeInt(int(dt.fold)), nil
	case "tzinfo":
		return zoneOrNone(dt.zone), nil
	}
	return dateTimeMethods.bind(name, dt)
}

func zoneOrNone(z *Zone) starlark.Value {
	if z == nil {
		return starlark.None
	}
	return z
}

// unpackZone is the tzinfo of an argument: nil when absent or None.
func unpackZone(v starlark.Value) (*Zone, error) {
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return nil, nil
	case *Zone:
		return v, nil
	}
	return nil, typeError("tzinfo argument must be None or a timezone, not %s", v.Type())
}

// date() is the day on the wall.
func dtDate(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return b.Receiver().(*DateTime).Date(), nil
}

// isoformat(sep="T", timespec="auto") prints ISO 8601; timespec cuts it to hours, minutes, seconds, milliseconds or
// microseconds.
func dtISOFormat(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	sep, timespec := "T", "auto"
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "sep?", &sep, "timespec?", &timespec); err != nil {
		return nil, err
	}
	switch timespec {
	case "auto", "hours", "minutes", "seconds", "milliseconds", "microseconds":
	default:
		return nil, valueError("Unknown timespec value")
	}
	if n := len([]rune(sep)); n != 1 {
		return nil, typeError("isoformat() argument 1 must be a unicode character, not str")
	}
	return starlark.String(b.Receiver().(*DateTime).appendISO(nil, sep, timespec)), nil
}

// utcoffset() is the distance from UTC, None when naive.
func dtUTCOffset(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	dt := b.Receiver().(*DateTime)
	if dt.zone == nil {
		return starlark.None, nil
	}
	return microsDelta(dt.offset()), nil
}

// tzname() is the zone's abbreviation ("CEST"), None when naive.
func dtTzname(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	dt := b.Receiver().(*DateTime)
	if dt.zone == nil {
		return starlark.None, nil
	}
	return starlark.String(dt.zone.tzname(dt.wall, dt.fold)), nil
}

// replace(year, month, day, hour, minute, second, microsecond, tzinfo, fold) is the datetime with the given parts
// changed; tzinfo = None makes it naive.
func dtReplace(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	dt := b.Receiver().(*DateTime)
	y, mo, d := civil(dt.ord())
	h, m, s, us := dt.clock()
	fold := int(dt.fold)
	var tz starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "year?", &y, "month?", &mo, "day?", &d, "hour?", &h, "minute?", &m,
		"second?", &s, "microsecond?", &us, "tzinfo?", &tz, "fold?", &fold); err != nil {
		return nil, err
	}
	zone := dt.zone
	if tz != nil {
		var err error
		if zone, err = unpackZone(tz); err != nil {
			return nil, err
		}
	}
	return dateTime(NewDateTime(y, mo, d, h, m, s, us, zone, fold))
}

// local gives a naive datetime the project's zone.
func (dt *DateTime) local(thread *starlark.Thread, b *starlark.Builtin) (*DateTime, error) {
	if dt.zone != nil {
		return dt, nil
	}
	zone, err := projectZone(thread, b)
	if err != nil {
		return nil, err
	}
	return dt.WithZone(zone), nil
}

// timestamp() is the seconds since 1970-01-01 UTC, as a float. A naive datetime is in the project's TIME_ZONE.
func dtTimestamp(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	dt, err := b.Receiver().(*DateTime).local(thread, b)
	if err != nil {
		return nil, err
	}
	return starlark.Float(microsDelta(dt.utc() - epochUS).TotalSeconds()), nil
}

// astimezone(tz=None) is the same instant on the wall of another zone, by default the project's. A naive datetime is
// in the project's TIME_ZONE.
func dtAstimezone(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var tz starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "tz?", &tz); err != nil {
		return nil, err
	}
	zone, err := unpackZone(tz)
	if err != nil {
		return nil, err
	}
	if zone == nil {
		if zone, err = projectZone(thread, b); err != nil {
			return nil, err
		}
	}
	dt, err := b.Receiver().(*DateTime).local(thread, b)
	if err != nil {
		return nil, err
	}
	return dateTime(dt.In(zone))
}

// fromTimestamp is the instant of seconds since 1970, an int or a float rounded half to even to microseconds.
func fromTimestamp(v starlark.Value, zone *Zone) (*DateTime, error) {
	var secs, us int64
	const far = int64(1e15) // beyond any year; what is nearer cannot overflow
	switch v := v.(type) {
	case starlark.Int:
		n, ok := v.Int64()
		if !ok || n > far || n < -far {
			return nil, overflowError("timestamp out of range for platform time_t")
		}
		secs = n
	case starlark.Float:
		f := float64(v)
		if math.IsNaN(f) {
			return nil, valueError("Invalid value NaN (not a number)")
		}
		if math.Abs(f) > float64(far) {
			return nil, overflowError("timestamp out of range for platform time_t")
		}
		whole, frac := math.Modf(f)
		secs, us = int64(whole), int64(math.RoundToEven(frac*1e6))
	default:
		return nil, typeError("fromtimestamp: timestamp must be an int or a float, not %s", v.Type())
	}
	if year := time.Unix(secs, us*1000).UTC().Year(); year < minYear || year > maxYear {
		return nil, valueError("year %d is out of range", year)
	}
	return fromUTC(secs*usPerSecond+us+epochUS, zone)
}
