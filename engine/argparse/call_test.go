package argparse

import (
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"
)

func callParser(t testing.TB) *Parser {
	return declare(t, Config{Prog: "manage dance"},
		Argument{Names: []string{"--days", "-d"}, Type: Int, Default: 30},
		Argument{Names: []string{"--rate"}, Type: Float},
		Argument{Names: []string{"--name", "--full-name"}, Dest: "who"},
		Argument{Names: []string{"--dry-run"}, Action: ActionStoreTrue},
		Argument{Names: []string{"--no-input", "--noinput"}, Action: ActionStoreFalse, Dest: "interactive"},
		Argument{Names: []string{"--no-cache"}, Action: ActionStoreFalse},
		Argument{Names: []string{"--color"}, Action: ActionBooleanOptional},
		Argument{Names: []string{"--fast"}, Action: ActionStoreConst, Const: 10, Default: 1, Dest: "speed"},
		Argument{Names: []string{"--slow"}, Action: ActionStoreConst, Const: 0, Dest: "speed"},
		Argument{Names: []string{"-v", "--verbose"}, Action: ActionCount, Dest: "level"},
		Argument{Names: []string{"--tag"}, Action: ActionAppend, Type: Int, Default: []any{0}},
		Argument{Names: []string{"--pair"}, Action: ActionAppend, Nargs: N(2)},
		Argument{Names: []string{"--more"}, Action: ActionExtend, Nargs: OneOrMore, Type: Int},
		Argument{Names: []string{"--xy"}, Nargs: N(2), Type: Int},
		Argument{Names: []string{"--format"}, Choices: []any{"json", "csv"}},
		Argument{Names: []string{"--red"}, Action: ActionAppendConst, Const: "r", Dest: "colors"},
		Argument{Names: []string{"--blue"}, Action: ActionAppendConst, Const: "b", Dest: "colors"},
		Argument{Names: []string{"--when"}, Type: Duration},
		Argument{Names: []string{"src"}, Nargs: Optional},
		Argument{Names: []string{"args"}, Nargs: ZeroOrMore},
		Argument{Names: []string{"--opaque"}},
	)
}

