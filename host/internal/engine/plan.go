package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Plan says what a configuration would do. What is wrong with it is an answer, not an error. With credentials the providers
// are asked to open all that was sealed to them.
func (e *Engine) Plan(ctx context.Context, caller Caller, request *rest.PlanRequest) (*rest.PlanResponse, error) {
	response, err := e.planned(ctx, caller, request)
	var refused *Error
	if err = classified(err); errors.As(err, &refused) && refused.Kind == Invalid {
		return notPlanned(refused), nil
	}
	return response, err
}

func notPlanned(refused *Error) *rest.PlanResponse {
	response := &rest.PlanResponse{}
	for _, p := range refused.Problems {
		response.ValidationErrors = append(response.ValidationErrors, p.Pointer+": "+p.Message)
		response.Errors = append(response.Errors, rest.FieldError{Pointer: p.Pointer, Detail: p.Message})
	}
	return response
}

func (e *Engine) planned(ctx context.Context, caller Caller, request *rest.PlanRequest) (*rest.PlanResponse, error) {
	if (request.Config == nil) == (request.GraphID == "") {
		return nil, invalid(graph.Problem{Pointer: configPrefix, Message: "is required, or graph_id in its place"})
	}
	if request.GraphID != "" {
		return e.planAgain(ctx, caller, request)
	}
	if len(request.Credentials) > 0 {
		return nil, invalid(graph.Problem{Pointer: "/credentials", Message: "stand in config when that is given"})
	}
	p, err := e.prepare(ctx, caller, request.Config, request.SealedProperties, "")
	if err != nil {
		return nil, err
	}
	response, err := e.judged(ctx, caller, p, given{request.Only, request.Config.Credentials, configPrefix + "/credentials"})
	if err != nil {
		return nil, err
	}
	if !request.Stores() {
		response.SpecGraphID = ""
		return response, nil
	}
	if err := e.keep(ctx, caller, p); err != nil {
		return nil, err
	}
	response.Next = []rest.Call{applyPlan}
	return response, nil
}

// keep stores a plan that no run uses yet.
func (e *Engine) keep(ctx context.Context, caller Caller, p *prepared) error {
	stored, err := p.newGraph(caller, deploymentGraph, e.options.Now())
	if err != nil {
		return err
	}
	stored.Idempotency = caller.keyFor("", stored.Graph.ID, stored.Graph.CreatedAt)
	return e.store.CreateGraph(ctx, *stored)
}

var applyPlan = rest.Call{Method: "POST", Path: "/deploy/apply", Why: "apply this plan: send its graph_id and credentials"}

// given is what a plan is asked with, and where the credentials stand in the request.
type given struct {
	only        []string
	credentials rest.Credentials
	prefix      string
}

// judged is the answer to a plan: with the credentials of all that it uses, the providers are asked what would really change.
func (e *Engine) judged(ctx context.Context, caller Caller, p *prepared, given given) (*rest.PlanResponse, error) {
	if err := p.limit(given.only); err != nil {
		return nil, err
	}
	complete, answer, err := e.checkGiven(ctx, caller, p, given)
	if err != nil {
		return nil, err
	}
	if !complete {
		response := planResponse(p.plan, append(p.warnings, notAsked))
		return response, nil
	}
	forecasts, err := e.preview(ctx, caller, p, merged(p.deployment.Accounts, answer.accounts), given.credentials)
	if err != nil {
		return nil, err
	}
	response := planResponse(p.plan, p.warnings)
	response.CredentialsChecked = true
	foretell(response, forecasts)
	return response, nil
}

// planAgain asks what a stored plan would change as things stand now. It stores nothing.
func (e *Engine) planAgain(ctx context.Context, caller Caller, request *rest.PlanRequest) (*rest.PlanResponse, error) {
	spec, stored, err := e.load(ctx, caller, request.GraphID)
	if err != nil {
		return nil, err
	}
	if err := notWritten(spec, stored); err != nil {
		return nil, err
	}
	p := &prepared{spec: spec}
	if p.sealed, err = sealedAgain(request.SealedProperties, spec); err != nil {
		return nil, err
	}
	if err := e.known(ctx, caller, spec.DeploymentID, p); err != nil {
		return nil, err
	}
	if p.catalog, err = e.pinnedBy(ctx, spec); err != nil {
		return nil, err
	}
	if err := p.order(ctx, e, caller, ""); err != nil {
		return nil, err
	}
	if outdated(spec, p.deployment) {
		p.warnings = append(p.warnings, "the deployment has changed since this was planned: applying it takes force")
	}
	response, err := e.judged(ctx, caller, p, given{request.Only, request.Credentials, "/credentials"})
	if err != nil {
		return nil, err
	}
	response.Next = []rest.Call{applyPlan}
	return response, nil
}

