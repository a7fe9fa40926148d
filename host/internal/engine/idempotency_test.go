package engine_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// applyOnce applies under a key.
func (h *house) applyOnce(key string, request *rest.ApplyRequest) (*rest.RunResult, error) {
	command := engine.Command{Key: key, Route: "/deploy/apply", Body: request}
	return h.engine.Once(h.t.Context(), h.caller, command, func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return h.engine.Apply(ctx, caller, request)
	})
}

func (h *house) runs() []rest.RunSummary {
	list, err := h.engine.Runs(h.t.Context(), h.caller, rest.RunsQuery{})
	require.NoError(h.t, err)
	return list.Runs
}

func TestARepeatedCommandIsDoneOnce(t *testing.T) {
	h := build(t)
	first, err := h.applyOnce("k", &rest.ApplyRequest{Config: h.chain("create")})
	require.NoError(t, err)
	h.wait(first)
	for range 2 {
		again, err := h.applyOnce("k", &rest.ApplyRequest{Config: h.chain("create")})
		require.NoError(t, err)
		require.Equal(t, first.RunID, again.RunID)
		require.True(t, again.Success)
		h.restart() // and another host knows of it too
	}
	require.Len(t, h.runs(), 1)
	other, err := h.applyOnce("l", &rest.ApplyRequest{Config: h.chain("ensure")})
	require.NoError(t, err)
	require.NotEqual(t, first.RunID, h.wait(other).RunID)
	_, err = h.applyOnce("l", &rest.ApplyRequest{Config: h.chain("create")})
	require.Equal(t, "#/header/Idempotency-Key", h.refused(engine.Invalid, err).Problems[0].Pointer, "another body")
	h.caller.Tenant = "other"
	foreign, err := h.applyOnce("k", &rest.ApplyRequest{Config: h.chain("create")})
	require.NoError(t, err, "a key is its tenant's own")
	require.NotEqual(t, first.RunID, h.wait(foreign).RunID)
}

func TestRepeatsAtTheSameTimeStartOneRun(t *testing.T) {
	h := build(t)
	ids := make(chan string, 20)
	var all sync.WaitGroup
	for range cap(ids) {
		all.Go(func() {
			result, err := h.applyOnce("k", &rest.ApplyRequest{Config: h.chain("create")})
			if err == nil {
				ids <- result.RunID
			}
		})
	}
	all.Wait()
	require.Len(t, ids, cap(ids), "every one of them is answered")
	one := <-ids
	for range cap(ids) - 1 {
		require.Equal(t, one, <-ids)
	}
	require.Len(t, h.runs(), 1)
	require.NoError(t, h.engine.Wait(t.Context(), h.caller, one))
}

// TestSealingAgainMakesNoOtherCommand: a repeat brings other boxes of the same secrets, and perhaps newer credentials.
func TestSealingAgainMakesNoOtherCommand(t *testing.T) {
	h := build(t)
	request := func(value string) *rest.ApplyRequest {
		cfg := h.config(`{"a": {"type": "noop:thing", "properties": {"value": ` + strconv.Quote(value) + `, "secret": ` + strconv.Quote(h.seal("noop:thing#/secret", "s3cret")) + `}}}`)
		cfg.Credentials = rest.Credentials{"noop": []byte(`{"token": ` + strconv.Quote(value) + `}`)}
		return &rest.ApplyRequest{Config: cfg}
	}
	first, err := h.applyOnce("k", request("x"))
	require.NoError(t, err)
	require.True(t, h.wait(first).Success)
	resealed := request("x")
	resealed.Config.Credentials = noCredentials
	again, err := h.applyOnce("k", resealed)
	require.NoError(t, err)
	require.Equal(t, first.RunID, again.RunID)
	_, err = h.applyOnce("k", request("y"))
	h.refused(engine.Invalid, err)
}

