package integration

// manage test on real databases: what tests see, what they leave behind, and
// that the database of the settings is not touched.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	"github.com/starmanage/starmanage/builtins/unittest"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// testing project: a table, commands that write to it, and tests.
const testingProject = `
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_item (id integer PRIMARY KEY, name varchar(50) NOT NULL UNIQUE, n integer NOT NULL DEFAULT 0);
-- +goose Down
DROP TABLE shop_item;
-- apps/shop/migrations/0002_first.star --
def up(db):
    db.table("shop_item").create(id = 1, name = "first")

def down(db):
    db.table("shop_item").delete()
-- apps/shop/management/commands/add.star --
def add_arguments(parser):
    parser.add_argument("name")
    parser.add_argument("--fail", action = "store_true")

def handle(name, fail):
    items = db.table("shop_item")
    items.create(id = items.count() + 1, name = name)
    db.on_commit(lambda: db.table("shop_item").filter(name = name).update(n = 1))
    if fail:
        CommandError("told to fail")
    return items.count()
-- apps/shop/management/commands/add_atomic.star --
atomic = True

def add_arguments(parser):
    parser.add_argument("name")
    parser.add_argument("--fail", action = "store_true")

def handle(name, fail):
    call_command("add", name, fail = fail)
`

// testingConfig is a Config for a folder with testingProject and a file of
// tests, whose settings name url.
func testingConfig(t *testing.T, url, tests string) engine.Config {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, testingProject+"-- settings.star --\nDATABASES = {\"default\": env(\"DATABASE_URL\"), \"other\": env(\"DATABASE_URL\")}\n-- apps/shop/tests/test_shop.star --\n"+tests)
	d := db.New(db.Config{})
	m := migrate.New(d)
	t.Chdir(dir)
	return engine.Config{
		Modules: []engine.Module{m, d, output.New(), command.New(), lang.Module{}, datetime.Module{}, decimal.Module{},
			unittest.New(unittest.Config{DB: d, Migrate: m.Apply})},
		Getenv: func(name string) (string, bool) {
			if name == "DATABASE_URL" {
				return url, true
			}
			return "", false
		},
		Now: func() time.Time { return time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC) },
	}
}

