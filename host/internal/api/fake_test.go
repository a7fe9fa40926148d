package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/api"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/export"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const (
	graphID = "5bec1234"
	runID   = "7ac40001"
)

// fakeEngine answers with what its fields say, and remembers who asked for what.
type fakeEngine struct {
	mu       sync.Mutex
	callers  []engine.Caller
	applied  *rest.ApplyRequest
	err      error
	panics   any
	status   string        // of the run that is started
	settled  chan struct{} // closed when the run stands
	asked    []string
	commands []engine.Command
}

func newFake() *fakeEngine {
	settled := make(chan struct{})
	close(settled)
	return &fakeEngine{status: rest.RunRunning, settled: settled}
}

func (f *fakeEngine) note(caller engine.Caller, what ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics != nil {
		panic(f.panics)
	}
	f.callers = append(f.callers, caller)
	f.asked = append(f.asked, strings.Join(what, " "))
	return f.err
}

func (f *fakeEngine) run(status string) *rest.RunResult {
	return &rest.RunResult{RunID: runID, GraphID: graphID, Status: status, Success: status == rest.RunCompleted, Kind: "apply"}
}

func (f *fakeEngine) Once(ctx context.Context, c engine.Caller, command engine.Command,
	begin func(context.Context, engine.Caller) (*rest.RunResult, error),
) (*rest.RunResult, error) {
	f.mu.Lock()
	f.commands = append(f.commands, command)
	f.mu.Unlock()
	return begin(ctx, c)
}

func (f *fakeEngine) PlanOnce(_ context.Context, c engine.Caller, command engine.Command, r *rest.PlanRequest) (*rest.PlanResponse, error) {
	f.commands = append(f.commands, command)
	return &rest.PlanResponse{Success: true, DeploymentID: r.Config.DeploymentID}, f.note(c, "plan")
}

func (f *fakeEngine) Apply(_ context.Context, c engine.Caller, r *rest.ApplyRequest) (*rest.RunResult, error) {
	f.applied = r
	if r.Mode == rest.ModeDryRun {
		return &rest.RunResult{Success: true, Status: "pending"}, f.note(c, "dry run")
	}
	return f.run(f.status), f.note(c, "apply")
}

func (f *fakeEngine) Continue(_ context.Context, c engine.Caller, r *rest.ContinueRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "continue", r.GraphID)
}

func (f *fakeEngine) Move(_ context.Context, c engine.Caller, r *rest.MoveRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "move", r.GraphID)
}

func (f *fakeEngine) CommitMove(_ context.Context, c engine.Caller, graphID string, _ *rest.MoveEndRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "commit", graphID)
}

func (f *fakeEngine) DiscardMove(_ context.Context, c engine.Caller, graphID string, _ *rest.MoveEndRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "discard", graphID)
}

func (f *fakeEngine) Cancel(_ context.Context, c engine.Caller, r *rest.CancelRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "cancel", r.RunID)
}

func (f *fakeEngine) Destroy(_ context.Context, c engine.Caller, r *rest.DestroyRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "destroy", r.DeploymentID)
}

func (f *fakeEngine) Rollback(_ context.Context, c engine.Caller, r *rest.RollbackRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "rollback", r.DeploymentID, r.RunID)
}

func (f *fakeEngine) Verify(_ context.Context, c engine.Caller, r *rest.VerifyRequest) (*rest.RunResult, error) {
	return f.run(f.status), f.note(c, "verify", r.GraphID)
}

func (f *fakeEngine) Discover(_ context.Context, c engine.Caller, r *rest.DiscoverRequest) (*rest.DiscoverResponse, error) {
	return &rest.DiscoverResponse{GraphID: r.GraphID}, f.note(c, "discover", r.GraphID)
}

func (f *fakeEngine) Forget(_ context.Context, c engine.Caller, deployment string) error {
	return f.note(c, "forget", deployment)
}

