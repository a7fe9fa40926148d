package graph

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// MaxNesting is how many composites may stand one in the other.
const MaxNesting = 8

// expansion is what a composite consists of. Sources are the nodes that its own references are read from, by role.
type expansion struct {
	parts   map[string]int // by local name
	order   []int
	outputs map[string]string
	sources map[string]int
}

// part is what is known of a node because it is a part of a composite: where that stands, the siblings that it waits for, and the
// sealed properties that it is handed, by pointer.
type part struct {
	composite int
	after     []int
	handed    map[string]Handed
}

// standIn is what a schema is shown in place of a box that a composite hands on.
var standIn = base64.StdEncoding.EncodeToString(make([]byte, boxOverhead))

// boxes are stand-ins for what is handed on, by pointer.
func (p *part) boxes() map[string]string {
	boxes := make(map[string]string, len(p.handed))
	for pointer := range p.handed {
		boxes[pointer] = standIn
	}
	return boxes
}

// expand asks what a composite consists of, and goes on with the composites among that. above are the types that it stands in.
func (b *builder) expand(i int, above []string) {
	kind := b.states[i].kind
	if kind == nil || !kind.Composite || !kind.offers(b.spec.Nodes[i].Verb) || !b.mayNest(i, kind.Name, above) {
		return
	}
	before, first := len(b.problems), len(b.resources)
	if b.finishProperties(i, &b.resources[i].Definition) == nil || len(b.problems) > before || before == MaxProblems {
		return // what it would be expanded from is not right
	}
	result := b.consists(i, kind)
	if result == nil || !b.addParts(i, result) {
		return
	}
	b.composites++
	above = append(above[:len(above):len(above)], kind.Name)
	for _, part := range b.states[i].expansion.order {
		b.startNode(part)
		b.expand(part, above)
	}
	if b.states[i].part == nil {
		b.checkTagged(i, first)
	}
}

// checkTagged refuses tags that no part of a composite takes. Its parts are all that there are behind it from first on.
func (b *builder) checkTagged(i, first int) {
	if len(b.resources[i].Definition.Tags) == 0 || first == len(b.resources) {
		return
	}
	for part := first; part < len(b.resources); part++ {
		if kind := b.states[part].kind; kind == nil || kind.takesLabels() {
			return
		}
	}
	b.wrong(i, "no part of this takes tags", "tags")
}

func (b *builder) mayNest(i int, name string, above []string) bool {
	switch {
	case slices.Contains(above, name):
		b.wrong(i, "is a composite that stands in itself: "+strings.Join(append(above, name), " -> "), "type")
		return false
	case len(above) == MaxNesting:
		b.wrong(i, fmt.Sprintf("is a composite in more than %d others", MaxNesting), "type")
		return false
	}
	return true
}

// consists has the provider say what a composite consists of; nil where that is not known. It is shown nothing that is sealed:
// what is expanded is stored, and must not depend on a secret.
func (b *builder) consists(i int, kind *resourceKind) *contract.ExpandResult {
	if b.in.Expand == nil {
		b.wrong(i, "could not be expanded", "type")
		return nil
	}
	request := &contract.ExpandRequest{Type: kind.Name, Properties: b.spec.Nodes[i].Properties}
	for _, role := range sortedKeys(b.resources[i].Definition.References) {
		if kind.roles[role] != nil {
			request.Roles = append(request.Roles, role)
		}
	}
	result := b.in.Expand(request)
	if result == nil {
		b.wrong(i, "could not be expanded: its provider gave no answer", "type")
		return nil
	}
	refused := false
	for _, d := range result.Diagnostics {
		if d.Severity == contract.SeverityError {
			refused = true
			b.wrong(i, d.Summary, append([]string{"properties"}, document.Split(d.Pointer)...)...)
		}
	}
	if refused {
		return nil
	}
	return result
}

// misexpanded reports a fault of the provider where the composite stands.
func (b *builder) misexpanded(i int, format string, args ...any) {
	b.wrong(i, "its provider expands it wrongly: "+fmt.Sprintf(format, args...), "type")
}

