package githubfake_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-github/v92/github"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/nacl/box"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake/referee"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	owner = "acme"
	repo  = "app"
	token = "token-of-the-tests"
)

// fixture is a fake that a real client reaches through the referee, with one repository and a token for everything.
type fixture struct {
	*githubfake.Fake
	url       string
	transport http.RoundTripper
	client    *github.Client
	clock     time.Time
}

func setup(t *testing.T) *fixture {
	f := &fixture{clock: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	f.Fake = githubfake.New(githubfake.Options{Now: func() time.Time { return f.clock }})
	server := httptest.NewServer(f.Fake)
	t.Cleanup(server.Close)
	f.url = server.URL
	f.transport = referee.New(t, server.Client().Transport)
	f.AddToken(githubfake.Token{Value: token, Login: "mona", Scopes: []string{"repo"}})
	require.NoError(t, f.AddRepo(githubfake.Repo{Owner: owner, Name: repo, Private: true}))
	f.client = f.clientFor(t, token, "/")
	return f
}

func (f *fixture) clientFor(t *testing.T, token, path string) *github.Client {
	t.Helper()
	base := f.url + path
	client, err := github.NewClient(github.WithTransport(f.transport), github.WithAuthToken(token), github.WithURLs(&base, nil),
		github.WithDisableRateLimitCheck())
	require.NoError(t, err)
	return client
}

// put seals a value to the repository's key as any client must, and puts it.
func put(ctx context.Context, client *github.Client, name, value string) (*github.Response, error) {
	key, _, err := client.Actions.GetRepoPublicKey(ctx, owner, repo)
	if err != nil {
		return nil, err
	}
	sealed, err := seal(key.GetKey(), value)
	if err != nil {
		return nil, err
	}
	return client.Actions.CreateOrUpdateRepoSecret(ctx, owner, repo, name,
		github.SecretRequest{KeyID: key.GetKeyID(), EncryptedValue: sealed})
}

func seal(key, value string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return "", err
	}
	sealed, err := box.SealAnonymous(nil, []byte(value), (*[32]byte)(raw), nil)
	return base64.StdEncoding.EncodeToString(sealed), err
}

// status is the status of an answer that go-github gives as an error.
func status(t *testing.T, err error) int {
	t.Helper()
	var response *github.ErrorResponse
	require.ErrorAs(t, err, &response)
	return response.Response.StatusCode
}

func TestSecretLivesAndDies(t *testing.T) {
	f, ctx := setup(t), t.Context()

	resp, err := put(ctx, f.client, "Deploy_Arn", "arn:one")
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, resp.StatusCode)
	held, ok := f.Secret(owner, repo, "DEPLOY_ARN")
	require.True(t, ok)
	require.Equal(t, githubfake.Secret{Name: "DEPLOY_ARN", Value: "arn:one", CreatedAt: f.clock, UpdatedAt: f.clock, Writes: 1}, held)

	created := f.clock
	f.clock = f.clock.Add(time.Minute)
	resp, err = put(ctx, f.client, "deploy_arn", "arn:two")
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	require.Equal(t,
		[]githubfake.Secret{{Name: "DEPLOY_ARN", Value: "arn:two", CreatedAt: created, UpdatedAt: f.clock, Writes: 2}},
		f.Secrets(owner, repo), "one secret, whatever the case of its name")

	secret, _, err := f.client.Actions.GetRepoSecret(ctx, "ACME", "App", "dePLOY_arn")
	require.NoError(t, err)
	require.Equal(t, "DEPLOY_ARN", secret.Name)
	require.True(t, secret.UpdatedAt.Equal(github.Timestamp{Time: f.clock}))

	_, err = f.client.Actions.DeleteRepoSecret(ctx, owner, repo, "deploy_arn")
	require.NoError(t, err)
	require.Empty(t, f.Secrets(owner, repo))
	_, err = f.client.Actions.DeleteRepoSecret(ctx, owner, repo, "deploy_arn")
	require.Equal(t, http.StatusNotFound, status(t, err))
}

