package engine

import (
	"bufio"
	"context"
	"io"
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
// io.EOF; when ctx ends first, its cause. A line that arrives later goes to
// the next reader.
func (in *Input) ReadLine(ctx context.Context) (string, error) {
	return in.read(ctx, func() (string, error) {
		line, err := in.buf.ReadString('\n')
		if err == io.EOF && line != "" {
			err = nil
		}
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
			if n > 1 && line[n-2] == '\r' {
				line = line[:n-2]
			}
		}
		return line, err
	})
}

// ReadAll returns what is left of the input. When ctx ends first it returns
// its cause.
func (in *Input) ReadAll(ctx context.Context) (string, error) {
	return in.read(ctx, func() (string, error) {
		data, err := io.ReadAll(in.buf)
		return string(data), err
	})
}

// read runs f on a goroutine, since a read of a terminal cannot be called
// back. The goroutine ends with the read; its result is kept for the next
// reader when nobody waits any more.
func (in *Input) read(ctx context.Context, f func() (string, error)) (string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	results := in.pending
	if results == nil {
		results = make(chan readResult, 1)
		go func() {
			text, err := f()
			results <- readResult{text, err}
		}()
	}
	select {
	case r := <-results:
		in.pending = nil
		return r.text, r.err
	case <-ctx.Done():
		in.pending = results
		return "", context.Cause(ctx)
	}
}
