package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// connector opens the connections of a database of ours: it runs the
// dialect's settings on each new one and keeps prepared statements with it.
type connector struct {
	driver driver.Driver
	next   driver.Connector // nil: driver has no connectors
	dsn    string
	target Target
	about  Drivers
}

func newConnector(d driver.Driver, dsn string, cfg Config) (*connector, error) {
	c := &connector{driver: d, dsn: dsn, target: cfg.Target, about: cfg.Drivers}
	if dc, ok := d.(driver.DriverContext); ok {
		next, err := dc.OpenConnector(dsn)
		if err != nil {
			return nil, err
		}
		c.next = next
	}
	return c, nil
}

func (c *connector) Driver() driver.Driver { return c.driver }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	k := &conn{Conn: dc, keep: !c.target.Dialect.cachesStatements()}
	switch c.target.Dialect.(type) {
	case SQLite:
		if c.about.Interrupt != nil {
			k.interrupt = c.about.Interrupt(dc)
		}
	case PostgreSQL:
		if c.about.Abandoned != nil {
			k.abandon = func() {
				told := c.about.Abandoned(dc)
				if told == nil {
					return
				}
				select {
				case <-told:
				case <-time.After(2 * time.Second):
				}
			}
		}
	}
	for _, s := range c.target.Dialect.setup(c.target) {
		_, err := k.exec(ctx, s, nil, false)
		if keepsJournal(s, err) {
			break
		}
		if err != nil {
			dc.Close()
			return nil, err
		}
	}
	if _, ok := c.target.Dialect.(MySQL); ok {
		var id int64
		err := k.query(ctx, "SELECT CONNECTION_ID()", nil, false, func(rows driver.Rows) error {
			row := make([]driver.Value, 1)
			if err := rows.Next(row); err != nil {
				return err
			}
			id = asInt(row[0])
			return nil
		})
		if err != nil {
			dc.Close()
			return nil, err
		}
		k.abandon = func() { c.kill(id) }
	}
	return k, nil
}

// connect opens a connection of the driver's.
func (c *connector) connect(ctx context.Context) (driver.Conn, error) {
	if c.next != nil {
		return c.next.Connect(ctx)
	}
	return c.driver.Open(c.dsn)
}

// kill ends a MySQL session whose statement was cancelled. The driver only
// closes its socket, which the server sees when the statement is done: a long
// one would hold its locks till then, and be committed outside a transaction.
func (c *connector) kill(session int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	dc, err := c.connect(ctx)
	if err != nil {
		return // the server will see in its own time
	}
	defer dc.Close()
	k := &conn{Conn: dc}
	_, _ = k.exec(ctx, "KILL "+strconv.FormatInt(session, 10), nil, false) // it may have ended
}

// maxStatements bounds the prepared statements kept with a connection.
const maxStatements = 100

// conn is a driver's connection with its prepared statements. Like every
// driver.Conn it is used by one goroutine at a time.
type conn struct {
	driver.Conn
	keep bool
	stmt map[string]driver.Stmt
	args []driver.NamedValue
	// closed: the server has closed it, which the driver does not know.
	closed bool
	// abandon ends a statement that was cancelled, where the driver leaves it
	// running; nil where it does not.
	abandon func()
	// interrupt ends a statement that gives rows, where the driver does so
	// until the first one only; nil where it cannot be done.
	interrupt func()
}

