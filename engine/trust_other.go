//go:build !unix

package engine

// trusted has no owners to ask about on this system.
func trusted(string, string) error { return nil }
