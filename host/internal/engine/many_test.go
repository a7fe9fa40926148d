package engine_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func (h *house) named(id, resources string) *rest.Config {
	cfg := h.config(resources)
	cfg.DeploymentID = id
	return cfg
}

func TestATenantHasNoMoreActiveRunsThanItMay(t *testing.T) {
	h := build(t)
	h.change = func(o *engine.Options) { o.ActiveRuns = 2 }
	denied := func(func() (*contract.Result, error)) (*contract.Result, error) {
		d := contract.New(contract.KindPermissionDenied, "no").Diagnostic
		return &contract.Result{Outcome: contract.OutcomeNotApplied, Diagnostics: []contract.Diagnostic{d}}, nil
	}
	h.plugins.breakWith(times(1, "a", denied))
	failed := h.apply(&rest.ApplyRequest{Config: h.named("failed", `{"a": {"type": "noop:thing"}}`)})
	h.restart()
	gate := make(chan struct{})
	h.plugins.breakWith(func(string) func(func() (*contract.Result, error)) (*contract.Result, error) {
		return func(execute func() (*contract.Result, error)) (*contract.Result, error) { <-gate; return execute() }
	})
	one := `{"a": {"type": "noop:thing"}}`
	var begun []*rest.RunResult
	for i := range 2 {
		result, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.named(fmt.Sprint("app-", i), one)})
		require.NoError(t, err)
		begun = append(begun, result)
	}
	_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.named("app-3", one)})
	h.refused(engine.TooMany, err)
	_, err = h.engine.Deployments(t.Context(), h.caller, rest.ListQuery{Cursor: "app-3"})
	h.refused(engine.NotFound, err) // nothing of it was stored
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
	h.refused(engine.TooMany, err) // to go on with a run makes it active too
	other := engine.Caller{Tenant: "other", Name: "x"}
	foreign, err := h.engine.Apply(t.Context(), other, &rest.ApplyRequest{Config: h.named("app-3", one)})
	require.NoError(t, err, "another tenant has its own")
	close(gate)
	for _, result := range begun {
		require.True(t, h.wait(result).Success)
	}
	require.NoError(t, h.engine.Wait(t.Context(), other, foreign.RunID))
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.named("app-3", one)}).Success)
	require.True(t, h.apply(&rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials}).Success)
}

// TestManyRunsAtOnceTakeTurnsOnlyForTheHost: a thousand runs, each of two operations that take a second, one behind the other. The
// clock is the test's: it says how many of them were in flight at once.
func TestManyRunsAtOnceTakeTurnsOnlyForTheHost(t *testing.T) {
	const runs, inFlight = 1000, 250
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.change = func(o *engine.Options) { o.HostConcurrency = inFlight }
		h.restart()
		const two = `{"a": {"type": "noop:thing", "properties": {"sleep_ms": 1000}},
			"b": {"type": "noop:thing", "properties": {"sleep_ms": 1000}, "depends_on": ["a"]}}`
		began := time.Now()
		var all sync.WaitGroup
		for i := range runs {
			all.Go(func() {
				result, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.named(fmt.Sprint("app-", i), two)})
				if err == nil {
					err = h.engine.Wait(t.Context(), h.caller, result.RunID)
				}
				if err == nil {
					result, err = h.engine.Result(t.Context(), h.caller, result.RunID)
				}
				if err != nil || !result.Success {
					t.Errorf("run %d: %v %+v", i, err, result)
				}
			})
		}
		all.Wait()
		took, least := time.Since(began), time.Duration(2*runs/inFlight)*time.Second
		require.GreaterOrEqual(t, took, least)
		require.Less(t, took, 2*least, "the host was idle while runs waited")
		require.Equal(t, 2*runs, h.outside())
		h.stop()
	})
}
