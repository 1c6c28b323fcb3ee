package db

// Streaming: iterator() by key in bounded chunks, one of them read ahead, and
// results spooled to a file where no key can lead.

import (
	"context"
	"fmt"
	"runtime/debug"
	"sort"
	"strings"
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

// page is a chunk as a script sees it: rows, or what stands for them. An empty
// one is the end.
type page struct {
	rows  []Row
	items []starlark.Value
}

func (l layout) page(c *sqldb.Chunk, s shape) (page, error) {
	if l.rows != nil {
		return page{rows: l.rows.rowsOf(c)}, nil
	}
	items, err := l.items(c, s)
	return page{items: items}, err
}

// source gives a page at a time. close waits for what is under way.
type source interface {
	next() (page, error)
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
	src  source
	page page
	over bool
}

func (it *streamIterator) fail(err error) {
	it.over = true
	it.st.inv.FailIteration(it.thread, translate(err))
}

// Next gives the next item, reading a chunk when the last one is used up.
func (it *streamIterator) Next(p *starlark.Value) bool {
	for {
		if rows := it.page.rows; len(rows) > 0 {
			*p = &rows[0]
			it.page.rows = rows[1:]
			return true
		}
		if items := it.page.items; len(items) > 0 {
			*p = items[0]
			it.page.items = items[1:]
			return true
		}
		if it.over || it.src == nil {
			return false
		}
		var err error
		if it.page, err = it.src.next(); err != nil {
			it.fail(err)
			return false
		}
		it.over = len(it.page.rows)+len(it.page.items) == 0
	}
}

// Done ends the walk, wherever it is.
func (it *streamIterator) Done() {
	it.over = true
	if it.src != nil {
		it.src.close()
		it.src = nil
	}
}

// maxChunk bounds a chunk, and maxFetch what one statement reads ahead: more
// rows at once gain nothing, and a reading loop is to stay below 40 MB resident.
// How wide the rows are is not known before the first statement, of firstFetch.
const (
	maxChunk   = 500
	maxFetch   = 2000
	firstFetch = 100
)

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
	s.start = func() (source, error) { return qs.source(size) }
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
	fetch := min(size, maxFetch)
	size = min(size, maxChunk)
	d, err := qs.db.Dialect(qs.ctx())
	if err != nil {
		return nil, err
	}
	if key, err := qs.table.Key(); err == nil && leads(key, d.Vendor()) && qs.walkable(s, key) {
		if w, err := qs.newKeyWalk(s, l, key, size, fetch); err != nil || w != nil {
			return w, err
		}
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
	return &spoolSource{spool: spool, open: func(c *sqldb.Chunk) (page, error) { return l.page(c, qs.shape) }}, nil
}

// leads reports whether a key's value, read and bound again, finds the rows
// behind it: not where the database orders otherwise than it compares (ENUM), or
// where a value has several forms.
func leads(key *sqldb.Column, vendor string) bool {
	name := strings.ToLower(key.Type.SQL)
	switch key.Type.Kind {
	case sqldb.Any, sqldb.Float, sqldb.JSONKind:
		return false
	case sqldb.Int:
		return true
	case sqldb.Text, sqldb.UUID:
		return !(vendor == "mysql" && (strings.HasPrefix(name, "enum") || strings.HasPrefix(name, "set")))
	case sqldb.Bytes:
		return !strings.HasPrefix(name, "bit")
	}
	return vendor != "sqlite"
}

// ofClass reports whether SQLite keeps a cell as the class of values that a
// column's type stands for: it keeps what it is given, NULL in keys too.
func ofClass(cell any, t sqldb.ColumnType) bool {
	switch cell.(type) {
	case int64:
		return t.Kind == sqldb.Int
	case string:
		return t.Kind == sqldb.Text || t.Kind == sqldb.UUID
	case []byte:
		return t.Kind == sqldb.Bytes
	}
	return false
}

// walkable: each row of the result has a key of its own, and the order is the
// key's or none.
func (qs *QuerySet) walkable(s *sqldb.Select, key *sqldb.Column) bool {
	if s.Limit >= 0 || s.Offset > 0 || s.Distinct || s.Group != nil || qs.uses > 0 {
		return false
	}
	for _, o := range s.Outs {
		if sqldb.HasAggregate(o.Expr) || sqldb.ManyRows(o.Expr) {
			return false
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
	size  int // rows of a chunk
	fetch int // rows of a statement that reads ahead
	fits  int // rows of the next statement, as wide as they were so far
	desc  bool
	// sqlite keeps keys of any type as they were given.
	sqlite bool

	last  any // key of the last row given; nil before the first
	bound any // the furthest key
	ended bool

	ahead  chan chunkRead // chunks being read ahead; nil when none are
	enough chan struct{}  // closed when no more are wanted
	cancel context.CancelFunc
	quiet  int // chunks to go without reading ahead
}

type chunkRead struct {
	chunk  *sqldb.Chunk // nil: there are no more rows
	end    bool         // nothing comes behind the chunk
	err    error
	writes uint64
}

// newKeyWalk begins; it returns nil where the keys turn out not to lead.
func (qs *QuerySet) newKeyWalk(s *sqldb.Select, l layout, key *sqldb.Column, size, fetch int) (*keyWalk, error) {
	w := &keyWalk{qs: qs, query: *s, l: l, key: key, at: -1, size: size, fetch: fetch, fits: min(size, firstFetch)}
	w.desc = len(s.Order) == 1 && s.Order[0].Desc
	w.query.Order = []sqldb.Order{{Expr: &sqldb.Col{Column: key}, Desc: w.desc}}
	for i, o := range s.Outs {
		if c, ok := o.Expr.(*sqldb.Col); ok && c.Column == key && len(c.Hops) == 0 {
			w.at = i
			break
		}
	}
	if w.at < 0 { // values without the key
		w.at = len(s.Outs)
		w.query.Outs = append(s.Outs[:len(s.Outs):len(s.Outs)], sqldb.Out{Name: key.Name, Expr: &sqldb.Col{Column: key}})
	}
	// Rows that the loop itself adds are not met.
	last, err := w.end(!w.desc)
	if err != nil {
		return nil, err
	}
	if last == nil {
		w.ended = true
		return w, nil
	}
	if d, err := qs.db.Dialect(qs.ctx()); err != nil {
		return nil, err
	} else if w.sqlite = d.Vendor() == "sqlite"; w.sqlite && !key.Auto {
		// NULL, numbers, texts and bytes are ordered one class behind the other:
		// when both ends are of the same, all are.
		first, err := w.end(w.desc)
		if err != nil || first == nil || !ofClass(first.Cell(0, 0), key.Type) || !ofClass(last.Cell(0, 0), key.Type) {
			return nil, err
		}
	}
	w.bound, err = w.keyOf(last.Cell(0, 0))
	return w, err
}

// end reads the key at an end of the table; nil when it is empty.
func (w *keyWalk) end(desc bool) (*sqldb.Chunk, error) {
	key := &sqldb.Col{Column: w.key}
	chunks, err := w.qs.st.read(w.qs.db, &sqldb.Select{
		Table: w.qs.table, Outs: []sqldb.Out{{Name: "k", Expr: key}}, Limit: 1, Order: []sqldb.Order{{Expr: key, Desc: desc}},
	})
	if err != nil || len(chunks) == 0 {
		return nil, err
	}
	return chunks[0], nil
}

// keyOf makes a bound value of a key's cell.
func (w *keyWalk) keyOf(cell any) (any, error) {
	if n, ok := cell.(int64); ok {
		return n, nil
	}
	if w.sqlite && ofClass(cell, w.key.Type) {
		return cell, nil // as it is kept, which a UUID may be in several forms
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

// read reads up to limit rows behind the key last, in chunks. end says that no
// row comes behind them.
func (w *keyWalk) read(ctx context.Context, c *sqldb.Compiler, last any, limit int) (chunks []*sqldb.Chunk, end bool, err error) {
	behind, upto := "gt", "lte"
	if w.desc {
		behind, upto = "lt", "gte"
	}
	q := w.query
	q.Limit = int64(limit)
	q.Where = q.Where[:len(q.Where):len(q.Where)]
	key := &sqldb.Col{Column: w.key}
	bound, isInt := w.bound.(int64)
	if !isInt {
		q.Where = append(q.Where, &sqldb.Compare{Left: key, Lookup: upto, Right: w.bound})
	}
	if last != nil {
		q.Where = append(q.Where, &sqldb.Compare{Left: key, Lookup: behind, Right: last})
	}
	stmt, err := c.Select(ctx, &q)
	if err != nil {
		return nil, false, err
	}
	if chunks, err = c.Runner.ReadRows(ctx, stmt, w.size); err != nil {
		return nil, false, err
	}
	rows := 0
	for _, got := range chunks {
		rows += got.N
	}
	end = rows < limit
	if !isInt {
		return chunks, end, nil
	}
	// To compare here costs less than in the database, row by row.
	for i, got := range chunks {
		within := func(row int) bool {
			n, ok := got.Cell(row, w.at).(int64)
			return !ok || n == bound || (n < bound) != w.desc
		}
		if !within(got.N - 1) {
			end = true
			got.N = sort.Search(got.N, func(row int) bool { return !within(row) })
			if got.N > 0 {
				i++
			}
			return chunks[:i], end, nil
		}
	}
	return chunks, end, nil
}

// next gives the next chunk, and has those behind it read meanwhile.
func (w *keyWalk) next() (page, error) {
	if w.ended {
		return page{}, nil
	}
	got, err := w.take()
	if err != nil {
		return page{}, err
	}
	w.ended = got.end
	if got.chunk == nil {
		return page{}, nil
	}
	if w.last, err = w.keyOf(got.chunk.Cell(got.chunk.N-1, w.at)); err != nil {
		return page{}, err
	}
	if !w.ended {
		if err := w.readAhead(); err != nil {
			return page{}, err
		}
	}
	return w.l.page(got.chunk, w.qs.shape)
}

// take returns the next chunk that was read ahead, or reads it now. What was
// read ahead is dropped when this program wrote to the database since it was
// asked for: the loop must see its own changes.
func (w *keyWalk) take() (chunkRead, error) {
	if w.ahead != nil {
		got, ok := <-w.ahead
		if !ok { // it stops without a word when the run does
			return got, context.Cause(w.qs.ctx())
		}
		if got.writes == w.qs.db.Writes() {
			return got, got.err
		}
		w.stop()
		// A loop that writes goes on writing: leave it alone for a while.
		w.quiet = 16
	}
	c, err := w.qs.st.compiler(w.qs.db)
	if err != nil {
		return chunkRead{}, err
	}
	chunks, end, err := w.read(w.qs.ctx(), c, w.last, min(w.size, w.fits))
	if err != nil || len(chunks) == 0 {
		return chunkRead{end: true}, err
	}
	w.fits = w.fitting(chunks)
	return chunkRead{chunk: chunks[0], end: end && len(chunks) == 1}, nil
}

// fitting is how many rows the next statement may give, by the width of these.
func (w *keyWalk) fitting(chunks []*sqldb.Chunk) int {
	rows, bytes := 0, 1
	for _, c := range chunks {
		rows += c.N
		bytes += c.Bytes
	}
	return max(1, min(w.fetch, rows*sqldb.ChunkBytes/bytes))
}

// readAhead starts the reader of the chunks to come, on connections of its
// own. In a transaction there is one connection alone, which the script uses.
func (w *keyWalk) readAhead() error {
	if w.quiet > 0 {
		w.quiet--
		return nil
	}
	if w.ahead != nil || w.qs.st.tx(w.qs.db) != nil {
		return nil
	}
	c, err := w.qs.st.compiler(w.qs.db)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(w.qs.ctx())
	w.cancel = cancel
	// Room for a statement's chunks: the reader must not stand still while
	// the script is busy with a slow row, nor the other way round.
	w.ahead = make(chan chunkRead, (w.fetch+w.size-1)/w.size)
	w.enough = make(chan struct{})
	go w.run(ctx, c, w.ahead, w.enough, w.last, w.fits)
	return nil
}

// run reads statement after statement, until the end, an error, the end of ctx
// or enough. It shares nothing with the walk that changes.
func (w *keyWalk) run(ctx context.Context, c *sqldb.Compiler, out chan<- chunkRead, enough <-chan struct{}, last any, fits int) {
	defer close(out)
	for {
		select {
		case <-enough:
			return
		default:
		}
		reads, next := w.reads(ctx, c, last, &fits)
		for _, got := range reads {
			select {
			case out <- got:
			case <-enough:
				return
			case <-ctx.Done():
				return
			}
			if got.end || got.err != nil {
				return
			}
		}
		last = next
	}
}

// reads runs one statement of as many rows as fit, and tells the key of its
// last row.
func (w *keyWalk) reads(ctx context.Context, c *sqldb.Compiler, last any, fits *int) (reads []chunkRead, next any) {
	writes := w.qs.db.Writes()
	failed := func(err error) ([]chunkRead, any) { return []chunkRead{{err: err, writes: writes}}, nil }
	defer func() {
		if p := recover(); p != nil { // a driver's panic must not end the program
			reads, next = failed(&engine.InternalError{Value: p, Stack: string(debug.Stack())})
		}
	}()
	chunks, end, err := w.read(ctx, c, last, *fits)
	if err != nil {
		return failed(err)
	}
	if len(chunks) == 0 {
		return []chunkRead{{end: true, writes: writes}}, nil
	}
	*fits = w.fitting(chunks)
	for _, chunk := range chunks {
		reads = append(reads, chunkRead{chunk: chunk, writes: writes})
	}
	// While the chunk is not yet the walk's.
	tail := chunks[len(chunks)-1]
	if next, err = w.keyOf(tail.Cell(tail.N-1, w.at)); err != nil {
		return failed(err)
	}
	reads[len(reads)-1].end = end
	return reads, next
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
	open  func(*sqldb.Chunk) (page, error)
}

func (s *spoolSource) next() (page, error) {
	if s.spool == nil {
		return page{}, nil
	}
	c, err := s.spool.Next()
	if err != nil || c == nil {
		return page{}, err
	}
	return s.open(c)
}

func (s *spoolSource) close() {
	if s.spool != nil {
		s.spool.Close()
		s.spool = nil
	}
}
