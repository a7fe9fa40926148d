package storetest

import (
	"fmt"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

func (s *suite) runRoundTrip() {
	run := runOf(tenantA, deploymentA, 1)
	run.Head = id(1)
	run.Accounts = map[string]string{"aws": "111122223333"}
	require.NoError(s, s.store.CreateRun(s.ctx(), run))
	s.reopen()

	want := run.Run
	want.Version = 1
	s.requireFilled(want, "CompletedAt", "CancelBy")
	require.Equal(s, want, s.run(tenantA, "run-1"))
	require.Equal(s, []execution.Event{run.Event}, s.events("run-1"))
	require.Equal(s, run.Graph.Resources, s.resources(tenantA, deploymentA))
	d := s.deployment(tenantA, deploymentA)
	s.requireFilled(d, "Destroyed")
	require.Equal(s, store.Deployment{
		Tenant: tenantA, ID: deploymentA, HeadGraphID: id(1), HeadVersion: "v1", Sequence: 1,
		Accounts: map[string]string{"aws": "111122223333"}, CreatedAt: at(1), UpdatedAt: at(1),
	}, d)
}

func (s *suite) runOfStoredGraph() {
	ctx := s.ctx()
	require.ErrorIs(s, s.store.CreateRun(ctx, runOver(tenantA, deploymentA, 1, id(1))), store.ErrNotFound, "no deployment")
	require.NoError(s, s.store.CreateGraph(ctx, graphOf(tenantA, deploymentA, 1)))
	require.NoError(s, s.store.CreateGraph(ctx, graphOf(tenantA, deploymentB, 2)))
	s.unchanged(func() {
		require.ErrorIs(s, s.store.CreateRun(ctx, runOver(tenantA, deploymentA, 1, id(9))), store.ErrNotFound, "no graph")
		require.ErrorIs(s, s.store.CreateRun(ctx, runOver(tenantA, deploymentA, 1, id(2))), store.ErrNotFound, "not its graph")
	})
	run := runOver(tenantA, deploymentA, 5, id(1))
	run.Run.Options = nil
	require.NoError(s, s.store.CreateRun(ctx, run))
	require.Nil(s, s.run(tenantA, "run-5").Options)
	d := s.deployment(tenantA, deploymentA)
	require.Empty(s, d.HeadGraphID, "no head was asked for")
	require.Equal(s, at(5), d.UpdatedAt)

	// A destroy: over a graph that callers know, by a plan of its own.
	require.NoError(s, s.store.CreateGraph(ctx, graphOf(tenantA, deploymentB, 3)))
	destroy := runOf(tenantA, deploymentB, 6)
	destroy.Run.GraphID, destroy.Run.Kind, destroy.Graph.Graph.Kind = id(3), execution.Destroy, "destroy"
	require.NoError(s, s.store.CreateRun(ctx, destroy))
	latest, err := s.store.LatestRun(ctx, tenantA, id(3))
	require.NoError(s, err)
	require.Equal(s, id(6), latest.PlanGraphID)
	require.Equal(s, 2, s.deployment(tenantA, deploymentB).Sequence)
}

func (s *suite) runIDs() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	for name, change := range map[string]func(*store.NewRun){
		"run":                        func(r *store.NewRun) { r.Run.ID, r.Event.RunID = "run-1", "run-1" },
		"execution graph":            func(r *store.NewRun) { r.Run.ExecGraphID = "e0000001" },
		"execution graph, of a spec": func(r *store.NewRun) { r.Run.ExecGraphID = id(1) },
		"execution graph, its own":   func(r *store.NewRun) { r.Run.ExecGraphID = r.Graph.Graph.ID },
		"graph":                      func(r *store.NewRun) { r.Graph.Graph.ID, r.Run.PlanGraphID, r.Run.GraphID = id(1), id(1), id(1) },
	} {
		run := runOf(tenantB, deploymentA, 2)
		change(&run)
		s.unchanged(func() {
			require.ErrorIs(s, s.store.CreateRun(s.ctx(), run), store.ErrExists, name)
		})
	}
}

