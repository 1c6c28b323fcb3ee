package migrate

// SQL files in goose's format: which statements bring a migration up and down.

import (
	"fmt"
	"strings"
)

// statement is one SQL statement of a file.
type statement struct {
	text string
	line int // where it starts, from 1
}

// sqlFile is what a file in goose's format says.
type sqlFile struct {
	up, down      []statement
	reversible    bool // it has a Down part, which may be empty
	noTransaction bool
	depends       []dependency
}

// dependency is another migration that has to be applied before.
type dependency struct {
	key  Key
	line int // 0 in a .star file
}

// lineError is a mistake in a file.
type lineError struct {
	line      int
	msg, hint string
}

func (e *lineError) Error() string { return e.msg }

// section is where in a file the parser is.
type section int

const (
	beforeUp section = iota
	inUp
	inDown
)

const (
	gooseMark   = "+goose"
	dependsMark = "manage:"
)

// parseSQL reads a file in goose's format. Its rules, kept exactly because
// people bring such files along (https://github.com/pressly/goose#sql-migrations):
// a statement ends at a line whose last word, comments apart, ends in a
// semicolon; between StatementBegin and StatementEnd it ends nowhere else;
// comments before a statement are dropped, those inside it kept. Two things
// differ: ENVSUB is refused (a migration that depends on who runs it cannot be
// repeated), and "-- manage:depends app.name, …" names other migrations.
func parseSQL(src string) (sqlFile, error) {
	var f sqlFile
	var buf strings.Builder
	where, block, start := beforeUp, false, 0
	store := func() {
		st := statement{text: strings.TrimSpace(buf.String()), line: start}
		buf.Reset()
		if where == inUp {
			f.up = append(f.up, st)
		} else {
			f.down = append(f.down, st)
		}
	}
	line := 0
	fail := func(format string, args ...any) (sqlFile, error) {
		return sqlFile{}, &lineError{line: line, msg: fmt.Sprintf(format, args...)}
	}
	unfinished := func() error {
		if strings.TrimSpace(buf.String()) == "" {
			return nil
		}
		return &lineError{line: start, msg: "the statement that starts here has no end",
			hint: "End it with a semicolon at the end of a line, or put it between -- +goose StatementBegin and -- +goose StatementEnd."}
	}
	for raw := range strings.Lines(src) {
		line++
		text := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
		trimmed := strings.TrimSpace(text)
		if where == beforeUp && trimmed == "" {
			continue
		}
		comment := strings.HasPrefix(trimmed, "--")
		if comment {
			deps, err := parseDepends(trimmed, line)
			if err != nil {
				return sqlFile{}, err
			}
			f.depends = append(f.depends, deps...)
		}
		ended := false
		if comment && strings.Contains(text, gooseMark) {
			mark, err := gooseAnnotation(text, line)
			if err != nil {
				return sqlFile{}, err
			}
			switch mark {
			case "up":
				if where != beforeUp {
					return fail("a second -- +goose Up")
				}
				where = inUp
				continue
			case "down":
				if where != inUp || block {
					return fail("-- +goose Down stands where no -- +goose Up is open")
				}
				if err := unfinished(); err != nil {
					return sqlFile{}, err
				}
				buf.Reset()
				where, f.reversible = inDown, true
				continue
			case "statementbegin":
				if where == beforeUp || block {
					return fail("-- +goose StatementBegin stands before -- +goose Up or in another one")
				}
				block = true
				continue
			case "statementend":
				if !block {
					return fail("-- +goose StatementEnd without -- +goose StatementBegin")
				}
				block, ended = false, true
			case "no transaction":
				f.noTransaction = true
				continue
			}
		}
		if buf.Len() == 0 && !ended && (comment || text == "") {
			continue
		}
		switch {
		case where == beforeUp:
			return fail("the file does not start with -- +goose Up")
		case ended:
			if buf.Len() > 0 {
				store()
			}
			continue
		}
		if strings.TrimSpace(buf.String()) == "" {
			start = line
		}
		buf.WriteString(text + "\n")
		if !block && endsStatement(text) {
			store()
		}
	}
	switch {
	case where == beforeUp:
		return sqlFile{}, &lineError{line: 1, msg: "the file has no -- +goose Up",
			hint: "Start it with a line -- +goose Up; what takes the migration back goes below -- +goose Down."}
	case block:
		return fail("-- +goose StatementBegin has no -- +goose StatementEnd")
	}
	if err := unfinished(); err != nil {
		return sqlFile{}, err
	}
	return f, nil
}

// gooseAnnotation returns what stands behind +goose, in lower case.
func gooseAnnotation(text string, line int) (string, error) {
	if text[0] == ' ' || text[0] == '\t' {
		return "", &lineError{line: line, msg: "a +goose comment starts at the beginning of its line"}
	}
	mark := strings.TrimSpace(strings.Replace(strings.ReplaceAll(text, "--", ""), gooseMark, "", 1))
	switch low := strings.ToLower(mark); low {
	case "up", "down", "statementbegin", "statementend", "no transaction":
		return low, nil
	case "envsub on", "envsub off":
		return "", &lineError{line: line, msg: "ENVSUB is not for migrations here: what they do would depend on who runs them",
			hint: "A .star migration can read settings."}
	}
	return "", &lineError{line: line, msg: fmt.Sprintf("unknown comment -- +goose %s", mark),
		hint: "There are Up, Down, StatementBegin, StatementEnd and NO TRANSACTION."}
}

// endsStatement reports whether the last word before a comment ends in a
// semicolon.
func endsStatement(text string) bool {
	last := ""
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "--") {
			break
		}
		last = word
	}
	return strings.HasSuffix(last, ";")
}

// parseDepends reads "-- manage:depends app.name, app.name"; nil for any other
// comment.
func parseDepends(comment string, line int) ([]dependency, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimLeft(comment, "-")), dependsMark)
	if !ok {
		return nil, nil
	}
	word, list, _ := strings.Cut(text, " ")
	if word != "depends" {
		return nil, &lineError{line: line, msg: fmt.Sprintf("unknown comment -- manage:%s", word), hint: "There is -- manage:depends app.name."}
	}
	var deps []dependency
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		key, err := parseKey(name)
		if err != nil {
			return nil, &lineError{line: line, msg: err.Error()}
		}
		deps = append(deps, dependency{key, line})
	}
	if deps == nil {
		return nil, &lineError{line: line, msg: "-- manage:depends names no migration", hint: "Write -- manage:depends app.name."}
	}
	return deps, nil
}

// parseKey reads "orders.0002_x".
func parseKey(text string) (Key, error) {
	app, name, ok := strings.Cut(text, ".")
	if !ok || app == "" || name == "" || strings.Contains(name, ".") {
		return Key{}, fmt.Errorf("a dependency is written app.name, as in accounts.0001_initial, not %q", text)
	}
	return Key{app, name}, nil
}
