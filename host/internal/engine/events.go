package engine

import (
	"context"
	"errors"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// eventPage is how many events a follower is given at once.
const eventPage = 500

// EventStream reads one run's events by cursor: from the store, so that nothing is said that is not durable, and woken when
// there is more.
type EventStream struct {
	// RunID is the run that is followed; Reset says that the id asked for was not one of its own, and that it starts anew.
	RunID string
	Reset bool

	engine *Engine
	caller Caller
	plan   *plan.Plan
	index  map[string]int
	after  int64
}

// Events follows the latest run of a graph that changes something, or the one named, from behind an event id.
func (e *Engine) Events(ctx context.Context, caller Caller, graphID, runID, after string) (*EventStream, error) {
	run, err := e.runOf(ctx, caller, graphID, runID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse(NotFound, "this graph has no run")
	}
	if err != nil {
		return nil, classified(err)
	}
	d := e.find(caller, run.ID)
	if d == nil {
		if d, _, err = e.reload(ctx, caller, run); err != nil {
			return nil, classified(err)
		}
	}
	stream := &EventStream{RunID: run.ID, engine: e, caller: caller, plan: d.plan, index: map[string]int{}}
	for i := range d.plan.Operations {
		stream.index[d.plan.Operations[i].ID] = i
	}
	if after != "" {
		of, version, err := rest.ParseEventID(after)
		stream.Reset = err != nil || of != run.ID || version > run.Version
		if !stream.Reset {
			stream.after = version
		}
	}
	return stream, nil
}

// Next gives the events that follow, waiting until there are some. done says that the run is at rest and all was given.
func (s *EventStream) Next(ctx context.Context) (events []rest.Event, done bool, err error) {
	for {
		changed, atRest, live, err := s.wake(ctx)
		if err != nil {
			return nil, false, classified(err)
		}
		rows, err := s.engine.store.Events(ctx, s.RunID, s.after, eventPage)
		if err != nil {
			return nil, false, classified(err)
		}
		for i := range rows {
			events = append(events, s.event(&rows[i]))
			s.after = rows[i].Version
		}
		if len(rows) == eventPage || len(rows) > 0 && live {
			return events, false, nil
		}
		if !live {
			return events, true, nil
		}
		select {
		case <-changed:
		case <-atRest:
		case <-s.glance(changed):
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// glance is the next look at a run that is not at work here, which nothing tells of; never for one that is.
func (s *EventStream) glance(changed <-chan struct{}) <-chan time.Time {
	if changed != nil {
		return nil
	}
	return time.After(glance)
}

// wake gives what tells of the next commit and of the run's coming to rest, nil where it is at work on another host, and whether
// it is at work at all. It is asked before the store is read, so that no commit falls between. The last commit comes before the
// rest: whoever has read it already is told by the rest alone.
func (s *EventStream) wake(ctx context.Context) (changed, atRest <-chan struct{}, live bool, err error) {
	if d := s.engine.find(s.caller, s.RunID); d != nil {
		changed = d.state.Changed()
		select {
		case <-d.done:
		default:
			return changed, d.done, true, nil
		}
	}
	if !s.engine.shared() {
		return nil, nil, false, nil
	}
	run, err := s.engine.store.Run(ctx, s.caller.Tenant, s.RunID)
	return nil, nil, run.Status.Active(), err
}

func (s *EventStream) event(e *execution.Event) rest.Event {
	event := rest.Event{
		ID: rest.EventID(s.RunID, e.Version), RunID: s.RunID, Version: e.Version, At: rest.At(e.At), Kind: string(e.Kind),
		Operation: e.Operation, Operations: e.Operations, Edge: e.Edge, RunStatus: string(e.RunStatus), By: e.By,
		Reason: e.Reason, Mode: rest.Mode(e.Mode), Retry: e.Retry, Absent: e.Absent, Status: string(e.Status),
		Attempt: e.Attempt, Settling: e.Settling, Fraction: e.Fraction,
		Message: e.Message, Outcome: string(e.Outcome), Change: string(e.Change), Identity: e.Identity, Outputs: e.Outputs,
		TagsApplied: e.Labels, Error: rest.DiagnosticOf(e.Error), ProviderRequestID: e.RequestID, RetryAt: rest.At(e.RetryAt),
	}
	if len(e.Checks) > 0 {
		event.Checks = checksOf(e.Checks)
	}
	if i, ok := s.index[e.Operation]; ok {
		event.ResourceID, event.Region = s.plan.Operations[i].Node.ResourceID, s.plan.Operations[i].Region
	}
	return event
}
