package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// edgesOf gives the edges of a graph by resource ids, each with its type where that is no plain dependency.
func edgesOf(spec *graph.Spec) []string {
	names := map[string]string{}
	for i := range spec.Nodes {
		names[spec.Nodes[i].NodeID] = spec.Nodes[i].ResourceID
	}
	edges := []string{}
	for _, e := range spec.Edges {
		text := names[e.From] + " -> " + names[e.To]
		if e.Type != graph.Dependency {
			text += " " + string(e.Type)
		}
		edges = append(edges, text)
	}
	slices.Sort(edges)
	return edges
}

func idsOf(spec *graph.Spec) []string {
	ids := make([]string, len(spec.Nodes))
	for i := range spec.Nodes {
		ids[i] = spec.Nodes[i].ResourceID
	}
	return ids
}

const stacked = `{"deployment_id": "d", "version": "v1", "targets": [{"provider": "cloud", "regions": ["eu-1", "us-1"]}], "resources": {
	"first": {"type": "cloud:role", "properties": {"role_name": "first"}},
	"code": {"type": "cloud:bucket", "properties": {"bucket_name": "code"}},
	"api": {"type": "cloud:stack", "operation": "ensure", "properties": {"name": "api", "runtime": "go"}, "adopt": true,
		"tags": {"team": "x"}, "timeout_seconds": 30, "naming": "exact",
		"references": {"code": "code"}, "depends_on": [{"resource": "first", "edge_type": "pause"}]},
	"after": {"type": "hub:secret", "properties": {"repo": "o/r", "secret_name": "A"}, "references": {"value_from": "api@us-1.arn"},
		"depends_on": [{"resource": "api", "edge_type": "end"}]}}}`

func TestACompositeIsFlatForThoseWhoRunIt(t *testing.T) {
	built := mustBuild(t, inputOf(t, stacked))
	spec := built.Spec
	require.Equal(t, []string{"first", "code", "api", "api.role", "api.fn", "after"}, idsOf(spec), "parts stand behind their composite")
	require.Equal(t, []string{
		"api.fn -> after end", "api.role -> api.fn", "code -> api.role", "first -> api.role pause",
	}, edgesOf(spec), "roots wait for what the composite waits for, and leaves are waited for")

	api, role, fn, after := spec.Node("api"), spec.Node("api.role"), spec.Node("api.fn"), spec.Node("after")
	require.True(t, api.Composite())
	require.Empty(t, api.Regions)
	require.NotNil(t, api.Regions, "an empty list in JSON")
	require.False(t, fn.Composite())
	require.Equal(t, map[string]graph.Reference{
		"arn":      {Text: "api.fn", NodeID: fn.NodeID, Output: "arn"},
		"role_arn": {Text: "api.role.arn", NodeID: role.NodeID, Output: "arn"},
	}, api.Outputs)
	require.Equal(t, map[string]graph.Reference{
		"role":        {Text: "api.role.arn", NodeID: role.NodeID, Output: "arn", Property: "/role"},
		"code_bucket": {Text: "code", NodeID: spec.Node("code").NodeID, Property: "/code/bucket"},
	}, fn.References)
	require.Equal(t, graph.Reference{
		Text: "api@us-1.arn", NodeID: fn.NodeID, Output: "arn", Region: "us-1", Property: "/value",
	}, after.References["value_from"], "what is read is the part's")
	for _, part := range []*graph.Node{role, fn} {
		require.Equal(t, contract.VerbEnsure, part.Verb)
		require.Equal(t, map[string]string{"team": "x"}, part.Tags)
		require.True(t, part.Adopt && part.Exact)
		require.InDelta(t, 30, part.Timeout, 0)
	}
	require.Equal(t, []string{""}, role.Regions)
	require.Equal(t, []string{"eu-1", "us-1"}, fn.Regions)
	require.Equal(t, map[string]string{"eu-1": "api", "us-1": "api"}, fn.Names)
	require.Equal(t, "api.fn", spec.Labels(fn, "o")[contract.LabelResourceID])
	require.Empty(t, built.Warnings)

	require.Len(t, built.Subgraphs, 1)
	sub := built.Subgraphs[0]
	require.Equal(t, api.SubgraphID, sub.GraphID)
	require.NotEqual(t, spec.GraphID, sub.GraphID)
	require.Equal(t, spec.GraphID, sub.PartOf)
	require.Equal(t, "v1", sub.Version)
	require.Equal(t, []string{"api.role", "api.fn"}, idsOf(sub))
	require.Equal(t, []string{"api.role -> api.fn"}, edgesOf(sub))
	require.Equal(t, *fn, sub.Nodes[1])
}

