package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

func (s *suite) durationsOf(tenant string) []store.DurationStat {
	list, err := s.store.Durations(s.ctx(), tenant)
	require.NoError(s, err)
	return list
}

func (s *suite) durations() {
	require.Empty(s, s.durationsOf(tenantA))
	h := s.start(runOf(tenantA, deploymentA, 1))
	other := s.start(runOf(tenantB, deploymentA, 2))
	took := func(h *hand, kind string, verb contract.Verb, took ...time.Duration) store.Write {
		write := h.next(progress(1))
		for _, t := range took {
			write.Durations = append(write.Durations, store.Duration{Type: kind, Verb: verb, Took: t})
		}
		return write
	}
	stale := took(&hand{run: "run-1", token: h.token - 1, version: 1}, "a:x", contract.VerbCreate, time.Hour)
	refused := s.try(stale, took(h, "a:x", contract.VerbUpdate, time.Second), took(h, "a:x", contract.VerbCreate, time.Second, 3*time.Second),
		took(other, "a:x", contract.VerbCreate, time.Minute))
	require.ErrorIs(s, refused[0], store.ErrFenced)
	s.commit(took(h, "a:x", contract.VerbCreate, 5*time.Second), took(h, "a:b", contract.VerbDelete, 7))
	s.reopen()
	want := []store.DurationStat{
		{Type: "a:b", Verb: contract.VerbDelete, Count: 1, Mean: 7},
		{Type: "a:x", Verb: contract.VerbCreate, Count: 3, Mean: 3 * time.Second},
		{Type: "a:x", Verb: contract.VerbUpdate, Count: 1, Mean: time.Second},
	}
	s.requireFilled(want[0])
	require.Equal(s, want, s.durationsOf(tenantA))
	require.Equal(s, []store.DurationStat{{Type: "a:x", Verb: contract.VerbCreate, Count: 1, Mean: time.Minute}}, s.durationsOf(tenantB))
}

func (s *suite) rollbackRecords() {
	_, err := s.store.RollbackRecords(s.ctx(), "run-1")
	require.ErrorIs(s, err, store.ErrNotFound)
	h := s.start(runOf(tenantA, deploymentA, 1))
	other := s.start(runOf(tenantA, deploymentB, 2))
	record := func(operation string, attempt int, data string) store.RollbackRecord {
		return store.RollbackRecord{Operation: operation, Attempt: attempt, Format: "f/1", Data: []byte(data)}
	}
	s.requireFilled(record(operationA, 1, "a"))
	keep := func(h *hand, records ...store.RollbackRecord) store.Write {
		write := h.next(progress(1))
		write.RollbackRecords = records
		return write
	}
	s.commit(keep(h, record(operationB, 1, "b1")), keep(h, record(operationA, 1, "a1"), record(operationA, 2, "\x00\xff")),
		keep(other, record(operationA, 9, "other")))
	s.commit(keep(h, record(operationA, 10, "a10"), record(operationB, 1, "b1 again")))
	require.ErrorIs(s, s.try(keep(&hand{run: "run-1", token: 99}, record(operationA, 11, "x")))[0], store.ErrFenced)
	s.reopen()
	list, err := s.store.RollbackRecords(s.ctx(), "run-1")
	require.NoError(s, err)
	require.Equal(s, []store.RollbackRecord{record(operationA, 10, "a10"), record(operationB, 1, "b1 again")}, list)
	list, err = s.store.RollbackRecords(s.ctx(), "run-2")
	require.NoError(s, err)
	require.Equal(s, []store.RollbackRecord{record(operationA, 9, "other")}, list)
	s.commit(keep(other, store.RollbackRecord{Operation: operationA, Attempt: 10}))
}

