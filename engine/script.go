package engine

// A command file: its attributes, and how its arguments reach handle.

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine/argparse"
	"github.com/starmanage/starmanage/internal/suggest"
)

// script is a command file that has been run: its top-level names.
type script struct {
	program *program
	globals starlark.StringDict
	loader  *loader
	handle  *starlark.Function
	addArgs *starlark.Function    // may be nil
	extra   []starlark.StringDict // by Extender: the attributes that it reads
}

// attributes are the top-level names that mean something in a command file,
// those of Extenders aside.
func attributes() []string {
	return []string{
		"add_arguments", "epilog", "examples", "handle", "help", "limits", "missing_args_message",
		"requires_system_checks", "stealth_options", "suppressed_base_arguments",
	}
}

// extenderAttributes are attributes that belong to modules: a program without
// the module refuses a file that sets one, rather than ignore it.
func extenderAttributes() []string {
	return []string{"atomic", "database", "isolated", "requires_migrations_checks"}
}

// loadScript runs a command file's top level and reads its attributes.
func (e *Engine) loadScript(ctx context.Context, ref commandRef, limits Limits) (*Command, error) {
	p, err := e.program(ref.app.tree, ref.file)
	if err != nil {
		return nil, err
	}
	ld := &loader{engine: e, ctx: ctx, predeclared: e.predeclared, steps: limits.Steps}
	globals, err := ld.exec(p)
	if err != nil {
		return nil, err
	}
	s := &script{program: p, globals: globals, loader: ld}
	return s.command(e, ref.name)
}

// command fills a Command from the file's attributes. All that is wrong with
// them is reported at once.
func (s *script) command(e *Engine, name string) (*Command, error) {
	c := &Command{Name: name, script: s, Help: firstParagraph(s.program.docs.doc)}
	var faults []Diagnostic
	fault := func(attr, format string, args ...any) {
		line, col := s.program.assigned(attr)
		faults = append(faults, Diagnostic{Line: line, Column: col, Message: fmt.Sprintf(format, args...)})
	}
	text := func(attr string, dst *string) {
		switch v := s.globals[attr].(type) {
		case nil:
		case starlark.String:
			*dst = dedent(string(v))
		default:
			fault(attr, "%s must be a string, not %s", attr, v.Type())
		}
	}
	words := func(attr string, dst *[]string) {
		if v, ok := s.globals[attr]; ok {
			list, err := stringList(v)
			if err != nil {
				fault(attr, "%s: %v", attr, err)
			}
			*dst = list
		}
	}
	text("help", &c.Help)
	text("epilog", &c.Epilog)
	text("missing_args_message", &c.MissingArgsMessage)
	words("stealth_options", &c.StealthOptions)
	words("suppressed_base_arguments", &c.SuppressedBaseArguments)
	if v, ok := s.globals["examples"]; ok {
		list, err := examplesOf(v)
		if err != nil {
			fault("examples", "examples: %v", err)
		}
		c.Examples = list
	}
	if v, ok := s.globals["limits"]; ok {
		l, err := limitsOf(v)
		if err != nil {
			fault("limits", "limits: %v", err)
		}
		c.Limits = l
	}
	if v, ok := s.globals["requires_system_checks"]; ok {
		tags, err := checkTags(v)
		if err != nil {
			fault("requires_system_checks", "requires_system_checks: %v", err)
		}
		c.SystemCheckTags = tags
	}
	s.function("handle", &s.handle, fault)
	s.function("add_arguments", &s.addArgs, fault)
	if s.handle == nil && s.globals["handle"] == nil {
		d := Diagnostic{Line: 1, Column: 1, Message: "the file has no handle", Hint: "Write the command's body as def handle(…):"}
		if close := suggest.Closest("handle", s.globals.Keys()); close != "" {
			d.Line, d.Column = s.program.assigned(close)
			d.Hint = fmt.Sprintf("Is %s meant to be it?", close)
		}
		faults = append(faults, d)
	}
	s.extended(e, fault)
	if faults != nil {
		return nil, scriptFault(s.program, faults...)
	}
	return c, nil
}

func (s *script) function(name string, dst **starlark.Function, fault func(attr, format string, args ...any)) {
	switch v := s.globals[name].(type) {
	case nil:
	case *starlark.Function:
		*dst = v
	default:
		fault(name, "%s must be a function, not %s", name, v.Type())
	}
}

// extended hands the attributes of Extenders over, and refuses those that no
// module of this program reads.
func (s *script) extended(e *Engine, fault func(attr, format string, args ...any)) {
	read := make(map[string]bool)
	for _, x := range e.extenders() {
		attrs := make(starlark.StringDict)
		for _, name := range x.Attributes() {
			read[name] = true
			if v, ok := s.globals[name]; ok {
				attrs[name] = v
			}
		}
		s.extra = append(s.extra, attrs)
	}
	for _, name := range extenderAttributes() {
		if s.globals.Has(name) && !read[name] {
			fault(name, "%s needs a module that this program does not have", name)
		}
	}
}

