package pluginhost_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/pluginhost"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/serve"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/noop"
)

// TestMain lets a copy of the test binary be the provider: it is one when it is called like one, and its version is the name
// of the folder that it was started from.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), pluginhost.ExecutablePrefix) {
		serve.MainVersion(filepath.Base(filepath.Dir(os.Args[0])), noop.New)
	}
	os.Exit(m.Run())
}

// digests is the store's part.
type digests struct {
	mu       sync.Mutex
	recorded map[string]string
}

func (d *digests) PinDigest(_ context.Context, provider, version, digest string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := provider + " " + version
	if d.recorded[key] == "" {
		d.recorded[key] = digest
	}
	return d.recorded[key], nil
}

type place struct {
	t    *testing.T
	dir  string
	host *pluginhost.Host
	lock *os.File
}

func open(t *testing.T, versions ...string) *place {
	p := &place{t: t, dir: t.TempDir()}
	for _, version := range versions {
		p.install(version, "")
	}
	var err error
	p.lock, err = os.Create(filepath.Join(t.TempDir(), "lock"))
	require.NoError(t, err)
	p.host, err = pluginhost.New(pluginhost.Options{
		Dir: p.dir, KeyDir: filepath.Join(t.TempDir(), "keys"), Inherit: p.lock,
		Digests: &digests{recorded: map[string]string{}}, Log: hclog.NewNullLogger(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(p.host.Stop)
	return p
}

// install copies the test binary; what is put behind it changes its digest and nothing else.
func (p *place) install(version, behind string) string {
	content, err := os.ReadFile(os.Args[0])
	require.NoError(p.t, err)
	folder := filepath.Join(p.dir, "noop", version)
	require.NoError(p.t, os.MkdirAll(folder, 0o755))
	path := filepath.Join(folder, pluginhost.ExecutablePrefix+"noop")
	require.NoError(p.t, os.RemoveAll(path))
	require.NoError(p.t, os.WriteFile(path, append(content, behind...), 0o755))
	return path
}

func (p *place) status(version string) pluginhost.Status {
	for _, s := range p.host.Status() {
		if s.Version == version {
			return s
		}
	}
	p.t.Fatalf("no version %s", version)
	return pluginhost.Status{}
}

// processes finds the provider processes that were started from this place.
func (p *place) processes() []int {
	var pids []int
	entries, err := os.ReadDir("/proc")
	require.NoError(p.t, err)
	for _, entry := range entries {
		var pid int
		if _, err := fmt.Sscan(entry.Name(), &pid); err != nil {
			continue
		}
		target, err := os.Readlink(filepath.Join("/proc", entry.Name(), "exe"))
		if err == nil && strings.HasPrefix(target, p.dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestVersionsSideBySide(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0", "1.2.0", "2.0.0-rc.1")
	require.Equal(t, []string{"noop"}, p.host.Names())
	newest, err := p.host.Pick(t.Context(), "noop", "")
	require.NoError(t, err)
	require.Equal(t, "1.2.0", newest.Version, "a pre-release is not picked by itself")
	older, err := p.host.Pick(t.Context(), "noop", "~1.0")
	require.NoError(t, err)
	require.Equal(t, "1.0.0", older.Version)
	require.Equal(t, "1.0.0", older.Description.Version)
	require.Equal(t, newest.Digest, older.Digest)
	_, err = p.host.Pick(t.Context(), "noop", ">=3")
	require.ErrorIs(t, err, pluginhost.ErrUnknown)
	_, err = p.host.Pick(t.Context(), "acme", "")
	require.ErrorIs(t, err, pluginhost.ErrUnknown)
	require.Len(t, p.processes(), 2, "a version that nobody asked for is not started")
}

func TestOneProcessServesAllCalls(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			provider, _, release, err := p.host.Use(t.Context(), "noop", "1.0.0")
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			if _, err := provider.PublicKeys(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	require.Len(t, p.processes(), 1)
	require.Zero(t, p.status("1.0.0").Calls)
}

func TestADeadProviderIsStartedAgain(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	for range 2 {
		_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
		require.NoError(t, err)
		pids := p.processes()
		require.Len(t, pids, 1)
		require.NoError(t, syscall.Kill(pids[0], syscall.SIGKILL))
		require.Eventually(t, func() bool { return p.status("1.0.0").State == pluginhost.Backoff }, 10*time.Second, time.Millisecond)
	}
	provider, _, release, err := p.host.Use(t.Context(), "noop", "1.0.0")
	require.NoError(t, err)
	defer release()
	keys, err := provider.PublicKeys(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	require.Equal(t, 2, p.status("1.0.0").Restarts)
}

func TestAProviderThatDiesAgainAndAgainIsBroken(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	deaths := 0
	for {
		_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
		if err != nil {
			require.ErrorIs(t, err, pluginhost.ErrBroken)
			break
		}
		pids := p.processes()
		require.Len(t, pids, 1)
		require.NoError(t, syscall.Kill(pids[0], syscall.SIGKILL))
		deaths++
		require.LessOrEqual(t, deaths, 5, "it is started for ever")
		require.Eventually(t, func() bool { return p.status("1.0.0").State != pluginhost.Ready }, 10*time.Second, time.Millisecond)
	}
	require.Equal(t, 5, deaths)
	require.Equal(t, pluginhost.Broken, p.status("1.0.0").State)
	require.NotEmpty(t, p.status("1.0.0").Problem)

	require.NoError(t, p.host.Reload())
	_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
	require.NoError(t, err, "whoever reloads has it tried again")
}

func TestCallersWhoGoAwayBreakNoProvider(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		_, _ = p.host.Describe(gone, "noop", "1.0.0") // answered or not
	}
	require.NotEqual(t, pluginhost.Broken, p.status("1.0.0").State)
	require.Empty(t, p.status("1.0.0").Problem)
	_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
	require.NoError(t, err)
}

func TestACallInFlightWhenItsProviderDiesIsInterrupted(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	provider, _, release, err := p.host.Use(t.Context(), "noop", "1.0.0")
	require.NoError(t, err)
	defer release()
	failed := make(chan error, 1)
	go func() {
		_, err := provider.Execute(context.Background(), &contract.ExecuteRequest{
			Verb: contract.VerbCreate,
			Target: contract.Target{Type: "noop:thing", Properties: []byte(`{"sleep_ms": 60000}`), Labels: map[string]string{
				contract.LabelOwner: "o", contract.LabelDeployID: "d", contract.LabelResourceID: "r", contract.LabelNodeID: "n",
			}},
		}, func(contract.Event) {
			for _, pid := range p.processes() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
		failed <- err
	}()
	select {
	case err := <-failed:
		require.Equal(t, contract.KindInterrupted, contract.KindOf(err))
	case <-time.After(30 * time.Second):
		t.Fatal("the call never ended")
	}
}

func TestAChangedExecutableIsRefused(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
	require.NoError(t, err)
	pids := p.processes()
	p.install("1.0.0", "changed")
	require.NoError(t, syscall.Kill(pids[0], syscall.SIGKILL))
	require.Eventually(t, func() bool { return p.status("1.0.0").State == pluginhost.Backoff }, 10*time.Second, time.Millisecond)
	_, err = p.host.Describe(t.Context(), "noop", "1.0.0")
	require.ErrorIs(t, err, pluginhost.ErrBroken)
	require.Contains(t, p.status("1.0.0").Problem, "not the one first used")
	require.Equal(t, pluginhost.Broken, p.status("1.0.0").State)

	p.install("1.0.0", "")
	_, err = p.host.Describe(t.Context(), "noop", "1.0.0")
	require.NoError(t, err, "what was put back is what it was")
}

func TestWhatIsNoProviderIsBrokenAndNamed(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	path := p.install("1.1.0", "")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho hello\n"), 0o755))
	require.NoError(t, p.host.Reload())
	_, err := p.host.Describe(t.Context(), "noop", "1.1.0")
	require.ErrorIs(t, err, pluginhost.ErrBroken)
	require.Equal(t, pluginhost.Broken, p.status("1.1.0").State)
	_, err = p.host.Describe(t.Context(), "noop", "1.0.0")
	require.NoError(t, err, "that version only")

	p.install("1.1.0", "mended")
	require.NoError(t, p.host.Reload())
	_, err = p.host.Describe(t.Context(), "noop", "1.1.0")
	require.ErrorIs(t, err, pluginhost.ErrBroken)
	require.Contains(t, p.status("1.1.0").Problem, "not the one first used", "it is given another chance, and judged anew")
}

func TestReloadTakesAndDropsVersions(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0")
	_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
	require.NoError(t, err)
	p.install("1.1.0", "")
	require.NoError(t, os.RemoveAll(filepath.Join(p.dir, "noop", "1.0.0")))
	require.NoError(t, p.host.Reload())
	newest, err := p.host.Pick(t.Context(), "noop", "")
	require.NoError(t, err)
	require.Equal(t, "1.1.0", newest.Version)
	_, err = p.host.Describe(t.Context(), "noop", "1.0.0")
	require.ErrorIs(t, err, pluginhost.ErrUnknown)
	require.Eventually(t, func() bool { return len(p.processes()) == 1 }, 30*time.Second, 10*time.Millisecond, "the old one ends")
}

func TestTheEnvironmentIsCleared(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-of-the-host")
	p := open(t, "1.0.0")
	_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
	require.NoError(t, err)
	pids := p.processes()
	require.Len(t, pids, 1)
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pids[0]))
	require.NoError(t, err)
	require.NotContains(t, string(environ), "canary-of-the-host")
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", pids[0]))
	require.NoError(t, err)
	require.Equal(t, os.DevNull, target, "it has no standard input")
	lock, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/4", pids[0]))
	require.NoError(t, err)
	require.Equal(t, p.lock.Name(), lock, "it holds the lock of the data directory open")
}

func TestSocketsOfAKilledHostAreSweptAway(t *testing.T) {
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	t.Setenv("TMPDIR", t.TempDir())
	dead := filepath.Join(os.TempDir(), fmt.Sprintf("mgd-%d-1", ended.Process.Pid))
	alive := filepath.Join(os.TempDir(), fmt.Sprintf("mgd-%d-1", os.Getppid()))
	for _, dir := range []string{dead, alive} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "plugin-dir"), 0o700))
	}
	open(t)
	require.NoDirExists(t, dead)
	require.DirExists(t, alive)
}

func TestStopEndsEveryProcess(t *testing.T) {
	t.Parallel()
	p := open(t, "1.0.0", "1.1.0")
	for _, version := range []string{"1.0.0", "1.1.0"} {
		_, err := p.host.Describe(t.Context(), "noop", version)
		require.NoError(t, err)
	}
	p.host.Stop()
	require.Empty(t, p.processes())
	_, err := p.host.Describe(t.Context(), "noop", "1.0.0")
	require.ErrorIs(t, err, pluginhost.ErrStopped)
	require.ErrorIs(t, p.host.Reload(), pluginhost.ErrStopped)
}
