package main

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCancelledStatement: a statement that PostgreSQL was told to end with the
// run is not committed when the process is gone.
func TestCancelledStatement(t *testing.T) {
	url := os.Getenv("MANAGE_TEST_POSTGRES")
	if url == "" {
		t.Skip("MANAGE_TEST_POSTGRES names no server")
	}
	pool, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	const table = "manage_cancelled_statement"
	if _, err := pool.Exec("CREATE TABLE " + table + " (n int)"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := pool.Exec("DROP TABLE " + table); err != nil {
			t.Error(err)
		}
	}()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	commands := filepath.Join(dir, "apps/a/management/commands")
	err = errors.Join(os.Symlink(self, filepath.Join(dir, "manage")), os.MkdirAll(commands, 0o755),
		os.WriteFile(filepath.Join(commands, "slow.star"), []byte("def handle():\n    db.execute(\"INSERT INTO "+table+" SELECT 1 FROM pg_sleep(2)\")\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "manage"), "--project", dir, "slow", "--timeout", "300ms")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 124 || !strings.Contains(string(out), "timeout of 300ms") {
		t.Fatalf("%v: %s", err, out)
	}
	time.Sleep(2500 * time.Millisecond) // longer than the statement takes
	var n int
	if err := pool.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}
