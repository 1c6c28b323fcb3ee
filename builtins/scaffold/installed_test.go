package scaffold

import (
	"slices"
	"testing"
)

func TestAddLabel(t *testing.T) {
	for name, tt := range map[string]struct{ src, want string }{
		"empty":                     {"INSTALLED_APPS = []\n", "INSTALLED_APPS = [\"x\"]\n"},
		"one line":                  {"INSTALLED_APPS = [\"a\", \"b\"]\n", "INSTALLED_APPS = [\"a\", \"b\", \"x\"]\n"},
		"one line, comma at end":    {"INSTALLED_APPS = [\"a\",]\n", "INSTALLED_APPS = [\"a\", \"x\",]\n"},
		"no line end":               {"INSTALLED_APPS=['a']", "INSTALLED_APPS=['a', \"x\"]"},
		"lines":                     {"INSTALLED_APPS = [\n    \"a\",\n    \"b\",\n]\n", "INSTALLED_APPS = [\n    \"a\",\n    \"b\",\n    \"x\",\n]\n"},
		"lines without a comma":     {"INSTALLED_APPS = [\n  \"a\"\n]\n", "INSTALLED_APPS = [\n  \"a\",\n  \"x\",\n]\n"},
		"a comment behind":          {"INSTALLED_APPS = [\n    \"a\",  # first, [\"\n]\n", "INSTALLED_APPS = [\n    \"a\",  # first, [\"\n    \"x\",\n]\n"},
		"a comment and no comma":    {"INSTALLED_APPS = [\n    \"a\"  # one, two\n    # end\n]\n", "INSTALLED_APPS = [\n    \"a\",  # one, two\n    \"x\",\n    # end\n]\n"},
		"bracket on the first line": {"INSTALLED_APPS = [\"a\",\n    \"b\"]\n", "INSTALLED_APPS = [\"a\",\n    \"b\", \"x\"]\n"},
		"item on the first line":    {"INSTALLED_APPS = [\"a\",\n]\n", "INSTALLED_APPS = [\"a\",\n    \"x\",\n]\n"},
		"wide characters before":    {"# é\nN = \"ñ\"; INSTALLED_APPS = [\"é\"]\n", "# é\nN = \"ñ\"; INSTALLED_APPS = [\"é\", \"x\"]\n"},
		"the name in a comment":     {"# INSTALLED_APPS = [\"no\"]\nINSTALLED_APPS = []\n", "# INSTALLED_APPS = [\"no\"]\nINSTALLED_APPS = [\"x\"]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, ok := addLabel(tt.src, "x")
			if !ok || got != tt.want {
				t.Errorf("%v:\n%s\nwant\n%s", ok, got, tt.want)
			}
		})
	}
}

// FuzzAddLabel: an edit changes nothing but the list, by one label.
func FuzzAddLabel(f *testing.F) {
	for _, src := range []string{
		"INSTALLED_APPS = []", "INSTALLED_APPS = [\n    \"a\",  # é\n]\n", "x = 1\nINSTALLED_APPS = ['''a\nb''', \"\\n\" ,\n\t# c\n]", "INSTALLED_APPS = [\"a\"] if 1 else 2",
		"INSTALLED_APPS = [r'a'\\\n,]", "load('x', 'INSTALLED_APPS')",
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		edited, before, ok := addLabel(src, "x")
		if !ok {
			return
		}
		_, was := literalList(src)
		list, is := literalList(edited)
		if list == nil || !slices.Equal(was, before) || !slices.Equal(is, append(slices.Clone(was), "x")) {
			t.Errorf("%q became %q", was, is)
		}
		if len(edited) < len(src)+3 || len(edited) > len(src)+3+len("    ,\n, ")+len(src) {
			t.Errorf("%d bytes became %d", len(src), len(edited))
		}
	})
}
