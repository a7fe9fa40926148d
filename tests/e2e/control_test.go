package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

func (s *site) carryOn(request *rest.ContinueRequest) *rest.RunResult {
	s.Helper()
	request.Credentials = noCredentials()
	result, err := s.Client.Continue(s.ctx, request)
	require.NoError(s, err)
	return result
}

func (s *site) cancel(runID string, grace float64) *rest.RunResult {
	s.Helper()
	result, err := s.Client.Cancel(s.ctx, &rest.CancelRequest{RunID: runID, GraceSeconds: &grace})
	require.NoError(s, err)
	return result
}

func TestAGraphIsWalkedThroughStepByStep(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{Config: config(t, "app", chain), Mode: rest.ModeStep})
	require.NoError(t, err)
	for made := 1; made < chainSize; made++ {
		require.Equal(t, rest.RunPaused, result.Status)
		require.Equal(t, made, s.outside())
		next := result.NextOperation.ID
		status, err := s.Client.Status(s.ctx, result.GraphID, "")
		require.NoError(t, err)
		require.Equal(t, next, status.NextOperation.ID)
		result = s.carryOn(&rest.ContinueRequest{GraphID: result.GraphID})
		require.Contains(t, result.Outputs, next, "the step was the one that was named")
	}
	require.True(t, result.Success)
	require.Equal(t, chainSize, s.outside())
}

const gated = `{
	"first":  {"type": "noop:thing"},
	"second": {"type": "noop:regional", "depends_on": [{"resource": "first", "edge_type": "pause"}]},
	"third":  {"type": "noop:thing", "depends_on": ["second"]},
	"beside": {"type": "noop:thing", "depends_on": [{"resource": "first", "edge_type": "pause"}]},
	"never":  {"type": "noop:thing", "depends_on": [{"resource": "beside", "edge_type": "end"}]}
}`

func TestAPauseOutlivesItsHost(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	paused := s.apply(config(t, "app", gated))
	require.Equal(t, rest.RunPaused, paused.Status)
	want := map[string]string{
		"first": "completed", "second@us-east-1": "paused", "second@eu-west-1": "paused", "third": "pending", "beside": "paused",
		"never": "skipped",
	}
	require.Equal(t, want, s.statuses(paused.GraphID))
	s.Kill()
	require.NoError(t, s.Start(s.ctx))
	require.Equal(t, want, s.statuses(paused.GraphID))

	refused := s.ask(http.MethodPost, "/deploy/continue", encode(t, &rest.ContinueRequest{GraphID: paused.GraphID})).problem(t)
	require.Equal(t, rest.KindInvalid, refused.Kind)
	require.Equal(t, "noop", refused.Provider, "credentials are asked for by name")

	again := s.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID, FromNode: "second"})
	require.Equal(t, paused.RunID, again.RunID)
	require.Equal(t, rest.RunPaused, again.Status)
	require.Equal(t, "paused", s.statuses(paused.GraphID)["beside"])
	s.Kill()
	require.NoError(t, s.Start(s.ctx))
	require.True(t, s.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID}).Success)
	require.Equal(t, 5, s.outside())
	require.Equal(t, "skipped", s.statuses(paused.GraphID)["never"])

	page := s.ask(http.MethodGet, "/deploy/events/"+paused.GraphID, nil, "Accept", "application/json")
	require.Contains(t, string(page.body), rest.EventReleased)
}

func TestWhatIsSkippedByRequestIsMissedByThoseWhoNeedIt(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	failed := s.apply(config(t, "app", `{
		"broken": {"type": "noop:thing", "properties": {"fail": "permission_denied", "fail_times": 1}},
		"reader": {"type": "noop:thing", "references": {"from": "broken.id"}},
		"after":  {"type": "noop:thing", "depends_on": ["broken"]}
	}`))
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, "broken", failed.NextOperation.ResourceID)
	skipped := s.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID, Skip: []string{"broken"}})
	require.Equal(t, map[string]string{"broken": "skipped", "reader": "failed", "after": "completed"}, s.statuses(failed.GraphID))
	require.Contains(t, skipped.FailedOperation.Error, "broken")
	done := s.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID, Unskip: []string{"broken"}})
	require.True(t, done.Success, "%+v", done.FailedOperation)
	require.Equal(t, 3, s.outside())
}

func TestCancelWhileAnOperationHangs(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *rig.HostOptions) { o.Config = map[string]any{"settle_grace_seconds": 2} })
	running := s.begin(config(t, "app", `{
		"deaf":  {"type": "noop:thing", "properties": {"deaf_ms": 20000}},
		"next":  {"type": "noop:thing", "depends_on": ["deaf"]},
		"made":  {"type": "noop:thing", "properties": {"sleep_ms": 2000}}
	}`))
	s.until("both are under way", func() bool {
		found := s.statuses(running.GraphID)
		return found["deaf"] == "running" && found["made"] == "running" && s.outside() == 1
	})
	begun := time.Now()
	cancelled := s.cancel(running.RunID, 0)
	require.Less(t, time.Since(begun), 15*time.Second, "a provider that does not listen holds nobody up")
	require.Equal(t, rest.RunCancelled, cancelled.Status)
	require.Equal(t, map[string]string{"deaf": "pending", "next": "pending", "made": "completed"}, s.statuses(running.GraphID),
		"what is not there was not done, what is there is finished")
	require.Empty(t, cancelled.Unsettled)
	require.Equal(t, 1, s.outside())
	require.Equal(t, rest.RunCancelled, s.cancel(running.RunID, 0).Status, "twice changes nothing")
	require.False(t, slices.ContainsFunc(cancelled.Next, func(c rest.Call) bool { return c.Path == "/deploy/continue" }))

	_, err := s.Client.Continue(s.ctx, &rest.ContinueRequest{GraphID: running.GraphID, Credentials: noCredentials()})
	require.ErrorIs(t, err, rest.KindConflict)
	destroyed, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials(), Only: []string{"made", "next"}})
	require.NoError(t, err)
	require.True(t, destroyed.Success, "%+v", destroyed.FailedOperation)
	require.Zero(t, s.outside())
}

func TestACallThatWasBrokenOffMakesNothingLater(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	running := s.begin(config(t, "app", `{"deaf": {"type": "noop:thing", "properties": {"deaf_ms": 1500}}}`))
	s.until("it is under way", func() bool { return s.statuses(running.GraphID)["deaf"] == "running" })
	require.Equal(t, rest.RunCancelled, s.cancel(running.RunID, 0).Status)
	require.Equal(t, "pending", s.statuses(running.GraphID)["deaf"])

	// The same graph again: its call begins after the one that was broken off, and ends after it.
	again, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{GraphID: running.GraphID, Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, again.Success, "%+v", again.FailedOperation)
	require.Equal(t, 1, s.outside(), "the call that was broken off came to nothing")
	destroyed, err := s.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, destroyed.Success, "%+v", destroyed.FailedOperation)
}

func TestAnOperatorHoldsAProviderToLess(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *rig.HostOptions) {
		o.Config = map[string]any{"rate_limits": map[string]any{"noop": map[string]any{"max_concurrent": 1}}}
	})
	begun := time.Now()
	s.applied(config(t, "app", `{
		"a": {"type": "noop:thing", "properties": {"sleep_ms": 300}},
		"b": {"type": "noop:thing", "properties": {"sleep_ms": 300}},
		"c": {"type": "noop:thing", "properties": {"sleep_ms": 300}}
	}`))
	require.GreaterOrEqual(t, time.Since(begun), 900*time.Millisecond, "one after the other")
}
