package standin

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// environmentFor is one without packages, so that its making needs no registry.
func environmentFor(t *testing.T) venv {
	t.Helper()
	dir := t.TempDir()
	requirements := filepath.Join(dir, "requirements.txt")
	require.NoError(t, os.WriteFile(requirements, []byte("# nothing\n"), 0o600))
	return venv{dir: filepath.Join(dir, "build", "venv"), requirements: requirements, install: install}
}

// pretend leaves what an installation would.
func pretend(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bin", "python"), nil, 0o755)
}

func TestEnvironmentRunsPython(t *testing.T) {
	python, err := environmentFor(t).ensure(t.Context())
	require.NoError(t, err)
	out, err := exec.Command(python, "-c", "import sys; print(sys.prefix != sys.base_prefix)").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "True\n", string(out))
}

func TestEnvironmentIsMadeOnceByMany(t *testing.T) {
	v := environmentFor(t)
	var made atomic.Int64
	v.install = func(_ context.Context, dir, _ string) error {
		made.Add(1)
		return pretend(dir)
	}
	var group errgroup.Group
	for range 8 {
		group.Go(func() error { _, err := v.ensure(t.Context()); return err })
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, 1, made.Load())
}

func TestEnvironmentIsMadeAnewWhenItMustBe(t *testing.T) {
	v := environmentFor(t)
	made, failure := 0, error(nil)
	v.install = func(_ context.Context, dir, _ string) error {
		made++
		require.NoDirExists(t, dir, "it begins with nothing left of the old one")
		return errors.Join(pretend(dir), failure)
	}
	ensure := func() error { _, err := v.ensure(t.Context()); return err }

	require.NoError(t, ensure())
	require.NoError(t, ensure())
	require.Equal(t, 1, made, "it stays while nothing changes")

	require.NoError(t, os.WriteFile(v.requirements, []byte("# changed\n"), 0o600))
	failure = context.DeadlineExceeded
	require.ErrorIs(t, ensure(), context.DeadlineExceeded)
	failure = nil
	require.NoError(t, ensure())
	require.Equal(t, 3, made, "for other requirements, and after a making that failed")

	require.NoError(t, os.Remove(v.python()))
	require.NoError(t, ensure())
	require.Equal(t, 4, made, "when its Python has gone")
}

func TestWaitingForTheEnvironmentIsBounded(t *testing.T) {
	v := environmentFor(t)
	v.install = func(ctx context.Context, _, _ string) error {
		inner, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_, err := v.ensure(inner)
		return err
	}
	_, err := v.ensure(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestEnvironmentNeedsPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := environmentFor(t).ensure(t.Context())
	require.ErrorIs(t, err, ErrNoPython)
}

func TestInterpreterOfAScript(t *testing.T) {
	tests := map[string]struct {
		content string
		want    []string
	}{
		"python":      {"#!/opt/v/bin/python3.11\nimport moto\n", []string{"/opt/v/bin/python3.11"}},
		"shim":        {"#!/usr/bin/env bash\nexec pyenv\n", nil},
		"no shebang":  {"hello", nil},
		"empty":       {"", nil},
		"with option": {"#! /usr/bin/python\n", []string{"/usr/bin/python"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "moto_server")
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			require.Equal(t, test.want, interpreter(path))
		})
	}
	require.Nil(t, interpreter(filepath.Join(t.TempDir(), "absent")))
}

func TestPinnedVersionIsTheRequirements(t *testing.T) {
	requirements, err := script("requirements.txt")
	require.NoError(t, err)
	version, err := pinnedMoto(requirements)
	require.NoError(t, err)
	require.Equal(t, "5.2.", version)
}

func TestRootIsFoundFromBelowOnly(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.mod"))
	t.Chdir(t.TempDir())
	_, err = Root()
	require.ErrorIs(t, err, ErrNoRoot)
}
