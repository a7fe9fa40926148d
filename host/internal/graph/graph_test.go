package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// pair is an edge between resource ids.
type pair struct{ from, to string }

// TestAnyGraph: nodes in the order of the document, ids drawn once, and exactly the edges that the configuration asks for,
// the type that depends_on says winning.
func TestAnyGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		place := rapid.Permutation(slices.Collect(upTo(n))).Draw(t, "place")
		in := graph.Input{Catalog: graphtest.NewCatalog(), NewID: repeating(), GraphID: "aaaa0000", Config: &rest.Config{DeploymentID: "d"}}
		want := map[pair]graph.EdgeType{}
		for i := range n {
			in.Config.Resources = append(in.Config.Resources, function(t, i, place, want))
		}
		built, problems := graph.Build(in)
		require.Empty(t, problems)
		names, ids := map[string]string{}, map[string]bool{}
		for i, node := range built.Spec.Nodes {
			require.Equal(t, in.Config.Resources[i].ID, node.ResourceID)
			require.Regexp(t, `^[0-9a-f]{8}$`, node.NodeID)
			names[node.NodeID] = node.ResourceID
		}
		require.Len(t, names, n, "node ids are unique")
		got, first := map[pair]graph.EdgeType{}, map[string]string{}
		for _, edge := range built.Spec.Edges {
			got[pair{names[edge.From], names[edge.To]}] = edge.Type
			ids[edge.EdgeID] = true
			if first[edge.To] == "" {
				first[edge.To] = edge.EdgeID
			}
		}
		require.Equal(t, want, got)
		require.Len(t, built.Spec.Edges, len(want), "one edge a pair")
		require.Len(t, ids, len(want), "edge ids are unique")
		for _, node := range built.Spec.Nodes {
			require.Equal(t, first[node.NodeID], node.EdgeID)
		}
	})
}

// function draws a resource that depends on, and refers to, some of those that are placed before it.
func function(t *rapid.T, i int, place []int, want map[pair]graph.EdgeType) rest.NamedResource {
	id := fmt.Sprintf("f%d", i)
	definition := rest.Resource{Type: "cloud:function", Properties: json.RawMessage(fmt.Sprintf(
		`{"function_name": "f%d", "runtime": "go", "handler": "h", "role": "arn:x"}`, i))}
	for j := range place {
		if place[j] >= place[i] {
			continue
		}
		other := fmt.Sprintf("f%d", j)
		edgeType := rapid.SampledFrom([]string{"none", "none", "reference", "", "dependency", "pause", "end"}).Draw(t, "edge")
		switch edgeType {
		case "none":
		case "reference":
			if definition.References == nil {
				definition.References = map[string]string{"after": other + ".arn"}
				want[pair{other, id}] = graph.Dependency
			}
		default:
			definition.DependsOn = append(definition.DependsOn, rest.Dependency{Resource: other, EdgeType: edgeType})
			want[pair{other, id}] = graph.EdgeType(edgeType)
			if edgeType == "" {
				want[pair{other, id}] = graph.Dependency
			}
			if definition.References == nil && rapid.Bool().Draw(t, "too") {
				definition.References = map[string]string{"after": other}
			}
		}
	}
	return rest.NamedResource{ID: id, Definition: definition}
}

func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// repeating draws each id three times: the builder must not take one twice.
func repeating() func() string {
	count := 0
	return func() string {
		count++
		return fmt.Sprintf("%08x", count/3)
	}
}

// TestCanaryNeverComesBack spoils a valid configuration in any of its strings, and wants what was put there in no problem.
func TestCanaryNeverComesBack(t *testing.T) {
	var whole any
	require.NoError(t, json.Unmarshal([]byte(strings.Replace(strings.ReplaceAll(example, "My-Code", "my-code"), "BOX", box, 1)), &whole))
	total := 0
	texted(whole, func(i int, text string) any { total = i + 1; return text })
	require.Greater(t, total, 30)
	rapid.Check(t, func(t *rapid.T) {
		spoil := rapid.SliceOfNDistinct(rapid.IntRange(0, total-1), 1, 4, rapid.ID[int]).Draw(t, "which")
		with := rapid.SampledFrom([]any{canary, canary + " /\n", []any{canary}, map[string]any{"a": canary}, strings.Repeat(canary, 30)}).Draw(t, "with")
		var spoilt any
		clone, err := json.Marshal(whole)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(clone, &spoilt))
		texted(spoilt, func(i int, text string) any {
			if slices.Contains(spoil, i) {
				return with
			}
			return text
		})
		body, err := json.Marshal(spoilt)
		require.NoError(t, err)
		decoded, err := config.Decode[rest.Config](body, config.Limits{})
		if err != nil {
			invalid, ok := err.(*config.InvalidError)
			require.True(t, ok)
			require.NotContains(t, fmt.Sprintf("%v %v", err, invalid.Problems), canary)
			return
		}
		_, problems := graph.Build(graph.Input{Config: &decoded, Catalog: graphtest.NewCatalog(), NewID: graphtest.IDs(), Prefix: "/config"})
		require.NotContains(t, fmt.Sprint(problems), canary)
	})
}

