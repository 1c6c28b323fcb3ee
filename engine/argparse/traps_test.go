package argparse

import (
	"errors"
	"reflect"
	"testing"
)

// declare makes a parser of arguments, or fails the test.
func declare(t testing.TB, cfg Config, args ...Argument) *Parser {
	t.Helper()
	if cfg.Prog == "" {
		cfg.Prog = "prog"
	}
	p := New(cfg)
	for _, a := range args {
		if err := p.Add(a); err != nil {
			t.Fatalf("%v: %v", a.Names, err)
		}
	}
	return p
}

func opt(names ...string) Argument { return Argument{Names: names} }

// parses is one list of words and what becomes of it: values (of the dests named) or
// the text of an error.
type parses struct {
	name  string
	words []string
	want  Namespace
	err   string
}

func (c parses) run(t *testing.T, p *Parser) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		t.Helper()
		ns, err := p.ParseArgs(c.words)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Fatalf("got %v, %v; want the error %q", ns, err, c.err)
			}
			if e, ok := errors.AsType[*Error](err); ok && (e.Usage == "" || e.Prog == "") {
				t.Errorf("error without usage or program: %+v", e)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range c.want {
			if !reflect.DeepEqual(ns[k], v) {
				t.Errorf("%s = %#v, want %#v", k, ns[k], v)
			}
		}
	})
}

// Where pflag alone is not argparse: one case for each way.

func TestOptionOfSeveralWordsTakesThemAll(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--tags"}, Nargs: OneOrMore})
	parses{"a b", []string{"--tags", "a", "b"}, Namespace{"tags": []any{"a", "b"}}, ""}.run(t, p)
}

func TestIntegersArePythons(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--int"}, Type: Int})
	for _, c := range []parses{
		{"a leading zero is no octal", []string{"--int", "010"}, Namespace{"int": 10}, ""},
		{"hexadecimal is refused", []string{"--int", "0x10"}, nil, "argument --int: invalid int value: '0x10'"},
		{"underscores", []string{"--int", "1_000"}, Namespace{"int": 1000}, ""},
	} {
		c.run(t, p)
	}
}

func TestNegativeNumberIsAPositional(t *testing.T) {
	p := declare(t, Config{}, opt("a"), opt("b"))
	parses{"no option looks like one", []string{"a", "-5"}, Namespace{"b": "-5"}, ""}.run(t, p)
	p = declare(t, Config{}, opt("a"), Argument{Names: []string{"b"}, Nargs: Optional}, Argument{Names: []string{"-5"}, Action: ActionStoreTrue})
	parses{"one does", []string{"a", "-5"}, Namespace{"a": "a", "b": nil, "5": true}, ""}.run(t, p)
}

func TestOptionalValueIsTaken(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--opt"}, Nargs: Optional, Const: "const", Default: "default"})
	for _, c := range []parses{
		{"with a value", []string{"--opt", "v"}, Namespace{"opt": "v"}, ""},
		{"without", []string{"--opt"}, Namespace{"opt": "const"}, ""},
		{"absent", nil, Namespace{"opt": "default"}, ""},
	} {
		c.run(t, p)
	}
}

func TestOptionIsNoValue(t *testing.T) {
	p := declare(t, Config{}, opt("--name"), Argument{Names: []string{"--flag"}, Action: ActionStoreTrue}, Argument{Names: []string{"-x"}, Action: ActionStoreTrue})
	const want = "argument --name: expected one argument"
	for _, next := range []string{"--flag", "-x", "--"} {
		parses{next, []string{"--name", next}, nil, want}.run(t, p)
	}
}

func TestFlagTakesNoValue(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--flag"}, Action: ActionStoreTrue})
	parses{"--flag=1", []string{"--flag=1"}, nil, "argument --flag: ignored explicit argument '1'"}.run(t, p)
}

func TestUniquePrefix(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--flag"}, Action: ActionStoreTrue}, opt("--format"))
	for _, c := range []parses{
		{"unique", []string{"--fl"}, Namespace{"flag": true}, ""},
		{"with a value", []string{"--fo=x"}, Namespace{"format": "x"}, ""},
		{"ambiguous", []string{"--f"}, nil, "ambiguous option: --f could match --flag, --format"},
	} {
		c.run(t, p)
	}
}

func TestCommaSeparatesNothing(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--tags"}, Action: ActionAppend})
	parses{"a,b", []string{"--tags", "a,b"}, Namespace{"tags": []any{"a,b"}}, ""}.run(t, p)
}

func TestBadIntegerIsSaidPlainly(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--int"}, Type: Int})
	parses{"x", []string{"--int", "x"}, nil, "argument --int: invalid int value: 'x'"}.run(t, p)
}

func TestOptionNextToALongerOne(t *testing.T) {
	p := declare(t, Config{}, opt("--set"), opt("--settings"))
	for _, c := range []parses{
		{"the whole name is not a prefix", []string{"--set", "foo"}, Namespace{"set": "foo", "settings": nil}, ""},
		{"the longer one", []string{"--settings", "foo"}, Namespace{"set": nil, "settings": "foo"}, ""},
		{"a prefix of the longer one alone", []string{"--sett", "foo"}, Namespace{"set": nil, "settings": "foo"}, ""},
	} {
		c.run(t, p)
	}
}
