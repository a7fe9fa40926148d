package pluginhost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// State of a provider version.
type State string

// The states. A version is stopped until it is first needed, and in backoff between a crash and the next start.
const (
	Stopped  State = "stopped"
	Starting State = "starting"
	Ready    State = "ready"
	Draining State = "draining"
	Backoff  State = "backoff"
	Broken   State = "broken"
)

const (
	// crashWindow and crashLimit: so many crashes in so much time, and the version is taken for broken.
	crashWindow = 10 * time.Minute
	crashLimit  = 5
	// backoffFirst doubles with each crash in the window.
	backoffFirst = 100 * time.Millisecond
	startTimeout = 30 * time.Second
	drainTimeout = 15 * time.Second
)

// process is one provider version and its process, when it has one.
type process struct {
	host *Host
	installation

	starting sync.Mutex // held while a process is started, so that it is started once

	mu          sync.Mutex
	state       State
	problem     string
	client      *instance
	provider    contract.Provider
	description *contract.Description
	digest      string
	startedAt   time.Time
	crashes     []time.Time
	starts      int
	calls       int
	idle        chan struct{} // closed when draining is over
}

func newProcess(h *Host, i installation) *process {
	return &process{host: h, installation: i, state: Stopped}
}

func (p *process) keyFile() string {
	return filepath.Join(p.host.options.KeyDir, p.installation.provider+".key")
}

func (p *process) digestOnRecord() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.digest
}

func (p *process) status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notice()
	return Status{
		Version: p.version.Original(), Digest: p.digest, State: p.state, Problem: p.problem, StartedAt: p.startedAt,
		Restarts: max(p.starts-1, 0), Calls: p.calls, Description: p.description,
	}
}

// use counts a call in, starting the process where none lives. A start that fails may have been killed: it is tried again until
// the version is taken for broken.
func (p *process) use(ctx context.Context) (contract.Provider, *contract.Description, func(), error) {
	for {
		if provider, description, ok := p.enter(); ok {
			return provider, description, p.leave, nil
		}
		err := p.ensure(ctx)
		final := errors.Is(err, ErrBroken) || errors.Is(err, ErrStopped) || errors.Is(err, ErrUnknown)
		if err != nil && (final || ctx.Err() != nil) {
			return nil, nil, nil, err
		}
	}
}

// enter counts a call in when a process lives.
func (p *process) enter() (contract.Provider, *contract.Description, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != Ready || p.client.Exited() {
		return nil, nil, false
	}
	p.calls++
	return p.provider, p.description, true
}

func (p *process) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls--
	if p.calls == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

// ensure starts the process unless it lives; one start at a time.
func (p *process) ensure(ctx context.Context) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	pause, err := p.reap()
	if err != nil || pause < 0 {
		return err
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// A caller who goes away meanwhile is no reason to give up a start that others wait for, nor is it the provider's fault.
	if err := p.start(context.WithoutCancel(ctx)); err != nil {
		p.failed(err)
		return fmt.Errorf("%s %s: %w", p.installation.provider, p.version.Original(), err)
	}
	return nil
}

// reap clears a dead process away and says how long to wait before the next one; negative when one lives.
func (p *process) reap() (pause time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notice()
	recent := len(p.recent())
	switch {
	case p.state == Ready:
		return -1, nil
	case p.state == Draining:
		return 0, ErrStopped
	case recent >= crashLimit:
		return 0, fmt.Errorf("%w: %s", ErrBroken, p.problem)
	}
	p.state = Starting
	if recent == 0 {
		return 0, nil
	}
	full := backoffFirst << (recent - 1)
	return full/2 + rand.N(full/2), nil
}

// notice wants the lock held: a process that has ended by itself has crashed. What is left of it here is let go.
func (p *process) notice() {
	if p.state == Ready && p.client.Exited() {
		p.crashed(fmt.Errorf("process %s ended by itself", p.client.ID()))
		go p.client.Kill()
	}
}

// recent wants the lock held: crashes that still count.
func (p *process) recent() []time.Time {
	horizon := p.host.options.Now().Add(-crashWindow)
	for len(p.crashes) > 0 && p.crashes[0].Before(horizon) {
		p.crashes = p.crashes[1:]
	}
	return p.crashes
}

// crashed wants the lock held. What cannot start at all is broken at once, and tried again all the same until it has failed too
// often.
func (p *process) crashed(err error) {
	p.crashes = append(p.crashes, p.host.options.Now())
	p.problem, p.state = err.Error(), Backoff
	if errors.Is(err, ErrBroken) || len(p.recent()) >= crashLimit {
		p.state = Broken
	}
	p.host.options.Log.Warn("provider crashed", "provider", p.installation.provider, "version", p.version.Original(), "error", err)
}

// forgive lets a broken version try again: whoever has the directory read again may have put it right.
func (p *process) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notice()
	if p.state == Broken || p.state == Backoff {
		p.state, p.crashes = Stopped, nil
	}
}

func (p *process) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != Draining {
		p.crashed(err)
	}
}

// start launches the executable and asks it who it is.
func (p *process) start(ctx context.Context) error {
	digest, err := p.checkDigest(ctx)
	if err != nil {
		return err
	}
	client := p.newInstance()
	provider, description, err := p.greet(ctx, client)
	if err != nil {
		client.Kill()
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Draining {
		go client.Kill()
		return ErrStopped
	}
	p.client, p.provider, p.description, p.digest = client, provider, description, digest
	p.state, p.problem, p.startedAt = Ready, "", p.host.options.Now()
	p.starts++
	p.host.options.Log.Info("provider started", "provider", p.installation.provider, "version", p.version.Original(), "pid", client.ID())
	return nil
}

// checkDigest refuses an executable that is not the one that was first used under its version.
func (p *process) checkDigest(ctx context.Context) (string, error) {
	file, err := os.Open(p.path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("read executable: %w", err)
	}
	digest := hex.EncodeToString(hash.Sum(nil))
	recorded, err := p.host.options.Digests.PinDigest(ctx, p.installation.provider, p.version.Original(), digest)
	if err != nil {
		return "", fmt.Errorf("record digest: %w", err)
	}
	if recorded != digest {
		return "", fmt.Errorf("%w: the executable is not the one first used as this version (digest %s, recorded %s): install it under a version of its own", ErrBroken, digest, recorded)
	}
	return digest, nil
}

// greet has the provider describe itself; its word must agree with the folder it is installed in.
func (p *process) greet(ctx context.Context, client *instance) (contract.Provider, *contract.Description, error) {
	provider, err := connect(client)
	if err != nil {
		return nil, nil, fmt.Errorf("start: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	description, err := provider.Describe(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("describe: %w", err)
	}
	if description.Name != p.installation.provider || description.Version != p.version.Original() {
		return nil, nil, fmt.Errorf("%w: it calls itself %s %s, and is installed as %s %s", ErrBroken,
			description.Name, description.Version, p.installation.provider, p.version.Original())
	}
	return provider, description, nil
}

// stop lets calls in flight finish, within a bound, and ends the process.
func (p *process) stop() {
	p.mu.Lock()
	p.state = Draining
	client, idle := p.client, make(chan struct{})
	if p.calls == 0 {
		close(idle)
	} else {
		p.idle = idle
	}
	p.mu.Unlock()
	if client == nil {
		return
	}
	select {
	case <-idle:
	case <-time.After(drainTimeout):
	}
	client.Kill()
}
