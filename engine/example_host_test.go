package engine_test

import (
	"context"
	"fmt"
	"os"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// sms is a host's own module: what its scripts may do, and no more.
type sms struct{ sent int }

func (*sms) Name() string { return "sms" }

func (s *sms) Predeclared() starlark.StringDict {
	return starlark.StringDict{
		"send_sms": engine.Func("send_sms", s.send, "number", "text"),
	}
}

func (s *sms) send(_ context.Context, number, text string) (int, error) {
	if number == "" {
		return 0, engine.ValueError.Errorf("send_sms: number is empty")
	}
	s.sent++
	return s.sent, nil
}

// A Go function becomes a builtin in one line.
func ExampleFunc() {
	eng := engine.New(engine.Config{
		Modules: append(builtins.Standard(), &sms{}),
		Stdout:  os.Stdout,
		FS: enginetest.Project(`
-- apps/ops/management/commands/remind.star --
help = "Remind two customers."

def handle():
    for number in ["+39 1", "+39 2"]:
        stdout.write("%d sent" % send_sms(number, text = "hello"))
    _, err = catch(lambda: send_sms("", "hello"), ValueError)
    stdout.write(err.message)
`),
	})
	defer eng.Close()
	eng.Run(context.Background(), []string{"manage", "remind"})
	// Output:
	// 1 sent
	// 2 sent
	// send_sms: number is empty
}

// A command written in Go is one kind of thing with a file: it is listed,
// parsed and called like any other.
func ExampleCommand() {
	greet := engine.Command{
		Name: "greet",
		Help: "Greet somebody.",
		AddArguments: func(p *argparse.Parser) error {
			return p.Add(argparse.Argument{Names: []string{"name"}, Help: "whom to greet"})
		},
		Handle: func(_ context.Context, inv *engine.Invocation) (any, error) {
			return fmt.Sprintf("hello %s", inv.Option("name")), nil
		},
	}
	eng := engine.New(engine.Config{
		Modules: builtins.Standard(),
		Apps:    []engine.App{{Label: "host", Commands: []engine.Command{greet}}},
		Stdout:  os.Stdout,
		FS: enginetest.Project(`
-- apps/ops/management/commands/twice.star --
def handle():
    call_command("greet", "Ada")
    call_command("greet", name = "Grace")
`),
	})
	defer eng.Close()
	eng.Run(context.Background(), []string{"manage", "twice"})
	// Output:
	// hello Ada
	// hello Grace
}
