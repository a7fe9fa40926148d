package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// Leases of these lengths are not seen to run out in a test, and are seen to.
const (
	long  = time.Hour
	short = 30 * time.Millisecond
)

func (s *suite) claim(runID, owner string, ttl time.Duration) (*hand, error) {
	token, version, err := s.store.AcquireRun(s.ctx(), store.Claim{RunID: runID, Owner: owner, TTL: ttl})
	return &hand{run: runID, token: token, version: version}, err
}

func (s *suite) mustClaim(runID, owner string, ttl time.Duration) *hand {
	h, err := s.claim(runID, owner, ttl)
	require.NoError(s, err)
	return h
}

func (s *suite) expired() (ids []string) {
	runs, err := s.store.ExpiredRuns(s.ctx())
	require.NoError(s, err)
	for _, run := range runs {
		ids = append(ids, run.ID)
	}
	return ids
}

// expire waits until the database says that the leases of these runs ran out.
func (s *suite) expire(ids ...string) {
	require.Eventually(s, func() bool { return fmt.Sprint(s.expired()) == fmt.Sprint(ids) }, 10*time.Second, 2*time.Millisecond)
}

func (s *suite) renew(owner string, ttl time.Duration, runIDs ...string) []store.LeaseState {
	states, err := s.store.RenewLeases(s.ctx(), owner, ttl, runIDs)
	require.NoError(s, err)
	return states
}

// While a lease lasts nobody else takes the run, and its owner may take it anew.
func (s *suite) leaseKeepsOthersOut() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	first := s.mustClaim("run-1", "host-1", long)
	s.commit(first.status(execution.RunRunning, 2))
	for _, ttl := range []time.Duration{0, long} {
		_, err := s.claim("run-1", "host-2", ttl)
		var held *store.HeldError
		require.ErrorAs(s, err, &held)
		require.Equal(s, store.HeldError{RunID: "run-1", Owner: "host-1"}, *held)
	}
	s.commit(first.next(progress(3)))
	require.Empty(s, s.expired())
	s.reopen()
	_, err := s.claim("run-1", "host-2", long)
	require.Error(s, err, "a lease outlives the store's process")

	again := s.mustClaim("run-1", "host-1", long)
	require.Greater(s, again.token, first.token)
	require.ErrorIs(s, s.try(first.next(progress(4)))[0], store.ErrFenced)
	s.commit(again.next(progress(4)))
}

// A lease that ran out shuts nobody out until another one takes the run; then who had it is fenced.
func (s *suite) leaseRunsOut() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantB, deploymentB, 2)))
	old := s.mustClaim("run-1", "host-1", short)
	kept := s.mustClaim("run-2", "host-1", long)
	s.commit(old.status(execution.RunRunning, 2), kept.status(execution.RunRunning, 2))
	s.expire("run-1")
	s.commit(old.next(progress(3)))

	current := s.mustClaim("run-1", "host-2", long)
	require.Equal(s, int64(3), current.version)
	require.Empty(s, s.expired())
	s.unchanged(func() { require.ErrorIs(s, s.try(everyKind(old, deploymentA, 4))[0], store.ErrFenced) })
	require.Equal(s, []store.LeaseState{{RunID: "run-2"}, {RunID: "run-1", Lost: true}}, s.renew("host-1", long, "run-2", "run-1"))
	s.commit(current.next(progress(5)))
}

func (s *suite) leaseRenewal() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	h := s.mustClaim("run-1", "host-1", short)
	require.Equal(s, []store.LeaseState{{RunID: "unknown", Lost: true}, {RunID: "run-1"}}, s.renew("host-1", long, "unknown", "run-1"))
	_, err := s.claim("run-1", "host-2", long)
	require.Error(s, err)
	s.commit(h.status(execution.RunRunning, 2))
	require.Equal(s, []store.LeaseState{{RunID: "run-1"}}, s.renew("host-1", short, "run-1"), "and can be made shorter")
	s.expire("run-1")
	require.Equal(s, []store.LeaseState{{RunID: "run-1"}}, s.renew("host-1", long, "run-1"), "nobody took it meanwhile")
	require.Empty(s, s.expired())
	s.commit(h.next(progress(3)))
	require.Empty(s, s.renew("host-1", long))
}

