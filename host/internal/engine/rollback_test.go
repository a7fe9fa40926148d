package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// second is a version that changes a, deletes c, makes d, and leaves e alone.
const second = `{
	"a": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "z"}},
	"b": {"type": "noop:regional", "operation": "ensure", "references": {"from": "a.value"}},
	"c": {"type": "noop:thing", "operation": "delete", "depends_on": ["b"]},
	"d": {"type": "noop:thing", "operation": "create", "properties": {"value": "new"}, "depends_on": ["a"]},
	"e": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "same"}}}`

const first = `{
	"a": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "x"}},
	"b": {"type": "noop:regional", "operation": "ensure", "references": {"from": "a.value"}},
	"c": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "y"}, "depends_on": ["b"]},
	"e": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "same"}}}`

var (
	afterFirst  = map[string]string{"a": "x", "bus-east-1": "x", "beu-west-1": "x", "c": "y", "e": "same"}
	afterSecond = map[string]string{"a": "z", "bus-east-1": "z", "beu-west-1": "z", "d": "new", "e": "same"}
)

// twoVersions applies both.
func (h *house) twoVersions() (one, two *rest.RunResult) {
	one = h.apply(&rest.ApplyRequest{Config: h.config(first)})
	require.True(h.t, one.Success, "%+v", one.FailedOperation)
	require.Equal(h.t, afterFirst, h.held(h.t))
	two = h.apply(&rest.ApplyRequest{Config: h.config(second)})
	require.True(h.t, two.Success, "%+v", two.FailedOperation)
	require.Equal(h.t, afterSecond, h.held(h.t))
	return one, two
}

func (h *house) rollback(request *rest.RollbackRequest) *rest.RunResult {
	if request.DeploymentID == "" && request.GraphID == "" {
		request.DeploymentID = "app"
	}
	request.Credentials = noCredentials
	begun, err := h.engine.Rollback(h.t.Context(), h.caller, request)
	require.NoError(h.t, err)
	return h.wait(begun)
}

func (h *house) rollbackRefused(request *rest.RollbackRequest) *engine.Error {
	request.DeploymentID, request.Credentials = "app", noCredentials
	_, err := h.engine.Rollback(h.t.Context(), h.caller, request)
	return h.refused(engine.Conflict, err)
}

func (h *house) head() rest.DeploymentSummary {
	list, err := h.engine.Deployments(h.t.Context(), h.caller, rest.ListQuery{})
	require.NoError(h.t, err)
	require.Len(h.t, list.Deployments, 1)
	return list.Deployments[0]
}

func (h *house) destroy() {
	destroyed, err := h.engine.Destroy(h.t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(h.t, err)
	result := h.wait(destroyed)
	require.True(h.t, result.Success, "%+v", result.FailedOperation)
	require.Zero(h.t, h.outside())
}

func TestARollbackTakesBackWhatTheLatestRunChanged(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	one, two := h.twoVersions()
	result := h.rollback(&rest.RollbackRequest{GraphID: two.GraphID, RunID: two.RunID})
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, "rollback", result.Kind)
	require.Equal(t, two.RunID, result.Undoes)
	require.Equal(t, afterFirst, h.held(t))
	require.Equal(t, 5, result.Total, "what was left alone is left alone")
	require.Empty(t, result.LeftOver)
	require.Len(t, m.undone, 4)

	order := map[string]int{}
	status, err := h.engine.Status(t.Context(), h.caller, two.GraphID, "")
	require.NoError(t, err)
	require.Equal(t, "rollback", status.Kind)
	for i, operation := range status.Operations {
		order[operation.ResourceID+operation.Region] = i + 1
		require.Equal(t, operation.ResourceID != "d", operation.Undoes != "", operation.ResourceID)
	}
	require.Less(t, order["c"], order["bus-east-1"])
	require.Less(t, order["beu-west-1"], order["a"])
	require.Less(t, order["d"], order["a"], "in reverse order")

	require.Equal(t, one.GraphID, h.head().HeadGraphID)
	require.False(t, h.head().Destroyed)
	verified, err := h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: one.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(verified).Success)
	again := h.apply(&rest.ApplyRequest{GraphID: one.GraphID, Credentials: noCredentials})
	require.Equal(t, one.RunID, again.RunID, "the head is complete as it stands")
	forward := h.apply(&rest.ApplyRequest{GraphID: two.GraphID, Credentials: noCredentials})
	require.True(t, forward.Success, "what was taken back can be applied again: %+v", forward.FailedOperation)
	require.Equal(t, afterSecond, h.held(t))
	h.destroy()
}

