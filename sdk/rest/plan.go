package rest

import "encoding/json"

// Mode is how a run goes.
type Mode string

// The modes. STEP runs one operation and pauses; DRY_RUN stores and runs nothing.
const (
	ModeFull   Mode = "FULL"
	ModeStep   Mode = "STEP"
	ModeDryRun Mode = "DRY_RUN"
)

// Modes lists every mode.
func Modes() []Mode { return []Mode{ModeFull, ModeStep, ModeDryRun} }

// PlanRequest is the body of POST /deploy/plan. With graph_id in place of config, a stored plan is asked about again.
type PlanRequest struct {
	Config  *Config `json:"config,omitempty"`
	GraphID string  `json:"graph_id,omitempty"`
	// Credentials stand here when config is left out.
	Credentials Credentials `json:"credentials,omitempty"`
	// ValidateOnly is true unless said otherwise: nothing is stored, and no spec_graph_id is given.
	ValidateOnly *bool `json:"validate_only,omitempty"`
	// Only limits the plan to these resource ids and what they need.
	Only []string `json:"only,omitempty"`
	// SealedProperties are boxes by pointer ("/resources/x/properties/y"), for values that config leaves out.
	SealedProperties map[string]string `json:"sealed_properties,omitempty"`
}

// Stores says that the plan is to be kept.
func (r *PlanRequest) Stores() bool { return r.ValidateOnly != nil && !*r.ValidateOnly }

// PlanResponse answers POST /deploy/plan and GET /deploy/plan/{graph_id}. A config that decodes and is not valid gives
// Success false, with every problem.
type PlanResponse struct {
	Success      bool   `json:"success"`
	DeploymentID string `json:"deployment_id,omitempty"`
	Version      string `json:"version,omitempty"`
	// SpecGraphID is that of the stored spec graph; empty when validate_only.
	SpecGraphID string `json:"spec_graph_id"`
	// Operations are in topological order, ties by the order of the document.
	Operations List[OperationSummary] `json:"operations"`
	// Composites are resources that stand for others, the inner ones behind those that they are in. Their operations are those of
	// their parts, and are counted once, there.
	Composites []CompositeSummary `json:"composites,omitempty"`
	// ParallelGroups are spec node ids that could run side by side, group after group; Groups are operation ids.
	ParallelGroups List[[]string] `json:"parallel_groups"`
	Groups         List[[]string] `json:"groups"`
	// EstimatedTime is in seconds: the critical path of typical durations.
	EstimatedTime float64 `json:"estimated_time"`
	// ValidationErrors are the problems as text; Errors say the same with pointers.
	ValidationErrors List[string]     `json:"validation_errors"`
	Errors           List[FieldError] `json:"errors"`
	Warnings         List[string]     `json:"warnings"`
	// CredentialsChecked says whether the providers were asked who the caller is, and opened every sealed value.
	CredentialsChecked bool `json:"credentials_checked"`
	// ProvidersAsked says whether the providers were asked what would really change: operations then have an action.
	ProvidersAsked bool `json:"providers_asked"`
	// Actions counts operations by action; Conflicts are those that would fail as things stand.
	Actions   map[string]int `json:"actions,omitempty"`
	Conflicts int            `json:"conflicts"`
	// Providers are the versions that were picked.
	Providers map[string]PinnedProvider `json:"providers,omitempty"`
	// RunID and ExecGraphID are those of the latest run of a stored plan.
	RunID       string `json:"run_id,omitempty"`
	ExecGraphID string `json:"exec_graph_id,omitempty"`
	// Next are the calls that make sense now.
	Next List[Call] `json:"next"`
}

// Changing counts the operations that would change something, or would fail to, or may, as far as is known.
func (r *PlanResponse) Changing() int {
	changing := 0
	for _, action := range Actions() {
		if action != ActionNoOp {
			changing += r.Actions[action]
		}
	}
	return changing
}

