package provider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/internal/planted"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

// heartbeatEvery is well below the ten seconds that the protocol allows.
const heartbeatEvery = 8 * time.Second

// Runtime is what a provider gets from the process it runs in. Package serve fills it.
type Runtime struct {
	// Keys open sealed values; without them nothing sealed can be used.
	Keys *sealedbox.Ring
	// Log is the process's own log, nil for none.
	Log hclog.Logger
	// Now is the clock, nil for the real one.
	Now func() time.Time
}

// complete fills what was left out.
func (r Runtime) complete() Runtime {
	if r.Log == nil {
		r.Log = hclog.NewNullLogger()
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	return r
}

// call is one request on its way through the author's code: where its events go, what it has written, what it has opened. It
// is safe for concurrent use, since authors may start goroutines.
type call struct {
	provider string
	kind     string
	runtime  *Runtime
	context  *contract.CallContext
	// over ends when nobody waits for the call any more; nil for a call that writes nothing.
	over context.Context

	mu        sync.Mutex
	emit      func(contract.Event)
	beat      *time.Timer
	closed    bool
	last      contract.Progress
	made      string
	writes    writes
	entered   bool
	through   bool
	panicked  bool
	deletes   bool
	secrets   redactor
	envelopes []sealedbox.Envelope
}

// writes counts the requests of a call that change something.
type writes struct {
	started, succeeded, refused, unclear int
	// wrote is the author's own word.
	wrote bool
}

// callKey finds the call in a context.
type callKey struct{}

// in puts the call into a context, where Transport finds it.
func (c *call) in(ctx context.Context) context.Context { return context.WithValue(ctx, callKey{}, c) }

// callIn finds it again; nil outside of one.
func callIn(ctx context.Context) *call {
	found, _ := ctx.Value(callKey{}).(*call)
	return found
}

// send emits one event, unless the call has ended.
func (c *call) send(event contract.Event) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sendLocked(event)
}

func (c *call) sendLocked(event contract.Event) {
	if c.closed || c.emit == nil {
		return
	}
	c.emit(event)
}

// start begins the heartbeat.
func (c *call) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last.Fraction = -1
	c.beat = time.AfterFunc(heartbeatEvery, c.pulse)
}

// pulse says again what was said last.
func (c *call) pulse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	last := c.last
	c.sendLocked(contract.Event{Progress: &last})
	c.beat.Reset(heartbeatEvery)
}

// end stops all events: nothing follows a result.
func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.beat != nil {
		c.beat.Stop()
	}
}

// announce reports an identity once, at once.
func (c *call) announce(id string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == id {
		return
	}
	c.made = id
	c.sendLocked(contract.Event{Identity: &contract.Identity{ID: id}})
}

// wrote is the author's word that something has changed.
func (c *call) wrote() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes.wrote = true
}

// progress reports how far it is.
func (c *call) progress(fraction float64, message string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = contract.Progress{Fraction: fraction, Message: c.secrets.redact(message)}
	last := c.last
	c.sendLocked(contract.Event{Progress: &last})
}

// log reports a line.
func (c *call) log(level, format string, args ...any) {
	if c == nil {
		return
	}
	message := fmt.Sprintf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sendLocked(contract.Event{Log: &contract.Log{Level: level, Message: c.secrets.redact(message)}})
}

// opened remembers an opened envelope: its value is kept out of all that is said, its bounds hold for what is made of it.
func (c *call) opened(envelope sealedbox.Envelope) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets.add(envelope.Value)
	envelope.Value = ""
	c.envelopes = append(c.envelopes, envelope)
}

// enter marks the point from which the author may write. After write_by nothing is started.
func (c *call) enter() error {
	if err := c.late(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entered = true
	return nil
}

// mayWrite refuses once write_by has passed, or nobody waits for the call any more: whoever broke it off has searched, or will,
// and goes by what was there then. What is let through is remembered until the call has ended.
func (c *call) mayWrite() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.late()
	c.through = c.through || err == nil
	return err
}

// mayStillWrite says whether a write may be on its way, or may yet be sent.
func (c *call) mayStillWrite() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.through || c.late() == nil
}

// late says why nothing more is sent.
func (c *call) late() error {
	switch {
	case planted.Is(planted.LateWriter):
		return nil
	case c.over != nil && c.over.Err() != nil:
		return c.over.Err()
	case !c.context.WriteBy.IsZero() && !c.runtime.Now().Before(c.context.WriteBy):
		return Errorf(Deadline, "the time for changes has passed; nothing more was sent")
	}
	return nil
}

// count changes the counters of writes.
func (c *call) count(change func(*writes)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.writes)
}
