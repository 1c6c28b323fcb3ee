package engine

// The core commands: help, version and check. They are an App like any other.

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/internal/terminal"
)

func coreApp() App {
	return App{Label: builtinLabel, Commands: []Command{
		{Name: "help", Help: "List the commands, or show the help of one.", AddArguments: helpArguments, Handle: runHelp, SystemCheckTags: []string{}},
		{Name: "version", Help: "Show the program's version.", Handle: runVersion, SystemCheckTags: []string{}},
		checkCommand(),
	}}
}

func runVersion(_ context.Context, inv *Invocation) (any, error) {
	return inv.engine.cfg.Version, nil
}

func helpArguments(p *argparse.Parser) error {
	return addAll(p, []argparse.Argument{
		{Names: []string{"command_name"}, Nargs: argparse.Optional, Metavar: []string{"command"}, Help: "the command to explain"},
		{Names: []string{"--commands"}, Action: argparse.ActionStoreTrue, Help: "print the names alone, one a line"},
	})
}

func runHelp(ctx context.Context, inv *Invocation) (any, error) {
	if name, ok := inv.Option("command_name").(string); ok {
		return nil, inv.helpOf(ctx, name)
	}
	refs := inv.project.list()
	if only, _ := inv.Option("commands").(bool); only {
		var names []string
		for _, ref := range refs {
			names = append(names, ref.name)
		}
		slices.Sort(names)
		_, err := fmt.Fprintln(inv.stdout, strings.Join(names, "\n"))
		return nil, err
	}
	return nil, inv.listCommands(refs)
}

func (inv *Invocation) helpOf(ctx context.Context, name string) error {
	ref, err := inv.project.lookup(name)
	if err != nil {
		return err
	}
	other, err := inv.engine.prepare(ctx, ref, request{project: inv.project, parent: inv})
	if err != nil {
		return err
	}
	p, err := other.parser()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(inv.stdout, p.FormatHelp())
	return err
}

// listCommands prints the list: a heading per app, sorted, then its commands
// with the first line of their help.
func (inv *Invocation) listCommands(refs []commandRef) error {
	groups := make(map[string][]commandRef)
	var labels []string
	longest := 0
	for _, ref := range refs {
		label := ref.app.label
		if ref.app.builtin {
			label = builtinLabel
		}
		if groups[label] == nil {
			labels = append(labels, label)
		}
		groups[label] = append(groups[label], ref)
		longest = max(longest, terminal.Columns(ref.name))
	}
	slices.Sort(labels)
	width := inv.stdout.Width()
	var b strings.Builder
	b.WriteString("Type 'manage help <command>' for help on one command.\n")
	for _, label := range labels {
		group := groups[label]
		slices.SortFunc(group, func(x, y commandRef) int { return cmp.Compare(x.name, y.name) })
		fmt.Fprintf(&b, "\n[%s]\n", label)
		for _, ref := range group {
			pad := strings.Repeat(" ", min(longest, 24)-min(terminal.Columns(ref.name), 24))
			b.WriteString(cut(strings.TrimRight("  "+ref.name+pad+"  "+inv.engine.summary(ref), " "), width))
			b.WriteByte('\n')
		}
	}
	if _, err := fmt.Fprint(inv.stdout, b.String()); err != nil {
		return err
	}
	if inv.project.tree == nil {
		_, err := fmt.Fprintf(inv.stdout, "\nThere is no project here: neither %s nor a folder %s in this folder or above it.\n", settingsFile, appsDir)
		return err
	}
	if inv.project.broken != nil {
		_, err := fmt.Fprintf(inv.stdout, "\nThe commands of the project are not listed, because its settings do not work:\n%s\n", inv.project.broken)
		return err
	}
	return nil
}

// summary is a command's line in the list; a file is read but not run.
func (e *Engine) summary(ref commandRef) string {
	if ref.goc != nil {
		return firstLine(ref.goc.Help)
	}
	src, err := readSource(ref.app.tree, ref.file)
	if err == nil {
		var docs docs
		if docs, err = parseDocs(&sourceFile{tree: ref.app.tree, path: ref.file, display: ref.display()}, src); err == nil {
			return firstLine(docs.summary())
		}
	}
	return "(broken: " + firstLine(err.Error()) + ")"
}

// cut shortens a line to a width in columns. Control characters, which would
// act on the terminal, are left out.
func cut(line string, width int) string {
	line = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, line)
	if width < 20 {
		return line
	}
	return terminal.Cut(line, width)
}
