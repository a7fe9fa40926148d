package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
)

// The environment of a test binary that is run again, as another program beside the test.
const (
	childMode = "MGRAPH_STORE_TEST_CHILD"
	childDir  = "MGRAPH_STORE_TEST_DIR"
)

func TestMain(m *testing.M) {
	children := map[string]func(dir string) error{"lock": lockChild, "hold": holdChild, "open": openChild, "commit": commitChild}
	if child, ok := children[os.Getenv(childMode)]; ok {
		if err := child(os.Getenv(childDir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// child is this binary, run again.
func child(mode, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childMode+"="+mode, childDir+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// lockChild owns a directory, hands the lock on to a child of its own, and waits to be killed.
func lockChild(dir string) error {
	file, err := sqlite.Lock(dir, 0)
	if err != nil {
		return err
	}
	heir := child("hold", dir)
	heir.Stdin, heir.Stdout, heir.ExtraFiles = os.Stdin, os.Stdout, []*os.File{file}
	if err := heir.Start(); err != nil {
		return err
	}
	return heir.Wait()
}

// holdChild lives until its input ends.
func holdChild(string) error {
	fmt.Println("holding")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func openChild(dir string) error {
	s, err := sqlite.Open(context.Background(), dir, sqlite.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

// The lock outlives the one who took it for as long as a process that inherited it lives.
func TestLockIsInherited(t *testing.T) {
	dir := t.TempDir()
	input, end, err := os.Pipe()
	require.NoError(t, err)
	answers, output, err := os.Pipe()
	require.NoError(t, err)
	owner := child("lock", dir)
	owner.Stdin, owner.Stdout = input, output
	require.NoError(t, owner.Start())
	require.NoError(t, input.Close())
	require.NoError(t, output.Close())
	line, err := bufio.NewReader(answers).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "holding\n", line)

	refused := func() {
		_, err := sqlite.Lock(dir, 50*time.Millisecond)
		var locked *sqlite.LockedError
		require.ErrorAs(t, err, &locked)
		require.Equal(t, dir, locked.Dir)
		require.ErrorContains(t, err, "another host")
	}
	refused()
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	refused()

	waited := make(chan error)
	go func() {
		file, err := sqlite.Lock(dir, time.Minute)
		if err == nil {
			err = file.Close()
		}
		waited <- err
	}()
	require.NoError(t, end.Close())
	require.NoError(t, <-waited)
	require.NoError(t, answers.Close())
}

// The store can be opened beside its owner, by several programs at once, and made by them.
func TestOpenBesideTheOwner(t *testing.T) {
	dir := t.TempDir()
	lock, err := sqlite.Lock(dir, 0)
	require.NoError(t, err)
	defer lock.Close()
	var programs []*exec.Cmd
	for range 4 {
		programs = append(programs, child("open", dir))
	}
	for _, program := range programs {
		require.NoError(t, program.Start())
	}
	for _, program := range programs {
		require.NoError(t, program.Wait())
	}
	s, err := sqlite.Open(t.Context(), dir, sqlite.Options{NoMigrate: true})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
