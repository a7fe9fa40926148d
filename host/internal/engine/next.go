package engine

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// The calls that make sense after runs of several kinds.
var (
	verifyCall  = rest.Call{Method: "POST", Path: "/deploy/verify", Why: "compare what is there with what was asked for"}
	destroyCall = rest.Call{Method: "POST", Path: "/deploy/destroy", Why: "delete what this deployment made"}
)

func nextOf(d *drive, state *execution.Run) []rest.Call {
	if d.options.Move != nil && !state.Status.Active() {
		return nextOfMove(d, state)
	}
	return next(&d.run, state.Status)
}

// next says which calls make sense, given how a run stands.
func next(run *store.Run, status execution.RunStatus) []rest.Call {
	watch := rest.Call{Method: "GET", Path: "/deploy/events/" + run.GraphID + "?run=" + run.ID, Why: "follow what happens"}
	resume := rest.Call{Method: "POST", Path: "/deploy/continue", Why: "go on from where it stopped: send graph_id and credentials"}
	cancel := rest.Call{Method: "POST", Path: "/deploy/cancel", Why: "end it for good: send run_id"}
	rollback := rest.Call{Method: "POST", Path: "/deploy/rollback", Why: "take back what this run changed"}
	switch {
	case status == execution.RunCancelling:
		return []rest.Call{watch}
	case status.Active():
		return []rest.Call{watch, cancel}
	case run.Kind == execution.Verify:
		return []rest.Call{verifyCall, destroyCall}
	case !status.Final() && run.Kind == execution.Destroy:
		return []rest.Call{resume, cancel}
	case !status.Final() && run.Kind == execution.Apply:
		return []rest.Call{resume, cancel, rollback, destroyCall}
	case !status.Final():
		return []rest.Call{resume, cancel, destroyCall}
	case run.Kind == execution.Destroy:
		return nil
	case run.Kind == execution.Apply:
		return []rest.Call{verifyCall, rollback, destroyCall}
	default:
		return []rest.Call{verifyCall, destroyCall}
	}
}

// nextOfMove says which calls make sense for a move at rest.
func nextOfMove(d *drive, state *execution.Run) []rest.Call {
	path := "/deploy/move/" + d.run.GraphID
	commit := rest.Call{Method: "POST", Path: path + "/commit", Why: "make it final: what was left behind is deleted"}
	discard := rest.Call{Method: "POST", Path: path + "/discard", Why: "undo it: what was made is deleted"}
	resume := rest.Call{Method: "POST", Path: "/deploy/move", Why: "go on from where it stopped: send graph_id and credentials"}
	phase := moveState(d, state).Phase
	switch {
	case state.Status == execution.RunCompleted:
		return []rest.Call{verifyCall, destroyCall}
	case phase == rest.MoveDiscarded:
		discard.Why = "go on with it: send credentials"
		return []rest.Call{discard, destroyCall}
	case phase == rest.MoveCommitted && state.Status == execution.RunCancelled:
		return []rest.Call{verifyCall, destroyCall}
	case phase == rest.MoveCommitted:
		commit.Why = "go on with it: send credentials"
		return []rest.Call{commit, destroyCall}
	case state.Status == execution.RunCancelled:
		return []rest.Call{discard, destroyCall}
	case phase == rest.MoveHeld:
		return []rest.Call{commit, discard, destroyCall}
	default:
		return []rest.Call{resume, discard, destroyCall}
	}
}
