package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dag"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Place is what is recorded of a resource in one region.
type Place struct {
	Name string
	// There: something is there, or may be.
	There bool
	// Stays says why what is there is not deleted by a move, "" for what is.
	Stays string
}

// Places are by node id and region.
type Places map[string]map[string]Place

// MoveInput is what a move is derived from.
type MoveInput struct {
	// Head is the graph that was last applied.
	Head     *Spec
	Catalog  Catalog
	Places   Places
	From, To string
	// Only limits the move to these resource ids and what they need; nil for all.
	Only []string
	// GraphID and StepsID are those of the two new graphs.
	GraphID, StepsID string
	NewID            func() string
}

// Moved is what a move comes to.
type Moved struct {
	// Target is the head with the new region in the place of the old one, in what moves.
	Target *Spec
	// Steps are the operations that lead there: create and verify what moves, repoint what holds a value of it, and, once the
	// hold is released, delete what was left behind.
	Steps *Spec
	// Stays are the things in the old region that are not deleted.
	Stays []Stay
}

// Stay is one thing that is left in a region, and why.
type Stay struct {
	NodeID, Region, Reason string
}

// Move derives the two graphs, or says everything that stands in the way; pointers are into the request.
func Move(in MoveInput) (*Moved, []Problem) {
	m := newMover(&in)
	m.checkRegions()
	if len(m.problems) == 0 {
		m.choose()
	}
	if len(m.problems) == 0 {
		m.retarget()
		m.findReaders()
	}
	if len(m.problems) > 0 {
		return nil, m.problems
	}
	moved := &Moved{Target: m.target}
	moved.Steps = m.steps(moved)
	return moved, nil
}

// mover derives one move.
type mover struct {
	in       *MoveInput
	index    map[string]int // node id to index, in the head and in the target
	target   *Spec
	chosen   []bool // the nodes whose region changes
	order    []int  // of the nodes
	readers  []step // what is repointed
	problems []Problem
}

func newMover(in *MoveInput) *mover {
	return &mover{in: in, index: indexOf(in.Head), chosen: make([]bool, len(in.Head.Nodes))}
}

func indexOf(spec *Spec) map[string]int {
	index := make(map[string]int, len(spec.Nodes))
	for i := range spec.Nodes {
		index[spec.Nodes[i].NodeID] = i
	}
	return index
}

