package argparse

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// percent fills %(name)s and its like into text, as Python's % operator does with a
// dict. A text that Python could not format is given as it stands.
func percent(text string, values *Values, lookup func(name string) (any, bool)) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		b.WriteString(before)
		if !found {
			break
		}
		piece, n, ok := directive(after, values, lookup)
		if !ok {
			return text
		}
		b.WriteString(piece)
		rest = after[n:]
	}
	return b.String()
}

// directive formats what stands behind a percent sign and says how long it is.
func directive(s string, values *Values, lookup func(string) (any, bool)) (string, int, bool) {
	i := 0
	var value any
	named := false
	if strings.HasPrefix(s, "(") {
		depth := 0
		for i = 0; i < len(s); i++ {
			if s[i] == '(' {
				depth++
			} else if s[i] == ')' {
				if depth--; depth == 0 {
					break
				}
			}
		}
		if i == len(s) {
			return "", 0, false
		}
		if value, named = lookup(s[1:i]); !named {
			return "", 0, false
		}
		i++
	}
	flags := i
	for i < len(s) && strings.IndexByte("#0- +", s[i]) >= 0 {
		i++
	}
	flag := s[flags:i]
	number := func() (int, bool) {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if from == i {
			return 0, true
		}
		n, err := strconv.Atoi(s[from:i])
		return n, err == nil && n <= 1000 // more is no help text
	}
	width, ok := number()
	precision := -1
	if ok && i < len(s) && s[i] == '.' {
		i++
		precision, ok = number()
	}
	if !ok || i == len(s) {
		return "", 0, false
	}
	verb := s[i]
	i++
	if verb == '%' {
		return "%", i, true
	}
	if !named {
		return "", 0, false
	}
	out, ok := formatVerb(verb, flag, precision, value, values)
	if !ok {
		return "", 0, false
	}
	if pad := width - utf8.RuneCountInString(out); pad > 0 {
		switch {
		case strings.Contains(flag, "-"):
			out += strings.Repeat(" ", pad)
		case strings.Contains(flag, "0") && verb != 's' && verb != 'r':
			sign := ""
			if out != "" && strings.IndexByte("+- ", out[0]) >= 0 {
				sign, out = out[:1], out[1:]
			}
			out = sign + strings.Repeat("0", pad) + out
		default:
			out = strings.Repeat(" ", pad) + out
		}
	}
	return out, i, true
}

func formatVerb(verb byte, flag string, precision int, value any, values *Values) (string, bool) {
	signed := func(s string) string {
		if strings.HasPrefix(s, "-") {
			return s
		}
		if strings.Contains(flag, "+") {
			return "+" + s
		}
		if strings.Contains(flag, " ") {
			return " " + s
		}
		return s
	}
	switch verb {
	case 's', 'r':
		text := values.str(value)
		if verb != 's' {
			text = values.repr(value)
		}
		if precision >= 0 && precision < utf8.RuneCountInString(text) {
			text = string([]rune(text)[:precision])
		}
		return text, true
	case 'd', 'i', 'u':
		n, ok := number(value)
		if !ok {
			return "", false
		}
		whole, _ := n.Int(new(big.Int))
		if whole == nil { // an infinity
			return "", false
		}
		return signed(whole.String()), true
	case 'f', 'e', 'E', 'g', 'G':
		n, ok := number(value)
		if !ok {
			return "", false
		}
		f, _ := n.Float64()
		if precision < 0 {
			precision = 6
		}
		return signed(strconv.FormatFloat(f, verb, precision, 64)), true
	}
	return "", false
}
