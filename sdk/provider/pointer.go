package provider

import (
	"slices"
	"strings"
)

// touchesSealed says whether a pointer names a sealed property, something in one, or something that has one in it.
func (s shape) touchesSealed(pointer string) bool {
	given := strings.Split(pointer, "/")
	for _, sensitive := range s.sensitive {
		pattern := strings.Split(sensitive, "/")
		shorter := min(len(given), len(pattern))
		if matches(pattern[:shorter], given[:shorter]) {
			return true
		}
	}
	return false
}

// sealedAt says whether a pointer is that of a sealed property.
func (s shape) sealedAt(pointer string) bool { return matchesAny(s.sensitive, pointer) }

// matchesAny says whether a pointer is one of these, in which "*" stands for any key or index.
func matchesAny(patterns []string, pointer string) bool {
	given := strings.Split(pointer, "/")
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(strings.Split(pattern, "/"), given) })
}

func matches(pattern, given []string) bool {
	if len(pattern) != len(given) {
		return false
	}
	for i := range pattern {
		if pattern[i] != "*" && pattern[i] != given[i] {
			return false
		}
	}
	return true
}
