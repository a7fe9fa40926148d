package cli

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMoveCommands(t *testing.T) {
	w := newWorld(t)
	app := w.file(t, "app.json", twoThings)
	w.must(t, exitDone, "apply", app)

	held := w.must(t, exitWaits, "move", app, "--from", "eu-west-1", "--to", "ap-south-1")
	require.Contains(t, held.out, "move of demo paused")
	require.Contains(t, held.out, "move commit "+graphIn(t, held.out))
	undone := w.must(t, exitDone, "move", "discard", "demo")
	require.Contains(t, undone.out, "move of demo completed")
	require.Contains(t, w.must(t, exitRefused, "move", "commit", "demo").err, "discarded")

	w.must(t, exitWaits, "move", "demo", "--from", "eu-west-1", "--to", "ap-south-1")
	w.must(t, exitDone, "move", "commit", app)
	back := w.must(t, exitDone, "move", "demo", "--from", "ap-south-1", "--to", "eu-west-1", "--delete-after-verify")
	require.Contains(t, back.out, "move of demo completed")
	require.Contains(t, w.must(t, exitRefused, "move", "demo", "--from", "mars", "--to", "venus").err, "/from_region")
	require.Contains(t, w.must(t, exitRefused, "move", "commit", "nobody").err, "nothing of this deployment was ever moved")
	require.Contains(t, w.must(t, exitRefused, "move", "demo", "--sealed-properties", app).err, "boxes by pointer")
	other := w.file(t, "other.json", `{"noop": {"account": "other"}}`)
	require.NoError(t, os.Chmod(other, 0o600))
	w.must(t, exitWaits, "move", "demo", "--to-credentials-file", other)
	require.Contains(t, w.must(t, exitRefused, "move", "discard", "demo").err, "/to_credentials/noop")
	w.must(t, exitDone, "move", "discard", "demo", "--to-credentials-file", other)
	require.Contains(t, w.must(t, exitDone, "destroy", "demo").out, "destroy of demo completed")
}
