package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const modulePath = "github.com/starmanage/starmanage"

// goList runs go list in the module's root; it is skipped where there is no go
// command, as in a test binary that was copied elsewhere.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command on this machine to list packages with")
	}
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

// TestEngineDependencies: whoever imports the engine gets Starlark, pflag,
// isatty and x/sys, and nothing else.
func TestEngineDependencies(t *testing.T) {
	allowed := []string{modulePath + "/engine", modulePath + "/internal", "go.starlark.net", "github.com/spf13/pflag", "github.com/mattn/go-isatty", "golang.org/x/sys"}
	for _, pkg := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./engine/...") {
		if !underAny(pkg, allowed) {
			t.Errorf("engine depends on %s", pkg)
		}
	}
}

func underAny(pkg string, roots []string) bool {
	for _, root := range roots {
		if pkg == root || strings.HasPrefix(pkg, root+"/") {
			return true
		}
	}
	return false
}

// TestArrows: imports point down only, from cmd/manage over builtins to the
// engine and internal helpers.
func TestArrows(t *testing.T) {
	values := []string{"datetime", "decimal"}
	for _, line := range goList(t, "-f", `{{.ImportPath}}|{{join .Imports ","}}`, "./...") {
		pkg, list, _ := strings.Cut(line, "|")
		from := strings.TrimPrefix(pkg, modulePath+"/")
		for _, imported := range strings.Split(list, ",") {
			to, ours := strings.CutPrefix(imported, modulePath+"/")
			switch {
			case !ours && isDriver(imported) && from != "cmd/manage" && !underAny(from, []string{"internal/integration", "bench"}):
				t.Errorf("%s imports the driver %s", from, imported)
			case !ours:
			case underAny(from, []string{"internal/integration", "bench"}):
			case underAny(from, []string{"internal"}) && !underAny(to, []string{"internal"}):
				t.Errorf("%s imports %s: a helper imports no package above it", from, to)
			case underAny(from, []string{"engine"}) && !underAny(to, []string{"engine", "internal"}):
				t.Errorf("%s imports %s: the engine imports nothing above it", from, to)
			case underAny(from, []string{"engine/argparse", "engine/style"}):
				t.Errorf("%s imports %s: it stands alone", from, to)
			case strings.HasPrefix(from, "builtins/") && strings.HasPrefix(to, "builtins/"):
				family := strings.Split(from, "/")[1]
				other := strings.Split(to, "/")[1]
				if family != other && !underAny(other, values) && !dbConsumer(from, to) {
					t.Errorf("%s imports %s: siblings do not", from, to)
				}
			case strings.HasPrefix(to, "cmd/"):
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
}

// dbConsumer reports whether a family may use the exported API of db and of the
// layer below it.
func dbConsumer(from, to string) bool {
	return underAny(to, []string{"builtins/db"}) && underAny(from, []string{"builtins/unittest", "builtins/runs"})
}

func isDriver(pkg string) bool {
	return underAny(pkg, []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql"})
}

// TestEmbedderModule: a program that imports the engine has a go.mod of ten
// lines at most.
func TestEmbedderModule(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command on this machine to tidy a module with")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", "package main\n\nimport \""+modulePath+"/engine\"\n\nfunc main() { engine.New(engine.Config{}) }\n")
	write("go.mod", "module example.com/host\n\ngo 1.26\n\nrequire "+modulePath+" v0.0.0\n\nreplace "+modulePath+" => "+root+"\n")
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sum))
	cmd := exec.Command("go", "mod", "tidy")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the modules that go mod tidy asks for are not in the cache and cannot be fetched: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(text)) {
		// The replace line stands for a released version.
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "replace ") {
			lines++
		}
	}
	if lines > 10 {
		t.Errorf("an embedder's go.mod has %d lines, want 10 at most:\n%s", lines, text)
	}
	t.Logf("an embedder's go.mod:\n%s", text)
}
