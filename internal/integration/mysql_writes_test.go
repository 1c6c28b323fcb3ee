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
