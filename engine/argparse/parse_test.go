package argparse

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestExtraOptionsNeverMakeAPrefixAmbiguous(t *testing.T) {
	p := declare(t, Config{},
		Argument{Names: []string{"--dry"}, Action: ActionStoreTrue},
		Argument{Names: []string{"--verbosity"}, Rank: Base},
		Argument{Names: []string{"--dry-run"}, Action: ActionStoreTrue, Rank: Extra},
		Argument{Names: []string{"--verify"}, Rank: Extra},
		Argument{Names: []string{"--project"}, Rank: Extra},
		Argument{Names: []string{"--proceed"}, Action: ActionStoreTrue, Rank: Extra})
	for _, c := range []parses{
		{"own first", []string{"--dr"}, Namespace{"dry": true, "dry_run": false}, ""},
		{"base first", []string{"--ver", "2"}, Namespace{"verbosity": "2", "verify": nil}, ""},
		{"extra alone", []string{"--proj", "x"}, Namespace{"project": "x"}, ""},
		{"extra among themselves", []string{"--pro", "x"}, nil, "ambiguous option: --pro could match --project, --proceed"},
		{"a whole name", []string{"--dry-run"}, Namespace{"dry": false, "dry_run": true}, ""},
	} {
		c.run(t, p)
	}
}

func TestIntermixed(t *testing.T) {
	p := declare(t, Config{}, opt("src"), Argument{Names: []string{"files"}, Nargs: ZeroOrMore}, opt("--to"), Argument{Names: []string{"-v"}, Action: ActionCount})
	for _, c := range []parses{
		{"positionals on both sides", []string{"a", "--to", "x", "b", "-v", "c"}, Namespace{"src": "a", "files": []any{"b", "c"}, "to": "x", "v": 1}, ""},
		{"still unknown", []string{"a", "--to", "x", "b", "--zzz"}, nil, "unrecognized arguments: b --zzz"},
	} {
		c.run(t, p)
	}
	p = declare(t, Config{}, Argument{Names: []string{"files"}, Nargs: ZeroOrMore}, opt("--to"), Argument{Names: []string{"rest"}, Nargs: Remainder})
	parses{"a remainder takes the options too", []string{"a", "--to", "x", "b"}, Namespace{"files": []any{"a"}, "rest": []any{"--to", "x", "b"}, "to": nil}, ""}.run(t, p)
	p = declare(t, Config{}, opt("src"), Argument{Names: []string{"files"}, Nargs: ZeroOrMore})
	e := p.Exclusive(true)
	if err := errors.Join(e.Add(opt("--to")), e.Add(opt("--from"))); err != nil {
		t.Fatal(err)
	}
	parses{"a required group among the options", []string{"a", "--to", "x", "b"}, Namespace{"src": "a", "files": []any{"b"}, "to": "x"}, ""}.run(t, p)
	parses{"a required group that is missing", []string{"a", "b"}, nil, "one of the arguments --to --from is required"}.run(t, p)
	warned := 0
	p = declare(t, Config{Warn: func(string) { warned++ }}, Argument{Names: []string{"files"}, Nargs: ZeroOrMore}, Argument{Names: []string{"--to"}, Deprecated: true})
	parses{"warned once", []string{"a", "--to", "x", "b"}, Namespace{"files": []any{"a", "b"}}, ""}.run(t, p)
	if warned != 1 {
		t.Errorf("%d warnings, want 1", warned)
	}
}

func TestEverythingMissingIsListed(t *testing.T) {
	p := declare(t, Config{}, opt("src"), opt("dst"), Argument{Names: []string{"-n", "--number"}, Required: true}, opt("--free"))
	parses{"positionals and options", nil, nil, "the following arguments are required: src, dst, -n/--number"}.run(t, p)
	parses{"what is left", []string{"a"}, nil, "the following arguments are required: dst, -n/--number"}.run(t, p)
}

