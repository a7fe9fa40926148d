package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
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
