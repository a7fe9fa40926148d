package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Apply deploys a configuration, or a stored graph, or goes on with the run of one where that stopped. It answers once the
// run is begun and durable; Wait waits for its end.
func (e *Engine) Apply(ctx context.Context, caller Caller, request *rest.ApplyRequest) (*rest.RunResult, error) {
	if err := checkApply(request); err != nil {
		return nil, err
	}
	if request.GraphID != "" {
		result, err := e.applyGraph(ctx, caller, request)
		return result, classified(err)
	}
	return whileBeaten(func() (*rest.RunResult, error) { return e.applyConfig(ctx, caller, request) })
}

func checkApply(request *rest.ApplyRequest) error {
	var problems []graph.Problem
	switch request.Mode {
	case "", rest.ModeFull, rest.ModeStep, rest.ModeDryRun:
	default:
		problems = append(problems, graph.Problem{Pointer: "/mode", Message: "must be FULL, STEP or DRY_RUN"})
	}
	if request.Config == nil && request.GraphID == "" {
		problems = append(problems, graph.Problem{Pointer: configPrefix, Message: "config or graph_id is required"})
	}
	if request.Config != nil && len(request.Config.Credentials) > 0 && len(request.Credentials) > 0 {
		problems = append(problems, graph.Problem{Pointer: "/credentials", Message: "stand in config already"})
	}
	return refused(problems)
}

// credentialsOf gives the credentials of a request and where they stand in it.
func credentialsOf(request *rest.ApplyRequest) (rest.Credentials, string) {
	if request.Config != nil && (len(request.Config.Credentials) > 0 || request.GraphID == "") {
		return request.Config.Credentials, configPrefix + "/credentials"
	}
	return request.Credentials, "/credentials"
}

// applyConfig makes a new graph and a run over it.
func (e *Engine) applyConfig(ctx context.Context, caller Caller, request *rest.ApplyRequest) (*rest.RunResult, error) {
	run := e.newRun(caller, execution.Apply, request.Only)
	p, err := e.prepare(ctx, caller, request.Config, request.SealedProperties, run.ExecGraphID)
	if err != nil {
		return nil, err
	}
	if err := p.limit(request.Only); err != nil {
		return nil, err
	}
	if request.Mode == rest.ModeDryRun {
		return dryRun(p), nil
	}
	if err := e.warnOfUnfinished(ctx, caller, p, request.Force); err != nil {
		return nil, err
	}
	d, err := e.approved(ctx, caller, p, run, request)
	if err != nil {
		if planted.Is(planted.StoredRefused) {
			return nil, errors.Join(err, e.keep(ctx, caller, p))
		}
		return nil, err
	}
	if planted.Is(planted.StoredSecret) {
		d.options.Warnings = append(d.options.Warnings, string(d.call.Credentials["sim"]))
	}
	stored, err := p.newGraph(caller, deploymentGraph, e.options.Now())
	if err != nil {
		return nil, err
	}
	return e.create(ctx, caller, d, store.NewRun{Graph: stored, Head: p.spec.GraphID, PreviousHead: p.deployment.HeadGraphID, Supersede: true})
}

// warnOfUnfinished names the run that a new one takes the place of: what it left is found again by its labels, and nothing of it
// is gone on with. A move that is under way is in the way: what it made would be nobody's.
func (e *Engine) warnOfUnfinished(ctx context.Context, caller Caller, p *prepared, force bool) error {
	if p.deployment.ID == "" {
		return nil
	}
	run, err := e.unfinished(ctx, caller, p.deployment.ID)
	if err != nil || run == nil || run.Status.Active() {
		return err
	}
	if run.Kind == execution.Move && !force {
		return &Error{Kind: Conflict, RunID: run.ID, Message: "a move of this deployment is under way: commit or discard it first, or force"}
	}
	p.warnings = append(p.warnings, fmt.Sprintf("run %s of graph %s did not finish (%s): this one takes its place", run.ID, run.GraphID, run.Status))
	return nil
}

// approved has the credentials checked and gathers what the run will need.
func (e *Engine) approved(ctx context.Context, caller Caller, p *prepared, run store.Run, request *rest.ApplyRequest) (*drive, error) {
	credentials, prefix := credentialsOf(request)
	answer, err := e.check(ctx, check{
		caller: caller, deploymentID: p.spec.DeploymentID, credentials: credentials, prefix: prefix,
		pinned: p.deployment.Accounts, catalog: p.catalog, needed: providersOf(p.plan), sealed: p.sealed,
	})
	if err != nil {
		return nil, err
	}
	for i := range p.spec.Nodes {
		p.spec.Nodes[i].Fingerprints = answer.fingerprints[p.spec.Nodes[i].NodeID]
	}
	run.DeploymentID, run.GraphID, run.PlanGraphID = p.spec.DeploymentID, p.spec.GraphID, p.spec.GraphID
	run.Mode = cmp.Or(string(request.Mode), run.Mode)
	d := &drive{run: run, plan: p.plan, options: runOptions{
		Only: request.Only, Warnings: p.warnings, TimeoutSeconds: p.spec.Timeout, PreviousHead: new(standsAs(p.deployment)),
	}}
	d.accounts = merged(p.deployment.Accounts, answer.accounts)
	d.newAccounts = answer.accounts
	d.placements = placementsOf(p.resources)
	d.call = e.dispatchRun(ctx, caller, d, credentials, boxesOf(p.sealed))
	return d, nil
}

