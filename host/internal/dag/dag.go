// Package dag orders the vertices of a directed graph: which can go when, in what groups, and where it runs in circles.
// Vertices are the numbers from 0 on. It knows nothing of what they stand for.
package dag

// Edge says that To waits for From.
type Edge struct{ From, To int }

// Graph is a directed graph that does not change any more. The successors of each vertex stand side by side in one slice.
type Graph struct {
	start      []int32 // of a vertex's successors; one entry more than vertices
	successors []int32
	indegree   []int32
}

// New makes a graph of n vertices. Edges to or from anything else are the caller's mistake, and panic. Parallel edges are allowed.
func New(n int, edges []Edge) *Graph {
	g := &Graph{start: make([]int32, n+1), successors: make([]int32, len(edges)), indegree: make([]int32, n)}
	for _, e := range edges {
		g.start[e.From+1]++
		g.indegree[e.To]++
	}
	for v := range n {
		g.start[v+1] += g.start[v]
	}
	next := append([]int32(nil), g.start[:n]...)
	for _, e := range edges {
		g.successors[next[e.From]] = int32(e.To)
		next[e.From]++
	}
	return g
}

// Len is the number of vertices.
func (g *Graph) Len() int { return len(g.indegree) }

// Successors of a vertex, in the order of the edges. They are the graph's own: read them only.
func (g *Graph) Successors(v int) []int32 { return g.successors[g.start[v]:g.start[v+1]] }

// Ready counts down what each vertex waits for: Kahn's algorithm, one step at a time.
type Ready struct {
	graph   *Graph
	waiting []int32
}

// Ready starts with nothing done; first is told every vertex that waits for nothing, in order.
func (g *Graph) Ready(first func(v int)) *Ready {
	r := &Ready{graph: g, waiting: append([]int32(nil), g.indegree...)}
	for v, n := range r.waiting {
		if n == 0 {
			first(v)
		}
	}
	return r
}

// Done marks a vertex; ready is told each that now waits for nothing more.
func (r *Ready) Done(v int, ready func(v int)) {
	for _, to := range r.graph.Successors(v) {
		if r.waiting[to]--; r.waiting[to] == 0 {
			ready(int(to))
		}
	}
}

// Order lists the vertices so that each stands behind all it waits for; of those that could stand next, the smallest does.
// Vertices on a cycle, and behind one, are missing: the order is then shorter than the graph.
func (g *Graph) Order() []int {
	var next heap
	r := g.Ready(next.push)
	order := make([]int, 0, g.Len())
	for len(next) > 0 {
		v := next.pop()
		order = append(order, v)
		r.Done(v, next.push)
	}
	return order
}

// Levels says for each vertex how many stand one behind the other before it, at most. order is what Order gave, in full.
func (g *Graph) Levels(order []int) []int {
	levels := make([]int, g.Len())
	for _, v := range order {
		for _, to := range g.Successors(v) {
			levels[to] = max(levels[to], levels[v]+1)
		}
	}
	return levels
}

// heap is a binary heap of vertices, the smallest first. (container/heap would box every one of them.)
type heap []int

func (h *heap) push(v int) {
	*h = append(*h, v)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if s[parent] <= v {
			return
		}
		s[i], s[parent] = s[parent], v
		i = parent
	}
}

func (h *heap) pop() int {
	s := *h
	smallest, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for i := 0; ; {
		child := 2*i + 1
		if child+1 < len(s) && s[child+1] < s[child] {
			child++
		}
		if child >= len(s) || s[i] <= s[child] {
			return smallest
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
