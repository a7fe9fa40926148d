package plan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

func node(id, kind string, regions ...string) graph.Node {
	return graph.Node{NodeID: id, ResourceID: "the-" + id, Type: kind, Verb: contract.VerbCreate, Regions: regions}
}

func edge(id, from, to string) graph.Edge {
	return graph.Edge{EdgeID: id, From: from, To: to, Type: graph.Dependency}
}

// example: a global role before two functions in two regions, the second of which a global secret of another provider reads.
func example() *graph.Spec {
	return &graph.Spec{
		GraphID: "aaaa0000",
		Nodes: []graph.Node{
			node("secret", "hub:secret", ""), node("api", "cloud:function", "a", "b"), node("role", "cloud:role", ""), node("base", "cloud:bucket", "a", "b"),
		},
		Edges: []graph.Edge{edge("e1", "api", "secret"), edge("e2", "role", "api"), edge("e3", "base", "api")},
	}
}

func ids(p *plan.Plan) []string {
	all := make([]string, 0, len(p.Operations))
	for i := range p.Operations {
		all = append(all, p.Operations[i].ID)
	}
	return all
}

func mustPlan(t testing.TB, spec *graph.Spec) *plan.Plan {
	t.Helper()
	p, err := plan.New(spec, graphtest.NewCatalog(), "run-1")
	require.NoError(t, err)
	return p
}

func TestPlanOfExample(t *testing.T) {
	spec := example()
	p := mustPlan(t, spec)
	require.Same(t, spec, p.Spec)
	require.Equal(t, []string{"role", "base@a", "api@a", "base@b", "api@b", "secret"}, ids(p))
	require.Equal(t, [][]string{{"role", "base@a", "base@b"}, {"api@a", "api@b"}, {"secret"}}, p.Groups)
	require.Equal(t, [][]string{{"role", "base"}, {"api"}, {"secret"}}, p.NodeGroups)
	require.Equal(t, 3*time.Second+8*time.Second+time.Second, p.Estimate)

	api := p.Operations[4]
	require.Equal(t, "b", api.Region)
	require.Same(t, &spec.Nodes[1], api.Node)
	require.Equal(t, 8*time.Second, api.Typical)
	require.Equal(t, []plan.Edge{{Operation: 0, EdgeID: "e2", Type: graph.Dependency}, {Operation: 3, EdgeID: "e3", Type: graph.Dependency}}, api.Predecessors)
	require.Equal(t, []plan.Edge{{Operation: 5, EdgeID: "e1", Type: graph.Dependency}}, api.Successors)
	require.Len(t, p.Operations[0].Successors, 2)
	require.Len(t, p.Operations[5].Predecessors, 2)
}

func TestEmptyPlan(t *testing.T) {
	p := mustPlan(t, &graph.Spec{})
	require.Empty(t, p.Operations)
	require.Empty(t, p.Groups)
	require.Zero(t, p.Estimate)
}

func TestNodesInOneRegionKeepTheirID(t *testing.T) {
	p := mustPlan(t, &graph.Spec{Nodes: []graph.Node{node("n", "cloud:bucket", "eu-1")}})
	require.Equal(t, []string{"n"}, ids(p))
	require.Equal(t, "eu-1", p.Operations[0].Region)
}

func TestEstimate(t *testing.T) {
	chain := func(kinds ...string) *graph.Spec {
		spec := &graph.Spec{}
		for i, kind := range kinds {
			spec.Nodes = append(spec.Nodes, node(fmt.Sprint(i), kind, ""))
			if i > 0 {
				spec.Edges = append(spec.Edges, edge(fmt.Sprint("e", i), fmt.Sprint(i-1), fmt.Sprint(i)))
			}
		}
		return spec
	}
	require.Equal(t, 12*time.Second, mustPlan(t, chain("cloud:role", "cloud:function", "hub:secret")).Estimate)
	require.Equal(t, 4*time.Second, mustPlan(t, chain("cloud:role", "nobody:knows")).Estimate)
	without, err := plan.New(chain("cloud:role", "cloud:function"), nil, "")
	require.NoError(t, err)
	require.Equal(t, 2*time.Second, without.Estimate)

	ended := chain("cloud:role", "cloud:function", "hub:secret")
	ended.Edges[0].Type = graph.End
	require.Equal(t, 3*time.Second, mustPlan(t, ended).Estimate, "nothing runs behind an end edge")
	paused := chain("cloud:role", "cloud:function")
	paused.Edges[0].Type = graph.Pause
	require.Equal(t, 11*time.Second, mustPlan(t, paused).Estimate)
}

func TestExecNodeIDs(t *testing.T) {
	spec := &graph.Spec{}
	for i := range 3000 {
		spec.Nodes = append(spec.Nodes, node(fmt.Sprintf("%08x", i), "cloud:role", ""))
	}
	execIDs := func(seed string) []string {
		p, err := plan.New(spec, nil, seed)
		require.NoError(t, err)
		var all []string
		for i := range p.Operations {
			require.Regexp(t, `^[0-9a-f]{8}$`, p.Operations[i].ExecNodeID)
			all = append(all, p.Operations[i].ExecNodeID)
		}
		return all
	}
	first := execIDs("run-1")
	require.Equal(t, first, execIDs("run-1"), "the same on any host")
	require.NotEqual(t, first, execIDs("run-2"))
	slices.Sort(first)
	require.Len(t, slices.Compact(first), 3000)
}

