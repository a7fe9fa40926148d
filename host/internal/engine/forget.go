package engine

import (
	"context"
	"slices"
)

// Forget deletes all records of a deployment: its graphs, runs, events and resources. Only of one that has nothing outside any
// more, as far as the records say: they are what it is found and destroyed by.
func (e *Engine) Forget(ctx context.Context, caller Caller, deploymentID string) error {
	deployment, err := e.deployment(ctx, caller, deploymentID)
	if err != nil {
		return classified(err)
	}
	if !deployment.Destroyed {
		resources, err := e.store.Resources(ctx, caller.Tenant, deploymentID)
		if err != nil {
			return classified(err)
		}
		if deployment.HeadGraphID != "" || slices.ContainsFunc(resources, exists) {
			return refuse(Conflict, "this deployment is not destroyed: its records say what it made, and where")
		}
	}
	if err := e.store.DeleteDeployment(ctx, caller.Tenant, deploymentID); err != nil {
		return classified(err)
	}
	e.forget(caller.Tenant, deploymentID)
	e.log.Info("records deleted", "tenant", caller.Tenant, "deployment", deploymentID, "by", caller.Name)
	return nil
}
