package execution

import (
	"errors"
	"fmt"
	"slices"
)

// ErrIllegal is wrapped by every refusal of a change that the tables below do not hold.
var ErrIllegal = errors.New("illegal change of state")

// operationChanges holds every legal change of an operation; running to running is the next attempt.
var operationChanges = map[Status][]Status{
	Pending:   {Running, Paused, Blocked, Skipped},
	Running:   {Completed, Failed, Running, Pending},
	Failed:    {Running, Completed, Pending, Skipped},
	Blocked:   {Pending, Paused, Skipped},
	Paused:    {Pending, Blocked, Skipped},
	Skipped:   {Pending},
	Completed: {Pending},
}

// runChanges holds every legal change of a run. A queued run can be interrupted: its host may die before it begins.
var runChanges = map[RunStatus][]RunStatus{
	RunQueued:      {RunRunning, RunCancelled, RunInterrupted},
	RunRunning:     {RunCompleted, RunFailed, RunPaused, RunCancelling, RunInterrupted},
	RunFailed:      {RunRunning, RunCancelled},
	RunPaused:      {RunRunning, RunCancelled},
	RunInterrupted: {RunRunning, RunCancelled},
	RunCancelling:  {RunCancelled, RunCompleted, RunFailed, RunInterrupted},
	RunCompleted:   {},
	RunCancelled:   {},
}

// CanChange says whether an operation may go from one status to another.
func CanChange(from, to Status) bool { return slices.Contains(operationChanges[from], to) }

// CanChangeRun says whether a run may go from one status to another.
func CanChangeRun(from, to RunStatus) bool { return slices.Contains(runChanges[from], to) }

func illegal(what string, from, to any) error {
	return fmt.Errorf("%w: %s from %v to %v", ErrIllegal, what, from, to)
}