func TestCompositesInComposites(t *testing.T) {
	built := mustBuild(t, inputOf(t, `{"deployment_id": "d", "resources": {
		"before": {"type": "cloud:role", "properties": {"role_name": "r"}},
		"www": {"type": "cloud:site", "properties": {"name": "www"}, "depends_on": ["before"]},
		"after": {"type": "hub:secret", "properties": {"repo": "o/r", "secret_name": "A"}, "references": {"value_from": "www.front"}}}}`))
	spec := built.Spec
	require.Equal(t, []string{
		"before", "www", "www.front", "www.front.role", "www.front.fn", "www.back", "www.back.role", "www.back.fn", "www.code", "after",
	}, idsOf(spec))
	require.Equal(t, []string{
		"before -> www.code", "www.back.fn -> www.front.role", "www.back.role -> www.back.fn", "www.code -> www.back.role",
		"www.code -> www.front.role", "www.front.fn -> after", "www.front.role -> www.front.fn",
	}, edgesOf(spec))
	require.Equal(t, spec.Node("www.front.fn").NodeID, spec.Node("after").References["value_from"].NodeID)
	require.Equal(t, spec.Node("www.code").NodeID, spec.Node("www.front.fn").References["code_bucket"].NodeID,
		"what a sibling gives is handed on")
	require.Equal(t, spec.Node("www.back.fn").NodeID, spec.Node("www").Outputs["back"].NodeID)

	require.Len(t, built.Subgraphs, 3)
	require.Equal(t, spec.Node("www").SubgraphID, built.Subgraphs[0].GraphID)
	require.Equal(t, []string{"www.front", "www.back", "www.code"}, idsOf(built.Subgraphs[0]))
	require.Equal(t, []string{"www.back -> www.front", "www.code -> www.back", "www.code -> www.front"}, edgesOf(built.Subgraphs[0]))
	require.Equal(t, spec.Node("www.front").SubgraphID, built.Subgraphs[0].Nodes[0].SubgraphID)
	graphs := map[string]bool{spec.GraphID: true}
	for _, sub := range built.Subgraphs {
		graphs[sub.GraphID] = true
		require.Equal(t, spec.GraphID, sub.PartOf)
	}
	require.Len(t, graphs, 4)
}

func TestAnEmptyCompositeLetsThrough(t *testing.T) {
	empty := func(on string) string {
		return `{"type": "cloud:stack", "properties": {"name": "n", "empty": true}, "depends_on": [` + on + `]}`
	}
	role := func(name, on string) string {
		return `{"type": "cloud:role", "properties": {"role_name": "` + name + `"}, "depends_on": [` + on + `]}`
	}
	for name, c := range map[string]struct {
		resources string
		edges     []string
	}{
		"alone":        {`"e": ` + empty(``), []string{}},
		"between":      {`"a": ` + role("a", ``) + `, "e": ` + empty(`"a"`) + `, "b": ` + role("b", `"e"`), []string{"a -> b"}},
		"first":        {`"e": ` + empty(``) + `, "b": ` + role("b", `"e"`), []string{}},
		"in a row":     {`"a": ` + role("a", ``) + `, "e": ` + empty(`"a"`) + `, "f": ` + empty(`"e"`) + `, "b": ` + role("b", `"f", "e"`), []string{"a -> b"}},
		"with a pause": {`"a": ` + role("a", ``) + `, "e": ` + empty(`{"resource": "a", "edge_type": "pause"}`) + `, "b": ` + role("b", `"e", "a"`), []string{"a -> b pause"}},
		"with an end":  {`"a": ` + role("a", ``) + `, "e": ` + empty(`{"resource": "a", "edge_type": "pause"}`) + `, "b": ` + role("b", `{"resource": "e", "edge_type": "end"}`), []string{"a -> b end"}},
	} {
		t.Run(name, func(t *testing.T) {
			built := mustBuild(t, inputOf(t, `{"deployment_id": "d", "resources": {`+c.resources+`}}`))
			require.Equal(t, c.edges, edgesOf(built.Spec))
			require.NotEmpty(t, built.Subgraphs)
			require.Empty(t, built.Subgraphs[0].Nodes)
		})
	}
}

