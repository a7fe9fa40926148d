package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// What is taken back in one region reads what stands in that region, though each place of it is a node of its own now; and it is
// taken back before that, though what led from the one to the other stays.
func TestWhatIsTakenBackReadsInItsOwnRegion(t *testing.T) {
	h := build(t)
	h.remember("noop:thing", "noop:regional")
	const between = `"m": {"type": "noop:regional", "operation": "ensure", "depends_on": ["b"]}`
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.config(
		`{"b": {"type": "noop:regional", "operation": "ensure", "properties": {"value": "x"}}, ` + between + `}`)}).Success)
	require.True(t, h.apply(&rest.ApplyRequest{Config: h.config(
		`{"b": {"type": "noop:regional", "operation": "ensure", "properties": {"value": "z"}}, ` + between + `,
			"r": {"type": "noop:regional", "operation": "ensure", "references": {"from": "b"}, "depends_on": ["m"]}}`)}).Success)
	ids := map[string]string{}
	for _, it := range h.items(t) {
		if it.Labels[contract.LabelResourceID] == "b" {
			ids[it.Region] = it.ID
		}
	}
	require.Len(t, ids, 2)
	before := len(h.plugins.calls)
	result := h.rollback(&rest.RollbackRequest{})
	require.True(t, result.Success, "%+v", result.FailedOperation)
	read := map[string]string{}
	for _, call := range h.plugins.calls[before:] {
		if call.Target.Labels[contract.LabelResourceID] == "r" {
			var properties struct{ Value string }
			require.NoError(t, json.Unmarshal(call.Target.Properties, &properties))
			read[call.Context.Region] = properties.Value
		}
	}
	require.Equal(t, ids, read)
	require.Equal(t, map[string]string{"bus-east-1": "x", "beu-west-1": "x", "mus-east-1": "", "meu-west-1": ""}, h.held(t))
}
