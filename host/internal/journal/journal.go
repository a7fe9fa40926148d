// Package journal makes events durable and then known: one committer groups what all runs post into one transaction, and
// wakes who waits. The order of a run's events is the order in which they were posted. It decides nothing about a run, and
// readers read the store: the journal only says when to look.
package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// Store is what the journal needs of the store.
type Store interface {
	Commit(ctx context.Context, writes []store.Write) ([]error, error)
	Events(ctx context.Context, runID string, after int64, limit int) ([]execution.Event, error)
}

// ErrClosed answers what is posted after Stop.
var ErrClosed = errors.New("journal is closed")

// batchLimit bounds what one transaction carries, so that the first of a burst does not wait for all of it.
const batchLimit = 1024

// commitTries is how often a batch whose fate is unclear is looked up and tried again before its runs are given up.
const commitTries = 5

// Journal is the one committer of a host.
type Journal struct {
	store Store
	log   hclog.Logger

	mu     sync.Mutex
	queue  []*entry
	closed bool
	wake   chan struct{}
	done   chan struct{}
}

// entry is one write on its way; err is to be read once done is closed.
type entry struct {
	run   *Run
	write store.Write
	done  chan struct{}
	err   error
}

// New makes a journal and starts its committer; Stop ends it.
func New(s Store, log hclog.Logger) *Journal {
	j := &Journal{store: s, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go j.commit()
	return j
}

// Stop commits what was posted and ends the committer.
func (j *Journal) Stop() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.signal()
	<-j.done
}

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *Journal) post(e *entry) error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return ErrClosed
	}
	j.queue = append(j.queue, e)
	j.mu.Unlock()
	j.signal()
	return nil
}

func (j *Journal) take() (batch []*entry, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.queue), batchLimit)
	batch, j.queue = j.queue[:n:n], j.queue[n:]
	return batch, j.closed
}

func (j *Journal) commit() {
	defer close(j.done)
	for {
		batch, closed := j.take()
		if len(batch) > 0 {
			j.commitBatch(batch)
			continue
		}
		if closed {
			return
		}
		<-j.wake
	}
}

// commitBatch commits, and where a commit's answer is lost finds out what became of it before it tries again.
func (j *Journal) commitBatch(batch []*entry) {
	pause := 10 * time.Millisecond
	for try := 1; ; try++ {
		groups := gather(batch)
		writes := make([]store.Write, len(groups))
		for i, group := range groups {
			writes[i] = group.write
		}
		results, err := j.store.Commit(context.Background(), writes)
		if err == nil {
			for i, group := range groups {
				group.answer(results[i])
			}
			return
		}
		j.log.Error("commit failed", "try", try, "writes", len(batch), "error", err)
		if batch = j.unkept(groups); len(batch) == 0 {
			return
		}
		if try == commitTries {
			for _, group := range gather(batch) {
				group.answer(fmt.Errorf("commit: %w", err))
			}
			return
		}
		time.Sleep(pause)
		pause *= 4
	}
}

// unkept reads back which groups the store holds after a commit without an answer, answers those, and gives the rest.
func (j *Journal) unkept(groups []*group) []*entry {
	var rest []*entry
	for _, g := range groups {
		kept, err := j.kept(g)
		if err != nil || !kept {
			rest = append(rest, g.entries...)
			continue
		}
		g.answer(nil)
	}
	return rest
}

func (j *Journal) kept(g *group) (bool, error) {
	if len(g.write.Events) == 0 {
		return false, nil
	}
	last := g.write.Events[len(g.write.Events)-1]
	events, err := j.store.Events(context.Background(), g.write.RunID, last.Version-1, 1)
	if err != nil || len(events) == 0 {
		return false, err
	}
	found := events[0]
	return found.Kind == last.Kind && found.Operation == last.Operation && found.At.Equal(last.At), nil
}

// group is what one run has in a batch, as one write.
type group struct {
	write   store.Write
	entries []*entry
}

// gather makes one write a run, keeping each run's order. What a write can hold once only begins another.
func gather(batch []*entry) []*group {
	var groups []*group
	byRun := make(map[*Run]*group, 4)
	for _, e := range batch {
		g := byRun[e.run]
		if g == nil || g.full(e) {
			g = &group{write: store.Write{RunID: e.write.RunID, Token: e.write.Token}}
			byRun[e.run] = g
			groups = append(groups, g)
		}
		g.take(e)
	}
	for _, g := range groups {
		g.join()
	}
	return groups
}

// full says that the group cannot take an entry beside those that it has.
func (g *group) full(e *entry) bool {
	return e.write.Head != nil && g.write.Head != nil || e.write.Idempotency != nil && g.write.Idempotency != nil
}

// take adds an entry.
func (g *group) take(e *entry) {
	g.entries = append(g.entries, e)
	if e.write.Head != nil {
		g.write.Head = e.write.Head
	}
	if e.write.Idempotency != nil {
		g.write.Idempotency = e.write.Idempotency
	}
}

// join puts the entries of a group together.
func (g *group) join() {
	var events, placements, logs int
	for _, e := range g.entries {
		events, placements, logs = events+len(e.write.Events), placements+len(e.write.Placements), logs+len(e.write.Logs)
	}
	g.write.Events = make([]execution.Event, 0, events)
	g.write.Placements = make([]store.PlacementWrite, 0, placements)
	g.write.Logs = make([]store.OperationLog, 0, logs)
	for _, e := range g.entries {
		g.write.Events = append(g.write.Events, e.write.Events...)
		g.write.Placements = append(g.write.Placements, e.write.Placements...)
		g.write.Logs = append(g.write.Logs, e.write.Logs...)
		g.write.Durations = append(g.write.Durations, e.write.Durations...)
		g.write.RollbackRecords = append(g.write.RollbackRecords, e.write.RollbackRecords...)
		if e.write.Destroyed != nil {
			g.write.Destroyed = e.write.Destroyed
		}
	}
}

func (g *group) answer(err error) {
	g.entries[0].run.settled(err)
	for _, e := range g.entries {
		e.err = err
		close(e.done)
	}
}