func TestASealedPropertyOfACompositeIsHandedOn(t *testing.T) {
	vault := func(token string) string {
		return one(`"type": "hub:vault", "properties": {` + token + `"repos": ["a", "b"]}`)
	}
	for name, token := range map[string]string{"in the config": `"token": "` + box + `", `, "beside it": ""} {
		t.Run(name, func(t *testing.T) {
			in := inputOf(t, vault(token))
			shown := ""
			in.Expand = func(request *contract.ExpandRequest) *contract.ExpandResult {
				shown = string(request.Properties)
				return graphtest.Expand(request)
			}
			if token == "" {
				in.SealedProperties = map[string]string{"/resources/r/properties/token": box}
			}
			built := mustBuild(t, in)
			require.JSONEq(t, `{"repos": ["a", "b"]}`, shown, "what is made of it depends on no secret")
			r := built.Spec.Node("r")
			require.Equal(t, []string{"/token"}, r.Sealed)
			for _, part := range []string{"r.in-0", "r.in-1"} {
				require.Equal(t, map[string]graph.Handed{
					"/encrypted_value": {NodeID: r.NodeID, ResourceID: "r", Type: "hub:vault", Pointer: "/token"},
				}, built.Spec.Node(part).Handed)
				require.Empty(t, built.Spec.Node(part).Sealed)
			}
			require.Equal(t, map[string][]graph.SealedValue{
				"hub": {{NodeID: r.NodeID, ResourceID: "r", Type: "hub:vault", Pointer: "/token", Box: box}},
			}, built.Sealed, "one box, for what the caller sealed it for")
			stored, err := json.Marshal(built)
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(string(stored), box), "in Sealed alone")

			again, problems := built.Spec.Unseal(map[string]string{"/resources/r/properties/token": box})
			require.Empty(t, problems)
			require.Equal(t, built.Sealed, again)
			_, problems = built.Spec.Unseal(map[string]string{"/resources/r.in-0/properties/encrypted_value": box})
			require.Len(t, problems, 1, "a part takes no box of its own")
		})
	}
	_, problems := graph.Build(inputOf(t, vault("")))
	require.Equal(t, []string{"/config/resources/r/properties/token: is required"}, texts(problems))
}

func TestPartsKeepTheirIDsByPath(t *testing.T) {
	first := mustBuild(t, inputOf(t, stacked)).Spec
	in := inputOf(t, stacked)
	for i := range first.Nodes {
		in.Known = append(in.Known, graph.KnownResource{
			ResourceID: first.Nodes[i].ResourceID, Type: first.Nodes[i].Type, NodeID: first.Nodes[i].NodeID, Names: first.Nodes[i].Names,
		})
	}
	second := mustBuild(t, in).Spec
	for i := range first.Nodes {
		require.Equal(t, first.Nodes[i].NodeID, second.Nodes[i].NodeID)
	}
	in.Known[4].Type = "cloud:role"
	_, problems := graph.Build(in)
	require.Equal(t, []string{`/config/resources/api: its provider makes a part "fn" (cloud:function) of it that is wrong at /type: ` +
		"this deployment has a resource of this id already, of the type cloud:role"}, texts(problems))
}

