package output_test

import (
	"encoding/json"
	"testing"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

func TestTableTabs(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"a missing cell at the end", `stdout.table([dict(b = 1), dict(a = 2, b = 3), {"c": 4, 5: 6}])`, "b\ta\tc\t5\n1\t\t\t\n3\t2\t\t\n\t\t4\t6\n"},
		{"lists of different lengths", `stdout.table([[1], [1, 2], []])`, "1\t\n1\t2\n\t\n"},
		{"headers alone", `stdout.table([], ["a", "b"])`, "a\tb\n"},
		{"nothing", `stdout.table([])`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := enginetest.Run(t, config(tt.body), "x")
			equal(t, "stdout", got.Stdout, tt.want)
			equal(t, "stderr", got.Stderr, "")
		})
	}
}

func TestTableAligned(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"numbers right, wide and combining characters", `stdout.table([
        dict(id = 1, name = "漢字", n = 1.5, note = "x"),
        dict(id = 22, name = "e\u0301", n = None, note = "ends"),
        dict(id = 333, name = "zoe", n = 10, note = "")])`,
			" id  name    n  note\n" +
				"---  ----  ---  ----\n" +
				"  1  漢字  1.5  x\n" +
				" 22  e\u0301          ends\n" +
				"333  zoe    10\n"},
		{"a column of numbers and words is words", `stdout.table([[1, "a"], ["xyz", "b"]])`, "1    a\nxyz  b\n"},
		{"bools are no numbers", `stdout.table([[True, 1], [False, 10]])`, "True    1\nFalse  10\n"},
		{"a column of nothing", `stdout.table([[None, "b"], [None, "c"]], headers = ["", "x"])`, "  x\n-  -\n  b\n  c\n"},
		{"colours take no room", `stdout.table([[style.SUCCESS("ok"), 1], ["failed", 2]])`, "\x1b[32;1mok\x1b[0m      1\nfailed  2\n"},
		{"no cursor movement, no line break", `stdout.table([["a\nb\tc\\\x1b[2J\u009b", 1]])`, `a\nb\tc\` + `\x1b[2J\x9b` + "  1\n"},
		{"no rows", `stdout.table([], headers = ["a"])`, "a\n-\n"},
		{"neither rows nor headers", `stdout.table([])`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(tt.body)
			term := new(screen)
			cfg.Stdout = term
			got := enginetest.Run(t, cfg, "x")
			equal(t, "stderr", got.Stderr, "")
			equal(t, "the terminal", term.String(), tt.want)
		})
	}
}

// With --json a table's rows go to the document, and nothing to its output.
func TestTableJSON(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"objects", `stdout.table([dict(id = 1, tags = ["a"]), dict(name = None, id = 1 << 70)])`,
			`[[{"id":1,"tags":["a"],"name":null},{"id":1180591620717411303424,"tags":null,"name":null}]]`},
		{"headers choose", `stdout.table([dict(a = 1, b = 2)], headers = ["b"])`, `[[{"b":2}]]`},
		{"lists with names", `stdout.table([(1, "x")], headers = ["n", "what"])`, `[[{"n":1,"what":"x"}]]`},
		{"lists", `stdout.table([[1, "a\tb"], [True]])`, `[[[1,"a\tb"],[true,null]]]`},
		{"two tables", `stdout.table([]); stdout.table([[1.5]])`, `[[],[[1.5]]]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := enginetest.Run(t, config(tt.body), "x", "--json")
			doc := document(t, got.Stdout)
			if doc.Output != "" || !doc.OK || got.Stderr != "" || got.Code != 0 {
				t.Errorf("got %+v", got)
			}
			sameJSON(t, string(doc.Tables), tt.want)
		})
	}
	got := enginetest.Run(t, config(`stdout.table([[1, len]])`), "x", "--json")
	if doc := document(t, got.Stdout); got.Code != 1 || doc.Error.Message != "stdout.table: row 1, column 2: a builtin_function_or_method has no plain form" {
		t.Errorf("got %+v", got)
	}
}

type jsonDocument struct {
	OK     bool
	Output string
	Tables json.RawMessage
	Result json.RawMessage
	Error  struct {
		Type, Message, Hint string
		ReturnCode          int
	}
}

func document(t *testing.T, stdout string) (doc jsonDocument) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
		t.Fatalf("stdout is no document: %v\n%s", err, stdout)
	}
	return doc
}

// sameJSON compares two texts of JSON but for the order of keys.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	canonical := func(text string) string {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		data, _ := json.Marshal(v)
		return string(data)
	}
	if canonical(got) != canonical(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A called command's table goes where its stdout was sent.
func TestTableCaptured(t *testing.T) {
	cfg := config(
		`out = StringIO()`,
		`call_command("inner", stdout = out)`,
		`stdout.write("[" + out.getvalue() + "]")`,
	)
	cfg.Apps = []engine.App{innerApp("stdout.table([[1, 2]], headers = ['a', 'b'])")}
	cfg.Stdout = new(screen)
	got := enginetest.Run(t, cfg, "x")
	equal(t, "stderr", got.Stderr, "")
	equal(t, "stdout", cfg.Stdout.(*screen).String(), "[a\tb\n1\t2\n]\n")

	// With --json too: what is captured is no part of the document's tables.
	cfg.Stdout = nil
	doc := document(t, enginetest.Run(t, cfg, "x", "--json").Stdout)
	equal(t, "output", doc.Output, "[a\tb\n1\t2\n]\n")
	sameJSON(t, string(doc.Tables), "[]")
}

// Without capture a called command's tables stand in the caller's document.
func TestTableOfCalledCommand(t *testing.T) {
	cfg := config(`stdout.table([[1]])`, `call_command("inner")`)
	cfg.Apps = []engine.App{innerApp("stdout.table([[2]])")}
	doc := document(t, enginetest.Run(t, cfg, "x", "--json").Stdout)
	sameJSON(t, string(doc.Tables), "[[[1]],[[2]]]")
}

// innerApp brings a command, inner, with the body of a handle.
func innerApp(body string) engine.App {
	return engine.App{Label: "inner", FS: enginetest.Project("-- management/commands/inner.star --\ndef handle():\n    " + body + "\n")}
}
