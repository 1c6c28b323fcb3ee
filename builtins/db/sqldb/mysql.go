package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"strings"
)

// MySQL is the dialect of MySQL 8 and MariaDB 10.5, and newer ones.
type MySQL struct{}

var _ Dialect = MySQL{}

// Vendor returns "mysql".
func (MySQL) Vendor() string { return "mysql" }

func (MySQL) checkOptions(options url.Values) error {
	for name := range options {
		switch name {
		case "tls", "timeout", "readTimeout", "writeTimeout", "charset", "collation", "maxAllowedPacket", "serverPubKey", "allowNativePasswords", "connectionAttributes":
		default:
			return fmt.Errorf("unknown option %q of a MySQL URL", name)
		}
	}
	return nil
}

func (MySQL) dsn(t Target, _ bool) (string, error) {
	if strings.ContainsRune(t.User, ':') {
		return "", errors.New("a MySQL user's name cannot hold a colon here")
	}
	address := "tcp(" + net.JoinHostPort(t.Host, t.Port) + ")"
	switch {
	case strings.HasPrefix(t.Host, "/"):
		address = "unix(" + t.Host + ")"
	case t.Host == "":
		address = "tcp(" + net.JoinHostPort("127.0.0.1", t.Port) + ")"
	}
	options := url.Values{"clientFoundRows": {"true"}, "charset": {"utf8mb4"}, "timeout": {"10s"}}
	for name, values := range t.options {
		options.Set(name, values[len(values)-1])
	}
	return t.User + ":" + t.Password + "@" + address + "/" + url.PathEscape(t.Name) + "?" + options.Encode(), nil
}

func (MySQL) setup(Target) []string {
	return []string{
		"SET SESSION time_zone = '+00:00', sql_mode = CONCAT_WS(',', NULLIF(REPLACE(@@SESSION.sql_mode, 'ANSI_QUOTES', ''), ''), 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE'), sql_auto_is_null = 0",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	}
}

func (MySQL) cachesStatements() bool { return false }

func (MySQL) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func (MySQL) numbered() bool { return false }
func (MySQL) maxParams() int { return 65535 }

func (MySQL) begin(isolation string) ([]string, error) {
	if isolation == "" {
		return []string{"START TRANSACTION"}, nil
	}
	return []string{"SET TRANSACTION ISOLATION LEVEL " + strings.ToUpper(isolation), "START TRANSACTION"}, nil
}

func (MySQL) encode(v any) any { return encodeText(v) }

func (MySQL) classify(err error) ErrorKind {
	if err.Error() == "invalid connection" { // the driver's ErrInvalidConn
		return ConnectionError
	}
	switch mysqlNumber(err) {
	case 1022, 1048, 1062, 1216, 1217, 1364, 1451, 1452, 1557, 1586, 1690, 3819, 4025:
		return IntegrityError
	case 1205, 1213, 1020, 3572:
		return RetryError
	case 1040, 1044, 1045, 1049, 1053, 1152, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013:
		return ConnectionError
	}
	return OtherError
}

// unpreparable: MySQL runs the statement, and does not prepare it.
func unpreparable(err error) bool { return mysqlNumber(err) == 1295 }

// mysqlNumber is the number of an error of the server's; 0 of any other.
func mysqlNumber(err error) uint64 {
	for e := err; e != nil; e = errors.Unwrap(e) {
		r := reflect.ValueOf(e)
		if r.Kind() != reflect.Pointer || r.Elem().Kind() != reflect.Struct {
			continue
		}
		if number := r.Elem().FieldByName("Number"); number.IsValid() && number.Kind() == reflect.Uint16 {
			return number.Uint()
		}
	}
	return 0
}

// packetTooLarge is the error with which the server closes a connection over a
// statement that is larger than max_allowed_packet.
const packetTooLarge = 1153

// oversized says what may be behind an error of a statement with that many
// values: a connection may be gone before the server's own error comes through.
func oversized(d Dialect, err error, args []any) error {
	e, ok := errors.AsType[*Error](err)
	if _, mysql := d.(MySQL); !ok || !mysql || e.Kind != ConnectionError && !strings.Contains(e.Message, "max_allowed_packet") {
		return err
	}
	if n := argBytes(args); n > 1<<20 {
		e.Message += fmt.Sprintf(" (the statement has values of %d bytes, and the server takes none larger than its max_allowed_packet: raise that, or write less at a time)", n)
	}
	return err
}

