// Package unittest brings the command test and the value that tests get, t:
// commands are tested as easily as they are written.
//
//	apps/accounts/tests/test_cleanup_tokens.star
//
//	def setup(t):
//	    db.table("accounts_authtoken").create(value = "old", created_at = timezone.now() - timedelta(days = 60))
//
//	def test_dry_run_does_not_delete(t):
//	    out = StringIO()
//	    call_command("cleanup_tokens", dry_run = True, stdout = out)
//	    t.contains(out.getvalue(), "1 candidates for deletion")
//	    t.eq(db.table("accounts_authtoken").count(), 1)
//
// Each test is a run of its own within the run of the command test: with its
// own output, which a report shows when it fails, its own clock, and nothing of
// the shell that started the tests: no colour, no verbosity, no stdin.
//
// In a test an alias of DATABASES means a scratch database with all migrations
// applied: in memory for SQLite, test_<name> on a server. It is made when a
// test first uses it, and each test runs in a transaction of it that is rolled
// back, yet cannot be told from none: outside db.atomic a statement that fails
// undoes itself alone, and select_for_update is refused. What db.on_commit
// registers is kept for t.on_commit.
package unittest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"runtime"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/argparse"
)

// Config says what tests can use. The zero value works: tests without a
// database.
type Config struct {
	// DB is the program's database module. Default: none, and t.queries and
	// t.on_commit fail.
	DB *db.Module
	// Migrate makes the tables of a scratch database: it applies all
	// migrations, and is called on several goroutines at once, each with a run
	// and a database of its own. Default: scratch databases are empty.
	Migrate func(inv *engine.Invocation, database *sqldb.Database) error
}

// Module is the engine.Module that brings the command test. It keeps no state
// and may be used by many runs at once.
type Module struct{ cfg Config }

var (
	_ engine.Module      = (*Module)(nil)
	_ engine.AppProvider = (*Module)(nil)
)

// New returns the module. It does no I/O.
func New(cfg Config) *Module { return &Module{cfg: cfg} }

// Name is "unittest".
func (m *Module) Name() string { return "unittest" }

// Predeclared gives scripts no names: t is a test's argument.
func (m *Module) Predeclared() starlark.StringDict { return nil }

// Apps gives the command test.
func (m *Module) Apps() []engine.App {
	return []engine.App{{Label: "manage", Commands: []engine.Command{{
		Name: "test",
		Help: "Run the tests of the apps: functions test_*(t) in apps/<app>/tests/test_*.star.",
		Examples: []argparse.Example{
			{Line: "manage test", Help: "every test of the project"},
			{Line: "manage test accounts.test_cleanup_tokens", Help: "the tests of one file"},
			{Line: "manage test -k delete --failfast", Help: "those with delete in their names, up to the first that fails"},
		},
		AddArguments: addArguments,
		Handle:       m.handle,
	}}}}
}

func addArguments(p *argparse.Parser) error {
	for _, a := range []argparse.Argument{
		{Names: []string{"label"}, Nargs: argparse.ZeroOrMore, Help: "what to run: an app, app.file or app.file.test (default: everything)"},
		{Names: []string{"-k"}, Dest: "k", Action: argparse.ActionAppend, Metavar: []string{"PATTERN"}, Type: pattern(),
			Help: "run only tests whose label has this in it, or matches it when it has a *; may be repeated"},
		{Names: []string{"--failfast"}, Action: argparse.ActionStoreTrue, Help: "stop at the first test that does not pass"},
		{Names: []string{"--parallel"}, Nargs: argparse.Optional, Metavar: []string{"N"}, Type: positive("N", 1), Default: 1, Const: runtime.GOMAXPROCS(0),
			Help: "run N tests at a time, as many as there are processors without N (default %(default)s)"},
		{Names: []string{"--keepdb"}, Action: argparse.ActionStoreTrue, Help: "keep the test databases of servers, and take those that an earlier run kept"},
		{Names: []string{"--shuffle"}, Nargs: argparse.Optional, Metavar: []string{"SEED"}, Type: argparse.Int, Const: true,
			Help: "run in an order that the seed decides; without SEED it is made up, and printed"},
		{Names: []string{"--durations"}, Metavar: []string{"N"}, Type: positive("N", 0), Help: "show the N slowest tests, 0 for all"},
		{Names: []string{"--junit"}, Metavar: []string{"FILE"}, Help: "write the results as JUnit's XML too"},
		{Names: []string{"--timeout"}, Metavar: []string{"DURATION"}, Type: timeout(), Help: "how long one test may take: 500ms, 90s, 10m"},
	} {
		if err := p.Add(a); err != nil {
			return err
		}
	}
	return nil
}

