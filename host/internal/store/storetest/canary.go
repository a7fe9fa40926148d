package storetest

import (
	"encoding/json"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

const canary = "c4n4ry"

// canaryRun is a run that holds nothing but a word that no error may repeat.
func canaryRun() store.NewRun {
	graph := store.NewGraph{
		Graph: store.Graph{Tenant: canary, ID: canary, DeploymentID: canary, Kind: canary, Version: canary, Spec: json.RawMessage(canary)},
		Resources: []store.Resource{{ResourceID: canary, Type: canary, NodeID: canary, Placements: []store.Placement{
			{Region: canary, Name: canary, State: store.Live, Outputs: json.RawMessage(canary)},
		}}},
	}
	event := execution.Event{RunID: canary, Version: 1, Kind: execution.RunChanged, RunStatus: execution.RunQueued, Reason: canary}
	return store.NewRun{
		Run: store.Run{
			ID: canary, Tenant: canary, DeploymentID: canary, GraphID: canary, PlanGraphID: canary, ExecGraphID: canary + "e",
			Kind: execution.Verify, Status: execution.RunQueued,
		},
		Graph: &graph, Event: event,
	}
}

// Whatever a row holds that is refused, no error repeats it.
func (s *suite) quietErrors() {
	ctx, run := s.ctx(), canaryRun()
	graph := *run.Graph
	key := store.APIKey{Name: canary, Tenant: canary, Role: "tenant", Hash: canary}
	require.NoError(s, s.store.CreateKey(ctx, key))
	require.NoError(s, s.store.CreateRun(ctx, run))
	token, _, err := s.store.AcquireRun(ctx, store.Claim{RunID: canary, Owner: canary})
	require.NoError(s, err)

	refuse := func(err error) {
		s.Helper()
		require.Error(s, err)
		require.NotContains(s, err.Error(), canary)
	}
	refuse(s.store.CreateKey(ctx, key))
	key.Role, key.Name, key.Hash = canary, "n", "h"
	refuse(s.store.CreateKey(ctx, key))
	refuse(s.store.CreateGraph(ctx, graph))
	graph.Graph.ID, graph.Resources[0].NodeID = "another", "another"
	refuse(s.store.CreateGraph(ctx, graph))
	graph.Resources[0].NodeID, graph.Resources[0].Placements[0].Region = canary, "another"
	graph.Resources[0].Placements[0].State = canary
	refuse(s.store.CreateGraph(ctx, graph))
	refuse(s.store.CreateRun(ctx, run))

	for name, change := range map[string]func(*store.Write){
		"outputs":   func(w *store.Write) { w.Events[0].Outputs = json.RawMessage(`{"a":"b` + canary) },
		"version":   func(w *store.Write) { w.Events[0].Version = 9 },
		"of a run":  func(w *store.Write) { w.Events[0].RunID = canary + "2" },
		"placement": func(w *store.Write) { w.Placements = []store.PlacementWrite{{NodeID: canary}} },
		"token":     func(w *store.Write) { w.Token++ },
	} {
		write := store.Write{RunID: canary, Token: token, Events: []execution.Event{{RunID: canary, Version: 2, At: time.Now(), Message: canary}}}
		change(&write)
		refused, err := s.store.Commit(ctx, []store.Write{write})
		require.NoError(s, err)
		require.NotContains(s, name, canary)
		refuse(refused[0])
	}
}
