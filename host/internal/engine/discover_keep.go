package engine

import (
	"context"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// recordAnew makes the records of a deployment from what was found: its graph, which becomes the head, its resources with the node
// ids that they carry, and what is known of each. It all stands in one transaction, with a verification that then proves it.
func (e *Engine) recordAnew(ctx context.Context, d *discovery, response *rest.DiscoverResponse) error {
	run := e.newRun(d.caller, execution.Verify, nil)
	p := &prepared{resources: d.foundResources()}
	if err := e.prepareOn(ctx, d.caller, p, d.request.Config, d.request.SealedProperties, run.ExecGraphID); err != nil {
		return err
	}
	answer, err := e.check(ctx, check{
		caller: d.caller, deploymentID: p.spec.DeploymentID, credentials: d.credentials, prefix: d.prefix,
		catalog: p.catalog, needed: providersOf(p.plan), sealed: p.sealed,
	})
	if err != nil {
		return err
	}
	for i := range p.spec.Nodes {
		p.spec.Nodes[i].Fingerprints = answer.fingerprints[p.spec.Nodes[i].NodeID]
	}
	stored, err := p.newGraph(d.caller, deploymentGraph, e.options.Now())
	if err != nil {
		return err
	}
	d.place(p.spec, stored.Resources)
	verification, err := e.verificationOf(ctx, d, p.spec, run, boxesOf(p.sealed))
	if err != nil {
		return err
	}
	verification.newAccounts, verification.placements = answer.accounts, placementsOf(stored.Resources)
	_, err = e.create(ctx, d.caller, verification, store.NewRun{Graph: stored, Head: p.spec.GraphID})
	if errors.Is(err, store.ErrStale) {
		err = refuse(Conflict, "the deployment came to be on record meanwhile")
	}
	if err == nil {
		told(response, verification)
	}
	return err
}

// told says in the answer what was stored.
func told(response *rest.DiscoverResponse, d *drive) {
	response.GraphID, response.Version = d.run.GraphID, d.plan.Spec.Version
	response.Stored, response.RunID = true, d.run.ID
	response.Next = []rest.Call{
		{Method: "GET", Path: "/deploy/runs/" + d.run.ID, Why: "read what the verification found"},
		{Method: "POST", Path: "/deploy/apply", Why: "post the config with the operation ensure: what is as it should be is not changed"},
	}
}

// foundResources are logical resources with the node ids that things carry, for a graph to be built on.
func (d *discovery) foundResources() []store.Resource {
	at := map[string]int{}
	var resources []store.Resource
	for i := range d.findings {
		f, node := &d.findings[i], d.plan.Operations[i].Node
		if f.Status != rest.DiscoveredFound {
			continue
		}
		k, known := at[node.NodeID]
		if !known {
			k, at[node.NodeID] = len(resources), len(resources)
			resources = append(resources, store.Resource{
				ResourceID: node.ResourceID, Path: graph.Enclosing(node.ResourceID), Type: node.Type, NodeID: f.NodeID,
			})
		}
		resources[k].Placements = append(resources[k].Placements, store.Placement{Region: f.Region, Name: f.Name, State: store.Live})
	}
	return resources
}

// place fills in what was found.
func (d *discovery) place(spec *graph.Spec, resources []store.Resource) {
	found := map[placeKey]*finding{}
	for i := range d.findings {
		if f := &d.findings[i]; f.Status == rest.DiscoveredFound {
			found[placeKey{f.NodeID, f.Region}] = f
		}
	}
	for i := range resources {
		provider := (&graph.Node{Type: resources[i].Type}).Provider()
		for k := range resources[i].Placements {
			placement := &resources[i].Placements[k]
			f := found[placeKey{resources[i].NodeID, placement.Region}]
			if f == nil {
				continue
			}
			placement.State, placement.Made = store.Live, !f.ByName || d.request.Adopt
			placement.Identity, placement.Outputs, placement.GraphID = f.Identity, f.thing.Outputs, spec.GraphID
			placement.Account, placement.ProviderVersion = d.accounts[provider], spec.Providers[provider].Version
		}
	}
}

// recordFound writes down what was found and is not on record so. Nothing on record is given up: what is missing may be made
// again, and destroying it once more does no harm.
func (e *Engine) recordFound(ctx context.Context, d *discovery, response *rest.DiscoverResponse) error {
	var writes []store.PlacementWrite
	for i := range d.findings {
		f, node := &d.findings[i], d.plan.Operations[i].Node
		if f.Status == rest.DiscoveredFound && f.Differs {
			writes = append(writes, store.PlacementWrite{
				Tenant: d.caller.Tenant, DeploymentID: d.spec.DeploymentID, NodeID: node.Logical(), Region: f.Region,
				State: store.Live, Made: true, Identity: f.Identity, Outputs: f.thing.Outputs, GraphID: d.spec.GraphID,
				Account: d.accounts[node.Provider()], ProviderVersion: d.spec.Providers[node.Provider()].Version,
			})
		}
	}
	if len(writes) == 0 {
		return nil
	}
	if err := e.idle(ctx, d.caller, d.spec.DeploymentID); err != nil {
		return err
	}
	verification, err := e.verificationOf(ctx, d, d.spec, e.newRun(d.caller, execution.Verify, nil), boxesOf(d.sealed))
	if err != nil {
		return err
	}
	verification.first, verification.placements = writes, placementsOf(d.resources)
	if _, err = e.create(ctx, d.caller, verification, store.NewRun{PreviousHead: d.spec.GraphID}); err != nil {
		return err
	}
	told(response, verification)
	return nil
}

// idle refuses while a run is at work on a deployment: it writes down what it does itself.
func (e *Engine) idle(ctx context.Context, caller Caller, deploymentID string) error {
	for _, status := range []execution.RunStatus{execution.RunQueued, execution.RunRunning, execution.RunCancelling} {
		filter := store.RunFilter{Tenant: caller.Tenant, DeploymentID: deploymentID, Status: status}
		runs, err := e.store.ListRuns(ctx, filter, store.Page{})
		if err != nil {
			return err
		}
		for i := range runs {
			if runs[i].Kind != execution.Verify {
				return &store.ActiveRunError{RunID: runs[i].ID}
			}
		}
	}
	return nil
}

// verificationOf is a run that compares what was found with the graph.
func (e *Engine) verificationOf(ctx context.Context, d *discovery, spec *graph.Spec, run store.Run, boxes map[string]map[string]string) (*drive, error) {
	run.DeploymentID, run.GraphID, run.PlanGraphID = spec.DeploymentID, spec.GraphID, spec.GraphID
	verification := &drive{run: run, accounts: d.accounts}
	var err error
	if verification.plan, err = e.planOf(run.Kind, spec, run.ExecGraphID, nil); err != nil {
		return nil, err
	}
	verification.call = e.dispatchRun(ctx, d.caller, verification, d.credentials, boxes)
	return verification, nil
}
