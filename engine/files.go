package engine

// What modules need beyond commands: the installed apps, other Starlark files
// of theirs (migrations, tests), and runs within a run.

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine/style"
)

// AppInfo is an installed app.
type AppInfo struct {
	// Label is the app's name.
	Label string
	// FS is the app's folder; nil for an app with commands in Go alone.
	FS fs.FS
	// Path is the folder as messages name it: "apps/accounts".
	Path string
}

// Apps returns the installed apps in order, those that come with the program
// last.
func (inv *Invocation) Apps() []AppInfo {
	var infos []AppInfo
	for _, a := range inv.project.apps {
		info := AppInfo{Label: a.label}
		if a.tree != nil {
			info.Path = a.tree.display(a.dir)
			if sub, err := fs.Sub(a.tree.fsys, a.dir); err == nil {
				info.FS = sub
			}
		}
		infos = append(infos, info)
	}
	return infos
}

// Broken returns what is wrong with the project's settings; nil when they hold.
// Commands that come with the program run all the same: one that works with the
// project's data or apps returns this error first.
func (inv *Invocation) Broken() error {
	if inv.project.broken == nil {
		return nil
	}
	return inv.project.brokenError()
}

// LoadFile runs a Starlark file of an app, as load would: name is its path from
// the app's folder ("migrations/0002_fill.star"). It returns the file's
// globals, frozen. Errors are those of a command file.
func (inv *Invocation) LoadFile(app, name string) (starlark.StringDict, error) {
	for _, a := range inv.project.apps {
		if a.label != app || a.tree == nil {
			continue
		}
		p, err := inv.engine.program(a.tree, path.Join(a.dir, name))
		if err != nil {
			return nil, err
		}
		return inv.loader.exec(p)
	}
	return nil, fmt.Errorf("no installed app with label %s", quote(app))
}

// CallFunction calls a script's function in this run. The error carries the
// function's frames; a run that was told to stop gives a StoppedError.
func (inv *Invocation) CallFunction(fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if inv.thread == nil {
		inv.thread = inv.bindThread(inv.name)
	}
	return inv.callScript(fn, args, kwargs)
}

// Sub describes a run within a run. What is zero is inherited.
type Sub struct {
	// Name stands for the command's name in messages.
	Name string
	// Stdout and Stderr take what the run writes.
	Stdout, Stderr io.Writer
	// Now is the run's clock.
	Now func() time.Time
	// Timeout bounds the run; it can only be tighter than the caller's.
	Timeout time.Duration
	// Apart lets nothing of the shell that started the caller through:
	// verbosity 1, no colour, no --traceback, no --json document, an empty
	// stdin and --no-input. What a test sees must not depend on where it runs.
	Apart bool
}

// Within carries out fn as a run of its own within this one: it has its own
// thread, state, deferred functions and streams, and belongs to the goroutine
// that calls Within. Several may run at once on goroutines of their own, while
// this run waits for them. The error is fn's, or the first of a deferred
// function.
func (inv *Invocation) Within(sub Sub, fn func(run *Invocation) error) error {
	run := &Invocation{engine: inv.engine, project: inv.project, parent: inv, depth: inv.depth + 1, name: inv.name, app: inv.app,
		command: inv.command, ctx: inv.ctx, asked: inv.asked, started: inv.Now(), base: inv.base, limits: inv.limits, now: inv.now}
	if run.depth >= maxDepth {
		return fmt.Errorf("runs call each other %d deep", maxDepth)
	}
	if sub.Name != "" {
		run.name = sub.Name
	}
	if sub.Now != nil {
		run.now = sub.Now
	}
	run.attach(request{project: inv.project, isCall: true, parent: inv, args: Args{Stdout: sub.Stdout, Stderr: sub.Stderr}})
	run.base.Verbosity = inv.base.Verbosity
	if sub.Apart {
		run.base, run.document, run.stdin = BaseOptions{Verbosity: 1, NoInput: true}, nil, newInput(emptyReader{})
		run.colors.choice = style.Choice{NoColor: true}
		run.colors.getenv = func(string) string { return "" }
		run.stdout, run.stderr = run.colors.streams(run.outSink, run.errSink)
	}
	run.limits.Timeout = minSet(run.limits.Timeout, sub.Timeout)
	run.loader = &loader{engine: inv.engine, predeclared: inv.engine.predeclared, steps: run.limits.Steps}
	defer run.bound(run.limits.Timeout)()
	return run.finish(safely(func() error { return fn(run) }))
}
