package dispatch_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
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

// scripted is a provider whose answers are written down, and plugin host and recorder beside it.
type scripted struct {
	contract.Provider // the calls that no script has
	kind              contract.ResourceType
	limit             contract.RateLimit
	allowed           contract.RateLimit // by the operator
	settleGrace       time.Duration
	concurrency       int
	found             []contract.Found
	end               contract.FindEnd
	findErr           error
	execute           func(*contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error)
	checks            []contract.Check

	plan      func(*contract.PlanRequest) (*contract.PlanResult, error)
	plans     []*contract.PlanRequest
	rollbacks []*contract.RollbackRequest

	finds    []*contract.FindRequest
	requests []*contract.ExecuteRequest

	state execution.Operation
	made  bool
	// uncertain: an earlier run ended without knowing.
	uncertain, stands bool
	outputs           map[string]json.RawMessage

	mu      sync.Mutex
	events  []execution.Event
	intents int
	records []*contract.RollbackRecord // as they came with the intents
	undoing *contract.RollbackRecord
}

func (s *scripted) Use(context.Context, string, string) (contract.Provider, *contract.Description, func(), error) {
	return s, &contract.Description{Name: "x", ResourceTypes: []contract.ResourceType{s.kind}, RateLimit: s.limit}, func() {}, nil
}

func (s *scripted) Find(_ context.Context, r *contract.FindRequest, found func(contract.Found)) (*contract.FindEnd, error) {
	s.finds = append(s.finds, r)
	for _, f := range s.found {
		found(f)
	}
	return &s.end, s.findErr
}

func (s *scripted) Execute(_ context.Context, r *contract.ExecuteRequest, emit func(contract.Event)) (*contract.Result, error) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	return s.execute(r, emit)
}

func (s *scripted) Plan(_ context.Context, r *contract.PlanRequest) (*contract.PlanResult, error) {
	s.mu.Lock()
	s.plans = append(s.plans, r)
	s.mu.Unlock()
	return s.plan(r)
}

func (s *scripted) Rollback(_ context.Context, r *contract.RollbackRequest, _ func(contract.Event)) (*contract.Result, error) {
	s.rollbacks = append(s.rollbacks, r)
	return &contract.Result{Outcome: contract.OutcomeApplied, Change: contract.ChangeUpdated}, nil
}

func (s *scripted) Verify(context.Context, *contract.VerifyRequest) (*contract.VerifyResult, error) {
	return &contract.VerifyResult{Checks: s.checks}, nil
}

func (s *scripted) Record(_ *plan.Operation, e execution.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	if e.Kind == execution.Intent {
		s.intents++
	}
	return nil
}
func (s *scripted) Intend(o *plan.Operation, e execution.Event, record *contract.RollbackRecord) error {
	s.records = append(s.records, record)
	return s.Record(o, e)
}
func (s *scripted) Undoing(*plan.Operation) *contract.RollbackRecord { return s.undoing }
func (s *scripted) Post(_ *plan.Operation, e execution.Event)        { s.events = append(s.events, e) }
func (s *scripted) Log(*plan.Operation, string, string)              {}
func (s *scripted) State(*plan.Operation) execution.Operation        { return s.state }
func (s *scripted) Outputs(nodeID, region string) json.RawMessage {
	return s.outputs[nodeID+"@"+region]
}
func (s *scripted) Made(*plan.Operation) bool       { return s.made }
func (s *scripted) Identity(*plan.Operation) string { return "" }
func (s *scripted) Uncertain(*plan.Operation) bool  { return s.uncertain }
func (s *scripted) Stands(*plan.Operation) bool     { return s.stands }

func newScripted(discovery contract.Discovery, safety contract.RepeatSafety) *scripted {
	verbs := []contract.VerbSupport{}
	for _, verb := range contract.Verbs() {
		support := contract.VerbSupport{Verb: verb, RepeatSafety: contract.Convergent}
		if verb == contract.VerbCreate || verb == contract.VerbEnsure {
			support.RepeatSafety = safety
		}
		verbs = append(verbs, support)
	}
	return &scripted{
		kind:    contract.ResourceType{Name: "x:y", Discovery: discovery, Verbs: verbs, SelfOutput: "arn", SettleTime: time.Minute},
		end:     contract.FindEnd{Completeness: contract.Complete},
		execute: answer(&contract.Result{Outcome: contract.OutcomeApplied, Change: contract.ChangeCreated}, nil),
		outputs: map[string]json.RawMessage{}, concurrency: 100,
	}
}

