package provider

import (
	"context"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// turns lets one call at a time work on one idempotency key. A host that lost an answer asks again while the lost call may
// still be at work: both would find nothing there, and both would make it.
type turns struct {
	mu   sync.Mutex
	busy map[turn]chan struct{}
}

// turn is the right to work on one key.
type turn struct{ tenant, key string }

// take waits until nobody works on the call's key. Without a key there is nothing to wait for.
func (t *turns) take(ctx context.Context, about *contract.CallContext) (turn, error) {
	mine := turn{about.Tenant, about.IdempotencyKey}
	if mine.key == "" {
		return mine, nil
	}
	for {
		before := t.enter(mine)
		if before == nil {
			return mine, nil
		}
		select {
		case <-before:
		case <-ctx.Done():
			return turn{}, ctx.Err()
		}
	}
}

// enter takes the turn, or gives what closes when the one who has it is done.
func (t *turns) enter(mine turn) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if before, taken := t.busy[mine]; taken {
		return before
	}
	if t.busy == nil {
		t.busy = map[turn]chan struct{}{}
	}
	t.busy[mine] = make(chan struct{})
	return nil
}

// leave gives the turn back.
func (t *turns) leave(mine turn) {
	if mine.key == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.busy[mine])
	delete(t.busy, mine)
}
