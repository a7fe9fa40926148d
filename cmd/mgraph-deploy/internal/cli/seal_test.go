package cli

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// fakeHost has one key for every provider, and remembers the body that was posted.
type fakeHost struct {
	ring   *sealedbox.Ring
	posted []byte
}

const awsSchema = `{"properties":{"access_key_id":{"type":"string"},"encrypted_secret_access_key":{"x-sealed":true},
	"encrypted_session_token":{"x-sealed":true},"region":{"type":"string"}},"required":["access_key_id"]}`

const githubSchema = `{"properties":{"encrypted_pat":{"x-sealed":true}},"required":["encrypted_pat"]}`

func newFakeHost(t *testing.T, w *world) *fakeHost {
	ring, err := sealedbox.Generate(time.Now())
	require.NoError(t, err)
	f := &fakeHost{ring: ring}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	w.vars["MGRAPH_DEPLOY_SERVER"] = server.URL
	return f
}

func (f *fakeHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var value any
	switch kind {
	case "public-keys":
		key := f.ring.Primary()
		value = rest.PublicKeys{Provider: name, Audience: "acme", PublicKey: rest.PublicKey{
			Algorithm: key.Algorithm, KeyID: key.ID, PublicKeyBase64: base64.StdEncoding.EncodeToString(key.Key),
		}}
	case "providers":
		value = rest.ProviderStatus{Name: name, CredentialsSchema: json.RawMessage(map[string]string{"aws": awsSchema, "github": githubSchema}[name])}
	case "resource-types":
		value = rest.ResourceType{Sensitive: []string{"/encrypted_value"}}
	default:
		f.posted = make([]byte, r.ContentLength)
		_, _ = r.Body.Read(f.posted)
		value = rest.PlanResponse{Success: true}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (f *fakeHost) open(t *testing.T, box, provider, purpose string) sealedbox.Envelope {
	envelope, err := f.ring.Open(box, sealedbox.Expect{
		Audience: "acme", Provider: provider, Purpose: purpose, Deployment: "demo", Now: time.Now(),
	})
	require.NoError(t, err)
	return envelope
}

// credentials reads what was posted.
func (f *fakeHost) credentials(t *testing.T) map[string]map[string]string {
	var body struct {
		Config struct {
			Credentials map[string]map[string]string `json:"credentials"`
		} `json:"config"`
	}
	require.NoError(t, json.Unmarshal(f.posted, &body), string(f.posted))
	return body.Config.Credentials
}

const bothClouds = `{"deployment_id":"demo","resources":{"a":{"type":"aws:s3:bucket"},"b":{"type":"github:secret:repo"}}}`

// awsEnvironment keeps the machine's own AWS configuration out of a test.
func awsEnvironment(t *testing.T, w *world) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
		"AWS_DEFAULT_REGION", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
		require.NoError(t, os.Unsetenv(name))
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(w.dir, "aws-config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(w.dir, "aws-credentials"))
}

func TestCredentialsAreSealedBeforeTheyLeave(t *testing.T) {
	w := newWorld(t)
	f := newFakeHost(t, w)
	awsEnvironment(t, w)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
	t.Setenv("AWS_SESSION_TOKEN", "canary-session")
	t.Setenv("AWS_REGION", "eu-west-1")
	w.vars["GITHUB_TOKEN"] = "canary-pat"
	plan := w.must(t, exitDone, "plan", w.file(t, "app.json", bothClouds))
	require.NotContains(t, string(f.posted)+plan.out+plan.err, "canary")

	aws := f.credentials(t)["aws"]
	require.Equal(t, "AKIAEXAMPLE", aws["access_key_id"])
	require.Equal(t, "eu-west-1", aws["region"])
	secret := f.open(t, aws["encrypted_secret_access_key"], "aws", sealedbox.PurposeCredential)
	require.Equal(t, "canary-secret", secret.Value)
	require.Equal(t, "demo", secret.Deployment)
	require.WithinDuration(t, time.Now().Add(credentialLife), secret.NotAfter, time.Minute)
	require.Equal(t, "canary-session", f.open(t, aws["encrypted_session_token"], "aws", sealedbox.PurposeCredential).Value)
	pat := f.credentials(t)["github"]["encrypted_pat"]
	require.Equal(t, "canary-pat", f.open(t, pat, "github", sealedbox.PurposeCredential).Value)
}

func TestWhereCredentialsAreLookedFor(t *testing.T) {
	w := newWorld(t)
	f := newFakeHost(t, w)
	awsEnvironment(t, w)
	app := w.file(t, "app.json", bothClouds)
	require.Contains(t, w.must(t, exitRefused, "plan", app).err, "no credentials of aws were found: set AWS_ACCESS_KEY_ID")

	w.file(t, "aws-credentials", "[work]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = from-profile\n")
	t.Setenv("AWS_PROFILE", "work")
	require.Contains(t, w.must(t, exitRefused, "plan", app).err, "no credentials of github were found: set GITHUB_TOKEN")

	require.NoError(t, os.MkdirAll(filepath.Join(w.dir, ".config", "gh"), 0o700))
	w.file(t, ".config/gh/hosts.yml", "github.com:\n    user: someone\n    oauth_token: from-gh\n")
	w.must(t, exitDone, "plan", app)
	require.Equal(t, "AKIAPROFILE", f.credentials(t)["aws"]["access_key_id"])
	require.Equal(t, "from-gh", f.open(t, f.credentials(t)["github"]["encrypted_pat"], "github", sealedbox.PurposeCredential).Value)

	// A file of one's own goes before all that; what the document brings goes before everything.
	file := w.file(t, "credentials.json", `{"github":{"pat":"from-file"}}`)
	w.must(t, exitDone, "plan", app, "--credentials-file", file)
	require.Equal(t, "from-file", f.open(t, f.credentials(t)["github"]["encrypted_pat"], "github", sealedbox.PurposeCredential).Value)
	brings := w.file(t, "brings.json", strings.Replace(bothClouds, `{"deployment_id"`, `{"credentials":{"github":{"encrypted_pat":"box"}},"deployment_id"`, 1))
	w.must(t, exitDone, "plan", brings, "--credentials-file", file)
	require.Equal(t, "box", f.credentials(t)["github"]["encrypted_pat"])
	require.Equal(t, "AKIAPROFILE", f.credentials(t)["aws"]["access_key_id"])

	w.must(t, exitDone, "plan", app, "--no-credentials")
	require.JSONEq(t, `{"config":`+bothClouds+`,"validate_only":true}`, string(f.posted))
}

func TestCredentialsFileMustBeOnesOwn(t *testing.T) {
	w := newWorld(t)
	newFakeHost(t, w)
	file := w.file(t, "credentials.json", `{"github":{"pat":"canary"}}`)
	require.NoError(t, os.Chmod(file, 0o644))
	app := w.file(t, "app.json", bothClouds)
	require.Contains(t, w.must(t, exitRefused, "plan", app, "--credentials-file", file).err, "chmod 600")
	odd := w.must(t, exitRefused, "plan", app, "--credentials-file", w.file(t, "odd.json", `{"github":"canary"}`))
	require.NotContains(t, odd.err, "canary")
}

func TestPinnedKey(t *testing.T) {
	w := newWorld(t)
	f := newFakeHost(t, w)
	app := w.file(t, "app.json", bothClouds)
	file := w.file(t, "credentials.json", `{"github":{"pat":"x"},"aws":{"access_key_id":"y"}}`)
	id := f.ring.Primary().ID
	w.must(t, exitDone, "plan", app, "--credentials-file", file, "--pin", "github="+id, "--pin", "aws="+id)
	refused := w.must(t, exitRefused, "plan", app, "--credentials-file", file, "--pin", "aws=0123456789abcdef")
	require.Contains(t, refused.err, "not the pinned one")
}

func TestSealCommand(t *testing.T) {
	w := newWorld(t)
	f := newFakeHost(t, w)
	w.in = "canary\r\n"
	sealed := w.must(t, exitDone, "seal", "--type", "github:secret:repo", "--pointer", "/encrypted_value", "--deployment", "demo")
	envelope := f.open(t, strings.TrimSpace(sealed.out), "github", sealedbox.PurposeProperty("github:secret:repo", "/encrypted_value"))
	require.Equal(t, "canary", envelope.Value)
	require.Equal(t, "demo", envelope.Deployment)

	var shown sealedValue
	require.NoError(t, json.Unmarshal([]byte(w.must(t, exitDone, "seal", "--provider", "aws", "-o", "json").out), &shown))
	require.Equal(t, sealedbox.PurposeCredential, shown.Purpose)
	require.Equal(t, f.ring.Primary().ID, shown.KeyID)

	require.Contains(t, w.must(t, exitRefused, "seal", "--type", "github:secret:repo", "--pointer", "/value").err, "at /encrypted_value only")
	w.in = "\n"
	require.Contains(t, w.must(t, exitRefused, "seal", "--provider", "aws").err, "no value")
}

func TestSecretsPrintHidden(t *testing.T) {
	require.Equal(t, "map[pat:***]", strings.ReplaceAll(sprint(plain{"pat": "canary"}), "cli.", ""))
}
