package api

import (
	"context"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// Engine is what the API asks for. Its errors are *engine.Error where the caller is to know the reason.
type Engine interface {
	Commands
	Queries
	Catalog
	// Ready fails while requests cannot be taken.
	Ready(ctx context.Context) error
	SystemStatus(ctx context.Context) (*rest.SystemStatus, error)
}

// Commands change something. Each returns when the run is stored and started.
type Commands interface {
	PlanOnce(ctx context.Context, caller engine.Caller, command engine.Command, request *rest.PlanRequest) (*rest.PlanResponse, error)
	// Once begins what begin does, or finds what the same command came to before.
	Once(ctx context.Context, caller engine.Caller, command engine.Command,
		begin func(context.Context, engine.Caller) (*rest.RunResult, error)) (*rest.RunResult, error)
	// Apply answers without a run id for a dry run.
	Apply(ctx context.Context, caller engine.Caller, request *rest.ApplyRequest) (*rest.RunResult, error)
	// Continue goes on with a run that stopped, Cancel ends one for good.
	Continue(ctx context.Context, caller engine.Caller, request *rest.ContinueRequest) (*rest.RunResult, error)
	Cancel(ctx context.Context, caller engine.Caller, request *rest.CancelRequest) (*rest.RunResult, error)
	Move(ctx context.Context, caller engine.Caller, request *rest.MoveRequest) (*rest.RunResult, error)
	CommitMove(ctx context.Context, caller engine.Caller, graphID string, request *rest.MoveEndRequest) (*rest.RunResult, error)
	DiscardMove(ctx context.Context, caller engine.Caller, graphID string, request *rest.MoveEndRequest) (*rest.RunResult, error)
	Destroy(ctx context.Context, caller engine.Caller, request *rest.DestroyRequest) (*rest.RunResult, error)
	Rollback(ctx context.Context, caller engine.Caller, request *rest.RollbackRequest) (*rest.RunResult, error)
	Verify(ctx context.Context, caller engine.Caller, request *rest.VerifyRequest) (*rest.RunResult, error)
	// Discover changes nothing outside.
	Discover(ctx context.Context, caller engine.Caller, request *rest.DiscoverRequest) (*rest.DiscoverResponse, error)
	// Forget deletes the records of a deployment that is destroyed.
	Forget(ctx context.Context, caller engine.Caller, deploymentID string) error
	// Wait returns when the run is final or waits for a person, or with the context's error.
	Wait(ctx context.Context, caller engine.Caller, runID string) error
}

// Queries read what is stored. An empty runID means the graph's latest run.
type Queries interface {
	Result(ctx context.Context, caller engine.Caller, runID string) (*rest.RunResult, error)
	Status(ctx context.Context, caller engine.Caller, graphID, runID string) (*rest.StatusResponse, error)
	Runs(ctx context.Context, caller engine.Caller, query rest.RunsQuery) (*rest.RunList, error)
	History(ctx context.Context, caller engine.Caller, deploymentID string, query rest.ListQuery) (*rest.History, error)
	Compare(ctx context.Context, caller engine.Caller, from, to string) (*rest.Comparison, error)
	Deployments(ctx context.Context, caller engine.Caller, query rest.ListQuery) (*rest.DeploymentList, error)
	StoredPlan(ctx context.Context, caller engine.Caller, graphID string) (*rest.PlanResponse, error)
	// Graph gives the view "spec" or "execution".
	Graph(ctx context.Context, caller engine.Caller, graphID, runID, view string) (*engine.GraphView, error)
	EventsOf
	Logs(ctx context.Context, caller engine.Caller, graphID, runID, node string) (*rest.LogList, error)
	Outputs(ctx context.Context, caller engine.Caller, graphID, runID, node string) (*rest.OutputList, error)
}

// EventsOf follows a run from behind an event id.
type EventsOf interface {
	Events(ctx context.Context, caller engine.Caller, graphID, runID, after string) (*engine.EventStream, error)
}

// Catalog says what can be deployed.
type Catalog interface {
	Providers(ctx context.Context) ([]rest.ProviderStatus, error)
	Provider(ctx context.Context, name string) (*rest.ProviderStatus, error)
	Reload(ctx context.Context, caller engine.Caller) ([]rest.ProviderStatus, error)
	ResourceTypes(ctx context.Context) ([]rest.ResourceTypeSummary, error)
	ResourceType(ctx context.Context, name string) (*rest.ResourceType, error)
	PublicKeys(ctx context.Context, caller engine.Caller, provider string) (*rest.PublicKeys, error)
}

var _ Engine = (*engine.Engine)(nil)

// Keys are the API keys on record: store.Registry has them.
type Keys interface {
	CreateKey(ctx context.Context, key store.APIKey) error
	KeyByHash(ctx context.Context, hash string) (store.APIKey, error)
	Keys(ctx context.Context) ([]store.APIKey, error)
	RevokeKey(ctx context.Context, tenant, name string) error
}
