package unittest

// The comparison of t.eq: the language's own fails below depth 10, and does
// not say where two values differ.

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// maxDepth bounds the nesting of what is compared, so that no value of a
// script's can exhaust the stack.
const maxDepth = 10_000

// compare reports whether x equals y by the rules of ==, at any depth. Where
// they differ, path leads to the first difference, as a script would write it:
// [2]["name"]. It is empty when the values themselves differ.
func compare(x, y starlark.Value) (equal bool, path string, err error) {
	return (&comparison{open: map[[2]starlark.Value]bool{}}).values(x, y, 0)
}

// comparison holds the pairs of lists and dicts that are being compared: a pair
// met again inside itself is equal as far as it goes.
type comparison struct {
	open map[[2]starlark.Value]bool
}

func (c *comparison) values(x, y starlark.Value, depth int) (equal bool, path string, err error) {
	if depth > maxDepth {
		return false, "", fmt.Errorf("values nested deeper than %d cannot be compared", maxDepth)
	}
	switch x := x.(type) {
	case *starlark.List:
		if y, ok := y.(*starlark.List); ok {
			return c.within(x, y, func() (bool, string, error) { return c.items(x, y, depth) })
		}
	case starlark.Tuple:
		if y, ok := y.(starlark.Tuple); ok {
			return c.items(x, y, depth)
		}
	case *starlark.Dict:
		if y, ok := y.(*starlark.Dict); ok {
			return c.within(x, y, func() (bool, string, error) { return c.dicts(x, y, depth) })
		}
	case *starlark.Set:
		if y, ok := y.(*starlark.Set); ok {
			equal, err := x.CompareSameType(equalOp, y, 1)
			return equal, "", err
		}
	case *starlarkstruct.Struct:
		if y, ok := y.(*starlarkstruct.Struct); ok {
			return c.structs(x, y, depth)
		}
	}
	equal, err = starlark.EqualDepth(x, y, maxDepth-depth)
	return equal, "", err
}

// within compares two values that may contain themselves.
func (c *comparison) within(x, y starlark.Value, compare func() (bool, string, error)) (bool, string, error) {
	pair := [2]starlark.Value{x, y}
	if x == y || c.open[pair] {
		return true, "", nil
	}
	c.open[pair] = true
	defer delete(c.open, pair)
	return compare()
}

func (c *comparison) items(x, y starlark.Indexable, depth int) (bool, string, error) {
	for i := range min(x.Len(), y.Len()) {
		equal, path, err := c.values(x.Index(i), y.Index(i), depth+1)
		if err != nil || !equal {
			return false, fmt.Sprintf("[%d]%s", i, path), err
		}
	}
	if x.Len() != y.Len() {
		return false, fmt.Sprintf("[%d]", min(x.Len(), y.Len())), nil
	}
	return true, "", nil
}

func (c *comparison) dicts(x, y *starlark.Dict, depth int) (bool, string, error) {
	for _, item := range x.Items() {
		at := "[" + item[0].String() + "]"
		other, found, err := y.Get(item[0])
		if err != nil || !found {
			return false, at, err
		}
		equal, path, err := c.values(item[1], other, depth+1)
		if err != nil || !equal {
			return false, at + path, err
		}
	}
	if x.Len() == y.Len() {
		return true, "", nil
	}
	for _, key := range y.Keys() {
		if _, found, err := x.Get(key); err != nil || !found {
			return false, "[" + key.String() + "]", err
		}
	}
	return false, "", nil
}

func (c *comparison) structs(x, y *starlarkstruct.Struct, depth int) (bool, string, error) {
	if same, err := starlark.Equal(x.Constructor(), y.Constructor()); err != nil || !same {
		return false, "", err
	}
	names := x.AttrNames()
	others := y.AttrNames()
	for i, name := range names {
		if i >= len(others) || others[i] != name {
			return false, "." + name, nil
		}
		a, err := x.Attr(name)
		if err != nil {
			return false, "", err
		}
		b, err := y.Attr(name)
		if err != nil {
			return false, "", err
		}
		equal, path, err := c.values(a, b, depth+1)
		if err != nil || !equal {
			return false, "." + name + path, err
		}
	}
	if len(others) > len(names) {
		return false, "." + others[len(names)], nil
	}
	return true, "", nil
}

// contains reports whether item is in container: part of a string, an item of
// what can be iterated (compared as t.eq does), a key of a dict.
func contains(container, item starlark.Value) (bool, error) {
	switch c := container.(type) {
	case *starlark.List, starlark.Tuple:
		seq := c.(starlark.Indexable)
		for i := range seq.Len() {
			if equal, _, err := compare(seq.Index(i), item); err != nil || equal {
				return equal, err
			}
		}
		return false, nil
	}
	v, err := starlark.Binary(inOp, item, container)
	if err != nil {
		return false, err
	}
	return bool(v.Truth()), nil
}
