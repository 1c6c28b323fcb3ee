package argparse

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
)

func describedParser(t *testing.T) *Parser {
	p := declare(t, Config{Prog: "manage prune", Description: "Delete expired tokens.", Examples: []Example{{"manage prune --days 7", "only a week old"}}},
		Argument{Names: []string{"--days", "-d"}, Type: Int, Default: 30, Help: "Treat older tokens as expired (default %(default)s)"},
		Argument{Names: []string{"--format"}, Choices: []any{"json", "csv"}, Env: "FORMAT"},
		Argument{Names: []string{"--tag"}, Action: ActionAppend, Nargs: N(2), Metavar: []string{"KEY", "VALUE"}},
		Argument{Names: []string{"--color"}, Action: ActionBooleanOptional},
		Argument{Names: []string{"-v"}, Action: ActionCount, Rank: Base},
		Argument{Names: []string{"--token"}, Secret: true, Default: "x", HelpSuppressed: true, Deprecated: true},
		Argument{Names: []string{"--absent"}, Default: Suppress},
		Argument{Names: []string{"user_id"}, Type: Int, Nargs: OneOrMore})
	e := p.Group("choice", "One of them.").Exclusive(true)
	s, err := p.Subparsers(SubparsersConfig{Dest: "command", Help: "what"})
	if err == nil {
		var sub *Parser
		sub, err = s.Add("now", SubparserConfig{Help: "At once.", Aliases: []string{"n"}})
		if err == nil {
			err = errors.Join(sub.Add(opt("--at")), e.Add(opt("--a")), e.Add(opt("--b")))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDescribe(t *testing.T) {
	got, err := json.MarshalIndent(describedParser(t).Describe(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "describe.json", string(got)+"\n")
}

// A positional that may take no words needs no value, whatever argparse calls it: a form
// or schema would ask for one.
func TestDescribeRequired(t *testing.T) {
	complete := func() {}
	p := declare(t, Config{NoHelp: true}, opt("src"), Argument{Names: []string{"rest"}, Nargs: ZeroOrMore}, Argument{Names: []string{"-n"}, Required: true, Completer: complete},
		Argument{Names: []string{"more"}, Nargs: Remainder})
	var required []string
	completers := 0
	for _, a := range p.Describe().Arguments {
		if a.Required {
			required = append(required, a.Dest)
		}
		if a.Completer != nil {
			completers++
		}
	}
	if want := []string{"src", "n"}; !slices.Equal(required, want) || completers != 1 {
		t.Errorf("required: got %q, want %q; %d completers, want 1", required, want, completers)
	}
}

// golden compares text with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile("testdata/"+name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