func answer(result *contract.Result, err error) func(*contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error) {
	return func(*contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error) { return result, err }
}

func refusal(outcome contract.Outcome, kind contract.Kind) *contract.Result {
	return &contract.Result{Outcome: outcome, Diagnostics: []contract.Diagnostic{contract.New(kind, "because").Diagnostic}}
}

// perform performs the last of the nodes.
func (s *scripted) perform(t *testing.T, kind execution.RunKind, nodes ...graph.Node) execution.Event {
	performer, operation := s.performer(t, kind, nodes...)
	event, err := performer.Perform(t.Context(), operation)
	require.NoError(t, err)
	return event
}

func (s *scripted) performer(t *testing.T, kind execution.RunKind, nodes ...graph.Node) (*dispatch.Performer, *plan.Operation) {
	dispatcher, run, operation := s.dispatcher(t, kind, nodes...)
	return dispatcher.Performer(run, s), operation
}

func (s *scripted) dispatcher(t *testing.T, kind execution.RunKind, nodes ...graph.Node) (*dispatch.Dispatcher, *dispatch.Run, *plan.Operation) {
	spec := &graph.Spec{GraphID: "g", DeploymentID: "d", Providers: map[string]graph.Pin{"x": {Version: "1.0.0"}}, Nodes: nodes}
	p, err := plan.New(spec, nil, "seed")
	require.NoError(t, err)
	dispatcher := dispatch.New(s, dispatch.Options{
		Concurrency: s.concurrency, Timeout: time.Minute, Tries: 3, Now: time.Now,
		RateLimits: map[string]contract.RateLimit{"x": s.allowed}, SettleGrace: s.settleGrace,
	})
	run := &dispatch.Run{
		ID: "r", Kind: kind, Tenant: "t", DeploymentID: "d", Owner: "o", Plan: p,
		Sealed: map[string]map[string]string{"sealed": {"/deep/secret": "BOX"}},
	}
	return dispatcher, run, &p.Operations[len(p.Operations)-1]
}

func node(verb contract.Verb) graph.Node {
	return graph.Node{NodeID: "n", ResourceID: "n", Type: "x:y", Verb: verb, Properties: []byte(`{"a":1}`), Regions: []string{""}}
}

func TestTheIntentIsRecordedBeforeTheCall(t *testing.T) {
	s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
	s.execute = func(r *contract.ExecuteRequest, _ func(contract.Event)) (*contract.Result, error) {
		require.Equal(t, 1, s.intents)
		require.Equal(t, s.events[0].Key, r.Context.IdempotencyKey)
		require.Equal(t, s.events[0].WriteBy, r.Context.WriteBy)
		require.Equal(t, contract.OutcomeNone, r.PriorOutcome)
		return &contract.Result{Outcome: contract.OutcomeApplied}, nil
	}
	event := s.perform(t, execution.Apply, node(contract.VerbCreate))
	require.Equal(t, execution.Completed, event.Status)
	require.Empty(t, s.finds, "what is found by label needs no search before a first attempt")
}

