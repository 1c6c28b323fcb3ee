package output

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/style"
)

// A bar is drawn at most every redrawAfter; a log gets a line every lineAfter,
// or with each tenth of the total, whichever comes first.
const (
	redrawAfter = 100 * time.Millisecond
	lineAfter   = 10 * time.Second
)

// totaler is an iterable that tells how many items to expect, without being
// walked; -1 when it does not know.
type totaler interface {
	Total(ctx context.Context) (int64, error)
}

// newProgress is progress(iterable, total=None, label=""): it gives the items
// of iterable and shows on stderr how far the loop is: a bar on a terminal,
// lines elsewhere, nothing at verbosity 0.
func newProgress(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var items starlark.Iterable
	var total starlark.Value = starlark.None
	var label string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "iterable", &items, "total?", &total, "label?", &label); err != nil {
		return nil, err
	}
	p := &progress{inv: inv, thread: thread, items: items, label: style.Strip(clean(label))}
	switch n := total.(type) {
	case starlark.NoneType:
		if inv.Base().Verbosity == 0 {
			break // nobody will see it: do not count
		}
		var err error
		if p.total, err = totalOf(inv.Context(), items); err != nil {
			return nil, fmt.Errorf("%s: %w", b.Name(), err)
		}
	case starlark.Int:
		n64, ok := n.Int64()
		if !ok || n64 < 0 {
			return nil, engine.ValueError.Errorf("%s: total must be from 0 to 2**63-1, not %s", b.Name(), n)
		}
		p.total = n64
	default:
		return nil, fmt.Errorf("%s: for parameter \"total\": got %s, want int or None", b.Name(), n.Type())
	}
	return p, nil
}

// totalOf is how many items an iterable has, -1 when it does not tell. A value
// with a method Total is not asked for its length: that may fetch it whole.
func totalOf(ctx context.Context, items starlark.Iterable) (int64, error) {
	if t, ok := items.(totaler); ok {
		return t.Total(ctx)
	}
	return int64(starlark.Len(items)), nil
}

// progress is the iterable that progress() returns. Each walk over it is shown
// by itself.
type progress struct {
	inv    *engine.Invocation
	thread *starlark.Thread
	items  starlark.Iterable
	total  int64 // -1: unknown
	label  string
}

var _ starlark.Iterable = (*progress)(nil)

func (p *progress) String() string        { return "<progress>" }
func (p *progress) Type() string          { return "progress" }
func (p *progress) Freeze()               { p.items.Freeze() }
func (p *progress) Truth() starlark.Bool  { return true }
func (p *progress) Hash() (uint32, error) { return 0, errors.New("unhashable: progress") }

func (p *progress) Iterate() starlark.Iterator {
	iter := p.items.Iterate()
	inv := p.inv
	if inv.Base().Verbosity == 0 {
		return iter
	}
	now := inv.Now()
	w := &walk{Iterator: iter, progress: p, bar: bar{label: p.label, total: p.total, started: now, now: now}, said: now}
	if term, _ := inv.Getenv("TERM"); inv.Stderr().Terminal() && term != "dumb" {
		if w.display = displayOf(inv); w.display == nil {
			w.display = &display{out: inv.Stderr()}
			inv.SetValue(displayKey{}, w.display)
		}
		w.display.push(&w.bar)
	}
	return w
}

// walk is one walk over a progress.
type walk struct {
	starlark.Iterator
	*progress
	bar
	display *display // nil: plain lines

	handed bool      // an item was handed out and is being worked on
	said   time.Time // when the bar or the last line was written
	told   int64     // what the last line told
}

func (w *walk) Next(p *starlark.Value) bool {
	if w.handed {
		if err := w.advance(); err != nil {
			w.inv.FailIteration(w.thread, fmt.Errorf("progress: %w", err))
			return false
		}
	}
	w.handed = w.Iterator.Next(p)
	return w.handed
}

// advance counts an item as done and shows it when it is time.
func (w *walk) advance() error {
	now := w.inv.Now()
	if w.display != nil {
		draw := now.Sub(w.said) >= redrawAfter
		if draw {
			w.said = now
		}
		return w.display.step(&w.bar, now, draw)
	}
	tenth := w.tenths()
	w.done, w.now = w.done+1, now
	if w.tenths() == tenth && now.Sub(w.said) < lineAfter {
		return nil
	}
	return w.tell()
}

// tell writes a line to what is no terminal.
func (w *walk) tell() error {
	w.said, w.told = w.now, w.done
	line := w.line(0) + "\n"
	if w.inv.Base().JSON {
		var err error
		if line, err = jsonLine(w.inv, "info", w.line(0), nil); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w.inv.Stderr(), line)
	return err
}

