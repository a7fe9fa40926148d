package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/api"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func withKeys(h *host) {
	h.keys.keys = []store.APIKey{
		{Name: "root", Tenant: "default", Role: rest.RoleOperator, Hash: api.HashKey("operator-secret")},
		{Name: "pipe", Tenant: "acme", Role: rest.RoleTenant, Hash: api.HashKey("tenant-secret")},
	}
}

func TestWhoNeedsAKey(t *testing.T) {
	tests := []struct {
		name   string
		mode   api.AuthMode
		listen string
		keys   bool
		want   int
	}{
		{"auto, loopback, no keys", api.AuthAuto, "127.0.0.1:8080", false, 200},
		{"auto, loopback by name", api.AuthAuto, "localhost:8080", false, 200},
		{"auto, IPv6 loopback", api.AuthAuto, "[::1]:8080", false, 200},
		{"auto, in process", api.AuthAuto, "", false, 200},
		{"auto, loopback, with keys", api.AuthAuto, "127.0.0.1:8080", true, 401},
		{"auto, every address", api.AuthAuto, ":8080", false, 401},
		{"auto, any address", api.AuthAuto, "0.0.0.0:8080", false, 401},
		{"keys, loopback, no keys", api.AuthKeys, "127.0.0.1:8080", false, 401},
		{"off, with keys", api.AuthOff, "127.0.0.1:8080", true, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := serve(t, func(o *api.Options) { o.Auth, o.Listen = test.mode, test.listen })
			if test.keys {
				withKeys(h)
			}
			reply := h.do(t, "GET", "/deployments", "")
			require.Equal(t, test.want, reply.StatusCode)
			if test.want == http.StatusUnauthorized {
				reply.problem(t, rest.KindUnauthorized)
				require.Equal(t, "Bearer", reply.Header.Get("WWW-Authenticate"))
			}
			for _, open := range []string{"/info/health", "/openapi.json", "/docs", "/problems", "/problems/conflict"} {
				require.Equal(t, http.StatusOK, h.do(t, "GET", open, "").StatusCode, open)
			}
		})
	}
}

func TestAuthOffIsRefusedElsewhere(t *testing.T) {
	for listen, want := range map[string]error{
		":8080": api.ErrAuthOff, "0.0.0.0:80": api.ErrAuthOff, "10.1.2.3:80": api.ErrAuthOff, "odd": api.ErrAuthOff,
		"127.0.0.1:80": nil, "[::1]:80": nil,
	} {
		_, err := api.New(api.Options{Engine: newFake(), Keys: &fakeKeys{}, Auth: api.AuthOff, Listen: listen, Log: hclog.NewNullLogger()})
		require.ErrorIs(t, err, want, listen)
	}
	_, err := api.New(api.Options{Engine: newFake(), Keys: &fakeKeys{}, Auth: "maybe", Log: hclog.NewNullLogger()})
	require.ErrorIs(t, err, api.ErrAuthUnknown)
}

func TestOpenHostSaysSo(t *testing.T) {
	require.Contains(t, serve(t).log.String(), "no API key is needed")
	require.NotContains(t, serve(t, func(o *api.Options) { o.Auth = api.AuthKeys }).log.String(), "no API key is needed")
}

func TestKeysSayWhoTheCallerIs(t *testing.T) {
	tests := []struct {
		name, header, value string
		want                int
		tenant, role        string
	}{
		{"bearer", "Authorization", "Bearer tenant-secret", 200, "acme", "tenant"},
		{"bearer in any case", "Authorization", "bearer operator-secret", 200, "default", "operator"},
		{"header", "X-API-Key", "tenant-secret", 200, "acme", "tenant"},
		{"unknown", "Authorization", "Bearer other", 401, "", ""},
		{"empty", "Authorization", "Bearer ", 401, "", ""},
		{"other scheme", "Authorization", "Basic tenant-secret", 401, "", ""},
		{"a hash is no key", "X-API-Key", api.HashKey("tenant-secret"), 401, "", ""},
		{"none", "Accept", "*/*", 401, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := serve(t, func(o *api.Options) { o.Listen = ":8080" })
			withKeys(h)
			reply := h.do(t, "GET", "/info/whoami", "", test.header, test.value)
			require.Equal(t, test.want, reply.StatusCode)
			if test.want != http.StatusOK {
				reply.problem(t, rest.KindUnauthorized)
				return
			}
			var who rest.Whoami
			require.NoError(t, json.Unmarshal([]byte(reply.body), &who))
			require.Equal(t, test.tenant, who.Tenant)
			require.Equal(t, test.role, who.Role)
			require.Equal(t, "keys", who.Auth)
		})
	}
}

