package style_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"

	"github.com/starmanage/starmanage/engine/style"
)

// TestParseAsDjango compares every role under some 600 specifications with what
// Django printed (testdata/django_colors.py). Django writes an empty code around
// a role that has none, where we leave the text plain.
func TestParseAsDjango(t *testing.T) {
	file, err := os.Open("testdata/django_colors.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		Django string
		Cases  [][2]json.RawMessage
	}
	if err := json.NewDecoder(unzipped).Decode(&record); err != nil {
		t.Fatal(err)
	}
	coloured := 0
	for _, c := range record.Cases {
		var spec string
		var want map[style.Role]string
		if err := json.Unmarshal(c[0], &spec); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c[1], &want); err != nil {
			t.Fatal(err)
		}
		got, _ := style.Parse(spec)
		for _, role := range style.Roles() {
			expected, ok := want[role]
			if !ok || expected == "\x1b[mx\x1b[0m" {
				expected = "x"
			} else {
				coloured++
			}
			if text := got.Apply(role, "x"); text != expected {
				t.Errorf("%q: %s is %q, Django %s gives %q", spec, role, text, record.Django, expected)
			}
		}
	}
	if len(record.Cases) < 500 || coloured < 2000 {
		t.Errorf("the record holds %d specifications and %d coloured roles: too few", len(record.Cases), coloured)
	}
}

func TestApply(t *testing.T) {
	dark, errs := style.Parse("")
	if errs != nil {
		t.Fatal(errs)
	}
	for _, c := range []struct {
		name, want string
		style      style.Style
		role       style.Role
		text       string
	}{
		{"error is red and bold", "\x1b[31;1mx\x1b[0m", dark, style.ERROR, "x"},
		{"error_output is error", "\x1b[31;1mx\x1b[0m", dark, style.ERROR_OUTPUT, "x"},
		{"notice is red, not cyan", "\x1b[31mx\x1b[0m", dark, style.NOTICE, "x"},
		{"http_info is bold, not cyan", "\x1b[1mx\x1b[0m", dark, style.HTTP_INFO, "x"},
		{"a role without codes", "x", dark, style.HTTP_SUCCESS, "x"},
		{"an unknown role", "x", dark, "NOPE", "x"},
		{"a newline stays outside", "\x1b[32;1mx\x1b[0m\n", dark, style.SUCCESS, "x\n"},
		{"several newlines stay outside", "\x1b[32;1ma\nb\x1b[0m\r\n\n", dark, style.SUCCESS, "a\nb\r\n\n"},
		{"nothing to see", "\n", dark, style.SUCCESS, "\n"},
		{"no text", "", dark, style.SUCCESS, ""},
		{"the zero value", "x\n", style.Style{}, style.ERROR, "x\n"},
		{"none", "x", style.None, style.ERROR, "x"},
	} {
		if got := c.style.Apply(c.role, c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ spec, want string }{
		{"", ""},
		{"light;error=red,bold", ""},
		{"Dark;ERROR=Red/,noreset;", ""},
		{"drak", `unknown palette "drak": want light, dark or nocolor`},
		{"eror=red", `unknown role "eror" in "eror=red"`},
		{"error_output=red", `unknown role "error_output" in "error_output=red"`},
		{"error=orange", `unknown colour or option "orange" in "error=orange"`},
		{"error=red/pink", `unknown colour or option "pink" in "error=red/pink"`},
		{"error=red,italic", `unknown colour or option "italic" in "error=red,italic"`},
		{"error=red=blue", `more than one = in "error=red=blue"`},
	} {
		_, errs := style.Parse(c.spec)
		got := ""
		for _, err := range errs {
			got += err.Error()
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.spec, got, c.want)
		}
	}
}

// Two styles never share their colours: the caller of one cannot see another's.
func TestParseIsFresh(t *testing.T) {
	before, _ := style.Parse("dark")
	changed, _ := style.Parse("dark;error=blue")
	after, _ := style.Parse("dark")
	if got := changed.Apply(style.ERROR, "x"); got != "\x1b[34mx\x1b[0m" {
		t.Errorf("changed: %q", got)
	}
	for _, s := range []style.Style{before, after} {
		if got := s.Apply(style.ERROR, "x"); got != "\x1b[31;1mx\x1b[0m" {
			t.Errorf("dark: %q", got)
		}
	}
}

func TestEnabled(t *testing.T) {
	no, force := style.Choice{NoColor: true}, style.Choice{ForceColor: true}
	var silent style.Choice
	type env map[string]string
	for _, c := range []struct {
		name     string
		choice   style.Choice
		env      env
		terminal bool
		want     bool
	}{
		{"a terminal", silent, nil, true, true},
		{"no terminal", silent, nil, false, false},
		{"--no-color over the terminal and FORCE_COLOR", no, env{"FORCE_COLOR": "1"}, true, false},
		{"--force-color over NO_COLOR", force, env{"NO_COLOR": "1", "TERM": "dumb"}, false, true},
		{"both choices", style.Choice{NoColor: true, ForceColor: true}, nil, true, false},
		{"NO_COLOR over FORCE_COLOR", silent, env{"NO_COLOR": "1", "FORCE_COLOR": "1"}, true, false},
		{"NO_COLOR=0 is not empty", silent, env{"NO_COLOR": "0"}, true, false},
		{"NO_COLOR empty", silent, env{"NO_COLOR": ""}, true, true},
		{"FORCE_COLOR", silent, env{"FORCE_COLOR": "1"}, false, true},
		{"CLICOLOR_FORCE over TERM=dumb", silent, env{"CLICOLOR_FORCE": "yes", "TERM": "dumb"}, false, true},
		{"FORCE_COLOR=0 says nothing", silent, env{"FORCE_COLOR": "0"}, false, false},
		{"FORCE_COLOR=0 leaves the terminal alone", silent, env{"FORCE_COLOR": "0"}, true, true},
		{"TERM=dumb", silent, env{"TERM": "dumb"}, true, false},
		{"TERM=xterm is no terminal", silent, env{"TERM": "xterm"}, false, false},
	} {
		getenv := func(name string) string { return c.env[name] }
		if got := style.Enabled(c.choice, getenv, func() bool { return c.terminal }); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if style.Enabled(silent, nil, nil) {
		t.Error("nothing known: coloured")
	}
}

func TestStrip(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "x", "x"},
		{"coloured", "a\x1b[31;1mb\x1b[0mc\n", "abc\n"},
		{"no parameters", "\x1b[mx", "x"},
		{"256 colours", "\x1b[38;5;200mx\x1b[38:2::1:2:3my", "xy"},
		{"not SGR", "\x1b[2Kx\x1b]0;t\x07", "\x1b[2Kx\x1b]0;t\x07"},
		{"cut off", "x\x1b[31", "x\x1b[31"},
		{"an escape before another", "\x1b[\x1b[1mx", "\x1b[x"},
		{"not UTF-8", "\xff\x1b[1m\xfe", "\xff\xfe"},
	} {
		if got := style.Strip(c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	light, _ := style.Parse("light")
	for _, role := range style.Roles() {
		if got := style.Strip(light.Apply(role, "text\n")); got != "text\n" {
			t.Errorf("%s: got %q", role, got)
		}
	}
}
