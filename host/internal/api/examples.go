package api

import (
	"encoding/json"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// The examples tell one story: a role and a function that uses it, deployed, verified and destroyed. Tests hold each against
// the schema of its route.
const (
	exampleGraphID  = "5bec1234"
	exampleRunID    = "7ac40001"
	exampleExecID   = "e8ec5678"
	exampleRole     = "1111aaaa"
	exampleFunction = "2222bbbb"
	exampleBox      = "base64-of-a-sealed-envelope"
	exampleID       = "my-app-prod"
	exampleArn      = "arn:aws:lambda:us-east-1:123456789012:function:my-app-api-2222bbbb"
)

func exampleTime(second int) rest.Time {
	return rest.At(time.Date(2026, 1, 2, 3, 4, second, 0, time.UTC))
}

func exampleCredentials() rest.Credentials {
	return rest.Credentials{"aws": json.RawMessage(
		`{"access_key_id":"AKIAIOSFODNN7EXAMPLE","encrypted_secret_access_key":"` + exampleBox + `","region":"us-east-1"}`)}
}

func exampleConfig() *rest.Config {
	return &rest.Config{
		DeploymentID: exampleID, Version: "v1.2.3", Credentials: exampleCredentials(),
		Targets: []rest.Target{{Provider: "aws", Regions: []string{"us-east-1"}}},
		Resources: rest.Resources{
			{ID: "execution-role", Definition: rest.Resource{Type: "aws:iam:role", Operation: "ensure", Properties: json.RawMessage(
				`{"role_name":"my-app-lambda-role","assume_role_policy":{"Version":"2012-10-17","Statement":[]}}`)}},
			{ID: "api-lambda", Definition: rest.Resource{Type: "aws:lambda:function", Operation: "ensure", Properties: json.RawMessage(
				`{"function_name":"my-app-api","runtime":"python3.12","handler":"main.run","code_s3_bucket":"my-code","code_s3_key":"code.zip"}`),
				References: map[string]string{"role": "execution-role"}, Tags: map[string]string{"team": "web"}}},
		},
	}
}

func examplePlanRequest() *rest.PlanRequest { return &rest.PlanRequest{Config: exampleConfig()} }

func exampleApplyRequest() *rest.ApplyRequest {
	return &rest.ApplyRequest{Config: exampleConfig(), Mode: rest.ModeFull}
}

func exampleDestroyRequest() *rest.DestroyRequest {
	return &rest.DestroyRequest{DeploymentID: exampleID, GraphID: exampleGraphID, Credentials: exampleCredentials()}
}

func exampleVerifyRequest() *rest.VerifyRequest {
	return &rest.VerifyRequest{GraphID: exampleGraphID, Credentials: exampleCredentials()}
}

func exampleContinueRequest() *rest.ContinueRequest {
	return &rest.ContinueRequest{
		GraphID: exampleGraphID, Credentials: exampleCredentials(), FromNode: "api-lambda", Skip: []string{"smoke-test"}, Mode: rest.ModeFull,
	}
}

func exampleCancelRequest() *rest.CancelRequest {
	grace := 10.0
	return &rest.CancelRequest{RunID: exampleRunID, GraceSeconds: &grace}
}

func exampleRollbackRequest() *rest.RollbackRequest {
	return &rest.RollbackRequest{GraphID: exampleGraphID, Credentials: exampleCredentials()}
}

func exampleOperations() []rest.OperationSummary {
	return []rest.OperationSummary{
		{ID: exampleRole, NodeID: exampleRole, ResourceID: "execution-role", ResourceType: "aws:iam:role", Operation: "ensure",
			Name: "my-app-lambda-role-1111aaaa", EstimatedSeconds: 10},
		{ID: exampleFunction, NodeID: exampleFunction, ResourceID: "api-lambda", Region: "us-east-1", ResourceType: "aws:lambda:function",
			Operation: "ensure", Name: "my-app-api-2222bbbb", DependsOn: []string{exampleRole}, EstimatedSeconds: 8},
	}
}

func examplePlan() *rest.PlanResponse {
	groups := [][]string{{exampleRole}, {exampleFunction}}
	operations := exampleOperations()
	operations[0].Action = rest.ActionNoOp
	operations[1].Action, operations[1].Permissions = rest.ActionUpdate, []string{"lambda:UpdateFunctionConfiguration"}
	operations[1].Changes = []rest.PropertyChange{{
		Pointer: "/memory_size", Before: json.RawMessage("128"), After: json.RawMessage("256"),
	}}
	return &rest.PlanResponse{
		Success: true, DeploymentID: exampleID, Version: "v1.2.3", SpecGraphID: exampleGraphID, Operations: operations,
		ParallelGroups: groups, Groups: groups, EstimatedTime: 18, CredentialsChecked: true, ProvidersAsked: true,
		Actions:   map[string]int{rest.ActionNoOp: 1, rest.ActionUpdate: 1},
		Providers: map[string]rest.PinnedProvider{"aws": {Version: "0.1.0"}},
		Next:      []rest.Call{{Method: "POST", Path: "/deploy/apply", Why: "run this plan, by its graph_id"}},
	}
}

func exampleOutputMap() map[string]json.RawMessage {
	return map[string]json.RawMessage{exampleFunction: json.RawMessage(`{"arn":"` + exampleArn + `"}`)}
}

func exampleRun() *rest.RunResult {
	return &rest.RunResult{
		Success: true, GraphID: exampleGraphID, Status: rest.RunCompleted, RunID: exampleRunID, ExecGraphID: exampleExecID,
		DeploymentID: exampleID, Version: "v1.2.3", Kind: "apply", Mode: rest.ModeFull, StartedBy: "pipeline",
		StartedAt: exampleTime(5), CompletedAt: exampleTime(23), DurationSeconds: 18,
		Counts: rest.Counts{Total: 2, Completed: 2, Changed: 2}, Outputs: exampleOutputMap(),
		Changes: map[string]string{exampleRole: "created", exampleFunction: "created"},
		Next: []rest.Call{
			{Method: "POST", Path: "/deploy/verify", Why: "compare what exists with what was deployed"},
			{Method: "POST", Path: "/deploy/destroy", Why: "delete it again"},
		},
	}
}

func exampleVerified() *rest.RunResult {
	run := exampleRun()
	run.Kind, run.Changes, run.Changed, run.Unchanged = "verify", nil, 0, 2
	run.Checks = map[string][]rest.Check{exampleFunction: {
		{Name: "exists", Status: "pass"}, {Name: "memory_size", Status: "pass", Expected: "256", Actual: "256"},
	}}
	return run
}

func exampleCancelled() *rest.RunResult {
	run, operations := exampleRun(), exampleOperations()
	run.Success, run.Status, run.Outputs = false, rest.RunCancelled, nil
	run.Changes, run.Counts = map[string]string{exampleRole: "created"}, rest.Counts{Total: 2, Completed: 1, Failed: 1, Changed: 1}
	open := operations[1]
	open.Error, open.ErrorType = "the run was cancelled before this was brought to an end", "cancelled"
	run.FailedOperation, run.Unsettled = &open, []rest.OperationSummary{open}
	return run
}

func exampleDestroyed() *rest.RunResult {
	run := exampleRun()
	run.Kind, run.Outputs = "destroy", nil
	run.Changes = map[string]string{exampleRole: "deleted", exampleFunction: "deleted"}
	run.Next = nil
	return run
}

func exampleRolledBack() *rest.RunResult {
	run := exampleRun()
	run.Kind, run.RunID, run.Undoes = "rollback", "7ac40002", exampleRunID
	run.Changes = map[string]string{exampleRole: "updated", exampleFunction: "deleted"}
	run.Outputs, run.Next = nil, run.Next[:1]
	return run
}

func exampleStatus() *rest.StatusResponse {
	operations := exampleOperations()
	return &rest.StatusResponse{
		GraphID: exampleGraphID, DeploymentID: exampleID, Version: "v1.2.3", Status: rest.RunRunning, CreatedAt: exampleTime(4),
		Operations: []rest.OperationStatus{
			{OperationSummary: operations[0], SpecNodeID: exampleRole, SpecGraphID: exampleGraphID, Status: "completed",
				StartedAt: exampleTime(5), CompletedAt: exampleTime(15), DurationSeconds: 10, Outcome: "APPLIED", Attempt: 1, Change: "created"},
			{OperationSummary: operations[1], SpecNodeID: exampleFunction, SpecGraphID: exampleGraphID, Status: "running",
				StartedAt: exampleTime(15), IntentOpen: true, Attempt: 1, Fraction: 0.5, Message: "waiting for the function to become active"},
		},
		SpecGraphRef: rest.GraphRef{Namespace: "deploy-service", GraphID: exampleGraphID},
		RunID:        exampleRunID, ExecGraphID: exampleExecID, Kind: "apply", Mode: rest.ModeFull, StartedBy: "pipeline",
		EventVersion: 6, Progress: 0.75, EstimatedRemaining: 6.5, Counts: rest.Counts{Total: 2, Completed: 1, Running: 1, Changed: 1},
		Next: []rest.Call{{Method: "GET", Path: "/deploy/events/" + exampleGraphID, Why: "follow the run"}},
	}
}

func exampleRuns() *rest.RunList {
	return &rest.RunList{Runs: []rest.RunSummary{{
		RunID: exampleRunID, GraphID: exampleGraphID, ExecGraphID: exampleExecID, DeploymentID: exampleID, Kind: "apply",
		Mode: rest.ModeFull, Status: rest.RunCompleted, StartedBy: "pipeline", CreatedAt: exampleTime(4), UpdatedAt: exampleTime(23),
		CompletedAt: exampleTime(23),
	}}}
}

func exampleDeployments() *rest.DeploymentList {
	return &rest.DeploymentList{Deployments: []rest.DeploymentSummary{{
		DeploymentID: exampleID, HeadGraphID: exampleGraphID, HeadVersion: "v1.2.3",
		Accounts: map[string]string{"aws": "123456789012"}, CreatedAt: exampleTime(4), UpdatedAt: exampleTime(23),
	}}}
}

func exampleLogs() *rest.LogList {
	return &rest.LogList{GraphID: exampleGraphID, RunID: exampleRunID, Lines: []rest.LogLine{
		{Operation: exampleFunction, At: exampleTime(16), Level: "info", Message: "function created"},
	}}
}

func exampleOutputs() *rest.OutputList {
	return &rest.OutputList{GraphID: exampleGraphID, RunID: exampleRunID, Outputs: exampleOutputMap()}
}

func exampleGraph() *map[string]any {
	return &map[string]any{
		"graph_id": exampleGraphID, "deployment_id": exampleID, "version": "v1.2.3",
		"nodes": []any{map[string]any{"node_id": exampleRole, "resource_id": "execution-role", "resource_type": "aws:iam:role"}},
		"edges": []any{map[string]any{
			"edge_id": "3333cccc", "from_node_id": exampleRole, "to_node_id": exampleFunction, "edge_type": "dependency",
		}},
	}
}

func exampleEvents() *rest.EventPage {
	id := rest.EventID(exampleRunID, 6)
	return &rest.EventPage{RunID: exampleRunID, After: id, Events: []rest.Event{{
		ID: id, RunID: exampleRunID, Version: 6, At: exampleTime(16), Kind: rest.EventProgress, Operation: exampleFunction,
		ResourceID: "api-lambda", Region: "us-east-1", Fraction: 0.5, Message: "waiting for the function to become active",
	}}}
}

func examplePublicKeys() *rest.PublicKeys {
	return &rest.PublicKeys{
		Provider: "aws", Audience: DefaultTenant, PublicKey: rest.PublicKey{
			PublicKey:       "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
			PublicKeyBase64: "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=",
			Algorithm:       "NaCl/Curve25519/SealedBox", KeyID: "0f3e9a5d2b7c4186",
		},
	}
}

func exampleProvider() *rest.ProviderStatus {
	return &rest.ProviderStatus{
		Name: "aws", Version: "0.1.0", Status: "ready", Default: true, StartedAt: exampleTime(0), Capabilities: []string{"plan", "expand", "rollback"},
		ResourceTypes: []string{"aws:iam:role", "aws:lambda:function"}, KeyID: "0f3e9a5d2b7c4186",
	}
}

func exampleProviders() *rest.ProviderList {
	return &rest.ProviderList{Providers: []rest.ProviderStatus{*exampleProvider()}}
}

func exampleTypeSummary() rest.ResourceTypeSummary {
	return rest.ResourceTypeSummary{
		Type: "aws:s3:bucket", Provider: "aws", ProviderVersion: "0.1.0", Summary: "An S3 bucket", Placement: "regional",
		Operations: []string{"create", "update", "ensure", "delete", "verify"},
	}
}

func exampleTypes() *rest.ResourceTypeList {
	return &rest.ResourceTypeList{ResourceTypes: []rest.ResourceTypeSummary{exampleTypeSummary()}}
}

func exampleType() *rest.ResourceType {
	return &rest.ResourceType{
		ResourceTypeSummary: exampleTypeSummary(),
		Schema:              json.RawMessage(`{"type":"object","properties":{"bucket_name":{"type":"string"}},"required":["bucket_name"]}`),
		Identifying:         []string{"/bucket_name"},
		Outputs:             []rest.OutputField{{Name: "arn", Summary: "The bucket's ARN"}, {Name: "name"}},
		SelfOutput:          "arn", Discovery: "name", SettleSeconds: 5, Plans: true, Rollbacks: true,
		Verbs:  []rest.Verb{{Verb: "create", RepeatSafety: "by_name", TypicalSeconds: 2}},
		Labels: rest.LabelLimits{MaxCount: 50, MaxKeyLength: 128, MaxValueLength: 256},
		Naming: rest.Naming{Property: "/bucket_name", Separator: "-", Suffix: "node_and_region", Case: "keep", MaxLength: 63},
	}
}

func exampleSystem() *rest.SystemStatus {
	return &rest.SystemStatus{
		Name: serviceName, Version: "0.1.0", Status: "operational", Auth: string(AuthKeys), StartedAt: exampleTime(0), UptimeSeconds: 86400,
		ActiveRuns: 1, Store: rest.Component{Kind: "sqlite", Status: "ok"}, Mirror: rest.Component{Kind: "none", Status: "off"},
		Providers: []rest.ProviderStatus{*exampleProvider()},
	}
}

func exampleVersion() *rest.Version {
	return &rest.Version{Name: serviceName, Version: "0.1.0", Go: "go1.26"}
}

func exampleWhoami() *rest.Whoami {
	return &rest.Whoami{Tenant: DefaultTenant, Name: "pipeline", Role: rest.RoleTenant, Auth: string(AuthKeys)}
}

func exampleHealth() *rest.Health { return &rest.Health{Status: "ok"} }

func exampleKeyRequest() *rest.KeyRequest {
	return &rest.KeyRequest{Name: "pipeline", Tenant: DefaultTenant, Role: rest.RoleTenant}
}

func exampleKey() rest.Key {
	return rest.Key{Name: "pipeline", Tenant: DefaultTenant, Role: rest.RoleTenant, CreatedAt: exampleTime(0)}
}

func exampleCreatedKey() *rest.CreatedKey {
	return &rest.CreatedKey{Key: exampleKey(), Secret: "mgd_shown-this-once"}
}

func exampleKeys() *rest.KeyList { return &rest.KeyList{Keys: []rest.Key{exampleKey()}} }
