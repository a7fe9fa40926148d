package engine

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Result says how a run stands: the answer of apply, destroy and verify.
func (e *Engine) Result(ctx context.Context, caller Caller, runID string) (*rest.RunResult, error) {
	if d := e.find(caller, runID); d != nil {
		if result, err := e.result(ctx, d); !e.taken(err) {
			return result, classified(err)
		}
	}
	run, err := e.store.Run(ctx, caller.Tenant, runID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse(NotFound, "there is no such run")
	}
	if err != nil {
		return nil, classified(err)
	}
	d, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, classified(err)
	}
	return resultOf(d, state), nil
}

// result reads a run that is in memory, once all that it says is durable.
func (e *Engine) result(ctx context.Context, d *drive) (result *rest.RunResult, err error) {
	err = d.state.View(ctx, func(state *execution.Run) { result = resultOf(d, state) })
	return result, err
}

func resultOf(d *drive, state *execution.Run) *rest.RunResult {
	result := &rest.RunResult{
		Success: state.Status == execution.RunCompleted, GraphID: d.run.GraphID, Status: string(state.Status),
		RunID: d.run.ID, ExecGraphID: d.run.ExecGraphID, DeploymentID: d.run.DeploymentID, Version: d.plan.Spec.Version,
		Kind: string(d.run.Kind), Mode: rest.Mode(d.mode(state)), StartedBy: d.run.StartedBy,
		StartedAt: rest.At(state.StartedAt), CompletedAt: rest.At(state.EndedAt), Counts: counts(state),
		Outputs: rest.ByOperation[json.RawMessage]{}, Changes: map[string]string{},
		Warnings: d.options.Warnings, LeftOver: slices.Clip(d.options.LeftOver), Undoes: d.options.Undoes, Next: nextOf(d, state),
	}
	if !state.EndedAt.IsZero() {
		result.DurationSeconds = state.EndedAt.Sub(state.StartedAt).Seconds()
	}
	if d.run.Kind == execution.Verify {
		result.Success = result.Success && verified(d.plan, state)
		result.Checks = rest.ByOperation[[]rest.Check]{}
	}
	result.Move = moveState(d, state)
	for i := range state.Operations() {
		describe(result, d.plan, i, &state.Operations()[i])
	}
	for _, c := range compositesOf(d.plan) {
		maps.Copy(result.Outputs, c.outputs(d.plan, state))
	}
	if resumable(state.Status) {
		result.NextOperation = nextOperation(d, state)
	}
	return result
}

// nextOperation is what a run at rest would do first, were it gone on with.
func nextOperation(d *drive, state *execution.Run) *rest.OperationSummary {
	i, ok := schedule.Next(d.plan, state, d.uncertain)
	if !ok {
		return nil
	}
	s := summary(d.plan, i)
	return &s
}

func describe(result *rest.RunResult, p *plan.Plan, i int, operation *execution.Operation) {
	if operation.Status == execution.Completed {
		if len(operation.Outputs) > 0 {
			result.Outputs[operation.ID] = operation.Outputs
		}
		if operation.Change != contract.ChangeUnspecified {
			result.Changes[operation.ID] = string(operation.Change)
		}
	}
	if len(operation.Checks) > 0 && result.Checks != nil {
		result.Checks[operation.ID] = checksOf(operation.Checks)
	}
	if operation.Unsettled() && !rest.ActiveStatus(result.Status) {
		open := summary(p, i)
		blame(&open, operation.Error)
		result.Unsettled = append(result.Unsettled, open)
	}
	if operation.Status == execution.Skipped && result.Kind == string(execution.Destroy) {
		result.LeftOver = append(result.LeftOver, skippedDeletion(&p.Operations[i]))
	}
	if operation.Status == execution.Skipped && result.Move != nil && p.Operations[i].Node.Verb == contract.VerbDelete {
		result.LeftOver = append(result.LeftOver, leftByMove(&p.Operations[i], operation))
	}
	if operation.Status == execution.Failed && result.FailedOperation == nil {
		failed := summary(p, i)
		blame(&failed, operation.Error)
		result.FailedOperation = &failed
	}
}

// skippedDeletion is what a destroy was asked to leave.
func skippedDeletion(operation *plan.Operation) rest.LeftOver {
	return rest.LeftOver{
		ResourceID: operation.Node.ResourceID, ResourceType: operation.Node.Type, Region: operation.Region,
		Name: operation.Node.Names[operation.Region], Reason: "its deletion was skipped by request",
	}
}

func blame(summary *rest.OperationSummary, d *contract.Diagnostic) {
	if d != nil {
		summary.Error, summary.ErrorType, summary.Diagnostic = d.Summary, string(d.Kind), rest.DiagnosticOf(d)
	}
}

func checksOf(checks []execution.Check) []rest.Check {
	converted := make([]rest.Check, len(checks))
	for i, c := range checks {
		converted[i] = rest.Check{Name: c.Name, Status: string(c.Status), Expected: c.Expected, Actual: c.Actual, Message: c.Message}
	}
	return converted
}

func counts(state *execution.Run) rest.Counts {
	c := rest.Counts{
		Total: len(state.Operations()), Completed: state.Count(execution.Completed), Failed: state.Count(execution.Failed),
		Pending: state.Count(execution.Pending), Running: state.Count(execution.Running), Blocked: state.Count(execution.Blocked),
		Skipped: state.Count(execution.Skipped), Paused: state.Count(execution.Paused),
	}
	for i := range state.Operations() {
		operation := &state.Operations()[i]
		if operation.Status != execution.Completed {
			continue
		}
		if operation.Change == contract.ChangeNone || operation.Change == contract.ChangeUnspecified {
			c.Unchanged++
		} else {
			c.Changed++
		}
	}
	return c
}

