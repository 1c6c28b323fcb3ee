package integration

import (
	"database/sql/driver"

	"modernc.org/sqlite"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// registerRegexp gives SQLite its REGEXP operator, as cmd/manage does.
func registerRegexp() error {
	match := sqldb.Regexp()
	return sqlite.RegisterDeterministicScalarFunction("regexp", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return match(args[0], args[1])
	})
}
