package dag

// Cycles lists cycles, each once, as the vertices on it in the order of its edges; one more edge leads from the last to the
// first. Without those last edges there would be no cycle left. At most limit are given.
func (g *Graph) Cycles(limit int) [][]int {
	walk := &walk{graph: g, state: make([]state, g.Len()), next: make([]int32, g.Len()), limit: limit}
	for v := range g.Len() {
		if walk.state[v] == unseen && len(walk.cycles) < limit {
			walk.from(v)
		}
	}
	return walk.cycles
}

type state uint8

const (
	unseen state = iota
	onPath
	finished
)

// walk goes depth first, without recursion: a graph may be one long chain.
type walk struct {
	graph  *Graph
	state  []state
	next   []int32 // successors of a vertex already followed
	path   []int
	cycles [][]int
	limit  int
}

func (w *walk) from(v int) {
	w.enter(v)
	for len(w.path) > 0 && len(w.cycles) < w.limit {
		last := w.path[len(w.path)-1]
		successors := w.graph.Successors(last)
		if int(w.next[last]) == len(successors) {
			w.state[last] = finished
			w.path = w.path[:len(w.path)-1]
			continue
		}
		to := int(successors[w.next[last]])
		w.next[last]++
		switch w.state[to] {
		case unseen:
			w.enter(to)
		case onPath:
			w.close(to)
		}
	}
}

func (w *walk) enter(v int) {
	w.state[v] = onPath
	w.path = append(w.path, v)
}

// close keeps the part of the path that begins where the last edge leads back to.
func (w *walk) close(to int) {
	first := len(w.path) - 1
	for w.path[first] != to {
		first--
	}
	w.cycles = append(w.cycles, append([]int(nil), w.path[first:]...))
}
