// Package datetime gives scripts Python's datetime, date, timedelta and timezone, with Django's timezone functions,
// and gives Go code the same values: DateTime, Date, Timedelta, Zone.
//
// It follows CPython 3.13 to the letter, error texts included, and is tested against it; the arithmetic is its own,
// because time.Time holds instants and Python's datetime holds wall clocks (a time that a clock change skips exists,
// and adding a day keeps the hour). Formatting and parsing are its own as well: strptime with Python's refusals and
// strftime with glibc's flags and widths are in no Go library.
//
// Where scripts differ from Python:
//
//   - Starlark has one way to print a value, so str(x), "%s" and "%r" all print as Python's str. The Repr methods
//     print as Python's repr, and the builtin repr uses them.
//   - timezone("Europe/Rome") and ZoneInfo("Europe/Rome") name an IANA zone; timezone(timedelta(hours = 2)) is a
//     fixed offset. The type of both is "timezone".
//   - There is no type time. datetime.combine(date, hour, minute, …) takes its parts.
//   - isocalendar() is a plain tuple.
//   - A naive datetime means the project's TIME_ZONE wherever Python would ask the machine.
//   - Python's OverflowError is a ValueError.
package datetime

import (
	"fmt"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
)

// Module is the engine.Module that brings datetime, date, timedelta, timezone and ZoneInfo into scripts. The clock is
// the engine's; TIME_ZONE is read from the settings.
type Module struct{}

var (
	_ engine.Module     = Module{}
	_ engine.Configurer = Module{}
)

// Name is "datetime".
func (Module) Name() string { return "datetime" }

// Configure refuses a TIME_ZONE that is no IANA zone.
func (Module) Configure(settings engine.Settings) error {
	_, err := settingsZone(settings)
	return err
}

// Predeclared gives the five names. All of them work at a file's top level, but for what asks the clock or means
// the project's TIME_ZONE.
func (Module) Predeclared() starlark.StringDict {
	minDate, maxDate := &Date{1}, &Date{maxOrdinal}
	return starlark.StringDict{
		"datetime": newClass("datetime", newDateTimeBuiltin, starlark.StringDict{
			"combine":         pure("datetime.combine", dtCombine),
			"fromisoformat":   pure("datetime.fromisoformat", dtFromISOFormat),
			"fromisocalendar": pure("datetime.fromisocalendar", dtFromISOCalendar),
			"fromordinal":     pure("datetime.fromordinal", dtFromOrdinal),
			"fromtimestamp":   pure("datetime.fromtimestamp", dtFromTimestamp),
			"max":             &DateTime{wall: maxWall},
			"min":             &DateTime{},
			"now":             engine.Builtin("datetime.now", dtNow),
			"resolution":      microsDelta(1),
			"strptime":        pure("datetime.strptime", dtStrptime),
			"today":           engine.Builtin("datetime.today", dtToday),
		}),
		"date": newClass("date", newDateBuiltin, starlark.StringDict{
			"fromisoformat":   pure("date.fromisoformat", dateFromISOFormat),
			"fromisocalendar": pure("date.fromisocalendar", dateFromISOCalendar),
			"fromordinal":     pure("date.fromordinal", dateFromOrdinalBuiltin),
			"fromtimestamp":   pure("date.fromtimestamp", dateFromTimestamp),
			"max":             maxDate,
			"min":             minDate,
			"resolution":      &Timedelta{days: 1},
			"today":           engine.Builtin("date.today", dateToday),
		}),
		"timedelta": newClass("timedelta", newTimedelta, starlark.StringDict{
			"max":        &Timedelta{maxDays, usPerDay - 1},
			"min":        &Timedelta{days: -maxDays},
			"resolution": microsDelta(1),
		}),
		"timezone": newClass("timezone", newZone, starlark.StringDict{
			"get_current_timezone": pure("timezone.get_current_timezone", zoneCurrent),
			"is_aware":             pure("timezone.is_aware", zoneIsAware),
			"is_naive":             pure("timezone.is_naive", zoneIsNaive),
			"localdate":            engine.Builtin("timezone.localdate", zoneLocaldate),
			"localtime":            engine.Builtin("timezone.localtime", zoneLocaltime),
			"make_aware":           pure("timezone.make_aware", zoneMakeAware),
			"make_naive":           pure("timezone.make_naive", zoneMakeNaive),
			"now":                  engine.Builtin("timezone.now", zoneNow),
			"utc":                  utc,
		}),
		"ZoneInfo": pure("ZoneInfo", newZoneInfo),
	}
}

