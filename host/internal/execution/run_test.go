package execution_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// legal is the design's own table, written out a second time: a change of either must be meant.
var legal = map[execution.Status]string{
	execution.Pending:   "running paused blocked skipped",
	execution.Running:   "completed failed running pending",
	execution.Failed:    "running completed pending skipped",
	execution.Blocked:   "pending paused skipped",
	execution.Paused:    "pending blocked skipped",
	execution.Skipped:   "pending",
	execution.Completed: "pending",
}

var legalRuns = map[execution.RunStatus]string{
	execution.RunQueued:      "running cancelled interrupted",
	execution.RunRunning:     "completed failed paused cancelling interrupted",
	execution.RunFailed:      "running cancelled",
	execution.RunPaused:      "running cancelled",
	execution.RunInterrupted: "running cancelled",
	execution.RunCancelling:  "cancelled completed failed interrupted",
	execution.RunCompleted:   "",
	execution.RunCancelled:   "",
}

func words[T ~string](text string) map[T]bool {
	set := map[T]bool{}
	for _, word := range strings.Fields(text) {
		set[T(word)] = true
	}
	return set
}

func TestEveryPairOfStatuses(t *testing.T) {
	for _, from := range execution.Statuses() {
		allowed := words[execution.Status](legal[from])
		for _, to := range execution.Statuses() {
			require.Equal(t, allowed[to], execution.CanChange(from, to), "%s to %s", from, to)
		}
	}
	for _, from := range execution.RunStatuses() {
		allowed := words[execution.RunStatus](legalRuns[from])
		for _, to := range execution.RunStatuses() {
			require.Equal(t, allowed[to], execution.CanChangeRun(from, to), "%s to %s", from, to)
		}
	}
}

// recorded applies events as a journal would, and keeps those that were taken.
type recorded struct {
	run    *execution.Run
	events []execution.Event
}

func newRecorded(operations ...string) *recorded {
	r := &recorded{run: execution.NewRun("run", operations)}
	if err := r.apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunQueued, By: "ci"}); err != nil {
		panic(err)
	}
	return r
}

func (r *recorded) apply(e execution.Event) error {
	e.RunID, e.Version, e.At = "run", r.run.Version+1, time.Unix(1000+r.run.Version, 0).UTC()
	if err := r.run.Apply(&e); err != nil {
		return err
	}
	r.events = append(r.events, e)
	return nil
}

func TestAnAttemptFromIntentToEnd(t *testing.T) {
	r := newRecorded("a", "b")
	require.NoError(t, r.apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunRunning}))
	require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a", Attempt: 1, Generation: 1, AbsentBefore: true}))
	a := r.run.Operation("a")
	require.True(t, a.IntentOpen)
	require.True(t, a.Unsettled())
	require.Equal(t, execution.Running, a.Status)

	require.NoError(t, r.apply(execution.Event{Kind: execution.Identified, Operation: "a", Identity: "arn"}))
	require.NoError(t, r.apply(execution.Event{Kind: execution.Progressed, Operation: "a", Fraction: 0.5, Message: "waiting"}))
	require.Equal(t, "waiting", a.Message)
	require.NoError(t, r.apply(execution.Event{
		Kind: execution.Ended, Operation: "a", Status: execution.Completed, Outcome: contract.OutcomeApplied,
		Change: contract.ChangeCreated, Outputs: json.RawMessage(`{"arn":"x"}`),
	}))
	require.False(t, a.Unsettled())
	require.Equal(t, "arn", a.Identity, "an end without an identity keeps the one that was announced")
	require.True(t, a.AbsentBefore)
	require.Equal(t, 1, r.run.Count(execution.Completed))
	require.Equal(t, 1, r.run.Count(execution.Pending))
}

func TestAnEndWithoutAnOutcomeClosesNoIntent(t *testing.T) {
	r := newRecorded("a")
	require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a", Attempt: 1}))
	require.NoError(t, r.apply(execution.Event{
		Kind: execution.Ended, Operation: "a", Status: execution.Failed,
		Error: &contract.Diagnostic{Kind: contract.KindInterrupted},
	}))
	a := r.run.Operation("a")
	require.True(t, a.IntentOpen)
	require.Equal(t, 1, a.Crashes)
	require.ErrorIs(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a", Attempt: 2}), execution.ErrIllegal,
		"an attempt that does not settle what is open is refused")
	require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a", Attempt: 2, Settling: true}))
}

func TestNotAppliedSpeaksOfItsOwnAttemptOnly(t *testing.T) {
	r := newRecorded("a")
	attempt := func(settling bool, outcome contract.Outcome) {
		require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a", Settling: settling}))
		require.NoError(t, r.apply(execution.Event{Kind: execution.Ended, Operation: "a", Status: execution.Failed, Outcome: outcome}))
	}
	attempt(false, contract.OutcomeNotApplied)
	require.False(t, r.run.Operation("a").Unsettled())
	attempt(false, contract.OutcomeUnknown)
	attempt(true, contract.OutcomeNotApplied)
	require.True(t, r.run.Operation("a").Unsettled(), "the attempt before is as unknown as it was")
	attempt(true, contract.OutcomeApplied)
	require.False(t, r.run.Operation("a").Unsettled())
}

func TestAFruitlessSearchSettlesWhatIsUnknown(t *testing.T) {
	r := newRecorded("a")
	require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a"}))
	require.NoError(t, r.apply(execution.Event{Kind: execution.Ended, Operation: "a", Status: execution.Pending, Outcome: contract.OutcomeUnknown}))
	require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a", Settling: true}))
	require.NoError(t, r.apply(execution.Event{
		Kind: execution.Ended, Operation: "a", Status: execution.Pending, Outcome: contract.OutcomeNotApplied, Absent: true,
	}))
	require.False(t, r.run.Operation("a").Unsettled(), "nothing is there, whatever was tried")
}

