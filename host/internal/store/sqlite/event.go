package sqlite

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store"
)

// payload is an event without what its row's key says: the outer fields hide the event's own, and stay empty.
type payload struct {
	*execution.Event
	RunID   string `json:"run_id,omitempty"`
	Version int64  `json:"version,omitempty"`
}

// encoder writes events one behind the other into one buffer.
type encoder struct {
	buffer bytes.Buffer
	json   *json.Encoder
}

func newEncoder() *encoder {
	e := &encoder{}
	e.json = json.NewEncoder(&e.buffer)
	e.json.SetEscapeHTML(false)
	return e
}

// encode answers where the event stands in the buffer. What json says of a value that it refuses may hold the value, and is
// left out.
func (e *encoder) encode(event *execution.Event) (span, error) {
	from := e.buffer.Len()
	if e.json.Encode(payload{Event: event}) != nil {
		e.buffer.Truncate(from)
		return span{}, fmt.Errorf("event %d: %w", event.Version, store.ErrInvalid)
	}
	return span{from, e.buffer.Len() - 1}, nil
}

// span is a part of an encoder's buffer.
type span struct{ from, to int }

func (e *encoder) bytes(s span) []byte { return e.buffer.Bytes()[s.from:s.to] }

func decodeEvent(text []byte, event *execution.Event) error {
	if json.Unmarshal(text, event) != nil {
		return fmt.Errorf("event: %w", store.ErrDamaged)
	}
	return nil
}

// event stores one event alone.
func (b *bound) event(run int64, event *execution.Event) error {
	e := newEncoder()
	text, err := e.encode(event)
	if err != nil {
		return err
	}
	return b.exec(addEvent, run, event.Version, e.bytes(text))
}
