// Package sqldb is what lies below the db builtins: databases behind URLs,
// their schema, queries as data compiled to SQL, rows in chunks, transactions
// as statements, and bulk writes, for SQLite, PostgreSQL and MySQL or MariaDB.
//
//   - [Target], [ParseURL]: what a database URL means.
//   - [Database]: one alias; opened when first used; shared by goroutines.
//   - [Runner], [Tx]: where statements run: on a pool, or in a transaction.
//   - [Table], [Column], [ForeignKey]: what introspection found.
//   - [Select], [Cond], [Expr]: a query as data. Compile writes SQL in which
//     every value is bound and every identifier comes from a Table.
//   - [Chunk]: rows as the driver gave them.
//
// It knows database/sql, no driver, and no Starlark. Values are plain Go: nil,
// bool, int64, float64, string, []byte, time.Time, and the named strings
// [Decimal], [Date], [JSON].
package sqldb
