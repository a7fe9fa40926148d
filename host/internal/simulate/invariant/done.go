package invariant

import (
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// standing is what the events say of one place: what was completed there last, or that something was begun since.
type standing struct {
	begun       bool
	gone        bool
	value       *string // nil when it cannot be told
	fingerprint string
	run         string
}

// Done is I10: what was completed last at a place is so outside, as it was asked for, unless something was begun there since.
func Done(e *Evidence) (found []Violation) {
	at := map[place]*cloud.Item{}
	for i := range e.Items {
		if ours(&e.Items[i]) {
			at[placeOf(&e.Items[i])] = &e.Items[i]
		}
	}
	for where, s := range e.standings() {
		item := at[where]
		wrong := ""
		switch {
		case s.begun:
		case s.gone && item != nil:
			wrong = "was deleted, and is there"
		case s.gone:
		case item == nil:
			wrong = "is completed, and is not there"
		case s.value != nil && item.Value != *s.value:
			wrong = fmt.Sprintf("is completed, and holds %q in place of %q", item.Value, *s.value)
		case s.fingerprint != "" && item.Fingerprint != s.fingerprint:
			wrong = "is completed, and its secret is another"
		case item.Labels == nil && item.Type != "sim:entry":
			wrong = "is completed, and has no labels"
		}
		if wrong != "" {
			found = append(found, Violation{I10, fmt.Sprintf("%v %s (run %s)", where, wrong, s.run)})
		}
	}
	return found
}

// outputKey is what a reference leads to.
type outputKey struct{ deployment, node, region string }

// touch is one run at one place.
type touch struct {
	run   string
	where place
}

// standings replays every run in order. The outputs that references lead to are those of the moment at which they were read.
func (e *Evidence) standings() map[place]*standing {
	stands, outputs, before := map[place]*standing{}, map[outputKey]map[string]any{}, map[touch]*standing{}
	for i := range e.Runs {
		r := &e.Runs[i]
		if r.Kind == execution.Verify {
			continue
		}
		index := map[string]*plan.Operation{}
		for k := range r.Plan.Operations {
			index[r.Plan.Operations[k].ID] = &r.Plan.Operations[k]
		}
		wanted := map[string]*string{}
		for k := range r.Events {
			event := &r.Events[k]
			o := index[event.Operation]
			if o == nil || o.Node.Verb == contract.VerbVerify {
				continue
			}
			where := place{r.DeploymentID, o.Node.ResourceID, o.Node.Type, o.Region}
			switch {
			case event.Kind == execution.Intent:
				if _, again := before[touch{r.ID, where}]; !again {
					before[touch{r.ID, where}] = stands[where]
				}
				stands[where] = &standing{begun: true}
				wanted[o.ID] = wantedValue(r, o, outputs)
			case event.Kind == execution.Ended && event.Status == execution.Completed && o.Node.Undo != nil:
				stands[where] = broughtBack(r, before[touch{o.Node.Undo.RunID, where}])
			case event.Kind == execution.Ended && event.Status == execution.Completed:
				stands[where] = completed(r, o, wanted[o.ID])
				outputs[outputKey{r.DeploymentID, o.Node.NodeID, o.Region}] = object(event.Outputs)
			}
		}
	}
	return stands
}

// broughtBack is what stands at a place once a run is taken back there: what stood before it, if that was known.
func broughtBack(r *Run, before *standing) *standing {
	if before == nil {
		return &standing{begun: true}
	}
	back := *before
	back.run = r.ID
	return &back
}

func completed(r *Run, o *plan.Operation, value *string) *standing {
	return &standing{
		gone: o.Node.Verb == contract.VerbDelete, value: value, fingerprint: o.Node.Fingerprints["/secret"], run: r.ID,
	}
}

// wantedValue is what the property is to hold: as it was written, or what a reference gave when the attempt was begun.
func wantedValue(r *Run, o *plan.Operation, outputs map[outputKey]map[string]any) *string {
	for _, reference := range o.Node.References {
		if reference.Property != "/value" {
			continue
		}
		source := nodeOf(r.Spec, reference.NodeID)
		if source == nil {
			return nil
		}
		output := reference.Output
		if output == "" {
			output = "id"
		}
		given := outputs[outputKey{r.DeploymentID, source.NodeID, reference.RegionOf(source, o.Region)}]
		if value, ok := given[output].(string); ok {
			return &value
		}
		return nil
	}
	value, _ := object(o.Node.Properties)["value"].(string)
	return &value
}

func nodeOf(spec *graph.Spec, id string) *graph.Node {
	for i := range spec.Nodes {
		if spec.Nodes[i].NodeID == id {
			return &spec.Nodes[i]
		}
	}
	return nil
}

func object(raw json.RawMessage) map[string]any {
	var members map[string]any
	_ = json.Unmarshal(raw, &members) // what is no object has no members
	return members
}
