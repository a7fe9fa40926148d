package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// teardown derives the graph: a deletion for each place where something is, or may be, that this deployment made. What it did
// not make, and what its type cannot delete, is named and left.
func (e *Engine) teardown(ctx context.Context, caller Caller, p *prepared) ([]rest.LeftOver, error) {
	specs, err := e.appliedGraphs(ctx, caller, p)
	if err != nil {
		return nil, err
	}
	if p.catalog, err = e.pinnedBy(ctx, &graph.Spec{Providers: pinsOf(specs, p.deployment.HeadGraphID)}); err != nil {
		return nil, err
	}
	var from []graph.TeardownNode
	var left []rest.LeftOver
	for _, resource := range p.resources {
		node, regions := lastApplied(resource, specs, p.deployment.HeadGraphID)
		if node == nil {
			continue
		}
		kind, ok := p.catalog.Type(node.Type)
		if !ok {
			return nil, refuse(Conflict, "the provider no longer offers %s, which is deployed", node.Type)
		}
		regions, leftHere := sortOut(resource, kind, regions, p.deployment.Accounts[node.Provider()])
		left = append(left, leftHere...)
		if len(regions) > 0 {
			from = append(from, graph.TeardownNode{Node: named(*node, resource), Regions: regions})
		}
	}
	from = append(from, enclosing(from, specs, p.deployment.HeadGraphID)...)
	p.spec = graph.Teardown(e.options.NewID(), p.deployment.ID, from, edgesOf(specs, p.deployment.HeadGraphID), e.options.NewID)
	p.spec.Version, p.spec.Providers = p.deployment.HeadVersion, pinsOf(specs, p.deployment.HeadGraphID)
	return left, nil
}

// appliedGraphs loads the head and every graph that a placement was last applied by.
func (e *Engine) appliedGraphs(ctx context.Context, caller Caller, p *prepared) (map[string]*graph.Spec, error) {
	ids := []string{p.deployment.HeadGraphID}
	for _, r := range p.resources {
		for _, placement := range r.Placements {
			if placement.GraphID != "" && !slices.Contains(ids, placement.GraphID) {
				ids = append(ids, placement.GraphID)
			}
		}
	}
	specs := map[string]*graph.Spec{}
	for _, id := range ids {
		spec, _, err := e.load(ctx, caller, id)
		if err != nil {
			return nil, err
		}
		specs[id] = spec
	}
	return specs, nil
}

// pinsOf takes the head's pins, and from older graphs those of providers that the head does not use.
func pinsOf(specs map[string]*graph.Spec, head string) map[string]graph.Pin {
	pins := map[string]graph.Pin{}
	for id, spec := range specs {
		for name, pin := range spec.Providers {
			if _, known := pins[name]; !known || id == head {
				pins[name] = pin
			}
		}
	}
	return pins
}

// lastApplied gives the node as it was last applied and the regions where something may be.
func lastApplied(resource store.Resource, specs map[string]*graph.Spec, head string) (node *graph.Node, regions []string) {
	for _, placement := range resource.Placements {
		if placement.State == store.Gone {
			continue
		}
		regions = append(regions, placement.Region)
		id := placement.GraphID
		if id == "" {
			id = head
		}
		if found := nodeOf(specs[id], resource.NodeID); found != nil && (node == nil || placement.GraphID != "") {
			node = found
		}
	}
	return node, regions
}

// named gives a node the names on record too: it may be somewhere that the graph it was last applied by does not name.
func named(node graph.Node, resource store.Resource) graph.Node {
	node.Names = maps.Clone(node.Names)
	for _, placement := range resource.Placements {
		if node.Names[placement.Region] == "" && placement.Name != "" {
			if node.Names == nil {
				node.Names = map[string]string{}
			}
			node.Names[placement.Region] = placement.Name
		}
	}
	return node
}

// enclosing gives the composites that parts are torn down of, as the head has them, or else an older graph: they make nothing, and
// are there to be shown.
func enclosing(parts []graph.TeardownNode, specs map[string]*graph.Spec, head string) []graph.TeardownNode {
	wanted := map[string]bool{}
	for i := range parts {
		for id := graph.Enclosing(parts[i].Node.ResourceID); id != ""; id = graph.Enclosing(id) {
			wanted[id] = true
		}
	}
	var found []graph.TeardownNode
	for _, id := range append([]string{head}, slices.Sorted(maps.Keys(specs))...) {
		for i := range specs[id].Nodes {
			if node := &specs[id].Nodes[i]; wanted[node.ResourceID] && node.Composite() {
				found = append(found, graph.TeardownNode{Node: *node, Regions: []string{}})
				delete(wanted, node.ResourceID)
			}
		}
	}
	return found
}

func nodeOf(spec *graph.Spec, nodeID string) *graph.Node {
	for i := range spec.Nodes {
		if spec.Nodes[i].Logical() == nodeID {
			return &spec.Nodes[i]
		}
	}
	return nil
}

// sortOut keeps the regions where a deletion is to be tried. A thing that is known by its name alone is not looked for where no
// attempt of ours was begun on it, and left where none was proven to have made it: whatever carries the name is somebody else's.
func sortOut(resource store.Resource, kind *contract.ResourceType, regions []string, account string) (kept []string, left []rest.LeftOver) {
	for _, placement := range resource.Placements {
		if !slices.Contains(regions, placement.Region) {
			continue
		}
		if placement.State == store.Planned && kind.Discovery == contract.DiscoverByName {
			continue
		}
		reason := stays(placement, kind)
		if placement.Account != "" && account != "" && placement.Account != account {
			reason = "it is in another account than the deployment"
		}
		if reason != "" {
			left = append(left, leftOver(resource, placement, reason))
		} else {
			kept = append(kept, placement.Region)
		}
	}
	return kept, left
}

// stays says why what is in a place is not deleted, "" where it is.
func stays(placement store.Placement, kind *contract.ResourceType) string {
	_, deletes := kind.Verb(contract.VerbDelete)
	switch {
	case !placement.Made && (placement.State == store.Live || kind.Discovery == contract.DiscoverByName):
		return "this deployment did not make it"
	case !deletes:
		return "its type cannot be deleted"
	default:
		return ""
	}
}

func leftOver(resource store.Resource, placement store.Placement, reason string) rest.LeftOver {
	return rest.LeftOver{
		ResourceID: resource.ResourceID, ResourceType: resource.Type, Region: placement.Region, Name: placement.Name,
		Identity: placement.Identity, Reason: reason,
	}
}

// edgesOf takes the head's edges, and those of older graphs between nodes that the head does not name.
func edgesOf(specs map[string]*graph.Spec, head string) []graph.Edge {
	edges := slices.Clone(specs[head].Edges)
	named := map[string]bool{}
	for i := range specs[head].Nodes {
		named[specs[head].Nodes[i].NodeID] = true
	}
	for id, spec := range specs {
		for _, edge := range spec.Edges {
			if id != head && !named[edge.To] {
				edges = append(edges, edge)
			}
		}
	}
	return edges
}
