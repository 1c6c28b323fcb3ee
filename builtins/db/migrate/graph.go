package migrate

// Migrations and what they depend on. Orders are Django's (MigrationGraph and
// MigrationExecutor.migration_plan), so that plans read the same.

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/internal/suggest"
)

// graph is all migrations of a project, as one dialect runs them. Within an app
// each depends on the one before it; further dependencies lead anywhere.
type graph struct {
	nodes    map[Key]*migration
	byApp    map[string][]*migration // by number
	labels   []string                // installed apps, in order
	migrated map[string]bool         // those with a folder for migrations
}

// loadGraph reads the migrations of all apps for a dialect. What is wrong with
// them comes as faults; the graph then holds what could be read.
func loadGraph(inv *engine.Invocation, vendor string) (*graph, []fault) {
	g := newGraph()
	var faults []fault
	for _, app := range inv.Apps() {
		g.labels = append(g.labels, app.Label)
		files, bad, ok := readFolder(app)
		faults = append(faults, bad...)
		if !ok {
			continue
		}
		g.migrated[app.Label] = true
		files, bad = choose(app, files, vendor)
		faults = append(faults, bad...)
		for _, f := range files {
			m, bad := loadFile(inv, app, f, vendor)
			faults = append(faults, bad...)
			g.add(m)
		}
	}
	return g, append(faults, g.connect()...)
}

func newGraph() *graph {
	return &graph{nodes: map[Key]*migration{}, byApp: map[string][]*migration{}, migrated: map[string]bool{}}
}

// add adds a migration; those of an app come in the order of their numbers.
func (g *graph) add(m *migration) {
	g.nodes[m.Key] = m
	g.byApp[m.App] = append(g.byApp[m.App], m)
}

// connect resolves dependencies and looks for cycles.
func (g *graph) connect() []fault {
	var faults []fault
	join := func(child, parent *migration) {
		if !slices.Contains(child.parents, parent) {
			child.parents = append(child.parents, parent)
			parent.children = append(parent.children, child)
		}
	}
	for _, m := range g.sorted() {
		list := g.byApp[m.App]
		if i := slices.Index(list, m); i > 0 {
			join(m, list[i-1])
		}
		for _, d := range m.depends {
			parent := g.nodes[d.key]
			if parent == nil {
				faults = append(faults, fault{id: badDepends, file: m.file, line: d.line,
					msg:  fmt.Sprintf("Migration %s dependencies reference nonexistent parent node %s.", m.Key, d.key),
					hint: g.guess(d.key)})
				continue
			}
			join(m, parent)
		}
	}
	for _, m := range g.nodes {
		slices.SortFunc(m.parents, compareMigrations)
		slices.SortFunc(m.children, compareMigrations)
	}
	if cycle := g.cycle(); cycle != nil {
		names := make([]string, len(cycle))
		for i, m := range cycle {
			names[i] = m.Key.String()
		}
		faults = append(faults, fault{id: circular, file: cycle[0].file,
			msg:  "Migrations depend on each other: " + strings.Join(append(names, names[0]), ", "),
			hint: "Each waits for the next one; a migration also waits for the one with the number before it."})
	}
	return faults
}

// guess says what a dependency that does not exist was probably meant to be.
func (g *graph) guess(key Key) string {
	if !slices.Contains(g.labels, key.App) {
		if s := suggest.Closest(key.App, g.labels); s != "" {
			return fmt.Sprintf("There is no app %s. Did you mean %s?", key.App, s)
		}
		return fmt.Sprintf("There is no app %s in INSTALLED_APPS.", key.App)
	}
	var names []string
	for _, m := range g.byApp[key.App] {
		if strings.HasPrefix(m.Name, key.Name) {
			return fmt.Sprintf("Did you mean %s?", m.Key)
		}
		names = append(names, m.Name)
	}
	if s := suggest.Closest(key.Name, names); s != "" {
		return fmt.Sprintf("Did you mean %s.%s?", key.App, s)
	}
	return ""
}

func compareMigrations(a, b *migration) int { return compareKeys(a.Key, b.Key) }

func (g *graph) sorted() []*migration {
	return slices.SortedFunc(maps.Values(g.nodes), compareMigrations)
}

// cycle returns migrations each of which depends on the next, and the last on
// the first; nil when there are none.
func (g *graph) cycle() []*migration {
	const open, done = 1, 2
	state := map[*migration]int{}
	var stack []*migration
	var visit func(m *migration) []*migration
	visit = func(m *migration) []*migration {
		state[m] = open
		stack = append(stack, m)
		for _, p := range m.parents {
			switch state[p] {
			case open:
				return slices.Clone(stack[slices.Index(stack, p):])
			case 0:
				if c := visit(p); c != nil {
					return c
				}
			}
		}
		stack = stack[:len(stack)-1]
		state[m] = done
		return nil
	}
	for _, m := range g.sorted() {
		if state[m] == 0 {
			if c := visit(m); c != nil {
				return c
			}
		}
	}
	return nil
}

