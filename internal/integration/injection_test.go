package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/engine"
)

// injectionScript puts a user's text into every place that takes one. What a
// database makes of it may be an error; it must never be SQL.
const injectionScript = `

def handle():
    s = text()
    t = db.table("author")
    t.create(name = s, email = s[:90])
    row = t.get(name = s)
    if row.name != s or t.filter(name__exact = s).count() != 1:
        fail("the text came back as another: %r" % row.name)
    for lookup in ["iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "in", "gt", "lte", "range", "regex", "isnull", "date", "year"]:
        for v in [s, [s, s]]:
            catch(lambda: list(t.filter(**{"name__" + lookup: v})))
    for name in [s, "name__" + s, s + "__name", "data__" + s, "-" + s, "book__author_id__" + s, "created_at__" + s]:
        for call in [
            lambda: list(t.filter(**{name: s})), lambda: list(t.exclude(**{name: s})), lambda: list(t.filter(Q(**{name: s}) | ~Q(**{name: s}))), lambda: list(t.order_by(name)),
            lambda: list(t.values(name)), lambda: list(t.values_list(name, flat = True)), lambda: list(t.only(name)), lambda: list(t.select_related(name)),
            lambda: t.aggregate(**{name: Count("id")}), lambda: t.aggregate(n = Count(name)), lambda: t.aggregate(n = Sum(name, filter = Q(**{name: s}))),
            lambda: list(t.annotate(**{name: Lower("name")})), lambda: list(t.annotate(x = Coalesce(name, Value(s)))), lambda: list(t.values("name").annotate(**{name: Count("id")})),
            lambda: t.annotate(**{name: Count("id")}).aggregate(n = Max(name)), lambda: t.values(**{name: Lower("name")}).distinct().count(),
            lambda: t.filter(pk = -1).update(**{name: s}), lambda: t.filter(pk = -1).update(name = F(name)), lambda: t.create(**{name: s}), lambda: t.get_or_create(**{name: s}),
            lambda: t.update_or_create(defaults = {name: s}, **{name: s}), lambda: t.bulk_create([{name: s}]), lambda: t.bulk_update([row], [name]),
            lambda: t.bulk_create([{"name": s, "email": s}], update_conflicts = True, update_fields = [name], unique_fields = [name]),
            lambda: t.in_bulk([s], field_name = name), lambda: t.earliest(name), lambda: t.latest(name), lambda: row.save(update_fields = [name]),
            lambda: db.table(name), lambda: db.using(name), lambda: list(t.filter(Exists(t.filter(name = OuterRef(name))))), lambda: db.atomic(lambda: 1, isolation = name),
        ]:
            catch(call)
    catch(lambda: row[s])
    catch(lambda: db.query("SELECT ? AS a", s))
    data = {s: s, "k": [s]}
    r = t.create(name = "json", data = data)
    if t.get(pk = r.pk).data != data:
        fail("the JSON came back as another")
    catch(lambda: list(t.filter(data = {s: s})))
    if t.filter(data__k__0 = s).count() != 1:
        fail("the text in JSON was not found")
`

// canary is a table that injected SQL would drop or fill.
func checkInjection(t *testing.T, b dbtest.Backend, call func(context.Context) (any, error), text string) {
	t.Helper()
	if _, err := b.Pool.Exec("DELETE FROM author"); err != nil {
		t.Fatal(err)
	}
	if _, err := call(context.Background()); err != nil {
		if _, ok := errors.AsType[*engine.InternalError](err); ok || !strings.Contains(err.Error(), "NUL") {
			t.Errorf("%q: %v", text, err)
			if e, ok := errors.AsType[*engine.InternalError](err); ok {
				t.Log(e.Stack)
			}
		}
	}
	var n int
	if err := b.Pool.QueryRow("SELECT count(*) FROM canary").Scan(&n); err != nil || n != 1 {
		t.Fatalf("%q reached the database as SQL: %d rows in canary, %v", text, n, err)
	}
}

func injectionSetup(t *testing.T, b dbtest.Backend) (set func(string), call func(context.Context) (any, error)) {
	t.Helper()
	dbtest.Make(t, b)
	for _, s := range []string{"CREATE TABLE canary (id integer)", "INSERT INTO canary VALUES (1)"} {
		if _, err := b.Pool.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	var text string
	call = startText(t, oneDatabase(b.URL), func() string { return text }, injectionScript)
	return func(s string) { text = s }, call
}

func TestInjection(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			set, call := injectionSetup(t, b)
			for i, text := range []string{
				"x'; DROP TABLE canary; --", `x"; DROP TABLE canary; --`, "x`; DROP TABLE canary; --", "x]; DROP TABLE canary; --",
				`\'; DROP TABLE canary; -- `, "') OR 1=1; DELETE FROM canary; --", "?", "$1", "??", "$$", "%s", "%", "_", "a__b", "pk", "id) FROM canary; DROP TABLE canary; --",
				"{\"a\"}", `\\`, "/*", "*/", "--", "#", "é", "\u2028", "name) VALUES ('x'); DROP TABLE canary; --", "plan'}' = 'x", `$."a"[0]`, "",
			} {
				set(fmt.Sprintf("%s%d", text, i))
				checkInjection(t, b, call, text)
			}
		})
	}
}

func FuzzInjection(f *testing.F) {
	for _, s := range []string{"", "x", "'; DROP TABLE canary; --", "\"", "`", "\\", "name", "id__in", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 80 {
			t.Skip("longer than the columns are")
		}
		b := sqliteBackend(t)
		set, call := injectionSetup(t, b)
		set(strings.ToValidUTF8(text, "?"))
		checkInjection(t, b, call, text)
	})
}
