package output_test

import (
	"strings"
	"testing"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

const (
	red   = "\x1b[31;1m"
	green = "\x1b[32;1m"
	reset = "\x1b[0m"
)

// Colour is decided for each stream: options, then the environment, then
// whether it is a terminal (CLI.md, "Colour").
func TestColourPerStream(t *testing.T) {
	plainOut, plainErr := "ok\n", "bad\n"
	colourOut, colourErr := green+"ok"+reset+"\n", red+"bad"+reset+"\n"
	for _, tt := range []struct {
		name             string
		outTerm, errTerm bool
		env              []string
		words            []string
		out, err         string
	}{
		{"no terminal", false, false, nil, nil, plainOut, plainErr},
		{"two terminals", true, true, nil, nil, colourOut, colourErr},
		{"stdout alone is one", true, false, nil, nil, colourOut, plainErr},
		{"stderr alone is one", false, true, nil, nil, plainOut, colourErr},
		{"--no-color on a terminal", true, true, nil, []string{"--no-color"}, plainOut, plainErr},
		{"--no-color beats FORCE_COLOR", true, true, []string{"FORCE_COLOR=1"}, []string{"--no-color"}, plainOut, plainErr},
		{"--force-color in a pipe", false, false, nil, []string{"--force-color"}, colourOut, colourErr},
		{"--force-color beats NO_COLOR", false, true, []string{"NO_COLOR=1"}, []string{"--force-color"}, colourOut, colourErr},
		{"NO_COLOR", true, true, []string{"NO_COLOR=1", "FORCE_COLOR=1"}, nil, plainOut, plainErr},
		{"an empty NO_COLOR says nothing", true, true, []string{"NO_COLOR="}, nil, colourOut, colourErr},
		{"FORCE_COLOR", false, false, []string{"FORCE_COLOR=1", "TERM=dumb"}, nil, colourOut, colourErr},
		{"FORCE_COLOR=0 says nothing", false, true, []string{"FORCE_COLOR=0"}, nil, plainOut, colourErr},
		{"CLICOLOR_FORCE", false, true, []string{"CLICOLOR_FORCE=1"}, nil, colourOut, colourErr},
		{"TERM=dumb", true, true, []string{"TERM=dumb"}, nil, plainOut, plainErr},
		{"a palette without colours", true, true, []string{"MANAGE_COLORS=nocolor"}, nil, plainOut, plainErr},
		{"roles of one's own", true, true, []string{"MANAGE_COLORS=success=magenta;error=yellow/blue,blink"}, nil,
			"\x1b[35mok" + reset + "\n", "\x1b[33;44;5mbad" + reset + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(
				`stdout.write(style.SUCCESS("ok"))`,
				`stderr.write("bad")`,
			)
			cfg.Getenv = env(tt.env...)
			stdout, stderr := new(screen), new(screen)
			if cfg.Stdout = hide(stdout); tt.outTerm {
				cfg.Stdout = stdout
			}
			if cfg.Stderr = hide(stderr); tt.errTerm {
				cfg.Stderr = stderr
			}
			if got := enginetest.Run(t, cfg, append([]string{"x"}, tt.words...)...); got.Code != 0 {
				t.Errorf("exit code %d", got.Code)
			}
			if got := stdout.String(); got != tt.out {
				t.Errorf("stdout is %q, want %q", got, tt.out)
			}
			if got := stderr.String(); got != tt.err {
				t.Errorf("stderr is %q, want %q", got, tt.err)
			}
		})
	}
}

// hide takes the terminal away from a screen.
func hide(s *screen) engineWriter { return s.Write }

type engineWriter func([]byte) (int, error)

func (w engineWriter) Write(p []byte) (int, error) { return w(p) }

