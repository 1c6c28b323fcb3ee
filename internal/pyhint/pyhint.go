// Package pyhint answers in Python's words when Starlark refuses what Python
// takes: f-strings, try, class, "%5d", a list changed after the file was loaded.
//
// What it goes by is the source text and the error's position and message, as
// go.starlark.net words them; its tests run the real parser, resolver and
// interpreter. An error that a Python author would have met in Python too gets no
// hint.
package pyhint

import "strings"

// Advice is what can be said beyond the error itself. The zero value says
// nothing.
type Advice struct {
	// Message replaces the error's wording where that points at the wrong thing
	// ("got string literal, want newline" for an f-string); "" leaves it.
	Message string
	// Line and Col replace the error's position, which is often behind the cause,
	// at times on the next line; 0 leaves it.
	Line, Col int
	// Hint is what to write instead, in one line without a full stop; "" for none.
	Hint string
}

// Explain returns advice on an error in a .star file.
//
// src is the file's text. line and col are the error's position, counted from 1
// as syntax.Position does; 0, 0 where it is unknown. message is its text without the
// position: of a syntax.Error, a resolve.Error or an evaluation error.
func Explain(src []byte, line, col int, message string) Advice {
	toks := scan(src)
	if name, ok := strings.CutPrefix(message, "undefined: "); ok {
		name, _, _ = strings.Cut(name, " ")
		return Advice{Hint: undefined(startingAt(toks, line, col), name)}
	}
	if hint := resolved(startingAt(toks, line, col), message); hint != "" {
		return Advice{Hint: hint}
	}
	if got, want, ok := expectation(message); ok {
		return parsed(toks, line, col, got, want)
	}
	if advice := refused(toks, line, col, message); advice != (Advice{}) {
		return advice
	}
	if advice := scanned(startingAt(toks, line, col), message); advice != (Advice{}) {
		return advice
	}
	return Advice{Hint: evaluated(toks, line, message)}
}

// expectation takes a message of the form "got X, want Y" apart. The tokens in
// it come without the quotes around punctuation.
func expectation(message string) (got, want string, ok bool) {
	rest, ok := strings.CutPrefix(message, "got ")
	if !ok {
		return "", "", false
	}
	got, want, ok = strings.Cut(rest, ", want ")
	if !ok {
		return "", "", false
	}
	return unquote(got), unquote(want), true
}

func unquote(text string) string {
	if len(text) > 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return text[1 : len(text)-1]
	}
	return text
}

// resolved explains what the resolver says beyond undefined names.
func resolved(p place, message string) string {
	switch {
	case strings.HasPrefix(message, "cannot reassign global "):
		if p.at(-1).text == "def" {
			return "a second def does not replace the first: rename one of them, or delete it"
		}
		return "a top-level name is set once in a file: give this one another name, or compute it in a function"
	case strings.HasPrefix(message, "cannot reassign top-level "):
		return `the file sets that name already: load it under another one, load(file, other = "name")`
	case message == "load statement within a function":
		return "load stands at the top of the file"
	case strings.HasPrefix(message, "keyword argument may not follow *"):
		return "name = value stands before *args and **kwargs"
	case message == "positional argument may not follow *args":
		return "write f(*(list(args) + [x]))"
	case message == "multiple *args not allowed":
		return "write f(*(a + b))"
	case message == "multiple **kwargs not allowed":
		return "write f(**(a | b))"
	}
	return ""
}

// scanned explains what the scanner refuses: characters and strings.
func scanned(p place, message string) Advice {
	switch {
	case strings.HasPrefix(message, "unexpected input character "):
		return character(p)
	case strings.HasPrefix(message, "invalid escape sequence "):
		if a := adjacentString(p); a != (Advice{}) {
			return a
		}
		return Advice{Hint: `write r"…" for a pattern, or double the backslash`}
	case strings.HasPrefix(message, "unexpected newline in string"), strings.HasPrefix(message, "unexpected EOF in string"):
		if strings.HasPrefix(strings.TrimLeft(p.at(0).text, "rb"), strings.Repeat(p.quote(), 3)) {
			return Advice{Message: "this string never ends", Hint: "it ends at the next " + strings.Repeat(p.quote(), 3)}
		}
		return Advice{Message: "this string does not end on its line", Hint: "close it with " + p.quote() + `, or write """…""" for several lines`}
	case strings.HasPrefix(message, "unindent does not match"):
		return Advice{Hint: tabs(p)}
	}
	for _, closer := range []string{")", "]", "}"} {
		if message == "unexpected '"+closer+"'" {
			return Advice{Message: `"` + closer + `" closes nothing`}
		}
	}
	return Advice{}
}

// quote is the quote of the string at the place.
func (p place) quote() string {
	if text := strings.TrimLeft(p.at(0).text, "rb"); text != "" {
		return text[:1]
	}
	return `"`
}

// character explains a character that Starlark has no use for.
func character(p place) Advice {
	switch text := p.at(0).text; text {
	case "@":
		if !p.at(0).first {
			return Advice{}
		}
		if strings.Contains(p.at(1).text+p.at(2).text+p.at(3).text, "atomic") {
			return Advice{Message: "unexpected decorator", Hint: "Starlark has no decorators: write atomic = True at the top level, or run a function by db.atomic(fn)"}
		}
		return Advice{Message: "unexpected decorator", Hint: "Starlark has no decorators: call it, name = decorator(_name)"}
	case "!":
		return Advice{Hint: "write not x"}
	case "?":
		return Advice{Hint: "write a if condition else b"}
	case "`":
		return Advice{Hint: "write repr(x), or quotes for a string"}
	case "“", "”", "‘", "’", "„", "«", "»":
		return Advice{Hint: "a typographic quote: write \" or '"}
	case "–", "—", "−":
		return Advice{Hint: "a typographic dash: write -"}
	case "\u00a0", "\u2007", "\u202f", "\u3000", "\u200b", "\ufeff":
		return Advice{Message: "unexpected invisible character", Hint: "it was pasted from elsewhere: replace it with an ordinary space, or delete it"}
	}
	return Advice{}
}

// tabs warns of tabs among the indentation of the place's line and of those
// before it in the file.
func tabs(p place) string {
	for i := 0; i <= p.i && i < len(p.toks); i++ {
		if p.toks[i].tabbed {
			return "a tab counts up to the next eighth column: indent with spaces alone"
		}
	}
	return ""
}
