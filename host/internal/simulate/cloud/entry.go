package cloud

import (
	"context"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// entries are sim:entry: known by their name alone, without labels, so that nothing says whose one is.
type entries struct{}

var _ provider.Updater[*client, Properties] = entries{}

// Describe says what an entry is.
func (entries) Describe() provider.Description {
	return provider.Description{
		Type: "sim:entry", Summary: "A named value without labels.", Placement: contract.Global,
		Discovery: contract.DiscoverByName, RepeatSafety: contract.ByName,
		Naming:     contract.Naming{Property: "/name", Separator: "__", Suffix: contract.SuffixNode, MaxLength: 63},
		References: references, SelfOutput: "id", Outputs: outputFields, SettleTime: settleTime, Typical: time.Second,
	}
}

// Create makes one, or sets the one that an earlier attempt left.
func (entries) Create(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	wanted, err := want(op, "sim:entry")
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
	if wanted.ID, err = c.create(ctx, Item{
		Type: "sim:entry", Name: op.Name, Value: wanted.Value, Fingerprint: wanted.Fingerprint,
	}, true); err != nil {
		return nil, err
	}
	op.Made(wanted.ID)
	return outputsOf(&wanted), nil
}

// Update sets one that is there.
func (entries) Update(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	wanted, err := want(op, "sim:entry")
	if err != nil {
		return nil, err
	}
	return fill(ctx, c, op, wanted)
}

// Delete removes one.
func (entries) Delete(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	return discard(ctx, c, op)
}

// Verify compares what it holds.
func (entries) Verify(_ context.Context, _ *client, op *provider.Operation[Properties]) ([]provider.Check, error) {
	return compare(op, "sim:entry")
}

// Find looks by name; and where nobody knows the node id that stands behind it, by what stands before that.
func (entries) Find(ctx context.Context, c *client, query *provider.Query[Properties], found func(provider.Found) error) error {
	if query.Name == "" {
		return find(ctx, c, found, func(item *Item) bool {
			base, _, suffixed := strings.Cut(item.Name, "__")
			return item.Type == "sim:entry" && suffixed && base == query.Properties.Name
		})
	}
	return find(ctx, c, found, func(item *Item) bool { return item.Type == "sim:entry" && item.Name == query.Name })
}

// jobs are sim:job: what was begun must not be begun again by itself.
type jobs struct{}

var _ provider.Resource[*client, Properties] = jobs{}

// Describe says what a job is.
func (jobs) Describe() provider.Description {
	return labelled("sim:job", "A piece of work that is begun once.", contract.Global, contract.AtMostOnce)
}

// Create begins one.
func (jobs) Create(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	wanted, err := want(op, "sim:job")
	if err != nil {
		return nil, err
	}
	if op.Existing != nil {
		return outputsOf(&wanted), nil
	}
	if err := op.MayWrite(); err != nil {
		return nil, err
	}
	if wanted.ID, err = c.create(ctx, Item{
		Type: "sim:job", Name: op.Name, Value: wanted.Value, Fingerprint: wanted.Fingerprint, Labels: op.Labels,
	}, false); err != nil {
		return nil, err
	}
	op.Made(wanted.ID)
	return outputsOf(&wanted), nil
}

// Delete removes one.
func (jobs) Delete(ctx context.Context, c *client, op *provider.Operation[Properties]) (provider.Outputs, error) {
	return discard(ctx, c, op)
}

// Verify compares what it holds.
func (jobs) Verify(_ context.Context, _ *client, op *provider.Operation[Properties]) ([]provider.Check, error) {
	return compare(op, "sim:job")
}

// Find looks by labels.
func (jobs) Find(ctx context.Context, c *client, query *provider.Query[Properties], found func(provider.Found) error) error {
	return findLabelled(ctx, c, "sim:job", query, found)
}
