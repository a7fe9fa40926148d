package graph

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
)

// Change says what became of a resource from one spec graph to another.
type Change string

// The changes.
const (
	Added     Change = "added"
	Removed   Change = "removed"
	Changed   Change = "changed"
	Unchanged Change = "unchanged"
)

// Difference is one value that is not the same; nil stands for none. Of a sealed value neither side is told, and Unknown says that
// its fingerprint is missing on a side that has it.
type Difference struct {
	Pointer       string
	Before, After json.RawMessage
	Sealed        bool
	Unknown       bool
}

// NodeComparison is what became of one resource; pointers are into the node's JSON. Dependencies stand at /depends_on.
type NodeComparison struct {
	ResourceID  string
	Type        string
	Change      Change
	Differences []Difference
}

// Comparison is what is different between two spec graphs.
type Comparison struct {
	Nodes       []NodeComparison
	Differences []Difference
}

// Compare holds two spec graphs of a deployment against each other, resource by resource. Ids that were drawn, and what only says
// when a graph was made, are left out. Linear in both.
func Compare(from, to *Spec) *Comparison {
	c := &Comparison{}
	d := differences{}
	d.value("/version", from.Version, to.Version)
	d.value("/timeout_seconds", from.Timeout, to.Timeout)
	d.members("/providers", from.Providers, to.Providers)
	c.Differences = d.list
	before, after := resourcesOf(from), resourcesOf(to)
	for i := range to.Nodes {
		node := &to.Nodes[i]
		c.Nodes = append(c.Nodes, compareNodes(before.nodes[node.ResourceID], node, before, after))
	}
	for i := range from.Nodes {
		if node := &from.Nodes[i]; after.nodes[node.ResourceID] == nil {
			c.Nodes = append(c.Nodes, NodeComparison{ResourceID: node.ResourceID, Type: node.Type, Change: Removed})
		}
	}
	return c
}

// resources is a spec graph by what callers call its nodes.
type resources struct {
	nodes map[string]*Node
	// dependencies are edge types, by reader and source.
	dependencies map[string]map[string]EdgeType
}

func resourcesOf(spec *Spec) resources {
	r := resources{nodes: make(map[string]*Node, len(spec.Nodes)), dependencies: map[string]map[string]EdgeType{}}
	names := make(map[string]string, len(spec.Nodes))
	for i := range spec.Nodes {
		r.nodes[spec.Nodes[i].ResourceID] = &spec.Nodes[i]
		names[spec.Nodes[i].NodeID] = spec.Nodes[i].ResourceID
	}
	for _, edge := range spec.Edges {
		reader := names[edge.To]
		if r.dependencies[reader] == nil {
			r.dependencies[reader] = map[string]EdgeType{}
		}
		r.dependencies[reader][names[edge.From]] = edge.Type
	}
	return r
}

func compareNodes(before, after *Node, from, to resources) NodeComparison {
	c := NodeComparison{ResourceID: after.ResourceID, Type: after.Type, Change: Added}
	if before == nil {
		return c
	}
	d := differences{}
	d.value("/resource_type", before.Type, after.Type)
	d.value("/operation", before.Verb, after.Verb)
	d.value("/target_regions", before.Regions, after.Regions)
	d.document("/properties", decoded(before.Properties), decoded(after.Properties))
	d.sealed(before, after)
	d.members("/references", texts(before.References), texts(after.References))
	d.members("/depends_on", from.dependencies[before.ResourceID], to.dependencies[after.ResourceID])
	d.members("/custom_tags", before.Tags, after.Tags)
	d.members("/names", before.Names, after.Names)
	d.value("/adopt", before.Adopt, after.Adopt)
	d.value("/exact_name", before.Exact, after.Exact)
	d.value("/timeout_seconds", before.Timeout, after.Timeout)
	c.Differences, c.Change = d.list, Changed
	if len(d.list) == 0 {
		c.Change = Unchanged
	}
	return c
}

func texts(references map[string]Reference) map[string]string {
	written := make(map[string]string, len(references))
	for role, reference := range references {
		written[role] = reference.Text
	}
	return written
}

// differences gathers what is not the same.
type differences struct{ list []Difference }

// value compares two fields of a node, of which a zero one says that there is none.
func (d *differences) value(pointer string, before, after any) {
	d.leaf(pointer, given(before), given(after))
}

func given(value any) any {
	if v := reflect.ValueOf(value); v.IsZero() {
		return nil
	}
	return value
}

// leaf compares two values as they are; nil is none.
func (d *differences) leaf(pointer string, before, after any) {
	if !reflect.DeepEqual(before, after) {
		d.list = append(d.list, Difference{Pointer: pointer, Before: encoded(before), After: encoded(after)})
	}
}

// members compares two objects member by member.
func (d *differences) members(pointer string, before, after any) {
	d.document(pointer, decoded(encoded(before)), decoded(encoded(after)))
}

// document compares two JSON values down to what is not the same in them; nil is none.
func (d *differences) document(pointer string, before, after any) {
	if was, is, both := pair[map[string]any](before, after); both {
		for _, name := range unionOf(was, is) {
			d.document(document.Join(pointer, name), was[name], is[name])
		}
		return
	}
	if was, is, both := pair[[]any](before, after); both {
		for i := range max(len(was), len(is)) {
			d.document(pointer+"/"+strconv.Itoa(i), itemOf(was, i), itemOf(is, i))
		}
		return
	}
	d.leaf(pointer, before, after)
}

// pair says whether both are of a kind, or one is and the other is nothing.
func pair[T any](before, after any) (was, is T, both bool) {
	was, left := before.(T)
	is, right := after.(T)
	return was, is, left && right || left && after == nil || right && before == nil
}

func unionOf(a, b map[string]any) []string {
	names := slices.Collect(maps.Keys(a))
	for name := range b {
		if _, known := a[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func itemOf(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// sealed compares what is known of secrets: whether they are there, and the fingerprints that their provider made.
func (d *differences) sealed(before, after *Node) {
	was, is := fingerprints(before), fingerprints(after)
	for _, pointer := range unionOf(was, is) {
		left, hadIt := was[pointer]
		right, hasIt := is[pointer]
		unknown := hadIt && hasIt && (left == "" || right == "")
		if unknown || hadIt != hasIt || left != right {
			d.list = append(d.list, Difference{Pointer: "/properties" + pointer, Sealed: true, Unknown: unknown})
		}
	}
}

func fingerprints(node *Node) map[string]any {
	known := make(map[string]any, len(node.Sealed))
	for _, pointer := range node.Sealed {
		known[pointer] = node.Fingerprints[pointer]
	}
	return known
}

func encoded(value any) json.RawMessage {
	if value == nil {
		return nil
	}
	text, _ := json.Marshal(value) // of strings, numbers and what was decoded
	return text
}

// decoded reads JSON with its numbers as they are written; nil for none.
func decoded(text json.RawMessage) any {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}
