package sqldb

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"sync"
)

// Regexp returns SQLite's operator REGEXP, which has no meaning until a program
// registers a function "regexp" of two arguments: pattern, text. It returns
// nil for NULL, else 0 or 1. Patterns are Go's (RE2). Any goroutine may call
// it.
func Regexp() func(pattern, text driver.Value) (driver.Value, error) {
	compiled := &patterns{}
	return func(pattern, text driver.Value) (driver.Value, error) {
		if pattern == nil || text == nil {
			return nil, nil
		}
		re, err := compiled.get(asText(pattern))
		if err != nil {
			return nil, fmt.Errorf("regexp: %w", err)
		}
		if re.MatchString(asText(text)) {
			return int64(1), nil
		}
		return int64(0), nil
	}
}

// patterns keeps the pattern that was used last: a query uses one for all of
// its rows.
type patterns struct {
	mu   sync.Mutex
	text string
	re   *regexp.Regexp
}

func (p *patterns) get(text string) (*regexp.Regexp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.re != nil && p.text == text {
		return p.re, nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	p.text, p.re = text, re
	return re, nil
}
