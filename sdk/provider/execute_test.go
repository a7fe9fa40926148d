package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// verbCase is one situation outside and what a verb makes of it.
type verbCase struct {
	things  []provider.Found
	lag     time.Duration
	change  func(*contract.ExecuteRequest)
	kind    contract.Kind
	outcome contract.Outcome
	effect  contract.Change
	called  []string
	says    string
}

func (c verbCase) check(t *testing.T, verb contract.Verb) {
	t.Helper()
	h := build(t)
	h.things, h.lag = c.things, c.lag
	request := execute(verb)
	if c.change != nil {
		c.change(request)
	}
	result, _ := h.run(t, request)
	require.Equal(t, c.kind, kind(result), result.Diagnostics)
	require.Equal(t, c.outcome, result.Outcome)
	require.Equal(t, c.effect, result.Change)
	require.Equal(t, c.called, h.called)
	if c.says != "" {
		require.Contains(t, result.Diagnostics[0].Summary, c.says)
	}
	for _, diagnostic := range result.Diagnostics {
		require.NotEmpty(t, diagnostic.Retry)
		require.NotEmpty(t, diagnostic.Severity)
	}
}

func checkVerb(t *testing.T, verb contract.Verb, cases map[string]verbCase) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { c.check(t, verb) })
	}
}

func adopt(r *contract.ExecuteRequest)   { r.Target.Adopt = true }
func toFixed(r *contract.ExecuteRequest) { r.Target.Type = "acme:fixed" }

func existing(labels map[string]string) func(*contract.ExecuteRequest) {
	return func(r *contract.ExecuteRequest) {
		r.PriorOutcome = contract.OutcomeUnknown
		r.Existing = &contract.Found{Identity: "arn:old", Labels: labels, Outputs: json.RawMessage(`{"arn":"arn:old"}`)}
	}
}

func after(outcome contract.Outcome) func(*contract.ExecuteRequest) {
	return func(r *contract.ExecuteRequest) { r.PriorOutcome = outcome }
}

var (
	ours    = []provider.Found{thing(labels)}
	other   = []provider.Found{thing(others())}
	nobodys = []provider.Found{thing(map[string]string{"team": "y"})}
	several = []provider.Found{thing(labels), {Identity: "arn:second", Labels: labels}}
)

func TestCreate(t *testing.T) {
	notApplied, applied := contract.OutcomeNotApplied, contract.OutcomeApplied
	checkVerb(t, contract.VerbCreate, map[string]verbCase{
		"nothing there":        {outcome: applied, effect: contract.ChangeCreated, called: []string{"create"}},
		"ours is there":        {things: ours, kind: provider.AlreadyExists, outcome: notApplied, says: "this deployment"},
		"another's is there":   {things: other, kind: provider.AlreadyExists, outcome: notApplied, says: "another deployment"},
		"nobody's is there":    {things: nobodys, kind: provider.AlreadyExists, outcome: notApplied, says: "no deployment"},
		"nobody's, adopted":    {things: nobodys, change: adopt, outcome: applied, effect: contract.ChangeUpdated, called: []string{"update"}},
		"another's, adopted":   {things: other, change: adopt, kind: provider.AlreadyExists, outcome: notApplied},
		"several are there":    {things: several, kind: provider.Ambiguous, outcome: notApplied, says: "arn:old, arn:second"},
		"reads lag":            {lag: time.Second, kind: provider.NotReady, outcome: notApplied},
		"there though lagging": {things: ours, lag: time.Second, kind: provider.AlreadyExists, outcome: notApplied},
		"an earlier attempt left it": {
			change: existing(labels), outcome: applied, effect: contract.ChangeCreated, called: []string{"create"},
		},
		"an earlier attempt left it, labels lost": {
			change: existing(map[string]string{}), outcome: applied, effect: contract.ChangeCreated, called: []string{"create"},
		},
		"what was left is another's": {change: existing(others()), kind: provider.Conflict, outcome: notApplied},
		"it appeared after an unknown attempt": {
			things: ours, change: after(contract.OutcomeUnknown), outcome: applied, effect: contract.ChangeCreated,
			called: []string{"create"},
		},
		"it was there before a refused attempt": {
			things: ours, change: after(contract.OutcomeNotApplied), kind: provider.AlreadyExists, outcome: notApplied,
		},
	})
}