func (s *suite) runContradictions() {
	for name, change := range map[string]func(*store.NewRun){
		"no id":              func(r *store.NewRun) { r.Run.ID, r.Event.RunID = "", "" },
		"no execution graph": func(r *store.NewRun) { r.Run.ExecGraphID = "" },
		"not active": func(r *store.NewRun) {
			r.Run.Status, r.Event.RunStatus = execution.RunCompleted, execution.RunCompleted
		},
		"event of another run":   func(r *store.NewRun) { r.Event.RunID = "run-9" },
		"not the first event":    func(r *store.NewRun) { r.Event.Version = 2 },
		"event of another kind":  func(r *store.NewRun) { r.Event.Kind = execution.Changed },
		"another status":         func(r *store.NewRun) { r.Event.RunStatus = execution.RunRunning },
		"graph of another":       func(r *store.NewRun) { r.Graph.Graph.DeploymentID = deploymentB },
		"graph of other tenants": func(r *store.NewRun) { r.Graph.Graph.Tenant = tenantB },
	} {
		run := runOf(tenantA, deploymentA, 1)
		change(&run)
		s.unchanged(func() {
			require.ErrorIs(s, s.store.CreateRun(s.ctx(), run), store.ErrInvalid, name)
		})
	}
}

// refusedFor requires that the run is refused because of another, and leaves nothing.
func (s *suite) refusedFor(run store.NewRun, rival string) {
	s.Helper()
	s.unchanged(func() {
		var active *store.ActiveRunError
		err := s.store.CreateRun(s.ctx(), run)
		require.ErrorAs(s, err, &active)
		require.Equal(s, rival, active.RunID)
	})
}

func (s *suite) oneActiveRun() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	for i, status := range []execution.RunStatus{
		execution.RunQueued, execution.RunRunning, execution.RunCancelling,
	} {
		s.commit(h.status(status, 10+i))
		s.refusedFor(runOf(tenantA, deploymentA, 2), "run-1")
		forced := runOf(tenantA, deploymentA, 2)
		forced.Supersede = true
		s.refusedFor(forced, "run-1")
	}
	for i, status := range []execution.RunStatus{execution.RunFailed, execution.RunPaused, execution.RunInterrupted} {
		s.commit(h.status(status, 20+i))
		s.refusedFor(runOf(tenantA, deploymentA, 2), "run-1")
	}
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentB, 3)), "another deployment")
	for i, status := range []execution.RunStatus{execution.RunCompleted, execution.RunCancelled} {
		s.commit(h.status(status, 30+i))
		next := s.start(runOf(tenantA, deploymentA, 40+i))
		s.commit(next.status(execution.RunCompleted, 50))
	}
}

func (s *suite) verifyExempt() {
	verify := func(n int) store.NewRun {
		run := runOf(tenantA, deploymentA, n)
		run.Run.Kind = execution.Verify
		return run
	}
	first := s.start(verify(1))
	s.start(verify(2))
	h := s.start(runOf(tenantA, deploymentA, 3))
	s.start(verify(4))
	s.refusedFor(runOf(tenantA, deploymentA, 5), "run-3")

	// Nor is one superseded.
	s.commit(first.status(execution.RunFailed, 10), h.status(execution.RunFailed, 10))
	forced := runOf(tenantA, deploymentA, 6)
	forced.Supersede = true
	s.start(forced)
	require.Equal(s, execution.RunFailed, s.run(tenantA, "run-1").Status)
	require.Equal(s, execution.RunCancelled, s.run(tenantA, "run-3").Status)
}

