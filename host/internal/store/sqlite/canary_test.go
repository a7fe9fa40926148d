package sqlite

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

const canary = "c4n4ry"

// Whatever a row holds that cannot be read back, no error repeats it.
func TestErrorsHoldNoRows(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s, err := Open(ctx, dir, Options{})
	require.NoError(t, err)
	graph := store.NewGraph{
		Graph: store.Graph{Tenant: canary, ID: canary, DeploymentID: canary, Kind: canary, Version: canary, Spec: json.RawMessage(canary)},
		Resources: []store.Resource{{ResourceID: canary, Type: canary, NodeID: canary, Placements: []store.Placement{
			{Region: canary, Name: canary, State: store.Live, Outputs: json.RawMessage(canary)},
		}}},
	}
	event := execution.Event{RunID: canary, Version: 1, Kind: execution.RunChanged, RunStatus: execution.RunQueued, Reason: canary}
	run := store.NewRun{
		Run: store.Run{
			ID: canary, Tenant: canary, DeploymentID: canary, GraphID: canary, PlanGraphID: canary, ExecGraphID: canary + "e",
			Kind: execution.Verify, Status: execution.RunQueued,
		},
		Graph: &graph, Event: event,
	}
	require.NoError(t, s.CreateRun(ctx, run))

	refuse := func(err error) {
		t.Helper()
		require.Error(t, err)
		require.NotContains(t, err.Error(), canary)
	}
	for _, payload := range []string{canary, `{"version":"` + canary + `"}`, `{"at":"` + canary + `"}`, `{"kind":{"` + canary + `":1}}`} {
		_, err = s.writer.ExecContext(ctx, "UPDATE events SET payload = ?", []byte(payload))
		require.NoError(t, err)
		_, err = s.Events(ctx, canary, 0, 0)
		require.ErrorIs(t, err, store.ErrDamaged)
		refuse(err)
	}
	_, err = s.writer.ExecContext(ctx, "UPDATE deployments SET accounts = ?", canary)
	require.NoError(t, err)
	_, err = s.Deployment(ctx, canary, canary)
	require.ErrorIs(t, err, store.ErrDamaged)
	refuse(err)
	require.NoError(t, s.Close())
	_, err = s.Run(ctx, canary, canary)
	refuse(err)
}