// walk returns m and all that next leads to, m last and each behind what it
// leads to.
func walk(m *migration, next func(*migration) []*migration) []*migration {
	var out []*migration
	seen := map[*migration]bool{}
	var visit func(m *migration)
	visit = func(m *migration) {
		seen[m] = true
		list := next(m)
		for i := len(list) - 1; i >= 0; i-- {
			if !seen[list[i]] {
				visit(list[i])
			}
		}
		out = append(out, m)
	}
	visit(m)
	return out
}

// forwards returns what must be applied for m, m last.
func forwards(m *migration) []*migration {
	return walk(m, func(m *migration) []*migration { return m.parents })
}

// backwards returns what must be unapplied for m to be, m last.
func backwards(m *migration) []*migration {
	return walk(m, func(m *migration) []*migration { return m.children })
}

// leaves returns the last migration of each app, sorted.
func (g *graph) leaves() []*migration {
	var out []*migration
	for _, list := range g.byApp {
		out = append(out, list[len(list)-1])
	}
	slices.SortFunc(out, compareMigrations)
	return out
}

// target is where a migrate is to lead: behind a migration, or with an app
// before its first (migration is nil).
type target struct {
	app       string
	migration *migration
}

// everything is the targets of a migrate without arguments.
func (g *graph) everything() []target {
	var targets []target
	for _, m := range g.leaves() {
		targets = append(targets, target{m.App, m})
	}
	return targets
}

// operation is one step of a plan.
type operation struct {
	*migration
	backwards bool
}

// plan returns the steps that lead to the targets. What is applied is known by
// history; a migration that stopped half way counts as applied on the way
// back, and on the way forwards when it was being taken back.
func (g *graph) plan(targets []target, h *history) []operation {
	var plan []operation
	planned := map[*migration]bool{}
	back := func(list []*migration) {
		for _, m := range list {
			if h.has(m) && !planned[m] {
				planned[m] = true
				plan = append(plan, operation{m, true})
			}
		}
	}
	for _, t := range targets {
		switch {
		case t.migration == nil:
			if list := g.byApp[t.app]; len(list) > 0 {
				back(backwards(list[0]))
			}
		case h.applied(t.migration):
			for _, child := range t.migration.children {
				if child.App == t.app {
					back(backwards(child))
				}
			}
		default:
			for _, m := range forwards(t.migration) {
				if !h.applied(m) && !planned[m] {
					planned[m] = true
					plan = append(plan, operation{m, false})
				}
			}
		}
	}
	return plan
}

// byPrefix returns the migrations of an app whose names start with a prefix:
// the one of that very name when there is one.
func (g *graph) byPrefix(app, prefix string) []*migration {
	if m := g.nodes[Key{app, prefix}]; m != nil {
		return []*migration{m}
	}
	var out []*migration
	for _, m := range g.byApp[app] {
		if strings.HasPrefix(m.Name, prefix) {
			out = append(out, m)
		}
	}
	return out
}

// find returns the migration that an operator named.
func (g *graph) find(app, prefix string) (*migration, error) {
	switch list := g.byPrefix(app, prefix); len(list) {
	case 1:
		return list[0], nil
	case 0:
		return nil, &engine.CommandError{Message: fmt.Sprintf("Cannot find a migration matching '%s' from app '%s'.", prefix, app), Hint: g.guess(Key{app, prefix})}
	default:
		var names []string
		for _, m := range list {
			names = append(names, m.Name)
		}
		return nil, &engine.CommandError{
			Message: fmt.Sprintf("More than one migration matches '%s' in app '%s'. Please be more specific.", prefix, app),
			Hint:    "There are " + strings.Join(names, ", ") + ".",
		}
	}
}

// hasApp checks that an app is installed and has migrations.
func (g *graph) hasApp(label string) error {
	if err := g.installed(label); err != nil {
		return err
	}
	if !g.migrated[label] {
		return &engine.CommandError{Message: fmt.Sprintf("App '%s' does not have migrations.", label),
			Hint: fmt.Sprintf("Write the first one: manage makemigrations --empty %s", label)}
	}
	return nil
}

func (g *graph) installed(label string) error {
	if slices.Contains(g.labels, label) {
		return nil
	}
	hint := ""
	if s := suggest.Closest(label, g.labels); s != "" {
		hint = fmt.Sprintf("Did you mean %s?", s)
	}
	return &engine.CommandError{Message: fmt.Sprintf("No installed app with label '%s'.", label), Hint: hint}
}

// migratedApps returns the labels of the apps with migrations, sorted.
func (g *graph) migratedApps() []string {
	return slices.SortedFunc(maps.Keys(g.migrated), cmp.Compare)
}
