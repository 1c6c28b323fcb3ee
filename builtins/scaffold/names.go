package scaffold

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/starmanage/starmanage/engine"
)

// validate refuses a name that is no identifier, in Django's words. kind is
// what it is to name: "project", "app", "command".
func validate(kind, name string) error {
	e := &engine.CommandError{Message: fmt.Sprintf("%s is not a valid %s name. Please make sure the name is a valid identifier.", quote(name), kind)}
	if !isIdentifier(name) {
		if better := identifier(name); better != "" {
			e.Hint = fmt.Sprintf("Did you mean %s?", better)
		}
		return e
	}
	if kind != "project" && strings.HasPrefix(name, "_") {
		e.Message = fmt.Sprintf("%s is not a valid %s name: names that start with _ are left alone.", quote(name), kind)
		return e
	}
	return nil
}

// conflict is Django's error about a name that is taken; by says whose it is.
func conflict(kind, name, by string) error {
	article := "a"
	if kind == "app" {
		article = "an"
	}
	return &engine.CommandError{Message: fmt.Sprintf("%s conflicts with the name of %s and cannot be used as %s %s name. Please try another name.", quote(name), by, article, kind)}
}

// exists is Django's error about a file or folder that is in the way.
func exists(name string) error {
	return &engine.CommandError{Message: quote(name) + " already exists"}
}

// isIdentifier reports whether a name is one of Python's.
func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) || r == unicode.ReplacementChar {
			return false
		}
	}
	return name != ""
}

// identifier is what somebody may have meant by a name that is none: send-report
// is send_report. It is "" for a path, and where nothing is near.
func identifier(name string) string {
	if strings.ContainsAny(name, `/\`) {
		return ""
	}
	name = strings.TrimSuffix(name, ".star")
	better := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '.' {
			return '_'
		}
		return r
	}, name)
	if better = strings.Trim(better, "_"); isIdentifier(better) {
		return better
	}
	return ""
}

// quote puts a word that a user typed in single quotes, with what is not
// printable escaped.
func quote(s string) string {
	q := fmt.Sprintf("%q", s)
	return "'" + strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`) + "'"
}
