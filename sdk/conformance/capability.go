package conformance

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// declaresCapabilities: a provider declares what its types have, and answers what it does not have as unsupported.
func declaresCapabilities(t *testing.T, s *suite) {
	has := map[contract.Capability]bool{}
	for i := range s.about.ResourceTypes {
		kind := &s.about.ResourceTypes[i]
		has[contract.CapabilityPlan] = has[contract.CapabilityPlan] || kind.Plans
		has[contract.CapabilityRollback] = has[contract.CapabilityRollback] || kind.Rollbacks
		has[contract.CapabilityExpand] = has[contract.CapabilityExpand] || kind.Composite
	}
	for _, capability := range contract.Capabilities() {
		require.Equal(t, has[capability], slices.Contains(s.about.Capabilities, capability), "capability %s", capability)
	}
	_, err := s.process(t).Plan(t.Context(), &contract.PlanRequest{Target: contract.Target{Type: "nobody:has:this"}})
	require.Equal(t, contract.KindUnsupported, contract.KindOf(err))
	_, err = s.process(t).Expand(t.Context(), &contract.ExpandRequest{Type: "nobody:has:this"})
	require.Equal(t, contract.KindUnsupported, contract.KindOf(err))
}

// plansTruly: a plan says what Execute then does, tells no secret, and changes nothing.
func plansTruly(t *testing.T, s *suite, j *subject) {
	if !j.kind.Plans {
		t.Skip("nothing of this type is planned")
	}
	before := s.count(t)
	planned := func(verb contract.Verb, properties map[string]any) contract.PlannedAction {
		standing := s.count(t)
		result := j.plan(t, verb, properties)
		require.Equal(t, standing, s.count(t), "a plan changed something")
		return result.Action
	}
	require.Equal(t, contract.ActionCreate, planned(contract.VerbCreate, j.given))
	require.Equal(t, contract.ActionCreate, planned(contract.VerbEnsure, j.given))
	require.Equal(t, contract.ActionConflict, planned(contract.VerbUpdate, j.given))
	require.Equal(t, contract.ActionNoOp, planned(contract.VerbDelete, j.given))
	j.applies(t, j.request(t, contract.VerbCreate))
	require.Equal(t, contract.ActionNoOp, planned(contract.VerbEnsure, j.given))
	require.Equal(t, contract.ActionConflict, planned(contract.VerbCreate, j.given))
	if j.other != nil {
		require.Equal(t, contract.ActionUpdate, planned(contract.VerbEnsure, j.other))
		require.NotEmpty(t, j.plan(t, contract.VerbEnsure, j.other).Changes, "an update that changes nothing")
	}
	require.Equal(t, contract.ActionDelete, planned(contract.VerbDelete, j.given))
	j.passes(t, j.given)
	j.remove(t)
	require.Equal(t, before, s.count(t))
}

// plan asks what a verb would do. Sensitive properties have no values in the answer.
func (j *subject) plan(t *testing.T, verb contract.Verb, properties map[string]any) *contract.PlanResult {
	t.Helper()
	result, err := j.process(t).Plan(t.Context(), &contract.PlanRequest{
		Context: j.context(t), Target: j.aim(t, properties), Verb: verb,
	})
	require.NoError(t, err)
	j.hear(t, result)
	require.Contains(t, contract.PlannedActions(), result.Action)
	if result.Action == contract.ActionConflict {
		diagnosed(t, result.Diagnostics)
	}
	for _, change := range result.Changes {
		if change.Sensitive || slices.Contains(j.kind.Sensitive, change.Pointer) {
			require.Nil(t, change.Before)
			require.Nil(t, change.After)
		}
	}
	return result
}

// bringsBack: an update, a delete and a create are undone from their records, twice with the same end; nobody else's record is
// taken.
func bringsBack(t *testing.T, s *suite, j *subject) {
	if !j.kind.Rollbacks {
		t.Skip("nothing of this type is brought back")
	}
	before := s.count(t)
	made := j.record(t, contract.VerbCreate, j.given)
	require.NotNil(t, made, "a create has no record")
	j.applies(t, j.request(t, contract.VerbCreate))
	if j.other != nil {
		j.undoesUpdate(t)
	}
	require.Equal(t, before+1, s.count(t))
	if deleted := j.record(t, contract.VerbDelete, j.given); deleted != nil {
		j.remove(t)
		j.undoes(t, deleted, j.given)
		require.Equal(t, before+1, s.count(t))
		j.passes(t, j.given)
	}
	j.undoes(t, made, j.given)
	j.owned = false
	j.gone(t)
	require.Equal(t, before, s.count(t))
	require.Equal(t, contract.ChangeNone, j.undoes(t, made, j.given).Change)
}

