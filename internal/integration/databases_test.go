// Package integration holds the tests that link the database drivers.
package integration

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// asManage is what cmd/manage gives to the database module.
var asManage = db.Config{Drivers: sqldb.Drivers{Collector: &sqldb.Collector{}}}

func TestMain(m *testing.M) {
	// What it logs to stderr it returns as errors too.
	if err := mysql.SetLogger(&mysql.NopLogger{}); err != nil {
		panic(err)
	}
	if err := registerFunctions(asManage.Drivers.Collector); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// backends returns a scratch database of each kind that there is: SQLite
// always, the servers where the environment names them.
func backends(t *testing.T) map[string]dbtest.Backend {
	t.Helper()
	all := map[string]dbtest.Backend{"sqlite": sqliteBackend(t)}
	if raw := os.Getenv("MANAGE_TEST_POSTGRES"); raw != "" {
		all["postgresql"] = serverBackend(t, raw, "pgx", "postgresql")
	}
	if raw := os.Getenv("MANAGE_TEST_MYSQL"); raw != "" {
		all["mysql"] = serverBackend(t, raw, "mysql", "mysql")
	}
	return all
}

func sqliteBackend(t *testing.T) dbtest.Backend {
	t.Helper()
	// Not TempDir, whose names hold a # in fuzz tests: it ends a URI's path.
	dir, err := os.MkdirTemp("", "manage-test-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "test.db")
	pool := open(t, "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=journal_mode(wal)")
	return dbtest.Backend{URL: "sqlite:///" + path + "?mode=rwc", Pool: pool, Dialect: "sqlite", Config: asManage}
}

// serverBackend makes a database of its own on a server and drops it in the
// end.
func serverBackend(t *testing.T, raw, driver, dialect string) dbtest.Backend {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("manage_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	admin := open(t, driver, dsn(u, driver, strings.TrimPrefix(u.Path, "/")))
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	own := *u
	own.Path = "/" + name
	pool := open(t, driver, dsn(u, driver, name))
	t.Cleanup(func() {
		pool.Close()
		drop := "DROP DATABASE " + name
		if dialect == "postgresql" {
			drop += " WITH (FORCE)"
		}
		if _, err := admin.Exec(drop); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	return dbtest.Backend{URL: own.String(), Pool: pool, Dialect: dialect}
}

// isMySQL reports whether a database is MySQL itself, not MariaDB.
func isMySQL(t *testing.T, b dbtest.Backend) bool {
	t.Helper()
	var version string
	if b.Dialect == "mysql" {
		if err := b.Pool.QueryRow("SELECT VERSION()").Scan(&version); err != nil {
			t.Fatal(err)
		}
	}
	return version != "" && !strings.Contains(version, "MariaDB")
}

func dsn(u *url.URL, driver, name string) string {
	if driver == "pgx" {
		own := *u
		own.Path = "/" + name
		return own.String()
	}
	password, _ := u.User.Password()
	return u.User.Username() + ":" + password + "@tcp(" + u.Host + ")/" + name + "?time_zone=%27%2B00%3A00%27"
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.Ping(); err != nil {
		t.Fatal(err)
	}
	if driver == "sqlite" {
		t.Cleanup(func() { pool.Close() })
	}
	return pool
}

func TestConformance(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) { dbtest.Run(t, b) })
	}
	t.Run("sqlite of a host that collects no rows", func(t *testing.T) {
		b := sqliteBackend(t)
		b.Config.Drivers.Collector = nil
		dbtest.Run(t, b)
	})
}
