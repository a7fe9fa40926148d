package store

import (
	"context"
	"fmt"
	"time"
)

// Leases say which host may write a run. They are counted by the database's clock alone, and fencing tokens hold whatever the
// clocks say: a lease only says when somebody else may try.
type Leases interface {
	// AcquireRun makes the claim's owner the one that may write the run, and returns the new fencing token and the last event
	// version. Without it nobody may. *HeldError while another owner's lease has not run out, ErrNotFound.
	AcquireRun(ctx context.Context, claim Claim) (token, version int64, err error)
	// RenewLeases lets the leases of one owner last for ttl from now. It answers one state a run, in order.
	RenewLeases(ctx context.Context, owner string, ttl time.Duration, runIDs []string) ([]LeaseState, error)
	// ExpiredRuns gives the active runs, of any tenant, whose lease ran out. A run that has none is not among them.
	ExpiredRuns(ctx context.Context) ([]Run, error)
	// RequestCancel asks the owner of an active run to cancel it, which sees it at its next renewal; the first to ask is
	// named. ErrNotFound, and ErrStale for a run that is not active: nobody would see it.
	RequestCancel(ctx context.Context, tenant, runID, by string) error
}

// Claim is what AcquireRun asks for.
type Claim struct {
	RunID, Owner string
	// TTL is how long the lease lasts; 0 takes none, so that anybody may acquire the run at any time: for a store that
	// one host has to itself.
	TTL time.Duration
}

// LeaseState is what a renewal answers for one run.
type LeaseState struct {
	RunID string
	// Lost: the run is not the owner's any more. Another one took it, or it came to rest.
	Lost bool
	// CancelBy is who asked for its cancellation, "" when nobody did.
	CancelBy string
}

// HeldError: another owner has the run, for as long as its lease lasts.
type HeldError struct{ RunID, Owner string }

func (e *HeldError) Error() string {
	return fmt.Sprintf("run %s is held by host %s", e.RunID, e.Owner)
}
