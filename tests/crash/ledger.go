package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver by which a database that hosts share is read
	_ "modernc.org/sqlite"             // the driver by which the host's own database file is read
)

// ledger is what a store holds of one deployment: its runs, oldest first.
type ledger []ledgerRun

// ledgerRun is a run as it stands in the store.
type ledgerRun struct {
	ID, Kind, Status string
	Version          int64
	Events           []event
	// Hosts are those that began attempts, by the version of the event that says so; none where there is one host only.
	Hosts map[int64]string
}

// books are a store as the checker opens it, past every host.
type books struct {
	driver, address string
	isolation       sql.IsolationLevel
	// parameter is how a statement names its only one.
	parameter string
}

// fileBooks are an SQLite file; mode is ro or rw.
func fileBooks(path, mode string) books {
	address := url.URL{Scheme: "file", Path: path, RawQuery: "mode=" + mode + "&_pragma=busy_timeout(5000)"}
	return books{driver: "sqlite", address: address.String(), parameter: "?"}
}

// serverBooks are a PostgreSQL database.
func serverBooks(address string) books {
	return books{driver: "pgx", address: address, isolation: sql.LevelRepeatableRead, parameter: "$1"}
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

var errDamaged = errors.New("the store is not as it must be")

// audit looks at all that hosts which have ended have left: no run at work, and no event missing in any of them.
func (b books) audit(ctx context.Context) (err error) {
	db, err := sql.Open(b.driver, b.address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if b.driver == "sqlite" {
		var verdict string
		if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			return errors.Join(errDamaged, err)
		}
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

// read reads a deployment's runs, as of one moment.
func (b books) read(ctx context.Context, deploymentID string) (_ ledger, err error) {
	db, err := sql.Open(b.driver, b.address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: b.isolation})
	if err != nil {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it has read, and nothing else
	runs, numbers, err := readRuns(ctx, tx, b.parameter, deploymentID)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	for i := range runs {
		if err = runs[i].readEvents(ctx, tx, b.parameter, numbers[i]); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
	}
	return runs, nil
}

func readRuns(ctx context.Context, tx *sql.Tx, parameter, deploymentID string) (runs ledger, numbers []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT r.number, r.id, r.kind, r.status, r.version
		FROM runs r JOIN deployments d ON d.number = r.deployment WHERE d.id = `+parameter+` ORDER BY r.number`, deploymentID)
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

func (r *ledgerRun) readEvents(ctx context.Context, tx *sql.Tx, parameter string, number int64) (err error) {
	rows, err := tx.QueryContext(ctx, "SELECT version, payload FROM events WHERE run = "+parameter+" ORDER BY version", number)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close(), rows.Err()) }()
	r.Hosts = map[int64]string{}
	for rows.Next() {
		var read struct {
			event
			Host string `json:"host"`
		}
		var version int64
		var payload []byte
		if err := rows.Scan(&version, &payload); err != nil {
			return err
		}
		if err := json.Unmarshal(payload, &read); err != nil {
			return fmt.Errorf("event %d: %w", version, err)
		}
		read.Version = version
		r.Events = append(r.Events, read.event)
		if read.Host != "" {
			r.Hosts[version] = read.Host
		}
	}
	return nil
}
