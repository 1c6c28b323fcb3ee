package main

// The database drivers, under the names that builtins/db knows: "sqlite",
// "pgx" and "mysql". No other package of the program links one.

import (
	"database/sql/driver"
	"errors"
	"reflect"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// prepareDrivers gives SQLite its REGEXP operator, the collector of its rows and
// the fence around a project's own file: no other database file is attached or
// written (VACUUM INTO attaches its target), and no extension is loaded. MySQL's
// driver keeps what it would log for itself: stderr is the command's, and the
// error says it. It is called once, before a connection is opened.
func prepareDrivers() (sqldb.Drivers, error) {
	about := sqldb.Drivers{Collector: &sqldb.Collector{}, Interrupt: interruptSQLite, Abandoned: abandonedPostgreSQL}
	if err := mysql.SetLogger(&mysql.NopLogger{}); err != nil {
		return about, err
	}
	match := sqldb.Regexp()
	err := sqlite.RegisterDeterministicScalarFunction("regexp", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return match(args[0], args[1])
	})
	if err != nil {
		return about, err
	}
	err = sqlite.RegisterFunction(sqldb.CollectFunction, &sqlite.FunctionImpl{
		NArgs: -1, VolatileArgs: true,
		Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			return nil, about.Collector.Collect(args)
		},
	})
	if err != nil {
		return about, err
	}
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		registerer, ok := conn.(sqlite.AuthorizerRegisterer)
		if !ok {
			return errors.New("this SQLite driver has no authorizer")
		}
		return registerer.RegisterAuthorizer(authorize)
	})
	return about, nil
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

// interruptSQLite returns sqlite3_interrupt for a connection of SQLite's driver
// (https://www.sqlite.org/c3ref/interrupt.html). The driver calls it until a
// query's first row only, and shows nobody the handle that it takes: it is read
// from a field, and without that field there is nothing to return.
func interruptSQLite(conn driver.Conn) func() {
	v := reflect.Indirect(reflect.ValueOf(conn))
	if v.Kind() != reflect.Struct {
		return nil
	}
	handle := v.FieldByName("db")
	if handle.Kind() != reflect.Uintptr {
		return nil
	}
	db := uintptr(handle.Uint())
	return func() {
		tls := libc.NewTLS()
		defer tls.Close()
		sqlite3.Xsqlite3_interrupt(tls, db)
	}
}

// abandonedPostgreSQL tells of what PostgreSQL's driver does behind a cancelled
// statement: it asks the server to end it, and closes the connection.
func abandonedPostgreSQL(conn driver.Conn) <-chan struct{} {
	c, ok := conn.(*stdlib.Conn)
	if !ok || !c.Conn().IsClosed() {
		return nil
	}
	return c.Conn().PgConn().CleanupDone()
}
