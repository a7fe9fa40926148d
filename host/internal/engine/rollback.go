package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Rollback takes back what the latest run of a deployment changed, in reverse order: what it made is deleted, what it changed or
// deleted is brought back by the records that its provider wrote before. A rollback that failed or was interrupted is gone on with.
func (e *Engine) Rollback(ctx context.Context, caller Caller, request *rest.RollbackRequest) (*rest.RunResult, error) {
	return whileBeaten(func() (*rest.RunResult, error) { return e.rollback(ctx, caller, request) })
}

func (e *Engine) rollback(ctx context.Context, caller Caller, request *rest.RollbackRequest) (*rest.RunResult, error) {
	deployment, err := e.headed(ctx, caller, request.DeploymentID, request.GraphID, request.Force)
	if err != nil {
		return nil, err
	}
	run, err := e.latestChange(ctx, caller, deployment.ID, request.RunID)
	if err != nil {
		return nil, err
	}
	if run.Kind == execution.Rollback {
		return e.undoOn(ctx, caller, deployment, run, request.Credentials)
	}
	return e.rollbackAnew(ctx, caller, request, deployment, run)
}

// latestChange finds the run to take back: the latest that changed something and was not taken back; or a rollback that did not
// finish, to go on with. A caller who wants to go back further than one run has to name the run.
func (e *Engine) latestChange(ctx context.Context, caller Caller, deploymentID, wanted string) (store.Run, error) {
	undone, latest, page := map[string]bool{}, true, store.Page{Limit: mostLimit}
	for {
		runs, err := e.store.ListRuns(ctx, store.RunFilter{Tenant: caller.Tenant, DeploymentID: deploymentID}, page)
		if err != nil {
			return store.Run{}, err
		}
		for i := range runs {
			run := &runs[i]
			back, err := takesBack(run)
			switch {
			case err != nil:
				return store.Run{}, err
			case !slices.Contains(changing, run.Kind):
				continue
			case run.Status.Active():
				return store.Run{}, &Error{Kind: Conflict, Message: "a run is active on this deployment", RunID: run.ID}
			case back != "":
				undone[back] = true
			case !undone[run.ID]:
				return undoable(run, wanted, latest)
			}
			latest = false
		}
		if len(runs) < page.Limit {
			return store.Run{}, refuse(Conflict, "no run of this deployment changed anything that was not taken back")
		}
		page.After = runs[len(runs)-1].ID
	}
}

// takesBack is the run that a rollback, or the discard of a move, has taken back, "" for what took nothing back.
func takesBack(run *store.Run) (string, error) {
	if run.Status != execution.RunCompleted || run.Kind != execution.Rollback && run.Kind != execution.Move {
		return "", nil
	}
	options, err := optionsOf(run)
	if err != nil || options.Move == nil {
		return options.Undoes, err
	}
	return options.Move.Discards, nil
}

// undoable is the run that is next to be taken back, or to be gone on with, or says why that cannot be.
func undoable(run *store.Run, wanted string, latest bool) (store.Run, error) {
	options, err := optionsOf(run)
	if err != nil {
		return store.Run{}, err
	}
	unfinished := run.Kind == execution.Rollback && run.Status != execution.RunCancelled
	if unfinished && latest && (wanted == "" || wanted == run.ID || wanted == options.Undoes) {
		return *run, nil
	}
	return *run, notUndoable(run, wanted, latest)
}

func notUndoable(run *store.Run, wanted string, latest bool) error {
	switch {
	case run.Kind == execution.Rollback:
		return &Error{Kind: Conflict, RunID: run.ID, Message: "a rollback before this did not finish: what it left cannot be taken back"}
	case run.Kind == execution.Move:
		return &Error{Kind: Conflict, RunID: run.ID, Message: "a move is not rolled back: discard it, or move back"}
	case run.Kind == execution.Destroy:
		return &Error{Kind: Conflict, RunID: run.ID, Message: "a destroy cannot be taken back: post the config to deploy it anew"}
	case wanted == "" && !latest:
		return &Error{Kind: Conflict, RunID: run.ID, Message: "the latest run was taken back already: name this run_id to take back the one before"}
	case wanted != "" && wanted != run.ID:
		return &Error{Kind: Conflict, RunID: run.ID, Message: "this is the latest run that was not taken back: only it can be"}
	default:
		return nil
	}
}

// rollbackAnew derives the graph that takes the run back and runs it. What cannot be taken back is told before anything is done.
func (e *Engine) rollbackAnew(ctx context.Context, caller Caller, request *rest.RollbackRequest, deployment store.Deployment, undone store.Run) (*rest.RunResult, error) {
	u, err := e.undoingOf(ctx, caller, undone)
	if err != nil {
		return nil, err
	}
	p := &prepared{deployment: deployment, resources: u.resources, catalog: u.catalog}
	var left []rest.LeftOver
	p.spec, left = u.derive(e.options.NewID)
	if len(left) > 0 && !request.Force {
		return nil, mixed(left)
	}
	run := e.newRun(caller, execution.Rollback, nil)
	if err := p.order(ctx, e, caller, run.ExecGraphID); err != nil {
		return nil, err
	}
	run.GraphID = undone.GraphID
	d := &drive{run: run, undoing: u.records, options: runOptions{
		LeftOver: left, Undoes: undone.ID, Head: deployment.HeadGraphID, PreviousHead: new(standsAs(deployment)),
	}}
	if u.restored != nil {
		d.options.Restores = u.restored.GraphID
	}
	return e.undoAnew(ctx, caller, p, d, request.Credentials)
}

// mixed refuses a rollback that would leave some of what the run did.
func mixed(left []rest.LeftOver) error {
	refused := refuse(Conflict, "not all of this run can be taken back: force takes back the rest, and leaves these as they are")
	for _, l := range left {
		text := fmt.Sprintf("%q", l.ResourceID)
		if l.Region != "" {
			text += " in " + l.Region
		}
		refused.Problems = append(refused.Problems, graph.Problem{Pointer: "/force", Message: text + ": " + l.Reason})
	}
	return refused
}

// restored is what the end of a rollback means for the deployment: the graph that was the head before is so again, or, where there
// was none and nothing stays, it is as good as destroyed.
func (d *drive) restored(status execution.RunStatus) (head *store.HeadMove, destroyed *bool) {
	if d.run.Kind != execution.Rollback || status != execution.RunCompleted {
		return nil, nil
	}
	if d.options.Restores == "" {
		gone := true
		if len(d.options.LeftOver) == 0 {
			destroyed = &gone
		}
		return nil, destroyed
	}
	if d.options.Restores == d.options.Head {
		return nil, nil
	}
	return &store.HeadMove{GraphID: d.options.Restores, Previous: d.options.Head}, nil
}
