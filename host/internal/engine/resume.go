package engine

import (
	"cmp"
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// resumable says whether a run of this status can be gone on with.
func resumable(status execution.RunStatus) bool { return !status.Active() && !status.Final() }

// resume goes on with the run of a graph that is applied once more, from exactly where it stands. What is held is let go when
// that is what the run waits for; a run that failed or was interrupted stops there in its turn.
func (e *Engine) resume(ctx context.Context, caller Caller, request *rest.ApplyRequest, deployment store.Deployment, run store.Run, given map[string][]sealedValue) (*rest.RunResult, error) {
	if request.Mode == rest.ModeDryRun {
		return nil, invalid(graph.Problem{Pointer: "/mode", Message: "this graph has a run already: ask for its status"})
	}
	credentials, prefix := credentialsOf(request)
	return e.claimed(ctx, caller, run, func(d *drive, state *execution.Run) (*rest.RunResult, error) {
		return e.goOn(ctx, caller, d, state, goingOn{
			deployment: deployment, credentials: credentials, prefix: prefix, given: given, mode: execution.Mode(request.Mode),
			steering: steering{release: run.Status == execution.RunPaused},
		})
	})
}

// checkAgain checks the credentials for what is left to do. A sealed value brought again must be the one that was given at
// first: the graph is immutable, and a fingerprint of it stands there.
func (e *Engine) checkAgain(ctx context.Context, caller Caller, d *drive, spec *graph.Spec, deployment store.Deployment, credentials rest.Credentials, prefix string, given map[string][]sealedValue, open func(int) bool) error {
	catalog, err := e.pinnedBy(ctx, spec)
	if err != nil {
		return err
	}
	d.plan.Declare(catalog)
	answer, err := e.check(ctx, check{
		caller: caller, deploymentID: spec.DeploymentID, credentials: credentials, prefix: prefix,
		pinned: d.pinned(deployment), catalog: catalog, needed: openProviders(d, open, false), sealed: given,
	})
	if err != nil {
		return err
	}
	var problems []graph.Problem
	for i := range spec.Nodes {
		node := &spec.Nodes[i]
		for pointer, fingerprint := range answer.fingerprints[node.Logical()] {
			if before := node.Fingerprints[pointer]; before != "" && before != fingerprint {
				problems = append(problems, graph.Problem{
					Pointer: graph.SealedPointer(node, pointer),
					Message: "is another value than this graph was made with",
				})
			}
		}
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	d.accounts = merged(d.pinned(deployment), answer.accounts)
	d.call = e.dispatchRun(ctx, caller, d, credentials, boxesOf(given))
	return nil
}

func openProviders(d *drive, open func(int) bool, away bool) []string {
	seen := map[string]bool{}
	var names []string
	for i := range d.plan.Operations {
		// A finished operation may be referred to, and is then found again: its provider is needed as well.
		if d.plan.Operations[i].Node.Away != away || !open(i) && !referenced(d, i, open) {
			continue
		}
		if name := d.plan.Operations[i].Node.Provider(); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

func referenced(d *drive, i int, open func(int) bool) bool {
	for _, edge := range d.plan.Operations[i].Successors {
		if open(edge.Operation) {
			return true
		}
	}
	return false
}

// goingOn is what a caller brings to a run that stopped.
type goingOn struct {
	deployment  store.Deployment
	credentials rest.Credentials
	// away are those for the account that a move goes to.
	away rest.Credentials
	// prefix is where the credentials stand in the request.
	prefix   string
	given    map[string][]sealedValue
	mode     execution.Mode // the run's own when empty
	steering steering
	// commit makes a move final with its going on; nil for not.
	commit *commitment
}

// goOn carries out what is asked of the run, has the credentials checked for what it can do before a person is needed again,
// takes it over under a new fencing token, and sets it going. What an attempt may have left is settled before anything else.
func (e *Engine) goOn(ctx context.Context, caller Caller, d *drive, state *execution.Run, g goingOn) (*rest.RunResult, error) {
	running := runEvent(execution.RunRunning, caller.Name, "resumed")
	running.Mode = cmp.Or(g.mode, d.mode(state))
	steered, problems := steer(d.plan, state, g.steering, caller.Name)
	if len(problems) > 0 {
		return nil, invalid(problems...)
	}
	beginning := journal.Entry{Events: []execution.Event{running}}
	if g.commit != nil {
		beginning.Events, beginning.Head = append(beginning.Events, g.commit.events...), g.commit.head
	}
	beginning.Events = append(beginning.Events, steered...)
	movable, err := e.movable(d, state, beginning.Events)
	if err != nil {
		return nil, err
	}
	open := func(i int) bool { return movable[i] }
	if err := complete(d.plan, g.given, open); err != nil {
		return nil, err
	}
	if err := e.checkAgain(ctx, caller, d, d.plan.Spec, g.deployment, g.credentials, g.prefix, g.given, open); err != nil {
		return nil, err
	}
	if err := e.checkAway(ctx, caller, d, g.away, g.given, open); err != nil {
		return nil, err
	}
	return e.takeOver(ctx, caller, d, state, beginning)
}

// takeOver sets the run going under a new fencing token. From here on the caller may go.
func (e *Engine) takeOver(ctx context.Context, caller Caller, d *drive, state *execution.Run, beginning journal.Entry) (result *rest.RunResult, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	if err := e.mayGoOn(caller.Tenant); err != nil {
		return nil, err
	}
	if d.options.Undoes != "" {
		if d.undoing, err = e.recordsOf(ctx, d.options.Undoes); err != nil {
			return nil, err
		}
	}
	defer func() { e.unbegun(d.run, err) }()
	token, err := e.acquire(ctx, state)
	if err != nil {
		return nil, err
	}
	return e.begin(ctx, caller, d, state, token, beginning)
}

// mayGoOn holds a run that is gone on with to the bound on active runs: the store holds new ones to it.
func (e *Engine) mayGoOn(tenant string) error {
	if e.options.ActiveRuns <= 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	active := 0
	for _, d := range e.drives {
		if d != nil && d.run.Tenant == tenant {
			active++
		}
	}
	if active >= e.options.ActiveRuns {
		return classified(store.ErrTooMany)
	}
	return nil
}

// movable says what the run can do once these events have happened.
func (e *Engine) movable(d *drive, state *execution.Run, events []execution.Event) ([]bool, error) {
	after := state.Clone()
	for _, event := range events {
		event.RunID, event.Version = after.ID, after.Version+1
		if err := after.Apply(&event); err != nil {
			return nil, err
		}
	}
	return schedule.Movable(d.plan, after, e.scheduling(d, after.Mode)), nil
}

// acquire takes a run that was read at rest over, unless it has moved on since.
func (e *Engine) acquire(ctx context.Context, state *execution.Run) (token int64, err error) {
	token, version, err := e.store.AcquireRun(ctx, e.claimOf(state.ID))
	if err != nil {
		return 0, err
	}
	if version != state.Version {
		e.release(ctx, state.ID)
		return 0, &Error{Kind: Conflict, RunID: state.ID, Message: "the run moved on meanwhile: ask for its status"}
	}
	return token, nil
}
