package engine

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/journal"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// recorder is the durable side of one run: it commits what scheduler and dispatch report, together with what that means for
// the logical resources.
type recorder struct {
	engine *Engine
	drive  *drive
	// began says when an operation's attempt was begun here.
	began sync.Map
	// subjects are the operations on logical resources that are not their own node's; in a graph that brings about another one,
	// all that set or delete something.
	subjects map[placeKey]string
}

func (e *Engine) newRecorder(d *drive) *recorder {
	r := &recorder{engine: e, drive: d, subjects: map[placeKey]string{}}
	for i := range d.plan.Operations {
		operation := &d.plan.Operations[i]
		if (operation.Node.Subject != "" || d.plan.Spec.Of != "") && operation.Node.Verb != contract.VerbVerify {
			r.subjects[placeKey{operation.Node.Logical(), operation.Region}] = operation.ID
		}
	}
	return r
}

var (
	_ dispatch.Recorder = (*recorder)(nil)
	_ journaled         = (*recorder)(nil)
)

// journaled is what the scheduler sees of it.
type journaled interface{ schedule.Recorder }

// Peek shows the run's state as it stands.
func (r *recorder) Peek(read func(*execution.Run)) { r.drive.state.Peek(read) }

// Note hands an event on that concerns no single attempt. The run's coming to rest waits for all that was noted.
func (r *recorder) Note(event execution.Event) error {
	return r.drive.state.Post(journal.Entry{Events: []execution.Event{event}})
}

// Intend commits an intent, and the record to take its operation back by with it: a lost answer cannot lose it.
func (r *recorder) Intend(operation *plan.Operation, intent execution.Event, record *contract.RollbackRecord) error {
	r.began.Store(operation.ID, r.engine.options.Now())
	entry := r.entry(operation, intent)
	if record != nil {
		entry.RollbackRecords = []store.RollbackRecord{{
			Operation: operation.ID, Attempt: intent.Attempt, Format: record.Format, Data: record.Data,
		}}
	}
	return r.drive.state.Append(entry)
}

// Undoing is the record of the operation that this one takes back.
func (r *recorder) Undoing(operation *plan.Operation) *contract.RollbackRecord {
	return r.drive.undoing[operation.Node.Undo.Operation]
}

// Record commits an event of an operation, and the placement it changes, in one transaction.
func (r *recorder) Record(operation *plan.Operation, event execution.Event) error {
	entry := r.entry(operation, event)
	if event.Kind == execution.Ended {
		entry.Durations = r.took(operation, &event)
	}
	if event.Status == execution.Failed && event.Error != nil {
		r.engine.log.Info("operation failed", "run", r.drive.run.ID, "operation", operation.ID,
			"resource", operation.Node.ResourceID, "kind", event.Error.Kind, "summary", event.Error.Summary)
	}
	return r.drive.state.Append(entry)
}

// entry is an event, and the placement it changes.
func (r *recorder) entry(operation *plan.Operation, event execution.Event) journal.Entry {
	entry := journal.Entry{Events: []execution.Event{event}}
	if write := r.placement(operation, &event); write != nil {
		entry.Placements = []store.PlacementWrite{*write}
	}
	return entry
}

// took is how long the attempt took that completed an operation, for later estimates. What found nothing to do is counted by
// itself: it says nothing of how long changes take.
func (r *recorder) took(operation *plan.Operation, event *execution.Event) []store.Duration {
	began, ok := r.began.LoadAndDelete(operation.ID)
	if !ok || event.Status != execution.Completed {
		return nil
	}
	verb := operation.Node.Verb
	switch {
	case event.Change == contract.ChangeNone || event.Change == contract.ChangeUnspecified:
		verb = plan.Unchanged
	case operation.Node.Undo != nil:
		verb = plan.Undone
	}
	return []store.Duration{{Type: operation.Node.Type, Verb: verb, Took: r.engine.options.Now().Sub(began.(time.Time))}}
}

// Post hands an event on that nothing waits for.
func (r *recorder) Post(_ *plan.Operation, event execution.Event) {
	if err := r.drive.state.Post(journal.Entry{Events: []execution.Event{event}}); err != nil {
		r.engine.log.Warn("event was not recorded", "run", r.drive.run.ID, "kind", event.Kind, "error", err)
	}
}

// logLineLimit bounds a log line: what a provider says is not ours to trust.
const logLineLimit = 4096

// Log hands a log line on.
func (r *recorder) Log(operation *plan.Operation, level, message string) {
	line := store.LogLine{At: r.engine.options.Now().UTC(), Level: level, Message: message[:min(len(message), logLineLimit)]}
	entry := journal.Entry{Logs: []store.OperationLog{{Operation: operation.ID, Line: line}}}
	if err := r.drive.state.Post(entry); err != nil {
		r.engine.log.Warn("log line was not recorded", "run", r.drive.run.ID, "error", err)
	}
}

