// Package schedule decides when an operation runs: as soon as its own predecessors are done, within a bound, and no longer
// once something has failed. It owns the order of one run at work; what an operation does is the performer's, and what becomes
// of the run afterwards its caller's.
package schedule

import (
	"cmp"
	"context"
	"slices"
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
	// Change returns once the event is durable.
	Change(event execution.Event) error
	// Peek shows the state as it stands.
	Peek(read func(*execution.Run))
}

// Run performs what is left of a plan, at most limit operations at once, and says how the run came to rest: completed,
// failed, or interrupted when ctx ended first. What is in flight is never abandoned: it is waited for. ctx is not the
// performer's: cancelling it starts nothing new, and lets finish what runs.
func Run(ctx, calls context.Context, p *plan.Plan, recorder Recorder, performer Performer, limit int) (execution.RunStatus, error) {
	s := &scheduler{
		plan: p, recorder: recorder, performer: performer, limit: limit, calls: calls,
		done: make(chan end, limit), waiting: make([]int, len(p.Operations)), settled: make([]bool, len(p.Operations)),
	}
	s.prepare()
	s.loop(ctx)
	return s.status(), s.err
}

type scheduler struct {
	plan      *plan.Plan
	recorder  Recorder
	performer Performer
	limit     int
	calls     context.Context

	ready    []int
	waiting  []int  // predecessors not yet done
	settled  []bool // completed, skipped, failed or blocked: never started by this run of the loop
	retries  []retry
	inFlight int
	done     chan end

	failed  bool
	stopped bool
	err     error
}

// end is how one operation came out of an attempt.
type end struct {
	operation int
	event     execution.Event
	err       error
}

// retry is an operation that waits, and holds no slot while it does.
type retry struct {
	operation int
	at        time.Time
}

// prepare finds what is ready. What may have been left half done by an earlier attempt goes first.
func (s *scheduler) prepare() {
	s.recorder.Peek(func(run *execution.Run) {
		operations := run.Operations()
		for i := range operations {
			s.settled[i] = operations[i].Status == execution.Completed || operations[i].Status == execution.Skipped
		}
		for i := range s.plan.Operations {
			s.prepareOne(i)
		}
		slices.SortStableFunc(s.ready, func(a, b int) int {
			return cmp.Compare(unsettledFirst(&operations[a]), unsettledFirst(&operations[b]))
		})
	})
}

func (s *scheduler) prepareOne(i int) {
	for _, edge := range s.plan.Operations[i].Predecessors {
		if !s.settled[edge.Operation] {
			s.waiting[i]++
		}
	}
	if s.waiting[i] == 0 && !s.settled[i] {
		s.ready = append(s.ready, i)
	}
}

func unsettledFirst(operation *execution.Operation) int {
	if operation.Unsettled() {
		return 0
	}
	return 1
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
	case e.event.Status == execution.Completed:
		s.release(e.operation)
	case e.event.Status == execution.Pending:
		s.retries = append(s.retries, retry{operation: e.operation, at: e.event.RetryAt})
	default:
		s.fail(e.operation)
	}
}

func (s *scheduler) release(operation int) {
	s.settled[operation] = true
	for _, edge := range s.plan.Operations[operation].Successors {
		if s.waiting[edge.Operation]--; s.waiting[edge.Operation] == 0 && !s.settled[edge.Operation] {
			s.ready = append(s.ready, edge.Operation)
		}
	}
}

// fail stops the run and blocks what is behind the operation; each operation is looked at once in a run.
func (s *scheduler) fail(operation int) {
	s.failed = true
	s.settled[operation] = true
	var blocked []string
	for queue := []int{operation}; len(queue) > 0; queue = queue[1:] {
		for _, edge := range s.plan.Operations[queue[0]].Successors {
			if s.settled[edge.Operation] {
				continue
			}
			s.settled[edge.Operation] = true
			blocked = append(blocked, s.plan.Operations[edge.Operation].ID)
			queue = append(queue, edge.Operation)
		}
	}
	if len(blocked) == 0 || s.err != nil || planted.Is(planted.OpenDownstream) {
		return
	}
	s.err = s.recorder.Change(execution.Event{
		Kind: execution.Changed, Operations: blocked, Status: execution.Blocked,
		Reason: "predecessor " + s.plan.Operations[operation].ID + " failed",
	})
}

// nextRetry is a channel that fires when the next waiting operation is due, nil when none waits.
func (s *scheduler) nextRetry() (<-chan time.Time, func()) {
	if len(s.retries) == 0 || !s.going() {
		return nil, func() {}
	}
	next := slices.MinFunc(s.retries, func(a, b retry) int { return a.at.Compare(b.at) })
	timer := time.NewTimer(time.Until(next.at))
	return timer.C, func() { timer.Stop() }
}

func (s *scheduler) wakeRetries() {
	now := time.Now()
	s.retries = slices.DeleteFunc(s.retries, func(r retry) bool {
		due := !r.at.After(now)
		if due {
			s.ready = append(s.ready, r.operation)
		}
		return due
	})
}

func (s *scheduler) status() execution.RunStatus {
	switch {
	case s.failed:
		return execution.RunFailed
	case s.stopped && !s.complete():
		return execution.RunInterrupted
	default:
		return execution.RunCompleted
	}
}

func (s *scheduler) complete() bool { return !slices.Contains(s.settled, false) }
