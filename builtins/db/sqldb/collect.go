package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// CollectFunction is the name under which a program registers
// Collector.Collect with SQLite's driver.
const CollectFunction = "manage_collect"

// Collector reads the rows of SQLite's queries inside the database: the query
// is the source of one that calls a function of ours with each row. A driver
// takes a lock of SQLite's and crosses into it for each cell, which costs more
// than to find the row: this way reading takes two thirds of the time, and all
// of it ends when the context does. A program has one Collector and registers
// it once:
//
//	sqlite.RegisterFunction(sqldb.CollectFunction, &sqlite.FunctionImpl{
//		NArgs: -1, VolatileArgs: true,
//		Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
//			return nil, collector.Collect(args)
//		},
//	})
//
// It may be used by any number of databases and goroutines.
type Collector struct {
	under [256]atomic.Pointer[collection]
}

// collection is the rows of one query under way.
type collection struct {
	id     int64
	names  []string
	size   int
	chunks []*Chunk
	chunk  *Chunk // the last one, while it has room
}

// maxCollected is the width up to which rows are collected: SQLite bounds a
// function's arguments at 127 where it was not told otherwise.
const maxCollected = 100

// begin gives a collection a number that no script guesses; nil when too many
// are under way.
func (c *Collector) begin(names []string, size int) *collection {
	n := &collection{names: names, size: size}
	first := rand.Int64()
	for i := range int64(len(c.under)) {
		// The last byte is the place, all of it the proof.
		n.id = first&^0xff | (first+i)&0xff
		if c.under[n.id&0xff].CompareAndSwap(nil, n) {
			return n
		}
	}
	return nil
}

func (c *Collector) end(n *collection) { c.under[n.id&0xff].Store(nil) }

// Collect is SQLite's function: the collection's number and a row's cells. It
// copies texts and bytes, which are the database's until it returns. It fails
// for a number that is none.
func (c *Collector) Collect(args []driver.Value) error {
	if len(args) > 0 {
		if id, ok := args[0].(int64); ok {
			if n := c.under[id&0xff].Load(); n != nil && n.id == id && len(n.names) == len(args)-1 {
				n.add(args[1:])
				return nil
			}
		}
	}
	return errors.New(CollectFunction + " is not for scripts")
}

func (n *collection) add(row []driver.Value) {
	if n.chunk == nil {
		room := n.size
		if len(n.chunks) == 0 {
			room = min(room, 64)
		}
		n.chunk = &Chunk{Names: n.names, Width: len(row), cells: make([]driver.Value, 0, room*len(row))}
		n.chunks = append(n.chunks, n.chunk)
	}
	k := n.chunk
	for _, v := range row {
		switch x := v.(type) {
		case string:
			v = strings.Clone(x)
			k.Bytes += len(x)
		case []byte:
			v = append(make([]byte, 0, len(x)), x...)
			k.Bytes += len(x)
		}
		k.cells = append(k.cells, v)
	}
	k.N++
	k.Bytes += cellBytes * k.Width
	if k.N == n.size || k.Bytes >= ChunkBytes {
		n.chunk = nil
	}
}

// ReadRows runs a compiled query and returns its rows, in chunks of at most size.
func (r Runner) ReadRows(ctx context.Context, st Statement, size int) ([]*Chunk, error) {
	var n *collection
	collector := r.db.cfg.Drivers.Collector
	if _, ok := r.db.dialect.(SQLite); ok && collector != nil && r.db.cfg.DB == nil && 0 < len(st.columns) && len(st.columns) <= maxCollected {
		n = collector.begin(st.columns, size)
	}
	if n == nil {
		var chunks []*Chunk
		err := r.Read(ctx, st, size, func(c *Chunk) error {
			chunks = append(chunks, c)
			return nil
		})
		return chunks, err
	}
	defer collector.end(n)
	r.traced(st)
	args := append(slices.Clip(encodeArgs(r.db.dialect, st.Args)), n.id)
	err := r.with(ctx, func(c *conn) error {
		n.chunks, n.chunk = nil, nil
		return c.query(r.statementContext(ctx, st), st.collecting(), args, !st.Once, func(rows driver.Rows) error {
			return rows.Next(make([]driver.Value, 1))
		})
	})
	if err != nil {
		return nil, err
	}
	return n.chunks, nil
}

// collecting is the text that collects the statement's rows. Its LIMIT keeps
// SQLite from joining the two queries, and so from leaving out the order.
func (st Statement) collecting() string {
	var names, b strings.Builder
	for i := range st.columns {
		if i > 0 {
			names.WriteString(", ")
		}
		names.WriteString("c" + strconv.Itoa(i))
	}
	// No table can have a name that begins so.
	b.WriteString("WITH sqlite_rows (" + names.String() + ") AS (" + st.SQL)
	if st.endless {
		b.WriteString(" LIMIT -1")
	}
	b.WriteString(") SELECT count(" + CollectFunction + "(?, " + names.String() + ")) FROM sqlite_rows")
	return b.String()
}
