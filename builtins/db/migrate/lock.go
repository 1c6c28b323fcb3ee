package migrate

// One lock around a whole plan: advisory on servers, a locked file beside a
// SQLite database. The kernel or the server lets go of both when the process
// dies.

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

const (
	// advisoryKey is what PostgreSQL's lock is called: "starmana" in ASCII. The
	// lock belongs to one database.
	advisoryKey = "8319381555749416545"
	// lockSuffix makes the name of the file beside a SQLite database.
	lockSuffix = "-migrate"
	// lockPoll is how often a lock is asked for that another run has.
	lockPoll = 100 * time.Millisecond
)

// acquire waits for the lock. waiting is called once when another run has it.
// On servers the lock belongs to the session, on which the migrations run too:
// when its connection is lost, so is the right to go on. release is to be
// called before the session is closed.
func acquire(ctx context.Context, s *sqldb.Session, d sqldb.Dialect, file string, waiting func()) (release func(), err error) {
	var try func() (bool, error)
	switch d.Vendor() {
	case "postgresql":
		try = func() (bool, error) { return asks(ctx, s, "SELECT CAST(pg_try_advisory_lock("+advisoryKey+") AS int)") }
		release = func() { say(ctx, s, "SELECT pg_advisory_unlock("+advisoryKey+")") }
	case "mysql":
		// The name is the server's: the database is part of it.
		const name = "CONCAT('manage_migrate_', LEFT(SHA2(DATABASE(), 256), 40))"
		try = func() (bool, error) { return asks(ctx, s, "SELECT GET_LOCK("+name+", 0)") }
		release = func() { say(ctx, s, "SELECT RELEASE_LOCK("+name+")") }
	default:
		if file == "" {
			return func() {}, nil // in memory: nobody else sees it
		}
		var held *flock.Flock
		try = func() (ok bool, err error) { held, err = tryFile(file + lockSuffix); return held != nil, err }
		release = func() {
			// Whoever waits for the file that is removed here notices that it is
			// not the one in the folder any more.
			_ = os.Remove(held.Path())
			_ = held.Close()
		}
	}
	for first := true; ; first = false {
		ok, err := try()
		if err != nil {
			return nil, err
		}
		if ok {
			return release, nil
		}
		if first {
			waiting()
		}
		timer := time.NewTimer(lockPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// tryFile locks a file; nil when another process, or another run of this one,
// has it.
func tryFile(path string) (*flock.Flock, error) {
	lock := flock.New(path, flock.SetPermissions(0o644))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, &engine.CommandError{Message: fmt.Sprintf("the lock of the migrations cannot be taken: %v", err), Err: err,
			Hint: "The folder of the database has to exist, and to be writable."}
	}
	if ok {
		mine, err1 := lock.Stat()
		there, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			return lock, nil
		}
	}
	return nil, lock.Close()
}

// asks runs a query of one number and reports whether that is 1.
func asks(ctx context.Context, s *sqldb.Session, sql string) (bool, error) {
	chunks, err := s.Runner().ReadAll(ctx, sqldb.Statement{SQL: sql, Once: true})
	if err != nil {
		return false, err
	}
	if count(chunks) != 1 {
		return false, fmt.Errorf("the database did not answer %s", sql)
	}
	return text(chunks[0].Cell(0, 0)) == "1", nil
}

// say runs a query whose answer does not matter: closing the connection does
// the same.
func say(ctx context.Context, s *sqldb.Session, sql string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = s.Runner().ReadAll(ctx, sqldb.Statement{SQL: sql, Once: true})
}
