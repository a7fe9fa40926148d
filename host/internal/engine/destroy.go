package engine

import (
	"context"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Destroy deletes what a deployment made, whichever of its graphs made it, in reverse order of the recorded dependencies. A
// destroy that failed or was interrupted is gone on with.
func (e *Engine) Destroy(ctx context.Context, caller Caller, request *rest.DestroyRequest) (*rest.RunResult, error) {
	return whileBeaten(func() (*rest.RunResult, error) { return e.destroy(ctx, caller, request) })
}

func (e *Engine) destroy(ctx context.Context, caller Caller, request *rest.DestroyRequest) (*rest.RunResult, error) {
	deployment, err := e.headed(ctx, caller, request.DeploymentID, request.GraphID, request.Force)
	if err != nil {
		return nil, err
	}
	run, err := e.store.LatestRun(ctx, caller.Tenant, deployment.HeadGraphID, changing...)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil && run.Kind == execution.Destroy {
		if run.Status == execution.RunCompleted && deployment.Destroyed {
			return e.Result(ctx, caller, run.ID)
		}
		if resumable(run.Status) {
			return e.undoOn(ctx, caller, deployment, run, request.Credentials)
		}
	}
	return e.destroyAnew(ctx, caller, request, deployment)
}

// destroyAnew derives the graph that undoes the deployment and runs it.
func (e *Engine) destroyAnew(ctx context.Context, caller Caller, request *rest.DestroyRequest, deployment store.Deployment) (*rest.RunResult, error) {
	if err := e.betweenAccounts(ctx, caller, deployment.ID); err != nil && !request.Force {
		return nil, err
	}
	run := e.newRun(caller, execution.Destroy, request.Only)
	p := &prepared{deployment: deployment}
	var err error
	if p.resources, err = e.store.Resources(ctx, caller.Tenant, deployment.ID); err != nil {
		return nil, err
	}
	left, err := e.teardown(ctx, caller, p)
	if err != nil {
		return nil, err
	}
	if err := p.order(ctx, e, caller, run.ExecGraphID); err != nil {
		return nil, err
	}
	if err := p.limit(request.Only); err != nil {
		return nil, err
	}
	run.GraphID = deployment.HeadGraphID
	d := &drive{run: run, options: runOptions{Only: request.Only, LeftOver: left}}
	return e.undoAnew(ctx, caller, p, d, request.Credentials)
}

// destroyed says what the end of a run means for the deployment; nil for nothing.
func (e *Engine) destroyed(d *drive, status execution.RunStatus) *bool {
	if d.run.Kind != execution.Destroy || status != execution.RunCompleted || len(d.options.Only) > 0 {
		return nil
	}
	gone := true
	d.state.Peek(func(run *execution.Run) { gone = run.Count(execution.Skipped) == 0 })
	if !gone {
		return nil
	}
	return &gone
}