// A head is moved by a run as by the making of one, and what the run says beside it stands or falls with it.
func (s *suite) headMoves() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantA, deploymentA, 2)))
	require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantA, deploymentB, 3)))
	move := func(graph, previous string) store.Write {
		write := everyKind(&hand{run: "run-1", token: h.token, version: h.version}, deploymentA, 5)
		write.Destroyed, write.Head = nil, &store.HeadMove{GraphID: graph, Previous: previous}
		return write
	}
	s.unchanged(func() {
		require.ErrorIs(s, s.try(move(id(2), id(1)))[0], store.ErrStale)
		require.ErrorIs(s, s.try(move(id(3), ""))[0], store.ErrNotFound, "a graph of another deployment")
		require.ErrorIs(s, s.try(move(id(9), ""))[0], store.ErrNotFound)
	})
	s.commit(move(id(2), ""))
	h.version += 2
	require.Equal(s, id(2), s.deployment(tenantA, deploymentA).HeadGraphID)
	s.commit(s.destroy(h))
	s.unchanged(func() { require.ErrorIs(s, s.try(move(id(1), ""))[0], store.ErrStale) })
	before := s.deployment(tenantA, deploymentA).Accounts
	away := move(id(1), id(2))
	away.Head.Accounts = map[string]string{"aws": "another", "hub": "new"}
	s.commit(away)
	d := s.deployment(tenantA, deploymentA)
	require.Equal(s, id(1), d.HeadGraphID)
	want := map[string]string{"aws": "another", "hub": "new"}
	for provider, account := range before {
		if want[provider] == "" {
			want[provider] = account
		}
	}
	require.Equal(s, want, d.Accounts, "other accounts are pinned with it")
	require.False(s, d.Destroyed, "what has a new head is not destroyed")
}

func (s *suite) destroy(h *hand) store.Write {
	yes := true
	write := h.next(progress(7))
	write.Destroyed = &yes
	return write
}

// keyOf is an idempotency key of a tenant.
func keyOf(tenant, key, runID string, seconds int) *store.IdempotencyKey {
	return &store.IdempotencyKey{
		Tenant: tenant, Key: key, Route: "POST /deploy/apply", Digest: "d-" + key, RunID: runID, GraphID: id(1), At: at(seconds),
	}
}

func (s *suite) idempotency() {
	ctx := s.ctx()
	_, err := s.store.Idempotency(ctx, tenantA, "k1")
	require.ErrorIs(s, err, store.ErrNotFound)
	first := runOf(tenantA, deploymentA, 1)
	first.Idempotency = keyOf(tenantA, "k1", "run-1", 1)
	s.requireFilled(*first.Idempotency)
	h := s.start(first)
	s.reopen()
	found, err := s.store.Idempotency(ctx, tenantA, "k1")
	require.NoError(s, err)
	require.Equal(s, *first.Idempotency, found)
	_, err = s.store.Idempotency(ctx, tenantB, "k1")
	require.ErrorIs(s, err, store.ErrNotFound)

	used := func(err error) {
		s.Helper()
		var used *store.KeyUsedError
		require.ErrorAs(s, err, &used)
		require.Equal(s, *first.Idempotency, used.Key)
	}
	graph := graphOf(tenantA, deploymentB, 3)
	graph.Idempotency = keyOf(tenantA, "k1", "", 3)
	again := runOf(tenantA, deploymentA, 2)
	again.Idempotency = keyOf(tenantA, "k1", "run-2", 2)
	write := everyKind(h, deploymentA, 4)
	write.Idempotency = keyOf(tenantA, "k1", "run-9", 4)
	s.unchanged(func() {
		used(s.store.CreateRun(ctx, again)) // rather than that the first run is active
		used(s.store.CreateGraph(ctx, graph))
		used(s.try(write)[0])
	})
	write.Idempotency = keyOf(tenantA, "k1", "run-1", 9)
	s.commit(write)
	next := h.next(progress(5))
	next.Idempotency = keyOf(tenantA, "k2", "run-1", 5)
	s.commit(next)
	graph.Idempotency = keyOf(tenantA, "k3", "", 3)
	require.NoError(s, s.store.CreateGraph(ctx, graph))
	for key, run := range map[string]string{"k2": "run-1", "k3": ""} {
		found, err = s.store.Idempotency(ctx, tenantA, key)
		require.NoError(s, err)
		require.Equal(s, run, found.RunID)
	}
	s.foreignKeysAreInvalid(h)
}

