package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// exhausting matches sources that may ask for more memory than a test should
// take: long numbers, shifts and powers. Exhausting memory is outside what the
// engine promises.
var exhausting = regexp.MustCompile(`[0-9a-fA-F_]{5,}|<<|\*|range`)

func noPanic(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*engine.InternalError](err); ok {
		t.Errorf("a panic: %v\n%s", e.Value, e.Stack)
	}
}

// FuzzCommandFile: no text of a command file makes the process panic, whether
// it is listed, checked, explained or run.
func FuzzCommandFile(f *testing.F) {
	for _, src := range []string{
		"help = \"x\"\n\ndef handle():\n    pass\n",
		"def add_arguments(parser):\n    parser.add_argument(\"--x\", nargs = \"+\", type = int, default = [1])\n\ndef handle(x, verbosity = 2):\n    return x\n",
		"def add_arguments(p):\n    s = p.add_subparsers(dest = \"s\")\n    s.add_parser(\"a\", aliases = [\"b\"]).add_argument(\"n\")\n\ndef handle(**options):\n    call_command(\"c\")\n",
		"limits = dict(timeout = \"1s\", steps = 5)\nexamples = [(\"a\", \"b\")]\nrequires_system_checks = []\n\ndef handle(*args):\n    defer(fail, args)\n    exit(3)\n",
		"load(\"./c.star\", \"x\")\n",
		"load(\"@std\", \"re\")\n\"\"\"doc\"\"\"\nhelp = \"a\" + \"b\"\nhandle = 1\n",
		"def handle():\n    v, e = catch(lambda: CommandError(\"x\", returncode = 300))\n    e.reraise()\n",
		"def handle():\n    raise x\n", "x = f\"{y}\"\n", "\xff\xfe", "\x00", "def handle(:\n", "((((((((",
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 4096 || exhausting.MatchString(src) {
			return
		}
		cfg := engine.Config{FS: project(map[string]string{"c": src}), Modules: builtins.Standard(), Limits: engine.Limits{Steps: 5000, Timeout: 5 * time.Second}}
		for _, words := range [][]string{{"help"}, {"help", "c"}, {"check"}, {"c"}, {"c", "--json", "1"}} {
			got := enginetest.Run(t, cfg, words...)
			if got.Code == 70 {
				t.Errorf("%q panics: %s", words, got.Stderr)
			}
			if got.Code == 1 && got.Stderr == "" && !strings.Contains(src, "exit") {
				t.Errorf("%q fails in silence", words)
			}
		}
		eng := engine.New(cfg)
		defer eng.Close()
		infos, err := eng.Commands(context.Background())
		noPanic(t, err)
		for _, info := range infos {
			noPanic(t, info.Err)
		}
	})
}

// FuzzWords: no command line makes the process panic.
func FuzzWords(f *testing.F) {
	for _, words := range []string{"", "c", "c\x00--n\x003", "--project\x00.\x00c", "-v\x002\x00c\x00--json", "help\x00c", "c\x00--timeout\x00-1s",
		"check\x00--tag\x00x\x00--fail-level\x00INFO", "--settings=x\x00c", "c\x00--\x00--x", "../c", "c\x00a\x00--verb=3\x00-vv", "--json\x00nope"} {
		f.Add(words)
	}
	cfg := engine.Config{Modules: builtins.Standard(), Version: "1", FS: project(map[string]string{"c": `
def add_arguments(parser):
    parser.add_argument("--n", type = int, action = "append")
    parser.add_argument("--when", type = lambda s: s[0])
    parser.add_argument("rest", nargs = "*", choices = ["a", "b"])

def handle(n, when, rest):
    return {"n": n, "when": when, "rest": rest}
`})}
	f.Fuzz(func(t *testing.T, line string) {
		if got := enginetest.Run(t, cfg, strings.Split(line, "\x00")...); got.Code == 70 {
			t.Errorf("%q panics: %s", line, got.Stderr)
		}
	})
}

// FuzzCallOptions: no plain Go value given to Call makes the process panic.
func FuzzCallOptions(f *testing.F) {
	for _, options := range []string{
		`{}`, `{"n": 3}`, `{"n": "3", "tags": ["a", 1, null]}`, `{"flag": "yes"}`, `{"mode": "slow", "level": 9e99}`, `{"pair": [1]}`,
		`{"tags": {"deep": [[[[]]]]}, "verbosity": -1, "timeout": "0s"}`, `{"": 1, "-": 2, "args": []}`, `{"count": true, "items": "x"}`,
	} {
		f.Add(options, `["1"]`)
	}
	eng := engine.New(engine.Config{Modules: builtins.Standard(), FS: project(map[string]string{"c": `
def add_arguments(parser):
    parser.add_argument("n", type = int, nargs = "?")
    parser.add_argument("--tags", nargs = "*")
    parser.add_argument("--pair", nargs = 2, type = float)
    parser.add_argument("--flag", action = "store_true")
    parser.add_argument("--count", action = "count")
    parser.add_argument("--items", action = "append", default = [])
    parser.add_argument("--both", action = argparse.BooleanOptionalAction)
    parser.add_argument("--wait", type = argparse.duration)
    parser.add_argument("--doc", type = argparse.json)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--mode", choices = ["fast", "slow"])
    group.add_argument("--level", type = int, choices = [1, 2])

def handle(**options):
    return options
`})})
	f.Cleanup(func() { eng.Close() })
	f.Fuzz(func(t *testing.T, options, positional string) {
		var args engine.Args
		if json.Unmarshal([]byte(options), &args.Options) != nil || json.Unmarshal([]byte(positional), &args.Positional) != nil {
			return
		}
		_, err := eng.Call(context.Background(), "c", args)
		noPanic(t, err)
		if _, isBug := errors.AsType[*engine.ScriptError](err); isBug {
			t.Errorf("misuse is reported as a script's bug: %v", err)
		}
	})
}
