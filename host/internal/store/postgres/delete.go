package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// deletions are what deletes a deployment, by its number: what refers before what is referred to.
var deletions = []string{
	`DELETE FROM idempotency_keys WHERE tenant = (SELECT tenant FROM deployments WHERE number = $1)
		AND (run_id IN (SELECT id FROM runs WHERE deployment = $1) OR graph_id IN (SELECT id FROM graphs WHERE deployment = $1))`,
	"DELETE FROM rollback_records WHERE run IN (SELECT number FROM runs WHERE deployment = $1)",
	"DELETE FROM logs WHERE run IN (SELECT number FROM runs WHERE deployment = $1)",
	"DELETE FROM events WHERE run IN (SELECT number FROM runs WHERE deployment = $1)",
	"WITH gone AS (DELETE FROM runs WHERE deployment = $1 RETURNING exec_graph_id) SELECT exec_graph_id FROM gone",
	"DELETE FROM placements WHERE deployment = $1",
	"DELETE FROM logical_resources WHERE deployment = $1",
	"UPDATE deployments SET head = NULL WHERE number = $1",
	"WITH gone AS (DELETE FROM graphs WHERE deployment = $1 RETURNING id) SELECT id FROM gone",
	"DELETE FROM deployments WHERE number = $1",
}

// DeleteDeployment implements store.Graphs. The deployment's row and those of its runs are locked first, so that none of them
// becomes active meanwhile.
func (s *Store) DeleteDeployment(ctx context.Context, tenant, deploymentID string) error {
	return s.write(ctx, "delete deployment", func(ctx context.Context, tx pgx.Tx) error {
		var number int64
		err := tx.QueryRow(ctx, "SELECT number FROM deployments WHERE tenant = $1 AND id = $2 FOR UPDATE", tenant, deploymentID).Scan(&number)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT id, status FROM runs WHERE deployment = $1 ORDER BY number FOR UPDATE", number)
		active := &store.ActiveRunError{}
		err = each(rows, err, func(rows pgx.Rows) error {
			var id string
			var status execution.RunStatus
			err := rows.Scan(&id, &status)
			if status.Active() && active.RunID == "" {
				active.RunID = id
			}
			return err
		})
		if err == nil && active.RunID != "" {
			err = active
		}
		if err != nil {
			return err
		}
		return deleteRows(ctx, tx, number)
	})
}

// deleteRows deletes, and gives the ids of the graphs free at last.
func deleteRows(ctx context.Context, tx pgx.Tx, number int64) error {
	var ids []string
	for _, statement := range deletions {
		rows, err := tx.Query(ctx, statement, number)
		if err := each(rows, err, func(rows pgx.Rows) error {
			var id string
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "DELETE FROM graph_ids WHERE id = ANY($1)", ids)
	return err
}
