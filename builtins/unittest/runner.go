package unittest

// Running tests: workers, each a goroutine that takes one test after another,
// and what became of each.

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/starmanage/starmanage/engine"
)

// kind is what became of a test, or of a part of one.
type kind int

const (
	passed kind = iota
	skipped
	failure // an assertion failed
	bug     // anything else went wrong
)

// problem is a test, or a part of one, that did not pass.
type problem struct {
	kind      kind
	part      string // of t.run; empty for the test itself
	traceback string
	class     string // the error's type
	message   string // of a skipped test: why
	hint      string
}

// text is what a report shows of the problem.
func (p problem) text() string {
	text := p.traceback + p.class + ": " + p.message + "\n"
	if p.hint != "" {
		text += p.hint + "\n"
	}
	return text
}

// result is how a test ended.
type result struct {
	test     *test
	problems []problem
	logs     []string // of t.log
	output   string   // what the test wrote, logs among it
	elapsed  time.Duration

	stopped error // the run was told to stop, or cannot go on: no result
}

// outcome is the worst that happened.
func (r *result) outcome() kind {
	worst := passed
	for _, p := range r.problems {
		if p.kind != skipped || p.part == "" {
			worst = max(worst, p.kind)
		}
	}
	return worst
}

// suite is a run of tests.
type suite struct {
	cfg     Config
	inv     *engine.Invocation
	tests   []*test
	workers int
	timeout time.Duration // of a test; 0: none
	keepdb  bool

	making sync.Mutex // databases are made on a server one after another
}

// run runs the tests and hands their results to report, in the order of the
// tests whoever ran them, until report says that it is enough.
func (s *suite) run(report func(result) (more bool)) (err error) {
	var (
		next    atomic.Int64
		stop    atomic.Bool
		wg      sync.WaitGroup
		results = make([]chan result, len(s.tests))
	)
	for i := range results {
		results[i] = make(chan result, 1)
	}
	workers := make([]*worker, s.workers)
	for i := range workers {
		w := &worker{suite: s, number: i + 1, scratches: map[string]*scratch{}}
		workers[i] = w
		wg.Go(func() {
			for !stop.Load() {
				i := int(next.Add(1)) - 1
				if i >= len(s.tests) {
					return
				}
				results[i] <- w.run(s.tests[i])
			}
		})
	}
	defer func() {
		stop.Store(true)
		wg.Wait()
		for _, w := range workers {
			err = also(err, w.close(s.inv.Context()))
		}
	}()
	for _, ch := range results {
		r := <-ch
		if r.stopped != nil {
			return r.stopped
		}
		if !report(r) {
			return nil
		}
	}
	return nil
}

// run runs a test; again, when its time was up because its database had to be
// made first.
func (w *worker) run(c *test) (res result) {
	defer func() {
		if v := recover(); v != nil {
			res = result{stopped: &engine.InternalError{Value: v, Stack: string(debug.Stack())}}
		}
	}()
	made := w.made
	res = w.once(c)
	if w.made > made && slices.ContainsFunc(res.problems, func(p problem) bool { return p.class == timedOut }) {
		return w.once(c)
	}
	return res
}

// once runs a test as a run of its own.
func (w *worker) once(c *test) result {
	s := w.suite
	started := s.inv.Now()
	r := &running{suite: s, worker: w, test: c}
	t := &T{test: r}
	var run *engine.Invocation
	err := s.inv.Within(engine.Sub{Name: c.id(), Stdout: &r.output, Stderr: &r.output, Now: r.now, Timeout: s.timeout, Apart: true}, func(inv *engine.Invocation) error {
		run = inv
		return r.body(inv, t)
	})
	if err := s.inv.Context().Err(); err != nil {
		return result{stopped: err} // the engine says by what
	}
	if w.broken != nil {
		return result{stopped: w.broken}
	}
	if run == nil { // it did not begin
		run = s.inv
	}
	r.ended(run, t, err)
	return result{test: c, problems: r.problems, logs: r.logs, output: r.output.text(), elapsed: s.inv.Now().Sub(started)}
}

