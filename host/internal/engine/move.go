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
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// moveOptions are what a run of a move keeps of its command.
type moveOptions struct {
	From string   `json:"from"`
	To   string   `json:"to"`
	Only []string `json:"only,omitempty"`
	// DeleteAfterVerify: it commits by itself.
	DeleteAfterVerify bool `json:"delete_after_verify,omitempty"`
	// Previous is the head that the move began from.
	Previous string `json:"previous"`
	// Left and Accounts are, by provider, the accounts that it leaves and goes to; nil for a move inside the accounts.
	Left     map[string]string `json:"left,omitempty"`
	Accounts map[string]string `json:"accounts,omitempty"`
	// Discards is the run that this one undoes, "" for a move forward.
	Discards string `json:"discards,omitempty"`
}

// Move makes what is in one region in another, verifies it, and repoints what reads it; then it waits for its commit, or commits
// by itself. One that has begun is gone on with. docs/moving.md says it for people.
func (e *Engine) Move(ctx context.Context, caller Caller, request *rest.MoveRequest) (*rest.RunResult, error) {
	return whileBeaten(func() (*rest.RunResult, error) { return e.move(ctx, caller, request) })
}

func (e *Engine) move(ctx context.Context, caller Caller, request *rest.MoveRequest) (*rest.RunResult, error) {
	deployment, err := e.deploymentOf(ctx, caller, request.DeploymentID, request.GraphID)
	if err != nil {
		return nil, err
	}
	last, err := e.lastMove(ctx, caller, deployment, request)
	if err != nil {
		return nil, err
	}
	switch {
	case last != nil:
		return e.moveOn(ctx, caller, request, deployment, *last)
	case deployment.HeadGraphID == "" || deployment.Destroyed:
		return nil, refuse(Conflict, "nothing of this deployment is deployed")
	case request.GraphID != "" && request.GraphID != deployment.HeadGraphID && !request.Force:
		return nil, refuse(Conflict, "this graph is not the one that was last applied: move that, or force")
	}
	unfinished, err := e.unfinished(ctx, caller, deployment.ID)
	if err != nil {
		return nil, err
	}
	if unfinished != nil && !request.Force {
		return nil, &Error{Kind: Conflict, RunID: unfinished.ID, Message: fmt.Sprintf("the last run of this deployment (%s) did not finish: go on with that first, or force", unfinished.Kind)}
	}
	return e.moveAnew(ctx, caller, request, deployment)
}

// lastMove finds the run of a move that a request means: that of the graph it names; or one that has not finished, or that led to
// the head, where the same is asked for again. Nil for a new move.
func (e *Engine) lastMove(ctx context.Context, caller Caller, deployment store.Deployment, request *rest.MoveRequest) (*store.Run, error) {
	if request.GraphID != "" {
		run, options, err := e.moveOf(ctx, caller, request.GraphID)
		if err != nil {
			return nil, err
		}
		asks := request.FromRegion != "" || request.ToRegion != "" || len(request.ToCredentials) > 0
		if run != nil && (!asks || options.asks(request, run.Status) || run.Status != execution.RunCompleted) {
			return run, nil
		}
	}
	if deployment.HeadGraphID != "" {
		run, options, err := e.moveOf(ctx, caller, deployment.HeadGraphID)
		if err != nil {
			return nil, err
		}
		if run != nil && options.asks(request, run.Status) && (request.GraphID == "" || request.GraphID == options.Previous) {
			return run, nil
		}
	}
	run, err := e.unfinished(ctx, caller, deployment.ID)
	if err != nil || run == nil || run.Kind != execution.Move {
		return nil, err
	}
	options, err := optionsOf(run)
	if err != nil || options.Move == nil || !options.Move.asks(request, run.Status) {
		return nil, err
	}
	return run, nil
}

