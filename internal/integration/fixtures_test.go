package integration

// Fixtures on real databases: what one kind dumps another loads, to the last
// digit, and what is broken loads nothing.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbtest"
	"github.com/starmanage/starmanage/builtins/db/fixtures"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/builtins/lang"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// stock runs command lines with fixtures in a project on a database of its own.
type stock struct {
	t     *testing.T
	dir   string
	b     dbtest.Backend
	stdin string
}

// newStock makes the suite's tables and the history of migrations.
func newStock(t *testing.T, b dbtest.Backend) *stock {
	t.Helper()
	dbtest.Make(t, b)
	s := &stock{t: t, dir: t.TempDir(), b: b}
	writeFiles(t, s.dir, `
-- settings.star --
DATABASES = {"default": env("DATABASE_URL")}
-- apps/shop/management/commands/inside.star --
def _body(fixture):
    call_command("loaddata", fixture)
    fail("rolled back")

def add_arguments(parser):
    parser.add_argument("fixture")

def handle(fixture):
    _, err = catch(lambda: db.atomic(lambda: _body(fixture)))
    stdout.write("%s %d" % (err.message, db.table("code").count()))
-- apps/shop/fixtures/codes.json --
[{"model": "code", "pk": "x", "fields": {"label": "from the app"}}]
`)
	s.exec("CREATE TABLE manage_migrations (app varchar(100) NOT NULL, version integer NOT NULL)")
	s.exec("INSERT INTO manage_migrations VALUES ('shop', 1)")
	return s
}

func (s *stock) exec(statements ...string) {
	s.t.Helper()
	for _, text := range statements {
		if _, err := s.b.Pool.Exec(text); err != nil {
			s.t.Fatalf("%s: %v", text, err)
		}
	}
}

func (s *stock) run(words ...string) enginetest.Result {
	s.t.Helper()
	d := db.New(db.Config{})
	cfg := engine.Config{
		Modules: []engine.Module{d, fixtures.New(d), output.New(), command.New(), lang.Module{}, datetime.Module{}, decimal.Module{}},
		Stdin:   strings.NewReader(s.stdin),
		Getenv: func(name string) (string, bool) {
			if name == "DATABASE_URL" {
				return s.b.URL, true
			}
			return "", false
		},
	}
	return enginetest.Run(s.t, cfg, append([]string{"--project", s.dir}, words...)...)
}

func (s *stock) must(words ...string) string {
	s.t.Helper()
	got := s.run(words...)
	if got.Code != 0 {
		s.t.Fatalf("%s: manage %s: exit %d\n%s%s", s.b.Dialect, strings.Join(words, " "), got.Code, got.Stdout, got.Stderr)
	}
	return got.Stdout
}

