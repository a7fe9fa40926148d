package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/graph"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestWhatIsSealedForACompositeIsOpenedByItsPart, and nowhere else: the box names what the caller sealed it for.
func TestWhatIsSealedForACompositeIsOpenedByItsPart(t *testing.T) {
	for kind, part := range map[string]string{"noop:stack": "x.base", "noop:site": "x.stack.base"} {
		t.Run(kind, func(t *testing.T) {
			h := build(t)
			box := h.seal(kind+"#/secret", "s3cr3t")
			with := func(box string) *rest.Config {
				return h.config(`{"x": {"type": "` + kind + `", "operation": "ensure", "properties": {"value": "v", "secret": "` + box + `"}}}`)
			}
			for _, purpose := range []string{"noop:thing#/secret", kind + "#/value", "credential"} {
				_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{Config: with(h.seal(purpose, "s3cr3t"))})
				require.Equal(t, "/config/resources/x/properties/secret", h.refused(engine.Invalid, err).Problems[0].Pointer)
			}
			_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{
				Config: h.config(`{"x": {"type": "noop:thing", "properties": {"secret": "` + box + `"}}}`),
			})
			h.refused(engine.Invalid, err)

			h.plugins.breakWith(times(2, part, never))
			failed := h.apply(&rest.ApplyRequest{Config: with(box)})
			require.Equal(t, part, failed.FailedOperation.ResourceID)
			_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{GraphID: failed.GraphID, Credentials: noCredentials})
			pointer := "/resources/x/properties/secret"
			require.Equal(t, []graph.Problem{{
				Pointer: "/sealed_properties/~1resources~1x~1properties~1secret", Message: "was never stored, and is needed again",
			}}, h.refused(engine.Invalid, err).Problems, "asked for once, where the caller gave it")
			h.restart()
			_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{
				GraphID: failed.GraphID, Credentials: noCredentials, SealedProperties: map[string]string{pointer: h.seal(kind+"#/secret", "another")},
			})
			h.refused(engine.Invalid, err)
			done := h.apply(&rest.ApplyRequest{
				GraphID: failed.GraphID, Credentials: noCredentials, SealedProperties: map[string]string{pointer: box},
			})
			require.True(t, done.Success, "%+v", done.FailedOperation)
			held := ""
			for _, operation := range h.status(done.GraphID).Operations {
				if operation.ResourceID == part {
					var outputs struct{ Fingerprint string }
					require.NoError(t, json.Unmarshal(operation.Outputs, &outputs))
					held = outputs.Fingerprint
				}
			}
			require.Equal(t, h.ring.Fingerprint("default", "s3cr3t"), held)

			for _, operation := range h.plugins.calls {
				for at, purpose := range operation.Target.SealedPurposes {
					require.Equal(t, "/secret", at)
					require.Equal(t, kind+"#/secret", purpose)
				}
			}
			graphs := []string{done.GraphID}
			for _, composite := range h.status(done.GraphID).Composites {
				graphs = append(graphs, composite.SubgraphID)
			}
			for _, id := range graphs {
				stored, err := h.store.Graph(t.Context(), "default", id)
				require.NoError(t, err)
				require.NotContains(t, string(stored.Spec), box)
			}
			again := h.apply(&rest.ApplyRequest{Config: with(h.seal(kind+"#/secret", "s3cr3t"))})
			require.True(t, again.Success)
			require.Zero(t, again.Changed, "the same value, sealed anew, changes nothing: %v", again.Changes)
		})
	}
}

