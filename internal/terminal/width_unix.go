//go:build unix

package terminal

import "golang.org/x/sys/unix"

func width(fd uintptr) (int, error) {
	ws, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	if err != nil {
		return 0, err
	}
	return int(ws.Col), nil
}
