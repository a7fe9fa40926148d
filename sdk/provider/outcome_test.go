package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

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

func TestACallThatWasBrokenOffMayWriteNoMore(t *testing.T) {
	h := build(t)
	ctx, cancel := context.WithCancel(context.Background())
	h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
		require.NoError(t, op.MayWrite())
		cancel()
		return nil, op.MayWrite()
	}
	result, err := h.provider.Execute(ctx, execute(contract.VerbCreate), func(contract.Event) {})
	require.NoError(t, err)
	require.Equal(t, provider.Cancelled, kind(result))
	require.Equal(t, contract.OutcomeUnknown, result.Outcome)
}

func TestNothingIsSureToBeAbsentWhileACallMayStillWriteIt(t *testing.T) {
	h := build(t)
	find := func() contract.Completeness {
		request := execute(contract.VerbCreate)
		end, err := h.provider.Find(context.Background(), &contract.FindRequest{Context: request.Context, Target: request.Target},
			func(contract.Found) {})
		require.NoError(t, err)
		return end.Completeness
	}
	for _, through := range []bool{false, true} {
		ctx, cancel := context.WithCancel(context.Background())
		h.create = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
			require.Equal(t, contract.Inconclusive, find(), "it was not broken off")
			if through {
				require.NoError(t, op.MayWrite())
			}
			cancel()
			require.Equal(t, through, find() == contract.Inconclusive, "what was let through may be on its way, nothing more is")
			return nil, ctx.Err()
		}
		_, err := h.provider.Execute(ctx, execute(contract.VerbCreate), func(contract.Event) {})
		require.NoError(t, err)
		require.Equal(t, contract.Complete, find(), "it has ended")
	}
}
