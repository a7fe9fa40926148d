package noop_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

func planned(t *testing.T, p *provider.Provider, r *contract.ExecuteRequest) *contract.PlanResult {
	t.Helper()
	result, err := p.Plan(t.Context(), &contract.PlanRequest{Context: r.Context, Target: r.Target, Verb: r.Verb})
	require.NoError(t, err)
	return result
}

func undone(t *testing.T, p *provider.Provider, r *contract.ExecuteRequest, record *contract.RollbackRecord) *contract.Result {
	t.Helper()
	require.NotNil(t, record)
	result, err := p.Rollback(t.Context(), &contract.RollbackRequest{Context: r.Context, Target: r.Target, Record: *record},
		func(contract.Event) {})
	require.NoError(t, err)
	require.Equal(t, contract.OutcomeApplied, result.Outcome, result.Diagnostics)
	return result
}

func TestThingsArePlannedAndBroughtBack(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "directory": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			p, _ := made(t)
			create := request("noop:thing", contract.VerbCreate, `{"value":"1"}`, dir)
			creating := planned(t, p, create)
			require.Equal(t, contract.ActionCreate, creating.Action)
			run(t, p, create)
			require.Equal(t, contract.ActionNoOp, planned(t, p, request("noop:thing", contract.VerbEnsure, `{"value":"1"}`, dir)).Action)

			update := request("noop:thing", contract.VerbEnsure, `{"value":"2"}`, dir)
			updating := planned(t, p, update)
			require.Equal(t, []contract.PropertyChange{
				{Pointer: "/value", Before: json.RawMessage(`"1"`), After: json.RawMessage(`"2"`)},
			}, updating.Changes)
			run(t, p, update)
			require.Equal(t, contract.ChangeUpdated, undone(t, p, update, updating.Record).Change)
			require.Equal(t, contract.ChangeNone, undone(t, p, update, updating.Record).Change)

			remove := request("noop:thing", contract.VerbDelete, `{"value":"1"}`, dir)
			removing := planned(t, p, remove)
			require.Equal(t, contract.ActionDelete, removing.Action)
			run(t, p, remove)
			again := undone(t, p, remove, removing.Record)
			require.Equal(t, contract.ChangeCreated, again.Change)
			require.Contains(t, string(again.Outputs), `"value":"1"`)
			require.Equal(t, contract.ActionNoOp, planned(t, p, request("noop:thing", contract.VerbEnsure, `{"value":"1"}`, dir)).Action)
			require.Equal(t, contract.ChangeDeleted, undone(t, p, create, creating.Record).Change)
			require.Equal(t, contract.ChangeNone, undone(t, p, create, creating.Record).Change)
		})
	}
}

func expanded(t *testing.T, kind, properties string, roles ...string) *contract.ExpandResult {
	t.Helper()
	p, _ := made(t)
	result, err := p.Expand(t.Context(), &contract.ExpandRequest{Type: kind, Properties: json.RawMessage(properties), Roles: roles})
	require.NoError(t, err)
	require.Empty(t, result.Diagnostics)
	return result
}

func TestStacksExpand(t *testing.T) {
	require.Empty(t, expanded(t, "noop:stack", `{"size":0}`).Nodes)
	stack := expanded(t, "noop:stack", `{"value":"1","size":3,"fail":"network"}`, "from")
	var names []string
	for _, node := range stack.Nodes {
		names = append(names, node.LocalName+" "+node.Type+" "+string(node.Properties))
	}
	require.Equal(t, []string{
		`base noop:thing {"value":"1"}`, `layer-1 noop:regional {"fail":"network"}`, `layer-2 noop:regional {"fail":"network"}`,
	}, names)
	require.Equal(t, map[string]string{"from": "$from"}, stack.Nodes[0].References)
	require.Equal(t, map[string]string{"/secret": "/secret"}, stack.Nodes[0].SealedProperties)
	require.Equal(t, []contract.ExpandedEdge{{From: "base", To: "layer-1"}, {From: "layer-1", To: "layer-2"}}, stack.Edges)
	require.Equal(t, "layer-2.id", stack.Outputs["top"])
	site := expanded(t, "noop:site", `{}`)
	require.Equal(t, []string{"noop:stack", "noop:regional"}, []string{site.Nodes[0].Type, site.Nodes[1].Type})
	require.Equal(t, "stack.value", site.Nodes[1].References["from"])
}

