package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// disk is a store in memory whose commits can be made to fail, or to lose their answer.
type disk struct {
	mu      sync.Mutex
	events  map[string][]execution.Event
	batches int
	takes   time.Duration
	// before and after are told the number of the commit, from 1.
	before, after func(n int) error
	stale         string // a run whose token is not the current one
	writes        []store.Write
}

func newDisk() *disk {
	none := func(int) error { return nil }
	return &disk{events: map[string][]execution.Event{}, before: none, after: none}
}

func (d *disk) Commit(_ context.Context, writes []store.Write) ([]error, error) {
	time.Sleep(d.takes)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches++
	if err := d.before(d.batches); err != nil {
		return nil, err
	}
	results := make([]error, len(writes))
	for i, w := range writes {
		if w.RunID == d.stale {
			results[i] = store.ErrFenced
			continue
		}
		d.events[w.RunID] = append(d.events[w.RunID], w.Events...)
		d.writes = append(d.writes, w)
	}
	if err := d.after(d.batches); err != nil {
		return nil, err
	}
	return results, nil
}

func (d *disk) Events(_ context.Context, runID string, after int64, limit int) ([]execution.Event, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	events := d.events[runID][min(int(after), len(d.events[runID])):]
	if limit > 0 && len(events) > limit {
		events = events[:limit]
	}
	return events, nil
}

func (d *disk) versions(t *testing.T, runID string) int {
	events, err := d.Events(t.Context(), runID, 0, 0)
	require.NoError(t, err)
	for i := range events {
		require.EqualValues(t, i+1, events[i].Version, "no gap, nothing twice")
	}
	return len(events)
}

func open(j *journal.Journal, runID string, operations int) *journal.Run {
	ids := make([]string, operations)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	run := j.Open(execution.NewRun(runID, ids), 1, time.Now)
	if err := run.Append(status(execution.RunQueued)); err != nil {
		panic(err)
	}
	return run
}

func status(s execution.RunStatus) journal.Entry {
	return journal.Entry{Events: []execution.Event{{Kind: execution.RunChanged, RunStatus: s}}}
}

func intent(operation int) journal.Entry {
	return journal.Entry{Events: []execution.Event{{Kind: execution.Intent, Operation: fmt.Sprint(operation)}}}
}

func TestManyWaitersShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		d.takes = 10 * time.Millisecond
		j := journal.New(d, hclog.NewNullLogger())
		run := open(j, "r", 500)
		begin := time.Now()
		var waiting sync.WaitGroup
		for i := range 500 {
			waiting.Go(func() { require.NoError(t, run.Append(intent(i))) })
		}
		waiting.Wait()
		require.LessOrEqual(t, time.Since(begin), 30*time.Millisecond)
		require.Equal(t, 501, d.versions(t, "r"))
		j.Stop()
	})
}

func TestACommitWhoseAnswerIsLostIsNotMadeTwice(t *testing.T) {
	for name, lose := range map[string]struct{ before, after int }{
		"failed before": {before: 2}, "failed after it was kept": {after: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk()
				lost := errors.New("the answer is lost")
				at := func(k int) func(int) error {
					return func(n int) error {
						if n == k {
							return lost
						}
						return nil
					}
				}
				d.before, d.after = at(lose.before), at(lose.after)
				j := journal.New(d, hclog.NewNullLogger())
				run := open(j, "r", 10)
				for i := range 10 {
					require.NoError(t, run.Append(intent(i)))
				}
				require.Equal(t, 11, d.versions(t, "r"))
				j.Stop()
			})
		})
	}
}

func TestAStoreThatStaysDownEndsItsRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := journal.New(d, hclog.NewNullLogger())
		run := open(j, "r", 10)
		down := errors.New("down")
		d.before = func(int) error { return down }
		require.ErrorIs(t, run.Append(intent(0)), down)
		require.ErrorIs(t, run.Append(intent(1)), down, "nothing more is taken")
		require.ErrorIs(t, run.View(t.Context(), func(*execution.Run) {}), down, "what is not durable is not shown")
		j.Stop()
	})
}

func TestAStaleTokenEndsOnlyItsOwnRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := journal.New(d, hclog.NewNullLogger())
		mine, others := open(j, "mine", 2), open(j, "others", 2)
		d.mu.Lock()
		d.stale = "mine"
		d.mu.Unlock()
		require.ErrorIs(t, mine.Append(intent(0)), store.ErrFenced)
		require.NoError(t, others.Append(intent(0)))
		require.Equal(t, 1, d.versions(t, "mine"))
		require.Equal(t, 2, d.versions(t, "others"))
		j.Stop()
	})
}

func TestAnIllegalEventIsRefusedBeforeItIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := journal.New(d, hclog.NewNullLogger())
		run := open(j, "r", 2)
		require.ErrorIs(t, run.Append(status(execution.RunCompleted)), execution.ErrIllegal)
		require.Equal(t, 1, d.versions(t, "r"))
		j.Stop()
	})
}

func TestAViewShowsOnlyWhatIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := journal.New(d, hclog.NewNullLogger())
		run := open(j, "r", 2)
		d.takes = time.Second
		require.NoError(t, run.Post(intent(0)))
		begin := time.Now()
		var seen execution.Status
		require.NoError(t, run.View(t.Context(), func(r *execution.Run) { seen = r.Operation("0").Status }))
		require.Equal(t, execution.Running, seen)
		require.Equal(t, time.Second, time.Since(begin))
		require.Equal(t, 2, d.versions(t, "r"))
		j.Stop()
	})
}

// What entries hold beside events reaches the store with them; of what a write holds once, none takes another's place.
func TestEntriesAreJoinedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := journal.New(d, hclog.NewNullLogger())
		run := open(j, "r", 4)
		d.takes = time.Second
		for i := range 4 {
			entry := intent(i)
			entry.Durations = []store.Duration{{Type: fmt.Sprint(i)}}
			entry.RollbackRecords = []store.RollbackRecord{{Operation: fmt.Sprint(i)}}
			entry.Head = &store.HeadMove{GraphID: fmt.Sprint(i)}
			entry.Idempotency = &store.IdempotencyKey{Key: fmt.Sprint(i)}
			require.NoError(t, run.Post(entry))
		}
		j.Stop()
		var types, operations, heads, keys []string
		for _, w := range d.writes {
			for i := range w.Durations {
				types, operations = append(types, w.Durations[i].Type), append(operations, w.RollbackRecords[i].Operation)
			}
			if w.Head != nil {
				heads, keys = append(heads, w.Head.GraphID), append(keys, w.Idempotency.Key)
			}
		}
		all := []string{"0", "1", "2", "3"}
		require.Equal(t, [][]string{all, all, all, all}, [][]string{types, operations, heads, keys})
		require.Equal(t, 5, d.versions(t, "r"))
	})
}

func TestAFollowerIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := journal.New(d, hclog.NewNullLogger())
		run := open(j, "r", 2)
		changed := run.Changed()
		select {
		case <-changed:
			t.Fatal("nothing was committed yet")
		default:
		}
		require.NoError(t, run.Append(intent(0)))
		<-changed
		j.Stop()
	})
}

func TestStopCommitsWhatWasPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		d.takes = time.Second
		j := journal.New(d, hclog.NewNullLogger())
		run := open(j, "r", 100)
		for i := range 100 {
			require.NoError(t, run.Post(intent(i)))
		}
		j.Stop()
		require.Equal(t, 101, d.versions(t, "r"))
		require.ErrorIs(t, run.Append(status(execution.RunRunning)), journal.ErrClosed)
	})
}
