package engine

// settings.star: names in capitals, laid under those of Config.Settings.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/internal/starconv"
	"github.com/starmanage/starmanage/internal/suggest"
)

// Settings are a project's settings: what settings.star assigned to names in
// capitals, and what the program laid over it. They never change; any
// goroutine may read them.
type Settings struct {
	file   string // as messages name it
	values starlark.StringDict
}

// Value returns a setting as scripts see it, frozen; nil when it is not set.
func (s Settings) Value(name string) starlark.Value { return s.values[name] }

// Lookup returns a setting as plain Go (see Engine.Call's result); ok is false
// when it is not set or has no plain form.
func (s Settings) Lookup(name string) (v any, ok bool) {
	sv, ok := s.values[name]
	if !ok {
		return nil, false
	}
	v, err := starconv.ToGo(sv)
	return v, err == nil
}

// Names returns the names that are set, sorted.
func (s Settings) Names() []string { return s.values.Keys() }

// File returns the settings file as messages name it: "settings.star", or the
// one that was chosen.
func (s Settings) File() string { return s.file }

// knownSettings are those that the engine and the modules of this program's
// design read. A name close to one of them is probably a slip.
func knownSettings() []string {
	return []string{"DATABASES", "INSTALLED_APPS", "LIMITS", "PERMISSIONS", "SILENCED_SYSTEM_CHECKS", "TIME_ZONE"}
}

// Masked reports whether a setting's value is a secret by its name, by
// Django's rule (HIDDEN_SETTINGS in django/views/debug.py).
func Masked(name string) bool {
	return hiddenSettings().MatchString(name)
}

func hiddenSettings() *regexp.Regexp {
	return regexp.MustCompile(`(?i)API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE`)
}

// readSettings runs the settings file and lays the host's settings over it.
// The Settings are usable whatever the error: they hold what could be read.
func (e *Engine) readSettings(ctx context.Context, p *project, chosen string) (Settings, error) {
	s := Settings{file: settingsFile, values: e.defaultSettings()}
	if chosen != "" {
		s.file = chosen
	}
	if err := e.runSettings(ctx, p, chosen, &s); err != nil {
		return s, err
	}
	for _, name := range slices.Sorted(maps.Keys(e.cfg.Settings)) {
		v, err := starconv.ToStarlark(e.cfg.Settings[name])
		if err != nil {
			return s, fmt.Errorf("the program's setting %s: %w", name, err)
		}
		v.Freeze()
		s.values[name] = v
	}
	return s, s.validate()
}

// defaultSettings are the settings of a project that sets none.
func (e *Engine) defaultSettings() starlark.StringDict {
	url, ok := e.cfg.Getenv("DATABASE_URL")
	if !ok || url == "" {
		url = "sqlite:///db.sqlite3"
	}
	databases := starlark.NewDict(1)
	_ = databases.SetKey(starlark.String("default"), starlark.String(url)) // a string can be a key
	databases.Freeze()
	return starlark.StringDict{"TIME_ZONE": starlark.String("UTC"), "DATABASES": databases}
}

func (e *Engine) runSettings(ctx context.Context, p *project, chosen string, s *Settings) error {
	src, from, name, err := p.settingsSource(chosen)
	if err != nil || src == nil {
		return err
	}
	file := &sourceFile{tree: from, path: name, display: s.file}
	predeclared := starlark.StringDict{"env": e.envBuiltin()}
	e.keepText(file.display, src)
	prog := compileSource(file, src, settingsOptions(), predeclared)
	if prog.err != nil {
		return prog.err
	}
	ld := &loader{engine: e, ctx: ctx, predeclared: predeclared, options: settingsOptions()}
	globals, err := ld.exec(prog)
	if err != nil {
		return err
	}
	for name, v := range globals {
		if isSettingName(name) {
			s.values[name] = v
		}
	}
	return nil
}

// settingsSource returns the settings file's text; nil without an error when
// there is none and none was named. A path is from the project's root; an
// absolute one may lead elsewhere, since the operator named it.
func (p *project) settingsSource(chosen string) (src []byte, from *tree, name string, err error) {
	name = settingsFile
	if chosen != "" {
		name = filepath.ToSlash(chosen)
		if p.dir != "" && filepath.IsAbs(chosen) {
			if rel, err := filepath.Rel(p.dir, chosen); err == nil && filepath.IsLocal(rel) {
				name = filepath.ToSlash(rel)
			}
		}
		name = path.Clean(name)
	}
	if filepath.IsAbs(name) {
		src, err = readText(os.DirFS(filepath.Dir(name)), filepath.Base(name))
		from = &tree{fsys: os.DirFS(filepath.Dir(name)), prefix: filepath.Dir(name)}
		if p.tree != nil {
			from = p.tree
		}
	} else {
		if p.tree == nil {
			if chosen == "" {
				return nil, nil, "", nil
			}
			return nil, nil, "", fmt.Errorf("settings file %q: there is no project here to find it in", chosen)
		}
		if !fs.ValidPath(name) {
			return nil, nil, "", fmt.Errorf("settings file %q lies outside the project", chosen)
		}
		from = p.tree
		src, err = readText(p.tree.fsys, name)
	}
	switch {
	case err == nil:
		return src, from, name, nil
	case chosen == "" && errors.Is(err, fs.ErrNotExist):
		return nil, nil, "", nil
	case chosen != "":
		return nil, nil, "", fmt.Errorf("settings file %q: %w", chosen, plainPathError(err))
	}
	return nil, nil, "", fmt.Errorf("%s: %w", settingsFile, plainPathError(err))
}

