package integration

// How migrations run: Starlark, SQLite's foreign keys, runs that were cut off,
// stopped or lost their connection, and databases of a host's own.

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/migrate"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// scripts has data migrations of every kind.
const scripts = `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_item (id INTEGER PRIMARY KEY, name VARCHAR(20), price INTEGER);
INSERT INTO shop_item (id, name, price) VALUES (1, 'a', 1), (2, 'b', 2);
-- +goose Down
DROP TABLE shop_item;
-- apps/shop/migrations/_prices.star --
def raised(price):
    return price * 10
-- apps/shop/migrations/0002_raise.star --
load("./_prices.star", "raised")

def up(db):
    "Raise all prices"
    for item in db.table("shop_item"):
        item.price = raised(item.price)
        item.save()
    db.on_commit(lambda: print("committed", db.table("shop_item").get(pk = 1).price))
    defer(lambda: print("deferred"))

def down(db):
    db.atomic(lambda: db.execute("UPDATE shop_item SET price = price / 10"))
-- apps/shop/migrations/0003_fail.star --
def up(db):
    db.table("shop_item").create(id = 3, name = "c", price = 3)
    CommandError("Not today.", returncode = 7)
`

func TestMigrateScripts(t *testing.T) {
	onShops(t, scripts, func(t *testing.T, s *shop) {
		got := s.run("migrate")
		if !strings.Contains(got.Stdout, "  Applying shop.0002_raise...committed 10\ndeferred\n OK\n  Applying shop.0003_fail...\n") {
			t.Errorf("stdout is\n%s", got.Stdout)
		}
		if got.Code != 7 || !strings.Contains(got.Stderr, "CommandError: Not today.\n") {
			t.Errorf("exit %d, stderr\n%s", got.Code, got.Stderr)
		}
		if n := s.scalar("SELECT count(*) FROM shop_item"); n != "2" {
			t.Errorf("the failed script left %s rows", n)
		}
		s.wants(0, "shop\n [X] 0001_initial\n [X] 0002_raise\n [ ] 0003_fail\n", "", "showmigrations")
		if got := s.must("migrate", "shop", "0001", "--plan"); got != "Planned operations:\nshop.0002_raise\n    Raw Starlark operation\n" {
			t.Errorf("the plan back is\n%s", got)
		}
		s.must("migrate", "shop", "0001")
		s.wants(0, "shop.0002_raise\n    Raw Starlark operation -> Raise all prices\n", "", "migrate", "--plan")
		if price := s.scalar("SELECT price FROM shop_item WHERE id = 2"); price != "2" {
			t.Errorf("taken back the price is %s", price)
		}
		writeFiles(t, s.dir, "-- apps/shop/migrations/0003_fail.star --\ndef up(db):\n    1 // 0\n")
		s.wants(1, "  Applying shop.0003_fail...\n", "Traceback (most recent call last):\n  apps/shop/migrations/0003_fail.star:2:7: in up\n    1 // 0\nError: floored division by zero\n", "migrate")
	})
}

// TestMigrateScriptDDL: where DDL commits by itself, what a script wrote before
// stays, and the history says so.
func TestMigrateScriptDDL(t *testing.T) {
	const files = scripts + `
-- apps/shop/migrations/0003_fail.star --
def up(db):
    db.execute("INSERT INTO shop_item (id) VALUES (3)")
    db.execute("CREATE TABLE shop_more (id INTEGER)")
    CommandError("Not today.")
`
	onShops(t, files, func(t *testing.T, s *shop) {
		got := s.run("migrate")
		if s.b.Dialect != "mysql" {
			if n := s.scalar("SELECT count(*) FROM shop_item"); n != "2" || s.names() != "shop_item" {
				t.Errorf("the failed script left %s rows and the tables %s", n, s.names())
			}
			s.wants(0, " [ ] 0003_fail\n", "", "showmigrations")
			return
		}
		if want := "Migration shop.0003_fail is unfinished: what it wrote outside a transaction stays (MySQL commits at each CREATE, ALTER, DROP and the like by itself). The next run calls its up again from the start.\n"; !strings.Contains(got.Stderr, want) {
			t.Errorf("stderr is\n%s\nwant\n%s", got.Stderr, want)
		}
		s.wants(0, " [-] 0003_fail (unfinished: applying it stopped after 0 of 1 steps)\n", "", "showmigrations")
		writeFiles(t, s.dir, "-- apps/shop/migrations/0003_fail.star --\ndef up(db):\n    pass\n")
		s.must("migrate")
		s.wants(0, " [X] 0003_fail\n", "", "showmigrations")
	})
}

