package argparse

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file prints usage and help as argparse.HelpFormatter does.

const (
	indentStep      = 2
	maxHelpPosition = 24
	minTextWidth    = 11
)

// formatter holds the measures of one text.
type formatter struct {
	p            *Parser
	width        int
	helpPosition int // at most
	longest      int // the longest "-x, --long ARG" with its indent
}

func (p *Parser) formatter() *formatter {
	columns := 80
	if p.cfg.Width != nil {
		columns = p.cfg.Width()
	}
	if p.cfg.Layout == ManageLayout {
		columns = min(columns, 100)
	}
	width := columns - 2
	return &formatter{p: p, width: width, helpPosition: min(maxHelpPosition, max(width-20, indentStep*2))}
}

func length(s string) int { return utf8.RuneCountInString(s) }

func runeLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

func spaces(n int) string { return strings.Repeat(" ", max(n, 0)) }

// FormatUsage is the usage text, ending in a newline, as argparse prints it before an error.
func (p *Parser) FormatUsage() string {
	return tidy(p.formatter().usage("usage: ", p.actions))
}

// FormatHelp is the help text, ending in a newline, in the parser's Layout.
func (p *Parser) FormatHelp() string {
	if p.cfg.Layout == ManageLayout {
		return p.manageHelp()
	}
	f := p.formatter()
	var b strings.Builder
	b.WriteString(f.usage("usage: ", p.actions))
	b.WriteString(f.text(p.cfg.Description, 0))
	for _, g := range p.groups {
		f.measure(ranked(g.actions), indentStep)
	}
	for _, g := range p.groups {
		b.WriteString(f.section(g.title, f.text(g.description, indentStep)+f.arguments(ranked(g.actions))))
	}
	b.WriteString(f.text(p.cfg.Epilog, 0))
	return tidy(b.String())
}

// progWithPositionals is what a sub-command's prog begins with.
func (p *Parser) progWithPositionals() string {
	var positionals []*argument
	for _, a := range p.actions {
		if !a.isOption() {
			positionals = append(positionals, a)
		}
	}
	return strings.TrimFunc(tidy(p.formatter().usage("", positionals)), isSpace)
}

func (p *Parser) formatVersion(text string) string {
	return strings.TrimSuffix(tidy(p.formatter().text(text, 0)), "\n")
}

// tidy leaves at most one empty line anywhere and none at the ends.
func tidy(text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(text))
	newlines := 0
	for i := range len(text) {
		if text[i] == '\n' {
			newlines++
			continue
		}
		b.WriteString(strings.Repeat("\n", min(newlines, 2)))
		newlines = 0
		b.WriteByte(text[i])
	}
	return strings.Trim(b.String(), "\n") + "\n"
}

// section puts a heading over a body, and is nothing without a body.
func (f *formatter) section(title, body string) string {
	if body == "" {
		return ""
	}
	if title != "" {
		title += ":\n"
	}
	return "\n" + title + body + "\n"
}

// text is a paragraph, wrapped.
func (f *formatter) text(text string, indent int) string {
	if text == "" {
		return ""
	}
	if strings.Contains(text, "%(prog)") {
		text = percent(text, &f.p.cfg.Values, f.progOnly)
	}
	width := max(f.width-indent, minTextWidth)
	return strings.Join(wrap(fold(text), width, spaces(indent)), "\n") + "\n\n"
}

func (f *formatter) progOnly(name string) (any, bool) { return f.p.cfg.Prog, name == "prog" }

// ranked puts the command's own arguments before base options, and those before extra ones.
func ranked(actions []*argument) []*argument {
	for _, a := range actions {
		if a.Rank != Own {
			sorted := slices.Clone(actions)
			slices.SortStableFunc(sorted, func(a, b *argument) int { return cmp.Compare(a.Rank, b.Rank) })
			return sorted
		}
	}
	return actions
}

