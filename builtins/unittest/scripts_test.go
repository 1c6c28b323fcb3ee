package unittest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// TestScripts runs suites as a host's tests do, in a process of its own, since
// some of them fail.
func TestScripts(t *testing.T) {
	suite := map[string]func() engine.Config{
		"all":  func() engine.Config { return tests(all) },
		"none": func() engine.Config { return tests("") },
	}
	if name := os.Getenv("UNITTEST_SUITE"); name != "" {
		enginetest.Scripts(t, suite[name](), "--timeout=50ms")
		return
	}
	for name, tt := range map[string]struct {
		parts  []string
		absent string
	}{
		"all": {[]string{
			"--- PASS: TestScripts/ops.test_x/test_passes ", "--- FAIL: TestScripts/ops.test_x/test_fails ", "--- SKIP: TestScripts/ops.test_x/test_skipped ",
			"not on Mondays", "AssertionError: not equal:", "apps/ops/tests/test_x.star:10:9: in test_fails", "--- FAIL: TestScripts/ops.test_x/test_bug ",
			"Error: index 0 out of range", "--- FAIL: TestScripts (",
		}, "panic"},
		"none": {[]string{"manage test exits with 1 and writes no results:", "no tests found", "--- FAIL: TestScripts ("}, "--- PASS"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestScripts$", "-test.v")
		cmd.Env = append(os.Environ(), "UNITTEST_SUITE="+name)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%s: no failure", name)
		}
		for _, part := range tt.parts {
			if !strings.Contains(string(out), part) {
				t.Errorf("%s: the output has no %q:\n%s", name, part, out)
			}
		}
		if strings.Contains(string(out), tt.absent) {
			t.Errorf("%s: the output has %q:\n%s", name, tt.absent, out)
		}
		if n := len(regexp.MustCompile(`(?m)^ +--- \w+: TestScripts/ops.test_x/`).FindAllString(string(out), -1)); name == "all" && n != 9 {
			t.Errorf("%d subtests, want 9", n)
		}
	}
}