func (s *stock) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stock) read(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

func (s *stock) count(table string) (n int) {
	s.t.Helper()
	if err := s.b.Pool.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// zoo has every type of column, with values at their edges, in an order that
// foreign keys do not like.
const zoo = `[
{"model": "book", "pk": 7, "fields": {"title": "later", "author_id": 3, "editor_id": 1, "price": "0.10"}},
{"model": "author", "pk": 1, "fields": {"name": "Ann \"é\" \\ \u0001\t\r\n😀 ", "email": "a@x.org", "born": "1969-12-31", "active": true, "balance": "9999999999.99",
  "rating": 0.1, "n": 9223372036854775807, "created_at": "2026-01-31T12:30:00.000001Z", "data": {"b": [1, 2.50, null], "a": {"é": "<&>"}, "big": 123456789012345678901234567890}, "raw": "AP/+Cg==", "token": "01234567-89AB-4def-8123-456789abcdef"}},
{"model": "author", "pk": 2, "fields": {"name": "", "email": null, "born": null, "active": false, "balance": "-0.01", "rating": null, "n": null, "created_at": null, "data": null, "raw": null, "token": null}},
{"model": "author", "pk": 3, "fields": {"name": "NULL", "email": "", "born": "2000-02-29", "active": true, "balance": "0.00", "rating": -1e300, "n": -9223372036854775808, "created_at": "1999-12-31T23:59:59Z", "data": [], "raw": "", "token": "00000000000000000000000000000000"}},
{"model": "author", "pk": 0, "fields": {"name": "zero", "balance": "1.50", "active": true, "data": "text", "rating": 3}},
{"model": "pair", "pk": [1, 2], "fields": {"v": "a"}},
{"model": "pair", "pk": [1, 3], "fields": {"v": null}},
{"model": "code", "pk": "\\N", "fields": {"label": ""}},
{"model": "code", "pk": "a,b", "fields": {"label": "line\r\nbreak"}}
]
`

// kept is a fixture or a dump as MySQL itself keeps it: its JSON knows a
// number's value, not its digits, and without a type for UUIDs they are texts.
func (s *stock) kept(text string) string {
	if !isMySQL(s.t, s.b) {
		return text
	}
	return strings.NewReplacer("2.50", "2.5", "123456789012345678901234567890", "123456789012345680000000000000", "89AB", "89ab",
		"00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000").Replace(text)
}

// TestFixturesTravel loads a dump of each database into each other, in each
// format, and expects the same dump from there.
func TestFixturesTravel(t *testing.T) {
	all := backends(t)
	names := []string{"sqlite", "postgresql", "mysql"}
	stocks := map[string]*stock{}
	dumps := map[string]string{}
	for _, name := range names {
		b, ok := all[name]
		if !ok {
			continue
		}
		s := newStock(t, b)
		stocks[name] = s
		s.write("zoo.json", s.kept(zoo))
		if got := s.must("loaddata", "zoo.json"); got != "Installed 9 object(s) from 1 fixture(s)\n" {
			t.Errorf("%s: loaddata printed %q", name, got)
		}
		dumps[name] = s.must("dumpdata", "--indent", "1")
		if want := s.kept(dumps["sqlite"]); dumps[name] != want {
			t.Errorf("%s dumps\n%s\nsqlite dumps\n%s", name, dumps[name], want)
		}
		// Numbering goes on behind what was loaded.
		s.exec("INSERT INTO author (name) VALUES ('next')")
		var id int
		if err := s.b.Pool.QueryRow("SELECT id FROM author WHERE name = 'next'").Scan(&id); err != nil || id != 4 {
			t.Errorf("%s: the next author has the key %d, %v", name, id, err)
		}
		s.exec("DELETE FROM author WHERE name = 'next'")
	}
	for _, part := range []string{
		`"created_at": "2026-01-31T12:30:00.000001Z"`, `"balance": "9999999999.99"`, `"n": 9223372036854775807`, `"raw": "AP/+Cg=="`, `"data": {"a":{"é":"<&>"},"b":[1,2.50,null],"big":123456789012345678901234567890}`,
		`"token": "01234567-89ab-4def-8123-456789abcdef"`, `"rating": -1e+300`, `"rating": 3.0`, `"pk": [1, 2]`, `"born": "1969-12-31"`, `"name": "Ann \"é\" \\ \u0001\t\r\n😀 "`,
	} {
		if !strings.Contains(dumps["sqlite"], part) {
			t.Errorf("the dump does not hold %s:\n%s", part, dumps["sqlite"])
		}
	}
	if !json.Valid([]byte(dumps["sqlite"])) || strings.Contains(dumps["sqlite"], "manage_migrations") {
		t.Errorf("the dump is no JSON, or holds the history:\n%s", dumps["sqlite"])
	}
	for _, from := range names {
		for _, to := range names {
			a, b := stocks[from], stocks[to]
			if a == nil || b == nil {
				continue
			}
			want := b.kept(a.kept(dumps["sqlite"]))
			t.Run(from+" to "+to, func(t *testing.T) {
				for _, file := range []string{"all.json", "all.jsonl.gz"} {
					path := filepath.Join(t.TempDir(), file)
					a.must("dumpdata", "-o", path)
					b.must("flush", "--no-input")
					if n := b.count("author"); n != 0 {
						t.Fatalf("flush left %d authors", n)
					}
					b.must("loaddata", path)
					if got := b.must("dumpdata", "--indent", "1"); got != want {
						t.Errorf("%s: came back as\n%s\nwant\n%s", file, got, want)
					}
				}
				dir := t.TempDir()
				for _, table := range []string{"author", "book", "pair", "code"} {
					a.must("dumpdata", table, "-o", filepath.Join(dir, table+".csv"))
				}
				b.must("flush", "--no-input")
				b.must("loaddata", filepath.Join(dir, "book.csv"), filepath.Join(dir, "author.csv"), filepath.Join(dir, "pair.csv"), filepath.Join(dir, "code.csv"))
				if got := b.must("dumpdata", "--indent", "1"); got != want {
					t.Errorf("csv: came back as\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// TestFixturesRefused: what is wrong with a fixture is named with its place,
// and nothing of it is loaded, not into an empty table nor into one with rows.
func TestFixturesRefused(t *testing.T) {
	row := func(pk, fields string) string {
		return `{"model": "code", "pk": "` + pk + `", "fields": {` + fields + `}}`
	}
	good := row("good", `"label": "g"`)
	cases := []struct{ name, file, text, want string }{
		{"column", "f.json", "[\n" + good + ",\n" + row("x", `"lable": "l"`) + "\n]", `'f.json', line 3, code "x", column lable: table code has no such column. Did you mean label?`},
		{"duplicate key", "f.json", "[" + good + ",\n\n" + row("good", `"label": "l"`) + "]", `'f.json', line 3, code "good": `},
		{"duplicate key far away", "f.jsonl", good + "\n" + strings.Repeat(row("k", `"label": "l"`)+"\n", 0) + manyCodes(1200) + good + "\n", `'f.jsonl', line 1202, code "good": `},
		{"broken line", "f.jsonl", good + "\n{\"model\": \"code\", \"pk\": \n" + good, `'f.jsonl', line 2: not JSON: unexpected end`},
		{"broken value", "f.json", "[" + good + ",\n{\"model\": \"code\",\n\"pk\": tru}]", `'f.json', line 3: not JSON: invalid character '}'`},
		{"no comma", "f.json", "[" + good + "\n" + good + "]", `'f.json', line 2: want a comma between rows`},
		{"cut off", "f.json", "[" + good + ",\n{\"model\": \"co", `'f.json', line 2: not JSON: unexpected end`},
		{"not closed", "f.json", "[" + good, `'f.json', line 1: the file ends before the array does`},
		{"more behind", "f.json", "[" + good + "]\n x", `'f.json', line 2: there is 'x' behind the array`},
		{"an object", "f.json", "{}", `'f.json', line 1: want a JSON array`},
		{"model", "f.jsonl", `{"pk": 1}`, `'f.jsonl', line 1: "model" is missing`},
		{"model's type", "f.jsonl", `{"model": 1}`, `'f.jsonl', line 1: "model" cannot be a number`},
		{"table", "f.jsonl", good + "\n" + `{"model": "cod", "pk": 1}`, `'f.jsonl', line 2: no table "cod" in database "default". Did you mean code?`},
		{"history", "f.jsonl", `{"model": "manage_migrations", "fields": {"app": "x"}}`, `line 1: manage_migrations is the history of migrations`},
		{"int", "f.jsonl", good + "\n" + `{"model": "author", "pk": 1, "fields": {"name": "n", "n": "many"}}`, `line 2, author 1, column n: want an integer, got "many"`},
		{"big int", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"n": 9223372036854775808}}`, `column n: the integer 9223372036854775808 is beyond what the database holds`},
		{"text", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"name": 5}}`, `column name: want a string, got "5"`},
		{"bool", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"active": "maybe"}}`, `column active: want true or false, got "maybe"`},
		{"decimals", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"balance": "0.001"}}`, `column balance: 0.001 has more than the column's 2 decimals`},
		{"digits", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"balance": "12345678901.00"}}`, `column balance: 12345678901.00 does not fit the column`},
		{"time", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"created_at": "2026-02-30T00:00:00Z"}}`, `column created_at: want a time`},
		{"date", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"born": "31.01.2026"}}`, `column born: want a date`},
		{"bytes", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"raw": "?"}}`, `column raw: want bytes in base64`},
		{"uuid", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"token": "1"}}`, `column token: want a UUID`},
		{"null", "f.jsonl", good + "\n" + row("y", `"label": null`), `line 2, code "y": `},
		{"unique", "f.jsonl", `{"model": "author", "pk": 1, "fields": {"name": "a", "email": "e"}}` + "\n" + `{"model": "author", "pk": 2, "fields": {"name": "b", "email": "e"}}`, `line 2, author 2: `},
		{"key of several", "f.jsonl", `{"model": "pair", "pk": 1, "fields": {}}`, `line 1, pair 1: the key of table pair is a list of 2 values`},
		{"foreign key", "f.jsonl", good + "\n" + `{"model": "book", "pk": 5, "fields": {"title": "t", "author_id": 99}}`,
			"Problem installing fixtures: The row in table 'book' with primary key '5' has an invalid foreign key: book.author_id contains a value '99' that does not have a corresponding value in author.id."},
		{"not UTF-8", "f.jsonl", row("x", "\"label\": \"\xff\""), `line 1: the text is not UTF-8`},
		{"csv column", "code.csv", "code,lable\nx,y\n", `'code.csv', line 2, code x, column lable: table code has no such column`},
		{"csv fields", "code.csv", "code,label\nx,\"y\ny\"\nz\n", `'code.csv', line 4: 1 fields, where the first line names 2 columns`},
		{"csv quote", "code.csv", "code,label\nx,\"y\n", `'code.csv', line 2: a quote is not closed`},
		{"csv null", "code.csv", "code,label\nx,\n", `'code.csv', line 2, code x: `},
		{"csv twice", "code.csv", "code,code\n", `'code.csv', line 1: column code comes twice`},
		{"csv table", "cod.csv", "code,label\nx,y\n", `'cod.csv', line 2: no table "cod"`},
		{"gzip", "f.json.gz", "[                    ]", `'f.json.gz': gzip: invalid header`},
		{"empty", "f.json", "", `'f.json', line 1: the file is empty`},
	}
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			s := newStock(t, b)
			for _, rows := range []int{0, 1} {
				if rows == 1 {
					s.exec("INSERT INTO code VALUES ('there', 'before')", "INSERT INTO author (id, name) VALUES (77, 'before')")
				}
				for _, c := range cases {
					if c.name == "uuid" && isMySQL(t, b) {
						continue // it has no such type
					}
					s.write(c.file, c.text)
					got := s.run("loaddata", c.file)
					if got.Code != 1 || got.Stdout != "" || !strings.Contains(got.Stderr, c.want) {
						t.Errorf("%s: exit %d, %q\n%s\nwant %s", c.name, got.Code, got.Stdout, got.Stderr, c.want)
					}
					if n, m := s.count("code"), s.count("author"); n != rows || m != rows {
						t.Fatalf("%s: %d codes and %d authors, want %d of each", c.name, n, m, rows)
					}
				}
			}
		})
	}
}

func manyCodes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"model": "code", "pk": "c%05d", "fields": {"label": "l"}}`+"\n", n-i)
	}
	return b.String()
}

