package graph

import (
	"maps"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// site is a node, by its index, in one of its regions.
type site struct {
	node   int
	region string
}

// sourceOf is what a reference means, read from one region.
func sourceOf(spec *Spec, index map[string]int, reference Reference, reader string) site {
	i := index[reference.NodeID]
	return site{i, reference.RegionOf(&spec.Nodes[i], reader)}
}

// step is one thing that a derived graph brings about.
type step struct {
	site
	verb   contract.Verb
	verify bool
	// replaces is what is deleted in its place.
	replaces *site
}

// stepBuilder derives a graph of operations, each of one node in one region, from two specs with the same nodes: what is set goes
// by one and in its order, what is deleted by the other and against its order.
type stepBuilder struct {
	spec          *Spec
	after, before *Spec
	// away is the one of the two whose nodes are in another account, for these providers.
	away     *Spec
	accounts map[string]bool
	index    map[string]int
	set      []step
	gone     []site
	// hold is the type of the edges that lead to a deletion from what takes its place, or no longer needs it.
	hold  EdgeType
	newID func() string

	drawn, named             map[string]bool // all ids, and the logical ones that are used
	setBy, checkedBy, goneBy map[site]string // node ids by what they act on
}

// derivedFrom is an empty graph whose operations bring about another one.
func derivedFrom(of *Spec, graphID string) *Spec {
	return &Spec{
		GraphID: graphID, DeploymentID: of.DeploymentID, Version: of.Version, BasedOn: of.BasedOn, Of: of.GraphID,
		Timeout: of.Timeout, Providers: maps.Clone(of.Providers), Nodes: []Node{}, Edges: []Edge{},
	}
}

func (b *stepBuilder) build() *Spec {
	b.drawn, b.named = map[string]bool{b.spec.Hold: true}, map[string]bool{}
	for id := range b.index {
		b.drawn[id] = true
	}
	b.setBy, b.checkedBy, b.goneBy = map[site]string{}, map[site]string{}, map[site]string{}
	for _, s := range b.set {
		b.setBy[s.site] = b.add(b.after, s.site, s.verb)
	}
	for _, s := range b.set {
		if s.verify {
			b.checkedBy[s.site] = b.add(b.after, s.site, contract.VerbVerify)
		}
	}
	for _, old := range b.gone {
		b.goneBy[old] = b.add(b.before, old, contract.VerbDelete)
	}
	b.connect(b.after, b.setBy, false)
	b.connectChecks()
	b.connect(b.before, b.goneBy, true)
	b.addContext()
	b.addComposites()
	return b.spec
}

// addComposites keeps those that something set is a part of: sealed properties are known by them.
func (b *stepBuilder) addComposites() {
	around := map[string]bool{}
	for _, s := range b.set {
		for id := Enclosing(b.after.Nodes[s.node].ResourceID); id != "" && !around[id]; id = Enclosing(id) {
			around[id] = true
		}
	}
	for i := range b.after.Nodes {
		if node := &b.after.Nodes[i]; node.Composite() && around[node.ResourceID] {
			b.spec.Nodes = append(b.spec.Nodes, *node)
		}
	}
}

// add makes one node. The first that sets a resource keeps the resource's own id.
func (b *stepBuilder) add(from *Spec, at site, verb contract.Verb) string {
	node := from.Nodes[at.node]
	logical := node.NodeID
	if sets := verb != contract.VerbVerify && verb != contract.VerbDelete; !sets || b.named[logical] {
		node.NodeID, node.Subject = draw(b.newID, b.drawn), logical
	} else {
		b.named[logical] = true
	}
	node.Verb, node.Regions = verb, []string{at.region}
	if name, ok := node.Names[at.region]; ok {
		node.Names = map[string]string{at.region: name}
	} else {
		node.Names = nil
	}
	node.References, node.Away = b.explicit(from, at), from == b.away && b.accounts[node.Provider()]
	if verb == contract.VerbDelete {
		node.Sealed, node.Fingerprints, node.Timeout = nil, nil, 0
	}
	b.spec.Nodes = append(b.spec.Nodes, node)
	return node.NodeID
}

// explicit names the region of every reference: the nodes around it are not all there to tell.
func (b *stepBuilder) explicit(from *Spec, at site) map[string]Reference {
	references := maps.Clone(from.Nodes[at.node].References)
	for role, reference := range references {
		reference.Region = sourceOf(from, b.index, reference, at.region).region
		references[role] = reference
	}
	return references
}

func (b *stepBuilder) edge(from, to string, kind EdgeType) {
	b.spec.Edges = append(b.spec.Edges, Edge{EdgeID: draw(b.newID, b.drawn), From: from, To: to, Type: kind})
}

// connect takes over the edges of a spec between what a graph acts on, in their order or against it.
func (b *stepBuilder) connect(spec *Spec, by map[site]string, against bool) {
	for k := range spec.Edges {
		from, to := b.index[spec.Edges[k].From], b.index[spec.Edges[k].To]
		source, reader := &spec.Nodes[from], &spec.Nodes[to]
		pair := Paired(source, reader)
		for _, r := range source.Regions {
			first, ok := by[site{from, r}]
			if !ok {
				continue
			}
			for _, q := range reader.Regions {
				second, also := by[site{to, q}]
				switch {
				case !also || pair && r != q:
				case against:
					b.edge(second, first, Dependency)
				default:
					b.edge(first, second, Dependency)
				}
			}
		}
	}
}

// connectChecks has what moved verified, then repointed to, and then the old one let go of.
func (b *stepBuilder) connectChecks() {
	for _, s := range b.set {
		last := b.setBy[s.site]
		if s.verify {
			b.edge(last, b.checkedBy[s.site], Dependency)
			last = b.checkedBy[s.site]
		}
		if s.replaces != nil {
			b.edge(last, b.goneBy[*s.replaces], b.hold)
		}
		if !s.verify {
			b.connectReader(s)
		}
	}
}

// connectReader has a reader wait for what it is to read, and what it no longer reads wait for it.
func (b *stepBuilder) connectReader(s step) {
	now, before := b.after.Nodes[s.node].References, b.before.Nodes[s.node].References
	checks, olds := map[string]bool{}, map[string]bool{}
	for _, role := range sortedKeys(now) {
		if check, ok := b.checkedBy[sourceOf(b.after, b.index, now[role], s.region)]; ok && !checks[check] {
			checks[check] = true
			b.edge(check, b.setBy[s.site], Dependency)
		}
		if old, ok := b.goneBy[sourceOf(b.before, b.index, before[role], s.region)]; ok && !olds[old] {
			olds[old] = true
			b.edge(b.setBy[s.site], old, b.hold)
		}
	}
}

// addContext keeps what is referred to and not acted on, and all that is needed to find that again.
func (b *stepBuilder) addContext() {
	acted, noted := map[site]bool{}, map[int]bool{}
	for _, by := range []map[site]string{b.setBy, b.goneBy} {
		for at := range by {
			acted[at] = true
		}
	}
	var note func(i int, region string)
	note = func(i int, region string) {
		if noted[i] {
			return
		}
		noted[i] = true
		from := b.after
		if !slices.Contains(from.Nodes[i].Regions, region) {
			from = b.before
		}
		source := from.Nodes[i]
		source.Sealed, source.Fingerprints, source.Away = nil, nil, from == b.away && b.accounts[source.Provider()]
		b.spec.Context = append(b.spec.Context, source)
		for _, role := range sortedKeys(source.References) {
			further := sourceOf(from, b.index, source.References[role], region)
			note(further.node, further.region)
		}
	}
	for i := range b.spec.Nodes {
		references := b.spec.Nodes[i].References
		for _, role := range sortedKeys(references) {
			at := site{b.index[references[role].NodeID], references[role].Region}
			if !acted[at] {
				note(at.node, at.region)
			}
		}
	}
}

// Unmove derives the operations that undo a move before its commit: what was repointed is given its old values again, and what was
// made is deleted. begun says whether anything was ever tried for a node of the steps. What was there before the move stays.
func Unmove(head, target, steps *Spec, graphID string, newID func() string, begun func(node *Node) bool) *Spec {
	b := &stepBuilder{
		spec:  derivedFrom(head, graphID),
		after: head, before: target, away: target, accounts: map[string]bool{}, index: indexOf(head, target), hold: Dependency, newID: newID,
	}
	for i := range steps.Nodes {
		node := &steps.Nodes[i]
		if node.Composite() {
			continue
		}
		at := site{b.index[node.Logical()], node.Regions[0]}
		b.accounts[node.Provider()] = b.accounts[node.Provider()] || node.Away
		stays := head.Nodes[at.node].NodeID == node.Logical() && slices.Contains(head.Nodes[at.node].Regions, at.region)
		switch {
		case node.Verb == contract.VerbVerify || node.Verb == contract.VerbDelete || !begun(node):
		case stays:
			b.set = append(b.set, step{site: at, verb: contract.VerbEnsure})
		case node.Verb == contract.VerbCreate:
			b.gone = append(b.gone, at)
		}
	}
	return b.build()
}
