package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
)

// Runs holds runs, their events and logs.
type Runs interface {
	// CreateRun stores a queued run, with its graph when that is new, moves the head, and pins accounts, in one
	// transaction. *ActiveRunError when another run of the deployment is not final (verify is exempt, both ways), ErrStale
	// when PreviousHead is not the deployment's head any more or another account is pinned, ErrExists when an id is taken,
	// ErrNotFound for a graph that is not the deployment's, ErrTooMany, *KeyUsedError. A new head means that the deployment is
	// not destroyed.
	CreateRun(ctx context.Context, run NewRun) error
	// Run and LatestRun fail with ErrNotFound. LatestRun is the newest that was started for the graph, of these kinds where
	// any are named.
	Run(ctx context.Context, tenant, runID string) (Run, error)
	LatestRun(ctx context.Context, tenant, graphID string, kinds ...execution.RunKind) (Run, error)
	// ListRuns gives newest first.
	ListRuns(ctx context.Context, filter RunFilter, page Page) ([]Run, error)
	// ActiveRuns gives every run, of any tenant, whose status is active.
	ActiveRuns(ctx context.Context) ([]Run, error)
	// Events gives the run's events after a version, in order, at most limit (0 for all). ErrNotFound for an unknown run.
	Events(ctx context.Context, runID string, after int64, limit int) ([]execution.Event, error)
	// Logs of one operation, in order. ErrNotFound for an unknown run.
	Logs(ctx context.Context, runID, operation string) ([]LogLine, error)
	// Commit writes all that it is given in one durable transaction. It answers one error a write, in order: ErrFenced
	// takes only that write out; ErrVersion, ErrNotFound (the run, a placement or a head that its deployment does not have),
	// ErrStale, *KeyUsedError, ErrInvalid and any other broken rule take out all that the batch has for that run. A run's
	// status and its completion follow its RunChanged events, and one that comes to rest gives its lease up. A second, non-nil error means that nothing was proven kept: Events after the last known
	// version tells.
	Commit(ctx context.Context, writes []Write) ([]error, error)
}

// RunFilter: empty fields do not filter. Tenant is required.
type RunFilter struct {
	Tenant       string
	DeploymentID string
	GraphID      string // the spec graph that callers know
	Kind         execution.RunKind
	Status       execution.RunStatus
	Since        time.Time
}

// Run is one execution over a spec graph.
type Run struct {
	ID           string
	Tenant       string
	DeploymentID string
	// GraphID is the spec graph that callers know; PlanGraphID the one whose operations run (its own for destroy).
	GraphID     string
	PlanGraphID string
	ExecGraphID string
	Kind        execution.RunKind
	Mode        string
	Status      execution.RunStatus
	StartedBy   string
	CreatedAt   time.Time
	UpdatedAt   time.Time
	CompletedAt time.Time // when it last stopped being active, zero while it is
	Version     int64     // of its last event
	Options     json.RawMessage
	// CancelBy is who asked for the cancellation of the active run (RequestCancel), "" when nobody did.
	CancelBy string
}

// NewRun is a run to create with what belongs to it.
type NewRun struct {
	Run Run
	// Graph is set when the plan graph is new.
	Graph *NewGraph
	// Head moves the deployment's head from PreviousHead to this, "" leaves it; PreviousHead is checked when either is set.
	Head         string
	PreviousHead string
	// Accounts to pin, by provider, where none is pinned yet.
	Accounts map[string]string
	// Supersede cancels a paused, failed or interrupted run of the deployment instead of refusing.
	Supersede bool
	// Extra are further graphs of the deployment to store with the run, before Graph.
	Extra []NewGraph
	// MaxActive is how many active runs the tenant may have, this one included; 0 for no limit.
	MaxActive int
	// Lease is how long the run may wait for its first AcquireRun before it counts as expired; 0 for ever.
	Lease time.Duration
	// Idempotency is the key of the command that creates the run; nil for none.
	Idempotency *IdempotencyKey
	// Event is the first one.
	Event execution.Event
}

// Check answers ErrInvalid when the parts of a new run contradict each other; a store asks before it writes.
func (n *NewRun) Check() error {
	r, e := &n.Run, &n.Event
	if r.ID == "" || r.ExecGraphID == "" || !r.Status.Active() {
		return fmt.Errorf("run: %w", ErrInvalid)
	}
	if e.RunID != r.ID || e.Version != 1 || e.Kind != execution.RunChanged || e.RunStatus != r.Status {
		return fmt.Errorf("first event: %w", ErrInvalid)
	}
	if n.Idempotency != nil && (n.Idempotency.Key == "" || n.Idempotency.Tenant != r.Tenant) {
		return fmt.Errorf("idempotency key of the run: %w", ErrInvalid)
	}
	for _, g := range n.Graphs() {
		if g.Graph.Tenant != r.Tenant || g.Graph.DeploymentID != r.DeploymentID {
			return fmt.Errorf("graph of the run: %w", ErrInvalid)
		}
		if err := g.Check(); err != nil {
			return err
		}
	}
	return nil
}

// Graphs are those to store with the run, in order.
func (n *NewRun) Graphs() []NewGraph {
	if n.Graph == nil {
		return n.Extra
	}
	return append(slices.Clone(n.Extra), *n.Graph)
}

// LogLine is one line of an operation's log.
type LogLine struct {
	At      time.Time
	Level   string
	Message string
}

// Write is what one run commits together.
type Write struct {
	RunID string
	Token int64
	// Events carry consecutive versions.
	Events     []execution.Event
	Placements []PlacementWrite
	Logs       []OperationLog
	// Durations add to what is known of how long operations take.
	Durations []Duration
	// RollbackRecords are kept beside the intent of their attempt; a second one of an attempt takes the place of the first.
	RollbackRecords []RollbackRecord
	// Destroyed, when set, is applied to the run's deployment.
	Destroyed *bool
	// Head, when set, moves the head of the run's deployment.
	Head *HeadMove
	// Idempotency is the key of the command that this write does; nil for none. One that is on record with the same route,
	// digest and run already is no second use.
	Idempotency *IdempotencyKey
}

// HeadMove makes a graph of the deployment its head: ErrStale when Previous ("" for none) is not the head, ErrNotFound when
// the deployment has no such graph. A new head means that the deployment is not destroyed.
type HeadMove struct {
	GraphID, Previous string
	// Accounts are pinned from now on, by provider, in the place of what was.
	Accounts map[string]string
}

// PlacementWrite updates one placement of the run's deployment; zero fields leave what is there, Cleared first erases
// identity, outputs and that the deployment made it.
type PlacementWrite struct {
	Tenant          string
	DeploymentID    string
	NodeID          string
	Region          string
	State           PlacementState
	Made            bool
	Identity        string
	Account         string
	ProviderVersion string
	GraphID         string
	Outputs         json.RawMessage
	Cleared         bool
}

// OperationLog is a log line of one operation.
type OperationLog struct {
	Operation string
	Line      LogLine
}
