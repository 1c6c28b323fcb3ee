package datetime

import (
	"fmt"
	"time"

	"encoding/json"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Date is a day of the proleptic Gregorian calendar, 0001-01-01 to 9999-12-31, as Python's datetime.date. It is
// immutable.
type Date struct {
	ord int // 1 is 0001-01-01
}

var (
	_ starlark.Value      = (*Date)(nil)
	_ starlark.HasAttrs   = (*Date)(nil)
	_ starlark.HasBinary  = (*Date)(nil)
	_ starlark.Comparable = (*Date)(nil)
	_ json.Marshaler      = (*Date)(nil)
)

// NewDate is date(year, month, day). A day that does not exist is a ValueError in Python's words.
func NewDate(year, month, day int) (*Date, error) {
	if err := checkDate(year, month, day); err != nil {
		return nil, err
	}
	return &Date{ordinal(year, month, day)}, nil
}

// DateOf is the day that t's own location shows. Years outside 1 to 9999 are an error.
func DateOf(t time.Time) (*Date, error) {
	y, m, d := t.Date()
	return NewDate(y, int(m), d)
}

func dateFromOrdinal(ord int64) (*Date, error) {
	if ord < 1 || ord > maxOrdinal {
		return nil, overflowError("date value out of range")
	}
	return &Date{int(ord)}, nil
}

// Civil is the year, month and day.
func (d *Date) Civil() (year, month, day int) { return civil(d.ord) }

// Ordinal counts days from 1 for 0001-01-01, as Python's toordinal.
func (d *Date) Ordinal() int { return d.ord }

// Time is midnight of the day in loc. Where a clock change skips midnight it is what time.Date makes of it.
func (d *Date) Time(loc *time.Location) time.Time {
	y, m, day := civil(d.ord)
	return time.Date(y, time.Month(m), day, 0, 0, 0, 0, loc)
}

// AddDays moves by whole days. Beyond year 1 or 9999 the error is Python's OverflowError.
func (d *Date) AddDays(n int64) (*Date, error) { return dateFromOrdinal(int64(d.ord) + n) }

// Midnight is the naive datetime at the start of the day, or the wall clock's in zone when that is not nil.
func (d *Date) Midnight(zone *Zone) *DateTime {
	return &DateTime{wall: int64(d.ord-1) * usPerDay, zone: zone}
}

// String prints as Python's str and isoformat: "2026-01-02".
func (d *Date) String() string { return string(d.append(nil)) }

func (d *Date) append(b []byte) []byte {
	y, m, day := civil(d.ord)
	b = append(append2(append2(b, y/100), y%100), '-')
	b = append(append2(b, m), '-')
	return append2(b, day)
}

// Repr prints as Python's repr: "datetime.date(2026, 1, 2)".
func (d *Date) Repr() string {
	y, m, day := civil(d.ord)
	return fmt.Sprintf("datetime.date(%d, %d, %d)", y, m, day)
}

// MarshalJSON writes the day as a string: "2026-01-02".
func (d *Date) MarshalJSON() ([]byte, error) {
	return append(d.append([]byte{'"'}), '"'), nil
}

func (d *Date) Type() string          { return "date" }
func (d *Date) Freeze()               {}
func (d *Date) Truth() starlark.Bool  { return starlark.True }
func (d *Date) Hash() (uint32, error) { return hashInt(int64(d.ord)), nil }

func (d *Date) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return threeway(op, d.ord-y.(*Date).ord), nil
}

// date keeps a nil *Date from becoming a starlark.Value that is not nil.
func date(d *Date, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Binary is date + timedelta, date - timedelta (whole days count) and date - date.
func (d *Date) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	switch y := y.(type) {
	case *Timedelta:
		if op == syntax.PLUS {
			return date(d.AddDays(y.days))
		}
		if op == syntax.MINUS && side == starlark.Left {
			return date(d.AddDays(-y.days))
		}
	case *Date:
		if op == syntax.MINUS && side == starlark.Left {
			return &Timedelta{days: int64(d.ord - y.ord)}, nil
		}
	}
	return nil, nil
}

var dateMethods = methods{
	"ctime":       dateCtime,
	"isocalendar": dateISOCalendar,
	"isoformat":   dateISOFormat,
	"isoweekday":  dateISOWeekday,
	"replace":     dateReplace,
	"strftime":    dateStrftime,
	"toordinal":   dateToOrdinal,
	"weekday":     dateWeekday,
}

func (d *Date) AttrNames() []string { return dateMethods.names("day", "month", "year") }

// Attr gives year, month, day and the methods.
func (d *Date) Attr(name string) (starlark.Value, error) {
	y, m, day := civil(d.ord)
	switch name {
	case "year":
		return starlark.MakeInt(y), nil
	case "month":
		return starlark.MakeInt(m), nil
	case "day":
		return starlark.MakeInt(day), nil
	}
	return dateMethods.bind(name, d)
}

// receiverOrd is the day of the date or datetime that a shared method is bound to.
func receiverOrd(b *starlark.Builtin) int {
	if dt, ok := b.Receiver().(*DateTime); ok {
		return dt.ord()
	}
	return b.Receiver().(*Date).ord
}

// isocalendar() is the tuple (year, week, weekday) of ISO 8601.
func dateISOCalendar(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	year, week, day := isoCalendar(receiverOrd(b))
	return starlark.Tuple{starlark.MakeInt(year), starlark.MakeInt(week), starlark.MakeInt(day)}, nil
}

// weekday() is 0 for Monday.
func dateWeekday(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.MakeInt(weekday(receiverOrd(b))), nil
}

// isoweekday() is 1 for Monday.
func dateISOWeekday(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.MakeInt(weekday(receiverOrd(b)) + 1), nil
}

// toordinal() counts days from 1 for 0001-01-01.
func dateToOrdinal(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.MakeInt(receiverOrd(b)), nil
}

// isoformat() is "2026-01-02".
func dateISOFormat(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return starlark.String(b.Receiver().String()), nil
}

// ctime() is "Fri Jan  2 00:00:00 2026".
func dateCtime(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	dt, ok := b.Receiver().(*DateTime)
	if !ok {
		dt = b.Receiver().(*Date).Midnight(nil)
	}
	s, err := dt.Strftime("%c")
	return starlark.String(s), err
}

// Strftime formats the day as midnight; see DateTime.Strftime.
func (d *Date) Strftime(format string) (string, error) { return d.Midnight(nil).Strftime(format) }

// strftime(format) formats as C and Python do.
func dateStrftime(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var format string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "format", &format); err != nil {
		return nil, err
	}
	s, err := b.Receiver().(interface{ Strftime(string) (string, error) }).Strftime(format)
	if err != nil {
		return nil, err
	}
	return starlark.String(s), nil
}

// replace(year, month, day) is the date with the given parts changed.
func dateReplace(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	y, m, d := b.Receiver().(*Date).Civil()
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "year?", &y, "month?", &m, "day?", &d); err != nil {
		return nil, err
	}
	return date(NewDate(y, m, d))
}
