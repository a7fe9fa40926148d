package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// owner is what the things of this installation are labelled with.
func (h *house) owner() string {
	h.plugins.mu.Lock()
	defer h.plugins.mu.Unlock()
	return h.plugins.calls[0].Target.Labels[contract.LabelOwner]
}

// lose starts an engine over an empty store, in the world as it is.
func (h *house) lose(owner string) {
	h.stop()
	h.dataDir = h.t.TempDir()
	h.change = func(o *engine.Options) { o.Owners = map[string]string{"default": owner} }
	h.start()
}

func (h *house) discover(request *rest.DiscoverRequest) *rest.DiscoverResponse {
	response, err := h.engine.Discover(h.t.Context(), h.caller, request)
	require.NoError(h.t, err)
	if response.RunID != "" {
		require.True(h.t, h.wait(&rest.RunResult{RunID: response.RunID}).Success || response.Missing > 0)
	}
	return response
}

func (h *house) nodeIDs(graphID string) map[string]string {
	status, err := h.engine.Status(h.t.Context(), h.caller, graphID, "")
	require.NoError(h.t, err)
	ids := map[string]string{}
	for _, operation := range status.Operations {
		ids[operation.ResourceID] = operation.OperationSummary.NodeID
	}
	return ids
}

func TestWhatIsDeployedIsDiscoveredIntoAnEmptyStore(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	require.True(t, applied.Success)
	ids, owner := h.nodeIDs(applied.GraphID), h.owner()
	h.lose(owner)
	calls := len(h.plugins.calls)

	found := h.discover(&rest.DiscoverRequest{Config: h.chain("ensure")})
	require.True(t, found.Success, "%+v", found)
	require.True(t, found.Stored)
	require.Equal(t, []int{4, 0, 0, 0, 0}, []int{found.Found, found.Missing, found.Ambiguous, found.Conflicts, found.Unknown})
	require.Equal(t, ids, h.nodeIDs(found.GraphID), "things keep the node ids that they carry")
	require.Equal(t, owner, found.Owner)
	require.Len(t, h.plugins.calls, calls, "nothing was executed")
	status, err := h.engine.Status(t.Context(), h.caller, found.GraphID, "")
	require.NoError(t, err)
	require.Equal(t, rest.StatusDiscovered, status.Status)

	again := h.discover(&rest.DiscoverRequest{Config: h.chain("ensure")})
	require.True(t, again.Success)
	require.False(t, again.Stored, "once is enough")
	require.Equal(t, found.GraphID, again.GraphID)

	ensured := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	require.True(t, ensured.Success, "%+v", ensured.FailedOperation)
	require.Equal(t, 4, ensured.Unchanged, "what is as it should be is not changed")
	require.Equal(t, 4, h.outside())
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())
}

func TestDestroyRightAfterDiscover(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	h.lose(h.owner())
	require.True(t, h.discover(&rest.DiscoverRequest{Config: h.chain("create")}).Stored)
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())
}

func TestAnotherOwnersThingsAreNotDiscovered(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	h.lose("")
	nothing := h.discover(&rest.DiscoverRequest{Config: h.chain("create")})
	require.Equal(t, 4, nothing.Missing)
	require.False(t, nothing.Success)
	require.False(t, nothing.Stored)
	require.NotEmpty(t, nothing.Warnings)
	list, err := h.engine.Deployments(t.Context(), h.caller, rest.ListQuery{})
	require.NoError(t, err)
	require.Empty(t, list.Deployments, "nothing was stored")
}

// filesOf are the files in the world of the provider that hold a resource.
func (h *house) filesOf(resourceID string) []string {
	files, err := filepath.Glob(filepath.Join(h.world, "*", "*.json"))
	require.NoError(h.t, err)
	var of []string
	for _, file := range files {
		var it struct{ Labels map[string]string }
		text, err := os.ReadFile(file)
		require.NoError(h.t, err)
		require.NoError(h.t, json.Unmarshal(text, &it))
		if it.Labels[contract.LabelResourceID] == resourceID {
			of = append(of, file)
		}
	}
	return of
}

func TestWhatIsMissingIsMadeAnewAfterADiscovery(t *testing.T) {
	h := build(t)
	h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	h.lose(h.owner())
	require.NoError(t, os.Remove(h.filesOf("c")[0]))
	found := h.discover(&rest.DiscoverRequest{Config: h.chain("ensure")})
	require.Equal(t, []int{3, 1}, []int{found.Found, found.Missing})
	require.True(t, found.Stored)
	ensured := h.apply(&rest.ApplyRequest{Config: h.chain("ensure")})
	require.True(t, ensured.Success)
	require.Equal(t, []int{1, 3}, []int{ensured.Changed, ensured.Unchanged})
	require.Equal(t, 4, h.outside())
}

