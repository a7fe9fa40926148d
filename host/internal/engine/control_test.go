package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (h *house) carryOn(request *rest.ContinueRequest) *rest.RunResult {
	h.t.Helper()
	if request.Credentials == nil {
		request.Credentials = noCredentials
	}
	result, err := h.engine.Continue(h.t.Context(), h.caller, request)
	require.NoError(h.t, err)
	return h.wait(result)
}

// standing gives the status of each operation, by resource and region.
func (h *house) standing(graphID string) map[string]string {
	h.t.Helper()
	status, err := h.engine.Status(h.t.Context(), h.caller, graphID, "")
	require.NoError(h.t, err)
	found := map[string]string{}
	for _, operation := range status.Operations {
		found[strings.TrimSuffix(operation.ResourceID+"@"+operation.Region, "@")] = operation.Status
	}
	return found
}

func denied(func() (*contract.Result, error)) (*contract.Result, error) {
	d := contract.New(contract.KindPermissionDenied, "no").Diagnostic
	return &contract.Result{Outcome: contract.OutcomeNotApplied, Diagnostics: []contract.Diagnostic{d}}, nil
}

func TestStepByStep(t *testing.T) {
	h := build(t)
	result := h.apply(&rest.ApplyRequest{Config: h.chain("create"), Mode: rest.ModeStep})
	for step, next := range []string{"b us-east-1", "b eu-west-1", "c "} {
		require.Equal(t, rest.RunPaused, result.Status)
		require.Equal(t, step+1, result.Completed)
		require.Equal(t, rest.ModeStep, result.Mode)
		require.Equal(t, next, result.NextOperation.ResourceID+" "+result.NextOperation.Region)
		status, err := h.engine.Status(t.Context(), h.caller, result.GraphID, "")
		require.NoError(t, err)
		require.Equal(t, result.NextOperation, status.NextOperation)
		h.restart() // nothing of it hangs on this host
		result = h.carryOn(&rest.ContinueRequest{GraphID: result.GraphID})
	}
	require.True(t, result.Success)
	require.Nil(t, result.NextOperation)
	require.Equal(t, 4, h.outside())
}

func TestAStepThatFailsIsDoneAgain(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(1, "a", denied))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create"), Mode: rest.ModeStep})
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, "a", failed.NextOperation.ResourceID)
	again := h.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID})
	require.Equal(t, rest.RunPaused, again.Status)
	require.Equal(t, 1, again.Completed)
	require.True(t, h.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID, Mode: rest.ModeFull}).Success)
}

const gated = `{
	"a": {"type": "noop:thing"},
	"b": {"type": "noop:regional", "depends_on": [{"resource": "a", "edge_type": "pause"}]},
	"c": {"type": "noop:thing", "depends_on": ["b"]},
	"d": {"type": "noop:thing", "depends_on": [{"resource": "a", "edge_type": "pause"}]},
	"e": {"type": "noop:thing"}}`

func TestAPauseEdgeHoldsOnlyWhatIsBehindItAndStaysReleased(t *testing.T) {
	h := build(t)
	result := h.apply(&rest.ApplyRequest{Config: h.config(gated)})
	require.Equal(t, rest.RunPaused, result.Status)
	require.Equal(t, map[string]string{
		"a": "completed", "b@us-east-1": "paused", "b@eu-west-1": "paused", "c": "pending", "d": "paused", "e": "completed",
	}, h.standing(result.GraphID))

	h.restart()
	_, err := h.engine.Continue(t.Context(), h.caller, &rest.ContinueRequest{GraphID: result.GraphID})
	require.Equal(t, "noop", h.refused(engine.Invalid, err).Provider, "credentials are gone, and asked for by name")
	h.plugins.breakWith(times(2, "b", denied))
	failed := h.carryOn(&rest.ContinueRequest{GraphID: result.GraphID, FromNode: "b"})
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, "paused", h.standing(result.GraphID)["d"])

	h.plugins.breakWith(nil)
	h.restart()
	resumed := h.apply(&rest.ApplyRequest{GraphID: result.GraphID, Credentials: noCredentials})
	require.Equal(t, rest.RunPaused, resumed.Status, "b is not held again; d still is, since nobody has let it go")
	require.Equal(t, map[string]string{
		"a": "completed", "b@us-east-1": "completed", "b@eu-west-1": "completed", "c": "completed", "d": "paused", "e": "completed",
	}, h.standing(result.GraphID))
	require.True(t, h.apply(&rest.ApplyRequest{GraphID: result.GraphID, Credentials: noCredentials}).Success, "that is what it waited for")
	require.Equal(t, 1, h.plugins.count("a create"))
	require.Equal(t, 6, h.outside())
}

