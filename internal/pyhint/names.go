// Names that Python has and Starlark has not, and imports.

package pyhint

import (
	"slices"
	"strings"
)

// predeclared reports whether every script has the name without load.
func predeclared(name string) bool {
	return errorType(name) || oneOfText(name,
		"call_command", "catch", "exit", "defer", "fail", "parallel", "stopping", "settings", "argparse",
		"stdout", "stderr", "stdin", "style", "StringIO", "progress", "log", "print", "input", "confirm", "choose",
		"datetime", "date", "timedelta", "timezone", "Decimal", "json", "struct", "sum", "round", "format",
		"db", "Q", "F", "Count", "Sum", "Avg", "Min", "Max", "Lower", "Upper", "Trim", "Length", "Coalesce", "Now", "Value",
		"Exists", "OuterRef")
}

// universal reports whether the language has the name.
func universal(name string) bool {
	return oneOfText(name, "None", "True", "False", "abs", "any", "all", "bool", "bytes", "chr", "dict", "dir", "enumerate",
		"float", "getattr", "hasattr", "hash", "int", "len", "list", "max", "min", "ord", "range", "repr", "reversed",
		"set", "sorted", "str", "tuple", "type", "zip")
}

// undefined explains a name that is not defined, the place being at it. It
// returns "" for one that is not Python's.
func undefined(p place, name string) string {
	// Names that may as well be variables are Python's when they are used as Python
	// uses them. Without a source text the benefit of the doubt is theirs.
	next := p.at(1).text
	known := p.at(0).text == name
	switch name {
	case "open", "map", "filter", "reduce", "next", "iter", "long", "object", "property", "slice", "vars", "hex", "oct", "bin",
		"pow", "compile", "eval", "exec", "quit", "ascii":
		if known && next != "(" {
			return ""
		}
	case "transaction", "connection", "models", "logger", "logging":
		if known && next != "." {
			return ""
		}
	case "options", "args":
		if known && next != "[" && next != "." {
			return ""
		}
	}
	if !known || next == "." {
		if hint := module(p, name); hint != "" {
			return hint
		}
	}
	switch name {
	case "true":
		return "write True"
	case "false":
		return "write False"
	case "null", "none", "nil", "NULL", "undefined":
		return "write None"
	case "self", "cls":
		if p.is(name, ".") && p.at(2).kind == kindName {
			if attr := p.at(2).text; predeclared(attr) {
				return "there is no self, the file is the class: write " + attr
			}
		}
		return "there is no self, the file is the class: call its functions by name"
	case "options":
		return `take the options as parameters, def handle(days), or all of them, def handle(**options)`
	case "args":
		return "take the positionals as parameters, or all of them, def handle(*args, **options)"
	case "__name__":
		return "nothing runs a command file but manage, which calls handle: delete the lines"
	case "__file__":
		return "paths are relative to the project's root"
	case "assert":
		return `Starlark has no assert: write if not condition: fail("…"), or t.true(condition) in a test`

	case "open":
		return `files are read and written by fs of load("@std", "fs")`
	case "isinstance":
		return `compare the type's name: type(x) == "string" (or "int", "list", "dict")`
	case "issubclass", "super", "object", "property", "staticmethod", "classmethod":
		return "Starlark has no classes: use functions, dict, or struct(name = value)"
	case "map":
		return "write [f(x) for x in xs]"
	case "filter":
		return "write [x for x in xs if condition]"
	case "reduce":
		return "write a for loop, or sum(xs)"
	case "next":
		return "Starlark has no iterators to step: write a for loop, or xs[0]"
	case "iter":
		return "Starlark has no iterators to step: write list(xs)"
	case "raw_input":
		return "write input(prompt)"
	case "xrange":
		return "write range(n)"
	case "unicode", "basestring":
		return "write str"
	case "long":
		return "write int"
	case "unichr":
		return "write chr(n)"
	case "callable":
		return `write type(x) == "function"`
	case "pow":
		return `write math.pow(x, y), with load("@std", "math"), which gives a float`
	case "divmod":
		return "write a // b, a % b"
	case "frozenset":
		return "write set(xs), or tuple(xs) for a dict's key"
	case "bytearray", "memoryview":
		return "write bytes(x)"
	case "hex":
		return `write format(n, "x")`
	case "oct":
		return `write format(n, "o")`
	case "bin":
		return `write format(n, "b")`
	case "ascii":
		return "write repr(x)"
	case "slice":
		return "write xs[a:b]"
	case "setattr":
		return "write x.name = value; a dict holds names that are not known before"
	case "delattr":
		return "a dict holds names that come and go: d.pop(key)"
	case "vars", "globals", "locals":
		return "Starlark has no " + name + "(): keep what you look up by name in a dict"
	case "eval", "exec", "compile", "__import__":
		return "Starlark has no " + name
	case "quit":
		return "write exit()"

	case "Exception", "BaseException", "RuntimeError", "TypeError", "KeyError", "IndexError", "AttributeError", "LookupError",
		"NotImplementedError", "AssertionError", "ArithmeticError", "ZeroDivisionError", "OverflowError", "StopIteration",
		"OSError", "IOError", "FileNotFoundError", "PermissionError", "ImportError", "NameError", "UnicodeDecodeError",
		"ValidationError", "ImproperlyConfigured", "Http404":
		return `there is no ` + name + `: call CommandError("…") for what a user can do wrong, fail("…") for a bug; catch(fn) catches every error`
	case "ObjectDoesNotExist":
		return "write DoesNotExist"
	case "KeyboardInterrupt", "SystemExit", "GeneratorExit":
		return "a stop is never caught: defer(fn) runs all the same, stopping() says that one was asked for"

	case "BaseCommand", "AppCommand", "LabelCommand":
		return "the file is the command: write help, add_arguments(parser) and handle(…) at its top level"
	case "transaction":
		return "db.atomic(fn) runs a function in a transaction; atomic = True at the top level does so for handle; db.on_commit(fn)"
	case "connection", "connections":
		return "db.query(sql, *params) returns rows, db.execute(sql, *params) how many it changed; db.using(alias) for another database"
	case "models":
		return `a table needs no model: db.table("app_table")`
	case "get_user_model":
		return `a table needs no model: db.table("auth_user")`
	case "logger", "logging":
		return `write log.info("…"), log.warning("…") or log.error("…")`
	case "send_mail", "EmailMessage":
		return `write mail.send(…), with load("@std", "mail")`
	case "defaultdict":
		return "write d.setdefault(key, []).append(x)"
	case "Counter":
		return "write counts[key] = counts.get(key, 0) + 1"
	case "OrderedDict":
		return "a dict keeps its order: write dict"
	case "namedtuple", "dataclass", "SimpleNamespace":
		return "write struct(name = value)"
	case "deepcopy":
		return "write dict(d) or list(xs), level by level"
	case "Path":
		return `paths are strings: see path and fs of load("@std", "path", "fs")`
	}
	return ""
}