// outdated says that a graph is not what the deployment stands as, nor was made when it stood as it does now.
func outdated(spec *graph.Spec, deployment store.Deployment) bool {
	now := standsAs(deployment)
	return now != spec.BasedOn && now != spec.GraphID
}

// checkGiven checks the credentials that a plan came with, and says whether those were all that are needed.
func (e *Engine) checkGiven(ctx context.Context, caller Caller, p *prepared, given given) (complete bool, answer *checked, err error) {
	var names []string
	for _, name := range providersOf(p.plan) {
		if _, ok := given.credentials[name]; ok {
			names = append(names, name)
		}
	}
	answer, err = e.check(ctx, check{
		caller: caller, deploymentID: p.spec.DeploymentID, credentials: given.credentials, prefix: given.prefix,
		pinned: p.deployment.Accounts, catalog: p.catalog, needed: names, sealed: p.sealed,
	})
	return len(names) == len(providersOf(p.plan)), answer, err
}

// StoredPlan gives back a plan that was stored, to be approved.
func (e *Engine) StoredPlan(ctx context.Context, caller Caller, graphID string) (*rest.PlanResponse, error) {
	spec, stored, err := e.load(ctx, caller, graphID)
	if err != nil {
		return nil, classified(err)
	}
	if stored.Kind == store.SubgraphKind {
		return nil, notWritten(spec, stored)
	}
	// A plan can be read without its providers; only the estimate is poorer then.
	var durations graph.Catalog
	if c, err := e.pinnedBy(ctx, spec); err == nil {
		durations = c
	}
	p, err := plan.New(spec, durations, "")
	if err != nil {
		return nil, classified(fmt.Errorf("plan: %w", err))
	}
	if err := e.learn(ctx, caller.Tenant, p); err != nil {
		return nil, classified(err)
	}
	response := planResponse(p, nil)
	run, err := e.store.LatestRun(ctx, caller.Tenant, graphID)
	switch {
	case err == nil:
		response.RunID, response.ExecGraphID = run.ID, run.ExecGraphID
	case !errors.Is(err, store.ErrNotFound):
		return nil, classified(err)
	}
	return response, nil
}

func planResponse(p *plan.Plan, warnings []string) *rest.PlanResponse {
	response := &rest.PlanResponse{
		Success: true, DeploymentID: p.Spec.DeploymentID, Version: p.Spec.Version, SpecGraphID: p.Spec.GraphID,
		ParallelGroups: p.NodeGroups, Groups: p.Groups, EstimatedTime: p.Estimate.Seconds(), Warnings: warnings,
		Providers: map[string]rest.PinnedProvider{}, Composites: compositeSummaries(p),
	}
	for name, pin := range p.Spec.Providers {
		response.Providers[name] = rest.PinnedProvider{Version: pin.Version, Digest: pin.Digest}
	}
	response.Operations = make([]rest.OperationSummary, len(p.Operations))
	for i := range p.Operations {
		response.Operations[i] = summary(p, i)
		response.Operations[i].ExecNodeID = ""
	}
	return response
}

// summary says what one operation of a plan is.
func summary(p *plan.Plan, i int) rest.OperationSummary {
	operation := &p.Operations[i]
	s := rest.OperationSummary{
		ID: operation.ID, NodeID: operation.Node.NodeID, ResourceID: operation.Node.ResourceID, Region: operation.Region,
		Composite:    graph.Enclosing(operation.Node.ResourceID),
		ResourceType: operation.Node.Type, Operation: string(operation.Node.Verb),
		Name: operation.Node.Names[operation.Region], ExecNodeID: operation.ExecNodeID,
		EstimatedSeconds: operation.Typical.Seconds(),
	}
	if operation.Node.Undo != nil {
		s.Undoes = operation.Node.Undo.Operation
	}
	for _, edge := range operation.Predecessors {
		s.DependsOn = append(s.DependsOn, p.Operations[edge.Operation].ID)
	}
	return s
}