func (f *fakeEngine) Wait(ctx context.Context, _ engine.Caller, _ string) error {
	select {
	case <-f.settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fakeEngine) Result(_ context.Context, c engine.Caller, run string) (*rest.RunResult, error) {
	status := rest.RunCompleted
	select {
	case <-f.settled:
	default:
		status = rest.RunRunning
	}
	return f.run(status), f.note(c, "result", run)
}

func (f *fakeEngine) Status(_ context.Context, c engine.Caller, graph, run string) (*rest.StatusResponse, error) {
	return &rest.StatusResponse{GraphID: graph, RunID: run}, f.note(c, "status", graph, run)
}

func (f *fakeEngine) Runs(_ context.Context, c engine.Caller, q rest.RunsQuery) (*rest.RunList, error) {
	text, _ := json.Marshal(q)
	return &rest.RunList{}, f.note(c, "runs", string(text))
}

func (f *fakeEngine) History(_ context.Context, c engine.Caller, deployment string, q rest.ListQuery) (*rest.History, error) {
	text, _ := json.Marshal(q)
	return &rest.History{DeploymentID: deployment}, f.note(c, "history", deployment, string(text))
}

func (f *fakeEngine) Compare(_ context.Context, c engine.Caller, from, to string) (*rest.Comparison, error) {
	return &rest.Comparison{}, f.note(c, "compare", from, to)
}

func (f *fakeEngine) Deployments(_ context.Context, c engine.Caller, q rest.ListQuery) (*rest.DeploymentList, error) {
	text, _ := json.Marshal(q)
	return &rest.DeploymentList{}, f.note(c, "deployments", string(text))
}

func (f *fakeEngine) StoredPlan(_ context.Context, c engine.Caller, graph string) (*rest.PlanResponse, error) {
	return &rest.PlanResponse{SpecGraphID: graph}, f.note(c, "stored plan", graph)
}

func (f *fakeEngine) Graph(_ context.Context, c engine.Caller, graph, run, view string) (*engine.GraphView, error) {
	if err := f.note(c, "graph", graph, run, view); err != nil {
		return nil, err
	}
	return &engine.GraphView{Value: map[string]string{"graph_id": graph}, Graph: &export.Graph{ID: graph, Name: "app", Kind: "spec"}}, nil
}

func (f *fakeEngine) Events(_ context.Context, c engine.Caller, graph, run, after string) (*engine.EventStream, error) {
	return &engine.EventStream{}, f.note(c, "events", graph, run, after)
}

func (f *fakeEngine) Logs(_ context.Context, c engine.Caller, graph, run, node string) (*rest.LogList, error) {
	return &rest.LogList{}, f.note(c, "logs", graph, run, node)
}

func (f *fakeEngine) Outputs(_ context.Context, c engine.Caller, graph, run, node string) (*rest.OutputList, error) {
	return &rest.OutputList{}, f.note(c, "outputs", graph, run, node)
}

func (f *fakeEngine) Providers(context.Context) ([]rest.ProviderStatus, error) {
	return []rest.ProviderStatus{{Name: "aws"}}, f.note(engine.Caller{}, "providers")
}

func (f *fakeEngine) Provider(_ context.Context, name string) (*rest.ProviderStatus, error) {
	return &rest.ProviderStatus{Name: name}, f.note(engine.Caller{}, "provider", name)
}

func (f *fakeEngine) Reload(_ context.Context, c engine.Caller) ([]rest.ProviderStatus, error) {
	return nil, f.note(c, "reload")
}

func (f *fakeEngine) ResourceTypes(context.Context) ([]rest.ResourceTypeSummary, error) {
	return nil, f.note(engine.Caller{}, "types")
}

func (f *fakeEngine) ResourceType(_ context.Context, name string) (*rest.ResourceType, error) {
	return &rest.ResourceType{}, f.note(engine.Caller{}, "type", name)
}

func (f *fakeEngine) PublicKeys(_ context.Context, c engine.Caller, provider string) (*rest.PublicKeys, error) {
	return &rest.PublicKeys{Provider: provider, Audience: c.Tenant}, f.note(c, "keys", provider)
}

func (f *fakeEngine) Ready(context.Context) error { return f.err }

func (f *fakeEngine) SystemStatus(context.Context) (*rest.SystemStatus, error) {
	return &rest.SystemStatus{Name: "mgraph-deploy"}, f.note(engine.Caller{}, "system")
}

// fakeKeys is a store of keys in memory.
type fakeKeys struct {
	mu   sync.Mutex
	keys []store.APIKey
	err  error
}

func (f *fakeKeys) CreateKey(_ context.Context, key store.APIKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, known := range f.keys {
		if known.Tenant == key.Tenant && known.Name == key.Name {
			return store.ErrExists
		}
	}
	f.keys = append(f.keys, key)
	return f.err
}

func (f *fakeKeys) KeyByHash(_ context.Context, hash string) (store.APIKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, known := range f.keys {
		if known.Hash == hash {
			return known, nil
		}
	}
	return store.APIKey{}, store.ErrNotFound
}

func (f *fakeKeys) Keys(context.Context) ([]store.APIKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]store.APIKey{}, f.keys...), f.err
}

func (f *fakeKeys) RevokeKey(_ context.Context, tenant, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, known := range f.keys {
		if known.Tenant == tenant && known.Name == name {
			f.keys = append(f.keys[:i], f.keys[i+1:]...)
			return nil
		}
	}
	return store.ErrNotFound
}

// host is the API under test over real HTTP, with its log.
type host struct {
	*httptest.Server
	engine *fakeEngine
	keys   *fakeKeys
	log    *lockedBuffer
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func serve(t *testing.T, change ...func(*api.Options)) *host {
	t.Helper()
	h := &host{engine: newFake(), keys: &fakeKeys{}, log: &lockedBuffer{}}
	options := api.Options{
		Engine: h.engine, Keys: h.keys, Listen: "127.0.0.1:8080", Version: "0.1.0",
		Log: hclog.New(&hclog.LoggerOptions{Output: h.log, Level: hclog.Trace}),
	}
	for _, one := range change {
		one(&options)
	}
	handler, err := api.New(options)
	require.NoError(t, err)
	h.Server = httptest.NewServer(handler)
	t.Cleanup(h.Close)
	return h
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
}

func (h *host) do(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequest(method, h.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
			continue
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := h.Client().Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{response, string(text)}
}

// problem reads an answer that must be one, and checks what all have.
func (r reply) problem(t *testing.T, kind rest.Kind) rest.Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"), r.body)
	var problem rest.Problem
	require.NoError(t, json.Unmarshal([]byte(r.body), &problem))
	require.Equal(t, kind, problem.Kind)
	require.Equal(t, "/problems/"+string(kind), problem.Type)
	require.Equal(t, r.StatusCode, problem.Status)
	require.NotEmpty(t, problem.Title)
	require.Equal(t, r.Header.Get("X-Trace-Id"), problem.TraceID)
	require.NotEmpty(t, problem.TraceID)
	return problem
}

const applyBody = `{"config":{"deployment_id":"a","resources":{"x":{"type":"noop:thing"}}}}`
