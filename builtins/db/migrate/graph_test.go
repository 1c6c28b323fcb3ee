package migrate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/starmanage/starmanage/builtins/db/sqldb"
	"github.com/starmanage/starmanage/engine"
)

// makeGraph builds a graph from lines "app.0001_name: dependency …".
func makeGraph(t *testing.T, text string) (*graph, []fault) {
	t.Helper()
	g := newGraph()
	for line := range strings.Lines(strings.TrimSpace(text)) {
		name, deps, _ := strings.Cut(strings.TrimSpace(line), ":")
		key, err := parseKey(name)
		if err != nil {
			t.Fatal(err)
		}
		m := &migration{Key: key, file: "apps/" + key.App + "/migrations/" + key.Name + ".sql"}
		if _, err := fmt.Sscanf(key.Name, "%d_", &m.version); err != nil {
			t.Fatal(err)
		}
		for d := range strings.FieldsSeq(deps) {
			dep, err := parseKey(d)
			if err != nil {
				t.Fatal(err)
			}
			m.depends = append(m.depends, dependency{key: dep})
		}
		if !slices.Contains(g.labels, key.App) {
			g.labels = append(g.labels, key.App)
			g.migrated[key.App] = true
		}
		g.add(m)
	}
	return g, g.connect()
}

// rows makes a history of applied migrations; a name with ~ in front stopped on
// the way up, with ^ on the way down.
func rows(t *testing.T, g *graph, names string) *history {
	t.Helper()
	h := newHistory(sqldb.SQLite{})
	for name := range strings.FieldsSeq(names) {
		r := row{}
		if rest, ok := strings.CutPrefix(name, "~"); ok {
			name, r.unfinished = rest, &progress{total: 2}
		} else if rest, ok := strings.CutPrefix(name, "^"); ok {
			name, r.unfinished = rest, &progress{total: 2, backwards: true}
		}
		key, err := parseKey(name)
		if err != nil {
			t.Fatal(err)
		}
		r.Key = key
		if _, err := fmt.Sscanf(key.Name, "%d_", &r.version); err != nil {
			t.Fatal(err)
		}
		h.put(r)
	}
	return h
}

const shop = `
accounts.0001_initial:
accounts.0002_active:
orders.0001_initial: accounts.0001_initial
orders.0002_amount:
orders.0003_fill: accounts.0002_active
ops.0001_initial: orders.0002_amount accounts.0001_initial
`

// TestPlan: the plans are what Django's MigrationExecutor makes of the same
// graph.
func TestPlan(t *testing.T) {
	for _, tc := range []struct {
		name, applied, targets, want string
	}{
		{"everything", "", "", "accounts.0001_initial accounts.0002_active orders.0001_initial orders.0002_amount ops.0001_initial orders.0003_fill"},
		{"the rest", "accounts.0001_initial orders.0001_initial", "", "accounts.0002_active orders.0002_amount ops.0001_initial orders.0003_fill"},
		{"nothing left", "accounts.0001_initial accounts.0002_active orders.0001_initial orders.0002_amount orders.0003_fill ops.0001_initial", "", ""},
		{"one app takes what it needs along", "", "orders.0003_fill", "accounts.0001_initial orders.0001_initial orders.0002_amount accounts.0002_active orders.0003_fill"},
		{"up to a name", "", "orders.0002_amount", "accounts.0001_initial orders.0001_initial orders.0002_amount"},
		{"back to a name takes what depends on it along", "accounts.0001_initial orders.0001_initial orders.0002_amount ops.0001_initial", "orders.0001_initial", "-ops.0001_initial -orders.0002_amount"},
		{"back to a name leaves other apps", "accounts.0001_initial accounts.0002_active orders.0001_initial", "accounts.0001_initial", "-accounts.0002_active"},
		{"to zero", "accounts.0001_initial orders.0001_initial orders.0002_amount", "accounts.zero", "-orders.0002_amount -orders.0001_initial -accounts.0001_initial"},
		{"to zero of an app that nothing needs", "accounts.0001_initial orders.0001_initial orders.0002_amount ops.0001_initial", "ops.zero", "-ops.0001_initial"},
		{"stopped on the way up goes on", "accounts.0001_initial ~orders.0001_initial", "orders.0001_initial", "orders.0001_initial"},
		{"stopped on the way down counts as applied", "accounts.0001_initial ^orders.0001_initial", "orders.0001_initial", ""},
		{"stopped on the way up can be taken back", "accounts.0001_initial ~accounts.0002_active", "accounts.0001_initial", "-accounts.0002_active"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, faults := makeGraph(t, shop)
			if faults != nil {
				t.Fatal(faults)
			}
			var targets []target
			for name := range strings.FieldsSeq(tc.targets) {
				app, m, _ := strings.Cut(name, ".")
				targets = append(targets, target{app, g.nodes[Key{app, m}]})
			}
			if tc.targets == "" {
				for _, m := range g.leaves() {
					targets = append(targets, target{m.App, m})
				}
			}
			var got []string
			for _, op := range g.plan(targets, rows(t, g, tc.applied)) {
				name := op.Key.String()
				if op.backwards {
					name = "-" + name
				}
				got = append(got, name)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("plan is %s\nwant    %s", strings.Join(got, " "), tc.want)
			}
		})
	}
}

