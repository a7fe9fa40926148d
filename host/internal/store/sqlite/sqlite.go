// Package sqlite keeps the store in one SQLite file of a data directory that one host owns. One connection writes, a few
// read, and what is acknowledged has been synced to the disk. It does not group writes (journal does), and it does not hold
// the lock on the directory for its caller: whoever serves takes it first (Lock) and hands it on to the providers.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"modernc.org/sqlite"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

const (
	fileName = "mgraph-deploy.db"
	// readers is how many queries run beside the writer.
	readers = 4
)

// Options of Open.
type Options struct {
	// Log may be nil.
	Log hclog.Logger
	// NoMigrate opens only a store that has this program's schema already: for a command that works beside a running host.
	NoMigrate bool
}

// Store is a store.Store on one SQLite file. It is safe for concurrent use.
type Store struct {
	writer, reader *sql.DB
	prepared       statements
}

var _ store.Store = (*Store)(nil)

// Open opens the store in dir, which it makes when there is none, and brings its schema up to date.
func Open(ctx context.Context, dir string, options Options) (*Store, error) {
	if options.Log == nil {
		options.Log = hclog.NewNullLogger()
	}
	dir, err := prepareDirectory(dir)
	if err != nil {
		return nil, err
	}
	// Two programs that open a new store at once would make it twice.
	done, err := lockDirectory(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer done()
	path := filepath.Join(dir, fileName)
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	s := &Store{}
	if err := s.open(ctx, path, options); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, options Options) error {
	var err error
	if s.writer, err = connect(path, writing, 1); err != nil {
		return err
	}
	if err := inspect(ctx, s.writer); err != nil {
		return err
	}
	if err := migrate(ctx, s.writer, options); err != nil {
		return err
	}
	if s.prepared, err = prepare(ctx, s.writer); err != nil {
		return err
	}
	s.reader, err = connect(path, reading, readers)
	return err
}

// Close waits for calls under way, and ends the store.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return fault("close", errors.Join(errs...))
}

func connect(path, mode string, connections int) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(address(path, mode))
	if err != nil {
		return nil, fault("open", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// write runs do in the one write transaction. ctx bounds the wait for its turn, not the transaction, which is short: one
// that is cut off would leave its caller not knowing what was kept.
func (s *Store) write(ctx context.Context, doing string, do func(ctx context.Context, tx *sql.Tx) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fault(doing, err)
	}
	defer conn.Close()
	ctx = context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fault(doing, err)
	}
	if err := do(ctx, tx); err != nil {
		return errors.Join(fault(doing, err), tx.Rollback())
	}
	return fault(doing, tx.Commit())
}

// rows calls scan for each row of a query.
func (s *Store) rows(ctx context.Context, doing string, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return fault(doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fault(doing, err)
		}
	}
	return fault(doing, rows.Err())
}

// fault names what was being done, and maps what SQLite and database/sql answer to the port's kinds.
func fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	var answer *sqlite.Error
	if errors.As(err, &answer) && damaged(answer) {
		err = fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return fmt.Errorf("store: %s: %w", doing, err)
}
