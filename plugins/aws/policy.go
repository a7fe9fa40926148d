package aws

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Policy is an IAM policy document as the caller writes it.
type Policy map[string]any

func (p Policy) document() (string, error) {
	text, err := json.Marshal(p)
	return string(text), err
}

// canonical is the document in one form of the many that mean the same to IAM, which does not give back what it was given:
// single values and lists of one, the order in lists, an account's number and its root ARN.
func (p Policy) canonical() any {
	document := map[string]any{}
	for key, value := range p {
		document[key] = value
	}
	statements := listOf(document["Statement"])
	for i, statement := range statements {
		statements[i] = canonicalStatement(statement)
	}
	document["Statement"] = statements
	return document
}

// decodePolicy reads a document as IAM returns it: URL-encoded JSON.
func decodePolicy(encoded string) (Policy, error) {
	text, err := url.PathUnescape(encoded)
	if err != nil {
		return nil, fmt.Errorf("unescape policy: %w", err)
	}
	var policy Policy
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return nil, fmt.Errorf("decode policy: %w", err)
	}
	return policy, nil
}

// samePolicy compares what is wanted with what IAM returned; a document that cannot be read is another one.
func samePolicy(wanted Policy, encoded string) bool {
	actual, err := decodePolicy(encoded)
	if err != nil {
		return false
	}
	return string(jsonOf(wanted.canonical())) == string(jsonOf(actual.canonical()))
}

func jsonOf(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return text
}

func canonicalStatement(statement any) any {
	fields, ok := statement.(map[string]any)
	if !ok {
		return statement
	}
	result := make(map[string]any, len(fields))
	for key, value := range fields {
		switch key {
		case "Action", "NotAction", "Resource", "NotResource":
			result[key] = setOf(value, plain)
		case "Principal", "NotPrincipal":
			result[key] = canonicalPrincipal(value)
		case "Condition":
			result[key] = canonicalCondition(value)
		default:
			result[key] = value
		}
	}
	return result
}

func canonicalPrincipal(value any) any {
	fields, ok := value.(map[string]any)
	if !ok {
		return value
	}
	result := make(map[string]any, len(fields))
	for kind, members := range fields {
		result[kind] = setOf(members, rootARN)
	}
	return result
}

func canonicalCondition(value any) any {
	operators, ok := value.(map[string]any)
	if !ok {
		return value
	}
	result := make(map[string]any, len(operators))
	for operator, keys := range operators {
		fields, ok := keys.(map[string]any)
		if !ok {
			return value
		}
		inner := make(map[string]any, len(fields))
		for key, values := range fields {
			inner[key] = setOf(values, plain)
		}
		result[operator] = inner
	}
	return result
}

func listOf(value any) []any {
	if list, ok := value.([]any); ok {
		return slices.Clone(list)
	}
	if value == nil {
		return []any{}
	}
	return []any{value}
}

// setOf is a value or a list as a sorted list of texts: IAM reads true and "true" alike.
func setOf(value any, each func(string) string) []string {
	set := make([]string, 0, 1)
	for _, member := range listOf(value) {
		set = append(set, each(fmt.Sprint(member)))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

func plain(text string) string { return text }

var rootPattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):root$`)

// rootARN shortens an account's root to the account's number.
func rootARN(principal string) string {
	if match := rootPattern.FindStringSubmatch(strings.TrimSpace(principal)); match != nil {
		return match[1]
	}
	return principal
}
