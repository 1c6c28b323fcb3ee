package integration

import (
	"context"
	"strings"
	"testing"
)

// TestPostgresTypes reads and writes columns of types that only PostgreSQL
// has: as text, in every kind of write.
func TestPostgresTypes(t *testing.T) {
	b, ok := servers(t)["postgresql"]
	if !ok {
		t.Skip("MANAGE_TEST_POSTGRES names no server")
	}
	statements(t, b,
		`CREATE TYPE mood AS ENUM ('sad', 'happy')`,
		`CREATE TABLE odd (id bigserial PRIMARY KEY, tags text[], grid integer[][], m mood, addr inet, span interval, r int4range, t time)`,
	)
	call := start(t, oneDatabase(b.URL), `
NAMES = ["tags", "grid", "m", "addr", "span", "r", "t"]
ONE = ['{a,"b,c",NULL}', "{{1,2},{3,4}}", "happy", "10.0.0.1", "01:02:03", "[1,5)", "12:30:00"]
TWO = ["{}", "{}", "sad", "::1", "2 days", "empty", "00:00:00"]

def _values(t):
    return [[row[name] for name in NAMES] for row in t.order_by("id")]

def handle():
    t = db.table("odd")
    one, two = dict(zip(NAMES, ONE)), dict(zip(NAMES, TWO))
    t.create(**one)
    t.bulk_create([two, {name: None for name in NAMES}])
    none = [None for _ in NAMES]
    if _values(t) != [ONE, TWO, none]:
        fail(_values(t))
    rows = list(t.order_by("id"))
    for row, values in zip(rows, [two, {name: None for name in NAMES}, one]):
        for name, v in values.items():
            row[name] = v
    t.bulk_update(rows, NAMES)
    if _values(t) != [TWO, none, ONE]:
        fail(_values(t))
    if t.filter(m = "sad").count() != 1 or t.filter(addr = "10.0.0.1").count() != 1 or t.filter(tags = ONE[0]).count() != 1:
        fail("lookups")
    t.bulk_create([dict(id = row.pk, **one) for row in rows], update_conflicts = True, unique_fields = ["id"], update_fields = NAMES)
    if _values(t) != [ONE] * 3:
        fail(_values(t))
    _, err = catch(lambda: t.bulk_create([{"m": "glad"}]), DatabaseError)
    return err.message
`)
	got, err := call(context.Background())
	if text, _ := got.(string); err != nil || !strings.Contains(text, `invalid input value for enum mood: "glad"`) {
		t.Fatal(got, err)
	}
}