// std reports whether load("@std", …) offers a module.
func std(name string) bool {
	return oneOfText(name, "re", "csv", "yaml", "toml", "base64", "hashlib", "random", "math", "path", "glob", "os", "fs", "http", "subprocess", "template", "mail")
}

// module explains the name of a Python module that is used as one, the place
// being at it.
func module(p place, name string) string {
	member := p.at(2).text
	switch name {
	case "sys":
		switch member {
		case "exit":
			return `write exit(code), or CommandError("…") to say why`
		case "argv":
			return "declare the words in add_arguments(parser), and take them as handle's parameters"
		case "stdout", "stderr", "stdin":
			if p.at(-1).text == ">" || p.at(-1).text == "=" && p.at(-2).text == "file" {
				return `write stderr.write("…")` // print(…, file = sys.stderr)
			}
			return "write " + member
		}
		return "there is no sys: stdout, stderr, stdin and exit(code) are predeclared, arguments come to handle"
	case "os":
		if member == "path" {
			return `write load("@std", "path") at the top of the file`
		}
	case "time":
		if member != "time" {
			return ""
		}
		return "write timezone.now(), or datetime.now()"
	case "decimal":
		return "Decimal is predeclared: write Decimal(…)"
	}
	if target := stdFor(name); target != "" {
		return `write load("@std", "` + target + `") at the top of the file`
	}
	return ""
}

// stdFor names the @std module that stands in for a Python module.
func stdFor(name string) string {
	switch name {
	case "os.path":
		return "path"
	case "pathlib", "shutil", "tempfile":
		return "fs"
	case "requests", "urllib", "urllib.request", "urllib2", "httpx", "aiohttp", "http.client":
		return "http"
	case "smtplib", "email", "django.core.mail":
		return "mail"
	case "jinja2", "django.template", "django.template.loader":
		return "template"
	case "tomllib", "tomli":
		return "toml"
	case "secrets":
		return "random"
	case "ruamel.yaml":
		return "yaml"
	}
	if std(name) {
		return name
	}
	return ""
}

