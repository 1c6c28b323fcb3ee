// Package builtins lists the modules that scripts get by default. Each lives
// in a package of its own below this one; a program that wants fewer, or more,
// makes its own list.
package builtins

import (
	"github.com/starmanage/starmanage/builtins/command"
	"github.com/starmanage/starmanage/builtins/datetime"
	"github.com/starmanage/starmanage/builtins/db"
	"github.com/starmanage/starmanage/builtins/db/migrate"
	"github.com/starmanage/starmanage/builtins/decimal"
	"github.com/starmanage/starmanage/builtins/lang"
	"github.com/starmanage/starmanage/builtins/output"
	"github.com/starmanage/starmanage/builtins/unittest"
	"github.com/starmanage/starmanage/engine"
)

// Standard returns new modules for one Engine.
func Standard() []engine.Module {
	databases := db.New(db.Config{})
	return []engine.Module{
		output.New(),
		command.New(),
		lang.Module{},
		datetime.Module{},
		decimal.Module{},
		migrate.New(databases), // before databases: it warns before a transaction begins
		databases,
		unittest.New(),
	}
}
