package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// effect is what all attempts of one operation may have done, taken together.
type effect struct {
	created, updated, deleted bool
	// unclear: how an attempt ended is not known, or it was partial.
	unclear bool
}

func (f effect) any() bool { return f.created || f.updated || f.deleted || f.unclear }

// effectsOf reads from the events of a run what its operations may have done. The last state alone does not tell: an attempt that
// settles one whose answer was lost finds nothing left to change.
func effectsOf(events []execution.Event) map[string]effect {
	effects, open := map[string]effect{}, map[string]bool{}
	for i := range events {
		event := &events[i]
		did := effects[event.Operation]
		switch {
		case event.Kind == execution.Intent:
			// The attempt that this one settles may have no end of its own: its host died.
			did.unclear = did.unclear || event.Settling
			effects[event.Operation], open[event.Operation] = did, true
			continue
		case event.Kind != execution.Ended || event.Outcome == contract.OutcomeNone:
			continue
		}
		open[event.Operation] = false
		if event.Absent { // it was looked for: nothing came of what was tried
			did.created, did.unclear = false, false
		}
		switch event.Outcome {
		case contract.OutcomeApplied:
			did.created = did.created || event.Change == contract.ChangeCreated
			did.updated = did.updated || event.Change == contract.ChangeUpdated
			did.deleted = did.deleted || event.Change == contract.ChangeDeleted
		case contract.OutcomePartial, contract.OutcomeUnknown:
			did.unclear = true
		}
		effects[event.Operation] = did
	}
	for operation, still := range open {
		if did := effects[operation]; still {
			did.unclear = true
			effects[operation] = did
		}
	}
	return effects
}

// The ways to take an operation back.
type wayBack int

const (
	wayNone   wayBack = iota // it did nothing
	wayDelete                // it made the thing
	wayRecord                // its provider wrote down what was there
	wayStuck                 // there is no way
)

// undoing derives the graph that takes a run back.
type undoing struct {
	run       store.Run
	plan      *plan.Plan
	state     *execution.Run
	effects   map[string]effect
	records   map[string]*contract.RollbackRecord
	catalog   *catalog
	resources []store.Resource
	// restored is the graph that was the head before the run; nil for none.
	restored *graph.Spec
}

// way decides how an operation is taken back, or says why it cannot be.
func (u *undoing) way(operation *plan.Operation) (way wayBack, stuck string) {
	did, planned := u.effects[operation.ID], u.state.Operation(operation.ID).Planned
	kind, ok := u.catalog.Type(operation.Node.Type)
	switch {
	case !did.any() || operation.Node.Verb == contract.VerbVerify:
		return wayNone, ""
	case !ok:
		return wayStuck, "its provider no longer offers the type"
	case u.records[operation.ID] != nil && planned != contract.ActionCreate:
		return wayRecord, ""
	case u.made(operation, did, planned):
		if _, deletes := kind.Verb(contract.VerbDelete); !deletes {
			return wayStuck, "its type cannot be deleted"
		}
		return wayDelete, ""
	case planned == contract.ActionNoOp && !did.updated && !did.deleted:
		return wayNone, "" // it was as it should be, and was at most set to the same again
	case !kind.Rollbacks:
		return wayStuck, "its type keeps no record of what was there before"
	default:
		return wayStuck, "there is no record of what was there before"
	}
}

// made says that what is there was not there before the run.
func (u *undoing) made(operation *plan.Operation, did effect, planned contract.PlannedAction) bool {
	switch {
	case did.deleted || operation.Node.Verb == contract.VerbDelete || operation.Node.Verb == contract.VerbUpdate:
		return false
	case planned == contract.ActionCreate || did.created:
		return true
	case operation.Node.Verb == contract.VerbCreate:
		return !did.updated
	default:
		// An ensure that nobody was asked about, and whose outcome is not known: in a first deployment there was nothing before.
		return planned == "" && !did.updated && u.restored == nil
	}
}

// derive gives the graph, in reverse order, and what has to stay as the run left it.
func (u *undoing) derive(newID func() string) (*graph.Spec, []rest.LeftOver) {
	b := &undoer{undoing: u, newID: newID, taken: map[string]bool{}, own: map[string]bool{}, at: map[string]int{}}
	for _, resource := range u.resources {
		b.taken[resource.NodeID] = true
	}
	for i := range u.plan.Operations {
		b.add(&u.plan.Operations[i])
	}
	spec := graph.Backwards(newID(), u.run.DeploymentID, b.nodes, u.order(), newID)
	spec.Version, spec.Providers = u.plan.Spec.Version, u.plan.Spec.Providers
	spec.Context = contextOf(spec, u.plan.Spec)
	return spec, b.left
}

// order are the edges that the run went by, and one for each reference: what leads from the one to the other may go by way of
// something that the run left as it was, and that nothing is done about now.
func (u *undoing) order() []graph.Edge {
	edges := slices.Clone(u.plan.Spec.Edges)
	for i := range u.plan.Spec.Nodes {
		node := &u.plan.Spec.Nodes[i]
		for _, role := range slices.Sorted(maps.Keys(node.References)) {
			edges = append(edges, graph.Edge{From: node.References[role].NodeID, To: node.Logical()})
		}
	}
	return edges
}

