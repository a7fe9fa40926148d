package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// consecutive answers an error for events with a gap or out of order.
func consecutive(events []execution.Event) error {
	for i, event := range events {
		if event.Version != int64(i)+1 {
			return fmt.Errorf("event %d at place %d", event.Version, i)
		}
	}
	return nil
}

// Writers of runs of their own, each reading after each write what it was told is kept, and readers of all.
func (s *suite) concurrentCommits() {
	const runs, rounds = 8, 25
	hands := make([]*hand, runs)
	for n := range hands {
		hands[n] = s.start(runOf(tenantA, fmt.Sprint("d", n), n+1))
	}
	ctx, stop := context.WithCancel(s.ctx())
	failures := make(chan error, 2*runs)
	var writers, readers sync.WaitGroup
	for _, h := range hands {
		writers.Go(func() { failures <- s.writeAndRead(h, rounds) })
		readers.Go(func() { failures <- s.readAlong(ctx, h.run) })
	}
	writers.Wait()
	stop()
	readers.Wait()
	for range 2 * runs {
		require.NoError(s, <-failures)
	}
	for _, h := range hands {
		require.Len(s, s.events(h.run), 1+2*rounds)
	}
}

func (s *suite) writeAndRead(h *hand, rounds int) error {
	for i := range rounds {
		refused, err := s.store.Commit(s.ctx(), []store.Write{h.next(progress(i)), h.next(progress(i))})
		if err := errors.Join(append(refused, err)...); err != nil {
			return err
		}
		events, err := s.store.Events(s.ctx(), h.run, h.version-2, 0)
		if err != nil {
			return err
		}
		if len(events) != 2 || events[1].Version != h.version {
			return errors.New("what was acknowledged cannot be read")
		}
	}
	return nil
}

// readAlong follows a run from its first event, as a stream to a client does.
func (s *suite) readAlong(ctx context.Context, runID string) error {
	var seen []execution.Event
	for ctx.Err() == nil {
		events, err := s.store.Events(s.ctx(), runID, int64(len(seen)), 10)
		if err != nil {
			return err
		}
		seen = append(seen, events...)
		if err := consecutive(seen); err != nil {
			return err
		}
	}
	return nil
}

// Owners that take a run from each other: what each was told is kept is there once, and no owner writes after the next.
func (s *suite) takeover() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	const owners = 4
	kept := make([][]string, owners)
	failures := make([]error, owners)
	var wait sync.WaitGroup
	for n := range owners {
		wait.Go(func() { kept[n], failures[n] = s.writeUntilFenced(n) })
	}
	wait.Wait()
	require.NoError(s, errors.Join(failures...))
	events := s.events("run-1")
	require.NoError(s, consecutive(events))
	var stored []string
	for _, event := range events[1:] {
		stored = append(stored, event.Message)
	}
	require.ElementsMatch(s, slices.Concat(kept...), stored)
	require.Len(s, slices.CompactFunc(slices.Clone(events[1:]), func(a, b execution.Event) bool { return a.By == b.By }),
		len(slices.Sorted(maps.Keys(bys(events[1:])))), "the events of each token stand together")
}

func bys(events []execution.Event) map[string]bool {
	set := map[string]bool{}
	for _, event := range events {
		set[event.By] = true
	}
	return set
}

// writeUntilFenced takes the run a few times over, and tells what it wrote.
func (s *suite) writeUntilFenced(owner int) (kept []string, err error) {
	for round := range 10 {
		token, version, err := s.store.AcquireRun(s.ctx(), store.Claim{RunID: "run-1", Owner: fmt.Sprint("host-", owner)})
		if err != nil {
			return kept, err
		}
		h := &hand{run: "run-1", token: token, version: version}
		for i := range 5 {
			event := progress(i)
			event.By = fmt.Sprint("token ", token)
			event.Message = fmt.Sprintf("owner %d, round %d, event %d", owner, round, i)
			refused, err := s.store.Commit(s.ctx(), []store.Write{h.next(event)})
			if err != nil {
				return kept, err
			}
			if errors.Is(refused[0], store.ErrFenced) {
				break
			}
			if refused[0] != nil {
				return kept, refused[0]
			}
			kept = append(kept, event.Message)
		}
	}
	return kept, nil
}

