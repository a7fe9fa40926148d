package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/engine"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/simulate/cloud"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/sqlite"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/storetest"
)

// moment is a point in a commit at which a host can end.
type moment int

const (
	beforeCommit moment = iota
	afterCommit
)

// fate is how a host is to end: at its n-th commit, or not at all.
type fate struct {
	at     moment
	commit int64 // 0 for never
	// freeze lets it live on without knowing that another has taken its place.
	freeze bool
	// stall is how long the disk does nothing before that.
	stall time.Duration
}

// host is one life of the program over a disk.
type host struct {
	disk      *disk
	inner     store.Store
	handle    *handle
	store     *storetest.FaultyStore
	processes *processes
	engine    *engine.Engine
	// before is the host whose place it took on the same disk.
	before *host

	fate    fate
	commits atomic.Int64
	spared  atomic.Bool
	once    sync.Once
	end     chan struct{}
	frozen  bool
	late    late
}

// start opens the disk, and takes over what is there.
func (s *simulation) start(ctx context.Context, d *disk, f fate, before *host) (*host, error) {
	h := &host{disk: d, fate: f, before: before, end: make(chan struct{})}
	opened, err := sqlite.Open(ctx, d.dir, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	h.inner = opened
	h.store = h.faulty(opened)
	h.processes = &processes{world: s.world, ring: s.ring, log: s.log}
	s.chance.armStore(h.store)
	h.engine, err = engine.New(ctx, engine.Options{
		Store: h.store, Plugins: h.processes, Log: s.log, Tries: 4, Timeout: 2 * time.Minute, DrainTimeout: time.Second,
		Settings: map[string]json.RawMessage{cloud.Name: json.RawMessage(`{}`)}, NewID: s.chance.id,
	})
	if err != nil {
		h.die()
		return nil, errors.Join(err, opened.Close())
	}
	return h, nil
}

// gone says that the host was killed.
func (h *host) gone() bool {
	select {
	case <-h.end:
		return true
	default:
		return false
	}
}

// step counts commits, and ends the host at the one that it is to end at. It says whether this was it.
func (h *host) step(at moment) bool {
	n := h.commits.Load()
	if at == beforeCommit {
		n = h.commits.Add(1)
	}
	if h.fate.commit == 0 || h.spared.Load() || n != h.fate.commit || at != h.fate.at || h.gone() {
		return false
	}
	time.Sleep(h.fate.stall)
	if h.spared.Load() {
		return false
	}
	h.frozen = h.fate.freeze
	h.die()
	return true
}

// spare takes back the end that was meant for it, and all faults of its store.
func (h *host) spare() {
	h.spared.Store(true)
	if !h.gone() {
		h.store.Disarm()
	}
}

// die ends the host as kill -9 would: its store answers nothing more, and its provider goes with it.
func (h *host) die() {
	h.once.Do(func() {
		close(h.end)
		h.store.Arm(storetest.Fault{Times: storetest.Forever, Fail: storetest.Before, Err: errGone})
		h.processes.End()
	})
}

// bury clears away what is left of a host in this process: nothing of that reaches disk or world.
func (h *host) bury() error {
	h.engine.Stop()
	h.processes.burials.Wait()
	err := h.inner.Close()
	if !h.frozen {
		err = errors.Join(err, os.RemoveAll(h.disk.dir))
	}
	return err
}
