package argparse

import (
	"cmp"
	"strings"
)

// This file holds what argparse has not: values from the environment, and secrets.

// mask stands for a secret in errors, help and descriptions.
const mask = "********"

type secretKey struct {
	arg  *argument
	word string
}

// environment gives the arguments that the words left out their variable's value.
// Beside another argument of an exclusive group that the words did give, the
// variable is not looked at: the words win.
func (r *run) environment() error {
	var byWords []uint8
	for i, a := range r.p.actions {
		if a.Env == "" || r.state[i]&seen != 0 || r.mode == positionalsOnly && a.isOption() {
			continue
		}
		if byWords == nil {
			byWords = append([]uint8(nil), r.state...)
		}
		if a.exclusive != nil && anyGiven(a.exclusive, byWords) {
			continue
		}
		if _, err := r.takeEnv(a); err != nil {
			return err
		}
	}
	return nil
}

func anyGiven(e *ExclusiveGroup, state []uint8) bool {
	for _, a := range e.actions {
		if state[a.index]&seenNonDefault != 0 {
			return true
		}
	}
	return false
}

// takeEnv gives an argument the value of its variable, and reports whether it has one.
// A flag reads true, false, yes, no, 1 or 0; a count reads a number; an argument of
// several words is split at spaces.
func (r *run) takeEnv(a *argument) (bool, error) {
	if r.p.cfg.Lookup == nil {
		return false, nil
	}
	text, ok, err := r.p.cfg.Lookup(a.Env)
	if err != nil {
		return false, &Error{Argument: a.display(), Message: err.Error(), Err: err}
	}
	if !ok {
		return false, nil
	}
	taken, err := r.takeText(a, text)
	if e, ok := err.(*Error); ok {
		e.Hint = cmp.Or(e.Hint, "the value is that of the environment variable "+a.Env)
	}
	return taken, err
}

func (r *run) takeText(a *argument, text string) (bool, error) {
	name := ""
	if a.isOption() {
		name = a.Names[0]
	}
	r.verbatim = true
	defer func() { r.verbatim = false }()
	var args []string
	switch {
	case a.Action == ActionCount:
		v, err := parseInt(text)
		n, small := v.(int)
		if err != nil || !small || n < 0 {
			return false, argErr(a, "invalid int value: "+reprString(text))
		}
		r.state[a.index] |= seen
		if err := r.exclude(a); err != nil {
			return false, err
		}
		r.ns[a.Dest] = n
		return true, nil
	case a.takesNothing():
		given, err := parseBool(text)
		if err != nil {
			return false, argErr(a, "invalid bool value: "+reprString(text))
		}
		if given == false {
			if a.Action != ActionBooleanOptional {
				return false, nil
			}
			name = "--no-"
		}
	case a.kind == kindOne, a.kind == kindOptional:
		args = []string{text}
	default:
		args = strings.Fields(text)
		if a.kind == kindOneOrMore && len(args) == 0 || a.kind == kindN && len(args) != a.count {
			return false, expected(a)
		}
	}
	r.state[a.index] |= seen
	value, isDefault, err := r.values(a, args)
	if err == nil {
		err = r.act(a, value, isDefault, name)
	}
	return err == nil, err
}

// readSecret gives the secret that a word names: @file, - for standard input, or the
// word itself, with a warning.
func (r *run) readSecret(a *argument, w string) (string, error) {
	key := secretKey{a, w}
	if text, ok := r.secrets[key]; ok {
		return text, nil
	}
	text := w
	switch {
	case w == "-":
		if r.p.cfg.Secrets.ReadStdin == nil {
			return "", argErr(a, "cannot be read from standard input here")
		}
		read, err := r.p.cfg.Secrets.ReadStdin()
		if err != nil {
			return "", &Error{Argument: a.display(), Message: "cannot read standard input: " + err.Error(), Err: err}
		}
		text = trimNewline(read)
	case strings.HasPrefix(w, "@"):
		if r.p.cfg.Secrets.ReadFile == nil {
			return "", argErr(a, "cannot be read from a file here")
		}
		read, err := r.p.cfg.Secrets.ReadFile(w[1:])
		if err != nil {
			return "", &Error{Argument: a.display(), Message: "cannot read the file: " + err.Error(), Err: err}
		}
		text = trimNewline(string(read))
	default:
		better := "@FILE or - (standard input)"
		if a.Env != "" {
			better = "@FILE, - (standard input) or the environment variable " + a.Env
		}
		r.warnOnce("secret "+a.display(), "the value of "+a.display()+" on the command line can be seen by others: use "+better)
	}
	r.remember(key, text)
	return text, nil
}

func (r *run) remember(key secretKey, text string) {
	if r.secrets == nil {
		r.session.secrets = map[secretKey]string{}
	}
	r.secrets[key] = text
}

func trimNewline(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r") }

// askSecrets prompts for required secrets that nothing gave, unless something else is
// missing too: that error comes before any question.
func (r *run) askSecrets() error {
	prompt := r.p.cfg.Secrets.Prompt
	if prompt == nil || r.calling {
		return nil
	}
	var ask []*argument
	for i, a := range r.p.actions {
		if r.state[i]&seen != 0 || !r.mode.required(a) {
			continue
		}
		if !a.Secret {
			return nil
		}
		ask = append(ask, a)
	}
	for _, a := range ask {
		key := secretKey{a, ""}
		text, ok := r.secrets[key]
		if !ok {
			var err error
			if text, err = prompt(strings.ReplaceAll(a.Dest, "_", " ")); err != nil {
				return &Error{Argument: a.display(), Message: "cannot ask for it: " + err.Error(), Err: err}
			}
			r.remember(key, text)
		}
		if _, err := r.takeText(a, text); err != nil {
			return err
		}
	}
	return nil
}

// didYouMean is the hint for a guess, or "".
func didYouMean(guess string) string {
	if guess == "" {
		return ""
	}
	return "did you mean " + guess + "?"
}

// closest gives the candidate nearest to a word in letters changed, added, left out
// or exchanged with their neighbour: one for every three letters, three at most. ""
// means that none is near.
func closest(typed string, candidates []string) string {
	best, fewest := "", 0
	a := []rune(strings.ToLower(typed))
	for _, c := range candidates {
		b := []rune(strings.ToLower(c))
		allowed := min(max(len(a), len(b))/3, 3)
		if c == typed || c == "" || len(a)-len(b) > allowed || len(b)-len(a) > allowed {
			continue
		}
		if d := edits(a, b); d <= allowed && (best == "" || d < fewest) {
			best, fewest = c, d
		}
	}
	return best
}

func edits(a, b []rune) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