// also is err, and what went wrong while cleaning up after it, if anything did.
func also(err, more error) error {
	if err == nil || more == nil {
		return cmp.Or(err, more)
	}
	return errors.Join(err, more)
}

// running is a test while it runs: it belongs to the worker's goroutine.
type running struct {
	suite    *suite
	worker   *worker
	test     *test
	clock    atomic.Pointer[time.Time] // set by t.now; progress lines may ask from elsewhere
	output   capture
	logs     []string
	problems []problem
	skipping *T // whose skip ends what runs
	reason   string

	opened     []*enclosed
	queried    int      // statements since the count began
	statements []string // the first of them
}

func (r *running) id() string { return r.test.id() }

// now is the test's clock.
func (r *running) now() time.Time {
	if at := r.clock.Load(); at != nil {
		return *at
	}
	return r.suite.inv.Now()
}

func (r *running) log(line string) {
	r.logs = append(r.logs, line)
	fmt.Fprintln(&r.output, line)
}

func (r *running) body(inv *engine.Invocation, t *T) error {
	if r.test.err != nil {
		return r.test.err
	}
	r.enclose(inv)
	if r.test.setup != nil {
		if _, err := inv.CallFunction(r.test.setup, t.args(), nil); err != nil {
			return err
		}
	}
	r.forget()
	_, err := inv.CallFunction(r.test.fn, t.args(), nil)
	return err
}

// ended notes how a test, or a part of it, ended. inv is where err comes from.
func (r *running) ended(inv *engine.Invocation, t *T, err error) {
	if err == nil {
		return
	}
	if r.skipping == t {
		r.skipping = nil
		r.problems = append(r.problems, problem{kind: skipped, part: t.part, message: r.reason})
		return
	}
	p := describe(inv, err)
	p.part = t.part
	r.problems = append(r.problems, p)
}

// describe says what an error means for a test.
func describe(inv *engine.Invocation, err error) problem {
	d := inv.Describe(err)
	hint, traceback := d.Details()
	p := problem{kind: bug, traceback: traceback, class: d.Kind, message: d.Message, hint: hint}
	if _, ok := errors.AsType[*assertion](err); ok {
		p.kind = failure
		p.class, p.hint = assertionError.Name(), ""
	}
	if e, ok := errors.AsType[*engine.StoppedError](err); ok {
		p.class, p.message = timedOut, e.Cause.Error()
	}
	if e, ok := errors.AsType[*engine.ExitError](err); ok {
		p.class, p.message = "Exit", fmt.Sprintf("exit(%d) ended the test", e.Code)
		p.hint = "To test a command that exits: t.fails(lambda: call_command(…), r\"exit\\(" + fmt.Sprint(e.Code) + "\\)\")"
	}
	if e, ok := errors.AsType[*engine.ScriptError](err); ok && len(e.Diagnostics) > 0 {
		p.message, p.hint = "", ""
		for _, diagnostic := range e.Diagnostics {
			p.message += "\n" + diagnostic.String()
			if diagnostic.Snippet != "" {
				p.message += "\n    " + strings.ReplaceAll(strings.TrimRight(diagnostic.Snippet, "\n"), "\n", "\n    ")
			}
			if diagnostic.Hint != "" {
				p.message += "\n" + diagnostic.Hint
			}
		}
		p.message = strings.TrimPrefix(p.message, "\n")
	}
	return p
}

// timedOut is the class of a test that took too long.
const timedOut = "Timeout"

// maxOutput is how much of what a test writes is kept.
const maxOutput = 1 << 20

// capture keeps what a test writes, stdout and stderr in the order in which
// they were written.
type capture struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	dropped int
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keep := min(len(p), maxOutput-c.buf.Len())
	c.buf.Write(p[:keep])
	c.dropped += len(p) - keep
	return len(p), nil
}

func (c *capture) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := strings.ToValidUTF8(c.buf.String(), "\uFFFD")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if c.dropped > 0 {
		text += fmt.Sprintf("… %d more bytes\n", c.dropped)
	}
	return text
}
