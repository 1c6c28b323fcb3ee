package engine

// Source files: read, parsed, resolved and compiled once per content.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/internal/pyhint"
	"github.com/starmanage/starmanage/internal/snippet"
	"github.com/starmanage/starmanage/internal/suggest"
)

// maxSource is the largest file that is compiled: a script is text that people
// read, and the parser's memory is many times a file's size.
const maxSource = 1 << 20

// scriptOptions is the dialect of every file but settings.star.
func scriptOptions() *syntax.FileOptions {
	return &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, Recursion: true}
}

// settingsOptions allows a setting to be assigned twice.
func settingsOptions() *syntax.FileOptions {
	opts := scriptOptions()
	opts.GlobalReassign = true
	return opts
}

// sourceFile names a file of a tree.
type sourceFile struct {
	tree    *tree
	path    string // within tree
	display string // in messages
}

// program is a compiled file, or what is wrong with it.
type program struct {
	file        *sourceFile
	src         []byte
	options     *syntax.FileOptions
	predeclared starlark.StringDict

	code *starlark.Program
	docs docs
	err  *ScriptError // when not nil, code is nil

	analysed sync.Once
	facts    *facts // made by analyse
}

// docs is what the list of commands shows: read without running the file.
type docs struct {
	help    string // the help attribute, when it is a literal
	doc     string // the docstring
	literal bool   // help is absent or a literal
}

// summary returns the text that describes the command.
func (d docs) summary() string {
	if d.help != "" {
		return d.help
	}
	return firstParagraph(d.doc)
}

// programCache holds the compiled files of an Engine by path and content.
type programCache struct {
	mu    sync.Mutex
	files map[programKey]*program
	texts map[string][]byte // by name in messages: the settings' files, which are not cached
}

type programKey struct {
	tree *tree
	path string
}

// program returns a file compiled: again when its content changed. The error
// is one of reading; what is wrong with the text is in the program.
func (e *Engine) program(t *tree, name string) (*program, error) {
	src, err := readSource(t, name)
	if err != nil {
		return nil, err
	}
	key := programKey{t, name}
	e.programs.mu.Lock()
	cached := e.programs.files[key]
	e.programs.mu.Unlock()
	if cached != nil && bytes.Equal(cached.src, src) {
		return cached, nil
	}
	p := compileSource(&sourceFile{tree: t, path: name, display: t.display(name)}, src, scriptOptions(), e.predeclared)
	e.programs.mu.Lock()
	defer e.programs.mu.Unlock()
	if e.programs.files == nil {
		e.programs.files = make(map[programKey]*program)
	}
	e.programs.files[key] = p
	return p, nil
}

// keepText keeps the text of a file for tracebacks.
func (e *Engine) keepText(display string, src []byte) {
	e.programs.mu.Lock()
	defer e.programs.mu.Unlock()
	if e.programs.texts == nil {
		e.programs.texts = make(map[string][]byte)
	}
	e.programs.texts[display] = src
}

// source returns the text of a file that was compiled, for tracebacks.
func (e *Engine) source(display string) []byte {
	e.programs.mu.Lock()
	defer e.programs.mu.Unlock()
	for _, p := range e.programs.files {
		if p.file.display == display {
			return p.src
		}
	}
	return e.programs.texts[display]
}

// readSource reads a file that holds a script.
func readSource(t *tree, name string) ([]byte, error) {
	src, err := readText(t.fsys, name)
	if e, ok := errors.AsType[*sizeError](err); ok {
		return nil, fileError(t.display(name), e.Error(), "Move data into files that the command reads.", nil)
	}
	if err != nil {
		return nil, unreadable(t.display(name), err)
	}
	return src, nil
}

// byteOrderMark is what some editors put before a text; Python drops it too.
const byteOrderMark = "\ufeff"

// readText returns a file's text, without a byte order mark. It opens regular
// files alone: opening a named pipe waits for its writer, and no context ends
// that.
func readText(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if info.Size() > maxSource {
		return nil, &sizeError{info.Size()}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return nil, err
	}
	if len(src) > maxSource {
		return nil, &sizeError{int64(len(src))}
	}
	return bytes.TrimPrefix(src, []byte(byteOrderMark)), nil
}