// A waiting run that is superseded ends as any run does, by an event, and who held it is fenced.
func (s *suite) supersede() {
	for i, status := range []execution.RunStatus{execution.RunPaused, execution.RunFailed, execution.RunInterrupted} {
		deployment := fmt.Sprint("deployment-", i)
		h := s.start(runOf(tenantA, deployment, 10+i))
		s.commit(h.next(progress(1)), h.status(status, 2))
		next := runOf(tenantA, deployment, 20+i)
		next.Supersede = true
		require.NoError(s, s.store.CreateRun(s.ctx(), next))

		events := s.events(h.run)
		last := events[len(events)-1]
		require.Equal(s, execution.Event{
			RunID: h.run, Version: 4, At: at(20 + i), Kind: execution.RunChanged, RunStatus: execution.RunCancelled,
			By: next.Run.StartedBy, Reason: last.Reason,
		}, last)
		require.Contains(s, last.Reason, next.Run.ID)
		run := s.run(tenantA, h.run)
		require.Equal(s, execution.RunCancelled, run.Status)
		require.Equal(s, int64(4), run.Version)
		require.Equal(s, at(20+i), run.CompletedAt)
		h.version = 4
		require.ErrorIs(s, s.try(h.next(progress(5)))[0], store.ErrFenced)
	}

	// A superseding run that is refused for another reason supersedes nothing.
	h := s.start(runOf(tenantA, deploymentA, 1))
	s.commit(h.status(execution.RunFailed, 2))
	stale := runOf(tenantA, deploymentA, 2)
	stale.Supersede, stale.Head, stale.PreviousHead = true, id(2), id(1)
	s.unchanged(func() {
		require.ErrorIs(s, s.store.CreateRun(s.ctx(), stale), store.ErrStale)
	})
	s.commit(h.next(progress(3)))
}

func (s *suite) oneWinner() {
	const contenders = 16
	results := make([]error, contenders)
	var wait sync.WaitGroup
	for i := range contenders {
		wait.Go(func() { results[i] = s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, i+1)) })
	}
	wait.Wait()
	active, err := s.store.ActiveRuns(s.ctx())
	require.NoError(s, err)
	require.Len(s, active, 1)
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		var rival *store.ActiveRunError
		require.ErrorAs(s, err, &rival)
		require.Equal(s, active[0].ID, rival.RunID)
	}
	require.Equal(s, 1, won)
}

func (s *suite) head() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	s.commit(h.status(execution.RunCompleted, 2))
	run := func(n int, head, previous string) store.NewRun {
		run := runOf(tenantA, deploymentA, n)
		run.Head, run.PreviousHead = head, previous
		return run
	}
	for _, stale := range []store.NewRun{run(2, id(2), id(1)), run(2, "", id(1)), run(2, id(2), id(99))} {
		s.unchanged(func() { require.ErrorIs(s, s.store.CreateRun(s.ctx(), stale), store.ErrStale) })
	}
	s.unchanged(func() {
		require.ErrorIs(s, s.store.CreateRun(s.ctx(), run(2, id(99), "")), store.ErrNotFound)
	})
	h = s.start(run(2, id(2), ""))
	yes := true
	gone := h.status(execution.RunCompleted, 3)
	gone.Destroyed = &yes
	s.commit(gone)
	require.True(s, s.deployment(tenantA, deploymentA).Destroyed)
	s.unchanged(func() { require.ErrorIs(s, s.store.CreateRun(s.ctx(), run(3, id(3), "")), store.ErrStale) })

	h = s.start(run(3, id(3), id(2)))
	d := s.deployment(tenantA, deploymentA)
	require.Equal(s, []string{id(3), "v3"}, []string{d.HeadGraphID, d.HeadVersion})
	require.False(s, d.Destroyed, "what has a new head is there again")
	s.commit(h.status(execution.RunCompleted, 4))
	s.start(run(4, "", id(3)))
	require.Equal(s, id(3), s.deployment(tenantA, deploymentA).HeadGraphID, "checked, and left")
}

func (s *suite) accounts() {
	create := func(n int, accounts map[string]string) error {
		run := runOf(tenantA, deploymentA, n)
		run.Run.Kind, run.Accounts = execution.Verify, accounts
		return s.store.CreateRun(s.ctx(), run)
	}
	require.NoError(s, create(1, map[string]string{"aws": "1111"}))
	require.NoError(s, create(2, map[string]string{"aws": "1111", "github": "org"}))
	require.NoError(s, create(3, nil))
	s.unchanged(func() {
		require.ErrorIs(s, create(4, map[string]string{"azure": "x", "aws": "2222"}), store.ErrStale)
	})
	require.Equal(s, map[string]string{"aws": "1111", "github": "org"}, s.deployment(tenantA, deploymentA).Accounts)
}

