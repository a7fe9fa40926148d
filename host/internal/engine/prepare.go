package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// prepared is a configuration on its way to a run: everything that is decided, and nothing stored yet.
type prepared struct {
	deployment store.Deployment
	resources  []store.Resource
	catalog    *catalog
	spec       *graph.Spec
	subgraphs  []*graph.Spec
	plan       *plan.Plan
	sealed     map[string][]sealedValue
	warnings   []string
	// away are the accounts that what moves goes to, by provider.
	away map[string]string
}

// configPrefix is where the configuration stands in every request that has one.
const configPrefix = "/config"

// prepare brings a configuration to a plan. What is wrong with it comes back as problems, all at once.
func (e *Engine) prepare(ctx context.Context, caller Caller, cfg *rest.Config, boxes map[string]string, execGraphID string) (*prepared, error) {
	p := &prepared{}
	if err := e.known(ctx, caller, cfg.DeploymentID, p); err != nil {
		return nil, err
	}
	return p, e.prepareOn(ctx, caller, p, cfg, boxes, execGraphID)
}

// prepareOn brings a configuration to a plan that builds on what is known of its deployment.
func (e *Engine) prepareOn(ctx context.Context, caller Caller, p *prepared, cfg *rest.Config, boxes map[string]string, execGraphID string) error {
	catalog, problems, err := e.pick(ctx, cfg)
	if err != nil {
		return err
	}
	p.catalog = catalog
	x := &expander{ctx: ctx, engine: e, catalog: catalog}
	built, found := graph.Build(graph.Input{
		Config: cfg, Catalog: catalog, Known: knownResources(inAccounts(p.resources, p.deployment.Accounts)), GraphID: e.options.NewID(),
		Version: nextVersion(cfg, p.deployment), NewID: e.options.NewID, Owner: e.owner(caller.Tenant), Prefix: configPrefix,
		SealedProperties: boxes, Schemas: e.schemas, Expand: x.expand,
	})
	if x.err != nil {
		return x.err
	}
	problems = append(problems, found...)
	if len(problems) == 0 {
		problems = unoffered(built.Spec, catalog)
	}
	if len(problems) == 0 {
		problems, err = e.sameThings(ctx, caller, p, built.Spec)
	}
	if err == nil && len(problems) == 0 {
		problems, err = e.judge(ctx, catalog, built)
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	built.Spec.BasedOn = standsAs(p.deployment)
	p.subgraphs = built.Subgraphs
	p.spec, p.warnings, p.sealed = built.Spec, append(built.Warnings, stale(p.resources, built.Spec)...), sealedOf(built.Sealed, inConfig)
	return p.order(ctx, e, caller, execGraphID)
}

// unoffered refuses what this version would otherwise ignore: references to outputs that may leave their provider only sealed.
func unoffered(spec *graph.Spec, c *catalog) []graph.Problem {
	nodes := map[string]*graph.Node{}
	for i := range spec.Nodes {
		nodes[spec.Nodes[i].NodeID] = &spec.Nodes[i]
	}
	var problems []graph.Problem
	refuse := func(node *graph.Node, message string, segments ...string) {
		problems = append(problems, graph.ProblemOf(configPrefix, node, message, segments...))
	}
	for i := range spec.Nodes {
		for role, reference := range spec.Nodes[i].References {
			if sensitive(c, nodes[reference.NodeID], reference.Output) {
				refuse(&spec.Nodes[i], "names a sensitive output, which is not passed on by this version", "references", role)
			}
		}
	}
	return problems
}

func sensitive(c *catalog, source *graph.Node, output string) bool {
	kind, ok := c.Type(source.Type)
	if !ok {
		return false
	}
	return slices.ContainsFunc(kind.Outputs, func(o contract.OutputField) bool { return o.Name == output && o.Sensitive })
}

// known reads what the store has of the deployment; a new one has nothing.
func (e *Engine) known(ctx context.Context, caller Caller, deploymentID string, p *prepared) error {
	deployment, err := e.store.Deployment(ctx, caller.Tenant, deploymentID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.deployment = deployment
	p.resources, err = e.store.Resources(ctx, caller.Tenant, deploymentID)
	return err
}

func knownResources(resources []store.Resource) []graph.KnownResource {
	known := make([]graph.KnownResource, len(resources))
	for i, r := range resources {
		known[i] = graph.KnownResource{ResourceID: r.ResourceID, Type: r.Type, NodeID: r.NodeID, Names: map[string]string{}}
		for _, placement := range r.Placements {
			if placement.State != store.Planned && placement.State != store.Gone {
				known[i].Names[placement.Region] = placement.Name
			}
		}
	}
	return known
}

func nextVersion(cfg *rest.Config, deployment store.Deployment) string {
	if cfg.Version != "" {
		return cfg.Version
	}
	return fmt.Sprintf("v%d", deployment.Sequence+1)
}

// stale warns of what is deployed and no longer named, or in a region that is no target any more: it stays, and destroy still
// covers it.
func stale(resources []store.Resource, spec *graph.Spec) []string {
	nodes := map[string]*graph.Node{}
	for i := range spec.Nodes {
		nodes[spec.Nodes[i].NodeID] = &spec.Nodes[i]
	}
	var warnings []string
	for _, r := range resources {
		node := nodes[r.NodeID]
		switch {
		case node == nil && exists(r):
			warnings = append(warnings, fmt.Sprintf("resource %q (%s) is deployed and no longer named: it stays until it is destroyed", r.ResourceID, r.Type))
		case node != nil:
			for _, region := range elsewhere(r, node) {
				warnings = append(warnings, fmt.Sprintf("resource %q (%s) is deployed in %s too, which is no target of it any more: it stays there until it is destroyed", r.ResourceID, r.Type, region))
			}
		}
	}
	return warnings
}

func operationIDs(p *plan.Plan) []string {
	ids := make([]string, len(p.Operations))
	for i := range p.Operations {
		ids[i] = p.Operations[i].ID
	}
	return ids
}

func runEvent(status execution.RunStatus, by, reason string) execution.Event {
	return execution.Event{Kind: execution.RunChanged, RunStatus: status, By: by, Reason: reason}
}

// order makes the plan, with what is known of how long its operations take.
func (p *prepared) order(ctx context.Context, e *Engine, caller Caller, execGraphID string) (err error) {
	if p.plan, err = plan.New(p.spec, p.catalog, execGraphID); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	return e.learn(ctx, caller.Tenant, p.plan)
}

// limit narrows the plan to some resources and what they need.
func (p *prepared) limit(only []string) error {
	narrowed, err := limited(p.plan, only)
	p.plan = narrowed
	return err
}

func limited(full *plan.Plan, only []string) (*plan.Plan, error) {
	if len(only) == 0 {
		return full, nil
	}
	narrowed, err := full.Only(only)
	if err != nil {
		return nil, invalid(graph.Problem{Pointer: "/only", Message: "names a resource that this graph does not have"})
	}
	return narrowed, nil
}

// providersOf lists the providers that a plan's operations use, in the order of first use.
func providersOf(p *plan.Plan) []string {
	seen := map[string]bool{}
	var names []string
	for i := range p.Operations {
		if name := p.Operations[i].Node.Provider(); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
