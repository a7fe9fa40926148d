package invariant

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// place is one logical resource in one region.
type place struct{ deployment, resource, kind, region string }

func placeOf(item *cloud.Item) place {
	return place{item.Made.Deployment, item.Made.Resource, item.Type, item.Region}
}

// ours says that some host made it.
func ours(item *cloud.Item) bool { return item.Made.ID != "" }

// Once is I2: no logical resource exists twice, whatever its labels say now.
func Once(e *Evidence) (found []Violation) {
	seen := map[place]string{}
	for i := range e.Items {
		item := &e.Items[i]
		if !ours(item) {
			continue
		}
		if before, twice := seen[placeOf(item)]; twice {
			found = append(found, Violation{I2, fmt.Sprintf("%v exists twice: %s and %s", placeOf(item), before, item.ID)})
		}
		seen[placeOf(item)] = item.ID
	}
	return found
}

// Keys is I2 as well: after an attempt whose outcome is not known the next one has the same key, or a vendor that goes by it
// would make the thing twice.
func Keys(e *Evidence) (found []Violation) {
	for i := range e.Runs {
		type attempt struct {
			key       string
			unsettled bool
		}
		last := map[string]attempt{}
		for _, event := range e.Runs[i].Events {
			switch event.Kind {
			case execution.Intent:
				if before := last[event.Operation]; before.unsettled && before.key != event.Key {
					found = append(found, Violation{I2, fmt.Sprintf("run %s: attempt %d of %s has another key than the one whose outcome it settles",
						e.Runs[i].ID, event.Attempt, event.Operation)})
				}
				last[event.Operation] = attempt{event.Key, true}
			case execution.Ended:
				before := last[event.Operation]
				if event.Outcome == contract.OutcomeApplied || event.Outcome == contract.OutcomeNotApplied && !settling(&e.Runs[i], &event) {
					before.unsettled = false
				}
				last[event.Operation] = before
			}
		}
	}
	return found
}

// settling says that the attempt which an event ends was made on top of one whose outcome was not known.
func settling(r *Run, end *execution.Event) bool {
	for _, event := range slices.Backward(r.Events[:end.Version-1]) {
		if event.Kind == execution.Intent && event.Operation == end.Operation {
			return event.Settling
		}
	}
	return false
}

// soonest is the least time that a request takes to its vendor: what was announced at the moment of a write was announced after
// the call.
const soonest = time.Millisecond

// Announced is I3: whatever was changed outside, an intent for that very attempt was in the store before.
func Announced(e *Evidence) (found []Violation) {
	for i := range e.Log {
		w := &e.Log[i]
		if intent := e.intentOf(&w.Call); intent == nil || intent.At.After(w.At.Add(-soonest)) {
			found = append(found, Violation{I3, fmt.Sprintf("%s of %s by call %s, attempt %d, had no intent in the store before",
				w.Change, w.Item.ID, w.Call.ID, w.Call.Attempt)})
		}
	}
	return found
}

// intentOf is the event that announced a call; nil for none.
func (e *Evidence) intentOf(call *cloud.Call) *execution.Event {
	runID, operation, _ := strings.Cut(call.ID, "/")
	run := e.Run(runID)
	if run == nil {
		return nil
	}
	for i := range run.Events {
		event := &run.Events[i]
		if event.Kind == execution.Intent && event.Operation == operation && event.Attempt == call.Attempt && event.Key == call.Key {
			return event
		}
	}
	return nil
}

// Untouched is I3 for what is not ours: it is as it was.
func Untouched(e *Evidence, foreign []cloud.Item) (found []Violation) {
	for _, before := range foreign {
		i := slices.IndexFunc(e.Items, func(item cloud.Item) bool { return item.ID == before.ID })
		if i < 0 || !reflect.DeepEqual(e.Items[i], before) {
			found = append(found, Violation{I3, fmt.Sprintf("%s is nobody's of ours, and was changed", before.ID)})
		}
	}
	return found
}

