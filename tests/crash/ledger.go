package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver by which the host's own database file is read
)

// ledger is what a host's database file holds of one deployment: its runs, oldest first.
type ledger []ledgerRun

// ledgerRun is a run as it stands in the file.
type ledgerRun struct {
	ID, Kind, Status string
	Version          int64
	Events           []event
}

// event is what the checker reads of an event, from the file and from the API alike.
type event struct {
	Version    int64    `json:"version"`
	Kind       string   `json:"kind"`
	Operation  string   `json:"operation"`
	Operations []string `json:"operations"`
	Status     string   `json:"status"`
	RunStatus  string   `json:"run_status"`
	Outcome    string   `json:"outcome"`
	Attempt    int      `json:"attempt"`
	Settling   bool     `json:"settling"`
	Identity   string   `json:"identity"`
}

// databaseName is the file's name in a data directory.
const databaseName = "mgraph-deploy.db"

// readLedger reads the file that a dead host has left, from a copy, so that the file stays as the host will find it.
func readLedger(ctx context.Context, dataDir, deploymentID string) (_ ledger, err error) {
	scratch, err := os.MkdirTemp("", "ledger-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	for _, name := range []string{databaseName, databaseName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(dataDir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err = errors.Join(err, os.WriteFile(filepath.Join(scratch, name), content, 0o600)); err != nil {
			return nil, err
		}
	}
	return openLedger(ctx, filepath.Join(scratch, databaseName), "rw", deploymentID)
}

// peekLedger reads the file of a host at work, without the right to write.
func peekLedger(ctx context.Context, dataDir, deploymentID string) (ledger, error) {
	return openLedger(ctx, filepath.Join(dataDir, databaseName), "ro", deploymentID)
}

func openFile(path, mode string) (*sql.DB, error) {
	address := url.URL{Scheme: "file", Path: path, RawQuery: "mode=" + mode + "&_pragma=busy_timeout(5000)"}
	return sql.Open("sqlite", address.String())
}

// audit looks at all that a host which has ended has left: whole, no run at work, and no event missing in any of them.
func audit(ctx context.Context, dataDir string) (err error) {
	db, err := openFile(filepath.Join(dataDir, databaseName), "ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		return errors.Join(errDamaged, err)
	}
	var broken, active int
	err = db.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM runs r WHERE r.version <> (SELECT count(*) FROM events e WHERE e.run = r.number)
			OR r.version <> (SELECT max(version) FROM events e WHERE e.run = r.number)),
		(SELECT count(*) FROM runs WHERE status IN ('queued', 'running', 'cancelling'))`).Scan(&broken, &active)
	if err == nil && broken+active > 0 {
		err = fmt.Errorf("%w: %d runs lack events, %d are left at work", errDamaged, broken, active)
	}
	return err
}

var errDamaged = errors.New("the database file is not as it must be")

func openLedger(ctx context.Context, path, mode, deploymentID string) (_ ledger, err error) {
	db, err := openFile(path, mode)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("read the database file: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has read, and nothing else
	runs, numbers, err := readRuns(ctx, tx, deploymentID)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	for i := range runs {
		if runs[i].Events, err = readEvents(ctx, tx, numbers[i]); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
	}
	return runs, nil
}

func readRuns(ctx context.Context, tx *sql.Tx, deploymentID string) (runs ledger, numbers []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT r.number, r.id, r.kind, r.status, r.version
		FROM runs r JOIN deployments d ON d.number = r.deployment WHERE d.id = ? ORDER BY r.number`, deploymentID)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close(), rows.Err()) }()
	for rows.Next() {
		var run ledgerRun
		var number int64
		if err := rows.Scan(&number, &run.ID, &run.Kind, &run.Status, &run.Version); err != nil {
			return nil, nil, err
		}
		runs, numbers = append(runs, run), append(numbers, number)
	}
	return runs, numbers, nil
}

func readEvents(ctx context.Context, tx *sql.Tx, run int64) (events []event, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT version, payload FROM events WHERE run = ? ORDER BY version", run)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close(), rows.Err()) }()
	for rows.Next() {
		var read event
		var version int64
		var payload []byte
		if err := rows.Scan(&version, &payload); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(payload, &read); err != nil {
			return nil, fmt.Errorf("event %d: %w", version, err)
		}
		read.Version = version
		events = append(events, read)
	}
	return events, nil
}
