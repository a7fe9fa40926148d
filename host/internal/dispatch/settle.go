package dispatch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// settle finds out what an earlier attempt left before another one is made. It gives what exists, or that a complete search
// found nothing there, or the end of this attempt when that cannot be told or must not be acted on.
//
// What is convergent is simply executed again. A thing that is known by its name cannot always say whose it is: before its
// first create the name is searched for, and the intent records that nothing was there, so that what is found later is known
// to be ours.
func (a *attempt) settle(ctx context.Context) (existing *contract.Found, absent bool, end *execution.Event) {
	unsettled := a.state.Unsettled()
	creates := a.verb == contract.VerbCreate || a.verb == contract.VerbEnsure
	switch {
	case (unsettled || a.uncertain()) && a.atMostOnce() && !a.state.Retry:
		return nil, false, a.stopped(contract.New(contract.KindInterrupted,
			"an earlier attempt may have done this, and it must not be done twice: retry or skip it"))
	case a.closing && a.state.Crashes >= crashesAllowed:
		return nil, false, a.stopped(contract.New(contract.KindInterrupted,
			"its provider died of it before: how it ended is left to a person"))
	case !creates || unsettled && a.atMostOnce():
		return nil, false, nil
	case a.closing:
		return a.looked(a.look(ctx))
	case a.verb == contract.VerbCreate && a.mayBeThere():
		return a.look(ctx)
	case !unsettled && a.byName() && !a.target.Owned && !a.state.AbsentBefore:
		return a.look(ctx)
	}
	return nil, false, nil
}

// mayBeThere says that something of this graph's own may be there already: an attempt left it, this run completed it before and was
// asked for it once more, or an earlier run, which was cancelled, made it or ended without knowing.
func (a *attempt) mayBeThere() bool {
	return a.state.Unsettled() || a.state.Outcome == contract.OutcomeApplied || a.uncertain() ||
		a.state.Attempt == 0 && a.recorder.Stands(a.operation) && !a.atMostOnce()
}

// uncertain says that an earlier run ended without knowing, and that this one has not tried yet: what it finds out itself counts.
func (a *attempt) uncertain() bool { return a.state.Attempt == 0 && a.recorder.Uncertain(a.operation) }

// looked ends a search that was made to settle: where nothing is, nothing came of what was tried, and nothing is begun. Nothing is
// not enough right after a call was broken off: its last request may still be on its way to the vendor, so that it is searched
// again once that had its time.
func (a *attempt) looked(existing *contract.Found, absent bool, end *execution.Event) (*contract.Found, bool, *execution.Event) {
	if end != nil || !absent {
		return existing, absent, end
	}
	if until := a.firstAsked().Add(a.dispatcher.options.SettleGrace); a.now().Before(until) {
		return nil, false, &execution.Event{
			Status: execution.Pending, RetryAt: until,
			Error: diagnostic(contract.New(contract.KindNotReady, "what was broken off may still come to be")),
		}
	}
	return nil, false, &execution.Event{
		Status: execution.Pending, Outcome: contract.OutcomeNotApplied, Absent: true,
	}
}

// elsewhere puts an operation off whose attempt another host has begun, and may still be at: until write_by the provider there may
// begin requests, and the last of them takes its time at the vendor. Nothing is decided by a lease: a host that lost it may not
// know yet.
func (a *attempt) elsewhere() *execution.Event {
	host := a.dispatcher.options.Host
	if host == "" || !a.state.IntentOpen || a.state.Host == host {
		return nil
	}
	until := a.state.WriteBy.Add(a.dispatcher.options.SettleGrace)
	if !a.now().Before(until) {
		return nil
	}
	return &execution.Event{
		Status: execution.Pending, RetryAt: until,
		Error: diagnostic(contract.New(contract.KindNotReady, "another host may still be at work on this")),
	}
}

func (a *attempt) atMostOnce() bool {
	support, _ := a.kind.Verb(a.verb)
	return support.RepeatSafety == contract.AtMostOnce
}

func (a *attempt) byName() bool { return a.kind.Discovery == contract.DiscoverByName }

// look searches for what the operation is to make.
func (a *attempt) look(ctx context.Context) (existing *contract.Found, absent bool, end *execution.Event) {
	found, complete, err := a.find(ctx)
	if err != nil {
		return nil, false, a.ended(err)
	}
	ours := a.ours(found)
	switch {
	case len(ours) > 1:
		return nil, false, a.stopped(ambiguous(ours))
	case len(ours) == 1 && planted.Is(planted.AdoptedOnSight):
		return nil, false, &execution.Event{Status: execution.Completed, Outcome: contract.OutcomeApplied, Identity: ours[0].Identity}
	case len(ours) == 1:
		return &ours[0], false, nil
	case complete.Completeness != contract.Complete && len(found) == 0:
		return nil, false, a.lagging(complete.RetryAfter)
	}
	return nil, len(found) == 0, nil
}

func (a *attempt) find(ctx context.Context) ([]contract.Found, *contract.FindEnd, error) {
	var found []contract.Found
	end, err := a.provider.Find(ctx, &contract.FindRequest{Context: a.context, Target: a.target}, func(f contract.Found) {
		found = append(found, f)
	})
	return found, end, err
}

// ours keeps what this operation's own earlier attempt may have made. A thing that carries nobody's labels is ours only when
// its name was proven free before the first attempt, or the record says so.
func (a *attempt) ours(found []contract.Found) []contract.Found {
	known := a.target.Owned || a.state.AbsentBefore
	var ours []contract.Found
	for _, f := range found {
		if f.Ownership == contract.OwnershipOurs || f.Ownership != contract.OwnershipOther && known {
			ours = append(ours, f)
		}
	}
	return ours
}

func ambiguous(found []contract.Found) error {
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.Identity
	}
	return contract.New(contract.KindAmbiguous, fmt.Sprintf("%d things carry these labels: %s", len(found), strings.Join(names, ", ")))
}

// settleGrace is added to a type's settle time before an inconclusive search is left to a person.
const settleGrace = 10 * time.Second

// firstAsked is when a search for the operation's thing first told too little, now if none has before.
func (a *attempt) firstAsked() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	first, ok := a.asked[a.operation.ID]
	if !ok {
		first = a.now()
		a.asked[a.operation.ID] = first
	}
	return first
}

// lagging asks again later, for as long as the type says that its reads may lag.
func (a *attempt) lagging(after time.Duration) *execution.Event {
	err := contract.New(contract.KindNotReady, "a search could not yet tell whether this exists")
	if a.now().After(a.firstAsked().Add(a.kind.SettleTime + settleGrace)) {
		return a.stopped(err)
	}
	return &execution.Event{
		Status: execution.Pending, Error: diagnostic(err), RetryAt: a.now().Add(max(after, time.Second)),
	}
}

// ended is the end of an attempt that came to nothing, to be tried again where that may help.
func (a *attempt) ended(err error) *execution.Event {
	event := a.refused(err)
	return &event
}

// stopped is the end that only a person can go on from.
func (a *attempt) stopped(err error) *execution.Event {
	return &execution.Event{Status: execution.Failed, Error: diagnostic(err)}
}