// usage is the usage line or lines, with an empty line behind.
func (f *formatter) usage(prefix string, actions []*argument) string {
	prog := f.p.cfg.Prog
	if f.p.cfg.Usage != "" {
		return prefix + percent(f.p.cfg.Usage, &f.p.cfg.Values, f.progOnly) + "\n\n"
	}
	var options, positionals []*argument
	hasBase := false
	for _, a := range ranked(actions) {
		switch {
		case !a.isOption():
			positionals = append(positionals, a)
		case f.p.cfg.Layout == ManageLayout && a.Rank != Own:
			hasBase = hasBase || !a.HelpSuppressed
		default:
			options = append(options, a)
		}
	}
	optionParts := f.usageParts(options)
	if hasBase {
		optionParts = append(optionParts, "[base options]")
	}
	positionalParts := f.usageParts(positionals)
	parts := f.usageParts(slices.Concat(options, positionals))
	if hasBase {
		parts = slices.Concat(optionParts, positionalParts)
	}
	line := strings.Join(slices.DeleteFunc([]string{prog, strings.Join(parts, " ")}, func(s string) bool { return s == "" }), " ")
	if length(prefix)+length(line) > f.width {
		line = f.brokenUsage(prefix, prog, optionParts, positionalParts)
	}
	return prefix + line + "\n\n"
}

// brokenUsage spreads a usage over lines: options first, positionals on lines of
// their own, and the program alone on the first when it is long.
func (f *formatter) brokenUsage(prefix, prog string, options, positionals []string) string {
	if 4*(length(prefix)+length(prog)) > 3*f.width {
		indent := spaces(length(prefix))
		lines := f.usageLines(slices.Concat(options, positionals), indent, -1)
		if len(lines) > 1 {
			lines = slices.Concat(f.usageLines(options, indent, -1), f.usageLines(positionals, indent, -1))
		}
		return strings.Join(append([]string{prog}, lines...), "\n")
	}
	indent := spaces(length(prefix) + length(prog) + 1)
	var lines []string
	switch {
	case len(options) > 0:
		lines = f.usageLines(append([]string{prog}, options...), indent, length(prefix))
		lines = append(lines, f.usageLines(positionals, indent, -1)...)
	case len(positionals) > 0:
		lines = f.usageLines(append([]string{prog}, positionals...), indent, length(prefix))
	default:
		lines = []string{prog}
	}
	return strings.Join(lines, "\n")
}

// usageLines fills lines with parts. The first line has no indent but a prefix of that
// many characters before it, unless prefix is negative.
func (f *formatter) usageLines(parts []string, indent string, prefix int) []string {
	var lines, line []string
	start := len(indent) - 1
	used := start
	if prefix >= 0 {
		used = prefix - 1
	}
	for _, part := range parts {
		if used+1+length(part) > f.width && len(line) > 0 {
			lines = append(lines, indent+strings.Join(line, " "))
			line, used = nil, start
		}
		line = append(line, part)
		used += length(part) + 1
	}
	if len(line) > 0 {
		lines = append(lines, indent+strings.Join(line, " "))
	}
	if prefix >= 0 && len(lines) > 0 {
		lines[0] = lines[0][len(indent):]
	}
	return lines
}

// usageParts gives each argument's piece of the usage, exclusive groups bracketed and
// joined by bars.
func (f *formatter) usageParts(actions []*argument) []string {
	type span struct {
		start, end int
		group      *ExclusiveGroup
	}
	var spans []span
	grouped := map[*argument]bool{}
	for _, e := range f.p.exclusive {
		if len(e.actions) == 0 || !slices.ContainsFunc(e.actions, func(a *argument) bool { return !a.HelpSuppressed }) {
			continue
		}
		start := slices.Index(actions, e.actions[0])
		if start < 0 {
			continue
		}
		end := start + len(e.actions)
		if end <= len(actions) && slices.Equal(actions[start:end], e.actions) {
			spans = append(spans, span{start, end, e})
			for _, a := range e.actions {
				grouped[a] = true
			}
		}
	}
	parts := make([]string, len(actions))
	shown := make([]bool, len(actions))
	for i, a := range actions {
		if !a.HelpSuppressed {
			parts[i], shown[i] = f.usagePart(a, grouped[a]), true
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return b.start - a.start })
	for _, s := range spans {
		var members []string
		for i := s.start; i < s.end; i++ {
			if shown[i] {
				members = append(members, parts[i])
			}
		}
		opening, closing := "[", "]"
		if s.group.required {
			opening, closing = "(", ")"
			if len(members) == 1 {
				opening, closing = "", ""
			}
		}
		members[0] = opening + members[0]
		members[len(members)-1] += closing
		for i := s.start; i < s.end; i++ {
			k := i - s.start
			shown[i] = k < len(members)
			if shown[i] {
				parts[i] = members[k]
				if k < len(members)-1 {
					parts[i] += " |"
				}
			}
		}
	}
	result := make([]string, 0, len(parts))
	for i, part := range parts {
		if shown[i] {
			result = append(result, part)
		}
	}
	return result
}

