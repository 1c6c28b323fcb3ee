package command_test

import (
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/engine"
	"github.com/starmanage/starmanage/engine/enginetest"
)

// oneName is a module that brings one name.
type oneName struct {
	name  string
	value starlark.Value
}

func (m oneName) Name() string                     { return m.name }
func (m oneName) Predeclared() starlark.StringDict { return starlark.StringDict{m.name: m.value} }

func TestSettings(t *testing.T) {
	const file = `
== settings.star
SITE = "example.org"
LIMITS = dict(timeout = "1h")
ADMINS = ["a", "b"]
DATABASES = dict(default = "postgres://user:password@db/app", replica = dict(url = "postgres://user:password@db2/app"))
API_KEY = "k-123"
STRIPE_SECRET = "s-123"
DB_PASSWORD = "p-123"
PERMISSIONS = dict(settings = ["STRIPE_*"])
_private = 1
lower = 2
`
	for _, tt := range []struct{ body, out, err string }{
		{`print(settings.SITE, settings.ADMINS, settings.LIMITS)`, "example.org [\"a\", \"b\"] {\"timeout\": \"1h\"}\n", ""},
		{`print(settings.TIME_ZONE)`, "UTC\n", ""},
		{`print(settings.HOST_SETTING)`, "[1, 2]\n", ""},
		{`print(settings.DATABASES, "default" in settings.DATABASES)`, "[\"default\", \"replica\"] True\n", ""},
		{`print(settings.STRIPE_SECRET)`, "s-123\n", ""},
		{`print(settings)`, "<settings>\n", ""},
		{`print(type(settings), hasattr(settings, "SITE"), hasattr(settings, "NOPE"), getattr(settings, "NOPE", 1))`, "settings True False 1\n", ""},
		{`print(dir(settings))`, `["ADMINS", "API_KEY", "DATABASES", "DB_PASSWORD", "HOST_SETTING", "LIMITS", "PERMISSIONS", "SITE", "STRIPE_SECRET", "TIME_ZONE"]` + "\n", ""},
		{`print(settings.API_KEY)`, "", `PermissionDenied: settings "API_KEY" is not granted: add PERMISSIONS = dict(settings = ["API_KEY"]) to settings.star`},
		{`print(settings.DB_PASSWORD)`, "", `PermissionDenied: settings "DB_PASSWORD" is not granted`},
		{`print(getattr(settings, "API_KEY"))`, "", `PermissionDenied: settings "API_KEY" is not granted`},
		{`print(catch(lambda: settings.API_KEY, PermissionDenied)[1].type)`, "PermissionDenied\n", ""},
		{`print(settings.SIET)`, "", "settings has no SIET: did you mean SITE?"},
		{`print(settings.lower)`, "", "settings has no lower: set it in settings.star"},
		{`print(settings._private)`, "", "settings has no _private: "},
		{`settings.SITE = "x"`, "", "can't assign to .SITE field of settings"},
		{`settings.ADMINS.append("c")`, "", "append: cannot append to frozen list"},
		{`settings.DATABASES.append("c")`, "", "append: cannot append to frozen list"},
		{`settings.LIMITS["timeout"] = 1`, "", "cannot insert into frozen hash table"},
		{`{settings: 1}`, "", "unhashable: settings"},
	} {
		cfg := commands("== x\ndef handle():\n    " + tt.body + "\n" + file)
		cfg.Settings = map[string]any{"HOST_SETTING": []any{1, 2}}
		got := enginetest.Run(t, cfg, "x")
		code := 0
		if tt.err != "" {
			code = 1
		}
		if got.Code != code || got.Stdout != tt.out || !strings.Contains(got.Stderr, tt.err) || tt.err == "" && got.Stderr != "" {
			t.Errorf("%s: got %+v, want %q and %q", tt.body, got, tt.out, tt.err)
		}
		for _, secret := range []string{"k-123", "p-123", "password@"} {
			if strings.Contains(got.Stdout+got.Stderr, secret) {
				t.Errorf("%s shows %s", tt.body, secret)
			}
		}
	}
}

// Settings can be read while a file is loaded: that is what constants are for.
func TestSettingsAtTopLevel(t *testing.T) {
	got := enginetest.Run(t, commands(`
== x
SITE = settings.SITE.upper()

def handle():
    print(SITE)
== settings.star
SITE = "example.org"
`), "x")
	want(t, got, 0, "EXAMPLE.ORG\n", "")
}

// Two Engines, each with its own module and settings.
func TestSettingsPerEngine(t *testing.T) {
	for _, site := range []string{"a", "b"} {
		got := enginetest.Run(t, commands("== x\ndef handle():\n    print(settings.SITE)\n== settings.star\nSITE = \""+site+"\"\n"), "x")
		want(t, got, 0, site+"\n", "")
	}
	if _, ok := engine.Module(command.New()).(engine.Configurer); !ok {
		t.Error("the module does not read settings")
	}
}
