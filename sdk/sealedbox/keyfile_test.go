package sealedbox_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAKeyFileIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "keys.json")
	first, err := sealedbox.LoadOrCreate(path, now)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	second, err := sealedbox.LoadOrCreate(path, now)
	require.NoError(t, err)
	require.Equal(t, first.Public(), second.Public())
	require.Equal(t, first.Fingerprint("t", "x"), second.Fingerprint("t", "x"))
	require.Len(t, first.Primary().ID, 16)
	require.Equal(t, sealedbox.KeyID(first.Primary().Key), first.Primary().ID)
	require.True(t, first.Primary().Primary)
}

func TestRacingStartersAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	ids := make([]string, 16)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			if ring, err := sealedbox.LoadOrCreate(path, now); err == nil {
				ids[i] = ring.Primary().ID
			}
		})
	}
	group.Wait()
	for _, id := range ids {
		require.NotEmpty(t, id)
		require.Equal(t, ids[0], id)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file stays")
}

func TestAnExposedKeyFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	_, err := sealedbox.LoadOrCreate(path, now)
	require.NoError(t, err)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o777} {
		require.NoError(t, os.Chmod(path, mode))
		_, err = sealedbox.LoadOrCreate(path, now)
		require.ErrorIs(t, err, sealedbox.ErrExposed, mode)
	}
}

func TestRotatedKeysGoOnOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	old, err := sealedbox.LoadOrCreate(path, now)
	require.NoError(t, err)
	box, err := sealedbox.Seal(old.Primary().Key, sealedbox.Envelope{
		Audience: "tenant", Provider: "acme", Purpose: "acme:bucket#/key", Value: "x",
	})
	require.NoError(t, err)
	_, err = sealedbox.Rotate(path, time.Hour, now)
	require.NoError(t, err)
	rotated, err := sealedbox.Load(path)
	require.NoError(t, err)
	listed := rotated.Public()
	require.Len(t, listed, 2)
	require.NotEqual(t, old.Primary().ID, rotated.Primary().ID)
	require.Equal(t, old.Primary().ID, listed[1].ID)
	require.False(t, listed[1].Primary)
	require.Equal(t, old.Fingerprint("t", "x"), rotated.Fingerprint("t", "x"))

	_, err = rotated.Open(box, expect())
	require.NoError(t, err)
	later := expect()
	later.Now = now.Add(2 * time.Hour)
	_, err = rotated.Open(box, later)
	require.ErrorIs(t, err, sealedbox.ErrUnopened)

	again, err := sealedbox.Rotate(path, time.Hour, now.Add(3*time.Hour))
	require.NoError(t, err)
	require.Len(t, again.Public(), 2, "a key that has ended is left out")
}

func TestWhatIsNoKeyFileIsRefused(t *testing.T) {
	good := filepath.Join(t.TempDir(), "keys.json")
	_, err := sealedbox.LoadOrCreate(good, now)
	require.NoError(t, err)
	change := func(change func(map[string]any)) string {
		raw, err := os.ReadFile(good)
		require.NoError(t, err)
		var file map[string]any
		require.NoError(t, json.Unmarshal(raw, &file))
		change(file)
		raw, err = json.Marshal(file)
		require.NoError(t, err)
		return string(raw)
	}
	key := func(file map[string]any) map[string]any { return file["keys"].([]any)[0].(map[string]any) }
	cases := map[string]string{
		"empty":          "",
		"not JSON":       "{",
		"later layout":   change(func(f map[string]any) { f["version"] = 2 }),
		"unknown field":  change(func(f map[string]any) { f["more"] = 1 }),
		"no keys":        change(func(f map[string]any) { f["keys"] = []any{} }),
		"no primary":     change(func(f map[string]any) { key(f)["primary"] = false }),
		"two primaries":  change(func(f map[string]any) { f["keys"] = []any{key(f), key(f)} }),
		"short key":      change(func(f map[string]any) { key(f)["private_key"] = "00" }),
		"key not hex":    change(func(f map[string]any) { key(f)["private_key"] = "zz" }),
		"another id":     change(func(f map[string]any) { key(f)["id"] = "0000000000000000" }),
		"no fingerprint": change(func(f map[string]any) { f["fingerprint_key"] = "" }),
	}
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.json")
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			_, err := sealedbox.LoadOrCreate(path, now)
			require.ErrorIs(t, err, sealedbox.ErrKeyFile)
		})
	}
	_, err = sealedbox.Load(t.TempDir())
	require.Error(t, err)
}
