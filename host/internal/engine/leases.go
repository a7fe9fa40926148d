package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

const (
	// renewals is how often a lease is renewed in its length: one that is late costs nothing yet.
	renewals = 3
	// glance is how often a run that is at work on another host is looked at, for those who follow it on this one.
	glance = 250 * time.Millisecond
)

// shared says that other hosts may be at work on the same store.
func (e *Engine) shared() bool { return e.options.Lease > 0 }

func (e *Engine) claimOf(runID string) store.Claim {
	return store.Claim{RunID: runID, Owner: e.instance, TTL: e.options.Lease}
}

// release gives up the lease on a run at rest that was taken and is not set going.
func (e *Engine) release(ctx context.Context, runID string) {
	if !e.shared() {
		return
	}
	if _, err := e.store.RenewLeases(ctx, e.instance, 0, []string{runID}); err != nil {
		e.log.Warn("a lease could not be given up, and will run out", "run", runID, "error", err)
	}
}

// keepLeases renews the leases of the runs at work here, and takes up what others let run out, until ctx ends.
func (e *Engine) keepLeases(ctx context.Context) {
	ticker := time.NewTicker(e.options.Lease / renewals)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		within, cancel := context.WithTimeout(ctx, e.options.Lease)
		e.renew(within)
		e.sweep(within)
		cancel()
	}
}

// renew renews, and learns by that which runs are not this host's any more, and which somebody wants cancelled.
func (e *Engine) renew(ctx context.Context) {
	runs := e.atWork()
	if len(runs) == 0 {
		return
	}
	ids := make([]string, len(runs))
	for i, d := range runs {
		ids[i] = d.run.ID
	}
	states, err := e.store.RenewLeases(ctx, e.instance, e.options.Lease, ids)
	if err != nil {
		e.log.Error("leases could not be renewed: what is written under them is refused once another host has taken them", "error", err)
		return
	}
	for i, state := range states {
		switch {
		case state.Lost:
			e.lose(runs[i])
		case state.CancelBy != "":
			e.cancelAsked(runs[i], state.CancelBy)
		}
	}
}

// atWork are the runs that are at work here.
func (e *Engine) atWork() []*drive {
	e.mu.Lock()
	defer e.mu.Unlock()
	var runs []*drive
	for _, d := range e.drives {
		if d != nil {
			runs = append(runs, d)
		}
	}
	return runs
}

// lose stops a run that another host has taken: nothing new is started, and what is in flight is broken off. What it still wants
// to write is refused by the store.
func (e *Engine) lose(d *drive) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ending {
		return // it has come to rest, and its lease ended with that
	}
	e.log.Error("another host has taken a run from this one", "run", d.run.ID, "deployment", d.run.DeploymentID)
	d.stop()
	d.disown()
}

// taken says of what a write or a look at a run came to that another host has the run: it is the store then that tells of it.
func (e *Engine) taken(err error) bool { return e.shared() && errors.Is(err, store.ErrFenced) }

// cancelAsked begins, once, a cancellation that was asked of another host.
func (e *Engine) cancelAsked(d *drive, by string) {
	d.mu.Lock()
	known := d.cancelled || d.ending
	d.mu.Unlock()
	if known {
		return
	}
	if _, err := d.cancel(by, e.options.CancelGrace); err != nil {
		e.log.Error("a run could not be cancelled", "run", d.run.ID, "error", err)
	}
}

// sweep interrupts the runs whose hosts did not renew their leases. Of several hosts that do so at once one has its way.
func (e *Engine) sweep(ctx context.Context) {
	runs, err := e.store.ExpiredRuns(ctx)
	if err != nil {
		e.log.Error("runs that other hosts left could not be looked for", "error", err)
		return
	}
	for _, run := range runs {
		var held *store.HeldError
		err := e.interrupt(ctx, run, "the host that was at work on it did not renew its lease")
		switch {
		case err == nil:
			e.log.Warn("run was interrupted", "run", run.ID, "deployment", run.DeploymentID)
		case !errors.As(err, &held) && !errors.Is(err, store.ErrFenced):
			e.log.Error("a run that another host left could not be interrupted", "run", run.ID, "error", err)
		}
	}
}

// recover interrupts what an earlier host left active. It says so in the run, and nothing else: the credentials are gone. Where
// others are at work on the same store, it is their leases that say what they left.
func (e *Engine) recover(ctx context.Context) error {
	if e.shared() {
		e.sweep(ctx)
		return nil
	}
	runs, err := e.store.ActiveRuns(ctx)
	if err != nil {
		return fmt.Errorf("unfinished runs: %w", err)
	}
	for _, run := range runs {
		if err := e.interrupt(ctx, run, "the host ended before the run did"); err != nil {
			return fmt.Errorf("run %s: %w", run.ID, err)
		}
		e.log.Warn("run was interrupted", "run", run.ID, "deployment", run.DeploymentID)
	}
	return nil
}

// interrupt needs no plan: it changes nothing but the run's own status, which the row holds. A run that is not active any more is
// left as it is; that is looked at once the run is this host's, since another may have brought it to rest until then.
func (e *Engine) interrupt(ctx context.Context, run store.Run, reason string) error {
	token, version, err := e.store.AcquireRun(ctx, e.claimOf(run.ID))
	if err != nil {
		return err
	}
	now, err := e.store.Run(ctx, run.Tenant, run.ID)
	if err != nil {
		return err
	}
	if !now.Status.Active() {
		e.release(ctx, run.ID)
		return nil
	}
	event := runEvent(execution.RunInterrupted, "", reason)
	event.RunID, event.Version, event.At = run.ID, version+1, e.options.Now().UTC()
	results, err := e.store.Commit(ctx, []store.Write{{RunID: run.ID, Token: token, Events: []execution.Event{event}}})
	if err != nil {
		return err
	}
	return results[0]
}

// waitElsewhere returns when a run that is at work on another host is at rest, or ctx ends.
func (e *Engine) waitElsewhere(ctx context.Context, caller Caller, runID string) error {
	for e.shared() {
		run, err := e.store.Run(ctx, caller.Tenant, runID)
		if err != nil {
			return classified(err)
		}
		if !run.Status.Active() {
			return nil
		}
		select {
		case <-time.After(glance):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
