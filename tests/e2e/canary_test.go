package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// cage is a site whose every answer is kept, and the secrets that it is given.
type cage struct {
	*site
	recorder *recorder
	canaries map[string]canary
	boxes    []string
	seen     haystack // of processes
}

func newCage(t *testing.T, settings map[string]any) *cage {
	t.Helper()
	c := &cage{recorder: &recorder{}, canaries: map[string]canary{}, seen: haystack{}}
	c.site = start(t, func(o *rig.HostOptions) {
		o.Transport = c.recorder
		for provider, of := range settings {
			o.Settings[provider] = of
		}
	})
	return c
}

// secret makes a canary, by what it is used as.
func (c *cage) secret(name string) string {
	c.canaries[name] = newCanary()
	return c.canaries[name].value()
}

func (c *cage) credential(provider, name string) string {
	return c.sealed(provider, func(s *rig.Sealer) (string, error) { return s.Credential(c.secret(name)) })
}

func (c *cage) property(provider, resourceType, pointer, name string) string {
	return c.sealed(provider, func(s *rig.Sealer) (string, error) { return s.Property(resourceType, pointer, c.secret(name)) })
}

// sealed keeps the box as well: it is as little to be seen as what is in it.
func (c *cage) sealed(provider string, seal func(*rig.Sealer) (string, error)) string {
	c.Helper()
	sealer, err := rig.NewSealer(c.ctx, c.Client, provider)
	require.NoError(c, err)
	box, err := seal(sealer)
	require.NoError(c, err)
	c.boxes = append(c.boxes, box)
	return box
}

// look takes down what the processes show while they live.
func (c *cage) look() {
	c.Helper()
	c.seen.addProcess(c.T, "host", c.PID())
	providers := c.Providers()
	require.NotEmpty(c, providers)
	for _, p := range providers {
		c.seen.addProcess(c.T, p.Provider, p.PID)
	}
}

// everything is all that the canaries could have got into.
func (c *cage) everything() haystack {
	all := haystack{}
	all.addFiles(c.T, filepath.Dir(c.LogPath())) // data directory and log
	c.recorder.copyTo(all)
	for where, content := range c.seen {
		all[where] = content
	}
	return all
}

// mustBeEmpty searches while the host lives, with its write-ahead log, and again when it has ended.
func (c *cage) mustBeEmpty() {
	c.Helper()
	all := c.everything()
	for _, suffix := range []string{"mgraph-deploy.db", "mgraph-deploy.db-wal", "mgraph-deploy.db-shm", "host.log", "cmdline", "environ"} {
		require.True(c, slices.ContainsFunc(keysOf(all), func(name string) bool { return strings.HasSuffix(name, suffix) }), suffix)
	}
	c.searchIn(all)
	require.NoError(c, c.Stop(c.ctx))
	c.searchIn(c.everything())
}

func (c *cage) searchIn(all haystack) {
	c.Helper()
	for name, secret := range c.canaries {
		require.Empty(c, all.find(secret), "the secret that is %s has got out", name)
	}
	for where, content := range all {
		for _, box := range c.boxes {
			require.NotContains(c, string(content), box, "%s shows a sealed box", where)
		}
	}
}

func keysOf(h haystack) (names []string) {
	for name := range h {
		names = append(names, name)
	}
	return names
}

// readAll asks for all that can be asked about a run.
func (c *cage) readAll(result *rest.RunResult, resources ...string) {
	c.Helper()
	paths := []string{
		"/deploy/status/" + result.GraphID, "/deploy/plan/" + result.GraphID, "/deploy/runs/" + result.RunID, "/deploy/runs",
		"/deployments", "/deploy/history/" + result.DeploymentID, "/deploy/compare?from=" + result.GraphID + "&to=" + result.GraphID,
		"/deploy/events/" + result.GraphID, "/deploy/events/" + result.GraphID + "?after=" + rest.EventID(result.RunID, 0),
		"/info/status", "/info/version", "/info/whoami", "/providers", "/providers/noop", "/resource-types", "/openapi.json",
	}
	for _, view := range []string{"spec", "execution"} {
		for _, format := range []string{"json", "mgraph", "dot", "mermaid"} {
			paths = append(paths, "/deploy/graph/"+result.GraphID+"?view="+view+"&format="+format)
		}
	}
	for _, id := range resources {
		paths = append(paths, "/deploy/logs/"+result.GraphID+"/"+id, "/deploy/outputs/"+result.GraphID+"/"+id)
	}
	for _, path := range paths {
		c.ask(http.MethodGet, path, nil)
	}
}

