package graph_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// before is a graph with one of everything that can change.
func before() *graph.Spec {
	return &graph.Spec{
		GraphID: "00000001", DeploymentID: "app", Version: "v1", Providers: map[string]graph.Pin{"cloud": {Version: "1.0.0", Digest: "a"}},
		Nodes: []graph.Node{
			{NodeID: "1111aaaa", ResourceID: "role", Type: "cloud:role", Verb: contract.VerbEnsure, Regions: []string{""}},
			{NodeID: "2222bbbb", ResourceID: "api", Type: "cloud:function", Verb: contract.VerbEnsure, Regions: []string{"a"},
				Properties: json.RawMessage(`{"memory":128,"name":"","env":{"A/B":"1","C":"2"},"list":[1,2],"on":false}`),
				Sealed:     []string{"/key", "/token"}, Fingerprints: map[string]string{"/key": "f1", "/token": "f2"},
				References: map[string]graph.Reference{"role": {Text: "role", NodeID: "1111aaaa"}}, Tags: map[string]string{"team": "web"}},
			{NodeID: "3333cccc", ResourceID: "old", Type: "cloud:role", Regions: []string{""}},
		},
		Edges: []graph.Edge{{EdgeID: "e1", From: "1111aaaa", To: "2222bbbb", Type: graph.Dependency}},
	}
}

func after() *graph.Spec {
	spec := before()
	spec.GraphID, spec.Version, spec.BasedOn = "00000002", "v2", "00000001"
	spec.Providers = map[string]graph.Pin{"cloud": {Version: "1.1.0", Digest: "b"}}
	node := &spec.Nodes[1]
	node.Verb, node.Regions = contract.VerbUpdate, []string{"a", "b"}
	node.Properties = json.RawMessage(`{"memory":256,"name":"x","env":{"A/B":"9","D":"3"},"list":[1,3,4],"on":true}`)
	node.Fingerprints = map[string]string{"/key": "other", "/token": "f2"}
	node.References = map[string]graph.Reference{"role": {Text: "role.arn", NodeID: "1111aaaa", Output: "arn"}}
	node.Tags = nil
	spec.Edges[0].Type = graph.Pause
	spec.Nodes[2] = graph.Node{NodeID: "4444dddd", ResourceID: "new", Type: "cloud:role", Regions: []string{""}}
	return spec
}

func TestCompareNamesEachValueThatIsNotTheSame(t *testing.T) {
	c := graph.Compare(before(), after())
	change := map[string]graph.Change{}
	for _, node := range c.Nodes {
		change[node.ResourceID] = node.Change
	}
	require.Equal(t, map[string]graph.Change{"role": graph.Unchanged, "api": graph.Changed, "new": graph.Added, "old": graph.Removed}, change)
	told := map[string]string{}
	for _, d := range append(c.Differences, c.Nodes[1].Differences...) {
		told[d.Pointer] = fmt.Sprintf("%s > %s", d.Before, d.After)
		if d.Sealed {
			told[d.Pointer] = fmt.Sprintf("sealed %v", d.Unknown)
			require.Empty(t, d.Before)
			require.Empty(t, d.After)
		}
	}
	require.Equal(t, map[string]string{
		"/version": `"v1" > "v2"`, "/providers/cloud/version": `"1.0.0" > "1.1.0"`, "/providers/cloud/digest": `"a" > "b"`,
		"/operation": `"ensure" > "update"`, "/target_regions": `["a"] > ["a","b"]`,
		"/properties/memory": "128 > 256", "/properties/name": `"" > "x"`, "/properties/on": "false > true",
		"/properties/env/A~1B": `"1" > "9"`, "/properties/env/C": `"2" > `, "/properties/env/D": ` > "3"`,
		"/properties/list/1": "2 > 3", "/properties/list/2": " > 4", "/properties/key": "sealed false",
		"/references/role": `"role" > "role.arn"`, "/depends_on/role": `"dependency" > "pause"`, "/custom_tags/team": `"web" > `,
	}, told)
}

func TestCompareSaysWhenASecretCannotBeTold(t *testing.T) {
	from, to := before(), before()
	to.Nodes[1].Fingerprints = nil // a plan that was stored without credentials
	c := graph.Compare(from, to)
	require.Equal(t, []graph.Difference{
		{Pointer: "/properties/key", Sealed: true, Unknown: true}, {Pointer: "/properties/token", Sealed: true, Unknown: true},
	}, c.Nodes[1].Differences)
	to.Nodes[1].Sealed = []string{"/token"}
	require.Equal(t, graph.Difference{Pointer: "/properties/key", Sealed: true}, graph.Compare(from, to).Nodes[1].Differences[0])
}

// TestCompareIsItsOwnMirror: nothing differs from itself, and the other way round each before is an after.
func TestCompareIsItsOwnMirror(t *testing.T) {
	values := rapid.SampledFrom([]string{`null`, `1`, `1.0`, `"x"`, `""`, `[]`, `[1]`, `[1,[2]]`, `{}`, `{"a":1}`, `{"a":{"b":[]}}`, `false`})
	rapid.Check(t, func(t *rapid.T) {
		from, to := before(), before()
		from.Nodes[1].Properties = json.RawMessage(`{"v":` + values.Draw(t, "from") + `}`)
		to.Nodes[1].Properties = json.RawMessage(`{"v":` + values.Draw(t, "to") + `}`)
		require.Empty(t, graph.Compare(from, from).Nodes[1].Differences)
		there, back := graph.Compare(from, to).Nodes[1], graph.Compare(to, from).Nodes[1]
		require.Equal(t, there.Change, back.Change)
		for i, d := range there.Differences {
			require.Equal(t, d.Pointer, back.Differences[i].Pointer)
			require.Equal(t, string(d.Before), string(back.Differences[i].After))
			require.Equal(t, string(d.After), string(back.Differences[i].Before))
		}
	})
}
