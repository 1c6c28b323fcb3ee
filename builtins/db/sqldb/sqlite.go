package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// ErrMissingFile is a SQLite file that is not there: only migrate creates one.
var ErrMissingFile = errors.New("the database file does not exist")

// SQLite is the dialect of SQLite 3.38 and newer.
type SQLite struct{}

var _ Dialect = SQLite{}

// Vendor returns "sqlite".
func (SQLite) Vendor() string { return "sqlite" }

func (SQLite) checkOptions(url.Values) error { return nil }

func (SQLite) dsn(t Target, create bool) (string, error) {
	if t.Path == "" {
		return "file::memory:?_dqs=0", nil
	}
	mode := t.mode
	switch {
	case create && mode == "":
		mode = "rwc"
	case mode == "":
		mode = "rw"
	}
	if mode != "rwc" {
		if _, err := os.Stat(t.Path); err != nil {
			return "", fmt.Errorf("%w: %s", ErrMissingFile, t.Place)
		}
	}
	return "file:" + (&url.URL{Path: t.Path}).EscapedPath() + "?mode=" + mode + "&_dqs=0", nil
}

func (SQLite) setup(t Target) []string {
	s := []string{
		"PRAGMA busy_timeout = " + strconv.FormatInt(t.busyTimeout.Milliseconds(), 10),
		"PRAGMA foreign_keys = ON",
		"PRAGMA cache_size = -2000",
	}
	if t.Path != "" && t.mode != "ro" {
		s = append(s, setWAL, "PRAGMA synchronous = NORMAL")
	}
	return s
}

const setWAL = "PRAGMA journal_mode = WAL"

// keepsJournal reports whether a file stays with its own journal, and without
// what goes with WAL: another process is writing, for which this pragma does not
// wait, or the file may only be read.
func keepsJournal(statement string, err error) bool {
	code := sqliteCode(err)
	return statement == setWAL && (code == 5 || code == 8) // SQLITE_BUSY, SQLITE_READONLY
}

func (SQLite) cachesStatements() bool { return false }

func (SQLite) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (SQLite) numbered() bool { return false }
func (SQLite) maxParams() int { return 32766 }

func (SQLite) begin(isolation string) ([]string, error) {
	// SQLite's transactions are serializable, which every weaker level allows.
	return []string{"BEGIN IMMEDIATE"}, nil
}

func (SQLite) encode(v any) any { return encodeText(v) }

// sqliteCode is the primary result code of an error of SQLite's; 0 of another.
func sqliteCode(err error) int {
	coded, ok := asType[interface {
		error
		Code() int
	}](err)
	if !ok {
		return 0
	}
	return coded.Code() & 0xff
}

func (SQLite) classify(err error) ErrorKind {
	switch sqliteCode(err) {
	case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
		return RetryError
	case 19: // SQLITE_CONSTRAINT
		return IntegrityError
	case 14, 10, 26: // SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_NOTADB
		return ConnectionError
	}
	return OtherError
}

func (SQLite) tables(ctx context.Context, r Runner) ([]string, error) {
	return r.strings(ctx, `SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name`)
}

// jsonChecks lists the columns that a CHECK says hold JSON.
func jsonChecks(ddl string) []string {
	var names []string
	for _, m := range regexp.MustCompile("(?i)json_valid\\s*\\(\\s*[\"`\\[]?([^\"`\\])]+)[\"`\\]]?\\s*\\)").FindAllStringSubmatch(ddl, -1) {
		names = append(names, m[1])
	}
	return names
}

