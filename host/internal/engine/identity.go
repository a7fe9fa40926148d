package engine

import (
	"context"
	"encoding/json"
	"reflect"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
)

// sameThings refuses a resource that is deployed and would, by one of the properties that identify it, become another thing: the
// one that is there would be left with nobody to find it.
func (e *Engine) sameThings(ctx context.Context, caller Caller, p *prepared, spec *graph.Spec) ([]graph.Problem, error) {
	nodes := map[string]*graph.Node{}
	for i := range spec.Nodes {
		nodes[spec.Nodes[i].NodeID] = &spec.Nodes[i]
	}
	var specs map[string]*graph.Spec
	var problems []graph.Problem
	for _, resource := range p.resources {
		node := nodes[resource.NodeID]
		if node == nil || !exists(resource) || p.deployment.HeadGraphID == "" {
			continue
		}
		if specs == nil {
			var err error
			if specs, err = e.appliedGraphs(ctx, caller, p); err != nil {
				return nil, err
			}
		}
		if before, _ := lastApplied(resource, specs, p.deployment.HeadGraphID); before != nil {
			problems = append(problems, changedIdentity(p.catalog, before, node)...)
		}
	}
	return problems, nil
}

func changedIdentity(c *catalog, before, now *graph.Node) []graph.Problem {
	kind, ok := c.Type(now.Type)
	if !ok {
		return nil
	}
	var problems []graph.Problem
	for _, pointer := range kind.Identifying {
		if sameValue(before, now, pointer) {
			continue
		}
		problems = append(problems, graph.ProblemOf(configPrefix, now,
			"identifies what is deployed and may not change: destroy that first, or give this one a resource id of its own",
			append([]string{"properties"}, document.Split(pointer)...)...))
	}
	return problems
}

// sameValue compares one property of two nodes, or what they refer to for it. One that was written and is now referred to, or the
// other way round, cannot be told: both may say the same.
func sameValue(before, now *graph.Node, pointer string) bool {
	was, wasReferred := filledBy(before, pointer)
	is, isReferred := filledBy(now, pointer)
	switch {
	case wasReferred && isReferred:
		return was.NodeID == is.NodeID && was.Output == is.Output && was.Region == is.Region
	case wasReferred || isReferred:
		return true
	default:
		return reflect.DeepEqual(valueAt(before.Properties, pointer), valueAt(now.Properties, pointer))
	}
}

func filledBy(node *graph.Node, pointer string) (graph.Reference, bool) {
	for _, reference := range node.References {
		if reference.Property == pointer {
			return reference, true
		}
	}
	return graph.Reference{}, false
}

// valueAt is what stands at a pointer, nil for nothing.
func valueAt(properties json.RawMessage, pointer string) any {
	var value any
	if json.Unmarshal(properties, &value) != nil {
		return nil
	}
	for _, segment := range document.Split(pointer) {
		members, _ := value.(map[string]any)
		value = members[segment]
	}
	return value
}
