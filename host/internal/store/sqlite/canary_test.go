package sqlite

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

const canary = "c4n4ry"

// Whatever a row holds that is refused, or cannot be read back, no error repeats it.
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
	key := store.APIKey{Name: canary, Tenant: canary, Role: "tenant", Hash: canary}
	require.NoError(t, s.CreateKey(ctx, key))
	require.NoError(t, s.CreateRun(ctx, run))
	token, _, err := s.AcquireRun(ctx, store.Claim{RunID: canary, Owner: canary})
	require.NoError(t, err)

	refuse := func(err error) {
		t.Helper()
		require.Error(t, err)
		require.NotContains(t, err.Error(), canary)
	}
	refuse(s.CreateKey(ctx, key))
	key.Role, key.Name, key.Hash = canary, "n", "h"
	refuse(s.CreateKey(ctx, key))
	refuse(s.CreateGraph(ctx, graph))
	graph.Graph.ID, graph.Resources[0].NodeID = "another", "another"
	refuse(s.CreateGraph(ctx, graph))
	graph.Resources[0].NodeID, graph.Resources[0].Placements[0].Region = canary, "another"
	graph.Resources[0].Placements[0].State = canary
	refuse(s.CreateGraph(ctx, graph))
	refuse(s.CreateRun(ctx, run))

	for name, change := range map[string]func(*store.Write){
		"outputs":   func(w *store.Write) { w.Events[0].Outputs = json.RawMessage(`{"a":"b` + canary) },
		"version":   func(w *store.Write) { w.Events[0].Version = 9 },
		"of a run":  func(w *store.Write) { w.Events[0].RunID = canary + "2" },
		"placement": func(w *store.Write) { w.Placements = []store.PlacementWrite{{NodeID: canary}} },
		"token":     func(w *store.Write) { w.Token++ },
	} {
		write := store.Write{RunID: canary, Token: token, Events: []execution.Event{{RunID: canary, Version: 2, At: time.Now(), Message: canary}}}
		change(&write)
		refused, err := s.Commit(ctx, []store.Write{write})
		require.NoError(t, err)
		require.NotContains(t, name, canary)
		refuse(refused[0])
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
