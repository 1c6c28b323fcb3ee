package pyformat

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Float prints a float as Python's repr and str do: the shortest digits that read back, "1.0", "1e+16", "inf".
func Float(f float64) string {
	digits, exp, special := shortest(f)
	if special != "" {
		return special
	}
	s := layout(digits, exp, exp <= -4 || exp > 16, true, false, 'e')
	if math.Signbit(f) {
		return "-" + s
	}
	return s
}

// shortest is f as 0.DIGITS * 10**exp without its sign, or the text of what is not finite.
func shortest(f float64) (digits string, exp int, special string) {
	switch {
	case math.IsNaN(f):
		return "", 0, "nan"
	case math.IsInf(f, 1):
		return "", 0, "inf"
	case math.IsInf(f, -1):
		return "", 0, "-inf"
	}
	return split(strconv.FormatFloat(math.Abs(f), 'e', -1, 64))
}

// split takes strconv's d.ddde±xx apart.
func split(s string) (digits string, exp int, special string) {
	mantissa, e, _ := strings.Cut(s, "e")
	exp, _ = strconv.Atoi(e)
	return strings.Replace(mantissa, ".", "", 1), exp + 1, ""
}

// layout writes 0.DIGITS * 10**point. dot0 adds ".0" where there is no point, alt a bare point.
func layout(digits string, point int, exponent, dot0, alt bool, e byte) string {
	exp := 0
	if exponent {
		exp, point = point-1, 1
	}
	var whole, frac string
	switch {
	case point <= 0:
		whole, frac = "0", strings.Repeat("0", -point)+digits
	case point >= len(digits):
		whole = digits + strings.Repeat("0", point-len(digits))
	default:
		whole, frac = digits[:point], digits[point:]
	}
	if frac == "" && dot0 && !exponent {
		frac = "0"
	}
	if frac != "" || alt {
		whole += "." + frac
	}
	if exponent {
		whole += string(e) + sign(exp) + twoDigits(exp)
	}
	return whole
}

func sign(n int) string {
	if n < 0 {
		return "-"
	}
	return "+"
}

func twoDigits(n int) string {
	s := strconv.Itoa(max(n, -n))
	if len(s) < 2 {
		return "0" + s
	}
	return s
}

// FormatFloat formats f by a spec such as ".2f" or "10,.1%". The empty spec prints as str.
func FormatFloat(f float64, text string) (string, error) {
	if text == "" {
		return Float(f), nil
	}
	s, err := parse(text, "float", 0, '>')
	if err != nil {
		return "", err
	}
	return formatFloat(f, s, "float")
}

func formatFloat(f float64, s spec, typeName string) (string, error) {
	typ := s.typ
	upper := typ == 'E' || typ == 'F' || typ == 'G'
	switch typ {
	case 0, 'e', 'f', 'g', 'n', '%':
	case 'E', 'F', 'G':
		typ += 'a' - 'A'
	default:
		return "", unknownType(s.typ, typeName)
	}
	percent := ""
	precision := s.precision
	dot0 := typ == 0
	switch {
	case typ == '%':
		typ, percent, f = 'f', "%", f*100
	case typ == 'n', typ == 0 && precision >= 0:
		typ = 'g'
	}
	if precision < 0 {
		precision = 6
	}
	a := math.Abs(f)
	var body string
	_, _, special := shortest(f)
	switch {
	case special != "":
		body = strings.TrimPrefix(special, "-")
	case typ == 0:
		digits, exp, _ := shortest(f)
		body = layout(digits, exp, exp <= -4 || exp > 16, true, s.alt, 'e')
	case typ == 'f':
		body = strconv.FormatFloat(a, 'f', precision, 64)
		if s.alt && precision == 0 {
			body += "."
		}
	case typ == 'e':
		digits, exp, _ := split(strconv.FormatFloat(a, 'e', precision, 64))
		body = layout(digits, exp, true, false, s.alt, 'e')
	default:
		precision = max(precision, 1)
		digits, exp, _ := split(strconv.FormatFloat(a, 'e', precision-1, 64))
		limit := precision
		if dot0 {
			limit--
		}
		exponent := exp <= -4 || exp > limit
		if !s.alt {
			digits = strings.TrimRight(digits, "0")
			if digits == "" {
				digits = "0"
			}
		}
		body = layout(digits, exp, exponent, dot0, s.alt, 'e')
	}
	if upper {
		body = strings.ToUpper(body)
	}
	negative := math.Signbit(f) && !math.IsNaN(f)
	if s.noNegZero && negative && special == "" {
		mantissa, _, _ := strings.Cut(strings.ToLower(body), "e")
		negative = strings.Trim(mantissa, "0.") != ""
	}
	i := 0
	for i < len(body) && '0' <= body[i] && body[i] <= '9' {
		i++
	}
	return s.number(negative, "", body[:i], body[i:]+percent), nil
}

