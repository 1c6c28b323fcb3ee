package argparse

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Type turns a word into a value. The zero value leaves it a string.
type Type struct {
	// Name is what "invalid int value: 'x'" calls it.
	Name string
	// Parse converts a word; nil leaves it a string. Any error gives the sentence
	// above, a *TypeError its own.
	Parse func(word string) (any, error)
	// Accept checks and normalises a value given to CallArgs that is not a Go string;
	// nil lets everything pass. Errors as for Parse.
	Accept func(value any) (any, error)
}

// The types that need nothing but Go. They are values to copy into an Argument.
var (
	// Str leaves a word as it is.
	Str = Type{Name: "str", Accept: acceptStr}
	// Int reads integers as Python's int() does: "010" is 10, "1_000" is 1000, "0x10" is
	// refused. The value is an int, or a *big.Int where an int is too small.
	Int = Type{Name: "int", Parse: parseInt, Accept: acceptInt}
	// Float reads numbers as Python's float() does, "inf" and "nan" included, as float64.
	Float = Type{Name: "float", Parse: parseFloat, Accept: acceptFloat}
	// Bool reads true, false, yes, no, 1 and 0 in any case.
	Bool = Type{Name: "bool", Parse: parseBool, Accept: acceptBool}
	// Duration reads "90s", "2h", "1h30m", "1.5h", "7d", "2w" as a time.Duration. A number
	// needs a unit; the units are Go's, d for 24 hours and w for 7 days.
	Duration = Type{Name: "duration", Parse: parseDuration, Accept: acceptDuration}
	// JSON reads one JSON value; objects are map[string]any, arrays []any, numbers json.Number.
	JSON = Type{Name: "json", Parse: parseJSON}
)

var errInvalid = errors.New("invalid value")

func acceptStr(v any) (any, error) { return nil, errInvalid }

// digitsOf gives the text of a Python number with its underscores and Unicode digits
// resolved and its spaces stripped, or false where int() and float() refuse it.
func digitsOf(s string) (string, bool) {
	s = strings.TrimFunc(s, isSpace)
	if s == "" {
		return "", false
	}
	var b strings.Builder
	previous := rune(0) // the last character read
	isDigit := func(r rune) bool { return r >= '0' && r <= '9' }
	for i, r := range s {
		if r >= utf8.RuneSelf {
			d, ok := decimalDigit(r)
			if !ok {
				return "", false
			}
			r = rune('0' + d)
		}
		if r == '_' {
			next, _ := utf8.DecodeRuneInString(s[i+1:])
			if _, ok := decimalDigit(next); !ok || !isDigit(previous) {
				return "", false
			}
		} else {
			b.WriteRune(r)
		}
		previous = r
	}
	return b.String(), true
}

// decimalDigit is the value of a decimal digit of any script.
func decimalDigit(r rune) (int, bool) {
	if r >= '0' && r <= '9' {
		return int(r - '0'), true
	}
	if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	// Decimal digits stand in runs of ten, in order. A run may follow another.
	for _, t := range unicode.Nd.R16 {
		if uint32(r) >= uint32(t.Lo) && uint32(r) <= uint32(t.Hi) {
			return int(uint32(r)-uint32(t.Lo)) % 10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if uint32(r) >= t.Lo && uint32(r) <= t.Hi {
			return int(uint32(r)-t.Lo) % 10, true
		}
	}
	return 0, false
}

// maxIntDigits is CPython's limit for int(): beyond it the conversion is refused.
const maxIntDigits = 4300

func parseInt(word string) (any, error) {
	text, ok := digitsOf(word)
	if !ok {
		return nil, errInvalid
	}
	digits := text
	if digits[0] == '+' || digits[0] == '-' {
		digits = digits[1:]
	}
	if digits == "" || len(digits) > maxIntDigits {
		return nil, errInvalid
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return nil, errInvalid
		}
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n, nil
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, errInvalid
	}
	return n, nil
}

