package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
)

// Commit implements store.Runs.
func (s *Store) Commit(ctx context.Context, writes []store.Write) ([]error, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	b := &batch{writes: writes, refused: make([]error, len(writes)), groups: map[string]*group{}, events: row.NewEncoder()}
	b.encode()
	err := s.write(ctx, "commit", func(ctx context.Context, tx *sql.Tx) error {
		b.bound = s.in(ctx, tx)
		return b.commit()
	})
	if err != nil {
		return nil, err
	}
	return b.refused, nil
}

// batch is what one transaction commits: the writes of some runs. A write with a stale token is taken out alone; when a
// run breaks a rule, all that this batch has for it is.
type batch struct {
	*bound
	writes  []store.Write
	refused []error
	events  *row.Encoder
	spans   [][]row.Span // of each write's events
	groups  map[string]*group
	order   []*group
}

// group is what a batch has for one run.
type group struct {
	run       runState
	writes    []int
	changed   bool // has events
	durations map[durationKey]duration
	destroyed *bool
}

// durationKey and duration sum up what the operations of a group took: most are of few types.
type durationKey struct{ kind, verb string }

type duration struct {
	count int64
	total time.Duration
}

// runState is the row of a run, as a batch moves it on.
type runState struct {
	row.Run
	number, token, deployment int64
	tenant, deploymentID      string
}

// encode does what needs no transaction before there is one.
func (b *batch) encode() {
	b.spans = make([][]row.Span, len(b.writes))
	for i := range b.writes {
		events := b.writes[i].Events
		b.spans[i] = make([]row.Span, len(events))
		for k := range events {
			if b.spans[i][k], b.refused[i] = b.events.Encode(&events[k]); b.refused[i] != nil {
				break
			}
		}
	}
}

func (b *batch) commit() error {
	for i := range b.writes {
		if err := b.admit(i); err != nil {
			return err
		}
	}
	for _, g := range b.order {
		if err := b.try(g); err != nil {
			return err
		}
	}
	return nil
}

// admit puts a write into the group of its run, if its token is the run's.
func (b *batch) admit(i int) error {
	w := &b.writes[i]
	g, err := b.group(w.RunID)
	if err != nil {
		return err
	}
	switch {
	case g.run.number == 0:
		b.refused[i] = store.ErrNotFound
	case w.Token == 0 || w.Token != g.run.token && !planted.Is(planted.Unfenced):
		b.refused[i] = store.ErrFenced
	default:
		g.writes = append(g.writes, i)
	}
	return nil
}

// group reads the run of a group when it is first named; a run that is not there has no number.
func (b *batch) group(runID string) (*group, error) {
	if g, ok := b.groups[runID]; ok {
		return g, nil
	}
	g := &group{}
	r := &g.run
	err := b.statement(findRun).QueryRowContext(b.ctx, runID).
		Scan(&r.number, &r.token, &r.Version, &r.Status, &r.CompletedAt, &r.deployment, &r.tenant, &r.deploymentID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	b.groups[runID] = g
	b.order = append(b.order, g)
	return g, nil
}

// try stores a group, or leaves nothing of it and tells each of its writes why. Its error is one that ends the batch.
func (b *batch) try(g *group) error {
	if len(g.writes) == 0 {
		return nil
	}
	if err := b.exec(savepoint); err != nil {
		return err
	}
	if err := b.keep(g); err != nil {
		if !refusal(err) {
			return err
		}
		for _, i := range g.writes {
			b.refused[i] = err
		}
		if err := b.exec(undo); err != nil {
			return err
		}
	}
	return b.exec(release)
}

// refusal says that an error is of what was to be written, and not of the store.
func refusal(err error) bool {
	var active *store.ActiveRunError
	var used *store.KeyUsedError
	return constrained(err) || errors.As(err, &active) || errors.As(err, &used) || errors.Is(err, store.ErrInvalid) ||
		errors.Is(err, store.ErrVersion) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrStale)
}

func (b *batch) keep(g *group) error {
	for _, i := range g.writes {
		if b.refused[i] != nil {
			return b.refused[i]
		}
		if err := b.keepWrite(g, i); err != nil {
			return err
		}
	}
	return b.finish(g)
}

