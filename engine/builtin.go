package engine

// The one wrapper around every builtin.

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/internal/starconv"
)

// BuiltinFunc is a builtin's body. inv is the run that called it, thread the
// one to call back into the script with, b carries the name and a method's
// receiver.
type BuiltinFunc func(inv *Invocation, thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

const invocationKey = "starmanage.invocation"

// Builtin returns a Starlark function that finds the Invocation it runs in.
// Called where there is none (at a file's top level, in add_arguments) it
// fails with a message that says so. It does not start when the run was told
// to stop or an iterator's error is pending. A panic in fn becomes an
// InternalError.
func Builtin(name string, fn BuiltinFunc) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
		inv := InvocationOf(thread)
		if inv == nil {
			return nil, fmt.Errorf("%s: works only while a command runs: call it inside handle()", b.Name())
		}
		if err := inv.interrupted(); err != nil {
			return nil, err
		}
		defer recoverInto(&err)
		return fn(inv, thread, b, args, kwargs)
	})
}

// PureBuiltin returns a Starlark function that needs no Invocation and so
// works at a file's top level too. A panic in fn becomes an InternalError.
func PureBuiltin(name string, fn func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
		defer recoverInto(&err)
		return fn(thread, b, args, kwargs)
	})
}

// InvocationOf returns the run that a thread belongs to; nil while a file is
// being loaded.
func InvocationOf(thread *starlark.Thread) *Invocation {
	inv, _ := thread.Local(invocationKey).(*Invocation)
	return inv
}

func recoverInto(err *error) {
	if r := recover(); r != nil {
		*err = &InternalError{Value: r, Stack: string(debug.Stack())}
	}
}

var (
	contextType = reflect.TypeFor[context.Context]()
	invType     = reflect.TypeFor[*Invocation]()
	errorType   = reflect.TypeFor[error]()
)

// Func makes a builtin of a plain Go function of the host:
//
//	engine.Func("send_sms", sms.Send, "number", "text")
//
// fn may take a context.Context or an *Invocation first. Its parameters are
// bool, string, integer and float types, any, and slices, maps with string
// keys and pointers of those; params names them for keyword calls (unnamed
// ones are positional only). A pointer parameter is optional: nil when absent
// or None. fn returns nothing, a value, an error, or both. A script's value
// that does not fit is an error that names the parameter. A mistake in fn or
// params surfaces when the builtin is called.
func Func(name string, fn any, params ...string) *starlark.Builtin {
	f := reflect.ValueOf(fn)
	mistake := funcMistake(f, params)
	return Builtin(name, func(inv *Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if mistake != nil {
			return nil, fmt.Errorf("%s: %w", name, mistake)
		}
		in, err := funcArgs(inv, b.Name(), f.Type(), params, args, kwargs)
		if err != nil {
			return nil, err
		}
		return funcResult(name, f.Call(in))
	})
}

func funcMistake(f reflect.Value, params []string) error {
	if f.Kind() != reflect.Func || f.IsNil() {
		return errors.New("the host registered no function")
	}
	t := f.Type()
	if t.IsVariadic() {
		return errors.New("the host's function is variadic: take a slice")
	}
	if n := t.NumIn() - leading(t); len(params) > n {
		return fmt.Errorf("the host named %d parameters of a function that takes %d", len(params), n)
	}
	if t.NumOut() > 2 || t.NumOut() == 2 && t.Out(1) != errorType {
		return errors.New("the host's function must return (value, error) at most")
	}
	return nil
}

// leading counts the parameters that the engine fills: a context or an
// invocation.
func leading(t reflect.Type) int {
	if t.NumIn() > 0 && (t.In(0) == contextType || t.In(0) == invType) {
		return 1
	}
	return 0
}

func funcArgs(inv *Invocation, name string, t reflect.Type, params []string, args starlark.Tuple, kwargs []starlark.Tuple) ([]reflect.Value, error) {
	lead := leading(t)
	in := make([]reflect.Value, t.NumIn())
	if lead == 1 {
		in[0] = reflect.ValueOf(inv)
		if t.In(0) == contextType {
			in[0] = reflect.ValueOf(inv.Context())
		}
	}
	n := t.NumIn() - lead
	if len(args) > n {
		return nil, fmt.Errorf("%s: got %d arguments, want at most %d", name, len(args), n)
	}
	given := make([]starlark.Value, n)
	copy(given, args)
	for _, kv := range kwargs {
		key := string(kv[0].(starlark.String))
		i := slices.Index(params, key)
		switch {
		case i < 0:
			return nil, fmt.Errorf("%s: unexpected keyword argument %q", name, key)
		case given[i] != nil:
			return nil, fmt.Errorf("%s: got multiple values for parameter %q", name, key)
		}
		given[i] = kv[1]
	}
	for i, v := range given {
		label := fmt.Sprintf("parameter %d", i+1)
		if i < len(params) {
			label = "parameter " + params[i]
		}
		dst := reflect.New(t.In(lead + i)).Elem()
		if v == nil {
			if dst.Kind() != reflect.Pointer {
				return nil, fmt.Errorf("%s: missing %s", name, label)
			}
		} else if err := starconv.Assign(dst, v); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, label, err)
		}
		in[lead+i] = dst
	}
	return in, nil
}

func funcResult(name string, out []reflect.Value) (starlark.Value, error) {
	if n := len(out); n > 0 && out[n-1].Type() == errorType {
		if err, _ := out[n-1].Interface().(error); err != nil {
			return nil, err
		}
		out = out[:n-1]
	}
	if len(out) == 0 {
		return starlark.None, nil
	}
	v, err := starconv.ToStarlark(out[0].Interface())
	if err != nil {
		return nil, fmt.Errorf("%s: result: %w", name, err)
	}
	return v, nil
}