func TestNewRefusesWhatIsNoGraph(t *testing.T) {
	_, err := plan.New(&graph.Spec{Nodes: []graph.Node{node("a", "cloud:role", "")}, Edges: []graph.Edge{edge("e", "a", "b")}}, nil, "")
	require.Error(t, err)
	_, err = plan.New(&graph.Spec{
		Nodes: []graph.Node{node("a", "cloud:role", ""), node("b", "cloud:role", "")},
		Edges: []graph.Edge{edge("e", "a", "b"), edge("f", "b", "a")},
	}, nil, "")
	require.Error(t, err)
}

func TestOnly(t *testing.T) {
	whole := mustPlan(t, example())
	part, err := whole.Only([]string{"the-base"})
	require.NoError(t, err)
	require.Equal(t, []string{"base@a", "base@b"}, ids(part))
	require.Empty(t, part.Operations[0].Successors)
	require.Equal(t, [][]string{{"base"}}, part.NodeGroups)
	require.Equal(t, 2*time.Second, part.Estimate)

	part, err = whole.Only([]string{"the-api", "the-role"})
	require.NoError(t, err)
	require.Equal(t, []string{"role", "base@a", "api@a", "base@b", "api@b"}, ids(part))
	require.Equal(t, [][]string{{"role", "base@a", "base@b"}, {"api@a", "api@b"}}, part.Groups)
	require.Equal(t, whole.Operations[3].ExecNodeID, part.Operations[3].ExecNodeID)
	require.Len(t, whole.Operations, 6, "the whole plan is left alone")
	require.Len(t, whole.Operations[4].Successors, 1)

	_, err = whole.Only([]string{"the-api", "nobody", "role"})
	var unknown *plan.UnknownError
	require.ErrorAs(t, err, &unknown)
	require.Equal(t, []int{1, 2}, unknown.Indexes)
	require.NotContains(t, err.Error(), "nobody")

	none, err := whole.Only(nil)
	require.NoError(t, err)
	require.Empty(t, none.Operations)
}

// specGen draws a graph without cycles, of several providers and placements.
func specGen(t *rapid.T) *graph.Spec {
	n := rapid.IntRange(0, 8).Draw(t, "n")
	spec := &graph.Spec{GraphID: "aaaa0000"}
	place := make([]int, n)
	for i := range n {
		place[i] = rapid.IntRange(0, 100).Draw(t, "place")
		kind := rapid.SampledFrom([]string{"cloud:function", "cloud:role", "hub:secret"}).Draw(t, "type")
		regions := rapid.SampledFrom([][]string{{""}, {"a"}, {"a", "b"}, {"b", "a"}, {"a", "b", "c"}, {"c", "d", "e"}}).Draw(t, "regions")
		spec.Nodes = append(spec.Nodes, node(fmt.Sprintf("n%d", i), kind, regions...))
	}
	for from := range n {
		for to := range n {
			if place[from] < place[to] && rapid.Bool().Draw(t, "edge") {
				e := edge(fmt.Sprintf("e%d-%d", from, to), spec.Nodes[from].NodeID, spec.Nodes[to].NodeID)
				e.Type = rapid.SampledFrom([]graph.EdgeType{graph.Dependency, graph.Pause, graph.End}).Draw(t, "type")
				spec.Edges = append(spec.Edges, e)
			}
		}
	}
	return spec
}

// waits is the rule, said once more and slowly: does the reader's operation wait for that of the source?
func waits(source, reader *plan.Operation) bool {
	sameProvider := source.Node.Provider() == reader.Node.Provider()
	one, other := slices.Sorted(slices.Values(source.Node.Regions)), slices.Sorted(slices.Values(reader.Node.Regions))
	if sameProvider && slices.Equal(one, other) {
		return source.Region == reader.Region
	}
	return true
}

// TestAnyPlan holds a plan against the rules, one by one.
func TestAnyPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := specGen(t)
		p, err := plan.New(spec, graphtest.NewCatalog(), "seed")
		require.NoError(t, err)
		requireOperations(t, spec, p)
		requireEdges(t, spec, p)
		requireGroups(t, p)
		requireTies(t, spec, p)
	})
}

// requireOperations: one for each node in each region, all ids different.
func requireOperations(t *rapid.T, spec *graph.Spec, p *plan.Plan) {
	places, operationIDs, execIDs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	total := 0
	for i := range spec.Nodes {
		total += len(spec.Nodes[i].Regions)
	}
	for i := range p.Operations {
		operation := &p.Operations[i]
		require.Contains(t, operation.Node.Regions, operation.Region)
		places[operation.Node.NodeID+"@"+operation.Region] = true
		operationIDs[operation.ID], execIDs[operation.ExecNodeID] = true, true
	}
	require.Len(t, p.Operations, total)
	require.Len(t, places, total)
	require.Len(t, operationIDs, total)
	require.Len(t, execIDs, total)
}