// pattern is what -k takes.
func pattern() argparse.Type {
	return argparse.Type{Name: "pattern", Parse: func(word string) (any, error) {
		if _, err := path.Match(globOf(word), ""); err != nil {
			return nil, &argparse.TypeError{Message: fmt.Sprintf("not a pattern: %q", word)}
		}
		return word, nil
	}}
}

// positive is a whole number that is at least lowest.
func positive(name string, lowest int) argparse.Type {
	return checked(argparse.Int, func(v any) error {
		if n, ok := v.(int); !ok || n < lowest {
			return &argparse.TypeError{Message: fmt.Sprintf("%s is at least %d, not %v", name, lowest, v)}
		}
		return nil
	})
}

func timeout() argparse.Type {
	return checked(argparse.Duration, func(v any) error {
		if d, ok := v.(time.Duration); !ok || d <= 0 {
			return &argparse.TypeError{Message: "a test needs more time than none"}
		}
		return nil
	})
}

// checked is a type whose values, from words and from calls, pass a check.
func checked(t argparse.Type, check func(v any) error) argparse.Type {
	with := func(convert func(any) (any, error)) func(any) (any, error) {
		return func(v any) (any, error) {
			v, err := convert(v)
			if err == nil {
				err = check(v)
			}
			return v, err
		}
	}
	parse, accept := t.Parse, t.Accept
	words := with(func(v any) (any, error) { return parse(v.(string)) })
	t.Parse = func(word string) (any, error) { return words(word) }
	t.Accept = with(func(v any) (any, error) {
		if accept == nil {
			return v, nil
		}
		return accept(v)
	})
	return t
}

// handle runs the tests. Its value counts them; one that did not pass is
// exit(1).
func (m *Module) handle(_ context.Context, inv *engine.Invocation) (any, error) {
	tests, err := collect(inv, words(inv.Option("label")), words(inv.Option("k")))
	if err != nil {
		return nil, err
	}
	started := inv.Now()
	out := newReport(inv)
	switch seed := inv.Option("shuffle").(type) {
	case int:
		out.printf("Using shuffle seed: %d (given)\n", seed)
		shuffle(tests, seed)
	case bool:
		made := int(started.UnixNano() % (1 << 31))
		out.printf("Using shuffle seed: %d (generated)\n", made)
		shuffle(tests, made)
	}
	workers, _ := inv.Option("parallel").(int)
	failfast, _ := inv.Option("failfast").(bool)
	s := &suite{cfg: m.cfg, inv: inv, tests: tests, workers: max(1, min(workers, len(tests)))}
	s.timeout, _ = inv.Option("timeout").(time.Duration)
	s.keepdb, _ = inv.Option("keepdb").(bool)
	err = s.run(func(res result) bool {
		out.add(res)
		return !failfast || res.outcome() < failure
	})
	durations := -1
	if n, ok := inv.Option("durations").(int); ok {
		durations = n
	}
	sum, printErr := out.finish(inv.Now().Sub(started), durations, err != nil)
	if file, ok := inv.Option("junit").(string); ok {
		if err := writeJUnit(file, out.results, started); err != nil {
			return nil, err
		}
	}
	if err := cmp.Or(err, printErr); err != nil {
		return nil, err
	}
	if sum.failures+sum.errors > 0 {
		return nil, &engine.ExitError{Code: 1}
	}
	return map[string]any{"ran": sum.ran, "skipped": sum.skipped}, nil
}

// writeJUnit writes the XML to a file, whose path is the shell's: from the
// working directory.
func writeJUnit(file string, results []result, started time.Time) error {
	data, err := junit(results, started)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return &engine.CommandError{Message: "--junit: " + err.Error(), Err: err}
	}
	return nil
}

// words is the value of an argument that takes several.
func words(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// args are the arguments of a test.
func (t *T) args() starlark.Tuple { return starlark.Tuple{t} }
