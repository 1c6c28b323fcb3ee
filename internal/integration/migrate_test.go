package integration

// Migrations on real databases: what the commands print, and what is in the
// database after forwards, backwards, failures, races and kill -9.

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/builtins/db/migrate"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/builtins/lang"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// shopDir is a folder with a project: settings that read DATABASE_URL, and the
// files of an archive.
func shopDir(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, "-- settings.star --\nDATABASES = {\"default\": env(\"DATABASE_URL\")}\n"+archive)
	return dir
}

func writeFiles(t *testing.T, dir, archive string) {
	t.Helper()
	project := enginetest.Project(archive)
	err := fs.WalkDir(project, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(project, name)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// shopConfig is an engine with migrations for a project's folder.
func shopConfig(url string) engine.Config {
	d := db.New(db.Config{})
	return engine.Config{
		Modules: []engine.Module{migrate.New(d), d, output.New(), command.New(), lang.Module{}, datetime.Module{}, decimal.Module{}},
		Getenv: func(name string) (string, bool) {
			if name == "DATABASE_URL" {
				return url, true
			}
			return "", false
		},
		Now: func() time.Time { return time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC) },
	}
}

// shop runs command lines in a project on a database of its own.
type shop struct {
	t   *testing.T
	dir string
	b   dbtest.Backend
}

// run runs one command line.
func (s *shop) run(words ...string) enginetest.Result {
	s.t.Helper()
	return enginetest.Run(s.t, shopConfig(s.b.URL), append([]string{"--project", s.dir}, words...)...)
}

// must runs one command line that has to succeed, and returns its stdout.
func (s *shop) must(words ...string) string {
	s.t.Helper()
	got := s.run(words...)
	if got.Code != 0 {
		s.t.Fatalf("manage %s: exit %d\n%s%s", strings.Join(words, " "), got.Code, got.Stdout, got.Stderr)
	}
	return got.Stdout
}

// wants compares a command's outcome; stdout and stderr are parts that must be
// there, an empty one means nothing at all.
func (s *shop) wants(code int, stdout, stderr string, words ...string) {
	s.t.Helper()
	got := s.run(words...)
	for _, part := range []struct{ name, got, want string }{{"stdout", got.Stdout, stdout}, {"stderr", got.Stderr, stderr}} {
		if part.want == "" && part.got != "" || !strings.Contains(part.got, part.want) {
			s.t.Errorf("manage %s: %s is\n%s\nwant …%s…", strings.Join(words, " "), part.name, part.got, part.want)
		}
	}
	if got.Code != code {
		s.t.Errorf("manage %s: exit %d, want %d\n%s%s", strings.Join(words, " "), got.Code, code, got.Stdout, got.Stderr)
	}
}

// tables returns the database's tables with their columns, the history aside.
func (s *shop) tables() map[string]string {
	s.t.Helper()
	query := "SELECT m.name, x.name || ' ' || x.type || ' ' || x.\"notnull\" FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS x WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, x.cid"
	switch s.b.Dialect {
	case "postgresql":
		query = "SELECT table_name, column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
	case "mysql":
		query = "SELECT table_name, CONCAT(column_name, ' ', column_type, ' ', is_nullable) FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, ordinal_position"
	}
	rows, err := s.b.Pool.Query(query)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			s.t.Fatal(err)
		}
		if table != "manage_migrations" {
			out[table] += column + "; "
		}
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *shop) names() string {
	return strings.Join(slices.Sorted(maps.Keys(s.tables())), " ")
}

func (s *shop) scalar(query string) string {
	s.t.Helper()
	var v sql.NullString
	if err := s.b.Pool.QueryRow(query).Scan(&v); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return v.String
}

// onShops runs a test on every database there is, in a project of its own.
func onShops(t *testing.T, archive string, test func(t *testing.T, s *shop)) {
	for kind, b := range backends(t) {
		t.Run(kind, func(t *testing.T) { test(t, &shop{t: t, dir: shopDir(t, archive), b: b}) })
	}
}

// demo is the apps of the demo project.
func demo(t *testing.T, dir string) {
	t.Helper()
	for _, app := range []string{"accounts", "orders"} {
		if err := os.CopyFS(filepath.Join(dir, "apps", app), os.DirFS(filepath.Join("..", "..", "apps", app))); err != nil {
			t.Fatal(err)
		}
	}
}