// sizeError is a file that is too large for a script.
type sizeError struct{ size int64 }

func (e *sizeError) Error() string {
	return fmt.Sprintf("has %d bytes: a file of commands has %d at most", e.size, maxSource)
}

// unreadable is the error of a file that is there and cannot be read.
func unreadable(display string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrPermission):
		hint = "Let the user that runs the command read it."
	case strings.Contains(err.Error(), "escapes"):
		err = errors.New("it leads out of the project")
		hint = "Copy the file into the project: nothing outside it is loaded. A link within it must be relative."
	}
	return fileError(display, "cannot be read: "+plainPathError(err).Error(), hint, err)
}

func fileError(display, message, hint string, err error) error {
	return &ScriptError{Message: message, Hint: hint, Err: err, Diagnostics: []Diagnostic{{File: display, Message: message, Hint: hint}}}
}

// compileSource parses, resolves and compiles a text. predeclared must be
// exactly what the program will be run with.
func compileSource(file *sourceFile, src []byte, opts *syntax.FileOptions, predeclared starlark.StringDict) (p *program) {
	p = &program{file: file, src: src, options: opts, predeclared: predeclared}
	defer p.recoverFault()
	tree := p.parse()
	if tree == nil {
		return p
	}
	p.docs = readDocs(tree)
	code, err := starlark.FileProgram(tree, p.predeclared.Has)
	if err != nil {
		p.err = staticError(p, err)
		return p
	}
	p.code = code
	return p
}

// parse returns the file's tree; nil when it has none, and then p.err is set.
func (p *program) parse() *syntax.File {
	if d, bad := notText(p.src); bad {
		p.err = scriptFault(p, d)
		return nil
	}
	tree, err := p.options.Parse(p.file.display, p.src, 0)
	if err != nil {
		p.err = staticError(p, err)
		return nil
	}
	return tree
}

// recoverFault keeps a panic of the parser's or the compiler's as the file's
// fault.
func (p *program) recoverFault() {
	if r := recover(); r != nil {
		p.code, p.err = nil, scriptFault(p, Diagnostic{Message: "the parser failed on this file: " + firstLine(fmt.Sprint(r))})
		p.err.Err = &InternalError{Value: r, Stack: string(debug.Stack())}
	}
}

// parseDocs reads what the list of commands shows off a file's text. Names
// that do not resolve are check's to find.
func parseDocs(file *sourceFile, src []byte) (d docs, err error) {
	p := &program{file: file, src: src, options: scriptOptions()}
	func() {
		defer p.recoverFault()
		if tree := p.parse(); tree != nil {
			d = readDocs(tree)
		}
	}()
	if p.err != nil {
		return d, p.err
	}
	return d, nil
}

// notText finds the first byte that is no UTF-8 text.
func notText(src []byte) (Diagnostic, bool) {
	line, col := 1, 1
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return Diagnostic{Line: line, Column: col, Message: fmt.Sprintf("byte 0x%02x is not UTF-8", src[i]), Hint: "Save the file as UTF-8."}, true
		case r == 0:
			return Diagnostic{Line: line, Column: col, Message: "a NUL byte stands here", Hint: "This is no text file."}, true
		case r == '\n':
			line, col = line+1, 0
		}
		col++
		i += size
	}
	return Diagnostic{}, false
}

// staticError gives the parser's or the resolver's errors their source lines
// and hints.
func staticError(p *program, err error) *ScriptError {
	var faults []Diagnostic
	if list, ok := errors.AsType[resolve.ErrorList](err); ok {
		for _, e := range list {
			faults = append(faults, diagnose(p, e.Pos, e.Msg))
		}
		p.guess(faults)
	} else if e, ok := errors.AsType[syntax.Error](err); ok {
		faults = append(faults, diagnose(p, e.Pos, e.Msg))
	} else {
		faults = append(faults, Diagnostic{Message: err.Error()})
	}
	return scriptFault(p, faults...)
}

