package integration

import (
	"testing"

	"github.com/starmanage/starmanage/builtins/db/dbtest"
)

// TestConformanceEnclosed runs the conformance suite inside the kind of
// transaction that a test runs in.
func TestConformanceEnclosed(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) { dbtest.RunEnclosed(t, b) })
	}
}
