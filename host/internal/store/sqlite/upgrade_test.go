package sqlite

import (
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// firstSchema makes a store as the first version of the program left it: one run at work, over one graph.
func firstSchema(t *testing.T, dir string) {
	path := filepath.Join(dir, fileName)
	require.NoError(t, prepareFile(path))
	db, err := connect(path, writing, 1)
	require.NoError(t, err)
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	steps, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "PRAGMA application_id = 1296519236")
	require.NoError(t, err)
	_, err = steps.UpTo(t.Context(), 1)
	require.NoError(t, err)
	for _, row := range []string{
		"INSERT INTO deployments (number, tenant, id, sequence, created_at, updated_at) VALUES (1, 't', 'shop', 1, 5, 5)",
		`INSERT INTO graphs (number, id, deployment, version, kind, created_at, created_by, spec)
			VALUES (1, '0000000a', 1, 'v1', 'deployment', 5, 'ci', CAST('{}' AS BLOB))`,
		"UPDATE deployments SET head = 1",
		`INSERT INTO runs (number, id, tenant, deployment, graph_id, plan_graph_id, exec_graph_id, kind, mode, status, started_by,
			created_at, updated_at, completed_at, version, owner, token) VALUES (1, 'run-1', 't', 1, '0000000a', '0000000a',
			'0000000e', 'apply', 'FULL', 'running', 'ci', 5, 5, 0, 1, 'an old host', 7)`,
		`INSERT INTO events (run, version, payload) VALUES (1, 1,
			CAST('{"at":"2026-11-22T10:00:00Z","kind":"run_changed","run_status":"running"}' AS BLOB))`,
	} {
		_, err := db.ExecContext(t.Context(), row)
		require.NoError(t, err)
	}
}

// A store of the first version is brought up to date, loses nothing, and can do what the new one does.
func TestOldStoresAreUpgraded(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	firstSchema(t, dir)
	var schema *store.SchemaError
	require.ErrorAs(t, openAndClose(ctx, dir, Options{NoMigrate: true}), &schema)

	s, err := Open(ctx, dir, Options{})
	require.NoError(t, err)
	defer s.Close()
	run, err := s.Run(ctx, "t", "run-1")
	require.NoError(t, err)
	require.Equal(t, execution.RunRunning, run.Status)
	require.Empty(t, run.CancelBy)
	graphs, err := s.GraphsOf(ctx, "t", "shop", store.Page{})
	require.NoError(t, err)
	require.Equal(t, []store.Graph{{
		Tenant: "t", ID: "0000000a", DeploymentID: "shop", Version: "v1", Kind: store.DeploymentGraph, CreatedAt: time.Unix(0, 5).UTC(),
		CreatedBy: "ci",
	}}, graphs)

	expired, err := s.ExpiredRuns(ctx)
	require.NoError(t, err)
	require.Empty(t, expired, "it had no lease that could run out")
	token, version, err := s.AcquireRun(ctx, store.Claim{RunID: "run-1", Owner: "a new host", TTL: time.Hour})
	require.NoError(t, err, "nor one that keeps the next host out")
	require.Equal(t, int64(8), token)
	require.Equal(t, int64(1), version)
	require.NoError(t, s.RequestCancel(ctx, "t", "run-1", "me"))
	var broken sql.NullString
	require.ErrorIs(t, s.writer.QueryRowContext(ctx, "PRAGMA foreign_key_check").Scan(&broken), sql.ErrNoRows)
}
