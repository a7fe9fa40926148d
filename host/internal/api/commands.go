package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// runOutput answers what was started: with the result, or where it will be.
type runOutput struct {
	Status            int
	Location          string `header:"Location" doc:"Where the run's result is, when the status is 202"`
	PreferenceApplied string `header:"Preference-Applied"`
	Body              *rest.RunResult
}

var commandErrors = []rest.Kind{
	rest.KindMalformed, rest.KindNotFound, rest.KindConflict, rest.KindTooLarge, rest.KindUnsupportedMedia,
	rest.KindInvalid, rest.KindTooMany, rest.KindUnavailable,
}

func deployOperation(id, path, summary, description string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Description: description,
		Tags: []string{"deploy"},
	}
}

func (s *server) registerDeploy() {
	command(s, route{
		Operation: deployOperation("plan", "/deploy/plan", "Validate a deployment and say what it would do",
			"Nothing is stored unless `validate_only` is false. A config that decodes and breaks rules answers 200 with "+
				"`success: false` and every problem at once. With credentials, each provider opens what is sealed to it, and says "+
				"for each operation what would really change: `action`, `changes`, `permissions`. With `graph_id` in place of "+
				"`config`, a stored plan is asked about again."),
		request: examplePlanRequest(), example: examplePlan(), errors: commandErrors,
	}, func(ctx context.Context, caller engine.Caller, body *rest.PlanRequest, in *Keyed) (*output[*rest.PlanResponse], error) {
		plan, err := s.Engine.PlanOnce(ctx, caller, in.command(ctx, body), body)
		return &output[*rest.PlanResponse]{Body: plan}, err
	})
	start(s, route{
		Operation: deployOperation("apply", "/deploy/apply", "Deploy, or go on with a deployment that stopped",
			"With `config`, a new spec graph is stored and run. With `graph_id`, the stored graph is run, or its run goes on "+
				"where it stopped. A deployment that ran and failed is a 200 with `success: false`."),
		request: exampleApplyRequest(), example: exampleRun(), errors: commandErrors,
	}, s.Engine.Apply)
	s.registerSteering()
	s.registerMove()
	start(s, route{
		Operation: deployOperation("destroy", "/deploy/destroy", "Delete all that a deployment made",
			"In reverse order of the dependencies. What is gone already is a success; what this deployment did not make is "+
				"reported in `left_over` and stays."),
		request: exampleDestroyRequest(), example: exampleDestroyed(), errors: commandErrors,
	}, s.Engine.Destroy)
	start(s, route{
		Operation: deployOperation("rollback", "/deploy/rollback", "Take back what the latest run changed",
			"In reverse order: what the run made is deleted, what it changed or deleted is brought back by the record that its "+
				"provider wrote before. Where not all can be taken back the answer is 409 and names what stays, before anything is "+
				"done; `force` takes back the rest. When it completes, the graph that was the head before is the head again."),
		request: exampleRollbackRequest(), example: exampleRolledBack(), errors: commandErrors,
	}, s.Engine.Rollback)
	start(s, route{
		Operation: deployOperation("verify", "/deploy/verify", "Compare what exists with what was deployed",
			"Changes nothing. `checks` has the comparisons by operation; one that fails makes `success` false."),
		request: exampleVerifyRequest(), example: exampleVerified(), errors: commandErrors,
	}, s.Engine.Verify)
}

// registerSteering registers what a run at work, or one that stopped, can be told.
func (s *server) registerSteering() {
	start(s, route{
		Operation: deployOperation("continue", "/deploy/continue", "Go on with a run that is paused, failed or was interrupted",
			"From exactly where it stands, on any host, with fresh credentials. What pause edges hold is released: all of it, or what "+
				"`from_node` names. `skip`, `unskip` and `retry` name operations by node id, operation id or resource id, and are "+
				"committed together with the going on. A 422 names the sealed properties that are needed again. A run that is "+
				"completed is answered with its result."),
		request: exampleContinueRequest(), example: exampleRun(), errors: commandErrors,
	}, s.Engine.Continue)
	start(s, route{
		Operation: deployOperation("cancel", "/deploy/cancel", "End a run for good",
			"Nothing new starts. Calls in flight may finish for the length of the grace, and are then broken off; each of those "+
				"operations is asked how it ended while the credentials are still held. What stays open has failed, and is listed in "+
				"`unsettled`. A run that no host is at work on is cancelled at once. Cancelling twice changes nothing."),
		request: exampleCancelRequest(), example: exampleCancelled(), errors: commandErrors,
	}, s.Engine.Cancel)
}

// start registers a route that starts a run.
func start[B any](s *server, r route, begin func(context.Context, engine.Caller, *B) (*rest.RunResult, error)) {
	r.long = true
	command(s, r, func(ctx context.Context, caller engine.Caller, body *B, in *startInput) (*runOutput, error) {
		return s.once(ctx, caller, in.command(ctx, body), in.Prefer, func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
			return begin(ctx, caller, body)
		})
	})
}

// once starts a run, unless the command was given before.
func (s *server) once(ctx context.Context, caller engine.Caller, command engine.Command, prefer []string,
	begin func(context.Context, engine.Caller) (*rest.RunResult, error),
) (*runOutput, error) {
	started, err := s.Engine.Once(ctx, caller, command, begin)
	if err != nil {
		return nil, err
	}
	return s.finish(ctx, caller, started, preferenceOf(prefer))
}

// finish waits for the run as long as the caller would like to. The run does not depend on it.
func (s *server) finish(ctx context.Context, caller engine.Caller, started *rest.RunResult, wanted preference) (*runOutput, error) {
	if stands(started) {
		return &runOutput{Status: http.StatusOK, Body: started}, nil
	}
	if wanted.async && wanted.wait <= 0 || wanted.wait == 0 {
		return accepted(started, wanted), nil
	}
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if wanted.wait > 0 {
		waiting, cancel = context.WithTimeout(ctx, wanted.wait)
	}
	defer cancel()
	waitErr := s.Engine.Wait(waiting, caller, started.RunID)
	if waitErr != nil && !errors.Is(waitErr, context.DeadlineExceeded) {
		return nil, waitErr
	}
	result, err := s.Engine.Result(ctx, caller, started.RunID)
	if err != nil {
		return nil, err
	}
	if stands(result) {
		return &runOutput{Status: http.StatusOK, PreferenceApplied: wanted.applied(), Body: result}, nil
	}
	return accepted(result, wanted), nil
}

func accepted(run *rest.RunResult, wanted preference) *runOutput {
	return &runOutput{
		Status: http.StatusAccepted, Location: "/deploy/runs/" + run.RunID, PreferenceApplied: wanted.applied(), Body: run,
	}
}

// stands says that nobody is at work on the run: it is final, or waits for a person; a dry run never was one.
func stands(run *rest.RunResult) bool {
	return run.RunID == "" || !rest.ActiveStatus(run.Status)
}
