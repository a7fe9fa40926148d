package aws

import (
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// optional leaves an empty text out of a request.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// physical is the name of the thing that an operation is about.
func physical[P any](op *provider.Operation[P]) string {
	if op.Existing != nil && op.Existing.Name != "" {
		return op.Existing.Name
	}
	return op.Name
}

// lastPart is what an ARN ends with: the name, behind path or type.
func lastPart(arn string) string {
	return arn[strings.LastIndexAny(arn, "/:")+1:]
}

// orElse is a number's default.
func orElse(value, otherwise int32) int32 {
	if value == 0 {
		return otherwise
	}
	return value
}

// orEmpty and notNil make what AWS reads as "none" of what it reads as "leave as it is".
func orEmpty(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return values
}

func notNil(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}
