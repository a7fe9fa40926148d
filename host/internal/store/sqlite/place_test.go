package sqlite_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
)

func mode(t *testing.T, path string) fs.FileMode {
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Mode().Perm()
}

func TestOnlyTheOwnerMayRead(t *testing.T) {
	parent := t.TempDir()
	loose := filepath.Join(parent, "loose")
	require.NoError(t, os.Mkdir(loose, 0o755))
	require.NoError(t, os.Chmod(loose, 0o755))
	for _, dir := range []string{filepath.Join(parent, "a?b#c%20 d", "new"), loose} {
		lock, err := sqlite.Lock(dir, 0)
		require.NoError(t, err)
		s := open(t, dir)
		startRun(t, s, 1, 1)
		require.Equal(t, fs.FileMode(0o700), mode(t, dir))
		for _, name := range []string{"lock", "mgraph-deploy.db", "mgraph-deploy.db-wal", "mgraph-deploy.db-shm"} {
			require.Equal(t, fs.FileMode(0o600), mode(t, filepath.Join(dir, name)), name)
		}
		require.NoError(t, s.Close())
		require.NoError(t, lock.Close())

		// What was opened up since is closed again.
		require.NoError(t, os.Chmod(dir, 0o755))
		require.NoError(t, os.Chmod(filepath.Join(dir, "mgraph-deploy.db"), 0o644))
		require.NoError(t, open(t, dir).Close())
		require.Equal(t, fs.FileMode(0o700), mode(t, dir))
		require.Equal(t, fs.FileMode(0o600), mode(t, filepath.Join(dir, "mgraph-deploy.db")))
	}
}

// A directory that others use too is not the store's to close.
func TestSharedDirectoryIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shared")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "someone's"), nil, 0o600))
	var exposed *sqlite.ExposedError
	_, err := sqlite.Lock(dir, 0)
	require.ErrorAs(t, err, &exposed)
	_, err = sqlite.Open(t.Context(), dir, sqlite.Options{})
	require.ErrorAs(t, err, &exposed)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, os.Chmod(dir, 0o700))
	require.NoError(t, open(t, dir).Close())
}
