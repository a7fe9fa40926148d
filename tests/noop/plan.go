package noop

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Interface guards.
var (
	_ provider.Planner[*client, Thing]    = things{}
	_ provider.Rollbacker[*client, Thing] = things{}
)

// former is a thing as it was. Of its secret it knows as much as the thing itself: the fingerprint.
type former struct {
	Name        string            `json:"name,omitempty"`
	Value       string            `json:"value"`
	Fingerprint string            `json:"fingerprint,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// Plan compares value and fingerprint.
func (t things) Plan(_ context.Context, c *client, op *provider.Operation[Thing]) (provider.Preview, error) {
	var preview provider.Preview
	there, err := c.shelf.get(c.placeOf(t.name, op.Labels), op.Existing.Identity)
	if err != nil {
		return preview, err
	}
	preview.Former = former{there.Name, there.Value, there.Fingerprint, there.Tags}
	it, _, err := t.wanted(op, there.ID)
	if err != nil {
		return preview, err
	}
	preview.Compare("/value", there.Value, it.Value)
	if it.Fingerprint != "" && it.Fingerprint != there.Fingerprint {
		preview.Differs("/secret")
	}
	return preview, nil
}

// Rollback puts a thing back as it was. One that was taken away gets an id of its own, as anything that is made does.
func (t things) Rollback(ctx context.Context, c *client, op *provider.Operation[Thing]) (provider.Outputs, error) {
	var was former
	if err := op.Former.Read(&was); err != nil {
		return nil, err
	}
	place := c.placeOf(t.name, op.Labels)
	if err := op.Properties.before(c.shelf, place); err != nil {
		return nil, err
	}
	it := item{
		ID: newID(), Type: t.name, Region: op.Region, Name: was.Name, Value: was.Value, Fingerprint: was.Fingerprint,
		Labels: op.Labels, Tags: was.Tags,
	}
	if op.Existing != nil {
		it.ID = op.Existing.Identity
		if op.Existing.Outputs["value"] == was.Value && op.Existing.Outputs["fingerprint"] == was.Fingerprint {
			return outputs(it, provider.Secret{}), nil
		}
	}
	if err := write(c, op, place, it); err != nil {
		return nil, err
	}
	op.Made(it.ID)
	return outputs(it, provider.Secret{}), op.Properties.sleep(ctx)
}
