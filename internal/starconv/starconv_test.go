package starconv_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/internal/starconv"
)

// eval returns the value of a Starlark expression.
func eval(t *testing.T, expr string) starlark.Value {
	t.Helper()
	v, err := starlark.EvalOptions(&syntax.FileOptions{}, new(starlark.Thread), "expr", expr, nil)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return v
}

func TestToGo(t *testing.T) {
	huge, _ := new(big.Int).SetString("1180591620717411303424", 10)
	for expr, want := range map[string]any{
		"None":               nil,
		"True":               true,
		"1 << 62":            int64(1 << 62),
		"1 << 70":            huge,
		"1.5":                1.5,
		`"é"`:                "é",
		`b"\xff"`:            []byte{0xff},
		"[]":                 []any{},
		"(1, [2])":           []any{int64(1), []any{int64(2)}},
		"range(3)":           []any{int64(0), int64(1), int64(2)},
		`{"a": {1: True}}`:   map[string]any{"a": map[string]any{"1": true}},
		`{True: 1, "b": ""}`: map[string]any{"true": int64(1), "b": ""},
	} {
		got, err := starconv.ToGo(eval(t, expr))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v, want %#v", expr, got, err, want)
		}
	}
	for expr, want := range map[string]string{
		"len":            "a builtin_function_or_method has no plain form",
		"[1, {2: len}]":  `item 1: key "2": a builtin_function_or_method has no plain form`,
		"{(1,): 2}":      "a dict with a key of type tuple has no plain form",
		"range(1 << 40)": "is too long",
	} {
		if _, err := starconv.ToGo(eval(t, expr)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
	cyclic := starlark.NewList(nil)
	if err := cyclic.Append(cyclic); err != nil {
		t.Fatal(err)
	}
	if _, err := starconv.ToGo(cyclic); err == nil || err.Error() != "it is nested deeper than 200, or contains itself" {
		t.Errorf("a list in itself: %v", err)
	}
}

func TestToStarlark(t *testing.T) {
	type word string
	seven := 7
	var none *int
	cyclic := map[string]any{}
	cyclic["me"] = cyclic
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "None"}, {none, "None"}, {&seven, "7"}, {word("x"), `"x"`}, {uint64(1 << 63), "9223372036854775808"},
		{json.Number("1e3"), "1000.0"}, {json.Number("12"), "12"}, {[2]bool{true}, "[True, False]"},
		{map[word]int{"b": 2, "a": 1}, `{"a": 1, "b": 2}`}, {json.RawMessage(`{"a": [1.5]}`), `{"a": [1.5]}`},
	} {
		v, err := starconv.ToStarlark(c.v)
		if err != nil || v.String() != c.want {
			t.Errorf("%#v: %v, %v, want %s", c.v, v, err, c.want)
		}
	}
	for _, v := range []any{make(chan int), func() {}, struct{}{}, map[int]int{}, []any{make(chan int)}, cyclic, json.Number("x")} {
		if got, err := starconv.ToStarlark(v); err == nil {
			t.Errorf("%T: %v", v, got)
		}
	}
}

func TestAssign(t *testing.T) {
	for _, c := range []struct {
		expr string
		dst  any
		want string // what is stored, or a part of the error
	}{
		{"300", new(int), "300"},
		{"300", new(int8), "300 is too large for int8"},
		{"-1", new(uint), "-1 does not fit uint"},
		{"1.0", new(int), "got float, want int"},
		{"1", new(float64), "1"},
		{"1e300", new(float32), "is too large for float32"},
		{"True", new(int), "got bool, want int"},
		{"[1, 2]", new([]int), "[1,2]"},
		{`["a", 2]`, new([]string), "item 1: got int, want string"},
		{`{"a": [1]}`, new(map[string][]int), `{"a":[1]}`},
		{"{1: 2}", new(map[string]int), "got a key of type int, want string"},
		{"None", new(*int), "null"},
		{"5", new(*int), "5"},
		{`"x"`, new(*int), "got string, want int"},
		{`{"a": None}`, new(any), `{"a":null}`},
		{"len", new(any), "has no plain form"},
		{"1", new(chan int), "got int, want chan int"},
		{"1", new(error), "got int, want error"},
	} {
		err := starconv.Assign(reflect.ValueOf(c.dst).Elem(), eval(t, c.expr))
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s to %T: %v, want %q", c.expr, c.dst, err, c.want)
			}
			continue
		}
		if got, _ := json.Marshal(c.dst); string(got) != c.want {
			t.Errorf("%s to %T: %s, want %s", c.expr, c.dst, got, c.want)
		}
	}
}