// TestFixturesReplace: rows whose key is there are updated in the columns that
// the fixture gives, by whatever key.
func TestFixturesReplace(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			s := newStock(t, b)
			s.write("zoo.json", zoo)
			s.must("loaddata", "zoo.json")
			before := s.must("dumpdata")
			s.must("loaddata", "zoo.json")
			if after := s.must("dumpdata"); after != before {
				t.Errorf("loaded again:\n%s\nwant\n%s", after, before)
			}
			s.write("some.jsonl", `{"model": "author", "pk": 1, "fields": {"name": "Eve"}}
{"model": "author", "pk": 50, "fields": {"name": "new", "email": "n@x.org"}}
{"model": "author", "pk": 2, "fields": {"name": "Bob"}}
{"model": "pair", "pk": [1, 3], "fields": {"v": "z"}}
{"model": "pair", "pk": [9, 9], "fields": {}}
{"model": "author", "fields": {"name": "numbered"}}
`)
			if got := s.must("loaddata", "some.jsonl"); got != "Installed 6 object(s) from 1 fixture(s)\n" {
				t.Errorf("loaddata printed %q", got)
			}
			got := s.must("dumpdata", "author", "pair", "--format", "jsonl")
			for _, part := range []string{`"pk": 1, "fields": {"name": "Eve", "email": "a@x.org"`, `"pk": 50, "fields": {"name": "new"`, `"pk": 2, "fields": {"name": "Bob"`,
				`"pk": [1, 3], "fields": {"v": "z"}`, `"pk": [9, 9], "fields": {"v": null}`, `"pk": 51, "fields": {"name": "numbered"`} {
				if !strings.Contains(got, part) && !(strings.Contains(part, "51") && b.Dialect == "postgresql") {
					t.Errorf("the dump does not hold %s:\n%s", part, got)
				}
			}
			if b.Dialect == "postgresql" {
				var n int
				if err := b.Pool.QueryRow("SELECT COUNT(*) FROM pg_constraint WHERE contype = 'f' AND condeferrable").Scan(&n); err != nil || n != 0 {
					t.Errorf("%d foreign keys stayed DEFERRABLE, %v", n, err)
				}
			}
			s.write("alien.jsonl", `{"model": "nope", "pk": 1, "fields": {}}
{"model": "code", "pk": "i", "fields": {"label": "l", "colour": "red"}}
{"model": "counter", "pk": 1, "fields": {"name": "c"}}
`)
			if got := s.must("loaddata", "-i", "-e", "counter", "alien.jsonl"); got != "Installed 1 object(s) (of 3) from 1 fixture(s)\n" {
				t.Errorf("loaddata -i printed %q", got)
			}
		})
	}
}

