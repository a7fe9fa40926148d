package engine_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (h *house) plan(request *rest.PlanRequest) *rest.PlanResponse {
	planned, err := h.engine.Plan(h.t.Context(), h.caller, request)
	require.NoError(h.t, err)
	require.True(h.t, planned.Success, "%v", planned.ValidationErrors)
	return planned
}

// actions are what a plan says of each operation, by resource id and region.
func actions(planned *rest.PlanResponse) map[string]string {
	all := map[string]string{}
	for _, operation := range planned.Operations {
		all[operation.ResourceID+operation.Region] = operation.Action
	}
	return all
}

func planned(plan *rest.PlanResponse, resource string) *rest.OperationSummary {
	for i := range plan.Operations {
		if plan.Operations[i].ResourceID == resource {
			return &plan.Operations[i]
		}
	}
	return nil
}

// wreck removes from the world what a resource has made, in any region or in one.
func (h *house) wreck(resourceID string) { h.wreckIn(resourceID, "") }

func (h *house) wreckIn(resourceID, region string) {
	for _, it := range h.items(h.t) {
		if it.Labels[contract.LabelResourceID] == resourceID && (region == "" || it.Region == region) {
			files, err := filepath.Glob(filepath.Join(h.world, "*", it.ID+".json"))
			require.NoError(h.t, err)
			for _, file := range files {
				require.NoError(h.t, os.Remove(file))
			}
		}
	}
}

func TestAPlanSaysWhatWouldReallyChange(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	first := h.plan(&rest.PlanRequest{Config: h.chain("ensure")})
	require.True(t, first.ProvidersAsked)
	require.Equal(t, map[string]string{"a": "create", "bus-east-1": "create", "beu-west-1": "create", "c": "create"}, actions(first))
	require.Equal(t, map[string]int{"create": 4}, first.Actions)
	require.Equal(t, []string{"noop:Put"}, planned(first, "a").Permissions)
	require.Equal(t, []rest.PropertyChange{{Pointer: "/value", KnownAfterApply: true}}, planned(first, "b").Changes,
		"it takes its value from what is not there yet")
	require.Zero(t, h.outside(), "a plan makes nothing")

	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
	again := h.plan(&rest.PlanRequest{Config: h.chain("ensure")})
	require.Equal(t, map[string]int{"no_op": 4}, again.Actions)

	changed := h.plan(&rest.PlanRequest{Config: h.config(`{
		"a": {"type": "noop:thing", "operation": "update", "properties": {"value": "z"}},
		"b": {"type": "noop:regional", "operation": "ensure", "references": {"from": "a"}},
		"c": {"type": "noop:thing", "operation": "delete"},
		"d": {"type": "noop:thing", "operation": "verify"}}`)})
	require.Equal(t, map[string]string{"a": "update", "bus-east-1": "no_op", "beu-west-1": "no_op", "c": "delete", "d": "no_op"}, actions(changed))
	a := planned(changed, "a").Changes
	require.Len(t, a, 1)
	require.Equal(t, `"x"`, string(a[0].Before))
	require.Equal(t, `"z"`, string(a[0].After))

	conflict := h.plan(&rest.PlanRequest{Config: h.chain("create")})
	require.Equal(t, "conflict", planned(conflict, "c").Action)
	require.Equal(t, "it stands there already", planned(conflict, "c").ActionReason)
	require.Equal(t, conflict.Actions["conflict"], conflict.Conflicts)
	require.NotEmpty(t, conflict.Warnings)
	require.Equal(t, "x", h.held(t)["a"], "a plan changes nothing")
	for _, request := range m.asked {
		require.Empty(t, request.Context.IdempotencyKey, "nothing is written")
	}
}

func TestWhatDependsOnWhatIsGoneIsKnownAfterApply(t *testing.T) {
	h := build(t)
	h.remember("noop:thing", "noop:regional")
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
	h.wreck("a")
	drifted := h.plan(&rest.PlanRequest{Config: h.chain("ensure")})
	require.Equal(t, map[string]string{"a": "create", "bus-east-1": "update", "beu-west-1": "update", "c": "no_op"}, actions(drifted))
	require.Contains(t, planned(drifted, "b").Changes, rest.PropertyChange{Pointer: "/value", KnownAfterApply: true})
}

func TestWhatCannotBeAskedYetIsDerived(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	kind, _ := h.plugins.description.Type("noop:regional")
	kind.Identifying = []string{"/value"}
	first := h.plan(&rest.PlanRequest{Config: h.chain("ensure")})
	require.Equal(t, "create", planned(first, "b").Action)
	require.NotEmpty(t, planned(first, "b").ActionReason)
	require.Zero(t, m.count("b ensure"), "which thing it is, only a will say")
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("ensure")}).Success)
	h.wreck("a")
	require.Equal(t, "update", planned(h.plan(&rest.PlanRequest{Config: h.chain("ensure")}), "b").Action)
}

func TestATypeThatDoesNotPlanIsLookedFor(t *testing.T) {
	h := build(t)
	h.remember()
	require.Equal(t, map[string]int{"create": 4}, h.plan(&rest.PlanRequest{Config: h.chain("ensure")}).Actions)
	require.Equal(t, map[string]int{"conflict": 4}, h.plan(&rest.PlanRequest{Config: h.chain("update")}).Actions)
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("create")}).Success)
	require.Equal(t, map[string]int{"unknown": 4}, h.plan(&rest.PlanRequest{Config: h.chain("ensure")}).Actions)
	require.Equal(t, map[string]int{"conflict": 4}, h.plan(&rest.PlanRequest{Config: h.chain("create")}).Actions)
	deletes := h.plan(&rest.PlanRequest{Config: h.config(`{"c": {"type": "noop:thing", "operation": "delete"}, "x": {"type": "noop:thing", "operation": "delete"}}`)})
	require.Equal(t, map[string]string{"c": "delete", "x": "no_op"}, actions(deletes))
}

