// Package store is the port to what is durable: the rows and the calls that sqlite and postgres both offer, and that package
// storetest exercises. It decides nothing; fencing and uniqueness are the only rules that it holds, because only a
// transaction can.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The ways a call can be refused; matched with errors.Is.
var (
	// ErrNotFound: no such row for this tenant.
	ErrNotFound = errors.New("not found")
	// ErrExists: an id or a name is taken.
	ErrExists = errors.New("already exists")
	// ErrFenced: the fencing token of a write is not the run's current one; nothing of that run's write was kept.
	ErrFenced = errors.New("run was taken over by another owner")
	// ErrStale: what the caller read before has changed since (the deployment's head, whether a run is active).
	ErrStale = errors.New("changed since it was read")
	// ErrTooMany: the tenant has as many active runs as it may have.
	ErrTooMany = errors.New("too many active runs")
	// ErrUnavailable: the server that keeps the store cannot be reached, or went away meanwhile; what was to be written may be
	// there or not.
	ErrUnavailable = errors.New("the store cannot be reached")
	// ErrVersion: the events of a write do not carry on from the run's last one.
	ErrVersion = errors.New("event versions do not carry on from the run's last one")
	// ErrInvalid: what was to be written contradicts itself or cannot be encoded.
	ErrInvalid = errors.New("cannot be stored as it is")
	// ErrDamaged: what is stored cannot be read.
	ErrDamaged = errors.New("the store is damaged")
	// ErrUnsafe: the database is too old, or does not do what durability needs; nothing is opened on it.
	ErrUnsafe = errors.New("this database is not safe to store in")
)

// SchemaError: the store has a schema that this program may not, or must not, change.
type SchemaError struct{ Found, Known int64 }

func (e *SchemaError) Error() string {
	if e.Found > e.Known {
		return fmt.Sprintf("the store has schema %d, made by a newer program: this one knows %d", e.Found, e.Known)
	}
	return fmt.Sprintf("the store has schema %d, and needs %d: start the host once to migrate it", e.Found, e.Known)
}

// ActiveRunError: another run is active on the deployment.
type ActiveRunError struct{ RunID string }

func (e *ActiveRunError) Error() string {
	return fmt.Sprintf("run %s is active on this deployment", e.RunID)
}

// Store is everything; consumers declare the few calls they need.
type Store interface {
	Registry
	Graphs
	Runs
	Leases
	Records
	Close() error
}

// Registry holds what outlives deployments.
type Registry interface {
	// Installation is the random id of this store, drawn when it was made.
	Installation(ctx context.Context) (string, error)
	// Standing says what the store is, and how far what it acknowledges can be relied on.
	Standing(ctx context.Context) (Standing, error)
	// CreateKey fails with ErrExists when the tenant has a key of that name.
	CreateKey(ctx context.Context, key APIKey) error
	// KeyByHash fails with ErrNotFound.
	KeyByHash(ctx context.Context, hash string) (APIKey, error)
	// Keys lists all, oldest first.
	Keys(ctx context.Context) ([]APIKey, error)
	// RevokeKey fails with ErrNotFound.
	RevokeKey(ctx context.Context, tenant, name string) error
	// PinDigest records the digest of a provider's executable at its first use and returns the one on record.
	PinDigest(ctx context.Context, provider, version, digest string) (recorded string, err error)
	// PinKeys records the public key ids of a provider at first use, and returns those on record before. It adds new ones for
	// whoever has all of those: with other keys nobody changes what is on record.
	PinKeys(ctx context.Context, provider string, ids []string) (recorded []string, err error)
}

// Standing is what an operator should know of the database beneath.
type Standing struct {
	Kind string // "sqlite" or "postgres"
	// Loss says, in a sentence, by what kind of failure something that was acknowledged could be lost; "" when by none that
	// the database knows of.
	Loss string
}

// APIKey is a caller's key. Only its hash is known.
type APIKey struct {
	Name      string
	Tenant    string
	Role      string // "tenant" or "operator"
	Hash      string // hex SHA-256 of the key
	CreatedAt time.Time
}
