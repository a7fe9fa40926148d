package storetest

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

func (s *suite) graphRoundTrip() {
	_, err := s.store.Deployment(s.ctx(), tenantA, deploymentA)
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.Graph(s.ctx(), tenantA, id(1))
	require.ErrorIs(s, err, store.ErrNotFound)
	s.nothingIsCalled("a\x00b")
	s.nothingIsCalled("a\xffb")

	graph := graphOf(tenantA, deploymentA, 1)
	s.requireFilled(graph.Graph)
	require.NoError(s, s.store.CreateGraph(s.ctx(), graph))
	derived := graphOf(tenantA, deploymentA, 3)
	derived.Graph.Kind = "destroy"
	require.NoError(s, s.store.CreateGraph(s.ctx(), derived))
	require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantA, deploymentA, 2)))

	s.reopen()
	stored, err := s.store.Graph(s.ctx(), tenantA, id(1))
	require.NoError(s, err)
	require.Equal(s, graph.Graph, stored, "byte by byte")
	require.Equal(s, store.Deployment{
		Tenant: tenantA, ID: deploymentA, Accounts: map[string]string{}, Sequence: 2, CreatedAt: at(1), UpdatedAt: at(3),
	}, s.deployment(tenantA, deploymentA))
}

// nothingIsCalled asks for what has a name that not every store can hold: it is not there, as anything else.
func (s *suite) nothingIsCalled(name string) {
	_, err := s.store.Deployment(s.ctx(), tenantA, name)
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.Graph(s.ctx(), tenantA, name)
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.Run(s.ctx(), tenantA, name)
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.LatestRun(s.ctx(), tenantA, name)
	require.ErrorIs(s, err, store.ErrNotFound)
	runs, err := s.store.ListRuns(s.ctx(), store.RunFilter{Tenant: tenantA, GraphID: name}, store.Page{Limit: 10})
	require.NoError(s, err)
	require.Empty(s, runs)
}

// A graph id is taken for the whole store, and a refused graph leaves nothing.
func (s *suite) graphIDs() {
	require.NoError(s, s.store.CreateRun(s.ctx(), runOf(tenantA, deploymentA, 1)))
	for name, taken := range map[string]string{"spec": id(1), "execution": "e0000001"} {
		for _, tenant := range []string{tenantA, tenantB} {
			graph := graphOf(tenant, deploymentA, 2)
			graph.Graph.ID = taken
			graph.Resources = []store.Resource{resource(3)}
			s.unchanged(func() {
				require.ErrorIs(s, s.store.CreateGraph(s.ctx(), graph), store.ErrExists, name)
			})
		}
	}
}

func (s *suite) resourceRoundTrip() {
	full := store.Resource{
		ResourceID: "table", Path: "stack/inner", Type: "aws:lambda:function", NodeID: id(5),
		Placements: []store.Placement{{
			Region: "eu-west-1", Name: "table-5", State: store.Live, Made: true, Identity: "arn:5", Account: "111122223333",
			ProviderVersion: "1.2.3", GraphID: id(1), Outputs: json.RawMessage(`{ "arn": "arn:5" }`),
		}},
	}
	s.requireFilled(full)
	s.requireFilled(full.Placements[0])
	global := store.Resource{ResourceID: "role", Type: "aws:iam:role", NodeID: id(4), Placements: []store.Placement{{Name: "role-4", State: store.Planned}}}
	bare := store.Resource{ResourceID: "bare", Type: "aws:iam:role", NodeID: id(3)}
	twin := store.Resource{ResourceID: "bare", Type: "aws:s3:bucket", NodeID: id(2)}
	graph := graphOf(tenantA, deploymentA, 1)
	graph.Resources = []store.Resource{full, global, bare, twin}
	require.NoError(s, s.store.CreateGraph(s.ctx(), graph))
	s.reopen()
	require.Equal(s, graph.Resources, s.resources(tenantA, deploymentA), "in the order they were drawn")
	require.Empty(s, s.resources(tenantA, "unknown"))
}

