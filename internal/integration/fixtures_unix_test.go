//go:build unix

package integration

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFixturesPipe: what is no file is written to, not replaced by one.
func TestFixturesPipe(t *testing.T) {
	s := newStock(t, sqliteBackend(t))
	s.must("loaddata", "codes")
	pipe := filepath.Join(s.dir, "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	piped := make(chan string)
	go func() {
		data, err := os.ReadFile(pipe)
		if err != nil {
			data = []byte(err.Error())
		}
		piped <- string(data)
	}()
	s.must("dumpdata", "code", "-o", "pipe.json")
	if got, want := <-piped, s.must("dumpdata", "code"); got != want {
		t.Errorf("through a pipe came %q, want %q", got, want)
	}
}
