package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// The kinds of error that scripts can name in catch.
var (
	// DatabaseError is what a database refused.
	DatabaseError = engine.NewErrorType("DatabaseError", nil)
	// IntegrityError is a violated constraint; it is a DatabaseError.
	IntegrityError = engine.NewErrorType("IntegrityError", DatabaseError)
	// DoesNotExist is get without a row.
	DoesNotExist = engine.NewErrorType("DoesNotExist", nil)
	// MultipleObjectsReturned is get with several rows.
	MultipleObjectsReturned = engine.NewErrorType("MultipleObjectsReturned", nil)
	// FieldError is a name that resolves to no column.
	FieldError = engine.NewErrorType("FieldError", nil)
)

// Translate makes an error of sqldb one that scripts can catch; one that a
// database is not reachable is a *engine.CommandError too, for that is no bug of
// the script's. Other errors pass through.
func Translate(err error) error { return translate(err) }

func translate(err error) error {
	if err == nil {
		return nil
	}
	if engine.TypeOf(err) != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if e, ok := errors.AsType[*sqldb.FieldError](err); ok {
		return FieldError.Errorf("%w", e)
	}
	if e, ok := errors.AsType[*sqldb.ValueError](err); ok {
		return engine.ValueError.Errorf("%w", e)
	}
	if e, ok := errors.AsType[*sqldb.NoTableError](err); ok {
		return DatabaseError.Errorf("%w", e)
	}
	if e, ok := errors.AsType[*sqldb.BrokenError](err); ok {
		return DatabaseError.Errorf("%w", e)
	}
	e, ok := errors.AsType[*sqldb.Error](err)
	if !ok {
		return err
	}
	where := ""
	if e.Place != "" {
		where = " (" + e.Place + ")"
	}
	switch e.Kind {
	case sqldb.IntegrityError:
		return IntegrityError.Errorf("%w", e)
	case sqldb.RetryError:
		return DatabaseError.Errorf("database %q%s: %w", e.Alias, where, e)
	case sqldb.Unreachable:
		hint := ""
		if errors.Is(e, sqldb.ErrMissingFile) {
			hint = "run migrate to create it"
		}
		return &engine.CommandError{Message: fmt.Sprintf("database %q%s is not reachable: %s", e.Alias, where, e.Message), Hint: hint, Err: e, Type: DatabaseError}
	case sqldb.ConnectionError:
		return DatabaseError.Errorf("the connection to database %q%s was lost: %w", e.Alias, where, e)
	}
	return DatabaseError.Errorf("%w", e)
}

// within says which argument or column an error is about, in the message that
// a script catches too.
func within(name string, err error) error {
	if e, ok := errors.AsType[*engine.TypedError](err); ok {
		return e.Type.Errorf("%s: %s", name, e.Message)
	}
	if engine.TypeOf(err) != nil {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
