package datetime

import (
	"fmt"

	"github.com/starmanage/starmanage/engine"
)

// The texts of errors are Python's. What Python calls ValueError and OverflowError is the engine's ValueError here,
// because both say that a value cannot be used; TypeError and ZeroDivisionError are errors of the language, as
// Starlark's own.

func valueError(format string, args ...any) error { return engine.ValueError.Errorf(format, args...) }
func overflowError(format string, args ...any) error {
	return engine.ValueError.Errorf(format, args...)
}
func typeError(format string, args ...any) error { return fmt.Errorf(format, args...) }

func zeroDivisionError(text string) error { return typeError("%s", text) }