// texted replaces every string that is a value, in a fixed order.
func texted(value any, replace func(i int, text string) any) {
	found := 0
	var walk func(value any) any
	walk = func(value any) any {
		switch v := value.(type) {
		case string:
			found++
			return replace(found-1, v)
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for _, key := range sorted(v) {
				v[key] = walk(v[key])
			}
		}
		return value
	}
	walk(value)
}

func sorted(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestTeardown(t *testing.T) {
	live := func(id, resource string, regions ...string) graph.TeardownNode {
		return graph.TeardownNode{Node: graph.Node{
			NodeID: id, ResourceID: resource, Type: "cloud:bucket", Verb: contract.VerbEnsure, Regions: []string{"a", "b"}, Timeout: 9,
			Names: map[string]string{"a": resource + "-a", "b": resource + "-b"}, Properties: json.RawMessage(`{}`),
		}, Regions: regions}
	}
	edges := []graph.Edge{
		{EdgeID: "e1", From: "n1", To: "n2", Type: graph.Pause}, {EdgeID: "e2", From: "n1", To: "n2", Type: graph.Dependency},
		{EdgeID: "e3", From: "n2", To: "n3"}, {EdgeID: "e4", From: "gone", To: "n3"}, {EdgeID: "e5", From: "n3", To: "n1"},
	}
	from := []graph.TeardownNode{live("n1", "one", "a", "b"), live("n2", "two", "b"), live("n3", "three", "a"), live("n1", "again", "a")}
	spec := graph.Teardown("bbbb0000", "d", from[:3], edges, graphtest.IDs())
	require.Equal(t, "bbbb0000", spec.GraphID)
	require.Equal(t, "d", spec.DeploymentID)
	var order []string
	for _, node := range spec.Nodes {
		order = append(order, node.NodeID)
		require.Equal(t, contract.VerbDelete, node.Verb)
		require.Zero(t, node.Timeout)
	}
	require.Equal(t, []string{"n3", "n2", "n1"}, order)
	require.Equal(t, []string{"b"}, spec.Node("two").Regions)
	require.Equal(t, map[string]string{"b": "two-b"}, spec.Node("two").Names)
	require.Equal(t, map[string]string{"a": "two-a", "b": "two-b"}, from[1].Node.Names, "what was given is left alone")
	require.Equal(t, []graph.Edge{
		{EdgeID: "00000001", From: "n2", To: "n1", Type: graph.Dependency}, {EdgeID: "00000002", From: "n3", To: "n2", Type: graph.Dependency},
	}, spec.Edges, "turned round, once, without what closes a cycle or leads to nothing")

	require.Len(t, graph.Teardown("bbbb0000", "d", from, nil, graphtest.IDs()).Nodes, 3)
	require.Empty(t, graph.Teardown("bbbb0000", "d", nil, edges, graphtest.IDs()).Nodes)
}

// TestTeardownOfAnyGraph never has a cycle, and keeps every edge of a graph that has none.
func TestTeardownOfAnyGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		id := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("n%d", rapid.IntRange(0, n-1).Draw(t, "i")) })
		edges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) graph.Edge {
			return graph.Edge{From: id.Draw(t, "from"), To: id.Draw(t, "to")}
		}), 0, 30).Draw(t, "edges")
		downhill := rapid.Bool().Draw(t, "downhill")
		if downhill {
			edges = slices.DeleteFunc(edges, func(e graph.Edge) bool { return e.From >= e.To })
		}
		var from []graph.TeardownNode
		for i := range n {
			from = append(from, graph.TeardownNode{Node: graph.Node{NodeID: fmt.Sprintf("n%d", i)}, Regions: []string{""}})
		}
		spec := graph.Teardown("bbbb0000", "d", from, edges, graphtest.IDs())
		waits := map[string]int{}
		for _, edge := range spec.Edges {
			waits[edge.To]++
		}
		for done := 0; done < n; done++ {
			next := slices.IndexFunc(spec.Nodes, func(node graph.Node) bool { return waits[node.NodeID] == 0 })
			require.NotEqual(t, -1, next, "a cycle")
			waits[spec.Nodes[next].NodeID] = -1
			for _, edge := range spec.Edges {
				if edge.From == spec.Nodes[next].NodeID {
					waits[edge.To]--
				}
			}
		}
		if downhill {
			distinct := map[pair]bool{}
			for _, edge := range edges {
				distinct[pair{edge.From, edge.To}] = true
			}
			require.Len(t, spec.Edges, len(distinct))
		}
	})
}

func TestNodeProvider(t *testing.T) {
	require.Equal(t, "cloud", (&graph.Node{Type: "cloud:a:b"}).Provider())
	require.Equal(t, "cloud", (&graph.Node{Type: "cloud"}).Provider())
}

func TestPaired(t *testing.T) {
	node := func(kind string, regions ...string) *graph.Node { return &graph.Node{Type: kind, Regions: regions} }
	require.True(t, graph.Paired(node("p:a", "x", "y"), node("p:b", "x", "y")))
	require.True(t, graph.Paired(node("p:a", "x", "y"), node("p:b", "y", "x")))
	require.False(t, graph.Paired(node("p:a", "x", "y"), node("p:b", "x", "z")))
	require.False(t, graph.Paired(node("p:a", "x", "y"), node("p:b", "x")))
	require.False(t, graph.Paired(node("p:a", "x", "y"), node("q:b", "x", "y")))
	require.True(t, graph.Paired(node("p:a", ""), node("p:b", "")))
}