// envBuiltin is settings.star's env(name, default): the environment variable's
// value, or default. Without a default a variable that is not set is an error.
func (e *Engine) envBuiltin() *starlark.Builtin {
	return PureBuiltin("env", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var name string
		var fallback starlark.Value
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name, "default?", &fallback); err != nil {
			return nil, err
		}
		if v, ok := e.cfg.Getenv(name); ok {
			return starlark.String(v), nil
		}
		if fallback == nil {
			return nil, fmt.Errorf("environment variable %q is not set: set it, or give env a default", name)
		}
		return fallback, nil
	})
}

// isSettingName reports whether a global is a setting: capitals, digits and
// underscores, starting with a capital.
func isSettingName(name string) bool {
	for i, r := range name {
		if (r < 'A' || r > 'Z') && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return name != ""
}

// validate checks the settings that the engine itself reads.
func (s Settings) validate() error {
	if v, ok := s.values["INSTALLED_APPS"]; ok {
		if _, err := stringList(v); err != nil {
			return s.errorf("INSTALLED_APPS", "%w", err)
		}
	}
	if v, ok := s.values["SILENCED_SYSTEM_CHECKS"]; ok {
		if _, err := stringList(v); err != nil {
			return s.errorf("SILENCED_SYSTEM_CHECKS", "%w", err)
		}
	}
	if v, ok := s.values["PERMISSIONS"]; ok {
		if err := validatePermissions(v); err != nil {
			return s.errorf("PERMISSIONS", "%w", err)
		}
	}
	if v, ok := s.values["LIMITS"]; ok {
		if _, err := limitsOf(v); err != nil {
			return s.errorf("LIMITS", "%w", err)
		}
	}
	return nil
}

func (s Settings) errorf(name, format string, args ...any) error {
	return fmt.Errorf("%s: %s: "+format, append([]any{s.file, name}, args...)...)
}

func (s Settings) installedApps() (labels []string, ok bool) {
	v, ok := s.values["INSTALLED_APPS"]
	if !ok {
		return nil, false
	}
	labels, _ = stringList(v)
	return labels, true
}

func (s Settings) silenced() []string {
	if v, ok := s.values["SILENCED_SYSTEM_CHECKS"]; ok {
		ids, _ := stringList(v)
		return ids
	}
	return nil
}

func (s Settings) limits() Limits {
	if v, ok := s.values["LIMITS"]; ok {
		l, _ := limitsOf(v)
		return l
	}
	return Limits{}
}

// stringList returns the strings of a list or tuple.
func stringList(v starlark.Value) ([]string, error) {
	var items starlark.Sequence
	switch v := v.(type) {
	case *starlark.List:
		items = v
	case starlark.Tuple:
		items = v
	default:
		return nil, fmt.Errorf("want a list of strings, got %s", v.Type())
	}
	var out []string
	iter := items.Iterate()
	defer iter.Done()
	var item starlark.Value
	for i := 0; iter.Next(&item); i++ {
		str, ok := starlark.AsString(item)
		if !ok {
			return nil, fmt.Errorf("want a list of strings, item %d is %s", i, item.Type())
		}
		out = append(out, str)
	}
	return out, nil
}

// limitsOf reads a LIMITS setting or a command file's limits: a dict with
// timeout ("10m", or seconds) and steps.
func limitsOf(v starlark.Value) (Limits, error) {
	var l Limits
	if v == starlark.None {
		return l, nil
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		return l, fmt.Errorf("want a dict such as dict(timeout = \"10m\"), got %s", v.Type())
	}
	for _, item := range d.Items() {
		key, _ := starlark.AsString(item[0])
		switch key {
		case "timeout":
			t, err := durationOf(item[1])
			if err != nil {
				return l, fmt.Errorf("timeout: %w", err)
			}
			l.Timeout = t
		case "steps":
			n, ok := item[1].(starlark.Int)
			steps, fits := n.Uint64()
			if !ok || !fits || steps == 0 {
				return l, fmt.Errorf("steps: want a positive int, got %s", item[1])
			}
			l.Steps = steps
		default:
			return l, unknownKey(item[0], []string{"timeout", "steps"})
		}
	}
	return l, nil
}

func unknownKey(key starlark.Value, known []string) error {
	word, _ := starlark.AsString(key)
	msg := fmt.Sprintf("unknown key %s, want one of %s", key, strings.Join(known, ", "))
	if s := suggest.Closest(word, known); s != "" {
		msg += fmt.Sprintf("; did you mean %q?", s)
	}
	return errors.New(msg)
}

// durationOf reads "90s", "2h", "7d", or a number of seconds.
func durationOf(v starlark.Value) (time.Duration, error) {
	if s, ok := starlark.AsString(v); ok {
		return parseDuration(s)
	}
	f, ok := starlark.AsFloat(v)
	if !ok || f <= 0 || f > maxSeconds {
		return 0, fmt.Errorf("want a duration such as \"90s\" or \"2h\", got %s", v)
	}
	return time.Duration(f * float64(time.Second)), nil
}

const maxSeconds = 1 << 32

func parseDuration(s string) (time.Duration, error) {
	v, err := argparse.Duration.Parse(s)
	d, ok := v.(time.Duration)
	if err != nil || !ok || d <= 0 {
		return 0, fmt.Errorf("want a duration such as \"90s\", \"2h\" or \"7d\", got %q", s)
	}
	return d, nil
}

// tighter returns the limits that bound a run under both.
func tighter(a, b Limits) Limits {
	return Limits{Timeout: minSet(a.Timeout, b.Timeout), Steps: minSet(a.Steps, b.Steps)}
}

func minSet[T time.Duration | uint64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
