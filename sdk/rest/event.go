package rest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The kinds of events, in Event.Kind.
const (
	EventRunChanged = "run_changed"
	EventIntent     = "operation_intent"
	EventIdentified = "operation_identified"
	EventProgress   = "operation_progress"
	EventEnded      = "operation_ended"
	EventChanged    = "operations_changed"
	EventReleased   = "edge_released"
)

// EventKinds lists every kind.
func EventKinds() []string {
	return []string{
		EventRunChanged, EventIntent, EventIdentified, EventProgress, EventEnded, EventChanged, EventReleased,
	}
}

// Event is one thing that happened in a run; fields that its kind does not use are left out. A run's events are numbered
// from 1 without a gap.
type Event struct {
	// ID is {run_id}:{version}: send it as Last-Event-ID, or as ?after=, to go on behind it.
	ID      string `json:"id"`
	RunID   string `json:"run_id"`
	Version int64  `json:"version"`
	At      Time   `json:"at"`
	Kind    string `json:"kind"`

	// Operation is the id of the one concerned, ResourceID and Region say which that is.
	Operation  string `json:"operation,omitempty"`
	ResourceID string `json:"resource_id,omitempty"`
	Region     string `json:"region,omitempty"`
	// Operations are the ids of those that operations_changed moves to Status together.
	Operations []string `json:"operations,omitempty"`
	// Edge that was released.
	Edge string `json:"edge,omitempty"`

	RunStatus string `json:"run_status,omitempty"`
	By        string `json:"by,omitempty"`
	Reason    string `json:"reason,omitempty"`
	// Mode that the run goes on in, where it begins or may have changed.
	Mode Mode `json:"mode,omitempty"`
	// Retry: a person asked for another attempt of just these operations.
	Retry bool `json:"retry,omitempty"`

	Status   string `json:"status,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
	Settling bool   `json:"settling,omitempty"`

	Fraction float64 `json:"fraction,omitempty"`
	Message  string  `json:"message,omitempty"`

	Outcome string `json:"outcome,omitempty"`
	// Absent: a complete search found nothing there, so that nothing of what was tried came to be.
	Absent            bool              `json:"absent,omitempty"`
	Change            string            `json:"change,omitempty"`
	Identity          string            `json:"identity,omitempty"`
	Outputs           json.RawMessage   `json:"outputs,omitempty"`
	TagsApplied       map[string]string `json:"tags_applied,omitempty"`
	Checks            []Check           `json:"checks,omitempty"`
	Error             *Diagnostic       `json:"error,omitempty"`
	ProviderRequestID string            `json:"provider_request_id,omitempty"`
	RetryAt           Time              `json:"retry_at,omitzero"`
}

// EventPage answers GET /deploy/events/{graph_id} as JSON: what is there after ?after=.
type EventPage struct {
	RunID  string      `json:"run_id"`
	Events List[Event] `json:"events"`
	// Reset: the id asked for is not one of this run, and the events start at the beginning.
	Reset bool `json:"reset,omitempty"`
	// Done: the run stands, and nothing follows unless it is gone on with.
	Done bool `json:"done"`
	// After is the id to ask with next.
	After string `json:"after"`
}

// EventID makes an event's id.
func EventID(runID string, version int64) string { return runID + ":" + strconv.FormatInt(version, 10) }

// ParseEventID takes an event's id apart.
func ParseEventID(id string) (runID string, version int64, err error) {
	runID, number, found := strings.Cut(id, ":")
	version, parseErr := strconv.ParseInt(number, 10, 64)
	if !found || runID == "" || parseErr != nil || version < 0 {
		return "", 0, fmt.Errorf("not an event id")
	}
	return runID, version, nil
}
