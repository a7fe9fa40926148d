package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// TestACompositeSurvivesItsHost: what a provider made of it is stored with the graph, so that another host goes on with exactly
// that; only what was sealed is asked for again, where the caller gave it.
func TestACompositeSurvivesItsHost(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	seal := func() string {
		sealer, err := rig.NewSealer(s.ctx, s.Client, "noop")
		require.NoError(t, err)
		box, err := sealer.Property("noop:stack", "/secret", "a secret of a stack")
		require.NoError(t, err)
		return box
	}
	c := config(t, "app", `{
		"before": {"type": "noop:thing", "properties": {"value": "v", "sleep_ms": 1500}},
		"stack":  {"type": "noop:stack", "properties": {"size": 3, "sleep_ms": 300, "secret": "`+seal()+`"}, "references": {"from": "before.value"}},
		"after":  {"type": "noop:thing", "references": {"from": "stack@eu-west-1.top"}}}`)
	run := s.begin(c)
	s.until("the first operation is in flight", func() bool { return s.statuses(run.GraphID)["before"] == "running" })
	s.Kill()
	require.NoError(t, s.Start(s.ctx), "%s", s.log())
	require.Equal(t, "pending", s.composite(run.GraphID).Status)

	refused := s.ask(http.MethodPost, "/deploy/apply", encode(t, rest.ApplyRequest{GraphID: run.GraphID, Credentials: noCredentials()}))
	problem := refused.problem(t)
	require.Equal(t, http.StatusUnprocessableEntity, problem.Status)
	require.Equal(t, "/sealed_properties/~1resources~1stack~1properties~1secret", problem.Errors[0].Pointer)
	result, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{
		GraphID: run.GraphID, Credentials: noCredentials(), SealedProperties: map[string]string{"/resources/stack/properties/secret": seal()},
	})
	require.NoError(t, err)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, 7, result.Total)
	require.Equal(t, 7, s.outside())

	stack := s.composite(run.GraphID)
	require.Equal(t, "completed", stack.Status)
	require.Len(t, stack.Operations, 5)
	held := map[string]string{}
	for _, thing := range s.read() {
		held[thing.Labels[contract.LabelResourceID]+"@"+thing.Region] = thing.ID
	}
	var outputs map[string]string
	require.NoError(t, json.Unmarshal(stack.Outputs[stack.NodeID+"@eu-west-1"], &outputs))
	require.Equal(t, held["stack.layer-2@eu-west-1"], outputs["top"])
	require.Equal(t, held["stack.base@"], outputs["id"])

	text, err := s.Client.Graph(s.ctx, stack.SubgraphID, "", "spec")
	require.NoError(t, err)
	var sub struct {
		PartOf string `json:"part_of"`
		Nodes  []struct {
			ResourceID string `json:"resource_id"`
		} `json:"nodes"`
		Edges []any `json:"edges"`
	}
	require.NoError(t, json.Unmarshal(text, &sub))
	require.Equal(t, run.GraphID, sub.PartOf)
	require.Len(t, sub.Nodes, 3)
	require.Len(t, sub.Edges, 3)

	destroyed, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, destroyed.Success, "%+v", destroyed.FailedOperation)
	require.Zero(t, s.outside())
}

