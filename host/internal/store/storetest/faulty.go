package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// ErrInjected is what a fault answers that names no error of its own.
var ErrInjected = errors.New("injected fault")

// Fault makes calls fail, or wait.
type Fault struct {
	// Method that it is for, "" for any.
	Method string
	// Call is the first call of the method that it hits, counted from 1 at the time the fault is armed; 0 is the next.
	Call int
	// Times is how many calls in a row it hits: 0 is one, Forever all.
	Times int
	// Delay is waited before the call, or until its context ends.
	Delay time.Duration
	// Fail says when the call fails, and Err with what: ErrInjected when nil.
	Fail Moment
	Err  error
}

// Forever is the Times of a fault that lasts.
const Forever = -1

// Moment says when a call fails.
type Moment int

// The moments. After: the call was done, and its answer is lost.
const (
	Never Moment = iota
	Before
	After
)

// FaultyStore is a store whose calls fail when told to. It is safe for concurrent use.
type FaultyStore struct {
	inner store.Store

	mu    sync.Mutex
	armed []*armed
	calls map[string]int
}

var _ store.Store = (*FaultyStore)(nil)

// armed is a fault, and how many matching calls it has seen.
type armed struct {
	Fault
	seen int
}

// Faulty wraps a store. With no fault armed it changes nothing.
func Faulty(inner store.Store, faults ...Fault) *FaultyStore {
	f := &FaultyStore{inner: inner, calls: map[string]int{}}
	f.Arm(faults...)
	return f
}

// Arm adds faults.
func (f *FaultyStore) Arm(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range faults {
		fault.Call = max(fault.Call, 1)
		fault.Times = max(fault.Times, Forever)
		if fault.Times == 0 {
			fault.Times = 1
		}
		if fault.Err == nil {
			fault.Err = ErrInjected
		}
		f.armed = append(f.armed, &armed{Fault: fault})
	}
}

// Disarm takes all faults away.
func (f *FaultyStore) Disarm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = nil
}

// Calls counts the calls of a method, "" of all.
func (f *FaultyStore) Calls(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

// hit counts a call, and gives the faults that hit it.
func (f *FaultyStore) hit(method string) []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[method]++
	f.calls[""]++
	var hits []Fault
	for _, a := range f.armed {
		if a.Method != "" && a.Method != method {
			continue
		}
		a.seen++
		if a.seen >= a.Call && (a.Times == Forever || a.seen < a.Call+a.Times) {
			hits = append(hits, a.Fault)
		}
	}
	return hits
}

// call makes one call of the inner store under the faults that hit it.
func call[T any](ctx context.Context, f *FaultyStore, method string, do func() (T, error)) (T, error) {
	var none T
	hits := f.hit(method)
	for _, fault := range hits {
		if err := wait(ctx, fault.Delay); err != nil {
			return none, err
		}
		if fault.Fail == Before {
			return none, fault.Err
		}
	}
	answer, err := do()
	for _, fault := range hits {
		if fault.Fail == After {
			return none, fault.Err
		}
	}
	return answer, err
}