// imported explains an import statement, the place being at its first word.
func imported(p place) string {
	const none = "Starlark has no import: "
	from := p.at(0).text == "from"
	p.i++
	module := p.dotted()
	var names []string
	if from {
		for p.at(0).text != "import" {
			if p.at(0).kind == kindNewline {
				return none + `write load("@std", "re")`
			}
			p.i++
		}
		for p.i++; p.at(0).kind != kindNewline; p.i++ {
			if p.at(0).kind != kindName {
				continue
			}
			if p.at(0).text == "as" {
				p.i++
				continue
			}
			names = append(names, p.at(0).text)
		}
	}

	if !from && p.at(0).text == "," {
		return none + several(module, p)
	}

	// What needs no import is most of what a Django command starts with.
	ready := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !predeclared(name) })
	switch {
	case len(names) > 0 && len(ready) == len(names):
		return none + are(names) + " predeclared: delete the line"
	case oneOfText(module, "typing", "__future__", "dataclasses", "abc"):
		return none + "nothing stands for " + module + ": delete the line"
	case slices.Contains(names, "BaseCommand"):
		return none + "the file is the command, and CommandError is predeclared: delete the line"
	case slices.Contains(names, "transaction") || slices.Contains(names, "connection"):
		return none + "db is predeclared, with db.atomic(fn) and db.query(sql, *params): delete the line"
	}
	last := module[strings.LastIndexByte(module, '.')+1:]
	if last == "models" && len(names) > 0 {
		app := "app"
		if parts := strings.Split(module, "."); len(parts) > 1 && parts[len(parts)-2] != "" {
			app = parts[len(parts)-2]
		}
		return none + `a table needs no model: db.table("` + app + "_" + strings.ToLower(names[0]) + `")`
	}
	if target := stdFor(module); target != "" {
		return none + `write load("@std", "` + target + `")`
	}
	switch module {
	case "sys":
		return none + "stdout, stderr, stdin and exit(code) are predeclared, arguments come to handle"
	case "os":
		return none + `write load("@std", "os")`
	case "time":
		return none + "timezone.now() and datetime.now() are predeclared"
	case "datetime":
		return none + "datetime, date, timedelta and timezone are predeclared: delete the line"
	case "decimal":
		return none + "Decimal is predeclared: delete the line"
	case "logging":
		return none + "log is predeclared: log.info(…)"
	case "io":
		return none + "StringIO is predeclared: delete the line"
	case "argparse":
		return none + "argparse is predeclared, and the parser comes to add_arguments(parser): delete the line"
	}
	for _, name := range names {
		if hint := undefined(place{}, name); hint != "" {
			return none + hint
		}
	}
	switch module {
	case "collections", "itertools", "functools", "operator", "copy":
		return none + "nothing stands for " + module + `: a dict keeps its order and has setdefault, sorted has key`
	}
	if predeclared(module) {
		return none + are([]string{module}) + " predeclared: delete the line"
	}
	if strings.HasPrefix(module, ".") {
		file, name := strings.Trim(module, "."), "name"
		if len(names) > 0 {
			name = names[0]
		}
		if file == "" || strings.Contains(file, ".") {
			return none + `write load("./_shared.star", "name"), or load("//lib/shared.star", "name")`
		}
		return none + `write load("./` + file + `.star", "` + name + `")`
	}
	if len(names) > 0 && !strings.HasPrefix(module, "django") {
		return none + `write load("//lib/` + last + `.star", "` + names[0] + `") for a file of the project, load("@std", "re") for a module of ours`
	}
	return none + `much is predeclared, and load("@std", …) has re, csv, yaml, http and more`
}

// several explains import a, b, the place being behind the first of them.
func several(module string, p place) string {
	var targets []string
	rest := false
	for {
		if target := stdFor(module); target != "" {
			targets = append(targets, `"`+target+`"`)
		} else {
			rest = true
		}
		if p.at(0).text != "," {
			break
		}
		p.i++
		module = p.dotted()
	}
	switch {
	case len(targets) == 0:
		return `much is predeclared, and load("@std", …) has re, csv, yaml, http and more`
	case rest:
		return `write load("@std", ` + strings.Join(targets, ", ") + "); much of the rest is predeclared"
	}
	return `write load("@std", ` + strings.Join(targets, ", ") + ")"
}

// are is the names with their verb.
func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, ", ") + " are"
}

// dotted reads the dotted name at the place, and moves behind it.
func (p *place) dotted() string {
	var b strings.Builder
	for p.at(0).text == "." || p.at(0).kind == kindName && p.at(0).text != "import" && p.at(0).text != "as" {
		if p.at(0).kind == kindName && b.Len() > 0 && !strings.HasSuffix(b.String(), ".") {
			break
		}
		b.WriteString(p.at(0).text)
		p.i++
	}
	return b.String()
}
