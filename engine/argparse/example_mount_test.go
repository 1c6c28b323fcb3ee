package argparse_test

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/starmanage/starmanage/engine/argparse"
)

// A host with a pflag program of its own mounts the options beside its flags. The
// host's pflag does the parsing; Collect then gives the values.
func ExampleParser_FlagSet() {
	p := argparse.New(argparse.Config{Prog: "host prune"})
	p.Add(argparse.Argument{Names: []string{"--days", "-d"}, Type: argparse.Int, Default: 30, Help: "how old"})
	p.Add(argparse.Argument{Names: []string{"--tag"}, Action: argparse.ActionAppend, Help: "only these"})
	p.Add(argparse.Argument{Names: []string{"user"}, Type: argparse.Int})

	host := pflag.NewFlagSet("host", pflag.ContinueOnError)
	region := host.String("region", "eu", "where to run")
	host.AddFlagSet(p.FlagSet())

	if err := host.Parse([]string{"-d7", "--region", "us", "42", "--tag=a", "--tag=b"}); err != nil {
		fmt.Println(err)
	}
	ns, err := p.Collect(host.Args())
	fmt.Println(*region, ns["days"], ns["tag"], ns["user"], err)

	err = host.Parse([]string{"--days", "soon"})
	fmt.Println(err)
	// Output:
	// us 7 [a b] 42 <nil>
	// invalid argument "soon" for "-d, --days" flag: invalid int value: 'soon'
}
