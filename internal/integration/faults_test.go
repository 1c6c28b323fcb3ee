package integration

// What happens when something breaks: the error that a shell sees, its code,
// what is left in the database, and that no connection and no goroutine stay
// behind.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// serverDSN is what the driver is opened with for b.
func serverDSN(t testing.TB, b dbtest.Backend, driver string) string {
	t.Helper()
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	return dsn(u, driver, strings.TrimPrefix(u.Path, "/"))
}

// shell runs the command x, whose file is body, as a shell would, and fails
// the test when it leaves a connection in use, a session on the server or a
// goroutine.
func shell(ctx context.Context, t *testing.T, settings map[string]any, b dbtest.Backend, fns map[string]func(), body string, words ...string) enginetest.Result {
	t.Helper()
	goroutines, sessions := runtime.NumGoroutine(), serverSessions(t, b)
	m, modules := dbtest.Standard(asManage)
	var stdout, stderr bytes.Buffer
	eng := engine.New(engine.Config{
		FS: enginetest.Project(script(body)), Modules: append(modules, hostModule(fns)), Settings: settings, Stdout: &stdout, Stderr: &stderr,
		Apps: []engine.App{{Label: "look", Commands: []engine.Command{{Name: "look", Handle: func(ctx context.Context, inv *engine.Invocation) (any, error) { return inUse(ctx, inv, m) }}}}},
	})
	code := eng.Run(ctx, append([]string{"manage", "x"}, words...))
	if b.URL != "" {
		v, err := eng.Call(context.Background(), "look", engine.Args{})
		if err != nil || v != int64(0) {
			t.Errorf("connections in use after the run: %v (%v)", v, err)
		}
	}
	if err := errors.Join(eng.Close(), m.Close()); err != nil {
		t.Errorf("closing: %v", err)
	}
	for range 1000 { // a driver may still be telling the server to give up
		if runtime.NumGoroutine() <= goroutines && serverSessions(t, b) <= sessions {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := serverSessions(t, b); n > sessions {
		t.Errorf("%d sessions on the server, %d before", n, sessions)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", n, goroutines, buf[:runtime.Stack(buf, true)])
	}
	return enginetest.Result{Code: code, Stdout: stdout.String(), Stderr: stderr.String()}
}

func inUse(ctx context.Context, inv *engine.Invocation, m *db.Module) (any, error) {
	d, err := m.Database(inv, "default")
	if err != nil {
		return nil, err
	}
	pool, err := d.Pool(ctx)
	if err != nil {
		return nil, err
	}
	return pool.Stats().InUse, nil
}

// serverSessions counts the sessions of others than the test in b.
func serverSessions(t *testing.T, b dbtest.Backend) int {
	t.Helper()
	var query string
	switch b.Dialect {
	case "postgresql":
		query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'manage'"
	case "mysql":
		b.Pool.SetMaxOpenConns(1)
		query = "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
	default:
		return 0
	}
	var n int
	if err := b.Pool.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// ends checks the code and the last lines that stderr must have, and that
// nothing of what must not be said is.
func ends(t *testing.T, got enginetest.Result, code int, wants ...string) {
	t.Helper()
	if got.Code != code {
		t.Errorf("exit code %d, want %d", got.Code, code)
	}
	for _, want := range wants {
		if !strings.Contains(got.Stderr, want) {
			t.Errorf("stderr does not say %q:\n%s", want, got.Stderr)
		}
	}
}

// rows checks how many rows a table has.
func rows(t *testing.T, b dbtest.Backend, table, want string) {
	t.Helper()
	if n := one(t, b.Pool, "SELECT count(*) FROM "+table); n != want {
		t.Errorf("%s has %s rows, want %s", table, n, want)
	}
}

// killer ends every connection of others to the database of b.
func killer(t *testing.T, b dbtest.Backend) func() {
	t.Helper()
	return func() {
		switch b.Dialect {
		case "postgresql":
			if _, err := b.Pool.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'manage'"); err != nil {
				t.Error(err)
			}
		case "mysql":
			rows, err := b.Pool.Query("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND user = SUBSTRING_INDEX(USER(), '@', 1)")
			if err != nil {
				t.Error(err)
				return
			}
			var ids []int
			for rows.Next() {
				var id int
				if err := rows.Scan(&id); err != nil {
					t.Error(err)
				}
				ids = append(ids, id)
			}
			rows.Close()
			for _, id := range ids {
				_, _ = b.Pool.Exec(fmt.Sprintf("KILL %d", id)) // it may be gone by itself
			}
		}
	}
}

// servers are the backends whose connections can be killed.
func servers(t *testing.T) map[string]dbtest.Backend {
	all := backends(t)
	delete(all, "sqlite")
	if len(all) == 0 {
		t.Skip("no server: MANAGE_TEST_POSTGRES and MANAGE_TEST_MYSQL are not set")
	}
	return all
}

// forever is a query that takes longer than any test waits.
var forever = map[string]string{
	"sqlite":     "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
	"postgresql": "SELECT pg_sleep(60)",
	"mysql":      "SELECT SLEEP(60)",
}

// soon calls fn a moment later, while the query that the script goes on with
// is under way.
func soon(t *testing.T, fn func()) func() {
	return func() {
		timer := time.AfterFunc(150*time.Millisecond, fn)
		t.Cleanup(func() { timer.Stop() })
	}
}

func TestFaultKilled(t *testing.T) {
	for vendor, b := range servers(t) {
		t.Run(vendor, func(t *testing.T) {
			dbtest.Make(t, b)
			kill := killer(t, b)
			fns := map[string]func(){"kill": kill, "kill_soon": soon(t, kill)}
			lost := `the connection to database "default" (`

			got := shell(t.Context(), t, oneDatabase(b.URL), b, fns, `
def body():
    db.table("counter").create(name = "a")
    kill()
    db.table("counter").create(name = "b")

def handle():
    db.table("counter").create(name = "before")
    db.atomic(body)
`)
			ends(t, got, 1, "Traceback", lost, "was lost")
			rows(t, b, "counter", "1")

			got = shell(t.Context(), t, oneDatabase(b.URL), b, fns, `
def body():
    db.table("counter").create(name = "in the block")
    kill_soon()
    db.query("`+forever[vendor]+`")

def handle():
    _, err = catch(lambda: db.atomic(body), DatabaseError)
    stdout.write("%s; %d rows" % (err.type, db.table("counter").count()))
    _, err = catch(lambda: db.atomic(lambda: (db.table("counter").create(name = "c"), kill())), DatabaseError)
    stdout.write("%s at commit; %d rows" % (err.type, db.table("counter").count()))
    _, err = catch(lambda: db.atomic(lambda: db.atomic(body)), DatabaseError)
    stdout.write("%s nested; %d rows" % (err.type, db.table("counter").count()))
`)
			if want := "DatabaseError; 1 rows\nDatabaseError at commit; 1 rows\nDatabaseError nested; 1 rows\n"; got.Stdout != want {
				t.Errorf("got %q, want %q\n%s", got.Stdout, want, got.Stderr)
			}
			ends(t, got, 0)

			// In the middle of a walk: it goes on with another connection, or
			// says what happened.
			got = shell(t.Context(), t, oneDatabase(b.URL), b, fns, `
def walk():
    n = 0
    for row in db.table("counter").iterator(chunk_size = 10):
        n += 1
        if n % 15 == 0:
            kill()
    return n

def handle():
    db.table("counter").bulk_create([{"name": "c%d" % i} for i in range(199)])
    n, err = catch(walk, DatabaseError, CommandError) # a connection may die before it is one
    stdout.write(err.message if err else "%d rows" % n)
    _, err = catch(lambda: db.atomic(walk), DatabaseError)
    stdout.write(err.message)
`)
			ends(t, got, 0)
			lines := strings.Split(got.Stdout, "\n")
			if lines[0] != "200 rows" && !strings.Contains(lines[0], lost) && !strings.Contains(lines[0], `database "default" (`) {
				t.Errorf("the walk ended with %q\n%s", lines[0], got.Stderr)
			}
			if len(lines) < 2 || !strings.Contains(lines[1], lost) {
				t.Errorf("the walk in a transaction ended with %q", lines)
			}
		})
	}
}

func TestFaultDiskFull(t *testing.T) {
	b := sqliteBackend(t)
	dbtest.Make(t, b)
	body := `
def fill():
    t = db.table("author")
    for i in range(200):
        t.create(name = "x", data = {"pad": "y" * 5000})

def handle():
    db.table("author").create(name = "first")
    db.query("PRAGMA max_page_count = 40")
    `
	got := shell(t.Context(), t, oneDatabase(b.URL, "max_open", 1), b, nil, body+"db.atomic(fill)\n")
	ends(t, got, 1, "DatabaseError", "database or disk is full")
	rows(t, b, "author", "1")
	// Outside a transaction what was written stays.
	got = shell(t.Context(), t, oneDatabase(b.URL, "max_open", 1), b, nil, body+`_, err = catch(fill, DatabaseError)
    stdout.write(err.message)
`)
	ends(t, got, 0)
	if !strings.Contains(got.Stdout, "database or disk is full") {
		t.Errorf("got %q", got.Stdout)
	}
}

// holder keeps a transaction open that has locked the first row of counter, or
// the whole of a SQLite file.
func holder(t *testing.T, b dbtest.Backend) (release func()) {
	t.Helper()
	b.Pool.SetMaxOpenConns(0)
	conn, err := b.Pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"BEGIN", "UPDATE counter SET n = 100"}
	if b.Dialect == "sqlite" {
		texts = []string{"BEGIN IMMEDIATE"}
	}
	for _, s := range texts {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	done := false
	release = func() {
		if !done {
			done = true
			if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
				t.Error(err)
			}
			conn.Close()
		}
	}
	t.Cleanup(release)
	return release
}

func TestFaultLocked(t *testing.T) {
	limits := map[string]string{"sqlite": "&timeout=0.1", "postgresql": "?lock_timeout=100ms", "mysql": ""}
	says := map[string]string{"sqlite": "database is locked", "postgresql": "lock timeout", "mysql": "Lock wait timeout"}
	for vendor, b := range backends(t) {
		t.Run(vendor, func(t *testing.T) {
			dbtest.Make(t, b)
			statements(t, b, "INSERT INTO counter (name, n) VALUES ('a', 1)")
			settings := oneDatabase(b.URL+limits[vendor], "max_open", 1)
			prepare := ""
			if vendor == "mysql" {
				prepare = `db.execute("SET SESSION innodb_lock_wait_timeout = 1")`
			}
			release := holder(t, b)
			if vendor == "mysql" {
				b.Dialect = "" // the holder's session is none of the run's
			}
			got := shell(t.Context(), t, settings, b, nil, `
def handle():
    `+prepare+`
    db.atomic(lambda: db.table("counter").update(n = 2))
`)
			ends(t, got, 1, "Traceback", "DatabaseError", says[vendor], `database "default"`)
			got = shell(t.Context(), t, settings, b, map[string]func(){"release": release}, `
def body(state):
    state["tries"] += 1
    if state["tries"] == 2:
        release()
    return db.table("counter").update(n = F("n") + 1)

def handle():
    `+prepare+`
    _, err = catch(lambda: db.table("counter").update(n = 2), DatabaseError)
    stdout.write(err.type)
    if db.connection.vendor != "sqlite":
        _, err = catch(lambda: db.atomic(lambda: db.table("counter").select_for_update(nowait = True).get()), DatabaseError)
        stdout.write(err.type)
        stdout.write(db.atomic(lambda: len(list(db.table("counter").select_for_update(skip_locked = True)))))
        state = {"tries": 0}
        db.atomic(body, state, retries = 3)
        stdout.write(state["tries"])
`, "--no-color")
			want := "DatabaseError\n"
			if vendor != "sqlite" {
				want = "DatabaseError\nDatabaseError\n0\n2\n"
			}
			if got.Stdout != want || got.Code != 0 {
				t.Errorf("got %+v, want %q", got, want)
			}
		})
	}
}

func TestFaultPoolOfOne(t *testing.T) {
	for vendor, b := range backends(t) {
		t.Run(vendor, func(t *testing.T) {
			dbtest.Make(t, b)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			got := shell(ctx, t, oneDatabase(b.URL, "max_open", 1), b, nil, `
def nested(i):
    def inner():
        db.table("counter").get_or_create(name = "inner%d" % i)
        ValueError("undone")

    db.table("counter").get_or_create(name = "outer%d" % i)
    catch(lambda: db.atomic(inner), ValueError)

def work():
    t = db.table("counter")
    t.bulk_create([{"name": "c%d" % i} for i in range(50)])
    for i, row in enumerate(t.order_by("name").iterator(chunk_size = 7)):
        row.n = i
        row.save(update_fields = ["n"])
    for row in t.iterator(chunk_size = 7):
        t.get_or_create(name = "got%d" % (row.pk % 5))
        t.update_or_create(name = "put", defaults = {"n": row.n})
        for other in t.filter(pk__lte = row.pk).iterator(chunk_size = 3):
            break
        for raw in db.iterate("SELECT id FROM counter"):
            break
        db.atomic(nested, row.pk % 5)
    return t.count(), t.filter(name__startswith = "inner").count()

def handle():
    stdout.write(str(work()))
    db.table("counter").delete()
    stdout.write(str(db.atomic(work)))
    db.table("counter").delete()
    stdout.write(str(db.using("default").atomic(lambda: db.atomic(work))))
`)
			if want := strings.Repeat("(61, 0)\n", 3); got.Stdout != want || got.Code != 0 {
				t.Errorf("got %+v, want %q", got, want)
			}
		})
	}
}

func TestFaultCancelled(t *testing.T) {
	interrupt := &engine.Interrupt{Name: "SIGTERM", Code: 143}
	for vendor, b := range backends(t) {
		t.Run(vendor, func(t *testing.T) {
			dbtest.Make(t, b)
			run := func(t *testing.T, body string, words ...string) enginetest.Result {
				t.Helper()
				statements(t, b, "DELETE FROM counter")
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				stop := func() { cancel(interrupt) }
				started := time.Now()
				got := shell(ctx, t, oneDatabase(b.URL), b, map[string]func(){"stop": stop, "stop_soon": soon(t, stop)}, `
def make(n, first = 0):
    db.table("counter").bulk_create([{"name": "c%d" % (first + i)} for i in range(n)])

def wait():
    db.query("`+forever[vendor]+`")

`+body, words...)
				if took := time.Since(started); took > 20*time.Second {
					t.Errorf("the run took %v to stop", took)
				}
				if n := strings.Count(got.Stderr, "\n"); n != 1 {
					t.Errorf("stderr has %d lines, want one:\n%s", n, got.Stderr)
				}
				if strings.Contains(got.Stdout, "never") {
					t.Errorf("the script went on: %q", got.Stdout)
				}
				return got
			}
			stopped := "interrupted by SIGTERM"

			t.Run("before", func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				cancel(interrupt)
				got := shell(ctx, t, oneDatabase(b.URL), b, nil, `
def handle():
    db.table("counter").create(name = "never")
`)
				ends(t, got, 143, stopped)
			})
			t.Run("before the next call", func(t *testing.T) {
				got := run(t, `
def handle():
    make(1200)
    stop()
    db.table("counter").create(name = "never")
    stdout.write("never")
`)
				ends(t, got, 143, stopped, "1,200 rows were committed before")
				rows(t, b, "counter", "1200")
			})
			t.Run("during a query", func(t *testing.T) {
				got := run(t, `
def handle():
    db.table("counter").create(name = "one")
    stop_soon()
    catch(wait)
    stdout.write("never")
`)
				ends(t, got, 143, stopped, "1 row was committed before")
				rows(t, b, "counter", "1")
			})
			t.Run("during a query in a transaction", func(t *testing.T) {
				got := run(t, `
def body():
    make(5, first = 10)
    stop_soon()
    catch(wait)
    stdout.write("never")

def handle():
    make(3)
    db.atomic(body)
`)
				ends(t, got, 143, stopped, "3 rows were committed before")
				rows(t, b, "counter", "3")
			})
			t.Run("during a long write in a transaction", func(t *testing.T) {
				write := map[string]string{
					"sqlite":     "INSERT INTO counter (name) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT 'x' FROM c WHERE n < 0",
					"postgresql": "INSERT INTO counter (name) SELECT 'x' FROM pg_sleep(60)",
					"mysql":      "INSERT INTO counter (name) SELECT 'x' FROM (SELECT SLEEP(60)) AS s",
				}[vendor]
				got := run(t, `
def body():
    make(5)
    stop_soon()
    db.execute("`+write+`")
    stdout.write("never")

def handle():
    db.atomic(body)
`)
				ends(t, got, 143, stopped, "no row was committed before")
				rows(t, b, "counter", "0")
			})
			t.Run("while rows come", func(t *testing.T) {
				endless := map[string]string{
					"sqlite":     "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c",
					"postgresql": "SELECT n FROM generate_series(1, 1000000000000) AS n",
					"mysql":      "SELECT 1 FROM information_schema.collations a, information_schema.collations b, information_schema.collations c, information_schema.collations d",
				}[vendor]
				got := run(t, `
def handle():
    make(3)
    stop_soon()
    for row in db.iterate("`+endless+`"):
        stdout.write("never")
`)
				ends(t, got, 143, stopped, "3 rows were committed before")
			})
			t.Run("between chunks", func(t *testing.T) {
				got := run(t, `
def handle():
    make(100)
    n = 0
    for row in db.table("counter").iterator(chunk_size = 10):
        n += 1
        if n == 30:
            stop()
        if n > 30:
            stdout.write("never")
    stdout.write("never")
`)
				ends(t, got, 143, stopped, "100 rows were committed before")
			})
			t.Run("in a savepoint", func(t *testing.T) {
				got := run(t, `
def inner():
    make(5)
    stop()

def handle():
    db.atomic(lambda: catch(lambda: db.atomic(inner)))
    stdout.write("never")
`)
				ends(t, got, 143, stopped, "no row was committed before")
				rows(t, b, "counter", "0")
			})
			t.Run("at commit", func(t *testing.T) {
				got := run(t, `
atomic = True

def handle():
    make(5)
    db.on_commit(lambda: stdout.write("never"))
    stop()
`)
				ends(t, got, 143, stopped, "no row was committed before")
				rows(t, b, "counter", "0")
			})
			t.Run("timeout", func(t *testing.T) {
				got := run(t, `
def handle():
    make(3)
    def body():
        make(4, first = 10)
        wait()
    db.atomic(body)
`, "--timeout", "500ms")
				ends(t, got, 124, "timeout of 500ms reached", "3 rows were committed before")
				rows(t, b, "counter", "3")
			})
		})
	}
}