// more adds to the demo: a column, and data filled in Starlark.
const more = `
-- apps/orders/migrations/0002_currency.sql --
-- +goose Up
ALTER TABLE orders_order ADD COLUMN currency VARCHAR(3);
-- +goose Down
ALTER TABLE orders_order DROP COLUMN currency;
-- apps/orders/migrations/0003_fill.star --
"""Orders without a currency are in euros."""

dependencies = ["accounts.0001_initial"]

def up(db):
    "Fill orders.currency"
    db.table("orders_order").filter(currency__isnull = True).update(currency = "EUR")

def down(db):
    db.table("orders_order").update(currency = None)
`

func TestMigrateForwardsAndBack(t *testing.T) {
	onShops(t, more, func(t *testing.T, s *shop) {
		demo(t, s.dir)
		if got := s.must("migrate"); got != `Operations to perform:
  Apply all migrations: accounts, orders
Running migrations:
  Applying accounts.0001_initial... OK
  Applying orders.0001_initial... OK
  Applying orders.0002_currency... OK
  Applying orders.0003_fill... OK
` {
			t.Errorf("stdout is\n%s", got)
		}
		whole := s.tables()
		if len(whole) != 4 {
			t.Fatalf("tables are %s", s.names())
		}
		if got := s.must("migrate"); got != `Operations to perform:
  Apply all migrations: accounts, orders
Running migrations:
  No migrations to apply.
` {
			t.Errorf("stdout of the second run is\n%s", got)
		}
		s.exec("INSERT INTO accounts_user (email) VALUES ('a@example.com')")
		s.exec("INSERT INTO orders_order (user_id, amount) SELECT id, 12.5 FROM accounts_user")

		if got := s.must("migrate", "orders", "0001"); got != `Operations to perform:
  Target specific migration: 0001_initial, from orders
Running migrations:
  Unapplying orders.0003_fill... OK
  Unapplying orders.0002_currency... OK
` {
			t.Errorf("stdout of the way back is\n%s", got)
		}
		if strings.Contains(s.tables()["orders_order"], "currency") {
			t.Errorf("the column stayed: %s", s.tables()["orders_order"])
		}
		s.must("migrate", "orders")
		if got := s.scalar("SELECT currency FROM orders_order"); got != "EUR" {
			t.Errorf("the data migration gave %q", got)
		}
		if got := s.tables(); !maps.Equal(got, whole) {
			t.Errorf("forwards again the schema is %v\nwant %v", got, whole)
		}

		if got := s.must("migrate", "accounts", "zero"); got != `Operations to perform:
  Unapply all migrations: accounts
Running migrations:
  Unapplying orders.0003_fill... OK
  Unapplying orders.0002_currency... OK
  Unapplying orders.0001_initial... OK
  Unapplying accounts.0001_initial... OK
` {
			t.Errorf("stdout of the way to zero is\n%s", got)
		}
		if got := s.names(); got != "" {
			t.Errorf("at zero there are the tables %s", got)
		}
		s.must("migrate")
		if got := s.tables(); !maps.Equal(got, whole) {
			t.Errorf("after zero the schema is %v\nwant %v", got, whole)
		}
		if got := s.must("showmigrations"); got != `accounts
 [X] 0001_initial
orders
 [X] 0001_initial
 [X] 0002_currency
 [X] 0003_fill
` {
			t.Errorf("showmigrations prints\n%s", got)
		}
	})
}

