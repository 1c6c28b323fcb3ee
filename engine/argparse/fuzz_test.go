package argparse

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// FuzzParseArgs gives any words to parsers of every kind: none makes us panic, a
// refusal is one of the three errors, and what is accepted is accepted again with the
// same values. Words are separated by newlines, the first byte chooses the parser.
func FuzzParseArgs(f *testing.F) {
	for _, seed := range []string{"\x00--days\n7\n-v2\n--tag=a\n42", "\x01a\n--to\nx\nb", "\x02add\n-é\n--\n-5", "\x03-xyz\n-x=1\n-n-5\n--no-color", "\x04-\n--\n--\n-1\n\n-=",
		"\x05remove\n--foo=1\n--=\n---", "\x06\xff\n-\xff\n--\xff=\xff", "\x07-vvvvq\n-vx\n-5.5\n-.5\n10 a"} {
		f.Add(seed)
	}
	specs := generate(77, 40)
	f.Fuzz(func(t *testing.T, input string) {
		if input == "" || len(input) > 4000 {
			return
		}
		var p *Parser
		if input[0] == 0 {
			p = fifteen(t)
		} else {
			var warned []string
			p, _ = specs[int(input[0])%len(specs)].build(&warned)
		}
		var words []string
		if input[1:] != "" {
			words = strings.Split(input[1:], "\n")
		}
		ns, err := p.ParseArgs(words)
		if err != nil {
			_, misuse := errors.AsType[*Error](err)
			_, help := errors.AsType[*HelpRequest](err)
			_, version := errors.AsType[*VersionRequest](err)
			if !misuse && !help && !version || err.Error() == "" {
				t.Fatalf("%q: %#v", words, err)
			}
			return
		}
		again, err := p.ParseArgs(words)
		if err != nil || !reflect.DeepEqual(encodeValues(ns), encodeValues(again)) {
			t.Fatalf("%q: first %v, then %v, %v", words, ns, again, err)
		}
	})
}

// encodeValues makes NaN equal to itself.
func encodeValues(ns Namespace) map[string]any {
	values := map[string]any{}
	for k, v := range ns {
		values[k] = encodeValue(v)
	}
	return values
}

// FuzzHelp prints help of any text: nothing panics, and no line but one word is too long.
func FuzzHelp(f *testing.F) {
	for _, seed := range []string{"a-b well-known -- --x", "%(default)s %(x)", "é-日本-語語語", "a--b", "\xff\xfe-a", "\t\n\u00a0 x"} {
		f.Add(seed, 40)
	}
	f.Fuzz(func(t *testing.T, text string, width int) {
		if len(text) > 300 {
			return
		}
		for _, layout := range []Layout{ArgparseLayout, ManageLayout} {
			p := New(Config{Prog: "p", Description: text, Epilog: text, Layout: layout, Width: func() int { return width }})
			if err := errors.Join(p.Add(Argument{Names: []string{"--x"}, Help: text, Default: text}), p.Add(Argument{Names: []string{"y"}, Help: text, Metavar: []string{text}})); err != nil {
				t.Fatal(err)
			}
			p.FormatHelp()
		}
		for _, line := range wrap(fold(text), 20, "  ") {
			if length(line) > 20 {
				t.Fatalf("%d characters: %q", length(line), line)
			}
		}
	})
}
