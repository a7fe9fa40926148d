package cli

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

const gated = `{"deployment_id":"demo","resources":{
	"one":{"type":"noop:thing"},
	"two":{"type":"noop:thing","depends_on":[{"resource":"one","edge_type":"pause"}]},
	"three":{"type":"noop:thing","depends_on":[{"resource":"one","edge_type":"pause"}]},
	"four":{"type":"noop:thing","depends_on":["two"]}}}`

func TestARunIsSteeredFromTheCommandLine(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", gated)
	step := w.must(t, exitWaits, "apply", app, "--mode", "step")
	require.Contains(t, step.out, "apply of demo paused")
	require.Contains(t, step.out, "Next: create two")
	require.Contains(t, w.must(t, exitDone, "status", "demo").out, "/deploy/continue")
	w.must(t, exitWaits, "watch", "demo", "-o", "json")

	released := w.must(t, exitWaits, "continue", "demo", "--from-node", "three", "--mode", "full")
	require.Contains(t, released.err, "released")
	require.Contains(t, released.out, "2 of 4 done")
	require.Contains(t, w.must(t, exitRefused, "continue", "demo", "--from-node", "four").err, "/from_node")

	skipped := w.must(t, exitDone, "continue", "demo", "--skip", "two")
	require.Contains(t, skipped.out, "3 of 4 done")
	require.Contains(t, skipped.out, "1 skipped")
	require.Contains(t, w.must(t, exitRefused, "continue", "demo", "--unskip", "two").err, "completed")
}

func TestARunIsCancelledFromTheCommandLine(t *testing.T) {
	w := newWorld(t)
	w.must(t, exitWaits, "apply", w.file(t, "app.json", gated))
	cancelled := w.must(t, exitDone, "cancel", "demo", "--grace", "1s", "-o", "json")
	var result rest.RunResult
	require.NoError(t, json.Unmarshal([]byte(cancelled.out), &result))
	require.Equal(t, rest.RunCancelled, result.Status)
	w.must(t, exitDone, "cancel", "demo")
	require.Contains(t, w.must(t, exitRefused, "continue", "demo").err, "cancelled")
}

func TestARateLimitIsNotNegative(t *testing.T) {
	w := newWorld(t)
	w.file(t, "config.json", `{"rate_limits":{"noop":{"per_second":-1}}}`)
	require.Contains(t, w.must(t, exitRefused, "status").err, "rate_limits of noop")
}