// undoer collects nodes: one for all places that a resource is deleted in, and one for each place where it is brought back, since
// each place has a record of its own.
type undoer struct {
	*undoing
	newID func() string
	nodes []graph.Node
	left  []rest.LeftOver
	taken map[string]bool // node ids
	own   map[string]bool // resources that have a node of their own id
	at    map[string]int  // in nodes, of the one that deletes a resource
}

func (b *undoer) add(operation *plan.Operation) {
	way, stuck := b.way(operation)
	logical := operation.Node.Logical()
	switch way {
	case wayStuck:
		b.left = append(b.left, rest.LeftOver{
			ResourceID: operation.Node.ResourceID, ResourceType: operation.Node.Type, Region: operation.Region,
			Name: operation.Node.Names[operation.Region], Identity: b.state.Operation(operation.ID).Identity, Reason: stuck,
		})
	case wayDelete:
		if i, ok := b.at[logical]; ok {
			b.nodes[i].Regions = append(b.nodes[i].Regions, operation.Region)
			return
		}
		b.at[logical] = len(b.nodes)
		b.nodes = append(b.nodes, b.node(operation, contract.VerbDelete))
	case wayRecord:
		node := b.node(operation, contract.VerbUpdate)
		if operation.Node.Verb == contract.VerbDelete {
			node.Verb = contract.VerbCreate
		}
		node.Undo = &graph.Undo{RunID: b.run.ID, Operation: operation.ID}
		if b.restored != nil && nodeOf(b.restored, logical) != nil {
			node.Undo.GraphID = b.restored.GraphID
		}
		b.nodes = append(b.nodes, node)
	}
}

// node is one that acts on the operation's resource in its region. The first of a resource has the resource's own id.
func (b *undoer) node(operation *plan.Operation, verb contract.Verb) graph.Node {
	logical := operation.Node.Logical()
	node := graph.ToDelete(graph.TeardownNode{Node: *operation.Node, Regions: operation.Node.Regions})
	node.Verb, node.Regions = verb, []string{operation.Region}
	if b.own[logical] {
		node.NodeID, node.Subject = b.draw(), logical
	}
	b.own[logical] = true
	return node
}

func (b *undoer) draw() string {
	for {
		if id := b.newID(); !b.taken[id] {
			b.taken[id] = true
			return id
		}
	}
}

// contextOf are the nodes that a derived graph refers to, however far, as the run had them: of those that it holds too, in some of
// their regions, they tell in which region a reference means them.
func contextOf(derived, from *graph.Spec) []graph.Node {
	nodes, known := map[string]*graph.Node{}, map[string]bool{}
	for _, some := range [][]graph.Node{from.Context, from.Nodes} {
		for i := range some {
			nodes[some[i].Logical()] = &some[i]
		}
	}
	var queue []*graph.Node
	for i := range derived.Nodes {
		queue = append(queue, &derived.Nodes[i])
	}
	var context []graph.Node
	for ; len(queue) > 0; queue = queue[1:] {
		for _, reference := range queue[0].References {
			if source := nodes[reference.NodeID]; source != nil && !known[reference.NodeID] {
				known[reference.NodeID] = true
				context = append(context, *source)
				queue = append(queue, source)
			}
		}
	}
	return context
}

// undoingOf reads all that there is to know of a run that is to be taken back.
func (e *Engine) undoingOf(ctx context.Context, caller Caller, run store.Run) (*undoing, error) {
	d, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, err
	}
	u := &undoing{run: run, plan: d.plan, state: state}
	events, err := e.store.Events(ctx, run.ID, 0, 0)
	if err != nil {
		return nil, err
	}
	u.effects = effectsOf(events)
	if u.records, err = e.recordsOf(ctx, run.ID); err != nil {
		return nil, err
	}
	if u.catalog, err = e.pinnedBy(ctx, d.plan.Spec); err != nil {
		return nil, err
	}
	if u.resources, err = e.store.Resources(ctx, caller.Tenant, run.DeploymentID); err != nil {
		return nil, err
	}
	before := d.plan.Spec.BasedOn
	if d.options.PreviousHead != nil {
		before = *d.options.PreviousHead
	}
	if before != "" {
		if u.restored, _, err = e.load(ctx, caller, before); err != nil {
			return nil, fmt.Errorf("the graph before: %w", err)
		}
	}
	return u, nil
}

// recordsOf gives the rollback records of a run by operation.
func (e *Engine) recordsOf(ctx context.Context, runID string) (map[string]*contract.RollbackRecord, error) {
	kept, err := e.store.RollbackRecords(ctx, runID)
	if err != nil {
		return nil, err
	}
	records := make(map[string]*contract.RollbackRecord, len(kept))
	for i := range kept {
		records[kept[i].Operation] = &contract.RollbackRecord{Format: kept[i].Format, Data: kept[i].Data}
	}
	return records, nil
}
