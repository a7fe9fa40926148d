package engine

import (
	"context"
	"errors"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// mostGrace bounds the grace that a caller can ask for.
const mostGrace = time.Hour

// Cancel ends a run for good. One that is at work starts nothing new, and is left to finish what it does for the length of the
// grace; then its calls are cancelled, and it is asked how they ended. The answer does not wait for that; Wait does. One that
// is not at work is cancelled at once, and one that has ended is left as it is.
func (e *Engine) Cancel(ctx context.Context, caller Caller, request *rest.CancelRequest) (*rest.RunResult, error) {
	grace, err := e.grace(request)
	if err != nil {
		return nil, err
	}
	result, err := e.cancel(ctx, caller, request, grace)
	return result, classified(err)
}

func (e *Engine) grace(request *rest.CancelRequest) (time.Duration, error) {
	var problems []graph.Problem
	if request.GraphID == "" && request.RunID == "" {
		problems = append(problems, graph.Problem{Pointer: "/graph_id", Message: "graph_id or run_id is required"})
	}
	grace := e.options.CancelGrace
	if request.GraceSeconds != nil {
		if s := *request.GraceSeconds; s < 0 || s > mostGrace.Seconds() {
			problems = append(problems, graph.Problem{Pointer: "/grace_seconds", Message: "must be from 0 to 3600"})
		}
		grace = time.Duration(*request.GraceSeconds * float64(time.Second))
	}
	if len(problems) > 0 {
		return 0, invalid(problems...)
	}
	return grace, nil
}

func (e *Engine) cancel(ctx context.Context, caller Caller, request *rest.CancelRequest, grace time.Duration) (*rest.RunResult, error) {
	for {
		run, err := e.cancelledRun(ctx, caller, request)
		if err != nil {
			return nil, err
		}
		begun, err := e.cancelHere(run.ID, caller.Name, grace)
		switch {
		case err != nil:
			return nil, err
		case begun || run.Status.Final():
			return e.Result(ctx, caller, run.ID)
		case run.Status.Active() && e.shared():
			// Whoever has it will see that at its next renewal.
			err := e.store.RequestCancel(ctx, caller.Tenant, run.ID, caller.Name)
			if errors.Is(err, store.ErrStale) {
				continue
			}
			if err != nil {
				return nil, err
			}
			return e.Result(ctx, caller, run.ID)
		case run.Status.Active():
			// It came to rest just now, and the store is about to say how; or it is just about to begin.
			if err := e.Wait(ctx, caller, run.ID); err != nil {
				return nil, err
			}
			if run, err = e.store.Run(ctx, caller.Tenant, run.ID); err != nil {
				return nil, err
			}
			if run.Status.Active() {
				return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this run is just being set going: cancel it once it is"}
			}
		default:
			return e.claimed(ctx, caller, run, func(d *drive, state *execution.Run) (*rest.RunResult, error) {
				return e.cancelAtRest(ctx, caller, d, state)
			})
		}
	}
}

func (e *Engine) cancelledRun(ctx context.Context, caller Caller, request *rest.CancelRequest) (store.Run, error) {
	var run store.Run
	var err error
	if request.GraphID != "" {
		run, err = e.runOf(ctx, caller, request.GraphID, request.RunID)
	} else {
		run, err = e.store.Run(ctx, caller.Tenant, request.RunID)
	}
	if errors.Is(err, store.ErrNotFound) {
		return run, refuse(NotFound, "there is no such run")
	}
	return run, err
}

// cancelHere begins the cancellation of a run that is at work in this host; false says that none of that id is. Who asks has
// been let in before: it may also be another host, through the store.
func (e *Engine) cancelHere(runID, by string, grace time.Duration) (bool, error) {
	e.mu.Lock()
	d := e.drives[runID]
	e.mu.Unlock()
	if d == nil {
		return false, nil
	}
	return d.cancel(by, grace)
}

// cancel makes the request durable, starts nothing more from then on, and breaks off what is in flight after the grace. False
// says that the run came to rest by itself.
func (d *drive) cancel(by string, grace time.Duration) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ending {
		return d.cancelled, nil
	}
	if !d.cancelled {
		event := runEvent(execution.RunCancelling, by, "cancelled by request")
		if err := d.state.Append(journal.Entry{Events: []execution.Event{event}}); err != nil {
			return false, err
		}
		d.cancelled = true
		d.stop()
	}
	d.graces = append(d.graces, time.AfterFunc(grace, d.abort))
	return true, nil
}

