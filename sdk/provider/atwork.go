package provider

import (
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// atWorkAgain is when to search again where a call may still write.
const atWorkAgain = time.Second

// atWork knows the calls whose authors have not returned yet. A host breaks a call off and searches for what came of it; the
// author may hear of that late, or not at all. Until it has returned, that nothing is there proves nothing.
type atWork struct {
	mu    sync.Mutex
	calls map[spot]map[*call]struct{}
}

// spot is what calls about the same thing have in common, whatever run they belong to.
type spot struct{ tenant, owner, deployment, resource, account, region, kind, name string }

func spotOf(about *contract.CallContext, target *contract.Target) spot {
	return spot{
		tenant: about.Tenant, owner: target.Labels[contract.LabelOwner], deployment: target.Labels[contract.LabelDeployID],
		resource: target.Labels[contract.LabelResourceID], account: about.Account, region: about.Region,
		kind: target.Type, name: target.Name,
	}
}

// add counts a call in; done counts it out.
func (w *atWork) add(at spot, c *call) (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.calls = map[spot]map[*call]struct{}{}
	}
	if w.calls[at] == nil {
		w.calls[at] = map[*call]struct{}{}
	}
	w.calls[at][c] = struct{}{}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(w.calls[at], c); len(w.calls[at]) == 0 {
			delete(w.calls, at)
		}
	}
}

// writer says whether something may still be written there: by a call that was let through, or one that would be.
func (w *atWork) writer(at spot) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.calls[at] {
		if c.mayStillWrite() {
			return true
		}
	}
	return false
}
