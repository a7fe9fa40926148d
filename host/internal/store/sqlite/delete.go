package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// deletions are what deletes a deployment, by its number: what refers before what is referred to.
var deletions = []string{
	`DELETE FROM idempotency_keys WHERE tenant = (SELECT tenant FROM deployments WHERE number = ?1)
		AND (run_id IN (SELECT id FROM runs WHERE deployment = ?1) OR graph_id IN (SELECT id FROM graphs WHERE deployment = ?1))`,
	"DELETE FROM rollback_records WHERE run IN (SELECT number FROM runs WHERE deployment = ?1)",
	"DELETE FROM logs WHERE run IN (SELECT number FROM runs WHERE deployment = ?1)",
	"DELETE FROM events WHERE run IN (SELECT number FROM runs WHERE deployment = ?1)",
	"DELETE FROM runs WHERE deployment = ?1",
	"DELETE FROM placements WHERE deployment = ?1",
	"DELETE FROM logical_resources WHERE deployment = ?1",
	"UPDATE deployments SET head = NULL WHERE number = ?1",
	"DELETE FROM graphs WHERE deployment = ?1",
	"DELETE FROM deployments WHERE number = ?1",
}

// DeleteDeployment implements store.Graphs.
func (s *Store) DeleteDeployment(ctx context.Context, tenant, deploymentID string) error {
	return s.write(ctx, "delete deployment", func(ctx context.Context, tx *sql.Tx) error {
		var number int64
		err := tx.QueryRowContext(ctx, "SELECT number FROM deployments WHERE tenant = ? AND id = ?", tenant, deploymentID).Scan(&number)
		if err != nil {
			return err
		}
		active := &store.ActiveRunError{}
		err = tx.QueryRowContext(ctx, `SELECT id FROM runs WHERE deployment = ? AND status IN ('queued', 'running', 'cancelling')
			ORDER BY number LIMIT 1`, number).Scan(&active.RunID)
		if err == nil {
			return active
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for _, statement := range deletions {
			if _, err := tx.ExecContext(ctx, statement, number); err != nil {
				return err
			}
		}
		return nil
	})
}