// FormatInt formats n by a spec such as ",d", "08b" or ".2f". The empty spec prints as str. typeName is the type's name
// in errors, "int" or "bool".
func FormatInt(n *big.Int, text, typeName string) (string, error) {
	if text == "" {
		return n.String(), nil
	}
	s, err := parse(text, typeName, 'd', '>')
	if err != nil {
		return "", err
	}
	base, prefix := 10, ""
	switch s.typ {
	case 'd', 'n', 'c':
	case 'b':
		base, prefix = 2, "0b"
	case 'o':
		base, prefix = 8, "0o"
	case 'x':
		base, prefix = 16, "0x"
	case 'X':
		base, prefix = 16, "0X"
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		f, _ := new(big.Float).SetPrec(53).SetInt(n).Float64()
		if math.IsInf(f, 0) {
			return "", errors.New("int too large to convert to float")
		}
		return formatFloat(f, s, typeName)
	default:
		return "", unknownType(s.typ, typeName)
	}
	if s.precision >= 0 {
		return "", errors.New("Precision not allowed in integer format specifier")
	}
	if s.noNegZero {
		return "", errors.New("Negative zero coercion (z) not allowed in integer format specifier")
	}
	if s.typ == 'c' {
		if s.sign != 0 {
			return "", errors.New("Sign not allowed with integer format specifier 'c'")
		}
		if s.alt {
			return "", errors.New("Alternate form (#) not allowed with integer format specifier 'c'")
		}
		if !n.IsInt64() || n.Int64() < 0 || n.Int64() > 0x10ffff {
			return "", errors.New("%c arg not in range(0x110000)")
		}
		return s.number(false, "", "", string(rune(n.Int64()))), nil
	}
	if !s.alt {
		prefix = ""
	}
	digits := new(big.Int).Abs(n).Text(base)
	if s.typ == 'X' {
		digits = strings.ToUpper(digits)
	}
	return s.number(n.Sign() < 0, prefix, digits, ""), nil
}

// Decimal is a decimal number taken apart: (-1)**Negative * Digits * 10**Exp. Digits have no leading zeros; zero is "0".
type Decimal struct {
	Negative bool
	Digits   string
	Exp      int
}

func (d Decimal) zero() bool { return d.Digits == "0" }

// FormatDecimal formats as Python's Decimal.__format__ does, rounding half to even. The empty spec prints as str. What
// it cannot read is "invalid format string", as in CPython.
func FormatDecimal(d Decimal, text string) (string, error) {
	s, err := parse(text, "decimal.Decimal", 'G', '>')
	invalid := errors.New("invalid format string")
	if err != nil || s.group == '_' || s.doubleZero || s.group != 0 && s.typ == 'n' {
		return "", invalid
	}
	switch s.typ {
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
	case 'n':
		s.typ = 'g'
	default:
		return "", invalid
	}
	s.zeroDigits = s.zeroDigits && !s.aligned
	if d.Exp > MaxWidth || d.Exp < -MaxWidth {
		return "", errors.New("the exponent is too large to format")
	}
	precision := s.precision
	if s.typ == '%' {
		d.Exp += 2
	}
	switch s.typ {
	case 'e', 'E':
		if precision >= 0 {
			d = d.round(precision + 1)
		}
	case 'f', 'F', '%':
		if precision >= 0 {
			d = d.rescale(-precision)
		}
		if d.zero() && d.Exp > 0 {
			d.Exp = 0
		}
	default:
		if precision == 0 {
			precision = 1
		}
		if precision >= 0 && len(d.Digits) > precision {
			d = d.round(precision)
		}
	}
	if d.zero() && s.noNegZero {
		d.Negative = false
	}
	left := d.Exp + len(d.Digits)
	dot := 1
	switch s.typ {
	case 'e', 'E':
		if d.zero() && precision >= 0 {
			dot = 1 - precision
		}
	case 'f', 'F', '%':
		dot = left
	default:
		if d.Exp <= 0 && left > -6 {
			dot = left
		}
	}
	var whole, frac string
	switch {
	case dot < 0:
		whole, frac = "0", strings.Repeat("0", -dot)+d.Digits
	case dot > len(d.Digits):
		whole = d.Digits + strings.Repeat("0", dot-len(d.Digits))
	case dot == 0:
		whole, frac = "0", d.Digits
	default:
		whole, frac = d.Digits[:dot], d.Digits[dot:]
	}
	rest := ""
	if frac != "" || s.alt {
		rest = "." + frac
	}
	exp := left - dot
	switch {
	case s.typ == '%':
		rest += "%"
	case exp != 0 || s.typ == 'e' || s.typ == 'E':
		e := "e"
		if s.typ == 'E' || s.typ == 'G' {
			e = "E"
		}
		rest += e + sign(exp) + strconv.Itoa(max(exp, -exp))
	}
	return s.number(d.Negative, "", whole, rest), nil
}

