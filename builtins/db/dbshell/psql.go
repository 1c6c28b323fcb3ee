package dbshell

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

func psql(t sqldb.Target, parameters []string) (client, error) {
	c := client{
		programs: []string{"psql"},
		install:  "Install PostgreSQL's client: the package postgresql-client of Debian, Ubuntu and Alpine, postgresql of Fedora, libpq of Homebrew.",
	}
	for _, option := range [][2]string{{"-U", t.User}, {"-h", t.Host}, {"-p", t.Port}} {
		if option[1] != "" {
			c.args = append(c.args, option[0], option[1])
		}
	}
	c.args = append(c.args, parameters...)
	if t.Name != "" {
		c.args = append(c.args, databaseName(t.Name))
	}
	if t.Password != "" {
		c.env = append(c.env, "PGPASSWORD="+t.Password)
	}
	var settings []string // of the session: names that are none of libpq's
	options := t.Options()
	for _, name := range slices.Sorted(maps.Keys(options)) {
		value := options.Get(name)
		switch variable, ok := libpqVariables()[name]; {
		case ok:
			c.env = append(c.env, variable+"="+value)
		case ofDriver(name):
		case name == "options":
			settings = append(settings, value)
		case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") != "":
			return c, &engine.CommandError{Message: fmt.Sprintf("unknown option %q of the database URL", name)}
		default:
			settings = append(settings, "-c "+name+"="+escapeOption(value))
		}
	}
	if settings != nil {
		c.env = append(c.env, "PGOPTIONS="+strings.Join(settings, " "))
	}
	return c, nil
}

// databaseName is the name as psql's argument. One that psql would take for
// an option or for a connection string is written as a connection string.
func databaseName(name string) string {
	if !strings.HasPrefix(name, "-") && !strings.ContainsAny(name, "=:") {
		return name
	}
	return "dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "'"
}

// escapeOption protects blanks, as libpq's parameter options wants.
func escapeOption(value string) string {
	return strings.NewReplacer(`\`, `\\`, " ", `\ `).Replace(value)
}

// libpqVariables are the variables of libpq for parameters of a connection:
// https://www.postgresql.org/docs/current/libpq-envars.html. None takes a
// value through psql's arguments, where sslpassword and the like would show.
func libpqVariables() map[string]string {
	return map[string]string{
		"application_name": "PGAPPNAME", "channel_binding": "PGCHANNELBINDING", "client_encoding": "PGCLIENTENCODING",
		"connect_timeout": "PGCONNECT_TIMEOUT", "gssencmode": "PGGSSENCMODE", "gsslib": "PGGSSLIB", "hostaddr": "PGHOSTADDR",
		"krbsrvname": "PGKRBSRVNAME", "passfile": "PGPASSFILE", "require_auth": "PGREQUIREAUTH", "requirepeer": "PGREQUIREPEER",
		"service": "PGSERVICE", "servicefile": "PGSERVICEFILE", "sslcert": "PGSSLCERT", "sslcompression": "PGSSLCOMPRESSION",
		"sslcrl": "PGSSLCRL", "sslcrldir": "PGSSLCRLDIR", "sslkey": "PGSSLKEY", "sslmode": "PGSSLMODE",
		"sslnegotiation": "PGSSLNEGOTIATION", "sslrootcert": "PGSSLROOTCERT", "sslsni": "PGSSLSNI",
		"ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION", "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
		"target_session_attrs": "PGTARGETSESSIONATTRS",
	}
}

// ofDriver reports whether an option is one of our driver's alone. sslpassword
// has no variable: psql asks for it.
func ofDriver(name string) bool {
	switch name {
	case "statement_cache_capacity", "description_cache_capacity", "min_read_buffer_size", "sslpassword", "krbspn":
		return true
	}
	return strings.HasPrefix(name, "pool_")
}