func (s *shop) exec(statement string) {
	s.t.Helper()
	if _, err := s.b.Pool.Exec(statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

func TestMigratePlanCheckAndShow(t *testing.T) {
	onShops(t, more, func(t *testing.T, s *shop) {
		demo(t, s.dir)
		s.wants(1, "", "", "migrate", "--check")
		if got := s.must("migrate", "--plan", "orders", "0002"); !strings.HasPrefix(got, `Planned operations:
accounts.0001_initial
    Raw SQL operation -> CREATE TABLE accounts_user ( id `) || !strings.HasSuffix(got, `orders.0002_currency
    Raw SQL operation -> ALTER TABLE orders_order ADD COLUMN…
`) {
			t.Errorf("plan is\n%s", got)
		}
		if got := s.must("showmigrations", "--plan", "-v2", "orders"); got != `[ ]  accounts.0001_initial
[ ]  orders.0001_initial ... (accounts.0001_initial)
[ ]  orders.0002_currency ... (orders.0001_initial)
[ ]  orders.0003_fill ... (accounts.0001_initial, orders.0002_currency)
` {
			t.Errorf("showmigrations --plan prints\n%s", got)
		}
		if got := s.names(); got != "" || s.b.Dialect == "sqlite" && s.scalar("SELECT count(*) FROM sqlite_master") != "0" {
			t.Errorf("looking made tables: %s", got)
		}
		s.must("migrate", "-v2")
		s.wants(0, "", "", "migrate", "--check")
		s.wants(0, "Planned operations:\n  No planned migration operations.\n", "", "migrate", "--check", "--plan")
		s.wants(1, "orders.0003_fill\n    Raw Starlark operation\n", "", "migrate", "orders", "0002", "--check", "--plan")
		s.wants(0, "orders\n [X] 0001_initial (applied at 2026-01-31 12:30:00)\n", "", "showmigrations", "orders", "-v2")
		s.wants(2, "", "No installed app with label 'order'.\n", "showmigrations", "order")
		s.wants(0, "[X]  orders.0003_fill\n", "", "showmigrations", "-p")
	})
}

func TestMigrateFake(t *testing.T) {
	onShops(t, more, func(t *testing.T, s *shop) {
		demo(t, s.dir)
		s.wants(0, "  Applying accounts.0001_initial... FAKED\n", "", "migrate", "accounts", "--fake")
		if got := s.names(); got != "" {
			t.Fatalf("--fake made %s", got)
		}
		s.must("migrate", "accounts", "zero", "--fake")
		s.must("migrate", "orders", "0001")
		before := s.tables()
		s.exec("DELETE FROM manage_migrations")
		if got := s.must("migrate", "--fake-initial"); got != `Operations to perform:
  Apply all migrations: accounts, orders
Running migrations:
  Applying accounts.0001_initial... FAKED
  Applying orders.0001_initial... FAKED
  Applying orders.0002_currency... OK
  Applying orders.0003_fill... OK
` {
			t.Errorf("--fake-initial prints\n%s", got)
		}
		if after := s.tables(); after["accounts_user"] != before["accounts_user"] || after["orders_order"] == before["orders_order"] {
			t.Errorf("tables are %v, were %v", after, before)
		}
		s.exec("DELETE FROM manage_migrations")
		s.exec("DROP TABLE accounts_authtoken")
		s.wants(1, "  Applying accounts.0001_initial...\n", "statement 1 of", "migrate", "accounts", "--fake-initial")
	})
}

// failing has a second migration whose third statement fails.
const failing = `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_a (id INTEGER PRIMARY KEY);
-- +goose Down
DROP TABLE shop_a;
-- apps/shop/migrations/0002_more.sql --
-- +goose Up
CREATE TABLE shop_b (id INTEGER PRIMARY KEY);
INSERT INTO shop_b (id) VALUES (1);
INSERT INTO shop_missing (id) VALUES (1);
CREATE TABLE shop_c (id INTEGER PRIMARY KEY);
-- +goose Down
DROP TABLE shop_c;
DROP TABLE shop_b;
`

func TestMigrateFailure(t *testing.T) {
	onShops(t, failing, func(t *testing.T, s *shop) {
		got := s.run("migrate")
		if got.Code != 1 || !strings.HasSuffix(got.Stdout, "  Applying shop.0001_initial... OK\n  Applying shop.0002_more...\n") {
			t.Errorf("exit %d, stdout\n%s", got.Code, got.Stdout)
		}
		if !strings.Contains(got.Stderr, "CommandError: Migration shop.0002_more failed at statement 3 of 4 (apps/shop/migrations/0002_more.sql:4): ") || !strings.Contains(got.Stderr, "shop_missing") {
			t.Errorf("stderr is\n%s", got.Stderr)
		}
		mend := func() {
			writeFiles(t, s.dir, "-- apps/shop/migrations/0002_more.sql --\n"+strings.ReplaceAll(failing[strings.Index(failing, "0002_more.sql --\n")+len("0002_more.sql --\n"):], "shop_missing (id) VALUES (1)", "shop_b (id) VALUES (2)"))
		}
		if s.b.Dialect == "mysql" {
			if !strings.Contains(got.Stderr, "MySQL commits each CREATE, ALTER, DROP and the like by itself, so statement 1 stays. Mend statement 3 and migrate again: it goes on at statement 2.") {
				t.Errorf("stderr does not say what stays:\n%s", got.Stderr)
			}
			if out := s.must("showmigrations"); out != "shop\n [X] 0001_initial\n [-] 0002_more (unfinished: applying it stopped after 1 of 4 steps)\n" {
				t.Errorf("showmigrations prints\n%s", out)
			}
			s.wants(1, "", "CommandError: Migration shop.0002_more is unfinished: on the way up it stopped after 1 of 4 steps.", "migrate", "shop", "0001")
			mend()
			s.must("migrate")
		} else {
			if !strings.Contains(got.Stderr, "Nothing of this migration was kept.") {
				t.Errorf("stderr is\n%s", got.Stderr)
			}
			if out := s.must("showmigrations"); out != "shop\n [X] 0001_initial\n [ ] 0002_more\n" {
				t.Errorf("showmigrations prints\n%s", out)
			}
			if got := s.names(); got != "shop_a" {
				t.Errorf("the failed migration left %s", got)
			}
			mend()
			s.must("migrate")
		}
		if got := s.names(); got != "shop_a shop_b shop_c" || s.scalar("SELECT count(*) FROM shop_b") != "2" {
			t.Errorf("after mending there are %s", got)
		}
		s.must("migrate", "shop", "zero")
		if got := s.names(); got != "" {
			t.Errorf("at zero there are %s", got)
		}
	})
}

func TestMigrateWithoutTransaction(t *testing.T) {
	onShops(t, strings.ReplaceAll(failing, "-- +goose Up\nCREATE TABLE shop_b", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE shop_b"), func(t *testing.T, s *shop) {
		s.wants(1, "Applying shop.0002_more...\n", "The migration runs without a transaction, so statements 1 to 2 stay. Mend statement 3 and migrate again: it goes on there.", "migrate")
		s.wants(0, " [-] 0002_more (unfinished: applying it stopped after 2 of 4 steps)\n", "", "showmigrations")
		s.wants(1, "Applying shop.0002_more...\n", "failed at statement 3 of 4", "migrate")
		edit := func(old, new string) {
			file := filepath.Join(s.dir, "apps/shop/migrations/0002_more.sql")
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, bytes.Replace(data, []byte(old), []byte(new), 1), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		edit("VALUES (1)", "VALUES (7)")
		s.wants(1, "", "stopped after 2 of 4 statements, and those were changed since", "migrate")
		edit("VALUES (7)", "VALUES (1)")
		edit("shop_missing (id) VALUES (1)", "shop_b (id) VALUES (2)")
		s.must("migrate")
		if got := s.scalar("SELECT count(*) FROM shop_b"); got != "2" {
			t.Errorf("shop_b has %s rows, want 2", got)
		}
		s.must("migrate", "shop", "0001")
		if got := s.names(); got != "shop_a" {
			t.Errorf("back at 0001 there are %s", got)
		}
	})
}

// TestMigrateTwoAtOnce: of several started together one applies, the others
// wait and find nothing to do.
func TestMigrateTwoAtOnce(t *testing.T) {
	onShops(t, more, func(t *testing.T, s *shop) {
		demo(t, s.dir)
		if s.b.Dialect == "sqlite" {
			// The file is not there yet either.
			s.b.URL = "sqlite:///" + filepath.Join(t.TempDir(), "new.sqlite3")
		}
		const runs = 4
		results := make([]enginetest.Result, runs)
		var wg sync.WaitGroup
		for i := range runs {
			wg.Go(func() { results[i] = s.run("migrate") })
		}
		wg.Wait()
		applied, idle := 0, 0
		for _, r := range results {
			switch {
			case r.Code != 0:
				t.Errorf("exit %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			case strings.Count(r.Stdout, "... OK") == 4:
				applied++
			case strings.Contains(r.Stdout, "No migrations to apply."):
				idle++
			default:
				t.Errorf("one applied a part:\n%s", r.Stdout)
			}
		}
		if applied != 1 || idle != runs-1 {
			t.Errorf("%d applied, %d had nothing to do", applied, idle)
		}
		if s.b.Dialect == "sqlite" {
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(strings.TrimPrefix(s.b.URL, "sqlite:///")), "*-migrate")); left != nil {
				t.Errorf("the lock's file stays: %v", left)
			}
		}
	})
}

// slow has a migration that waits in its middle, long enough to be killed.
const slow = `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_a (id INTEGER PRIMARY KEY);
INSERT INTO shop_a (id) VALUES (1);
CREATE TABLE shop_b (id INTEGER PRIMARY KEY);
SLOW
CREATE TABLE shop_c (id INTEGER PRIMARY KEY);
-- +goose Down
DROP TABLE shop_c;
DROP TABLE shop_b;
DROP TABLE shop_a;
`

// TestMigrateKilled kills a process in the middle of a migration.
func TestMigrateKilled(t *testing.T) {
	onShops(t, slow, func(t *testing.T, s *shop) {
		file := filepath.Join(s.dir, "apps/shop/migrations/0001_initial.sql")
		wait := slowStatement(s.b.Dialect, 4)
		replaceIn(t, file, "SLOW", wait)
		s.kill("shop.0001_initial")
		replaceIn(t, file, wait, "SELECT 1;")
		if s.b.Dialect == "mysql" {
			s.wants(0, " [-] 0001_initial (unfinished: applying it stopped after 3 of 5 steps)\n", "", "showmigrations")
		} else {
			s.wants(0, " [ ] 0001_initial\n", "", "showmigrations")
			if got := s.names(); got != "" {
				t.Errorf("the killed migration left %s", got)
			}
		}
		s.must("migrate")
		s.wants(0, " [X] 0001_initial\n", "", "showmigrations")
		if got := s.names(); got != "shop_a shop_b shop_c" || s.scalar("SELECT count(*) FROM shop_a") != "1" {
			t.Errorf("after the second run there are %s", got)
		}
	})
}

// slowStatement takes about that many seconds, and writes nothing.
func slowStatement(dialect string, seconds int) string {
	switch dialect {
	case "postgresql":
		return fmt.Sprintf("SELECT pg_sleep(%d);", seconds)
	case "mysql":
		return fmt.Sprintf("DO SLEEP(%d);", seconds)
	}
	return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) INSERT INTO shop_a SELECT i FROM n WHERE i < 0;"
}

// kill starts migrate in a process of its own and kills it when a migration
// has begun and its statements have had time to run.
func (s *shop) kill(migration string) {
	s.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
	cmd.Env = append(os.Environ(), "MANAGE_TEST_HELPER="+s.dir, "MANAGE_TEST_URL="+s.b.URL)
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	guard := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	var seen bytes.Buffer
	buf := make([]byte, 512)
	for !strings.Contains(seen.String(), "Applying "+migration) {
		n, err := out.Read(buf)
		seen.Write(buf[:n])
		if err != nil {
			s.t.Fatalf("migrate ended: %s", seen.String())
		}
	}
	s.busy()
	if err := cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	err = cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		s.t.Fatalf("the process ended by itself: %v", err)
	}
}