// TestFixturesFound: by name in an app, on stdin, and not at all.
func TestFixturesFound(t *testing.T) {
	s := newStock(t, sqliteBackend(t))
	s.must("loaddata", "codes")
	if got := s.must("dumpdata", "code", "--format", "csv"); got != "code,label\nx,from the app\n" {
		t.Errorf("dumpdata printed %q", got)
	}
	s.stdin = "code,label\ny,\"a \"\"b\"\"\nc\"\nz,\"\"\n"
	s.must("loaddata", "--format", "csv", "--table", "code", "-")
	if got := s.must("dumpdata", "code", "--format", "csv"); got != "code,label\nx,from the app\n"+s.stdin[len("code,label\n"):] {
		t.Errorf("dumpdata printed %q", got)
	}
	want := "[\n" + `{"model": "code", "pk": "x", "fields": {"label": "from the app"}},` + "\n" + `{"model": "code", "pk": "y", "fields": {"label": "a \"b\"\nc"}}` + "\n]\n"
	if got := s.must("dumpdata", "code", "--limit", "2"); got != want {
		t.Errorf("dumpdata printed\n%s\nwant\n%s", got, want)
	}
	if got := s.must("dumpdata", "code", "--limit", "1", "--indent", "2"); got != "[\n{\n  \"model\": \"code\",\n  \"pk\": \"x\",\n  \"fields\": {\n    \"label\": \"from the app\"\n  }\n}\n]\n" {
		t.Errorf("dumpdata --indent printed\n%s", got)
	}
	if got := s.must("dumpdata", "author"); got != "[\n]\n" {
		t.Errorf("a dump of nothing is %q", got)
	}
	// A dump that fails leaves what was there.
	s.write("out.json", "before")
	s.exec("INSERT INTO author (name, born) VALUES ('a', 'soon')")
	if got := s.run("dumpdata", "-o", "out.json"); got.Code != 1 || !strings.Contains(got.Stderr, `table author, row 1: column born: a date column holds "soon"`) || s.read("out.json") != "before" {
		t.Errorf("a dump that fails: exit %d, %s, the file holds %q", got.Code, got.Stderr, s.read("out.json"))
	}
	if files, err := filepath.Glob(filepath.Join(s.dir, ".dumpdata*")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	s.exec("DELETE FROM author")
	for words, want := range map[string]string{
		"loaddata nothing":                "CommandError: No fixture named 'nothing' found.\n",
		"loaddata --app shopp codes":      "CommandError: No installed app with label 'shopp'.\n",
		"loaddata -":                      "CommandError: cannot tell what fixture 'standard input' is: want a name that ends in .json, .jsonl or .csv, with or without .gz, or --format\n",
		"loaddata --format csv -":         "CommandError: CSV from standard input needs --table\n",
		"dumpdata cod":                    "CommandError: no table and no app \"cod\" in database \"default\"\ndid you mean code?\n",
		"dumpdata --format csv":           "CommandError: csv holds one table a file: name one table (these are 7)\n",
		"dumpdata -o x.txt":               "CommandError: cannot tell from \"x.txt\" what to write: want a name that ends in .json, .jsonl or .csv, with or without .gz, or --format\n",
		"dumpdata --where id=1":           "CommandError: --where and --pks choose rows of one table: name one (these are 7)\n",
		"dumpdata code --where code":      "CommandError: --where \"code\": want NAME=VALUE or NAME__LOOKUP=VALUE, such as active=true or created_at__lt=2026-01-01\n",
		"dumpdata manage_migrations":      "CommandError: manage_migrations is the history of migrations, which belongs to this database alone\n",
		"dumpdata author --where n=1;2":   "CommandError: --where \"n=1;2\": want an integer, got \"1;2\"\n",
		"flush":                           "CommandError: flush removes all rows of database \"default\", and there is no terminal to ask on\npass --no-input if that is what you want\n",
		"dumpdata code -o no/such/x.json": "",
	} {
		got := s.run(strings.Fields(words)...)
		if got.Code != 1 || got.Stdout != "" || want != "" && got.Stderr != want {
			t.Errorf("manage %s: exit %d, %q, %q, want %q", words, got.Code, got.Stdout, got.Stderr, want)
		}
	}
}

// TestFixturesChoose: labels and --exclude choose tables, --where, --limit and
// --pks rows; a text in --where is a value, whatever it looks like.
func TestFixturesChoose(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			s := newStock(t, b)
			s.write("zoo.json", zoo)
			s.must("loaddata", "zoo.json")
			s.exec("CREATE TABLE shop_item (id integer PRIMARY KEY)", "INSERT INTO shop_item VALUES (1)")
			for words, want := range map[string]string{
				"author --where active=true":                         "author 0,author 1,author 3",
				"author --where active=false":                        "author 2",
				"author --where created_at__lt=2026-01-01":           "author 3",
				"author --where created_at__gte=2026-01-01T00:00:00": "author 1",
				"author --where name__startswith=Ann":                "author 1",
				"author --where id__in=1,3 --where balance__gt=0":    "author 1",
				"author --where balance__range=0,2":                  "author 0,author 3",
				"author --where n__isnull=true":                      "author 0,author 2",
				"author --where name='OR'1'='1":                      "",
				"author --where name=x');DELETE":                     "",
				"author --pks 0,2":                                   "author 0,author 2",
				"author --limit 2":                                   "author 0,author 1",
				"book --where author__name=NULL":                     "book 7",
				"author --where data__a__isnull=false":               "author 1",
				"author code -e author":                              `code "\\N",code "a,b"`,
				"shop":                                               "shop_item 1",
				"shop.Item":                                          "shop_item 1",
				"book author --exclude shop --limit 1":               "author 0,book 7",
			} {
				var found []string
				for line := range strings.Lines(s.must(append([]string{"dumpdata", "--format", "jsonl"}, strings.Fields(words)...)...)) {
					var row struct {
						Model string
						PK    json.RawMessage
					}
					if err := json.Unmarshal([]byte(line), &row); err != nil {
						t.Fatal(err)
					}
					found = append(found, row.Model+" "+string(row.PK))
				}
				if got := strings.Join(found, ","); got != want {
					t.Errorf("dumpdata %s: %s, want %s", words, got, want)
				}
			}
			if got := s.run("dumpdata", "author", "--where", "nam=x"); got.Code == 0 || !strings.Contains(got.Stderr, `table author has no column "nam". Did you mean name?`) {
				t.Errorf("a wrong column: exit %d, %s", got.Code, got.Stderr)
			}
		})
	}
}