func TestWhatAPersonAsksForIsPartOfTheState(t *testing.T) {
	r := newRecorded("a", "b")
	change := func(e execution.Event) {
		e.Kind = execution.Changed
		require.NoError(t, r.apply(e))
	}
	require.NoError(t, r.apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunRunning, Mode: execution.Step}))
	require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a"}))
	require.NoError(t, r.apply(execution.Event{Kind: execution.Ended, Operation: "a", Status: execution.Completed, Outcome: contract.OutcomeApplied}))
	require.NoError(t, r.apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunPaused}))
	require.Equal(t, execution.Step, r.run.Mode, "a run keeps its mode until it is told another")
	require.NoError(t, r.apply(execution.Event{Kind: execution.RunChanged, RunStatus: execution.RunRunning, Mode: execution.Full}))
	require.Equal(t, execution.Full, r.run.Mode)

	change(execution.Event{Operations: []string{"a"}, Status: execution.Pending, Retry: true})
	require.True(t, r.run.Operation("a").Retry)
	before := r.run.Clone()
	require.NoError(t, r.apply(execution.Event{Kind: execution.Intent, Operation: "a", Attempt: 2}))
	require.False(t, r.run.Operation("a").Retry, "it was asked for once")
	require.NoError(t, r.apply(execution.Event{Kind: execution.EdgeReleased, Edge: "e"}))
	require.True(t, r.run.Released("e"))
	require.False(t, before.Released("e"), "a clone goes its own way")
	require.True(t, before.Operation("a").Retry)
	require.Equal(t, 2, before.Count(execution.Pending))
}

func TestIllegalEventsChangeNothing(t *testing.T) {
	illegal := map[string]execution.Event{
		"unknown operation":      {Kind: execution.Intent, Operation: "zzz"},
		"unknown kind":           {Kind: "nonsense", Operation: "a"},
		"end of a blocked one":   {Kind: execution.Ended, Operation: "b", Status: execution.Completed},
		"end in no end state":    {Kind: execution.Ended, Operation: "a", Status: execution.Paused},
		"run backwards":          {Kind: execution.RunChanged, RunStatus: execution.RunQueued},
		"one of several":         {Kind: execution.Changed, Operations: []string{"a", "b"}, Status: execution.Blocked},
		"bulk with an unknown":   {Kind: execution.Changed, Operations: []string{"a", "zzz"}, Status: execution.Skipped},
		"completed from nowhere": {Kind: execution.Changed, Operations: []string{"a"}, Status: execution.Completed},
	}
	for name, event := range illegal {
		t.Run(name, func(t *testing.T) {
			r := newRecorded("a", "b")
			require.NoError(t, r.apply(execution.Event{Kind: execution.Changed, Operations: []string{"b"}, Status: execution.Blocked}))
			before := *r.run.Operation("a")
			version := r.run.Version
			require.ErrorIs(t, r.apply(event), execution.ErrIllegal)
			require.Equal(t, version, r.run.Version)
			require.Equal(t, before, *r.run.Operation("a"))
		})
	}
}

func TestAGapIsRefused(t *testing.T) {
	r := newRecorded("a")
	gap := execution.Event{RunID: "run", Version: 3, Kind: execution.RunChanged, RunStatus: execution.RunRunning}
	require.ErrorIs(t, r.run.Apply(&gap), execution.ErrIllegal)
	other := execution.Event{RunID: "other", Version: 2, Kind: execution.RunChanged, RunStatus: execution.RunRunning}
	require.ErrorIs(t, r.run.Apply(&other), execution.ErrIllegal)
}

// TestReplayGivesTheSameRun: whatever was taken, read back from its JSON, adds up to the same state, and the counts are those
// of the operations.
func TestReplayGivesTheSameRun(t *testing.T) {
	operations := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		r := newRecorded(operations...)
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			_ = r.apply(anyEvent(t, operations)) // illegal ones are refused, which is the point
		}
		encoded, err := json.Marshal(r.events)
		require.NoError(t, err)
		var events []execution.Event
		require.NoError(t, json.Unmarshal(encoded, &events))
		again, err := execution.Replay("run", operations, events)
		require.NoError(t, err)
		require.Equal(t, r.run, again)
		counts := map[execution.Status]int{}
		for _, operation := range again.Operations() {
			counts[operation.Status]++
		}
		for _, status := range execution.Statuses() {
			require.Equal(t, counts[status], again.Count(status))
		}
	})
}

func anyEvent(t *rapid.T, operations []string) execution.Event {
	operation := rapid.SampledFrom(operations).Draw(t, "operation")
	return execution.Event{
		Kind:       rapid.SampledFrom(execution.EventKinds()).Draw(t, "kind"),
		Operation:  operation,
		Operations: []string{operation},
		Edge:       "e",
		RunStatus:  rapid.SampledFrom(execution.RunStatuses()).Draw(t, "run status"),
		Status:     rapid.SampledFrom(execution.Statuses()).Draw(t, "status"),
		Outcome:    rapid.SampledFrom(append(contract.Outcomes(), contract.OutcomeNone)).Draw(t, "outcome"),
		Settling:   rapid.Bool().Draw(t, "settling"),
		Absent:     rapid.Bool().Draw(t, "absent"),
		Retry:      rapid.Bool().Draw(t, "retry"),
		Mode:       rapid.SampledFrom([]execution.Mode{"", execution.Full, execution.Step}).Draw(t, "mode"),
		Attempt:    rapid.IntRange(1, 9).Draw(t, "attempt"),
		Identity:   rapid.SampledFrom([]string{"", "x"}).Draw(t, "identity"),
	}
}
