package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph/graphtest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// box looks like a sealed box.
var box = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("sealed", 20)))

// inputOf decodes a configuration and puts what a Build needs around it.
func inputOf(t testing.TB, body string) graph.Input {
	t.Helper()
	decoded, err := config.Decode[rest.Config]([]byte(body), config.Limits{})
	require.NoError(t, err)
	return graph.Input{
		Config: &decoded, Catalog: graphtest.NewCatalog(), GraphID: "aaaa0000", NewID: graphtest.IDs(), Owner: "owner-hash", Prefix: "/config",
		Expand: graphtest.Expand,
	}
}

func mustBuild(t testing.TB, in graph.Input) *graph.Built {
	t.Helper()
	built, problems := graph.Build(in)
	require.Empty(t, problems)
	require.NotNil(t, built)
	return built
}

const example = `{
  "deployment_id": "my-app", "version": "v3",
  "credentials": {"cloud": {"key": "k", "encrypted_secret": "s", "region": "sa-1"}, "hub": {"encrypted_pat": "p"}},
  "targets": [{"provider": "cloud", "regions": ["us-east-1", "eu-west-1"]}], "providers": {"cloud": {"version": "~1.2"}},
  "resources": {
    "execution-role": {"type": "cloud:role", "properties": {"role_name": "my-role", "trust": {"a": "<&>"}}},
    "code": {"type": "cloud:bucket", "operation": "ensure", "properties": {"bucket_name": "My-Code"}},
    "package": {"type": "cloud:object", "properties": {"key": "app.zip"}, "references": {"bucket": "code"}},
    "api": {"type": "cloud:function", "properties": {"function_name": "api", "runtime": "go", "handler": "main"},
            "references": {"role": "execution-role.arn", "code_bucket": "code", "code_key": "package.key"},
            "depends_on": ["execution-role", {"resource": "package", "edge_type": "pause"}], "tags": {"team": "x"}, "timeout_seconds": 30},
    "arn": {"type": "hub:secret", "properties": {"repo": "org/app", "secret_name": "lambda_arn"},
            "references": {"value_from": "api@eu-west-1.arn"}},
    "token": {"type": "hub:secret", "properties": {"repo": "org/app", "encrypted_value": "BOX", "secret_name": "TOKEN"},
              "naming": "exact", "adopt": true}
  }
}`