// addParts makes the parts nodes of the graph, behind all that there are; false when they cannot be.
func (b *builder) addParts(i int, result *contract.ExpandResult) bool {
	if len(b.resources)+len(result.Nodes) > maxOperations {
		b.wrong(i, fmt.Sprintf("composites make more than %d resources", maxOperations), "type")
		return false
	}
	x := &expansion{parts: make(map[string]int, len(result.Nodes)), outputs: result.Outputs, sources: map[string]int{}}
	for k := range result.Nodes {
		name := result.Nodes[k].LocalName
		if _, twice := x.parts[name]; twice || !isID(name) {
			b.misexpanded(i, "part %d has no valid name of its own", k)
			return false
		}
		x.parts[name] = len(b.resources) + k
	}
	for k := range result.Nodes {
		if !b.checkPart(i, &result.Nodes[k]) {
			return false
		}
	}
	for k := range result.Nodes {
		x.order = append(x.order, b.addPart(i, &result.Nodes[k]))
	}
	b.states[i].expansion = x
	return b.orderParts(i, x, result.Edges)
}

// checkPart wants a part to be of the composite's own provider: only that can open what was sealed for the composite, and only
// that was picked. What it is handed must be a sealed property of the composite.
func (b *builder) checkPart(i int, expanded *contract.ExpandedNode) bool {
	kind := b.states[i].kind
	if provider, _, _ := strings.Cut(expanded.Type, ":"); provider != kind.provider {
		b.misexpanded(i, "part %q is of another provider", expanded.LocalName)
		return false
	}
	for _, from := range expanded.SealedProperties {
		if !slices.Contains(kind.Sensitive, from) {
			b.misexpanded(i, "part %q is handed %s, which is no sealed property", expanded.LocalName, from)
			return false
		}
	}
	return true
}

// addPart adds one part: it has the verb, the tags and the options of its composite.
func (b *builder) addPart(i int, expanded *contract.ExpandedNode) int {
	composite := b.resources[i]
	definition := composite.Definition
	definition.Type, definition.Operation = expanded.Type, string(b.spec.Nodes[i].Verb)
	definition.Properties, definition.References, definition.DependsOn = expanded.Properties, expanded.References, nil
	p := &part{composite: i}
	for pointer, from := range expanded.SealedProperties {
		if handed, given := b.handed(i, from); given {
			if p.handed == nil {
				p.handed = map[string]Handed{}
			}
			p.handed[pointer] = handed
		}
	}
	at := len(b.resources)
	b.resources = append(b.resources, &rest.NamedResource{ID: composite.ID + "." + expanded.LocalName, Definition: definition})
	b.states = append(b.states, nodeState{part: p})
	b.spec.Nodes = append(b.spec.Nodes, Node{})
	b.edges.grow()
	return at
}

// handed says what a sealed property of a composite was sealed for: itself, or a composite that it is in. It need not be given.
func (b *builder) handed(i int, pointer string) (Handed, bool) {
	node := &b.spec.Nodes[i]
	if slices.Contains(node.Sealed, pointer) {
		return Handed{NodeID: node.NodeID, ResourceID: node.ResourceID, Type: node.Type, Pointer: pointer}, true
	}
	from, given := node.Handed[pointer]
	return from, given
}

// orderParts notes what each part waits for.
func (b *builder) orderParts(i int, x *expansion, edges []contract.ExpandedEdge) bool {
	for _, edge := range edges {
		from, known := x.parts[edge.From]
		to, also := x.parts[edge.To]
		if !known || !also || from == to {
			b.misexpanded(i, "an edge leads from %q to %q", edge.From, edge.To)
			return false
		}
		waits := b.states[to].part
		waits.after = append(waits.after, from)
	}
	return true
}

// connectPart makes the edges between a part and its siblings. What the composite waits for is none of them: see flatten.
func (b *builder) connectPart(i int, p *part) {
	for _, from := range p.after {
		b.edges.add(pendingEdge{from: from, to: i, kind: Dependency})
	}
	references := b.resources[i].Definition.References
	for _, roleName := range sortedKeys(references) {
		if role, own := strings.CutPrefix(references[roleName], contract.OwnRole); own {
			b.handOn(i, p, roleName, role)
		} else {
			b.referSibling(i, p, roleName, references[roleName])
		}
	}
}

