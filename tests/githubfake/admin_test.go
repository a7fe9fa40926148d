package githubfake_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
)

// ask uses a route under /_fake/ as another process would, and decodes what it gives into out.
func (f *fixture) ask(t *testing.T, method, path string, in, out any) int {
	t.Helper()
	body, err := json.Marshal(in)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	if out != nil {
		require.NoError(t, json.NewDecoder(resp.Body).Decode(out))
	}
	return resp.StatusCode
}

func TestAnotherProcessSeedsAndReads(t *testing.T) {
	f, ctx := setup(t), t.Context()
	require.Equal(t, 204, f.ask(t, "POST", "/_fake/repos", map[string]any{"owner": "Acme", "name": "second", "private": true}, nil))
	seed := map[string]any{"token": "other", "login": "hubot", "scopes": []string{"repo"}}
	require.Equal(t, 204, f.ask(t, "POST", "/_fake/tokens", seed, nil))
	got, _, err := f.clientFor(t, "other", "/").Repositories.Get(ctx, "acme", "second")
	require.NoError(t, err)
	require.True(t, got.GetPrivate())

	_, err = put(ctx, f.client, "A", "opened")
	require.NoError(t, err)
	var secret githubfake.Secret
	require.Equal(t, 200, f.ask(t, "GET", "/_fake/repos/acme/app/secrets/a", nil, &secret))
	require.Equal(t, "opened", secret.Value)
	var secrets []githubfake.Secret
	require.Equal(t, 200, f.ask(t, "GET", "/_fake/repos/acme/app/secrets", nil, &secrets))
	require.Equal(t, []githubfake.Secret{secret}, secrets)
	require.Equal(t, 404, f.ask(t, "GET", "/_fake/repos/acme/app/secrets/absent", nil, nil))

	var requests []githubfake.Request
	require.Equal(t, 200, f.ask(t, "GET", "/_fake/requests", nil, &requests))
	require.Equal(t, f.Requests(), requests)
}

func TestAnotherProcessMakesTrouble(t *testing.T) {
	f, ctx := setup(t), t.Context()
	limit := map[string]any{"kind": "secondary_limit", "status": 429, "count": 1, "retry_after_seconds": 3, "method": "GET"}
	require.Equal(t, 204, f.ask(t, "POST", "/_fake/faults", limit, nil))
	_, resp, err := f.client.Repositories.Get(ctx, owner, repo)
	require.Error(t, err)
	require.Equal(t, "3", resp.Header.Get("Retry-After"))

	require.Equal(t, 204, f.ask(t, "POST", "/_fake/faults", map[string]any{"kind": "fail", "count": 5, "path": "/repos/"}, nil))
	_, _, err = f.client.Repositories.Get(ctx, owner, repo)
	require.Equal(t, 500, status(t, err))
	require.Equal(t, 204, f.ask(t, "DELETE", "/_fake/faults", nil, nil))
	require.Equal(t, 204, f.ask(t, "POST", "/_fake/repos/acme/app/rotate-key", nil, nil))
	_, _, err = f.client.Repositories.Get(ctx, owner, repo)
	require.NoError(t, err)

	require.Equal(t, 204, f.ask(t, "POST", "/_fake/remaining", map[string]any{"login": "mona", "remaining": 0}, nil))
	_, resp, err = f.client.Repositories.Get(ctx, owner, repo)
	require.Error(t, err)
	require.Equal(t, 403, resp.StatusCode)
}

func TestRoutesForOtherProcessesRefuseNonsense(t *testing.T) {
	f := setup(t)
	for path, body := range map[string]any{
		"/_fake/repos":                        "no object",
		"/_fake/tokens":                       map[string]any{"token": "x", "unknown": 1},
		"/_fake/faults":                       map[string]any{"kind": "explode", "count": 1},
		"/_fake/remaining":                    map[string]any{"login": "", "remaining": 1},
		"/_fake/repos/acme/absent/rotate-key": nil,
	} {
		require.Equal(t, 400, f.ask(t, "POST", path, body, nil), path)
	}
	require.Zero(t, f.Faults().Pending())
}
