package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// Installation implements store.Registry.
func (s *Store) Installation(ctx context.Context) (id string, err error) {
	err = s.row(ctx, "installation", "SELECT value FROM meta WHERE name = 'installation'", nil, &id)
	return id, err
}

// CreateKey implements store.Registry.
func (s *Store) CreateKey(ctx context.Context, key store.APIKey) error {
	return s.write(ctx, "create key", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO api_keys (tenant, name, role, hash, created_at) VALUES ($1, $2, $3, $4, $5)",
			key.Tenant, key.Name, key.Role, key.Hash, row.Nanos(key.CreatedAt))
		return unique(err)
	})
}

// KeyByHash implements store.Registry.
func (s *Store) KeyByHash(ctx context.Context, hash string) (store.APIKey, error) {
	var key store.APIKey
	err := s.row(ctx, "key by hash", row.SelectKey+"WHERE hash = $1", []any{hash}, row.KeyFields(&key)...)
	return key, err
}

// Keys implements store.Registry.
func (s *Store) Keys(ctx context.Context) ([]store.APIKey, error) {
	var keys []store.APIKey
	err := s.rows(ctx, "keys", func(rows pgx.Rows) error {
		var key store.APIKey
		err := rows.Scan(row.KeyFields(&key)...)
		keys = append(keys, key)
		return err
	}, row.SelectKey+"ORDER BY created_at, number")
	return keys, err
}

// RevokeKey implements store.Registry.
func (s *Store) RevokeKey(ctx context.Context, tenant, name string) error {
	return s.write(ctx, "revoke key", func(ctx context.Context, tx pgx.Tx) error {
		return mustTouch(tx.Exec(ctx, "DELETE FROM api_keys WHERE tenant = $1 AND name = $2", tenant, name))
	})
}

// PinDigest implements store.Registry.
func (s *Store) PinDigest(ctx context.Context, provider, version, digest string) (recorded string, err error) {
	err = s.write(ctx, "pin digest", func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, `INSERT INTO provider_digests AS d (provider, version, digest) VALUES ($1, $2, $3)
			ON CONFLICT (provider, version) DO UPDATE SET digest = d.digest RETURNING digest`,
			provider, version, digest).Scan(&recorded)
	})
	return recorded, err
}

// PinKeys implements store.Registry.
func (s *Store) PinKeys(ctx context.Context, provider string, ids []string) (recorded []string, err error) {
	err = s.write(ctx, "pin keys", func(ctx context.Context, tx pgx.Tx) error {
		// Of two hosts that are the first to pin, one has to be second: this row is there to be waited for.
		if _, err := tx.Exec(ctx, "SELECT 1 FROM meta WHERE name = 'installation' FOR UPDATE"); err != nil {
			return err
		}
		recorded = nil
		rows, err := tx.Query(ctx, "SELECT id FROM provider_keys WHERE provider = $1 ORDER BY number", provider)
		if err := each(rows, err, func(rows pgx.Rows) error {
			var id string
			err := rows.Scan(&id)
			recorded = append(recorded, id)
			return err
		}); err != nil {
			return err
		}
		if !row.HasAll(ids, recorded) {
			return nil
		}
		for _, id := range ids {
			if _, err := tx.Exec(ctx, "INSERT INTO provider_keys (provider, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
				provider, id); err != nil {
				return err
			}
		}
		return nil
	})
	return recorded, err
}

// mustTouch answers ErrNotFound for a statement that changed no row.
func mustTouch(done pgconn.CommandTag, err error) error {
	if err == nil && done.RowsAffected() == 0 {
		return store.ErrNotFound
	}
	return err
}

// unique is ErrExists for a row whose key is taken.
func unique(err error) error {
	if taken(err) {
		return store.ErrExists
	}
	return err
}
