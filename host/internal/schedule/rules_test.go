package schedule_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
)

// model is what the rules of edges say, written down a second time and as plainly as can be: it looks at edges as they were
// drawn, one operation after the other, and knows no queue.
type model struct {
	links    []link
	status   []execution.Status
	released map[string]bool
}

func (m *model) before(i int) []link {
	return slices.DeleteFunc(slices.Clone(m.links), func(l link) bool { return l.to != i })
}

func (m *model) cut(i int) bool {
	return slices.ContainsFunc(m.before(i), func(l link) bool { return l.kind == graph.End || m.cut(l.from) })
}

// passed says whether what is behind an operation need not wait for it.
func (m *model) passed(i int) bool {
	return m.status[i] == execution.Completed || m.status[i] == execution.Skipped && !m.cut(i) && m.due(i)
}

func (m *model) due(i int) bool {
	return !slices.ContainsFunc(m.before(i), func(l link) bool { return !m.passed(l.from) })
}

func (m *model) held(i int) bool {
	return slices.ContainsFunc(m.before(i), func(l link) bool { return l.kind == graph.Pause && !m.released[edgeID(l.from, l.to)] })
}

func (m *model) closed(i int) bool {
	return m.cut(i) || m.status[i] == execution.Completed || m.status[i] == execution.Skipped
}

// failing says that an operation failed, is blocked, or hands a failure on.
func (m *model) failing(i int) bool {
	switch m.status[i] {
	case execution.Failed, execution.Blocked:
		return true
	case execution.Skipped:
		return !m.cut(i) && slices.ContainsFunc(m.before(i), func(l link) bool { return m.failing(l.from) })
	default:
		return false
	}
}

// play is one run under the model's eyes: it draws drives and commands, and holds each against the model.
type play struct {
	*model
	t      *testing.T
	p      *plan.Plan
	w      *world
	random *rand.Rand
	limit  int
	wrong  []string // was begun and must not have been
}

func (y *play) read() {
	for i := range y.status {
		y.status[i] = y.w.run.Operations()[i].Status
	}
}

// TestAnyRun: whatever the graph, its edges, how operations end and what a person asks for in between, a run stands where the
// model says, nothing runs that may not, and the events add up to the same run again.
func TestAnyRun(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 14).Draw(r, "operations")
		kinds := []graph.EdgeType{graph.Dependency, graph.Dependency, graph.Dependency, graph.Pause, graph.Pause, graph.End}
		var links []link
		for to := 1; to < n; to++ {
			for _, from := range rapid.SliceOfNDistinct(rapid.IntRange(0, to-1), 0, min(to, 3), rapid.ID).Draw(r, "from") {
				links = append(links, link{from, to, rapid.SampledFrom(kinds).Draw(r, "kind")})
			}
		}
		limit, seed := rapid.IntRange(1, 5).Draw(r, "limit"), rapid.Uint64().Draw(r, "seed")
		synctest.Test(t, func(t *testing.T) {
			y := &play{
				model: &model{links: links, status: make([]execution.Status, n), released: map[string]bool{}},
				t:     t, p: planWith(t, n, links...), random: rand.New(rand.NewPCG(seed, 1)), limit: limit,
			}
			y.run()
		})
	})
}

func (y *play) run() {
	y.w = newWorld(y.p)
	y.w.takes = func() time.Duration { return time.Duration(y.random.IntN(3000)) * time.Millisecond }
	y.w.began = y.mayBegin
	y.read()
	for range 6 {
		y.script()
		if y.drive(y.random.IntN(3) == 0) == execution.RunCompleted {
			break
		}
		y.command()
	}
	clear(y.w.script)
	for drives := 0; y.w.run.Status != execution.RunCompleted; drives++ {
		require.LessOrEqual(y.t, drives, len(y.p.Operations)+1, "a run that is let go comes to its end")
		y.goOn(y.releaseAll()...)
		y.drive(false)
	}
	again, err := execution.Replay("r", ids(y.p), y.w.events)
	require.NoError(y.t, err)
	require.Equal(y.t, y.w.run, again)
}

// script draws how operations will end.
func (y *play) script() {
	clear(y.w.script)
	for _, id := range ids(y.p) {
		switch y.random.IntN(12) {
		case 0:
			y.w.script[id] = []execution.Status{execution.Failed}
		case 1, 2:
			y.w.script[id] = slices.Repeat([]execution.Status{execution.Pending}, 1+y.random.IntN(3))
		}
	}
}

// mayBegin is asked as each operation begins, on its own goroutine.
func (y *play) mayBegin(id string) {
	i := slices.Index(ids(y.p), id)
	y.read()
	if y.cut(i) || y.held(i) || !y.due(i) {
		y.wrong = append(y.wrong, id)
	}
}

