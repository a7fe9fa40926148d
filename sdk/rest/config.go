package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Config is what a caller posts: the brief's Schema__Deploy__Config.
type Config struct {
	// DeploymentID is the name a person chose: letters, digits, '_', '-', 1 to 64.
	DeploymentID string `json:"deployment_id"`
	// Version is the deployment's own, free text up to 64; the next number (v1, v2, ...) when left out.
	Version     string      `json:"version,omitempty"`
	Credentials Credentials `json:"credentials,omitempty"`
	// Targets give regions; without one a provider's resources go to the region of its credentials, else us-east-1.
	Targets []Target `json:"targets,omitempty"`
	// Providers pick provider versions: a semver range each.
	Providers map[string]ProviderPick `json:"providers,omitempty"`
	Resources Resources               `json:"resources"`
	// TimeoutSeconds bounds the whole run; 0 for none.
	TimeoutSeconds float64 `json:"timeout_seconds,omitempty"`
}

// Credentials are objects by provider, verbatim, their secrets sealed to the provider. They print as ***.
type Credentials map[string]json.RawMessage

// String hides the content.
func (c Credentials) String() string { return "***" }

// GoString hides the content.
func (c Credentials) GoString() string { return "***" }

// Format hides the content under every verb.
func (c Credentials) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte("***")) }

// For is the object given for a provider; nil where there is none, or it is null.
func (c Credentials) For(provider string) json.RawMessage {
	object := c[provider]
	if bytes.Equal(bytes.TrimSpace(object), []byte("null")) {
		return nil
	}
	return object
}

// Target gives the regions of one provider's regional resources, the first one first.
type Target struct {
	Provider string   `json:"provider"`
	Regions  []string `json:"regions,omitempty"`
}

// ProviderPick picks a provider version.
type ProviderPick struct {
	// Version is a semver range ("~1.4"); the newest installed one that fits is pinned.
	Version string `json:"version,omitempty"`
}

// Resources are definitions by resource id, in the order of the document. In JSON they are one object.
type Resources []NamedResource

// NamedResource is one entry of Resources.
type NamedResource struct {
	ID         string
	Definition Resource
}

// Resource is the brief's Schema__Resource__Definition, and our optional additions.
type Resource struct {
	// Type is "aws:lambda:function" and so on: GET /resource-types lists them.
	Type string `json:"type"`
	// Operation is create (the default), update, ensure, delete or verify.
	Operation  string          `json:"operation,omitempty"`
	Properties json.RawMessage `json:"properties,omitempty"`
	// References by role: "resource", "resource.output", "resource@region.output".
	References map[string]string `json:"references,omitempty"`
	DependsOn  []Dependency      `json:"depends_on,omitempty"`
	// Tags are the caller's own; mgraph: and aws: are refused.
	Tags map[string]string `json:"tags,omitempty"`
	// Naming "exact" keeps the name as it is, without our suffix.
	Naming string `json:"naming,omitempty"`
	// Adopt takes over what exists and nobody owns.
	Adopt          bool    `json:"adopt,omitempty"`
	TimeoutSeconds float64 `json:"timeout_seconds,omitempty"`
}

// Dependency is an entry of depends_on: a resource id, or {"resource": ..., "edge_type": ...}.
type Dependency struct {
	Resource string `json:"resource"`
	// EdgeType is dependency (the default), pause or end.
	EdgeType string `json:"edge_type,omitempty"`
}

// MarshalJSON writes the short form where it says all.
func (d Dependency) MarshalJSON() ([]byte, error) {
	if d.EdgeType == "" || d.EdgeType == "dependency" {
		return json.Marshal(d.Resource)
	}
	type long Dependency
	return json.Marshal(long(d))
}