// testIsolated is a suite in which each test would see what the one before it
// left behind.
const testIsolated = `
def setup(t):
    t.eq([i.name for i in items()], ["first"])
    t.eq(timezone.now().year, 2026)

def items():
    return db.table("shop_item").order_by("id")

def test_01_writes(t):
    items().create(id = 2, name = "two")
    t.eq(items().count(), 2)

def test_02_updates(t):
    items().update(name = "changed")

def test_03_fails(t):
    items().delete()
    t.eq(1, 2)

def test_04_bug(t):
    items().delete()
    [][1]

def test_05_skips(t):
    items().delete()
    t.skip("why not")

def test_06_clock(t):
    items().delete()
    t.now(datetime(2020, 1, 1))

def test_07_fails_inside_atomic(t):
    def body():
        items().create(id = 2, name = "two")
        t.eq(1, 2)
    db.atomic(body)

def test_08_error_inside_atomic(t):
    def body():
        items().create(id = 2, name = "two")
        items().create(id = 3, name = "two")
    db.atomic(body)

def test_09_broken_transaction(t):
    items().create(id = 2, name = "two")
    def body():
        catch(lambda: items().create(id = 3, name = "two"))
        items().create(id = 4, name = "four")
    t.fails(lambda: db.atomic(body), "an earlier statement of this transaction failed")
    t.eq(items().count(), 2)

def test_10_command_fails(t):
    call_command("add", "two", fail = True)

def test_11_command_fails_atomic(t):
    t.fails(lambda: call_command("add_atomic", "two", fail = True), "told to fail")
    t.eq(items().count(), 1)
    t.fails(lambda: call_command("add", "two", fail = True), "told to fail")
    t.eq(items().count(), 2)

def test_12_hangs_in_atomic(t):
    def body():
        items().create(id = 2, name = "two")
        while True:
            pass
    db.atomic(body)

def test_13_hangs_in_the_database(t):
    items().create(id = 2, name = "two")
    if db.connection.vendor == "postgresql":
        db.query("SELECT pg_sleep(20)")
    elif db.connection.vendor == "mysql":
        db.query("SELECT SLEEP(20)")
    else:
        db.execute("INSERT INTO shop_item (id, name) WITH RECURSIVE c(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM c) SELECT x, 'n' || x FROM c WHERE x < 0")

def test_14_exits(t):
    items().delete()
    exit(3)

def test_15_deferred(t):
    items().delete()
    defer(lambda: items().create(id = 5, name = "five"))

def test_16_lock(t):
    t.fails(lambda: items().select_for_update().get(pk = 1), "select_for_update")
    t.eq(db.atomic(lambda: items().select_for_update().get(pk = 1).name), "first")

def test_17_statements_fail_alone(t):
    items().create(id = 2, name = "two")
    t.fails(lambda: items().create(id = 3, name = "two"), "^IntegrityError: ")
    t.fails(lambda: db.query("SELECT nothing FROM shop_item"), "^DatabaseError: ")
    items().create(id = 3, name = "three")
    t.eq([i.name for i in items()], ["first", "two", "three"])

def test_18_atomic(t):
    t.eq(db.atomic(lambda: items().create(id = 2, name = "two").name, durable = True, isolation = "serializable"), "two")
    t.fails(lambda: db.atomic(lambda: db.atomic(lambda: 1, durable = True)), "durable")
    row, created = items().get_or_create(id = 2, defaults = dict(name = "other"))
    t.eq((row.name, created), ("two", False))
    row, created = items().update_or_create(id = 3, defaults = dict(name = "three"))
    t.eq((row.name, created), ("three", True))

def test_19_streams(t):
    items().bulk_create([dict(id = i, name = "n%d" % i) for i in range(2, 300)])
    t.eq(sum([i.n + 1 for i in items().iterator(chunk_size = 40)]), 299)
    for i in items().iterator(chunk_size = 40):
        i.n = i.id
        i.save()
    t.eq(items().aggregate(s = Sum("n"))["s"], sum(range(300)))
    t.eq(len([1 for _ in db.iterate("SELECT id FROM shop_item")]), 299)

def test_20_other_alias_is_the_same_database(t):
    db.using("other").table("shop_item").create(id = 2, name = "two")
    t.eq(items().count(), 2)
    t.eq(db.connection.alias, "default")
    t.fails(lambda: db.using("nope").table("x"), "no database")

def test_21_on_commit(t):
    call_command("add_atomic", "two")
    t.eq(items().get(name = "two").n, 0)
    t.eq(t.on_commit(), 1)
    t.eq(items().get(name = "two").n, 1)
    t.eq(t.on_commit(), 0)
    t.fails(lambda: call_command("add_atomic", "three", fail = True))
    t.eq(t.on_commit(), 0)
    order = []
    db.on_commit(lambda: order.append(1) or db.on_commit(lambda: order.append(3)))
    db.atomic(lambda: db.on_commit(lambda: order.append(2)))
    t.eq(t.on_commit(), 3)
    t.eq(order, [1, 2, 3])

def test_22_queries(t):
    t.queries(0)
    items().count()
    list(items())
    t.queries(2)
    t.queries(1, lambda: items().get(pk = 1))
    t.queries(0, lambda: db.atomic(lambda: None))
    items().count()
    t.fails(lambda: t.queries(2), "1 query was made, want 2\n  1. SELECT COUNT")
    t.queries(0)

def test_23_migrations_are_known(t):
    out = StringIO()
    call_command("showmigrations", stdout = out)
    t.contains(out.getvalue(), "[X] 0002_first")
    out = StringIO()
    call_command("migrate", stdout = out)
    t.contains(out.getvalue(), "No migrations to apply.")
    t.fails(lambda: call_command("migrate", "shop", "zero"), "transaction")
`

