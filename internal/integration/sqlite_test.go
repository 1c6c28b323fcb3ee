package integration

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestSQLiteWalksAnyKey meets each row once, whatever SQLite has taken for a
// key: NULL, or a value of another type than the column's.
func TestSQLiteWalksAnyKey(t *testing.T) {
	for i, c := range []struct{ key, values string }{
		{"text PRIMARY KEY", "('a'), ('b'), (NULL)"},
		{"text PRIMARY KEY", "(NULL), (NULL), ('c')"},
		{"text PRIMARY KEY NOT NULL", "('a'), ('b'), (x'63')"},
		{"text PRIMARY KEY NOT NULL", "('a'), (x'62'), (x'63')"},
		{"int PRIMARY KEY", "(1), (2), (NULL)"},
		{"int PRIMARY KEY NOT NULL", "(1), (2), ('x')"},
		{"bigint PRIMARY KEY NOT NULL", "(1), (-9223372036854775808), (9223372036854775807)"},
		{"blob PRIMARY KEY NOT NULL", "('a'), ('b'), ('c')"},
		{"blob PRIMARY KEY NOT NULL", "('a'), (x'62'), (x'63')"},
		{"blob PRIMARY KEY NOT NULL", "(x''), (x'62'), (x'6300')"},
		{"uuid PRIMARY KEY NOT NULL", "('ABCDEF00-0000-0000-0000-000000000000'), ('00000000000000000000000000000000'), ('x')"},
		{"uuid PRIMARY KEY", "('a'), (x'62'), (NULL)"},
		{"PRIMARY KEY NOT NULL", "(1), ('1'), (1.5)"},
	} {
		b := sqliteBackend(t)
		statements(t, b, "CREATE TABLE t (k "+c.key+", n integer DEFAULT 1)", "INSERT INTO t (k) VALUES "+c.values)
		got, err := start(t, oneDatabase(b.URL), `
def handle():
    t = db.table("t")
    return [sum(list(qs.values_list("n", flat = True).iterator(chunk_size = 1))) for qs in [t, t.order_by("k"), t.order_by("-k")]]
`)(context.Background())
		if fmt.Sprint(got) != "[3 3 3]" || err != nil {
			t.Errorf("%d: k %s with %s: met %v of 3 (%v)", i, c.key, c.values, got, err)
		}
	}
}

// TestSQLiteJournalOfAnother: a file that is not in WAL mode, as Django leaves
// its own, is read while another connection writes to it, and written after.
func TestSQLiteJournalOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "django.sqlite3")
	pool := open(t, "sqlite", "file:"+path)
	c, err := pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	run := func(text string) {
		t.Helper()
		if _, err := c.ExecContext(context.Background(), text); err != nil {
			t.Fatal(text, err)
		}
	}
	run("CREATE TABLE t (n integer)")
	run("INSERT INTO t VALUES (1)")
	run("BEGIN IMMEDIATE")
	run("INSERT INTO t VALUES (2)")
	body := `
def handle():
    return [r.n for r in db.query("SELECT n FROM t")]
`
	if got, err := start(t, oneDatabase("sqlite:///"+path), body)(context.Background()); fmt.Sprint(got) != "[1]" || err != nil {
		t.Fatal(got, err)
	}
	run("COMMIT")
	if got, err := start(t, oneDatabase("sqlite:///"+path), strings.Replace(body, "    return", "    db.execute(\"INSERT INTO t VALUES (3)\")\n    return", 1))(context.Background()); fmt.Sprint(got) != "[1 2 3]" || err != nil {
		t.Fatal(got, err)
	}
}

// TestSQLiteNames asks for tables in other letters than they were made with,
// which SQLite takes for the same: statements and relations hold the tables'
// own names.
func TestSQLiteNames(t *testing.T) {
	b := sqliteBackend(t)
	statements(t, b,
		`CREATE TABLE Owner (id integer PRIMARY KEY, name text)`,
		`CREATE TABLE Pet (id integer PRIMARY KEY, owner_id integer REFERENCES OWNER(ID))`,
		`INSERT INTO Owner VALUES (1, 'Ann')`,
		`INSERT INTO Pet VALUES (1, 1)`,
	)
	call := start(t, oneDatabase(b.URL), `
def handle():
    sql = db.table("OWNER").sql()
    if '"Owner"' not in str(sql) or "OWNER" in str(sql):
        fail(sql)
    for name in ["main.PET", "MAIN.pet", "PET", "Pet"]:
        pet = db.table(name).select_related("owner").get(id = 1)
        if pet.owner.name != "Ann" or pet.owner != db.table("oWNER").get(id = 1):
            fail(name)
        if db.table("owner").filter(Pet = pet).count() != 1 or db.table(name).filter(owner__name = "Ann").count() != 1:
            fail(name)
    if db.table("SQLite_master").filter(type = "table").count() != 2:
        fail("sqlite_master")
    _, err = catch(lambda: db.table("\u017fqlite_master").count(), DatabaseError)
    return err.message
`)
	got, err := call(context.Background())
	if text, _ := got.(string); err != nil || text != `no table "ſqlite_master" in database "default": choices are Owner, Pet` {
		t.Fatal(got, err)
	}
}
