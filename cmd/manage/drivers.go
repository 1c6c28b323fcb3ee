package main

// The database drivers, under the names that builtins/db knows: "sqlite",
// "pgx" and "mysql". No other package of the program links one.

import (
	"database/sql/driver"
	"errors"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// prepareDrivers gives SQLite its REGEXP operator and the fence around a
// project's own file: no other database file is attached or written (VACUUM
// INTO attaches its target), and no extension is loaded. MySQL's driver keeps
// what it would log for itself: stderr is the command's, and the error says it.
// It is called once, before a connection is opened.
func prepareDrivers() error {
	if err := mysql.SetLogger(&mysql.NopLogger{}); err != nil {
		return err
	}
	match := sqldb.Regexp()
	err := sqlite.RegisterDeterministicScalarFunction("regexp", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return match(args[0], args[1])
	})
	if err != nil {
		return err
	}
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		registerer, ok := conn.(sqlite.AuthorizerRegisterer)
		if !ok {
			return errors.New("this SQLite driver has no authorizer")
		}
		return registerer.RegisterAuthorizer(authorize)
	})
	return nil
}

// authorize is SQLite's authorizer (https://www.sqlite.org/c3ref/set_authorizer.html).
func authorize(action sqlite.AuthorizerActionCode, _, function, _, _ string) sqlite.AuthorizerReturnCode {
	switch {
	case action == sqlite.AuthAttach, action == sqlite.AuthDetach,
		action == sqlite.AuthFunction && function == "load_extension":
		return sqlite.AuthorizerDeny
	}
	return sqlite.AuthorizerOK
}