func (y *play) drive(step bool) execution.RunStatus {
	y.read()
	before := *y.model
	before.status = slices.Clone(y.status)
	ready := slices.DeleteFunc(y.ready(), y.held)
	y.w.order, y.w.most = nil, 0
	events := len(y.w.events)
	status, err := schedule.Run(y.t.Context(), context.Background(), y.p, y.w, y.w, schedule.Options{Limit: y.limit, Step: step})
	require.NoError(y.t, err)
	require.Empty(y.t, y.wrong)
	require.LessOrEqual(y.t, y.w.most, y.limit)
	y.w.apply(execution.Event{Kind: execution.RunChanged, RunStatus: status})
	y.read()
	if step {
		y.checkStep(ready)
	}
	y.checkRest(status, step, &before)
	// Two events an attempt, one a release or failure, two at the beginning, one at the end.
	require.LessOrEqual(y.t, len(y.w.events)-events, 3*len(y.w.order)+3)
	return status
}

func (y *play) ready() []int {
	var ready []int
	for i := range y.status {
		if !y.closed(i) && y.due(i) {
			ready = append(ready, i)
		}
	}
	return ready
}

// checkStep: one operation was tried, as often as that took, and it is the one that comes first.
func (y *play) checkStep(ready []int) {
	tried := slices.Compact(slices.Clone(y.w.order))
	if len(ready) == 0 {
		require.Empty(y.t, tried)
		return
	}
	slices.SortStableFunc(ready, func(a, b int) int { return order(y.w.wasUnsettled[b]) - order(y.w.wasUnsettled[a]) })
	require.Equal(y.t, []string{fmt.Sprintf("n%d", ready[0])}, tried)
}

func order(first bool) int {
	if first {
		return 1
	}
	return 0
}

// checkRest holds how the run stands against the rules.
func (y *play) checkRest(status execution.RunStatus, step bool, before *model) {
	failed := slices.Contains(y.status, execution.Failed)
	complete := true
	for i := range y.status {
		behind := slices.ContainsFunc(y.before(i), func(l link) bool { return y.failing(l.from) })
		switch {
		case y.cut(i):
			require.Equal(y.t, execution.Skipped, y.status[i], "skipped outranks all: n%d", i)
		case before.closed(i):
			require.Equal(y.t, before.status[i], y.status[i], "what is done stays so: n%d", i)
		default:
			require.Equal(y.t, behind && !y.closed(i) && y.status[i] != execution.Failed, y.status[i] == execution.Blocked, "n%d", i)
		}
		complete = complete && y.closed(i)
		if failed || y.closed(i) {
			continue
		}
		require.Equal(y.t, y.due(i) && y.held(i) || before.status[i] == execution.Paused, y.status[i] == execution.Paused, "n%d", i)
		require.True(y.t, step || y.held(i) || !y.due(i), "n%d could move", i)
	}
	switch {
	case failed:
		require.Equal(y.t, execution.RunFailed, status, "failed outranks paused")
	case complete:
		require.Equal(y.t, execution.RunCompleted, status)
	default:
		require.Equal(y.t, execution.RunPaused, status)
	}
}

// command is what a person may ask for between two drives: to let go some of what is held, to skip, to take up again what was
// skipped, to do once more what is done.
func (y *play) command() {
	var events []execution.Event
	for i := range y.status {
		switch {
		case y.cut(i):
		case y.due(i) && y.held(i) && y.random.IntN(2) == 0:
			events = append(events, y.release(i)...)
		case y.status[i] == execution.Skipped && y.random.IntN(2) == 0, y.status[i] == execution.Completed && y.random.IntN(8) == 0:
			events = append(events, move(execution.Pending, i))
		case y.status[i] != execution.Skipped && y.status[i] != execution.Completed && y.random.IntN(8) == 0:
			events = append(events, move(execution.Skipped, i))
		}
	}
	y.goOn(events...)
}

func move(to execution.Status, i int) execution.Event {
	return execution.Event{Kind: execution.Changed, Operations: []string{fmt.Sprintf("n%d", i)}, Status: to}
}

func (y *play) release(i int) []execution.Event {
	var events []execution.Event
	for _, l := range y.before(i) {
		if l.kind == graph.Pause {
			y.released[edgeID(l.from, l.to)] = true
			events = append(events, execution.Event{Kind: execution.EdgeReleased, Edge: edgeID(l.from, l.to)})
		}
	}
	return events
}

func (y *play) releaseAll() []execution.Event {
	var events []execution.Event
	for i := range y.status {
		if y.due(i) && y.held(i) {
			events = append(events, y.release(i)...)
		}
	}
	return events
}

// goOn carries a command out as the engine does: with it, what failed, is blocked, or is held no more is pending again.
func (y *play) goOn(events ...execution.Event) {
	if y.w.run.Status != execution.RunRunning {
		y.w.apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunRunning})
	}
	for _, event := range events {
		y.w.apply(event)
	}
	y.read()
	for i, status := range y.status {
		if status == execution.Failed || status == execution.Blocked || status == execution.Paused && !y.held(i) {
			y.w.apply(move(execution.Pending, i))
		}
	}
	y.read()
	for i := range y.status {
		y.w.wasUnsettled[i] = y.w.run.Operations()[i].Unsettled()
	}
}

func ids(p *plan.Plan) []string {
	all := make([]string, len(p.Operations))
	for i := range p.Operations {
		all[i] = p.Operations[i].ID
	}
	return all
}
