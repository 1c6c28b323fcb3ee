package argparse

import "testing"

// fifteen is a parser as commands have it: a few arguments of their own, the rest
// those of every command.
func fifteen(tb testing.TB) *Parser {
	p := New(Config{Prog: "manage prune"})
	for _, a := range []Argument{
		{Names: []string{"user_id"}, Type: Int, Nargs: ZeroOrMore},
		{Names: []string{"--days"}, Type: Int, Default: 30, Help: "Treat tokens older than this as expired"},
		{Names: []string{"--dry-run"}, Action: ActionStoreTrue, Help: "Count only"},
		{Names: []string{"--format"}, Choices: []any{"json", "csv", "text"}, Default: "text"},
		{Names: []string{"--tag", "-t"}, Action: ActionAppend},
		{Names: []string{"--version"}, Action: ActionVersion, Version: "1.0"},
		{Names: []string{"-v", "--verbosity"}, Type: Int, Choices: []any{0, 1, 2, 3}, Default: 1},
		{Names: []string{"--settings"}},
		{Names: []string{"--traceback"}, Action: ActionStoreTrue},
		{Names: []string{"--no-color"}, Action: ActionStoreTrue},
		{Names: []string{"--force-color"}, Action: ActionStoreTrue},
		{Names: []string{"--skip-checks"}, Action: ActionStoreTrue},
		{Names: []string{"--project"}, Rank: Extra},
		{Names: []string{"--timeout"}, Type: Duration, Rank: Extra},
	} {
		if err := p.Add(a); err != nil {
			tb.Fatal(err)
		}
	}
	return p
}

func BenchmarkDefine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		fifteen(b)
	}
}

func BenchmarkParse(b *testing.B) {
	p := fifteen(b)
	words := []string{"--days", "7", "--dry-run", "-v2", "--tag", "a", "--tag=b", "--format", "csv", "42"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ParseArgs(words); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDefineWithFlagSet(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		fifteen(b).FlagSet()
	}
}

func BenchmarkCall(b *testing.B) {
	p := fifteen(b)
	options := map[string]any{"days": 7, "dry_run": true, "tag": []any{"a", "b"}, "format": "csv"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.CallArgs([]any{42}, options); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHelp(b *testing.B) {
	p := fifteen(b)
	for b.Loop() {
		p.FormatHelp()
	}
}
