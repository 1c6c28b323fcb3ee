package engine

// Where an argument with secret=True is read when it is not on the command
// line.

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/internal/terminal"
)

func (inv *Invocation) secrets() argparse.Secrets {
	s := argparse.Secrets{
		ReadFile: os.ReadFile, // the operator names it, so it may lie anywhere
		ReadStdin: func() (string, error) {
			text, err := inv.stdin.ReadAll(inv.ctx)
			return strings.TrimRight(text, "\r\n"), err
		},
	}
	if inv.stdin.Terminal() && inv.errSink != nil {
		s.Prompt = func(label string) (string, error) { return inv.AskSecret(inv.ctx, label+": ") }
	}
	return s
}

// AskSecret asks on the terminal for a line that is not shown. It fails when
// stdin is no terminal.
func (inv *Invocation) AskSecret(ctx context.Context, prompt string) (string, error) {
	if !inv.stdin.Terminal() {
		return "", fmt.Errorf("stdin is no terminal to ask on")
	}
	restore, err := terminal.HideInput(inv.stdin.src)
	if err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	defer restore()
	if err := inv.stdout.Flush(); err != nil {
		return "", err
	}
	fmt.Fprint(inv.stderr, prompt)
	line, err := inv.stdin.ReadLine(ctx)
	fmt.Fprintln(inv.stderr)
	return line, err
}