// Done ends the walk: after the last item, on break, return and error. What
// went wrong with the last line is not worth more than the error that may be
// on its way.
func (w *walk) Done() {
	w.Iterator.Done()
	now := w.inv.Now()
	if w.display != nil {
		_ = w.display.pop(&w.bar, now)
		return
	}
	if w.now = now; w.done > w.told {
		_ = w.tell()
	}
}

// bar is how far a walk is.
type bar struct {
	label        string
	done, total  int64 // total is -1 when unknown
	started, now time.Time
}

// tenths is how many tenths of the total are done; 0 when it is unknown.
func (b *bar) tenths() int64 {
	if b.total <= 0 {
		return 0
	}
	return int64(10 * float64(b.done) / float64(b.total))
}

// line describes the walk in at most width columns; with width 0 in words
// alone:
//
//	emails:  45% [#########...........] 450/1,000 12s, 15s left
func (b *bar) line(width int) string {
	var head string
	if b.label != "" {
		head = b.label + ": "
	}
	elapsed := b.now.Sub(b.started)
	tail := grouped(b.done)
	part := 0.0
	if b.total >= 0 {
		part = 1
		if b.done < b.total {
			part = float64(b.done) / float64(b.total)
		}
		head += fmt.Sprintf("%3d%% ", int(100*part))
		tail += "/" + grouped(b.total)
	}
	tail += " " + elapsed.Round(time.Second).String()
	if part > 0 && part < 1 && elapsed >= time.Second {
		left := time.Duration(float64(elapsed) * (1 - part) / part)
		tail += ", " + left.Round(time.Second).String() + " left"
	}
	if width == 0 {
		return head + tail
	}
	room := min(width-columns(head)-columns(tail)-len("[] "), 40)
	if b.total >= 0 && room >= 5 {
		full := int(part * float64(room))
		head += "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "] "
	}
	return fit(head+tail, width)
}

// grouped prints a number with commas between the thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// display is the line of a terminal that bars share: it shows the innermost,
// and steps aside for text. It is drawn by whoever writes: no goroutine does.
// The workers of one command share its display.
type display struct {
	mu    sync.Mutex
	out   *engine.Stream
	bars  []*bar // the innermost last
	shown bool   // a bar stands on the line
	open  bool   // text without a line break does: no bar may overwrite it
}

type displayKey struct{}

// displayOf returns the display of the run or of one that called it; nil when
// no bar was shown.
func displayOf(inv *engine.Invocation) *display {
	for ; inv != nil; inv = inv.Parent() {
		if d, ok := inv.Value(displayKey{}).(*display); ok {
			return d
		}
	}
	return nil
}

func (d *display) push(b *bar) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bars = append(d.bars, b)
}

// pop takes a bar away. The outermost stays on the terminal as it ended.
func (d *display) pop(b *bar, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	b.now = now
	last := len(d.bars) == 1
	if last && b.done > 0 {
		err := d.draw()
		if d.shown {
			d.shown = false
			_, err = io.WriteString(d.out, "\n")
		}
		d.bars = nil
		return err
	}
	for i := range d.bars {
		if d.bars[i] == b {
			d.bars = append(d.bars[:i], d.bars[i+1:]...)
			break
		}
	}
	if err := d.erase(); err != nil {
		return err
	}
	return d.draw()
}

// step counts an item of a bar as done.
func (d *display) step(b *bar, now time.Time, draw bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	b.done, b.now = b.done+1, now
	if !draw {
		return nil
	}
	return d.draw()
}

// say writes text to a stream that is this terminal.
func (d *display) say(out *engine.Stream, text string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if text == "" {
		return nil
	}
	if err := d.erase(); err != nil {
		return err
	}
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if d.open = !strings.HasSuffix(text, "\n"); d.open {
		return nil
	}
	return d.draw()
}

// answered tells the display that the operator ended the line of a question.
func answered(inv *engine.Invocation) {
	if d := displayOf(inv); d != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.open = false
	}
}

func (d *display) draw() error {
	if d.open || len(d.bars) == 0 {
		return nil
	}
	d.shown = true
	b := d.bars[len(d.bars)-1]
	_, err := io.WriteString(d.out, "\r"+b.line(max(d.out.Width()-1, 1))+"\x1b[K")
	return err
}

func (d *display) erase() error {
	if !d.shown {
		return nil
	}
	d.shown = false
	_, err := io.WriteString(d.out, "\r\x1b[K")
	return err
}
