package migrate

// Which files an app's migrations folder has, and what they say.

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// folder is where an app's migrations are.
const folder = "migrations"

// migration is one step of an app's schema, as one dialect runs it.
type migration struct {
	Key
	version int64
	file    string // as messages name it
	atomic  bool

	up, down   []statement // of a .sql file
	upFn       starlark.Callable
	downFn     starlark.Callable // nil: irreversible
	reversible bool
	depends    []dependency

	parents, children []*migration // sorted by key once in a graph
}

// script reports whether the migration is a .star file.
func (m *migration) script() bool { return m.upFn != nil }

// steps is how many statements a direction has; a script counts as one.
func (m *migration) steps(backwards bool) int {
	switch {
	case m.script():
		return 1
	case backwards:
		return len(m.down)
	}
	return len(m.up)
}

// fault is a mistake in migration files, in the form of a system check.
type fault struct {
	id        string
	file      string
	line      int
	msg, hint string
	err       error // a file that does not load, with its own positions
}

func (f fault) position() string {
	if f.line == 0 {
		return f.file
	}
	return f.file + ":" + strconv.Itoa(f.line)
}

// asError is the fault as a command that cannot go on returns it.
func (f fault) asError(more int) error {
	if f.err != nil {
		return f.err
	}
	msg := f.msg
	if p := f.position(); p != "" {
		msg = p + ": " + msg
	}
	if more > 0 {
		msg += fmt.Sprintf(" (manage check shows %d more)", more)
	}
	return &engine.CommandError{Message: msg, Hint: f.hint}
}

// The ids of the faults.
const (
	badFile    = "migrations.E001" // a file that cannot be read or is no migration
	sameNumber = "migrations.E002" // two files with one number
	badDepends = "migrations.E003" // a dependency on what does not exist
	circular   = "migrations.E004" // migrations that depend on each other
)

// notInName reports a character that no migration's name has.
func notInName(r rune) bool {
	return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// found is a migration's file before it is read.
type found struct {
	version int64
	name    string // "0001_initial"
	vendor  string // of a file for one dialect; empty: for those without one
	file    string // within the folder
}

// vendorOf returns Django's name for a dialect in a file's name.
func vendorOf(word string) string {
	switch strings.ToLower(word) {
	case "sqlite", "sqlite3":
		return "sqlite"
	case "postgres", "postgresql", "pg":
		return "postgresql"
	case "mysql", "mariadb":
		return "mysql"
	}
	return ""
}

// readFolder lists the migration files of an app, sorted by number. ok is false
// when the app has no folder for them.
func readFolder(app engine.AppInfo) (files []found, faults []fault, ok bool) {
	if app.FS == nil {
		return nil, nil, false
	}
	entries, err := fs.ReadDir(app.FS, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, false
	}
	if err != nil {
		return nil, []fault{{id: badFile, file: path.Join(app.Path, folder), msg: err.Error()}}, true
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || entry.IsDir() {
			continue
		}
		bad := func(msg, hint string) {
			faults = append(faults, fault{id: badFile, file: path.Join(app.Path, folder, name), msg: msg, hint: hint})
		}
		if ext := path.Ext(name); ext != ".sql" && ext != ".star" {
			// Passed over in silence, it would be missed when its tables are.
			if low := strings.ToLower(ext); low == ".sql" || low == ".star" {
				bad("this is no migration's name", "The ending is written in small letters: "+strings.TrimSuffix(name, ext)+low)
			}
			continue
		}
		stem := strings.TrimSuffix(name, path.Ext(name))
		stem, dialect, forOne := strings.Cut(stem, ".")
		number, rest, ok := strings.Cut(stem, "_")
		version, err := strconv.ParseUint(number, 10, 63)
		switch {
		case !ok || rest == "" || strings.ContainsFunc(rest, notInName) || strings.ContainsFunc(number, func(r rune) bool { return r < '0' || r > '9' }):
			bad("this is no migration's name", "Migrations are named 0001_initial.sql, 0001_initial.postgres.sql or 0001_initial.star; names with _ in front are left alone.")
			continue
		case err != nil || version == 0:
			bad("a migration's number is from 1 to 2**63-1", "")
			continue
		case forOne && vendorOf(dialect) == "":
			bad(fmt.Sprintf("there is no dialect %q", dialect), "There are sqlite, postgres and mysql.")
			continue
		}
		files = append(files, found{version: int64(version), name: stem, vendor: vendorOf(dialect), file: name})
	}
	slices.SortStableFunc(files, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.version, b.version), strings.Compare(a.name, b.name))
	})
	return files, faults, true
}

// choose picks the file of each number that a dialect runs.
func choose(app engine.AppInfo, files []found, vendor string) (chosen []found, faults []fault) {
	at := func(file string) string { return path.Join(app.Path, folder, file) }
	for len(files) > 0 {
		n := 1
		for n < len(files) && files[n].version == files[0].version {
			n++
		}
		same := files[:n]
		files = files[n:]
		var pick *found
		clash := false
		for i := range same {
			f := &same[i]
			for _, other := range same[:i] {
				if other.name != f.name || other.vendor == f.vendor {
					clash = true
					faults = append(faults, fault{id: sameNumber, file: at(f.file),
						msg:  fmt.Sprintf("Conflicting migrations detected; two files with one number: (%s, %s in %s).", other.file, f.file, app.Label),
						hint: "Give the one that was written last the next free number."})
					break
				}
			}
			if f.vendor == vendor || f.vendor == "" && pick == nil {
				pick = f
			}
		}
		switch {
		case clash:
		case pick == nil:
			faults = append(faults, fault{id: badFile, file: at(same[0].file),
				msg:  fmt.Sprintf("%s.%s has no file for %s", app.Label, same[0].name, vendor),
				hint: fmt.Sprintf("Write %s.sql for all databases, or %s.%s.sql.", same[0].name, same[0].name, vendor)})
		default:
			chosen = append(chosen, *pick)
		}
	}
	return chosen, faults
}