func TestAFirstDeploymentIsTakenBackToNothing(t *testing.T) {
	h := build(t)
	h.remember()
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
	result := h.rollback(&rest.RollbackRequest{})
	require.True(t, result.Success, "a type without records deletes what it made: %+v", result.FailedOperation)
	require.Zero(t, h.outside())
	require.True(t, h.head().Destroyed)
	h.rollbackRefused(&rest.RollbackRequest{})
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("create")}).Success)
	require.False(t, h.head().Destroyed)
}

func TestADeploymentAfterADestroyIsTakenBackToNothing(t *testing.T) {
	h := build(t)
	h.remember()
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
	h.destroy()
	require.Contains(t, h.rollbackRefused(&rest.RollbackRequest{}).Message, "destroy")
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
	require.True(t, h.rollback(&rest.RollbackRequest{}).Success)
	require.True(t, h.head().Destroyed)
	require.Zero(t, h.outside())
}

func TestWhatCannotBeTakenBackIsNamedBeforeAnythingIsDone(t *testing.T) {
	h := build(t)
	h.remember("noop:regional") // things keep no records
	one, _ := h.twoVersions()
	calls := len(h.plugins.calls)
	refused := h.rollbackRefused(&rest.RollbackRequest{})
	texts := []string{}
	for _, problem := range refused.Problems {
		require.Equal(t, "/force", problem.Pointer)
		texts = append(texts, problem.Message)
	}
	require.Equal(t, []string{
		`"a": its type keeps no record of what was there before`, `"c": its type keeps no record of what was there before`,
	}, texts)
	require.Len(t, h.plugins.calls, calls)
	require.Equal(t, afterSecond, h.held(t))

	forced := h.rollback(&rest.RollbackRequest{Force: true})
	require.True(t, forced.Success, "%+v", forced.FailedOperation)
	require.Len(t, forced.LeftOver, 2)
	require.Equal(t, map[string]string{"a": "z", "bus-east-1": "x", "beu-west-1": "x", "e": "same"}, h.held(t))
	require.Equal(t, one.GraphID, h.head().HeadGraphID)
	h.destroy()
}

func TestRollbacksGoBackOneRunAfterTheOther(t *testing.T) {
	h := build(t)
	h.remember("noop:thing", "noop:regional")
	one, two := h.twoVersions()
	require.Equal(t, two.RunID, h.rollbackRefused(&rest.RollbackRequest{RunID: one.RunID}).RunID, "one is beneath two")
	require.True(t, h.rollback(&rest.RollbackRequest{}).Success)
	twice := h.rollbackRefused(&rest.RollbackRequest{})
	require.Equal(t, one.RunID, twice.RunID)
	require.Contains(t, twice.Message, "already")
	require.Equal(t, one.RunID, h.rollbackRefused(&rest.RollbackRequest{RunID: two.RunID}).RunID)
	require.Equal(t, afterFirst, h.held(t))
	require.True(t, h.rollback(&rest.RollbackRequest{RunID: one.RunID}).Success)
	require.Zero(t, h.outside())
	require.True(t, h.head().Destroyed)
}

// TestALostAnswerDoesNotLoseTheRecord: the first attempt changes a thing and its answer is lost; the second finds it as it should be.
func TestALostAnswerDoesNotLoseTheRecord(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.config(first)}).Success)
	h.plugins.breakWith(times(1, "a", lost))
	two := h.apply(&rest.ApplyRequest{Config: h.config(second)})
	require.True(t, two.Success, "%+v", two.FailedOperation)
	require.Equal(t, 2, m.count("a ensure"), "once for each run: a later attempt keeps the record of the first")
	require.True(t, h.rollback(&rest.RollbackRequest{}).Success)
	require.Equal(t, afterFirst, h.held(t))
}