// InTime is I4 for what is already on its way: nothing is written after its write_by.
func InTime(e *Evidence) (found []Violation) {
	for i := range e.Log {
		// What was sent in time may arrive a little later.
		if w := &e.Log[i]; !w.Call.WriteBy.IsZero() && w.At.After(w.Call.WriteBy.Add(time.Second)) {
			found = append(found, Violation{I4, fmt.Sprintf("%s of %s was made after its write_by", w.Change, w.Item.ID)})
		}
	}
	return found
}

// LeftOver is what a destroy named.
type LeftOver struct{ Resource, Region string }

// Nothing is I7: nothing that a deployment made is there any more, but for what was named.
func Nothing(e *Evidence, deploymentID string, named []LeftOver) (found []Violation) {
	for i := range e.Items {
		item := &e.Items[i]
		if !ours(item) || item.Made.Deployment != deploymentID || slices.Contains(named, LeftOver{item.Made.Resource, item.Region}) {
			continue
		}
		found = append(found, Violation{I7, fmt.Sprintf("%s (%s) is left of %s, and nobody named it", item.ID, item.Made.Resource, deploymentID)})
	}
	return found
}

// Unnamed lists what exists of resources, or in regions, that a caller does not name.
func Unnamed(e *Evidence, named func(resource, region string) bool) (found []LeftOver) {
	for i := range e.Items {
		if item := &e.Items[i]; ours(item) && !named(item.Made.Resource, item.Region) {
			found = append(found, LeftOver{item.Made.Resource, item.Region})
		}
	}
	return found
}

// TakenBack is I7 for a rollback: whatever the run had changed is taken back, or named.
func TakenBack(e *Evidence) (found []Violation) {
	changed := map[touch]bool{}
	for i := range e.Log {
		runID, _, _ := strings.Cut(e.Log[i].Call.ID, "/")
		changed[touch{runID, placeOf(&cloud.Item{Made: e.Log[i].Call, Type: e.Log[i].Item.Type, Region: e.Log[i].Item.Region})}] = true
	}
	for i := range e.Runs {
		r := &e.Runs[i]
		if r.Kind != execution.Rollback || r.Status != execution.RunCompleted {
			continue
		}
		var options struct {
			Undoes   string `json:"undoes"`
			LeftOver []struct {
				Resource string `json:"resource_id"`
				Region   string `json:"region"`
			} `json:"left_over"`
		}
		if err := json.Unmarshal(r.Options, &options); err != nil {
			return []Violation{{I5, "run " + r.ID + ": its options cannot be read"}}
		}
		covered := map[LeftOver]bool{}
		for _, left := range options.LeftOver {
			covered[LeftOver{left.Resource, left.Region}] = true
		}
		for k := range r.Plan.Operations {
			covered[LeftOver{r.Plan.Operations[k].Node.ResourceID, r.Plan.Operations[k].Region}] = true
		}
		for what := range changed {
			if what.run == options.Undoes && !covered[LeftOver{what.where.resource, what.where.region}] {
				found = append(found, Violation{I7, fmt.Sprintf("run %s takes back %s, and neither that nor says a word of %v", r.ID, what.run, what.where)})
			}
		}
	}
	return found
}

// Honest is I10 for failures: an attempt that is said to have changed nothing did not.
func Honest(e *Evidence) (found []Violation) {
	wrote := map[string]bool{}
	for i := range e.Log {
		wrote[fmt.Sprintf("%s#%d", e.Log[i].Call.ID, e.Log[i].Call.Attempt)] = true
	}
	for i := range e.Runs {
		attempts := map[string]int{}
		for _, event := range e.Runs[i].Events {
			if event.Kind == execution.Intent {
				attempts[event.Operation] = event.Attempt
			}
			if event.Kind == execution.Ended && event.Outcome == contract.OutcomeNotApplied &&
				wrote[fmt.Sprintf("%s/%s#%d", e.Runs[i].ID, event.Operation, attempts[event.Operation])] {
				found = append(found, Violation{I10, fmt.Sprintf("run %s: attempt %d of %s is said to have changed nothing, and did",
					e.Runs[i].ID, attempts[event.Operation], event.Operation)})
			}
		}
	}
	return found
}