func TestIsatty(t *testing.T) {
	body := `stdout.write("%s %s %s" % (stdout.isatty(), stderr.isatty(), stdin.isatty()))`
	cfg := config(body)
	s := new(screen)
	cfg.Stdout = s
	enginetest.Run(t, cfg, "x")
	equal(t, "stdout", s.String(), "True False False\n")

	cfg = config(body)
	cfg.Stderr, cfg.Stdin = new(screen), terminalInput("")
	got := enginetest.Run(t, cfg, "x")
	equal(t, "stdout", got.Stdout, "False True True\n")
}

// What stderr.write is given has the role ERROR, unless it has a style of its
// own; line breaks stay outside the codes; stdout.write adds none.
func TestStderrRole(t *testing.T) {
	cfg := config(
		`stderr.write("a")`,
		`stderr.write(style.WARNING("b"))`,
		`stderr.write("c\n\n")`,
		`stderr.write("d", ending = "")`,
		`stderr.write()`,
		`stdout.write("plain")`,
	)
	stdout, stderr := new(screen), new(screen)
	cfg.Stdout, cfg.Stderr = stdout, stderr
	enginetest.Run(t, cfg, "x")
	equal(t, "stdout", stdout.String(), "plain\n")
	if got, want := stderr.String(), red+"a"+reset+"\n\x1b[33;1mb"+reset+"\n"+red+"c"+reset+"\n\n"+red+"d"+reset+"\n"; got != want {
		t.Errorf("stderr is %q, want %q", got, want)
	}
}

// Styled text that goes to the stream without colour loses our codes, and
// keeps what the script wrote itself.
func TestStyledTextOnTheOtherStream(t *testing.T) {
	cfg := config(
		`text = style.SUCCESS("ours") + " \x1b[38;5;208mits own\x1b[39m"`,
		`stdout.write(text)`,
		`stderr.write(text)`,
		`print(text)`,
		`out = StringIO()`,
		`call_command("inner", stdout = out)`,
		`stdout.write("%r" % out.getvalue())`,
	)
	cfg.Apps = []engine.App{innerApp(`stdout.write(style.SUCCESS("captured"))`)}
	stderr := new(screen)
	cfg.Stderr = stderr
	got := enginetest.Run(t, cfg, "x")
	own := " \x1b[38;5;208mits own\x1b[39m\n"
	if want := "ours" + own + "ours" + own + `"captured\n"` + "\n"; got.Stdout != want {
		t.Errorf("stdout is %q, want %q", got.Stdout, want)
	}
	if want := green + "ours" + reset + own; stderr.String() != want {
		t.Errorf("stderr is %q, want %q", stderr.String(), want)
	}
}

// A stream that is called command's: the colour is its own, not the caller's.
func TestPassingAStream(t *testing.T) {
	cfg := config(
		`call_command("inner", stdout = stderr)`,
		`call_command("inner", stderr = stdout)`,
		`call_command("inner", stdout = None, stderr = None)`,
	)
	cfg.Apps = []engine.App{innerApp(`stdout.write(style.SUCCESS("out")); stderr.write(style.ERROR("err"))`)}
	stderr := new(screen)
	cfg.Stderr = stderr
	got := enginetest.Run(t, cfg, "x")
	equal(t, "stdout", got.Stdout, "out\nerr\nout\n")
	if want := strings.Join([]string{green + "out", red + "err", red + "err\n"}, reset+"\n"); stderr.String() != strings.Replace(want, "err\n", "err"+reset+"\n", 1) {
		t.Errorf("stderr is %q", stderr.String())
	}
}

// The order of the two streams on one terminal is the order of the writes.
func TestStreamsKeepTheirOrder(t *testing.T) {
	cfg := config(
		`stdout.write("1 ", ending = "")`,
		`stderr.write("2 ", ending = "")`,
		`print(3)`,
		`log.error("4")`,
		`stdout.write("5")`,
	)
	s := new(screen)
	cfg.Stdout, cfg.Stderr = s, s
	enginetest.Run(t, cfg, "x", "--no-color")
	equal(t, "the terminal", s.String(), "1 2 3\nERROR 4\n5\n")
}
