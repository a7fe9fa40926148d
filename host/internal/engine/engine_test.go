package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

const chain = `{
	"a": {"type": "noop:thing", "operation": "VERB", "properties": {"value": "x"}},
	"b": {"type": "noop:regional", "operation": "VERB", "references": {"from": "a"}},
	"c": {"type": "noop:thing", "operation": "VERB", "properties": {"value": "y"}, "depends_on": ["b"]}}`

func (h *house) chain(verb string) *rest.Config {
	return h.config(strings.ReplaceAll(chain, "VERB", verb))
}

func TestADeploymentFromPlanToDestroy(t *testing.T) {
	h := build(t)
	planned, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: h.chain("create")})
	require.NoError(t, err)
	require.True(t, planned.Success)
	require.Len(t, planned.Operations, 4, "a global resource has one operation, a regional one a region")
	require.Len(t, planned.Groups, 3)
	require.True(t, planned.CredentialsChecked)
	require.Zero(t, h.outside(), "a plan makes nothing")

	applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	require.Equal(t, 4, applied.Changed)
	require.Equal(t, 4, h.outside())

	again := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	require.True(t, again.Success, "%+v", again.FailedOperation)
	require.Equal(t, 4, again.Unchanged, "%v", again.Changes)
	require.NotEqual(t, applied.GraphID, again.GraphID)
	require.Equal(t, "v2", again.Version)

	verified, err := h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: again.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(verified).Success)

	_, err = h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{GraphID: applied.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)

	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{GraphID: again.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())

	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: again.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	anew := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.True(t, anew.Success, "a destroyed deployment can be deployed anew: %+v", anew.FailedOperation)
	require.Equal(t, 4, h.outside())
}

func TestApplyOnACompletedGraphRunsNothing(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	calls := len(h.plugins.calls)
	again := h.apply(&rest.ApplyRequest{GraphID: applied.GraphID, Credentials: noCredentials})
	require.Equal(t, applied.RunID, again.RunID)
	require.Equal(t, calls, len(h.plugins.calls))
}

func TestALostAnswerIsSettledAndNothingIsMadeTwice(t *testing.T) {
	for name, fault := range map[string]func(func() (*contract.Result, error)) (*contract.Result, error){"done": lost, "not done": never} {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			h.plugins.breakWith(times(1, "a", fault))
			applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
			require.True(t, applied.Success, "%+v", applied.FailedOperation)
			require.Equal(t, 4, h.outside())
			require.Equal(t, 2, h.plugins.count("a create"))
			second := h.plugins.calls[1]
			require.Equal(t, contract.OutcomeUnknown, second.PriorOutcome)
			require.Equal(t, h.plugins.calls[0].Context.IdempotencyKey, second.Context.IdempotencyKey,
				"the key never changes after an unknown outcome")
			require.Equal(t, name == "done", second.Existing != nil)
		})
	}
}

func TestWhatKillsItsProviderTwiceIsSetAside(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "a", never))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.False(t, failed.Success)
	require.Equal(t, "a", failed.FailedOperation.ResourceID)
	require.Equal(t, string(contract.KindInterrupted), failed.FailedOperation.ErrorType)
	require.Equal(t, 2, h.plugins.count("a create"))
	require.Equal(t, 3, failed.Blocked)
}

func TestAFailedRunGoesOnFromWhereItStopped(t *testing.T) {
	h := build(t)
	denied := func(func() (*contract.Result, error)) (*contract.Result, error) {
		d := contract.New(contract.KindPermissionDenied, "no").Diagnostic
		return &contract.Result{Outcome: contract.OutcomeNotApplied, Diagnostics: []contract.Diagnostic{d}}, nil
	}
	h.plugins.breakWith(times(1, "c", denied))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, "failed", failed.Status)
	require.Equal(t, "c", failed.FailedOperation.ResourceID)
	require.Equal(t, 3, failed.Completed)

	_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: failed.GraphID})
	refused := h.refused(engine.Invalid, err)
	require.Equal(t, "noop", refused.Provider, "credentials are asked for by name")

	h.restart() // on another host, as it were
	resumed := h.apply(&rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
	require.True(t, resumed.Success, "%+v", resumed.FailedOperation)
	require.Equal(t, failed.RunID, resumed.RunID, "resuming goes on with the same run")
	require.Equal(t, 1, h.plugins.count("a create"))
	require.Equal(t, 2, h.plugins.count("c create"))
	last := h.plugins.calls[len(h.plugins.calls)-1]
	require.NotEqual(t, h.plugins.calls[len(h.plugins.calls)-2].Context.IdempotencyKey, last.Context.IdempotencyKey,
		"the generation rises once nothing was applied")
}

