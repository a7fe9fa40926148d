package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script answers each request with the next handler, and keeps what was asked.
type script struct {
	mu    sync.Mutex
	steps []http.HandlerFunc
	asked []string
	body  string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Prefer")+r.Header.Get("Last-Event-ID")))
	if len(body) > 0 {
		s.body = string(body)
	}
	if len(s.steps) == 0 {
		s.mu.Unlock()
		http.Error(w, "the script is over", http.StatusTeapot)
		return
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	s.mu.Unlock()
	step(w, r)
}

func client(t *testing.T, steps ...http.HandlerFunc) (*rest.Client, *script) {
	s := &script{steps: steps}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := rest.NewClient(server.URL, rest.WithHTTPClient(&http.Client{Transport: transport}), rest.WithKey("secret"),
		rest.WithRetry(3, time.Millisecond, time.Millisecond), rest.WithWait(7*time.Second), rest.WithSilence(5*time.Second))
	require.NoError(t, err)
	return c, s
}

func answer(status int, value any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value)
	}
}

func problem(status int, kind rest.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(rest.Problem{Status: status, Kind: kind, RunID: "7ac40001"})
	}
}

// events sends these versions; then it ends the run, or cuts the connection.
func events(end bool, versions ...int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, ": following\n\n")
		for _, version := range versions {
			text, _ := json.Marshal(rest.Event{ID: rest.EventID("7ac40001", version), Version: version, Kind: rest.EventProgress})
			_, _ = fmt.Fprintf(w, "id: x\nevent: operation_progress\ndata: %s\n\n", text)
		}
		if end {
			_, _ = io.WriteString(w, "event: end\ndata: {\"run_id\":\"7ac40001\"}\n\n")
			return
		}
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func run(status string) *rest.RunResult {
	return &rest.RunResult{RunID: "7ac40001", GraphID: "5bec1234", Status: status}
}

func TestApplyWaitsInOneCallWhereItCan(t *testing.T) {
	c, s := client(t, answer(200, run(rest.RunCompleted)))
	result, err := c.Apply(t.Context(), &rest.ApplyRequest{GraphID: "5bec1234"})
	require.NoError(t, err)
	require.Equal(t, rest.RunCompleted, result.Status)
	require.Equal(t, []string{"POST /deploy/apply wait=7"}, s.asked)
}

func TestApplyFollowsWhatTakesLonger(t *testing.T) {
	c, s := client(t, answer(202, run(rest.RunRunning)), events(true, 1), answer(200, run(rest.RunCompleted)))
	result, err := c.Apply(t.Context(), &rest.ApplyRequest{})
	require.NoError(t, err)
	require.Equal(t, rest.RunCompleted, result.Status)
	require.Equal(t, "GET /deploy/events/5bec1234?run=7ac40001", s.asked[1])
}

func TestEventsAreToldOnceAcrossReconnections(t *testing.T) {
	c, s := client(t, answer(202, run(rest.RunRunning)), events(false, 1, 2), problem(503, rest.KindUnavailable), events(false, 3),
		events(true, 4), answer(200, run(rest.RunFailed)))
	var told []int64
	started := 0
	result, err := c.Apply(t.Context(), &rest.ApplyRequest{},
		rest.OnEvent(func(e rest.Event) { told = append(told, e.Version) }), rest.OnStarted(func(*rest.RunResult) { started++ }))
	require.NoError(t, err)
	require.Equal(t, rest.RunFailed, result.Status)
	require.Equal(t, []int64{1, 2, 3, 4}, told)
	require.Equal(t, 1, started)
	require.Equal(t, "POST /deploy/apply respond-async", s.asked[0])
	require.Equal(t, "GET /deploy/events/5bec1234?run=7ac40001 7ac40001:2", s.asked[2])
	require.Equal(t, "GET /deploy/events/5bec1234?run=7ac40001 7ac40001:3", s.asked[4])
}

func TestFollowGivesUpInTheEnd(t *testing.T) {
	c, _ := client(t, events(false), events(false), events(false))
	require.ErrorContains(t, c.Follow(t.Context(), rest.FollowFrom{GraphID: "5bec1234"}, func(rest.Event) {}), "follow events")

	c, s := client(t, problem(404, rest.KindNotFound))
	require.ErrorIs(t, c.Follow(t.Context(), rest.FollowFrom{GraphID: "5bec1234"}, func(rest.Event) {}), rest.KindNotFound)
	require.Len(t, s.asked, 1, "what cannot get better is not tried again")
}

