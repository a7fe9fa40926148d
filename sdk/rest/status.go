package rest

import (
	"encoding/json"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// The statuses of a graph that no run has changed anything for: it was stored to be applied, or from what was found outside.
const (
	StatusPlanned    = "planned"
	StatusDiscovered = "discovered"
)

// StatusResponse answers GET /deploy/status/{graph_id}: the latest run of the graph, unless ?run= says another. A stored
// graph that was never run has no run_id, and every operation pending.
type StatusResponse struct {
	GraphID      string `json:"graph_id"`
	DeploymentID string `json:"deployment_id"`
	Version      string `json:"version"`
	// Status is that of the run, or planned, or discovered.
	Status      string `json:"status"`
	CreatedAt   Time   `json:"created_at"`
	CompletedAt Time   `json:"completed_at,omitzero"`
	// Operations are in the order of the plan.
	Operations List[OperationStatus] `json:"operations"`
	// Composites say how resources that stand for others are, by what their parts are.
	Composites []CompositeStatus `json:"composites,omitempty"`
	// SpecGraphRef is the Graph Service's reference.
	SpecGraphRef GraphRef `json:"spec_graph_ref"`

	RunID       string `json:"run_id"`
	ExecGraphID string `json:"exec_graph_id"`
	Kind        string `json:"kind,omitempty"`
	Mode        Mode   `json:"mode,omitempty"`
	StartedBy   string `json:"started_by,omitempty"`
	// EventVersion is the run's last event: follow from here with ?after={run_id}:{event_version}.
	EventVersion int64 `json:"event_version"`
	// Progress is 0 to 1: the part of the operations that are done, those in flight counted by their own fraction.
	Progress float64 `json:"progress"`
	// EstimatedRemaining is in seconds: the longest way through what is left, of usual durations; 0 when nothing is.
	EstimatedRemaining float64 `json:"estimated_remaining"`
	Counts
	// NextOperation is what a run that stands would do first, were it gone on with.
	NextOperation *OperationSummary `json:"next_operation,omitempty"`
	Warnings      List[string]      `json:"warnings"`
	Next          List[Call]        `json:"next"`
}

// GraphRef names a graph in the Graph Service.
type GraphRef struct {
	Namespace string `json:"namespace"`
	GraphID   string `json:"graph_id"`
	CacheID   string `json:"cache_id"`
}

// CompositeStatus says how the parts of a composite stand together.
type CompositeStatus struct {
	CompositeSummary
	// Status is that of the part that a person must see first: of failed, running, paused, blocked, pending, skipped, completed the
	// first that any part has. Without parts it is completed.
	Status    string `json:"status"`
	StartedAt Time   `json:"started_at,omitzero"`
	// CompletedAt is when the last part completed, once all have.
	CompletedAt Time `json:"completed_at,omitzero"`
	// Outputs are objects by node_id, or node_id@region where its parts are in several regions.
	Outputs ByOperation[json.RawMessage] `json:"outputs,omitempty"`
}

// OperationStatus is one node of the execution graph: the fields of the brief's sections 6.2 and 9.3 together, under the
// operation's own id. NodeID is the spec node's, as everywhere; ExecNodeID is the execution node's.
type OperationStatus struct {
	OperationSummary
	SpecNodeID  string `json:"spec_node_id"`
	SpecGraphID string `json:"spec_graph_id"`
	// Status is pending, running, completed, failed, blocked, skipped or paused.
	Status          string  `json:"status"`
	StartedAt       Time    `json:"started_at,omitzero"`
	CompletedAt     Time    `json:"completed_at,omitzero"`
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	// Outputs is an object.
	Outputs     json.RawMessage   `json:"outputs,omitempty"`
	TagsApplied map[string]string `json:"tags_applied,omitempty"`
	// ProviderRequestID is the vendor's.
	ProviderRequestID string `json:"provider_request_id,omitempty"`

	// Outcome of the last attempt: NOT_APPLIED, APPLIED, PARTIAL, UNKNOWN.
	Outcome string `json:"outcome,omitempty"`
	// IntentOpen: an attempt was begun, and how it ended is not known yet.
	IntentOpen bool   `json:"intent_open,omitempty"`
	Attempt    int    `json:"attempt,omitempty"`
	Identity   string `json:"identity,omitempty"`
	// Change is none, created, updated or deleted.
	Change string `json:"change,omitempty"`
	// Fraction is 0 to 1, 0 when not known; Message is what the provider last said.
	Fraction float64 `json:"fraction,omitempty"`
	Message  string  `json:"message,omitempty"`
	// RetryAt is when the next attempt is due.
	RetryAt Time    `json:"retry_at,omitzero"`
	Checks  []Check `json:"checks,omitempty"`
}

// Diagnostic is one finding of a provider or of the host. It never holds a secret nor a rejected value.
type Diagnostic struct {
	// Severity is error, warning or info.
	Severity string `json:"severity"`
	// Kind is the error's class, as error_type.
	Kind    string `json:"kind"`
	Summary string `json:"summary"`
	Detail  string `json:"detail,omitempty"`
	// Pointer is into the resource's properties, "" for the whole.
	Pointer string `json:"pointer,omitempty"`
	// Retry says what must happen first: never, after_delay, after_new_credentials, after_fix, after_find.
	Retry             string  `json:"retry,omitempty"`
	RetryAfterSeconds float64 `json:"retry_after_seconds,omitempty"`
	VendorCode        string  `json:"vendor_code,omitempty"`
	VendorRequestID   string  `json:"vendor_request_id,omitempty"`
}

// DiagnosticOf brings a diagnostic into the API's form; nil stays nil.
func DiagnosticOf(d *contract.Diagnostic) *Diagnostic {
	if d == nil {
		return nil
	}
	return &Diagnostic{
		Severity:          string(d.Severity),
		Kind:              string(d.Kind),
		Summary:           d.Summary,
		Detail:            d.Detail,
		Pointer:           d.Pointer,
		Retry:             string(d.Retry),
		RetryAfterSeconds: d.RetryAfter.Seconds(),
		VendorCode:        d.VendorCode,
		VendorRequestID:   d.VendorRequestID,
	}
}

// LogList answers GET /deploy/logs/{graph_id}/{node_id}.
type LogList struct {
	GraphID string `json:"graph_id"`
	RunID   string `json:"run_id"`
	// Lines are in order, operation after operation.
	Lines List[LogLine] `json:"lines"`
}

// LogLine is one line that an operation logged. Level is trace, debug, info, warn or error.
type LogLine struct {
	Operation string `json:"operation"`
	At        Time   `json:"at"`
	Level     string `json:"level"`
	Message   string `json:"message"`
}

// OutputList answers GET /deploy/outputs/{graph_id}/{node_id}.
type OutputList struct {
	GraphID string `json:"graph_id"`
	RunID   string `json:"run_id"`
	// Outputs are objects by operation id.
	Outputs ByOperation[json.RawMessage] `json:"outputs"`
}

// ExecutionGraph is what happened in a run: GET /deploy/graph/{graph_id}?view=execution. In its nodes node_id is the execution
// node's, and spec_node_id leads to the spec graph.
type ExecutionGraph struct {
	// GraphID is the execution graph's own.
	GraphID      string                `json:"graph_id"`
	SpecGraphID  string                `json:"spec_graph_id"`
	DeploymentID string                `json:"deployment_id"`
	RunID        string                `json:"run_id"`
	Status       string                `json:"status"`
	Nodes        List[OperationStatus] `json:"nodes"`
	Edges        List[ExecutionEdge]   `json:"edges"`
}

// ExecutionEdge leads from one execution node to another.
type ExecutionEdge struct {
	EdgeID string `json:"edge_id"`
	// SpecEdgeID is that of the edge of the spec graph that it comes from.
	SpecEdgeID string `json:"spec_edge_id"`
	From       string `json:"from_node_id"`
	To         string `json:"to_node_id"`
	// Type is executed, failed, blocked or skipped, after the node it leads to; pending while that has not come.
	Type string `json:"edge_type"`
}