func TestSettling(t *testing.T) {
	open := execution.Operation{ID: "n", Attempt: 1, Generation: 1, IntentOpen: true}
	ours := contract.Found{Identity: "i", Ownership: contract.OwnershipOurs}
	other := contract.Found{Identity: "j", Ownership: contract.OwnershipOther}
	unlabelled := contract.Found{Identity: "k", Ownership: contract.OwnershipUnknown}
	tests := map[string]struct {
		discovery contract.Discovery
		safety    contract.RepeatSafety
		verb      contract.Verb
		state     execution.Operation
		found     []contract.Found
		end       contract.FindEnd
		made      bool

		executes bool
		existing string
		status   execution.Status
		kind     contract.Kind
	}{
		"create, found": {
			safety: contract.ByLabel, verb: contract.VerbCreate, state: open, found: []contract.Found{other, ours},
			executes: true, existing: "i", status: execution.Completed,
		},
		"create, proven absent": {
			safety: contract.ByLabel, verb: contract.VerbCreate, state: open, executes: true, status: execution.Completed,
		},
		"create, several": {
			safety: contract.ByLabel, verb: contract.VerbCreate, state: open, found: []contract.Found{ours, ours},
			status: execution.Failed, kind: contract.KindAmbiguous,
		},
		"create, cannot tell yet": {
			safety: contract.ByLabel, verb: contract.VerbCreate, state: open,
			end: contract.FindEnd{Completeness: contract.Inconclusive}, status: execution.Pending, kind: contract.KindNotReady,
		},
		"delete is executed again": {
			safety: contract.ByLabel, verb: contract.VerbDelete, state: open, executes: true, status: execution.Completed,
		},
		"update is executed again": {
			safety: contract.ByLabel, verb: contract.VerbUpdate, state: open, executes: true, status: execution.Completed,
		},
		"at most once waits for a person": {
			safety: contract.AtMostOnce, verb: contract.VerbCreate, state: open, status: execution.Failed, kind: contract.KindInterrupted,
		},
		"by name, somebody's, is not taken": {
			discovery: contract.DiscoverByName, safety: contract.ByName, verb: contract.VerbCreate, state: open,
			found: []contract.Found{unlabelled}, executes: true, status: execution.Completed,
		},
		"by name, absent before, is ours": {
			discovery: contract.DiscoverByName, safety: contract.ByName, verb: contract.VerbCreate,
			state: execution.Operation{ID: "n", Attempt: 1, IntentOpen: true, AbsentBefore: true},
			found: []contract.Found{unlabelled}, executes: true, existing: "k", status: execution.Completed,
		},
		"by name, on record, is ours": {
			discovery: contract.DiscoverByName, safety: contract.ByName, verb: contract.VerbCreate, state: open, made: true,
			found: []contract.Found{unlabelled}, executes: true, existing: "k", status: execution.Completed,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScripted(test.discovery, test.safety)
			s.state, s.found, s.made = test.state, test.found, test.made
			if test.end.Completeness != "" {
				s.end = test.end
			}
			event := s.perform(t, execution.Apply, node(test.verb))
			require.Equal(t, test.status, event.Status, "%+v", event.Error)
			require.Equal(t, test.executes, len(s.requests) == 1)
			if test.kind != "" {
				require.Equal(t, test.kind, event.Error.Kind)
				require.Equal(t, contract.OutcomeNone, event.Outcome, "an intent that was open stays so")
			}
			if test.executes {
				require.Equal(t, contract.OutcomeUnknown, s.requests[0].PriorOutcome)
				require.True(t, s.events[0].Settling)
				require.Equal(t, 1, s.events[0].Generation, "never raised after an unknown outcome")
				require.Equal(t, test.existing != "", s.requests[0].Existing != nil)
			}
			if test.existing != "" {
				require.Equal(t, test.existing, s.requests[0].Existing.Identity)
			}
		})
	}
}

func TestANameIsProvenFreeBeforeItIsFirstTaken(t *testing.T) {
	s := newScripted(contract.DiscoverByName, contract.ByName)
	s.perform(t, execution.Apply, node(contract.VerbCreate))
	require.Len(t, s.finds, 1)
	require.True(t, s.events[0].AbsentBefore)
	require.True(t, s.requests[0].Target.Owned)

	s = newScripted(contract.DiscoverByName, contract.ByName)
	s.found = []contract.Found{{Identity: "somebody's", Ownership: contract.OwnershipUnknown}}
	s.perform(t, execution.Apply, node(contract.VerbCreate))
	require.False(t, s.events[0].AbsentBefore)
	require.False(t, s.requests[0].Target.Owned, "the provider is left to refuse it")
}

