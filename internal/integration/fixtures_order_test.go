package integration

import (
	"testing"

	"github.com/starmanage/starmanage/builtins/db/dbtest"
)

// TestFixturesOrderOfNames: tables come in one order, whatever a database
// thinks of capitals.
func TestFixturesOrderOfNames(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.Dialect, func(t *testing.T) { orderOfNames(t, b) })
	}
}

func orderOfNames(t *testing.T, b dbtest.Backend) {
	s := newStock(t, b)
	quote := map[string]string{"mysql": "`"}[b.Dialect]
	if quote == "" {
		quote = `"`
	}
	s.exec("CREATE TABLE order_b (id integer PRIMARY KEY)", "INSERT INTO order_b VALUES (1)",
		"CREATE TABLE "+quote+"order_C"+quote+" (id integer PRIMARY KEY)", "INSERT INTO "+quote+"order_C"+quote+" VALUES (1)")
	want := "[\n" + `{"model": "order_C", "pk": 1, "fields": {}},` + "\n" + `{"model": "order_b", "pk": 1, "fields": {}}` + "\n]\n"
	if got := s.must("dumpdata", "order"); got != want {
		t.Errorf("dumpdata prints\n%swant\n%s", got, want)
	}
}
