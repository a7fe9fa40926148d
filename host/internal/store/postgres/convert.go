package postgres

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/host/internal/store/row"
)

// instant reads a stored time into a field.
type instant struct{ to *time.Time }

var _ sql.Scanner = instant{}

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	n, _ := value.(int64)
	*i.to = row.Time(n)
	return nil
}

// blob is nil for no JSON, so that none stays none.
func blob(raw json.RawMessage) []byte { return raw }

// bytesOf is data that is there, though it may be empty.
func bytesOf(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// given is nil for a text that is not given.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// limit is a LIMIT clause's value: 0 asks for all.
func limit(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}
