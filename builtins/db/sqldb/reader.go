package sqldb

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// chunkRows is how many rows a chunk holds: enough that its cost per row
// vanishes, few enough that it stays in the processor's cache.
const chunkRows = 1000

// ChunkBytes is about how much a chunk holds at most, so that wide rows come in
// smaller chunks than were asked for.
const ChunkBytes = 1 << 20

// Chunk is a run of rows as a database gave them. Its cells are converted by
// whoever touches them.
type Chunk struct {
	// Names are the columns' names, shared by all chunks of a result.
	Names []string
	// Types are the columns' types by what the driver tells; set for raw
	// statements alone.
	Types []ColumnType
	// Width is len(Names), N the number of rows.
	Width, N int
	// Bytes is about how much memory the cells take; of a chunk made by hand it
	// is not known.
	Bytes int

	cells []driver.Value // row by row, as drivers fill them
}

// cellBytes is what a cell takes beside its text or bytes.
const cellBytes = 24

// Cell returns a cell as the driver gave it: nil, int64, float64, bool,
// string, []byte or time.Time.
func (c *Chunk) Cell(row, column int) any { return c.cells[row*c.Width+column] }

// Keep replaces a cell by a value made of it, which Cell then returns. Two
// goroutines must not touch one cell.
func (c *Chunk) Keep(row, column int, v any) { c.cells[row*c.Width+column] = v }

// NewChunk makes a chunk of cells that stand row by row.
func NewChunk(names []string, cells []any) *Chunk {
	values := make([]driver.Value, len(cells))
	for i, v := range cells {
		values[i] = v
	}
	n := 0
	if len(names) > 0 {
		n = len(cells) / len(names)
	}
	return &Chunk{Names: names, Width: len(names), N: n, cells: values}
}

// Reader reads results. Runner is the one that goes through a driver; another
// may know a database's file format itself.
type Reader interface {
	// Read runs the statement and hands its rows to yield, at most size at a
	// time. yield must run no statement: the connection is in use.
	Read(ctx context.Context, st Statement, size int, yield func(*Chunk) error) error
}

var _ Reader = Runner{}

// Read runs the statement and hands its rows to yield, at most size at a time.
// It reads below database/sql's Scan: into a chunk's cells directly.
func (r Runner) Read(ctx context.Context, st Statement, size int, yield func(*Chunk) error) error {
	d, err := r.db.Dialect(ctx)
	if err != nil {
		return err
	}
	args := encodeArgs(d, st.Args)
	r.traced(st)
	var stop error // yield's own error is not the database's
	begin := &beginContext{Context: r.statementContext(ctx, st)}
	err = r.with(ctx, func(c *conn) error {
		return c.query(begin, st.SQL, args, !st.Once, func(rows driver.Rows) error {
			defer c.watch(ctx)()
			names := rows.Columns()
			if _, ok := d.(SQLite); ok {
				begin.begun.Store(true)
			} else {
				names = append([]string(nil), names...)
			}
			width := len(names)
			var types []ColumnType
			if st.raw {
				types = resultTypes(d, rows, width)
			}
			single := singles(d, rows, width)
			capacity := min(size, 64)
			for {
				chunk := &Chunk{Names: names, Types: types, Width: width, cells: make([]driver.Value, capacity*width)}
				var end error
				for chunk.N < size && chunk.Bytes < ChunkBytes {
					// Drivers watch the context, SQLite's until the first row only.
					if chunk.N%64 == 63 && ctx.Err() != nil {
						return ctx.Err()
					}
					if (chunk.N+1)*width > len(chunk.cells) {
						grown := make([]driver.Value, min(4*len(chunk.cells), size*width))
						copy(grown, chunk.cells)
						chunk.cells = grown
					}
					row := chunk.cells[chunk.N*width : (chunk.N+1)*width]
					if end = rows.Next(row); end != nil {
						clear(row)
						break
					}
					for i, v := range row {
						// The driver may use the bytes again for the next row.
						switch v := v.(type) {
						case string:
							chunk.Bytes += len(v)
						case []byte:
							chunk.Bytes += len(v)
							row[i] = append(make([]byte, 0, len(v)), v...) // never nil: that is NULL when bound
						case float32:
							row[i] = shortest(float64(v))
						case float64:
							if single != nil && single[i] {
								row[i] = shortest(v)
							}
						case uint64:
							row[i] = strconv.FormatUint(v, 10)
						}
					}
					chunk.N++
					chunk.Bytes += cellBytes * width
				}
				if end != nil && end != io.EOF {
					return end
				}
				if chunk.N > 0 {
					chunk.cells = chunk.cells[:chunk.N*width]
					if stop = yield(chunk); stop != nil {
						return nil
					}
				}
				if end == io.EOF {
					return nil
				}
				capacity = size
			}
		})
	})
	err = oversized(d, err, args)
	if st.Write {
		r.db.writes.Add(1)
	}
	if err != nil {
		return err
	}
	return stop
}

// singles tells which columns of PostgreSQL's are floats of 4 bytes, which its
// driver gives as ones of 8; nil when none is. MySQL's gives a float32.
func singles(d Dialect, rows driver.Rows, width int) (single []bool) {
	named, ok := rows.(driver.RowsColumnTypeDatabaseTypeName)
	if _, postgres := d.(PostgreSQL); !ok || !postgres {
		return nil
	}
	for i := range width {
		if strings.EqualFold(named.ColumnTypeDatabaseTypeName(i), "float4") {
			if single == nil {
				single = make([]bool, width)
			}
			single[i] = true
		}
	}
	return single
}

// shortest is the shortest decimal that means a float of 4 bytes: 0.1 and not
// 0.10000000149011612.
func shortest(v float64) float64 {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64)
	return v
}

// resultTypes asks the driver for the types of a result's columns.
func resultTypes(d Dialect, rows driver.Rows, width int) []ColumnType {
	types := make([]ColumnType, width)
	for i := range types {
		types[i].Scale = -1
	}
	named, ok := rows.(driver.RowsColumnTypeDatabaseTypeName)
	if !ok {
		return types
	}
	for i := range types {
		name := strings.ToLower(named.ColumnTypeDatabaseTypeName(i))
		switch d.(type) {
		case SQLite:
			types[i] = sqliteType(name)
		case PostgreSQL:
			types[i] = postgresType(postgresName(name), "", 0)
		case MySQL:
			name = strings.TrimPrefix(name, "unsigned ")
			types[i] = mysqlType(name, name, 0, -1)
		}
		types[i].SQL = ""
		if types[i].Kind == Other {
			types[i].Kind = Any
		}
	}
	return types
}

// postgresName is what a catalogue calls the type that the wire names.
func postgresName(name string) string {
	switch name {
	case "bool":
		return "boolean"
	case "int2", "int4", "int8":
		return "bigint"
	case "float4", "float8":
		return "double precision"
	case "timestamp":
		return "timestamp without time zone"
	case "timestamptz":
		return "timestamp with time zone"
	case "varchar", "bpchar":
		return "text"
	}
	return name
}

// ReadAll reads a whole result.
func (r Runner) ReadAll(ctx context.Context, st Statement) ([]*Chunk, error) {
	var chunks []*Chunk
	err := r.Read(ctx, st, chunkRows, func(c *Chunk) error {
		chunks = append(chunks, c)
		return nil
	})
	return chunks, err
}

// asText, asInt and asBool read cells of catalogue queries, where drivers
// differ in what they return.

func asText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}

func asInt(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	n, _ := strconv.ParseInt(asText(v), 10, 64)
	return n
}

func asBool(v any) bool {
	b, ok := v.(bool)
	return ok && b || !ok && asInt(v) != 0
}
