package integration

import (
	"strings"
	"testing"
)

// A file of pg_dump's begins by emptying search_path. The history is found all
// the same, and the next migration finds the path as it was.
func TestMigrateSearchPath(t *testing.T) {
	const files = `
-- apps/shop/migrations/0001_dump.sql --
-- +goose Up
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.shop_a (id integer PRIMARY KEY);
-- +goose Down
SELECT pg_catalog.set_config('search_path', '', false);
DROP TABLE public.shop_a;
-- apps/shop/migrations/0002_next.sql --
-- +goose Up
CREATE TABLE shop_b (id integer PRIMARY KEY);
-- +goose Down
DROP TABLE shop_b;
-- apps/shop/migrations/0003_apart.sql --
-- +goose NO TRANSACTION
-- +goose Up
SET search_path = '';
CREATE TABLE public.shop_c (id integer PRIMARY KEY);
INSERT INTO shop_b VALUES (1);
-- +goose Down
DROP TABLE shop_c;
`
	onShops(t, files, func(t *testing.T, s *shop) {
		if s.b.Dialect != "postgresql" {
			t.Skip("search_path is PostgreSQL's")
		}
		s.wants(1, "Applying shop.0002_next... OK\n", "so statements 1 to 2 stay", "migrate")
		s.wants(0, " [-] 0003_apart (unfinished: applying it stopped after 2 of 3 steps)\n", "", "showmigrations")
		writeFiles(t, s.dir, strings.ReplaceAll(files, "INTO shop_b", "INTO public.shop_b"))
		s.must("migrate")
		s.must("migrate", "shop", "zero")
		if got := s.names(); got != "" {
			t.Errorf("at zero there are %s", got)
		}
	})
}
