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

// Teardown is the spec graph that deletes resources, each after all that depend on it. Nodes keep their ids. Providers is for the
// caller to fill in.
func Teardown(graphID, deploymentID string, from []TeardownNode, edges []Edge, newID func() string) *Spec {
	nodes, seen := make([]Node, 0, len(from)), make(map[string]bool, len(from))
	for i := len(from) - 1; i >= 0; i-- {
		// Of a node that stands there twice, the last one counts.
		if id := from[i].Node.Logical(); !seen[id] {
			seen[id] = true
			nodes = append(nodes, ToDelete(from[i]))
		}
	}
	slices.Reverse(nodes)
	return Backwards(graphID, deploymentID, nodes, edges, newID)
}

// Backwards is the spec graph that goes through nodes in the reverse order of the edges that they were made with, from whichever
// specs: those turned round, between all nodes that act on the resources they name. An edge to what is not there falls away, and so
// does one that closes a cycle, as specs of different versions can make together: the earlier one in edges stays.
func Backwards(graphID, deploymentID string, nodes []Node, edges []Edge, newID func() string) *Spec {
	spec := &Spec{
		GraphID: graphID, DeploymentID: deploymentID,
		Providers: map[string]Pin{}, Nodes: slices.Clone(nodes), Edges: []Edge{},
	}
	slices.Reverse(spec.Nodes)
	index := make(map[string][]int, len(nodes))
	for i := range spec.Nodes {
		index[spec.Nodes[i].Logical()] = append(index[spec.Nodes[i].Logical()], i)
	}
	drawn := make(map[string]bool, len(edges))
	for _, e := range acyclic(len(spec.Nodes), reversed(edges, index)) {
		spec.Edges = append(spec.Edges, Edge{
			EdgeID: draw(newID, drawn), From: spec.Nodes[e.From].NodeID, To: spec.Nodes[e.To].NodeID, Type: Dependency,
		})
	}
	return spec
}

// ToDelete is the node that deletes a resource where it is live.
func ToDelete(live TeardownNode) Node {
	node := live.Node
	node.Verb, node.Undo = contract.VerbDelete, nil
	node.NodeID, node.Subject = node.Logical(), ""
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
func reversed(edges []Edge, index map[string][]int) []dag.Edge {
	seen := make(map[dag.Edge]bool, len(edges))
	var turned []dag.Edge
	for _, edge := range edges {
		for _, from := range index[edge.To] {
			for _, to := range index[edge.From] {
				e := dag.Edge{From: from, To: to}
				if from != to && !seen[e] {
					seen[e] = true
					turned = append(turned, e)
				}
			}
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
