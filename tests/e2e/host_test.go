package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
)

func TestTwoHostsDoNotShareADataDirectory(t *testing.T) {
	t.Parallel()
	first := start(t, nil)
	second := open(t, func(o *rig.HostOptions) { o.DataDir = first.DataDir })
	require.NoError(t, second.Launch())
	select {
	case <-second.Ended():
	case <-time.After(patience):
		require.Fail(t, "the second host neither starts nor ends")
	}
	var exit *exec.ExitError
	require.ErrorAs(t, second.Stop(second.ctx), &exit)
	require.Positive(t, exit.ExitCode())
	require.Contains(t, second.log(), "owns the data directory")
	require.True(t, first.applied(config(t, "app", chain)).Success, "the first one is not disturbed")

	// It waits for one that goes, and takes over what that one has left.
	third := open(t, func(o *rig.HostOptions) { o.DataDir = first.DataDir })
	require.NoError(t, third.Launch())
	first.Kill()
	require.NoError(t, third.AwaitReady(third.ctx))
	list, err := third.Client.Deployments(third.ctx, rest.ListQuery{})
	require.NoError(t, err)
	require.Len(t, list.Deployments, 1)
}

func TestTheDataDirectoryIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.applied(config(t, "app", chain))
	require.NoError(t, filepath.WalkDir(s.DataDir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is %s", path, info.Mode())
		return nil
	}))
}

func TestAHostThatIsAskedToStopDrains(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	run := s.begin(config(t, "app", `{
		"a": {"type": "noop:thing", "properties": {"sleep_ms": 1000}},
		"b": {"type": "noop:thing", "depends_on": ["a"]}
	}`))
	s.until("the first operation is in flight", func() bool { return s.statuses(run.GraphID)["a"] == "running" })
	waiting := make(chan *answer, 1)
	go func() {
		body := []byte(`{"graph_id": "` + run.GraphID + `", "credentials": {"noop": {}}}`)
		waiting <- s.ask(http.MethodPost, "/deploy/verify", body) // this one may still be answered
	}()
	<-waiting
	require.NoError(t, s.Stop(s.ctx), "it ends with 0")
	require.Empty(t, s.Providers())
	require.Equal(t, 1, s.outside(), "what was in flight has finished, and nothing else was started")

	require.NoError(t, s.Start(s.ctx))
	status, err := s.Client.Status(s.ctx, run.GraphID, "")
	require.NoError(t, err)
	require.Equal(t, rest.RunInterrupted, status.Status)
	require.Equal(t, map[string]string{"a": "completed", "b": "pending"}, s.statuses(run.GraphID))
	require.True(t, s.resume(run.GraphID).Success)
	require.Equal(t, 2, s.outside())
}

func TestWhoeverWaitsForARunIsAnsweredWhenTheHostStops(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	done := make(chan error, 1)
	go func() {
		_, err := s.Client.Apply(s.ctx, &rest.ApplyRequest{Config: config(t, "app", slowly)})
		done <- err
	}()
	s.until("the run is at work", func() bool { return s.outside() > 0 })
	require.NoError(t, s.Stop(s.ctx))
	require.NoError(t, <-done, "the answer is the run as it stands, not a broken connection")
}

func TestAKilledHostLeavesNoProviderBehind(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.begin(config(t, "app", slowly))
	s.until("a provider is there", func() bool { return len(s.Providers()) == 1 })
	provider := s.Providers()[0]
	s.Kill()
	require.NoError(t, s.AwaitReleased(s.ctx))
	s.until("the provider is gone", func() bool { return errors.Is(syscall.Kill(provider.PID, 0), syscall.ESRCH) })
}