func TestFollowReset(t *testing.T) {
	c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "event: reset\r\ndata: {}\r\n\r\n")
		events(true, 1)(w, r)
	})
	resets, told := 0, 0
	from := rest.FollowFrom{GraphID: "5bec1234", After: "other:7", Reset: func() { resets++ }}
	require.NoError(t, c.Follow(t.Context(), from, func(rest.Event) { told++ }))
	require.Equal(t, []int{1, 1}, []int{resets, told})
}

func TestSilentStreamIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	silent := func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	s := &script{steps: []http.HandlerFunc{silent, events(true)}}
	server := httptest.NewServer(s)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c, err := rest.NewClient(server.URL, rest.WithSilence(20*time.Millisecond), rest.WithRetry(3, time.Millisecond, time.Millisecond),
		rest.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	require.NoError(t, c.Follow(t.Context(), rest.FollowFrom{GraphID: "5bec1234"}, func(rest.Event) {}))
}

func TestContextEndsFollowing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	require.ErrorIs(t, c.Follow(ctx, rest.FollowFrom{GraphID: "5bec1234"}, func(rest.Event) {}), context.Canceled)
}

func TestAsyncReturnsAtOnce(t *testing.T) {
	c, s := client(t, answer(202, run(rest.RunQueued)))
	result, err := c.Destroy(t.Context(), &rest.DestroyRequest{DeploymentID: "a"}, rest.Async())
	require.NoError(t, err)
	require.Equal(t, rest.RunQueued, result.Status)
	require.Equal(t, []string{"POST /deploy/destroy respond-async"}, s.asked)
}

func TestARunIsSteered(t *testing.T) {
	c, s := client(t, answer(202, run(rest.RunRunning)), answer(202, run(rest.RunCancelling)))
	_, err := c.Continue(t.Context(), &rest.ContinueRequest{GraphID: "5bec1234", FromNode: "b", Skip: []string{"c"}}, rest.Async())
	require.NoError(t, err)
	require.JSONEq(t, `{"graph_id":"5bec1234","from_node":"b","skip":["c"]}`, s.body)
	_, err = c.Cancel(t.Context(), &rest.CancelRequest{RunID: "7ac40001", GraceSeconds: new(float64)}, rest.Async())
	require.NoError(t, err)
	require.Equal(t, []string{"POST /deploy/continue respond-async", "POST /deploy/cancel respond-async"}, s.asked)
	require.JSONEq(t, `{"run_id":"7ac40001","grace_seconds":0}`, s.body, "no grace is not the same as none named")
}

func TestProblemsAreTyped(t *testing.T) {
	c, _ := client(t, problem(409, rest.KindConflict))
	_, err := c.Verify(t.Context(), &rest.VerifyRequest{})
	require.ErrorIs(t, err, rest.KindConflict)
	var typed *rest.ProblemError
	require.True(t, errors.As(err, &typed))
	require.Equal(t, "7ac40001", typed.RunID)
}

