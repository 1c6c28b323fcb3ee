package command

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/suggest"
)

// settings is the project's settings in a script: settings.NAME. Of DATABASES
// it gives the aliases alone; a name that masks a secret needs a grant.
type settings struct {
	current *atomic.Pointer[engine.Settings]
}

var _ starlark.HasAttrs = (*settings)(nil)

func (s *settings) String() string        { return "<settings>" }
func (s *settings) Type() string          { return "settings" }
func (s *settings) Freeze()               {}
func (s *settings) Truth() starlark.Bool  { return true }
func (s *settings) Hash() (uint32, error) { return 0, errors.New("unhashable: settings") }

func (s *settings) AttrNames() []string {
	if current := s.current.Load(); current != nil {
		return current.Names()
	}
	return nil
}

func (s *settings) Attr(name string) (starlark.Value, error) {
	current := s.current.Load()
	if current == nil {
		return nil, errors.New("the settings are not read yet")
	}
	v := current.Value(name)
	if v == nil {
		if meant := suggest.Closest(name, current.Names()); meant != "" {
			return nil, fmt.Errorf("settings has no %s: did you mean %s?", name, meant)
		}
		return nil, fmt.Errorf("settings has no %s: set it in %s", name, current.File())
	}
	if engine.Masked(name) {
		if err := current.Permit("settings", name); err != nil {
			return nil, err
		}
	}
	if name != "DATABASES" {
		return v, nil
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		return nil, fmt.Errorf("DATABASES is no dict, but %s", v.Type())
	}
	aliases := slices.Clone(d.Keys())
	list := starlark.NewList(aliases)
	list.Freeze()
	return list, nil
}
