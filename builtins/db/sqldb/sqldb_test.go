package sqldb

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestParseURL(t *testing.T) {
	tests := []struct {
		name, url         string
		driver, place     string
		path, user, pass  string
		host, port, dbase string
	}{
		{"three slashes are relative", "sqlite:///db.sqlite3", "sqlite", "db.sqlite3", "/srv/db.sqlite3", "", "", "", "", ""},
		{"four are absolute", "sqlite:////var/db.sqlite3", "sqlite", "/var/db.sqlite3", "/var/db.sqlite3", "", "", "", "", ""},
		{"none is memory", "sqlite://", "sqlite", ":memory:", "", "", "", "", "", ""},
		{"memory by name", "sqlite://:memory:", "sqlite", ":memory:", "", "", "", "", "", ""},
		{"percent in a file's name", "sqlite:///a%20b%3F.db", "sqlite", "a b?.db", "/srv/a b?.db", "", "", "", "", ""},
		{"server", "postgres://u:p@db.example:5433/shop", "pgx", "shop on db.example:5433", "", "u", "p", "db.example", "5433", "shop"},
		{"default port", "postgresql://u@h/shop", "pgx", "shop on h:5432", "", "u", "", "h", "5432", "shop"},
		{"password with delimiters", "mysql://u:p%40%3A%2F%23%3F@h/shop", "mysql", "shop on h:3306", "", "u", "p@:/#?", "h", "3306", "shop"},
		{"password with a raw at", "mysql://u:p@ss@h/shop", "mysql", "shop on h:3306", "", "u", "p@ss", "h", "3306", "shop"},
		{"socket", "postgres://u@%2Fvar%2Frun%2Fpostgresql/shop", "pgx", "shop on /var/run/postgresql", "", "u", "", "/var/run/postgresql", "5432", "shop"},
		{"socket as an option", "mysql://u@/shop?unix_socket=/run/mysqld.sock", "mysql", "shop on /run/mysqld.sock", "", "u", "", "/run/mysqld.sock", "3306", "shop"},
		{"IPv6", "postgres://u@[::1]:5433/shop", "pgx", "shop on ::1:5433", "", "u", "", "::1", "5433", "shop"},
		{"mariadb", "mariadb://u@h/shop", "mysql", "shop on h:3306", "", "u", "", "h", "3306", "shop"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseURL(tt.url, "/srv")
			if err != nil {
				t.Fatal(err)
			}
			want := [...]string{tt.driver, tt.place, tt.path, tt.user, tt.pass, tt.host, tt.port, tt.dbase}
			if tt.driver == "sqlite" {
				got.Port = ""
			}
			if have := [...]string{got.Driver, got.Place, got.Path, got.User, got.Password, got.Host, got.Port, got.Name}; have != want {
				t.Errorf("got  %q\nwant %q", have, want)
			}
		})
	}
}

