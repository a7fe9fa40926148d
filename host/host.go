// Package host puts the program together: store, plugin host, engine and API, in the order in which they need each other, and
// takes them apart in the reverse order. Read this file to know the program. It decides nothing.
package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/api"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Options of a host. Only DataDir, PluginsDir and Log are required.
type Options struct {
	// DataDir holds the store where that is SQLite, the providers' key files and the lock that keeps other hosts away.
	DataDir string
	// Database is where the store is; SQLite when empty.
	Database Database
	// PluginsDir holds providers as <provider>/<version>/mgraph-provider-<provider>.
	PluginsDir string
	// Listen is the address the host will be served on, which decides whether it may be open; empty inside a process.
	Listen string
	// Auth is auto, keys or off; auto when empty.
	Auth string
	// KeyHeader is the header that may carry an API key beside Authorization.
	KeyHeader string
	Log       hclog.Logger
	Version   string
	// ProviderSettings are the operator's, by provider: JSON objects.
	ProviderSettings map[string]json.RawMessage
	// RateLimits are the operator's, by provider, for each account and region. Only what is tighter than the provider's own counts.
	RateLimits map[string]RateLimit
	// Limits of requests; zero fields mean the defaults.
	Limits Limits
	// Owners are owner labels by tenant, for those whose things an earlier installation made; others have this installation's own.
	Owners map[string]string
	// ActiveRuns bounds the runs of a tenant that are active at once; 0 for no bound.
	ActiveRuns int
	// LockWait is how long to wait for an earlier host, or its last provider, to be gone.
	LockWait time.Duration
	// PlainBoxes accepts sealed boxes without an envelope also when there are several tenants.
	PlainBoxes bool
	// Concurrency bounds one run's operations in flight, HostConcurrency those of all runs, OperationTimeout an operation that names no timeout of its own, Tries
	// how often it is tried when what went wrong may pass, DrainTimeout how long Close lets calls finish. Zero: the defaults.
	Concurrency      int
	HostConcurrency  int
	OperationTimeout time.Duration
	Tries            int
	DrainTimeout     time.Duration
	// Lease is how long a run stays this host's without word from it, where hosts share a database, and SettleGrace how long
	// a vendor may take over a request, so long as what a cancelled or lost attempt began is waited for. Zero: the defaults.
	Lease       time.Duration
	SettleGrace time.Duration
}

// Limits of requests: bytes of a body, its nesting, and resources of a deployment.
type Limits = config.Limits

// RateLimit is how many calls at once, how many a second, and how many of those in one burst; zero means no limit.
type RateLimit = contract.RateLimit

// Host is the whole program but for its listener.
type Host struct {
	lock    *os.File
	store   store.Store
	plugins *pluginhost.Host
	engine  *engine.Engine
	handler http.Handler
}

// New opens the store, reads the plugins directory, takes over what an earlier host left, and makes the API.
func New(ctx context.Context, options Options) (_ *Host, err error) {
	h := &Host{}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close(ctx))
		}
	}()
	if h.lock, err = sqlite.Lock(options.DataDir, options.LockWait); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if h.store, options.Lease, err = options.Database.open(ctx, &options); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if h.plugins, err = pluginhost.New(pluginhost.Options{
		Dir: options.PluginsDir, KeyDir: filepath.Join(options.DataDir, "keys"), Inherit: h.lock, Digests: h.store,
		Log: options.Log.Named("provider"), Now: time.Now,
	}); err != nil {
		return nil, fmt.Errorf("providers: %w", err)
	}
	if h.engine, err = engine.New(ctx, engine.Options{
		Store: h.store, Plugins: h.plugins, Log: options.Log.Named("engine"), Settings: options.ProviderSettings,
		Limits: options.Limits, Concurrency: options.Concurrency, HostConcurrency: options.HostConcurrency,
		RateLimits: options.RateLimits, ActiveRuns: options.ActiveRuns, Owners: options.Owners, Timeout: options.OperationTimeout,
		Tries:        options.Tries,
		DrainTimeout: options.DrainTimeout, PlainBoxes: plainBoxes(h.store, options.PlainBoxes), Version: options.Version,
		Lease: options.Lease, SettleGrace: options.SettleGrace,
	}); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	h.handler, err = api.New(api.Options{
		Engine: h.engine, Keys: h.store, Auth: api.AuthMode(options.Auth), Listen: options.Listen,
		KeyHeader: options.KeyHeader, Log: options.Log.Named("api"), Version: options.Version, Limits: options.Limits,
	})
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return h, nil
}

// plainBoxes are accepted while the store knows one tenant: there is nobody then whose box could be used by another.
func plainBoxes(registry store.Registry, always bool) func(context.Context) bool {
	return func(ctx context.Context) bool {
		if always {
			return true
		}
		keys, err := registry.Keys(ctx)
		if err != nil {
			return false
		}
		for i := range keys {
			if keys[i].Tenant != keys[0].Tenant {
				return false
			}
		}
		return true
	}
}

// Handler serves the REST API.
func (h *Host) Handler() http.Handler { return h.handler }

// Drain starts nothing more, lets calls in flight finish within a bound and brings every run to rest. Questions are still
// answered, so that whoever waited for a run hears how it stands.
func (h *Host) Drain() {
	if h.engine != nil {
		h.engine.Stop()
	}
}

// Close drains and ends everything: runs first, then providers, the store, and the lock last.
func (h *Host) Close(context.Context) error {
	h.Drain()
	if h.plugins != nil {
		h.plugins.Stop()
	}
	var err error
	if h.store != nil {
		err = h.store.Close()
	}
	if h.lock != nil {
		err = errors.Join(err, h.lock.Close())
	}
	return err
}
