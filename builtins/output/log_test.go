package output_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

func TestLogLevels(t *testing.T) {
	lines := []string{"ERROR e\n", "WARNING w\n", "INFO i\n", "DEBUG d\n"}
	for verbosity := range 4 {
		t.Run(fmt.Sprintf("verbosity %d", verbosity), func(t *testing.T) {
			cfg := config(`log.error("e"); log.warning("w"); log.info("i"); log.debug("d")`)
			got := enginetest.Run(t, cfg, "x", "-v", fmt.Sprint(verbosity))
			equal(t, "stderr", got.Stderr, strings.Join(lines[:verbosity+1], ""))
			equal(t, "stdout", got.Stdout, "")
		})
	}
}

func TestLogFields(t *testing.T) {
	got := enginetest.Run(t, config(
		`log.error("done", user = "a b", n = 3, empty = "", quoted = 'say "x"', none = None, path = "a=b", text = "é\n")`,
		`log.error(msg = "by name", level = 1)`,
		`log.error(404)`,
	), "x")
	equal(t, "stderr", got.Stderr, `ERROR done user="a b" n=3 empty="" quoted="say \"x\"" none=None path="a=b" text="é\n"`+"\n"+
		"ERROR by name level=1\nERROR 404\n")
}

func TestLogMisuse(t *testing.T) {
	for body, want := range map[string]string{
		`log.info()`:                "log.info: missing argument for msg",
		`log.debug("a", "b")`:       "log.debug: got 2 arguments, want at most 1",
		`log.error("a", msg = "b")`: `log.error: got multiple values for keyword argument "msg"`,
		`log.wraning("a")`:          "module has no .wraning field or method (did you mean .warning?)",
	} {
		got := enginetest.Run(t, config(body), "x")
		if !strings.Contains(got.Stderr, want) || got.Code != 1 {
			t.Errorf("%s: got %+v, want %q", body, got, want)
		}
	}
}

func TestLogColours(t *testing.T) {
	cfg := config(`log.error("e"); log.warning("w"); log.info("i")`)
	s := new(screen)
	cfg.Stderr = s
	enginetest.Run(t, cfg, "x", "-v", "2")
	if want := red + "ERROR" + reset + " e\n\x1b[33;1mWARNING" + reset + " w\nINFO i\n"; s.String() != want {
		t.Errorf("stderr is %q, want %q", s.String(), want)
	}
}

// With --json each line is an object; the command's output stays in the one
// document.
func TestLogJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := enginetest.Run(t, config(
			`log.warning("<w>", n = 1, big = 1 << 70, list = [1, None], f = len, nan = float("nan"), time = "mine", command = "its own")`,
			`log.info("hidden")`,
			`log.error(style.ERROR("red"))`,
		), "x", "--json", "--force-color")
		lines := strings.SplitAfter(got.Stderr, "\n")
		if len(lines) != 3 {
			t.Fatalf("stderr is %q", got.Stderr)
		}
		sameJSON(t, lines[0], `{"time":"2000-01-01T00:00:00.000000Z","level":"warning","command":"x","message":"<w>","n":1,
			"big":1180591620717411303424,"list":[1,null],"f":"<built-in function len>","nan":"nan","time_":"mine","command_":"its own"}`)
		sameJSON(t, lines[1], `{"time":"2000-01-01T00:00:00.000000Z","level":"error","command":"x","message":"red"}`)
		if !strings.Contains(lines[0], "<w>") {
			t.Errorf("the message is escaped for HTML: %s", lines[0])
		}
		if doc := document(t, got.Stdout); !doc.OK || doc.Output != "" {
			t.Errorf("stdout is %s", got.Stdout)
		}
	})
}

// A called command whose output is captured logs as the run does.
func TestLogJSONOfCalledCommand(t *testing.T) {
	cfg := config(`call_command("inner", stdout = StringIO())`)
	cfg.Apps = []engine.App{innerApp(`log.error("e")`)}
	synctest.Test(t, func(t *testing.T) {
		got := enginetest.Run(t, cfg, "x", "--json")
		sameJSON(t, got.Stderr, `{"time":"2000-01-01T00:00:00.000000Z","level":"error","command":"inner","message":"e"}`)
	})
}
