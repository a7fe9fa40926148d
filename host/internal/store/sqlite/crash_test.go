package sqlite_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
)

// commitChild makes runs and commits to them until it is killed, and says what was acknowledged.
func commitChild(dir string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, dir, sqlite.Options{})
	if err != nil {
		return err
	}
	var group errgroup.Group
	for range 3 {
		group.Go(func() error { return commitForever(ctx, s) })
	}
	return group.Wait()
}

func commitForever(ctx context.Context, s *sqlite.Store) error {
	run := newRun(0, 2)
	name := rand.Text()
	run.Run.ID, run.Event.RunID, run.Run.DeploymentID, run.Graph.Graph.DeploymentID = name, name, name, name
	run.Graph.Graph.ID, run.Run.GraphID, run.Run.PlanGraphID, run.Run.ExecGraphID = name, name, name, name+"-exec"
	if err := s.CreateRun(ctx, run); err != nil {
		return err
	}
	fmt.Println("ack", name, 1)
	token, version, err := s.AcquireRun(ctx, store.Claim{RunID: name, Owner: "child"})
	if err != nil {
		return err
	}
	for {
		var writes []store.Write
		for range 1 + mathrand.IntN(20) {
			version++
			writes = append(writes, numbered(name, token, version))
		}
		refused, err := s.Commit(ctx, writes)
		if err != nil {
			return err
		}
		for _, err := range refused {
			if err != nil {
				return err
			}
		}
		fmt.Println("ack", name, version)
	}
}

// numbered is a write that says its version wherever it writes.
func numbered(run string, token, version int64) store.Write {
	text := fmt.Sprint(run, " ", version)
	return store.Write{
		RunID: run, Token: token,
		Events: []execution.Event{{RunID: run, Version: version, Kind: execution.Progressed, Message: text}},
		Logs:   []store.OperationLog{{Operation: "o", Line: store.LogLine{Message: text}}},
		Placements: []store.PlacementWrite{
			{Tenant: "t", DeploymentID: run, NodeID: nodeID(0), Region: "eu-west-1", State: store.Maybe, Identity: text},
		},
	}
}

// Whatever a program was told is kept is there, and whole, however often and whenever it is killed.
func TestKilledWhileCommitting(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]int64{}
	for range 10 {
		killed := child("commit", dir)
		output, err := killed.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, killed.Start())
		lines := bufio.NewScanner(output)
		for left := mathrand.IntN(150); lines.Scan(); left-- {
			if left == 0 {
				require.NoError(t, killed.Process.Kill())
			}
			var run string
			var version int64
			_, err := fmt.Sscanf(lines.Text(), "ack %s %d", &run, &version)
			require.NoError(t, err)
			acknowledged[run] = version
		}
		require.ErrorContains(t, killed.Wait(), "killed")
		s := open(t, dir)
		checkRuns(t, s, acknowledged)
		require.NoError(t, s.Close())
	}
	require.NotEmpty(t, acknowledged)
}

// checkRuns requires of each run: no less than was acknowledged, no gap, and a row, a log and a placement that say the same.
func checkRuns(t *testing.T, s *sqlite.Store, acknowledged map[string]int64) {
	for run, version := range acknowledged {
		events, err := s.Events(t.Context(), run, 0, 0)
		require.NoError(t, err)
		require.GreaterOrEqual(t, int64(len(events)), version)
		row, err := s.Run(t.Context(), "t", run)
		require.NoError(t, err)
		require.Equal(t, int64(len(events)), row.Version)
		lines, err := s.Logs(t.Context(), run, "o")
		require.NoError(t, err)
		require.Len(t, lines, len(events)-1)
		for i, line := range lines {
			text := fmt.Sprint(run, " ", i+2)
			require.Equal(t, []string{text, text}, []string{events[i+1].Message, line.Message})
		}
		resources, err := s.Resources(t.Context(), "t", run)
		require.NoError(t, err)
		if len(lines) > 0 {
			require.Equal(t, lines[len(lines)-1].Message, resources[0].Placements[0].Identity)
		}
	}
}

// A store that was left half made is finished by the next who opens it.
func TestKilledWhileOpening(t *testing.T) {
	for range 8 {
		dir := t.TempDir()
		killed := child("open", dir)
		require.NoError(t, killed.Start())
		time.Sleep(mathrand.N(40 * time.Millisecond)) // when it is killed is the point
		_ = killed.Process.Kill()
		_ = killed.Wait()
		s := open(t, dir)
		startRun(t, s, 1, 1)
		require.NoError(t, s.Close())
	}
}
