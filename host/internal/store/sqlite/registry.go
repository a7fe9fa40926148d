package sqlite

import (
	"context"
	"database/sql"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// Installation implements store.Registry.
func (s *Store) Installation(ctx context.Context) (id string, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'installation'").Scan(&id)
	return id, fault("installation", err)
}

// Standing implements store.Registry. What is acknowledged is on this machine's disk; that is checked when the store is opened.
func (s *Store) Standing(ctx context.Context) (store.Standing, error) {
	var one int
	err := s.reader.QueryRowContext(ctx, "SELECT 1").Scan(&one)
	return store.Standing{Kind: "sqlite"}, fault("standing", err)
}

// CreateKey implements store.Registry.
func (s *Store) CreateKey(ctx context.Context, key store.APIKey) error {
	return s.write(ctx, "create key", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			"INSERT INTO api_keys (tenant, name, role, hash, created_at) VALUES (?, ?, ?, ?, ?)",
			key.Tenant, key.Name, key.Role, key.Hash, row.Nanos(key.CreatedAt))
		if taken(err) {
			return store.ErrExists
		}
		return err
	})
}

// KeyByHash implements store.Registry.
func (s *Store) KeyByHash(ctx context.Context, hash string) (store.APIKey, error) {
	var key store.APIKey
	err := s.reader.QueryRowContext(ctx, row.SelectKey+"WHERE hash = ?", hash).Scan(row.KeyFields(&key)...)
	return key, fault("key by hash", err)
}

// Keys implements store.Registry.
func (s *Store) Keys(ctx context.Context) ([]store.APIKey, error) {
	var keys []store.APIKey
	err := s.rows(ctx, "keys", func(rows *sql.Rows) error {
		var key store.APIKey
		err := rows.Scan(row.KeyFields(&key)...)
		keys = append(keys, key)
		return err
	}, row.SelectKey+"ORDER BY created_at, number")
	return keys, err
}

// RevokeKey implements store.Registry.
func (s *Store) RevokeKey(ctx context.Context, tenant, name string) error {
	return s.write(ctx, "revoke key", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM api_keys WHERE tenant = ? AND name = ?", tenant, name)
		return mustTouch(result, err)
	})
}

// PinDigest implements store.Registry.
func (s *Store) PinDigest(ctx context.Context, provider, version, digest string) (recorded string, err error) {
	err = s.write(ctx, "pin digest", func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx,
			`INSERT INTO provider_digests (provider, version, digest) VALUES (?, ?, ?)
			 ON CONFLICT DO UPDATE SET digest = digest RETURNING digest`,
			provider, version, digest).Scan(&recorded)
	})
	return recorded, err
}

// PinKeys implements store.Registry.
func (s *Store) PinKeys(ctx context.Context, provider string, ids []string) (recorded []string, err error) {
	err = s.write(ctx, "pin keys", func(ctx context.Context, tx *sql.Tx) error {
		if recorded, err = providerKeys(ctx, tx, provider); err != nil {
			return err
		}
		if !row.HasAll(ids, recorded) {
			return nil
		}
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO provider_keys (provider, id) VALUES (?, ?) ON CONFLICT DO NOTHING", provider, id); err != nil {
				return err
			}
		}
		return nil
	})
	return recorded, err
}

func providerKeys(ctx context.Context, tx *sql.Tx, provider string) (ids []string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT id FROM provider_keys WHERE provider = ? ORDER BY number", provider)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// mustTouch answers ErrNotFound for a statement that changed no row.
func mustTouch(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	touched, err := result.RowsAffected()
	if err == nil && touched == 0 {
		return store.ErrNotFound
	}
	return err
}
