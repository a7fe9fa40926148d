// Package graph is the spec graph: what to deploy, immutable once made. Build turns a decoded configuration into one, and
// reports every problem at once. It performs nothing and knows no provider beyond the descriptions it is handed.
package graph

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// EdgeType says what an edge demands.
type EdgeType string

// The edge types.
const (
	Dependency EdgeType = "dependency"
	Pause      EdgeType = "pause"
	End        EdgeType = "end"
)

// Spec is a spec graph. Its JSON is what the store keeps and `view=spec` serves. Nodes and edges are in document order.
type Spec struct {
	GraphID      string `json:"graph_id"`
	DeploymentID string `json:"deployment_id"`
	Version      string `json:"version"`
	// BasedOn is the graph that the deployment stood as when this one was made, "" for none.
	BasedOn string `json:"based_on,omitempty"`
	// Of is set in a derived graph: the graph whose resources its operations bring about. Labels and records name that one.
	Of string `json:"of,omitempty"`
	// Hold is set in the graph of a move: what is released, as an edge, when the move is committed.
	Hold string `json:"hold,omitempty"`
	// PartOf is the graph that this one is a subgraph of, "" for none.
	PartOf string `json:"part_of,omitempty"`
	// Timeout bounds a run over this graph, in seconds; 0 for none.
	Timeout   float64        `json:"timeout_seconds,omitempty"`
	Providers map[string]Pin `json:"providers"`
	Nodes     []Node         `json:"nodes"`
	Edges     []Edge         `json:"edges"`
	// Context are nodes that the others refer to and that nothing is done about: a derived graph has some.
	Context []Node `json:"context,omitempty"`
}

// Node looks a node up by resource id; nil when there is none. It is linear: index what is looked up often.
func (s *Spec) Node(resourceID string) *Node {
	for i := range s.Nodes {
		if s.Nodes[i].ResourceID == resourceID {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Labels identify what a node makes (owner, deploy-id, resource-id) and inform about it. Callers may keep and change the map.
func (s *Spec) Labels(node *Node, owner string) map[string]string {
	labels := map[string]string{
		contract.LabelGraphID:    cmp.Or(s.Of, s.GraphID),
		contract.LabelNodeID:     node.Logical(),
		contract.LabelDeployID:   s.DeploymentID,
		contract.LabelResourceID: node.ResourceID,
		contract.LabelOwner:      owner,
	}
	if node.EdgeID != "" {
		labels[contract.LabelEdgeID] = node.EdgeID
	}
	return labels
}

// Pin is the provider version that every run of this graph uses.
type Pin struct {
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// Node is one resource with one verb.
type Node struct {
	NodeID string `json:"node_id"`
	// Subject is the node id of the logical resource that this node acts on, where that is not its own: a derived graph may
	// hold several operations on one.
	Subject    string        `json:"subject,omitempty"`
	ResourceID string        `json:"resource_id"`
	Type       string        `json:"resource_type"`
	Verb       contract.Verb `json:"operation"`
	// Properties without sensitive values; Sealed lists the pointers of those that were given.
	Properties json.RawMessage `json:"properties"`
	Sealed     []string        `json:"sealed,omitempty"`
	// Handed are the sealed properties that a part has from its composite, by pointer.
	Handed map[string]Handed `json:"handed,omitempty"`
	// Fingerprints of sealed values by pointer, made by the provider.
	Fingerprints map[string]string    `json:"fingerprints,omitempty"`
	References   map[string]Reference `json:"references,omitempty"`
	Tags         map[string]string    `json:"custom_tags,omitempty"`
	// EdgeID is the first incoming dependency, for the label; "" also where the vendor takes too few labels for it.
	EdgeID string `json:"edge_id,omitempty"`
	// SubgraphID is set for a composite, and names the graph of what it consists of. Its parts are nodes of this graph as well,
	// and all edges are between nodes that are no composites.
	SubgraphID string `json:"subgraph_id,omitempty"`
	// Outputs of a composite, each read from one of its parts.
	Outputs map[string]Reference `json:"outputs,omitempty"`
	// Regions are the target regions, the deployment's first one first; [""] for a global resource, none for a composite.
	Regions []string `json:"target_regions"`
	// Names are the physical names by region.
	Names   map[string]string `json:"names,omitempty"`
	Adopt   bool              `json:"adopt,omitempty"`
	Exact   bool              `json:"exact_name,omitempty"`
	Timeout float64           `json:"timeout_seconds,omitempty"`
	// Away has this node act in the account that a move goes to, with the credentials for that.
	Away bool `json:"away,omitempty"`
	// Undo says what this node takes back, nil for nothing.
	Undo *Undo `json:"undo,omitempty"`
}

// Undo names an operation of an earlier run: its provider brings back what its rollback record holds.
type Undo struct {
	RunID     string `json:"run_id"`
	Operation string `json:"operation"`
	// GraphID is the graph that the thing stands as afterwards, "" for none.
	GraphID string `json:"graph_id,omitempty"`
}

// Logical is the node id of the logical resource that the node acts on: labels, placements and names go by it.
func (n *Node) Logical() string {
	if n.Subject != "" {
		return n.Subject
	}
	return n.NodeID
}

// Provider is the first segment of the node's type.
func (n *Node) Provider() string {
	for i := range n.Type {
		if n.Type[i] == ':' {
			return n.Type[:i]
		}
	}
	return n.Type
}

// Reference is one value that a node takes from another. Text is what the caller wrote.
type Reference struct {
	Text   string `json:"text"`
	NodeID string `json:"node_id"`
	// Output is "" when the resource itself is meant.
	Output string `json:"output,omitempty"`
	// Region is set where the caller named one, or where a global resource reads the first region of another.
	Region string `json:"region,omitempty"`
	// Property is the pointer that the value fills, "" when the role fills none.
	Property string `json:"property,omitempty"`
}

// RegionOf says in which region of source a reader in one region reads: where the reference names one, there; else in the
// reader's own when source is there too; else in the first of source.
func (r Reference) RegionOf(source *Node, reader string) string {
	if r.Region != "" {
		return r.Region
	}
	if len(source.Regions) == 0 || slices.Contains(source.Regions, reader) {
		return reader
	}
	return source.Regions[0]
}

// Edge says that To waits for From.
type Edge struct {
	EdgeID string   `json:"edge_id"`
	From   string   `json:"from_node_id"`
	To     string   `json:"to_node_id"`
	Type   EdgeType `json:"edge_type"`
}

// MaxProblems is how many problems are reported at once, at most.
const MaxProblems = document.MaxProblems

// Problem is one thing wrong with a configuration.
type Problem = document.Problem