func TestAnotherHeaderCanCarryTheKey(t *testing.T) {
	h := serve(t, func(o *api.Options) { o.Auth, o.KeyHeader = api.AuthKeys, "X-Deploy-Key" })
	withKeys(h)
	require.Equal(t, http.StatusOK, h.do(t, "GET", "/deployments", "", "X-Deploy-Key", "tenant-secret").StatusCode)
	require.Equal(t, "acme", h.engine.callers[0].Tenant)
}

func TestOperatorsOnly(t *testing.T) {
	h := serve(t, func(o *api.Options) { o.Auth = api.AuthKeys })
	withKeys(h)
	for _, call := range [][3]string{
		{"POST", "/providers/reload", "{}"}, {"POST", "/keys", `{"name":"n"}`}, {"GET", "/keys", ""}, {"DELETE", "/keys/acme/pipe", ""},
	} {
		h.do(t, call[0], call[1], call[2], "X-API-Key", "tenant-secret").problem(t, rest.KindForbidden)
		reply := h.do(t, call[0], call[1], call[2], "X-API-Key", "operator-secret")
		require.Less(t, reply.StatusCode, 300, reply.body)
	}
}

func TestOpenHostAnswersToLoopbackNamesOnly(t *testing.T) {
	for name, want := range map[string]int{
		"127.0.0.1": 200, "localhost:8080": 200, "LOCALHOST": 200, "[::1]:80": 200, "127.9.9.9:1": 200,
		"evil.example": 421, "evil.example:8080": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421, "10.0.0.1": 421,
	} {
		require.Equal(t, want, serve(t).do(t, "GET", "/deployments", "", "Host", name).StatusCode, name)
		withKey := serve(t, func(o *api.Options) { o.Auth = api.AuthKeys })
		withKeys(withKey)
		require.Equal(t, 200, withKey.do(t, "GET", "/deployments", "", "Host", name, "X-API-Key", "tenant-secret").StatusCode, name)
	}
	serve(t).do(t, "GET", "/deployments", "", "Host", "evil.example").problem(t, rest.KindMisdirected)
}

func TestOpenHostRefusesOtherSitesPages(t *testing.T) {
	h := serve(t)
	h.do(t, "POST", "/deploy/plan", applyBody, "Sec-Fetch-Site", "cross-site").problem(t, rest.KindForbidden)
	h.do(t, "POST", "/deploy/plan", applyBody, "Origin", "https://evil.example").problem(t, rest.KindForbidden)
	require.Equal(t, 200, h.do(t, "POST", "/deploy/plan", applyBody, "Sec-Fetch-Site", "same-origin").StatusCode)
}

func TestKeyLifeCycle(t *testing.T) {
	h := serve(t)
	reply := h.do(t, "POST", "/keys", `{"name":"first","role":"operator"}`)
	require.Equal(t, http.StatusCreated, reply.StatusCode, reply.body)
	var created rest.CreatedKey
	require.NoError(t, json.Unmarshal([]byte(reply.body), &created))
	require.Equal(t, "default", created.Tenant)
	require.Regexp(t, `^mgd_[A-Za-z0-9_-]{43}$`, created.Secret)
	require.NotContains(t, h.keys.keys[0].Hash, created.Secret)
	require.NotContains(t, h.log.String(), created.Secret)

	h.do(t, "GET", "/keys", "").problem(t, rest.KindUnauthorized)
	bearer := []string{"Authorization", "Bearer " + created.Secret}
	list := h.do(t, "GET", "/keys", "", bearer...)
	require.Contains(t, list.body, `"first"`)
	require.NotContains(t, list.body, h.keys.keys[0].Hash)

	h.do(t, "POST", "/keys", `{"name":"first"}`, bearer...).problem(t, rest.KindConflict)
	problem := h.do(t, "POST", "/keys", `{"name":"no spaces","tenant":"","role":"king"}`, bearer...).problem(t, rest.KindInvalid)
	require.Len(t, problem.Errors, 2)

	h.do(t, "DELETE", "/keys/default/other", "", bearer...).problem(t, rest.KindNotFound)
	require.Equal(t, http.StatusNoContent, h.do(t, "DELETE", "/keys/default/first", "", bearer...).StatusCode)
	require.Empty(t, h.keys.keys)
}

func TestKeysThatCannotBeReadAreNoPermission(t *testing.T) {
	h := serve(t)
	h.keys.err = errors.New("disk")
	h.do(t, "GET", "/deployments", "").problem(t, rest.KindUnavailable)
}
