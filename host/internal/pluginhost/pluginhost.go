// Package pluginhost owns the life of provider processes: which are installed, which version answers a call, when one is
// started, and what becomes of one that dies. One process serves every call of its version, for all tenants. It knows
// neither graphs nor runs.
package pluginhost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// ExecutablePrefix is how a provider's executable is named: <dir>/<provider>/<version>/mgraph-provider-<provider>.
const ExecutablePrefix = "mgraph-provider-"

// The ways a provider can be missing; matched with errors.Is.
var (
	// ErrUnknown: no such provider, or no such version of it, is installed.
	ErrUnknown = errors.New("provider is not installed")
	// ErrBroken: it cannot be started, or dies again and again.
	ErrBroken = errors.New("provider is broken")
	// ErrStopped: the host is stopping.
	ErrStopped = errors.New("plugin host is stopping")
)

// Digests records the digest of an executable at its first use, and answers with the one on record.
type Digests interface {
	PinDigest(ctx context.Context, provider, version, digest string) (recorded string, err error)
}

// Options of a plugin host.
type Options struct {
	// Dir is the plugins directory.
	Dir string
	// KeyDir holds each provider's key file, shared by all its versions.
	KeyDir string
	// Inherit is handed to every process and kept open by it: the lock of the data directory.
	Inherit *os.File
	Digests Digests
	Log     hclog.Logger
	Now     func() time.Time
}

// Host is all provider processes of one host.
type Host struct {
	options Options
	sockets string

	mu       sync.Mutex
	versions map[string][]*process // by provider, newest first
	stopped  bool
}

// New makes a plugin host and reads its directory; no process is started yet.
func New(options Options) (*Host, error) {
	sweep()
	sockets, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", socketPrefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("socket directory: %w", err)
	}
	if err := os.MkdirAll(options.KeyDir, 0o700); err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	h := &Host{options: options, sockets: sockets, versions: map[string][]*process{}}
	return h, h.Reload()
}

// socketPrefix is followed by the host's process id. It is short, since the path of a socket may not be long.
const socketPrefix = "mgd-"

// sweep removes the socket directories of hosts that were killed. What cannot be removed is somebody else's.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), socketPrefix+"*")) // a pattern of ours is well formed
	for _, dir := range left {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), socketPrefix), "-")
		pid, err := strconv.Atoi(number)
		if err == nil && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}

// Reload reads the plugins directory again: new versions appear, removed ones are ended once their calls are over. Running
// processes are left alone, and broken ones may try again.
func (h *Host) Reload() error {
	installed, err := scan(h.options.Dir)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return ErrStopped
	}
	fresh := map[string][]*process{}
	for _, i := range installed {
		p := h.lookup(i.provider, i.version.Original())
		if p == nil {
			p = newProcess(h, i)
		} else {
			p.forgive()
		}
		fresh[i.provider] = append(fresh[i.provider], p)
	}
	for name, processes := range h.versions {
		for _, p := range processes {
			if !slices.Contains(fresh[name], p) {
				go p.stop()
			}
		}
	}
	h.versions = fresh
	return nil
}

// lookup wants the lock held.
func (h *Host) lookup(name, version string) *process {
	for _, p := range h.versions[name] {
		if p.version.Original() == version {
			return p
		}
	}
	return nil
}

// Use gives the provider of a version, started when it is not running; release says that the call is over.
func (h *Host) Use(ctx context.Context, name, version string) (contract.Provider, *contract.Description, func(), error) {
	h.mu.Lock()
	p, stopped := h.lookup(name, version), h.stopped
	h.mu.Unlock()
	switch {
	case stopped:
		return nil, nil, nil, ErrStopped
	case p == nil:
		return nil, nil, nil, fmt.Errorf("%s %s: %w", name, version, ErrUnknown)
	}
	return p.use(ctx)
}

// Pinned is a version that was picked.
type Pinned struct {
	Name        string
	Version     string
	Digest      string
	Description *contract.Description
}

// Pick gives the newest installed version that a semver range allows ("" for any, where only releases count unless there is
// nothing else), started so that it can describe itself.
func (h *Host) Pick(ctx context.Context, name, within string) (Pinned, error) {
	version, err := h.newest(name, within)
	if err != nil {
		return Pinned{}, err
	}
	return h.Describe(ctx, name, version)
}

// Describe starts a version where needed and says what it is.
func (h *Host) Describe(ctx context.Context, name, version string) (Pinned, error) {
	_, description, release, err := h.Use(ctx, name, version)
	if err != nil {
		return Pinned{}, err
	}
	release()
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.lookup(name, version)
	if p == nil {
		return Pinned{}, fmt.Errorf("%s %s: %w", name, version, ErrUnknown)
	}
	return Pinned{Name: name, Version: version, Digest: p.digestOnRecord(), Description: description}, nil
}

func (h *Host) newest(name, within string) (string, error) {
	allowed := func(*semver.Version) bool { return true }
	if within != "" {
		constraint, err := semver.NewConstraint(within)
		if err != nil {
			return "", fmt.Errorf("%s: not a version range: %w", name, ErrUnknown)
		}
		allowed = constraint.Check
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var fallback string
	for _, p := range h.versions[name] {
		if !allowed(p.version) {
			continue
		}
		if p.version.Prerelease() == "" {
			return p.version.Original(), nil
		}
		if fallback == "" {
			fallback = p.version.Original()
		}
	}
	if fallback == "" {
		return "", fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	return fallback, nil
}

// Names lists the installed providers.
func (h *Host) Names() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for name := range h.versions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Status of one provider version.
type Status struct {
	Name      string
	Version   string
	Digest    string
	State     State
	Problem   string
	StartedAt time.Time
	Restarts  int
	Calls     int
	Default   bool
	// Description is nil until it was started once.
	Description *contract.Description
}

// Status lists every installed version, by name, newest first.
func (h *Host) Status() []Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Status
	for name := range h.versions {
		for i, p := range h.versions[name] {
			status := p.status()
			status.Name, status.Default = name, i == 0
			all = append(all, status)
		}
	}
	slices.SortStableFunc(all, func(a, b Status) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Stop ends every process, and waits for it.
func (h *Host) Stop() {
	h.mu.Lock()
	h.stopped = true
	var all []*process
	for _, processes := range h.versions {
		all = append(all, processes...)
	}
	h.mu.Unlock()
	var waiting sync.WaitGroup
	for _, p := range all {
		waiting.Go(p.stop)
	}
	waiting.Wait()
	if err := os.RemoveAll(h.sockets); err != nil {
		h.options.Log.Warn("socket directory stays", "error", err)
	}
}

// installation is one executable in the plugins directory.
type installation struct {
	provider string
	version  *semver.Version
	path     string
}

// scan lists what is installed, newest version of each provider first. What is not named as it should be is left out.
func scan(dir string) ([]installation, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", ExecutablePrefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("plugins directory: %w", err)
	}
	var found []installation
	for _, path := range paths {
		folder := filepath.Dir(path)
		provider := filepath.Base(filepath.Dir(folder))
		version, err := semver.StrictNewVersion(filepath.Base(folder))
		info, statErr := os.Stat(path)
		usable := err == nil && statErr == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
		if usable && filepath.Base(path) == ExecutablePrefix+provider {
			found = append(found, installation{provider: provider, version: version, path: path})
		}
	}
	slices.SortFunc(found, func(a, b installation) int { return b.version.Compare(a.version) })
	return found, nil
}
