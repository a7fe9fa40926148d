package sqlite_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
)

// benchRun is a new run over resources in one region, with its token and last version.
type benchRun struct {
	id, deployment string
	token, version int64
	resources      int
}

func newRun(n, resources int) store.NewRun {
	graphID, runID := fmt.Sprintf("%08x", n), fmt.Sprint("run-", n)
	graph := store.NewGraph{Graph: store.Graph{
		Tenant: "t", ID: graphID, DeploymentID: fmt.Sprint("d", n), Version: "v1", Kind: store.DeploymentGraph,
		Spec: json.RawMessage("{}"), CreatedAt: time.Now(),
	}}
	for i := range resources {
		graph.Resources = append(graph.Resources, store.Resource{
			ResourceID: fmt.Sprint("resource-", i), Type: "noop:thing", NodeID: nodeID(i),
			Placements: []store.Placement{{Region: "eu-west-1", Name: fmt.Sprint("name-", i), State: store.Planned}},
		})
	}
	return store.NewRun{
		Run: store.Run{
			ID: runID, Tenant: "t", DeploymentID: graph.Graph.DeploymentID, GraphID: graphID, PlanGraphID: graphID,
			ExecGraphID: "e" + graphID[1:], Kind: execution.Apply, Status: execution.RunQueued, CreatedAt: time.Now(),
		},
		Graph: &graph,
		Event: execution.Event{RunID: runID, Version: 1, At: time.Now(), Kind: execution.RunChanged, RunStatus: execution.RunQueued},
	}
}

// nodeID spreads as random ids do.
func nodeID(i int) string { return fmt.Sprintf("%08x", uint32(i)*2654435761) }

func startRun(t testing.TB, s *sqlite.Store, n, resources int) *benchRun {
	run := newRun(n, resources)
	require.NoError(t, s.CreateRun(t.Context(), run))
	token, version, err := s.AcquireRun(t.Context(), store.Claim{RunID: run.Run.ID, Owner: "host"})
	require.NoError(t, err)
	return &benchRun{id: run.Run.ID, deployment: run.Run.DeploymentID, token: token, version: version, resources: resources}
}

// write is what one operation's intent, or its end, commits.
func (r *benchRun) write(n int) store.Write {
	r.version++
	node := nodeID(n / 2 % r.resources)
	event := execution.Event{
		RunID: r.id, Version: r.version, At: time.Now().UTC(), Kind: execution.Intent, Operation: node + "@eu-west-1",
		Attempt: 1, Generation: 1, Key: "3f8a6f0f6b1c4a8e", WriteBy: time.Now().UTC(),
	}
	placement := store.PlacementWrite{Tenant: "t", DeploymentID: r.deployment, NodeID: node, Region: "eu-west-1", State: store.Maybe}
	if n%2 == 1 {
		outputs := json.RawMessage(`{"arn":"arn:aws:lambda:eu-west-1:123456789012:function:thing","name":"thing"}`)
		event = execution.Event{
			RunID: r.id, Version: r.version, At: time.Now().UTC(), Kind: execution.Ended, Operation: node + "@eu-west-1",
			Status: execution.Completed, Outcome: contract.OutcomeApplied, Change: contract.ChangeCreated,
			Identity: "arn:aws:lambda:eu-west-1:123456789012:function:thing", Outputs: outputs,
			Labels: map[string]string{"mgraph:deploy-id": "d", "mgraph:node-id": node}, RequestID: "b1c4a8e",
		}
		placement.State, placement.Made, placement.Identity, placement.Outputs = store.Live, true, event.Identity, outputs
	}
	return store.Write{RunID: r.id, Token: r.token, Events: []execution.Event{event}, Placements: []store.PlacementWrite{placement}}
}

