// f-strings, rewritten with % and format.

package pyhint

import "strings"

// fstring returns what an f-string is in Starlark: "…" % x, with format(x, spec)
// for what has a spec. It returns "" when that cannot be said in a short line. literal is
// the string with its quotes, without its prefix; raw says that the prefix has an r.
func fstring(literal string, raw bool) string {
	quote := `"`
	if strings.HasPrefix(literal, "'") {
		quote = "'"
	}
	if len(literal) < 2 || strings.HasPrefix(literal, strings.Repeat(quote, 3)) || !strings.HasSuffix(literal, quote) || len(literal) > 120 || !printable(literal) {
		return ""
	}
	body := literal[1 : len(literal)-1]
	var text strings.Builder
	var values []string
	for body != "" {
		i := strings.IndexAny(body, "{}%")
		if i < 0 {
			text.WriteString(body)
			break
		}
		text.WriteString(body[:i])
		sign, rest := body[i], body[i+1:]
		switch {
		case sign == '%':
			text.WriteString("%%")
		case rest != "" && rest[0] == sign:
			text.WriteByte(sign)
			rest = rest[1:]
		case sign == '}':
			return ""
		default:
			field, after, ok := replacement(rest)
			if !ok {
				return ""
			}
			rest = after
			text.WriteString(field.directive)
			values = append(values, field.value)
		}
		body = rest
	}
	result := quote + text.String() + quote
	if raw {
		result = "r" + result
	}
	switch len(values) {
	case 0:
		return strings.ReplaceAll(result, "%%", "%")
	case 1:
		if !simple(values[0]) {
			return result + " % (" + values[0] + ")"
		}
		return result + " % " + values[0]
	}
	return result + " % (" + strings.Join(values, ", ") + ")"
}

type field struct{ directive, value string }

// replacement reads a replacement field from behind its "{" to behind its "}".
func replacement(text string) (f field, rest string, ok bool) {
	expr, spec := "", ""
	f.directive = "%s"
	depth, quote := 0, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case depth > 0:
			if c == ')' || c == ']' || c == '}' {
				depth--
			}
		case c == '}':
			expr, rest = text[:i], text[i+1:]
		case c == '!' && !strings.HasPrefix(text[i:], "!="):
			// !r and !s; what else may follow is rare
			switch {
			case strings.HasPrefix(text[i:], "!r}"):
				f.directive = "%r"
			case !strings.HasPrefix(text[i:], "!s}"):
				return field{}, "", false
			}
			expr, rest = text[:i], text[i+3:]
		case c == ':':
			end := strings.IndexAny(text[i:], "{}")
			if end < 0 || text[i+end] == '{' {
				return field{}, "", false
			}
			expr, spec, rest = text[:i], text[i+1:i+end], text[i+end+1:]
		}
		if expr != "" {
			break
		}
	}
	expr = strings.TrimSpace(expr)
	if expr == "" || strings.HasSuffix(expr, "=") || strings.ContainsAny(expr, "\\") || strings.HasPrefix(expr, "lambda") {
		return field{}, "", false
	}
	f.value = expr
	if spec != "" {
		f.value = "format(" + expr + `, "` + spec + `")`
	}
	return f, rest, true
}

// simple reports whether an expression may follow % as it is: a name, with
// attributes, calls and indexes.
func simple(expr string) bool {
	depth := 0
	for i, c := range expr {
		switch {
		case c == '(' || c == '[':
			depth++
			if i == 0 {
				return false
			}
		case c == ')' || c == ']':
			depth--
		case depth == 0 && c != '.' && !isLetter(c) && !isDigit(c):
			return false
		}
	}
	return true
}
