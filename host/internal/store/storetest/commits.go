package storetest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

func (s *suite) eventRoundTrip() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	full := fullEvent()
	s.requireFilled(full, "RunID", "Version")
	s.requireFilled(full.Checks[0])
	s.requireFilled(*full.Error)
	var events []execution.Event
	for _, kind := range execution.EventKinds() {
		event := full
		event.Kind = kind
		events = append(events, event, execution.Event{At: at(8), Kind: kind, RunStatus: execution.RunRunning})
	}
	s.commit(h.next(events...))
	s.reopen()
	require.Equal(s, events, s.events("run-1")[1:])
}

func (s *suite) eventPages() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	other := s.start(runOf(tenantA, deploymentB, 2))
	for i := range 9 {
		s.commit(h.next(progress(i)), other.next(progress(i), progress(i)))
	}
	for _, page := range []struct {
		after       int64
		limit       int
		first, last int64
	}{{0, 0, 1, 10}, {0, 3, 1, 3}, {3, 3, 4, 6}, {9, 3, 10, 10}, {7, 0, 8, 10}} {
		events, err := s.store.Events(s.ctx(), "run-1", page.after, page.limit)
		require.NoError(s, err)
		for i, event := range events {
			require.Equal(s, "run-1", event.RunID)
			require.Equal(s, page.first+int64(i), event.Version)
		}
		require.Len(s, events, int(page.last-page.first)+1)
	}
	none, err := s.store.Events(s.ctx(), "run-1", 10, 5)
	require.NoError(s, err)
	require.Empty(s, none)
	_, err = s.store.Events(s.ctx(), "unknown", 0, 0)
	require.ErrorIs(s, err, store.ErrNotFound)
}

// everyKind is a write with something of all that a write can hold.
func everyKind(h *hand, deployment string, seconds int) store.Write {
	yes := true
	write := h.next(progress(seconds), execution.Event{At: at(seconds), Kind: execution.RunChanged, RunStatus: execution.RunFailed})
	write.Destroyed = &yes
	write.Logs = []store.OperationLog{{Operation: operationA, Line: store.LogLine{At: at(seconds), Level: "info", Message: "line"}}}
	write.Placements = []store.PlacementWrite{{
		Tenant: tenantA, DeploymentID: deployment, NodeID: id(1), Region: "eu-west-1", State: store.Live, Identity: "arn:x",
	}}
	return write
}

// A stale token keeps all of its write out, and nothing of anyone else's.
func (s *suite) fencing() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	nobody := &hand{run: "run-1", version: 1}
	s.unchanged(func() {
		require.ErrorIs(s, s.try(everyKind(nobody, deploymentA, 5))[0], store.ErrFenced, "nobody has taken it yet")
	})
	old := s.take("run-1")
	current := s.take("run-1")
	other := s.start(runOf(tenantA, deploymentB, 2))

	s.unchanged(func() {
		for _, h := range []*hand{nobody, old, {run: "run-1", token: current.token + 1, version: 1}} {
			require.ErrorIs(s, s.try(everyKind(h, deploymentA, 5))[0], store.ErrFenced)
		}
		require.ErrorIs(s, s.try(everyKind(&hand{run: "unknown", token: 1}, deploymentA, 5))[0], store.ErrNotFound)
	})
	old.version = 1
	refused := s.try(
		everyKind(old, deploymentA, 6), other.next(progress(6)), current.next(progress(6)),
		old.next(progress(7)), current.next(progress(7)), everyKind(&hand{run: "unknown", token: 1}, deploymentA, 6),
	)
	require.ErrorIs(s, refused[0], store.ErrFenced)
	require.ErrorIs(s, refused[3], store.ErrFenced)
	require.ErrorIs(s, refused[5], store.ErrNotFound)
	require.Equal(s, []error{nil, nil, nil}, []error{refused[1], refused[2], refused[4]})
	require.Len(s, s.events("run-1"), 3)
	require.Len(s, s.events("run-2"), 2)
	require.Empty(s, s.logLines("run-1", operationA))
	require.False(s, s.deployment(tenantA, deploymentA).Destroyed)
	require.Equal(s, resource(1), s.resources(tenantA, deploymentA)[0])
}

// The events of a run have no gap and no second version: a batch that would make one has nothing of that run.
func (s *suite) versions() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	other := s.start(runOf(tenantA, deploymentB, 2))
	s.commit(h.next(progress(2)))
	for name, versions := range map[string][]int64{
		"gap": {4}, "repeat": {2}, "first": {1}, "zero": {0}, "negative": {-1}, "gap inside": {3, 5}, "twice": {3, 3},
		"backwards": {4, 3},
	} {
		bad := everyKind(&hand{run: "run-1", token: h.token, version: 2}, deploymentA, 5)
		bad.Events = nil
		for _, v := range versions {
			event := progress(5)
			event.RunID, event.Version = "run-1", v
			bad.Events = append(bad.Events, event)
		}
		s.unchanged(func() { require.ErrorIs(s, s.try(bad)[0], store.ErrVersion, name) })

		good := everyKind(&hand{run: "run-1", token: h.token, version: 2}, deploymentA, 5)
		before := s.run(tenantA, "run-1")
		refused := s.try(good, other.next(progress(6)), bad)
		require.ErrorIs(s, refused[0], store.ErrVersion, name)
		require.NoError(s, refused[1], name)
		require.ErrorIs(s, refused[2], store.ErrVersion, name)
		require.Equal(s, before, s.run(tenantA, "run-1"))
		require.Empty(s, s.logLines("run-1", operationA))
	}
	s.commit(h.next(progress(7)), h.next(progress(8), progress(9)), h.next(), h.next(progress(10)))
	require.Equal(s, int64(6), s.run(tenantA, "run-1").Version)
}

