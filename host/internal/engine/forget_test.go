package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestOnlyADestroyedDeploymentIsForgotten(t *testing.T) {
	h := build(t)
	gate := make(chan struct{})
	h.plugins.breakWith(times(1, "a", func(execute func() (*contract.Result, error)) (*contract.Result, error) { <-gate; return execute() }))
	running, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.chain("create")})
	require.NoError(t, err)
	h.refused(engine.Conflict, h.engine.Forget(t.Context(), h.caller, "app"))
	close(gate)
	applied := h.wait(running)
	h.refused(engine.Conflict, h.engine.Forget(t.Context(), h.caller, "app"))
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	h.refused(engine.NotFound, h.engine.Forget(t.Context(), engine.Caller{Tenant: "other"}, "app"))
	require.NoError(t, h.engine.Forget(t.Context(), h.caller, "app"))

	h.refused(engine.NotFound, h.engine.Forget(t.Context(), h.caller, "app"))
	require.Empty(t, h.runs())
	_, err = h.engine.Result(t.Context(), h.caller, applied.RunID)
	h.refused(engine.NotFound, err)
	_, err = h.engine.Status(t.Context(), h.caller, applied.GraphID, "")
	h.refused(engine.NotFound, err)
	anew := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.True(t, anew.Success)
	require.Equal(t, "v1", anew.Version, "nothing is remembered")
}

func TestAPlanThatWasNeverAppliedIsForgotten(t *testing.T) {
	h := build(t)
	keep := false
	_, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: h.chain("create"), ValidateOnly: &keep})
	require.NoError(t, err)
	require.NoError(t, h.engine.Forget(t.Context(), h.caller, "app"))
}