// TestFixturesInTransaction: loaddata called in db.atomic goes with it.
func TestFixturesInTransaction(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			s := newStock(t, b)
			if got := s.must("inside", "codes"); got != "Installed 1 object(s) from 1 fixture(s)\nrolled back 0\n" {
				t.Errorf("printed %q", got)
			}
		})
	}
}

// TestFlush empties all tables but the history, and shows how.
func TestFlush(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			s := newStock(t, b)
			s.write("zoo.json", zoo)
			s.must("loaddata", "zoo.json")
			sql := s.must("sqlflush")
			if !strings.Contains(sql, "BEGIN;\n") && !strings.Contains(sql, "START TRANSACTION;\n") || !strings.HasSuffix(sql, ";\nCOMMIT;\n") || strings.Contains(sql, "manage_migrations") {
				t.Errorf("sqlflush printed\n%s", sql)
			}
			if got := s.must("flush", "--no-input"); got != "" {
				t.Errorf("flush printed %q", got)
			}
			for _, table := range []string{"author", "book", "pair", "code", "review", "counter"} {
				if n := s.count(table); n != 0 {
					t.Errorf("%d rows left in %s", n, table)
				}
			}
			if s.count("manage_migrations") != 1 {
				t.Error("the history of migrations is gone")
			}
			s.exec("INSERT INTO author (name) VALUES ('first')")
			var id int
			if err := b.Pool.QueryRow("SELECT id FROM author").Scan(&id); err != nil || id != 1 {
				t.Errorf("numbering goes on at %d, %v", id, err)
			}
		})
	}
}

