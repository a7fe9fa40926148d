package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// undo makes a request from what a plan wrote down.
func undo(t *testing.T, planned *contract.PlanResult, verb contract.Verb) *contract.RollbackRequest {
	t.Helper()
	require.NotNil(t, planned.Record)
	request := execute(verb)
	return &contract.RollbackRequest{Context: request.Context, Target: request.Target, Record: *planned.Record}
}

func (h *house) rollback(t *testing.T, request *contract.RollbackRequest) *contract.Result {
	t.Helper()
	result, err := h.provider.Rollback(t.Context(), request, func(contract.Event) {})
	require.NoError(t, err)
	return result
}

func TestRollback(t *testing.T) {
	for name, c := range map[string]struct {
		verb        contract.Verb
		then, now   []provider.Found
		outcome     contract.Outcome
		effect      contract.Change
		kind        contract.Kind
		called      []string
		hasExisting bool
	}{
		"of an update":                    {contract.VerbUpdate, ours, ours, contract.OutcomeApplied, contract.ChangeUpdated, "", []string{"plan", "rollback"}, true},
		"of a delete":                     {contract.VerbDelete, ours, nil, contract.OutcomeApplied, contract.ChangeCreated, "", []string{"plan", "rollback"}, false},
		"of a create":                     {contract.VerbCreate, nil, ours, contract.OutcomeApplied, contract.ChangeDeleted, "", []string{"delete"}, true},
		"of a create that is gone":        {contract.VerbCreate, nil, nil, contract.OutcomeApplied, contract.ChangeNone, "", nil, false},
		"of a create, another's now":      {contract.VerbCreate, nil, other, contract.OutcomeNotApplied, "", provider.Conflict, nil, false},
		"of an update, another's now":     {contract.VerbUpdate, ours, other, contract.OutcomeNotApplied, "", provider.Conflict, []string{"plan"}, false},
		"of an update, several there now": {contract.VerbUpdate, ours, several, contract.OutcomeNotApplied, "", provider.Ambiguous, []string{"plan"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := buildPlanned(t, nil)
			h.things = c.then
			request := undo(t, h.plan(t, c.verb, nil), c.verb)
			h.things = c.now
			result := h.rollback(t, request)
			require.Equal(t, c.outcome, result.Outcome, result.Diagnostics)
			require.Equal(t, c.effect, result.Change)
			require.Equal(t, c.kind, kind(result))
			require.Equal(t, c.called, h.called)
			if len(c.called) == 0 || result.Outcome != contract.OutcomeApplied {
				return
			}
			last := h.ops[len(h.ops)-1]
			require.Equal(t, c.hasExisting, last.Existing != nil)
			if last.Former != nil {
				var former state
				require.NoError(t, last.Former.Read(&former))
				require.Equal(t, state{Size: 3}, former)
			}
		})
	}
}

func TestARollbackIsAnAttempt(t *testing.T) {
	h := buildPlanned(t, func(p *planned) {
		p.rollback = func(_ context.Context, op *provider.Operation[Bucket]) (provider.Outputs, error) {
			op.Made("arn:again")
			return nil, provider.Errorf(provider.Network, "gone")
		}
	})
	h.things = ours
	request := undo(t, h.plan(t, contract.VerbDelete, nil), contract.VerbDelete)
	h.things = nil
	result := h.rollback(t, request)
	require.Equal(t, contract.OutcomePartial, result.Outcome)
	require.Equal(t, "arn:again", result.Identity)
	request.Context.WriteBy = now.Add(-time.Second)
	late := h.rollback(t, request)
	require.Equal(t, contract.OutcomeNotApplied, late.Outcome)
	require.Equal(t, provider.Deadline, kind(late))
	request.Target.Type = "acme:fixed"
	require.Equal(t, provider.Unsupported, kind(h.rollback(t, request)))
}

func TestARecordServesNothingElse(t *testing.T) {
	formats := []string{"2", "1"}
	h := buildPlanned(t, func(p *planned) { p.formats = formats })
	h.things = ours
	good := undo(t, h.plan(t, contract.VerbUpdate, nil), contract.VerbUpdate)
	require.Equal(t, "2", good.Record.Format)
	require.NotContains(t, string(good.Record.Data), "size")
	for name, c := range map[string]struct {
		spoil func(*contract.RollbackRequest)
		kind  contract.Kind
	}{
		"another tenant":      {func(r *contract.RollbackRequest) { r.Context.Tenant = "other" }, provider.DecryptionFailed},
		"another deployment":  {func(r *contract.RollbackRequest) { r.Context.DeploymentID = "other" }, provider.DecryptionFailed},
		"another thing":       {func(r *contract.RollbackRequest) { r.Target.Name = "other" }, provider.InvalidInput},
		"another region":      {func(r *contract.RollbackRequest) { r.Context.Region = "us-east-1" }, provider.InvalidInput},
		"an unknown format":   {func(r *contract.RollbackRequest) { r.Record.Format = "3" }, provider.Unsupported},
		"a format it has not": {func(r *contract.RollbackRequest) { r.Record.Format = "1" }, provider.DecryptionFailed},
		"garbage":             {func(r *contract.RollbackRequest) { r.Record.Data = []byte("bm8=") }, provider.DecryptionFailed},
		"no record":           {func(r *contract.RollbackRequest) { r.Record = contract.RollbackRecord{} }, provider.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			h.called = nil
			spoiled := *good
			c.spoil(&spoiled)
			result := h.rollback(t, &spoiled)
			require.Equal(t, c.kind, kind(result))
			require.Equal(t, contract.OutcomeNotApplied, result.Outcome)
			require.Empty(t, h.called)
		})
	}
	require.Equal(t, contract.OutcomeApplied, h.rollback(t, good).Outcome)
}

func TestAFormerStatePrintsWithoutItself(t *testing.T) {
	former := provider.Former{Format: "1", State: json.RawMessage(`{"size":"` + canary + `"}`)}
	raw, err := json.Marshal(former)
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", former, former, former, raw), canary)
	require.Equal(t, provider.Unsupported, contract.KindOf(former.Read(&state{})))
}