// A run at rest has no lease: whoever goes on with it need not wait.
func (s *suite) leaseEndsAtRest() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	owners := 0
	for i, status := range []execution.RunStatus{execution.RunFailed, execution.RunPaused, execution.RunInterrupted, execution.RunCompleted} {
		owners++
		h := s.mustClaim("run-1", fmt.Sprint("host-", owners), long)
		s.commit(h.status(execution.RunRunning, 2*i))
		s.commit(h.status(status, 2*i+1), h.next(progress(2*i+1)))
		require.Equal(s, []store.LeaseState{{RunID: "run-1", Lost: true}}, s.renew(fmt.Sprint("host-", owners), long, "run-1"))
	}
	h := s.mustClaim("run-1", "last", short)
	time.Sleep(2 * short)
	require.Empty(s, s.expired(), "a run that is not active cannot be abandoned")
	s.commit(h.next(progress(20)))

	failed := s.start(runOf(tenantA, deploymentA, 2))
	s.commit(failed.status(execution.RunFailed, 30))
	s.mustClaim("run-2", "host-1", long)
	next := runOf(tenantA, deploymentA, 3)
	next.Supersede = true
	require.NoError(s, s.store.CreateRun(s.ctx(), next))
	s.mustClaim("run-2", "host-2", long)
}

// A run whose creator ends before it takes the run is found as well.
func (s *suite) leaseOfNewRun() {
	abandoned, kept, without := runOf(tenantA, deploymentA, 1), runOf(tenantA, deploymentB, 2), runOf(tenantB, deploymentA, 3)
	abandoned.Lease, kept.Lease = short, long
	for _, run := range []store.NewRun{abandoned, kept, without} {
		require.NoError(s, s.store.CreateRun(s.ctx(), run))
	}
	s.expire("run-1")
	s.mustClaim("run-2", "host-1", long)
	s.mustClaim("run-1", "host-2", long)
	require.Empty(s, s.expired())
}

// Of those that want a run whose lease ran out, one has it.
func (s *suite) leaseHasOneWinner() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	s.mustClaim("run-1", "gone", short)
	s.expire("run-1")
	results := make([]error, 8)
	var wait sync.WaitGroup
	for i := range results {
		wait.Go(func() { _, results[i] = s.claim("run-1", fmt.Sprint("host-", i), long) })
	}
	wait.Wait()
	won := 0
	for _, err := range results {
		var held *store.HeldError
		if err == nil {
			won++
			continue
		}
		require.True(s, errors.As(err, &held), "%v", err)
	}
	require.Equal(s, 1, won)
}

func (s *suite) requestCancel() {
	ctx := s.ctx()
	require.ErrorIs(s, s.store.RequestCancel(ctx, tenantA, "run-1", "me"), store.ErrNotFound)
	require.NoError(s, s.store.CreateRun(ctx, runOf(tenantA, deploymentA, 1)))
	h := s.mustClaim("run-1", "host-1", long)
	s.unchanged(func() { require.ErrorIs(s, s.store.RequestCancel(ctx, tenantB, "run-1", "me"), store.ErrNotFound) })
	require.NoError(s, s.store.RequestCancel(ctx, tenantA, "run-1", "me"))
	require.NoError(s, s.store.RequestCancel(ctx, tenantA, "run-1", "somebody else"))
	s.reopen()
	require.Equal(s, []store.LeaseState{{RunID: "run-1", CancelBy: "me"}}, s.renew("host-1", long, "run-1"))
	require.Equal(s, "me", s.run(tenantA, "run-1").CancelBy)
	s.commit(h.status(execution.RunRunning, 2))
	require.Equal(s, "me", s.run(tenantA, "run-1").CancelBy, "until the run is at rest")

	s.commit(h.status(execution.RunCancelling, 3), h.status(execution.RunInterrupted, 4))
	s.unchanged(func() { require.ErrorIs(s, s.store.RequestCancel(ctx, tenantA, "run-1", "me"), store.ErrStale) })
	again := s.mustClaim("run-1", "host-1", long)
	s.commit(again.status(execution.RunRunning, 5))
	require.Empty(s, s.run(tenantA, "run-1").CancelBy, "a run that goes on is not asked to end")
	require.Equal(s, []store.LeaseState{{RunID: "run-1"}}, s.renew("host-1", long, "run-1"))
}
