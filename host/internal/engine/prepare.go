package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
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
	built.Spec.BasedOn = *standing(p.deployment)
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

// sealedOf notes where each sealed value stands in the request.
func sealedOf(values map[string][]graph.SealedValue, at func(graph.SealedValue) string) map[string][]sealedValue {
	sealed := make(map[string][]sealedValue, len(values))
	for provider := range values {
		for _, v := range values[provider] {
			sealed[provider] = append(sealed[provider], sealedValue{
				nodeID: v.NodeID, typ: v.Type, pointer: v.Pointer, box: v.Box, request: at(v),
			})
		}
	}
	return sealed
}

func inConfig(v graph.SealedValue) string {
	return configPrefix + graph.SealedPointer(&graph.Node{ResourceID: v.ResourceID}, v.Pointer)
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

// elsewhere are the regions in which something of a resource is, or may be, and that its node does not name.
func elsewhere(r store.Resource, node *graph.Node) []string {
	var regions []string
	for _, placement := range r.Placements {
		there := placement.State == store.Live || placement.State == store.Maybe
		if there && !slices.Contains(node.Regions, placement.Region) {
			regions = append(regions, placement.Region)
		}
	}
	return regions
}

func exists(r store.Resource) bool {
	for _, placement := range r.Placements {
		if placement.State == store.Live || placement.State == store.Maybe {
			return true
		}
	}
	return false
}

// judgeAtOnce bounds one Validate call, so that a large graph stays within the size of a message.
const judgeAtOnce = 200

// judge asks providers about types that have rules beyond their schema.
func (e *Engine) judge(ctx context.Context, c *catalog, built *graph.Built) ([]graph.Problem, error) {
	var problems []graph.Problem
	spec, boxes := built.Spec, boxesOf(sealedOf(built.Sealed, inConfig))
	for _, name := range c.names() {
		var nodes []*graph.Node
		for i := range spec.Nodes {
			kind, ok := c.Type(spec.Nodes[i].Type)
			if ok && kind.Validates && spec.Nodes[i].Provider() == name {
				nodes = append(nodes, &spec.Nodes[i])
			}
		}
		for len(nodes) > 0 {
			n := min(len(nodes), judgeAtOnce)
			found, err := e.judgeSome(ctx, name, spec.Providers[name].Version, nodes[:n], boxes)
			if err != nil {
				return nil, err
			}
			problems, nodes = append(problems, found...), nodes[n:]
		}
	}
	return problems, nil
}

func (e *Engine) judgeSome(ctx context.Context, name, version string, nodes []*graph.Node, boxes map[string]map[string]string) ([]graph.Problem, error) {
	items := make([]contract.ValidateItem, len(nodes))
	for i, node := range nodes {
		properties, err := withBoxes(node, node.Boxes(boxes))
		if err != nil {
			return nil, err
		}
		items[i] = contract.ValidateItem{Type: node.Type, Verb: node.Verb, Properties: properties}
		for role := range node.References {
			items[i].Roles = append(items[i].Roles, role)
		}
	}
	var answers [][]contract.Diagnostic
	err := e.ask(ctx, name, version, func(provider contract.Provider) (err error) {
		answers, err = provider.Validate(ctx, items)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("validate with %s: %w", name, err)
	}
	var problems []graph.Problem
	for i := range min(len(answers), len(nodes)) {
		for _, d := range answers[i] {
			if d.Severity == contract.SeverityError {
				at := append([]string{"properties"}, document.Split(d.Pointer)...)
				problems = append(problems, graph.ProblemOf(configPrefix, nodes[i], d.Summary, at...))
			}
		}
	}
	return problems, nil
}

// withBoxes puts the sealed values back that the graph does not keep: a type may have rules on whether they are there.
func withBoxes(node *graph.Node, boxes map[string]string) (json.RawMessage, error) {
	values := make(map[string]json.RawMessage, len(boxes))
	for pointer, box := range boxes {
		values[pointer], _ = json.Marshal(box) // a string always encodes
	}
	return document.Fill(node.Properties, values)
}

// newGraph is the spec graph as the store keeps it, with the subgraphs of its composites and the logical resources it names.
func (p *prepared) newGraph(caller Caller, kind string, now time.Time) (*store.NewGraph, error) {
	main, err := storedGraph(caller, p.spec, kind, now)
	if err != nil {
		return nil, err
	}
	g := &store.NewGraph{Graph: main}
	for _, subgraph := range p.subgraphs {
		stored, err := storedGraph(caller, subgraph, store.SubgraphKind, now)
		if err != nil {
			return nil, err
		}
		g.Subgraphs = append(g.Subgraphs, stored)
	}
	paths := make(map[string]string, len(p.resources))
	for i := range p.resources {
		paths[p.resources[i].NodeID] = p.resources[i].Path
	}
	for i := range p.spec.Nodes {
		node := &p.spec.Nodes[i]
		path, account := p.pathOf(node, paths)
		resource := store.Resource{ResourceID: node.ResourceID, Path: path, Type: node.Type, NodeID: node.NodeID}
		for _, region := range node.Regions {
			resource.Placements = append(resource.Placements, store.Placement{
				Region: region, Name: node.Names[region], State: store.Planned, Account: account,
			})
		}
		g.Resources = append(g.Resources, resource)
	}
	return g, nil
}

func storedGraph(caller Caller, spec *graph.Spec, kind string, now time.Time) (store.Graph, error) {
	encoded, err := json.Marshal(spec)
	if err != nil {
		return store.Graph{}, fmt.Errorf("encode spec graph: %w", err)
	}
	return store.Graph{
		Tenant: caller.Tenant, ID: spec.GraphID, DeploymentID: spec.DeploymentID, Version: spec.Version,
		Kind: kind, Spec: encoded, CreatedAt: now, CreatedBy: caller.Name,
	}, nil
}

// deploymentGraph is the kind of a graph that a caller wrote.
const deploymentGraph = "deployment"

// load reads a stored spec graph.
func (e *Engine) load(ctx context.Context, caller Caller, graphID string) (*graph.Spec, store.Graph, error) {
	stored, err := e.store.Graph(ctx, caller.Tenant, graphID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, stored, refuse(NotFound, "there is no such graph")
	}
	if err != nil {
		return nil, stored, err
	}
	spec := &graph.Spec{}
	if err := json.Unmarshal(stored.Spec, spec); err != nil {
		return nil, stored, fmt.Errorf("stored spec graph %s: %w", graphID, err)
	}
	return spec, stored, nil
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