func (b *builder) referSibling(i int, p *part, roleName, text string) {
	id, region, output, ok := splitReference(text)
	from, known := b.states[p.composite].expansion.parts[id]
	switch {
	case !ok || region != "":
		b.wrong(i, `must be "part", "part.output" or "$role"`, "references", roleName)
	case !known:
		b.wrong(i, "names no part of the composite", "references", roleName)
	case from == i:
		b.wrong(i, "names the part itself", "references", roleName)
	default:
		b.edges.add(pendingEdge{from: from, to: i, kind: Dependency, role: roleName})
		b.referTo(i, from, roleName, Reference{Text: b.resources[p.composite].ID + "." + text, Output: output})
	}
}

// handOn gives a part what its composite refers to by a role of its own.
func (b *builder) handOn(i int, p *part, roleName, role string) {
	if _, given := b.resources[p.composite].Definition.References[role]; !given {
		b.wrong(i, "names a reference that the composite was not given", "references", roleName)
		return
	}
	source, resolved := b.states[p.composite].expansion.sources[role]
	kind := b.states[i].kind
	if !resolved || kind == nil {
		return // what is wrong was reported before
	}
	reference := b.spec.Nodes[p.composite].References[role]
	problem := b.resolveRole(kind, source, source, roleName, &reference)
	if problem == "" && b.states[source].kind != nil {
		problem = cmp.Or(b.resolveOutput(source, &reference), b.resolveRegion(i, source, &reference))
	}
	if problem != "" {
		b.wrong(i, problem, "references", roleName)
		return
	}
	b.note(i, source, roleName, reference)
}

// inside follows a reference to a composite into the part that gives what it names, -1 when that is not known. What is no
// composite stands for itself.
func (b *builder) inside(from int, reference *Reference) (source int, problem string) {
	for {
		kind, x := b.states[from].kind, b.states[from].expansion
		switch {
		case kind == nil || !kind.Composite:
			return from, ""
		case x == nil:
			return -1, ""
		}
		name := cmp.Or(reference.Output, kind.SelfOutput)
		text, has := x.outputs[name]
		switch {
		case name == "":
			return -1, "must name an output: nothing stands for a " + kind.Name + " as such" + choices(sortedKeys(x.outputs))
		case !has:
			return -1, "names an output that this " + kind.Name + " does not have" + choices(sortedKeys(x.outputs))
		}
		id, region, output, ok := splitReference(text)
		part, known := x.parts[id]
		if !ok || region != "" || !known {
			return -1, fmt.Sprintf("names the output %q, which the provider of %s gives from no part of it", name, kind.Name)
		}
		from, reference.Output = part, output
		if inner := b.states[from].kind; inner != nil {
			reference.Output = cmp.Or(output, inner.SelfOutput)
		}
	}
}

// noteOutputs says of each output of a composite which part gives it.
func (b *builder) noteOutputs(i int) {
	x := b.states[i].expansion
	if x == nil || len(x.outputs) == 0 {
		return
	}
	outputs := make(map[string]Reference, len(x.outputs))
	for _, name := range sortedKeys(x.outputs) {
		reference := Reference{Text: b.resources[i].ID + "." + x.outputs[name], Output: name}
		source, problem := b.inside(i, &reference)
		if problem == "" && source >= 0 && b.states[source].kind != nil {
			problem = b.resolveOutput(source, &reference)
		}
		switch {
		case problem != "":
			b.misexpanded(i, "output %q %s", name, problem)
		case source >= 0:
			reference.NodeID = b.spec.Nodes[source].NodeID
			outputs[name] = reference
		}
	}
	b.spec.Nodes[i].Outputs = outputs
}

// blame tells what is wrong with a part at the outermost composite.
func (b *builder) blame(i int, message string, segments []string) (top int, told string, at []string) {
	top = b.topOf(i)
	name := strings.TrimPrefix(b.resources[i].ID, b.resources[top].ID+".")
	told, at = blame(name, b.resources[i].Definition.Type, message, segments)
	return top, told, at
}

// topOf is the outermost composite that a node is in.
func (b *builder) topOf(i int) int {
	for b.states[i].part != nil {
		i = b.states[i].part.composite
	}
	return i
}

// validID says whether the id of a resource may be shown and set: one that the caller wrote well.
func (b *builder) validID(i int) bool { return isID(b.resources[b.topOf(i)].ID) }
