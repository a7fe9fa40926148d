package rest

import (
	"encoding/json"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// PublicKeys answers GET /public-keys/{provider}: all that sealing a value to a provider needs.
type PublicKeys struct {
	Provider string `json:"provider"`
	PublicKey
	// Audience is what an envelope must name: the caller's tenant.
	Audience string `json:"audience"`
	// PlainBoxes: boxes without an envelope are accepted too.
	PlainBoxes bool `json:"plain_boxes,omitempty"`
	// Retired keys go on opening; nothing new is sealed to them.
	Retired List[PublicKey] `json:"retired"`
}

// PublicKey is one key that callers seal to.
type PublicKey struct {
	// PublicKey is the key's 32 bytes in hex; PublicKeyBase64 the same in standard base64.
	PublicKey       string `json:"public_key"`
	PublicKeyBase64 string `json:"public_key_base64"`
	// Algorithm is NaCl/Curve25519/SealedBox.
	Algorithm string `json:"algorithm"`
	// KeyID is the first 16 hex characters of the key's SHA-256: its fingerprint, to be pinned.
	KeyID    string `json:"key_id"`
	NotAfter Time   `json:"not_after,omitzero"`
}

// ProviderList answers GET /providers.
type ProviderList struct {
	Providers List[ProviderStatus] `json:"providers"`
}

// ProviderStatus is one version of a provider, and the state of its process.
type ProviderStatus struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Digest is the hex SHA-256 of the executable.
	Digest string `json:"digest,omitempty"`
	// Status is ready, starting, stopped or failed.
	Status string `json:"status"`
	// Error says why it failed.
	Error string `json:"error,omitempty"`
	// Default: this is the version that a deployment gets when it picks none.
	Default   bool `json:"default,omitempty"`
	StartedAt Time `json:"started_at,omitzero"`
	Restarts  int  `json:"restarts"`
	// ActiveCalls are in flight now.
	ActiveCalls   int          `json:"active_calls"`
	Capabilities  List[string] `json:"capabilities"`
	ResourceTypes List[string] `json:"resource_types"`
	// CredentialsSchema is the JSON Schema of the credentials object; sealed fields carry "x-sealed": true.
	CredentialsSchema json.RawMessage `json:"credentials_schema,omitempty"`
	// KeyID is that of the key to seal to.
	KeyID string `json:"key_id,omitempty"`
}

// ResourceTypeList answers GET /resource-types.
type ResourceTypeList struct {
	ResourceTypes List[ResourceTypeSummary] `json:"resource_types"`
}

// ResourceTypeSummary is one resource type in a list.
type ResourceTypeSummary struct {
	Type            string `json:"type"`
	Provider        string `json:"provider"`
	ProviderVersion string `json:"provider_version"`
	Summary         string `json:"summary"`
	// Placement is regional or global.
	Placement string `json:"placement"`
	// Operations are the verbs that the type offers.
	Operations List[string] `json:"operations"`
}

// ResourceType answers GET /resource-types/{type}: all that a deployment's author needs to know.
type ResourceType struct {
	ResourceTypeSummary
	// Schema is the JSON Schema (2020-12) of the properties.
	Schema json.RawMessage `json:"schema"`
	// Sensitive properties are sealed by the caller, Identifying ones cannot be changed: pointers.
	Sensitive   List[string]        `json:"sensitive"`
	Identifying List[string]        `json:"identifying"`
	References  List[ReferenceRole] `json:"references"`
	Outputs     List[OutputField]   `json:"outputs"`
	// SelfOutput stands for the resource itself when it is referenced bare.
	SelfOutput string      `json:"self_output,omitempty"`
	Verbs      List[Verb]  `json:"verbs"`
	Discovery  string      `json:"discovery"`
	Labels     LabelLimits `json:"labels"`
	Naming     Naming      `json:"naming"`
	// SettleSeconds is how long a search may lag behind a change.
	SettleSeconds float64 `json:"settle_seconds"`
	Composite     bool    `json:"composite"`
	// Plans: a plan says property by property what would change.
	Plans bool `json:"plans"`
	// Rollbacks: what was changed or deleted can be brought back. What was created can be deleted in any case.
	Rollbacks bool `json:"rollbacks"`
}

