package execution

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// Run is the execution graph of one run: what its events add up to. It is not safe for use by several goroutines at once.
type Run struct {
	ID        string
	Status    RunStatus
	Version   int64
	StartedAt time.Time
	// EndedAt is when the run last came to rest; zero while it is at work.
	EndedAt   time.Time
	StartedBy string
	Reason    string
	// Mode it was last set going in.
	Mode Mode

	operations []Operation
	index      map[string]int
	counts     map[Status]int
	released   map[string]bool
}

// NewRun is a run before its first event, with its operations in the order of the plan.
func NewRun(id string, operationIDs []string) *Run {
	run := &Run{
		ID:         id,
		operations: make([]Operation, len(operationIDs)),
		index:      make(map[string]int, len(operationIDs)),
		counts:     map[Status]int{Pending: len(operationIDs)},
		released:   map[string]bool{},
	}
	for i, operationID := range operationIDs {
		run.operations[i] = Operation{ID: operationID, Status: Pending}
		run.index[operationID] = i
	}
	return run
}

// Replay is the run that the events add up to.
func Replay(id string, operationIDs []string, events []Event) (*Run, error) {
	run := NewRun(id, operationIDs)
	for i := range events {
		if err := run.Apply(&events[i]); err != nil {
			return nil, fmt.Errorf("event %d: %w", events[i].Version, err)
		}
	}
	return run, nil
}

// Clone is a run of its own in the same state.
func (r *Run) Clone() *Run {
	clone := *r
	clone.operations, clone.counts, clone.released = slices.Clone(r.operations), maps.Clone(r.counts), maps.Clone(r.released)
	return &clone
}

// Operations are all of them, in plan order. The slice is the run's own: read it, and keep nothing of it.
func (r *Run) Operations() []Operation { return r.operations }

// Operation looks one up; nil when the run has none of that id.
func (r *Run) Operation(id string) *Operation {
	if i, ok := r.index[id]; ok {
		return &r.operations[i]
	}
	return nil
}

// Count says how many operations have a status.
func (r *Run) Count(status Status) int { return r.counts[status] }

// Released says whether a pause edge was let through.
func (r *Run) Released(edge string) bool { return r.released[edge] }

// Apply makes one event part of the run. An event out of order, of another run, or that asks for an illegal change is
// refused, and nothing is changed.
func (r *Run) Apply(e *Event) error {
	if e.RunID != r.ID || e.Version != r.Version+1 {
		return fmt.Errorf("%w: event %s:%d on run %s at %d", ErrIllegal, e.RunID, e.Version, r.ID, r.Version)
	}
	if err := r.apply(e); err != nil {
		return err
	}
	r.Version = e.Version
	return nil
}

func (r *Run) apply(e *Event) error {
	switch e.Kind {
	case RunChanged:
		return r.changeRun(e)
	case EdgeReleased:
		r.released[e.Edge] = !planted.Is(planted.HeldAgain)
		return nil
	case Changed:
		return r.changeOperations(e)
	}
	operation := r.Operation(e.Operation)
	if operation == nil {
		return fmt.Errorf("%w: no operation %s", ErrIllegal, e.Operation)
	}
	switch e.Kind {
	case Intent:
		return r.begin(operation, e)
	case Identified:
		operation.Identity = e.Identity
	case Progressed:
		operation.Fraction, operation.Message = e.Fraction, e.Message
	case Ended:
		return r.end(operation, e)
	default:
		return fmt.Errorf("%w: unknown kind of event %s", ErrIllegal, e.Kind)
	}
	return nil
}

func (r *Run) changeRun(e *Event) error {
	first := r.Version == 0 && e.RunStatus == RunQueued
	if !first && !CanChangeRun(r.Status, e.RunStatus) {
		return illegal("run", r.Status, e.RunStatus)
	}
	r.Status, r.Reason = e.RunStatus, e.Reason
	if e.Mode != "" {
		r.Mode = e.Mode
	}
	switch {
	case e.RunStatus == RunQueued:
		r.StartedBy = e.By
	case e.RunStatus == RunRunning:
		if r.StartedAt.IsZero() {
			r.StartedAt = e.At
		}
		r.EndedAt = time.Time{}
	case !e.RunStatus.Active():
		r.EndedAt = e.At
	}
	return nil
}

