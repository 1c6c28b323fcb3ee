package output

import (
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/style"
)

// styleModule is style: style.SUCCESS(text) and one function for each other
// role. The text is coloured when either stream is; the stream that is not
// takes the codes out again.
func styleModule() starlark.Value {
	members := make(starlark.StringDict)
	for _, role := range style.Roles() {
		members[string(role)] = engine.Builtin("style."+string(role), func(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var text starlark.Value
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
				return nil, err
			}
			return starlark.String(inv.Style().Apply(role, textOf(text))), nil
		})
	}
	return &starlarkstruct.Module{Name: "style", Members: members}
}
