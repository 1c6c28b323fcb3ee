package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/starmanage/starmanage/engine/enginetest"
)

// highWater is the most memory that a process held so far, in units of 1,024
// bytes (proc(5), VmHWM); 0 when it is gone, or still ours.
func highWater(pid int) int {
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil || filepath.Base(exe) != "manage" {
		return 0
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n
}

// BenchmarkResident reports the largest resident size of manage, in units of
// 1,000,000 bytes, in loops over a million rows: by the key, and in an order
// that no index has.
func BenchmarkResident(b *testing.B) {
	dir := b.TempDir()
	manage, users := filepath.Join(dir, "manage"), filepath.Join(dir, "users.db")
	if out, err := exec.Command("go", "build", "-o", manage, "../cmd/manage").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	project := filepath.Join(dir, "project")
	if err := os.CopyFS(project, enginetest.Project(speedProject)); err != nil {
		b.Fatal(err)
	}
	makeUsers(b, users, false)
	for _, command := range []string{"read", "ordered"} {
		b.Run(command, func(b *testing.B) {
			for b.Loop() {
				cmd := exec.Command(manage, "--project", project, command)
				cmd.Env = append(os.Environ(), "DATABASE_URL=sqlite:///"+users)
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				kilobytes := 0
				for running := true; running; {
					// The process's own rusage begins with the size of ours.
					kilobytes = max(kilobytes, highWater(cmd.Process.Pid))
					select {
					case err := <-ended:
						if err != nil {
							b.Fatalf("%v: %s", err, out.String())
						}
						running = false
					case <-time.After(5 * time.Millisecond):
					}
				}
				b.ReportMetric(float64(kilobytes)*1024/1e6, "MB")
			}
		})
	}
}
