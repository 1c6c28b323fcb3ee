package migrate

import "cmp"

// Key names a migration: the label of its app and the name of its file without
// dialect and extension, "0001_initial".
type Key struct{ App, Name string }

func (k Key) String() string { return k.App + "." + k.Name }

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Name, b.Name))
}
