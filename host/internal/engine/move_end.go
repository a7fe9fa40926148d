package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// commitment makes a move final, in one commit: the hold is released and the head moves.
type commitment struct {
	events []execution.Event
	head   *store.HeadMove
}

// committed says whether the point has been passed from which a move goes forward only.
func committed(p *plan.Plan, state *execution.Run) bool { return state.Released(p.Spec.Hold) }

// ready says whether all that comes before the hold is done. A person may have skipped a check; what is to take another's place
// must be there.
func ready(p *plan.Plan, state *execution.Run) bool {
	for i := range p.Operations {
		status, verb := state.Operation(p.Operations[i].ID).Status, p.Operations[i].Node.Verb
		skipped := status == execution.Skipped && verb == contract.VerbVerify
		if verb != contract.VerbDelete && status != execution.Completed && !skipped {
			return false
		}
	}
	return true
}

// commit releases the hold, and all edges that it is made of.
func (d *drive) commit(state *execution.Run, by string) *commitment {
	spec := d.plan.Spec
	c := &commitment{
		events: []execution.Event{{Kind: execution.EdgeReleased, Edge: spec.Hold, By: by}},
		head:   &store.HeadMove{GraphID: d.run.GraphID, Previous: d.options.Move.Previous, Accounts: d.options.Move.Accounts},
	}
	for i := range spec.Edges {
		if spec.Edges[i].Type == graph.Pause {
			c.events = append(c.events, execution.Event{Kind: execution.EdgeReleased, Edge: spec.Edges[i].EdgeID, By: by})
		}
	}
	var held []string
	for i := range state.Operations() {
		if operation := &state.Operations()[i]; operation.Status == execution.Paused {
			held = append(held, operation.ID)
		}
	}
	if len(held) > 0 {
		c.events = append(c.events, execution.Event{Kind: execution.Changed, Operations: held, Status: execution.Pending, Reason: "committed", By: by})
	}
	return c
}

// forward says that a run is a move, and no discard of one.
func (d *drive) forward() bool { return d.options.Move != nil && d.options.Move.Discards == "" }

// carryOn says what becomes of a move when nothing of it can be performed any more: whether it goes on at once, and else how it
// stands. One whose hold is reached is committed, where it was asked to by itself.
func (e *Engine) carryOn(d *drive, status execution.RunStatus) (execution.RunStatus, bool, error) {
	if d.options.Move == nil {
		return status, false, nil
	}
	var done, passed bool
	var c *commitment
	var left []string
	d.state.Peek(func(state *execution.Run) {
		done, passed = ready(d.plan, state), !d.forward() || committed(d.plan, state)
		if !passed {
			c = d.commit(state, d.run.StartedBy)
		}
		left = unwilling(d.plan, state)
	})
	switch {
	case passed && status == execution.RunFailed && len(left) > 0:
		event := execution.Event{Kind: execution.Changed, Operations: left, Status: execution.Skipped, Reason: "left over"}
		return status, true, d.state.Append(journal.Entry{Events: []execution.Event{event}})
	case passed || !done || status != execution.RunPaused && status != execution.RunCompleted:
		return status, false, nil
	case d.options.Move.DeleteAfterVerify:
		return status, true, d.state.Append(journal.Entry{Events: c.events, Head: c.head})
	default:
		return execution.RunPaused, false, nil
	}
}

// unwilling are the deletions that a provider refused for good, since what was to be deleted is not empty or is in use, and those
// behind them. Nothing when something else failed too: that is for a person.
func unwilling(p *plan.Plan, state *execution.Run) []string {
	var left []string
	behind := make([]bool, len(p.Operations))
	for i := range p.Operations {
		operation := state.Operation(p.Operations[i].ID)
		refused := operation.Status == execution.Failed && p.Operations[i].Node.Verb == contract.VerbDelete &&
			operation.Error != nil && operation.Error.Kind == contract.KindPrecondition
		if operation.Status == execution.Failed && !refused {
			return nil
		}
		for _, edge := range p.Operations[i].Predecessors {
			behind[i] = behind[i] || behind[edge.Operation]
		}
		behind[i] = behind[i] || refused
		if refused || behind[i] && operation.Status == execution.Blocked {
			left = append(left, operation.ID)
		}
	}
	return left
}

// CommitMove makes a move final: the graph that it leads to is the head from now on, and what was left behind is deleted. One that
// was committed and did not finish is gone on with.
func (e *Engine) CommitMove(ctx context.Context, caller Caller, graphID string, request *rest.MoveEndRequest) (*rest.RunResult, error) {
	result, err := e.commitMove(ctx, caller, graphID, request)
	return result, classified(err)
}

