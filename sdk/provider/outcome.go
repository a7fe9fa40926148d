package provider

import "github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"

// outcome derives what is known of a call's effect from how it ended: the author never says it.
func (c *call) outcome(err error) contract.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.writes
	changed := c.made != "" || w.wrote || w.succeeded > 0
	switch {
	case err == nil:
		return contract.OutcomeApplied
	case changed:
		return contract.OutcomePartial
	case w.unclear > 0 || w.started > w.refused:
		return contract.OutcomeUnknown
	case !c.entered || !c.panicked && (proves(classify(err).Kind) || c.deletes && classify(err).Kind == Precondition):
		// What may not be deleted yet, since it is not empty or is in use, is still there.
		return contract.OutcomeNotApplied
	default:
		return contract.OutcomeUnknown
	}
}

// proves says which kinds of the author's errors prove that nothing was changed, when no write ended unclear. already_exists is
// not among them: a lost first try may have made what exists.
func proves(kind Kind) bool {
	switch kind {
	case InvalidInput, Unauthenticated, PermissionDenied, CredentialsExpired, DecryptionFailed, Throttled, QuotaExceeded,
		Unsupported:
		return true
	default:
		return false
	}
}