// PinnedProvider is the provider version that every run of a spec graph uses.
type PinnedProvider struct {
	Version string `json:"version"`
	// Digest is the hex SHA-256 of the executable.
	Digest string `json:"digest,omitempty"`
}

// OperationSummary says what one operation is: a node in one region.
type OperationSummary struct {
	// ID is node_id, or node_id@region where the node has several regions.
	ID         string `json:"id"`
	NodeID     string `json:"node_id"`
	ResourceID string `json:"resource_id"`
	// Composite is the resource id of the composite that it is a part of, empty for none.
	Composite string `json:"composite,omitempty"`
	// Region is empty for a global resource.
	Region       string `json:"region"`
	ResourceType string `json:"resource_type"`
	// Operation is the verb: create, update, ensure, delete, verify.
	Operation string `json:"operation"`
	// Name is the physical name, where the type has one.
	Name string `json:"name,omitempty"`
	// ExecNodeID is its id in the execution graph; empty in a plan.
	ExecNodeID string `json:"exec_node_id,omitempty"`
	// DependsOn are ids of operations that it waits for.
	DependsOn List[string] `json:"depends_on"`
	// EstimatedSeconds is what it usually takes.
	EstimatedSeconds float64 `json:"estimated_seconds,omitempty"`
	// Action is what would really happen, as the provider says: create, update, replace, no_op, delete, conflict, or unknown
	// where it could not tell. Empty where it was not asked.
	Action string `json:"action,omitempty"`
	// ActionReason says why there is a conflict, or why the action is not known.
	ActionReason string `json:"action_reason,omitempty"`
	// Changes are the properties that would change.
	Changes []PropertyChange `json:"changes,omitempty"`
	// Permissions are the vendor's that it will need.
	Permissions []string `json:"permissions,omitempty"`
	// Undoes is the operation, of the run that is rolled back, that this one takes back.
	Undoes string `json:"undoes,omitempty"`
	// Error, ErrorType and Diagnostic are set where a failed operation is told about.
	Error      string      `json:"error,omitempty"`
	ErrorType  string      `json:"error_type,omitempty"`
	Diagnostic *Diagnostic `json:"diagnostic,omitempty"`
}

// The actions of a planned operation.
const (
	ActionCreate   = "create"
	ActionUpdate   = "update"
	ActionReplace  = "replace"
	ActionNoOp     = "no_op"
	ActionDelete   = "delete"
	ActionConflict = "conflict"
	ActionUnknown  = "unknown"
)

// Actions lists every action, in the order in which they are counted out.
func Actions() []string {
	return []string{ActionCreate, ActionUpdate, ActionReplace, ActionDelete, ActionNoOp, ActionUnknown, ActionConflict}
}

// PropertyChange is one property that would change.
type PropertyChange struct {
	// Pointer leads into the resource's properties.
	Pointer string `json:"pointer"`
	// Before and After are left out where there is no value, and for a sensitive property always.
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Sensitive bool            `json:"sensitive,omitempty"`
	// KnownAfterApply: the new value comes from something that is not there yet.
	KnownAfterApply bool `json:"known_after_apply,omitempty"`
}

// CompositeSummary is a resource that its provider made others of.
type CompositeSummary struct {
	NodeID       string `json:"node_id"`
	ResourceID   string `json:"resource_id"`
	ResourceType string `json:"resource_type"`
	// Operation is the verb, of all its parts.
	Operation string `json:"operation"`
	// SubgraphID names the graph of what it consists of.
	SubgraphID string `json:"subgraph_id"`
	// Composite is the resource id of the composite that it is itself a part of, empty for none.
	Composite string `json:"composite,omitempty"`
	// Operations are the ids of those of its parts, and of theirs, in the order of the plan.
	Operations List[string] `json:"operations"`
}

// Call is a call that makes sense now.
type Call struct {
	Method string `json:"method"`
	// Path is ready to be used, ids filled in.
	Path string `json:"path"`
	Why  string `json:"why"`
}