// testIsolatedWant is what each of its tests ends with.
const testIsolatedWant = `shop.test_shop.test_01_writes ... ok
shop.test_shop.test_02_updates ... ok
shop.test_shop.test_03_fails ... FAIL
shop.test_shop.test_04_bug ... ERROR
shop.test_shop.test_05_skips ... skipped 'why not'
shop.test_shop.test_06_clock ... ok
shop.test_shop.test_07_fails_inside_atomic ... FAIL
shop.test_shop.test_08_error_inside_atomic ... ERROR
shop.test_shop.test_09_broken_transaction ... ok
shop.test_shop.test_10_command_fails ... ERROR
shop.test_shop.test_11_command_fails_atomic ... ok
shop.test_shop.test_12_hangs_in_atomic ... ERROR
shop.test_shop.test_13_hangs_in_the_database ... ERROR
shop.test_shop.test_14_exits ... ERROR
shop.test_shop.test_15_deferred ... ok
shop.test_shop.test_16_lock ... ok
shop.test_shop.test_17_statements_fail_alone ... ok
shop.test_shop.test_18_atomic ... ok
shop.test_shop.test_19_streams ... ok
shop.test_shop.test_20_other_alias_is_the_same_database ... ok
shop.test_shop.test_21_on_commit ... ok
shop.test_shop.test_22_queries ... ok
shop.test_shop.test_23_migrations_are_known ... ok
`

func TestUnittestIsolation(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			before := fingerprint(t, b)
			cfg := testingConfig(t, b.URL, testIsolated)
			got := enginetest.Run(t, cfg, "test", "-v2", "--timeout", "2s")
			head, rest, _ := strings.Cut(got.Stdout, "====")
			if head != testIsolatedWant || got.Code != 1 || got.Stderr != "" || !strings.HasSuffix(rest, "Ran 23 tests in 0.000s\n\nFAILED (failures=2, errors=6, skipped=1)\n") {
				t.Fatalf("exit code %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
			}
			for _, part := range []string{"Timeout: timeout of 2s reached", "IntegrityError: ", "CommandError: told to fail", "Exit: exit(3) ended the test"} {
				if !strings.Contains(rest, part) {
					t.Errorf("the report has no %q:\n%s", part, rest)
				}
			}
			// In any order, by several workers, the same.
			for _, words := range []string{"--parallel=2", "--parallel=3 --shuffle=8"} {
				other := enginetest.Run(t, testingConfig(t, b.URL, testIsolated), append([]string{"test", "-v2", "--timeout", "2s"}, strings.Fields(words)...)...)
				lines := func(s string) []string {
					found := regexp.MustCompile(`(?m)^(shop\S+ \.\.\. .*|Ran .*|FAILED .*)$`).FindAllString(s, -1)
					slices.Sort(found)
					return found
				}
				if !slices.Equal(lines(other.Stdout), lines(got.Stdout)) || other.Code != 1 {
					t.Errorf("%s: %+v", words, other)
				}
				if words == "--parallel=2" && other.Stdout != got.Stdout {
					t.Errorf("%s:\n%s\nwant\n%s", words, other.Stdout, got.Stdout)
				}
			}
			if after := fingerprint(t, b); after != before {
				t.Errorf("the database of the settings has changed:\n%s\n%s", before, after)
			}
			if names := testDatabases(t, b); len(names) > 0 {
				t.Errorf("databases are left: %q", names)
			}
		})
	}
}

// fingerprint tells whether a database has changed: SQLite's file, a server's
// tables and rows.
func fingerprint(t *testing.T, b dbtest.Backend) string {
	t.Helper()
	if b.Dialect == "sqlite" {
		dir := filepath.Dir(strings.TrimPrefix(strings.TrimSuffix(b.URL, "?mode=rwc"), "sqlite:///"))
		var out strings.Builder
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "%s %s %x\n", e.Name(), info.ModTime(), sha256.Sum256(data))
		}
		return out.String()
	}
	var n int
	if err := b.Pool.QueryRow("SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'shop%' OR table_name LIKE 'manage%'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(n)
}

