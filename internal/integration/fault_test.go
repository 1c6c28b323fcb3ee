package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/engine"
)

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

func TestConnectionKilledInATransaction(t *testing.T) {
	for name, b := range servers(t) {
		t.Run(name, func(t *testing.T) {
			dbtest.Make(t, b)
			kill := killer(t, b)
			call := startWith(t, oneDatabase(b.URL), map[string]func(){"kill": kill}, `
def _body():
    db.table("counter").create(name = "a")
    kill()
    db.table("counter").create(name = "b")

def handle():
    _, err = catch(lambda: db.atomic(_body), DatabaseError)
    # The next statement gets a connection that lives.
    return err.message, db.table("counter").count()
`)
			v, err := call(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got := v.([]any)
			if got[1] != int64(0) {
				t.Errorf("%v rows are left of a transaction whose connection died", got[1])
			}
			if message := got[0].(string); !strings.Contains(message, "connection") {
				t.Errorf("the error does not say what happened: %s", message)
			}
		})
	}
}

func TestConnectionKilledInAnIterator(t *testing.T) {
	for name, b := range servers(t) {
		t.Run(name, func(t *testing.T) {
			dbtest.Make(t, b)
			kill := killer(t, b)
			call := startWith(t, oneDatabase(b.URL, "max_open", 1), map[string]func(){"kill": kill}, `
def _walk():
    n = 0
    for row in db.table("counter").iterator(chunk_size = 10):
        n += 1
        if n == 15:
            kill()
    return n

def handle():
    db.table("counter").bulk_create([{"name": "c%d" % i} for i in range(200)])
    n, err = catch(_walk, DatabaseError)
    # Either the walk went on with a new connection, or it says what happened;
    # it never ends early in silence.
    return n, err and err.message, db.table("counter").count()
`)
			v, err := call(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got := v.([]any)
			if got[1] == nil && got[0] != int64(200) {
				t.Errorf("the walk ended after %v rows without an error", got[0])
			}
			if got[2] != int64(200) {
				t.Errorf("%v rows, want 200", got[2])
			}
		})
	}
}

func TestLockedByAnotherProcess(t *testing.T) {
	b := sqliteBackend(t)
	dbtest.Make(t, b)
	tx, err := b.Pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	if _, err := tx.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	release := func() {
		if _, err := tx.ExecContext(context.Background(), "COMMIT"); err != nil {
			t.Error(err)
		}
	}
	call := startWith(t, oneDatabase(b.URL+"&timeout=0.05"), map[string]func(){"release": release}, `
def _body(state):
    state["tries"] += 1
    db.table("counter").create(name = "a")

def handle():
    _, err = catch(lambda: db.table("counter").create(name = "x"), DatabaseError)
    _, err2 = catch(lambda: db.atomic(lambda: 1), DatabaseError)
    release()
    state = {"tries": 0}
    db.atomic(_body, state, retries = 3)
    return err.message, err2.message, db.table("counter").count()
`)
	v, err := call(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := v.([]any)
	if !strings.Contains(fmt.Sprint(got[0]), "locked") || !strings.Contains(fmt.Sprint(got[1]), "locked") || got[2] != int64(1) {
		t.Errorf("got %v", got)
	}
}

func TestDiskFull(t *testing.T) {
	b := sqliteBackend(t)
	dbtest.Make(t, b)
	call := start(t, oneDatabase(b.URL, "max_open", 1), `
def _body():
    for i in range(100):
        db.table("author").create(name = "x" * 90, data = {"pad": "y" * 5000})

def handle():
    db.query("PRAGMA max_page_count = 40")
    _, err = catch(lambda: db.atomic(_body), DatabaseError)
    return err.message, db.table("author").count()
`)
	v, err := call(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := v.([]any)
	if !strings.Contains(fmt.Sprint(got[0]), "full") || got[1] != int64(0) {
		t.Errorf("got %v, want the error of a full disk and no rows", got)
	}
}

func TestPoolOfOne(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			dbtest.Make(t, b)
			call := start(t, oneDatabase(b.URL, "max_open", 1), `
def _body():
    for row in db.table("counter").iterator(chunk_size = 10):
        row.n = row.n + 1
        row.save()
        db.atomic(lambda: db.table("counter").filter(pk = row.pk).count())
    return db.table("counter").filter(n = 1).count()

def handle():
    db.table("counter").bulk_create([{"name": "c%d" % i} for i in range(100)])
    first = _body()
    db.table("counter").update(n = 0)
    for row in db.table("counter").iterator(chunk_size = 10):
        if not db.table("counter").filter(pk = row.pk).exists():
            fail("gone")
    return first, db.atomic(_body)
`)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			v, err := call(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(v); got != "[100 100]" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestCancelledContext(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			dbtest.Make(t, b)
			before := runtime.NumGoroutine()
			ctx, cancel := context.WithCancelCause(context.Background())
			cause := errors.New("the operator said so")
			call := startWith(t, oneDatabase(b.URL), map[string]func(){"stop": func() { cancel(cause) }}, `
atomic = True

def handle():
    t = db.table("counter")
    t.bulk_create([{"name": "c%d" % i} for i in range(3000)])
    for i, row in enumerate(t.iterator()):
        row.n = 1
        row.save()
        if i == 1500:
            stop()
`)
			_, err := call(ctx)
			if !errors.Is(err, cause) {
				t.Errorf("got %v, want the context's cause", err)
			}
			var n int
			if err := b.Pool.QueryRow("SELECT count(*) FROM counter").Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows are left of a cancelled transaction (%v)", n, err)
			}
			settled(t, before)
		})
	}
}

// settled waits until goroutines are as many as before, pools' own apart.
func settled(t *testing.T, before int) {
	t.Helper()
	const pools = 4 // a pool has an opener; drivers watch their connections
	for range 100 {
		if runtime.NumGoroutine() <= before+pools {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

func TestUnreachable(t *testing.T) {
	for name, url := range map[string]string{
		"postgresql": "postgres://someone:s3cret@127.0.0.1:1/nothing", "mysql": "mysql://someone:s3cret@127.0.0.1:1/nothing",
		"sqlite": "sqlite:////nonexistent/dir/x.db",
	} {
		t.Run(name, func(t *testing.T) {
			call := start(t, oneDatabase(url), `
def handle():
    db.table("x")
`)
			_, err := call(context.Background())
			ce, ok := errors.AsType[*engine.CommandError](err)
			if !ok {
				t.Fatalf("got %v, want a CommandError", err)
			}
			if !strings.Contains(ce.Message, `database "default"`) || !strings.Contains(ce.Message, "not reachable") {
				t.Errorf("the message names no database: %s", ce.Message)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "s3cret") {
					t.Errorf("the password shows: %v", e)
				}
			}
		})
	}
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

// TestCancelledStatement stops one long statement inside a transaction.
func TestCancelledStatement(t *testing.T) {
	b := sqliteBackend(t)
	dbtest.Make(t, b)
	for name, body := range map[string]string{
		"raw": `db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) INSERT INTO counter (name) SELECT 'x' FROM n WHERE i < 0")`,
		"update": `t.filter(pk__in = [r.pk for r in t.all()]).update(n = Length("name"), name = Lower("name"), created_at = Now())
    t.filter(Exists(t.filter(name__contains = OuterRef("name"), n__gt = 1000000000))).update(n = 1)`,
	} {
		t.Run(name, func(t *testing.T) {
			call := start(t, oneDatabase(b.URL), `
atomic = True

def handle():
    t = db.table("counter")
    t.bulk_create([{"name": "c%d" % i} for i in range(30000)])
    `+body+`
    return "done"
`)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			began := time.Now()
			_, err := call(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the context's error", err)
			}
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it took %v to stop", took)
			}
			var n int
			if err := b.Pool.QueryRow("SELECT count(*) FROM counter").Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows are left (%v)", n, err)
			}
		})
	}
}
