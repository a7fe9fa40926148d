package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

// as is the site through another caller's key.
func (s *site) as(t *testing.T, secret string) *site {
	client, err := s.ClientWith(secret)
	require.NoError(t, err)
	host := *s.Host
	host.Client = client
	other := *s
	other.Host = &host
	return &other
}

func (s *site) key(name, tenant, role string) string {
	created, err := s.Client.CreateKey(s.ctx, &rest.KeyRequest{Name: name, Tenant: tenant, Role: role})
	require.NoError(s, err)
	require.NotEmpty(s, created.Secret)
	return created.Secret
}

func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	operator := s.as(t, s.key("root", "default", rest.RoleOperator)) // the first key: from now on everyone needs one
	require.Equal(t, http.StatusUnauthorized, s.ask(http.MethodGet, "/deployments", nil).problem(t).Status)
	require.Equal(t, http.StatusOK, s.ask(http.MethodGet, "/info/health", nil).status)
	require.Equal(t, http.StatusUnauthorized,
		s.ask(http.MethodGet, "/deployments", nil, "Authorization", "Bearer mgd_wrong").problem(t).Status)

	ada, bob := operator.key("ci", "ada", ""), operator.key("ci", "bob", "")
	forAda, forBob := s.as(t, ada), s.as(t, bob)
	result := forAda.applied(config(t, "app", chain))
	require.Equal(t, "ci", result.StartedBy)

	for _, path := range []string{
		"/deploy/status/" + result.GraphID, "/deploy/plan/" + result.GraphID, "/deploy/graph/" + result.GraphID,
		"/deploy/events/" + result.GraphID, "/deploy/runs/" + result.RunID, "/deploy/logs/" + result.GraphID + "/first",
		"/deploy/outputs/" + result.GraphID + "/first", "/deploy/status/" + result.GraphID + "?run=" + result.RunID,
	} {
		require.Equal(t, http.StatusNotFound, s.ask(http.MethodGet, path, nil, "Authorization", "Bearer "+bob).problem(t).Status, path)
		require.Equal(t, http.StatusOK, s.ask(http.MethodGet, path, nil, "X-API-Key", ada).status, path)
	}
	for _, path := range []string{"/deploy/apply", "/deploy/verify", "/deploy/destroy"} {
		body := []byte(`{"graph_id": "` + result.GraphID + `", "credentials": {"noop": {}}}`)
		require.Equal(t, http.StatusNotFound, s.ask(http.MethodPost, path, body, "X-API-Key", bob).problem(t).Status, path)
	}
	list, err := forBob.Client.Deployments(s.ctx, rest.ListQuery{})
	require.NoError(t, err)
	require.Empty(t, list.Deployments)

	forBob.applied(config(t, "app", chain)) // the same name is another deployment
	require.Equal(t, 2*chainSize, s.outside())
	destroyed, err := forBob.Client.Destroy(s.ctx, &rest.DestroyRequest{DeploymentID: "app", Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, destroyed.Success)
	require.Equal(t, chainSize, s.outside())
	verified, err := forAda.Client.Verify(s.ctx, &rest.VerifyRequest{GraphID: result.GraphID, Credentials: noCredentials()})
	require.NoError(t, err)
	require.True(t, verified.Success)
}

func TestKeysAreForOperators(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	operator := s.as(t, s.key("root", "default", rest.RoleOperator))
	tenant := s.as(t, operator.key("ci", "ada", rest.RoleTenant))
	_, err := tenant.Client.CreateKey(s.ctx, &rest.KeyRequest{Name: "more"})
	require.ErrorIs(t, err, rest.KindForbidden)
	_, err = tenant.Client.Keys(s.ctx)
	require.ErrorIs(t, err, rest.KindForbidden)
	_, err = tenant.Client.ReloadProviders(s.ctx)
	require.ErrorIs(t, err, rest.KindForbidden)
	who, err := tenant.Client.Whoami(s.ctx)
	require.NoError(t, err)
	require.Equal(t, rest.Whoami{Tenant: "ada", Name: "ci", Role: rest.RoleTenant, Auth: "keys"}, *who)

	require.NoError(t, operator.Client.RevokeKey(s.ctx, "ada", "ci"))
	_, err = tenant.Client.Whoami(s.ctx)
	require.ErrorIs(t, err, rest.KindUnauthorized)
	s.restart()
	_, err = operator.Client.Whoami(s.ctx)
	require.NoError(t, err, "keys outlive the process")
}

// TestABoxOfAnotherTenantIsUseless: whoever steals a sealed credential cannot have it used for himself.
func TestABoxOfAnotherTenantIsUseless(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	operator := s.as(t, s.key("root", "default", rest.RoleOperator))
	ada, bob := s.as(t, operator.key("ci", "ada", "")), s.as(t, operator.key("ci", "bob", ""))
	sealer, err := rig.NewSealer(s.ctx, ada.Client, "noop")
	require.NoError(t, err)
	stolen, err := sealer.Credential("hush")
	require.NoError(t, err)
	credentials := rest.Credentials{"noop": json.RawMessage(encode(t, map[string]string{"encrypted_secret": stolen}))}

	c := config(t, "app", chain)
	c.Credentials = credentials
	_, err = bob.Client.Apply(s.ctx, &rest.ApplyRequest{Config: c})
	require.ErrorIs(t, err, rest.KindInvalid)
	require.Zero(t, s.outside())
	require.Zero(t, s.rows()["graphs"])
	require.True(t, ada.applied(c).Success)
}