func TestMigrateScriptNotAtomic(t *testing.T) {
	const files = scripts + `
-- apps/shop/migrations/0003_fail.star --
atomic = False

def up(db):
    db.table("shop_item").update_or_create(id = 3, defaults = {"price": 3})
    if db.table("shop_item").filter(name = "go on").count() == 0:
        CommandError("Half way.")
    db.atomic(lambda: db.table("shop_item").create(id = 4))
`
	onShops(t, files, func(t *testing.T, s *shop) {
		got := s.run("migrate")
		if want := "Migration shop.0003_fail is unfinished: what it wrote outside a transaction stays. The next run calls its up again from the start.\n"; !strings.Contains(got.Stderr, want) {
			t.Errorf("stderr is\n%s", got.Stderr)
		}
		s.wants(0, " [-] 0003_fail", "", "showmigrations")
		s.exec("UPDATE shop_item SET name = 'go on' WHERE id = 1")
		s.must("migrate")
		if n := s.scalar("SELECT count(*) FROM shop_item"); n != "4" {
			t.Errorf("there are %s rows, want 4", n)
		}
		s.wants(0, " [X] 0003_fail\n", "", "showmigrations")
	})
}

// TestMigrateBackStopsHalfWay: a way back without a transaction that fails is
// finished in the same direction only.
func TestMigrateBackStopsHalfWay(t *testing.T) {
	onShops(t, `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_a (id INTEGER PRIMARY KEY);
-- +goose Down
DROP TABLE shop_a;
-- apps/shop/migrations/0002_more.sql --
-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE shop_b (id INTEGER PRIMARY KEY);
CREATE TABLE shop_c (id INTEGER PRIMARY KEY);
-- +goose Down
DROP TABLE shop_c;
DROP TABLE shop_missing;
`, func(t *testing.T, s *shop) {
		s.must("migrate")
		s.wants(1, "  Unapplying shop.0002_more...\n", "failed at statement 2 of 2 (apps/shop/migrations/0002_more.sql:7)", "migrate", "shop", "zero")
		s.wants(0, "shop\n [X] 0001_initial\n [-] 0002_more (unfinished: unapplying it stopped after 1 of 2 steps)\n", "", "showmigrations")
		s.wants(1, "", "CommandError: Migration shop.0002_more is unfinished: on the way down it stopped after 1 of 2 steps.\nGo on the same way first", "migrate")
		replaceIn(t, filepath.Join(s.dir, "apps/shop/migrations/0002_more.sql"), "shop_missing", "shop_b")
		s.wants(0, "  Unapplying shop.0002_more... OK\n  Unapplying shop.0001_initial... OK\n", "", "migrate", "shop", "zero")
		if got := s.names(); got != "" {
			t.Errorf("at zero there are %s", got)
		}
		s.must("migrate")
		replaceIn(t, filepath.Join(s.dir, "apps/shop/migrations/0002_more.sql"), "DROP TABLE shop_c", "DROP TABLE shop_d")
		s.wants(1, "Unapplying", "failed at statement 1 of 2", "migrate", "shop", "0001")
		s.wants(0, " [X] 0002_more\n", "", "showmigrations")
	})
}

