package migrate

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// emptyBlock is where goose loses the line behind the block; here the block is
// nothing.
var emptyBlock = regexp.MustCompile(`(?m)^-- \+goose StatementBegin\s*\n(\s*(--.*)?\n)*-- \+goose StatementEnd`)

// TestParseSQLAsGoose compares with what goose v3.29.0 made of the same texts.
func TestParseSQLAsGoose(t *testing.T) {
	file, err := os.Open("testdata/goose.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zr, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	compared, failures := 0, 0
	for d := json.NewDecoder(zr); ; {
		var want struct {
			In       string
			Err      bool
			Up, Down []string
			NoTx     bool
		}
		if err := d.Decode(&want); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if emptyBlock.MatchString(want.In) {
			continue
		}
		compared++
		got, err := parseSQL(want.In)
		if (err != nil) != want.Err {
			t.Errorf("%q: error %v, goose failed: %v", want.In, err, want.Err)
			continue
		}
		if err != nil {
			failures++
			continue
		}
		if up := texts(got.up); !slices.Equal(up, want.Up) {
			t.Errorf("%q: up %q, goose has %q", want.In, up, want.Up)
		}
		if down := texts(got.down); !slices.Equal(down, want.Down) {
			t.Errorf("%q: down %q, goose has %q", want.In, down, want.Down)
		}
		if got.noTransaction != want.NoTx {
			t.Errorf("%q: noTransaction %v", want.In, got.noTransaction)
		}
	}
	if compared < 1000 || failures < 300 || compared-failures < 500 {
		t.Errorf("compared %d texts, %d of which fail: the record is not what it was", compared, failures)
	}
}

func texts(list []statement) []string {
	var out []string
	for _, st := range list {
		out = append(out, st.text)
	}
	return out
}

func TestParseSQLLines(t *testing.T) {
	f, err := parseSQL(`-- A table.
-- manage:depends accounts.0001_initial, ops.0002_x
-- +goose Up
-- manage:depends shop.0001_a

CREATE TABLE t (
  id INTEGER
);
-- +goose StatementBegin

CREATE FUNCTION f;
END;
-- +goose StatementEnd
SELECT 1; -- last
-- +goose Down
`)
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, st := range f.up {
		lines = append(lines, st.line)
	}
	if !slices.Equal(lines, []int{6, 11, 14}) {
		t.Errorf("statements start on lines %v", lines)
	}
	want := []dependency{{Key{"accounts", "0001_initial"}, 2}, {Key{"ops", "0002_x"}, 2}, {Key{"shop", "0001_a"}, 4}}
	if !slices.Equal(f.depends, want) {
		t.Errorf("depends is %v, want %v", f.depends, want)
	}
	if !f.reversible || len(f.down) > 0 {
		t.Errorf("an empty Down is a way back that does nothing: reversible %v, down %v", f.reversible, f.down)
	}
}

func TestParseSQLMistakes(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		line      int
		message   string
	}{
		{"empty file", "", 1, "no -- +goose Up"},
		{"no marker", "\nSELECT 1;", 2, "does not start with -- +goose Up"},
		{"down first", "-- +goose Down", 1, "no -- +goose Up is open"},
		{"unfinished before down", "-- +goose Up\nSELECT 1\n\n-- +goose Down\n", 2, "has no end"},
		{"unfinished at the end", "-- +goose Up\n-- +goose Down\n\nDROP TABLE\n  t\n", 4, "has no end"},
		{"block not closed", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n", 3, "has no -- +goose StatementEnd"},
		{"block not opened", "-- +goose Up\n-- +goose StatementEnd\n", 2, "without -- +goose StatementBegin"},
		{"block in a block", "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\n", 3, "in another one"},
		{"indented", "  -- +goose Up\n", 1, "beginning of its line"},
		{"unknown marker", "-- +goose Sideways\n", 1, "-- +goose Sideways"},
		{"variables", "-- +goose Up\n-- +goose ENVSUB ON\n", 2, "ENVSUB"},
		{"unknown word", "-- manage:needs a.b\n", 1, "manage:needs"},
		{"depends on nothing", "-- manage:depends\n", 1, "names no migration"},
		{"depends on a file", "-- manage:depends accounts/0001\n", 1, "app.name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseSQL(tc.src)
			e, ok := errors.AsType[*lineError](err)
			if !ok {
				t.Fatalf("error %v, want a *lineError", err)
			}
			if e.line != tc.line || !strings.Contains(e.msg, tc.message) {
				t.Errorf("line %d: %s; want line %d: …%s…", e.line, e.msg, tc.line, tc.message)
			}
		})
	}
}

func FuzzParseSQL(f *testing.F) {
	f.Add("-- +goose Up\nSELECT 1;\n-- +goose Down\n")
	f.Add("-- manage:depends a.b\n-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nx\n-- +goose StatementEnd")
	f.Fuzz(func(t *testing.T, src string) {
		parsed, err := parseSQL(src)
		if err != nil {
			return
		}
		last := 0
		for _, st := range slices.Concat(parsed.up, parsed.down) {
			if st.text == "" && !strings.Contains(src, ";") {
				t.Errorf("an empty statement")
			}
			if st.line <= last || st.line > strings.Count(src, "\n")+1 {
				t.Errorf("statement on line %d after one on line %d", st.line, last)
			}
			last = st.line
		}
	})
}
