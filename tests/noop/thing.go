package noop

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Thing is the properties of a thing.
type Thing struct {
	Name   string          `json:"name,omitempty" jsonschema:"maxLength=40" jsonschema_description:"A name to carry."`
	Value  string          `json:"value,omitempty" jsonschema_description:"What the thing holds."`
	Secret provider.Sealed `json:"secret,omitempty"`
	Full   bool            `json:"full,omitempty" jsonschema_description:"It holds something that nobody names, which a delete takes with it, unless told not to."`
	Mischief
}

// things are noop:thing and noop:regional.
type things struct {
	name      string
	placement contract.Placement
}

// Interface guards.
var (
	_ provider.Updater[*client, Thing] = things{}
	_ provider.Validator[Thing]        = things{}
)

// Describe says what a thing is.
func (t things) Describe() provider.Description {
	return provider.Description{
		Type: t.name, Summary: "A thing that holds a value and the fingerprint of a secret.",
		Placement: t.placement, Discovery: contract.DiscoverByLabel, RepeatSafety: contract.ByLabel,
		LabelLimits: contract.LabelLimits{MaxCount: 50, MaxKeyLength: 128, MaxValueLength: 256},
		Naming:      contract.Naming{Property: "/name", Separator: "-", Suffix: contract.SuffixNode, MaxLength: 63},
		References:  []contract.ReferenceRole{{Role: "from", Property: "/value", Summary: "What gives the value."}},
		SelfOutput:  "id",
		Outputs: []contract.OutputField{
			{Name: "id", Summary: "What the thing is found by."},
			{Name: "value", Summary: "What the thing holds."},
			{Name: "fingerprint", Summary: "Says whether the secret has changed."},
			{Name: "secret", Summary: "The secret as it was given.", Sensitive: true, Once: true},
		},
	}
}

// Validate refuses kinds of errors that do not exist.
func (things) Validate(properties Thing, _ provider.References) []provider.Diagnostic {
	return properties.Mischief.validate()
}

// Create puts a thing on the shelf, or finishes one: all of it is written in one step, so that nothing is missing there but
// what differs.
func (t things) Create(ctx context.Context, c *client, op *provider.Operation[Thing]) (provider.Outputs, error) {
	if op.Existing != nil {
		op.Made(op.Existing.Identity)
		return t.Update(ctx, c, op)
	}
	it, secret, err := t.wanted(op, newID())
	if err != nil {
		return nil, err
	}
	return outputs(it, secret), create(ctx, c, op, op.Properties.Mischief, c.placeOf(t.name, op.Labels), it)
}

// create puts something new on the shelf, with all that can go wrong on the way.
func create[P any](
	ctx context.Context, c *client, op *provider.Operation[P], m Mischief, place string, it item,
) error {
	if err := m.before(c.shelf, place); err != nil {
		return err
	}
	if err := m.crashes(c.shelf, place, crashBeforeWrite); err != nil {
		return err
	}
	if lost, err := m.loses(c, place, it); lost || err != nil {
		return err
	}
	if err := write(c, op, place, it); err != nil {
		return err
	}
	if err := m.crashes(c.shelf, place, crashAfterWrite); err != nil {
		return err
	}
	op.Made(it.ID)
	if err := m.crashes(c.shelf, place, crashAfterMade); err != nil {
		return err
	}
	op.Progress(0.5, "waiting until it is ready")
	return m.sleep(ctx)
}

// Update brings a thing to what is asked for, when it is not so already.
func (t things) Update(ctx context.Context, c *client, op *provider.Operation[Thing]) (provider.Outputs, error) {
	place := c.placeOf(t.name, op.Labels)
	if err := op.Properties.before(c.shelf, place); err != nil {
		return nil, err
	}
	it, secret, err := t.wanted(op, op.Existing.Identity)
	if err != nil {
		return nil, err
	}
	if err := op.Properties.sleep(ctx); err != nil {
		return nil, err
	}
	if same(it, op.Existing) {
		return outputs(it, secret), nil
	}
	return outputs(it, secret), write(c, op, place, it)
}

// Delete takes it off the shelf.
func (t things) Delete(ctx context.Context, c *client, op *provider.Operation[Thing]) (provider.Outputs, error) {
	place := c.placeOf(t.name, op.Labels)
	if err := op.Properties.before(c.shelf, place); err != nil {
		return nil, err
	}
	if err := op.Properties.sleep(ctx); err != nil {
		return nil, err
	}
	if op.Properties.Full && op.KeepContents {
		return nil, provider.Errorf(provider.Precondition, "it is not empty")
	}
	if err := op.MayWrite(); err != nil {
		return nil, err
	}
	op.Wrote()
	return nil, c.shelf.remove(place, op.Existing.Identity)
}

// Verify compares value and fingerprint.
func (t things) Verify(_ context.Context, _ *client, op *provider.Operation[Thing]) ([]provider.Check, error) {
	it, _, err := t.wanted(op, op.Existing.Identity)
	if err != nil {
		return nil, err
	}
	checks := []provider.Check{provider.Equal[any]("value", it.Value, op.Existing.Outputs["value"])}
	if it.Fingerprint != "" {
		checks = append(checks, provider.Equal[any]("fingerprint", it.Fingerprint, op.Existing.Outputs["fingerprint"]))
	}
	return checks, nil
}

// Find lists what stands where these labels lead. A shelf never lags, unless it is told to.
func (t things) Find(
	_ context.Context, c *client, query *provider.Query[Thing], found func(provider.Found) error,
) error {
	all, err := query.Properties.search(c, c.placeOf(t.name, query.Labels))
	if err != nil {
		return err
	}
	for _, it := range all {
		err := found(provider.Found{
			Identity: it.ID, Name: it.Name, Labels: it.Labels, Outputs: outputs(it, provider.Secret{}), Ready: true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wanted is the thing as it is asked for.
func (t things) wanted(op *provider.Operation[Thing], id string) (item, provider.Secret, error) {
	it := item{
		ID: id, Type: t.name, Region: op.Region, Name: op.Name, Value: op.Properties.Value, Labels: op.Labels, Tags: op.Tags,
	}
	if op.Properties.Secret.IsZero() {
		return it, provider.Secret{}, nil
	}
	secret, err := op.Open(op.Properties.Secret)
	if err == nil {
		it.Fingerprint = op.Fingerprint(secret)
	}
	return it, secret, err
}

// same says whether nothing would change. Labels that only inform are set anew by the next real change.
func same(it item, existing *provider.Found) bool {
	return existing.Outputs["value"] == it.Value && (it.Fingerprint == "" || existing.Outputs["fingerprint"] == it.Fingerprint)
}

// write puts it on the shelf, unless it is too late.
func write[P any](c *client, op *provider.Operation[P], place string, it item) error {
	if err := op.MayWrite(); err != nil {
		return err
	}
	op.Wrote()
	return c.shelf.put(place, it)
}

// outputs are what a thing gives out.
func outputs(it item, secret provider.Secret) provider.Outputs {
	given := provider.Outputs{"id": it.ID, "value": it.Value, "fingerprint": it.Fingerprint}
	if !secret.IsZero() {
		given["secret"] = secret
	}
	return given
}

func newID() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}