func TestBuildExample(t *testing.T) {
	in := inputOf(t, strings.Replace(strings.Replace(example, `"key": "app.zip"`, `"key": "app.zip", "size": 1`, 1), "BOX", box, 1))
	in.Config.Resources[1].Definition.Properties = json.RawMessage(`{"bucket_name":"my-code"}`)
	built := mustBuild(t, in)
	spec := built.Spec
	require.Equal(t, "aaaa0000", spec.GraphID)
	require.Equal(t, "v3", spec.Version)
	require.Equal(t, map[string]graph.Pin{
		"cloud": {Version: "1.2.3", Digest: "digest-of-cloud"}, "hub": {Version: "0.4.0", Digest: "digest-of-hub"},
	}, spec.Providers)
	role, code, object, api, arn, token := spec.Node("execution-role"), spec.Node("code"), spec.Node("package"), spec.Node("api"), spec.Node("arn"), spec.Node("token")
	require.Nil(t, spec.Node("nobody"))

	require.Equal(t, graph.Node{
		NodeID: "00000001", ResourceID: "execution-role", Type: "cloud:role", Verb: contract.VerbCreate,
		Properties: json.RawMessage(`{"role_name":"my-role","trust":{"a":"\u003c\u0026\u003e"}}`),
		Regions:    []string{""}, Names: map[string]string{"": "my-role"},
	}, *role)
	require.Equal(t, contract.VerbEnsure, code.Verb)
	require.Equal(t, map[string]string{"us-east-1": "my-code-00000002", "eu-west-1": "my-code-00000002-eu-west-1"}, code.Names)
	require.Equal(t, map[string]graph.Reference{"bucket": {Text: "code", NodeID: "00000002", Property: "/bucket"}}, object.References)
	require.Equal(t, map[string]graph.Reference{
		"role":        {Text: "execution-role.arn", NodeID: "00000001", Output: "arn", Property: "/role"},
		"code_bucket": {Text: "code", NodeID: "00000002", Property: "/code/bucket"},
		"code_key":    {Text: "package.key", NodeID: "00000003", Output: "key", Property: "/code/key"},
	}, api.References)
	require.Equal(t, []string{"us-east-1", "eu-west-1"}, api.Regions)
	require.Equal(t, map[string]string{"team": "x"}, api.Tags)
	require.InDelta(t, 30, api.Timeout, 0)
	require.Equal(t, "eu-west-1", arn.References["value_from"].Region)
	require.Equal(t, map[string]string{"": "LAMBDA_ARN__00000005"}, arn.Names)
	require.Equal(t, map[string]string{"": "TOKEN"}, token.Names)
	require.True(t, token.Adopt)
	require.True(t, token.Exact)

	require.JSONEq(t, `{"repo": "org/app", "secret_name": "TOKEN"}`, string(token.Properties), "what is sealed is not stored")
	require.Equal(t, []string{"/encrypted_value"}, token.Sealed)
	require.Equal(t, map[string][]graph.SealedValue{
		"hub": {{NodeID: token.NodeID, ResourceID: "token", Type: "hub:secret", Pointer: "/encrypted_value", Box: box}},
	}, built.Sealed)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", built.Sealed, built.Sealed["hub"][0], built.Sealed["hub"]), box)

	type edge struct{ from, to, kind string }
	var edges []edge
	ids := map[string]bool{}
	for _, e := range spec.Edges {
		edges = append(edges, edge{e.From, e.To, string(e.Type)})
		ids[e.EdgeID] = true
	}
	require.Equal(t, []edge{
		{"00000002", "00000003", "dependency"}, {"00000001", "00000004", "dependency"}, {"00000003", "00000004", "pause"},
		{"00000002", "00000004", "dependency"}, {"00000004", "00000005", "dependency"},
	}, edges)
	require.Len(t, ids, 5)
	require.Empty(t, built.Warnings)

	require.Equal(t, map[string]string{
		"mgraph:graph-id": "aaaa0000", "mgraph:node-id": "00000004", "mgraph:edge-id": spec.Edges[1].EdgeID,
		"mgraph:deploy-id": "my-app", "mgraph:resource-id": "api", "mgraph:owner": "o",
	}, spec.Labels(api, "o"))
	require.NotContains(t, spec.Labels(role, "o"), "mgraph:edge-id")
}

func TestSpecRoundTripsThroughJSON(t *testing.T) {
	in := inputOf(t, strings.Replace(strings.ReplaceAll(example, "My-Code", "my-code"), "BOX", box, 1))
	spec := mustBuild(t, in).Spec
	stored, err := json.Marshal(spec)
	require.NoError(t, err)
	require.NotContains(t, string(stored), box)
	var loaded graph.Spec
	require.NoError(t, json.Unmarshal(stored, &loaded))
	require.Equal(t, *spec, loaded)
}

func TestVersionOfTheInputWins(t *testing.T) {
	in := inputOf(t, one(`"type": "cloud:role", "properties": {"role_name": "r"}`))
	in.Version = "v7"
	require.Equal(t, "v7", mustBuild(t, in).Spec.Version)
}

// one is a configuration with one resource, r.
func one(resource string) string {
	return `{"deployment_id": "d", "resources": {"r": {` + resource + `}}}`
}