// TestTheExampleOfACompositeIsDeployedAsItStands: a function with its role in two regions of AWS, and its ARN in a workflow's secret.
// Posted again it changes nothing, and destroyed it leaves nothing.
func TestTheExampleOfACompositeIsDeployedAsItStands(t *testing.T) {
	t.Parallel()
	moto := standin.RunMoto(t)
	fake := githubfake.New(githubfake.Options{})
	github := httptest.NewServer(fake)
	t.Cleanup(github.Close)
	require.NoError(t, fake.AddRepo(githubfake.Repo{Owner: "my-org", Name: "my-api", Private: true}))
	fake.AddToken(githubfake.Token{Value: "token", Login: "my-org", Scopes: []string{"repo"}})
	s := start(t, func(o *rig.HostOptions) {
		o.Settings["aws"], o.Settings["github"] = map[string]string{"endpoint": moto.URL}, map[string]string{"endpoint": github.URL}
	})
	credential := func(provider, value string) string {
		sealer, err := rig.NewSealer(s.ctx, s.Client, provider)
		require.NoError(t, err)
		box, err := sealer.Credential(value)
		require.NoError(t, err)
		return box
	}
	root, err := standin.Root()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "examples", "my-api.json"))
	require.NoError(t, err)
	c := &rest.Config{}
	require.NoError(t, json.Unmarshal(text, c))
	c.Credentials = rest.Credentials{
		"aws":    encode(t, map[string]string{"access_key_id": "AKIAEXAMPLE", "encrypted_secret_access_key": credential("aws", "key")}),
		"github": encode(t, map[string]string{"encrypted_pat": credential("github", "token")}),
	}
	applied := s.applied(c)
	require.Equal(t, 8, applied.Total)
	aws, err := moto.ReadBack(s.ctx, "us-east-1", "eu-west-1")
	require.NoError(t, err)
	require.Len(t, aws.Roles, 1)
	require.Len(t, aws.Functions, 2)
	arns := map[string]string{}
	for _, function := range aws.Functions {
		require.Equal(t, aws.Roles[0].ARN, function.Role)
		require.Equal(t, "api.function", function.Tags[contract.LabelResourceID])
		require.Equal(t, "web", function.Tags["team"])
		arns[function.Region] = function.ARN
	}
	require.Equal(t, "api.role", aws.Roles[0].Tags[contract.LabelResourceID])
	require.Equal(t, arns["eu-west-1"], fake.Secrets("my-org", "my-api")[0].Value)
	api := s.composite(applied.GraphID)
	var outputs map[string]string
	require.NoError(t, json.Unmarshal(api.Outputs[api.NodeID+"@eu-west-1"], &outputs))
	require.Equal(t, map[string]string{"arn": arns["eu-west-1"], "function_name": "my-api", "role_arn": aws.Roles[0].ARN}, outputs)

	again := s.applied(c)
	require.Zero(t, again.Changed, "%v", again.Changes)
	destroyed, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "my-api-prod", Credentials: c.Credentials})
	require.NoError(t, err)
	require.True(t, destroyed.Success, "%+v", destroyed.FailedOperation)
	aws, err = moto.ReadBack(s.ctx, "us-east-1", "eu-west-1")
	require.NoError(t, err)
	require.Empty(t, aws.Roles)
	require.Empty(t, aws.Functions)
	require.Empty(t, aws.Buckets)
	require.Empty(t, fake.Secrets("my-org", "my-api"))
}

// composite is how the only one of a graph stands.
func (s *site) composite(graphID string) rest.CompositeStatus {
	s.Helper()
	status, err := s.Client.Status(s.ctx, graphID, "")
	require.NoError(s, err)
	require.Len(s, status.Composites, 1)
	return status.Composites[0]
}

// TestRegionsSurviveTheirHost: killed with some regions done, some in flight and some not begun, a run goes on to one thing in each.
func TestRegionsSurviveTheirHost(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := config(t, "app", `{
		"first":  {"type": "noop:thing", "properties": {"value": "v"}},
		"second": {"type": "noop:regional", "references": {"from": "first.value"}, "properties": {"sleep_ms": 400}},
		"third":  {"type": "noop:regional", "references": {"from": "second.id"}, "properties": {"sleep_ms": 400}},
		"fourth": {"type": "noop:thing", "references": {"from": "third@region-2.id"}}}`)
	c.Targets[0].Regions = []string{"region-0", "region-1", "region-2", "region-3"}
	run := s.begin(c)
	s.until("some of a region is there", func() bool { return s.outside() > 1 })
	s.Kill()
	require.NoError(t, s.Start(s.ctx), "%s", s.log())
	result := s.resume(run.GraphID)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	places := map[string]string{}
	for _, thing := range s.read() {
		where := thing.Labels[contract.LabelResourceID] + "@" + thing.Region
		require.NotContains(t, places, where, "one thing in each place")
		places[where] = thing.ID
	}
	require.Len(t, places, 10)
	for _, thing := range s.read() {
		switch thing.Labels[contract.LabelResourceID] {
		case "third":
			require.Equal(t, places["second@"+thing.Region], thing.Value, "each region reads its own")
		case "fourth":
			require.Equal(t, places["third@region-2"], thing.Value)
		}
	}
	destroyed, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, destroyed.Success, "%+v", destroyed.FailedOperation)
	require.Zero(t, s.outside())
}