func TestANewVersionTakesThePlaceOfARunThatFailed(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "b", lost))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.False(t, failed.Success)
	h.plugins.breakWith(nil)
	fixed := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	require.True(t, fixed.Success, "%+v", fixed.FailedOperation)
	require.Contains(t, strings.Join(fixed.Warnings, " "), failed.RunID)
	require.Equal(t, 4, h.outside(), "what the failed run left was found, not made again")
	before, err := h.engine.Result(t.Context(), h.caller, failed.RunID)
	require.NoError(t, err)
	require.Equal(t, "cancelled", string(before.Status))
}

func TestDestroyOfAHalfMadeDeploymentFindsWhatWasMade(t *testing.T) {
	h := build(t)
	// The answer about b is lost in both regions until the run gives up: b exists, and no row says so.
	h.plugins.breakWith(times(9, "b", lost))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.False(t, failed.Success)
	require.GreaterOrEqual(t, h.outside(), 2)
	h.plugins.breakWith(nil)
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	result := h.wait(destroyed)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Zero(t, h.outside())
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
}

func TestDestroyThatFailsIsGoneOnWith(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	h.plugins.breakWith(times(2, "a", never))
	first, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	failed := h.wait(first)
	require.False(t, failed.Success)
	require.Equal(t, 1, h.outside(), "what depends on a went first")
	second, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.Equal(t, failed.RunID, second.RunID)
	require.True(t, h.wait(second).Success)
	require.Zero(t, h.outside())
}

func TestWhatANewVersionNoLongerNamesStaysAndIsDestroyed(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	fewer := h.config(`{"a": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "new"}}}`)
	planned, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: fewer})
	require.NoError(t, err)
	require.Len(t, planned.Warnings, 2, "b and c are named: %v", planned.Warnings)
	applied := h.apply(&rest.ApplyRequest{Config: fewer})
	require.True(t, applied.Success)
	require.Equal(t, 1, applied.Changed)
	require.Equal(t, 4, h.outside())
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	result := h.wait(destroyed)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, 4, result.Total)
	require.Zero(t, h.outside())
}

func TestWhatIdentifiesADeployedThingMayNotChange(t *testing.T) {
	h := build(t)
	kind, ok := h.plugins.description.Type("noop:thing")
	require.True(t, ok)
	kind.Identifying = []string{"/name", "/value"}
	config := func(name, value, verb string) *rest.Config {
		return h.config(`{
			"s": {"type": "noop:thing", "operation": "ensure"},
			"a": {"type": "noop:thing", "operation": "` + verb + `", "properties": {"name": "` + name + `"}, "references": {"from": "` + value + `"}}}`)
	}
	require.True(t, h.apply(&rest.ApplyRequest{Config: config("one", "s", "create")}).Success)
	require.True(t, h.apply(&rest.ApplyRequest{Config: config("one", "s", "ensure")}).Success)
	_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: config("two", "s.fingerprint", "ensure")})
	problems := h.refused(engine.Invalid, err).Problems
	require.Len(t, problems, 2)
	require.Equal(t, "/config/resources/a/properties/name", problems[0].Pointer)
	require.Equal(t, "/config/resources/a/properties/value", problems[1].Pointer)
	require.Equal(t, 2, h.outside())

	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.True(t, h.apply(&rest.ApplyRequest{Config: config("two", "s", "create")}).Success, "what is gone binds nobody")
}

func TestOneActiveRunADeployment(t *testing.T) {
	h := build(t)
	slow := h.config(`{"a": {"type": "noop:thing", "properties": {"value": "x", "sleep_ms": 300}}}`)
	first, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: slow})
	require.NoError(t, err)
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: slow})
	require.Equal(t, first.RunID, h.refused(engine.Conflict, err).RunID)
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: first.GraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	require.True(t, h.wait(first).Success)
}

func TestAStoppingHostInterruptsAndTheRunGoesOn(t *testing.T) {
	h := build(t)
	slow := h.config(`{
		"a": {"type": "noop:thing", "properties": {"value": "x", "sleep_ms": 700}},
		"b": {"type": "noop:thing", "properties": {"value": "y"}, "depends_on": ["a"]}}`)
	begun, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: slow})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return h.plugins.count("a create") == 1 }, 30*time.Second, time.Millisecond)
	h.restart()
	status, err := h.engine.Status(t.Context(), h.caller, begun.GraphID, "")
	require.NoError(t, err)
	require.Equal(t, "interrupted", status.Status)
	require.Equal(t, 1, status.Completed, "what was in flight finished")
	resumed := h.apply(&rest.ApplyRequest{GraphID: begun.GraphID, Credentials: noCredentials})
	require.True(t, resumed.Success)
	require.Equal(t, 2, h.outside())
}

