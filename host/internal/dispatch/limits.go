package dispatch

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// limits hold what a provider may be asked at once, for each provider, tenant's account and region, across all runs.
type limits struct {
	// host bounds all calls together.
	host *semaphore.Weighted

	mu    sync.Mutex
	gates map[gateKey]*gate
}

func newLimits(concurrency int) *limits {
	return &limits{host: semaphore.NewWeighted(int64(concurrency)), gates: map[gateKey]*gate{}}
}

type gateKey struct{ provider, tenant, account, region string }

type gate struct {
	slots *semaphore.Weighted
	rate  *rate.Limiter
}

// enter waits for a place and gives it back with leave. The provider's own place comes first, so that one busy provider does not
// fill the host with calls that wait.
func (l *limits) enter(ctx context.Context, call contract.CallContext, provider string, limit contract.RateLimit) (leave func(), err error) {
	leaveGate := func() {}
	if limit != (contract.RateLimit{}) {
		g := l.gate(gateKey{provider, call.Tenant, call.Account, call.Region}, limit)
		if leaveGate, err = g.enter(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.host.Acquire(ctx, 1); err != nil {
		leaveGate()
		return nil, err
	}
	return func() { l.host.Release(1); leaveGate() }, nil
}

func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if g.rate != nil {
		if err := g.rate.Wait(ctx); err != nil {
			return nil, err
		}
	}
	if g.slots == nil {
		return func() {}, nil
	}
	if err := g.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { g.slots.Release(1) }, nil
}

// tighter is the smaller of what a provider declares and what the operator allows, each by itself; zero is no limit.
func tighter(declared, allowed contract.RateLimit) contract.RateLimit {
	limit := contract.RateLimit{
		MaxConcurrent: smaller(declared.MaxConcurrent, allowed.MaxConcurrent),
		PerSecond:     smaller(declared.PerSecond, allowed.PerSecond),
		Burst:         smaller(declared.Burst, allowed.Burst),
	}
	if declared.PerSecond > 0 && declared.Burst == 0 {
		limit.Burst = 0 // one at a time, which nothing is tighter than
	}
	return limit
}

func smaller[N int | float64](a, b N) N {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func (l *limits) gate(key gateKey, limit contract.RateLimit) *gate {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.gates[key]
	if !ok {
		g = &gate{}
		if limit.MaxConcurrent > 0 {
			g.slots = semaphore.NewWeighted(int64(limit.MaxConcurrent))
		}
		if limit.PerSecond > 0 {
			g.rate = rate.NewLimiter(rate.Limit(limit.PerSecond), max(limit.Burst, 1))
		}
		l.gates[key] = g
	}
	return g
}
