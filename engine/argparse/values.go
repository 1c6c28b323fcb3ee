package argparse

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// literal is a string that came from a declaration and not from the words. Python
// can tell the two apart by identity, and argparse does: a default is converted at
// the end only while it is the very string that was declared.
type literal string

func isNone(v any) bool { return v == nil || v == any(None) }

func isSuppress(v any) bool { return v == any(Suppress) }

// plain gives a value as callers see it.
func plain(v any) any {
	switch v := v.(type) {
	case literal:
		return string(v)
	case Sentinel:
		if v == None {
			return nil
		}
	}
	return v
}

// declared marks a default or const on its way into a namespace.
func declared(v any) any {
	switch v := v.(type) {
	case string:
		return literal(v)
	case Sentinel:
		if v == None {
			return nil
		}
	}
	return v
}

// same is Python's "is", as far as argparse's behaviour shows it: nil, bools, small
// integers, one-character strings and strings of declarations are shared.
func same(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case int:
		y, ok := b.(int)
		return ok && x == y && x >= -5 && x <= 256
	case literal:
		switch y := b.(type) {
		case literal:
			return x == y
		case string:
			return string(x) == y && short(y)
		}
		return false
	case string:
		switch y := b.(type) {
		case literal:
			return x == string(y) && short(x)
		case string:
			return x == y && short(x)
		}
		return false
	case float64, []any, map[string]any:
		return false
	}
	ta, tb := reflect.TypeOf(a), reflect.TypeOf(b)
	return ta == tb && ta.Comparable() && safeEqual(a, b)
}

// safeEqual is == for opaque values, whose comparison may panic below the surface.
func safeEqual(a, b any) (equal bool) {
	defer func() {
		if recover() != nil {
			equal = false
		}
	}()
	return a == b
}

func short(s string) bool {
	if len(s) <= 1 {
		return true
	}
	r, n := utf8.DecodeRuneInString(s)
	return n == len(s) && r <= 0xff
}

// native reports whether this package itself knows how a value compares and prints.
func native(v any) bool {
	switch v.(type) {
	case nil, bool, string, literal, float32, float64, *big.Int, []any, map[string]any, Sentinel:
		return true
	}
	_, ok := asInt(v)
	return ok
}

// list gives a Go slice, or what the host says is a list, as []any; strings and bytes
// are none.
func (v *Values) list(x any) ([]any, bool) {
	switch x := x.(type) {
	case nil, string, literal, []byte:
		return nil, false
	case []any:
		return x, true
	}
	if v.List != nil && !native(x) {
		if list, ok := v.List(x); ok {
			return list, true
		}
	}
	rv := reflect.ValueOf(x)
	if rv.Kind() != reflect.Slice {
		return nil, false
	}
	list := make([]any, rv.Len())
	for i := range list {
		list[i] = rv.Index(i).Interface()
	}
	return list, true
}

// equal is Python's ==.
func (v *Values) equal(a, b any) bool {
	a, b = plain(a), plain(b)
	if !native(a) || !native(b) {
		if v.Equal != nil {
			return v.Equal(a, b)
		}
		return reflect.DeepEqual(a, b)
	}
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !v.equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if other, ok := y[k]; !ok || !v.equal(x[k], other) {
				return false
			}
		}
		return true
	}
	if x, ok := asInt(a); ok { // the usual case, without a big.Float
		if y, ok := asInt(b); ok {
			return x == y
		}
	}
	x, ok := number(a)
	if !ok {
		return false
	}
	y, ok := number(b)
	return ok && x.Cmp(y) == 0
}

// number gives a number exactly; NaN is none, as it equals nothing.
func number(v any) (*big.Float, bool) {
	switch n := v.(type) {
	case bool:
		if n {
			return big.NewFloat(1), true
		}
		return new(big.Float), true
	case float64:
		if math.IsNaN(n) {
			return nil, false
		}
		return big.NewFloat(n), true
	case float32:
		return number(float64(n))
	case *big.Int:
		if n == nil {
			return nil, false
		}
		return new(big.Float).SetInt(n), true
	}
	if n, ok := asInt(v); ok {
		return new(big.Float).SetInt64(int64(n)), true
	}
	return nil, false
}

// str is Python's str().
func (v *Values) str(x any) string {
	switch s := plain(x).(type) {
	case string:
		return s
	case []any, map[string]any:
		return v.repr(s)
	case time.Duration:
		if v.Str == nil {
			return s.String()
		}
	}
	if !native(x) {
		if v.Str != nil {
			return v.Str(x)
		}
		return fmt.Sprint(x)
	}
	return v.repr(x)
}

// repr is Python's repr().
func (v *Values) repr(x any) string {
	switch x := plain(x).(type) {
	case nil:
		return "None"
	case bool:
		if x {
			return "True"
		}
		return "False"
	case string:
		return reprString(x)
	case float64:
		return reprFloat(x)
	case float32:
		return reprFloat(float64(x))
	case *big.Int:
		return x.String()
	case Sentinel:
		return reprString(string(x))
	case []any:
		var b strings.Builder
		b.WriteByte('[')
		for i, item := range x {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(v.repr(item))
		}
		b.WriteByte(']')
		return b.String()
	case map[string]any:
		var b strings.Builder
		b.WriteByte('{')
		for i, k := range sortedKeys(x) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(reprString(k) + ": " + v.repr(x[k]))
		}
		b.WriteByte('}')
		return b.String()
	}
	if n, ok := asInt(x); ok {
		return strconv.Itoa(n)
	}
	if v.Repr != nil {
		return v.Repr(x)
	}
	return fmt.Sprint(x)
}

// reprString is Python's repr of a string: single quotes unless only those occur,
// and escapes for what does not print.
func reprString(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte(quote)
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\udc%02x`, s[i]) // as Python decodes such a byte of argv
		case r == '\\' || r < utf8.RuneSelf && byte(r) == quote:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

// reprFloat is the shortest text that reads back, with an exponent where Python has one.
func reprFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// isSpace is str.isspace for one character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
