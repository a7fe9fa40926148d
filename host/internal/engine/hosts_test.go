package engine_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/postgres"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// pair is two hosts on one store, each with a fault of its own between it and the store.
type pair struct {
	a, b         *house
	shared       store.Store
	lease, grace time.Duration
}

// hosts are a pair over any store.
func hosts(t *testing.T, shared store.Store, lease, grace time.Duration) *pair {
	first := build(t)
	p := &pair{shared: shared, lease: lease, grace: grace}
	first.stop()
	p.a = p.open(first, shared)
	second := *first
	p.b = p.open(&second, shared)
	return p
}

func (p *pair) open(h *house, shared store.Store) *house {
	h.faults = storetest.Faulty(shared)
	settings, err := json.Marshal(map[string]string{"dir": h.world})
	require.NoError(h.t, err)
	e, err := engine.New(h.t.Context(), engine.Options{
		Store: h.faults, Plugins: h.plugins, Log: hclog.NewNullLogger(), Settings: map[string]json.RawMessage{"noop": settings},
		DrainTimeout: time.Second, Tries: 3, Lease: p.lease, SettleGrace: p.grace,
	})
	require.NoError(h.t, err)
	h.engine = e
	h.t.Cleanup(func() { e.Stop(); h.engine = nil })
	return h
}

// cutOff has a host hear nothing of its leases any more, as one that is stopped or cut off from the store.
func (h *house) cutOff() {
	for _, method := range []string{"RenewLeases", "ExpiredRuns"} {
		h.faults.Arm(storetest.Fault{Method: method, Times: storetest.Forever, Fail: storetest.Before})
	}
}

// becomes waits until a host says that a run stands so.
func (h *house) becomes(runID, status string) {
	require.Eventually(h.t, func() bool {
		result, err := h.engine.Result(h.t.Context(), h.caller, runID)
		require.NoError(h.t, err)
		return result.Status == status
	}, time.Hour, 10*time.Millisecond, status)
}

// threeThings come one after the other; each is given two leases and a half.
func (p *pair) threeThings() *rest.Config {
	return p.a.config(fmt.Sprintf(`{
		"first": {"type": "noop:thing", "operation": "create", "timeout_seconds": %[1]g},
		"held": {"type": "noop:thing", "operation": "create", "timeout_seconds": %[1]g, "depends_on": ["first"]},
		"last": {"type": "noop:thing", "operation": "create", "timeout_seconds": %[1]g, "depends_on": ["held"]}
	}`, 2.5*p.lease.Seconds()))
}

// hold is holdBack on the first host, which lets go at the latest when the test ends.
func (p *pair) hold(resource string) (reached chan struct{}, release func()) {
	reached, let := p.a.holdBack(resource)
	release = sync.OnceFunc(let)
	p.a.t.Cleanup(release)
	return reached, release
}

// eachPair runs a test of two hosts in virtual time on SQLite, and in real time on PostgreSQL.
func eachPair(t *testing.T, test func(t *testing.T, p *pair)) {
	t.Run("virtual time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			test(t, hosts(t, s, 15*time.Second, 30*time.Second))
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		s, err := postgres.Open(t.Context(), pgserver.Shared(t).Schema(t), postgres.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		test(t, hosts(t, s, 2*time.Second, 100*time.Millisecond))
	})
}

// A host that hears nothing for longer than a lease is taken for gone. Another one goes on with its run, and what the first was
// about is settled once it can have no more effect. The first writes nothing any more, and says how the run stands as all others do.
func TestAnotherHostGoesOn(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		reached, release := p.hold("held")
		begun, err := p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{Config: p.threeThings()})
		require.NoError(t, err)
		wait(t, reached)
		intended := time.Now()
		p.a.cutOff()
		p.b.becomes(begun.RunID, rest.RunInterrupted)
		require.GreaterOrEqual(t, time.Since(intended), p.lease/2, "not before its lease ran out")

		resumed, err := p.b.engine.Apply(t.Context(), p.b.caller, &rest.ApplyRequest{GraphID: begun.GraphID, Credentials: noCredentials})
		require.NoError(t, err)
		_, err = p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{GraphID: begun.GraphID, Credentials: noCredentials})
		require.Error(t, err, "it is active, wherever")
		result := p.b.wait(resumed)
		require.True(t, result.Success, "%+v", result)
		require.Equal(t, begun.RunID, result.RunID)
		require.GreaterOrEqual(t, time.Since(intended), 5*p.lease/2+p.grace-time.Second, "not before the first host's attempt had to be over")
		require.Equal(t, 3, p.a.outside(), "nothing was made twice")
		before := p.b.eventsOf(begun.GraphID, begun.RunID)

		release()
		p.a.faults.Disarm()
		require.NoError(t, p.a.engine.Wait(t.Context(), p.a.caller, begun.RunID))
		time.Sleep(2 * p.lease)
		require.Equal(t, before, p.a.eventsOf(begun.GraphID, begun.RunID), "the first wrote nothing more")
		again, err := p.a.engine.Result(t.Context(), p.a.caller, begun.RunID)
		require.NoError(t, err)
		require.Equal(t, result, again)
	})
}

