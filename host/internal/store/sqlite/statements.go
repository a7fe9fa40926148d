package sqlite

import (
	"context"
	"database/sql"
)

// query names a statement that runs many times in one transaction, and is prepared once on the writer.
type query int

const (
	savepoint query = iota
	release
	undo
	addResource
	addResources
	addPlacement
	addPlacements
	findRun
	updateRun
	addEvent
	updatePlacement
	addLog
	addDuration
	addRollbackRecord
	setDestroyed
	queries
)

func texts() [queries]string {
	return [queries]string{
		savepoint:     "SAVEPOINT run",
		release:       "RELEASE run",
		undo:          "ROLLBACK TO run",
		addResource:   resourceRow(1),
		addResources:  resourceRow(many),
		addPlacement:  placementRow(1),
		addPlacements: placementRow(many),
		findRun: `SELECT r.number, r.token, r.version, r.status, r.completed_at, r.deployment, d.tenant, d.id
			FROM runs r JOIN deployments d ON d.number = r.deployment WHERE r.id = ?`,
		updateRun: `UPDATE runs SET version = ?1, status = ?2, updated_at = ?3, completed_at = ?4,
			owner = iif(?5, '', owner), lease_until = iif(?5, 0, lease_until), cancel_by = iif(?5, '', cancel_by)
			WHERE number = ?6`,
		addEvent: "INSERT INTO events (run, version, payload) VALUES (?, ?, ?)",
		updatePlacement: `UPDATE placements SET state = coalesce(?, state), made = iif(?, 0, made) OR ?,
			identity = coalesce(?, iif(?, '', identity)), outputs = coalesce(?, iif(?, NULL, outputs)),
			account = coalesce(?, account), provider_version = coalesce(?, provider_version), graph_id = coalesce(?, graph_id)
			WHERE deployment = ? AND node_id = ? AND region = ?`,
		addLog: "INSERT INTO logs (run, operation, at, level, message) VALUES (?, ?, ?, ?, ?)",
		addDuration: `INSERT INTO durations (tenant, type, verb, count, total) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count, total = total + excluded.total`,
		addRollbackRecord: `INSERT INTO rollback_records (run, operation, attempt, format, data) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET format = excluded.format, data = excluded.data`,
		setDestroyed: "UPDATE deployments SET destroyed = ?, updated_at = max(updated_at, ?) WHERE number = ?",
	}
}

type statements [queries]*sql.Stmt

func prepare(ctx context.Context, db *sql.DB) (s statements, err error) {
	for q, text := range texts() {
		if s[q], err = db.PrepareContext(ctx, text); err != nil {
			return s, fault("prepare", err)
		}
	}
	return s, nil
}

// bound are the statements inside one transaction, each bound to it when it is first asked for.
type bound struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared *statements
	inside   statements
}

func (s *Store) in(ctx context.Context, tx *sql.Tx) *bound {
	return &bound{ctx: ctx, tx: tx, prepared: &s.prepared}
}

func (b *bound) statement(q query) *sql.Stmt {
	if b.inside[q] == nil {
		b.inside[q] = b.tx.StmtContext(b.ctx, b.prepared[q])
	}
	return b.inside[q]
}

func (b *bound) exec(q query, args ...any) error {
	_, err := b.statement(q).ExecContext(b.ctx, args...)
	return err
}
