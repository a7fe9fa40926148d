package rest

import "encoding/json"

// ApplyRequest is the body of POST /deploy/apply. Without graph_id it deploys config. With graph_id it deploys the stored
// graph, or goes on with its run where that stopped; config may then be left out, or must equal what is stored.
type ApplyRequest struct {
	Config  *Config `json:"config,omitempty"`
	GraphID string  `json:"graph_id,omitempty"`
	// Credentials stand here when config is left out.
	Credentials Credentials `json:"credentials,omitempty"`
	// Mode is FULL (the default), STEP or DRY_RUN.
	Mode Mode `json:"mode,omitempty"`
	// SealedProperties bring again what was never stored: boxes by pointer, "/resources/x/properties/y".
	SealedProperties map[string]string `json:"sealed_properties,omitempty"`
	// Only limits the run to these resource ids and what they need.
	Only []string `json:"only,omitempty"`
	// Force applies a graph although it is not, or no longer, built on the deployment's head.
	Force bool `json:"force,omitempty"`
}

// ContinueRequest is the body of POST /deploy/continue: a run that is paused, failed or interrupted goes on from exactly where it
// stands. Operations are named by node id, operation id or resource id; the first and the last may mean several, one a region.
type ContinueRequest struct {
	GraphID     string      `json:"graph_id"`
	Credentials Credentials `json:"credentials,omitempty"`
	// FromNode releases only the pause edges that hold this operation; left out, all that hold something now.
	FromNode string `json:"from_node,omitempty"`
	// Skip leaves operations out; what is behind them runs.
	Skip []string `json:"skip,omitempty"`
	// Unskip takes operations up again that were left out by request.
	Unskip []string `json:"unskip,omitempty"`
	// Retry tries operations once more that completed or failed, with all that is behind them.
	Retry []string `json:"retry,omitempty"`
	// Mode is FULL or STEP; left out, the run's own.
	Mode Mode `json:"mode,omitempty"`
	// SealedProperties bring again what was never stored and is needed now: boxes by pointer, "/resources/x/properties/y".
	SealedProperties map[string]string `json:"sealed_properties,omitempty"`
	// Force goes on although another graph of the deployment was applied since.
	Force bool `json:"force,omitempty"`
}

// CancelRequest is the body of POST /deploy/cancel. GraphID means the graph's latest run that changes something.
type CancelRequest struct {
	GraphID string `json:"graph_id,omitempty"`
	RunID   string `json:"run_id,omitempty"`
	// GraceSeconds is how long calls in flight may go on before they are broken off: 30 when left out, at most 3600.
	GraceSeconds *float64 `json:"grace_seconds,omitempty"`
}

// DestroyRequest is the body of POST /deploy/destroy. DeploymentID or GraphID names the deployment.
type DestroyRequest struct {
	DeploymentID string `json:"deployment_id,omitempty"`
	// GraphID is the deployment's head, or any graph of it with force.
	GraphID     string      `json:"graph_id,omitempty"`
	Credentials Credentials `json:"credentials,omitempty"`
	Force       bool        `json:"force,omitempty"`
	// Only limits it to these resource ids and what depends on them.
	Only []string `json:"only,omitempty"`
}

// RollbackRequest is the body of POST /deploy/rollback. DeploymentID or GraphID names the deployment.
type RollbackRequest struct {
	DeploymentID string `json:"deployment_id,omitempty"`
	// GraphID is the deployment's head, or any graph of it with force.
	GraphID     string      `json:"graph_id,omitempty"`
	Credentials Credentials `json:"credentials,omitempty"`
	// RunID is the run to take back: the latest that changed something and was not taken back yet. Left out, it is the latest of
	// the deployment; it is needed to go back further than one run.
	RunID string `json:"run_id,omitempty"`
	// Force takes back what can be where not all can, and leaves the rest as the run left it.
	Force bool `json:"force,omitempty"`
}

// VerifyRequest is the body of POST /deploy/verify.
type VerifyRequest struct {
	GraphID     string      `json:"graph_id"`
	Credentials Credentials `json:"credentials,omitempty"`
	Only        []string    `json:"only,omitempty"`
	// SealedProperties are boxes by pointer, for checks that need a value that was never stored.
	SealedProperties map[string]string `json:"sealed_properties,omitempty"`
}

// The statuses of a run. Completed and cancelled are final; the rest that are not active wait for a person.
const (
	RunQueued      = "queued"
	RunRunning     = "running"
	RunCompleted   = "completed"
	RunFailed      = "failed"
	RunPaused      = "paused"
	RunCancelling  = "cancelling"
	RunCancelled   = "cancelled"
	RunInterrupted = "interrupted"
)

// ActiveStatus says that a host is, or is about to be, at work on a run of this status.
func ActiveStatus(status string) bool {
	return status == RunQueued || status == RunRunning || status == RunCancelling
}