func diagnose(p *program, pos syntax.Position, msg string) Diagnostic {
	d := Diagnostic{Line: int(pos.Line), Column: int(pos.Col), Message: msg}
	advice := pyhint.Explain(p.src, d.Line, d.Column, msg)
	if advice.Message != "" {
		d.Message = advice.Message
	}
	if advice.Line > 0 {
		d.Line, d.Column = advice.Line, advice.Col
	}
	d.Hint = advice.Hint
	return d
}

// guess offers the name that an undefined one is probably a slip of. The
// resolver's own guess is dropped: it does not know what is predeclared.
func (p *program) guess(faults []Diagnostic) {
	var undefined []string
	for i := range faults {
		name, ok := strings.CutPrefix(faults[i].Message, "undefined: ")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, " ")
		faults[i].Message = "undefined: " + name
		undefined = append(undefined, name)
	}
	if undefined == nil {
		return
	}
	names := slices.Concat(p.predeclared.Keys(), starlark.Universe.Keys(), p.identifiers(undefined))
	for i := range faults {
		name, ok := strings.CutPrefix(faults[i].Message, "undefined: ")
		if ok && faults[i].Hint == "" {
			if close := suggest.Closest(name, names); close != "" {
				faults[i].Hint = fmt.Sprintf("Did you mean %s?", close)
			}
		}
	}
}

// identifiers returns the names that the file uses, but for some.
func (p *program) identifiers(but []string) []string {
	tree, err := p.options.Parse(p.file.display, p.src, 0)
	if err != nil {
		return nil
	}
	var names []string
	attr := make(map[*syntax.Ident]bool)
	syntax.Walk(tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DotExpr:
			attr[n.Name] = true
		case *syntax.Ident:
			if !attr[n] && !slices.Contains(but, n.Name) {
				names = append(names, n.Name)
			}
		}
		return true
	})
	return names
}

// scriptFault completes diagnostics with the file's name and source lines.
func scriptFault(p *program, faults ...Diagnostic) *ScriptError {
	for i := range faults {
		d := &faults[i]
		d.File = p.file.display
		if d.Line > 0 && d.Snippet == "" {
			text, caret := snippet.At(p.src, d.Line, d.Column)
			d.Snippet = text + "\n" + caret
		}
	}
	return &ScriptError{Message: faults[0].Message, Hint: faults[0].Hint, Diagnostics: faults}
}

// readDocs reads help and docstring off a tree that has not been resolved.
func readDocs(tree *syntax.File) docs {
	d := docs{literal: true}
	for i, stmt := range tree.Stmts {
		switch stmt := stmt.(type) {
		case *syntax.ExprStmt:
			if text, ok := literalString(stmt.X); ok && i == 0 {
				d.doc = dedent(text)
			}
		case *syntax.AssignStmt:
			id, ok := stmt.LHS.(*syntax.Ident)
			if !ok || id.Name != "help" || stmt.Op != syntax.EQ {
				continue
			}
			d.help, d.literal = literalString(stmt.RHS)
		}
	}
	return d
}

// literalString evaluates a string literal, or several joined by +.
func literalString(e syntax.Expr) (string, bool) {
	switch e := e.(type) {
	case *syntax.Literal:
		s, ok := e.Value.(string)
		return s, ok && e.Token == syntax.STRING
	case *syntax.ParenExpr:
		return literalString(e.X)
	case *syntax.BinaryExpr:
		if e.Op != syntax.PLUS {
			return "", false
		}
		x, ok1 := literalString(e.X)
		y, ok2 := literalString(e.Y)
		return x + y, ok1 && ok2
	}
	return "", false
}

// dedent removes the indentation that the lines of a docstring share, as
// Python's inspect.cleandoc.
func dedent(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	margin := -1
	for _, line := range lines[1:] {
		if body := strings.TrimLeft(line, " \t"); body != "" {
			if n := len(line) - len(body); margin < 0 || n < margin {
				margin = n
			}
		}
	}
	for i := range lines {
		if i == 0 {
			lines[i] = strings.TrimLeft(lines[i], " \t")
		} else if margin > 0 && len(lines[i]) >= margin {
			lines[i] = lines[i][margin:]
		}
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// firstParagraph returns the text up to the first blank line, on one line.
func firstParagraph(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.Index(s, "\n\n"); i >= 0 {
		s = s[:i]
	}
	return strings.Join(strings.Fields(s), " ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}
