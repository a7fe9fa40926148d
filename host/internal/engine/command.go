package engine

import (
	"context"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// createTries is how often a run is prepared again because somebody else changed the deployment meanwhile, or an id was taken.
const createTries = 4

// whileBeaten carries out a command that begins a run, and does so again from the start when somebody else was faster.
func whileBeaten(command func() (*rest.RunResult, error)) (*rest.RunResult, error) {
	for try := 1; ; try++ {
		result, err := command()
		beaten := errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrStale)
		if !beaten || try == createTries {
			return result, classified(err)
		}
	}
}

// claim makes sure that one command at a time sets a run going in this host.
func (e *Engine) claim(runID string) (release func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, refuse(Unavailable, "the host is stopping")
	}
	if _, taken := e.drives[runID]; taken {
		return nil, &Error{Kind: Conflict, Message: "this run is active", RunID: runID}
	}
	e.drives[runID] = nil
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.drives[runID] == nil {
			delete(e.drives, runID)
		}
	}, nil
}

// claimed carries out a command on a run at rest, which no other command has meanwhile in this host: with all that the store has
// of it.
func (e *Engine) claimed(ctx context.Context, caller Caller, run store.Run, command func(*drive, *execution.Run) (*rest.RunResult, error)) (*rest.RunResult, error) {
	release, err := e.claim(run.ID)
	if err != nil {
		return nil, err
	}
	defer release()
	d, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, err
	}
	return command(d, state)
}

// undoOn goes on with a destroy or a rollback that did not finish.
func (e *Engine) undoOn(ctx context.Context, caller Caller, deployment store.Deployment, run store.Run, credentials rest.Credentials) (*rest.RunResult, error) {
	return e.claimed(ctx, caller, run, func(d *drive, state *execution.Run) (*rest.RunResult, error) {
		return e.goOn(ctx, caller, d, state, goingOn{
			deployment: deployment, credentials: credentials, prefix: "/credentials",
			steering: steering{release: run.Status == execution.RunPaused},
		})
	})
}

// undoAnew begins a destroy or a rollback: a run over a graph that was derived and names nothing that is not on record already.
func (e *Engine) undoAnew(ctx context.Context, caller Caller, p *prepared, d *drive, credentials rest.Credentials) (*rest.RunResult, error) {
	answer, err := e.check(ctx, check{
		caller: caller, deploymentID: p.deployment.ID, credentials: credentials, prefix: "/credentials",
		pinned: p.deployment.Accounts, catalog: p.catalog, needed: providersOf(p.plan),
	})
	if err != nil {
		return nil, err
	}
	d.plan, d.run.DeploymentID, d.run.PlanGraphID = p.plan, p.deployment.ID, p.spec.GraphID
	d.accounts, d.placements = merged(p.deployment.Accounts, answer.accounts), placementsOf(p.resources)
	d.call = e.dispatchRun(ctx, caller, d, credentials, nil)
	stored, err := p.newGraph(caller, string(d.run.Kind), e.options.Now())
	if err != nil {
		return nil, err
	}
	stored.Resources = nil
	return e.create(ctx, caller, d, store.NewRun{Graph: stored, PreviousHead: p.deployment.HeadGraphID, Supersede: true})
}