// busy waits until the slow statement runs.
func (s *shop) busy() {
	s.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for time.Now().Before(deadline) {
		switch s.b.Dialect {
		case "postgresql":
			if s.scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'") != "0" {
				return
			}
		case "mysql":
			if s.scalar("SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'DO SLEEP%'") != "0" {
				return
			}
		default:
			if s.locked() {
				return // the migration's transaction is open
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatal("the slow statement does not run")
}

// locked reports whether somebody writes to the SQLite database.
func (s *shop) locked() bool {
	s.t.Helper()
	ctx := context.Background()
	conn, err := s.b.Pool.Conn(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		s.t.Fatal(err)
	}
	defer conn.ExecContext(ctx, "PRAGMA busy_timeout = 10000") //nolint:errcheck // the pool's other uses wait
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return true
	}
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		s.t.Fatal(err)
	}
	return false
}

// TestHelperProcess is not a test: it is the process that TestMigrateKilled
// kills.
func TestHelperProcess(t *testing.T) {
	dir, ok := os.LookupEnv("MANAGE_TEST_HELPER")
	if !ok {
		return // run as an ordinary test it has nothing to do
	}
	cfg := shopConfig(os.Getenv("MANAGE_TEST_URL"))
	cfg.Stdout, cfg.Stderr = os.Stdout, os.Stderr
	os.Exit(engine.New(cfg).Run(context.Background(), []string{"manage", "--project", dir, "migrate"}))
}
