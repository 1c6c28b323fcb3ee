package migrate

// The history table: what is applied to a database.

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// table is the history's name. A row is a migration that is applied, or one
// that stopped half way (unfinished is not NULL).
const table = "manage_migrations"

// row is one migration of the history.
type row struct {
	Key
	version    int64
	appliedAt  string // UTC, "2026-01-31 12:00:00"; empty when unfinished on the way up
	unfinished *progress
}

// progress says how far a migration came whose statements cannot be rolled
// back together: those of MySQL, whose DDL commits by itself, and those with
// NO TRANSACTION.
type progress struct {
	backwards   bool
	done, total int
	sum         string // of the statements done: they must not change before the rest runs
	// settled: it stopped where a statement failed. Else it was cut off, and
	// the statement behind the last one done may have taken effect.
	settled bool
}

// String is what stands in the table: "up 2/4 9f8e7d6c5b4a3928 settled".
func (p progress) String() string {
	s := fmt.Sprintf("%s %d/%d %s", p.direction(), p.done, p.total, cmp.Or(p.sum, "-"))
	if p.settled {
		s += " settled"
	}
	return s
}

func (p progress) direction() string {
	if p.backwards {
		return "down"
	}
	return "up"
}

// parseProgress reads it back. A text that is not ours stands for a migration
// of which nothing is known.
func parseProgress(text string) *progress {
	var p progress
	var direction, state string
	n, _ := fmt.Sscanf(text, "%s %d/%d %s %s", &direction, &p.done, &p.total, &p.sum, &state) // the last word may be missing
	if n < 4 {
		return &progress{total: 1}
	}
	p.backwards, p.settled = direction == "down", state == "settled"
	return &p
}