func pure(name string, fn method) *starlark.Builtin { return engine.PureBuiltin(name, fn) }

// class is a Python class as scripts need it: called to make a value, with functions and constants as attributes.
type class struct {
	*starlark.Builtin
	attrs starlark.StringDict
}

var (
	_ starlark.Callable = (*class)(nil)
	_ starlark.HasAttrs = (*class)(nil)
)

func newClass(name string, fn method, attrs starlark.StringDict) *class {
	return &class{pure(name, fn), attrs}
}

// Type is "type", as Python says of its classes.
func (c *class) Type() string   { return "type" }
func (c *class) String() string { return "<class '" + c.Name() + "'>" }

func (c *class) AttrNames() []string { return c.attrs.Keys() }

func (c *class) Attr(name string) (starlark.Value, error) {
	if v, ok := c.attrs[name]; ok {
		return v, nil
	}
	switch name {
	case "datetime", "date", "timedelta", "timezone": // Python's import datetime
		return nil, starlark.NoSuchAttrError(fmt.Sprintf("%s is the class, not the module: write %s for %[1]s.%[2]s", c.Name(), name))
	}
	return nil, starlark.NoSuchAttrError(fmt.Sprintf("%s has no .%s field or method", c.Name(), name))
}

// settingsZone is TIME_ZONE as a Zone; "UTC", and nothing at all, are timezone.utc.
func settingsZone(settings engine.Settings) (*Zone, error) {
	v := settings.Value("TIME_ZONE")
	if v == nil {
		return utc, nil
	}
	name, ok := starlark.AsString(v)
	if !ok {
		return nil, fmt.Errorf("TIME_ZONE must be a string such as %q, not %s", "Europe/Rome", v.Type())
	}
	if name == "UTC" {
		return utc, nil
	}
	zone, err := LoadZone(name)
	if err != nil {
		return nil, fmt.Errorf("TIME_ZONE: unknown zone %q: want an IANA name such as %q", name, "Europe/Rome")
	}
	return zone, nil
}

// ProjectZone is settings' TIME_ZONE: what a wall clock without a zone means to the run inv. It is read once a run.
func ProjectZone(inv *engine.Invocation) (*Zone, error) {
	type key struct{}
	if zone, ok := inv.Value(key{}).(*Zone); ok {
		return zone, nil
	}
	zone, err := settingsZone(inv.Settings())
	if err == nil {
		inv.SetValue(key{}, zone)
	}
	return zone, err
}

// projectZone is ProjectZone for a call of b. It fails at a file's top level, where no command runs.
func projectZone(thread *starlark.Thread, b *starlark.Builtin) (*Zone, error) {
	inv := engine.InvocationOf(thread)
	if inv == nil {
		return nil, typeError("%s: TIME_ZONE is known only while a command runs: call it inside handle(), or name a zone", b.Name())
	}
	return ProjectZone(inv)
}

// now is the clock of a run in zone; nil gives the naive wall clock of the project's TIME_ZONE.
func now(inv *engine.Invocation, zone *Zone) (*DateTime, error) {
	if zone != nil {
		return At(inv.Now(), zone)
	}
	zone, err := ProjectZone(inv)
	if err != nil {
		return nil, err
	}
	dt, err := At(inv.Now(), zone)
	if err != nil {
		return nil, err
	}
	return &DateTime{wall: dt.wall, fold: dt.fold}, nil
}

// datetime(year, month, day, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0) is a wall clock.
func newDateTimeBuiltin(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var year, month, day, hour, minute, second, us, fold int
	var tz starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "year", &year, "month", &month, "day", &day, "hour?", &hour,
		"minute?", &minute, "second?", &second, "microsecond?", &us, "tzinfo?", &tz, "fold?", &fold); err != nil {
		return nil, err
	}
	zone, err := unpackZone(tz)
	if err != nil {
		return nil, err
	}
	return dateTime(NewDateTime(year, month, day, hour, minute, second, us, zone, fold))
}

// date(year, month, day) is a day.
func newDateBuiltin(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var year, month, day int
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "year", &year, "month", &month, "day", &day); err != nil {
		return nil, err
	}
	return date(NewDate(year, month, day))
}

