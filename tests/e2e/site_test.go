package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

// patience bounds every wait of a test.
const patience = time.Minute

// site is a host with the provider noop, and the directory that its things are kept in.
type site struct {
	*testing.T
	*rig.Host
	ctx    context.Context
	things string
	http   *http.Client
}

// open prepares a site whose host is not started.
func open(t *testing.T, change func(*rig.HostOptions)) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	s := &site{T: t, ctx: ctx, things: filepath.Join(t.TempDir(), "things"), http: http.DefaultClient}
	require.NoError(t, os.Mkdir(s.things, 0o700))
	options := rig.HostOptions{Kit: kit, Dir: t.TempDir(), Settings: map[string]any{"noop": map[string]string{"dir": s.things}}}
	if change != nil {
		change(&options)
	}
	if options.Transport != nil {
		s.http = &http.Client{Transport: options.Transport}
	}
	host, err := rig.NewHost(options)
	require.NoError(t, err)
	s.Host = host
	t.Cleanup(s.end)
	return s
}

// start starts a host.
func start(t *testing.T, change func(*rig.HostOptions)) *site {
	t.Helper()
	s := open(t, change)
	require.NoError(t, s.Start(s.ctx), "%s", s.log())
	return s
}

// end: whatever a test has done to a host, it ends by itself when it is asked to, and its log tells of no fault.
func (s *site) end() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.Running() && !s.NoError(s.Stop(ctx), "%s", s.log()) {
		s.Kill()
	}
	if _, err := os.Stat(s.LogPath()); err == nil {
		s.NoError(s.CheckLog())
	}
}

// NoError reports without ending the test, for use in its clean-up.
func (s *site) NoError(err error, message ...any) bool {
	s.Helper()
	if err != nil {
		s.Errorf("%v %v", err, message)
	}
	return err == nil
}

func (s *site) log() string {
	content, _ := os.ReadFile(s.LogPath())
	return string(content[max(0, len(content)-4000):])
}

// restart stops a host in order and starts it again.
func (s *site) restart() {
	s.Helper()
	require.NoError(s, s.Stop(s.ctx))
	require.NoError(s, s.Start(s.ctx), "%s", s.log())
}

// outside counts what exists.
func (s *site) outside() int {
	s.Helper()
	count, err := noop.Count(s.things)
	require.NoError(s, err)
	return count
}

// config makes a deployment of resources given as JSON.
func config(t *testing.T, id, resources string) *rest.Config {
	t.Helper()
	c := &rest.Config{DeploymentID: id, Credentials: noCredentials(), Targets: []rest.Target{{Provider: "noop", Regions: regions}}}
	require.NoError(t, json.Unmarshal([]byte(resources), &c.Resources))
	return c
}

var regions = []string{"us-east-1", "eu-west-1"}

func noCredentials() rest.Credentials { return rest.Credentials{"noop": json.RawMessage(`{}`)} }

// chain is a global thing, one in two regions that holds its id, and one behind both.
const chain = `{
	"first":  {"type": "noop:thing", "properties": {"name": "one", "value": "a"}},
	"second": {"type": "noop:regional", "references": {"from": "first"}},
	"third":  {"type": "noop:thing", "properties": {"value": "c"}, "depends_on": ["second"]}
}`

// chainSize is how many things the chain makes.
const chainSize = 4

func (s *site) apply(c *rest.Config) *rest.RunResult {
	s.Helper()
	result, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{Config: c})
	require.NoError(s, err)
	return result
}

func (s *site) applied(c *rest.Config) *rest.RunResult {
	s.Helper()
	result := s.apply(c)
	require.True(s, result.Success, "%+v", result.FailedOperation)
	return result
}

func (s *site) resume(graphID string) *rest.RunResult {
	s.Helper()
	result, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{GraphID: graphID, Credentials: noCredentials()})
	require.NoError(s, err)
	return result
}

// begin starts a run and leaves it at work.
func (s *site) begin(c *rest.Config) *rest.RunResult {
	s.Helper()
	result, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{Config: c}, rest.Async())
	require.NoError(s, err)
	require.True(s, rest.ActiveStatus(result.Status), result.Status)
	return result
}

func (s *site) await(runID string) *rest.RunResult {
	s.Helper()
	result, err := s.Client.Await(s.ctx, runID, nil)
	require.NoError(s, err)
	return result
}

// until polls, since some things can be seen from outside by looking only.
func (s *site) until(what string, condition func() bool) {
	s.Helper()
	require.Eventually(s, condition, patience/2, 10*time.Millisecond, what)
}

// statuses are the operations' by resource id and region.
func (s *site) statuses(graphID string) map[string]string {
	s.Helper()
	status, err := s.Client.Status(s.ctx, graphID, "")
	require.NoError(s, err)
	found := map[string]string{}
	for _, operation := range status.Operations {
		found[strings.TrimSuffix(operation.ResourceID+"@"+operation.Region, "@")] = operation.Status
	}
	return found
}

// answer is what came back, whatever it was.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem reads an answer that must be one.
func (a *answer) problem(t *testing.T) rest.Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "%d %s", a.status, a.body)
	var p rest.Problem
	require.NoError(t, json.Unmarshal(a.body, &p))
	require.Equal(t, a.status, p.Status)
	require.Equal(t, "/problems/"+string(p.Kind), p.Type)
	require.NotEmpty(t, p.Title)
	require.NotEmpty(t, p.TraceID)
	return p
}

// ask sends a request as it stands. Headers come as name, value.
func (s *site) ask(method, path string, body []byte, headers ...string) *answer {
	s.Helper()
	request, err := http.NewRequestWithContext(s.ctx, method, s.URL+path, bytes.NewReader(body))
	require.NoError(s, err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := s.http.Do(request)
	require.NoError(s, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(s, err)
	return &answer{status: response.StatusCode, header: response.Header, body: content}
}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return encoded
}
