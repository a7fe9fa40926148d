package execution_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
)

// TestRollUp: the status of a whole is that of one of its parts, it does not depend on their order nor on how they are grouped
// (composites stand in composites), and it is completed exactly when every part is.
func TestRollUp(t *testing.T) {
	all := []execution.Status{
		execution.Failed, execution.Running, execution.Paused, execution.Blocked, execution.Pending, execution.Skipped, execution.Completed,
	}
	require.ElementsMatch(t, execution.Statuses(), all, "every status has its place")
	require.Equal(t, execution.Completed, execution.RollUp(), "an empty composite is complete at once")
	for i, higher := range all {
		for _, lower := range all[i:] {
			require.Equal(t, higher, execution.RollUp(lower, higher, lower), "%s over %s", higher, lower)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom(all), 1, 12).Draw(t, "parts")
		whole := execution.RollUp(parts...)
		require.Contains(t, parts, whole)
		require.Equal(t, whole, execution.RollUp(rapid.Permutation(parts).Draw(t, "order")...))
		cut := rapid.IntRange(0, len(parts)).Draw(t, "cut")
		require.Equal(t, whole, execution.RollUp(execution.RollUp(parts[:cut]...), execution.RollUp(parts[cut:]...)))
		others := slices.ContainsFunc(parts, func(s execution.Status) bool { return s != execution.Completed })
		require.Equal(t, !others, whole == execution.Completed)
	})
}
