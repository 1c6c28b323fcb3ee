package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
)

// A program calls a command of the project, and captures what it writes.
func ExampleEngine_Call() {
	eng := engine.New(engine.Config{FS: os.DirFS(".."), Modules: builtins.Standard()})
	defer eng.Close()

	var out bytes.Buffer
	_, err := eng.Call(context.Background(), "compute_stats", engine.Args{
		Positional: []any{42},
		Options:    map[string]any{"since": "2026-04-01", "dry_run": true, "tags": []string{"python", "django"}},
		Stdout:     &out,
	})
	fmt.Print(out.String(), err)
	// Output:
	// user=42 since=2026-04-01 dry=True tags=["python", "django"]
	// <nil>
}

// A command calls others; their output is the caller's.
func ExampleEngine_Call_nested() {
	eng := engine.New(engine.Config{FS: os.DirFS(".."), Modules: builtins.Standard()})
	defer eng.Close()

	var out bytes.Buffer
	if _, err := eng.Call(context.Background(), "nightly", engine.Args{Stdout: &out}); err != nil {
		fmt.Println(err)
	}
	fmt.Print(out.String())
	// Output:
	// Tokens older than 30 days are expired
	// Counted the orders of yesterday
	// Nightly batch complete
}

// What a user can do wrong is a CommandError, misuse too.
func ExampleEngine_Call_errors() {
	eng := engine.New(engine.Config{FS: os.DirFS(".."), Modules: builtins.Standard()})
	defer eng.Close()

	for _, id := range []any{42, "x"} {
		_, err := eng.Call(context.Background(), "find_user", engine.Args{Positional: []any{id}})
		if failed, ok := errors.AsType[*engine.CommandError](err); ok {
			fmt.Println(failed.Message)
		}
	}
	// Output:
	// User 42 not found.
	// Error: argument user_id: invalid int value: 'x'
}

// The shell's way in: words to an exit code.
func ExampleEngine_Run() {
	eng := engine.New(engine.Config{FS: os.DirFS(".."), Modules: builtins.Standard(), Stdout: os.Stdout})
	defer eng.Close()

	code := eng.Run(context.Background(), []string{"manage", "find_user", "1"})
	fmt.Println("exit", code)
	// Output:
	// Found: ada@example.com
	// exit 0
}

// What commands there are, and what they take, as data.
func ExampleEngine_Commands() {
	eng := engine.New(engine.Config{FS: os.DirFS(".."), Modules: builtins.Standard()})
	defer eng.Close()

	infos, err := eng.Commands(context.Background())
	if err != nil {
		fmt.Println(err)
	}
	for _, info := range infos {
		if info.App == "accounts" {
			fmt.Printf("%s: %s\n", info.Name, info.Help)
		}
	}
	// Output:
	// cleanup_tokens: Report which auth tokens would expire.
	// compute_stats: Compute per-user stats.
	// find_user: Find a user by ID.
}
