// What the parser refuses.

package pyhint

import (
	"slices"
	"strings"
)

// parsed explains "got X, want Y". The position is that of X where Y is a primary
// expression or X an indentation, else where X ends.
func parsed(toks []token, line, col int, got, want string) Advice {
	var p place
	switch {
	case got == "end of file":
		p = place{toks, len(toks)}
	case want == "primary expression" || got == "indent" || got == "outdent":
		p = startingAt(toks, line, col)
	default:
		p = endingAt(toks, line, col)
	}
	if got == "newline" && p.at(0).kind != kindNewline {
		p.i++ // the file ends without one
	}
	prev := p.at(-1)

	if a := adjacentString(p); a != (Advice{}) {
		return a
	}
	if a := unbalanced(p, got, want); a != (Advice{}) {
		return a
	}
	if want == "primary expression" {
		return primary(p, got)
	}
	switch got {
	case "**":
		return p.advice(-1, "unexpected **", power()) // a token is one character
	case "is":
		return p.advice(0, "unexpected is", identity(p))
	case ":":
		return colon(p, want)
	case "newline":
		if want == ":" && blockWord(p.statement().at(0).text) {
			return Advice{Message: `missing ":" at the end of the line`, Line: prev.endLine, Col: prev.endC}
		}
	case "-":
		if want == ":" && p.at(1).text == ">" && p.statement().at(0).text == "def" {
			return p.advice(0, "unexpected type hint", typeHints())
		}
	case "if":
		if want == ":" && prev.text == "else" {
			return p.advice(-1, "unexpected else if", "write elif")
		}
	case "=":
		switch want {
		case ":":
			return p.advice(0, "unexpected =", "== compares, = assigns")
		case "newline":
			return p.advice(0, "unexpected second =", "Starlark has no a = b = x: write one assignment a line")
		}
	case "for":
		switch bracket, _ := p.inside(); bracket {
		case "(":
			return p.advice(0, "unexpected generator expression", "write a list: [f(x) for x in xs]")
		case "{":
			return p.advice(0, "unexpected set comprehension", "Starlark has no {f(x) for x in xs}: write set([f(x) for x in xs])")
		}
	case "[":
		if want == "(" && p.at(-2).text == "def" {
			return p.advice(0, "unexpected type hint", typeHints())
		}
	case ",", "}":
		if bracket, _ := p.inside(); bracket == "{" && want == ":" {
			return p.advice(0, "unexpected set literal", "Starlark has no {a, b}: write set([a, b])")
		}
	case "async":
		return p.advice(0, "unexpected async", keyword(p, got))
	}
	if want == ":" && p.at(0).kind == kindName && blockWord(p.statement().at(0).text) {
		if _, i := p.inside(); i < 0 && !inLambda(p) {
			return Advice{Message: `missing ":" before ` + p.at(0).text, Line: prev.endLine, Col: prev.endC}
		}
	}
	if oneOfText(want, ",", ")", "]", "}") && value(p.at(0)) && (value(prev) || oneOfText(prev.text, ")", "]", "}")) {
		name := p.at(0).text
		if p.at(0).kind == kindString {
			name = "the string"
		}
		return Advice{Message: "missing comma before " + name, Line: prev.endLine, Col: prev.endC}
	}
	if want == "indent" {
		return Advice{Message: "expected an indented block", Line: p.at(0).line, Col: p.at(0).col, Hint: "a body of nothing, or of comments alone, is written pass"}
	}
	if want == "newline" {
		return words(p)
	}
	return Advice{}
}

// advice is an Advice at the token n after the place.
func (p place) advice(n int, message, hint string) Advice {
	if hint == "" {
		return Advice{}
	}
	t := p.at(n)
	return Advice{Message: message, Line: t.line, Col: t.col, Hint: hint}
}

func oneOfText(text string, texts ...string) bool { return slices.Contains(texts, text) }

// blockWord reports whether a statement that starts so has a ":" and a block.
func blockWord(word string) bool {
	return oneOfText(word, "if", "elif", "else", "for", "while", "def")
}