func TestAFailedRunIsTakenBackWithWhatItsLostAttemptsLeft(t *testing.T) {
	h := build(t)
	h.remember("noop:thing", "noop:regional")
	one := h.apply(&rest.ApplyRequest{Config: h.config(first)})
	require.True(t, one.Success)
	for _, resource := range []string{"a", "b", "d"} {
		h.plugins.breakWith(times(9, resource, lost))
		failed := h.apply(&rest.ApplyRequest{Config: h.config(second)})
		require.Equal(t, rest.RunFailed, failed.Status)
		h.plugins.breakWith(nil)
		taken := h.rollback(&rest.RollbackRequest{})
		require.True(t, taken.Success, "%s: %+v", resource, taken.FailedOperation)
		require.Equal(t, afterFirst, h.held(t), resource)
		require.Equal(t, one.GraphID, h.head().HeadGraphID)
		before, err := h.engine.Result(t.Context(), h.caller, failed.RunID)
		require.NoError(t, err)
		require.Equal(t, rest.RunCancelled, before.Status, "the rollback took its place")
	}
	h.destroy()
}

// crash ends the engine as a killed process would: nothing more reaches the store.
func (h *house) crash(release func()) {
	require.NoError(h.t, h.store.Close())
	release()
	h.engine.Stop()
	h.engine = nil
	h.plugins.breakWith(nil)
	h.start()
}

// held back: the first call about a resource is performed, and its answer waits for release.
func (h *house) holdBack(resource string) (reached chan struct{}, release func()) {
	reached, gate := make(chan struct{}), make(chan struct{})
	h.plugins.breakWith(times(1, resource, func(execute func() (*contract.Result, error)) (*contract.Result, error) {
		result, err := execute()
		close(reached)
		<-gate
		return result, err
	}))
	return reached, func() { close(gate) }
}

func wait(t *testing.T, reached chan struct{}) {
	select {
	case <-reached:
	case <-time.After(time.Minute):
		t.Fatal("it was not reached")
	}
}

func TestACrashBetweenRecordAndResultIsTakenBack(t *testing.T) {
	for _, resource := range []string{"a", "c", "d"} {
		t.Run(resource, func(t *testing.T) {
			h := build(t)
			h.remember("noop:thing", "noop:regional")
			one := h.apply(&rest.ApplyRequest{Config: h.config(first)})
			require.True(t, one.Success)
			reached, release := h.holdBack(resource)
			two, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.config(second)})
			require.NoError(t, err)
			wait(t, reached)
			h.crash(release)
			status, err := h.engine.Status(t.Context(), h.caller, two.GraphID, "")
			require.NoError(t, err)
			require.Equal(t, rest.RunInterrupted, status.Status)
			taken := h.rollback(&rest.RollbackRequest{})
			require.True(t, taken.Success, "%+v", taken.FailedOperation)
			require.Equal(t, afterFirst, h.held(t))
			require.Equal(t, one.GraphID, h.head().HeadGraphID)
			h.destroy()
		})
	}
}

func TestACrashThatWasSettledAndWentOnIsTakenBack(t *testing.T) {
	for _, resource := range []string{"a", "c"} {
		t.Run(resource, func(t *testing.T) {
			h := build(t)
			h.remember("noop:thing", "noop:regional")
			require.True(t, h.apply(&rest.ApplyRequest{Config: h.config(first)}).Success)
			reached, release := h.holdBack(resource)
			two, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.config(second)})
			require.NoError(t, err)
			wait(t, reached)
			h.crash(release)
			resumed := h.apply(&rest.ApplyRequest{GraphID: two.GraphID, Credentials: noCredentials})
			require.True(t, resumed.Success, "%+v", resumed.FailedOperation)
			require.Equal(t, afterSecond, h.held(t))
			require.True(t, h.rollback(&rest.RollbackRequest{}).Success)
			require.Equal(t, afterFirst, h.held(t), "the attempt that settled found nothing left to change")
		})
	}
}

