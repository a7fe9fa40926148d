// Package engine wires the stages together: it turns a command into a spec graph, a plan and a run, has the run scheduled,
// dispatched and recorded, and answers questions about what happened. It alone knows all stages; none of them knows it. It
// speaks the types of the REST API, and nothing of HTTP.
package engine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/config"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Caller is who asks: the tenant whose rows are seen, and the key's name for the record.
type Caller struct {
	Tenant string
	Name   string
	Role   string

	key *store.IdempotencyKey // of the command, where it has one: see Once
}

// Plugins is what the engine needs of the plugin host.
type Plugins interface {
	dispatch.Providers
	Pick(ctx context.Context, name, within string) (pluginhost.Pinned, error)
	Describe(ctx context.Context, name, version string) (pluginhost.Pinned, error)
	Names() []string
	Status() []pluginhost.Status
	Reload() error
}

// Options of an engine.
type Options struct {
	Store   store.Store
	Plugins Plugins
	Log     hclog.Logger
	// Settings are the operator's, by provider.
	Settings map[string]json.RawMessage
	// Limits of requests.
	Limits config.Limits
	// Concurrency bounds the operations of one run that are in flight at once, HostConcurrency those of all runs.
	Concurrency     int
	HostConcurrency int
	// Owners are owner labels by tenant, in place of those that follow from the installation: what an earlier installation made
	// carries those of its own.
	Owners map[string]string
	// ActiveRuns bounds the runs of a tenant that are active at once; 0 for no bound.
	ActiveRuns int
	// Timeout of an operation that names none; Tries before it fails when what went wrong may pass.
	Timeout time.Duration
	Tries   int
	// DrainTimeout is how long Stop lets calls in flight finish.
	DrainTimeout time.Duration
	// CancelGrace is how long a cancelled run lets calls in flight finish when its caller names no time; SettleTimeout how long it
	// then asks how those ended that it had to break off.
	CancelGrace   time.Duration
	SettleTimeout time.Duration
	// RateLimits are the operator's, by provider: only what is tighter than the provider's own takes effect.
	RateLimits map[string]contract.RateLimit
	// Lease is how long a run stays this host's without word from it, where other hosts work on the same store; 0 where none
	// does. SettleGrace is how long a vendor may take over a request: so long after its write_by an attempt
	// of another host, and after it was broken off one of this host, may still have effects.
	Lease       time.Duration
	SettleGrace time.Duration
	// PlainBoxes says whether sealed boxes without an envelope are accepted: safe only while there is one tenant. Nil for no.
	PlainBoxes func(context.Context) bool
	// Version of the host, for its status.
	Version string
	Now     func() time.Time
	// NewID draws 8 lowercase hex characters.
	NewID func() string
}

// The defaults of Options.
const (
	DefaultConcurrency     = 256
	DefaultHostConcurrency = 1024
	DefaultTimeout         = 15 * time.Minute
	DefaultTries           = 6
	DefaultDrainTimeout    = 20 * time.Second
	DefaultCancelGrace     = 30 * time.Second
	DefaultSettleTimeout   = time.Minute
	DefaultLease           = 15 * time.Second
	DefaultSettleGrace     = 30 * time.Second
)