func (e *Engine) extenders() []Extender {
	var list []Extender
	for _, m := range e.cfg.Modules {
		if x, ok := m.(Extender); ok {
			list = append(list, x)
		}
	}
	return list
}

// checkTags reads requires_system_checks: "__all__", or a list of tags.
func checkTags(v starlark.Value) ([]string, error) {
	if s, ok := starlark.AsString(v); ok && s == "__all__" {
		return nil, nil
	}
	tags, err := stringList(v)
	if err != nil {
		return nil, fmt.Errorf("want [] or a list of tags, got %s", v.Type())
	}
	if tags == nil {
		tags = []string{}
	}
	return tags, nil
}

func examplesOf(v starlark.Value) ([]argparse.Example, error) {
	const want = "want a list of (command line, what it does)"
	seq, ok := v.(starlark.Sequence)
	if _, isDict := v.(*starlark.Dict); !ok || isDict {
		return nil, fmt.Errorf("%s, got %s", want, v.Type())
	}
	var list []argparse.Example
	iter := seq.Iterate()
	defer iter.Done()
	var item starlark.Value
	for iter.Next(&item) {
		pair, err := stringList(item)
		if err != nil || len(pair) != 2 {
			return nil, fmt.Errorf("%s, got the item %s", want, item)
		}
		list = append(list, argparse.Example{Line: pair[0], Help: pair[1]})
	}
	return list, nil
}

// declare runs add_arguments on a parser.
func (s *script) declare(inv *Invocation, p *argparse.Parser) (*parserFace, error) {
	face := &parserFace{inv: inv, declared: make(map[string]declared)}
	if s.addArgs != nil {
		thread := &starlark.Thread{Name: inv.name, Load: inv.loader.load, Print: refusePrint}
		limitSteps(thread, inv.limits.Steps, &inv.reached)
		stop := context.AfterFunc(inv.ctx, func() { thread.Cancel("the run was told to stop") })
		err := callAddArguments(thread, s.addArgs, &parserValue{face: face, parser: p})
		stop()
		face.closed = true
		if inv.ctx.Err() != nil || inv.reached != nil {
			return nil, inv.stopped(nil)
		}
		if err != nil {
			return nil, inv.engine.lift(thread, err)
		}
	}
	return face, nil
}

func callAddArguments(thread *starlark.Thread, fn *starlark.Function, parser starlark.Value) (err error) {
	defer recoverInto(&err)
	_, err = starlark.Call(thread, fn, starlark.Tuple{parser}, nil)
	return err
}

// mismatches compares handle's parameters with the declared arguments. all are
// the dests of the parser, those of base options and modules among them, which
// handle may take and need not.
func (s *script) mismatches(face *parserFace, all []string) []Diagnostic {
	var faults []Diagnostic
	var right []string // the parameters that arguments provide
	for i := range s.params() {
		name, pos := s.handle.Param(i)
		noValue := name == "help" || name == "version" // options that act, unless the command declares them
		if _, ok := face.declared[name]; ok || slices.Contains(all, name) && !noValue {
			right = append(right, name)
			continue
		}
		d := Diagnostic{Line: int(pos.Line), Column: int(pos.Col),
			Message: fmt.Sprintf("handle takes %q, which no argument provides", name),
			Hint:    fmt.Sprintf("Declare it in add_arguments(parser): parser.add_argument(%q)", "--"+strings.ReplaceAll(name, "_", "-"))}
		if close := suggest.Closest(name, face.dests(all)); noValue {
			d.Hint = fmt.Sprintf("--%s acts by itself and has no value: leave the parameter out.", name)
		} else if close != "" {
			d.Hint = fmt.Sprintf("Did you mean %q?", close)
		}
		faults = append(faults, d)
	}
	if s.handle.HasKwargs() {
		return faults
	}
	takes := make(map[string]bool)
	for i := range s.params() {
		name, _ := s.handle.Param(i)
		takes[name] = true
	}
	whole := slices.Clone(right) // what handle would take if it took all
	for _, dest := range face.dests(nil) {
		if !takes[dest] && isIdentifier(dest) {
			whole = append(whole, dest)
		}
	}
	for _, dest := range face.dests(nil) {
		decl := face.declared[dest]
		switch {
		case takes[dest], dest == "args" && s.handle.HasVarargs():
		case !isIdentifier(dest):
			faults = append(faults, Diagnostic{Line: decl.line, Column: decl.col,
				Message: fmt.Sprintf("%s arrives as %q, which cannot be a parameter of handle", decl.name, dest),
				Hint:    destHint(decl.name, dest)})
		default:
			faults = append(faults, Diagnostic{Line: decl.line, Column: decl.col,
				Message: fmt.Sprintf("%s is declared, and handle does not take %q", decl.name, dest),
				Hint:    fmt.Sprintf("Write def handle(%s), or take all with def handle(**options).", strings.Join(whole, ", "))})
		}
	}
	return faults
}