func TestCallArgs(t *testing.T) {
	huge, _ := new(big.Int).SetString("99999999999999999999", 10)
	type opaque struct{ n int }
	type options = map[string]any
	for _, c := range []struct {
		name       string
		positional []any
		options    options
		want       Namespace
		err        string
	}{
		{"defaults", nil, nil, Namespace{"days": 30, "interactive": true, "no_cache": true, "color": nil, "tag": []any{0}, "args": []any{}, "src": nil, "level": nil}, ""},
		{"a string is converted", nil, options{"days": "010"}, Namespace{"days": 10}, ""},
		{"a value is checked", nil, options{"days": 7}, Namespace{"days": 7}, ""},
		{"any size of integer", nil, options{"days": int64(7)}, Namespace{"days": 7}, ""},
		{"a huge integer", nil, options{"days": huge}, Namespace{"days": huge}, ""},
		{"not a bool", nil, options{"days": true}, nil, "argument --days/-d: invalid int value: True"},
		{"not a float", nil, options{"days": 1.5}, nil, "argument --days/-d: invalid int value: 1.5"},
		{"a bad string", nil, options{"days": "x"}, nil, "argument --days/-d: invalid int value: 'x'"},
		{"an int is a float", nil, options{"rate": 2}, Namespace{"rate": 2.0}, ""},
		{"None is the default", nil, options{"rate": nil, "who": None}, Namespace{"rate": nil, "who": nil}, ""},
		{"None is not that default", nil, options{"days": nil}, nil, "argument --days/-d: invalid int value: None"},
		{"by dest", nil, options{"who": "a"}, Namespace{"who": "a"}, ""},
		{"by a long name", nil, options{"full_name": "a"}, Namespace{"who": "a"}, ""},
		{"by the other", nil, options{"name": "a"}, Namespace{"who": "a"}, ""},
		{"by two names", nil, options{"name": "a", "full_name": "b"}, nil, "argument --name/--full-name: given twice, as 'full_name' and 'name'"},
		{"no type takes anything", nil, options{"opaque": opaque{1}}, Namespace{"opaque": opaque{1}}, ""},

		{"store_true", nil, options{"dry_run": true}, Namespace{"dry_run": true}, ""},
		{"store_true not", nil, options{"dry_run": false}, Namespace{"dry_run": false}, ""},
		{"store_true wants a bool", nil, options{"dry_run": 1}, nil, "argument --dry-run: expected True or False, got 1"},
		{"store_true wants no string", nil, options{"dry_run": "yes"}, nil, "argument --dry-run: expected True or False, got 'yes'"},
		{"store_false by dest", nil, options{"interactive": false}, Namespace{"interactive": false}, ""},
		{"store_false by dest, left as it is", nil, options{"interactive": true}, Namespace{"interactive": true}, ""},
		{"store_false by name", nil, options{"no_input": true}, Namespace{"interactive": false}, ""},
		{"store_false by its other name", nil, options{"noinput": true}, Namespace{"interactive": false}, ""},
		{"store_false by name, not given", nil, options{"no_input": false}, Namespace{"interactive": true}, ""},
		{"store_false whose dest is its name", nil, options{"no_cache": false}, Namespace{"no_cache": false}, ""},
		{"boolean by dest", nil, options{"color": false}, Namespace{"color": false}, ""},
		{"boolean by its negative", nil, options{"no_color": true}, Namespace{"color": false}, ""},
		{"boolean by its negative, not given", nil, options{"no_color": false}, Namespace{"color": nil}, ""},
		{"contradiction", nil, options{"no_color": true, "color": true}, nil, "argument --color/--no-color: given twice, as 'color' and 'no_color'"},
		{"store_const by dest", nil, options{"speed": 0}, Namespace{"speed": 0}, ""},
		{"store_const by dest, the default", nil, options{"speed": 1}, Namespace{"speed": 1}, ""},
		{"store_const by name", nil, options{"fast": true}, Namespace{"speed": 10}, ""},
		{"store_const by name, not given", nil, options{"slow": false}, Namespace{"speed": 1}, ""},
		{"store_const no such value", nil, options{"speed": 5}, nil, "argument --fast: invalid choice: 5 (choose from 10, 0)"},
		{"count by dest", nil, options{"level": 2}, Namespace{"level": 2}, ""},
		{"count by name", nil, options{"verbose": 2}, Namespace{"level": 2}, ""},
		{"count wants a number", nil, options{"level": true}, nil, "argument -v/--verbose: expected a number, got True"},

		{"append wants a list", nil, options{"tag": "1"}, nil, "argument --tag: expected a list, got '1'"},
		{"append is the whole list", nil, options{"tag": []any{"1", 2}}, Namespace{"tag": []any{1, 2}}, ""},
		{"a Go slice", nil, options{"tag": []int{1, 2}}, Namespace{"tag": []any{1, 2}}, ""},
		{"append converts each", nil, options{"tag": []any{"x"}}, nil, "argument --tag: invalid int value: 'x'"},
		{"append of several", nil, options{"pair": []any{[]any{"a", "b"}}}, Namespace{"pair": []any{[]any{"a", "b"}}}, ""},
		{"append of several, too few", nil, options{"pair": []any{[]any{"a"}}}, nil, "argument --pair: expected 2 arguments"},
		{"append of several, flat", nil, options{"pair": []any{"a", "b"}}, nil, "argument --pair: expected a list of lists, got ['a', 'b']"},
		{"extend", nil, options{"more": []string{"1", "2"}}, Namespace{"more": []any{1, 2}}, ""},
		{"nargs", nil, options{"xy": []any{"1", 2}}, Namespace{"xy": []any{1, 2}}, ""},
		{"nargs too few", nil, options{"xy": []any{1}}, nil, "argument --xy: expected 2 arguments"},
		{"append_const by dest", nil, options{"colors": []any{"b", "r"}}, Namespace{"colors": []any{"b", "r"}}, ""},
		{"append_const by name", nil, options{"red": true}, Namespace{"colors": []any{"r"}}, ""},
		{"append_const no such value", nil, options{"colors": []any{"x"}}, nil, "argument --red: invalid choice: 'x' (choose from 'r', 'b')"},
		{"choices", nil, options{"format": "xml"}, nil, "argument --format: invalid choice: 'xml' (choose from 'json', 'csv')"},
		{"a duration", nil, options{"when": time.Minute}, Namespace{"when": time.Minute}, ""},

		{"positionals in order", []any{"a", "b", 3}, nil, Namespace{"src": "a", "args": []any{"b", 3}}, ""},
		{"lists among them", []any{"a", []any{"b", "c"}}, nil, Namespace{"src": "a", "args": []any{"b", "c"}}, ""},
		{"what looks like an option is none", []any{"--dry-run"}, nil, Namespace{"src": "--dry-run", "dry_run": false}, ""},
		{"positionals by name", nil, options{"src": "a", "args": []any{"b"}}, Namespace{"src": "a", "args": []any{"b"}}, ""},
		{"mixed", []any{"a"}, options{"args": []any{"b"}}, Namespace{"src": "a", "args": []any{"b"}}, ""},
		{"by name and by position", []any{"a"}, options{"src": "b"}, nil, "argument src: given by name, and by position too"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns, err := callParser(t).CallArgs(c.positional, c.options)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("got %v, %v; want the error %q", ns, err, c.err)
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
}

func TestCallArgsRequiredAndGroups(t *testing.T) {
	p := declare(t, Config{}, opt("src"), opt("dst"), Argument{Names: []string{"--n"}, Required: true})
	e := p.Exclusive(true)
	if err := errors.Join(e.Add(opt("--a")), e.Add(Argument{Names: []string{"--b"}, Action: ActionStoreTrue})); err != nil {
		t.Fatal(err)
	}
	type options = map[string]any
	for _, c := range []struct {
		positional []any
		options    options
		err        string
	}{
		{nil, nil, "the following arguments are required: src, dst, --n"},
		{[]any{"x"}, options{"n": 1}, "the following arguments are required: dst"},
		{[]any{"x", "y"}, options{"n": 1}, "one of the arguments --a --b is required"},
		{[]any{"x", "y"}, options{"n": 1, "b": false}, "one of the arguments --a --b is required"},
		{[]any{"x", "y"}, options{"n": 1, "a": 1, "b": true}, "argument --b: not allowed with argument --a"},
		{[]any{"x", "y", "z"}, options{"n": 1, "a": 1}, "unrecognized arguments: z"},
		{[]any{"x", "y"}, options{"n": 1, "a": 1, "b": false}, ""},
		{[]any{"x"}, options{"n": 1, "a": 1, "dst": "y"}, ""},
		{[]any{"y"}, options{"n": 1, "a": 1, "src": "x"}, "argument src: given by name, and by position too"},
	} {
		_, err := p.CallArgs(c.positional, c.options)
		if got := errText(err); got != c.err {
			t.Errorf("%v %v: got %q, want %q", c.positional, c.options, got, c.err)
		}
		if e, ok := errors.AsType[*Error](err); ok && (e.Prog != "prog" || e.Usage == "") {
			t.Errorf("error without program or usage: %+v", e)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCallArgsUnknownOptions(t *testing.T) {
	p := declare(t, Config{}, opt("--days", "-d"), Argument{Names: []string{"--no-input"}, Action: ActionStoreFalse, Dest: "interactive"},
		Argument{Names: []string{"--version"}, Action: ActionVersion})
	_, err := p.CallArgs(nil, map[string]any{"y": 1, "days": 2, "x": 1, "help": true})
	e, ok := errors.AsType[*UnknownOptionError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	want := UnknownOptionError{Unknown: []string{"help", "x", "y"}, Valid: []string{"days", "interactive", "no_input"}}
	if !reflect.DeepEqual(*e, want) {
		t.Errorf("got %+v, want %+v", *e, want)
	}
}

func TestCallArgsSubcommands(t *testing.T) {
	p := declare(t, Config{}, opt("target"), opt("--alias"))
	s, err := p.Subparsers(SubparsersConfig{Dest: "command", Required: true})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := s.Add("dump", SubparserConfig{Aliases: []string{"d"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sub.Add(opt("table")), sub.Add(Argument{Names: []string{"--limit"}, Type: Int, Required: true})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add("load", SubparserConfig{}); err != nil {
		t.Fatal(err)
	}
	type options = map[string]any
	for _, c := range []struct {
		positional []any
		options    options
		want       Namespace
		err        string
	}{
		{[]any{"db", "dump", "users"}, options{"limit": "5", "alias": "x"}, Namespace{"target": "db", "command": "dump", "table": "users", "limit": 5, "alias": "x"}, ""},
		{[]any{"db", "users"}, options{"command": "d", "limit": 5}, Namespace{"target": "db", "command": "d", "table": "users", "limit": 5, "alias": nil}, ""},
		{[]any{"db"}, options{"command": "dump", "table": "t", "limit": 5}, Namespace{"target": "db", "command": "dump", "table": "t", "limit": 5, "alias": nil}, ""},
		{[]any{"db", "dump", "users"}, nil, nil, "the following arguments are required: --limit"},
		{[]any{"db", "dunp", "users"}, options{"limit": 5}, nil, "argument command: invalid choice: 'dunp' (choose from 'dump', 'd', 'load')"},
		{[]any{"db", "load", "users"}, nil, nil, "unrecognized arguments: users"},
		{[]any{"db", "load"}, options{"limit": 5}, nil, "unknown option(s): limit. Valid options are: alias, command, target"},
		{[]any{"db"}, nil, nil, "the following arguments are required: command"},
	} {
		ns, err := p.CallArgs(c.positional, c.options)
		if errText(err) != c.err || c.err == "" && !reflect.DeepEqual(ns, c.want) {
			t.Errorf("%v %v: got %v, %v; want %v, %q", c.positional, c.options, ns, err, c.want, c.err)
		}
	}
}

func TestCallArgsMissingArgsMessage(t *testing.T) {
	p := declare(t, Config{MissingArgsMessage: "Enter a label."}, Argument{Names: []string{"args"}, Nargs: OneOrMore}, opt("--x"))
	for _, options := range []map[string]any{nil, {"x": 1}} {
		if _, err := p.CallArgs(nil, options); errText(err) != "Enter a label." {
			t.Errorf("%v: got %v", options, err)
		}
	}
	if _, err := p.CallArgs([]any{"a"}, nil); err != nil {
		t.Error(err)
	}
}

func TestCallArgsReadsEnvironmentButNoFiles(t *testing.T) {
	p := declare(t, Config{
		Lookup:  func(string) (string, bool, error) { return "5", true, nil },
		Secrets: Secrets{Prompt: func(string) (string, error) { t.Error("asked"); return "", nil }},
	}, Argument{Names: []string{"--days"}, Type: Int, Env: "DAYS"}, Argument{Names: []string{"--token"}, Secret: true, Required: true})
	ns, err := p.CallArgs(nil, map[string]any{"token": "@file"})
	if err != nil || ns["token"] != "@file" || ns["days"] != 5 {
		t.Errorf("got %v, %v", ns, err)
	}
	if _, err := p.CallArgs(nil, nil); errText(err) != "the following arguments are required: --token" {
		t.Errorf("got %v", err)
	}
}
