package integration

import (
	"bytes"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbshell"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// shellClient is what a database's client is told in these tests.
type shellClient struct {
	programs       []string
	statement      string   // of which the client prints 42
	query, failing []string // parameters
	exitCode       int      // after failing
}

func shellClients() map[string]shellClient {
	return map[string]shellClient{
		"sqlite":     {programs: []string{"sqlite3"}, statement: "SELECT 40 + 2;\n", query: []string{"SELECT 40 + 2"}, failing: []string{"SELECT nope"}, exitCode: 1},
		"postgresql": {programs: []string{"psql"}, statement: "SELECT 40 + 2;\n", query: []string{"-c", "SELECT 40 + 2"}, failing: []string{"-c", "SELECT nope"}, exitCode: 1},
		"mysql":      {programs: []string{"mysql", "mariadb"}, statement: "SELECT 40 + 2;\n", query: []string{"-e", "SELECT 40 + 2"}, failing: []string{"-e", "SELECT nope"}, exitCode: 1},
	}
}

// dbshellRun runs dbshell on a URL with a client's own stdin and streams.
func dbshellRun(t *testing.T, databaseURL, stdin string, words ...string) enginetest.Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	clients := &dbshell.Process{Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr}
	d := db.New(db.Config{})
	cfg := engine.Config{
		FS:      enginetest.Project(fmt.Sprintf("-- settings.star --\nDATABASES = {\"default\": %q}\n", databaseURL)),
		Modules: []engine.Module{d, dbshell.New(d, dbshell.Config{Run: clients.Run})},
	}
	got := enginetest.Run(t, cfg, append([]string{"dbshell"}, words...)...)
	got.Stdout += stdout.String()
	got.Stderr += stderr.String()
	return got
}

// TestDBShell: the real clients on real databases.
func TestDBShell(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			c := shellClients()[name]
			installed(t, c.programs)
			got := dbshellRun(t, b.URL, "", append([]string{"--"}, c.query...)...)
			if got.Code != 0 || !strings.Contains(got.Stdout, "42") || got.Stderr != "" {
				t.Errorf("a query as a parameter: code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
			got = dbshellRun(t, b.URL, c.statement)
			if got.Code != 0 || !strings.Contains(got.Stdout, "42") || got.Stderr != "" {
				t.Errorf("a query from stdin: code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
			got = dbshellRun(t, b.URL, "", append([]string{"--"}, c.failing...)...)
			if got.Code != c.exitCode || !strings.Contains(got.Stderr, "nope") || !strings.Contains(got.Stderr, "returned non-zero exit status") {
				t.Errorf("a query that fails: code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
			// The database is the one that commands work on.
			if _, err := b.Pool.Exec("CREATE TABLE dbshell_was_here (n INTEGER)"); err != nil {
				t.Fatal(err)
			}
			got = dbshellRun(t, b.URL, "INSERT INTO dbshell_was_here VALUES (7);\n")
			var n int
			if err := b.Pool.QueryRow("SELECT n FROM dbshell_was_here").Scan(&n); err != nil || n != 7 {
				t.Errorf("the row that the client wrote: %d, %v\n%s%s", n, err, got.Stdout, got.Stderr)
			}
		})
	}
}

// TestDBShellPassword: a server that wants a password gets it.
func TestDBShellPassword(t *testing.T) {
	b, ok := backends(t)["mysql"]
	if !ok {
		t.Skip("MANAGE_TEST_MYSQL names no server; PostgreSQL's usual test servers ask for no password")
	}
	installed(t, []string{"mysql", "mariadb"})
	const password = `p@ss:w/rd# '"\é`
	user := fmt.Sprintf("shell%d", time.Now().UnixNano()%1e9)
	account := "'" + user + "'@'%'"
	if _, err := b.Pool.Exec("CREATE USER " + account + ` IDENTIFIED BY 'p@ss:w/rd# \'"\\é'`); err != nil {
		t.Skipf("this account may make no users: %v", err)
	}
	t.Cleanup(func() {
		if _, err := b.Pool.Exec("DROP USER " + account); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Pool.Exec("GRANT SELECT ON " + strings.TrimPrefix(u.Path, "/") + ".* TO " + account); err != nil {
		t.Fatal(err)
	}
	for password, wantCode := range map[string]int{password: 0, "wrong": 1} {
		u.User = url.UserPassword(user, password)
		got := dbshellRun(t, u.String(), "SELECT CURRENT_USER();\n")
		if got.Code != wantCode || wantCode == 0 && !strings.Contains(got.Stdout, user) {
			t.Errorf("password %q: code %d\n%s%s", password, got.Code, got.Stdout, got.Stderr)
		}
		if strings.Contains(got.Stdout+got.Stderr, password) {
			t.Errorf("the password %q is shown:\n%s%s", password, got.Stdout, got.Stderr)
		}
	}
}

// installed skips a test whose client is not on this machine.
func installed(t *testing.T, programs []string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			return
		}
	}
	t.Skipf("none of the programs %s is installed", strings.Join(programs, ", "))
}
