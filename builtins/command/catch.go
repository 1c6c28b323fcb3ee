package command

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/engine"
)

// catch is catch(fn, *error_types): it calls fn without arguments and returns
// (value, None), or (None, error). With types named, errors of other kinds
// pass through; without, every error of a script is caught. Cancellation,
// limits and exit never are.
func catch(inv *engine.Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, fmt.Errorf("%s: takes no keyword arguments: wrap the call, catch(lambda: fn(x = 1))", b.Name())
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("%s: missing argument for fn", b.Name())
	}
	fn, ok := args[0].(starlark.Callable)
	if !ok {
		return nil, fmt.Errorf("%s: fn must be a function, not %s", b.Name(), args[0].Type())
	}
	var types []*engine.ErrorType
	for _, arg := range args[1:] {
		t, ok := arg.(*engine.ErrorType)
		if !ok {
			return nil, fmt.Errorf("%s: want error types such as CommandError, got %s", b.Name(), arg.Type())
		}
		types = append(types, t)
	}
	v, err := starlark.Call(thread, fn, nil, nil)
	err = inv.Settle(thread, err)
	if err == nil {
		return starlark.Tuple{v, starlark.None}, nil
	}
	if !engine.Catchable(err) || !named(err, types) {
		return nil, err
	}
	return starlark.Tuple{starlark.None, &caught{inv.Describe(err)}}, nil
}

func named(err error, types []*engine.ErrorType) bool {
	if len(types) == 0 {
		return true
	}
	kind := engine.TypeOf(err)
	for _, t := range types {
		if kind != nil && kind.Is(t) {
			return true
		}
	}
	return false
}

// caught is the error that catch returns.
type caught struct {
	engine.Described
}

var _ starlark.HasAttrs = (*caught)(nil)

func (c *caught) String() string        { return c.Kind + ": " + c.Message }
func (c *caught) Type() string          { return "error" }
func (c *caught) Freeze()               {}
func (c *caught) Truth() starlark.Bool  { return true }
func (c *caught) Hash() (uint32, error) { return 0, errors.New("unhashable: error") }
func (c *caught) AttrNames() []string {
	return []string{"hint", "message", "reraise", "returncode", "traceback", "type"}
}

func (c *caught) Attr(name string) (starlark.Value, error) {
	switch name {
	case "type":
		return starlark.String(c.Kind), nil
	case "message":
		return starlark.String(c.Message), nil
	case "hint":
		hint, _ := c.Details()
		return starlark.String(hint), nil
	case "returncode":
		return starlark.MakeInt(c.ReturnCode), nil
	case "traceback":
		_, traceback := c.Details()
		return starlark.String(traceback), nil
	case "reraise":
		return engine.PureBuiltin("reraise", c.reraise).BindReceiver(c), nil
	}
	return nil, nil
}

// reraise is err.reraise(): the error goes on as if it had not been caught.
func (c *caught) reraise(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	return nil, c.Err
}
