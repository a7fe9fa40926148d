package storetest

import (
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

func subgraphOf(tenant, deployment string, n int) store.Graph {
	graph := graphOf(tenant, deployment, n).Graph
	graph.Kind = store.SubgraphKind
	return graph
}

// Subgraphs and further graphs are stored with what they belong to, or not at all.
func (s *suite) graphsTogether() {
	run := runOf(tenantA, deploymentA, 1)
	run.Graph.Subgraphs = []store.Graph{subgraphOf(tenantA, deploymentA, 11), subgraphOf(tenantA, deploymentA, 12)}
	extra := graphOf(tenantA, deploymentA, 2)
	extra.Resources = []store.Resource{resource(3)}
	run.Extra = []store.NewGraph{extra}
	run.Head = id(2)
	for name, change := range map[string]func(run *store.NewRun){
		"another kind":                func(run *store.NewRun) { run.Graph.Subgraphs[1].Kind = "x" },
		"another tenant":              func(run *store.NewRun) { run.Graph.Subgraphs[1].Tenant = tenantB },
		"another deployment":          func(run *store.NewRun) { run.Graph.Subgraphs[1].DeploymentID = deploymentB },
		"extra of another tenant":     func(run *store.NewRun) { run.Extra[0].Graph.Tenant = tenantB },
		"extra of another deployment": func(run *store.NewRun) { run.Extra[0].Graph.DeploymentID = deploymentB },
		"id twice":                    func(run *store.NewRun) { run.Graph.Subgraphs[1].ID = id(2) },
	} {
		bad := run
		graph := *run.Graph
		graph.Subgraphs = append([]store.Graph(nil), graph.Subgraphs...)
		bad.Graph, bad.Extra = &graph, append([]store.NewGraph(nil), run.Extra...)
		change(&bad)
		s.unchanged(func() {
			err := s.store.CreateRun(s.ctx(), bad)
			if name == "id twice" {
				require.ErrorIs(s, err, store.ErrExists)
				return
			}
			require.ErrorIs(s, err, store.ErrInvalid, name)
		})
	}
	require.NoError(s, s.store.CreateRun(s.ctx(), run))
	s.reopen()
	for _, want := range []store.Graph{run.Graph.Graph, run.Graph.Subgraphs[0], run.Graph.Subgraphs[1], extra.Graph} {
		stored, err := s.store.Graph(s.ctx(), tenantA, want.ID)
		require.NoError(s, err)
		require.Equal(s, want, stored)
	}
	require.Equal(s, []store.Resource{resource(3), resource(1), resource(2)}, s.resources(tenantA, deploymentA))
	require.Equal(s, 2, s.deployment(tenantA, deploymentA).Sequence, "subgraphs have no version of their own")
	require.Equal(s, id(2), s.deployment(tenantA, deploymentA).HeadGraphID)
}

func (s *suite) graphsOf() {
	var want []store.Graph
	for n := range 5 {
		graph := graphOf(tenantA, deploymentA, n+1)
		graph.Subgraphs = []store.Graph{subgraphOf(tenantA, deploymentA, 100+n)}
		if n == 2 {
			graph.Graph.Kind = "destroy"
		}
		require.NoError(s, s.store.CreateGraph(s.ctx(), graph))
		require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantB, deploymentA, 200+n)))
		require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantA, deploymentB, 300+n)))
		graph.Graph.Spec = nil
		want = append([]store.Graph{graph.Graph}, want...)
	}
	list := func(deployment string, page store.Page) []store.Graph {
		graphs, err := s.store.GraphsOf(s.ctx(), tenantA, deployment, page)
		require.NoError(s, err)
		return graphs
	}
	require.Equal(s, want, list(deploymentA, store.Page{}))
	require.Equal(s, want[:2], list(deploymentA, store.Page{Limit: 2}))
	require.Equal(s, want[2:4], list(deploymentA, store.Page{Limit: 2, After: want[1].ID}))
	require.Empty(s, list(deploymentA, store.Page{After: want[4].ID}))
	require.Empty(s, list("unknown", store.Page{}))
	for _, after := range []string{"unknown", id(200), id(300)} {
		_, err := s.store.GraphsOf(s.ctx(), tenantA, deploymentA, store.Page{After: after})
		require.ErrorIs(s, err, store.ErrNotFound)
	}
}

