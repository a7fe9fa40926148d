package engine

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// moveState says how a move stands.
func moveState(d *drive, state *execution.Run) *rest.MoveState {
	options := d.options.Move
	if options == nil {
		return nil
	}
	m := &rest.MoveState{
		FromRegion: options.From, ToRegion: options.To, PreviousGraphID: options.Previous, DeleteAfterVerify: options.DeleteAfterVerify,
		Phase: rest.MoveMaking, FromAccounts: options.Left, ToAccounts: options.Accounts,
	}
	switch {
	case !d.forward():
		m.Phase = rest.MoveDiscarded
	case committed(d.plan, state):
		m.Phase = rest.MoveCommitted
	case ready(d.plan, state):
		m.Phase = rest.MoveHeld
	}
	return m
}

// skippedBehind is why a move left something: what its provider said, or that something else which needs it was left.
func skippedBehind(operation *execution.Operation) string {
	if operation.Error != nil {
		return operation.Error.Summary
	}
	return "something that depends on it was left over"
}

// leftByMove is what a move could not delete.
func leftByMove(operation *plan.Operation, state *execution.Operation) rest.LeftOver {
	left := skippedDeletion(operation)
	left.Identity, left.Reason = state.Identity, skippedBehind(state)
	return left
}
