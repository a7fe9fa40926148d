package provider

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Planner is had by a type that can say better than its checks what an Update would change, or that writes down what Rollback
// needs. It is called for what is there: op.Existing is always set. Whether a verb creates, updates, deletes or may not touch what
// it finds is decided already. It changes nothing.
type Planner[C, P any] interface {
	Plan(ctx context.Context, client C, op *Operation[P]) (Preview, error)
}

// Preview is what a Planner found. The zero value says that nothing differs, and that nothing could be brought back.
type Preview struct {
	Changes []PropertyChange
	// Former is the state that is there now, for Rollback: anything that JSON can hold. It leaves sealed to this provider.
	Former any
}

// PropertyChange is one property that an Update would change.
type PropertyChange = contract.PropertyChange

// Compare adds a change when two values of a property differ as JSON. Nil stands for no value. Of a property that is sensitive
// only the fact leaves.
func (p *Preview) Compare(pointer string, before, after any) {
	if EqualJSON("", after, before).Status != contract.CheckPass {
		p.Changes = append(p.Changes, PropertyChange{Pointer: pointer, Before: valueOf(before), After: valueOf(after)})
	}
}

// Differs adds a change of which no values are told.
func (p *Preview) Differs(pointer string) {
	p.Changes = append(p.Changes, PropertyChange{Pointer: pointer, Sensitive: true})
}

// valueOf writes a value as JSON; nil for none.
func valueOf(value any) json.RawMessage {
	raw, err := json.Marshal(value)
	if err != nil || string(raw) == "null" {
		return nil
	}
	return raw
}

// Plan says what Execute would change.
func (p *Provider) Plan(ctx context.Context, request *contract.PlanRequest) (*contract.PlanResult, error) {
	r, err := p.resource(request.Target.Type)
	if err != nil {
		return nil, err
	}
	c := p.call(&request.Context, request.Target.Type, nil)
	planned, err := r.plan(c.in(Reading(ctx)), c, request)
	if err != nil {
		return nil, c.fail(err)
	}
	return planned, nil
}

// plan finds what is there and says what the verb would come to.
func (t *typed[C, P]) plan(ctx context.Context, c *call, request *contract.PlanRequest) (*contract.PlanResult, error) {
	a, end, err := t.begin(ctx, c, &contract.ExecuteRequest{Context: request.Context, Target: request.Target, Verb: request.Verb})
	if err != nil {
		return nil, err
	}
	defer end()
	found, err := a.one(ctx)
	var known *Error
	switch {
	case errors.As(err, &known) && known.Kind == Ambiguous:
		return conflict(c, err), nil
	case err != nil:
		return nil, err
	}
	planned, err := a.foresee(ctx, found)
	if err != nil {
		return nil, err
	}
	planned.Permissions = t.permissions(planned.Action)
	return planned, nil
}

// foresee goes the way that dispatch goes, and stops before it writes.
func (a *attempt[C, P]) foresee(ctx context.Context, found *Found) (*contract.PlanResult, error) {
	verb := a.request.Verb
	switch {
	case !oneOf(verb, []contract.Verb{contract.VerbCreate, contract.VerbUpdate, contract.VerbEnsure, contract.VerbDelete}):
		return nil, Errorf(Unsupported, "this type does not execute such a verb")
	case found == nil:
		return a.foreseeAbsent()
	}
	whose := a.ownership(*found, a.target)
	a.op.Existing = found
	switch {
	case verb == contract.VerbCreate && !a.adopts(whose):
		return conflict(a.call, alreadyExists(whose)), nil
	case !a.mayTouch(whose):
		return conflict(a.call, notOurs(whose)), nil
	case verb == contract.VerbDelete:
		return a.foreseeDelete(ctx)
	default:
		return a.foreseeUpdate(ctx)
	}
}

// foreseeAbsent is for what is not there.
func (a *attempt[C, P]) foreseeAbsent() (*contract.PlanResult, error) {
	switch a.request.Verb {
	case contract.VerbUpdate:
		return conflict(a.call, nothingThere()), nil
	case contract.VerbDelete:
		return &contract.PlanResult{Action: contract.ActionNoOp}, nil
	}
	record, err := a.record(memory{})
	return &contract.PlanResult{Action: contract.ActionCreate, Changes: a.masked(a.given()), Record: record}, err
}

// given are the properties of something new.
func (a *attempt[C, P]) given() []PropertyChange {
	var properties map[string]json.RawMessage
	_ = json.Unmarshal(a.target.Properties, &properties) // decoded before
	var changes []PropertyChange
	for _, name := range sortedKeys(properties) {
		if value := valueOf(properties[name]); value != nil {
			changes = append(changes, PropertyChange{Pointer: "/" + escape(name), After: value})
		}
	}
	return changes
}

