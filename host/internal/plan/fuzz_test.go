package plan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// FuzzWhole: no text makes any stage panic; what Build accepts has a plan, a teardown, and is the same when it was stored.
func FuzzWhole(f *testing.F) {
	f.Add(`{"deployment_id": "d", "targets": [{"provider": "cloud", "regions": ["a", "b"]}], "resources": {
		"f": {"type": "cloud:function", "properties": {"function_name": "f", "runtime": "r", "handler": "h", "code": {"key": "k"}},
		      "references": {"role": "r.arn", "code_bucket": "b@b"}, "depends_on": [{"resource": "b", "edge_type": "end"}]},
		"r": {"type": "cloud:role", "properties": {"role_name": "x", "sessions": 3, "policies": ["a"], "trust": {"a": 1e3}}, "tags": {"k": "v"}},
		"b": {"type": "cloud:bucket", "operation": "ensure", "properties": {"bucket_name": "bucket"}},
		"s": {"type": "hub:secret", "naming": "exact", "properties": {"repo": "o/r", "secret_name": "s"}, "references": {"value_from": "f@b.arn"}}}}`)
	f.Add(`{"deployment_id": "d", "resources": {
		"b": {"type": "cloud:bucket", "properties": {"bucket_name": "bucket"}},
		"x": {"type": "cloud:stack", "properties": {"name": "x", "runtime": "go"}, "references": {"code": "b"}},
		"y": {"type": "cloud:site", "operation": "ensure", "properties": {"name": "y"}, "depends_on": [{"resource": "x", "edge_type": "pause"}]},
		"z": {"type": "cloud:stack", "properties": {"name": "z", "empty": true}, "depends_on": ["y"]},
		"s": {"type": "hub:secret", "properties": {"repo": "o/r", "secret_name": "s"}, "references": {"value_from": "y.front"}, "depends_on": ["z"]}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		decoded, err := config.Decode[rest.Config]([]byte(body), config.Limits{MaxResources: 100})
		if err != nil {
			return
		}
		in := graph.Input{Config: &decoded, Catalog: graphtest.NewCatalog(), GraphID: "aaaa0000", NewID: graphtest.IDs(), Prefix: "/config", Expand: graphtest.Expand}
		built, problems := graph.Build(in)
		if built == nil {
			require.NotEmpty(t, problems)
			for _, problem := range problems {
				outside := problem.Pointer == "/config" || strings.HasPrefix(problem.Pointer, "/config/")
				require.True(t, outside, problem.Pointer)
			}
			return
		}
		require.Empty(t, problems)
		requireStored(t, built.Spec)
		p, err := plan.New(built.Spec, in.Catalog, "seed")
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(p.Operations), len(built.Spec.Nodes)-len(built.Subgraphs), "composites have none of their own")
		requireTeardown(t, built.Spec)
	})
}

func requireStored(t *testing.T, spec *graph.Spec) {
	stored, err := json.Marshal(spec)
	require.NoError(t, err)
	var loaded graph.Spec
	require.NoError(t, json.Unmarshal(stored, &loaded))
	again, err := json.Marshal(&loaded)
	require.NoError(t, err)
	require.Equal(t, string(stored), string(again))
}

func requireTeardown(t *testing.T, spec *graph.Spec) {
	var from []graph.TeardownNode
	for _, node := range spec.Nodes {
		from = append(from, graph.TeardownNode{Node: node, Regions: node.Regions})
	}
	reverse := graph.Teardown("bbbb0000", spec.DeploymentID, from, spec.Edges, graphtest.IDs())
	require.Len(t, reverse.Edges, len(spec.Edges))
	_, err := plan.New(reverse, nil, "seed")
	require.NoError(t, err)
}
