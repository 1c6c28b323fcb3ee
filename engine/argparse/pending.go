package argparse

import (
	"errors"

	"github.com/spf13/pflag"
)

func (p *Parser) CallArgs(positional []any, options map[string]any) (Namespace, error) {
	return nil, errors.New("not there yet")
}
func (p *Parser) FormatUsage() string           { return "" }
func (p *Parser) FormatHelp() string            { return "" }
func (p *Parser) FlagSet() *pflag.FlagSet       { return nil }
func (p *Parser) Describe() Description         { return Description{} }
func (p *Parser) progWithPositionals() string   { return p.cfg.Prog }
func (p *Parser) formatVersion(s string) string { return s }

type flags struct{}

func (*flags) add(*argument)    {}
func (*flags) report(Namespace) {}

type Description struct{}