func TestHowAnAttemptEnds(t *testing.T) {
	tests := map[string]struct {
		result  *contract.Result
		err     error
		status  execution.Status
		outcome contract.Outcome
	}{
		"applied":              {&contract.Result{Outcome: contract.OutcomeApplied}, nil, execution.Completed, contract.OutcomeApplied},
		"refused for good":     {refusal(contract.OutcomeNotApplied, contract.KindPermissionDenied), nil, execution.Failed, contract.OutcomeNotApplied},
		"throttled":            {refusal(contract.OutcomeNotApplied, contract.KindThrottled), nil, execution.Pending, contract.OutcomeNotApplied},
		"unclear":              {refusal(contract.OutcomeUnknown, contract.KindNetwork), nil, execution.Pending, contract.OutcomeUnknown},
		"half done, not ready": {refusal(contract.OutcomePartial, contract.KindNotReady), nil, execution.Pending, contract.OutcomePartial},
		"half done, refused":   {refusal(contract.OutcomePartial, contract.KindInvalidInput), nil, execution.Failed, contract.OutcomePartial},
		"no outcome":           {&contract.Result{}, nil, execution.Failed, contract.OutcomeUnknown},
		"no result":            {nil, nil, execution.Failed, contract.OutcomeUnknown},
		"the stream broke":     {nil, contract.New(contract.KindInterrupted, "gone"), execution.Pending, contract.OutcomeUnknown},
		"the deadline passed":  {nil, context.DeadlineExceeded, execution.Pending, contract.OutcomeUnknown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
			s.execute = answer(test.result, test.err)
			event := s.perform(t, execution.Apply, node(contract.VerbCreate))
			require.Equal(t, test.status, event.Status)
			require.Equal(t, test.outcome, event.Outcome)
			require.Equal(t, test.status == execution.Completed, event.Error == nil)
			require.Equal(t, test.status == execution.Pending, !event.RetryAt.IsZero())
		})
	}
}

func TestTriesAreBoundedAndWaitLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
		throttled := refusal(contract.OutcomeNotApplied, contract.KindThrottled)
		throttled.Diagnostics[0].RetryAfter = 7 * time.Second
		s.execute = answer(throttled, nil)
		performer, operation := s.performer(t, execution.Apply, node(contract.VerbCreate))
		for range 2 {
			event, err := performer.Perform(t.Context(), operation)
			require.NoError(t, err)
			require.Equal(t, execution.Pending, event.Status)
			require.GreaterOrEqual(t, time.Until(event.RetryAt), 7*time.Second, "the vendor's word is kept")
		}
		event, err := performer.Perform(t.Context(), operation)
		require.NoError(t, err)
		require.Equal(t, execution.Failed, event.Status)
	})
}

func TestAnInconclusiveSearchIsAskedAgainForTheSettleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
		s.state = execution.Operation{ID: "n", Attempt: 1, IntentOpen: true}
		s.end = contract.FindEnd{Completeness: contract.Inconclusive, RetryAfter: 20 * time.Second}
		performer, operation := s.performer(t, execution.Apply, node(contract.VerbCreate))
		begin, asked := time.Now(), 0
		for {
			event, err := performer.Perform(t.Context(), operation)
			require.NoError(t, err)
			asked++
			if event.Status == execution.Failed {
				break
			}
			require.Equal(t, execution.Pending, event.Status)
			time.Sleep(time.Until(event.RetryAt))
		}
		require.Equal(t, 5, asked)
		require.Equal(t, 80*time.Second, time.Since(begin))
		require.Zero(t, s.intents, "nothing was done on a guess")
	})
}

func TestAStoppingHostFailsNothing(t *testing.T) {
	s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
	ctx, cancel := context.WithCancel(t.Context())
	s.execute = func(*contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error) {
		cancel()
		return nil, context.Canceled
	}
	performer, operation := s.performer(t, execution.Apply, node(contract.VerbCreate))
	event, err := performer.Perform(ctx, operation)
	require.NoError(t, err)
	require.Equal(t, execution.Pending, event.Status)
	require.Equal(t, contract.OutcomeUnknown, event.Outcome)
}

func TestReferencesAreFilledIn(t *testing.T) {
	s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
	s.found = []contract.Found{
		{Identity: "i", Ownership: contract.OwnershipOurs, Outputs: []byte(`{"arn":"arn:1"}`)},
		{Identity: "j", Ownership: contract.OwnershipOther, Outputs: []byte(`{"arn":"arn:2"}`)},
	}
	s.outputs["source@eu-west-1"] = []byte(`{"url":"https://eu"}`)
	source := node(contract.VerbCreate)
	source.NodeID, source.ResourceID, source.Regions = "source", "source", []string{"us-east-1", "eu-west-1"}
	reader := node(contract.VerbCreate)
	reader.NodeID = "sealed"
	reader.References = map[string]graph.Reference{
		"itself": {Text: "source", NodeID: "source", Property: "/role"},
		"there":  {Text: "source@eu-west-1.url", NodeID: "source", Output: "url", Region: "eu-west-1", Property: "/deep/url"},
		"bare":   {Text: "source", NodeID: "source"},
	}
	event := s.perform(t, execution.Apply, source, reader)
	require.Equal(t, execution.Completed, event.Status, "%+v", event.Error)
	require.JSONEq(t, `{"a":1,"role":"arn:1","deep":{"url":"https://eu","secret":"BOX"}}`, string(s.requests[0].Target.Properties))
	require.JSONEq(t, `"arn:1"`, string(s.requests[0].Target.References["bare"]))
	require.Len(t, s.finds, 1, "one search serves all who refer to a thing")
	require.Equal(t, "us-east-1", s.finds[0].Context.Region)
}

