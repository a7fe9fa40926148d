package graph

import (
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dag"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// TeardownNode is a live resource, as it stands in the spec that was last applied to it, and the regions it is live in.
type TeardownNode struct {
	Node    Node
	Regions []string
}

// Teardown is the spec graph that deletes resources, each after all that depend on it: the edges they were made with, from
// whichever specs, turned round. Nodes keep their ids. An edge to what is not torn down falls away, and so does one that closes a
// cycle, as specs of different versions can make together: the earlier one in edges stays. Providers is for the caller to fill in.
func Teardown(graphID, deploymentID string, from []TeardownNode, edges []Edge, newID func() string) *Spec {
	spec := &Spec{
		GraphID: graphID, DeploymentID: deploymentID,
		Providers: map[string]Pin{}, Nodes: make([]Node, 0, len(from)), Edges: []Edge{},
	}
	index := make(map[string]int, len(from))
	for _, live := range slices.Backward(from) {
		if _, twice := index[live.Node.NodeID]; twice {
			continue
		}
		index[live.Node.NodeID] = len(spec.Nodes)
		spec.Nodes = append(spec.Nodes, toDelete(live))
	}
	drawn := make(map[string]bool, len(edges))
	for _, e := range acyclic(len(spec.Nodes), reversed(edges, index)) {
		spec.Edges = append(spec.Edges, Edge{
			EdgeID: draw(newID, drawn), From: spec.Nodes[e.From].NodeID, To: spec.Nodes[e.To].NodeID, Type: Dependency,
		})
	}
	return spec
}

func toDelete(live TeardownNode) Node {
	node := live.Node
	node.Verb = contract.VerbDelete
	node.Regions = append([]string{}, live.Regions...)
	node.Timeout = 0
	if node.Names != nil {
		names := make(map[string]string, len(node.Regions))
		for _, region := range node.Regions {
			if name, ok := live.Node.Names[region]; ok {
				names[region] = name
			}
		}
		node.Names = names
	}
	return node
}

// reversed turns the edges between known nodes round, one for each pair.
func reversed(edges []Edge, index map[string]int) []dag.Edge {
	seen := make(map[dag.Edge]bool, len(edges))
	var turned []dag.Edge
	for _, edge := range edges {
		from, ok := index[edge.To]
		to, also := index[edge.From]
		e := dag.Edge{From: from, To: to}
		if ok && also && from != to && !seen[e] {
			seen[e] = true
			turned = append(turned, e)
		}
	}
	return turned
}

// acyclic leaves away the last edge of each cycle until there is none.
func acyclic(n int, edges []dag.Edge) []dag.Edge {
	for {
		cycles := dag.New(n, edges).Cycles(1000)
		if len(cycles) == 0 {
			return edges
		}
		place := make(map[dag.Edge]int, len(edges))
		for i, e := range edges {
			place[e] = i
		}
		drop := make(map[int]bool, len(cycles))
		for _, cycle := range cycles {
			last := -1
			for i, v := range cycle {
				last = max(last, place[dag.Edge{From: v, To: cycle[(i+1)%len(cycle)]}])
			}
			drop[last] = true
		}
		var kept []dag.Edge
		for i, e := range edges {
			if !drop[i] {
				kept = append(kept, e)
			}
		}
		edges = kept
	}
}
