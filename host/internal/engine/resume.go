package engine

import (
	"context"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// resume goes on with a run that failed or was interrupted, from exactly where it stands. What an attempt may have left is
// settled before anything else is done.
func (e *Engine) resume(ctx context.Context, caller Caller, request *rest.ApplyRequest, spec *graph.Spec, deployment store.Deployment, run store.Run, given map[string][]sealedValue) (*rest.RunResult, error) {
	if request.Mode == rest.ModeDryRun {
		return nil, invalid(graph.Problem{Pointer: "/mode", Message: "this graph has a run already: ask for its status"})
	}
	release, err := e.claim(run.ID)
	if err != nil {
		return nil, err
	}
	defer release()
	d, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, err
	}
	open := func(i int) bool {
		status := state.Operation(d.plan.Operations[i].ID).Status
		return status != execution.Completed && status != execution.Skipped
	}
	if err := complete(d.plan, given, open); err != nil {
		return nil, err
	}
	credentials, prefix := credentialsOf(request)
	if err := e.checkAgain(ctx, caller, d, spec, deployment, credentials, prefix, given, open); err != nil {
		return nil, err
	}
	return e.goOn(ctx, caller, d, state)
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
		pinned: deployment.Accounts, catalog: catalog, needed: openProviders(d, open), sealed: given, identify: true,
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
	d.accounts = merged(deployment.Accounts, answer.accounts)
	d.call = e.dispatchRun(ctx, caller, d, credentials, boxesOf(given))
	return nil
}

func openProviders(d *drive, open func(int) bool) []string {
	seen := map[string]bool{}
	var names []string
	for i := range d.plan.Operations {
		// A finished operation may be referred to, and is then found again: its provider is needed as well.
		if !open(i) && !referenced(d, i, open) {
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

// goOn takes the run over under a new fencing token and sets it going again.
func (e *Engine) goOn(ctx context.Context, caller Caller, d *drive, state *execution.Run) (result *rest.RunResult, err error) {
	if err := e.mayGoOn(caller.Tenant); err != nil {
		return nil, err
	}
	defer func() { e.unbegun(d.run, err) }()
	token, version, err := e.store.AcquireRun(ctx, store.Claim{RunID: d.run.ID, Owner: e.instance})
	if err != nil {
		return nil, err
	}
	if version != state.Version {
		return nil, refuse(Conflict, "the run moved on meanwhile: ask for its status")
	}
	events := []execution.Event{runEvent(execution.RunRunning, caller.Name, "resumed")}
	if again := unfinished(state); len(again) > 0 {
		events = append(events, execution.Event{Kind: execution.Changed, Operations: again, Status: execution.Pending, Reason: "resumed"})
	}
	return e.begin(ctx, caller, d, state, token, events)
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

// unfinished are the operations that a resume sets going again; those that were running are settled as they stand.
func unfinished(state *execution.Run) []string {
	var ids []string
	for i := range state.Operations() {
		operation := &state.Operations()[i]
		if operation.Status == execution.Failed || operation.Status == execution.Blocked {
			ids = append(ids, operation.ID)
		}
	}
	return ids
}

// recover interrupts what an earlier host left active. It says so in the run, and nothing else: the credentials are gone.
func (e *Engine) recover(ctx context.Context) error {
	runs, err := e.store.ActiveRuns(ctx)
	if err != nil {
		return fmt.Errorf("unfinished runs: %w", err)
	}
	for _, run := range runs {
		if err := e.interrupt(ctx, run, "the host ended before the run did"); err != nil {
			return fmt.Errorf("run %s: %w", run.ID, err)
		}
		e.log.Warn("run was interrupted", "run", run.ID, "deployment", run.DeploymentID)
	}
	return nil
}

// interrupt needs no plan: it changes nothing but the run's own status, which the row holds.
func (e *Engine) interrupt(ctx context.Context, run store.Run, reason string) error {
	token, version, err := e.store.AcquireRun(ctx, store.Claim{RunID: run.ID, Owner: e.instance})
	if err != nil {
		return err
	}
	event := runEvent(execution.RunInterrupted, "", reason)
	event.RunID, event.Version, event.At = run.ID, version+1, e.options.Now().UTC()
	results, err := e.store.Commit(ctx, []store.Write{{RunID: run.ID, Token: token, Events: []execution.Event{event}}})
	if err != nil {
		return err
	}
	return results[0]
}