func TestAReferenceThatCannotBeResolved(t *testing.T) {
	source := node(contract.VerbCreate)
	source.NodeID = "source"
	tests := map[string]struct {
		found  []contract.Found
		end    contract.Completeness
		verb   contract.Verb
		status execution.Status
	}{
		"absent":                          {end: contract.Complete, verb: contract.VerbCreate, status: execution.Failed},
		"cannot tell yet":                 {end: contract.Inconclusive, verb: contract.VerbCreate, status: execution.Pending},
		"several":                         {found: make([]contract.Found, 2), end: contract.Complete, verb: contract.VerbCreate, status: execution.Failed},
		"without the output":              {found: make([]contract.Found, 1), end: contract.Complete, verb: contract.VerbCreate, status: execution.Failed},
		"absent, for what is deleted too": {end: contract.Complete, verb: contract.VerbDelete, status: execution.Completed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
			s.found, s.end = test.found, contract.FindEnd{Completeness: test.end}
			reader := node(test.verb)
			reader.References = map[string]graph.Reference{"role": {Text: "source", NodeID: "source", Property: "/role"}}
			event := s.perform(t, execution.Apply, source, reader)
			require.Equal(t, test.status, event.Status)
			require.Equal(t, test.status == execution.Completed, s.intents == 1, "no intent without its references")
		})
	}
}

func TestVerification(t *testing.T) {
	differs := []contract.Check{{Name: "size", Status: contract.CheckFail, Expected: "1", Actual: "2"}}
	s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
	s.checks = differs
	event := s.perform(t, execution.Verify, node(contract.VerbCreate))
	require.Equal(t, execution.Completed, event.Status, "a verification looks at everything")
	require.Equal(t, contract.CheckFail, event.Checks[0].Status)
	require.Zero(t, s.intents)

	event = s.perform(t, execution.Apply, node(contract.VerbVerify))
	require.Equal(t, execution.Failed, event.Status, "a verification within a deployment stops it")
	require.Equal(t, contract.KindPrecondition, event.Error.Kind)
}

func TestLimitsHold(t *testing.T) {
	for name, limit := range map[string]func(*scripted){
		"the provider's": func(s *scripted) { s.limit = contract.RateLimit{MaxConcurrent: 1} },
		"the host's":     func(s *scripted) { s.concurrency = 1 },
		"the rate":       func(s *scripted) { s.limit = contract.RateLimit{PerSecond: 1} },
		"the operator's": func(s *scripted) { s.allowed = contract.RateLimit{MaxConcurrent: 1} },
		"the tighter of two": func(s *scripted) {
			s.limit, s.allowed = contract.RateLimit{MaxConcurrent: 3, PerSecond: 1}, contract.RateLimit{MaxConcurrent: 9, PerSecond: 5, Burst: 7}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { fourCallsOneAtATime(t, limit) })
		})
	}
}

func fourCallsOneAtATime(t *testing.T, limit func(*scripted)) {
	s := newScripted(contract.DiscoverByLabel, contract.ByLabel)
	limit(s)
	var flying, most atomic.Int32
	s.execute = func(*contract.ExecuteRequest, func(contract.Event)) (*contract.Result, error) {
		most.Store(max(most.Load(), flying.Add(1)))
		time.Sleep(time.Second - time.Millisecond)
		flying.Add(-1)
		return &contract.Result{Outcome: contract.OutcomeApplied}, nil
	}
	performer, operation := s.performer(t, execution.Apply, node(contract.VerbCreate))
	ends := make(chan error)
	begin := time.Now()
	for range 4 {
		go func() { _, err := performer.Perform(t.Context(), operation); ends <- err }()
	}
	for range 4 {
		require.NoError(t, <-ends)
	}
	require.EqualValues(t, 1, most.Load())
	require.InDelta(t, 4, time.Since(begin).Seconds(), 0.01)
}
