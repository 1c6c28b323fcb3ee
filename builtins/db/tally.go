package db

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
)

// tally counts the rows that a run and the runs that it calls have written:
// what is committed when the run is told to stop stays.
type tally struct {
	mu        sync.Mutex
	wrote     bool
	committed int64
	open      map[*sqldb.Tx]int64 // by transaction under way
}

// add counts rows written in tx, or committed at once when it is nil.
func (t *tally) add(tx *sqldb.Tx, rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrote = t.wrote || rows > 0
	if tx == nil {
		t.committed += rows
		return
	}
	if t.open == nil {
		t.open = map[*sqldb.Tx]int64{}
	}
	t.open[tx] += rows
}

// inside returns what was written in tx so far.
func (t *tally) inside(tx *sqldb.Tx) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open[tx]
}

// reset takes what was written in tx back to n: a savepoint was rolled back.
func (t *tally) reset(tx *sqldb.Tx, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.open[tx]; ok {
		t.open[tx] = n
	}
}

// end forgets tx, whose rows are committed or gone.
func (t *tally) end(tx *sqldb.Tx, committed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if committed {
		t.committed += t.open[tx]
	}
	delete(t.open, tx)
}

// report says how much was committed; nothing when nothing was written.
func (t *tally) report() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.wrote:
		return ""
	case t.committed == 0:
		return "no row was committed before"
	case t.committed == 1:
		return "1 row was committed before"
	}
	digits := strconv.FormatInt(t.committed, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return fmt.Sprintf("%s rows were committed before", digits)
}

// wrote counts rows that the run wrote to db.
func (st *state) wrote(db *sqldb.Database, rows int64) { st.tally.add(st.tx(db), rows) }
