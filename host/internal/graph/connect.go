package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dag"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// edgeSet are the edges so far, one for each pair of nodes, by index.
type edgeSet struct {
	all []pendingEdge
	// reader tells, for each node, who last got an edge from it: enough to find doubles while readers come one by one.
	reader []int
}

// pendingEdge is an edge without an id, and where in the document it stands: in depends_on, or under the role of a reference.
type pendingEdge struct {
	from, to   int
	kind       EdgeType
	role       string
	dependency int
}

// place gives the segments below the resource.
func (e *pendingEdge) place() []string {
	if e.role != "" {
		return []string{"references", e.role}
	}
	return []string{"depends_on", item(e.dependency)}
}

func newEdgeSet(resources rest.Resources) edgeSet {
	most := 0
	for i := range resources {
		most += len(resources[i].Definition.DependsOn) + len(resources[i].Definition.References)
	}
	s := edgeSet{all: make([]pendingEdge, 0, most), reader: make([]int, len(resources))}
	for i := range s.reader {
		s.reader[i] = -1
	}
	return s
}

// add is false when there is one between the two already.
func (s *edgeSet) add(e pendingEdge) bool {
	if s.reader[e.from] == e.to {
		return false
	}
	s.reader[e.from] = e.to
	s.all = append(s.all, e)
	return true
}

// connect makes the edges that lead to one resource. Those of depends_on come first: their type wins.
func (b *builder) connect(i int) {
	definition := &b.resources[i].Definition
	for k := range definition.DependsOn {
		b.depend(i, k)
	}
	for _, role := range sortedKeys(definition.References) {
		b.refer(i, role, definition.References[role])
	}
}

const (
	noResource = "names no resource of this configuration"
	noSelf     = "names the resource itself"
)

func (b *builder) depend(i, k int) {
	dependency := b.resources[i].Definition.DependsOn[k]
	edgeType := Dependency
	if dependency.EdgeType != "" {
		edgeType = EdgeType(dependency.EdgeType)
	}
	if edgeType != Dependency && edgeType != Pause && edgeType != End {
		b.wrong(i, "must be dependency, pause or end", "depends_on", item(k), "edge_type")
	}
	from, known := b.byID[dependency.Resource]
	edge := pendingEdge{from: from, to: i, kind: edgeType, dependency: k}
	switch {
	case !known:
		b.wrong(i, noResource, edge.place()...)
	case from == i:
		b.wrong(i, noSelf, edge.place()...)
	case !b.edges.add(edge):
		b.wrong(i, "names a resource that stands there before", edge.place()...)
	}
}

// refer reads one reference, checks it against both types, and makes its edge.
func (b *builder) refer(i int, roleName, text string) {
	place := []string{"references", roleName}
	id, region, output, ok := splitReference(text)
	if !ok {
		b.wrong(i, `must be "resource", "resource.output" or "resource@region.output"`, place...)
		return
	}
	from, known := b.byID[id]
	if !known {
		b.wrong(i, noResource, place...)
		return
	}
	if from == i {
		b.wrong(i, noSelf, place...)
		return
	}
	b.edges.add(pendingEdge{from: from, to: i, kind: Dependency, role: roleName})
	reference := Reference{Text: text, NodeID: b.spec.Nodes[from].NodeID, Output: output, Region: region}
	if problem := b.resolve(i, from, roleName, &reference); problem != "" {
		b.wrong(i, problem, place...)
		return
	}
	node := &b.spec.Nodes[i]
	if node.References == nil {
		node.References = make(map[string]Reference, len(b.resources[i].Definition.References))
	}
	node.References[roleName] = reference
}

// splitReference reads "id", "id.output" and "id@region.output".
func splitReference(text string) (id, region, output string, ok bool) {
	place, output, hasOutput := strings.Cut(text, ".")
	id, region, hasRegion := strings.Cut(place, "@")
	return id, region, output, id != "" && (output != "" || !hasOutput) && (region != "" || !hasRegion)
}

// resolve checks a reference against the types on both sides, and says what is wrong. A type that is unknown was reported before.
func (b *builder) resolve(i, from int, roleName string, reference *Reference) string {
	if kind := b.states[i].kind; kind != nil {
		r := kind.roles[roleName]
		if r == nil {
			return "is not a reference that this type takes" + choices(roleNames(kind))
		}
		reference.Property = r.Property
		if source := b.states[from].kind; source != nil && len(r.Types) > 0 && !slices.Contains(r.Types, source.Name) {
			return "must name a resource of type " + strings.Join(r.Types, " or ")
		}
	}
	if b.states[from].kind == nil {
		return ""
	}
	if problem := b.resolveOutput(from, reference); problem != "" {
		return problem
	}
	return b.resolveRegion(i, from, reference)
}

