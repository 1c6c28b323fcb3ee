package integration

import (
	"context"
	"testing"
)

// TestSQLiteNames asks for tables in other letters than they were made with,
// which SQLite takes for the same: statements and relations hold the tables'
// own names.
func TestSQLiteNames(t *testing.T) {
	b := sqliteBackend(t)
	statements(t, b,
		`CREATE TABLE Owner (id integer PRIMARY KEY, name text)`,
		`CREATE TABLE Pet (id integer PRIMARY KEY, owner_id integer REFERENCES OWNER(ID))`,
		`INSERT INTO Owner VALUES (1, 'Ann')`,
		`INSERT INTO Pet VALUES (1, 1)`,
	)
	call := start(t, oneDatabase(b.URL), `
def handle():
    sql = db.table("OWNER").sql()
    if '"Owner"' not in str(sql) or "OWNER" in str(sql):
        fail(sql)
    for name in ["main.PET", "MAIN.pet", "PET", "Pet"]:
        pet = db.table(name).select_related("owner").get(id = 1)
        if pet.owner.name != "Ann" or pet.owner != db.table("oWNER").get(id = 1):
            fail(name)
        if db.table("owner").filter(Pet = pet).count() != 1 or db.table(name).filter(owner__name = "Ann").count() != 1:
            fail(name)
    if db.table("SQLite_master").filter(type = "table").count() != 2:
        fail("sqlite_master")
    _, err = catch(lambda: db.table("\u017fqlite_master").count(), DatabaseError)
    return err.message
`)
	got, err := call(context.Background())
	if text, _ := got.(string); err != nil || text != `no table "ſqlite_master" in database "default": choices are Owner, Pet` {
		t.Fatal(got, err)
	}
}
