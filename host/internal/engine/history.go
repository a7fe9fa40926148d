package engine

import (
	"context"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// What a page of a history holds: graphs, and runs of each.
const (
	defaultVersions = 20
	mostVersions    = 100
	runsPerVersion  = 20
)

// History lists the spec graphs of a deployment with their runs, newest first. The cursor is the id of the last graph seen.
func (e *Engine) History(ctx context.Context, caller Caller, deploymentID string, query rest.ListQuery) (*rest.History, error) {
	history, err := e.history(ctx, caller, deploymentID, query)
	return history, classified(err)
}

func (e *Engine) history(ctx context.Context, caller Caller, deploymentID string, query rest.ListQuery) (*rest.History, error) {
	deployment, err := e.deployment(ctx, caller, deploymentID)
	if err != nil {
		return nil, err
	}
	page := pageOf(query, defaultVersions, mostVersions)
	graphs, err := e.store.GraphsOf(ctx, caller.Tenant, deploymentID, page.oneMore())
	if err != nil {
		return nil, lostPlace(err)
	}
	history := &rest.History{
		DeploymentID: deployment.ID, HeadGraphID: deployment.HeadGraphID, HeadVersion: deployment.HeadVersion,
		Destroyed: deployment.Destroyed,
	}
	graphs, history.NextCursor = cut(graphs, page, func(g *store.Graph) string { return g.ID })
	for i := range graphs {
		g := &graphs[i]
		version := rest.HistoryVersion{
			GraphID: g.ID, Version: g.Version, Kind: g.Kind, Head: g.ID == deployment.HeadGraphID,
			CreatedAt: rest.At(g.CreatedAt), CreatedBy: g.CreatedBy,
		}
		if version.Runs, version.MoreRuns, err = e.runsOf(ctx, caller, g.ID); err != nil {
			return nil, err
		}
		history.Versions = append(history.Versions, version)
	}
	return history, nil
}

// runsOf gives the latest runs of a graph, each with its counts.
func (e *Engine) runsOf(ctx context.Context, caller Caller, graphID string) (list rest.List[rest.HistoryRun], more bool, err error) {
	filter := store.RunFilter{Tenant: caller.Tenant, GraphID: graphID}
	runs, err := e.store.ListRuns(ctx, filter, store.Page{Limit: runsPerVersion + 1})
	if err != nil {
		return nil, false, err
	}
	more = len(runs) > runsPerVersion
	for i := range runs[:min(len(runs), runsPerVersion)] {
		run := rest.HistoryRun{RunSummary: summaryOf(&runs[i])}
		if runs[i].PlanGraphID != runs[i].GraphID {
			run.PlanGraphID = runs[i].PlanGraphID
		}
		if run.Counts, err = e.countsOf(ctx, caller, &runs[i]); err != nil {
			return nil, false, err
		}
		list = append(list, run)
	}
	return list, more, nil
}

// countsOf counts a run's operations: in memory where it is at work, and else from its events, which is done once for each version
// that it comes to have.
func (e *Engine) countsOf(ctx context.Context, caller Caller, run *store.Run) (rest.Counts, error) {
	if d := e.find(caller, run.ID); d != nil {
		var c rest.Counts
		if err := d.state.View(ctx, func(state *execution.Run) { c = counts(state) }); !e.taken(err) {
			return c, err
		}
	}
	if c, known := e.tallies.get(run); known {
		return c, nil
	}
	_, state, err := e.reload(ctx, caller, *run)
	if err != nil {
		return rest.Counts{}, err
	}
	c := counts(state)
	e.tallies.put(run, c)
	return c, nil
}

// talliesKept bounds how many runs' counts are remembered.
const talliesKept = 4096

// tallies remembers the counts of runs as of a version: a run at rest is counted once.
type tallies struct {
	mu   sync.Mutex
	runs map[tallyKey]rest.Counts
}

type tallyKey struct {
	runID   string
	version int64
}

func (t *tallies) get(run *store.Run) (rest.Counts, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, known := t.runs[tallyKey{run.ID, run.Version}]
	return c, known
}

// put remembers, and forgets all when there is too much: what is asked for again is counted again.
func (t *tallies) put(run *store.Run, c rest.Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.runs == nil || len(t.runs) >= talliesKept {
		t.runs = map[tallyKey]rest.Counts{}
	}
	t.runs[tallyKey{run.ID, run.Version}] = c
}
