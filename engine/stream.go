package engine

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/starmanage/starmanage/engine/style"
	"github.com/starmanage/starmanage/internal/terminal"
)

// Stream is an output of an Invocation: bytes go to the writer behind it, and
// it says whether they are coloured. Many goroutines may write to it.
type Stream struct {
	sink    *sink
	palette style.Style
	color   bool
	strip   *strings.Replacer // set when text coloured for the other stream may arrive
}

// StreamValue is a script's value that stands for a stream of the command that
// runs: stdout and stderr.
type StreamValue interface {
	Stream(inv *Invocation) *Stream
}

// Write writes p. A reader that went away is no error: what is written to a
// broken pipe is dropped, so that a run finishes.
func (s *Stream) Write(p []byte) (int, error) {
	if s.strip != nil && bytes.IndexByte(p, '\x1b') >= 0 {
		if err := s.sink.write([]byte(s.strip.Replace(string(p)))); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	if err := s.sink.write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Style returns what colours text for this stream: nothing when colour is off.
func (s *Stream) Style() style.Style {
	if !s.color {
		return style.None
	}
	return s.palette
}

// Terminal reports whether the stream is a terminal.
func (s *Stream) Terminal() bool { return s.sink.terminal }

// Width returns the columns of the terminal; 80 when there is none.
func (s *Stream) Width() int {
	if n, ok := terminal.Width(s.sink.w); ok {
		return n
	}
	return 80
}

// Flush writes out what is buffered.
func (s *Stream) Flush() error { return s.sink.flush() }

// bufferSize and flushAfter: results are written in large pieces, yet a log
// that is followed shows progress.
const (
	bufferSize = 64 << 10
	flushAfter = 100 * time.Millisecond
)

// sink is the one writer behind a program's stdout or stderr: it buffers,
// keeps the order between the two, and survives a reader that goes away.
type sink struct {
	w        io.Writer
	terminal bool
	before   *sink // flushed before each write to this one: stdout's, for stderr
	buffered bool

	mu      sync.Mutex
	buf     []byte
	timer   *time.Timer
	pending bool // the timer runs
	broken  bool // the reader went away
	err     error
}

// newSinks returns the sinks of a pair of writers. They may be one and the
// same writer: their order holds.
func newSinks(stdout, stderr io.Writer) (out, err *sink) {
	out = &sink{w: stdout, terminal: terminal.Is(stdout), buffered: true}
	err = &sink{w: stderr, terminal: terminal.Is(stderr), before: out}
	return out, err
}

func (s *sink) write(p []byte) error {
	if s.before != nil {
		_ = s.before.flush() // its error is reported by its own writer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if !s.buffered {
		return s.out(p)
	}
	s.buf = append(s.buf, p...)
	if len(s.buf) >= bufferSize || s.terminal && bytes.IndexByte(p, '\n') >= 0 {
		return s.drain()
	}
	if !s.pending {
		s.pending = true
		if s.timer == nil {
			s.timer = time.AfterFunc(flushAfter, s.tick)
		} else {
			s.timer.Reset(flushAfter)
		}
	}
	return nil
}

func (s *sink) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = false
	_ = s.drain() // kept in s.err, for the next write and for flush
}

func (s *sink) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending {
		s.timer.Stop()
		s.pending = false
	}
	if err := s.drain(); err != nil {
		return err
	}
	return s.err
}

func (s *sink) drain() error {
	if len(s.buf) == 0 {
		return nil
	}
	err := s.out(s.buf)
	s.buf = s.buf[:0]
	if cap(s.buf) > 4*bufferSize {
		s.buf = nil
	}
	return err
}

func (s *sink) out(p []byte) error {
	if s.broken || s.err != nil {
		return s.err
	}
	err := safely(func() error { // also on a timer, where a panic would end the host
		_, err := s.w.Write(p)
		return err
	})
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		s.broken = true
		return nil
	}
	if s.buffered { // what was said to be written was not: the run's end must tell
		s.err = err
	}
	return err
}

// colors is what decides the colour of an Invocation's streams.
type colors struct {
	palette style.Style
	choice  style.Choice
	getenv  func(string) string
}

// streams returns the pair of Streams over two sinks.
func (c colors) streams(out, err *sink) (*Stream, *Stream) {
	stdout, stderr := c.stream(out), c.stream(err)
	if stdout.color != stderr.color {
		strip := c.stripper()
		if stdout.color {
			stderr.strip = strip
		} else {
			stdout.strip = strip
		}
	}
	return stdout, stderr
}

func (c colors) stream(s *sink) *Stream {
	on := style.Enabled(c.choice, c.getenv, func() bool { return s.terminal })
	return &Stream{sink: s, palette: c.palette, color: on}
}

// stripper removes the codes that the palette writes, and no others: what a
// script wrote itself stays.
func (c colors) stripper() *strings.Replacer {
	var pairs []string
	for _, role := range style.Roles() {
		if opening, closing, ok := strings.Cut(c.palette.Apply(role, "\x00"), "\x00"); ok && opening != "" {
			pairs = append(pairs, opening, "", closing, "")
		}
	}
	return strings.NewReplacer(pairs...)
}
