package graph

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// badLabelKey says what is wrong with the key of a label, "" for nothing.
func (kind *resourceKind) badLabelKey(key string) string {
	limits := kind.LabelLimits
	switch {
	case key == "":
		return "must have a key"
	case limits.MaxKeyLength > 0 && utf8.RuneCountInString(key) > limits.MaxKeyLength:
		return fmt.Sprintf("must have a key of at most %d characters", limits.MaxKeyLength)
	case kind.labelPattern != nil && !kind.labelPattern.MatchString(key):
		return "must have a key that matches " + limits.Pattern
	}
	return ""
}

// badLabelValue says what is wrong with the value of a label, "" for nothing.
func (kind *resourceKind) badLabelValue(value string) string {
	limits := kind.LabelLimits
	switch {
	case limits.MaxValueLength > 0 && utf8.RuneCountInString(value) > limits.MaxValueLength:
		return fmt.Sprintf("must have a value of at most %d characters", limits.MaxValueLength)
	case kind.labelPattern != nil && !kind.labelPattern.MatchString(value):
		return "must have a value that matches " + limits.Pattern
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}