func TestRequiredBeforeExclusive(t *testing.T) {
	p := declare(t, Config{}, opt("src"))
	e := p.Exclusive(true)
	for _, name := range []string{"--a", "--b"} {
		if err := e.Add(opt(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []parses{
		{"both missing", nil, nil, "the following arguments are required: src"},
		{"the group missing", []string{"x"}, nil, "one of the arguments --a --b is required"},
		{"two of the group", []string{"x", "--a", "1", "--b", "2"}, nil, "argument --b: not allowed with argument --a"},
	} {
		c.run(t, p)
	}
}

func TestMissingArgsMessage(t *testing.T) {
	const message = "Enter at least one label."
	p := declare(t, Config{MissingArgsMessage: message}, Argument{Names: []string{"args"}, Nargs: OneOrMore}, Argument{Names: []string{"-v"}, Action: ActionStoreTrue}, opt("--int"))
	for _, c := range []parses{
		{"no words", nil, nil, message},
		{"options alone", []string{"-v", "--int=5"}, nil, message},
		{"another error", []string{"-v", "--int"}, nil, "argument --int: expected one argument"},
		{"given", []string{"a"}, Namespace{"args": []any{"a"}}, ""},
	} {
		c.run(t, p)
	}
	optional := Argument{Names: []string{"args"}, Nargs: ZeroOrMore}
	parses{"optional positionals", nil, nil, message}.run(t, declare(t, Config{MissingArgsMessage: message}, optional))
	optional.Env = "ARGS"
	env := func(string) (string, bool, error) { return "a b", true, nil }
	parses{"from the environment", nil, Namespace{"args": []any{"a", "b"}}, ""}.run(t, declare(t, Config{MissingArgsMessage: message, Lookup: env}, optional))
	if _, err := p.ParseArgs([]string{"-h"}); !isHelp(err) {
		t.Errorf("-h: got %v, want a HelpRequest", err)
	}
}

func isHelp(err error) bool {
	_, ok := errors.AsType[*HelpRequest](err)
	return ok
}

func TestHints(t *testing.T) {
	p := declare(t, Config{}, opt("--days"), Argument{Names: []string{"--format"}, Choices: []any{"json", "csv"}}, Argument{Names: []string{"--hidden"}, HelpSuppressed: true})
	s, err := p.Subparsers(SubparsersConfig{Dest: "command"})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := s.Add("remove", SubparserConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Add(opt("--force")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words []string
		hint  string
	}{
		{[]string{"--dayz=3", "remove"}, "did you mean --days?"},
		{[]string{"--dasy=3", "remove"}, "did you mean --days?"},
		{[]string{"--format", "jsno", "remove"}, "did you mean json?"},
		{[]string{"remvoe"}, "did you mean remove?"},
		{[]string{"remove", "--focre"}, "did you mean --force?"},
		{[]string{"remove", "--hiden"}, ""},
		{[]string{"remove", "--format=csv", "--focre"}, "--format goes before the sub-command"},
		{[]string{"remove", "--completely-else"}, ""},
	} {
		_, err := p.ParseArgs(c.words)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Hint != c.hint {
			t.Errorf("%q: got %v with hint %q, want %q", c.words, err, e.Hint, c.hint)
		}
		if ok && strings.Contains(e.Error(), "did you mean") {
			t.Errorf("%q: the hint is part of %q", c.words, e)
		}
	}
}

func TestErrorsAsReachesTheCause(t *testing.T) {
	cause := fmt.Errorf("wrapped: %w", fs.ErrNotExist)
	own := Type{Name: "thing", Parse: func(w string) (any, error) {
		if w == "own" {
			return nil, fmt.Errorf("far: %w", &TypeError{Message: "no such thing", Err: cause})
		}
		return nil, cause
	}}
	p := declare(t, Config{}, Argument{Names: []string{"--thing"}, Type: own})
	for word, text := range map[string]string{"x": "argument --thing: invalid thing value: 'x'", "own": "argument --thing: no such thing"} {
		_, err := p.ParseArgs([]string{"--thing", word})
		if err == nil || err.Error() != text || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want %q around %v", word, err, text, fs.ErrNotExist)
		}
	}
}

func TestSubparserErrorsAreItsOwn(t *testing.T) {
	p := declare(t, Config{Prog: "manage db"}, opt("--alias"))
	s, err := p.Subparsers(SubparsersConfig{Dest: "command", Required: true})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := s.Add("dump", SubparserConfig{Aliases: []string{"d"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Add(Argument{Names: []string{"--limit"}, Type: Int}); err != nil {
		t.Fatal(err)
	}
	_, err = p.ParseArgs([]string{"d", "--limit", "x"})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Prog != "manage db dump" || !strings.HasPrefix(e.Usage, "usage: manage db dump [-h]") {
		t.Errorf("got %+v", err)
	}
	_, err = p.ParseArgs([]string{"dump", "-h"})
	if h, ok := errors.AsType[*HelpRequest](err); !ok || h.Parser != sub {
		t.Errorf("help of the sub-command: got %v", err)
	}
	parses{"the alias is what is stored", []string{"d", "--limit", "3"}, Namespace{"command": "d", "limit": 3}, ""}.run(t, p)
	parses{"required", nil, nil, "the following arguments are required: command"}.run(t, p)
}

func TestVersionText(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--version"}, Action: ActionVersion, Version: "%(prog)s  1.2\n"})
	_, err := p.ParseArgs([]string{"--version"})
	if v, ok := errors.AsType[*VersionRequest](err); !ok || v.Text != "prog 1.2" {
		t.Errorf("got %#v", err)
	}
}

func TestDefaultListsAreNotTouched(t *testing.T) {
	list := make([]any, 1, 10)
	list[0] = "d"
	p := declare(t, Config{}, Argument{Names: []string{"--tag"}, Action: ActionAppend, Default: list},
		Argument{Names: []string{"--more"}, Action: ActionExtend, Nargs: OneOrMore, Default: []string{"x"}})
	for range 2 {
		parses{"copied and extended", []string{"--tag", "a", "--more", "y", "z"}, Namespace{"tag": []any{"d", "a"}, "more": []any{"x", "y", "z"}}, ""}.run(t, p)
	}
	if !reflect.DeepEqual(list[:2], []any{"d", nil}) {
		t.Errorf("the default is now %v", list[:2])
	}
}

// Lists that only the host knows are as good as Go's, wherever a list is wanted.
func TestListsOfTheHost(t *testing.T) {
	type tuple struct{ items []any }
	cfg := Config{Values: Values{List: func(v any) ([]any, bool) {
		x, ok := v.(*tuple)
		if !ok {
			return nil, false
		}
		return x.items, true
	}}}
	split := Type{Name: "split", Parse: func(w string) (any, error) {
		var items []any
		for _, s := range strings.Split(w, ",") {
			items = append(items, s)
		}
		return &tuple{items}, nil
	}}
	build := func() *Parser {
		p := declare(t, cfg,
			Argument{Names: []string{"--tag"}, Action: ActionAppend, Default: &tuple{[]any{"d"}}},
			Argument{Names: []string{"--set"}, Action: ActionAppend},
			Argument{Names: []string{"--ext"}, Action: ActionExtend, Type: split},
			Argument{Names: []string{"--pair"}, Action: ActionAppend, Nargs: N(2), Type: Int})
		p.SetDefaults(map[string]any{"set": &tuple{[]any{"s"}}, "late": &tuple{[]any{"l"}}})
		if err := p.Add(Argument{Names: []string{"--late"}, Action: ActionAppend}); err != nil {
			t.Fatal(err)
		}
		return p
	}
	parses{"given", strings.Fields("--tag a --set b --late c --ext x,y --ext z"),
		Namespace{"tag": []any{"d", "a"}, "set": []any{"s", "b"}, "late": []any{"l", "c"}, "ext": []any{"x", "y", "z"}}, ""}.run(t, build())
	parses{"absent", nil, Namespace{"tag": []any{"d"}, "set": []any{"s"}, "late": []any{"l"}, "ext": nil}, ""}.run(t, build())
	ns, err := build().CallArgs(nil, map[string]any{"pair": &tuple{[]any{&tuple{[]any{"1", 2}}, []any{3, "4"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []any{[]any{1, 2}, []any{3, 4}}; !reflect.DeepEqual(ns["pair"], want) {
		t.Errorf("got %v, want %v", ns["pair"], want)
	}
}

// argparse takes such a default and fails with a traceback once the option is given.
func TestDefaultsThatAnActionCannotGoOnFrom(t *testing.T) {
	for _, c := range []struct {
		action Action
		value  any
		want   string
	}{
		{ActionAppend, "a", "argument -x: the default of action 'append' must be a list, got 'a'"},
		{ActionExtend, "a", "argument -x: the default of action 'extend' must be a list, got 'a'"},
		{ActionAppendConst, 3, "argument -x: the default of action 'append_const' must be a list, got 3"},
		{ActionCount, "2", "argument -x: the default of action 'count' must be an int, got '2'"},
		{ActionCount, 1.5, "argument -x: the default of action 'count' must be an int, got 1.5"},
		{ActionCount, true, ""},
		{ActionCount, Suppress, ""},
		{ActionAppend, []any{}, ""},
		{ActionAppend, None, ""},
	} {
		err := New(Config{}).Add(Argument{Names: []string{"-x"}, Action: c.action, Default: c.value})
		if got := fmt.Sprint(err); got != c.want && (c.want != "" || err != nil) {
			t.Errorf("%s %v: got %v, want %s", c.action, c.value, err, c.want)
		}
	}
	p := declare(t, Config{}, Argument{Names: []string{"--tag"}, Action: ActionAppend}, Argument{Names: []string{"-q"}, Action: ActionCount})
	p.SetDefaults(map[string]any{"tag": "a", "q": "2"})
	parses{"absent", nil, Namespace{"tag": "a", "q": "2"}, ""}.run(t, p)
	parses{"a list", []string{"--tag", "b"}, nil, "argument --tag: cannot add to 'a', which is no list"}.run(t, p)
	parses{"a count", []string{"-q"}, nil, "argument -q: cannot count on from '2', which is no int"}.run(t, p)
}

// What equals the default counts as given, unless Python has but one such object.
func TestExclusiveBesideAValueThatIsTheDefault(t *testing.T) {
	p := declare(t, Config{})
	e := p.Exclusive(false)
	for _, a := range []Argument{
		{Names: []string{"--large"}, Type: Int, Default: 300},
		{Names: []string{"--small"}, Type: Int, Default: 5},
		{Names: []string{"--word"}, Default: "bcd"},
		{Names: []string{"--letter"}, Default: "b"},
		{Names: []string{"--flag"}, Action: ActionStoreTrue},
	} {
		if err := e.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []parses{
		{"a large int", []string{"--large", "300", "--flag"}, nil, "argument --flag: not allowed with argument --large"},
		{"a small int", []string{"--small", "5", "--flag"}, Namespace{"small": 5, "flag": true}, ""},
		{"a word", []string{"--word", "bcd", "--flag"}, nil, "argument --flag: not allowed with argument --word"},
		{"a letter", []string{"--letter", "b", "--flag"}, Namespace{"letter": "b", "flag": true}, ""},
	} {
		c.run(t, p)
	}
}

// A default is converted while it is still the declared string: of two options with one
// dest, the word of the other only is that where Python has but one such string.
func TestDefaultOfASharedDest(t *testing.T) {
	for word, want := range map[string]any{"7": 7, "77": "77"} {
		p := declare(t, Config{}, Argument{Names: []string{"--a"}, Dest: "x", Type: Int, Default: word}, Argument{Names: []string{"--b"}, Dest: "x"})
		parses{word, []string{"--b", word}, Namespace{"x": want}, ""}.run(t, p)
	}
}

func TestSuppressAndNone(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--a"}, Default: Suppress}, Argument{Names: []string{"--b"}, Default: None},
		Argument{Names: []string{"rest"}, Nargs: ZeroOrMore, Default: None})
	ns, err := p.ParseArgs(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Namespace{"b": nil, "rest": []any{}}); !reflect.DeepEqual(ns, want) {
		t.Errorf("got %#v, want %#v", ns, want)
	}
}

func TestEnvironment(t *testing.T) {
	vars := map[string]string{"DAYS": "7", "TAGS": "a b  c", "FAST": "yes", "SLOW": "no", "COLOR": "0", "LEVEL": "3", "SRC": "file", "BAD": "x", "A": "1"}
	lookup := func(name string) (string, bool, error) {
		if name == "SECRET" {
			return "", false, errors.New("PermissionDenied: env SECRET is not granted")
		}
		v, ok := vars[name]
		return v, ok, nil
	}
	cfg := Config{Lookup: lookup}
	p := declare(t, cfg,
		Argument{Names: []string{"src"}, Env: "SRC", Nargs: Optional},
		Argument{Names: []string{"--days"}, Type: Int, Required: true, Env: "DAYS"},
		Argument{Names: []string{"--tags"}, Nargs: OneOrMore, Env: "TAGS"},
		Argument{Names: []string{"--fast"}, Action: ActionStoreTrue, Env: "FAST"},
		Argument{Names: []string{"--slow"}, Action: ActionStoreTrue, Env: "SLOW"},
		Argument{Names: []string{"--color"}, Action: ActionBooleanOptional, Env: "COLOR"},
		Argument{Names: []string{"-l"}, Action: ActionCount, Env: "LEVEL"},
		Argument{Names: []string{"--unset"}, Default: "d", Env: "UNSET"})
	for _, c := range []parses{
		{"all from there", nil, Namespace{"src": "file", "days": 7, "tags": []any{"a", "b", "c"}, "fast": true, "slow": false, "color": false, "l": 3, "unset": "d"}, ""},
		{"words win", []string{"word", "--days", "1", "--color", "-ll"}, Namespace{"src": "word", "days": 1, "color": true, "l": 2}, ""},
	} {
		c.run(t, p)
	}
	_, err := declare(t, cfg, Argument{Names: []string{"--days"}, Type: Int, Env: "BAD"}).ParseArgs(nil)
	if e, ok := errors.AsType[*Error](err); !ok || e.Error() != "argument --days: invalid int value: 'x'" || !strings.Contains(e.Hint, "BAD") {
		t.Errorf("a bad value: got %+v", err)
	}
	parses{"not granted", nil, nil, "argument --x: PermissionDenied: env SECRET is not granted"}.run(t, declare(t, cfg, Argument{Names: []string{"--x"}, Env: "SECRET"}))
	p = declare(t, cfg)
	e := p.Exclusive(true)
	if err := errors.Join(e.Add(Argument{Names: []string{"--a"}, Env: "A"}), e.Add(Argument{Names: []string{"--b"}})); err != nil {
		t.Fatal(err)
	}
	parses{"satisfies a required group", nil, Namespace{"a": "1", "b": nil}, ""}.run(t, p)
	parses{"steps back before the group's other", []string{"--b", "2"}, Namespace{"a": nil, "b": "2"}, ""}.run(t, p)
}

func TestSecret(t *testing.T) {
	var asked, warned []string
	stdin := 0
	cfg := Config{
		Warn: func(m string) { warned = append(warned, m) },
		Secrets: Secrets{
			ReadFile: func(name string) ([]byte, error) {
				if name != "token.txt" {
					return nil, fs.ErrNotExist
				}
				return []byte("from-file\r\n"), nil
			},
			ReadStdin: func() (string, error) { stdin++; return "from-stdin\n", nil },
			Prompt:    func(label string) (string, error) { asked = append(asked, label); return "from-prompt", nil },
		},
		Lookup: func(name string) (string, bool, error) { return "@from-env", name == "TOKEN_SET", nil },
	}
	secret := Argument{Names: []string{"--api-token"}, Secret: true, Required: true, Env: "TOKEN"}
	p := declare(t, cfg, secret, Argument{Names: []string{"rest"}, Nargs: ZeroOrMore})
	for _, c := range []parses{
		{"a file", []string{"--api-token", "@token.txt"}, Namespace{"api_token": "from-file"}, ""},
		{"standard input", []string{"--api-token", "-"}, Namespace{"api_token": "from-stdin"}, ""},
		{"asked", nil, Namespace{"api_token": "from-prompt"}, ""},
		{"no such file", []string{"--api-token=@x"}, nil, "argument --api-token: cannot read the file: file does not exist"},
	} {
		c.run(t, p)
	}
	if warned != nil || !slices.Equal(asked, []string{"api token"}) {
		t.Errorf("warned %q, asked %q", warned, asked)
	}
	stdin = 0
	parses{"standard input is read once, intermixed too", []string{"a", "--api-token", "-", "b"}, Namespace{"api_token": "from-stdin", "rest": []any{"a", "b"}}, ""}.run(t, p)
	if stdin != 1 {
		t.Errorf("standard input was read %d times", stdin)
	}
	parses{"literally", []string{"--api-token", "hunter2"}, Namespace{"api_token": "hunter2"}, ""}.run(t, p)
	if len(warned) != 1 || !strings.Contains(warned[0], "--api-token") || strings.Contains(warned[0], "hunter2") {
		t.Errorf("warned %q", warned)
	}
	set := secret
	set.Env = "TOKEN_SET"
	parses{"an environment value is no file name", nil, Namespace{"api_token": "@from-env"}, ""}.run(t, declare(t, cfg, set))
	asked = nil
	parses{"nothing is asked when more is missing", nil, nil, "the following arguments are required: --api-token, --other"}.run(t,
		declare(t, cfg, secret, Argument{Names: []string{"--other"}, Required: true}))
	if asked != nil {
		t.Errorf("asked %q", asked)
	}
	parses{"no way to ask", nil, nil, "the following arguments are required: --api-token"}.run(t, declare(t, Config{}, secret))
	parses{"no files here", []string{"--api-token", "@x"}, nil, "argument --api-token: cannot be read from a file here"}.run(t, declare(t, Config{}, secret))
}

func TestSecretIsNeverShown(t *testing.T) {
	own := Type{Name: "key", Parse: func(w string) (any, error) { return nil, &TypeError{Message: "the key " + w + " is too short"} },
		Accept: func(v any) (any, error) { return nil, fmt.Errorf("bad %v", v) }}
	p := declare(t, Config{},
		Argument{Names: []string{"--pin"}, Secret: true, Type: Int, Default: "4711", Help: "the pin (default: %(default)s)"},
		Argument{Names: []string{"--key"}, Secret: true, Type: own},
		Argument{Names: []string{"--keys"}, Secret: true, Nargs: N(2)},
		Argument{Names: []string{"--level"}, Secret: true, Choices: []any{"a", "b"}},
		Argument{Names: []string{"--blob"}, Secret: true, Type: JSON})
	const secret = "hunter2"
	for _, words := range [][]string{
		{"--pin", secret}, {"--key", secret}, {"--level", secret}, {"--pni=" + secret}, {"--ke=" + secret}, {"--keys=" + secret},
		{"--pni", secret}, {"--blob", secret + "\n\\"}, {"--blob", "'" + secret + "\u200b"},
	} {
		_, err := p.ParseArgs(words)
		if err == nil {
			t.Errorf("%q was accepted", words)
			continue
		}
		e, _ := errors.AsType[*Error](err)
		if text := fmt.Sprintf("%v %+v %v", err, *e, e.Err); strings.Contains(text, secret) {
			t.Errorf("%q: %s", words, text)
		}
	}
	parses{"ambiguous", []string{"--ke=" + secret}, nil, "ambiguous option: --ke=" + mask + " could match --key, --keys"}.run(t, p)
	parses{"unknown", []string{"--pni", secret, "more"}, nil, "unrecognized arguments: --pni " + mask + " more"}.run(t, p)
	for key, v := range map[string]any{"pin": secret, "key": []any{secret}, "level": secret, "keys": secret} {
		_, err := p.CallArgs(nil, map[string]any{key: v})
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("call with %s: %v", key, err)
		}
	}
	if text := p.FormatHelp(); strings.Contains(text, "4711") {
		t.Error(text)
	}
	if text := fmt.Sprintf("%+v", p.Describe()); strings.Contains(text, "4711") {
		t.Error(text)
	}
}

func TestDeprecatedWarnings(t *testing.T) {
	var warned []string
	p := declare(t, Config{Warn: func(m string) { warned = append(warned, m) }},
		Argument{Names: []string{"--old", "-o"}, Action: ActionCount, Deprecated: true}, Argument{Names: []string{"pos"}, Nargs: Optional, Deprecated: true})
	if _, err := p.ParseArgs([]string{"--old", "--old", "-o", "x"}); err != nil {
		t.Fatal(err)
	}
	want := []string{"option '--old' is deprecated", "option '-o' is deprecated", "argument 'pos' is deprecated"}
	if !slices.Equal(warned, want) {
		t.Errorf("got %q, want %q", warned, want)
	}
}

func TestDefinitionErrors(t *testing.T) {
	for _, c := range []struct {
		arg  Argument
		want string
	}{
		{Argument{Names: []string{"--x", "--days"}}, "argument --x/--days: conflicting option strings: --x, --days"},
		{Argument{Names: []string{"-h"}}, "argument -h: conflicting option string: -h"},
		{Argument{Names: []string{"a"}, Dest: "b"}, "dest supplied twice for positional argument"},
		{Argument{Names: []string{"a"}, Required: true}, "'required' is an invalid argument for positionals"},
		{Argument{Names: []string{"--y", "y"}}, "invalid option string 'y': must start with a character '-'"},
		{Argument{Names: []string{"--"}}, "dest= is required for options like '--'"},
		{Argument{Names: []string{"--y"}, Const: 1}, "nargs must be '?' to supply const"},
		{Argument{Names: []string{"--y"}, Nargs: N(2), Metavar: []string{"A", "B", "C"}}, "length of metavar tuple does not match nargs"},
		{Argument{Names: []string{"--y"}, Action: "stoer"}, `unknown action "stoer"`},
		{Argument{Names: []string{"--y"}, Nargs: "many"}, "invalid nargs value"},
		{Argument{Names: []string{"--y"}, Action: ActionStoreTrue, Type: Int}, "action 'store_true' got an unexpected keyword argument 'type'"},
		{Argument{}, "an argument needs a name"},
	} {
		p := declare(t, Config{}, opt("--days"), opt("--x"))
		err := p.Add(c.arg)
		if d, ok := errors.AsType[*DefinitionError](err); !ok || d.Error() != c.want {
			t.Errorf("%+v: got %v, want %q", c.arg, err, c.want)
		}
		if len(p.Arguments()) != 3 {
			t.Errorf("%+v was kept", c.arg)
		}
	}
}

func TestSetDefaults(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--a"}, Default: 1})
	p.SetDefaults(map[string]any{"a": 2, "later": 3, "func": "f"})
	if err := p.Add(opt("--later")); err != nil {
		t.Fatal(err)
	}
	parses{"replace, prepare, add", nil, Namespace{"a": 2, "later": 3, "func": "f"}, ""}.run(t, p)
	for dest, want := range map[string]any{"a": 2, "later": 3, "func": "f", "none": nil} {
		if got := p.Default(dest); got != want {
			t.Errorf("Default(%s) = %v, want %v", dest, got, want)
		}
	}
	if !p.Has("--a") || !p.Has("a") || p.Has("func") || p.Has("--b") {
		t.Error("Has")
	}
}

func TestHugeInputIsNotSlow(t *testing.T) {
	p := declare(t, Config{})
	for i := range 12 {
		if err := p.Add(Argument{Names: []string{fmt.Sprint("p", i)}, Nargs: OneOrMore}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Add(Argument{Names: []string{"last"}, Nargs: N(40)}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ParseArgs(slices.Repeat([]string{"a"}, 45)); err == nil {
		t.Error("45 words are not enough for 52")
	}
	if _, err := p.ParseArgs(slices.Repeat([]string{"a"}, 52)); err != nil {
		t.Error(err)
	}
}

func TestSubcommands(t *testing.T) {
	p := declare(t, Config{Prog: "manage"}, opt("target"))
	if p.Prog() != "manage" || p.Subcommands() != nil {
		t.Error("a parser without sub-commands")
	}
	s, err := p.Subparsers(SubparsersConfig{})
	if err != nil {
		t.Fatal(err)
	}
	add, err := s.Add("add", SubparserConfig{Aliases: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	if add.Prog() != "manage target add" {
		t.Errorf("prog of the sub-command: %q", add.Prog())
	}
	if p.Subcommands() != s || s.Parser("a") != add || s.Parser("x") != nil || !slices.Equal(s.Names(), []string{"add", "a"}) {
		t.Error("accessors")
	}
	_, again := p.Subparsers(SubparsersConfig{})
	_, twice := s.Add("add", SubparserConfig{})
	_, alias := s.Add("b", SubparserConfig{Aliases: []string{"a"}})
	for err, want := range map[error]string{
		again: "cannot have multiple subparser arguments",
		twice: "argument {add,a}: conflicting subparser: add",
		alias: "argument {add,a}: conflicting subparser alias: a",
	} {
		if d, ok := errors.AsType[*DefinitionError](err); !ok || d.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if len(p.Arguments()) != 2 {
		t.Errorf("the sub-command argument is among %v", p.Arguments())
	}
}

func TestBareFlagsByConst(t *testing.T) {
	p := declare(t, Config{}, Argument{Names: []string{"--fast"}, Action: ActionStoreConst, Const: 10})
	for _, c := range []struct {
		value, want any
		err         string
	}{
		{true, 10, ""}, {false, nil, ""}, {10, 10, ""}, {nil, nil, ""},
		{11, nil, "argument --fast: invalid choice: 11 (choose from 10)"},
	} {
		ns, err := p.CallArgs(nil, map[string]any{"fast": c.value})
		if errText(err) != c.err || ns["fast"] != c.want {
			t.Errorf("fast=%v: got %v, %v", c.value, ns, err)
		}
	}
}
