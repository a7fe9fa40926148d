package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

type historyInput struct {
	DeployID string `path:"deploy_id" doc:"The deployment's id" example:"my-app-prod"`
	Limit    int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many graphs at most"`
	Cursor   string `query:"cursor" doc:"next_cursor of the page before"`
}

type compareInput struct {
	From string `query:"from" required:"true" doc:"The id of the spec graph before" example:"5bec1234"`
	To   string `query:"to" required:"true" doc:"The id of the spec graph after" example:"5bec5678"`
}

func (s *server) registerHistory() {
	query(s, route{
		Operation: get("history", "/deploy/history/{deploy_id}", "deploy", "List the spec graphs of a deployment with their runs, newest first"),
		example:   exampleHistory(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, caller engine.Caller, in *historyInput) (*rest.History, error) {
		return s.Engine.History(ctx, caller, in.DeployID, rest.ListQuery{Limit: in.Limit, Cursor: in.Cursor})
	})
	query(s, route{
		Operation: get("compare", "/deploy/compare", "deploy", "Say what is different between two spec graphs of a deployment"),
		example:   exampleComparison(), errors: []rest.Kind{rest.KindNotFound, rest.KindInvalid},
	}, func(ctx context.Context, caller engine.Caller, in *compareInput) (*rest.Comparison, error) {
		return s.Engine.Compare(ctx, caller, in.From, in.To)
	})
}

type deploymentInput struct {
	DeploymentID string `path:"deployment_id" doc:"The deployment's id" example:"my-app-prod"`
}

func (s *server) registerForget() {
	operation := huma.Operation{
		OperationID: "forget", Method: http.MethodDelete, Path: "/deployments/{deployment_id}", Tags: []string{"deploy"},
		Summary: "Delete the records of a deployment that is destroyed", DefaultStatus: http.StatusNoContent,
		Description: "Its graphs, runs, events and resources. One that is not destroyed answers 409: its records say what it made.",
	}
	handle(s, route{Operation: operation, errors: []rest.Kind{rest.KindNotFound, rest.KindConflict}},
		func(ctx context.Context, caller engine.Caller, in *deploymentInput) (*none, error) {
			return &none{}, s.Engine.Forget(ctx, caller, in.DeploymentID)
		})
}

func exampleHistory() *rest.History {
	return &rest.History{
		DeploymentID: exampleID, HeadGraphID: exampleGraphID, HeadVersion: "v1.2.3",
		Versions: []rest.HistoryVersion{{
			GraphID: exampleGraphID, Version: "v1.2.3", Kind: "deployment", Head: true, CreatedAt: exampleTime(4), CreatedBy: "pipeline",
			Runs: []rest.HistoryRun{{
				RunSummary: exampleRuns().Runs[0], Counts: rest.Counts{Total: 2, Completed: 2, Changed: 2},
			}},
		}},
	}
}

func exampleComparison() *rest.Comparison {
	return &rest.Comparison{
		DeploymentID: exampleID, Changed: 1, Unchanged: 1,
		From: rest.ComparedSide{GraphID: exampleGraphID, Version: "v1.2.3", CreatedAt: exampleTime(4), CreatedBy: "pipeline"},
		To:   rest.ComparedSide{GraphID: "5bec5678", Version: "v1.2.4", CreatedAt: exampleTime(40), CreatedBy: "pipeline"},
		Resources: []rest.ResourceComparison{
			{ResourceID: "execution-role", ResourceType: "aws:iam:role", Change: "unchanged"},
			{ResourceID: "api-lambda", ResourceType: "aws:lambda:function", Change: "changed", Differences: []rest.Difference{
				{Pointer: "/properties/memory_size", Before: json.RawMessage(`128`), After: json.RawMessage(`256`)},
			}},
		},
		Differences: []rest.Difference{
			{Pointer: "/version", Before: json.RawMessage(`"v1.2.3"`), After: json.RawMessage(`"v1.2.4"`)},
		},
	}
}