// value reports whether a token is an expression by itself.
func value(t token) bool {
	return t.kind == kindName && !reserved(t.text) || t.kind == kindNumber || t.kind == kindString
}

func power() string {
	return `Starlark has no **: write x * x, or pow of load("@std", "math"), which gives a float`
}

func walrus() string { return "Starlark has no :=: assign on a line of its own first" }

func typeHints() string { return "Starlark has no type hints: delete it" }

// identity stands in for is and is not.
func identity(p place) string {
	if p.at(1).text == "not" {
		return "Starlark has no is: write x != None"
	}
	return "Starlark has no is: write x == None"
}

// adjacentString explains a string that another token stands before: f"…", u"…",
// "a" "b", 'it's'. The place is at the string, or at its prefix when that follows
// a string.
func adjacentString(p place) Advice {
	if p.at(-1).kind == kindString && prefix(p.at(0).text) && p.at(0).touches(p.at(1)) && p.at(1).kind == kindString {
		p.i++
	}
	prev, this := p.at(-1), p.at(0)
	if prev.kind == kindString && this.kind == kindName && prev.touches(this) && !prev.broken && strings.Contains(lineRest(p), prev.text[len(prev.text)-1:]) {
		return p.advice(0, "the string ends before "+this.text, `a quote inside ends a string: use the other quotes around it, or \`+prev.text[len(prev.text)-1:])
	}
	if this.kind != kindString {
		return Advice{}
	}
	if prev.kind == kindString {
		return p.advice(0, "two strings side by side", "Starlark joins strings with + alone")
	}
	if prev.kind != kindName || !prev.touches(this) {
		return Advice{}
	}
	switch letters := strings.ToLower(prev.text); letters {
	case "f", "fr", "rf", "t", "tr", "rt":
		hint := `Starlark has no f-strings: use "…%s" % x, or "…{}".format(x), with format(x, ".2f") for a spec`
		if text := fstring(this.text, strings.Contains(letters, "r")); text != "" {
			hint = "Starlark has no f-strings: use " + text
		}
		if next := p.at(1); next.kind == kindString || prefix(next.text) && next.touches(p.at(2)) && p.at(2).kind == kindString {
			hint += ", and + between the strings"
		}
		return p.advice(-1, "unexpected f-string", hint)
	case "u":
		return p.advice(-1, "unexpected prefix "+prev.text, "every string is UTF-8: delete the "+prev.text)
	case "r", "b", "br", "rb":
		wanted := "r"
		if strings.Contains(letters, "b") {
			wanted = "b"
			if len(letters) == 2 {
				wanted = "rb"
			}
		}
		return p.advice(-1, "unexpected prefix "+prev.text, "write "+wanted+this.text[:1]+"…"+this.text[:1])
	}
	return Advice{}
}

// prefix reports whether a word is a string's prefix in Python.
func prefix(word string) bool {
	return oneOfText(strings.ToLower(word), "f", "fr", "rf", "t", "tr", "rt", "u", "r", "b", "br", "rb")
}

// lineRest is the text of the tokens behind the place on its line.
func lineRest(p place) string {
	var b strings.Builder
	for i := p.i + 1; i < len(p.toks) && p.toks[i].line == p.at(0).line; i++ {
		b.WriteString(p.toks[i].text)
	}
	return b.String()
}

// unbalanced explains a bracket that is not closed, or by another's closer.
func unbalanced(p place, got, want string) Advice {
	if !oneOfText(want, ",", ")", "]", "}") && !strings.HasSuffix(want, ", for, or if") && got != "end of file" {
		return Advice{}
	}
	bracket, i := p.inside()
	if i < 0 {
		return Advice{}
	}
	if oneOfText(got, ")", "]", "}") {
		return Advice{Message: `"` + got + `" does not close "` + bracket + `"`, Line: p.at(0).line, Col: p.at(0).col}
	}
	if got != "end of file" && !p.at(0).first && p.at(0).kind != kindNewline {
		// In the middle of a line it is rather a comma that is missing.
		if p.statement().at(0).line == p.at(0).line || p.at(0).line == p.toks[i].line {
			return Advice{}
		}
	}
	open, ok := p.unclosed()
	if !ok || open.line == p.at(0).line && got != "end of file" {
		return Advice{}
	}
	return Advice{Message: `"` + open.text + `" is never closed`, Line: open.line, Col: open.col}
}

// colon explains a ":" that ends what should go on.
func colon(p place, want string) Advice {
	first := p.statement()
	switch {
	case p.at(0).touches(p.at(1)) && p.at(1).text == "=":
		return p.advice(0, "unexpected :=", walrus())
	case want == "(" && first.at(0).text == "def":
		return p.advice(0, "missing parentheses", "write def "+p.at(-1).text+"():")
	case oneOfText(want, ")", ",") && first.at(0).text == "def" && p.at(-1).kind == kindName:
		return p.advice(0, "unexpected type hint", typeHints())
	case want == "newline" && p.at(-1).kind == kindName && oneOfText(p.at(-1).text, "try", "finally", "except"):
		return Advice{}
	case want == "newline" && (p.at(1).kind == kindName || p.at(1).kind == kindString) && p.at(1).line == p.at(0).line && dotted(first, p.i):
		return p.advice(0, "unexpected type hint", typeHints())
	}
	return Advice{}
}

// dotted reports whether the tokens from the place up to index end are a name, or
// names with dots between.
func dotted(p place, end int) bool {
	for i := p.i; i < end; i++ {
		name := (i-p.i)%2 == 0
		if name && p.toks[i].kind != kindName || !name && p.toks[i].text != "." {
			return false
		}
	}
	return (end-p.i)%2 == 1
}

// words explains two words where one was wanted: statements that Starlark has
// not.
func words(p place) Advice {
	prev := p.at(-1)
	switch prev.text {
	case "print":
		return p.advice(-1, "missing parentheses", "print is a function: write print(x)")
	case "exec":
		return p.advice(-1, "unexpected exec", "Starlark has no exec")
	case "assert":
		return p.advice(-1, "unexpected assert", `Starlark has no assert: write if not condition: fail("…"), or t.true(condition) in a test`)
	case "match":
		if prev.first && lastOfLine(p) == ":" {
			return p.advice(-1, "unexpected match", "Starlark has no match: write if and elif")
		}
	case "type":
		if prev.first && p.at(1).text == "=" {
			return p.advice(-1, "unexpected type", typeHints())
		}
	case "elseif", "elsif":
		return p.advice(-1, "unexpected "+prev.text, "write elif")
	}
	if prev.kind == kindNumber && prev.touches(p.at(0)) && p.at(0).kind == kindName {
		switch text := p.at(0).text; {
		case text[0] == '_' && strings.Trim(text, "_0123456789") == "":
			return p.advice(-1, "unexpected _ in a number", "Starlark has no _ in numbers: write "+prev.text+strings.ReplaceAll(text, "_", ""))
		case text == "L" || text == "l":
			return p.advice(-1, "unexpected "+text+" behind a number", "every int is as long as it needs to be: delete the "+text)
		}
	}
	return Advice{}
}

// lastOfLine is the text of the last token of the place's logical line.
func lastOfLine(p place) string {
	last := ""
	for i := p.i; i < len(p.toks) && p.toks[i].kind != kindNewline; i++ {
		last = p.toks[i].text
	}
	return last
}

// primary explains a token that no expression starts with.
func primary(p place, got string) Advice {
	prev := p.at(-1)
	switch got {
	case "*":
		if bracket, i := p.inside(); bracket == "[" || bracket == "(" && i >= 0 {
			return p.advice(0, "", "Starlark has no * in a list: write xs + [x]")
		}
		if p.statement().at(0).text == "for" || hasAssignment(p) {
			return p.advice(0, "", "Starlark has no a, *rest = xs: write a, rest = xs[0], xs[1:]")
		}
		return p.advice(0, "", "Starlark has no * in a tuple: write tuple(xs) + (x,)")
	case "**":
		if bracket, _ := p.inside(); bracket == "{" {
			return p.advice(0, "", "Starlark has no ** in a dict: write a | b")
		}
	case "&":
		if prev.text == "&" && prev.touches(p.at(0)) {
			return p.advice(-1, "unexpected &&", "write and")
		}
	case "|":
		if prev.text == "|" && prev.touches(p.at(0)) {
			return p.advice(-1, "unexpected ||", "write or")
		}
	case ">":
		if prev.text == "<" && prev.touches(p.at(0)) {
			return p.advice(-1, "unexpected <>", "write !=")
		}
	case ".":
		if p.is(".", ".", ".") {
			return p.advice(0, "unexpected ...", "write pass")
		}
	case "//":
		if p.at(0).first {
			return p.advice(0, "unexpected //", "a comment begins with #")
		}
	case "indent":
		return Advice{Message: "unexpected indent", Hint: tabs(p)}
	case "=":
		if prev.text == ":" && prev.touches(p.at(0)) {
			return p.advice(-1, "unexpected :=", walrus())
		}
	case "newline", "end of file":
		if sign := prev.text; (sign == "+" || sign == "-") && p.at(-2).text == sign && p.at(-2).touches(prev) {
			return p.advice(-2, "unexpected "+sign+sign, "Starlark has no "+sign+sign+": write x "+sign+"= 1")
		}
	case "else":
		return p.advice(0, "", loopElse(p))
	case "return", "pass", "break", "continue", "while":
		if inLambda(p) {
			return p.advice(0, "", "a lambda is one expression, without "+got+": write a def")
		}
	}
	return p.advice(0, "", keyword(p, got))
}

// hasAssignment reports whether the place's logical line has a "=" behind it.
func hasAssignment(p place) bool {
	for i := p.i; i < len(p.toks) && p.toks[i].kind != kindNewline; i++ {
		if p.toks[i].text == "=" {
			return true
		}
	}
	return false
}

func inLambda(p place) bool {
	for i := min(p.i, len(p.toks)) - 1; i >= 0 && p.toks[i].kind != kindNewline; i-- {
		if p.toks[i].text == "lambda" {
			return true
		}
	}
	return false
}

// loopElse explains an else that belongs to a loop.
func loopElse(p place) string {
	for i := p.i - 1; i >= 0; i-- {
		t := p.toks[i]
		if !t.first || t.col > p.at(0).col {
			continue
		}
		if t.col == p.at(0).col && (t.text == "for" || t.text == "while") {
			return "Starlark's " + t.text + " has no else: set a name before break, and look at it behind the loop"
		}
		return ""
	}
	return ""
}

// keyword explains a word that Python has a use for, and Starlark none.
func keyword(p place, word string) string {
	// f(from = x), row.from
	if !p.at(0).first && p.at(1).text == "=" && p.at(2).text != "=" && oneOfText(p.at(-1).text, "(", ",") {
		return `"` + word + `" is a reserved word: write **{"` + word + `": value}`
	}
	switch word {
	case "import", "from":
		return imported(p)
	case "raise":
		return raised(p)
	case "try", "except", "finally":
		return "Starlark has no try: value, err = catch(fn, …) returns the error; defer(fn) runs at the end, as finally does"
	case "with":
		return with(p)
	case "class":
		if strings.HasSuffix(p.at(1).text, "Command") {
			return "Starlark has no class: the file is the command, with help, add_arguments(parser) and handle(…) at its top level and no self"
		}
		return "Starlark has no class: use functions, dict, or struct(name = value)"
	case "is":
		return identity(p)
	case "del":
		if p.at(2).text == "[" {
			return "Starlark has no del: write d.pop(key)"
		}
		return "Starlark has no del: delete the line; for a key write d.pop(key)"
	case "global", "nonlocal":
		return "Starlark has no " + word + ": return the value, or change a dict that was made in handle()"
	case "yield":
		return "Starlark has no yield: append to a list, and return it"
	case "async", "await":
		return "Starlark has no " + word + ": call the function as it is; parallel(fn, items) runs several at once"
	}
	return ""
}

// raised explains a raise statement, the place being at its first word.
func raised(p place) string {
	if p.at(1).kind != kindName {
		return "Starlark has no raise: value, err = catch(fn), and then err.reraise()"
	}
	name := p.at(1).text
	if errorType(name) {
		return "Starlark has no raise: " + name + `("…") raises when it is called`
	}
	if name == "SystemExit" {
		return "Starlark has no raise: call exit(code)"
	}
	return `Starlark has no raise: call CommandError("…") for what a user can do wrong, fail("…") for a bug`
}

// errorType reports whether calling name raises.
func errorType(name string) bool {
	return oneOfText(name, "CommandError", "ValueError", "DoesNotExist", "MultipleObjectsReturned", "DatabaseError",
		"IntegrityError", "FieldError", "PermissionDenied", "DryRunRefused", "TimeoutError")
}

// with explains a with statement, the place being at its first word.
func with(p place) string {
	for i := p.i + 1; i < len(p.toks) && p.toks[i].kind != kindNewline; i++ {
		switch p.toks[i].text {
		case "atomic":
			return "Starlark has no with: db.atomic(fn) runs a function in a transaction; atomic = True at the top level does so for handle"
		case "open":
			return `Starlark has no with: files are read and written by fs of load("@std", "fs")`
		case "cursor":
			return "Starlark has no with: db.query(sql, *params) returns rows, db.execute(sql, *params) how many it changed"
		}
	}
	return "Starlark has no with: call the function as it is; defer(fn) runs one at the end"
}

// refused explains the parser's messages that are not of the form "got X, want Y".
func refused(toks []token, line, col int, message string) Advice {
	switch {
	case strings.Contains(message, " does not associate with "):
		first, rest, _ := strings.Cut(message, " does not associate with ")
		second, _, _ := strings.Cut(rest, " ")
		return Advice{Hint: "Starlark chains no comparisons: write a " + first + " b and b " + unquote(second) + " c"}
	case message == "conditional expression without else clause":
		p := startingAt(toks, line, col)
		for i := p.i; i < len(toks) && toks[i].line == line; i++ {
			if toks[i].text == "is" { // the parser looks for else there
				return place{toks, i}.advice(0, "unexpected is", identity(place{toks, i}))
			}
		}
		if bracket, _ := p.inside(); bracket == "[" {
			return Advice{Hint: "write a if condition else b; a filter stands at the end, [x for x in xs if condition]"}
		}
		return Advice{Hint: "write a if condition else None"}
	case message == "unparenthesized tuple with trailing comma":
		return Advice{Hint: "write (x,)"}
	case message == "not an identifier":
		return noIdentifier(endingAt(toks, line, col))
	}
	return Advice{}
}

// noIdentifier explains what stands where a name should.
func noIdentifier(p place) Advice {
	prev := p.at(-1)
	switch text := p.at(0).text; {
	case text == "/" && oneOfText(prev.text, ",", "("):
		return p.advice(0, "unexpected /", "Starlark has no positional-only parameters: delete the /")
	case text == "(" && oneOfText(prev.text, "(", ",", "lambda"):
		return p.advice(0, "unexpected (", "a parameter is one name: take the tuple apart in the body, a, b = pair")
	case !reserved(text):
		return Advice{}
	case prev.text == ".":
		return p.advice(0, `"`+text+`" is a reserved word`, `write row["`+text+`"]`)
	case oneOfText(prev.text, "(", ",", "*") && p.statement().at(0).text == "def":
		return p.advice(0, `"`+text+`" is a reserved word`, "call the parameter "+text+`_, with dest = "`+text+`_" where it is an argument`)
	}
	return Advice{}
}

// reserved reports whether a word cannot be a name.
func reserved(word string) bool {
	return oneOfText(word, "and", "as", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
		"finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "load", "nonlocal", "not", "or", "pass",
		"raise", "return", "try", "while", "with", "yield")
}
