package engine_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// composites adds composite types to a provider: noop:pair is a thing and, behind it, a thing in each region; noop:row is two
// pairs, one after the other.
type composites struct {
	contract.Provider
	asked atomic.Int64
	// short leaves the second part of a pair away, and fails is the error that every question is answered with.
	short bool
	fails error
}

func (c *composites) Expand(_ context.Context, request *contract.ExpandRequest) (*contract.ExpandResult, error) {
	c.asked.Add(1)
	if c.fails != nil {
		return nil, c.fails
	}
	var p struct {
		Value string
		Empty bool
	}
	if err := json.Unmarshal(request.Properties, &p); err != nil {
		return nil, err
	}
	switch {
	case p.Empty:
		return &contract.ExpandResult{}, nil
	case request.Type == "noop:row":
		pair := func(name string) contract.ExpandedNode {
			return contract.ExpandedNode{LocalName: name, Type: "noop:pair", Properties: request.Properties}
		}
		return &contract.ExpandResult{
			Nodes: []contract.ExpandedNode{pair("a"), pair("b")}, Edges: []contract.ExpandedEdge{{From: "a", To: "b"}},
			Outputs: map[string]string{"last": "b.each"},
		}, nil
	}
	one := contract.ExpandedNode{LocalName: "one", Type: "noop:thing", Properties: json.RawMessage(`{"value": "` + p.Value + `"}`)}
	if len(request.Roles) > 0 {
		one.Properties, one.References = json.RawMessage(`{}`), map[string]string{"from": contract.OwnRole + "seed"}
	}
	each := contract.ExpandedNode{LocalName: "each", Type: "noop:regional", References: map[string]string{"from": "one.value"}}
	result := &contract.ExpandResult{
		Nodes: []contract.ExpandedNode{one, each}, Outputs: map[string]string{"first": "one", "each": "each.value"},
	}
	if c.short {
		result.Nodes, result.Outputs = result.Nodes[:1], map[string]string{"first": "one"}
	}
	return result, nil
}

