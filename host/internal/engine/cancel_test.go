package engine_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const slow = `{
	"a": {"type": "noop:thing", "operation": "VERB", "properties": {"sleep_ms": 60000}},
	"b": {"type": "noop:thing", "operation": "VERB", "depends_on": ["a"]}}`

func (h *house) begin(cfg *rest.Config) *rest.RunResult {
	result, err := h.engine.Apply(h.t.Context(), h.caller, &rest.ApplyRequest{Config: cfg})
	require.NoError(h.t, err)
	return result
}

func (h *house) cancel(runID string, grace float64) *rest.RunResult {
	result, err := h.engine.Cancel(h.t.Context(), h.caller, &rest.CancelRequest{RunID: runID, GraceSeconds: &grace})
	require.NoError(h.t, err)
	return h.wait(result)
}

func TestCancelLetsFinishWithinTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		running := h.begin(h.config(strings.ReplaceAll(slow, "VERB", "create")))
		time.Sleep(time.Second)
		begun := time.Now()
		cancelled := h.cancel(running.RunID, 100)
		require.Equal(t, rest.RunCancelled, cancelled.Status)
		require.Equal(t, map[string]string{"a": "completed", "b": "pending"}, h.standing(running.GraphID))
		require.Empty(t, cancelled.Unsettled)
		require.InDelta(t, 59, time.Since(begun).Seconds(), 1)
		require.Equal(t, cancelled, h.cancel(running.RunID, 0), "twice changes nothing")
		_, err := h.engine.Continue(t.Context(), h.caller, &rest.ContinueRequest{GraphID: running.GraphID, Credentials: noCredentials})
		h.refused(engine.Conflict, err)
	})
}

// TestACancelledGraphIsAppliedOnceMore: what the cancelled run made is its own, and is found, not made again nor refused.
func TestACancelledGraphIsAppliedOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		running := h.begin(h.config(strings.ReplaceAll(slow, "VERB", "create")))
		time.Sleep(time.Second)
		require.Equal(t, map[string]string{"a": "completed", "b": "pending"}, h.standing(h.cancel(running.RunID, 100).GraphID))
		again, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: running.GraphID, Credentials: noCredentials})
		require.NoError(t, err)
		done := h.wait(again)
		require.True(t, done.Success, "%+v", done.FailedOperation)
		require.NotEqual(t, running.RunID, done.RunID)
		require.Equal(t, 2, h.outside())
	})
}

func TestCancelSettlesWhatItBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		// The first call hangs once the thing is made; finishing it takes 30 s, which is within the bound.
		running := h.begin(h.config(strings.ReplaceAll(strings.ReplaceAll(slow, "60000", "30000"), "VERB", "create")))
		time.Sleep(time.Second)
		cancelled := h.cancel(running.RunID, 2)
		require.Equal(t, rest.RunCancelled, cancelled.Status)
		require.Equal(t, map[string]string{"a": "completed", "b": "pending"}, h.standing(running.GraphID))
		require.Equal(t, 2, h.plugins.count("a create"))
		require.Equal(t, 1, h.outside())
	})
}

func TestCancelMakesNothingThatWasNotThere(t *testing.T) {
	for _, verb := range []string{"create", "ensure"} {
		synctest.Test(t, func(t *testing.T) {
			h := build(t)
			h.plugins.hang("a")
			running := h.begin(h.config(strings.ReplaceAll(slow, "VERB", verb)))
			time.Sleep(time.Second)
			cancelled := h.cancel(running.RunID, 1)
			require.Equal(t, rest.RunCancelled, cancelled.Status)
			require.Equal(t, map[string]string{"a": "pending", "b": "pending"}, h.standing(running.GraphID))
			require.Empty(t, cancelled.Unsettled)
			require.Equal(t, 1, h.plugins.count("a "+verb))
			require.Zero(t, h.outside())
		})
	}
}

func TestWhatCannotBeSettledIsNamedAndLookedForByTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		// The thing is made; whatever is asked about it afterwards takes longer than the bound.
		running := h.begin(h.config(strings.ReplaceAll(strings.ReplaceAll(slow, "60000", "600000"), "VERB", "create")))
		time.Sleep(time.Second)
		begun := time.Now()
		cancelled := h.cancel(running.RunID, 1)
		require.Equal(t, rest.RunCancelled, cancelled.Status, "%+v", cancelled)
		require.InDelta(t, 1+engine.DefaultSettleTimeout.Seconds(), time.Since(begun).Seconds(), 5)
		require.Equal(t, []string{"a"}, resources(cancelled.Unsettled))
		require.Equal(t, map[string]string{"a": "failed", "b": "pending"}, h.standing(running.GraphID))
		require.Equal(t, 1, h.outside())

		h.restart()
		again := h.apply(&rest.ApplyRequest{GraphID: running.GraphID, Credentials: noCredentials})
		require.True(t, again.Success, "%+v", again.FailedOperation)
		require.NotEqual(t, running.RunID, again.RunID)
		require.Equal(t, 2, h.outside(), "it was found, not made again")
	})
}

func TestARunAtRestIsCancelledAtOnce(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "b", lost))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, rest.RunFailed, failed.Status)
	h.restart()
	cancelled := h.cancel(failed.RunID, 0)
	require.Equal(t, rest.RunCancelled, cancelled.Status)
	require.NotEmpty(t, cancelled.Unsettled)
	require.Equal(t, cancelled, h.cancel(failed.RunID, 0))
	_, err := h.engine.Cancel(t.Context(), h.caller, &rest.CancelRequest{})
	h.refused(engine.Invalid, err)
	_, err = h.engine.Cancel(t.Context(), engine.Caller{Tenant: "stranger"}, &rest.CancelRequest{RunID: failed.RunID})
	h.refused(engine.NotFound, err)
}

// losing is a store that tells of lost leases when it is told to.
type losing struct {
	store.Store
	lost atomic.Bool
}

func (l *losing) RenewLeases(ctx context.Context, owner string, ttl time.Duration, runIDs []string) ([]store.LeaseState, error) {
	states, err := l.Store.RenewLeases(ctx, owner, ttl, runIDs)
	for i := range states {
		states[i].Lost = states[i].Lost || l.lost.Load()
	}
	return states, err
}

// TestWhatIsLostWhileItIsSettledIsAskedAboutNoMore: another host may be at work on it.
func TestWhatIsLostWhileItIsSettledIsAskedAboutNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.stop()
		leases := &losing{}
		h.change = func(options *engine.Options) {
			leases.Store, options.Store, options.Lease, options.SettleTimeout = options.Store, leases, 3*time.Second, time.Hour
		}
		h.start()
		running := h.begin(h.config(strings.ReplaceAll(strings.ReplaceAll(slow, "60000", "6000000"), "VERB", "create")))
		time.Sleep(time.Second)
		_, err := h.engine.Cancel(t.Context(), h.caller, &rest.CancelRequest{RunID: running.RunID, GraceSeconds: new(float64)})
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		require.Equal(t, 2, h.plugins.count("a create"), "it is being settled")
		leases.lost.Store(true)
		begun := time.Now()
		_ = h.engine.Wait(t.Context(), h.caller, running.RunID)
		require.Less(t, time.Since(begun), 10*time.Second)
	})
}
