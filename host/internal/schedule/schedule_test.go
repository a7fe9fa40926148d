package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// planOf makes a plan of n operations; edges are pairs (from, to) with from below to.
func planOf(t require.TestingT, n int, edges ...[2]int) *plan.Plan {
	typed := make([]link, len(edges))
	for i, e := range edges {
		typed[i] = link{e[0], e[1], graph.Dependency}
	}
	return planWith(t, n, typed...)
}

// link is an edge with its type.
type link struct {
	from, to int
	kind     graph.EdgeType
}

func edgeID(from, to int) string { return fmt.Sprintf("e%d-%d", from, to) }

// planWith makes a plan of n operations; each link leads from a lower one to a higher one.
func planWith(t require.TestingT, n int, edges ...link) *plan.Plan {
	spec := &graph.Spec{GraphID: "g"}
	for i := range n {
		spec.Nodes = append(spec.Nodes, graph.Node{
			NodeID: fmt.Sprintf("n%d", i), ResourceID: fmt.Sprintf("n%d", i), Type: "x:y", Verb: contract.VerbCreate, Regions: []string{""},
		})
	}
	for _, e := range edges {
		spec.Edges = append(spec.Edges, graph.Edge{
			EdgeID: edgeID(e.from, e.to), From: fmt.Sprintf("n%d", e.from), To: fmt.Sprintf("n%d", e.to), Type: e.kind,
		})
	}
	p, err := plan.New(spec, nil, "seed")
	require.NoError(t, err)
	return p
}

// world is performer and recorder at once: it plays each operation as its script says, in virtual time.
type world struct {
	mu      sync.Mutex
	run     *execution.Run
	script  map[string][]execution.Status // ends, attempt by attempt; completed when it runs out
	takes   func() time.Duration
	broken  string // the operation whose end cannot be recorded
	flying  int
	most    int
	order   []string
	started map[string]time.Time
	began   func(id string)
	events  []execution.Event
	// wasUnsettled says which operations were so when the run last went on.
	wasUnsettled map[int]bool
}

func newWorld(p *plan.Plan) *world {
	w := &world{
		run: execution.NewRun("r", ids(p)), script: map[string][]execution.Status{}, started: map[string]time.Time{},
		wasUnsettled: map[int]bool{},
		takes:        func() time.Duration { return time.Second },
	}
	for _, status := range []execution.RunStatus{execution.RunQueued, execution.RunRunning} {
		w.apply(execution.Event{Kind: execution.RunChanged, RunStatus: status})
	}
	return w
}

func (w *world) apply(e execution.Event) {
	e.RunID, e.Version = "r", w.run.Version+1
	if err := w.run.Apply(&e); err != nil {
		panic(err)
	}
	w.events = append(w.events, e)
}

func (w *world) Peek(read func(*execution.Run)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	read(w.run)
}

func (w *world) Note(e execution.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.apply(e)
	return nil
}

var errDisk = errors.New("disk")

func (w *world) Perform(_ context.Context, operation *plan.Operation) (execution.Event, error) {
	w.mu.Lock()
	id := operation.ID
	w.flying++
	w.most = max(w.most, w.flying)
	w.order = append(w.order, id)
	w.started[id] = time.Now()
	if w.began != nil {
		w.began(id)
	}
	w.apply(execution.Event{Kind: execution.Intent, Operation: id, Settling: w.run.Operation(id).Unsettled()})
	takes := w.takes()
	w.mu.Unlock()

	time.Sleep(takes)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying--
	if id == w.broken {
		return execution.Event{}, errDisk
	}
	event := execution.Event{Kind: execution.Ended, Operation: id, Status: execution.Completed, Outcome: contract.OutcomeApplied}
	if script := w.script[id]; len(script) > 0 {
		event.Status, w.script[id] = script[0], script[1:]
		event.Outcome, event.RetryAt = contract.OutcomeNotApplied, time.Now().Add(10*time.Second)
	}
	w.apply(event)
	return event, nil
}

func (w *world) status(id string) execution.Status { return w.run.Operation(id).Status }

func (w *world) drive(ctx context.Context, p *plan.Plan, limit int) (execution.RunStatus, error) {
	return schedule.Run(ctx, context.Background(), p, w, w, schedule.Options{Limit: limit})
}

func TestAnOperationStartsWhenItsOwnPredecessorsAreDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 0 is slow; 2 waits for the quick 1 only, and must not wait for 0, which is in an earlier group.
		p := planOf(t, 4, [2]int{1, 2}, [2]int{0, 3})
		w := newWorld(p)
		durations := map[string]time.Duration{"n0": time.Minute, "n1": time.Second, "n2": time.Second, "n3": time.Second}
		next := ""
		w.takes = func() time.Duration { next = w.order[len(w.order)-1]; return durations[next] }
		begin := time.Now()
		status, err := w.drive(t.Context(), p, 10)
		require.NoError(t, err)
		require.Equal(t, execution.RunCompleted, status)
		require.Equal(t, time.Second, w.started["n2"].Sub(begin))
		require.Equal(t, time.Minute, w.started["n3"].Sub(begin))
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, 20)
		w := newWorld(p)
		status, err := w.drive(t.Context(), p, 3)
		require.NoError(t, err)
		require.Equal(t, execution.RunCompleted, status)
		require.Equal(t, 3, w.most)
	})
}

