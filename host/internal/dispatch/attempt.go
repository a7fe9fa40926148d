package dispatch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// answerGrace is how long a call may go on after write_by: long enough to say how it ended.
const answerGrace = 30 * time.Second

// attempt is one try at one operation.
type attempt struct {
	*Performer
	operation *plan.Operation
	state     execution.Operation
	started   time.Time
	// calls ends when the host gives up on calls in flight.
	calls context.Context

	provider contract.Provider
	kind     *contract.ResourceType
	limits   contract.RateLimit
	verb     contract.Verb
	context  contract.CallContext
	target   contract.Target
	intent   execution.Event
}

// run gives the end of the attempt; an error means that the intent could not be recorded.
//
// The references are resolved before a place among the provider's calls is taken: their searches need places of their own. The
// operation's time begins once it has its place.
func (a *attempt) run(ctx context.Context) (execution.Event, error) {
	if end := a.elsewhere(); end != nil {
		return *end, nil
	}
	release, err := a.prepare(ctx)
	if err != nil {
		return a.refused(err), nil
	}
	defer release()
	leave, err := a.dispatcher.limits.enter(ctx, a.context, a.operation.Node.Provider(), a.limits)
	if err != nil {
		return a.refused(err), nil
	}
	defer leave()
	a.started = a.now()
	ctx, cancel := context.WithDeadline(ctx, a.deadline().Add(answerGrace))
	defer cancel()
	if a.verb == contract.VerbVerify {
		return a.verify(ctx), nil
	}
	return a.execute(ctx)
}

func (a *attempt) deadline() time.Time {
	timeout := a.dispatcher.options.Timeout
	if seconds := a.operation.Node.Timeout; seconds > 0 {
		timeout = time.Duration(seconds * float64(time.Second))
	}
	return a.started.Add(timeout)
}

