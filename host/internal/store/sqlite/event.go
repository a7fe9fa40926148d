package sqlite

import (
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/execution"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// event stores one event alone.
func (b *bound) event(run int64, event *execution.Event) error {
	e := row.NewEncoder()
	text, err := e.Encode(event)
	if err != nil {
		return err
	}
	return b.exec(addEvent, run, event.Version, e.Bytes(text))
}
