package scaffold

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/starmanage/starmanage/engine"
)

// plant writes new files below root, and the folders that they stand in: all
// of them, or none when one cannot be written or ctx ends. No file is ever
// replaced, and no symbolic link leads out of root.
func plant(ctx context.Context, root *os.Root, files []file) (err error) {
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, name := range slices.Backward(made) {
			_ = root.Remove(name) // a folder that somebody has put something into meanwhile stays
		}
	}()
	for _, f := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, dir := range parents(f.path) {
			switch err := root.Mkdir(dir, 0o755); {
			case err == nil:
				made = append(made, dir)
			case !errors.Is(err, fs.ErrExist):
				return failed(root, dir, err)
			}
		}
		w, err := root.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return failed(root, f.path, err)
		}
		made = append(made, f.path)
		_, err = w.WriteString(f.body)
		if err = errors.Join(err, w.Close()); err != nil {
			return failed(root, f.path, err)
		}
	}
	return nil
}

// parents returns the folders of a path, the outermost first.
func parents(name string) []string {
	var dirs []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}

// failed is the error of a file or folder that could not be made.
func failed(root *os.Root, name string, err error) error {
	e := &engine.CommandError{Message: fmt.Sprintf("%s cannot be written: %v", quote(name), reason(err)), Err: err}
	where := filepath.Join(root.Name(), filepath.FromSlash(path.Dir(name)))
	switch {
	case errors.Is(err, fs.ErrExist):
		e.Message = quote(name) + " already exists"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "You may not write to " + where + "."
	case errors.Is(err, syscall.ENOTDIR):
		e.Hint = "There is a file where a folder should be: " + where + "."
	case strings.Contains(err.Error(), "path escapes from parent"):
		e.Message = fmt.Sprintf("%s cannot be written: a symbolic link leads out of %s", quote(name), root.Name())
	}
	return e
}

// reason drops the operation and the path of an error of the file system.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// absent refuses a file that is there already, a link that leads nowhere too.
func absent(root *os.Root, name string) error {
	_, err := root.Lstat(name)
	switch {
	case err == nil:
		return exists(name)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return failed(root, name, err)
}
