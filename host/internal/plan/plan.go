// Package plan turns a spec graph into operations with an order: one for each node in each of its regions, the edges between
// them, the groups that could run side by side, and an estimate. It decides and performs nothing. Everything here is linear in
// operations plus edges.
package plan

import (
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
)

// Plan is the order of one spec graph. Operations are in topological order, ties by the document's order.
type Plan struct {
	Spec       *graph.Spec
	Operations []Operation
	// Groups hold the ids of operations whose predecessors are all in earlier groups; NodeGroups the same for node ids.
	Groups     [][]string
	NodeGroups [][]string
	// Estimate is the longest way through, of typical durations; what stands behind an end edge does not count.
	Estimate time.Duration

	catalog  graph.Catalog
	measured map[step]time.Duration
}

// Operation is one node in one region.
type Operation struct {
	// ID is the node id, with "@region" behind it where the node has several regions.
	ID     string
	Node   *graph.Node
	Region string
	// ExecNodeID is the id in the execution graph.
	ExecNodeID string
	// Typical is how long it usually takes.
	Typical time.Duration
	// unchanged: it is foreseen to find nothing to do.
	unchanged bool
	// Cut: it stands behind an end edge, however far, and is skipped.
	Cut bool
	// Predecessors and Successors are indexes into Plan.Operations.
	Predecessors []Edge
	Successors   []Edge
}

// Edge leads to another operation; EdgeID is that of the spec edge it comes from.
type Edge struct {
	Operation int
	EdgeID    string
	Type      graph.EdgeType
}

// Pauses says that what is behind the edge waits for a person to release it.
func (e Edge) Pauses() bool { return e.Type == graph.Pause }
