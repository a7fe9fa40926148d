package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// leaseEnd is when a lease of so many microseconds ends by the server's clock, none for 0. A lease counts from when it is given,
// not from when its transaction began: that may have waited.
func leaseEnd(microseconds string) string {
	return "clock_timestamp() + nullif(" + microseconds + "::bigint, 0) * interval '1 microsecond'"
}

// AcquireRun implements store.Leases.
func (s *Store) AcquireRun(ctx context.Context, claim store.Claim) (token, version int64, err error) {
	err = s.write(ctx, "acquire run", func(ctx context.Context, tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `UPDATE runs SET owner = $2, lease_until = `+leaseEnd("$3")+`, token = token + 1
			WHERE id = $1 AND (owner IN ('', $2) OR lease_until IS NULL OR lease_until <= clock_timestamp())
			RETURNING token, version`, claim.RunID, claim.Owner, claim.TTL.Microseconds()).Scan(&token, &version)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		held := &store.HeldError{RunID: claim.RunID}
		if err := tx.QueryRow(ctx, "SELECT owner FROM runs WHERE id = $1", claim.RunID).Scan(&held.Owner); err != nil {
			return err
		}
		return held
	})
	return token, version, err
}

// RenewLeases implements store.Leases. The rows are locked in the order in which a commit locks them.
func (s *Store) RenewLeases(ctx context.Context, owner string, ttl time.Duration, runIDs []string) ([]store.LeaseState, error) {
	if len(runIDs) == 0 {
		return nil, nil
	}
	cancels := map[string]string{}
	err := s.write(ctx, "renew leases", func(ctx context.Context, tx pgx.Tx) error {
		clear(cancels)
		rows, err := tx.Query(ctx, `WITH mine AS (
				SELECT number FROM runs WHERE id = ANY($1) AND owner = $2 ORDER BY number FOR NO KEY UPDATE
			) UPDATE runs r SET lease_until = `+leaseEnd("$3")+` FROM mine WHERE r.number = mine.number RETURNING r.id, r.cancel_by`,
			runIDs, owner, ttl.Microseconds())
		return each(rows, err, func(rows pgx.Rows) error {
			var id, by string
			err := rows.Scan(&id, &by)
			cancels[id] = by
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	states := make([]store.LeaseState, len(runIDs))
	for i, id := range runIDs {
		by, renewed := cancels[id]
		states[i] = store.LeaseState{RunID: id, Lost: !renewed, CancelBy: by}
	}
	return states, nil
}

// ExpiredRuns implements store.Leases.
func (s *Store) ExpiredRuns(ctx context.Context) ([]store.Run, error) {
	return s.runs(ctx, "expired runs", row.SelectRun+`WHERE r.status IN ('queued', 'running', 'cancelling')
		AND r.lease_until <= clock_timestamp() ORDER BY r.number`)
}

// RequestCancel implements store.Leases.
func (s *Store) RequestCancel(ctx context.Context, tenant, runID, by string) error {
	return s.write(ctx, "request cancel", func(ctx context.Context, tx pgx.Tx) error {
		var active bool
		err := tx.QueryRow(ctx, `UPDATE runs SET cancel_by = CASE WHEN cancel_by = '' THEN $3 ELSE cancel_by END
			WHERE id = $1 AND tenant = $2 RETURNING status IN ('queued', 'running', 'cancelling')`, runID, tenant, by).Scan(&active)
		if err == nil && !active {
			err = store.ErrStale
		}
		return err
	})
}
