package fault_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a server that counts what reaches it and echoes the body, with an injector before it.
type bench struct {
	*fault.Injector
	url    string
	client *http.Client
	acted  atomic.Int64
}

func setup(t *testing.T) *bench {
	b := &bench{Injector: &fault.Injector{}}
	server := httptest.NewServer(b.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.acted.Add(1)
		_, _ = w.Write(body)
	})))
	t.Cleanup(server.Close)
	b.url, b.client = server.URL, server.Client()
	return b
}

func (b *bench) post(t *testing.T, path, body string) (*http.Response, string, error) {
	t.Helper()
	resp, err := b.client.Post(b.url+path, "text/plain", strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(answer), nil
}

func TestFailAnswersInsteadOfTheServer(t *testing.T) {
	b := setup(t)
	require.NoError(t, b.Inject(fault.Rule{
		Kind: fault.Fail, Count: 1, Status: 429, RetryAfter: 1500 * time.Millisecond,
		Header: http.Header{"x-note": {"busy"}}, Body: "later",
	}))

	resp, body, err := b.post(t, "/", "hello")
	require.NoError(t, err)
	require.Equal(t, 429, resp.StatusCode)
	require.Equal(t, "2", resp.Header.Get("Retry-After"))
	require.Equal(t, "busy", resp.Header.Get("X-Note"))
	require.Equal(t, "later", body)
	require.Zero(t, b.acted.Load())

	resp, body, err = b.post(t, "/", "hello")
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "hello", body)
}

func TestDropActsAndSaysNothing(t *testing.T) {
	b := setup(t)
	require.NoError(t, b.Inject(fault.Rule{Kind: fault.Drop, Count: 1}))

	_, _, err := b.post(t, "/", "hello")
	require.ErrorIs(t, err, io.EOF)
	require.EqualValues(t, 1, b.acted.Load())
	require.Equal(t, 1, b.Struck())
	require.Zero(t, b.Pending())
}

func TestDelayWaitsForTheCallerOnly(t *testing.T) {
	b := setup(t)
	require.NoError(t, b.Inject(fault.Rule{Kind: fault.Delay, Count: 2, Wait: 30 * time.Millisecond}))

	begin := time.Now()
	_, body, err := b.post(t, "/", "hello")
	require.NoError(t, err)
	require.Equal(t, "hello", body)
	require.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)

	b.Clear()
	require.NoError(t, b.Inject(fault.Rule{Kind: fault.Delay, Count: 1, Wait: time.Hour}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url, nil)
	require.NoError(t, err)
	_, err = b.client.Do(req)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualValues(t, 1, b.acted.Load(), "a caller that left during the wait is not served")
}

func TestConditions(t *testing.T) {
	tests := []struct {
		name   string
		rule   fault.Rule
		method string
		path   string
		body   string
		struck bool
	}{
		{"everything", fault.Rule{}, "GET", "/a", "", true},
		{"method", fault.Rule{Method: "PUT"}, "PUT", "/a", "", true},
		{"other method", fault.Rule{Method: "PUT"}, "GET", "/a", "", false},
		{"path prefix", fault.Rule{Path: "/a"}, "GET", "/a/b", "", true},
		{"other path", fault.Rule{Path: "/a"}, "GET", "/b", "", false},
		{"action", fault.Rule{Match: fault.FormAction("CreateRole")}, "POST", "/", "Action=CreateRole&Version=1", true},
		{"longer action", fault.Rule{Match: fault.FormAction("CreateRole")}, "POST", "/", "Action=CreateRoleX", false},
		{"skipped", fault.Rule{Skip: 1}, "GET", "/", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := setup(t)
			test.rule.Kind, test.rule.Count, test.rule.Status = fault.Fail, 1, 503
			require.NoError(t, b.Inject(test.rule))
			req, err := http.NewRequestWithContext(t.Context(), test.method, b.url+test.path, strings.NewReader(test.body))
			require.NoError(t, err)
			resp, err := b.client.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, test.struck, resp.StatusCode == 503)
			if !test.struck {
				require.Equal(t, test.body, string(body), "a body that was looked at still reaches the server")
			}
		})
	}
}

func TestRulesAreBoundedUnderConcurrency(t *testing.T) {
	b := setup(t)
	require.NoError(t, b.Inject(fault.Rule{Kind: fault.Fail, Count: 7, Skip: 3}))
	var failed atomic.Int64
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			resp, err := b.client.Get(b.url)
			if err != nil {
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode == 500 {
				failed.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 7, failed.Load())
	require.EqualValues(t, 13, b.acted.Load())
}

func TestInvalidRulesAreRefused(t *testing.T) {
	var injector fault.Injector
	for _, rule := range []fault.Rule{
		{Kind: fault.Fail},
		{Kind: "explode", Count: 1},
		{Kind: fault.Fail, Count: 1, Skip: -1},
		{Kind: fault.Fail, Count: 1, Status: 200},
	} {
		require.ErrorIs(t, injector.Inject(rule), fault.ErrInvalidRule)
	}
	require.Zero(t, injector.Pending())
}