// testDatabases lists the scratch databases of the backend on its server.
func testDatabases(t *testing.T, b dbtest.Backend) []string {
	t.Helper()
	query := map[string]string{
		"postgresql": "SELECT datname FROM pg_database WHERE datname LIKE 'test_%' || current_database() || '%'",
		"mysql":      "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE concat('test_%', database(), '%')",
	}[b.Dialect]
	if query == "" {
		return nil
	}
	rows, err := b.Pool.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

const testPasses = "def test_x(t):\n    t.eq(call_command('add', 'two'), 2)\n"

// TestUnittestNeverConnects: the tests pass though the database of the settings
// is not there at all.
func TestUnittestNeverConnects(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			missing := "sqlite:///no/such/folder/db.sqlite3"
			if b.Dialect != "sqlite" {
				missing = b.URL + "_missing"
			}
			cfg := testingConfig(t, missing, testPasses)
			if got := enginetest.Run(t, cfg, "test"); got.Code != 0 || !strings.HasSuffix(got.Stdout, "\nOK\n") || got.Stderr != "" {
				t.Errorf("got %+v", got)
			}
			if got := enginetest.Run(t, testingConfig(t, missing, testPasses), "add", "two"); got.Code == 0 {
				t.Errorf("the database is there: %+v", got)
			}
			if b.Dialect == "sqlite" {
				if _, err := os.Stat("no"); err == nil {
					t.Error("a folder was made")
				}
			}
		})
	}
}

// TestUnittestKeepDB: a kept database is taken again; one that is not ours
// never is.
func TestUnittestKeepDB(t *testing.T) {
	for name, b := range backends(t) {
		if name == "sqlite" {
			continue // in memory: nothing is kept
		}
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(b.URL)
			if err != nil {
				t.Fatal(err)
			}
			own := "test_" + strings.TrimPrefix(u.Path, "/")
			drop := func() {
				if _, err := b.Pool.Exec("DROP DATABASE IF EXISTS " + own); err != nil {
					t.Error(err)
				}
			}
			t.Cleanup(drop)
			run := func(tests string, words ...string) enginetest.Result {
				return enginetest.Run(t, testingConfig(t, b.URL, tests), append([]string{"test"}, words...)...)
			}
			pass := func(got enginetest.Result) {
				t.Helper()
				if got.Code != 0 {
					t.Fatalf("got %+v", got)
				}
			}
			tables := func() (n int) {
				driver := map[string]string{"postgresql": "pgx", "mysql": "mysql"}[b.Dialect]
				pool, err := sql.Open(driver, dsn(u, driver, own))
				if err != nil {
					t.Fatal(err)
				}
				defer pool.Close()
				if err := pool.QueryRow("SELECT count(*) FROM shop_kept").Scan(&n); err != nil {
					return -1
				}
				return n
			}
			mark := func(statement string) {
				driver := map[string]string{"postgresql": "pgx", "mysql": "mysql"}[b.Dialect]
				pool, err := sql.Open(driver, dsn(u, driver, own))
				if err != nil {
					t.Fatal(err)
				}
				defer pool.Close()
				if _, err := pool.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			pass(run(testPasses, "--keepdb"))
			mark("CREATE TABLE shop_kept (id integer)")
			pass(run(testPasses, "--keepdb"))
			if tables() < 0 {
				t.Error("--keepdb made a new database")
			}
			pass(run(testPasses))
			if names := testDatabases(t, b); len(names) > 0 {
				t.Errorf("databases are left: %q", names)
			}

			// A database of that name which no run of tests has made.
			if _, err := b.Pool.Exec("CREATE DATABASE " + own); err != nil {
				t.Fatal(err)
			}
			pass(run(testPasses)) // empty: nothing is lost
			if _, err := b.Pool.Exec("CREATE DATABASE " + own); err != nil {
				t.Fatal(err)
			}
			mark("CREATE TABLE shop_kept (id integer)")
			for _, words := range [][]string{nil, {"--keepdb"}, {"--parallel=2"}} {
				got := run(testPasses, words...)
				if got.Code != 1 || !strings.HasPrefix(got.Stderr, "CommandError: the database "+own+" on ") ||
					!strings.HasSuffix(got.Stderr, " exists, and manage test has not made it\nRename or drop it.\n") || !strings.Contains(got.Stdout, "STOPPED") {
					t.Errorf("%q: %+v", words, got)
				}
			}
			if tables() < 0 {
				t.Error("the database of somebody else is gone")
			}
			drop()

			// Two runs at once do not share one: the second is refused.
			cfg := testingConfig(t, b.URL, "def test_x(t):\n    db.table('shop_item').count()\n    call_command('second')\n")
			var second enginetest.Result
			cfg.Apps = []engine.App{{Label: "host", Commands: []engine.Command{{Name: "second", Handle: func(context.Context, *engine.Invocation) (any, error) {
				second = enginetest.Run(t, testingConfig(t, b.URL, testPasses), "test")
				return nil, nil
			}}}}}
			pass(enginetest.Run(t, cfg, "test"))
			if second.Code != 1 || !strings.Contains(second.Stderr, "is in use: another manage test is running") {
				t.Errorf("a second run: %+v", second)
			}
		})
	}
}

