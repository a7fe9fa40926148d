package cloud

import (
	"context"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Properties of every type here.
type Properties struct {
	Name   string          `json:"name,omitempty" jsonschema:"maxLength=40"`
	Value  string          `json:"value,omitempty"`
	Secret provider.Sealed `json:"secret,omitempty"`
}

// settleTime is how long reads may lag behind.
const settleTime = 5 * time.Second

// labelled is what types share that are found by their labels.
func labelled(name, summary string, placement contract.Placement, safety contract.RepeatSafety) provider.Description {
	return provider.Description{
		Type: name, Summary: summary, Placement: placement, Discovery: contract.DiscoverByLabel, RepeatSafety: safety,
		LabelLimits: contract.LabelLimits{MaxCount: 50, MaxKeyLength: 128, MaxValueLength: 256},
		Naming:      contract.Naming{Property: "/name", Separator: "-", Suffix: contract.SuffixNode, MaxLength: 63},
		References:  references, SelfOutput: "id", Outputs: outputFields, SettleTime: settleTime, Typical: time.Second,
	}
}

var (
	references   = []contract.ReferenceRole{{Role: "from", Property: "/value", Summary: "What gives the value."}}
	outputFields = []contract.OutputField{
		{Name: "id", Summary: "What it is found by."}, {Name: "value", Summary: "What it holds."},
		{Name: "fingerprint", Summary: "Says whether the secret has changed."},
	}
)

// disks are sim:disk and sim:net: made in two steps, so that one that is there is not yet one that is done, and found by labels
// alone, since the vendor takes any name any number of times.
type disks struct {
	name      string
	placement contract.Placement
}

var (
	_ provider.Updater[*client, Properties]    = disks{}
	_ provider.Planner[*client, Properties]    = disks{}
	_ provider.Rollbacker[*client, Properties] = disks{}
)

// former is what a disk held before a change.
type former struct{ Value, Fingerprint string }

// Plan compares, and writes down what is there.
func (d disks) Plan(_ context.Context, _ *client, op *provider.Operation[Properties]) (provider.Preview, error) {
	wanted, err := want(op, d.name)
	if err != nil {
		return provider.Preview{}, err
	}
	value, _ := op.Existing.Outputs["value"].(string)
	fingerprint, _ := op.Existing.Outputs["fingerprint"].(string)
	preview := provider.Preview{Former: former{value, fingerprint}}
	preview.Compare("/value", value, wanted.Value)
	if wanted.Fingerprint != "" && wanted.Fingerprint != fingerprint {
		preview.Differs("/secret")
	}
	return preview, nil
}

// Rollback brings back what was there.
func (d disks) Rollback(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	var before former
	if err := op.Former.Read(&before); err != nil {
		return nil, err
	}
	if op.Existing == nil {
		id, err := c.create(ctx, Item{
			Type: d.name, Name: op.Name, Value: before.Value, Fingerprint: before.Fingerprint, Labels: op.Labels,
		}, false)
		if err != nil {
			return nil, err
		}
		op.Made(id)
		return provider.Outputs{"id": id, "value": before.Value, "fingerprint": before.Fingerprint}, nil
	}
	wanted := Item{
		ID: op.Existing.Identity, Type: d.name, Name: op.Name, Value: before.Value, Fingerprint: before.Fingerprint, Labels: op.Labels,
	}
	op.Made(wanted.ID)
	return fill(ctx, c, op, wanted)
}

// Describe says what a disk is.
func (d disks) Describe() provider.Description {
	about := labelled(d.name, "A thing that is made empty, then filled.", d.placement, contract.ByLabel)
	about.RecordFormats = []string{"disk/1"}
	return about
}

// Create makes an empty one, and fills it.
func (d disks) Create(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	wanted, err := want(op, d.name)
	if err != nil {
		return nil, err
	}
	if op.Existing != nil {
		op.Made(op.Existing.Identity)
		return fill(ctx, c, op, wanted)
	}
	if err := op.MayWrite(); err != nil {
		return nil, err
	}
	id, err := c.create(ctx, Item{Type: d.name, Name: op.Name, Labels: op.Labels}, false)
	if err != nil {
		return nil, err
	}
	op.Made(id)
	wanted.ID = id
	return fill(ctx, c, op, wanted)
}

// Update fills one that is there.
func (d disks) Update(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	wanted, err := want(op, d.name)
	if err != nil {
		return nil, err
	}
	return fill(ctx, c, op, wanted)
}

// Delete removes one.
func (disks) Delete(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	return discard(ctx, c, op)
}

// Verify compares what it holds.
func (d disks) Verify(_ context.Context, _ *client, op *provider.Operation[Properties]) ([]provider.Check, error) {
	return compare(op, d.name)
}

// Find looks by labels.
func (d disks) Find(ctx context.Context, c *client, query *provider.Query[Properties], found func(provider.Found) error) error {
	return findLabelled(ctx, c, d.name, query, found)
}

// want is the thing as it is asked for; its id is that of what is there.
func want(op *provider.Operation[Properties], kind string) (Item, error) {
	item := Item{Type: kind, Name: op.Name, Value: op.Properties.Value, Labels: op.Labels}
	if op.Existing != nil {
		item.ID = op.Existing.Identity
	}
	if op.Properties.Secret.IsZero() {
		return item, nil
	}
	secret, err := op.Open(op.Properties.Secret)
	if err == nil {
		item.Fingerprint = op.Fingerprint(secret)
	}
	return item, err
}

// fill sets what differs.
func fill(ctx context.Context, c *client, op *provider.Operation[Properties], wanted Item) (provider.Outputs, error) {
	if op.Existing != nil && op.Existing.Outputs["value"] == wanted.Value &&
		(wanted.Fingerprint == "" || op.Existing.Outputs["fingerprint"] == wanted.Fingerprint) {
		return outputsOf(&wanted), nil
	}
	if err := op.MayWrite(); err != nil {
		return nil, err
	}
	err := c.change(ctx, wanted.ID, func(item *Item) {
		item.Value, item.Labels = wanted.Value, wanted.Labels
		if wanted.Fingerprint != "" {
			item.Fingerprint = wanted.Fingerprint
		}
	})
	if err == nil {
		op.Wrote()
	}
	return outputsOf(&wanted), err
}

func discard(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	if err := op.MayWrite(); err != nil {
		return nil, err
	}
	err := c.remove(ctx, op.Existing.Identity)
	if err == nil {
		op.Wrote()
	}
	return nil, err
}

func compare(op *provider.Operation[Properties], kind string) ([]provider.Check, error) {
	wanted, err := want(op, kind)
	if err != nil {
		return nil, err
	}
	checks := []provider.Check{provider.Equal[any]("value", wanted.Value, op.Existing.Outputs["value"])}
	if wanted.Fingerprint != "" {
		checks = append(checks, provider.Equal[any]("fingerprint", wanted.Fingerprint, op.Existing.Outputs["fingerprint"]))
	}
	return checks, nil
}

func outputsOf(item *Item) provider.Outputs {
	return provider.Outputs{"id": item.ID, "value": item.Value, "fingerprint": item.Fingerprint}
}

// findLabelled looks by the labels that identify.
func findLabelled(ctx context.Context, c *client, kind string, query *provider.Query[Properties], found func(provider.Found) error) error {
	return find(ctx, c, found, func(item *Item) bool {
		return item.Type == kind && contract.OwnershipOf(item.Labels, query.Labels) == contract.OwnershipOurs
	})
}

func find(ctx context.Context, c *client, found func(provider.Found) error, matches func(*Item) bool) error {
	items, lag, err := c.list(ctx, matches)
	if err != nil {
		return err
	}
	for i := range items {
		item := &items[i]
		err := found(provider.Found{Identity: item.ID, Name: item.Name, Labels: item.Labels, Outputs: outputsOf(item), Ready: true})
		if err != nil {
			return err
		}
	}
	if lag > 0 {
		return provider.Inconclusive(time.Second)
	}
	return nil
}
