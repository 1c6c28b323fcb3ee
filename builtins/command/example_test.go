package command_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// A program calls a command: options go by name, the result is plain Go, and
// an expected failure is a CommandError.
func Example() {
	eng := engine.New(engine.Config{
		FS: enginetest.Project(`
-- apps/accounts/management/commands/find_user.star --
def add_arguments(parser):
    parser.add_argument("user_id", type = int)

def handle(user_id):
    return users.get(user_id) or CommandError("User %d not found." % user_id, returncode = 3)

users = {7: dict(name = "Zoë", plan = "pro")}
-- apps/accounts/management/commands/report.star --
def handle():
    user, err = catch(lambda: call_command("find_user", user_id = 42), CommandError)
    return err.message if err else user["name"]
`),
		Modules: []engine.Module{output.New(), command.New()},
	})
	defer eng.Close()
	ctx := context.Background()

	user, err := eng.Call(ctx, "find_user", engine.Args{Options: map[string]any{"user_id": 7}})
	fmt.Println(user, err)

	_, err = eng.Call(ctx, "find_user", engine.Args{Positional: []any{"42"}})
	if failed, ok := errors.AsType[*engine.CommandError](err); ok {
		fmt.Println(failed.Message, failed.ReturnCode)
	}

	text, err := eng.Call(ctx, "report", engine.Args{})
	fmt.Println(text, err)
	// Output:
	// map[name:Zoë plan:pro] <nil>
	// User 42 not found. 3
	// User 42 not found. <nil>
}
