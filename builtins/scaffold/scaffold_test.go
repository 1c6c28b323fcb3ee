package scaffold_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/builtins"
	"github.com/starmanage/starmanage/builtins/scaffold"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// program is a program with the standard modules and these commands.
func program() engine.Config {
	modules := builtins.Standard()
	if !slices.ContainsFunc(modules, func(m engine.Module) bool { return m.Name() == "scaffold" }) {
		modules = append(modules, scaffold.New())
	}
	return engine.Config{Modules: modules}
}

// manage runs a command line that must succeed without a warning.
func manage(t *testing.T, words ...string) string {
	t.Helper()
	got := enginetest.Run(t, program(), words...)
	if got.Code != 0 || got.Stderr != "" {
		t.Fatalf("manage %s: code %d\n%s%s", strings.Join(words, " "), got.Code, got.Stdout, got.Stderr)
	}
	return got.Stdout
}

// refused runs a command line that must fail with a text and leave every file
// as it was.
func refused(t *testing.T, want string, words ...string) {
	t.Helper()
	before := tree(t, ".")
	got := enginetest.Run(t, program(), words...)
	if got.Code != 1 || got.Stdout != "" || !strings.Contains(got.Stderr, want) {
		t.Errorf("manage %s: code %d, want 1 and %q\n%s%s", strings.Join(words, " "), got.Code, want, got.Stdout, got.Stderr)
	}
	if strings.Contains(got.Stderr, "Traceback") {
		t.Errorf("manage %s: a traceback\n%s", strings.Join(words, " "), got.Stderr)
	}
	if after := tree(t, "."); !slices.Equal(before, after) {
		t.Errorf("manage %s changed\n%q\nto\n%q", strings.Join(words, " "), before, after)
	}
}

// tree lists what is below a folder, files with what they hold.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		entry := filepath.ToSlash(name)
		if d.Type().IsRegular() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			entry += ": " + string(data)
		}
		all = append(all, entry)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func names(t *testing.T, dir string) []string {
	var all []string
	for _, entry := range tree(t, dir) {
		name, _, isFile := strings.Cut(entry, ": ")
		if isFile {
			all = append(all, name)
		}
	}
	return all
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// TestFromNothing follows a newcomer: each step works at once.
func TestFromNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	contains(t, manage(t, "startproject", "shop"), "Created the project shop in shop.", "cd shop", "manage startapp APP")
	want := []string{"shop/.gitignore", "shop/README.md", "shop/apps/.gitkeep", "shop/lib/.gitkeep", "shop/settings.star"}
	if got := names(t, "shop"); !slices.Equal(got, want) {
		t.Errorf("startproject wrote %q, want %q", got, want)
	}
	t.Chdir("shop")
	contains(t, read(t, "README.md"), "# shop\n")
	contains(t, read(t, "settings.star"), `env("DATABASE_URL", "sqlite:///db.sqlite3")`, `TIME_ZONE = "UTC"`, "Settings of shop")
	contains(t, manage(t, "check"), "no issues")

	contains(t, manage(t, "startapp", "orders"), "Created the app orders in apps/orders.", `Added "orders" to INSTALLED_APPS in settings.star.`, "manage startcommand orders COMMAND")
	contains(t, read(t, "settings.star"), "INSTALLED_APPS = [\"orders\"]\n")
	contains(t, manage(t, "check"), "no issues")

	t.Chdir("lib") // from within the project
	contains(t, manage(t, "startcommand", "orders", "send_report"),
		"apps/orders/management/commands/send_report.star", "apps/orders/tests/test_send_report.star", "manage test orders.test_send_report")
	t.Chdir("..")
	contains(t, manage(t, "check"), "no issues")
	contains(t, manage(t, "help"), "[orders]\n  send_report", "Greet people by their names.")
	contains(t, manage(t, "send_report", "--help"), "usage: manage send_report", "Whom to greet", "The word to greet with (default: Hello)")
	if got := manage(t, "send_report", "--times", "2", "Ada"); got != "Hello, Ada!\nHello, Ada!\nGreeted 1\n" {
		t.Errorf("send_report wrote %q", got)
	}
	refused(t, "CommandError: --times must be 1 or more, not 0.", "send_report", "--times", "0")
	tests := enginetest.Run(t, program(), "test")
	if tests.Code != 0 || !strings.Contains(tests.Stdout+tests.Stderr, "4 tests") {
		t.Errorf("manage test: code %d\n%s%s", tests.Code, tests.Stdout, tests.Stderr)
	}

	manage(t, "startapp", "accounts")
	manage(t, "startcommand", "accounts", "send_invitations")
	contains(t, read(t, "settings.star"), `INSTALLED_APPS = ["orders", "accounts"]`)
	contains(t, manage(t, "check"), "no issues")
	if tests := enginetest.Run(t, program(), "test"); tests.Code != 0 || !strings.Contains(tests.Stdout+tests.Stderr, "8 tests") {
		t.Errorf("manage test: code %d\n%s%s", tests.Code, tests.Stdout, tests.Stderr)
	}
	for _, name := range names(t, ".") {
		if text := read(t, name); strings.Contains(name+text, "example_") {
			t.Errorf("%s still speaks of an example:\n%s", name, text)
		}
	}
}

