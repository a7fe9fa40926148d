package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

// three are operations one behind the other.
const three = `{
	"a": {"type": "noop:thing", "properties": {"value": "x"}},
	"b": {"type": "noop:thing", "references": {"from": "a"}},
	"c": {"type": "noop:thing", "depends_on": ["b"]}
}`

// TestAThousandDeploymentsAtOnce: all of them finish, and a host needs no more memory for a thousand than for a few hundred, beyond
// what a run is while it is at work.
func TestAThousandDeploymentsAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand deployments")
	}
	const deployments = 1000
	mostMB := 400
	if rig.Flavour != "" {
		mostMB *= 4 // the race detector keeps several words for each word
	}
	s := start(t, nil)
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	runs := make([]*rest.RunResult, deployments)
	var all sync.WaitGroup
	callers := make(chan struct{}, 64)
	for i := range runs {
		all.Go(func() {
			callers <- struct{}{}
			defer func() { <-callers }()
			result, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{Config: config(t, fmt.Sprint("app-", i), three)}, rest.Async())
			if err != nil {
				t.Errorf("deployment %d: %v", i, err)
				return
			}
			runs[i] = result
		})
	}
	all.Wait()
	for i, run := range runs {
		require.NotNil(t, run, i)
		require.True(t, s.await(run.RunID).Success, i)
	}
	require.Equal(t, 3*deployments, s.outside())
	require.Less(t, s.peakMB(), mostMB)
	list, err := s.Client.Runs(s.ctx, rest.RunsQuery{Status: rest.RunRunning})
	require.NoError(t, err)
	require.Empty(t, list.Runs)
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMB is the largest resident size that the host has had.
func (s *site) peakMB() int {
	s.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	require.NoError(s, err)
	kilobytes, err := strconv.Atoi(highWater.FindStringSubmatch(string(status))[1])
	require.NoError(s, err)
	return kilobytes / 1000
}

// TestAHundredFollowersOfOneRun: each sees every event once, in order, and is let go when the run stands; whoever comes again goes
// on where they were.
func TestAHundredFollowersOfOneRun(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	run := s.begin(config(t, "app", slowly))
	followed := make([][]frame, 100)
	var all sync.WaitGroup
	for i := range followed {
		all.Go(func() {
			lost := s.stream(run.GraphID, "", func(f frame) bool { return i%2 == 1 && f.id == rest.EventID(run.RunID, int64(i%5+1)) })
			followed[i] = lost
			if i%2 == 1 {
				followed[i] = append(followed[i], s.stream(run.GraphID, lost[len(lost)-1].id, nil)...)
			}
		})
	}
	all.Wait()
	whole := s.stream(run.GraphID, "", nil)
	require.Equal(t, "end", whole[len(whole)-1].event)
	for i, frames := range followed {
		require.Equal(t, whole, frames, i)
	}
}

func TestATenantIsHeldToItsRuns(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *rig.HostOptions) { o.Config = map[string]any{"limits": map[string]int{"active_runs": 1}} })
	first := s.begin(config(t, "app", slowly))
	refused := s.ask(http.MethodPost, "/deploy/apply", encode(t, &rest.ApplyRequest{Config: config(t, "other", chain)}))
	require.Equal(t, rest.KindTooMany, refused.problem(t).Kind)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	require.True(t, s.await(first.RunID).Success)
	require.True(t, s.applied(config(t, "other", chain)).Success)
}