func (f *formatter) usagePart(a *argument, grouped bool) string {
	if !a.isOption() {
		part := f.args(a, a.Dest)
		if grouped && strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]") {
			part = part[1 : len(part)-1]
		}
		return part
	}
	part := a.Names[0]
	if a.Action == ActionBooleanOptional {
		part = strings.Join(a.Names, " | ")
	} else if !a.takesNothing() {
		part += " " + f.args(a, strings.ToUpper(a.Dest))
	}
	if !a.Required && !grouped {
		part = "[" + part + "]"
	}
	return part
}

// metavars gives n names for an argument's words.
func (f *formatter) metavars(a *argument, fallback string, n int) []string {
	name := fallback
	switch {
	case len(a.Metavar) > 1:
		return a.Metavar
	case len(a.Metavar) == 1:
		name = a.Metavar[0]
	case a.sub != nil:
		name = "{" + strings.Join(a.sub.names, ",") + "}"
	case a.Choices != nil:
		name = "{" + strings.Join(f.choices(a), ",") + "}"
	}
	return slices.Repeat([]string{name}, n)
}

func (f *formatter) choices(a *argument) []string {
	texts := make([]string, len(a.Choices))
	for i, c := range a.Choices {
		texts[i] = f.p.cfg.Values.str(c)
	}
	return texts
}

// args shows the words of an argument: "X [X ...]".
func (f *formatter) args(a *argument, fallback string) string {
	switch a.kind {
	case kindOptional:
		return "[" + f.metavars(a, fallback, 1)[0] + "]"
	case kindZeroOrMore:
		if names := f.metavars(a, fallback, 1); len(names) == 2 {
			return "[" + names[0] + " [" + names[1] + " ...]]"
		}
		return "[" + f.metavars(a, fallback, 1)[0] + " ...]"
	case kindOneOrMore:
		names := f.metavars(a, fallback, 2)
		return names[0] + " [" + names[1] + " ...]"
	case kindRemainder:
		return "..."
	case kindParser:
		return f.metavars(a, fallback, 1)[0] + " ..."
	case kindN:
		if a.count == 0 {
			return ""
		}
		return strings.Join(f.metavars(a, fallback, a.count), " ")
	}
	return f.metavars(a, fallback, 1)[0]
}

// invocation is the left column: "-d, --days DAYS".
func (f *formatter) invocation(a *argument) string {
	if !a.isOption() {
		return strings.Join(f.metavars(a, a.Dest, 1), " ")
	}
	names := strings.Join(a.Names, ", ")
	if a.takesNothing() {
		return names
	}
	return names + " " + f.args(a, strings.ToUpper(a.Dest))
}

func (c *subcommand) invocation() string {
	if len(c.cfg.Aliases) == 0 {
		return c.name
	}
	return c.name + " (" + strings.Join(c.cfg.Aliases, ", ") + ")"
}

// measure looks for the longest left column.
func (f *formatter) measure(actions []*argument, indent int) {
	for _, a := range actions {
		if a.HelpSuppressed {
			continue
		}
		f.longest = max(f.longest, length(f.invocation(a))+indent)
		if a.sub == nil {
			continue
		}
		for _, c := range a.sub.commands {
			if c.cfg.Help != "" {
				f.longest = max(f.longest, length(c.invocation())+indent+indentStep)
			}
		}
	}
}

func (f *formatter) arguments(actions []*argument) string {
	var b strings.Builder
	for _, a := range actions {
		if a.HelpSuppressed {
			continue
		}
		b.WriteString(f.entry(f.invocation(a), f.help(a), indentStep))
		if a.sub == nil {
			continue
		}
		for _, c := range a.sub.commands {
			if c.cfg.Help != "" {
				b.WriteString(f.entry(c.invocation(), f.subHelp(c), indentStep*2))
			}
		}
	}
	return b.String()
}

// entry is one argument: the left column, and its help beside or below.
func (f *formatter) entry(left, help string, indent int) string {
	position := min(f.longest+2, f.helpPosition)
	column := position - indent - 2
	head := spaces(indent) + left
	if help == "" {
		return head + "\n"
	}
	lines := wrap(fold(help), max(f.width-position, minTextWidth), "")
	gap := "\n" + spaces(position)
	if length(left) <= column {
		gap = spaces(column-length(left)) + "  "
	}
	if len(lines) == 0 { // nothing but blanks
		return head + gap[:strings.IndexByte(gap+"\n", '\n')] + "\n"
	}
	return head + gap + strings.Join(lines, "\n"+spaces(position)) + "\n"
}

