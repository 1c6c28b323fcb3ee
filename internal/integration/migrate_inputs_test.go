package integration

// What migrate and its siblings say to mistakes, and what they print.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sqliteShop is a project on SQLite.
func sqliteShop(t *testing.T, archive string) *shop {
	t.Helper()
	return &shop{t: t, dir: shopDir(t, archive), b: sqliteBackend(t)}
}

// three is an app with three migrations, and apps without any.
const three = `
-- apps/plain/management/commands/hello.star --
def handle():
    pass
-- apps/empty/migrations/README.md --
Nothing here yet.
-- apps/shop/migrations/0001_initial.sql --
-- +goose Up
CREATE TABLE shop_a (id INTEGER PRIMARY KEY);
-- +goose Down
DROP TABLE shop_a;
-- apps/shop/migrations/0002_more.sql --
-- +goose Up
CREATE TABLE shop_b (id INTEGER PRIMARY KEY);
-- +goose Down
DROP TABLE shop_b;
-- apps/shop/migrations/0003_last.sql --
-- +goose Up
CREATE TABLE shop_c (id INTEGER PRIMARY KEY);
`

func TestMigrateArguments(t *testing.T) {
	s := sqliteShop(t, three)
	for _, tc := range []struct {
		name, words, stderr string
		code                int
	}{
		{"unknown app", "migrate shap", "CommandError: No installed app with label 'shap'.\nDid you mean shop?\n", 1},
		{"app without migrations", "migrate plain", "CommandError: App 'plain' does not have migrations.\n", 1},
		{"ambiguous prefix", "migrate shop 000", "CommandError: More than one migration matches '000' in app 'shop'. Please be more specific.\n", 1},
		{"unknown name", "migrate shop 0009_x", "CommandError: Cannot find a migration matching '0009_x' from app 'shop'.\n", 1},
		{"nearly a name", "migrate shop 0002_mroe", "Did you mean shop.0002_more?\n", 1},
		{"a path", "migrate shop ../../etc/passwd", "CommandError: Cannot find a migration matching '../../etc/passwd' from app 'shop'.\n", 1},
		{"unknown database", "migrate --database nope", "CommandError: no database \"nope\" in DATABASES\n", 1},
		{"prune everything", "migrate --prune", "CommandError: Migrations can be pruned only when an app is specified.\n", 1},
		{"three positionals", "migrate shop 0001 0002", "manage migrate: error: unrecognized arguments: 0002\n", 2},
		{"show an unknown app", "showmigrations shap nix", "No installed app with label 'shap'.\nNo installed app with label 'nix'.\n", 2},
		{"sql of an unknown app", "sqlmigrate shap 0001", "CommandError: No installed app with label 'shap'.\n", 1},
		{"sql of two", "sqlmigrate shop 000", "CommandError: More than one migration matches '000'", 1},
		{"sql of nothing", "sqlmigrate shop", "CommandError: When using a single argument, provide a migration path", 1},
		{"sql without a way back", "sqlmigrate shop 0003 --backwards", "CommandError: Migration shop.0003_last is not reversible: apps/shop/migrations/0003_last.sql has no -- +goose Down.\n", 1},
		{"make without --empty", "makemigrations shop", "CommandError: makemigrations writes empty migrations only", 1},
		{"make for no app", "makemigrations --empty", "CommandError: You must supply at least one app label when using --empty.\n", 1},
		{"make for an unknown app", "makemigrations --empty shap", "No installed app with label 'shap'.\n", 2},
		{"make with a bad name", "makemigrations --empty shop --name ../x", "CommandError: The migration name must be a valid Python identifier.\n", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			(&shop{t, s.dir, s.b}).wants(tc.code, "", tc.stderr, strings.Fields(tc.words)...)
		})
	}
	if got := s.names(); got != "" {
		t.Errorf("a refused command made %s", got)
	}
	s.must("migrate", "-v0")
	s.wants(1, "", "CommandError: Migration shop.0003_last is not reversible: apps/shop/migrations/0003_last.sql has no -- +goose Down.\n", "migrate", "shop", "zero")
	if got := s.names(); got != "shop_a shop_b shop_c" {
		t.Errorf("a way back that does not exist left %s", got)
	}
	s.wants(0, "empty\n (no migrations)\nshop\n [X] 0001_initial\n [X] 0002_more\n [X] 0003_last\n", "", "showmigrations")
	s.wants(0, "Planned operations:\nshop.0003_last\n    Raw SQL operation -> IRREVERSIBLE\n", "", "migrate", "shop", "0002", "--plan")
}

