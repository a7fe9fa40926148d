package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// statements are those that run many times in one transaction, prepared once on the writer.
type statements struct {
	savepoint, release, undo     *sql.Stmt
	addResource, addPlacement    *sql.Stmt
	findRun, updateRun, addEvent *sql.Stmt
	updatePlacement, addLog      *sql.Stmt
	setDestroyed                 *sql.Stmt
}

func (s *statements) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.savepoint: "SAVEPOINT run",
		&s.release:   "RELEASE run",
		&s.undo:      "ROLLBACK TO run",
		&s.addResource: `INSERT INTO logical_resources (deployment, node_id, drawn, path, resource_id, type)
			VALUES (?, ?, ?, ?, ?, ?)`,
		&s.addPlacement: `INSERT INTO placements (deployment, node_id, region, name, state, made, identity, account,
			provider_version, graph_id, outputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		&s.findRun: `SELECT r.number, r.token, r.version, r.status, r.completed_at, r.deployment, d.tenant, d.id
			FROM runs r JOIN deployments d ON d.number = r.deployment WHERE r.id = ?`,
		&s.updateRun: "UPDATE runs SET version = ?, status = ?, updated_at = ?, completed_at = ? WHERE number = ?",
		&s.addEvent:  "INSERT INTO events (run, version, payload) VALUES (?, ?, ?)",
		&s.updatePlacement: `UPDATE placements SET
			state = CASE WHEN ?1 <> '' THEN ?1 ELSE state END,
			made = made OR ?2,
			identity = CASE WHEN ?3 <> '' THEN ?3 WHEN ?4 THEN '' ELSE identity END,
			outputs = CASE WHEN ?5 IS NOT NULL THEN ?5 WHEN ?4 THEN NULL ELSE outputs END,
			account = CASE WHEN ?6 <> '' THEN ?6 ELSE account END,
			provider_version = CASE WHEN ?7 <> '' THEN ?7 ELSE provider_version END,
			graph_id = CASE WHEN ?8 <> '' THEN ?8 ELSE graph_id END
			WHERE deployment = ?9 AND node_id = ?10 AND region = ?11`,
		&s.addLog:       "INSERT INTO logs (run, operation, at, level, message) VALUES (?, ?, ?, ?, ?)",
		&s.setDestroyed: "UPDATE deployments SET destroyed = ?, updated_at = max(updated_at, ?) WHERE number = ?",
	}
}

func prepare(ctx context.Context, db *sql.DB) (s statements, err error) {
	for stmt, text := range s.texts() {
		if *stmt, err = db.PrepareContext(ctx, text); err != nil {
			return s, fault("prepare", err)
		}
	}
	return s, nil
}

// bound are the statements inside one transaction.
type bound struct {
	ctx context.Context
	tx  *sql.Tx
	statements
}

func (s *statements) in(ctx context.Context, tx *sql.Tx) *bound {
	b := &bound{ctx: ctx, tx: tx, statements: *s}
	for stmt := range b.texts() {
		*stmt = tx.StmtContext(ctx, *stmt)
	}
	return b
}

func (b *bound) exec(stmt *sql.Stmt, args ...any) error {
	_, err := stmt.ExecContext(b.ctx, args...)
	return err
}

func (b *bound) resource(deployment int64, drawn int, r *store.Resource) error {
	err := b.exec(b.addResource, deployment, r.NodeID, drawn, r.Path, r.ResourceID, r.Type)
	if taken(err) {
		return fmt.Errorf("node id: %w", store.ErrExists)
	}
	return err
}

func (b *bound) placement(deployment int64, nodeID string, p *store.Placement) error {
	state := p.State
	if state == "" {
		state = store.Planned
	}
	return b.exec(b.addPlacement, deployment, nodeID, p.Region, p.Name, string(state), truth(p.Made), p.Identity, p.Account,
		p.ProviderVersion, p.GraphID, blob(p.Outputs))
}
