package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestWhatAnIntentAloneTellsOfIsDestroyed: a resource whose one attempt was cut short and that no later version names is known by
// its intent only. Found by simulation.
func TestWhatAnIntentAloneTellsOfIsDestroyed(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(1, "b", func(execute func() (*contract.Result, error)) (*contract.Result, error) {
		result, err := execute()
		h.faults.Arm(storetest.Fault{Fail: storetest.Before, Times: storetest.Forever})
		return result, err
	}))
	result, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.config(`{"b":{"type":"noop:thing"},"c":{"type":"noop:thing","depends_on":["b"]}}`)})
	require.NoError(t, err)
	require.Error(t, h.engine.Wait(t.Context(), h.caller, result.RunID), "the store does not answer")
	h.restart()
	require.Equal(t, 1, h.outside())
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.config(`{"a":{"type":"noop:thing"}}`)}).Success)
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())
}