func TestUpdate(t *testing.T) {
	notApplied, applied := contract.OutcomeNotApplied, contract.OutcomeApplied
	checkVerb(t, contract.VerbUpdate, map[string]verbCase{
		"nothing there":      {kind: provider.NotFound, outcome: notApplied},
		"ours is there":      {things: ours, outcome: applied, effect: contract.ChangeUpdated, called: []string{"update"}},
		"another's is there": {things: other, kind: provider.Conflict, outcome: notApplied, says: "another deployment"},
		"another's, adopted": {things: other, change: adopt, kind: provider.Conflict, outcome: notApplied},
		"nobody's is there":  {things: nobodys, kind: provider.Conflict, outcome: notApplied, says: "no deployment"},
		"nobody's, adopted":  {things: nobodys, change: adopt, outcome: applied, effect: contract.ChangeUpdated, called: []string{"update"}},
		"several are there":  {things: several, kind: provider.Ambiguous, outcome: notApplied},
		"reads lag":          {lag: time.Second, kind: provider.NotReady, outcome: notApplied},
		"no Updater":         {things: ours, change: toFixed, kind: provider.Unsupported, outcome: notApplied},
	})
}

func TestEnsure(t *testing.T) {
	notApplied, applied := contract.OutcomeNotApplied, contract.OutcomeApplied
	checkVerb(t, contract.VerbEnsure, map[string]verbCase{
		"nothing there":         {outcome: applied, effect: contract.ChangeCreated, called: []string{"create"}},
		"ours is there":         {things: ours, outcome: applied, effect: contract.ChangeUpdated, called: []string{"update"}},
		"another's is there":    {things: other, kind: provider.Conflict, outcome: notApplied},
		"nobody's is there":     {things: nobodys, kind: provider.Conflict, outcome: notApplied},
		"nobody's, adopted":     {things: nobodys, change: adopt, outcome: applied, effect: contract.ChangeUpdated, called: []string{"update"}},
		"several are there":     {things: several, kind: provider.Ambiguous, outcome: notApplied},
		"reads lag":             {lag: time.Second, kind: provider.NotReady, outcome: notApplied},
		"no Updater, all right": {things: ours, change: toFixed, outcome: applied, effect: contract.ChangeNone, called: []string{"verify"}},
		"an earlier attempt left it": {
			things: ours, change: existing(labels), outcome: applied, effect: contract.ChangeCreated,
			called: []string{"create", "update"},
		},
		"an earlier attempt left it, no Updater": {
			things: ours, outcome: applied, effect: contract.ChangeCreated, called: []string{"create"},
			change: func(r *contract.ExecuteRequest) { toFixed(r); existing(labels)(r) },
		},
		"what was left is gone": {
			change: existing(labels), outcome: applied, effect: contract.ChangeCreated, called: []string{"create"},
		},
	})
}

func TestEnsureSaysWhatDiffersWhenItCannotChangeIt(t *testing.T) {
	h := build(t)
	h.things = ours
	h.check = func(context.Context, *provider.Operation[Bucket]) ([]provider.Check, error) {
		return []provider.Check{
			provider.Equal("size", 5, 6), provider.Equal("class", "a", "a"), provider.Unanswered("acl", "not permitted"),
		}, nil
	}
	request := execute(contract.VerbEnsure)
	toFixed(request)
	result, _ := h.run(t, request)
	require.Equal(t, provider.Unsupported, kind(result))
	require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
	require.Contains(t, result.Diagnostics[0].Summary, "size, acl")
}

