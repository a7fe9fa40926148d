package github

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/githubfake/referee"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

// The GitHub fake's known differences from GitHub, as far as this provider meets them:
//   - its limits are counted by request, and none is ever hit unless a test asks for it;
//   - nothing lags: a secret is there as soon as its PUT is answered;
//   - the texts of its refusals are guesses; the provider reads statuses and headers only.
//
// Its form, and that of our requests, is judged by GitHub's own description of the API on every call below.

// clock moves by hand, seconds at a time, as GitHub's times do.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// stage is the whole provider in this process, before the fake.
type stage struct {
	fake     *githubfake.Fake
	url      string
	clock    *clock
	provider *provider.Provider
	keys     *sealedbox.Ring
	token    string
}

const (
	token  = "canary-personal-access-token"
	secret = "canary-value-of-the-secret"
)

func newStage(t *testing.T) *stage {
	s := &stage{clock: &clock{now: time.Now().Truncate(time.Second)}, token: token}
	s.fake = githubfake.New(githubfake.Options{Now: s.clock.Now})
	s.fake.AddToken(githubfake.Token{Value: token, Login: "me", Scopes: []string{"repo"}, ExpiresAt: s.clock.Now().Add(240 * time.Hour)})
	require.NoError(t, s.fake.AddRepo(githubfake.Repo{Owner: "my-org", Name: "my-app", Private: true}))
	server := httptest.NewServer(s.fake)
	t.Cleanup(server.Close)
	s.url = server.URL
	connections := pool()
	t.Cleanup(connections.CloseIdleConnections)
	var err error
	s.provider, err = build("1.0.0", provider.Transport(referee.New(t, connections)), s.clock.Now)
	require.NoError(t, err)
	s.keys, err = sealedbox.Generate(time.Now())
	require.NoError(t, err)
	s.provider.Use(provider.Runtime{Keys: s.keys})
	t.Cleanup(s.provider.Close)
	return s
}

func (s *stage) seal(t *testing.T, purpose, value string) string {
	t.Helper()
	box, err := sealedbox.Seal(s.keys.Primary().Key, sealedbox.Envelope{Audience: "tenant", Provider: "github", Purpose: purpose, Value: value})
	require.NoError(t, err)
	return box
}

func document(t *testing.T, value any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw
}

func (s *stage) context(t *testing.T) contract.CallContext {
	t.Helper()
	return contract.CallContext{
		CallID: "call", IdempotencyKey: "key", Attempt: 1, Tenant: "tenant", DeploymentID: "my-app", Owner: "owner-1",
		Settings:    document(t, Settings{Endpoint: s.url + "/api/v3"}),
		Credentials: document(t, map[string]string{"encrypted_pat": s.seal(t, sealedbox.PurposeCredential, s.token)}),
	}
}

func (s *stage) target(t *testing.T, value string) contract.Target {
	t.Helper()
	return contract.Target{Type: "github:secret:repo", Name: "LAMBDA_ARN__1111AAAA", Owned: true, Properties: document(t, map[string]string{
		"owner": "my-org", "repo": "my-app", "secret_name": "LAMBDA_ARN",
		"encrypted_value": s.seal(t, sealedbox.PurposeProperty("github:secret:repo", "/encrypted_value"), value),
	})}
}

func (s *stage) execute(t *testing.T, request *contract.ExecuteRequest) *contract.Result {
	t.Helper()
	request.Context = s.context(t)
	var events []contract.Event
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	result, err := s.provider.Execute(ctx, request, func(event contract.Event) { events = append(events, event) })
	require.NoError(t, err)
	said := string(document(t, result)) + string(document(t, events))
	require.NotContains(t, said, token)
	require.NotContains(t, said, secret)
	return result
}

func (s *stage) ensure(t *testing.T, change contract.Change, target contract.Target, recorded json.RawMessage) *contract.Result {
	t.Helper()
	target.RecordedOutputs = recorded
	result := s.execute(t, &contract.ExecuteRequest{Target: target, Verb: contract.VerbEnsure})
	require.Equal(t, contract.OutcomeApplied, result.Outcome, "%+v", result.Diagnostics)
	require.Equal(t, change, result.Change)
	return result
}

func (s *stage) verify(t *testing.T, target contract.Target, recorded json.RawMessage) map[string]contract.CheckStatus {
	t.Helper()
	target.RecordedOutputs = recorded
	result, err := s.provider.Verify(t.Context(), &contract.VerifyRequest{Context: s.context(t), Target: target})
	require.NoError(t, err)
	statuses := map[string]contract.CheckStatus{}
	for _, check := range result.Checks {
		statuses[check.Name] = check.Status
	}
	return statuses
}

func (s *stage) held(t *testing.T) githubfake.Secret {
	t.Helper()
	held, there := s.fake.Secret("my-org", "my-app", "LAMBDA_ARN__1111AAAA")
	require.True(t, there)
	return held
}

