package integration

import (
	"context"
	"fmt"
	"testing"
)

// TestPointedColumn compares and sets foreign keys to a unique column that is
// not the key by rows: they stand for what the key points to.
func TestPointedColumn(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			statements(t, b,
				`CREATE TABLE acct (id integer PRIMARY KEY, email varchar(50) UNIQUE)`,
				`CREATE TABLE letter (id integer PRIMARY KEY, mail varchar(50), FOREIGN KEY (mail) REFERENCES acct(email))`,
				`INSERT INTO acct (id, email) VALUES (1, 'a@x'), (2, 'b@x')`,
				`INSERT INTO letter (id, mail) VALUES (1, 'a@x'), (2, 'b@x'), (3, NULL)`,
			)
			call := start(t, oneDatabase(b.URL), `
def _ids(qs):
    return sorted(qs.values_list("id", flat = True))

def handle():
    acct, letter = db.table("acct"), db.table("letter")
    a = acct.get(id = 1)
    got = [
        _ids(letter.filter(mail_row = a)), _ids(letter.filter(mail = a)), _ids(letter.exclude(mail_row = a)), _ids(letter.filter(mail_row__in = [a])),
        _ids(letter.filter(mail_row__in = acct.filter(id = 1))), _ids(letter.exclude(mail_row__in = acct.filter(id = 1))),
        _ids(letter.filter(mail_row__in = acct.annotate(n = Count("letter")).filter(n = 1))), _ids(acct.filter(letter = letter.get(id = 2))),
    ]
    letter.filter(id = 3).update(mail = a)
    letter.bulk_create([{"id": 4, "mail_row": a}])
    letter.create(id = 5, mail_row = a)
    got.append(_ids(letter.filter(mail = "a@x")))
    letter.filter(mail_row = a).delete()
    got.append(_ids(letter))
    want = [[1], [1], [2, 3], [1], [1], [2, 3], [1, 2], [2], [1, 3, 4, 5], [2]]
    if got != want:
        fail(got)
`)
			if _, err := call(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestPointedColumnNull: nothing points to a row that has no value there.
func TestPointedColumnNull(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			statements(t, b,
				`CREATE TABLE acct (id integer PRIMARY KEY, email varchar(50) UNIQUE)`,
				`CREATE TABLE letter (id integer PRIMARY KEY, mail varchar(50), FOREIGN KEY (mail) REFERENCES acct(email))`,
				`INSERT INTO acct (id) VALUES (1)`,
				`INSERT INTO letter (id) VALUES (1)`,
			)
			call := start(t, oneDatabase(b.URL), `
def handle():
    letters = db.table("acct").get(id = 1).letter
    _, err = catch(lambda: letters.create(id = 2), ValueError)
    if letters.count() + letters.delete()[0] != 0 or "no value for mail to point to" not in err.message:
        fail(err)
    return db.table("letter").count()
`)
			if got, err := call(context.Background()); fmt.Sprint(got) != "1" || err != nil {
				t.Fatal(got, err)
			}
		})
	}
}
