package sqldb

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Target is a database that a URL names.
type Target struct {
	Dialect Dialect
	// Driver is the name that cmd/manage's driver registers under: "sqlite",
	// "pgx" or "mysql".
	Driver string
	// Place is what errors may show: host and database, or the file. It never
	// holds a password.
	Place string
	// Path is SQLite's file; empty for a server and for a database in memory.
	Path string
	// User, Password, Host, Port and Name are a server's, for programs that
	// connect on their own (dbshell). Host may be a socket's path.
	User, Password, Host, Port, Name string

	options     url.Values
	busyTimeout time.Duration // SQLite's
	mode        string        // SQLite's
}

// same reports whether two URLs name one database; each one in memory is its
// own.
func (t Target) same(o Target) bool {
	return t.Driver == o.Driver && t.Path == o.Path && t.Host == o.Host && t.Port == o.Port && t.Name == o.Name && (t.Path != "" || t.Name != "")
}

const memoryPath = ":memory:"

var errBadURL = errors.New(`not a database URL (want "sqlite:///db.sqlite3", "postgres://user:password@host:5432/name" or "mysql://user:password@host:3306/name"; in a password, characters such as @ : / # ? are written %40 %3A %2F %23 %3F)`)

// ParseURL reads a database URL as dj-database-url does: three slashes and a
// relative path for SQLite, four and an absolute one, none or :memory: for a
// database in memory; user, password, host (a socket's folder written
// %2Fvar%2Frun) and name for servers. root is the folder that relative paths
// start from. Errors never show the URL, which may hold a password.
// Source: https://github.com/jazzband/dj-database-url.
func ParseURL(raw, root string) (Target, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return Target{}, errBadURL
	}
	switch strings.ToLower(scheme) {
	case "sqlite", "sqlite3":
		return parseSQLite(rest, root)
	case "postgres", "postgresql", "pgsql":
		return parseServer(rest, Target{Dialect: PostgreSQL{}, Driver: "pgx", Port: "5432"})
	case "mysql", "mysql2", "mariadb":
		return parseServer(rest, Target{Dialect: MySQL{}, Driver: "mysql", Port: "3306"})
	}
	return Target{}, fmt.Errorf("unknown kind of database %q: want sqlite, postgres or mysql", scheme)
}

func parseSQLite(rest, root string) (Target, error) {
	t := Target{Dialect: SQLite{}, Driver: "sqlite", busyTimeout: 5 * time.Second}
	path, query, _ := strings.Cut(rest, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return Target{}, errBadURL
	}
	for name := range options {
		switch name {
		case "mode":
			t.mode = options.Get(name)
			if !slices.Contains([]string{"ro", "rw", "rwc"}, t.mode) {
				return Target{}, fmt.Errorf("option mode of a SQLite URL is ro, rw or rwc, not %q", t.mode)
			}
		case "timeout":
			seconds, err := strconv.ParseFloat(options.Get(name), 64)
			if err != nil || seconds < 0 || seconds > 3600 {
				return Target{}, fmt.Errorf("option timeout of a SQLite URL is a number of seconds, not %q", options.Get(name))
			}
			t.busyTimeout = time.Duration(seconds * float64(time.Second))
		default:
			return Target{}, fmt.Errorf("unknown option %q of a SQLite URL: there are mode and timeout", name)
		}
	}
	if path, err = url.PathUnescape(path); err != nil || strings.ContainsRune(path, 0) {
		return Target{}, errBadURL
	}
	if path == "" || path == memoryPath || path == "/"+memoryPath {
		t.Place = memoryPath
		return t, nil
	}
	path, ok := strings.CutPrefix(path, "/")
	if !ok {
		return Target{}, fmt.Errorf("a SQLite URL has three slashes before a relative path and four before an absolute one: sqlite:///%s", path)
	}
	if path == "" {
		t.Place = memoryPath
		return t, nil
	}
	t.Place = path
	if !filepath.IsAbs(path) {
		if root == "" {
			return Target{}, fmt.Errorf("the SQLite file %s is relative, and this project has no folder: write sqlite:////absolute/path", path)
		}
		path = filepath.Join(root, path)
	}
	t.Path = path
	return t, nil
}

func parseServer(rest string, t Target) (Target, error) {
	// url.Parse refuses a socket's folder as the host, and its errors quote
	// passwords.
	rest, query, _ := strings.Cut(rest, "?")
	authority, name, _ := strings.Cut(rest, "/")
	user, password, port := "", "", ""
	host := authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, password, _ = strings.Cut(authority[:i], ":")
		host = authority[i+1:]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i+1:]
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	// A / or ? in a password ends the host there: what is left of the password
	// would stand for a database or an option, and be shown.
	if strings.ContainsRune(rest, '#') || strings.ContainsRune(name, '@') || strings.ContainsRune(query, '@') && !strings.ContainsRune(authority, '@') {
		return Target{}, errBadURL
	}
	var err error
	if t.options, err = url.ParseQuery(query); err != nil {
		return Target{}, errBadURL
	}
	for dst, s := range map[*string]string{&t.User: user, &t.Password: password, &t.Host: host, &t.Name: name} {
		if *dst, err = url.PathUnescape(s); err != nil {
			return Target{}, errBadURL
		}
	}
	for _, name := range []string{"host", "unix_socket"} {
		if v := t.options.Get(name); v != "" {
			t.Host = v
			t.options.Del(name)
		}
	}
	t.Port = cmp.Or(port, t.options.Get("port"), t.Port)
	t.options.Del("port")
	if n, err := strconv.Atoi(t.Port); err != nil || n < 1 || n > 65535 {
		return Target{}, errBadURL
	}
	for _, s := range []string{t.User, t.Password, t.Host, t.Name} {
		if strings.ContainsRune(s, 0) {
			return Target{}, errBadURL
		}
	}
	t.Place = t.Name + " on " + cmp.Or(t.Host, "localhost")
	if !strings.HasPrefix(t.Host, "/") {
		t.Place += ":" + t.Port
	}
	if err := t.Dialect.checkOptions(t.options); err != nil {
		return Target{}, err
	}
	return t, nil
}

// Options returns what the URL says beyond host, user, password and name
// (sslmode, tls; SQLite's mode), for programs that connect on their own.
func (t Target) Options() url.Values {
	out := url.Values{}
	for name, values := range t.options {
		out[name] = slices.Clone(values)
	}
	if t.mode != "" {
		out.Set("mode", t.mode)
	}
	return out
}

// dsn returns what the driver is opened with. With create, SQLite makes a
// file that is missing.
func (t Target) dsn(create bool) (string, error) {
	return t.Dialect.dsn(t, create)
}

// redact takes the passwords out of a driver's message, however they are
// written there.
func (t Target) redact(s string) string {
	secrets := []string{t.Password}
	for name, values := range t.options {
		if strings.Contains(name, "password") {
			secrets = append(secrets, values...)
		}
	}
	for _, p := range secrets {
		if p == "" {
			continue
		}
		quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(p)
		for _, p := range []string{p, quoted, url.QueryEscape(p), url.PathEscape(p)} {
			s = strings.ReplaceAll(s, p, "***")
		}
	}
	return s
}
