package engine

// The one JSON document that --json prints.

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/starmanage/starmanage/engine/argparse"
)

// maxOutput is how much of what a command wrote the document holds.
const maxOutput = 1 << 20

// document collects what a run did, for --json. What the command writes to
// stdout becomes its output.
type document struct {
	OK         bool        `json:"ok"`
	Command    string      `json:"command"`
	RunID      string      `json:"run_id"`
	Result     any         `json:"result"`
	Output     string      `json:"output"`
	Truncated  bool        `json:"truncated,omitempty"`
	Tables     []any       `json:"tables"`
	Effects    []any       `json:"effects"`
	DurationMS float64     `json:"duration_ms"`
	Error      *errorValue `json:"error"`

	started time.Time
	mu      sync.Mutex
	output  bytes.Buffer
}

// errorValue is an error in the document.
type errorValue struct {
	Type       string       `json:"type"`
	Message    string       `json:"message"`
	Hint       string       `json:"hint,omitempty"`
	ReturnCode int          `json:"returncode"`
	Traceback  []frameValue `json:"traceback,omitempty"`
}

type frameValue struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Function string `json:"function"`
}

var _ io.Writer = (*document)(nil)

func newDocument(command string, now time.Time) *document {
	return &document{Command: command, RunID: newRunID(now), Tables: []any{}, Effects: []any{}, started: now}
}

// newRunID returns an identifier that sorts by time: milliseconds since 1970
// and eight random bytes, in hex.
func newRunID(now time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return fmt.Sprintf("%012x%x", now.UnixMilli(), random)
}

// Write keeps what the command writes, up to maxOutput.
func (d *document) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	room := maxOutput - d.output.Len()
	if len(p) > room {
		d.Truncated = true
		cut := p[:room]
		for len(cut) > 0 && !utf8.RuneStart(p[len(cut)]) {
			cut = cut[:len(cut)-1]
		}
		d.output.Write(cut)
		return len(p), nil
	}
	d.output.Write(p)
	return len(p), nil
}

// fail records how the run ended.
func (d *document) fail(err error, code int) {
	d.OK = code == 0
	if code == 0 {
		return
	}
	v := &errorValue{Type: "Error", Message: "exit", ReturnCode: code}
	d.Error, d.Result = v, nil
	if err == nil {
		return
	}
	v.Message = err.Error()
	frames := framesOf(err)
	if e, ok := errors.AsType[*ScriptError](err); ok {
		v.Message, v.Hint = e.Message, e.Hint
		if len(e.Diagnostics) > 0 {
			v.Message = e.Diagnostics[0].String()
		}
	}
	switch e := classify(err).(type) {
	case *TypedError:
		v.Type, v.Message = e.Type.name, e.Message
	case *CommandError:
		v.Type, v.Message, v.Hint = TypeOf(e).name, e.Message, e.Hint
	case *UnknownCommandError:
		v.Type = "CommandError"
	case *argparse.Error:
		v.Type, v.Hint = "UsageError", e.Hint
	case *StoppedError:
		v.Type = "Stopped"
	case *ExitError:
		v.Type = "Exit"
	case *InternalError:
		v.Type = "InternalError"
	}
	for _, f := range frames {
		v.Traceback = append(v.Traceback, frameValue{f.File, f.Line, f.Column, f.Function})
	}
}

// encode prints the document on one line. The error is a result that JSON does
// not have: NaN, infinity.
func (d *document) encode(now time.Time) (text string, formless error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Output = d.output.String()
	d.DurationMS = float64(now.Sub(d.started).Microseconds()) / 1000
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		formless = fmt.Errorf("the result of %s has no JSON form: %w", d.Command, err)
		d.Result, d.Tables, d.OK = nil, []any{}, false
		if d.Error == nil {
			d.Error = &errorValue{Type: "Error", Message: formless.Error(), ReturnCode: 1}
		}
		b.Reset()
		_ = enc.Encode(d) // strings and numbers alone are left
	}
	return string(bytes.TrimRight(b.Bytes(), "\n")), formless
}