func buildWithComposites(t *testing.T) (*house, *composites) {
	h := build(t)
	c := &composites{Provider: h.plugins.Provider}
	h.plugins.Provider = c
	schema := json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {
		"value": {"type": "string", "maxLength": 20}, "empty": {"type": "boolean"}}}`)
	described := *h.plugins.description
	described.Capabilities = append(described.Capabilities[:0:0], described.Capabilities...)
	described.ResourceTypes = append(append(described.ResourceTypes[:0:0], described.ResourceTypes...),
		contract.ResourceType{Name: "noop:pair", Composite: true, Schema: schema, Placement: contract.Regional, SelfOutput: "first",
			References: []contract.ReferenceRole{{Role: "seed"}}},
		contract.ResourceType{Name: "noop:row", Composite: true, Schema: schema, Placement: contract.Regional})
	h.plugins.description = &described
	return h, c
}

const paired = `{
	"before": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "v"}},
	"pair": {"type": "noop:pair", "operation": "ensure", "references": {"seed": "before.value"}, "tags": {"team": "x"}},
	"after": {"type": "noop:thing", "operation": "ensure", "references": {"from": "pair@eu-west-1.each"}}}`

func TestACompositeFromPlanToDestroy(t *testing.T) {
	h, c := buildWithComposites(t)
	keep := false
	planned, err := h.engine.Plan(t.Context(), h.caller, &rest.PlanRequest{Config: h.config(paired), ValidateOnly: &keep})
	require.NoError(t, err)
	require.True(t, planned.Success, "%v", planned.ValidationErrors)
	require.Len(t, planned.Operations, 5, "a composite has none of its own")
	require.Len(t, planned.Groups, 4)
	require.Len(t, planned.Composites, 1)
	pair := planned.Composites[0]
	require.Equal(t, "pair", pair.ResourceID)
	require.Len(t, pair.Operations, 3)
	require.Equal(t, "pair", planned.Operations[1].Composite)
	require.Equal(t, "pair.one", planned.Operations[1].ResourceID)

	view, err := h.engine.Graph(t.Context(), h.caller, pair.SubgraphID, "", "spec")
	require.NoError(t, err)
	sub := view.Value.(*graph.Spec)
	require.Equal(t, planned.SpecGraphID, sub.PartOf)
	require.Len(t, sub.Nodes, 2)
	require.Len(t, sub.Edges, 1)

	whole, err := h.engine.Graph(t.Context(), h.caller, planned.SpecGraphID, "", "spec")
	require.NoError(t, err)
	require.Regexp(t, `(?s)subgraph n`+pair.NodeID+`.*pair.one.*pair.each.*  end\n  n\w+\["after`, string(whole.Mermaid()))

	asked := c.asked.Load()
	applied := h.apply(&rest.ApplyRequest{GraphID: planned.SpecGraphID, Credentials: noCredentials})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	require.Equal(t, asked, c.asked.Load(), "what is stored is not expanded again")
	require.Equal(t, 5, applied.Total)
	require.Equal(t, 5, h.outside())
	status := h.status(planned.SpecGraphID)
	require.InDelta(t, 1, status.Progress, 0)
	require.Len(t, status.Composites, 1)
	require.Equal(t, "completed", status.Composites[0].Status)
	require.False(t, status.Composites[0].CompletedAt.IsZero())
	require.Len(t, status.Composites[0].Outputs, 2, "by region")
	var outputs map[string]string
	require.NoError(t, json.Unmarshal(status.Composites[0].Outputs[pair.NodeID+"@eu-west-1"], &outputs))
	require.Equal(t, "v", outputs["each"])
	require.NotEmpty(t, outputs["first"])
	require.JSONEq(t, string(status.Composites[0].Outputs[pair.NodeID+"@eu-west-1"]), string(applied.Outputs[pair.NodeID+"@eu-west-1"]))
	listed, err := h.engine.Outputs(t.Context(), h.caller, planned.SpecGraphID, "", "pair")
	require.NoError(t, err)
	require.Len(t, listed.Outputs, 5, "of the composite, and of its parts")

	again := h.apply(&rest.ApplyRequest{Config: h.config(paired)})
	require.True(t, again.Success, "%+v", again.FailedOperation)
	require.Equal(t, 5, again.Unchanged, "a later version finds the parts by their paths: %v", again.Changes)
	require.Equal(t, pair.NodeID, h.status(again.GraphID).Composites[0].NodeID)
	require.NotEqual(t, pair.SubgraphID, h.status(again.GraphID).Composites[0].SubgraphID)

	verified, err := h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: again.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(verified).Success)

	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())
	torn := h.status(again.GraphID)
	require.Equal(t, "destroy", torn.Kind)
	require.Len(t, torn.Composites, 1)
	require.Equal(t, "completed", torn.Composites[0].Status)
	require.Len(t, torn.Composites[0].Operations, 3)
}

func (h *house) status(graphID string) *rest.StatusResponse {
	status, err := h.engine.Status(h.t.Context(), h.caller, graphID, "")
	require.NoError(h.t, err)
	return status
}

func TestAPartThatFailsIsGoneOnWith(t *testing.T) {
	h, c := buildWithComposites(t)
	rows := h.config(`{
		"row": {"type": "noop:row", "properties": {"value": "v"}},
		"after": {"type": "noop:thing", "references": {"from": "row@us-east-1.last"}}}`)
	h.plugins.breakWith(times(9, "row.a.each", never))
	failed := h.apply(&rest.ApplyRequest{Config: rows})
	require.False(t, failed.Success)
	require.Equal(t, "row.a.each", failed.FailedOperation.ResourceID)
	require.Equal(t, "row.a", failed.FailedOperation.Composite)
	stands := func() map[string]string {
		all := map[string]string{}
		for _, composite := range h.status(failed.GraphID).Composites {
			all[composite.ResourceID] = composite.Status
		}
		return all
	}
	require.Equal(t, map[string]string{"row": "failed", "row.a": "failed", "row.b": "blocked"}, stands())

	h.plugins.breakWith(nil)
	h.restart()
	asked := c.asked.Load()
	resumed := h.apply(&rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
	require.True(t, resumed.Success, "%+v", resumed.FailedOperation)
	require.Equal(t, asked, c.asked.Load())
	require.Equal(t, 1, h.plugins.count("row.a.one create"), "what was done is not done again")
	require.Equal(t, map[string]string{"row": "completed", "row.a": "completed", "row.b": "completed"}, stands())
	require.Equal(t, 7, h.outside())
}

func TestOnlyACompositeIsAllOfIt(t *testing.T) {
	h, _ := buildWithComposites(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.config(paired), Only: []string{"pair"}})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	require.Equal(t, 4, applied.Total, "with what it waits for")
	require.Equal(t, 4, h.outside())
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials, Only: []string{"pair"}})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Equal(t, 1, h.outside())
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: h.config(paired), Only: []string{"pai"}})
	h.refused(engine.Invalid, err)
}