func TestDelete(t *testing.T) {
	notApplied, applied := contract.OutcomeNotApplied, contract.OutcomeApplied
	checkVerb(t, contract.VerbDelete, map[string]verbCase{
		"nothing there":      {outcome: applied, effect: contract.ChangeNone},
		"reads lag":          {lag: time.Second, kind: provider.NotReady, outcome: notApplied},
		"ours is there":      {things: ours, outcome: applied, effect: contract.ChangeDeleted, called: []string{"delete"}},
		"another's is there": {things: other, kind: provider.Conflict, outcome: notApplied},
		"nobody's is there":  {things: nobodys, kind: provider.Conflict, outcome: notApplied},
		"several are there":  {things: several, kind: provider.Ambiguous, outcome: notApplied},
	})
}

func TestDeletingWhatVanishesMeanwhileIsASuccess(t *testing.T) {
	h := build(t)
	h.things = ours
	h.remove = func(context.Context, *provider.Operation[Bucket]) (provider.Outputs, error) {
		return nil, provider.Errorf(provider.NotFound, "no such bucket")
	}
	result, _ := h.run(t, execute(contract.VerbDelete))
	require.Equal(t, contract.OutcomeApplied, result.Outcome)
	require.Equal(t, contract.ChangeDeleted, result.Change)
}

// Things without labels are owned by record.
func TestUnlabelledThingsAreOwnedByRecord(t *testing.T) {
	owned := func(r *contract.ExecuteRequest) { r.Target.Owned = true }
	cases := map[string]struct {
		verb    contract.Verb
		change  func(*contract.ExecuteRequest)
		kind    contract.Kind
		effect  contract.Change
		outcome contract.Outcome
	}{
		"update, no record":         {verb: contract.VerbUpdate, kind: provider.Conflict, outcome: contract.OutcomeNotApplied},
		"update, on record":         {verb: contract.VerbUpdate, change: owned, effect: contract.ChangeUpdated, outcome: contract.OutcomeApplied},
		"update, adopted":           {verb: contract.VerbUpdate, change: adopt, effect: contract.ChangeUpdated, outcome: contract.OutcomeApplied},
		"ensure, no record":         {verb: contract.VerbEnsure, kind: provider.Conflict, outcome: contract.OutcomeNotApplied},
		"ensure, left by ourselves": {verb: contract.VerbEnsure, change: existing(nil), effect: contract.ChangeCreated, outcome: contract.OutcomeApplied},
		"delete, no record":         {verb: contract.VerbDelete, kind: provider.Conflict, outcome: contract.OutcomeNotApplied},
		"delete, on record":         {verb: contract.VerbDelete, change: owned, effect: contract.ChangeDeleted, outcome: contract.OutcomeApplied},
		"create, no record":         {verb: contract.VerbCreate, kind: provider.AlreadyExists, outcome: contract.OutcomeNotApplied},
		"create, adopted":           {verb: contract.VerbCreate, change: adopt, effect: contract.ChangeUpdated, outcome: contract.OutcomeApplied},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := build(t, provider.TypeOf(buckets{discovery: contract.DiscoverByName}))
			h.things = []provider.Found{thing(nil)}
			request := execute(c.verb)
			if c.change != nil {
				c.change(request)
			}
			result, _ := h.run(t, request)
			require.Equal(t, c.kind, kind(result))
			require.Equal(t, c.effect, result.Change)
			require.Equal(t, c.outcome, result.Outcome)
			require.Nil(t, result.LabelsApplied)
		})
	}
}

// A lost attempt can leave a thing whose labels were still to be set: the record then says whose it is.
func TestNobodysLabelsOnWhatIsOnRecordAreOurs(t *testing.T) {
	for _, verb := range []contract.Verb{contract.VerbUpdate, contract.VerbEnsure, contract.VerbDelete} {
		h := build(t)
		h.things = nobodys
		request := execute(verb)
		request.Target.Owned = true
		result, _ := h.run(t, request)
		require.Equal(t, contract.OutcomeApplied, result.Outcome, verb)
	}
	h := build(t)
	h.things = other
	request := execute(contract.VerbDelete)
	request.Target.Owned = true
	result, _ := h.run(t, request)
	require.Equal(t, provider.Conflict, kind(result), "what carries another's labels is another's, whatever the record says")
}

