//go:build unix

package engine_test

import "syscall"

const brokenPipe = syscall.EPIPE