// TestInspect shows the schema as lines and as data.
func TestInspect(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			s := newStock(t, b)
			lines := strings.Split(s.must("inspectdb", "book"), "\n")
			if lines[0] != "TABLE\tCOLUMN\tTYPE\tVALUE\tNULL\tKEY\tDEFAULT\tREFERENCES" || len(lines) != 7 {
				t.Errorf("inspectdb printed %q", lines)
			}
			for i, want := range [][2]string{{"book\tid\t", "\tint\t\tpk\tauto\t"}, {"book\ttitle\t", "\tstr\t\t\t\t"}, {"book\tauthor_id\t", "\tint\t\t\t\tauthor.id"}, {"book\teditor_id\t", "\tint\tnull\t\t\tauthor.id"}} {
				if !strings.HasPrefix(lines[i+1], want[0]) || !strings.HasSuffix(lines[i+1], want[1]) {
					t.Errorf("line %q, want %q", lines[i+1], want)
				}
			}
			var schema []struct {
				Table      string
				View       bool
				Columns    []struct{ Name, Value string }
				PrimaryKey []string `json:"primary_key"`
				Unique     [][]string
			}
			if err := json.Unmarshal([]byte(s.must("inspectdb", "--format", "json", "author", "pair", "adults")), &schema); err != nil {
				t.Fatal(err)
			}
			if len(schema) != 3 || schema[0].Unique[0][0] != "email" || len(schema[1].PrimaryKey) != 2 || !schema[2].View || schema[0].Columns[5].Value != "Decimal" {
				t.Errorf("inspectdb --format json: %+v", schema)
			}
			var document struct {
				OK     bool
				Output string
				Result []struct{ Table string }
			}
			if err := json.Unmarshal([]byte(s.must("inspectdb", "--json")), &document); err != nil {
				t.Fatal(err)
			}
			if !document.OK || document.Output != "" || len(document.Result) != 8 {
				t.Errorf("inspectdb --json: %+v", document)
			}
			if got := s.run("inspectdb", "boook"); got.Code != 1 || !strings.Contains(got.Stderr, "Did you mean book?") {
				t.Errorf("inspectdb boook: exit %d, %s", got.Code, got.Stderr)
			}
		})
	}
}

