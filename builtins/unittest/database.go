package unittest

// What t tells of the database.

import (
	"fmt"

	"go.starlark.net/starlark"
)

// queries is t.queries(n, fn=None): the test made exactly n queries since it
// began, or since the last t.queries; those of setup do not count. With fn, it
// is called, and the queries that it makes are counted.
func (t *T) queries(c call) (starlark.Value, error) {
	var n int
	var fn starlark.Value = starlark.None
	if err := c.unpack("n", &n, "fn?", &fn); err != nil {
		return nil, err
	}
	if err := t.test.needsDatabase(c.name); err != nil {
		return nil, err
	}
	var v starlark.Value
	if fn != starlark.None {
		callee, ok := fn.(starlark.Callable)
		if !ok {
			return nil, fmt.Errorf("%s: fn must be a function, not %s", c.name, fn.Type())
		}
		t.test.forget()
		var err error
		v, err = starlark.Call(c.thread, callee, nil, nil)
		if err := c.inv.Settle(c.thread, err); err != nil {
			return nil, err
		}
	}
	made, statements := t.test.queried, t.test.statements
	t.test.forget()
	if made == n {
		return v, nil
	}
	text := fmt.Sprintf("%s, want %d", count(made, "query was made", "queries were made"), n)
	for i, sql := range statements {
		text += fmt.Sprintf("\n  %d. %s", i+1, clip(sql))
	}
	if more := made - len(statements); more > 0 {
		text += fmt.Sprintf("\n  … %d more", more)
	}
	return nil, failed("", "%s", text)
}

// onCommit is t.on_commit(): it runs what db.on_commit collected in the test so
// far, in order, and returns how many functions that were.
func (t *T) onCommit(c call) (starlark.Value, error) {
	if err := c.unpack(); err != nil {
		return nil, err
	}
	if err := t.test.needsDatabase(c.name); err != nil {
		return nil, err
	}
	n, err := t.test.runHooks(c)
	return starlark.MakeInt(n), err
}

func (r *running) needsDatabase(name string) error {
	if r.suite.cfg.DB == nil {
		return fmt.Errorf("%s: this program has no database", name)
	}
	return nil
}

// forget starts the count of queries afresh.
func (r *running) forget() { r.queried, r.statements = 0, nil }

// runHooks runs what was collected, and what that registers in turn, on the
// thread of the call: the runs that registered it have ended.
func (r *running) runHooks(c call) (n int, err error) {
	for again := true; again; {
		again = false
		for _, e := range r.opened {
			for _, hook := range e.tx.Hooks() {
				again = true
				n++
				_, err := starlark.Call(c.thread, hook.(starlark.Callable), nil, nil)
				if err = c.inv.Settle(c.thread, err); err != nil {
					return n, err
				}
			}
		}
	}
	return n, nil
}
