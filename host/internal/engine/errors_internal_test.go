package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// A store that cannot be reached is nobody's fault in here: the caller is told to ask again.
func TestAStoreThatCannotBeReachedIsUnavailable(t *testing.T) {
	for err, kind := range map[error]ErrorKind{
		store.ErrUnavailable: Unavailable, store.ErrNotFound: NotFound, store.ErrStale: Conflict, store.ErrInvalid: Internal,
	} {
		var known *Error
		require.ErrorAs(t, classified(fmt.Errorf("store: events: %w", err)), &known)
		require.Equal(t, kind, known.Kind, "%v", err)
	}
}
