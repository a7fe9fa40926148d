package plan

import (
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dag"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
)

// New orders a spec graph. catalog gives the typical durations; nil, or a type it does not know, counts as a second. runSeed is what
// the ids of the execution graph are made from: the same seed gives the same ids. An error means that spec is not one that
// graph.Build or graph.Teardown made.
func New(spec *graph.Spec, catalog graph.Catalog, runSeed string) (*Plan, error) {
	b := &builder{spec: spec, first: make([]int, len(spec.Nodes)+1)}
	b.operations()
	if err := b.connect(); err != nil {
		return nil, err
	}
	order, levels, err := b.sort()
	if err != nil {
		return nil, err
	}
	p := &Plan{Spec: spec, Operations: b.arrange(order), catalog: catalog}
	p.group(b, order, levels)
	p.name(runSeed)
	p.cut()
	p.estimate()
	return p, nil
}

// builder holds operations in the order of the document; first[i] is the first one of node i.
type builder struct {
	spec  *graph.Spec
	first []int
	all   []Operation
	node  []int // of each operation
	edges []dag.Edge
	from  []int // the spec edge of each edge
}

func (b *builder) operations() {
	total := 0
	for i := range b.spec.Nodes {
		total += len(b.spec.Nodes[i].Regions)
	}
	b.all, b.node = make([]Operation, 0, total), make([]int, 0, total)
	for i := range b.spec.Nodes {
		node := &b.spec.Nodes[i]
		for _, region := range node.Regions {
			b.all = append(b.all, Operation{ID: operationID(node, region), Node: node, Region: region})
			b.node = append(b.node, i)
		}
		b.first[i+1] = len(b.all)
	}
}

func operationID(node *graph.Node, region string) string {
	if len(node.Regions) == 1 {
		return node.NodeID
	}
	return node.NodeID + "@" + region
}

// connect makes edges between operations of those between nodes.
func (b *builder) connect() error {
	index := make(map[string]int, len(b.spec.Nodes))
	for i := range b.spec.Nodes {
		index[b.spec.Nodes[i].NodeID] = i
	}
	b.edges = make([]dag.Edge, 0, len(b.spec.Edges))
	b.from = make([]int, 0, len(b.spec.Edges))
	for i := range b.spec.Edges {
		edge := &b.spec.Edges[i]
		from, known := index[edge.From]
		to, alsoKnown := index[edge.To]
		if !known || !alsoKnown {
			return fmt.Errorf("edge %s of graph %s leads to no node", edge.EdgeID, b.spec.GraphID)
		}
		b.connectNodes(i, from, to)
	}
	return nil
}

// connectNodes pairs two nodes region by region where that is what they mean, and otherwise lets all wait for all.
func (b *builder) connectNodes(edge, from, to int) {
	source, reader := &b.spec.Nodes[from], &b.spec.Nodes[to]
	pair := graph.Paired(source, reader)
	for i := range source.Regions {
		for j := range reader.Regions {
			if !pair || source.Regions[i] == reader.Regions[j] {
				b.edges = append(b.edges, dag.Edge{From: b.first[from] + i, To: b.first[to] + j})
				b.from = append(b.from, edge)
			}
		}
	}
}

func (b *builder) sort() (order, levels []int, err error) {
	sorted := dag.New(len(b.all), b.edges)
	order = sorted.Order()
	if len(order) < len(b.all) {
		return nil, nil, fmt.Errorf("graph %s has a cycle", b.spec.GraphID)
	}
	return order, sorted.Levels(order), nil
}

// arrange puts the operations in order, with their edges.
func (b *builder) arrange(order []int) []Operation {
	place := make([]int, len(order))
	arranged := make([]Operation, len(order))
	for at, i := range order {
		place[i] = at
		arranged[at] = b.all[i]
	}
	in, out := b.degrees(place)
	predecessors, successors := share(in), share(out)
	for i, e := range b.edges {
		edge := &b.spec.Edges[b.from[i]]
		from, to := place[e.From], place[e.To]
		predecessors[to] = append(predecessors[to], Edge{Operation: from, EdgeID: edge.EdgeID, Type: edge.Type})
		successors[from] = append(successors[from], Edge{Operation: to, EdgeID: edge.EdgeID, Type: edge.Type})
	}
	for i := range arranged {
		arranged[i].Predecessors, arranged[i].Successors = predecessors[i], successors[i]
	}
	return arranged
}

func (b *builder) degrees(place []int) (in, out []int) {
	in, out = make([]int, len(place)), make([]int, len(place))
	for _, e := range b.edges {
		in[place[e.To]]++
		out[place[e.From]]++
	}
	return in, out
}

// share cuts one slice into an empty one for each count, with room for as many.
func share(counts []int) [][]Edge {
	total := 0
	for _, n := range counts {
		total += n
	}
	whole, parts, at := make([]Edge, total), make([][]Edge, len(counts)), 0
	for i, n := range counts {
		if n > 0 {
			parts[i] = whole[at : at : at+n]
		}
		at += n
	}
	return parts
}

// cut marks what stands behind an end edge; operations are in order.
func (p *Plan) cut() {
	for i := range p.Operations {
		operation := &p.Operations[i]
		for _, edge := range operation.Predecessors {
			operation.Cut = operation.Cut || edge.Type == graph.End || p.Operations[edge.Operation].Cut
		}
	}
}

// group fills Groups and NodeGroups by level: every operation of a node has the level of the node.
func (p *Plan) group(b *builder, order, levels []int) {
	depth := 0
	for _, level := range levels {
		depth = max(depth, level+1)
	}
	p.Groups, p.NodeGroups = make([][]string, depth), make([][]string, depth)
	for _, i := range order {
		p.Groups[levels[i]] = append(p.Groups[levels[i]], b.all[i].ID)
		if i == b.first[b.node[i]] {
			p.NodeGroups[levels[i]] = append(p.NodeGroups[levels[i]], b.all[i].Node.NodeID)
		}
	}
}
