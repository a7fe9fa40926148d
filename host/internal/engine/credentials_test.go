package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/rest"
)

// TestABoxThatIsRefusedIsNamedWhereItStands: in the configuration, or among those that are brought again.
func TestABoxThatIsRefusedIsNamedWhereItStands(t *testing.T) {
	h := build(t)
	wrong := h.seal("credential", "x")
	_, err := h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{
		Config: h.config(`{"a": {"type": "noop:thing", "properties": {"secret": "` + wrong + `"}}}`),
	})
	require.Equal(t, "/config/resources/a/properties/secret", h.refused(engine.Invalid, err).Problems[0].Pointer)

	right := h.seal("noop:thing#/secret", "x")
	h.plugins.breakWith(times(9, "a", never))
	failed := h.apply(&rest.ApplyRequest{Config: h.config(`{"a": {"type": "noop:thing", "properties": {"secret": "` + right + `"}}}`)})
	require.False(t, failed.Success)
	_, err = h.engine.Apply(t.Context(), h.caller, &rest.ApplyRequest{
		GraphID: failed.GraphID, Credentials: noCredentials,
		SealedProperties: map[string]string{"/resources/a/properties/secret": wrong},
	})
	require.Equal(t, "/sealed_properties/~1resources~1a~1properties~1secret", h.refused(engine.Invalid, err).Problems[0].Pointer)
}
