package output_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// A program calls a command and captures what it writes.
func Example() {
	eng := engine.New(engine.Config{
		FS: enginetest.Project(`
-- apps/accounts/management/commands/list_plans.star --
def handle():
    stdout.table([dict(plan = "free", users = 120), dict(plan = "pro", users = 7)])
    stderr.write("2 plans")
`),
		Modules: []engine.Module{output.New()},
	})
	defer eng.Close()

	var stdout, stderr bytes.Buffer
	_, err := eng.Call(context.Background(), "list_plans", engine.Args{Stdout: &stdout, Stderr: &stderr})
	fmt.Print(stdout.String())
	fmt.Print("stderr: ", stderr.String())
	fmt.Println("error:", err)
	// Output:
	// plan	users
	// free	120
	// pro	7
	// stderr: 2 plans
	// error: <nil>
}
