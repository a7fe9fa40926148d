package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// deploymentGraph is the kind of a graph that a caller wrote.
const deploymentGraph = "deployment"

// newGraph is the spec graph as the store keeps it, with the subgraphs of its composites and the logical resources it names.
func (p *prepared) newGraph(caller Caller, kind string, now time.Time) (*store.NewGraph, error) {
	main, err := storedGraph(caller, p.spec, kind, now)
	if err != nil {
		return nil, err
	}
	g := &store.NewGraph{Graph: main}
	for _, subgraph := range p.subgraphs {
		stored, err := storedGraph(caller, subgraph, store.SubgraphKind, now)
		if err != nil {
			return nil, err
		}
		g.Subgraphs = append(g.Subgraphs, stored)
	}
	paths := make(map[string]string, len(p.resources))
	for i := range p.resources {
		paths[p.resources[i].NodeID] = p.resources[i].Path
	}
	for i := range p.spec.Nodes {
		node := &p.spec.Nodes[i]
		path, account := p.pathOf(node, paths)
		resource := store.Resource{ResourceID: node.ResourceID, Path: path, Type: node.Type, NodeID: node.NodeID}
		for _, region := range node.Regions {
			resource.Placements = append(resource.Placements, store.Placement{
				Region: region, Name: node.Names[region], State: store.Planned, Account: account,
			})
		}
		g.Resources = append(g.Resources, resource)
	}
	return g, nil
}

// pathOf tells resources of one id apart, by the composite that they are in and, once they have moved to another account, by that.
func (p *prepared) pathOf(node *graph.Node, known map[string]string) (path, account string) {
	path, drawn := known[node.NodeID]
	if drawn {
		return path, p.away[node.Provider()]
	}
	path = graph.Enclosing(node.ResourceID)
	if account = p.away[node.Provider()]; account != "" && !node.Composite() {
		path += "@" + account
	}
	return path, account
}

func storedGraph(caller Caller, spec *graph.Spec, kind string, now time.Time) (store.Graph, error) {
	encoded, err := json.Marshal(spec)
	if err != nil {
		return store.Graph{}, fmt.Errorf("encode spec graph: %w", err)
	}
	return store.Graph{
		Tenant: caller.Tenant, ID: spec.GraphID, DeploymentID: spec.DeploymentID, Version: spec.Version,
		Kind: kind, Spec: encoded, CreatedAt: now, CreatedBy: caller.Name,
	}, nil
}

// load reads a stored spec graph.
func (e *Engine) load(ctx context.Context, caller Caller, graphID string) (*graph.Spec, store.Graph, error) {
	stored, err := e.store.Graph(ctx, caller.Tenant, graphID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, stored, refuse(NotFound, "there is no such graph")
	}
	if err != nil {
		return nil, stored, err
	}
	spec := &graph.Spec{}
	if err := json.Unmarshal(stored.Spec, spec); err != nil {
		return nil, stored, fmt.Errorf("stored spec graph %s: %w", graphID, err)
	}
	return spec, stored, nil
}

// notWritten refuses to act on a graph that no caller wrote: one that was derived for a run, or a subgraph.
func notWritten(spec *graph.Spec, stored store.Graph) error {
	switch stored.Kind {
	case deploymentGraph:
		return nil
	case store.SubgraphKind:
		return refuse(Conflict, "this is the subgraph of a composite in graph %s: name that one", spec.PartOf)
	default:
		return refuse(Conflict, "this graph was derived for a %s: name one that a caller wrote", stored.Kind)
	}
}
