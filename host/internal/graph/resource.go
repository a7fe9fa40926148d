package graph

import (
	"fmt"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// index notes which resource ids there are, and what the deployment has already.
func (b *builder) index() {
	b.known = make(map[string]*KnownResource, len(b.in.Known))
	for i := range b.in.Known {
		known := &b.in.Known[i]
		b.known[known.ResourceID] = known
		b.drawn[known.NodeID] = true
	}
	for i := range b.resources {
		id := b.resources[i].ID
		if !isID(id) {
			b.wrong(i, "a resource id "+wantID)
		}
		if _, twice := b.byID[id]; twice {
			b.wrong(i, "stands there twice")
			continue
		}
		b.byID[id] = i
	}
}

// readSealed sorts the boxes from beside the config by resource.
func (b *builder) readSealed() {
	for _, pointer := range sortedKeys(b.in.SealedProperties) {
		resourceID, property, ok := splitSealed(pointer)
		if _, known := b.byID[resourceID]; !ok || !known {
			b.beside(misplacedBox(pointer))
			continue
		}
		if b.given[resourceID] == nil {
			b.given[resourceID] = map[string]string{}
		}
		b.given[resourceID][property] = b.in.SealedProperties[pointer]
	}
}

// beside reports a problem of sealed_properties, which stands beside the config and not below the prefix.
func (b *builder) beside(problem Problem) {
	if len(b.problems) < MaxProblems {
		b.problems = append(b.problems, located{b.top, problem})
	}
}

func misplacedBox(pointer string) Problem {
	return Problem{
		Pointer: document.Join("/sealed_properties", pointer),
		Message: "names no sensitive property: a key must be a pointer /resources/<resource id>/properties/<property>",
	}
}

// nowhere are the regions of what is global. It is shared, and never changed.
var nowhere = []string{""}

// startNode fills in what depends on no other resource.
func (b *builder) startNode(i int) {
	resource := b.resources[i]
	definition := &resource.Definition
	node := &b.spec.Nodes[i]
	*node = Node{
		ResourceID: resource.ID, Type: definition.Type, Verb: contract.VerbCreate, Tags: definition.Tags,
		Adopt: definition.Adopt, Exact: definition.Naming == "exact", Timeout: definition.TimeoutSeconds, Regions: nowhere,
	}
	if definition.Operation != "" {
		node.Verb = contract.Verb(definition.Operation)
	}
	if b.states[i].part == nil {
		b.checkOptions(i, definition)
	}
	b.identify(i, node)
	b.classify(i, node)
}

func (b *builder) checkOptions(i int, definition *rest.Resource) {
	if definition.Naming != "" && definition.Naming != "exact" {
		b.wrong(i, `must be "exact", or be left out`, "naming")
	}
	if !isTimeout(definition.TimeoutSeconds) {
		b.wrong(i, wantTimeout, "timeout_seconds")
	}
}

// identify gives a node the id that the deployment has for it, or a new one.
func (b *builder) identify(i int, node *Node) {
	known := b.known[node.ResourceID]
	if known == nil {
		node.NodeID = b.draw(b.drawn)
		return
	}
	node.NodeID = known.NodeID
	if known.Type != node.Type {
		b.wrong(i, "this deployment has a resource of this id already, of the type "+known.Type, "type")
	}
}

// classify looks the type up, and what follows from it.
func (b *builder) classify(i int, node *Node) {
	kind := b.kinds.of(node.Type)
	switch {
	case kind == nil:
		b.wrong(i, "no installed provider offers this type", "type")
		return
	case kind.fault != "":
		b.wrong(i, kind.fault, "type")
		return
	}
	b.states[i].kind, b.states[i].global = kind, kind.Placement == contract.Global
	b.spec.Providers[kind.provider] = kind.pin
	switch {
	case kind.Composite:
		node.Regions = []string{} // it makes nothing itself
	case !b.states[i].global:
		node.Regions = b.regionsOf(kind.provider)
	}
	if !kind.offers(node.Verb) {
		b.wrong(i, "this type offers "+offered(kind), "operation")
	}
}

func offered(kind *resourceKind) string {
	var verbs []string
	for _, verb := range contract.Verbs() {
		if kind.offers(verb) {
			verbs = append(verbs, string(verb))
		}
	}
	return strings.Join(verbs, ", ")
}

// finishNode checks properties, names and labels, now that it is known what references bring.
func (b *builder) finishNode(i int) {
	kind := b.states[i].kind
	if kind == nil || kind.Composite {
		return
	}
	definition := &b.resources[i].Definition
	if p := b.finishProperties(i, definition); p != nil {
		b.nameNode(i, p)
		b.checkTags(i, definition)
	}
}

// finishProperties checks properties, and takes from them what is not stored; nil when they cannot be read.
func (b *builder) finishProperties(i int, definition *rest.Resource) *properties {
	p := b.readProperties(i, definition)
	if p == nil {
		return nil
	}
	p.checkReferences()
	p.checkSchema()
	p.seal()
	p.node.Properties = p.text.AppendCompact(nil, 0, p.omitted)
	return p
}

// checkTags holds the caller's tags, and ours beside them, against the limits of the type. A part that takes none goes without
// those of its composite.
func (b *builder) checkTags(i int, definition *rest.Resource) {
	kind, tags := b.states[i].kind, definition.Tags
	if b.states[i].part != nil && !kind.takesLabels() {
		b.spec.Nodes[i].Tags = nil
		return
	}
	if !kind.takesLabels() {
		if len(tags) > 0 {
			b.wrong(i, "this type takes no tags", "tags")
		}
		return
	}
	limits := kind.LabelLimits
	if limits.MaxCount > 0 && len(tags) > 0 && len(tags)+ownLabels > limits.MaxCount {
		b.wrong(i, fmt.Sprintf("this type takes %d tags, %d of them ours", limits.MaxCount, ownLabels), "tags")
	}
	for _, key := range sortedKeys(tags) {
		b.checkTag(i, key, tags[key])
	}
	b.checkOwnLabels(i)
}

// ownLabels are those that every labelled thing carries; the label for the edge comes on top where there is room.
const ownLabels = 5

// roomForEdge says whether the label for the edge may be set too.
func (b *builder) roomForEdge(i int) bool {
	kind := b.states[i].kind
	limit := kind.LabelLimits.MaxCount
	return limit == 0 || len(b.resources[i].Definition.Tags)+ownLabels < limit
}

func (b *builder) checkTag(i int, key, value string) {
	kind := b.states[i].kind
	for _, prefix := range []string{contract.LabelPrefix, "aws:"} {
		if len(key) >= len(prefix) && strings.EqualFold(key[:len(prefix)], prefix) {
			b.wrong(i, "keys that begin with mgraph: or aws: are reserved", "tags", key)
			return
		}
	}
	if problem := kind.badLabelKey(key); problem != "" {
		b.wrong(i, problem, "tags", key)
	}
	if problem := kind.badLabelValue(value); problem != "" {
		b.wrong(i, problem, "tags", key)
	}
}

// checkOwnLabels looks at those of our labels that hold a name which a person chose, and at the owner.
func (b *builder) checkOwnLabels(i int) {
	kind := b.states[i].kind
	if problem := kind.deploymentLabel; problem != "" && isID(b.spec.DeploymentID) {
		b.wrong(i, "the deployment_id stands in a label of this type, which "+problem)
	}
	if problem := kind.badLabelValue(b.resources[i].ID); problem != "" && b.validID(i) {
		b.wrong(i, "the resource id stands in a label of this type, which "+problem)
	}
	if problem := kind.ownerLabel; problem != "" {
		b.wrong(i, "the host's own labels do not fit what this type allows", "type")
	}
}