func TestEnterprisePathReachesTheSameAPI(t *testing.T) {
	f, ctx := setup(t), t.Context()
	client := f.clientFor(t, token, "/api/v3/")
	_, err := put(ctx, client, "A", "x")
	require.NoError(t, err)
	_, _, err = f.client.Actions.GetRepoSecret(ctx, owner, repo, "A")
	require.NoError(t, err)
}

func TestUserRepositoryAndRateLimit(t *testing.T) {
	f, ctx := setup(t), t.Context()
	user, resp, err := f.client.Users.Get(ctx, "")
	require.NoError(t, err)
	require.Equal(t, "mona", user.GetLogin())
	require.Equal(t, "repo", resp.Header.Get("X-OAuth-Scopes"))
	require.NotEmpty(t, resp.Header.Get("X-GitHub-Request-Id"))

	got, _, err := f.client.Repositories.Get(ctx, owner, repo)
	require.NoError(t, err)
	require.Equal(t, "acme/app", got.GetFullName())
	require.True(t, got.GetPrivate())

	limits, _, err := f.client.RateLimit.Get(ctx)
	require.NoError(t, err)
	require.Equal(t, 4998, limits.GetCore().Remaining, "asking for the limit costs nothing")
}

func TestListIsPaged(t *testing.T) {
	f, ctx := setup(t), t.Context()
	for n := range 7 {
		_, err := put(ctx, f.client, fmt.Sprintf("S%d", n), "x")
		require.NoError(t, err)
	}
	for _, base := range []string{"/", "/api/v3/"} {
		client := f.clientFor(t, token, base)
		var names []string
		for secret, err := range client.Actions.ListRepoSecretsIter(ctx, owner, repo, &github.ListOptions{PerPage: 3}) {
			require.NoError(t, err)
			names = append(names, secret.Name)
		}
		require.Equal(t, []string{"S0", "S1", "S2", "S3", "S4", "S5", "S6"}, names)
	}
	middle, resp, err := f.client.Actions.ListRepoSecrets(ctx, owner, repo, &github.ListOptions{PerPage: 3, Page: 2})
	require.NoError(t, err)
	require.Equal(t, 7, middle.TotalCount)
	require.Equal(t, [4]int{1, 1, 3, 3}, [4]int{resp.FirstPage, resp.PrevPage, resp.NextPage, resp.LastPage})
	beyond, _, err := f.client.Actions.ListRepoSecrets(ctx, owner, repo, &github.ListOptions{PerPage: 3, Page: 9})
	require.NoError(t, err)
	require.Empty(t, beyond.Secrets)
}

func TestAccess(t *testing.T) {
	f, ctx := setup(t), t.Context()
	require.NoError(t, f.AddRepo(githubfake.Repo{Owner: owner, Name: "open"}))
	require.NoError(t, f.AddRepo(githubfake.Repo{Owner: owner, Name: "old", Archived: true}))
	f.AddToken(githubfake.Token{Value: "looks", Login: "mona"})
	f.AddToken(githubfake.Token{Value: "reads", Login: "mona", Scopes: []string{"secrets=read"}})
	f.AddToken(githubfake.Token{Value: "writes", Login: "mona", Scopes: []string{"secrets=write"}})
	f.AddToken(githubfake.Token{Value: "expired", Login: "mona", Scopes: []string{"repo"}, ExpiresAt: f.clock})
	_, err := put(ctx, f.client, "KEPT", "x")
	require.NoError(t, err)

	read := func(c *github.Client, repo string) error {
		_, _, err := c.Actions.ListRepoSecrets(ctx, owner, repo, nil)
		return err
	}
	remove := func(c *github.Client, repo string) error {
		_, err := c.Actions.DeleteRepoSecret(ctx, owner, repo, "ABSENT")
		return err
	}
	tests := []struct {
		name, token, repo string
		call              func(*github.Client, string) error
		want              int
	}{
		{"unknown token", "nobody", repo, read, 401},
		{"expired token", "expired", repo, read, 401},
		{"unknown repository", token, "absent", read, 404},
		{"private repository is hidden", "looks", repo, read, 404},
		{"secrets of a public repository", "looks", "open", read, 403},
		{"reader reads", "reads", repo, read, 200},
		{"reader does not write", "reads", repo, remove, 403},
		{"writer writes", "writes", repo, remove, 404},
		{"archived is readable", token, "old", read, 200},
		{"archived is not writable", token, "old", remove, 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.call(f.clientFor(t, test.token, "/"), test.repo)
			if test.want == 200 {
				require.NoError(t, err)
				return
			}
			require.Equal(t, test.want, status(t, err))
		})
	}
	require.Len(t, f.Secrets(owner, repo), 1)
}

