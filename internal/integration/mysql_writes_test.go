package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestMySQLIgnoresConflictsOnly: what does not fit is an error and not altered,
// in tables without a key too.
func TestMySQLIgnoresConflictsOnly(t *testing.T) {
	on(t, "mysql", `
def handle():
    log, ids, got = db.table("log"), db.table("ids"), []
    for rows in [[{"n": 1}, {"n": 3000000000}], [{"n": 1}, {"n": None}], [{"n": 1, "s": "abcde"}], [{"n": 1, "d": Decimal("12345.67")}]]:
        _, err = catch(lambda: log.bulk_create(rows, ignore_conflicts = True), DatabaseError)
        got.append(err != None)
    log.bulk_create([{"n": 1}, {"n": 1, "s": "x"}], ignore_conflicts = True)
    ids.bulk_create([{"id": 5}, {"id": 5}, {"id": 6}], ignore_conflicts = True)
    ids.bulk_create([{}, {}], ignore_conflicts = True)
    return [got, log.count(), ids.count()]
`, "[[true true true true] 2 4]", "CREATE TABLE log (g int AS (n + 1), n int NOT NULL, s varchar(3), d decimal(5, 2))", "CREATE TABLE ids (id int AUTO_INCREMENT PRIMARY KEY)")
}

// TestMySQLLargeStatements: rows that are large go in statements that the server
// takes, and the error over a row that is too large names the setting.
func TestMySQLLargeStatements(t *testing.T) {
	on(t, "mysql", `
def handle():
    t, got = db.table("big"), []
    t.bulk_create([{"id": i, "body": "x" * 1700000} for i in range(40)])
    rows = list(t)
    for row in rows:
        row.body = "y" * 1700000
    got.append(t.bulk_update(rows, ["body"]))
    body = "z" * (db.query("SELECT @@max_allowed_packet AS n")[0].n + 1)
    for fn in [lambda: t.bulk_create([{"id": 40, "body": body}]), lambda: t.filter(id = 1).update(body = body)]:
        _, err = catch(fn, DatabaseError)
        got.append("max_allowed_packet: raise that, or write less at a time" in err.message)
    return got + [t.filter(body__startswith = "y").count()]
`, "[40 true true 40]", "CREATE TABLE big (id int PRIMARY KEY, body longtext)")
}

// TestDeadlockIsADatabaseError: in a nested block too, though MySQL has rolled
// back its savepoint with all of the transaction; run again it succeeds.
func TestDeadlockIsADatabaseError(t *testing.T) {
	for name, b := range servers(t) {
		t.Run(name, func(t *testing.T) {
			statements(t, b, "CREATE TABLE dl (id int PRIMARY KEY, n int)", "INSERT INTO dl VALUES (1, 0), (2, 0)")
			body := `
def handle():
    t, caught = db.table("dl"), []
    def add(id):
        t.filter(id = id).update(n = F("n") + 1)
    def run():
        add(%d)
        db.query({"postgresql": "SELECT pg_sleep(0.5)", "mysql": "SELECT SLEEP(0.5)"}[db.connection.vendor])
        _, err = catch(lambda: db.atomic(add, %d))
        if err != None:
            caught.append(err.type)
            fail(err)
    for _ in range(2):
        if catch(lambda: db.atomic(run))[1] == None:
            break
    return caught
`
			one := start(t, oneDatabase(b.URL), fmt.Sprintf(body, 1, 2))
			two := start(t, oneDatabase(b.URL), fmt.Sprintf(body, 2, 1))
			type result struct {
				v   any
				err error
			}
			ran := make(chan result)
			for _, run := range []func(context.Context) (any, error){one, two} {
				go func() {
					v, err := run(context.Background())
					ran <- result{v, err}
				}()
			}
			var got []any
			for range 2 {
				r := <-ran
				if r.err != nil {
					t.Error(r.err)
					continue
				}
				got = append(got, r.v.([]any)...)
			}
			if text := fmt.Sprint(got); text != "[DatabaseError]" {
				t.Errorf("caught %s, want one DatabaseError", text)
			}
		})
	}
}

// TestFloatsOfFourBytes: they are the shortest decimal that means them, and rows
// are found by what was read.
func TestFloatsOfFourBytes(t *testing.T) {
	for _, kind := range []string{"postgresql real", "mysql float", "mysql float unsigned", "mysql double", "sqlite float"} {
		vendor, kind, _ := strings.Cut(kind, " ")
		t.Run(kind, func(t *testing.T) {
			on(t, vendor, `
def handle():
    t = db.table("f")
    t.bulk_create([{"k": k, "n": 0} for k in [0.1, 2.7182817, 1234567.0]])
    t.create(k = 16777216, n = 0)
    rows = list(t.order_by("k"))
    got = [[r.k for r in rows], [r.k for r in db.query("SELECT k FROM f ORDER BY k")], t.aggregate(m = Min("k"))["m"]]
    for r in rows:
        r.n = 1
        r.save()
        r.refresh_from_db()
        r.n += 1
    got += [t.bulk_update(rows, ["n"]), t.filter(n = 2).count(), [r.k for r in t.iterator(chunk_size = 1)]]
    keys = [r.k for r in rows]
    got += [t.filter(k__in = keys).count(), t.filter(k__in = keys * 20000).count(), t.filter(k__gt = 0.1, k__lt = 1e300).count(), len(t.in_bulk(keys)), t.get(k = 0.1).n]
    rows[0].k = 0.3
    rows[0].save()
    return got + [rows[0].delete()[0], t.exclude(k = 2.7182817).count()]
`, "[[0.1 2.7182817 1.234567e+06 1.6777216e+07] [0.1 2.7182817 1.234567e+06 1.6777216e+07] 0.1 4 4 [0.1 2.7182817 1.234567e+06 1.6777216e+07] 4 4 3 4 2 1 2]",
				"CREATE TABLE f (k "+kind+" PRIMARY KEY, n int)")
		})
	}
}
