package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
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
