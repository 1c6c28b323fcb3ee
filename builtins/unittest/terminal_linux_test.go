package unittest_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// terminal returns both ends of a pseudo-terminal.
func terminal(t *testing.T) (here, there *os.File) {
	t.Helper()
	here, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this machine gives out no terminals: %v", err)
	}
	t.Cleanup(func() { here.Close() })
	conn, err := here.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number, unlock int32
	var failed syscall.Errno
	err = conn.Control(func(fd uintptr) {
		if _, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCSPTLCK, uintptr(unsafe.Pointer(&unlock))); failed == 0 {
			_, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGPTN, uintptr(unsafe.Pointer(&number)))
		}
	})
	if err != nil || failed != 0 {
		t.Fatal(err, failed)
	}
	if there, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	return here, there
}

// On a terminal each dot is seen, in colour, while the next test runs.
func TestTerminal(t *testing.T) {
	here, there := terminal(t)
	cfg := tests("def test_a(t):\n    pass\n\ndef test_b(t):\n    call_command('look')\n    t.false(stdout.isatty())\n")
	cfg.Stdout = there
	seen := ""
	read := func() string {
		buf := make([]byte, 4096)
		if err := here.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Error(err)
		}
		n, err := here.Read(buf)
		if err != nil {
			t.Error(err)
		}
		return string(buf[:n])
	}
	cfg.Apps = []engine.App{{Label: "host", Commands: []engine.Command{{Name: "look", Handle: func(context.Context, *engine.Invocation) (any, error) {
		seen = read()
		return nil, nil
	}}}}}
	if got := enginetest.Run(t, cfg, "test"); got.Code != 0 {
		t.Errorf("got %+v", got)
	}
	if dot := "\x1b[32;1m.\x1b[0m"; seen != dot {
		t.Errorf("while test_b runs the terminal shows %q, want %q", seen, dot)
	}
	rest := ""
	for !strings.Contains(rest, "OK") && !t.Failed() {
		rest += read()
	}
	if !strings.Contains(rest, "\x1b[32;1mOK\x1b[0m") {
		t.Errorf("the end is %q", rest)
	}
}