func TestRegions(t *testing.T) {
	bucket := `"resources": {"b": {"type": "cloud:bucket", "properties": {"bucket_name": "b"}}}}`
	for name, c := range map[string]struct {
		body    string
		regions []string
	}{
		"of the target":       {`{"deployment_id": "d", "targets": [{"provider": "cloud", "regions": ["b-2", "a-1"]}], ` + bucket, []string{"b-2", "a-1"}},
		"of the credentials":  {`{"deployment_id": "d", "credentials": {"cloud": {"region": "ap-1"}}, ` + bucket, []string{"ap-1"}},
		"a target without":    {`{"deployment_id": "d", "targets": [{"provider": "cloud"}], "credentials": {"cloud": {"region": "ap-1"}}, ` + bucket, []string{"ap-1"}},
		"credentials without": {`{"deployment_id": "d", "credentials": {"cloud": {"region": null}, "hub": null}, ` + bucket, []string{"us-east-1"}},
		"nothing said":        {`{"deployment_id": "d", ` + bucket, []string{"us-east-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.regions, mustBuild(t, inputOf(t, c.body)).Spec.Nodes[0].Regions)
		})
	}
}

func TestKnownResourcesKeepTheirIDsAndNames(t *testing.T) {
	in := inputOf(t, `{"deployment_id": "d", "targets": [{"provider": "cloud", "regions": ["eu-1", "us-1", "ap-1"]}], "resources": {
		"b": {"type": "cloud:bucket", "properties": {"bucket_name": "new"}},
		"c": {"type": "cloud:bucket", "properties": {"bucket_name": "other"}}}}`)
	in.Known = []graph.KnownResource{
		{ResourceID: "b", Type: "cloud:bucket", NodeID: "00000001", Names: map[string]string{"us-1": "new-00000001", "ap-1": "old-name"}},
		{ResourceID: "gone", Type: "cloud:role", NodeID: "00000002"},
	}
	built := mustBuild(t, in)
	b, c := built.Spec.Node("b"), built.Spec.Node("c")
	require.Equal(t, "00000001", b.NodeID)
	require.Equal(t, "00000003", c.NodeID, "ids of known resources are taken")
	require.Equal(t, map[string]string{"eu-1": "new-00000001-eu-1", "us-1": "new-00000001", "ap-1": "old-name"}, b.Names,
		"the first region may not take the name that another has from before")
	require.Equal(t, map[string]string{"eu-1": "other-00000003", "us-1": "other-00000003-us-1", "ap-1": "other-00000003-ap-1"}, c.Names)
	require.Equal(t, []string{"b keeps the name that it was made with"}, built.Warnings)
}

func TestReadingOneOfManyRegions(t *testing.T) {
	in := inputOf(t, `{"deployment_id": "d", "targets": [{"provider": "cloud", "regions": ["eu-1", "us-1"]}], "resources": {
		"f": {"type": "cloud:function", "properties": {"function_name": "f", "runtime": "go", "handler": "h", "role": "arn:x"}},
		"s": {"type": "hub:secret", "properties": {"repo": "r", "secret_name": "S"}, "references": {"value_from": "f"}}}}`)
	built := mustBuild(t, in)
	require.Equal(t, "eu-1", built.Spec.Node("s").References["value_from"].Region)
	require.Equal(t, []string{"s reads f in eu-1, the first of its 2 regions; write f@region to choose another"}, built.Warnings)
}

func TestRegionOfReference(t *testing.T) {
	two, global := &graph.Node{Regions: []string{"a", "b"}}, &graph.Node{Regions: []string{""}}
	require.Equal(t, "b", graph.Reference{}.RegionOf(two, "b"))
	require.Equal(t, "a", graph.Reference{}.RegionOf(two, ""))
	require.Equal(t, "b", graph.Reference{Region: "b"}.RegionOf(two, "a"))
	require.Empty(t, graph.Reference{}.RegionOf(global, "a"))
}

func TestSamePlaceIsTheSameTypeNameAndIdentity(t *testing.T) {
	secret := `{"type": "hub:secret", "naming": "exact", "properties": {"repo": "REPO", "secret_name": "NAME", "encrypted_value": "` + box + `"}}`
	two := func(repo, name string) string {
		second := strings.NewReplacer("REPO", repo, "NAME", name).Replace(secret)
		first := strings.NewReplacer("REPO", "a", "NAME", "X").Replace(secret)
		return `{"deployment_id": "d", "resources": {"one": ` + first + `, "two": ` + second + `}}`
	}
	mustBuild(t, inputOf(t, two("b", "X")))
	mustBuild(t, inputOf(t, two("a", "Y")))
	_, problems := graph.Build(inputOf(t, two("a", "x")))
	require.Equal(t, []graph.Problem{{
		Pointer: "/config/resources/two/properties/secret_name",
		Message: "gives a physical name that another resource, or another region, has too",
	}}, problems, "the vendor keeps names in upper case")
}

