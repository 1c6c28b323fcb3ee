//go:build !unix

package engine_test

import "io"

var brokenPipe = io.ErrClosedPipe
