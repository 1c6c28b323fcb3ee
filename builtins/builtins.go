// Package builtins lists the modules that scripts get by default. Each lives
// in a package of its own below this one; a program that wants fewer, or more,
// makes its own list.
package builtins

import (
	"context"

	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/dbshell"
	"github.com/starmanage/starmanage/builtins/db/fixtures"
	"github.com/starmanage/starmanage/builtins/db/migrate"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/builtins/lang"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/builtins/scaffold"
	"github.com/starmanage/starmanage/builtins/unittest"
	"github.com/starmanage/starmanage/engine"
)

// Config is what a program gives to the modules. The zero value works.
type Config struct {
	// Databases are the program's own connection pools, and what it gives to its
	// driver. Default: those of the project's DATABASES.
	Databases db.Config
	// RunClient runs a database's own client for dbshell: see dbshell.Config.
	// Default: none, and dbshell says so.
	RunClient func(ctx context.Context, name string, args, env []string) error
}

// Standard returns new modules for one Engine, with the defaults of Config.
func Standard() []engine.Module { return Modules(Config{}) }

// Modules returns new modules for one Engine.
func Modules(cfg Config) []engine.Module {
	databases := db.New(cfg.Databases)
	migrations := migrate.New(databases)
	return []engine.Module{
		output.New(),
		command.New(),
		lang.Module{},
		datetime.Module{},
		decimal.Module{},
		migrations, // before databases: it warns before a transaction begins
		databases,
		fixtures.New(databases),
		unittest.New(unittest.Config{DB: databases, Migrate: migrations.Apply}),
		scaffold.New(),
		dbshell.New(databases, dbshell.Config{Run: cfg.RunClient}),
	}
}
