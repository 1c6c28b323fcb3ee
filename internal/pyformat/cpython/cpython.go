// Package cpython compares Go code with CPython, for tests. A case is an expression that Python and Starlark read
// alike; what CPython answered is recorded under testdata, so that the comparison runs on machines without Python too.
package cpython

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Version is the CPython that is compared with.
const Version = "3.13"

// Answer is what an expression gave: the value as Python's str prints it, or an error's type and text.
type Answer struct {
	Expr string
	Type string // the error's type, such as "ValueError"; empty for a value
	Text string
}

// program evaluates a JSON list of expressions from stdin. The names are those that scripts see. Its memory is bounded,
// because a width of many digits is an allocation to Python.
const program = `
import sys, json, resource, warnings
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
warnings.simplefilter("ignore")
from datetime import datetime, date, timedelta, timezone
from zoneinfo import ZoneInfo
from decimal import Decimal
env = dict(globals())
def answer(expr):
    try:
        return [expr, "", str(eval(expr, env))]
    except Exception as e:
        return [expr, type(e).__name__, str(e)]
print(json.dumps([answer(e) for e in json.load(sys.stdin)]))
`

// Find returns the command of a CPython of the right version, asking those on the path for theirs. The error says which
// were asked.
func Find() (string, error) {
	var asked []string
	for _, name := range []string{"python" + Version, "python3", "python"} {
		out, err := exec.Command(name, "-c", "import sys; print('%s %d.%d' % ((sys.implementation.name,) + sys.version_info[:2]))").Output()
		if err == nil && strings.TrimSpace(string(out)) == "cpython "+Version {
			return name, nil
		}
		asked = append(asked, fmt.Sprintf("%s: %s", name, bytes.TrimSpace(out)))
	}
	return "", fmt.Errorf("no CPython %s (%s)", Version, strings.Join(asked, "; "))
}

// Ask lets CPython evaluate the expressions. Its time zone is UTC.
func Ask(python string, exprs []string) ([]Answer, error) {
	in, err := json.Marshal(exprs)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", program)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8")
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", python, err, stderr.Bytes())
	}
	return decode(out)
}

func decode(data []byte) ([]Answer, error) {
	var rows [][3]string
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, err
	}
	answers := make([]Answer, len(rows))
	for i, r := range rows {
		answers[i] = Answer{r[0], r[1], r[2]}
	}
	return answers, nil
}

// Load reads recorded answers, a gzipped JSON list of [expression, error type, text].
func Load(file string) ([]Answer, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(z); err != nil {
		return nil, err
	}
	return decode(buf.Bytes())
}

// Save writes answers as Load reads them.
func Save(file string, answers []Answer) error {
	rows := make([][3]string, len(answers))
	for i, a := range answers {
		rows[i] = [3]string{a.Expr, a.Type, a.Text}
	}
	data, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(bytes.ReplaceAll(data, []byte("],["), []byte("],\n["))); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, buf.Bytes(), 0o644)
}

// Recorded checks ours against the recorded answers, at least atLeast of them. With update set it first records what
// CPython says to exprs. ours says what is wrong with an answer, "" for nothing.
func Recorded(t *testing.T, file string, update bool, atLeast int, exprs []string, ours func(Answer) string) {
	t.Helper()
	if update {
		python, err := Find()
		if err != nil {
			t.Fatal(err)
		}
		answers, err := Ask(python, exprs)
		if err != nil {
			t.Fatal(err)
		}
		if err := Save(file, answers); err != nil {
			t.Fatal(err)
		}
	}
	answers, err := Load(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%v: record it with -update", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) < atLeast {
		t.Errorf("%s holds %d answers, want at least %d", file, len(answers), atLeast)
	}
	check(t, answers, ours)
}

// Live checks ours against the CPython of this machine. It skips when there is none.
func Live(t *testing.T, exprs []string, ours func(Answer) string) {
	t.Helper()
	python, err := Find()
	if err != nil {
		t.Skip(err)
	}
	answers, err := Ask(python, exprs)
	if err != nil {
		t.Fatal(err)
	}
	check(t, answers, ours)
}

func check(t *testing.T, answers []Answer, ours func(Answer) string) {
	t.Helper()
	bad := 0
	for _, a := range answers {
		msg := ours(a)
		if msg == "" {
			continue
		}
		if bad++; bad > 40 {
			continue
		}
		t.Errorf("%s\n\tCPython: %s %s\n\tours:    %s", a.Expr, a.Type, a.Text, msg)
	}
	t.Logf("%d of %d agree", len(answers)-bad, len(answers))
}
