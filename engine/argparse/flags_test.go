package argparse

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func flagParser(t testing.TB) *Parser {
	return declare(t, Config{},
		Argument{Names: []string{"--days", "-d"}, Type: Int, Default: 30, Help: "how old"},
		Argument{Names: []string{"--dry-run"}, Action: ActionStoreTrue},
		Argument{Names: []string{"--no-input", "--noinput"}, Action: ActionStoreFalse, Dest: "interactive"},
		Argument{Names: []string{"--color"}, Action: ActionBooleanOptional},
		Argument{Names: []string{"-v"}, Action: ActionCount, Dest: "level"},
		Argument{Names: []string{"--tag"}, Action: ActionAppend},
		Argument{Names: []string{"--xy"}, Nargs: N(2), Type: Int},
		Argument{Names: []string{"--opt"}, Nargs: Optional, Const: "5", Default: 1},
		Argument{Names: []string{"--when"}, Nargs: Optional, Type: Int},
		Argument{Names: []string{"--token"}, Secret: true},
		Argument{Names: []string{"src"}, Nargs: ZeroOrMore})
}

func TestFlagSetMountedInAHost(t *testing.T) {
	p := flagParser(t)
	host := pflag.NewFlagSet("host", pflag.ContinueOnError)
	verbose := host.Bool("host-flag", false, "")
	host.AddFlagSet(p.FlagSet())
	err := host.Parse([]string{"-d", "010", "a", "--dry-run", "--noinput", "--no-color", "-vv", "--tag", "x,y", "--tag=z", "--xy", "1", "--xy", "2", "--opt", "--when", "--host-flag", "b"})
	if err != nil {
		t.Fatal(err)
	}
	ns, err := p.Collect(host.Args())
	if err != nil {
		t.Fatal(err)
	}
	want := Namespace{"days": 10, "dry_run": true, "interactive": false, "color": false, "level": 2, "tag": []any{"x,y", "z"}, "xy": []any{1, 2},
		"opt": "5", "when": nil, "token": nil, "src": []any{"a", "b"}}
	if !reflect.DeepEqual(ns, want) || !*verbose {
		t.Errorf("got %#v,\nwant %#v", ns, want)
	}
	ns, err = p.Collect(nil)
	if err != nil || ns["days"] != 30 || ns["dry_run"] != false {
		t.Errorf("collected twice: %v, %v", ns, err)
	}
}

func TestFlagSetFalseAndErrors(t *testing.T) {
	p := flagParser(t)
	set := p.FlagSet()
	if err := set.Parse([]string{"--dry-run=false", "--no-color=false", "--no-input=false", "--opt=7", "-v", "--v=3", "-v"}); err != nil {
		t.Fatal(err)
	}
	ns, err := p.Collect(set.Args())
	if err != nil || ns["dry_run"] != false || ns["color"] != true || ns["interactive"] != true || ns["opt"] != "7" || ns["level"] != 4 {
		t.Errorf("got %v, %v", ns, err)
	}
	err = set.Parse([]string{"--days", "x"})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Message != "invalid int value: 'x'" {
		t.Errorf("got %v", err)
	}
	if err := set.Parse([]string{"--xy", "1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Collect(nil); errText(err) != "argument --xy: expected 2 arguments" {
		t.Errorf("got %v", err)
	}
	if err := set.Parse([]string{"-h"}); !errors.Is(err, pflag.ErrHelp) {
		t.Errorf("-h: got %v", err)
	}
}

func TestFlagSetKnowsWhatParseArgsMet(t *testing.T) {
	p := flagParser(t)
	set := p.FlagSet()
	if _, err := p.ParseArgs([]string{"--da", "7", "--xy", "1", "2", "--token", "hunter2"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"days": "7", "xy": "1 2", "token": mask, "tag": "", "opt": "1"} {
		if got := set.Lookup(name).Value.String(); got != want {
			t.Errorf("--%s is %q, want %q", name, got, want)
		}
	}
	if !set.Changed("days") || set.Changed("tag") {
		t.Error("Changed")
	}
}

func TestFlagSetUsage(t *testing.T) {
	p := flagParser(t)
	set := p.FlagSet()
	if err := p.Add(Argument{Names: []string{"--late"}, Help: "declared after FlagSet"}); err != nil {
		t.Fatal(err)
	}
	usage := set.FlagUsages()
	for _, want := range []string{"  -d, --days int           how old (default 30)\n", "--late string", "      --dry-run", "  -v, --v count            \n", "--opt string[=\"5\"]"} {
		if !contains(usage, want) {
			t.Errorf("usage lacks %q:\n%s", want, usage)
		}
	}
	// Names that pflag has no room for do no harm.
	odd := declare(t, Config{}, opt("-é"), opt("-long"), opt("--long"), opt("-é2"), Argument{Names: []string{"-1"}, Action: ActionStoreTrue}, opt("--ü", "-ü"))
	if err := odd.FlagSet().Parse([]string{"--é", "x", "-1"}); err != nil {
		t.Error(err)
	}
	if ns, err := odd.Collect(nil); err != nil || ns["é"] != "x" || ns["1"] != true {
		t.Errorf("got %v, %v", ns, err)
	}
}
