package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

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
			if err := starlark.UnpackPositionalArgs(b.Name(), args, nil, 1, &msg); err != nil {
				return nil, err
			}
			if inv.Base().Verbosity < level.verbosity {
				return starlark.None, nil
			}
			line, err := logLine(inv, level.name, level.role, textOf(msg), kwargs)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.Name(), err)
			}
			if _, err := io.WriteString(inv.Stderr(), line); err != nil {
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
	if inv.JSON() {
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
	if text == "" || strings.ContainsAny(text, " \t\r\n\"=\x1b") {
		return strconv.Quote(text)
	}
	return text
}

func jsonLine(inv *engine.Invocation, level, msg string, fields []starlark.Tuple) (string, error) {
	record := map[string]any{}
	for _, field := range fields {
		plain, err := starconv.ToGo(field[1])
		if err != nil {
			plain = textOf(field[1])
		}
		record[string(field[0].(starlark.String))] = plain
	}
	record["time"] = inv.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	record["level"], record["command"], record["message"] = level, inv.Name(), msg
	data, err := json.Marshal(record)
	return string(data) + "\n", err
}