func TestTheAuthorGetsWhatTheRequestSays(t *testing.T) {
	h := build(t)
	request := execute(contract.VerbCreate)
	existing(labels)(request)
	request.Target.References = map[string]json.RawMessage{"size-from": json.RawMessage(`5`)}
	request.Target.RecordedOutputs = json.RawMessage(`{"arn":"x"}`)
	result, _ := h.run(t, request)
	require.Equal(t, contract.OutcomeApplied, result.Outcome)
	op := h.ops[0]
	require.Equal(t, contract.VerbCreate, op.Verb)
	require.Equal(t, "data-11112222", op.Name)
	require.Equal(t, 5, op.Properties.Size)
	require.Equal(t, labels, op.Labels)
	require.Equal(t, map[string]string{"team": "x"}, op.Tags)
	require.Equal(t, "arn:old", op.Existing.Identity)
	require.Equal(t, "arn:old", op.Existing.Outputs["arn"])
	require.Equal(t, contract.OutcomeUnknown, op.PriorOutcome)
	require.True(t, op.References.Has("size-from"))
	require.JSONEq(t, `{"arn":"x"}`, string(op.RecordedOutputs))
	require.Equal(t, []string{"key-1", "eu-west-1", "account"}, []string{op.IdempotencyKey, op.Region, op.Account})
	access := h.access[0]
	require.Equal(t, []string{"AKIA", "http://vendor", "eu-west-1", "account", "tenant"},
		[]string{access.Credentials.ID, access.Settings.Endpoint, access.Region, access.Account, access.Tenant})
	require.Equal(t, labels, result.LabelsApplied)
	require.Equal(t, "arn:new", result.Identity)
}

func TestOutcomesFollowFromWhatHappened(t *testing.T) {
	type op = provider.Operation[Bucket]
	cases := map[string]struct {
		create  func(context.Context, *op, *answering) error
		answers []int
		outcome contract.Outcome
	}{
		"no error": {
			func(context.Context, *op, *answering) error { return nil }, nil, contract.OutcomeApplied},
		"a proving kind, nothing sent": {
			func(context.Context, *op, *answering) error { return provider.Errorf(provider.PermissionDenied, "no") },
			nil, contract.OutcomeNotApplied},
		"already_exists proves nothing": {
			func(context.Context, *op, *answering) error { return provider.Errorf(provider.AlreadyExists, "no") },
			nil, contract.OutcomeUnknown},
		"an error without a kind": {
			func(context.Context, *op, *answering) error { return errors.New("what") }, nil, contract.OutcomeUnknown},
		"after Made": {
			func(_ context.Context, o *op, _ *answering) error {
				o.Made("arn:x")
				return provider.Errorf(provider.InvalidInput, "no")
			}, nil, contract.OutcomePartial},
		"after Wrote": {
			func(_ context.Context, o *op, _ *answering) error {
				o.Wrote()
				return provider.Errorf(provider.Throttled, "no")
			}, nil, contract.OutcomePartial},
		"a write succeeded": {
			func(ctx context.Context, _ *op, a *answering) error {
				return errors.Join(a.request(ctx, "PUT"), provider.Errorf(provider.PermissionDenied, "no"))
			}, []int{200}, contract.OutcomePartial},
		"a write was refused": {
			func(ctx context.Context, _ *op, a *answering) error {
				_ = a.request(ctx, "PUT")
				return provider.Errorf(provider.PermissionDenied, "no")
			}, []int{403}, contract.OutcomeNotApplied},
		"a write was refused, then the kind does not prove": {
			func(ctx context.Context, _ *op, a *answering) error { return a.request(ctx, "PUT") },
			[]int{404}, contract.OutcomeUnknown},
		"a write ended unclear": {
			func(ctx context.Context, _ *op, a *answering) error {
				_ = a.request(ctx, "POST")
				return provider.Errorf(provider.PermissionDenied, "no")
			}, []int{500}, contract.OutcomeUnknown},
		"a write broke": {
			func(ctx context.Context, _ *op, a *answering) error {
				_ = a.request(ctx, "POST")
				return provider.Errorf(provider.Unauthenticated, "no")
			}, []int{0}, contract.OutcomeUnknown},
		"only reads failed": {
			func(ctx context.Context, _ *op, a *answering) error {
				_ = a.request(ctx, "GET")
				_ = a.request(provider.Reading(ctx), "POST")
				return provider.Errorf(provider.Unauthenticated, "no")
			}, []int{500, 500}, contract.OutcomeNotApplied},
		"a panic": {
			func(context.Context, *op, *answering) error { panic("oh") }, nil, contract.OutcomeUnknown},
		"a panic after Made": {
			func(_ context.Context, o *op, _ *answering) error { o.Made("arn:x"); panic("oh") }, nil, contract.OutcomePartial},
		"a panic that looks like a proof": {
			func(context.Context, *op, *answering) error { panic(provider.Errorf(provider.InvalidInput, "no")) },
			nil, contract.OutcomeUnknown},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			a := &answering{statuses: c.answers}
			h.create = func(ctx context.Context, o *op) (provider.Outputs, error) { return nil, c.create(ctx, o, a) }
			result, _ := h.run(t, execute(contract.VerbCreate))
			require.Equal(t, c.outcome, result.Outcome, result.Diagnostics)
		})
	}
}

