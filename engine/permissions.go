package engine

// PERMISSIONS: what scripts may touch outside the process.

import (
	"fmt"
	"path"
	"slices"

	"go.starlark.net/starlark"
)

// permissionKinds are the keys of the PERMISSIONS setting.
func permissionKinds() []string { return []string{"env", "http", "read", "run", "settings", "write"} }

func validatePermissions(v starlark.Value) error {
	d, ok := v.(*starlark.Dict)
	if !ok {
		return fmt.Errorf("want a dict such as dict(env = [\"STRIPE_*\"]), got %s", v.Type())
	}
	for _, item := range d.Items() {
		kind, _ := starlark.AsString(item[0])
		if !slices.Contains(permissionKinds(), kind) {
			return unknownKey(item[0], permissionKinds())
		}
		patterns, err := stringList(item[1])
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				return fmt.Errorf("%s: %q is no pattern: %w", kind, p, err)
			}
		}
	}
	return nil
}

// Grants returns what the PERMISSIONS setting grants of one kind ("env",
// "http", "read", "write", "run", "settings"), as written there.
func (s Settings) Grants(kind string) []string {
	d, ok := s.values["PERMISSIONS"].(*starlark.Dict)
	if !ok {
		return nil
	}
	v, ok, _ := d.Get(starlark.String(kind))
	if !ok {
		return nil
	}
	patterns, _ := stringList(v)
	return patterns
}

// Permit returns nil when a name is granted to scripts, or a PermissionDenied
// that says the line to add to the settings. Patterns are those of path.Match.
func (s Settings) Permit(kind, name string) error {
	for _, pattern := range s.Grants(kind) {
		if ok, _ := path.Match(pattern, name); ok {
			return nil
		}
	}
	return PermissionDenied.Errorf("%s %q is not granted: add PERMISSIONS = dict(%s = [%q]) to %s", kind, name, kind, name, s.file)
}
