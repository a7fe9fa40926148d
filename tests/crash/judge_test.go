package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// The deployment of these tests: a role, a bucket in each of two regions, and a secret that holds the role's name.
const deployed = "app"

var (
	atRole   = place{"role", ""}
	atBucket = place{"bucket", "us-east-1"}
	atOther  = place{"bucket", "eu-west-1"}
	atSecret = place{"secret", ""}
)

func operationOf(id string, where place, kind, name string) rest.OperationStatus {
	return rest.OperationStatus{
		OperationSummary: rest.OperationSummary{ID: id, ResourceID: where.Resource, Region: where.Region, ResourceType: kind, Name: name},
		Status:           "completed",
	}
}

// completedRun is the events of a run that did all it should.
func completedRun(ids ...string) []event {
	events := []event{{Kind: "run_changed", RunStatus: "queued"}, {Kind: "run_changed", RunStatus: "running"}}
	for _, id := range ids {
		events = append(events, event{Kind: "operation_intent", Operation: id, Attempt: 1},
			event{Kind: "operation_ended", Operation: id, Status: "completed", Outcome: "APPLIED"})
	}
	return numbered(append(events, event{Kind: "run_changed", RunStatus: "completed"}))
}

func numbered(events []event) []event {
	for i := range events {
		events[i].Version = int64(i + 1)
	}
	return events
}

// record gives a layer these events, as file, API and status all tell them.
func (l *layer) record(events []event) {
	h := replay(events)
	l.ledger = &ledgerRun{ID: l.run, Status: h.status, Version: h.version, Events: events}
	l.served, l.replayed = slices.Clone(events), nil
	l.told = map[int64]event{}
	for _, e := range events {
		l.told[e.Version] = e
	}
	l.version, l.spoken = h.version, h.version
	l.status.Status, l.status.EventVersion = h.status, h.version
	for i := range l.status.Operations {
		operation := &l.status.Operations[i]
		operation.Status, operation.IntentOpen = h.operation(operation.ID).status, h.operation(operation.ID).open
	}
}

func labelled(kind string, where place, name string, values map[string]string) thing {
	return thing{Type: kind, Region: where.Region, Name: name, Values: values, Labels: map[string]string{
		contract.LabelDeployID: deployed, contract.LabelResourceID: where.Resource, contract.LabelOwner: "o", contract.LabelNodeID: "n",
	}}
}

// allIsWell is the evidence of an apply that completed.
func allIsWell() *evidence {
	s := newScenario(deployed, "aws", "github")
	s.wants[atRole] = always(map[string]string{"policies": "p"})
	s.wants[atBucket], s.wants[atOther] = always(nil), always(map[string]string{"versioning": ""})
	s.wants[atSecret] = with(nil, "value", atRole, "arn")
	l := &layer{kind: "apply", scenario: s, run: "r1", status: &rest.StatusResponse{Operations: []rest.OperationStatus{
		operationOf("n1", atRole, "aws:iam:role", "app-role"), operationOf("n2@us-east-1", atBucket, "aws:s3:bucket", "b-n2"),
		operationOf("n2@eu-west-1", atOther, "aws:s3:bucket", "b-n2-eu-west-1"), operationOf("n3", atSecret, unlabelled, "S__N3"),
	}}}
	l.record(completedRun("n1", "n2@us-east-1", "n2@eu-west-1", "n3"))
	return &evidence{deploymentID: deployed, layers: []*layer{l}, things: []thing{
		labelled("aws:iam:role", atRole, "app-role", map[string]string{"policies": "p", "arn": "arn:role"}),
		labelled("aws:s3:bucket", atBucket, "b-n2", nil),
		labelled("aws:s3:bucket", atOther, "b-n2-eu-west-1", nil),
		{Type: unlabelled, Name: "S__N3", Values: map[string]string{"value": "arn:role"}},
	}}
}

// destroying adds a destroy that has got as far as these events.
func (e *evidence) destroying(events []event) {
	l := &layer{kind: "destroy", run: "r2", status: &rest.StatusResponse{Operations: e.layers[0].status.Operations}}
	l.status.Operations = slices.Clone(l.status.Operations)
	l.record(events)
	e.layers = append(e.layers, l)
}

func TestTheJudgeFindsNothingWhereAllIsWell(t *testing.T) {
	require.Empty(t, allIsWell().judge())

	t.Run("before anything was stored", func(t *testing.T) {
		require.Empty(t, (&evidence{deploymentID: deployed, layers: []*layer{{scenario: newScenario(deployed)}}}).judge())
	})
	t.Run("in the middle", func(t *testing.T) {
		e := allIsWell()
		e.layers[0].record(numbered(e.layers[0].ledger.Events[:5])) // n2 in one region is begun, whether or not it is there
		e.things = e.things[:2]
		require.Empty(t, e.judge())
		e.things = e.things[:1]
		require.Empty(t, e.judge())
	})
	t.Run("a bucket before it got its labels", func(t *testing.T) {
		e := allIsWell()
		e.layers[0].record(numbered(e.layers[0].ledger.Events[:5]))
		e.things = e.things[:2]
		e.things[1].Labels = nil
		require.Empty(t, e.judge())
	})
	t.Run("half destroyed", func(t *testing.T) {
		e := allIsWell()
		e.destroying(completedRun("n3", "n2@us-east-1")[:5]) // the secret is gone, the bucket perhaps
		e.things = e.things[:3]
		require.Empty(t, e.judge())
		e.things = []thing{e.things[0], e.things[2]}
		require.Empty(t, e.judge())
	})
	t.Run("destroyed", func(t *testing.T) {
		e := allIsWell()
		e.destroying(completedRun("n3", "n2@us-east-1", "n2@eu-west-1", "n1"))
		e.things = nil
		require.Empty(t, e.judge())
	})
}