func destHint(name, dest string) string {
	safe := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, dest)
	if safe == dest || safe == "" || safe[0] >= '0' && safe[0] <= '9' {
		safe = strings.TrimLeft(safe, "0123456789") + "_"
	}
	if strings.HasPrefix(name, "-") {
		return fmt.Sprintf("Give it dest = %q, or take all with def handle(**options).", safe)
	}
	return fmt.Sprintf("Name it %q with metavar = %q, or take all with def handle(**options).", safe, name)
}

// params is the number of handle's named parameters.
func (s *script) params() int {
	n := s.handle.NumParams()
	if s.handle.HasVarargs() {
		n--
	}
	if s.handle.HasKwargs() {
		n--
	}
	return n
}

// isIdentifier reports whether a name can be a parameter: an identifier that
// is no keyword of Starlark, nor one that it reserves.
func isIdentifier(name string) bool {
	e, err := scriptOptions().ParseExpr("name", name, 0)
	if err != nil {
		return false
	}
	id, ok := e.(*syntax.Ident)
	return ok && id.Name == name
}

// run calls handle with the options, by name.
func (s *script) run(inv *Invocation) (starlark.Value, error) {
	inv.thread = inv.bindThread(inv.name)
	args, kwargs, err := s.arguments(inv)
	if err != nil {
		return nil, err
	}
	return inv.callScript(s.handle, args, kwargs)
}

func (s *script) arguments(inv *Invocation) (starlark.Tuple, []starlark.Tuple, error) {
	values := make(starlark.StringDict, len(inv.options))
	for dest, v := range inv.options {
		sv, err := starValue(v)
		if err != nil {
			return nil, nil, fmt.Errorf("argument %s: %w", dest, err)
		}
		values[dest] = sv
	}
	var args starlark.Tuple
	if s.handle.HasVarargs() {
		if seq, ok := values["args"].(starlark.Iterable); ok {
			iter := seq.Iterate()
			var v starlark.Value
			for iter.Next(&v) {
				args = append(args, v)
			}
			iter.Done()
			delete(values, "args")
		}
	}
	var kwargs []starlark.Tuple
	named := make(map[string]bool)
	for i := range s.params() {
		name, _ := s.handle.Param(i)
		named[name] = true
		v, ok := values[name]
		switch {
		case ok:
		case s.handle.ParamDefault(i) != nil:
			continue
		default:
			v = starlark.None // suppressed, or another sub-parser's
		}
		kwargs = append(kwargs, starlark.Tuple{starlark.String(name), v})
	}
	if s.handle.HasKwargs() {
		hidden := engineOnlyDests()
		for _, dest := range values.Keys() {
			if !named[dest] && !(slices.Contains(hidden, dest) && !inv.owns(dest)) {
				kwargs = append(kwargs, starlark.Tuple{starlark.String(dest), values[dest]})
			}
		}
	}
	if len(args) > 0 && len(named) > 0 {
		// def handle(x, *args): positional words would land in x.
		return s.positionalFirst(args, kwargs)
	}
	return args, kwargs, nil
}

// positionalFirst passes named parameters by position, so that *args starts
// behind them.
func (s *script) positionalFirst(rest starlark.Tuple, kwargs []starlark.Tuple) (starlark.Tuple, []starlark.Tuple, error) {
	byName := make(map[string]starlark.Value)
	for _, kv := range kwargs {
		byName[string(kv[0].(starlark.String))] = kv[1]
	}
	var args starlark.Tuple
	for i := range s.params() {
		name, _ := s.handle.Param(i)
		if i >= s.params()-s.handle.NumKwonlyParams() {
			break
		}
		v, ok := byName[name]
		if !ok {
			v = s.handle.ParamDefault(i)
		}
		args = append(args, v)
		delete(byName, name)
	}
	var left []starlark.Tuple
	for _, kv := range kwargs {
		if _, ok := byName[string(kv[0].(starlark.String))]; ok {
			left = append(left, kv)
		}
	}
	return append(args, rest...), left, nil
}

// assigned returns where a top-level name is bound; 0, 0 when it is not
// plainly there.
func (p *program) assigned(name string) (line, col int) {
	if pos, ok := p.analyse().bound[name]; ok {
		return int(pos.Line), int(pos.Col)
	}
	return 0, 0
}
