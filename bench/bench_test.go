// Package bench measures big jobs on SQLite against Django and plain Go: README.md
// says how and what is promised.
package bench

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// The commands that are measured; bench/README.md says what each is for.
const speedProject = `
-- apps/accounts/management/commands/read.star --
def handle():
    changed = 0
    for user in db.table("accounts_user").exclude(email = "").iterator():
        normalized = user.email.strip().lower()
        if user.email == normalized:
            continue
        changed += 1
    return changed
-- apps/accounts/management/commands/only.star --
def handle():
    changed = 0
    for user in db.table("accounts_user").exclude(email = "").only("id", "email").iterator():
        normalized = user.email.strip().lower()
        if user.email == normalized:
            continue
        changed += 1
    return changed
-- apps/accounts/management/commands/ordered.star --
def handle():
    last = ""
    for user in db.table("accounts_user").order_by("name").iterator():
        if user.name < last:
            fail("%s comes behind %s" % (user.name, last))
        last = user.name
-- apps/accounts/management/commands/save.star --
atomic = True

def handle():
    changed = 0
    for user in db.table("accounts_user").exclude(email = "").iterator(chunk_size = 1000):
        normalized = user.email.strip().lower()
        if user.email == normalized:
            continue
        user.email = normalized
        user.save(update_fields = ["email"])
        changed += 1
    return changed
-- apps/accounts/management/commands/bulk_update.star --
def handle():
    users = db.table("accounts_user")
    rows = []
    for user in users.filter(id__lte = 200000):
        user.email = user.email.lower().strip()
        rows.append(user)
    return users.bulk_update(rows, ["email"])
-- apps/accounts/management/commands/date_stats.star --
def handle():
    for day in range(1, 6):
        db.table("accounts_user").filter(created_at__date = date(2026, 1, day)).aggregate(n = Count("id"), s = Sum("id"))
-- apps/accounts/management/commands/delete.star --
def handle():
    return db.table("accounts_user").filter(is_active = False).delete()[0]
`

const (
	speedRows = 1_000_000
	python    = "/usr/bin/python3" // Debian's, which its python3-django is for
)

