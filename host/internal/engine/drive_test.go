package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestARunThatADestroySupersedesIsToldOfAsItStandsInTheStore: its host may still hold it in memory as it was.
func TestARunThatADestroySupersedesIsToldOfAsItStandsInTheStore(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "b", never))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, rest.RunFailed, failed.Status)
	h.plugins.breakWith(nil)
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	status, err := h.engine.Status(t.Context(), h.caller, failed.GraphID, failed.RunID)
	require.NoError(t, err)
	events := h.eventsOf(failed.GraphID, failed.RunID)
	require.Equal(t, rest.RunCancelled, status.Status)
	require.Equal(t, events[len(events)-1].Version, status.EventVersion)
}

// eventsOf reads one run's events to their end.
func (h *house) eventsOf(graphID, runID string) []rest.Event {
	stream, err := h.engine.Events(h.t.Context(), h.caller, graphID, runID, "")
	require.NoError(h.t, err)
	var all []rest.Event
	for done := false; !done; {
		var events []rest.Event
		events, done, err = stream.Next(h.t.Context())
		require.NoError(h.t, err)
		all = append(all, events...)
	}
	return all
}

func TestNoGraphOfADestroyedDeploymentIsAppliedAgain(t *testing.T) {
	h := build(t)
	first := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	head := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	for _, graphID := range []string{first.GraphID, head.GraphID} {
		_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: graphID, Credentials: noCredentials})
		h.refused(engine.Conflict, err)
	}
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.chain("create")}).Success, "its config deploys it anew")
}

// TestAnEventThatIsYetToComeIsNotOneOfTheRun: events are told once they are stored, so that nobody can have seen it.
func TestAnEventThatIsYetToComeIsNotOneOfTheRun(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	last := len(h.eventsOf(applied.GraphID, applied.RunID))
	for version, reset := range map[int]bool{last: false, last + 1: true, 100_000: true} {
		stream, err := h.engine.Events(t.Context(), h.caller, applied.GraphID, "", rest.EventID(applied.RunID, int64(version)))
		require.NoError(t, err)
		require.Equal(t, reset, stream.Reset, version)
	}
}
