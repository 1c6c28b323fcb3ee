package db

// Streaming: iterator() by key in bounded chunks, one of them read ahead, and
// results spooled to a file where no key can lead.

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// stream is what iterator and iterate give: it can be walked, and has no
// length.
type stream struct {
	name  string
	st    *state
	start func() (source, error)
	total func(context.Context) (int64, error)
	// thread of the run, for errors on the way
	thread *starlark.Thread
}

var _ starlark.Iterable = (*stream)(nil)

func (s *stream) String() string        { return "<" + s.name + ">" }
func (s *stream) Type() string          { return "iterator" }
func (s *stream) Freeze()               {}
func (s *stream) Truth() starlark.Bool  { return true }
func (s *stream) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: iterator") }

// Total counts the rows to come, for a progress bar.
func (s *stream) Total(ctx context.Context) (int64, error) {
	if s.total == nil {
		return -1, nil
	}
	return s.total(ctx)
}

// Total counts the rows, for a progress bar.
func (qs *QuerySet) Total(context.Context) (int64, error) {
	n, err := qs.count()
	return n, translate(err)
}

// source gives items a chunk at a time: nil at the end. close waits for what
// is under way.
type source interface {
	next() ([]starlark.Value, error)
	close()
}

// Iterate starts the walk.
func (s *stream) Iterate() starlark.Iterator {
	it := &streamIterator{stream: s}
	if s.st.inv.IterationError() != nil {
		it.over = true
		return it
	}
	src, err := s.start()
	if err != nil {
		it.fail(err)
		return it
	}
	it.src = src
	return it
}

type streamIterator struct {
	*stream
	src   source
	items []starlark.Value
	over  bool
}

func (it *streamIterator) fail(err error) {
	it.over = true
	it.st.inv.FailIteration(it.thread, translate(err))
}

// Next gives the next item, reading a chunk when the last one is used up.
func (it *streamIterator) Next(p *starlark.Value) bool {
	for len(it.items) == 0 {
		if it.over || it.src == nil {
			return false
		}
		items, err := it.src.next()
		if err != nil {
			it.fail(err)
			return false
		}
		if items == nil {
			it.over = true
			return false
		}
		it.items = items
	}
	*p = it.items[0]
	it.items = it.items[1:]
	return true
}

// Done ends the walk, wherever it is.
func (it *streamIterator) Done() {
	it.over = true
	if it.src != nil {
		it.src.close()
		it.src = nil
	}
}

// maxChunk bounds a chunk: more rows at once gain nothing, and a reading loop is
// to stay below 40 MB resident.
const maxChunk = 500

// qsIterator is qs.iterator(chunk_size=2000): the rows in constant memory, not
// kept. Rows may be changed on the way.
func qsIterator(qs *QuerySet, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	size := 2000
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "chunk_size?", &size); err != nil {
		return nil, err
	}
	if size <= 0 {
		return nil, engine.ValueError.Errorf("iterator: chunk_size must be positive")
	}
	if len(qs.table.PK) == 0 && qs.shape == rowShape {
		_, err := qs.table.Key()
		return nil, err
	}
	s := &stream{name: "iterator of " + qs.table.Name, st: qs.st, thread: qs.thread, total: qs.Total}
	s.start = func() (source, error) { return qs.source(min(size, maxChunk)) }
	return s, nil
}

// source picks the way to walk: by the key where it leads through the result
// in order, else through a spool.
func (qs *QuerySet) source(size int) (source, error) {
	if qs.empty {
		return &spoolSource{}, nil
	}
	s, l, err := qs.build()
	if err != nil {
		return nil, err
	}
	if s.Lock && !qs.st.inside(qs.db) {
		return nil, DatabaseError.Errorf("select_for_update works only inside db.atomic: the lock would be gone at once")
	}
	if key, err := qs.table.Key(); err == nil && qs.walkable(s, key) {
		return qs.newKeyWalk(s, l, key, size)
	}
	c, err := qs.st.compiler(qs.db)
	if err != nil {
		return nil, err
	}
	stmt, err := c.Select(qs.ctx(), s)
	if err != nil {
		return nil, err
	}
	spool, err := sqldb.NewSpool(qs.ctx(), c.Runner, stmt, size)
	if err != nil {
		return nil, err
	}
	return &spoolSource{spool: spool, items: func(c *sqldb.Chunk) ([]starlark.Value, error) { return l.items(c, qs.shape) }}, nil
}