func wait(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// do is call for a method without an answer.
func (f *FaultyStore) do(ctx context.Context, method string, do func() error) error {
	_, err := call(ctx, f, method, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// Close always reaches the store.
func (f *FaultyStore) Close() error { return f.inner.Close() }

// Installation implements store.Registry.
func (f *FaultyStore) Installation(ctx context.Context) (string, error) {
	return call(ctx, f, "Installation", func() (string, error) { return f.inner.Installation(ctx) })
}

// CreateKey implements store.Registry.
func (f *FaultyStore) CreateKey(ctx context.Context, key store.APIKey) error {
	return f.do(ctx, "CreateKey", func() error { return f.inner.CreateKey(ctx, key) })
}

// KeyByHash implements store.Registry.
func (f *FaultyStore) KeyByHash(ctx context.Context, hash string) (store.APIKey, error) {
	return call(ctx, f, "KeyByHash", func() (store.APIKey, error) { return f.inner.KeyByHash(ctx, hash) })
}

// Keys implements store.Registry.
func (f *FaultyStore) Keys(ctx context.Context) ([]store.APIKey, error) {
	return call(ctx, f, "Keys", func() ([]store.APIKey, error) { return f.inner.Keys(ctx) })
}

// RevokeKey implements store.Registry.
func (f *FaultyStore) RevokeKey(ctx context.Context, tenant, name string) error {
	return f.do(ctx, "RevokeKey", func() error { return f.inner.RevokeKey(ctx, tenant, name) })
}

// PinDigest implements store.Registry.
func (f *FaultyStore) PinDigest(ctx context.Context, provider, version, digest string) (string, error) {
	return call(ctx, f, "PinDigest", func() (string, error) { return f.inner.PinDigest(ctx, provider, version, digest) })
}

// PinKeys implements store.Registry.
func (f *FaultyStore) PinKeys(ctx context.Context, provider string, ids []string) ([]string, error) {
	return call(ctx, f, "PinKeys", func() ([]string, error) { return f.inner.PinKeys(ctx, provider, ids) })
}

// Deployment implements store.Graphs.
func (f *FaultyStore) Deployment(ctx context.Context, tenant, deploymentID string) (store.Deployment, error) {
	return call(ctx, f, "Deployment", func() (store.Deployment, error) { return f.inner.Deployment(ctx, tenant, deploymentID) })
}

// Deployments implements store.Graphs.
func (f *FaultyStore) Deployments(ctx context.Context, tenant string, page store.Page) ([]store.Deployment, error) {
	return call(ctx, f, "Deployments", func() ([]store.Deployment, error) { return f.inner.Deployments(ctx, tenant, page) })
}

// CreateGraph implements store.Graphs.
func (f *FaultyStore) CreateGraph(ctx context.Context, graph store.NewGraph) error {
	return f.do(ctx, "CreateGraph", func() error { return f.inner.CreateGraph(ctx, graph) })
}

// Graph implements store.Graphs.
func (f *FaultyStore) Graph(ctx context.Context, tenant, graphID string) (store.Graph, error) {
	return call(ctx, f, "Graph", func() (store.Graph, error) { return f.inner.Graph(ctx, tenant, graphID) })
}

// Resources implements store.Graphs.
func (f *FaultyStore) Resources(ctx context.Context, tenant, deploymentID string) ([]store.Resource, error) {
	return call(ctx, f, "Resources", func() ([]store.Resource, error) { return f.inner.Resources(ctx, tenant, deploymentID) })
}

// CreateRun implements store.Runs.
func (f *FaultyStore) CreateRun(ctx context.Context, run store.NewRun) error {
	return f.do(ctx, "CreateRun", func() error { return f.inner.CreateRun(ctx, run) })
}

// AcquireRun implements store.Runs.
func (f *FaultyStore) AcquireRun(ctx context.Context, runID, owner string) (token, version int64, err error) {
	answer, err := call(ctx, f, "AcquireRun", func() ([2]int64, error) {
		token, version, err := f.inner.AcquireRun(ctx, runID, owner)
		return [2]int64{token, version}, err
	})
	return answer[0], answer[1], err
}

// Run implements store.Runs.
func (f *FaultyStore) Run(ctx context.Context, tenant, runID string) (store.Run, error) {
	return call(ctx, f, "Run", func() (store.Run, error) { return f.inner.Run(ctx, tenant, runID) })
}

// LatestRun implements store.Runs.
func (f *FaultyStore) LatestRun(ctx context.Context, tenant, graphID string, kinds ...execution.RunKind) (store.Run, error) {
	return call(ctx, f, "LatestRun", func() (store.Run, error) { return f.inner.LatestRun(ctx, tenant, graphID, kinds...) })
}

// ListRuns implements store.Runs.
func (f *FaultyStore) ListRuns(ctx context.Context, filter store.RunFilter, page store.Page) ([]store.Run, error) {
	return call(ctx, f, "ListRuns", func() ([]store.Run, error) { return f.inner.ListRuns(ctx, filter, page) })
}

// ActiveRuns implements store.Runs.
func (f *FaultyStore) ActiveRuns(ctx context.Context) ([]store.Run, error) {
	return call(ctx, f, "ActiveRuns", func() ([]store.Run, error) { return f.inner.ActiveRuns(ctx) })
}

// Events implements store.Runs.
func (f *FaultyStore) Events(ctx context.Context, runID string, after int64, limit int) ([]execution.Event, error) {
	return call(ctx, f, "Events", func() ([]execution.Event, error) { return f.inner.Events(ctx, runID, after, limit) })
}

// Logs implements store.Runs.
func (f *FaultyStore) Logs(ctx context.Context, runID, operation string) ([]store.LogLine, error) {
	return call(ctx, f, "Logs", func() ([]store.LogLine, error) { return f.inner.Logs(ctx, runID, operation) })
}

// Commit implements store.Runs.
func (f *FaultyStore) Commit(ctx context.Context, writes []store.Write) ([]error, error) {
	return call(ctx, f, "Commit", func() ([]error, error) { return f.inner.Commit(ctx, writes) })
}
