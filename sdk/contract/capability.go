package contract

import "encoding/json"

// PlanRequest asks what a verb would change on a target.
type PlanRequest struct {
	Context CallContext
	Target  Target
	Verb    Verb
}

// PlanResult says what would change. Nothing sensitive is in it.
type PlanResult struct {
	Action  PlannedAction
	Changes []PropertyChange
	// Permissions are the vendor's ("lambda:CreateFunction"), those that Execute will need.
	Permissions []string
	// Record is what Rollback needs to undo this; nil when there is nothing to undo, or no way to.
	Record *RollbackRecord
	// Prepared is given back to Execute, opaque.
	Prepared    []byte
	Diagnostics []Diagnostic
}

// PropertyChange is one property that would change. Before and After are JSON documents, nil where there is no value, and both
// nil for a sensitive property: of that one only the fact is told.
type PropertyChange struct {
	Pointer   string
	Before    json.RawMessage
	After     json.RawMessage
	Sensitive bool
}

// RollbackRecord is the state before a change. Format names the layout of Data, which is sealed to the provider's own key.
type RollbackRecord struct {
	Format string
	Data   []byte
}

// ExpandRequest asks for the resources of a composite. Properties come without sealed values: what is made of a composite does not
// depend on a secret. Roles are those that references will fill.
type ExpandRequest struct {
	Type       string
	Properties json.RawMessage
	Roles      []string
}

// ExpandResult is a composite's subgraph. Outputs are the composite's, by name, each from "child.output".
type ExpandResult struct {
	Nodes       []ExpandedNode
	Edges       []ExpandedEdge
	Outputs     map[string]string
	Diagnostics []Diagnostic
}

// ExpandedNode is one child. LocalName never changes within a major version of the provider.
type ExpandedNode struct {
	LocalName  string
	Type       string
	Properties json.RawMessage
	// References are by role, each to another child, or an output of one ("role.arn").
	References map[string]string
	// SealedProperties say where a sealed property of the composite goes, unopened: pointer in the child, from pointer in the
	// composite. One that the caller did not give goes nowhere. The child's Target.SealedPurposes must then say what its box names.
	SealedProperties map[string]string
}

// ExpandedEdge says that To waits for From.
type ExpandedEdge struct {
	From string
	To   string
}

// RollbackRequest asks for what a record holds to be brought back. Target is that of the operation to undo.
type RollbackRequest struct {
	Context CallContext
	Target  Target
	Record  RollbackRecord
}

// OwnRole stands in References of an ExpandedNode before the name of one of the composite's own roles: "$bucket" hands the child
// what the caller gave the composite as "bucket". It may only name a role that the request lists.
const OwnRole = "$"
