package rest

import "encoding/json"

// History answers GET /deploy/history/{deploy_id}: every spec graph of a deployment, newest first, with its runs.
type History struct {
	DeploymentID string `json:"deployment_id"`
	// HeadGraphID is the spec graph that was last applied, empty before.
	HeadGraphID string `json:"head_graph_id"`
	HeadVersion string `json:"head_version"`
	// Destroyed: what the deployment made was deleted.
	Destroyed bool                 `json:"destroyed"`
	Versions  List[HistoryVersion] `json:"versions"`
	// NextCursor is empty on the last page.
	NextCursor string `json:"next_cursor"`
}

// HistoryVersion is one spec graph of a deployment.
type HistoryVersion struct {
	GraphID string `json:"graph_id"`
	Version string `json:"version"`
	// Kind is deployment for what a caller posted; else the kind of the run that it was derived for, such as destroy.
	Kind string `json:"kind"`
	// Head: this is the graph that was last applied.
	Head      bool   `json:"head"`
	CreatedAt Time   `json:"created_at"`
	CreatedBy string `json:"created_by,omitempty"`
	// Runs are those of this graph, newest first.
	Runs List[HistoryRun] `json:"runs"`
	// MoreRuns: there are older ones, listed by GET /deploy/runs?graph_id=.
	MoreRuns bool `json:"more_runs,omitempty"`
}

// HistoryRun is one run, who started it, and how far it came.
type HistoryRun struct {
	RunSummary
	Counts
	// PlanGraphID is the derived graph whose operations it ran, empty where it ran those of its own graph.
	PlanGraphID string `json:"plan_graph_id,omitempty"`
}

// Comparison answers GET /deploy/compare: what is different between two spec graphs of a deployment.
type Comparison struct {
	DeploymentID string       `json:"deployment_id"`
	From         ComparedSide `json:"from"`
	To           ComparedSide `json:"to"`
	Added        int          `json:"added"`
	Removed      int          `json:"removed"`
	Changed      int          `json:"changed"`
	Unchanged    int          `json:"unchanged"`
	// Resources are those of `to` in its order, and then those that only `from` has.
	Resources List[ResourceComparison] `json:"resources"`
	// Differences are those of the graph as a whole: version, timeout_seconds and the provider versions it is pinned to.
	Differences List[Difference] `json:"differences"`
}

// ComparedSide is one of two graphs that are compared.
type ComparedSide struct {
	GraphID   string `json:"graph_id"`
	Version   string `json:"version"`
	CreatedAt Time   `json:"created_at"`
	CreatedBy string `json:"created_by,omitempty"`
}

// ResourceComparison says what became of one resource.
type ResourceComparison struct {
	ResourceID   string `json:"resource_id"`
	ResourceType string `json:"resource_type"`
	// Change is added, removed, changed or unchanged.
	Change string `json:"change"`
	// Differences have pointers into the resource as the spec graph shows it.
	Differences List[Difference] `json:"differences"`
}

// Difference is one value that is not the same. Before is left out where there was none, After where there is none.
type Difference struct {
	Pointer string          `json:"pointer"`
	Before  json.RawMessage `json:"before,omitempty"`
	After   json.RawMessage `json:"after,omitempty"`
	// Sealed: the value is a secret, so that only its being another one is told.
	Sealed bool `json:"sealed,omitempty"`
	// Unknown: whether the secret is another one cannot be told, because it was not opened when one of the graphs was made.
	Unknown bool `json:"unknown,omitempty"`
}
