// Package provider is all that the author of a provider meets: a Go type with properties and a few methods for each resource
// type, and New, which makes a provider of them. Outcomes, ownership, ensure, plans, rollback records, deadlines, sealed values,
// caches of clients and heartbeats are this package's work, not the author's.
//
// It knows neither gRPC nor processes: package serve puts a Provider on the wire, and a unit test calls the methods directly.
package provider

import (
	"context"
	"encoding/json"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Resource is required of every type that makes something. C is the author's own client of the vendor, P the properties.
// Methods must be on the value receiver: New reports one that stands on the pointer.
type Resource[C, P any] interface {
	// Describe says what the type is; called once.
	Describe() Description
	// Create makes it, labels in the very call that creates. It calls op.Made as soon as the thing exists and before it
	// waits. When op.Existing is set an earlier attempt left it unfinished: Create finishes what is missing.
	Create(ctx context.Context, client C, op *Operation[P]) (Outputs, error)
	// Delete removes what op.Existing names; what is absent never gets here.
	Delete(ctx context.Context, client C, op *Operation[P]) (Outputs, error)
	// Verify compares what op.Existing names with op.Properties. The checks "exists" and "labels" are made already.
	Verify(ctx context.Context, client C, op *Operation[P]) ([]Check, error)
	// Find gives each thing with the query's labels, name or identity in its place to found, and returns what found
	// returns. Inconclusive(after) says that the reads used may lag.
	Find(ctx context.Context, client C, query *Query[P], found func(Found) error) error
}

// Updater is had by a type whose things can be changed. op.Existing is always set. An Update that finds nothing to change
// makes no writing request: the change is then reported as none.
type Updater[C, P any] interface {
	Update(ctx context.Context, client C, op *Operation[P]) (Outputs, error)
}

// Validator is had by a type with rules beyond its schema. It must be pure.
type Validator[P any] interface {
	Validate(properties P, roles References) []Diagnostic
}

// References are the roles that are, or will be, filled by references.
type References map[string]json.RawMessage

// Has says whether a role is given.
func (r References) Has(role string) bool { _, ok := r[role]; return ok }

// Outputs are what a resource gives out, by name: JSON values, and Secret for what must leave sealed.
type Outputs map[string]any

// Description is a resource type as its author describes it. The JSON Schema comes from the properties type: field names from
// `json`, rules from `jsonschema` and `jsonschema_description` tags, sensitivity from the type Sealed.
type Description struct {
	// Type is the full name, "acme:bucket".
	Type    string
	Summary string
	// Placement is contract.Regional or contract.Global.
	Placement contract.Placement
	// Identifying are pointers to properties that may not change in the life of a resource.
	Identifying []string
	References  []contract.ReferenceRole
	// SelfOutput is the output that a bare reference gives.
	SelfOutput  string
	Outputs     []contract.OutputField
	Discovery   contract.Discovery
	LabelLimits contract.LabelLimits
	Naming      contract.Naming
	// RepeatSafety of create and ensure; update and delete are convergent. Verbs are derived from the methods.
	RepeatSafety contract.RepeatSafety
	// SettleTime is how long reads may lag behind writes.
	SettleTime time.Duration
	// Typical is how long a create usually takes.
	Typical time.Duration
	// Permissions are the vendor's that create, update and delete need ("lambda:CreateFunction"), for Plan to tell.
	Permissions map[contract.Verb][]string
	// RecordFormats are the formats of the states that Planner writes down and Rollbacker reads: the first is written, all are
	// read. "1" when left out.
	RecordFormats []string
}

// Operation is one verb on one resource in one place. It prints without its content.
type Operation[P any] struct {
	Verb       contract.Verb
	Properties P
	// Name is the physical name that the host fixed: use it, not the one in Properties.
	Name   string
	Labels map[string]string
	Tags   map[string]string
	// Existing is what is there; see each method for when it is set.
	Existing *Found
	// PriorOutcome is how an earlier attempt ended, OutcomeNone for a first one.
	PriorOutcome contract.Outcome
	References   References
	// KeepContents: this delete takes nothing with it that is not the thing itself, whatever the properties allow.
	KeepContents bool
	// RecordedOutputs are those of the last completed operation, nil for none.
	RecordedOutputs json.RawMessage
	// Former is what Rollback is to bring back, nil for every other method.
	Former *Former
	// IdempotencyKey is for vendors that take one.
	IdempotencyKey string
	Region         string
	Account        string

	call *call
}

// Query is what Find looks for. Properties may lack what references fill when those could not be resolved.
type Query[P any] struct {
	Name       string
	Properties P
	Labels     map[string]string
	// Identity on record, "" for none.
	Identity string
	Region   string
	Account  string

	call *call
}

// Found is one thing that exists. Labels stay nil for a type that takes none.
type Found struct {
	Identity string
	Name     string
	Labels   map[string]string
	Outputs  Outputs
	// Ready is false while it cannot be used yet.
	Ready bool
}

// Check is one comparison of Verify. Equal makes one.
type Check = contract.Check

// Diagnostic is one finding of a Validator.
type Diagnostic = contract.Diagnostic

// Access is what connect makes a client from: one client serves all calls of one tenant, credential, settings and place.
type Access[K, S any] struct {
	// Credentials are the caller's, Settings the operator's.
	Credentials K
	Settings    S
	Region      string
	Account     string
	Tenant      string

	call *call
}
