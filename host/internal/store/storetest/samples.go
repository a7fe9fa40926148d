package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

const (
	tenantA, tenantB         = "tenant-a", "tenant-b"
	operationA, operationB   = "00000001@eu-west-1", "00000002"
	deploymentA, deploymentB = "shop", "blog"
)

// at is a moment of the tests' own time, to the nanosecond.
func at(seconds int) time.Time {
	return time.Date(2026, 11, 22, 10, 0, seconds, 123456789, time.UTC)
}

// id is a graph or node id.
func id(n int) string { return fmt.Sprintf("%08x", n) }

func graphOf(tenant, deployment string, n int) store.NewGraph {
	return store.NewGraph{Graph: store.Graph{
		Tenant: tenant, ID: id(n), DeploymentID: deployment, Version: fmt.Sprintf("v%d", n), Kind: store.DeploymentGraph,
		Spec: json.RawMessage(`{ "n": 1.0, "html": "<&>" }`), CreatedAt: at(n), CreatedBy: "key of " + tenant,
	}}
}

// resource has a placement in two regions.
func resource(n int) store.Resource {
	return store.Resource{
		ResourceID: fmt.Sprintf("resource-%d", n), Type: "aws:s3:bucket", NodeID: id(n),
		Placements: []store.Placement{
			{Region: "eu-west-1", Name: fmt.Sprintf("name-%d", n), State: store.Planned},
			{Region: "us-east-1", Name: fmt.Sprintf("name-%d", n), State: store.Planned},
		},
	}
}

// runOf is an apply of a new graph, with two resources; n makes its ids.
func runOf(tenant, deployment string, n int) store.NewRun {
	graph := graphOf(tenant, deployment, n)
	graph.Resources = []store.Resource{resource(1), resource(2)}
	run := runOver(tenant, deployment, n, graph.Graph.ID)
	run.Graph = &graph
	return run
}

// runOver is an apply of a graph that is stored.
func runOver(tenant, deployment string, n int, graphID string) store.NewRun {
	runID := fmt.Sprintf("run-%d", n)
	return store.NewRun{
		Run: store.Run{
			ID: runID, Tenant: tenant, DeploymentID: deployment, GraphID: graphID, PlanGraphID: graphID,
			ExecGraphID: fmt.Sprintf("e%07x", n), Kind: execution.Apply, Mode: "FULL", Status: execution.RunQueued,
			StartedBy: "key of " + tenant, CreatedAt: at(n), UpdatedAt: at(n), Options: json.RawMessage(`{"only":["a"]}`),
		},
		Event: execution.Event{
			RunID: runID, Version: 1, At: at(n), Kind: execution.RunChanged, RunStatus: execution.RunQueued, By: "key",
		},
	}
}

// start creates a run, acquires it, and gives a hand to write with.
func (s *suite) start(run store.NewRun) *hand {
	require.NoError(s, s.store.CreateRun(s.ctx(), run))
	return s.take(run.Run.ID)
}

// take acquires a run.
func (s *suite) take(runID string) *hand {
	token, version, err := s.store.AcquireRun(s.ctx(), store.Claim{RunID: runID, Owner: "host-1"})
	require.NoError(s, err)
	return &hand{run: runID, token: token, version: version}
}

// hand writes a run: it knows the token and the last version.
type hand struct {
	run            string
	token, version int64
}

// next is a write of some events more.
func (h *hand) next(events ...execution.Event) store.Write {
	for i := range events {
		h.version++
		events[i].RunID, events[i].Version = h.run, h.version
	}
	return store.Write{RunID: h.run, Token: h.token, Events: events}
}

// status is a write that changes the run's status.
func (h *hand) status(status execution.RunStatus, seconds int) store.Write {
	return h.next(execution.Event{At: at(seconds), Kind: execution.RunChanged, RunStatus: status})
}

func progress(seconds int) execution.Event {
	return execution.Event{At: at(seconds), Kind: execution.Progressed, Operation: operationA, Fraction: 0.25, Message: "on its way"}
}

// commit requires that a batch is stored, all of it.
func (s *suite) commit(writes ...store.Write) {
	for _, err := range s.try(writes...) {
		require.NoError(s, err)
	}
}

// try commits a batch, and gives what it answers to each write.
func (s *suite) try(writes ...store.Write) []error {
	refused, err := s.store.Commit(s.ctx(), writes)
	require.NoError(s, err)
	require.Len(s, refused, len(writes))
	return refused
}

func (s *suite) run(tenant, runID string) store.Run {
	run, err := s.store.Run(s.ctx(), tenant, runID)
	require.NoError(s, err)
	return run
}

func (s *suite) events(runID string) []execution.Event {
	events, err := s.store.Events(s.ctx(), runID, 0, 0)
	require.NoError(s, err)
	return events
}

func (s *suite) logLines(runID, operation string) []store.LogLine {
	lines, err := s.store.Logs(s.ctx(), runID, operation)
	require.NoError(s, err)
	return lines
}

func (s *suite) deployment(tenant, deployment string) store.Deployment {
	d, err := s.store.Deployment(s.ctx(), tenant, deployment)
	require.NoError(s, err)
	return d
}

func (s *suite) resources(tenant, deployment string) []store.Resource {
	list, err := s.store.Resources(s.ctx(), tenant, deployment)
	require.NoError(s, err)
	return list
}

// fullEvent has a value in every field, so that a field that a store forgets is missed.
func fullEvent() execution.Event {
	return execution.Event{
		At: at(7), Kind: execution.Ended, Operation: operationA, Operations: []string{operationA, operationB}, Edge: id(9),
		RunStatus: execution.RunRunning, By: "someone", Reason: "because <of> this & that",
		Mode: execution.Step, Retry: true, Absent: true,
		Status: execution.Failed, Attempt: 3, Generation: 2, Key: "0123abcd", WriteBy: at(30), Host: "host-1", Settling: true, AbsentBefore: true, Planned: contract.ActionUpdate,
		Fraction: 0.75, Message: "naïve \u2028 \"quoted\" \\ line\nbreak", Outcome: contract.OutcomePartial,
		Change: contract.ChangeUpdated, Identity: "arn:aws:s3:::name", Outputs: json.RawMessage(`{"arn":"<&>","n":12345678901234567}`),
		Labels: map[string]string{"mgraph:node-id": id(1)},
		Checks: []execution.Check{{Name: "exists", Status: contract.CheckFail, Expected: "yes", Actual: "no", Message: "gone"}},
		Error: &contract.Diagnostic{
			Severity: contract.SeverityError, Kind: contract.KindConflict, Summary: "it failed", Detail: "twice",
			Pointer: "/name", Retry: contract.RetryAfterFix, RetryAfter: 3 * time.Second, VendorCode: "409", VendorRequestID: "vendor-1",
		},
		RequestID: "request-1", RetryAt: at(40),
	}
}

// requireFilled fails for a sample that has a field without a value: a field that is new in the port.
func (s *suite) requireFilled(sample any, except ...string) {
	value := reflect.ValueOf(sample)
	for i := range value.NumField() {
		name := value.Type().Field(i).Name
		skip := false
		for _, e := range except {
			skip = skip || e == name
		}
		require.True(s, skip || !value.Field(i).IsZero(), "the sample leaves %s empty", name)
	}
}
