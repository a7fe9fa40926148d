package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// drive is a run at work in this host, or one that came to rest here lately. Its call holds the caller's sealed credentials,
// and is dropped when the run comes to rest.
type drive struct {
	run     store.Run
	plan    *plan.Plan
	options runOptions
	call    *dispatch.Run

	accounts    map[string]string
	newAccounts map[string]string
	placements  map[placeKey]store.Placement
	first       []store.PlacementWrite // what is written when the run begins
	// undoing are the records of the run that this one takes back, by its operations.
	undoing map[string]*contract.RollbackRecord

	state *journal.Run
	done  chan struct{}
	err   error

	// owned ends when the host gives the run up, or has lost it; with it all that is asked about the run, whatever it is doing.
	owned  context.Context
	disown context.CancelFunc
	// starting ends when nothing new of the run may start, calls when what is in flight must end.
	starting context.Context
	stop     context.CancelFunc
	calls    context.Context
	abort    context.CancelFunc

	mu        sync.Mutex
	cancelled bool // somebody asked for it, and that is durable
	ending    bool // it comes to rest by itself: there is nothing left to cancel
	graces    []*time.Timer
}

// uncertain says whether the record does not know if an operation's thing is there, as this very graph wants it: an earlier run of
// the graph ended without knowing. What another graph may have left is another thing.
func (d *drive) uncertain(operation *plan.Operation) bool { return d.recorded(operation, store.Maybe) }

// recorded says whether the record had this of an operation's thing when the run was set going, and had it from this very graph.
func (d *drive) recorded(operation *plan.Operation, state store.PlacementState) bool {
	placement := d.placements[placeKey{operation.Node.Logical(), operation.Region}]
	return placement.State == state && placement.GraphID == d.graphID()
}

// graphID is the graph that the record names for what the run does.
func (d *drive) graphID() string { return cmp.Or(d.plan.Spec.Of, d.run.PlanGraphID) }

// mode is the one that the run was last set going in.
func (d *drive) mode(state *execution.Run) execution.Mode {
	return cmp.Or(state.Mode, execution.Mode(d.run.Mode))
}

// scheduling says how far the run is to go, and how much of it at once.
func (e *Engine) scheduling(d *drive, mode execution.Mode) schedule.Options {
	return schedule.Options{Limit: e.options.Concurrency, Step: mode == execution.Step, Early: d.uncertain}
}

// newRun draws the ids of a run.
func (e *Engine) newRun(caller Caller, kind execution.RunKind, only []string) store.Run {
	now := e.options.Now().UTC()
	return store.Run{
		ID: e.options.NewID(), Tenant: caller.Tenant, ExecGraphID: e.options.NewID(), Kind: kind, Mode: string(execution.Full),
		Status: execution.RunQueued, StartedBy: caller.Name, CreatedAt: now, UpdatedAt: now,
	}
}

func (e *Engine) dispatchRun(ctx context.Context, caller Caller, d *drive, credentials rest.Credentials, sealed map[string]map[string]string) *dispatch.Run {
	return &dispatch.Run{
		ID: d.run.ID, Kind: d.run.Kind, Tenant: caller.Tenant, DeploymentID: d.run.DeploymentID, Owner: e.owner(caller.Tenant),
		Plan: d.plan, Access: dispatch.Access{Credentials: credentials, Accounts: d.accounts}, Settings: e.options.Settings, Sealed: sealed,
		AllowPlainBoxes: e.options.PlainBoxes(ctx),
	}
}

// create stores the run and begins it. From here on the caller may go: what is begun is begun whole.
func (e *Engine) create(ctx context.Context, caller Caller, d *drive, row store.NewRun) (result *rest.RunResult, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	release, err := e.claim(d.run.ID)
	if err != nil {
		return nil, err
	}
	defer release()
	defer func() { e.unbegun(d.run, err) }()
	if d.run.Kind == execution.Move {
		d.options.PreviousHead = &row.PreviousHead
	}
	if d.run.Options, err = json.Marshal(d.options); err != nil {
		return nil, fmt.Errorf("encode options: %w", err)
	}
	first := runEvent(execution.RunQueued, caller.Name, "")
	first.Mode = execution.Mode(d.run.Mode)
	first.RunID, first.Version, first.At = d.run.ID, 1, d.run.CreatedAt
	row.Run, row.Event, row.Accounts = d.run, first, d.newAccounts
	row.Lease = e.options.Lease
	row.MaxActive, row.Idempotency = e.options.ActiveRuns, caller.keyFor(d.run.ID, d.run.GraphID, d.run.CreatedAt)
	if err := e.store.CreateRun(ctx, row); err != nil {
		return nil, err
	}
	if row.Supersede {
		e.forget(d.run.Tenant, d.run.DeploymentID)
	}
	token, _, err := e.store.AcquireRun(ctx, e.claimOf(d.run.ID))
	if err != nil {
		return nil, err
	}
	state := execution.NewRun(d.run.ID, operationIDs(d.plan))
	if err := state.Apply(&first); err != nil {
		return nil, err
	}
	return e.begin(ctx, caller, d, state, token, journal.Entry{Events: []execution.Event{runEvent(execution.RunRunning, caller.Name, "")}})
}