// TestFaultUnreachable: which database, where, and why; never the password.
func TestFaultUnreachable(t *testing.T) {
	run := func(t *testing.T, raw string) enginetest.Result {
		t.Helper()
		return shell(t.Context(), t, map[string]any{"DATABASES": map[string]any{"default": "sqlite://:memory:", "stats": raw}}, dbtest.Backend{}, nil, `
def handle():
    _, err = catch(lambda: db.using("stats").table("x"), DatabaseError)
    stdout.write(err.type)
    db.using("stats").atomic(lambda: 1)
`)
	}
	password := []string{"s3cret", "s3c'ret", `s3c\ret`, "s3c%40ret", "s3c%2Fret", "s3c:ret", "s3c%20ret", "s3c%3Fret%23", "s3c%27%5C%27ret", "s3c$ret", "s3c%22ret", "s3c`ret", "s3c%25ret", "s3c(ret)", "s3c&ret=1"}
	clean := func(t *testing.T, got enginetest.Result) {
		t.Helper()
		if text := got.Stdout + got.Stderr; strings.Contains(text, "s3c") || strings.Contains(text, "ret'") || strings.Contains(text, "ret)") {
			t.Errorf("the password shows: %s", text)
		}
	}
	// Options that the driver refuses, so that its error quotes what it was
	// given.
	options := map[string][]string{
		"postgres": {"sslmode=s0me", "connect_timeout=x", "sslmode=verify-full&sslrootcert=/none", "application_name=a&sslmode=s0me", "sslmode=s0me&password=", "sslmode=s0me&sslpassword="},
		"mysql":    {"tls=none-such", "timeout=x", "collation=none", "charset=utf8&tls=none-such"},
	}
	for scheme := range options {
		t.Run(scheme, func(t *testing.T) {
			for _, p := range password {
				got := run(t, scheme+"://someone:"+p+"@127.0.0.1:1/shop")
				ends(t, got, 1, `CommandError: database "stats" (shop on 127.0.0.1:1) is not reachable: `, "refused")
				if got.Stdout != "DatabaseError\n" || strings.Count(got.Stderr, "\n") != 1 {
					t.Errorf("got %+v", got)
				}
				clean(t, got)
				for _, option := range options[scheme] {
					if strings.HasSuffix(option, "password=") {
						option += strings.ReplaceAll(p, "&", "%26")
					}
					got := run(t, scheme+"://someone:"+p+"@127.0.0.1:1/shop?"+option)
					ends(t, got, 1, `CommandError: database "stats" (shop on 127.0.0.1:1) is not reachable: `)
					clean(t, got)
				}
			}
		})
	}
	for vendor, b := range servers(t) {
		t.Run(vendor+" answers", func(t *testing.T) {
			u, err := url.Parse(b.URL)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(u.Path, "/")
			statement := map[string]string{"postgresql": "CREATE ROLE fault_%s LOGIN PASSWORD 'right'", "mysql": "CREATE USER fault_%s IDENTIFIED BY 'right'"}[vendor]
			role := name[strings.LastIndexByte(name, '_')+1:]
			statements(t, b, fmt.Sprintf(statement, role))
			t.Cleanup(func() {
				statements(t, b, map[string]string{"postgresql": "DROP ROLE fault_", "mysql": "DROP USER fault_"}[vendor]+role)
			})
			got := run(t, strings.Replace(b.URL, name, "nosuch", 1))
			ends(t, got, 1, `CommandError: database "stats" (nosuch on `+u.Host+`) is not reachable: `, "nosuch")
			user := u.User.Username()
			got = run(t, strings.Replace(b.URL, user, "fault_"+role+":s3cret", 1))
			if vendor == "mysql" { // the other server trusts its own machine
				ends(t, got, 1, `CommandError: database "stats" (`+name+" on "+u.Host+`) is not reachable: `, "Access denied")
				clean(t, got)
			}
		})
	}
	t.Run("sqlite", func(t *testing.T) {
		for path, why := range map[string]string{"/nonexistent/dir/x.db": "does not exist", t.TempDir(): "unable to open", "/dev/null/x.db": "does not exist"} {
			got := run(t, "sqlite:///"+path)
			ends(t, got, 1, `CommandError: database "stats" (`+path+`) is not reachable: `, why)
		}
	})
}

