package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/builtins/db/dbtest"
)

// on runs a script on a scratch database of each kind that is named and there,
// and compares what it returns.
func on(t *testing.T, vendors, body, want string, setup ...string) {
	t.Helper()
	for name, b := range backends(t) {
		if !slices.Contains(strings.Fields(vendors), name) {
			continue
		}
		t.Run(name, func(t *testing.T) { returns(t, b, body, want, setup...) })
	}
}

func returns(t *testing.T, b dbtest.Backend, body, want string, setup ...string) {
	t.Helper()
	statements(t, b, setup...)
	got, err := start(t, oneDatabase(b.URL), body)(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(got); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestBulkUpdateByBinaryKey(t *testing.T) {
	for _, key := range []string{"BINARY(4)", "VARBINARY(8)"} {
		t.Run(key, func(t *testing.T) {
			on(t, "mysql", `
def handle():
    t = db.table("bin")
    t.bulk_create([{"k": b"\xff\xfe\x00\x01", "n": 1}, {"k": b"\x80\x00\x00\x02", "n": 2}])
    rows = list(t.order_by("n"))
    for row in rows:
        row.n += 10
    return [t.bulk_update(rows, ["n"]), list(t.order_by("n").values_list("n", flat = True))]
`, "[2 [11 12]]", "CREATE TABLE bin (k "+key+" PRIMARY KEY, n int)")
		})
	}
}

// TestBulkUpdateByTextKey: keys compare as the column does.
func TestBulkUpdateByTextKey(t *testing.T) {
	body := `
def handle():
    t = db.table("txt")
    t.bulk_create([{"k": "ab", "n": 1}, {"k": "ABCDEFGH", "n": 2}])
    rows = list(t.order_by("n"))
    for row in rows:
        row.n += 10
    return [t.bulk_update(rows, ["n"]), list(t.order_by("n").values_list("n", flat = True))]
`
	for _, key := range []string{"char(8)", "varchar(8)", "character varying(8)"} {
		t.Run(key, func(t *testing.T) {
			on(t, "sqlite postgresql mysql", body, "[2 [11 12]]", "CREATE TABLE txt (k "+key+" PRIMARY KEY, n int)")
		})
	}
	for _, key := range []string{"bpchar", "text", "name", `txt_8`, `"Txt 8"`} {
		t.Run(key, func(t *testing.T) {
			on(t, "postgresql", body, "[2 [11 12]]", "CREATE DOMAIN txt_8 AS varchar(8)", `CREATE DOMAIN "Txt 8" AS char(8)`, "CREATE TABLE txt (k "+key+" PRIMARY KEY, n int)")
		})
	}
	for _, key := range []string{"varchar(8) COLLATE utf8mb4_bin", "varchar(8) CHARACTER SET latin1", "varchar(8) CHARACTER SET ascii COLLATE ascii_bin"} {
		t.Run(key, func(t *testing.T) {
			on(t, "mysql", body, "[2 [11 12]]", "CREATE TABLE txt (k "+key+" PRIMARY KEY, n int)")
		})
	}
}

func TestExecuteNothing(t *testing.T) {
	on(t, "sqlite postgresql mysql", `
def handle():
    errors = []
    for text in ["", " ; ", "-- nothing", "/* a */ ;"]:
        for fn in [db.execute, db.query]:
            _, err = catch(lambda: fn(text), ValueError)
            errors.append("the statement is empty" in err.message)
    return all(errors)
`, "true")
}

func TestSQLiteCountsOwnRows(t *testing.T) {
	on(t, "sqlite", `
def handle():
    return [
        db.execute("INSERT INTO t (n) VALUES (1), (2), (3)"), db.execute("CREATE INDEX i ON t (n)"), db.execute("PRAGMA user_version = 3"),
        db.execute("WITH c AS (SELECT 2 AS n) DELETE FROM t WHERE n IN (SELECT n FROM c)"), db.execute("SELECT 1"), db.execute("DROP INDEX i"),
        db.execute("UPDATE t SET n = 5"),
    ]
`, "[3 0 0 1 0 0 2]", "CREATE TABLE t (n int)")
}

func TestSQLiteHasNoSchemas(t *testing.T) {
	on(t, "sqlite", `
def handle():
    _, err = catch(lambda: db.table("public.author"), DatabaseError)
    return [err.message, db.table("main.author").count()]
`, `[no table "public.author" in database "default": choices are author 0]`, "CREATE TABLE author (id integer PRIMARY KEY)")
}

// TestMySQLCommitsBehindTheBlock: what ends a transaction by itself is refused
// inside one, and what would change a connection of the pool everywhere.
func TestMySQLCommitsBehindTheBlock(t *testing.T) {
	on(t, "mysql", `
def _block(text):
    def fn():
        db.table("t").create(n = 1)
        db.execute(text)
    return catch(lambda: db.atomic(fn), ValueError)[1].message

def _nested(text):
    return catch(lambda: db.atomic(lambda: db.atomic(lambda: db.execute(text))), ValueError)[1].message

def handle():
    for text in ["CREATE TABLE u (n int)", "/*!50100 CREATE TABLE u (n int) */", "DROP TABLE t", "TRUNCATE TABLE t", "FLUSH TABLES", "CREATE TEMPORARY SEQUENCE s"]:
        for fn in [_block, _nested]:
            message = fn(text)
            if "run it outside db.atomic" not in message or "commit on " not in message:
                fail(text, message)
    for text in ["XA START 'a'", "LOCK TABLES t WRITE", "SET autocommit = 0", "SET SESSION TRANSACTION READ ONLY"]:
        for fn in [_block, lambda text: catch(lambda: db.execute(text), ValueError)[1].message]:
            if "db.atomic" not in fn(text):
                fail(text)
    _, err = catch(lambda: db.execute("ANALYZE SELECT 1"), ValueError)
    if "use db.query" not in err.message or len(db.query("ANALYZE TABLE t")) != 1:
        fail(err)
    def fn():
        db.table("t").create(n = 2)
        db.execute("CREATE TEMPORARY TABLE v (n int)")
        db.execute("DROP TEMPORARY TABLE v")
        db.execute("SET @a = 1")
    db.atomic(fn)
    db.execute("CREATE TABLE u (n int)")
    return [list(db.table("t").values_list("n", flat = True)), db.table("u").count()]
`, "[[2] 0]", "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n int)")
}

// TestPostgresParameters: a value fits whatever type the server takes a
// parameter for.
func TestPostgresParameters(t *testing.T) {
	on(t, "postgresql", `
def _one(sql, *values):
    return db.query("SELECT " + sql + " AS a", *values)[0].a

def handle():
    return [
        _one("?", 5), _one("?", True), _one("?::text", 5), _one("coalesce(?, 'a')", 1), _one("? || 'x'", 2.5), _one("?::text", Decimal("1.50")),
        _one("?::int", 5), _one("? + 1", 5), _one("?::numeric", 5), _one("?::float8", 5), _one("?::bigint", 2 << 40), _one("?::bool", 1), _one("NOT ?", False),
        _one("?::float8", 1e300), _one("?::float8 = 'infinity'", float("inf")), _one("?::float8 = '-infinity'", float("-inf")), _one("?::float8 = 'nan'", float("nan")),
        _one("?::bytea", b"\xff\x00") == b"\xff\x00", _one("?::text", None), _one("?::timestamptz = '2026-01-31 10:00+00'", datetime(2026, 1, 31, 10)), _one("?::jsonb", 5), _one("?::jsonb", {"a": [1]}),
        db.execute("INSERT INTO t (name, n) VALUES (?, ?)", 5, 7), db.table("t").filter(name = "5", n = 7).count(),
    ]
`, `[5 true 5 1 2.5x 1.50 5 6 5 5 2199023255552 true true 1e+300 true true true true <nil> true 5 map[a:[1]] 1 1]`,
		"CREATE TABLE t (id serial PRIMARY KEY, name text, n int)")
}

func TestPostgresIntegerOutOfRange(t *testing.T) {
	on(t, "postgresql", `
def handle():
    t = db.table("t")
    errors = [catch(fn, DatabaseError)[1].message for fn in [
        lambda: t.create(n = 3000000000), lambda: t.create(s = 40000), lambda: t.bulk_create([{"n": 3000000000}]), lambda: db.execute("UPDATE t SET n = ?", 3000000000),
    ]]
    return [e.split("ERROR: ")[1].split(" (SQLSTATE")[0] for e in errors]
`, `[value "3000000000" is out of range for type integer value "40000" is out of range for type smallint integer out of range value "3000000000" is out of range for type integer]`,
		"CREATE TABLE t (id serial PRIMARY KEY, n int, s smallint)")
}

// TestPostgresPlansAfterDDL: statements that were prepared before a table
// changed go on, in a transaction too and after it was rolled back.
func TestPostgresPlansAfterDDL(t *testing.T) {
	on(t, "postgresql", `
def _names():
    return sorted(json.decode(json.encode(db.query("SELECT * FROM t")[0])).keys())

def handle():
    db.table("t").create(n = 1)
    got = [_names()]
    db.execute("ALTER TABLE t ADD COLUMN a int")
    got.append(_names())
    def add():
        db.execute("ALTER TABLE t ADD COLUMN b int")
        got.append(_names())
        def more():
            db.execute("ALTER TABLE t ADD COLUMN c int")
            got.append(_names())
            fail("back")
        catch(lambda: db.atomic(more))
        got.append(_names())
    db.atomic(add)
    def drop():
        db.execute("ALTER TABLE t DROP COLUMN a")
        got.append(_names())
        fail("back")
    catch(lambda: db.atomic(drop))
    db.atomic(lambda: got.append(_names()))
    db.table("t").filter(n = 1).get()
    db.execute("ALTER TABLE t ALTER COLUMN n TYPE text")
    db.atomic(lambda: got.append([db.table("t").get().n]))
    return ["".join(names) for names in got]
`, "[idn aidn abidn abcidn abidn bidn abidn 1]", "CREATE TABLE t (id serial PRIMARY KEY, n int)")
}

// TestPostgresPlansAfterAnothersDDL: another program changes a table between
// two runs of a statement.
func TestPostgresPlansAfterAnothersDDL(t *testing.T) {
	b, ok := servers(t)["postgresql"]
	if !ok {
		t.Skip("MANAGE_TEST_POSTGRES names no server")
	}
	statements(t, b, "CREATE TABLE t (id serial PRIMARY KEY, n int)", "INSERT INTO t (n) VALUES (1)")
	call := startWith(t, oneDatabase(b.URL), map[string]func(){"change": func() { statements(t, b, "ALTER TABLE t ADD COLUMN a int") }}, `
def handle():
    before = json.encode(db.query("SELECT * FROM t"))
    change()
    return [before, json.encode(db.query("SELECT * FROM t"))]
`)
	if got, err := call(context.Background()); err != nil || fmt.Sprint(got) != `[[{"id":1,"n":1}] [{"id":1,"n":1,"a":null}]]` {
		t.Fatal(got, err)
	}
}

// TestNaN: no database stores another value for it without a word.
func TestNaN(t *testing.T) {
	const table = "CREATE TABLE t (id integer PRIMARY KEY, f double precision)"
	body := `
def handle():
    nan = float("nan")
    t = db.table("t")
    t.create(id = 1, f = 1.5)
    row = t.get()
    row.f = nan
    for fn in [
        lambda: t.create(id = 2, f = nan), lambda: t.bulk_create([{"id": 3, "f": nan}]), lambda: t.filter(id = 1).update(f = nan),
        lambda: db.execute("UPDATE t SET f = ?", nan), lambda: t.bulk_update([row], ["f"]), row.save,
    ]:
        _, err = catch(fn, %s)
        if "%s" not in err.message:
            fail(err)
    return list(t.values_list("id", "f"))
`
	on(t, "sqlite", fmt.Sprintf(body, "ValueError", "SQLite has no NaN"), "[[1 1.5]]", table)
	on(t, "mysql", fmt.Sprintf(body, "ValueError", "MySQL has no number NaN"), "[[1 1.5]]", table)
	on(t, "postgresql", `
def handle():
    t = db.table("t")
    t.create(id = 1, f = float("nan"))
    t.bulk_create([{"id": 2, "f": float("inf")}])
    return list(t.order_by("id").values_list("f", flat = True))
`, "[NaN +Inf]", table)
}

// TestColumnOfBadValue: a value that no script can take is told with its column.
func TestColumnOfBadValue(t *testing.T) {
	b := sqliteBackend(t)
	statements(t, b, `CREATE TABLE odd (id integer PRIMARY KEY, day date)`, `INSERT INTO odd (day) VALUES ('0000-00-00')`)
	got, err := start(t, oneDatabase(b.URL), `
def handle():
    t = db.table("odd")
    _, one = catch(lambda: t.get().day)
    _, two = catch(lambda: t.values("day").get())
    return [one.message, two.message]
`)(context.Background())
	messages, ok := got.([]any)
	if err != nil || !ok {
		t.Fatal(got, err)
	}
	for i, want := range []string{"odd.day: ", "day: "} {
		if text, _ := messages[i].(string); !strings.HasPrefix(text, want) {
			t.Errorf("message %q, want one that begins with %q", messages[i], want)
		}
	}
}

// TestReturningCounts: rows that a query writes count among those committed.
func TestReturningCounts(t *testing.T) {
	b := sqliteBackend(t)
	statements(t, b, `CREATE TABLE odd (id integer PRIMARY KEY, n int)`)
	got := shell(t.Context(), t, oneDatabase(b.URL), b, nil, `
def handle():
    db.query("INSERT INTO odd (n) VALUES (1), (2), (3) RETURNING id")
    db.execute("CREATE INDEX odd_n ON odd (n)")
    db.query("SELECT * FROM odd")
    while True:
        pass
`, "--timeout", "300ms")
	ends(t, got, 124, "3 rows were committed before")
}

// TestDDLInNestedBlocks: an outer rollback forgets what its own statements
// made of the tables, whatever an inner one forgot.
func TestDDLInNestedBlocks(t *testing.T) {
	for vendor, b := range backends(t) {
		if vendor == "mysql" {
			continue // it commits on DDL, which db.atomic refuses
		}
		t.Run(vendor, func(t *testing.T) {
			statements(t, b, `CREATE TABLE odd (id integer PRIMARY KEY, n int)`)
			_, err := start(t, oneDatabase(b.URL), `
def _inner():
    db.execute("ALTER TABLE odd ADD COLUMN inside int")
    db.table("odd").create(id = 2, inside = 1)
    ValueError("inner")

def _outer():
    db.execute("ALTER TABLE odd ADD COLUMN outside int")
    db.table("odd").create(id = 1, outside = 1)
    catch(lambda: db.atomic(_inner))
    if "inside" in db.table("odd").get().as_dict():
        fail("inside is there")
    ValueError("outer")

def handle():
    catch(lambda: db.atomic(_outer))
    db.table("odd").create(id = 3, n = 1)
    if sorted(db.table("odd").get().as_dict()) != ["id", "n"]:
        fail(db.table("odd").get().as_dict())
`)(context.Background())
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestBlocksBehindDDL: in a migration that is a script, db.atomic works behind
// DDL, which on MySQL ends the migration's own transaction.
func TestBlocksBehindDDL(t *testing.T) {
	onShops(t, `
-- apps/shop/migrations/0001_first.star --
def up(db):
    db.execute("CREATE TABLE shop_a (id INTEGER PRIMARY KEY, k INTEGER)")
    t = db.table("shop_a")
    db.atomic(lambda: t.create(id = 1, k = 1))
    def undone():
        t.update(k = 2)
        ValueError("stop")
    catch(lambda: db.atomic(undone))
    t.get_or_create(id = 2, defaults = {"k": 5})
`, func(t *testing.T, s *shop) {
		s.must("migrate")
		if n := s.scalar("SELECT sum(k) FROM shop_a"); n != "6" {
			t.Errorf("the sum is %s, want 6", n)
		}
	})
}