// datetime.combine(date, hour=0, minute=0, second=0, microsecond=0, tzinfo=None) is a time on a day; without a time it
// is the day's midnight.
func dtCombine(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var day, tz starlark.Value
	var hour, minute, second, us int
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "date", &day, "hour?", &hour, "minute?", &minute, "second?", &second,
		"microsecond?", &us, "tzinfo?", &tz); err != nil {
		return nil, err
	}
	var d *Date
	switch v := day.(type) {
	case *Date:
		d = v
	case *DateTime:
		d = v.Date()
	default:
		return nil, typeError("combine() argument 1 must be a date, not %s", day.Type())
	}
	zone, err := unpackZone(tz)
	if err != nil {
		return nil, err
	}
	y, m, dd := d.Civil()
	return dateTime(NewDateTime(y, m, dd, hour, minute, second, us, zone, 0))
}

// datetime.fromisoformat(date_string) reads ISO 8601, as Python 3.11 and later do.
func dtFromISOFormat(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "date_string", &s); err != nil {
		return nil, err
	}
	return dateTime(Parse(s))
}

// date.fromisoformat(date_string) reads YYYY-MM-DD, YYYYMMDD or YYYY-Www-D.
func dateFromISOFormat(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "date_string", &s); err != nil {
		return nil, err
	}
	return date(ParseDate(s))
}

func unpackISOCalendar(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (*Date, error) {
	var year, week, day int
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "year", &year, "week", &week, "day", &day); err != nil {
		return nil, err
	}
	ord, err := fromISOCalendar(year, week, day)
	if err != nil {
		return nil, err
	}
	return &Date{ord}, nil
}

// date.fromisocalendar(year, week, day) is the day of an ISO 8601 week.
func dateFromISOCalendar(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return date(unpackISOCalendar(b, args, kwargs))
}

// datetime.fromisocalendar(year, week, day) is the midnight of it.
func dtFromISOCalendar(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	d, err := unpackISOCalendar(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	return d.Midnight(nil), nil
}

func unpackOrdinal(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (*Date, error) {
	var n int
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "n", &n); err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, valueError("ordinal must be >= 1")
	}
	if n > maxOrdinal {
		return nil, valueError("ordinal must be <= %d", maxOrdinal)
	}
	return &Date{n}, nil
}

// date.fromordinal(n) is day n, counted from 1 for 0001-01-01.
func dateFromOrdinalBuiltin(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return date(unpackOrdinal(b, args, kwargs))
}

// datetime.fromordinal(n) is the midnight of it.
func dtFromOrdinal(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	d, err := unpackOrdinal(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	return d.Midnight(nil), nil
}

// datetime.fromtimestamp(timestamp, tz=None) is the wall clock, in tz or else naive in the project's TIME_ZONE, at the
// seconds since 1970-01-01 UTC.
func dtFromTimestamp(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var ts, tz starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "timestamp", &ts, "tz?", &tz); err != nil {
		return nil, err
	}
	zone, err := unpackZone(tz)
	if err != nil {
		return nil, err
	}
	if zone != nil {
		return dateTime(fromTimestamp(ts, zone))
	}
	if zone, err = projectZone(thread, b); err != nil {
		return nil, err
	}
	dt, err := fromTimestamp(ts, zone)
	if err != nil {
		return nil, err
	}
	return dt.WithZone(nil), nil
}

// date.fromtimestamp(timestamp) is the day in the project's TIME_ZONE.
func dateFromTimestamp(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var ts starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "timestamp", &ts); err != nil {
		return nil, err
	}
	zone, err := projectZone(thread, b)
	if err != nil {
		return nil, err
	}
	dt, err := fromTimestamp(ts, zone)
	if err != nil {
		return nil, err
	}
	return dt.Date(), nil
}

// datetime.strptime(date_string, format) reads a text by a format; see Strptime.
func dtStrptime(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s, format string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "date_string", &s, "format", &format); err != nil {
		return nil, err
	}
	return dateTime(Strptime(s, format))
}

// datetime.now(tz=None) is the time now: aware with tz, else naive in the project's TIME_ZONE.
func dtNow(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var tz starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "tz?", &tz); err != nil {
		return nil, err
	}
	zone, err := unpackZone(tz)
	if err != nil {
		return nil, err
	}
	return dateTime(now(inv, zone))
}

// datetime.today() is datetime.now().
func dtToday(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return dateTime(now(inv, nil))
}