func TestProblemsOfComposites(t *testing.T) {
	stack := `"type": "cloud:stack", "properties": {"name": "` + strings.Repeat("x", 60) + `", "runtime": "go"}`
	two := func(rest string) string {
		return `{"deployment_id": "d", "resources": {
			"s": {"type": "cloud:stack", "properties": {"name": "s", "runtime": "go"}}, "r": {` + rest + `}}}`
	}
	secret := `"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S"}, "references": {"value_from": `
	for name, c := range map[string]struct {
		body     string
		problems []string
	}{
		"its own schema":   {one(`"type": "cloud:stack", "properties": {"runtime": 1}`), []string{"/config/resources/r/properties/name: is required", "/config/resources/r/properties/runtime: must be of type string"}},
		"its provider":     {one(`"type": "cloud:stack", "properties": {"name": "n", "runtime": "refused"}`), []string{"/config/resources/r/properties/runtime: is not offered here"}},
		"a part's name":    {one(stack), []string{`/config/resources/r/properties: its provider makes a part "role" (cloud:role) of it that is wrong at /properties/role_name: gives a name of 65 characters: this type takes 64`}},
		"names meet":       {two(`"type": "cloud:role", "properties": {"role_name": "s-role"}`), []string{`/config/resources/s/properties: its provider makes a part "role" (cloud:role) of it that is wrong at /properties/role_name: gives a physical name that another resource, or another region, has too`}},
		"a tag":            {one(`"type": "cloud:stack", "properties": {"name": "n", "runtime": "go"}, "tags": {"aws:x": "y"}`), []string{`/config/resources/r/tags/aws:x: its part "role" (cloud:role): keys that begin with mgraph: or aws: are reserved`, `/config/resources/r/tags/aws:x: its part "fn" (cloud:function): keys that begin with mgraph: or aws: are reserved`}},
		"tags for nobody":  {one(`"type": "hub:vault", "properties": {"token": "` + box + `", "repos": ["a"]}, "tags": {"a": "b"}`), []string{"/config/resources/r/tags: no part of this takes tags"}},
		"a verb":           {one(`"type": "cloud:site", "operation": "fly", "properties": {"name": "n"}`), []string{"/config/resources/r/operation: this type offers create, update, ensure, delete, verify"}},
		"options":          {one(`"type": "cloud:stack", "naming": "x", "timeout_seconds": -1, "properties": {"name": "n", "runtime": "go"}`), []string{`/config/resources/r/naming: must be "exact", or be left out`, "/config/resources/r/timeout_seconds: must be a number of seconds from 0 to 2592000 (30 days)"}},
		"no such output":   {two(secret + `"s.nothing"}`), []string{"/config/resources/r/references/value_from: names an output that this cloud:stack does not have: it takes arn, role_arn"}},
		"nothing as such":  {`{"deployment_id": "d", "resources": {"s": {"type": "cloud:site", "properties": {"name": "n"}}, "r": {` + secret + `"s"}}}}`, []string{"/config/resources/r/references/value_from: must name an output: nothing stands for a cloud:site as such: it takes back, front"}},
		"region of global": {two(secret + `"s@us-east-1.role_arn"}`), []string{"/config/resources/r/references/value_from: names a region of a resource that has none"}},
		"a part as such":   {two(secret + `"s.fn.arn"}`), []string{"/config/resources/r/references/value_from: names an output that this cloud:stack does not have: it takes arn, role_arn"}},
		"by a part's id":   {two(`"type": "cloud:role", "properties": {"role_name": "q"}, "depends_on": ["s.fn"]`), []string{"/config/resources/r/depends_on/0: names no resource of this configuration"}},
		"its role's type":  {two(`"type": "cloud:stack", "properties": {"name": "n", "runtime": "go"}, "references": {"code": "s.role_arn"}`), []string{"/config/resources/r/references/code: must name a resource of type cloud:bucket"}},
		"its own cycle":    {two(`"type": "cloud:stack", "properties": {"name": "n", "runtime": "go"}, "depends_on": ["r"]`), []string{"/config/resources/r/depends_on/0: names the resource itself"}},
		"a cycle":          {`{"deployment_id": "d", "resources": {"a": {"type": "cloud:role", "properties": {"role_name": "a"}, "depends_on": ["s"]}, "s": {"type": "cloud:stack", "properties": {"name": "n", "runtime": "go"}, "depends_on": ["a"]}}}`, []string{"/config/resources/a/depends_on/0: closes a cycle: a -> s -> a"}},
		"an id with a dot": {`{"deployment_id": "d", "resources": {"a.b": {"type": "cloud:stack", "properties": {"name": "n", "runtime": "go"}}}}`, []string{"/config/resources/a.b: a resource id must be 1 to 64 letters, digits, '_' or '-'"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := graph.Build(inputOf(t, c.body))
			require.Equal(t, c.problems, texts(problems))
		})
	}
}