func (s *suite) maxActive() {
	bounded := func(tenant, deployment string, n int) store.NewRun {
		run := runOf(tenant, deployment, n)
		run.MaxActive = 2
		return run
	}
	verify := bounded(tenantA, deploymentA, 1)
	verify.Run.Kind = execution.Verify
	require.NoError(s, s.store.CreateRun(s.ctx(), verify))
	h := s.start(bounded(tenantA, deploymentB, 2))
	require.NoError(s, s.store.CreateRun(s.ctx(), bounded(tenantB, deploymentA, 3)))
	s.unchanged(func() {
		require.ErrorIs(s, s.store.CreateRun(s.ctx(), bounded(tenantA, "c", 4)), store.ErrTooMany)
	})
	s.commit(h.status(execution.RunFailed, 9))
	require.NoError(s, s.store.CreateRun(s.ctx(), bounded(tenantA, "c", 4)), "one that is at rest does not count")
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, "d", 5)), "no limit")

	results := make([]error, 6)
	var wait sync.WaitGroup
	for i := range results {
		wait.Go(func() { results[i] = s.store.CreateRun(s.ctx(), bounded("tenant-c", string(rune('a'+i)), 10+i)) })
	}
	wait.Wait()
	begun := 0
	for _, err := range results {
		if err == nil {
			begun++
			continue
		}
		require.ErrorIs(s, err, store.ErrTooMany)
	}
	require.Equal(s, 2, begun)
}

// What is deleted leaves nothing, and its ids are free again; what is beside it stays.
func (s *suite) deleteDeployment() {
	ctx := s.ctx()
	require.ErrorIs(s, s.store.DeleteDeployment(ctx, tenantA, deploymentA), store.ErrNotFound)
	s.start(runOf(tenantB, deploymentA, 8))
	before := s.everything()

	run := runOf(tenantA, deploymentA, 1)
	run.Graph.Subgraphs = []store.Graph{subgraphOf(tenantA, deploymentA, 11)}
	run.Head, run.Idempotency = id(1), keyOf(tenantA, "k1", "run-1", 1)
	h := s.start(run)
	write := everyKind(h, deploymentA, 3)
	write.RollbackRecords = []store.RollbackRecord{{Operation: operationA, Attempt: 1, Data: []byte("x")}}
	write.Events[1].RunStatus = execution.RunRunning
	s.commit(write)
	plan := graphOf(tenantA, deploymentA, 2)
	plan.Idempotency = keyOf(tenantA, "k2", "", 1)
	plan.Idempotency.GraphID = id(2)
	require.NoError(s, s.store.CreateGraph(ctx, plan))
	s.unchanged(func() {
		var active *store.ActiveRunError
		require.ErrorAs(s, s.store.DeleteDeployment(ctx, tenantA, deploymentA), &active)
		require.Equal(s, "run-1", active.RunID)
	})
	s.commit(h.status(execution.RunFailed, 9))
	verify := runOver(tenantA, deploymentA, 3, id(1))
	verify.Run.Kind = execution.Verify
	v := s.start(verify)
	require.Error(s, s.store.DeleteDeployment(ctx, tenantA, deploymentA), "a verification is active")
	s.commit(v.status(execution.RunCompleted, 10))

	require.NoError(s, s.store.DeleteDeployment(ctx, tenantA, deploymentA))
	require.Equal(s, before, s.everything())
	require.ErrorIs(s, s.try(h.next(progress(11)))[0], store.ErrNotFound)
	for _, key := range []string{"k1", "k2"} {
		_, err := s.store.Idempotency(ctx, tenantA, key)
		require.ErrorIs(s, err, store.ErrNotFound)
	}
	for _, graph := range []string{id(1), id(2), id(11)} {
		_, err := s.store.Graph(ctx, tenantA, graph)
		require.ErrorIs(s, err, store.ErrNotFound)
	}
	require.NoError(s, s.store.CreateRun(ctx, run))
	require.Equal(s, 1, s.deployment(tenantA, deploymentA).Sequence)
}
