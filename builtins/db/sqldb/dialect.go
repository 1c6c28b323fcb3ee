package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Dialect is a kind of database: SQLite{}, PostgreSQL{} or MySQL{}. It is
// closed: the methods below say everything in which the three differ.
type Dialect interface {
	// Vendor is Django's name: "sqlite", "postgresql" or "mysql".
	Vendor() string

	// connections
	checkOptions(url.Values) error
	dsn(t Target, create bool) (string, error)
	// setup returns the statements that every new connection of ours runs.
	setup(t Target) []string
	// cachesStatements: the driver keeps prepared statements by itself.
	cachesStatements() bool

	// text
	quote(name string) string
	numbered() bool // placeholders are $1, $2 …
	maxParams() int

	// transactions
	begin(isolation string) ([]string, error)

	// errors
	classify(err error) ErrorKind

	// schema
	tables(ctx context.Context, r Runner) ([]string, error)
	inspect(ctx context.Context, r Runner, schema, name string) (*Table, error)
	foreignKeys(ctx context.Context, r Runner) ([]keyEdge, error)

	// values
	encode(v any) any
}

// DialectByName returns the dialect that a name means ("sqlite", "postgresql",
// "mysql"); nil for the empty name, which means that it is to be found out.
func DialectByName(name string) (Dialect, error) {
	switch strings.ToLower(name) {
	case "":
		return nil, nil
	case "sqlite", "sqlite3":
		return SQLite{}, nil
	case "postgresql", "postgres", "pgx":
		return PostgreSQL{}, nil
	case "mysql", "mariadb":
		return MySQL{}, nil
	}
	return nil, fmt.Errorf("unknown dialect %q: want sqlite, postgresql or mysql", name)
}

// Detect finds out the dialect of a host's own database: by the driver's
// type, else by asking.
func Detect(ctx context.Context, db *sql.DB) (Dialect, error) {
	name := strings.ToLower(fmt.Sprintf("%T", db.Driver()))
	switch {
	case strings.Contains(name, "sqlite"):
		return SQLite{}, nil
	case strings.Contains(name, "mysql"):
		return MySQL{}, nil
	case strings.Contains(name, "stdlib.driver"), strings.Contains(name, "pgx"), strings.Contains(name, "*pq."):
		return PostgreSQL{}, nil
	}
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err == nil {
		return SQLite{}, nil
	}
	if err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return nil, fmt.Errorf("cannot find out what kind of database this is: %w", err)
	}
	if strings.HasPrefix(version, "PostgreSQL") {
		return PostgreSQL{}, nil
	}
	return MySQL{}, nil
}

// Decimal is an exact number in plain notation: "-12.50".
type Decimal string

// Date is a day, "2026-01-31".
type Date string

// JSON is a JSON text.
type JSON string

// CheckTime refuses an instant that could be written and not read: databases keep
// them in UTC, and the years are 1 to 9999 there.
func CheckTime(t time.Time) error {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return &ValueError{fmt.Sprintf("%s is out of range: it is kept in UTC, where its year is %d", t.Format("2006-01-02 15:04:05-07:00"), year)}
	}
	return nil
}

// timeText writes an instant as UTC text, YYYY-MM-DD HH:MM:SS[.ffffff].
func timeText(t time.Time) string {
	t = t.UTC()
	b := make([]byte, 0, 26)
	b = t.AppendFormat(b, "2006-01-02 15:04:05")
	if us := t.Nanosecond() / 1000; us != 0 {
		b = append(b, '.')
		for d := 100000; d > 0; d /= 10 {
			b = append(b, byte('0'+us/d%10))
		}
	}
	return string(b)
}

// encodeText turns our named types into strings, as every driver takes them.
func encodeText(v any) any {
	switch v := v.(type) {
	case Decimal:
		return string(v)
	case Date:
		return string(v)
	case JSON:
		return string(v)
	case time.Time:
		return timeText(v)
	}
	return v
}

// ErrorKind is what a database's error means to a program.
type ErrorKind int

const (
	// OtherError is any error of the database.
	OtherError ErrorKind = iota
	// IntegrityError is a violated constraint.
	IntegrityError
	// RetryError is a serialization failure, a deadlock or a lock not got: the
	// same transaction may succeed when it is run again.
	RetryError
	// ConnectionError is a connection that was lost.
	ConnectionError
	// Unreachable is a database to which no connection could be made.
	Unreachable
)

// Error is an error of the database.
type Error struct {
	Kind ErrorKind
	// Alias and Place say which database.
	Alias, Place string
	// Message is the driver's, without password.
	Message string
	Err     error
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the driver's error.
func (e *Error) Unwrap() error { return e.Err }
