//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package terminal

import "errors"

// HideInput is not available on this system.
func HideInput(any) (restore func(), err error) { return nil, errors.ErrUnsupported }