// TestWrongExpansions: what a provider makes of a composite is held against the same rules, and told where the composite stands.
func TestWrongExpansions(t *testing.T) {
	role := func(name, more string) contract.ExpandedNode {
		return contract.ExpandedNode{LocalName: name, Type: "cloud:role", Properties: json.RawMessage(`{"role_name": "` + name + `"` + more + `}`)}
	}
	wrongly := "/config/resources/r/type: its provider expands it wrongly: "
	made := `its provider makes a part "a" (cloud:role) of it that is wrong at `
	with := func(change func(*contract.ExpandedNode)) *contract.ExpandResult {
		node := role("a", "")
		change(&node)
		return &contract.ExpandResult{Nodes: []contract.ExpandedNode{node, role("b", "")}}
	}
	for name, c := range map[string]struct {
		result   *contract.ExpandResult
		problems []string
	}{
		"no answer":        {nil, []string{"/config/resources/r/type: could not be expanded: its provider gave no answer"}},
		"no name":          {with(func(n *contract.ExpandedNode) { n.LocalName = "a.b" }), []string{wrongly + "part 0 has no valid name of its own"}},
		"a name twice":     {with(func(n *contract.ExpandedNode) { n.LocalName = "b" }), []string{wrongly + "part 1 has no valid name of its own"}},
		"another provider": {with(func(n *contract.ExpandedNode) { n.Type = "hub:secret" }), []string{wrongly + `part "a" is of another provider`}},
		"no such type":     {with(func(n *contract.ExpandedNode) { n.Type = "cloud:x" }), []string{`/config/resources/r: its provider makes a part "a" (cloud:x) of it that is wrong at /type: no installed provider offers this type`}},
		"itself": {with(func(n *contract.ExpandedNode) {
			n.Type = "cloud:stack"
			n.Properties = json.RawMessage(`{"name": "n"}`)
		}), []string{`/config/resources/r: its provider makes a part "a" (cloud:stack) of it that is wrong at /type: is a composite that stands in itself: cloud:stack -> cloud:stack`}},
		"its schema":        {with(func(n *contract.ExpandedNode) { n.Properties = json.RawMessage(`{"role_name": 1}`) }), []string{"/config/resources/r/properties: " + made + "/properties/role_name: must be of type string"}},
		"no JSON":           {with(func(n *contract.ExpandedNode) { n.Properties = json.RawMessage(`{`) }), []string{"/config/resources/r/properties: " + made + "/properties: is not JSON, or is nested too deep"}},
		"an edge":           {&contract.ExpandResult{Nodes: []contract.ExpandedNode{role("a", "")}, Edges: []contract.ExpandedEdge{{From: "a", To: "x"}}}, []string{wrongly + `an edge leads from "a" to "x"`}},
		"an edge to itself": {&contract.ExpandResult{Nodes: []contract.ExpandedNode{role("a", "")}, Edges: []contract.ExpandedEdge{{From: "a", To: "a"}}}, []string{wrongly + `an edge leads from "a" to "a"`}},
		"a cycle": {&contract.ExpandResult{Nodes: []contract.ExpandedNode{role("a", ""), role("b", "")}, Edges: []contract.ExpandedEdge{{From: "a", To: "b"}, {From: "b", To: "a"}}},
			[]string{"/config/resources/r: " + made + "/depends_on/0: closes a cycle: r.a -> r.b -> r.a"}},
		"a reference":         {with(func(n *contract.ExpandedNode) { n.References = map[string]string{"x": "b"} }), []string{"/config/resources/r: " + made + "/references/x: is not a reference that this type takes"}},
		"to no part":          {with(func(n *contract.ExpandedNode) { n.References = map[string]string{"x": "c.arn"} }), []string{"/config/resources/r: " + made + "/references/x: names no part of the composite"}},
		"to a region":         {with(func(n *contract.ExpandedNode) { n.References = map[string]string{"x": "b@eu.arn"} }), []string{"/config/resources/r: " + made + `/references/x: must be "part", "part.output" or "$role"`}},
		"to a role not given": {with(func(n *contract.ExpandedNode) { n.References = map[string]string{"x": "$code"} }), []string{"/config/resources/r: " + made + "/references/x: names a reference that the composite was not given"}},
		"what is not sealed":  {with(func(n *contract.ExpandedNode) { n.SealedProperties = map[string]string{"/path": "/name"} }), []string{wrongly + `part "a" is handed /name, which is no sealed property`}},
		"an output":           {&contract.ExpandResult{Nodes: []contract.ExpandedNode{role("a", "")}, Outputs: map[string]string{"x": "a.nothing", "y": "b"}}, []string{wrongly + `output "x" names an output that cloud:role does not have: it has arn, role_id`, wrongly + `output "y" names the output "y", which the provider of cloud:stack gives from no part of it`}},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputOf(t, one(`"type": "cloud:stack", "properties": {"name": "n"}`))
			in.Expand = func(*contract.ExpandRequest) *contract.ExpandResult { return c.result }
			_, problems := graph.Build(in)
			require.Equal(t, c.problems, texts(problems))
		})
	}
	t.Run("a secret of nobody", func(t *testing.T) {
		in := inputOf(t, one(`"type": "hub:vault", "properties": {"token": "`+box+`", "repos": []}`))
		in.Expand = func(*contract.ExpandRequest) *contract.ExpandResult {
			return &contract.ExpandResult{Nodes: []contract.ExpandedNode{{
				LocalName: "a", Type: "hub:secret", Properties: json.RawMessage(`{"repo": "r", "secret_name": "S", "encrypted_value": "` + box + `"}`),
				SealedProperties: map[string]string{"/note": "/token"},
			}}}
		}
		_, problems := graph.Build(in)
		made := `/config/resources/r/properties: its provider makes a part "a" (hub:secret) of it that is wrong at /properties/`
		require.Equal(t, []string{
			made + "encrypted_value: is sensitive, and can only be handed on from the composite",
			made + "note: is not sensitive, and is handed what is sealed",
		}, texts(problems))
		require.NotContains(t, fmt.Sprint(problems), box)
	})
}

