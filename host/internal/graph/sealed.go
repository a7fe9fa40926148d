package graph

import (
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

// Unseal sorts boxes that are brought again for a stored graph, by pointer "/resources/x/properties/y", into those of each provider. A
// box for what is no sensitive property of the graph is a problem; one that is lacking is not: the caller knows what is needed.
func (s *Spec) Unseal(boxes map[string]string) (map[string][]SealedValue, []Problem) {
	index := make(map[string]*Node, len(s.Nodes))
	for i := range s.Nodes {
		node := &s.Nodes[i]
		if _, twice := index[node.ResourceID]; !twice { // what a derived graph does to a resource besides comes behind
			index[node.ResourceID] = node
		}
	}
	sealed, problems := map[string][]SealedValue{}, []Problem(nil)
	for _, pointer := range sortedKeys(boxes) {
		node, property := sealedAt(index, pointer)
		switch {
		case node == nil:
			problems = append(problems, misplacedBox(pointer))
		case !isBox(boxes[pointer]):
			problems = append(problems, badBox(pointer))
		default:
			provider := node.Provider()
			sealed[provider] = append(sealed[provider], SealedValue{
				NodeID: node.Logical(), ResourceID: node.ResourceID, Type: node.Type, Pointer: property, Box: boxes[pointer],
			})
		}
	}
	return sealed, problems
}

// sealedAt finds the node and the property that a pointer of sealed_properties names; nil when that is none.
func sealedAt(index map[string]*Node, pointer string) (*Node, string) {
	resourceID, property, _ := splitSealed(pointer)
	node := index[resourceID]
	if node == nil || !slices.Contains(node.Sealed, property) {
		return nil, ""
	}
	return node, property
}

// splitSealed takes a key of sealed_properties apart: a resource id, and a pointer into its properties.
func splitSealed(pointer string) (resourceID, property string, ok bool) {
	segments := document.Split(pointer)
	if len(segments) < 4 || segments[0] != "resources" || segments[2] != "properties" {
		return "", "", false
	}
	return segments[1], pointerOf(segments[3:]), true
}

func pointerOf(segments []string) string {
	pointer := ""
	for _, segment := range segments {
		pointer += "/" + escapeSegment.Replace(segment)
	}
	return pointer
}

var escapeSegment = strings.NewReplacer("~", "~0", "/", "~1")

// SealedPointer is the key of sealed_properties for a sealed property of a node.
func SealedPointer(node *Node, property string) string {
	return "/resources/" + node.ResourceID + "/properties/" + strings.TrimPrefix(property, "/")
}
