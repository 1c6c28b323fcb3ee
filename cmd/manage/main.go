// Manage runs the management commands of a project: see manage help.
//
// It is a page to copy: a program with its own *sql.DB or its own builtins
// needs no more than this.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbshell"
	"github.com/starmanage/starmanage/engine"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = ""

func main() { os.Exit(run()) }

func run() int {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(300) // a command is short: collect rarely
	}
	drivers, err := prepareDrivers()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 70
	}
	clients := &dbshell.Process{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	ctx, stop := interruptible(context.Background(), clients.Running)
	defer stop()

	eng := engine.New(engine.Config{
		Modules: builtins.Modules(builtins.Config{Databases: db.Config{Drivers: drivers}, RunClient: clients.Run}),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Getenv:  os.LookupEnv,
		Version: versionText(),
	})
	defer eng.Close()
	return eng.Run(ctx, os.Args)
}

// interruptible ends the context at the first SIGINT or SIGTERM, so that the
// run rolls back and cleans up; the second one ends the process at once.
// SIGPIPE is caught: a reader that goes away must not stop a job half way.
// While busy reports that a program of the user's has the terminal, SIGINT is
// that program's: Ctrl-C in psql ends a query.
func interruptible(parent context.Context, busy func() bool) (context.Context, context.CancelFunc) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // caught, not ignored: programs that we start inherit that
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for n := 0; ; {
			sig := <-signals
			if sig == os.Interrupt && busy() {
				continue
			}
			cause := interrupt(sig)
			if n > 0 {
				os.Exit(cause.Code)
			}
			cancel(cause)
			n++
		}
	}()
	return ctx, func() { cancel(nil) }
}

func interrupt(sig os.Signal) *engine.Interrupt {
	if sig == syscall.SIGTERM {
		return &engine.Interrupt{Name: "SIGTERM", Code: 143}
	}
	return &engine.Interrupt{Name: "SIGINT", Code: 130}
}

// versionText is the version set by the linker, or the module's when the
// program was installed with go install.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}
