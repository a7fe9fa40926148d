// Package schedule decides when an operation runs: as soon as its own predecessors are done, within a bound, no longer once
// something has failed, and not while an edge holds it. It owns the order of one run at work; what an operation does is the
// performer's, and what becomes of the run afterwards its caller's.
package schedule

import (
	"container/heap"
	"context"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
)

// Performer brings one operation to the end of an attempt, and returns that end once it is durable. An error means that it
// could not be recorded: nothing more may be started.
type Performer interface {
	Perform(ctx context.Context, operation *plan.Operation) (execution.Event, error)
}

// Recorder is the durable state of the run.
type Recorder interface {
	// Note records an event that nothing waits for: what follows it is recorded after it.
	Note(event execution.Event) error
	// Peek shows the state as it stands.
	Peek(read func(*execution.Run))
}

// Options say how far a run goes.
type Options struct {
	// Limit bounds the operations that are in flight at once.
	Limit int
	// Step performs the next operation, as often as that is tried, and nothing behind it.
	Step bool
	// Early says which of those that this run has not tried go first, beside those that are unsettled; nil for none.
	Early func(*plan.Operation) bool
}

// Run performs what is left of a plan, and says how the run came to rest: completed, failed, paused when all that is left waits
// for a person, or interrupted when ctx ended first. Failed outranks paused. What is in flight is never abandoned: it is waited
// for. ctx is not the performer's: cancelling it starts nothing new, and lets finish what runs.
func Run(ctx, calls context.Context, p *plan.Plan, recorder Recorder, performer Performer, options Options) (execution.RunStatus, error) {
	s := newScheduler(calls, p, recorder, performer, options.Limit)
	s.step = options.Step
	s.prepare(options.Early)
	s.loop(ctx)
	return s.status(), s.err
}

// Settle performs just those operations that an attempt left half done, or of which nobody knows how they stand, whatever they are
// behind, until each is known, has failed, or ctx ends. Nothing follows from how they end. One that failed half way, for a reason
// that is known, is left as it is.
func Settle(ctx, calls context.Context, p *plan.Plan, recorder Recorder, performer Performer, limit int) error {
	s := newScheduler(calls, p, recorder, performer, limit)
	s.settling = true
	recorder.Peek(func(run *execution.Run) {
		for i := range run.Operations() {
			operation := &run.Operations()[i]
			left := operation.Unknown() || operation.Unsettled() && operation.Status != execution.Failed
			if left && execution.CanChange(operation.Status, execution.Running) {
				s.ready = append(s.ready, i)
			}
		}
	})
	s.loop(ctx)
	return s.err
}

type scheduler struct {
	plan      *plan.Plan
	recorder  Recorder
	performer Performer
	limit     int
	calls     context.Context
	step      bool
	settling  bool

	*standing
	ready    []int
	retries  retries
	inFlight int
	done     chan end

	held    int  // wait for an edge to be released
	left    bool // wait for the next step
	failed  bool
	stopped bool
	err     error
}

func newScheduler(calls context.Context, p *plan.Plan, recorder Recorder, performer Performer, limit int) *scheduler {
	return &scheduler{
		plan: p, recorder: recorder, performer: performer, limit: limit, calls: calls, done: make(chan end, limit),
	}
}

// end is how one operation came out of an attempt.
type end struct {
	operation int
	event     execution.Event
	err       error
}

// prepare finds what is ready, what is held, and what an end edge leaves out.
func (s *scheduler) prepare(early func(*plan.Operation) bool) {
	var left, held []string
	s.recorder.Peek(func(run *execution.Run) {
		s.standing = stand(s.plan, run)
		left, held = s.unsaid(run)
		s.ready = s.frontier(s.plan, run, early)
	})
	s.left = s.step && len(s.ready) > 1
	if s.step && s.left {
		s.ready = s.ready[:1]
	}
	s.move(left, execution.Skipped, "behind an end edge")
	s.move(held, execution.Paused, heldReason)
}

const heldReason = "held by a pause edge"

// unsaid gives the operations whose status does not say yet that they are left out, or held.
func (s *scheduler) unsaid(run *execution.Run) (left, held []string) {
	for i := range s.plan.Operations {
		operation := &run.Operations()[i]
		switch {
		case s.plan.Operations[i].Cut && execution.CanChange(operation.Status, execution.Skipped):
			left = append(left, operation.ID)
		case s.closed[i] || s.waiting[i] > 0 || !s.holds[i]:
		default:
			s.held++
			if execution.CanChange(operation.Status, execution.Paused) {
				held = append(held, operation.ID)
			}
		}
	}
	return left, held
}

// move notes a change of status of some operations, in one event.
func (s *scheduler) move(ids []string, to execution.Status, reason string) {
	if len(ids) == 0 || s.err != nil {
		return
	}
	s.err = s.recorder.Note(execution.Event{Kind: execution.Changed, Operations: ids, Status: to, Reason: reason})
}