func (r *Run) changeOperations(e *Event) error {
	for _, id := range e.Operations {
		operation := r.Operation(id)
		if operation == nil {
			return fmt.Errorf("%w: no operation %s", ErrIllegal, id)
		}
		if !CanChange(operation.Status, e.Status) {
			return illegal("operation "+id, operation.Status, e.Status)
		}
	}
	for _, id := range e.Operations {
		operation := r.Operation(id)
		r.move(operation, e.Status)
		if e.Status == Pending {
			operation.Error, operation.RetryAt, operation.Crashes, operation.Retry = nil, time.Time{}, 0, e.Retry
		}
	}
	return nil
}

func (r *Run) begin(operation *Operation, e *Event) error {
	if !CanChange(operation.Status, Running) {
		return illegal("operation "+operation.ID, operation.Status, Running)
	}
	if operation.Unsettled() != e.Settling {
		return fmt.Errorf("%w: attempt on operation %s, settling %v", ErrIllegal, operation.ID, e.Settling)
	}
	r.move(operation, Running)
	if operation.StartedAt.IsZero() {
		operation.StartedAt = e.At
	}
	operation.CompletedAt, operation.RetryAt, operation.Retry = time.Time{}, time.Time{}, false
	operation.IntentOpen, operation.Attempt, operation.Generation = true, e.Attempt, e.Generation
	operation.Key, operation.WriteBy, operation.Host, operation.Settling = e.Key, e.WriteBy, e.Host, e.Settling
	operation.AbsentBefore = operation.AbsentBefore || e.AbsentBefore
	if e.Planned != "" {
		operation.Planned = e.Planned
	}
	operation.Fraction, operation.Message, operation.Error = 0, "", nil
	return nil
}

func (r *Run) end(operation *Operation, e *Event) error {
	// An operation may end without an attempt: what it needs was not found, or a search told enough.
	if operation.Status != Running && !CanChange(operation.Status, Running) {
		return illegal("operation "+operation.ID, operation.Status, e.Status)
	}
	if e.Status != Completed && e.Status != Failed && e.Status != Pending {
		return illegal("operation "+operation.ID, operation.Status, e.Status)
	}
	r.move(operation, e.Status)
	if operation.StartedAt.IsZero() {
		operation.StartedAt = e.At
	}
	r.record(operation, e)
	return nil
}

// record takes over what the end of an attempt says. An end without an outcome closes no intent: what was open stays so.
func (r *Run) record(operation *Operation, e *Event) {
	if e.Outcome != contract.OutcomeNone {
		operation.Outcome, operation.IntentOpen = outcomeOf(operation, e), false
	}
	if e.Error != nil && e.Error.Kind == contract.KindInterrupted {
		operation.Crashes++
	}
	if e.Identity != "" {
		operation.Identity = e.Identity
	}
	operation.Outputs, operation.Labels, operation.Checks = e.Outputs, e.Labels, e.Checks
	operation.Change, operation.Error, operation.RequestID = e.Change, e.Error, e.RequestID
	operation.RetryAt = e.RetryAt
	if e.Status != Pending {
		operation.CompletedAt = e.At
	}
	if e.Status == Completed {
		operation.Fraction, operation.Message = 1, ""
	}
}

// outcomeOf is what is known after an attempt: that it changed nothing says nothing of the one before, whose outcome it was to
// settle, unless a search has shown that there is nothing.
func outcomeOf(operation *Operation, e *Event) contract.Outcome {
	if operation.Settling && e.Outcome == contract.OutcomeNotApplied && !e.Absent {
		return contract.OutcomeUnknown
	}
	return e.Outcome
}

func (r *Run) move(operation *Operation, to Status) {
	r.counts[operation.Status]--
	r.counts[to]++
	operation.Status = to
}
