package engine_test

import (
	"context"
	"testing"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
)

// BenchmarkCall measures one call of a small command from Go, and
// BenchmarkCallCommand one from a script: lookup, the file's content compared,
// its top level, add_arguments, values, handle.
func BenchmarkCall(b *testing.B) {
	eng := benchEngine()
	defer eng.Close()
	for b.Loop() {
		if _, err := eng.Call(context.Background(), "small", engine.Args{Options: map[string]any{"days": 7}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallCommand(b *testing.B) {
	eng := benchEngine()
	defer eng.Close()
	b.ResetTimer()
	if _, err := eng.Call(context.Background(), "caller", engine.Args{Positional: []any{b.N}}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStart measures a new Engine with one command run: all that a
// process does after its start.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		eng := benchEngine()
		if code := eng.Run(context.Background(), []string{"manage", "small", "--days", "7"}); code != 0 {
			b.Fatal(code)
		}
		eng.Close()
	}
}

func benchEngine() *engine.Engine {
	return engine.New(engine.Config{Modules: builtins.Standard(), FS: project(map[string]string{
		"small":  "def add_arguments(parser):\n    parser.add_argument(\"--days\", type = int, default = 30)\n\ndef handle(days):\n    return days\n",
		"caller": "def add_arguments(parser):\n    parser.add_argument(\"n\", type = int)\n\ndef handle(n):\n    for _ in range(n):\n        call_command(\"small\", days = 7)\n",
	})})
}
