package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

var otherAccount = rest.Credentials{"noop": json.RawMessage(`{"account":"other"}`)}

func (h *house) accountsPinned() string { return h.head().Accounts["noop"] }

func (h *house) endAway(end func(*rest.MoveEndRequest) (*rest.RunResult, error)) *rest.RunResult {
	result, err := end(&rest.MoveEndRequest{Credentials: noCredentials, ToCredentials: otherAccount})
	require.NoError(h.t, err)
	return h.wait(result)
}

// TestMoveToAnotherAccountAndBack: all of it goes, what has no region too, and the account that is pinned with the head.
func TestMoveToAnotherAccountAndBack(t *testing.T) {
	h := build(t)
	first := h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	request := &rest.MoveRequest{DeploymentID: "app", ToCredentials: otherAccount}
	held := h.move(request)
	require.Equal(t, rest.RunPaused, held.Status, "%+v", held.FailedOperation)
	require.Equal(t, map[string]string{"noop": "other"}, held.Move.ToAccounts)
	require.Equal(t, 10, h.outside(), "both are there")
	require.Equal(t, "noop", h.accountsPinned())
	_, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	h.restart()
	undone := h.endAway(func(r *rest.MoveEndRequest) (*rest.RunResult, error) {
		return h.engine.DiscardMove(t.Context(), h.caller, held.GraphID, r)
	})
	require.True(t, undone.Success, "%+v", undone.FailedOperation)
	require.Equal(t, 5, h.outside())
	require.True(t, h.verified(first.GraphID))

	held = h.move(request)
	h.restart()
	done := h.endAway(func(r *rest.MoveEndRequest) (*rest.RunResult, error) {
		return h.engine.CommitMove(t.Context(), h.caller, held.GraphID, r)
	})
	require.True(t, done.Success, "%+v", done.FailedOperation)
	require.Equal(t, 5, h.outside())
	require.Equal(t, held.GraphID, h.head().HeadGraphID)
	require.Equal(t, "other", h.accountsPinned())
	h.standsIn("us-east-1")

	next := h.in(service, "us-east-1")
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: next})
	h.refused(engine.Invalid, err)
	next.Credentials = otherAccount
	applied := h.apply(&rest.ApplyRequest{Config: next})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	require.Zero(t, applied.Changed, "%v", applied.Changes)

	back, err := h.engine.Move(t.Context(), h.caller, &rest.MoveRequest{
		DeploymentID: "app", Credentials: otherAccount, ToCredentials: noCredentials, FromRegion: "us-east-1", ToRegion: "eu-west-1", DeleteAfterVerify: true,
	})
	require.NoError(t, err)
	require.True(t, h.wait(back).Success)
	h.standsIn("eu-west-1")
	require.Equal(t, "noop", h.accountsPinned())
	require.True(t, h.destroyedBy(&rest.DestroyRequest{DeploymentID: "app"}).Success)
	require.Zero(t, h.outside())
}

func TestMovesToAccountsThatAreRefused(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.in(service, "us-east-1")})
	for name, c := range map[string]struct {
		to, pointer string
	}{
		"the same":         {`{"noop":{}}`, "/to_credentials/noop"},
		"another provider": {`{"aws":{}}`, "/to_credentials/aws"},
	} {
		t.Run(name, func(t *testing.T) {
			request := &rest.MoveRequest{DeploymentID: "app", Credentials: noCredentials}
			require.NoError(t, json.Unmarshal([]byte(c.to), &request.ToCredentials))
			_, err := h.engine.Move(t.Context(), h.caller, request)
			require.Equal(t, c.pointer, h.refused(engine.Invalid, err).Problems[0].Pointer)
		})
	}
	held := h.move(&rest.MoveRequest{DeploymentID: "app", ToCredentials: otherAccount})
	_, err := h.engine.DiscardMove(t.Context(), h.caller, held.GraphID, &rest.MoveEndRequest{Credentials: noCredentials})
	require.Equal(t, "/to_credentials/noop", h.refused(engine.Invalid, err).Problems[0].Pointer, "both are needed")
	h.standing(held.GraphID)
}
