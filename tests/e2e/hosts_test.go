package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// Two real hosts share a database, their key files and a world. Leases are short, and so is what an operation is given.
const (
	leaseSeconds     = 2.0
	operationSeconds = 5.0
)

// pair starts two hosts.
func pair(t *testing.T) (a, b *site) {
	t.Helper()
	store := pgserver.Shared(t).Schema(t)
	a = start(t, func(o *rig.HostOptions) { o.Config = sharing(store) })
	b = open(t, func(o *rig.HostOptions) {
		o.Config, o.Settings = sharing(store), map[string]any{"noop": map[string]string{"dir": a.things}}
	})
	b.things = a.things
	require.NoError(t, os.MkdirAll(filepath.Join(b.DataDir, "keys"), 0o700))
	keys, err := filepath.Glob(filepath.Join(a.DataDir, "keys", "*.key"))
	require.NoError(t, err)
	for _, path := range keys {
		key, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(b.DataDir, "keys", filepath.Base(path)), key, 0o600))
	}
	require.NoError(t, b.Start(b.ctx), "%s", b.log())
	return a, b
}

func sharing(store string) map[string]any {
	return map[string]any{
		"store": store, "lease_seconds": leaseSeconds, "settle_grace_seconds": 0.2, "operation_timeout_seconds": operationSeconds,
	}
}

// sleepers come one after the other; the second takes as long as is said.
func sleepers(milliseconds int) string {
	return fmt.Sprintf(`{
		"first":  {"type": "noop:thing", "operation": "create"},
		"second": {"type": "noop:thing", "operation": "create", "properties": {"sleep_ms": %d}, "depends_on": ["first"]},
		"third":  {"type": "noop:thing", "operation": "create", "depends_on": ["second"]}
	}`, milliseconds)
}

// reached waits until an operation of a run is at work.
func (s *site) reached(graphID, resource, status string) {
	s.Helper()
	s.until(resource+" is "+status, func() bool { return s.statuses(graphID)[resource] == status })
}

// stands waits until a host says that a run stands so.
func (s *site) stands(graphID, want string) {
	s.Helper()
	s.until("the run is "+want, func() bool {
		status, err := s.Client.Status(s.ctx, graphID, "")
		return s.NoError(err) && status.Status == want
	})
}

// told is all that a host tells of a run.
func (s *site) told(graphID, runID string) (events []rest.Event) {
	s.Helper()
	require.NoError(s, s.Client.Follow(s.ctx, rest.FollowFrom{GraphID: graphID, RunID: runID}, func(event rest.Event) {
		events = append(events, event)
	}))
	return events
}

// A host that stands still for longer than its lease is taken for gone, also by itself once it moves again: it writes nothing more,
// and answers as the others do.
func TestAHostThatStoodStillIsFenced(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	begun := a.begin(config(t, "app", sleepers(1500)))
	b.reached(begun.GraphID, "second", "running")
	require.NoError(t, syscall.Kill(a.PID(), syscall.SIGSTOP))
	wakened := false
	defer func() {
		if !wakened {
			_ = syscall.Kill(a.PID(), syscall.SIGCONT)
		}
	}()
	b.stands(begun.GraphID, rest.RunInterrupted)
	resumed := b.resume(begun.GraphID)
	require.True(t, resumed.Success, "%+v", resumed)
	require.Equal(t, begun.RunID, resumed.RunID)
	require.Equal(t, 3, b.outside(), "nothing was made twice")
	before := b.told(begun.GraphID, begun.RunID)

	require.NoError(t, syscall.Kill(a.PID(), syscall.SIGCONT))
	wakened = true
	a.until("the host answers again", func() bool { return a.Client.Health(a.ctx) == nil })
	a.stands(begun.GraphID, rest.RunCompleted)
	time.Sleep(time.Duration(2 * leaseSeconds * float64(time.Second)))
	require.Equal(t, before, a.told(begun.GraphID, begun.RunID), "it wrote nothing more")
	require.Equal(t, 3, a.outside())
	again := a.apply(config(t, "another", sleepers(1)))
	require.True(t, again.Success, "it works on")
}

// What a killed host was at work on is gone on with on another, and the first may come back.
func TestAKilledHostIsReplaced(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	begun := a.begin(config(t, "app", sleepers(1000)))
	b.reached(begun.GraphID, "second", "running")
	killed := time.Now()
	a.Kill()
	b.stands(begun.GraphID, rest.RunInterrupted)
	resumed := b.resume(begun.GraphID)
	require.True(t, resumed.Success, "%+v", resumed)
	require.Greater(t, time.Since(killed).Seconds(), operationSeconds-1, "what may still be on its way is waited for")
	require.Equal(t, 3, b.outside())

	require.NoError(t, a.Start(a.ctx), "%s", a.log())
	require.Equal(t, b.told(begun.GraphID, begun.RunID), a.told(begun.GraphID, begun.RunID))
	destroyed, err := a.Client.Destroy(a.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, destroyed.Success)
	require.Zero(t, a.outside())
}

// Events are followed, and a run is cancelled, through a host that is not at work on it.
func TestAnyHostWillDo(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	begun := a.begin(config(t, "app", sleepers(2000)))
	followed := make(chan []rest.Event, 1)
	go func() {
		var events []rest.Event
		_ = b.Client.Follow(b.ctx, rest.FollowFrom{GraphID: begun.GraphID, RunID: begun.RunID}, func(event rest.Event) {
			events = append(events, event)
		})
		followed <- events
	}()
	b.reached(begun.GraphID, "second", "running")
	_, err := b.Client.Cancel(b.ctx, &rest.CancelRequest{RunID: begun.RunID}, rest.Async())
	require.NoError(t, err)
	b.stands(begun.GraphID, rest.RunCancelled)
	require.Equal(t, map[string]string{"first": "completed", "second": "completed", "third": "pending"}, a.statuses(begun.GraphID))
	require.Equal(t, a.told(begun.GraphID, begun.RunID), <-followed)

	status, err := b.Client.SystemStatus(b.ctx)
	require.NoError(t, err)
	require.Equal(t, "postgres", status.Store.Kind)
	require.Contains(t, status.Store.Detail, "can lose what was acknowledged")
}

// A host whose providers have other keys than those on record takes no requests, and says why in its log.
func TestAHostWithOtherKeysIsNotReady(t *testing.T) {
	t.Parallel()
	store := pgserver.Shared(t).Schema(t)
	a := start(t, func(o *rig.HostOptions) { o.Config = sharing(store) })
	b := open(t, func(o *rig.HostOptions) { o.Config = sharing(store) })
	require.NoError(t, b.Launch())
	b.until("it says why", func() bool {
		return b.Client.Health(b.ctx) != nil && strings.Contains(b.log(), "are not those on record")
	})
	require.Error(t, b.Client.Health(b.ctx))
	require.NoError(t, a.Client.Health(a.ctx))
	require.True(t, a.apply(config(t, "app", sleepers(1))).Success)
}