// A key that is not of the tenant that uses it, or is none.
func (s *suite) foreignKeysAreInvalid(h *hand) {
	for _, key := range []*store.IdempotencyKey{keyOf(tenantB, "k9", "", 1), keyOf(tenantA, "", "", 1)} {
		run, graph, write := runOf(tenantA, "fresh", 5), graphOf(tenantA, "fresh", 6), everyKind(&hand{run: h.run, token: h.token, version: h.version}, deploymentA, 9)
		run.Idempotency, graph.Idempotency, write.Idempotency = key, key, key
		s.unchanged(func() {
			require.ErrorIs(s, s.store.CreateRun(s.ctx(), run), store.ErrInvalid)
			require.ErrorIs(s, s.store.CreateGraph(s.ctx(), graph), store.ErrInvalid)
			require.ErrorIs(s, s.try(write)[0], store.ErrInvalid)
		})
	}
}

// Of those that use one key at once, one does what it is for.
func (s *suite) idempotencyWinner() {
	results := make([]error, 8)
	var wait sync.WaitGroup
	for i := range results {
		run := runOf(tenantA, fmt.Sprint("d", i), i+1)
		run.Idempotency = keyOf(tenantA, "k1", run.Run.ID, 1)
		wait.Go(func() { results[i] = s.store.CreateRun(s.ctx(), run) })
	}
	wait.Wait()
	won := ""
	for i, err := range results {
		if err == nil {
			require.Empty(s, won)
			won = fmt.Sprintf("run-%d", i+1)
		}
	}
	for _, err := range results {
		var used *store.KeyUsedError
		if err != nil {
			require.ErrorAs(s, err, &used)
			require.Equal(s, won, used.Key.RunID)
		}
	}
	require.NotEmpty(s, won)
}

func (s *suite) idempotencySweep() {
	ctx, hours := s.ctx(), 3600
	rest, ends := runOf(tenantA, deploymentA, 1), runOf(tenantA, deploymentB, 2)
	rest.Idempotency, ends.Idempotency = keyOf(tenantA, "of a run at rest", "run-1", 1), keyOf(tenantB, "x", "", 1)
	ends.Idempotency = keyOf(tenantA, "of a run that ended", "run-2", 1)
	s.commit(s.start(rest).status(execution.RunFailed, 2), s.start(ends).status(execution.RunCompleted, 10*hours))
	graph := graphOf(tenantB, deploymentA, 3)
	graph.Idempotency = keyOf(tenantB, "of a plan", "", hours)
	require.NoError(s, s.store.CreateGraph(ctx, graph))

	for _, step := range []struct {
		seconds int
		kept    []string
	}{
		{24*hours + 1, []string{"of a run at rest", "of a run that ended", "of a plan"}},
		{25*hours + 1, []string{"of a run at rest", "of a run that ended"}},
		{34*hours + 1, []string{"of a run at rest"}},
		{10000 * hours, []string{"of a run at rest"}},
	} {
		require.NoError(s, s.store.SweepIdempotency(ctx, at(step.seconds)))
		var kept []string
		for key, tenant := range map[string]string{"of a run at rest": tenantA, "of a run that ended": tenantA, "of a plan": tenantB} {
			if _, err := s.store.Idempotency(ctx, tenant, key); err == nil {
				kept = append(kept, key)
			} else {
				require.ErrorIs(s, err, store.ErrNotFound)
			}
		}
		require.ElementsMatch(s, step.kept, kept)
	}
}
