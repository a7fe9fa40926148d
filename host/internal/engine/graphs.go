package engine

import (
	"context"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/export"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// GraphView is a graph as data: Value becomes JSON, and the methods of Graph write it in the other formats.
type GraphView struct {
	Value any
	*export.Graph
}

// Graph gives the spec graph, or the execution graph of a run, as data.
func (e *Engine) Graph(ctx context.Context, caller Caller, graphID, runID, view string) (*GraphView, error) {
	switch view {
	case "", "spec":
		spec, _, err := e.load(ctx, caller, graphID)
		if err != nil {
			return nil, classified(err)
		}
		return &GraphView{Value: spec, Graph: exportedSpec(spec)}, nil
	case "execution":
		executed, err := e.executionGraph(ctx, caller, graphID, runID)
		if err != nil {
			return nil, classified(err)
		}
		return &GraphView{Value: executed, Graph: exportedExecution(executed)}, nil
	default:
		return nil, &Error{Kind: Malformed, Message: "view must be spec or execution"}
	}
}

// exportedSpec is the spec graph for other programs.
func exportedSpec(spec *graph.Spec) *export.Graph {
	about := *spec
	about.Nodes, about.Edges = nil, nil
	g := &export.Graph{
		ID: spec.GraphID, Name: spec.DeploymentID, Kind: "spec", About: &about,
		Nodes: make([]export.Node, len(spec.Nodes)), Edges: make([]export.Edge, len(spec.Edges)),
	}
	for i := range spec.Nodes {
		node := &spec.Nodes[i]
		lines := []string{node.ResourceID, node.Type, string(node.Verb)}
		if len(node.Regions) > 1 {
			lines = append(lines, node.Regions...)
		}
		g.Nodes[i] = export.Node{
			ID: node.NodeID, Lines: lines, Kind: "resource", Path: []string{node.ResourceID}, Data: node, Holds: parts(spec.Nodes[i:]),
		}
	}
	for i, edge := range spec.Edges {
		g.Edges[i] = export.Edge{
			ID: edge.EdgeID, From: edge.From, To: edge.To, Kind: string(edge.Type), Plain: edge.Type == graph.Dependency,
		}
	}
	return g
}

// parts counts the nodes that stand behind a composite and in it.
func parts(nodes []graph.Node) int {
	n := 0
	for n+1 < len(nodes) && nodes[0].Composite() && graph.Covers(nodes[0].ResourceID, nodes[n+1].ResourceID) {
		n++
	}
	return n
}

// exportedExecution is the execution graph for other programs.
func exportedExecution(executed *rest.ExecutionGraph) *export.Graph {
	about := *executed
	about.Nodes, about.Edges = nil, nil
	g := &export.Graph{
		ID: executed.GraphID, Name: executed.DeploymentID, Kind: "execution", About: &about,
		Nodes: make([]export.Node, len(executed.Nodes)), Edges: make([]export.Edge, len(executed.Edges)),
	}
	for i := range executed.Nodes {
		node := &executed.Nodes[i]
		lines, path := []string{node.ResourceID}, []string{node.ResourceID}
		if node.Region != "" {
			lines, path = append(lines, node.Region), append(path, node.Region)
		}
		g.Nodes[i] = export.Node{
			ID: node.ExecNodeID, Lines: append(lines, node.Operation+": "+node.Status), Kind: "operation", Path: path, Data: node,
		}
	}
	for i, edge := range executed.Edges {
		g.Edges[i] = export.Edge{ID: edge.EdgeID, From: edge.From, To: edge.To, Kind: edge.Type}
	}
	return g
}

func (e *Engine) executionGraph(ctx context.Context, caller Caller, graphID, runID string) (*rest.ExecutionGraph, error) {
	run, err := e.runOf(ctx, caller, graphID, runID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse(NotFound, "this graph has no run")
	}
	if err != nil {
		return nil, err
	}
	d, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, err
	}
	g := &rest.ExecutionGraph{
		GraphID: run.ExecGraphID, SpecGraphID: d.plan.Spec.GraphID, DeploymentID: run.DeploymentID, RunID: run.ID,
		Status: string(state.Status), Nodes: statusOf(d, state).Operations, Edges: rest.List[rest.ExecutionEdge]{},
	}
	for i := range g.Nodes {
		g.Nodes[i].NodeID = g.Nodes[i].ExecNodeID
	}
	drawn := map[string]bool{}
	for i := range d.plan.Operations {
		to := &d.plan.Operations[i]
		for _, edge := range to.Predecessors {
			from := d.plan.Operations[edge.Operation].ExecNodeID
			g.Edges = append(g.Edges, rest.ExecutionEdge{
				EdgeID: execEdgeID(drawn, run.ExecGraphID, edge.EdgeID, from, to.ExecNodeID), SpecEdgeID: edge.EdgeID,
				From: from, To: to.ExecNodeID, Type: edgeKinds[state.Operation(to.ID).Status],
			})
		}
	}
	return g, nil
}

// execEdgeID names an edge between two operations: one edge of the spec graph is several where regions are several. It is always
// the same for a run.
func execEdgeID(drawn map[string]bool, texts ...string) string {
	id := export.DeriveID(texts...)
	for drawn[id] {
		id = export.DeriveID(append(texts, id)...)
	}
	drawn[id] = true
	return id
}

var edgeKinds = map[execution.Status]string{
	execution.Pending: "pending", execution.Running: "pending", execution.Paused: "pending",
	execution.Completed: "executed", execution.Failed: "failed", execution.Blocked: "blocked", execution.Skipped: "skipped",
}
