// Package row is how the stores hold what the port speaks of: an event as text, a time as a number, what its events make of
// the row of a run, and which columns are read into which fields. It knows no database, so that all of them hold the same.
package row

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// Nanos is a time as it is stored: nanoseconds since 1970, 0 for none.
func Nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// Time is what Nanos stored.
func Time(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// payload is an event without what its row's key says: the outer fields hide the event's own, and stay empty.
type payload struct {
	*execution.Event
	RunID   string `json:"run_id,omitempty"`
	Version int64  `json:"version,omitempty"`
}

// Encoder writes events one behind the other into one buffer.
type Encoder struct {
	buffer bytes.Buffer
	json   *json.Encoder
}

// NewEncoder makes an encoder.
func NewEncoder() *Encoder {
	e := &Encoder{}
	e.json = json.NewEncoder(&e.buffer)
	e.json.SetEscapeHTML(false)
	return e
}

// Span is a part of an encoder's buffer.
type Span struct{ from, to int }

// Encode answers where the event stands in the buffer, and store.ErrInvalid for one that JSON cannot say. What json says of a
// value that it refuses may hold the value, and is left out.
func (e *Encoder) Encode(event *execution.Event) (Span, error) {
	from := e.buffer.Len()
	if e.json.Encode(payload{Event: event}) != nil {
		e.buffer.Truncate(from)
		return Span{}, fmt.Errorf("event %d: %w", event.Version, store.ErrInvalid)
	}
	return Span{from, e.buffer.Len() - 1}, nil
}

// Bytes are an event's text, good until the next Encode.
func (e *Encoder) Bytes(s Span) []byte { return e.buffer.Bytes()[s.from:s.to] }

// Decode reads an event's text; store.ErrDamaged when it is none.
func Decode(text []byte, event *execution.Event) error {
	if json.Unmarshal(text, event) != nil {
		return fmt.Errorf("event: %w", store.ErrDamaged)
	}
	return nil
}

// Run is what the events of a run make of its row. Times are as Nanos gives them.
type Run struct {
	Version                int64
	Status                 execution.RunStatus
	UpdatedAt, CompletedAt int64
}

// Follow moves the row on by the next event of the run: store.ErrInvalid for one of another run, store.ErrVersion for one that
// does not carry on from the last.
func (r *Run) Follow(runID string, event *execution.Event) error {
	if event.RunID != runID {
		return fmt.Errorf("event %d of another run: %w", event.Version, store.ErrInvalid)
	}
	if event.Version != r.Version+1 {
		return fmt.Errorf("event %d after %d: %w", event.Version, r.Version, store.ErrVersion)
	}
	r.Version, r.UpdatedAt = event.Version, Nanos(event.At)
	if event.Kind == execution.RunChanged {
		r.Status, r.CompletedAt = event.RunStatus, r.UpdatedAt
		if r.Status.Active() {
			r.CompletedAt = 0
		}
	}
	return nil
}

// Superseded is the event that ends a waiting run because another takes its place, as any end of a run is told.
func Superseded(runID string, version int64, by *store.Run) execution.Event {
	return execution.Event{
		RunID: runID, Version: version + 1, At: by.CreatedAt, Kind: execution.RunChanged,
		RunStatus: execution.RunCancelled, By: by.StartedBy, Reason: "superseded by run " + by.ID,
	}
}

// HasAll says that every one of some is among the ids.
func HasAll(ids, some []string) bool {
	return !slices.ContainsFunc(some, func(one string) bool { return !slices.Contains(ids, one) })
}

// Repin puts accounts in the place of those that a deployment has pinned, as JSON.
func Repin(pinned []byte, accounts map[string]string) ([]byte, error) {
	all := map[string]string{}
	if json.Unmarshal(pinned, &all) != nil {
		return nil, store.ErrDamaged
	}
	maps.Copy(all, accounts)
	return json.Marshal(all)
}

// Pin adds accounts to those that a deployment has pinned, as JSON; store.ErrStale when another one is pinned: a race that the
// caller lost.
func Pin(pinned []byte, accounts map[string]string) ([]byte, error) {
	all := map[string]string{}
	if json.Unmarshal(pinned, &all) != nil {
		return nil, store.ErrDamaged
	}
	for provider, account := range accounts {
		if there, ok := all[provider]; ok && there != account {
			return nil, fmt.Errorf("account: %w", store.ErrStale)
		}
		all[provider] = account
	}
	return json.Marshal(all)
}