func acceptInt(v any) (any, error) {
	if n, ok := asInt(v); ok {
		return n, nil
	}
	if n, ok := v.(*big.Int); ok && n != nil {
		return n, nil
	}
	return nil, errInvalid
}

// asInt gives a Go integer of any size as int.
func asInt(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int8:
		return int(n), true
	case int16:
		return int(n), true
	case int32:
		return int(n), true
	case int64:
		return int(n), int64(int(n)) == n
	case uint:
		return int(n), n <= math.MaxInt
	case uint8:
		return int(n), true
	case uint16:
		return int(n), true
	case uint32:
		return int(n), uint64(n) <= math.MaxInt
	case uint64:
		return int(n), n <= math.MaxInt
	}
	return 0, false
}

func parseFloat(word string) (any, error) {
	text, ok := digitsOf(word)
	if !ok {
		return nil, errInvalid
	}
	switch strings.ToLower(strings.TrimLeft(text, "+-")) {
	case "inf", "infinity", "nan":
	default:
		if strings.ContainsAny(text, "xXpP_") {
			return nil, errInvalid
		}
	}
	unsigned := text
	sign := 1.0
	if unsigned[0] == '+' || unsigned[0] == '-' {
		if unsigned[0] == '-' {
			sign = -1
		}
		unsigned = unsigned[1:]
	}
	if strings.EqualFold(unsigned, "nan") { // strconv takes no sign here
		return math.NaN(), nil
	}
	f, err := strconv.ParseFloat(unsigned, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.HasPrefix(unsigned, "+") || strings.HasPrefix(unsigned, "-") {
		return nil, errInvalid
	}
	return math.Copysign(f, sign), nil
}

func acceptFloat(v any) (any, error) {
	switch f := v.(type) {
	case float64:
		return f, nil
	case float32:
		return float64(f), nil
	case *big.Int:
		if f == nil {
			return nil, errInvalid
		}
		x, _ := new(big.Float).SetInt(f).Float64()
		return x, nil
	}
	if n, ok := asInt(v); ok {
		return float64(n), nil
	}
	return nil, errInvalid
}

func parseBool(word string) (any, error) {
	switch strings.ToLower(word) {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return nil, errInvalid
}

func acceptBool(v any) (any, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return nil, errInvalid
}

func parseDuration(word string) (any, error) {
	text := strings.TrimSpace(word)
	sign := time.Duration(1)
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = -1, rest
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	if text == "0" {
		return time.Duration(0), nil
	}
	if text == "" {
		return nil, errInvalid
	}
	var total time.Duration
	for text != "" {
		n := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if n <= 0 {
			return nil, errInvalid
		}
		end := n + strings.IndexFunc(text[n:], func(r rune) bool { return r == '.' || r >= '0' && r <= '9' })
		if end < n {
			end = len(text)
		}
		part, err := durationPart(text[:n], text[n:end])
		if err != nil || part > math.MaxInt64-total {
			return nil, errInvalid
		}
		total += part
		text = text[end:]
	}
	return sign * total, nil
}

func durationPart(number, unit string) (time.Duration, error) {
	var hours float64
	switch unit {
	case "d":
		hours = 24
	case "w":
		hours = 7 * 24
	default:
		return time.ParseDuration(number + unit)
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		each := int64(hours) * int64(time.Hour)
		if n > math.MaxInt64/each {
			return 0, errInvalid
		}
		return time.Duration(n * each), nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*hours >= float64(math.MaxInt64)/float64(time.Hour) {
		return 0, errInvalid
	}
	return time.Duration(f * hours * float64(time.Hour)), nil
}

func acceptDuration(v any) (any, error) {
	if d, ok := v.(time.Duration); ok {
		return d, nil
	}
	return nil, errInvalid
}

func parseJSON(word string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(word))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, &TypeError{Message: fmt.Sprintf("invalid json value: %s (%v)", reprString(word), err), Err: err}
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errInvalid
	}
	return v, nil
}
