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

// grow makes room for another node.
func (s *edgeSet) grow() { s.reader = append(s.reader, -1) }

// connect makes the edges that lead to one resource. Those of depends_on come first: their type wins.
func (b *builder) connect(i int) {
	definition := &b.resources[i].Definition
	if part := b.states[i].part; part != nil {
		b.connectPart(i, part)
		return
	}
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
	b.referTo(i, from, roleName, Reference{Text: text, Output: output, Region: region})
}

// referTo notes a reference to a resource, or to the part of it that gives the output.
func (b *builder) referTo(i, from int, roleName string, reference Reference) {
	source, problem := b.resolve(i, from, roleName, &reference)
	if problem != "" {
		b.wrong(i, problem, "references", roleName)
		return
	}
	if source < 0 {
		return // what is wrong was reported before
	}
	b.note(i, source, roleName, reference)
}

// note keeps a reference that is resolved.
func (b *builder) note(i, source int, roleName string, reference Reference) {
	node := &b.spec.Nodes[i]
	reference.NodeID = b.spec.Nodes[source].NodeID
	if node.References == nil {
		node.References = make(map[string]Reference, len(b.resources[i].Definition.References))
	}
	node.References[roleName] = reference
	if expansion := b.states[i].expansion; expansion != nil {
		expansion.sources[roleName] = source
	}
}

// splitReference reads "id", "id.output" and "id@region.output".
func splitReference(text string) (id, region, output string, ok bool) {
	place, output, hasOutput := strings.Cut(text, ".")
	id, region, hasRegion := strings.Cut(place, "@")
	return id, region, output, id != "" && (output != "" || !hasOutput) && (region != "" || !hasRegion)
}

// resolve checks a reference against the types on both sides, and gives the node that it is read from, -1 when that is not known:
// a type that is unknown was reported before. Else it says what is wrong.
func (b *builder) resolve(i, from int, roleName string, reference *Reference) (source int, problem string) {
	source, problem = b.inside(from, reference)
	if problem != "" {
		return -1, problem
	}
	if kind := b.states[i].kind; kind != nil {
		if problem := b.resolveRole(kind, from, source, roleName, reference); problem != "" {
			return -1, problem
		}
	}
	if source < 0 || b.states[source].kind == nil {
		return source, ""
	}
	if problem := b.resolveOutput(source, reference); problem != "" {
		return -1, problem
	}
	return source, b.resolveRegion(i, source, reference)
}

// resolveRole holds a reference against the role that it is for: a composite, or the part of it that is read, may be what the
// role asks for.
func (b *builder) resolveRole(kind *resourceKind, from, source int, roleName string, reference *Reference) string {
	r := kind.roles[roleName]
	if r == nil {
		return "is not a reference that this type takes" + choices(roleNames(kind))
	}
	reference.Property = r.Property
	if len(r.Types) == 0 || source < 0 || b.states[source].kind == nil {
		return ""
	}
	if slices.Contains(r.Types, b.states[source].kind.Name) || slices.Contains(r.Types, b.states[from].kind.Name) {
		return ""
	}
	return "must name a resource of type " + strings.Join(r.Types, " or ")
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
	case b.states[i].kind.Composite:
		return "" // each part that it is handed to reads in its own region
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
	if b.order = ordered.Order(); len(b.order) == len(b.resources) {
		return
	}
	closing := make(map[dag.Edge]int, len(edges))
	for i, e := range edges {
		closing[e] = i
	}
	for _, cycle := range ordered.Cycles(maxCycles) {
		first, last := cycle[0], cycle[len(cycle)-1]
		edge := &b.edges.all[closing[dag.Edge{From: last, To: first}]]
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
	if b.validID(i) {
		return b.resources[i].ID
	}
	return "(no valid id)"
}

// nameEdges gives the edges their ids, and each node that of the first that leads to it.
func (b *builder) nameEdges() {
	drawn := make(map[string]bool, len(b.flat))
	b.spec.Edges = make([]Edge, len(b.flat))
	for i, e := range b.flat {
		to := &b.spec.Nodes[e.to]
		edge := Edge{EdgeID: b.draw(drawn), From: b.spec.Nodes[e.from].NodeID, To: to.NodeID, Type: e.kind}
		b.spec.Edges[i] = edge
		if to.EdgeID == "" && b.roomForEdge(e.to) {
			to.EdgeID = edge.EdgeID
		}
	}
}