func (m *mover) problem(pointer, format string, args ...any) {
	if len(m.problems) < MaxProblems {
		m.problems = append(m.problems, Problem{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
	}
}

func (m *mover) checkRegions() {
	for pointer, region := range map[string]string{"/from_region": m.in.From, "/to_region": m.in.To} {
		if !isID(region) {
			m.problem(pointer, "%s", wantID)
		}
	}
	if m.in.From == m.in.To {
		m.problem("/to_region", "is the region that things are to leave")
	}
	slices.SortFunc(m.problems, func(a, b Problem) int { return strings.Compare(a.Pointer, b.Pointer) })
}

// choose finds what moves: all that is to be in the old region, or what was asked for of it and what that needs.
func (m *mover) choose() {
	wanted, there := m.wanted(), false
	for i := range m.in.Head.Nodes {
		node := &m.in.Head.Nodes[i]
		if node.Verb == contract.VerbDelete || !wanted[i] || !slices.Contains(node.Regions, m.in.From) {
			continue
		}
		m.chosen[i] = true
		there = there || m.place(i, m.in.From).There
		if slices.Contains(node.Regions, m.in.To) {
			m.problem("/to_region", "%s is there already", node.ResourceID)
		}
		if _, ok := m.in.Catalog.Type(node.Type); !ok {
			m.problem("/graph_id", "the type of %s is no longer offered by its provider", node.ResourceID)
		}
	}
	if !there && len(m.problems) == 0 {
		m.problem("/from_region", "there is nothing that could move from there")
	}
}

func (m *mover) place(i int, region string) Place {
	return m.in.Places[m.in.Head.Nodes[i].NodeID][region]
}

// wanted marks the nodes that were asked for, and then, from the last to the first, what those wait for.
func (m *mover) wanted() []bool {
	edges := make([]dag.Edge, 0, len(m.in.Head.Edges))
	before := make([][]int, len(m.in.Head.Nodes))
	for _, edge := range m.in.Head.Edges {
		from, to := m.index[edge.From], m.index[edge.To]
		edges = append(edges, dag.Edge{From: from, To: to})
		before[to] = append(before[to], from)
	}
	m.order = dag.New(len(m.in.Head.Nodes), edges).Order()
	wanted := m.named()
	for _, i := range slices.Backward(m.order) {
		if wanted[i] {
			for _, needed := range before[i] {
				wanted[needed] = true
			}
		}
	}
	return wanted
}

// named marks what was asked for: a composite means all that is in it.
func (m *mover) named() []bool {
	place, met := make(map[string]int, len(m.in.Only)), make([]bool, len(m.in.Only))
	for k, id := range m.in.Only {
		place[id] = k
	}
	named := make([]bool, len(m.in.Head.Nodes))
	for i := range m.in.Head.Nodes {
		named[i] = m.in.Only == nil
		for id := m.in.Head.Nodes[i].ResourceID; id != ""; id = Enclosing(id) {
			if k, asked := place[id]; asked {
				named[i], met[k] = true, true
			}
		}
	}
	for k := range met {
		if !met[k] {
			m.problem("/only/"+item(k), "is no resource of this graph")
		}
	}
	return named
}

// retarget makes the target graph: the head, with another region where something moves.
func (m *mover) retarget() {
	target := *m.in.Head
	target.GraphID, target.BasedOn = m.in.GraphID, m.in.Head.GraphID
	target.Nodes = slices.Clone(m.in.Head.Nodes)
	for i := range target.Nodes {
		node := &target.Nodes[i]
		node.References, node.Outputs = m.redirect(node.References), m.redirect(node.Outputs)
		if m.chosen[i] {
			node.Regions = slices.Clone(node.Regions)
			node.Regions[slices.Index(node.Regions, m.in.From)] = m.in.To
			m.rename(i, node)
		}
	}
	m.target = &target
}

// redirect names the new region where a reference names the old one of something that moves.
func (m *mover) redirect(references map[string]Reference) map[string]Reference {
	changed := maps.Clone(references)
	for role, reference := range references {
		if reference.Region == m.in.From && m.chosen[m.index[reference.NodeID]] {
			reference.Region = m.in.To
			reference.Text = strings.Replace(reference.Text, "@"+m.in.From, "@"+m.in.To, 1)
			changed[role] = reference
		}
	}
	return changed
}

// rename fixes the name in the new region: the one on record where there is one, and else one that is free.
func (m *mover) rename(i int, node *Node) {
	if node.Names[m.in.From] == "" {
		return
	}
	kind, _ := m.in.Catalog.Type(node.Type)
	name := m.freeName(node, kind)
	pattern, err := whole(kind.Naming.Pattern)
	if err != nil {
		m.problem("/graph_id", "the provider of %s declares a pattern for names that does not compile", node.ResourceID)
		return
	}
	switch problem := badName(kind.Naming, pattern, node.Exact, name); {
	case name == "":
		m.problem("/to_region", "%s has an exact name, which no two regions can have at once", node.ResourceID)
		return
	case problem != "":
		m.problem("/to_region", "%s %s there", node.ResourceID, problem)
		return
	}
	node.Names = maps.Clone(node.Names)
	delete(node.Names, m.in.From)
	node.Names[m.in.To] = name
}

// freeName is a name that no other region has, where the names of a type are unique across regions; "" when there is none.
func (m *mover) freeName(node *Node, kind *contract.ResourceType) string {
	taken := map[string]bool{}
	for region, place := range m.in.Places[node.NodeID] {
		if region != m.in.To && place.There && kind.Naming.Suffix == contract.SuffixNodeAndRegion {
			taken[place.Name] = true
		}
	}
	wanted, first := writtenName(node, kind.Naming), node.Regions[0] == m.in.To
	for _, name := range []string{
		m.in.Places[node.NodeID][m.in.To].Name,
		kind.Naming.Physical(wanted, node.NodeID, m.in.To, first, node.Exact),
		kind.Naming.Physical(wanted, node.NodeID, m.in.To, false, node.Exact),
	} {
		if name != "" && !taken[name] {
			return name
		}
	}
	return ""
}

// findReaders finds what stays and holds a value of what moves, directly or through what is repointed.
func (m *mover) findReaders() {
	repointed := map[site]bool{}
	for _, i := range m.order {
		node := &m.in.Head.Nodes[i]
		if node.Verb == contract.VerbDelete || node.Verb == contract.VerbVerify || len(node.References) == 0 {
			continue
		}
		for _, region := range node.Regions {
			if m.chosen[i] && region == m.in.From || !m.place(i, region).There {
				continue
			}
			if m.reads(i, region, repointed) {
				repointed[site{i, region}] = true
				m.readers = append(m.readers, step{site: site{i, region}, verb: contract.VerbEnsure})
			}
		}
	}
}

// reads says whether a node that stays holds, in one of its regions, a value that changes with the move.
func (m *mover) reads(i int, region string, repointed map[site]bool) bool {
	node, reads := &m.in.Head.Nodes[i], false
	for _, role := range sortedKeys(node.References) {
		reference := node.References[role]
		source := sourceOf(m.in.Head, m.index, reference, region)
		moves := m.chosen[source.node] && source.region == m.in.From
		if !moves && !(repointed[source] && m.mayChange(source.node, reference.Output)) {
			continue
		}
		reads = true
		now := sourceOf(m.target, m.index, m.target.Nodes[i].References[role], region)
		if moves && now.region != m.in.To {
			m.problem("/only", "%s reads %s region by region, and has to move with it", node.ResourceID, m.in.Head.Nodes[source.node].ResourceID)
		}
		if kind, ok := m.in.Catalog.Type(node.Type); ok && reference.Property != "" && slices.Contains(kind.Identifying, reference.Property) {
			m.problem("/from_region", "%s is identified by a value of %s, and cannot be given another one", node.ResourceID, m.in.Head.Nodes[source.node].ResourceID)
		}
	}
	return reads
}

// mayChange says whether an output may be another one after an update: what stands for the resource itself stays.
func (m *mover) mayChange(i int, output string) bool {
	kind, ok := m.in.Catalog.Type(m.in.Head.Nodes[i].Type)
	return output != "" && (!ok || output != kind.SelfOutput)
}

// steps derives the operations, and notes what stays.
func (m *mover) steps(moved *Moved) *Spec {
	b := &stepBuilder{
		spec:  derivedFrom(m.target, m.in.StepsID),
		after: m.target, before: m.in.Head, index: m.index, hold: Pause, newID: m.in.NewID,
	}
	b.spec.Hold = m.in.NewID()
	for i := range m.in.Head.Nodes {
		from := m.place(i, m.in.From)
		if !m.chosen[i] || !from.There {
			continue
		}
		create := step{site: site{i, m.in.To}, verb: contract.VerbCreate, verify: true}
		if m.place(i, m.in.To).There {
			create.verb = contract.VerbEnsure // left by an earlier version, or by a move that was given up
		}
		old := site{i, m.in.From}
		if from.Stays == "" {
			create.replaces = &old
			b.gone = append(b.gone, old)
		} else {
			moved.Stays = append(moved.Stays, Stay{NodeID: m.in.Head.Nodes[i].NodeID, Region: m.in.From, Reason: from.Stays})
		}
		b.set = append(b.set, create)
	}
	b.set = append(b.set, m.readers...)
	return b.build()
}