// Status says how the latest run of a graph that changes something stands, or the run that is named.
func (e *Engine) Status(ctx context.Context, caller Caller, graphID, runID string) (*rest.StatusResponse, error) {
	run, err := e.runOf(ctx, caller, graphID, runID)
	if errors.Is(err, store.ErrNotFound) && runID == "" {
		response, err := e.unrun(ctx, caller, graphID)
		return response, classified(err)
	}
	if err != nil {
		return nil, classified(err)
	}
	if d := e.find(caller, run.ID); d != nil {
		var response *rest.StatusResponse
		err := d.state.View(ctx, func(state *execution.Run) { response = e.standing(d, state) })
		if !e.taken(err) {
			return response, classified(err)
		}
	}
	d, state, err := e.reload(ctx, caller, run)
	if err != nil {
		return nil, classified(err)
	}
	return e.standing(d, state), nil
}

// runOf finds the run that a route means.
func (e *Engine) runOf(ctx context.Context, caller Caller, graphID, runID string) (store.Run, error) {
	if runID == "" {
		return e.store.LatestRun(ctx, caller.Tenant, graphID, changing...)
	}
	run, err := e.store.Run(ctx, caller.Tenant, runID)
	if err == nil && run.GraphID != graphID && run.PlanGraphID != graphID {
		return run, refuse(NotFound, "this graph has no such run")
	}
	return run, err
}

// unrun is the status of a stored graph that was never run.
func (e *Engine) unrun(ctx context.Context, caller Caller, graphID string) (*rest.StatusResponse, error) {
	spec, stored, err := e.load(ctx, caller, graphID)
	if err != nil {
		return nil, err
	}
	if stored.Kind == store.SubgraphKind {
		return nil, notWritten(spec, stored)
	}
	p, err := plan.New(spec, nil, "")
	if err != nil {
		return nil, err
	}
	if err := e.learn(ctx, caller.Tenant, p); err != nil {
		return nil, err
	}
	d := &drive{plan: p, run: store.Run{GraphID: graphID, DeploymentID: spec.DeploymentID, CreatedAt: stored.CreatedAt}}
	response := e.standing(d, execution.NewRun("", operationIDs(p)))
	response.Status = rest.StatusPlanned
	deployment, err := e.store.Deployment(ctx, caller.Tenant, spec.DeploymentID)
	if err == nil && deployment.HeadGraphID == graphID {
		response.Status = rest.StatusDiscovered
	}
	response.Next = []rest.Call{{Method: "POST", Path: "/deploy/apply", Why: "apply it: send graph_id and credentials"}}
	return response, err
}

func statusOf(d *drive, state *execution.Run) *rest.StatusResponse {
	response := &rest.StatusResponse{
		GraphID: d.run.GraphID, DeploymentID: d.run.DeploymentID, Version: d.plan.Spec.Version, Status: string(state.Status),
		CreatedAt: rest.At(d.run.CreatedAt), CompletedAt: rest.At(state.EndedAt), RunID: d.run.ID,
		ExecGraphID: d.run.ExecGraphID, Kind: string(d.run.Kind), Mode: rest.Mode(d.mode(state)), StartedBy: d.run.StartedBy,
		EventVersion: state.Version, Counts: counts(state), Warnings: d.options.Warnings, Next: nextOf(d, state),
		SpecGraphRef: rest.GraphRef{Namespace: "deploy-service", GraphID: d.run.GraphID},
		Operations:   make([]rest.OperationStatus, len(d.plan.Operations)),
		Composites:   compositeStatuses(d.plan, state),
	}
	done := 0.0
	for i := range d.plan.Operations {
		operation := state.Operation(d.plan.Operations[i].ID)
		response.Operations[i] = operationStatus(d, i, operation)
		switch operation.Status {
		case execution.Completed, execution.Skipped:
			done++
		case execution.Running:
			done += max(operation.Fraction, 0)
		}
	}
	if resumable(state.Status) {
		response.NextOperation = nextOperation(d, state)
	}
	if n := len(d.plan.Operations); n > 0 {
		response.Progress = done / float64(n)
	}
	return response
}

func operationStatus(d *drive, i int, operation *execution.Operation) rest.OperationStatus {
	status := rest.OperationStatus{
		OperationSummary: summary(d.plan, i), SpecNodeID: d.plan.Operations[i].Node.NodeID, SpecGraphID: d.plan.Spec.GraphID,
		Status: string(operation.Status), StartedAt: rest.At(operation.StartedAt), CompletedAt: rest.At(operation.CompletedAt),
		Outputs: operation.Outputs, TagsApplied: operation.Labels, ProviderRequestID: operation.RequestID,
		Outcome: string(operation.Outcome), IntentOpen: operation.IntentOpen, Attempt: operation.Attempt,
		Identity: operation.Identity, Change: string(operation.Change), Fraction: max(operation.Fraction, 0),
		Message: operation.Message, RetryAt: rest.At(operation.RetryAt), Checks: checksOf(operation.Checks),
	}
	if !operation.CompletedAt.IsZero() {
		status.DurationSeconds = operation.CompletedAt.Sub(operation.StartedAt).Seconds()
	}
	blame(&status.OperationSummary, operation.Error)
	return status
}
