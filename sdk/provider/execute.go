package provider

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// done is what a verb came to.
type done struct {
	outputs  Outputs
	identity string
	change   contract.Change
	// labels are those that the thing carries now.
	labels map[string]string
}

// attempt is one Execute, Plan or Rollback under way.
type attempt[C, P any] struct {
	*typed[C, P]
	call    *call
	request *contract.ExecuteRequest
	target  *contract.Target
	client  C
	op      *Operation[P]
}

// execute performs a verb and derives its outcome.
func (t *typed[C, P]) execute(ctx context.Context, c *call, request *contract.ExecuteRequest) *contract.Result {
	end, err := t.perform(ctx, c, request)
	return t.result(c, request.Consumers, end, err)
}

func (t *typed[C, P]) perform(ctx context.Context, c *call, request *contract.ExecuteRequest) (done, error) {
	if err := checkConsumers(request.Consumers); err != nil {
		return done{}, err
	}
	a, end, err := t.begin(ctx, c, request)
	if err != nil {
		return done{}, err
	}
	defer end()
	return a.dispatch(ctx)
}

// begin prepares what every verb needs; end gives it back.
func (t *typed[C, P]) begin(ctx context.Context, c *call, request *contract.ExecuteRequest) (a *attempt[C, P], end func(), err error) {
	properties, err := t.properties(&request.Target)
	if err != nil {
		return nil, nil, err
	}
	lease, err := t.clients.acquire(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	c.deletes = request.Verb == contract.VerbDelete
	op := t.operation(c, &request.Target, request.Verb, properties)
	op.PriorOutcome, op.KeepContents = request.PriorOutcome, request.KeepContents
	a = &attempt[C, P]{t, c, request, &request.Target, lease.value, op}
	return a, func() { t.clients.release(lease) }, nil
}

func (a *attempt[C, P]) dispatch(ctx context.Context) (done, error) {
	switch a.request.Verb {
	case contract.VerbCreate:
		return a.createNew(ctx)
	case contract.VerbUpdate:
		return a.updateFound(ctx)
	case contract.VerbEnsure:
		return a.ensure(ctx)
	case contract.VerbDelete:
		return a.deleteFound(ctx)
	default:
		return done{}, Errorf(Unsupported, "this type does not execute such a verb")
	}
}

// createNew makes what must not be there, or finishes what an earlier attempt left.
func (a *attempt[C, P]) createNew(ctx context.Context) (done, error) {
	if a.request.Existing != nil {
		return a.finish(ctx)
	}
	found, err := a.one(ctx)
	switch {
	case err != nil:
		return done{}, err
	case found == nil:
		return a.create(ctx, nil)
	}
	whose := a.ownership(*found, a.target)
	switch {
	case whose == contract.OwnershipOurs && a.settling():
		return a.create(ctx, found)
	case a.adopts(whose):
		return a.update(ctx, found)
	default:
		return done{}, alreadyExists(whose)
	}
}

// settling says that an earlier attempt of this very operation may have made what is found.
func (a *attempt[C, P]) settling() bool {
	return a.request.PriorOutcome == contract.OutcomeUnknown || a.request.PriorOutcome == contract.OutcomePartial
}

// finish goes on with what an earlier attempt left, as the host found it.
func (a *attempt[C, P]) finish(ctx context.Context) (done, error) {
	existing := foundOf(a.request.Existing)
	if a.ownership(existing, a.target) == contract.OwnershipOther {
		return done{}, notOurs(contract.OwnershipOther)
	}
	return a.create(ctx, &existing)
}

// updateFound changes what must be there.
func (a *attempt[C, P]) updateFound(ctx context.Context) (done, error) {
	found, err := a.one(ctx)
	switch {
	case err != nil:
		return done{}, err
	case found == nil:
		return done{}, nothingThere()
	}
	if whose := a.ownership(*found, a.target); !a.mayTouch(whose) {
		return done{}, notOurs(whose)
	}
	return a.update(ctx, found)
}

// ensure creates, updates or leaves alone. What an earlier attempt left is finished first, and then brought to what is asked
// for: it may have been there before that attempt.
func (a *attempt[C, P]) ensure(ctx context.Context) (done, error) {
	found, err := a.one(ctx)
	switch {
	case err != nil:
		return done{}, err
	case found == nil:
		return a.create(ctx, nil)
	}
	whose := a.ownership(*found, a.target)
	left := a.request.Existing != nil && whose != contract.OwnershipOther
	switch {
	case !left && !a.mayTouch(whose):
		return done{}, notOurs(whose)
	case left && a.updater == nil:
		return a.create(ctx, found)
	case left:
		return a.finishAndUpdate(ctx, found)
	case a.updater == nil:
		return a.leave(ctx, found)
	default:
		return a.update(ctx, found)
	}
}

func (a *attempt[C, P]) finishAndUpdate(ctx context.Context, found *Found) (done, error) {
	made, err := a.create(ctx, found)
	if err != nil {
		return made, err
	}
	end, err := a.update(ctx, found)
	outputs := maps.Clone(made.outputs)
	if outputs == nil {
		outputs = Outputs{}
	}
	maps.Copy(outputs, end.outputs)
	end.outputs, end.change = outputs, contract.ChangeCreated
	return end, err
}

// leave is ensure for a type that cannot be changed: all must be as asked for already.
func (a *attempt[C, P]) leave(ctx context.Context, found *Found) (done, error) {
	a.op.Existing = found
	checks, err := guarded(a.call, func() ([]Check, error) { return a.author.Verify(Reading(ctx), a.client, a.op) })
	if err != nil {
		return done{}, err
	}
	var differ []string
	for _, check := range checks {
		if check.Status != contract.CheckPass {
			differ = append(differ, check.Name)
		}
	}
	if len(differ) > 0 {
		return done{}, Errorf(Unsupported, "this type cannot be changed, and these differ: %s", strings.Join(differ, ", "))
	}
	return done{found.Outputs, found.Identity, contract.ChangeNone, found.Labels}, nil
}

// deleteFound removes what is there; what is absent already is a success.
func (a *attempt[C, P]) deleteFound(ctx context.Context) (done, error) {
	found, err := a.one(ctx)
	switch {
	case err != nil:
		return done{}, err
	case found == nil:
		return done{change: contract.ChangeNone, identity: a.target.Identity}, nil
	}
	if whose := a.ownership(*found, a.target); !a.mayTouch(whose) {
		return done{}, notOurs(whose)
	}
	a.op.Existing = found
	outputs, err := a.write(ctx, a.author.Delete)
	var known *Error
	if errors.As(err, &known) && known.Kind == NotFound {
		err = nil
	}
	return done{outputs, found.Identity, contract.ChangeDeleted, nil}, err
}

// create calls the author's Create.
func (a *attempt[C, P]) create(ctx context.Context, existing *Found) (done, error) {
	a.op.Existing = existing
	outputs, err := a.write(ctx, a.author.Create)
	return done{outputs, identityOf(existing), contract.ChangeCreated, a.target.Labels}, err
}

// update calls the author's Update. Nothing written means that nothing differed.
func (a *attempt[C, P]) update(ctx context.Context, existing *Found) (done, error) {
	if a.updater == nil {
		return done{}, Errorf(Unsupported, "things of this type cannot be changed")
	}
	a.op.Existing = existing
	outputs, err := a.write(ctx, a.updater.Update)
	change := contract.ChangeNone
	if a.call.wroteAny() {
		change = contract.ChangeUpdated
	}
	return done{outputs, existing.Identity, change, a.target.Labels}, err
}

// write calls a method that may change something.
func (a *attempt[C, P]) write(
	ctx context.Context, method func(context.Context, C, *Operation[P]) (Outputs, error),
) (Outputs, error) {
	if err := a.call.enter(); err != nil {
		return nil, err
	}
	return guarded(a.call, func() (Outputs, error) { return method(ctx, a.client, a.op) })
}

// one searches for the single thing that the target is; nil when it is proven absent.
func (a *attempt[C, P]) one(ctx context.Context) (*Found, error) {
	if planted.Is(planted.BlindRetry) && a.settling() {
		return nil, nil
	}
	all, lagging, err := a.search(ctx, a.call, a.client, a.query(a.call, a.target, a.op.Properties))
	switch {
	case err != nil:
		return nil, err
	case len(all) > 1:
		return nil, ambiguous(all)
	case len(all) == 1:
		return &all[0], nil
	case lagging != nil && !planted.Is(planted.LaggingIsAbsent):
		return nil, notReady(lagging.after)
	}
	return nil, nil
}

// mayTouch says whether what is there may be overwritten or removed.
func (a *attempt[C, P]) mayTouch(whose contract.Ownership) bool {
	return whose == contract.OwnershipOurs || a.adopts(whose) || planted.Is(planted.AnyonesIsOurs)
}

// adopts says whether what nobody owns is taken over.
func (a *attempt[C, P]) adopts(whose contract.Ownership) bool {
	return a.target.Adopt && (whose == contract.OwnershipNobody || whose == contract.OwnershipUnknown)
}

// wroteAny says whether a request that changes something was started.
func (c *call) wroteAny() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes.started > 0 || c.writes.wrote || c.made != ""
}

func identityOf(existing *Found) string {
	if existing == nil {
		return ""
	}
	return existing.Identity
}

// whoseWords say whose a thing is, for a person.
var whoseWords = map[contract.Ownership]string{
	contract.OwnershipOurs:    "it belongs to this deployment",
	contract.OwnershipOther:   "it belongs to another deployment",
	contract.OwnershipNobody:  "it belongs to no deployment",
	contract.OwnershipUnknown: "no record says that this deployment made it",
}

func nothingThere() error { return Errorf(NotFound, "there is nothing to update") }

func alreadyExists(whose contract.Ownership) error {
	return Errorf(AlreadyExists, "it exists already: %s", whoseWords[whose])
}

// notOurs needs a person, not time.
func notOurs(whose contract.Ownership) error {
	err := Errorf(Conflict, "it exists and may not be touched: %s", whoseWords[whose])
	err.Retry = contract.RetryAfterFix
	return err
}

// ambiguous names all.
func ambiguous(all []Found) error {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Identity
	}
	return Errorf(Ambiguous, "several things match: %s", strings.Join(names, ", "))
}