// TestUnittestBrokenMigration: no test can run, and the error says why.
func TestUnittestBrokenMigration(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			cfg := testingConfig(t, b.URL, testPasses+"\ndef test_y(t):\n    db.table('shop_item').count()\n")
			if err := os.WriteFile("apps/shop/migrations/0003_bad.sql", []byte("-- +goose Up\nCREATE NOTHING;\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			got := enginetest.Run(t, cfg, "test")
			if got.Code != 1 || !strings.Contains(got.Stderr, "shop.0003_bad") || !strings.Contains(got.Stdout, "Ran 0 tests") {
				t.Errorf("got %+v", got)
			}
			if names := testDatabases(t, b); len(names) > 0 {
				t.Errorf("databases are left: %q", names)
			}
		})
	}
}

// TestUnittestTimeoutWhileMaking: a test is not to blame for the time that its
// database took to be made.
func TestUnittestTimeoutWhileMaking(t *testing.T) {
	cfg := testingConfig(t, "sqlite:///db.sqlite3", testPasses)
	slow := "def up(db):\n    for _ in range(5000000):\n        pass\n"
	if err := os.WriteFile("apps/shop/migrations/0003_slow.star", []byte(slow), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := enginetest.Run(t, cfg, "test", "--timeout", "100ms"); got.Code != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestUnittestSchemaChanges: what a test does to tables is undone, or the next
// gets a new database.
func TestUnittestSchemaChanges(t *testing.T) {
	const source = `
def setup(t):
    t.eq([i.name for i in db.table("shop_item")], ["first"])
    t.fails(lambda: db.table("shop_new"), "shop_new")

def test_1_create(t):
    db.execute("CREATE TABLE shop_new (id integer)")
    db.table("shop_new").create(id = 1)
    db.table("shop_item").delete()

def test_2_drop(t):
    db.execute("DROP TABLE shop_item")

def test_3_after(t):
    pass
`
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			got := enginetest.Run(t, testingConfig(t, b.URL, source), "test")
			if name != "mysql" {
				if got.Code != 0 {
					t.Errorf("got %+v", got)
				}
				return
			}
			if !strings.HasPrefix(got.Stdout, "EE.\n") || strings.Count(got.Stdout, "MySQL and MariaDB commit on CREATE") != 2 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestUnittestParallelFirstUse: workers make their databases at once, which
// the race detector watches.
func TestUnittestParallelFirstUse(t *testing.T) {
	var source strings.Builder
	for i := range 16 {
		fmt.Fprintf(&source, "\ndef test_%d(t):\n    t.eq(db.table('shop_item').count(), 1)\n", i)
	}
	got := enginetest.Run(t, testingConfig(t, "sqlite:///db.sqlite3", source.String()), "test", "--parallel", "16")
	if got.Code != 0 || !strings.Contains(got.Stdout, "Ran 16 tests") {
		t.Errorf("got %+v", got)
	}
}

// TestUnittestFast measures 500 small tests with rows.
func TestUnittestFast(t *testing.T) {
	var source bytes.Buffer
	source.WriteString("def setup(t):\n    db.table('shop_item').create(id = 2, name = 'two')\n")
	for i := range 500 {
		fmt.Fprintf(&source, "\ndef test_%d(t):\n    call_command('add', 'three')\n    t.eq(db.table('shop_item').count(), 3)\n", i)
	}
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			cfg := testingConfig(t, b.URL, source.String())
			started := time.Now()
			got := enginetest.Run(t, cfg, "test")
			if got.Code != 0 || !strings.Contains(got.Stdout, "Ran 500 tests") {
				t.Fatalf("got %+v", got)
			}
			t.Logf("500 tests took %s", time.Since(started).Round(time.Millisecond))
		})
	}
}