// round keeps n significant digits.
func (d Decimal) round(n int) Decimal {
	if len(d.Digits) <= n {
		if d.zero() {
			return d
		}
		// More digits than there are: zeros at the end.
		d.Exp -= n - len(d.Digits)
		d.Digits += strings.Repeat("0", n-len(d.Digits))
		return d
	}
	out := d.rescale(d.Exp + len(d.Digits) - n)
	if len(out.Digits) > n { // 9.99 became 10.0
		out.Digits = out.Digits[:n]
		out.Exp++
	}
	return out
}

// rescale rounds half to even to an exponent.
func (d Decimal) rescale(exp int) Decimal {
	out := Decimal{d.Negative, "0", exp}
	drop := exp - d.Exp
	switch {
	case d.zero() || drop > len(d.Digits):
		return out
	case drop <= 0:
		out.Digits = d.Digits + strings.Repeat("0", -drop)
		return out
	}
	kept, lost := d.Digits[:len(d.Digits)-drop], d.Digits[len(d.Digits)-drop:]
	n, _ := new(big.Int).SetString("0"+kept, 10)
	rest := strings.TrimRight(lost[1:], "0")
	if lost[0] > '5' || lost[0] == '5' && (rest != "" || n.Bit(0) == 1) {
		n.Add(n, big.NewInt(1))
	}
	out.Digits = n.String()
	return out
}

// RoundFloat is round(f, n): to n digits behind the point, correctly, from the float's exact binary value, half to even.
// It reports ok false where the result is beyond a float's range.
func RoundFloat(f float64, n int) (_ float64, ok bool) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) || f == 0 || n > 323:
		return f, true
	case n < -308:
		return math.Copysign(0, f), true
	case n >= 0:
		g, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', n, 64), 64)
		return g, err == nil
	}
	// The digits to the left of the point: round the exact integer part, with the fraction as a tie-breaker.
	whole, frac := math.Modf(math.Abs(f))
	z, _ := big.NewFloat(whole).Int(nil)
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
	q, r := new(big.Int).QuoRem(z, unit, new(big.Int))
	switch half := r.Lsh(r, 1).Cmp(unit); {
	case half > 0, half == 0 && (frac > 0 || q.Bit(0) == 1):
		q.Add(q, big.NewInt(1))
	}
	g, _ := new(big.Float).SetPrec(2048).SetInt(q.Mul(q, unit)).Float64()
	return math.Copysign(g, f), !math.IsInf(g, 0)
}

// RoundInt is round(n, digits) of an int: half to even for negative digits, n itself otherwise.
func RoundInt(n *big.Int, digits int) *big.Int {
	if digits >= 0 {
		return n
	}
	if int64(-digits) > int64(n.BitLen()) { // 10**k > 2**k > 2*|n|
		return new(big.Int)
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-digits)), nil)
	q, r := new(big.Int).QuoRem(new(big.Int).Abs(n), unit, new(big.Int))
	if half := r.Lsh(r, 1).Cmp(unit); half > 0 || half == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	q.Mul(q, unit)
	if n.Sign() < 0 {
		q.Neg(q)
	}
	return q
}
