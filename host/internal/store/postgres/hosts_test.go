package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/postgres"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// newRun is a run over resources in one region.
func newRun(n, resources int) store.NewRun {
	graphID, runID := fmt.Sprintf("%08x", n), fmt.Sprint("run-", n)
	graph := store.NewGraph{Graph: store.Graph{
		Tenant: "t", ID: graphID, DeploymentID: fmt.Sprint("d", n), Version: "v1", Kind: store.DeploymentGraph,
		Spec: json.RawMessage("{}"), CreatedAt: time.Now(),
	}}
	for i := range resources {
		graph.Resources = append(graph.Resources, store.Resource{
			ResourceID: fmt.Sprint("resource-", i), Type: "noop:thing", NodeID: fmt.Sprintf("%08x", i),
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

// begun is a run at work, with its token and last version.
type begun struct {
	id, deployment string
	token, version int64
	resources      int
}

func begin(t testing.TB, s store.Store, n, resources int, ttl time.Duration) *begun {
	run := newRun(n, resources)
	require.NoError(t, s.CreateRun(t.Context(), run))
	token, version, err := s.AcquireRun(t.Context(), store.Claim{RunID: run.Run.ID, Owner: "host", TTL: ttl})
	require.NoError(t, err)
	return &begun{id: run.Run.ID, deployment: run.Run.DeploymentID, token: token, version: version, resources: resources}
}

// write is what the end of one operation commits.
func (b *begun) write() store.Write {
	b.version++
	node := fmt.Sprintf("%08x", int(b.version)%b.resources)
	outputs := json.RawMessage(`{"arn":"arn:aws:lambda:eu-west-1:123456789012:function:thing","name":"thing"}`)
	return store.Write{
		RunID: b.id, Token: b.token,
		Events: []execution.Event{{
			RunID: b.id, Version: b.version, At: time.Now().UTC(), Kind: execution.Ended, Operation: node + "@eu-west-1",
			Status: execution.Completed, Outputs: outputs, Labels: map[string]string{"mgraph:deploy-id": "d", "mgraph:node-id": node},
		}},
		Placements: []store.PlacementWrite{{
			Tenant: "t", DeploymentID: b.deployment, NodeID: node, Region: "eu-west-1", State: store.Live, Made: true,
			Identity: "arn", Outputs: outputs,
		}},
		Durations: []store.Duration{{Type: "noop:thing", Verb: "create", Took: time.Second}},
	}
}

func commit(t testing.TB, s store.Store, writes ...store.Write) {
	refused, err := s.Commit(t.Context(), writes)
	require.NoError(t, err)
	require.NoError(t, errors.Join(refused...))
}

// However much a batch holds, it takes the same few round trips.
func TestACommitIsAFewRoundTrips(t *testing.T) {
	s, counter, err := postgres.OpenCounted(t.Context(), pgserver.Shared(t).Schema(t))
	require.NoError(t, err)
	defer s.Close()
	var runs []*begun
	for n := range 20 {
		runs = append(runs, begin(t, s, n+1, 50, time.Hour))
	}
	for _, size := range []int{1, 1000} {
		var writes []store.Write
		for i := range size {
			writes = append(writes, runs[i%20].write())
		}
		counter.Trips()
		commit(t, s, writes...)
		require.LessOrEqual(t, counter.Trips(), int64(6), "a batch of %d", size)
	}
	counter.Trips()
	run := newRun(99, 2000)
	require.NoError(t, s.CreateRun(t.Context(), run))
	require.LessOrEqual(t, counter.Trips(), int64(20))
}

// Several hosts on one database: each commits its own runs, all count into the same durations, renew, and list; nobody loses
// anything, and nobody fails because another was in the way.
func TestHostsShareADatabase(t *testing.T) {
	address := pgserver.Shared(t).Schema(t)
	const hosts, rounds = 4, 30
	failures := make([]error, hosts)
	var wait sync.WaitGroup
	for n := range hosts {
		s := open(t, address)
		defer s.Close()
		runs := []*begun{begin(t, s, 10*n+1, 5, time.Hour), begin(t, s, 10*n+2, 5, time.Hour)}
		wait.Go(func() { failures[n] = work(t.Context(), s, runs, rounds) })
	}
	wait.Wait()
	require.NoError(t, errors.Join(failures...))
	s := open(t, address)
	defer s.Close()
	stats, err := s.Durations(t.Context(), "t")
	require.NoError(t, err)
	require.Equal(t, []store.DurationStat{{Type: "noop:thing", Verb: "create", Count: 2 * hosts * rounds, Mean: time.Second}}, stats)
	runs, err := s.ActiveRuns(t.Context())
	require.NoError(t, err)
	require.Len(t, runs, 2*hosts)
	for _, run := range runs {
		require.Equal(t, int64(1+rounds), run.Version)
	}
}

func work(ctx context.Context, s *postgres.Store, runs []*begun, rounds int) error {
	for i := range rounds {
		refused, err := s.Commit(ctx, []store.Write{runs[i%2].write(), runs[1-i%2].write()})
		if err := errors.Join(append(refused, err)...); err != nil {
			return err
		}
		if _, err := s.RenewLeases(ctx, "host", time.Hour, []string{runs[1].id, runs[0].id}); err != nil {
			return err
		}
	}
	return nil
}

// A transaction that the server takes back for the sake of another is made again, whole.
func TestContendedTransactionsAreMadeAgain(t *testing.T) {
	s := open(t, pgserver.Shared(t).Schema(t))
	defer s.Close()
	for _, code := range []string{"40001", "40P01"} {
		attempts := 0
		require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
			attempts++
			if _, err := tx.Exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, 'x')", "code "+code); err != nil {
				return err
			}
			if attempts < 3 {
				_, err := tx.Exec(ctx, "DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '"+code+"'; END $$")
				return err
			}
			return nil
		}))
		require.Equal(t, 3, attempts)
	}
	// Two that lock in opposite order: the server breaks one off, and both are done in the end.
	begin(t, s, 1, 1, 0)
	begin(t, s, 2, 1, 0)
	var meet sync.WaitGroup
	meet.Add(2)
	results := make(chan error, 2)
	for _, order := range [][]string{{"run-1", "run-2"}, {"run-2", "run-1"}} {
		go func() {
			met := false
			results <- s.Write(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
				for i, id := range order {
					if _, err := tx.Exec(ctx, "UPDATE runs SET mode = mode || 'x' WHERE id = $1", id); err != nil {
						return err
					}
					if i == 0 && !met {
						met = true
						meet.Done()
						meet.Wait()
					}
				}
				return nil
			})
		}()
	}
	require.NoError(t, <-results)
	require.NoError(t, <-results)
	run, err := s.Run(t.Context(), "t", "run-1")
	require.NoError(t, err)
	require.Equal(t, "xx", run.Mode)
}

// A host that stops in the middle of a transaction is not waited for: its locks end before long, and what it does then is refused.
func TestAStoppedHostIsNotWaitedFor(t *testing.T) {
	address := pgserver.Shared(t).Schema(t)
	s := open(t, address)
	defer s.Close()
	idle, err := s.Session(t.Context(), "idle_in_transaction_session_timeout")
	require.NoError(t, err)
	require.Equal(t, "10s", idle)

	stopped := open(t, address+"&idle_in_transaction_session_timeout=100ms")
	defer stopped.Close()
	begin(t, s, 1, 1, 0)
	locked, resume := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- stopped.Write(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE runs SET mode = 'stale' WHERE id = 'run-1'")
			close(locked)
			<-resume
			return err
		})
	}()
	<-locked
	_, _, err = s.AcquireRun(t.Context(), store.Claim{RunID: "run-1", Owner: "another", TTL: time.Hour})
	require.NoError(t, err)
	close(resume)
	require.Error(t, <-ended)
	run, err := s.Run(t.Context(), "t", "run-1")
	require.NoError(t, err)
	require.Empty(t, run.Mode)
}
