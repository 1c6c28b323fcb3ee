// What fails while a script runs.

package pyhint

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// evaluated explains an evaluation error. Where the position does not tell, the
// line does.
func evaluated(toks []token, line int, message string) string {
	switch {
	case strings.Contains(message, "frozen "):
		return frozen(message)
	case strings.HasSuffix(message, " during iteration"):
		if strings.Contains(message, "list") {
			return "a list cannot change while a loop walks it: write for x in list(xs)"
		}
		return "a dict or set cannot change while a loop walks it: write for x in list(d)"
	case strings.HasSuffix(message, " referenced before assignment"):
		return unassigned(toks, message)
	case message == "incomplete format":
		return "write %% for a percent sign"
	case message == "%d format requires integer: cannot convert Decimal to int":
		return "write %s with int(x)"
	case strings.HasPrefix(message, "unknown conversion %"):
		return conversion(toks, line, message)
	case strings.Contains(message, "string value is not iterable"),
		strings.HasSuffix(message, "got string, want iterable"),
		strings.HasSuffix(message, " is not iterable: string"),
		message == "got string in sequence assignment":
		return "a string is not iterable in Starlark: write s.elems(), or s.codepoints() for text beyond ASCII"
	case strings.Contains(message, "(self)"), strings.Contains(message, `"self"`):
		return "there is no self, the file is the class: delete the parameter"
	case strings.HasPrefix(message, "print: unexpected keyword argument"):
		return printKeyword(message)
	}
	if _, spec, ok := strings.Cut(message, "format spec features not supported in replacement fields: "); ok {
		if strings.ContainsAny(spec, `{}"`) || !printable(spec) {
			return `str.format has no specs: write {} and pass format(value, spec), where spec may be "%d" % width`
		}
		return `str.format has no specs: write {} and pass format(value, "` + spec + `")`
	}
	for _, syntax := range []string{"attribute syntax x.y", "element syntax a[i]"} {
		if _, name, ok := strings.Cut(message, syntax+" is not supported in replacement fields: "); ok {
			if name == "" || isDigit(rune(name[0])) || !printable(name) {
				return "str.format looks nothing up: write {} and pass the value itself"
			}
			return "str.format looks nothing up: write {} and pass " + name
		}
	}
	if kind, rest, ok := strings.Cut(message, " has no ."); ok {
		attr, _, _ := strings.Cut(rest, " ")
		return attribute(kind, attr)
	}
	return operator(message)
}

// printable reports whether a text may go into a hint as it is.
func printable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// frozen explains a change to what may not change any more.
func frozen(message string) string {
	if !strings.Contains(message, "cannot ") {
		return ""
	}
	switch {
	case strings.HasSuffix(message, "frozen list"):
		return "what the top level makes, default values too, is frozen once the file is loaded: create it inside handle(), or change a copy, list(x)"
	case strings.HasSuffix(message, "frozen hash table"):
		return "what the top level makes, default values too, is frozen once the file is loaded: create it inside handle(), or change a copy, dict(x) or set(x)"
	}
	return ""
}

// unassigned explains a name that is used before its value is set, where Python
// would have found the global or the builtin.
func unassigned(toks []token, message string) string {
	scope, rest, _ := strings.Cut(message, " variable ")
	name, _, _ := strings.Cut(rest, " ")
	if predeclared(name) || universal(name) {
		if scope == "global" {
			return "a name set at the top level hides the builtin " + name + " in the whole file: give it another name"
		}
		return "a name set in a function hides the builtin " + name + " in all of it: give it another name"
	}
	if scope != "local" {
		return ""
	}
	for i, t := range toks {
		next := place{toks, i}.at(1)
		if t.text == name && t.first && t.col == 1 && next.text == "=" {
			return name + " is set in the function, so that it is not the file's " + name + ", which no function can change: use another name"
		}
	}
	return ""
}

// conversion explains a directive that the % operator does not know.
func conversion(toks []token, line int, message string) string {
	const rule = "% knows no width and no precision: write %s with "
	shown := strings.TrimPrefix(message, "unknown conversion %")
	switch {
	case shown == "u" || shown == "l":
		return "write %d"
	case shown == "" || !strings.Contains("-+#.*0123456789", shown[:1]):
		return "write %% for a percent sign"
	}
	for _, t := range toks {
		if t.kind != kindString || t.endLine != line || len(t.text) > 4096 {
			continue
		}
		text := strings.ReplaceAll(t.text, "%%", "")
		for _, directive := range strings.Split(text, "%")[1:] {
			if spec, ok := formatSpec(directive); ok && shown == specStart(directive) {
				return rule + `format(x, "` + spec + `")`
			}
		}
	}
	return rule + `format(x, spec), such as format(x, ".2f")`
}

// specStart is the first character of a directive behind its name in
// parentheses: the one that the message shows.
func specStart(text string) string {
	if _, after, ok := strings.Cut(text, ")"); ok && strings.HasPrefix(text, "(") {
		text = after
	}
	if text == "" {
		return ""
	}
	return text[:1]
}

