// Package execution is the leaf vocabulary of what happens: states, events, and the legal changes between them. A Run is the
// execution graph of one run as a value: events go in, state comes out, and nothing else changes it. It performs nothing,
// stores nothing, reads no clock and draws no ids.
package execution

import (
	"encoding/json"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Status of an operation.
type Status string

// The statuses of an operation.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Completed Status = "completed"
	Failed    Status = "failed"
	Blocked   Status = "blocked"
	Skipped   Status = "skipped"
	Paused    Status = "paused"
)

// Statuses lists every status of an operation.
func Statuses() []Status {
	return []Status{Pending, Running, Completed, Failed, Blocked, Skipped, Paused}
}

// RunStatus is the status of a run.
type RunStatus string

// The statuses of a run. Completed and cancelled are final.
const (
	RunQueued      RunStatus = "queued"
	RunRunning     RunStatus = "running"
	RunCompleted   RunStatus = "completed"
	RunFailed      RunStatus = "failed"
	RunPaused      RunStatus = "paused"
	RunCancelling  RunStatus = "cancelling"
	RunCancelled   RunStatus = "cancelled"
	RunInterrupted RunStatus = "interrupted"
)

// RunStatuses lists every status of a run.
func RunStatuses() []RunStatus {
	return []RunStatus{
		RunQueued, RunRunning, RunCompleted, RunFailed, RunPaused, RunCancelling, RunCancelled, RunInterrupted,
	}
}

// Final says that nothing follows.
func (s RunStatus) Final() bool { return s == RunCompleted || s == RunCancelled }

// Active says that a host is, or is about to be, at work on it.
func (s RunStatus) Active() bool { return s == RunQueued || s == RunRunning || s == RunCancelling }

// Mode of a run: how far it goes by itself.
type Mode string

// The modes of a run.
const (
	// Full performs all that can be performed.
	Full Mode = "FULL"
	// Step performs one operation, and then waits for a person.
	Step Mode = "STEP"
)

// RunKind says what a run was started for.
type RunKind string

// The kinds of runs.
const (
	Apply    RunKind = "apply"
	Destroy  RunKind = "destroy"
	Verify   RunKind = "verify"
	Move     RunKind = "move"
	Rollback RunKind = "rollback"
)

// EventKind says what an event is.
type EventKind string

// The kinds of events. Each names the fields of Event that it uses beside the common ones.
const (
	// RunChanged: RunStatus, By, Reason, Mode where it begins or changes.
	RunChanged EventKind = "run_changed"
	// Intent opens an attempt: Operation, Attempt, Generation, Key, WriteBy, Host, Settling, AbsentBefore, Name, Planned.
	Intent EventKind = "operation_intent"
	// Identified: Operation, Identity.
	Identified EventKind = "operation_identified"
	// Progressed: Operation, Fraction, Message.
	Progressed EventKind = "operation_progress"
	// Ended closes an attempt: Operation, Status, Outcome, Absent, Change, Identity, Outputs, Labels, Checks, Error, RequestID,
	// RetryAt.
	Ended EventKind = "operation_ended"
	// Changed moves operations without an attempt: Operations, Status, Reason, Retry.
	Changed EventKind = "operations_changed"
	// EdgeReleased lets what a pause edge holds go on, for ever: Edge, the spec edge's id, and By.
	EdgeReleased EventKind = "edge_released"
)

// EventKinds lists every kind.
func EventKinds() []EventKind {
	return []EventKind{RunChanged, Intent, Identified, Progressed, Ended, Changed, EdgeReleased}
}

// Event is one thing that happened in a run. Version counts the run's events from 1 without a gap. Fields that a kind does
// not use are zero. It is stored and served as JSON as it stands, and never holds a secret.
type Event struct {
	RunID   string    `json:"run_id"`
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	Kind    EventKind `json:"kind"`

	Operation  string   `json:"operation,omitempty"`
	Operations []string `json:"operations,omitempty"`
	Edge       string   `json:"edge,omitempty"`

	RunStatus RunStatus `json:"run_status,omitempty"`
	By        string    `json:"by,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Mode      Mode      `json:"mode,omitempty"`
	// Retry: a person asked for another attempt of just these operations.
	Retry bool `json:"retry,omitempty"`

	Status     Status    `json:"status,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Generation int       `json:"generation,omitempty"`
	Key        string    `json:"key,omitempty"`
	WriteBy    time.Time `json:"write_by,omitzero"`
	// Host is the one that makes the attempt, where several share a store.
	Host     string `json:"host,omitempty"`
	Settling bool   `json:"settling,omitempty"`
	// AbsentBefore: a complete search before the intent found nothing of this name.
	AbsentBefore bool `json:"absent_before,omitempty"`
	// Planned is what the provider said, before the first attempt, that the operation would do; "" where it was not asked.
	Planned contract.PlannedAction `json:"planned,omitempty"`

	Fraction float64 `json:"fraction,omitempty"`
	Message  string  `json:"message,omitempty"`

	Outcome contract.Outcome `json:"outcome,omitempty"`
	// Absent: a complete search found nothing there, so that nothing of what was tried came to be.
	Absent    bool                 `json:"absent,omitempty"`
	Change    contract.Change      `json:"change,omitempty"`
	Identity  string               `json:"identity,omitempty"`
	Outputs   json.RawMessage      `json:"outputs,omitempty"`
	Labels    map[string]string    `json:"labels,omitempty"`
	Checks    []Check              `json:"checks,omitempty"`
	Error     *contract.Diagnostic `json:"error,omitempty"`
	RequestID string               `json:"request_id,omitempty"`
	RetryAt   time.Time            `json:"retry_at,omitzero"`
}

// Check is one comparison that a verification made.
type Check struct {
	Name     string               `json:"name"`
	Status   contract.CheckStatus `json:"status"`
	Expected string               `json:"expected,omitempty"`
	Actual   string               `json:"actual,omitempty"`
	Message  string               `json:"message,omitempty"`
}

// Operation is the state of one operation: a node in one region.
type Operation struct {
	ID     string
	Status Status
	// Outcome is that of the last attempt that ended.
	Outcome contract.Outcome
	// IntentOpen: an attempt was committed, and how it ended is not known.
	IntentOpen bool
	// Settling: the attempt that is open, or was last, was made on top of one whose outcome was not known.
	Settling     bool
	Attempt      int
	Generation   int
	Key          string
	WriteBy      time.Time
	Host         string
	AbsentBefore bool
	Planned      contract.PlannedAction
	// Crashes counts attempts that ended because the provider's process died.
	Crashes int
	// Retry: a person asked for another attempt of this very operation, which has not begun yet.
	Retry bool

	Identity    string
	Outputs     json.RawMessage
	Labels      map[string]string
	Change      contract.Change
	Checks      []Check
	Error       *contract.Diagnostic
	RequestID   string
	StartedAt   time.Time
	CompletedAt time.Time
	RetryAt     time.Time
	Fraction    float64
	Message     string
}

// Unknown says that nobody knows how the last attempt ended.
func (o *Operation) Unknown() bool {
	return o.IntentOpen || o.Outcome == contract.OutcomeUnknown
}

// Unsettled says that an earlier attempt may have left something: it is settled before anything else is done.
func (o *Operation) Unsettled() bool {
	return o.IntentOpen || o.Outcome == contract.OutcomeUnknown || o.Outcome == contract.OutcomePartial
}
