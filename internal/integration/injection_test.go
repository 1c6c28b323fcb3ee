package integration

// What users write never becomes SQL: a text is put into every place of the
// query language that takes one, and the statements that reach the driver are
// read. The text may be in them only as the name of a column or a table that
// the database itself told, in quotes.

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// recorder keeps the text of the statements that reach a driver.
type recorder struct {
	mu    sync.Mutex
	texts []string
}

func (r *recorder) add(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, text)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	texts := r.texts
	r.texts = nil
	return texts
}

// recorded opens a pool whose statements r keeps.
func recorded(t testing.TB, driverName, dsn string, r *recorder) *sql.DB {
	t.Helper()
	probe, err := sql.Open(driverName, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	pool := sql.OpenDB(recordingConnector{probe.Driver(), dsn, r})
	t.Cleanup(func() { pool.Close() })
	return pool
}

type recordingConnector struct {
	driver driver.Driver
	dsn    string
	r      *recorder
}

func (c recordingConnector) Driver() driver.Driver { return c.driver }
func (c recordingConnector) Connect(context.Context) (driver.Conn, error) {
	dc, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &recordingConn{dc, c.r}, nil
}

type recordingConn struct {
	driver.Conn
	r *recorder
}

func (c *recordingConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.r.add(text)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

func (c *recordingConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.r.add(text)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

func (c *recordingConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	c.r.add(text)
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
}

func (c *recordingConn) ResetSession(ctx context.Context) error {
	if s, ok := c.Conn.(driver.SessionResetter); ok {
		return s.ResetSession(ctx)
	}
	return nil
}

// places puts text() into one place after the other. What becomes of it may be
// an error of a kind that scripts can catch.
const places = `
-- apps/x/management/commands/places.star --
LOOKUPS = [
    "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "gt", "gte", "lt", "lte",
    "in", "range", "isnull", "regex", "iregex",
]
COLUMNS = ["id", "name", "email", "born", "active", "balance", "rating", "n", "created_at", "data", "raw", "token"]
PARTS = ["date", "year", "month", "day", "week_day", "hour", "minute", "second"]

def handle():
    s = text()
    t = db.table("author")
    books = db.table("book")
    row = t.create(name = "row", data = {"k": 1})
    book = books.create(title = "b", author_id = row.pk)

    # What can be kept at all comes back as it was.
    kept, err = catch(lambda: t.create(name = s, data = {s: [s]}))
    if not err:
        again = t.get(pk = kept.pk)
        if again.name != s or again.data != {s: [s]} or t.filter(pk = kept.pk, name = s).count() != 1:
            fail("%r came back as %r and %r" % (s, again.name, again.data))

    # Values.
    for column in COLUMNS:
        for lookup in LOOKUPS if column in ["name", "data"] else ["exact", "gt", "in"]:
            for v in [[s, s] if lookup in ["in", "range"] else s, Value(s)]:
                attempt("value of %s__%s" % (column, lookup), lambda: list(t.filter(**{column + "__" + lookup: v})))
        for fn in [lambda: t.create(**{"name": "c", column: s}), lambda: t.filter(pk = -1).update(**{column: s}), lambda: t.get(**{column: s}),
                   lambda: t.get_or_create(**{column: s}), lambda: t.update_or_create(defaults = {column: s}, name = "c"), lambda: t.update_or_create(create_defaults = {column: s}, name = s),
                   lambda: t.bulk_create([{"name": "c", column: s}, {"name": "d", column: s}]), lambda: t.in_bulk([s], field_name = column),
                   lambda: t.filter(pk = -1).update(**{column: Coalesce(column, Value(s))}), lambda: t.exclude(**{column: s}).count(), lambda: t.filter(~Q(**{column: s})).exists()]:
            attempt("value of " + column, fn)

        def save(column = column):
            row[column] = s
            row.save()

        attempt("value saved in " + column, save)
        row.refresh_from_db()

        def bulk(column = column):
            row[column] = s
            t.bulk_update([row], [column])

        attempt("value bulk-saved in " + column, bulk)
        row.refresh_from_db()
    for part in PARTS:
        attempt("value of created_at__" + part, lambda: list(t.filter(**{"created_at__" + part: s})))
    attempt("600 values", lambda: list(t.filter(name__in = [s] * 600)))
    attempt("value in JSON", lambda: t.create(name = "j", data = {s: [s]}))
    attempt("value in JSON", lambda: list(t.filter(data = {s: s})))
    attempt("value in JSON", lambda: list(t.filter(data__k = s)))
    attempt("value in JSON", lambda: list(t.filter(data__k__icontains = s)))
    attempt("value across a key", lambda: list(books.filter(author__name__icontains = s)))
    attempt("value of a sub-query", lambda: list(books.filter(author_id__in = t.filter(name = s).values("id"))))
    attempt("value of a sub-query", lambda: list(t.filter(Exists(books.filter(title = s, author_id = OuterRef("id"))))))
    attempt("value in an aggregate", lambda: t.aggregate(n = Count("id", filter = Q(name = s))))
    attempt("value in an annotation", lambda: list(t.annotate(x = Value(s)).order_by("x")))
    attempt("value in a function", lambda: list(t.annotate(x = Upper(Value(s)), y = Coalesce("email", Value(s)))))
    attempt("value in a group", lambda: list(t.annotate(x = Value(s)).values("x").annotate(n = Count("id")).filter(n__gt = 0)))
    attempt("parameter", lambda: db.query("SELECT ? AS a", s))
    attempt("parameter", lambda: list(db.iterate("SELECT ? AS a", s)))
    attempt("parameter", lambda: db.execute("UPDATE author SET name = ? WHERE name = ?", s, s))
    attempt("key", lambda: t.filter(pk = s).delete())
    attempt("isolation", lambda: db.atomic(lambda: 1, isolation = s))
    attempt("alias of a database", lambda: db.using(s).table("author"))
    attempt("attribute", lambda: row[s])

    # Names.
    names = [s, "name__" + s, s + "__name", s + "__exact", "data__" + s, "book__" + s, "author__" + s]
    for name in names:
        attempt("attribute assigned", lambda: assign(row, name))
        for fn in [
            lambda: list(t.filter(**{name: 1})), lambda: list(t.filter(**{name: s})), lambda: list(t.exclude(**{name: s})), lambda: t.get(**{name: s}),
            lambda: list(t.filter(Q(**{name: s}) | ~Q(**{name: 1}))), lambda: list(t.filter(name = F(name))), lambda: list(t.filter(n__gt = F(name) + 1)),
            lambda: list(t.filter(Exists(books.filter(author_id = OuterRef(name))))), lambda: list(t.filter(Exists(books.filter(**{name: OuterRef("id")})))),
        ]:
            attempt("name in filter: " + name, fn)
        for fn in [
            lambda: list(t.order_by(name)), lambda: list(t.order_by(F(name))), lambda: list(t.order_by(name).reverse()), lambda: t.order_by(name).last(), lambda: t.earliest(name), lambda: t.latest(name),
            lambda: list(t.values(name)), lambda: list(t.values_list(name, flat = True)), lambda: list(t.values_list("id", name)), lambda: list(t.only(name)), lambda: list(books.select_related(name)),
            lambda: t.values(name).distinct().count(), lambda: list(t.values(name).annotate(n = Count("id"))), lambda: list(t.values(name).iterator()),
        ]:
            attempt("name in order, values, only: " + name, fn)
        for fn in [
            lambda: t.aggregate(n = Count(name)), lambda: t.aggregate(n = Sum(name)), lambda: t.aggregate(n = Max(name, filter = Q(**{name: 1}))), lambda: list(t.annotate(x = Lower(name))),
            lambda: list(t.annotate(x = Coalesce(name, "name"))), lambda: list(t.annotate(x = F(name))),
        ]:
            attempt("name in an expression: " + name, fn)
        for fn in [
            lambda: t.create(**{name: s}), lambda: t.filter(pk = -1).update(**{name: s}), lambda: t.filter(pk = -1).update(n = F(name)), lambda: t.get_or_create(**{name: s}),
            lambda: t.update_or_create(defaults = {name: s}, name = "u"), lambda: t.update_or_create(create_defaults = {name: s}, name = "w"), lambda: t.bulk_create([{name: s}]),
            lambda: t.bulk_create([{"name": "x", "email": "x"}], update_conflicts = True, update_fields = [name], unique_fields = ["email"]),
            lambda: t.bulk_create([{"name": "x", "email": "x"}], update_conflicts = True, update_fields = ["name"], unique_fields = [name]),
            lambda: t.bulk_update([row], [name]), lambda: row.save(update_fields = [name]), lambda: t.in_bulk([1], field_name = name),
        ]:
            attempt("name of a column written: " + name, fn)
        for fn in [lambda: list(db.table(name)), lambda: list(db.table("main." + name)), lambda: list(db.table(name + ".author")), lambda: db.table("author." + name).count()]:
            attempt("table: " + name, fn)

    # Names that the query itself gives.
    for fn in [
        lambda: list(t.annotate(**{s: Lower("name")})), lambda: t.annotate(**{s: Lower("name")}).distinct().count(), lambda: list(t.annotate(**{s: Lower("name")}).order_by(s)),
        lambda: list(t.annotate(**{s: Lower("name")}).filter(**{s: "x"})), lambda: list(t.annotate(**{s: Lower("name")}).values(s).distinct()), lambda: t.annotate(**{s: Lower("name")}).values(s).distinct().count(),
        lambda: list(t.values(**{s: Lower("name")})), lambda: t.values(**{s: Lower("name")}).distinct().count(), lambda: t.values(**{s: Lower("name")}).limit(3).count(),
        lambda: t.aggregate(**{s: Count("id")}), lambda: list(t.values("name").annotate(**{s: Count("id")})), lambda: list(t.values("name").annotate(**{s: Count("id")}).filter(**{s + "__gt": 0}).order_by("-" + s)),
        lambda: t.values("name").annotate(**{s: Count("id")}).count(), lambda: t.values("name").annotate(**{s: Count("id")}).aggregate(x = Max(s)), lambda: t.limit(2).aggregate(**{s: Max("id")}),
        lambda: t.annotate(**{s: Lower("name")}).limit(2).aggregate(x = Max(s)), lambda: list(books.filter(author_id__in = t.values(**{s: F("id")}))), lambda: list(books.filter(author_id__in = t.values(**{s: F("id")}).limit(2))),
        lambda: list(books.filter(Exists(t.annotate(**{s: Lower("name")}).filter(**{s: OuterRef("title")})))), lambda: t.values(**{s: Lower("name")}).sql(), lambda: t.values(**{s: Lower("name")}).explain(),
        lambda: t.annotate(**{s: Lower("name")}).filter(**{s: "x"}).update(n = 1), lambda: t.annotate(**{s: Count("book")}).filter(**{s + "__gt": 5}).delete(), lambda: list(t.annotate(**{s: Lower("name")}).iterator()),
    ]:
        attempt("alias", fn)

def assign(row, name):
    row[name] = "v"
`

// hostFuncs gives the script functions of the test.
type hostFuncs starlark.StringDict

func (hostFuncs) Name() string                       { return "hostfuncs" }
func (h hostFuncs) Predeclared() starlark.StringDict { return starlark.StringDict(h) }

// probe runs the places on one database.
type probe struct {
	b     dbtest.Backend
	r     *recorder
	eng   *engine.Engine
	text  string
	check func(place string, statements []string)
	place string

	eighth, n int // of the places that are tried, from 0; -1 for all
}

// newProbe makes tables, and a canary that injected SQL would touch, in the
// database behind the pool.
func newProbe(t testing.TB, b dbtest.Backend, r *recorder) *probe {
	t.Helper()
	dbtest.Make(t, b)
	for _, s := range []string{"CREATE TABLE canary (n integer)", "INSERT INTO canary VALUES (41)"} {
		if _, err := b.Pool.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	p := &probe{b: b, r: r, eighth: -1}
	modules := slices.DeleteFunc(builtins.Standard(), func(m engine.Module) bool { return m.Name() == "db" })
	p.eng = engine.New(engine.Config{
		FS: enginetest.Project(places), Settings: map[string]any{"TIME_ZONE": "Europe/Berlin"},
		Modules: append(modules, db.New(db.Config{Pools: map[string]db.Pool{"default": {DB: b.Pool, Dialect: b.Dialect}}}), hostFuncs{
			"text":    engine.Func("text", func() string { return p.text }),
			"attempt": engine.Builtin("attempt", p.attempt),
		}),
	})
	t.Cleanup(func() { p.eng.Close() })
	return p
}

// attempt is attempt(place, call): catch, without the cost of a traceback.
func (p *probe) attempt(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var call starlark.Callable
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "place", &p.place, "call", &call); err != nil {
		return nil, err
	}
	if p.n++; p.eighth >= 0 && p.n%8 != p.eighth {
		return starlark.None, nil
	}
	_, err := starlark.Call(thread, call, nil, nil)
	if err = inv.Settle(thread, err); err != nil && !engine.Catchable(err) {
		return nil, err
	}
	p.check(p.place, p.r.take())
	return starlark.None, nil
}

// run puts text into every place and looks at the canary afterwards.
func (p *probe) run(t testing.TB, text string, check func(place string, statements []string)) {
	t.Helper()
	for _, table := range []string{"book", "author"} {
		if _, err := p.b.Pool.Exec("DELETE FROM " + table); err != nil {
			t.Fatalf("before %q: %v", text, err)
		}
	}
	p.text, p.check, p.n = text, check, 0
	p.r.take()
	if _, err := p.eng.Call(t.Context(), "places", engine.Args{}); err != nil {
		if _, ok := errors.AsType[*engine.InternalError](err); ok {
			t.Errorf("%q at %q panics: %v", text, p.place, err)
		} else {
			t.Errorf("%q at %q: %v", text, p.place, err)
		}
	}
	var n, sum int
	if err := p.b.Pool.QueryRow("SELECT count(*), sum(n) FROM canary").Scan(&n, &sum); err != nil || n != 1 || sum != 41 {
		t.Fatalf("%q became SQL: canary has %d rows with sum %d (%v)", text, n, sum, err)
	}
	p.r.take()
}

// marker makes a text that no statement of ours holds.
const marker = "zq9k"

// unmarked reports statements that hold the marker.
func unmarked(t testing.TB, text string) func(string, []string) {
	return func(place string, statements []string) {
		for _, s := range statements {
			if strings.Contains(strings.ToLower(s), marker) {
				t.Errorf("%q at %q became SQL: %q", text, place, s)
			}
		}
	}
}

// recordedSQLite is a scratch database on a pool of one connection.
func recordedSQLite(t testing.TB) (dbtest.Backend, *recorder) {
	r := &recorder{}
	pool := recorded(t, "sqlite", "file:"+filepath.Join(tempDir(t), "x.db")+"?_pragma=synchronous(0)&_pragma=journal_mode(memory)&_pragma=foreign_keys(1)&_dqs=0", r)
	pool.SetMaxOpenConns(1)
	return dbtest.Backend{Pool: pool, Dialect: "sqlite"}, r
}

// tempDir is TempDir without the name of the test in it, which may hold what
// ends the path of a URI.
func tempDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "manage-test-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// sqlToken splits a statement of SQLite's: identifiers in quotes, texts,
// words, numbers, and single other characters.
var sqlToken = regexp.MustCompile(`"(?:[^"]|"")*"|'(?:[^']|'')*'|[A-Za-z_][A-Za-z_0-9]*|[0-9.]+|\s+|.`)

// grammar is everything that a statement may be made of.
type grammar map[string]bool

// newGrammar learns the words from statements that were made of texts which
// name nothing, and the names from the database.
func newGrammar(t testing.TB, p *probe) grammar {
	g := grammar{}
	for _, text := range []string{"", "nothing", "1", "id", "2026-01-31", "2026-01-31 10:11:12", "true", "data", "-id", "10000", "?", "canary"} {
		p.run(t, text, func(_ string, statements []string) {
			for _, s := range statements {
				for _, token := range sqlToken.FindAllString(s, -1) {
					if token[0] != '"' || (text == "nothing" || text == "canary") && !strings.Contains(token, text) {
						g[strings.ToUpper(token)] = true
					}
				}
			}
		})
	}
	for _, s := range []string{"SELECT name FROM sqlite_master", "SELECT c.name FROM sqlite_master m, pragma_table_info(m.name) c"} {
		for _, name := range column(t, p.b.Pool, s) {
			g[`"`+strings.ReplaceAll(name, `"`, `""`)+`"`] = true
		}
	}
	return g
}

var numbered = regexp.MustCompile(`^(T|C|MANAGE_)?[0-9.]+$`) // aliases, savepoints, LIMIT

func (g grammar) check(t testing.TB, text string) func(string, []string) {
	return func(place string, statements []string) {
		for _, s := range statements {
			for _, token := range sqlToken.FindAllString(s, -1) {
				if key := token; !g[key] && !g[strings.ToUpper(key)] && !numbered.MatchString(strings.ToUpper(key)) && strings.TrimSpace(key) != "" {
					t.Errorf("%q at %q brings %s into SQL: %q", text, place, token, s)
				}
			}
		}
	}
}

// FuzzInjection puts a text into an eighth of the places: which says which
// one, and whether the text is marked.
func FuzzInjection(f *testing.F) {
	for i, s := range slices.Concat(classic, others) {
		if i%4 == 0 || !testing.Short() {
			f.Add(s, byte(i))
		}
	}
	b, r := recordedSQLite(f)
	p := newProbe(f, b, r)
	g := newGrammar(f, p)
	f.Fuzz(func(t *testing.T, text string, which byte) {
		if len(text) > 200 {
			return
		}
		p.eighth = int(which % 8)
		switch which / 8 % 4 {
		case 0:
			text = marker + text
		case 1:
			text += marker
		default:
			p.run(t, text, g.check(t, text))
			return
		}
		p.run(t, text, unmarked(t, text))
	})
}

// classic are texts that have broken other query builders.
var classic = []string{
	"'", `"`, "`", `\`, "'; DROP TABLE canary; --", `"; DROP TABLE canary; --`, "`; DROP TABLE canary; -- ", `\'; DROP TABLE canary; -- `, "1; DELETE FROM canary", "' OR '1'='1", "') OR ('1'='1",
	"' UNION SELECT n FROM canary --", `name" FROM author; DELETE FROM canary; --`, "id,(SELECT n FROM canary)", "name/*", "/*!50000 DELETE FROM canary */", "name\x00", "?", "$1", "%s", "\xbf\x27 OR 1=1 --",
	`k"]' = 'x`, `{"a'b": "c\"d"}`,
}

// others are texts that mean something to a database or to a query.
var others = []string{
	"]", "-- \n", "name ASC, (SELECT 1)", "-name", "??", "$$", ":name", "%", "_", "[a-", "(?i)", "\xff", "\u2028", "\u02bc; DELETE FROM canary", "name__exact", "___", "a__b__c", "pk", "author_id", "rowid", "canary",
	"CAnAry", "Author_ID", "Name", "MAIN.Author", "TEMP.author", "main.author", `a"$?b` + "`c", "1e999", "NaN", "NULL", "9223372036854775808", "[1]", "t0.id", "c0", "COUNT(*)",
}

// TestInjection tries the classic attacks on every database.
func TestInjection(t *testing.T) {
	drivers := map[string]string{"postgresql": "pgx", "mysql": "mysql"}
	for vendor, b := range backends(t) {
		t.Run(vendor, func(t *testing.T) {
			r := &recorder{}
			if vendor == "sqlite" {
				b, r = recordedSQLite(t)
			} else {
				b.Pool = recorded(t, drivers[vendor], serverDSN(t, b, drivers[vendor]), r)
			}
			p := newProbe(t, b, r)
			for i, text := range classic {
				if i%5 != 0 && testing.Short() {
					continue
				}
				text += marker
				p.run(t, text, unmarked(t, text))
				if t.Failed() {
					return // what follows would say the same
				}
			}
		})
	}
}
