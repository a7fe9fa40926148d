package noop

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Named is the properties of noop:named and noop:once.
type Named struct {
	Name  string `json:"name" jsonschema:"minLength=1,maxLength=40" jsonschema_description:"The name that it is known by."`
	Value string `json:"value,omitempty" jsonschema_description:"What it holds."`
	Mischief
}

// named is noop:named, which takes no labels and is known by its name, and noop:once, which cannot be found again but by the id that
// its maker was told: whoever lost that cannot tell whether it was made.
type named struct {
	name      string
	discovery contract.Discovery
	safety    contract.RepeatSafety
}

// Interface guards.
var (
	_ provider.Updater[*client, Named] = named{}
	_ provider.Validator[Named]        = named{}
)

// Describe says what it is.
func (n named) Describe() provider.Description {
	return provider.Description{
		Type: n.name, Summary: "A thing without labels.", Placement: contract.Global,
		Discovery: n.discovery, RepeatSafety: n.safety,
		Naming:     contract.Naming{Property: "/name", Separator: "-", Suffix: contract.SuffixNode, MaxLength: 63},
		References: []contract.ReferenceRole{{Role: "from", Property: "/value", Summary: "What gives the value."}},
		SelfOutput: "id", Outputs: []contract.OutputField{
			{Name: "id", Summary: "What it is known by."}, {Name: "value", Summary: "What it holds."},
		},
	}
}

// Validate refuses kinds of errors that do not exist.
func (named) Validate(properties Named, _ provider.References) []provider.Diagnostic {
	return properties.Mischief.validate()
}

// Create puts it on the shelf.
func (n named) Create(ctx context.Context, c *client, op *provider.Operation[Named]) (provider.Outputs, error) {
	if op.Existing != nil {
		op.Made(op.Existing.Identity)
		return n.Update(ctx, c, op)
	}
	place, it := c.placeNamed(n.name, op.Name), n.wanted(op, op.Name)
	if n.discovery == contract.DiscoverNone {
		it.ID = newID()
	}
	return n.outputs(it), create(ctx, c, op, op.Properties.Mischief, place, it)
}

// Update brings its value to what is asked for.
func (n named) Update(ctx context.Context, c *client, op *provider.Operation[Named]) (provider.Outputs, error) {
	place := c.placeNamed(n.name, op.Name)
	if err := op.Properties.before(c.shelf, place); err != nil {
		return nil, err
	}
	it := n.wanted(op, op.Existing.Identity)
	if err := op.Properties.sleep(ctx); err != nil || op.Existing.Outputs["value"] == it.Value {
		return n.outputs(it), err
	}
	return n.outputs(it), write(c, op, place, it)
}

// Delete takes it off the shelf.
func (n named) Delete(_ context.Context, c *client, op *provider.Operation[Named]) (provider.Outputs, error) {
	place := c.placeNamed(n.name, op.Name)
	if err := op.Properties.before(c.shelf, place); err != nil {
		return nil, err
	}
	if err := op.MayWrite(); err != nil {
		return nil, err
	}
	op.Wrote()
	return nil, c.shelf.remove(place, op.Existing.Identity)
}

// Verify compares the value.
func (named) Verify(_ context.Context, _ *client, op *provider.Operation[Named]) ([]provider.Check, error) {
	return []provider.Check{provider.Equal[any]("value", op.Properties.Value, op.Existing.Outputs["value"])}, nil
}

// Find looks under the name; what cannot be found by it needs the identity.
func (n named) Find(_ context.Context, c *client, query *provider.Query[Named], found func(provider.Found) error) error {
	place := c.placeNamed(n.name, query.Name)
	all, err := query.Properties.search(c, place)
	if err != nil {
		return err
	}
	for _, it := range all {
		if n.discovery == contract.DiscoverNone && it.ID != query.Identity {
			continue
		}
		if err := found(provider.Found{Identity: it.ID, Name: it.Name, Outputs: n.outputs(it), Ready: true}); err != nil {
			return err
		}
	}
	return nil
}

func (n named) wanted(op *provider.Operation[Named], id string) item {
	return item{ID: id, Type: n.name, Name: op.Name, Value: op.Properties.Value}
}

func (named) outputs(it item) provider.Outputs {
	return provider.Outputs{"id": it.ID, "value": it.Value}
}