// TestFixturesBrokenSettings: no command guesses a database.
func TestFixturesBrokenSettings(t *testing.T) {
	s := newStock(t, sqliteBackend(t))
	s.exec("INSERT INTO code VALUES ('x', 'y')")
	s.write("settings.star", "DATABASES = 1 // 0\n")
	for _, words := range []string{"dumpdata", "loaddata codes", "flush --no-input", "sqlflush", "inspectdb"} {
		if got := s.run(strings.Fields(words)...); got.Code == 0 || got.Stdout != "" || !strings.Contains(got.Stderr, "division by zero") {
			t.Errorf("manage %s: exit %d, %q, %q", words, got.Code, got.Stdout, got.Stderr)
		}
	}
	if s.count("code") != 1 {
		t.Error("the table was emptied")
	}
}

// TestFixturesOwnTypes: types that one database alone has come back, and on
// PostgreSQL tables that point to each other and number rows themselves.
func TestFixturesOwnTypes(t *testing.T) {
	tables := map[string][]string{
		"sqlite": {"CREATE TABLE own (id integer PRIMARY KEY, a, n numeric, g integer GENERATED ALWAYS AS (id + 1))", `INSERT INTO own (id, a, n) VALUES (1, 'text', 1.5), (2, 5, 3), (3, 2.5, NULL), (4, x'ff00', 1), (5, '7', 0)`,
			"CREATE TABLE loose (v text)", "INSERT INTO loose VALUES ('a'), (NULL)"},
		"postgresql": {
			"CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\"')", "CREATE DOMAIN cents AS integer CHECK (VALUE >= 0)",
			"CREATE TABLE own (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t time, tz timetz, i interval, arr integer[], words text[], m mood, b bit(3), ip inet, c cents, ts timestamp, n numeric, r real, ch char(4), j json, g integer GENERATED ALWAYS AS (1) STORED)",
			`INSERT INTO own (t, tz, i, arr, words, m, b, ip, c, ts, n, r, ch, j) VALUES ('12:30:00.5', '12:30+02', '1 day 02:00', '{1,NULL,3}', '{"a,b","c\"d",NULL}', 'it''s "ok"', '101', '10.0.0.1/8', 5, '2026-01-31 12:00:00.25', 1.500, 0.1, 'ab', '{"a": 1}'), (NULL, NULL, NULL, '{}', NULL, 'sad', NULL, NULL, 0, NULL, 'NaN', 'Infinity', NULL, NULL)`,
			"CREATE TABLE egg (id serial PRIMARY KEY, hen_id integer)", "CREATE TABLE hen (id serial PRIMARY KEY, egg_id integer NOT NULL REFERENCES egg(id))", "ALTER TABLE egg ADD FOREIGN KEY (hen_id) REFERENCES hen(id)",
			"INSERT INTO egg VALUES (1, NULL), (2, NULL)", "INSERT INTO hen VALUES (1, 1), (2, 2)", "UPDATE egg SET hen_id = 3 - id"},
		"mysql": {"CREATE TABLE own (id bigint unsigned PRIMARY KEY, t time(6), y year, e enum('a','b,c'), s set('x','y'), b bit(9), f float, ti tinyint, bin binary(3), g integer GENERATED ALWAYS AS (ti + 1))",
			"INSERT INTO own (id, t, y, e, s, b, f, ti, bin) VALUES (18446744073709551615, '-12:30:00.5', 2026, 'b,c', 'x,y', b'100000001', 0.1, -5, x'00ff27'), (1, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL)"},
	}
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			s := newStock(t, b)
			s.exec(tables[name]...)
			for _, labels := range [][]string{{"own"}, {"loose"}, {"egg", "hen"}} {
				if !slices.ContainsFunc(tables[name], func(text string) bool { return strings.HasPrefix(text, "CREATE TABLE "+labels[0]+" ") }) {
					continue
				}
				words := append([]string{"dumpdata", "--indent", "1"}, labels...)
				want := s.must(words...)
				for _, form := range []string{"json", "jsonl", "csv"} {
					file := filepath.Join(t.TempDir(), labels[0]+"."+form)
					if form == "csv" && len(labels) > 1 {
						continue
					}
					s.must(append([]string{"dumpdata", "-o", file}, labels...)...)
					s.must("flush", "--no-input")
					s.must("loaddata", file)
					if got := s.must(words...); got != want {
						t.Errorf("%s came back as\n%s\nwant\n%s", file, got, want)
					}
					if labels[0] != "loose" { // without a key each load inserts
						s.must("loaddata", file)
						if got := s.must(words...); got != want {
							t.Errorf("%s, loaded again, came back as\n%s\nwant\n%s", file, got, want)
						}
					}
				}
				s.must("flush", "--no-input")
				s.exec(slices.DeleteFunc(slices.Clone(tables[name]), func(text string) bool {
					return !strings.HasPrefix(text, "INSERT") && !strings.HasPrefix(text, "UPDATE")
				})...)
			}
		})
	}
}