// loadFile reads one migration.
func loadFile(inv *engine.Invocation, app engine.AppInfo, f found, vendor string) (*migration, []fault) {
	m := &migration{Key: Key{app.Label, f.name}, version: f.version, file: path.Join(app.Path, folder, f.file), atomic: true}
	if path.Ext(f.file) == ".star" {
		return m, m.loadScript(inv, path.Join(folder, f.file))
	}
	src, err := fs.ReadFile(app.FS, path.Join(folder, f.file))
	if err != nil {
		return m, []fault{{id: badFile, file: m.file, msg: "cannot be read: " + err.Error()}}
	}
	// Editors on Windows begin a file with a byte order mark.
	parsed, err := parseSQL(strings.TrimPrefix(string(src), "\ufeff"))
	if err != nil {
		bad := fault{id: badFile, file: m.file, msg: err.Error()}
		if e, ok := errors.AsType[*lineError](err); ok {
			bad.line, bad.hint = e.line, e.hint
		}
		return m, []fault{bad}
	}
	m.up, m.down, m.reversible = parsed.up, parsed.down, parsed.reversible
	m.atomic, m.depends = !parsed.noTransaction, parsed.depends
	if d, err := sqldb.DialectByName(vendor); err == nil {
		for _, st := range slices.Concat(m.up, m.down) {
			if vendor == "mysql" && sqldb.Keyword(d, st.text) == "LOCK" {
				return m, []fault{{id: badFile, file: m.file, line: st.line, msg: "LOCK TABLES would lock out the history, which is written after each statement",
					hint: "Leave it and UNLOCK TABLES out: migrate holds a lock of its own."}}
			}
			if m.atomic && sqldb.ControlsTransaction(d, st.text) {
				return m, []fault{{id: badFile, file: m.file, line: st.line, msg: fmt.Sprintf("%s would end the transaction that the migration runs in", sqldb.Keyword(d, st.text)),
					hint: "Leave it out, write -- +goose NO TRANSACTION, or put a statement of several parts between -- +goose StatementBegin and -- +goose StatementEnd."}}
			}
		}
	}
	return m, nil
}

// loadScript reads a .star migration: up(db), down(db), dependencies, atomic.
func (m *migration) loadScript(inv *engine.Invocation, name string) []fault {
	globals, err := inv.LoadFile(m.App, name)
	if err != nil {
		return []fault{{id: badFile, file: m.file, msg: err.Error(), err: err}}
	}
	var faults []fault
	bad := func(msg, hint string) {
		faults = append(faults, fault{id: badFile, file: m.file, msg: msg, hint: hint})
	}
	function := func(name string) starlark.Callable {
		v, ok := globals[name]
		if !ok {
			return nil
		}
		fn, ok := v.(*starlark.Function)
		if !ok || fn.NumParams() != 1 {
			bad(fmt.Sprintf("%s is a function of one argument", name), fmt.Sprintf("Write def %s(db):", name))
			return nil
		}
		return fn
	}
	m.upFn, m.downFn = function("up"), function("down")
	m.reversible = m.downFn != nil
	if m.upFn == nil && !globals.Has("up") {
		bad("the file has no up", "Write what it does to the data as def up(db): and, where there is a way back, def down(db):")
	}
	if v, ok := globals["atomic"]; ok {
		b, isBool := v.(starlark.Bool)
		if !isBool {
			bad(fmt.Sprintf("atomic is True or False, not %s", v.Type()), "")
		}
		m.atomic = bool(b)
	}
	if v, ok := globals["dependencies"]; ok {
		deps, err := scriptDepends(v)
		if err != nil {
			bad(err.Error(), "")
		}
		m.depends = deps
	}
	return faults
}

// scriptDepends reads dependencies = ["accounts.0001_initial", …]; Django's
// ("accounts", "0001_initial") works too.
func scriptDepends(v starlark.Value) ([]dependency, error) {
	const want = `dependencies is a list of names: ["accounts.0001_initial"]`
	list, ok := v.(starlark.Indexable)
	if _, isText := v.(starlark.String); !ok || isText {
		return nil, errors.New(want)
	}
	var deps []dependency
	for i := range list.Len() {
		item := list.Index(i)
		text, ok := starlark.AsString(item)
		if pair, isTuple := item.(starlark.Tuple); isTuple && len(pair) == 2 {
			app, ok1 := starlark.AsString(pair[0])
			name, ok2 := starlark.AsString(pair[1])
			text, ok = app+"."+name, ok1 && ok2
		}
		if !ok {
			return nil, errors.New(want)
		}
		key, err := parseKey(text)
		if err != nil {
			return nil, err
		}
		deps = append(deps, dependency{key: key})
	}
	return deps, nil
}
