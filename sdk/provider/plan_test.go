package provider_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// planned is a type with a Planner and a Rollbacker. Its state is the size of the bucket.
type planned struct {
	buckets
	formats  []string
	plan     func(*provider.Operation[Bucket]) (provider.Preview, error)
	rollback func(context.Context, *provider.Operation[Bucket]) (provider.Outputs, error)
}

type state struct {
	Size int `json:"size"`
}

func (p planned) Describe() provider.Description {
	about := p.buckets.Describe()
	about.RecordFormats = p.formats
	about.Permissions = map[contract.Verb][]string{
		contract.VerbCreate: {"acme:Create"}, contract.VerbUpdate: {"acme:Resize"}, contract.VerbDelete: {"acme:Delete"},
	}
	return about
}

func (p planned) Plan(_ context.Context, v *vendor, op *provider.Operation[Bucket]) (provider.Preview, error) {
	v.note("plan", op)
	if p.plan != nil {
		return p.plan(op)
	}
	preview := provider.Preview{Former: state{Size: 3}}
	preview.Compare("/size", 3, op.Properties.Size)
	preview.Compare("/name", "data", op.Properties.Name)
	return preview, nil
}

func (p planned) Rollback(ctx context.Context, v *vendor, op *provider.Operation[Bucket]) (provider.Outputs, error) {
	v.note("rollback", op)
	if p.rollback != nil {
		return p.rollback(ctx, op)
	}
	op.Wrote()
	return provider.Outputs{"arn": "arn:old"}, nil
}

func buildPlanned(t *testing.T, change func(*planned)) *house {
	p := planned{buckets: buckets{discovery: contract.DiscoverByLabel}}
	if change != nil {
		change(&p)
	}
	return build(t, provider.TypeOf(p), provider.TypeOf(fixed{p.buckets}))
}

func (h *house) plan(t *testing.T, verb contract.Verb, change func(*contract.PlanRequest)) *contract.PlanResult {
	t.Helper()
	request := execute(verb)
	asked := &contract.PlanRequest{Context: request.Context, Target: request.Target, Verb: verb}
	if change != nil {
		change(asked)
	}
	result, err := h.provider.Plan(t.Context(), asked)
	require.NoError(t, err)
	return result
}

func TestWhatAPlanSays(t *testing.T) {
	adopted := func(r *contract.PlanRequest) { r.Target.Adopt = true }
	same := func(r *contract.PlanRequest) { r.Target.Properties = json.RawMessage(`{"name":"data","size":3}`) }
	onFixed := func(r *contract.PlanRequest) { r.Target.Type = "acme:fixed" }
	for name, c := range map[string]struct {
		verb   contract.Verb
		things []provider.Found
		change func(*contract.PlanRequest)
		action contract.PlannedAction
		kind   contract.Kind
		may    []string
	}{
		"create, absent":             {verb: contract.VerbCreate, action: contract.ActionCreate, may: []string{"acme:Create"}},
		"create, ours":               {verb: contract.VerbCreate, things: ours, action: contract.ActionConflict, kind: provider.AlreadyExists},
		"create, another's":          {verb: contract.VerbCreate, things: other, action: contract.ActionConflict, kind: provider.AlreadyExists},
		"create, nobody's, adopted":  {verb: contract.VerbCreate, things: nobodys, change: adopted, action: contract.ActionUpdate, may: []string{"acme:Resize"}},
		"ensure, absent":             {verb: contract.VerbEnsure, action: contract.ActionCreate, may: []string{"acme:Create"}},
		"ensure, differs":            {verb: contract.VerbEnsure, things: ours, action: contract.ActionUpdate, may: []string{"acme:Resize"}},
		"ensure, same":               {verb: contract.VerbEnsure, things: ours, change: same, action: contract.ActionNoOp},
		"ensure, another's":          {verb: contract.VerbEnsure, things: other, action: contract.ActionConflict, kind: provider.Conflict},
		"ensure, several":            {verb: contract.VerbEnsure, things: several, action: contract.ActionConflict, kind: provider.Ambiguous},
		"ensure, fixed, same":        {verb: contract.VerbEnsure, things: ours, change: onFixed, action: contract.ActionNoOp},
		"update, absent":             {verb: contract.VerbUpdate, action: contract.ActionConflict, kind: provider.NotFound},
		"update, differs":            {verb: contract.VerbUpdate, things: ours, action: contract.ActionUpdate, may: []string{"acme:Resize"}},
		"delete, absent":             {verb: contract.VerbDelete, action: contract.ActionNoOp},
		"delete, ours":               {verb: contract.VerbDelete, things: ours, action: contract.ActionDelete, may: []string{"acme:Delete"}},
		"delete, another's":          {verb: contract.VerbDelete, things: other, action: contract.ActionConflict, kind: provider.Conflict},
		"delete, nobody's, adopted":  {verb: contract.VerbDelete, things: nobodys, change: adopted, action: contract.ActionDelete, may: []string{"acme:Delete"}},
		"delete, fixed, no Rollback": {verb: contract.VerbDelete, things: ours, change: onFixed, action: contract.ActionDelete},
	} {
		t.Run(name, func(t *testing.T) {
			h := buildPlanned(t, nil)
			h.things = c.things
			result := h.plan(t, c.verb, c.change)
			require.Equal(t, c.action, result.Action)
			require.Equal(t, c.may, result.Permissions)
			require.NotContains(t, h.called, "create")
			require.NotContains(t, h.called, "update")
			require.NotContains(t, h.called, "delete")
			if c.kind != "" {
				require.Equal(t, c.kind, result.Diagnostics[0].Kind)
				require.Nil(t, result.Record)
			}
		})
	}
}