func report(b *testing.B, events int) {
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCommit commits batches of intents and ends, each with its placement, of one run or of one run a write.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 16, 256, 1000} {
		for _, runs := range slices.Compact([]int{1, size}) {
			b.Run(fmt.Sprintf("batch=%d/runs=%d", size, runs), func(b *testing.B) {
				s := open(b, b.TempDir())
				defer func() { require.NoError(b, s.Close()) }()
				hands := make([]*benchRun, runs)
				for i := range hands {
					hands[i] = startRun(b, s, i+1, max(1, 1000/runs))
				}
				writes, n := make([]store.Write, size), 0
				b.ReportAllocs()
				for b.Loop() {
					for i := range writes {
						writes[i] = hands[i%runs].write(n / runs)
						n++
					}
					mustCommit(b, s, writes)
				}
				report(b, n)
			})
		}
	}
}

func mustCommit(b *testing.B, s *sqlite.Store, writes []store.Write) {
	refused, err := s.Commit(b.Context(), writes)
	require.NoError(b, err)
	for _, err := range refused {
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGroupCommit has callers that each wait for their own event to be durable, and one committer that takes what
// waits, as the journal does.
func BenchmarkGroupCommit(b *testing.B) {
	for _, callers := range []int{1, 16, 64, 256, 1024} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, b.TempDir())
			defer func() { require.NoError(b, s.Close()) }()
			run := startRun(b, s, 1, 10000)
			queue := make(chan chan struct{}, callers)
			var committer, waiters sync.WaitGroup
			b.ResetTimer()
			committer.Go(func() { commitGroups(b, s, run, queue) })
			each := b.N/callers + 1
			for range callers {
				waiters.Go(func() {
					done := make(chan struct{})
					for range each {
						queue <- done
						<-done
					}
				})
			}
			waiters.Wait()
			close(queue)
			committer.Wait()
			report(b, each*callers)
		})
	}
}

func commitGroups(b *testing.B, s *sqlite.Store, run *benchRun, queue chan chan struct{}) {
	n, commits := 0, 0
	defer func() { b.ReportMetric(float64(n)/float64(max(commits, 1)), "events/commit") }()
	for first := range queue {
		waiting := []chan struct{}{first}
		for more := true; more && len(waiting) < 1000; {
			select {
			case next, open := <-queue:
				if more = open; open {
					waiting = append(waiting, next)
				}
			default:
				more = false
			}
		}
		writes := make([]store.Write, len(waiting))
		for i := range writes {
			writes[i] = run.write(n)
			n++
		}
		mustCommit(b, s, writes)
		commits++
		for _, done := range waiting {
			done <- struct{}{}
		}
	}
}

// BenchmarkCreateRun creates a run with a new graph of 10,000 resources, and again over the same resources.
func BenchmarkCreateRun(b *testing.B) {
	const resources = 10000
	for _, again := range []bool{false, true} {
		b.Run(fmt.Sprintf("again=%t", again), func(b *testing.B) {
			s := open(b, b.TempDir())
			defer func() { require.NoError(b, s.Close()) }()
			n := 0
			for b.Loop() {
				b.StopTimer()
				n++
				run := newRun(n, resources)
				if again {
					run.Run.DeploymentID, run.Graph.Graph.DeploymentID, run.Run.Kind = "one", "one", execution.Verify
				}
				b.StartTimer()
				require.NoError(b, s.CreateRun(b.Context(), run))
			}
		})
	}
}

// BenchmarkRead reads back the events of a run, and the resources of a deployment.
func BenchmarkRead(b *testing.B) {
	s := open(b, b.TempDir())
	defer func() { require.NoError(b, s.Close()) }()
	run := startRun(b, s, 1, 10000)
	var writes []store.Write
	for n := range 20000 {
		writes = append(writes, run.write(n))
	}
	mustCommit(b, s, writes)
	b.Run("events=20000", func(b *testing.B) {
		for b.Loop() {
			events, err := s.Events(b.Context(), run.id, 0, 0)
			require.NoError(b, err)
			require.Len(b, events, 20001)
		}
	})
	b.Run("resources=10000", func(b *testing.B) {
		for b.Loop() {
			list, err := s.Resources(b.Context(), "t", run.deployment)
			require.NoError(b, err)
			require.Len(b, list, 10000)
		}
	})
}
