package output

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/style"
	"github.com/starmanage/starmanage/internal/starconv"
)

// logModule is log: debug, info, warning and error, each shown from a
// verbosity on.
func logModule() starlark.Value {
	levels := []struct {
		name      string
		verbosity int
		role      style.Role
	}{
		{"debug", 3, ""},
		{"info", 2, ""},
		{"warning", 1, style.WARNING},
		{"error", 0, style.ERROR},
	}
	members := make(starlark.StringDict)
	for _, level := range levels {
		members[level.name] = engine.Builtin("log."+level.name, func(inv *engine.Invocation, _ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var msg starlark.Value
			fields, named := splitMessage(kwargs)
			if err := starlark.UnpackArgs(b.Name(), args, named, "msg", &msg); err != nil {
				return nil, err
			}
			if inv.Base().Verbosity < level.verbosity {
				return starlark.None, nil
			}
			line, err := logLine(inv, level.name, level.role, textOf(msg), fields)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.Name(), err)
			}
			if err := say(inv, inv.Stderr(), line); err != nil {
				return nil, fmt.Errorf("%s: %w", b.Name(), err)
			}
			return starlark.None, nil
		})
	}
	return &starlarkstruct.Module{Name: "log", Members: members}
}

// logLine is one line of the log: text with key=value fields, or with --json
// an object with time, level, command, message and the fields.
func logLine(inv *engine.Invocation, level string, role style.Role, msg string, fields []starlark.Tuple) (string, error) {
	if inv.Base().JSON {
		return jsonLine(inv, level, msg, fields)
	}
	var b strings.Builder
	b.WriteString(inv.Stderr().Style().Apply(role, strings.ToUpper(level)))
	b.WriteString(" " + msg)
	for _, field := range fields {
		b.WriteString(" " + string(field[0].(starlark.String)) + "=" + quoteField(textOf(field[1])))
	}
	b.WriteByte('\n')
	return b.String(), nil
}

// quoteField quotes a value that would not read as one word.
func quoteField(text string) string {
	if text == "" || strings.ContainsAny(text, "\"=") || strings.ContainsFunc(text, unicode.IsSpace) || strings.ContainsFunc(text, unicode.IsControl) {
		return strconv.Quote(text)
	}
	return text
}

// splitMessage sets the keyword msg apart from the fields.
func splitMessage(kwargs []starlark.Tuple) (fields, msg []starlark.Tuple) {
	for _, kv := range kwargs {
		if kv[0] == starlark.String("msg") {
			msg = append(msg, kv)
		} else {
			fields = append(fields, kv)
		}
	}
	return fields, msg
}

// jsonLine prints an object. A field that has the name of one of ours gets an
// underscore behind it; a value that JSON cannot hold is printed.
func jsonLine(inv *engine.Invocation, level, msg string, fields []starlark.Tuple) (string, error) {
	record := map[string]any{
		"time":    inv.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
		"level":   level,
		"command": inv.Name(),
		"message": style.Strip(msg),
	}
	for _, field := range fields {
		key := string(field[0].(starlark.String))
		for record[key] != nil {
			key += "_"
		}
		record[key] = jsonField(field[1])
	}
	return encode(record)
}

func jsonField(v starlark.Value) any {
	if plain, err := starconv.ToGo(v); err == nil {
		if text, err := encode(plain); err == nil { // NaN has no JSON form
			return json.RawMessage(text)
		}
	}
	return textOf(v)
}

// encode prints a line of JSON.
func encode(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.String(), err
}
