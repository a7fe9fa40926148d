// Package invariant is the judge of every fault test: it reads what the store holds and what really exists outside, and says
// which of the invariants I1 to I10 that breaks. Each has a function of its own. It injects nothing, and takes no host's word
// for what happened.
package invariant

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// ID names an invariant.
type ID string

// The invariants; see ARCHITECTURE.md.
const (
	I1  ID = "I1"  // what was acknowledged is in the store
	I2  ID = "I2"  // each logical resource exists at most once
	I3  ID = "I3"  // nothing is changed outside before the intent is in the store, and nothing that is not ours
	I4  ID = "I4"  // one owner a run, and nothing written too late
	I5  ID = "I5"  // events without a gap, in a legal order, that add up to what is stored
	I6  ID = "I6"  // every run comes to rest
	I7  ID = "I7"  // nothing is left over, or it is named
	I8  ID = "I8"  // no secret anywhere
	I9  ID = "I9"  // what is refused changes nothing
	I10 ID = "I10" // what is completed was done
)

// IDs lists them all.
func IDs() []ID { return []ID{I1, I2, I3, I4, I5, I6, I7, I8, I9, I10} }

// Violation is one thing that must not be.
type Violation struct {
	Invariant ID
	Text      string
}

func (v Violation) String() string { return string(v.Invariant) + ": " + v.Text }

// Evidence is all that is known at one moment: of the store, and of the world.
type Evidence struct {
	// Runs of the tenant, oldest first.
	Runs        []Run
	Deployments []store.Deployment
	Resources   map[string][]store.Resource
	Items       []cloud.Item
	Log         []cloud.Write

	graphs map[string]*graph.Spec
	byID   map[string]*Run
}

// Run is a run as it is stored, with its events and the operations that it is about.
type Run struct {
	store.Run
	Events []execution.Event
	Spec   *graph.Spec
	Plan   *plan.Plan
	// State is what the events add up to, nil when they break a rule: Replay says which.
	State    *execution.Run
	replayed error
}

// Gather reads the evidence. The store should be one without faults.
func Gather(ctx context.Context, s store.Store, tenant string, world *cloud.World) (*Evidence, error) {
	e := &Evidence{
		Items: world.Items(), Log: world.Log(), Resources: map[string][]store.Resource{},
		graphs: map[string]*graph.Spec{}, byID: map[string]*Run{},
	}
	var err error
	if e.Deployments, err = s.Deployments(ctx, tenant, store.Page{}); err != nil {
		return nil, err
	}
	for _, d := range e.Deployments {
		if e.Resources[d.ID], err = s.Resources(ctx, tenant, d.ID); err != nil {
			return nil, err
		}
	}
	runs, err := s.ListRuns(ctx, store.RunFilter{Tenant: tenant}, store.Page{})
	if err != nil {
		return nil, err
	}
	slices.Reverse(runs)
	e.Runs = make([]Run, len(runs))
	for i := range runs {
		e.Runs[i].Run = runs[i]
		if err := e.read(ctx, s, &e.Runs[i]); err != nil {
			return nil, fmt.Errorf("run %s: %w", runs[i].ID, err)
		}
		e.byID[runs[i].ID] = &e.Runs[i]
	}
	return e, nil
}

// read fills in what belongs to a run.
func (e *Evidence) read(ctx context.Context, s store.Store, r *Run) (err error) {
	if r.Events, err = s.Events(ctx, r.ID, 0, 0); err != nil {
		return err
	}
	if r.Spec, err = e.graph(ctx, s, r.Tenant, r.PlanGraphID); err != nil {
		return err
	}
	if r.Plan, err = planOf(r); err != nil {
		return err
	}
	ids := make([]string, len(r.Plan.Operations))
	for i := range r.Plan.Operations {
		ids[i] = r.Plan.Operations[i].ID
	}
	if r.State, r.replayed = execution.Replay(r.ID, ids, r.Events); r.replayed != nil {
		r.State = nil
	}
	return nil
}

func (e *Evidence) graph(ctx context.Context, s store.Store, tenant, id string) (*graph.Spec, error) {
	if spec := e.graphs[id]; spec != nil {
		return spec, nil
	}
	stored, err := s.Graph(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	spec := &graph.Spec{}
	if err := json.Unmarshal(stored.Spec, spec); err != nil {
		return nil, err
	}
	e.graphs[id] = spec
	return spec, nil
}

// planOf orders the graph of a run: a verification needs no order, and looks at nothing that was to be deleted.
func planOf(r *Run) (*plan.Plan, error) {
	spec := *r.Spec
	if r.Kind == execution.Verify {
		spec.Edges = nil
		spec.Nodes = slices.DeleteFunc(slices.Clone(spec.Nodes), func(n graph.Node) bool { return n.Verb == "delete" })
	}
	ordered, err := plan.New(&spec, nil, r.ExecGraphID)
	if err != nil {
		return nil, err
	}
	var options struct {
		Only []string `json:"only"`
	}
	if err := json.Unmarshal(r.Options, &options); err != nil || len(options.Only) == 0 {
		return ordered, err
	}
	return ordered.Only(options.Only)
}

// Run finds a run by its id; nil when the store has none of it.
func (e *Evidence) Run(id string) *Run { return e.byID[id] }

// Always holds the evidence against all that must hold at any moment.
func (e *Evidence) Always(told *Told, foreign []cloud.Item) []Violation {
	return slices.Concat(
		Acknowledged(e, told), Once(e), Keys(e), Announced(e), Untouched(e, foreign), InTime(e), Ordered(e), Done(e), Honest(e), TakenBack(e),
	)
}

// AtRest holds it against what must hold as well when nothing is at work.
func (e *Evidence) AtRest() []Violation { return slices.Concat(Rested(e), Blocked(e)) }
