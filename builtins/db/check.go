package db

import (
	"context"

	"github.com/starmanage/starmanage/engine"
)

var (
	_ engine.Checker = (*Module)(nil)
	_ engine.Tagged  = (*Module)(nil)
)

const checkTag = "database"

// CheckTags is "database".
func (m *Module) CheckTags() []string { return []string{checkTag} }

// Check asks the databases that the run names for their tables. It opens no
// other: Django's check has no databases either unless they are named
// (https://docs.djangoproject.com/en/5.2/ref/django-admin/#check).
func (m *Module) Check(ctx context.Context, run *engine.CheckRun) []engine.CheckMessage {
	if !run.Wants(checkTag) {
		return nil
	}
	var messages []engine.CheckMessage
	for _, alias := range run.Databases {
		if err := m.reach(ctx, run.Invocation, alias); err != nil {
			messages = append(messages, engine.CheckMessage{Level: engine.ERROR, ID: "database.E001", Msg: err.Error(), Obj: alias})
		}
	}
	return messages
}

func (m *Module) reach(ctx context.Context, inv *engine.Invocation, alias string) error {
	database, err := m.Database(inv, alias)
	if err != nil {
		return err
	}
	_, err = database.Runner().Tables(ctx)
	return translate(err)
}