// TestMigrateSQLiteRebuild: a table is rebuilt, as SQLite's documentation
// tells, while others point to it, and loses nothing.
func TestMigrateSQLiteRebuild(t *testing.T) {
	s := sqliteShop(t, `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_a (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE shop_b (id INTEGER PRIMARY KEY, a_id INTEGER NOT NULL REFERENCES shop_a (id) ON DELETE CASCADE);
INSERT INTO shop_a VALUES (1, 'x');
INSERT INTO shop_b VALUES (1, 1);
-- apps/shop/migrations/0002_rebuild.sql --
-- +goose Up
CREATE TABLE shop_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO shop_new SELECT * FROM shop_a;
DROP TABLE shop_a;
ALTER TABLE shop_new RENAME TO shop_a;
-- apps/shop/migrations/0003_orphan.sql --
-- +goose Up
DELETE FROM shop_a;
`)
	s.must("migrate", "shop", "0002")
	if n := s.scalar("SELECT count(*) FROM shop_b"); n != "1" {
		t.Errorf("rebuilding the parent left %s rows of the child", n)
	}
	if sqlText := s.scalar("SELECT sql FROM sqlite_master WHERE name = 'shop_b'"); !strings.Contains(sqlText, "REFERENCES shop_a") {
		t.Errorf("the child is %s", sqlText)
	}
	s.wants(1, "Applying shop.0003_orphan...\n", "CommandError: Migration shop.0003_orphan would leave 1 rows in shop_b whose foreign keys to shop_a lead nowhere.\nNothing of this migration was kept.\n", "migrate")
	if n := s.scalar("SELECT count(*) FROM shop_a"); n != "1" {
		t.Errorf("the refused migration left %s rows", n)
	}
}

// TestMigrateDataAlone: a migration of data alone is one transaction on MySQL
// too, and so is what follows the last DDL.
func TestMigrateDataAlone(t *testing.T) {
	onShops(t, `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_a (id INTEGER PRIMARY KEY);
-- apps/shop/migrations/0002_data.sql --
-- +goose Up
INSERT INTO shop_a (id) VALUES (1);
INSERT INTO shop_a (id) VALUES (2);
INSERT INTO shop_a (id) VALUES (1);
-- apps/shop/migrations/0003_both.sql --
-- +goose Up
INSERT INTO shop_a (id) VALUES (3);
CREATE TABLE shop_b (id INTEGER PRIMARY KEY);
INSERT INTO shop_a (id) VALUES (4);
INSERT INTO shop_a (id) VALUES (1);
`, func(t *testing.T, s *shop) {
		s.wants(1, "Applying shop.0002_data...", "failed at statement 3 of 3 (apps/shop/migrations/0002_data.sql:4)", "migrate")
		if n := s.scalar("SELECT count(*) FROM shop_a"); n != "0" {
			t.Errorf("the failed migration left %s rows", n)
		}
		s.wants(0, " [ ] 0002_data\n", "", "showmigrations")
		replaceIn(t, filepath.Join(s.dir, "apps/shop/migrations/0002_data.sql"), "VALUES (1);\n", "VALUES (1) -- once\n;\n")
		replaceIn(t, filepath.Join(s.dir, "apps/shop/migrations/0002_data.sql"), "INSERT INTO shop_a (id) VALUES (2);\nINSERT INTO shop_a (id) VALUES (1) -- once\n;", "")
		s.wants(1, "Applying shop.0003_both...", "failed at statement 4 of 4", "migrate")
		want := map[string]string{"mysql": "2"}[s.b.Dialect] // rows 1 and 3: row 4 went with the transaction behind CREATE
		if want == "" {
			want = "1"
		}
		if n := s.scalar("SELECT count(*) FROM shop_a"); n != want {
			t.Errorf("there are %s rows, want %s", n, want)
		}
		if s.b.Dialect == "mysql" {
			s.wants(0, " [-] 0003_both (unfinished: applying it stopped after 2 of 4 steps)\n", "", "showmigrations")
		}
	})
}