// State is a copy of the operation's state; that of one which is no part of the run is empty.
func (r *recorder) State(operation *plan.Operation) (state execution.Operation) {
	r.drive.state.Peek(func(run *execution.Run) {
		if known := run.Operation(operation.ID); known != nil {
			state = *known
		}
	})
	return state
}

// Outputs are those of this run where the node has completed in it, and otherwise those on record.
func (r *recorder) Outputs(nodeID, region string) json.RawMessage {
	var outputs json.RawMessage
	ids := []string{nodeID, nodeID + "@" + region}
	if id, ok := r.subjects[placeKey{nodeID, region}]; ok || r.drive.plan.Spec.Of != "" {
		ids = []string{id}
	}
	r.drive.state.Peek(func(run *execution.Run) {
		for _, id := range ids {
			if operation := run.Operation(id); operation != nil && operation.Status == execution.Completed {
				outputs = operation.Outputs
			}
		}
	})
	if outputs != nil {
		return outputs
	}
	return r.drive.placements[placeKey{nodeID, region}].Outputs
}

// Made says whether the record holds this deployment as the maker.
func (r *recorder) Made(operation *plan.Operation) bool {
	if operation.Node.Verb == contract.VerbVerify && r.setJustNow(operation) {
		return true
	}
	return r.drive.placements[placeKey{operation.Node.Logical(), operation.Region}].Made
}

// setJustNow says that another operation of this run has set what this one looks at.
func (r *recorder) setJustNow(operation *plan.Operation) bool {
	id, ok := r.subjects[placeKey{operation.Node.Logical(), operation.Region}]
	return ok && r.State(&plan.Operation{ID: id}).Status == execution.Completed
}

// Identity is what is recorded of the operation's thing.
func (r *recorder) Identity(operation *plan.Operation) string {
	if identity := r.State(operation).Identity; identity != "" {
		return identity
	}
	return r.drive.placements[placeKey{operation.Node.Logical(), operation.Region}].Identity
}

// mayExist says whether the record told, when this run began, that something may be there.
func (r *recorder) mayExist(operation *plan.Operation) bool {
	return r.drive.placements[placeKey{operation.Node.Logical(), operation.Region}].MayBeThere()
}

// Uncertain says whether the record does not know if the thing is there.
func (r *recorder) Uncertain(operation *plan.Operation) bool { return r.drive.uncertain(operation) }

// Stands says whether an earlier run of this very graph made the thing, which is there since.
func (r *recorder) Stands(operation *plan.Operation) bool {
	return r.drive.recorded(operation, store.Live)
}

// placement is what an event means for the logical resource; nil for nothing.
func (r *recorder) placement(operation *plan.Operation, event *execution.Event) *store.PlacementWrite {
	if r.drive.run.Kind == execution.Verify || operation.Node.Verb == contract.VerbVerify {
		return nil
	}
	graphID := r.drive.graphID()
	write := &store.PlacementWrite{
		Tenant: r.drive.run.Tenant, DeploymentID: r.drive.run.DeploymentID,
		NodeID: operation.Node.Logical(), Region: operation.Region,
	}
	switch {
	case event.Kind == execution.Intent && planted.Is(planted.ForgottenTrace):
		return nil
	case event.Kind == execution.Intent && event.AbsentBefore:
		// What carries no label is known as ours by this alone: nothing was there before.
		write.State, write.Made, write.GraphID = store.Maybe, true, graphID
	case event.Kind == execution.Intent && operation.Node.Verb != contract.VerbDelete && !r.mayExist(operation):
		// If nothing more is ever heard of this attempt, and no later version names the resource, the record alone tells of it.
		write.State, write.GraphID = store.Maybe, graphID
	case event.Kind != execution.Ended:
		return nil
	case event.Status == execution.Completed && operation.Node.Verb == contract.VerbDelete:
		write.State, write.Cleared = store.Gone, true
	case event.Status == execution.Completed && operation.Node.Undo != nil && operation.Node.Adopt && operation.Node.Undo.GraphID == "":
		// It was taken over by what is undone: it is given back.
		write.State, write.Cleared = store.Gone, true
	case event.Status == execution.Completed:
		provider := operation.Node.Provider()
		write.State, write.Made, write.Identity, write.Outputs = store.Live, true, event.Identity, event.Outputs
		write.GraphID, write.Account = graphID, r.drive.accountOf(operation.Node)
		write.ProviderVersion = r.drive.plan.Spec.Providers[provider].Version
		if undo := operation.Node.Undo; undo != nil && undo.GraphID != "" {
			write.GraphID = undo.GraphID // it stands as that one again
		}
	case event.Outcome == contract.OutcomePartial || event.Outcome == contract.OutcomeUnknown:
		if operation.Node.Verb == contract.VerbDelete {
			return nil
		}
		write.State, write.GraphID = store.Maybe, graphID
	default:
		return nil
	}
	return write
}
