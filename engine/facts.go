package engine

// What a file's text says without being run: for check, and for the warnings
// before a run.

import (
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// facts is what analyse finds in a file.
type facts struct {
	bound      map[string]syntax.Position // top-level names
	reads      map[string]bool            // globals that the file reads
	attributes []attributeUse
	calls      []commandCall
	handle     *syntax.DefStmt
	body       bodyFacts
}

// attributeUse is name.attr where name is predeclared.
type attributeUse struct {
	name, attr string
	pos        syntax.Position
}

// commandCall is call_command("name", …) with a literal name.
type commandCall struct {
	name    string
	pos     syntax.Position
	options []namedPos // keyword arguments
}

type namedPos struct {
	name string
	pos  syntax.Position
}

// bodyFacts is how handle uses its parameters.
type bodyFacts struct {
	reads map[string]bool            // names that it reads
	calls map[string]syntax.Position // names that it calls
	attrs map[string]namedPos        // names that it takes an attribute of, and the first of those
	keys  map[string]bool            // options["key"] and options.get("key")
	whole bool                       // the ** parameter is used in another way too
}

// analyse parses and resolves the text once more (compiling changed the tree)
// and walks it. It may be called by many goroutines.
func (p *program) analyse() *facts {
	p.analysed.Do(func() {
		p.facts = &facts{bound: map[string]syntax.Position{}, reads: map[string]bool{}}
		defer func() { _ = recover() }() // what the parser cannot take is reported by compiling
		tree, err := p.options.Parse(p.file.display, p.src, 0)
		if err != nil || resolve.File(tree, p.predeclared.Has, starlark.Universe.Has) != nil {
			return
		}
		p.facts.walk(tree)
	})
	return p.facts
}

func (f *facts) walk(tree *syntax.File) {
	for _, stmt := range tree.Stmts {
		f.bind(stmt)
	}
	written := make(map[*syntax.Ident]bool)
	syntax.Walk(tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.AssignStmt:
			if id, ok := n.LHS.(*syntax.Ident); ok && n.Op == syntax.EQ {
				written[id] = true
			}
		case *syntax.DefStmt:
			written[n.Name] = true
		case *syntax.Ident:
			if scopeOf(n) == resolve.Global && !written[n] {
				f.reads[n.Name] = true
			}
		case *syntax.DotExpr:
			if id, ok := n.X.(*syntax.Ident); ok && scopeOf(id) == resolve.Predeclared {
				f.attributes = append(f.attributes, attributeUse{id.Name, n.Name.Name, n.Name.NamePos})
			}
		case *syntax.CallExpr:
			f.call(n)
		}
		return true
	})
	if f.handle != nil {
		f.body = readBody(f.handle)
	}
}

func scopeOf(id *syntax.Ident) resolve.Scope {
	if b, ok := id.Binding.(*resolve.Binding); ok && b != nil {
		return b.Scope
	}
	return resolve.Undefined
}

// bind records the names that a top-level statement binds.
func (f *facts) bind(stmt syntax.Stmt) {
	note := func(e syntax.Expr) {
		if id, ok := e.(*syntax.Ident); ok {
			if _, seen := f.bound[id.Name]; !seen {
				f.bound[id.Name] = id.NamePos
			}
		}
	}
	switch stmt := stmt.(type) {
	case *syntax.AssignStmt:
		note(stmt.LHS)
	case *syntax.DefStmt:
		note(stmt.Name)
		if stmt.Name.Name == "handle" {
			f.handle = stmt
		}
	case *syntax.IfStmt:
		for _, s := range stmt.True {
			f.bind(s)
		}
		for _, s := range stmt.False {
			f.bind(s)
		}
	}
}

func (f *facts) call(n *syntax.CallExpr) {
	id, ok := n.Fn.(*syntax.Ident)
	if !ok || id.Name != "call_command" || scopeOf(id) != resolve.Predeclared || len(n.Args) == 0 {
		return
	}
	name, ok := literalString(n.Args[0])
	if !ok {
		return
	}
	c := commandCall{name: name, pos: syntax.Start(n.Args[0])}
	for _, arg := range n.Args[1:] {
		kw, ok := arg.(*syntax.BinaryExpr)
		if !ok || kw.Op != syntax.EQ {
			continue
		}
		key, ok := kw.X.(*syntax.Ident)
		if ok && key.Name != "stdout" && key.Name != "stderr" {
			c.options = append(c.options, namedPos{key.Name, key.NamePos})
		}
	}
	f.calls = append(f.calls, c)
}

// readBody looks at how handle uses its parameters, by their names.
func readBody(handle *syntax.DefStmt) bodyFacts {
	b := bodyFacts{reads: map[string]bool{}, calls: map[string]syntax.Position{}, attrs: map[string]namedPos{}, keys: map[string]bool{}}
	options := kwargsName(handle)
	keyed := make(map[*syntax.Ident]bool)
	for _, stmt := range handle.Body {
		syntax.Walk(stmt, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.DotExpr:
				if id, ok := n.X.(*syntax.Ident); ok {
					if _, seen := b.attrs[id.Name]; !seen {
						b.attrs[id.Name] = namedPos{n.Name.Name, id.NamePos}
					}
				}
			case *syntax.IndexExpr:
				b.key(options, n.X, n.Y, keyed)
			case *syntax.CallExpr:
				if dot, ok := n.Fn.(*syntax.DotExpr); ok && dot.Name.Name == "get" && len(n.Args) > 0 {
					b.key(options, dot.X, n.Args[0], keyed)
				}
				if id, ok := n.Fn.(*syntax.Ident); ok {
					if _, seen := b.calls[id.Name]; !seen {
						b.calls[id.Name] = id.NamePos
					}
				}
			case *syntax.Ident:
				b.reads[n.Name] = true
				if n.Name == options && !keyed[n] {
					b.whole = true
				}
			}
			return true
		})
	}
	return b
}

// key notes options["key"].
func (b *bodyFacts) key(options string, x, key syntax.Expr, keyed map[*syntax.Ident]bool) {
	id, ok := x.(*syntax.Ident)
	if !ok || options == "" || id.Name != options {
		return
	}
	if name, ok := literalString(key); ok {
		b.keys[name] = true
		keyed[id] = true
	}
}

// kwargsName is the name of a function's ** parameter; "" when it has none.
func kwargsName(def *syntax.DefStmt) string {
	for _, param := range def.Params {
		if u, ok := param.(*syntax.UnaryExpr); ok && u.Op == syntax.STARSTAR {
			if id, ok := u.X.(*syntax.Ident); ok {
				return id.Name
			}
		}
	}
	return ""
}

// declaresOption reports whether a file's text has an add_argument call with
// an option string.
func declaresOption(src []byte, option string) (found bool) {
	defer func() { _ = recover() }() // a file that the parser cannot take declares nothing
	tree, err := scriptOptions().Parse("", src, 0)
	if err != nil {
		return false
	}
	syntax.Walk(tree, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		if dot, ok := call.Fn.(*syntax.DotExpr); ok && dot.Name.Name == "add_argument" {
			for _, arg := range call.Args {
				if s, ok := literalString(arg); ok && s == option {
					found = true
				}
			}
		}
		return true
	})
	return found
}