func TestBeforeTheAuthorMayWriteAllErrorsProveThatNothingChanged(t *testing.T) {
	cases := map[string]func(*house, *contract.ExecuteRequest){
		"wrong properties":  func(_ *house, r *contract.ExecuteRequest) { r.Target.Properties = json.RawMessage(`{"name":7}`) },
		"wrong credentials": func(_ *house, r *contract.ExecuteRequest) { r.Context.Credentials = json.RawMessage(`{"what":1}`) },
		"wrong settings":    func(_ *house, r *contract.ExecuteRequest) { r.Context.Settings = json.RawMessage(`[]`) },
		"unknown type":      func(_ *house, r *contract.ExecuteRequest) { r.Target.Type = "acme:what" },
		"unknown verb":      func(_ *house, r *contract.ExecuteRequest) { r.Verb = "shake" },
		"verify is no verb to execute": func(_ *house, r *contract.ExecuteRequest) {
			r.Verb = contract.VerbVerify
		},
		"a consumer without a key": func(_ *house, r *contract.ExecuteRequest) {
			r.Consumers = []contract.Consumer{{Provider: "x", Outputs: []string{"password"}}}
		},
		"no client": func(h *house, _ *contract.ExecuteRequest) {
			h.connect = func(context.Context, provider.Access[Key, Place]) error { return errors.New("what") }
		},
		"a panic in connect": func(h *house, _ *contract.ExecuteRequest) {
			h.connect = func(context.Context, provider.Access[Key, Place]) error { panic("oh") }
		},
		"a search that fails": func(h *house, _ *contract.ExecuteRequest) {
			h.findErr = provider.Errorf(provider.Network, "no route")
		},
		"too late": func(h *house, r *contract.ExecuteRequest) { r.Context.WriteBy = now },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			h := build(t)
			request := execute(contract.VerbCreate)
			change(h, request)
			result, _ := h.run(t, request)
			require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
			require.NotEmpty(t, kind(result))
			require.Empty(t, h.called)
			require.Equal(t, contract.ChangeUnspecified, result.Change)
		})
	}
}