func TestARollbackGoesOnAfterACrashAndAfterAFailure(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	one, two := h.twoVersions()
	m.losing = 2 // the provider dies twice over the first thing that is brought back
	failed := h.rollback(&rest.RollbackRequest{})
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, two.GraphID, h.head().HeadGraphID, "the head moves with the end")
	require.Equal(t, "/deploy/continue", failed.Next[0].Path)

	reached, gate := make(chan struct{}), make(chan struct{})
	m.answering = func(id string) {
		if id == "a" {
			close(reached)
			<-gate
		}
	}
	begun, err := h.engine.Continue(t.Context(), h.caller, &rest.ContinueRequest{GraphID: two.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	require.Equal(t, failed.RunID, begun.RunID, "it is gone on with")
	wait(t, reached)
	m.answering = nil
	h.crash(func() { close(gate) })
	h.rollbackRefused(&rest.RollbackRequest{RunID: one.RunID})
	result := h.rollback(&rest.RollbackRequest{RunID: two.RunID})
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, failed.RunID, result.RunID)
	require.Equal(t, afterFirst, h.held(t))
	require.Equal(t, one.GraphID, h.head().HeadGraphID)
	h.destroy()
}

func TestEachRegionIsTakenBackByItself(t *testing.T) {
	h := build(t)
	h.remember("noop:thing", "noop:regional")
	regional := func(value string) *rest.Config {
		return h.config(`{"b": {"type": "noop:regional", "operation": "ensure", "properties": {"value": "` + value + `"}},
			"r": {"type": "noop:regional", "operation": "ensure", "references": {"from": "b.value"}}}`)
	}
	require.True(t, h.apply(&rest.ApplyRequest{Config: regional("x")}).Success)
	h.wreckIn("b", "eu-west-1")
	require.True(t, h.apply(&rest.ApplyRequest{Config: regional("z")}).Success)
	result := h.rollback(&rest.RollbackRequest{})
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, map[string]string{"bus-east-1": "x", "rus-east-1": "x", "reu-west-1": "x"}, h.held(t),
		"made in the one, changed in the other")
	h.destroy()
}

func TestADestroyAfterAFailedRollbackLeavesNothing(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	h.twoVersions()
	m.losing = 2
	require.Equal(t, rest.RunFailed, h.rollback(&rest.RollbackRequest{}).Status)
	h.destroy()
}

func TestARollbackWaitsUntilWhatItDeletedIsSeenToBeGone(t *testing.T) {
	h := build(t)
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
	stays := true // the first delete of a is answered, and not done
	h.plugins.breakWith(func(id string) func(func() (*contract.Result, error)) (*contract.Result, error) {
		if id != "a" || !stays {
			return nil
		}
		stays = false
		return func(func() (*contract.Result, error)) (*contract.Result, error) {
			return &contract.Result{Outcome: contract.OutcomeApplied, Change: contract.ChangeDeleted}, nil
		}
	})
	kind, _ := h.plugins.description.Type("noop:thing")
	kind.SettleTime = -10 * time.Second // nothing is waited for
	result := h.rollback(&rest.RollbackRequest{})
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Zero(t, h.outside())
	require.Equal(t, 2, h.plugins.count("a delete"), "it was deleted again")
}

// TestWhatACompositeIsMadeOfIsTakenBack also with values that are sealed, which a rollback neither has nor needs.
func TestWhatACompositeIsMadeOfIsTakenBack(t *testing.T) {
	h := build(t)
	stack := func(size, value string) *rest.Config {
		return h.config(`{
			"s": {"type": "noop:stack", "operation": "ensure", "properties": {"size": ` + size + `, "secret": "` + h.seal("noop:stack#/secret", "s3cr3t") + `"}, "references": {"from": "v.value"}},
			"v": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "` + value + `"}}}`)
	}
	one := h.apply(&rest.ApplyRequest{Config: stack("2", "x")})
	require.True(t, one.Success, "%+v", one.FailedOperation)
	before := h.held(t)
	told := h.plan(&rest.PlanRequest{Config: stack("3", "x")})
	require.Equal(t, map[string]int{"no_op": 4, "create": 2}, told.Actions, "what is sealed for a composite is opened for its parts")
	two := h.apply(&rest.ApplyRequest{Config: stack("3", "z")})
	require.True(t, two.Success, "%+v", two.FailedOperation)
	require.NotEqual(t, before, h.held(t))
	result := h.rollback(&rest.RollbackRequest{})
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, before, h.held(t))
	h.destroy()
}
