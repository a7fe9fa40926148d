package engine

import (
	"context"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Continue goes on with the latest run of a graph that changes something, whichever kind it is, once it is paused, has failed or
// was interrupted. What a person asks for beside that is committed together with its going on.
func (e *Engine) Continue(ctx context.Context, caller Caller, request *rest.ContinueRequest) (*rest.RunResult, error) {
	if err := checkContinue(request); err != nil {
		return nil, err
	}
	result, err := e.continueRun(ctx, caller, request)
	return result, classified(err)
}

func checkContinue(request *rest.ContinueRequest) error {
	var problems []graph.Problem
	if request.GraphID == "" {
		problems = append(problems, graph.Problem{Pointer: "/graph_id", Message: "is required"})
	}
	if request.Mode != "" && request.Mode != rest.ModeFull && request.Mode != rest.ModeStep {
		problems = append(problems, graph.Problem{Pointer: "/mode", Message: "must be FULL or STEP"})
	}
	return refused(problems)
}

func (e *Engine) continueRun(ctx context.Context, caller Caller, request *rest.ContinueRequest) (*rest.RunResult, error) {
	asked := steering{
		release: true, from: request.FromNode, skip: request.Skip, unskip: request.Unskip, retry: request.Retry,
	}
	run, deployment, err := e.continued(ctx, caller, request)
	if err != nil {
		return nil, err
	}
	if run.Status == execution.RunCompleted {
		if asked.asks() {
			return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this run is completed: nothing of it can be steered any more"}
		}
		return e.Result(ctx, caller, run.ID)
	}
	return e.claimed(ctx, caller, run, func(d *drive, state *execution.Run) (*rest.RunResult, error) {
		if err := ofMove(d, state, &asked); err != nil {
			return nil, err
		}
		given, err := sealedAgain(request.SealedProperties, d.plan.Spec)
		if err != nil {
			return nil, err
		}
		return e.goOn(ctx, caller, d, state, goingOn{
			deployment: deployment, credentials: request.Credentials, prefix: "/credentials", given: given,
			mode: execution.Mode(request.Mode), steering: asked,
		})
	})
}

// ofMove keeps what holds a move from being released in any other way than by its commit.
func ofMove(d *drive, state *execution.Run, asked *steering) error {
	if d.options.Move == nil {
		return nil
	}
	if asked.from != "" {
		return invalid(graph.Problem{Pointer: "/from_node", Message: "a move is released by its commit only"})
	}
	asked.release = false
	held := state.Status == execution.RunPaused && ready(d.plan, state) && !committed(d.plan, state)
	if held && d.forward() && !d.options.Move.DeleteAfterVerify && !asked.asks() {
		return &Error{Kind: Conflict, RunID: d.run.ID, Message: "this move waits for its commit: commit or discard it"}
	}
	return nil
}

// continued finds the run to go on with, or says why there is none.
func (e *Engine) continued(ctx context.Context, caller Caller, request *rest.ContinueRequest) (store.Run, store.Deployment, error) {
	stored, err := e.store.Graph(ctx, caller.Tenant, request.GraphID)
	if errors.Is(err, store.ErrNotFound) {
		return store.Run{}, store.Deployment{}, refuse(NotFound, "there is no such graph")
	}
	if err != nil {
		return store.Run{}, store.Deployment{}, err
	}
	deployment, err := e.store.Deployment(ctx, caller.Tenant, stored.DeploymentID)
	if err != nil {
		return store.Run{}, deployment, err
	}
	run, err := e.store.LatestRun(ctx, caller.Tenant, request.GraphID, changing...)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = refuse(Conflict, "this graph was never run: apply it")
	case err != nil:
	case run.Status.Active():
		err = &Error{Kind: Conflict, RunID: run.ID, Message: "this run is active"}
	case run.Status == execution.RunCancelled:
		err = &Error{Kind: Conflict, RunID: run.ID, Message: "this run was cancelled: apply its graph, or a new config"}
	case run.Kind != execution.Move && run.Status != execution.RunCompleted && deployment.HeadGraphID != request.GraphID && !request.Force:
		err = refuse(Conflict, "another graph of this deployment was applied since: force goes on all the same")
	}
	return run, deployment, err
}
