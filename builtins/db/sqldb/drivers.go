package sqldb

import "database/sql/driver"

// Drivers is what a program knows about the drivers that it links, and this
// package, which links none, does not. The zero value works: it is slower, and
// some statements outlive a run that is stopped.
type Drivers struct {
	// Collector reads SQLite's rows, where the program registered it with the
	// driver.
	Collector *Collector
	// Interrupt returns what ends the statement under way on a connection of
	// SQLite's driver, from another goroutine; nil where there is no way. Without
	// it a query ends with its context before its first row, and at each row, but
	// not on a long way between two of them.
	Interrupt func(driver.Conn) func()
	// Abandoned returns a channel that is closed once PostgreSQL's driver has
	// told the server to end the statement that a cancelled context left on a
	// connection; nil when it left none. Without it a program that ends at once
	// takes the request along, and the statement may be committed.
	Abandoned func(driver.Conn) <-chan struct{}
}