// formatSpec turns a directive such as "-10s", without its "%", into a spec for
// format. It reports false for one without flags, width or precision.
func formatSpec(text string) (string, bool) {
	if _, after, ok := strings.Cut(text, ")"); ok && strings.HasPrefix(text, "(") {
		text = after
	}
	flags := text[:len(text)-len(strings.TrimLeft(text, "-+ 0#"))]
	rest := text[len(flags):]
	width := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	rest = rest[len(width):]
	precision := ""
	if strings.HasPrefix(rest, ".") {
		digits := rest[1:]
		precision = rest[:1+len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
		rest = rest[len(precision):]
	}
	if rest == "" || flags+width+precision == "" {
		return "", false
	}
	verb := rest[:1]
	switch verb {
	case "i", "u":
		verb = "d"
	case "s", "r":
		verb = ""
	case "d", "e", "E", "f", "F", "g", "G", "o", "x", "X":
	default:
		return "", false
	}
	align, sign, zero, alternate := "", "", "", ""
	for _, flag := range flags {
		switch flag {
		case '-':
			align = "<"
		case '+', ' ':
			sign = string(flag)
		case '0':
			zero = "0"
		case '#':
			alternate = "#"
		}
	}
	if align == "<" {
		zero = ""
	} else if verb == "" && width != "" {
		align = ">" // %10s pads on the left, format's default for strings on the right
	}
	return align + sign + alternate + zero + width + precision + verb, true
}

// printKeyword explains what print takes in Python.
func printKeyword(message string) string {
	switch name := strings.Trim(strings.TrimPrefix(message, "print: unexpected keyword argument"), ` "`); {
	case strings.HasPrefix(name, "end"):
		return `write stdout.write("…", ending = "")`
	case strings.HasPrefix(name, "file"):
		return `write stderr.write("…")`
	case strings.HasPrefix(name, "flush"):
		return "write stdout.flush()"
	}
	return ""
}

// attribute explains a method that Python's type of that kind has.
func attribute(kind, name string) string {
	switch kind + "." + name {
	case "module.loads":
		return "write json.decode(s)"
	case "module.dumps":
		return "write json.encode(x)"
	case "datetime.utcnow":
		return "write timezone.now(), which knows its zone"
	case "dict.has_key":
		return "write key in d"
	case "dict.iteritems", "dict.viewitems":
		return "write d.items()"
	case "dict.iterkeys", "dict.viewkeys":
		return "write d.keys()"
	case "dict.itervalues", "dict.viewvalues":
		return "write d.values()"
	case "dict.copy":
		return "write dict(d)"
	case "dict.fromkeys":
		return "write {key: None for key in keys}"
	case "list.copy":
		return "write list(xs)"
	case "list.sort":
		return "write xs = sorted(xs), with key and reverse as in Python"
	case "list.reverse":
		return "write xs = reversed(xs), which is a list"
	case "list.count", "tuple.count":
		return "write len([x for x in xs if x == value])"
	case "tuple.index":
		return "write list(xs).index(value)"
	case "set.copy":
		return "write set(xs)"
	case "string.encode":
		return "write bytes(s); a string is UTF-8 already"
	case "bytes.decode":
		return "write str(b)"
	case "string.decode":
		return "a string is text already, in UTF-8"
	case "string.zfill":
		return `write format(n, "05d")`
	case "string.ljust":
		return `write format(s, "<10")`
	case "string.rjust":
		return `write format(s, ">10")`
	case "string.center":
		return `write format(s, "^10")`
	case "string.format_map":
		return "write s.format(**d)"
	case "string.isnumeric", "string.isdecimal":
		return "write s.isdigit()"
	case "string.casefold":
		return "write s.lower()"
	case "string.translate":
		return "write s.replace(a, b)"
	}
	return ""
}

// operator explains operators that Python has for the types of a message.
func operator(message string) string {
	expr, ok := strings.CutPrefix(message, "unknown binary op: ")
	if !ok {
		if expr, ok = strings.CutSuffix(message, " not implemented"); !ok {
			return ""
		}
	}
	words := strings.Fields(expr)
	if len(words) == 4 && (words[0] == "max:" || words[0] == "min:" || words[0] == "sorted:") {
		words = words[1:]
	}
	if len(words) != 3 {
		return ""
	}
	left, right := words[0], words[2]
	number := func(kind string) bool { return kind == "int" || kind == "float" || kind == "bool" }
	switch {
	case number(left) && number(right) && (left == "bool" || right == "bool"):
		return "a bool is no number in Starlark: write int(x)"
	case strings.HasPrefix(message, "unknown"):
		return ""
	case left == "Decimal" && number(right), right == "Decimal" && number(left):
		return "only two Decimals compare: write total > Decimal(100), or total.is_zero()"
	}
	return ""
}
