package output_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// onScreen runs x on a terminal that shows both streams, with a clock that
// sleep(seconds) moves.
func onScreen(t *testing.T, cfg engine.Config, words ...string) (s *screen, code int) {
	t.Helper()
	s = new(screen)
	cfg.Stdout, cfg.Stderr = s, s
	synctest.Test(t, func(t *testing.T) {
		code = enginetest.Run(t, cfg, append([]string{"x", "--no-color"}, words...)...).Code
	})
	return s, code
}

func TestProgressBar(t *testing.T) {
	for _, tt := range []struct {
		name string
		body []string
		code int
		want string
	}{
		{"what stays at the end", []string{
			`for x in progress(range(1200), label = "rows"):`,
			`    sleep(0.01)`,
		}, 0, "rows: 100% [########################################] 1,200/1,200 12s\n"},
		{"after a break the item at hand is not done", []string{
			`for x in progress(range(4)):`,
			`    sleep(3)`,
			`    if x == 3:`,
			`        break`,
		}, 0, " 75% [##############################..........] 3/4 12s, 4s left\n"},
		{"after an error the message has a line of its own", []string{
			`for x in progress([1, 2]):`,
			`    if x == 2:`,
			`        CommandError("no")`,
		}, 1, " 50% [####################....................] 1/2 0s\nCommandError: no\n"},
		{"without a total", []string{
			`for x in progress(endless(), label = "rows"):`,
			`    sleep(61)`,
			`    if x == 2:`,
			`        break`,
		}, 0, "rows: 2 3m3s\n"},
		{"more items than announced", []string{
			`for x in progress([1, 2], total = 1):`,
			`    pass`,
		}, 0, "100% [########################################] 2/1 0s\n"},
		{"fewer items than announced", []string{
			`for x in progress([1], total = 4):`,
			`    pass`,
		}, 0, " 25% [##########..............................] 1/4 0s\n"},
		{"the total is asked for, not counted", []string{
			`for x in progress(counted(2)):`,
			`    pass`,
		}, 0, "done after 2\n100% [########################################] 2/2 0s\n"},
		{"nothing to do, nothing to see", []string{
			`for x in progress([]):`,
			`    pass`,
		}, 0, ""},
		{"lines of both streams stand whole above the bar", []string{
			`for x in progress(range(4)):`,
			`    sleep(1)`,
			`    stdout.write("out %d" % x)`,
			`    stderr.write("err")`,
			`    log.warning("look", x = x)`,
			`    stdout.table([[x]])`,
			`    print("p")`,
		}, 0, strings.Repeat("out N\nerr\nWARNING look x=N\nN\np\n", 4) + "100% [########################################] 4/4 4s\n"},
		{"half a line is not overwritten", []string{
			`for x in progress(range(3)):`,
			`    sleep(1)`,
			`    stdout.write("%d " % x, ending = "")`,
			`    stdout.flush()`,
			`stdout.write("end")`,
		}, 0, "0 1 2 end\n"},
		{"an inner bar goes away, the outer one stays", []string{
			`for x in progress(range(2), label = "outer"):`,
			`    for y in progress(range(5), label = "inner"):`,
			`        sleep(1)`,
			`        stdout.write("line")`,
		}, 0, strings.Repeat("line\n", 10) + "outer: 100% [########################################] 2/2 10s\n"},
		{"a long label is cut", []string{
			`for x in progress(range(2), label = "x" * 100):`,
			`    pass`,
		}, 0, strings.Repeat("x", 79) + "\n"},
		{"a label cannot move the cursor", []string{
			`for x in progress(range(2), label = "a\nb\x1b[31m"):`,
			`    pass`,
		}, 0, "a\\nb: 100% [########################################] 2/2 0s\n"},
		{"two loops", []string{
			`for x in progress([1], label = "a"):`,
			`    pass`,
			`stdout.write("between")`,
			`for x in progress([1], label = "b"):`,
			`    pass`,
		}, 0, "a: 100% [########################################] 1/1 0s\nbetween\nb: 100% [########################################] 1/1 0s\n"},
		{"a called command's lines", []string{
			`for x in progress([1, 2]):`,
			`    call_command("inner")`,
		}, 0, "from inner\nfrom inner\n100% [########################################] 2/2 0s\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(tt.body...)
			cfg.Apps = []engine.App{innerApp(`stdout.write("from inner")`)}
			s, code := onScreen(t, cfg)
			got := s.shows(t)
			if strings.Contains(tt.want, "N") && tt.code == 0 {
				for _, digit := range "0123" {
					got = strings.ReplaceAll(got, "out "+string(digit)+"\n", "out N\n")
					got = strings.ReplaceAll(got, "x="+string(digit)+"\n"+string(digit)+"\n", "x=N\nN\n")
				}
			}
			equal(t, "the screen", got, tt.want)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
		})
	}
}

