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
	// Accounts are the providers whose resources all go to another account, region by region or to another region too; nil for a
	// move inside the accounts.
	Accounts map[string]bool
	// Away are the node ids in that account, by those in this one, of what is on record there.
	Away map[string]string
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
	chosen   []bool // the nodes that move
	order    []int  // of the nodes
	readers  []step // what is repointed
	problems []Problem
}

func newMover(in *MoveInput) *mover {
	return &mover{in: in, index: indexOf(in.Head), chosen: make([]bool, len(in.Head.Nodes))}
}

// indexOf gives the places of nodes by their ids, in specs that have the same nodes at the same places.
func indexOf(specs ...*Spec) map[string]int {
	index := make(map[string]int, len(specs[0].Nodes))
	for _, spec := range specs {
		for i := range spec.Nodes {
			index[spec.Nodes[i].NodeID] = i
		}
	}
	return index
}

func (m *mover) problem(pointer, format string, args ...any) {
	if len(m.problems) < MaxProblems {
		m.problems = append(m.problems, Problem{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
	}
}

func (m *mover) checkRegions() {
	if m.in.Accounts != nil && m.in.Only != nil {
		m.problem("/only", "what goes to another account goes as a whole")
	}
	if m.in.Accounts != nil && m.in.From == "" && m.in.To == "" {
		return
	}
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

// choose finds what moves: all that is to be in the old region, or what was asked for of it and what that needs; to another
// account, all of its provider.
func (m *mover) choose() {
	wanted, there := m.wanted(), false
	for i := range m.in.Head.Nodes {
		node := &m.in.Head.Nodes[i]
		goes := slices.Contains(node.Regions, m.in.From)
		if m.in.Accounts != nil {
			goes = m.in.Accounts[node.Provider()] && !node.Composite()
		}
		if node.Verb == contract.VerbDelete || !wanted[i] || !goes {
			continue
		}
		m.chosen[i] = true
		for _, region := range node.Regions {
			_, moves := m.moved(i, region)
			there = there || moves && m.place(i, region).There
		}
		if slices.Contains(node.Regions, m.in.From) && slices.Contains(node.Regions, m.in.To) && m.in.From != m.in.To {
			m.problem("/to_region", "%s is there already", node.ResourceID)
		}
		if _, ok := m.in.Catalog.Type(node.Type); !ok {
			m.problem("/graph_id", "the type of %s is no longer offered by its provider", node.ResourceID)
		}
	}
	if !there && len(m.problems) == 0 {
		pointer := "/from_region"
		if m.in.Accounts != nil {
			pointer = "/to_credentials"
		}
		m.problem(pointer, "there is nothing that could move from there")
	}
}

// moved gives the region that a node has after the move in the place of one that it has now, and whether it moves there.
func (m *mover) moved(i int, region string) (to string, moves bool) {
	switch {
	case !m.chosen[i]:
		return region, false
	case region == m.in.From && m.in.To != "":
		return m.in.To, true
	default:
		return region, m.in.Accounts != nil
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

// retarget makes the target graph: the head, with another region where something moves, and with ids of their own for what goes
// to another account: what is in the one may be beside what is in the other.
func (m *mover) retarget() {
	target := *m.in.Head
	target.GraphID, target.BasedOn = m.in.GraphID, m.in.Head.GraphID
	target.Nodes = slices.Clone(m.in.Head.Nodes)
	m.target = &target
	if m.in.Accounts != nil {
		m.renumber()
	}
	for i := range target.Nodes {
		node := &target.Nodes[i]
		node.References, node.Outputs = m.redirect(node.References), m.redirect(node.Outputs)
		if m.chosen[i] {
			m.settle(i, node)
		}
	}
	m.index = indexOf(m.in.Head, m.target)
}

// renumber gives what goes to another account the ids that it has there.
func (m *mover) renumber() {
	drawn := make(map[string]bool, 2*len(m.target.Nodes))
	for id := range m.in.Places {
		drawn[id] = true
	}
	for id := range m.index {
		drawn[id] = true
	}
	for i := range m.target.Nodes {
		if node := &m.target.Nodes[i]; m.chosen[i] && m.in.Away[node.NodeID] != "" {
			node.NodeID = m.in.Away[node.NodeID]
		} else if m.chosen[i] {
			node.NodeID = draw(m.in.NewID, drawn)
		}
	}
	m.target.Edges = slices.Clone(m.in.Head.Edges)
	for k := range m.target.Edges {
		edge := &m.target.Edges[k]
		edge.From, edge.To = m.target.Nodes[m.index[edge.From]].NodeID, m.target.Nodes[m.index[edge.To]].NodeID
	}
}

// settle gives a node that moves its regions, and its names there.
func (m *mover) settle(i int, node *Node) {
	before := m.in.Head.Nodes[i].Regions
	node.Regions, node.Names = slices.Clone(before), maps.Clone(node.Names)
	for k, region := range before {
		to, moves := m.moved(i, region)
		if node.Regions[k] = to; moves {
			m.rename(i, node, region, to)
		}
	}
}

// redirect has references to what moves lead to where that goes.
func (m *mover) redirect(references map[string]Reference) map[string]Reference {
	changed := maps.Clone(references)
	for role, reference := range references {
		i := m.index[reference.NodeID]
		reference.NodeID = m.target.Nodes[i].NodeID
		if to, moves := m.moved(i, reference.Region); moves && reference.Region != "" {
			reference.Text = strings.Replace(reference.Text, "@"+reference.Region, "@"+to, 1)
			reference.Region = to
		}
		changed[role] = reference
	}
	return changed
}

// rename fixes the name in the new place: the one on record where there is one, and else one that is free.
func (m *mover) rename(i int, node *Node, from, to string) {
	if m.in.Head.Nodes[i].Names[from] == "" {
		return
	}
	kind, _ := m.in.Catalog.Type(node.Type)
	pattern, err := whole(kind.Naming.Pattern)
	if err != nil {
		m.problem("/graph_id", "the provider of %s declares a pattern for names that does not compile", node.ResourceID)
		return
	}
	name := m.freeName(i, node, kind.Naming, to)
	switch problem := badName(kind.Naming, pattern, node.Exact, name); {
	case name == "":
		m.problem("/to_region", "%s has an exact name, which no two places can have at once", node.ResourceID)
		return
	case problem != "":
		m.problem("/to_region", "%s %s there", node.ResourceID, problem)
		return
	}
	if from != to {
		delete(node.Names, from)
	}
	node.Names[to] = name
}

// freeName is a name that is not taken elsewhere, where the names of a type are unique in the whole world; "" when there is none.
func (m *mover) freeName(i int, node *Node, naming contract.Naming, to string) string {
	taken := map[string]bool{}
	for region, place := range m.in.Places[m.in.Head.Nodes[i].NodeID] {
		elsewhere := region != to || m.in.Accounts != nil
		if elsewhere && place.There && naming.Suffix == contract.SuffixNodeAndRegion {
			taken[place.Name] = true
		}
	}
	wanted, first := writtenName(node, naming), node.Regions[0] == to
	for _, name := range []string{
		m.in.Places[node.NodeID][to].Name,
		naming.Physical(wanted, node.NodeID, to, first, node.Exact),
		naming.Physical(wanted, node.NodeID, to, false, node.Exact),
	} {
		if name != "" && !taken[name] {
			return name
		}
	}
	return ""
}

// steps derives the operations, and notes what stays.
func (m *mover) steps(moved *Moved) *Spec {
	b := &stepBuilder{
		spec:  derivedFrom(m.target, m.in.StepsID),
		after: m.target, before: m.in.Head, away: m.target, accounts: m.in.Accounts, index: m.index, hold: Pause, newID: m.in.NewID,
	}
	b.spec.Hold = m.in.NewID()
	for i := range m.in.Head.Nodes {
		for _, region := range m.in.Head.Nodes[i].Regions {
			from := m.place(i, region)
			to, moves := m.moved(i, region)
			if !moves || !from.There {
				continue
			}
			create := step{site: site{i, to}, verb: contract.VerbCreate, verify: true}
			if m.in.Places[m.target.Nodes[i].NodeID][to].There {
				create.verb = contract.VerbEnsure // left by an earlier version, or by a move that was given up
			}
			old := site{i, region}
			if from.Stays == "" {
				create.replaces = &old
				b.gone = append(b.gone, old)
			} else {
				moved.Stays = append(moved.Stays, Stay{NodeID: m.in.Head.Nodes[i].NodeID, Region: region, Reason: from.Stays})
			}
			b.set = append(b.set, create)
		}
	}
	b.set = append(b.set, m.readers...)
	return b.build()
}