func TestARunThatHasHadItsTimeCanBeGoneOnWith(t *testing.T) {
	h := build(t)
	slow := h.config(`{
		"a": {"type": "noop:thing", "properties": {"value": "x", "sleep_ms": 1500}},
		"b": {"type": "noop:thing", "properties": {"value": "y"}, "depends_on": ["a"]}}`)
	slow.TimeoutSeconds = 0.5
	result := h.apply(&rest.ApplyRequest{Config: slow})
	require.Equal(t, rest.RunInterrupted, result.Status)
	require.Equal(t, 1, result.Completed, "what was in flight finished")
	resumed := h.apply(&rest.ApplyRequest{GraphID: result.GraphID, Credentials: noCredentials})
	require.True(t, resumed.Success, "%+v", resumed)
}

func TestASealedPropertyIsNeverStoredAndAskedForAgain(t *testing.T) {
	h := build(t)
	box := h.seal("noop:thing#/secret", "s3cr3t")
	secret := func(box string) *rest.Config {
		return h.config(`{"a": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "x", "secret": "` + box + `"}}}`)
	}
	h.plugins.breakWith(times(2, "a", never))
	failed := h.apply(&rest.ApplyRequest{Config: secret(box)})
	require.False(t, failed.Success)

	_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
	refused := h.refused(engine.Invalid, err)
	require.Equal(t, "/sealed_properties/~1resources~1a~1properties~1secret", refused.Problems[0].Pointer)

	bring := func(box string) *rest.ApplyRequest {
		return &rest.ApplyRequest{
			GraphID: failed.GraphID, Credentials: noCredentials,
			SealedProperties: map[string]string{"/resources/a/properties/secret": box},
		}
	}
	_, err = h.engine.Apply(t.Context(), h.caller, bring(h.seal("noop:thing#/secret", "another")))
	h.refused(engine.Invalid, err)
	_, err = h.engine.Apply(t.Context(), h.caller, bring(h.seal("noop:thing#/value", "s3cr3t")))
	h.refused(engine.Invalid, err)
	require.True(t, h.apply(bring(h.seal("noop:thing#/secret", "s3cr3t"))).Success)

	stored, err := h.store.Graph(t.Context(), "default", failed.GraphID)
	require.NoError(t, err)
	require.NotContains(t, string(stored.Spec), box)
}

func (h *house) seal(purpose, value string) string {
	box, err := sealedbox.Seal(h.ring.Primary().Key, sealedbox.Envelope{
		Audience: "default", Provider: "noop", Purpose: purpose, Value: value,
	})
	require.NoError(h.t, err)
	return box
}

func TestARefusedRequestChangesNothing(t *testing.T) {
	h := build(t)
	requests := map[string]*rest.ApplyRequest{
		"nothing to apply":    {},
		"no credentials":      {Config: &rest.Config{DeploymentID: "app", Resources: h.chain("create").Resources}},
		"unknown type":        {Config: h.config(`{"a": {"type": "noop:nothing"}}`)},
		"unknown provider":    {Config: h.config(`{"a": {"type": "acme:thing"}}`)},
		"cycle":               {Config: h.config(`{"a": {"type": "noop:thing", "depends_on": ["b"]}, "b": {"type": "noop:thing", "depends_on": ["a"]}}`)},
		"a box for elsewhere": {Config: h.config(`{"a": {"type": "noop:thing", "properties": {"secret": "` + h.seal("credential", "x") + `"}}}`)},
		"rules of the type":   {Config: h.config(`{"a": {"type": "noop:thing", "properties": {"fail": "nonsense"}}}`)},
		"unknown edge":        {Config: h.config(`{"a": {"type": "noop:thing"}, "b": {"type": "noop:thing", "depends_on": [{"resource": "a", "edge_type": "maybe"}]}}`)},
		"unknown mode":        {Config: h.chain("create"), Mode: "SLOW"},
		"only what is not":    {Config: h.chain("create"), Only: []string{"zzz"}},
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			_, err := h.engine.Apply(t.Context(), h.caller, request)
			require.NotEmpty(t, h.refused(engine.Invalid, err).Problems)
		})
	}
	deployments, err := h.engine.Deployments(t.Context(), h.caller, rest.ListQuery{})
	require.NoError(t, err)
	require.Empty(t, deployments.Deployments)
	require.Zero(t, h.outside())
	require.Empty(t, h.plugins.calls)
}