func TestAPartThatANewVersionDoesNotHaveStaysAndIsDestroyed(t *testing.T) {
	h, c := buildWithComposites(t)
	pair := func() *rest.Config {
		return h.config(`{"pair": {"type": "noop:pair", "operation": "ensure", "properties": {"value": "v"}}}`)
	}
	require.True(t, h.apply(&rest.ApplyRequest{Config: pair()}).Success)
	c.short = true
	applied := h.apply(&rest.ApplyRequest{Config: pair()})
	require.True(t, applied.Success)
	require.Equal(t, []string{`resource "pair.each" (noop:regional) is deployed and no longer named: it stays until it is destroyed`}, []string(applied.Warnings))
	require.Equal(t, 3, h.outside())
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	result := h.wait(destroyed)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, 3, result.Total)
	require.Zero(t, h.outside())
}

func TestAnEmptyCompositeIsCompleteAtOnce(t *testing.T) {
	h, _ := buildWithComposites(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.config(`{"pair": {"type": "noop:pair", "properties": {"empty": true}}}`)})
	require.True(t, applied.Success)
	require.Zero(t, applied.Total)
	status := h.status(applied.GraphID)
	require.Equal(t, "completed", status.Status)
	require.Equal(t, "completed", status.Composites[0].Status)
	through := h.apply(&rest.ApplyRequest{Config: h.config(`{
		"a": {"type": "noop:thing", "properties": {"value": "x", "fail": "permission_denied"}},
		"pair": {"type": "noop:pair", "properties": {"empty": true}, "depends_on": ["a"]},
		"b": {"type": "noop:thing", "depends_on": ["pair"]}}`)})
	require.Equal(t, 1, through.Failed)
	require.Equal(t, 1, through.Blocked, "what waits for it waits for what it waited for")
}

func TestASubgraphIsShownAndNotActedOn(t *testing.T) {
	h, _ := buildWithComposites(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.config(paired)})
	sub := h.status(applied.GraphID).Composites[0].SubgraphID
	_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: sub, Credentials: noCredentials})
	require.Contains(t, h.refused(engine.Conflict, err).Message, applied.GraphID)
	_, err = h.engine.Verify(t.Context(), h.caller, &rest.VerifyRequest{GraphID: sub, Credentials: noCredentials})
	h.refused(engine.Conflict, err)
	_, err = h.engine.Status(t.Context(), h.caller, sub, "")
	h.refused(engine.Conflict, err)
	_, err = h.engine.StoredPlan(t.Context(), h.caller, sub)
	h.refused(engine.Conflict, err)
	stored, err := h.store.Graph(t.Context(), "default", sub)
	require.NoError(t, err)
	require.Equal(t, store.SubgraphKind, stored.Kind)
	resources, err := h.store.Resources(t.Context(), "default", "app")
	require.NoError(t, err)
	paths := map[string]string{}
	for _, r := range resources {
		paths[r.ResourceID] = r.Path
	}
	require.Equal(t, map[string]string{"before": "", "pair": "", "pair.one": "pair", "pair.each": "pair", "after": ""}, paths)
}

func TestACompositeThatCannotBeExpanded(t *testing.T) {
	h, c := buildWithComposites(t)
	pair := h.config(`{"pair": {"type": "noop:pair", "properties": {"value": "v"}}}`)
	for name, test := range map[string]struct {
		fails error
		kind  engine.ErrorKind
	}{
		"its provider is gone":  {contract.New(contract.KindInterrupted, "gone"), engine.Unavailable},
		"its provider is wrong": {contract.New(contract.KindProviderFault, "oops"), engine.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			c.fails = test.fails
			_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: pair})
			refused := h.refused(test.kind, err)
			if test.kind == engine.Invalid {
				require.Equal(t, "/config/resources/pair/type", refused.Problems[0].Pointer)
			}
		})
	}
	require.Zero(t, h.outside())
}
