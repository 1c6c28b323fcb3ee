package integration

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// hostModule gives scripts functions of the test.
type hostModule map[string]func()

func (hostModule) Name() string { return "host" }
func (h hostModule) Predeclared() starlark.StringDict {
	d := starlark.StringDict{}
	for name, fn := range h {
		d[name] = engine.Func(name, fn)
	}
	return d
}

// startWith is start, with functions of the test for the script.
func startWith(t *testing.T, settings map[string]any, fns map[string]func(), body string) func(context.Context) (any, error) {
	t.Helper()
	return startOn(t, asManage, settings, fns, body)
}

func startOn(t *testing.T, cfg db.Config, settings map[string]any, fns map[string]func(), body string) func(context.Context) (any, error) {
	t.Helper()
	m, modules := dbtest.Standard(cfg)
	all := map[string]any{"TIME_ZONE": "UTC"}
	maps.Copy(all, settings)
	eng := engine.New(engine.Config{FS: enginetest.Project(script(body)), Modules: append(modules, hostModule(fns)), Settings: all})
	t.Cleanup(func() {
		eng.Close()
		m.Close()
	})
	return func(ctx context.Context) (any, error) { return eng.Call(ctx, "x", engine.Args{}) }
}

// TestHostPool passes a pool of the host's, whose dialect is found out.
func TestHostPool(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			dbtest.Make(t, b)
			_, modules := dbtest.Standard(asManage)
			modules = append(modules[:len(modules)-1:len(modules)-1], db.New(db.Config{Pools: map[string]db.Pool{"default": {DB: b.Pool}}}))
			eng := engine.New(engine.Config{FS: enginetest.Project(script(`
def _body():
    t = db.table("author")
    t.bulk_create([{"name": "a%d" % i, "created_at": timezone.now(), "balance": Decimal("1.10")} for i in range(10)])
    for row in t.iterator(chunk_size = 3):
        row.n = row.pk
        row.save()
    return t.filter(n__isnull = False, created_at__date = timezone.now().date()).count(), t.aggregate(s = Sum("balance"))["s"]

def handle():
    n, s = db.atomic(_body)
    return [n, str(s), db.connection.vendor]
`)), Modules: modules})
			v, err := eng.Call(context.Background(), "x", engine.Args{})
			if err != nil {
				t.Fatal(err)
			}
			if got := v.([]any); got[0] != int64(10) || got[1] != "11.00" || got[2] != b.Dialect {
				t.Errorf("got %v", got)
			}
			if err := eng.Close(); err != nil {
				t.Fatal(err)
			}
			if err := b.Pool.Ping(); err != nil {
				t.Errorf("the host's pool was closed: %v", err)
			}
		})
	}
}

// script makes a project of one command, whose file is given.
func script(body string) string {
	return "-- apps/x/management/commands/x.star --\n" + strings.TrimPrefix(body, "\n")
}

// start makes an engine with one command on a database, and returns how to
// call it.
func start(t *testing.T, settings map[string]any, body string) func(context.Context) (any, error) {
	t.Helper()
	return startWith(t, settings, nil, body)
}

// oneDatabase is DATABASES with a default alone.
func oneDatabase(url string, options ...any) map[string]any {
	entry := map[string]any{"url": url}
	for i := 0; i < len(options); i += 2 {
		entry[fmt.Sprint(options[i])] = options[i+1]
	}
	return map[string]any{"DATABASES": map[string]any{"default": entry}}
}

func TestDatabaseOption(t *testing.T) {
	first, second := sqliteBackend(t), sqliteBackend(t)
	dbtest.Make(t, first)
	dbtest.Make(t, second)
	if _, err := second.Pool.Exec("INSERT INTO counter (name) VALUES ('x')"); err != nil {
		t.Fatal(err)
	}
	m, modules := dbtest.Standard(asManage)
	defer m.Close()
	eng := engine.New(engine.Config{
		FS: enginetest.Project(script(`
database = True
atomic = True

def handle():
    return [db.table("counter").count(), str(db), str(db.connection), db.connection.alias, db.using("default").table("counter").count()]
`)), Modules: modules,
		Settings: map[string]any{"DATABASES": map[string]any{"default": first.URL, "archive": map[string]any{"url": second.URL, "max_open": 2}}},
	})
	defer eng.Close()
	for alias, want := range map[string]string{"default": "[0 <db default> <connection default> default 0]", "archive": "[1 <db archive> <connection archive> archive 0]"} {
		v, err := eng.Call(context.Background(), "x", engine.Args{Options: map[string]any{"database": alias}})
		if err != nil || fmt.Sprint(v) != want {
			t.Errorf("--database %s: %v, %v; want %s", alias, v, err, want)
		}
	}
	if _, err := eng.Call(context.Background(), "x", engine.Args{Options: map[string]any{"database": "archiv"}}); err == nil || !strings.Contains(err.Error(), `no database "archiv"`) {
		t.Errorf("an unknown alias: %v", err)
	}
}

// TestTwoAliases: a loop over one alias meets what it writes by way of another
// that means the same database.
func TestTwoAliases(t *testing.T) {
	for vendor, b := range backends(t) {
		t.Run(vendor, func(t *testing.T) {
			dbtest.Make(t, b)
			got, err := start(t, map[string]any{"DATABASES": map[string]any{"default": b.URL, "again": b.URL}}, `
def handle():
    counters, again = db.table("counter"), db.using("again").table("counter")
    counters.bulk_create([{"name": "c%d" % i} for i in range(300)])
    met = 0
    for row in counters.filter(n = 0).iterator(chunk_size = 1):
        met += 1
        again.filter(id = row.pk + 1).update(n = 1)
    return met
`)(context.Background())
			if err != nil || got != int64(150) {
				t.Fatal(got, err)
			}
		})
	}
}

// TestRowOfAnotherDatabase: a table of the same name in another database is
// another table.
func TestRowOfAnotherDatabase(t *testing.T) {
	first, second := sqliteBackend(t), sqliteBackend(t)
	dbtest.Make(t, first)
	dbtest.Make(t, second)
	got, err := start(t, map[string]any{"DATABASES": map[string]any{"default": first.URL, "other": second.URL}}, `
def handle():
    row = db.table("counter").create(name = "here")
    there = db.using("other").table("counter")
    there.create(name = "there")
    row.n = 7
    _, err = catch(lambda: there.bulk_update([row], ["n"]), ValueError)
    return [err.message, row == there.get(), there.get().n]
`)(context.Background())
	if want := "[bulk_update: item 0 is no row of counter false 0]"; err != nil || fmt.Sprint(got) != want {
		t.Fatal(got, err)
	}
}
