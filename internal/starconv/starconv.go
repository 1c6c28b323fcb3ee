// Package starconv converts between Starlark's values and plain Go ones: nil,
// bool, int64 (*big.Int beyond it), float64, string, []byte, []any and
// map[string]any. What json.Marshaler types (dates, decimals, rows) become in
// JSON, they become here.
package starconv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"sort"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// maxDepth bounds nesting: deeper values are cyclic or a mistake.
const maxDepth = 200

// errDeep is told without the path to the value: that is as long as it is deep.
var errDeep = fmt.Errorf("it is nested deeper than %d, or contains itself", maxDepth)

// at says where in a value an error is.
func at(err error, format string, args ...any) error {
	if err == errDeep {
		return err
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// ToStarlark returns the Starlark value of a Go one: nil, a starlark.Value
// (kept as it is), booleans, numbers, strings, []byte, *big.Int, json.Number,
// pointers to them, slices, arrays, maps with string keys, and structs that
// marshal to JSON. The result is not frozen and shares nothing with v.
func ToStarlark(v any) (starlark.Value, error) { return toStarlark(v, 0) }

func toStarlark(v any, depth int) (starlark.Value, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case starlark.Value:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
			return starlark.None, nil
		}
		return v, nil
	case bool:
		return starlark.Bool(v), nil
	case string:
		return starlark.String(v), nil
	case []byte:
		return starlark.Bytes(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case int64:
		return starlark.MakeInt64(v), nil
	case float64:
		return starlark.Float(v), nil
	case *big.Int:
		if v == nil {
			return starlark.None, nil
		}
		return starlark.MakeBigInt(v), nil
	case json.Number:
		return number(v)
	case []any:
		return list(reflect.ValueOf(v), depth)
	}
	return reflected(reflect.ValueOf(v), depth)
}

func reflected(r reflect.Value, depth int) (starlark.Value, error) {
	if m, ok := r.Interface().(json.Marshaler); ok && !(r.Kind() == reflect.Pointer && r.IsNil()) {
		return viaJSON(m, depth)
	}
	switch r.Kind() {
	case reflect.Bool:
		return starlark.Bool(r.Bool()), nil
	case reflect.String:
		return starlark.String(r.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return starlark.MakeInt64(r.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return starlark.MakeUint64(r.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return starlark.Float(r.Float()), nil
	case reflect.Pointer, reflect.Interface:
		if r.IsNil() {
			return starlark.None, nil
		}
		return toStarlark(r.Elem().Interface(), depth+1)
	case reflect.Slice, reflect.Array:
		return list(r, depth)
	case reflect.Map:
		return dict(r, depth)
	}
	return nil, fmt.Errorf("a Go value of type %s has no Starlark form", r.Type())
}

func list(r reflect.Value, depth int) (starlark.Value, error) {
	elems := make([]starlark.Value, r.Len())
	for i := range elems {
		v, err := toStarlark(r.Index(i).Interface(), depth+1)
		if err != nil {
			return nil, at(err, "item %d", i)
		}
		elems[i] = v
	}
	return starlark.NewList(elems), nil
}

// dict keeps the keys in sorted order, so that a Go map gives the same dict
// each time.
func dict(r reflect.Value, depth int) (starlark.Value, error) {
	if r.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("a Go value of type %s has no Starlark form: its keys are no strings", r.Type())
	}
	keys := r.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	d := starlark.NewDict(len(keys))
	for _, k := range keys {
		v, err := toStarlark(r.MapIndex(k).Interface(), depth+1)
		if err != nil {
			return nil, at(err, "key %q", k.String())
		}
		if err := d.SetKey(starlark.String(k.String()), v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func viaJSON(m json.Marshaler, depth int) (starlark.Value, error) {
	v, err := decodeJSON(m)
	if err != nil {
		return nil, err
	}
	return toStarlark(v, depth+1)
}

func decodeJSON(m json.Marshaler) (any, error) {
	data, err := m.MarshalJSON()
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return v, nil
}

func number(n json.Number) (starlark.Value, error) {
	if i, ok := new(big.Int).SetString(string(n), 10); ok {
		return starlark.MakeBigInt(i), nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("%q is no number", string(n))
	}
	return starlark.Float(f), nil
}

// ToGo returns the plain Go value of a Starlark one. Dicts need keys that JSON
// can have: strings, or ints and bools, which become strings as in Python's
// json. A function, a QuerySet or any other value without a plain form is an
// error.
func ToGo(v starlark.Value) (any, error) { return toGo(v, 0) }

func toGo(v starlark.Value, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.String:
		return string(v), nil
	case starlark.Bytes:
		return []byte(v), nil
	case starlark.Int:
		if i, ok := v.Int64(); ok {
			return i, nil
		}
		return v.BigInt(), nil
	case starlark.Float:
		return float64(v), nil
	case json.Marshaler:
		plain, err := decodeJSON(v)
		if err != nil {
			return nil, err
		}
		return plainNumbers(plain), nil
	case *starlark.Dict:
		return toMap(v.Items(), depth)
	case *starlarkstruct.Struct:
		d := make(starlark.StringDict)
		v.ToStringDict(d)
		m := make(map[string]any, len(d))
		for name, elem := range d {
			e, err := toGo(elem, depth+1)
			if err != nil {
				return nil, at(err, "field %s", name)
			}
			m[name] = e
		}
		return m, nil
	case *starlark.List, starlark.Tuple, *starlark.Set:
		return toSlice(v.(starlark.Iterable), depth)
	}
	if v.Type() == "range" {
		if it, ok := v.(starlark.Sequence); ok {
			return toSlice(it, depth)
		}
	}
	return nil, fmt.Errorf("a %s has no plain form", v.Type())
}

func toMap(items []starlark.Tuple, depth int) (any, error) {
	m := make(map[string]any, len(items))
	for _, item := range items {
		var key string
		switch k := item[0].(type) {
		case starlark.String:
			key = string(k)
		case starlark.Int:
			key = k.String()
		case starlark.Bool:
			key = strings.ToLower(k.String())
		default:
			return nil, fmt.Errorf("a dict with a key of type %s has no plain form", k.Type())
		}
		e, err := toGo(item[1], depth+1)
		if err != nil {
			return nil, at(err, "key %q", key)
		}
		m[key] = e
	}
	return m, nil
}

// maxItems bounds what a range may become.
const maxItems = 10_000_000

func toSlice(it starlark.Iterable, depth int) (any, error) {
	if n := starlark.Len(it); n > maxItems {
		return nil, fmt.Errorf("a %s of %d items is too long", it.Type(), n)
	}
	out := []any{}
	iter := it.Iterate()
	defer iter.Done()
	var elem starlark.Value
	for i := 0; iter.Next(&elem); i++ {
		e, err := toGo(elem, depth+1)
		if err != nil {
			return nil, at(err, "item %d", i)
		}
		out = append(out, e)
	}
	return out, nil
}

func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		if i, ok := new(big.Int).SetString(string(v), 10); ok {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	}
	return v
}

// Assign stores a Starlark value in a Go variable of a type that Func allows:
// bool, string, integers, floats, any, starlark.Value, and slices, maps with
// string keys and pointers of those. It refuses what would lose something: a
// number that does not fit, a float for an integer.
func Assign(dst reflect.Value, v starlark.Value) error {
	if dst.Type() == reflect.TypeFor[starlark.Value]() {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	switch dst.Kind() {
	case reflect.Interface:
		if dst.NumMethod() > 0 {
			break
		}
		plain, err := ToGo(v)
		if err != nil {
			return err
		}
		if plain != nil {
			dst.Set(reflect.ValueOf(plain))
		}
		return nil
	case reflect.Pointer:
		if v == starlark.None {
			dst.SetZero()
			return nil
		}
		dst.Set(reflect.New(dst.Type().Elem()))
		return Assign(dst.Elem(), v)
	case reflect.Bool:
		if b, ok := v.(starlark.Bool); ok {
			dst.SetBool(bool(b))
			return nil
		}
	case reflect.String:
		if s, ok := starlark.AsString(v); ok {
			dst.SetString(s)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if i, ok := v.(starlark.Int); ok {
			n, ok := i.Int64()
			if !ok || dst.OverflowInt(n) {
				return fmt.Errorf("%s is too large for %s", i, dst.Type())
			}
			dst.SetInt(n)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if i, ok := v.(starlark.Int); ok {
			n, ok := i.Uint64()
			if !ok || dst.OverflowUint(n) {
				return fmt.Errorf("%s does not fit %s", i, dst.Type())
			}
			dst.SetUint(n)
			return nil
		}
	case reflect.Float32, reflect.Float64:
		if f, ok := starlark.AsFloat(v); ok {
			if dst.OverflowFloat(f) && !math.IsInf(f, 0) {
				return fmt.Errorf("%s is too large for %s", v, dst.Type())
			}
			dst.SetFloat(f)
			return nil
		}
	case reflect.Slice:
		if b, ok := v.(starlark.Bytes); ok && dst.Type().Elem().Kind() == reflect.Uint8 {
			dst.SetBytes(slices.Clone([]byte(b)))
			return nil
		}
		if it, ok := v.(starlark.Sequence); ok {
			return assignSlice(dst, it)
		}
	case reflect.Map:
		if d, ok := v.(*starlark.Dict); ok && dst.Type().Key().Kind() == reflect.String {
			return assignMap(dst, d)
		}
	}
	return fmt.Errorf("got %s, want %s", v.Type(), wanted(dst.Type()))
}

func assignSlice(dst reflect.Value, it starlark.Sequence) error {
	if n := it.Len(); n > maxItems {
		return fmt.Errorf("a %s of %d items is too long", it.Type(), n)
	}
	out := reflect.MakeSlice(dst.Type(), 0, 0)
	iter := it.Iterate()
	defer iter.Done()
	var elem starlark.Value
	for i := 0; iter.Next(&elem); i++ {
		e := reflect.New(dst.Type().Elem()).Elem()
		if err := Assign(e, elem); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
		out = reflect.Append(out, e)
	}
	dst.Set(out)
	return nil
}

func assignMap(dst reflect.Value, d *starlark.Dict) error {
	out := reflect.MakeMap(dst.Type())
	for _, item := range d.Items() {
		k, ok := starlark.AsString(item[0])
		if !ok {
			return fmt.Errorf("got a key of type %s, want string", item[0].Type())
		}
		e := reflect.New(dst.Type().Elem()).Elem()
		if err := Assign(e, item[1]); err != nil {
			return fmt.Errorf("key %q: %w", k, err)
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(dst.Type().Key()), e)
	}
	dst.Set(out)
	return nil
}

// wanted names a Go type in a script's words.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int"
	case reflect.Float32, reflect.Float64:
		return "float or int"
	case reflect.Slice:
		return "list"
	case reflect.Map:
		return "dict with string keys"
	case reflect.Pointer:
		return wanted(t.Elem()) + " or None"
	}
	return t.String()
}
