package dispatch

import (
	"math/rand/v2"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// crashesAllowed is how often an operation may be in flight when its provider dies before it is set aside, so that one
// poisoned input cannot take a provider away from everyone.
const crashesAllowed = 2

// refused ends an operation before any request that could change something: no intent was opened, or the call was never made.
// An intent that an earlier attempt left open stays open.
func (a *attempt) refused(err error) execution.Event {
	if a.Performer.run.Kind == execution.Verify {
		d := contract.DiagnosticOf(err)
		return execution.Event{Status: execution.Completed, Checks: []execution.Check{{
			Name: "reachable", Status: contract.CheckUnknown, Message: string(d.Kind) + ": " + d.Summary,
		}}}
	}
	return a.weighed(execution.Event{Error: diagnostic(err)})
}

// concluded reads the end of an attempt from the provider's answer. A call without a result is an unknown outcome.
func (a *attempt) concluded(result *contract.Result, err error) execution.Event {
	if err != nil || result == nil {
		if err == nil {
			err = contract.New(contract.KindProviderFault, "the provider ended the call without a result")
		}
		if planted.Is(planted.LyingOutcome) {
			return a.weighed(execution.Event{Outcome: contract.OutcomeNotApplied, Error: diagnostic(err)})
		}
		return a.weighed(execution.Event{Outcome: contract.OutcomeUnknown, Error: diagnostic(err)})
	}
	event := execution.Event{
		Outcome: result.Outcome, Change: result.Change, Identity: result.Identity, Outputs: result.Outputs,
		Labels: result.LabelsApplied, RequestID: result.VendorRequestID,
	}
	if result.Outcome == contract.OutcomeApplied {
		event.Status = execution.Completed
		return event
	}
	if result.Outcome == contract.OutcomeNone {
		event.Outcome = contract.OutcomeUnknown
	}
	event.Error = firstError(result.Diagnostics)
	return a.weighed(event)
}

func firstError(diagnostics []contract.Diagnostic) *contract.Diagnostic {
	for i := range diagnostics {
		if diagnostics[i].Severity == contract.SeverityError {
			return &diagnostics[i]
		}
	}
	return diagnostic(contract.New(contract.KindProviderFault, "the provider gave no reason"))
}

// weighed decides between another try and failure.
func (a *attempt) weighed(event execution.Event) execution.Event {
	event.Status = execution.Failed
	if a.calls.Err() != nil {
		// The host is going away: the operation did not fail. What it may have left is settled by whoever goes on.
		event.Status, event.RetryAt = execution.Pending, a.now()
		return event
	}
	if !a.mayPass(event.Error) {
		return event
	}
	a.mu.Lock()
	a.tries[a.operation.ID]++
	tries := a.tries[a.operation.ID]
	a.mu.Unlock()
	if tries >= a.dispatcher.options.Tries {
		return event
	}
	event.Status = execution.Pending
	event.RetryAt = a.now().Add(max(event.Error.RetryAfter, backoff(tries)))
	return event
}

// mayPass says whether trying again, by itself, can help.
func (a *attempt) mayPass(d *contract.Diagnostic) bool {
	switch d.Retry {
	case contract.RetryAfterDelay:
		return true
	case contract.RetryAfterFind:
		crashes := a.state.Crashes
		if d.Kind == contract.KindInterrupted {
			crashes++
		}
		return d.Kind != contract.KindCancelled && crashes < crashesAllowed && !a.atMostOnce()
	default:
		return false
	}
}

const (
	backoffFirst = 250 * time.Millisecond
	backoffMost  = 20 * time.Second
)

// backoff doubles with each try, with jitter of a half, so that what failed together does not come back together.
func backoff(tries int) time.Duration {
	full := min(backoffFirst<<min(tries-1, 10), backoffMost)
	return full/2 + rand.N(full/2)
}
