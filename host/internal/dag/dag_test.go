package dag_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dag"
)

func TestOrderTakesTheSmallestThatIsReady(t *testing.T) {
	for name, c := range map[string]struct {
		n     int
		edges []dag.Edge
		order []int
	}{
		"nothing":      {0, nil, []int{}},
		"no edges":     {3, nil, []int{0, 1, 2}},
		"backwards":    {3, []dag.Edge{{2, 1}, {1, 0}}, []int{2, 1, 0}},
		"freed late":   {4, []dag.Edge{{3, 0}}, []int{1, 2, 3, 0}},
		"freed early":  {4, []dag.Edge{{0, 3}, {0, 1}}, []int{0, 1, 2, 3}},
		"parallel":     {2, []dag.Edge{{1, 0}, {1, 0}}, []int{1, 0}},
		"only a cycle": {2, []dag.Edge{{0, 1}, {1, 0}}, []int{}},
		"behind one":   {4, []dag.Edge{{1, 1}, {1, 2}}, []int{0, 3}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.order, dag.New(c.n, c.edges).Order()) })
	}
}

func TestCyclesAreEachReportedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		n      int
		edges  []dag.Edge
		limit  int
		cycles [][]int
	}{
		"none":         {3, []dag.Edge{{0, 1}, {1, 2}, {0, 2}}, 9, nil},
		"itself":       {2, []dag.Edge{{1, 1}}, 9, [][]int{{1}}},
		"two":          {2, []dag.Edge{{0, 1}, {1, 0}}, 9, [][]int{{0, 1}}},
		"behind":       {4, []dag.Edge{{0, 1}, {1, 2}, {2, 3}, {3, 1}}, 9, [][]int{{1, 2, 3}}},
		"apart":        {4, []dag.Edge{{0, 1}, {1, 0}, {2, 3}, {3, 2}}, 9, [][]int{{0, 1}, {2, 3}}},
		"one vertex":   {3, []dag.Edge{{0, 1}, {1, 0}, {0, 2}, {2, 0}}, 9, [][]int{{0, 1}, {0, 2}}},
		"no more than": {4, []dag.Edge{{0, 1}, {1, 0}, {2, 3}, {3, 2}}, 1, [][]int{{0, 1}}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.cycles, dag.New(c.n, c.edges).Cycles(c.limit)) })
	}
}

// edgesGen draws edges without doubles; with downhill, none leads back.
func edgesGen(t *rapid.T, n int, downhill bool) []dag.Edge {
	if n == 0 {
		return nil
	}
	place := rapid.Permutation(numbers(n)).Draw(t, "place")
	vertex := rapid.IntRange(0, n-1)
	pairs := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) dag.Edge {
		return dag.Edge{From: vertex.Draw(t, "from"), To: vertex.Draw(t, "to")}
	}), 0, 60, rapid.ID[dag.Edge]).Draw(t, "edges")
	return slices.DeleteFunc(pairs, func(e dag.Edge) bool { return downhill && place[e.From] >= place[e.To] })
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// TestOrderOfAnyDAG: each vertex once, behind all it waits for, and the smallest of those that could stand there.
func TestOrderOfAnyDAG(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20).Draw(t, "n")
		edges := edgesGen(t, n, true)
		g := dag.New(n, edges)
		order := g.Order()
		require.Len(t, order, n)
		placed := make([]bool, n)
		free := func(v int) bool {
			return !placed[v] && !slices.ContainsFunc(edges, func(e dag.Edge) bool { return e.To == v && !placed[e.From] })
		}
		for _, v := range order {
			require.Equal(t, slices.IndexFunc(numbers(n), free), v)
			placed[v] = true
		}
		levels := g.Levels(order)
		for v := range n {
			want := 0
			for _, e := range edges {
				if e.To == v {
					want = max(want, levels[e.From]+1)
				}
			}
			require.Equal(t, want, levels[v])
		}
		require.Empty(t, g.Cycles(100))
	})
}

// TestCyclesOfAnyGraph: every cycle given is one, none twice, and without the closing edges there is none left.
func TestCyclesOfAnyGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		edges := edgesGen(t, n, false)
		g := dag.New(n, edges)
		cycles := g.Cycles(1000)
		require.Equal(t, len(g.Order()) == n, len(cycles) == 0)
		closing := map[dag.Edge]bool{}
		for _, cycle := range cycles {
			for i, v := range cycle {
				require.Contains(t, edges, dag.Edge{From: v, To: cycle[(i+1)%len(cycle)]})
				require.Equal(t, i, slices.Index(cycle, v), "a vertex stands twice")
			}
			last := dag.Edge{From: cycle[len(cycle)-1], To: cycle[0]}
			require.False(t, closing[last], "a cycle is given twice")
			closing[last] = true
		}
		rest := slices.DeleteFunc(edges, func(e dag.Edge) bool { return closing[e] })
		require.Len(t, dag.New(n, rest).Order(), n)
	})
}

// TestOneLongChain would overflow a recursive walk, or take forever in a quadratic one.
func TestOneLongChain(t *testing.T) {
	const n = 1_000_000
	edges := make([]dag.Edge, n)
	for i := range edges {
		edges[i] = dag.Edge{From: i, To: (i + 1) % n}
	}
	g := dag.New(n, edges)
	require.Empty(t, g.Order())
	cycles := g.Cycles(10)
	require.Len(t, cycles, 1)
	require.Len(t, cycles[0], n)
	require.Len(t, dag.New(n, edges[:n-1]).Order(), n)
}