func TestUpsertsUnderConcurrentWriters(t *testing.T) {
	const writers, each = 8, 20
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			dbtest.Make(t, b)
			call := start(t, oneDatabase(b.URL), fmt.Sprintf(`
def handle():
    t = db.table("counter")
    created = 0
    for i in range(%d):
        _, new = t.get_or_create(name = "got%%d" %% i)
        if new:
            created += 1
        _, new = t.update_or_create(name = "put%%d" %% i, defaults = {"n": i})
        if new:
            created += 1
        db.atomic(lambda: t.filter(name = "got0").update(n = F("n") + 1), retries = 20)
    return created
`, each))
			var wg sync.WaitGroup
			created := make([]int64, writers)
			for w := range writers {
				wg.Go(func() {
					v, err := call(context.Background())
					if err != nil {
						t.Error(err)
						return
					}
					created[w] = v.(int64)
				})
			}
			wg.Wait()
			var total int64
			for _, n := range created {
				total += n
			}
			if total != 2*each {
				t.Errorf("%d rows were reported as created, want %d", total, 2*each)
			}
			var rows, n int
			if err := b.Pool.QueryRow("SELECT count(*), max(n) FROM counter").Scan(&rows, &n); err != nil {
				t.Fatal(err)
			}
			if rows != 2*each || n != writers*each {
				t.Errorf("%d rows and a count of %d, want %d and %d", rows, n, 2*each, writers*each)
			}
		})
	}
}

func TestSQLiteFileIsNotMade(t *testing.T) {
	path := t.TempDir() + "/none.db"
	call := start(t, oneDatabase("sqlite:///"+path), `
def handle():
    db.table("x")
`)
	_, err := call(context.Background())
	ce, ok := errors.AsType[*engine.CommandError](err)
	if !ok || !strings.Contains(ce.Message, "does not exist") || ce.Hint == "" {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file was made: %v", err)
	}
}
