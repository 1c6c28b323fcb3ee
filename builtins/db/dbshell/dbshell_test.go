package dbshell_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbshell"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// recorder is a Config.Run that keeps what it was asked to run.
type recorder struct {
	missing []string // programs that are not installed
	err     error

	names     []string // the programs asked for
	args, env []string // of the last
}

func (r *recorder) Run(_ context.Context, name string, args, env []string) error {
	r.names = append(r.names, name)
	r.args, r.env = args, env
	if slices.Contains(r.missing, name) {
		return &exec.Error{Name: name, Err: exec.ErrNotFound}
	}
	return r.err
}

// project is a program whose project has these DATABASES.
func project(r *recorder, databases string) engine.Config {
	cfg := engine.Config{FS: enginetest.Project("-- settings.star --\nDATABASES = " + databases + "\n"), Modules: modules(nil)}
	if r != nil {
		cfg.Modules = modules(r.Run)
	}
	return cfg
}

func modules(run func(context.Context, string, []string, []string) error) []engine.Module {
	d := db.New(db.Config{Pools: map[string]db.Pool{"hosts": {DB: new(sql.DB), Dialect: "sqlite"}}})
	return []engine.Module{d, dbshell.New(d, dbshell.Config{Run: run})}
}

// TestClients: what each kind of database's client is given. Source of the
// arguments: Django's DatabaseClient.settings_to_cmd_args_env.
func TestClients(t *testing.T) {
	for name, tt := range map[string]struct {
		url, words     string
		program        string
		args, env      []string
		missingProgram string
	}{
		"psql": {url: "postgres://ada:s3cret@db.example.com:6432/shop", program: "psql",
			args: []string{"-U", "ada", "-h", "db.example.com", "-p", "6432", "shop"}, env: []string{"PGPASSWORD=s3cret"}},
		"psql, parameters": {url: "postgres://ada:s3cret@db/shop", words: "-- -c select --csv", program: "psql",
			args: []string{"-U", "ada", "-h", "db", "-p", "5432", "-c", "select", "--csv", "shop"}, env: []string{"PGPASSWORD=s3cret"}},
		"psql, nothing but a name": {url: "postgres:///shop", program: "psql", args: []string{"-p", "5432", "shop"}},
		"psql, no name":            {url: "postgres://db", program: "psql", args: []string{"-h", "db", "-p", "5432"}},
		"psql, a socket":           {url: "postgres://ada@%2Fvar%2Frun%2Fpostgresql/shop", program: "psql", args: []string{"-U", "ada", "-h", "/var/run/postgresql", "-p", "5432", "shop"}},
		"psql, an escaped password": {url: "postgres://ada:p%40ss%2F%3A%20%25@db/shop", program: "psql",
			args: []string{"-U", "ada", "-h", "db", "-p", "5432", "shop"}, env: []string{"PGPASSWORD=p@ss/: %"}},
		"psql, a name that is no name": {url: "postgres://db/host%3Devil%20x%27", program: "psql", args: []string{"-h", "db", "-p", "5432", `dbname='host=evil x\''`}},
		"psql, a name like an option":  {url: "postgres://db/-c", program: "psql", args: []string{"-h", "db", "-p", "5432", "dbname='-c'"}},
		"psql, TLS and settings": {url: "postgres://db/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem&search_path=a,b%20c&pool_max_conns=4&sslpassword=x", program: "psql",
			args: []string{"-h", "db", "-p", "5432", "shop"}, env: []string{"PGSSLMODE=verify-full", "PGSSLROOTCERT=/etc/ca.pem", `PGOPTIONS=-c search_path=a,b\ c`}},

		"mysql": {url: "mysql://ada:s3cret@db.example.com:3307/shop", program: "mysql",
			args: []string{"--user=ada", "--protocol=tcp", "--host=db.example.com", "--port=3307", "--default-character-set=utf8mb4", "--database=shop"}, env: []string{"MYSQL_PWD=s3cret"}},
		"mysql, only mariadb is installed": {url: "mariadb://db/shop", missingProgram: "mysql", program: "mariadb", words: "-- -e select",
			args: []string{"--protocol=tcp", "--host=db", "--port=3306", "--default-character-set=utf8mb4", "--database=shop", "-e", "select"}},
		"mysql, a socket": {url: "mysql://ada@%2Frun%2Fmysqld.sock/shop", program: "mysql",
			args: []string{"--user=ada", "--socket=/run/mysqld.sock", "--default-character-set=utf8mb4", "--database=shop"}},
		"mysql, no host": {url: "mysql:///shop?charset=latin1,utf8", program: "mysql",
			args: []string{"--protocol=tcp", "--host=127.0.0.1", "--port=3306", "--default-character-set=latin1", "--database=shop"}},
		"mysql, TLS": {url: "mysql://db/shop?tls=true", program: "mysql",
			args: []string{"--protocol=tcp", "--host=db", "--port=3306", "--loose-ssl-mode=VERIFY_IDENTITY", "--loose-ssl", "--loose-ssl-verify-server-cert", "--default-character-set=utf8mb4", "--database=shop"}},
		"mysql, TLS without a look": {url: "mysql://db/shop?tls=skip-verify", program: "mysql",
			args: []string{"--protocol=tcp", "--host=db", "--port=3306", "--loose-ssl-mode=REQUIRED", "--loose-ssl", "--loose-skip-ssl-verify-server-cert", "--default-character-set=utf8mb4", "--database=shop"}},

		"sqlite":            {url: "sqlite:////var/new.sqlite3?mode=rwc", words: "-- .tables", program: "sqlite3", args: []string{"/var/new.sqlite3", ".tables"}},
		"sqlite, read only": {url: "sqlite:////dev/null?mode=ro", program: "sqlite3", args: []string{"-readonly", "/dev/null"}},
		"sqlite in memory":  {url: "sqlite://", program: "sqlite3", args: []string{":memory:"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			want := []string{tt.program}
			if tt.missingProgram != "" {
				r.missing = []string{tt.missingProgram}
				want = []string{tt.missingProgram, tt.program}
			}
			got := enginetest.Run(t, project(r, fmt.Sprintf(`{"default": %q}`, tt.url)), append([]string{"dbshell"}, strings.Fields(tt.words)...)...)
			if got.Code != 0 || got.Stdout != "" || got.Stderr != "" {
				t.Fatalf("code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
			if !slices.Equal(r.names, want) || !slices.Equal(r.args, tt.args) || !slices.Equal(r.env, tt.env) {
				t.Errorf("ran %q %q with %q\nwant %q %q with %q", r.names, r.args, r.env, want, tt.args, tt.env)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const databases = `{"default": "sqlite:///nowhere.sqlite3", "absolute": "sqlite:////nowhere/db.sqlite3", "replica": "postgres://ada:s3cret@db/shop", "odd": "postgres://db/shop?Sel%20ect=1"}`
	for words, want := range map[string]string{
		"dbshell":                           "has no folder",
		"dbshell --database absolute":       `database "absolute" (/nowhere/db.sqlite3) is not reachable: the database file does not exist`,
		"dbshell --database replicas":       "did you mean replica?",
		"dbshell --database hosts":          `database "hosts" is the program's own`,
		"dbshell --database odd":            `unknown option "Sel ect" of the database URL`,
		"dbshell --database replica --json": "dbshell has no --json",
	} {
		r := &recorder{}
		got := enginetest.Run(t, project(r, databases), strings.Fields(words)...)
		if got.Code != 1 || !strings.Contains(got.Stderr+got.Stdout, want) || r.names != nil {
			t.Errorf("manage %s: code %d, ran %q, want %q\n%s%s", words, got.Code, r.names, want, got.Stdout, got.Stderr)
		}
		if strings.Contains(got.Stdout+got.Stderr, "s3cret") {
			t.Errorf("manage %s shows the password", words)
		}
	}
	got := enginetest.Run(t, project(nil, databases), "dbshell", "--database", "replica")
	if got.Code != 1 || !strings.Contains(got.Stderr, "this program starts no database clients") {
		t.Errorf("without Run: code %d\n%s", got.Code, got.Stderr)
	}
	// Settings that stop half way name no database.
	r := &recorder{}
	got = enginetest.Run(t, project(r, `{"default": "postgres://db/shop"}`+"\nX = nope"), "dbshell")
	if got.Code != 1 || r.names != nil || !strings.Contains(got.Stderr, "undefined: nope") {
		t.Errorf("broken settings: code %d, ran %q\n%s", got.Code, r.names, got.Stderr)
	}
}

func TestNotInstalled(t *testing.T) {
	for url, want := range map[string][2]string{
		"postgres://db/shop": {"You appear not to have the 'psql' program installed or on your path.", "postgresql-client"},
		"mysql://db/shop":    {"You appear not to have the 'mysql' or 'mariadb' program installed or on your path.", "mariadb-client"},
		"sqlite://":          {"You appear not to have the 'sqlite3' program installed or on your path.", "the package sqlite3"},
	} {
		r := &recorder{missing: []string{"psql", "mysql", "mariadb", "sqlite3"}}
		got := enginetest.Run(t, project(r, fmt.Sprintf(`{"default": %q}`, url)), "dbshell")
		if got.Code != 1 || !strings.Contains(got.Stderr, want[0]) || !strings.Contains(got.Stderr, want[1]) {
			t.Errorf("%s: code %d\n%s", url, got.Code, got.Stderr)
		}
	}
}

// exitCode is a client's end as a Run of a host's may tell it.
type exitCode int

func (e exitCode) Error() string { return "ended" }
func (e exitCode) ExitCode() int { return int(e) }

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{exitCode(3), 3, `"psql" returned non-zero exit status 3.`},
		{exitCode(255), 255, "status 255"},
		{exitCode(-1), 1, "status -1"},
		{exitCode(3221225786), 1, "status 3221225786"},
		{errors.New("fork: no memory"), 1, "psql: fork: no memory"},
	} {
		got := enginetest.Run(t, project(&recorder{err: tt.err}, `{"default": "postgres://ada:s3cret@db/shop"}`), "dbshell")
		if got.Code != tt.code || !strings.Contains(got.Stderr, tt.text) || tt.err == nil && got.Stderr != "" {
			t.Errorf("%v: code %d, want %d and %q\n%s", tt.err, got.Code, tt.code, tt.text, got.Stderr)
		}
	}
}
