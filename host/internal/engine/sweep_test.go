package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/postgres"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// insist calls until a run succeeds, as a client does that is told of errors.
func (h *house) insist(pause time.Duration, command func() (*rest.RunResult, error)) *rest.RunResult {
	var last any
	for range 30 {
		result, err := command()
		if err == nil {
			err = h.engine.Wait(h.t.Context(), h.caller, result.RunID)
		}
		if err == nil {
			result, err = h.engine.Result(h.t.Context(), h.caller, result.RunID)
		}
		if err == nil && result.Success {
			return result
		}
		last = fmt.Sprintf("%v, %+v", err, result)
		time.Sleep(pause)
	}
	require.Fail(h.t, "it never succeeded", "%v", last)
	return nil
}

// deployed deploys and destroys under a fault, and requires what must be true whatever fails: each thing is made once, nothing is
// left in the end, the events of every run tell its whole story, and no run stays active that nobody is at work on.
func (h *house) deployed(id string, fault storetest.Fault, pause time.Duration) (calls int) {
	before := h.faults.Calls("")
	h.faults.Arm(fault)
	cfg := h.named(id, `{"a": {"type": "noop:thing", "operation": "ensure"}, "b": {"type": "noop:thing", "operation": "ensure", "depends_on": ["a"]}}`)
	h.insist(pause, func() (*rest.RunResult, error) {
		return h.engine.Apply(h.t.Context(), h.caller, &rest.ApplyRequest{Config: cfg})
	})
	require.Equal(h.t, 2, h.outside())
	h.insist(pause, func() (*rest.RunResult, error) {
		return h.engine.Destroy(h.t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: id, Credentials: noCredentials})
	})
	require.Zero(h.t, h.outside())
	calls = h.faults.Calls("") - before

	h.faults.Disarm()
	runs, err := h.engine.Runs(h.t.Context(), h.caller, rest.RunsQuery{DeploymentID: id})
	require.NoError(h.t, err)
	for _, run := range runs.Runs {
		require.Eventually(h.t, func() bool {
			result, err := h.engine.Result(h.t.Context(), h.caller, run.RunID)
			return err == nil && !rest.ActiveStatus(result.Status)
		}, 600*pause, pause)
		for i, event := range h.eventsOf(run.GraphID, run.RunID) {
			require.Equal(h.t, int64(i+1), event.Version)
		}
	}
	return calls
}

// TestEveryCallOfTheStoreMayFail: a run over a store of which any one call fails, or is done and says nothing, comes to the same end.
func TestEveryCallOfTheStoreMayFail(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		storetest.Sweep(t, func(t *testing.T, fault storetest.Fault) (calls int) {
			synctest.Test(t, func(t *testing.T) { calls = build(t).deployed("app", fault, time.Second) })
			return calls
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		shared, err := postgres.Open(t.Context(), pgserver.Shared(t).Schema(t), postgres.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, shared.Close()) })
		used := 0
		storetest.Sweep(t, func(t *testing.T, fault storetest.Fault) int {
			used++
			h := build(t)
			h.stop()
			p := &pair{lease: time.Minute, grace: time.Millisecond}
			return p.open(h, shared).deployed(fmt.Sprint("app-", used), fault, 50*time.Millisecond)
		})
	})
}
