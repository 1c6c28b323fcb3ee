package argparse

// The differential test: random parsers and words, given to this package and to
// CPython's argparse. A recorded set runs everywhere; where the same Python is on the
// machine, fresh cases run too.

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "record testdata/recorded.json.gz anew with Python's argparse")

// oracleVersion is the Python whose argparse decides. Later 3.13 releases differ in
// corner cases ("--" among positionals, choices of defaults), so others are not asked.
const oracleVersion = "3.13.0"

type itemSpec struct {
	Op          string         `json:"op"`
	Names       []string       `json:"names,omitempty"`
	Dest        string         `json:"dest,omitempty"`
	Action      string         `json:"action,omitempty"`
	Nargs       string         `json:"nargs,omitempty"`
	Const       any            `json:"const,omitempty"`
	Default     any            `json:"default,omitempty"`
	Type        string         `json:"type,omitempty"`
	Choices     []any          `json:"choices,omitempty"`
	Required    bool           `json:"required,omitempty"`
	Help        string         `json:"help,omitempty"`
	Suppressed  bool           `json:"suppressed,omitempty"`
	Metavar     []string       `json:"metavar,omitempty"`
	Version     string         `json:"version,omitempty"`
	Deprecated  bool           `json:"deprecated,omitempty"`
	Title       string         `json:"title,omitempty"`
	Description string         `json:"description,omitempty"`
	Group       *int           `json:"group,omitempty"`
	Exclusive   *int           `json:"exclusive,omitempty"`
	Values      map[string]any `json:"values,omitempty"`
	Commands    []commandSpec  `json:"commands,omitempty"`
}

type commandSpec struct {
	Name        string     `json:"name"`
	Aliases     []string   `json:"aliases,omitempty"`
	Help        string     `json:"help,omitempty"`
	Description string     `json:"description,omitempty"`
	Epilog      string     `json:"epilog,omitempty"`
	Deprecated  bool       `json:"deprecated,omitempty"`
	Items       []itemSpec `json:"items"`
}

type caseSpec struct {
	Prog        string     `json:"prog"`
	Usage       string     `json:"usage,omitempty"`
	Description string     `json:"description,omitempty"`
	Epilog      string     `json:"epilog,omitempty"`
	NoHelp      bool       `json:"no_help,omitempty"`
	Columns     int        `json:"columns"`
	Items       []itemSpec `json:"items"`
	Words       [][]string `json:"words"`
}