func TestAnotherTenantSeesNothing(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	stranger := engine.Caller{Tenant: "stranger", Name: "x"}
	_, err := h.engine.Status(t.Context(), stranger, applied.GraphID, "")
	h.refused(engine.NotFound, err)
	_, err = h.engine.Result(t.Context(), stranger, applied.RunID)
	h.refused(engine.NotFound, err)
	_, err = h.engine.Events(t.Context(), stranger, applied.GraphID, "", "")
	h.refused(engine.NotFound, err)
	_, err = h.engine.Apply(t.Context(), stranger, &rest.ApplyRequest{GraphID: applied.GraphID, Credentials: noCredentials})
	h.refused(engine.NotFound, err)
	_, err = h.engine.Destroy(t.Context(), stranger, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	h.refused(engine.NotFound, err)
}

func TestEventsAreReplayedFromAnyPoint(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	all := h.events(applied.GraphID, "")
	require.Equal(t, "run_changed", all[0].Kind)
	require.Equal(t, "completed", all[len(all)-1].RunStatus)
	h.restart()
	for i := range all {
		rest := h.events(applied.GraphID, all[i].ID)
		require.Len(t, rest, len(all)-i-1)
	}
	stream, err := h.engine.Events(t.Context(), h.caller, applied.GraphID, "", "ffffffff:3")
	require.NoError(t, err)
	require.True(t, stream.Reset)
}

func (h *house) events(graphID, after string) []rest.Event {
	stream, err := h.engine.Events(h.t.Context(), h.caller, graphID, "", after)
	require.NoError(h.t, err)
	require.False(h.t, stream.Reset)
	var all []rest.Event
	for {
		events, done, err := stream.Next(h.t.Context())
		require.NoError(h.t, err)
		all = append(all, events...)
		if done {
			return all
		}
	}
}

func TestAStoredPlanIsAppliedAsItStands(t *testing.T) {
	h := build(t)
	store := false
	planned, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: h.chain("create"), ValidateOnly: &store})
	require.NoError(t, err)
	status, err := h.engine.Status(t.Context(), h.caller, planned.SpecGraphID, "")
	require.NoError(t, err)
	require.Equal(t, "planned", status.Status)
	stale, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: h.chain("ensure"), ValidateOnly: &store})
	require.NoError(t, err)

	applied := h.apply(&rest.ApplyRequest{GraphID: planned.SpecGraphID, Credentials: noCredentials})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	for i, operation := range planned.Operations {
		now, err := h.engine.Status(t.Context(), h.caller, planned.SpecGraphID, "")
		require.NoError(t, err)
		require.Equal(t, operation.ID, now.Operations[i].ID)
	}
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: stale.SpecGraphID, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	forced := h.apply(&rest.ApplyRequest{GraphID: stale.SpecGraphID, Credentials: noCredentials, Force: true})
	require.True(t, forced.Success)
}

func TestVerifyTellsWhatDiffers(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.config(`{"a": {"type": "noop:thing", "properties": {"value": "x"}}}`)})
	changed := h.apply(&rest.ApplyRequest{Config: h.config(`{"a": {"type": "noop:thing", "operation": "update", "properties": {"value": "z"}}}`)})
	require.True(t, changed.Success)
	verify := func(graphID string) *rest.RunResult {
		begun, err := h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: graphID, Credentials: noCredentials})
		require.NoError(t, err)
		return h.wait(begun)
	}
	require.True(t, verify(changed.GraphID).Success)
	old := verify(applied.GraphID)
	require.False(t, old.Success)
	require.Equal(t, "completed", old.Status)
	failed := map[string]bool{}
	for _, checks := range old.Checks {
		for _, check := range checks {
			if check.Status != "pass" {
				failed[check.Name] = true
			}
		}
	}
	require.True(t, failed["value"], "%v", old.Checks)
	status, err := h.engine.Status(t.Context(), h.caller, changed.GraphID, "")
	require.NoError(t, err)
	require.Equal(t, "apply", status.Kind, "a verification is not how the deployment stands")
}

func TestADryRunStoresNothing(t *testing.T) {
	h := build(t)
	result, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.chain("create"), Mode: rest.ModeDryRun})
	require.NoError(t, err)
	require.Empty(t, result.RunID)
	require.Empty(t, result.GraphID)
	require.Equal(t, 4, result.Pending)
	runs, err := h.engine.Runs(t.Context(), h.caller, rest.RunsQuery{})
	require.NoError(t, err)
	require.Empty(t, runs.Runs)
}

func TestAMissingPinnedVersionIsAConflict(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(2, "a", never))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	spec, err := h.engine.Graph(t.Context(), h.caller, failed.GraphID, "", "spec")
	require.NoError(t, err)
	text, err := json.Marshal(spec.Value)
	require.NoError(t, err)
	require.Contains(t, string(text), `"version":"1.2.0"`)
	h.plugins.description.Version = "1.3.0"
	cfg := h.chain("create")
	cfg.Providers = map[string]rest.ProviderPick{"noop": {Version: "^9"}}
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: cfg})
	require.Equal(t, "/config/providers/noop", h.refused(engine.Invalid, err).Problems[0].Pointer)
}
