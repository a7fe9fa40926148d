package dispatch

import (
	"context"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// before has the provider write down how things stand, ahead of the first attempt of the run on them: for types that can be
// rolled back, and runs that can. A later attempt finds what the first one may have changed, and asks no more.
func (a *attempt) before(ctx context.Context) (*contract.PlanResult, error) {
	undoable := a.Performer.run.Kind == execution.Apply || a.Performer.run.Kind == execution.Move
	if !undoable || !a.kind.Rollbacks || a.state.Attempt > 0 {
		return &contract.PlanResult{}, nil
	}
	q := question{provider: a.provider, kind: a.kind, verb: a.verb, target: a.target, context: a.context}
	planned, err := q.plan(ctx)
	if contract.KindOf(err) == contract.KindUnsupported {
		return &contract.PlanResult{}, nil
	}
	return planned, err
}

// undo brings back what the record of an earlier run's operation holds. It may be repeated: an attempt whose outcome is not
// known is settled by another one.
func (a *attempt) undo(ctx context.Context) (execution.Event, error) {
	record := a.recorder.Undoing(a.operation)
	if record == nil {
		return *a.stopped(contract.New(contract.KindPrecondition, "there is no record to bring it back by")), nil
	}
	a.open(false)
	if err := a.recorder.Intend(a.operation, a.intent, nil); err != nil {
		return execution.Event{}, err
	}
	request := &contract.RollbackRequest{Context: a.context, Target: a.target, Record: *record}
	return a.concluded(a.provider.Rollback(ctx, request, a.hear())), nil
}

// gone proves, in a run that takes things back, that what was deleted is not there any more. What is still found is deleted
// again, by the next attempt.
func (a *attempt) gone(ctx context.Context, event execution.Event) execution.Event {
	if a.Performer.run.Kind != execution.Rollback || a.verb != contract.VerbDelete || event.Status != execution.Completed {
		return event
	}
	until := a.now().Add(a.kind.SettleTime + settleGrace)
	for {
		found, end, err := a.find(ctx)
		if err != nil {
			return a.weighed(execution.Event{Outcome: contract.OutcomeUnknown, Error: diagnostic(err)})
		}
		if len(a.ours(found)) == 0 && end.Completeness == contract.Complete {
			return event
		}
		if a.now().After(until) || !pause(ctx, max(end.RetryAfter, time.Second)) {
			err := contract.New(contract.KindNotReady, "it was deleted, and a search does not show that yet")
			return a.weighed(execution.Event{Outcome: contract.OutcomeUnknown, Error: diagnostic(err)})
		}
	}
}
