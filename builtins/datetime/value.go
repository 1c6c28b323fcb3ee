package datetime

import (
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/starmanage/starmanage/engine"
)

// This file holds what the values share: how methods are bound, hashed and compared.

type (
	method  = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)
	methods map[string]method
)

// bind returns the method of that name with its receiver, or nil.
func (m methods) bind(name string, recv starlark.Value) (starlark.Value, error) {
	fn, ok := m[name]
	if !ok {
		return nil, nil
	}
	return engine.PureBuiltin(name, fn).BindReceiver(recv), nil
}

// names is the sorted list of the methods and of the attributes that are no methods.
func (m methods) names(attrs ...string) []string {
	for name := range m {
		attrs = append(attrs, name)
	}
	slices.Sort(attrs)
	return attrs
}

func threeway(op syntax.Token, cmp int) bool {
	switch op {
	case syntax.EQL:
		return cmp == 0
	case syntax.NEQ:
		return cmp != 0
	case syntax.LT:
		return cmp < 0
	case syntax.LE:
		return cmp <= 0
	case syntax.GT:
		return cmp > 0
	case syntax.GE:
		return cmp >= 0
	}
	return false
}

// hashInt mixes 64 bits into 32 (the finalizer of SplitMix64).
func hashInt(n int64) uint32 {
	h := uint64(n)
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return uint32(h ^ h>>31)
}