func TestAResumeIsRepeatedByItsKeyToo(t *testing.T) {
	h := build(t)
	denied := func(func() (*contract.Result, error)) (*contract.Result, error) {
		d := contract.New(contract.KindPermissionDenied, "no").Diagnostic
		return &contract.Result{Outcome: contract.OutcomeNotApplied, Diagnostics: []contract.Diagnostic{d}}, nil
	}
	h.plugins.breakWith(times(2, "a", denied))
	failed := h.apply(&rest.ApplyRequest{Config: h.chain("create")})
	resume := &rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials}
	again, err := h.applyOnce("k", resume)
	require.NoError(t, err)
	require.Equal(t, rest.RunFailed, h.wait(again).Status)
	require.Equal(t, 2, h.plugins.count("a create"))
	repeat, err := h.applyOnce("k", resume)
	require.NoError(t, err)
	require.Equal(t, rest.RunFailed, repeat.Status, "the same command is told how that stands, and tries nothing anew")
	require.Equal(t, 2, h.plugins.count("a create"))
	anew, err := h.applyOnce("l", resume)
	require.NoError(t, err)
	require.True(t, h.wait(anew).Success)
}

func TestAPlanIsStoredOnce(t *testing.T) {
	h := build(t)
	plan := func(key string, validateOnly bool, cfg *rest.Config) (*rest.PlanResponse, error) {
		request := &rest.PlanRequest{Config: cfg, ValidateOnly: &validateOnly}
		return h.engine.PlanOnce(t.Context(), h.caller, engine.Command{Key: key, Route: "/deploy/plan", Body: request}, request)
	}
	first, err := plan("k", false, h.chain("create"))
	require.NoError(t, err)
	again, err := plan("k", false, h.chain("create"))
	require.NoError(t, err)
	require.Equal(t, first.SpecGraphID, again.SpecGraphID)
	_, err = plan("k", false, h.chain("ensure"))
	h.refused(engine.Invalid, err)
	other, err := plan("k", true, h.chain("ensure"))
	require.NoError(t, err, "what stores nothing needs no key")
	require.True(t, other.Success)
	_, err = h.applyOnce("k", &rest.ApplyRequest{GraphID: first.SpecGraphID, Credentials: noCredentials})
	h.refused(engine.Invalid, err)
}

// leaving is a store whose caller goes away in the middle of a call.
type leaving struct {
	store.Store
	leave func()
}

func (l leaving) CreateRun(ctx context.Context, run store.NewRun) error {
	l.leave()
	return l.Store.CreateRun(ctx, run)
}

// TestACallerWhoGoesWhileItsRunIsBegunFindsItAtWork: the connection is lost at the worst moment, and the client asks again.
func TestACallerWhoGoesWhileItsRunIsBegunFindsItAtWork(t *testing.T) {
	h := build(t)
	ctx, leave := context.WithCancel(t.Context())
	h.change = func(o *engine.Options) { o.Store = leaving{o.Store, leave} }
	h.restart()
	request := &rest.ApplyRequest{Config: h.chain("create")}
	command := engine.Command{Key: "k", Route: "/deploy/apply", Body: request}
	_, _ = h.engine.Once(ctx, h.caller, command, func(ctx context.Context, caller engine.Caller) (*rest.RunResult, error) {
		return h.engine.Apply(ctx, caller, request)
	})
	require.Error(t, ctx.Err())
	again, err := h.applyOnce("k", request)
	require.NoError(t, err)
	require.True(t, h.wait(again).Success)
	require.Len(t, h.runs(), 1)
}

func TestARefusedCommandLeavesItsKeyFree(t *testing.T) {
	h := build(t)
	bad := h.chain("create")
	bad.Credentials = nil
	_, err := h.applyOnce("k", &rest.ApplyRequest{Config: bad})
	h.refused(engine.Invalid, err)
	good, err := h.applyOnce("k", &rest.ApplyRequest{Config: h.chain("create")})
	require.NoError(t, err)
	require.True(t, h.wait(good).Success)
}
