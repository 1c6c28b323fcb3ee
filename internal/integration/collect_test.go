package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// TestCollect: rows that SQLite hands over inside a query are those that the
// driver gives one by one, in the order of the query, and no script's call of
// the function can add to them.
func TestCollect(t *testing.T) {
	b := sqliteBackend(t)
	statements(t, b,
		`CREATE TABLE t (id integer PRIMARY KEY, s text, f real, b blob, n numeric(10, 2), d datetime, y bool)`,
		`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000)
			INSERT INTO t SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a' || char(0) || 'é' ELSE 'x' || i END,
			i / 7.0, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN x'' ELSE x'00ff00' END, i / 4.0, '2026-01-01 00:00:' || (10 + i % 50), i % 2 FROM c`,
	)
	target, err := sqldb.ParseURL(b.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	read := func(c *sqldb.Collector, limit int64, desc bool, names ...string) ([]string, []int) {
		t.Helper()
		db := sqldb.NewDatabase(sqldb.Config{Alias: "default", Target: target, Drivers: sqldb.Drivers{Collector: c}})
		defer db.Close()
		compiler := &sqldb.Compiler{Runner: db.Runner(), Zone: time.UTC}
		table, err := db.Runner().Table(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		q := &sqldb.Select{Table: table, Limit: limit, Order: []sqldb.Order{{Expr: &sqldb.Col{Column: table.Column("f")}, Desc: desc}}}
		for _, name := range names {
			q.Outs = append(q.Outs, sqldb.Out{Name: name, Expr: &sqldb.Col{Column: table.Column(name)}})
		}
		st, err := compiler.Select(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := db.Runner().ReadRows(ctx, st, 700)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		var sizes []int
		for _, c := range chunks {
			sizes = append(sizes, c.N)
			for i := range c.N {
				var b strings.Builder
				for j := range c.Width {
					fmt.Fprintf(&b, "%T %q ", c.Cell(i, j), fmt.Sprint(c.Cell(i, j)))
				}
				rows = append(rows, b.String())
			}
		}
		return rows, sizes
	}
	for _, limit := range []int64{-1, 2500, 65} {
		for _, desc := range []bool{false, true} {
			names := []string{"id", "s", "f", "b", "n", "d", "y"}
			got, sizes := read(asManage.Drivers.Collector, limit, desc, names...)
			want, _ := read(nil, limit, desc, names...)
			if len(got) != len(want) {
				t.Fatalf("limit %d: %d rows, want %d", limit, len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("limit %d, row %d: %s\nwant %s", limit, i, got[i], want[i])
				}
			}
			if sizes[0] != min(700, len(want)) {
				t.Errorf("limit %d: chunks of %v", limit, sizes)
			}
		}
	}
	for _, call := range []string{"manage_collect()", "manage_collect(1)", "manage_collect(0, 1)", "manage_collect('x', 1)", "manage_collect(NULL)"} {
		var v any
		if err := b.Pool.QueryRow("SELECT " + call).Scan(&v); err == nil || !strings.Contains(err.Error(), "not for scripts") {
			t.Errorf("%s: %v", call, err)
		}
	}
}
