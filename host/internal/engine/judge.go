package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// judgeAtOnce bounds one Validate call, so that a large graph stays within the size of a message.
const judgeAtOnce = 200

// judge asks providers about types that have rules beyond their schema.
func (e *Engine) judge(ctx context.Context, c *catalog, built *graph.Built) ([]graph.Problem, error) {
	var problems []graph.Problem
	spec, boxes := built.Spec, boxesOf(sealedOf(built.Sealed, inConfig))
	for _, name := range c.names() {
		var nodes []*graph.Node
		for i := range spec.Nodes {
			kind, ok := c.Type(spec.Nodes[i].Type)
			if ok && kind.Validates && spec.Nodes[i].Provider() == name {
				nodes = append(nodes, &spec.Nodes[i])
			}
		}
		for len(nodes) > 0 {
			n := min(len(nodes), judgeAtOnce)
			found, err := e.judgeSome(ctx, name, spec.Providers[name].Version, nodes[:n], boxes)
			if err != nil {
				return nil, err
			}
			problems, nodes = append(problems, found...), nodes[n:]
		}
	}
	return problems, nil
}

func (e *Engine) judgeSome(ctx context.Context, name, version string, nodes []*graph.Node, boxes map[string]map[string]string) ([]graph.Problem, error) {
	items := make([]contract.ValidateItem, len(nodes))
	for i, node := range nodes {
		properties, err := withBoxes(node, node.Boxes(boxes))
		if err != nil {
			return nil, err
		}
		items[i] = contract.ValidateItem{Type: node.Type, Verb: node.Verb, Properties: properties}
		for role := range node.References {
			items[i].Roles = append(items[i].Roles, role)
		}
	}
	var answers [][]contract.Diagnostic
	err := e.ask(ctx, name, version, func(provider contract.Provider) (err error) {
		answers, err = provider.Validate(ctx, items)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("validate with %s: %w", name, err)
	}
	var problems []graph.Problem
	for i := range min(len(answers), len(nodes)) {
		for _, d := range answers[i] {
			if d.Severity == contract.SeverityError {
				at := append([]string{"properties"}, document.Split(d.Pointer)...)
				problems = append(problems, graph.ProblemOf(configPrefix, nodes[i], d.Summary, at...))
			}
		}
	}
	return problems, nil
}

// withBoxes puts the sealed values back that the graph does not keep: a type may have rules on whether they are there.
func withBoxes(node *graph.Node, boxes map[string]string) (json.RawMessage, error) {
	values := make(map[string]json.RawMessage, len(boxes))
	for pointer, box := range boxes {
		values[pointer], _ = json.Marshal(box) // a string always encodes
	}
	return document.Fill(node.Properties, values)
}