// begin makes the beginning durable and sets the run going. The drive is registered before the claim on it ends.
func (e *Engine) begin(ctx context.Context, caller Caller, d *drive, state *execution.Run, token int64, beginning journal.Entry) (*rest.RunResult, error) {
	d.state, d.done = e.journal.Open(state, token, e.options.Now), make(chan struct{})
	beginning.Placements = append(beginning.Placements, d.first...)
	beginning.Idempotency = caller.keyFor(d.run.ID, d.run.GraphID, e.options.Now())
	if err := d.state.Append(beginning); err != nil {
		return nil, err
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, errors.Join(journal.ErrClosed, d.rest(execution.RunInterrupted, "the host is stopping", nil))
	}
	d.starting, d.stop = e.bounded(d)
	d.owned, d.disown = context.WithCancel(e.calls)
	d.calls, d.abort = context.WithCancel(d.owned)
	e.drives[d.run.ID] = d
	e.running.Add(1)
	e.mu.Unlock()
	go e.work(d)
	return e.result(ctx, d)
}

// work schedules the run until it comes to rest, and records how.
func (e *Engine) work(d *drive) {
	defer e.running.Done()
	defer d.disown()
	defer d.stop()
	recorder := e.newRecorder(d)
	status, err := e.perform(d, recorder)
	reason := reasonOf(d.starting, status)
	if cancelled := d.end(false); cancelled && err == nil {
		status, reason, err = e.settle(d, recorder)
		d.end(true)
	}
	if err == nil {
		err = d.rest(status, reason, e.destroyed(d, status))
	}
	if err != nil {
		e.log.Error("run could not be recorded", "run", d.run.ID, "error", err)
		d.err = err
		if !e.left(d) {
			defer e.abandon(d.run)
		}
	}
	d.call = nil
	e.retire(d)
	close(d.done)
}

// left lets go of a run that could not be recorded, unless another host has it, which then sees to it. False says that the store
// does not have it so yet.
func (e *Engine) left(d *drive) bool {
	if e.taken(d.err) {
		return true
	}
	return e.interrupt(context.Background(), d.run, "the host could not record it") == nil
}

// perform schedules the run until nothing of it can be performed any more.
func (e *Engine) perform(d *drive, recorder *recorder) (status execution.RunStatus, err error) {
	performer := e.dispatcher.Performer(d.call, recorder)
	for again := true; again && err == nil; {
		var options schedule.Options
		recorder.Peek(func(run *execution.Run) { options = e.scheduling(d, d.mode(run)) })
		if status, err = schedule.Run(d.starting, d.calls, d.plan, recorder, performer, options); err == nil {
			status, again, err = e.carryOn(d, status)
		}
	}
	return status, err
}

// bounded ends when nothing new of the run may start: when the host stops, or the run has had its time. What is in flight then
// finishes, and the run can be gone on with.
func (e *Engine) bounded(d *drive) (context.Context, context.CancelFunc) {
	if d.options.TimeoutSeconds <= 0 {
		return context.WithCancel(e.starting)
	}
	return context.WithTimeout(e.starting, time.Duration(d.options.TimeoutSeconds*float64(time.Second)))
}

func reasonOf(ctx context.Context, status execution.RunStatus) string {
	switch {
	case status != execution.RunInterrupted:
		return ""
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "timeout_seconds of the run have passed"
	default:
		return "the host was asked to stop"
	}
}

// rest records how the run came to rest.
func (d *drive) rest(status execution.RunStatus, reason string, destroyed *bool) error {
	head, all := d.restored(status)
	if all != nil {
		destroyed = all
	}
	return d.state.Append(journal.Entry{Events: []execution.Event{runEvent(status, "", reason)}, Destroyed: destroyed, Head: head})
}

// retire moves the drive from those at work to those at rest, of which a few are kept.
func (e *Engine) retire(d *drive) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.drives, d.run.ID)
	if d.err != nil || !e.keeps(d) {
		return
	}
	e.recent.add(d)
}

// keeps says whether how a run stands can be told from memory: another host may go on with one that can be gone on with.
func (e *Engine) keeps(d *drive) (keeps bool) {
	d.state.Peek(func(run *execution.Run) { keeps = !e.shared() || run.Status.Final() })
	return keeps
}

// forget drops what is kept of a deployment's runs at rest: one of them was just cancelled in the store.
func (e *Engine) forget(tenant, deploymentID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recent.forget(deploymentKey{tenant, deploymentID})
}

// find gives a run that this host has in memory; nil when it has not.
func (e *Engine) find(caller Caller, runID string) *drive {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.drives[runID]
	if d == nil {
		d = e.recent.find(runID)
	}
	if d == nil || d.run.Tenant != caller.Tenant {
		return nil
	}
	return d
}

// Wait returns when the run is at rest, or ctx ends.
func (e *Engine) Wait(ctx context.Context, caller Caller, runID string) error {
	d := e.find(caller, runID)
	if d == nil {
		return e.waitElsewhere(ctx, caller, runID)
	}
	select {
	case <-d.done:
		if e.taken(d.err) {
			return e.waitElsewhere(ctx, caller, runID)
		}
		return classified(d.err)
	case <-ctx.Done():
		return ctx.Err()
	}
}
