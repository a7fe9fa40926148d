package engine_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const providerVersion = "1.2.0"

// plugins is a plugin host of one provider that lives in this process, with a fault between it and the engine.
type plugins struct {
	Provider    contract.Provider
	description *contract.Description

	mu sync.Mutex
	// fault is asked before each Execute, by the resource id of its target; what it returns is done in its place.
	fault func(resourceID string) func(execute func() (*contract.Result, error)) (*contract.Result, error)
	// hanging are the resource ids whose calls do nothing until they are broken off.
	hanging map[string]bool
	// executed counts calls by resource id and verb.
	executed map[string]int
	calls    []*contract.ExecuteRequest
}

// interposed is the provider with the fault before it.
type interposed struct {
	contract.Provider
	plugins *plugins
}

func (i interposed) Execute(ctx context.Context, request *contract.ExecuteRequest, emit func(contract.Event)) (*contract.Result, error) {
	return i.plugins.execute(ctx, request, emit)
}

func (p *plugins) execute(ctx context.Context, request *contract.ExecuteRequest, emit func(contract.Event)) (*contract.Result, error) {
	id := request.Target.Labels[contract.LabelResourceID]
	p.mu.Lock()
	p.executed[id+" "+string(request.Verb)]++
	p.calls = append(p.calls, request)
	var instead func(func() (*contract.Result, error)) (*contract.Result, error)
	if p.fault != nil {
		instead = p.fault(id)
	}
	hangs := p.hanging[id]
	p.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	execute := func() (*contract.Result, error) { return p.Provider.Execute(ctx, request, emit) }
	if instead != nil {
		return instead(execute)
	}
	return execute()
}

func (p *plugins) Use(context.Context, string, string) (contract.Provider, *contract.Description, func(), error) {
	return interposed{p.Provider, p}, p.description, func() {}, nil
}

func (p *plugins) Pick(_ context.Context, name, within string) (pluginhost.Pinned, error) {
	if name != "noop" || within == "^9" {
		return pluginhost.Pinned{}, pluginhost.ErrUnknown
	}
	return pluginhost.Pinned{Name: name, Version: providerVersion, Digest: "d", Description: p.description}, nil
}

func (p *plugins) Describe(ctx context.Context, name, version string) (pluginhost.Pinned, error) {
	if version != providerVersion {
		return pluginhost.Pinned{}, pluginhost.ErrUnknown
	}
	return p.Pick(ctx, name, "")
}

func (p *plugins) Names() []string { return []string{"noop"} }
func (p *plugins) Status() []pluginhost.Status {
	return []pluginhost.Status{{Name: "noop", State: pluginhost.Ready}}
}
func (p *plugins) Reload() error { return nil }

func (p *plugins) hang(resourceID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hanging = map[string]bool{resourceID: true}
}

func (p *plugins) count(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.executed[key]
}

