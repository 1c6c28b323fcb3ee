package datetime

import (
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func TestParseTimestamp(t *testing.T) {
	rome, err := LoadZone("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in string
		zone     *Zone
		want     string // "" for an error
	}{
		{"plain", "2026-01-02 03:04:05", nil, "2026-01-02 03:04:05"},
		{"in UTC", "2026-01-02 03:04:05", utc, "2026-01-02 03:04:05+00:00"},
		{"fraction", "2026-01-02 03:04:05.25", utc, "2026-01-02 03:04:05.250000+00:00"},
		{"nanoseconds", "2026-01-02 03:04:05.123456789", utc, "2026-01-02 03:04:05.123456+00:00"},
		{"T and Z", "2026-01-02T03:04:05Z", nil, "2026-01-02 03:04:05+00:00"},
		{"fraction and Z", "2026-01-02T03:04:05.5Z", nil, "2026-01-02 03:04:05.500000+00:00"},
		{"PostgreSQL's", "2026-01-02 03:04:05+01", nil, "2026-01-02 03:04:05+01:00"},
		{"offset into a zone", "2026-07-02 03:04:05+00:00", rome, "2026-07-02 05:04:05+02:00"},
		{"offset behind a blank", "2026-07-02 03:04:05 +0000", utc, "2026-07-02 03:04:05+00:00"},
		{"date", "2026-07-02", utc, "2026-07-02 00:00:00+00:00"},
		{"minutes", "2026-07-02 03:04", utc, "2026-07-02 03:04:00+00:00"},
		{"leap day", "2024-02-29 00:00:00", nil, "2024-02-29 00:00:00"},
		{"no leap day", "2026-02-29 00:00:00", nil, ""},
		{"MySQL's zero", "0000-00-00 00:00:00", nil, ""},
		{"month 13", "2026-13-01 00:00:00", nil, ""},
		{"hour 24", "2026-01-01 24:00:00", nil, ""},
		{"second 60", "2026-01-01 00:00:60", nil, ""},
		{"sign among digits", "2026-01-+1 00:00:00", nil, ""},
		{"ten digits", "2026-01-01 00:00:00.1234567890", nil, ""},
		{"no digits", "2026-01-01 00:00:00.", nil, ""},
		{"rest", "2026-01-01 00:00:00x", nil, ""},
		{"half an offset", "2026-01-01 00:00:00+", nil, ""},
		{"an offset of a day", "2026-01-01 00:00:00+24:00", nil, ""},
		{"Z and more", "2026-01-01 00:00:00Z0", nil, ""},
		{"blank at the end", "2026-01-01 00:00:00 ", nil, ""},
		{"empty", "", nil, ""},
		{"ISO week", "2026-W01-1", nil, ""},
		{"before year 1", "0001-01-01 00:00:00+01:00", utc, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dt, err := ParseTimestamp(c.in, c.zone)
			if c.want == "" {
				if err == nil {
					t.Errorf("got %s, want an error", dt)
				}
				return
			}
			if err != nil || dt.String() != c.want {
				t.Errorf("got %v, %v, want %s", dt, err, c.want)
			}
		})
	}
}

func TestParseTimestampAgreesWithTime(t *testing.T) {
	agree := func(n int64) bool {
		at := time.UnixMicro(n % (200 * 365 * usPerDay)).UTC()
		dt, err := ParseTimestamp(at.Format("2006-01-02 15:04:05.999999"), utc)
		if err != nil || !dt.Time().Equal(at) {
			t.Errorf("%s: %v, %v", at, dt, err)
		}
		return true
	}
	if err := quick.Check(agree, nil); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2026-01-02", "2026-01-02T03:04:05.678901+01:00", "2026W011", "2026-W53-7T10", "20260102é1030Z", "0001-01-01T00:00+23:59", "9999-12-31 23:59:59.9999999-23:59:59.999999", "2026-01-02 03:04:05 +00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDate(s); err == nil {
			if back, err := ParseDate(d.String()); err != nil || *back != *d {
				t.Errorf("date %q: %s, then %v, %v", s, d, back, err)
			}
		}
		if dt, err := ParseTimestamp(s, nil); err == nil {
			if back, err := ParseTimestamp(dt.String(), nil); err != nil || !back.Equal(dt) {
				t.Errorf("timestamp %q: %s, then %v, %v", s, dt, back, err)
			}
		}
		dt, err := Parse(s)
		if err != nil {
			return
		}
		for _, printed := range []string{dt.String(), dt.ISOFormat()} {
			if back, err := Parse(printed); err != nil || !back.Equal(dt) || back.String() != dt.String() {
				t.Errorf("%q: %s, then %v, %v", s, printed, back, err)
			}
		}
		h1, _ := dt.Hash()
		if inUTC, err := dt.In(utc); err == nil && dt.zone != nil {
			if h2, _ := inUTC.Hash(); !inUTC.Equal(dt) || h1 != h2 {
				t.Errorf("%s and %s: equal %t, hashes %d and %d", dt, inUTC, inUTC.Equal(dt), h1, h2)
			}
		}
	})
}

func FuzzStrptime(f *testing.F) {
	for _, c := range [][2]string{{"2026-01-02", "%Y-%m-%d"}, {"2026-02-30", "%Y-%m-%d"}, {"Fri Jan  2 03:04:05 2026", "%c"}, {"2026 53 Mon", "%Y %W %a"}, {"+01:00 UTC", "%z %Z"}, {"2026 01 5", "%G %V %u"}, {"12 PM.5", "%I %p.%f"}, {"x", "%"}} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, s, format string) {
		dt, err := Strptime(s, format)
		if err != nil {
			return
		}
		const full = "%Y-%m-%d %H:%M:%S.%f"
		printed, err := dt.Strftime(full)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Strptime(printed, full); err != nil || back.wall != dt.wall {
			t.Errorf("%q by %q: %s, then %v, %v", s, format, dt, back, err)
		}
		if !strings.Contains(format, "%s") {
			if _, err := dt.Strftime(format); err != nil {
				t.Errorf("%q parses and does not format: %v", format, err)
			}
		}
	})
}

func FuzzStrftime(f *testing.F) {
	f.Add("%Y-%m-%d %-d %_5H %^A %:z %s", int64(0))
	f.Add("%E%%O%10", maxWall)
	f.Fuzz(func(t *testing.T, format string, wall int64) {
		dt := &DateTime{wall: max(wall, -wall, 0) % maxWall, zone: utc}
		if _, err := dt.Strftime(format); err != nil {
			t.Errorf("%q: %v", format, err)
		}
	})
}

func BenchmarkParseTimestamp(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"Seconds", "2026-01-02 03:04:05"},
		{"Micros", "2026-12-31 23:04:05.678901"},
		{"Z", "2026-12-31T23:04:05Z"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			buf := []byte(c.text)
			cells := make([]DateTime, 512)
			i := 0
			for b.Loop() {
				if err := cells[i%len(cells)].SetTimestamp(string(buf), utc); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

var kept *DateTime // keeps the compiler from leaving the allocation out

func BenchmarkParseTimestampAlloc(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		dt, err := ParseTimestamp("2026-01-02 03:04:05", utc)
		if err != nil {
			b.Fatal(err)
		}
		kept = dt
	}
}

func BenchmarkStrptime(b *testing.B) {
	for b.Loop() {
		if _, err := Strptime("2026-01-02 03:04:05", "%Y-%m-%d %H:%M:%S"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkString(b *testing.B) {
	dt, err := ParseTimestamp("2026-01-02 03:04:05.678901", utc)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = dt.String()
	}
}
