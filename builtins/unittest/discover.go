package unittest

// Which tests there are: files by their names, tests by what a file defines.

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/suggest"
)

const (
	testsDir  = "tests"
	prefix    = "test_"
	extension = ".star"
)

// file is a file of tests.
type file struct {
	app  string
	name string // without .star
	path string // as messages name it
}

func (f file) label() string { return f.app + "." + f.name }

// test is one test, or what stands for a file that does not load.
type test struct {
	file  file
	name  string // empty when the file does not load
	fn    starlark.Callable
	setup starlark.Callable // may be nil
	err   error             // why the file does not load
}

// id is the test's label: app.file.test.
func (t *test) id() string {
	if t.name == "" {
		return t.file.label()
	}
	return t.file.label() + "." + t.name
}

// discover finds the files of the installed apps, by name alone.
func discover(apps []engine.AppInfo) (files []file, err error) {
	for _, app := range apps {
		if app.FS == nil {
			continue
		}
		entries, err := fs.ReadDir(app.FS, testsDir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", path.Join(app.Path, testsDir), err)
		}
		for _, e := range entries {
			name, isStar := strings.CutSuffix(e.Name(), extension)
			if isStar && strings.HasPrefix(name, prefix) && !e.IsDir() {
				files = append(files, file{app: app.Label, name: name, path: path.Join(app.Path, testsDir, e.Name())})
			}
		}
	}
	return files, nil
}

// collect loads the files that labels name, all without labels, and returns
// their tests: in the order of apps and files, then of definition.
func collect(inv *engine.Invocation, labels, patterns []string) ([]*test, error) {
	apps := inv.Apps()
	files, err := discover(apps)
	if err != nil {
		return nil, err
	}
	var tests []*test
	wanted := make([]bool, len(labels)) // which labels named something
	for _, f := range files {
		if !anyLabel(f.label(), labels) {
			continue
		}
		for _, t := range load(inv, f) {
			if named(t, labels, wanted) && (t.name == "" || matches(t.id(), patterns)) {
				tests = append(tests, t)
			}
		}
	}
	for i, found := range wanted {
		if !found {
			return nil, unknownLabel(labels[i], apps, files)
		}
	}
	if len(tests) == 0 {
		return nil, noTests(apps, labels, patterns)
	}
	return tests, nil
}

// anyLabel reports whether a file may hold tests that labels name.
func anyLabel(f string, labels []string) bool {
	return len(labels) == 0 || slices.ContainsFunc(labels, func(label string) bool {
		return within(f, label) || within(label, f)
	})
}

// within reports whether a label lies in another: "a.b.c" in "a.b" and "a".
func within(inner, outer string) bool {
	return inner == outer || strings.HasPrefix(inner, outer+".")
}

// named reports whether labels name the test, and notes which. A file that
// does not load stands for all of its tests.
func named(t *test, labels []string, found []bool) bool {
	ok := len(labels) == 0
	for i, label := range labels {
		if within(t.id(), label) || t.err != nil && within(label, t.id()) {
			ok, found[i] = true, true
		}
	}
	return ok
}

// matches is -k: a test is chosen when one of the patterns, a part of its
// label or a pattern with *, matches. Source: unittest's -k.
func matches(id string, patterns []string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(pattern string) bool {
		if strings.Contains(pattern, "*") {
			ok, _ := path.Match(globOf(pattern), id) // checked when the words were read
			return ok
		}
		return strings.Contains(id, pattern)
	})
}

// globOf is a pattern of Python's fnmatch in the syntax of path.Match.
func globOf(pattern string) string { return strings.ReplaceAll(pattern, "[!", "[^") }

// load runs a file and returns its tests.
func load(inv *engine.Invocation, f file) []*test {
	globals, err := inv.LoadFile(f.app, path.Join(testsDir, f.name+extension))
	if err != nil {
		return []*test{{file: f, err: err}}
	}
	var setup starlark.Callable
	if v, ok := globals["setup"]; ok {
		if setup, ok = v.(starlark.Callable); !ok {
			return []*test{{file: f, err: fmt.Errorf("setup is a function, setup(t), not a %s", v.Type())}}
		}
	}
	var tests []*test
	for name, v := range globals {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		t := &test{file: f, name: name, setup: setup}
		var ok bool
		if t.fn, ok = v.(starlark.Callable); !ok {
			t.err = fmt.Errorf("a test is a function, %s(t), not a %s", name, v.Type())
		}
		tests = append(tests, t)
	}
	slices.SortFunc(tests, func(a, b *test) int {
		return cmp.Or(cmp.Compare(line(a.fn), line(b.fn)), strings.Compare(a.name, b.name))
	})
	return tests
}

// line is where a test stands in its file; 0 for one that a call made.
func line(fn starlark.Callable) int32 {
	if f, ok := fn.(*starlark.Function); ok {
		return f.Position().Line
	}
	return 0
}

// shuffle orders tests by a hash of their labels, so that a seed gives a part of
// the tests the order that it gives all of them. Source: Django's Shuffler.
func shuffle(tests []*test, seed int) {
	key := func(t *test) uint64 {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s", seed, t.id())
		sum := h.Sum64() // FNV leaves labels that differ at the end close together
		sum ^= sum >> 31
		sum *= 0x9e3779b97f4a7c15
		return sum ^ sum>>29
	}
	slices.SortStableFunc(tests, func(a, b *test) int { return cmp.Compare(key(a), key(b)) })
}

func unknownLabel(label string, apps []engine.AppInfo, files []file) error {
	e := &engine.CommandError{Message: fmt.Sprintf("no test %q", label)}
	var known []string
	for _, app := range apps {
		if app.FS != nil {
			known = append(known, app.Label)
		}
	}
	if slices.Contains(known, label) {
		e.Message = fmt.Sprintf("app %q has no tests", label)
	}
	for _, f := range files {
		known = append(known, f.label())
	}
	if close := suggest.Closest(label, known); close != "" {
		e.Hint = "Did you mean " + close + "?"
	} else {
		e.Hint = where(apps)
	}
	return e
}

func noTests(apps []engine.AppInfo, labels, patterns []string) error {
	message := "no tests found"
	if len(patterns) > 0 {
		message = fmt.Sprintf("no tests match -k %s", strings.Join(patterns, " -k "))
	}
	return &engine.CommandError{Message: message, Hint: where(apps)}
}

// where says where tests are looked for.
func where(apps []engine.AppInfo) string {
	var places []string
	for _, app := range apps {
		if app.FS != nil {
			places = append(places, path.Join(app.Path, testsDir, prefix+"*"+extension))
		}
	}
	if len(places) == 0 {
		return "Tests are functions test_*(t) in apps/<app>/tests/test_*.star, and this project has no apps."
	}
	return "Tests are functions test_*(t) in " + strings.Join(places, ", ") + "."
}
