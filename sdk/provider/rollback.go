package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// Rollbacker is had by a type that can bring back what its Planner wrote down in Preview.Former. op.Former is that state,
// op.Existing what is there now, nil when it is gone. Like Update it writes only what differs, so that it may be repeated. What
// was not there before is deleted again without the author.
type Rollbacker[C, P any] interface {
	Rollback(ctx context.Context, client C, op *Operation[P]) (Outputs, error)
}

// Former is a state as a Planner wrote it down. It prints without its content.
type Former struct {
	// Format is one of the Description's RecordFormats.
	Format string
	State  json.RawMessage
}

// Read decodes the state. A field that it does not know is an error: what cannot be read whole cannot be brought back.
func (f *Former) Read(into any) error {
	decoder := json.NewDecoder(bytes.NewReader(f.State))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return wrap(Unsupported, "the rollback record cannot be read", err)
	}
	return nil
}

// String says the format only, as all that prints or encodes it does.
func (f Former) String() string { return "state in format " + f.Format }

// GoString is String for %#v.
func (f Former) GoString() string { return f.String() }

// MarshalJSON is String for JSON.
func (f Former) MarshalJSON() ([]byte, error) { return json.Marshal(f.String()) }

// memory is the content of a rollback record. Format and Subject are sealed with it, so that neither can be exchanged.
type memory struct {
	Format  string          `json:"format"`
	Subject string          `json:"subject"`
	There   bool            `json:"there"`
	State   json.RawMessage `json:"state,omitempty"`
}

// remember makes the record of what a Planner found; nil when it wrote nothing down.
func (a *attempt[C, P]) remember(preview Preview) (*contract.RollbackRecord, error) {
	if preview.Former == nil {
		return nil, nil
	}
	state, err := json.Marshal(preview.Former)
	if err != nil {
		return nil, Errorf(ProviderFault, "the former state is not JSON: %w", err)
	}
	return a.record(memory{There: true, State: state})
}

// record seals a memory to the provider's own key; nil for a type without a Rollbacker.
func (a *attempt[C, P]) record(m memory) (*contract.RollbackRecord, error) {
	if a.rollbacker == nil {
		return nil, nil
	}
	if a.call.runtime.Keys == nil {
		return nil, Errorf(ProviderFault, "this provider has no keys to seal a rollback record to")
	}
	m.Format, m.Subject = a.about.RecordFormats[0], subjectOf(a.call.context, a.target)
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, Errorf(ProviderFault, "the former state is not JSON: %w", err)
	}
	box, err := sealedbox.Seal(a.call.runtime.Keys.Primary().Key, sealedbox.Envelope{
		Audience: a.call.context.Tenant, Provider: a.call.provider, Purpose: sealedbox.PurposeRecord(a.about.Type),
		Deployment: a.call.context.DeploymentID, Value: string(raw),
	})
	if err != nil {
		return nil, Errorf(ProviderFault, "the former state could not be sealed: %w", err)
	}
	return &contract.RollbackRecord{Format: m.Format, Data: []byte(box)}, nil
}

// subjectOf says which thing of a deployment a record is about.
func subjectOf(about *contract.CallContext, target *contract.Target) string {
	return strings.Join([]string{about.Region, target.Name, target.Labels[contract.LabelResourceID]}, "|")
}

// recall opens a record: one of another tenant, deployment, type or thing, or of a format that nobody here reads, is refused.
func (a *attempt[C, P]) recall(record contract.RollbackRecord) (memory, error) {
	var m memory
	c := a.call
	switch {
	case c.runtime.Keys == nil:
		return m, Errorf(DecryptionFailed, "this provider has no keys")
	case !slices.Contains(a.about.RecordFormats, record.Format):
		return m, Errorf(Unsupported, "this version does not read rollback records of that format")
	}
	envelope, err := c.runtime.Keys.Open(string(record.Data), sealedbox.Expect{
		Audience: c.context.Tenant, Provider: c.provider, Purpose: sealedbox.PurposeRecord(a.about.Type),
		Deployment: c.context.DeploymentID, Now: c.runtime.Now(),
	})
	if err != nil {
		return m, wrap(DecryptionFailed, "the rollback record cannot be used: "+err.Error(), err)
	}
	if json.Unmarshal([]byte(envelope.Value), &m) != nil || m.Format != record.Format {
		return m, Errorf(DecryptionFailed, "the rollback record is not what its format says")
	}
	if m.Subject != subjectOf(c.context, a.target) {
		return m, Errorf(InvalidInput, "the rollback record is about another thing")
	}
	return m, nil
}

// Rollback brings back what a record holds. Like Execute it always has a result.
func (p *Provider) Rollback(
	ctx context.Context, request *contract.RollbackRequest, emit func(contract.Event),
) (*contract.Result, error) {
	return p.perform(ctx, &request.Context, &request.Target, emit, func(ctx context.Context, r resource, c *call) *contract.Result {
		return r.rollback(ctx, c, request)
	}), nil
}

// rollback performs a rollback and derives its outcome.
func (t *typed[C, P]) rollback(ctx context.Context, c *call, request *contract.RollbackRequest) *contract.Result {
	end, err := t.restore(ctx, c, request)
	return t.result(c, nil, end, err)
}

func (t *typed[C, P]) restore(ctx context.Context, c *call, request *contract.RollbackRequest) (done, error) {
	if t.rollbacker == nil {
		return done{}, Errorf(Unsupported, "nothing of this type can be brought back")
	}
	a, end, err := t.begin(ctx, c, &contract.ExecuteRequest{Context: request.Context, Target: request.Target})
	if err != nil {
		return done{}, err
	}
	defer end()
	former, err := a.recall(request.Record)
	if err != nil {
		return done{}, err
	}
	if !former.There {
		// What came into it since then is not ours to take.
		a.op.Verb, a.op.KeepContents, c.deletes = contract.VerbDelete, true, true
		return a.deleteFound(ctx)
	}
	a.op.Former = &Former{Format: former.Format, State: former.State}
	return a.bringBack(ctx)
}

// bringBack calls the author's Rollback on what is there now, or is not any more.
func (a *attempt[C, P]) bringBack(ctx context.Context) (done, error) {
	found, err := a.one(ctx)
	if err != nil {
		return done{}, err
	}
	if found != nil {
		if whose := a.ownership(*found, a.target); !a.mayTouch(whose) {
			return done{}, notOurs(whose)
		}
	}
	a.op.Existing = found
	outputs, err := a.write(ctx, a.rollbacker.Rollback)
	change := contract.ChangeNone
	switch wrote := a.call.wroteAny(); {
	case wrote && found == nil:
		change = contract.ChangeCreated
	case wrote:
		change = contract.ChangeUpdated
	}
	return done{outputs, identityOf(found), change, a.target.Labels}, err
}
