package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// discovery is one search for what a deployment has outside.
type discovery struct {
	*prepared
	caller      Caller
	request     *rest.DiscoverRequest
	credentials rest.Credentials
	prefix      string // where those stand in the request
	accounts    map[string]string
	findings    []finding
}

// Discover looks outside for what a configuration describes, or what a stored graph does, and changes nothing there. Of a
// deployment that this host has no record of, the records are made anew from what was found.
func (e *Engine) Discover(ctx context.Context, caller Caller, request *rest.DiscoverRequest) (*rest.DiscoverResponse, error) {
	d, err := e.discovery(ctx, caller, request)
	if err != nil {
		return nil, classified(err)
	}
	if err := e.searchOutside(ctx, d); err != nil {
		return nil, classified(err)
	}
	response := d.response(e.owner(caller.Tenant))
	switch {
	case d.deployment.ID == "" && response.Found > 0 && decided(d.findings):
		err = e.recordAnew(ctx, d, response)
	case d.request.Adopt && d.deployment.ID != "":
		err = e.recordFound(ctx, d, response)
	}
	if err != nil {
		return nil, classified(err)
	}
	return response, nil
}

// discovery prepares what is to be searched for.
func (e *Engine) discovery(ctx context.Context, caller Caller, request *rest.DiscoverRequest) (*discovery, error) {
	d := &discovery{prepared: &prepared{}, caller: caller, request: request, credentials: request.Credentials, prefix: "/credentials"}
	switch {
	case (request.Config == nil) == (request.GraphID == ""):
		return nil, invalid(graph.Problem{Pointer: configPrefix, Message: "config or graph_id is required, one of them"})
	case request.GraphID != "":
		return d, e.ofGraph(ctx, d)
	case len(request.Credentials) == 0:
		d.credentials, d.prefix = request.Config.Credentials, configPrefix+"/credentials"
	case len(request.Config.Credentials) > 0:
		return nil, invalid(graph.Problem{Pointer: "/credentials", Message: "stand in config already"})
	}
	if err := e.known(ctx, caller, request.Config.DeploymentID, d.prepared); err != nil {
		return nil, err
	}
	switch {
	case d.deployment.ID != "" && d.deployment.HeadGraphID == "":
		return nil, refuse(Conflict, "plans of this deployment are stored here, with ids of their own: delete its records first")
	case d.deployment.ID != "" && request.Adopt:
		return nil, invalid(graph.Problem{Pointer: "/adopt", Message: "this deployment is on record: name its graph_id in place of config"})
	}
	return d, e.prepareOn(ctx, caller, d.prepared, request.Config, request.SealedProperties, "")
}

// ofGraph takes what is to be searched for from the graph that was last applied.
func (e *Engine) ofGraph(ctx context.Context, d *discovery) (err error) {
	if d.spec, _, err = e.load(ctx, d.caller, d.request.GraphID); err != nil {
		return err
	}
	if err := e.known(ctx, d.caller, d.spec.DeploymentID, d.prepared); err != nil {
		return err
	}
	if d.deployment.HeadGraphID != d.spec.GraphID {
		return refuse(Conflict, "this graph is not the one that was last applied")
	}
	if d.sealed, err = sealedAgain(d.request.SealedProperties, d.spec); err != nil {
		return err
	}
	if d.catalog, err = e.pinnedBy(ctx, d.spec); err != nil {
		return err
	}
	return d.order(ctx, e, d.caller, "")
}

// searchOutside has the credentials checked, and every place looked at.
func (e *Engine) searchOutside(ctx context.Context, d *discovery) error {
	answer, err := e.check(ctx, check{
		caller: d.caller, deploymentID: d.spec.DeploymentID, credentials: d.credentials, prefix: d.prefix,
		pinned: d.deployment.Accounts, catalog: d.catalog, needed: providersOf(d.plan), sealed: d.sealed,
	})
	if err != nil {
		return err
	}
	d.accounts = merged(d.deployment.Accounts, answer.accounts)
	searched, err := plan.New(d.certain(), d.catalog, "")
	if err != nil {
		return err
	}
	run := &dispatch.Run{
		ID: "discover/" + RandomID(), Tenant: d.caller.Tenant, DeploymentID: d.spec.DeploymentID, Owner: e.owner(d.caller.Tenant),
		Plan: searched, Access: dispatch.Access{Credentials: d.credentials, Accounts: d.accounts}, Settings: e.options.Settings,
		Sealed: boxesOf(d.sealed), AllowPlainBoxes: e.options.PlainBoxes(ctx),
	}
	results, err := e.dispatcher.Search(ctx, run, recorded{placementsOf(d.resources)})
	if err != nil {
		return err
	}
	d.findings = findingsOf(d.plan, d.catalog, results)
	d.compare()
	return nil
}

// certain is the graph with those physical names alone that are certain. A name that a node id is part of was made with the id that
// is to be found out, unless it is on record.
func (d *discovery) certain() *graph.Spec {
	placements := placementsOf(d.resources)
	spec := *d.spec
	spec.Nodes = slices.Clone(spec.Nodes)
	for i := range spec.Nodes {
		node := &spec.Nodes[i]
		kind, _ := d.catalog.Type(node.Type)
		if node.Exact || kind == nil || kind.Naming.Suffix == contract.SuffixNone || kind.Naming.Suffix == "" {
			continue
		}
		node.Names = maps.Clone(node.Names)
		maps.DeleteFunc(node.Names, func(region, _ string) bool {
			return !placements[placeKey{node.Logical(), region}].MayBeThere()
		})
	}
	return &spec
}

// compare holds what was found against what is on record.
func (d *discovery) compare() {
	placements := placementsOf(d.resources)
	for i := range d.findings {
		f, node := &d.findings[i], d.plan.Operations[i].Node
		placement, known := placements[placeKey{node.Logical(), f.Region}]
		if !known {
			continue
		}
		f.Recorded = string(placement.State)
		switch {
		case f.Status == rest.DiscoveredFound && f.NodeID != node.Logical():
			*f = f.undecided(rest.DiscoveredConflict, "it carries another node id than is on record")
		case f.Status == rest.DiscoveredFound:
			f.Differs = placement.State != store.Live || placement.Identity != "" && placement.Identity != f.Identity
		case f.Status == rest.DiscoveredMissing:
			f.Differs = placement.MayBeThere()
		}
	}
}

func (d *discovery) response(owner string) *rest.DiscoverResponse {
	response := &rest.DiscoverResponse{
		DeploymentID: d.spec.DeploymentID, Version: d.spec.Version, Owner: owner, GraphID: d.deployment.HeadGraphID,
		Warnings: d.warnings,
	}
	count(response, d.findings)
	response.Success = decided(d.findings) && !slices.ContainsFunc(d.findings, func(f finding) bool { return f.Differs })
	for _, f := range d.findings {
		if f.Status == rest.DiscoveredFound && f.ByName && !d.request.Adopt && d.deployment.ID == "" {
			response.Warnings = append(response.Warnings, f.ResourceID+" was found by its name alone: without adopt it is neither changed nor destroyed")
		}
	}
	if d.deployment.ID == "" && response.Found == 0 {
		response.Success = false
		response.Warnings = append(response.Warnings, "nothing was found under this owner: is it the one that the things are labelled with?")
	}
	return response
}
