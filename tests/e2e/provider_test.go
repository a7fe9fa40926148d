package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

func TestARunSurvivesItsProvider(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	run := s.begin(config(t, "app", slowly))
	s.until("something is made", func() bool { return s.outside() > 0 })
	killed := s.Providers()
	require.Len(t, killed, 1)
	require.NoError(t, killed[0].Kill())
	result := s.await(run.RunID)
	require.True(t, result.Success, "%+v", result.FailedOperation)
	require.Equal(t, 3, s.outside())
	require.NotEqual(t, killed, s.Providers())
	require.Equal(t, 1, s.provider().Restarts)
}

// TestWhoeverAsksRightAfterAProviderDiedNoticesNothing: another one is started for him.
func TestWhoeverAsksRightAfterAProviderDiedNoticesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result := s.applied(config(t, "app", chain))
	for range 3 {
		require.NoError(t, s.Providers()[0].Kill())
		verified, err := s.Client.Verify(s.ctx, &rest.VerifyRequest{GraphID: result.GraphID, Credentials: noCredentials()})
		require.NoError(t, err)
		require.True(t, verified.Success, "%+v", verified.Checks)
	}
}

// provider is how the provider noop stands.
func (s *site) provider() rest.ProviderStatus {
	s.Helper()
	list, err := s.Client.Providers(s.ctx)
	require.NoError(s, err)
	for _, provider := range list.Providers {
		if provider.Name == "noop" {
			return provider
		}
	}
	require.Fail(s, "the provider is not there")
	return rest.ProviderStatus{}
}

// TestWhatKillsItsProviderIsSetAside: one poisoned input fails by itself, however often it is tried, and in the end the provider
// that it kills is named.
func TestWhatKillsItsProviderIsSetAside(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result := s.apply(config(t, "app", `{
		"poison": {"type": "noop:thing", "properties": {"crash": "before_write", "crash_times": 1000}},
		"behind": {"type": "noop:thing", "depends_on": ["poison"]}
	}`))
	require.False(t, result.Success)
	require.Equal(t, "poison", result.FailedOperation.ResourceID)
	require.Equal(t, "interrupted", result.FailedOperation.ErrorType)
	require.Equal(t, map[string]string{"poison": "failed", "behind": "blocked"}, s.statuses(result.GraphID))
	require.True(t, s.applied(config(t, "healthy", `{"well": {"type": "noop:thing"}}`)).Success, "others are served")

	body := []byte(`{"graph_id": "` + result.GraphID + `", "credentials": {"noop": {}}}`)
	var refused *answer
	for range 6 {
		if refused = s.ask(http.MethodPost, "/deploy/apply", body); refused.status != http.StatusOK {
			break
		}
	}
	problem := refused.problem(t)
	require.Equal(t, http.StatusServiceUnavailable, problem.Status)
	require.Equal(t, "broken", s.provider().Status)
	require.NotEmpty(t, s.provider().Error)
	system, err := s.Client.SystemStatus(s.ctx)
	require.NoError(t, err)
	require.Equal(t, "degraded", system.Status)
}

// ownPlugins gives a site a plugins directory that it may change.
func ownPlugins(t *testing.T) (dir, executable string) {
	dir = t.TempDir()
	executable = rig.Plugin(dir, "noop", rig.Version)
	content, err := os.ReadFile(rig.Plugin(kit.Plugins, "noop", rig.Version))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(executable), 0o755))
	require.NoError(t, os.WriteFile(executable, content, 0o755))
	return dir, executable
}

func TestAChangedProviderIsRefused(t *testing.T) {
	t.Parallel()
	dir, executable := ownPlugins(t)
	s := start(t, func(o *rig.HostOptions) { o.PluginsDir = dir })
	result := s.applied(config(t, "app", chain))
	require.NoError(t, s.Stop(s.ctx))

	file, err := os.OpenFile(executable, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString("changed")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.NoError(t, s.Start(s.ctx))
	for _, request := range []string{"/deploy/destroy", "/deploy/verify"} {
		body := []byte(`{"graph_id": "` + result.GraphID + `", "credentials": {"noop": {}}}`)
		require.Equal(t, http.StatusServiceUnavailable, s.ask(http.MethodPost, request, body).problem(t).Status)
	}
	require.Equal(t, "broken", s.provider().Status)
	require.Contains(t, s.provider().Error, "not the one first used")
	require.Equal(t, chainSize, s.outside())
}

func TestAGraphStaysWithItsProviderVersion(t *testing.T) {
	t.Parallel()
	dir, executable := ownPlugins(t)
	s := start(t, func(o *rig.HostOptions) { o.PluginsDir = dir })
	result := s.applied(config(t, "app", chain))
	require.NoError(t, os.Remove(executable))
	list, err := s.Client.ReloadProviders(s.ctx)
	require.NoError(t, err)
	require.Empty(t, list.Providers)
	body := []byte(`{"graph_id": "` + result.GraphID + `", "credentials": {"noop": {}}}`)
	problem := s.ask(http.MethodPost, "/deploy/verify", body).problem(t)
	require.Equal(t, http.StatusConflict, problem.Status)
	require.Equal(t, "noop", problem.Provider)
	_, err = s.Client.Plan(s.ctx, &rest.PlanRequest{Config: config(t, "new", chain)})
	require.NoError(t, err, "a plan says what is wrong, and is an answer")
}