// TestSettingsComments: the settings that the comments show work when the marks
// are taken away.
func TestSettingsComments(t *testing.T) {
	t.Chdir(t.TempDir())
	manage(t, "startproject", "shop", ".")
	var lines []string
	uncommented, inside := 0, false
	for line := range strings.Lines(read(t, "settings.star")) {
		rest, isComment := strings.CutPrefix(line, "# ")
		name, _, assigns := strings.Cut(rest, " = ")
		if isComment && assigns && name == strings.ToUpper(name) && !strings.Contains(name, " ") {
			uncommented++
			inside = true
		}
		if isComment && inside {
			line = rest
		} else {
			inside = false
		}
		lines = append(lines, line)
	}
	if uncommented < 2 {
		t.Fatalf("%d settings in comments, want PERMISSIONS and LIMITS at least", uncommented)
	}
	write(t, "settings.star", strings.Join(lines, ""))
	contains(t, manage(t, "check"), "no issues")
	contains(t, read(t, "settings.star"), "\nPERMISSIONS = dict(\n    http", "\nLIMITS = dict(")
}

func TestStartprojectFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	// A new folder and those above it, an empty one, one with a repository alone.
	manage(t, "startproject", "shop", "a/b/c")
	contains(t, read(t, "a/b/c/settings.star"), "shop")
	for _, dir := range []string{"empty", "cloned/.git"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	manage(t, "startproject", "shop", "empty/")
	manage(t, "startproject", "shop", filepath.Join(t.TempDir(), "absolute"))
	t.Chdir("cloned")
	if got := manage(t, "startproject", "shop", "."); strings.Contains(got, "cd ") {
		t.Errorf("where somebody stands already is no cd needed:\n%s", got)
	}
	t.Chdir("..")

	write(t, "full/notes.txt", "mine")
	write(t, "file", "mine")
	if err := os.Mkdir("there", 0o755); err != nil {
		t.Fatal(err)
	}
	refused(t, "CommandError: 'full' already exists", "startproject", "full")
	refused(t, "CommandError: 'there' already exists", "startproject", "there")
	refused(t, "CommandError: 'file' already exists", "startproject", "file")
	refused(t, "'full' is not empty: it has 'notes.txt'", "startproject", "shop", "full")
	refused(t, "'file' is not a folder", "startproject", "shop", "file")
	refused(t, "'file/below': not a directory", "startproject", "shop", "file/below")
	refused(t, "the folder to write to has no name", "startproject", "shop", "")
	if runtime.GOOS != "windows" { // where links need a privilege
		if err := os.Symlink("nowhere", "link"); err != nil {
			t.Fatal(err)
		}
		refused(t, "'link' already exists", "startproject", "shop", "link")
		refused(t, "'link' already exists", "startproject", "link")
	}
}

func TestNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, hint := range map[string]string{
		"my-shop": "Did you mean my_shop?", "2shop": "valid identifier", "": "''", "a/b": "'a/b'", "..": "'..'", "/shop": "'/shop'",
		"sh op": "Did you mean sh_op?", "shop\n": `'shop\n'`, "sh\x00op": "valid identifier", "shop\xff": "valid identifier",
	} {
		refused(t, "is not a valid project name. Please make sure the name is a valid identifier.", "startproject", name)
		refused(t, hint, "startproject", name)
	}
	manage(t, "startproject", "shop", ".")
	manage(t, "startapp", "orders")
	manage(t, "startcommand", "orders", "send_report")
	for _, name := range []string{"my-app", "../evil", "apps/x", ".", "a.b", "_private", "x:y"} {
		refused(t, "is not a valid app name", "startapp", name)
		refused(t, "is not a valid command name", "startcommand", "orders", name)
	}
	refused(t, "Did you mean send_report?", "startcommand", "orders", "send_report.star")

	// Taken names: by the program, by an app, by a folder.
	refused(t, "'manage' conflicts with the name of an existing app and cannot be used as an app name. Please try another name.", "startapp", "manage")
	refused(t, "'orders' conflicts with the name of an existing app", "startapp", "orders")
	refused(t, "'Orders' conflicts with the name of an existing app", "startapp", "Orders")
	write(t, "apps/drafts/notes.txt", "mine")
	refused(t, "'apps/drafts' already exists, and is not empty: it has 'notes.txt'", "startapp", "drafts")
	write(t, "apps/file", "mine")
	refused(t, "'apps/file' already exists", "startapp", "file")
	if err := os.Mkdir("apps/hollow", 0o755); err != nil { // an empty folder is nobody's
		t.Fatal(err)
	}
	contains(t, manage(t, "startapp", "hollow"), `Added "hollow" to INSTALLED_APPS`)

	refused(t, "'check' conflicts with the name of a built-in command and cannot be used as a command name. Please try another name.", "startcommand", "orders", "check")
	refused(t, "conflicts with the name of a built-in command", "startcommand", "orders", "startapp")
	refused(t, "'apps/orders/management/commands/send_report.star' already exists", "startcommand", "orders", "send_report")
	manage(t, "startapp", "accounts")
	refused(t, "'send_report' conflicts with the name of the command send_report of app 'orders'", "startcommand", "accounts", "send_report")
	write(t, "apps/accounts/tests/test_invite.star", "# mine\n")
	refused(t, "'apps/accounts/tests/test_invite.star' already exists", "startcommand", "accounts", "invite")

	// Apps that do not get commands.
	refused(t, "No installed app with label 'order'.", "startcommand", "order", "x")
	refused(t, "Did you mean orders?", "startcommand", "order", "x")
	refused(t, "Make it first: manage startapp billing", "startcommand", "billing", "x")
	refused(t, `Add "drafts" to INSTALLED_APPS in settings.star.`, "startcommand", "drafts", "x")
	refused(t, "No installed app with label '../shop'.", "startcommand", "../shop", "x")
	refused(t, "App 'manage' is part of the program", "startcommand", "manage", "x")
}

func TestMissingArguments(t *testing.T) {
	t.Chdir(t.TempDir())
	for words, want := range map[string]string{
		"startproject": "You must provide a project name.", "startapp": "You must provide an application name.",
		"startcommand": "You must provide an app and a command name.", "startcommand orders": "the following arguments are required: name",
	} {
		got := enginetest.Run(t, program(), strings.Fields(words)...)
		if got.Code == 0 || got.Stdout != "" || !strings.Contains(got.Stderr, want) {
			t.Errorf("manage %s: code %d\n%s%s", words, got.Code, got.Stdout, got.Stderr)
		}
	}
}

func TestWithoutProjectOnDisk(t *testing.T) {
	t.Chdir(t.TempDir())
	refused(t, "startapp needs a project on disk, and there is none here", "startapp", "orders")
	refused(t, "startcommand needs a project on disk, and there is none here", "startcommand", "orders", "x")
	cfg := program()
	cfg.FS = enginetest.Project("-- apps/orders/management/commands/x.star --\ndef handle():\n    pass\n")
	for _, words := range [][]string{{"startapp", "accounts"}, {"startcommand", "orders", "y"}} {
		got := enginetest.Run(t, cfg, words...)
		if got.Code != 1 || !strings.Contains(got.Stderr, "a program that brings its own project") {
			t.Errorf("manage %q: code %d\n%s", words, got.Code, got.Stderr)
		}
	}
	// A project is made wherever the process stands.
	got := enginetest.Run(t, cfg, "startproject", "shop")
	if got.Code != 0 {
		t.Errorf("startproject: %s", got.Stderr)
	}
	contains(t, read(t, "shop/settings.star"), "shop")
}

func TestBrokenSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "settings.star", "INSTALLED_APPS = [nope]\n")
	write(t, "apps/orders/management/commands/x.star", "def handle():\n    pass\n")
	refused(t, "undefined: nope", "startapp", "accounts")
	refused(t, "undefined: nope", "startcommand", "orders", "y")
}

// TestSomethingInTheWay: what cannot be written whole leaves nothing behind.
func TestSomethingInTheWay(t *testing.T) {
	t.Chdir(t.TempDir())
	manage(t, "startproject", "shop", ".")
	manage(t, "startapp", "orders")
	if err := os.RemoveAll("apps/orders/tests"); err != nil {
		t.Fatal(err)
	}
	write(t, "apps/orders/tests", "a file where the folder should be")
	refused(t, "'apps/orders/tests/test_x.star' cannot be written: not a directory", "startcommand", "orders", "x")

	if runtime.GOOS == "windows" {
		return // links need a privilege
	}
	outside := t.TempDir()
	if err := os.Remove("apps/orders/tests"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, "apps/orders/tests"); err != nil {
		t.Fatal(err)
	}
	refused(t, "a symbolic link leads out of", "startcommand", "orders", "x")
	if len(names(t, outside)) != 0 {
		t.Errorf("something was written outside of the project: %q", tree(t, outside))
	}
}

func TestPermissions(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is forbidden to root")
	}
	t.Chdir(t.TempDir())
	manage(t, "startproject", "shop", ".")
	manage(t, "startapp", "orders")
	for dir, words := range map[string][]string{
		"apps": {"startapp", "accounts"}, "apps/orders/tests": {"startcommand", "orders", "x"}, ".": {"startproject", "shop", "new"},
	} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		refused(t, "permission denied", words...)
		refused(t, "You may not write to ", words...)
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadOnlyFolder: a folder in which nobody makes anything, root neither.
func TestReadOnlyFolder(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is Linux's")
	}
	t.Chdir(t.TempDir())
	refused(t, "'nowhere' cannot be written: ", "startproject", "shop", "/proc/nowhere")
}

func TestStopped(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&engine.Interrupt{Name: "SIGINT", Code: 130})
	eng := engine.New(program())
	defer eng.Close()
	if code := eng.Run(ctx, []string{"manage", "startproject", "shop"}); code != 130 {
		t.Errorf("code %d, want 130", code)
	}
	if got := tree(t, "."); len(got) != 1 {
		t.Errorf("a run that was stopped left %q", got)
	}
}

func TestQuietAndJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	if got := manage(t, "startproject", "shop", ".", "-v0"); got != "" {
		t.Errorf("-v 0 wrote %q", got)
	}
	contains(t, manage(t, "startapp", "orders", "--json"), `"installed":true`, `"apps/orders/management/commands/.gitkeep"`)
	eng := engine.New(program())
	defer eng.Close()
	v, err := eng.Call(context.Background(), "startcommand", engine.Args{Positional: []any{"orders", "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if paths := v.(map[string]any)["created"].([]any); len(paths) != 2 || paths[1] != "apps/orders/tests/test_x.star" {
		t.Errorf("created %v", paths)
	}
	_, err = eng.Call(context.Background(), "startcommand", engine.Args{Positional: []any{"orders", "x"}})
	if e, ok := errors.AsType[*engine.CommandError](err); !ok || !strings.Contains(e.Message, "already exists") {
		t.Errorf("the second time: %v", err)
	}
}

// TestInstalledByHand: where an edit is not certain, settings.star stays as it
// is, and the command says what to do.
func TestInstalledByHand(t *testing.T) {
	for name, tt := range map[string]struct{ settings, note string }{
		"a sum":            {"BASE = [\"a\"]\nINSTALLED_APPS = BASE + []\n", `Add "orders" to INSTALLED_APPS in settings.star`},
		"assigned twice":   {"INSTALLED_APPS = [\"a\"]\nINSTALLED_APPS = [\"a\"]\n", `Add "orders"`},
		"added to":         {"INSTALLED_APPS = []\nINSTALLED_APPS += [\"a\"]\n", `Add "orders"`},
		"a tuple":          {"INSTALLED_APPS = (\"a\",)\n", `Add "orders"`},
		"in an if":         {"if True:\n    INSTALLED_APPS = [\"a\"]\n", `Add "orders"`},
		"read again":       {"INSTALLED_APPS = [\"a\"]\nOTHER = INSTALLED_APPS\n", `Add "orders"`},
		"an item computed": {"INSTALLED_APPS = [\"a\", env(\"NO_SUCH\", \"a\")[:0] or \"b\"]\n", `Add "orders"`},
		"a comment inside": {"INSTALLED_APPS = [\n    # none yet\n]\n", `Add "orders"`},
		"carriage returns": {"INSTALLED_APPS = [\"a\"]\r\n", `Add "orders"`},
		"not there":        {"TIME_ZONE = \"UTC\"\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "settings.star", tt.settings)
			for _, app := range []string{"a", "b"} {
				write(t, "apps/"+app+"/.gitkeep", "")
			}
			got := enginetest.Run(t, program(), "startapp", "orders")
			if got.Code != 0 || !strings.Contains(got.Stdout, "Created the app orders") {
				t.Fatalf("code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
			if read(t, "settings.star") != tt.settings {
				t.Errorf("settings.star was changed to\n%s", read(t, "settings.star"))
			}
			if tt.note == "" && got.Stderr != "" || !strings.Contains(got.Stderr, tt.note) {
				t.Errorf("stderr is %q, want %q", got.Stderr, tt.note)
			}
		})
	}

	t.Run("another settings file", func(t *testing.T) {
		t.Chdir(t.TempDir())
		write(t, "settings.star", "INSTALLED_APPS = []\n")
		write(t, "prod.star", "INSTALLED_APPS = []\n")
		got := enginetest.Run(t, program(), "startapp", "orders", "--settings", "prod.star")
		if got.Code != 0 || !strings.Contains(got.Stderr, `Add "orders" to INSTALLED_APPS in prod.star`) {
			t.Errorf("code %d: %s", got.Code, got.Stderr)
		}
		if read(t, "settings.star") != "INSTALLED_APPS = []\n" {
			t.Errorf("settings.star was changed")
		}
	})

	t.Run("laid over by the program", func(t *testing.T) {
		t.Chdir(t.TempDir())
		write(t, "settings.star", "INSTALLED_APPS = []\n")
		write(t, "apps/a/.gitkeep", "")
		cfg := program()
		cfg.Settings = map[string]any{"INSTALLED_APPS": []any{"a"}}
		got := enginetest.Run(t, cfg, "startapp", "orders")
		if got.Code != 0 || !strings.Contains(got.Stderr, `Add "orders"`) || read(t, "settings.star") != "INSTALLED_APPS = []\n" {
			t.Errorf("code %d: %s", got.Code, got.Stderr)
		}
	})

	t.Run("a link", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("links need a privilege there")
		}
		t.Chdir(t.TempDir())
		write(t, "real.star", "INSTALLED_APPS = []\n")
		if err := os.Symlink("real.star", "settings.star"); err != nil {
			t.Fatal(err)
		}
		got := enginetest.Run(t, program(), "startapp", "orders")
		if got.Code != 0 || !strings.Contains(got.Stderr, `Add "orders"`) || read(t, "real.star") != "INSTALLED_APPS = []\n" {
			t.Errorf("code %d: %s", got.Code, got.Stderr)
		}
	})
}

// TestSettingsMode: the edited file keeps its mode, and nothing stands beside it.
func TestSettingsMode(t *testing.T) {
	t.Chdir(t.TempDir())
	manage(t, "startproject", "shop", ".")
	if err := os.Chmod("settings.star", 0o640); err != nil {
		t.Fatal(err)
	}
	manage(t, "startapp", "orders")
	info, err := os.Stat("settings.star")
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, want 0640", info.Mode())
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 5 {
		t.Errorf("left beside settings.star: %v", entries)
	}
}
