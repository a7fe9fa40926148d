package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// Commit implements store.Runs. All runs of the batch are stored together, by a few statements. When the database refuses one of
// them, the transaction is made again with a savepoint for each run, and says which.
func (s *Store) Commit(ctx context.Context, writes []store.Write) ([]error, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	b := newBatch(writes, s.share)
	err := s.write(ctx, "commit", b.together)
	if refusal(err) {
		err = s.write(ctx, "commit", b.apart)
	}
	if err != nil {
		return nil, err
	}
	return b.refused, nil
}

// refusal says that an error is of what was to be written, and not of the store.
func refusal(err error) bool {
	var active *store.ActiveRunError
	var used *store.KeyUsedError
	return constrained(err) || errors.As(err, &active) || errors.As(err, &used) || errors.Is(err, store.ErrInvalid) ||
		errors.Is(err, store.ErrVersion) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrStale)
}

// batch is what one transaction commits: the writes of some runs. A write with a stale token is taken out alone; when a
// run breaks a rule, all that this batch has for it is.
type batch struct {
	writes    []store.Write
	share     int
	unsayable []error // of each write, what its events cannot be stored for
	events    *row.Encoder
	spans     [][]row.Span // of each write's events
	runs      []string     // in the order in which they are first named
	rare      []string     // those whose deployment changes too

	refused []error
}

func newBatch(writes []store.Write, share int) *batch {
	b := &batch{writes: writes, share: share, events: row.NewEncoder()}
	b.unsayable, b.spans = make([]error, len(writes)), make([][]row.Span, len(writes))
	seen := map[string]bool{}
	for i := range writes {
		w := &writes[i]
		b.spans[i] = make([]row.Span, len(w.Events))
		for k := range w.Events {
			if b.spans[i][k], b.unsayable[i] = b.events.Encode(&w.Events[k]); b.unsayable[i] != nil {
				break
			}
		}
		if !seen[w.RunID] {
			seen[w.RunID] = true
			b.runs = append(b.runs, w.RunID)
		}
		if w.Head != nil || w.Destroyed != nil {
			b.rare = append(b.rare, w.RunID)
		}
	}
	return b
}

// together stores all runs by the same statements; a refusal of one is the error of all.
func (b *batch) together(ctx context.Context, tx pgx.Tx) error {
	groups, err := b.admit(ctx, tx)
	if err != nil {
		return err
	}
	return keep(ctx, tx, groups, b.share)
}

// apart stores each run by itself, or leaves nothing of it and tells each of its writes why.
func (b *batch) apart(ctx context.Context, tx pgx.Tx) error {
	groups, err := b.admit(ctx, tx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		err := b.try(ctx, tx, g)
		if !refusal(err) {
			if err != nil {
				return err
			}
			continue
		}
		b.refuse(g, quiet(err))
	}
	return nil
}

func (b *batch) try(ctx context.Context, tx pgx.Tx, g *group) error {
	point, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	err = keep(ctx, point, []*group{g}, b.share)
	if err == nil {
		return point.Commit(ctx)
	}
	if undone := point.Rollback(ctx); undone != nil {
		return undone
	}
	if answer := answerOf(err); answer != nil && answer.ConstraintName == oneActive {
		return b.rival(ctx, tx, g)
	}
	return err
}

// rival names the run because of which the one of the group cannot be active.
func (b *batch) rival(ctx context.Context, tx pgx.Tx, g *group) error {
	active := &store.ActiveRunError{}
	err := tx.QueryRow(ctx, `SELECT id FROM runs WHERE deployment = $1 AND kind <> 'verify'
		AND status IN ('queued', 'running', 'cancelling')`, g.run.deployment).Scan(&active.RunID)
	if errors.Is(err, pgx.ErrNoRows) {
		return errAgain
	}
	if err != nil {
		return err
	}
	return active
}

func (b *batch) refuse(g *group, err error) {
	for _, i := range g.writes {
		b.refused[i] = err
	}
}

// admit locks the runs, each write's token being the run's or not, and sums up what each run has. What can be refused without the
// database is.
func (b *batch) admit(ctx context.Context, tx pgx.Tx) ([]*group, error) {
	b.refused = make([]error, len(b.writes))
	found, err := b.lock(ctx, tx)
	if err != nil {
		return nil, err
	}
	for i := range b.writes {
		w := &b.writes[i]
		g := found[w.RunID]
		switch {
		case g == nil:
			b.refused[i] = store.ErrNotFound
		case w.Token == 0 || w.Token != g.run.token:
			b.refused[i] = store.ErrFenced
		default:
			g.writes = append(g.writes, i)
		}
	}
	var groups []*group
	for _, id := range b.runs {
		g := found[id]
		if g == nil || len(g.writes) == 0 {
			continue
		}
		if err := b.sum(g); err != nil {
			b.refuse(g, err)
			continue
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// lock reads the rows of the runs and keeps others from changing them. Rows are locked in one order everywhere: deployments before
// runs, and each by their numbers.
func (b *batch) lock(ctx context.Context, tx pgx.Tx) (map[string]*group, error) {
	if len(b.rare) > 0 {
		_, err := tx.Exec(ctx, `SELECT 1 FROM deployments WHERE number IN (SELECT deployment FROM runs WHERE id = ANY($1))
			ORDER BY number FOR NO KEY UPDATE`, b.rare)
		if err != nil {
			return nil, err
		}
	}
	found := map[string]*group{}
	rows, err := tx.Query(ctx, `SELECT r.id, r.number, r.token, r.version, r.status, r.completed_at, r.deployment, d.tenant, d.id
		FROM runs r JOIN deployments d ON d.number = r.deployment WHERE r.id = ANY($1) ORDER BY r.number FOR NO KEY UPDATE OF r`, b.runs)
	err = each(rows, err, func(rows pgx.Rows) error {
		g := &group{}
		r := &g.run
		var id string
		err := rows.Scan(&id, &r.number, &r.token, &r.Version, &r.Status, &r.CompletedAt, &r.deployment, &r.tenant, &r.deploymentID)
		found[id] = g
		return err
	})
	return found, err
}

// sum adds up what the writes of a group come to.
func (b *batch) sum(g *group) error {
	for _, i := range g.writes {
		if b.unsayable[i] != nil {
			return b.unsayable[i]
		}
		w := &b.writes[i]
		for k := range w.Events {
			if err := g.run.Follow(w.RunID, &w.Events[k]); err != nil {
				return err
			}
			g.changed = true
			g.versions, g.payloads = append(g.versions, w.Events[k].Version), append(g.payloads, b.events.Bytes(b.spans[i][k]))
		}
		for k := range w.Placements {
			if err := g.place(&w.Placements[k]); err != nil {
				return err
			}
		}
		if w.Idempotency != nil && (w.Idempotency.Tenant != g.run.tenant || w.Idempotency.Key == "") {
			return fmt.Errorf("idempotency key: %w", store.ErrInvalid)
		}
		g.add(w)
	}
	return nil
}
