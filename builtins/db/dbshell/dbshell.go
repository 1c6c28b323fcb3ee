// Package dbshell brings the command dbshell: a database's own client (psql,
// mysql or mariadb, sqlite3) on the connection that DATABASES names. The
// password goes through the client's environment, where other users of the
// machine cannot read it, and never through its arguments.
//
//	clients := &dbshell.Process{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
//	d := db.New(db.Config{})
//	modules := []engine.Module{d, dbshell.New(d, dbshell.Config{Run: clients.Run})}
package dbshell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
)

// Config says how clients are run.
type Config struct {
	// Run runs a program to its end on the terminal, or whatever the user's
	// streams are. args are without the program's name; env ("NAME=value") is
	// laid over the environment that the program gets. When ctx ends it stops
	// the program and returns an error that is ctx.Err(). A program that is not
	// installed is an error that is exec.ErrNotFound, one that failed an
	// *exec.ExitError or another error with its method ExitCode.
	// (*Process).Run is one. Default: none; the command says that this program
	// starts no clients.
	Run func(ctx context.Context, name string, args, env []string) error
}

// Module is the engine.Module that brings the command dbshell. It may be used
// by many runs at once as far as Config.Run may.
type Module struct {
	db  *db.Module
	cfg Config
}

var (
	_ engine.Module      = (*Module)(nil)
	_ engine.AppProvider = (*Module)(nil)
)

// New returns the module; d knows the databases. It does no I/O.
func New(d *db.Module, cfg Config) *Module { return &Module{db: d, cfg: cfg} }

// Name is "dbshell".
func (m *Module) Name() string { return "dbshell" }

// Predeclared gives scripts no names.
func (m *Module) Predeclared() starlark.StringDict { return nil }

// Apps gives the command dbshell.
func (m *Module) Apps() []engine.App {
	return []engine.App{{Label: "manage", Commands: []engine.Command{{
		Name: "dbshell",
		Help: "Run the database's own client: psql, mysql or sqlite3.\n\n" +
			"It gets the connection of DATABASES; a password goes through its environment.",
		Examples: []argparse.Example{
			{Line: "manage dbshell", Help: "the default database, on the terminal"},
			{Line: "manage dbshell --database replica -- -c 'SELECT 1'", Help: "what stands behind -- goes to the client as it is"},
			{Line: "manage dbshell < report.sql", Help: "statements from a file"},
		},
		AddArguments: addArguments,
		Handle:       m.handle,
		// As Django: a client helps where the checks fail.
		SystemCheckTags: []string{},
	}}}}
}

func addArguments(p *argparse.Parser) error {
	if err := p.Add(argparse.Argument{
		Names: []string{"--database"}, Default: "default", Metavar: []string{"ALIAS"},
		Help: "the database to open, by its alias in DATABASES (default: %(default)s)",
	}); err != nil {
		return err
	}
	return p.Add(argparse.Argument{
		Names: []string{"parameters"}, Nargs: argparse.ZeroOrMore,
		Help: "arguments for the client; write -- before them",
	})
}

// handle runs the client. Its exit code becomes the command's.
func (m *Module) handle(ctx context.Context, inv *engine.Invocation) (any, error) {
	// Settings that did not run to their end may lack the database that was
	// meant: the default one must not be opened in its place.
	if err := inv.Broken(); err != nil {
		return nil, err
	}
	if m.cfg.Run == nil {
		return nil, &engine.CommandError{Message: "this program starts no database clients", Hint: "Its dbshell.Config has no Run."}
	}
	if inv.JSON() {
		return nil, &engine.CommandError{Message: "dbshell has no --json: what a client writes is its own"}
	}
	alias, _ := inv.Option("database").(string)
	database, err := m.db.Database(inv, alias)
	if err != nil {
		return nil, err
	}
	c, err := clientOf(alias, database.Target(), parameters(inv.Option("parameters")))
	if err != nil {
		return nil, err
	}
	if err := inv.Stdout().Flush(); err != nil {
		return nil, err
	}
	return nil, m.run(ctx, c)
}

// run tries the client's programs, the first that is installed.
func (m *Module) run(ctx context.Context, c client) error {
	for _, name := range c.programs {
		err := m.cfg.Run(ctx, name, c.args, c.env)
		if errors.Is(err, exec.ErrNotFound) {
			continue
		}
		return failure(ctx, name, err)
	}
	// Django's sentence.
	return &engine.CommandError{
		Message: fmt.Sprintf("You appear not to have the '%s' program installed or on your path.", strings.Join(c.programs, "' or '")),
		Hint:    c.install,
	}
}