func roleNames(kind *resourceKind) []string {
	names := make([]string, len(kind.References))
	for i := range kind.References {
		names[i] = kind.References[i].Role
	}
	return names
}

func choices(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": it takes " + strings.Join(names, ", ")
}

func (b *builder) resolveOutput(from int, reference *Reference) string {
	source := b.states[from].kind
	switch {
	case reference.Output != "" && !source.outputs[reference.Output]:
		names := make([]string, len(source.Outputs))
		for i := range source.Outputs {
			names[i] = source.Outputs[i].Name
		}
		if len(names) == 0 {
			return "names an output, and " + source.Name + " has none"
		}
		return "names an output that " + source.Name + " does not have: it has " + strings.Join(names, ", ")
	case reference.Output == "" && reference.Property != "" && source.SelfOutput == "":
		return "must name an output: nothing stands for a " + source.Name + " as such"
	}
	return ""
}

// resolveRegion fills in a region where neither the caller nor pairing says which is meant.
func (b *builder) resolveRegion(i, from int, reference *Reference) string {
	reader, source := &b.spec.Nodes[i], &b.spec.Nodes[from]
	switch {
	case reference.Region != "" && b.states[from].global:
		return "names a region of a resource that has none"
	case reference.Region != "" && !slices.Contains(source.Regions, reference.Region):
		return "names a region that the resource is not in"
	case reference.Region != "" || len(source.Regions) < 2 || b.states[i].kind == nil || Paired(reader, source):
		return ""
	}
	reference.Region = source.Regions[0]
	b.warnings = append(b.warnings, fmt.Sprintf("%s reads %s in %s, the first of its %d regions; write %s@region to choose another",
		reader.ResourceID, source.ResourceID, reference.Region, len(source.Regions), source.ResourceID))
	return ""
}

// findCycles reports each cycle at the edge that closes it.
func (b *builder) findCycles() {
	edges := make([]dag.Edge, len(b.edges.all))
	for i, e := range b.edges.all {
		edges[i] = dag.Edge{From: e.from, To: e.to}
	}
	ordered := dag.New(len(b.resources), edges)
	if len(ordered.Order()) == len(b.resources) {
		return
	}
	closing := make(map[dag.Edge]int, len(edges))
	for i, e := range edges {
		closing[e] = i
	}
	for _, cycle := range ordered.Cycles(maxCycles) {
		first, last := cycle[0], cycle[len(cycle)-1]
		edge := b.edges.all[closing[dag.Edge{From: last, To: first}]]
		b.wrong(first, "closes a cycle: "+b.path(cycle), edge.place()...)
	}
}

const (
	maxCycles    = 50
	maxPathShown = 20
)

// path shows a cycle in the order things would have to run in, its beginning once more at the end.
func (b *builder) path(cycle []int) string {
	ids := make([]string, 0, maxPathShown+2)
	for _, v := range cycle[:min(len(cycle), maxPathShown)] {
		ids = append(ids, b.shown(v))
	}
	if len(cycle) > maxPathShown {
		ids = append(ids, fmt.Sprintf("(%d more)", len(cycle)-maxPathShown))
	}
	return strings.Join(append(ids, b.shown(cycle[0])), " -> ")
}

// shown is a resource id that may stand in a message.
func (b *builder) shown(i int) string {
	if id := b.resources[i].ID; isID(id) {
		return id
	}
	return "(no valid id)"
}

// nameEdges gives the edges their ids, and each node that of the first that leads to it.
func (b *builder) nameEdges() {
	drawn := make(map[string]bool, len(b.edges.all))
	b.spec.Edges = make([]Edge, len(b.edges.all))
	for i, e := range b.edges.all {
		to := &b.spec.Nodes[e.to]
		edge := Edge{EdgeID: b.draw(drawn), From: b.spec.Nodes[e.from].NodeID, To: to.NodeID, Type: e.kind}
		b.spec.Edges[i] = edge
		if to.EdgeID == "" && b.roomForEdge(e.to) {
			to.EdgeID = edge.EdgeID
		}
	}
}