func (j *subject) undoesUpdate(t *testing.T) {
	t.Helper()
	record := j.record(t, contract.VerbUpdate, j.other)
	require.NotNil(t, record, "an update has no record")
	update := j.request(t, contract.VerbUpdate)
	update.Target = j.aim(t, j.other)
	j.applies(t, update)
	refused := j.in("another tenant").undo(t, record, j.other)
	require.Equal(t, contract.OutcomeNotApplied, refused.Outcome, "another tenant's record is taken")
	foreign := *record
	foreign.Format = "a format that nobody knows"
	require.Equal(t, contract.OutcomeNotApplied, j.undo(t, &foreign, j.other).Outcome)
	j.passes(t, j.other)
	j.undoes(t, record, j.other)
	j.passes(t, j.given)
	require.Equal(t, contract.ChangeNone, j.undoes(t, record, j.other).Change, "undone twice, and something changed again")
}

// record is what a plan writes down; nil for nothing.
func (j *subject) record(t *testing.T, verb contract.Verb, properties map[string]any) *contract.RollbackRecord {
	t.Helper()
	record := j.plan(t, verb, properties).Record
	if record != nil {
		require.NotEmpty(t, record.Format)
		require.NotEmpty(t, record.Data)
	}
	return record
}

// undo rolls back. The properties are those of what is undone.
func (j *subject) undo(t *testing.T, record *contract.RollbackRecord, properties map[string]any) *contract.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	request := &contract.RollbackRequest{Context: j.context(t), Target: j.aim(t, properties), Record: *record}
	request.Context.IdempotencyKey += "-undo"
	result, err := j.process(t).Rollback(ctx, request, func(contract.Event) {})
	require.NoError(t, err, "a call must end with a result")
	j.hear(t, result)
	if result.Outcome != contract.OutcomeApplied {
		diagnosed(t, result.Diagnostics)
	}
	return result
}

// undoes rolls back what must succeed.
func (j *subject) undoes(t *testing.T, record *contract.RollbackRecord, properties map[string]any) *contract.Result {
	t.Helper()
	result := j.undo(t, record, properties)
	require.Equal(t, contract.OutcomeApplied, result.Outcome, "%v", result.Diagnostics)
	j.owned, j.recorded = true, result.Outputs
	return result
}

// expandsRepeatably: byte for byte the same, whoever asks, without credentials; every part is of a known type and refers to others.
func expandsRepeatably(t *testing.T, s *suite, c *Case) {
	before := s.count(t)
	kind, ok := s.about.Type(c.Type)
	require.True(t, ok, "the provider has no type %q", c.Type)
	request := &contract.ExpandRequest{Type: c.Type, Properties: document(t, c.Properties)}
	for role := range c.References {
		request.Roles = append(request.Roles, role)
	}
	slices.Sort(request.Roles)
	expand := func(p *process) json.RawMessage {
		result, err := p.Expand(t.Context(), request)
		require.NoError(t, err)
		require.Empty(t, result.Diagnostics)
		s.hear(t, result)
		s.checkParts(t, kind, result)
		return document(t, result)
	}
	first := expand(s.process(t))
	for range 3 {
		require.Equal(t, string(first), string(expand(s.process(t))))
	}
	second := s.launch(t)
	defer second.end()
	require.Equal(t, string(first), string(expand(second)), "another process expands it otherwise")
	require.Equal(t, before, s.count(t))
}

func (s *suite) checkParts(t *testing.T, kind *contract.ResourceType, result *contract.ExpandResult) {
	t.Helper()
	names := map[string]bool{}
	for _, node := range result.Nodes {
		require.Regexp(t, `^[A-Za-z0-9_-]{1,64}$`, node.LocalName)
		require.False(t, names[node.LocalName], "a name stands twice")
		names[node.LocalName] = true
		_, known := s.about.Type(node.Type)
		require.True(t, known, "a part is of a type that the provider does not have")
		for _, from := range node.SealedProperties {
			require.Contains(t, kind.Sensitive, from)
		}
	}
	for _, edge := range result.Edges {
		require.True(t, names[edge.From] && names[edge.To], "an edge leads nowhere")
	}
	for name := range result.Outputs {
		require.True(t, slices.ContainsFunc(kind.Outputs, func(o contract.OutputField) bool { return o.Name == name }), "an output is not declared")
	}
}
