package storetest

import (
	"context"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// Close always reaches the store.
func (f *FaultyStore) Close() error { return f.inner.Close() }

// Installation implements store.Registry.
func (f *FaultyStore) Installation(ctx context.Context) (string, error) {
	return call(ctx, f, "Installation", func() (string, error) { return f.inner.Installation(ctx) })
}

// Standing implements store.Registry.
func (f *FaultyStore) Standing(ctx context.Context) (store.Standing, error) {
	return call(ctx, f, "Standing", func() (store.Standing, error) { return f.inner.Standing(ctx) })
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

// GraphsOf implements store.Graphs.
func (f *FaultyStore) GraphsOf(ctx context.Context, tenant, deploymentID string, page store.Page) ([]store.Graph, error) {
	return call(ctx, f, "GraphsOf", func() ([]store.Graph, error) { return f.inner.GraphsOf(ctx, tenant, deploymentID, page) })
}

// DeleteDeployment implements store.Graphs.
func (f *FaultyStore) DeleteDeployment(ctx context.Context, tenant, deploymentID string) error {
	return f.do(ctx, "DeleteDeployment", func() error { return f.inner.DeleteDeployment(ctx, tenant, deploymentID) })
}

// Resources implements store.Graphs.
func (f *FaultyStore) Resources(ctx context.Context, tenant, deploymentID string) ([]store.Resource, error) {
	return call(ctx, f, "Resources", func() ([]store.Resource, error) { return f.inner.Resources(ctx, tenant, deploymentID) })
}

// CreateRun implements store.Runs.
func (f *FaultyStore) CreateRun(ctx context.Context, run store.NewRun) error {
	return f.do(ctx, "CreateRun", func() error { return f.inner.CreateRun(ctx, run) })
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

// AcquireRun implements store.Leases.
func (f *FaultyStore) AcquireRun(ctx context.Context, claim store.Claim) (token, version int64, err error) {
	answer, err := call(ctx, f, "AcquireRun", func() ([2]int64, error) {
		token, version, err := f.inner.AcquireRun(ctx, claim)
		return [2]int64{token, version}, err
	})
	return answer[0], answer[1], err
}

// RenewLeases implements store.Leases.
func (f *FaultyStore) RenewLeases(ctx context.Context, owner string, ttl time.Duration, runIDs []string) ([]store.LeaseState, error) {
	return call(ctx, f, "RenewLeases", func() ([]store.LeaseState, error) { return f.inner.RenewLeases(ctx, owner, ttl, runIDs) })
}

// ExpiredRuns implements store.Leases.
func (f *FaultyStore) ExpiredRuns(ctx context.Context) ([]store.Run, error) {
	return call(ctx, f, "ExpiredRuns", func() ([]store.Run, error) { return f.inner.ExpiredRuns(ctx) })
}

// RequestCancel implements store.Leases.
func (f *FaultyStore) RequestCancel(ctx context.Context, tenant, runID, by string) error {
	return f.do(ctx, "RequestCancel", func() error { return f.inner.RequestCancel(ctx, tenant, runID, by) })
}

// Durations implements store.Records.
func (f *FaultyStore) Durations(ctx context.Context, tenant string) ([]store.DurationStat, error) {
	return call(ctx, f, "Durations", func() ([]store.DurationStat, error) { return f.inner.Durations(ctx, tenant) })
}

// RollbackRecords implements store.Records.
func (f *FaultyStore) RollbackRecords(ctx context.Context, runID string) ([]store.RollbackRecord, error) {
	return call(ctx, f, "RollbackRecords", func() ([]store.RollbackRecord, error) { return f.inner.RollbackRecords(ctx, runID) })
}

// Idempotency implements store.Records.
func (f *FaultyStore) Idempotency(ctx context.Context, tenant, key string) (store.IdempotencyKey, error) {
	return call(ctx, f, "Idempotency", func() (store.IdempotencyKey, error) { return f.inner.Idempotency(ctx, tenant, key) })
}

// SweepIdempotency implements store.Records.
func (f *FaultyStore) SweepIdempotency(ctx context.Context, now time.Time) error {
	return f.do(ctx, "SweepIdempotency", func() error { return f.inner.SweepIdempotency(ctx, now) })
}