// TestNothingIsStoredOfWhatIsNotPlain: two things with the same labels, or one with another node id in another region.
func TestNothingIsStoredOfWhatIsNotPlain(t *testing.T) {
	for name, spoil := range map[string]func(*house){
		"ambiguous": func(h *house) {
			text, err := os.ReadFile(h.filesOf("a")[0])
			require.NoError(h.t, err)
			require.NoError(h.t, os.WriteFile(filepath.Join(filepath.Dir(h.filesOf("a")[0]), "twin.json"), text, 0o600))
		},
		"conflict": func(h *house) {
			var it map[string]any
			file := h.filesOf("b")[1]
			text, err := os.ReadFile(file)
			require.NoError(h.t, err)
			require.NoError(h.t, json.Unmarshal(text, &it))
			it["labels"].(map[string]any)[contract.LabelNodeID] = "0badc0de"
			text, err = json.Marshal(it)
			require.NoError(h.t, err)
			require.NoError(h.t, os.WriteFile(file, text, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			h.apply(&rest.ApplyRequest{Config: h.chain("create")})
			h.lose(h.owner())
			spoil(h)
			found := h.discover(&rest.DiscoverRequest{Config: h.chain("create")})
			require.False(t, found.Success)
			require.False(t, found.Stored)
			require.Equal(t, map[string]int{"ambiguous": 1}[name], found.Ambiguous)
			require.Equal(t, map[string]int{"conflict": 1}[name], found.Conflicts)
			list, err := h.engine.Deployments(t.Context(), h.caller, rest.ListQuery{})
			require.NoError(t, err)
			require.Empty(t, list.Deployments)
		})
	}
}

func TestAKnownDeploymentIsComparedWithWhatIsThere(t *testing.T) {
	h := build(t)
	applied := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	same := h.discover(&rest.DiscoverRequest{GraphID: applied.GraphID, Credentials: noCredentials})
	require.True(t, same.Success)
	require.Equal(t, 4, same.Found)

	require.NoError(t, os.Remove(h.filesOf("c")[0]))
	less := h.discover(&rest.DiscoverRequest{GraphID: applied.GraphID, Credentials: noCredentials, Adopt: true})
	require.False(t, less.Success)
	require.Equal(t, 1, less.Missing)
	require.False(t, less.Stored, "what is on record is not given up")
	for _, one := range less.Resources {
		require.Equal(t, one.ResourceID == "c", one.Differs)
	}
	_, err := h.engine.Discover(t.Context(), h.caller, &rest.DiscoverRequest{Config: h.chain("create"), Adopt: true})
	h.refused(engine.Invalid, err)
	_, err = h.engine.Discover(t.Context(), h.caller, &rest.DiscoverRequest{})
	h.refused(engine.Invalid, err)
	_, err = h.engine.Discover(t.Context(), engine.Caller{Tenant: "other"}, &rest.DiscoverRequest{GraphID: applied.GraphID, Credentials: noCredentials})
	h.refused(engine.NotFound, err)
	_, err = h.engine.Discover(t.Context(), h.caller, &rest.DiscoverRequest{GraphID: applied.GraphID})
	h.refused(engine.Invalid, err)
}

// TestWhatIsThereAndNotOnRecordIsAdopted: an attempt made it, and its answer was lost for good.
func TestWhatIsThereAndNotOnRecordIsAdopted(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "c", lost))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, rest.RunFailed, failed.Status)
	h.plugins.breakWith(nil)
	require.Len(t, h.filesOf("c"), 1)
	told := h.discover(&rest.DiscoverRequest{GraphID: failed.GraphID, Credentials: noCredentials})
	require.False(t, told.Success)
	adopted := h.discover(&rest.DiscoverRequest{GraphID: failed.GraphID, Credentials: noCredentials, Adopt: true})
	require.True(t, adopted.Stored)
	require.True(t, h.discover(&rest.DiscoverRequest{GraphID: failed.GraphID, Credentials: noCredentials}).Success, "once written down it agrees")
}

// TestPartsAreDiscoveredWithTheirComposite: a composite carries no label itself, and is put together again around its parts.
func TestPartsAreDiscoveredWithTheirComposite(t *testing.T) {
	h := build(t)
	site := `{"www": {"type": "noop:site", "operation": "ensure", "properties": {"value": "v", "size": 3}}}`
	applied := h.apply(&rest.ApplyRequest{Config: h.config(site)})
	require.True(t, applied.Success, "%+v", applied.FailedOperation)
	things := h.outside()
	ids := h.nodeIDs(applied.GraphID)
	h.lose(h.owner())
	found := h.discover(&rest.DiscoverRequest{Config: h.config(site)})
	require.True(t, found.Success, "%+v", found)
	require.True(t, found.Stored)
	require.Equal(t, ids, h.nodeIDs(found.GraphID))
	require.Len(t, h.status(found.GraphID).Composites, 2)
	resources, err := h.store.Resources(t.Context(), "default", "app")
	require.NoError(t, err)
	for _, r := range resources {
		require.Equal(t, graph.Enclosing(r.ResourceID), r.Path)
	}
	view, err := h.engine.Graph(t.Context(), h.caller, h.status(found.GraphID).Composites[0].SubgraphID, "", "spec")
	require.NoError(t, err)
	require.Len(t, view.Value.(*graph.Spec).Nodes, 2)

	again := h.apply(&rest.ApplyRequest{Config: h.config(site)})
	require.True(t, again.Success, "%+v", again.FailedOperation)
	require.Equal(t, things, again.Unchanged)
	destroyed, err := h.engine.Destroy(t.Context(), h.caller, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials})
	require.NoError(t, err)
	require.True(t, h.wait(destroyed).Success)
	require.Zero(t, h.outside())
}

// TestNothingIsAdoptedWhileARunIsAtWork: it writes down what it does itself.
func TestNothingIsAdoptedWhileARunIsAtWork(t *testing.T) {
	h := build(t)
	h.plugins.breakWith(times(9, "c", lost))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	gate := make(chan struct{})
	h.plugins.breakWith(times(9, "c", func(execute func() (*contract.Result, error)) (*contract.Result, error) { <-gate; return execute() }))
	resumed, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
	require.NoError(t, err)
	_, err = h.engine.Discover(t.Context(), h.caller, &rest.DiscoverRequest{GraphID: failed.GraphID, Credentials: noCredentials, Adopt: true})
	require.Equal(t, resumed.RunID, h.refused(engine.Conflict, err).RunID)
	close(gate)
	require.True(t, h.wait(resumed).Success)
}
