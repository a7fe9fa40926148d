package store

import (
	"context"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Records are what runs leave beside their events.
type Records interface {
	// Durations lists what the tenant's operations took, by type and verb, in that order.
	Durations(ctx context.Context, tenant string) ([]DurationStat, error)
	// RollbackRecords gives the record of each operation's last attempt that has one, by operation. ErrNotFound for an unknown
	// run.
	RollbackRecords(ctx context.Context, runID string) ([]RollbackRecord, error)
	// Idempotency fails with ErrNotFound.
	Idempotency(ctx context.Context, tenant, key string) (IdempotencyKey, error)
	// SweepIdempotency drops the keys that have been of no use for KeptFor: counted from the end of the key's run, which is
	// final, or from the key itself where it names none.
	SweepIdempotency(ctx context.Context, now time.Time) error
}

// Duration is how long one operation took.
type Duration struct {
	Type string
	Verb contract.Verb
	Took time.Duration
}

// DurationStat is what a tenant's operations of one type and verb took.
type DurationStat struct {
	Type  string
	Verb  contract.Verb
	Count int64
	Mean  time.Duration
}

// RollbackRecord is what a provider's plan wrote down, to undo one operation by. Its data is sealed to the provider's keys.
type RollbackRecord struct {
	Operation string
	Attempt   int
	Format    string
	Data      []byte
}

// KeptFor is how long an idempotency key stays after what it stands for has ended.
const KeptFor = 24 * time.Hour

// IdempotencyKey is a caller's name for one command, and what that command came to.
type IdempotencyKey struct {
	Tenant  string
	Key     string
	Route   string
	Digest  string // of the request
	RunID   string // the run it made or went on with, "" for none
	GraphID string // the graph it made, "" for none
	At      time.Time
}

// Repeats says that a key on record is of the same command about the same run.
func (k *IdempotencyKey) Repeats(other *IdempotencyKey) bool {
	return k.Tenant == other.Tenant && k.Key == other.Key && k.Route == other.Route && k.Digest == other.Digest &&
		k.RunID == other.RunID && k.GraphID == other.GraphID
}

// KeyUsedError: the idempotency key is on record, and what it stands for there.
type KeyUsedError struct{ Key IdempotencyKey }

func (e *KeyUsedError) Error() string { return "the idempotency key is taken" }