func TestLifeOfASecret(t *testing.T) {
	s := newStage(t)
	first := s.ensure(t, contract.ChangeCreated, s.target(t, secret), nil)
	require.Equal(t, secret, s.held(t).Value)
	require.Equal(t, "my-org/my-app/LAMBDA_ARN__1111AAAA", first.Identity)
	require.Nil(t, first.LabelsApplied)

	again := s.ensure(t, contract.ChangeNone, s.target(t, secret), first.Outputs)
	require.JSONEq(t, string(first.Outputs), string(again.Outputs))
	require.Equal(t, 1, s.held(t).Writes, "the second one wrote nothing")
	require.Equal(t, map[string]contract.CheckStatus{"exists": contract.CheckPass, "updated_at": contract.CheckPass}, s.verify(t, s.target(t, secret), first.Outputs))
	require.Equal(t, contract.CheckUnknown, s.verify(t, s.target(t, secret), nil)["value"])

	s.clock.pass(time.Second)
	second := s.ensure(t, contract.ChangeUpdated, s.target(t, "another value"), first.Outputs)
	require.Equal(t, "another value", s.held(t).Value)
	require.NotEqual(t, string(first.Outputs), string(second.Outputs))
	require.Equal(t, contract.CheckFail, s.verify(t, s.target(t, secret), first.Outputs)["updated_at"])

	for _, change := range []contract.Change{contract.ChangeDeleted, contract.ChangeNone} {
		gone := s.execute(t, &contract.ExecuteRequest{Target: s.target(t, secret), Verb: contract.VerbDelete})
		require.Equal(t, contract.OutcomeApplied, gone.Outcome)
		require.Equal(t, change, gone.Change)
	}
	require.Empty(t, s.fake.Secrets("my-org", "my-app"))
	require.Equal(t, contract.CheckFail, s.verify(t, s.target(t, secret), nil)["exists"])
}

func TestAReferencedValueIsSealedToo(t *testing.T) {
	s := newStage(t)
	target := s.target(t, secret)
	target.Properties = document(t, map[string]string{
		"owner": "my-org", "repo": "my-app", "secret_name": "LAMBDA_ARN", "value": "arn:aws:lambda:eu-west-1:123456789012:function:api",
	})
	s.ensure(t, contract.ChangeCreated, target, nil)
	require.Equal(t, "arn:aws:lambda:eu-west-1:123456789012:function:api", s.held(t).Value)
}

func TestWhatNobodyRecordedIsNotTouched(t *testing.T) {
	s := newStage(t)
	s.ensure(t, contract.ChangeCreated, s.target(t, "theirs"), nil)
	foreign := s.target(t, secret)
	foreign.Owned = false
	for _, verb := range []contract.Verb{contract.VerbCreate, contract.VerbUpdate, contract.VerbEnsure, contract.VerbDelete} {
		result := s.execute(t, &contract.ExecuteRequest{Target: foreign, Verb: verb})
		require.NotEqual(t, contract.OutcomeApplied, result.Outcome, verb)
	}
	require.Equal(t, "theirs", s.held(t).Value)
	foreign.Adopt = true
	s.ensure(t, contract.ChangeUpdated, foreign, nil)
	require.Equal(t, secret, s.held(t).Value)
}

func TestALostAnswerIsSettledByWritingAgain(t *testing.T) {
	s := newStage(t)
	require.NoError(t, s.fake.Faults().Inject(fault.Rule{Kind: fault.Drop, Method: http.MethodPut, Count: 1}))
	target := s.target(t, secret)
	lost := s.execute(t, &contract.ExecuteRequest{Target: target, Verb: contract.VerbCreate})
	require.Equal(t, contract.OutcomeUnknown, lost.Outcome)

	var found []contract.Found
	end, err := s.provider.Find(t.Context(), &contract.FindRequest{Context: s.context(t), Target: target}, func(f contract.Found) { found = append(found, f) })
	require.NoError(t, err)
	require.Equal(t, contract.Complete, end.Completeness)
	require.Len(t, found, 1)
	settled := s.execute(t, &contract.ExecuteRequest{
		Target: target, Verb: contract.VerbCreate, Existing: &found[0], PriorOutcome: contract.OutcomeUnknown,
	})
	require.Equal(t, contract.OutcomeApplied, settled.Outcome)
	require.Equal(t, 2, s.held(t).Writes)
}