// watch interrupts the statement under way when the context ends. The function
// that it returns ends the watch: nothing is interrupted behind it.
func (c *conn) watch(ctx context.Context) (stop func()) {
	if c.interrupt == nil {
		return func() {}
	}
	over, quiet := make(chan struct{}), make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(quiet)
		for { // one that comes between two rows is lost
			c.interrupt()
			select {
			case <-over:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() {
		close(over)
		if !unwatch() {
			<-quiet
		}
	}
}

var (
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
)

// Close frees the statements and the connection.
func (c *conn) Close() error {
	for _, s := range c.stmt {
		s.Close()
	}
	c.stmt = nil
	return c.Conn.Close()
}

// prepared returns the kept statement for the text. fresh: it was not there
// before, and is not kept when once is set.
func (c *conn) prepared(ctx context.Context, text string, once bool) (s driver.Stmt, fresh bool, err error) {
	if s := c.stmt[text]; s != nil {
		return s, false, nil
	}
	if s, err = c.PrepareContext(ctx, text); err != nil {
		return nil, false, err
	}
	if once {
		return s, true, nil
	}
	if len(c.stmt) >= maxStatements {
		for text, old := range c.stmt {
			old.Close()
			delete(c.stmt, text)
			break
		}
	}
	if c.stmt == nil {
		c.stmt = map[string]driver.Stmt{}
	}
	c.stmt[text] = s
	return s, false, nil
}

func (c *conn) named(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, v := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.args
}

// exec runs a statement that gives no rows.
func (c *conn) exec(ctx context.Context, text string, args []any, keep bool) (driver.Result, error) {
	if c.keep && keep {
		s, fresh, err := c.prepared(ctx, text, false)
		switch {
		case err == nil:
			if fresh {
				defer s.Close()
			}
			return execStatement(ctx, s, c.named(args))
		case len(args) > 0 || !unpreparable(err):
			return nil, err
		}
	}
	if e, ok := c.Conn.(driver.ExecerContext); ok {
		r, err := e.ExecContext(ctx, text, c.named(args))
		if err != driver.ErrSkip {
			return r, err
		}
	}
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return execStatement(ctx, s, c.named(args))
}

var errNoContext = errors.New("the driver's statements take no context: it is too old")

func execStatement(ctx context.Context, s driver.Stmt, args []driver.NamedValue) (driver.Result, error) {
	sc, ok := s.(driver.StmtExecContext)
	if !ok {
		return nil, errNoContext
	}
	return sc.ExecContext(ctx, args)
}

// query runs a statement and hands its rows to read.
func (c *conn) query(ctx context.Context, text string, args []any, keep bool, read func(driver.Rows) error) (err error) {
	var rows driver.Rows
	direct := func() (err error) {
		if q, ok := c.Conn.(driver.QueryerContext); ok {
			rows, err = q.QueryContext(ctx, text, c.named(args))
		}
		if err == driver.ErrSkip {
			err = nil
		}
		return err
	}
	if !(c.keep && keep) {
		if err := direct(); err != nil {
			return err
		}
	}
	if rows == nil {
		s, fresh, err := c.prepared(ctx, text, !(c.keep && keep))
		switch {
		case err == nil:
			if fresh {
				defer s.Close()
			}
			sc, ok := s.(driver.StmtQueryContext)
			if !ok {
				return errNoContext
			}
			rows, err = sc.QueryContext(ctx, c.named(args))
		case len(args) == 0 && unpreparable(err):
			err = direct()
		}
		if err != nil {
			return err
		}
	}
	err = read(rows)
	if cerr := rows.Close(); err == nil {
		err = cerr
	}
	return err
}

// What follows makes a conn as able as the driver's own, for database/sql.

func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if e, ok := c.Conn.(driver.ExecerContext); ok {
		return e.ExecContext(ctx, text, args)
	}
	return nil, driver.ErrSkip
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if q, ok := c.Conn.(driver.QueryerContext); ok {
		return q.QueryContext(ctx, text, args)
	}
	return nil, driver.ErrSkip
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if p, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, text)
	}
	return c.Prepare(text)
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.Conn.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	return nil, errors.New("the driver begins no transactions with a context")
}

func (c *conn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *conn) IsValid() bool {
	if c.closed {
		return false
	}
	if v, ok := c.Conn.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

func (c *conn) Ping(ctx context.Context) error {
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if k, ok := c.Conn.(driver.NamedValueChecker); ok {
		return k.CheckNamedValue(v)
	}
	value, err := driver.DefaultParameterConverter.ConvertValue(v.Value)
	if err != nil {
		return fmt.Errorf("parameter %d: %w", v.Ordinal, err)
	}
	v.Value = value
	return nil
}