// Verb is one verb of a type. RepeatSafety says how an attempt whose answer was lost is settled.
type Verb struct {
	Verb           string  `json:"verb"`
	RepeatSafety   string  `json:"repeat_safety"`
	TypicalSeconds float64 `json:"typical_seconds"`
}

// ReferenceRole is one key that may stand under references.
type ReferenceRole struct {
	Role string `json:"role"`
	// Property is the pointer that the value fills, "" for none.
	Property string `json:"property,omitempty"`
	Summary  string `json:"summary,omitempty"`
	// Types that may stand there; empty for any.
	Types List[string] `json:"types"`
	// ReferenceOnly: the property may not be written literally.
	ReferenceOnly bool `json:"reference_only,omitempty"`
}

// OutputField is one value that a type gives out.
type OutputField struct {
	Name      string `json:"name"`
	Summary   string `json:"summary,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`
	// Once: given at creation only.
	Once bool `json:"once,omitempty"`
}

// LabelLimits of a type; 0 and "" mean no limit.
type LabelLimits struct {
	MaxCount       int    `json:"max_count,omitempty"`
	MaxKeyLength   int    `json:"max_key_length,omitempty"`
	MaxValueLength int    `json:"max_value_length,omitempty"`
	Pattern        string `json:"pattern,omitempty"`
}

// Naming is how the physical name is made from the caller's.
type Naming struct {
	// Property is the pointer of the caller's name, "" for a type without one.
	Property  string `json:"property,omitempty"`
	Separator string `json:"separator,omitempty"`
	// Suffix is none, node or node_and_region; Case is keep, upper or lower.
	Suffix    string `json:"suffix,omitempty"`
	Case      string `json:"case,omitempty"`
	MaxLength int    `json:"max_length,omitempty"`
	Pattern   string `json:"pattern,omitempty"`
}

// SummaryOf brings a provider's resource type into the API's short form.
func SummaryOf(provider, version string, t *contract.ResourceType) ResourceTypeSummary {
	return ResourceTypeSummary{
		Type: t.Name, Provider: provider, ProviderVersion: version, Summary: t.Summary, Placement: string(t.Placement),
		Operations: each(t.Verbs, func(v contract.VerbSupport) string { return string(v.Verb) }),
	}
}

// ResourceTypeOf brings a provider's resource type into the API's form.
func ResourceTypeOf(provider, version string, t *contract.ResourceType) *ResourceType {
	return &ResourceType{
		ResourceTypeSummary: SummaryOf(provider, version, t),
		Schema:              t.Schema,
		Sensitive:           t.Sensitive,
		Identifying:         t.Identifying,
		References:          each(t.References, referenceRoleOf),
		Outputs:             each(t.Outputs, func(o contract.OutputField) OutputField { return OutputField(o) }),
		SelfOutput:          t.SelfOutput,
		Verbs:               each(t.Verbs, verbOf),
		Discovery:           string(t.Discovery),
		Labels:              LabelLimits(t.LabelLimits),
		Naming:              namingOf(t.Naming),
		SettleSeconds:       t.SettleTime.Seconds(),
		Composite:           t.Composite,
		Plans:               t.Plans,
		Rollbacks:           t.Rollbacks,
	}
}

func verbOf(v contract.VerbSupport) Verb {
	return Verb{string(v.Verb), string(v.RepeatSafety), v.TypicalDuration.Seconds()}
}

func referenceRoleOf(r contract.ReferenceRole) ReferenceRole {
	return ReferenceRole{
		Role: r.Role, Property: r.Property, Summary: r.Summary, Types: r.Types, ReferenceOnly: r.ReferenceOnly,
	}
}

func namingOf(n contract.Naming) Naming {
	return Naming{
		Property: n.Property, Separator: n.Separator, Suffix: string(n.Suffix), Case: string(n.Case),
		MaxLength: n.MaxLength, Pattern: n.Pattern,
	}
}

func each[A, B any](from []A, convert func(A) B) []B {
	to := make([]B, len(from))
	for i := range from {
		to[i] = convert(from[i])
	}
	return to
}
