package engine

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// composite is a node that stands for others, and the operations of those, by their place in the plan.
type composite struct {
	node       *graph.Node
	operations []int
}

// compositesOf gives the composites of a plan, in its graph's order. One of whose parts the plan has nothing is left out.
func compositesOf(p *plan.Plan) []composite {
	places := map[string]int{}
	var all []composite
	for i := range p.Spec.Nodes {
		if node := &p.Spec.Nodes[i]; node.Composite() {
			places[node.ResourceID] = len(all)
			all = append(all, composite{node: node})
		}
	}
	if len(all) == 0 {
		return nil
	}
	parts := make([]int, len(all))
	within := func(resourceID string, found func(place int)) {
		for id := graph.Enclosing(resourceID); id != ""; id = graph.Enclosing(id) {
			if place, ok := places[id]; ok {
				found(place)
			}
		}
	}
	for i := range p.Spec.Nodes {
		if node := &p.Spec.Nodes[i]; !node.Composite() {
			within(node.ResourceID, func(place int) { parts[place]++ })
		}
	}
	for i := range p.Operations {
		within(p.Operations[i].Node.ResourceID, func(place int) { all[place].operations = append(all[place].operations, i) })
	}
	kept := all[:0]
	for i := range all {
		if len(all[i].operations) > 0 || parts[i] == 0 {
			kept = append(kept, all[i])
		}
	}
	return kept
}

func (c *composite) summary(p *plan.Plan) rest.CompositeSummary {
	s := rest.CompositeSummary{
		NodeID: c.node.NodeID, ResourceID: c.node.ResourceID, ResourceType: c.node.Type, Operation: string(c.node.Verb),
		SubgraphID: c.node.SubgraphID, Composite: graph.Enclosing(c.node.ResourceID),
	}
	for _, i := range c.operations {
		s.Operations = append(s.Operations, p.Operations[i].ID)
	}
	return s
}

func compositeSummaries(p *plan.Plan) []rest.CompositeSummary {
	var all []rest.CompositeSummary
	for _, c := range compositesOf(p) {
		all = append(all, c.summary(p))
	}
	return all
}

// compositeStatuses roll up how the parts stand.
func compositeStatuses(p *plan.Plan, state *execution.Run) []rest.CompositeStatus {
	var all []rest.CompositeStatus
	for _, c := range compositesOf(p) {
		status := rest.CompositeStatus{CompositeSummary: c.summary(p), Outputs: c.outputs(p, state)}
		statuses := make([]execution.Status, len(c.operations))
		var started, completed time.Time
		for k, i := range c.operations {
			operation := state.Operation(p.Operations[i].ID)
			statuses[k] = operation.Status
			if at := operation.StartedAt; !at.IsZero() && (started.IsZero() || at.Before(started)) {
				started = at
			}
			if operation.CompletedAt.After(completed) {
				completed = operation.CompletedAt
			}
		}
		together := execution.RollUp(statuses...)
		status.Status, status.StartedAt = string(together), rest.At(started)
		if together == execution.Completed {
			status.CompletedAt = rest.At(completed)
		}
		all = append(all, status)
	}
	return all
}

// outputs are what the parts that give them have given by now, by the composite's node id, and by region where its parts have
// several. What is not in a region of its own is given in each.
func (c *composite) outputs(p *plan.Plan, state *execution.Run) rest.ByOperation[json.RawMessage] {
	if len(c.node.Outputs) == 0 {
		return nil
	}
	given, regions := map[placeKey]map[string]json.RawMessage{}, []string{}
	for _, i := range c.operations {
		o := &p.Operations[i]
		if operation := state.Operation(o.ID); operation.Status == execution.Completed {
			given[placeKey{o.Node.NodeID, o.Region}] = members(operation.Outputs)
		}
		if o.Region != "" && !slices.Contains(regions, o.Region) {
			regions = append(regions, o.Region)
		}
	}
	outputs := rest.ByOperation[json.RawMessage]{}
	if len(regions) == 0 {
		regions = []string{""}
	}
	for _, region := range regions {
		values := map[string]json.RawMessage{}
		for name, reference := range c.node.Outputs {
			value, ok := given[placeKey{reference.NodeID, region}][reference.Output]
			if !ok {
				value, ok = given[placeKey{reference.NodeID, ""}][reference.Output]
			}
			if ok {
				values[name] = value
			}
		}
		if len(values) == 0 {
			continue
		}
		id := c.node.NodeID
		if len(regions) > 1 {
			id += "@" + region
		}
		outputs[id], _ = json.Marshal(values) // JSON within JSON always encodes
	}
	return outputs
}

// members of one JSON object, nil for none.
func members(object json.RawMessage) map[string]json.RawMessage {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(object, &values) // what is no object has no members
	return values
}