// provoke sends secrets to where none belong. Each request is refused.
func (c *cage) provoke() {
	c.Helper()
	for _, body := range []string{
		`{"config": {"deployment_id": "` + c.core("a deployment id") + ` "}}`,
		`{"config": {"deployment_id": "app", "resources": {"a": {"type": "noop:thing", "properties": {"sleep_ms": "` + c.core("a wrong number") + `"}}}}}`,
		`{"config": {"deployment_id": "app", "resources": {"a": {"type": "noop:thing", "properties": {"secret": "` + c.core("a secret in clear") + `"}}}}}`,
		`{"config": {"deployment_id": "app", "credentials": {"noop": {"encrypted_secret": "` + c.core("a credential in clear") + `"}}, "resources": {"a": {"type": "noop:thing"}}}}`,
		`{"config": {"deployment_id": "app", "credentials": "` + c.core("credentials of a wrong shape") + `"}}`,
		`{"config": {"credentials": {"noop": {"token": "` + c.core("a cut body"),
		`{"sealed_properties": {"/resources/x/properties/y": "` + c.core("a box for nothing") + `"}, "graph_id": "00000000"}`,
	} {
		for _, path := range []string{"/deploy/apply", "/deploy/plan", "/deploy/verify", "/deploy/destroy"} {
			c.ask(http.MethodPost, path, []byte(body))
		}
	}
	c.ask(http.MethodGet, "/deployments", nil, "Authorization", "Bearer "+c.core("a wrong key"))
	c.ask(http.MethodGet, "/deployments", nil, "X-API-Key", c.core("another wrong key"))
	c.ask(http.MethodGet, "/deploy/runs?status="+c.core("a query"), nil)
	c.ask(http.MethodGet, "/deploy/status/"+c.core("a path"), nil)
	c.ask(http.MethodGet, "/"+c.core("a route"), nil)
	c.ask("BREW"+c.core("a method"), "/deployments", nil)
	c.ask(http.MethodGet, "/deployments", nil, "Traceparent", c.core("a trace"), "User-Agent", c.core("a browser"))
}

// core is a canary that needs no quoting.
func (c *cage) core(name string) string {
	c.secret(name)
	return c.canaries[name].core
}

// TestNoSecretIsSeenAnywhere: whatever becomes of a run, its secrets are in the provider's memory and nowhere else.
func TestNoSecretIsSeenAnywhere(t *testing.T) {
	t.Parallel()
	c := newCage(t, nil)
	thing := func(name, more string) string {
		return `{"type": "noop:thing", "properties": {"secret": "` + c.property("noop", "noop:thing", "/secret", name) + `"` + more + `}}`
	}
	control := newCanary()
	good := config(t, "good", `{"a": `+thing("a sealed property", `, "value": "`+control.core+`", "stderr_bytes": 4096`)+`,
		"b": {"type": "noop:thing", "references": {"from": "a.fingerprint"}}}`)
	good.Credentials = rest.Credentials{"noop": encode(t, map[string]string{
		"token": c.secret("a credential in clear, which is the caller's choice"), "encrypted_secret": c.credential("noop", "a sealed credential"),
	})}
	_, err := c.Client.Plan(c.ctx, &rest.PlanRequest{Config: good})
	require.NoError(t, err)
	succeeded := c.applied(good)
	c.look()
	c.readAll(succeeded, "a", "b")
	verified, err := c.Client.Verify(c.ctx, &rest.VerifyRequest{GraphID: succeeded.GraphID, Credentials: good.Credentials})
	require.NoError(t, err)
	require.True(t, verified.Success)

	bad := config(t, "bad", `{"a": `+thing("a secret of what fails", `, "fail": "provider_fault"`)+`,
		"b": `+thing("a secret of what kills its provider", `, "crash": "after_made", "crash_times": 9`)+`}`)
	bad.Credentials = rest.Credentials{"noop": encode(t, map[string]string{"encrypted_secret": c.credential("noop", "a credential of what fails")})}
	failed := c.apply(bad)
	require.False(t, failed.Success)
	c.readAll(failed, "a", "b")
	resume := []byte(`{"graph_id": "` + failed.GraphID + `", "credentials": {"noop": {}}}`)
	require.Equal(t, http.StatusUnprocessableEntity, c.ask(http.MethodPost, "/deploy/apply", resume).problem(t).Status, "its boxes are asked for")
	c.provoke()
	_, err = c.Client.Destroy(c.ctx, &rest.DestroyRequest{DeploymentID: "bad", Credentials: bad.Credentials})
	require.NoError(t, err)
	c.look()

	places := c.everything().find(control)
	require.True(t, slices.ContainsFunc(places, func(place string) bool { return strings.Contains(place, "mgraph-deploy.db") }),
		"what is no secret is in the database, and is found there: %v", places)
	require.True(t, slices.ContainsFunc(places, func(place string) bool { return strings.Contains(place, "answer") }), "%v", places)
	c.mustBeEmpty()
}

