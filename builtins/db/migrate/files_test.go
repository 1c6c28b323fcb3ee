package migrate

import (
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/starmanage/starmanage/engine"
)

func TestReadFolder(t *testing.T) {
	for _, tc := range []struct{ file, want string }{
		{"0001_initial.sql", "1 0001_initial"},
		{"0001_initial.postgres.sql", "1 0001_initial postgresql"},
		{"7_X-y_2.MariaDB.star", "7 7_X-y_2 mysql"},
		{"20260131123000_stamp.sqlite3.sql", "20260131123000 20260131123000_stamp sqlite"},
		{"9223372036854775807_last.sql", "9223372036854775807 9223372036854775807_last"},
		{"_shared.star", ""},
		{".hidden.sql", ""},
		{"notes.txt", ""},
		{"0001_initial.sql.orig", ""},
		{"0000_zero.sql", "!number is from 1"},
		{"9223372036854775808_big.sql", "!number is from 1"},
		{"0001.sql", "!no migration's name"},
		{"0001_.sql", "!no migration's name"},
		{"initial.sql", "!no migration's name"},
		{"+1_plus.sql", "!no migration's name"},
		{"0001_é.sql", "!no migration's name"},
		{"0001_a b.sql", "!no migration's name"},
		{"0001_a.oracle.sql", "!no dialect \"oracle\""},
		{"0001_a.b.postgres.sql", "!no dialect"},
		{"0001_a..sql", "!no dialect"},
	} {
		files, faults, ok := readFolder(engine.AppInfo{Label: "a", Path: "apps/a", FS: fstest.MapFS{"migrations/" + tc.file: {}}})
		var got string
		for _, f := range files {
			got += strings.TrimSpace(strings.Join([]string{strconv.FormatInt(f.version, 10), f.name, f.vendor}, " "))
		}
		for _, f := range faults {
			got += "!" + f.msg
		}
		if want, isFault := strings.CutPrefix(tc.want, "!"); !ok || isFault && !strings.Contains(got, want) || !isFault && got != tc.want {
			t.Errorf("%s: %q, want %q", tc.file, got, tc.want)
		}
	}
	if _, _, ok := readFolder(engine.AppInfo{Label: "a", FS: fstest.MapFS{}}); ok {
		t.Error("an app without a folder has migrations")
	}
}

func TestChoose(t *testing.T) {
	app := engine.AppInfo{Label: "a", Path: "apps/a", FS: fstest.MapFS{
		"migrations/0001_a.sql":          {},
		"migrations/0001_a.postgres.sql": {},
		"migrations/0002_b.mysql.star":   {},
		"migrations/0002_b.sql":          {},
	}}
	files, _, _ := readFolder(app)
	for vendor, want := range map[string]string{
		"sqlite":     "0001_a.sql 0002_b.sql",
		"postgresql": "0001_a.postgres.sql 0002_b.sql",
		"mysql":      "0001_a.sql 0002_b.mysql.star",
	} {
		chosen, faults := choose(app, files, vendor)
		var names []string
		for _, f := range chosen {
			names = append(names, f.file)
		}
		if got := strings.Join(names, " "); got != want || faults != nil {
			t.Errorf("%s runs %s (%v), want %s", vendor, got, faults, want)
		}
	}
}

func TestProgress(t *testing.T) {
	for _, p := range []progress{
		{done: 2, total: 4, sum: "9f8e7d6c5b4a3928"},
		{done: 0, total: 1, sum: "-", backwards: true},
		{done: 1, total: 3, sum: "cbf29ce484222325", settled: true},
	} {
		if got := parseProgress(p.String()); *got != p {
			t.Errorf("%q reads back as %+v", p.String(), *got)
		}
	}
	for _, text := range []string{"", "what", "up 1", "up x/y z"} {
		if got := parseProgress(text); *got != (progress{total: 1}) {
			t.Errorf("%q reads as %+v", text, *got)
		}
	}
}

func TestIdentifier(t *testing.T) {
	for text, want := range map[string]string{
		"shop.0001_a":                              "shop 0001_a",
		"apps/shop/migrations/0001_a.sql":          "shop 0001_a",
		"./apps/shop/migrations/0001_a.mysql.star": "shop 0001_a",
		"shop/migrations/0001_a.sql":               "shop 0001_a",
		"shop":                                     "",
		"shop.":                                    "",
		"shop/0001_a.sql":                          "",
		"a.b.c":                                    "",
		"apps/shop/migrations/":                    "",
		"":                                         "",
		"/srv/web/apps/shop/migrations/0001_a.sql": "shop 0001_a",
		"apps/shop/management/commands/x.star":     "",
	} {
		app, name, ok := identifier(text)
		if got := strings.TrimSpace(app + " " + name); ok && got != want || !ok && want != "" {
			t.Errorf("%q: %q, %v; want %q", text, got, ok, want)
		}
	}
}