// makeUsers makes a file of a million users of five columns; every second
// email is in capitals where upper is set, and no other.
func makeUsers(t testing.TB, path string, upper bool) {
	t.Helper()
	pool := open(t, "file:"+path+"?_pragma=journal_mode(wal)&_pragma=synchronous(off)")
	email := "'user' || i || '@example.com'"
	if upper {
		email = "CASE WHEN i % 2 = 0 THEN 'User' ELSE 'user' END || i || '@example.com'"
	}
	for _, s := range []string{
		"CREATE TABLE accounts_user (id integer PRIMARY KEY AUTOINCREMENT, email varchar(254) NOT NULL, name varchar(150) NOT NULL, is_active bool NOT NULL, created_at datetime NOT NULL)",
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO accounts_user SELECT i, %s, 'User Number ' || i, i %% 2, datetime('2026-01-01', '+' || (i * 31) || ' seconds') FROM n`, speedRows, email),
		"CREATE INDEX accounts_user_created ON accounts_user (created_at)",
		"PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		if _, err := pool.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}

func speedEngine(path string) *engine.Engine {
	return engine.New(engine.Config{
		FS: enginetest.Project(speedProject), Modules: builtins.Modules(builtins.Config{Databases: db.Config{Drivers: sqldb.Drivers{Collector: collector()}}}),
		Settings: map[string]any{"DATABASES": map[string]any{"default": "sqlite:///" + path}},
	})
}

// collector has SQLite's rows collected, as cmd/manage does.
var collector = sync.OnceValue(func() *sqldb.Collector {
	rows := &sqldb.Collector{}
	sqlite.MustRegisterFunction(sqldb.CollectFunction, &sqlite.FunctionImpl{
		NArgs: -1, VolatileArgs: true,
		Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			return nil, rows.Collect(args)
		},
	})
	return rows
})

// ours times a command, the opening of the engine included.
func ours(t testing.TB, path, command string) time.Duration {
	t.Helper()
	runtime.GC()
	start := time.Now()
	eng := speedEngine(path)
	defer eng.Close()
	if _, err := eng.Call(context.Background(), command, engine.Args{}); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

// plainGo times the same loop over database/sql's Scan.
func plainGo(t testing.TB, path, columns string) time.Duration {
	t.Helper()
	runtime.GC()
	start := time.Now()
	pool := open(t, "file:"+path)
	rows, err := pool.Query("SELECT " + columns + " FROM accounts_user WHERE email <> ''")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	changed := 0
	var u struct {
		id          int64
		email, name string
		active      bool
		created     time.Time
	}
	dest := []any{&u.id, &u.email, &u.name, &u.active, &u.created}[:strings.Count(columns, ",")+1]
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		if strings.ToLower(strings.TrimSpace(u.email)) != u.email {
			changed++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func djangoTime(t testing.TB, path, name string) time.Duration {
	t.Helper()
	if err := exec.Command(python, "-c", "import django").Run(); err != nil {
		t.Skipf("no Django for %s on this machine to compare with", python)
	}
	cmd := exec.Command(python, "django_bench.py", path, name)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(out.String()), 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(seconds * float64(time.Second))
}

// BenchmarkJobs reports, for each job, our seconds and how many times as fast
// we are as what stands beside the number: "x-django", "x-plain-go",
// "x-bare-sql". Ratios are of one run; ours and plain Go's are the best of
// three. It makes a million rows and takes minutes:
//
//	go test -bench . -benchtime 1x -timeout 30m ./bench
func BenchmarkJobs(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // as cmd/manage
	lower, mixed := filepath.Join(b.TempDir(), "lower.db"), filepath.Join(b.TempDir(), "mixed.db")
	makeUsers(b, lower, false)
	makeUsers(b, mixed, true)
	job := func(name string, own func(testing.TB) time.Duration, theirs map[string]func(testing.TB) time.Duration) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				seconds := own(b).Seconds()
				b.ReportMetric(seconds, "seconds")
				for unit, other := range theirs {
					b.ReportMetric(other(b).Seconds()/seconds, unit)
				}
			}
		})
	}
	type timings = map[string]func(testing.TB) time.Duration
	fresh := func(path, command string) func(testing.TB) time.Duration {
		return func(t testing.TB) time.Duration { return ours(t, copyFile(t, path), command) }
	}
	same := func(path, command string) func(testing.TB) time.Duration {
		return func(t testing.TB) time.Duration { return ours(t, path, command) }
	}
	loop := func(columns string) func(testing.TB) time.Duration {
		return best(func(t testing.TB) time.Duration { return plainGo(t, lower, columns) })
	}
	djangoSame := func(name string) func(testing.TB) time.Duration {
		return func(t testing.TB) time.Duration { return djangoTime(t, lower, name) }
	}
	djangoFresh := func(name string) func(testing.TB) time.Duration {
		return func(t testing.TB) time.Duration { return djangoTime(t, copyFile(t, mixed), name) }
	}
	job("read", best(same(lower, "read")), timings{"x-django": djangoSame("read"), "x-plain-go": loop("id, email, name, is_active, created_at")})
	job("only", best(same(lower, "only")), timings{"x-django": djangoSame("only"), "x-plain-go": loop("id, email")})
	job("save", fresh(mixed, "save"), timings{"x-django": djangoFresh("save")})
	job("bulk_update", best(fresh(mixed, "bulk_update")), timings{"x-django": best(djangoFresh("bulk_update"))})
	job("date_stats", best(same(lower, "date_stats")), timings{"x-django": djangoSame("date_stats")})
	job("delete", best(fresh(lower, "delete")), timings{"x-bare-sql": best(func(t testing.TB) time.Duration { return bareDelete(t, copyFile(t, lower)) })})
}

// best is the shortest of three runs.
func best(f func(testing.TB) time.Duration) func(testing.TB) time.Duration {
	return func(t testing.TB) time.Duration { return min(f(t), f(t), f(t)) }
}

// bareDelete times the statement that the delete job comes down to.
func bareDelete(t testing.TB, path string) time.Duration {
	t.Helper()
	runtime.GC()
	start := time.Now()
	pool := open(t, "file:"+path+"?_pragma=journal_mode(wal)&_pragma=synchronous(normal)")
	if _, err := pool.Exec("DELETE FROM accounts_user WHERE is_active = 0"); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}