// placementsAddUp commits any placement writes at once, and the same one by one: both come to the same.
func (s *suite) placementsAddUp() {
	used := 0
	rapid.Check(s.T, func(t *rapid.T) {
		used++
		atOnce, deploymentOne := fmt.Sprint("a", used), fmt.Sprint("b", used)
		one, other := s.start(runOf(tenantA, atOnce, 2*used)), s.start(runOf(tenantA, deploymentOne, 2*used+1))
		var together []store.Write
		for range rapid.IntRange(1, 12).Draw(t, "writes") {
			write := anyPlacement(t)
			write.DeploymentID = deploymentOne
			s.commit(store.Write{RunID: other.run, Token: other.token, Placements: []store.PlacementWrite{write}})
			write.DeploymentID = atOnce
			if len(together) == 0 || rapid.Bool().Draw(t, "in a write of its own") {
				together = append(together, store.Write{RunID: one.run, Token: one.token})
			}
			last := &together[len(together)-1]
			last.Placements = append(last.Placements, write)
		}
		s.commit(together...)
		require.Equal(t, s.resources(tenantA, deploymentOne), s.resources(tenantA, atOnce))
	})
}

func anyPlacement(t *rapid.T) store.PlacementWrite {
	text := func(name string) string { return rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, name) }
	write := store.PlacementWrite{
		Tenant: tenantA, NodeID: id(rapid.IntRange(1, 2).Draw(t, "node")), Region: "eu-west-1", Made: rapid.Bool().Draw(t, "made"),
		State:    rapid.SampledFrom([]store.PlacementState{"", store.Maybe, store.Live, store.Gone}).Draw(t, "state"),
		Identity: text("identity"), Account: text("account"), ProviderVersion: text("version"), GraphID: text("graph"),
		Cleared: rapid.Bool().Draw(t, "cleared"),
	}
	if outputs := text("outputs"); outputs != "" {
		write.Outputs = json.RawMessage(`"` + outputs + `"`)
	}
	return write
}

// model is what a store must hold of one run.
type model struct {
	hand
	events []execution.Event
	logs   []store.LogLine
}

// anyBatches commits random batches, right and wrong, to runs of a model and of the store.
func (s *suite) anyBatches() {
	used := 0
	rapid.Check(s.T, func(t *rapid.T) {
		models := map[string]*model{}
		for range 3 {
			used++
			run := runOf(tenantA, fmt.Sprint("d", used), used)
			models[run.Run.ID] = &model{hand: *s.start(run), events: []execution.Event{run.Event}}
		}
		names := slices.Sorted(maps.Keys(models))
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			if rapid.IntRange(0, 5).Draw(t, "takeover") == 0 {
				m := models[rapid.SampledFrom(names).Draw(t, "taken")]
				m.token = s.take(m.run).token
			}
			s.anyBatch(t, names, models)
		}
		for name, m := range models {
			require.Equal(t, m.events, s.events(name))
			require.Equal(t, m.version, s.run(tenantA, name).Version)
			require.Equal(t, m.logs, s.logLines(name, operationA))
		}
	})
}

func (s *suite) anyBatch(t *rapid.T, names []string, models map[string]*model) {
	var writes []store.Write
	kinds := make([]error, 0, 8)
	tips := map[string]int64{}
	broken := map[string]error{}
	for range rapid.IntRange(1, 8).Draw(t, "writes") {
		m := models[rapid.SampledFrom(names).Draw(t, "run")]
		if _, ok := tips[m.run]; !ok {
			tips[m.run] = m.version
		}
		token := m.token - int64(rapid.IntRange(-7, 1).Draw(t, "token"))
		if token > m.token {
			token = m.token
		}
		gap := int64(max(0, rapid.IntRange(-9, 1).Draw(t, "gap")))
		h := hand{run: m.run, token: token, version: tips[m.run] + gap}
		var events []execution.Event
		for range rapid.IntRange(0, 3).Draw(t, "events") {
			event := progress(rapid.IntRange(0, 59).Draw(t, "at"))
			event.Message = rapid.String().Draw(t, "message")
			events = append(events, event)
		}
		write := h.next(events...)
		if rapid.Bool().Draw(t, "log") {
			line := store.LogLine{At: at(1), Level: "info", Message: fmt.Sprint(len(m.logs), tips[m.run])}
			write.Logs = []store.OperationLog{{Operation: operationA, Line: line}}
		}
		writes = append(writes, write)
		switch {
		case token != m.token:
			kinds = append(kinds, store.ErrFenced)
		case gap != 0 && len(events) > 0:
			kinds = append(kinds, store.ErrVersion)
			broken[m.run] = store.ErrVersion
		default:
			kinds = append(kinds, nil)
			tips[m.run] += int64(len(events))
		}
	}
	for i, err := range s.try(writes...) {
		m := models[writes[i].RunID]
		want := kinds[i]
		if want == nil {
			want = broken[m.run]
		}
		require.ErrorIs(t, err, want)
		if want == nil {
			m.events = append(m.events, writes[i].Events...)
			m.version += int64(len(writes[i].Events))
			for _, l := range writes[i].Logs {
				m.logs = append(m.logs, l.Line)
			}
		}
	}
}