// date.today() is the day in the project's TIME_ZONE.
func dateToday(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	dt, err := now(inv, nil)
	if err != nil {
		return nil, err
	}
	return dt.Date(), nil
}

// timezone(offset, name="") is a fixed offset, or an IANA zone when offset is a name.
func newZone(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var offset starlark.Value
	var name string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "offset", &offset, "name?", &name); err != nil {
		return nil, err
	}
	switch v := offset.(type) {
	case *Timedelta:
		return zoneValue(FixedZone(v, name))
	case starlark.String:
		if name != "" {
			return nil, typeError("timezone: an IANA zone takes no name of its own")
		}
		return zoneValue(LoadZone(string(v)))
	}
	return nil, typeError("timezone: offset must be a timedelta or the name of an IANA zone, not %s", offset.Type())
}

// ZoneInfo(key) is an IANA zone.
func newZoneInfo(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "key", &key); err != nil {
		return nil, err
	}
	return zoneValue(LoadZone(key))
}

func zoneValue(z *Zone, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return z, nil
}

// timezone.now() is the time now, in UTC, as Django's with USE_TZ.
func zoneNow(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return dateTime(now(inv, utc))
}

// unpackLocal reads (value=now, timezone=the project's) and gives value in that zone.
func unpackLocal(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (*DateTime, error) {
	var value, tz starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "value?", &value, "timezone?", &tz); err != nil {
		return nil, err
	}
	zone, err := zoneOrProject(thread, b, tz)
	if err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case nil, starlark.NoneType:
		return At(inv.Now(), zone)
	case *DateTime:
		if v.zone == nil {
			return nil, valueError("localtime() cannot be applied to a naive datetime")
		}
		return v.In(zone)
	}
	return nil, typeError("%s: value must be a datetime, not %s", b.Name(), value.Type())
}

func zoneOrProject(thread *starlark.Thread, b *starlark.Builtin, v starlark.Value) (*Zone, error) {
	zone, err := unpackZone(v)
	if zone != nil || err != nil {
		return zone, err
	}
	return projectZone(thread, b)
}

// timezone.localtime(value=None, timezone=None) is an aware datetime, by default now, in a zone, by default the project's.
func zoneLocaltime(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return dateTime(unpackLocal(inv, thread, b, args, kwargs))
}

// timezone.localdate(value=None, timezone=None) is localtime's day.
func zoneLocaldate(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	dt, err := unpackLocal(inv, thread, b, args, kwargs)
	if err != nil {
		return nil, err
	}
	return dt.Date(), nil
}

// timezone.get_current_timezone() is the project's TIME_ZONE.
func zoneCurrent(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return zoneValue(projectZone(thread, b))
}

func unpackDateTime(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple, more ...any) (*DateTime, error) {
	var dt *DateTime
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, append([]any{"value", &dt}, more...)...); err != nil {
		return nil, err
	}
	return dt, nil
}

// timezone.make_aware(value, timezone=None) puts a naive datetime into a zone, by default the project's.
func zoneMakeAware(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var tz starlark.Value
	dt, err := unpackDateTime(b, args, kwargs, "timezone?", &tz)
	if err != nil {
		return nil, err
	}
	if dt.zone != nil {
		return nil, valueError("make_aware expects a naive datetime, got %s", dt)
	}
	zone, err := zoneOrProject(thread, b, tz)
	if err != nil {
		return nil, err
	}
	return dt.WithZone(zone), nil
}

// timezone.make_naive(value, timezone=None) is the wall clock of an aware datetime in a zone, by default the project's.
func zoneMakeNaive(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var tz starlark.Value
	dt, err := unpackDateTime(b, args, kwargs, "timezone?", &tz)
	if err != nil {
		return nil, err
	}
	if dt.zone == nil {
		return nil, valueError("make_naive() cannot be applied to a naive datetime")
	}
	zone, err := zoneOrProject(thread, b, tz)
	if err != nil {
		return nil, err
	}
	if dt, err = dt.In(zone); err != nil {
		return nil, err
	}
	return dt.WithZone(nil), nil
}

// timezone.is_aware(value) says whether a datetime has a zone.
func zoneIsAware(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	dt, err := unpackDateTime(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	return starlark.Bool(dt.zone != nil), nil
}

// timezone.is_naive(value) says whether a datetime has none.
func zoneIsNaive(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	dt, err := unpackDateTime(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	return starlark.Bool(dt.zone == nil), nil
}