func TestAPlanTellsChangesAndNoSecrets(t *testing.T) {
	h := buildPlanned(t, nil)
	box := h.seal(t, "acme:bucket#/secret", canary)
	with := func(r *contract.PlanRequest) {
		r.Target.Properties = json.RawMessage(`{"name":"data","size":5,"secret":"` + box + `","env":{"A":"` + box + `"},"nested":null}`)
	}
	require.Equal(t, []provider.PropertyChange{
		{Pointer: "/env", Sensitive: true}, {Pointer: "/name", After: json.RawMessage(`"data"`)}, {Pointer: "/secret", Sensitive: true},
		{Pointer: "/size", After: json.RawMessage(`5`)},
	}, h.plan(t, contract.VerbCreate, with).Changes)

	h = buildPlanned(t, func(p *planned) {
		p.plan = func(op *provider.Operation[Bucket]) (provider.Preview, error) {
			secret, err := op.Open(op.Properties.Secret)
			preview := provider.Preview{Former: secret.Reveal()}
			preview.Compare("/secret", "before", secret.Reveal())
			preview.Compare("/nested", nil, map[string]string{"inner": secret.Reveal()})
			preview.Compare("/name", "was "+canary, secret.Reveal())
			preview.Differs("/options/0/inner")
			return preview, err
		}
	})
	h.things = ours
	box = h.seal(t, "acme:bucket#/secret", canary)
	result := h.plan(t, contract.VerbUpdate, with)
	require.Equal(t, []provider.PropertyChange{
		{Pointer: "/secret", Sensitive: true}, {Pointer: "/nested", Sensitive: true},
		{Pointer: "/name", Before: json.RawMessage(`"was ***"`), After: json.RawMessage(`"***"`)},
		{Pointer: "/options/0/inner", Sensitive: true},
	}, result.Changes)
	require.NotNil(t, result.Record)
	raw, err := json.Marshal(result)
	require.NoError(t, err)
	require.NotContains(t, string(raw), canary)
}

func TestALongValueIsToldInShort(t *testing.T) {
	h := buildPlanned(t, nil)
	long := strings.Repeat("x", 100_000)
	changes := h.plan(t, contract.VerbCreate, func(r *contract.PlanRequest) {
		r.Target.Properties = json.RawMessage(`{"name":"` + long + `"}`)
	}).Changes
	require.Less(t, len(changes[0].After), 100)
	require.Contains(t, string(changes[0].After), "100002 bytes")
}

func TestWithoutAPlannerTheChecksTell(t *testing.T) {
	h := build(t)
	h.things = []provider.Found{thing(labels)}
	h.check = func(context.Context, *provider.Operation[Bucket]) ([]provider.Check, error) {
		return []provider.Check{
			provider.Equal("size", 5, 3), provider.Equal("name", "data", "old"), provider.Equal("secret", "f1", "f2"),
			provider.Equal("state", "ready", "busy"), provider.Unanswered("code", "nobody knows"),
		}, nil
	}
	result := h.plan(t, contract.VerbEnsure, nil)
	require.Equal(t, contract.ActionUpdate, result.Action)
	require.Equal(t, []provider.PropertyChange{
		{Pointer: "/size", Before: json.RawMessage(`3`), After: json.RawMessage(`5`)},
		{Pointer: "/name", Before: json.RawMessage(`"old"`), After: json.RawMessage(`"data"`)},
		{Pointer: "/secret", Sensitive: true}, {Sensitive: true},
	}, result.Changes)
	require.Equal(t, []string{"state differs", "code could not be compared"}, []string{result.Diagnostics[0].Summary, result.Diagnostics[1].Summary})
	require.Nil(t, result.Record, "nobody could bring anything back")
	fixedResult := h.plan(t, contract.VerbEnsure, func(r *contract.PlanRequest) { r.Target.Type = "acme:fixed" })
	require.Equal(t, contract.ActionConflict, fixedResult.Action)
	require.Equal(t, provider.Unsupported, fixedResult.Diagnostics[0].Kind)
}

func TestAPlanThatCannotBeMade(t *testing.T) {
	h := buildPlanned(t, func(p *planned) {
		p.plan = func(*provider.Operation[Bucket]) (provider.Preview, error) { panic("oh") }
	})
	request := execute(contract.VerbUpdate)
	ask := func(verb contract.Verb) contract.Kind {
		_, err := h.provider.Plan(t.Context(), &contract.PlanRequest{Context: request.Context, Target: request.Target, Verb: verb})
		return contract.KindOf(err)
	}
	h.lag = time.Second
	require.Equal(t, provider.NotReady, ask(contract.VerbEnsure))
	h.lag, h.things = 0, ours
	require.Equal(t, provider.ProviderFault, ask(contract.VerbUpdate))
	require.Equal(t, provider.Unsupported, ask(contract.VerbVerify))
	request.Target.Type = "acme:what"
	require.Equal(t, provider.Unsupported, ask(contract.VerbUpdate))
}