func TestPutIsJudged(t *testing.T) {
	f, ctx := setup(t), t.Context()
	key, _, err := f.client.Actions.GetRepoPublicKey(ctx, owner, repo)
	require.NoError(t, err)
	good, err := seal(key.GetKey(), "value")
	require.NoError(t, err)
	large, err := seal(key.GetKey(), strings.Repeat("x", 48*1024+1))
	require.NoError(t, err)
	public, _, err := box.GenerateKey(rand.Reader)
	require.NoError(t, err)
	foreign, err := seal(base64.StdEncoding.EncodeToString(public[:]), "value")
	require.NoError(t, err)
	body := func(sealed, keyID string) string {
		return fmt.Sprintf(`{"encrypted_value":%q,"key_id":%q}`, sealed, keyID)
	}
	flipped := []byte(good)
	flipped[20] ^= 1

	tests := []struct {
		name, secret, body string
		want               int
	}{
		{"no JSON", "A", "{", 400},
		{"no object", "A", "[]", 400},
		{"no value", "A", `{"key_id":"1"}`, 422},
		{"no key", "A", fmt.Sprintf(`{"encrypted_value":%q}`, good), 422},
		{"no base64", "A", body("not base64!", key.GetKeyID()), 422},
		{"no sealed box", "A", body("aGVsbG8=", key.GetKeyID()), 422},
		{"damaged box", "A", body(string(flipped), key.GetKeyID()), 422},
		{"sealed to another key", "A", body(foreign, key.GetKeyID()), 422},
		{"unknown key", "A", body(good, "1"), 422},
		{"too large", "A", body(large, key.GetKeyID()), 422},
		{"name with a dash", "A-B", body(good, key.GetKeyID()), 422},
		{"name with a digit first", "1A", body(good, key.GetKeyID()), 422},
		{"reserved name", "github_token", body(good, key.GetKeyID()), 422},
		{"body of two megabytes", "A", strings.Repeat(" ", 2<<20), 413},
		{"in order", "A", body(good, key.GetKeyID()), 201},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := len(f.Secrets(owner, repo))
			require.Equal(t, test.want, f.send(t, http.MethodPut, "/repos/acme/app/actions/secrets/"+test.secret, test.body))
			if test.want != 201 {
				require.Len(t, f.Secrets(owner, repo), before)
			}
		})
	}
}