func TestForeignAnswersAreNotRepeated(t *testing.T) {
	for name, step := range map[string]http.HandlerFunc{
		"gateway":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "canary7731", http.StatusBadGateway) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/canary7731", http.StatusFound) },
		"no problem": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(500)
			_, _ = io.WriteString(w, `{"detail":"canary7731"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := client(t, step)
			_, err := c.Whoami(t.Context())
			require.ErrorIs(t, err, rest.KindUnexpected)
			require.NotContains(t, err.Error(), "canary")
			require.Len(t, s.asked, 1)
		})
	}
}

func TestKeyIsSent(t *testing.T) {
	c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		answer(200, rest.Whoami{Name: r.Header.Get("Authorization")})(w, r)
	})
	who, err := c.Whoami(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Bearer secret", who.Name)
}

func TestDocumentIsSentAsItStands(t *testing.T) {
	const document = `{"resources": {"b":1, "a":1, "a":2},  "odd":true}`
	c, s := client(t, answer(200, rest.PlanResponse{}), answer(200, run(rest.RunCompleted)))
	_, err := c.Plan(t.Context(), &rest.PlanRequest{}, rest.WithDocument(json.RawMessage(document)))
	require.NoError(t, err)
	require.Equal(t, `{"config":`+document+`}`, s.body)
	_, err = c.Apply(t.Context(), &rest.ApplyRequest{Mode: rest.ModeStep}, rest.WithDocument(json.RawMessage(document)))
	require.NoError(t, err)
	require.Equal(t, `{"config":`+document+`,"mode":"STEP"}`, s.body)
	_, err = c.Plan(t.Context(), &rest.PlanRequest{}, rest.WithDocument(json.RawMessage(`{`)))
	require.Error(t, err)
}

func TestCallsGoWhereTheyShould(t *testing.T) {
	calls := map[string]func(context.Context, *rest.Client) error{
		"GET /deploy/plan/5bec1234": func(ctx context.Context, c *rest.Client) error { _, err := c.StoredPlan(ctx, "5bec1234"); return err },
		"GET /deploy/runs/7ac40001": func(ctx context.Context, c *rest.Client) error { _, err := c.Run(ctx, "7ac40001"); return err },
		"GET /deploy/status/5bec1234?run=7ac40001": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Status(ctx, "5bec1234", "7ac40001")
			return err
		},
		"GET /deploy/graph/a%2Fb?view=execution": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Graph(ctx, "a/b", "", "execution")
			return err
		},
		"GET /deploy/graph/5bec1234?format=dot&run=7ac40001&view=spec": func(ctx context.Context, c *rest.Client) error {
			_, err := c.GraphAs(ctx, "5bec1234", "7ac40001", "spec", "dot")
			return err
		},
		"GET /deploy/logs/5bec1234/x": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Logs(ctx, "5bec1234", "", "x")
			return err
		},
		"GET /deploy/outputs/5bec1234/x": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Outputs(ctx, "5bec1234", "", "x")
			return err
		},
		"GET /deploy/history/a%2Fb?limit=3": func(ctx context.Context, c *rest.Client) error {
			_, err := c.History(ctx, "a/b", rest.ListQuery{Limit: 3})
			return err
		},
		"GET /deploy/compare?from=1&to=2": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Compare(ctx, "1", "2")
			return err
		},
		"GET /deployments?cursor=c&limit=3": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Deployments(ctx, rest.ListQuery{Limit: 3, Cursor: "c"})
			return err
		},
		"GET /public-keys/aws": func(ctx context.Context, c *rest.Client) error { _, err := c.PublicKeys(ctx, "aws"); return err },
		"GET /providers":       func(ctx context.Context, c *rest.Client) error { _, err := c.Providers(ctx); return err },
		"GET /providers/aws":   func(ctx context.Context, c *rest.Client) error { _, err := c.Provider(ctx, "aws"); return err },
		"POST /deploy/rollback wait=7": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Rollback(ctx, &rest.RollbackRequest{DeploymentID: "a"})
			return err
		},
		"POST /providers/reload": func(ctx context.Context, c *rest.Client) error { _, err := c.ReloadProviders(ctx); return err },
		"GET /resource-types":    func(ctx context.Context, c *rest.Client) error { _, err := c.ResourceTypes(ctx); return err },
		"GET /resource-types/aws:s3:bucket": func(ctx context.Context, c *rest.Client) error {
			_, err := c.ResourceType(ctx, "aws:s3:bucket")
			return err
		},
		"GET /info/health":  func(ctx context.Context, c *rest.Client) error { return c.Health(ctx) },
		"GET /info/status":  func(ctx context.Context, c *rest.Client) error { _, err := c.SystemStatus(ctx); return err },
		"GET /info/version": func(ctx context.Context, c *rest.Client) error { _, err := c.Version(ctx); return err },
		"POST /keys": func(ctx context.Context, c *rest.Client) error {
			_, err := c.CreateKey(ctx, &rest.KeyRequest{})
			return err
		},
		"GET /keys": func(ctx context.Context, c *rest.Client) error { _, err := c.Keys(ctx); return err },
		"POST /deploy/discover": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Discover(ctx, &rest.DiscoverRequest{GraphID: "5bec1234"})
			return err
		},
		"DELETE /deployments/a%2Fb": func(ctx context.Context, c *rest.Client) error { return c.Forget(ctx, "a/b") },
		"DELETE /keys/default/x":    func(ctx context.Context, c *rest.Client) error { return c.RevokeKey(ctx, "default", "x") },
		"GET /deploy/runs?graph_id=5bec1234&kind=verify&since=2026-01-02T03%3A04%3A05.000Z&status=failed": func(ctx context.Context, c *rest.Client) error {
			_, err := c.Runs(ctx, rest.RunsQuery{GraphID: "5bec1234", Status: "failed", Kind: "verify", Since: rest.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))})
			return err
		},
	}
	for want, call := range calls {
		c, s := client(t, answer(200, map[string]any{}))
		require.NoError(t, call(t.Context(), c), want)
		require.Equal(t, []string{want}, s.asked)
	}
}

func TestServerMustBeAURL(t *testing.T) {
	for _, bad := range []string{"", "localhost:8080", "ftp://x", "http://", ":"} {
		_, err := rest.NewClient(bad)
		require.Error(t, err, bad)
	}
}
