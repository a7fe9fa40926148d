package engine

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const (
	defaultLimit = 50
	mostLimit    = 500
)

// page is a part of a list: at most limit rows after the one whose id is after.
type page struct {
	limit int
	after string
}

func pageOf(query rest.ListQuery, usual, most int) page {
	limit := query.Limit
	if limit <= 0 {
		limit = usual
	}
	return page{limit: min(limit, most), after: query.Cursor}
}

// oneMore asks for a row more than the page has: whether there is one says whether there is another page.
func (p page) oneMore() store.Page { return store.Page{Limit: p.limit + 1, After: p.after} }

// cut takes a page out of its rows and that one more, and gives the cursor of the page behind it, "" for none.
func cut[T any](rows []T, p page, id func(*T) string) (list []T, next string) {
	if len(rows) <= p.limit {
		return rows, ""
	}
	return rows[:p.limit], id(&rows[p.limit-1])
}

// lostPlace is what a cursor is answered with that leads nowhere: it is not of this list, or its row is gone.
func lostPlace(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &Error{Kind: NotFound, Message: "the cursor leads to nothing in this list: begin anew without one", cause: err}
	}
	return err
}

// Runs lists runs, newest first. The cursor is the id of the last one seen.
func (e *Engine) Runs(ctx context.Context, caller Caller, query rest.RunsQuery) (*rest.RunList, error) {
	page := pageOf(query.ListQuery, defaultLimit, mostLimit)
	runs, err := e.store.ListRuns(ctx, store.RunFilter{
		Tenant: caller.Tenant, DeploymentID: query.DeploymentID, GraphID: query.GraphID, Kind: execution.RunKind(query.Kind),
		Status: execution.RunStatus(query.Status), Since: query.Since.Time,
	}, page.oneMore())
	if err != nil {
		return nil, classified(lostPlace(err))
	}
	list := &rest.RunList{}
	runs, list.NextCursor = cut(runs, page, func(r *store.Run) string { return r.ID })
	for i := range runs {
		list.Runs = append(list.Runs, summaryOf(&runs[i]))
	}
	return list, nil
}

func summaryOf(r *store.Run) rest.RunSummary {
	return rest.RunSummary{
		RunID: r.ID, GraphID: r.GraphID, ExecGraphID: r.ExecGraphID, DeploymentID: r.DeploymentID, Kind: string(r.Kind),
		Mode: rest.Mode(r.Mode), Status: string(r.Status), StartedBy: r.StartedBy, CreatedAt: rest.At(r.CreatedAt),
		UpdatedAt: rest.At(r.UpdatedAt), CompletedAt: rest.At(r.CompletedAt),
	}
}

// Deployments lists deployments, newest first. The cursor is the id of the last one seen.
func (e *Engine) Deployments(ctx context.Context, caller Caller, query rest.ListQuery) (*rest.DeploymentList, error) {
	page := pageOf(query, defaultLimit, mostLimit)
	deployments, err := e.store.Deployments(ctx, caller.Tenant, page.oneMore())
	if err != nil {
		return nil, classified(lostPlace(err))
	}
	list := &rest.DeploymentList{}
	deployments, list.NextCursor = cut(deployments, page, func(d *store.Deployment) string { return d.ID })
	for i := range deployments {
		d := &deployments[i]
		list.Deployments = append(list.Deployments, rest.DeploymentSummary{
			DeploymentID: d.ID, HeadGraphID: d.HeadGraphID, HeadVersion: d.HeadVersion, Destroyed: d.Destroyed,
			Accounts: d.Accounts, CreatedAt: rest.At(d.CreatedAt), UpdatedAt: rest.At(d.UpdatedAt),
		})
	}
	return list, nil
}

// located is the run that a route by graph and node means, and the operations of that node.
func (e *Engine) located(ctx context.Context, caller Caller, graphID, runID, node string) (*drive, *execution.Run, []string, error) {
	run, err := e.runOf(ctx, caller, graphID, runID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil, refuse(NotFound, "this graph has no run")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	d, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, nil, nil, err
	}
	operations := operationsOf(d.plan, node)
	if len(operations) == 0 {
		return nil, nil, nil, refuse(NotFound, "this graph has no such node")
	}
	return d, state, operations, nil
}

// operationsOf finds operations by their own id, a node id or a resource id; by those of a composite, the operations of its parts.
func operationsOf(p *plan.Plan, node string) []string {
	whole := node
	for i := range p.Spec.Nodes {
		if n := &p.Spec.Nodes[i]; n.NodeID == node && n.Composite() {
			whole = n.ResourceID
		}
	}
	var ids []string
	for i := range p.Operations {
		o := &p.Operations[i]
		if o.ID == node || o.Node.NodeID == node || graph.Covers(whole, o.Node.ResourceID) {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// Logs gives what the operations of a node logged.
func (e *Engine) Logs(ctx context.Context, caller Caller, graphID, runID, node string) (*rest.LogList, error) {
	d, _, operations, err := e.located(ctx, caller, graphID, runID, node)
	if err != nil {
		return nil, classified(err)
	}
	list := &rest.LogList{GraphID: d.run.GraphID, RunID: d.run.ID}
	for _, id := range operations {
		lines, err := e.store.Logs(ctx, d.run.ID, id)
		if err != nil {
			return nil, classified(err)
		}
		for _, line := range lines {
			list.Lines = append(list.Lines, rest.LogLine{Operation: id, At: rest.At(line.At), Level: line.Level, Message: line.Message})
		}
	}
	return list, nil
}

// Outputs gives the outputs of a node's operations.
func (e *Engine) Outputs(ctx context.Context, caller Caller, graphID, runID, node string) (*rest.OutputList, error) {
	d, state, operations, err := e.located(ctx, caller, graphID, runID, node)
	if err != nil {
		return nil, classified(err)
	}
	list := &rest.OutputList{GraphID: d.run.GraphID, RunID: d.run.ID, Outputs: rest.ByOperation[json.RawMessage]{}}
	for _, id := range operations {
		if operation := state.Operation(id); len(operation.Outputs) > 0 {
			list.Outputs[id] = operation.Outputs
		}
	}
	for _, c := range compositesOf(d.plan) {
		if c.node.NodeID == node || c.node.ResourceID == node {
			maps.Copy(list.Outputs, c.outputs(d.plan, state))
		}
	}
	return list, nil
}
