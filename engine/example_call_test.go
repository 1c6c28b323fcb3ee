package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// article is a project with commands of the kind that Django's articles show.
const article = `
-- apps/accounts/management/commands/compute_stats.star --
help = "Compute per-user stats."

def add_arguments(parser):
    parser.add_argument("user_id", type = int, help = "Target user ID")
    parser.add_argument("--since", default = "2026-01-01", help = "Start date (YYYY-MM-DD)")
    parser.add_argument("--dry-run", action = "store_true", help = "Simulate only, no actual changes")
    parser.add_argument("--tags", nargs = "+", default = [], help = "Target tags (space-separated)")

def handle(user_id, since, dry_run, tags):
    stdout.write("user=%d since=%s dry=%s tags=%s" % (user_id, since, dry_run, tags))
-- apps/accounts/management/commands/find_user.star --
help = "Find a user by ID."

def add_arguments(parser):
    parser.add_argument("user_id", type = int, help = "The user's ID")

_EMAILS = {1: "ada@example.com"}

def handle(user_id):
    email = _EMAILS.get(user_id) or CommandError("User %d not found." % user_id)
    stdout.write(style.SUCCESS("Found: " + email))
-- apps/accounts/management/commands/cleanup_tokens.star --
help = "Stand in for the deletion of expired tokens."

def add_arguments(parser):
    parser.add_argument("--days", type = int, default = 30, help = "Days after which a token is expired")

def handle(days):
    stdout.write("Tokens older than %d days are expired" % days)
-- apps/orders/management/commands/compute_daily_stats.star --
help = "Stand in for the daily statistics."

def handle():
    stdout.write("Counted the orders of yesterday")
-- apps/ops/management/commands/nightly.star --
help = "Nightly batch: token cleanup and daily stats."

def handle():
    call_command("cleanup_tokens", days = 30)
    call_command("compute_daily_stats")
    stdout.write(style.SUCCESS("Nightly batch complete"))
`

// A program calls a command of the project, and captures what it writes.
func ExampleEngine_Call() {
	eng := engine.New(engine.Config{FS: enginetest.Project(article), Modules: builtins.Standard()})
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
	eng := engine.New(engine.Config{FS: enginetest.Project(article), Modules: builtins.Standard()})
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
	eng := engine.New(engine.Config{FS: enginetest.Project(article), Modules: builtins.Standard()})
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
	eng := engine.New(engine.Config{FS: enginetest.Project(article), Modules: builtins.Standard(), Stdout: os.Stdout})
	defer eng.Close()

	code := eng.Run(context.Background(), []string{"manage", "find_user", "1"})
	fmt.Println("exit", code)
	// Output:
	// Found: ada@example.com
	// exit 0
}

// What commands there are, and what they take, as data.
func ExampleEngine_Commands() {
	eng := engine.New(engine.Config{FS: enginetest.Project(article), Modules: builtins.Standard()})
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
	// cleanup_tokens: Stand in for the deletion of expired tokens.
	// compute_stats: Compute per-user stats.
	// find_user: Find a user by ID.
}