func TestCompositesAreBounded(t *testing.T) {
	in := inputOf(t, one(`"type": "cloud:c0", "properties": {}`))
	catalog := graphtest.NewCatalog()
	for i := range graph.MaxNesting + 1 {
		catalog.Descriptions[0].ResourceTypes = append(catalog.Descriptions[0].ResourceTypes, contract.ResourceType{
			Name: fmt.Sprintf("cloud:c%d", i), Composite: true, Placement: contract.Global,
		})
	}
	in.Catalog = catalog
	depth := 0
	in.Expand = func(request *contract.ExpandRequest) *contract.ExpandResult {
		depth++
		return &contract.ExpandResult{Nodes: []contract.ExpandedNode{{LocalName: "c", Type: fmt.Sprintf("cloud:c%d", depth)}}}
	}
	_, problems := graph.Build(in)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].Message, "is a composite in more than 8 others")
	require.Equal(t, graph.MaxNesting, depth)

	in = inputOf(t, `{"deployment_id": "d", "resources": {"r": {"type": "cloud:stack", "properties": {"name": "n"}},
		"s": {"type": "cloud:stack", "properties": {"name": "n"}, "depends_on": ["r"]}}}`)
	many := func(n int) func(*contract.ExpandRequest) *contract.ExpandResult {
		return func(*contract.ExpandRequest) *contract.ExpandResult {
			result := &contract.ExpandResult{}
			for i := range n {
				result.Nodes = append(result.Nodes, contract.ExpandedNode{LocalName: fmt.Sprintf("p%d", i), Type: "cloud:bucket"})
			}
			return result
		}
	}
	in.Expand = many(100_001)
	_, problems = graph.Build(in)
	require.Equal(t, []string{
		"/config/resources/r/type: composites make more than 100000 resources", "/config/resources/s/type: composites make more than 100000 resources",
	}, texts(problems))

	kind, _ := in.Catalog.Type("cloud:bucket")
	kind.Schema, kind.Naming = nil, contract.Naming{}
	in.Expand = many(2000)
	_, problems = graph.Build(in)
	require.Equal(t, []string{"/config/resources: composites make more than 1000000 dependencies between their parts"}, texts(problems))
}
