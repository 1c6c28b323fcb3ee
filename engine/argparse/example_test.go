package argparse_test

import (
	"errors"
	"fmt"

	"github.com/starmanage/starmanage/engine/argparse"
)

// A program of its own: declare, parse, and tell misuse from help.
func Example() {
	p := argparse.New(argparse.Config{Prog: "prune", Description: "Delete expired tokens."})
	p.Add(argparse.Argument{Names: []string{"user"}, Nargs: argparse.ZeroOrMore, Type: argparse.Int, Help: "only of these users"})
	p.Add(argparse.Argument{Names: []string{"--days"}, Type: argparse.Int, Default: 30, Help: "how old (default %(default)s)"})
	p.Add(argparse.Argument{Names: []string{"--dry-run"}, Action: argparse.ActionStoreTrue, Help: "count only"})

	for _, words := range [][]string{{"--days", "7", "1", "2"}, {"--days=x"}, {"--dayz", "7"}, {"-h"}} {
		ns, err := p.ParseArgs(words)
		if help, ok := errors.AsType[*argparse.HelpRequest](err); ok {
			fmt.Print(help.Parser.FormatHelp())
			continue
		}
		if misuse, ok := errors.AsType[*argparse.Error](err); ok {
			fmt.Printf("%s: error: %v\n", misuse.Prog, misuse)
			if misuse.Hint != "" {
				fmt.Println(misuse.Hint)
			}
			continue
		}
		fmt.Println(ns["days"], ns["dry_run"], ns["user"])
	}
	// Output:
	// 7 false [1 2]
	// prune: error: argument --days: invalid int value: 'x'
	// prune: error: unrecognized arguments: --dayz
	// did you mean --days?
	// usage: prune [-h] [--days DAYS] [--dry-run] [user ...]
	//
	// Delete expired tokens.
	//
	// positional arguments:
	//   user         only of these users
	//
	// options:
	//   -h, --help   show this help message and exit
	//   --days DAYS  how old (default 30)
	//   --dry-run    count only
}
