// Package graphtest has what tests and benchmarks of graphs and plans need: a catalog of two made-up providers, ids that
// count, and configurations of any size. It is for tests only.
package graphtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Catalog is a fixed one.
type Catalog struct{ Descriptions []*contract.Description }

var _ graph.Catalog = Catalog{}

// Type looks a type up.
func (c Catalog) Type(name string) (*contract.ResourceType, bool) {
	provider, _, _ := strings.Cut(name, ":")
	_, description, ok := c.Provider(provider)
	if !ok {
		return nil, false
	}
	return description.Type(name)
}

// Provider looks a provider up.
func (c Catalog) Provider(name string) (graph.Pin, *contract.Description, bool) {
	for _, d := range c.Descriptions {
		if d.Name == name {
			return graph.Pin{Version: d.Version, Digest: "digest-of-" + name}, d, true
		}
	}
	return graph.Pin{}, nil, false
}

// NewCatalog has the providers cloud (cloud:role global; cloud:bucket, cloud:object, cloud:function regional; cloud:stack and
// cloud:site composite) and hub (hub:secret global, with a sealed property; hub:vault composite). Expand serves the composites.
func NewCatalog() Catalog {
	return Catalog{[]*contract.Description{
		{Name: "cloud", Version: "1.2.3", RegionField: "region", ResourceTypes: cloudTypes()},
		{Name: "hub", Version: "0.4.0", ResourceTypes: []contract.ResourceType{secretType(), vaultType()}},
	}}
}

func cloudTypes() []contract.ResourceType {
	return []contract.ResourceType{roleType(), bucketType(), objectType(), functionType(), stackType(), siteType()}
}

func verbs(typical time.Duration) []contract.VerbSupport {
	return []contract.VerbSupport{
		{Verb: contract.VerbCreate, RepeatSafety: contract.ByName, TypicalDuration: typical},
		{Verb: contract.VerbUpdate, RepeatSafety: contract.Convergent, TypicalDuration: typical},
		{Verb: contract.VerbEnsure, RepeatSafety: contract.ByName, TypicalDuration: typical},
		{Verb: contract.VerbDelete, RepeatSafety: contract.Convergent, TypicalDuration: typical},
	}
}

func outputs(names ...string) []contract.OutputField {
	fields := make([]contract.OutputField, len(names))
	for i, name := range names {
		fields[i].Name = name
	}
	return fields
}

func roleType() contract.ResourceType {
	return contract.ResourceType{
		Name: "cloud:role", Placement: contract.Global, Verbs: verbs(3 * time.Second),
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["role_name"], "properties": {
			"role_name": {"type": "string", "minLength": 1},
			"path": {"type": "string"},
			"sessions": {"type": "integer", "minimum": 1, "maximum": 12},
			"kind": {"enum": ["service", "person"]},
			"policies": {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
			"trust": {"type": "object"}}}`),
		Identifying: []string{"/role_name"}, Outputs: outputs("arn", "role_id"), SelfOutput: "arn",
		Discovery:   contract.DiscoverByLabel,
		LabelLimits: contract.LabelLimits{MaxCount: 50, MaxKeyLength: 128, MaxValueLength: 256, Pattern: `[\w .:/=+@-]*`},
		Naming:      contract.Naming{Property: "/role_name", Suffix: contract.SuffixNone, MaxLength: 64, Pattern: `[\w+=,.@-]+`},
	}
}

func bucketType() contract.ResourceType {
	return contract.ResourceType{
		Name: "cloud:bucket", Placement: contract.Regional, Verbs: verbs(2 * time.Second),
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["bucket_name"], "properties": {
			"bucket_name": {"type": "string", "pattern": "^[a-z0-9.-]+$"}, "versioned": {"type": "boolean"}}}`),
		Identifying: []string{"/bucket_name"}, Outputs: outputs("arn", "bucket_name"), SelfOutput: "bucket_name",
		Discovery: contract.DiscoverByName, LabelLimits: contract.LabelLimits{MaxCount: 50},
		Naming: contract.Naming{
			Property: "/bucket_name", Separator: "-", Suffix: contract.SuffixNodeAndRegion, Case: contract.CaseLower,
			MaxLength: 63, Pattern: `[a-z0-9][a-z0-9.-]*[a-z0-9]`,
		},
	}
}