func TestMigrateFiles(t *testing.T) {
	for _, tc := range []struct{ name, files, stderr, id string }{
		{"two files with one number", `
-- apps/shop/migrations/0002_other.sql --
-- +goose Up
`, "apps/shop/migrations/0002_other.sql: Conflicting migrations detected; two files with one number: (0002_more.sql, 0002_other.sql in shop).\nGive the one that was written last the next free number.\n", "migrations.E002"},
		{"one number with other zeros", `
-- apps/shop/migrations/2_other.star --
def up(db):
    pass
`, "two files with one number: (0002_more.sql, 2_other.star in shop).", "migrations.E002"},
		{"SQL and Starlark", `
-- apps/shop/migrations/0002_more.star --
def up(db):
    pass
`, "two files with one number: (0002_more.sql, 0002_more.star in shop).", "migrations.E002"},
		{"missing dependency", `
-- apps/shop/migrations/0004_x.sql --
-- manage:depends shop.0002_mroe
-- +goose Up
`, "CommandError: apps/shop/migrations/0004_x.sql:1: Migration shop.0004_x dependencies reference nonexistent parent node shop.0002_mroe.\nDid you mean shop.0002_more?\n", "migrations.E003"},
		{"dependency on an app that is not there", `
-- apps/shop/migrations/0004_x.star --
dependencies = [("users", "0001_initial")]
def up(db):
    pass
`, "CommandError: apps/shop/migrations/0004_x.star: Migration shop.0004_x dependencies reference nonexistent parent node users.0001_initial.\nThere is no app users in INSTALLED_APPS.\n", "migrations.E003"},
		{"cycle", `
-- apps/plain/migrations/0001_x.sql --
-- manage:depends shop.0004_x
-- +goose Up
-- apps/shop/migrations/0004_x.sql --
-- manage:depends plain.0001_x
-- +goose Up
`, "Migrations depend on each other: plain.0001_x, shop.0004_x, plain.0001_x\n", "migrations.E004"},
		{"no migration's name", `
-- apps/shop/migrations/initial.sql --
-- +goose Up
`, "apps/shop/migrations/initial.sql: this is no migration's name\n", "migrations.E001"},
		{"no dialect", `
-- apps/shop/migrations/0004_x.oracle.sql --
-- +goose Up
`, "apps/shop/migrations/0004_x.oracle.sql: there is no dialect \"oracle\"\nThere are sqlite, postgres and mysql.\n", "migrations.E001"},
		{"not for this database", `
-- apps/shop/migrations/0004_x.postgres.sql --
-- +goose Up
`, "apps/shop/migrations/0004_x.postgres.sql: shop.0004_x has no file for sqlite\nWrite 0004_x.sql for all databases, or 0004_x.sqlite.sql.\n", "migrations.E001"},
		{"not goose's format", `
-- apps/shop/migrations/0004_x.sql --
CREATE TABLE x (id INTEGER);
`, "apps/shop/migrations/0004_x.sql:1: the file does not start with -- +goose Up\n", "migrations.E001"},
		{"ends its transaction", `
-- apps/shop/migrations/0004_x.sql --
-- +goose Up
CREATE TABLE x (id INTEGER);
COMMIT;
`, "apps/shop/migrations/0004_x.sql:3: COMMIT would end the transaction that the migration runs in\n", "migrations.E001"},
		{"Starlark that does not parse", `
-- apps/shop/migrations/0004_x.star --
def up(db):
    raise ValueError("x")
`, "apps/shop/migrations/0004_x.star:2:5: ", "migrations.E001"},
		{"Starlark without up", `
-- apps/shop/migrations/0004_x.star --
def down(db):
    pass
`, "apps/shop/migrations/0004_x.star: the file has no up\n", "migrations.E001"},
		{"up takes nothing", `
-- apps/shop/migrations/0004_x.star --
def up():
    pass
`, "apps/shop/migrations/0004_x.star: up is a function of one argument\nWrite def up(db):\n", "migrations.E001"},
		{"dependencies of the wrong kind", `
-- apps/shop/migrations/0004_x.star --
dependencies = "shop.0001_initial"
def up(db):
    pass
`, "apps/shop/migrations/0004_x.star: dependencies is a list of names: [\"accounts.0001_initial\"]\n", "migrations.E001"},
		{"atomic of the wrong kind", `
-- apps/shop/migrations/0004_x.star --
atomic = "no"
def up(db):
    pass
`, "apps/shop/migrations/0004_x.star: atomic is True or False, not string\n", "migrations.E001"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sqliteShop(t, three+tc.files)
			for _, words := range []string{"migrate", "migrate --plan", "showmigrations", "sqlmigrate shop 0001"} {
				s.wants(1, "", tc.stderr, strings.Fields(words)...)
			}
			if got := s.names(); got != "" {
				t.Errorf("the refused migrate made %s", got)
			}
			s.wants(1, "", "("+tc.id+")", "check", "--tag", "migrations")
		})
	}
}

