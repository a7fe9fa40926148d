package graph

import (
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

// Unseal sorts boxes that are brought again for a stored graph, by pointer "/resources/x/properties/y", into those of each provider. A
// box for what is no sensitive property of the graph is a problem; one that is lacking is not: the caller knows what is needed.
func (s *Spec) Unseal(boxes map[string]string) (map[string][]SealedValue, []Problem) {
	wanted := map[[2]string]Handed{}
	for i := range s.Nodes {
		for _, need := range s.Nodes[i].Needs() {
			wanted[[2]string{need.ResourceID, need.Pointer}] = need
		}
	}
	sealed, problems := map[string][]SealedValue{}, []Problem(nil)
	for _, pointer := range sortedKeys(boxes) {
		resourceID, property, _ := splitSealed(pointer)
		need, known := wanted[[2]string{resourceID, property}]
		switch {
		case !known:
			problems = append(problems, misplacedBox(pointer))
		case !isBox(boxes[pointer]):
			problems = append(problems, badBox(pointer))
		default:
			provider := (&Node{Type: need.Type}).Provider()
			sealed[provider] = append(sealed[provider], SealedValue{
				NodeID: need.NodeID, ResourceID: need.ResourceID, Type: need.Type, Pointer: property, Box: boxes[pointer],
			})
		}
	}
	return sealed, problems
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
