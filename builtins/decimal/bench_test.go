package decimal

import (
	"testing"

	"go.starlark.net/syntax"
)

func BenchmarkParseLong(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("12345678901234567890.12345678"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkString(b *testing.B) {
	x := FromScaled(1234567, 2)
	b.ReportAllocs()
	for b.Loop() {
		_ = x.String()
	}
}

func BenchmarkMul(b *testing.B) {
	x, y := FromScaled(1234567, 2), FromScaled(119, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Mul(y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMulLong(b *testing.B) {
	x, y := mustParse(b, "12345678901234567890.12345678"), mustParse(b, "98765432109876543210.12345678")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Mul(y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDiv(b *testing.B) {
	x, y := FromScaled(1234567, 2), FromScaled(119, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.arithmetic(syntax.SLASH, y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	x, y := FromScaled(1234567, 2), FromScaled(123456, 1)
	b.ReportAllocs()
	for b.Loop() {
		if x.Compare(y) != 1 {
			b.Fatal("not larger")
		}
	}
}

func BenchmarkQuantize(b *testing.B) {
	x := FromScaled(1234567, 3)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Quantize(2); err != nil {
			b.Fatal(err)
		}
	}
}
