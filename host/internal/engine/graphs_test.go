package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestAnExecutionGraphSaysWhatBecameOfEachEdge: the regions of a node are nodes of their own there, and so are the edges to them.
func TestAnExecutionGraphSaysWhatBecameOfEachEdge(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "b", never))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, rest.RunFailed, failed.Status)
	view, err := h.engine.Graph(t.Context(), h.caller, failed.GraphID, "", "execution")
	require.NoError(t, err)
	executed := view.Value.(*rest.ExecutionGraph)
	require.Equal(t, failed.ExecGraphID, executed.GraphID)
	require.Len(t, executed.Nodes, 4)
	nodes, ids, kinds := map[string]*rest.OperationStatus{}, map[string]bool{}, map[string]int{}
	for i := range executed.Nodes {
		node := &executed.Nodes[i]
		nodes[node.NodeID] = node
		require.Equal(t, node.NodeID, node.ExecNodeID)
		require.NotEqual(t, node.NodeID, node.SpecNodeID)
	}
	for _, edge := range executed.Edges {
		require.False(t, ids[edge.EdgeID], "an edge id stands once")
		ids[edge.EdgeID] = true
		kinds[edge.Type]++
		require.Contains(t, nodes, edge.From)
		require.Contains(t, map[string][]string{
			"failed": {"failed"}, "blocked": {"blocked"}, "pending": {"pending"},
		}[edge.Type], nodes[edge.To].Status)
	}
	require.Len(t, executed.Edges, 4, "two regions, and an edge to and from each")
	require.Equal(t, 2, kinds["blocked"], "both lead to c")
	require.GreaterOrEqual(t, kinds["failed"], 1)

	text, err := view.MGraph()
	require.NoError(t, err)
	require.True(t, json.Valid(text))
	again, err := h.engine.Graph(t.Context(), h.caller, failed.GraphID, failed.RunID, "execution")
	require.NoError(t, err)
	same, err := again.MGraph()
	require.NoError(t, err)
	require.JSONEq(t, string(text), string(same), "ids are the same each time")
}
