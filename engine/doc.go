// Package engine finds, parses and runs management commands: one Starlark file
// each, apps/<app>/management/commands/<name>.star, or a Command in Go.
//
// A program makes one Engine and uses it from any number of goroutines:
//
//	eng := engine.New(engine.Config{Modules: builtins.Standard(), Stdout: os.Stdout, Stderr: os.Stderr})
//	defer eng.Close()
//	os.Exit(eng.Run(ctx, os.Args))                          // the shell's way in
//	v, err := eng.Call(ctx, "cleanup_tokens", engine.Args{  // Go's way in
//		Options: map[string]any{"days": 7},
//	})
//
// The types, from the outside in:
//
//   - Engine, made from a Config, holds what the runs of a program share:
//     the project's apps and settings, and compiled files.
//   - App is a named set of commands; Command is one of them.
//   - Module brings names into scripts: the Modules of a Config are all that a
//     script can reach. Builtin wraps every function that a module offers,
//     Func makes one of a plain Go function.
//   - Invocation is one run of one command: context, options, streams, parent.
//     It belongs to one goroutine.
//   - CommandError, ScriptError, UnknownCommandError, StoppedError and
//     argparse.Error are the ways to fail; ExitCode says what each exits with.
//
// The life of one command: settings, once; apps in order, commands by file
// name only; the one file compiled and its top level run; add_arguments; words
// to values; system checks; handle, on a thread tied to the context; deferred
// functions; an error to text, the text's kind to an exit code.
package engine
