package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// The stores that a lane's hosts may keep their books in.
const (
	storeSQLite   = "sqlite"
	storePostgres = "postgres"
	// storeShared is PostgreSQL with two hosts.
	storeShared = "shared"
)

// What a lane's hosts are told: short times, so that what was lost, or cancelled, is taken over and settled within seconds.
const (
	leaseSeconds     = 2
	operationSeconds = 4
	graceSeconds     = 0.5
)

// database is a lane's store.
type database struct {
	kind string
	// server is nil for SQLite, whose file is in the data directory of the only host.
	server *pgserver.Server
	url    string
	// secret is the private file that hosts read the URL from.
	secret string
	drop   func(context.Context) error
}

// databaseName is the SQLite file's name in a data directory.
const databaseName = "mgraph-deploy.db"

func openDatabase(ctx context.Context, kind, dir string) (d *database, err error) {
	d = &database{kind: kind, secret: filepath.Join(dir, "store-url")}
	if kind == storeSQLite {
		return d, nil
	}
	if d.server, err = pgserver.Start(ctx, pgserver.Options{Fsync: true}); err != nil {
		return nil, err
	}
	if d.url, d.drop, err = d.server.NewSchema(ctx); err == nil {
		err = os.WriteFile(d.secret, []byte(d.url), 0o600)
	}
	if err != nil {
		d.server.Stop()
	}
	return d, err
}

// config is what a host's configuration says of it.
func (d *database) config() map[string]any {
	if d.server == nil {
		return map[string]any{"settle_grace_seconds": graceSeconds}
	}
	return map[string]any{
		"store_file": d.secret, "lease_seconds": leaseSeconds, "settle_grace_seconds": graceSeconds,
		"operation_timeout_seconds": operationSeconds,
	}
}

// crashable says whether the store's server can be killed.
func (d *database) crashable() bool { return d.server != nil && d.server.Ours() }

// crashTime bounds how long the server may take to be there again.
const crashTime = 30 * time.Second

// crash kills the store's server, and returns when it is there again.
func (d *database) crash() error {
	ctx, cancel := context.WithTimeout(context.Background(), crashTime)
	defer cancel()
	return d.server.Crash(ctx)
}

func (d *database) books(dataDir string) books {
	if d.server != nil {
		return serverBooks(d.url)
	}
	return fileBooks(filepath.Join(dataDir, databaseName), "ro")
}

// peek reads the store of hosts at work, without the right to write.
func (d *database) peek(ctx context.Context, dataDir, deploymentID string) (ledger, error) {
	return d.books(dataDir).read(ctx, deploymentID)
}

// left reads what a dead host has left: a file from a copy, so that it stays as the host will find it.
func (d *database) left(ctx context.Context, dataDir, deploymentID string) (_ ledger, err error) {
	if d.server != nil {
		return d.peek(ctx, dataDir, deploymentID)
	}
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
	return fileBooks(filepath.Join(scratch, databaseName), "rw").read(ctx, deploymentID)
}

// close gives back what the store has taken, once no host is at work on it.
func (d *database) close(ctx context.Context) error {
	if d.server == nil {
		return nil
	}
	defer d.server.Stop()
	if d.crashable() {
		return nil // all of it goes with the server
	}
	return d.drop(ctx)
}
