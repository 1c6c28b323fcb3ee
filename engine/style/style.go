// Package style decides what text looks like on a terminal: the roles that a
// command names (SUCCESS, ERROR, …), the palettes that give a role its colours,
// and whether a stream is coloured at all.
//
// Roles, palettes and the syntax of a specification are Django's
// (django/utils/termcolors.py and django/core/management/color.py). The package
// reads no environment and asks no file: what it needs is passed in.
package style

import (
	"fmt"
	"slices"
	"strings"
)

// A Role is what a piece of text means. Style.Apply gives it its colours.
type Role string

// The roles of Django's style object.
const (
	ERROR             Role = "ERROR"
	ERROR_OUTPUT      Role = "ERROR_OUTPUT" // always looks like ERROR
	SUCCESS           Role = "SUCCESS"
	WARNING           Role = "WARNING"
	NOTICE            Role = "NOTICE"
	SQL_FIELD         Role = "SQL_FIELD"
	SQL_COLTYPE       Role = "SQL_COLTYPE"
	SQL_KEYWORD       Role = "SQL_KEYWORD"
	SQL_TABLE         Role = "SQL_TABLE"
	HTTP_INFO         Role = "HTTP_INFO"
	HTTP_SUCCESS      Role = "HTTP_SUCCESS"
	HTTP_REDIRECT     Role = "HTTP_REDIRECT"
	HTTP_NOT_MODIFIED Role = "HTTP_NOT_MODIFIED"
	HTTP_BAD_REQUEST  Role = "HTTP_BAD_REQUEST"
	HTTP_NOT_FOUND    Role = "HTTP_NOT_FOUND"
	HTTP_SERVER_ERROR Role = "HTTP_SERVER_ERROR"
	MIGRATE_HEADING   Role = "MIGRATE_HEADING"
	MIGRATE_LABEL     Role = "MIGRATE_LABEL"
)

// Roles returns every role, in Django's order. The slice is the caller's.
func Roles() []Role {
	return []Role{
		ERROR, ERROR_OUTPUT, SUCCESS, WARNING, NOTICE,
		SQL_FIELD, SQL_COLTYPE, SQL_KEYWORD, SQL_TABLE,
		HTTP_INFO, HTTP_SUCCESS, HTTP_REDIRECT, HTTP_NOT_MODIFIED,
		HTTP_BAD_REQUEST, HTTP_NOT_FOUND, HTTP_SERVER_ERROR,
		MIGRATE_HEADING, MIGRATE_LABEL,
	}
}

// A Style gives each role its colours. The zero value colours nothing. A Style
// never changes once made and may be shared by goroutines.
type Style struct {
	codes map[Role]string // SGR parameters such as "31;1"; a role without any is absent
}

// None is the zero Style, under a name that reads well in a call. It is never
// assigned to.
var None Style

// Apply returns text between the SGR codes of role and a reset, as Django's
// colorize writes them. It returns text unchanged where the role is unknown or
// has no codes, and where there is nothing to see. Newlines at the end stay
// outside the codes, so that a coloured line ends before its line break.
func (s Style) Apply(role Role, text string) string {
	code := s.codes[role]
	if code == "" {
		return text
	}
	body := strings.TrimRight(text, "\r\n")
	if body == "" {
		return text
	}
	return "\x1b[" + code + "m" + body + "\x1b[0m" + text[len(body):]
}

// Parse reads a specification in the syntax of DJANGO_COLORS, the value of
// MANAGE_COLORS:
//
//	palette;role=fg;role=fg/bg;role=fg,option,option;role=fg/bg,option
//
// A palette is light, dark or nocolor; later parts change earlier ones; case
// does not matter. A colour is black, red, green, yellow, blue, magenta, cyan or
// white; an option is bold, underscore, blink, reverse or conceal. The empty
// specification is dark. As in Django, one that names roles alone colours those
// roles alone, and a part that means nothing is ignored; the errors say which
// parts those are, and may be shown as warnings.
func Parse(spec string) (Style, []error) {
	if spec == "" {
		return Style{codes: dark()}, nil
	}
	codes := make(map[Role]string)
	var errs []error
	for part := range strings.SplitSeq(strings.ToLower(spec), ";") {
		name, instructions, assigns := strings.Cut(part, "=")
		switch {
		case part == "":
			continue
		case part == "dark":
			codes = dark()
			continue
		case part == "light":
			codes = light()
			continue
		case part == "nocolor":
			codes = make(map[Role]string)
			continue
		case !assigns:
			errs = append(errs, fmt.Errorf("unknown palette %q: want light, dark or nocolor", part))
			continue
		}
		role := Role(strings.ToUpper(name))
		if role == ERROR_OUTPUT || !slices.Contains(Roles(), role) {
			errs = append(errs, fmt.Errorf("unknown role %q in %q", name, part))
			continue
		}
		if strings.Contains(instructions, "=") {
			errs = append(errs, fmt.Errorf("more than one = in %q", part))
			continue
		}
		code, unknown := parseInstructions(instructions)
		for _, word := range unknown {
			errs = append(errs, fmt.Errorf("unknown colour or option %q in %q", word, part))
		}
		if code != "" {
			codes[role] = code
		}
	}
	if code := codes[ERROR]; code != "" {
		codes[ERROR_OUTPUT] = code
	}
	return Style{codes: codes}, errs
}

