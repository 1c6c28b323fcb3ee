package datetime

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	starlarkjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// extras brings what chunks need and another module gives, and a value made before any command ran.
type extras struct{}

func (extras) Name() string { return "extras" }

func (extras) Predeclared() starlark.StringDict {
	week := &Timedelta{days: 7}
	week.Freeze()
	return starlark.StringDict{"json": starlarkjson.Module, "WEEK": week}
}

func fixedClock() time.Time { return time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC) }

func TestScripts(t *testing.T) {
	enginetest.Chunks(t, engine.Config{
		Modules:  []engine.Module{Module{}, extras{}},
		Settings: map[string]any{"TIME_ZONE": "Europe/Rome"},
		Now:      fixedClock,
	}, "testdata/values.star")
}

const project = `
-- apps/shop/management/commands/show.star --
WEEK = timedelta(days = 7)

def add_arguments(parser):
    parser.add_argument("--on", type = date.fromisoformat, default = date(2026, 1, 2))
    parser.add_argument("--at", type = datetime.fromisoformat)

def handle(on, at):
    print(on + WEEK, at)
`

func TestTypesOfArguments(t *testing.T) {
	cfg := engine.Config{Modules: []engine.Module{Module{}}, FS: enginetest.Project(project)}
	for _, c := range []struct {
		name, words, want string
		code              int
	}{
		{"default", "show", "2026-01-09 None\n", 0},
		{"both", "show --on 2026-02-01 --at 2026-02-01T10:00Z", "2026-02-08 2026-02-01 10:00:00+00:00\n", 0},
		{"no such day", "show --on 2026-02-30", "day is out of range for month", 2},
		{"garbage", "show --at soon", "Invalid isoformat string: 'soon'", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := enginetest.Run(t, cfg, strings.Fields(c.words)...)
			if got.Code != c.code || c.code == 0 && got.Stdout != c.want || c.code != 0 && !strings.Contains(got.Stderr, c.want) {
				t.Errorf("code %d, stdout %q, stderr %q", got.Code, got.Stdout, got.Stderr)
			}
		})
	}
}

func TestBadTimeZone(t *testing.T) {
	for _, c := range []struct {
		name string
		zone any
		want string
	}{
		{"unknown", "Mars/Base", `unknown zone "Mars/Base"`},
		{"machine's", "Local", `unknown zone "Local"`},
		{"empty", "", `unknown zone ""`},
		{"no string", 3, "TIME_ZONE must be a string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := engine.Config{Modules: []engine.Module{Module{}}, FS: enginetest.Project(project), Settings: map[string]any{"TIME_ZONE": c.zone}}
			got := enginetest.Run(t, cfg, "show")
			if got.Code == 0 || !strings.Contains(got.Stderr, c.want) {
				t.Errorf("code %d, stderr %q, want %q", got.Code, got.Stderr, c.want)
			}
		})
	}
}

func TestTopLevel(t *testing.T) {
	const noClock, noZone = "works only while a command runs", "TIME_ZONE is known only while a command runs: call it inside handle(), or name a zone"
	for _, c := range []struct{ expr, want string }{
		{"date.today()", "date.today: " + noClock},
		{"datetime.now()", "datetime.now: " + noClock},
		{"timezone.now()", "timezone.now: " + noClock},
		{"timezone.localtime(NOON)", "timezone.localtime: " + noClock},
		{"timezone.get_current_timezone()", "timezone.get_current_timezone: " + noZone},
		{"timezone.make_aware(datetime(2026, 7, 1))", "timezone.make_aware: " + noZone},
		{"timezone.make_naive(NOON)", "timezone.make_naive: " + noZone},
		{"datetime(2026, 7, 1).timestamp()", "timestamp: " + noZone},
		{"datetime(2026, 7, 1).astimezone(timezone.utc)", "astimezone: " + noZone},
		{"NOON.astimezone()", "astimezone: " + noZone},
		{"datetime.fromtimestamp(0)", "datetime.fromtimestamp: " + noZone},
		{"date.fromtimestamp(0)", "date.fromtimestamp: " + noZone},
		{"timezone.make_aware(datetime(2026, 7, 1), timezone.utc)", ""},
		{"[NOON.timestamp(), NOON.astimezone(ROME), datetime.fromtimestamp(0, ROME), timezone.make_naive(NOON, ROME)]", ""},
	} {
		t.Run(c.expr, func(t *testing.T) {
			cfg := engine.Config{Modules: []engine.Module{Module{}}, Settings: map[string]any{"TIME_ZONE": "Europe/Rome"}, FS: enginetest.Project(`
-- apps/shop/management/commands/early.star --
NOON = datetime(2026, 7, 1, 12, tzinfo = timezone.utc)
ROME = ZoneInfo("Europe/Rome")
EARLY = ` + c.expr + `

def handle():
    pass
`)}
			got := enginetest.Run(t, cfg, "early")
			if (got.Code == 0) != (c.want == "") || !strings.Contains(got.Stderr, c.want) {
				t.Errorf("code %d, stderr %q", got.Code, got.Stderr)
			}
		})
	}
}

