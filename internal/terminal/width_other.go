//go:build !unix && !windows

package terminal

import "errors"

func width(uintptr) (int, error) { return 0, errors.ErrUnsupported }
