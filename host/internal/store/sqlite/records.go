package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// Durations implements store.Records.
func (s *Store) Durations(ctx context.Context, tenant string) ([]store.DurationStat, error) {
	var list []store.DurationStat
	err := s.rows(ctx, "durations", func(rows *sql.Rows) error {
		var d store.DurationStat
		err := rows.Scan(&d.Type, &d.Verb, &d.Count, (*int64)(&d.Mean))
		list = append(list, d)
		return err
	}, "SELECT type, verb, count, total / count FROM durations WHERE tenant = ? ORDER BY type, verb", tenant)
	return list, err
}

// RollbackRecords implements store.Records.
func (s *Store) RollbackRecords(ctx context.Context, runID string) ([]store.RollbackRecord, error) {
	run, err := s.runNumber(ctx, "rollback records", runID)
	if err != nil {
		return nil, err
	}
	var list []store.RollbackRecord
	err = s.rows(ctx, "rollback records", func(rows *sql.Rows) error {
		var r store.RollbackRecord
		err := rows.Scan(&r.Operation, &r.Attempt, &r.Format, &r.Data)
		list = append(list, r)
		return err
	}, `SELECT operation, attempt, format, data FROM rollback_records r WHERE run = ? AND attempt = (
		SELECT max(attempt) FROM rollback_records l WHERE l.run = r.run AND l.operation = r.operation) ORDER BY operation`, run)
	return list, err
}

// Idempotency implements store.Records.
func (s *Store) Idempotency(ctx context.Context, tenant, key string) (store.IdempotencyKey, error) {
	k := store.IdempotencyKey{Tenant: tenant, Key: key}
	err := s.reader.QueryRowContext(ctx, selectIdempotency, tenant, key).Scan(&k.Route, &k.Digest, &k.RunID, &k.GraphID, row.Into(&k.At))
	return k, fault("idempotency key", err)
}

const selectIdempotency = "SELECT route, digest, run_id, graph_id, at FROM idempotency_keys WHERE tenant = ? AND key = ?"

// useKey puts a key on record, or says what it stands for there. repeat lets the same one pass.
func useKey(ctx context.Context, tx *sql.Tx, key *store.IdempotencyKey, repeat bool) error {
	if key == nil {
		return nil
	}
	there := store.IdempotencyKey{Tenant: key.Tenant, Key: key.Key}
	err := tx.QueryRowContext(ctx, selectIdempotency, key.Tenant, key.Key).
		Scan(&there.Route, &there.Digest, &there.RunID, &there.GraphID, row.Into(&there.At))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO idempotency_keys (tenant, key, route, digest, run_id, graph_id, at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, key.Tenant, key.Key, key.Route, key.Digest, key.RunID, key.GraphID, row.Nanos(key.At))
		return err
	case err != nil || repeat && there.Repeats(key):
		return err
	default:
		return &store.KeyUsedError{Key: there}
	}
}

// SweepIdempotency implements store.Records.
func (s *Store) SweepIdempotency(ctx context.Context, now time.Time) error {
	return s.write(ctx, "sweep idempotency keys", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE at <= ?1 AND NOT EXISTS (SELECT 1 FROM runs r
			WHERE r.id = run_id AND (r.status NOT IN ('completed', 'cancelled') OR r.completed_at > ?1))`,
			row.Nanos(now.Add(-store.KeptFor)))
		return err
	})
}