func (a *attempt[C, P]) foreseeDelete(ctx context.Context) (*contract.PlanResult, error) {
	planned := &contract.PlanResult{Action: contract.ActionDelete}
	if a.rollbacker == nil {
		return planned, nil
	}
	preview, err := a.preview(ctx)
	if err == nil {
		planned.Record, err = a.remember(preview)
	}
	return planned, err
}

func (a *attempt[C, P]) foreseeUpdate(ctx context.Context) (*contract.PlanResult, error) {
	planned := &contract.PlanResult{Action: contract.ActionUpdate}
	var err error
	if a.planner != nil {
		var preview Preview
		if preview, err = a.preview(ctx); err == nil {
			planned.Changes = a.masked(preview.Changes)
			planned.Record, err = a.remember(preview)
		}
	} else {
		planned.Changes, planned.Diagnostics, err = a.compared(ctx)
	}
	switch {
	case err != nil:
		return nil, err
	case len(planned.Changes) == 0:
		planned.Action = contract.ActionNoOp
	case a.updater == nil:
		return conflict(a.call, Errorf(Unsupported, "things of this type cannot be changed, and this one differs")), nil
	}
	return planned, nil
}

// preview calls the author's Planner.
func (a *attempt[C, P]) preview(ctx context.Context) (Preview, error) {
	return guarded(a.call, func() (Preview, error) { return a.planner.Plan(ctx, a.client, a.op) })
}

// compared makes changes of the checks that fail. One that is not named after a property is a change of the whole, and its name
// is told beside it.
func (a *attempt[C, P]) compared(ctx context.Context) ([]PropertyChange, []Diagnostic, error) {
	checks, err := guarded(a.call, func() ([]Check, error) { return a.author.Verify(ctx, a.client, a.op) })
	if err != nil {
		return nil, nil, err
	}
	wanted := map[string]json.RawMessage{}
	_ = json.Unmarshal(a.target.Properties, &wanted) // decoded before
	var changes []PropertyChange
	var notes []Diagnostic
	for _, check := range append(a.identityChecks(a.op.Existing, a.target), checks...) {
		pointer := "/" + escape(check.Name)
		switch {
		case check.Status == contract.CheckPass:
		case check.Status == contract.CheckUnknown:
			notes = append(notes, a.note(contract.SeverityWarning, NotReady, check.Name+" could not be compared"))
		case a.shape.has(pointer):
			changes = append(changes, PropertyChange{Pointer: pointer, Before: said(check.Actual), After: wanted[check.Name]})
		default:
			changes = append(changes, PropertyChange{Sensitive: true})
			notes = append(notes, a.note(contract.SeverityInfo, Conflict, check.Name+" differs"))
		}
	}
	return a.masked(changes), notes, nil
}

// said is what a check writes of a value, as JSON.
func said(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return valueOf(text)
}

// note is a remark of ours.
func (a *attempt[C, P]) note(severity contract.Severity, kind Kind, summary string) Diagnostic {
	made := contract.New(kind, summary).Diagnostic
	made.Severity = severity
	return made
}

// masked keeps the values of what is sensitive, and of what holds something sensitive, here.
func (a *attempt[C, P]) masked(changes []PropertyChange) []PropertyChange {
	for i := range changes {
		change := &changes[i]
		if change.Sensitive || a.shape.touchesSealed(change.Pointer) {
			change.Before, change.After, change.Sensitive = nil, nil, true
			continue
		}
		change.Before, change.After = abridged(a.call.redacted(change.Before)), abridged(a.call.redacted(change.After))
	}
	return changes
}

// longest is the size from which a value is not told in full: a plan is for people to read.
const longest = 4 << 10

// abridged tells of a long value only what tells it apart from others.
func abridged(raw json.RawMessage) json.RawMessage {
	if len(raw) <= longest {
		return raw
	}
	sum := sha256.Sum256(raw)
	return valueOf(fmt.Sprintf("%d bytes of JSON, SHA-256 %x", len(raw), sum[:8]))
}

// redacted masks what the call has opened.
func (c *call) redacted(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.RawMessage(c.secrets.redact(string(raw)))
}

// conflict is a plan that Execute would refuse, and why.
func conflict(c *call, err error) *contract.PlanResult {
	return &contract.PlanResult{Action: contract.ActionConflict, Diagnostics: []contract.Diagnostic{c.diagnose(err)}}
}

// permissions are those that the author lists for what would be done.
func (t *typed[C, P]) permissions(action contract.PlannedAction) []string {
	switch action {
	case contract.ActionCreate:
		return t.about.Permissions[contract.VerbCreate]
	case contract.ActionUpdate:
		return t.about.Permissions[contract.VerbUpdate]
	case contract.ActionDelete:
		return t.about.Permissions[contract.VerbDelete]
	default:
		return nil
	}
}