// A host that learns that its run was taken starts nothing more of it.
func TestALostRunStops(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		reached, release := p.hold("first")
		begun, err := p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{Config: p.threeThings()})
		require.NoError(t, err)
		wait(t, reached)
		p.a.cutOff()
		p.b.becomes(begun.RunID, rest.RunInterrupted)
		p.a.faults.Disarm()
		time.Sleep(p.lease) // the next renewal tells it
		release()
		require.NoError(t, p.a.engine.Wait(t.Context(), p.a.caller, begun.RunID))
		p.a.becomes(begun.RunID, rest.RunInterrupted)
		require.Zero(t, p.a.plugins.count("held create")+p.a.plugins.count("last create"))
	})
}

// A run that goes on for many leases stays with its host.
func TestLeasesAreRenewed(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		reached, release := p.hold("held")
		begun, err := p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{Config: p.threeThings()})
		require.NoError(t, err)
		wait(t, reached)
		time.Sleep(3 * p.lease)
		release()
		require.True(t, p.a.wait(begun).Success)
		for _, event := range p.b.eventsOf(begun.GraphID, begun.RunID) {
			require.NotEqual(t, rest.RunInterrupted, event.RunStatus)
		}
	})
}

// Whatever is asked of a host about a run of another one is answered as that would.
func TestAnyHostAnswers(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		reached, release := p.hold("held")
		begun, err := p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{Config: p.threeThings()})
		require.NoError(t, err)
		wait(t, reached)
		status, err := p.b.engine.Status(t.Context(), p.b.caller, begun.GraphID, "")
		require.NoError(t, err)
		require.Equal(t, rest.RunRunning, status.Status)

		followed, waited := make(chan []rest.Event, 1), make(chan error, 1)
		go func() { followed <- p.b.eventsOf(begun.GraphID, begun.RunID) }()
		go func() { waited <- p.b.engine.Wait(t.Context(), p.b.caller, begun.RunID) }()
		time.Sleep(p.lease / 2)
		require.Empty(t, followed)
		require.Empty(t, waited)
		release()
		require.True(t, p.a.wait(begun).Success)
		require.NoError(t, <-waited)
		require.Equal(t, p.a.eventsOf(begun.GraphID, begun.RunID), <-followed)
		for _, h := range []*house{p.a, p.b} {
			result, err := h.engine.Result(t.Context(), h.caller, begun.RunID)
			require.NoError(t, err)
			require.True(t, result.Success)
		}
	})
}

// A run is cancelled through any host: by the one that has it, when it next renews its lease.
func TestCancelThroughAnotherHost(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		reached, release := p.hold("held")
		begun, err := p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{Config: p.threeThings()})
		require.NoError(t, err)
		wait(t, reached)
		_, err = p.b.engine.Cancel(t.Context(), p.b.caller, &rest.CancelRequest{RunID: begun.RunID})
		require.NoError(t, err)
		p.b.becomes(begun.RunID, rest.RunCancelling)
		_, err = p.b.engine.Cancel(t.Context(), p.b.caller, &rest.CancelRequest{RunID: begun.RunID})
		require.NoError(t, err)
		release()
		require.NoError(t, p.b.engine.Wait(t.Context(), p.b.caller, begun.RunID))
		p.b.becomes(begun.RunID, rest.RunCancelled)
		require.Zero(t, p.a.plugins.count("last create"))

		// One at rest is cancelled by whoever is asked.
		p.a.plugins.breakWith(times(9, "held", never))
		failed := p.a.wait(must(p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{Config: p.threeThings()})))
		require.Equal(t, rest.RunFailed, failed.Status)
		_, err = p.b.engine.Cancel(t.Context(), p.b.caller, &rest.CancelRequest{RunID: failed.RunID})
		require.NoError(t, err)
		p.a.becomes(failed.RunID, rest.RunCancelled)
	})
}

func must[T any](answer T, err error) T {
	if err != nil {
		panic(err)
	}
	return answer
}

// What a host keeps in memory of a run at rest is not told once another host has gone on with it.
func TestNoHostTellsOldNews(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		p.a.plugins.breakWith(times(9, "held", never))
		failed := p.a.wait(must(p.a.engine.Apply(t.Context(), p.a.caller, &rest.ApplyRequest{Config: p.threeThings()})))
		require.Equal(t, rest.RunFailed, failed.Status)
		p.a.plugins.breakWith(nil)
		resumed := p.b.wait(must(p.b.engine.Apply(t.Context(), p.b.caller, &rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})))
		require.True(t, resumed.Success)
		p.a.becomes(failed.RunID, rest.RunCompleted)
	})
}

// strangers is a plugin host whose provider has keys of its own.
func strangers(t *testing.T, like *house) *plugins {
	ring, err := sealedbox.Generate(time.Now())
	require.NoError(t, err)
	made, err := noop.New(providerVersion)
	require.NoError(t, err)
	made.Use(provider.Runtime{Keys: ring})
	t.Cleanup(made.Close)
	return &plugins{Provider: made, description: like.plugins.description, executed: map[string]int{}}
}

// A host whose providers have other keys than those on record is not ready, and stands in nobody's way.
func TestOtherKeysAreNotReady(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		require.NoError(t, p.b.engine.Ready(t.Context()))
		other := *p.b
		other.plugins = strangers(t, p.b)
		p.open(&other, p.shared)
		p.b.refused(engine.Unavailable, other.engine.Ready(t.Context()))
		_, err := other.engine.PublicKeys(t.Context(), other.caller, "noop")
		p.b.refused(engine.Unavailable, err)
		for _, h := range []*house{p.a, p.b} {
			require.NoError(t, h.engine.Ready(t.Context()))
			_, err := h.engine.PublicKeys(t.Context(), h.caller, "noop")
			require.NoError(t, err)
		}
	})
}
