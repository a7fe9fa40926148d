// Package store is the port to what is durable: the rows and the calls that sqlite and postgres both offer, and that package
// storetest exercises. It decides nothing; fencing and uniqueness are the only rules that it holds, because only a
// transaction can.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
)

// The ways a call can be refused; matched with errors.Is.
var (
	// ErrNotFound: no such row for this tenant.
	ErrNotFound = errors.New("not found")
	// ErrExists: an id or a name is taken.
	ErrExists = errors.New("already exists")
	// ErrFenced: the fencing token of a write is not the run's current one; nothing of that run's write was kept.
	ErrFenced = errors.New("run was taken over by another owner")
	// ErrStale: what the caller read before has changed since (the deployment's head).
	ErrStale = errors.New("changed since it was read")
	// ErrVersion: the events of a write do not carry on from the run's last one.
	ErrVersion = errors.New("event versions do not carry on from the run's last one")
	// ErrInvalid: what was to be written contradicts itself or cannot be encoded.
	ErrInvalid = errors.New("cannot be stored as it is")
	// ErrDamaged: what is stored cannot be read.
	ErrDamaged = errors.New("the store is damaged")
)

// DeploymentGraph is the kind of a graph that was made from a deployment's config; the others are derived from such.
const DeploymentGraph = "deployment"

// ActiveRunError: another run is active on the deployment.
type ActiveRunError struct{ RunID string }

func (e *ActiveRunError) Error() string {
	return fmt.Sprintf("run %s is active on this deployment", e.RunID)
}

// Store is everything; consumers declare the few calls they need.
type Store interface {
	Registry
	Graphs
	Runs
	Close() error
}

// Registry holds what outlives deployments.
type Registry interface {
	// Installation is the random id of this store, drawn when it was made.
	Installation(ctx context.Context) (string, error)
	// CreateKey fails with ErrExists when the tenant has a key of that name.
	CreateKey(ctx context.Context, key APIKey) error
	// KeyByHash fails with ErrNotFound.
	KeyByHash(ctx context.Context, hash string) (APIKey, error)
	// Keys lists all, oldest first.
	Keys(ctx context.Context) ([]APIKey, error)
	// RevokeKey fails with ErrNotFound.
	RevokeKey(ctx context.Context, tenant, name string) error
	// PinDigest records the digest of a provider's executable at its first use and returns the one on record.
	PinDigest(ctx context.Context, provider, version, digest string) (recorded string, err error)
	// PinKeys records the public key ids of a provider at first use and adds new ones; returns those on record before.
	PinKeys(ctx context.Context, provider string, ids []string) (recorded []string, err error)
}

// APIKey is a caller's key. Only its hash is known.
type APIKey struct {
	Name      string
	Tenant    string
	Role      string // "tenant" or "operator"
	Hash      string // hex SHA-256 of the key
	CreatedAt time.Time
}

// Graphs holds deployments, their spec graphs and their logical resources.
type Graphs interface {
	// Deployment fails with ErrNotFound.
	Deployment(ctx context.Context, tenant, deploymentID string) (Deployment, error)
	// Deployments lists newest first, by their creation: a page's place does not move when a deployment changes.
	Deployments(ctx context.Context, tenant string, page Page) ([]Deployment, error)
	// CreateGraph stores a spec graph that no run uses yet (a plan to approve), with the resources drawn for it. ErrExists
	// when the graph id is taken, anywhere in the store, by a spec graph or an execution graph. The first graph makes the
	// deployment; graphs of the kind DeploymentGraph count in its Sequence.
	CreateGraph(ctx context.Context, graph NewGraph) error
	// Graph fails with ErrNotFound.
	Graph(ctx context.Context, tenant, graphID string) (Graph, error)
	// Resources lists the logical resources of a deployment, in the order they were first drawn, each with its placements
	// by region; none for an unknown deployment.
	Resources(ctx context.Context, tenant, deploymentID string) ([]Resource, error)
}

// Page of a list: at most Limit rows (0 for all) after the row whose id is After ("" for the start). ErrNotFound when the
// tenant has no such row.
type Page struct {
	Limit int
	After string
}

// Deployment is a name that a person chose, and its head.
type Deployment struct {
	Tenant      string
	ID          string
	HeadGraphID string // the spec graph last applied, "" before
	HeadVersion string
	Destroyed   bool
	Accounts    map[string]string // provider to the account pinned at first use
	Sequence    int               // counts graphs, for default version names
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Graph is a stored spec graph: Spec is its JSON, immutable. Kind is "deployment", or the run kind it was derived for.
type Graph struct {
	Tenant       string
	ID           string
	DeploymentID string
	Version      string
	Kind         string
	Spec         json.RawMessage
	CreatedAt    time.Time
	CreatedBy    string
}

// NewGraph is a spec graph together with the logical resources it names, all upserted: a resource that exists keeps its node
// id, and ErrExists answers when it comes with another one. Placements that exist keep what they hold.
type NewGraph struct {
	Graph     Graph
	Resources []Resource
}

// Resource is a logical resource: what does not change from version to version.
type Resource struct {
	ResourceID string
	Path       string // of the composite it belongs to, "" at top level
	Type       string
	NodeID     string
	Placements []Placement
}

// PlacementState says what is known of a resource in one region.
type PlacementState string

// The placement states.
const (
	Planned PlacementState = "planned" // no attempt has been made
	Maybe   PlacementState = "maybe"   // an attempt may have made it
	Live    PlacementState = "live"
	Gone    PlacementState = "gone"
)

// Placement is a logical resource in one region ("" for a global one).
type Placement struct {
	Region          string
	Name            string // the physical name, fixed at first creation
	State           PlacementState
	Made            bool // this deployment made it, or adopted it
	Identity        string
	Account         string
	ProviderVersion string
	GraphID         string // the graph last applied to it
	Outputs         json.RawMessage
}

// Runs holds runs, their events and logs.
type Runs interface {
	// CreateRun stores a queued run, with its graph when that is new, moves the head, and pins accounts, in one
	// transaction. *ActiveRunError when another run of the deployment is not final (verify is exempt, both ways), ErrStale
	// when PreviousHead is not the deployment's head any more or another account is pinned, ErrExists when an id is taken,
	// ErrNotFound for a graph that is not the deployment's. A new head means that the deployment is not destroyed.
	CreateRun(ctx context.Context, run NewRun) error
	// AcquireRun makes owner the one that may write the run, and returns the new fencing token and the last event version.
	// Without it nobody may. ErrNotFound.
	AcquireRun(ctx context.Context, runID, owner string) (token, version int64, err error)
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
	// takes only that write out; ErrVersion, ErrNotFound (the run, or a placement that its deployment does not have),
	// ErrInvalid and any other broken rule take out all that the batch has for that run. A run's status and its completion
	// follow its RunChanged events. A second, non-nil error means that nothing was proven kept: Events after the last known
	// version tells.
	Commit(ctx context.Context, writes []Write) ([]error, error)
}

// RunFilter: empty fields do not filter. Tenant is required.
type RunFilter struct {
	Tenant       string
	DeploymentID string
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
	if n.Graph != nil && (n.Graph.Graph.Tenant != r.Tenant || n.Graph.Graph.DeploymentID != r.DeploymentID) {
		return fmt.Errorf("graph of the run: %w", ErrInvalid)
	}
	return nil
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
	// Deployment, when set, is applied to the run's deployment.
	Destroyed *bool
}

// PlacementWrite updates one placement of the run's deployment; zero fields leave what is there, Cleared first erases
// identity and outputs.
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
