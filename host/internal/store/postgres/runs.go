package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// Run implements store.Runs.
func (s *Store) Run(ctx context.Context, tenant, runID string) (store.Run, error) {
	run, err := row.ScanRun(s.ask(ctx, row.SelectRun+"WHERE r.id = $1 AND r.tenant = $2", runID, tenant))
	return run, read("run", err)
}

// LatestRun implements store.Runs.
func (s *Store) LatestRun(ctx context.Context, tenant, graphID string, kinds ...execution.RunKind) (store.Run, error) {
	named := make([]string, len(kinds))
	for i, kind := range kinds {
		named[i] = string(kind)
	}
	run, err := row.ScanRun(s.ask(ctx, row.SelectRun+`WHERE r.graph_id = $1 AND r.tenant = $2
		AND (cardinality($3::text[]) = 0 OR r.kind = ANY($3)) ORDER BY r.number DESC LIMIT 1`, graphID, tenant, named))
	return run, read("latest run", err)
}

// ListRuns implements store.Runs.
func (s *Store) ListRuns(ctx context.Context, filter store.RunFilter, page store.Page) ([]store.Run, error) {
	after, err := s.position(ctx, "runs", filter.Tenant, page.After)
	if err != nil {
		return nil, err
	}
	where := "WHERE r.tenant = $1 AND r.number < $2"
	args := []any{filter.Tenant, after}
	narrow := func(condition string, value any) {
		args = append(args, value)
		where += " AND " + fmt.Sprintf(condition, len(args))
	}
	if filter.DeploymentID != "" {
		narrow("r.deployment = (SELECT number FROM deployments WHERE tenant = $1 AND id = $%d)", filter.DeploymentID)
	}
	if filter.GraphID != "" {
		narrow("r.graph_id = $%d", filter.GraphID)
	}
	if filter.Kind != "" {
		narrow("r.kind = $%d", string(filter.Kind))
	}
	if filter.Status != "" {
		narrow("r.status = $%d", string(filter.Status))
	}
	if !filter.Since.IsZero() {
		narrow("r.created_at >= $%d", row.Nanos(filter.Since))
	}
	args = append(args, limit(page.Limit))
	return s.runs(ctx, "list runs", row.SelectRun+where+fmt.Sprintf(" ORDER BY r.number DESC LIMIT $%d", len(args)), args...)
}

// ActiveRuns implements store.Runs.
func (s *Store) ActiveRuns(ctx context.Context) ([]store.Run, error) {
	return s.runs(ctx, "active runs", row.SelectRun+"WHERE r.status IN ('queued', 'running', 'cancelling') ORDER BY r.number")
}

func (s *Store) runs(ctx context.Context, doing, query string, args ...any) ([]store.Run, error) {
	var list []store.Run
	err := s.rows(ctx, doing, func(rows pgx.Rows) error {
		run, err := row.ScanRun(rows)
		list = append(list, run)
		return err
	}, query, args...)
	return list, err
}

// Events implements store.Runs.
func (s *Store) Events(ctx context.Context, runID string, after int64, most int) ([]execution.Event, error) {
	var events []execution.Event
	err := s.rows(ctx, "events", func(rows pgx.Rows) error {
		event := execution.Event{}
		var version int64
		var payload pgtype.DriverBytes
		if err := rows.Scan(&version, &payload); err != nil {
			return err
		}
		if err := row.Decode(payload, &event); err != nil {
			return err
		}
		event.RunID, event.Version = runID, version
		events = append(events, event)
		return nil
	}, `SELECT version, payload FROM events WHERE run = (SELECT number FROM runs WHERE id = $1) AND version > $2
		ORDER BY version LIMIT $3`, runID, after, limit(most))
	if err == nil && len(events) == 0 {
		err = s.mustKnow(ctx, "events", runID)
	}
	return events, err
}

// Logs implements store.Runs.
func (s *Store) Logs(ctx context.Context, runID, operation string) ([]store.LogLine, error) {
	var lines []store.LogLine
	err := s.rows(ctx, "logs", func(rows pgx.Rows) error {
		var line store.LogLine
		var message pgtype.DriverBytes
		err := rows.Scan(row.Into(&line.At), &line.Level, &message)
		line.Message = string(message)
		lines = append(lines, line)
		return err
	}, "SELECT at, level, message FROM logs WHERE run = (SELECT number FROM runs WHERE id = $1) AND operation = $2 ORDER BY number",
		runID, operation)
	if err == nil && len(lines) == 0 {
		err = s.mustKnow(ctx, "logs", runID)
	}
	return lines, err
}

// mustKnow answers ErrNotFound for a run that is not there: no rows were found, and there may be none.
func (s *Store) mustKnow(ctx context.Context, doing, runID string) error {
	var there int
	return s.row(ctx, doing, "SELECT 1 FROM runs WHERE id = $1", []any{runID}, &there)
}