// What a run may not write takes its run out of the batch, and leaves the others in.
func (s *suite) brokenRules() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	s.start(runOf(tenantB, deploymentA, 2))
	other := s.start(runOf(tenantA, deploymentB, 3))
	for name, change := range map[string]func(*store.Write){
		"unknown node":       func(w *store.Write) { w.Placements[0].NodeID = id(99) },
		"unknown region":     func(w *store.Write) { w.Placements[0].Region = "mars-1" },
		"another deployment": func(w *store.Write) { w.Placements[0].DeploymentID = deploymentB },
		"another tenant":     func(w *store.Write) { w.Placements[0].Tenant = tenantB },
		"event of another":   func(w *store.Write) { w.Events[1].RunID = "run-3" },
		"no such state":      func(w *store.Write) { w.Placements[0].State = "bewitched" },
	} {
		bad := everyKind(&hand{run: "run-1", token: h.token, version: 1}, deploymentA, 5)
		change(&bad)
		before := s.run(tenantA, "run-1")
		refused := s.try(other.next(progress(1)), bad, other.next(progress(2)))
		require.Error(s, refused[1], name)
		require.Equal(s, []error{nil, nil}, []error{refused[0], refused[2]}, name)
		require.Equal(s, before, s.run(tenantA, "run-1"), name)
		require.Len(s, s.events("run-1"), 1, name)
		require.Empty(s, s.logLines("run-1", operationA), name)
		require.Equal(s, resource(1), s.resources(tenantA, deploymentA)[0], name)
	}
	require.Equal(s, int64(13), s.run(tenantA, "run-3").Version)
	s.commit(everyKind(h, deploymentA, 5))
}

// What JSON cannot say is refused, without saying it.
func (s *suite) unsayable() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	other := s.start(runOf(tenantA, deploymentB, 2))
	bad := fullEvent()
	bad.Outputs = json.RawMessage(`{"token": hunter2}`)
	refused := s.try(h.next(bad), other.next(progress(3)))
	require.ErrorIs(s, refused[0], store.ErrInvalid)
	require.NotContains(s, refused[0].Error(), "h")
	require.NoError(s, refused[1])
	require.Len(s, s.events("run-1"), 1)
}

func (s *suite) statusFollowsEvents() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	for i, status := range execution.RunStatuses() {
		write := h.status(status, 10+i)
		write.Events = append(write.Events, h.next(progress(20+i)).Events...)
		s.commit(write)
		run := s.run(tenantA, "run-1")
		require.Equal(s, status, run.Status)
		require.Equal(s, h.version, run.Version)
		require.Equal(s, at(20+i), run.UpdatedAt)
		if status.Active() {
			require.Zero(s, run.CompletedAt)
		} else {
			require.Equal(s, at(10+i), run.CompletedAt)
		}
	}
	require.Equal(s, at(1), s.run(tenantA, "run-1").CreatedAt)
}

// A run that was given up cannot come back beside the one that took its place.
func (s *suite) secondActiveRun() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	s.commit(h.status(execution.RunFailed, 2))
	next := runOf(tenantA, deploymentA, 2)
	next.Supersede = true
	other := s.start(next)
	back := s.take("run-1")
	before := s.run(tenantA, "run-1")
	refused := s.try(back.status(execution.RunRunning, 3), other.status(execution.RunRunning, 3))
	var active *store.ActiveRunError
	require.ErrorAs(s, refused[0], &active)
	require.Equal(s, "run-2", active.RunID)
	require.NoError(s, refused[1])
	require.Equal(s, before, s.run(tenantA, "run-1"))
}