// TestMigrateCutOffBehindDDL: a run was killed when a statement of MySQL's had
// taken effect and the mark did not say so yet.
func TestMigrateCutOffBehindDDL(t *testing.T) {
	onShops(t, failing, func(t *testing.T, s *shop) {
		if s.b.Dialect != "mysql" {
			t.Skip("only MySQL commits a statement apart from the mark")
		}
		s.run("migrate") // stops at statement 3; the mark says 1, settled
		mark := s.scalar("SELECT unfinished FROM manage_migrations WHERE version = 2")
		if !strings.HasPrefix(mark, "up 1/4 ") || !strings.HasSuffix(mark, " settled") {
			t.Fatalf("the mark is %q", mark)
		}
		s.exec("DROP TABLE manage_migrations")
		s.must("migrate", "--fake", "shop", "0001")
		s.exec("INSERT INTO manage_migrations (app, version, name, unfinished) VALUES ('shop', 2, '0002_more', 'up 0/4 cbf29ce484222325')")
		got := s.run("migrate") // statement 1 is there already, statement 3 fails still
		if !strings.Contains(got.Stderr, "Migration shop.0002_more: statement 1 had taken effect when the last run was cut off (Error 1050") || !strings.Contains(got.Stderr, "failed at statement 3 of 4") {
			t.Errorf("stderr is\n%s", got.Stderr)
		}
		s.wants(0, "[-] 0002_more (unfinished: applying it stopped after 1 of 4 steps)\n", "", "showmigrations")

		// Cut off at a statement that fails for another reason: the doubt stays.
		s.exec("UPDATE manage_migrations SET unfinished = CONCAT(SUBSTRING_INDEX(unfinished, ' ', 1), ' 1/4 ', '" + strings.Fields(mark)[2] + "') WHERE version = 2")
		s.exec("DROP TABLE shop_b")
		got = s.run("migrate")
		if !strings.Contains(got.Stderr, "The last run was cut off at statement 2, which may have taken effect. Or do the rest by hand and record it: manage migrate --fake shop 0002_more.") {
			t.Errorf("stderr is\n%s", got.Stderr)
		}
		s.must("migrate", "--fake", "shop", "0002_more")
		s.wants(0, " [X] 0002_more\n", "", "showmigrations")
	})
}

// TestMigrateStopped: a signal in the middle of a migration rolls it back.
func TestMigrateStopped(t *testing.T) {
	onShops(t, slow, func(t *testing.T, s *shop) {
		wait := slowStatement(s.b.Dialect, 20)
		file := filepath.Join(s.dir, "apps/shop/migrations/0001_initial.sql")
		replaceIn(t, file, "SLOW", wait)
		cfg := shopConfig(s.b.URL)
		var stdout, stderr bytes.Buffer
		cfg.Stdout, cfg.Stderr = &stdout, &stderr
		ctx, cancel := context.WithCancelCause(context.Background())
		eng := engine.New(cfg)
		defer eng.Close()
		done := make(chan int)
		go func() { done <- eng.Run(ctx, []string{"manage", "--project", s.dir, "migrate"}) }()
		s.busy()
		cancel(&engine.Interrupt{Name: "SIGINT", Code: 130})
		if code := <-done; code != 130 {
			t.Errorf("exit %d\n%s%s", code, stdout.String(), stderr.String())
		}
		replaceIn(t, file, wait, "SELECT 1;")
		if s.b.Dialect == "mysql" {
			s.wants(0, " [-] 0001_initial (unfinished: applying it stopped after 3 of 5 steps)\n", "", "showmigrations")
		} else if got := s.names(); got != "" {
			t.Errorf("the stopped migration left %s", got)
		}
	})
}

// TestMigrateLostConnection: the lock went with the connection, so the run
// cannot go on.
func TestMigrateLostConnection(t *testing.T) {
	onShops(t, slow, func(t *testing.T, s *shop) {
		kill := map[string]string{
			"postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'",
			"mysql":      "KILL CONNECTION %d",
		}[s.b.Dialect]
		if kill == "" {
			t.Skip("SQLite has no connection to lose")
		}
		wait := slowStatement(s.b.Dialect, 20)
		file := filepath.Join(s.dir, "apps/shop/migrations/0001_initial.sql")
		replaceIn(t, file, "SLOW", wait)
		done := make(chan enginetest.Result)
		go func() { done <- s.run("migrate") }()
		s.busy()
		if s.b.Dialect == "mysql" {
			kill = "KILL CONNECTION " + s.scalar("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'DO SLEEP%'")
		}
		s.exec(kill)
		select {
		case got := <-done:
			if got.Code != 1 || got.Stderr == "" {
				t.Errorf("exit %d, stderr %q", got.Code, got.Stderr)
			}
		case <-time.After(15 * time.Second):
			t.Fatal("the run goes on without its lock")
		}
		replaceIn(t, file, wait, "SELECT 1;")
		s.must("migrate")
		s.wants(0, " [X] 0001_initial\n", "", "showmigrations")
	})
}

