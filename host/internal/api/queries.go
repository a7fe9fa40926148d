package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// GraphPath, GraphRun and ListPage are embedded in other inputs; huma sees embedded types only when they are exported.
type GraphPath struct {
	GraphID string `path:"graph_id" doc:"The spec graph's id" example:"5bec1234"`
}

// GraphRun names a graph, and a run of it.
type GraphRun struct {
	GraphPath
	Run string `query:"run" doc:"A run of the graph; the latest when left out" example:"7ac40001"`
}

type nodeInput struct {
	GraphRun
	NodeID string `path:"node_id" doc:"A node's id, an operation's id, or a resource id" example:"api-lambda"`
}

type runInput struct {
	RunID string `path:"run_id" doc:"The run's id" example:"7ac40001"`
}

// ListPage names a part of a list.
type ListPage struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many at most"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}

func (in ListPage) query() rest.ListQuery { return rest.ListQuery{Limit: in.Limit, Cursor: in.Cursor} }

type runsInput struct {
	ListPage
	DeploymentID string    `query:"deployment_id" doc:"Runs of this deployment only"`
	GraphID      string    `query:"graph_id" doc:"Runs of this spec graph only"`
	Kind         string    `query:"kind" enum:"apply,destroy,verify,move,rollback" doc:"Runs of this kind only"`
	Status       string    `query:"status" enum:"queued,running,completed,failed,paused,cancelling,cancelled,interrupted" doc:"Runs with this status only"`
	Since        time.Time `query:"since" doc:"Runs created at or after this time only"`
}

func get(id, path, tag, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{tag}}
}

func (s *server) registerQueries() {
	query(s, route{
		Operation: get("status", "/deploy/status/{graph_id}", "deploy", "Say how a deployment stands"),
		example:   exampleStatus(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, caller engine.Caller, in *GraphRun) (*rest.StatusResponse, error) {
		return s.Engine.Status(ctx, caller, in.GraphID, in.Run)
	})
	query(s, route{
		Operation: get("get-plan", "/deploy/plan/{graph_id}", "deploy", "Read a stored plan, to approve it"),
		example:   examplePlan(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, caller engine.Caller, in *GraphPath) (*rest.PlanResponse, error) {
		return s.Engine.StoredPlan(ctx, caller, in.GraphID)
	})
	query(s, route{
		Operation: get("get-run", "/deploy/runs/{run_id}", "deploy", "Read the result of a run, finished or not"),
		example:   exampleRun(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, caller engine.Caller, in *runInput) (*rest.RunResult, error) {
		return s.Engine.Result(ctx, caller, in.RunID)
	})
	query(s, route{
		Operation: get("list-runs", "/deploy/runs", "deploy", "List runs, newest first"), example: exampleRuns(),
	}, func(ctx context.Context, caller engine.Caller, in *runsInput) (*rest.RunList, error) {
		return s.Engine.Runs(ctx, caller, rest.RunsQuery{
			DeploymentID: in.DeploymentID, GraphID: in.GraphID, Kind: in.Kind, Status: in.Status, Since: rest.At(in.Since), ListQuery: in.query(),
		})
	})
	query(s, route{
		Operation: get("list-deployments", "/deployments", "deploy", "List deployments, newest first"), example: exampleDeployments(),
	}, func(ctx context.Context, caller engine.Caller, in *ListPage) (*rest.DeploymentList, error) {
		return s.Engine.Deployments(ctx, caller, in.query())
	})
	s.registerHistory()
	s.registerForget()
	s.registerNodeQueries()
	s.registerGraph()
}

func (s *server) registerNodeQueries() {
	query(s, route{
		Operation: get("logs", "/deploy/logs/{graph_id}/{node_id}", "deploy", "Read what a node's operations logged"),
		example:   exampleLogs(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, caller engine.Caller, in *nodeInput) (*rest.LogList, error) {
		return s.Engine.Logs(ctx, caller, in.GraphID, in.Run, in.NodeID)
	})
	query(s, route{
		Operation: get("outputs", "/deploy/outputs/{graph_id}/{node_id}", "deploy", "Read what a node's operations gave out"),
		example:   exampleOutputs(), errors: []rest.Kind{rest.KindNotFound},
	}, func(ctx context.Context, caller engine.Caller, in *nodeInput) (*rest.OutputList, error) {
		return s.Engine.Outputs(ctx, caller, in.GraphID, in.Run, in.NodeID)
	})
}

type viewInput struct {
	GraphRun
	View   string `query:"view" enum:"spec,execution" default:"spec" doc:"What to deploy, or what happened"`
	Format string `query:"format" enum:"json,mgraph,dot,mermaid" default:"json" doc:"mgraph is what the mgraph-db library and the Graph Service load; dot and mermaid are pictures as text"`
}

// graphOutput is JSON, or text with its own content type.
type graphOutput struct {
	ContentType string `header:"Content-Type"`
	Body        any
}

func (s *server) registerGraph() {
	operation := get("graph", "/deploy/graph/{graph_id}", "deploy", "Read the spec graph, or the execution graph of a run")
	operation.Metadata = map[string]any{metaProduces: []string{"application/json", "text/plain", "text/vnd.graphviz"}}
	handle(s, route{Operation: operation, example: exampleGraph(), errors: []rest.Kind{rest.KindNotFound}},
		func(ctx context.Context, caller engine.Caller, in *viewInput) (*graphOutput, error) {
			view, err := s.Engine.Graph(ctx, caller, in.GraphID, in.Run, in.View)
			if err != nil {
				return nil, err
			}
			return drawn(view, in.Format)
		})
}

// drawn brings a graph into the format asked for.
func drawn(view *engine.GraphView, format string) (*graphOutput, error) {
	switch format {
	case "mgraph":
		text, err := view.MGraph()
		return &graphOutput{"application/json", json.RawMessage(text)}, err
	case "dot":
		return &graphOutput{"text/vnd.graphviz; charset=utf-8", view.DOT()}, nil
	case "mermaid":
		return &graphOutput{"text/plain; charset=utf-8", view.Mermaid()}, nil
	default:
		return &graphOutput{"application/json", view.Value}, nil
	}
}
