package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
)

func TestSmoke(t *testing.T) {
	s, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	id, err := s.Installation(t.Context())
	require.NoError(t, err)
	require.Len(t, id, 32)
	require.NoError(t, s.Close())
}