func replaceIn(t *testing.T, file, old, new string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(data, []byte(old), []byte(new)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestMigrateHostPool: a program's own *sql.DB, of any size.
func TestMigrateHostPool(t *testing.T) {
	onShops(t, more, func(t *testing.T, s *shop) {
		demo(t, s.dir)
		s.b.Pool.SetMaxOpenConns(1)
		defer s.b.Pool.SetMaxOpenConns(0)
		d := db.New(db.Config{Pools: map[string]db.Pool{"default": {DB: s.b.Pool}}})
		cfg := shopConfig("sqlite:///:memory:")
		cfg.Modules = append([]engine.Module{migrate.New(d), d}, cfg.Modules[2:]...)
		got := enginetest.Run(t, cfg, "--project", s.dir, "migrate")
		if got.Code != 0 || !strings.Contains(got.Stdout, "Applying orders.0003_fill... OK") {
			t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
		}
		if len(s.tables()) != 4 {
			t.Errorf("tables are %s", s.names())
		}
	})
}

// applyModule calls Apply on a database that no setting names.
type applyModule struct {
	*migrate.Module
	call func(inv *engine.Invocation) error
}

func (m applyModule) Apps() []engine.App {
	return []engine.App{{Label: "manage", Commands: []engine.Command{{Name: "apply", Handle: func(_ context.Context, inv *engine.Invocation) (any, error) {
		return nil, inv.Within(engine.Sub{}, m.call)
	}}}}}
}

// TestMigrateApply: another database than the configured one, in memory too.
func TestMigrateApply(t *testing.T) {
	onShops(t, more+scripts, func(t *testing.T, s *shop) {
		demo(t, s.dir)
		if err := os.Remove(filepath.Join(s.dir, "apps/shop/migrations/0003_fail.star")); err != nil {
			t.Fatal(err)
		}
		d := db.New(db.Config{})
		m := migrate.New(d)
		url := s.b.URL
		if s.b.Dialect == "sqlite" {
			url = "sqlite:///:memory:"
		}
		target, err := sqldb.ParseURL(url, "")
		if err != nil {
			t.Fatal(err)
		}
		scratch := sqldb.NewDatabase(sqldb.Config{Alias: "default", Target: target})
		defer scratch.Close()
		cfg := shopConfig("sqlite:////nowhere/at/all.sqlite3")
		cfg.Modules = append([]engine.Module{applyModule{m, func(run *engine.Invocation) error {
			for range 2 { // the second finds nothing to do
				if err := m.Apply(run, scratch); err != nil {
					return err
				}
			}
			tables, err := scratch.Runner().Tables(run.Context())
			if got := strings.Join(tables, " "); got != "accounts_authtoken accounts_user manage_migrations orders_dailystat orders_order shop_item" {
				t.Errorf("tables are %s", got)
			}
			return err
		}}, d}, cfg.Modules[2:]...)
		if got := enginetest.Run(t, cfg, "--project", s.dir, "apply"); got.Code != 0 {
			t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
		}
	})
}

// TestMigrateApplyAtOnce: scratch databases do not wait for each other, and
// runs share nothing that changes.
func TestMigrateApplyAtOnce(t *testing.T) {
	s := sqliteShop(t, more)
	demo(t, s.dir)
	d := db.New(db.Config{})
	m := migrate.New(d)
	target, err := sqldb.ParseURL("sqlite:///:memory:", "")
	if err != nil {
		t.Fatal(err)
	}
	cfg := shopConfig(s.b.URL)
	cfg.Modules = append([]engine.Module{applyModule{m, func(run *engine.Invocation) error {
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				scratch := sqldb.NewDatabase(sqldb.Config{Alias: "default", Target: target})
				defer scratch.Close()
				errs[i] = run.Within(engine.Sub{}, func(worker *engine.Invocation) error { return m.Apply(worker, scratch) })
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	}}, d}, cfg.Modules[2:]...)
	if got := enginetest.Run(t, cfg, "--project", s.dir, "apply"); got.Code != 0 {
		t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	if got := s.names(); got != "" {
		t.Errorf("the configured database got %s", got)
	}
}

// TestMigrateApplyFails: the error names the migration.
func TestMigrateApplyFails(t *testing.T) {
	s := sqliteShop(t, failing)
	d := db.New(db.Config{})
	m := migrate.New(d)
	target, err := sqldb.ParseURL("sqlite:///:memory:", "")
	if err != nil {
		t.Fatal(err)
	}
	cfg := shopConfig(s.b.URL)
	cfg.Modules = append([]engine.Module{applyModule{m, func(run *engine.Invocation) error {
		scratch := sqldb.NewDatabase(sqldb.Config{Alias: "default", Target: target})
		defer scratch.Close()
		return m.Apply(run, scratch)
	}}, d}, cfg.Modules[2:]...)
	got := enginetest.Run(t, cfg, "--project", s.dir, "apply")
	if got.Code != 1 || got.Stdout != "" || !strings.Contains(got.Stderr, "shop.0002_more failed at statement 3 of 4") {
		t.Errorf("exit %d, stdout %q, stderr %q", got.Code, got.Stdout, got.Stderr)
	}
}

// TestMigrateWaits: whoever finds the lock taken says so, and waits no longer
// than the run may.
func TestMigrateWaits(t *testing.T) {
	onShops(t, three, func(t *testing.T, s *shop) {
		ctx := context.Background()
		conn, err := s.b.Pool.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		release := func() {}
		switch s.b.Dialect {
		case "postgresql":
			_, err = conn.ExecContext(ctx, "SELECT pg_advisory_lock(8319381555749416545)")
		case "mysql":
			_, err = conn.ExecContext(ctx, "DO GET_LOCK(CONCAT('manage_migrate_', LEFT(SHA2(DATABASE(), 256), 40)), 0)")
		default:
			path, _, _ := strings.Cut(strings.TrimPrefix(s.b.URL, "sqlite:///"), "?")
			held := flock.New(path + "-migrate")
			_, err = held.TryLock()
			release = func() { _ = held.Unlock() }
		}
		if err != nil {
			t.Fatal(err)
		}
		got := s.run("migrate", "--timeout", "500ms")
		if got.Code != 124 || got.Stdout != "" || !strings.HasPrefix(got.Stderr, "Waiting for another migrate to finish.\n") {
			t.Errorf("exit %d, stdout %q, stderr %q", got.Code, got.Stdout, got.Stderr)
		}
		s.wants(0, " [ ] 0001_initial\n", "", "showmigrations") // looking waits for nobody
		switch s.b.Dialect {
		case "postgresql":
			_, err = conn.ExecContext(ctx, "SELECT pg_advisory_unlock(8319381555749416545)")
		case "mysql":
			_, err = conn.ExecContext(ctx, "DO RELEASE_ALL_LOCKS()")
		}
		release()
		if err != nil {
			t.Fatal(err)
		}
		s.wants(0, "Applying shop.0003_last... OK\n", "", "migrate")
	})
}

func TestMigrateInsideTransaction(t *testing.T) {
	s := sqliteShop(t, three+`
-- apps/plain/management/commands/whole.star --
atomic = True

def handle():
    call_command("migrate")
-- apps/plain/management/commands/first.star --
def handle():
    call_command("migrate", verbosity = 0)
    stdout.write("%d rows" % db.table("shop_a").count())
`)
	s.wants(1, "", "CommandError: migrate cannot run inside a transaction: each migration has one of its own\n", "whole")
	s.wants(0, "0 rows\n", "", "first")
	s.wants(0, "  Apply all migrations: shop\nRunning migrations:\n  No migrations to apply.\n", "", "whole")
}

// TestMigrateOtherDatabase: db means the database that is migrated, by either
// name.
func TestMigrateOtherDatabase(t *testing.T) {
	s := sqliteShop(t, `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_a (id INTEGER PRIMARY KEY);
-- apps/shop/migrations/0002_fill.star --
_default = db

def up(db):
    db.table("shop_a").create(id = 1)
    _default.table("shop_a").create(id = 2)
    defer(lambda: print("deferred on", db.connection.alias, _default.table("shop_a").count()))
`)
	other := sqliteBackend(t)
	writeFiles(t, s.dir, "-- settings.star --\nDATABASES = {\"default\": env(\"DATABASE_URL\"), \"other\": \""+other.URL+"\"}\n")
	s.wants(0, "  Applying shop.0002_fill...deferred on other 2\n OK\n", "", "migrate", "--database", "other")
	if got := s.names(); got != "" {
		t.Errorf("the default database got %s", got)
	}
	s.wants(0, " [ ] 0002_fill\n", "", "showmigrations")
	s.wants(0, " [X] 0002_fill\n", "", "showmigrations", "--database", "other")
}