func TestMigrateVanishedFile(t *testing.T) {
	s := sqliteShop(t, three)
	s.must("migrate", "shop", "0002")
	if err := os.Rename(filepath.Join(s.dir, "apps/shop/migrations/0002_more.sql"), filepath.Join(s.dir, "kept")); err != nil {
		t.Fatal(err)
	}
	s.wants(0, "shop\n [X] 0001_initial\n [X] 0002_more (no file)\n [ ] 0003_last\n", "", "showmigrations")
	s.wants(1, "", "CommandError: Migration shop.0002_more is applied, and its file is not there any more: there is no way back behind it.\nPut the file back, or forget the migration: manage migrate --prune shop\n", "migrate", "shop", "0001")
	s.wants(1, "", "there is no way back behind it", "migrate", "shop", "zero")
	s.wants(0, "  Applying shop.0003_last... OK\n", "Migration shop.0002_more is applied, and its file is not there any more.\n", "migrate")
	s.wants(0, "  No migrations to apply.\n", "Migration shop.0002_more is applied", "migrate")

	// Another file takes its number.
	writeFiles(t, s.dir, "-- apps/shop/migrations/0002_renamed.sql --\n-- +goose Up\n")
	s.wants(0, "shop\n [X] 0001_initial\n [ ] 0002_renamed\n [X] 0002_more (no file)\n [X] 0003_last\n", "", "showmigrations")
	s.wants(1, "", "is applied on database 'default' and has no file any more", "migrate", "shop", "0002")
	s.wants(0, "Pruning migrations:\n  Pruning shop.0002_more OK\n", "", "migrate", "shop", "--prune")
	s.wants(0, "  No migrations to prune.\n", "", "migrate", "shop", "--prune")
	s.wants(1, "", "CommandError: Migration shop.0003_last is applied before its dependency shop.0002_renamed on database 'default'.\n", "migrate")
	s.exec("UPDATE manage_migrations SET name = '0002_renamed', version = 2 WHERE version = 1")
	s.wants(1, "", "CommandError: Migration shop.0002_renamed is applied before its dependency shop.0001_initial on database 'default'.\n", "migrate", "--check")
}

// TestMigrateBrokenSettings: without the settings there would be no apps, and
// the default database.
func TestMigrateBrokenSettings(t *testing.T) {
	s := sqliteShop(t, three)
	writeFiles(t, s.dir, "-- settings.star --\nINSTALLED_APPS = [\"shop\", \"shap\"]\nDATABASES = {\"default\": env(\"DATABASE_URL\")}\n")
	for _, words := range []string{"migrate", "migrate --check", "showmigrations", "sqlmigrate shop 0001", "makemigrations --empty shop"} {
		s.wants(1, "", "INSTALLED_APPS names \"shap\"", strings.Fields(words)...)
	}
	if got := s.names(); got != "" {
		t.Errorf("migrate made %s", got)
	}
}

func TestMigrateVerbosity(t *testing.T) {
	s := sqliteShop(t, three)
	s.wants(0, "", "", "migrate", "-v", "0", "shop", "0001")
	s.wants(0, "  Applying shop.0002_more... OK (0.000s)\n", "", "migrate", "-v", "2", "shop", "0002")
	got := s.run("migrate", "shop", "0001", "--force-color")
	if want := "\x1b[36;1mOperations to perform:\x1b[0m\n\x1b[1m  Target specific migration: \x1b[0m0001_initial, from shop\n\x1b[36;1mRunning migrations:\x1b[0m\n  Unapplying shop.0002_more...\x1b[32;1m OK\x1b[0m\n"; got.Stdout != want {
		t.Errorf("in colour stdout is %q\nwant %q", got.Stdout, want)
	}
}

func TestSQLMigrate(t *testing.T) {
	s := sqliteShop(t, three+`
-- apps/shop/migrations/0004_notx.sql --
-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
CREATE TABLE shop_d (id INTEGER PRIMARY KEY)
-- +goose StatementEnd
-- apps/shop/migrations/0005_fill.star --
def up(db):
    pass
-- apps/shop/migrations/0006_none.sql --
-- +goose Up
-- apps/shop/migrations/0007_other.sql --
-- +goose Up
SELECT 'not on sqlite';
-- apps/shop/migrations/0007_other.sqlite.sql --
-- +goose Up
SELECT 'sqlite';
`)
	first := "BEGIN;\n--\n-- Raw SQL operation\n--\nCREATE TABLE shop_a (id INTEGER PRIMARY KEY);\nCOMMIT;\n"
	for words, want := range map[string]string{
		"shop 0001":                                    first,
		"shop.0001_initial":                            first,
		"apps/shop/migrations/0001_initial.sql":        first,
		"./apps/shop/migrations/0007_other.sqlite.sql": "BEGIN;\n--\n-- Raw SQL operation\n--\nSELECT 'sqlite';\nCOMMIT;\n",
		"shop 0002 --backwards":                        "BEGIN;\n--\n-- Raw SQL operation\n--\nDROP TABLE shop_b;\nCOMMIT;\n",
		"shop 0004":                                    "--\n-- Raw SQL operation\n--\nCREATE TABLE shop_d (id INTEGER PRIMARY KEY);\n",
		"shop 0005":                                    "BEGIN;\n--\n-- Raw Starlark operation\n--\n-- THIS OPERATION CANNOT BE WRITTEN AS SQL\nCOMMIT;\n",
	} {
		if got := s.must(append([]string{"sqlmigrate"}, strings.Fields(words)...)...); got != want {
			t.Errorf("sqlmigrate %s prints\n%s\nwant\n%s", words, got, want)
		}
	}
	s.wants(0, "", "No operations found.\n", "sqlmigrate", "shop", "0006")
}

