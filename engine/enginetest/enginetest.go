// Package enginetest runs commands of a small project and hands back what a
// shell would see: for the engine's own tests, and for programs that embed it.
//
//	cfg := engine.Config{Modules: builtins.Standard(), FS: enginetest.Project(`
//	-- apps/ops/management/commands/hello.star --
//	def handle():
//	    stdout.write("hello")
//	`)}
//	got := enginetest.Run(t, cfg, "hello")
//	// got.Code == 0, got.Stdout == "hello\n", got.Stderr == ""
package enginetest

import (
	"bytes"
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/starmanage/starmanage/engine"
)

// Result is how a command ended.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Project returns the files of a txtar archive: "-- path --" on a line of its
// own starts a file; text before the first is a comment.
func Project(archive string) fs.FS {
	files := make(fstest.MapFS)
	var name string
	var body strings.Builder
	keep := func() {
		if name != "" {
			files[name] = &fstest.MapFile{Data: []byte(body.String()), Mode: 0o644}
		}
		body.Reset()
	}
	for line := range strings.Lines(archive) {
		if marker, ok := fileMarker(line); ok {
			keep()
			name = marker
			continue
		}
		body.WriteString(line)
	}
	keep()
	return files
}

func fileMarker(line string) (name string, ok bool) {
	text := strings.TrimRight(line, "\r\n")
	text, ok1 := strings.CutPrefix(text, "-- ")
	text, ok2 := strings.CutSuffix(text, " --")
	return strings.TrimSpace(text), ok1 && ok2
}

// Run runs one command line ("cleanup_tokens", "--days", "7") on a new Engine
// and closes it. The streams of cfg that are nil are captured.
func Run(t testing.TB, cfg engine.Config, words ...string) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if cfg.Stdout == nil {
		cfg.Stdout = &stdout
	}
	if cfg.Stderr == nil {
		cfg.Stderr = &stderr
	}
	eng := engine.New(cfg)
	code := eng.Run(context.Background(), append([]string{"manage"}, words...))
	if err := eng.Close(); err != nil {
		t.Errorf("closing the engine: %v", err)
	}
	return Result{Code: code, Stdout: stdout.String(), Stderr: stderr.String()}
}
