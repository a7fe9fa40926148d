package engine

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// sealedValue is one sealed property of a request and where it stands there.
type sealedValue struct {
	nodeID  string
	typ     string
	pointer string // into the properties
	request string // into the request
	box     string
}

// sealedOf notes where each sealed value stands in the request.
func sealedOf(values map[string][]graph.SealedValue, at func(graph.SealedValue) string) map[string][]sealedValue {
	sealed := make(map[string][]sealedValue, len(values))
	for provider := range values {
		for _, v := range values[provider] {
			sealed[provider] = append(sealed[provider], sealedValue{
				nodeID: v.NodeID, typ: v.Type, pointer: v.Pointer, box: v.Box, request: at(v),
			})
		}
	}
	return sealed
}

func inConfig(v graph.SealedValue) string {
	return configPrefix + graph.SealedPointer(&graph.Node{ResourceID: v.ResourceID}, v.Pointer)
}

// sealedAgain reads sealed_properties against the nodes of a stored graph.
func sealedAgain(boxes map[string]string, spec *graph.Spec) (map[string][]sealedValue, error) {
	values, problems := spec.Unseal(boxes)
	if len(problems) > 0 {
		return nil, invalid(problems...)
	}
	return sealedOf(values, func(v graph.SealedValue) string {
		return document.Join("/sealed_properties", graph.SealedPointer(&graph.Node{ResourceID: v.ResourceID}, v.Pointer))
	}), nil
}

// boxesOf gives boxes by node id and pointer.
func boxesOf(sealed map[string][]sealedValue) map[string]map[string]string {
	boxes := map[string]map[string]string{}
	for _, values := range sealed {
		for _, value := range values {
			if boxes[value.nodeID] == nil {
				boxes[value.nodeID] = map[string]string{}
			}
			boxes[value.nodeID][value.pointer] = value.box
		}
	}
	return boxes
}

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
	return refused(problems)
}
