package argparse

import (
	"errors"

	"github.com/spf13/pflag"
)

func (p *Parser) ParseArgs(words []string) (Namespace, error) {
	return nil, errors.New("not there yet")
}
func (p *Parser) CallArgs(positional []any, options map[string]any) (Namespace, error) {
	return nil, errors.New("not there yet")
}
func (p *Parser) FormatUsage() string         { return "" }
func (p *Parser) FormatHelp() string          { return "" }
func (p *Parser) FlagSet() *pflag.FlagSet     { return nil }
func (p *Parser) Describe() Description       { return Description{} }
func (p *Parser) progWithPositionals() string { return p.cfg.Prog }

type flags struct{}

func (*flags) add(*argument) {}

type Description struct{}