func (s *suite) runLists() {
	hands := map[int]*hand{}
	for n, deployment := range []string{deploymentA, deploymentB, "c", "d", "e"} {
		hands[n] = s.start(runOf(tenantA, deployment, n+1))
		s.start(runOf(tenantB, deployment, n+101))
	}
	s.commit(hands[0].status(execution.RunCompleted, 9), hands[1].status(execution.RunFailed, 9))
	again := s.start(runOver(tenantA, deploymentA, 6, id(1)))
	s.commit(again.status(execution.RunRunning, 9))

	list := func(filter store.RunFilter, page store.Page) (ids []string) {
		filter.Tenant = tenantA
		runs, err := s.store.ListRuns(s.ctx(), filter, page)
		require.NoError(s, err)
		for _, run := range runs {
			require.Equal(s, tenantA, run.Tenant)
			ids = append(ids, run.ID)
		}
		return ids
	}
	require.Equal(s, []string{"run-6", "run-5", "run-4", "run-3", "run-2", "run-1"}, list(store.RunFilter{}, store.Page{}))
	require.Equal(s, []string{"run-6", "run-5"}, list(store.RunFilter{}, store.Page{Limit: 2}))
	require.Equal(s, []string{"run-4", "run-3"}, list(store.RunFilter{}, store.Page{Limit: 2, After: "run-5"}))
	require.Empty(s, list(store.RunFilter{}, store.Page{Limit: 2, After: "run-1"}))
	require.Equal(s, []string{"run-6", "run-1"}, list(store.RunFilter{DeploymentID: deploymentA}, store.Page{}))
	require.Equal(s, []string{"run-2"}, list(store.RunFilter{Status: execution.RunFailed}, store.Page{}))
	require.Equal(s, []string{"run-6", "run-1"}, list(store.RunFilter{GraphID: id(1)}, store.Page{}))
	require.Len(s, list(store.RunFilter{Kind: execution.Apply}, store.Page{}), 6)
	require.Empty(s, list(store.RunFilter{Kind: execution.Verify}, store.Page{}))
	require.Equal(s, []string{"run-6", "run-5", "run-4"}, list(store.RunFilter{Since: at(4)}, store.Page{}))
	require.Equal(s, []string{"run-6"}, list(store.RunFilter{DeploymentID: deploymentA, Status: execution.RunRunning, Since: at(2)}, store.Page{}))
	require.Empty(s, list(store.RunFilter{DeploymentID: "unknown"}, store.Page{}))

	latest, err := s.store.LatestRun(s.ctx(), tenantA, id(1))
	require.NoError(s, err)
	require.Equal(s, "run-6", latest.ID)
	verify := runOver(tenantA, deploymentA, 7, id(1))
	verify.Run.Kind = execution.Verify
	s.commit(s.start(verify).status(execution.RunCompleted, 9))
	require.Equal(s, []string{"run-7"}, list(store.RunFilter{Kind: execution.Verify, DeploymentID: deploymentA}, store.Page{}))
	for want, kinds := range map[string][]execution.RunKind{
		"run-7": {execution.Verify, execution.Apply}, "run-6": {execution.Destroy, execution.Apply},
	} {
		latest, err = s.store.LatestRun(s.ctx(), tenantA, id(1), kinds...)
		require.NoError(s, err)
		require.Equal(s, want, latest.ID)
	}
	_, err = s.store.LatestRun(s.ctx(), tenantA, id(1), execution.Destroy)
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.LatestRun(s.ctx(), tenantA, id(99))
	require.ErrorIs(s, err, store.ErrNotFound)

	active, err := s.store.ActiveRuns(s.ctx())
	require.NoError(s, err)
	require.Len(s, active, 9, "of every tenant: all ten but the one that failed, and the one that completed; and one more")
	for _, run := range active {
		require.True(s, run.Status.Active())
	}
}

func (s *suite) acquire() {
	_, _, err := s.store.AcquireRun(s.ctx(), store.Claim{RunID: "run-1", Owner: "host"})
	require.ErrorIs(s, err, store.ErrNotFound)
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	first := s.take("run-1")
	require.Equal(s, int64(1), first.version)
	s.commit(first.next(progress(2)))
	s.reopen()
	second := s.take("run-1")
	require.Greater(s, second.token, first.token)
	require.Equal(s, int64(2), second.version)
}
