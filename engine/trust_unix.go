//go:build unix

package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// trusted refuses a folder, or a settings file in it, that another user (root
// aside) could have put in the way of a search: git's rule for repositories
// (safe.directory in git-config).
func trusted(dir, settings string) error {
	for _, name := range []string{dir, filepath.Join(dir, settings)} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		what := "the folder"
		if name != dir {
			what = settings
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
			return fmt.Errorf("%s belongs to another user (uid %d)", what, stat.Uid)
		}
		if info.Mode().Perm()&0o002 != 0 {
			return fmt.Errorf("%s is writable by everyone", what)
		}
	}
	return nil
}