func TestWhatIsNamedIsKnownByItsName(t *testing.T) {
	p, _ := made(t)
	create := request("noop:named", contract.VerbCreate, `{"name":"x","value":"1"}`, "")
	create.Target.Name, create.Target.Labels = "x", nil
	first := run(t, p, create)
	require.Equal(t, contract.ChangeCreated, first.Change)
	require.Equal(t, "x", first.Identity)
	require.Equal(t, provider.AlreadyExists, run(t, p, create).Diagnostics[0].Kind)
	update := *create
	update.Verb, update.Target.Owned, update.Target.Properties = contract.VerbEnsure, true, json.RawMessage(`{"name":"x","value":"2"}`)
	require.Equal(t, contract.ChangeUpdated, run(t, p, &update).Change)
	require.Equal(t, contract.ChangeNone, run(t, p, &update).Change)
	update.Verb = contract.VerbDelete
	require.Equal(t, contract.ChangeDeleted, run(t, p, &update).Change)
}

func TestWhatIsMadeOnceIsFoundByItsIDOnly(t *testing.T) {
	p, _ := made(t)
	create := request("noop:once", contract.VerbCreate, `{"name":"x"}`, "")
	create.Target.Name, create.Target.Labels = "x", nil
	first := run(t, p, create)
	require.NotEqual(t, first.Identity, run(t, p, create).Identity, "nobody can tell that it is there already")
	about, err := p.Describe(t.Context())
	require.NoError(t, err)
	kind, _ := about.Type("noop:once")
	support, _ := kind.Verb(contract.VerbCreate)
	require.Equal(t, contract.AtMostOnce, support.RepeatSafety)
	remove := *create
	remove.Verb, remove.Target.Identity, remove.Target.Owned = contract.VerbDelete, first.Identity, true
	require.Equal(t, contract.ChangeDeleted, run(t, p, &remove).Change)
	require.Equal(t, contract.ChangeNone, run(t, p, &remove).Change)
}

func TestSearchesMislead(t *testing.T) {
	p, _ := made(t)
	find := func(properties string) ([]contract.Found, contract.Completeness) {
		var found []contract.Found
		r := request("noop:thing", contract.VerbCreate, properties, "")
		end, err := p.Find(t.Context(), &contract.FindRequest{Context: r.Context, Target: r.Target}, func(f contract.Found) { found = append(found, f) })
		require.NoError(t, err)
		return found, end.Completeness
	}
	run(t, p, request("noop:thing", contract.VerbCreate, `{}`, ""))
	for range 2 {
		found, sure := find(`{"inconclusive_times":2}`)
		require.Empty(t, found)
		require.Equal(t, contract.Inconclusive, sure)
	}
	found, sure := find(`{"inconclusive_times":2,"ambiguous_times":1}`)
	require.Len(t, found, 2)
	require.Equal(t, contract.Complete, sure)
	found, _ = find(`{"ambiguous_times":1}`)
	require.Len(t, found, 1)
	throttled := run(t, p, request("noop:thing", contract.VerbEnsure, `{"fail":"throttled","retry_after_ms":1500}`, ""))
	require.Equal(t, 1500*time.Millisecond, throttled.Diagnostics[0].RetryAfter)
}

// In a bubble, since what is late must not be late for real.
func TestALostWriteLandsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := noop.New("1.0.0")
		require.NoError(t, err)
		defer p.Close()
		create := request("noop:thing", contract.VerbCreate, `{"late_ms":2000}`, "")
		lost := run(t, p, create)
		require.Equal(t, contract.OutcomeUnknown, lost.Outcome)
		require.Equal(t, provider.Network, lost.Diagnostics[0].Kind)
		find := func() (int, contract.Completeness) {
			n := 0
			end, err := p.Find(context.Background(), &contract.FindRequest{Context: create.Context, Target: create.Target},
				func(contract.Found) { n++ })
			require.NoError(t, err)
			return n, end.Completeness
		}
		n, sure := find()
		require.Zero(t, n)
		require.Equal(t, contract.Inconclusive, sure, "what is on its way must not be called absent")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		n, sure = find()
		require.Equal(t, 1, n)
		require.Equal(t, contract.Complete, sure)
	})
}