func TestLimitsAreReportedAtOnce(t *testing.T) {
	s := newStage(t)
	begun := time.Now()
	s.fake.SetRemaining("me", 0)
	primary := s.execute(t, &contract.ExecuteRequest{Target: s.target(t, secret), Verb: contract.VerbCreate})
	require.Equal(t, provider.Throttled, primary.Diagnostics[0].Kind)
	require.Equal(t, contract.OutcomeNotApplied, primary.Outcome)
	require.Greater(t, primary.Diagnostics[0].RetryAfter, 50*time.Minute)

	s.fake.SetRemaining("me", 5000)
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		rule := githubfake.SecondaryLimit(status, 1, 11*time.Second)
		rule.Method = http.MethodPut
		require.NoError(t, s.fake.Faults().Inject(rule))
		secondary := s.execute(t, &contract.ExecuteRequest{Target: s.target(t, secret), Verb: contract.VerbCreate})
		require.Equal(t, provider.Throttled, secondary.Diagnostics[0].Kind)
		require.Equal(t, 11*time.Second, secondary.Diagnostics[0].RetryAfter)
		require.Equal(t, contract.OutcomeNotApplied, secondary.Outcome)
	}
	s.ensure(t, contract.ChangeCreated, s.target(t, secret), nil)
	require.Less(t, time.Since(begun), 10*time.Second, "limits are not waited out")
}

func TestWhatATokenMayNotDo(t *testing.T) {
	s := newStage(t)
	s.fake.AddToken(githubfake.Token{Value: "reader", Login: "reader", Scopes: []string{"secrets=read"}})
	s.fake.AddToken(githubfake.Token{Value: "stranger", Login: "stranger"})
	for token, test := range map[string]struct {
		kind    provider.Kind
		pointer string
	}{
		"unknown":  {provider.Unauthenticated, ""},
		"reader":   {provider.PermissionDenied, ""},
		"stranger": {provider.InvalidInput, "/repo"},
	} {
		s.token = token
		result := s.execute(t, &contract.ExecuteRequest{Target: s.target(t, secret), Verb: contract.VerbEnsure})
		require.Equal(t, test.kind, result.Diagnostics[0].Kind, token)
		require.Equal(t, test.pointer, result.Diagnostics[0].Pointer, token)
		require.Equal(t, contract.OutcomeNotApplied, result.Outcome, token)
	}
}

func TestWhoseTheTokenIs(t *testing.T) {
	s := newStage(t)
	check := func() *contract.CheckCredentialsResult {
		result, err := s.provider.CheckCredentials(t.Context(), &contract.CheckCredentialsRequest{Context: s.context(t), Identify: true})
		require.NoError(t, err)
		return result
	}
	mine := check()
	require.Equal(t, "me", mine.Principal)
	require.Equal(t, strings.TrimPrefix(s.url, "http://"), mine.Account)
	require.Empty(t, mine.Diagnostics)
	require.WithinDuration(t, s.clock.Now().Add(240*time.Hour), mine.ExpiresAt, time.Second)

	rule := githubfake.Failure(http.StatusForbidden, 1)
	rule.Path = "/user"
	require.NoError(t, s.fake.Faults().Inject(rule))
	silent := check()
	require.Empty(t, silent.Diagnostics, "a token that may not ask is good all the same")
	require.Equal(t, mine.Account, silent.Account)

	s.token = "unknown"
	require.Equal(t, provider.Unauthenticated, check().Diagnostics[0].Kind)
}

func TestWhichGitHub(t *testing.T) {
	for endpoint, host := range map[string]string{
		"": "github.com", "https://api.github.com/": "github.com", "https://github.example.com/api/v3/": "github.example.com",
		"https://api.octo.ghe.com": "octo.ghe.com", "%": "github.com",
	} {
		require.Equal(t, host, hostOf(endpoint))
	}
}

func TestTheTokenStaysWithItsHost(t *testing.T) {
	var leaked bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked = true }))
	t.Cleanup(other.Close)
	moved := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusMovedPermanently))
	t.Cleanup(moved.Close)
	connections := pool()
	t.Cleanup(connections.CloseIdleConnections)
	client, err := connector(connections, time.Now)(t.Context(), provider.Access[Credentials, Settings]{
		Credentials: Credentials{Token: provider.FakeSealed(token)}, Settings: Settings{Endpoint: moved.URL},
	})
	require.NoError(t, err)
	_, _, err = client.secrets.GetRepoPublicKey(t.Context(), "o", "r")
	require.Equal(t, provider.InvalidInput, contract.KindOf(client.classify(err)))
	require.False(t, leaked)
}

func TestTheProviderDescribesItself(t *testing.T) {
	made, err := New("1.2.3")
	require.NoError(t, err)
	about, err := made.Describe(t.Context())
	require.NoError(t, err)
	kind, ok := about.Type("github:secret:repo")
	require.True(t, ok)
	require.Equal(t, []string{"/encrypted_value"}, kind.Sensitive)
	require.Equal(t, "LAMBDA_ARN__1111AAAA", kind.Naming.Physical("lambda_arn", "1111aaaa", "", true, false))
	for _, verb := range contract.Verbs() {
		_, offered := kind.Verb(verb)
		require.True(t, offered, verb)
	}
}