func TestWhatIsBehindAnEndEdgeIsSkippedWhateverElse(t *testing.T) {
	h := build(t)
	cfg := h.config(`{
		"a": {"type": "noop:thing"},
		"b": {"type": "noop:thing", "depends_on": [{"resource": "a", "edge_type": "end"}, "z"]},
		"c": {"type": "noop:thing", "depends_on": ["b", {"resource": "z", "edge_type": "pause"}]},
		"z": {"type": "noop:thing"}}`)
	h.plugins.breakWith(times(1, "z", denied))
	failed := h.apply(&rest.ApplyRequest{Config: cfg})
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, map[string]string{"a": "completed", "b": "skipped", "c": "skipped", "z": "failed"}, h.standing(failed.GraphID))
	done := h.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID})
	require.True(t, done.Success)
	require.Equal(t, 2, done.Skipped)
	verified, err := h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: done.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(verified).Success, "what the graph leaves out is not missing")
}

const needing = `{
	"gate": {"type": "noop:thing"},
	"a": {"type": "noop:thing", "depends_on": [{"resource": "gate", "edge_type": "pause"}]},
	"b": {"type": "noop:thing", "references": {"from": "a.id"}},
	"c": {"type": "noop:thing", "depends_on": ["a"]}}`

func TestWhatIsBehindASkippedOneRunsAndMissesItsOutput(t *testing.T) {
	h := build(t)
	paused := h.apply(&rest.ApplyRequest{Config: h.config(needing)})
	require.Equal(t, rest.RunPaused, paused.Status)
	failed := h.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID, Skip: []string{"a"}})
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, map[string]string{"gate": "completed", "a": "skipped", "b": "failed", "c": "completed"}, h.standing(paused.GraphID))
	require.Contains(t, failed.FailedOperation.Error, `"a" was not found`)

	without := h.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID, Skip: []string{"b"}})
	require.True(t, without.Success, "a run is completed by what is skipped as well")
	require.Equal(t, 2, h.outside())
}

func TestWhatWasSkippedIsTakenUpAgain(t *testing.T) {
	h := build(t)
	paused := h.apply(&rest.ApplyRequest{Config: h.config(needing)})
	h.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID, Skip: []string{"a"}})
	done := h.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID, Unskip: []string{"a"}})
	require.True(t, done.Success, "%+v", done.FailedOperation)
	require.Equal(t, 4, h.outside())
}

func TestRetryDoesACompletedOneAgainAndWhatIsBehindIt(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(1, "c", denied))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, 3, failed.Completed)
	done := h.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID, Retry: []string{"a"}})
	require.True(t, done.Success, "%+v", done.FailedOperation)
	require.Equal(t, 2, h.plugins.count("a create"))
	require.Equal(t, 4, h.plugins.count("b create"))
	require.Equal(t, 4, h.outside(), "what is there is found, not made again")
}

func TestAQuarantinedOperationIsLiftedByRetry(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "a", never))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, 2, h.plugins.count("a create"), "twice, and never again by itself")
	require.Equal(t, []string{"a"}, resources(failed.Unsettled))
	h.plugins.breakWith(nil)
	require.True(t, h.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID, Retry: []string{"a"}}).Success)
	require.Equal(t, 4, h.outside())
}

func resources(operations []rest.OperationSummary) []string {
	var ids []string
	for _, one := range operations {
		ids = append(ids, one.ResourceID)
	}
	return ids
}

func TestARefusedSteeringChangesNothing(t *testing.T) {
	h := build(t)
	paused := h.apply(&rest.ApplyRequest{Config: h.config(gated)})
	before := h.eventsOf(paused.GraphID, paused.RunID)
	tests := map[string]struct {
		request  rest.ContinueRequest
		pointers []string
	}{
		"unknown names":   {rest.ContinueRequest{Skip: []string{"zz"}, Retry: []string{"yy"}, FromNode: "xx"}, []string{"/skip/0", "/retry/0", "/from_node"}},
		"not held":        {rest.ContinueRequest{FromNode: "c"}, []string{"/from_node"}},
		"nothing to skip": {rest.ContinueRequest{Skip: []string{"c", "a"}}, []string{"/skip/1"}},
		"not skipped":     {rest.ContinueRequest{Unskip: []string{"a"}}, []string{"/unskip/0"}},
		"never tried":     {rest.ContinueRequest{Retry: []string{"c"}}, []string{"/retry/0"}},
		"unknown mode":    {rest.ContinueRequest{Mode: rest.ModeDryRun}, []string{"/mode"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := test.request
			request.GraphID, request.Credentials = paused.GraphID, noCredentials
			_, err := h.engine.Continue(t.Context(), h.caller, &request)
			var at []string
			for _, problem := range h.refused(engine.Invalid, err).Problems {
				at = append(at, problem.Pointer)
			}
			require.Equal(t, test.pointers, at)
		})
	}
	require.Equal(t, before, h.eventsOf(paused.GraphID, paused.RunID))
}

