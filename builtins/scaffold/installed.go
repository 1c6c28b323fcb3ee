package scaffold

// INSTALLED_APPS: adding an app where that is certain to mean what it says.

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine"
)

const settingsFile = "settings.star"

// install adds an app to INSTALLED_APPS in settings.star. note says that it
// did, or what is left to do; it is empty when every folder is installed.
func install(inv *engine.Invocation, root *os.Root, label string) (added bool, note string) {
	settings := inv.Settings()
	inForce, set := settings.Lookup("INSTALLED_APPS")
	if !set {
		return false, ""
	}
	byHand := fmt.Sprintf("Add %q to INSTALLED_APPS in %s: without it the app's commands are not found.", label, settings.File())
	if settings.File() != settingsFile {
		return false, byHand
	}
	info, err := root.Lstat(settingsFile)
	if err != nil || !info.Mode().IsRegular() {
		return false, byHand
	}
	src, err := root.ReadFile(settingsFile)
	if err != nil {
		return false, byHand
	}
	edited, before, ok := addLabel(string(src), label)
	if !ok || !same(inForce, before) || replaceFile(root, settingsFile, edited, info.Mode().Perm()) != nil {
		return false, byHand
	}
	return true, fmt.Sprintf("Added %q to INSTALLED_APPS in %s.", label, settingsFile)
}

// same reports whether the setting that is in force is the list that the file
// writes: not another that the program laid over it.
func same(inForce any, labels []string) bool {
	list, ok := inForce.([]any)
	return ok && slices.EqualFunc(list, labels, func(v any, label string) bool { return v == label })
}

// replaceFile writes a file beside the old one and puts it in its place.
func replaceFile(root *os.Root, name, body string, perm os.FileMode) (err error) {
	temporary := "." + name + ".new"
	w, err := root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = root.Remove(temporary)
		}
	}()
	_, err = w.WriteString(body)
	if chmod := w.Chmod(perm); err == nil { // what umask took
		err = chmod
	}
	if closing := w.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return root.Rename(temporary, name)
}

// addLabel adds a label to the list INSTALLED_APPS of a settings file's text,
// and returns the labels that it held. ok is false unless the edit is certain:
// the name stands in the file once, where a list of string literals is
// assigned to it at the top level.
func addLabel(src, label string) (edited string, before []string, ok bool) {
	list, before := literalList(src)
	if list == nil || strings.ContainsAny(src, "\r\ufeff") {
		return "", nil, false
	}
	open, closing := offset(src, list.Lbrack), offset(src, list.Rbrack)
	item := fmt.Sprintf("%q", label)
	if len(list.List) == 0 {
		if src[open:closing] != "[" {
			return "", nil, false // with a comment, say
		}
		edited = src[:closing] + item + src[closing:]
	} else {
		last := list.List[len(list.List)-1]
		start, end := last.Span()
		edited = insertAfter(src, item, offset(src, start), offset(src, end), closing)
	}
	if list, after := literalList(edited); list == nil || !slices.Equal(after, append(slices.Clone(before), label)) {
		return "", nil, false
	}
	return edited, before, true
}

// insertAfter puts an item behind the last of a list, which is src[start:end]:
// on a line of its own when the list ends on another line.
func insertAfter(src, item string, start, end, closing int) string {
	m := regexp.MustCompile(`^([ \t]*,)?[ \t]*(?:#[^\n]*)?\n`).FindStringSubmatchIndex(src[end:closing])
	if m == nil {
		return src[:end] + ", " + item + src[end:]
	}
	comma := ","
	if m[2] >= 0 {
		comma = ""
	}
	indent := src[strings.LastIndexByte(src[:start], '\n')+1 : start]
	if strings.TrimLeft(indent, " \t") != "" {
		indent = "    " // the last item stands behind others
	}
	return src[:end] + comma + src[end:end+m[1]] + indent + item + ",\n" + src[end+m[1]:]
}

// literalList returns the list of INSTALLED_APPS and its labels; nil when it is
// anything but one list of string literals.
func literalList(src string) (*syntax.ListExpr, []string) {
	options := &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}
	f, err := options.Parse(settingsFile, src, 0)
	if err != nil {
		return nil, nil
	}
	mentions := 0
	syntax.Walk(f, func(n syntax.Node) bool {
		if id, ok := n.(*syntax.Ident); ok && id.Name == "INSTALLED_APPS" {
			mentions++
		}
		return true
	})
	if mentions != 1 {
		return nil, nil
	}
	for _, stmt := range f.Stmts {
		assign, ok := stmt.(*syntax.AssignStmt)
		if !ok || assign.Op != syntax.EQ {
			continue
		}
		if id, ok := assign.LHS.(*syntax.Ident); !ok || id.Name != "INSTALLED_APPS" {
			continue
		}
		list, ok := assign.RHS.(*syntax.ListExpr)
		if !ok {
			return nil, nil
		}
		labels := []string{}
		for _, x := range list.List {
			literal, ok := x.(*syntax.Literal)
			if !ok || literal.Token != syntax.STRING {
				return nil, nil
			}
			labels = append(labels, literal.Value.(string))
		}
		return list, labels
	}
	return nil, nil
}

// offset is a position's place in the text: positions count characters.
func offset(src string, pos syntax.Position) int {
	at := 0
	for range pos.Line - 1 {
		at += strings.IndexByte(src[at:], '\n') + 1
	}
	for range pos.Col - 1 {
		_, size := utf8.DecodeRuneInString(src[at:])
		at += size
	}
	return at
}