func merged(pinned, checked map[string]string) map[string]string {
	accounts := map[string]string{}
	maps.Copy(accounts, checked)
	maps.Copy(accounts, pinned)
	return accounts
}

func dryRun(p *prepared) *rest.RunResult {
	result := &rest.RunResult{
		Success: true, Status: string(execution.Pending), DeploymentID: p.spec.DeploymentID, Version: p.spec.Version,
		Kind: string(execution.Apply), Mode: rest.ModeDryRun, Warnings: p.warnings,
	}
	result.Total, result.Pending = len(p.plan.Operations), len(p.plan.Operations)
	result.NextOperation = nextOperation(&drive{plan: p.plan}, execution.NewRun("", operationIDs(p.plan)))
	return result
}

// applyGraph applies a stored plan, or goes on with what its run left.
func (e *Engine) applyGraph(ctx context.Context, caller Caller, request *rest.ApplyRequest) (*rest.RunResult, error) {
	spec, stored, err := e.load(ctx, caller, request.GraphID)
	if err != nil {
		return nil, err
	}
	if err := notWritten(spec, stored); err != nil {
		return nil, err
	}
	deployment, err := e.store.Deployment(ctx, caller.Tenant, spec.DeploymentID)
	if err != nil {
		return nil, err
	}
	given, err := e.same(ctx, caller, request, spec)
	if err != nil {
		return nil, err
	}
	run, err := e.store.LatestRun(ctx, caller.Tenant, request.GraphID, changing...)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e.applyStored(ctx, caller, request, spec, deployment, given)
	case err != nil:
		return nil, err
	case deployment.Destroyed:
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this deployment was destroyed: post its config to deploy it anew"}
	case run.Kind == execution.Rollback && run.Status.Final():
		return e.applyStored(ctx, caller, request, spec, deployment, given)
	case run.Kind == execution.Move && run.Status == execution.RunCompleted && deployment.HeadGraphID == request.GraphID:
		return e.Result(ctx, caller, run.ID)
	case run.Kind != execution.Apply:
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: fmt.Sprintf("a run of this graph (%s) has begun: go on with that", run.Kind)}
	case deployment.HeadGraphID != request.GraphID && !request.Force:
		return nil, refuse(Conflict, "another graph of this deployment was applied since: force applies this one all the same")
	case run.Status == execution.RunCompleted && deployment.HeadGraphID == request.GraphID:
		return e.Result(ctx, caller, run.ID)
	case run.Status.Final():
		return e.applyStored(ctx, caller, request, spec, deployment, given)
	}
	return e.resume(ctx, caller, request, deployment, run, given)
}

// same gives the sealed values that a request brings for a stored graph; a config, where one is given too, must say the same.
func (e *Engine) same(ctx context.Context, caller Caller, request *rest.ApplyRequest, spec *graph.Spec) (map[string][]sealedValue, error) {
	if request.Config == nil {
		return sealedAgain(request.SealedProperties, spec)
	}
	p, err := e.prepare(ctx, caller, request.Config, request.SealedProperties, "")
	if err != nil {
		return nil, err
	}
	if !sameNodes(p.spec, spec) {
		return nil, invalid(graph.Problem{Pointer: configPrefix, Message: "is not what this graph was made from: leave it out, or leave graph_id out"})
	}
	return p.sealed, nil
}

// sameNodes compares what a caller wrote, not what was drawn.
func sameNodes(a, b *graph.Spec) bool {
	if a.DeploymentID != b.DeploymentID || len(a.Nodes) != len(b.Nodes) || len(a.Edges) != len(b.Edges) {
		return false
	}
	for i := range a.Nodes {
		x, y := a.Nodes[i], b.Nodes[i]
		x.Fingerprints, y.Fingerprints, x.Names, y.Names, x.SubgraphID, y.SubgraphID = nil, nil, nil, nil, "", ""
		left, _ := json.Marshal(x)
		right, _ := json.Marshal(y)
		if string(left) != string(right) {
			return false
		}
	}
	return true
}

// applyStored begins the first run of a stored plan.
func (e *Engine) applyStored(ctx context.Context, caller Caller, request *rest.ApplyRequest, spec *graph.Spec, deployment store.Deployment, given map[string][]sealedValue) (*rest.RunResult, error) {
	if outdated(spec, deployment) && !request.Force {
		return nil, refuse(Conflict, "the deployment has changed since this was planned: plan again, or force")
	}
	catalog, err := e.pinnedBy(ctx, spec)
	if err != nil {
		return nil, err
	}
	run := e.newRun(caller, execution.Apply, request.Only)
	p := &prepared{deployment: deployment, catalog: catalog, spec: spec, sealed: given}
	if p.resources, err = e.store.Resources(ctx, caller.Tenant, spec.DeploymentID); err != nil {
		return nil, err
	}
	if err := p.order(ctx, e, caller, run.ExecGraphID); err != nil {
		return nil, err
	}
	if err := p.limit(request.Only); err != nil {
		return nil, err
	}
	if request.Mode == rest.ModeDryRun {
		return dryRun(p), nil
	}
	if err := complete(p.plan, given, func(i int) bool { return !p.plan.Operations[i].Cut }); err != nil {
		return nil, err
	}
	if err := e.warnOfUnfinished(ctx, caller, p, request.Force); err != nil {
		return nil, err
	}
	d, err := e.approved(ctx, caller, p, run, request)
	if err != nil {
		return nil, err
	}
	return e.create(ctx, caller, d, store.NewRun{Head: spec.GraphID, PreviousHead: deployment.HeadGraphID, Supersede: true})
}
