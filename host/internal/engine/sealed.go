package engine

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// complete says which sealed values are still needed, by name, and were not given. What a composite hands to its parts is asked for
// where the composite stands.
func complete(p *plan.Plan, given map[string][]sealedValue, open func(operation int) bool) error {
	boxes, seen := boxesOf(given), map[[2]string]bool{}
	var problems []graph.Problem
	for i := range p.Operations {
		node := p.Operations[i].Node
		sets := node.Verb == contract.VerbCreate || node.Verb == contract.VerbUpdate || node.Verb == contract.VerbEnsure
		if !sets || !open(i) || node.Undo != nil {
			continue
		}
		for _, need := range node.Needs() {
			key := [2]string{need.NodeID, need.Pointer}
			if !seen[key] && boxes[need.NodeID][need.Pointer] == "" {
				at := document.Join("/sealed_properties", graph.SealedPointer(&graph.Node{ResourceID: need.ResourceID}, need.Pointer))
				problems = append(problems, graph.Problem{Pointer: at, Message: "was never stored, and is needed again"})
			}
			seen[key] = true
		}
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	return nil
}
