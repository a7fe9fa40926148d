package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// leaseUntil is when a lease of that length ends, 0 for one that was not asked for. The file's clock is that of this process:
// whoever else has the file open is on the same machine.
func leaseUntil(ttl time.Duration) int64 {
	if ttl <= 0 {
		return 0
	}
	return time.Now().Add(ttl).UnixNano()
}

// AcquireRun implements store.Leases.
func (s *Store) AcquireRun(ctx context.Context, claim store.Claim) (token, version int64, err error) {
	err = s.write(ctx, "acquire run", func(ctx context.Context, tx *sql.Tx) error {
		var owner string
		var until int64
		err := tx.QueryRowContext(ctx, "SELECT owner, lease_until FROM runs WHERE id = ?", claim.RunID).Scan(&owner, &until)
		if err != nil {
			return err
		}
		if owner != "" && owner != claim.Owner && until > time.Now().UnixNano() {
			return &store.HeldError{RunID: claim.RunID, Owner: owner}
		}
		return tx.QueryRowContext(ctx, `UPDATE runs SET owner = ?, lease_until = ?, token = token + 1 WHERE id = ?
			RETURNING token, version`, claim.Owner, leaseUntil(claim.TTL), claim.RunID).Scan(&token, &version)
	})
	return token, version, err
}

// RenewLeases implements store.Leases.
func (s *Store) RenewLeases(ctx context.Context, owner string, ttl time.Duration, runIDs []string) ([]store.LeaseState, error) {
	states := make([]store.LeaseState, len(runIDs))
	err := s.write(ctx, "renew leases", func(ctx context.Context, tx *sql.Tx) error {
		until := leaseUntil(ttl)
		for i, id := range runIDs {
			states[i] = store.LeaseState{RunID: id}
			err := tx.QueryRowContext(ctx, "UPDATE runs SET lease_until = ? WHERE id = ? AND owner = ? RETURNING cancel_by",
				until, id, owner).Scan(&states[i].CancelBy)
			if err == sql.ErrNoRows {
				states[i].Lost, err = true, nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

// ExpiredRuns implements store.Leases.
func (s *Store) ExpiredRuns(ctx context.Context) ([]store.Run, error) {
	return s.runs(ctx, "expired runs", row.SelectRun+`WHERE r.status IN ('queued', 'running', 'cancelling')
		AND r.lease_until <> 0 AND r.lease_until <= ? ORDER BY r.number`, time.Now().UnixNano())
}

// RequestCancel implements store.Leases.
func (s *Store) RequestCancel(ctx context.Context, tenant, runID, by string) error {
	return s.write(ctx, "request cancel", func(ctx context.Context, tx *sql.Tx) error {
		var active bool
		err := tx.QueryRowContext(ctx, `UPDATE runs SET cancel_by = iif(cancel_by = '', ?, cancel_by) WHERE id = ? AND tenant = ?
			RETURNING status IN ('queued', 'running', 'cancelling')`, by, runID, tenant).Scan(&active)
		if err == nil && !active {
			err = store.ErrStale
		}
		return err
	})
}
