package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"manage": func() { os.Exit(run()) },
	})
}

// TestScripts runs the stories of testdata/scripts: what a shell sees.
//
// Beyond testscript's own, a script has these commands:
//
//	code N program [args]    run, and expect the exit code N
//	signal NAMES N program [args]
//	                         run until it has written "ready", send the signals
//	                         (INT,TERM), expect the exit code N, and keep the
//	                         streams in signal.stdout and signal.stderr
//	demo                     copy the demo project to the work folder
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join(root, "testdata", "scripts"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			env.Setenv("TERM", "xterm")
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" { // whom permissions do not stop
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":   scriptCode,
			"signal": scriptSignal,
			"demo":   scriptDemo,
		},
	})
}

// scriptCode runs a program and compares its exit code.
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program [args]")
	}
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != want {
		ts.Fatalf("exit code %s, want %s", got, want)
	}
}

// scriptSignal starts a program, sends it a signal when its stdout says
// "ready", waits, and compares the exit code.
func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: signal NAME[,NAME] N program [args]")
	}
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	program, err := exec.LookPath(args[2])
	ts.Check(err)
	cmd := exec.Command(program, args[3:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("WORK"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	var seen strings.Builder
	buf := make([]byte, 4096)
	sent := false
	for {
		n, err := stdout.Read(buf)
		seen.Write(buf[:n])
		if !sent && strings.Contains(seen.String(), "ready") {
			sent = true
			for i, name := range strings.Split(args[0], ",") {
				if i > 0 {
					time.Sleep(100 * time.Millisecond) // the first must be seen as the first
				}
				ts.Check(cmd.Process.Signal(signals[name]))
			}
		}
		if err != nil {
			break
		}
	}
	_ = cmd.Wait()
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("exit code %s, want %s\nstdout: %s\nstderr: %s", got, args[1], seen.String(), stderr.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("signal.stdout"), []byte(seen.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("signal.stderr"), []byte(stderr.String()), 0o600))
}

// scriptDemo copies the demo project: settings and apps.
func scriptDemo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: demo")
	}
	root := ts.Getenv("ROOT")
	ts.Check(os.CopyFS(ts.MkAbs("apps"), os.DirFS(filepath.Join(root, "apps"))))
	data, err := os.ReadFile(filepath.Join(root, "settings.star"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("settings.star"), data, 0o600))
}