// prepare gets the provider and fills in the target, within the time of one operation.
func (a *attempt) prepare(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithDeadline(ctx, a.deadline())
	defer cancel()
	a.verb = a.operation.Node.Verb
	if a.Performer.run.Kind == execution.Verify {
		a.verb = contract.VerbVerify
	}
	name, version := a.pin(a.operation.Node)
	provider, description, release, err := a.dispatcher.providers.Use(ctx, name, version)
	if err != nil {
		return nil, err
	}
	kind, ok := description.Type(a.operation.Node.Type)
	if !ok {
		release()
		return nil, contract.New(contract.KindUnsupported, "the provider no longer offers this resource type")
	}
	a.provider, a.kind, a.limits = provider, kind, a.dispatcher.limitOf(name, description)
	a.context = a.callContext(a.operation)
	a.target, err = a.targetOf(ctx, a.operation)
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// callContext is what a call about this operation carries, before there is an intent.
func (p *Performer) callContext(operation *plan.Operation) contract.CallContext {
	name, access := operation.Node.Provider(), p.run.Access
	if operation.Node.Away {
		access = p.run.Away
	}
	return contract.CallContext{
		CallID:          p.run.ID + "/" + operation.ID,
		Account:         access.Accounts[name],
		Region:          operation.Region,
		Settings:        p.run.Settings[name],
		Credentials:     access.Credentials[name],
		Tenant:          p.run.Tenant,
		DeploymentID:    p.run.DeploymentID,
		Owner:           p.run.Owner,
		AllowPlainBoxes: p.run.AllowPlainBoxes,
	}
}

func (a *attempt) execute(ctx context.Context) (execution.Event, error) {
	if a.operation.Node.Undo != nil {
		return a.undo(ctx)
	}
	existing, absent, end := a.settle(ctx)
	if end != nil {
		return *end, nil
	}
	before, err := a.before(ctx)
	if err != nil {
		return a.refused(err), nil
	}
	a.open(absent)
	a.intent.Planned = before.Action
	if planted.Is(planted.LateIntent) {
		defer func() { _ = a.recorder.Intend(a.operation, a.intent, before.Record) }()
	} else if err := a.recorder.Intend(a.operation, a.intent, before.Record); err != nil {
		return execution.Event{}, err
	}
	a.target.Owned = a.target.Owned || absent || a.state.AbsentBefore
	request := &contract.ExecuteRequest{
		Context: a.context, Target: a.target, Verb: a.verb, Existing: existing, PriorOutcome: a.prior(), Prepared: before.Prepared,
		KeepContents: a.verb == contract.VerbDelete && a.Performer.run.Kind == execution.Move,
	}
	result, err := a.provider.Execute(ctx, request, a.hear())
	return a.gone(ctx, a.concluded(result, err)), nil
}

// prior is how an earlier attempt ended, as a provider should read it: an open intent is an unknown outcome.
func (a *attempt) prior() contract.Outcome {
	if a.state.IntentOpen {
		return contract.OutcomeUnknown
	}
	return a.state.Outcome
}

// open fills in the intent, and what the call carries because of it. The generation rises once it is proven that the attempt
// before changed nothing, or ended well and is asked for again; never after an unknown outcome.
func (a *attempt) open(absent bool) {
	generation := max(a.state.Generation, 1)
	if a.state.Attempt > 0 && (!a.state.Unsettled() || planted.Is(planted.RisingGeneration)) {
		generation++
	}
	a.context.Attempt = a.state.Attempt + 1
	a.context.WriteBy = a.deadline()
	a.context.IdempotencyKey = a.key(generation)
	if planted.Is(planted.KeyPerAttempt) {
		a.context.IdempotencyKey = a.key(a.context.Attempt)
	}
	a.intent = execution.Event{
		Kind: execution.Intent, Operation: a.operation.ID, Attempt: a.context.Attempt, Generation: generation,
		Key: a.context.IdempotencyKey, WriteBy: a.context.WriteBy, Host: a.dispatcher.options.Host, Settling: a.state.Unsettled(), AbsentBefore: absent,
	}
}

// key is the idempotency key: the same for every attempt until the generation rises. Sealed values are not part of it, since
// sealing the same again gives other bytes.
func (a *attempt) key(generation int) string {
	digest := sha256.New()
	for _, part := range []string{
		a.Performer.run.Owner, a.Performer.run.ID, a.operation.ID, string(a.verb), strconv.Itoa(generation),
		a.target.Type, a.target.Name, string(a.operation.Node.Properties),
	} {
		_, _ = io.WriteString(digest, strconv.Itoa(len(part))+":"+part)
	}
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

// progressEvery is how often an operation's progress is recorded at most.
const progressEvery = 500 * time.Millisecond

// hear records what the provider says while it works.
func (a *attempt) hear() func(contract.Event) {
	last := a.started
	return func(event contract.Event) {
		switch {
		case event.Identity != nil:
			a.recorder.Post(a.operation, execution.Event{
				Kind: execution.Identified, Operation: a.operation.ID, Identity: event.Identity.ID,
			})
		case event.Progress != nil:
			if now := a.now(); now.Sub(last) >= progressEvery {
				last = now
				a.recorder.Post(a.operation, execution.Event{
					Kind: execution.Progressed, Operation: a.operation.ID,
					Fraction: event.Progress.Fraction, Message: event.Progress.Message,
				})
			}
		case event.Log != nil:
			a.recorder.Log(a.operation, event.Log.Level, event.Log.Message)
		case event.Throttle != nil:
			a.recorder.Log(a.operation, "warn", "throttled: "+event.Throttle.Summary)
		}
	}
}

// verify compares the real thing with the target. In a run that verifies, what could not be compared is a check of its own, so
// that one question without an answer does not keep the others from being asked.
func (a *attempt) verify(ctx context.Context) execution.Event {
	a.target.Owned = a.target.Owned || a.state.AbsentBefore
	result, err := a.provider.Verify(ctx, &contract.VerifyRequest{Context: a.context, Target: a.target})
	if err != nil {
		return a.refused(err)
	}
	event := execution.Event{Status: execution.Completed, Checks: checksOf(result.Checks), Change: contract.ChangeNone}
	if a.Performer.run.Kind != execution.Verify && !passed(event.Checks) {
		event.Status = execution.Failed
		event.Error = diagnostic(contract.New(contract.KindPrecondition, "verification found differences"))
	}
	return event
}

func checksOf(checks []contract.Check) []execution.Check {
	converted := make([]execution.Check, len(checks))
	for i, check := range checks {
		converted[i] = execution.Check(check)
	}
	return converted
}

func passed(checks []execution.Check) bool {
	for _, check := range checks {
		if check.Status != contract.CheckPass {
			return false
		}
	}
	return true
}

func diagnostic(err error) *contract.Diagnostic {
	d := contract.DiagnosticOf(err)
	return &d
}

// object is one JSON object, nil for none.
func object(raw json.RawMessage) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(raw, &members) // what is no object has no members
	return members
}
