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