// RunResult answers apply, destroy, rollback and verify, and GET /deploy/runs/{run_id}: the brief's Apply Response, and more. A run
// that failed is a RunResult with Success false.
type RunResult struct {
	// Success: the run completed, and where it verifies, no check failed.
	Success bool `json:"success"`
	// GraphID is the spec graph's; empty for a dry run.
	GraphID string `json:"graph_id"`
	// CacheID is the mirror's, empty until it has delivered.
	CacheID string `json:"cache_id"`
	// Status of the run: queued, running, completed, failed, paused, cancelling, cancelled, interrupted; for a dry run pending.
	Status string `json:"status"`

	RunID        string `json:"run_id"`
	ExecGraphID  string `json:"exec_graph_id"`
	DeploymentID string `json:"deployment_id"`
	Version      string `json:"version,omitempty"`
	// Kind is apply, destroy, verify, move or rollback.
	Kind        string `json:"kind"`
	Mode        Mode   `json:"mode,omitempty"`
	StartedBy   string `json:"started_by,omitempty"`
	StartedAt   Time   `json:"started_at,omitzero"`
	CompletedAt Time   `json:"completed_at,omitzero"`
	// DurationSeconds is from start to completion.
	DurationSeconds float64 `json:"duration_seconds,omitempty"`

	Counts

	// FailedOperation is the first that failed, with its error.
	FailedOperation *OperationSummary `json:"failed_operation"`
	// Outputs are objects by operation id.
	Outputs ByOperation[json.RawMessage] `json:"outputs"`
	// Checks are what a verification found, by operation id.
	Checks ByOperation[[]Check] `json:"checks,omitempty"`
	// Changes are created, updated, deleted or none, by operation id.
	Changes map[string]string `json:"changes,omitempty"`
	// Unsettled are operations whose last attempt left something half done, or of which nobody knows how they ended, once the run
	// stands: what they are about may be there, and is looked for first by whatever goes on.
	Unsettled []OperationSummary `json:"unsettled,omitempty"`
	// NextOperation is what a run that stands would do first, were it gone on with.
	NextOperation *OperationSummary `json:"next_operation"`
	Warnings      List[string]      `json:"warnings"`
	// Undoes is the run that a rollback takes back.
	Undoes string `json:"undoes,omitempty"`
	// Move says how a move stands.
	Move *MoveState `json:"move,omitempty"`
	// LeftOver is what a destroy or a move did not, or could not, delete, and what a rollback could not take back.
	LeftOver []LeftOver `json:"left_over,omitempty"`
	// Next are the calls that make sense now.
	Next List[Call] `json:"next"`
}

// Counts are operations by status, and what completed ones changed.
type Counts struct {
	Total     int `json:"operations_total"`
	Completed int `json:"operations_completed"`
	Failed    int `json:"operations_failed"`
	Pending   int `json:"operations_pending"`
	Running   int `json:"operations_running"`
	Blocked   int `json:"operations_blocked"`
	Skipped   int `json:"operations_skipped"`
	Paused    int `json:"operations_paused"`
	// Changed and Unchanged add up to Completed.
	Changed   int `json:"operations_changed"`
	Unchanged int `json:"operations_unchanged"`
}

// Check is one comparison of a verification. Status is pass, fail or unknown. Expected and Actual never hold a secret.
type Check struct {
	Name     string `json:"name"`
	Status   string `json:"status"`
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	Message  string `json:"message,omitempty"`
}

// LeftOver is something that still exists, and why.
type LeftOver struct {
	ResourceID   string `json:"resource_id"`
	ResourceType string `json:"resource_type"`
	Region       string `json:"region,omitempty"`
	Name         string `json:"name,omitempty"`
	Identity     string `json:"identity,omitempty"`
	Reason       string `json:"reason"`
}

// RunsQuery filters GET /deploy/runs; empty fields do not filter.
type RunsQuery struct {
	DeploymentID string
	// GraphID is a spec graph.
	GraphID string
	Status  string
	// Kind is apply, destroy, verify, move or rollback.
	Kind string
	// Since leaves out runs created before it.
	Since Time
	ListQuery
}

// ListQuery pages through a list.
type ListQuery struct {
	// Limit is 50 when 0, at most 500.
	Limit int
	// Cursor is the next_cursor of the page before.
	Cursor string
}

// RunList answers GET /deploy/runs, newest first.
type RunList struct {
	Runs List[RunSummary] `json:"runs"`
	// NextCursor is empty on the last page.
	NextCursor string `json:"next_cursor"`
}

// RunSummary is one run in a list.
type RunSummary struct {
	RunID        string `json:"run_id"`
	GraphID      string `json:"graph_id"`
	ExecGraphID  string `json:"exec_graph_id"`
	DeploymentID string `json:"deployment_id"`
	Kind         string `json:"kind"`
	Mode         Mode   `json:"mode,omitempty"`
	Status       string `json:"status"`
	StartedBy    string `json:"started_by,omitempty"`
	CreatedAt    Time   `json:"created_at"`
	UpdatedAt    Time   `json:"updated_at"`
	CompletedAt  Time   `json:"completed_at,omitzero"`
}

// DeploymentList answers GET /deployments, newest first.
type DeploymentList struct {
	Deployments List[DeploymentSummary] `json:"deployments"`
	NextCursor  string                  `json:"next_cursor"`
}

// DeploymentSummary is one deployment and its head.
type DeploymentSummary struct {
	DeploymentID string `json:"deployment_id"`
	// HeadGraphID is the spec graph that was last applied, empty before.
	HeadGraphID string `json:"head_graph_id"`
	HeadVersion string `json:"head_version"`
	Destroyed   bool   `json:"destroyed"`
	// Accounts are pinned at first use, by provider.
	Accounts  map[string]string `json:"accounts,omitempty"`
	CreatedAt Time              `json:"created_at"`
	UpdatedAt Time              `json:"updated_at"`
}