// requireEdges: exactly those that the rule asks for, on both sides, and all of them lead forward.
func requireEdges(t *rapid.T, spec *graph.Spec, p *plan.Plan) {
	type link struct {
		from, to int
		id       string
		kind     graph.EdgeType
	}
	want, forward, backward := map[link]bool{}, map[link]bool{}, map[link]bool{}
	for _, e := range spec.Edges {
		for i := range p.Operations {
			for j := range p.Operations {
				source, reader := &p.Operations[i], &p.Operations[j]
				if source.Node.NodeID == e.From && reader.Node.NodeID == e.To && waits(source, reader) {
					want[link{i, j, e.EdgeID, e.Type}] = true
				}
			}
		}
	}
	for i := range p.Operations {
		for _, e := range p.Operations[i].Predecessors {
			require.Less(t, e.Operation, i, "an operation stands before what it waits for")
			require.False(t, backward[link{e.Operation, i, e.EdgeID, e.Type}])
			backward[link{e.Operation, i, e.EdgeID, e.Type}] = true
		}
		for _, e := range p.Operations[i].Successors {
			forward[link{i, e.Operation, e.EdgeID, e.Type}] = true
		}
	}
	require.Equal(t, want, backward)
	require.Equal(t, want, forward)
}

// requireGroups: each operation once, one group behind the last it waits for; and the nodes likewise.
func requireGroups(t *rapid.T, p *plan.Plan) {
	level, nodeLevel := map[string]int{}, map[string]int{}
	for i, group := range p.Groups {
		require.NotEmpty(t, group)
		for _, id := range group {
			require.NotContains(t, level, id)
			level[id] = i
		}
	}
	for i, group := range p.NodeGroups {
		for _, id := range group {
			require.NotContains(t, nodeLevel, id)
			nodeLevel[id] = i
		}
	}
	require.Len(t, level, len(p.Operations))
	for i := range p.Operations {
		operation, want := &p.Operations[i], 0
		for _, e := range operation.Predecessors {
			want = max(want, level[p.Operations[e.Operation].ID]+1)
		}
		require.Equal(t, want, level[operation.ID])
		require.Equal(t, want, nodeLevel[operation.Node.NodeID])
	}
}

// requireTies: of all that could stand next, the first of the document does.
func requireTies(t *rapid.T, spec *graph.Spec, p *plan.Plan) {
	rank := func(i int) int {
		operation := &p.Operations[i]
		at := slices.IndexFunc(spec.Nodes, func(n graph.Node) bool { return n.NodeID == operation.Node.NodeID })
		return at*100 + slices.Index(operation.Node.Regions, operation.Region)
	}
	for i := range p.Operations {
		for j := i + 1; j < len(p.Operations); j++ {
			ready := !slices.ContainsFunc(p.Operations[j].Predecessors, func(e plan.Edge) bool { return e.Operation >= i })
			if ready {
				require.Less(t, rank(i), rank(j))
			}
		}
	}
}

// TestAnyOnly: what is kept is what was asked for and all it waits for, and nothing else, with the same edges among them.
func TestAnyOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := specGen(t)
		whole, err := plan.New(spec, graphtest.NewCatalog(), "seed")
		require.NoError(t, err)
		var asked []string
		want := map[string]bool{}
		for i := range spec.Nodes {
			if rapid.Bool().Draw(t, "ask") {
				asked = append(asked, spec.Nodes[i].ResourceID)
			}
		}
		for i := len(whole.Operations) - 1; i >= 0; i-- {
			operation := &whole.Operations[i]
			want[operation.ID] = want[operation.ID] || slices.Contains(asked, operation.Node.ResourceID)
			for _, e := range operation.Predecessors {
				want[whole.Operations[e.Operation].ID] = want[whole.Operations[e.Operation].ID] || want[operation.ID]
			}
		}
		part, err := whole.Only(asked)
		require.NoError(t, err)
		kept := slices.DeleteFunc(ids(whole), func(id string) bool { return !want[id] })
		require.Equal(t, kept, ids(part))
		for i := range part.Operations {
			original := whole.Operations[slices.Index(ids(whole), part.Operations[i].ID)]
			require.Equal(t, original.ExecNodeID, part.Operations[i].ExecNodeID)
			require.Len(t, part.Operations[i].Predecessors, len(original.Predecessors))
			for k, e := range part.Operations[i].Predecessors {
				require.Equal(t, whole.Operations[original.Predecessors[k].Operation].ID, part.Operations[e.Operation].ID)
			}
			for _, e := range part.Operations[i].Successors {
				require.Greater(t, e.Operation, i)
			}
		}
		requireGroups(t, part)
		require.LessOrEqual(t, part.Estimate, whole.Estimate)
	})
}
