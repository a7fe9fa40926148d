package engine

import (
	"context"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Verify has the providers compare what is there with what a graph asks for. It changes nothing but its own record.
func (e *Engine) Verify(ctx context.Context, caller Caller, request *rest.VerifyRequest) (*rest.RunResult, error) {
	result, err := e.verify(ctx, caller, request)
	return result, classified(err)
}

func (e *Engine) verify(ctx context.Context, caller Caller, request *rest.VerifyRequest) (*rest.RunResult, error) {
	if request.GraphID == "" {
		return nil, invalid(graph.Problem{Pointer: "/graph_id", Message: "is required"})
	}
	spec, stored, err := e.load(ctx, caller, request.GraphID)
	if err != nil {
		return nil, err
	}
	if err := notWritten(spec, stored); err != nil {
		return nil, err
	}
	given, err := sealedAgain(request.SealedProperties, spec)
	if err != nil {
		return nil, err
	}
	deployment, err := e.store.Deployment(ctx, caller.Tenant, spec.DeploymentID)
	if err != nil {
		return nil, err
	}
	d, err := e.verification(ctx, caller, request, spec, deployment)
	if err != nil {
		return nil, err
	}
	everything := func(int) bool { return true }
	err = e.checkAgain(ctx, caller, d, spec, deployment, request.Credentials, "/credentials", given, everything)
	if err != nil {
		return nil, err
	}
	return e.create(ctx, caller, d, store.NewRun{})
}

func (e *Engine) verification(ctx context.Context, caller Caller, request *rest.VerifyRequest, spec *graph.Spec, deployment store.Deployment) (*drive, error) {
	run := e.newRun(caller, execution.Verify, request.Only)
	run.DeploymentID, run.GraphID, run.PlanGraphID = spec.DeploymentID, spec.GraphID, spec.GraphID
	d := &drive{run: run, options: runOptions{Only: request.Only}}
	if deployment.HeadGraphID != spec.GraphID {
		d.options.Warnings = append(d.options.Warnings, "this graph is not the one that was last applied")
	}
	var err error
	if d.plan, err = e.planOf(run.Kind, spec, run.ExecGraphID, request.Only); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	resources, err := e.store.Resources(ctx, caller.Tenant, spec.DeploymentID)
	if err != nil {
		return nil, err
	}
	d.placements = placementsOf(resources)
	return d, nil
}

// verifiable is a graph without order, without what was to be deleted, and without what an end edge leaves out.
func verifiable(spec *graph.Spec) (*graph.Spec, error) {
	ordered, err := plan.New(spec, nil, "")
	if err != nil {
		return nil, err
	}
	cut := map[string]bool{}
	for i := range ordered.Operations {
		cut[ordered.Operations[i].Node.NodeID] = ordered.Operations[i].Cut
	}
	loose := *spec
	loose.Edges, loose.Nodes = nil, nil
	for i := range spec.Nodes {
		if node := &spec.Nodes[i]; node.Verb != contract.VerbDelete && !cut[node.NodeID] {
			loose.Nodes = append(loose.Nodes, *node)
		}
	}
	return &loose, nil
}

// verified says whether every check passed, and that there was one for each operation.
func verified(p *plan.Plan, state *execution.Run) bool {
	for i := range p.Operations {
		operation := state.Operation(p.Operations[i].ID)
		if operation.Status != execution.Completed || len(operation.Checks) == 0 {
			return false
		}
		for _, check := range operation.Checks {
			if check.Status != contract.CheckPass {
				return false
			}
		}
	}
	return true
}