func TestEdgeLabelIsLeftOutWhereThereIsNoRoom(t *testing.T) {
	object := func(tags string) *graph.Node {
		return mustBuild(t, inputOf(t, `{"deployment_id": "d", "resources": {
			"b": {"type": "cloud:bucket", "properties": {"bucket_name": "b"}},
			"o": {"type": "cloud:object", "properties": {"key": "k"}, "references": {"bucket": "b"}, "tags": `+tags+`}}}`)).Spec.Node("o")
	}
	require.NotEmpty(t, object(`{"a": "1"}`).EdgeID)
	require.Empty(t, object(`{"a": "1", "b": "2"}`).EdgeID)
}

func TestDeleteNeedsOnlyWhatIdentifies(t *testing.T) {
	in := inputOf(t, one(`"type": "cloud:function", "operation": "delete", "properties": {"function_name": "f"}`))
	require.Equal(t, contract.VerbDelete, mustBuild(t, in).Spec.Nodes[0].Verb)
	_, problems := graph.Build(inputOf(t, one(`"type": "cloud:function", "operation": "delete"`)))
	require.Equal(t, []string{"/config/resources/r/properties/function_name: is required"}, texts(problems))
}

func TestSealedPropertiesBesideTheConfig(t *testing.T) {
	in := inputOf(t, one(`"type": "hub:secret", "properties": {"repo": "a", "secret_name": "S"}`))
	in.SealedProperties = map[string]string{"/resources/r/properties/encrypted_value": box}
	built := mustBuild(t, in)
	require.Equal(t, []string{"/encrypted_value"}, built.Spec.Nodes[0].Sealed)
	require.Equal(t, box, built.Sealed["hub"][0].Box)

	brought, problems := built.Spec.Unseal(in.SealedProperties)
	require.Empty(t, problems)
	require.Equal(t, built.Sealed, brought)
	require.Equal(t, "/resources/r/properties/encrypted_value", graph.SealedPointer(&built.Spec.Nodes[0], "/encrypted_value"))

	_, problems = built.Spec.Unseal(map[string]string{
		"/resources/r/properties/encrypted_value": canary, "/resources/r/properties/repo": box, "/resources/x/properties/encrypted_value": box, canary: box,
	})
	require.Equal(t, []string{
		"/sealed_properties/~1resources~1r~1properties~1encrypted_value: must be a value sealed to the provider's public key, in standard base64",
		"/sealed_properties/~1resources~1r~1properties~1repo: " + misplaced,
		"/sealed_properties/~1resources~1x~1properties~1encrypted_value: " + misplaced,
		"/sealed_properties/" + canary + ": " + misplaced,
	}, texts(problems))
}

const misplaced = "names no sensitive property: a key must be a pointer /resources/<resource id>/properties/<property>"

func texts(problems []graph.Problem) []string {
	shown := make([]string, len(problems))
	for i, problem := range problems {
		shown[i] = problem.Pointer + ": " + problem.Message
	}
	return shown
}

// TestSchemasAreCompiledOnce from Build to Build, and may be shared by many at once.
func TestSchemasAreCompiledOnce(t *testing.T) {
	schemas := &graph.Schemas{}
	t.Run("parallel", func(t *testing.T) {
		for range 8 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				in := inputOf(t, strings.Replace(strings.ReplaceAll(example, "My-Code", "my-code"), "BOX", box, 1))
				in.Schemas = schemas
				mustBuild(t, in)
			})
		}
	})
	require.Equal(t, 5, schemas.Len())
}