// walkable: each row of the result has a key of its own, and the order is the
// key's or none.
func (qs *QuerySet) walkable(s *sqldb.Select, key *sqldb.Column) bool {
	if s.Limit >= 0 || s.Offset > 0 || s.Distinct || s.Group != nil || qs.uses > 0 {
		return false
	}
	for _, o := range s.Outs {
		if sqldb.HasAggregate(o.Expr) {
			return false
		}
		if c, ok := o.Expr.(*sqldb.Col); ok {
			for _, h := range c.Hops {
				if h.Reverse {
					return false
				}
			}
		}
	}
	switch len(s.Order) {
	case 0:
		return true
	case 1:
		c, ok := s.Order[0].Expr.(*sqldb.Col)
		return ok && c.Column == key && len(c.Hops) == 0
	}
	return false
}

// keyWalk reads rows in the order of the key, from behind the last one read
// to the last one there was at the start.
type keyWalk struct {
	qs    *QuerySet
	query sqldb.Select
	l     layout
	key   *sqldb.Column
	at    int // the key's place among the columns
	extra bool
	size  int
	desc  bool

	last  any // key of the last row given; nil before the first
	bound any // the furthest key
	ended bool

	ahead  chan chunkRead // chunks being read ahead; nil when none are
	enough chan struct{}  // closed when no more are wanted
	cancel context.CancelFunc
	quiet  int // chunks to go without reading ahead
}

type chunkRead struct {
	chunk  *sqldb.Chunk
	err    error
	writes uint64
}

// depth is how many chunks are read ahead: the reader must not stand still
// while the script is busy with a slow row, nor the other way round.
const depth = 2

func (qs *QuerySet) newKeyWalk(s *sqldb.Select, l layout, key *sqldb.Column, size int) (*keyWalk, error) {
	w := &keyWalk{qs: qs, query: *s, l: l, key: key, at: -1, size: size}
	w.desc = len(s.Order) == 1 && s.Order[0].Desc
	w.query.Order = []sqldb.Order{{Expr: &sqldb.Col{Column: key}, Desc: w.desc}}
	w.query.Limit = int64(size)
	for i, o := range s.Outs {
		if c, ok := o.Expr.(*sqldb.Col); ok && c.Column == key && len(c.Hops) == 0 {
			w.at = i
			break
		}
	}
	if w.at < 0 { // values without the key
		w.at, w.extra = len(s.Outs), true
		w.query.Outs = append(s.Outs[:len(s.Outs):len(s.Outs)], sqldb.Out{Name: key.Name, Expr: &sqldb.Col{Column: key}})
	}
	// Rows that the loop itself adds are not met.
	end := &sqldb.Select{
		Table: qs.table, Outs: []sqldb.Out{{Name: "k", Expr: &sqldb.Col{Column: key}}}, Limit: 1,
		Order: []sqldb.Order{{Expr: &sqldb.Col{Column: key}, Desc: !w.desc}},
	}
	chunks, err := qs.st.read(qs.db, end)
	if err != nil {
		return nil, err
	}
	if len(chunks) == 0 {
		w.ended = true
		return w, nil
	}
	w.bound, err = w.keyOf(chunks[0].Cell(0, 0))
	return w, err
}

// keyOf makes a bound value of a key's cell.
func (w *keyWalk) keyOf(cell any) (any, error) {
	if n, ok := cell.(int64); ok {
		return n, nil
	}
	v, err := fromCell(cell, w.key.Type)
	if err != nil {
		return nil, err
	}
	zone, err := w.qs.st.location()
	if err != nil {
		return nil, err
	}
	return toColumn(v, w.key.Type, zone)
}

// read reads the chunk behind the key last.
func (w *keyWalk) read(ctx context.Context, c *sqldb.Compiler, last any) (chunk *sqldb.Chunk, err error) {
	behind, upto := "gt", "lte"
	if w.desc {
		behind, upto = "lt", "gte"
	}
	q := w.query
	key := &sqldb.Col{Column: w.key}
	q.Where = append(q.Where[:len(q.Where):len(q.Where)], &sqldb.Compare{Left: key, Lookup: upto, Right: w.bound})
	if last != nil {
		q.Where = append(q.Where, &sqldb.Compare{Left: key, Lookup: behind, Right: last})
	}
	stmt, err := c.Select(ctx, &q)
	if err != nil {
		return nil, err
	}
	err = c.Runner.Read(ctx, stmt, w.size, func(got *sqldb.Chunk) error {
		chunk = got
		return nil
	})
	return chunk, err
}

// next gives the next chunk's items, and has those behind it read meanwhile.
func (w *keyWalk) next() ([]starlark.Value, error) {
	if w.ended {
		return nil, nil
	}
	chunk, err := w.take()
	if err != nil {
		return nil, err
	}
	if chunk == nil {
		w.ended = true
		return nil, nil
	}
	if w.last, err = w.keyOf(chunk.Cell(chunk.N-1, w.at)); err != nil {
		return nil, err
	}
	if chunk.N < w.size {
		w.ended = true
	} else if err := w.readAhead(); err != nil {
		return nil, err
	}
	return w.l.items(chunk, w.qs.shape)
}

// take returns the next chunk that was read ahead, or reads it now. What was
// read ahead is dropped when this program wrote to the database since it was
// asked for: the loop must see its own changes.
func (w *keyWalk) take() (*sqldb.Chunk, error) {
	if w.ahead != nil {
		got, ok := <-w.ahead
		if !ok { // it stops without a word when the run does
			return nil, context.Cause(w.qs.ctx())
		}
		if got.writes == w.qs.db.Writes() {
			return got.chunk, got.err
		}
		w.stop()
		// A loop that writes goes on writing: leave it alone for a while.
		w.quiet = 16
	}
	c, err := w.qs.st.compiler(w.qs.db)
	if err != nil {
		return nil, err
	}
	return w.read(w.qs.ctx(), c, w.last)
}

// readAhead starts the reader of the chunks to come, on connections of its
// own. In a transaction there is one connection alone, which the script uses.
func (w *keyWalk) readAhead() error {
	if w.quiet > 0 {
		w.quiet--
		return nil
	}
	if w.ahead != nil || w.qs.st.txs[w.qs.db] != nil {
		return nil
	}
	c, err := w.qs.st.compiler(w.qs.db)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(w.qs.ctx())
	w.cancel = cancel
	w.ahead = make(chan chunkRead, depth-1)
	w.enough = make(chan struct{})
	go w.run(ctx, c, w.ahead, w.enough, w.last)
	return nil
}

// run reads chunk after chunk, until the end, an error, the end of ctx or
// enough. It shares nothing with the walk that changes.
func (w *keyWalk) run(ctx context.Context, c *sqldb.Compiler, out chan<- chunkRead, enough <-chan struct{}, last any) {
	defer close(out)
	for {
		select {
		case <-enough:
			return
		default:
		}
		got := w.chunk(ctx, c, last)
		more := got.err == nil && got.chunk != nil && got.chunk.N == w.size
		if more {
			// Before the chunk is the walk's.
			if last, got.err = w.keyOf(got.chunk.Cell(got.chunk.N-1, w.at)); got.err != nil {
				more = false
			}
		}
		select {
		case out <- got:
		case <-enough:
			return
		case <-ctx.Done():
			return
		}
		if !more {
			return
		}
	}
}

func (w *keyWalk) chunk(ctx context.Context, c *sqldb.Compiler, last any) (got chunkRead) {
	got.writes = w.qs.db.Writes()
	defer func() {
		if p := recover(); p != nil { // a driver's panic must not end the program
			got.err = &engine.InternalError{Value: p, Stack: string(debug.Stack())}
		}
	}()
	got.chunk, got.err = w.read(ctx, c, last)
	return got
}

// stop ends reading ahead and waits for it.
func (w *keyWalk) stop() {
	if w.ahead == nil {
		return
	}
	// A query that is cancelled costs its connection, which PostgreSQL's
	// driver may keep for 15 s to see the server end it.
	close(w.enough)
	patience := time.AfterFunc(100*time.Millisecond, w.cancel)
	for range w.ahead {
	}
	patience.Stop()
	w.cancel()
	w.ahead = nil
}

// close ends the walk.
func (w *keyWalk) close() {
	w.stop()
	w.ended = true
}

// spoolSource reads a result that was read whole before.
type spoolSource struct {
	spool *sqldb.Spool
	items func(*sqldb.Chunk) ([]starlark.Value, error)
}

func (s *spoolSource) next() ([]starlark.Value, error) {
	if s.spool == nil {
		return nil, nil
	}
	c, err := s.spool.Next()
	if err != nil || c == nil {
		return nil, err
	}
	return s.items(c)
}

func (s *spoolSource) close() {
	if s.spool != nil {
		s.spool.Close()
		s.spool = nil
	}
}
