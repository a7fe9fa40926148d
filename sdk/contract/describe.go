package contract

import (
	"encoding/json"
	"strings"
	"time"
)

// Description is what a provider says of itself.
type Description struct {
	Name    string
	Version string
	// Capabilities are the optional calls it serves.
	Capabilities  []Capability
	ResourceTypes []ResourceType
	RateLimit     RateLimit
	// CredentialsSchema and SettingsSchema are JSON Schemas; sealed fields carry "x-sealed": true.
	CredentialsSchema json.RawMessage
	SettingsSchema    json.RawMessage
	// ReadsRecordsOf are semver ranges of versions whose records this one reads.
	ReadsRecordsOf []string
	// RegionField is the credential field that holds a default region, "" when there is none.
	RegionField string
}

// RateLimit is per account and region; zero means no limit of its own.
type RateLimit struct {
	MaxConcurrent int
	PerSecond     float64
	Burst         int
}

// ResourceType is one kind of thing that a provider manages.
type ResourceType struct {
	Name    string
	Summary string
	// Schema is the JSON Schema (2020-12) of the properties.
	Schema json.RawMessage
	// Sensitive and Identifying are pointers to properties.
	Sensitive   []string
	Identifying []string
	References  []ReferenceRole
	Outputs     []OutputField
	// SelfOutput stands for the resource itself when it is referenced bare.
	SelfOutput  string
	Placement   Placement
	Verbs       []VerbSupport
	Discovery   Discovery
	LabelLimits LabelLimits
	Naming      Naming
	SettleTime  time.Duration
	Composite   bool
	// Validates says that Validate has rules beyond the schema.
	Validates bool
	// Plans and Rollbacks say whether Plan and Rollback serve this type.
	Plans     bool
	Rollbacks bool
}

// VerbSupport is one verb that a type offers.
type VerbSupport struct {
	Verb            Verb
	RepeatSafety    RepeatSafety
	TypicalDuration time.Duration
}

// ReferenceRole is one key that may stand under `references`.
type ReferenceRole struct {
	Role string
	// Property is the pointer of the property that the resolved value fills.
	Property string
	Summary  string
	// Types that may stand there; empty for any.
	Types []string
	// ReferenceOnly refuses a caller who writes the property literally.
	ReferenceOnly bool
}

// OutputField is one value that a type gives out.
type OutputField struct {
	Name    string
	Summary string
	// Sensitive outputs leave the provider only sealed; Once says that Find does not give it again.
	Sensitive bool
	Once      bool
}

// LabelLimits of a type; zero and "" mean no limit.
type LabelLimits struct {
	MaxCount       int
	MaxKeyLength   int
	MaxValueLength int
	Pattern        string
}

// Naming is how the host makes the physical name from the caller's.
type Naming struct {
	// Property is the pointer of the property that holds the caller's name, "" for a type without one.
	Property  string
	Separator string
	Suffix    NameSuffix
	Case      NameCase
	MaxLength int
	Pattern   string
}

// Physical makes the name that stands outside: the caller's name with the suffix of this type, in the vendor's case. exact
// leaves the suffix away; the deployment's first region needs no region in its name.
func (n Naming) Physical(name, nodeID, region string, firstRegion, exact bool) string {
	if name == "" {
		return ""
	}
	if !exact && (n.Suffix == SuffixNode || n.Suffix == SuffixNodeAndRegion) {
		name += n.Separator + nodeID
		if n.Suffix == SuffixNodeAndRegion && !firstRegion && region != "" {
			name += n.Separator + region
		}
	}
	switch n.Case {
	case CaseUpper:
		return strings.ToUpper(name)
	case CaseLower:
		return strings.ToLower(name)
	default:
		return name
	}
}

// Verb looks a verb up; false when the type does not offer it.
func (t *ResourceType) Verb(verb Verb) (VerbSupport, bool) {
	for _, support := range t.Verbs {
		if support.Verb == verb {
			return support, true
		}
	}
	return VerbSupport{}, false
}

// Type looks a resource type up by name.
func (d *Description) Type(name string) (*ResourceType, bool) {
	for i := range d.ResourceTypes {
		if d.ResourceTypes[i].Name == name {
			return &d.ResourceTypes[i], true
		}
	}
	return nil, false
}

// PublicKey is one key that callers seal to.
type PublicKey struct {
	// ID is the first 16 hex characters of the SHA-256 of the key.
	ID        string
	Algorithm string
	// Key is 32 bytes.
	Key []byte
	// NotAfter is zero for no end.
	NotAfter time.Time
	// Primary is the one to seal to; the others only go on opening.
	Primary bool
}

// Label keys that the host sets on everything that takes labels. Owner, deploy-id and resource-id identify; the rest inform.
const (
	LabelGraphID    = "mgraph:graph-id"
	LabelNodeID     = "mgraph:node-id"
	LabelEdgeID     = "mgraph:edge-id"
	LabelDeployID   = "mgraph:deploy-id"
	LabelResourceID = "mgraph:resource-id"
	LabelOwner      = "mgraph:owner"
)

// LabelPrefix is what every key of ours begins with; callers' tags may not.
const LabelPrefix = "mgraph:"

// OwnershipOf compares the labels a thing carries with those it should carry. Without identifying labels to compare with,
// nothing is ours.
func OwnershipOf(actual, wanted map[string]string) Ownership {
	ours := true
	for _, key := range []string{LabelOwner, LabelDeployID, LabelResourceID} {
		if wanted[key] == "" || actual[key] != wanted[key] {
			ours = false
		}
	}
	if ours {
		return OwnershipOurs
	}
	for key := range actual {
		if strings.HasPrefix(key, LabelPrefix) {
			return OwnershipOther
		}
	}
	return OwnershipNobody
}