func (e *Engine) commitMove(ctx context.Context, caller Caller, graphID string, request *rest.MoveEndRequest) (*rest.RunResult, error) {
	run, options, deployment, err := e.endedMove(ctx, caller, graphID)
	if err != nil {
		return nil, err
	}
	switch {
	case options.Discards != "":
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this move is discarded"}
	case run.Status == execution.RunCompleted:
		return e.Result(ctx, caller, run.ID)
	case run.Status == execution.RunCancelled:
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this move was cancelled"}
	case deployment.HeadGraphID != graphID && deployment.HeadGraphID != options.Previous || deployment.Destroyed:
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "another graph of this deployment was applied since, or it was destroyed"}
	}
	return e.goOnMoving(ctx, caller, run, deployment, request,
		func(d *drive, state *execution.Run) (*commitment, error) {
			switch {
			case committed(d.plan, state):
				return nil, nil
			case !ready(d.plan, state):
				return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "not all of this move is made and verified: go on with it first"}
			default:
				return d.commit(state, caller.Name), nil
			}
		})
}

// endedMove finds the run that is to be committed or discarded.
func (e *Engine) endedMove(ctx context.Context, caller Caller, graphID string) (store.Run, *moveOptions, store.Deployment, error) {
	run, err := e.store.LatestRun(ctx, caller.Tenant, graphID, changing...)
	if errors.Is(err, store.ErrNotFound) {
		return run, nil, store.Deployment{}, refuse(NotFound, "there is no move of such a graph")
	}
	if err != nil {
		return run, nil, store.Deployment{}, err
	}
	options, err := optionsOf(&run)
	if err != nil {
		return run, nil, store.Deployment{}, err
	}
	if options.Move == nil {
		return run, nil, store.Deployment{}, &Error{Kind: Conflict, RunID: run.ID, Message: fmt.Sprintf("this is the graph of no move: its last run is of the kind %s", run.Kind)}
	}
	deployment, err := e.store.Deployment(ctx, caller.Tenant, run.DeploymentID)
	return run, options.Move, deployment, err
}

// DiscardMove undoes a move that was not committed: what was repointed is given its old values, and what was made is deleted. A
// discard that did not finish is gone on with.
func (e *Engine) DiscardMove(ctx context.Context, caller Caller, graphID string, request *rest.MoveEndRequest) (*rest.RunResult, error) {
	return whileBeaten(func() (*rest.RunResult, error) { return e.discardMove(ctx, caller, graphID, request) })
}

func (e *Engine) discardMove(ctx context.Context, caller Caller, graphID string, request *rest.MoveEndRequest) (*rest.RunResult, error) {
	run, options, deployment, err := e.endedMove(ctx, caller, graphID)
	if err != nil {
		return nil, err
	}
	switch {
	case run.Status.Active():
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this run is active: cancel it first, or wait for it"}
	case options.Discards != "" && run.Status == execution.RunCompleted:
		return e.Result(ctx, caller, run.ID)
	case options.Discards != "" && run.Status != execution.RunCancelled:
		return e.goOnMoving(ctx, caller, run, deployment, request, nil)
	case deployment.HeadGraphID == graphID:
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this move is committed: it goes forward only"}
	case deployment.HeadGraphID != options.Previous || deployment.Destroyed:
		return nil, refuse(Conflict, "another graph of this deployment was applied since, or it was destroyed: there is nothing to go back to")
	}
	if options.Discards != "" {
		if run, err = e.store.Run(ctx, caller.Tenant, options.Discards); err != nil {
			return nil, err
		}
	}
	return e.discardAnew(ctx, caller, request, deployment, run, options)
}

// discardAnew derives the graph that undoes what a move has begun, and runs it.
func (e *Engine) discardAnew(ctx context.Context, caller Caller, request *rest.MoveEndRequest, deployment store.Deployment, run store.Run, options *moveOptions) (*rest.RunResult, error) {
	forward, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, err
	}
	head, _, err := e.load(ctx, caller, options.Previous)
	if err != nil {
		return nil, err
	}
	target, _, err := e.load(ctx, caller, run.GraphID)
	if err != nil {
		return nil, err
	}
	p := &prepared{deployment: deployment}
	if p.catalog, err = e.pinnedBy(ctx, head); err != nil {
		return nil, err
	}
	if p.resources, err = e.store.Resources(ctx, caller.Tenant, deployment.ID); err != nil {
		return nil, err
	}
	places := placesOf(p.resources, p.catalog)
	p.spec = graph.Unmove(head, target, forward.plan.Spec, e.options.NewID(), e.options.NewID, func(node *graph.Node) bool {
		operation, place := state.Operation(node.NodeID), places[node.Logical()][node.Regions[0]]
		return operation != nil && operation.Attempt > 0 && place.There && (node.Verb != contract.VerbCreate || place.Stays == "")
	})
	back := *options
	back.Discards = run.ID
	d, err := e.movement(ctx, caller, p, &back, request)
	if err != nil {
		return nil, err
	}
	d.run.GraphID = run.GraphID
	return e.createMovement(ctx, caller, d, store.NewRun{PreviousHead: deployment.HeadGraphID, Supersede: true})
}