func TestConnectFaults(t *testing.T) {
	for _, tc := range []struct {
		name, graph, id, message, hint string
	}{
		{"cycle between apps", "a.0001_x: b.0001_y\nb.0001_y: a.0001_x", circular, "Migrations depend on each other: a.0001_x, b.0001_y, a.0001_x", "waits for"},
		{"cycle over the order of numbers", "a.0001_x: b.0001_y\na.0002_z:\nb.0001_y: a.0002_z", circular, "a.0001_x, b.0001_y, a.0002_z, a.0001_x", "the number before"},
		{"depends on itself", "a.0001_x: a.0001_x", circular, "a.0001_x, a.0001_x", ""},
		{"unknown migration", "a.0001_x:\nb.0001_y: a.0001_xx", badDepends, "Migration b.0001_y dependencies reference nonexistent parent node a.0001_xx.", "Did you mean a.0001_x?"},
		{"number alone", "a.0001_x:\nb.0001_y: a.0001", badDepends, "nonexistent parent node a.0001.", "Did you mean a.0001_x?"},
		{"unknown app", "orders.0001_x:\nb.0001_y: order.0001_x", badDepends, "nonexistent parent node order.0001_x.", "There is no app order. Did you mean orders?"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, faults := makeGraph(t, tc.graph)
			if len(faults) != 1 {
				t.Fatalf("faults are %v, want one", faults)
			}
			f := faults[0]
			if f.id != tc.id || !strings.Contains(f.msg, tc.message) || !strings.Contains(f.hint, tc.hint) {
				t.Errorf("got %s %q (%s), want %s %q (%s)", f.id, f.msg, f.hint, tc.id, tc.message, tc.hint)
			}
		})
	}
}

// TestPlanDeepChain: thousands of migrations are planned in a moment.
func TestPlanDeepChain(t *testing.T) {
	g := newGraph()
	const n = 3000
	for i := range n {
		for _, app := range []string{"a", "b"} {
			m := &migration{Key: Key{app, fmt.Sprintf("%04d_x", i+1)}, version: int64(i + 1)}
			if app == "b" && i > 0 {
				m.depends = []dependency{{key: Key{"a", fmt.Sprintf("%04d_x", i)}}}
			}
			g.add(m)
		}
	}
	if faults := g.connect(); faults != nil {
		t.Fatal(faults)
	}
	plan := g.plan([]target{{"b", g.leaves()[1]}}, newHistory(sqldb.SQLite{}))
	if len(plan) != 2*n-1 {
		t.Errorf("the plan has %d steps, want %d", len(plan), 2*n-1)
	}
}

func TestFind(t *testing.T) {
	g, _ := makeGraph(t, "a.0001_x:\na.0002_y:\na.0002_yy:\nb.0001_x:")
	for _, tc := range []struct{ prefix, want, message, hint string }{
		{"0001", "0001_x", "", ""},
		{"0002_y", "0002_y", "", ""}, // a whole name wins over the longer one
		{"0002", "", "More than one migration matches '0002' in app 'a'. Please be more specific.", "There are 0002_y, 0002_yy."},
		{"0009", "", "Cannot find a migration matching '0009' from app 'a'.", ""},
		{"0001_z", "", "Cannot find a migration matching '0001_z' from app 'a'.", "Did you mean a.0001_x?"},
	} {
		m, err := g.find("a", tc.prefix)
		if tc.want != "" {
			if err != nil || m.Name != tc.want {
				t.Errorf("find %q: %v, %v", tc.prefix, m, err)
			}
			continue
		}
		e, ok := err.(*engine.CommandError)
		if !ok || e.Message != tc.message || tc.hint != "" && e.Hint != tc.hint {
			t.Errorf("find %q: %#v, want %q (%s)", tc.prefix, err, tc.message, tc.hint)
		}
	}
}