// parseInstructions turns "fg/bg,option,option" into SGR parameters, and returns
// the words that it does not know. Options come out last first, as in Django.
func parseInstructions(text string) (code string, unknown []string) {
	colors, rest, _ := strings.Cut(text, ",")
	var codes []string
	fg, bg, hasBG := strings.Cut(colors, "/")
	if n := slices.Index(colorNames(), fg); n >= 0 {
		codes = append(codes, fmt.Sprintf("3%d", n))
	} else if fg != "" {
		unknown = append(unknown, fg)
	}
	if hasBG {
		// Django reads what stands between the first slash and the second.
		bg, _, _ = strings.Cut(bg, "/")
		if n := slices.Index(colorNames(), bg); n >= 0 {
			codes = append(codes, fmt.Sprintf("4%d", n))
		} else if bg != "" {
			unknown = append(unknown, bg)
		}
	}
	options := strings.Split(rest, ",")
	slices.Reverse(options)
	for _, option := range options {
		if code := optionCode(option); code != "" {
			codes = append(codes, code)
		} else if option != "" && option != "noreset" {
			unknown = append(unknown, option)
		}
	}
	return strings.Join(codes, ";"), unknown
}

// colorNames lists the colours in the order of their SGR numbers.
func colorNames() []string {
	return []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}
}

// optionCode returns the SGR number of an option, "" for an unknown word.
func optionCode(option string) string {
	switch option {
	case "bold":
		return "1"
	case "underscore":
		return "4"
	case "blink":
		return "5"
	case "reverse":
		return "7"
	case "conceal":
		return "8"
	}
	return ""
}

func dark() map[Role]string {
	return map[Role]string{
		ERROR:             "31;1",
		ERROR_OUTPUT:      "31;1",
		SUCCESS:           "32;1",
		WARNING:           "33;1",
		NOTICE:            "31",
		SQL_FIELD:         "32;1",
		SQL_COLTYPE:       "32",
		SQL_KEYWORD:       "33",
		SQL_TABLE:         "1",
		HTTP_INFO:         "1",
		HTTP_REDIRECT:     "32",
		HTTP_NOT_MODIFIED: "36",
		HTTP_BAD_REQUEST:  "31;1",
		HTTP_NOT_FOUND:    "33",
		HTTP_SERVER_ERROR: "35;1",
		MIGRATE_HEADING:   "36;1",
		MIGRATE_LABEL:     "1",
	}
}

// light is dark with what is hard to read on white exchanged.
func light() map[Role]string {
	codes := dark()
	codes[SQL_KEYWORD] = "34"
	codes[HTTP_REDIRECT] = "32;1"
	codes[HTTP_NOT_MODIFIED] = "32"
	codes[HTTP_NOT_FOUND] = "31"
	return codes
}

// A Choice is what the command line says about colour. The zero value says
// nothing.
type Choice struct {
	NoColor    bool // --no-color; wins when both are set
	ForceColor bool // --force-color
}

// Enabled reports whether a stream is coloured. The first that applies decides:
// the choice; NO_COLOR, when not empty (off, https://no-color.org); FORCE_COLOR or
// CLICOLOR_FORCE, when neither empty nor "0" (on); TERM=dumb (off); isTerminal,
// which is asked only then. A nil getenv is an empty environment; a nil
// isTerminal means that the stream is no terminal.
func Enabled(choice Choice, getenv func(string) string, isTerminal func() bool) bool {
	if choice.NoColor {
		return false
	}
	if choice.ForceColor {
		return true
	}
	if getenv != nil {
		if getenv("NO_COLOR") != "" {
			return false
		}
		for _, name := range []string{"FORCE_COLOR", "CLICOLOR_FORCE"} {
			if value := getenv(name); value != "" && value != "0" {
				return true
			}
		}
		if getenv("TERM") == "dumb" {
			return false
		}
	}
	return isTerminal != nil && isTerminal()
}

// Strip returns text without its SGR sequences (ESC [ parameters m). Other
// escape sequences, and one that is cut off, stay.
func Strip(text string) string {
	if !strings.Contains(text, "\x1b[") {
		return text
	}
	var b strings.Builder
	for {
		start := strings.Index(text, "\x1b[")
		if start < 0 {
			break
		}
		end := start + 2
		for end < len(text) && (text[end] >= '0' && text[end] <= '9' || text[end] == ';' || text[end] == ':') {
			end++
		}
		if end < len(text) && text[end] == 'm' {
			b.WriteString(text[:start])
			text = text[end+1:]
			continue
		}
		b.WriteString(text[:start+2])
		text = text[start+2:]
	}
	b.WriteString(text)
	return b.String()
}
