package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Counter counts what is sent to the server: a query, or a batch of them, is one round trip.
type Counter struct{ trips atomic.Int64 }

// Trips since the last call.
func (c *Counter) Trips() int64 { return c.trips.Swap(0) }

func (c *Counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.trips.Add(1)
	return ctx
}
func (c *Counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *Counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.trips.Add(1)
	return ctx
}
func (c *Counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *Counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// OpenCounted opens a store whose round trips are counted.
func OpenCounted(ctx context.Context, address string) (*Store, *Counter, error) {
	config, err := parse(address)
	if err != nil {
		return nil, nil, err
	}
	c := &Counter{}
	config.ConnConfig.Tracer = c
	s := &Store{}
	return s, c, s.open(ctx, config, Options{}.filled())
}

// Write runs statements in one transaction of the store.
func (s *Store) Write(ctx context.Context, do func(ctx context.Context, tx pgx.Tx) error) error {
	return s.write(ctx, "test", do)
}

// Session gives what a server setting is in the store's sessions.
func (s *Store) Session(ctx context.Context, setting string) (value string, err error) {
	err = s.row(ctx, "test", "SELECT current_setting($1)", []any{setting}, &value)
	return value, err
}
