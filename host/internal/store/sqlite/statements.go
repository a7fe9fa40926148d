package sqlite

import (
	"context"
	"database/sql"
)

// statements are those that run many times in one transaction, prepared once on the writer.
type statements struct {
	savepoint, release, undo     *sql.Stmt
	addResource, addResources    *sql.Stmt
	addPlacement, addPlacements  *sql.Stmt
	findRun, updateRun, addEvent *sql.Stmt
	updatePlacement, addLog      *sql.Stmt
	setDestroyed                 *sql.Stmt
}

func (s *statements) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.savepoint:     "SAVEPOINT run",
		&s.release:       "RELEASE run",
		&s.undo:          "ROLLBACK TO run",
		&s.addResource:   resourceRow(1),
		&s.addResources:  resourceRow(many),
		&s.addPlacement:  placementRow(1),
		&s.addPlacements: placementRow(many),
		&s.findRun: `SELECT r.number, r.token, r.version, r.status, r.completed_at, r.deployment, d.tenant, d.id
			FROM runs r JOIN deployments d ON d.number = r.deployment WHERE r.id = ?`,
		&s.updateRun: "UPDATE runs SET version = ?, status = ?, updated_at = ?, completed_at = ? WHERE number = ?",
		&s.addEvent:  "INSERT INTO events (run, version, payload) VALUES (?, ?, ?)",
		&s.updatePlacement: `UPDATE placements SET state = coalesce(?, state), made = made OR ?,
			identity = coalesce(?, iif(?, '', identity)), outputs = coalesce(?, iif(?, NULL, outputs)),
			account = coalesce(?, account), provider_version = coalesce(?, provider_version), graph_id = coalesce(?, graph_id)
			WHERE deployment = ? AND node_id = ? AND region = ?`,
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
