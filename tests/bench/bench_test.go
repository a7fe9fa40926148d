package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin/pgserver"
)

// TestMain lets the test binary be the host that is measured.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := serveProfiled(os.Args[2:]); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestEverythingIsMeasured runs the whole measurement with counts too small to say anything.
func TestEverythingIsMeasured(t *testing.T) {
	var out, progress bytes.Buffer
	o := options{
		sizes: sizes{small: 10, medium: 20, large: 40, huge: 60, bare: 30, deployments: 4, followers: 3}, rounds: 2, parent: t.TempDir(),
		json: filepath.Join(t.TempDir(), "deeper", "bench.json"), profiles: t.TempDir(), out: &out, progress: &progress,
	}
	require.NoError(t, bench(t.Context(), o))

	content, err := os.ReadFile(o.json)
	require.NoError(t, err)
	var reported []figure
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&reported))
	units := map[string]string{}
	for _, f := range reported {
		units[f.Name] = f.Unit
		require.Positive(t, f.Value, f.Name)
		require.InDelta(t, f.Value/f.Baseline, f.Ratio, 1e-9, f.Name)
	}
	want := map[string]string{
		"bare_stream": "calls/s", "apply_100_wide": "ops/s", "apply_100_layers": "ops/s", "apply_1000_wide": "ops/s",
		"apply_1000_layers": "ops/s", "apply_10000_wide": "ops/s", "apply_10000_layers": "ops/s", "plan_10000": "s",
		"memory_10000": "MB", "cost_growth": "times", "apply_50000_wide": "ops/s", "apply_50000_layers": "ops/s",
		"cost_growth_50000": "times", "apply_1000x10": "ops/s", "status_under_load": "ms", "events_100_followers": "events/s",
	}
	hosts := 12
	if _, err := pgserver.Binaries(t.Context()); err == nil {
		hosts += 5
		for _, name := range []string{"postgres_1000_wide", "postgres_1000_layers", "postgres_1000x10_one_host", "postgres_1000x10_two_hosts"} {
			want[name] = "ops/s"
		}
	}
	require.Equal(t, want, units)
	require.Contains(t, out.String(), "apply_1000_layers")
	require.Contains(t, progress.String(), "round 2 of 2")
	left, err := os.ReadDir(o.parent)
	require.NoError(t, err)
	require.Empty(t, left, "nothing is left behind")
	profiles, err := filepath.Glob(filepath.Join(o.profiles, "*.cpu"))
	require.NoError(t, err)
	require.Len(t, profiles, 2*hosts)
}

func TestAHostThatDoesNotStartIsAnError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "absent")
	err := bench(t.Context(), options{sizes: sizes{1, 1, 1, 1, 1, 1, 1}, rounds: 1, host: missing, parent: t.TempDir(), progress: os.Stderr})
	require.ErrorContains(t, err, "start host")
}

func TestLayersHaveThreePredecessorsInTheLayerBefore(t *testing.T) {
	config := deployment("d", layers, 1000)
	layerOf := map[string]int{}
	for i, resource := range config.Resources {
		layerOf[resource.ID] = i / 100
		before := map[string]bool{}
		for _, dependency := range resource.Definition.DependsOn {
			before[dependency.Resource] = true
			require.Equal(t, layerOf[resource.ID]-1, layerOf[dependency.Resource])
		}
		if i < 100 {
			require.Empty(t, before)
			continue
		}
		require.Len(t, before, predecessors)
		require.Len(t, resource.Definition.References, 1)
	}
	for _, resource := range deployment("d", wide, 50).Resources {
		require.Empty(t, resource.Definition.DependsOn)
	}
}

func TestMedianIsTheMiddle(t *testing.T) {
	require.InDelta(t, 2, samples{9, 1, 2}.median(), 0)
	require.InDelta(t, 2.5, samples{9, 1, 2, 3}.median(), 0)
	require.Nil(t, worst(nil, samples{1}))
	require.Equal(t, samples{2}, worst(samples{1}, samples{2}))
	require.Equal(t, samples{3}, worst(samples{3}, samples{2}))
}

func TestPeakMemoryCountsChildren(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("there is no /proc here")
	}
	alone, err := peakMemory(os.Getpid())
	require.NoError(t, err)
	child := exec.Command("sleep", "60")
	require.NoError(t, child.Start())
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	its, err := peakOf(child.Process.Pid)
	require.NoError(t, err)
	together, err := peakMemory(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, its)
	require.GreaterOrEqual(t, together, alone+its)
}

func TestStatIsReadWhateverTheNameIs(t *testing.T) {
	for content, want := range map[string][2]int{
		"12 (sleep) S 3 12 12":      {12, 3},
		"12 (a) b (c) ) S 3 12 12":  {12, 3},
		"7 (1 (2) 3 4) R 1 0 0 0 0": {7, 1},
	} {
		pid, parent, ok := parseStat([]byte(content))
		require.True(t, ok, content)
		require.Equal(t, want, [2]int{pid, parent}, content)
	}
	for _, content := range []string{"", "12", "12 (sleep)", "x (sleep) S 3", "12 (sleep) S x"} {
		_, _, ok := parseStat([]byte(content))
		require.False(t, ok, content)
	}
}