func (o *Options) fill() {
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.HostConcurrency == 0 {
		o.HostConcurrency = DefaultHostConcurrency
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Tries == 0 {
		o.Tries = DefaultTries
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = DefaultDrainTimeout
	}
	if o.CancelGrace == 0 {
		o.CancelGrace = DefaultCancelGrace
	}
	if o.SettleTimeout == 0 {
		o.SettleTimeout = DefaultSettleTimeout
	}
	if o.SettleGrace == 0 {
		o.SettleGrace = DefaultSettleGrace
	}
	if o.PlainBoxes == nil {
		o.PlainBoxes = func(context.Context) bool { return false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = RandomID
	}
}

// hostName tells this host's attempts from those of others, where there are others.
func (o *Options) hostName(instance string) string {
	if o.Lease == 0 {
		return ""
	}
	return instance
}

// RandomID draws an MGraph id.
func RandomID() string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// Engine is the host's core.
type Engine struct {
	options      Options
	store        store.Store
	plugins      Plugins
	log          hclog.Logger
	journal      *journal.Journal
	schemas      *graph.Schemas
	dispatcher   *dispatch.Dispatcher
	installation string
	storeKind    string
	instance     string
	startedAt    time.Time

	// starting ends when nothing new may start, calls when what is in flight must end.
	starting context.Context
	drain    context.CancelFunc
	calls    context.Context
	abort    context.CancelFunc
	running  sync.WaitGroup
	// keeping ends when leases are not renewed any more, and keeper once that has ended.
	keeping context.CancelFunc
	keeper  sync.WaitGroup

	tallies  tallies
	commands turns // by idempotency key

	mu     sync.Mutex
	drives map[string]*drive // at work, by run id
	recent recent            // at rest
	swept  time.Time         // when old idempotency keys were last dropped
	// strange are the providers whose keys here are not those on record.
	strange map[string]bool
	closed  bool
}

// New makes an engine over an open store and takes over what an earlier host left unfinished there: those runs are
// interrupted, until a caller brings credentials again.
func New(ctx context.Context, options Options) (*Engine, error) {
	options.fill()
	if err := checkOwners(options.Owners); err != nil {
		return nil, err
	}
	installation, err := options.Store.Installation(ctx)
	if err != nil {
		return nil, fmt.Errorf("installation: %w", err)
	}
	standing, err := options.Store.Standing(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	instance := RandomID() + RandomID()
	e := &Engine{
		options: options, store: options.Store, plugins: options.Plugins, log: options.Log,
		installation: installation, storeKind: standing.Kind, instance: instance, startedAt: options.Now(),
		dispatcher: dispatch.New(options.Plugins, dispatch.Options{
			Concurrency: options.HostConcurrency, Timeout: options.Timeout, Tries: options.Tries, RateLimits: options.RateLimits,
			Host: options.hostName(instance), SettleGrace: options.SettleGrace, Now: options.Now,
		}),
		drives: map[string]*drive{}, strange: map[string]bool{}, schemas: &graph.Schemas{},
	}
	e.starting, e.drain = context.WithCancel(context.WithoutCancel(ctx))
	e.calls, e.abort = context.WithCancel(context.WithoutCancel(ctx))
	e.journal = journal.New(options.Store, options.Log.Named("journal"))
	if err := e.recover(ctx); err != nil {
		e.journal.Stop()
		return nil, err
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.keeping = stop
	if e.shared() {
		e.compareKeys(ctx)
		e.keeper.Go(func() { e.keepLeases(keeping) })
	}
	return e, nil
}

// Stop starts nothing more, lets calls in flight finish within a bound, records how every run stands, and ends.
func (e *Engine) Stop() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.drain()
	done := make(chan struct{})
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(e.options.DrainTimeout):
		e.abort()
		<-done
	}
	e.abort()
	e.keeping()
	e.keeper.Wait()
	e.journal.Stop()
}

// owner is the mgraph:owner label: who, of all installations and their tenants, made a thing.
func (e *Engine) owner(tenant string) string {
	if owner := e.options.Owners[tenant]; owner != "" {
		return owner
	}
	sum := sha256.Sum256([]byte("mgraph owner\x00" + e.installation + "\x00" + tenant))
	return hex.EncodeToString(sum[:8])
}

// ErrOwners: owner labels that no installation gives, or that would make the things of one tenant another one's.
var ErrOwners = errors.New("owners must be 16 lowercase hex characters each, and each tenant's another one")

var ownerLabel = regexp.MustCompile(`^[0-9a-f]{16}$`)

func checkOwners(owners map[string]string) error {
	taken := map[string]bool{}
	for _, owner := range owners {
		if owner != "" && (!ownerLabel.MatchString(owner) || taken[owner]) {
			return ErrOwners
		}
		taken[owner] = true
	}
	return nil
}

func (e *Engine) settings(provider string) json.RawMessage { return e.options.Settings[provider] }

// callContext is the context of a call that is about no operation.
func (e *Engine) callContext(ctx context.Context, caller Caller, deploymentID, provider string, credentials json.RawMessage) contract.CallContext {
	return contract.CallContext{
		CallID: "check/" + RandomID(), Settings: e.settings(provider), Credentials: credentials,
		Tenant: caller.Tenant, DeploymentID: deploymentID, Owner: e.owner(caller.Tenant),
		AllowPlainBoxes: e.options.PlainBoxes(ctx),
	}
}
