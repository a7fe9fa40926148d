package plan

import (
	"fmt"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
)

// Only is the part of a plan that these resources need: they, and all that they wait for. An *UnknownError names what the
// graph does not have. Operations keep their ids.
func (p *Plan) Only(resourceIDs []string) (*Plan, error) {
	keep, err := p.needed(resourceIDs)
	if err != nil {
		return nil, err
	}
	place := make([]int, len(p.Operations))
	part := &Plan{Spec: p.Spec, catalog: p.catalog, measured: p.measured}
	for i := range p.Operations {
		if place[i] = -1; keep[i] {
			place[i] = len(part.Operations)
			part.Operations = append(part.Operations, p.Operations[i])
		}
	}
	kept := map[string]bool{}
	for i := range part.Operations {
		operation := &part.Operations[i]
		operation.Predecessors = follow(operation.Predecessors, place)
		operation.Successors = follow(operation.Successors, place)
		kept[operation.ID], kept[operation.Node.NodeID] = true, true
	}
	part.Groups, part.NodeGroups = filter(p.Groups, kept), filter(p.NodeGroups, kept)
	part.estimate()
	return part, nil
}

// needed marks the operations of the resources, those of a composite's parts with it, and then, from the last to the first, what
// those wait for.
func (p *Plan) needed(resourceIDs []string) ([]bool, error) {
	wanted := make(map[string]bool, len(resourceIDs))
	for _, id := range resourceIDs {
		wanted[id] = true
	}
	keep, met := make([]bool, len(p.Operations)), map[string]bool{}
	for i := len(p.Operations) - 1; i >= 0; i-- {
		operation := &p.Operations[i]
		for id := operation.Node.ResourceID; id != ""; id = graph.Enclosing(id) {
			keep[i] = keep[i] || wanted[id]
			met[id] = true
		}
		if !keep[i] {
			continue
		}
		for _, edge := range operation.Predecessors {
			keep[edge.Operation] = true
		}
	}
	for i := range p.Spec.Nodes { // a composite may have no part at all
		met[p.Spec.Nodes[i].ResourceID] = met[p.Spec.Nodes[i].ResourceID] || p.Spec.Nodes[i].Composite()
	}
	var unknown []int
	for i, id := range resourceIDs {
		if !met[id] {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) > 0 {
		return nil, &UnknownError{Indexes: unknown}
	}
	return keep, nil
}

// UnknownError says which of the resource ids given to Only are none of the graph's, by their place in the list.
type UnknownError struct{ Indexes []int }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%d of the resource ids are none of this graph's", len(e.Indexes))
}

func follow(edges []Edge, place []int) []Edge {
	var kept []Edge
	for _, edge := range edges {
		if place[edge.Operation] >= 0 {
			edge.Operation = place[edge.Operation]
			kept = append(kept, edge)
		}
	}
	return kept
}

func filter(groups [][]string, kept map[string]bool) [][]string {
	var left [][]string
	for _, group := range groups {
		group = slices.DeleteFunc(slices.Clone(group), func(id string) bool { return !kept[id] })
		if len(group) > 0 {
			left = append(left, group)
		}
	}
	return left
}
