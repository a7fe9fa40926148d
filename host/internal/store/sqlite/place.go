package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	lockName = "lock"
	// patience is how often a taken lock is tried again.
	patience = 20 * time.Millisecond
)

// LockedError: another host, or a provider process that it left, owns the data directory.
type LockedError struct{ Dir string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another host, or a provider that it started, owns the data directory %s", e.Dir)
}

// ExposedError: the data directory can be read by others and holds more than the store, so that it is not ours to close.
type ExposedError struct{ Dir string }

func (e *ExposedError) Error() string {
	return fmt.Sprintf("the data directory %s is open to other users: chmod 700 it, or choose another", e.Dir)
}

// Lock makes the caller the owner of a data directory, which is made when there is none. The lock lives as long as the
// last open descriptor of the file, a child's inherited one too. It waits up to wait, then answers *LockedError.
func Lock(dir string, wait time.Duration) (*os.File, error) {
	dir, err := prepareDirectory(dir)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault("lock", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	if err := flock(ctx, file); err != nil {
		file.Close()
		if errors.Is(err, context.DeadlineExceeded) {
			err = &LockedError{Dir: dir}
		}
		return nil, fault("lock", err)
	}
	return file, nil
}

// lockDirectory keeps two programs from opening a store at the same moment.
func lockDirectory(ctx context.Context, dir string) (done func(), err error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, fault("open", err)
	}
	if err := flock(ctx, file); err != nil {
		file.Close()
		return nil, fault("open", err)
	}
	return func() { file.Close() }, nil
}

// flock tries at least once, and again until ctx ends.
func flock(ctx context.Context, file *os.File) error {
	retry := time.NewTicker(patience)
	defer retry.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
	}
}

// prepareDirectory makes dir, for its owner only.
func prepareDirectory(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fault("data directory", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault("data directory", err)
	}
	return dir, fault("data directory", closeToOthers(dir))
}

// closeToOthers takes other users' rights from a directory that is empty or the store's. Anything else could be a shared
// place, which is the operator's to change.
func closeToOthers(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	ours := len(entries) == 0
	for _, entry := range entries {
		ours = ours || entry.Name() == fileName
	}
	if !ours {
		return &ExposedError{Dir: dir}
	}
	return os.Chmod(dir, 0o700)
}

// prepareFile makes the file before SQLite does, for its owner only; SQLite gives the files beside it the same mode. A file
// that exists is not opened: closing it would drop the locks that SQLite holds on it in this process.
func prepareFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault("open", os.Chmod(path, 0o600))
	}
	if err != nil {
		return fault("open", err)
	}
	return fault("open", file.Close())
}
