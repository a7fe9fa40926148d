package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/invariant"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
)

// errGone is what the store answers to a host that was killed.
var errGone = errors.New("this host is no more")

// disk is a data directory, and who has written there under which token. Hosts that share it are one that was frozen and the one
// that took over; a host that follows a killed one gets a copy, taken at that moment without the memory that the two would share.
type disk struct {
	dir string

	mu     sync.Mutex
	tokens map[string]int64 // the newest of each run
	faults []invariant.Violation
}

func newDisk(dir string) *disk { return &disk{dir: dir, tokens: map[string]int64{}} }

// copyTo is what a crash leaves: the file and its log, up to what was written of them.
func (d *disk) copyTo(dir string) (*disk, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"mgraph-deploy.db", "mgraph-deploy.db-wal"} {
		content, err := os.ReadFile(filepath.Join(d.dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), content, 0o600)); err != nil {
			return nil, err
		}
	}
	return newDisk(dir), nil
}

// handle is one host's hold on its disk: the faults of the store are above it, the file below.
type handle struct {
	store.Store
	host *host
	disk *disk
}

// AcquireRun notes the token. It is the moment at which what a frozen host had on its way arrives.
func (h *handle) AcquireRun(ctx context.Context, claim store.Claim) (token, version int64, err error) {
	token, version, err = h.Store.AcquireRun(ctx, claim)
	if err != nil {
		return token, version, err
	}
	h.disk.mu.Lock()
	h.disk.tokens[claim.RunID] = token
	h.disk.mu.Unlock()
	if before := h.host.before; before != nil {
		before.thaw(ctx, claim.RunID)
	}
	return token, version, nil
}

// Commit is where hosts die: before the file is written, or when only the answer is missing.
func (h *handle) Commit(ctx context.Context, writes []store.Write) ([]error, error) {
	if h.host.step(beforeCommit) {
		h.host.late.hold(writes)
	}
	if h.host.gone() {
		return nil, errGone
	}
	results, err := h.commit(ctx, writes)
	h.host.step(afterCommit)
	if h.host.gone() {
		return nil, errGone
	}
	return results, err
}

// commit holds the token of each write that was kept against the newest.
func (h *handle) commit(ctx context.Context, writes []store.Write) ([]error, error) {
	results, err := h.Store.Commit(ctx, writes)
	if err != nil {
		return results, err
	}
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	for i := range writes {
		if newest := h.disk.tokens[writes[i].RunID]; results[i] == nil && writes[i].Token < newest {
			h.disk.faults = append(h.disk.faults, invariant.Violation{
				Invariant: invariant.I4,
				Text:      fmt.Sprintf("run %s was written under token %d, and its owner has %d", writes[i].RunID, writes[i].Token, newest),
			})
		}
	}
	return results, nil
}

// late are the writes that a frozen host had on their way.
type late struct {
	mu     sync.Mutex
	writes []store.Write
}

func (l *late) hold(writes []store.Write) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes = writes
}

func (l *late) of(runID string) (found []store.Write) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.writes {
		if w.RunID == runID {
			found = append(found, w)
		}
	}
	return found
}

// thaw lets arrive what the host had on its way to a run when it was frozen.
func (h *host) thaw(ctx context.Context, runID string) {
	if writes := h.late.of(runID); len(writes) > 0 && h.frozen {
		_, _ = h.handle.commit(ctx, writes) // what is kept of it is what counts
	}
}

// template is a data directory with an empty store, made once: bringing up a schema takes longer than most simulations.
type template struct{ disk *disk }

func newTemplate(ctx context.Context, dir string) (*template, error) {
	s, err := sqlite.Open(ctx, dir, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	return &template{newDisk(dir)}, s.Close()
}

// faulty is the store as an engine sees it.
func (h *host) faulty(s store.Store) *storetest.FaultyStore {
	h.handle = &handle{Store: s, host: h, disk: h.disk}
	return storetest.Faulty(h.handle)
}
