package engine

import (
	"context"
	"errors"
	"io"
	"testing"
)

func TestInputKeepsWhatArrivesLate(t *testing.T) {
	r, w := io.Pipe()
	in := newInput(r)
	ctx, cancel := context.WithCancelCause(context.Background())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := in.ReadLine(ctx); err != gone {
		t.Fatalf("a read whose context has ended: %v", err)
	}
	waiting, stop := context.WithCancelCause(context.Background())
	go func() { stop(gone) }()
	if _, err := in.ReadLine(waiting); err != gone {
		t.Fatalf("a read that was stopped: %v", err)
	}
	go func() {
		_, _ = io.WriteString(w, "one\r\ntwo\nthree")
		_ = w.Close()
	}()
	for _, want := range []string{"one"} {
		if line, err := in.ReadLine(context.Background()); line != want || err != nil {
			t.Errorf("line %q, %v, want %q", line, err, want)
		}
	}
	if text, err := in.ReadAll(context.Background()); text != "two\nthree" || err != nil {
		t.Errorf("the rest %q, %v", text, err)
	}
	if line, err := in.ReadLine(context.Background()); line != "" || err != io.EOF {
		t.Errorf("after the end %q, %v", line, err)
	}
}

// TestInputLateLineForReadAll: a line that a stopped run left pending is part of
// what the next reader of everything gets.
func TestInputLateLineForReadAll(t *testing.T) {
	r, w := io.Pipe()
	in := newInput(r)
	waiting, stop := context.WithCancelCause(context.Background())
	go func() { stop(io.ErrClosedPipe) }()
	if _, err := in.ReadLine(waiting); err == nil {
		t.Fatal("nothing was written, and a line came")
	}
	go func() {
		_, _ = io.WriteString(w, "one\ntwo\n")
		_ = w.Close()
	}()
	if text, err := in.ReadAll(context.Background()); text != "one\ntwo\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}