func (s *suite) placements() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	s.start(runOf(tenantB, deploymentA, 2))
	key := store.PlacementWrite{Tenant: tenantA, DeploymentID: deploymentA, NodeID: id(2), Region: "us-east-1"}
	full := key
	full.State, full.Made, full.Identity, full.Account = store.Live, true, "arn:2", "1111"
	full.ProviderVersion, full.GraphID, full.Outputs = "1.2.3", id(1), json.RawMessage(`{ "a": 1 }`)
	s.requireFilled(full, "Cleared")

	want := resource(2).Placements[1]
	step := func(name string, write store.PlacementWrite, change func()) {
		w := h.next()
		w.Placements = []store.PlacementWrite{write}
		s.commit(w)
		change()
		require.Equal(s, want, s.resources(tenantA, deploymentA)[1].Placements[1], name)
	}
	step("all", full, func() {
		want.State, want.Made, want.Identity, want.Account = store.Live, true, "arn:2", "1111"
		want.ProviderVersion, want.GraphID, want.Outputs = "1.2.3", id(1), json.RawMessage(`{ "a": 1 }`)
	})
	step("nothing", key, func() {})
	some := key
	some.State, some.Account = store.Maybe, "2222"
	step("some", some, func() { want.State, want.Account = store.Maybe, "2222" })
	cleared := key
	cleared.State, cleared.Cleared = store.Gone, true
	step("cleared", cleared, func() {
		want.State, want.Made, want.Identity, want.Outputs = store.Gone, false, "", nil
	})
	anew := full
	anew.Cleared, anew.Outputs = true, json.RawMessage(`{}`)
	step("cleared and made anew", anew, func() {
		want.State, want.Made, want.Identity, want.Account, want.Outputs = store.Live, true, "arn:2", "1111", json.RawMessage(`{}`)
	})

	all := s.resources(tenantA, deploymentA)
	require.Equal(s, resource(1), all[0], "another node")
	require.Equal(s, resource(2).Placements[0], all[1].Placements[0], "another region")
	require.Equal(s, []store.Resource{resource(1), resource(2)}, s.resources(tenantB, deploymentA), "another tenant")
}

func (s *suite) logs() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	other := s.start(runOf(tenantA, deploymentB, 2))
	line := func(n int) store.LogLine {
		return store.LogLine{At: at(9 - n), Level: "warn", Message: fmt.Sprintf("line %d <&>\n\x00\xff", n)}
	}
	s.requireFilled(line(0))
	log := func(operation string, n int) store.OperationLog {
		return store.OperationLog{Operation: operation, Line: line(n)}
	}
	for n := range 3 {
		write, beside := h.next(), other.next()
		write.Logs = []store.OperationLog{log(operationA, 2*n), log(operationB, n), log(operationA, 2*n+1)}
		beside.Logs = []store.OperationLog{log(operationA, n)}
		s.commit(write, beside)
	}
	s.reopen()
	require.Equal(s, []store.LogLine{line(0), line(1), line(2), line(3), line(4), line(5)}, s.logLines("run-1", operationA))
	require.Equal(s, []store.LogLine{line(0), line(1), line(2)}, s.logLines("run-1", operationB))
	require.Empty(s, s.logLines("run-1", "unknown"))
	_, err := s.store.Logs(s.ctx(), "unknown", operationA)
	require.ErrorIs(s, err, store.ErrNotFound)
}

func (s *suite) destroyed() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	s.start(runOf(tenantA, deploymentB, 2))
	for i, value := range []bool{true, false, true} {
		write := h.next(progress(10 + i))
		write.Destroyed = &value
		s.commit(write, h.next(progress(10+i)))
		d := s.deployment(tenantA, deploymentA)
		require.Equal(s, value, d.Destroyed)
		require.Equal(s, at(10+i), d.UpdatedAt)
	}
	require.False(s, s.deployment(tenantA, deploymentB).Destroyed)
}

func (s *suite) largeBatch() {
	none, err := s.store.Commit(s.ctx(), nil)
	require.NoError(s, err)
	require.Empty(s, none)
	var hands []*hand
	for n := range 50 {
		hands = append(hands, s.start(runOf(tenantA, fmt.Sprint("d", n), n+1)))
	}
	var writes []store.Write
	for n := range 1000 {
		writes = append(writes, hands[n%50].next(fullEvent(), progress(n%60)))
	}
	s.commit(writes...)
	for _, h := range hands {
		events := s.events(h.run)
		require.Len(s, events, 41)
		require.Equal(s, h.version, events[40].Version)
	}
}

func (s *suite) endedContext() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	ended, cancel := context.WithCancel(s.ctx())
	cancel()
	s.unchanged(func() {
		_, err := s.store.Commit(ended, []store.Write{everyKind(h, deploymentA, 3)})
		require.ErrorIs(s, err, context.Canceled)
		require.ErrorIs(s, s.store.CreateGraph(ended, graphOf(tenantA, deploymentA, 2)), context.Canceled)
		_, err = s.store.Run(ended, tenantA, "run-1")
		require.ErrorIs(s, err, context.Canceled)
	})
	h.version = 1
	s.commit(everyKind(h, deploymentA, 3))
}

func (s *suite) durable() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	s.commit(everyKind(h, deploymentA, 2), everyKind(h, deploymentA, 3))
	other := s.start(runOf(tenantB, deploymentB, 2))
	s.commit(other.next(fullEvent()))
	before := s.everything()
	s.reopen()
	require.Equal(s, before, s.everything())
	s.commit(h.next(progress(4)))
	require.ErrorIs(s, s.try((&hand{run: "run-2", token: other.token - 1, version: other.version}).next(progress(5)))[0], store.ErrFenced)
}
