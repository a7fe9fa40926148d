package engine

import (
	"context"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// deployment reads a deployment of the caller's.
func (e *Engine) deployment(ctx context.Context, caller Caller, deploymentID string) (store.Deployment, error) {
	deployment, err := e.store.Deployment(ctx, caller.Tenant, deploymentID)
	if errors.Is(err, store.ErrNotFound) {
		err = refuse(NotFound, "there is no such deployment")
	}
	return deployment, err
}

// deploymentOf finds the deployment that a request names, by its id or by a graph of it.
func (e *Engine) deploymentOf(ctx context.Context, caller Caller, id, graphID string) (store.Deployment, error) {
	if graphID != "" {
		spec, _, err := e.load(ctx, caller, graphID)
		if err != nil {
			return store.Deployment{}, err
		}
		if id != "" && id != spec.DeploymentID {
			return store.Deployment{}, invalid(graph.Problem{Pointer: "/deployment_id", Message: "is not that of graph_id"})
		}
		id = spec.DeploymentID
	}
	if id == "" {
		return store.Deployment{}, invalid(graph.Problem{Pointer: "/graph_id", Message: "deployment_id or graph_id is required"})
	}
	return e.deployment(ctx, caller, id)
}

// headed is the deployment that a request names, by itself or by the graph that is its head.
func (e *Engine) headed(ctx context.Context, caller Caller, deploymentID, graphID string, force bool) (store.Deployment, error) {
	deployment, err := e.deploymentOf(ctx, caller, deploymentID, graphID)
	switch {
	case err != nil:
		return deployment, err
	case deployment.HeadGraphID == "":
		return deployment, refuse(Conflict, "nothing of this deployment was ever applied")
	case graphID != "" && graphID != deployment.HeadGraphID && !force:
		return deployment, refuse(Conflict, "this graph is not the one that was last applied: name that, or force")
	}
	return deployment, nil
}

// changing are the kinds of runs that change something: what status and resuming by graph id mean.
var changing = []execution.RunKind{execution.Apply, execution.Destroy, execution.Move, execution.Rollback}

// unfinished is the run of a deployment that changes something and has not come to its end; nil for none. There is one at most:
// a new one takes the place of the one before.
func (e *Engine) unfinished(ctx context.Context, caller Caller, deploymentID string) (*store.Run, error) {
	for _, kind := range changing {
		runs, err := e.store.ListRuns(ctx, store.RunFilter{Tenant: caller.Tenant, DeploymentID: deploymentID, Kind: kind}, store.Page{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(runs) > 0 && !runs[0].Status.Final() {
			return &runs[0], nil
		}
	}
	return nil, nil
}

// standsAs is the graph that a deployment stands as: "" when nothing was applied, or all was destroyed.
func standsAs(deployment store.Deployment) string {
	if deployment.Destroyed {
		return ""
	}
	return deployment.HeadGraphID
}
