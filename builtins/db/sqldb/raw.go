package sqldb

import (
	"context"
	"errors"
	"fmt"
	"iter"
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
	if _, ok := d.(MySQL); ok {
		if err := r.mysqlRefuses(d, text); err != nil {
			return Statement{}, err
		}
	}
	if err := kept(d, args); err != nil {
		return Statement{}, err
	}
	return Statement{SQL: out, Args: args, Write: !readsOnly(d, text), raw: true, ChangesRows: changesRows(d, text)}, nil
}

// mysqlRefuses tells what MySQL would do behind the back of db.atomic: it
// commits on some statements, and others change the connection for whoever
// gets it from the pool next. DDL is left to a migration's own transaction,
// which keeps a mark for it, and to one that stands for none.
func (r Runner) mysqlRefuses(d Dialect, text string) error {
	words := firstWords(d, text)
	switch {
	case words[0] == "XA":
		return errors.New("XA transactions are not for scripts: the connection goes back to a pool; use db.atomic")
	case words[0] == "LOCK":
		return errors.New("LOCK TABLES is not for scripts: the connection goes back to a pool with its locks; lock rows with SELECT … FOR UPDATE in a db.atomic")
	case words[0] == "SET" && setsAutocommit(d, text):
		return errors.New("autocommit stays on: transactions are begun and ended by db.atomic, not by SQL")
	case words[0] == "SET" && (words[1] == "TRANSACTION" || words[2] == "TRANSACTION" && words[1] != "GLOBAL"):
		return errors.New("how transactions run is said to db.atomic, as isolation: the connection goes back to a pool")
	case r.tx == nil, r.tx.Fenced(), r.tx.borrowed && r.tx.depth == 1, !mysqlCommits(words):
		return nil
	}
	return fmt.Errorf("MySQL and MariaDB commit on %s, and with it all that the transaction wrote before: run it outside db.atomic", words[0])
}

// mysqlCommits reports whether MySQL ends the transaction before a statement
// of those first words
// (https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html).
func mysqlCommits(words [4]string) bool {
	switch words[0] {
	case "CREATE", "DROP":
		return !(words[1] == "TEMPORARY" && words[2] != "SEQUENCE") && !(words[1] == "OR" && words[3] == "TEMPORARY") // OR REPLACE TEMPORARY
	case "ALTER", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "FLUSH", "OPTIMIZE", "REPAIR", "RESET", "CACHE", "CHECK", "INSTALL", "UNINSTALL", "IMPORT", "CHANGE", "STOP":
		return true
	case "ANALYZE": // MariaDB has ANALYZE SELECT too
		return words[1] == "TABLE" || words[1] == "TABLES" || words[1] == "LOCAL" || words[1] == "NO_WRITE_TO_BINLOG"
	case "SET":
		return words[1] == "PASSWORD" || words[1] == "DEFAULT" && words[2] == "ROLE"
	case "LOAD":
		return words[1] == "INDEX"
	}
	return false
}

// tokens gives the words of a statement, its quoted texts and comments, and
// each other character, with their places.
func tokens(d Dialect, text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := 0; i < len(text); {
			end := skip(d, text, i)
			if end <= i {
				for end = i; end < len(text) && wordByte(text[end]); {
					end++
				}
				end = max(end, i+1)
			}
			if !yield(i, text[i:end]) {
				return
			}
			i = end
		}
	}
}

// setsAutocommit reports whether a SET names the system variable: @autocommit
// is one of a user's own.
func setsAutocommit(d Dialect, text string) bool {
	for i, token := range tokens(d, text) {
		own := i > 0 && text[i-1] == '@' && (i == 1 || text[i-2] != '@')
		if strings.EqualFold(token, "`autocommit`") || !own && strings.EqualFold(token, "autocommit") {
			return true
		}
	}
	return false
}