// send makes a call that a proper client would not make, around the referee.
func (f *fixture) send(t *testing.T, method, path, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func TestRotatedKeyRefusesOldBoxes(t *testing.T) {
	f, ctx := setup(t), t.Context()
	old, _, err := f.client.Actions.GetRepoPublicKey(ctx, owner, repo)
	require.NoError(t, err)
	sealed, err := seal(old.GetKey(), "value")
	require.NoError(t, err)
	require.NoError(t, f.RotateKey(owner, repo))

	request := github.SecretRequest{KeyID: old.GetKeyID(), EncryptedValue: sealed}
	_, err = f.client.Actions.CreateOrUpdateRepoSecret(ctx, owner, repo, "A", request)
	require.Equal(t, http.StatusUnprocessableEntity, status(t, err))
	_, err = put(ctx, f.client, "A", "value")
	require.NoError(t, err)
	require.Error(t, f.RotateKey(owner, "absent"))
}

func TestPrimaryRateLimit(t *testing.T) {
	f, ctx := setup(t), t.Context()
	f.SetRemaining("mona", 1)
	_, resp, err := f.client.Repositories.Get(ctx, owner, repo)
	require.NoError(t, err)
	require.Zero(t, resp.Rate.Remaining)

	_, _, err = f.client.Repositories.Get(ctx, owner, repo)
	var limited *github.RateLimitError
	require.ErrorAs(t, err, &limited)
	require.Equal(t, http.StatusForbidden, limited.Response.StatusCode)
	require.True(t, limited.Rate.Reset.Equal(github.Timestamp{Time: f.clock.Add(time.Hour)}))

	f.clock = f.clock.Add(time.Hour)
	_, resp, err = f.client.Repositories.Get(ctx, owner, repo)
	require.NoError(t, err)
	require.Equal(t, 4999, resp.Rate.Remaining)
}

func TestSecondaryRateLimit(t *testing.T) {
	for _, code := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			f, ctx := setup(t), t.Context()
			require.NoError(t, f.Faults().Inject(githubfake.SecondaryLimit(code, 1, 2*time.Second)))
			_, _, err := f.client.Repositories.Get(ctx, owner, repo)
			var limited *github.AbuseRateLimitError
			require.ErrorAs(t, err, &limited)
			require.Equal(t, 2*time.Second, limited.GetRetryAfter())
			require.Equal(t, code, limited.Response.StatusCode)
		})
	}
}

func TestFaults(t *testing.T) {
	f, ctx := setup(t), t.Context()
	failing := githubfake.Failure(http.StatusConflict, 1)
	failing.Method = http.MethodPut
	require.NoError(t, f.Faults().Inject(failing))
	_, err := put(ctx, f.client, "A", "x")
	require.Equal(t, http.StatusConflict, status(t, err))
	require.Empty(t, f.Secrets(owner, repo))

	require.NoError(t, f.Faults().Inject(fault.Rule{Kind: fault.Drop, Method: http.MethodPut, Count: 1}))
	_, err = put(ctx, f.client, "A", "x")
	require.True(t, errors.Is(err, io.EOF), "%v", err)
	require.Len(t, f.Secrets(owner, repo), 1, "the answer is lost, the secret is there")
	last := f.Requests()[len(f.Requests())-1]
	require.Equal(t, githubfake.Request{
		Method: "PUT", Path: "/repos/acme/app/actions/secrets/A", Status: 201, Login: "mona",
	}, last)
}

func TestConcurrentPutsMakeOneSecret(t *testing.T) {
	f, ctx := setup(t), t.Context()
	var created sync.Map
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			resp, err := put(ctx, f.client, "SHARED", fmt.Sprint(n))
			if err == nil && resp.StatusCode == http.StatusCreated {
				created.Store(n, true)
			}
		})
	}
	group.Wait()
	count := 0
	created.Range(func(_, _ any) bool { count++; return true })
	require.Equal(t, 1, count)
	held := f.Secrets(owner, repo)
	require.Len(t, held, 1)
	require.Equal(t, 8, held[0].Writes)
}

func TestUnknownRouteIsNotFound(t *testing.T) {
	f := setup(t)
	require.Equal(t, http.StatusNotFound, f.send(t, http.MethodGet, "/repos/acme/app/environments", ""))
	require.Equal(t, http.StatusNotFound, f.send(t, http.MethodPost, "/repos/acme/app/actions/secrets/A", ""))
}

func TestValuesAreNotPrinted(t *testing.T) {
	values := []any{
		githubfake.Token{Value: "hush", Login: "mona"}, githubfake.Secret{Name: "A", Value: "hush"},
		[]githubfake.Secret{{Name: "A", Value: "hush"}},
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range values {
			require.NotContains(t, fmt.Sprintf(verb, value), "hush")
		}
	}
}

func TestRequestsAreACopy(t *testing.T) {
	f := setup(t)
	require.Equal(t, http.StatusNotFound, f.send(t, http.MethodGet, "/nowhere", ""))
	taken := f.Requests()
	taken[0].Path = "changed"
	require.True(t, slices.ContainsFunc(f.Requests(), func(r githubfake.Request) bool { return r.Path == "/nowhere" }))
}
