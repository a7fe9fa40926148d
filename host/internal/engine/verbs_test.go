package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// changes gives what became of each resource, "" for one that did not complete.
func (h *house) changes(graphID string) map[string]string {
	all := map[string]string{}
	for _, operation := range h.status(graphID).Operations {
		all[operation.ResourceID] = operation.Change
	}
	return all
}

// TestEveryVerbInOneGraph: a graph of a new version finds what the one before made, and does to each what it is told.
func TestEveryVerbInOneGraph(t *testing.T) {
	h := build(t)
	first := h.apply(&rest.ApplyRequest{Config: h.config(`{
		"kept": {"type": "noop:thing", "properties": {"value": "1"}},
		"changed": {"type": "noop:thing", "properties": {"value": "1"}},
		"gone": {"type": "noop:thing", "properties": {"value": "1"}},
		"checked": {"type": "noop:thing", "properties": {"value": "1"}}}`)})
	require.True(t, first.Success, "%+v", first.FailedOperation)
	second := h.config(`{
		"kept": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "1"}},
		"changed": {"type": "noop:thing", "operation": "update", "properties": {"value": "2"}, "depends_on": ["kept"]},
		"gone": {"type": "noop:thing", "operation": "delete", "depends_on": ["changed"]},
		"checked": {"type": "noop:thing", "operation": "verify", "properties": {"value": "1"}, "depends_on": ["changed"]},
		"new": {"type": "noop:thing", "operation": "create", "references": {"from": "changed.value"}, "depends_on": ["gone"]}}`)
	applied := h.apply(&rest.ApplyRequest{Config: second})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	require.Equal(t, map[string]string{
		"kept": "none", "changed": "updated", "gone": "deleted", "checked": "none", "new": "created",
	}, h.changes(applied.GraphID))
	require.Empty(t, applied.Warnings)
	require.Equal(t, 4, h.outside())
	ids := map[string]string{}
	for _, operation := range h.status(first.GraphID).Operations {
		ids[operation.ResourceID] = operation.NodeID
	}
	for _, operation := range h.status(applied.GraphID).Operations {
		if operation.ResourceID != "new" {
			require.Equal(t, ids[operation.ResourceID], operation.NodeID)
		}
	}
	states := h.placed()
	require.Equal(t, store.Gone, states["gone@"])
	require.Equal(t, store.Live, states["checked@"], "what is only looked at stays as it is on record")

	again := h.apply(&rest.ApplyRequest{Config: second})
	require.False(t, again.Success)
	require.Equal(t, "new", again.FailedOperation.ResourceID)
	require.Equal(t, string(contract.KindAlreadyExists), again.FailedOperation.ErrorType, "create must find nothing there")
	require.Equal(t, "none", h.changes(again.GraphID)["gone"], "what is gone already is a success")

	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())
}

func TestAVerbThatDoesNotFindWhatItNeeds(t *testing.T) {
	for verb, kind := range map[string]contract.Kind{"update": contract.KindNotFound, "verify": contract.KindPrecondition} {
		t.Run(verb, func(t *testing.T) {
			h := build(t)
			applied := h.apply(&rest.ApplyRequest{Config: h.config(`{
				"a": {"type": "noop:thing", "operation": "` + verb + `", "properties": {"value": "1"}},
				"b": {"type": "noop:thing", "depends_on": ["a"]}}`)})
			require.Equal(t, string(kind), applied.FailedOperation.ErrorType)
			require.Equal(t, 1, applied.Blocked)
			require.Zero(t, h.outside())
		})
	}
}

func TestOnlyWhatIsNamedAndWhatItNeeds(t *testing.T) {
	h := build(t)
	part := h.apply(&rest.ApplyRequest{Config: h.chain("ensure"), Only: []string{"b"}})
	require.True(t, part.Success, "%+v", part.FailedOperation)
	require.Equal(t, 3, part.Total)
	require.Equal(t, 3, h.outside())
	whole := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	require.Equal(t, 1, whole.Changed, "c alone is new: %v", whole.Changes)

	verified, err := h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: whole.GraphID, Credentials: noCredentials, Only: []string{"c"}})
	require.NoError(t, err)
	require.Equal(t, 1, h.wait(verified).Total, "a verification needs nothing else")

	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials, Only: []string{"b"}})
	require.NoError(t, err)
	gone := h.wait(destroyed)
	require.True(t, gone.Success)
	require.Equal(t, 3, gone.Total, "b in two regions, after c")
	require.Equal(t, 1, h.outside())
	anew := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	require.True(t, anew.Success, "a deployment of which a part was destroyed is still one")
	require.Equal(t, 4, h.outside())
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.chain("ensure"), Only: []string{"a", "nobody"}})
	require.Equal(t, "/only", h.refused(engine.Invalid, err).Problems[0].Pointer)
}

// TestAdopt: what nobody owns is taken over when the caller says so, and from then on is this deployment's to change and destroy.
func TestAdopt(t *testing.T) {
	h := build(t)
	named := func(deployment, verb, more string) *rest.Config {
		cfg := h.config(`{"n": {"type": "noop:named", "operation": "` + verb + `", "naming": "exact", "properties": {"name": "there", "value": "x"}` + more + `}}`)
		cfg.DeploymentID = deployment
		return cfg
	}
	require.True(t, h.apply(&rest.ApplyRequest{Config: named("other", "create", "")}).Success)
	require.Equal(t, 1, h.outside())

	for _, verb := range []string{"create", "ensure", "update", "delete"} {
		refused := h.apply(&rest.ApplyRequest{Config: named("app", verb, "")})
		require.False(t, refused.Success, "%s of what this deployment did not make", verb)
		require.Equal(t, 1, h.outside())
	}
	adopted := h.apply(&rest.ApplyRequest{Config: named("app", "ensure", `, "adopt": true`)})
	require.True(t, adopted.Success, "%+v", adopted.FailedOperation)
	require.Equal(t, 1, h.outside())
	ours := h.apply(&rest.ApplyRequest{Config: named("app", "update", "")})
	require.True(t, ours.Success, "what was taken over needs no leave again: %+v", ours.FailedOperation)
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())
}
