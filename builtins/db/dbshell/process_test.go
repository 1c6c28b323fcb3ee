//go:build unix

package dbshell_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/starmanage/starmanage/builtins/db/dbshell"
	"github.com/starmanage/starmanage/engine"
)

// TestMain is also the client of these tests: a program that does what
// DBSHELL_CLIENT says.
func TestMain(m *testing.M) {
	switch os.Getenv("DBSHELL_CLIENT") {
	case "":
		os.Exit(m.Run())
	case "wait":
		os.Stdout.WriteString("ready\n")
		time.Sleep(time.Minute)
	case "tell":
		os.Stdout.WriteString(strings.Join(os.Args[1:], " ") + "|" + os.Getenv("PGPASSWORD") + "|" + os.Getenv("DBSHELL_INHERITED") + "\n")
		os.Exit(7)
	}
}

func executable(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestProcess(t *testing.T) {
	t.Setenv("PGPASSWORD", "inherited")
	t.Setenv("DBSHELL_INHERITED", "yes")
	var out bytes.Buffer
	p := &dbshell.Process{Stdout: &out}
	err := p.Run(context.Background(), executable(t), []string{"-c", "select 1"}, []string{"PGPASSWORD=s3cret", "DBSHELL_CLIENT=tell"})
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 7 {
		t.Errorf("error %v, want exit status 7", err)
	}
	if got, want := out.String(), "-c select 1|s3cret|yes\n"; got != want {
		t.Errorf("the client saw %q, want %q", got, want)
	}
	if err := p.Run(context.Background(), "no-such-program-anywhere", nil, nil); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("a program that is not there: %v", err)
	}
	if p.Running() {
		t.Error("running after the end")
	}
}

// readyWriter tells when the client has started.
type readyWriter struct{ ready chan struct{} }

func (w readyWriter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("ready")) {
		close(w.ready)
	}
	return len(p), nil
}

// TestProcessStops: a run that is told to stop ends its client.
func TestProcessStops(t *testing.T) {
	w := readyWriter{make(chan struct{})}
	p := &dbshell.Process{Stdout: w}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := make(chan bool, 1)
	go func() {
		<-w.ready
		seen <- p.Running()
		cancel()
	}()
	err := p.Run(ctx, executable(t), nil, []string{"DBSHELL_CLIENT=wait"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if !<-seen || p.Running() {
		t.Error("Running is true while the client runs, and then alone")
	}
}

// TestStoppedRun: through the engine, a signal's exit code; and that of a
// client that a signal ended.
func TestStoppedRun(t *testing.T) {
	bin := t.TempDir()
	if err := os.Symlink(executable(t), filepath.Join(bin, "psql")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("DBSHELL_CLIENT", "wait")
	w := readyWriter{make(chan struct{})}
	clients := &dbshell.Process{Stdout: w}
	cfg := project(&recorder{}, `{"default": "postgres://db/shop"}`)
	cfg.Modules = modules(clients.Run)
	var stderr bytes.Buffer
	cfg.Stderr = &stderr
	eng := engine.New(cfg)
	defer eng.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		<-w.ready
		cancel(&engine.Interrupt{Name: "SIGTERM", Code: 143})
	}()
	if code := eng.Run(ctx, []string{"manage", "dbshell"}); code != 143 {
		t.Errorf("code %d, want 143: %s", code, stderr.String())
	}
}

// TestKilledClient: 128 plus the signal's number, as shells have it.
func TestKilledClient(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "psql"), []byte("#!/bin/sh\nkill -9 $$\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	cfg := project(&recorder{}, `{"default": "postgres://db/shop"}`)
	cfg.Modules = modules((&dbshell.Process{}).Run)
	var stderr bytes.Buffer
	cfg.Stderr = &stderr
	eng := engine.New(cfg)
	defer eng.Close()
	if code := eng.Run(context.Background(), []string{"manage", "dbshell"}); code != 137 || !strings.Contains(stderr.String(), `"psql" was ended by a signal: killed.`) {
		t.Errorf("code %d, want 137: %s", code, stderr.String())
	}
}
