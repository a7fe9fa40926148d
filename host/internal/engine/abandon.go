package engine

import (
	"context"
	"errors"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
)

// The pauses between tries to let go of a run: the store may not answer for a while.
const (
	abandonFirst = 100 * time.Millisecond
	abandonMost  = 30 * time.Second
)

// abandon interrupts a run that may stand in the store as active while nobody is at work on it, since a command or its last commit
// failed half-way. Until the store takes that, nothing else could be done with its deployment; so it is tried until it does, or
// this host ends: the next one takes over what is active.
func (e *Engine) abandon(run store.Run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.running.Go(func() {
		for pause := abandonFirst; ; pause = min(2*pause, abandonMost) {
			select {
			case <-e.starting.Done():
				return
			case <-time.After(pause):
			}
			if e.letGo(e.starting, run) {
				return
			}
		}
	})
}

// letGo says whether the run is not active any more, or is somebody's who will see to it.
func (e *Engine) letGo(ctx context.Context, run store.Run) (done bool) {
	release, err := e.claim(run.ID)
	if err != nil {
		return e.find(Caller{Tenant: run.Tenant}, run.ID) != nil
	}
	defer release()
	stored, err := e.store.Run(ctx, run.Tenant, run.ID)
	if err == nil && stored.Status.Active() {
		err = e.interrupt(ctx, stored, "the host could not go on with it")
	}
	var held *store.HeldError
	if done = err == nil || errors.Is(err, store.ErrNotFound) || errors.As(err, &held); !done {
		e.log.Error("a run that nobody is at work on stays active for now", "run", run.ID, "error", err)
	}
	return done
}

// refusedRun says that a store did not keep a new run. Any other error leaves that open: the answer may be all that was lost.
func refusedRun(err error) bool {
	var active *store.ActiveRunError
	var used *store.KeyUsedError
	for _, kind := range []error{store.ErrExists, store.ErrStale, store.ErrNotFound, store.ErrTooMany, store.ErrInvalid} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return errors.As(err, &active) || errors.As(err, &used)
}

// unbegun has a run let go of that was stored, or may have been, and did not begin.
func (e *Engine) unbegun(run store.Run, err error) {
	if err != nil && !refusedRun(err) && !planted.Is(planted.StuckRun) {
		e.abandon(run)
	}
}