func TestTheJudgeFindsWhatMustNotBe(t *testing.T) {
	tests := map[string]struct {
		rule  string
		spoil func(*evidence)
	}{
		"a thing that nobody asked for": {ruleOrphan, func(e *evidence) {
			e.things = append(e.things, thing{Type: "aws:s3:bucket", Region: "us-east-1", Name: "stranger"})
		}},
		"a thing of another deployment": {ruleOrphan, func(e *evidence) { e.things[1].Labels[contract.LabelDeployID] = "other" }},
		"a secret under another name":   {ruleOrphan, func(e *evidence) { e.things[3].Name = "S__N4" }},
		"a thing in another region":     {ruleOrphan, func(e *evidence) { e.things[1].Region = "ap-south-1" }},
		"a thing without any run":       {ruleOrphan, func(e *evidence) { e.layers[0] = &layer{scenario: e.layers[0].scenario} }},
		"the same thing twice":          {ruleDuplicate, func(e *evidence) { e.things = append(e.things, e.things[0]) }},
		"a thing before its intent": {ruleNoIntent, func(e *evidence) {
			e.layers[0].record(e.layers[0].ledger.Events[:4])
		}},
		"a run that is gone":       {ruleLost, func(e *evidence) { e.layers[0].ledger = nil }},
		"events that are gone":     {ruleLost, func(e *evidence) { e.layers[0].ledger.Events = e.layers[0].ledger.Events[:10] }},
		"a status that was better": {ruleLost, func(e *evidence) { e.layers[0].spoken++ }},
		"an event that was told otherwise": {ruleLost, func(e *evidence) {
			e.layers[0].told[4] = event{Version: 4, Kind: "operation_ended", Operation: "n1", Status: "failed"}
		}},
		"a gap": {ruleEvents, func(e *evidence) {
			e.layers[0].record(slices.Delete(slices.Clone(e.layers[0].ledger.Events), 5, 6))
		}},
		"an end without a beginning": {ruleEvents, func(e *evidence) {
			e.layers[0].record(numbered(append(completedRun("n1")[:4], event{Kind: "operation_ended", Operation: "n1", Status: "failed"})))
		}},
		"an attempt over an open one": {ruleEvents, func(e *evidence) {
			events := slices.Clone(completedRun("n1")[:3])
			e.layers[0].record(numbered(append(events, event{Kind: "operation_intent", Operation: "n1", Attempt: 2})))
		}},
		"a completion that settles nothing": {ruleEvents, func(e *evidence) {
			e.layers[0].record(numbered(append(completedRun("n1")[:3], event{Kind: "operation_ended", Operation: "n1", Status: "completed"})))
		}},
		"a status that its events do not give": {ruleEvents, func(e *evidence) { e.layers[0].status.Operations[2].Status = "pending" }},
		"a run status that its events do not give": {ruleEvents, func(e *evidence) {
			e.layers[0].status.Status = "failed"
		}},
		"a row that its events do not give": {ruleEvents, func(e *evidence) { e.layers[0].ledger.Status = "failed" }},
		"other events than the file's":      {ruleEvents, func(e *evidence) { e.layers[0].served[3].Status = "failed" }},
		"completed and not there":           {ruleNotDone, func(e *evidence) { e.things = e.things[1:] }},
		"completed with another value":      {ruleNotDone, func(e *evidence) { e.things[0].Values["policies"] = "q" }},
		"completed with another's old value": {ruleNotDone, func(e *evidence) {
			e.things[3].Values["value"] = "arn:before"
		}},
		"completed without labels": {ruleNotDone, func(e *evidence) { delete(e.things[1].Labels, contract.LabelOwner) }},
		"deleted and still there": {ruleLeftOver, func(e *evidence) {
			e.destroying(completedRun("n3", "n2@us-east-1", "n2@eu-west-1", "n1"))
			e.things = e.things[:1]
		}},
		"not deleted yet and gone": {ruleNotDone, func(e *evidence) {
			e.destroying(completedRun("n3", "n2@us-east-1")[:4])
			e.things = e.things[1:3]
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := allIsWell()
			test.spoil(e)
			found := e.judge()
			require.NotEmpty(t, found)
			require.True(t, slices.ContainsFunc(found, func(v violation) bool { return v.rule == test.rule }), "%v", found)
		})
	}
}

// TestOneHostAtATime: another may begin attempts only once the run was at rest in between.
func TestOneHostAtATime(t *testing.T) {
	events := numbered([]event{
		{Kind: "run_changed", RunStatus: "queued"}, {Kind: "run_changed", RunStatus: "running"},
		{Kind: "operation_intent", Operation: "n1", Attempt: 1},
		{Kind: "run_changed", RunStatus: "interrupted"}, {Kind: "run_changed", RunStatus: "running"},
		{Kind: "operation_intent", Operation: "n1", Attempt: 2, Settling: true}, {Kind: "operation_intent", Operation: "n2", Attempt: 1},
	})
	for name, test := range map[string]struct {
		hosts map[int64]string
		found int
	}{
		"one host, no name":        {nil, 0},
		"one after the other":      {map[int64]string{3: "a", 6: "b", 7: "b"}, 0},
		"the stale one goes on":    {map[int64]string{3: "a", 6: "b", 7: "a"}, 1},
		"the stale one goes first": {map[int64]string{3: "a", 6: "a", 7: "b"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := &evidence{}
			e.judgeHosts(&layer{run: "r", ledger: &ledgerRun{Events: events, Hosts: test.hosts}})
			require.Len(t, e.found, test.found)
			for _, v := range e.found {
				require.Equal(t, ruleTwoHosts, v.rule)
			}
		})
	}
}