func (d SQLite) inspect(ctx context.Context, r Runner, schema, name string) (*Table, error) {
	if schema == "" {
		schema = "main"
	}
	// PRAGMA takes the name of no database for an error.
	schemas, err := r.strings(ctx, `SELECT name FROM pragma_database_list WHERE name = ? COLLATE NOCASE`, schema)
	if err != nil || len(schemas) == 0 {
		return nil, err
	}
	schema = schemas[0]
	// It does not list itself.
	found, err := r.values(ctx, `SELECT name, sql FROM (SELECT name, sql FROM `+d.quote(schema)+`.sqlite_master WHERE type IN ('table', 'view')
		UNION ALL VALUES ('sqlite_master', NULL), ('sqlite_schema', NULL)) WHERE name = ? COLLATE NOCASE`, name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	name, ddl := asText(found[0][0]), asText(found[0][1])
	rows, err := r.values(ctx, `SELECT x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
		FROM pragma_table_xinfo(?, ?) AS x WHERE x.hidden <> 1 ORDER BY x.cid`, name, schema)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	t := &Table{Name: name}
	if schema != "main" {
		t.Schema = schema
	}
	isJSON := map[string]bool{}
	for _, name := range jsonChecks(ddl) {
		isJSON[strings.ToLower(name)] = true
	}
	keys := map[int64]*Column{}
	for _, row := range rows {
		c := &Column{
			Name:       asText(row[0]),
			Type:       sqliteType(asText(row[1])),
			Null:       asInt(row[2]) == 0,
			HasDefault: row[3] != nil,
			Generated:  asInt(row[5]) > 1,
		}
		if isJSON[strings.ToLower(c.Name)] && c.Type.Kind == Text {
			c.Type.Kind = JSONKind
		}
		if n := asInt(row[4]); n > 0 {
			keys[n] = c
		}
		t.Columns = append(t.Columns, c)
	}
	for n := int64(1); n <= int64(len(keys)); n++ {
		t.PK = append(t.PK, keys[n])
	}
	// Any other key may be NULL where it does not say NOT NULL
	// (https://www.sqlite.org/lang_createtable.html#the_primary_key).
	withoutRowID := strings.Contains(strings.ToUpper(ddl), "WITHOUT ROWID")
	if len(t.PK) == 1 && strings.EqualFold(t.PK[0].Type.SQL, "integer") && !withoutRowID {
		t.PK[0].Auto = true
	}
	for _, c := range t.PK {
		c.Null = c.Null && !c.Auto && !withoutRowID
	}
	unique, err := r.values(ctx, `SELECT l.name, i.name FROM pragma_index_list(?, ?) AS l, pragma_index_info(l.name, ?) AS i
		WHERE l."unique" = 1 AND l.partial = 0 ORDER BY l.seq, i.seqno`, name, schema, schema)
	if err != nil {
		return nil, err
	}
	t.setUnique(unique)
	return t, nil
}

// sqliteType reads a declared type by SQLite's affinity rules, after the
// names that Django and people use.
func sqliteType(declared string) ColumnType {
	up := strings.ToUpper(strings.TrimSpace(declared))
	t := ColumnType{SQL: declared, Scale: -1}
	base, args, _ := strings.Cut(up, "(")
	base = strings.TrimSpace(base)
	switch {
	case base == "":
		t.Kind = Any
	case strings.HasPrefix(base, "BOOL"):
		t.Kind = Bool
	case strings.HasPrefix(base, "DATETIME"), strings.HasPrefix(base, "TIMESTAMP"):
		t.Kind = DateTime
	case base == "DATE":
		t.Kind = DateKind
	case strings.HasPrefix(base, "JSON"):
		t.Kind = JSONKind
	case base == "UUID":
		t.Kind = UUID
	case strings.HasPrefix(base, "DEC"), strings.HasPrefix(base, "NUMERIC"), base == "MONEY":
		t.Kind = DecimalKind
		t.Precision, t.Scale = precision(args)
	case strings.Contains(base, "INT"):
		t.Kind = Int
	case strings.Contains(base, "CHAR"), strings.Contains(base, "CLOB"), strings.Contains(base, "TEXT"):
		t.Kind = Text
	case strings.Contains(base, "BLOB"):
		t.Kind = Bytes
	case strings.Contains(base, "REAL"), strings.Contains(base, "FLOA"), strings.Contains(base, "DOUB"):
		t.Kind = Float
	default:
		t.Kind = Any
	}
	return t
}

// precision reads "10,2)"; the scale is -1 where none is given.
func precision(args string) (int, int) {
	p, s, two := strings.Cut(strings.TrimSuffix(strings.TrimSpace(args), ")"), ",")
	prec, err := strconv.Atoi(strings.TrimSpace(p))
	if err != nil {
		return 0, -1
	}
	if !two {
		return prec, 0
	}
	scale, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return prec, -1
	}
	return prec, scale
}

func (SQLite) foreignKeys(ctx context.Context, r Runner) ([]keyEdge, error) {
	// A parent is listed as REFERENCES spelled it.
	rows, err := r.values(ctx, `SELECT m.name, f.id, f."from", coalesce(p.name, f."table"), f."to"
		FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
		LEFT JOIN sqlite_master AS p ON p.type = 'table' AND p.name = f."table" COLLATE NOCASE
		WHERE m.type = 'table' ORDER BY m.name, f.id DESC, f.seq`)
	if err != nil {
		return nil, err
	}
	edges := make([]keyEdge, 0, len(rows))
	for _, row := range rows {
		e := keyEdge{child: asText(row[0]), constraint: strconv.FormatInt(asInt(row[1]), 10), column: asText(row[2]), parent: asText(row[3])}
		if row[4] != nil {
			e.parentColumn = asText(row[4])
		}
		edges = append(edges, e)
	}
	return edges, nil
}