// moveOf gives the move that a graph was made for; nil when it was made for none.
func (e *Engine) moveOf(ctx context.Context, caller Caller, graphID string) (*store.Run, *moveOptions, error) {
	run, err := e.store.LatestRun(ctx, caller.Tenant, graphID, changing...)
	if errors.Is(err, store.ErrNotFound) || err == nil && run.Kind != execution.Move {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	options, err := optionsOf(&run)
	if err == nil && options.Move == nil {
		err = fmt.Errorf("run %s of a move has no regions: %w", run.ID, store.ErrDamaged)
	}
	return &run, options.Move, err
}

// asks says whether a request is for this very move. Whose credentials it brings is only known once they are looked at: where the
// move is over, they are taken for those of yet another account.
func (m *moveOptions) asks(request *rest.MoveRequest, status execution.RunStatus) bool {
	if len(m.Accounts) != len(request.ToCredentials) || m.Accounts != nil && status == execution.RunCompleted {
		return false
	}
	return m.From == request.FromRegion && m.To == request.ToRegion && slices.Equal(m.Only, request.Only)
}

// moveOn goes on with a move from where it stands.
func (e *Engine) moveOn(ctx context.Context, caller Caller, request *rest.MoveRequest, deployment store.Deployment, run store.Run) (*rest.RunResult, error) {
	options, err := optionsOf(&run)
	if err != nil {
		return nil, err
	}
	switch {
	case options.Move == nil || options.Move.Discards != "":
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this move was discarded: move the deployment's head anew"}
	case run.Status == execution.RunCancelled:
		return nil, &Error{Kind: Conflict, RunID: run.ID, Message: "this move was cancelled: discard it"}
	case run.Status == execution.RunCompleted || run.Status == execution.RunPaused:
		return e.Result(ctx, caller, run.ID)
	}
	return e.goOnMoving(ctx, caller, run, deployment, &rest.MoveEndRequest{
		Credentials: request.Credentials, ToCredentials: request.ToCredentials, SealedProperties: request.SealedProperties,
	}, nil)
}

// goOnMoving sets a run of a move going again. ending, where there is one, commits it or says why it cannot be.
func (e *Engine) goOnMoving(ctx context.Context, caller Caller, run store.Run, deployment store.Deployment, request *rest.MoveEndRequest, ending func(*drive, *execution.Run) (*commitment, error)) (*rest.RunResult, error) {
	return e.claimed(ctx, caller, run, func(d *drive, state *execution.Run) (*rest.RunResult, error) {
		given, err := sealedAgain(request.SealedProperties, d.plan.Spec)
		if err != nil {
			return nil, err
		}
		g := goingOn{deployment: deployment, credentials: request.Credentials, away: request.ToCredentials, prefix: "/credentials", given: given}
		if ending != nil {
			if g.commit, err = ending(d, state); err != nil {
				return nil, err
			}
		}
		return e.goOn(ctx, caller, d, state, g)
	})
}

// moveAnew derives the graphs of a move, and runs it.
func (e *Engine) moveAnew(ctx context.Context, caller Caller, request *rest.MoveRequest, deployment store.Deployment) (*rest.RunResult, error) {
	head, _, err := e.load(ctx, caller, deployment.HeadGraphID)
	if err != nil {
		return nil, err
	}
	p := &prepared{deployment: deployment}
	if p.catalog, err = e.pinnedBy(ctx, head); err != nil {
		return nil, err
	}
	if p.resources, err = e.store.Resources(ctx, caller.Tenant, deployment.ID); err != nil {
		return nil, err
	}
	accounts, err := e.accountsAway(ctx, caller, p, request.ToCredentials)
	if err != nil {
		return nil, err
	}
	moved, problems := graph.Move(graph.MoveInput{
		Head: head, Catalog: p.catalog, Places: placesOf(p.resources, p.catalog), From: request.FromRegion, To: request.ToRegion,
		Only: request.Only, GraphID: e.options.NewID(), StepsID: e.options.NewID(), NewID: e.options.NewID,
		Accounts: providersAway(accounts), Away: nodesAway(head, p.resources, accounts),
	})
	if len(problems) > 0 {
		return nil, invalid(problems...)
	}
	p.spec = moved.Steps
	options := &moveOptions{
		From: request.FromRegion, To: request.ToRegion, Only: request.Only, DeleteAfterVerify: request.DeleteAfterVerify,
		Previous: head.GraphID, Left: deployment.Accounts, Accounts: accounts,
	}
	if accounts == nil {
		options.Left = nil
	}
	d, err := e.movement(ctx, caller, p, options, &rest.MoveEndRequest{
		Credentials: request.Credentials, ToCredentials: request.ToCredentials, SealedProperties: request.SealedProperties,
	})
	if err != nil {
		return nil, err
	}
	d.run.GraphID = moved.Target.GraphID
	d.options.LeftOver = leftBehind(moved.Stays, p.resources)
	target := &prepared{spec: moved.Target, resources: p.resources, away: accounts}
	extra, err := target.newGraph(caller, deploymentGraph, e.options.Now())
	if err != nil {
		return nil, err
	}
	return e.createMovement(ctx, caller, d, store.NewRun{
		Extra: []store.NewGraph{*extra}, PreviousHead: deployment.HeadGraphID, Supersede: request.Force,
	})
}

// movement is a run over derived steps, with its credentials checked.
func (e *Engine) movement(ctx context.Context, caller Caller, p *prepared, options *moveOptions, request *rest.MoveEndRequest) (*drive, error) {
	run := e.newRun(caller, execution.Move, nil)
	run.DeploymentID, run.PlanGraphID = p.deployment.ID, p.spec.GraphID
	d := &drive{run: run, placements: placementsOf(p.resources), options: runOptions{TimeoutSeconds: p.spec.Timeout, Move: options}}
	var err error
	if d.plan, err = plan.New(p.spec, p.catalog, run.ExecGraphID); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	given, err := sealedAgain(request.SealedProperties, p.spec)
	if err != nil {
		return nil, err
	}
	everything := func(int) bool { return true }
	if err := complete(d.plan, given, everything); err != nil {
		return nil, err
	}
	if err := e.checkAgain(ctx, caller, d, p.spec, p.deployment, request.Credentials, "/credentials", given, everything); err != nil {
		return nil, err
	}
	return d, e.checkAway(ctx, caller, d, request.ToCredentials, given, everything)
}

// createMovement stores the steps with the run, and begins it.
func (e *Engine) createMovement(ctx context.Context, caller Caller, d *drive, row store.NewRun) (*rest.RunResult, error) {
	steps := &prepared{spec: d.plan.Spec}
	var err error
	if row.Graph, err = steps.newGraph(caller, string(execution.Move), e.options.Now()); err != nil {
		return nil, err
	}
	row.Graph.Resources = nil // the target graph names them
	return e.create(ctx, caller, d, row)
}

// placesOf is what is recorded, as a move sees it.
func placesOf(resources []store.Resource, c *catalog) graph.Places {
	places := make(graph.Places, len(resources))
	for _, r := range resources {
		places[r.NodeID] = make(map[string]graph.Place, len(r.Placements))
		kind, offered := c.Type(r.Type)
		for _, placement := range r.Placements {
			place := graph.Place{
				Name: placement.Name, There: placement.MayBeThere(),
			}
			if offered {
				place.Stays = stays(placement, kind)
			}
			places[r.NodeID][placement.Region] = place
		}
	}
	return places
}

// leftBehind is what a move leaves in the old region from its beginning.
func leftBehind(stays []graph.Stay, resources []store.Resource) []rest.LeftOver {
	reasons := make(map[placeKey]string, len(stays))
	for _, stay := range stays {
		reasons[placeKey{stay.NodeID, stay.Region}] = stay.Reason
	}
	var left []rest.LeftOver
	for _, r := range resources {
		for _, placement := range r.Placements {
			if reason := reasons[placeKey{r.NodeID, placement.Region}]; reason != "" {
				left = append(left, leftOver(r, placement, reason))
			}
		}
	}
	return left
}
