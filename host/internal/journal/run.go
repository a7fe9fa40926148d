package journal

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
)

// Entry is what one step of a run commits together. RunID, Version and At of its events are the journal's to set.
type Entry struct {
	Events     []execution.Event
	Placements []store.PlacementWrite
	Logs       []store.OperationLog
	Durations  []store.Duration
	// RollbackRecords belong to the intents among the events.
	RollbackRecords []store.RollbackRecord
	Destroyed       *bool
	Head            *store.HeadMove
	// Idempotency is the key of the command that posts the entry.
	Idempotency *store.IdempotencyKey
}

// Run is the one writer of one run: it numbers events, refuses illegal ones, and holds the state they add up to. Once a
// write has failed nothing more is taken: what the store holds is then the truth, and the run is read from there again.
type Run struct {
	journal *Journal
	token   int64
	now     func() time.Time

	mu      sync.Mutex
	state   *execution.Run
	last    *entry
	err     error
	changed chan struct{}
}

// Open makes the writer of a run whose events so far add up to state, under a fencing token of the store.
func (j *Journal) Open(state *execution.Run, token int64, now func() time.Time) *Run {
	return &Run{journal: j, token: token, now: now, state: state}
}

// Append posts an entry and waits until it is durable. The wait is not cut short by a cancelled context: what was posted may
// be kept, and acting as if it was not would be a lie.
func (r *Run) Append(entry Entry) error {
	e, err := r.push(entry)
	if err != nil {
		return err
	}
	if planted.Is(planted.EarlyAnswer) {
		return nil
	}
	<-e.done
	return e.err
}

// Post posts an entry without waiting; a later Append or View tells whether it was kept.
func (r *Run) Post(entry Entry) error {
	_, err := r.push(entry)
	return err
}

func (r *Run) push(entry Entry) (*entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	now := r.now().UTC().Truncate(time.Millisecond)
	for i := range entry.Events {
		event := &entry.Events[i]
		event.RunID, event.Version, event.At = r.state.ID, r.state.Version+1, now
		if err := r.state.Apply(event); err != nil {
			r.err = fmt.Errorf("run %s: %w", r.state.ID, err)
			return nil, r.err
		}
	}
	e := newEntry(r, entry)
	if err := r.journal.post(e); err != nil {
		r.err = err
		return nil, err
	}
	r.last = e
	return e, nil
}

func newEntry(r *Run, from Entry) *entry {
	return &entry{
		run:  r,
		done: make(chan struct{}),
		write: store.Write{
			RunID: r.state.ID, Token: r.token, Events: from.Events, Placements: from.Placements, Logs: from.Logs,
			Durations: from.Durations, RollbackRecords: from.RollbackRecords, Destroyed: from.Destroyed, Head: from.Head,
			Idempotency: from.Idempotency,
		},
	}
}

// View shows the state to read, and returns once all of what read saw is durable. read must keep nothing of the state that
// it does not copy.
func (r *Run) View(ctx context.Context, read func(*execution.Run)) error {
	r.mu.Lock()
	read(r.state)
	last, err := r.last, r.err
	r.mu.Unlock()
	if err != nil || last == nil {
		return err
	}
	select {
	case <-last.done:
		return last.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Peek shows the state without waiting: for the run's own scheduler, which acts only on what it has committed itself.
func (r *Run) Peek(read func(*execution.Run)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	read(r.state)
}

// Changed is closed after the next commit of this run.
func (r *Run) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// settled is the committer's word on what it took from this run.
func (r *Run) settled(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && r.err == nil {
		r.err = err
	}
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}