func TestAfterWriteByNothingIsSent(t *testing.T) {
	h := build(t)
	a := &answering{}
	request := execute(contract.VerbCreate)
	request.Context.WriteBy = now.Add(time.Second)
	h.create = func(ctx context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
		require.NoError(t, op.MayWrite())
		require.NoError(t, a.request(ctx, http.MethodPut))
		h.clock = now.Add(time.Second)
		require.Equal(t, provider.Deadline, contract.KindOf(op.MayWrite()))
		require.NoError(t, a.request(ctx, http.MethodGet))
		return nil, a.request(ctx, http.MethodPut)
	}
	result, _ := h.run(t, request)
	require.Equal(t, provider.Deadline, kind(result))
	require.Equal(t, contract.OutcomePartial, result.Outcome)
	require.Equal(t, []string{"PUT", "GET"}, a.sent)
}

func TestACancelledCallSendsNothingMore(t *testing.T) {
	h := build(t)
	a := &answering{}
	ctx, cancel := context.WithCancel(context.Background())
	h.create = func(ctx context.Context, _ *provider.Operation[Bucket]) (provider.Outputs, error) {
		cancel()
		return nil, a.request(ctx, http.MethodPut)
	}
	result, err := h.provider.Execute(ctx, execute(contract.VerbCreate), func(contract.Event) {})
	require.NoError(t, err)
	require.Equal(t, provider.Cancelled, kind(result))
	require.Equal(t, contract.OutcomeUnknown, result.Outcome)
	require.Empty(t, a.sent)
}

func TestAnUpdateThatWritesNothingChangedNothing(t *testing.T) {
	h := build(t)
	h.things = ours
	a := &answering{}
	for name, c := range map[string]struct {
		method string
		want   contract.Change
	}{"reads": {"GET", contract.ChangeNone}, "writes": {"PATCH", contract.ChangeUpdated}} {
		t.Run(name, func(t *testing.T) {
			h.update = func(ctx context.Context, _ *provider.Operation[Bucket]) (provider.Outputs, error) {
				return nil, a.request(ctx, c.method)
			}
			result, _ := h.run(t, execute(contract.VerbUpdate))
			require.Equal(t, contract.OutcomeApplied, result.Outcome)
			require.Equal(t, c.want, result.Change)
			require.Equal(t, "arn:old", result.Identity)
		})
	}
}

func TestEventsComeInOrderAndNoneAfterTheResult(t *testing.T) {
	h := build(t)
	var late *provider.Operation[Bucket]
	h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
		late = op
		op.Log("info", "hello %d", 7)
		op.Made("arn:new")
		op.Made("arn:new")
		op.Progress(0.5, "waiting")
		return nil, &provider.Error{Diagnostic: contract.Diagnostic{
			Kind: provider.Throttled, Summary: "slow down", RetryAfter: time.Minute, VendorCode: "SlowDown", VendorRequestID: "r-1",
		}}
	}
	var events []contract.Event
	result, err := h.provider.Execute(context.Background(), execute(contract.VerbCreate), func(e contract.Event) {
		events = append(events, e)
	})
	require.NoError(t, err)
	late.Progress(1, "too late")
	require.Equal(t, []contract.Event{
		{Log: &contract.Log{Level: "info", Message: "hello 7"}},
		{Identity: &contract.Identity{ID: "arn:new"}},
		{Progress: &contract.Progress{Fraction: 0.5, Message: "waiting"}},
		{Throttle: &contract.Throttle{RetryAfter: time.Minute, Summary: "slow down"}},
	}, events)
	require.Equal(t, "r-1", result.VendorRequestID)
	require.Equal(t, "SlowDown", result.Diagnostics[0].VendorCode)
	require.Equal(t, contract.RetryAfterDelay, result.Diagnostics[0].Retry)
	require.Equal(t, "arn:new", result.Identity)
}

func TestOperationsPrintWithoutTheirContent(t *testing.T) {
	h := build(t)
	var printed string
	h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
		printed = fmt.Sprintf("%v %+v %#v", op, *op, op)
		return nil, nil
	}
	h.run(t, execute(contract.VerbCreate))
	require.Equal(t, strings.Repeat("create acme:bucket ", 3), printed+" ")
	require.NotContains(t, fmt.Sprintf("%+v", h.access[0]), "AKIA")
}