func TestParseURLNeverShowsThePassword(t *testing.T) {
	for _, url := range []string{
		"postgres://u:s3cret@h:99999/x", "postgres://u:s3cret@h:port/x", "postgres://u:s3cret%zz@h/x", "oracle://u:s3cret@h/x",
		"mysql://u:s3cret#x@h/x", "mysql://u:s3cret@h/x?what=1", "u:s3cret@h/x", "postgres://u:s3cret@h/x?default_query_exec_mode=simple_protocol",
		"postgres://u:s3cret@h/x%00", "sqlite:db?s3cret", "postgres://u:123/s3cret@h/x", "mysql://u:1/s3cret%40@h/x", "mysql://u:123?s3cret@h/x",
	} {
		_, err := ParseURL(url, "/srv")
		if err == nil {
			t.Errorf("%s: no error", url)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestSQLiteNeedsAFolderForARelativePath(t *testing.T) {
	if _, err := ParseURL("sqlite:///db.sqlite3", ""); err == nil {
		t.Fatal("no error")
	}
}

func TestPlaceholders(t *testing.T) {
	tests := []struct {
		name     string
		d        Dialect
		in, want string
		n        int
	}{
		{"numbered", PostgreSQL{}, "a = ? AND b = ?", "a = $1 AND b = $2", 2},
		{"literal", PostgreSQL{}, "data ?? 'k' AND a = ?", "data ? 'k' AND a = $1", 1},
		{"in quotes", SQLite{}, `SELECT '?', "?", [?], ` + "`?`" + ` -- ?` + "\n/* ? */, ?", `SELECT '?', "?", [?], ` + "`?`" + ` -- ?` + "\n/* ? */, ?", 1},
		{"doubled quotes", SQLite{}, "SELECT 'it''s ?', ?", "SELECT 'it''s ?', ?", 1},
		{"backslash on MySQL", MySQL{}, `SELECT 'a\'?', ?`, `SELECT 'a\'?', ?`, 1},
		{"backslash elsewhere", SQLite{}, `SELECT 'a\', ?`, `SELECT 'a\', ?`, 1},
		{"escape string", PostgreSQL{}, `SELECT E'a\'?', ?`, `SELECT E'a\'?', $1`, 1},
		{"dollar quotes", PostgreSQL{}, "SELECT $q$ ? $q$, $$ ? $$, ?", "SELECT $q$ ? $q$, $$ ? $$, $1", 1},
		{"nested comment", PostgreSQL{}, "/* /* ? */ ? */ ?", "/* /* ? */ ? */ $1", 1},
		{"hash comment", MySQL{}, "SELECT 1 # ?\n, ?", "SELECT 1 # ?\n, ?", 1},
		{"minus minus on MySQL", MySQL{}, "SELECT 5--?", "SELECT 5--?", 1},
		{"closing semicolon", SQLite{}, "SELECT ?; -- done", "SELECT ? -- done", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, n, err := placeholders(tt.d, tt.in)
			if err != nil || got != tt.want || n != tt.n {
				t.Errorf("got %q, %d, %v; want %q, %d", got, n, err, tt.want, tt.n)
			}
		})
	}
	for name, text := range map[string]string{
		"empty": "", "blanks": " \n", "a semicolon": " ; ", "a comment": "-- nothing", "comments": "/* a */ ; -- b",
		"open quote": "SELECT 'x", "open comment": "SELECT /* x", "two statements": "DELETE FROM t; DELETE FROM u", "quoted second": `SELECT 1; "x"`, "NUL": "SELECT \x00",
	} {
		t.Run(name, func(t *testing.T) {
			if got, _, err := placeholders(PostgreSQL{}, text); err == nil {
				t.Errorf("no error, %q", got)
			}
		})
	}
}

func TestKeyword(t *testing.T) {
	tests := []struct {
		d          Dialect
		text, want string
	}{
		{SQLite{}, "-- x\n /* y */ (select 1)", "SELECT"},
		{MySQL{}, "# x\ncreate table t (n int)", "CREATE"},
		{MySQL{}, "/*!50100 COMMIT */", "COMMIT"},
		{MySQL{}, "/*M!100100 xa start 'a' */", "XA"},
		{PostgreSQL{}, "/*! x */ SELECT 1", "SELECT"},
		{SQLite{}, `"a"`, ""},
		{SQLite{}, "", ""},
	}
	for _, tt := range tests {
		if got := Keyword(tt.d, tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestMySQLCommits(t *testing.T) {
	for text, want := range map[string]bool{
		"CREATE TABLE t (n int)": true, "create or replace table t (n int)": true, "/*!50100 DROP TABLE t */": true, "TRUNCATE t": true,
		"RENAME TABLE t TO u": true, "FLUSH TABLES": true, "ANALYZE TABLE t": true, "SET PASSWORD = 'x'": true,
		"CREATE TEMPORARY TABLE t (n int)": false, "CREATE OR REPLACE TEMPORARY TABLE t (n int)": false, "DROP TEMPORARY TABLE t": false,
		"ANALYZE SELECT 1": false, "SET @a = 1": false, "INSERT INTO t VALUES (1)": false, "SELECT 'CREATE TABLE'": false,
	} {
		if got := mysqlCommits(firstWords(MySQL{}, text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
	for text, want := range map[string]bool{
		"SET autocommit = 0": true, "set @@session.AutoCommit=0": true, "SET @@autocommit = 1": true, "SET sql_mode = '', autocommit = 0": true, "SET `autocommit` = 0": true,
		"SET @autocommit = 0": false, "SET @a = 'autocommit'": false, "SET sql_mode = '' -- autocommit": false,
	} {
		if got := setsAutocommit(MySQL{}, text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestSQLiteCountsRows(t *testing.T) {
	for text, want := range map[string]bool{
		"INSERT INTO t VALUES (1)": true, "replace into t values (1)": true, "WITH c AS (SELECT 1) DELETE FROM t": true,
		"CREATE INDEX i ON t (n)": false, "PRAGMA user_version = 3": false, "WITH c AS (SELECT 1) SELECT replace('a', 'b', 'c')": false,
		"WITH c(n) AS (VALUES (1)) INSERT INTO t SELECT n FROM c": true, "EXPLAIN DELETE FROM t": false,
	} {
		if got := changesRows(SQLite{}, text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestDayStart(t *testing.T) {
	tests := []struct{ name, zone, day, want string }{
		{"UTC", "UTC", "2026-03-29", "2026-03-29T00:00:00Z"},
		{"the day clocks go forward", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"the day after", "Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"the day clocks go back", "Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"},
		{"midnight skipped", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"},
		{"midnight twice", "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{"clocks go back at midnight to the day before", "America/Sao_Paulo", "2019-02-17", "2019-02-17T03:00:00Z"},
		{"a day that never was is empty", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			day, err := time.Parse("2006-01-02", tt.day)
			if err != nil {
				t.Fatal(err)
			}
			if got := DayStart(day.Year(), day.Month(), day.Day(), zone).UTC().Format(time.RFC3339); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSQLiteTypes(t *testing.T) {
	tests := []struct {
		declared string
		kind     Kind
		scale    int
	}{
		{"integer", Int, -1}, {"BIGINT UNSIGNED", Int, -1}, {"bool", Bool, -1}, {"datetime", DateTime, -1}, {"date", DateKind, -1},
		{"decimal", DecimalKind, -1}, {"NUMERIC(10, 2)", DecimalKind, 2}, {"decimal(8)", DecimalKind, 0}, {"varchar(30)", Text, -1},
		{"BLOB", Bytes, -1}, {"real", Float, -1}, {"double precision", Float, -1}, {"jsonb", JSONKind, -1}, {"", Any, -1}, {"geometry", Any, -1},
	}
	for _, tt := range tests {
		if got := sqliteType(tt.declared); got.Kind != tt.kind || got.Scale != tt.scale {
			t.Errorf("%q: got %v scale %d, want %v scale %d", tt.declared, got.Kind, got.Scale, tt.kind, tt.scale)
		}
	}
}
