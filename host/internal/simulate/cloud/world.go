// Package cloud is a vendor that does not exist, and a provider for it that is written as any other: an account with things in
// it, kept in memory, that refuses, delays and forgets to answer as it is told, and that writes down every change with the call
// that made it. It is the outside world of the simulation. It judges nothing.
package cloud

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/contract"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/provider"
)

// Item is one thing that exists.
type Item struct {
	ID, Type, Region, Name string
	Value, Fingerprint     string
	Labels                 map[string]string
	// Made is the call that made it, the zero Call for what was there before and is nobody's.
	Made    Call
	created time.Time
}

// Call is the call of a host on whose behalf a request is made.
type Call struct {
	ID, Key string
	Attempt int
	Verb    contract.Verb
	WriteBy time.Time
	// Owner, Deployment, Resource and Region say which logical resource the call is about.
	Owner, Deployment, Resource, Region string
}

// Write is one change that was made outside: create, update or delete.
type Write struct {
	At     time.Time
	Change string
	Item   Item
	Call   Call
}

// Weather is what becomes of one request.
type Weather struct {
	// Refuse answers an error of this kind, and nothing is done; After is what the vendor asks to wait.
	Refuse contract.Kind
	After  time.Duration
	// Lose does what was asked and drops the answer.
	Lose bool
	// Way is how long a request is on its way, Back its answer.
	Way, Back time.Duration
	// Stale is how far a read lags behind; what is then missing in its answer proves nothing.
	Stale time.Duration
	// Then is called once what was asked is done, before the answer is on its way; nil for nothing.
	Then func()
}

// World is the vendor. It is safe for concurrent use.
type World struct {
	// Weather is asked for each request: what it does, and for which call. Nil for fair weather.
	Weather func(request string, call Call) Weather

	mu    sync.Mutex
	drawn int
	items map[string]*Item
	log   []Write
}

// New makes an empty world.
func New() *World { return &World{items: map[string]*Item{}} }

// Items lists what exists, by id.
func (w *World) Items() []Item {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Item
	for _, id := range slices.Sorted(maps.Keys(w.items)) {
		all = append(all, copied(w.items[id]))
	}
	return all
}

// Log lists every change, in order.
func (w *World) Log() []Write {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

// Plant puts something there that no call made.
func (w *World) Plant(item Item) Item {
	w.mu.Lock()
	defer w.mu.Unlock()
	return copied(w.put(item))
}

// put gives an item its id. The lock is held.
func (w *World) put(item Item) *Item {
	w.drawn++
	item.ID, item.created = fmt.Sprintf("%s-%d", strings.ReplaceAll(item.Type, ":", "-"), w.drawn), time.Now()
	w.items[item.ID] = &item
	return &item
}

func copied(item *Item) Item {
	out := *item
	out.Labels = maps.Clone(item.Labels)
	return out
}

// Process is the life of one provider process: what it has not sent when it ends is never sent.
type Process struct {
	once sync.Once
	gone chan struct{}
}

// NewProcess begins a life.
func NewProcess() *Process { return &Process{gone: make(chan struct{})} }

// End ends it, as kill -9 would.
func (p *Process) End() { p.once.Do(func() { close(p.gone) }) }

func (p *Process) ended() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// client is what the provider's types work with: one place of the world, as seen from one process.
type client struct {
	world   *World
	process *Process
	region  string
}

// callKey finds the Call in a context.
type callKey struct{}

func callIn(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	return call
}

// request sends one request, and gives what the weather lets through of the answer.
func (c *client) request(ctx context.Context, what string, do func(call Call, weather Weather) error) error {
	call, weather := callIn(ctx), Weather{Way: time.Millisecond}
	if c.process.ended() {
		return errEnded()
	}
	if c.world.Weather != nil {
		weather = c.world.Weather(what, call)
	}
	if err := c.travel(ctx, weather.Way); err != nil {
		return err
	}
	if weather.Refuse != "" {
		refused := provider.Errorf(weather.Refuse, "the vendor refuses: %s", weather.Refuse)
		refused.RetryAfter = weather.After
		return refused
	}
	c.world.mu.Lock()
	err := do(call, weather)
	c.world.mu.Unlock()
	if weather.Then != nil {
		weather.Then()
	}
	if back := c.travel(ctx, weather.Back); back != nil {
		return back
	}
	if weather.Lose {
		return provider.Errorf(provider.Network, "the connection was reset before the answer")
	}
	return err
}

// travel takes time, and fails when the process ends or gives up meanwhile.
func (c *client) travel(ctx context.Context, d time.Duration) error {
	if c.process.ended() {
		return errEnded()
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.process.gone:
	}
	if c.process.ended() {
		return errEnded()
	}
	return nil
}

func errEnded() error { return provider.Errorf(provider.Interrupted, "the process is gone") }

// create makes a thing. Types with names of their own do not take one twice.
func (c *client) create(ctx context.Context, item Item, unique bool) (id string, err error) {
	err = c.request(ctx, "create", func(call Call, _ Weather) error {
		if unique && c.named(item.Type, item.Name) != nil {
			return provider.Errorf(provider.AlreadyExists, "this name is taken")
		}
		item.Made, item.Region = call, c.region
		made := c.world.put(item)
		c.world.note("create", made, call)
		id = made.ID
		return nil
	})
	return id, err
}

// change updates a thing.
func (c *client) change(ctx context.Context, id string, with func(*Item)) error {
	return c.request(ctx, "update", func(call Call, _ Weather) error {
		item := c.world.items[id]
		if item == nil {
			return provider.Errorf(provider.NotFound, "there is no such thing")
		}
		with(item)
		c.world.note("update", item, call)
		return nil
	})
}

// remove deletes a thing.
func (c *client) remove(ctx context.Context, id string) error {
	return c.request(ctx, "delete", func(call Call, _ Weather) error {
		item := c.world.items[id]
		if item == nil {
			return provider.Errorf(provider.NotFound, "there is no such thing")
		}
		delete(c.world.items, id)
		c.world.note("delete", item, call)
		return nil
	})
}

// note writes a change down. The lock is held.
func (w *World) note(change string, item *Item, call Call) {
	w.log = append(w.log, Write{At: time.Now(), Change: change, Item: copied(item), Call: call})
}

// named is the thing of a name. The lock is held.
func (c *client) named(kind, name string) *Item {
	for _, item := range c.world.items {
		if item.Type == kind && item.Name == name && item.Region == c.region {
			return item
		}
	}
	return nil
}

// list gives what matches, and how long the answer may lag: zero for an answer that proves what it leaves out.
func (c *client) list(ctx context.Context, matches func(*Item) bool) (found []Item, lag time.Duration, err error) {
	err = c.request(ctx, "list", func(_ Call, weather Weather) error {
		lag = weather.Stale
		for _, id := range slices.Sorted(maps.Keys(c.world.items)) {
			item := c.world.items[id]
			seen := lag == 0 || item.created.Before(time.Now().Add(-lag))
			if item.Region == c.region && seen && matches(item) {
				found = append(found, copied(item))
			}
		}
		return nil
	})
	return found, lag, err
}