// changesRows reports whether a statement writes rows, so that SQLite's count
// of changes is this statement's and not an earlier one's.
func changesRows(d Dialect, text string) bool {
	switch Keyword(d, text) {
	case "INSERT", "UPDATE", "DELETE", "REPLACE":
		return true
	case "WITH":
	default:
		return false
	}
	depth := 0
	for _, token := range tokens(d, text) {
		switch strings.ToUpper(token) {
		case "(":
			depth++
		case ")":
			depth--
		case "INSERT", "UPDATE", "DELETE", "REPLACE":
			if depth == 0 {
				return true
			}
		case "SELECT", "VALUES":
			if depth == 0 {
				return false
			}
		}
	}
	return false
}

var errNothing = errors.New("the statement is empty: it holds no SQL beside comments")

var errSeveral = errors.New("one statement a call: there is text behind the semicolon")

func placeholders(d Dialect, text string) (string, int, error) {
	if strings.ContainsRune(text, 0) {
		return "", 0, errors.New("the statement holds a NUL character")
	}
	var b strings.Builder
	n, ended, some := 0, false, false
	for i := 0; i < len(text); {
		end := skip(d, text, i)
		if end < 0 {
			return "", 0, fmt.Errorf("the %q at character %d of the statement is not closed", text[i], i+1)
		}
		if end > i { // quotes, a comment
			comment := strings.HasPrefix(text[i:], "--") || strings.HasPrefix(text[i:], "/*") || text[i] == '#'
			if ended && !comment {
				return "", 0, errSeveral
			}
			some = some || !comment
			b.WriteString(text[i:end])
			i = end
			continue
		}
		ch := text[i]
		some = some || ch > ' ' && ch != ';'
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
	if !some {
		return "", 0, errNothing
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
func Keyword(d Dialect, text string) string { return firstWords(d, text)[0] }

// firstWords returns a statement's first words in capitals, comments skipped;
// of a name in quotes, or of anything else that is no word, an empty one.
func firstWords(d Dialect, text string) (words [4]string) {
	n := 0
	for i := 0; i < len(text) && n < len(words); {
		c := text[i]
		if end := skip(d, text, i); end > i && (c == '-' || c == '/' || c == '#') {
			i = end
			continue
		}
		if c <= ' ' || n == 0 && (c == '(' || c == ';') {
			i++
			continue
		}
		if end := executed(d, text, i); end > i {
			i = end
			continue
		}
		k := i
		for k < len(text) && wordByte(text[k]) {
			k++
		}
		if k == i {
			return words
		}
		words[n] = strings.ToUpper(text[i:k])
		n++
		i = k
	}
	return words
}

// executed returns the end of the head of a comment whose text MySQL runs,
// such as /*!50100 or /*M!100100; i when none starts there.
func executed(d Dialect, s string, i int) int {
	if d.Vendor() != "mysql" {
		return i
	}
	rest, ok := strings.CutPrefix(s[i:], "/*!")
	if !ok {
		if rest, ok = strings.CutPrefix(s[i:], "/*M!"); !ok {
			return i
		}
	}
	return len(s) - len(strings.TrimLeft(rest, "0123456789"))
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

// OnlyQueried reports whether a statement must be read, not executed: MariaDB's
// ANALYZE of a statement gives rows that its driver waits for in vain when it
// was prepared as one without.
func OnlyQueried(d Dialect, text string) bool {
	if _, ok := d.(MySQL); !ok {
		return false
	}
	words := firstWords(d, text)
	return words[0] == "ANALYZE" && !mysqlCommits(words)
}

// transactional are the words with which a script would end a transaction
// behind the back of db.atomic.
var transactional = map[string]bool{
	"BEGIN": true, "START": true, "COMMIT": true, "ROLLBACK": true, "END": true, "ABORT": true, "SAVEPOINT": true, "RELEASE": true,
}

// ControlsTransaction reports whether a statement begins or ends one.
func ControlsTransaction(d Dialect, text string) bool { return transactional[Keyword(d, text)] }
