package integration

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbtest"
)

// likeMySQL opens connections to MariaDB that know no more than MySQL's:
// nothing comes back from INSERT, not every statement can be prepared, and
// comments for MariaDB are comments.
type likeMySQL struct{ driver.Connector }

func (c likeMySQL) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &mysqlConn{dc}, nil
}

type mysqlConn struct{ driver.Conn }

var (
	returning  = regexp.MustCompile(`(?i)\bRETURNING\b`)
	unprepared = regexp.MustCompile(`(?i)^\s*(CHECK|HELP|(RELEASE |ROLLBACK TO )?SAVEPOINT)\b`)
)

// text is a statement as MySQL would read it.
func (c *mysqlConn) text(s string) (string, error) {
	if returning.MatchString(s) {
		return "", &mysql.MySQLError{Number: 1064, Message: "no RETURNING on MySQL: " + s}
	}
	return strings.NewReplacer("SELECT VERSION()", "SELECT '8.4.0'", "/*M!", "/* ").Replace(s), nil
}

func (c *mysqlConn) ExecContext(ctx context.Context, s string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.text(s)
	if err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, s, args)
}

func (c *mysqlConn) QueryContext(ctx context.Context, s string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.text(s)
	if err != nil {
		return nil, err
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, s, args)
}

func (c *mysqlConn) PrepareContext(ctx context.Context, s string) (driver.Stmt, error) {
	s, err := c.text(s)
	if err == nil && unprepared.MatchString(s) {
		err = &mysql.MySQLError{Number: 1295, Message: "not supported in the prepared statement protocol yet: " + s}
	}
	if err != nil {
		return nil, err
	}
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, s)
}

func (c *mysqlConn) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c *mysqlConn) IsValid() bool { return c.Conn.(driver.Validator).IsValid() }

// mysqlServer is a scratch database with a pool of such connections.
func mysqlServer(t *testing.T) dbtest.Backend {
	t.Helper()
	b, ok := servers(t)["mysql"]
	if !ok {
		t.Skip("MANAGE_TEST_MYSQL names no server")
	}
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := mysql.ParseDSN(dsn(u, "mysql", strings.TrimPrefix(u.Path, "/")))
	if err != nil {
		t.Fatal(err)
	}
	cfg.ClientFoundRows = true
	cfg.Params["sql_mode"] = "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO'"
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(likeMySQL{connector})
	t.Cleanup(func() { pool.Close() })
	b.Config = db.Config{Pools: map[string]db.Pool{"default": {DB: pool}}}
	return b
}

func TestConformanceOfMySQL(t *testing.T) {
	if testing.Short() {
		t.Skip("TestConformance runs the same scripts on the same server")
	}
	dbtest.Run(t, mysqlServer(t))
}

func TestConformanceOfMySQLEnclosed(t *testing.T) {
	if testing.Short() {
		t.Skip("TestConformanceEnclosed runs the same scripts on the same server")
	}
	dbtest.RunEnclosed(t, mysqlServer(t))
}

// TestMySQLTellsNoKey: a row is read back by its key; without one it is what
// was given, and a key that MySQL would make and not tell is refused.
func TestMySQLTellsNoKey(t *testing.T) {
	b := mysqlServer(t)
	statements(t, b,
		`CREATE TABLE log (a varchar(9) NOT NULL, b int DEFAULT 7, at datetime(6), e int AS (b * 2), note varchar(9))`,
		`CREATE TABLE made (id varchar(40) DEFAULT (uuid()) PRIMARY KEY, n int)`,
		`CREATE TABLE two (a int, b int AUTO_INCREMENT, v varchar(9), PRIMARY KEY (b, a))`,
	)
	got, err := startOn(t, b.Config, nil, nil, `
def handle():
    log, made, two = db.table("log"), db.table("made"), db.table("two")
    row = log.create(a = "é", at = datetime(2026, 1, 2, 3, 4, 5))
    got = [row.a, row.b, str(row.at), row.e, row.note, log.create(a = Upper(Value("x"))).a]
    for fn in [lambda: made.create(n = 1), lambda: made.create(id = Lower(Value("X"))), lambda: made.get_or_create(n = 1)]:
        _, err = catch(fn, FieldError)
        if "give id a value" not in err.message:
            fail(err)
    made.bulk_create([{"n": 2}])
    for _ in range(2):
        if db.query("CHECK TABLE made")[0]["Msg_text"] != "OK":
            fail("CHECK")
    return got + [made.create(id = "k", n = 3).pk, made.count(), two.create(a = 3).b, two.create(a = 3, b = 0).b, two.create(a = 3, b = 9, v = "x").as_dict()]
`)(context.Background())
	if text := fmt.Sprint(got); err != nil || text != "[é 7 2026-01-02 03:04:05+00:00 <nil> <nil> X k 2 1 2 map[a:3 b:9 v:x]]" {
		t.Fatal(text, err)
	}
}
