package integration

import (
	"net/url"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/builtins/db/dbtest"
)

// serverDSN is what the driver is opened with for b.
func serverDSN(t testing.TB, b dbtest.Backend, driver string) string {
	t.Helper()
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	return dsn(u, driver, strings.TrimPrefix(u.Path, "/"))
}
