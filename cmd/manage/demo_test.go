package main

import (
	"os"
	"testing"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// TestDemo runs the demo project's own tests, apps/*/tests/test_*.star, each as
// a subtest.
func TestDemo(t *testing.T) {
	t.Chdir("../..")
	enginetest.Scripts(t, engine.Config{Modules: builtins.Standard(), Getenv: os.LookupEnv})
}