// What exists keeps its node id and its placements; what is new is added behind it.
func (s *suite) resourcesKeep() {
	h := s.start(runOf(tenantA, deploymentA, 1))
	write := h.next()
	write.Placements = []store.PlacementWrite{{
		Tenant: tenantA, DeploymentID: deploymentA, NodeID: id(1), Region: "eu-west-1", State: store.Live, Made: true, Identity: "arn:1",
	}}
	s.commit(write)
	before := s.resources(tenantA, deploymentA)

	graph := graphOf(tenantA, deploymentA, 2)
	again := resource(1)
	again.Placements[0].Name = "another name"
	again.Placements = append(again.Placements, store.Placement{Region: "ap-south-1", Name: "new", State: store.Planned})
	graph.Resources = []store.Resource{resource(3), again}
	require.NoError(s, s.store.CreateGraph(s.ctx(), graph))

	want := slices.Clone(before)
	want[0].Placements = append([]store.Placement{{Region: "ap-south-1", Name: "new", State: store.Planned}}, want[0].Placements...)
	want = append(want, resource(3))
	require.Equal(s, want, s.resources(tenantA, deploymentA))

	moved, stolen := resource(1), resource(9)
	moved.NodeID, stolen.NodeID = id(77), id(1)
	for name, resources := range map[string][]store.Resource{
		"another node id": {resource(8), moved}, "a node id in use": {resource(8), stolen},
		"one node id twice": {resource(8), {ResourceID: "x", Type: "t", NodeID: id(8)}},
	} {
		graph := graphOf(tenantA, deploymentA, 3)
		graph.Resources = resources
		s.unchanged(func() {
			require.ErrorIs(s, s.store.CreateGraph(s.ctx(), graph), store.ErrExists, name)
		})
	}
}

func (s *suite) manyResources() {
	graph := graphOf(tenantA, deploymentA, 1)
	for i := range 1000 {
		graph.Resources = append(graph.Resources, resource(i))
	}
	require.NoError(s, s.store.CreateGraph(s.ctx(), graph))
	require.Equal(s, graph.Resources, s.resources(tenantA, deploymentA))
}

func (s *suite) deploymentPages() {
	for i := range 7 {
		require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantA, fmt.Sprint("d", i), 1+i)))
		require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantB, fmt.Sprint("d", i), 101+i)))
	}
	var ids []string
	page := store.Page{Limit: 3}
	for {
		list, err := s.store.Deployments(s.ctx(), tenantA, page)
		require.NoError(s, err)
		if len(list) == 0 {
			break
		}
		require.LessOrEqual(s, len(list), 3)
		for _, d := range list {
			require.Equal(s, tenantA, d.Tenant)
			ids = append(ids, d.ID)
		}
		page.After = ids[len(ids)-1]
		// A deployment that changes meanwhile does not move the pages.
		require.NoError(s, s.store.CreateGraph(s.ctx(), graphOf(tenantA, "d0", 200+len(ids))))
	}
	require.Equal(s, []string{"d6", "d5", "d4", "d3", "d2", "d1", "d0"}, ids)
	_, err := s.store.Deployments(s.ctx(), tenantA, store.Page{After: "unknown"})
	require.ErrorIs(s, err, store.ErrNotFound)
}

// Two tenants with a deployment of one name see nothing of each other.
func (s *suite) tenants() {
	ctx := s.ctx()
	require.NoError(s, s.store.CreateRun(ctx, runOf(tenantA, deploymentA, 1)))
	require.NoError(s, s.store.CreateRun(ctx, runOf(tenantB, deploymentA, 2)), "an active run of another tenant is not in the way")

	_, err := s.store.Graph(ctx, tenantB, id(1))
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.Run(ctx, tenantB, "run-1")
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.LatestRun(ctx, tenantB, id(1))
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.Deployment(ctx, "nobody", deploymentA)
	require.ErrorIs(s, err, store.ErrNotFound)
	_, err = s.store.ListRuns(ctx, store.RunFilter{Tenant: tenantB}, store.Page{After: "run-1"})
	require.ErrorIs(s, err, store.ErrNotFound)

	for n, tenant := range map[int]string{1: tenantA, 2: tenantB} {
		runs, err := s.store.ListRuns(ctx, store.RunFilter{Tenant: tenant, DeploymentID: deploymentA}, store.Page{})
		require.NoError(s, err)
		require.Len(s, runs, 1)
		require.Equal(s, fmt.Sprintf("run-%d", n), runs[0].ID)
		list, err := s.store.Deployments(ctx, tenant, store.Page{})
		require.NoError(s, err)
		require.Len(s, list, 1)
		require.Equal(s, tenant, list[0].Tenant)
		require.Len(s, s.resources(tenant, deploymentA), 2)
	}
	require.Empty(s, s.resources("nobody", deploymentA))

	// One that knows another's graph or deployment cannot run it.
	stolen := runOver(tenantB, deploymentB, 3, id(1))
	require.ErrorIs(s, s.store.CreateRun(ctx, stolen), store.ErrNotFound)
	require.NoError(s, s.store.CreateGraph(ctx, graphOf(tenantB, deploymentB, 3)))
	require.ErrorIs(s, s.store.CreateRun(ctx, stolen), store.ErrNotFound)
}