func TestMakeMigrations(t *testing.T) {
	s := sqliteShop(t, three)
	s.wants(0, "Migrations for 'shop':\n  apps/shop/migrations/0004_add_currency.sql\n", "", "makemigrations", "--empty", "shop", "--name", "add_currency")
	s.wants(0, "Migrations for 'shop':\n  apps/shop/migrations/0005_auto_20260131_1230.star\nMigrations for 'plain':\n  apps/plain/migrations/0001_initial.star\n", "", "makemigrations", "--empty", "shop", "plain", "--star")
	s.wants(0, "Migrations for 'empty':\n  apps/empty/migrations/0001_initial.sql\nFull migrations file '0001_initial.sql':\n-- +goose Up\n\n-- +goose Down\n", "", "makemigrations", "--empty", "empty", "--dry-run", "-v3")
	if _, err := os.Stat(filepath.Join(s.dir, "apps/empty/migrations/0001_initial.sql")); !os.IsNotExist(err) {
		t.Errorf("--dry-run wrote a file: %v", err)
	}
	// What it writes runs both ways.
	s.wants(0, "  Applying shop.0005_auto_20260131_1230... OK\n", "", "migrate")
	s.must("migrate", "shop", "0003")
	s.must("migrate", "plain", "zero")

	outside := t.TempDir()
	if err := os.Remove(filepath.Join(s.dir, "apps/empty/migrations/README.md")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.dir, "apps/empty/migrations")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(s.dir, "apps/empty/migrations")); err != nil {
		t.Fatal(err)
	}
	if got := s.run("makemigrations", "--empty", "empty"); got.Code != 1 {
		t.Errorf("a folder that leads out of the project was written to: exit %d\n%s", got.Code, got.Stdout)
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("outside there is %v", left)
	}
}

const needy = three + `
-- apps/plain/management/commands/needy.star --
requires_migrations_checks = True

def handle():
    stdout.write("done")
-- apps/plain/management/commands/needy_db.star --
requires_migrations_checks = True
database = True
atomic = True

def handle():
    stdout.write("done on %s" % db.connection.alias)
-- apps/plain/management/commands/wrong.star --
requires_migrations_checks = "yes"

def handle():
    pass
`

func TestRequiresMigrationsChecks(t *testing.T) {
	s := sqliteShop(t, needy)
	warning := "\nYou have 3 unapplied migration(s). Your project may not work properly until you apply the migrations for app(s): shop.\nRun 'manage migrate' to apply them.\n"
	got := s.run("needy")
	if got.Code != 0 || got.Stdout != "done\n" || got.Stderr != warning {
		t.Errorf("exit %d, stdout %q, stderr %q", got.Code, got.Stdout, got.Stderr)
	}
	s.wants(0, "done on default\n", warning, "needy_db")
	s.must("migrate")
	s.wants(0, "done\n", "", "needy")
	s.wants(0, "done on default\n", "", "needy_db", "--database", "default")
	s.wants(1, "", "requires_migrations_checks is True or False, not string", "wrong")
}

func TestRequiresMigrationsChecksWithoutFile(t *testing.T) {
	s := sqliteShop(t, needy)
	file := filepath.Join(t.TempDir(), "missing.sqlite3")
	s.b.URL = "sqlite:///" + file
	s.wants(0, "done\n", "You have 3 unapplied migration(s).", "needy")
	s.wants(0, "shop\n [ ] 0001_initial\n", "", "showmigrations")
	s.wants(1, "", "", "migrate", "--check")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("looking made the file: %v", err)
	}
	s.wants(1, "", "Cannot find a migration", "migrate", "shop", "0009")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a refused migrate made the file: %v", err)
	}
	s.must("migrate")
	s.wants(0, "done\n", "", "needy")
	s.b.URL = "sqlite:///" + filepath.Join(t.TempDir(), "no", "folder.sqlite3")
	s.wants(1, "", "CommandError: the lock of the migrations cannot be taken: ", "migrate")
}