func (p *plugins) breakWith(fault func(resourceID string) func(func() (*contract.Result, error)) (*contract.Result, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// house is an engine over a store and a world that outlive it.
type house struct {
	t       *testing.T
	dataDir string
	world   string
	plugins *plugins
	engine  *engine.Engine
	store   *sqlite.Store
	// faults stands between engine and store.
	faults *storetest.FaultyStore
	caller engine.Caller
	ring   *sealedbox.Ring
	change func(*engine.Options) // at the next start
}

func build(t *testing.T) *house {
	h := &house{t: t, dataDir: t.TempDir(), world: t.TempDir(), caller: engine.Caller{Tenant: "default", Name: "ci", Role: "tenant"}}
	var err error
	h.ring, err = sealedbox.Generate(time.Now())
	require.NoError(t, err)
	made, err := noop.New(providerVersion)
	require.NoError(t, err)
	made.Use(provider.Runtime{Keys: h.ring})
	t.Cleanup(made.Close)
	description, err := made.Describe(t.Context())
	require.NoError(t, err)
	h.plugins = &plugins{Provider: made, description: description, executed: map[string]int{}}
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *house) start() {
	var err error
	h.store, err = sqlite.Open(h.t.Context(), h.dataDir, sqlite.Options{})
	require.NoError(h.t, err)
	h.faults = storetest.Faulty(h.store)
	settings, err := json.Marshal(map[string]string{"dir": h.world})
	require.NoError(h.t, err)
	options := engine.Options{
		Store: h.faults, Plugins: h.plugins, Log: hclog.NewNullLogger(),
		Settings: map[string]json.RawMessage{"noop": settings}, DrainTimeout: time.Second, Tries: 3,
	}
	if h.change != nil {
		h.change(&options)
	}
	h.engine, err = engine.New(h.t.Context(), options)
	require.NoError(h.t, err)
}

func (h *house) stop() {
	if h.engine == nil {
		return
	}
	h.engine.Stop()
	require.NoError(h.t, h.store.Close())
	h.engine = nil
}

func (h *house) restart() {
	h.stop()
	h.start()
}

// outside counts what exists in the provider's world: one file a thing.
func (h *house) outside() int {
	count := 0
	require.NoError(h.t, filepath.WalkDir(h.world, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && filepath.Ext(path) == ".json" {
			count++
		}
		return err
	}))
	return count
}

func (h *house) config(resources string) *rest.Config {
	cfg := &rest.Config{}
	text := `{"deployment_id":"app","credentials":{"noop":{}},"targets":[{"provider":"noop","regions":["us-east-1","eu-west-1"]}],"resources":` + resources + `}`
	require.NoError(h.t, json.Unmarshal([]byte(text), cfg))
	return cfg
}

var noCredentials = rest.Credentials{"noop": json.RawMessage(`{}`)}

func (h *house) apply(request *rest.ApplyRequest) *rest.RunResult {
	result, err := h.engine.Apply(h.t.Context(), h.caller, request)
	require.NoError(h.t, err)
	return h.wait(result)
}

func (h *house) wait(result *rest.RunResult) *rest.RunResult {
	require.NoError(h.t, h.engine.Wait(h.t.Context(), h.caller, result.RunID))
	result, err := h.engine.Result(h.t.Context(), h.caller, result.RunID)
	require.NoError(h.t, err)
	return result
}

func (h *house) refused(kind engine.ErrorKind, err error) *engine.Error {
	var refused *engine.Error
	require.ErrorAs(h.t, err, &refused)
	require.Equal(h.t, kind, refused.Kind, "%v", err)
	return refused
}

// lost performs the call and loses its answer.
func lost(execute func() (*contract.Result, error)) (*contract.Result, error) {
	_, _ = execute()
	return nil, contract.New(contract.KindInterrupted, "the connection broke")
}

// never loses the call before it is performed.
func never(func() (*contract.Result, error)) (*contract.Result, error) {
	return nil, contract.New(contract.KindInterrupted, "the connection broke")
}

// times gives a fault to the first n calls about a resource.
func times(n int, resourceID string, fault func(func() (*contract.Result, error)) (*contract.Result, error)) func(string) func(func() (*contract.Result, error)) (*contract.Result, error) {
	var left atomic.Int64
	left.Store(int64(n))
	return func(id string) func(func() (*contract.Result, error)) (*contract.Result, error) {
		if id != resourceID || left.Add(-1) < 0 {
			return nil
		}
		return fault
	}
}

// item is one thing of the provider's world.
type item struct {
	ID     string            `json:"id"`
	Region string            `json:"region"`
	Value  string            `json:"value"`
	Labels map[string]string `json:"labels"`
}

// items reads the provider's world.
func (h *house) items(t *testing.T) []item {
	files, err := filepath.Glob(filepath.Join(h.world, "*", "*.json"))
	require.NoError(t, err)
	items := make([]item, len(files))
	for i, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(content, &items[i]))
	}
	return items
}