func objectType() contract.ResourceType {
	return contract.ResourceType{
		Name: "cloud:object", Placement: contract.Regional, Verbs: verbs(time.Second),
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["bucket", "key"], "properties": {
			"bucket": {"type": "string", "minLength": 20}, "key": {"type": "string"}, "content": {"type": "string"},
			"size": {"type": "number"}}}`),
		Identifying: []string{"/bucket", "/key"}, Outputs: outputs("key", "version"), SelfOutput: "key",
		References: []contract.ReferenceRole{
			{Role: "bucket", Property: "/bucket", Types: []string{"cloud:bucket"}, ReferenceOnly: true},
		},
		Discovery: contract.DiscoverByName, LabelLimits: contract.LabelLimits{MaxCount: 7},
		Naming: contract.Naming{Property: "/key", Suffix: contract.SuffixNone, MaxLength: 1024},
	}
}

func functionType() contract.ResourceType {
	return contract.ResourceType{
		Name: "cloud:function", Placement: contract.Regional, Verbs: verbs(8 * time.Second),
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false,
			"required": ["function_name", "runtime", "handler", "role"], "properties": {
			"function_name": {"type": "string", "maxLength": 64}, "runtime": {"type": "string"}, "handler": {"type": "string"},
			"role": {"type": "string", "pattern": "^arn:"},
			"code": {"type": "object", "required": ["bucket", "key"], "additionalProperties": false, "properties": {
				"bucket": {"type": "string"}, "key": {"type": "string"}}},
			"memory_size": {"type": "integer", "minimum": 128, "maximum": 10240, "multipleOf": 64},
			"timeout": {"type": "integer", "minimum": 1, "maximum": 900},
			"source": {"oneOf": [
				{"type": "object", "required": ["zip"], "properties": {"zip": {"type": "string"}}, "additionalProperties": false},
				{"type": "object", "required": ["image"], "properties": {"image": {"type": "string"}}, "additionalProperties": false}]},
			"environment": {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": {"pattern": "^[A-Z_]+$"}}}}`),
		Identifying: []string{"/function_name"}, Outputs: outputs("arn", "function_name"), SelfOutput: "arn",
		References: []contract.ReferenceRole{
			{Role: "role", Property: "/role", Types: []string{"cloud:role"}},
			{Role: "code_bucket", Property: "/code/bucket", Types: []string{"cloud:bucket"}},
			{Role: "code_key", Property: "/code/key", Types: []string{"cloud:object"}},
			{Role: "after"},
		},
		Discovery: contract.DiscoverByLabel, LabelLimits: contract.LabelLimits{MaxCount: 50, MaxKeyLength: 128, MaxValueLength: 256},
		Naming: contract.Naming{Property: "/function_name", Suffix: contract.SuffixNone, MaxLength: 64, Pattern: `[A-Za-z0-9_-]+`},
	}
}

func secretType() contract.ResourceType {
	return contract.ResourceType{
		Name: "hub:secret", Placement: contract.Global, Verbs: verbs(time.Second),
		Schema: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["repo", "secret_name"],
			"oneOf": [{"required": ["encrypted_value"]}, {"required": ["value"]}], "properties": {
			"repo": {"type": "string"}, "secret_name": {"type": "string"}, "value": {"type": "string"},
			"encrypted_value": {"type": "string"}, "note": {"type": "string"}}}`),
		Sensitive:   []string{"/encrypted_value"},
		Identifying: []string{"/repo", "/secret_name"}, Outputs: outputs("name"),
		References: []contract.ReferenceRole{{Role: "value_from", Property: "/value", ReferenceOnly: true}},
		Discovery:  contract.DiscoverByName,
		Naming: contract.Naming{
			Property: "/secret_name", Separator: "__", Suffix: contract.SuffixNode, Case: contract.CaseUpper,
			MaxLength: 100, Pattern: `[A-Z_][A-Z0-9_]*`,
		},
	}
}

// IDs draws 00000001, 00000002 and so on.
func IDs() func() string {
	count := 0
	return func() string {
		count++
		return fmt.Sprintf("%08x", count)
	}
}

// Wide is a configuration of n roles that do not depend on each other.
func Wide(n int) []byte { return document(n, func(int) []int { return nil }) }

// Layers is a configuration of n roles in ten layers; each waits for three of the layer before.
func Layers(n int) []byte {
	width := max(1, n/10)
	return document(n, func(i int) []int {
		if i < width {
			return nil
		}
		first := (i/width - 1) * width
		return []int{first + i%width, first + (i+1)%width, first + (i+7)%width}
	})
}

func document(n int, before func(i int) []int) []byte {
	var out strings.Builder
	out.WriteString(`{"deployment_id": "bench", "resources": {`)
	for i := range n {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(&out, `"role-%d": {"type": "cloud:role", "operation": "ensure", "properties": {"role_name": "bench-role-%d",
			"path": "/bench/", "sessions": %d, "policies": ["read", "write"], "trust": {"Version": "2012", "Statement": [
			{"Effect": "Allow", "Action": "assume"}]}}, "tags": {"team": "bench"}, "depends_on": [`, i, i, 1+i%12)
		seen := map[int]bool{}
		for _, j := range before(i) {
			if seen[j] {
				continue
			}
			if len(seen) > 0 {
				out.WriteString(", ")
			}
			seen[j] = true
			fmt.Fprintf(&out, `"role-%d"`, j)
		}
		out.WriteString(`]}`)
	}
	out.WriteString(`}}`)
	return []byte(out.String())
}
