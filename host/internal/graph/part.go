package graph

import (
	"fmt"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

// Composite says whether the node stands for others, and makes nothing itself.
func (n *Node) Composite() bool { return n.SubgraphID != "" }

// Handed says where a sealed property of a part comes from: the composite that the caller sealed it for, and where it stands
// there. Type and Pointer are what the box was sealed for.
type Handed struct {
	NodeID     string `json:"node_id"`
	ResourceID string `json:"resource_id"`
	Type       string `json:"resource_type"`
	Pointer    string `json:"pointer"`
}

// Needs are the sealed values that a node takes: its own, and then those that a composite hands it.
func (n *Node) Needs() []Handed {
	var all []Handed
	for _, pointer := range n.Sealed {
		all = append(all, Handed{NodeID: n.Logical(), ResourceID: n.ResourceID, Type: n.Type, Pointer: pointer})
	}
	for _, pointer := range sortedKeys(n.Handed) {
		all = append(all, n.Handed[pointer])
	}
	return all
}

// Boxes are those that a node is given, by pointer, out of all by node id and pointer: its own, and those it is handed. One that
// was not given is left out.
func (n *Node) Boxes(all map[string]map[string]string) map[string]string {
	if len(n.Handed) == 0 {
		return all[n.Logical()]
	}
	boxes := map[string]string{}
	for pointer, from := range n.Handed {
		if box := all[from.NodeID][from.Pointer]; box != "" {
			boxes[pointer] = box
		}
	}
	return boxes
}

// Enclosing is the resource id of the composite that a resource is a part of, "" for none. No id that a caller gives has a dot.
func Enclosing(resourceID string) string {
	if i := strings.LastIndexByte(resourceID, '.'); i >= 0 {
		return resourceID[:i]
	}
	return ""
}

// Covers says whether a resource id names a resource, or a composite that it is in, however deep.
func Covers(resourceID, part string) bool {
	return strings.HasPrefix(part, resourceID) && (len(part) == len(resourceID) || part[len(resourceID)] == '.')
}

// ProblemOf tells what is wrong with a node where the caller can see it, at segments below its resource: what is wrong with a part
// is told where its outermost composite stands. Prefix is where the config is.
func ProblemOf(prefix string, node *Node, message string, segments ...string) Problem {
	top, name, isPart := strings.Cut(node.ResourceID, ".")
	if isPart {
		message, segments = blame(name, node.Type, message, segments)
	}
	pointer := document.Join(prefix+"/resources", top)
	for _, segment := range segments {
		pointer = document.Join(pointer, segment)
	}
	return Problem{Pointer: pointer, Message: message}
}

// blame says of a part what is wrong with it, and where to say it: its verb and tags are those of its composite, all else is the
// provider's work.
func blame(name, kind, message string, segments []string) (told string, at []string) {
	switch {
	case len(segments) > 0 && (segments[0] == "tags" || segments[0] == "operation"):
		return fmt.Sprintf("its part %q (%s): %s", name, kind, message), segments
	case len(segments) > 0 && segments[0] == "properties":
		at = segments[:1]
	}
	return fmt.Sprintf("its provider makes a part %q (%s) of it that is wrong at %s: %s", name, kind, pointerOf(segments), message), at
}