func (b *batch) keepWrite(g *group, i int) error {
	w := &b.writes[i]
	for k := range w.Events {
		if err := b.keepEvent(g, w.RunID, &w.Events[k], b.spans[i][k]); err != nil {
			return err
		}
	}
	for k := range w.Placements {
		if err := b.keepPlacement(g, &w.Placements[k]); err != nil {
			return err
		}
	}
	for k := range w.Logs {
		l := &w.Logs[k]
		if err := b.exec(addLog, g.run.number, l.Operation, row.Nanos(l.Line.At), l.Line.Level, l.Line.Message); err != nil {
			return err
		}
	}
	return b.keepRest(g, w)
}

// keepRest keeps what few writes have.
func (b *batch) keepRest(g *group, w *store.Write) error {
	for k := range w.RollbackRecords {
		r := &w.RollbackRecords[k]
		if err := b.exec(addRollbackRecord, g.run.number, r.Operation, r.Attempt, r.Format, row.Present(r.Data)); err != nil {
			return err
		}
	}
	for _, d := range w.Durations {
		if g.durations == nil {
			g.durations = map[durationKey]duration{}
		}
		sum := g.durations[durationKey{d.Type, string(d.Verb)}]
		g.durations[durationKey{d.Type, string(d.Verb)}] = duration{sum.count + 1, sum.total + d.Took}
	}
	if w.Idempotency != nil {
		if w.Idempotency.Tenant != g.run.tenant || w.Idempotency.Key == "" {
			return fmt.Errorf("idempotency key: %w", store.ErrInvalid)
		}
		if err := useKey(b.ctx, b.tx, w.Idempotency, true); err != nil {
			return err
		}
	}
	if w.Head != nil {
		if err := moveHead(b.ctx, b.tx, g.run.deployment, w.Head.GraphID, w.Head.Previous); err != nil {
			return err
		}
		if err := repin(b.ctx, b.tx, g.run.deployment, w.Head.Accounts); err != nil {
			return err
		}
	}
	if w.Destroyed != nil {
		g.destroyed = w.Destroyed
	}
	return nil
}

func (b *batch) keepEvent(g *group, runID string, event *execution.Event, text row.Span) error {
	r := &g.run
	if err := r.Follow(runID, event); err != nil {
		return err
	}
	g.changed = true
	if planted.Is(planted.DroppedEvent) && event.Kind == execution.Identified {
		return nil
	}
	return b.exec(addEvent, r.number, event.Version, b.events.Bytes(text))
}

func (b *batch) keepPlacement(g *group, p *store.PlacementWrite) error {
	if p.Tenant != g.run.tenant || p.DeploymentID != g.run.deploymentID {
		return fmt.Errorf("placement: %w", store.ErrNotFound)
	}
	result, err := b.statement(updatePlacement).ExecContext(b.ctx, given(string(p.State)), truth(p.Cleared), truth(p.Made),
		given(p.Identity), truth(p.Cleared), blob(p.Outputs), truth(p.Cleared), given(p.Account), given(p.ProviderVersion), given(p.GraphID),
		g.run.deployment, p.NodeID, p.Region)
	if err := mustTouch(result, err); err != nil {
		return fmt.Errorf("placement: %w", err)
	}
	return nil
}

// finish writes what the group's writes came to, once.
func (b *batch) finish(g *group) error {
	r := &g.run
	if g.changed {
		err := b.exec(updateRun, r.Version, string(r.Status), r.UpdatedAt, r.CompletedAt, truth(!r.Status.Active()), r.number)
		if taken(err) {
			return b.rival(g)
		}
		if err != nil {
			return err
		}
	}
	for key, sum := range g.durations {
		if err := b.exec(addDuration, r.tenant, key.kind, key.verb, sum.count, int64(sum.total)); err != nil {
			return err
		}
	}
	if g.destroyed == nil {
		return nil
	}
	return b.exec(setDestroyed, truth(*g.destroyed), r.UpdatedAt, r.deployment)
}

// rival names the run because of which the one of the group cannot be active.
func (b *batch) rival(g *group) error {
	active := &store.ActiveRunError{}
	err := b.tx.QueryRowContext(b.ctx, `SELECT id FROM runs WHERE deployment = ? AND kind <> 'verify'
		AND status IN ('queued', 'running', 'cancelling')`, g.run.deployment).Scan(&active.RunID)
	if err != nil {
		return err
	}
	return active
}