// checksum identifies statements.
func checksum(list []statement) string {
	h := fnv.New64a()
	for _, st := range list {
		_, _ = h.Write(append([]byte(st.text), 0)) // a hash takes all
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// history is what a database says is applied.
type history struct {
	dialect sqldb.Dialect
	exists  bool   // the table is there
	name    string // the table's in SQL: with its schema, for a migration may SET search_path
	rows    map[rowKey]row
}

// rowKey is the table's key: a number is a migration's identity, so that a
// file that was renamed is noticed.
type rowKey struct {
	app     string
	version int64
}

func newHistory(d sqldb.Dialect) *history {
	return &history{dialect: d, name: table, rows: map[rowKey]row{}}
}

func (h *history) put(r row) { h.rows[rowKey{r.App, r.version}] = r }

// row returns what is recorded of a migration; nil when nothing is.
func (h *history) row(m *migration) *row {
	r, ok := h.rows[rowKey{m.App, m.version}]
	if !ok || r.Name != m.Name {
		return nil
	}
	return &r
}

// has reports whether anything of the migration may be in the database.
func (h *history) has(m *migration) bool { return h.row(m) != nil }

// applied reports whether the migration is applied as a whole, or was and
// stopped on the way back.
func (h *history) applied(m *migration) bool {
	r := h.row(m)
	return r != nil && (r.unfinished == nil || r.unfinished.backwards)
}

// orphans returns the rows of an app without a file, by number.
func (h *history) orphans(g *graph, app string) []row {
	known := map[rowKey]string{}
	for _, m := range g.byApp[app] {
		known[rowKey{app, m.version}] = m.Name
	}
	var out []row
	for key, r := range h.rows {
		if key.app == app && known[key] != r.Name {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b row) int { return cmp.Compare(a.version, b.version) })
	return out
}

// readHistory reads the table; a database without one has an empty history.
func readHistory(ctx context.Context, r sqldb.Runner, d sqldb.Dialect) (*history, error) {
	h := newHistory(d)
	var exists, applied string
	switch d.Vendor() {
	case "postgresql":
		exists = "SELECT quote_ident(n.nspname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('" + table + "')"
		applied = "to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
	case "mysql":
		exists = "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '" + table + "'"
		applied = "DATE_FORMAT(applied_at, '%Y-%m-%d %H:%i:%s')"
	default:
		exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '" + table + "'"
		applied = "substr(applied_at || '', 1, 19)"
	}
	// Quiet: not among the queries that a test counts.
	found, err := r.ReadAll(ctx, sqldb.Statement{SQL: exists, Once: true, Quiet: true})
	if err != nil || count(found) == 0 {
		return h, err
	}
	h.exists = true
	if d.Vendor() == "postgresql" {
		h.name = text(found[0].Cell(0, 0)) + "." + table
	}
	chunks, err := r.ReadAll(ctx, sqldb.Statement{SQL: "SELECT app, version, name, " + applied + ", unfinished FROM " + h.name, Once: true, Quiet: true})
	if err != nil {
		return nil, err
	}
	for _, c := range chunks {
		for i := range c.N {
			r := row{Key: Key{text(c.Cell(i, 0)), text(c.Cell(i, 2))}, appliedAt: text(c.Cell(i, 3))}
			version, ok := c.Cell(i, 1).(int64)
			if !ok {
				if _, err := fmt.Sscan(text(c.Cell(i, 1)), &version); err != nil {
					return nil, fmt.Errorf("table %s has the version %v", table, c.Cell(i, 1))
				}
			}
			r.version = version
			if c.Cell(i, 4) != nil {
				r.unfinished = parseProgress(text(c.Cell(i, 4)))
			}
			h.put(r)
		}
	}
	return h, nil
}

func count(chunks []*sqldb.Chunk) int {
	n := 0
	for _, c := range chunks {
		n += c.N
	}
	return n
}

// text is a cell as a string, whatever the driver made of it.
func text(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(cell)
}

// create makes the table.
func (h *history) create(ctx context.Context, r sqldb.Runner) error {
	if h.exists {
		return nil
	}
	moment, suffix := "DATETIME", ""
	switch h.dialect.Vendor() {
	case "postgresql":
		moment = "TIMESTAMP WITH TIME ZONE"
		schema, err := r.ReadAll(ctx, sqldb.Statement{SQL: "SELECT quote_ident(current_schema())", Once: true, Quiet: true})
		if err != nil {
			return err
		}
		if count(schema) == 1 && schema[0].Cell(0, 0) != nil { // else PostgreSQL says what is wrong
			h.name = text(schema[0].Cell(0, 0)) + "." + table
		}
	case "mysql":
		moment, suffix = "DATETIME(6)", " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin"
	}
	_, err := r.Exec(ctx, sqldb.Statement{Once: true, Write: true, SQL: "CREATE TABLE IF NOT EXISTS " + h.name + " (" +
		"app VARCHAR(150) NOT NULL, version BIGINT NOT NULL, name VARCHAR(255) NOT NULL, " +
		"applied_at " + moment + ", unfinished VARCHAR(100), PRIMARY KEY (app, version))" + suffix})
	if err == nil {
		h.exists = true
	}
	return err
}

// write runs a statement with ? for its values.
func write(ctx context.Context, r sqldb.Runner, sql string, args ...any) error {
	st, err := r.Raw(ctx, sql, args)
	if err != nil {
		return err
	}
	st.Once, st.Write = true, true
	_, err = r.Exec(ctx, st)
	return err
}

// begin records that a migration has started whose statements will not roll
// back together.
func (h *history) begin(ctx context.Context, r sqldb.Runner, m *migration, p progress) error {
	old := h.row(m)
	now := row{Key: m.Key, version: m.version, unfinished: &p}
	if old != nil {
		now.appliedAt = old.appliedAt
		if err := write(ctx, r, "UPDATE "+h.name+" SET unfinished = ? WHERE app = ? AND version = ?", p.String(), m.App, m.version); err != nil {
			return err
		}
	} else if err := write(ctx, r, "INSERT INTO "+h.name+" (app, version, name, unfinished) VALUES (?, ?, ?, ?)", m.App, m.version, m.Name, p.String()); err != nil {
		return err
	}
	h.put(now)
	return nil
}

// finish records a migration as applied, or as not applied any more.
func (h *history) finish(ctx context.Context, r sqldb.Runner, op operation, now time.Time) error {
	m := op.migration
	if err := write(ctx, r, "DELETE FROM "+h.name+" WHERE app = ? AND version = ?", m.App, m.version); err != nil || op.backwards {
		return err
	}
	return write(ctx, r, "INSERT INTO "+h.name+" (app, version, name, applied_at) VALUES (?, ?, ?, ?)", m.App, m.version, m.Name, now)
}

// forget drops the record of a migration.
func (h *history) forget(ctx context.Context, r sqldb.Runner, app string, version int64) error {
	return write(ctx, r, "DELETE FROM "+h.name+" WHERE app = ? AND version = ?", app, version)
}

// note keeps what finish has committed.
func (h *history) note(op operation, now time.Time) {
	key := rowKey{op.App, op.version}
	if op.backwards {
		delete(h.rows, key)
		return
	}
	h.rows[key] = row{Key: op.Key, version: op.version, appliedAt: now.UTC().Format("2006-01-02 15:04:05")}
}

// mark is how a list shows a migration: "X", " " or "-".
func (r *row) mark() string {
	switch {
	case r == nil:
		return " "
	case r.unfinished != nil:
		return "-"
	}
	return "X"
}

// remark says what is special about a row.
func (r *row) remark() string {
	if r == nil || r.unfinished == nil {
		return ""
	}
	p := r.unfinished
	what := "applying"
	if p.backwards {
		what = "unapplying"
	}
	return fmt.Sprintf(" (unfinished: %s it stopped after %d of %d steps)", what, p.done, p.total)
}
