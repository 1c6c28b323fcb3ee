package unittest

// The report, in the manner of Python's unittest.

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/style"
)

// report prints results as they come, and what they add up to.
type report struct {
	out       *engine.Stream
	style     style.Style
	verbosity int
	results   []result
	err       error // of writing
}

func newReport(inv *engine.Invocation) *report {
	return &report{out: inv.Stdout(), style: inv.Stdout().Style(), verbosity: inv.Base().Verbosity}
}

func (r *report) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(r.out, format, args...); err != nil && r.err == nil {
		r.err = err
	}
}

// look is how the outcomes are written: a dot's letter, a word, a role.
func (k kind) look() (letter, word string, role style.Role) {
	switch k {
	case skipped:
		return "s", "skipped", style.WARNING
	case failure:
		return "F", "FAIL", style.ERROR
	case bug:
		return "E", "ERROR", style.ERROR
	}
	return ".", "ok", style.SUCCESS
}

// add prints a letter for a test, or its name and outcome.
func (r *report) add(res result) {
	r.results = append(r.results, res)
	letter, word, role := res.outcome().look()
	switch {
	case r.verbosity == 0:
		return
	case r.verbosity == 1:
		r.printf("%s", r.style.Apply(role, letter))
	default:
		if p := res.problems; len(p) == 1 && p[0].kind == skipped && p[0].message != "" {
			word += " '" + oneLine(p[0].message) + "'"
		}
		r.printf("%s ... %s\n", res.test.id(), r.style.Apply(role, word))
		for _, line := range res.logs {
			r.printf("    %s\n", line)
		}
	}
}

const lineWidth = 70

// finish prints what went wrong, the slowest tests, and the counts. stopped
// says that not all tests have run.
func (r *report) finish(elapsed time.Duration, durations int, stopped bool) (totals, error) {
	if r.verbosity == 1 {
		r.printf("\n")
	}
	var sum totals
	for _, res := range r.results {
		sum.add(res)
		first := true
		for _, p := range res.problems {
			if p.kind == skipped {
				continue
			}
			_, word, role := p.kind.look()
			title := word + ": " + res.test.id()
			if p.part != "" {
				title += " (" + p.part + ")"
			}
			r.printf("%s\n%s\n%s\n%s", strings.Repeat("=", lineWidth), r.style.Apply(role, title), strings.Repeat("-", lineWidth), r.colored(p))
			if first && res.output != "" {
				r.printf("\nOutput:\n%s", res.output)
			}
			r.printf("\n")
			first = false
		}
	}
	if durations >= 0 {
		r.slowest(durations)
	}
	r.printf("%s\nRan %s in %s\n\n%s\n", strings.Repeat("-", lineWidth), count(sum.ran, "test", "tests"), seconds(elapsed), r.verdict(sum, stopped))
	return sum, r.err
}

// colored is a problem's text: the lines of a difference stand out.
func (r *report) colored(p problem) string {
	if r.style.Apply(style.ERROR, "x") == "x" {
		return p.text()
	}
	var b strings.Builder
	for line := range strings.Lines(p.text()) {
		switch {
		case strings.HasPrefix(line, "-"):
			line = r.style.Apply(style.ERROR, line)
		case strings.HasPrefix(line, "+"):
			line = r.style.Apply(style.SUCCESS, line)
		}
		b.WriteString(line)
	}
	return b.String()
}

// slowest prints the n slowest tests, all when n is 0.
func (r *report) slowest(n int) {
	sorted := slices.Clone(r.results)
	slices.SortStableFunc(sorted, func(a, b result) int { return int(b.elapsed - a.elapsed) })
	if n > 0 && n < len(sorted) {
		sorted = sorted[:n]
	}
	r.printf("Slowest test durations\n%s\n", strings.Repeat("-", lineWidth))
	for _, res := range sorted {
		r.printf("%-10s %s\n", seconds(res.elapsed), res.test.id())
	}
	r.printf("\n")
}

func (r *report) verdict(sum totals, stopped bool) string {
	var parts []string
	for _, part := range []struct {
		name string
		n    int
	}{{"failures", sum.failures}, {"errors", sum.errors}, {"skipped", sum.skipped}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", part.name, part.n))
		}
	}
	word, role := "OK", style.SUCCESS
	switch {
	case stopped:
		word, role = "STOPPED", style.ERROR
	case sum.failures+sum.errors > 0:
		word, role = "FAILED", style.ERROR
	}
	if len(parts) > 0 {
		return r.style.Apply(role, word) + " (" + strings.Join(parts, ", ") + ")"
	}
	return r.style.Apply(role, word)
}

// totals count tests, and what went wrong in them: each part of t.run counts.
type totals struct{ ran, failures, errors, skipped int }

func (t *totals) add(res result) {
	t.ran++
	for _, p := range res.problems {
		switch p.kind {
		case failure:
			t.failures++
		case bug:
			t.errors++
		case skipped:
			t.skipped++
		}
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
