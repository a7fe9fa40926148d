package rest

import "context"

// MoveRequest is the body of POST /deploy/move. DeploymentID or GraphID names the deployment. With the GraphID of a move that has
// begun it goes on with that, and needs no regions.
type MoveRequest struct {
	DeploymentID string `json:"deployment_id,omitempty"`
	// GraphID is the deployment's head, or any graph of it with force; or the graph of a move that has begun.
	GraphID     string      `json:"graph_id,omitempty"`
	Credentials Credentials `json:"credentials,omitempty"`
	FromRegion  string      `json:"from_region,omitempty"`
	ToRegion    string      `json:"to_region,omitempty"`
	// ToCredentials are those of another account, by provider: all that these providers have goes there, into the same regions, or
	// from FromRegion into ToRegion where those are given.
	ToCredentials Credentials `json:"to_credentials,omitempty"`
	// DeleteAfterVerify commits the move by itself once all that it made is verified. Without it the run pauses there.
	DeleteAfterVerify bool `json:"delete_after_verify,omitempty"`
	// Only limits the move to these resource ids and what they need.
	Only []string `json:"only,omitempty"`
	// SealedProperties bring again what was never stored: boxes by pointer, "/resources/x/properties/y".
	SealedProperties map[string]string `json:"sealed_properties,omitempty"`
	// Force moves a graph that is not the deployment's head, or whose last run did not finish.
	Force bool `json:"force,omitempty"`
}

// MoveEndRequest is the body of POST /deploy/move/{graph_id}/commit and of /discard.
type MoveEndRequest struct {
	Credentials Credentials `json:"credentials,omitempty"`
	// ToCredentials are those of the account that a move goes to, where it goes to another one.
	ToCredentials Credentials `json:"to_credentials,omitempty"`
	// SealedProperties bring again what was never stored: boxes by pointer, "/resources/x/properties/y".
	SealedProperties map[string]string `json:"sealed_properties,omitempty"`
}

// The phases of a move.
const (
	// MoveMaking: things are made and verified in the new region, and what reads them is repointed.
	MoveMaking = "making"
	// MoveHeld: all that is done, and the move waits for its commit.
	MoveHeld = "held"
	// MoveCommitted: the new graph is the head, and what was left behind is deleted.
	MoveCommitted = "committed"
	// MoveDiscarded: what was made is deleted, and what was repointed is as it was.
	MoveDiscarded = "discarded"
)

// MoveState says how a move stands.
type MoveState struct {
	FromRegion string `json:"from_region"`
	ToRegion   string `json:"to_region"`
	// FromAccounts and ToAccounts are set, by provider, where it goes from one account to another.
	FromAccounts map[string]string `json:"from_accounts,omitempty"`
	ToAccounts   map[string]string `json:"to_accounts,omitempty"`
	// PreviousGraphID is the head that the move began from.
	PreviousGraphID string `json:"previous_graph_id"`
	// Phase is making, held, committed or discarded; the run's status says whether it has come to its end.
	Phase string `json:"phase"`
	// DeleteAfterVerify: the move commits by itself.
	DeleteAfterVerify bool `json:"delete_after_verify"`
}

// Move moves resources of a deployment from one region to another, and returns when the run stands: paused where it waits for
// its commit.
func (c *Client) Move(ctx context.Context, request *MoveRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, "/deploy/move", request, options)
}

// CommitMove makes a move final: what was left behind is deleted. It returns when the run stands.
func (c *Client) CommitMove(ctx context.Context, graphID string, request *MoveEndRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, path("deploy", "move", graphID, "commit"), request, options)
}

// DiscardMove undoes a move that was not committed, and returns when the run stands.
func (c *Client) DiscardMove(ctx context.Context, graphID string, request *MoveEndRequest, options ...CallOption) (*RunResult, error) {
	return c.run(ctx, path("deploy", "move", graphID, "discard"), request, options)
}
