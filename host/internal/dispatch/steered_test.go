package dispatch_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

func TestASettlerBeginsNothing(t *testing.T) {
	open := execution.Operation{ID: "n", Attempt: 1, Generation: 1, IntentOpen: true}
	poisoned := open
	poisoned.Crashes = 2
	ours := []contract.Found{{Identity: "i", Ownership: contract.OwnershipOurs}}
	tests := map[string]struct {
		safety contract.RepeatSafety
		verb   contract.Verb
		state  execution.Operation
		found  []contract.Found
		end    contract.Completeness

		executes bool
		status   execution.Status
		absent   bool
	}{
		"create, there":           {contract.ByLabel, contract.VerbCreate, open, ours, contract.Complete, true, execution.Completed, false},
		"create, not there":       {contract.ByLabel, contract.VerbCreate, open, nil, contract.Complete, false, execution.Pending, true},
		"ensure, there":           {contract.Convergent, contract.VerbEnsure, open, ours, contract.Complete, true, execution.Completed, false},
		"ensure, not there":       {contract.Convergent, contract.VerbEnsure, open, nil, contract.Complete, false, execution.Pending, true},
		"create, cannot tell yet": {contract.ByLabel, contract.VerbCreate, open, nil, contract.Inconclusive, false, execution.Pending, false},
		"delete":                  {contract.ByLabel, contract.VerbDelete, open, nil, contract.Complete, true, execution.Completed, false},
		"what kills its provider": {contract.ByLabel, contract.VerbDelete, poisoned, nil, contract.Complete, false, execution.Failed, false},
		"at most once":            {contract.AtMostOnce, contract.VerbCreate, open, ours, contract.Complete, false, execution.Failed, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScripted(contract.DiscoverByLabel, test.safety)
			s.state, s.found, s.end = test.state, test.found, contract.FindEnd{Completeness: test.end}
			dispatcher, run, operation := s.dispatcher(t, execution.Apply, node(test.verb))
			event, err := dispatcher.Settler(run, s).Perform(t.Context(), operation)
			require.NoError(t, err)
			require.Equal(t, test.status, event.Status, "%+v", event.Error)
			require.Equal(t, test.absent, event.Absent)
			require.Equal(t, test.absent, event.Outcome == contract.OutcomeNotApplied)
			require.Equal(t, test.executes, len(s.requests) == 1)
		})
	}
}

// TestWhatWasBrokenOffMayStillCome: the vendor may have the request already when the call that sent it is cut.
func TestWhatWasBrokenOffMayStillCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
		s.state = execution.Operation{ID: "n", Attempt: 1, Generation: 1, IntentOpen: true}
		s.end = contract.FindEnd{Completeness: contract.Complete}
		s.settleGrace = 30 * time.Second
		dispatcher, run, operation := s.dispatcher(t, execution.Apply, node(contract.VerbCreate))
		settler := dispatcher.Settler(run, s)
		perform := func() execution.Event {
			event, err := settler.Perform(t.Context(), operation)
			require.NoError(t, err)
			return event
		}
		begun := time.Now()
		early := perform()
		require.False(t, early.Absent)
		require.Equal(t, contract.OutcomeNone, early.Outcome)
		require.WithinDuration(t, begun.Add(30*time.Second), early.RetryAt, 0)
		time.Sleep(29 * time.Second)
		require.False(t, perform().Absent)
		time.Sleep(time.Second)
		require.True(t, perform().Absent)
		s.found = []contract.Found{{Identity: "i", Ownership: contract.OwnershipOurs}}
		require.Equal(t, execution.Completed, perform().Status, "what comes meanwhile is finished")
	})
}

func TestWhatAPersonAskedForOnceMoreIsLookedFor(t *testing.T) {
	s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
	s.state = execution.Operation{ID: "n", Attempt: 1, Generation: 1, Outcome: contract.OutcomeApplied, Retry: true}
	s.found = []contract.Found{{Identity: "i", Ownership: contract.OwnershipOurs}}
	require.Equal(t, execution.Completed, s.perform(t, execution.Apply, node(contract.VerbCreate)).Status)
	require.Equal(t, "i", s.requests[0].Existing.Identity)
	require.Equal(t, 2, s.events[0].Generation, "it ended well, and is asked for again")
}

func TestWhatMustNotBeDoneTwiceIsDoneAgainOnlyWhenAPersonSaysSo(t *testing.T) {
	for name, change := range map[string]func(*scripted){
		"this run left it open":                         func(s *scripted) { s.state = execution.Operation{ID: "n", Attempt: 1, IntentOpen: true} },
		"an earlier run of the graph ended in the dark": func(s *scripted) { s.uncertain = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(contract.DiscoverByLabel, contract.AtMostOnce)
			change(s)
			event := s.perform(t, execution.Apply, node(contract.VerbCreate))
			require.Equal(t, execution.Failed, event.Status)
			require.Equal(t, contract.KindInterrupted, event.Error.Kind)
			s.state.Retry = true
			require.Equal(t, execution.Completed, s.perform(t, execution.Apply, node(contract.VerbCreate)).Status)
			require.Len(t, s.requests, 1)
		})
	}
}

func TestWhatAnEarlierRunOfTheGraphMayHaveMadeIsLookedForOnce(t *testing.T) {
	s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
	s.uncertain = true
	s.found = []contract.Found{{Identity: "i", Ownership: contract.OwnershipOurs}}
	s.perform(t, execution.Apply, node(contract.VerbCreate))
	require.Equal(t, "i", s.requests[0].Existing.Identity)

	s.state = execution.Operation{ID: "n", Attempt: 1, Outcome: contract.OutcomeNotApplied}
	s.perform(t, execution.Apply, node(contract.VerbCreate))
	require.Nil(t, s.requests[1].Existing, "what this run has found out itself counts")
}
