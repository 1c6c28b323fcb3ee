package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Raw makes a Statement of SQL that a script wrote: ? is the placeholder on
// every database and ?? a literal ?. Question marks in quotes and comments
// are left alone. It must be one statement.
func (r Runner) Raw(ctx context.Context, text string, args []any) (Statement, error) {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return Statement{}, err
	}
	out, n, err := placeholders(d, text)
	if err != nil {
		return Statement{}, err
	}
	if n != len(args) {
		return Statement{}, fmt.Errorf("the statement has %d placeholders, and %d values were given", n, len(args))
	}
	return Statement{SQL: out, Args: args, Write: !readsOnly(d, text), raw: true}, nil
}

var errSeveral = errors.New("one statement a call: there is text behind the semicolon")

func placeholders(d Dialect, text string) (string, int, error) {
	if strings.ContainsRune(text, 0) {
		return "", 0, errors.New("the statement holds a NUL character")
	}
	var b strings.Builder
	n, ended := 0, false
	for i := 0; i < len(text); {
		end := skip(d, text, i)
		if end < 0 {
			return "", 0, fmt.Errorf("the %q at character %d of the statement is not closed", text[i], i+1)
		}
		if end > i { // quotes, a comment
			if ended && !strings.HasPrefix(text[i:], "--") && !strings.HasPrefix(text[i:], "/*") && text[i] != '#' {
				return "", 0, errSeveral
			}
			b.WriteString(text[i:end])
			i = end
			continue
		}
		ch := text[i]
		switch {
		case ch == ';':
			ended = true
		case ended && ch != ' ' && ch != '\t' && ch != '\n' && ch != '\r':
			return "", 0, errSeveral
		case ch == '?' && strings.HasPrefix(text[i:], "??"):
			i++
			b.WriteByte('?')
		case ch == '?' && d.numbered():
			n++
			b.WriteString("$" + strconv.Itoa(n))
		case ch == '?':
			n++
			b.WriteByte('?')
		default:
			b.WriteByte(ch)
		}
		i++
	}
	return b.String(), n, nil
}

// skip returns the end of the quoted text or comment that starts at i; i when
// none does, -1 when it has no end.
func skip(d Dialect, s string, i int) int {
	mysql, postgres, sqlite := d.Vendor() == "mysql", d.Vendor() == "postgresql", d.Vendor() == "sqlite"
	find := func(from int, what string) int {
		if k := strings.Index(s[from:], what); k >= 0 {
			return from + k + len(what)
		}
		return -1
	}
	switch c := s[i]; {
	case c == '\'' || c == '"' || c == '`' && !postgres:
		backslash := mysql && c != '`'
		if postgres && c == '\'' && i > 0 && (s[i-1] == 'e' || s[i-1] == 'E') && (i == 1 || !wordByte(s[i-2])) {
			backslash = true
		}
		for k := i + 1; k < len(s); k++ {
			switch {
			case s[k] == '\\' && backslash:
				k++
			case s[k] == c:
				if k+1 < len(s) && s[k+1] == c {
					k++
					continue
				}
				return k + 1
			}
		}
		return -1
	case c == '[' && sqlite:
		return find(i, "]")
	case c == '-' && strings.HasPrefix(s[i:], "--") && (!mysql || i+2 >= len(s) || s[i+2] <= ' '), c == '#' && mysql:
		if k := find(i, "\n"); k >= 0 {
			return k
		}
		return len(s)
	case strings.HasPrefix(s[i:], "/*"):
		if mysql && i+2 < len(s) && (s[i+2] == '!' || s[i+2] == 'M') {
			return i // run by the server: its text counts
		}
		depth := 0
		for k := i; k < len(s); k++ {
			switch {
			case strings.HasPrefix(s[k:], "*/"):
				k++
				if depth--; depth == 0 || !postgres {
					return k + 1
				}
			case strings.HasPrefix(s[k:], "/*"):
				k++
				depth++
			}
		}
		return -1
	case c == '$' && postgres && (i == 0 || !wordByte(s[i-1])):
		k := i + 1
		for k < len(s) && wordByte(s[k]) && s[k] != '$' {
			k++
		}
		if k < len(s) && s[k] == '$' && (k == i+1 || s[i+1] < '0' || s[i+1] > '9') {
			return find(k+1, s[i:k+1])
		}
	}
	return i
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// Keyword returns the statement's first word in capitals, comments skipped.
func Keyword(d Dialect, text string) string {
	for i := 0; i < len(text); {
		c := text[i]
		if end := skip(d, text, i); end > i && (c == '-' || c == '/' || c == '#') {
			i = end
			continue
		}
		if c <= ' ' || c == '(' || c == ';' {
			i++
			continue
		}
		k := i
		for k < len(text) && wordByte(text[k]) {
			k++
		}
		return strings.ToUpper(text[i:k])
	}
	return ""
}

// readsOnly reports whether a statement surely changes nothing.
func readsOnly(d Dialect, text string) bool {
	switch Keyword(d, text) {
	case "VALUES", "SHOW", "DESCRIBE":
		return true
	case "SELECT":
		// Functions may write, but then behind SELECT … INTO and FOR UPDATE
		// nothing of it shows; what is read ahead is at most one chunk old.
		return true
	}
	return false
}

// ChangesSchema reports whether a statement may change tables.
func ChangesSchema(d Dialect, text string) bool {
	switch Keyword(d, text) {
	case "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "SET", "USE", "PRAGMA", "DO", "CALL":
		return true
	}
	return false
}

// transactional are the words with which a script would end a transaction
// behind the back of db.atomic.
var transactional = map[string]bool{
	"BEGIN": true, "START": true, "COMMIT": true, "ROLLBACK": true, "END": true, "ABORT": true, "SAVEPOINT": true, "RELEASE": true,
}

// ControlsTransaction reports whether a statement begins or ends one.
func ControlsTransaction(d Dialect, text string) bool { return transactional[Keyword(d, text)] }
