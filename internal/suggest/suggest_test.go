package suggest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/starmanage/starmanage/internal/suggest"
)

// djangoCommands are what `django-admin help --commands` prints in a project.
func djangoCommands() []string {
	return []string{
		"check", "compilemessages", "createcachetable", "createsuperuser", "changepassword", "clearsessions",
		"collectstatic", "dbshell", "diffsettings", "dumpdata", "findstatic", "flush", "inspectdb", "loaddata",
		"makemessages", "makemigrations", "migrate", "optimizemigration", "remove_stale_contenttypes", "runserver",
		"sendtestemail", "shell", "showmigrations", "sqlflush", "sqlmigrate", "sqlsequencereset",
		"squashmigrations", "startapp", "startproject", "test", "testserver",
	}
}

func TestClosest(t *testing.T) {
	for _, c := range []struct{ name, word, want string }{
		{"a letter too few", "migrat", "migrate"},
		{"a letter too few, short", "chek", "check"},
		{"one of two", "loadata", "loaddata"},
		{"another case", "Migrate", "migrate"},
		{"all capitals", "MIGRATE", "migrate"},
		{"near the front", "rnserver", "runserver"},
		{"a letter too many", "migratte", "migrate"},
		{"a wrong letter", "migrote", "migrate"},
		{"neighbours exchanged", "tset", "test"},
		{"neighbours exchanged at the front", "hceck", "check"},
		{"underscore where none is", "make_migrations", "makemigrations"},
		{"hyphens for underscores", "remove-stale-contenttypes", "remove_stale_contenttypes"},
		{"two edits in a long word", "makemigratons2", "makemigrations"},
		{"a prefix", "sql", ""},
		{"one letter", "m", ""},
		{"nothing like it", "abcdef", ""},
		{"a part", "migrations", ""},
		{"no word", "", ""},
		{"not UTF-8", "\xff\xfe", ""},
	} {
		if got := suggest.Closest(c.word, djangoCommands()); got != c.want {
			t.Errorf("%s: %q suggests %q, want %q", c.name, c.word, got, c.want)
		}
	}
}

func TestClosestChoice(t *testing.T) {
	for _, c := range []struct {
		name, word string
		candidates []string
		want       string
	}{
		{"no candidates", "test", nil, ""},
		{"a tie goes to the alphabetically first", "cast", []string{"last", "past", "fast"}, "fast"},
		{"the closest, wherever it stands", "importt", []string{"imports_", "export", "import"}, "import"},
		{"case is free, letters are not", "Tset", []string{"TSET", "test"}, "TSET"},
		{"the word itself is no suggestion", "test", []string{"test"}, ""},
		{"the next one to the word itself", "test", []string{"test", "tests"}, "tests"},
		{"two letters never", "ab", []string{"ac", "a", "b"}, ""},
		{"two letters of three", "rn", []string{"run"}, "run"},
		{"an empty candidate", "a", []string{""}, ""},
		{"letters beyond ASCII count once", "größe", []string{"grosse", "grösse", "grüße"}, "grüße"},
	} {
		if got := suggest.Closest(c.word, c.candidates); got != c.want {
			t.Errorf("%s: %q suggests %q, want %q", c.name, c.word, got, c.want)
		}
	}
}

// Every single slip in a command's name of five letters or more leads back to it
// or to a name that is as close.
func TestClosestUndoesOneSlip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, command := range djangoCommands() {
		if len(command) < 5 {
			continue
		}
		for range 50 {
			word := []byte(command)
			i := rng.IntN(len(word) - 1)
			switch rng.IntN(4) {
			case 0:
				word = append(word[:i], word[i+1:]...)
			case 1:
				word[i] = 'z'
			case 2:
				word[i], word[i+1] = word[i+1], word[i]
			case 3:
				word = append(word[:i], append([]byte{'z'}, word[i:]...)...)
			}
			if string(word) == command {
				continue
			}
			if got := suggest.Closest(string(word), djangoCommands()); got != command {
				t.Errorf("%q suggests %q, want %q", word, got, command)
			}
		}
	}
}
