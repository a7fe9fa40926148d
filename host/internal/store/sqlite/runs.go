package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// Run implements store.Runs.
func (s *Store) Run(ctx context.Context, tenant, runID string) (store.Run, error) {
	found := s.reader.QueryRowContext(ctx, row.SelectRun+"WHERE r.id = ? AND r.tenant = ?", runID, tenant)
	run, err := row.ScanRun(found)
	return run, fault("run", err)
}

// LatestRun implements store.Runs.
func (s *Store) LatestRun(ctx context.Context, tenant, graphID string, kinds ...execution.RunKind) (store.Run, error) {
	where, args := "WHERE r.graph_id = ? AND r.tenant = ? ", []any{graphID, tenant}
	for _, kind := range kinds {
		args = append(args, string(kind))
	}
	if len(kinds) > 0 {
		where += "AND r.kind IN (?" + strings.Repeat(", ?", len(kinds)-1) + ") "
	}
	found := s.reader.QueryRowContext(ctx, row.SelectRun+where+"ORDER BY r.number DESC LIMIT 1", args...)
	run, err := row.ScanRun(found)
	return run, fault("latest run", err)
}

// ListRuns implements store.Runs.
func (s *Store) ListRuns(ctx context.Context, filter store.RunFilter, page store.Page) ([]store.Run, error) {
	after, err := s.position(ctx, "runs", filter.Tenant, page.After)
	if err != nil {
		return nil, err
	}
	where := []string{"r.tenant = ?", "r.number < ?"}
	args := []any{filter.Tenant, after}
	if filter.DeploymentID != "" {
		where = append(where, "r.deployment = (SELECT number FROM deployments WHERE tenant = ? AND id = ?)")
		args = append(args, filter.Tenant, filter.DeploymentID)
	}
	if filter.GraphID != "" {
		where, args = append(where, "r.graph_id = ?"), append(args, filter.GraphID)
	}
	if filter.Kind != "" {
		where, args = append(where, "r.kind = ?"), append(args, string(filter.Kind))
	}
	if filter.Status != "" {
		where, args = append(where, "r.status = ?"), append(args, string(filter.Status))
	}
	if !filter.Since.IsZero() {
		where, args = append(where, "r.created_at >= ?"), append(args, row.Nanos(filter.Since))
	}
	query := row.SelectRun + "WHERE " + strings.Join(where, " AND ") + " ORDER BY r.number DESC LIMIT ?"
	return s.runs(ctx, "list runs", query, append(args, limit(page.Limit))...)
}

// ActiveRuns implements store.Runs.
func (s *Store) ActiveRuns(ctx context.Context) ([]store.Run, error) {
	return s.runs(ctx, "active runs", row.SelectRun+"WHERE r.status IN (?, ?, ?) ORDER BY r.number",
		string(execution.RunQueued), string(execution.RunRunning), string(execution.RunCancelling))
}

func (s *Store) runs(ctx context.Context, doing, query string, args ...any) ([]store.Run, error) {
	var list []store.Run
	err := s.rows(ctx, doing, func(rows *sql.Rows) error {
		run, err := row.ScanRun(rows)
		list = append(list, run)
		return err
	}, query, args...)
	return list, err
}

// Events implements store.Runs.
func (s *Store) Events(ctx context.Context, runID string, after int64, most int) ([]execution.Event, error) {
	run, err := s.runNumber(ctx, "events", runID)
	if err != nil {
		return nil, err
	}
	var events []execution.Event
	err = s.rows(ctx, "events", func(rows *sql.Rows) error {
		event := execution.Event{}
		var version int64
		var payload sql.RawBytes
		if err := rows.Scan(&version, &payload); err != nil {
			return err
		}
		if err := row.Decode(payload, &event); err != nil {
			return err
		}
		event.RunID, event.Version = runID, version
		events = append(events, event)
		return nil
	}, "SELECT version, payload FROM events WHERE run = ? AND version > ? ORDER BY version LIMIT ?", run, after, limit(most))
	return events, err
}

// Logs implements store.Runs.
func (s *Store) Logs(ctx context.Context, runID, operation string) ([]store.LogLine, error) {
	run, err := s.runNumber(ctx, "logs", runID)
	if err != nil {
		return nil, err
	}
	var lines []store.LogLine
	err = s.rows(ctx, "logs", func(rows *sql.Rows) error {
		var line store.LogLine
		err := rows.Scan(row.Into(&line.At), &line.Level, &line.Message)
		lines = append(lines, line)
		return err
	}, "SELECT at, level, message FROM logs WHERE run = ? AND operation = ? ORDER BY number", run, operation)
	return lines, err
}

func (s *Store) runNumber(ctx context.Context, doing, runID string) (number int64, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT number FROM runs WHERE id = ?", runID).Scan(&number)
	return number, fault(doing, err)
}