func (s *scheduler) loop(ctx context.Context) {
	stop := ctx.Done()
	for {
		if ctx.Err() != nil {
			stop, s.stopped = nil, true
		}
		for s.going() && len(s.ready) > 0 && s.inFlight < s.limit {
			s.start()
		}
		if s.inFlight == 0 && (!s.going() || len(s.ready) == 0 && len(s.retries) == 0) {
			return
		}
		timer, cancel := s.nextRetry()
		select {
		case e := <-s.done:
			s.finish(e)
		case <-timer:
			s.wakeRetries()
		case <-stop:
		}
		cancel()
	}
}

// going says whether anything new may start.
func (s *scheduler) going() bool { return !s.failed && !s.stopped && s.err == nil }

func (s *scheduler) start() {
	i := s.ready[0]
	s.ready = s.ready[1:]
	s.inFlight++
	go func() {
		event, err := s.performer.Perform(s.calls, &s.plan.Operations[i])
		s.done <- end{operation: i, event: event, err: err}
	}()
}

func (s *scheduler) finish(e end) {
	s.inFlight--
	switch {
	case e.err != nil:
		s.err = e.err
	case s.settling && (e.event.Status != execution.Pending || e.event.Absent):
		// It is known now, or left to a person.
	case e.event.Status == execution.Pending:
		heap.Push(&s.retries, retry{operation: e.operation, at: e.event.RetryAt})
	case e.event.Status == execution.Completed:
		s.release(e.operation)
	default:
		s.fail(e.operation)
	}
}

// release lets those go on that waited for the operation. One that was skipped by request lets go what is behind it in turn.
func (s *scheduler) release(operation int) {
	s.open--
	var held []string
	for queue := []int{operation}; len(queue) > 0; queue = queue[1:] {
		for _, edge := range s.plan.Operations[queue[0]].Successors {
			next := edge.Operation
			if s.waiting[next]--; s.waiting[next] > 0 {
				continue
			}
			switch {
			case s.skipped[next]:
				queue = append(queue, next)
			case s.closed[next]:
			case s.holds[next]:
				s.held++
				held = append(held, s.plan.Operations[next].ID)
			case s.step && !planted.Is(planted.LongStep):
				s.left = true
			default:
				s.ready = append(s.ready, next)
			}
		}
	}
	s.move(s.unheld(held), execution.Paused, heldReason)
}

// unheld leaves away what is known to be held: it was, before something ahead of it was asked for once more.
func (s *scheduler) unheld(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	var kept []string
	s.recorder.Peek(func(run *execution.Run) {
		for _, id := range ids {
			if run.Operation(id).Status != execution.Paused {
				kept = append(kept, id)
			}
		}
	})
	return kept
}

// fail stops the run and blocks what is behind the operation; each operation is looked at once in a run.
func (s *scheduler) fail(operation int) {
	s.failed = true
	s.closed[operation] = true
	var blocked []string
	for queue := []int{operation}; len(queue) > 0; queue = queue[1:] {
		for _, edge := range s.plan.Operations[queue[0]].Successors {
			next := edge.Operation
			if s.closed[next] && !s.skipped[next] || s.met[next] {
				continue
			}
			s.met[next] = true
			queue = append(queue, next)
			if !s.skipped[next] {
				s.closed[next] = true
				blocked = append(blocked, s.plan.Operations[next].ID)
			}
		}
	}
	if planted.Is(planted.OpenDownstream) {
		return
	}
	s.move(blocked, execution.Blocked, "predecessor "+s.plan.Operations[operation].ID+" failed")
}

func (s *scheduler) status() execution.RunStatus {
	switch {
	case s.failed:
		return execution.RunFailed
	case s.open == 0:
		return execution.RunCompleted
	case len(s.ready) == 0 && len(s.retries) == 0 && (s.held > 0 || s.left):
		return execution.RunPaused
	default:
		return execution.RunInterrupted
	}
}

// retry is an operation that waits, and holds no slot while it does.
type retry struct {
	operation int
	at        time.Time
}

// retries is a heap, the first that is due on top.
type retries []retry

func (r retries) Len() int           { return len(r) }
func (r retries) Less(a, b int) bool { return r[a].at.Before(r[b].at) }
func (r retries) Swap(a, b int)      { r[a], r[b] = r[b], r[a] }

// Push implements heap.Interface.
func (r *retries) Push(one any) { *r = append(*r, one.(retry)) }

// Pop implements heap.Interface.
func (r *retries) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

// nextRetry is a channel that fires when the next waiting operation is due, nil when none waits.
func (s *scheduler) nextRetry() (<-chan time.Time, func()) {
	if len(s.retries) == 0 || !s.going() {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Until(s.retries[0].at))
	return timer.C, func() { timer.Stop() }
}

func (s *scheduler) wakeRetries() {
	for now := time.Now(); len(s.retries) > 0 && !s.retries[0].at.After(now); {
		s.ready = append(s.ready, heap.Pop(&s.retries).(retry).operation)
	}
}