func TestFailureStopsTheRunAndBlocksWhatIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 0 fails; 1 and 2 are behind it; 3 is in flight and finishes; 4 is unrelated and not started yet: it stays pending.
		p := planOf(t, 6, [2]int{0, 1}, [2]int{1, 2}, [2]int{3, 4}, [2]int{0, 5}, [2]int{3, 5})
		w := newWorld(p)
		w.script["n0"] = []execution.Status{execution.Failed}
		durations := map[string]time.Duration{"n0": time.Second, "n3": time.Minute}
		w.takes = func() time.Duration { return durations[w.order[len(w.order)-1]] }
		status, err := w.drive(t.Context(), p, 10)
		require.NoError(t, err)
		require.Equal(t, execution.RunFailed, status)
		want := map[string]execution.Status{
			"n0": execution.Failed, "n1": execution.Blocked, "n2": execution.Blocked, "n3": execution.Completed,
			"n4": execution.Pending, "n5": execution.Blocked,
		}
		for id, status := range want {
			require.Equal(t, status, w.status(id), id)
		}
	})
}

func TestAnOperationThatWaitsHoldsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, 3)
		w := newWorld(p)
		w.script["n0"] = []execution.Status{execution.Pending}
		begin := time.Now()
		status, err := w.drive(t.Context(), p, 1)
		require.NoError(t, err)
		require.Equal(t, execution.RunCompleted, status)
		require.Equal(t, []string{"n0", "n1", "n2", "n0"}, w.order)
		require.Equal(t, 12*time.Second, time.Since(begin), "one second, ten of waiting, one again: the others ran meanwhile")
	})
}

func TestBeingStoppedStartsNothingMoreAndLetsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, 3, [2]int{0, 1}, [2]int{1, 2})
		w := newWorld(p)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		status, err := w.drive(ctx, p, 4)
		require.NoError(t, err)
		require.Equal(t, execution.RunInterrupted, status)
		require.Equal(t, execution.Completed, w.status("n1"), "what was in flight finished")
		require.Equal(t, execution.Pending, w.status("n2"))
	})
}

func TestBeingStoppedAtTheLastOperationIsNoInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, 1)
		w := newWorld(p)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		status, err := w.drive(ctx, p, 4)
		require.NoError(t, err)
		require.Equal(t, execution.RunCompleted, status)
	})
}

func TestWhatCannotBeRecordedEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, 3, [2]int{0, 1}, [2]int{0, 2})
		w := newWorld(p)
		w.broken = "n0"
		_, err := w.drive(t.Context(), p, 4)
		require.ErrorIs(t, err, errDisk)
		require.Equal(t, []string{"n0"}, w.order)
	})
}

func TestWhatMayBeHalfDoneGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, 3)
		w := newWorld(p)
		w.apply(execution.Event{Kind: execution.Intent, Operation: "n2"})
		status, err := w.drive(t.Context(), p, 1)
		require.NoError(t, err)
		require.Equal(t, execution.RunCompleted, status)
		require.Equal(t, "n2", w.order[0])
	})
}

// TestAnyGraph: whatever the graph, the failures and the retries, no operation starts before its predecessors completed, none
// is done twice after it completed, and what is behind a failure is blocked.
func TestAnyGraph(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 25).Draw(r, "operations")
		var edges [][2]int
		for to := 1; to < n; to++ {
			for _, from := range rapid.SliceOfNDistinct(rapid.IntRange(0, to-1), 0, min(to, 3), rapid.ID).Draw(r, "from") {
				edges = append(edges, [2]int{from, to})
			}
		}
		fails := rapid.SliceOfN(rapid.IntRange(0, 12), n, n).Draw(r, "fails")
		limit := rapid.IntRange(1, 6).Draw(r, "limit")
		seed := rapid.Uint64().Draw(r, "seed")
		synctest.Test(t, func(t *testing.T) {
			p := planOf(t, n, edges...)
			w := newWorld(p)
			random := rand.New(rand.NewPCG(seed, 1))
			w.takes = func() time.Duration { return time.Duration(random.IntN(5000)) * time.Millisecond }
			for i, how := range fails {
				if how == 0 {
					w.script[fmt.Sprintf("n%d", i)] = []execution.Status{execution.Failed}
				} else if how < 4 {
					w.script[fmt.Sprintf("n%d", i)] = slices.Repeat([]execution.Status{execution.Pending}, how)
				}
			}
			status, err := w.drive(t.Context(), p, limit)
			require.NoError(t, err)
			checkRun(t, p, w, status, limit)
		})
	})
}

func checkRun(t *testing.T, p *plan.Plan, w *world, status execution.RunStatus, limit int) {
	require.LessOrEqual(t, w.most, limit)
	require.Zero(t, w.flying)
	require.Equal(t, w.run.Count(execution.Failed) > 0, status == execution.RunFailed)
	if status == execution.RunCompleted {
		require.Equal(t, len(p.Operations), w.run.Count(execution.Completed))
	}
	for i := range p.Operations {
		operation := w.run.Operation(p.Operations[i].ID)
		for _, edge := range p.Operations[i].Predecessors {
			before := w.run.Operation(p.Operations[edge.Operation].ID)
			if operation.Status == execution.Completed {
				require.Equal(t, execution.Completed, before.Status)
				require.Less(t, slices.Index(w.order, before.ID), slices.Index(w.order, operation.ID))
			}
			if before.Status == execution.Failed || before.Status == execution.Blocked {
				require.Equal(t, execution.Blocked, operation.Status)
			}
		}
	}
}