// failure is what the end of a client means: its exit code is the command's,
// 128 plus the signal's number for one that a signal ended, as shells have it.
func failure(ctx context.Context, name string, err error) error {
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return err
	}
	exit, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err)
	if !ok {
		return &engine.CommandError{Message: fmt.Sprintf("%s: %v", name, err), Err: err}
	}
	if signal := signalOf(err); signal > 0 {
		return &engine.CommandError{Message: fmt.Sprintf("%q was ended by a signal: %v.", name, signal), ReturnCode: 128 + int(signal), Err: err}
	}
	code := exit.ExitCode()
	e := &engine.CommandError{Message: fmt.Sprintf("%q returned non-zero exit status %d.", name, code), ReturnCode: code, Err: err}
	if code < 1 || code > 255 {
		e.ReturnCode = 1
	}
	return e
}

// signalOf returns the signal that ended a program; 0 when none did.
func signalOf(err error) syscall.Signal {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := e.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status.Signal()
		}
	}
	return 0
}

func parameters(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

// client is a program and what it is given.
type client struct {
	programs []string // the names that it has, in the order to try
	args     []string
	env      []string
	install  string // how to get it
}

// clientOf returns the client of a database's kind. Source of the arguments:
// Django's settings_to_cmd_args_env of each backend.
func clientOf(alias string, t sqldb.Target, parameters []string) (client, error) {
	if t.Dialect == nil {
		return client{}, &engine.CommandError{
			Message: fmt.Sprintf("database %q is the program's own: no URL says how a client reaches it", alias),
		}
	}
	switch t.Dialect.Vendor() {
	case "postgresql":
		return psql(t, parameters)
	case "mysql":
		return mysql(t, parameters), nil
	}
	return sqlite3(alias, t, parameters)
}

func sqlite3(alias string, t sqldb.Target, parameters []string) (client, error) {
	c := client{
		programs: []string{"sqlite3"},
		install:  "Install SQLite's shell: the package sqlite3 of Debian and Ubuntu, sqlite of Fedora, Alpine and Homebrew.",
	}
	mode := t.Options().Get("mode")
	if mode == "ro" {
		c.args = append(c.args, "-readonly")
	}
	if t.Path != "" && mode != "rwc" {
		// sqlite3 would make the file, and only migrate makes one.
		if _, err := os.Stat(t.Path); errors.Is(err, fs.ErrNotExist) {
			return c, db.Translate(&sqldb.Error{Kind: sqldb.Unreachable, Alias: alias, Place: t.Place, Message: sqldb.ErrMissingFile.Error(), Err: sqldb.ErrMissingFile})
		}
	}
	c.args = append(append(c.args, cmp.Or(t.Path, t.Place)), parameters...)
	return c, nil
}

func mysql(t sqldb.Target, parameters []string) client {
	c := client{
		programs: []string{"mysql", "mariadb"},
		install:  "Install a client of MySQL or MariaDB: the package mariadb-client or mysql-client of Debian and Ubuntu, mariadb of Fedora, mariadb-client of Alpine, mysql-client of Homebrew.",
	}
	if t.User != "" {
		c.args = append(c.args, "--user="+t.User)
	}
	if strings.HasPrefix(t.Host, "/") {
		c.args = append(c.args, "--socket="+t.Host)
	} else {
		// Without a protocol the client takes the socket for localhost,
		// whatever the port: perhaps another server than that of commands.
		c.args = append(c.args, "--protocol=tcp", "--host="+cmp.Or(t.Host, "127.0.0.1"), "--port="+t.Port)
	}
	options := t.Options()
	// MySQL's and MariaDB's clients spell TLS differently; what is "loose" is
	// left out with a warning by the one that does not know it.
	switch strings.ToLower(options.Get("tls")) {
	case "", "0", "false", "preferred":
	case "skip-verify":
		c.args = append(c.args, "--loose-ssl-mode=REQUIRED", "--loose-ssl", "--loose-skip-ssl-verify-server-cert")
	default:
		c.args = append(c.args, "--loose-ssl-mode=VERIFY_IDENTITY", "--loose-ssl", "--loose-ssl-verify-server-cert")
	}
	charset, _, _ := strings.Cut(cmp.Or(options.Get("charset"), "utf8mb4"), ",")
	c.args = append(c.args, "--default-character-set="+charset)
	if t.Name != "" {
		c.args = append(c.args, "--database="+t.Name) // by its option: a name may start with a dash
	}
	c.args = append(c.args, parameters...)
	if t.Password != "" {
		c.env = append(c.env, "MYSQL_PWD="+t.Password)
	}
	return c
}
