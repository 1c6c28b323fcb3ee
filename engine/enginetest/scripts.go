package enginetest

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/starmanage/starmanage/engine"
)

// Scripts runs the project's own tests, apps/<app>/tests/test_*.star, and
// reports each as a subtest, so that go test covers them:
//
//	func TestScripts(t *testing.T) {
//		t.Chdir("../..") // the project's folder
//		enginetest.Scripts(t, engine.Config{Modules: builtins.Standard()})
//	}
//
// The modules of cfg must bring the command test. words are more of its
// arguments: labels, "--parallel=4". All tests that they choose have run before
// the first subtest begins: go test's -run chooses what is reported.
func Scripts(t *testing.T, cfg engine.Config, words ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "junit.xml")
	got := Run(t, cfg, append([]string{"test", "--junit", file}, words...)...)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("manage test exits with %d and writes no results:\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	var report scriptReport
	if err := xml.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	for _, suite := range report.Suites {
		t.Run(suite.Name, func(t *testing.T) {
			for _, c := range suite.Cases {
				t.Run(c.Name, c.tell)
			}
		})
	}
}

// scriptReport is what Scripts reads of JUnit's XML.
type scriptReport struct {
	Suites []struct {
		Name  string       `xml:"name,attr"`
		Cases []scriptCase `xml:"testcase"`
	} `xml:"testsuite"`
}

type scriptCase struct {
	Name    string `xml:"name,attr"`
	Failure string `xml:"failure"`
	Error   string `xml:"error"`
	Skipped *struct {
		Message string `xml:"message,attr"`
	} `xml:"skipped"`
}

// tell gives the outcome to a subtest.
func (c scriptCase) tell(t *testing.T) {
	if c.Skipped != nil {
		t.Skip(c.Skipped.Message)
	}
	if text := c.Failure + c.Error; text != "" {
		t.Errorf("\n%s", text)
	}
}