func TestErrorKinds(t *testing.T) {
	for _, f := range []func() error{
		func() error { _, err := ParseDate("x"); return err },
		func() error { _, err := Parse("x"); return err },
		func() error { _, err := Strptime("x", "%Y"); return err },
		func() error { _, err := LoadZone("x/y"); return err },
		func() error { _, err := ParseTimestamp("2026-02-30 00:00:00", nil); return err },
		func() error { _, err := NewDate(2026, 2, 30); return err },
		func() error { _, err := (&Date{maxOrdinal}).AddDays(1); return err },
	} {
		if err := f(); engine.TypeOf(err) != engine.ValueError {
			t.Errorf("%v is no ValueError", err)
		}
	}
}

// TestGoTimes goes from Go's times to ours and back.
func TestGoTimes(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		in   time.Time
		want string
	}{
		{"UTC", time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC), "2026-01-02 03:04:05.000006+00:00"},
		{"fixed", time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("X", 3600)), "2026-01-02 03:04:05+01:00"},
		{"summer", time.Date(2026, 7, 2, 3, 4, 5, 0, rome), "2026-07-02 03:04:05+02:00"},
		{"first pass", time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).In(rome), "2026-10-25 02:30:00+02:00"},
		{"second pass", time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC).In(rome), "2026-10-25 02:30:00+01:00"},
		{"the first day", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "0001-01-01 00:00:00+00:00"},
		{"before 1970", time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), "1969-12-31 23:59:59.999999+00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dt, err := FromTime(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if dt.String() != c.want {
				t.Errorf("FromTime: %s, want %s", dt, c.want)
			}
			if back := dt.Time(); !back.Equal(c.in.Truncate(time.Microsecond)) {
				t.Errorf("Time: %s, want %s", back, c.in)
			}
		})
	}
	if _, err := FromTime(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("year 10000 is accepted")
	}
	if _, err := FromTime(time.Date(250000, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("year 250000 is accepted")
	}
	if d, ok := FromDuration(-90 * time.Second).Duration(); !ok || d != -90*time.Second {
		t.Errorf("Duration: %s, %t", d, ok)
	}
	if _, ok := (&Timedelta{days: maxDays}).Duration(); ok {
		t.Error("a duration of 2.7 million years fits")
	}
}

// TestGapExact walks over the clock changes of three zones minute by minute and compares with time.Time's instants.
func TestGapExact(t *testing.T) {
	for _, name := range []string{"Europe/Rome", "America/New_York", "Australia/Lord_Howe"} {
		zone, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == 2026; at = at.Add(7 * time.Minute) {
			dt, err := At(at, zone)
			if err != nil {
				t.Fatal(err)
			}
			if !dt.Time().Equal(at) {
				t.Fatalf("%s: %s becomes %s (fold %d) and that %s", name, at, dt, dt.fold, dt.Time())
			}
			if want := at.In(zone.Location()).Format("2006-01-02 15:04:05-07:00"); dt.String() != want {
				t.Fatalf("%s: %s, want %s", name, dt, want)
			}
		}
	}
}

func TestGoDates(t *testing.T) {
	rome, err := LoadZone("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2026, 1, 1, 23, 30, 0, 0, time.UTC).In(rome.Location())
	d, err := DateOf(late)
	if err != nil || d.String() != "2026-01-02" {
		t.Fatalf("DateOf: %v, %v", d, err)
	}
	if y, m, day := d.Civil(); y != 2026 || m != 1 || day != 2 || d.Ordinal() != 739618 {
		t.Errorf("parts: %d %d %d, ordinal %d", y, m, day, d.Ordinal())
	}
	if at := d.Time(time.UTC); !at.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("Time: %s", at)
	}
	if dt := d.Midnight(rome); dt.String() != "2026-01-02 00:00:00+01:00" || dt.Zone() != rome || dt.WithZone(nil).Zone() != nil {
		t.Errorf("Midnight: %s in %v", dt, dt.Zone())
	}
	naive, err := At(late, nil)
	if err != nil || naive.String() != "2026-01-02 00:30:00" {
		t.Errorf("At without a zone: %v, %v", naive, err)
	}
	if got := naive.Time(); !got.Equal(time.Date(2026, 1, 2, 0, 30, 0, 0, time.UTC)) {
		t.Errorf("a naive Time: %s", got)
	}
	if _, err := DateOf(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("year 0 is accepted")
	}
}

func TestJSON(t *testing.T) {
	dt, err := Parse("2026-01-02T03:04:05+01:00")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(map[string]any{"at": dt, "on": dt.Date(), "for": microsDelta(1)})
	if want := `{"at":"2026-01-02T03:04:05+01:00","for":"P0DT00H00M00.000001S","on":"2026-01-02"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}