func TestWhatIsNoLongerToBeContinued(t *testing.T) {
	h := build(t)
	done := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, done.RunID, h.carryOn(&rest.ContinueRequest{GraphID: done.GraphID}).RunID, "there is nothing left to do")
	for _, request := range []rest.ContinueRequest{{GraphID: done.GraphID, Retry: []string{"a"}}, {GraphID: done.GraphID, FromNode: "a"}} {
		_, err := h.engine.Continue(t.Context(), h.caller, &request)
		h.refused(engine.Conflict, err)
	}
	_, err := h.engine.Continue(t.Context(), h.caller, &rest.ContinueRequest{GraphID: "00000000"})
	h.refused(engine.NotFound, err)
}

const sealedBehind = `{
	"a": {"type": "noop:thing", "properties": {"secret": "BOX"}},
	"b": {"type": "noop:thing", "properties": {"secret": "BOX"}, "depends_on": [{"resource": "a", "edge_type": "pause"}]},
	"c": {"type": "noop:thing", "properties": {"secret": "BOX"}, "depends_on": [{"resource": "b", "edge_type": "pause"}]}}`

func TestOnlyTheSealedPropertiesThatAreNeededNowAreAskedFor(t *testing.T) {
	h := build(t)
	box := h.seal("noop:thing#/secret", "s3cr3t")
	paused := h.apply(&rest.ApplyRequest{Config: h.config(strings.ReplaceAll(sealedBehind, "BOX", box))})
	require.Equal(t, rest.RunPaused, paused.Status)
	request := &rest.ContinueRequest{GraphID: paused.GraphID, Credentials: noCredentials}
	_, err := h.engine.Continue(t.Context(), h.caller, request)
	problems := h.refused(engine.Invalid, err).Problems
	require.Len(t, problems, 1, "a is done, and c is held behind b")
	require.Equal(t, "/sealed_properties/~1resources~1b~1properties~1secret", problems[0].Pointer)
	request.SealedProperties = map[string]string{"/resources/b/properties/secret": box}
	require.Equal(t, "paused", h.carryOn(request).Status)
	require.Equal(t, 2, h.outside())
}

func TestWhatAnEndEdgeLeavesOutNeedsNoSecret(t *testing.T) {
	h := build(t)
	keep := false
	planned, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{ValidateOnly: &keep, Config: h.config(strings.ReplaceAll(`{
		"a": {"type": "noop:thing"},
		"b": {"type": "noop:thing", "properties": {"secret": "BOX"}, "depends_on": [{"resource": "a", "edge_type": "end"}]}}`,
		"BOX", h.seal("noop:thing#/secret", "s3cr3t")))})
	require.NoError(t, err)
	done := h.apply(&rest.ApplyRequest{GraphID: planned.SpecGraphID, Credentials: noCredentials})
	require.True(t, done.Success, "%+v", done.FailedOperation)
	require.Equal(t, 1, done.Skipped)
}

func TestARunHasItsTimeAndIsGoneOnWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		cfg := h.config(strings.ReplaceAll(slow, "VERB", "create"))
		cfg.TimeoutSeconds = 10
		stopped := h.apply(&rest.ApplyRequest{Config: cfg})
		require.Equal(t, rest.RunInterrupted, stopped.Status)
		require.Equal(t, map[string]string{"a": "completed", "b": "pending"}, h.standing(stopped.GraphID))
		require.True(t, h.carryOn(&rest.ContinueRequest{GraphID: stopped.GraphID}).Success)
	})
}

// TestACallThatNeverEndsHoldsNoRun: each attempt has its time, and there are so many of them.
func TestACallThatNeverEndsHoldsNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.plugins.hang("a")
		begun := time.Now()
		failed := h.apply(&rest.ApplyRequest{Config: h.config(`{
			"a": {"type": "noop:thing", "timeout_seconds": 10},
			"b": {"type": "noop:thing", "depends_on": ["a"]},
			"c": {"type": "noop:thing"}}`)})
		require.Equal(t, rest.RunFailed, failed.Status)
		require.Equal(t, map[string]string{"a": "failed", "b": "blocked", "c": "completed"}, h.standing(failed.GraphID))
		require.Equal(t, []string{"a"}, resources(failed.Unsettled))
		require.Equal(t, 3, h.plugins.count("a create"), "as often as something is tried")
		require.InDelta(t, 3*40, time.Since(begun).Seconds(), 10)
	})
}
