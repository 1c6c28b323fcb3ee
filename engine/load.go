package engine

// load(): relative to the file, from the project's root (//), or from @std.

import (
	"context"
	"fmt"
	"path"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// loader runs files and what they load: each once, frozen when it is done. It
// serves one invocation, on its goroutine.
type loader struct {
	engine      *Engine
	ctx         context.Context
	predeclared starlark.StringDict
	options     *syntax.FileOptions // of loaded files; nil: the usual dialect, from the Engine's cache
	steps       uint64

	loaded map[programKey]starlark.StringDict
	chain  []*program // the files being run, outermost first
	thread *starlark.Thread
}

// exec runs a file's top level and returns its globals, frozen.
func (l *loader) exec(p *program) (starlark.StringDict, error) {
	if p.err != nil {
		return nil, p.err
	}
	thread := &starlark.Thread{Name: p.file.display, Load: l.load, Print: refusePrint}
	var reached *LimitError
	limitSteps(thread, l.steps, &reached)
	l.chain = append(l.chain, p)
	outer := l.thread
	l.thread = thread
	defer func() {
		l.chain = l.chain[:len(l.chain)-1]
		l.thread = outer
	}()

	stop := context.AfterFunc(l.ctx, func() { thread.Cancel("the run was told to stop") })
	globals, err := initProgram(p, thread, l.predeclared)
	stop()
	if l.ctx.Err() != nil {
		return nil, &StoppedError{Command: p.file.display, Cause: context.Cause(l.ctx)}
	}
	if reached != nil {
		return nil, &StoppedError{Command: p.file.display, Cause: reached}
	}
	if err != nil {
		return nil, l.engine.lift(thread, err)
	}
	globals.Freeze()
	return globals, nil
}

// limitSteps stops a thread after a number of steps, 0 for no limit, and says
// so in reached.
func limitSteps(thread *starlark.Thread, steps uint64, reached **LimitError) {
	if steps == 0 {
		return
	}
	thread.SetMaxExecutionSteps(steps)
	thread.OnMaxSteps = func(thread *starlark.Thread) {
		*reached = &LimitError{Limit: "steps", Value: fmt.Sprintf("%d steps", steps)}
		thread.Cancel("too many steps")
	}
}

// initProgram runs a file's top level; a panic is an error.
func initProgram(p *program, thread *starlark.Thread, predeclared starlark.StringDict) (globals starlark.StringDict, err error) {
	defer recoverInto(&err)
	return p.code.Init(thread, predeclared)
}

// refusePrint drops what print says at a file's top level: nothing has asked
// for output yet, and stdout belongs to the command's results.
func refusePrint(*starlark.Thread, string) {}

// load serves a load statement.
func (l *loader) load(_ *starlark.Thread, module string) (starlark.StringDict, error) {
	from := l.chain[len(l.chain)-1]
	if module == "@std" {
		return l.engine.std()
	}
	name, err := resolveLoad(from.file, module)
	if err != nil {
		return nil, err
	}
	key := programKey{from.file.tree, name}
	if globals, ok := l.loaded[key]; ok {
		return globals, nil
	}
	for i, p := range l.chain {
		if p.file.tree == key.tree && p.file.path == name {
			return nil, fmt.Errorf("a cycle of loads: %s", chainText(l.chain[i:], p))
		}
	}
	p, err := l.read(key.tree, name)
	if err != nil {
		return nil, err
	}
	globals, err := l.exec(p)
	if err != nil {
		return nil, err
	}
	if l.loaded == nil {
		l.loaded = make(map[programKey]starlark.StringDict)
	}
	l.loaded[key] = globals
	return globals, nil
}

func (l *loader) read(t *tree, name string) (*program, error) {
	if l.options == nil {
		return l.engine.program(t, name)
	}
	src, err := readSource(t, name)
	if err != nil {
		return nil, err
	}
	l.engine.keepText(t.display(name), src)
	return compileSource(&sourceFile{tree: t, path: name, display: t.display(name)}, src, l.options, l.predeclared), nil
}

func chainText(chain []*program, again *program) string {
	var names []string
	for _, p := range chain {
		names = append(names, p.file.display)
	}
	return strings.Join(append(names, again.file.display), " → ")
}

// resolveLoad returns the path, within the file's tree, that a load statement
// in it means.
func resolveLoad(from *sourceFile, module string) (string, error) {
	var name string
	rooted, isRooted := strings.CutPrefix(module, "//")
	switch {
	case strings.HasPrefix(module, "@"):
		return "", fmt.Errorf("unknown module %q: only \"@std\" exists", module)
	case strings.ContainsAny(module, "\\\x00"):
		return "", fmt.Errorf("path %q has a character that no path here has: separate folders with /", module)
	case isRooted:
		name = path.Clean(rooted)
	case strings.HasPrefix(module, "./"), strings.HasPrefix(module, "../"):
		name = path.Join(path.Dir(from.path), module)
	case strings.HasPrefix(module, "/"):
		return "", fmt.Errorf("path %q is absolute: start it with // to mean the project's root", module)
	default:
		return "", fmt.Errorf("path %q is neither relative nor from the root: write %q or %q", module, "./"+module, "//"+module)
	}
	if name == ".." || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") {
		return "", fmt.Errorf("path %q leads out of the project", module)
	}
	if path.Ext(name) != commandExt {
		return "", fmt.Errorf("path %q does not end in %s", module, commandExt)
	}
	return name, nil
}

// std returns what the modules offer to load("@std", …).
func (e *Engine) std() (starlark.StringDict, error) {
	all := make(starlark.StringDict)
	for _, m := range e.cfg.Modules {
		if lib, ok := m.(Library); ok {
			for name, v := range lib.Std() {
				v.Freeze()
				all[name] = v
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("this program offers no @std modules")
	}
	return all, nil
}