// Between lines of text the bar is there: whoever waits for a slow item sees
// it. It is drawn ten times a second at most.
func TestProgressRedraws(t *testing.T) {
	s, _ := onScreen(t, config(
		`for x in progress(range(1000)):`,
		`    sleep(0.001)`,
		`    if x == 500:`,
		`        stdout.write("half")`,
	))
	if n := strings.Count(s.String(), "\r"); n < 10 || n > 14 {
		t.Errorf("the bar was drawn %d times in a second", n)
	}
	if !strings.Contains(s.String(), "half\n\r 50% [") {
		t.Errorf("the bar does not come back after a line: %q", s.String())
	}
}

// Workers share the line of the terminal: what each writes stands whole.
func TestProgressOfWorkers(t *testing.T) {
	cfg := config(
		`for x in progress([1], label = "outer"):`,
		`    together("inner", 8)`,
	)
	cfg.Apps = []engine.App{innerApp(`[stdout.write("a whole line") for _ in progress(range(50), label = "inner")]`)}
	s, code := onScreen(t, cfg)
	equal(t, "the screen", s.shows(t), strings.Repeat("a whole line\n", 400)+"outer: 100% [########################################] 1/1 0s\n")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestProgressLines(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		body       []string
	}{
		{"each tenth", "rows:  10% 2/20 2s, 18s left\nrows:  20% 4/20 4s, 16s left\nrows:  30% 6/20 6s, 14s left\n" +
			"rows:  40% 8/20 8s, 12s left\nrows:  50% 10/20 10s, 10s left\nrows:  60% 12/20 12s, 8s left\nrows:  70% 14/20 14s, 6s left\n" +
			"rows:  80% 16/20 16s, 4s left\nrows:  90% 18/20 18s, 2s left\nrows: 100% 20/20 20s\n", []string{
			`for x in progress(range(20), label = "rows"):`,
			`    sleep(1)`,
		}},
		{"every ten seconds", "  1% 3/200 12s, 13m8s left\n  3% 6/200 24s, 12m56s left\n  4% 8/200 36s, 14m24s left\n", []string{
			`for x in progress(range(200)):`,
			`    sleep(4)`,
			`    if x == 8:`,
			`        break`,
		}},
		{"without a total", "10 10s\n15 16s\n", []string{
			`for x in progress(endless()):`,
			`    sleep(1)`,
			`    if x == 15:`,
			`        break`,
		}},
		{"nothing done, nothing said", "", []string{
			`for x in progress([1]):`,
			`    break`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := enginetest.Run(t, config(tt.body...), "x")
				equal(t, "stderr", got.Stderr, tt.want)
				equal(t, "stdout", got.Stdout, "")
			})
		})
	}
}

func TestProgressQuiet(t *testing.T) {
	cfg := config(
		`for x in progress(counted(1001)):`, // which cannot be counted
		`    pass`,
	)
	got := enginetest.Run(t, cfg, "x", "--verbosity", "0")
	equal(t, "stderr", got.Stderr, "")
	equal(t, "stdout", got.Stdout, "done after 1001\n")
}

