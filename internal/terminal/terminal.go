// Package terminal answers what the engine asks about a stream (is it a terminal,
// how wide), and how wide a text is on one.
package terminal

import (
	"os"

	"github.com/mattn/go-isatty"
)

// Is reports whether stream is a terminal: an *os.File is asked by ioctl
// (/dev/null is a character device and none), any other value by its method
// IsTerminal() bool, if it has one.
func Is(stream any) bool {
	switch s := stream.(type) {
	case *os.File:
		return s != nil && (isatty.IsTerminal(s.Fd()) || isatty.IsCygwinTerminal(s.Fd()))
	case interface{ IsTerminal() bool }:
		return s.IsTerminal()
	}
	return false
}

// Width returns the columns of the terminal behind stream: an *os.File is asked
// by ioctl, any other value by its method Width() (int, bool), if it has one. ok
// is false when it is no terminal or does not say.
func Width(stream any) (columns int, ok bool) {
	switch s := stream.(type) {
	case *os.File:
		if !Is(s) {
			return 0, false
		}
		n, err := width(s.Fd())
		return n, err == nil && n > 0
	case interface{ Width() (int, bool) }:
		return s.Width()
	}
	return 0, false
}
