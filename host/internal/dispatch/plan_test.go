package dispatch_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/dispatch"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/plan"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// undoable is a type that can be rolled back, and a provider that plans an update of it.
func undoable() *scripted {
	s := newScripted(contract.DiscoverByLabel, contract.Convergent)
	s.kind.Plans, s.kind.Rollbacks = true, true
	s.plan = func(*contract.PlanRequest) (*contract.PlanResult, error) {
		return &contract.PlanResult{
			Action: contract.ActionUpdate, Record: &contract.RollbackRecord{Format: "f", Data: []byte("before")}, Prepared: []byte("ready"),
		}, nil
	}
	return s
}

func TestTheRecordIsCommittedWithTheFirstIntentOnly(t *testing.T) {
	s := undoable()
	s.execute = func(r *contract.ExecuteRequest, _ func(contract.Event)) (*contract.Result, error) {
		require.Len(t, s.records, 1, "the record is durable before the call")
		require.Equal(t, []byte("before"), s.records[0].Data)
		require.Equal(t, contract.ActionUpdate, s.events[0].Planned)
		require.Equal(t, []byte("ready"), r.Prepared)
		return nil, contract.New(contract.KindInterrupted, "the connection broke")
	}
	s.perform(t, execution.Apply, node(contract.VerbUpdate))
	require.Len(t, s.plans, 1)

	s.state = execution.Operation{Attempt: 1, Generation: 1, Status: execution.Pending, Outcome: contract.OutcomeUnknown}
	s.execute = answer(&contract.Result{Outcome: contract.OutcomeApplied}, nil)
	s.perform(t, execution.Apply, node(contract.VerbUpdate))
	require.Len(t, s.plans, 1, "a later attempt finds what the first may have changed, and asks no more")
	require.Nil(t, s.records[1])
}

func TestOnlyWhatCanBeTakenBackIsAskedAboutBefore(t *testing.T) {
	for name, change := range map[string]func(*scripted) execution.RunKind{
		"a type without rollback": func(s *scripted) execution.RunKind { s.kind.Rollbacks = false; return execution.Apply },
		"a destroy":               func(*scripted) execution.RunKind { return execution.Destroy },
		"a verification":          func(*scripted) execution.RunKind { return execution.Verify },
	} {
		t.Run(name, func(t *testing.T) {
			s := undoable()
			require.Equal(t, execution.Completed, s.perform(t, change(s), node(contract.VerbDelete)).Status)
			require.Empty(t, s.plans)
		})
	}
}

func TestNothingIsChangedWhenThereIsNoRecordToBeHad(t *testing.T) {
	s := undoable()
	s.plan = func(*contract.PlanRequest) (*contract.PlanResult, error) {
		return nil, contract.New(contract.KindThrottled, "slower")
	}
	event := s.perform(t, execution.Apply, node(contract.VerbUpdate))
	require.Equal(t, execution.Pending, event.Status, "it is tried again")
	require.Zero(t, s.intents)
	require.Empty(t, s.requests)
}

func TestAnUndoingNodeIsBroughtBackByItsRecord(t *testing.T) {
	undoing := node(contract.VerbUpdate)
	undoing.Undo = &graph.Undo{RunID: "earlier", Operation: "n", GraphID: "g0"}
	undoing.References = map[string]graph.Reference{"gone": {Text: "gone", NodeID: "gone", Property: "/b"}}
	s := undoable()
	event := s.perform(t, execution.Rollback, undoing)
	require.Equal(t, execution.Failed, event.Status, "there is no record")
	require.Zero(t, s.intents)

	s.undoing = &contract.RollbackRecord{Format: "f", Data: []byte("before")}
	s.state = execution.Operation{Attempt: 1, Generation: 1, Status: execution.Pending, Outcome: contract.OutcomeUnknown}
	event = s.perform(t, execution.Rollback, undoing)
	require.Equal(t, execution.Completed, event.Status)
	require.Equal(t, []byte("before"), s.rollbacks[0].Record.Data)
	require.Equal(t, "g0", s.rollbacks[0].Target.Labels[contract.LabelGraphID], "it stands as the graph before")
	require.NotEmpty(t, s.rollbacks[0].Context.IdempotencyKey)
	require.Equal(t, 1, s.intents)
	require.Empty(t, s.finds, "it may be repeated: nothing is looked for first")
	require.Empty(t, s.requests)
}

func TestADeletionThatIsTakenBackIsProvenGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
		s.end = contract.FindEnd{Completeness: contract.Inconclusive, RetryAfter: 5 * time.Second}
		began := time.Now()
		event := s.perform(t, execution.Rollback, node(contract.VerbDelete))
		require.Equal(t, contract.OutcomeUnknown, event.Outcome, "no search ever told")
		require.Greater(t, time.Since(began), s.kind.SettleTime)
		s.finds, s.end = nil, contract.FindEnd{Completeness: contract.Complete}
		require.Equal(t, execution.Completed, s.perform(t, execution.Rollback, node(contract.VerbDelete)).Status)
		require.Len(t, s.finds, 1)
		s.finds = nil
		s.perform(t, execution.Destroy, node(contract.VerbDelete))
		require.Empty(t, s.finds)
	})
}

func (s *scripted) forecast(t *testing.T, nodes ...graph.Node) []dispatch.Forecast {
	spec := &graph.Spec{GraphID: "g", DeploymentID: "d", Providers: map[string]graph.Pin{"x": {Version: "1.0.0"}}, Nodes: nodes}
	p, err := plan.New(spec, nil, "seed")
	require.NoError(t, err)
	dispatcher := dispatch.New(s, dispatch.Options{Concurrency: s.concurrency, Timeout: time.Minute, Tries: 3, Now: time.Now})
	all := func(*contract.ResourceType, json.RawMessage) bool { return true }
	forecasts, err := dispatcher.Forecast(t.Context(), &dispatch.Run{ID: "r", Plan: p}, s, all)
	require.NoError(t, err)
	return forecasts
}

func TestForecastsStayWithinTheLimitsOfTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := undoable()
		s.limit = contract.RateLimit{MaxConcurrent: 3}
		s.plan = func(*contract.PlanRequest) (*contract.PlanResult, error) {
			time.Sleep(time.Second)
			return &contract.PlanResult{Action: contract.ActionNoOp}, nil
		}
		var nodes []graph.Node
		for i := range 9 {
			n := node(contract.VerbEnsure)
			n.NodeID = fmt.Sprint("n", i)
			nodes = append(nodes, n)
		}
		began := time.Now()
		for _, told := range s.forecast(t, nodes...) {
			require.Equal(t, contract.ActionNoOp, told.Action)
		}
		require.Equal(t, 3*time.Second, time.Since(began), "three at once, and no fewer")
		require.Zero(t, s.intents)
		require.Empty(t, s.events, "nothing is recorded")
	})
}

func TestAProviderThatAnswersNonsenseIsNotBelieved(t *testing.T) {
	s := undoable()
	for name, answer := range map[string]*contract.PlanResult{"nothing": nil, "an unknown action": {Action: "explode"}} {
		s.plan = func(*contract.PlanRequest) (*contract.PlanResult, error) { return answer, nil }
		require.Empty(t, s.forecast(t, node(contract.VerbEnsure))[0].Action, name)
	}
}
