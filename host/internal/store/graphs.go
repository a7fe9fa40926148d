package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Graphs holds deployments, their spec graphs and their logical resources.
type Graphs interface {
	// Deployment fails with ErrNotFound.
	Deployment(ctx context.Context, tenant, deploymentID string) (Deployment, error)
	// Deployments lists newest first, by their creation: a page's place does not move when a deployment changes.
	Deployments(ctx context.Context, tenant string, page Page) ([]Deployment, error)
	// CreateGraph stores a spec graph that no run uses yet (a plan to approve), with the resources drawn for it. ErrExists
	// when the graph id is taken, anywhere in the store, by a spec graph or an execution graph. The first graph makes the
	// deployment; graphs of the kind DeploymentGraph count in its Sequence. *KeyUsedError when its idempotency key is taken.
	CreateGraph(ctx context.Context, graph NewGraph) error
	// Graph fails with ErrNotFound.
	Graph(ctx context.Context, tenant, graphID string) (Graph, error)
	// GraphsOf lists the graphs of a deployment, newest first and without their Spec; subgraphs are left out. None for an
	// unknown deployment; ErrNotFound for a page after a graph that is not the deployment's.
	GraphsOf(ctx context.Context, tenant, deploymentID string, page Page) ([]Graph, error)
	// DeleteDeployment deletes all rows of a deployment: its graphs, resources, runs and what those hold, and the idempotency
	// keys that name them. ErrNotFound; *ActiveRunError while a run of it, of any kind, is active.
	DeleteDeployment(ctx context.Context, tenant, deploymentID string) error
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

// The kinds of graphs that were not derived for a run: one was made from a deployment's config, the other expanded from a
// composite of such a graph. The kind of all others is the kind of the run that they were derived for.
const (
	DeploymentGraph = "deployment"
	SubgraphKind    = "subgraph"
)

// Graph is a stored spec graph: Spec is its JSON, immutable.
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
// id, and ErrExists answers when it comes with another one. Placements that exist keep what they hold; those that are new are
// stored whole.
type NewGraph struct {
	Graph     Graph
	Resources []Resource
	// Subgraphs of the graph's composites, of the kind SubgraphKind, are stored with it.
	Subgraphs []Graph
	// Idempotency is the key of the command that stores the graph; nil for none.
	Idempotency *IdempotencyKey
}

// Check answers ErrInvalid when the parts of a new graph contradict each other; a store asks before it writes.
func (n *NewGraph) Check() error {
	for i := range n.Subgraphs {
		s := &n.Subgraphs[i]
		if s.Kind != SubgraphKind || s.Tenant != n.Graph.Tenant || s.DeploymentID != n.Graph.DeploymentID {
			return fmt.Errorf("subgraph: %w", ErrInvalid)
		}
	}
	if n.Idempotency != nil && (n.Idempotency.Key == "" || n.Idempotency.Tenant != n.Graph.Tenant) {
		return fmt.Errorf("idempotency key of the graph: %w", ErrInvalid)
	}
	return nil
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

// MayBeThere says that something is in the place, as far as is known.
func (p Placement) MayBeThere() bool { return p.State == Live || p.State == Maybe }
