package terminal

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// HideInput stops the console behind stream from showing what is typed, until
// restore is called.
func HideInput(stream any) (restore func(), err error) {
	f, ok := stream.(*os.File)
	if !ok {
		return nil, errors.New("not a terminal")
	}
	h := windows.Handle(f.Fd())
	var old uint32
	if err := windows.GetConsoleMode(h, &old); err != nil {
		return nil, err
	}
	if err := windows.SetConsoleMode(h, old&^windows.ENABLE_ECHO_INPUT); err != nil {
		return nil, err
	}
	return func() { _ = windows.SetConsoleMode(h, old) }, nil
}