// A bar never reaches the last column, where a terminal would break the line;
// what does not fit goes, the bar first.
func TestProgressOnNarrowTerminals(t *testing.T) {
	for _, tt := range []struct {
		columns int
		want    string
	}{
		{100, "漢字:  50% [####################....................] 1/2 1s, 1s left"},
		{60, "漢字:  50% [###############...............] 1/2 1s, 1s left"},
		{38, "漢字:  50% [####....] 1/2 1s, 1s left"},
		{35, "漢字:  50% [##...] 1/2 1s, 1s left"},
		{34, "漢字:  50% 1/2 1s, 1s left"},
		{20, "漢字:  50% 1/2 1s, "},
		{4, "漢"},
		{1, ""},
	} {
		s := &screen{columns: tt.columns}
		cfg := config(
			`for x in progress(range(2), label = "漢字"):`,
			`    if x == 1:`,
			`        exit()`,
			`    sleep(1)`,
		)
		cfg.Stdout, cfg.Stderr = s, s
		synctest.Test(t, func(t *testing.T) { enginetest.Run(t, cfg, "x") })
		var longest string
		for _, drawn := range strings.Split(s.String(), "\r") {
			if drawn, _, _ = strings.Cut(drawn, "\x1b[K"); strings.Contains(drawn, "50%") || longest == "" {
				longest = drawn
			}
		}
		if longest != tt.want {
			t.Errorf("%d columns: %q, want %q", tt.columns, longest, tt.want)
		}
	}
}

// A terminal without cursor movement gets lines.
func TestProgressDumbTerminal(t *testing.T) {
	cfg := config(`xs = [x for x in progress(range(2))]`)
	cfg.Getenv = env("TERM=dumb")
	s, _ := onScreen(t, cfg)
	equal(t, "the terminal", s.String(), " 50% 1/2 0s\n100% 2/2 0s\n")
}

// With --json every line of stderr is an object, as the log's are.
func TestProgressJSON(t *testing.T) {
	cfg := config(`xs = [x for x in progress(range(1))]`)
	synctest.Test(t, func(t *testing.T) {
		got := enginetest.Run(t, cfg, "x", "--json")
		sameJSON(t, got.Stderr, `{"time":"2000-01-01T00:00:00.000000Z","level":"info","command":"x","message":"100% 1/1 0s"}`)
	})
}

// An interrupt in the middle of an item leaves the bar as it was, and the
// reason on a line of its own.
func TestProgressInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(screen)
		cfg := config(
			`for x in progress(counted(10)):`,
			`    if x[0] == 3:`,
			`        sleep(60)`,
		)
		cfg.Stdout, cfg.Stderr, cfg.Getenv = s, s, env("NO_COLOR=1")
		ctx, cancel := context.WithCancelCause(context.Background())
		eng := engine.New(cfg)
		code := make(chan int)
		go func() { code <- eng.Run(ctx, []string{"manage", "x"}) }()
		synctest.Wait() // until it sleeps
		cancel(&engine.Interrupt{Name: "SIGINT", Code: 130})
		if got := <-code; got != 130 {
			t.Errorf("exit code %d, want 130", got)
		}
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
		equal(t, "the screen", s.shows(t), "done after 4\n 30% [############............................] 3/10 0s\nStopped: x: interrupted by SIGINT.\n")
	})
}

// A stderr that fails stops the loop: nothing is lost in silence.
func TestProgressWriteError(t *testing.T) {
	cfg := config(
		`def f():`,
		`    for x in progress(counted(10)):`,
		`        pass`,
		`_, err = catch(f)`,
		`print(err.message)`,
	)
	cfg.Stderr = failingWriter{}
	got := enginetest.Run(t, cfg, "x")
	equal(t, "stdout", got.Stdout, "done after 1\nprogress: the disk is full\n")
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }
