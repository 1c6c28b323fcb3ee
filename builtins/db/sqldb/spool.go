package sqldb

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

// spoolMemory is how much of a result stays in memory.
const spoolMemory = 8 << 20

// Spool is a result that was read whole: no connection is in use while it is
// walked. Beyond 8 MB it lies in a temporary file. It belongs to one goroutine;
// Close it.
type Spool struct {
	names  []string
	types  []ColumnType
	chunks []*Chunk // in memory
	file   *os.File
	in     *bufio.Reader
	size   int
	left   int // rows in the file
	buf    []byte
}

// NewSpool runs a statement and reads its rows, which Next then gives size at
// a time.
func NewSpool(ctx context.Context, r Runner, st Statement, size int) (*Spool, error) {
	s := &Spool{size: size}
	var held int
	var out *bufio.Writer
	err := r.Read(ctx, st, size, func(c *Chunk) error {
		s.names, s.types = c.Names, c.Types
		if out == nil {
			s.chunks = append(s.chunks, c)
			if held += c.Bytes; held <= spoolMemory {
				return nil
			}
			f, err := os.CreateTemp("", "manage-spool-*")
			if err != nil {
				return fmt.Errorf("a result beyond 8 MB needs a temporary file: %w", err)
			}
			s.file = f
			// Nobody else finds it, and it goes with the process.
			_ = os.Remove(f.Name())
			out = bufio.NewWriterSize(f, 1<<16)
			for _, c := range s.chunks {
				if err := s.write(out, c); err != nil {
					return err
				}
			}
			s.chunks = nil
			return nil
		}
		return s.write(out, c)
	})
	if err == nil && out != nil {
		if err = out.Flush(); err == nil {
			_, err = s.file.Seek(0, io.SeekStart)
		}
		s.in = bufio.NewReaderSize(s.file, 1<<16)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Next returns the next rows; nil at the end.
func (s *Spool) Next() (*Chunk, error) {
	if s.in == nil {
		if len(s.chunks) == 0 {
			return nil, nil
		}
		c := s.chunks[0]
		s.chunks[0] = nil
		s.chunks = s.chunks[1:]
		return c, nil
	}
	if s.left == 0 {
		return nil, nil
	}
	cells := make([]any, 0, min(s.left, s.size)*len(s.names))
	for held := 0; s.left > 0 && len(cells) < s.size*len(s.names) && held < ChunkBytes; s.left-- {
		for range s.names {
			v, err := s.cell()
			if err != nil {
				return nil, fmt.Errorf("the temporary file of a result: %w", err)
			}
			switch v := v.(type) {
			case string:
				held += len(v)
			case []byte:
				held += len(v)
			}
			cells = append(cells, v)
		}
	}
	c := NewChunk(s.names, cells)
	c.Types = s.types
	return c, nil
}

// Close removes the temporary file.
func (s *Spool) Close() {
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
	s.chunks, s.left = nil, 0
}

func (s *Spool) write(w *bufio.Writer, c *Chunk) error {
	s.left += c.N
	b := s.buf
	for _, v := range c.cells {
		b = b[:0]
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.AppendVarint(append(b, 'i'), v)
		case float64:
			b = binary.LittleEndian.AppendUint64(append(b, 'f'), math.Float64bits(v))
		case bool:
			b = append(b, 'F')
			if v {
				b[0] = 'T'
			}
		case string:
			b = binary.AppendUvarint(append(b, 's'), uint64(len(v)))
			b = append(b, v...)
		case []byte:
			b = binary.AppendUvarint(append(b, 'b'), uint64(len(v)))
			b = append(b, v...)
		case time.Time:
			b = binary.AppendVarint(append(b, 't'), v.Unix())
			b = binary.AppendVarint(b, int64(v.Nanosecond()))
		default:
			return fmt.Errorf("the driver gave a %T", v)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	s.buf = b
	return nil
}

func (s *Spool) cell() (any, error) {
	tag, err := s.in.ReadByte()
	if err != nil {
		return nil, err
	}
	switch tag {
	case 'n':
		return nil, nil
	case 'T', 'F':
		return tag == 'T', nil
	case 'i':
		return binary.ReadVarint(s.in)
	case 'f':
		var b [8]byte
		_, err := io.ReadFull(s.in, b[:])
		return math.Float64frombits(binary.LittleEndian.Uint64(b[:])), err
	case 't':
		sec, err := binary.ReadVarint(s.in)
		if err != nil {
			return nil, err
		}
		ns, err := binary.ReadVarint(s.in)
		return time.Unix(sec, ns).UTC(), err
	case 's', 'b':
		n, err := binary.ReadUvarint(s.in)
		if err != nil {
			return nil, err
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(s.in, b); err != nil {
			return nil, err
		}
		if tag == 's' {
			return string(b), nil
		}
		return b, nil
	}
	return nil, errors.New("damaged")
}