func TestWhatAProviderCannotSayIsUnknownAndNoFailure(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	m.refusing = func(id string) error {
		if id == "c" {
			return contract.New(contract.KindPermissionDenied, "may not look")
		}
		return nil
	}
	told := h.plan(&rest.PlanRequest{Config: h.chain("ensure")})
	require.Equal(t, "unknown", planned(told, "c").Action)
	require.Contains(t, planned(told, "c").ActionReason, "may not look")
	require.Equal(t, 3, told.Actions["create"])
	var asked atomic.Int32
	m.refusing = func(string) error {
		if asked.Add(1) == 1 {
			return contract.New(contract.KindThrottled, "slower")
		}
		return nil
	}
	require.Equal(t, map[string]int{"create": 4}, h.plan(&rest.PlanRequest{Config: h.chain("ensure")}).Actions, "what passes is asked again")
}

func TestWithoutCredentialsAPlanSaysThatItDidNotAsk(t *testing.T) {
	h := build(t)
	m := h.remember("noop:thing", "noop:regional")
	cfg := h.chain("ensure")
	cfg.Credentials = nil
	told := h.plan(&rest.PlanRequest{Config: cfg})
	require.False(t, told.ProvidersAsked)
	require.Empty(t, told.Actions)
	require.Empty(t, planned(told, "a").Action)
	require.Len(t, told.Warnings, 1)
	require.Empty(t, m.asked)
}

func TestAStoredPlanIsAskedAboutAgain(t *testing.T) {
	h := build(t)
	h.remember("noop:thing", "noop:regional")
	keep := false
	stored := h.plan(&rest.PlanRequest{Config: h.chain("ensure"), ValidateOnly: &keep})
	read, err := h.engine.StoredPlan(t.Context(), h.caller, stored.SpecGraphID)
	require.NoError(t, err)
	require.False(t, read.ProvidersAsked, "a stored plan has no credentials to ask with")
	require.Equal(t, map[string]int{"create": 4}, h.plan(&rest.PlanRequest{GraphID: stored.SpecGraphID, Credentials: noCredentials}).Actions)

	applied := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	later := h.plan(&rest.PlanRequest{GraphID: stored.SpecGraphID, Credentials: noCredentials})
	require.Equal(t, map[string]int{"no_op": 4}, later.Actions)
	require.Contains(t, later.Warnings[0], "takes force")
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: stored.SpecGraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	forced := h.apply(&rest.ApplyRequest{GraphID: stored.SpecGraphID, Credentials: noCredentials, Force: true})
	require.Equal(t, stored.SpecGraphID, forced.GraphID)
	require.Equal(t, 4, forced.Unchanged)

	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: applied.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	back := h.apply(&rest.ApplyRequest{GraphID: applied.GraphID, Credentials: noCredentials, Force: true})
	require.NotEqual(t, applied.RunID, back.RunID, "a graph that is not the head any more is applied anew")
	kept := h.plan(&rest.PlanRequest{Config: h.chain("ensure"), ValidateOnly: &keep})
	h.destroy()
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: kept.SpecGraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	anew := h.plan(&rest.PlanRequest{Config: h.chain("ensure"), ValidateOnly: &keep})
	require.True(t, h.apply(&rest.ApplyRequest{GraphID: anew.SpecGraphID, Credentials: noCredentials}).Success)
	both, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: h.chain("ensure"), GraphID: applied.GraphID})
	require.NoError(t, err)
	require.False(t, both.Success)
}

func TestEstimatesLearnFromWhatRunsTook(t *testing.T) {
	h := build(t)
	one := h.config(`{"a": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "x", "sleep_ms": 30}}}`)
	declared := h.plan(&rest.PlanRequest{Config: one}).EstimatedTime
	for i := range 5 {
		require.Equal(t, declared, h.plan(&rest.PlanRequest{Config: one}).EstimatedTime, "%d measured", i)
		require.True(t, h.apply(&rest.ApplyRequest{Config: one}).Success)
		destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
		require.NoError(t, err)
		require.True(t, h.wait(destroyed).Success)
	}
	learned := h.plan(&rest.PlanRequest{Config: one}).EstimatedTime
	require.NotEqual(t, declared, learned)
	require.GreaterOrEqual(t, learned, 0.030)
	h.restart()
	require.Equal(t, learned, h.plan(&rest.PlanRequest{Config: one}).EstimatedTime, "it is known to the store")
}

func TestStatusSaysWhatIsLeft(t *testing.T) {
	h := build(t)
	slow := h.config(`{
		"a": {"type": "noop:thing", "properties": {"value": "x", "sleep_ms": 300}},
		"b": {"type": "noop:thing", "properties": {"value": "y"}, "depends_on": ["a"]}}`)
	whole := h.plan(&rest.PlanRequest{Config: slow}).EstimatedTime
	begun, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: slow})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return h.plugins.count("a create") == 1 }, 30*time.Second, time.Millisecond)
	during, err := h.engine.Status(t.Context(), h.caller, begun.GraphID, "")
	require.NoError(t, err)
	require.Positive(t, during.EstimatedRemaining)
	require.LessOrEqual(t, during.EstimatedRemaining, whole)
	require.True(t, h.wait(begun).Success)
	after, err := h.engine.Status(t.Context(), h.caller, begun.GraphID, "")
	require.NoError(t, err)
	require.Zero(t, after.EstimatedRemaining)
}
