package engine

import (
	"bufio"
	"context"
	"io"
	"strings"
	"sync"

	"github.com/starmanage/starmanage/internal/terminal"
)

// Input is the input of an Invocation: a reader that gives up when the run is
// told to stop. One goroutine may read at a time.
type Input struct {
	src      io.Reader
	terminal bool

	mu      sync.Mutex
	buf     *bufio.Reader
	pending chan readResult // a read that a stopped run left behind
}

type readResult struct {
	text string
	err  error
}

func newInput(src io.Reader) *Input {
	return &Input{src: src, terminal: terminal.Is(src), buf: bufio.NewReader(src)}
}

// Terminal reports whether somebody sits at the input.
func (in *Input) Terminal() bool { return in.terminal }

// ReadLine returns the next line without its line break. At the end it returns
// io.EOF; when ctx ends first, its cause, and what arrives later goes to the
// next reader.
func (in *Input) ReadLine(ctx context.Context) (string, error) {
	line, err := in.read(ctx, func() (string, error) { return in.buf.ReadString('\n') })
	if err == io.EOF && line != "" {
		err = nil
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), err
}

// ReadAll returns what is left of the input. When ctx ends first it returns
// its cause, and what arrives later goes to the next reader.
func (in *Input) ReadAll(ctx context.Context) (string, error) {
	return in.read(ctx, func() (string, error) {
		data, err := io.ReadAll(in.buf)
		return string(data), err
	})
}

// read runs f on a goroutine, since a read of a terminal cannot be called
// back. The goroutine ends with the read; when nobody waits for it any more,
// what it got is put back for the next reader.
func (in *Input) read(ctx context.Context, f func() (string, error)) (string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.pending != nil {
		left, err := in.wait(ctx)
		if in.pending != nil {
			return "", err
		}
		in.buf = bufio.NewReader(io.MultiReader(strings.NewReader(left), in.buf))
		if err != nil && err != io.EOF {
			return "", err
		}
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	results := make(chan readResult, 1)
	in.pending = results
	go func() {
		text, err := f()
		results <- readResult{text, err}
	}()
	return in.wait(ctx)
}

// wait returns the pending read's result; it stays pending when ctx ends first.
func (in *Input) wait(ctx context.Context) (string, error) {
	select {
	case r := <-in.pending:
		in.pending = nil
		return r.text, r.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