// outcome is what one list of words gave, here and there.
type outcome struct {
	OK       map[string]any `json:"ok,omitzero"`
	Error    string         `json:"error,omitempty"`
	Prog     string         `json:"prog,omitempty"`
	Usage    string         `json:"usage,omitempty"`
	Help     string         `json:"help,omitempty"`
	Version  *string        `json:"version,omitempty"`
	Crash    string         `json:"crash,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	Mixed    *outcome       `json:"mixed,omitempty"`
}

type caseResult struct {
	Errors []string  `json:"errors"`
	Usage  string    `json:"format_usage"`
	Help   string    `json:"format_help"`
	Broken string    `json:"broken,omitempty"` // the help cannot be printed
	Runs   []outcome `json:"runs"`
}

func TestArgparseRecorded(t *testing.T) {
	if *update {
		record(t)
	}
	raw, err := os.ReadFile("testdata/recorded.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(zr)
	dec.UseNumber()
	var cases []caseSpec
	var results []caseResult
	if err := dec.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(&results); err != nil {
		t.Fatal(err)
	}
	n := compareAll(t, cases, results)
	if n < 2000 {
		t.Errorf("%d recorded cases, want at least 2000", n)
	}
}

func TestArgparseLive(t *testing.T) {
	n := 400
	if testing.Short() {
		n = 50
	}
	// Fixed seeds: a failure repeats. Widen the range to look for more.
	seed, _ := strconv.ParseUint(os.Getenv("ARGPARSE_SEED"), 10, 64)
	if text := os.Getenv("ARGPARSE_CASES"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	cases := generate(2000+seed, n)
	compareAll(t, cases, ask(t, cases))
}

func record(t *testing.T) {
	cases := generate(1, 900)
	results := ask(t, cases)
	var b bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	enc := json.NewEncoder(zw)
	enc.SetEscapeHTML(false)
	if err := errors.Join(enc.Encode(cases), enc.Encode(results), zw.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/recorded.json.gz", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask runs the cases through Python, or skips the test.
func ask(t *testing.T, cases []caseSpec) []caseResult {
	t.Helper()
	env := append(os.Environ(), "PYENV_VERSION="+oracleVersion, "PYTHONUTF8=1")
	version := exec.Command("python3", "-c", "import platform; print(platform.python_version())")
	version.Env = env
	out, err := version.Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != oracleVersion {
		t.Skipf("python3 on this machine is %q (%v): the recorded cases stand for %s", got, err, oracleVersion)
	}
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	enc.SetEscapeHTML(false)
	for _, c := range cases {
		if err := enc.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-W", "ignore", "testdata/oracle.py")
	cmd.Env, cmd.Stdin, cmd.WaitDelay = env, &in, time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err = cmd.Output()
	if err != nil {
		t.Fatalf("oracle: %v\n%s", err, stderr.String())
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	results := make([]caseResult, len(cases))
	for i := range results {
		if err := dec.Decode(&results[i]); err != nil {
			t.Fatal(err)
		}
	}
	return results
}

// compareAll compares every case and returns how many lists of words were compared.
func compareAll(t *testing.T, cases []caseSpec, results []caseResult) int {
	t.Helper()
	crashes := map[string]int{}
	words, accepted, refused, mixed, crashed, broken := 0, 0, 0, 0, 0, 0
	for i, c := range cases {
		want := results[i]
		var warned []string
		p, errs := c.build(&warned)
		where := func(extra string, args ...any) string {
			spec, _ := json.Marshal(c.Items)
			return fmt.Sprintf("case %d: %s\n%s", i, fmt.Sprintf(extra, args...), spec)
		}
		if want.Broken != "" {
			broken++
			crashes[want.Broken]++
			p.FormatHelp()
			continue
		}
		for k := range errs {
			if !sameDefinitionError(errs[k], want.Errors[k]) {
				t.Error(where("declaration %d: got %q, want %q", k, errs[k], want.Errors[k]))
			}
		}
		if got := p.FormatUsage(); got != want.Usage {
			t.Error(where("usage: got\n%s\nwant\n%s", got, want.Usage))
		}
		if got := p.FormatHelp(); got != want.Help {
			t.Error(where("help: got\n%s\nwant\n%s", got, want.Help))
		}
		for k, w := range c.Words {
			words++
			expect := want.Runs[k]
			got := parseOutcome(p, w, &warned)
			switch {
			case expect.Crash != "":
				crashes[expect.Crash]++
				crashed++ // a traceback in Python: here it only must not panic
				continue
			case expect.Mixed != nil:
				mixed++
				expect = *expect.Mixed
			case expect.OK != nil:
				accepted++
			default:
				refused++
			}
			if !reflect.DeepEqual(got, expect) {
				g, _ := json.Marshal(got)
				e, _ := json.Marshal(expect)
				t.Error(where("words %q:\ngot  %s\nwant %s", w, g, e))
			}
		}
	}
	t.Logf("%d parsers, %d lists of words: %d accepted, %d refused, %d accepted as intermixed, %d that crash argparse; %d parsers whose help crashes it",
		len(cases), words, accepted, refused, mixed, crashed, broken)
	t.Log(crashes)
	if crashed+broken > (words+len(cases))/20 {
		t.Errorf("%d cases say nothing", crashed+broken)
	}
	return words - crashed
}

func sameDefinitionError(got, want string) bool {
	if want == "TypeError" {
		return got != ""
	}
	return got == want
}

// encodeValue turns a value into what the oracle's JSON has for it.
func encodeValue(v any) any {
	switch v := v.(type) {
	case float64:
		return map[string]any{"float": reprFloat(v)}
	case *big.Int:
		return map[string]any{"int": v.String()}
	case int:
		if v >= 1<<62 || v <= -(1<<62) {
			return map[string]any{"int": strconv.Itoa(v)}
		}
		return json.Number(strconv.Itoa(v))
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = encodeValue(v[i])
		}
		return list
	}
	return v
}

// parseOutcome parses words; warned is where the parser's warnings go.
func parseOutcome(p *Parser, words []string, warned *[]string) outcome {
	*warned = nil
	ns, err := p.ParseArgs(words)
	o := outcome{Warnings: *warned}
	if err == nil {
		o.OK = map[string]any{}
		for k, v := range ns {
			o.OK[k] = encodeValue(v)
		}
		return o
	}
	switch e := err.(type) {
	case *Error:
		o.Error, o.Prog, o.Usage = e.Error(), e.Prog, e.Usage
	case *HelpRequest:
		o.Help = e.Parser.FormatHelp()
	case *VersionRequest:
		o.Version = &e.Text
	}
	return o
}

func (c *caseSpec) build(warned *[]string) (*Parser, []string) {
	p := New(Config{Prog: c.Prog, Usage: c.Usage, Description: c.Description, Epilog: c.Epilog, NoHelp: c.NoHelp,
		Width: func() int { return c.Columns }, Warn: func(m string) { *warned = append(*warned, m) }})
	return p, buildItems(p, c.Items)
}

func buildItems(p *Parser, items []itemSpec) []string {
	var errs []string
	var groups []*Group
	var exclusive []*ExclusiveGroup
	for _, it := range items {
		var err error
		switch it.Op {
		case "group":
			groups = append(groups, p.Group(it.Title, it.Description))
		case "exclusive":
			if it.Group != nil {
				exclusive = append(exclusive, groups[*it.Group].Exclusive(it.Required))
			} else {
				exclusive = append(exclusive, p.Exclusive(it.Required))
			}
		case "defaults":
			values := map[string]any{}
			for k, v := range it.Values {
				values[k] = decodeValue(v)
			}
			p.SetDefaults(values)
		case "subparsers":
			var s *Subparsers
			s, err = p.Subparsers(SubparsersConfig{Title: it.Title, Description: it.Description, Dest: it.Dest,
				Metavar: it.Metavar, Required: it.Required, Help: it.Help})
			if err != nil {
				break
			}
			for _, c := range it.Commands {
				sub, subErr := s.Add(c.Name, SubparserConfig{Help: c.Help, Aliases: c.Aliases, Description: c.Description,
					Epilog: c.Epilog, Deprecated: c.Deprecated})
				if subErr != nil {
					err = subErr
					break
				}
				errs = append(errs, buildItems(sub, c.Items)...)
			}
		case "arg":
			a := Argument{Names: it.Names, Dest: it.Dest, Action: Action(it.Action), Nargs: Nargs(it.Nargs),
				Const: decodeValue(it.Const), Default: decodeValue(it.Default), Type: oracleType(it.Type),
				Required: it.Required, Help: it.Help, HelpSuppressed: it.Suppressed, Metavar: it.Metavar,
				Version: it.Version, Deprecated: it.Deprecated}
			for _, c := range it.Choices {
				a.Choices = append(a.Choices, decodeValue(c))
			}
			switch {
			case it.Exclusive != nil:
				err = exclusive[*it.Exclusive].Add(a)
			case it.Group != nil:
				err = groups[*it.Group].Add(a)
			default:
				err = p.Add(a)
			}
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		errs = append(errs, text)
	}
	return errs
}

func decodeValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := strconv.Atoi(string(v))
		return n
	case map[string]any:
		if text, ok := v["float"].(string); ok {
			f, _ := strconv.ParseFloat(text, 64)
			return f
		}
		if v["none"] == true {
			return None
		}
		return Suppress
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = decodeValue(v[i])
		}
		return list
	}
	return v
}

func oracleType(name string) Type {
	switch name {
	case "int":
		return Int
	case "float":
		return Float
	case "str":
		return Str
	case "even":
		return Type{Name: "even", Parse: func(w string) (any, error) {
			v, err := Int.Parse(w)
			if err != nil {
				return nil, err
			}
			if n, ok := number(v); ok && new(big.Float).Quo(n, big.NewFloat(2)).IsInt() == false {
				return nil, &TypeError{Message: w + " is odd"}
			}
			return v, nil
		}}
	}
	return Type{}
}

// generator makes random parsers and words that suit them.
type generator struct {
	*rand.Rand
	options []string // of the parser at hand
	values  []string
	names   []string // of sub-commands
}

func generate(seed uint64, n int) []caseSpec {
	cases := make([]caseSpec, n)
	for i := range cases {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		cases[i] = g.parser()
	}
	return cases
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

var prose = []string{"Delete", "expired", "tokens", "older", "than", "well-known", "e-mail", "x", "--flag", "a--b",
	"überlange", "Größe", "données", "日本語テキスト", "antidisestablishmentarianism-and-more-of-it", "(see", "above),", "re-read-only", "50%%",
	"%(prog)s", "tab\there", "two\n\nlines", "don't", "\"quoted\"", "https://example.com/a-b/c", "1-2", "co-op", "-", "…"}

func (g *generator) text(upTo int) string {
	words := make([]string, 1+g.IntN(upTo))
	for i := range words {
		words[i] = pick(g, prose...)
	}
	return strings.Join(words, " ")
}

func (g *generator) parser() caseSpec {
	c := caseSpec{Prog: pick(g, "prog", "manage dance", "p", "a-very-long-program-name-that-takes-most-of-the-line of it"),
		Columns: pick(g, 80, 80, 80, 60, 40, 100, 25, 120)}
	if g.chance(50) {
		// Without %% that would need a %(prog) to be halved.
		c.Description = strings.ReplaceAll(g.text(40), "%%", "%(prog)s")
	}
	if g.chance(25) {
		c.Epilog = strings.ReplaceAll(g.text(12), "%%", "")
	}
	c.Description = strings.ReplaceAll(c.Description, "50%(prog)s", "half")
	c.Epilog = strings.ReplaceAll(c.Epilog, "50", "half")
	c.NoHelp = g.chance(15)
	if g.chance(5) {
		c.Usage = "%(prog)s [things]"
	}
	c.Items = g.items(2)
	for i := range 6 {
		words := g.wordList()
		if i > 0 {
			words = g.suiting(c.Items)
			if g.chance(20) && len(words) > 0 {
				words[g.IntN(len(words))] = g.word()
			}
		}
		c.Words = append(c.Words, words)
	}
	return c
}

func (g *generator) items(depth int) []itemSpec {
	items := []itemSpec{}
	groups, exclusive := 0, 0
	n := g.IntN(8)
	for range n {
		switch k := g.IntN(100); {
		case k < 5:
			items = append(items, itemSpec{Op: "group", Title: pick(g, "", "Output", "advanced options"), Description: pick(g, "", "", "What it prints and where, and some more text about it.")})
			groups++
		case k < 14:
			it := itemSpec{Op: "exclusive", Required: g.chance(40)}
			if groups > 0 && g.chance(40) {
				at := g.IntN(groups)
				it.Group = &at
			}
			items = append(items, it)
			members := 1 + g.IntN(3)
			for range members {
				m := g.argument()
				m.unchecked()
				at := exclusive
				m.Exclusive = &at
				if g.chance(80) {
					m.Required = false
				}
				items = append(items, m)
			}
			exclusive++
		case k < 18:
			items = append(items, itemSpec{Op: "defaults", Values: map[string]any{pick(g, "foo", "n", "extra", "bar"): g.value("")}})
		default:
			a := g.argument()
			if groups > 0 && g.chance(30) {
				at := g.IntN(groups)
				a.Group = &at
				a.unchecked()
			}
			items = append(items, a)
		}
	}
	if depth > 0 && g.chance(14) {
		items = append(items, g.subparsers(depth-1))
		if g.chance(20) {
			items = append(items, g.argument())
		}
	}
	return items
}

func (g *generator) subparsers(depth int) itemSpec {
	it := itemSpec{Op: "subparsers", Required: g.chance(40), Dest: pick(g, "", "cmd", "command"), Help: pick(g, "", "what to do")}
	if g.chance(30) {
		it.Title = "commands"
	}
	if g.chance(20) {
		it.Description = "All that can be done."
	}
	if g.chance(20) || it.Dest == "" && it.Required {
		it.Metavar = []string{"COMMAND"}
	}
	names := []string{"add", "remove", "list", "ad"}
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:1+g.IntN(3)] {
		c := commandSpec{Name: name, Help: pick(g, "", "Do it.", g.text(12), "%(dest)s %(metavar)s %(default)s %(required)s"), Deprecated: g.chance(10), Description: pick(g, "", "Does it.")}
		if g.chance(30) {
			c.Aliases = []string{name[:1] + "x"}
		}
		g.names = append(g.names, name)
		g.names = append(g.names, c.Aliases...)
		c.Items = g.items(depth)
		it.Commands = append(it.Commands, c)
	}
	return it
}

var optionNames = []string{"--foo", "--foobar", "--bar", "--no-input", "--n", "--verbose", "--version-x", "-f", "-n", "-v", "-x", "-q", "-5",
	"-fo", "-long", "--über", "-é", "--a-b", "--a_b", "-1", "--dry-run", "--baz"}

func (g *generator) argument() itemSpec {
	it := itemSpec{Op: "arg"}
	positional := g.chance(35)
	if positional {
		it.Names = []string{pick(g, "src", "dst", "files", "args", "a-name", "foo")}
	} else {
		for range 1 + g.IntN(3)*g.IntN(2) {
			it.Names = append(it.Names, pick(g, optionNames...))
		}
		if g.chance(4) {
			it.Names = append(it.Names, pick(g, "--", "-", "nodash"))
		}
		g.options = append(g.options, it.Names...)
		if g.chance(15) {
			it.Dest = pick(g, "n", "where", "foo")
		}
		it.Required = g.chance(8)
	}
	if positional && g.chance(2) {
		it.Dest = "twice"
	}
	if g.chance(60) {
		it.Help = g.text(25)
		if g.chance(20) {
			it.Help += " (default: %(default)s, %(type)s)"
		}
		if g.chance(10) {
			it.Help += " %(dest)s %(nargs)s %(required)s %(metavar)-8s|%(const)r|%(choices)10s|%(option_strings)s %(deprecated)s"
		}
	}
	it.Suppressed = g.chance(6)
	it.Deprecated = g.chance(6)
	actions := []string{"", "", "", "", "store", "store_true", "store_false", "store_const", "append", "append", "append_const", "extend",
		"count", "version", "BooleanOptionalAction"}
	if positional {
		actions = []string{"", "", "", "", "", "store", "append", "extend", "store_const"}
	}
	it.Action = pick(g, actions...)
	switch it.Action {
	case "", "store", "append", "extend":
		g.valued(&it, positional)
	case "store_const", "append_const":
		if g.chance(85) {
			it.Const = g.value("")
		}
		if it.Action == "append_const" && g.chance(30) {
			it.Default = []any{"d", 1}
		}
	case "store_true", "store_false", "BooleanOptionalAction":
		if g.chance(25) {
			it.Default = pick[any](g, true, false, map[string]any{"none": true}, map[string]any{"suppress": true})
		}
	case "count":
		if g.chance(30) {
			it.Default = g.IntN(3)
		}
	case "version":
		it.Version = pick(g, "%(prog)s 1.0", "2.0-beta")
		it.Required = g.chance(2)
	}
	return it
}

// unchecked takes back what add_argument refuses on a parser but, by an oversight, not on a group.
func (it *itemSpec) unchecked() {
	if it.Nargs == "0" || it.Nargs == "x" {
		it.Nargs = ""
	}
	if len(it.Metavar) > 1 {
		it.Metavar = it.Metavar[:1]
	}
}

// valued fills in what an argument with words has.
func (g *generator) valued(it *itemSpec, positional bool) {
	it.Nargs = pick(g, "", "", "", "", "?", "?", "*", "*", "+", "+", "1", "2", "3", "...")
	if g.chance(1) {
		it.Nargs = pick(g, "0", "x")
	}
	it.Type = pick(g, "", "", "", "int", "int", "float", "str", "even")
	if it.Action == "extend" && (it.Nargs == "" || it.Nargs == "?") && it.Type != "" {
		it.Type = "str" // a number cannot be iterated
	}
	if g.chance(20) {
		for range 1 + g.IntN(3) {
			v := g.value(it.Type)
			if _, list := v.([]any); !list {
				it.Choices = append(it.Choices, v)
				if s := fmt.Sprint(v); !strings.HasPrefix(s, "map") {
					g.values = append(g.values, s)
				}
			}
		}
	}
	if it.Nargs == "?" && g.chance(60) || g.chance(1) {
		it.Const = g.value(it.Type)
	}
	many := it.Nargs != "" && it.Nargs != "?"
	switch {
	case it.Action == "append" || it.Action == "extend":
		if g.chance(30) {
			it.Default = []any{"d", g.IntN(5)}
		}
	case g.chance(35):
		it.Default = g.value(it.Type)
		if many && g.chance(50) {
			it.Default = []any{g.value(it.Type)}
		}
	case g.chance(8):
		it.Default = map[string]any{"none": true}
	case g.chance(6) && it.Type == "" && it.Choices == nil:
		// Converted and checked as if it were text by 3.13.0, a fault mended since.
		it.Default = map[string]any{"suppress": true}
	}
	if it.Action == "extend" && it.Nargs == "?" {
		it.Const, it.Default = "c", []any{}
	}
	if g.chance(20) {
		it.Metavar = []string{pick(g, "X", "FILE", "a long name")}
		if it.Nargs == "2" && g.chance(50) || !positional && (it.Nargs == "*" || it.Nargs == "+") && g.chance(30) || g.chance(2) {
			it.Metavar = []string{"A", "B"}
		}
		if positional && len(it.Metavar) == 2 {
			it.Metavar = it.Metavar[:1] // its help and errors crash
		}
	}
}

// value is a value for a default, a const or a choice of an argument of that type.
func (g *generator) value(typ string) any {
	switch {
	case typ == "int" || typ == "even":
		if g.chance(2) {
			return "x"
		}
		return pick[any](g, 4, 2, 300, 1000, "4", "12", "6")
	case typ == "float":
		return pick[any](g, map[string]any{"float": "1.5"}, 2, "2.5", map[string]any{"float": "1e+20"})
	}
	return pick[any](g, "a", "bcd", "é", "it's", "x y", 3, true, "", "long-value", "5")
}

func (g *generator) wordList() []string {
	words := []string{}
	for range g.IntN(8) {
		words = append(words, g.word())
	}
	if len(g.names) > 0 && g.chance(60) {
		words = slices.Insert(words, g.IntN(len(words)+1), pick(g, g.names...))
	}
	return words
}

// suiting makes words that the declarations may well accept.
func (g *generator) suiting(items []itemSpec) []string {
	var pieces [][]string
	var last []string
	taken := map[int]bool{} // exclusive groups that have their one member
	for _, it := range items {
		if it.Op == "subparsers" && len(it.Commands) > 0 && g.chance(85) {
			c := pick(g, it.Commands...)
			last = append([]string{pick(g, append(c.Aliases, c.Name)...)}, g.suiting(c.Items)...)
		}
		if it.Op != "arg" || it.Action == "version" {
			continue
		}
		option := strings.HasPrefix(it.Names[0], "-")
		if option && !it.Required && g.chance(50) {
			continue
		}
		if it.Exclusive != nil {
			if taken[*it.Exclusive] && g.chance(90) {
				continue
			}
			taken[*it.Exclusive] = true
		}
		var piece []string
		values := g.suitingValues(it)
		if option {
			name := pick(g, it.Names...)
			switch runes := []rune(name); {
			case g.chance(15) && strings.HasPrefix(name, "--") && len(runes) > 4:
				name = string(runes[:len(runes)-1])
			case g.chance(10) && it.Action == "BooleanOptionalAction":
				name = "--no-" + strings.TrimLeft(name, "-")
			}
			if len(values) == 1 && g.chance(25) {
				name, values = name+"="+values[0], nil
			} else if len(values) == 1 && g.chance(20) && len([]rune(name)) == 2 {
				name, values = name+values[0], nil
			}
			piece = []string{name}
		}
		pieces = append(pieces, append(piece, values...))
	}
	if g.chance(60) {
		g.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	}
	words := []string{}
	for i, p := range pieces {
		if g.chance(3) || i == len(pieces)-1 && last == nil && g.chance(10) {
			words = append(words, "--")
		}
		words = append(words, p...)
	}
	return append(words, last...)
}

func (g *generator) suitingValues(it itemSpec) []string {
	n := 1
	switch it.Action {
	case "", "store", "append", "extend":
	default:
		return nil
	}
	switch it.Nargs {
	case "?":
		n = g.IntN(2)
	case "*", "...":
		n = g.IntN(4)
	case "+":
		n = 1 + g.IntN(3)
	case "1", "2", "3":
		n, _ = strconv.Atoi(it.Nargs)
	}
	values := []string{}
	for range n {
		switch {
		case it.Choices != nil && g.chance(90):
			v := pick(g, it.Choices...)
			if m, ok := v.(map[string]any); ok {
				v = m["float"]
			}
			values = append(values, fmt.Sprint(v))
		case it.Type == "int" || it.Type == "even" || it.Type == "float":
			values = append(values, pick(g, "4", "12", " 8 ", "300", "1_000", "-6", "٤", "010", "4", "6", "1e22", "-.5", "0.1"))
		default:
			values = append(values, pick(g, "a", "value", "-5", "x y", "", "é", "b=c", "-", "-x y", "5"))
		}
	}
	return values
}

func (g *generator) word() string {
	if len(g.options) > 0 && g.chance(50) {
		name := pick(g, g.options...)
		switch g.IntN(10) {
		case 0:
			runes := []rune(name)
			return string(runes[:1+g.IntN(len(runes))])
		case 1:
			return name + "=" + g.plain()
		case 2:
			return name + g.plain()
		case 3:
			other := pick(g, g.options...)
			return name + strings.TrimLeft(other, "-")
		case 4:
			if rest, ok := strings.CutPrefix(name, "--"); ok {
				return "--no-" + rest
			}
			return name + "="
		case 5:
			runes := []rune(name)
			return string(runes[:max(1, len(runes)-1)]) + "=" + g.plain()
		default:
			return name
		}
	}
	return g.plain()
}

func (g *generator) plain() string {
	if len(g.values) > 0 && g.chance(30) {
		return pick(g, g.values...)
	}
	if g.chance(2) {
		return pick(g, "-h", "--help", "--he")
	}
	return pick(g, "a", "b", "value", "1", "2", "4", "12", "300", "-5", "-1", "-1.5", "-.5", "-5x", "--", "", "-", "x y", "-x y", "--zzz", "-z", "é", "日本",
		"0x10", "010", "1_000", " 7 ", "٣", "1e3", "nan", "99999999999999999999999", "it's", "a\"b", "tab\t", "--unknown=1", "-qv2", "-vvv", "bcd", "5", "---", "--=x", "-=", "-é", "a=b", "\u00a0", "\u200b", "3", "True",
		" +5", "1__0", "5.", "inf", "-nan", "-inf", "1_0.5", "٣.٥", "1e400", "1_.5", "+-1", "²", "𝟙𝟚", "\u20095", "0_0", "-0", "1e-7", "123456789.125", "1e16", "12345678901234567890.5")
}
