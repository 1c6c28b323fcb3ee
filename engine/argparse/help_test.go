package argparse

import (
	"strings"
	"testing"
)

func manageParser(t *testing.T, width int) *Parser {
	p := declare(t, Config{Prog: "manage cleanup_tokens", Layout: ManageLayout, Description: "Delete expired auth tokens.",
		Epilog: "Runs every night.", Footer: "apps/accounts/management/commands/cleanup_tokens.star", Width: func() int { return width },
		Examples: []Example{{"manage cleanup_tokens --days 7", "only what is older than a week"}, {"manage cleanup_tokens --dry-run", ""}}},
		Argument{Names: []string{"--version"}, Action: ActionVersion, Version: "1", Rank: Base},
		Argument{Names: []string{"-v", "--verbosity"}, Type: Int, Default: 1, Choices: []any{0, 1, 2, 3}, Rank: Base,
			Help: "Verbosity level; 0=minimal output, 1=normal output, 2=verbose output, 3=very verbose output"},
		Argument{Names: []string{"--settings"}, Rank: Base, Help: "The settings file"},
		Argument{Names: []string{"--timeout"}, Type: Duration, Rank: Extra, Metavar: []string{"DURATION"}, Help: "Stop after this long"},
		Argument{Names: []string{"--traceback"}, Action: ActionStoreTrue, Rank: Base, Help: "Show a traceback"},
		Argument{Names: []string{"users"}, Nargs: ZeroOrMore, Type: Int, Help: "Ids of the users"},
		Argument{Names: []string{"--days"}, Type: Int, Default: 30, Help: "Treat tokens older than this many days as expired (default %(default)s)"},
		Argument{Names: []string{"--dry-run"}, Action: ActionStoreTrue, Help: "Count only, don't delete"})
	if err := p.Group("output", "What it prints.").Add(Argument{Names: []string{"--format"}, Choices: []any{"text", "csv"}, Help: "50% of the text"}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestManageLayout(t *testing.T) {
	golden(t, "manage_help.txt", manageParser(t, 80).FormatHelp())
	for _, width := range []int{60, 100, 300} {
		for line := range strings.Lines(manageParser(t, width).FormatHelp()) {
			if n := length(strings.TrimSuffix(line, "\n")); n > min(width, 100)-2 && !strings.Contains(line, "apps/") {
				t.Errorf("width %d: %d characters: %s", width, n, line)
			}
		}
	}
}

func TestHelpAtOddWidths(t *testing.T) {
	for _, width := range []int{-5, 0, 1, 2, 3, 10, 20, 1000} {
		p := manageParser(t, width)
		if p.FormatHelp() == "" || p.FormatUsage() == "" {
			t.Error(width)
		}
		p.cfg.Layout = ArgparseLayout
		if p.FormatHelp() == "" || p.FormatUsage() == "" {
			t.Error(width)
		}
	}
}

func TestPercent(t *testing.T) {
	values := map[string]any{"s": "é'", "n": -7, "f": 2.5, "b": true, "l": []any{"a", 1}, "none": nil}
	lookup := func(name string) (any, bool) { v, ok := values[name]; return v, ok }
	for text, want := range map[string]string{
		"%(s)s|%(s)r|%(l)s|%(none)s": `é'|"é'"|['a', 1]|None`, "100%%": "100%", "%(n)5d|%(n)-5d|%(n)05d|": "   -7|-7   |-0007|", "%(f).2f %(b)d": "2.50 1",
		"%(s).1s%(s)4s": "é  é'", "%(f)g %(f)e": "2.5 2.500000e+00",
		// What Python could not format stays as it stands.
		"100% sure": "100% sure", "%(x)s": "%(x)s", "%": "%", "%(s": "%(s", "%(s)d": "%(s)d", "%(s)q": "%(s)q", "50%": "50%", "%(f).999999999f": "%(f).999999999f", "%(s)99999s": "%(s)99999s", "%s": "%s",
	} {
		if got := percent(text, &Values{}, lookup); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