// end says that nothing of the run is in flight any more, and whether it was cancelled. One that was is still to be settled; from
// then on, as from now on for any other, it cannot be cancelled or lost any more.
func (d *drive) end(settled bool) (cancelled bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ending = settled || !d.cancelled
	for _, timer := range d.graces {
		timer.Stop()
	}
	return d.cancelled
}

// settle finds out, within a bound and while the credentials are still held, how those operations ended that a cancelled run
// broke off, and gives how the run comes to rest. What stays unknown has failed.
func (e *Engine) settle(d *drive, recorder *recorder) (execution.RunStatus, string, error) {
	ctx, cancel := context.WithTimeout(d.owned, e.options.SettleTimeout)
	defer cancel()
	settler := e.dispatcher.Settler(d.call, recorder)
	if err := schedule.Settle(ctx, ctx, d.plan, recorder, settler, e.options.Concurrency); err != nil {
		return "", "", err
	}
	if d.owned.Err() != nil {
		return execution.RunInterrupted, "the host had to stop before the run was cancelled", nil
	}
	entry, complete := journal.Entry{}, false
	recorder.Peek(func(run *execution.Run) {
		entry = recorder.givenUp(run)
		complete = run.Count(execution.Completed)+run.Count(execution.Skipped) == len(run.Operations())
	})
	if len(entry.Events) > 0 {
		if err := d.state.Append(entry); err != nil {
			return "", "", err
		}
	}
	if complete {
		return execution.RunCompleted, "all was done before it could be cancelled", nil
	}
	return execution.RunCancelled, "cancelled by request", nil
}

// givenUp ends those operations that are left half done, or of which nobody will find out how they stand: they have failed, and the
// record keeps that something may be there, so that the next run looks first.
func (r *recorder) givenUp(run *execution.Run) journal.Entry {
	var entry journal.Entry
	for i := range run.Operations() {
		operation := &run.Operations()[i]
		if !operation.Unsettled() || operation.Status != execution.Running && operation.Status != execution.Pending {
			continue
		}
		d := contract.New(contract.KindCancelled, "the run was cancelled before this was brought to an end").Diagnostic
		event := execution.Event{
			Kind: execution.Ended, Operation: operation.ID, Status: execution.Failed, Outcome: contract.OutcomeUnknown, Error: &d,
		}
		if !operation.Unknown() {
			event.Outcome = operation.Outcome
		}
		entry.Events = append(entry.Events, event)
		if write := r.placement(&r.drive.plan.Operations[i], &event); write != nil {
			entry.Placements = append(entry.Placements, *write)
		}
	}
	return entry
}

// cancelAtRest cancels a run that no host is at work on. What it left open stays so: there are no credentials to ask with.
func (e *Engine) cancelAtRest(ctx context.Context, caller Caller, d *drive, state *execution.Run) (*rest.RunResult, error) {
	token, err := e.acquire(ctx, state)
	if err != nil {
		return nil, err
	}
	d.state, d.done = e.journal.Open(state, token, e.options.Now), make(chan struct{})
	close(d.done)
	recorder := e.newRecorder(d)
	entry := recorder.givenUp(state)
	entry.Events = append(entry.Events, runEvent(execution.RunCancelled, caller.Name, "cancelled by request"))
	if err := d.state.Append(entry); err != nil {
		return nil, err
	}
	e.retire(d)
	return e.result(ctx, d)
}