func (MySQL) tables(ctx context.Context, r Runner) ([]string, error) {
	return r.strings(ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name`)
}

func (MySQL) inspect(ctx context.Context, r Runner, schema, name string) (*Table, error) {
	// MariaDB says NULL, in letters, for a column that has no default.
	rows, err := r.values(ctx, `SELECT c.column_name, c.data_type, c.column_type, c.is_nullable, c.column_default IS NOT NULL AND c.column_default <> 'NULL', c.extra, c.numeric_precision, c.numeric_scale, c.table_schema, c.table_name, c.collation_name
		FROM information_schema.columns c WHERE c.table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND c.table_name = ? ORDER BY c.ordinal_position`, schema, name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if schema != "" {
		schema = asText(rows[0][8])
	}
	name = asText(rows[0][9])
	t := &Table{Name: name, Schema: schema}
	byName := map[string]*Column{}
	for _, row := range rows {
		extra := strings.ToLower(asText(row[5]))
		c := &Column{
			Name: asText(row[0]), Type: mysqlType(strings.ToLower(asText(row[1])), strings.ToLower(asText(row[2])), asInt(row[6]), asInt(row[7])),
			Null: asText(row[3]) == "YES", HasDefault: asInt(row[4]) != 0, Auto: strings.Contains(extra, "auto_increment"),
			Generated: strings.Contains(extra, "generated") && !strings.Contains(extra, "default_generated"),
			computed:  strings.Contains(extra, "generated"),
		}
		if collation := asText(row[10]); strings.HasPrefix(collation, "utf8mb4_") {
			c.collation = collation
		}
		t.Columns = append(t.Columns, c)
		byName[c.Name] = c
	}
	indexes, err := r.values(ctx, `SELECT s.index_name, s.column_name FROM information_schema.statistics s
		WHERE s.table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND s.table_name = ? AND s.non_unique = 0 ORDER BY s.index_name, s.seq_in_index`, schema, name)
	if err != nil {
		return nil, err
	}
	for _, row := range indexes {
		if asText(row[0]) == "PRIMARY" && row[1] != nil {
			t.PK = append(t.PK, byName[asText(row[1])])
		}
	}
	t.setUnique(indexes)
	// MariaDB keeps JSON as longtext with a CHECK (json_valid(`col`)), whose name
	// is unique in its table; MySQL's are in their schema.
	checks, err := r.values(ctx, `SELECT cc.check_clause FROM information_schema.table_constraints tc JOIN information_schema.check_constraints cc
		ON cc.constraint_schema = tc.constraint_schema AND cc.constraint_name = tc.constraint_name /*M! AND cc.table_name = tc.table_name */
		WHERE tc.constraint_type = 'CHECK' AND tc.table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND tc.table_name = ?`, schema, name)
	if err != nil {
		return nil, err
	}
	for _, row := range checks {
		for _, name := range jsonChecks(asText(row[0])) {
			if c := byName[name]; c != nil && c.Type.Kind == Text {
				c.Type.Kind = JSONKind
			}
		}
	}
	return t, nil
}

func mysqlType(base, declared string, prec, scale int64) ColumnType {
	t := ColumnType{SQL: declared, Scale: -1}
	switch base {
	case "tinyint":
		t.Kind = Int
		if strings.HasPrefix(declared, "tinyint(1)") {
			t.Kind = Bool
		}
	case "smallint", "mediumint", "int", "bigint", "year":
		t.Kind = Int
	case "decimal":
		t.Kind, t.Precision, t.Scale = DecimalKind, int(prec), int(scale)
	case "float", "double":
		t.Kind = Float
	case "datetime", "timestamp":
		t.Kind = DateTime
	case "date":
		t.Kind = DateKind
	case "json":
		t.Kind = JSONKind
	case "uuid":
		t.Kind = UUID
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		t.Kind = Text
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit":
		t.Kind = Bytes
	default:
		t.Kind = Other
	}
	return t
}

func (MySQL) foreignKeys(ctx context.Context, r Runner) ([]keyEdge, error) {
	rows, err := r.values(ctx, `SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_column_name
		FROM information_schema.key_column_usage k WHERE k.table_schema = DATABASE() AND k.referenced_table_schema = DATABASE()
		ORDER BY k.table_name, k.constraint_name, k.ordinal_position`)
	if err != nil {
		return nil, err
	}
	edges := make([]keyEdge, len(rows))
	for i, row := range rows {
		edges[i] = keyEdge{
			child: asText(row[0]), constraint: asText(row[1]), column: asText(row[2]), parent: asText(row[3]), parentColumn: asText(row[4]),
		}
	}
	return edges, nil
}