// help is an argument's help text with its fields filled in.
func (f *formatter) help(a *argument) string {
	return percent(a.Help, &f.p.cfg.Values, func(name string) (any, bool) {
		switch name {
		case "prog":
			return f.p.cfg.Prog, true
		case "dest":
			return a.Dest, !a.noDest
		case "default":
			if a.Secret && !isNone(a.Default) {
				return mask, true
			}
			return a.Default, !isSuppress(a.Default)
		case "const":
			if a.Secret && !isNone(a.Const) {
				return mask, true
			}
			return a.Const, true
		case "required":
			return a.Required, true
		case "type":
			if a.Type.Name == "" {
				return nil, true
			}
			return a.Type.Name, true
		case "metavar":
			switch len(a.Metavar) {
			case 0:
				return nil, true
			case 1:
				return a.Metavar[0], true
			}
			names := make([]string, len(a.Metavar))
			for i, name := range a.Metavar {
				names[i] = reprString(name)
			}
			return "(" + strings.Join(names, ", ") + ")", true // a tuple
		case "nargs":
			if a.kind == kindN {
				return a.count, true
			}
			if a.Nargs == "" {
				return nil, true
			}
			return string(a.Nargs), true
		case "choices":
			switch {
			case a.sub != nil:
				return strings.Join(a.sub.names, ", "), true
			case a.Choices == nil:
				return nil, true
			}
			return strings.Join(f.choices(a), ", "), true
		case "option_strings":
			names := make([]any, len(a.Names))
			for i, n := range a.Names {
				names[i] = n
			}
			return names, true
		case "help":
			return a.Help, true
		case "version":
			return a.Version, a.Action == ActionVersion
		case "deprecated":
			return a.Deprecated, true
		}
		return nil, false
	})
}

func (f *formatter) subHelp(c *subcommand) string {
	return percent(c.cfg.Help, &f.p.cfg.Values, func(name string) (any, bool) {
		switch name {
		case "prog":
			return f.p.cfg.Prog, true
		case "dest":
			return c.name, true
		case "metavar":
			return c.invocation(), true
		case "help":
			return c.cfg.Help, true
		case "option_strings":
			return []any{}, true
		case "required", "deprecated":
			return false, true
		case "nargs", "const", "default", "type", "choices":
			return nil, true
		}
		return nil, false
	})
}

// manageHelp is the help of ManageLayout.
func (p *Parser) manageHelp() string {
	f := p.formatter()
	var base []*argument
	groups := make([][]*argument, len(p.groups))
	for i, g := range p.groups {
		for _, a := range g.actions {
			if a.Rank == Own {
				groups[i] = append(groups[i], a)
			} else {
				base = append(base, a)
			}
		}
		f.measure(groups[i], indentStep)
	}
	var b strings.Builder
	b.WriteString(f.text(p.cfg.Description, 0))
	b.WriteString(f.usage("usage: ", p.actions))
	b.WriteString(f.section("examples", f.examples()))
	for i, g := range p.groups {
		b.WriteString(f.section(g.title, f.text(g.description, indentStep)+f.arguments(groups[i])))
	}
	b.WriteString(f.section("base options", f.short(ranked(base))))
	b.WriteString(f.text(p.cfg.Epilog, 0))
	if p.cfg.Footer != "" {
		b.WriteString("\n" + p.cfg.Footer + "\n")
	}
	return tidy(b.String())
}

func (f *formatter) examples() string {
	var b strings.Builder
	for _, e := range f.p.cfg.Examples {
		b.WriteString(spaces(indentStep) + e.Line + "\n")
		if e.Help != "" {
			b.WriteString(strings.Join(wrap(fold(e.Help), max(f.width-2*indentStep, minTextWidth), spaces(2*indentStep)), "\n") + "\n")
		}
	}
	return b.String()
}

// short lists arguments on one line each, with as much help as fits.
func (f *formatter) short(actions []*argument) string {
	column := 0
	for _, a := range actions {
		if !a.HelpSuppressed {
			column = max(column, min(length(f.invocation(a)), f.width/2))
		}
	}
	var b strings.Builder
	for _, a := range actions {
		if a.HelpSuppressed {
			continue
		}
		line := spaces(indentStep) + f.invocation(a)
		if help := fold(f.help(a)); help != "" {
			line += spaces(indentStep+column-length(line)) + "  " + help
		}
		if length(line) > f.width {
			line = strings.TrimRight(string([]rune(line)[:max(f.width-1, 1)]), " ") + "…"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
