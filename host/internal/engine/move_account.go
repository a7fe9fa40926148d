package engine

import (
	"context"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config/document"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// accountsAway asks whose the credentials are that things are to move to: nil for a move inside the accounts.
func (e *Engine) accountsAway(ctx context.Context, caller Caller, p *prepared, credentials rest.Credentials) (map[string]string, error) {
	if len(credentials) == 0 {
		return nil, nil
	}
	var problems []graph.Problem
	for name := range credentials {
		if !slices.Contains(p.catalog.names(), name) {
			problems = append(problems, graph.Problem{Pointer: document.Join("/to_credentials", name), Message: "nothing of this provider is deployed"})
		}
	}
	if len(problems) > 0 {
		return nil, invalid(problems...)
	}
	var needed []string
	for _, name := range p.catalog.names() {
		if _, given := credentials[name]; given {
			needed = append(needed, name)
		}
	}
	answer, err := e.check(ctx, check{
		caller: caller, deploymentID: p.deployment.ID, credentials: credentials, prefix: "/to_credentials", catalog: p.catalog,
		needed: needed,
	})
	if err != nil {
		return nil, err
	}
	for _, name := range needed {
		if account := answer.accounts[name]; account == "" || account == p.deployment.Accounts[name] {
			problems = append(problems, graph.Problem{
				Pointer: document.Join("/to_credentials", name), Message: "must be those of another account than the one that the deployment is in",
			})
		}
	}
	if len(problems) > 0 {
		return nil, invalid(problems...)
	}
	return answer.accounts, nil
}

// checkAway checks the credentials for the account that a move goes to, for what is left to do there.
func (e *Engine) checkAway(ctx context.Context, caller Caller, d *drive, credentials rest.Credentials, given map[string][]sealedValue, open func(int) bool) error {
	needed := openProviders(d, open, true)
	if len(needed) == 0 {
		return nil
	}
	catalog, err := e.pinnedBy(ctx, d.plan.Spec)
	if err != nil {
		return err
	}
	_, err = e.check(ctx, check{
		caller: caller, deploymentID: d.plan.Spec.DeploymentID, credentials: credentials, prefix: "/to_credentials",
		pinned: d.options.Move.Accounts, catalog: catalog, needed: needed, sealed: given,
	})
	d.call.Away = dispatch.Access{Credentials: credentials, Accounts: d.options.Move.Accounts}
	return err
}

// pinned are the accounts that the credentials of a run must be of: a move leaves its old ones to the end, whatever is pinned by
// then.
func (d *drive) pinned(deployment store.Deployment) map[string]string {
	if d.options.Move == nil || d.options.Move.Left == nil {
		return deployment.Accounts
	}
	return d.options.Move.Left
}

// accountOf is the account that a node acts in.
func (d *drive) accountOf(node *graph.Node) string {
	if node.Away {
		return d.options.Move.Accounts[node.Provider()]
	}
	return d.accounts[node.Provider()]
}

func providersAway(accounts map[string]string) map[string]bool {
	if accounts == nil {
		return nil
	}
	away := make(map[string]bool, len(accounts))
	for name := range accounts {
		away[name] = true
	}
	return away
}

// accountOf is where a resource is, "" when that is not known.
func accountOf(resource store.Resource) string {
	for _, placement := range resource.Placements {
		if placement.Account != "" {
			return placement.Account
		}
	}
	return ""
}

func providerOf(resource store.Resource) string { return (&graph.Node{Type: resource.Type}).Provider() }

// nodesAway are the ids of what is on record in the accounts that a move goes to, by the ids of what is to move.
func nodesAway(head *graph.Spec, resources []store.Resource, accounts map[string]string) map[string]string {
	if accounts == nil {
		return nil
	}
	ids := make(map[string]string, len(head.Nodes))
	for i := range head.Nodes {
		ids[head.Nodes[i].ResourceID] = head.Nodes[i].NodeID
	}
	away := map[string]string{}
	for _, r := range resources {
		if account := accounts[providerOf(r)]; account != "" && accountOf(r) == account && r.NodeID != ids[r.ResourceID] {
			away[ids[r.ResourceID]] = r.NodeID
		}
	}
	return away
}

// inAccounts leaves away what is in other accounts than those that are pinned: a move has made it there, or left it.
func inAccounts(resources []store.Resource, accounts map[string]string) []store.Resource {
	return slices.DeleteFunc(slices.Clone(resources), func(r store.Resource) bool {
		account, pinned := accountOf(r), accounts[providerOf(r)]
		return account != "" && pinned != "" && account != pinned
	})
}

// betweenAccounts refuses what would leave behind the part of an unfinished move that is in another account.
func (e *Engine) betweenAccounts(ctx context.Context, caller Caller, deploymentID string) error {
	run, err := e.unfinished(ctx, caller, deploymentID)
	if err != nil || run == nil || run.Status.Active() {
		return err
	}
	options, err := optionsOf(run)
	if err != nil || options.Move == nil || options.Move.Accounts == nil {
		return err
	}
	return &Error{Kind: Conflict, RunID: run.ID, Message: "a move to another account is under way: commit or discard it first, or force"}
}
