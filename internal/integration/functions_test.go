package integration

import (
	"database/sql/driver"

	"modernc.org/sqlite"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// registerFunctions gives SQLite the functions that cmd/manage gives it.
func registerFunctions(rows *sqldb.Collector) error {
	err := sqlite.RegisterFunction(sqldb.CollectFunction, &sqlite.FunctionImpl{
		NArgs: -1, VolatileArgs: true,
		Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			return nil, rows.Collect(args)
		},
	})
	if err != nil {
		return err
	}
	match := sqldb.Regexp()
	return sqlite.RegisterDeterministicScalarFunction("regexp", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return match(args[0], args[1])
	})
}
