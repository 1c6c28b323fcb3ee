package integration

import "testing"

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
