package invariant

import (
	"fmt"
	"slices"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
)

// Ordered is I5: a run's events have no gap, ask for nothing illegal, add up to the row that is stored, and no operation was
// begun before what it waits for was done.
func Ordered(e *Evidence) (found []Violation) {
	for i := range e.Runs {
		r := &e.Runs[i]
		broken := func(format string, args ...any) {
			found = append(found, Violation{I5, "run " + r.ID + ": " + fmt.Sprintf(format, args...)})
		}
		for k := range r.Events {
			if r.Events[k].Version != int64(k+1) {
				broken("event %d follows %d", r.Events[k].Version, k)
				break
			}
		}
		if r.Version != int64(len(r.Events)) {
			broken("its row says version %d, and it has %d events", r.Version, len(r.Events))
		}
		if r.State == nil {
			broken("its events cannot be replayed: %v", r.replayed)
			continue
		}
		if r.State.Status != r.Status {
			broken("its row says %s, its events %s", r.Status, r.State.Status)
		}
		for _, text := range slices.Concat(begunEarly(r), heldAgain(r), beyondStep(r)) {
			broken("%s", text)
		}
	}
	return found
}

// begunEarly names the operations that were begun while what they wait for was not done, or an edge before them held.
func begunEarly(r *Run) (early []string) {
	index := indexOf(r)
	done, released := map[int]bool{}, map[string]bool{}
	for _, event := range r.Events {
		switch event.Kind {
		case execution.EdgeReleased:
			released[event.Edge] = true
		case execution.Changed:
			for _, id := range event.Operations {
				done[index[id]] = event.Status == execution.Skipped
			}
		case execution.Ended:
			done[index[event.Operation]] = event.Status == execution.Completed
		case execution.Intent:
			for _, edge := range r.Plan.Operations[index[event.Operation]].Predecessors {
				if !done[edge.Operation] || edge.Type == graph.Pause && !released[edge.EdgeID] {
					early = append(early, fmt.Sprintf("event %d begins %s before %s is done and lets it",
						event.Version, event.Operation, r.Plan.Operations[edge.Operation].ID))
				}
			}
		}
	}
	return early
}

func indexOf(r *Run) map[string]int {
	index := map[string]int{}
	for i := range r.Plan.Operations {
		index[r.Plan.Operations[i].ID] = i
	}
	return index
}

// heldAgain names the operations that were held although every edge that could hold them was released: what was released once
// stays so, on whatever host.
func heldAgain(r *Run) (again []string) {
	index, released := indexOf(r), map[string]bool{}
	for _, event := range r.Events {
		released[event.Edge] = released[event.Edge] || event.Kind == execution.EdgeReleased
		if event.Kind != execution.Changed || event.Status != execution.Paused {
			continue
		}
		for _, id := range event.Operations {
			edges := r.Plan.Operations[index[id]].Predecessors
			if !slices.ContainsFunc(edges, func(e plan.Edge) bool { return e.Pauses() && !released[e.EdgeID] }) {
				again = append(again, fmt.Sprintf("event %d holds %s, and no edge does", event.Version, id))
			}
		}
	}
	return again
}

// beyondStep names the steps in which more than one operation was begun.
func beyondStep(r *Run) (beyond []string) {
	step, begun := false, ""
	for _, event := range r.Events {
		switch {
		case event.Kind == execution.RunChanged:
			begun = ""
			if event.Mode != "" {
				step = event.Mode == execution.Step
			}
		case event.Kind != execution.Intent || !step:
		case begun != "" && begun != event.Operation:
			beyond = append(beyond, fmt.Sprintf("event %d begins %s in a step that has begun %s", event.Version, event.Operation, begun))
		default:
			begun = event.Operation
		}
	}
	return beyond
}

// Rested is I6: when nothing is at work, no run says that it is, and no operation of one.
func Rested(e *Evidence) (found []Violation) {
	for i := range e.Runs {
		r := &e.Runs[i]
		if r.Status.Active() {
			found = append(found, Violation{I6, fmt.Sprintf("run %s is %s, and nobody is at work on it", r.ID, r.Status)})
		}
	}
	return found
}

// Blocked is I5 for a run that failed: what waits for the operation that failed is blocked, and says so.
func Blocked(e *Evidence) (found []Violation) {
	for i := range e.Runs {
		r := &e.Runs[i]
		if r.Status != execution.RunFailed || r.State == nil {
			continue
		}
		for k := range r.Plan.Operations {
			o := &r.Plan.Operations[k]
			for _, edge := range o.Predecessors {
				before := r.State.Operation(r.Plan.Operations[edge.Operation].ID).Status
				stands := r.State.Operation(o.ID).Status
				if (before == execution.Failed || before == execution.Blocked) && (stands == execution.Pending || stands == execution.Running) {
					found = append(found, Violation{I5, fmt.Sprintf("run %s: %s is %s behind one that is %s", r.ID, o.ID, stands, before)})
				}
			}
		}
	}
	return found
}
