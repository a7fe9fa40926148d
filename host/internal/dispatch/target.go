package dispatch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// targetOf is the thing an operation is about, with what it refers to filled in.
func (p *Performer) targetOf(ctx context.Context, operation *plan.Operation) (contract.Target, error) {
	node := operation.Node
	values := make(map[string]json.RawMessage, len(node.References))
	for role, reference := range node.References {
		value, err := p.resolve(ctx, operation, reference)
		if lenient(node) && contract.KindOf(err) == contract.KindPrecondition {
			continue // what it refers to is gone already: it is found by name and labels then
		}
		if err != nil {
			return contract.Target{}, err
		}
		values[role] = value
	}
	return p.filled(operation, values)
}

// lenient says that a node can do without what it refers to: it deletes, or brings back what a record holds.
func lenient(node *graph.Node) bool { return node.Verb == contract.VerbDelete || node.Undo != nil }

// filled is the target with these values of its references, by role, and its sealed ones.
func (p *Performer) filled(operation *plan.Operation, values map[string]json.RawMessage) (contract.Target, error) {
	node := operation.Node
	target := contract.Target{
		Type:       node.Type,
		Name:       node.Names[operation.Region],
		Properties: node.Properties,
		Labels:     p.labels(node),
		Tags:       node.Tags,
		Adopt:      node.Adopt,
		Identity:   p.records.Identity(operation),
		Owned:      p.records.Made(operation),

		RecordedOutputs: p.records.Outputs(node.Logical(), operation.Region),
	}
	boxes := node.Boxes(p.run.Sealed)
	if node.Verb == contract.VerbDelete {
		boxes = nil
	}
	if len(node.References) == 0 && len(boxes) == 0 {
		return target, nil
	}
	fills := make(map[string]json.RawMessage, len(boxes)+len(values))
	for pointer, box := range boxes {
		fills[pointer], _ = json.Marshal(box) // a string always encodes
	}
	target.References, target.SealedPurposes = values, purposes(node, boxes)
	for role, value := range values {
		if property := node.References[role].Property; property != "" {
			fills[property] = value
		}
	}
	var err error
	target.Properties, err = document.Fill(node.Properties, fills)
	return target, err
}

// labels are those to set and to find by. What is brought back stands as an earlier graph again.
func (p *Performer) labels(node *graph.Node) map[string]string {
	labels := p.run.Plan.Spec.Labels(node, p.run.Owner)
	if node.Undo != nil && node.Undo.GraphID != "" {
		labels[contract.LabelGraphID] = node.Undo.GraphID
	}
	return labels
}

// purposes says of each box that a composite hands on what the caller sealed it for. A provider takes no other, so that a box is
// of no use anywhere but where the composite's provider lets it go.
func purposes(node *graph.Node, boxes map[string]string) map[string]string {
	var all map[string]string
	for pointer, from := range node.Handed {
		if boxes[pointer] == "" {
			continue
		}
		if all == nil {
			all = map[string]string{}
		}
		all[pointer] = sealedbox.PurposeProperty(from.Type, from.Pointer)
	}
	return all
}

// resolve gives the value of a reference: an output on record, or the thing itself, found again outside.
func (p *Performer) resolve(ctx context.Context, from *plan.Operation, reference graph.Reference) (json.RawMessage, error) {
	to, err := p.referenced(from, reference)
	if err != nil {
		return nil, err
	}
	if reference.Output != "" {
		if value, ok := object(p.records.Outputs(to.Node.Logical(), to.Region))[reference.Output]; ok {
			return value, nil
		}
	}
	return p.discover(ctx, to, reference)
}

// referenced is the operation that a reference means, seen from the region of the one that reads it.
func (p *Performer) referenced(from *plan.Operation, reference graph.Reference) (*plan.Operation, error) {
	if source := p.nodes[reference.NodeID]; source != nil {
		region := reference.RegionOf(source, from.Region)
		if to, ok := p.places[place{source.Logical(), region}]; ok {
			return to, nil
		}
		if p.context[source.Logical()] {
			return &plan.Operation{Node: source, Region: region}, nil
		}
	}
	return nil, contract.New(contract.KindPrecondition, fmt.Sprintf("reference %q names nothing in this run", reference.Text))
}

// discovery is one search for a referenced thing, shared by all that refer to it.
type discovery struct {
	done    chan struct{}
	outputs map[string]json.RawMessage
	kind    *contract.ResourceType
	err     error
}

// discover finds the thing again outside, once a run for each place unless that failed, and takes the value from what was found.
func (p *Performer) discover(ctx context.Context, to *plan.Operation, reference graph.Reference) (json.RawMessage, error) {
	d := p.search(ctx, to)
	if d.err != nil {
		return nil, d.err
	}
	output := reference.Output
	if output == "" {
		output = d.kind.SelfOutput
	}
	value, ok := d.outputs[output]
	if !ok {
		return nil, contract.New(contract.KindPrecondition, fmt.Sprintf("reference %q: there is no such output", reference.Text))
	}
	return value, nil
}

func (p *Performer) search(ctx context.Context, to *plan.Operation) *discovery {
	at := place{to.Node.Logical(), to.Region}
	p.mu.Lock()
	d, ok := p.found[at]
	if !ok {
		d = &discovery{done: make(chan struct{})}
		p.found[at] = d
	}
	p.mu.Unlock()
	if ok {
		<-d.done
		return d
	}
	d.kind, d.outputs, d.err = p.findReferenced(ctx, to)
	if d.err != nil {
		p.mu.Lock()
		delete(p.found, at)
		p.mu.Unlock()
	}
	close(d.done)
	return d
}

func (p *Performer) findReferenced(ctx context.Context, to *plan.Operation) (*contract.ResourceType, map[string]json.RawMessage, error) {
	name, version := p.pin(to.Node)
	provider, description, release, err := p.dispatcher.providers.Use(ctx, name, version)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	kind, ok := description.Type(to.Node.Type)
	if !ok {
		return nil, nil, contract.New(contract.KindUnsupported, "the provider no longer offers the type of a referenced resource")
	}
	target, err := p.targetOf(ctx, to)
	if err != nil {
		return nil, nil, err
	}
	call := p.callContext(to)
	leave, err := p.dispatcher.limits.enter(ctx, call, name, p.dispatcher.limitOf(name, description))
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	var found []contract.Found
	end, err := provider.Find(ctx, &contract.FindRequest{Context: call, Target: target}, func(f contract.Found) {
		if f.Ownership != contract.OwnershipOther {
			found = append(found, f)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	return oneFound(kind, to.Node.ResourceID, found, end)
}

func oneFound(kind *contract.ResourceType, resourceID string, found []contract.Found, end *contract.FindEnd) (*contract.ResourceType, map[string]json.RawMessage, error) {
	switch {
	case len(found) == 1:
		return kind, object(found[0].Outputs), nil
	case len(found) > 1:
		return nil, nil, ambiguous(found)
	case end.Completeness != contract.Complete:
		err := contract.New(contract.KindNotReady, fmt.Sprintf("a search could not yet tell whether %q exists", resourceID))
		err.RetryAfter = end.RetryAfter
		return nil, nil, err
	default:
		return nil, nil, contract.New(contract.KindPrecondition, fmt.Sprintf("referenced resource %q was not found", resourceID))
	}
}
