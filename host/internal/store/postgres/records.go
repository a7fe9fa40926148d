package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// Durations implements store.Records.
func (s *Store) Durations(ctx context.Context, tenant string) ([]store.DurationStat, error) {
	var list []store.DurationStat
	err := s.rows(ctx, "durations", func(rows pgx.Rows) error {
		var d store.DurationStat
		err := rows.Scan(&d.Type, &d.Verb, &d.Count, (*int64)(&d.Mean))
		list = append(list, d)
		return err
	}, `SELECT type, verb, sum(count)::bigint, div(sum(total), sum(count))::bigint FROM durations WHERE tenant = $1
		GROUP BY type, verb ORDER BY type, verb`, tenant)
	return list, err
}

// RollbackRecords implements store.Records.
func (s *Store) RollbackRecords(ctx context.Context, runID string) ([]store.RollbackRecord, error) {
	var list []store.RollbackRecord
	err := s.rows(ctx, "rollback records", func(rows pgx.Rows) error {
		var r store.RollbackRecord
		err := rows.Scan(&r.Operation, &r.Attempt, &r.Format, &r.Data)
		list = append(list, r)
		return err
	}, `SELECT DISTINCT ON (operation) operation, attempt, format, data FROM rollback_records
		WHERE run = (SELECT number FROM runs WHERE id = $1) ORDER BY operation, attempt DESC`, runID)
	if err == nil && len(list) == 0 {
		err = s.mustKnow(ctx, "rollback records", runID)
	}
	return list, err
}

const selectIdempotency = "SELECT route, digest, run_id, graph_id, at FROM idempotency_keys WHERE tenant = $1 AND key = $2"

func keyed(k *store.IdempotencyKey) []any {
	return []any{&k.Route, &k.Digest, &k.RunID, &k.GraphID, row.Into(&k.At)}
}

// Idempotency implements store.Records.
func (s *Store) Idempotency(ctx context.Context, tenant, key string) (store.IdempotencyKey, error) {
	k := store.IdempotencyKey{Tenant: tenant, Key: key}
	err := s.row(ctx, "idempotency key", selectIdempotency, []any{tenant, key}, keyed(&k)...)
	return k, err
}

// useKey puts a key on record, or says what it stands for there. repeat lets the same one pass. Of several at once, those that
// are not the first wait until it is known whether the first stays.
func useKey(ctx context.Context, tx pgx.Tx, key *store.IdempotencyKey, repeat bool) error {
	if key == nil {
		return nil
	}
	done, err := tx.Exec(ctx, `INSERT INTO idempotency_keys (tenant, key, route, digest, run_id, graph_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		key.Tenant, key.Key, key.Route, key.Digest, key.RunID, key.GraphID, row.Nanos(key.At))
	if err != nil || done.RowsAffected() == 1 {
		return err
	}
	there := store.IdempotencyKey{Tenant: key.Tenant, Key: key.Key}
	err = tx.QueryRow(ctx, selectIdempotency, key.Tenant, key.Key).Scan(keyed(&there)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return errAgain // it was swept meanwhile
	}
	if err != nil || repeat && there.Repeats(key) {
		return err
	}
	return &store.KeyUsedError{Key: there}
}

// SweepIdempotency implements store.Records.
func (s *Store) SweepIdempotency(ctx context.Context, now time.Time) error {
	return s.write(ctx, "sweep idempotency keys", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM idempotency_keys WHERE at <= $1 AND NOT EXISTS (SELECT 1 FROM runs r
			WHERE r.id = run_id AND (r.status NOT IN ('completed', 'cancelled') OR r.completed_at > $1))`,
			row.Nanos(now.Add(-store.KeptFor)))
		return err
	})
}
