package graph

import (
	"fmt"
	"maps"
	"slices"
)

// flatten turns edges to and from composites into edges between what is in them: what a composite waits for, its roots wait for;
// what waits for it waits for its leaves. A composite with nothing in it lets through what leads to it. A cycle was reported before.
func (b *builder) flatten() {
	if b.composites == 0 {
		b.flat = b.edges.all
		return
	}
	for i := range b.resources {
		b.noteOutputs(i)
	}
	if len(b.problems) > 0 {
		return // what is not right is not worth the work
	}
	f := &flattening{builder: b, hollow: make([]bool, len(b.resources)), in: make([][]pendingEdge, len(b.resources))}
	f.findHollow()
	if f.contract() && f.findEnds() && f.spread() {
		return
	}
	b.problem(fmt.Sprintf("composites make more than %d dependencies between their parts", maxOperationEdges), "resources")
}

// flattening is the work of flatten. Composites that have nothing in them, however deep, are hollow. in are the edges that lead
// to each node, none of them from a hollow one. heads and tails are the first and the last in a composite; a node that is none is
// both. work bounds what a small document may make of it.
type flattening struct {
	*builder
	hollow       []bool
	in           [][]pendingEdge
	heads, tails [][]int
	work         int
}

// afford is false once there is too much.
func (f *flattening) afford(n int) bool {
	f.work += n
	return f.work <= maxOperationEdges
}

// findHollow goes from the innermost outwards: parts stand behind their composites.
func (f *flattening) findHollow() {
	for i := len(f.resources) - 1; i >= 0; i-- {
		if f.states[i].expansion == nil {
			continue
		}
		f.hollow[i] = true
		for _, part := range f.states[i].expansion.order {
			f.hollow[i] = f.hollow[i] && f.hollow[part]
		}
	}
}

// contract leads the edges to hollow nodes on to those that wait for them.
func (f *flattening) contract() bool {
	for _, e := range f.edges.all {
		f.in[e.to] = append(f.in[e.to], e)
	}
	for _, i := range f.order {
		if !slices.ContainsFunc(f.in[i], func(e pendingEdge) bool { return f.hollow[e.from] }) {
			continue
		}
		led := map[int]pendingEdge{}
		for _, e := range f.in[i] {
			if !f.hollow[e.from] {
				f.lead(led, e)
				continue
			}
			if !f.afford(len(f.in[e.from])) {
				return false
			}
			for _, before := range f.in[e.from] {
				before.to, before.kind = i, stricter(before.kind, e.kind)
				f.lead(led, before)
			}
		}
		f.in[i] = f.in[i][:0:0]
		for _, from := range slices.Sorted(maps.Keys(led)) {
			f.in[i] = append(f.in[i], led[from])
		}
	}
	return true
}

// lead keeps one edge from each node: that which demands most.
func (f *flattening) lead(led map[int]pendingEdge, e pendingEdge) {
	if before, ok := led[e.from]; ok {
		e.kind = stricter(before.kind, e.kind)
	}
	led[e.from] = e
}

// stricter is the type that demands more: what is behind an end never comes, what is behind a pause comes later.
func stricter(a, b EdgeType) EdgeType {
	for _, kind := range []EdgeType{End, Pause} {
		if a == kind || b == kind {
			return kind
		}
	}
	return Dependency
}

// findEnds finds the first and the last in each composite, the innermost first.
func (f *flattening) findEnds() bool {
	f.heads, f.tails = make([][]int, len(f.resources)), make([][]int, len(f.resources))
	awaited := make([]bool, len(f.resources))
	for i := range f.in {
		for _, e := range f.in[i] {
			awaited[e.from] = awaited[e.from] || !f.hollow[i]
		}
	}
	for i := len(f.resources) - 1; i >= 0; i-- {
		x := f.states[i].expansion
		if x == nil {
			f.heads[i], f.tails[i] = []int{i}, []int{i}
			continue
		}
		for _, part := range x.order {
			if f.hollow[part] {
				continue
			}
			if len(f.in[part]) == 0 {
				f.heads[i] = append(f.heads[i], f.heads[part]...)
			}
			if !awaited[part] {
				f.tails[i] = append(f.tails[i], f.tails[part]...)
			}
		}
		if !f.afford(len(f.heads[i]) + len(f.tails[i])) {
			return false
		}
	}
	return true
}

// spread makes the edges.
func (f *flattening) spread() bool {
	for i := range f.in {
		if f.hollow[i] {
			continue
		}
		for _, e := range f.in[i] {
			if !f.afford(len(f.tails[e.from]) * len(f.heads[i])) {
				return false
			}
			for _, to := range f.heads[i] {
				for _, from := range f.tails[e.from] {
					f.flat = append(f.flat, pendingEdge{from: from, to: to, kind: e.kind})
				}
			}
		}
	}
	return true
}

// subgraphs gives each composite a graph of its own: its parts, and the edges between them.
func (b *builder) subgraphs() []*Spec {
	if b.composites == 0 {
		return nil
	}
	drawn := map[string]bool{b.spec.GraphID: true}
	for i := range b.resources {
		if b.states[i].expansion != nil {
			b.spec.Nodes[i].SubgraphID = b.draw(drawn)
		}
	}
	between := make(map[int][]pendingEdge)
	for _, e := range b.edges.all {
		if part := b.states[e.to].part; part != nil {
			between[part.composite] = append(between[part.composite], e)
		}
	}
	var all []*Spec
	for i := range b.resources {
		if x := b.states[i].expansion; x != nil {
			all = append(all, b.subgraph(i, x, between[i]))
		}
	}
	return all
}

func (b *builder) subgraph(i int, x *expansion, edges []pendingEdge) *Spec {
	kind := b.states[i].kind
	s := &Spec{
		GraphID: b.spec.Nodes[i].SubgraphID, PartOf: b.spec.GraphID, DeploymentID: b.spec.DeploymentID, Version: b.spec.Version,
		Providers: map[string]Pin{kind.provider: kind.pin}, Nodes: make([]Node, len(x.order)), Edges: make([]Edge, len(edges)),
	}
	for k, part := range x.order {
		s.Nodes[k] = b.spec.Nodes[part]
	}
	drawn := map[string]bool{}
	for k, e := range edges {
		s.Edges[k] = Edge{EdgeID: b.draw(drawn), From: b.spec.Nodes[e.from].NodeID, To: b.spec.Nodes[e.to].NodeID, Type: e.kind}
	}
	return s
}

// arrange puts the parts behind their composites, where the document has those.
func (b *builder) arrange() {
	if b.composites == 0 {
		return
	}
	arranged := make([]Node, 0, len(b.resources))
	var add func(i int)
	add = func(i int) {
		arranged = append(arranged, b.spec.Nodes[i])
		if x := b.states[i].expansion; x != nil {
			for _, part := range x.order {
				add(part)
			}
		}
	}
	for i := range b.top {
		add(i)
	}
	b.spec.Nodes = arranged
}