// TestACompositeIsHeldReleasedAndSteeredAsOne: what a person says of it is said of its parts.
func TestACompositeIsHeldReleasedAndSteeredAsOne(t *testing.T) {
	stacks := `{
		"a": {"type": "noop:thing"},
		"held": {"type": "noop:stack", "properties": {"size": 2}, "depends_on": [{"resource": "a", "edge_type": "pause"}]},
		"other": {"type": "noop:thing", "depends_on": [{"resource": "a", "edge_type": "pause"}]},
		"empty": {"type": "noop:stack", "properties": {"size": 0}, "depends_on": [{"resource": "a", "edge_type": "pause"}]},
		"through": {"type": "noop:thing", "depends_on": ["empty"]},
		"never": {"type": "noop:stack", "depends_on": [{"resource": "a", "edge_type": "end"}]},
		"behind": {"type": "noop:thing", "depends_on": ["never"]}}`
	h := build(t)
	paused := h.apply(&rest.ApplyRequest{Config: h.config(stacks)})
	require.Equal(t, rest.RunPaused, paused.Status)
	stands := func() map[string]string {
		all := map[string]string{}
		for _, composite := range h.status(paused.GraphID).Composites {
			all[composite.ResourceID] = composite.Status
		}
		return all
	}
	require.Equal(t, map[string]string{"held": "paused", "empty": "completed", "never": "skipped"}, stands())
	require.Equal(t, "paused", h.standing(paused.GraphID)["through"], "an empty composite lets a pause through")
	require.Equal(t, "skipped", h.standing(paused.GraphID)["behind"])

	h.plugins.breakWith(times(1, "held.layer-1", denied))
	failed := h.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID, FromNode: "held"})
	require.Equal(t, rest.RunFailed, failed.Status)
	require.Equal(t, "failed", stands()["held"])
	require.Equal(t, "paused", h.standing(paused.GraphID)["other"])

	skipped := h.carryOn(&rest.ContinueRequest{GraphID: paused.GraphID, Skip: []string{"held"}})
	require.True(t, skipped.Success, "the part that is done stays done: %+v", skipped.FailedOperation)
	require.Equal(t, "skipped", stands()["held"])
	require.Equal(t, "completed", h.standing(paused.GraphID)["held.base"])
	require.Equal(t, "completed", h.standing(paused.GraphID)["other"])
}

func TestACompositeIsRetriedAsOneAndGoneThroughStepByStep(t *testing.T) {
	h := build(t)
	result := h.apply(&rest.ApplyRequest{
		Config: h.config(`{"s": {"type": "noop:stack", "operation": "ensure", "properties": {"size": 2}}, "after": {"type": "noop:thing", "depends_on": ["s"]}}`),
		Mode:   rest.ModeStep,
	})
	for _, next := range []string{"s.layer-1", "s.layer-1", "after"} {
		require.Equal(t, rest.RunPaused, result.Status)
		require.Equal(t, next, result.NextOperation.ResourceID)
		result = h.carryOn(&rest.ContinueRequest{GraphID: result.GraphID})
	}
	require.True(t, result.Success)

	h.plugins.breakWith(times(9, "after", denied))
	failed := h.apply(&rest.ApplyRequest{Config: h.config(`{
		"s": {"type": "noop:stack", "operation": "ensure", "properties": {"size": 2}},
		"after": {"type": "noop:thing", "operation": "ensure", "properties": {"value": "x"}, "depends_on": ["s"]}}`)})
	require.False(t, failed.Success)
	h.plugins.breakWith(nil)
	before := h.plugins.count("s.base ensure")
	again := h.carryOn(&rest.ContinueRequest{GraphID: failed.GraphID, Retry: []string{"s"}})
	require.True(t, again.Success, "%+v", again.FailedOperation)
	require.Equal(t, before+1, h.plugins.count("s.base ensure"))
	_, err := h.engine.Continue(t.Context(), h.caller, &rest.ContinueRequest{GraphID: failed.GraphID, Credentials: noCredentials, Skip: []string{"s.nothing"}})
	require.Error(t, err)
}

// TestACompositeIsRolledBackPartByPart: what a version changed of it is brought back, and what it added is deleted.
func TestACompositeIsRolledBackPartByPart(t *testing.T) {
	h := build(t)
	version := func(value, size string) *rest.Config {
		return h.config(`{"s": {"type": "noop:stack", "operation": "ensure", "properties": {"value": "` + value + `", "size": ` + size + `}},
			"after": {"type": "noop:thing", "operation": "ensure", "references": {"from": "s.value"}}}`)
	}
	first := h.apply(&rest.ApplyRequest{Config: version("x", "2")})
	require.True(t, first.Success, "%+v", first.FailedOperation)
	before := h.held(t)
	second := h.apply(&rest.ApplyRequest{Config: version("z", "3")})
	require.True(t, second.Success, "%+v", second.FailedOperation)
	require.Equal(t, 6, h.outside())
	back := h.rollback(&rest.RollbackRequest{})
	require.True(t, back.Success, "%+v", back.FailedOperation)
	require.Equal(t, before, h.held(t))
	require.Equal(t, 4, h.outside())
	again := h.apply(&rest.ApplyRequest{Config: version("x", "2")})
	require.True(t, again.Success, "%+v", again.FailedOperation)
	require.Equal(t, 4, again.Unchanged, "%v", again.Changes)
}
