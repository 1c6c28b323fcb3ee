package sqldb

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// PostgreSQL is the dialect of PostgreSQL 12 and newer.
type PostgreSQL struct{}

var _ Dialect = PostgreSQL{}

// Vendor returns "postgresql".
func (PostgreSQL) Vendor() string { return "postgresql" }

var isolationLevels = []string{"read uncommitted", "read committed", "repeatable read", "serializable"}

func (PostgreSQL) checkOptions(options url.Values) error {
	if options.Has("default_query_exec_mode") {
		return fmt.Errorf("option default_query_exec_mode is not for URLs: statements go through the extended protocol only")
	}
	return nil
}

func (PostgreSQL) dsn(t Target, _ bool) (string, error) {
	var b strings.Builder
	add := func(name, value string) {
		if value == "" {
			return
		}
		value = strings.ReplaceAll(strings.ReplaceAll(value, `\`, `\\`), `'`, `\'`)
		fmt.Fprintf(&b, "%s='%s' ", name, value)
	}
	add("host", t.Host)
	add("port", t.Port)
	add("user", t.User)
	add("password", t.Password)
	add("dbname", t.Name)
	if !t.options.Has("connect_timeout") {
		add("connect_timeout", "10")
	}
	if !t.options.Has("application_name") {
		add("application_name", "manage")
	}
	for name, values := range t.options {
		for _, r := range name {
			if r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
				return "", fmt.Errorf("unknown option %q of the database URL", name)
			}
		}
		add(name, values[len(values)-1])
	}
	return b.String(), nil
}

func (PostgreSQL) setup(Target) []string {
	return []string{"SET TIME ZONE 'UTC'", "SET standard_conforming_strings = on", "SET DateStyle = 'ISO, YMD'"}
}

func (PostgreSQL) cachesStatements() bool { return true }

func (PostgreSQL) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (PostgreSQL) numbered() bool { return true }
func (PostgreSQL) maxParams() int { return 65535 }

func (PostgreSQL) begin(isolation string) ([]string, error) {
	if isolation == "" {
		return []string{"BEGIN"}, nil
	}
	return []string{"BEGIN ISOLATION LEVEL " + strings.ToUpper(isolation)}, nil
}

// encode writes numbers and truth values as texts, which the server reads as
// the type that it found for the parameter: the driver refuses a number where
// that is text, and tells of Go's types where it is too small.
func (PostgreSQL) encode(v any) any {
	switch v := v.(type) {
	case time.Time:
		return timeText(v) + "+00"
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		if math.IsInf(v, 0) {
			return strings.Replace(strconv.FormatFloat(v, 'g', -1, 64), "Inf", "Infinity", 1)
		}
		if v == math.Trunc(v) && math.Abs(v) < 1e18 {
			return strconv.FormatFloat(v, 'f', -1, 64) // an integer takes no exponent
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return encodeText(v)
}

// plans tells which connections have dropped the statements that were prepared
// before the tables changed: PostgreSQL refuses to run one whose result is no
// longer what it was, which ends a transaction.
type plans struct {
	mu    sync.Mutex
	fresh map[deallocator]bool
	of    uint64 // the SchemaVersion that fresh is about
}

// deallocator is pgx's connection below database/sql's.
type deallocator interface {
	DeallocateAll(context.Context) error
}

// maxFresh bounds what is kept of connections that may be closed by now: to
// drop one's statements once more only costs a round trip.
const maxFresh = 64

// replan drops a connection's prepared statements where the program changed
// tables since it last did.
func (db *Database) replan(ctx context.Context, c *conn) error {
	if _, ok := db.dialect.(PostgreSQL); !ok {
		return nil
	}
	version := db.SchemaVersion()
	if version == 0 {
		return nil
	}
	// The drivers are linked by the program alone.
	method := reflect.ValueOf(c.Conn).MethodByName("Conn")
	if !method.IsValid() || method.Type().NumIn() != 0 || method.Type().NumOut() != 1 {
		return nil
	}
	below, ok := method.Call(nil)[0].Interface().(deallocator)
	if !ok {
		return nil
	}
	p := &db.plans
	p.mu.Lock()
	if p.of != version || len(p.fresh) >= maxFresh {
		p.of, p.fresh = version, map[deallocator]bool{}
	}
	done := p.fresh[below]
	p.fresh[below] = true
	p.mu.Unlock()
	if done {
		return nil
	}
	return below.DeallocateAll(ctx)
}

// planChanged reports whether a statement was refused because its result is no
// longer what it was when it was prepared: another program changed the table.
func (db *Database) planChanged(err error) bool {
	if _, ok := db.dialect.(PostgreSQL); !ok {
		return false
	}
	coded, ok := asType[interface {
		error
		SQLState() string
	}](err)
	return ok && coded.SQLState() == "0A000" && strings.Contains(coded.Error(), "cached plan must not change result type")
}

func (PostgreSQL) classify(err error) ErrorKind {
	coded, ok := asType[interface {
		error
		SQLState() string
	}](err)
	if !ok {
		return OtherError
	}
	state := coded.SQLState()
	switch {
	case strings.HasPrefix(state, "23"):
		return IntegrityError
	case state == "40001", state == "40P01", state == "55P03":
		return RetryError
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"), strings.HasPrefix(state, "28"), state == "3D000", state == "53300":
		return ConnectionError
	}
	return OtherError
}

func (PostgreSQL) tables(ctx context.Context, r Runner) ([]string, error) {
	return r.strings(ctx, `SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_catalog.pg_table_is_visible(c.oid)
		AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`)
}

func (PostgreSQL) inspect(ctx context.Context, r Runner, schema, name string) (*Table, error) {
	found, err := r.values(ctx, `SELECT c.oid::bigint, n.nspname::text, pg_catalog.pg_table_is_visible(c.oid)
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
		AND (($2::text = '' AND pg_catalog.pg_table_is_visible(c.oid)) OR n.nspname = $2::text)`, name, schema)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	oid := asInt(found[0][0])
	// The schema is always written: a table of that name in a schema that
	// comes to stand earlier in the search path must not be met instead.
	t := &Table{Name: name, Schema: asText(found[0][1])}
	rows, err := r.values(ctx, `SELECT a.attname::text, coalesce(nullif(ty.typbasetype, 0), ty.oid)::regtype::text,
		pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, (a.atthasdef OR a.attidentity <> ''), a.attgenerated <> '', a.atttypmod::bigint,
		coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false) OR a.attidentity <> '', ty.typcategory::text, ty.typtypmod::bigint
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid
		LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, oid)
	if err != nil {
		return nil, err
	}
	byName := map[string]*Column{}
	for _, row := range rows {
		c := &Column{
			Name: asText(row[0]), Type: postgresType(asText(row[1]), asText(row[2]), max(asInt(row[6]), asInt(row[9]))),
			Null: !asBool(row[3]), HasDefault: asBool(row[4]), Generated: asBool(row[5]), Auto: asBool(row[7]),
		}
		t.Columns = append(t.Columns, c)
		byName[c.Name] = c
	}
	indexes, err := r.values(ctx, `SELECT i.indexrelid::bigint, a.attname::text, i.indisprimary FROM pg_catalog.pg_index i
		CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, ord)
		LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND k.ord <= i.indnkeyatts
		ORDER BY i.indexrelid, k.ord`, oid)
	if err != nil {
		return nil, err
	}
	for _, row := range indexes {
		if asBool(row[2]) {
			t.PK = append(t.PK, byName[asText(row[1])])
		}
	}
	t.setUnique(indexes)
	return t, nil
}

func postgresType(base, declared string, mod int64) ColumnType {
	t := ColumnType{SQL: declared, Scale: -1}
	switch base {
	case "boolean":
		t.Kind = Bool
	case "smallint", "integer", "bigint":
		t.Kind = Int
	case "numeric":
		t.Kind = DecimalKind
		if mod > 4 {
			t.Precision, t.Scale = int((mod-4)>>16&0xffff), int((mod-4)&0x7ff)
		}
	case "real", "double precision":
		t.Kind = Float
	case "bytea":
		t.Kind = Bytes
	case "date":
		t.Kind = DateKind
	case "timestamp with time zone", "timestamp without time zone":
		t.Kind = DateTime
	case "json", "jsonb":
		t.Kind = JSONKind
	case "uuid":
		t.Kind = UUID
	case "text", "character varying", "character", "name", "citext":
		t.Kind = Text
	default:
		t.Kind = Other
	}
	return t
}

func (PostgreSQL) foreignKeys(ctx context.Context, r Runner) ([]keyEdge, error) {
	rows, err := r.values(ctx, `SELECT cn.nspname::text, c.relname::text, k.oid::text, a.attname::text, pn.nspname::text, p.relname::text, pa.attname::text
		FROM pg_catalog.pg_constraint k
		JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
		JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
		CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(child, parent, ord)
		JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.child
		JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.parent
		WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid, u.ord`)
	if err != nil {
		return nil, err
	}
	edges := make([]keyEdge, len(rows))
	for i, row := range rows {
		edges[i] = keyEdge{
			childSchema: asText(row[0]), child: asText(row[1]), constraint: asText(row[2]), column: asText(row[3]),
			parentSchema: asText(row[4]), parent: asText(row[5]), parentColumn: asText(row[6]),
		}
	}
	return edges, nil
}

// arrayLiteral writes values as the text of a PostgreSQL array. It is bound
// like any value.
func arrayLiteral(values []any) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		if v == nil {
			b.WriteString("NULL")
			continue
		}
		b.WriteByte('"')
		var s string
		switch v := v.(type) {
		case string:
			s = v
		case []byte:
			s = fmt.Sprintf(`\x%x`, v)
		default:
			s = fmt.Sprint(v)
		}
		b.WriteString(arrayEscaper.Replace(s))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

var arrayEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// ValidIsolation reports whether level is a name of SQL's, in lower case.
func ValidIsolation(level string) bool { return slices.Contains(isolationLevels, level) }
