package integration

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/engine/enginetest"
)

// TestUnittestKeptDatabase: migrations that changed since a database was kept
// are named, with the way out.
func TestUnittestKeptDatabase(t *testing.T) {
	for name, b := range backends(t) {
		if name == "sqlite" {
			continue // in memory: nothing is kept
		}
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(b.URL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if _, err := b.Pool.Exec("DROP DATABASE IF EXISTS test_" + strings.TrimPrefix(u.Path, "/")); err != nil {
					t.Error(err)
				}
			})
			if got := enginetest.Run(t, testingConfig(t, b.URL, testPasses), "test", "--keepdb"); got.Code != 0 {
				t.Fatalf("got %+v", got)
			}
			cfg := testingConfig(t, b.URL, testPasses)
			if err := os.Rename("apps/shop/migrations/0002_first.star", "apps/shop/migrations/0002_second.star"); err != nil {
				t.Fatal(err)
			}
			got := enginetest.Run(t, cfg, "test", "--keepdb")
			if got.Code != 1 || !strings.Contains(got.Stderr, "Migration shop.0002_second has the number of shop.0002_first") ||
				!strings.HasSuffix(got.Stderr, "\nThe test database was kept by an earlier run: without --keepdb it is made anew.\n") {
				t.Errorf("got %+v", got)
			}
			if got := enginetest.Run(t, testingConfig(t, b.URL, testPasses), "test"); got.Code != 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}
