package noop

import (
	"context"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Fast is the properties of noop:fast.
type Fast struct {
	Value string `json:"value,omitempty" jsonschema_description:"Anything: it is not looked at."`
}

// fast is noop:fast: it costs what the SDK and the wire cost. All that it keeps is a name for what this process has made.
type fast struct{ known *known }

// known is the set of what was made.
type known struct{ set sync.Map }

func newKnown() *known { return &known{} }

// nameOf tells things apart: by the labels that identify, and the place.
func nameOf(labels map[string]string, region string) string {
	return labels[contract.LabelOwner] + "/" + labels[contract.LabelDeployID] + "/" + labels[contract.LabelResourceID] + "/" + region
}

// Describe says what it is.
func (fast) Describe() provider.Description {
	return provider.Description{
		Type: "noop:fast", Summary: "Nothing at all, as fast as can be.",
		Placement: contract.Global, Discovery: contract.DiscoverByLabel, RepeatSafety: contract.ByLabel,
		References: []contract.ReferenceRole{{Role: "from", Property: "/value", Summary: "Anything."}},
		SelfOutput: "id", Outputs: []contract.OutputField{{Name: "id", Summary: "What it is found by."}},
	}
}

// Create says that it was made.
func (f fast) Create(_ context.Context, _ *client, op *provider.Operation[Fast]) (provider.Outputs, error) {
	id := op.Labels[contract.LabelNodeID]
	f.known.set.Store(nameOf(op.Labels, op.Region), id)
	op.Made(id)
	return provider.Outputs{"id": id}, nil
}

// Delete forgets it.
func (f fast) Delete(_ context.Context, _ *client, op *provider.Operation[Fast]) (provider.Outputs, error) {
	f.known.set.Delete(nameOf(op.Labels, op.Region))
	op.Wrote()
	return nil, nil
}

// Verify has nothing to compare.
func (fast) Verify(context.Context, *client, *provider.Operation[Fast]) ([]provider.Check, error) {
	return nil, nil
}

// Find knows what this process has made.
func (f fast) Find(
	_ context.Context, _ *client, query *provider.Query[Fast], found func(provider.Found) error,
) error {
	id, ok := f.known.set.Load(nameOf(query.Labels, query.Region))
	if !ok {
		return nil
	}
	return found(provider.Found{
		Identity: id.(string), Labels: query.Labels, Outputs: provider.Outputs{"id": id}, Ready: true,
	})
}
