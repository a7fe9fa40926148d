package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/schedule"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// anyPlan draws a graph of some nodes, some of them in two regions, with edges of every type.
func anyPlan(t *rapid.T) *plan.Plan {
	spec := &graph.Spec{GraphID: "g"}
	n := rapid.IntRange(1, 10).Draw(t, "nodes")
	for i := range n {
		regions := []string{""}
		if rapid.IntRange(0, 3).Draw(t, "regional") == 0 {
			regions = []string{"us", "eu"}
		}
		spec.Nodes = append(spec.Nodes, graph.Node{
			NodeID: fmt.Sprintf("%08d", i), ResourceID: fmt.Sprintf("r%d", i), Type: "x:y", Verb: contract.VerbCreate, Regions: regions,
		})
		for from := range i {
			if rapid.IntRange(0, 2).Draw(t, "edge") > 0 {
				continue
			}
			kind := rapid.SampledFrom([]graph.EdgeType{graph.Dependency, graph.Dependency, graph.Pause, graph.Pause, graph.End}).Draw(t, "kind")
			spec.Edges = append(spec.Edges, graph.Edge{
				EdgeID: fmt.Sprintf("e%d-%d", from, i), From: fmt.Sprintf("%08d", from), To: fmt.Sprintf("%08d", i), Type: kind,
			})
		}
	}
	p, err := plan.New(spec, nil, "seed")
	require.NoError(t, err)
	return p
}

// anyRest draws a run at rest on a plan: each operation stands somewhere that it can have come to.
func anyRest(t *rapid.T, p *plan.Plan) *execution.Run {
	run := execution.NewRun("r", operationIDs(p))
	apply := func(e execution.Event) {
		e.RunID, e.Version = "r", run.Version+1
		require.NoError(t, run.Apply(&e))
	}
	apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunQueued})
	apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunRunning})
	for i := range p.Operations {
		id := p.Operations[i].ID
		status := rapid.SampledFrom(execution.Statuses()).Draw(t, "status")
		switch {
		case p.Operations[i].Cut:
			apply(execution.Event{Kind: execution.Changed, Operations: []string{id}, Status: execution.Skipped})
		case status == execution.Pending:
		case status == execution.Running || status == execution.Completed || status == execution.Failed:
			apply(execution.Event{Kind: execution.Intent, Operation: id, Attempt: 1})
			if status != execution.Running {
				apply(execution.Event{Kind: execution.Ended, Operation: id, Status: status, Outcome: contract.OutcomeApplied})
			}
		default:
			apply(execution.Event{Kind: execution.Changed, Operations: []string{id}, Status: status})
		}
	}
	at := rapid.SampledFrom([]execution.RunStatus{execution.RunFailed, execution.RunPaused, execution.RunInterrupted}).Draw(t, "rest")
	apply(execution.Event{Kind: execution.RunChanged, RunStatus: at})
	return run
}

func anyNames(t *rapid.T, p *plan.Plan, label string) []string {
	if rapid.IntRange(0, 2).Draw(t, label+"?") == 0 {
		return nil
	}
	names := []string{"nothing"}
	for i := range p.Operations {
		names = append(names, p.Operations[i].ID, p.Operations[i].Node.NodeID, p.Operations[i].Node.ResourceID)
	}
	return rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(t, label)
}

// TestEverySteeringIsLegalOrRefusedWhole: whatever a person asks for of whatever run, it is refused with pointers, or each event
// is a legal change, in number linear in what is named and held, and the run can go on from there.
func TestEverySteeringIsLegalOrRefusedWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		run := anyRest(t, p)
		s := steering{
			release: rapid.Bool().Draw(t, "release"), skip: anyNames(t, p, "skip"), unskip: anyNames(t, p, "unskip"), retry: anyNames(t, p, "retry"),
		}
		if from := anyNames(t, p, "from"); s.release && len(from) > 0 {
			s.from = from[0]
		}
		events, problems := steer(p, run, s, "someone")
		if len(problems) > 0 {
			require.Empty(t, events)
			return
		}
		after := run.Clone()
		for _, event := range append([]execution.Event{runEvent(execution.RunRunning, "", "")}, events...) {
			event.RunID, event.Version = "r", after.Version+1
			require.NoError(t, after.Apply(&event))
		}
		checkSteered(t, p, run, after, s)
		changes := len(events) - countKind(events, execution.EdgeReleased)
		require.LessOrEqual(t, changes, 6, "one event for each thing that is asked for")
	})
}

func countKind(events []execution.Event, kind execution.EventKind) int {
	return len(slices.DeleteFunc(slices.Clone(events), func(e execution.Event) bool { return e.Kind != kind }))
}

func checkSteered(t *rapid.T, p *plan.Plan, before, after *execution.Run, s steering) {
	names, _ := namesOf(p)
	for i := range p.Operations {
		operation := after.Operations()[i]
		require.NotContains(t, []execution.Status{execution.Failed, execution.Blocked}, operation.Status, "it goes on")
		held := slices.ContainsFunc(p.Operations[i].Predecessors, func(e plan.Edge) bool { return e.Pauses() && !after.Released(e.EdgeID) })
		require.False(t, operation.Status == execution.Paused && !held, "nothing is paused that no edge holds")
		if p.Operations[i].Cut {
			require.Equal(t, execution.Skipped, operation.Status)
		}
	}
	for _, name := range s.skip {
		for _, i := range names[name] {
			require.Equal(t, execution.Skipped, after.Operations()[i].Status)
		}
	}
	for _, name := range slices.Concat(s.unskip, s.retry) {
		for _, i := range names[name] {
			require.Equal(t, execution.Pending, after.Operations()[i].Status)
		}
	}
	if s.release && s.from == "" {
		for i := range schedule.Held(p, before) {
			require.NotEqual(t, execution.Paused, after.Operations()[i].Status)
		}
	}
}
