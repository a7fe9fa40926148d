// Package postgres keeps the store in a PostgreSQL database that several hosts share. It leans on plain transactions and rows: a
// run's row is locked by whoever writes the run, and a deployment's by whoever gives it a run. It does not group writes
// (journal does), and beyond one server the distribution is the database's.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

const (
	// writers and readers are how many connections a host has: few write at once, since one committer writes for all runs.
	writers = 4
	readers = 8
	// bound is how long a transaction may take: one that takes longer has lost its server.
	bound = time.Minute
	// tries is how often a transaction is made that the server took back for the sake of another.
	tries = 10
	pause = 5 * time.Millisecond
	// shares is over how many rows the hosts spread what all of them count.
	shares = 32
)

// Options of Open.
type Options struct {
	// Log may be nil.
	Log hclog.Logger
	// NoMigrate opens only a store that has this program's schema already: for a command that works beside running hosts.
	NoMigrate bool
}

func (o Options) filled() Options {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	return o
}

// Store is a store.Store in one PostgreSQL schema. It is safe for concurrent use.
type Store struct {
	writer, reader *pgxpool.Pool
	share          int
}

var _ store.Store = (*Store)(nil)

// Open connects to the server that an address names (a URL or a list of settings, as libpq reads it, password files included),
// and brings the schema up to date. No error of it shows a password.
func Open(ctx context.Context, address string, options Options) (*Store, error) {
	config, err := parse(address)
	if err != nil {
		return nil, err
	}
	s := &Store{share: rand.IntN(shares)}
	if err := s.open(ctx, config, options.filled()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, config *pgxpool.Config, options Options) (err error) {
	if s.writer, err = pool(ctx, config, writers); err != nil {
		return err
	}
	if err := s.inspect(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx, config.ConnConfig, options); err != nil {
		return err
	}
	s.reader, err = pool(ctx, config, readers)
	return err
}

// Close waits for calls under way, and ends the store.
func (s *Store) Close() error {
	for _, p := range []*pgxpool.Pool{s.reader, s.writer} {
		if p != nil {
			p.Close()
		}
	}
	return nil
}

func pool(ctx context.Context, config *pgxpool.Config, connections int32) (*pgxpool.Pool, error) {
	config = config.Copy()
	config.MaxConns = connections
	p, err := pgxpool.NewWithConfig(ctx, config)
	return p, fault("open", err)
}

// write runs do in one transaction, and again when the server took it back for the sake of another one, or the connection turned
// out to be a dead one before anything was done on it. ctx bounds the wait for a connection, not the transaction: one that is cut
// off would leave its caller not knowing what was kept.
func (s *Store) write(ctx context.Context, doing string, do func(ctx context.Context, tx pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := s.attempt(ctx, do)
		if !contended(err) || try == tries {
			return fault(doing, err)
		}
		time.Sleep(rand.N(pause << min(try, 6)))
	}
}

func (s *Store) attempt(ctx context.Context, do func(ctx context.Context, tx pgx.Tx) error) error {
	conn, err := s.writer.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	tx, err := conn.Begin(ctx)
	if err != nil && conn.Conn().IsClosed() {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	if err != nil {
		return err
	}
	if err := do(ctx, tx); err != nil {
		if ended := tx.Rollback(ctx); ended != nil && !conn.Conn().IsClosed() {
			return errors.Join(err, ended)
		}
		return err
	}
	return tx.Commit(ctx)
}

// rows calls scan for each row of a query. There is none for a text that no column holds.
func (s *Store) rows(ctx context.Context, doing string, scan func(pgx.Rows) error, query string, args ...any) error {
	begun := false
	err := asking(ctx, func() (bool, error) {
		rows, err := s.reader.Query(ctx, query, args...)
		err = each(rows, err, func(rows pgx.Rows) error {
			begun = true
			return scan(rows)
		})
		return !begun, err
	})
	if unheard(err) {
		return nil
	}
	return fault(doing, err)
}

// each calls scan for each row.
func each(rows pgx.Rows, err error, scan func(pgx.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row reads the one row of a query.
func (s *Store) row(ctx context.Context, doing, query string, args []any, into ...any) error {
	return read(doing, s.ask(ctx, query, args...).Scan(into...))
}

// ask reads one row; nothing is asked before it is scanned.
func (s *Store) ask(ctx context.Context, query string, args ...any) pgx.Row {
	return question{s, ctx, query, args}
}

type question struct {
	store *Store
	ctx   context.Context
	query string
	args  []any
}

// Scan implements pgx.Row.
func (q question) Scan(into ...any) error {
	return asking(q.ctx, func() (bool, error) { return true, q.store.reader.QueryRow(q.ctx, q.query, q.args...).Scan(into...) })
}

// questions is how often something is asked: each connection that a host has may be one to a server that is gone, and the server may
// take a moment to be there again.
const questions = readers + 8

// asking asks again what changes nothing and had no answer, since its connection was dead or the server is just coming up, for as
// long as question says that it may be. That is about two seconds.
func asking(ctx context.Context, question func() (again bool, err error)) error {
	for try := 1; ; try++ {
		again, err := question()
		if !again || !gone(err) || try == questions {
			return err
		}
		select {
		case <-time.After(pause << min(try, 5)):
		case <-ctx.Done():
			return err
		}
	}
}
