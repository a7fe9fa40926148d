package provider

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// Bounds of the cache of clients.
const (
	clientIdle  = 10 * time.Minute
	clientsMost = 512
	dialTime    = time.Minute
)

// clientKey is a digest of tenant, credentials, settings and place.
type clientKey [sha256.Size]byte

// clients keeps one client for each key: made once at a time, dropped when idle, dropped when its credential's bounds no longer
// allow its use.
type clients[C any] struct {
	dial func(context.Context, *call) (C, error)

	mu      sync.Mutex
	entries map[clientKey]*client[C]
	sweep   *time.Timer
}

// client is one entry. All but value and err, which are settled when ready closes, is guarded by the cache.
type client[C any] struct {
	key   clientKey
	ready chan struct{}
	value C
	err   error
	// source is the call that connects: what it has opened is what the client is made from.
	source *call

	users  int
	last   time.Time
	gone   bool
	closed bool
}

func newClients[C any](dial func(context.Context, *call) (C, error)) *clients[C] {
	return &clients[C]{dial: dial, entries: map[clientKey]*client[C]{}}
}

// keyFor digests what may not be shared.
func keyFor(about *contract.CallContext) clientKey {
	var room [1024]byte
	joined := room[:0]
	for _, part := range [...]string{about.Tenant, about.Account, about.Region} {
		joined = binary.AppendUvarint(joined, uint64(len(part)))
		joined = append(joined, part...)
	}
	for _, part := range [...][]byte{about.Credentials, about.Settings} {
		joined = binary.AppendUvarint(joined, uint64(len(part)))
		joined = append(joined, part...)
	}
	return sha256.Sum256(joined)
}

// acquire gives the client of a call, which must be released. What another call has connected, or failed to, counts only where
// the bounds of that call's credentials are this one's too: else this one connects for itself.
func (s *clients[C]) acquire(ctx context.Context, c *call) (*client[C], error) {
	for {
		entry, own := s.entry(ctx, c)
		select {
		case <-entry.ready:
		case <-ctx.Done():
			s.release(entry)
			return nil, ctx.Err()
		}
		switch {
		case entry.err == nil && entry.serves(c):
			c.inherit(entry.source)
			return entry, nil
		case entry.err != nil && own:
			s.release(entry)
			return nil, entry.err
		}
		s.release(entry)
	}
}

// entry finds the entry for a call, or starts one of its own, and counts the caller as its user.
func (s *clients[C]) entry(ctx context.Context, c *call) (entry *client[C], own bool) {
	key := keyFor(c.context)
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, ok := s.entries[key]
	if ok && !entry.serves(c) {
		s.drop(entry)
		ok = false
	}
	if !ok {
		// A call of its own: what it opens is the entry's, and nothing of it is said to the asker.
		source := &call{provider: c.provider, kind: c.kind, runtime: c.runtime, context: c.context}
		entry = &client[C]{key: key, ready: make(chan struct{}), source: source}
		s.makeRoom()
		s.entries[key] = entry
		go s.connect(context.WithoutCancel(Reading(ctx)), entry)
	}
	entry.users++
	return entry, !ok
}

// serves says whether the bounds of the credentials in an entry allow its use by a call: a box may be bound to a deployment, and
// may end.
func (e *client[C]) serves(c *call) bool {
	select {
	case <-e.ready:
	default:
		return true
	}
	for _, envelope := range e.source.bounds() {
		err := envelope.Check(sealedbox.Expect{
			Audience: c.context.Tenant, Provider: envelope.Provider, Purpose: envelope.Purpose,
			Deployment: c.context.DeploymentID, Now: c.runtime.Now(), AllowPlain: c.context.AllowPlainBoxes,
		})
		if err != nil {
			return false
		}
	}
	return true
}

// connect fills an entry. It outlives the caller who asked first, since others may wait for it too.
func (s *clients[C]) connect(ctx context.Context, entry *client[C]) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	source := entry.source
	value, err := guarded(source, func() (C, error) { return s.dial(source.in(ctx), source) })
	// What failed is out of the cache before anyone hears of it: whoever asks from then on connects anew.
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.value, entry.err = value, err
	if err != nil {
		s.drop(entry)
	}
	close(entry.ready)
	s.closeUnused(entry)
}

// release ends one use.
func (s *clients[C]) release(entry *client[C]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.users--
	entry.last = time.Now()
	s.closeUnused(entry)
	if s.sweep == nil && len(s.entries) > 0 {
		s.sweep = time.AfterFunc(clientIdle, s.dropIdle)
	}
}

// dropIdle drops what nobody has used for a while, and looks again later while anything is left.
func (s *clients[C]) dropIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, entry := range s.entries {
		if entry.users == 0 && time.Since(entry.last) >= clientIdle {
			s.drop(entry)
		}
	}
	s.sweep = nil
	if len(s.entries) > 0 {
		s.sweep = time.AfterFunc(clientIdle/4, s.dropIdle)
	}
}

// makeRoom drops the longest unused entry when there are too many.
func (s *clients[C]) makeRoom() {
	if len(s.entries) < clientsMost {
		return
	}
	var oldest *client[C]
	for _, entry := range s.entries {
		if entry.users == 0 && (oldest == nil || entry.last.Before(oldest.last)) {
			oldest = entry
		}
	}
	if oldest != nil {
		s.drop(oldest)
	}
}

// drop takes an entry out of the cache; its last user closes it.
func (s *clients[C]) drop(entry *client[C]) {
	if s.entries[entry.key] == entry {
		delete(s.entries, entry.key)
	}
	entry.gone = true
	s.closeUnused(entry)
}

// closeUnused closes a dropped client that nobody uses any more; one that is still connecting is closed when it has.
func (s *clients[C]) closeUnused(entry *client[C]) {
	select {
	case <-entry.ready:
	default:
		return
	}
	if !entry.gone || entry.users > 0 || entry.closed || entry.err != nil {
		return
	}
	entry.closed = true
	if closer, ok := any(entry.value).(io.Closer); ok {
		go func() { _ = closer.Close() }()
	}
}

// closeAll drops everything.
func (s *clients[C]) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, entry := range s.entries {
		s.drop(entry)
	}
	if s.sweep != nil {
		s.sweep.Stop()
		s.sweep = nil
	}
}

// inherit makes a call mask what its client was made from.
func (c *call) inherit(source *call) {
	source.mu.Lock()
	pairs := source.secrets.pairs
	source.mu.Unlock()
	if len(pairs) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets.pairs = append(c.secrets.pairs, pairs...)
}

// bounds are the envelopes that a call has opened, without their values.
func (c *call) bounds() []sealedbox.Envelope {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.envelopes
}
