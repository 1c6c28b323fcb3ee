package dbshell

import (
	"context"
	"io"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// Process runs clients as children of this process, on its streams. Give the
// streams as *os.File: then the client has the terminal itself. It may be used
// by many goroutines at once.
//
// Ctrl-C at a terminal reaches every process that has it. The client ends a
// query with it, so a program that stops at an interrupt leaves it alone while
// Running:
//
//	if sig == os.Interrupt && clients.Running() {
//		continue
//	}
type Process struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	running atomic.Int32
}

// stopTime is what a client has to end after it was told to.
const stopTime = 5 * time.Second

// Run is a Config.Run: it finds the program on PATH and waits for its end. A
// client that ctx tells to stop is sent SIGTERM, and killed five seconds later.
func (p *Process) Run(ctx context.Context, name string, args, env []string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Stdin, p.Stdout, p.Stderr
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return cmd.Process.Kill() // Windows has no SIGTERM
		}
		return nil
	}
	cmd.WaitDelay = stopTime
	p.running.Add(1)
	defer p.running.Add(-1)
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Running reports whether a client runs.
func (p *Process) Running() bool { return p.running.Load() > 0 }