// TestNoSecretOfACloudIsSeenAnywhere is the same with the providers that people use.
func TestNoSecretOfACloudIsSeenAnywhere(t *testing.T) {
	t.Parallel()
	moto := standin.RunMoto(t)
	fake := githubfake.New(githubfake.Options{})
	github := httptest.NewServer(fake)
	t.Cleanup(github.Close)
	c := newCage(t, map[string]any{"aws": map[string]string{"endpoint": moto.URL}, "github": map[string]string{"endpoint": github.URL}})
	require.NoError(t, fake.AddRepo(githubfake.Repo{Owner: "org", Name: "repo", Private: true}))
	token := c.core("a token")
	fake.AddToken(githubfake.Token{Value: token, Login: "org", Scopes: []string{"repo"}})
	sealedToken := c.sealed("github", func(s *rig.Sealer) (string, error) { return s.Credential(token) })
	credentials := rest.Credentials{
		"aws": encode(t, map[string]string{
			"access_key_id": "AKIACANARY", "encrypted_secret_access_key": c.credential("aws", "an access key"),
			"encrypted_session_token": c.credential("aws", "a session token"),
		}),
		"github": encode(t, map[string]string{"encrypted_pat": sealedToken}),
	}
	deploy := func(id, repo, policy, name string) *rest.RunResult {
		cfg := config(t, id, `{
			"role": {"type": "aws:iam:role", "properties": {"role_name": "`+id+`", "managed_policies": ["`+policy+`"], "assume_role_policy":
				{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
			"secret": {"type": "github:secret:repo", "properties": {"owner": "org", "repo": "`+repo+`", "secret_name": "CANARY", "encrypted_value":
				"`+c.property("github", "github:secret:repo", "/encrypted_value", name)+`"}}}`)
		cfg.Credentials, cfg.Targets = credentials, nil
		return c.apply(cfg)
	}
	succeeded := deploy("good", "repo", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "a secret's value")
	require.True(t, succeeded.Success, "%+v", succeeded.FailedOperation)
	require.Equal(t, c.canaries["a secret's value"].value(), fake.Secrets("org", "repo")[0].Value, "where it belongs it has arrived")
	c.look()
	c.readAll(succeeded, "role", "secret")

	failed := deploy("bad", "nowhere", "arn:aws:iam::aws:policy/Nothing", "a value that never arrives")
	require.False(t, failed.Success)
	c.readAll(failed, "role", "secret")
	wrong := rest.Credentials{"github": encode(t, map[string]string{"encrypted_pat": c.credential("github", "a wrong token")})}
	_, err := c.Client.Destroy(c.ctx, &rest.DestroyRequest{DeploymentID: "good", Credentials: wrong})
	require.ErrorIs(t, err, rest.KindInvalid)
	for _, id := range []string{"good", "bad"} {
		_, err = c.Client.Destroy(c.ctx, &rest.DestroyRequest{DeploymentID: id, Credentials: credentials})
		require.NoError(t, err)
	}
	c.mustBeEmpty()
}

// TestAKeyIsSeenOnce: when it is made, by whoever made it.
func TestAKeyIsSeenOnce(t *testing.T) {
	t.Parallel()
	c := newCage(t, nil)
	created := c.ask(http.MethodPost, "/keys", []byte(`{"name": "root", "role": "operator"}`))
	require.Equal(t, http.StatusCreated, created.status)
	var key rest.CreatedKey
	require.NoError(t, json.Unmarshal(created.body, &key))
	operator := c.as(t, key.Secret)
	require.True(t, operator.applied(config(t, "app", chain)).Success)
	c.ask(http.MethodGet, "/keys", nil, "X-API-Key", key.Secret)
	var places []string
	for where, content := range c.everything() {
		if strings.Contains(string(content), key.Secret) || strings.Contains(string(content), strings.TrimPrefix(key.Secret, "mgd_")) {
			places = append(places, where)
		}
	}
	require.Len(t, places, 1, "%v", places)
	require.Contains(t, places[0], "POST /keys")
}
